//! JSON by sprig's functions. `toJson` and `fromJson` themselves are Helm's own.

use super::{Args, Func, FuncError, Runtime};
use crate::helm::json::{marshal, marshal_indent, unmarshal};
use crate::helm::value::{Str, Type, Value};

/// The functions of this file.
pub(super) const TABLE: &[Func] = &[
    Func::fixed("mustToJson", &[Type::Any], |_, args| marshal(args.value(0), true).map(Value::Str)),
    Func::fixed("toPrettyJson", &[Type::Any], to_pretty_json),
    Func::fixed("mustToPrettyJson", &[Type::Any], |_, args| marshal_indent(args.value(0), true).map(Value::Str)),
    // Its error is a panic, which says the same.
    Func::fixed("toRawJson", &[Type::Any], |_, args| marshal(args.value(0), false).map(Value::Str)),
    Func::fixed("mustToRawJson", &[Type::Any], |_, args| marshal(args.value(0), false).map(Value::Str)),
    Func::fixed("mustFromJson", &[Type::String], |_, args| unmarshal(args.str(0)?.as_bytes()).map_err(FuncError::new)),
];

/// An error is swallowed, but for a limit of ours.
fn to_pretty_json(_: &mut dyn Runtime, args: Args<'_>) -> Result<Value, FuncError> {
    match marshal_indent(args.value(0), true) {
        Err(error) if error.is_limit() => Err(error),
        written => Ok(Value::Str(written.unwrap_or_else(|_| Str::from("")))),
    }
}
