//! One object of a manifest: what it must have, what is left out of it, and what of it is secret.

use std::collections::BTreeMap;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Map, Value};

use super::Manifest;
use crate::diag::{Diagnostic, Diagnostics, Place, shown};
use crate::resource::kinds::{built_in, split_api_version};
use crate::resource::manifest::Data;
use crate::secret::SecretBytes;

/// The most lists of objects in one another.
const MOST_LISTS: usize = 4;
/// What only a server sets.
const SERVERS: [&str; 8] = [
    "creationTimestamp",
    "deletionGracePeriodSeconds",
    "deletionTimestamp",
    "generation",
    "managedFields",
    "resourceVersion",
    "selfLink",
    "uid",
];
/// What kubectl keeps of its own.
const LAST_APPLIED: &str = "kubectl.kubernetes.io/last-applied-configuration";

/// Whether a document holds a Secret, itself or in a list.
pub(super) fn holds_secret(value: &Value) -> bool {
    let is_secret = |value: &Value| value.get("kind").and_then(Value::as_str) == Some("Secret");
    is_secret(value) || value.get("items").and_then(Value::as_array).is_some_and(|items| items.iter().any(holds_secret))
}

/// Reads an object, or those of a list.
pub(super) fn read(set: &str, namespace: Option<&str>, value: Value, place: &Place, diags: &mut Diagnostics) -> Vec<Manifest> {
    let mut found = Vec::new();
    Reading { set, namespace, place, diags, found: &mut found }.value(value, 0);
    found
}

struct Reading<'a> {
    set: &'a str,
    namespace: Option<&'a str>,
    place: &'a Place,
    diags: &'a mut Diagnostics,
    found: &'a mut Vec<Manifest>,
}

impl Reading<'_> {
    fn wrong(&mut self, detail: impl Into<String>, help: &str) {
        let error = Diagnostic::error("manifest/object", "not a Kubernetes object", detail).at(self.place);
        self.diags.push(if help.is_empty() { error } else { error.help(help) });
    }

    fn value(&mut self, value: Value, depth: usize) {
        let Value::Object(mut object) = value else {
            self.wrong("a manifest is a map with `apiVersion`, `kind` and `metadata`", "");
            return;
        };
        let Some(api_version) = self.text(&mut object, "apiVersion") else { return };
        let Some(kind) = self.text(&mut object, "kind") else { return };
        if kind.ends_with("List") && object.get("items").is_some_and(Value::is_array) {
            if depth >= MOST_LISTS {
                self.wrong(format!("more than {MOST_LISTS} lists in one another"), "");
                return;
            }
            if let Some(Value::Array(items)) = object.shift_remove("items") {
                for item in items {
                    self.value(item, depth + 1);
                }
            }
            return;
        }
        let Some(Value::Object(mut metadata)) = object.shift_remove("metadata") else {
            self.wrong(format!("this {kind} has no `metadata`"), "add `metadata: {name: …}`");
            return;
        };
        let Some(Value::String(name)) = metadata.shift_remove("name") else {
            let help = if metadata.contains_key("generateName") { "give it a `name`: a generated one would be new each time" } else { "" };
            self.wrong(format!("this {kind} has no `metadata.name`"), help);
            return;
        };
        // What stands in paths of URLs: names have no more than dots, letters, digits, `-`, and for RBAC `:` (Kubernetes, "Object Names and IDs").
        let is_name = |text: &str| !text.is_empty() && text.len() <= 253 && !matches!(text, "." | "..") && !text.contains(['/', '%', ' ']);
        if !is_name(&name) {
            self.wrong(format!("{} is no name for a {kind}", shown(&name)), "");
            return;
        }
        let own_namespace = match metadata.shift_remove("namespace") {
            Some(Value::String(namespace)) if !namespace.is_empty() => Some(namespace),
            _ => None,
        };
        if own_namespace.as_ref().is_some_and(|namespace| !is_name(namespace)) {
            self.wrong(format!("`{name}` names {} as its namespace", shown(own_namespace.as_deref().unwrap_or_default())), "");
            return;
        }
        let (group, _) = split_api_version(&api_version);
        let scope = built_in(group, &kind).map(|kind| kind.namespaced);
        let namespace = own_namespace.or_else(|| self.namespace.map(str::to_owned)).filter(|_| scope != Some(false));
        if scope == Some(true) && namespace.is_none() {
            let detail = format!("{kind} `{name}` names no namespace, and its set gives none");
            let help = format!("add `metadata.namespace` there, or `namespace:` to `{}`", self.set);
            self.diags.push(Diagnostic::error("manifest/no-namespace", "no namespace", detail).at(self.place).help(help));
            return;
        }
        for field in SERVERS {
            metadata.shift_remove(field);
        }
        self.labels(&mut metadata, &kind, &name);
        object.shift_remove("status");
        if object.contains_key("aggregationRule") && group == "rbac.authorization.k8s.io" {
            // The rules of an aggregated ClusterRole are its controller's.
            object.shift_remove("rules");
        }
        let is_secret = group.is_empty() && kind == "Secret";
        let data = if is_secret { self.data(&mut object, &name) } else { Data::default() };
        object.insert("metadata".into(), Value::Object(metadata));
        let place = self.place.clone();
        let (set, mut body) = (self.set.to_owned(), Value::Object(object));
        drop_nulls(&mut body);
        self.found.push(Manifest {
            set,
            api_version,
            kind,
            namespace,
            name,
            body,
            data,
            hook: None,
            generated: Vec::new(),
            holes: Vec::new(),
            place,
        });
    }

    fn text(&mut self, object: &mut Map<String, Value>, key: &str) -> Option<String> {
        if let Some(Value::String(text)) = object.shift_remove(key)
            && !text.is_empty()
            && !text.contains([' ', '%', '?', '#'])
            && text.matches('/').count() <= 1
        {
            return Some(text);
        }
        self.wrong(format!("a Kubernetes object has an `{key}`, and this has none that is one"), "");
        None
    }

    fn labels(&mut self, metadata: &mut Map<String, Value>, kind: &str, name: &str) {
        for part in ["labels", "annotations"] {
            let Some(Value::Object(map)) = metadata.get_mut(part) else { continue };
            map.shift_remove(LAST_APPLIED);
            if let Some(key) = map.keys().find(|key| key.starts_with("meshform.dev/")) {
                let detail = format!("{kind} `{name}` sets {} in its {part}, which is meshform's own", shown(key));
                let error = Diagnostic::error("kubernetes/reserved", "reserved label", detail).at(self.place);
                self.diags.push(error.help("remove it"));
            }
            // A value that YAML reads as a number or a boolean is what people write for a text.
            let odd = map.iter().find(|(_, value)| !value.is_string() && !value.is_null()).map(|(key, value)| (key.clone(), value.clone()));
            if let Some((key, value)) = odd {
                let detail = format!("{kind} `{name}` has {value} in its {part} under {}, which takes texts", shown(&key));
                let help = format!("write \"{value}\", in quotes");
                self.diags.push(Diagnostic::error("manifest/object", "not a Kubernetes object", detail).at(self.place).help(help));
            }
        }
    }

    fn data(&mut self, object: &mut Map<String, Value>, name: &str) -> Data {
        let mut values = BTreeMap::new();
        for (field, is_encoded) in [("data", true), ("stringData", false)] {
            let entries = match object.shift_remove(field) {
                Some(Value::Object(entries)) => entries,
                None | Some(Value::Null) => continue,
                Some(_) => {
                    self.wrong(format!("`{field}` of Secret `{name}` is a map of texts"), "");
                    continue;
                }
            };
            for (key, value) in entries {
                let Value::String(text) = value else {
                    self.wrong(format!("`{field}.{key}` of Secret `{name}` is a text"), "write it in quotes");
                    continue;
                };
                if !is_encoded {
                    values.insert(key, SecretBytes::from_text(text));
                    continue;
                }
                let packed: String = text.chars().filter(|c| !c.is_ascii_whitespace()).collect();
                match STANDARD.decode(packed) {
                    Ok(bytes) => drop(values.insert(key, SecretBytes::new(bytes))),
                    Err(_) => self.wrong(
                        format!("`data.{key}` of Secret `{name}` is not base64"),
                        "encode it, or put the text itself under `stringData`",
                    ),
                }
            }
        }
        Data::new(values)
    }
}

/// Null stands for nothing in a manifest: server-side apply would own an absent field.
fn drop_nulls(value: &mut Value) {
    match value {
        Value::Object(map) => {
            if map.values().any(Value::is_null) {
                map.retain(|_, value| !value.is_null());
            }
            map.values_mut().for_each(drop_nulls);
        }
        Value::Array(list) => list.iter_mut().for_each(drop_nulls),
        _ => {}
    }
}
