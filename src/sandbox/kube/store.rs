//! Objects in the world: one entity each, in the order in which lists give them.

use serde_json::{Map, Value, json};

use super::kinds::Kind;
use crate::sandbox::world::Tx;

const REVISION: &str = "kube.revision";

/// Where an object is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Place<'a> {
    /// The namespace; empty for an object that isn't in one.
    pub(super) namespace: &'a str,
    /// The name.
    pub(super) name: &'a str,
}

/// The keys of a kind's objects begin with this; with a namespace, those in it.
pub(super) fn prefix(kind: &Kind, namespace: &str) -> String {
    let group = if kind.group.is_empty() { "core" } else { &kind.group };
    let inner = if namespace.is_empty() { String::new() } else { format!("{namespace}/") };
    format!("kube/{group}/{}/{inner}", kind.plural)
}

/// The key of an object.
pub(super) fn key(kind: &Kind, place: Place<'_>) -> String {
    format!("{}{}", prefix(kind, place.namespace), place.name)
}

/// An object, in the version of its kind.
pub(super) fn read(tx: &Tx<'_>, kind: &Kind, place: Place<'_>) -> Option<Value> {
    tx.get(&key(kind, place)).map(|object| in_version(kind, object))
}

/// An object in a version of its kind: as custom kinds are converted by name alone, all versions have the same fields.
pub(super) fn in_version(kind: &Kind, object: &Value) -> Value {
    let mut object = object.clone();
    if kind.custom {
        object["apiVersion"] = json!(kind.api_version());
    }
    object
}

/// The next resource version: one count for all objects.
pub(super) fn next_revision(tx: &mut Tx<'_>) -> u64 {
    let revision = revision(tx) + 1;
    tx.put(REVISION, Value::from(revision));
    revision
}

/// The latest resource version.
pub(super) fn revision(tx: &Tx<'_>) -> u64 {
    tx.get(REVISION).and_then(Value::as_u64).unwrap_or(1)
}

/// Stores an object with a new resource version, and gives it back.
pub(super) fn write(tx: &mut Tx<'_>, key: &str, mut object: Value) -> Value {
    let revision = next_revision(tx);
    metadata_mut(&mut object).insert("resourceVersion".to_owned(), json!(revision.to_string()));
    tx.put(key, object.clone());
    object
}

/// An object's metadata.
pub(super) fn metadata(object: &Value) -> Option<&Map<String, Value>> {
    object.get("metadata").and_then(Value::as_object)
}

/// An object's metadata, which are made when there are none.
pub(super) fn metadata_mut(object: &mut Value) -> &mut Map<String, Value> {
    child_mut(child_mut_value(object), "metadata")
}

/// A map within a map, which is made when it isn't there.
pub(super) fn child_mut<'a>(map: &'a mut Map<String, Value>, key: &str) -> &'a mut Map<String, Value> {
    child_mut_value(map.entry(key).or_insert_with(|| json!({})))
}

/// A value as a map, which replaces what isn't one.
pub(super) fn child_mut_value(value: &mut Value) -> &mut Map<String, Value> {
    match value {
        Value::Object(map) => map,
        other => {
            *other = Value::Object(Map::new());
            child_mut_value(other)
        }
    }
}

/// A text of an object's metadata; empty when it isn't there.
pub(super) fn meta_text<'a>(object: &'a Value, name: &str) -> &'a str {
    metadata(object).and_then(|meta| meta.get(name)).and_then(Value::as_str).unwrap_or_default()
}

/// Whether an object is going.
pub(super) fn is_going(object: &Value) -> bool {
    !meta_text(object, "deletionTimestamp").is_empty()
}

/// The finalizers of an object.
pub(super) fn finalizers(object: &Value) -> Vec<&str> {
    let list = metadata(object).and_then(|meta| meta.get("finalizers")).and_then(Value::as_array);
    list.into_iter().flatten().filter_map(Value::as_str).collect()
}

/// A time as the server writes it.
pub(super) fn time(tx: &Tx<'_>) -> Value {
    json!(tx.now().strftime("%Y-%m-%dT%H:%M:%SZ").to_string())
}

/// A new uid, in the form of a random UUID.
pub(super) fn uid(tx: &mut Tx<'_>) -> Value {
    let mut bytes = tx.fresh();
    bytes[6] = (bytes[6] & 0x0f) | 0x40;
    bytes[8] = (bytes[8] & 0x3f) | 0x80;
    let hex = format!("{:032x}", bytes[..16].iter().fold(0_u128, |number, byte| (number << 8) | u128::from(*byte)));
    json!(format!("{}-{}-{}-{}-{}", &hex[..8], &hex[8..12], &hex[12..16], &hex[16..20], &hex[20..]))
}
