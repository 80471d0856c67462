//! The order within and among releases: the pods of one are made when its own definitions and the definitions and workloads of those before it are
//! ready, and its webhooks when its own workloads are. What has no pods needs no more than its own references.

use std::collections::{BTreeMap, BTreeSet};

use super::references::pod_of;
use crate::addr::Addr;
use crate::resource::{Milestone, Resource, Spec};
use crate::stack::charts::Release;

/// What later releases wait for.
const GATES: &[&str] = &["CustomResourceDefinition", "Deployment", "DaemonSet", "StatefulSet"];
/// What answers for a release.
const WORKLOADS: &[&str] = &["Deployment", "DaemonSet", "StatefulSet"];

/// Adds the edges. `sets` are the sections of the resources, one for each.
pub(super) fn order(releases: &[Release], sets: &[String], resources: &mut [Resource]) {
    let mut gates: BTreeMap<&str, BTreeSet<Addr>> = BTreeMap::new();
    for (set, resource) in sets.iter().zip(resources.iter()) {
        if is_of(resource, GATES) {
            gates.entry(set).or_default().insert(resource.addr.clone());
        }
    }
    let after: BTreeMap<&str, BTreeSet<Addr>> = releases
        .iter()
        .map(|release| {
            let before = release.after.iter().filter_map(|section| gates.get(section.as_str()));
            (release.section.as_str(), before.flatten().cloned().collect())
        })
        .collect();
    let mut definitions: BTreeMap<&str, BTreeSet<Addr>> = BTreeMap::new();
    for (set, resource) in sets.iter().zip(resources.iter()) {
        // One that its own pods convert can't wait for them to wait for it.
        if is_of(resource, &["CustomResourceDefinition"]) && !is_converted(resource) {
            definitions.entry(set).or_default().insert(resource.addr.clone());
        }
    }
    let sections: BTreeSet<&str> = releases.iter().map(|release| release.section.as_str()).collect();
    let mut workloads: BTreeMap<&str, BTreeSet<Addr>> = BTreeMap::new();
    for (set, resource) in sets.iter().zip(resources.iter()) {
        if is_of(resource, WORKLOADS) && sections.contains(set.as_str()) {
            workloads.entry(set).or_default().insert(resource.addr.clone());
        }
    }
    for (set, resource) in sets.iter().zip(resources.iter_mut()) {
        if let Some(own) = workloads.get(set.as_str()).filter(|_| is_by_url(resource)) {
            resource.needs.extend(own.iter().map(|addr| (addr.clone(), Milestone::Ready)));
        }
        let has_pods = matches!(&resource.spec, Spec::Manifest(spec) if pod_of(&spec.object.kind, &spec.object.body).is_some());
        let Some(before) = after.get(set.as_str()).filter(|_| has_pods) else { continue };
        let mut needs: BTreeMap<Addr, Milestone> = resource.needs.drain(..).collect();
        let own = definitions.get(set.as_str()).into_iter().flatten();
        needs.extend(before.iter().chain(own).filter(|addr| **addr != resource.addr).map(|addr| (addr.clone(), Milestone::Ready)));
        resource.needs = needs.into_iter().collect();
    }
}

fn is_of(resource: &Resource, kinds: &[&str]) -> bool {
    matches!(&resource.spec, Spec::Manifest(spec) if kinds.contains(&spec.object.kind.as_str()))
}

/// Whether a webhook converts a definition's objects.
fn is_converted(resource: &Resource) -> bool {
    matches!(&resource.spec, Spec::Manifest(spec) if spec.object.body.pointer("/spec/conversion/webhook").is_some())
}

/// Whether it is a webhook that names an address, and so doesn't say which workloads answer.
fn is_by_url(resource: &Resource) -> bool {
    let Spec::Manifest(spec) = &resource.spec else { return false };
    let webhooks = spec.object.body.get("webhooks").and_then(serde_json::Value::as_array);
    spec.object.kind.ends_with("WebhookConfiguration")
        && webhooks.into_iter().flatten().any(|one| one.pointer("/clientConfig/url").is_some())
}
