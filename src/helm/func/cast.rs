//! Conversions to numbers, as `github.com/spf13/cast` does them for sprig: what can't be converted is zero.

use super::super::value::{Type, Value};

/// Why a text is no integer; on [`ParseIntError::Range`] Go still gives the nearest one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ParseIntError {
    /// Not an integer.
    Syntax,
    /// Too large or too small: the bound.
    Range(i64),
}

/// `strconv.ParseInt(text, base, 64)`. Base 0 reads prefixes (`0x`, `0o`, `0b`, `0`) and underscores between digits.
pub fn parse_int(text: &[u8], base: u32) -> Result<i64, ParseIntError> {
    let negative = text.starts_with(b"-");
    let digits = text.strip_prefix(b"-").or_else(|| text.strip_prefix(b"+")).unwrap_or(text);
    let mut radix = base;
    let mut rest = digits;
    if base == 0 {
        (radix, rest) = match digits {
            [b'0', b'x' | b'X', rest @ ..] if !rest.is_empty() => (16, rest),
            [b'0', b'b' | b'B', rest @ ..] if !rest.is_empty() => (2, rest),
            [b'0', b'o' | b'O', rest @ ..] | [b'0', rest @ ..] if !rest.is_empty() => (8, rest),
            rest => (10, rest),
        };
        if !underscores_separate(digits, radix) {
            return Err(ParseIntError::Syntax);
        }
    }
    if rest.is_empty() {
        return Err(ParseIntError::Syntax);
    }
    let bound = if negative { i64::MIN } else { i64::MAX };
    let mut sum: i128 = 0;
    for letter in rest {
        if *letter == b'_' && base == 0 {
            continue;
        }
        let digit = char::from(*letter).to_digit(radix).ok_or(ParseIntError::Syntax)?;
        sum = (sum * i128::from(radix) + i128::from(digit)).min(1 << 64);
    }
    i64::try_from(if negative { -sum } else { sum }).map_err(|_| ParseIntError::Range(bound))
}

/// Go's `underscoreOK`: each underscore stands between digits, or between a prefix and a digit.
fn underscores_separate(digits: &[u8], radix: u32) -> bool {
    if !digits.contains(&b'_') {
        return true;
    }
    // Underscores need a base prefix.
    let prefixed = digits.len() >= 2 && digits[0] == b'0' && digits[1].is_ascii_alphabetic();
    if radix == 10 {
        return digits.split(|b| *b == b'_').all(|part| !part.is_empty());
    }
    let body = if prefixed { &digits[2..] } else { digits };
    let body = body.strip_prefix(b"_").filter(|_| prefixed).unwrap_or(body);
    body.split(|b| *b == b'_').all(|part| !part.is_empty())
}

/// `strconv.ParseFloat(text, 64)`, or nothing where Go gives an error.
pub fn parse_float(text: &[u8]) -> Option<f64> {
    let text = std::str::from_utf8(text).ok()?;
    let unsigned = text.strip_prefix(['+', '-']).unwrap_or(text);
    if unsigned.len() > 1 && unsigned.as_bytes()[0] == b'0' && matches!(unsigned.as_bytes()[1], b'x' | b'X') {
        let number = parse_hex_float(&unsigned[2..])?;
        return Some(if text.starts_with('-') { -number } else { number });
    }
    let number: f64 = text.parse().ok()?;
    // A number out of range is an error in Go, and infinity in Rust.
    (number.is_finite() || unsigned.starts_with(|c: char| c.is_ascii_alphabetic())).then_some(number)
}

/// `1.8p3` of `0x1.8p3`; the exponent must be there.
fn parse_hex_float(text: &str) -> Option<f64> {
    if text.contains('_') && text.split('_').skip(1).any(|part| !part.starts_with(|c: char| c.is_ascii_hexdigit())) {
        return None;
    }
    let text = text.replace('_', "").to_ascii_lowercase();
    let (mantissa, exponent) = text.split_once('p')?;
    let mut exponent: i32 = exponent.parse::<i32>().ok()?.clamp(-5000, 5000);
    let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
    if whole.is_empty() && fraction.is_empty() {
        return None;
    }
    let mut bits: u128 = 0;
    let mut lost = false;
    for (index, letter) in whole.chars().chain(fraction.chars()).enumerate() {
        let digit = letter.to_digit(16)?;
        let after_point = index >= whole.len();
        if bits >> 100 == 0 {
            bits = bits * 16 + u128::from(digit);
            exponent -= if after_point { 4 } else { 0 };
        } else {
            lost |= digit != 0;
            exponent += if after_point { 0 } else { 4 };
        }
    }
    if bits == 0 {
        return Some(0.0);
    }
    // Round half to even to the bits that a float of this exponent keeps.
    let length = i32::try_from(128 - bits.leading_zeros()).ok()?;
    let top = exponent + length - 1;
    let keep = if top < -1022 { 53 - (-1022 - top) } else { 53 };
    if keep < 0 {
        return Some(0.0);
    }
    let drop = length - keep;
    if drop > 0 {
        let drop = u32::try_from(drop).ok()?;
        let rest = bits & ((1u128 << drop) - 1);
        let half = 1u128 << (drop - 1);
        bits >>= drop;
        if rest > half || (rest == half && (lost || bits & 1 == 1)) {
            bits += 1;
        }
        exponent += i32::try_from(drop).ok()?;
    }
    #[expect(clippy::cast_precision_loss, reason = "at most 53 bits are left, or fewer than were given")]
    let mut number = bits as f64;
    while exponent > 0 && number.is_finite() {
        let step = exponent.min(1000);
        number *= 2f64.powi(step);
        exponent -= step;
    }
    while exponent < 0 && number != 0.0 {
        let step = (-exponent).min(1000);
        number /= 2f64.powi(step);
        exponent += step;
    }
    number.is_finite().then_some(number)
}

/// Go's conversion of a float to an int64 on amd64: what does not fit is the smallest number.
#[expect(clippy::cast_possible_truncation, reason = "the range is checked")]
pub fn truncate(number: f64) -> i64 {
    const BOUND: f64 = 9_223_372_036_854_775_808.0;
    if (-BOUND..BOUND).contains(&number) { number as i64 } else { i64::MIN }
}

/// `cast.ToInt64` and `cast.ToInt`, which are the same on 64 bits.
pub fn to_int64(value: &Value) -> i64 {
    match value {
        Value::Bool(truth) => i64::from(*truth),
        Value::Int(_, number) => *number,
        Value::Uint(_, number) => number.cast_signed(),
        Value::Float(number) => truncate(*number),
        Value::Str(text) => parse_int(without_zero_decimals(text.as_bytes()), 0).unwrap_or(0),
        Value::Object(object) => match object.typ() {
            Type::Object("time.Weekday" | "time.Month", _) => object.number().unwrap_or(0),
            _ => 0,
        },
        Value::Nil | Value::List(_) | Value::Map(_) => 0,
    }
}

/// `cast.ToFloat64`
#[expect(clippy::cast_precision_loss, reason = "as Go converts")]
pub fn to_float64(value: &Value) -> f64 {
    match value {
        Value::Float(number) => *number,
        Value::Uint(_, number) => *number as f64,
        Value::Str(text) => parse_float(text.as_bytes()).unwrap_or(0.0),
        other => to_int64(other) as f64,
    }
}

/// `1.00` is taken for 1: cast's `trimZeroDecimal`.
fn without_zero_decimals(text: &[u8]) -> &[u8] {
    let zeros = text.iter().rev().take_while(|b| **b == b'0').count();
    let rest = &text[..text.len() - zeros];
    match rest {
        [whole @ .., b'.'] if zeros > 0 => whole,
        _ => text,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn integers_are_read_as_in_go() {
        for (text, base, expected) in [
            ("0x1F", 0, Ok(31)),
            ("010", 0, Ok(8)),
            ("010", 10, Ok(10)),
            ("1_000", 0, Ok(1000)),
            ("0x_1", 0, Ok(1)),
            ("1__0", 0, Err(ParseIntError::Syntax)),
            ("-9223372036854775808", 10, Ok(i64::MIN)),
            ("9223372036854775808", 10, Err(ParseIntError::Range(i64::MAX))),
            ("", 10, Err(ParseIntError::Syntax)),
            (" 1", 10, Err(ParseIntError::Syntax)),
        ] {
            assert_eq!(parse_int(text.as_bytes(), base), expected, "{text}");
        }
    }

    #[test]
    fn floats_are_read_as_in_go() {
        assert_eq!(parse_float(b"0x1.8p1"), Some(3.0));
        assert_eq!(parse_float(b"1e400"), None);
        assert_eq!(parse_float(b"-Inf"), Some(f64::NEG_INFINITY));
        assert_eq!(parse_float(b".5"), Some(0.5));
        assert_eq!(parse_float(b"0x1"), None);
    }
}
