//! Runes as Go's `unicode` and `utf8` see them: one rune maps to one rune, and bytes that are no UTF-8 are U+FFFD, one each.

use std::sync::LazyLock;

use regex::Regex;

use crate::helm::strconv::decode_rune;

/// The runes of a string, each with the place where it begins.
pub(super) fn runes(bytes: &[u8]) -> impl Iterator<Item = (usize, char)> {
    let mut at = 0;
    std::iter::from_fn(move || {
        let rest = bytes.get(at..).filter(|rest| !rest.is_empty())?;
        let (rune, width) = decode_rune(rest);
        let found = (at, rune);
        at += width.max(1);
        Some(found)
    })
}

/// `strings.Map`
pub(super) fn map_runes(bytes: &[u8], mut change: impl FnMut(char) -> char) -> String {
    runes(bytes).map(|(_, rune)| change(rune)).collect()
}

/// `unicode.ToUpper`
pub(super) fn to_upper(rune: char) -> char {
    if rune.is_ascii() {
        return rune.to_ascii_uppercase();
    }
    single(rune.to_uppercase()).unwrap_or_else(|| match rune {
        // Greek letters with iota: Rust spells them out, Go has a letter for them.
        '\u{1f80}'..='\u{1faf}' if u32::from(rune) & 8 == 0 => shifted(rune, 8),
        '\u{1fb3}' | '\u{1fc3}' | '\u{1ff3}' => shifted(rune, 9),
        _ => rune,
    })
}

/// `unicode.ToLower`
pub(super) fn to_lower(rune: char) -> char {
    if rune.is_ascii() {
        return rune.to_ascii_lowercase();
    }
    single(rune.to_lowercase()).unwrap_or(if rune == '\u{130}' { 'i' } else { rune })
}

/// `unicode.ToTitle`
pub(super) fn to_title(rune: char) -> char {
    match rune {
        '\u{1c4}'..='\u{1c6}' => '\u{1c5}',
        '\u{1c7}'..='\u{1c9}' => '\u{1c8}',
        '\u{1ca}'..='\u{1cc}' => '\u{1cb}',
        '\u{1f1}'..='\u{1f3}' => '\u{1f2}',
        // Georgian has capitals, but no titles.
        '\u{10d0}'..='\u{10fa}' | '\u{10fd}'..='\u{10ff}' => rune,
        _ => to_upper(rune),
    }
}

fn single(mut letters: impl Iterator<Item = char>) -> Option<char> {
    let first = letters.next()?;
    letters.next().is_none().then_some(first)
}

fn shifted(rune: char, by: u32) -> char {
    char::from_u32(u32::from(rune) + by).unwrap_or(rune)
}

/// `unicode.IsSpace`
pub(super) fn is_space(rune: char) -> bool {
    rune.is_whitespace()
}

/// `unicode.IsNumber`
pub(super) fn is_number(rune: char) -> bool {
    rune.is_numeric()
}

/// `unicode.IsUpper`
pub(super) fn is_upper(rune: char) -> bool {
    static CLASS: LazyLock<Option<Regex>> = LazyLock::new(|| Regex::new(r"^\p{Lu}").ok());
    if rune.is_ascii() { rune.is_ascii_uppercase() } else { rune.is_uppercase() && is_in(&CLASS, rune) }
}

/// `unicode.IsLower`
pub(super) fn is_lower(rune: char) -> bool {
    static CLASS: LazyLock<Option<Regex>> = LazyLock::new(|| Regex::new(r"^\p{Ll}").ok());
    if rune.is_ascii() { rune.is_ascii_lowercase() } else { rune.is_lowercase() && is_in(&CLASS, rune) }
}

/// `unicode.IsTitle`
pub(super) fn is_title(rune: char) -> bool {
    static CLASS: LazyLock<Option<Regex>> = LazyLock::new(|| Regex::new(r"^\p{Lt}").ok());
    !rune.is_ascii() && is_in(&CLASS, rune)
}

/// `unicode.IsLetter`
pub(super) fn is_letter(rune: char) -> bool {
    static CLASS: LazyLock<Option<Regex>> = LazyLock::new(|| Regex::new(r"^\p{L}").ok());
    if rune.is_ascii() { rune.is_ascii_alphabetic() } else { rune.is_alphabetic() && is_in(&CLASS, rune) }
}

/// `unicode.IsDigit`
pub(super) fn is_digit(rune: char) -> bool {
    static CLASS: LazyLock<Option<Regex>> = LazyLock::new(|| Regex::new(r"^\p{Nd}").ok());
    if rune.is_ascii() { rune.is_ascii_digit() } else { rune.is_numeric() && is_in(&CLASS, rune) }
}

/// `unicode.IsPunct`
pub(super) fn is_punct(rune: char) -> bool {
    static CLASS: LazyLock<Option<Regex>> = LazyLock::new(|| Regex::new(r"^\p{P}").ok());
    if rune.is_ascii() {
        // What ASCII calls punctuation are symbols in part.
        rune.is_ascii_punctuation() && !matches!(rune, '$' | '+' | '<' | '=' | '>' | '^' | '`' | '|' | '~')
    } else {
        is_in(&CLASS, rune)
    }
}

fn is_in(class: &LazyLock<Option<Regex>>, rune: char) -> bool {
    class.as_ref().is_some_and(|class| class.is_match(rune.encode_utf8(&mut [0; 4])))
}
