//! Reading an object as its type: what a real API server's decoder refuses, prunes, and writes although nobody gave it.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use jiff::Timestamp;
use serde_json::{Map, Value};

use super::{Field, Items, Scalar, Shape, Struct, Type, Written};
use crate::sandbox::kube::quantity;

/// An object doesn't have the form of its kind.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub(in crate::sandbox::kube) enum DecodeError {
    /// A value of another type.
    #[error("json: cannot unmarshal {found} into Go struct field {place} of type {wanted}")]
    Type {
        /// What is there.
        found: &'static str,
        /// The struct and the fields that lead there.
        place: String,
        /// What should be there, as Go calls it.
        wanted: String,
    },
    /// Not base64.
    #[error("illegal base64 data at input byte {0}")]
    Base64(usize),
    /// Not a time.
    #[error("parsing time {0:?} as \"2006-01-02T15:04:05Z07:00\": cannot parse {0:?} as \"2006\"")]
    Time(String),
    /// Not a quantity.
    #[error("quantities must match the regular expression '^([+-]?[0-9.]+)([eEinumkKMGTP]*[-+]?[0-9]*)$'")]
    Quantity,
}

/// Reads an object as its type: checks values, brings them into the form in which the server keeps them, removes nulls and what the type
/// doesn't know, and returns the names of the latter.
pub(in crate::sandbox::kube) fn decode(of: &Type, object: &mut Value) -> Result<Vec<String>, DecodeError> {
    let root = of.fields().map_or_else(String::new, |fields| fields.name.clone());
    let mut reader = Reader { root, lenient: false, unknown: Vec::new() };
    reader.read(of, object, "")?;
    Ok(reader.unknown)
}

/// As [`decode`] for a custom kind: values of the wrong type stay, as its schema is what refuses them.
pub(in crate::sandbox::kube) fn decode_custom(of: &Type, object: &mut Value) -> Result<Vec<String>, DecodeError> {
    if let Some(metadata) = object.get_mut("metadata") {
        let mut reader = Reader { root: "ObjectMeta".to_owned(), lenient: false, unknown: Vec::new() };
        reader.read(&Type::built_in("meta.v1.ObjectMeta"), metadata, "")?;
    }
    let mut reader = Reader { root: String::new(), lenient: true, unknown: Vec::new() };
    reader.read(of, object, "")?;
    Ok(reader.unknown)
}

struct Reader {
    root: String,
    lenient: bool,
    unknown: Vec<String>,
}

impl Reader {
    fn read(&mut self, of: &Type, value: &mut Value, path: &str) -> Result<(), DecodeError> {
        match (of.shape(Some(value)), value) {
            (Shape::Object { fields, others, .. }, Value::Object(map)) => self.read_object(fields, others, map, path),
            (Shape::List { of, by }, Value::Array(list)) => {
                for (index, item) in list.iter_mut().enumerate() {
                    let path =
                        if *by == Items::Atomic || matches!(item, Value::Object(_)) { format!("{path}[{index}]") } else { path.to_owned() };
                    self.read(of, item, &path)?;
                }
                Ok(())
            }
            (Shape::Scalar(Some(scalar)), value) => self.read_scalar(scalar, value, path),
            (Shape::Scalar(None), _) => Ok(()),
            (_, value) => self.wrong(value, path, wanted(of)),
        }
    }

    fn read_object(
        &mut self,
        fields: Option<&Struct>,
        others: Option<&Type>,
        map: &mut Map<String, Value>,
        path: &str,
    ) -> Result<(), DecodeError> {
        let is_map = fields.is_none();
        // Nothing is the zero value of Go: of a field it is absence, of a map's key an empty value.
        map.retain(|_, value| is_map || self.lenient || !value.is_null());
        let mut foreign = Vec::new();
        let outer = fields.map(|fields| std::mem::replace(&mut self.root, fields.name.clone()));
        for (key, value) in map.iter_mut() {
            let inner = if path.is_empty() { key.clone() } else { format!("{path}.{key}") };
            match fields.and_then(|fields| fields.fields.get(key)).map(|field| &field.of).or(others) {
                Some(Type::Scalar(Scalar::String | Scalar::Bytes)) if value.is_null() => *value = Value::String(String::new()),
                // Go's decoder doesn't name the keys of maps.
                Some(of) => self.read(of, value, if is_map { path } else { &inner })?,
                None => {
                    self.unknown.push(inner);
                    foreign.push(key.clone());
                }
            }
        }
        for key in foreign {
            map.shift_remove(&key);
        }
        if let Some(outer) = outer {
            self.root = outer;
        }
        Ok(())
    }

    fn read_scalar(&self, scalar: Scalar, value: &mut Value, path: &str) -> Result<(), DecodeError> {
        let fits = match (scalar, &*value) {
            (Scalar::Bool, Value::Bool(_))
            | (Scalar::Number, Value::Number(_))
            | (Scalar::String | Scalar::IntOrString, Value::String(_)) => true,
            (Scalar::Int32 | Scalar::IntOrString, Value::Number(number)) => number.as_i64().is_some_and(|n| i32::try_from(n).is_ok()),
            (Scalar::Int64, Value::Number(number)) => number.as_i64().is_some(),
            (Scalar::Bytes, Value::String(text)) => {
                // Go skips line ends inside base64.
                let text: String = text.chars().filter(|c| !matches!(c, '\r' | '\n')).collect();
                let decoded = STANDARD.decode(&text).map_err(|error| DecodeError::Base64(position(&error, &text)))?;
                *value = Value::String(STANDARD.encode(decoded));
                true
            }
            (Scalar::Time, Value::String(text)) => {
                let time: Timestamp = text.parse().map_err(|_| DecodeError::Time(text.clone()))?;
                *value = Value::String(time.strftime("%Y-%m-%dT%H:%M:%SZ").to_string());
                true
            }
            (Scalar::MicroTime, Value::String(text)) => {
                let time: Timestamp = text.parse().map_err(|_| DecodeError::Time(text.clone()))?;
                *value = Value::String(time.strftime("%Y-%m-%dT%H:%M:%S.%6fZ").to_string());
                true
            }
            (Scalar::Quantity, Value::String(_) | Value::Number(_)) => {
                let text = value.as_str().map_or_else(|| value.to_string(), str::to_owned);
                *value = Value::String(quantity::canonical(&text).ok_or(DecodeError::Quantity)?);
                true
            }
            _ => false,
        };
        if fits { Ok(()) } else { self.wrong(value, path, name_of(scalar).to_owned()) }
    }

    fn wrong(&self, value: &Value, path: &str, wanted: String) -> Result<(), DecodeError> {
        if self.lenient {
            return Ok(());
        }
        Err(DecodeError::Type { found: found(value), place: format!("{}.{}", self.root, go_path(path)), wanted })
    }
}

/// Brings an object into the form in which the server writes it: structs that aren't pointers in Go, and fields that must be given, are always
/// there, if only as nothing, whereas other empty maps and lists, and zeros of many fields, never are.
pub(in crate::sandbox::kube) fn settle(of: &Type, value: &mut Value) {
    match (of.shape(Some(value)), value) {
        (Shape::Object { fields, others, .. }, Value::Object(map)) => {
            if let (Some(fields), Type::Named { .. }) = (fields, of) {
                map.retain(|key, value| fields.fields.get(key).is_none_or(|field| is_written(field, value)));
                let absent: Vec<(&String, &Field)> = fields.fields.iter().filter(|(name, _)| !map.contains_key(*name)).collect();
                for (name, field) in absent {
                    if field.default.as_ref().is_some_and(Value::is_object) || field.required || field.written == Written::Always {
                        map.insert(name.clone(), field.default.clone().unwrap_or_default());
                    }
                }
            }
            for (key, value) in map.iter_mut() {
                if let Some(of) = fields.and_then(|fields| fields.fields.get(key)).map(|field| &field.of).or(others) {
                    settle(of, value);
                }
            }
        }
        (Shape::List { of, .. }, Value::Array(list)) => list.iter_mut().for_each(|item| settle(of, item)),
        _ => {}
    }
}

fn is_written(field: &Field, value: &Value) -> bool {
    match (field.written, value) {
        (_, Value::Null) => false,
        (Written::AsGiven | Written::Always, Value::Object(map)) => !map.is_empty() || !matches!(field.of, Type::Map { .. }),
        (Written::AsGiven | Written::Always, Value::Array(list)) => !list.is_empty(),
        (Written::UnlessZero, Value::String(text)) => !text.is_empty(),
        (Written::UnlessZero, Value::Bool(yes)) => *yes,
        (Written::UnlessZero, Value::Number(number)) => number.as_f64() != Some(0.0),
        _ => true,
    }
}

fn position(error: &base64::DecodeError, text: &str) -> usize {
    match error {
        base64::DecodeError::InvalidByte(at, _) | base64::DecodeError::InvalidLastSymbol(at, _) => *at,
        // Go names the end of the last whole group.
        _ => text.len() / 4 * 4,
    }
}

/// The path as Go's decoder names it: without indexes and keys of maps it can't always know.
fn go_path(path: &str) -> String {
    let mut plain = String::new();
    let mut skip = false;
    for c in path.chars() {
        match c {
            '[' => skip = true,
            ']' => skip = false,
            c if !skip => plain.push(c),
            _ => {}
        }
    }
    plain
}

fn found(value: &Value) -> &'static str {
    match value {
        Value::Null => "null",
        Value::Bool(_) => "bool",
        Value::Number(_) => "number",
        Value::String(_) => "string",
        Value::Array(_) => "array",
        Value::Object(_) => "object",
    }
}

fn wanted(of: &Type) -> String {
    match of {
        Type::Map { of, .. } => format!("map[string]{}", wanted(of)),
        Type::List { of, .. } => format!("[]{}", wanted(of)),
        Type::Scalar(scalar) => name_of(*scalar).to_owned(),
        Type::Named { name, .. } => {
            let mut parts = name.rsplit('.');
            let (name, version) = (parts.next().unwrap_or_default(), parts.next().unwrap_or_default());
            format!("{version}.{name}")
        }
        _ => "object".to_owned(),
    }
}

fn name_of(scalar: Scalar) -> &'static str {
    match scalar {
        Scalar::String => "string",
        Scalar::Bytes => "[]uint8",
        Scalar::Bool => "bool",
        Scalar::Int32 => "int32",
        Scalar::Int64 => "int64",
        Scalar::Number => "float64",
        Scalar::Time => "v1.Time",
        Scalar::MicroTime => "v1.MicroTime",
        Scalar::Quantity => "resource.Quantity",
        Scalar::IntOrString => "intstr.IntOrString",
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn unknown_fields_are_removed_and_named() {
        let mut secret = json!({"metadata": {"name": "a", "foo": 1}, "dat": {"a": 1}, "type": null});
        let unknown = decode(&Type::built_in("core.v1.Secret"), &mut secret).unwrap();
        assert_eq!(unknown, ["metadata.foo", "dat"]);
        assert_eq!(secret, json!({"metadata": {"name": "a"}}));
    }

    #[test]
    fn values_of_the_wrong_type_are_told_in_the_words_of_the_server() {
        let error = |mut secret: Value| decode(&Type::built_in("core.v1.Secret"), &mut secret).unwrap_err().to_string();
        assert_eq!(error(json!({"data": {"a": "!!"}})), "illegal base64 data at input byte 0");
        assert_eq!(error(json!({"type": 5})), "json: cannot unmarshal number into Go struct field Secret.type of type string");
    }

    #[test]
    fn what_go_always_writes_is_there_and_what_it_never_writes_is_not() {
        let mut deployment =
            json!({"spec": {"template": {"spec": {"containers": [{"name": "a", "args": [], "image": ""}], "volumes": []}}}});
        settle(&Type::built_in("apps.v1.Deployment"), &mut deployment);
        assert_eq!(deployment["spec"]["strategy"], json!({}));
        assert_eq!(deployment["spec"]["template"]["spec"]["containers"][0]["resources"], json!({}));
        assert_eq!(deployment["status"], json!({}));
        assert_eq!(deployment["spec"]["template"]["spec"], json!({"containers": [{"name": "a", "resources": {}}]}));
    }
}
