//! Patches that aren't applies: JSON merge patch (RFC 7396) and JSON patch (RFC 6902).

use serde::Deserialize;
use serde_json::{Map, Value};

use super::status::{Outcome, Refusal};

/// The most operations of a JSON patch (`maxJSONPatchOperations`).
const MOST: usize = 10_000;

/// Puts a merge patch into a value.
pub(super) fn merge(target: &mut Value, patch: &Value) {
    let Value::Object(changes) = patch else {
        *target = patch.clone();
        return;
    };
    let map = super::store::child_mut_value(target);
    for (key, change) in changes {
        if change.is_null() {
            map.shift_remove(key);
        } else if change.is_object() {
            merge(map.entry(key.clone()).or_insert(Value::Null), change);
        } else {
            map.insert(key.clone(), change.clone());
        }
    }
}

#[derive(Deserialize)]
struct Operation {
    op: String,
    path: String,
    #[serde(default)]
    from: String,
    #[serde(default)]
    value: Value,
}

/// Does the operations of a JSON patch.
pub(super) fn json_patch(target: &mut Value, patch: &Value) -> Outcome<()> {
    let operations =
        Vec::<Operation>::deserialize(patch).map_err(|_| Refusal::bad_request("error decoding patch: it is no list of operations"))?;
    if operations.len() > MOST {
        let why = format!("The allowed maximum operations in a JSON patch is {MOST}, got {}", operations.len());
        return Err(Refusal::bad_request(why).into());
    }
    operations.iter().try_for_each(|operation| operation.apply(target).ok_or_else(|| Refusal::unprocessable().into()))
}

impl Operation {
    fn apply(&self, target: &mut Value) -> Option<()> {
        match self.op.as_str() {
            "test" => (target.pointer(&self.path)? == &self.value).then_some(()),
            "add" => add(target, &self.path, self.value.clone()),
            "remove" => remove(target, &self.path).map(|_| ()),
            "replace" => {
                *target.pointer_mut(&self.path)? = self.value.clone();
                Some(())
            }
            "move" => {
                let value = remove(target, &self.from)?;
                add(target, &self.path, value)
            }
            "copy" => {
                let value = target.pointer(&self.from)?.clone();
                add(target, &self.path, value)
            }
            _ => None,
        }
    }
}

fn split(path: &str) -> Option<(&str, String)> {
    let (parent, key) = path.rsplit_once('/')?;
    Some((parent, key.replace("~1", "/").replace("~0", "~")))
}

fn add(target: &mut Value, path: &str, value: Value) -> Option<()> {
    if path.is_empty() {
        *target = value;
        return Some(());
    }
    let (parent, key) = split(path)?;
    match target.pointer_mut(parent)? {
        Value::Object(map) => {
            map.insert(key, value);
        }
        Value::Array(list) => {
            let at = if key == "-" { list.len() } else { key.parse().ok()? };
            if at > list.len() {
                return None;
            }
            list.insert(at, value);
        }
        _ => return None,
    }
    Some(())
}

fn remove(target: &mut Value, path: &str) -> Option<Value> {
    let (parent, key) = split(path)?;
    match target.pointer_mut(parent)? {
        Value::Object(map) => map.shift_remove(&key),
        Value::Array(list) => {
            let at: usize = key.parse().ok()?;
            (at < list.len()).then(|| list.remove(at))
        }
        _ => None,
    }
}

/// Whether a strategic merge patch means the same as a JSON merge patch: where it has no list and no directive.
pub(super) fn is_plain(patch: &Value) -> bool {
    fn plain(map: &Map<String, Value>) -> bool {
        map.iter().all(|(key, value)| {
            !key.starts_with('$')
                && match value {
                    Value::Array(_) => false,
                    Value::Object(map) => plain(map),
                    _ => true,
                }
        })
    }
    patch.as_object().is_some_and(plain)
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn a_merge_patch_removes_with_null_and_replaces_lists() {
        let mut target = json!({"a": {"b": 1, "c": 2}, "l": [1, 2]});
        merge(&mut target, &json!({"a": {"b": null, "d": {"e": null, "f": 3}}, "l": [3]}));
        assert_eq!(target, json!({"a": {"c": 2, "d": {"f": 3}}, "l": [3]}));
    }

    #[test]
    fn a_json_patch_does_its_operations_in_order_or_none() {
        let mut target = json!({"a": [1], "b/c": {"d": 1}});
        let patch = json!([
            {"op": "test", "path": "/b~1c/d", "value": 1},
            {"op": "add", "path": "/a/-", "value": 2},
            {"op": "add", "path": "/a/0", "value": 0},
            {"op": "move", "from": "/b~1c/d", "path": "/e"},
            {"op": "replace", "path": "/e", "value": null},
        ]);
        json_patch(&mut target, &patch).unwrap();
        assert_eq!(target, json!({"a": [0, 1, 2], "b/c": {}, "e": null}));
        for wrong in [
            json!([{"op": "remove", "path": "/x"}]),
            json!([{"op": "add", "path": "/a/9", "value": 1}]),
            json!([{"op": "x", "path": "/a"}]),
            json!({}),
        ] {
            assert!(json_patch(&mut target, &wrong).is_err(), "{wrong}");
        }
    }
}
