//! Which of the mesh's steps wait for which: a restart for what its new proxy comes of, a batch for the one before it, and what is left of a
//! control plane for the pods that had its proxy.

use std::collections::BTreeSet;

use serde_json::{Map, Value};

use super::ProxyStep;
use super::control_planes::{ControlPlane, INJECTION, Injectors, REVISION, TAG, live, wanted};
use super::decide::is_restartable;
use super::look::choice;
use crate::addr::Addr;
use crate::graph::Graph;
use crate::observed::Observed;
use crate::plan::{Action, Point, Step};
use crate::resource::{Attrs, Spec};
use crate::stack::istio::Batch;
use crate::state::State;

/// Adds the edges. Gives back what waits in a circle because of them, if something does.
pub(in crate::plan) fn link(steps: &mut [Step], declared: &Graph, batches: &[Batch], prior: &State, observed: &Observed) -> Vec<Addr> {
    let groups = groups(steps, declared, batches);
    let mut edges: Vec<(usize, usize)> = Vec::new();
    for (number, group) in groups.iter().enumerate() {
        let before: Vec<usize> = groups[..number].iter().flatten().copied().collect();
        let place =
            if number < batches.len() { format!("; batch {} of {}", number + 1, batches.len()) } else { "; after all batches".to_owned() };
        for step in group {
            steps[*step].reason.push_str(&place);
        }
        edges.extend(group.iter().flat_map(|step| before.iter().map(|before| (*step, *before))));
    }
    edges.extend(of_moves(steps, declared));
    edges.extend(of_restarts(steps, declared));
    edges.extend(of_guards(steps, declared, prior, &live(&observed.resources)));
    if edges.is_empty() {
        return Vec::new();
    }
    for (step, before) in edges {
        steps[step].starts_after.push((before, Point::Ready));
    }
    for step in steps.iter_mut().filter(|step| !step.any_start) {
        step.starts_after.sort_unstable();
        step.starts_after.dedup();
    }
    in_a_circle(steps)
}

fn namespace_of(addr: &Addr) -> Option<&str> {
    match addr {
        Addr::Kube { namespace, .. } => namespace.as_deref(),
        Addr::Aws { .. } => None,
    }
}

/// The steps that move something, batch by batch, and at last those of namespaces that are in none.
fn groups(steps: &[Step], declared: &Graph, batches: &[Batch]) -> Vec<BTreeSet<usize>> {
    if batches.is_empty() {
        return Vec::new();
    }
    let mut groups = vec![BTreeSet::new(); batches.len() + 1];
    let batch_of = |namespace: &str| batches.iter().position(|batch| batch.has(namespace)).unwrap_or(batches.len());
    for (index, step) in steps.iter().enumerate().filter(|(_, step)| !step.action.is_removal()) {
        let group = match &step.addr {
            _ if matches!(step.proxies, Some(ProxyStep::NoneOf(_))) => None,
            Addr::Kube { namespace: None, name, .. } if step.addr == Addr::namespace(name) => chooses_anew(step).then(|| batch_of(name)),
            Addr::Kube { kind, .. } if kind == "mutatingwebhookconfiguration" => moved_tag(step, declared)
                .map(|tag| followers(tag, declared, batches).iter().map(|namespace| batch_of(namespace)).min().unwrap_or(batches.len())),
            Addr::Kube { namespace: Some(namespace), .. } if is_restartable(&step.addr) => {
                let is_waited_for = || steps.iter().any(|other| other.addr == step.addr && other.proxies.is_some());
                (step.action != Action::Create && (is_waited_for() || chooses_anew(step))).then(|| batch_of(namespace))
            }
            _ => None,
        };
        if let Some(group) = group {
            groups[group].insert(index);
        }
    }
    groups
}

/// Whether a step changes the labels that choose a control plane.
fn chooses_anew(step: &Step) -> bool {
    let is_choice = |path: &str| path.contains("metadata.labels") && (path.contains(REVISION) || path.contains(INJECTION));
    matches!(step.action, Action::Update | Action::Adopt) && step.changes.iter().any(|change| is_choice(&change.path))
}

/// The tag that a step gives to another control plane.
fn moved_tag<'a>(step: &Step, declared: &'a Graph) -> Option<&'a str> {
    let Spec::Manifest(spec) = &declared.get(&step.addr)?.spec else { return None };
    let tag = spec.object.body.get("metadata")?.get("labels")?.get(TAG)?.as_str();
    tag.filter(|_| chooses_anew(step))
}

/// The namespaces of batches that follow a tag, or whose gateways do.
fn followers<'a>(tag: &str, declared: &Graph, batches: &'a [Batch]) -> Vec<&'a str> {
    let chooses = |namespace: &str| {
        let chosen = choice(declared, namespace).unwrap_or_default();
        let text = |key: &str| chosen.get(key).and_then(Value::as_str);
        text(REVISION) == Some(tag) || (tag == "default" && text(INJECTION) == Some("enabled"))
    };
    let of_template = |namespace: &str| {
        declared.resources().any(|resource| {
            let Spec::Manifest(spec) = &resource.spec else { return false };
            let labels = spec.object.body.pointer("/spec/template/metadata/labels");
            spec.object.namespace.as_deref() == Some(namespace) && labels.and_then(|labels| labels.get(REVISION)?.as_str()) == Some(tag)
        })
    };
    let all = batches.iter().flat_map(|batch| &batch.namespaces).map(|(name, _)| name.as_str());
    all.filter(|namespace| chooses(namespace) || of_template(namespace)).collect()
}

/// A namespace chooses another control plane when that answers: before, its new pods would have no proxy, or not be made at all.
fn of_moves(steps: &[Step], declared: &Graph) -> Vec<(usize, usize)> {
    let (injectors, planes) = (Injectors::of(declared), wanted(declared));
    let none = Map::new();
    let mut edges = Vec::new();
    for (index, step) in steps.iter().enumerate().filter(|(_, step)| chooses_anew(step)) {
        let Addr::Kube { namespace: None, name, .. } = &step.addr else { continue };
        let Some(chosen) = choice(declared, name).filter(|_| step.addr == Addr::namespace(name)) else { continue };
        let Some(revision) = injectors.takes(name, &chosen, &none) else { continue };
        // What the control plane itself stands in comes before it.
        if planes.iter().any(|plane| plane.revision == revision && namespace_of(&plane.addr) == Some(name)) {
            continue;
        }
        edges.extend(answering(steps, &injectors, &planes, revision).map(|before| (index, before)));
    }
    edges
}

/// The steps after which a control plane puts its proxy into pods.
fn answering<'a>(
    steps: &'a [Step],
    injectors: &'a Injectors<'_>,
    planes: &'a [ControlPlane],
    revision: &'a str,
) -> impl Iterator<Item = usize> + 'a {
    let is_meant = move |step: &Step| {
        injectors.all().any(|(addr, of)| *addr == step.addr && of == revision)
            || planes.iter().any(|plane| plane.addr == step.addr && plane.revision == revision)
    };
    steps
        .iter()
        .enumerate()
        .filter(move |(_, step)| !step.action.is_removal() && step.proxies.is_none() && is_meant(step))
        .map(|(index, _)| index)
}

/// A restart comes after all that its new proxy comes of: the control plane, its webhooks, the namespace's choice, and its own change.
fn of_restarts(steps: &[Step], declared: &Graph) -> Vec<(usize, usize)> {
    let (injectors, planes) = (Injectors::of(declared), wanted(declared));
    let mut edges = Vec::new();
    for (index, step) in steps.iter().enumerate() {
        let Some(ProxyStep::Of(revision)) = &step.proxies else { continue };
        edges.extend(answering(steps, &injectors, &planes, revision).map(|before| (index, before)));
        let own = namespace_of(&step.addr).map(Addr::namespace);
        let is_before = |other: &Step| own.as_ref() == Some(&other.addr) || other.addr == step.addr;
        let before =
            steps.iter().enumerate().filter(|(_, other)| !other.action.is_removal() && other.proxies.is_none() && is_before(other));
        edges.extend(before.map(|(before, _)| (index, before)));
    }
    edges
}

/// What a control plane leaves behind goes after the look whether its proxy is still in use, and that comes after all that moves pods.
fn of_guards(steps: &[Step], declared: &Graph, prior: &State, running: &[ControlPlane]) -> Vec<(usize, usize)> {
    let mut edges = Vec::new();
    for (guard, step) in steps.iter().enumerate().filter(|(_, step)| matches!(step.proxies, Some(ProxyStep::NoneOf(_)))) {
        let Some(plane) = running.iter().find(|plane| plane.addr == step.addr) else { continue };
        let none = Attrs::new();
        for (index, other) in steps.iter().enumerate() {
            if other.action.is_removal() {
                if plane.owns(&other.addr, other.before.as_ref().unwrap_or(&none), prior) || other.addr == plane.addr {
                    edges.push((index, guard));
                }
            } else if !matches!(other.proxies, Some(ProxyStep::NoneOf(_))) && moves_pods(other, declared) {
                edges.push((guard, index));
            }
        }
    }
    edges
}

/// Whether a step has to do with which proxy pods have.
fn moves_pods(step: &Step, declared: &Graph) -> bool {
    let is_namespace = matches!(&step.addr, Addr::Kube { namespace: None, name, .. } if step.addr == Addr::namespace(name));
    let of_istio = declared.get(&step.addr).is_some_and(|resource| {
        matches!(&resource.spec, Spec::Manifest(spec) if spec.release.as_ref().is_some_and(|section| section.starts_with("istio.")))
    });
    is_namespace || of_istio || is_restartable(&step.addr)
}

/// The steps that wait for one another for ever.
fn in_a_circle(steps: &[Step]) -> Vec<Addr> {
    let (mut created, mut ready) = (vec![false; steps.len()], vec![false; steps.len()]);
    loop {
        let mut has_moved = false;
        for (index, step) in steps.iter().enumerate() {
            let reached = |(other, point): &(usize, Point)| if *point == Point::Created { created[*other] } else { ready[*other] };
            let is_any = step.any_start && !step.starts_after.is_empty();
            let starts = if is_any { step.starts_after.iter().any(reached) } else { step.starts_after.iter().all(reached) };
            let (now_created, now_ready) = (created[index] || starts, ready[index] || (starts && step.ready_after.iter().all(reached)));
            has_moved |= (now_created, now_ready) != (created[index], ready[index]);
            (created[index], ready[index]) = (now_created, now_ready);
        }
        if !has_moved {
            let left: BTreeSet<Addr> = steps.iter().zip(&ready).filter(|(_, ready)| !**ready).map(|(step, _)| step.addr.clone()).collect();
            return left.into_iter().collect();
        }
    }
}
