//! Quantities in the form in which the server writes them (k8s.io/apimachinery: pkg/api/resource, `CanonicalizeBytes`).

/// Powers of ten by suffix.
const DECIMAL: &[(&str, i32)] = &[("n", -9), ("u", -6), ("m", -3), ("", 0), ("k", 3), ("M", 6), ("G", 9), ("T", 12), ("P", 15), ("E", 18)];
/// Powers of 1,024 by suffix.
const BINARY: &[&str] = &["Ki", "Mi", "Gi", "Ti", "Pi", "Ei"];

/// The canonical form of a quantity; none when the text isn't one. What is finer than a nano is rounded up.
pub(super) fn canonical(text: &str) -> Option<String> {
    let (negative, rest) = match text.strip_prefix('-') {
        Some(rest) => (true, rest),
        None => (false, text.strip_prefix('+').unwrap_or(text)),
    };
    let end = rest.find(|c: char| !c.is_ascii_digit() && c != '.').unwrap_or(rest.len());
    let (number, suffix) = rest.split_at(end);
    let (whole, fraction) = number.split_once('.').unwrap_or((number, ""));
    if number.len() > 40 || (whole.is_empty() && fraction.is_empty()) || fraction.contains('.') {
        return None;
    }
    let digits: i128 = format!("{whole}{fraction}").parse().ok()?;
    let scale = -i32::try_from(fraction.len()).ok()?;
    let binary = BINARY.iter().position(|name| *name == suffix);
    let nanos = if let Some(power) = binary {
        let bytes = digits.checked_mul(1024_i128.checked_pow(u32::try_from(power).ok()? + 1)?)?;
        shift(bytes, scale + 9)?
    } else if let Some((_, power)) = DECIMAL.iter().find(|(name, _)| *name == suffix) {
        shift(digits, scale + power + 9)?
    } else {
        let exponent: i32 = suffix.strip_prefix(['e', 'E'])?.parse().ok()?;
        shift(digits, scale.checked_add(exponent)?.checked_add(9)?)?
    };
    let exponent = binary.is_none() && suffix.starts_with(['e', 'E']) && suffix.len() > 1;
    let written = match binary {
        Some(_) if nanos % 1_000_000_000 == 0 && nanos >= 1024 * 1_000_000_000 => in_binary(nanos / 1_000_000_000),
        _ if exponent => in_decimal(nanos, true),
        _ => in_decimal(nanos, false),
    };
    Some(if negative && nanos != 0 { format!("-{written}") } else { written })
}

/// A number times a power of ten, rounded up where it isn't whole.
fn shift(number: i128, power: i32) -> Option<i128> {
    let factor = 10_i128.checked_pow(power.unsigned_abs())?;
    if power >= 0 { number.checked_mul(factor) } else { Some(number / factor + i128::from(number % factor != 0)) }
}

fn in_binary(mut number: i128) -> String {
    let mut power = 0;
    while number % 1024 == 0 && number != 0 && power < BINARY.len() {
        number /= 1024;
        power += 1;
    }
    format!("{number}{}", power.checked_sub(1).map_or("", |at| BINARY[at]))
}

fn in_decimal(mut nanos: i128, exponent: bool) -> String {
    if nanos == 0 {
        return "0".to_owned();
    }
    let mut at = 0;
    while nanos % 1000 == 0 && at + 1 < DECIMAL.len() {
        nanos /= 1000;
        at += 1;
    }
    let (suffix, power) = DECIMAL[at];
    if exponent && power != 0 { format!("{nanos}e{power}") } else { format!("{nanos}{suffix}") }
}

#[cfg(test)]
mod tests {
    use super::canonical;

    #[test]
    fn quantities_are_written_with_the_largest_suffix_that_leaves_a_whole_number() {
        for (given, written) in [
            ("1000m", "1"),
            ("0.5", "500m"),
            ("1.5", "1500m"),
            ("1024Mi", "1Gi"),
            ("1.5Gi", "1536Mi"),
            ("100Mi", "100Mi"),
            ("1000", "1k"),
            ("128974848", "128974848"),
            ("1e3", "1e3"),
            ("0", "0"),
            ("-1000m", "-1"),
            ("2Gi", "2Gi"),
        ] {
            assert_eq!(canonical(given).as_deref(), Some(written), "{given}");
        }
        for wrong in ["", "abc", "1..2", "1Qi", "1.2.3", "m", "1e999999999"] {
            assert_eq!(canonical(wrong), None, "{wrong}");
        }
    }
}
