//! Putting an applied configuration into an object (structured-merge-diff: `typed/merge.go`).

use serde_json::{Map, Value};

use super::super::schema::{Items, Shape, Type};
use super::fields::Step;
use super::items::{index, list_of};

/// The object with the configuration put into it.
pub(in crate::sandbox::kube) fn merge(of: &Type, live: &Value, config: &Value) -> Result<Value, String> {
    Ok(merged(of, Some(live), Some(config))?.unwrap_or(Value::Null))
}

fn merged(of: &Type, live: Option<&Value>, config: Option<&Value>) -> Result<Option<Value>, String> {
    // A configuration that says nothing of a value takes the shape of the live one, and otherwise its own counts.
    let shape = if config.is_none() { of.shape(live) } else { of.shape(config) };
    let either = || config.or(live).cloned();
    match shape {
        Shape::Scalar(_) => Ok(either()),
        Shape::Object { atomic, .. } => {
            let (lives, configs) = (live.and_then(Value::as_object), config.and_then(Value::as_object));
            if atomic || (lives.is_none_or(Map::is_empty) && configs.is_none_or(Map::is_empty)) {
                return Ok(either());
            }
            let mut out = Map::new();
            let only_config = configs.into_iter().flatten().filter(|(key, _)| lives.is_none_or(|lives| !lives.contains_key(*key)));
            for key in lives.into_iter().flatten().map(|(key, _)| key).chain(only_config.map(|(key, _)| key)) {
                let (live, config) = (lives.and_then(|lives| lives.get(key)), configs.and_then(|configs| configs.get(key)));
                let value = match shape.field(key) {
                    Some(of) => merged(of, live, config)?,
                    None => config.or(live).cloned(),
                };
                out.extend(value.map(|value| (key.clone(), value)));
            }
            Ok((!out.is_empty()).then_some(Value::Object(out)))
        }
        Shape::List { of, by } => {
            let (lives, configs) = (list_of(live), list_of(config));
            if *by == Items::Atomic || (lives.is_empty() && configs.is_empty()) {
                return Ok(either());
            }
            let out = items(of, by, lives, configs)?;
            Ok((!out.is_empty()).then_some(Value::Array(out)))
        }
    }
}

/// Merges two lists. The order of the configuration holds among its items; items that only live has keep their place before the next
/// item that both have.
fn items(of: &Type, by: &Items, lives: &[Value], configs: &[Value]) -> Result<Vec<Value>, String> {
    let (wanted, found) = (index(of, by, configs)?, index(of, by, lives)?);
    if let Some((step, _)) = wanted.items.iter().find(|(_, items)| items.len() > 1) {
        return Err(format!("duplicate entries for key {step}"));
    }
    let steps = lives.iter().map(|item| super::items::step(of, by, item)).collect::<Result<Vec<Step>, String>>()?;
    let mut shared = wanted.order.iter().filter(|step| found.items.contains_key(*step));
    let mut next = shared.next();
    let mut taken: Vec<&Step> = Vec::new();
    let mut out = Vec::with_capacity(lives.len().max(configs.len()));
    let (mut l, mut r) = (0, 0);
    let both = |step: &Step| -> Result<Option<Value>, String> {
        // Several live items of one step aren't merged with the new one: it replaces them.
        let live = found.items.get(step).map(|items| if items.len() == 1 { items[0] } else { &Value::Null });
        merged(of, live, wanted.items.get(step).and_then(|items| items.first().copied()))
    };
    while l < steps.len() || r < wanted.order.len() {
        if let (Some(live), Some(want)) = (steps.get(l), wanted.order.get(r)) {
            if live == want {
                taken.push(want);
                out.extend(both(want)?);
                (l, r, next) = (l + 1, r + 1, shared.next());
                continue;
            }
            if wanted.items.contains_key(live) && next.is_some_and(|next| next != live) {
                l += 1;
                continue;
            }
        }
        if let Some(live) = steps.get(l) {
            if !wanted.items.contains_key(live) {
                out.extend(merged(of, Some(&lives[l]), None)?);
                l += 1;
                continue;
            }
            if taken.contains(&live) {
                l += 1;
            }
        }
        if let Some(want) = wanted.order.get(r) {
            taken.push(want);
            out.extend(both(want)?);
            r += 1;
            if next == Some(want) {
                next = shared.next();
            }
        }
    }
    Ok(out)
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn an_empty_map_in_the_configuration_leaves_what_is_there() {
        let of = Type::built_in("core.v1.ConfigMap");
        let merge = |live: Value, config: Value| merge(&of, &live, &config).unwrap();
        assert_eq!(merge(json!({"data": {"a": "1"}}), json!({"data": {}})), json!({"data": {"a": "1"}}));
        assert_eq!(merge(json!({"immutable": true}), json!({"data": {}})), json!({"immutable": true, "data": {}}));
    }

    #[test]
    fn items_keep_the_order_of_the_configuration_and_foreign_ones_their_place() {
        let of = Type::built_in("meta.v1.ObjectMeta");
        let merge = |live: Value, config: Value| merge(&of, &json!({"finalizers": live}), &json!({"finalizers": config})).unwrap();
        assert_eq!(merge(json!(["a", "b", "c"]), json!(["c", "d", "a"]))["finalizers"], json!(["b", "c", "d", "a"]));
        assert_eq!(merge(json!(["a", "x", "b"]), json!(["a", "b"]))["finalizers"], json!(["a", "x", "b"]));
    }
}
