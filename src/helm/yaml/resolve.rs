//! What an unquoted scalar means in YAML 1.1: `resolve.go` of yaml/v2, and what differs in v3.

use crate::helm::strconv::parse_float;
use crate::helm::template::{parse_int, parse_uint};

/// What a scalar resolves to.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Scalar {
    Null,
    Bool(bool),
    Int(i64),
    Uint(u64),
    Float(f64),
    Timestamp,
    Str,
}

/// yaml/v2.
pub(super) fn resolve(text: &str) -> Scalar {
    if !may_be_more(text.as_bytes()) {
        return Scalar::Str;
    }
    match text {
        "y" | "Y" | "yes" | "Yes" | "YES" | "on" | "On" | "ON" => return Scalar::Bool(true),
        "n" | "N" | "no" | "No" | "NO" | "off" | "Off" | "OFF" => return Scalar::Bool(false),
        _ => {}
    }
    common(text, |plain| {
        if let Some(digits) = plain.strip_prefix("0b") {
            return i64::from_str_radix(digits, 2).ok().map(Scalar::Int);
        }
        plain.strip_prefix("-0b").and_then(|digits| i64::from_str_radix(&format!("-{digits}"), 2).ok()).map(Scalar::Int)
    })
}

/// Whether a text may be more than a string, to v2 or v3, which nearly none is: the longest word is `False`.
pub(super) fn may_be_more(text: &[u8]) -> bool {
    match text {
        [] | [b'.' | b'+' | b'-' | b'0'..=b'9' | b'~', ..] => true,
        [b'y' | b'Y' | b'n' | b'N' | b'o' | b'O' | b't' | b'T' | b'f' | b'F', ..] => text.len() <= 5,
        _ => false,
    }
}

/// yaml/v3: `yes` and `on` are strings, `0o7` an octal number everywhere.
pub(super) fn resolve_v3(text: &str) -> Scalar {
    common(text, |plain| {
        let (sign, digits) = plain.strip_prefix('-').map_or(("", plain), |digits| ("-", digits));
        let digits = digits.strip_prefix("0o")?;
        i64::from_str_radix(&format!("{sign}{digits}"), 8).ok().map(Scalar::Int)
    })
}

fn common(text: &str, more: impl Fn(&str) -> Option<Scalar>) -> Scalar {
    let Some(first) = text.bytes().next() else { return Scalar::Null };
    match text {
        "true" | "True" | "TRUE" => return Scalar::Bool(true),
        "false" | "False" | "FALSE" => return Scalar::Bool(false),
        "~" | "null" | "Null" | "NULL" => return Scalar::Null,
        ".nan" | ".NaN" | ".NAN" => return Scalar::Float(f64::NAN),
        ".inf" | ".Inf" | ".INF" | "+.inf" | "+.Inf" | "+.INF" => return Scalar::Float(f64::INFINITY),
        "-.inf" | "-.Inf" | "-.INF" => return Scalar::Float(f64::NEG_INFINITY),
        _ => {}
    }
    match first {
        b'.' => parse_float(text).map_or(Scalar::Str, Scalar::Float),
        b'+' | b'-' | b'0'..=b'9' => {
            if is_timestamp(text) {
                return Scalar::Timestamp;
            }
            let plain = text.replace('_', "");
            if let Some(number) = parse_int(&plain) {
                return Scalar::Int(number);
            }
            if let Some(number) = parse_uint(&plain) {
                return Scalar::Uint(number);
            }
            if is_float(&plain)
                && let Some(number) = parse_float(&plain)
            {
                return Scalar::Float(number);
            }
            more(&plain).unwrap_or(Scalar::Str)
        }
        _ => Scalar::Str,
    }
}

/// `^[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?$`
fn is_float(text: &str) -> bool {
    let text = text.strip_prefix(['-', '+']).unwrap_or(text);
    let (mantissa, exponent) = match text.find(['e', 'E']) {
        Some(at) => (&text[..at], Some(&text[at + 1..])),
        None => (text, None),
    };
    let digits = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
    let good_mantissa = match mantissa.split_once('.') {
        Some(("", fraction)) => !fraction.is_empty() && digits(fraction),
        Some((whole, fraction)) => digits(whole) && digits(fraction),
        None => !mantissa.is_empty() && digits(mantissa),
    };
    let good_exponent = exponent.is_none_or(|exponent| {
        let exponent = exponent.strip_prefix(['-', '+']).unwrap_or(exponent);
        !exponent.is_empty() && digits(exponent)
    });
    good_mantissa && good_exponent
}

/// `parseTimestamp`: a date, or a date and a time.
fn is_timestamp(text: &str) -> bool {
    let bytes = text.as_bytes();
    if bytes.len() < 8 || !bytes[..4].iter().all(u8::is_ascii_digit) || bytes[4] != b'-' {
        return false;
    }
    date_and_time(text).is_some()
}

fn date_and_time(text: &str) -> Option<()> {
    let mut scan = Scan(text);
    let year = scan.number(4, 4)?;
    scan.literal('-')?;
    let month = scan.number(1, 2)?;
    scan.literal('-')?;
    let day = scan.number(1, 2)?;
    let leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
    let days = match month {
        1 | 3 | 5 | 7 | 8 | 10 | 12 => 31,
        4 | 6 | 9 | 11 => 30,
        2 if leap => 29,
        2 => 28,
        _ => return None,
    };
    if day < 1 || day > days {
        return None;
    }
    let mark = match scan.0.chars().next() {
        None => return Some(()),
        Some(mark @ ('T' | 't' | ' ')) => mark,
        Some(_) => return None,
    };
    scan.literal(mark)?;
    let hour = scan.number(2, 2)?;
    scan.literal(':')?;
    let minute = scan.number(1, 2)?;
    scan.literal(':')?;
    let second = scan.number(1, 2)?;
    if hour > 23 || minute > 59 || second > 59 {
        return None;
    }
    if let Some(fraction) = scan.0.strip_prefix(['.', ',']) {
        let digits = fraction.bytes().take_while(u8::is_ascii_digit).count();
        if digits == 0 {
            return None;
        }
        scan.0 = &fraction[digits..];
    }
    if mark == ' ' {
        return scan.0.is_empty().then_some(());
    }
    if scan.0 == "Z" {
        return Some(());
    }
    scan.0 = scan.0.strip_prefix(['+', '-'])?;
    let hours = scan.number(2, 2)?;
    scan.literal(':')?;
    let minutes = scan.number(2, 2)?;
    (hours <= 24 && minutes <= 60 && scan.0.is_empty()).then_some(())
}

struct Scan<'a>(&'a str);

impl Scan<'_> {
    fn number(&mut self, least: usize, most: usize) -> Option<u32> {
        let digits = self.0.bytes().take(most).take_while(u8::is_ascii_digit).count();
        if digits < least {
            return None;
        }
        let (number, rest) = self.0.split_at(digits);
        self.0 = rest;
        number.parse().ok()
    }

    fn literal(&mut self, mark: char) -> Option<()> {
        self.0 = self.0.strip_prefix(mark)?;
        Some(())
    }
}
