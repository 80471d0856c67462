//! Searching and cutting Go strings, which are bytes.

use super::unicode::runes;
use super::{FuncError, Runtime};

/// `strings.Index`
pub(super) fn index(text: &[u8], wanted: &[u8]) -> Option<usize> {
    match (std::str::from_utf8(text), std::str::from_utf8(wanted)) {
        _ if wanted.is_empty() => Some(0),
        _ if wanted.len() == 1 => text.iter().position(|byte| *byte == wanted[0]),
        (Ok(text), Ok(wanted)) => text.find(wanted),
        _ => text.windows(wanted.len()).position(|window| window == wanted),
    }
}

/// The places where `wanted` stands, one after the other. An empty one stands before each rune and at the end.
fn places<'a>(text: &'a [u8], wanted: &'a [u8]) -> Box<dyn Iterator<Item = usize> + 'a> {
    if wanted.is_empty() {
        return Box::new(runes(text).map(|(at, _)| at).chain(std::iter::once(text.len())));
    }
    if let (Ok(text), Ok(wanted)) = (std::str::from_utf8(text), std::str::from_utf8(wanted)) {
        return Box::new(text.match_indices(wanted).map(|(at, _)| at));
    }
    let mut from = 0;
    Box::new(std::iter::from_fn(move || {
        let at = from + index(&text[from..], wanted)?;
        from = at + wanted.len();
        Some(at)
    }))
}

/// `strings.ReplaceAll`
pub(super) fn replace(runtime: &mut dyn Runtime, text: &[u8], old: &[u8], new: &[u8]) -> Result<Vec<u8>, FuncError> {
    let found: Vec<usize> = places(text, old).collect();
    let length = text.len().saturating_add(found.len().saturating_mul(new.len()));
    runtime.spend(length)?;
    let mut out = Vec::with_capacity(text.len());
    let mut last = 0;
    for at in found {
        out.extend_from_slice(&text[last..at]);
        out.extend_from_slice(new);
        last = at + old.len();
    }
    out.extend_from_slice(&text[last..]);
    Ok(out)
}

/// `strings.SplitN`; a negative count is no bound.
pub(super) fn split<'a>(text: &'a [u8], separator: &[u8], count: i64) -> Vec<&'a [u8]> {
    let most = usize::try_from(count).unwrap_or(usize::MAX);
    if most == 0 {
        return Vec::new();
    }
    let mut parts = Vec::new();
    let mut last = 0;
    if separator.is_empty() {
        let begins: Vec<usize> = runes(text).map(|(at, _)| at).skip(1).take(most - 1).collect();
        for at in begins {
            parts.push(&text[last..at]);
            last = at;
        }
        if !text.is_empty() {
            parts.push(&text[last..]);
        }
        return parts;
    }
    for at in places(text, separator).take(most - 1) {
        parts.push(&text[last..at]);
        last = at + separator.len();
    }
    parts.push(&text[last..]);
    parts
}

/// Cuts the runes that `cut` names from both ends; `strings.TrimFunc`.
pub(super) fn trim(text: &[u8], cut: impl Fn(char) -> bool) -> &[u8] {
    let Some((from, _)) = runes(text).find(|(_, rune)| !cut(*rune)) else { return &[] };
    let text = &text[from..];
    if let Ok(text) = std::str::from_utf8(text) {
        return text.trim_end_matches(cut).as_bytes();
    }
    let mut to = text.len();
    let mut begins: Vec<(usize, char)> = runes(text).collect();
    while let Some((at, rune)) = begins.pop() {
        if !cut(rune) {
            break;
        }
        to = at;
    }
    &text[..to]
}

/// Puts so many spaces before each line.
pub(super) fn indent(runtime: &mut dyn Runtime, spaces: i64, text: &[u8], newline_first: bool) -> Result<Vec<u8>, FuncError> {
    let pad = usize::try_from(spaces).map_err(|_| FuncError::new("strings: negative Repeat count"))?;
    let lines = text.split(|byte| *byte == b'\n').count();
    let length = lines.saturating_mul(pad).saturating_add(text.len() + 1);
    runtime.spend(length)?;
    let mut out = Vec::with_capacity(length);
    if newline_first {
        out.push(b'\n');
    }
    for (number, line) in text.split(|byte| *byte == b'\n').enumerate() {
        if number > 0 {
            out.push(b'\n');
        }
        out.resize(out.len() + pad, b' ');
        out.extend_from_slice(line);
    }
    Ok(out)
}

/// `text[from..to]` with the words of Go's panic where that can't be.
pub(super) fn slice(text: &[u8], from: Option<i64>, to: Option<i64>) -> Result<&[u8], FuncError> {
    let panic = |told: String| FuncError::new(format!("runtime error: slice bounds out of range [{told}"));
    let length = text.len();
    let end = match to {
        None => length,
        Some(to) => match usize::try_from(to) {
            Ok(end) if end <= length => end,
            Ok(end) => return Err(panic(format!(":{end}] with length {length}"))),
            Err(_) => return Err(panic(format!(":{to}]"))),
        },
    };
    let begin = match from {
        None => 0,
        Some(from) => match usize::try_from(from) {
            Ok(begin) if begin <= end => begin,
            Ok(begin) => return Err(panic(format!("{begin}:{end}]"))),
            Err(_) => return Err(panic(format!("{from}:]"))),
        },
    };
    Ok(&text[begin..end])
}
