//! What readers build of a document: values of templates, or nodes.

use std::borrow::Cow;
use std::collections::{BTreeMap, HashSet};

use super::node::Node;
use super::resolve::{Scalar, resolve};
use crate::helm::value::{List, MAX_DEPTH, Map, Str, Type, Value};

/// Another reader is to be asked.
pub(super) struct Other;

pub(super) type Result<T, E = Other> = std::result::Result<T, E>;

/// A reader that goes down into lists and maps.
pub(super) trait Descend {
    /// How many it is within.
    fn depth(&mut self) -> &mut usize;

    /// Goes through a list or a map, whose nesting is bounded.
    fn within<T>(&mut self, read: impl FnOnce(&mut Self) -> Result<T>) -> Result<T> {
        if *self.depth() >= MAX_DEPTH {
            return Err(Other);
        }
        *self.depth() += 1;
        let found = read(self)?;
        *self.depth() -= 1;
        Ok(found)
    }
}

/// What is built of a document. Nothing stands for what is left to another reader.
pub(super) trait Build: Sized {
    /// The entries of a map.
    type Entries: Default;

    /// A scalar; a plain one may be more than a text.
    fn scalar(text: Cow<'_, str>, plain: bool) -> Option<Self>;

    /// A list.
    fn list(items: Vec<Self>) -> Self;

    /// Puts an entry in. Of two of one key the last counts.
    fn put(map: &mut Self::Entries, key: Cow<'_, str>, value: Self);

    /// A map.
    fn map(entries: Self::Entries) -> Option<Self>;
}

/// As `json.Unmarshal` reads it: all numbers are floats.
impl Build for Value {
    type Entries = BTreeMap<Str, Self>;

    fn scalar(text: Cow<'_, str>, plain: bool) -> Option<Self> {
        if !plain {
            return Some(Self::from(&*text));
        }
        #[expect(clippy::cast_precision_loss, reason = "Go reads the digits as a float64, too")]
        Some(match resolve(&text) {
            Scalar::Null => Self::Nil,
            Scalar::Bool(truth) => Self::Bool(truth),
            Scalar::Int(number) => Self::Float(number as f64),
            Scalar::Uint(number) => Self::Float(number as f64),
            // JSON has no NaN and no infinities.
            Scalar::Float(number) => return number.is_finite().then_some(Self::Float(number)),
            Scalar::Timestamp | Scalar::Str => Self::from(&*text),
        })
    }

    fn list(items: Vec<Self>) -> Self {
        Self::List(List::new(items))
    }

    fn put(map: &mut Self::Entries, key: Cow<'_, str>, value: Self) {
        map.insert(Str::from(&*key), value);
    }

    fn map(entries: Self::Entries) -> Option<Self> {
        Some(Self::Map(Map::typed(Type::Map, entries)))
    }
}

impl Build for Node {
    type Entries = Vec<(String, Self)>;

    fn scalar(text: Cow<'_, str>, plain: bool) -> Option<Self> {
        if !plain {
            return Some(Self::Str(text.into_owned()));
        }
        Some(match resolve(&text) {
            Scalar::Null => Self::Null,
            Scalar::Bool(truth) => Self::Bool(truth),
            Scalar::Int(number) => Self::Int(number),
            Scalar::Uint(number) => Self::Uint(number),
            Scalar::Float(number) => Self::Float(number),
            Scalar::Timestamp | Scalar::Str => Self::Str(text.into_owned()),
        })
    }

    fn list(items: Vec<Self>) -> Self {
        Self::List(items)
    }

    fn put(map: &mut Self::Entries, key: Cow<'_, str>, value: Self) {
        map.push((key.into_owned(), value));
    }

    fn map(entries: Self::Entries) -> Option<Self> {
        is_set(&entries).then_some(Self::Map(entries))
    }
}

/// Whether no key is there twice.
fn is_set(entries: &[(String, Node)]) -> bool {
    const FEW: usize = 8;
    if entries.len() > FEW {
        let mut seen = HashSet::with_capacity(entries.len());
        return entries.iter().all(|(key, _)| seen.insert(key.as_str()));
    }
    entries.iter().enumerate().all(|(at, (key, _))| entries[..at].iter().all(|(other, _)| other != key))
}

/// The text of a key.
pub(super) fn key(text: Cow<'_, str>, plain: bool) -> Result<Cow<'_, str>> {
    if !plain {
        return Ok(text);
    }
    match resolve(&text) {
        Scalar::Str | Scalar::Timestamp if text != "<<" => Ok(text),
        Scalar::Bool(truth) => Ok(Cow::Borrowed(if truth { "true" } else { "false" })),
        Scalar::Int(number) => Ok(Cow::Owned(number.to_string())),
        _ => Err(Other),
    }
}
