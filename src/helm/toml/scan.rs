//! Words and values of a TOML text, with the errors of `lex.go`: a line and what was expected.

use crate::helm::strconv::{decode_rune, quote, quote_rune};

/// What stands for the end of the text, as in Go: no text may hold it.
pub(super) const END: char = '\0';

/// What is wrong, and on which line.
pub(super) struct Fault {
    pub(super) line: usize,
    pub(super) message: String,
    /// Whether it is a limit of ours.
    pub(super) limit: bool,
}

/// What kind of value a word is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    /// A string that means what it says.
    Plain,
    /// A string with escapes.
    Escaped,
    /// A string of several lines, with or without escapes.
    Lines,
    /// A string of several lines that means what it says.
    PlainLines,
    Bool,
    Integer,
    Float,
    Time,
    /// The start of an array.
    Array,
    /// The start of an inline table.
    Table,
}

/// A value, or the start of one, with the line on which it ends.
pub(super) struct Item {
    pub(super) kind: Kind,
    pub(super) text: String,
    pub(super) line: usize,
}

/// A cursor over the text.
pub(super) struct Scanner<'a> {
    text: &'a [u8],
    start: usize,
    at: usize,
    line: usize,
    ended: bool,
}

pub(super) fn is_space(rune: char) -> bool {
    matches!(rune, '\t' | ' ')
}

pub(super) fn is_newline(rune: char) -> bool {
    matches!(rune, '\n' | '\r')
}

fn is_bare(rune: char) -> bool {
    rune.is_ascii_alphanumeric() || matches!(rune, '_' | '-')
}

impl<'a> Scanner<'a> {
    pub(super) fn new(text: &'a [u8]) -> Self {
        Self { text, start: 0, at: 0, line: 1, ended: false }
    }

    /// The next letter.
    pub(super) fn next(&mut self) -> Result<char, Fault> {
        let Some(first) = self.text.get(self.at).copied() else {
            self.ended = true;
            return Ok(END);
        };
        if first == b'\n' {
            self.line += 1;
        }
        let (rune, width) = decode_rune(&self.text[self.at..]);
        if rune == char::REPLACEMENT_CHARACTER && width == 1 {
            return Err(self.here(format!("invalid UTF-8 byte: 0x{first:02x}")));
        }
        let lone_return = rune == '\r' && self.text.get(self.at + 1) != Some(&b'\n');
        if lone_return || (rune.is_ascii_control() && !matches!(rune, '\t' | '\r' | '\n')) {
            return Err(self.here(format!("TOML files cannot contain control characters: '0x{first:02x}'")));
        }
        self.at += width;
        Ok(rune)
    }

    /// One letter back.
    pub(super) fn back(&mut self) {
        if std::mem::take(&mut self.ended) {
            return;
        }
        self.at -= 1;
        while self.text[self.at] & 0xc0 == 0x80 {
            self.at -= 1;
        }
        if self.text[self.at] == b'\n' {
            self.line -= 1;
        }
    }

    /// The next letter, which stays.
    pub(super) fn peek(&mut self) -> Result<char, Fault> {
        let rune = self.next()?;
        self.back();
        Ok(rune)
    }

    fn accept(&mut self, wanted: char) -> Result<bool, Fault> {
        if self.next()? == wanted {
            return Ok(true);
        }
        self.back();
        Ok(false)
    }

    pub(super) fn skip_spaces(&mut self) -> Result<(), Fault> {
        while is_space(self.next()?) {}
        self.back();
        Ok(())
    }

    /// Up to the end of the line, after `#`.
    pub(super) fn skip_comment(&mut self) -> Result<(), Fault> {
        loop {
            let rune = self.next()?;
            if is_newline(rune) || rune == END {
                self.back();
                return Ok(());
            }
        }
    }

    fn here(&self, message: impl Into<String>) -> Fault {
        Fault { line: self.line, message: message.into(), limit: false }
    }

    /// An error at the last letter. At the end of the text it is told of the last line that has letters.
    pub(super) fn wrong(&self, message: impl Into<String>) -> Fault {
        let over = self.ended && self.at > 0 && self.text[self.at - 1] == b'\n';
        Fault { line: self.line - usize::from(over), message: message.into(), limit: false }
    }

    /// An error on the line before.
    pub(super) fn wrong_before(&self, message: impl Into<String>) -> Fault {
        Fault { line: self.line - 1, message: message.into(), limit: false }
    }

    fn current(&self) -> &'a [u8] {
        &self.text[self.start..self.at]
    }

    fn current_text(&self) -> String {
        String::from_utf8_lossy(self.current()).into_owned()
    }

    fn item(&self, kind: Kind) -> Item {
        Item { kind, text: self.current_text(), line: self.line }
    }

    /// One part of a key.
    pub(super) fn name(&mut self) -> Result<Item, Fault> {
        let first = self.peek()?;
        if matches!(first, '"' | '\'') {
            self.next()?;
            self.start = self.at;
            return if first == '"' { self.string() } else { self.plain_string() };
        }
        self.start = self.at;
        while is_bare(self.next()?) {}
        self.back();
        Ok(self.item(Kind::Plain))
    }

    /// A value, or the start of an array or an inline table.
    pub(super) fn value(&mut self) -> Result<Item, Fault> {
        self.skip_spaces()?;
        self.start = self.at;
        let rune = self.next()?;
        match rune {
            '0'..='9' => return self.number_or_time(rune),
            '[' => return Ok(self.item(Kind::Array)),
            '{' => return Ok(self.item(Kind::Table)),
            '"' | '\'' => {
                if self.accept(rune)? {
                    if self.accept(rune)? {
                        self.start = self.at;
                        return self.lines(rune);
                    }
                    self.back();
                }
                self.start = self.at;
                return if rune == '"' { self.string() } else { self.plain_string() };
            }
            '.' => return Err(self.wrong("floats must start with a digit, not '.'")),
            'i' | 'n' if (self.accept('n')? && self.accept('f')?) || (self.accept('a')? && self.accept('n')?) => {
                return Ok(self.item(Kind::Float));
            }
            '-' | '+' => return self.signed(),
            _ => {}
        }
        if rune.is_alphabetic() {
            self.back();
            return self.truth();
        }
        if rune == END {
            return Err(self.wrong("unexpected EOF; expected value"));
        }
        let message = format!("expected value but found {} instead", quote_rune(rune, false));
        Err(if rune == '\n' { self.wrong_before(message) } else { self.wrong(message) })
    }

    fn truth(&mut self) -> Result<Item, Fault> {
        let from = self.at;
        while self.next()?.is_alphabetic() {}
        self.back();
        let word = String::from_utf8_lossy(&self.text[from..self.at]).into_owned();
        match word.as_str() {
            "true" | "false" => Ok(Item { kind: Kind::Bool, text: word, line: self.line }),
            _ => Err(self.wrong(format!("expected value but found {} instead", quote(&word)))),
        }
    }

    /// After `"`.
    fn string(&mut self) -> Result<Item, Fault> {
        let mut kind = Kind::Plain;
        loop {
            match self.next()? {
                END => return Err(self.wrong("unexpected EOF; expected '\"'")),
                '\n' | '\r' => return Err(self.wrong_before("strings cannot contain newlines")),
                '\\' => {
                    kind = Kind::Escaped;
                    self.escape()?;
                }
                '"' => return Ok(self.closed(kind, 1)),
                _ => {}
            }
        }
    }

    /// After `'`.
    fn plain_string(&mut self) -> Result<Item, Fault> {
        loop {
            match self.next()? {
                END => return Err(self.wrong("unexpected EOF; expected \"'\"")),
                '\n' | '\r' => return Err(self.wrong_before("strings cannot contain newlines")),
                '\'' => return Ok(self.closed(Kind::Plain, 1)),
                _ => {}
            }
        }
    }

    fn closed(&self, kind: Kind, marks: usize) -> Item {
        let text = String::from_utf8_lossy(&self.text[self.start..self.at - marks]).into_owned();
        Item { kind, text, line: self.line }
    }

    /// After three marks. Up to two more may stand before the last three.
    fn lines(&mut self, mark: char) -> Result<Item, Fault> {
        let marks = mark.to_string().repeat(6);
        loop {
            match self.next()? {
                END if mark == '"' => return Err(self.wrong("unexpected EOF; expected '\"\"\"'")),
                END => return Err(self.wrong("unexpected EOF; expected \"'''\"")),
                '\\' if mark == '"' && !is_newline(self.peek()?) => self.escape()?,
                rune if rune == mark && self.accept(mark)? => {
                    if !self.accept(mark)? {
                        self.back();
                        continue;
                    }
                    if self.peek()? != mark {
                        return Ok(self.closed(if mark == '"' { Kind::Lines } else { Kind::PlainLines }, 3));
                    }
                    let escaped = mark == '"' && self.current().ends_with(b"\\\"\"\"\"\"");
                    if self.current().ends_with(&marks.as_bytes()[..5]) && !escaped {
                        let shown = if mark == '"' { format!("'{marks}'") } else { format!("\"{marks}\"") };
                        return Err(self.wrong(format!("unexpected {shown}")));
                    }
                    self.back();
                    self.back();
                }
                _ => {}
            }
        }
    }

    /// After a backslash.
    fn escape(&mut self) -> Result<(), Fault> {
        let rune = self.next()?;
        let (count, word) = match rune {
            'e' | 'b' | 't' | 'n' | 'f' | 'r' | '"' | ' ' | '\t' | '\\' => return Ok(()),
            'x' => (2, "two"),
            'u' => (4, "four"),
            'U' => (8, "eight"),
            _ => {
                let message = format!("invalid escape in string '\\{rune}'");
                return Err(if self.ended { self.wrong_before(message) } else { self.wrong(message) });
            }
        };
        for _ in 0..count {
            if !self.next()?.is_ascii_hexdigit() {
                let found = quote(&self.current_text());
                return Err(self.wrong(format!("expected {word} hexadecimal digits after '\\{rune}', but got {found} instead")));
            }
        }
        Ok(())
    }

    fn number_or_time(&mut self, first: char) -> Result<Item, Fault> {
        let mut rune = self.next()?;
        if first == '0' {
            let base = match rune {
                'b' => Some((2, "a binary")),
                'o' => Some((8, "an octal")),
                'x' => Some((16, "a hexadecimal")),
                _ => None,
            };
            if let Some((radix, name)) = base {
                let found = self.peek()?;
                if !found.is_digit(radix) {
                    return Err(self.wrong(format!("not {name} number: '{}{found}'", self.current_text())));
                }
                return self.taken(Kind::Integer, |rune| rune.is_digit(radix) || rune == '_');
            }
        }
        // No time begins with a zero and a mark.
        if first == '0' && matches!(rune, '-' | ':') {
            self.back();
            return Ok(self.item(Kind::Integer));
        }
        while rune.is_ascii_digit() {
            rune = self.next()?;
        }
        match rune {
            '-' | ':' => {
                let mut item = self.taken(Kind::Time, |rune| {
                    rune.is_ascii_digit() || matches!(rune, '-' | ':' | 'T' | 't' | ' ' | '.' | 'Z' | 'z' | '+')
                })?;
                item.text = item.text.trim().to_owned();
                Ok(item)
            }
            '_' => self.decimal(),
            '.' | 'e' | 'E' => self.float(),
            _ => {
                self.back();
                Ok(self.item(Kind::Integer))
            }
        }
    }

    fn taken(&mut self, kind: Kind, takes: impl Fn(char) -> bool) -> Result<Item, Fault> {
        while takes(self.next()?) {}
        self.back();
        Ok(self.item(kind))
    }

    fn float(&mut self) -> Result<Item, Fault> {
        self.taken(Kind::Float, |rune| rune.is_ascii_digit() || matches!(rune, '_' | '.' | '-' | '+' | 'e' | 'E'))
    }

    fn decimal(&mut self) -> Result<Item, Fault> {
        loop {
            match self.next()? {
                '0'..='9' | '_' => {}
                '.' | 'e' | 'E' => return self.float(),
                _ => {
                    self.back();
                    return Ok(self.item(Kind::Integer));
                }
            }
        }
    }

    /// After a sign.
    fn signed(&mut self) -> Result<Item, Fault> {
        let rune = self.next()?;
        match rune {
            'i' | 'n' => {
                let (second, third) = if rune == 'i' { ('n', 'f') } else { ('a', 'n') };
                if !self.accept(second)? || !self.accept(third)? {
                    return Err(self.wrong(format!("invalid float: '{}'", self.current_text())));
                }
                Ok(self.item(Kind::Float))
            }
            '.' => Err(self.wrong("floats must start with a digit, not '.'")),
            '0'..='9' => {
                if rune == '0' && matches!(self.peek()?, 'b' | 'o' | 'x') {
                    let base = self.peek()?;
                    return Err(self.wrong(format!("cannot use sign with non-decimal numbers: '{}{base}'", self.current_text())));
                }
                self.decimal()
            }
            _ => Err(self.wrong(format!("expected a digit but got {}", quote_rune(rune, false)))),
        }
    }
}
