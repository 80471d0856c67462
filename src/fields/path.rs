//! Paths to fields, as a stack writes them: `spec.replicas`, `spec.template.spec.containers[istio-proxy].image`, `webhooks[*].failurePolicy`,
//! `metadata.annotations["example.com/checksum"]`.

use std::fmt;
use std::str::FromStr;

use serde_json::Value;

/// A path to one field, or to a field of every item of a list.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct FieldPath(Vec<Segment>);

/// A step of a path.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) enum Segment {
    /// A field, or a map's key.
    Field(String),
    /// The item of a list that has this name, key or type, or this value.
    Item(String),
    /// Every item of a list, or every key of a map.
    Every,
}

/// A text that is no path.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
#[error("`{text}` is not a path to a field: {why}")]
pub struct NotAPath {
    text: String,
    why: &'static str,
}

impl FieldPath {
    /// The path of one's own making.
    pub(super) fn of(segments: Vec<Segment>) -> Self {
        Self(segments)
    }

    /// The path of an annotation.
    pub fn annotation(key: &str) -> Self {
        let field = |name: &str| Segment::Field(name.to_owned());
        Self(vec![field("metadata"), field("annotations"), field(key)])
    }

    /// The path as attributes have it: names joined by dots.
    pub fn dotted(&self) -> String {
        let name = |segment: &Segment| match segment {
            Segment::Field(name) | Segment::Item(name) => name.clone(),
            Segment::Every => "*".to_owned(),
        };
        self.0.iter().map(name).collect::<Vec<_>>().join(".")
    }

    /// The path of an item of the list that this is the path of, by its number from 0.
    #[must_use]
    pub fn item(&self, index: usize) -> Self {
        Self(self.0.iter().cloned().chain([Segment::Item(index.to_string())]).collect())
    }

    /// Sets the field, with the maps above it; one in a list only where its item is there.
    pub fn set(&self, object: &mut Value, value: Value) {
        if self.0.iter().any(|segment| !matches!(segment, Segment::Field(_))) {
            self.put_into(object, Some(value));
            return;
        }
        let mut place = object;
        for segment in &self.0 {
            let Segment::Field(name) = segment else { return };
            if !place.is_object() {
                *place = Value::Object(serde_json::Map::new());
            }
            place = &mut place[name.as_str()];
        }
        *place = value;
    }

    /// Whether it names a field or something above it: `spec` covers `spec.replicas`.
    pub fn covers(&self, other: &Self) -> bool {
        let same = |(own, other): (&Segment, &Segment)| *own == Segment::Every || own == other;
        self.0.len() <= other.0.len() && self.0.iter().zip(&other.0).all(same)
    }

    /// Whether the field is owned, by the tree of a manager's fields; an item of a list is found by any of its keys.
    pub fn is_owned_in(&self, fields: &Value) -> bool {
        let mut fields = fields;
        for segment in &self.0 {
            let Some(map) = fields.as_object() else { return false };
            if map.is_empty() {
                return true;
            }
            let below = match segment {
                Segment::Field(name) => map.get(&format!("f:{name}")),
                Segment::Every => return true,
                Segment::Item(label) => map.iter().find(|(key, _)| is_key_of(key, label)).map(|(_, below)| below),
            };
            match below {
                Some(below) => fields = below,
                None => return false,
            }
        }
        true
    }

    pub(super) fn segments(&self) -> &[Segment] {
        &self.0
    }
}

impl FromStr for FieldPath {
    type Err = NotAPath;

    fn from_str(text: &str) -> Result<Self, NotAPath> {
        let wrong = |why| NotAPath { text: text.to_owned(), why };
        let mut segments = Vec::new();
        let mut rest = text.strip_prefix('.').unwrap_or(text);
        if rest.is_empty() {
            return Err(wrong("it names nothing"));
        }
        while !rest.is_empty() {
            if let Some(inner) = rest.strip_prefix('[') {
                let (segment, after) = bracket(inner).ok_or_else(|| wrong("a `[` is not closed by its `]`"))?;
                segments.push(segment);
                rest = after;
            } else {
                let end = rest.find(['.', '[']).unwrap_or(rest.len());
                let name = &rest[..end];
                if name.is_empty() {
                    return Err(wrong("a name is missing between dots"));
                }
                segments.push(if name == "*" { Segment::Every } else { Segment::Field(name.to_owned()) });
                rest = &rest[end..];
            }
            if let Some(after) = rest.strip_prefix('.') {
                if after.is_empty() {
                    return Err(wrong("a name is missing after the last dot"));
                }
                rest = after;
            }
        }
        Ok(Self(segments))
    }
}

/// Whether a key of ownership, `k:{…}` or `v:…`, has this text among its values.
fn is_key_of(key: &str, label: &str) -> bool {
    let Some(json) = key.strip_prefix("k:").or_else(|| key.strip_prefix("v:")) else { return false };
    match serde_json::from_str(json) {
        Ok(Value::Object(keys)) => label.split('/').any(|part| {
            keys.values().any(|value| {
                value.as_str().map_or_else(|| part.parse().ok().as_ref() == value.as_i64().as_ref() && value.is_i64(), |text| text == part)
            })
        }),
        Ok(Value::String(text)) => text == label,
        _ => false,
    }
}

/// What stands in brackets, and what follows them.
fn bracket(inner: &str) -> Option<(Segment, &str)> {
    if let Some(quoted) = inner.strip_prefix('"') {
        let end = quoted.find("\"]")?;
        return Some((Segment::Field(quoted[..end].to_owned()), &quoted[end + 2..]));
    }
    let end = inner.find(']')?;
    let segment = match &inner[..end] {
        "" => return None,
        "*" => Segment::Every,
        name => Segment::Item(name.to_owned()),
    };
    Some((segment, &inner[end + 1..]))
}

impl fmt::Display for FieldPath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, segment) in self.0.iter().enumerate() {
            match segment {
                Segment::Field(name) if name.contains(['.', '/', '[', ']', '"']) => write!(f, "[\"{name}\"]")?,
                Segment::Field(name) => write!(f, "{}{name}", if index == 0 { "" } else { "." })?,
                Segment::Item(name) => write!(f, "[{name}]")?,
                Segment::Every => f.write_str("[*]")?,
            }
        }
        Ok(())
    }
}

impl fmt::Debug for FieldPath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn a_path_reads_back_as_it_is_written() {
        for text in [
            "spec.replicas",
            "spec.template.spec.containers[istio-proxy].image",
            "webhooks[*].failurePolicy",
            "metadata.annotations[\"example.com/checksum\"]",
            "data[\"tls.crt\"]",
        ] {
            assert_eq!(text.parse::<FieldPath>().unwrap().to_string(), text);
        }
    }

    #[test]
    fn what_is_no_path_is_refused() {
        for text in ["", ".", "spec.", "spec..x", "spec[", "spec[]", "spec[\"x]"] {
            assert!(text.parse::<FieldPath>().is_err(), "{text}");
        }
    }
}
