//! Items of lists that another manager made something else of by changing one of their keys: to server-side apply they are new items beside ours,
//! and many lists take no two such items (two ports of a Service of one name). They are turned back where they stand.

use std::collections::BTreeSet;

use serde_json::Value;

use super::{field, item};

/// An object with the items that stand in the place of wanted ones turned back into those; nothing when there are none. `trees` is what any manager
/// owns (`fieldsV1`): it tells the keys of lists.
pub fn turned_back(live: &Value, wanted: &Value, trees: &[&Value]) -> Option<Value> {
    let mut turned = live.clone();
    walk(&mut turned, wanted, trees).then_some(turned)
}

fn walk(live: &mut Value, wanted: &Value, trees: &[&Value]) -> bool {
    match (live, wanted) {
        (Value::Object(live), Value::Object(wanted)) => wanted.iter().fold(false, |is_turned, (name, wanted)| {
            let below: Vec<&Value> = trees.iter().filter_map(|tree| field(tree, name)).collect();
            live.get_mut(name).is_some_and(|live| walk(live, wanted, &below)) || is_turned
        }),
        (Value::Array(live), Value::Array(wanted)) => list(live, wanted, trees),
        _ => false,
    }
}

fn list(live: &mut [Value], wanted: &[Value], trees: &[&Value]) -> bool {
    let Some(keys) = keys(trees) else { return false };
    let mut is_turned = false;
    let mut lost: Vec<&Value> = Vec::new();
    let mut strangers: BTreeSet<usize> = (0..live.len()).collect();
    for wanted in wanted {
        let Some(index) = live.iter().position(|one| is_same(&keys, one, wanted)) else {
            lost.push(wanted);
            continue;
        };
        strangers.remove(&index);
        let below: Vec<&Value> = trees.iter().filter_map(|tree| item(tree, &live[index])).collect();
        is_turned |= walk(&mut live[index], wanted, &below);
    }
    let are_alone = lost.len() == 1 && strangers.len() == 1;
    for wanted in lost {
        let alike = |index: &&usize| likeness(&keys, &live[**index], wanted);
        let Some(index) = strangers.iter().rev().max_by_key(alike).copied() else { break };
        if !are_alone && likeness(&keys, &live[index], wanted) == 0 {
            continue;
        }
        let values: Vec<(&String, Value)> = keys.iter().filter_map(|key| Some((key, key_of(wanted, key)?))).collect();
        if let (Value::Object(live), true) = (&mut live[index], values.len() == keys.len()) {
            live.extend(values.into_iter().map(|(key, value)| (key.clone(), value)));
            strangers.remove(&index);
            is_turned = true;
        }
    }
    is_turned
}

/// The names of the fields that tell the items of a list apart; nothing for a list that has none.
fn keys(trees: &[&Value]) -> Option<BTreeSet<String>> {
    let of = |tree: &&Value| tree.as_object()?.keys().find_map(|key| serde_json::from_str::<Value>(key.strip_prefix("k:")?).ok());
    match trees.iter().find_map(of)? {
        Value::Object(keys) => Some(keys.into_iter().map(|(name, _)| name).collect()),
        _ => None,
    }
}

/// A key's value. A protocol that is left out is TCP (Kubernetes API, `ServicePort` and `ContainerPort`).
fn key_of(item: &Value, key: &str) -> Option<Value> {
    item.get(key).cloned().or_else(|| (key == "protocol").then(|| Value::from("TCP")))
}

fn is_same(keys: &BTreeSet<String>, one: &Value, other: &Value) -> bool {
    keys.iter().all(|key| key_of(one, key) == key_of(other, key))
}

/// How many fields besides the keys are the same in both.
fn likeness(keys: &BTreeSet<String>, one: &Value, other: &Value) -> usize {
    let fields = other.as_object().into_iter().flatten();
    fields.filter(|(name, value)| !keys.contains(*name) && one.get(name.as_str()) == Some(*value)).count()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn an_item_that_became_another_by_its_key_is_turned_back_where_it_stands() {
        let service = |ports: Value| json!({"spec": {"ports": ports, "type": "NodePort"}});
        let tree = json!({"f:spec": {"f:ports": {"k:{\"port\":81,\"protocol\":\"TCP\"}": {".": {}, "f:port": {}}}}});
        let named = |name: &str, port: u16, more: Value| {
            let mut item = json!({"name": name, "port": port, "protocol": "TCP"});
            item.as_object_mut().into_iter().for_each(|item| item.extend(more.as_object().cloned().unwrap_or_default()));
            item
        };
        let none = json!({});
        let cases = [
            (
                "what the server allotted stays",
                json!([named("http", 81, json!({"nodePort": 30080}))]),
                json!([{"name": "http", "port": 80}]),
                Some(json!([named("http", 80, json!({"nodePort": 30080}))])),
            ),
            (
                "another's own item stays beside it",
                json!([named("metrics", 9090, none.clone()), named("http", 81, none.clone())]),
                json!([{"name": "http", "port": 80}]),
                Some(json!([named("metrics", 9090, none.clone()), named("http", 80, none.clone())])),
            ),
            (
                "an item without a name that stands alone",
                json!([{"port": 81, "protocol": "TCP", "targetPort": 8080}]),
                json!([{"port": 80}]),
                Some(json!([{"port": 80, "protocol": "TCP", "targetPort": 8080}])),
            ),
            (
                "another protocol is another item",
                json!([{"name": "dns", "port": 53, "protocol": "UDP"}]),
                json!([{"name": "dns", "port": 53}]),
                Some(json!([{"name": "dns", "port": 53, "protocol": "TCP"}])),
            ),
            ("all are there", json!([named("http", 80, none.clone())]), json!([{"name": "http", "port": 80}]), None),
            (
                "two of others that are nothing like it",
                json!([named("a", 1, none.clone()), named("b", 2, none.clone())]),
                json!([{"name": "http", "port": 80}]),
                None,
            ),
        ];
        for (name, live, wanted, turned) in cases {
            let found = turned_back(&service(live), &json!({"spec": {"ports": wanted}}), &[&tree]);
            assert_eq!(found, turned.map(service), "{name}");
        }
        let atomic = json!({"f:spec": {"f:ports": {}}});
        let live = service(json!([named("http", 81, none)]));
        assert_eq!(
            turned_back(&live, &json!({"spec": {"ports": [{"name": "http", "port": 80}]}}), &[&atomic]),
            None,
            "a list without keys"
        );
    }
}
