//! What objects look like: the types of built-in kinds, and those that a CustomResourceDefinition gives.
//!
//! One set of types serves decoding, defaults, and server-side apply, as in a real API server, where all come from one OpenAPI document.

pub(super) mod crd;
pub(super) mod decode;
pub(super) mod defaults;
mod text;

use std::collections::BTreeMap;
use std::sync::Arc;

use serde_json::Value;

/// The type of a value.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Type {
    /// A single value.
    Scalar(Scalar),
    /// A map with any keys.
    Map {
        /// The type of its values.
        of: Arc<Type>,
        /// Whether it is owned as a whole.
        atomic: bool,
    },
    /// A list.
    List {
        /// The type of its items.
        of: Arc<Type>,
        /// How its items are told apart.
        by: Items,
    },
    /// A built-in struct by its name in the table.
    Named {
        /// The name.
        name: &'static str,
        /// Whether this use of it is owned as a whole.
        atomic: bool,
    },
    /// A struct that is described in place.
    Struct(Arc<Struct>),
    /// Anything: maps are granular, lists atomic (structured-merge-diff: `__untyped_deduced_`).
    Any,
    /// Anything, as a whole (structured-merge-diff: `__untyped_atomic_`).
    AnyAtomic,
}

/// The kinds of single values.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Scalar {
    String,
    Bytes,
    Bool,
    Int32,
    Int64,
    Number,
    Time,
    MicroTime,
    Quantity,
    IntOrString,
}

/// How the items of a list are told apart (Kubernetes: `x-kubernetes-list-type`).
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Items {
    /// Not at all: the list is owned as a whole.
    Atomic,
    /// By their value.
    Set,
    /// By some of their fields.
    Keys(Vec<String>),
}

/// An object with known fields.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Struct {
    /// Its name, for messages.
    pub(super) name: String,
    /// The fields by name.
    pub(super) fields: BTreeMap<String, Field>,
    /// Whether it is owned as a whole.
    pub(super) atomic: bool,
    /// The type of fields that aren't known; absent: there are none.
    pub(super) others: Option<Type>,
}

/// A field of a struct.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Field {
    /// Its type.
    pub(super) of: Type,
    /// Whether it must be there.
    pub(super) required: bool,
    /// Whether the server writes it.
    pub(super) written: Written,
    /// The value it has when it isn't given.
    pub(super) default: Option<Value>,
}

/// Whether the server writes a field, which depends on how its Go struct is declared.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum Written {
    /// As it was given; maps and lists unless they're empty.
    #[default]
    AsGiven,
    /// Unless it is an empty text, zero or false.
    UnlessZero,
    /// Even a zero, and an empty map or list as nothing.
    Always,
}

/// A type, as seen by who walks through a value.
#[derive(Clone, Copy, Debug)]
pub(super) enum Shape<'a> {
    /// A single value, of a known kind or of any.
    Scalar(Option<Scalar>),
    /// A map or a struct.
    Object {
        /// The known fields.
        fields: Option<&'a Struct>,
        /// The type of all others.
        others: Option<&'a Type>,
        /// Whether it is owned as a whole.
        atomic: bool,
    },
    /// A list.
    List {
        /// The type of its items.
        of: &'a Type,
        /// How they are told apart.
        by: &'a Items,
    },
}

impl Type {
    /// The type of a built-in kind.
    pub(super) fn built_in(name: &'static str) -> Self {
        Self::Named { name, atomic: false }
    }

    /// The struct behind it, if it is one.
    pub(super) fn fields(&self) -> Option<&Struct> {
        match self {
            Self::Named { name, .. } => text::table().get(*name),
            Self::Struct(fields) => Some(fields),
            _ => None,
        }
    }

    /// How to walk through a value of this type. Where anything is allowed, the value decides; nothing counts as an empty map
    /// (structured-merge-diff: `deduceAtom`).
    pub(super) fn shape(&self, value: Option<&Value>) -> Shape<'_> {
        match self {
            Self::Scalar(scalar) => Shape::Scalar(Some(*scalar)),
            Self::Map { of, atomic } => Shape::Object { fields: None, others: Some(of), atomic: *atomic },
            Self::List { of, by } => Shape::List { of, by },
            Self::Named { atomic, .. } => {
                let fields = self.fields();
                let whole = fields.is_some_and(|fields| fields.atomic);
                Shape::Object { fields, others: fields.and_then(|fields| fields.others.as_ref()), atomic: *atomic || whole }
            }
            Self::Struct(fields) => Shape::Object { fields: Some(fields), others: fields.others.as_ref(), atomic: fields.atomic },
            Self::Any | Self::AnyAtomic => match value {
                Some(Value::Array(_)) => Shape::List { of: &Self::AnyAtomic, by: &Items::Atomic },
                None | Some(Value::Object(_) | Value::Null) => {
                    Shape::Object { fields: None, others: Some(self), atomic: *self == Self::AnyAtomic }
                }
                Some(_) => Shape::Scalar(None),
            },
        }
    }
}

impl<'a> Shape<'a> {
    /// The type of a field of an object; none when there is no such field.
    pub(super) fn field(self, name: &str) -> Option<&'a Type> {
        match self {
            Self::Object { fields, others, .. } => fields.and_then(|fields| fields.fields.get(name)).map(|field| &field.of).or(others),
            _ => None,
        }
    }

    /// Whether a struct declares a field, as opposed to a map having a key.
    pub(super) fn declares(self, name: &str) -> bool {
        matches!(self, Self::Object { fields: Some(fields), .. } if fields.fields.contains_key(name))
    }
}
