//! Values with methods or fields: structs and named types of Go.

use std::any::Any;

use super::{Str, Type, Value};
use crate::helm::func::{FuncError, Runtime};

/// A method that a template may call on an object.
pub struct Method {
    /// The Go types of its parameters; `evalCall` checks number and types before the call.
    pub params: &'static [Type],
    /// Whether the last parameter takes any number of arguments.
    pub variadic: bool,
}

/// A Go struct, pointer to one, or named type: `time.Time`, `*semver.Version`, `engine.files`, `*chartutil.Capabilities`, …
///
/// `{{ .X.Name }}` asks for a method of that name first, then for a field.
pub trait Object: Any {
    /// Its Go type; mostly `Type::Object("time.Time", Kind::Struct)`.
    fn typ(&self) -> Type;

    /// The signature of an exported method.
    fn method(&self, name: &str) -> Option<Method> {
        let _ = name;
        None
    }

    /// Calls a method that [`Object::method`] knows, with arguments of its types.
    fn call(&self, runtime: &mut dyn Runtime, name: &str, args: &[Value]) -> Result<Value, FuncError> {
        let _ = (runtime, args);
        Err(FuncError::new(format!("no method {name}")))
    }

    /// An exported field of a struct.
    fn field(&self, name: &str) -> Option<Value> {
        let _ = name;
        None
    }

    /// What `%v` prints: `String()` where Go's type has it, else the fields in braces.
    fn print(&self) -> Result<Str, FuncError>;

    /// What JSON and YAML make of it: a string for a time, a map for a struct.
    fn to_data(&self) -> Result<Value, FuncError>;

    /// The fields of a struct in their order, by their keys in JSON; none where [`Object::to_data`] says it all.
    fn json_fields(&self) -> Option<Vec<(&'static str, Value)>> {
        None
    }

    /// Its entries, where the type is a map (`.Files`, `.Values` when ranged over).
    fn entries(&self) -> Option<Vec<(Str, Value)>> {
        None
    }

    /// The list behind it, where the type is a slice (`.Capabilities.APIVersions`).
    fn items(&self) -> Option<Vec<Value>> {
        None
    }

    /// The number behind it, where the type is one (`time.Duration`, `time.Month`).
    fn number(&self) -> Option<i64> {
        None
    }

    /// For functions that need the concrete type.
    fn as_any(&self) -> &dyn Any;
}
