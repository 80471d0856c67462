//! Go's syntax of regular expressions, translated to that of the `regex` crate, which searches alike (leftmost-first, linear time).
//!
//! What differs is the syntax: in Go `\d`, `\w`, `\s` and `\b` know ASCII alone, a class has no operators, `{` may be a letter, and errors
//! have words of their own. Each construct is read here as `regexp/syntax` reads it and written in a form that has one meaning.

use std::fmt::Write as _;

use regex::bytes::{Regex, RegexBuilder};

use super::FuncError;

/// The most that a compiled expression may take.
const MOST_BYTES: usize = 16 << 20;
/// Go's bound of counted repetition.
const MOST_REPEATS: u32 = 1000;

/// `regexp.Compile`
pub fn compile(pattern: &str) -> Result<Regex, FuncError> {
    let translated = Reader::new(pattern).read().map_err(|(code, part)| error(code, part))?;
    RegexBuilder::new(&translated).size_limit(MOST_BYTES).build().map_err(|told| match told {
        regex::Error::CompiledTooBig(_) => error("expression too large", pattern),
        _ if told.to_string().contains("exceeds the nest limit") => error("expression nests too deeply", pattern),
        _ => error("invalid or unsupported expression", pattern),
    })
}

fn error(code: &str, part: &str) -> FuncError {
    FuncError::new(format!("error parsing regexp: {code}: `{part}`"))
}

type Fault<'a> = (&'static str, &'a str);

#[derive(Clone, Copy, Default)]
#[expect(clippy::struct_excessive_bools, reason = "four flags that have nothing to do with each other")]
struct Flags {
    fold_case: bool,
    multi_line: bool,
    dot_all: bool,
    ungreedy: bool,
}

struct Reader<'a> {
    whole: &'a str,
    left: &'a str,
    out: String,
    flags: Flags,
    /// The flags to go back to at the end of each open group, and what `most` was outside of it.
    groups: Vec<(Flags, u32)>,
    /// How often the last thing is repeated by counts within it, all of them multiplied.
    repeats: u32,
    /// The most that `repeats` was in this group.
    most: u32,
    /// Whether there is something that may be repeated.
    repeatable: bool,
}

impl<'a> Reader<'a> {
    fn new(whole: &'a str) -> Self {
        Self {
            whole,
            left: whole,
            out: String::with_capacity(whole.len() * 2),
            flags: Flags::default(),
            groups: Vec::new(),
            repeats: 0,
            most: 0,
            repeatable: false,
        }
    }

    fn read(mut self) -> Result<String, Fault<'a>> {
        // Where the last repetition began, if it was the last thing.
        let mut last_repeat: Option<&'a str> = None;
        while let Some(letter) = self.left.chars().next() {
            let before = self.left;
            let mut repeat = None;
            if !matches!(letter, '*' | '+' | '?' | '{') {
                self.repeats = 0;
            }
            match letter {
                '(' => self.open()?,
                ')' => self.close()?,
                '|' => {
                    self.left = &self.left[1..];
                    self.out.push('|');
                    self.repeatable = false;
                }
                '^' => self.take(1, if self.flags.multi_line { "(?m:^)" } else { r"\A" }),
                '$' => self.take(1, if self.flags.multi_line { "(?m:$)" } else { r"\z" }),
                '.' => self.take(1, if self.flags.dot_all { "(?s:.)" } else { r"[^\n]" }),
                '[' => self.class()?,
                '*' | '+' | '?' => {
                    self.left = &self.left[1..];
                    self.repeat(&letter.to_string(), before, last_repeat)?;
                    repeat = Some(before);
                }
                '{' => match counted(self.left) {
                    None => {
                        self.repeats = 0;
                        self.literal('{', 1);
                    }
                    Some((min, max, rest)) => {
                        self.left = rest;
                        let bad = |number: u32| number > MOST_REPEATS;
                        if bad(min) || max.is_some_and(|max| bad(max) || max < min) {
                            return Err(("invalid repeat count", part(before, rest)));
                        }
                        let operator = match max {
                            None => format!("{{{min},}}"),
                            Some(max) => format!("{{{min},{max}}}"),
                        };
                        self.repeat(&operator, before, last_repeat)?;
                        self.repeats = self.repeats.max(1).saturating_mul(max.unwrap_or(min));
                        if max.unwrap_or(min) >= 2 && self.repeats > MOST_REPEATS {
                            return Err(("invalid repeat count", part(before, self.left)));
                        }
                        self.most = self.most.max(self.repeats);
                        repeat = Some(before);
                    }
                },
                '\\' => self.escape()?,
                other => self.literal(other, other.len_utf8()),
            }
            last_repeat = repeat;
        }
        if self.groups.is_empty() { Ok(self.out) } else { Err(("missing closing )", self.whole)) }
    }

    fn take(&mut self, bytes: usize, written: &str) {
        self.left = &self.left[bytes..];
        self.out.push_str(written);
        self.repeatable = true;
    }

    fn literal(&mut self, letter: char, bytes: usize) {
        let fold = if self.flags.fold_case && letter.is_alphabetic() { "(?i:" } else { "" };
        self.out.push_str(fold);
        let _ =
            if letter.is_ascii_alphanumeric() { write!(self.out, "{letter}") } else { write!(self.out, "\\x{{{:x}}}", u32::from(letter)) };
        self.out.push_str(if fold.is_empty() { "" } else { ")" });
        self.left = &self.left[bytes..];
        self.repeatable = true;
    }

    fn repeat(&mut self, operator: &str, before: &'a str, last_repeat: Option<&'a str>) -> Result<(), Fault<'a>> {
        let mut lazy = self.flags.ungreedy;
        if let Some(rest) = self.left.strip_prefix('?') {
            self.left = rest;
            lazy = !lazy;
        }
        if let Some(last) = last_repeat {
            return Err(("invalid nested repetition operator", part(last, self.left)));
        }
        if !self.repeatable {
            return Err(("missing argument to repetition operator", part(before, self.left)));
        }
        self.out.push_str(operator);
        if lazy {
            self.out.push('?');
        }
        Ok(())
    }

    fn close(&mut self) -> Result<(), Fault<'a>> {
        let (flags, most) = self.groups.pop().ok_or(("unexpected )", self.whole))?;
        self.flags = flags;
        self.repeats = self.most;
        self.most = self.most.max(most);
        self.take(1, ")");
        Ok(())
    }

    /// A group, or a change of flags.
    fn open(&mut self) -> Result<(), Fault<'a>> {
        let whole = self.left;
        let Some(inner) = whole.strip_prefix("(?") else {
            self.begin("(", &whole[1..]);
            return Ok(());
        };
        if let Some(named) =
            inner.strip_prefix("P<").or_else(|| inner.strip_prefix('<')).filter(|_| whole.len() > 4 || !inner.starts_with('P'))
        {
            let end = named.find('>').ok_or(("invalid named capture", whole))?;
            let (name, rest) = (&named[..end], &named[end + 1..]);
            if name.is_empty() || !name.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_') {
                return Err(("invalid named capture", part(whole, rest)));
            }
            self.begin(&format!("(?P<{name}>"), rest);
            return Ok(());
        }
        let (mut flags, mut on, mut seen) = (self.flags, true, false);
        let mut letters = inner.char_indices();
        while let Some((at, letter)) = letters.next() {
            let rest = letters.as_str();
            match letter {
                'i' => flags.fold_case = on,
                'm' => flags.multi_line = on,
                's' => flags.dot_all = on,
                'U' => flags.ungreedy = on,
                '-' if on => {
                    (on, seen) = (false, false);
                    continue;
                }
                ':' | ')' if on || seen => {
                    if letter == ':' {
                        self.begin("(?:", rest);
                    } else {
                        self.left = rest;
                    }
                    self.flags = flags;
                    return Ok(());
                }
                _ => return Err(("invalid or unsupported Perl syntax", &whole[..2 + at + letter.len_utf8()])),
            }
            seen = true;
        }
        Err(("invalid or unsupported Perl syntax", whole))
    }

    fn begin(&mut self, written: &str, rest: &'a str) {
        self.out.push_str(written);
        self.left = rest;
        self.groups.push((self.flags, std::mem::take(&mut self.most)));
        self.repeatable = false;
    }

    /// What a backslash begins, outside of a class.
    fn escape(&mut self) -> Result<(), Fault<'a>> {
        match self.left.as_bytes().get(1) {
            Some(b'A') => self.take(2, r"\A"),
            Some(b'z') => self.take(2, r"\z"),
            Some(b'b') => self.take(2, r"(?-u:\b)"),
            Some(b'B') => self.take(2, r"(?-u:\B)"),
            Some(b'C') => return Err(("invalid escape sequence", &self.left[..2])),
            Some(b'Q') => {
                let (text, rest) = self.left[2..].split_once(r"\E").unwrap_or((&self.left[2..], ""));
                for letter in text.chars() {
                    self.literal(letter, 0);
                }
                self.left = rest;
            }
            Some(b'p' | b'P') => {
                let (written, rest) = unicode_class(self.left)?;
                let fold = self.flags.fold_case;
                self.left = rest;
                self.take(0, &if fold { format!("(?i:{written})") } else { written });
            }
            Some(letter) if perl_class(*letter).is_some() => {
                let class = format!("[{}]", perl_class(*letter).unwrap_or_default());
                self.take(2, &class);
            }
            _ => {
                let (letter, rest) = escaped(self.left)?;
                self.left = rest;
                self.literal(letter, 0);
            }
        }
        Ok(())
    }

    fn class(&mut self) -> Result<(), Fault<'a>> {
        let whole = self.left;
        let mut left = &whole[1..];
        let mut written = String::from("[");
        if let Some(rest) = left.strip_prefix('^') {
            left = rest;
            written.push('^');
        }
        let mut first = true;
        loop {
            if !first && let Some(rest) = left.strip_prefix(']') {
                left = rest;
                break;
            }
            first = false;
            if let Some(end) = left.strip_prefix("[:").and_then(|rest| rest.find(":]")) {
                let (name, rest) = left.split_at(end + 4);
                if !POSIX.contains(&name[2..end + 2].trim_start_matches('^')) || name.starts_with("[:^^") {
                    return Err(("invalid character class range", name));
                }
                written.push_str(name);
                left = rest;
                continue;
            }
            if left.starts_with(r"\p") || left.starts_with(r"\P") {
                let (one, rest) = unicode_class(left)?;
                written.push_str(&one);
                left = rest;
                continue;
            }
            if let Some(one) = left.strip_prefix('\\').and_then(|rest| rest.bytes().next()).and_then(perl_class) {
                written.push_str(one);
                left = &left[2..];
                continue;
            }
            let range = left;
            let (low, rest) = class_letter(left, whole)?;
            let mut high = low;
            left = rest;
            if left.len() >= 2 && left.starts_with('-') && !left.starts_with("-]") {
                (high, left) = class_letter(&left[1..], whole)?;
                if high < low {
                    return Err(("invalid character class range", part(range, left)));
                }
            }
            let _ = write!(written, "\\x{{{:x}}}-\\x{{{:x}}}", u32::from(low), u32::from(high));
        }
        written.push(']');
        self.left = left;
        let fold = self.flags.fold_case;
        self.take(0, &if fold { format!("(?i:{written})") } else { written });
        Ok(())
    }
}

const POSIX: [&str; 14] =
    ["alnum", "alpha", "ascii", "blank", "cntrl", "digit", "graph", "lower", "print", "punct", "space", "upper", "word", "xdigit"];

/// The part of `from` before `rest`, which is its end.
fn part<'a>(from: &'a str, rest: &str) -> &'a str {
    &from[..from.len() - rest.len()]
}

/// `\d` and its kin: ASCII alone, in a form that may stand in a class.
fn perl_class(letter: u8) -> Option<&'static str> {
    Some(match letter {
        b'd' => "0-9",
        b'D' => "[^0-9]",
        b's' => r"\t\n\x0c\r ",
        b'S' => r"[^\t\n\x0c\r ]",
        b'w' => "0-9A-Za-z_",
        b'W' => "[^0-9A-Za-z_]",
        _ => return None,
    })
}

/// `\pL`, `\p{Greek}`, `\P{^L}`.
fn unicode_class(text: &str) -> Result<(String, &str), Fault<'_>> {
    let range = "invalid character class range";
    let mut negative = text.starts_with(r"\P");
    let Some(letter) = text[2..].chars().next() else { return Err((range, text)) };
    let (name, rest) = if letter == '{' {
        let end = text.find('}').ok_or((range, text))?;
        (&text[3..end], &text[end + 1..])
    } else {
        text[2..].split_at(letter.len_utf8())
    };
    let bare = name.strip_prefix('^').unwrap_or(name);
    negative ^= bare.len() != name.len();
    let written = format!(r"\{}{{{bare}}}", if negative { 'P' } else { 'p' });
    let known = bare.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_') && !bare.is_empty();
    if !known || regex::Regex::new(&written).is_err() {
        return Err((range, part(text, rest)));
    }
    Ok((written, rest))
}

fn class_letter<'a>(text: &'a str, class: &'a str) -> Result<(char, &'a str), Fault<'a>> {
    match text.chars().next() {
        None => Err(("missing closing ]", class)),
        Some('\\') => escaped(text),
        Some(letter) => Ok((letter, &text[letter.len_utf8()..])),
    }
}

/// A single letter after a backslash.
fn escaped(text: &str) -> Result<(char, &str), Fault<'_>> {
    let after = &text[1..];
    let Some(letter) = after.chars().next() else { return Err(("trailing backslash at end of expression", "")) };
    let rest = &after[letter.len_utf8()..];
    let bad = |rest: &str| ("invalid escape sequence", part(text, rest));
    let octal = |b: &u8| (b'0'..=b'7').contains(b);
    match letter {
        'a' => Ok(('\x07', rest)),
        'f' => Ok(('\x0c', rest)),
        'n' => Ok(('\n', rest)),
        'r' => Ok(('\r', rest)),
        't' => Ok(('\t', rest)),
        'v' => Ok(('\x0b', rest)),
        '0'..='7' if letter == '0' || rest.as_bytes().first().is_some_and(octal) => {
            let count = 1 + rest.bytes().take(2).take_while(octal).count();
            let code = u32::from_str_radix(&after[..count], 8).unwrap_or(0);
            Ok((char::from_u32(code).unwrap_or(char::REPLACEMENT_CHARACTER), &after[count..]))
        }
        'x' => hexadecimal(rest).map_err(bad),
        _ if letter.is_ascii_alphanumeric() || !letter.is_ascii() => Err(bad(rest)),
        _ => Ok((letter, rest)),
    }
}

/// `7f` or `{10ffff}`; on failure what is left where Go stops to read.
fn hexadecimal(text: &str) -> Result<(char, &str), &str> {
    let mut letters = text.chars();
    let Some(first) = letters.next() else { return Err(text) };
    if first != '{' {
        let Some(second) = letters.next() else { return Err(letters.as_str()) };
        let rest = letters.as_str();
        let digits = first.to_digit(16).zip(second.to_digit(16)).ok_or(rest)?;
        return Ok((char::from_u32(digits.0 * 16 + digits.1).unwrap_or_default(), rest));
    }
    let (mut code, mut digits) = (0u32, 0);
    loop {
        let Some(letter) = letters.next() else { return Err(letters.as_str()) };
        let rest = letters.as_str();
        if letter == '}' {
            return char::from_u32(code).filter(|_| digits > 0).map(|letter| (letter, rest)).ok_or(rest);
        }
        code = code * 16 + letter.to_digit(16).ok_or(rest)?;
        if code > 0x0010_ffff {
            return Err(rest);
        }
        digits += 1;
    }
}

/// `{2}`, `{2,}`, `{2,3}`; anything else is no repetition, and the brace a letter.
fn counted(text: &str) -> Option<(u32, Option<u32>, &str)> {
    let (min, rest) = number(&text[1..])?;
    let Some(rest) = rest.strip_prefix(',') else {
        return Some((min, Some(min), rest.strip_prefix('}')?));
    };
    if let Some(rest) = rest.strip_prefix('}') {
        return Some((min, None, rest));
    }
    let (max, rest) = number(rest)?;
    Some((min, Some(max), rest.strip_prefix('}')?))
}

fn number(text: &str) -> Option<(u32, &str)> {
    let end = text.bytes().take_while(u8::is_ascii_digit).count();
    let digits = &text[..end];
    if digits.is_empty() || (digits.len() > 1 && digits.starts_with('0')) {
        return None;
    }
    Some((digits.parse().unwrap_or(u32::MAX), &text[end..]))
}
