//! Tokens of YAML, and the text that they are scanned from: `yamlh.go` and `yamlprivateh.go` of yaml/v2.

use std::borrow::Cow;
use std::fmt;

use super::scalar::{is_break, width};

/// A place in the text: characters from the start, lines and characters of the line, all from zero.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Mark {
    pub(super) index: usize,
    pub(super) line: usize,
    pub(super) column: usize,
}

/// How a scalar was written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Style {
    Plain,
    Quoted,
    Block,
}

/// What a token is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Kind<'a> {
    StreamStart,
    StreamEnd,
    /// The numbers of `%YAML`.
    VersionDirective(u32, u32),
    /// Handle and prefix of `%TAG`.
    TagDirective(String, String),
    DocumentStart,
    DocumentEnd,
    BlockSequenceStart,
    BlockMappingStart,
    BlockEnd,
    FlowSequenceStart,
    FlowSequenceEnd,
    FlowMappingStart,
    FlowMappingEnd,
    BlockEntry,
    FlowEntry,
    Key,
    Value,
    Alias(&'a str),
    Anchor(&'a str),
    /// Handle and suffix.
    Tag(String, String),
    Scalar(Cow<'a, str>, Style),
}

/// A token with its place.
#[derive(Debug, Clone)]
pub(super) struct Token<'a> {
    pub(super) kind: Kind<'a>,
    pub(super) start: Mark,
}

/// What is wrong with a text, and the line that yaml/v2 names: none on the first.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Problem {
    line: usize,
    words: String,
}

impl Problem {
    /// From the scanner, whose lines count from zero.
    pub(super) fn scanner(mark: Mark, words: impl Into<String>) -> Self {
        Self { line: if mark.line == 0 { 0 } else { mark.line + 1 }, words: words.into() }
    }

    /// From the parser, whose lines yaml/v2 leaves as they are; the context's where the problem's is the first.
    pub(super) fn parser(mark: Mark, context: Mark, words: impl Into<String>) -> Self {
        Self { line: if mark.line == 0 { context.line } else { mark.line }, words: words.into() }
    }
}

impl fmt::Display for Problem {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.line {
            0 => write!(out, "yaml: {}", self.words),
            line => write!(out, "yaml: line {line}: {}", self.words),
        }
    }
}

/// The text, and how far it has been read. Beyond its end there are zeros.
pub(super) struct Text<'a> {
    whole: &'a str,
    bytes: &'a [u8],
    at: usize,
    pub(super) mark: Mark,
}

impl<'a> Text<'a> {
    pub(super) fn new(text: &'a str) -> Self {
        Self { whole: text, bytes: text.as_bytes(), at: 0, mark: Mark::default() }
    }

    /// How many bytes have been read.
    pub(super) fn at(&self) -> usize {
        self.at
    }

    pub(super) fn peek(&self, ahead: usize) -> u8 {
        self.bytes.get(self.at + ahead).copied().unwrap_or(0)
    }

    pub(super) fn starts_with(&self, word: &str) -> bool {
        self.bytes[self.at.min(self.bytes.len())..].starts_with(word.as_bytes())
    }

    pub(super) fn is_end(&self, ahead: usize) -> bool {
        self.at + ahead >= self.bytes.len()
    }

    pub(super) fn is_blank(&self, ahead: usize) -> bool {
        matches!(self.peek(ahead), b' ' | b'\t')
    }

    pub(super) fn is_break(&self, ahead: usize) -> bool {
        match self.peek(ahead) {
            b'\n' | b'\r' => true,
            0xC2 | 0xE2 => is_break(self.bytes, self.at + ahead),
            _ => false,
        }
    }

    pub(super) fn is_break_or_end(&self, ahead: usize) -> bool {
        self.is_break(ahead) || self.is_end(ahead)
    }

    /// `is_blankz`: a space, tab, line break, or the end.
    pub(super) fn is_blank_or_end(&self, ahead: usize) -> bool {
        self.is_blank(ahead) || self.is_break_or_end(ahead)
    }

    /// Letters, digits, underscore and hyphen.
    pub(super) fn is_alpha(&self) -> bool {
        matches!(self.peek(0), b'0'..=b'9' | b'A'..=b'Z' | b'a'..=b'z' | b'_' | b'-')
    }

    /// Passes over one character that is no line break.
    pub(super) fn skip(&mut self) {
        if !self.is_end(0) {
            self.at += width(self.peek(0));
        }
        self.mark.index += 1;
        self.mark.column += 1;
    }

    /// Passes over spaces.
    pub(super) fn skip_spaces(&mut self) {
        let rest = self.bytes.get(self.at..).unwrap_or_default();
        let spaces = rest.iter().position(|byte| *byte != b' ').unwrap_or(rest.len());
        self.at += spaces;
        self.mark.index += spaces;
        self.mark.column += spaces;
    }

    /// Passes over a line break.
    pub(super) fn skip_line(&mut self) {
        let crlf = self.starts_with("\r\n");
        self.at += if crlf { 2 } else { width(self.peek(0)) };
        self.mark.index += if crlf { 2 } else { 1 };
        self.mark.column = 0;
        self.mark.line += 1;
    }

    /// Takes one character.
    pub(super) fn read(&mut self, into: &mut String) {
        let start = self.at;
        self.skip();
        into.push_str(self.between(start));
    }

    /// Passes over all characters up to one that may be a blank, a break, or of these; the first is passed over in any case.
    pub(super) fn skip_run(&mut self, stops: impl Fn(u8) -> bool) {
        self.skip();
        let rest = &self.bytes[self.at..];
        let more = rest.iter().position(|byte| matches!(byte, b' ' | b'\t' | b'\r' | b'\n' | 0x80..) || stops(*byte)).unwrap_or(rest.len());
        self.at += more;
        self.mark.index += more;
        self.mark.column += more;
    }

    /// Takes what is left of the line.
    pub(super) fn read_to_break(&mut self, into: &mut String) {
        while !self.is_break_or_end(0) {
            let start = self.at;
            self.skip();
            let rest = &self.bytes[self.at..];
            let more = rest.iter().position(|byte| matches!(byte, b'\r' | b'\n' | 0x80..)).unwrap_or(rest.len());
            self.at += more;
            self.mark.index += more;
            self.mark.column += more;
            into.push_str(self.between(start));
        }
    }

    /// Takes a line break: all but LS and PS as a newline.
    pub(super) fn read_line(&mut self, into: &mut String) {
        let start = self.at;
        let kept = self.peek(0) == 0xE2;
        self.skip_line();
        into.push_str(if kept { self.between(start) } else { "\n" });
    }

    fn between(&self, start: usize) -> &'a str {
        self.slice(start, self.at)
    }

    /// What stands between two places.
    pub(super) fn slice(&self, start: usize, end: usize) -> &'a str {
        self.whole.get(start..end).unwrap_or_default()
    }

    /// Whether `---` or `...` stands here at the start of a line.
    pub(super) fn at_document_indicator(&self) -> bool {
        self.mark.column == 0 && (self.starts_with("---") || self.starts_with("...")) && self.is_blank_or_end(3)
    }
}
