//! Numbers in templates: `newNumber` of `text/template/parse/node.go`.

use super::lex::Kind;
use super::node::NumberNode;
use crate::helm::strconv::{decode_rune, parse_float, quote, unquote_char};
use crate::helm::value::Str;

/// Reads a literal; the error is Go's.
pub(super) fn new_number(text: &[u8], kind: Kind) -> Result<NumberNode, String> {
    let literal = String::from_utf8_lossy(text).into_owned();
    if kind == Kind::CharConstant {
        return char_constant(text, &literal);
    }
    if kind == Kind::Complex || literal.ends_with('i') {
        return Err(format!("illegal number syntax: {}", quote(&literal)));
    }
    let mut number = NumberNode { text: Str::from(text), int: parse_int(&literal), uint: parse_uint(&literal), float: None };
    if number.int == Some(0) && number.uint.is_none() {
        number.uint = Some(0);
    }
    #[expect(clippy::cast_precision_loss, reason = "Go converts the same way")]
    if let Some(int) = number.int {
        number.float = Some(int as f64);
    } else if let Some(uint) = number.uint {
        number.float = Some(uint as f64);
    } else if let Some(float) = parse_float(&without_underscores(&literal)) {
        if !literal.contains(['.', 'e', 'E', 'p', 'P']) {
            return Err(format!("integer overflow: {}", quote(&literal)));
        }
        number.float = Some(float);
        number.int = exact_int(float);
        number.uint = number.int.and_then(|int| u64::try_from(int).ok());
    } else {
        return Err(format!("illegal number syntax: {}", quote(&literal)));
    }
    Ok(number)
}

fn char_constant(text: &[u8], literal: &str) -> Result<NumberNode, String> {
    let mut bytes = Vec::new();
    let Some(tail) = unquote_char(&text[1..], b'\'', &mut bytes) else { return Err("invalid syntax".to_owned()) };
    if tail != b"'" {
        return Err(format!("malformed character constant: {literal}"));
    }
    let code = match bytes.as_slice() {
        [byte] => u32::from(*byte),
        more => u32::from(decode_rune(more).0),
    };
    Ok(NumberNode { text: Str::from(text), int: Some(i64::from(code)), uint: Some(u64::from(code)), float: Some(f64::from(code)) })
}

/// The integer that the float is, if it is one.
#[expect(clippy::cast_possible_truncation, clippy::cast_precision_loss, clippy::float_cmp, reason = "the question is whether it is exact")]
fn exact_int(float: f64) -> Option<i64> {
    let int = float as i64;
    (int as f64 == float && int != i64::MAX).then_some(int)
}

fn without_underscores(text: &str) -> String {
    if text.to_ascii_lowercase().contains("0x") { text.replace('_', "") } else { text.to_owned() }
}

/// `strconv.ParseInt(text, 0, 64)`.
pub(crate) fn parse_int(text: &str) -> Option<i64> {
    let (negative, digits) = match text.as_bytes().first()? {
        b'-' => (true, &text[1..]),
        b'+' => (false, &text[1..]),
        _ => (false, text),
    };
    let number = i128::from(parse_uint(digits)?);
    i64::try_from(if negative { -number } else { number }).ok()
}

/// `strconv.ParseUint(text, 0, 64)`: base by prefix, underscores between digits.
pub(crate) fn parse_uint(text: &str) -> Option<u64> {
    let lower = text.to_ascii_lowercase();
    let (base, digits) = if let Some(digits) = lower.strip_prefix("0x") {
        (16, digits)
    } else if let Some(digits) = lower.strip_prefix("0b") {
        (2, digits)
    } else if let Some(digits) = lower.strip_prefix("0o") {
        (8, digits)
    } else if lower.len() > 1 && lower.starts_with('0') {
        (8, &lower[1..])
    } else {
        (10, lower.as_str())
    };
    if digits.contains('_') {
        let prefixed = base != 10;
        let well_placed = !digits.ends_with('_') && !digits.contains("__") && (prefixed || !digits.starts_with('_'));
        // Underscores are allowed only with a base prefix, but where base 0 is asked for everywhere between digits.
        if !well_placed {
            return None;
        }
    }
    let digits = digits.replace('_', "");
    if digits.is_empty() || digits.starts_with(['+', '-']) {
        return None;
    }
    u64::from_str_radix(&digits, base).ok()
}
