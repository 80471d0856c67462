//! Regular expressions: sprig's `regex.go`.

use regex::bytes::{Captures, Regex};

use super::unicode::{is_digit, is_letter, runes};
use super::{Args, Func, FuncError, Runtime};
use crate::helm::strconv;
use crate::helm::value::{List, Str, Type, Value};

const THREE: &[Type] = &[Type::String, Type::String, Type::String];
const TWO_AND_COUNT: &[Type] = &[Type::String, Type::String, Type::Int];

/// The functions of this file.
pub(super) const TABLE: &[Func] = &[
    Func::fixed("regexMatch", &[Type::String, Type::String], |runtime, args| {
        // A bad expression matches nothing here.
        let found = must(runtime, args).is_ok_and(|regex| args.str(1).is_ok_and(|text| regex.is_match(text.as_bytes())));
        Ok(Value::Bool(found))
    }),
    Func::fixed("mustRegexMatch", &[Type::String, Type::String], |runtime, args| {
        Ok(Value::Bool(must(runtime, args)?.is_match(args.str(1)?.as_bytes())))
    }),
    Func::fixed("regexFindAll", TWO_AND_COUNT, |runtime, args| find_all(&*must_compile(runtime, args)?, args)),
    Func::fixed("mustRegexFindAll", TWO_AND_COUNT, |runtime, args| find_all(&*must(runtime, args)?, args)),
    Func::fixed("regexFind", &[Type::String, Type::String], |runtime, args| find(&*must_compile(runtime, args)?, args)),
    Func::fixed("mustRegexFind", &[Type::String, Type::String], |runtime, args| find(&*must(runtime, args)?, args)),
    Func::fixed("regexReplaceAll", THREE, |runtime, args| {
        let regex = must_compile(runtime, args)?;
        replace_all(runtime, &regex, args, expand)
    }),
    Func::fixed("mustRegexReplaceAll", THREE, |runtime, args| {
        let regex = must(runtime, args)?;
        replace_all(runtime, &regex, args, expand)
    }),
    Func::fixed("regexReplaceAllLiteral", THREE, |runtime, args| {
        let regex = must_compile(runtime, args)?;
        replace_all(runtime, &regex, args, |_, text, out| out.extend_from_slice(text))
    }),
    Func::fixed("mustRegexReplaceAllLiteral", THREE, |runtime, args| {
        let regex = must(runtime, args)?;
        replace_all(runtime, &regex, args, |_, text, out| out.extend_from_slice(text))
    }),
    Func::fixed("regexSplit", TWO_AND_COUNT, |runtime, args| split(&*must_compile(runtime, args)?, args)),
    Func::fixed("mustRegexSplit", TWO_AND_COUNT, |runtime, args| split(&*must(runtime, args)?, args)),
    Func::fixed("regexQuoteMeta", &[Type::String], quote_meta),
];

/// The expression of the first argument, or Go's error.
fn must(runtime: &mut dyn Runtime, args: Args<'_>) -> Result<std::rc::Rc<Regex>, FuncError> {
    let pattern = args.text(0)?;
    if std::str::from_utf8(args.str(0)?.as_bytes()).is_err() {
        return Err(FuncError::new(format!("error parsing regexp: invalid UTF-8: `{pattern}`")));
    }
    runtime.regex(&pattern)
}

/// The same, with the words of the panic of `regexp.MustCompile`.
fn must_compile(runtime: &mut dyn Runtime, args: Args<'_>) -> Result<std::rc::Rc<Regex>, FuncError> {
    must(runtime, args).map_err(|error| {
        let pattern = args.text(0).unwrap_or_default();
        let bytes = args.str(0).map(Str::as_bytes).unwrap_or_default();
        // `strconv.CanBackquote`
        let plain = pattern.chars().all(|c| (c == '\t' || !c.is_control() || u32::from(c) >= 0x80) && c != '`' && c != '\u{feff}');
        let whole = std::str::from_utf8(bytes).is_ok();
        let shown = if plain && whole { format!("`{pattern}`") } else { strconv::quote_bytes(bytes) };
        FuncError::new(format!("regexp: Compile({shown}): {error}"))
    })
}

fn find(regex: &Regex, args: Args<'_>) -> Result<Value, FuncError> {
    Ok(Value::str(regex.find(args.str(1)?.as_bytes()).map_or(&b""[..], |found| found.as_bytes())))
}

/// All matches, one after the other, as Go's `allMatches` finds them: an empty one may neither touch the one before nor stand inside of a rune.
fn all<T>(text: &[u8], find_at: impl Fn(usize) -> Option<(std::ops::Range<usize>, T)>) -> impl Iterator<Item = T> {
    let (mut at, mut last) = (0, None);
    std::iter::from_fn(move || {
        while at <= text.len() {
            let Some((range, found)) = find_at(at) else { break };
            let inside = range.is_empty() && text.get(range.start).is_some_and(|byte| byte & 0xc0 == 0x80);
            let touches = range.is_empty() && last == Some(range.start);
            at = if range.end > at && !inside { range.end } else { range.end + 1 };
            while range.is_empty() && text.get(at).is_some_and(|byte| byte & 0xc0 == 0x80) {
                at += 1;
            }
            if !inside && !touches {
                last = Some(range.end);
                return Some(found);
            }
        }
        at = text.len() + 1;
        None
    })
}

/// A negative count is no bound.
fn most(args: Args<'_>) -> Result<usize, FuncError> {
    Ok(usize::try_from(args.int(2)?).unwrap_or(usize::MAX))
}

fn strings(found: Vec<&[u8]>) -> Value {
    Value::List(if found.is_empty() { List::nil(Type::Strings) } else { List::strings(found) })
}

fn find_all(regex: &Regex, args: Args<'_>) -> Result<Value, FuncError> {
    let text = args.str(1)?.as_bytes();
    Ok(strings(
        all(text, |at| regex.find_at(text, at).map(|found| (found.range(), found)))
            .take(most(args)?)
            .map(|found| found.as_bytes())
            .collect(),
    ))
}

fn split(regex: &Regex, args: Args<'_>) -> Result<Value, FuncError> {
    let (text, most) = (args.str(1)?.as_bytes(), most(args)?);
    if most == 0 {
        return Ok(strings(Vec::new()));
    }
    if text.is_empty() && !args.str(0)?.is_empty() {
        return Ok(strings(vec![text]));
    }
    let mut parts = Vec::new();
    let (mut begin, mut end) = (0, 0);
    for found in all(text, |at| regex.find_at(text, at).map(|found| (found.range(), found))).take(most) {
        if parts.len() + 1 == most {
            break;
        }
        end = found.start();
        if found.end() != 0 {
            parts.push(&text[begin..end]);
        }
        begin = found.end();
    }
    if end != text.len() {
        parts.push(&text[begin..]);
    }
    Ok(Value::List(List::strings(parts)))
}

fn replace_all(
    runtime: &mut dyn Runtime,
    regex: &Regex,
    args: Args<'_>,
    write: fn(&Captures<'_>, &[u8], &mut Vec<u8>),
) -> Result<Value, FuncError> {
    let (text, template) = (args.str(1)?.as_bytes(), args.str(2)?.as_bytes());
    let mut out = Vec::with_capacity(text.len());
    let (mut last, mut spent) = (0, 0);
    let captures = |at| regex.captures_at(text, at).and_then(|found| Some((found.get(0)?.range(), found)));
    for found in all(text, captures) {
        let Some(whole) = found.get(0) else { continue };
        out.extend_from_slice(&text[last..whole.start()]);
        write(&found, template, &mut out);
        last = whole.end();
        runtime.spend(out.len() - spent)?;
        spent = out.len();
    }
    out.extend_from_slice(&text[last..]);
    Ok(Value::str(out))
}

/// `Regexp.Expand`: `$1`, `${1}`, `$name`, `$$`.
fn expand(found: &Captures<'_>, template: &[u8], out: &mut Vec<u8>) {
    let mut left = template;
    while let Some(at) = left.iter().position(|byte| *byte == b'$') {
        out.extend_from_slice(&left[..at]);
        left = &left[at + 1..];
        if let Some(rest) = left.strip_prefix(b"$") {
            out.push(b'$');
            left = rest;
            continue;
        }
        let Some((name, rest)) = reference(left) else {
            out.push(b'$');
            continue;
        };
        left = rest;
        let digits = name.bytes().all(|b| b.is_ascii_digit()) && (name.len() == 1 || !name.starts_with('0'));
        let group = if digits { name.parse().ok().and_then(|index| found.get(index)) } else { found.name(name) };
        out.extend_from_slice(group.map_or(&b""[..], |group| group.as_bytes()));
    }
    out.extend_from_slice(left);
}

/// The name after `$`, and what follows it.
fn reference(text: &[u8]) -> Option<(&str, &[u8])> {
    let (braced, inner) = text.strip_prefix(b"{").map_or((false, text), |inner| (true, inner));
    let end = runes(inner).find(|(_, rune)| !(is_letter(*rune) || is_digit(*rune) || *rune == '_')).map_or(inner.len(), |(at, _)| at);
    let name = std::str::from_utf8(&inner[..end]).ok().filter(|name| !name.is_empty())?;
    let rest = &inner[end..];
    Some((name, if braced { rest.strip_prefix(b"}")? } else { rest }))
}

fn quote_meta(_: &mut dyn Runtime, args: Args<'_>) -> Result<Value, FuncError> {
    let mut out = Vec::new();
    for byte in args.str(0)?.as_bytes() {
        if br"\.+*?()|[]{}^$".contains(byte) {
            out.push(b'\\');
        }
        out.push(*byte);
    }
    Ok(Value::str(out))
}
