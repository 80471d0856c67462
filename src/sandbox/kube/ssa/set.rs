//! The fields that an applied configuration has (structured-merge-diff: `typed/tofieldset.go`).

use serde_json::Value;

use super::super::schema::{Items, Shape, Type};
use super::fields::{Path, Set, Step};
use super::items::index;

/// The fields of an object.
pub(in crate::sandbox::kube) fn fields_of(of: &Type, value: &Value) -> Result<Set, String> {
    let mut walk = Walk { path: Vec::new(), set: Set::default() };
    walk.visit(of, value)?;
    Ok(walk.set)
}

struct Walk {
    path: Path,
    set: Set,
}

impl Walk {
    fn visit(&mut self, of: &Type, value: &Value) -> Result<(), String> {
        let shape = of.shape(Some(value));
        match shape {
            Shape::Scalar(_) | Shape::Object { atomic: true, .. } | Shape::List { by: Items::Atomic, .. } => self.set.insert(&self.path),
            Shape::Object { .. } => {
                for (key, value) in value.as_object().into_iter().flatten() {
                    let Some(of) = shape.field(key) else { continue };
                    self.path.push(Step::Field(key.clone()));
                    self.visit(of, value)?;
                    let empty = value.is_null() || value.as_object().is_some_and(serde_json::Map::is_empty);
                    if empty || !shape.declares(key) {
                        self.set.insert(&self.path);
                    }
                    self.path.pop();
                }
            }
            Shape::List { of, by } => {
                let items = index(of, by, super::items::list_of(Some(value)))?;
                for step in &items.order {
                    self.path.push(step.clone());
                    if let Some([item]) = items.items.get(step).map(Vec::as_slice) {
                        self.visit(of, item)?;
                    }
                    self.set.insert(&self.path);
                    self.path.pop();
                }
            }
        }
        Ok(())
    }
}
