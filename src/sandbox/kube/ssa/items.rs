//! How the items of a list become steps of a path.

use std::collections::BTreeMap;

use serde_json::Value;

use super::super::schema::{Items, Type};
use super::fields::{Leaf, Step};

/// The step that leads to an item of a set or of a list with keys (structured-merge-diff: `listItemToPathElement`).
pub(super) fn step(of: &Type, by: &Items, item: &Value) -> Result<Step, String> {
    match by {
        Items::Atomic => Err("invalid indexing of non-associative list".to_owned()),
        Items::Set => match item {
            Value::Object(_) => Err("associative list without keys has an element that's a map type".to_owned()),
            Value::Array(_) => Err("not supported: associative list with lists as elements".to_owned()),
            Value::Null => Err("associative list without keys has an element that's an explicit null".to_owned()),
            value => Ok(Step::Value(Leaf(value.clone()))),
        },
        Items::Keys(keys) => by_keys(of, keys, item),
    }
}

fn by_keys(of: &Type, keys: &[String], item: &Value) -> Result<Step, String> {
    let Value::Object(map) = item else {
        let what = if item.is_null() { "a null element" } else { "non-map elements" };
        return Err(format!("associative list with keys may not have {what}"));
    };
    let default = |key: &str| of.fields().and_then(|fields| fields.fields.get(key)).and_then(|field| field.default.clone());
    let mut found: Vec<(String, Leaf)> =
        keys.iter().filter_map(|key| map.get(key).cloned().or_else(|| default(key)).map(|value| (key.clone(), Leaf(value)))).collect();
    if found.is_empty() {
        let keys: Vec<String> = keys.iter().map(|key| format!("{key:?}")).collect();
        let keys = keys.join(" ");
        return Err(format!(
            "associative list with keys has an element that omits all key fields [{keys}] (and doesn't have default values for any key fields)"
        ));
    }
    found.sort();
    Ok(Step::Key(found))
}

/// The items of a list by their steps, and the steps in the order of their first use.
pub(super) struct Index<'v> {
    /// The steps, each once.
    pub(super) order: Vec<Step>,
    /// The items; more than one where items have the same step.
    pub(super) items: BTreeMap<Step, Vec<&'v Value>>,
}

/// Indexes a list.
pub(super) fn index<'v>(of: &Type, by: &Items, list: &'v [Value]) -> Result<Index<'v>, String> {
    let mut index = Index { order: Vec::with_capacity(list.len()), items: BTreeMap::new() };
    for (place, item) in list.iter().enumerate() {
        let step = step(of, by, item).map_err(|reason| format!("element {place}: {reason}"))?;
        let same = index.items.entry(step.clone()).or_default();
        if same.is_empty() {
            index.order.push(step);
        }
        same.push(item);
    }
    Ok(index)
}

/// The items of a list; nothing is an empty list.
pub(super) fn list_of(value: Option<&Value>) -> &[Value] {
    value.and_then(Value::as_array).map_or(&[], Vec::as_slice)
}

/// Whether two values are the same. Numbers are the same by what they count, however they are written.
pub(super) fn same(a: &Value, b: &Value) -> bool {
    match (a, b) {
        (Value::Number(_), Value::Number(_)) => Leaf(a.clone()) == Leaf(b.clone()),
        (Value::Array(a), Value::Array(b)) => a.len() == b.len() && a.iter().zip(b).all(|(a, b)| same(a, b)),
        (Value::Object(a), Value::Object(b)) => a.len() == b.len() && a.iter().all(|(key, a)| b.get(key).is_some_and(|b| same(a, b))),
        (a, b) => a == b,
    }
}
