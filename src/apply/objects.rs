//! Steps of Kubernetes objects: one server-side apply each.

use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Map, Value, json};

use super::StepError;
use super::engine::{Engine, Finished, Outcome, SharedMaterial, lost};
use super::wait::Wait;
use crate::addr::Addr;
use crate::event::{Event, Origin};
use crate::material::PublicPart;
use crate::observe::kind_path;
use crate::plan::marks::{is_mark, managed_after};
use crate::plan::{Action, Step};
use crate::provider::kube::{ApplyMode, KindPath, Kube};
use crate::resource::certificate::LeafFacts;
use crate::resource::object::{ObjectSpec, tls_data_attrs};
use crate::resource::{Attr, Attrs, LABEL_MANAGED_BY, Spec};
use crate::secret::SecretBytes;
use crate::store::Lease;

impl<L: Lease> Engine<'_, L> {
    pub(super) fn begin_object(&mut self, node: usize, step: &Step, spec: Option<&Spec>) {
        let Some(kube) = self.world.kube.clone() else {
            self.fail(node, lost(&step.addr));
            return;
        };
        let mut step = step.clone();
        if step.action.is_removal() {
            self.spawn(Box::pin(async move {
                let result = remove(&kube, &step).await;
                Finished::Step { node, result }
            }));
            return;
        }
        let Some(Spec::Object(spec)) = spec.cloned() else {
            self.fail(node, lost(&step.addr));
            return;
        };
        let material = spec.certificate.as_ref().and_then(|certificate| self.materials.get(certificate));
        if let Some(leaf) = material.as_ref().map(|material| material.leaf()) {
            let (crt, key) = tls_data_attrs(leaf);
            let attrs = step.after.get_or_insert_default();
            attrs.insert("data.tls.crt".into(), crt);
            attrs.insert("data.tls.key".into(), key);
        }
        let leaf = spec.certificate.as_ref().and_then(|certificate| self.leaf(certificate));
        let needs = self.needs(&step.addr);
        let is_forced = self.plan.graph.get(&step.addr).is_some_and(|resource| resource.force)
            || step.action == Action::Adopt
            || step.changes.iter().any(|change| change.manager.is_some());
        let limit = self.options.limits.gone;
        self.spawn(Box::pin(async move {
            let result = write(&kube, &step, &spec, material, leaf, (is_forced, limit), needs).await;
            Finished::Step { node, result }
        }));
    }
}

async fn write(
    kube: &Kube,
    step: &Step,
    spec: &ObjectSpec,
    material: Option<SharedMaterial>,
    leaf: Option<LeafFacts>,
    (is_forced, limit): (bool, Duration),
    needs: Vec<Addr>,
) -> Result<Outcome, StepError> {
    let kind = KindPath::of(spec);
    let (namespace, name) = (spec.namespace.as_deref(), spec.name.as_str());
    let mut uid = step.id.clone().filter(|_| step.action != Action::Replace);
    let mut data: Vec<(&str, SecretBytes)> = Vec::new();
    let is_new = matches!(step.action, Action::Create);
    if is_new && let Some(live) = kube.get(&kind, namespace, name).await? {
        // A server-side apply would merge into it: it must be ours, from a request whose answer was lost.
        let wanted =
            step.after.as_ref().and_then(|attrs| attrs.get(&format!("metadata.annotations.{}", crate::resource::ANNOTATION_LINEAGE)));
        let is_ours =
            wanted.and_then(Attr::as_text).is_some_and(|lineage| live.annotation(crate::resource::ANNOTATION_LINEAGE) == Some(lineage));
        if !is_ours {
            return Err(StepError::Changed(format!("`{}` appeared since the plan was made, and belongs to {}", step.addr, live.maker())));
        }
        uid = Some(live.uid().to_owned());
    }
    if step.action == Action::Replace
        && let Some(old) = &step.id
    {
        kube.delete(&kind, namespace, name, old).await?;
        gone(kube, &kind, namespace, name, old, limit).await?;
    }
    if let Some(certificate) = &spec.certificate {
        data = match &material {
            Some(material) => {
                let key = material.key().expose_pem();
                let key =
                    key.map_err(|reason| StepError::Material { certificate: certificate.clone(), reason: std::rc::Rc::new(reason) })?;
                vec![("tls.crt", SecretBytes::new(material.tls_crt().as_bytes().to_vec())), ("tls.key", key)]
            }
            None => live_data(kube, &kind, step, spec, leaf.as_ref()).await?,
        };
    }
    let body = body(spec, step.after.as_ref(), uid.as_deref(), &data);
    let live = kube.apply(spec, &body, ApplyMode { force: is_forced, dry_run: false }).await?;
    let mut events = Vec::new();
    if matches!(step.action, Action::Create | Action::Replace | Action::Adopt) {
        let origin = if step.action == Action::Adopt { Origin::Adopted } else { Origin::Created };
        events.push(Event::Created { addr: step.addr.clone(), id: live.uid().to_owned(), generation: 1, origin, needs });
    }
    events.push(Event::Applied { addr: step.addr.clone(), attrs: step.after.clone().unwrap_or_default() });
    Ok(Outcome::done(events))
}

/// Waits until an object that was deleted makes room for the one that takes its place.
async fn gone(kube: &Kube, kind: &KindPath, namespace: Option<&str>, name: &str, uid: &str, limit: Duration) -> Result<(), StepError> {
    let mut waited = Duration::ZERO;
    while let Some(live) = kube.get(kind, namespace, name).await?
        && live.uid() == uid
    {
        if waited > limit {
            let what = format!("the object to go ({})", live.terminating().unwrap_or_default());
            return Err(StepError::Timeout { what, after: limit });
        }
        let pause = Duration::from_secs(1);
        tokio::time::sleep(pause).await;
        waited += pause;
    }
    Ok(())
}

/// The data that is there: sent again when only labels change, as a server-side apply without it would remove it.
async fn live_data(
    kube: &Kube,
    kind: &KindPath,
    step: &Step,
    spec: &ObjectSpec,
    leaf: Option<&LeafFacts>,
) -> Result<Vec<(&'static str, SecretBytes)>, StepError> {
    let live = kube.get(kind, spec.namespace.as_deref(), &spec.name).await?.ok_or_else(|| lost(&step.addr))?;
    let mut data = live.data;
    let (Some(crt), Some(key)) = (data.remove("tls.crt"), data.remove("tls.key")) else { return Err(lost(&step.addr)) };
    let is_same = str::from_utf8(crt.expose_secret())
        .ok()
        .and_then(|crt| PublicPart::read_bundle(crt).ok())
        .is_some_and(|public| leaf.is_none_or(|leaf| public.leaf().leaf_sha256 == leaf.leaf_sha256));
    if is_same { Ok(vec![("tls.crt", crt), ("tls.key", key)]) } else { Err(lost(&step.addr)) }
}

/// The object in JSON: what the stack says, our marks, and a Secret's data. It is put together as text, so that no key passes through a
/// JSON value that isn't zeroed.
fn body(spec: &ObjectSpec, after: Option<&Attrs>, uid: Option<&str>, data: &[(&str, SecretBytes)]) -> SecretBytes {
    let mut object: Map<String, Value> = spec.body.as_object().cloned().unwrap_or_default();
    object.insert("apiVersion".into(), json!(spec.api_version));
    object.insert("kind".into(), json!(spec.kind));
    let metadata = object.entry("metadata").or_insert_with(|| json!({}));
    if let Value::Object(metadata) = metadata {
        metadata.insert("name".into(), json!(spec.name));
        if let Some(namespace) = &spec.namespace {
            metadata.insert("namespace".into(), json!(namespace));
        }
        if let Some(uid) = uid {
            // The server refuses when the object was made anew since it was looked at.
            metadata.insert("uid".into(), json!(uid));
        }
        for (path, attr) in after.into_iter().flatten().filter(|(path, _)| is_mark(path)) {
            let place = path.strip_prefix("metadata.").and_then(|rest| rest.split_once('.'));
            if let (Some((part, key)), Some(text)) = (place, attr.as_text())
                && let Value::Object(map) = metadata.entry(part).or_insert_with(|| json!({}))
            {
                map.insert(key.to_owned(), json!(text));
            }
        }
    }
    let mut text = Value::Object(object).to_string();
    if !data.is_empty() {
        text.pop();
        text.push_str(",\"data\":{");
        for (index, (key, value)) in data.iter().enumerate() {
            if index > 0 {
                text.push(',');
            }
            text.push_str(&json!(key).to_string());
            text.push_str(":\"");
            text.reserve(value.len() * 4 / 3 + 8);
            STANDARD.encode_string(value.expose_secret(), &mut text);
            text.push('"');
        }
        text.push_str("}}");
    }
    SecretBytes::from_text(text)
}

async fn remove(kube: &Kube, step: &Step) -> Result<Outcome, StepError> {
    let Addr::Kube { kind, namespace, name, .. } = &step.addr else { return Err(lost(&step.addr)) };
    let Some(uid) = step.id.clone() else { return Err(lost(&step.addr)) };
    let (addr, path, namespace) = (step.addr.clone(), kind_path(kind), namespace.as_deref());
    if step.action == Action::Release {
        let none = Attrs::new();
        let mut metadata = Map::new();
        metadata.insert("uid".into(), json!(uid));
        for (path, _) in step.before.iter().flatten().filter(|(path, _)| is_mark(path)) {
            if let Some((part, key)) = path.strip_prefix("metadata.").and_then(|rest| rest.split_once('.'))
                && let Value::Object(map) = metadata.entry(part).or_insert_with(|| json!({}))
            {
                let after = managed_after(step.before.as_ref().unwrap_or(&none)).filter(|_| key == LABEL_MANAGED_BY);
                map.insert(key.to_owned(), after.map_or(Value::Null, |manager| json!(manager)));
            }
        }
        match kube.merge(path, namespace, name, &json!({"metadata": metadata})).await {
            Err(error) if !error.is_not_found() => return Err(error.into()),
            _ => {}
        }
        return Ok(Outcome::done(vec![Event::Released { addr, id: uid }]));
    }
    match kube.delete(path, namespace, name, &uid).await? {
        None => Ok(Outcome::done(vec![Event::Deleted { addr, id: uid }])),
        Some(holds) => Ok(Outcome { wait: Some(Wait::Gone { addr, uid, holds }), ..Outcome::default() }),
    }
}
