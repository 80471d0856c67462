//! DNS names as Route 53 keeps them: lower case, with the final dot, and with everything unusual as `\ooo`.

use std::fmt::Write as _;

/// A name in Route 53's form, or nothing when it isn't a DNS name.
pub(in crate::sandbox::aws) fn normalize(name: &str) -> Option<String> {
    let mut normal = String::new();
    let mut label = 0;
    let mut bytes = name.strip_suffix('.').unwrap_or(name).bytes();
    while let Some(byte) = bytes.next() {
        let byte = if byte == b'\\' {
            let digits = [bytes.next()?, bytes.next()?, bytes.next()?];
            u8::from_str_radix(std::str::from_utf8(&digits).ok()?, 8).ok()?
        } else if byte == b'.' {
            if label == 0 {
                return None;
            }
            label = 0;
            normal.push('.');
            continue;
        } else {
            byte.to_ascii_lowercase()
        };
        label += 1;
        match byte {
            b'a'..=b'z' | b'0'..=b'9' | b'-' | b'_' => normal.push(char::from(byte)),
            b'!'..=b'~' => write!(normal, "\\{byte:03o}").ok()?,
            _ => return None,
        }
        if label > 63 {
            return None;
        }
    }
    if label == 0 || normal.len() > 254 {
        return None;
    }
    normal.push('.');
    Some(normal)
}

/// The key by which names are in Route 53's order: labels from the right. A space sorts before everything that a label can have.
pub(super) fn sort_key(name: &str) -> String {
    let labels: Vec<&str> = name.trim_end_matches('.').rsplit('.').collect();
    labels.join(" ")
}

/// Whether a name is that of a zone, or below it.
pub(super) fn within(name: &str, zone: &str) -> bool {
    name == zone || name.strip_suffix(zone).is_some_and(|rest| rest.ends_with('.'))
}

/// The name itself and those above it, from the deepest up, without the root.
pub(super) fn ancestors(name: &str) -> impl Iterator<Item = &str> {
    std::iter::successors(Some(name), |name| name.split_once('.').map(|(_, rest)| rest)).filter(|name| !name.is_empty())
}
