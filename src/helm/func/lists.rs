//! Lists: sprig's `list.go`.

use super::cast::to_int64;
use super::logic::empty;
use super::strings::items;
use super::{Args, Func, FuncError, Runtime};
use crate::helm::value::{Kind, List, Type, Value};

/// The functions of this file.
pub(super) const TABLE: &[Func] = &[
    Func::variadic("list", &[Type::Any], list),
    Func::variadic("tuple", &[Type::Any], list),
    Func::fixed("append", &[Type::Any, Type::Any], push),
    Func::fixed("push", &[Type::Any, Type::Any], push),
    Func::fixed("mustAppend", &[Type::Any, Type::Any], push),
    Func::fixed("mustPush", &[Type::Any, Type::Any], push),
    Func::fixed("prepend", &[Type::Any, Type::Any], prepend),
    Func::fixed("mustPrepend", &[Type::Any, Type::Any], prepend),
    Func::fixed("chunk", &[Type::Int, Type::Any], chunk),
    Func::fixed("mustChunk", &[Type::Int, Type::Any], chunk),
    Func::fixed("first", &[Type::Any], first),
    Func::fixed("mustFirst", &[Type::Any], first),
    Func::fixed("last", &[Type::Any], last),
    Func::fixed("mustLast", &[Type::Any], last),
    Func::fixed("rest", &[Type::Any], rest),
    Func::fixed("mustRest", &[Type::Any], rest),
    Func::fixed("initial", &[Type::Any], initial),
    Func::fixed("mustInitial", &[Type::Any], initial),
    Func::fixed("reverse", &[Type::Any], reverse),
    Func::fixed("mustReverse", &[Type::Any], reverse),
    Func::fixed("compact", &[Type::Any], compact),
    Func::fixed("mustCompact", &[Type::Any], compact),
    Func::fixed("uniq", &[Type::Any], uniq),
    Func::fixed("mustUniq", &[Type::Any], uniq),
    Func::variadic("without", &[Type::Any, Type::Any], without),
    Func::variadic("mustWithout", &[Type::Any, Type::Any], without),
    Func::fixed("has", &[Type::Any, Type::Any], has),
    Func::fixed("mustHas", &[Type::Any, Type::Any], has),
    Func::variadic("slice", &[Type::Any, Type::Any], slice),
    Func::variadic("mustSlice", &[Type::Any, Type::Any], slice),
    Func::variadic("concat", &[Type::Any], concat),
];

/// What Go's reflection does when it is asked for the type of nil.
pub(super) fn nil_pointer() -> FuncError {
    FuncError::new("runtime error: invalid memory address or nil pointer dereference")
}

/// The elements of a list; `told` is what sprig says of other kinds, before the kind's name.
fn elements(value: &Value, told: &str) -> Result<Vec<Value>, FuncError> {
    match (items(value), value.kind()) {
        (Some(items), _) => Ok(items),
        (None, Kind::Invalid) => Err(nil_pointer()),
        (None, kind) => Err(FuncError::new(format!("{told} {}", kind.name()))),
    }
}

/// Functions that make a list as long as the one they are given.
fn made(runtime: &mut dyn Runtime, items: Vec<Value>) -> Result<Value, FuncError> {
    runtime.spend(items.len().saturating_mul(size_of::<Value>()))?;
    Ok(Value::from(items))
}

fn nil_list() -> Value {
    Value::List(List::nil(Type::Anys))
}

fn list(_: &mut dyn Runtime, args: Args<'_>) -> Result<Value, FuncError> {
    Ok(Value::from(args.rest(0).to_vec()))
}

fn push(runtime: &mut dyn Runtime, args: Args<'_>) -> Result<Value, FuncError> {
    let mut items = elements(args.value(0), "Cannot push on type")?;
    items.push(args.value(1).clone());
    made(runtime, items)
}

fn prepend(runtime: &mut dyn Runtime, args: Args<'_>) -> Result<Value, FuncError> {
    let mut items = elements(args.value(0), "Cannot prepend on type")?;
    items.insert(0, args.value(1).clone());
    made(runtime, items)
}

fn chunk(runtime: &mut dyn Runtime, args: Args<'_>) -> Result<Value, FuncError> {
    let items = elements(args.value(1), "Cannot chunk type")?;
    let size = args.int(0)?;
    let Some(size) = usize::try_from(size).ok().filter(|size| *size > 0) else {
        return chunk_badly(size, items.len());
    };
    runtime.spend(items.len().saturating_mul(size_of::<Value>() * 2))?;
    let chunks = items.chunks(size).map(|chunk| Value::from(chunk.to_vec())).collect();
    Ok(Value::List(List::typed(Type::Lists, chunks)))
}

/// What the floating point of sprig's `chunk` comes to for sizes below one.
fn chunk_badly(size: i64, length: usize) -> Result<Value, FuncError> {
    if size == 0 {
        // -1/0, 0/0 and n/0 become the smallest integer.
        return Err(FuncError::new("runtime error: makeslice: len out of range"));
    }
    #[expect(clippy::cast_precision_loss, reason = "as sprig reckons")]
    let count = super::cast::truncate(((length as f64 - 1.0) / size as f64).floor() + 1.0);
    match count {
        i64::MIN..=-1 => Err(FuncError::new("runtime error: makeslice: len out of range")),
        0 => Ok(Value::List(List::typed(Type::Lists, Vec::new()))),
        _ => {
            #[expect(clippy::cast_precision_loss, reason = "as sprig reckons")]
            let left = super::cast::truncate((length as f64 % size as f64).floor());
            if count == 1 && left > 0 {
                return Err(FuncError::new("runtime error: index out of range [0] with length 0"));
            }
            Err(FuncError::new("runtime error: makeslice: len out of range"))
        }
    }
}

fn first(_: &mut dyn Runtime, args: Args<'_>) -> Result<Value, FuncError> {
    Ok(elements(args.value(0), "Cannot find first on type")?.into_iter().next().unwrap_or_default())
}

fn last(_: &mut dyn Runtime, args: Args<'_>) -> Result<Value, FuncError> {
    Ok(elements(args.value(0), "Cannot find last on type")?.pop().unwrap_or_default())
}

fn rest(runtime: &mut dyn Runtime, args: Args<'_>) -> Result<Value, FuncError> {
    let items = elements(args.value(0), "Cannot find rest on type")?;
    if items.is_empty() {
        return Ok(nil_list());
    }
    made(runtime, items[1..].to_vec())
}

fn initial(runtime: &mut dyn Runtime, args: Args<'_>) -> Result<Value, FuncError> {
    let mut items = elements(args.value(0), "Cannot find initial on type")?;
    if items.pop().is_none() {
        return Ok(nil_list());
    }
    made(runtime, items)
}

fn reverse(runtime: &mut dyn Runtime, args: Args<'_>) -> Result<Value, FuncError> {
    let mut items = elements(args.value(0), "Cannot find reverse on type")?;
    items.reverse();
    made(runtime, items)
}

fn compact(runtime: &mut dyn Runtime, args: Args<'_>) -> Result<Value, FuncError> {
    let mut items = elements(args.value(0), "Cannot compact on type")?;
    let mut failed = None;
    items.retain(|item| match empty(item) {
        Ok(empty) => !empty,
        Err(error) => {
            failed = Some(error);
            true
        }
    });
    failed.map_or_else(|| made(runtime, items), Err)
}

fn is_in(list: &[Value], wanted: &Value) -> Result<bool, FuncError> {
    for item in list {
        if wanted.deep_equal(item)? {
            return Ok(true);
        }
    }
    Ok(false)
}

fn uniq(runtime: &mut dyn Runtime, args: Args<'_>) -> Result<Value, FuncError> {
    let mut found: Vec<Value> = Vec::new();
    for item in elements(args.value(0), "Cannot find uniq on type")? {
        // The work grows with the square of the length.
        runtime.spend(found.len())?;
        if !is_in(&found, &item)? {
            found.push(item);
        }
    }
    made(runtime, found)
}

fn without(runtime: &mut dyn Runtime, args: Args<'_>) -> Result<Value, FuncError> {
    let mut left = Vec::new();
    for item in elements(args.value(0), "Cannot find without on type")? {
        if !is_in(args.rest(1), &item)? {
            left.push(item);
        }
    }
    made(runtime, left)
}

fn has(_: &mut dyn Runtime, args: Args<'_>) -> Result<Value, FuncError> {
    if matches!(args.value(1), Value::Nil) {
        return Ok(Value::Bool(false));
    }
    let items = elements(args.value(1), "Cannot find has on type")?;
    is_in(&items, args.value(0)).map(Value::Bool)
}

fn slice(_: &mut dyn Runtime, args: Args<'_>) -> Result<Value, FuncError> {
    let value = args.value(0);
    let items = elements(value, "list should be type of slice or array but")?;
    if items.is_empty() {
        return Ok(Value::Nil);
    }
    let start = args.rest(1).first().map_or(0, to_int64);
    let end = args.rest(1).get(1).map_or(i64::try_from(items.len()).unwrap_or(i64::MAX), to_int64);
    let (from, to) = match (usize::try_from(start), usize::try_from(end)) {
        (Ok(from), Ok(to)) if from <= to && to <= items.len() => (from, to),
        _ => return Err(FuncError::new("reflect.Value.Slice: slice index out of bounds")),
    };
    let typ = if let Value::List(list) = value { list.typ() } else { Type::Anys };
    Ok(Value::List(List::typed(typ, items[from..to].to_vec())))
}

fn concat(runtime: &mut dyn Runtime, args: Args<'_>) -> Result<Value, FuncError> {
    let mut joined = Vec::new();
    for value in args.rest(0) {
        match (items(value), value.kind()) {
            (Some(items), _) => joined.extend(items),
            (None, Kind::Invalid) => return Err(nil_pointer()),
            (None, kind) => return Err(FuncError::new(format!("Cannot concat type {} as list", kind.name()))),
        }
        runtime.spend(joined.len())?;
    }
    if joined.is_empty() {
        // `var res []interface{}` to which nothing was appended.
        return Ok(nil_list());
    }
    made(runtime, joined)
}
