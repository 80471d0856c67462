//! YAML as Helm reads and writes it: sigs.k8s.io/yaml over go.yaml.in/yaml/v2, and v3 for `toYamlPretty`.

mod build;
mod emit;
mod event;
mod keys;
mod lines;
mod node;
mod quick;
mod read;
mod resolve;
mod scalar;
mod scan;
mod scan_mark;
mod scan_scalar;
mod token;

pub use node::Node;

use super::func::FuncError;
use super::value::{Map, Str, Value};

/// `yaml.Marshal` of sigs.k8s.io/yaml: through JSON, sorted, lists flush with their key, lines folded at 80.
pub fn marshal(value: &Value) -> Result<Str, FuncError> {
    emit::marshal(value, emit::Flavour::Sigs)
}

/// The encoder of yaml/v3 with an indent of two: lists are indented, lines never folded.
pub fn marshal_pretty(value: &Value) -> Result<Str, FuncError> {
    emit::marshal(value, emit::Flavour::Pretty)
}

/// Reads the first document of a text; null where there is none. The error is Go's, where its cause is ours to know.
pub fn parse(text: &[u8]) -> Result<Node, String> {
    quick::read(text).map_or_else(|| read::parse(text), Ok)
}

/// `yaml.Unmarshal` into an `interface {}`: every number becomes a `float64`. The error is Go's, where its cause is ours to know.
pub fn unmarshal(text: &[u8]) -> Result<Value, String> {
    if let Some(value) = quick::read(text) {
        return Ok(value);
    }
    read::parse(text)?.into_value().map_err(|error| format!("error converting YAML to JSON: {error}"))
}

/// `yaml.Unmarshal` into a `map[string]interface {}`; none for an empty or null document.
pub fn unmarshal_map(text: &[u8]) -> Result<Option<Map>, String> {
    match unmarshal(text)? {
        Value::Nil => Ok(None),
        Value::Map(map) => Ok(Some(map)),
        other => Err(mismatch(&other, "map[string]interface {}")),
    }
}

/// Go's complaint about JSON of another type than wanted.
#[must_use]
pub fn mismatch(value: &Value, wanted: &str) -> String {
    let kind = match value {
        Value::Bool(_) => "bool",
        Value::Float(_) | Value::Int(..) | Value::Uint(..) => "number",
        Value::Str(_) => "string",
        Value::List(_) => "array",
        _ => "object",
    };
    format!("error unmarshaling JSON: while decoding JSON: json: cannot unmarshal {kind} into Go value of type {wanted}")
}
