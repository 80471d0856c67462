//! Sets of fields, and the form they have in `managedFields` (structured-merge-diff, `fieldpath`; the format is FieldsV1).

use std::cmp::Ordering;
use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use serde_json::{Map, Value};

use super::super::schema::{Shape, Type};

/// One step of a path.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(in crate::sandbox::kube) enum Step {
    /// A field of a struct or a key of a map.
    Field(String),
    /// The item of a list with these values in its key fields, which are in the order of their names.
    Key(Vec<(String, Leaf)>),
    /// The item of a set.
    Value(Leaf),
    /// The item of a list by its place.
    Index(u64),
}

/// A path through an object.
pub(in crate::sandbox::kube) type Path = Vec<Step>;

/// A single value that can be ordered: numbers, texts, truth values, nothing.
#[derive(Clone, Debug)]
pub(in crate::sandbox::kube) struct Leaf(pub(in crate::sandbox::kube) Value);

/// A set of fields. A path of the set doesn't bring its beginnings with it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(in crate::sandbox::kube) struct Set {
    members: BTreeSet<Step>,
    children: BTreeMap<Step, Set>,
}

/// The text of managed fields isn't FieldsV1.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0:?} is no step of a path in FieldsV1")]
pub(in crate::sandbox::kube) struct FieldsError(String);

impl Leaf {
    fn rank(&self) -> u8 {
        match self.0 {
            Value::Number(_) => 0,
            Value::String(_) => 1,
            Value::Bool(_) => 2,
            Value::Array(_) => 3,
            Value::Object(_) => 4,
            Value::Null => 5,
        }
    }
}

impl Ord for Leaf {
    fn cmp(&self, other: &Self) -> Ordering {
        match (&self.0, &other.0) {
            (Value::Number(a), Value::Number(b)) => match (a.as_i64(), b.as_i64()) {
                (Some(a), Some(b)) => a.cmp(&b),
                _ => a.as_f64().unwrap_or_default().total_cmp(&b.as_f64().unwrap_or_default()),
            },
            (Value::String(a), Value::String(b)) => a.cmp(b),
            (Value::Bool(a), Value::Bool(b)) => a.cmp(b),
            (a, b) => self.rank().cmp(&other.rank()).then_with(|| a.to_string().cmp(&b.to_string())),
        }
    }
}

impl PartialOrd for Leaf {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl PartialEq for Leaf {
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other) == Ordering::Equal
    }
}

impl Eq for Leaf {}

impl Set {
    /// The set of these paths.
    pub(in crate::sandbox::kube) fn of(paths: &[&[&str]]) -> Self {
        let mut set = Self::default();
        for path in paths {
            set.insert(&path.iter().map(|name| Step::Field((*name).to_owned())).collect::<Path>());
        }
        set
    }

    /// Adds a path. The whole object isn't a path.
    pub(in crate::sandbox::kube) fn insert(&mut self, path: &[Step]) {
        match path {
            [] => {}
            [last] => {
                self.members.insert(last.clone());
            }
            [first, rest @ ..] => self.children.entry(first.clone()).or_default().insert(rest),
        }
    }

    /// Whether there is no path in it.
    pub(in crate::sandbox::kube) fn is_empty(&self) -> bool {
        self.members.is_empty() && self.children.values().all(Self::is_empty)
    }

    /// Whether a step is a path of the set.
    pub(in crate::sandbox::kube) fn has(&self, step: &Step) -> bool {
        self.members.contains(step)
    }

    /// What is below a step.
    pub(in crate::sandbox::kube) fn below(&self, step: &Step) -> Option<&Self> {
        self.children.get(step).filter(|set| !set.is_empty())
    }

    /// The paths of both sets.
    pub(in crate::sandbox::kube) fn union(&self, other: &Self) -> Self {
        let mut all = self.clone();
        all.members.extend(other.members.iter().cloned());
        for (step, set) in &other.children {
            let merged = all.children.get(step).map_or_else(|| set.clone(), |own| own.union(set));
            all.children.insert(step.clone(), merged);
        }
        all
    }

    /// The paths that are in both sets.
    pub(in crate::sandbox::kube) fn intersection(&self, other: &Self) -> Self {
        let children = self.children.iter().filter_map(|(step, set)| {
            let common = set.intersection(other.children.get(step)?);
            (!common.is_empty()).then(|| (step.clone(), common))
        });
        Self { members: self.members.intersection(&other.members).cloned().collect(), children: children.collect() }
    }

    /// The paths that aren't in another set.
    pub(in crate::sandbox::kube) fn difference(&self, other: &Self) -> Self {
        let children = self.children.iter().filter_map(|(step, set)| {
            let rest = other.children.get(step).map_or_else(|| set.clone(), |other| set.difference(other));
            (!rest.is_empty()).then(|| (step.clone(), rest))
        });
        Self { members: self.members.difference(&other.members).cloned().collect(), children: children.collect() }
    }

    /// The paths that neither are in another set nor lie below one of its paths.
    pub(in crate::sandbox::kube) fn without_all_of(&self, other: &Self) -> Self {
        let children = self.children.iter().filter(|(step, _)| !other.members.contains(step)).filter_map(|(step, set)| {
            let rest = other.children.get(step).map_or_else(|| set.clone(), |other| set.without_all_of(other));
            (!rest.is_empty()).then(|| (step.clone(), rest))
        });
        Self { members: self.members.difference(&other.members).cloned().collect(), children: children.collect() }
    }

    /// The paths that begin with a field.
    pub(in crate::sandbox::kube) fn only(&self, name: &str) -> Self {
        let step = Step::Field(name.to_owned());
        let mut kept = Self::default();
        if self.members.contains(&step) {
            kept.members.insert(step.clone());
        }
        if let Some(set) = self.below(&step) {
            kept.children.insert(step, set.clone());
        }
        kept
    }

    /// The set with all declared fields that lead to its paths, which otherwise aren't of it.
    pub(in crate::sandbox::kube) fn with_declared(&self, of: Option<&Type>) -> Self {
        let shape = of.map(|of| of.shape(None));
        let mut members = self.members.clone();
        let mut children = BTreeMap::new();
        for (step, set) in &self.children {
            let inner = match (step, shape) {
                (Step::Field(name), Some(shape @ Shape::Object { .. })) => {
                    if shape.declares(name) {
                        members.insert(step.clone());
                    }
                    shape.field(name)
                }
                (Step::Key(_), Some(Shape::List { of, .. })) => Some(of),
                _ => None,
            };
            children.insert(step.clone(), set.with_declared(inner));
        }
        Self { members, children }
    }

    /// All paths: those that end at a level before those that go on.
    pub(in crate::sandbox::kube) fn paths(&self) -> Vec<Path> {
        let mut paths: Vec<Path> = self.members.iter().map(|step| vec![step.clone()]).collect();
        for (step, set) in &self.children {
            paths.extend(set.paths().into_iter().map(|mut path| {
                path.insert(0, step.clone());
                path
            }));
        }
        paths
    }

    /// The set as FieldsV1.
    pub(in crate::sandbox::kube) fn to_json(&self) -> Value {
        let mut map = Map::new();
        let mut steps: BTreeSet<&Step> = self.members.iter().collect();
        steps.extend(self.children.keys());
        for step in steps {
            let mut inner = Map::new();
            if let Some(set) = self.below(step) {
                if self.members.contains(step) {
                    inner.insert(".".to_owned(), Value::Object(Map::new()));
                }
                if let Value::Object(below) = set.to_json() {
                    inner.extend(below);
                }
            } else if !self.members.contains(step) {
                continue;
            }
            map.insert(step.to_text(), Value::Object(inner));
        }
        Value::Object(map)
    }

    /// Reads FieldsV1.
    pub(in crate::sandbox::kube) fn from_json(value: &Value) -> Result<Self, FieldsError> {
        let mut set = Self::default();
        for (key, inner) in value.as_object().into_iter().flatten() {
            if key == "." {
                continue;
            }
            let step = Step::from_text(key)?;
            let below = Self::from_json(inner)?;
            if below.is_empty() || inner.get(".").is_some() {
                set.members.insert(step.clone());
            }
            if !below.is_empty() {
                set.children.insert(step, below);
            }
        }
        Ok(set)
    }
}

impl Step {
    fn to_text(&self) -> String {
        match self {
            Self::Field(name) => format!("f:{name}"),
            Self::Key(key) => {
                let map: Map<String, Value> = key.iter().map(|(name, leaf)| (name.clone(), leaf.0.clone())).collect();
                format!("k:{}", Value::Object(map))
            }
            Self::Value(leaf) => format!("v:{}", leaf.0),
            Self::Index(index) => format!("i:{index}"),
        }
    }

    fn from_text(text: &str) -> Result<Self, FieldsError> {
        let wrong = || FieldsError(text.to_owned());
        let (kind, rest) = text.split_once(':').ok_or_else(wrong)?;
        match kind {
            "f" => Ok(Self::Field(rest.to_owned())),
            "v" => serde_json::from_str(rest).map(|value| Self::Value(Leaf(value))).map_err(|_| wrong()),
            "i" => rest.parse().map(Self::Index).map_err(|_| wrong()),
            "k" => {
                let map: Map<String, Value> = serde_json::from_str(rest).map_err(|_| wrong())?;
                let mut key: Vec<(String, Leaf)> = map.into_iter().map(|(name, value)| (name, Leaf(value))).collect();
                key.sort();
                Ok(Self::Key(key))
            }
            _ => Err(wrong()),
        }
    }
}

/// As conflicts name it: `.spec.ports[port=80,protocol="TCP"].name`.
impl fmt::Display for Step {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Field(name) => write!(f, ".{name}"),
            Self::Key(key) => {
                let key: Vec<String> = key.iter().map(|(name, leaf)| format!("{name}={}", leaf.0)).collect();
                write!(f, "[{}]", key.join(","))
            }
            Self::Value(leaf) => write!(f, "[={}]", leaf.0),
            Self::Index(index) => write!(f, "[{index}]"),
        }
    }
}

/// A path as conflicts name it.
pub(in crate::sandbox::kube) fn text(path: &[Step]) -> String {
    path.iter().map(ToString::to_string).collect()
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn fields_v1_is_read_and_written() {
        let text = json!({
            "f:metadata": {"f:labels": {".": {}, "f:a": {}}},
            "f:spec": {"f:ports": {"k:{\"port\":80,\"protocol\":\"TCP\"}": {".": {}, "f:port": {}}}, "f:set": {"v:\"x\"": {}}},
        });
        let set = Set::from_json(&text).unwrap();
        assert_eq!(set.to_json(), text);
        let paths: Vec<String> = set.paths().iter().map(|path| super::text(path)).collect();
        assert_eq!(
            paths,
            [
                ".metadata.labels",
                ".metadata.labels.a",
                ".spec.ports[port=80,protocol=\"TCP\"]",
                ".spec.ports[port=80,protocol=\"TCP\"].port",
                ".spec.set[=\"x\"]"
            ]
        );
        assert_eq!(Set::from_json(&json!({"x": {}})), Err(FieldsError("x".to_owned())));
    }

    #[test]
    fn a_parent_less_its_child_is_the_parent_and_a_child_less_its_parent_stays() {
        let parent = Set::of(&[&["a"]]);
        let child = Set::of(&[&["a", "b"]]);
        assert_eq!(parent.difference(&child), parent);
        assert_eq!(child.difference(&parent), child);
        assert!(child.without_all_of(&parent).is_empty());
        assert!(child.intersection(&parent).is_empty());
        assert_eq!(child.union(&parent).difference(&parent), child);
    }
}
