//! What is read, and what hostile bytes come to.
#![allow(clippy::unwrap_used)]

use super::*;

fn read_text(text: &[u8]) -> Result<Node, Box<Diagnostic>> {
    let mut diags = Diagnostics::default();
    read(&Arc::from("a.yaml"), text, &mut diags).map_err(|Failed| Box::new(diags.items()[0].clone()))
}

/// The value in one line, scalars with the first letter of their style.
fn brief(node: &Node) -> String {
    match &node.value {
        Value::Scalar { text, style } => format!("{}:{text}", &format!("{style:?}")[..1]),
        Value::List(items) => format!("[{}]", items.iter().map(brief).collect::<Vec<_>>().join(", ")),
        Value::Map(entries) => {
            format!("{{{}}}", entries.iter().map(|e| format!("{}={}", e.key, brief(&e.value))).collect::<Vec<_>>().join(", "))
        }
    }
}

#[test]
fn values_keep_their_text_and_style() {
    let cases = [
        ("scalars aren't resolved", "a: 007\nb: '007'\nc: \"x\\ty\"\nd: |\n  z\n", "{a=P:007, b=Q:007, c=Q:x\ty, d=B:z\n}"),
        ("keys keep their order", "{b: 1, a: 2}", "{b=P:1, a=P:2}"),
        ("an alias is put in", "a: &x {k: 1}\nb: *x", "{a={k=P:1}, b={k=P:1}}"),
        ("a merge key brings what isn't there", "a: &x {k: 1, l: 2}\nb: {<<: *x, k: 3}", "{a={k=P:1, l=P:2}, b={k=P:3, l=P:2}}"),
        ("of a list of merges the first wins", "b: {<<: [{k: 1}, {k: 2, l: 3}]}", "{b={k=P:1, l=P:3}}"),
        ("a quoted merge key is a key", "'<<': 1", "{<<=P:1}"),
        ("an empty file is null", "", "P:"),
        ("comments alone are null", "# nothing\n", "P:"),
        ("a byte order mark is no content", "\u{feff}a: 1", "{a=P:1}"),
        ("a document may be begun and ended", "---\na: 1\n...\n", "{a=P:1}"),
        ("a string tag quotes", "a: !!str 1", "{a=Q:1}"),
        ("CR LF ends a line", "a: 1\r\nb: 2\r\n", "{a=P:1, b=P:2}"),
    ];
    for (name, text, wanted) in cases {
        assert_eq!(brief(&read_text(text.as_bytes()).unwrap()), wanted, "{name}");
    }
}

#[test]
fn places_are_lines_and_columns_in_characters() {
    let node = read_text("é: x\nmap:\n  key: 'value'\n  list:\n    - one\n    - k: 1\nblock: |\n  text\n".as_bytes()).unwrap();
    let at = |place: &Place| (place.line, place.column, place.length);
    let map = node.get("map").unwrap();
    assert_eq!(at(&node.get("é").unwrap().value.place), (1, 4, 1));
    assert_eq!(at(&map.key_place), (2, 1, 3));
    assert_eq!(at(&map.value.place), (3, 3, 3), "a map stands at its first key");
    assert_eq!(at(&map.value.get("key").unwrap().value.place), (3, 8, 7));
    let list = map.value.get("list").unwrap().value.items().unwrap();
    assert_eq!(at(&list[0].place), (5, 7, 3));
    assert_eq!(at(&list[1].place), (6, 7, 1));
    assert_eq!(at(&node.get("block").unwrap().value.place), (8, 3, 1), "a block stands where its text begins");
}

#[test]
fn bad_input_has_a_code_and_a_place() {
    let deep = "[".repeat(70);
    let nested = format!("{}1", (0..70).fold(String::new(), |text, level| format!("{text}{}k:\n", " ".repeat(level))));
    let bomb = (1..30).fold("a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n".to_owned(), |text, level| {
        let of = level - 1;
        format!("{text}a{level}: &a{level} [*a{of}, *a{of}, *a{of}, *a{of}, *a{of}, *a{of}, *a{of}, *a{of}, *a{of}, *a{of}]\n")
    });
    let tower = (1..70).fold("a0: &a0 [x]\n".to_owned(), |text, level| format!("{text}a{level}: &a{level} [*a{}]\n", level - 1));
    let big = vec![b'#'; MAX_BYTES + 1];
    let cases: [(&str, &[u8], &str, usize, usize); 19] = [
        ("a key given twice", b"a: 1\nb: 2\na: 3", "yaml/duplicate-key", 3, 1),
        ("a map as key", b"? {a: 1}\n: 2", "yaml/key-type", 1, 3),
        ("a list as key through an alias", b"a: &x [1]\n*x : 2", "yaml/key-type", 2, 1),
        ("two documents", b"a: 1\n---\nb: 2", "yaml/documents", 2, 1),
        ("a tab as indentation", b"a:\n\tb: 1", "yaml/tab", 2, 1),
        ("bytes that are not UTF-8", b"a: \xff", "yaml/encoding", 1, 4),
        ("UTF-16", b"\xff\xfea\0", "yaml/encoding", 1, 1),
        ("a zero byte, which would hide what follows", b"a: 1\n\0b: 2", "yaml/control-character", 2, 1),
        ("an escape character", b"a: \x1b[31m", "yaml/control-character", 1, 4),
        ("brackets too deep", deep.as_bytes(), "yaml/too-deep", 1, 65),
        ("maps too deep", nested.as_bytes(), "yaml/too-deep", 65, 65),
        ("aliases that multiply", bomb.as_bytes(), "yaml/too-many-nodes", 5, 40),
        ("aliases that pile up", tower.as_bytes(), "yaml/too-deep", 64, 12),
        ("an alias to what it stands in", b"a: &x [*x]", "yaml/alias", 1, 8),
        ("a merge of no map", b"<<: 1", "yaml/merge-key", 1, 5),
        ("an unknown tag", b"a: !secret x", "yaml/tag", 1, 4),
        ("an open bracket", b"a: [1", "yaml/syntax", 1, 6),
        ("an unknown alias", b"a: *x", "yaml/syntax", 1, 4),
        ("too many bytes", &big, "yaml/too-large", 1, 1),
    ];
    for (name, text, code, line, column) in cases {
        let problem = read_text(text).map(|node| brief(&node)).unwrap_err();
        let place = problem.place.clone().unwrap();
        assert_eq!((problem.code, place.line, place.column), (code, line, column), "{name}: {problem:?}");
    }
}

/// A small generator of numbers (xorshift): the same bytes in every run.
struct Dice(u64);

impl Dice {
    fn below(&mut self, limit: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        usize::try_from(self.0 >> 11).unwrap() % limit
    }
}

#[test]
fn no_bytes_make_it_panic() {
    let seeds: [&[u8]; 3] = [
        include_bytes!("../../stacks/demo.yaml"),
        b"a: &x {k: [1, 'two', \"three\\n\"]}\nb: {<<: *x}\nc: |\n  text\n  more\nd: >-\n  folded\n? e\n: !!str f\n---\n...\n",
        b"%YAML 1.2\n--- !!map\n- - - a\n  -b: c\n[{},[]]: *z\n\t# x\n@`%!&*|>?:-,[]{}\"'\\",
    ];
    let signs: &[u8] = b"\n\n  \t:-?,[]{}#&*!|>'\"%@`\\~<.0a\xc3\xa9\xff\0\r";
    let mut dice = Dice(0x9e37_79b9_7f4a_7c15);
    for round in 0..6_000 {
        let mut bytes = if round % 3 == 0 { Vec::new() } else { seeds[dice.below(seeds.len())].to_vec() };
        for _ in 0..=dice.below(40) {
            let at = dice.below(bytes.len() + 1);
            match dice.below(4) {
                0 if at < bytes.len() => {
                    let end = (at + dice.below(30)).min(bytes.len());
                    bytes.drain(at..end);
                }
                1 if at < bytes.len() => {
                    let end = (at + dice.below(30)).min(bytes.len());
                    let part = bytes[at..end].to_vec();
                    let to = dice.below(bytes.len() + 1);
                    bytes.splice(to..to, part);
                }
                _ => bytes.insert(at, signs[dice.below(signs.len())]),
            }
        }
        let _ = read_text(&bytes);
    }
}

#[test]
fn large_hostile_files_take_little_time() {
    let repeat = |text: &str| text.repeat(MAX_BYTES / text.len()).into_bytes();
    for text in [
        "[", "{", "- ", "? ", "a: ", "&a ", "*a ", "!!str ", "'", "\"", "\n", "a\n", "- a\n", "-\n", "{a: ", "[a,", "|\n", "# x\n", "\\",
        "--- ", "---\n", ": ",
    ] {
        let started = std::time::Instant::now();
        let _ = read_text(&repeat(text));
        assert!(started.elapsed().as_secs() < 20, "{text:?} took {:?}", started.elapsed());
    }
}
