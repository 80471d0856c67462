//! Strings, numbers and times of TOML, from their words: the rest of `parse.go`.

use super::scan::{Fault, Item, Kind};
use crate::helm::func::{Host, toml_time};
use crate::helm::strconv::{parse_float, quote};
use crate::helm::value::{Str, Value};

/// What a word means.
pub(super) fn value(host: &mut dyn Host, item: Item) -> Result<Value, Fault> {
    Ok(match item.kind {
        Kind::Bool => Value::Bool(item.text == "true"),
        Kind::Integer => Value::int64(integer(&item)?),
        Kind::Float => Value::Float(float(&item)?),
        Kind::Time => {
            let text: String = item.text.chars().map(|rune| if matches!(rune, 't' | ' ') { 'T' } else { rune }).collect();
            let text = text.replace('z', "Z");
            toml_time::read(host, &text).ok_or_else(|| wrong(&item, format!("invalid datetime: {}", quote(&text))))?
        }
        _ => Value::Str(text(item)?),
    })
}

fn wrong(item: &Item, message: String) -> Fault {
    Fault { line: item.line, message, limit: false }
}

/// The text of a string.
pub(super) fn text(item: Item) -> Result<Str, Fault> {
    let first_line = |text: &str| text.strip_prefix('\n').or_else(|| text.strip_prefix("\r\n")).unwrap_or(text).to_owned();
    Ok(match item.kind {
        Kind::Escaped => unescaped(&item, &item.text)?.into(),
        Kind::Lines => unescaped(&item, &joined(&first_line(&item.text)))?.into(),
        Kind::PlainLines => first_line(&item.text).into(),
        _ => item.text.into(),
    })
}

/// Without the line ends that stand behind a backslash, and the spaces after them.
fn joined(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut left = text;
    while let Some(at) = left.find('\\') {
        out.push_str(&left[..at]);
        let after = &left[at + 1..];
        let rest = after.trim_start_matches([' ', '\t', '\r', '\n']);
        if after[..after.len() - rest.len()].contains('\n') {
            left = rest;
        } else {
            // Another escape: both letters stay, so that `\\` is not half of one.
            let width = 1 + usize::from(after.starts_with('\\'));
            out.push_str(&left[at..at + width]);
            left = &left[at + width..];
        }
    }
    out + left
}

fn unescaped(item: &Item, text: &str) -> Result<String, Fault> {
    let mut out = String::with_capacity(text.len());
    let mut left = text;
    while let Some(at) = left.find('\\') {
        out.push_str(&left[..at]);
        let after = &left[at + 1..];
        let Some(letter) = after.chars().next() else { break };
        left = &after[letter.len_utf8()..];
        let count = match letter {
            'x' => 2,
            'u' => 4,
            'U' => 8,
            _ => {
                out.push(match letter {
                    'b' => '\x08',
                    't' => '\t',
                    'n' => '\n',
                    'f' => '\x0c',
                    'r' => '\r',
                    'e' => '\x1b',
                    ' ' | '\t' => return Err(wrong(item, format!("invalid escape: '\\{letter}'"))),
                    other => other,
                });
                continue;
            }
        };
        // The scanner has counted the digits.
        let (digits, rest) = left.split_at_checked(count).unwrap_or((left, ""));
        let rune = u32::from_str_radix(digits, 16).ok().and_then(char::from_u32);
        out.push(rune.ok_or_else(|| wrong(item, format!("Escaped character '\\u{digits}' is not valid UTF-8.")))?);
        left = rest;
    }
    Ok(out + left)
}

fn leading_zero(text: &str) -> bool {
    let bytes = text.as_bytes();
    (bytes.len() > 1 && bytes[0] == b'0' && !matches!(bytes[1], b'b' | b'o' | b'x'))
        || (bytes.len() > 2 && matches!(bytes[0], b'-' | b'+') && bytes[1] == b'0')
}

/// Whether each underscore stands between digits.
fn underscores_right(text: &str) -> bool {
    if matches!(text, "nan" | "+nan" | "-nan" | "inf" | "+inf" | "-inf") {
        return true;
    }
    let mut digit = false;
    for rune in text.chars() {
        if rune == '_' && !digit {
            return false;
        }
        digit = rune.is_ascii_hexdigit();
    }
    digit
}

fn integer(item: &Item) -> Result<i64, Fault> {
    let shown = quote(&item.text);
    if !underscores_right(&item.text) {
        return Err(wrong(item, format!("Invalid integer {shown}: underscores must be surrounded by digits")));
    }
    if leading_zero(&item.text) {
        return Err(wrong(item, format!("Invalid integer {shown}: cannot have leading zeroes")));
    }
    let plain = item.text.replace('_', "");
    let read = match plain.get(..2) {
        Some("0x") => i64::from_str_radix(&plain[2..], 16),
        Some("0o") => i64::from_str_radix(&plain[2..], 8),
        Some("0b") => i64::from_str_radix(&plain[2..], 2),
        _ => plain.parse(),
    };
    read.map_err(|_| wrong(item, format!("{} is out of range for int64", item.text)))
}

fn float(item: &Item) -> Result<f64, Fault> {
    let shown = quote(&item.text);
    let mut parts = item.text.split(['.', 'e', 'E']).filter(|part| !part.is_empty());
    if !parts.clone().all(underscores_right) {
        return Err(wrong(item, format!("Invalid float {shown}: underscores must be surrounded by digits")));
    }
    if parts.next().is_some_and(leading_zero) {
        return Err(wrong(item, format!("Invalid float {shown}: cannot have leading zeroes")));
    }
    let mut after = item.text.split('.').skip(1);
    if !after.all(|part| part.starts_with(|letter: char| letter.is_ascii_digit())) {
        return Err(wrong(item, format!("Invalid float {shown}: '.' must be followed by one or more digits")));
    }
    let plain = item.text.replace('_', "");
    match plain.as_str() {
        "nan" | "+nan" => return Ok(f64::NAN),
        "-nan" => return Ok(-f64::NAN),
        _ => {}
    }
    parse_float(&plain).ok_or_else(|| {
        let beyond = plain.parse::<f64>().is_ok();
        wrong(item, if beyond { format!("{} is out of range for float64", item.text) } else { format!("Invalid float value: {shown}") })
    })
}
