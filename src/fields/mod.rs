//! The fields of Kubernetes objects: paths to them, who owns them, how two objects differ, and what a definition's schema says of them.
//!
//! Ownership is what `metadata.managedFields` tells (Kubernetes documentation, "Server-Side Apply", and structured-merge-diff's `fieldpath`):
//! a tree in which `f:<name>` is a field, `k:{…}` an item of a list by its keys, `v:…` an item of a set by its value, `.` the thing itself,
//! and an empty map a leaf that is owned with all below it.

mod differ;
mod hand_over;
mod owned;
mod path;
mod place;
mod share;
pub mod structural;
mod turned;

pub use differ::{Difference, Manager, differences};
pub use hand_over::{is_tool, without};
pub use owned::{canonical, owned_hash};
pub use path::{FieldPath, NotAPath};
pub use share::{Say, leave_shared, shared};
pub use turned::turned_back;

use std::sync::LazyLock;

use serde_json::{Map, Value};

/// A leaf of ownership.
static WHOLE: LazyLock<Value> = LazyLock::new(|| Value::Object(Map::new()));

/// Whether a value is as good as none: null, an empty map, an empty list.
pub fn is_nothing(value: &Value) -> bool {
    match value {
        Value::Null => true,
        Value::Object(map) => map.is_empty(),
        Value::Array(list) => list.is_empty(),
        _ => false,
    }
}

/// The ownership of a field below one that is owned in this way; nothing when it isn't owned.
fn field<'f>(fields: &'f Value, name: &str) -> Option<&'f Value> {
    let map = fields.as_object()?;
    if map.is_empty() {
        return Some(&WHOLE);
    }
    map.get(&format!("f:{name}"))
}

/// The ownership of a list's item.
fn item<'f>(fields: &'f Value, item: &Value) -> Option<&'f Value> {
    let map = fields.as_object()?;
    if map.is_empty() {
        return Some(&WHOLE);
    }
    map.iter().find(|(key, _)| names(key, item)).map(|(_, below)| below)
}

/// Whether a key of ownership, `k:{…}` or `v:…`, is that of an item.
fn names(key: &str, item: &Value) -> bool {
    if let Some(keys) = key.strip_prefix("k:") {
        let Ok(Value::Object(keys)) = serde_json::from_str(keys) else { return false };
        return !keys.is_empty() && keys.iter().all(|(name, value)| item.get(name) == Some(value));
    }
    key.strip_prefix("v:").and_then(|value| serde_json::from_str::<Value>(value).ok()).is_some_and(|value| value == *item)
}
