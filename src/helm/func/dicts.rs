//! Dictionaries: sprig's `dict.go`. They are changed in place, for all who share them.

use super::strings::strval;
use super::{Args, Func, FuncError, Runtime};
use crate::helm::value::{List, Map, Str, Type, Value};

/// The functions of this file.
pub(super) const TABLE: &[Func] = &[
    Func::variadic("dict", &[Type::Any], dict),
    Func::fixed("get", &[Type::Map, Type::String], |_, args| Ok(args.map(0)?.get(args.str(1)?).unwrap_or_else(|| Value::from("")))),
    Func::fixed("set", &[Type::Map, Type::String, Type::Any], set),
    Func::fixed("unset", &[Type::Map, Type::String], |_, args| {
        args.map(0)?.remove(args.str(1)?);
        Ok(unnamed(args.map(0)?))
    }),
    Func::fixed("hasKey", &[Type::Map, Type::String], |_, args| Ok(Value::Bool(args.map(0)?.has(args.str(1)?)))),
    Func::variadic("pluck", &[Type::String, Type::Map], pluck),
    Func::variadic("keys", &[Type::Map], keys),
    Func::fixed("values", &[Type::Map], |_, args| {
        Ok(Value::from(args.map(0)?.with(|entries| entries.values().cloned().collect::<Vec<_>>())))
    }),
    Func::variadic("pick", &[Type::Map, Type::String], pick),
    Func::variadic("omit", &[Type::Map, Type::String], omit),
    Func::variadic("dig", &[Type::Any], dig),
];

/// The same map under its plain type: a function that takes and gives `map[string]interface {}` makes one of `chartutil.Values`.
pub(super) fn unnamed(map: &Map) -> Value {
    Value::Map(map.clone())
}

fn dict(_: &mut dyn Runtime, args: Args<'_>) -> Result<Value, FuncError> {
    let map = Map::new();
    for pair in args.rest(0).chunks(2) {
        map.set(strval(&pair[0])?, pair.get(1).cloned().unwrap_or_else(|| Value::from("")));
    }
    Ok(Value::Map(map))
}

fn set(_: &mut dyn Runtime, args: Args<'_>) -> Result<Value, FuncError> {
    let map = args.map(0)?;
    if map.is_nil() {
        return Err(FuncError::new("assignment to entry in nil map"));
    }
    map.set(args.str(1)?.clone(), args.value(2).clone());
    Ok(unnamed(map))
}

fn maps(values: &[Value]) -> impl Iterator<Item = &Map> {
    values.iter().filter_map(|value| if let Value::Map(map) = value { Some(map) } else { None })
}

fn pluck(_: &mut dyn Runtime, args: Args<'_>) -> Result<Value, FuncError> {
    let key = args.str(0)?;
    Ok(Value::from(maps(args.rest(1)).filter_map(|map| map.get(key)).collect::<Vec<_>>()))
}

fn keys(_: &mut dyn Runtime, args: Args<'_>) -> Result<Value, FuncError> {
    // Go gives them in no order: ours is sorted.
    Ok(Value::List(List::strings(maps(args.rest(0)).flat_map(Map::keys))))
}

fn names(values: &[Value]) -> Vec<&Str> {
    values.iter().filter_map(|value| if let Value::Str(text) = value { Some(text) } else { None }).collect()
}

fn pick(_: &mut dyn Runtime, args: Args<'_>) -> Result<Value, FuncError> {
    let map = args.map(0)?;
    Ok(Value::Map(names(args.rest(1)).into_iter().filter_map(|key| Some((key.clone(), map.get(key)?))).collect()))
}

fn omit(_: &mut dyn Runtime, args: Args<'_>) -> Result<Value, FuncError> {
    let left = names(args.rest(1));
    Ok(Value::Map(args.map(0)?.to_vec().into_iter().filter(|(key, _)| !left.contains(&key)).collect()))
}

fn dig(_: &mut dyn Runtime, args: Args<'_>) -> Result<Value, FuncError> {
    let [path @ .., default, last] = args.rest(0) else { return Err(too_few()) };
    if path.is_empty() {
        return Err(too_few());
    }
    let mut found = last.clone();
    plain_map(&found)?;
    let mut names = Vec::with_capacity(path.len());
    for name in path {
        match name {
            Value::Str(name) => names.push(name),
            other => return Err(FuncError::new(conversion(other, "string"))),
        }
    }
    for name in names {
        match plain_map(&found)?.get(name) {
            Some(next) => found = next,
            None => return Ok(default.clone()),
        }
    }
    Ok(found)
}

fn too_few() -> FuncError {
    FuncError::new("dig needs at least three arguments")
}

/// `dig` takes a map of exactly this type; a named one such as `.Values` it doesn't.
fn plain_map(value: &Value) -> Result<&Map, FuncError> {
    match value {
        Value::Map(map) if map.typ() == Type::Map => Ok(map),
        other => Err(FuncError::new(conversion(other, "map[string]interface {}"))),
    }
}

/// What Go says when a value in an `interface {}` is not of the type that was asserted.
fn conversion(value: &Value, wanted: &str) -> String {
    let found = if matches!(value, Value::Nil) { "nil" } else { value.type_name() };
    format!("interface conversion: interface {{}} is {found}, not {wanted}")
}
