//! The reader for documents as programs write them, line by line: maps and lists in block style, scalars that are plain, quoted without escapes, or
//! literal blocks. What it meets of anything else, and every error, it leaves to the reader of [`super::quick`].

use std::borrow::Cow;

use super::build::{Build, Descend, Other, Result, key};

/// The longest key; libyaml's end at 1,024 characters.
const MAX_KEY: usize = 1000;

/// The document.
pub(super) fn read<B: Build>(text: &str) -> Result<B> {
    if has_others(text.as_bytes()) {
        return Err(Other);
    }
    let mut lines = Lines { text, at: 0, depth: 0 };
    let root = lines.peek()?.ok_or(Other)?;
    let root = lines.block(root)?;
    if lines.peek()?.is_some() { Err(Other) } else { Ok(root) }
}

/// Whether there are blanks or line breaks that aren't spaces and newlines: tabs, CR, NEL, LS, PS.
fn has_others(bytes: &[u8]) -> bool {
    memchr::memchr3(b'\t', b'\r', 0xC2, bytes).is_some_and(|first| {
        let rest = &bytes[first..];
        memchr::memchr2(b'\t', b'\r', rest).is_some() || memchr::memmem::find(rest, b"\xC2\x85").is_some()
    }) || (memchr::memchr(0xE2, bytes).is_some()
        && (memchr::memmem::find(bytes, b"\xE2\x80\xA8").is_some() || memchr::memmem::find(bytes, b"\xE2\x80\xA9").is_some()))
}

/// Where a line says something: its column, and the place in the text.
#[derive(Clone, Copy)]
struct Start {
    column: usize,
    at: usize,
}

struct Lines<'a> {
    text: &'a str,
    /// The start of a line, or the end.
    at: usize,
    depth: usize,
}

impl Descend for Lines<'_> {
    fn depth(&mut self) -> &mut usize {
        &mut self.depth
    }
}

impl<'a> Lines<'a> {
    /// The end of the line that this place is in.
    fn end(&self, at: usize) -> usize {
        memchr::memchr(b'\n', &self.text.as_bytes()[at..]).map_or(self.text.len(), |length| at + length)
    }

    /// Goes on with the line after the one that ends here.
    fn after(&mut self, end: usize) {
        self.at = (end + 1).min(self.text.len());
    }

    /// The next line that says something: neither empty nor a comment.
    fn peek(&mut self) -> Result<Option<Start>> {
        let bytes = self.text.as_bytes();
        while self.at < bytes.len() {
            let column = spaces(&bytes[self.at..]);
            let at = self.at + column;
            match bytes.get(at) {
                None => self.at = bytes.len(),
                Some(b'\n') => self.at = at + 1,
                Some(b'#') => {
                    let end = self.end(at);
                    self.after(end);
                }
                Some(b'-' | b'.') if column == 0 && (bytes[at..].starts_with(b"---") || bytes[at..].starts_with(b"...")) => {
                    return Err(Other);
                }
                Some(_) => return Ok(Some(Start { column, at })),
            }
        }
        Ok(None)
    }

    /// A list or a map that begins here.
    fn block<B: Build>(&mut self, start: Start) -> Result<B> {
        if is_item(self.text.as_bytes(), start.at) { self.within(|lines| lines.list(start)) } else { self.within(|lines| lines.map(start)) }
    }

    fn list<B: Build>(&mut self, mut start: Start) -> Result<B> {
        let column = start.column;
        let mut items = Vec::new();
        loop {
            items.push(self.item(start)?);
            match self.peek()? {
                Some(next) if next.column == column && is_item(self.text.as_bytes(), next.at) => start = next,
                // A list may stand in the column of the key that it belongs to: then a key comes next.
                Some(next) if next.column <= column => break,
                Some(_) => return Err(Other),
                None => break,
            }
        }
        Ok(B::list(items))
    }

    fn item<B: Build>(&mut self, dash: Start) -> Result<B> {
        let bytes = self.text.as_bytes();
        let spaces = spaces(&bytes[dash.at + 1..]);
        let start = Start { column: dash.column + 1 + spaces, at: dash.at + 1 + spaces };
        match bytes.get(start.at) {
            None | Some(b'\n' | b'#') => self.below(start.at, dash.column, false),
            Some(b'-') if is_item(bytes, start.at) => Err(Other),
            Some(_) if self.key(start.at)?.is_some() => self.within(|lines| lines.map(start)),
            Some(_) => self.scalar(start.at, dash.column),
        }
    }

    fn map<B: Build>(&mut self, mut start: Start) -> Result<B> {
        let column = start.column;
        let mut entries = B::Entries::default();
        loop {
            let (name, after) = self.key(start.at)?.ok_or(Other)?;
            let bytes = self.text.as_bytes();
            let at = after + spaces(&bytes[after..]);
            let value = match bytes.get(at) {
                None | Some(b'\n') => self.below(at, column, true)?,
                Some(b'#') if at > after => self.below(at, column, true)?,
                Some(_) => self.scalar(at, column)?,
            };
            B::put(&mut entries, name, value);
            match self.peek()? {
                Some(next) if next.column == column && !is_item(self.text.as_bytes(), next.at) => start = next,
                Some(next) if next.column < column => break,
                Some(_) => return Err(Other),
                None => break,
            }
        }
        B::map(entries).ok_or(Other)
    }

    /// The value of an entry or an item that says nothing on its own line: what stands in the lines below, or null.
    fn below<B: Build>(&mut self, at: usize, column: usize, is_entry: bool) -> Result<B> {
        let end = self.end(at);
        self.after(end);
        match self.peek()? {
            Some(next) if next.column > column => self.block(next),
            Some(next) if is_entry && next.column == column && is_item(self.text.as_bytes(), next.at) => {
                self.within(|lines| lines.list(next))
            }
            _ => B::scalar(Cow::Borrowed(""), true).ok_or(Other),
        }
    }

    /// The key that stands here, and what follows its colon; nothing where the line goes on otherwise.
    fn key(&self, at: usize) -> Result<Option<(Cow<'a, str>, usize)>> {
        let bytes = self.text.as_bytes();
        let (text, end, plain) = match bytes[at] {
            mark @ (b'"' | b'\'') => {
                let length = memchr::memchr3(mark, b'\\', b'\n', &bytes[at + 1..]).ok_or(Other)?;
                let end = at + 1 + length;
                if bytes[end] != mark || bytes.get(end + 1) != Some(&b':') {
                    return Ok(None);
                }
                (&self.text[at + 1..end], end + 1, false)
            }
            first if starts_plain(first) || (first == b'-' && bytes.get(at + 1).is_some_and(|next| !matches!(next, b' ' | b'\n'))) => {
                let found = bytes[at..].iter().enumerate().position(|(place, byte)| match byte {
                    b' ' | b'\n' => true,
                    b':' => matches!(bytes.get(at + place + 1), None | Some(b' ' | b'\n')),
                    _ => false,
                });
                match found.map(|length| at + length) {
                    Some(end) if bytes[end] == b':' => (&self.text[at..end], end, true),
                    _ => return Ok(None),
                }
            }
            _ => return Ok(None),
        };
        if text.len() > MAX_KEY || !matches!(bytes.get(end + 1), None | Some(b' ' | b'\n')) {
            return Err(Other);
        }
        Ok(Some((key(Cow::Borrowed(text), plain)?, end + 1)))
    }

    /// A scalar that begins here, in a list or a map of this column.
    fn scalar<B: Build>(&mut self, at: usize, column: usize) -> Result<B> {
        let bytes = self.text.as_bytes();
        let (text, plain) = match bytes[at] {
            mark @ (b'"' | b'\'') => (self.quoted(at, mark, column)?, false),
            b'|' => (self.literal(at, column)?, false),
            b'[' | b'{' => {
                let end = self.end(at);
                let empty = self.within(|lines| match lines.text[at..end].trim_ascii_end() {
                    "[]" => Ok(B::list(Vec::new())),
                    "{}" => B::map(B::Entries::default()).ok_or(Other),
                    _ => Err(Other),
                });
                self.after(end);
                return empty;
            }
            first if starts_plain(first) || (first == b'-' && !is_item(bytes, at)) => (self.plain(at, column)?, true),
            _ => return Err(Other),
        };
        B::scalar(text, plain).ok_or(Other)
    }

    /// A plain scalar: what stands on its line, and on all further lines that are indented deeper than what it belongs to.
    fn plain(&mut self, at: usize, column: usize) -> Result<Cow<'a, str>> {
        let end = self.end(at);
        let (first, is_commented) = plain_line(&self.text[at..end])?;
        self.after(end);
        let mut text = Cow::Borrowed(first);
        if is_commented {
            // After a comment there is no more of it.
            return Ok(text);
        }
        while let Some((breaks, start)) = self.further(column) {
            if self.text.as_bytes()[start] == b'#' {
                return Err(Other);
            }
            let end = self.end(start);
            let (line, is_commented) = plain_line(&self.text[start..end])?;
            if is_commented {
                return Err(Other);
            }
            fold(text.to_mut(), breaks, line);
            self.after(end);
        }
        Ok(text)
    }

    /// The next line of a scalar: how many empty ones there are before it, and where it begins; nothing when it isn't indented deeper than
    /// this column.
    fn further(&self, column: usize) -> Option<(usize, usize)> {
        let bytes = self.text.as_bytes();
        let (mut at, mut breaks) = (self.at, 0);
        while at < bytes.len() {
            let width = spaces(&bytes[at..]);
            match bytes.get(at + width) {
                None => return None,
                Some(b'\n') => breaks += 1,
                Some(_) => return (width > column).then_some((breaks, at + width)),
            }
            at += width + 1;
        }
        None
    }

    /// A quoted scalar, which may go on in further lines.
    fn quoted(&mut self, at: usize, mark: u8, column: usize) -> Result<Cow<'a, str>> {
        let bytes = self.text.as_bytes();
        let mut text = Cow::Borrowed("");
        let (mut start, mut breaks) = (at + 1, None);
        loop {
            let end = self.end(start);
            let (line, closed) = quoted_line(&self.text[start..end], mark)?;
            let is_last = closed.is_some();
            // Blanks around a line break are none of the text.
            let line = if is_last { line } else { trimmed(line) };
            match breaks {
                None => text = line,
                Some(breaks) => fold(text.to_mut(), breaks, &line),
            }
            self.after(end);
            if let Some(closed) = closed {
                let rest = &bytes[start + closed..end];
                return if rest.iter().all(|byte| *byte == b' ') { Ok(text) } else { Err(Other) };
            }
            let (empty, next) = self.further(column).ok_or(Other)?;
            (start, breaks) = (next, Some(empty));
        }
    }

    /// A literal block: its lines without their indentation.
    fn literal(&mut self, at: usize, column: usize) -> Result<Cow<'a, str>> {
        let bytes = self.text.as_bytes();
        let end = self.end(at);
        let (mut chomping, mut increment) = (None, None);
        for byte in &bytes[at + 1..end] {
            match byte {
                b'-' | b'+' if chomping.is_none() => chomping = Some(*byte == b'+'),
                b'1'..=b'9' if increment.is_none() => increment = Some(usize::from(*byte - b'0')),
                _ => return Err(Other),
            }
        }
        self.after(end);
        let (_, first) = self.further(column).ok_or(Other)?;
        let width = first - bytes[..first].iter().rposition(|byte| *byte == b'\n').map_or(0, |newline| newline + 1);
        let indent = increment.map_or(width, |increment| column + increment);
        if width < indent {
            return Err(Other);
        }
        let mut text = String::new();
        // The line breaks since the last line that says something.
        let mut breaks = 0;
        while self.at < bytes.len() {
            let width = spaces(&bytes[self.at..]);
            let end = self.end(self.at);
            let is_empty = self.at + width == end;
            if is_empty && (width > indent || end == bytes.len()) {
                // Spaces that are text.
                return Err(Other);
            }
            if !is_empty && width < indent {
                break;
            }
            if is_empty {
                breaks += 1;
            } else {
                text.extend(std::iter::repeat_n('\n', breaks));
                text.push_str(&self.text[self.at + indent..end]);
                breaks = usize::from(end < bytes.len());
            }
            self.after(end);
        }
        let kept = match chomping {
            None => breaks.min(1),
            Some(false) => 0,
            Some(true) => breaks,
        };
        text.extend(std::iter::repeat_n('\n', kept));
        Ok(Cow::Owned(text))
    }
}

fn spaces(bytes: &[u8]) -> usize {
    bytes.iter().position(|byte| *byte != b' ').unwrap_or(bytes.len())
}

/// Whether `- ` stands here.
fn is_item(bytes: &[u8], at: usize) -> bool {
    bytes[at] == b'-' && matches!(bytes.get(at + 1), None | Some(b' ' | b'\n'))
}

/// Whether a plain scalar may begin with it, whatever follows.
fn starts_plain(byte: u8) -> bool {
    matches!(byte, b'0'..=b'9' | b'A'..=b'Z' | b'a'..=b'z' | b'_' | b'.' | b'/' | b'$' | b'+' | b'(' | b')' | b'<' | b'=' | b'^' | b'~' | b';' | b'\\' | 0x80..)
}

/// A line of a plain scalar, and whether a comment follows.
fn plain_line(line: &str) -> Result<(&str, bool)> {
    let bytes = line.as_bytes();
    for at in memchr::memchr2_iter(b':', b'#', bytes) {
        match bytes[at] {
            b'#' if at > 0 && bytes[at - 1] == b' ' => return Ok((line[..at].trim_ascii_end(), true)),
            b':' if matches!(bytes.get(at + 1), None | Some(b' ')) => return Err(Other),
            _ => {}
        }
    }
    Ok((line.trim_ascii_end(), false))
}

/// What of a line belongs to a quoted scalar, and where what follows its end begins.
fn quoted_line(line: &str, mark: u8) -> Result<(Cow<'_, str>, Option<usize>)> {
    let bytes = line.as_bytes();
    if mark == b'"' {
        return match memchr::memchr2(mark, b'\\', bytes) {
            None => Ok((Cow::Borrowed(line), None)),
            Some(end) if bytes[end] == mark => Ok((Cow::Borrowed(&line[..end]), Some(end + 1))),
            Some(_) => Err(Other),
        };
    }
    let (mut text, mut from) = (Cow::Borrowed(""), 0);
    loop {
        let end = memchr::memchr(mark, &bytes[from..]).map(|length| from + length);
        let piece = &line[from..end.unwrap_or(line.len())];
        if from == 0 {
            text = Cow::Borrowed(piece);
        } else {
            text.to_mut().push_str(piece);
        }
        match end {
            Some(end) if bytes.get(end + 1) == Some(&mark) => {
                text.to_mut().push('\'');
                from = end + 2;
            }
            end => return Ok((text, end.map(|end| end + 1))),
        }
    }
}

fn trimmed(text: Cow<'_, str>) -> Cow<'_, str> {
    match text {
        Cow::Borrowed(text) => Cow::Borrowed(text.trim_end_matches(' ')),
        Cow::Owned(mut text) => {
            text.truncate(text.trim_end_matches(' ').len());
            Cow::Owned(text)
        }
    }
}

/// Joins a line to those before it: a line break is a space, and with empty lines between them each of those is a line break.
fn fold(text: &mut String, empty: usize, line: &str) {
    if empty == 0 {
        text.push(' ');
    }
    text.extend(std::iter::repeat_n('\n', empty));
    text.push_str(line);
}

#[cfg(test)]
mod tests {
    use super::super::node::Node;
    use super::super::read::parse;
    use super::*;
    use crate::helm::value::MAX_DEPTH;

    /// What is read line by line must be what the other reader reads.
    fn same(text: &str) -> bool {
        match read::<Node>(text) {
            Ok(node) => {
                assert_eq!(parse(text.as_bytes()).as_ref(), Ok(&node), "{text:?}");
                true
            }
            Err(Other) => false,
        }
    }

    #[test]
    fn what_programs_write_is_read() {
        for text in [
            "a: 1\nb:\n  c: x y  z\n  d:\ne: \"\"\nf: {}\ng: []\n",
            "a:\n- b\n-  c: 1\n   d:\n   - e\n-\n- {}\nf:\n  - g\n",
            "- a\n- b: c\n\n# words\n- d # words\n",
            "a: one\n  two\n\n\n    three\n\nb: 'it''s\n\n  folded  \n  twice'\nc: \"x\n  y\"\n",
            "a: |\n  one\n   two\n\n  three\n\n\nb: |-\n  x\n\nc: |+\n  y\n\n",
            "a: |\n\n  one\n# words\nb: |\n  last",
            "a:\n- |2-\n    one\n   two\n  three\n- b: |1\n\n      x\n     y\n",
            "\"a\": 1\n'b c': 2\n-d: 3\nk:{\"x\":\"y\"}: 4\na:b: -5\n",
            "  a: 1\n  b: 2",
            "a: x#y\nb: http://z\nc: 1.5\nd: ~\ne: no\nf: (x)\n",
            "a: ä\u{a0}b\n",
        ] {
            assert!(same(text), "{text:?} is left to the other reader");
        }
    }

    #[test]
    fn what_is_more_is_left_to_the_other_reader() {
        for text in [
            "",
            "x",
            "a: 1\n  b: 2\n",
            "a: 1\n b\n# words\n  c\n",
            "a: b: c",
            "a: b\n  c: d\n",
            "- - a",
            "- a\nb: c",
            "a: [b]",
            "a: {b: c}",
            "a: \"\\n\"",
            "a: 'b",
            "a: 'b' c",
            "a: >\n  b\n",
            "a: |2\n b\n",
            "a: |0\n b\n",
            "a: |--\n b\n",
            "a: |\n   b\n  c\n",
            "a: |\n     \n  c\n",
            "a: |\nb: 1\n",
            "a: &b c",
            "a: !c d",
            "a: *b",
            "? a",
            "a:\tb",
            "a: b\r\n",
            "a: b\u{85}c",
            "a: b\u{2028}c",
            "---\na: b",
            "a: b\n---\n",
            "%YAML 1.1\n",
            "a\n",
            "a: 1\na: 2\n",
            "a: b\n  # words\n",
            "a: b # words\n  c\n",
        ] {
            assert!(read::<Node>(text).is_err(), "{text:?}");
        }
    }

    #[test]
    fn nesting_ends_where_it_ends_for_the_other_reader() {
        for (levels, inner) in [(MAX_DEPTH - 1, "{}"), (MAX_DEPTH, "x"), (MAX_DEPTH, "{}"), (MAX_DEPTH, "[]"), (MAX_DEPTH + 1, "x")] {
            let mut text: String = (0..levels).map(|level| " ".repeat(level) + "a:\n").collect();
            text.truncate(text.len() - 1);
            text.extend([" ", inner]);
            assert_eq!(same(&text), parse(text.as_bytes()).is_ok(), "{levels} {inner}");
        }
    }

    /// Texts that are put together by chance from what is hard to read.
    #[test]
    fn what_is_read_is_read_alike() {
        const PARTS: &[&str] = &[
            "a:",
            "b: ",
            "- ",
            "-",
            "\n",
            "\n",
            "\n ",
            "\n  ",
            "\n    ",
            "\n",
            " ",
            "  ",
            "x",
            "y z",
            "'",
            "''",
            "\"",
            "\\",
            "|",
            "|-\n",
            "|+\n",
            "|\n",
            "|2-\n",
            "|1\n",
            ">",
            "#",
            " # ",
            ":",
            "::",
            "{}",
            "[]",
            "[",
            "~",
            "1",
            "-1",
            "0x1F",
            "yes",
            "null",
            ".5",
            "...",
            "---",
            "?",
            "&c",
            "*c",
            "!d",
            "<<:",
            "\t",
            "é",
            "key: value\n",
            "list:\n",
            "- item\n",
            "  - k: v\n",
            "    more\n",
            "text: |\n",
            "'quoted': ",
            "\"q\": ",
        ];
        let mut seed: u64 = 0x9E37_79B9_7F4A_7C15;
        let mut next = |below: usize| {
            seed ^= seed << 13;
            seed ^= seed >> 7;
            seed ^= seed << 17;
            usize::try_from(seed % u64::try_from(below).unwrap_or(1)).unwrap_or(0)
        };
        let mut read = 0;
        for _ in 0..60_000 {
            let text: String = (0..=next(14)).map(|_| PARTS[next(PARTS.len())]).collect();
            read += usize::from(same(&text));
        }
        assert!(read > 2_000, "{read} texts were read");
    }
}
