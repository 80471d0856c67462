//! Lists and maps: shared, as Go's slices and maps are.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::rc::Rc;

use super::{Str, Type, Value};

/// A Go slice. Clones share the elements: `sortAlpha` on a `[]string` is seen by all who hold it.
#[derive(Clone)]
pub struct List(Rc<ListData>);

struct ListData {
    typ: Type,
    nil: bool,
    items: RefCell<Vec<Value>>,
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
        Self(Rc::new(ListData { typ, nil: false, items: RefCell::new(items) }))
    }

    /// A `[]string`.
    pub fn strings<S: Into<Str>>(items: impl IntoIterator<Item = S>) -> Self {
        Self::typed(Type::Strings, items.into_iter().map(|item| Value::Str(item.into())).collect())
    }

    /// A nil slice: JSON and YAML print it as null.
    #[must_use]
    pub fn nil(typ: Type) -> Self {
        Self(Rc::new(ListData { typ, nil: true, items: RefCell::default() }))
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
        self.0.items.borrow().len()
    }

    /// Whether there is no element.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// One element.
    #[must_use]
    pub fn get(&self, index: usize) -> Option<Value> {
        self.0.items.borrow().get(index).cloned()
    }

    /// The elements as they are now.
    #[must_use]
    pub fn to_vec(&self) -> Vec<Value> {
        self.0.items.borrow().clone()
    }

    /// Looks at the elements without copying them. The list must not be changed inside.
    pub fn with<R>(&self, look: impl FnOnce(&[Value]) -> R) -> R {
        look(&self.0.items.borrow())
    }

    /// Changes the elements in place, for all who share them. The list must not be looked at inside.
    pub fn change<R>(&self, change: impl FnOnce(&mut Vec<Value>) -> R) -> R {
        change(&mut self.0.items.borrow_mut())
    }

    /// Whether both are the same slice, not merely equal.
    #[must_use]
    pub fn same(&self, other: &Self) -> bool {
        Rc::ptr_eq(&self.0, &other.0)
    }
}

impl Drop for ListData {
    fn drop(&mut self) {
        bury(std::mem::take(self.items.get_mut()));
    }
}

/// A Go map with string keys. Clones share the entries: `set` and `merge` change it for all who hold it.
#[derive(Clone)]
pub struct Map(Rc<MapData>);

struct MapData {
    typ: Type,
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
        Self(Rc::new(MapData { typ, nil: false, entries: RefCell::new(entries) }))
    }

    /// A nil map: nothing can be put into it, and JSON and YAML print it as null.
    #[must_use]
    pub fn nil(typ: Type) -> Self {
        Self(Rc::new(MapData { typ, nil: true, entries: RefCell::default() }))
    }

    /// The type of the map.
    #[must_use]
    pub fn typ(&self) -> Type {
        self.0.typ
    }

    /// Whether it is Go's nil map.
    #[must_use]
    pub fn is_nil(&self) -> bool {
        self.0.nil
    }

    /// The number of entries.
    #[must_use]
    pub fn len(&self) -> usize {
        self.0.entries.borrow().len()
    }

    /// Whether there is no entry.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// One value. The key may be a `&str`, a `&[u8]` or a `&Str`.
    #[must_use]
    pub fn get(&self, key: impl AsRef<[u8]>) -> Option<Value> {
        self.0.entries.borrow().get(key.as_ref()).cloned()
    }

    /// Whether the key is there, be its value nil or not.
    #[must_use]
    pub fn has(&self, key: impl AsRef<[u8]>) -> bool {
        self.0.entries.borrow().contains_key(key.as_ref())
    }

    /// Puts a value in. On a nil map Go panics with "assignment to entry in nil map": whoever may meet one asks [`Map::is_nil`] first.
    pub fn set(&self, key: impl Into<Str>, value: Value) {
        self.0.entries.borrow_mut().insert(key.into(), value);
    }

    /// Takes a value out.
    pub fn remove(&self, key: impl AsRef<[u8]>) -> Option<Value> {
        self.0.entries.borrow_mut().remove(key.as_ref())
    }

    /// The keys, sorted by bytes.
    #[must_use]
    pub fn keys(&self) -> Vec<Str> {
        self.0.entries.borrow().keys().cloned().collect()
    }

    /// The entries as they are now, sorted by key.
    #[must_use]
    pub fn to_vec(&self) -> Vec<(Str, Value)> {
        self.0.entries.borrow().iter().map(|(key, value)| (key.clone(), value.clone())).collect()
    }

    /// Looks at the entries without copying them. The map must not be changed inside.
    pub fn with<R>(&self, look: impl FnOnce(&BTreeMap<Str, Value>) -> R) -> R {
        look(&self.0.entries.borrow())
    }

    /// Whether both are the same map, not merely equal.
    #[must_use]
    pub fn same(&self, other: &Self) -> bool {
        Rc::ptr_eq(&self.0, &other.0)
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
                if let Some(mut data) = Rc::into_inner(list.0) {
                    graves.append(data.items.get_mut());
                }
            }
            Value::Map(map) => {
                if let Some(mut data) = Rc::into_inner(map.0) {
                    graves.extend(std::mem::take(data.entries.get_mut()).into_values());
                }
            }
            _ => {}
        }
    }
}
