//! The lexer of templates: `text/template/parse/lex.go`.

use crate::helm::strconv::{decode_rune, quote_bytes};

/// What an item is; `itemType` in Go, without comments, which templates of Helm never see.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    Error,
    Bool,
    Char,
    CharConstant,
    Complex,
    Assign,
    Declare,
    Eof,
    Field,
    Identifier,
    LeftDelim,
    LeftParen,
    Number,
    Pipe,
    RawString,
    RightDelim,
    RightParen,
    Space,
    String,
    Text,
    Variable,
    Block,
    Break,
    Continue,
    Dot,
    Define,
    Else,
    End,
    If,
    Nil,
    Range,
    Template,
    With,
}

impl Kind {
    fn keyword(word: &[u8]) -> Option<Self> {
        Some(match word {
            b"." => Self::Dot,
            b"block" => Self::Block,
            b"break" => Self::Break,
            b"continue" => Self::Continue,
            b"define" => Self::Define,
            b"else" => Self::Else,
            b"end" => Self::End,
            b"if" => Self::If,
            b"range" => Self::Range,
            b"nil" => Self::Nil,
            b"template" => Self::Template,
            b"with" => Self::With,
            _ => return None,
        })
    }

    fn is_keyword(self) -> bool {
        matches!(
            self,
            Self::Block
                | Self::Break
                | Self::Continue
                | Self::Dot
                | Self::Define
                | Self::Else
                | Self::End
                | Self::If
                | Self::Nil
                | Self::Range
                | Self::Template
                | Self::With
        )
    }
}

/// A token with its place.
#[derive(Debug, Clone)]
pub(super) struct Item<'a> {
    pub(super) kind: Kind,
    pub(super) pos: usize,
    pub(super) line: usize,
    /// The text as it stands; of an error nothing.
    pub(super) val: &'a [u8],
    /// The words of an error.
    pub(super) error: String,
}

impl Item<'_> {
    /// `item.String`: how errors name it.
    pub(super) fn describe(&self) -> String {
        match self.kind {
            Kind::Eof => "EOF".to_owned(),
            Kind::Error => self.error.clone(),
            kind if kind.is_keyword() => format!("<{}>", String::from_utf8_lossy(self.val)),
            _ if self.val.len() > 10 => {
                // %.10q counts runes.
                let mut end = 0;
                for _ in 0..10 {
                    end += decode_rune(&self.val[end..]).1;
                }
                format!("{}...", quote_bytes(&self.val[..end]))
            }
            _ => quote_bytes(self.val),
        }
    }
}

/// The state of the scanner.
pub(super) struct Lexer<'a> {
    input: &'a [u8],
    pos: usize,
    start: usize,
    line: usize,
    start_line: usize,
    paren_depth: i32,
    inside_action: bool,
    failed: bool,
}

/// Go's `eof` rune.
const EOF: Option<char> = None;

impl<'a> Lexer<'a> {
    pub(super) fn new(input: &'a [u8]) -> Self {
        Self { input, pos: 0, start: 0, line: 1, start_line: 1, paren_depth: 0, inside_action: false, failed: false }
    }

    /// The next token. After an error the input counts as read to its end.
    pub(super) fn next_item(&mut self) -> Item<'a> {
        if self.failed {
            return Item { kind: Kind::Eof, pos: 0, line: self.start_line, val: b"", error: String::new() };
        }
        if self.inside_action { self.lex_inside_action() } else { self.lex_text() }
    }

    fn rest(&self) -> &'a [u8] {
        &self.input[self.pos..]
    }

    fn next(&mut self) -> Option<char> {
        let rune = self.peek()?;
        self.pos += decode_rune(self.rest()).1;
        if rune == '\n' {
            self.line += 1;
        }
        Some(rune)
    }

    fn peek(&self) -> Option<char> {
        let (rune, length) = decode_rune(self.rest());
        (length > 0).then_some(rune)
    }

    fn accept(&mut self, valid: &str) -> bool {
        let found = self.peek().is_some_and(|rune| valid.contains(rune));
        if found {
            self.next();
        }
        found
    }

    fn accept_run(&mut self, valid: &str) {
        while self.accept(valid) {}
    }

    fn this_item(&mut self, kind: Kind) -> Item<'a> {
        let item = Item { kind, pos: self.start, line: self.start_line, val: &self.input[self.start..self.pos], error: String::new() };
        self.start = self.pos;
        self.start_line = self.line;
        item
    }

    fn ignore(&mut self) {
        self.line += newlines(&self.input[self.start..self.pos]);
        self.start = self.pos;
        self.start_line = self.line;
    }

    fn error(&mut self, words: impl Into<String>) -> Item<'a> {
        self.failed = true;
        Item { kind: Kind::Error, pos: self.start, line: self.start_line, val: b"", error: words.into() }
    }

    fn lex_text(&mut self) -> Item<'a> {
        loop {
            let Some(found) = find(self.rest(), b"{{") else {
                self.pos = self.input.len();
                if self.pos > self.start {
                    self.line += newlines(&self.input[self.start..self.pos]);
                    return self.this_item(Kind::Text);
                }
                return self.this_item(Kind::Eof);
            };
            if found > 0 {
                self.pos += found;
                let trimmed =
                    if has_left_trim_marker(&self.input[self.pos + 2..]) { spaces_at_end(&self.input[self.start..self.pos]) } else { 0 };
                self.pos -= trimmed;
                self.line += newlines(&self.input[self.start..self.pos]);
                let item = self.this_item(Kind::Text);
                self.pos += trimmed;
                self.ignore();
                if !item.val.is_empty() {
                    return item;
                }
            }
            if let Some(item) = self.lex_left_delim() {
                return item;
            }
        }
    }

    /// `None` after a comment.
    fn lex_left_delim(&mut self) -> Option<Item<'a>> {
        self.pos += 2;
        let marker = if has_left_trim_marker(self.rest()) { 2 } else { 0 };
        if self.input[self.pos + marker..].starts_with(b"/*") {
            self.pos += marker;
            self.ignore();
            return self.lex_comment();
        }
        let item = self.this_item(Kind::LeftDelim);
        self.inside_action = true;
        self.pos += marker;
        self.ignore();
        self.paren_depth = 0;
        Some(item)
    }

    fn lex_comment(&mut self) -> Option<Item<'a>> {
        self.pos += 2;
        let Some(end) = find(self.rest(), b"*/") else { return Some(self.error("unclosed comment")) };
        self.pos += end + 2;
        let (delim, trim) = self.at_right_delim();
        if !delim {
            return Some(self.error("comment ends before closing delimiter"));
        }
        self.line += newlines(&self.input[self.start..self.pos]);
        self.this_item(Kind::Space);
        if trim {
            self.pos += 2;
        }
        self.pos += 2;
        if trim {
            self.pos += spaces_at_start(self.rest());
        }
        self.ignore();
        None
    }

    fn at_right_delim(&self) -> (bool, bool) {
        let rest = self.rest();
        if has_right_trim_marker(rest) && rest[2..].starts_with(b"}}") {
            return (true, true);
        }
        (rest.starts_with(b"}}"), false)
    }

    fn lex_right_delim(&mut self) -> Item<'a> {
        let (_, trim) = self.at_right_delim();
        if trim {
            self.pos += 2;
            self.ignore();
        }
        self.pos += 2;
        let item = self.this_item(Kind::RightDelim);
        if trim {
            self.pos += spaces_at_start(self.rest());
            self.ignore();
        }
        self.inside_action = false;
        item
    }

    fn lex_inside_action(&mut self) -> Item<'a> {
        if self.at_right_delim().0 {
            return if self.paren_depth == 0 { self.lex_right_delim() } else { self.error("unclosed left paren") };
        }
        if self.peek().is_some_and(is_space) {
            return self.lex_space();
        }
        let before = self.pos;
        let Some(rune) = self.next() else { return self.error("unclosed action") };
        match rune {
            '=' => self.this_item(Kind::Assign),
            ':' => {
                if self.next() == Some('=') {
                    self.this_item(Kind::Declare)
                } else {
                    self.error("expected :=")
                }
            }
            '|' => self.this_item(Kind::Pipe),
            '"' => self.lex_quote('"', Kind::String, "unterminated quoted string"),
            '\'' => self.lex_quote('\'', Kind::CharConstant, "unterminated character constant"),
            '`' => self.lex_raw_quote(),
            '$' => self.lex_field_or_variable(Kind::Variable),
            '.' if self.pos < self.input.len() && !self.input[self.pos].is_ascii_digit() => self.lex_field_or_variable(Kind::Field),
            '.' | '+' | '-' | '0'..='9' => {
                self.pos = before;
                self.lex_number()
            }
            rune if is_alpha_numeric(rune) => {
                self.pos = before;
                self.lex_identifier()
            }
            '(' => {
                self.paren_depth += 1;
                self.this_item(Kind::LeftParen)
            }
            ')' => {
                self.paren_depth -= 1;
                if self.paren_depth < 0 { self.error("unexpected right paren") } else { self.this_item(Kind::RightParen) }
            }
            ' '..='~' => self.this_item(Kind::Char),
            rune => self.error(format!("unrecognized character in action: {}", unicode(rune))),
        }
    }

    fn lex_space(&mut self) -> Item<'a> {
        let mut count = 0;
        while self.peek().is_some_and(is_space) {
            self.next();
            count += 1;
        }
        let last = &self.input[self.pos - 1..];
        if has_right_trim_marker(last) && last[2..].starts_with(b"}}") {
            // Before the space, which belongs to the delimiter.
            self.pos -= 1;
            if self.input[self.pos] == b'\n' {
                self.line -= 1;
            }
            if count == 1 {
                return self.lex_right_delim();
            }
        }
        self.this_item(Kind::Space)
    }

    fn lex_identifier(&mut self) -> Item<'a> {
        while self.peek().is_some_and(is_alpha_numeric) {
            self.next();
        }
        if !self.at_terminator() {
            return self.bad_character();
        }
        let word = &self.input[self.start..self.pos];
        let kind = match Kind::keyword(word) {
            Some(kind) => kind,
            None if word == b"true" || word == b"false" => Kind::Bool,
            None => Kind::Identifier,
        };
        self.this_item(kind)
    }

    fn lex_field_or_variable(&mut self, kind: Kind) -> Item<'a> {
        if self.at_terminator() {
            return self.this_item(if kind == Kind::Variable { kind } else { Kind::Dot });
        }
        while self.peek().is_some_and(is_alpha_numeric) {
            self.next();
        }
        if self.at_terminator() { self.this_item(kind) } else { self.bad_character() }
    }

    fn bad_character(&mut self) -> Item<'a> {
        let rune = self.peek().unwrap_or(char::REPLACEMENT_CHARACTER);
        self.error(format!("bad character {}", unicode(rune)))
    }

    fn at_terminator(&self) -> bool {
        match self.peek() {
            EOF | Some('.' | ',' | '|' | ':' | ')' | '(' | ' ' | '\t' | '\r' | '\n') => true,
            _ => self.rest().starts_with(b"}}"),
        }
    }

    fn lex_quote(&mut self, mark: char, kind: Kind, unterminated: &str) -> Item<'a> {
        loop {
            match self.next() {
                Some('\\') => {
                    if matches!(self.next(), EOF | Some('\n')) {
                        return self.error(unterminated);
                    }
                }
                EOF | Some('\n') => return self.error(unterminated),
                Some(rune) if rune == mark => return self.this_item(kind),
                Some(_) => {}
            }
        }
    }

    fn lex_raw_quote(&mut self) -> Item<'a> {
        loop {
            match self.next() {
                EOF => return self.error("unterminated raw quoted string"),
                Some('`') => return self.this_item(Kind::RawString),
                Some(_) => {}
            }
        }
    }

    fn lex_number(&mut self) -> Item<'a> {
        if !self.scan_number() {
            return self.bad_number();
        }
        if matches!(self.peek(), Some('+' | '-')) {
            if !self.scan_number() || self.input[self.pos - 1] != b'i' {
                return self.bad_number();
            }
            return self.this_item(Kind::Complex);
        }
        self.this_item(Kind::Number)
    }

    fn bad_number(&mut self) -> Item<'a> {
        let text = quote_bytes(&self.input[self.start..self.pos]);
        self.error(format!("bad number syntax: {text}"))
    }

    fn scan_number(&mut self) -> bool {
        self.accept("+-");
        let mut digits = "0123456789_";
        if self.accept("0") {
            if self.accept("xX") {
                digits = "0123456789abcdefABCDEF_";
            } else if self.accept("oO") {
                digits = "01234567_";
            } else if self.accept("bB") {
                digits = "01_";
            }
        }
        self.accept_run(digits);
        if self.accept(".") {
            self.accept_run(digits);
        }
        if digits.len() == 11 && self.accept("eE") || digits.len() == 23 && self.accept("pP") {
            self.accept("+-");
            self.accept_run("0123456789_");
        }
        self.accept("i");
        if self.peek().is_some_and(is_alpha_numeric) {
            self.next();
            return false;
        }
        true
    }
}

/// `%#U`.
fn unicode(rune: char) -> String {
    let code = u32::from(rune);
    if crate::helm::strconv::is_print(rune) { format!("U+{code:04X} '{rune}'") } else { format!("U+{code:04X}") }
}

fn is_space(rune: char) -> bool {
    matches!(rune, ' ' | '\t' | '\r' | '\n')
}

fn is_alpha_numeric(rune: char) -> bool {
    rune == '_' || rune.is_alphanumeric()
}

fn has_left_trim_marker(bytes: &[u8]) -> bool {
    matches!(bytes, [b'-', b' ' | b'\t' | b'\r' | b'\n', ..])
}

fn has_right_trim_marker(bytes: &[u8]) -> bool {
    matches!(bytes, [b' ' | b'\t' | b'\r' | b'\n', b'-', ..])
}

fn spaces_at_end(bytes: &[u8]) -> usize {
    bytes.iter().rev().take_while(|byte| is_space(char::from(**byte))).count()
}

fn spaces_at_start(bytes: &[u8]) -> usize {
    bytes.iter().take_while(|byte| is_space(char::from(**byte))).count()
}

fn newlines(bytes: &[u8]) -> usize {
    memchr::memchr_iter(b'\n', bytes).count()
}

fn find(bytes: &[u8], what: &[u8]) -> Option<usize> {
    memchr::memmem::find(bytes, what)
}
