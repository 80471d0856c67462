//! Go's own functions: `text/template/funcs.go`.

use super::compare::{eq, le, lt};
use super::escape;
use super::operand::{Operand, nil_of};
use crate::helm::fmt;
use crate::helm::func::{Args, Func, FuncError, Runtime};
use crate::helm::value::{List, Str, Type, Value};

/// The table. What takes `reflect.Value`s is evaluated with operands by [`reflect`], which needs to know how a value is held.
pub(crate) const FUNCS: &[Func] = &[
    Func::variadic("and", &[Type::Reflect, Type::Reflect], unreachable),
    Func::variadic("call", &[Type::Reflect, Type::Reflect], unreachable),
    Func::variadic("eq", &[Type::Reflect, Type::Reflect], unreachable),
    Func::fixed("ge", &[Type::Reflect, Type::Reflect], unreachable),
    Func::fixed("gt", &[Type::Reflect, Type::Reflect], unreachable),
    Func::variadic("html", &[Type::Any], html),
    Func::variadic("index", &[Type::Reflect, Type::Reflect], unreachable),
    Func::variadic("js", &[Type::Any], js),
    Func::fixed("le", &[Type::Reflect, Type::Reflect], unreachable),
    Func::fixed("len", &[Type::Reflect], unreachable),
    Func::fixed("lt", &[Type::Reflect, Type::Reflect], unreachable),
    Func::fixed("ne", &[Type::Reflect, Type::Reflect], unreachable),
    Func::fixed("not", &[Type::Reflect], unreachable),
    Func::variadic("or", &[Type::Reflect, Type::Reflect], unreachable),
    Func::variadic("print", &[Type::Any], print),
    Func::variadic("printf", &[Type::String, Type::Any], printf),
    Func::variadic("println", &[Type::Any], println),
    Func::variadic("slice", &[Type::Reflect, Type::Reflect], unreachable),
    Func::variadic("urlquery", &[Type::Any], urlquery),
];

/// Never called: the evaluator takes these functions to [`reflect`].
fn unreachable(_: &mut dyn Runtime, _: Args<'_>) -> Result<Value, FuncError> {
    Err(FuncError::new("not callable with plain values"))
}

fn print(_: &mut dyn Runtime, args: Args<'_>) -> Result<Value, FuncError> {
    Ok(Value::Str(fmt::sprint(args.rest(0))?))
}

fn println(_: &mut dyn Runtime, args: Args<'_>) -> Result<Value, FuncError> {
    Ok(Value::Str(fmt::sprintln(args.rest(0))?))
}

fn printf(runtime: &mut dyn Runtime, args: Args<'_>) -> Result<Value, FuncError> {
    Ok(Value::Str(fmt::sprintf(runtime, args.str(0)?, args.rest(1))?))
}

fn html(_: &mut dyn Runtime, args: Args<'_>) -> Result<Value, FuncError> {
    Ok(Value::str(escape::html(eval_args(args)?.as_bytes())))
}

fn js(_: &mut dyn Runtime, args: Args<'_>) -> Result<Value, FuncError> {
    Ok(Value::str(escape::js(eval_args(args)?.as_bytes())))
}

fn urlquery(_: &mut dyn Runtime, args: Args<'_>) -> Result<Value, FuncError> {
    Ok(Value::str(escape::query_escape(eval_args(args)?.as_bytes())))
}

/// `evalArgs`: one string as it is, else as `print`, with `<no value>` for nil.
fn eval_args(args: Args<'_>) -> Result<Str, FuncError> {
    let shown: Vec<Value> =
        args.rest(0).iter().map(|arg| if matches!(arg, Value::Nil) { Value::from("<no value>") } else { arg.clone() }).collect();
    fmt::sprint(&shown)
}

/// Calls one of the functions that take `reflect.Value`s.
pub(super) fn reflect(name: &str, operands: &[Operand]) -> Result<Operand, FuncError> {
    let truth = |truth: bool| Ok(Operand::direct(Value::Bool(truth)));
    match (name, operands) {
        ("not", [one]) => truth(!one.value.truth()),
        ("eq", all) => truth(eq(all)?),
        ("ne", all) => truth(!eq(all)?),
        ("lt", [one, two]) => truth(lt(one, two)?),
        ("le", [one, two]) => truth(le(one, two)?),
        ("gt", [one, two]) => truth(!le(one, two)?),
        ("ge", [one, two]) => truth(!lt(one, two)?),
        ("len", [one]) => length(one),
        ("index", [item, indexes @ ..]) => index(item, indexes),
        ("slice", [item, indexes @ ..]) => slice(item, indexes),
        _ => Err(FuncError::new(format!("no function {name}"))),
    }
}

/// `call`: no value of a template is a function.
pub(super) fn call(name: &str, operands: &[Operand]) -> Result<Operand, FuncError> {
    match operands.first().map(|operand| operand.clone().unwrap()) {
        Some(operand) if operand.is_valid() => Err(FuncError::new(format!("non-function {name} of type {}", operand.type_name()))),
        _ => Err(FuncError::new("call of nil")),
    }
}

fn size(value: &Value) -> Option<usize> {
    match value {
        Value::Str(text) => Some(text.len()),
        Value::List(list) => Some(list.len()),
        Value::Map(map) => Some(map.len()),
        Value::Object(object) => object.entries().map(|entries| entries.len()).or_else(|| object.items().map(|items| items.len())),
        _ => None,
    }
}

fn length(item: &Operand) -> Result<Operand, FuncError> {
    if item.is_nil_interface() {
        return Err(FuncError::new("len of nil pointer"));
    }
    if !item.is_valid() {
        return Err(FuncError::new("reflect: call of reflect.Value.Type on zero Value"));
    }
    match size(&item.value) {
        Some(size) => Ok(Operand::direct(Value::int(i64::try_from(size).unwrap_or(i64::MAX)))),
        None => Err(FuncError::new(format!("len of type {}", item.value.type_name()))),
    }
}

/// `indexArg`: an index within a length.
fn index_arg(operand: &Operand, length: usize) -> Result<usize, FuncError> {
    let operand = operand.clone().unwrap();
    let number = match &operand.value {
        Value::Int(_, number) => i128::from(*number),
        Value::Uint(_, number) => i128::from(*number),
        Value::Nil => return Err(FuncError::new("cannot index slice/array with nil")),
        other => return Err(FuncError::new(format!("cannot index slice/array with type {}", other.type_name()))),
    };
    usize::try_from(number).ok().filter(|index| *index <= length).ok_or_else(|| FuncError::new(format!("index out of range: {number}")))
}

fn index(item: &Operand, indexes: &[Operand]) -> Result<Operand, FuncError> {
    let mut item = item.clone().unwrap();
    if !item.is_valid() {
        return Err(FuncError::new("index of untyped nil"));
    }
    for index in indexes {
        item = item.unwrap();
        if !item.is_valid() {
            return Err(FuncError::new("index of nil pointer"));
        }
        item = index_one(&item, index)?;
    }
    Ok(item)
}

fn index_one(item: &Operand, index: &Operand) -> Result<Operand, FuncError> {
    let out_of_range =
        |at: usize| FuncError::new(format!("reflect: {} index out of range", if at == usize::MAX { "string" } else { "slice" }));
    match &item.value {
        Value::Str(text) => {
            let at = index_arg(index, text.len())?;
            let byte = text.as_bytes().get(at).ok_or_else(|| out_of_range(usize::MAX))?;
            Ok(Operand::direct(Value::Uint(Type::Uint8, u64::from(*byte))))
        }
        Value::List(list) => {
            let at = index_arg(index, list.len())?;
            let value = list.get(at).ok_or_else(|| out_of_range(at))?;
            Ok(Operand::element(value, list.typ().elem()))
        }
        Value::Map(map) => {
            let key = map_key(index)?;
            let elem = map.typ().elem();
            Ok(match map.get(&key) {
                Some(value) => Operand::element(value, elem),
                None if elem == Type::String => Operand::direct(Value::from("")),
                None => Operand::element(nil_of(elem), elem),
            })
        }
        Value::Object(object) => {
            if let Some(entries) = object.entries() {
                let key = map_key(index)?;
                let found = entries.into_iter().find(|(name, _)| *name == key).map(|(_, value)| value);
                return Ok(Operand::direct(found.unwrap_or_else(|| nil_of(Type::Bytes))));
            }
            if let Some(items) = object.items() {
                let at = index_arg(index, items.len())?;
                return items.get(at).cloned().map(Operand::direct).ok_or_else(|| out_of_range(at));
            }
            Err(FuncError::new(format!("can't index item of type {}", item.type_name())))
        }
        other => Err(FuncError::new(format!("can't index item of type {}", other.type_name()))),
    }
}

/// `prepareArg` for a string key.
fn map_key(index: &Operand) -> Result<Str, FuncError> {
    let index = index.clone().unwrap();
    match &index.value {
        Value::Str(key) => Ok(key.clone()),
        Value::Nil => Err(FuncError::new("value is nil; should be of type string")),
        other => Err(FuncError::new(format!("value has type {}; should be string", other.type_name()))),
    }
}

fn slice(item: &Operand, indexes: &[Operand]) -> Result<Operand, FuncError> {
    let item = item.clone().unwrap();
    if !item.is_valid() {
        return Err(FuncError::new("slice of untyped nil"));
    }
    if indexes.len() > 3 {
        return Err(FuncError::new(format!("too many slice indexes: {}", indexes.len())));
    }
    let length = match &item.value {
        Value::Str(_) if indexes.len() == 3 => return Err(FuncError::new("cannot 3-index slice a string")),
        Value::Str(text) => text.len(),
        Value::List(list) => list.len(),
        other => return Err(FuncError::new(format!("can't slice item of type {}", other.type_name()))),
    };
    let mut bounds = vec![0, length];
    for (at, index) in indexes.iter().enumerate() {
        let bound = index_arg(index, length)?;
        if at < bounds.len() { bounds[at] = bound } else { bounds.push(bound) }
    }
    for pair in bounds.windows(2) {
        if pair[0] > pair[1] {
            return Err(FuncError::new(format!("invalid slice index: {} > {}", pair[0], pair[1])));
        }
    }
    let range = bounds[0]..bounds[1];
    Ok(Operand::direct(match &item.value {
        Value::Str(text) => Value::str(&text.as_bytes()[range]),
        Value::List(list) => Value::List(List::typed(list.typ(), list.with(|items| items[range].to_vec()))),
        _ => Value::Nil,
    }))
}
