//! Defaults, choices and reflection: sprig's `defaults.go` and `reflect.go`.

use super::{Args, Func, FuncError, Runtime};
use crate::helm::value::{Kind, Type, Value};

/// The functions of this file.
pub(super) const TABLE: &[Func] = &[
    Func::variadic("default", &[Type::Any, Type::Any], default),
    Func::fixed("empty", &[Type::Any], |_, args| empty(args.value(0)).map(Value::Bool)),
    Func::variadic("coalesce", &[Type::Any], coalesce),
    Func::variadic("all", &[Type::Any], all),
    Func::variadic("any", &[Type::Any], any),
    Func::fixed("ternary", &[Type::Any, Type::Any, Type::Bool], |_, args| Ok(args.value(usize::from(!args.bool(2)?)).clone())),
    Func::fixed("typeOf", &[Type::Any], |_, args| Ok(Value::from(args.value(0).type_name()))),
    Func::fixed("typeIs", &[Type::String, Type::Any], |_, args| Ok(Value::Bool(*args.str(0)? == *args.value(1).type_name()))),
    Func::fixed("typeIsLike", &[Type::String, Type::Any], type_is_like),
    Func::fixed("kindOf", &[Type::Any], |_, args| Ok(Value::from(args.value(0).kind().name()))),
    Func::fixed("kindIs", &[Type::String, Type::Any], |_, args| Ok(Value::Bool(*args.str(0)? == *args.value(1).kind().name()))),
    Func::fixed("deepEqual", &[Type::Any, Type::Any], |_, args| args.value(0).deep_equal(args.value(1)).map(Value::Bool)),
    Func::fixed("deepCopy", &[Type::Any], deep_copy),
    Func::fixed("mustDeepCopy", &[Type::Any], deep_copy),
];

/// Whether a value is the zero of its type, sprig's `empty`. A struct never is.
pub(super) fn empty(value: &Value) -> Result<bool, FuncError> {
    Ok(match (value, value.kind()) {
        // Sprig asks a pointer whether it is nil: ours never are.
        (_, Kind::Struct | Kind::Ptr | Kind::Func) => false,
        _ => !value.truth(),
    })
}

fn default(_: &mut dyn Runtime, args: Args<'_>) -> Result<Value, FuncError> {
    match args.rest(1).first() {
        Some(given) if !empty(given)? => Ok(given.clone()),
        _ => Ok(args.value(0).clone()),
    }
}

/// The first value that is empty, or not.
fn first_that(values: &[Value], is_empty: bool) -> Result<Option<&Value>, FuncError> {
    for value in values {
        if empty(value)? == is_empty {
            return Ok(Some(value));
        }
    }
    Ok(None)
}

fn coalesce(_: &mut dyn Runtime, args: Args<'_>) -> Result<Value, FuncError> {
    Ok(first_that(args.rest(0), false)?.cloned().unwrap_or_default())
}

fn all(_: &mut dyn Runtime, args: Args<'_>) -> Result<Value, FuncError> {
    Ok(Value::Bool(first_that(args.rest(0), true)?.is_none()))
}

fn any(_: &mut dyn Runtime, args: Args<'_>) -> Result<Value, FuncError> {
    Ok(Value::Bool(first_that(args.rest(0), false)?.is_some()))
}

fn type_is_like(_: &mut dyn Runtime, args: Args<'_>) -> Result<Value, FuncError> {
    let (wanted, name) = (args.text(0)?, args.value(1).type_name());
    Ok(Value::Bool(wanted == name || name.strip_prefix('*').is_some_and(|name| wanted == name)))
}

fn deep_copy(_: &mut dyn Runtime, args: Args<'_>) -> Result<Value, FuncError> {
    match args.value(0) {
        Value::Nil => Err(FuncError::new("reflect: call of reflect.Value.Type on zero Value")),
        value => value.deep_copy(),
    }
}
