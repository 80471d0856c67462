//! Dice of a seed, and what they do to a text.

/// SplitMix64: every seed gives another row.
pub(in crate::helm) struct Dice(u64);

impl Dice {
    pub(in crate::helm) fn new(seed: u64) -> Self {
        Self(seed.wrapping_mul(0xD1B5_4A32_D192_ED03))
    }

    pub(super) fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        mixed ^ (mixed >> 31)
    }

    /// A number below another, or 0.
    pub(super) fn below(&mut self, end: usize) -> usize {
        usize::try_from(self.next() % u64::try_from(end.max(1)).unwrap()).unwrap()
    }

    pub(super) fn byte(&mut self) -> u8 {
        self.next().to_le_bytes()[0]
    }

    /// True once in so many times.
    pub(super) fn chance(&mut self, times: usize) -> bool {
        self.below(times) == 0
    }

    pub(super) fn pick<'a, T>(&mut self, from: &'a [T]) -> &'a T {
        &from[self.below(from.len())]
    }
}

/// Words of templates, YAML, JSON schemas and numbers, the worst of each.
#[rustfmt::skip]
const WORDS: &[&str] = &[
    "{{", "}}", "{{-", "-}}", "{{/*", "*/}}", "{{ end }}", "{{ else }}", "{{ else if . }}", "{{ else with . }}", "{{ break }}",
    "{{ continue }}", "{{ range $k, $v := . }}", "{{ range until 100000 }}", "{{ with $ }}", "{{ if not . }}", "{{ define \"x\" }}",
    "{{ block \"x\" . }}", "{{ template \"x\" . }}", "{{ include \"x\" $ }}", "{{ tpl . $ }}", "{{ tpl \"{{ tpl . . }}\" \"{{ . }}\" }}",
    "{{ $x := . }}", "{{ $x = $x }}", " | ", "(", ")", ".", "$", "$.Values", ".Values", ".Files", ".Capabilities", ".Chart",
    ".Release.Name", " | nindent 99999999", " | indent -1", " | repeat 100000000", " | toYaml", " | fromYaml", " | quote", " | b64dec",
    " | int64", " | toString | len", " | until", " | splitList \"\"", " | regexFindAll \"(a*)*\" -1", " | trunc -3", " | sortAlpha",
    " | keys", " | dict", "(until 99999999)", "(printf \"%99999999d\" 1)", "(printf \"%*.*f\" 9999999 9999999 1.0)", "(untilStep 0 9 0)",
    "(set $ \"x\" $)", "(mergeOverwrite $ $)", "(append (list) $)", "(dict \"a\")", "(index . 9223372036854775807)", "(slice . -1)", "nil",
    "true", "9223372036854775808", "0x7fffffffffffffff", "1e999", "-0", "1_000", "0b", "'\\x'", "\"", "`", "'", "\\", "&a ", "*a", "<<: *a",
    "<<: [*a, *a]", "!!binary ", "!!int ", "!<x> ", "? ", ": ", "- ", "- - - ", "|\n", ">-\n", "|9\n", "%YAML 1.1\n", "%TAG ! x\n", "---\n",
    "...\n", "\t", "\u{85}", "\u{2028}", "\0", "\u{feff}", "\r\n", "#", "{", "}", "[", "]", ",", ".nan", ".inf", "~", "null", "yes", "0o7",
    "1:30", "2001-01-01", "{\"$ref\": \"#\"}", "\"$ref\": \"#/definitions/x\",", "\"$ref\": \"http://127.0.0.1:1/x\",",
    "\"pattern\": \"(a+)+$\",", "\"pattern\": \"a{9999}{9999}\",", "\"multipleOf\": 0,", "\"multipleOf\": 1e-300,", "\"maxLength\": -1,",
    "\"type\": 1,", "\"items\": {},", "\"allOf\": [{\"$ref\": \"#\"}],", "\"$id\": \"http://[\",", "\"format\": \"regex\",",
    "\"required\": [\"x\"],", "condition: a.b.c\n", "alias: ..\n", "import-values: [data]\n", "- name: x\n", "kubeVersion: \">=1 <\"\n",
    "type: library\n", "version: 1.x\n",
];

/// Numbers that are too large, or just about.
const NUMBERS: &[&str] = &[
    "0",
    "-1",
    "1",
    "65536",
    "2147483647",
    "2147483648",
    "-9223372036854775808",
    "18446744073709551616",
    "1e308",
    "1e-400",
    "0.1",
    "99999999",
];

/// Changes a file in one to four ways; `other` is where foreign pieces come from.
pub(super) fn text(mut text: Vec<u8>, other: &[u8], dice: &mut Dice) -> Vec<u8> {
    for _ in 0..=dice.below(6) / 3 {
        text = match dice.below(18) {
            0 => bytes(text, dice),
            1..=4 => {
                let word = *dice.pick(WORDS);
                insert(text, word.as_bytes(), dice)
            }
            5 => without_piece(text, dice),
            6 => twice_a_piece(text, dice),
            7 => swapped(&text, dice),
            8 => {
                let (from, to) = piece(other.len(), 400, dice);
                insert(text, &other[from..to], dice)
            }
            9 => other_number(text, dice),
            10 => nested(text, dice),
            11 => aliases(&text, dice),
            12 if dice.chance(4) => {
                text.truncate(dice.below(text.len()));
                text
            }
            _ => insert_action(text, dice),
        };
        text.truncate(4 << 20);
    }
    text
}

/// Turns bits and bytes.
pub(super) fn bytes(mut text: Vec<u8>, dice: &mut Dice) -> Vec<u8> {
    for _ in 0..=dice.below(8) {
        if text.is_empty() {
            break;
        }
        let at = dice.below(text.len());
        text[at] = if dice.chance(2) { dice.byte() } else { text[at] ^ (1 << dice.below(8)) };
    }
    text
}

fn piece(length: usize, most: usize, dice: &mut Dice) -> (usize, usize) {
    let from = dice.below(length);
    (from, (from + dice.below(most)).min(length))
}

fn insert(mut text: Vec<u8>, word: &[u8], dice: &mut Dice) -> Vec<u8> {
    let at = dice.below(text.len() + 1);
    text.splice(at..at, word.iter().copied());
    text
}

/// An action goes to the end of a line, where it is most often one.
fn insert_action(mut text: Vec<u8>, dice: &mut Dice) -> Vec<u8> {
    let action = super::expression::action(dice);
    let from = dice.below(text.len() + 1);
    let at = text[from..].iter().position(|byte| *byte == b'\n').map_or(text.len(), |end| from + end);
    text.splice(at..at, action.bytes());
    text
}

fn without_piece(mut text: Vec<u8>, dice: &mut Dice) -> Vec<u8> {
    let (from, to) = piece(text.len(), 40, dice);
    text.drain(from..to);
    text
}

fn twice_a_piece(mut text: Vec<u8>, dice: &mut Dice) -> Vec<u8> {
    let (from, to) = piece(text.len(), 200, dice);
    let times = if dice.chance(6) { 1000 } else { 1 };
    let more = text[from..to].repeat(times);
    text.splice(to..to, more);
    text
}

/// Two words change places.
fn swapped(text: &[u8], dice: &mut Dice) -> Vec<u8> {
    let (from, to) = piece(text.len(), 300, dice);
    let mut words: Vec<&[u8]> = text[from..to].split_inclusive(|byte| *byte == b' ' || *byte == b'\n').collect();
    if words.len() > 1 {
        let (one, two) = (dice.below(words.len()), dice.below(words.len()));
        words.swap(one, two);
    }
    [&text[..from], &words.concat(), &text[to..]].concat()
}

fn other_number(mut text: Vec<u8>, dice: &mut Dice) -> Vec<u8> {
    let from = dice.below(text.len());
    let Some(begin) = text[from..].iter().position(u8::is_ascii_digit).map(|at| from + at) else { return text };
    let end = text[begin..].iter().position(|byte| !byte.is_ascii_digit()).map_or(text.len(), |at| begin + at);
    text.splice(begin..end, dice.pick(NUMBERS).bytes());
    text
}

/// Something open, very often.
fn nested(text: Vec<u8>, dice: &mut Dice) -> Vec<u8> {
    const OPENERS: &[(&str, &str)] = &[
        ("[", "]"),
        ("{a: ", "}"),
        ("- ", ""),
        ("? ", ""),
        ("{\"a\": ", "}"),
        ("{{ if 1 }}", "{{ end }}"),
        ("{{ with $ }}", "{{end}}"),
        ("{{ range list 1 2 }}", "{{ end }}"),
        ("{{ (", ") }}"),
        ("(", ")"),
        ("{{ if 1 }}{{ else if 1 }}", ""),
        ("a:\n ", ""),
        ("!x ", ""),
        ("{\"allOf\": [", "]}"),
        ("\"$ref\": {", "}"),
        ("{{ . | ", ""),
        (".a", ""),
        ("*", ""),
        ("<<: {", "}"),
        ("{{ define \"x\" }}", "{{ end }}"),
    ];
    let (open, close) = dice.pick(OPENERS);
    let depth = [10, 100, 1_001, 10_001, 60_000][dice.below(5)];
    let closed = if dice.chance(2) { depth } else { 0 };
    let nest = [open.repeat(depth), close.repeat(closed)].concat();
    insert(text, nest.as_bytes(), dice)
}

/// A few lines that stand for a billion.
fn aliases(text: &[u8], dice: &mut Dice) -> Vec<u8> {
    let mut bomb = String::from("\na0: &a0 [x, x, x, x, x, x, x, x, x]\n");
    let merged = dice.chance(2);
    for level in 1..=dice.below(12) {
        let before = format!("*a{}", level - 1);
        let list = [before.as_str(); 9].join(", ");
        let line = if merged { format!("a{level}: &a{level} {{ b: [{list}] }}\n") } else { format!("a{level}: &a{level} [{list}]\n") };
        bomb.push_str(&line);
    }
    if dice.chance(2) { [bomb.as_bytes(), text].concat() } else { [text, bomb.as_bytes()].concat() }
}
