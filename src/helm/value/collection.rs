//! Lists and maps: shared, as Go's slices and maps are.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::rc::Rc;

use super::last_read::changed;
use super::{Str, Type, Value};

/// A Go slice. Clones share the elements: `sortAlpha` on a `[]string` is seen by all who hold it.
#[derive(Clone)]
pub struct List(Rc<ListData>);

struct ListData {
    typ: Type,
    nil: bool,
    items: RefCell<Items>,
}

/// What a list holds. Bytes of files are kept as such until someone asks for them one by one.
enum Items {
    Values(Vec<Value>),
    Bytes(Rc<[u8]>),
}

impl Items {
    fn values(&mut self) -> &mut Vec<Value> {
        if let Self::Bytes(bytes) = self {
            *self = Self::Values(bytes.iter().map(|byte| Value::Uint(Type::Uint8, u64::from(*byte))).collect());
        }
        match self {
            Self::Values(values) => values,
            Self::Bytes(_) => unreachable!("bytes became values above"),
        }
    }
}

impl List {
    /// A `[]interface {}`.
    #[must_use]
    pub fn new(items: Vec<Value>) -> Self {
        Self::typed(Type::Anys, items)
    }

    /// A slice of another type: `Type::Strings`, `Type::Bytes`, … The items must be of its element type.
    #[must_use]
    pub fn typed(typ: Type, items: Vec<Value>) -> Self {
        Self(Rc::new(ListData { typ, nil: false, items: RefCell::new(Items::Values(items)) }))
    }

    /// A `[]uint8`.
    pub fn bytes(bytes: impl Into<Rc<[u8]>>) -> Self {
        Self(Rc::new(ListData { typ: Type::Bytes, nil: false, items: RefCell::new(Items::Bytes(bytes.into())) }))
    }

    /// The bytes of a `[]uint8`.
    #[must_use]
    pub fn to_bytes(&self) -> Option<Rc<[u8]>> {
        if self.0.typ != Type::Bytes {
            return None;
        }
        match &*self.0.items.borrow() {
            Items::Bytes(bytes) => Some(Rc::clone(bytes)),
            Items::Values(values) => {
                values.iter().map(|item| if let Value::Uint(_, byte) = item { u8::try_from(*byte).ok() } else { None }).collect()
            }
        }
    }

    /// A `[]string`.
    pub fn strings<S: Into<Str>>(items: impl IntoIterator<Item = S>) -> Self {
        Self::typed(Type::Strings, items.into_iter().map(|item| Value::Str(item.into())).collect())
    }

    /// A nil slice: JSON and YAML print it as null.
    #[must_use]
    pub fn nil(typ: Type) -> Self {
        Self(Rc::new(ListData { typ, nil: true, items: RefCell::new(Items::Values(Vec::new())) }))
    }

    /// The type of the slice.
    #[must_use]
    pub fn typ(&self) -> Type {
        self.0.typ
    }

    /// Whether it is Go's nil slice (which also has no elements).
    #[must_use]
    pub fn is_nil(&self) -> bool {
        self.0.nil
    }

    /// The number of elements.
    #[must_use]
    pub fn len(&self) -> usize {
        match &*self.0.items.borrow() {
            Items::Values(values) => values.len(),
            Items::Bytes(bytes) => bytes.len(),
        }
    }

    /// Whether there is no element.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// One element.
    #[must_use]
    pub fn get(&self, index: usize) -> Option<Value> {
        match &*self.0.items.borrow() {
            Items::Values(values) => values.get(index).cloned(),
            Items::Bytes(bytes) => bytes.get(index).map(|byte| Value::Uint(Type::Uint8, u64::from(*byte))),
        }
    }

    /// The elements as they are now.
    #[must_use]
    pub fn to_vec(&self) -> Vec<Value> {
        self.0.items.borrow_mut().values().clone()
    }

    /// Looks at the elements without copying them. The list must not be changed inside.
    pub fn with<R>(&self, look: impl FnOnce(&[Value]) -> R) -> R {
        if let Items::Bytes(_) = &*self.0.items.borrow() {
            let values = Items::Bytes(self.to_bytes().unwrap_or_default()).values().clone();
            return look(&values);
        }
        match &*self.0.items.borrow() {
            Items::Values(values) => look(values),
            Items::Bytes(_) => look(&[]),
        }
    }

    /// Changes the elements in place, for all who share them. The list must not be looked at inside.
    pub fn change<R>(&self, change: impl FnOnce(&mut Vec<Value>) -> R) -> R {
        changed();
        change(self.0.items.borrow_mut().values())
    }

    /// Whether both are the same slice, not merely equal.
    #[must_use]
    pub fn same(&self, other: &Self) -> bool {
        Rc::ptr_eq(&self.0, &other.0)
    }
}

impl Drop for ListData {
    fn drop(&mut self) {
        if let Items::Values(values) = self.items.get_mut() {
            bury(std::mem::take(values));
        }
    }
}

/// A Go map with string keys. Clones share the entries: `set` and `merge` change it for all who hold it.
#[derive(Clone)]
pub struct Map {
    data: Rc<MapData>,
    typ: Type,
}

struct MapData {
    nil: bool,
    entries: RefCell<BTreeMap<Str, Value>>,
}

impl Default for Map {
    fn default() -> Self {
        Self::new()
    }
}

impl Map {
    /// An empty `map[string]interface {}`.
    #[must_use]
    pub fn new() -> Self {
        Self::typed(Type::Map, BTreeMap::new())
    }

    /// A map of another type: `Type::StringMap`, `Type::Values`.
    #[must_use]
    pub fn typed(typ: Type, entries: BTreeMap<Str, Value>) -> Self {
        Self { data: Rc::new(MapData { nil: false, entries: RefCell::new(entries) }), typ }
    }

    /// A nil map: nothing can be put into it, and JSON and YAML print it as null.
    #[must_use]
    pub fn nil(typ: Type) -> Self {
        Self { data: Rc::new(MapData { nil: true, entries: RefCell::default() }), typ }
    }

    /// The same map under another type of the same entries: `chartutil.Values` of a `map[string]interface {}`.
    #[must_use]
    pub fn retyped(&self, typ: Type) -> Self {
        Self { data: Rc::clone(&self.data), typ }
    }

    /// The type of the map.
    #[must_use]
    pub fn typ(&self) -> Type {
        self.typ
    }

    /// Whether it is Go's nil map.
    #[must_use]
    pub fn is_nil(&self) -> bool {
        self.data.nil
    }

    /// The number of entries.
    #[must_use]
    pub fn len(&self) -> usize {
        self.data.entries.borrow().len()
    }

    /// Whether there is no entry.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// One value. The key may be a `&str`, a `&[u8]` or a `&Str`.
    #[must_use]
    pub fn get(&self, key: impl AsRef<[u8]>) -> Option<Value> {
        self.data.entries.borrow().get(key.as_ref()).cloned()
    }

    /// Whether the key is there, be its value nil or not.
    #[must_use]
    pub fn has(&self, key: impl AsRef<[u8]>) -> bool {
        self.data.entries.borrow().contains_key(key.as_ref())
    }

    /// Puts a value in. On a nil map Go panics with "assignment to entry in nil map": whoever may meet one asks [`Map::is_nil`] first.
    pub fn set(&self, key: impl Into<Str>, value: Value) {
        changed();
        self.data.entries.borrow_mut().insert(key.into(), value);
    }

    /// Takes a value out.
    pub fn remove(&self, key: impl AsRef<[u8]>) -> Option<Value> {
        changed();
        self.data.entries.borrow_mut().remove(key.as_ref())
    }

    /// The keys, sorted by bytes.
    #[must_use]
    pub fn keys(&self) -> Vec<Str> {
        self.data.entries.borrow().keys().cloned().collect()
    }

    /// The entries as they are now, sorted by key.
    #[must_use]
    pub fn to_vec(&self) -> Vec<(Str, Value)> {
        self.data.entries.borrow().iter().map(|(key, value)| (key.clone(), value.clone())).collect()
    }

    /// Looks at the entries without copying them. The map must not be changed inside.
    pub fn with<R>(&self, look: impl FnOnce(&BTreeMap<Str, Value>) -> R) -> R {
        look(&self.data.entries.borrow())
    }

    /// Whether both are the same map, not merely equal.
    #[must_use]
    pub fn same(&self, other: &Self) -> bool {
        Rc::ptr_eq(&self.data, &other.data)
    }

    /// Whether nobody else has it or a list or map in it.
    pub(super) fn is_sole(&self) -> bool {
        Rc::strong_count(&self.data) == 1 && self.data.entries.borrow().values().all(is_sole)
    }
}

/// Nesting is bounded where values are read.
fn is_sole(value: &Value) -> bool {
    match value {
        Value::List(list) => {
            let own = |items: &Items| if let Items::Values(values) = items { values.iter().all(is_sole) } else { true };
            Rc::strong_count(&list.0) == 1 && own(&list.0.items.borrow())
        }
        Value::Map(map) => map.is_sole(),
        Value::Object(_) => false,
        _ => true,
    }
}

impl<K: Into<Str>> FromIterator<(K, Value)> for Map {
    fn from_iter<I: IntoIterator<Item = (K, Value)>>(entries: I) -> Self {
        Self::typed(Type::Map, entries.into_iter().map(|(key, value)| (key.into(), value)).collect())
    }
}

impl Drop for MapData {
    fn drop(&mut self) {
        let entries = std::mem::take(self.entries.get_mut());
        if entries.values().any(|value| matches!(value, Value::List(_) | Value::Map(_))) {
            bury(entries.into_values().collect());
        }
    }
}

/// Drops values one by one: a million maps in one another must not be dropped by a million nested calls.
fn bury(mut graves: Vec<Value>) {
    if !graves.iter().any(|value| matches!(value, Value::List(_) | Value::Map(_))) {
        return;
    }
    while let Some(value) = graves.pop() {
        match value {
            Value::List(list) => {
                if let Some(mut data) = Rc::into_inner(list.0)
                    && let Items::Values(values) = data.items.get_mut()
                {
                    graves.append(values);
                }
            }
            Value::Map(map) => {
                if let Some(mut data) = Rc::into_inner(map.data) {
                    graves.extend(std::mem::take(data.entries.get_mut()).into_values());
                }
            }
            _ => {}
        }
    }
}
