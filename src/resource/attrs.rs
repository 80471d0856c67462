//! Attributes: the fields of a resource that are compared and shown, as a flat map from path to value.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::addr::Addr;

/// The attributes of a resource, by path (`tags.team`, `metadata.labels.istio-injection`).
pub type Attrs = BTreeMap<String, Attr>;

/// One attribute's value.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Attr {
    /// A value that may be shown.
    Value(Value),
    /// A value that may not: its fingerprint.
    Secret(String),
    /// A value that will be known once that resource is ready.
    Unknown(Addr),
}

impl Attr {
    /// A text.
    pub fn text(text: impl Into<String>) -> Self {
        Self::Value(Value::String(text.into()))
    }

    /// The text of a text value.
    pub fn as_text(&self) -> Option<&str> {
        match self {
            Self::Value(Value::String(text)) => Some(text),
            _ => None,
        }
    }

    /// Whether it is known now.
    pub fn is_known(&self) -> bool {
        !matches!(self, Self::Unknown(_))
    }
}

/// What becomes of a resource when one of its attributes has to change.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OnChange {
    /// It is changed in place.
    Update,
    /// Its API can't change it: a new one takes its place.
    Replace,
}

/// An attribute of a kind: the list that plans, tests and docs go by.
#[derive(Clone, Copy, Debug)]
pub struct AttrDef {
    /// The path; `tags.*` stands for all below.
    pub path: &'static str,
    /// What a change means.
    pub on_change: OnChange,
    /// How the live value is seen, or why it can't be.
    pub seen: Seen,
}

/// How an attribute's live value is seen.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Seen {
    /// It is read at each plan.
    Live,
    /// It can't be changed by anyone while the resource lives; it is read once and kept in state. The reason.
    Fixed(&'static str),
    /// It can't be read. The reason.
    Unseen(&'static str),
}

/// The definition that covers `path`.
pub fn definition<'a>(defs: &'a [AttrDef], path: &str) -> Option<&'a AttrDef> {
    defs.iter().find(|def| match def.path.strip_suffix('*') {
        Some(prefix) => path.starts_with(prefix),
        None => def.path == path,
    })
}
