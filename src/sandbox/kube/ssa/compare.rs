//! What differs between two objects, as sets of fields (structured-merge-diff: `typed/compare.go`).

use serde_json::Value;

use super::super::schema::{Items, Shape, Type};
use super::fields::{Path, Set, Step};
use super::items::{index, list_of, same};

/// What differs between two objects.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(in crate::sandbox::kube) struct Comparison {
    /// Only the first has it.
    pub(in crate::sandbox::kube) removed: Set,
    /// Both have it, with different values.
    pub(in crate::sandbox::kube) modified: Set,
    /// Only the second has it.
    pub(in crate::sandbox::kube) added: Set,
}

impl Comparison {
    /// The comparison with each of its sets changed.
    pub(in crate::sandbox::kube) fn map(&self, change: impl Fn(&Set) -> Set) -> Self {
        Self { removed: change(&self.removed), modified: change(&self.modified), added: change(&self.added) }
    }
}

/// Compares two objects of a type. A list that can't be taken apart is told by where it is and why.
pub(in crate::sandbox::kube) fn compare(of: &Type, old: &Value, new: &Value) -> Result<Comparison, String> {
    let mut walk = Walk { path: Vec::new(), found: Comparison::default() };
    walk.compare(of, Some(old), Some(new))?;
    Ok(walk.found)
}

struct Walk {
    path: Path,
    found: Comparison,
}

impl Walk {
    fn compare(&mut self, of: &Type, old: Option<&Value>, new: Option<&Value>) -> Result<(), String> {
        let (before, after) = (of.shape(old), of.shape(new));
        let leaf = if new.is_none() {
            self.visit(before, old, new)?
        } else if old.is_none() || std::mem::discriminant(&before) == std::mem::discriminant(&after) {
            self.visit(after, old, new)?
        } else {
            self.visit(before, old, new)?;
            self.visit(after, old, new)?
        };
        if !leaf {
            match (old, new) {
                (None, _) => self.found.added.insert(&self.path),
                (_, None) => self.found.removed.insert(&self.path),
                _ => {}
            }
        }
        Ok(())
    }

    /// Visits a value, and says whether it was one leaf.
    fn visit(&mut self, shape: Shape<'_>, old: Option<&Value>, new: Option<&Value>) -> Result<bool, String> {
        match shape {
            Shape::Scalar(_) => self.leaf(old, new),
            Shape::Object { atomic, .. } => {
                let (olds, news) = (old.and_then(Value::as_object), new.and_then(Value::as_object));
                if atomic || (olds.is_none_or(serde_json::Map::is_empty) && news.is_none_or(serde_json::Map::is_empty)) {
                    self.leaf(old, new);
                    return Ok(true);
                }
                let only_new = news.into_iter().flatten().filter(|(key, _)| olds.is_none_or(|olds| !olds.contains_key(*key)));
                let keys: Vec<&String> = olds.into_iter().flatten().map(|(key, _)| key).chain(only_new.map(|(key, _)| key)).collect();
                for key in keys {
                    let Some(of) = shape.field(key) else { continue };
                    self.path.push(Step::Field(key.clone()));
                    self.compare(of, olds.and_then(|olds| olds.get(key)), news.and_then(|news| news.get(key)))?;
                    self.path.pop();
                }
                return Ok(false);
            }
            Shape::List { of, by } => {
                let (olds, news) = (list_of(old), list_of(new));
                if *by == Items::Atomic || (olds.is_empty() && news.is_empty()) {
                    self.leaf(old, new);
                    return Ok(true);
                }
                self.items(of, by, olds, news)?;
                return Ok(false);
            }
        }
        Ok(true)
    }

    fn leaf(&mut self, old: Option<&Value>, new: Option<&Value>) {
        match (old, new) {
            (None, _) => self.found.added.insert(&self.path),
            (_, None) => self.found.removed.insert(&self.path),
            (Some(old), Some(new)) if !same(old, new) => self.found.modified.insert(&self.path),
            _ => {}
        }
    }

    fn items(&mut self, of: &Type, by: &Items, olds: &[Value], news: &[Value]) -> Result<(), String> {
        let (olds, news) = (index(of, by, olds)?, index(of, by, news)?);
        let none = Vec::new();
        let only_new = news.order.iter().filter(|step| !olds.items.contains_key(*step));
        for step in olds.order.iter().chain(only_new) {
            let (old, new) = (olds.items.get(step).unwrap_or(&none), news.items.get(step).unwrap_or(&none));
            self.path.push(step.clone());
            match (old.len(), new.len()) {
                (0..=1, 0..=1) => self.compare(of, old.first().copied(), new.first().copied())?,
                (0..=1, _) => {
                    if let Some(old) = old.first() {
                        self.compare(of, Some(old), None)?;
                    }
                    self.found.added.insert(&self.path);
                }
                (_, 0..=1) => {
                    if let Some(new) = new.first() {
                        self.compare(of, None, Some(new))?;
                    }
                    self.found.removed.insert(&self.path);
                }
                _ if old.len() != new.len() || old.iter().zip(new).any(|(old, new)| !same(old, new)) => {
                    self.found.modified.insert(&self.path);
                }
                _ => {}
            }
            self.path.pop();
        }
        Ok(())
    }
}
