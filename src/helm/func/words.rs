//! Strings by words: wrapping, abbreviation, and the cases of names.
//!
//! Follows `github.com/Masterminds/goutils` and `github.com/huandu/xstrings`, which count bytes in some places and runes in others.

use super::unicode::{
    is_letter, is_lower, is_number, is_punct, is_space, is_title, is_upper, map_runes, runes, to_lower, to_title, to_upper,
};
use super::{Args, Func, FuncError, Runtime};
use crate::helm::value::{Str, Type, Value};

/// The functions of this file.
pub(super) const TABLE: &[Func] = &[
    Func::fixed("abbrev", &[Type::Int, Type::String], |_, args| Ok(abbreviate(args.str(1)?, 0, args.int(0)?))),
    Func::fixed("abbrevboth", &[Type::Int, Type::Int, Type::String], |_, args| Ok(abbreviate(args.str(2)?, args.int(0)?, args.int(1)?))),
    Func::fixed("wrap", &[Type::Int, Type::String], |runtime, args| wrap(runtime, args.str(1)?, args.int(0)?, b"", false)),
    Func::fixed("wrapWith", &[Type::Int, Type::String, Type::String], |runtime, args| {
        wrap(runtime, args.str(2)?, args.int(0)?, args.str(1)?.as_bytes(), true)
    }),
    Func::fixed("initials", &[Type::String], initials),
    Func::fixed("nospace", &[Type::String], nospace),
    Func::fixed("untitle", &[Type::String], untitle),
    Func::fixed("swapcase", &[Type::String], swapcase),
    Func::fixed("camelcase", &[Type::String], |_, args| Ok(Value::from(pascal_case(args.str(0)?.as_bytes())))),
    Func::fixed("snakecase", &[Type::String], |_, args| Ok(Value::from(joined_case(args.str(0)?.as_bytes(), '_')))),
    Func::fixed("kebabcase", &[Type::String], |_, args| Ok(Value::from(joined_case(args.str(0)?.as_bytes(), '-')))),
];

/// `abbrev` and `abbrevboth`: widths that are too small leave the text as it is.
fn abbreviate(text: &Str, left: i64, width: i64) -> Value {
    let bytes = text.as_bytes();
    let Ok(width) = usize::try_from(width) else { return Value::Str(text.clone()) };
    if width < 4 || (left > 0 && width < 7) || bytes.len() <= width {
        return Value::Str(text.clone());
    }
    let left = usize::try_from(left).unwrap_or(0).min(bytes.len()).min(bytes.len() - (width - 3));
    let made = if left <= 4 {
        [&bytes[..width - 3], b"..."].concat()
    } else if left + width - 3 < bytes.len() {
        let rest = &bytes[left..];
        [b"...", &rest[..width - 6], b"..."].concat()
    } else {
        [b"...", &bytes[bytes.len() - (width - 3)..]].concat()
    };
    Value::str(made)
}

/// `goutils.WrapCustom`. Leading spaces of a line go, trailing ones stay.
fn wrap(runtime: &mut dyn Runtime, text: &Str, width: i64, newline: &[u8], long_words: bool) -> Result<Value, FuncError> {
    let text = text.as_bytes();
    let newline = if newline.is_empty() { b"\n" } else { newline };
    let width = usize::try_from(width).unwrap_or(1).max(1);
    runtime.spend((text.len() / width).saturating_add(1).saturating_mul(newline.len()).saturating_add(text.len()))?;
    let mut out = Vec::with_capacity(text.len());
    let mut at = 0;
    while text.len() - at > width {
        if text[at] == b' ' {
            at += 1;
            continue;
        }
        let line = &text[at..=at + width];
        let to = match line.iter().rposition(|b| *b == b' ') {
            Some(space) => at + space,
            None if long_words => {
                out.extend_from_slice(&line[..width]);
                out.extend_from_slice(newline);
                at += width;
                continue;
            }
            None => match text[at + width..].iter().position(|b| *b == b' ') {
                Some(space) => at + width + space,
                None => break,
            },
        };
        out.extend_from_slice(&text[at..to]);
        out.extend_from_slice(newline);
        at = to + 1;
    }
    out.extend_from_slice(&text[at..]);
    Ok(Value::str(out))
}

/// Each byte is taken for a rune, as goutils does: `é` is two letters there.
fn latin(bytes: &[u8]) -> impl Iterator<Item = char> {
    bytes.iter().map(|byte| char::from(*byte))
}

fn initials(_: &mut dyn Runtime, args: Args<'_>) -> Result<Value, FuncError> {
    let mut gap = true;
    let found: String = latin(args.str(0)?.as_bytes())
        .filter(|letter| {
            let space = is_space(*letter);
            let begins = gap && !space;
            gap = space;
            begins
        })
        .collect();
    Ok(Value::from(found))
}

fn nospace(_: &mut dyn Runtime, args: Args<'_>) -> Result<Value, FuncError> {
    let text = args.str(0)?;
    if !latin(text.as_bytes()).any(is_space) {
        return Ok(Value::Str(text.clone()));
    }
    Ok(Value::from(latin(text.as_bytes()).filter(|letter| !is_space(*letter)).collect::<String>()))
}

fn untitle(_: &mut dyn Runtime, args: Args<'_>) -> Result<Value, FuncError> {
    let mut begins = true;
    Ok(Value::from(map_runes(args.str(0)?.as_bytes(), |rune| {
        if is_space(rune) {
            begins = true;
            rune
        } else if std::mem::take(&mut begins) {
            to_lower(rune)
        } else {
            rune
        }
    })))
}

fn swapcase(_: &mut dyn Runtime, args: Args<'_>) -> Result<Value, FuncError> {
    let mut after_space = true;
    Ok(Value::from(map_runes(args.str(0)?.as_bytes(), |rune| {
        if is_upper(rune) || is_title(rune) {
            after_space = false;
            to_lower(rune)
        } else if is_lower(rune) {
            if std::mem::take(&mut after_space) { to_title(rune) } else { to_upper(rune) }
        } else {
            after_space = is_space(rune);
            rune
        }
    })))
}

fn is_connector(rune: char) -> bool {
    rune == '-' || rune == '_' || is_space(rune)
}

/// `xstrings.ToPascalCase`: sprig's `camelcase`.
fn pascal_case(text: &[u8]) -> String {
    let mut out = String::with_capacity(text.len());
    let mut letters = runes(text).map(|(_, rune)| rune);
    // Connectors in front stay.
    let mut last = loop {
        match letters.next() {
            Some(rune) if is_connector(rune) => out.push(rune),
            Some(rune) => break rune,
            None => {
                // The Go loop ends on the last connector and writes it once more.
                if let Some(rune) = out.chars().next_back() {
                    out.push(rune);
                }
                return out;
            }
        }
    };
    let mut in_capitals = is_upper(last);
    last = to_upper(last);
    for rune in letters {
        let mut next = rune;
        if is_connector(rune) && is_connector(last) {
            out.push(last);
            last = rune;
            continue;
        }
        if is_connector(last) {
            in_capitals = is_upper(rune);
            next = to_upper(rune);
        } else {
            if in_capitals {
                if is_upper(rune) {
                    next = to_lower(rune);
                } else {
                    in_capitals = false;
                }
            }
            out.push(last);
        }
        last = next;
    }
    out.push(last);
    out
}

/// What xstrings takes for a word of its own.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Word {
    Invalid,
    Number,
    Upper,
    Alphabet,
    Connector,
    Punct,
    Other,
}

/// `xstrings.ToSnakeCase` and `ToKebabCase`.
fn joined_case(text: &[u8], connector: char) -> String {
    let letters: Vec<char> = runes(text).map(|(_, rune)| rune).collect();
    let mut out = String::with_capacity(text.len() + 8);
    let mut words = Words { left: &letters };
    let (mut kind, mut word) = words.next();
    while !words.left.is_empty() {
        if kind != Word::Connector {
            write_word(&mut out, kind, word, connector);
        }
        let (before, last) = (kind, word);
        (kind, word) = words.next();
        match before {
            Word::Number => {
                while matches!(kind, Word::Alphabet | Word::Number) && !word.is_empty() {
                    write_word(&mut out, kind, word, connector);
                    (kind, word) = words.next();
                }
                if !matches!(kind, Word::Invalid | Word::Punct | Word::Connector) {
                    out.push(connector);
                }
            }
            Word::Connector => write_word(&mut out, before, last, connector),
            Word::Punct => {}
            _ if kind != Word::Number => {
                if !matches!(kind, Word::Connector | Word::Punct) {
                    out.push(connector);
                }
            }
            _ if words.left.is_empty() => {}
            _ => {
                let number = word;
                (kind, word) = words.next();
                // `Bld4Floor` keeps the number with what is before it, `HTTP2xx` with what is after.
                if kind == Word::Alphabet {
                    out.push(connector);
                    write_word(&mut out, Word::Number, number, connector);
                    while matches!(kind, Word::Alphabet | Word::Number) && !word.is_empty() {
                        write_word(&mut out, kind, word, connector);
                        (kind, word) = words.next();
                    }
                    if !matches!(kind, Word::Invalid | Word::Connector | Word::Punct) {
                        out.push(connector);
                    }
                } else {
                    write_word(&mut out, Word::Number, number, connector);
                    if !matches!(kind, Word::Connector | Word::Punct) {
                        out.push(connector);
                    }
                }
            }
        }
    }
    write_word(&mut out, kind, word, connector);
    out
}

fn write_word(out: &mut String, kind: Word, word: &[char], connector: char) {
    if !matches!(kind, Word::Upper | Word::Connector) {
        out.extend(word);
        return;
    }
    for rune in word {
        out.push(if is_connector(*rune) {
            connector
        } else if is_upper(*rune) {
            to_lower(*rune)
        } else {
            *rune
        });
    }
}

/// `xstrings`' idea of a letter: not those of Chinese, which stand for words.
fn is_alphabet(rune: char) -> bool {
    is_letter(rune) && !matches!(rune, '\u{3400}'..='\u{4d85}' | '\u{4e00}'..='\u{9fcc}' | '\u{20000}'..='\u{2b81d}')
}

/// Where a run of letters ends that begins at a place.
type Run<'a> = dyn Fn(usize, &dyn Fn(char) -> bool) -> usize + 'a;

struct Words<'a> {
    left: &'a [char],
}

impl<'a> Words<'a> {
    fn next(&mut self) -> (Word, &'a [char]) {
        let text = self.left;
        // What is no UTF-8 belongs to the word around it.
        let Some(begin) = text.iter().position(|rune| *rune != char::REPLACEMENT_CHARACTER) else {
            self.left = &[];
            return (Word::Invalid, text);
        };
        let first = text[begin];
        let run = |from: usize, belongs: &dyn Fn(char) -> bool| {
            from + text[from..].iter().take_while(|rune| **rune == char::REPLACEMENT_CHARACTER || belongs(**rune)).count()
        };
        let after = begin + 1;
        let small = |rune: char| is_alphabet(rune) && !is_upper(rune);
        let (kind, end) = if is_connector(first) {
            (Word::Connector, run(after, &is_connector))
        } else if is_punct(first) {
            (Word::Punct, run(after, &is_punct))
        } else if is_upper(first) {
            (Word::Upper, upper_word(text, after, &run))
        } else if is_alphabet(first) {
            (Word::Alphabet, run(after, &small))
        } else if is_number(first) {
            (Word::Number, run(after, &is_number))
        } else {
            let other = |rune: char| !(is_connector(rune) || is_alphabet(rune) || is_number(rune) || is_punct(rune));
            (Word::Other, run(after, &other))
        };
        self.left = &text[end..];
        (kind, &text[..end])
    }
}

/// The end of a word that begins with a capital: `HTTP` of `HTTPServer`, `Server` of `ServerName`.
fn upper_word(text: &[char], after: usize, run: &Run<'_>) -> usize {
    match text.get(after) {
        Some(rune) if is_upper(*rune) => {
            let end = run(after, &is_upper);
            if text.get(end).is_some_and(|rune| is_alphabet(*rune)) { end - 1 } else { end }
        }
        Some(rune) if is_alphabet(*rune) => run(after, &|rune| is_alphabet(rune) && !is_upper(rune)),
        _ => after,
    }
}
