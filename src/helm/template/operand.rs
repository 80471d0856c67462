//! What evaluation passes around: `reflect.Value` as text/template uses it.

use crate::helm::value::{List, Map, Type, Value};

/// A value and how it is held. Go tells apart no value at all, a nil in an interface, and a value that was taken out of an interface: errors and
/// nil rules depend on it.
#[derive(Clone)]
pub(super) struct Operand {
    pub(super) value: Value,
    pub(super) held: Held,
}

/// How the value is held.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Held {
    /// The zero `reflect.Value`.
    Invalid,
    /// In an `interface {}`: an element of a map or list of any values.
    Interface,
    /// As itself.
    Direct,
}

impl Operand {
    pub(super) const INVALID: Self = Self { value: Value::Nil, held: Held::Invalid };

    /// What a function returned, or a literal.
    pub(super) fn direct(value: Value) -> Self {
        let held = if matches!(value, Value::Nil) { Held::Interface } else { Held::Direct };
        Self { value, held }
    }

    /// An element of a collection with elements of this type.
    pub(super) fn element(value: Value, elem: Type) -> Self {
        Self { value, held: if elem == Type::Any { Held::Interface } else { Held::Direct } }
    }

    /// What is inside of an interface; `indirectInterface`.
    pub(super) fn unwrap(mut self) -> Self {
        if self.held == Held::Interface {
            self.held = if matches!(self.value, Value::Nil) { Held::Invalid } else { Held::Direct };
        }
        self
    }

    pub(super) fn is_valid(&self) -> bool {
        self.held != Held::Invalid
    }

    /// A nil in an interface.
    pub(super) fn is_nil_interface(&self) -> bool {
        self.held == Held::Interface && matches!(self.value, Value::Nil)
    }

    /// The name of its type: that of the interface where it is in one.
    pub(super) fn type_name(&self) -> &'static str {
        if self.held == Held::Interface { Type::Any.name() } else { self.value.type_name() }
    }
}

/// `reflect.Zero` of a type that can be nil.
pub(super) fn nil_of(typ: Type) -> Value {
    match typ {
        Type::Map | Type::Values | Type::StringMap => Value::Map(Map::nil(typ)),
        Type::Anys | Type::Strings | Type::Ints | Type::Bytes | Type::Lists | Type::Maps | Type::Slice(_) => Value::List(List::nil(typ)),
        _ => Value::Nil,
    }
}
