//! Values as JSON knows them.

use std::cmp::Ordering;

use crate::helm::json;
use crate::helm::value::Value;

/// The type's name.
pub(super) fn type_of(value: &Value) -> &'static str {
    match value {
        Value::Nil => "null",
        Value::Bool(_) => "boolean",
        Value::Int(..) | Value::Uint(..) | Value::Float(_) => "number",
        Value::Str(_) => "string",
        Value::List(_) => "array",
        Value::Map(_) | Value::Object(_) => "object",
    }
}

/// A number as a float; precise enough for what values hold.
#[expect(clippy::cast_precision_loss, reason = "schemas bound small numbers")]
pub(super) fn number(value: &Value) -> Option<f64> {
    match value {
        Value::Int(_, number) => Some(*number as f64),
        Value::Uint(_, number) => Some(*number as f64),
        Value::Float(number) => Some(*number),
        _ => None,
    }
}

pub(super) fn is_integer(value: &Value) -> bool {
    match value {
        Value::Int(..) | Value::Uint(..) => true,
        Value::Float(number) => number.fract() == 0.0,
        _ => false,
    }
}

/// A number without exponent where JSON has none.
pub(super) fn number_text(value: &Value) -> String {
    match value {
        Value::Int(_, number) => number.to_string(),
        Value::Uint(_, number) => number.to_string(),
        Value::Float(number) => json::format_float(*number).unwrap_or_else(|_| number.to_string()),
        _ => String::new(),
    }
}

/// `equals`: numbers by value, whatever their types.
pub(super) fn equals(one: &Value, two: &Value, depth: usize) -> bool {
    if depth > crate::helm::value::MAX_DEPTH {
        return false;
    }
    match (one, two) {
        (Value::Nil, Value::Nil) => true,
        (Value::Bool(one), Value::Bool(two)) => one == two,
        (Value::Str(one), Value::Str(two)) => one == two,
        (Value::List(one), Value::List(two)) => {
            one.len() == two.len() && one.to_vec().iter().zip(&two.to_vec()).all(|(one, two)| equals(one, two, depth + 1))
        }
        (Value::Map(one), Value::Map(two)) => {
            one.len() == two.len() && one.to_vec().iter().all(|(key, one)| two.get(key).is_some_and(|two| equals(one, &two, depth + 1)))
        }
        _ => match (number(one), number(two)) {
            (Some(one), Some(two)) => one.partial_cmp(&two) == Some(Ordering::Equal),
            _ => false,
        },
    }
}
