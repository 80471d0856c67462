//! What a field manager owns of a live object, told apart as the API server does: by the tree of `fieldsV1`, lists by their keys. Written
//! without the program's own words for it, so that both can be held against each other.

use serde_json::Value;

/// A step towards a field, as `fieldsV1` writes it: `f:spec`, `k:{"name":"a"}`, `v:"x"`.
pub(super) type Steps = Vec<String>;

/// What is owned of an object.
#[derive(Default)]
pub(super) struct Owned {
    /// The fields that are owned as a whole.
    pub(super) leaves: Vec<Steps>,
    /// The lists of which only items are owned.
    pub(super) shared_lists: Vec<Steps>,
}

impl Owned {
    /// What the program owns of an object that it made of this manifest.
    pub(super) fn of(object: &Value, manifest: &Value) -> Self {
        let managers = object["metadata"]["managedFields"].as_array().unwrap();
        let ours = managers.iter().find(|entry| entry["manager"] == "meshform" && entry["operation"] == "Apply").unwrap();
        let mut found = Self::default();
        found.walk(&ours["fieldsV1"], object, &mut Vec::new());
        // An empty map is sent for its being there: what is in it then is its writers'.
        let is_empty = |steps: &Steps| {
            let sent = pointer(object, steps).and_then(|pointer| manifest.pointer(&pointer));
            sent.and_then(Value::as_object).is_some_and(serde_json::Map::is_empty)
        };
        found.leaves.retain(|steps| !is_empty(steps));
        found
    }

    fn walk(&mut self, fields: &Value, value: &Value, at: &mut Steps) {
        let below = fields.as_object().unwrap();
        let is_shared = below.keys().any(|key| key.starts_with("k:") || key.starts_with("v:"));
        if is_shared {
            self.shared_lists.push(at.clone());
        }
        for (key, fields) in below {
            let Some(inner) = step(value, key) else { continue };
            at.push(key.clone());
            if fields.as_object().unwrap().is_empty() {
                self.leaves.push(at.clone());
            } else {
                self.walk(fields, inner, at);
            }
            at.pop();
        }
    }
}

/// What a step leads to.
fn step<'v>(value: &'v Value, key: &str) -> Option<&'v Value> {
    match key.split_once(':')? {
        ("f", name) => value.get(name),
        _ => value.as_array()?.get(position(value, key)?),
    }
}

/// Where in a list the item of a `k:` or `v:` is.
fn position(list: &Value, key: &str) -> Option<usize> {
    let (kind, json) = key.split_once(':')?;
    let wanted: Value = serde_json::from_str(json).ok()?;
    list.as_array()?.iter().position(|item| match kind {
        "k" => wanted.as_object().is_some_and(|keys| keys.iter().all(|(name, value)| item.get(name) == Some(value))),
        _ => *item == wanted,
    })
}

/// The value at a field.
pub(super) fn at<'v>(object: &'v Value, steps: &[String]) -> Option<&'v Value> {
    steps.iter().try_fold(object, |value, key| step(value, key))
}

/// The field as a JSON pointer into this object.
pub(super) fn pointer(object: &Value, steps: &[String]) -> Option<String> {
    let mut pointer = String::new();
    let mut value = object;
    for key in steps {
        let name = match key.strip_prefix("f:") {
            Some(name) => name.replace('~', "~0").replace('/', "~1"),
            None => position(value, key)?.to_string(),
        };
        pointer = format!("{pointer}/{name}");
        value = step(value, key)?;
    }
    Some(pointer)
}

/// A path as a plan tells it, as a JSON pointer into this object; nothing when it leads nowhere there.
pub(super) fn pointer_of_told(object: &Value, told: &str) -> Option<String> {
    let mut pointer = String::new();
    let mut value = object;
    let mut rest = told;
    while !rest.is_empty() {
        let name;
        if let Some(quoted) = rest.strip_prefix("[\"") {
            (name, rest) = quoted.split_once("\"]")?;
        } else if let Some(label) = rest.strip_prefix('[') {
            let (label, after) = label.split_once(']')?;
            rest = after.strip_prefix('.').unwrap_or(after);
            let index = called(value.as_array()?, label)?;
            value = &value[index];
            pointer = format!("{pointer}/{index}");
            continue;
        } else {
            let end = rest.find(['.', '[']).unwrap_or(rest.len());
            (name, rest) = rest.split_at(end);
        }
        rest = rest.strip_prefix('.').unwrap_or(rest);
        value = value.get(name).unwrap_or(&Value::Null);
        pointer = format!("{pointer}/{}", name.replace('~', "~0").replace('/', "~1"));
    }
    Some(pointer)
}

/// The item that a label means: by its name, by the values of its keys, or by its place.
fn called(list: &[Value], label: &str) -> Option<usize> {
    let text = |value: &Value| value.as_str().map_or_else(|| value.to_string(), str::to_owned);
    let has = |item: &Value, part: &str| item.as_object().is_some_and(|map| map.values().any(|value| text(value) == part));
    list.iter()
        .position(|item| item["name"] == label)
        .or_else(|| list.iter().position(|item| has(item, label)))
        .or_else(|| list.iter().position(|item| label.split('/').all(|part| has(item, part) || part == "TCP")))
        .or_else(|| label.parse().ok().filter(|index| *index < list.len()))
}
