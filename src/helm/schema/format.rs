//! `format`, which drafts before 2019 assert: `format.go` of the Go package, for the formats that charts name.

use crate::helm::func::{re2, url_error};
use crate::helm::strconv::quote_rune;

/// Whether a string has the format; formats that are not known fit.
pub(super) fn check(name: &str, text: &str) -> Result<(), String> {
    match name {
        "ipv4" => ipv4(text),
        "ipv6" => ipv6(text),
        "hostname" => hostname(text),
        "email" => email(text),
        "uri" => uri(text),
        "uri-reference" => url_error(text).map_or(Ok(()), Err),
        "date" => date(text),
        "time" => time(text),
        "date-time" => date_time(text),
        "uuid" => uuid(text),
        "regex" => re2::compile(text).map(|_| ()).map_err(|error| error.to_string()),
        "json-pointer" => json_pointer(text),
        _ => Ok(()),
    }
}

fn fail<T>(words: impl Into<String>) -> Result<T, String> {
    Err(words.into())
}

fn ipv4(text: &str) -> Result<(), String> {
    let groups: Vec<&str> = text.split('.').collect();
    if groups.len() != 4 {
        return fail("expected four decimals");
    }
    for group in groups {
        if group.len() > 1 && group.starts_with('0') {
            return fail("leading zeros");
        }
        match group.parse::<i64>() {
            Ok(0..=255) => {}
            Ok(_) => return fail("decimal must be between 0 and 255"),
            Err(_) => return fail(format!("strconv.Atoi: parsing {}: invalid syntax", crate::helm::strconv::quote(group))),
        }
    }
    Ok(())
}

fn ipv6(text: &str) -> Result<(), String> {
    if !text.contains(':') {
        return fail("missing colon");
    }
    if text.contains('%') {
        return fail("zone id is not a part of ipv6 address");
    }
    match text.parse::<core::net::Ipv6Addr>() {
        Ok(_) => Ok(()),
        Err(_) => fail(format!("ParseAddr({}): unable to parse IP", crate::helm::strconv::quote(text))),
    }
}

fn hostname(text: &str) -> Result<(), String> {
    let text = text.strip_suffix('.').unwrap_or(text);
    if text.len() > 253 {
        return fail("more than 253 characters long");
    }
    for label in text.split('.') {
        if label.is_empty() || label.len() > 63 {
            return fail("label must be 1 to 63 characters long");
        }
        if label.starts_with('-') {
            return fail("label starts with hyphen");
        }
        if label.ends_with('-') {
            return fail("label ends with hyphen");
        }
        if let Some(rune) = label.chars().find(|rune| !rune.is_ascii_alphanumeric() && *rune != '-') {
            return fail(format!("invalid character {}", quote_rune(rune, false)));
        }
    }
    Ok(())
}

fn email(text: &str) -> Result<(), String> {
    if text.len() > 254 {
        return fail("more than 255 characters long");
    }
    let Some((local, domain)) = text.rsplit_once('@') else { return fail("missing @") };
    if local.len() > 64 {
        return fail("local part more than 64 characters long");
    }
    if local.len() > 1 && local.starts_with('"') && local.ends_with('"') {
        if local[1..local.len() - 1].contains(['\\', '"']) {
            return fail("backslash and quote are not allowed within quoted local part");
        }
    } else {
        if local.starts_with('.') {
            return fail("starts with dot");
        }
        if local.ends_with('.') {
            return fail("ends with dot");
        }
        if local.contains("..") {
            return fail("consecutive dots");
        }
        let known = |rune: char| rune.is_ascii_alphanumeric() || ".!#$%&'*+-/=?^_`{|}~".contains(rune);
        if let Some(rune) = local.chars().find(|rune| !known(*rune)) {
            return fail(format!("invalid character {}", quote_rune(rune, false)));
        }
    }
    if let Some(address) = domain.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')) {
        return match address.strip_prefix("IPv6:") {
            Some(address) => ipv6(address).map_err(|error| format!("invalid ipv6 address: {error}")),
            None => ipv4(address).map_err(|error| format!("invalid ipv4 address: {error}")),
        };
    }
    hostname(domain).map_err(|error| format!("invalid domain: {error}"))
}

/// An absolute URL; the complaint about one that can't be parsed is Go's for the commonest cases.
fn uri(text: &str) -> Result<(), String> {
    if text.chars().any(|rune| rune.is_ascii_control()) {
        return fail(format!("parse {}: net/url: invalid control character in URL", crate::helm::strconv::quote(text)));
    }
    let scheme = text.split_once(':').map(|(scheme, _)| scheme);
    match scheme {
        Some("") => fail(format!("parse {}: missing protocol scheme", crate::helm::strconv::quote(text))),
        Some(scheme)
            if scheme.starts_with(|rune: char| rune.is_ascii_alphabetic())
                && scheme.chars().all(|rune| rune.is_ascii_alphanumeric() || "+-.".contains(rune)) =>
        {
            Ok(())
        }
        Some(scheme) if !scheme.contains('/') => {
            fail(format!("parse {}: first path segment in URL cannot contain colon", crate::helm::strconv::quote(text)))
        }
        _ => fail("relative url"),
    }
}

fn digits(text: &str) -> Option<u32> {
    (!text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit())).then(|| text.parse().ok()).flatten()
}

fn date(text: &str) -> Result<(), String> {
    let cannot = |what: &str| {
        format!(
            "parsing time {} as \"2006-01-02\": cannot parse {} as \"2006\"",
            crate::helm::strconv::quote(text),
            crate::helm::strconv::quote(what)
        )
    };
    let parts: Vec<&str> = text.split('-').collect();
    let [year, month, day] = parts.as_slice() else { return Err(cannot(text)) };
    let (Some(year), Some(month), Some(day)) = (digits(year), digits(month), digits(day)) else { return Err(cannot(text)) };
    let leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
    let days = match month {
        2 => 28 + u32::from(leap),
        4 | 6 | 9 | 11 => 30,
        1..=12 => 31,
        _ => return fail(format!("parsing time {}: month out of range", crate::helm::strconv::quote(text))),
    };
    if text.len() != 10 {
        return Err(cannot(text));
    }
    if day < 1 || day > days {
        return fail(format!("parsing time {}: day out of range", crate::helm::strconv::quote(text)));
    }
    Ok(())
}

fn time(text: &str) -> Result<(), String> {
    if text.len() < 9 {
        return fail("less than 9 characters long");
    }
    if !text.is_ascii() || &text[2..3] != ":" || &text[5..6] != ":" {
        return fail("missing colon in correct place");
    }
    let (Some(hour), Some(minute), Some(second)) = (digits(&text[..2]), digits(&text[3..5]), digits(&text[6..8])) else {
        return fail("invalid hour/min/sec");
    };
    if hour > 23 || minute > 59 || second > 60 {
        return fail("hour/min/sec out of range");
    }
    let mut rest = &text[8..];
    if let Some(fraction) = rest.strip_prefix('.') {
        let count = fraction.bytes().take_while(u8::is_ascii_digit).count();
        if count == 0 {
            return fail("no digits in second fraction");
        }
        rest = &fraction[count..];
    }
    if rest.eq_ignore_ascii_case("z") {
        return Ok(());
    }
    if rest.len() != 6 {
        return fail("offset must be 6 characters long");
    }
    if !rest.starts_with(['+', '-']) {
        return fail("offset must begin with plus/minus");
    }
    if &rest[3..4] != ":" {
        return fail("missing colon in offset in correct place");
    }
    match (digits(&rest[1..3]), digits(&rest[4..6])) {
        (Some(0..=23), Some(0..=59)) => Ok(()),
        (Some(_), Some(_)) => fail("hour/min in offset out of range"),
        _ => fail("invalid hour/min in offset"),
    }
}

fn date_time(text: &str) -> Result<(), String> {
    if text.len() < 20 {
        return fail("less than 20 characters long");
    }
    if !text.is_ascii() || !text[10..11].eq_ignore_ascii_case("t") {
        return fail("11th character must be t or T");
    }
    date(&text[..10]).map_err(|error| format!("invalid date element: {error}"))?;
    time(&text[11..]).map_err(|error| format!("invalid time element: {error}"))
}

fn uuid(text: &str) -> Result<(), String> {
    let lengths = [8, 4, 4, 4, 12];
    let groups: Vec<&str> = text.split('-').collect();
    if groups.len() != lengths.len() {
        return fail(format!("must have {} elements", lengths.len()));
    }
    for (index, (group, length)) in groups.iter().zip(lengths).enumerate() {
        if group.len() != length {
            return fail(format!("element {} must be {length} characters long", index + 1));
        }
        if let Some(rune) = group.chars().find(|rune| !rune.is_ascii_hexdigit()) {
            return fail(format!("non-hex character {}", quote_rune(rune, false)));
        }
    }
    Ok(())
}

fn json_pointer(text: &str) -> Result<(), String> {
    if !text.is_empty() && !text.starts_with('/') {
        return fail("not starting with /");
    }
    let mut runes = text.chars().peekable();
    while let Some(rune) = runes.next() {
        if rune == '~' && !matches!(runes.peek(), Some('0' | '1')) {
            return fail("~ must be followed by 0 or 1");
        }
    }
    Ok(())
}
