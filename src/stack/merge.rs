//! A deep merge that remembers where every value came from.
//!
//! Maps are joined, a later value wins, lists replace lists, and `null` removes an inherited key, but for values of charts: there Helm takes
//! it as the removal of a default of the chart.

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
            Some(base) => over(base, document, Where::Top),
        });
    }
    merged
}

/// Where in the document a value stands, as far as that decides what `null` means.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Where {
    /// Nowhere in particular.
    Elsewhere,
    /// At the top.
    Top,
    /// In a section about charts.
    Charts,
    /// In the values of a chart.
    Values,
}

impl Where {
    fn below(self, key: &str) -> Self {
        match (self, key) {
            (Self::Charts, "values") | (Self::Values, _) => Self::Values,
            (Self::Top, "istio" | "charts") | (Self::Charts, _) => Self::Charts,
            _ => Self::Elsewhere,
        }
    }
}

/// `later` over `base`. Recursion is bounded: documents are at most [`crate::input::MAX_DEPTH`] deep.
fn over(base: Node, later: Node, at: Where) -> Node {
    match (base.value, later.value) {
        (Value::Map(entries), Value::Map(newer)) => {
            // The place stays that of the map that began it: its keys have places of their own.
            Node { value: Value::Map(join(entries, newer, at)), place: base.place, overrode: base.overrode }
        }
        (_, value) => {
            let mut overrode = base.overrode;
            overrode.push(base.place);
            Node { value, place: later.place, overrode }
        }
    }
}

/// The entries of a map with those of the map that is merged over it.
fn join(entries: Vec<Entry>, newer: Vec<Entry>, at: Where) -> Vec<Entry> {
    let index: HashMap<String, usize> = entries.iter().enumerate().map(|(at, entry)| (entry.key.clone(), at)).collect();
    let mut joined: Vec<Option<Entry>> = entries.into_iter().map(Some).collect();
    for new in newer {
        match index.get(&new.key) {
            None => joined.push(Some(new)),
            Some(&index) if new.value.is_null() && at != Where::Values => joined[index] = None,
            Some(&index) => joined[index] = joined[index].take().map(|old| replace(old, new, at)),
        }
    }
    joined.into_iter().flatten().collect()
}

/// An entry with the value of the same key that is merged over it. A map that goes on stays where it began.
fn replace(old: Entry, new: Entry, at: Where) -> Entry {
    let goes_on = old.value.entries().is_some() && new.value.entries().is_some();
    let key_place = if goes_on { old.key_place } else { new.key_place };
    let at = at.below(&new.key);
    Entry { key: new.key, key_place, value: over(old.value, new.value, at) }
}
