//! Integers and floats with flags: `fmtInteger` and `fmtFloat` of Go's `fmt/format.go`.

use super::spec::Spec;
use crate::helm::strconv::{format_float, is_print, quote_rune};

/// Writes an integer by one of the verbs `v d b o O x X c q U`; false for another.
pub(super) fn integer(out: &mut Vec<u8>, spec: Spec, number: i128, verb: char) -> bool {
    let unsigned = number.unsigned_abs();
    let digits = match verb {
        'v' | 'd' => unsigned.to_string(),
        'b' => format!("{unsigned:b}"),
        'o' | 'O' => format!("{unsigned:o}"),
        'x' => format!("{unsigned:x}"),
        'X' => format!("{unsigned:X}"),
        'c' => {
            spec.pad(out, rune(number).encode_utf8(&mut [0; 4]).as_bytes());
            return true;
        }
        'q' => {
            spec.pad(out, quote_rune(rune(number), spec.plus).as_bytes());
            return true;
        }
        'U' => {
            let width = spec.precision.filter(|precision| *precision > 4).unwrap_or(4);
            let digits = format!("{unsigned:X}");
            let mut text = format!("U+{}{digits}", "0".repeat(width.saturating_sub(digits.len())));
            if spec.sharp && is_print(rune(number)) {
                text = format!("{text} '{}'", rune(number));
            }
            Spec { zero: false, ..spec }.pad(out, text.as_bytes());
            return true;
        }
        _ => return false,
    };
    let negative = number < 0;
    let spaces = Spec { zero: false, ..spec };
    let mut least = 0;
    if let Some(precision) = spec.precision {
        if precision == 0 && number == 0 {
            spaces.padding(out, spec.width.unwrap_or(0));
            return true;
        }
        least = precision;
    } else if let Some(width) = spec.width.filter(|_| spec.zero && !spec.minus) {
        least = width.saturating_sub(usize::from(negative || spec.plus || spec.space));
    }
    let digits = format!("{}{digits}", "0".repeat(least.saturating_sub(digits.len())));
    let sign = if negative {
        "-"
    } else if spec.plus {
        "+"
    } else if spec.space {
        " "
    } else {
        ""
    };
    let prefix = match verb {
        'b' if spec.sharp => "0b",
        'o' if spec.sharp && !digits.starts_with('0') => "0",
        'O' if spec.sharp && !digits.starts_with('0') => "0o0",
        'O' => "0o",
        'x' if spec.sharp => "0x",
        'X' if spec.sharp => "0X",
        _ => "",
    };
    spaces.pad(out, format!("{sign}{prefix}{digits}").as_bytes());
    true
}

fn rune(number: i128) -> char {
    u32::try_from(number).ok().and_then(char::from_u32).unwrap_or(char::REPLACEMENT_CHARACTER)
}

/// Writes a float by one of the verbs `v g G e E f F`; false for another.
pub(super) fn float(out: &mut Vec<u8>, spec: Spec, number: f64, verb: char) -> bool {
    let (format, default) = match verb {
        'v' | 'g' => (b'g', -1),
        'G' => (b'G', -1),
        'e' => (b'e', 6),
        'E' => (b'E', 6),
        'f' | 'F' => (b'f', 6),
        _ => return false,
    };
    let precision = spec.precision.and_then(|precision| i32::try_from(precision).ok()).unwrap_or(default);
    let mut text = format_float(number, format, precision);
    let sign = match text.chars().next() {
        Some(sign @ ('+' | '-')) => {
            text.remove(0);
            sign
        }
        _ => '+',
    };
    let sign = if spec.space && sign == '+' && !spec.plus { ' ' } else { sign };
    if number.is_nan() || number.is_infinite() {
        let shown = if number.is_nan() && !spec.space && !spec.plus || sign == '+' && !spec.plus { text } else { format!("{sign}{text}") };
        Spec { zero: false, ..spec }.pad(out, shown.as_bytes());
        return true;
    }
    if spec.sharp {
        text = with_point(&text, verb, precision);
    }
    if spec.plus || sign != '+' {
        let width = spec.width.unwrap_or(0);
        if spec.zero && !spec.minus && width > text.len() + 1 {
            out.extend_from_slice(sign.to_string().as_bytes());
            spec.padding(out, width - text.len() - 1);
            out.extend_from_slice(text.as_bytes());
        } else {
            spec.pad(out, format!("{sign}{text}").as_bytes());
        }
    } else {
        spec.pad(out, text.as_bytes());
    }
    true
}

/// What `#` does: a decimal point always, and with `%g` the trailing zeros.
fn with_point(text: &str, verb: char, precision: i32) -> String {
    let mut wanted = match verb {
        'v' | 'g' | 'G' if precision < 0 => 6,
        'v' | 'g' | 'G' => precision,
        _ => 0,
    };
    let (mantissa, tail) = match text.find(['e', 'E']) {
        Some(at) => text.split_at(at),
        None => (text, ""),
    };
    let mut nonzero = false;
    for digit in mantissa.chars().filter(char::is_ascii_digit) {
        nonzero |= digit != '0';
        wanted -= i32::from(nonzero);
    }
    let mut out = mantissa.to_owned();
    if !mantissa.contains('.') {
        if mantissa == "0" {
            wanted -= 1;
        }
        out.push('.');
    }
    out.push_str(&"0".repeat(usize::try_from(wanted).unwrap_or(0)));
    out + tail
}
