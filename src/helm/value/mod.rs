//! Go values as templates meet them.

mod collection;
mod last_read;
mod object;
mod print;
mod text;
mod types;

use std::cell::Cell;
use std::rc::Rc;

pub use collection::{List, Map};
pub use last_read::LastRead;
pub use object::{Method, Object};
pub use text::Str;
pub use types::{Kind, Type};

use crate::helm::func::FuncError;

/// How deep a value may be nested when it is printed, copied, compared or written: what is deeper is a map put into itself, or hostile.
/// Go overflows its stack there.
pub const MAX_DEPTH: usize = 1000;

/// A Go value.
#[derive(Clone, Default)]
pub enum Value {
    /// nil in an `interface {}`.
    #[default]
    Nil,
    /// `bool`
    Bool(bool),
    /// `int`, `int32` or `int64`; the type is one of [`Type::Int`], [`Type::Int32`], [`Type::Int64`].
    Int(Type, i64),
    /// An unsigned integer; the type is one of [`Type::Uint`], [`Type::Uint8`], [`Type::Uint32`], [`Type::Uint64`].
    Uint(Type, u64),
    /// `float64`
    Float(f64),
    /// `string`
    Str(Str),
    /// A slice.
    List(List),
    /// A map with string keys.
    Map(Map),
    /// Anything with methods or fields of its own.
    Object(Rc<dyn Object>),
}

impl Value {
    /// An `int`.
    #[must_use]
    pub fn int(number: i64) -> Self {
        Self::Int(Type::Int, number)
    }

    /// An `int64`.
    #[must_use]
    pub fn int64(number: i64) -> Self {
        Self::Int(Type::Int64, number)
    }

    /// A `string`.
    pub fn str(text: impl Into<Str>) -> Self {
        Self::Str(text.into())
    }

    /// A `[]uint8`.
    #[must_use]
    pub fn bytes(bytes: &[u8]) -> Self {
        Self::List(List::bytes(bytes))
    }

    /// The type; [`Type::Any`] for nil.
    #[must_use]
    pub fn typ(&self) -> Type {
        match self {
            Self::Nil => Type::Any,
            Self::Bool(_) => Type::Bool,
            Self::Int(typ, _) | Self::Uint(typ, _) => *typ,
            Self::Float(_) => Type::Float64,
            Self::Str(_) => Type::String,
            Self::List(list) => list.typ(),
            Self::Map(map) => map.typ(),
            Self::Object(object) => object.typ(),
        }
    }

    /// The kind; [`Kind::Invalid`] for nil.
    #[must_use]
    pub fn kind(&self) -> Kind {
        match self {
            Self::Nil => Kind::Invalid,
            other => other.typ().kind(),
        }
    }

    /// The type's name as `%T` prints it: `<nil>` for nil.
    #[must_use]
    pub fn type_name(&self) -> &'static str {
        match self {
            Self::Nil => "<nil>",
            other => other.typ().name(),
        }
    }

    /// Whether `if` and `with` take it as true; `template.IsTrue`.
    #[must_use]
    pub fn truth(&self) -> bool {
        match self {
            Self::Nil => false,
            Self::Bool(truth) => *truth,
            Self::Int(_, number) => *number != 0,
            Self::Uint(_, number) => *number != 0,
            Self::Float(number) => *number != 0.0,
            Self::Str(text) => !text.is_empty(),
            Self::List(list) => !list.is_empty(),
            Self::Map(map) => !map.is_empty(),
            Self::Object(object) => match object.typ().kind() {
                Kind::Map => object.entries().is_some_and(|entries| !entries.is_empty()),
                Kind::Slice => object.items().is_some_and(|items| !items.is_empty()),
                Kind::Struct | Kind::Ptr | Kind::Func => true,
                _ => object.number().is_some_and(|number| number != 0),
            },
        }
    }

    /// The bytes of a `[]uint8`.
    #[must_use]
    pub fn to_bytes(&self) -> Option<Rc<[u8]>> {
        if let Self::List(list) = self { list.to_bytes() } else { None }
    }

    /// What `fmt.Sprint` makes of it: `%v`. `strval` of sprig is this for all but strings and bytes.
    pub fn print(&self) -> Result<Str, FuncError> {
        print::print(self)
    }

    /// Whether both are deeply equal as Go's `reflect.DeepEqual` says: types count, NaN does not equal itself, nil and empty differ.
    pub fn deep_equal(&self, other: &Self) -> Result<bool, FuncError> {
        equal(self, other, 0)
    }

    /// A copy that shares nothing: maps and lists are new all the way down. Objects don't change and stay shared.
    pub fn deep_copy(&self) -> Result<Self, FuncError> {
        copy(self, 0)
    }
}

thread_local! {
    /// How many values may still be met on walks through values. A rendering has a thread of its own.
    static ALLOWANCE: Cell<u64> = const { Cell::new(u64::MAX) };
}

/// Sets how many values may be met from now on, by all walks together: lists that hold one list twice, forty levels deep, are a trillion.
pub(crate) fn allow(values: u64) {
    ALLOWANCE.set(values);
}

/// Bounds the walk over a value: to be asked at each value that is met.
pub(crate) fn check_depth(depth: usize) -> Result<(), FuncError> {
    if depth > MAX_DEPTH {
        return Err(FuncError::limit(format!("a value is nested deeper than {MAX_DEPTH} levels, or contains itself")));
    }
    let left = ALLOWANCE.get().checked_sub(1).ok_or_else(|| FuncError::limit("the template goes through too many values"))?;
    ALLOWANCE.set(left);
    Ok(())
}

fn copy(value: &Value, depth: usize) -> Result<Value, FuncError> {
    check_depth(depth)?;
    Ok(match value {
        Value::List(list) if list.is_nil() => Value::List(List::nil(list.typ())),
        Value::List(list) => {
            let items = list.with(|items| items.iter().map(|item| copy(item, depth + 1)).collect::<Result<_, _>>())?;
            Value::List(List::typed(list.typ(), items))
        }
        Value::Map(map) if map.is_nil() => Value::Map(Map::nil(map.typ())),
        Value::Map(map) => {
            let entries = map.with(|entries| {
                entries.iter().map(|(key, item)| Ok((key.clone(), copy(item, depth + 1)?))).collect::<Result<_, FuncError>>()
            })?;
            Value::Map(Map::typed(map.typ(), entries))
        }
        other => other.clone(),
    })
}

fn equal(one: &Value, two: &Value, depth: usize) -> Result<bool, FuncError> {
    check_depth(depth)?;
    if one.typ() != two.typ() {
        return Ok(false);
    }
    #[expect(clippy::float_cmp, reason = "Go compares floats exactly, too")]
    Ok(match (one, two) {
        (Value::Nil, Value::Nil) => true,
        (Value::Bool(a), Value::Bool(b)) => a == b,
        (Value::Int(_, a), Value::Int(_, b)) => a == b,
        (Value::Uint(_, a), Value::Uint(_, b)) => a == b,
        (Value::Float(a), Value::Float(b)) => a == b,
        (Value::Str(a), Value::Str(b)) => a == b,
        (Value::List(a), Value::List(b)) => {
            if a.same(b) {
                return Ok(true);
            }
            if a.len() != b.len() || a.is_nil() != b.is_nil() {
                return Ok(false);
            }
            for (a, b) in a.to_vec().iter().zip(&b.to_vec()) {
                if !equal(a, b, depth + 1)? {
                    return Ok(false);
                }
            }
            true
        }
        (Value::Map(a), Value::Map(b)) => {
            if a.same(b) {
                return Ok(true);
            }
            if a.len() != b.len() || a.is_nil() != b.is_nil() {
                return Ok(false);
            }
            for ((a_key, a), (b_key, b)) in a.to_vec().iter().zip(&b.to_vec()) {
                if a_key != b_key || !equal(a, b, depth + 1)? {
                    return Ok(false);
                }
            }
            true
        }
        (Value::Object(a), Value::Object(b)) => Rc::ptr_eq(a, b) || equal(&a.to_data()?, &b.to_data()?, depth + 1)?,
        _ => false,
    })
}

impl From<bool> for Value {
    fn from(truth: bool) -> Self {
        Self::Bool(truth)
    }
}

impl From<f64> for Value {
    fn from(number: f64) -> Self {
        Self::Float(number)
    }
}

impl From<&str> for Value {
    fn from(text: &str) -> Self {
        Self::Str(text.into())
    }
}

impl From<String> for Value {
    fn from(text: String) -> Self {
        Self::Str(text.into())
    }
}

impl From<Str> for Value {
    fn from(text: Str) -> Self {
        Self::Str(text)
    }
}

impl From<List> for Value {
    fn from(list: List) -> Self {
        Self::List(list)
    }
}

impl From<Map> for Value {
    fn from(map: Map) -> Self {
        Self::Map(map)
    }
}

impl From<Vec<Value>> for Value {
    fn from(items: Vec<Value>) -> Self {
        Self::List(List::new(items))
    }
}
