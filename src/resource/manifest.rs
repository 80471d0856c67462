//! Kubernetes objects that a stack names as they are: from files, inline, from templates and charts.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::fmt::{self, Write as _};
use std::sync::Arc;

use serde_json::{Value, json};

use super::hole::{Hole, NOT_YET, Output};
use super::kinds;
use super::object::ObjectSpec;
use super::{Attr, Attrs};
use crate::addr::Addr;
use crate::fields::{FieldPath, Say, canonical, shared};
use crate::secret::{SecretBytes, sha256_hex};

/// An object as a manifest says it.
#[derive(Clone, Debug)]
pub struct ManifestSpec {
    /// The object; its plural is empty when only the cluster knows it.
    pub object: ObjectSpec,
    /// The values of a Secret.
    pub data: Data,
    /// What the stack says of it beyond the object.
    pub rules: Rules,
    /// The fields that come of chance: what is there stays.
    pub generated: Vec<Generated>,
    /// What it is for, when it is a hook of its release.
    pub hook: Option<Hook>,
    /// The section of the release that it belongs to.
    pub release: Option<String>,
    /// Whether that release has hooks that run when it goes.
    pub has_delete_hooks: bool,
    /// Whether its kind comes with a CustomResourceDefinition of the same stack.
    pub has_own_definition: bool,
    /// Fields that hold outputs of other resources.
    pub holes: Vec<Hole>,
    /// The load balancer that it stands for, if it is an Ingress of one: it is ready when that has a name.
    pub balancer: Option<Balancer>,
}

/// What an Ingress has to do with a load balancer of the stack.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Balancer {
    /// Its key in the stack.
    pub key: String,
    /// Its hosts whose records someone else writes.
    pub manual_hosts: Vec<String>,
}

/// An object that runs at a moment of its release's life.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Hook {
    /// The moments, such as `pre-install`.
    pub events: Vec<String>,
    /// Hooks of a moment run by ascending weight.
    pub weight: i64,
    /// When it is deleted again, such as `hook-succeeded`.
    pub delete_policies: Vec<String>,
}

/// A field that a chart leaves to chance.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Generated {
    /// The field; a Secret's value under `data`.
    pub path: FieldPath,
    /// Those of one group live and die together.
    pub group: String,
    /// The hash of its value with dice that are the same for everybody: another one means that chart or values want another field.
    pub fixed: String,
}

/// What a stack says of an object beyond what the object says itself.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Rules {
    /// Fields that stay as they are once the object is there.
    pub ignore: Vec<FieldPath>,
    /// Fields that are taken from other managers, with all below them.
    pub force: Vec<FieldPath>,
    /// Whether it may not be deleted or replaced.
    pub protect: bool,
    /// Consent to delete it and make it anew where a field can't be changed.
    pub replace: bool,
    /// Whether it carries the marks that Helm takes an object over by.
    pub adoptable: bool,
}

/// The values of a Secret by key. They show as their fingerprints.
#[derive(Clone, Default)]
pub struct Data(BTreeMap<String, Arc<SecretBytes>>);

impl Data {
    /// Takes values over.
    pub fn new(values: BTreeMap<String, SecretBytes>) -> Self {
        Self(values.into_iter().map(|(key, value)| (key, Arc::new(value))).collect())
    }

    /// The same with these values in place of its own.
    #[must_use]
    pub fn with(&self, others: &BTreeMap<String, Arc<SecretBytes>>) -> Self {
        let mut values = self.0.clone();
        values.extend(others.iter().map(|(key, value)| (key.clone(), Arc::clone(value))));
        Self(values)
    }

    /// The keys, each with its value.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &SecretBytes)> {
        self.0.iter().map(|(key, value)| (key.as_str(), &**value))
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

impl fmt::Debug for Data {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_map().entries(self.iter().map(|(key, value)| (key, value.fingerprint()))).finish()
    }
}

/// What the label `app.kubernetes.io/managed-by` says of what meshform manages.
pub const MANAGER: &str = "meshform";
/// What it says of what Helm manages.
pub const HELM: &str = "Helm";

/// The annotation that keeps an object when its stack lets it go (Helm documentation, "Tell Helm Not To Uninstall a Resource").
pub const ANNOTATION_KEEP: &str = "helm.sh/resource-policy";
/// The annotation of an object that may not be deleted or replaced.
pub const ANNOTATION_PROTECT: &str = "meshform.dev/protect";

impl Hook {
    /// Whether it runs when its release goes.
    pub fn is_of_deletion(&self) -> bool {
        self.events.iter().any(|event| matches!(event.as_str(), "pre-delete" | "post-delete"))
    }
}

impl ManifestSpec {
    /// The kind's API group; empty for the core group.
    pub fn group(&self) -> &str {
        kinds::split_api_version(&self.object.api_version).0
    }

    /// What its label `app.kubernetes.io/managed-by` says: Helm takes over only what says its own name (Helm, `pkg/action/validate.go`).
    pub fn managed_by(&self) -> &'static str {
        if self.rules.adoptable { HELM } else { MANAGER }
    }

    /// Whether it is a Secret, whose values are not shown.
    pub fn is_secret(&self) -> bool {
        self.object.kind == "Secret" && self.group().is_empty()
    }

    /// The fields that others have a say in.
    pub fn shared(&self) -> Vec<(FieldPath, Say)> {
        let mut paths = shared(self.group(), &self.object.kind);
        paths.extend(self.rules.ignore.iter().map(|path| (path.clone(), Say::Anyone)));
        paths.extend(
            self.opened_webhooks()
                .filter_map(|name| format!("webhooks[{name}].failurePolicy").parse().ok())
                .map(|path| (path, Say::Anyone)),
        );
        paths
    }

    /// The object with its holes filled as far as the outputs are known, and whether all are.
    pub fn filled(&self, known: impl Fn(&Addr, Output) -> Option<String>) -> (Self, bool) {
        let (mut filled, mut is_whole) = (self.clone(), true);
        for hole in &self.holes {
            let text = hole.fill(&known);
            is_whole &= text.is_some();
            hole.path.set(Arc::make_mut(&mut filled.object.body), Value::String(text.unwrap_or_else(|| NOT_YET.to_owned())));
        }
        (filled, is_whole)
    }

    /// What is remembered of it, with the name of its load balancer as far as that is known.
    pub fn with_hostname(&self, mut attrs: Attrs, hostname: Option<&str>) -> Attrs {
        if let (Some(balancer), Some(name)) = (&self.balancer, hostname) {
            attrs.insert(HOSTNAME.to_owned(), Attr::text(name));
            attrs.insert(BALANCER.to_owned(), Attr::text(&balancer.key));
        }
        attrs
    }

    /// The pod that it would make, where that has no image before Istio's injector gives it one (Istio, chart gateway: `image: auto`). Made
    /// without the injector, such a pod never starts.
    pub fn pod_to_inject(&self) -> Option<Value> {
        if !matches!(self.object.kind.as_str(), "Deployment" | "DaemonSet" | "StatefulSet") {
            return None;
        }
        let template = self.object.body.pointer("/spec/template")?;
        if !has_auto_image(template) {
            return None;
        }
        let part = |key: &str| template.pointer(&format!("/metadata/{key}")).cloned().unwrap_or(Value::Null);
        let metadata =
            json!({"generateName": format!("{}-", self.object.name), "labels": part("labels"), "annotations": part("annotations")});
        Some(json!({"apiVersion": "v1", "kind": "Pod", "metadata": metadata, "spec": template.get("spec")}))
    }

    /// The webhooks of an Istio validator that begin open: istiod closes them when it answers (Istio, `pkg/webhooks/validation/controller`).
    fn opened_webhooks(&self) -> impl Iterator<Item = &str> {
        let is_istios = self.object.kind == "ValidatingWebhookConfiguration" && self.object.body.pointer(OF_ISTIO).is_some();
        let webhooks = self.object.body.get("webhooks").and_then(Value::as_array).filter(|_| is_istios);
        let opened = webhooks.into_iter().flatten().filter(|one| one.get("failurePolicy").and_then(Value::as_str) == Some("Ignore"));
        opened.filter_map(|one| one.get("name")?.as_str())
    }

    /// All that is wanted of it, but for what comes of chance.
    pub fn told(&self) -> String {
        let Self { rules, generated, hook, release, has_own_definition, .. } = self;
        format!("{} {rules:?} {generated:?} {hook:?} {release:?} {has_own_definition}", self.sent_hash(&Attrs::new()))
    }

    /// What tells this object from another one that the same address could have: 32 hex digits. `marks` go with it.
    pub fn sent_hash(&self, marks: &Attrs) -> String {
        let ObjectSpec { api_version, kind, body, .. } = &self.object;
        let mut body = Cow::Borrowed(&**body);
        let mut data: BTreeMap<&str, String> = self.data.iter().map(|(key, value)| (key, value.fingerprint())).collect();
        for Generated { path, fixed, .. } in &self.generated {
            match path.key_in("data").filter(|_| self.is_secret()) {
                Some(key) => drop(data.insert(key, fixed.clone())),
                None => path.put_into(body.to_mut(), Some(Value::String(fixed.clone()))),
            }
        }
        let mut text = format!("{api_version} {kind} {data:?} {:?} ", self.rules.ignore);
        text.push_str(&canonical(&body));
        for (path, mark) in marks {
            let _ = write!(text, " {path}={mark:?}");
        }
        sha256_hex(text.as_bytes())[..32].to_owned()
    }
}

/// The label of Istio's own objects that says which control plane they belong to.
const OF_ISTIO: &str = "/metadata/labels/istio.io~1rev";

/// Lets the webhooks of an Istio validator begin open, whatever a chart rendered: on an upgrade it says nothing, and the API server's default
/// would close a webhook that nobody answers for. One that is closed by the chart's values stays so.
pub fn open_webhooks(kind: &str, body: &mut Value) {
    if kind != "ValidatingWebhookConfiguration" || body.pointer(OF_ISTIO).is_none() {
        return;
    }
    for webhook in body.get_mut("webhooks").and_then(Value::as_array_mut).into_iter().flatten() {
        if let Value::Object(webhook) = webhook {
            webhook.entry("failurePolicy").or_insert_with(|| json!("Ignore"));
        }
    }
}

/// Whether a pod or a template of one still waits for an image of the injector.
pub fn has_auto_image(pod: &Value) -> bool {
    let containers = pod.pointer("/spec/containers").and_then(Value::as_array);
    containers.into_iter().flatten().any(|container| container.get("image").and_then(Value::as_str) == Some("auto"))
}

/// The attribute of the state that holds [`ManifestSpec::sent_hash`] as of the last apply.
pub const SENT: &str = "sent";
/// The attribute of the state that holds the hash of the live values of our fields after the last apply.
pub const LIVE: &str = "live";

/// The attribute of the state that holds what our field manager owned after the last apply (`fieldsV1`), where that is not large.
pub const FIELDS: &str = "fields";
/// The attribute of the state that holds the name of an Ingress's load balancer.
pub const HOSTNAME: &str = "hostname";
/// The attribute of the state that holds the key of the load balancer that an Ingress stands for.
pub const BALANCER: &str = "load_balancer";
/// The most bytes of [`FIELDS`] that the state keeps.
pub const MOST_FIELDS: usize = 8 * 1024;

/// The attribute of the state that holds [`Generated::fixed`] of each field that came of chance, by its path.
pub const DICE: &str = "dice";

/// The attribute of the state that holds the section of the release that an object belongs to.
pub const RELEASE: &str = "release";

/// The attribute of the state that says that the release of an object has hooks that run when it goes.
pub const DELETE_HOOKS: &str = "delete_hooks";

/// What the state remembers of an object that was applied: `sent` and `live` are hashes, `fields` what our manager owns of it.
pub fn remembered(spec: &ManifestSpec, sent: &str, live: &str, fields: Option<&Value>) -> Attrs {
    let mut attrs = Attrs::from([(SENT.to_owned(), Attr::text(sent)), (LIVE.to_owned(), Attr::text(live))]);
    if let Some(fields) = fields.filter(|fields| fields.to_string().len() <= MOST_FIELDS) {
        attrs.insert(FIELDS.to_owned(), Attr::Value(fields.clone()));
    }
    if !spec.generated.is_empty() {
        let fixed = spec.generated.iter().map(|one| (one.path.to_string(), Value::String(one.fixed.clone())));
        attrs.insert(DICE.to_owned(), Attr::Value(Value::Object(fixed.collect())));
    }
    if let Some(release) = &spec.release {
        attrs.insert(RELEASE.to_owned(), Attr::text(release));
    }
    if spec.has_delete_hooks {
        attrs.insert(DELETE_HOOKS.to_owned(), Attr::Value(Value::Bool(true)));
    }
    attrs
}

/// A Secret's values as they stand in a comparable object: by their fingerprints.
pub fn fingerprints<'a>(data: impl Iterator<Item = (&'a str, &'a SecretBytes)>) -> Value {
    Value::Object(data.map(|(key, value)| (key.to_owned(), Value::String(value.fingerprint()))).collect())
}
