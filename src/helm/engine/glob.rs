//! The patterns of `.Files.Glob`: github.com/gobwas/glob with `/` as separator.

use regex::bytes::Regex;

/// A compiled pattern. What can't be compiled matches everything, as in Helm.
pub(super) struct Glob(Option<Regex>);

impl Glob {
    pub(super) fn new(pattern: &str) -> Self {
        Self(translate(pattern).and_then(|pattern| Regex::new(&pattern).ok()))
    }

    pub(super) fn matches(&self, name: &[u8]) -> bool {
        self.0.as_ref().is_none_or(|regex| regex.is_match(name))
    }
}

/// The same as a regular expression.
fn translate(pattern: &str) -> Option<String> {
    let mut out = String::from("(?s-u)^(?:");
    let mut runes = pattern.chars().peekable();
    let mut depth = 0;
    while let Some(rune) = runes.next() {
        match rune {
            '*' => {
                let mut any = false;
                while runes.next_if_eq(&'*').is_some() {
                    any = true;
                }
                out.push_str(if any { ".*" } else { "[^/]*" });
            }
            '?' => out.push_str("(?u:[^/])"),
            '\\' => literal(&mut out, runes.next()?),
            '{' => {
                depth += 1;
                out.push_str("(?:");
            }
            '}' if depth > 0 => {
                depth -= 1;
                out.push(')');
            }
            ',' if depth > 0 => out.push('|'),
            '[' => class(&mut out, &mut runes)?,
            other => literal(&mut out, other),
        }
    }
    out.push_str(")$");
    (depth == 0).then_some(out)
}

fn literal(out: &mut String, rune: char) {
    out.push_str("(?u:");
    out.push_str(&regex::escape(rune.encode_utf8(&mut [0; 4])));
    out.push(')');
}

fn class(out: &mut String, runes: &mut std::iter::Peekable<std::str::Chars<'_>>) -> Option<()> {
    out.push_str("(?u:[");
    if runes.next_if_eq(&'!').is_some() {
        out.push('^');
    }
    let mut members = 0;
    loop {
        match runes.next()? {
            ']' => break,
            '\\' => member(out, runes.next()?),
            '-' if members > 0 => out.push('-'),
            other => member(out, other),
        }
        members += 1;
    }
    out.push_str("])");
    (members > 0).then_some(())
}

fn member(out: &mut String, rune: char) {
    if rune.is_ascii_punctuation() {
        out.push('\\');
    }
    out.push(rune);
}
