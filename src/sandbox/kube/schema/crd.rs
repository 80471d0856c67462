//! The types and rules that a CustomResourceDefinition's schema gives (apiextensions.k8s.io/v1, structural schemas).

use std::collections::BTreeMap;
use std::sync::Arc;

use serde_json::{Value, json};

use super::{Field, Items, Scalar, Struct, Type, Written};
use crate::fields::structural::{Problem, What, name_of_type, problems};
use crate::sandbox::kube::status::Cause;

/// The type of a custom kind's objects.
pub(in crate::sandbox::kube) fn type_of(kind: &str, schema: Option<&Value>) -> Type {
    let of = schema.map_or(Type::Any, |schema| read(schema, false));
    let mut root = match of {
        Type::Struct(fields) => Struct::clone(&fields),
        // Without a schema everything is kept.
        _ => Struct { others: Some(Type::Any), ..Struct::default() },
    };
    kind.clone_into(&mut root.name);
    for (name, of) in [
        ("apiVersion", Type::Scalar(Scalar::String)),
        ("kind", Type::Scalar(Scalar::String)),
        ("metadata", Type::built_in("meta.v1.ObjectMeta")),
    ] {
        root.fields.insert(name.to_owned(), field(of));
    }
    Type::Struct(Arc::new(root))
}

fn field(of: Type) -> Field {
    Field { of, required: false, written: Written::AsGiven, default: None }
}

fn read(schema: &Value, keep: bool) -> Type {
    let text = |key: &str| schema.get(key).and_then(Value::as_str).unwrap_or_default();
    let yes = |key: &str| schema.get(key).and_then(Value::as_bool).unwrap_or_default();
    let keep = keep || yes("x-kubernetes-preserve-unknown-fields");
    if yes("x-kubernetes-int-or-string") {
        return Type::Scalar(Scalar::IntOrString);
    }
    let atomic = text("x-kubernetes-map-type") == "atomic";
    match text("type") {
        "string" => Type::Scalar(Scalar::String),
        "integer" => Type::Scalar(Scalar::Int64),
        "number" => Type::Scalar(Scalar::Number),
        "boolean" => Type::Scalar(Scalar::Bool),
        "array" => {
            let of = schema.get("items").map_or(Type::AnyAtomic, |items| read(items, keep));
            let keys = schema.get("x-kubernetes-list-map-keys").and_then(Value::as_array).into_iter().flatten();
            let by = match text("x-kubernetes-list-type") {
                "set" => Items::Set,
                "map" => Items::Keys(keys.filter_map(Value::as_str).map(str::to_owned).collect()),
                _ => Items::Atomic,
            };
            Type::List { of: Arc::new(of), by }
        }
        "object" => match (schema.get("properties").and_then(Value::as_object), schema.get("additionalProperties")) {
            (None, Some(values)) if values.is_object() => Type::Map { of: Arc::new(read(values, keep)), atomic },
            (None, _) if atomic => Type::AnyAtomic,
            // An object that declares nothing keeps nothing, unless it is told to.
            (None, _) => {
                let fields = if yes("x-kubernetes-embedded-resource") { embedded() } else { BTreeMap::new() };
                let others = (keep || schema.get("additionalProperties") == Some(&Value::Bool(true))).then_some(Type::Any);
                if fields.is_empty() && others.is_some() { Type::Any } else { struct_of(fields, atomic, others) }
            }
            (Some(properties), _) => {
                let default = |schema: &Value| schema.get("default").cloned();
                let fields =
                    properties.iter().map(|(name, schema)| (name.clone(), Field { default: default(schema), ..field(read(schema, keep)) }));
                struct_of(fields.collect(), atomic, keep.then_some(Type::Any))
            }
        },
        _ if atomic => Type::AnyAtomic,
        _ => Type::Any,
    }
}

fn struct_of(fields: BTreeMap<String, Field>, atomic: bool, others: Option<Type>) -> Type {
    Type::Struct(Arc::new(Struct { name: String::new(), fields, atomic, others }))
}

fn embedded() -> BTreeMap<String, Field> {
    let names = [("apiVersion", Type::Scalar(Scalar::String)), ("kind", Type::Scalar(Scalar::String)), ("metadata", Type::Any)];
    names.into_iter().map(|(name, of)| (name.to_owned(), field(of))).collect()
}

/// Puts in the defaults of a schema; a null that isn't allowed makes way for one.
pub(in crate::sandbox::kube) fn default(schema: &Value, value: &mut Value) {
    match value {
        Value::Object(map) => {
            for (name, schema) in schema.get("properties").and_then(Value::as_object).into_iter().flatten() {
                let nullable = schema.get("nullable").and_then(Value::as_bool).unwrap_or_default();
                if let Some(given) = schema.get("default")
                    && map.get(name).is_none_or(|value| value.is_null() && !nullable)
                {
                    map.insert(name.clone(), given.clone());
                }
                if let Some(value) = map.get_mut(name) {
                    default(schema, value);
                }
            }
            if let Some(values) = schema.get("additionalProperties").filter(|values| values.is_object()) {
                for value in map.values_mut() {
                    default(values, value);
                }
            }
        }
        Value::Array(list) => {
            if let Some(items) = schema.get("items") {
                for item in list {
                    default(items, item);
                }
            }
        }
        _ => {}
    }
}

/// Checks an object against a schema. Formats and CEL rules aren't checked; unknown fields are told when the object is decoded.
pub(in crate::sandbox::kube) fn check(schema: &Value, object: &Value, causes: &mut Vec<Cause>) {
    for Problem { path, value, what } in problems(schema, object) {
        causes.push(match what {
            What::Required => Cause::required(path, ""),
            What::Unsupported(allowed) => Cause::unsupported(path, &value, &allowed.iter().map(String::as_str).collect::<Vec<_>>()),
            What::Rule(rule) => Cause::invalid(path.clone(), &value, &format!("{path} in body should {rule}")),
            What::Type(wanted) => {
                let found = name_of_type(&value);
                Cause::wrong_type(path.clone(), &json!(found), &format!("{path} in body must be of type {wanted}: {found:?}"))
            }
            What::Unknown(_) => continue,
        });
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_schema_says_what_is_wrong_with_an_object() {
        let schema = json!({"type": "object", "properties": {"spec": {
            "type": "object", "required": ["a"],
            "properties": {"a": {"type": "integer", "minimum": 1}, "b": {"type": "string", "enum": ["x"], "default": "x"}},
        }}});
        let problems = |value: Value| {
            let mut causes = Vec::new();
            check(&schema, &value, &mut causes);
            causes.len()
        };
        assert_eq!(problems(json!({"spec": {"a": 1, "b": "x"}})), 0);
        assert_eq!(problems(json!({"spec": {"a": "1", "b": "y"}})), 2);
        assert_eq!(problems(json!({"spec": {}})), 1);
        assert_eq!(problems(json!({"spec": {"a": 0}})), 1);
        let mut value = json!({"spec": {"a": 1}});
        default(&schema, &mut value);
        assert_eq!(value["spec"]["b"], "x");
    }
}
