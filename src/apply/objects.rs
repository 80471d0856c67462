//! Steps of Kubernetes objects: one server-side apply each.

use std::sync::Arc;

use serde_json::{Map, Value, json};

use super::StepError;
use super::engine::{Engine, Finished, Outcome, SharedMaterial, lost};
use super::wait::Wait;
use crate::addr::Addr;
use crate::event::{Event, Origin};
use crate::material::PublicPart;
use crate::plan::marks::{is_mark, managed_after};
use crate::plan::{Action, Step};
use crate::provider::kube::{ApplyMode, KindPath, Kube, Live, body};
use crate::resource::certificate::LeafFacts;
use crate::resource::manifest::HELM;
use crate::resource::object::{ObjectSpec, tls_data_attrs};
use crate::resource::{ANNOTATION_ADOPTED, ANNOTATION_LINEAGE, Attr, Attrs, LABEL_MANAGED_BY, Spec};
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
        self.spawn(Box::pin(async move {
            let result = write(&kube, &step, &spec, material, leaf, is_forced, needs).await;
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
    is_forced: bool,
    needs: Vec<Addr>,
) -> Result<Outcome, StepError> {
    let kind = KindPath::of(spec);
    let (namespace, name) = (spec.namespace.as_deref(), spec.name.as_str());
    let mut uid = step.id.clone().filter(|_| step.action != Action::Replace);
    let mut data: Vec<(&str, Arc<SecretBytes>)> = Vec::new();
    if step.action == Action::Create
        && let Some(live) = kube.get(&kind, namespace, name).await?
    {
        uid = Some(refuse_foreign(step, &live)?);
    }
    if let Some(wait) = make_room(kube, &kind, namespace, name, step).await? {
        return Ok(wait);
    }
    if let Some(certificate) = &spec.certificate {
        data = match &material {
            Some(material) => {
                let key = material.key().expose_pem();
                let key =
                    key.map_err(|reason| StepError::Material { certificate: certificate.clone(), reason: std::rc::Rc::new(reason) })?;
                vec![("tls.crt", Arc::new(SecretBytes::new(material.tls_crt().as_bytes().to_vec()))), ("tls.key", Arc::new(key))]
            }
            None => live_data(kube, &kind, step, spec, leaf.as_ref()).await?,
        };
    }
    let whole = body(spec, &spec.body, &step.marks(), uid.as_deref(), data.iter().map(|(key, value)| (*key, &**value)));
    let live = kube.apply(&kind, spec, &whole, ApplyMode { force: is_forced, dry_run: false }).await?.live;
    let live = if is_adopted(step) { kube.take_from_tools(&kind, namespace, name, live).await? } else { live };
    let mut events = Vec::new();
    if matches!(step.action, Action::Create | Action::Replace | Action::Adopt) {
        let origin = if step.action == Action::Adopt { Origin::Adopted } else { Origin::Created };
        events.push(Event::Created { addr: step.addr.clone(), id: live.uid().to_owned(), generation: 1, origin, needs });
    }
    events.push(Event::Applied { addr: step.addr.clone(), attrs: step.after.clone().unwrap_or_default() });
    Ok(Outcome::done(events))
}

/// Whether it was there before meshform.
pub(super) fn is_adopted(step: &Step) -> bool {
    let mark = format!("metadata.annotations.{ANNOTATION_ADOPTED}");
    step.action == Action::Adopt || step.after.as_ref().is_some_and(|attrs| attrs.contains_key(&mark))
}

/// What has the name of an object that is to be made: a server-side apply would merge into it. It must be ours, from a request whose answer
/// was lost; then its uid is told.
pub(super) fn refuse_foreign(step: &Step, live: &Live) -> Result<String, StepError> {
    let lineage = step.after.as_ref().and_then(|attrs| attrs.get(&format!("metadata.annotations.{ANNOTATION_LINEAGE}")));
    let is_ours = lineage.and_then(Attr::as_text).is_some_and(|lineage| live.annotation(ANNOTATION_LINEAGE) == Some(lineage));
    if is_ours {
        return Ok(live.uid().to_owned());
    }
    Err(StepError::Changed(format!("`{}` appeared since the plan was made, and belongs to {}", step.addr, live.maker())))
}

/// Deletes an object that another one is to replace. As long as something holds it, that is waited for, and the step begins again.
pub(super) async fn make_room(
    kube: &Kube,
    kind: &KindPath,
    namespace: Option<&str>,
    name: &str,
    step: &Step,
) -> Result<Option<Outcome>, StepError> {
    let (Action::Replace, Some(old)) = (step.action, &step.id) else { return Ok(None) };
    // It may be gone already, and be there anew: from a request whose answer was lost, or by someone else.
    match kube.get(kind, namespace, name).await? {
        Some(live) if live.uid() != old => {
            refuse_foreign(step, &live)?;
            return Ok(None);
        }
        None => return Ok(None),
        Some(_) => {}
    }
    let holds = kube.delete(kind, namespace, name, old).await?;
    let wait = holds.map(|holds| Wait::Gone { addr: step.addr.clone(), path: kind.clone(), uid: old.clone(), holds });
    Ok(wait.map(|wait| Outcome { wait: Some(wait), ..Outcome::default() }))
}

/// The data that is there: sent again when only labels change, as a server-side apply without it would remove it.
async fn live_data(
    kube: &Kube,
    kind: &KindPath,
    step: &Step,
    spec: &ObjectSpec,
    leaf: Option<&LeafFacts>,
) -> Result<Vec<(&'static str, Arc<SecretBytes>)>, StepError> {
    let live = kube.get(kind, spec.namespace.as_deref(), &spec.name).await?.ok_or_else(|| lost(&step.addr))?;
    let mut data = live.data;
    let (Some(crt), Some(key)) = (data.remove("tls.crt"), data.remove("tls.key")) else { return Err(lost(&step.addr)) };
    let is_same = str::from_utf8(crt.expose_secret())
        .ok()
        .and_then(|crt| PublicPart::read_bundle(crt).ok())
        .is_some_and(|public| leaf.is_none_or(|leaf| public.leaf().leaf_sha256 == leaf.leaf_sha256));
    if is_same { Ok(vec![("tls.crt", crt), ("tls.key", key)]) } else { Err(lost(&step.addr)) }
}

pub(super) async fn remove(kube: &Kube, step: &Step) -> Result<Outcome, StepError> {
    let Addr::Kube { namespace, name, .. } = &step.addr else { return Err(lost(&step.addr)) };
    let Some(uid) = step.id.clone() else { return Err(lost(&step.addr)) };
    let (addr, namespace) = (step.addr.clone(), namespace.as_deref());
    let gone = |release: bool| {
        if release {
            Event::Released { addr: addr.clone(), id: uid.clone() }
        } else {
            Event::Deleted { addr: addr.clone(), id: uid.clone() }
        }
    };
    let Some(path) = &kube.path_of(&addr).await? else {
        // Its kind went with its definition, and it with its kind.
        return Ok(Outcome::done(vec![gone(step.action == Action::Release)]));
    };
    if step.action == Action::Release {
        let none = Attrs::new();
        let mut metadata = Map::new();
        metadata.insert("uid".into(), json!(uid));
        for (path, was) in step.before.iter().flatten().filter(|(path, _)| is_mark(path)) {
            // What was made for Helm to take over keeps saying that it is Helm's.
            if path.ends_with(LABEL_MANAGED_BY) && was.as_text() == Some(HELM) {
                continue;
            }
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
        return Ok(Outcome::done(vec![gone(true)]));
    }
    match kube.delete(path, namespace, name, &uid).await? {
        None => Ok(Outcome::done(vec![gone(false)])),
        Some(holds) => Ok(Outcome { wait: Some(Wait::Gone { addr, path: path.clone(), uid, holds }), ..Outcome::default() }),
    }
}
