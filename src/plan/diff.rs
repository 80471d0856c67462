//! Desired against live, attribute by attribute.

use std::collections::BTreeSet;

use serde_json::Value;

use super::Change;
use crate::addr::Addr;
use crate::observed::Found;
use crate::resource::policy;
use crate::resource::{Attr, Attrs, OnChange, Seen, attr_defs, definition};

/// The changes that bring `found` to `desired`: attributes that differ, and those that we own and no longer want. Attributes of others
/// are left alone.
pub fn changes(addr: &Addr, desired: &Attrs, found: &Found, applied: Option<&Attrs>, ours: &BTreeSet<String>) -> Vec<Change> {
    let defs = attr_defs(addr);
    let mut changes = Vec::new();
    for (path, wanted) in desired {
        let def = definition(defs, path);
        // What the server never tells is compared with what was applied last.
        let live = match def.map(|def| def.seen) {
            Some(Seen::Unseen(_)) => match applied.and_then(|applied| applied.get(path)) {
                Some(applied) => Some(applied),
                None => continue,
            },
            _ => found.attrs.get(path),
        };
        if live.is_some_and(|live| same(path, live, wanted)) || (live.is_none() && is_nothing(wanted)) {
            continue;
        }
        let replaces = def.is_some_and(|def| def.on_change == OnChange::Replace);
        changes.push(Change {
            path: path.clone(),
            before: live.cloned(),
            after: Some(wanted.clone()),
            manager: found.managers.get(path).cloned(),
            replaces,
        });
    }
    for (path, live) in &found.attrs {
        let was_ours = ours.contains(path) || applied.is_some_and(|applied| applied.contains_key(path));
        if was_ours && !desired.contains_key(path) && definition(defs, path).is_some() {
            changes.push(Change { path: path.clone(), before: Some(live.clone()), after: None, manager: None, replaces: false });
        }
    }
    changes
}

/// Whether a change only undoes what was done behind meshform's back: the value wanted is the one last applied.
pub fn is_drift(change: &Change, applied: &Attrs) -> bool {
    match (&change.after, applied.get(&change.path)) {
        (Some(after), Some(was)) => same(&change.path, was, after),
        _ => false,
    }
}

fn is_nothing(attr: &Attr) -> bool {
    matches!(attr, Attr::Value(Value::String(text)) if text.is_empty())
}

/// Whether two values mean the same.
fn same(path: &str, live: &Attr, wanted: &Attr) -> bool {
    match (live, wanted) {
        (Attr::Value(Value::Array(live)), Attr::Value(Value::Array(wanted))) if path == "subject_alternative_names" => {
            let set = |list: &[Value]| list.iter().filter_map(|v| v.as_str().map(str::to_ascii_lowercase)).collect::<BTreeSet<_>>();
            set(live) == set(wanted)
        }
        (Attr::Value(Value::String(live)), Attr::Value(Value::String(wanted))) if path == "key_algorithm" => {
            live.replace('-', "_") == wanted.replace('-', "_")
        }
        (Attr::Value(Value::String(live)), Attr::Value(Value::String(wanted))) if path == "kms_key_id" || path.starts_with("replicas.") => {
            same_key(live, wanted)
        }
        (Attr::Value(live), Attr::Value(wanted)) if path == "policy" => policy::same(live, wanted),
        _ => live == wanted,
    }
}

/// A KMS key may be named by ARN, id or alias; an alias is the same as its ARN.
pub(crate) fn same_key(live: &str, wanted: &str) -> bool {
    let tail = |text: &str| text.rsplit_once(':').map_or(text, |(_, tail)| tail).trim_start_matches("key/").to_owned();
    live == wanted || tail(live) == tail(wanted)
}
