//! The merged document for `meshform config`: as JSON, and as a list of where each value came from.

use serde_json::{Map, Value as Json};

use crate::diag::Place;
use crate::input::{Node, Style, Value};
use crate::stack::file::StackFile;
use crate::stack::interpolate::{self, Segment};
use crate::stack::vars::Values;

/// A value of the merged document.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Origin {
    /// Where it belongs: `certificates.edge.domain`, `certificates.edge.names[0]`.
    pub path: String,
    /// The value with variables put in, as YAML would write it on one line; a secret as its fingerprint.
    pub value: String,
    /// Where it was set. For a variable: where it is declared, even if its value was given elsewhere.
    pub place: Place,
    /// Where the values stand that it replaced, the oldest first.
    pub overrode: Vec<Place>,
}

/// Every leaf of the document with its origin, in the order of the document.
pub fn origins(file: &StackFile, values: &Values) -> Vec<Origin> {
    let mut found = Vec::new();
    collect(&file.node, String::new(), values, &mut found);
    found
}

/// The document with variables put in. Under `vars` stand the values in use, a secret as its fingerprint.
pub fn document(file: &StackFile, values: &Values) -> Json {
    json(&file.node, "", values)
}

fn collect(node: &Node, path: String, values: &Values, found: &mut Vec<Origin>) {
    match &node.value {
        Value::Map(entries) if !entries.is_empty() && values.declared(&path).is_none() => {
            for entry in entries {
                collect(&entry.value, join(&path, &entry.key), values, found);
            }
        }
        Value::List(items) if !items.is_empty() => {
            for (index, item) in items.iter().enumerate() {
                collect(item, format!("{path}[{index}]"), values, found);
            }
        }
        _ => {
            let value = json(node, &path, values).to_string();
            found.push(Origin { path, value, place: node.place.clone(), overrode: node.overrode.clone() });
        }
    }
}

/// A path one step deeper; a key with dots is quoted.
pub(super) fn join(path: &str, key: &str) -> String {
    let plain = !key.is_empty() && key.chars().all(|c| c.is_alphanumeric() || matches!(c, '_' | '-'));
    let key = if plain { key.to_owned() } else { format!("{key:?}") };
    if path.is_empty() { key } else { format!("{path}.{key}") }
}

fn json(node: &Node, path: &str, values: &Values) -> Json {
    if let Some(name) = values.declared(path) {
        return values.shown(name).map_or(Json::Null, Json::String);
    }
    match &node.value {
        Value::Map(entries) => {
            let entries = entries.iter().map(|entry| (entry.key.clone(), json(&entry.value, &join(path, &entry.key), values)));
            Json::Object(entries.collect::<Map<_, _>>())
        }
        Value::List(items) => Json::Array(items.iter().map(|item| json(item, path, values)).collect()),
        Value::Scalar { text, style: Style::Plain } => plain(text, values),
        Value::Scalar { text, .. } => Json::String(filled(text, values)),
    }
}

/// A plain scalar as YAML 1.2 reads it; numbers that would lose digits (an account's leading zeros) stay text.
fn plain(text: &str, values: &Values) -> Json {
    match text {
        "" | "~" | "null" | "Null" | "NULL" => Json::Null,
        "true" | "True" | "TRUE" => Json::Bool(true),
        "false" | "False" | "FALSE" => Json::Bool(false),
        _ => match text.parse::<i64>() {
            Ok(number) if number.to_string() == text => Json::from(number),
            _ => Json::String(filled(text, values)),
        },
    }
}

/// The text with variables put in; what can't be filled stays as written.
fn filled(text: &str, values: &Values) -> String {
    let Ok(segments) = interpolate::segments(text) else { return text.to_owned() };
    let mut out = String::new();
    for segment in segments {
        match segment {
            Segment::Literal(literal) => out.push_str(&literal),
            Segment::Reference { inner, .. } => {
                let value = inner.strip_prefix("vars.").and_then(|name| values.shown(name));
                out.push_str(&value.unwrap_or_else(|| format!("${{{inner}}}")));
            }
        }
    }
    out
}
