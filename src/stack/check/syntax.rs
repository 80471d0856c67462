//! The grammars of names, labels and tags. Each check says why a text fails, in words that follow the text.

/// A DNS label (RFC 1123) as Kubernetes wants it: lower case, at most 63 characters.
pub(super) fn dns_label(text: &str) -> Result<(), String> {
    dns_characters(text)?;
    if text.len() > 63 {
        return Err(format!("has {} characters; at most 63 are allowed", text.len()));
    }
    if text.contains('.') { Err("holds a `.`".to_owned()) } else { Ok(()) }
}

/// A DNS subdomain (RFC 1123) as Kubernetes wants it: at most 253 characters.
pub(super) fn dns_subdomain(text: &str) -> Result<(), String> {
    dns_characters(text)?;
    if text.len() > 253 {
        return Err(format!("has {} characters; at most 253 are allowed", text.len()));
    }
    Ok(())
}

fn dns_characters(text: &str) -> Result<(), String> {
    if let Some(c) = text.chars().find(|c| !(c.is_ascii_lowercase() || c.is_ascii_digit() || matches!(c, '-' | '.'))) {
        return Err(format!("holds {}; lower-case letters, digits and `-` are allowed", sign(c)));
    }
    let bad_end = |part: &str| part.is_empty() || part.starts_with('-') || part.ends_with('-');
    if text.split('.').any(bad_end) { Err("must begin and end with a letter or digit".to_owned()) } else { Ok(()) }
}

/// The key of a label or annotation: `name` or `prefix.example/name`.
pub(super) fn qualified_name(text: &str) -> Result<(), String> {
    let name = match text.split_once('/') {
        Some((prefix, name)) => {
            dns_subdomain(prefix).map_err(|why| format!("has a prefix that {why}"))?;
            name
        }
        None => text,
    };
    if name.is_empty() { Err("has no name".to_owned()) } else { label_value(name) }
}

/// The value of a label: empty, or up to 63 letters, digits, `-`, `_` and `.`, a letter or digit at both ends.
pub(super) fn label_value(text: &str) -> Result<(), String> {
    if text.len() > 63 {
        return Err(format!("has {} characters; at most 63 are allowed", text.len()));
    }
    if let Some(c) = text.chars().find(|c| !(c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.'))) {
        return Err(format!("holds {}; letters, digits, `-`, `_` and `.` are allowed", sign(c)));
    }
    let end = |c: char| !c.is_ascii_alphanumeric();
    if text.starts_with(end) || text.ends_with(end) { Err("must begin and end with a letter or digit".to_owned()) } else { Ok(()) }
}

/// The key of an AWS tag: 1 to 128 letters, digits, spaces and `_.:/=+-@`, not beginning with `aws:` (ACM and Secrets Manager models).
pub(super) fn tag_key(text: &str) -> Result<(), String> {
    let length = text.chars().count();
    if !(1..=128).contains(&length) {
        return Err(format!("has {length} characters; 1 to 128 are allowed"));
    }
    if text.get(..4).is_some_and(|start| start.eq_ignore_ascii_case("aws:")) {
        return Err("begins with `aws:`, which AWS keeps for itself".to_owned());
    }
    tag_characters(text)
}

/// The value of an AWS tag: up to 256 characters of those of keys.
pub(super) fn tag_value(text: &str) -> Result<(), String> {
    let length = text.chars().count();
    if length > 256 {
        return Err(format!("has {length} characters; at most 256 are allowed"));
    }
    tag_characters(text)
}

fn tag_characters(text: &str) -> Result<(), String> {
    let allowed = |c: char| c.is_alphanumeric() || c == ' ' || "_.:/=+-@".contains(c);
    match text.chars().find(|c| !allowed(*c)) {
        Some(c) => Err(format!("holds {}; letters, digits, spaces and `_.:/=+-@` are allowed", sign(c))),
        None => Ok(()),
    }
}

/// A region such as `eu-west-1` or `us-gov-east-1`.
pub(super) fn is_region(text: &str) -> bool {
    let parts: Vec<&str> = text.split('-').collect();
    let [first, middle @ .., last] = parts.as_slice() else { return false };
    let letters = |part: &&str| !part.is_empty() && part.bytes().all(|b| b.is_ascii_lowercase());
    letters(first) && (1..=2).contains(&middle.len()) && middle.iter().all(letters) && matches!(last.as_bytes(), [b'0'..=b'9'])
}

/// A duration such as `45m` or `1h30m`, in seconds.
pub(super) fn duration(text: &str) -> Option<u64> {
    let mut seconds: u64 = 0;
    let mut rest = text;
    let mut largest = u64::MAX;
    while !rest.is_empty() {
        let digits = rest.find(|c: char| !c.is_ascii_digit())?;
        let number: u64 = rest[..digits].parse().ok()?;
        let unit = match rest.as_bytes()[digits] {
            b'h' => 3600,
            b'm' => 60,
            b's' => 1,
            _ => return None,
        };
        if unit >= largest {
            return None;
        }
        largest = unit;
        seconds = seconds.checked_add(number.checked_mul(unit)?)?;
        rest = &rest[digits + 1..];
    }
    (!text.is_empty()).then_some(seconds)
}

/// A character for a message.
fn sign(c: char) -> String {
    if c == ' ' { "a space".to_owned() } else { crate::diag::shown(&c.to_string()) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_are_hours_minutes_and_seconds() {
        let cases = [
            ("45m", Some(2700)),
            ("1h30m", Some(5400)),
            ("90s", Some(90)),
            ("1h0m1s", Some(3601)),
            ("45", None),
            ("", None),
            ("m", None),
            ("5m1h", None),
            ("1m1m", None),
            ("99999999999999999999h", None),
            ("5µ", None),
        ];
        for (text, wanted) in cases {
            assert_eq!(duration(text), wanted, "{text}");
        }
    }

    #[test]
    fn regions_have_letters_and_one_digit() {
        for good in ["eu-west-1", "us-gov-east-1", "ap-southeast-5", "cn-north-1"] {
            assert!(is_region(good), "{good}");
        }
        for bad in ["", "eu", "eu-west", "eu-west-1a", "EU-WEST-1", "eu_west_1", "eu--1", "eu-west-"] {
            assert!(!is_region(bad), "{bad}");
        }
    }

    #[test]
    fn kubernetes_names_follow_rfc_1123() {
        for good in ["a", "istio-ingress", "0a"] {
            assert_eq!(dns_label(good), Ok(()), "{good}");
        }
        for bad in ["", "-a", "a-", "A", "a.b", "a_b", &"a".repeat(64)] {
            assert!(dns_label(bad).is_err(), "{bad}");
        }
        for good in ["a", "example.com/a_b.c", "istio.io/rev"] {
            assert_eq!(qualified_name(good), Ok(()), "{good}");
        }
        for bad in ["", "/a", "a/", "a/b/c", "Ex.com/a", "_a"] {
            assert!(qualified_name(bad).is_err(), "{bad}");
        }
    }
}
