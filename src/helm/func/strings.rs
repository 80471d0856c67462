//! Strings: sprig's `strings.go` and what its table takes from Go's `strings`.

use super::bytes::{indent, index, replace, slice, split, trim};
use super::unicode::{is_digit, is_letter, is_space, map_runes, runes, to_lower, to_title, to_upper};
use super::{Args, Func, FuncError, Runtime};
use crate::helm::strconv;
use crate::helm::value::{Kind, List, Map, Str, Type, Value};

/// The functions of this file.
pub(super) const TABLE: &[Func] = &[
    Func::fixed("hello", &[], |_, _| Ok(Value::from("Hello!"))),
    Func::fixed("trim", &[Type::String], |_, args| Ok(kept(args.str(0)?, trim(args.str(0)?.as_bytes(), is_space)))),
    Func::fixed("upper", &[Type::String], |_, args| Ok(Value::from(map_runes(args.str(0)?.as_bytes(), to_upper)))),
    Func::fixed("lower", &[Type::String], |_, args| Ok(Value::from(map_runes(args.str(0)?.as_bytes(), to_lower)))),
    Func::fixed("title", &[Type::String], title),
    Func::fixed("substr", &[Type::Int, Type::Int, Type::String], substr),
    Func::fixed("trunc", &[Type::Int, Type::String], trunc),
    Func::fixed("repeat", &[Type::Int, Type::String], repeat),
    Func::fixed("trimall", &[Type::String, Type::String], trim_all),
    Func::fixed("trimAll", &[Type::String, Type::String], trim_all),
    Func::fixed("trimSuffix", &[Type::String, Type::String], |_, args| {
        let (suffix, text) = (args.str(0)?, args.str(1)?);
        Ok(text.as_bytes().strip_suffix(suffix.as_bytes()).map_or_else(|| Value::Str(text.clone()), Value::str))
    }),
    Func::fixed("trimPrefix", &[Type::String, Type::String], |_, args| {
        let (prefix, text) = (args.str(0)?, args.str(1)?);
        Ok(text.as_bytes().strip_prefix(prefix.as_bytes()).map_or_else(|| Value::Str(text.clone()), Value::str))
    }),
    Func::fixed("contains", &[Type::String, Type::String], |_, args| {
        Ok(Value::Bool(index(args.str(1)?.as_bytes(), args.str(0)?.as_bytes()).is_some()))
    }),
    Func::fixed("hasPrefix", &[Type::String, Type::String], |_, args| {
        Ok(Value::Bool(args.str(1)?.as_bytes().starts_with(args.str(0)?.as_bytes())))
    }),
    Func::fixed("hasSuffix", &[Type::String, Type::String], |_, args| {
        Ok(Value::Bool(args.str(1)?.as_bytes().ends_with(args.str(0)?.as_bytes())))
    }),
    Func::variadic("quote", &[Type::Any], quote),
    Func::variadic("squote", &[Type::Any], squote),
    Func::variadic("cat", &[Type::Any], cat),
    Func::fixed("indent", &[Type::Int, Type::String], |runtime, args| {
        indent(runtime, args.int(0)?, args.str(1)?.as_bytes(), false).map(Value::str)
    }),
    Func::fixed("nindent", &[Type::Int, Type::String], |runtime, args| {
        indent(runtime, args.int(0)?, args.str(1)?.as_bytes(), true).map(Value::str)
    }),
    Func::fixed("replace", &[Type::String, Type::String, Type::String], |runtime, args| {
        replace(runtime, args.str(2)?.as_bytes(), args.str(0)?.as_bytes(), args.str(1)?.as_bytes()).map(Value::str)
    }),
    Func::fixed("plural", &[Type::String, Type::String, Type::Int], |_, args| Ok(args.value(usize::from(args.int(2)? != 1)).clone())),
    Func::fixed("toString", &[Type::Any], |_, args| strval(args.value(0)).map(Value::Str)),
    Func::fixed("toStrings", &[Type::Any], |_, args| Ok(Value::List(List::strings(strslice(args.value(0))?)))),
    Func::fixed("join", &[Type::String, Type::Any], join),
    Func::fixed("sortAlpha", &[Type::Any], sort_alpha),
    Func::fixed("split", &[Type::String, Type::String], |_, args| {
        Ok(numbered(&split(args.str(1)?.as_bytes(), args.str(0)?.as_bytes(), -1)))
    }),
    Func::fixed("splitn", &[Type::String, Type::Int, Type::String], |_, args| {
        Ok(numbered(&split(args.str(2)?.as_bytes(), args.str(0)?.as_bytes(), args.int(1)?)))
    }),
    Func::fixed("splitList", &[Type::String, Type::String], |runtime, args| {
        let parts = split(args.str(1)?.as_bytes(), args.str(0)?.as_bytes(), -1);
        runtime.spend(parts.len().saturating_mul(size_of::<Value>()))?;
        Ok(Value::List(List::strings(parts)))
    }),
];

/// The string of a value: sprig's `strval`.
pub(super) fn strval(value: &Value) -> Result<Str, FuncError> {
    match value.to_bytes() {
        Some(bytes) => Ok(Str::from(&bytes[..])),
        None => value.print(),
    }
}

/// The strings of a list without its nils, or of one value: sprig's `strslice`.
pub(super) fn strslice(value: &Value) -> Result<Vec<Str>, FuncError> {
    match items(value) {
        Some(items) => items.iter().filter(|item| !matches!(item, Value::Nil)).map(strval).collect(),
        None if matches!(value, Value::Nil) => Ok(Vec::new()),
        None => Ok(vec![strval(value)?]),
    }
}

/// The elements of what Go calls a slice.
pub(super) fn items(value: &Value) -> Option<Vec<Value>> {
    match value {
        Value::List(list) => Some(list.to_vec()),
        Value::Object(object) if object.typ().kind() == Kind::Slice => object.items(),
        _ => None,
    }
}

/// A part of a text, which is the text itself where nothing was cut.
fn kept(text: &Str, part: &[u8]) -> Value {
    if part.len() == text.len() { Value::Str(text.clone()) } else { Value::str(part) }
}

fn title(_: &mut dyn Runtime, args: Args<'_>) -> Result<Value, FuncError> {
    let mut before = ' ';
    Ok(Value::from(map_runes(args.str(0)?.as_bytes(), |rune| {
        let separated = if before.is_ascii() {
            !(before.is_ascii_alphanumeric() || before == '_')
        } else {
            !(is_letter(before) || is_digit(before)) && is_space(before)
        };
        before = rune;
        if separated { to_title(rune) } else { rune }
    })))
}

fn substr(_: &mut dyn Runtime, args: Args<'_>) -> Result<Value, FuncError> {
    let (start, end, text) = (args.int(0)?, args.int(1)?, args.str(2)?);
    let bytes = text.as_bytes();
    let part = if start < 0 {
        slice(bytes, None, Some(end))?
    } else if usize::try_from(end).map_or(true, |end| end > bytes.len()) {
        slice(bytes, Some(start), None)?
    } else {
        slice(bytes, Some(start), Some(end))?
    };
    Ok(kept(text, part))
}

fn trunc(_: &mut dyn Runtime, args: Args<'_>) -> Result<Value, FuncError> {
    let (count, text) = (args.int(0)?, args.str(1)?);
    let bytes = text.as_bytes();
    let most = usize::try_from(count.unsigned_abs()).unwrap_or(usize::MAX);
    if most >= bytes.len() {
        return Ok(Value::Str(text.clone()));
    }
    Ok(Value::str(if count < 0 { &bytes[bytes.len() - most..] } else { &bytes[..most] }))
}

fn repeat(runtime: &mut dyn Runtime, args: Args<'_>) -> Result<Value, FuncError> {
    let count = usize::try_from(args.int(0)?).map_err(|_| FuncError::new("strings: negative Repeat count"))?;
    let text = args.str(1)?.as_bytes();
    let length = text.len().checked_mul(count).ok_or_else(|| FuncError::new("strings: Repeat output length overflow"))?;
    runtime.spend(length)?;
    Ok(Value::str(text.repeat(count)))
}

fn trim_all(_: &mut dyn Runtime, args: Args<'_>) -> Result<Value, FuncError> {
    let (cutset, text) = (args.str(0)?, args.str(1)?);
    let cutset: Vec<char> = runes(cutset.as_bytes()).map(|(_, rune)| rune).collect();
    Ok(kept(text, trim(text.as_bytes(), |rune| cutset.contains(&rune))))
}

fn quote(_: &mut dyn Runtime, args: Args<'_>) -> Result<Value, FuncError> {
    let mut quoted = Vec::with_capacity(args.len());
    for value in args.rest(0).iter().filter(|value| !matches!(value, Value::Nil)) {
        quoted.push(strconv::quote_bytes(strval(value)?.as_bytes()));
    }
    Ok(Value::from(quoted.join(" ")))
}

fn squote(_: &mut dyn Runtime, args: Args<'_>) -> Result<Value, FuncError> {
    let mut out = Vec::new();
    for value in args.rest(0).iter().filter(|value| !matches!(value, Value::Nil)) {
        if !out.is_empty() {
            out.push(b' ');
        }
        out.push(b'\'');
        out.extend_from_slice(value.print()?.as_bytes());
        out.push(b'\'');
    }
    Ok(Value::str(out))
}

fn cat(_: &mut dyn Runtime, args: Args<'_>) -> Result<Value, FuncError> {
    let mut out = Vec::new();
    for (index, value) in args.rest(0).iter().filter(|value| !matches!(value, Value::Nil)).enumerate() {
        if index > 0 {
            out.push(b' ');
        }
        out.extend_from_slice(value.print()?.as_bytes());
    }
    Ok(Value::str(out))
}

fn join(runtime: &mut dyn Runtime, args: Args<'_>) -> Result<Value, FuncError> {
    let parts = strslice(args.value(1))?;
    let separator = args.str(0)?.as_bytes();
    let length = parts.iter().map(|part| part.len().saturating_add(separator.len())).fold(0, usize::saturating_add);
    runtime.spend(length)?;
    let parts: Vec<&[u8]> = parts.iter().map(Str::as_bytes).collect();
    Ok(Value::str(parts.join(separator)))
}

fn sort_alpha(_: &mut dyn Runtime, args: Args<'_>) -> Result<Value, FuncError> {
    match args.value(0) {
        // Go sorts a []string in place.
        Value::List(list) if list.typ() == Type::Strings => {
            list.change(|items| {
                items.sort_by(|a, b| match (a, b) {
                    (Value::Str(a), Value::Str(b)) => a.cmp(b),
                    _ => std::cmp::Ordering::Equal,
                });
            });
            Ok(Value::List(list.clone()))
        }
        value if items(value).is_some() => {
            let mut texts = strslice(value)?;
            texts.sort();
            Ok(Value::List(List::strings(texts)))
        }
        value => Ok(Value::List(List::strings([strval(value)?]))),
    }
}

/// `split` and `splitn` give a `map[string]string` with the keys `_0`, `_1`, ….
fn numbered(parts: &[&[u8]]) -> Value {
    let entries = parts.iter().enumerate().map(|(index, part)| (Str::from(format!("_{index}")), Value::str(*part))).collect();
    Value::Map(Map::typed(Type::StringMap, entries))
}
