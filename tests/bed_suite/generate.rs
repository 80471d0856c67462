//! Objects of every kind that the API server has, made from its own OpenAPI documents: a smallest object of each kind, and others with one
//! more field each. What the server doesn't take in a dry run is left out.

use std::collections::BTreeMap;

use serde_json::{Map, Value, json};

use super::bed::Bed;

/// The smallest objects, by kind and group. The range of the `ServiceCIDR` is a part of the servers' own: so it can go also while a Service has an
/// address of it, which the server hands out by chance (Kubernetes documentation, "Extend Service IP Ranges").
const SMALLEST: &str = include_str!("kinds.json");
/// Kinds that can't be made by anyone, each for its reason.
const LEFT_OUT: &[(&str, &str)] = &[
    ("Event", "events are what the servers tell"),
    ("APIService.apiregistration.k8s.io", "one without a server behind it breaks discovery for everyone"),
    ("CertificateSigningRequest.certificates.k8s.io", "needs a request that is signed anew each time"),
    ("CustomResourceDefinition.apiextensions.k8s.io", "has a test of its own"),
    ("IPAddress.networking.k8s.io", "the server makes them for services, and removes others"),
];

/// A kind of the server.
struct Kind {
    group: String,
    version: String,
    plural: String,
    title: String,
    namespaced: bool,
}

impl Kind {
    fn name(&self) -> String {
        if self.group.is_empty() { self.title.clone() } else { format!("{}.{}", self.title, self.group) }
    }

    fn api_version(&self) -> String {
        if self.group.is_empty() { self.version.clone() } else { format!("{}/{}", self.group, self.version) }
    }

    fn root(&self) -> String {
        if self.group.is_empty() { format!("/api/{}", self.version) } else { format!("/apis/{}/{}", self.group, self.version) }
    }

    fn path(&self, namespace: &str, name: &str) -> String {
        let within = if self.namespaced { format!("/namespaces/{namespace}") } else { String::new() };
        format!("{}{within}/{}/{name}", self.root(), self.plural)
    }
}

fn kinds(bed: &Bed) -> Vec<Kind> {
    let mut kinds = Vec::new();
    let mut groups = vec![(String::new(), "v1".to_owned())];
    for group in bed.kube_get("/apis")["groups"].as_array().unwrap() {
        let version = group["preferredVersion"]["version"].as_str().unwrap();
        groups.push((group["name"].as_str().unwrap().to_owned(), version.to_owned()));
    }
    for (group, version) in groups {
        let root = if group.is_empty() { format!("/api/{version}") } else { format!("/apis/{group}/{version}") };
        for kind in bed.kube_get(&root)["resources"].as_array().unwrap() {
            let text = |key: &str| kind[key].as_str().unwrap().to_owned();
            let can_be_applied = kind["verbs"].as_array().unwrap().iter().any(|verb| verb == "patch");
            if !text("name").contains('/') && can_be_applied {
                let namespaced = kind["namespaced"].as_bool().unwrap();
                kinds.push(Kind { group: group.clone(), version: version.clone(), plural: text("name"), title: text("kind"), namespaced });
            }
        }
    }
    kinds
}

/// Schemas of a group, by name.
type Schemas = Map<String, Value>;

/// What a schema stands for.
fn resolved<'s>(schema: &'s Value, schemas: &'s Schemas) -> &'s Value {
    let mut schema = schema;
    for _ in 0..8 {
        let all_of = schema.get("allOf").and_then(Value::as_array).filter(|list| list.len() == 1);
        if let Some(name) = schema.get("$ref").and_then(Value::as_str) {
            schema = &schemas[name.rsplit('/').next().unwrap()];
        } else if let Some(list) = all_of {
            schema = &list[0];
        } else {
            break;
        }
    }
    schema
}

/// Some values of a schema, the likelier first.
fn samples(schema: &Value, schemas: &Schemas, depth: usize) -> Vec<Value> {
    let schema = resolved(schema, schemas);
    if let Some(values) = schema.get("enum").and_then(Value::as_array) {
        return values.clone();
    }
    if schema.get("oneOf").is_some() {
        return vec![json!(1), json!("50%"), json!("1")];
    }
    match (schema.get("type").and_then(Value::as_str), schema.get("format").and_then(Value::as_str)) {
        (Some("string"), Some("date-time")) => vec![json!("2026-01-01T00:00:00Z"), json!("2026-01-01T00:00:00.000000Z")],
        (Some("string"), Some("byte")) => vec![json!("YWJj")],
        (Some("string"), _) => ["x", "Always", "10.0.0.1", "1000m", "/x", "example.com/x", "None"].map(|text| json!(text)).to_vec(),
        (Some("integer"), _) => vec![json!(1), json!(30), json!(300)],
        (Some("number"), _) => vec![json!(1.5)],
        (Some("boolean"), _) => vec![json!(true), json!(false)],
        (Some("array"), _) if depth > 0 => samples(&schema["items"], schemas, depth - 1).into_iter().map(|item| json!([item])).collect(),
        (Some("object"), _) if depth > 0 && schema["additionalProperties"].is_object() => {
            samples(&schema["additionalProperties"], schemas, depth - 1).into_iter().map(|value| json!({"k": value})).collect()
        }
        (Some("object"), _) if depth > 0 => objects(schema, schemas, depth),
        _ => Vec::new(),
    }
}

/// An object with what it must have, and some with one field more.
fn objects(schema: &Value, schemas: &Schemas, depth: usize) -> Vec<Value> {
    let required: Vec<&str> = schema["required"].as_array().into_iter().flatten().filter_map(Value::as_str).collect();
    let mut least = Map::new();
    for name in &required {
        match samples(&schema["properties"][*name], schemas, depth - 1).into_iter().next() {
            Some(value) => least.insert((*name).to_owned(), value),
            None => return Vec::new(),
        };
    }
    let mut found = vec![Value::Object(least.clone())];
    for (name, property) in schema["properties"].as_object().into_iter().flatten() {
        if !required.contains(&name.as_str()) && found.len() < 4 {
            let more = samples(property, schemas, depth - 1).into_iter().next();
            found.extend(more.map(|value| {
                let mut object = least.clone();
                object.insert(name.clone(), value);
                Value::Object(object)
            }));
        }
    }
    found
}

/// The places below `value` where its schema allows a field that isn't there, as JSON pointers.
fn places<'s>(schema: &'s Value, schemas: &'s Schemas, value: &Value, at: &str, depth: usize, found: &mut Vec<(String, &'s Value)>) {
    let schema = resolved(schema, schemas);
    for (name, property) in schema["properties"].as_object().into_iter().flatten() {
        if at.is_empty() && ["apiVersion", "kind", "metadata", "status"].contains(&name.as_str()) {
            continue;
        }
        let below = format!("{at}/{name}");
        match value.get(name) {
            None => found.push((below, property)),
            Some(Value::Array(items)) if depth > 0 && items.first().is_some_and(Value::is_object) => {
                let item = resolved(property, schemas);
                places(&item["items"], schemas, &items[0], &format!("{below}/0"), depth - 1, found);
            }
            Some(inner @ Value::Object(_)) if depth > 0 => places(property, schemas, inner, &below, depth - 1, found),
            Some(_) => {}
        }
    }
}

fn put(object: &mut Value, pointer: &str, value: Value) {
    let (parent, name) = pointer.rsplit_once('/').unwrap();
    object.pointer_mut(parent).unwrap()[name] = value;
}

/// The objects, at most `most` of each kind, in this namespace.
pub(crate) fn generate(bed: &Bed, namespace: &str, most: usize) -> Vec<Value> {
    let smallest: BTreeMap<String, Value> = serde_json::from_str(SMALLEST).unwrap();
    let mut all = Vec::new();
    for kind in kinds(bed) {
        if LEFT_OUT.iter().any(|(name, _)| *name == kind.name() || name.split('.').next() == Some(&kind.title) && kind.title == "Event") {
            continue;
        }
        let least = smallest.get(&kind.name()).unwrap_or_else(|| panic!("kinds.json has no smallest {}", kind.name()));
        let named = |body: &Value, number: usize| {
            let mut object = body.clone();
            object["apiVersion"] = json!(kind.api_version());
            object["kind"] = json!(kind.title);
            object["metadata"] = json!({"name": format!("g{number}-{}", kind.title.to_lowercase())});
            if kind.namespaced {
                object["metadata"]["namespace"] = json!(namespace);
            }
            object
        };
        let is_taken = |object: &Value| {
            let path = kind.path(namespace, object["metadata"]["name"].as_str().unwrap());
            bed.kube_try(&format!("{path}?fieldManager=generate&dryRun=All&fieldValidation=Strict"), object)
        };
        let first = named(least, 0);
        is_taken(&first).unwrap_or_else(|error| panic!("the smallest {} is refused: {error}", kind.name()));
        all.push(first);
        let document = bed.kube_get(&format!("/openapi/v3{}", kind.root()));
        let schemas = document["components"]["schemas"].as_object().unwrap();
        let names = json!([{"group": kind.group, "kind": kind.title, "version": kind.version}]);
        let schema = schemas.values().find(|schema| schema["x-kubernetes-group-version-kind"] == names).unwrap();
        let mut found = Vec::new();
        places(schema, schemas, least, "", 5, &mut found);
        // From all parts of the object, not just from its first.
        let stride = found.len().div_ceil(most * 3).max(1);
        let mut number = 1;
        for (place, property) in found.iter().step_by(stride) {
            if number >= most {
                break;
            }
            let candidates = samples(property, schemas, 3).into_iter().take(7);
            let with = candidates.map(|value| {
                let mut body = least.clone();
                put(&mut body, place, value);
                named(&body, number)
            });
            if let Some(object) = with.into_iter().find(|object| is_taken(object).is_ok()) {
                all.push(object);
                number += 1;
            }
        }
    }
    all
}
