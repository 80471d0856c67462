//! Live objects as the API server gives them. A Secret's values go straight into [`SecretBytes`].

use std::collections::BTreeMap;
use std::sync::Arc;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde::de::Error as _;
use serde::{Deserialize, Deserializer, Serialize};
use serde_json::{Map, Value};

pub use crate::fields::Manager as Writer;
use crate::fields::{is_tool, owned_hash, without};
use crate::material::{PrivateKey, PublicPart};
use crate::resource::manifest::fingerprints;
use crate::resource::object::{flatten, tls_data_attrs, tls_key_attr};
use crate::resource::{Attr, Attrs, FIELD_MANAGER};
use crate::secret::SecretBytes;

/// The annotation in which `kubectl apply` keeps the whole object, a Secret's values among it: never read.
const LAST_APPLIED: &str = "kubectl.kubernetes.io/last-applied-configuration";

/// An annotation that the API server counts up by itself with every change of a DaemonSet's template (k8s.io/api, `apps/v1`,
/// `DeprecatedTemplateGeneration`), whatever is sent: no field of anyone's.
pub const COUNTED: &str = "deprecated.daemonset.template.generation";

/// A live object.
pub struct Live {
    /// Its metadata, without `managedFields`.
    pub metadata: Map<String, Value>,
    /// All but metadata, `kind`, `apiVersion` and a Secret's data.
    pub rest: Map<String, Value>,
    /// A Secret's data.
    pub data: BTreeMap<String, Arc<SecretBytes>>,
    /// The entries of `metadata.managedFields`.
    managed: Vec<Managed>,
}

#[derive(Deserialize, Serialize)]
#[serde(rename_all = "camelCase")]
struct Managed {
    #[serde(default)]
    manager: String,
    #[serde(default)]
    operation: String,
    #[serde(default)]
    api_version: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    time: Option<String>,
    #[serde(default)]
    fields_type: String,
    #[serde(default, rename = "fieldsV1")]
    fields: Value,
    #[serde(default, skip_serializing_if = "String::is_empty")]
    subresource: String,
}

impl Live {
    /// Its uid.
    pub fn uid(&self) -> &str {
        self.text("uid")
    }

    /// The revision that was read (`resourceVersion`); a dry run answers with that of the object it was tried on.
    pub fn revision(&self) -> &str {
        self.text("resourceVersion")
    }

    /// Its name.
    pub fn name(&self) -> &str {
        self.text("name")
    }

    /// Its namespace.
    pub fn namespace(&self) -> Option<&str> {
        self.metadata.get("namespace").and_then(Value::as_str)
    }

    /// A label's value.
    pub fn label(&self, key: &str) -> Option<&str> {
        self.metadata.get("labels")?.get(key)?.as_str()
    }

    /// An annotation's value.
    pub fn annotation(&self, key: &str) -> Option<&str> {
        self.metadata.get("annotations")?.get(key)?.as_str()
    }

    /// Whether it is being deleted, and what it waits for: its finalizers.
    pub fn terminating(&self) -> Option<String> {
        self.metadata.get("deletionTimestamp")?;
        let mut waits: Vec<&str> =
            self.metadata.get("finalizers").and_then(Value::as_array).into_iter().flatten().filter_map(Value::as_str).collect();
        waits.extend(
            self.rest
                .get("spec")
                .and_then(|s| s.get("finalizers"))
                .and_then(Value::as_array)
                .into_iter()
                .flatten()
                .filter_map(Value::as_str),
        );
        let conditions = self.rest.get("status").and_then(|s| s.get("conditions")).and_then(Value::as_array);
        let reasons = conditions.into_iter().flatten().filter(|c| c.get("status").and_then(Value::as_str) == Some("True"));
        let reasons: Vec<&str> = reasons.filter_map(|c| c.get("message").and_then(Value::as_str)).collect();
        let mut text = format!("finalizers {}", waits.join(", "));
        if !reasons.is_empty() {
            text = format!("{text}: {}", reasons.join("; "));
        }
        Some(text)
    }

    /// The live attributes: every leaf but what the server and other mechanisms own.
    pub fn attrs(&self) -> Attrs {
        let mut metadata = Map::new();
        for part in ["labels", "annotations"] {
            if let Some(Value::Object(map)) = self.metadata.get(part) {
                let map = map.iter().filter(|(key, _)| *key != LAST_APPLIED).map(|(k, v)| (k.clone(), v.clone())).collect();
                metadata.insert(part.to_owned(), Value::Object(map));
            }
        }
        let mut body = self.rest.clone();
        body.remove("status");
        body.insert("metadata".into(), Value::Object(metadata));
        let mut attrs = flatten(&Value::Object(body));
        attrs.extend(self.data_attrs());
        attrs
    }

    fn data_attrs(&self) -> Attrs {
        let public = self
            .data
            .get("tls.crt")
            .and_then(|crt| str::from_utf8(crt.expose_secret()).ok())
            .and_then(|crt| PublicPart::read_bundle(crt).ok());
        let attr = |(key, value): (&String, &Arc<SecretBytes>)| {
            let told = match key.as_str() {
                "tls.crt" => public.as_ref().map(|public| tls_data_attrs(public.leaf()).0),
                "tls.key" => key_attr(value, public.as_ref()),
                _ => None,
            };
            (format!("data.{key}"), told.unwrap_or_else(|| Attr::Secret(value.fingerprint())))
        };
        self.data.iter().map(attr).collect()
    }

    /// Who manages each of these attributes besides us: a path that only we manage, or nobody, is left out.
    pub fn other_managers<'a>(&self, paths: impl Iterator<Item = &'a String>) -> BTreeMap<String, String> {
        paths
            .filter_map(|path| {
                let mut owners = self.managed.iter().filter(|entry| owns(&entry.fields, path));
                let other = owners.find(|entry| !is_us(entry))?;
                Some((path.clone(), other.manager.clone()))
            })
            .collect()
    }

    /// The attributes that our field manager owns in the live object.
    pub fn our_paths(&self, attrs: &Attrs) -> Vec<String> {
        let ours: Vec<&Managed> = self.managed.iter().filter(|entry| is_us(entry)).collect();
        attrs.keys().filter(|path| ours.iter().any(|entry| owns(&entry.fields, path))).cloned().collect()
    }

    /// Whether another object owns it, and it goes with that one.
    pub fn is_owned(&self) -> bool {
        self.metadata.get("ownerReferences").and_then(Value::as_array).is_some_and(|owners| !owners.is_empty())
    }

    /// The whole object with its status, as rules of readiness look at it.
    pub fn whole(&self) -> Value {
        let mut object = self.rest.clone();
        object.insert("metadata".into(), Value::Object(self.metadata.clone()));
        Value::Object(object)
    }

    /// The whole object as it is compared: without what only the server sets, without status, a Secret's values as fingerprints.
    pub fn comparable(&self) -> Value {
        let mut object = self.rest.clone();
        object.shift_remove("status");
        let kept = ["labels", "annotations", "finalizers", "ownerReferences"];
        let mut metadata: Map<String, Value> =
            kept.into_iter().filter_map(|key| Some((key.to_owned(), self.metadata.get(key)?.clone()))).collect();
        if let Some(Value::Object(annotations)) = metadata.get_mut("annotations") {
            annotations.shift_remove(COUNTED);
        }
        object.insert("metadata".into(), Value::Object(metadata));
        if !self.data.is_empty() {
            object.insert("data".into(), fingerprints(self.data.iter().map(|(key, value)| (key.as_str(), &**value))));
        }
        Value::Object(object)
    }

    /// What our field manager owns of it; nothing when it never applied it.
    pub fn our_fields(&self) -> Option<&Value> {
        self.managed.iter().find(|entry| is_us(entry)).map(|entry| &entry.fields)
    }

    /// What any manager owns of it.
    pub fn trees(&self) -> Vec<&Value> {
        self.managed.iter().map(|entry| &entry.fields).collect()
    }

    /// What others own of it.
    pub fn writers(&self) -> Vec<Writer<'_>> {
        let others = self.managed.iter().filter(|entry| !is_us(entry));
        others.map(|entry| Writer { name: &entry.manager, subresource: &entry.subresource, fields: &entry.fields }).collect()
    }

    /// The managers of its fields as they are when people's tools, and patches of our own, let go what is ours as well; nothing when none has such a field. As long as
    /// two have a field, it stays when one of them drops it.
    pub fn handed_over(&self) -> Option<Value> {
        let ours = self.our_fields()?;
        let mut is_changed = false;
        let mut left = Vec::new();
        for entry in &self.managed {
            // A patch of ours makes a manager of its own beside the one that applies: nothing is to be its alone.
            let is_patch = !is_us(entry) && entry.manager == FIELD_MANAGER && entry.subresource.is_empty();
            let is_tools = !is_us(entry) && entry.subresource.is_empty() && is_tool(&entry.manager);
            let fields = match (is_patch, is_tools) {
                (true, _) => None,
                (false, true) => without(&entry.fields, ours),
                (false, false) => Some(entry.fields.clone()),
            };
            is_changed |= fields.as_ref() != Some(&entry.fields);
            if let Some(fields) = fields {
                let mut entry = serde_json::to_value(entry).ok()?;
                entry["fieldsV1"] = fields;
                left.push(entry);
            }
        }
        is_changed.then_some(Value::Array(left))
    }

    /// The hash of the values of the fields that our field manager owns.
    pub fn owned_hash(&self) -> String {
        self.our_fields().map_or_else(String::new, |fields| owned_hash(fields, &self.comparable()))
    }

    /// Who made it, as far as its managers tell.
    pub fn maker(&self) -> String {
        if let Some(stack) = self.label(crate::resource::LABEL_STACK) {
            return format!("the meshform stack `{stack}`");
        }
        if let Some(by) = self.label(crate::resource::LABEL_MANAGED_BY) {
            return by.to_owned();
        }
        self.managed.iter().find(|entry| !is_us(entry)).map_or_else(|| "an unknown owner".to_owned(), |entry| entry.manager.clone())
    }

    fn text(&self, key: &str) -> &str {
        self.metadata.get(key).and_then(Value::as_str).unwrap_or_default()
    }
}

/// A private key by the public key that it belongs to: its own, or the certificate's beside it when it doesn't hold its public part.
fn key_attr(value: &SecretBytes, public: Option<&PublicPart>) -> Option<Attr> {
    let key = PrivateKey::read(value).ok()?;
    let own = key.public_key_sha256();
    let matched =
        || public.filter(|public| key.belongs_to(public.spki()).unwrap_or(false)).map(|public| public.leaf().public_key_sha256.clone());
    own.or_else(matched).map(|hash| tls_key_attr(&hash))
}

fn is_us(entry: &Managed) -> bool {
    entry.manager == FIELD_MANAGER && entry.operation == "Apply"
}

/// Whether `fieldsV1` covers an attribute's path. Keys may hold dots, so the path is eaten key by key.
fn owns(fields: &Value, path: &str) -> bool {
    let Value::Object(map) = fields else { return false };
    map.iter().any(|(key, below)| {
        let Some(key) = key.strip_prefix("f:") else { return false };
        if key == path {
            return true;
        }
        path.strip_prefix(key).and_then(|rest| rest.strip_prefix('.')).is_some_and(|rest| match below {
            // An atomic field owns all below it.
            Value::Object(map) if map.is_empty() => true,
            _ => owns(below, rest),
        })
    })
}

/// A page of a list.
pub(super) struct Page {
    pub(super) items: Vec<Live>,
    pub(super) continue_token: String,
}

#[derive(Deserialize)]
struct RawPage<T> {
    #[serde(default)]
    metadata: PageMeta,
    #[serde(default = "none")]
    items: Option<Vec<T>>,
}

fn none<T>() -> Option<Vec<T>> {
    None
}

#[derive(Deserialize, Default)]
struct PageMeta {
    #[serde(default, rename = "continue")]
    token: Option<String>,
}

/// A Secret, field by field: nothing of it passes through a generic JSON value but its metadata.
#[derive(Deserialize)]
struct RawSecret {
    metadata: Map<String, Value>,
    #[serde(default)]
    data: Option<BTreeMap<String, Encoded>>,
    #[serde(default, rename = "type")]
    secret_type: Option<String>,
    #[serde(default)]
    immutable: Option<bool>,
}

struct Encoded(SecretBytes);

impl<'de> Deserialize<'de> for Encoded {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = SecretBytes::from_text(String::deserialize(deserializer)?);
        let bytes = STANDARD.decode(text.expose_secret()).map_err(|_| D::Error::custom("a value is not base64"))?;
        Ok(Self(SecretBytes::new(bytes)))
    }
}

impl From<RawSecret> for Live {
    fn from(raw: RawSecret) -> Self {
        let mut rest = Map::new();
        rest.extend(raw.secret_type.map(|t| ("type".to_owned(), Value::String(t))));
        rest.extend(raw.immutable.map(|i| ("immutable".to_owned(), Value::Bool(i))));
        let data = raw.data.unwrap_or_default().into_iter().map(|(key, value)| (key, Arc::new(value.0))).collect();
        live(raw.metadata, rest, data)
    }
}

fn live(mut metadata: Map<String, Value>, rest: Map<String, Value>, data: BTreeMap<String, Arc<SecretBytes>>) -> Live {
    let managed = metadata.remove("managedFields").unwrap_or_default();
    if let Some(Value::Object(annotations)) = metadata.get_mut("annotations") {
        annotations.remove(LAST_APPLIED);
    }
    Live { metadata, rest, data, managed: serde_json::from_value(managed).unwrap_or_default() }
}

fn generic(mut object: Map<String, Value>) -> Live {
    let metadata = match object.remove("metadata") {
        Some(Value::Object(metadata)) => metadata,
        _ => Map::new(),
    };
    object.remove("kind");
    object.remove("apiVersion");
    live(metadata, object, BTreeMap::new())
}

pub(super) fn page(bytes: &[u8], is_secret: bool) -> Result<Page, serde_json::Error> {
    let (items, meta) = if is_secret {
        let raw: RawPage<RawSecret> = serde_json::from_slice(bytes)?;
        (raw.items.unwrap_or_default().into_iter().map(Live::from).collect(), raw.metadata)
    } else {
        let raw: RawPage<Map<String, Value>> = serde_json::from_slice(bytes)?;
        (raw.items.unwrap_or_default().into_iter().map(generic).collect(), raw.metadata)
    };
    Ok(Page { items, continue_token: meta.token.unwrap_or_default() })
}

pub(super) fn one(bytes: &[u8], is_secret: bool) -> Result<Live, serde_json::Error> {
    if is_secret { serde_json::from_slice::<RawSecret>(bytes).map(Live::from) } else { serde_json::from_slice(bytes).map(generic) }
}
