//! The editions of JSON Schema.

use crate::helm::func::url_scheme;
use crate::helm::strconv::quote;
use crate::helm::value::{Map, Value};

/// The edition by its year or number: 4, 6, 7, 2019, 2020. Without `$schema`, and where that is none of these, it is the newest.
pub(super) fn version(schema: &Value) -> u16 {
    named_version(schema).unwrap_or(2020)
}

/// The same; an edition that nobody knows is an error.
pub(super) fn named_version(schema: &Value) -> Result<u16, String> {
    let named = match schema {
        Value::Map(map) => text(map, "$schema"),
        _ => None,
    };
    let Some(url) = named else { return Ok(2020) };
    let bare = url.trim_end_matches('#');
    match bare.strip_prefix("http://").or_else(|| bare.strip_prefix("https://")).and_then(|bare| bare.strip_prefix("json-schema.org/")) {
        Some("draft-04/schema") => Ok(4),
        Some("draft-06/schema") => Ok(6),
        Some("draft-07/schema") => Ok(7),
        Some("draft/2019-09/schema") => Ok(2019),
        Some("draft/2020-12/schema" | "schema") => Ok(2020),
        // What is no address is told by the schema of schemas.
        _ if url_scheme(&url).is_none_or(|scheme| scheme.is_empty()) => Ok(2020),
        _ => {
            Err(format!("failing loading {}: it is no edition of JSON Schema that is known here (4, 6, 7, 2019-09, 2020-12)", quote(bare)))
        }
    }
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
