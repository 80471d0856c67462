//! Go structs that templates look into.

use std::any::Any;
use std::rc::Rc;

use crate::helm::func::FuncError;
use crate::helm::value::{Kind, Object, Str, Type, Value};

/// A field of a struct.
pub(super) struct Field {
    /// Its name in Go.
    pub(super) name: &'static str,
    /// Its key in JSON; an embedded struct has none, and gives its own keys.
    pub(super) json: &'static str,
    /// Whether JSON leaves it out when it is empty.
    pub(super) omit_empty: bool,
    /// What it holds.
    pub(super) value: Value,
}

impl Field {
    pub(super) fn new(name: &'static str, json: &'static str, value: impl Into<Value>) -> Self {
        Self { name, json, omit_empty: true, value: value.into() }
    }

    pub(super) fn always(name: &'static str, json: &'static str, value: impl Into<Value>) -> Self {
        Self { omit_empty: false, ..Self::new(name, json, value) }
    }
}

/// A struct, or a pointer to one, without methods but those given.
pub(super) struct Record {
    pub(super) type_name: &'static str,
    pub(super) kind: Kind,
    pub(super) fields: Vec<Field>,
    /// What `String()` gives, and the names of methods that give the same.
    pub(super) string: Option<(Str, &'static [&'static str])>,
}

impl Record {
    pub(super) fn value(type_name: &'static str, kind: Kind, fields: Vec<Field>) -> Value {
        Value::Object(Rc::new(Self { type_name, kind, fields, string: None }))
    }
}

impl Object for Record {
    fn typ(&self) -> Type {
        Type::Object(self.type_name, self.kind)
    }

    fn method(&self, name: &str) -> Option<crate::helm::value::Method> {
        let (_, names) = self.string.as_ref()?;
        names.contains(&name).then_some(crate::helm::value::Method { params: &[], variadic: false })
    }

    fn call(&self, _: &mut dyn crate::helm::func::Runtime, name: &str, _: &[Value]) -> Result<Value, FuncError> {
        match &self.string {
            Some((text, _)) => Ok(Value::Str(text.clone())),
            None => Err(FuncError::new(format!("no method {name}"))),
        }
    }

    fn field(&self, name: &str) -> Option<Value> {
        for field in &self.fields {
            if field.name == name {
                return Some(field.value.clone());
            }
        }
        // Fields of an embedded struct are the outer one's.
        self.fields.iter().filter(|field| field.json.is_empty()).find_map(|field| match &field.value {
            Value::Object(inner) => inner.field(name),
            _ => None,
        })
    }

    fn print(&self) -> Result<Str, FuncError> {
        if let Some((text, _)) = &self.string {
            return Ok(text.clone());
        }
        let mut out = b"{".to_vec();
        for (index, field) in self.fields.iter().enumerate() {
            if index > 0 {
                out.push(b' ');
            }
            out.extend_from_slice(field.value.print()?.as_bytes());
        }
        out.push(b'}');
        Ok(out.into())
    }

    fn to_data(&self) -> Result<Value, FuncError> {
        let mut map = Vec::new();
        for (key, value) in self.json_fields().unwrap_or_default() {
            let value = if let Value::Object(object) = &value { object.to_data()? } else { value };
            map.push((key, value));
        }
        Ok(Value::Map(map.into_iter().collect()))
    }

    fn json_fields(&self) -> Option<Vec<(&'static str, Value)>> {
        let mut out = Vec::new();
        for field in &self.fields {
            if let (true, Value::Object(inner)) = (field.json.is_empty(), &field.value) {
                out.extend(inner.json_fields().unwrap_or_default());
            } else if !field.omit_empty || field.value.truth() {
                out.push((field.json, field.value.clone()));
            }
        }
        Some(out)
    }

    fn as_any(&self) -> &dyn Any {
        self
    }
}
