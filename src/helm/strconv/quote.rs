//! Quoted strings: `strconv.Quote` and `Unquote`.

use std::fmt::Write as _;

/// The first rune of the bytes and its length: U+FFFD and 1 where they are no UTF-8, as `utf8.DecodeRune`. Length 0 at the end.
#[must_use]
pub fn decode_rune(bytes: &[u8]) -> (char, usize) {
    let Some(&first) = bytes.first() else { return (char::REPLACEMENT_CHARACTER, 0) };
    if first < 0x80 {
        return (char::from(first), 1);
    }
    let length = match first {
        0xC2..=0xDF => 2,
        0xE0..=0xEF => 3,
        0xF0..=0xF4 => 4,
        _ => return (char::REPLACEMENT_CHARACTER, 1),
    };
    bytes
        .get(..length)
        .and_then(|part| std::str::from_utf8(part).ok())
        .and_then(|text| text.chars().next())
        .map_or((char::REPLACEMENT_CHARACTER, 1), |rune| (rune, length))
}

/// `strconv.IsPrint`: letters, marks, numbers, punctuation, symbols and the ASCII space.
#[must_use]
pub fn is_print(rune: char) -> bool {
    if rune.is_ascii() {
        return (' '..='~').contains(&rune);
    }
    // What Rust's own Debug escapes are the same classes: controls, separators, unassigned and private code points; besides these it
    // escapes combining marks at a start only, which `escape_debug` of a single char does, too.
    if rune == '\u{ad}' {
        return false;
    }
    let escaped = rune.escape_debug().next() == Some('\\');
    !escaped || is_mark(rune)
}

/// Combining marks (category M), which Rust escapes when they stand alone, and Go prints.
fn is_mark(rune: char) -> bool {
    matches!(u32::from(rune), 0x300..=0x36F | 0x483..=0x489 | 0x591..=0x5C7 | 0x610..=0x61A | 0x64B..=0x65F | 0x900..=0xDFF
        | 0xE31..=0xE4E | 0x1AB0..=0x1AFF | 0x1DC0..=0x1DFF | 0x20D0..=0x20F0 | 0x302A..=0x302F | 0x3099..=0x309A | 0xFE00..=0xFE0F | 0xFE20..=0xFE2F
        | 0xE0100..=0xE01EF)
}

/// `strconv.Quote` of a text.
#[must_use]
pub fn quote(text: &str) -> String {
    quote_bytes(text.as_bytes())
}

/// `strconv.Quote` of bytes that need not be UTF-8.
#[must_use]
pub fn quote_bytes(bytes: &[u8]) -> String {
    quote_with(bytes, '"', false)
}

/// `strconv.QuoteRune`; with `ascii` as `QuoteRuneToASCII`.
#[must_use]
pub fn quote_rune(rune: char, ascii: bool) -> String {
    let mut buffer = [0; 4];
    quote_with(rune.encode_utf8(&mut buffer).as_bytes(), '\'', ascii)
}

/// `strconv.appendQuotedWith`.
pub(crate) fn quote_with(mut bytes: &[u8], mark: char, ascii: bool) -> String {
    let mut out = String::with_capacity(bytes.len() + 2);
    out.push(mark);
    while !bytes.is_empty() {
        let (rune, length) = decode_rune(bytes);
        if rune == char::REPLACEMENT_CHARACTER && length == 1 {
            let _ = write!(out, "\\x{:02x}", bytes[0]);
        } else {
            escape(&mut out, rune, mark, ascii);
        }
        bytes = &bytes[length..];
    }
    out.push(mark);
    out
}

fn escape(out: &mut String, rune: char, mark: char, ascii: bool) {
    if rune == mark || rune == '\\' {
        out.push('\\');
        out.push(rune);
        return;
    }
    if is_print(rune) && (!ascii || rune.is_ascii()) {
        out.push(rune);
        return;
    }
    let known = match rune {
        '\x07' => "\\a",
        '\x08' => "\\b",
        '\x0c' => "\\f",
        '\n' => "\\n",
        '\r' => "\\r",
        '\t' => "\\t",
        '\x0b' => "\\v",
        _ => "",
    };
    let code = u32::from(rune);
    if !known.is_empty() {
        out.push_str(known);
    } else if rune < ' ' || rune == '\x7f' {
        let _ = write!(out, "\\x{code:02x}");
    } else if code < 0x10000 {
        let _ = write!(out, "\\u{code:04x}");
    } else {
        let _ = write!(out, "\\U{code:08x}");
    }
}

/// `strconv.Unquote` of a Go literal in double quotes or backquotes; `None` is Go's "invalid syntax".
#[must_use]
pub fn unquote(literal: &[u8]) -> Option<Vec<u8>> {
    let (&mark, rest) = literal.split_first()?;
    let (&last, inner) = rest.split_last()?;
    if mark != last {
        return None;
    }
    match mark {
        b'`' => (!inner.contains(&b'`')).then(|| inner.iter().copied().filter(|byte| *byte != b'\r').collect()),
        b'"' => {
            let mut out = Vec::with_capacity(inner.len());
            let mut at = inner;
            while !at.is_empty() {
                if at[0] == b'\n' {
                    return None;
                }
                at = unquote_char(at, mark, &mut out)?;
            }
            Some(out)
        }
        _ => None,
    }
}

/// `strconv.UnquoteChar`: decodes one character or escape, appends its bytes, and returns what remains.
pub fn unquote_char<'a>(bytes: &'a [u8], mark: u8, out: &mut Vec<u8>) -> Option<&'a [u8]> {
    let (&first, rest) = bytes.split_first()?;
    if first == mark && (mark == b'\'' || mark == b'"') {
        return None;
    }
    if first != b'\\' {
        let (_, length) = decode_rune(bytes);
        if length == 1 && first >= 0x80 {
            // Go decodes it as U+FFFD and writes that.
            push(out, char::REPLACEMENT_CHARACTER);
        } else {
            out.extend_from_slice(&bytes[..length]);
        }
        return Some(&bytes[length..]);
    }
    let (&letter, rest) = rest.split_first()?;
    match letter {
        b'a' => out.push(0x07),
        b'b' => out.push(0x08),
        b'f' => out.push(0x0c),
        b'n' => out.push(b'\n'),
        b'r' => out.push(b'\r'),
        b't' => out.push(b'\t'),
        b'v' => out.push(0x0b),
        b'\\' => out.push(b'\\'),
        b'\'' | b'"' if letter == mark => out.push(letter),
        b'x' => {
            out.push(u8::try_from(number(rest, 2, 16)?).ok()?);
            return Some(&rest[2..]);
        }
        b'u' => {
            push(out, char::from_u32(number(rest, 4, 16)?)?);
            return Some(&rest[4..]);
        }
        b'U' => {
            push(out, char::from_u32(number(rest, 8, 16)?)?);
            return Some(&rest[8..]);
        }
        b'0'..=b'7' => {
            out.push(u8::try_from(number(&bytes[1..], 3, 8)?).ok()?);
            return Some(&rest[2..]);
        }
        _ => return None,
    }
    Some(rest)
}

fn number(bytes: &[u8], length: usize, base: u32) -> Option<u32> {
    let digits = std::str::from_utf8(bytes.get(..length)?).ok()?;
    if digits.starts_with('+') {
        return None;
    }
    u32::from_str_radix(digits, base).ok()
}

fn push(out: &mut Vec<u8>, rune: char) {
    out.extend_from_slice(rune.encode_utf8(&mut [0; 4]).as_bytes());
}
