//! What a YAML document says, with numbers as they were read.

use crate::helm::json;
use crate::helm::strconv::{format_float, quote};
use crate::helm::value::{List, Map, Str, Type, Value};

/// A value of YAML 1.1.
#[derive(Debug, Clone, PartialEq)]
pub enum Node {
    /// null
    Null,
    /// A boolean, `yes` and `on` included.
    Bool(bool),
    /// An integer.
    Int(i64),
    /// An integer beyond `i64`.
    Uint(u64),
    /// A float.
    Float(f64),
    /// A string, or a timestamp.
    Str(String),
    /// A list.
    List(Vec<Node>),
    /// A map, its keys made strings, the last of equal keys kept.
    Map(Vec<(String, Node)>),
}

impl Node {
    /// What `json.Unmarshal` makes of it: all numbers floats. NaN and infinities are errors of JSON.
    pub fn into_value(self) -> Result<Value, String> {
        #[expect(clippy::cast_precision_loss, reason = "Go reads the digits as a float64, too")]
        Ok(match self {
            Self::Null => Value::Nil,
            Self::Bool(truth) => Value::Bool(truth),
            Self::Int(number) => Value::Float(number as f64),
            Self::Uint(number) => Value::Float(number as f64),
            Self::Float(number) if number.is_finite() => Value::Float(number),
            Self::Float(number) => return Err(format!("json: unsupported value: {}", format_float(number, b'g', -1))),
            Self::Str(text) => Value::from(text),
            Self::List(items) => Value::List(List::new(items.into_iter().map(Self::into_value).collect::<Result<_, _>>()?)),
            Self::Map(entries) => {
                let entries = entries.into_iter().map(|(key, node)| Ok((Str::from(key), node.into_value()?)));
                Value::Map(Map::typed(Type::Map, entries.collect::<Result<_, String>>()?))
            }
        })
    }

    /// What a Go string field takes of it: sigs.k8s.io/yaml makes text of numbers and booleans there.
    #[must_use]
    pub fn to_text(&self) -> Option<String> {
        Some(match self {
            Self::Str(text) => text.clone(),
            Self::Bool(truth) => truth.to_string(),
            Self::Int(number) => number.to_string(),
            Self::Uint(number) => number.to_string(),
            Self::Float(number) => json::format_float32(*number),
            Self::Null | Self::List(_) | Self::Map(_) => return None,
        })
    }

    /// What `%#v` prints.
    #[must_use]
    pub fn go_syntax(&self) -> String {
        let inner = |node: &Self| if matches!(node, Self::Null) { "interface {}(nil)".to_owned() } else { node.go_syntax() };
        match self {
            Self::Null => "<nil>".to_owned(),
            Self::Bool(truth) => truth.to_string(),
            Self::Int(number) => number.to_string(),
            Self::Uint(number) => format!("{number:#x}"),
            Self::Float(number) => format_float(*number, b'g', -1),
            Self::Str(text) => quote(text),
            Self::List(items) => format!("[]interface {{}}{{{}}}", items.iter().map(inner).collect::<Vec<_>>().join(", ")),
            Self::Map(entries) => {
                let entries: Vec<String> = entries.iter().map(|(key, node)| format!("{}:{}", quote(key), inner(node))).collect();
                format!("map[interface {{}}]interface {{}}{{{}}}", entries.join(", "))
            }
        }
    }

    /// One entry of a map.
    #[must_use]
    pub fn get(&self, key: &str) -> Option<&Self> {
        match self {
            Self::Map(entries) => entries.iter().find(|(name, _)| name == key).map(|(_, node)| node),
            _ => None,
        }
    }

    /// What JSON calls it in an error.
    #[must_use]
    pub fn json_kind(&self) -> &'static str {
        match self {
            Self::Null => "null",
            Self::Bool(_) => "bool",
            Self::Int(_) | Self::Uint(_) | Self::Float(_) => "number",
            Self::Str(_) => "string",
            Self::List(_) => "array",
            Self::Map(_) => "object",
        }
    }
}
