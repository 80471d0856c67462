//! Bodies of requests: JSON, or the YAML that an apply may have.

use std::sync::Arc;

use serde::de::{self, DeserializeSeed, MapAccess, SeqAccess, Visitor};
use serde_json::{Map, Value};

use super::status::{Outcome, Refusal};
use crate::diag::Diagnostics;
use crate::input::{self, Node, Style};

/// The most bytes that are read (k8s.io/apiserver: `MaxRequestBodyBytes`).
pub(super) const MOST: usize = 3 * 1024 * 1024;

/// A body as JSON, and the fields that stand in it twice.
pub(super) struct Read {
    /// The content.
    pub(super) value: Value,
    /// Names of fields that were given more than once, of which the last counts.
    pub(super) doubled: Vec<String>,
}

/// Reads JSON.
pub(super) fn json(bytes: &[u8]) -> Result<Read, String> {
    let mut doubled = Vec::new();
    let mut reader = serde_json::Deserializer::from_slice(bytes);
    let seed = Seed { path: String::new(), doubled: &mut doubled };
    let read = seed.deserialize(&mut reader).and_then(|value| reader.end().map(|()| value));
    // The position is told, never the text: it may be a secret's.
    let value = read.map_err(|error| format!("invalid JSON at line {}, column {}", error.line(), error.column()))?;
    Ok(Read { value, doubled })
}

/// Reads the body of an apply: YAML, of which JSON is a part.
pub(super) fn yaml(bytes: &[u8]) -> Outcome<Read> {
    if let Ok(read) = json(bytes) {
        return Ok(read);
    }
    let mut diags = Diagnostics::default();
    let node = input::read(&Arc::from("body"), bytes, &mut diags)
        .map_err(|_| Refusal::bad_request("error decoding YAML: error converting YAML to JSON: yaml: it can't be read"))?;
    Ok(Read { value: value_of(&node), doubled: Vec::new() })
}

/// A node as JSON, with scalars as YAML 1.1 has them (sigs.k8s.io/yaml).
fn value_of(node: &Node) -> Value {
    match &node.value {
        input::Value::Scalar { text, style: Style::Plain } => plain(text),
        input::Value::Scalar { text, .. } => Value::String(text.clone()),
        input::Value::List(items) => Value::Array(items.iter().map(value_of).collect()),
        input::Value::Map(entries) => Value::Object(entries.iter().map(|entry| (entry.key.clone(), value_of(&entry.value))).collect()),
    }
}

fn plain(text: &str) -> Value {
    match text {
        "" | "~" | "null" | "Null" | "NULL" => return Value::Null,
        "true" | "True" | "TRUE" | "yes" | "Yes" | "YES" | "on" | "On" | "ON" => return Value::Bool(true),
        "false" | "False" | "FALSE" | "no" | "No" | "NO" | "off" | "Off" | "OFF" => return Value::Bool(false),
        _ => {}
    }
    let digits = text.strip_prefix(['-', '+']).unwrap_or(text);
    let decimal = digits == "0" || (!digits.starts_with('0') && !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit()));
    if decimal && let Ok(number) = text.trim_start_matches('+').parse::<i64>() {
        return number.into();
    }
    let float = digits.contains(['.', 'e', 'E']) && digits.starts_with(|c: char| c.is_ascii_digit() || c == '.');
    if float && let Some(number) = text.parse().ok().and_then(serde_json::Number::from_f64) {
        return Value::Number(number);
    }
    Value::String(text.to_owned())
}

/// Reads a value, and notes the fields that come twice. Depth is bounded by the reader.
struct Seed<'d> {
    path: String,
    doubled: &'d mut Vec<String>,
}

impl<'de> DeserializeSeed<'de> for Seed<'_> {
    type Value = Value;

    fn deserialize<D: de::Deserializer<'de>>(self, deserializer: D) -> Result<Value, D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Seed<'_> {
    type Value = Value;

    fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("a JSON value")
    }

    fn visit_bool<E>(self, value: bool) -> Result<Value, E> {
        Ok(Value::Bool(value))
    }

    fn visit_i64<E>(self, value: i64) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_u64<E>(self, value: u64) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_f64<E>(self, value: f64) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_str<E>(self, value: &str) -> Result<Value, E> {
        Ok(Value::String(value.to_owned()))
    }

    fn visit_unit<E>(self) -> Result<Value, E> {
        Ok(Value::Null)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Value, A::Error> {
        let mut items = Vec::new();
        while let Some(item) =
            list.next_element_seed(Seed { path: format!("{}[{}]", self.path, items.len()), doubled: &mut *self.doubled })?
        {
            items.push(item);
        }
        Ok(Value::Array(items))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Value, A::Error> {
        let mut fields = Map::new();
        while let Some(key) = map.next_key::<String>()? {
            let path = if self.path.is_empty() { key.clone() } else { format!("{}.{key}", self.path) };
            if fields.contains_key(&key) {
                self.doubled.push(path.clone());
            }
            let value = map.next_value_seed(Seed { path, doubled: &mut *self.doubled })?;
            fields.insert(key, value);
        }
        Ok(Value::Object(fields))
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn fields_that_come_twice_are_noted() {
        let read = json(br#"{"a": 1, "b": {"c": [{"d": 1, "d": 2}]}, "a": 3}"#).unwrap();
        assert_eq!(read.doubled, ["b.c[0].d", "a"]);
        assert_eq!(read.value, serde_json::json!({"a": 3, "b": {"c": [{"d": 2}]}}));
    }

    #[test]
    fn a_body_that_is_nested_too_deeply_is_refused() {
        let deep = format!("{}{}", "[".repeat(100_000), "]".repeat(100_000));
        assert!(json(deep.as_bytes()).is_err());
        assert!(yaml(deep.as_bytes()).is_err());
    }

    #[test]
    fn yaml_is_read_as_kubernetes_reads_it() {
        let read = yaml(b"a: yes\nb: \"yes\"\nc: 1\nd: 1.5\ne: ~\nf: 010x\ng: [x, -3]\n").unwrap();
        assert_eq!(read.value, serde_json::json!({"a": true, "b": "yes", "c": 1, "d": 1.5, "e": null, "f": "010x", "g": ["x", -3]}));
    }
}
