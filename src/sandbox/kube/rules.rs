//! What holds for particular kinds: required and immutable fields, the rules of Secrets and ConfigMaps.

use std::collections::BTreeSet;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Map, Value, json};

use super::kinds::Kind;
use super::schema::{Shape, Type, crd};
use super::status::Cause;
use super::store::child_mut_value;
use super::{crds, validate};

/// The most bytes in the data of a Secret or a ConfigMap (`MaxSecretSize`).
const DATA: usize = 1024 * 1024;

/// Fields that stay as they are once an object is made, with what the server says of a change.
const IMMUTABLE: &[(&str, &str, &str)] = &[
    ("secrets", "type", "field is immutable"),
    ("daemonsets", "spec.selector", "field is immutable"),
    ("deployments", "spec.selector", "field is immutable"),
    ("statefulsets", "spec.selector", "field is immutable"),
    ("statefulsets", "spec.serviceName", "field is immutable"),
    ("jobs", "spec.selector", "field is immutable"),
    ("jobs", "spec.template", "field is immutable"),
    ("ingressclasses", "spec.controller", "field is immutable"),
    ("clusterrolebindings", "roleRef", "cannot change roleRef"),
    ("rolebindings", "roleRef", "cannot change roleRef"),
];

/// What is wrong with an object that is new, or replaces another.
pub(super) fn check(kind: &Kind, object: &Value, old: Option<&Value>) -> Vec<Cause> {
    let mut causes = Vec::new();
    validate::check(kind, object, old, &mut causes);
    if kind.custom {
        if let Some(schema) = &kind.schema {
            crd::check(schema, object, &mut causes);
        }
        return causes;
    }
    if kind.group == "apps" {
        selector(object, &mut causes);
    }
    if let Some(old) = old {
        immutable(kind, object, old, &mut causes);
    }
    match (kind.group.as_str(), kind.plural.as_str()) {
        ("", "secrets") => secret(object, &mut causes),
        ("", "configmaps") => config_map(object, &mut causes),
        ("", "services") => service_ports(object, &mut causes),
        ("apiextensions.k8s.io", "customresourcedefinitions") => crds::check(object, old, &mut causes),
        _ => {}
    }
    required(&kind.of, object, "", &mut causes);
    causes
}

/// The template of a workload has the labels that its selector asks for.
fn selector(object: &Value, causes: &mut Vec<Cause>) {
    let at = |pointer: &str| object.pointer(pointer).and_then(Value::as_object);
    let (wanted, labels) = (at("/spec/selector/matchLabels"), at("/spec/template/metadata/labels"));
    let fits =
        wanted.is_some() && wanted.into_iter().flatten().all(|(key, value)| labels.and_then(|labels| labels.get(key)) == Some(value));
    if wanted.is_none() {
        causes.push(Cause::required("spec.selector", ""));
    }
    if !fits {
        let labels = labels.cloned().map(Value::Object).unwrap_or_default();
        causes.push(Cause::invalid("spec.template.metadata.labels", &labels, "`selector` does not match template `labels`"));
    }
}

/// Several ports of a Service have names, each another one (k8s.io/kubernetes, `ValidateService`).
fn service_ports(object: &Value, causes: &mut Vec<Cause>) {
    let ports = object.pointer("/spec/ports").and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default();
    let mut names = BTreeSet::new();
    for (index, port) in ports.iter().enumerate().filter(|_| ports.len() > 1) {
        let (field, name) = (format!("spec.ports[{index}].name"), port.get("name").and_then(Value::as_str).unwrap_or_default());
        if name.is_empty() {
            causes.push(Cause::required(field, ""));
        } else if !names.insert(name) {
            causes.push(Cause::duplicate(field, &json!(name)));
        }
    }
}

fn internal(role: &Value) -> Value {
    let text = |field: &str| role.get(field).cloned().unwrap_or_default();
    json!({"APIGroup": text("apiGroup"), "Kind": text("kind"), "Name": text("name")})
}

fn immutable(kind: &Kind, object: &Value, old: &Value, causes: &mut Vec<Cause>) {
    let at = |object: &Value, field: &str| object.pointer(&format!("/{}", field.replace('.', "/"))).cloned().unwrap_or_default();
    for (_, field, why) in IMMUTABLE.iter().filter(|(plural, ..)| *plural == kind.plural) {
        let value = at(object, field);
        if value != at(old, field) {
            // Of a role the server tells the fields of its own form.
            let value = if *field == "roleRef" { internal(&value) } else { value };
            causes.push(Cause::invalid(*field, &value, why));
        }
    }
    let is_data = kind.is_core("secrets") || kind.is_core("configmaps");
    if is_data && old.get("immutable") == Some(&Value::Bool(true)) {
        let why = "field is immutable when `immutable` is set";
        if object.get("immutable") != Some(&Value::Bool(true)) {
            causes.push(Cause::forbidden("immutable", why));
        }
        for field in ["data", "binaryData"] {
            if object.get(field) != old.get(field) {
                causes.push(Cause::forbidden(field, why));
            }
        }
    }
    let cluster_ip = |object: &Value| object.pointer("/spec/clusterIP").and_then(Value::as_str).unwrap_or_default().to_owned();
    if kind.is_core("services") && !cluster_ip(old).is_empty() && cluster_ip(object) != cluster_ip(old) {
        let of = object.pointer("/spec/type").and_then(Value::as_str).unwrap_or_default();
        if of != "ExternalName" {
            causes.push(Cause::invalid("spec.clusterIPs[0]", &json!([cluster_ip(object)]), "may not change once set"));
        }
    }
}

/// Puts `stringData` into `data` (k8s.io/kubernetes: `Convert_v1_Secret_To_core_Secret`).
pub(super) fn fold_string_data(secret: &mut Value) {
    let fields = child_mut_value(secret);
    let Some(Value::Object(texts)) = fields.shift_remove("stringData") else { return };
    let data = fields.entry("data").or_insert_with(|| Value::Object(Map::new()));
    child_mut_value(data).extend(texts.into_iter().map(|(key, text)| (key, json!(STANDARD.encode(text.as_str().unwrap_or_default())))));
}

fn secret(object: &Value, causes: &mut Vec<Cause>) {
    let data = object.get("data").and_then(Value::as_object);
    let mut size = 0;
    for (key, value) in data.into_iter().flatten() {
        if let Some(problem) = validate::data_key(key) {
            causes.push(Cause::invalid(format!("data[{key}]"), &json!(key), &problem));
        }
        size += decoded(value).len();
    }
    if size > DATA {
        causes.push(Cause::too_long("data", DATA));
    }
    let has = |key: &str| data.is_some_and(|data| data.contains_key(key));
    let mut require = |keys: &[&str]| {
        causes.extend(keys.iter().filter(|key| !has(key)).map(|key| Cause::required(format!("data[{key}]"), "")));
    };
    match object.get("type").and_then(Value::as_str).unwrap_or_default() {
        "kubernetes.io/tls" => require(&["tls.crt", "tls.key"]),
        "kubernetes.io/ssh-auth" => require(&["ssh-privatekey"]),
        "kubernetes.io/basic-auth" if !has("username") && !has("password") => require(&["username", "password"]),
        "kubernetes.io/dockercfg" => docker(".dockercfg", data, causes),
        "kubernetes.io/dockerconfigjson" => docker(".dockerconfigjson", data, causes),
        "kubernetes.io/service-account-token" => {
            let name = object.pointer("/metadata/annotations/kubernetes.io~1service-account.name").and_then(Value::as_str);
            if name.unwrap_or_default().is_empty() {
                causes.push(Cause::required("metadata.annotations[kubernetes.io/service-account.name]", ""));
            }
        }
        _ => {}
    }
}

fn docker(key: &str, data: Option<&Map<String, Value>>, causes: &mut Vec<Cause>) {
    let field = format!("data[{key}]");
    match data.and_then(|data| data.get(key)) {
        None => causes.push(Cause::required(field, "")),
        Some(value) if serde_json::from_slice::<Map<String, Value>>(&decoded(value)).is_err() => {
            causes.push(Cause::invalid(field, &json!("<secret contents redacted>"), "invalid character in JSON"));
        }
        Some(_) => {}
    }
}

fn decoded(value: &Value) -> Vec<u8> {
    STANDARD.decode(value.as_str().unwrap_or_default()).unwrap_or_default()
}

fn config_map(object: &Value, causes: &mut Vec<Cause>) {
    let part = |field: &str| object.get(field).and_then(Value::as_object);
    let mut size = 0;
    for field in ["data", "binaryData"] {
        for (key, value) in part(field).into_iter().flatten() {
            let place = format!("{field}[{key}]");
            if let Some(problem) = validate::data_key(key) {
                causes.push(Cause::invalid(place.clone(), &json!(key), &problem));
            }
            if field == "data" && part("binaryData").is_some_and(|data| data.contains_key(key)) {
                causes.push(Cause::invalid(place, &json!(key), "duplicate of key present in binaryData"));
            }
            size += if field == "data" { value.as_str().unwrap_or_default().len() } else { decoded(value).len() };
        }
    }
    if size > DATA {
        causes.push(Cause::too_long("", DATA));
    }
}

/// What a type requires and an object hasn't. The server's own part of it, the status, isn't looked at.
fn required(of: &Type, value: &Value, path: &str, causes: &mut Vec<Cause>) {
    match (of.shape(Some(value)), value) {
        (Shape::Object { fields, others, .. }, Value::Object(map)) => {
            let inner = |name: &str| if path.is_empty() { name.to_owned() } else { format!("{path}.{name}") };
            for (name, field) in fields.into_iter().flat_map(|fields| &fields.fields) {
                let is_empty = |value: &Value| match value {
                    Value::String(text) => text.is_empty(),
                    Value::Array(list) => list.is_empty(),
                    Value::Object(map) => map.is_empty() && matches!(field.of, Type::Map { .. }),
                    other => other.is_null(),
                };
                if field.required && map.get(name).is_none_or(is_empty) {
                    let cause = Cause::required(inner(name), "");
                    if !causes.contains(&cause) {
                        causes.push(cause);
                    }
                }
            }
            for (name, value) in map.iter().filter(|(name, _)| !path.is_empty() || !matches!(name.as_str(), "status" | "metadata")) {
                if let Some(of) = fields.and_then(|fields| fields.fields.get(name)).map(|field| &field.of).or(others) {
                    required(of, value, &inner(name), causes);
                }
            }
        }
        (Shape::List { of, .. }, Value::Array(list)) => {
            for (index, item) in list.iter().enumerate() {
                required(of, item, &format!("{path}[{index}]"), causes);
            }
        }
        _ => {}
    }
}
