//! How two objects differ, field by field: lists by the keys of their items, where they have some.

use std::collections::BTreeSet;

use serde_json::Value;

use super::path::{FieldPath, Segment};
use super::{WHOLE, field, is_nothing, item};

/// A field manager and what it owns.
#[derive(Clone, Copy, Debug)]
pub struct Manager<'a> {
    /// Its name.
    pub name: &'a str,
    /// The subresource that it wrote by, such as `scale`; empty: none.
    pub subresource: &'a str,
    /// Its `fieldsV1`.
    pub fields: &'a Value,
}

/// A field that differs.
#[derive(Clone, Debug, PartialEq)]
pub struct Difference {
    /// Where.
    pub path: FieldPath,
    /// What it is; absent: nothing.
    pub before: Option<Value>,
    /// What it would be; absent: nothing.
    pub after: Option<Value>,
    /// One of the managers who owns it as it is.
    pub manager: Option<String>,
}

/// The fields that differ, each as high in the tree as it differs as a whole.
pub fn differences(before: &Value, after: &Value, managers: &[Manager<'_>]) -> Vec<Difference> {
    let mut walk = Walk { path: Vec::new(), found: Vec::new() };
    walk.value(Some(before), Some(after), managers);
    walk.found
}

struct Walk {
    path: Vec<Segment>,
    found: Vec<Difference>,
}

impl Walk {
    fn value(&mut self, before: Option<&Value>, after: Option<&Value>, managers: &[Manager<'_>]) {
        if before == after || (before.is_none_or(is_nothing) && after.is_none_or(is_nothing)) {
            return;
        }
        // Labels and annotations are many people's: each counts by itself, the first ones as well.
        let (before, after) = if self.is_shared_map() { (before.or(Some(&WHOLE)), after.or(Some(&WHOLE))) } else { (before, after) };
        match (before, after) {
            (Some(Value::Object(old)), Some(Value::Object(new))) => {
                let names: BTreeSet<&String> = old.keys().chain(new.keys()).collect();
                for name in names {
                    let below = |manager: &Manager<'_>| -> Option<Value> { field(manager.fields, name).cloned() };
                    self.child(Segment::Field(name.clone()), old.get(name), new.get(name), managers, &below);
                }
            }
            (Some(Value::Array(old)), Some(Value::Array(new))) if !old.is_empty() && !new.is_empty() => self.list(old, new, managers),
            _ => self.found.push(Difference {
                path: FieldPath::of(self.path.clone()),
                before: before.filter(|value| !is_nothing(value)).cloned(),
                after: after.filter(|value| !is_nothing(value)).cloned(),
                manager: managers.first().map(|manager| manager.name.to_owned()),
            }),
        }
    }

    fn is_shared_map(&self) -> bool {
        let is = |segment: &Segment, names: &[&str]| matches!(segment, Segment::Field(name) if names.contains(&name.as_str()));
        matches!(self.path.as_slice(), [top, map] if is(top, &["metadata"]) && is(map, &["labels", "annotations"]))
    }

    fn child(
        &mut self,
        segment: Segment,
        before: Option<&Value>,
        after: Option<&Value>,
        managers: &[Manager<'_>],
        below: &dyn Fn(&Manager<'_>) -> Option<Value>,
    ) {
        if before == after {
            return;
        }
        let owned: Vec<(&Manager<'_>, Value)> = managers.iter().filter_map(|manager| Some((manager, below(manager)?))).collect();
        let managers: Vec<Manager<'_>> = owned.iter().map(|(manager, fields)| Manager { fields, ..**manager }).collect();
        self.path.push(segment);
        self.value(before, after, &managers);
        self.path.pop();
    }

    fn list<'l>(&mut self, old: &'l [Value], new: &'l [Value], managers: &[Manager<'_>]) {
        if let Some(key) = key_of(old, new) {
            let find = |list: &'l [Value], label: &str| list.iter().find(|item| key(item).as_deref() == Some(label));
            let found = self.found.len();
            let mut seen = BTreeSet::new();
            for label in new.iter().chain(old).filter_map(&key) {
                if !seen.insert(label.clone()) {
                    continue;
                }
                let mut pair = (find(old, &label), find(new, &label));
                let mut called = label;
                if let (None, Some(one)) | (Some(one), None) = pair
                    && let Some((place, before, after)) = renamed(one, old, new, &key)
                {
                    // Told once, where it is met first.
                    seen.extend([before, after].into_iter().filter_map(&key));
                    (called, pair) = (place, (Some(before), Some(after)));
                }
                let (before, after) = pair;
                let below = |manager: &Manager<'_>| item(manager.fields, before.or(after)?).cloned();
                self.child(Segment::Item(called), before, after, managers, &below);
            }
            if self.found.len() == found {
                // The same items in another order.
                self.whole(old, new, managers);
            }
            return;
        }
        if old.iter().chain(new).any(|item| !item.is_object()) {
            self.whole(old, new, managers);
            return;
        }
        // Items without a key: what is the same at both ends stays out, the rest is held against each other in order.
        let start = old.iter().zip(new).take_while(|(old, new)| old == new).count();
        let end = old[start..].iter().rev().zip(new[start..].iter().rev()).take_while(|(old, new)| old == new).count();
        let (old, new) = (&old[start..old.len() - end], &new[start..new.len() - end]);
        for index in 0..old.len().max(new.len()) {
            let below = |manager: &Manager<'_>| {
                manager.fields.as_object().is_some_and(serde_json::Map::is_empty).then(|| Value::Object(serde_json::Map::new()))
            };
            let place = Segment::Item((start + index).to_string());
            match (old.get(index), new.get(index)) {
                (Some(old), Some(new)) => self.child(place, Some(old), Some(new), managers, &below),
                // An empty item is an item: to a NetworkPolicy the rule `{}` is all that there is.
                (before, after) => {
                    self.path.push(place);
                    self.found.push(Difference {
                        path: FieldPath::of(self.path.clone()),
                        before: before.cloned(),
                        after: after.cloned(),
                        manager: managers.iter().find(|manager| below(manager).is_some()).map(|manager| manager.name.to_owned()),
                    });
                    self.path.pop();
                }
            }
        }
    }

    fn whole(&mut self, old: &[Value], new: &[Value], managers: &[Manager<'_>]) {
        self.found.push(Difference {
            path: FieldPath::of(self.path.clone()),
            before: Some(Value::Array(old.to_vec())),
            after: Some(Value::Array(new.to_vec())),
            manager: managers.first().map(|manager| manager.name.to_owned()),
        });
    }
}

/// What tells the items of Kubernetes' lists of maps apart (the merge keys of its API types), the more telling first.
const KEYS: &[&[&str]] = &[
    &["name"],
    &["containerPort", "protocol"],
    &["port", "protocol"],
    &["mountPath"],
    &["devicePath"],
    &["type"],
    &["key"],
    &["ip"],
    &["host"],
    &["uid"],
    &["topologyKey"],
];

type Label = dyn Fn(&Value) -> Option<String>;

/// The keys by which the API tells items apart that also have a name for people.
const PLACES: &[&[&str]] = &[&["containerPort", "protocol"], &["port", "protocol"], &["mountPath"], &["devicePath"]];

/// An item that is in one of the lists only by its name, and in both by its place: where that is, and the item before and after.
fn renamed<'l>(one: &Value, old: &'l [Value], new: &'l [Value], key: &Label) -> Option<(String, &'l Value, &'l Value)> {
    PLACES.iter().find_map(|names| {
        let place = label(one, names)?;
        let at = |list: &'l [Value]| list.iter().find(|item| label(item, names).as_ref() == Some(&place));
        let (before, after) = (at(old)?, at(new)?);
        let is_alone = |item: &Value, others: &[Value]| !others.iter().any(|other| key(other) == key(item));
        (is_alone(before, new) && is_alone(after, old)).then_some((place, before, after))
    })
}

/// How the items of both lists are told apart; nothing when they can't be.
fn key_of(old: &[Value], new: &[Value]) -> Option<Box<Label>> {
    let fits = |names: &[&str]| {
        [old, new].iter().all(|list| {
            let labels: Vec<Option<String>> = list.iter().map(|item| label(item, names)).collect();
            let all = labels.iter().flatten().collect::<BTreeSet<_>>();
            all.len() == list.len()
        })
    };
    let names = *KEYS.iter().find(|names| fits(names))?;
    Some(Box::new(move |item| label(item, names)))
}

pub(super) fn label(item: &Value, names: &[&str]) -> Option<String> {
    let mut parts = Vec::new();
    for name in names {
        match item.get(*name) {
            Some(Value::String(text)) => parts.push(text.clone()),
            Some(Value::Number(number)) => parts.push(number.to_string()),
            // A protocol that is left out is TCP.
            None if *name == "protocol" => parts.push("TCP".to_owned()),
            _ => return None,
        }
    }
    Some(parts.join("/"))
}

/// Whether a list's item is the one that a path names.
pub(super) fn is_called(item: &Value, name: &str) -> bool {
    item.as_str() == Some(name) || KEYS.iter().any(|names| label(item, names).as_deref() == Some(name))
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use serde_json::json;

    use super::*;

    fn told(before: &Value, after: &Value) -> Vec<String> {
        let text = |value: Option<Value>| value.map_or("-".to_owned(), |value| value.to_string());
        differences(before, after, &[])
            .into_iter()
            .map(|one| format!("{}: {} -> {}", one.path, text(one.before), text(one.after)))
            .collect()
    }

    #[test]
    fn each_difference_is_told_once_and_as_high_as_it_differs_as_a_whole() {
        let cases = [
            ("equal objects don't differ", json!({"a": {"b": 1}}), json!({"a": {"b": 1}}), vec![]),
            ("nothing and an empty list are the same", json!({"a": []}), json!({"b": {}}), vec![]),
            ("a field that is new", json!({"a": {}}), json!({"a": {"b": {"c": 1}}}), vec!["a.b: - -> {\"c\":1}"]),
            ("a field that goes", json!({"a": {"b": 1, "c": 2}}), json!({"a": {"c": 2}}), vec!["a.b: 1 -> -"]),
            (
                "items of a list by their name",
                json!({"l": [{"name": "a", "v": 1}, {"name": "b", "v": 1}]}),
                json!({"l": [{"name": "b", "v": 2}, {"name": "a", "v": 1}]}),
                vec!["l[b].v: 1 -> 2"],
            ),
            (
                "ports by number and protocol",
                json!({"ports": [{"port": 80}, {"port": 80, "protocol": "UDP"}]}),
                json!({"ports": [{"port": 80, "protocol": "TCP", "targetPort": 1}, {"port": 80, "protocol": "UDP"}]}),
                vec!["ports[80/TCP].protocol: - -> \"TCP\"", "ports[80/TCP].targetPort: - -> 1"],
            ),
            (
                "a port that has another name is still the port that it was",
                json!({"ports": [{"port": 80, "name": "web"}, {"port": 81, "name": "b"}]}),
                json!({"ports": [{"port": 80, "name": "http"}, {"port": 81, "name": "b"}]}),
                vec!["ports[80/TCP].name: \"web\" -> \"http\""],
            ),
            (
                "names that change places are told by name",
                json!({"ports": [{"port": 80, "name": "a"}, {"port": 81, "name": "b"}]}),
                json!({"ports": [{"port": 80, "name": "b"}, {"port": 81, "name": "a"}]}),
                vec!["ports[b].port: 81 -> 80", "ports[a].port: 80 -> 81"],
            ),
            (
                "another order is told as such",
                json!({"l": [{"name": "a"}, {"name": "b"}]}),
                json!({"l": [{"name": "b"}, {"name": "a"}]}),
                vec!["l: [{\"name\":\"a\"},{\"name\":\"b\"}] -> [{\"name\":\"b\"},{\"name\":\"a\"}]"],
            ),
            (
                "items without a key by their place, from where the lists differ",
                json!({"rules": [{"verbs": ["get"]}, {"verbs": ["list"]}]}),
                json!({"rules": [{"verbs": ["get"]}, {"verbs": ["put"]}, {"verbs": ["list"]}]}),
                vec!["rules[1]: - -> {\"verbs\":[\"put\"]}"],
            ),
            ("an empty item that is added", json!({"egress": [{"to": 1}]}), json!({"egress": [{"to": 1}, {}]}), vec!["egress[1]: - -> {}"]),
            ("an empty item that goes", json!({"egress": [{}, {}]}), json!({"egress": [{}]}), vec!["egress[1]: {} -> -"]),
            ("lists of texts as a whole", json!({"a": ["x"]}), json!({"a": ["x", "y"]}), vec!["a: [\"x\"] -> [\"x\",\"y\"]"]),
            ("a key with dots is quoted", json!({"a": {"x.y/z": 1}}), json!({"a": {"x.y/z": 2}}), vec!["a[\"x.y/z\"]: 1 -> 2"]),
        ];
        for (name, before, after, wanted) in cases {
            assert_eq!(told(&before, &after), wanted, "{name}");
        }
    }

    #[test]
    fn who_owns_a_field_is_told_with_it() {
        let fields = json!({"f:spec": {"f:replicas": {}, "f:containers": {"k:{\"name\":\"a\"}": {"f:image": {}}}}});
        let managers = [Manager { name: "hpa", subresource: "", fields: &fields }];
        let before = json!({"spec": {"replicas": 5, "other": 1, "containers": [{"name": "a", "image": "x"}]}});
        let after = json!({"spec": {"replicas": 3, "other": 2, "containers": [{"name": "a", "image": "y"}]}});
        let told: Vec<(String, Option<String>)> =
            differences(&before, &after, &managers).into_iter().map(|one| (one.path.to_string(), one.manager)).collect();
        let hpa = Some("hpa".to_owned());
        let wanted = [("spec.containers[a].image", hpa.clone()), ("spec.other", None), ("spec.replicas", hpa)];
        assert_eq!(told, wanted.map(|(path, manager)| (path.to_owned(), manager)));
    }
}
