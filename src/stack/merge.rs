//! A deep merge that remembers where every value came from.
//!
//! Maps are joined, a later value wins, lists replace lists, and `null` removes an inherited key.

use std::collections::HashMap;

use crate::input::{Entry, Node, Value};

/// Merges documents, the heaviest last, and drops `extends`. Nothing for no documents.
pub(super) fn merge<'a>(documents: impl IntoIterator<Item = &'a Node>) -> Option<Node> {
    let mut merged: Option<Node> = None;
    for document in documents {
        let mut document = document.clone();
        if let Value::Map(entries) = &mut document.value {
            entries.retain(|entry| entry.key != "extends");
        }
        merged = Some(match merged {
            None => document,
            Some(base) => over(base, document),
        });
    }
    merged
}

/// `later` over `base`. Recursion is bounded: documents are at most [`crate::input::MAX_DEPTH`] deep.
fn over(base: Node, later: Node) -> Node {
    match (base.value, later.value) {
        (Value::Map(entries), Value::Map(newer)) => {
            // The place stays that of the map that began it: its keys have places of their own.
            Node { value: Value::Map(join(entries, newer)), place: base.place, overrode: base.overrode }
        }
        (_, value) => {
            let mut overrode = base.overrode;
            overrode.push(base.place);
            Node { value, place: later.place, overrode }
        }
    }
}

/// The entries of a map with those of the map that is merged over it.
fn join(entries: Vec<Entry>, newer: Vec<Entry>) -> Vec<Entry> {
    let index: HashMap<String, usize> = entries.iter().enumerate().map(|(at, entry)| (entry.key.clone(), at)).collect();
    let mut joined: Vec<Option<Entry>> = entries.into_iter().map(Some).collect();
    for new in newer {
        match index.get(&new.key) {
            None => joined.push(Some(new)),
            Some(&at) if new.value.is_null() => joined[at] = None,
            Some(&at) => joined[at] = joined[at].take().map(|old| replace(old, new)),
        }
    }
    joined.into_iter().flatten().collect()
}

/// An entry with the value of the same key that is merged over it. A map that goes on stays where it began.
fn replace(old: Entry, new: Entry) -> Entry {
    let goes_on = old.value.entries().is_some() && new.value.entries().is_some();
    let key_place = if goes_on { old.key_place } else { new.key_place };
    Entry { key: new.key, key_place, value: over(old.value, new.value) }
}
