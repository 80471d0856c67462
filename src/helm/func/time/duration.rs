//! `time.Duration`: its text form, both ways.

use crate::helm::strconv;

/// `Duration.String`: `1h15m30.918s`.
pub(in crate::helm::func) fn format(nanos: i64) -> String {
    let sign = if nanos < 0 { "-" } else { "" };
    let size = nanos.unsigned_abs();
    if size == 0 {
        return "0s".to_owned();
    }
    if size < 1_000_000_000 {
        let (unit, places, name) = match size {
            0..1_000 => (1, 0, "ns"),
            1_000..1_000_000 => (1_000, 3, "µs"),
            _ => (1_000_000, 6, "ms"),
        };
        return format!("{sign}{}{}{name}", size / unit, fraction(size % unit, places));
    }
    let (seconds, rest) = (size / 1_000_000_000, size % 1_000_000_000);
    let (hours, minutes) = (seconds / 3600, seconds / 60 % 60);
    let seconds = format!("{}{}s", seconds % 60, fraction(rest, 9));
    match (hours, minutes) {
        (0, 0) => format!("{sign}{seconds}"),
        (0, _) => format!("{sign}{minutes}m{seconds}"),
        _ => format!("{sign}{hours}h{minutes}m{seconds}"),
    }
}

fn fraction(rest: u64, places: usize) -> String {
    if rest == 0 {
        return String::new();
    }
    format!(".{}", format!("{rest:0places$}").trim_end_matches('0'))
}

/// `Duration.Round`: halves go away from zero.
pub(in crate::helm::func) fn round(nanos: i64, to: i64) -> i64 {
    let rest = nanos % to;
    if rest.abs() * 2 < to {
        return nanos - rest;
    }
    nanos.checked_add(if nanos < 0 { -to - rest } else { to - rest }).unwrap_or(if nanos < 0 { i64::MIN } else { i64::MAX })
}

/// `time.ParseDuration`: `-1.5h`, `1h15m`.
pub(in crate::helm::func) fn parse(text: &str) -> Result<i64, String> {
    let invalid = || format!("time: invalid duration {}", strconv::quote(text));
    let (negative, mut left) = match text.as_bytes().first() {
        Some(b'-') => (true, &text[1..]),
        Some(b'+') => (false, &text[1..]),
        _ => (false, text),
    };
    if left == "0" {
        return Ok(0);
    }
    if left.is_empty() {
        return Err(invalid());
    }
    let mut sum: u64 = 0;
    while !left.is_empty() {
        let (whole, rest) = digits(left);
        let (parts, rest) = match rest.strip_prefix('.') {
            Some(rest) => digits(rest),
            None => ("", rest),
        };
        if whole.is_empty() && parts.is_empty() {
            return Err(invalid());
        }
        let end = rest.find(|c: char| c == '.' || c.is_ascii_digit()).unwrap_or(rest.len());
        let (name, rest) = rest.split_at(end);
        if name.is_empty() {
            return Err(format!("time: missing unit in duration {}", strconv::quote(text)));
        }
        let unit = unit(name).ok_or_else(|| format!("time: unknown unit {} in duration {}", strconv::quote(name), strconv::quote(text)))?;
        let whole: u64 = if whole.is_empty() { 0 } else { whole.parse().map_err(|_| invalid())? };
        sum = whole
            .checked_mul(unit)
            .and_then(|part| part.checked_add(parts_of(parts, unit)))
            .and_then(|part| sum.checked_add(part))
            .unwrap_or(u64::MAX);
        if sum > 1 << 63 {
            return Err(invalid());
        }
        left = rest;
    }
    if negative {
        return Ok(0i64.wrapping_sub_unsigned(sum));
    }
    i64::try_from(sum).map_err(|_| invalid())
}

fn digits(text: &str) -> (&str, &str) {
    text.split_at(text.bytes().take_while(u8::is_ascii_digit).count())
}

fn unit(name: &str) -> Option<u64> {
    Some(match name {
        "ns" => 1,
        // U+00B5 is the micro sign, U+03BC the Greek letter.
        "us" | "\u{b5}s" | "\u{3bc}s" => 1_000,
        "ms" => 1_000_000,
        "s" => 1_000_000_000,
        "m" => 60_000_000_000,
        "h" => 3_600_000_000_000,
        _ => return None,
    })
}

/// A decimal fraction of a unit, as Go reckons it: in floating point.
#[expect(clippy::cast_precision_loss, clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "as Go reckons")]
fn parts_of(digits: &str, unit: u64) -> u64 {
    let (mut number, mut scale) = (0u64, 1f64);
    for digit in digits.bytes() {
        // What no longer fits is not looked at.
        let Some(next) = number.checked_mul(10).and_then(|n| n.checked_add(u64::from(digit - b'0'))).filter(|n| *n <= 1 << 63) else {
            break;
        };
        number = next;
        scale *= 10.0;
    }
    (number as f64 * (unit as f64 / scale)) as u64
}
