//! Taking fields out of an object (structured-merge-diff: `typed/remove.go`).

use serde_json::{Map, Value};

use super::super::schema::{Items, Shape, Type};
use super::fields::{Set, Step};

/// The object without some of its fields. Where nothing remains there is nothing.
pub(in crate::sandbox::kube) fn without(of: &Type, value: &Value, fields: &Set) -> Value {
    let shape = of.shape(Some(value));
    match (shape, value) {
        (Shape::Scalar(_), value) => value.clone(),
        (Shape::Object { atomic: false, .. }, Value::Object(map)) => {
            let mut kept = Map::new();
            for (key, value) in map {
                let step = Step::Field(key.clone());
                if fields.has(&step) {
                    continue;
                }
                let value = match (fields.below(&step), shape.field(key)) {
                    (Some(below), Some(of)) => without(of, value, below),
                    _ => value.clone(),
                };
                kept.insert(key.clone(), value);
            }
            if kept.is_empty() { Value::Null } else { Value::Object(kept) }
        }
        (Shape::List { of, by }, Value::Array(list)) if *by != Items::Atomic => {
            let mut kept = Vec::new();
            for item in list {
                let Ok(step) = super::items::step(of, by, item) else { continue };
                if fields.has(&step) {
                    continue;
                }
                kept.push(fields.below(&step).map_or_else(|| item.clone(), |below| without(of, item, below)));
            }
            if kept.is_empty() { Value::Null } else { Value::Array(kept) }
        }
        // What is owned as a whole goes as a whole: nothing is left when something within is to go.
        _ => Value::Null,
    }
}
