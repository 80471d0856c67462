//! The editions of JSON Schema.

use crate::helm::value::{Map, Value};

/// The edition by its year or number: 4, 6, 7, 2019, 2020. Without `$schema` it is the newest.
pub(super) fn version(schema: &Value) -> u16 {
    let named = match schema {
        Value::Map(map) => map.get("$schema"),
        _ => None,
    };
    let Some(Value::Str(url)) = named else { return 2020 };
    let url = url.to_str().into_owned();
    for (mark, version) in [("draft-04", 4), ("draft-06", 6), ("draft-07", 7), ("2019-09", 2019)] {
        if url.contains(mark) {
            return version;
        }
    }
    2020
}

/// A keyword's value, if it is a map.
pub(super) fn map(schema: &Map, key: &str) -> Option<Map> {
    if let Some(Value::Map(map)) = schema.get(key) { Some(map) } else { None }
}

/// A keyword's value, if it is a list.
pub(super) fn list(schema: &Map, key: &str) -> Option<Vec<Value>> {
    if let Some(Value::List(list)) = schema.get(key) { Some(list.to_vec()) } else { None }
}

/// A keyword's value, if it is a string.
pub(super) fn text(schema: &Map, key: &str) -> Option<String> {
    if let Some(Value::Str(text)) = schema.get(key) { Some(text.to_str().into_owned()) } else { None }
}

/// A keyword's value, if it is a number.
pub(super) fn number(schema: &Map, key: &str) -> Option<f64> {
    schema.get(key).as_ref().and_then(super::instance::number)
}

/// A keyword's value, if it is a whole number.
#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "it is whole, and counts are not below zero")]
pub(super) fn count(schema: &Map, key: &str) -> Option<usize> {
    number(schema, key).filter(|number| number.fract() == 0.0).map(|number| number as usize)
}

/// Whether a keyword is true.
pub(super) fn truth(schema: &Map, key: &str) -> bool {
    matches!(schema.get(key), Some(Value::Bool(true)))
}

/// The strings of a keyword's list.
pub(super) fn texts(schema: &Map, key: &str) -> Option<Vec<String>> {
    let items = list(schema, key)?;
    Some(items.iter().filter_map(|item| if let Value::Str(text) = item { Some(text.to_str().into_owned()) } else { None }).collect())
}
