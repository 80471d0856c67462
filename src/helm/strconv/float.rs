//! Floating point: `strconv.FormatFloat` and `ParseFloat`.

use std::fmt::Write as _;

/// `strconv.FormatFloat(number, format, precision, 64)` for the formats `e`, `E`, `f`, `g` and `G`; precision -1 is the shortest that
/// reads back as the same number.
#[must_use]
pub fn format_float(number: f64, format: u8, precision: i32) -> String {
    if number.is_nan() {
        return "NaN".to_owned();
    }
    if number.is_infinite() {
        return if number > 0.0 { "+Inf" } else { "-Inf" }.to_owned();
    }
    let sign = if number.is_sign_negative() { "-" } else { "" };
    let upper = format.is_ascii_uppercase();
    let text = match format.to_ascii_lowercase() {
        b'e' => exponential(&digits_exponential(number, precision), upper),
        b'f' => fixed(number, precision),
        _ => general(number, precision, upper),
    };
    format!("{sign}{text}")
}

/// No float has more decimal digits: what is asked for beyond them are zeros, which Rust's formatting would refuse to write in such numbers.
const MOST_DIGITS: i32 = 1100;

/// Decimal digits without leading zeros (one zero for zero) and the exponent of the first.
struct Digits {
    digits: String,
    exponent: i32,
}

/// The digits of `%e` with so many after the point.
fn digits_exponential(number: f64, precision: i32) -> Digits {
    let number = number.abs();
    let exact = precision.min(MOST_DIGITS);
    let text = match usize::try_from(exact) {
        Ok(precision) => format!("{number:.precision$e}"),
        Err(_) => format!("{number:e}"),
    };
    let (mantissa, exponent) = text.split_once('e').unwrap_or((&text, "0"));
    let zeros = usize::try_from(precision - exact).unwrap_or(0);
    let digits = mantissa.chars().filter(|letter| *letter != '.').chain(std::iter::repeat_n('0', zeros)).collect();
    Digits { digits, exponent: exponent.parse().unwrap_or(0) }
}

fn exponential(of: &Digits, upper: bool) -> String {
    let mut out = String::with_capacity(of.digits.len() + 6);
    out.push_str(&of.digits[..1]);
    if of.digits.len() > 1 {
        out.push('.');
        out.push_str(&of.digits[1..]);
    }
    let sign = if of.exponent < 0 { '-' } else { '+' };
    let letter = if upper { 'E' } else { 'e' };
    let _ = write!(out, "{letter}{sign}{:02}", of.exponent.unsigned_abs());
    out
}

fn fixed(number: f64, precision: i32) -> String {
    let number = number.abs();
    let exact = precision.min(MOST_DIGITS);
    match usize::try_from(exact) {
        Ok(places) => format!("{number:.places$}") + &"0".repeat(usize::try_from(precision - exact).unwrap_or(0)),
        Err(_) => format!("{number}"),
    }
}

/// `%g`: exponential for exponents below -4 and from the precision on, which for the shortest form counts as 6; trailing zeros go.
fn general(number: f64, precision: i32, upper: bool) -> String {
    let shortest = precision < 0;
    let mut of = digits_exponential(number, if shortest { -1 } else { precision.max(1) - 1 });
    let kept = of.digits.trim_end_matches('0').len().max(1);
    if !shortest {
        of.digits.truncate(kept);
    }
    let count = i32::try_from(of.digits.len()).unwrap_or(i32::MAX);
    let limit = if shortest {
        6
    } else if precision.max(1) > count && count > of.exponent {
        count
    } else {
        precision.max(1)
    };
    if of.exponent < -4 || of.exponent >= limit {
        return exponential(&of, upper);
    }
    let Ok(lead) = usize::try_from(of.exponent) else {
        let zeros = "0".repeat(usize::try_from(-of.exponent - 1).unwrap_or(0));
        return format!("0.{zeros}{}", of.digits);
    };
    if of.digits.len() <= lead + 1 {
        return format!("{}{}", of.digits, "0".repeat(lead + 1 - of.digits.len()));
    }
    format!("{}.{}", &of.digits[..=lead], &of.digits[lead + 1..])
}

/// `strconv.ParseFloat(text, 64)`: decimal and hexadecimal, underscores where the text has a base prefix, `Inf` and `NaN` in any case. `None` where
/// Go fails: syntax, or a number beyond the range.
#[must_use]
pub fn parse_float(text: &str) -> Option<f64> {
    let unsigned = text.strip_prefix(['+', '-']).unwrap_or(text);
    let lower = unsigned.to_ascii_lowercase();
    if lower == "inf" || lower == "infinity" || (lower == "nan" && unsigned == text) {
        return lower_parse(&lower, text.starts_with('-'));
    }
    if let Some(hex) = lower.strip_prefix("0x") {
        let value = parse_hex(hex)?;
        return Some(if text.starts_with('-') { -value } else { value });
    }
    let decimal = unsigned.starts_with(|letter: char| letter.is_ascii_digit() || letter == '.');
    let known = unsigned.chars().all(|letter| letter.is_ascii_digit() || matches!(letter, '.' | 'e' | 'E' | '+' | '-'));
    if !decimal || !known {
        return None;
    }
    let value: f64 = text.parse().ok()?;
    value.is_finite().then_some(value)
}

fn lower_parse(lower: &str, negative: bool) -> Option<f64> {
    let value: f64 = lower.parse().ok()?;
    Some(if negative { -value } else { value })
}

/// A hexadecimal mantissa and its binary exponent, without the prefix: `1.8p3`.
fn parse_hex(text: &str) -> Option<f64> {
    let (mantissa, exponent) = text.split_once('p')?;
    let exponent: i32 = exponent.parse().ok()?;
    let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
    if whole.is_empty() && fraction.is_empty() {
        return None;
    }
    let mut value = 0.0_f64;
    for digit in whole.chars().chain(fraction.chars()).filter(|letter| *letter != '_') {
        value = value * 16.0 + f64::from(digit.to_digit(16)?);
    }
    let places = i32::try_from(fraction.chars().filter(|letter| *letter != '_').count()).ok()?;
    let value = value * 2.0_f64.powi(exponent.saturating_sub(places.saturating_mul(4)));
    value.is_finite().then_some(value)
}
