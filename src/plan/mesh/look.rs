//! Whether it matters which pods run which proxy: else nobody is asked.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Map, Value};

use super::control_planes::{INJECTION, Injectors, REVISION, live, wanted};
use crate::addr::Addr;
use crate::graph::Graph;
use crate::observed::{Found, Owner};
use crate::resource::{Attr, Spec};
use crate::secret::sha256_hex;
use crate::stack::istio::Batch;
use crate::state::State;

/// How pods are to be looked at.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Look {
    /// Not at all.
    #[default]
    None,
    /// By their metadata.
    Metadata,
    /// Whole, with the versions of their proxies.
    Whole,
}

/// What the look rests on.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Mesh<'a> {
    /// The whole stack.
    pub(crate) declared: &'a Graph,
    /// The batches that it declares.
    pub(crate) batches: &'a [Batch],
    /// Whether something is to be removed that isn't the whole stack.
    pub(crate) is_partial_destroy: bool,
}

impl Mesh<'_> {
    /// Whether the stack has a control plane.
    pub(crate) fn has_control_planes(&self) -> bool {
        !wanted(self.declared).is_empty()
    }
}

/// How pods are to be looked at: when a control plane comes, goes or changes its version, when a namespace, a tag or a gateway moves, and when
/// the state doesn't know that the batches which are restarted are through.
pub(crate) fn look(mesh: Mesh<'_>, found: &BTreeMap<Addr, Found>, prior: &State) -> Look {
    let running = live(found);
    if running.is_empty() {
        return Look::None;
    }
    if mesh.is_partial_destroy {
        return Look::Metadata;
    }
    let wanted = wanted(mesh.declared);
    let at = |addr: &Addr| running.iter().find(|one| one.addr == *addr);
    let is_other_version = |addr: &Addr, version| at(addr).is_some_and(|one| one.version != version);
    if wanted.iter().any(|one| is_other_version(&one.addr, one.version)) {
        return Look::Whole;
    }
    let comes = wanted.iter().any(|one| at(&one.addr).is_none());
    let goes = running.iter().any(|one| !mesh.declared.contains(&one.addr));
    let is_settled = digest(mesh.declared, mesh.batches).is_none_or(|digest| prior.settled.as_ref() == Some(&digest));
    if comes || goes || !is_settled || mesh.declared.resources().any(|resource| moves(resource, found)) {
        return Look::Metadata;
    }
    Look::None
}

/// Whether what a namespace, a tag's webhook or a gateway's pods choose is another control plane than now.
fn moves(resource: &crate::resource::Resource, found: &BTreeMap<Addr, Found>) -> bool {
    let (body, kind) = match &resource.spec {
        Spec::Object(spec) => (&spec.body, spec.kind.as_str()),
        Spec::Manifest(spec) => (&spec.object.body, spec.object.kind.as_str()),
        _ => return false,
    };
    let (place, keys): (&str, &[&str]) = match kind {
        "Namespace" => ("/metadata/labels", &[REVISION, INJECTION]),
        "MutatingWebhookConfiguration" => ("/metadata/labels", &[REVISION]),
        "Deployment" | "StatefulSet" | "DaemonSet" => ("/spec/template/metadata/labels", &[REVISION]),
        _ => return false,
    };
    let Some(found) = found.get(&resource.addr).filter(|found| matches!(found.owner, Owner::Us { .. })) else { return false };
    let wanted = body.pointer(place);
    let path = place.trim_start_matches('/').replace('/', ".");
    keys.iter().any(|key| {
        let now = found.attrs.get(&format!("{path}.{key}")).and_then(Attr::as_text);
        now != wanted.and_then(|labels| labels.get(key)?.as_str())
    })
}

/// What tells the moves of the batches that are restarted: what their namespaces choose, and what that stands for. Nothing without such batches.
pub(super) fn digest(declared: &Graph, batches: &[Batch]) -> Option<String> {
    let namespaces: BTreeSet<&str> =
        batches.iter().filter(|batch| batch.restart).flat_map(|batch| &batch.namespaces).map(|(name, _)| name.as_str()).collect();
    if namespaces.is_empty() {
        return None;
    }
    let chosen: Vec<_> = namespaces.into_iter().map(|name| (name, choice(declared, name))).collect();
    let injectors: Vec<_> = Injectors::of(declared).all().map(|(addr, revision)| (addr.to_string(), revision.to_owned())).collect();
    let of_gateways: Vec<_> =
        declared.resources().filter_map(|resource| Some((resource.addr.to_string(), template_revision(&resource.spec)?))).collect();
    Some(sha256_hex(format!("{chosen:?} {injectors:?} {of_gateways:?}").as_bytes())[..32].to_owned())
}

fn template_revision(spec: &Spec) -> Option<String> {
    let Spec::Manifest(spec) = spec else { return None };
    Some(spec.object.body.pointer("/spec/template/metadata/labels")?.get(REVISION)?.as_str()?.to_owned())
}

/// The labels by which a namespace of the stack chooses its control plane.
pub(super) fn choice(declared: &Graph, namespace: &str) -> Option<Map<String, Value>> {
    let body = match &declared.get(&Addr::namespace(namespace))?.spec {
        Spec::Object(spec) => &spec.body,
        Spec::Manifest(spec) => &spec.object.body,
        _ => return None,
    };
    let labels = body.pointer("/metadata/labels").and_then(Value::as_object).cloned().unwrap_or_default();
    Some(labels.into_iter().filter(|(key, _)| key == REVISION || key == INJECTION).collect())
}
