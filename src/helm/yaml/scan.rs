//! The scanner: text to tokens, as `scannerc.go` of yaml/v2.

use std::collections::VecDeque;

use super::token::{Kind, Mark, Problem, Text, Token};

/// The deepest nesting that yaml/v2 allows.
const MAX_DEPTH: usize = 10_000;
/// A key that needs no question mark is on one line and not longer.
const MAX_SIMPLE_KEY: usize = 1024;

type Result<T = (), E = Problem> = std::result::Result<T, E>;

/// Where a key may have begun.
#[derive(Debug, Clone, Copy, Default)]
struct SimpleKey {
    possible: bool,
    required: bool,
    token_number: usize,
    mark: Mark,
}

pub(super) struct Scanner<'a> {
    pub(super) text: Text<'a>,
    tokens: VecDeque<Token<'a>>,
    tokens_parsed: usize,
    stream_started: bool,
    ended: bool,
    pub(super) indent: isize,
    indents: Vec<isize>,
    simple_key_allowed: bool,
    /// One for each level of flow, and one below.
    simple_keys: Vec<SimpleKey>,
    pub(super) flow_level: usize,
}

#[expect(clippy::cast_possible_wrap, reason = "columns are small")]
fn signed(column: usize) -> isize {
    column as isize
}

impl<'a> Scanner<'a> {
    pub(super) fn new(text: &'a str) -> Self {
        Self {
            text: Text::new(text),
            tokens: VecDeque::new(),
            tokens_parsed: 0,
            stream_started: false,
            ended: false,
            indent: -1,
            indents: Vec::new(),
            simple_key_allowed: false,
            simple_keys: Vec::new(),
            flow_level: 0,
        }
    }

    /// The next token, which stays.
    pub(super) fn peek(&mut self) -> Result<&Token<'a>> {
        self.fetch_more()?;
        if self.tokens.is_empty() {
            // After the end there are only ends.
            self.push(Kind::StreamEnd, self.text.mark);
        }
        Ok(&self.tokens[0])
    }

    /// Takes the next token.
    pub(super) fn take(&mut self) -> Result<Token<'a>> {
        self.peek()?;
        self.tokens_parsed += 1;
        let start = self.text.mark;
        Ok(self.tokens.pop_front().unwrap_or(Token { kind: Kind::StreamEnd, start }))
    }

    /// Passes over the token that was looked at.
    pub(super) fn skip(&mut self) {
        self.tokens.pop_front();
        self.tokens_parsed += 1;
    }

    /// Scans until the first token can no longer become a key's.
    fn fetch_more(&mut self) -> Result {
        if !self.tokens.is_empty() && !self.simple_keys.iter().any(|key| key.possible) {
            return Ok(());
        }
        loop {
            if !self.tokens.is_empty() {
                let head = self.tokens_parsed;
                let Some(place) = self.simple_keys.iter().position(|key| key.possible && key.token_number == head) else {
                    return Ok(());
                };
                if !self.is_valid(place)? {
                    return Ok(());
                }
            }
            if self.ended {
                return Ok(());
            }
            self.fetch_next()?;
        }
    }

    fn is_valid(&mut self, place: usize) -> Result<bool> {
        let key = self.simple_keys[place];
        if !key.possible {
            return Ok(false);
        }
        if key.mark.line < self.text.mark.line || key.mark.index + MAX_SIMPLE_KEY < self.text.mark.index {
            if key.required {
                return Err(self.missing_colon());
            }
            self.simple_keys[place].possible = false;
            return Ok(false);
        }
        Ok(true)
    }

    fn missing_colon(&self) -> Problem {
        self.problem("could not find expected ':'")
    }

    pub(super) fn problem(&self, words: impl Into<String>) -> Problem {
        Problem::scanner(self.text.mark, words)
    }

    fn push(&mut self, kind: Kind<'a>, start: Mark) {
        self.tokens.push_back(Token { kind, start });
    }

    fn fetch_next(&mut self) -> Result {
        if !self.stream_started {
            self.stream_started = true;
            self.simple_key_allowed = true;
            self.simple_keys.push(SimpleKey::default());
            self.push(Kind::StreamStart, self.text.mark);
            return Ok(());
        }
        self.skip_to_token();
        self.unroll(signed(self.text.mark.column));
        let (flow, blank_next) = (self.flow_level > 0, self.text.is_blank_or_end(1));
        if self.text.is_end(0) {
            return self.stream_end();
        }
        let first = self.text.peek(0);
        if self.text.mark.column == 0 && first == b'%' {
            return self.directive();
        }
        if self.text.at_document_indicator() {
            return self.document_indicator(if first == b'-' { Kind::DocumentStart } else { Kind::DocumentEnd });
        }
        match first {
            b'[' => self.flow_start(Kind::FlowSequenceStart),
            b'{' => self.flow_start(Kind::FlowMappingStart),
            b']' => self.flow_end(Kind::FlowSequenceEnd),
            b'}' => self.flow_end(Kind::FlowMappingEnd),
            b',' => self.flow_entry(),
            b'-' if blank_next => self.block_entry(),
            b'?' if flow || blank_next => self.key(),
            b':' if flow || blank_next => self.value(),
            b'*' => self.with_simple_key(|scanner| scanner.scan_anchor(true)),
            b'&' => self.with_simple_key(|scanner| scanner.scan_anchor(false)),
            b'!' => self.with_simple_key(Self::scan_tag),
            b'|' if !flow => self.block_scalar(true),
            b'>' if !flow => self.block_scalar(false),
            b'\'' => self.with_simple_key(|scanner| scanner.scan_flow_scalar(true)),
            b'"' => self.with_simple_key(|scanner| scanner.scan_flow_scalar(false)),
            _ if self.starts_plain(first) => {
                self.save_simple_key()?;
                self.simple_key_allowed = false;
                let start = self.text.mark;
                let (kind, breaks) = self.scan_plain_scalar()?;
                self.simple_key_allowed |= breaks;
                self.tokens.push_back(Token { kind, start });
                Ok(())
            }
            _ => Err(self.problem("found character that cannot start any token")),
        }
    }

    fn starts_plain(&self, first: u8) -> bool {
        let indicator = matches!(
            first,
            b'-' | b'?'
                | b':'
                | b','
                | b'['
                | b']'
                | b'{'
                | b'}'
                | b'#'
                | b'&'
                | b'*'
                | b'!'
                | b'|'
                | b'>'
                | b'\''
                | b'"'
                | b'%'
                | b'@'
                | b'`'
        );
        !(self.text.is_blank_or_end(0) || indicator)
            || (first == b'-' && !self.text.is_blank(1))
            || (self.flow_level == 0 && matches!(first, b'?' | b':') && !self.text.is_blank_or_end(1))
    }

    fn skip_to_token(&mut self) {
        loop {
            self.text.skip_spaces();
            while (self.flow_level > 0 || !self.simple_key_allowed) && self.text.peek(0) == b'\t' {
                self.text.skip();
                self.text.skip_spaces();
            }
            self.skip_comment();
            if !self.text.is_break(0) {
                return;
            }
            self.text.skip_line();
            if self.flow_level == 0 {
                self.simple_key_allowed = true;
            }
        }
    }

    pub(super) fn skip_comment(&mut self) {
        if self.text.peek(0) == b'#' {
            while !self.text.is_break_or_end(0) {
                self.text.skip();
            }
        }
    }

    fn save_simple_key(&mut self) -> Result {
        if self.simple_key_allowed {
            let required = self.flow_level == 0 && self.indent == signed(self.text.mark.column);
            let token_number = self.tokens_parsed + self.tokens.len();
            self.remove_simple_key()?;
            if let Some(last) = self.simple_keys.last_mut() {
                *last = SimpleKey { possible: true, required, token_number, mark: self.text.mark };
            }
        }
        Ok(())
    }

    fn remove_simple_key(&mut self) -> Result {
        if let Some(last) = self.simple_keys.last_mut()
            && std::mem::take(&mut last.possible)
            && last.required
        {
            return Err(self.missing_colon());
        }
        Ok(())
    }

    /// Goes one level deeper where a collection begins in block style. With a number its token goes before the key's.
    fn roll(&mut self, column: usize, number: Option<usize>, kind: Kind<'a>, mark: Mark) -> Result {
        if self.flow_level > 0 || self.indent >= signed(column) {
            return Ok(());
        }
        self.indents.push(self.indent);
        self.indent = signed(column);
        if self.indents.len() > MAX_DEPTH {
            return Err(self.problem(format!("exceeded max depth of {MAX_DEPTH}")));
        }
        let token = Token { kind, start: mark };
        match number {
            Some(number) => self.tokens.insert(number - self.tokens_parsed, token),
            None => self.tokens.push_back(token),
        }
        Ok(())
    }

    fn unroll(&mut self, column: isize) {
        if self.flow_level > 0 {
            return;
        }
        while self.indent > column {
            self.push(Kind::BlockEnd, self.text.mark);
            self.indent = self.indents.pop().unwrap_or(-1);
        }
    }

    fn stream_end(&mut self) -> Result {
        if self.text.mark.column != 0 {
            self.text.mark.column = 0;
            self.text.mark.line += 1;
        }
        self.unroll(-1);
        self.remove_simple_key()?;
        self.simple_key_allowed = false;
        self.ended = true;
        self.push(Kind::StreamEnd, self.text.mark);
        Ok(())
    }

    fn directive(&mut self) -> Result {
        self.unroll(-1);
        self.remove_simple_key()?;
        self.simple_key_allowed = false;
        let start = self.text.mark;
        let kind = self.scan_directive()?;
        self.push(kind, start);
        Ok(())
    }

    fn document_indicator(&mut self, kind: Kind<'a>) -> Result {
        self.unroll(-1);
        self.remove_simple_key()?;
        self.simple_key_allowed = false;
        let start = self.text.mark;
        (0..3).for_each(|_| self.text.skip());
        self.push(kind, start);
        Ok(())
    }

    /// One character that is a token.
    fn indicator(&mut self, kind: Kind<'a>) {
        let start = self.text.mark;
        self.text.skip();
        self.push(kind, start);
    }

    fn flow_start(&mut self, kind: Kind<'a>) -> Result {
        self.save_simple_key()?;
        self.simple_keys.push(SimpleKey::default());
        self.flow_level += 1;
        if self.flow_level > MAX_DEPTH {
            return Err(self.problem(format!("exceeded max depth of {MAX_DEPTH}")));
        }
        self.simple_key_allowed = true;
        self.indicator(kind);
        Ok(())
    }

    fn flow_end(&mut self, kind: Kind<'a>) -> Result {
        self.remove_simple_key()?;
        if self.flow_level > 0 {
            self.flow_level -= 1;
            self.simple_keys.pop();
        }
        self.simple_key_allowed = false;
        self.indicator(kind);
        Ok(())
    }

    fn flow_entry(&mut self) -> Result {
        self.remove_simple_key()?;
        self.simple_key_allowed = true;
        self.indicator(Kind::FlowEntry);
        Ok(())
    }

    /// In block style a collection may begin here only where a key may.
    fn begin_block(&mut self, kind: Kind<'a>, what: &str) -> Result {
        if self.flow_level == 0 {
            if !self.simple_key_allowed {
                return Err(self.problem(format!("{what} are not allowed in this context")));
            }
            self.roll(self.text.mark.column, None, kind, self.text.mark)?;
        }
        Ok(())
    }

    fn block_entry(&mut self) -> Result {
        self.begin_block(Kind::BlockSequenceStart, "block sequence entries")?;
        self.remove_simple_key()?;
        self.simple_key_allowed = true;
        self.indicator(Kind::BlockEntry);
        Ok(())
    }

    fn key(&mut self) -> Result {
        self.begin_block(Kind::BlockMappingStart, "mapping keys")?;
        self.remove_simple_key()?;
        self.simple_key_allowed = self.flow_level == 0;
        self.indicator(Kind::Key);
        Ok(())
    }

    fn value(&mut self) -> Result {
        let place = self.simple_keys.len().saturating_sub(1);
        if self.is_valid(place)? {
            let key = self.simple_keys[place];
            let token = Token { kind: Kind::Key, start: key.mark };
            self.tokens.insert(key.token_number - self.tokens_parsed, token);
            self.roll(key.mark.column, Some(key.token_number), Kind::BlockMappingStart, key.mark)?;
            self.simple_keys[place].possible = false;
            self.simple_key_allowed = false;
        } else {
            self.begin_block(Kind::BlockMappingStart, "mapping values")?;
            self.simple_key_allowed = self.flow_level == 0;
        }
        self.indicator(Kind::Value);
        Ok(())
    }

    /// A token that a key may begin with.
    fn with_simple_key(&mut self, scan: impl FnOnce(&mut Self) -> Result<Kind<'a>>) -> Result {
        self.save_simple_key()?;
        self.simple_key_allowed = false;
        let start = self.text.mark;
        let kind = scan(self)?;
        self.push(kind, start);
        Ok(())
    }

    fn block_scalar(&mut self, literal: bool) -> Result {
        self.remove_simple_key()?;
        self.simple_key_allowed = true;
        let start = self.text.mark;
        let kind = self.scan_block_scalar(literal)?;
        self.push(kind, start);
        Ok(())
    }
}
