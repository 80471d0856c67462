//! Scalars: plain, quoted, and in blocks.

use std::borrow::Cow;

use super::scan::Scanner;
use super::token::{Kind, Problem, Style};

type Result<T = (), E = Problem> = std::result::Result<T, E>;

/// Line breaks within a scalar, until it is known what they become.
#[derive(Default)]
struct Breaks {
    leading: String,
    trailing: String,
    /// Blanks within a line: where they begin and end in the text.
    blanks: (usize, usize),
    seen: bool,
}

/// A scalar while it is read: a piece of the text as long as what was read is one, its own text from the first break or escape on.
struct Piece<'a> {
    text: Cow<'a, str>,
    /// Where the piece ends in the text.
    end: usize,
}

impl<'a> Scanner<'a> {
    fn piece(&self) -> Piece<'a> {
        Piece { text: Cow::Borrowed(""), end: self.text.at() }
    }

    /// Puts what stands between two places to the scalar.
    fn extend(&self, piece: &mut Piece<'a>, (start, end): (usize, usize)) {
        match &mut piece.text {
            Cow::Borrowed(text) if text.is_empty() || piece.end == start => {
                *text = self.text.slice(if text.is_empty() { start } else { start - text.len() }, end);
            }
            text => text.to_mut().push_str(self.text.slice(start, end)),
        }
        piece.end = end;
    }

    /// Puts blanks and breaks to the scalar: one break is a space, more are one less.
    fn fold(&self, breaks: &mut Breaks, piece: &mut Piece<'a>) {
        if breaks.seen {
            let out = piece.text.to_mut();
            if breaks.leading.starts_with('\n') {
                out.push_str(if breaks.trailing.is_empty() { " " } else { &breaks.trailing });
            } else {
                out.push_str(&breaks.leading);
                out.push_str(&breaks.trailing);
            }
            breaks.leading.clear();
            breaks.trailing.clear();
        } else {
            let (start, end) = std::mem::take(&mut breaks.blanks);
            if start < end {
                self.extend(piece, (start, end));
            }
        }
    }

    /// Takes blanks and breaks between the parts of a flow scalar.
    fn take_blank(&mut self, breaks: &mut Breaks) {
        if self.text.is_blank(0) {
            let start = self.text.at();
            if self.text.peek(0) == b' ' {
                self.text.skip_spaces();
            } else {
                self.text.skip();
            }
            if !breaks.seen {
                let (begin, end) = breaks.blanks;
                breaks.blanks = (if begin == end { start } else { begin }, self.text.at());
            }
        } else if breaks.seen {
            self.text.read_line(&mut breaks.trailing);
        } else {
            breaks.blanks = (0, 0);
            self.text.read_line(&mut breaks.leading);
            breaks.seen = true;
        }
    }

    /// The scalar, and whether line breaks follow it.
    pub(super) fn scan_plain_scalar(&mut self) -> Result<(Kind<'a>, bool)> {
        let mut piece = self.piece();
        let mut breaks = Breaks::default();
        let indent = self.indent + 1;
        loop {
            if self.text.at_document_indicator() || self.text.peek(0) == b'#' {
                break;
            }
            while !self.text.is_blank_or_end(0) {
                let byte = self.text.peek(0);
                let stops = byte == b':' && self.text.is_blank_or_end(1)
                    || self.flow_level > 0 && matches!(byte, b',' | b'?' | b'[' | b']' | b'{' | b'}');
                if stops {
                    break;
                }
                if breaks.seen || breaks.blanks.0 != breaks.blanks.1 {
                    self.fold(&mut breaks, &mut piece);
                    breaks.seen = false;
                }
                let start = self.text.at();
                self.text.skip_run(|byte| matches!(byte, b':' | b',' | b'?' | b'[' | b']' | b'{' | b'}'));
                self.extend(&mut piece, (start, self.text.at()));
            }
            if !(self.text.is_blank(0) || self.text.is_break(0)) {
                break;
            }
            while self.text.is_blank(0) || self.text.is_break(0) {
                if breaks.seen && self.column() < indent && self.text.peek(0) == b'\t' {
                    return Err(self.problem("found a tab character that violates indentation"));
                }
                self.take_blank(&mut breaks);
            }
            if self.flow_level == 0 && self.column() < indent {
                break;
            }
        }
        Ok((Kind::Scalar(piece.text, Style::Plain), breaks.seen))
    }

    fn column(&self) -> isize {
        isize::try_from(self.text.mark.column).unwrap_or(isize::MAX)
    }

    pub(super) fn scan_flow_scalar(&mut self, single: bool) -> Result<Kind<'a>> {
        let mark = if single { b'\'' } else { b'"' };
        self.text.skip();
        let mut piece = self.piece();
        let mut breaks = Breaks::default();
        loop {
            if self.text.at_document_indicator() {
                return Err(self.problem("found unexpected document indicator"));
            }
            if self.text.is_end(0) {
                return Err(self.problem("found unexpected end of stream"));
            }
            breaks.seen = false;
            while !self.text.is_blank_or_end(0) {
                if single && self.text.starts_with("''") {
                    piece.text.to_mut().push('\'');
                    self.text.skip();
                    self.text.skip();
                } else if self.text.peek(0) == mark {
                    break;
                } else if !single && self.text.peek(0) == b'\\' {
                    if self.text.is_break(1) {
                        self.text.skip();
                        self.text.skip_line();
                        breaks.seen = true;
                        break;
                    }
                    self.scan_escape(piece.text.to_mut())?;
                } else {
                    let start = self.text.at();
                    self.text.skip_run(|byte| matches!(byte, b'\'' | b'"' | b'\\'));
                    self.extend(&mut piece, (start, self.text.at()));
                }
            }
            if self.text.peek(0) == mark {
                break;
            }
            while self.text.is_blank(0) || self.text.is_break(0) {
                self.take_blank(&mut breaks);
            }
            self.fold(&mut breaks, &mut piece);
        }
        self.text.skip();
        Ok(Kind::Scalar(piece.text, Style::Quoted))
    }

    fn scan_escape(&mut self, out: &mut String) -> Result {
        let letter = self.text.peek(1);
        let rune = match letter {
            b'0' => '\0',
            b'a' => '\x07',
            b'b' => '\x08',
            b't' | b'\t' => '\t',
            b'n' => '\n',
            b'v' => '\x0b',
            b'f' => '\x0c',
            b'r' => '\r',
            b'e' => '\x1b',
            b' ' | b'"' | b'\'' | b'\\' => char::from(letter),
            b'N' => '\u{85}',
            b'_' => '\u{a0}',
            b'L' => '\u{2028}',
            b'P' => '\u{2029}',
            b'x' => return self.scan_code(2, out),
            b'u' => return self.scan_code(4, out),
            b'U' => return self.scan_code(8, out),
            _ => return Err(self.problem("found unknown escape character")),
        };
        out.push(rune);
        self.text.skip();
        self.text.skip();
        Ok(())
    }

    fn scan_code(&mut self, length: usize, out: &mut String) -> Result {
        self.text.skip();
        self.text.skip();
        let mut code: u32 = 0;
        for ahead in 0..length {
            match char::from(self.text.peek(ahead)).to_digit(16) {
                Some(digit) => code = code.wrapping_mul(16).wrapping_add(digit),
                None => return Err(self.problem("did not find expected hexdecimal number")),
            }
        }
        let Some(rune) = char::from_u32(code) else {
            return Err(self.problem("found invalid Unicode character escape code"));
        };
        out.push(rune);
        (0..length).for_each(|_| self.text.skip());
        Ok(())
    }

    pub(super) fn scan_block_scalar(&mut self, literal: bool) -> Result<Kind<'a>> {
        self.text.skip();
        let (chomping, increment) = self.block_header()?;
        let mut indent = match (increment, usize::try_from(self.indent)) {
            (0, _) => 0,
            (increment, Ok(indent)) => indent + increment,
            (increment, Err(_)) => increment,
        };
        let (mut out, mut leading, mut trailing) = (String::new(), String::new(), String::new());
        self.block_breaks(&mut indent, &mut trailing)?;
        let mut leading_blank = false;
        while self.text.mark.column == indent && !self.text.is_end(0) {
            let trailing_blank = self.text.is_blank(0);
            if !literal && !leading_blank && !trailing_blank && leading.starts_with('\n') {
                if trailing.is_empty() {
                    out.push(' ');
                }
            } else {
                out.push_str(&leading);
            }
            leading.clear();
            out.push_str(&trailing);
            trailing.clear();
            leading_blank = self.text.is_blank(0);
            self.text.read_to_break(&mut out);
            if !self.text.is_end(0) {
                self.text.read_line(&mut leading);
            }
            self.block_breaks(&mut indent, &mut trailing)?;
        }
        if chomping != Some(false) {
            out.push_str(&leading);
        }
        if chomping == Some(true) {
            out.push_str(&trailing);
        }
        Ok(Kind::Scalar(Cow::Owned(out), Style::Block))
    }

    /// What follows the bar: whether line breaks at the end are kept (`+`) or dropped (`-`), and the indentation given, or 0.
    fn block_header(&mut self) -> Result<(Option<bool>, usize)> {
        let (mut chomping, mut increment) = (None, 0);
        for _ in 0..2 {
            match self.text.peek(0) {
                sign @ (b'+' | b'-') if chomping.is_none() => chomping = Some(sign == b'+'),
                b'0' if increment == 0 => return Err(self.problem("found an indentation indicator equal to 0")),
                digit @ b'1'..=b'9' if increment == 0 => increment = usize::from(digit - b'0'),
                _ => break,
            }
            self.text.skip();
        }
        while self.text.is_blank(0) {
            self.text.skip();
        }
        self.skip_comment();
        if !self.text.is_break_or_end(0) {
            return Err(self.problem("did not find expected comment or line break"));
        }
        if self.text.is_break(0) {
            self.text.skip_line();
        }
        Ok((chomping, increment))
    }

    /// Takes indentation and empty lines; finds the indentation where it is not known yet.
    fn block_breaks(&mut self, indent: &mut usize, breaks: &mut String) -> Result {
        let mut widest = 0;
        loop {
            while (*indent == 0 || self.text.mark.column < *indent) && self.text.peek(0) == b' ' {
                self.text.skip();
            }
            widest = widest.max(self.text.mark.column);
            if (*indent == 0 || self.text.mark.column < *indent) && self.text.peek(0) == b'\t' {
                return Err(self.problem("found a tab character where an indentation space is expected"));
            }
            if !self.text.is_break(0) {
                break;
            }
            self.text.read_line(breaks);
        }
        if *indent == 0 {
            *indent = widest.max(usize::try_from(self.indent + 1).unwrap_or(0)).max(1);
        }
        Ok(())
    }
}
