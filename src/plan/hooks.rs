//! Hooks of charts as steps of their release's change (Helm documentation, "Chart Hooks"): they run when something of the release is made or
//! changed, those before it by ascending weight, then the release's own objects, then those after it. A plan without a change has none.

use std::collections::BTreeMap;

use super::decide::Planner;
use super::{Action, Point, Step};
use crate::addr::Addr;
use crate::graph::Graph;
use crate::observed::Owner;
use crate::resource::manifest::{Hook, ManifestSpec};
use crate::resource::{Resource, Spec};

impl Planner<'_> {
    /// Adds the hooks of the releases that change.
    pub(super) fn decide_hooks(&mut self) {
        if self.policy.destroy || self.policy.rotate || self.policy.exactly {
            return;
        }
        let mut changes: BTreeMap<&str, bool> = BTreeMap::new();
        for (resource, spec) in manifests(self.desired).filter(|(_, spec)| spec.hook.is_none()) {
            let Some(release) = &spec.release else { continue };
            let step = self.steps.iter().find(|step| step.addr == resource.addr && step.counts && step.action != Action::Read);
            // Of what is there without a change the release was installed before; of what is made alone it is.
            let is_new = step.is_some_and(|step| step.action == Action::Create);
            let is_there = self.observed.resources.contains_key(&resource.addr);
            if step.is_some() || is_there {
                let is_install = changes.entry(release).or_insert(true);
                *is_install &= is_new;
            }
        }
        let changed = |release: &str| {
            let of_release = manifests(self.desired).filter(|(_, spec)| spec.hook.is_none() && spec.release.as_deref() == Some(release));
            let addrs: Vec<&Addr> = of_release.map(|(resource, _)| &resource.addr).collect();
            self.steps.iter().any(|step| step.counts && step.action != Action::Read && addrs.contains(&&step.addr))
        };
        let mut runs: Vec<(&Resource, &Hook, &str, String)> = Vec::new();
        for (resource, spec) in manifests(self.desired) {
            let (Some(hook), Some(release)) = (&spec.hook, &spec.release) else { continue };
            let Some(is_install) = changes.get(release.as_str()).filter(|_| changed(release)) else { continue };
            let moment = if *is_install { "install" } else { "upgrade" };
            for event in hook.events.iter().filter(|event| event.split_once('-').is_some_and(|(_, of)| of == moment)) {
                runs.push((resource, hook, release, event.clone()));
            }
        }
        for (resource, hook, release, event) in runs {
            self.run_hook(resource, hook, release, &event);
        }
    }

    fn run_hook(&mut self, resource: &Resource, hook: &Hook, release: &str, event: &str) {
        let addr = &resource.addr;
        if self.steps.iter().any(|step| step.addr == *addr) {
            return;
        }
        let found = self.observed.resources.get(addr);
        if let Some(Owner::Other(owner)) = found.map(|found| &found.owner) {
            let reason = format!("the hook `{addr}` of `{release}` has the name of what belongs to {owner}");
            self.refuse(Some(resource), "plan/foreign", reason, "delete it, or give the release another name");
            return;
        }
        let action = if found.is_some() { Action::Replace } else { Action::Create };
        self.step(resource, action, &format!("hook {event} of `{release}`"), found, Vec::new());
        if hook.delete_policies.iter().any(|policy| policy == "hook-succeeded") {
            let Some(made) = self.steps.last().cloned() else { return };
            let reason = format!("hook {event} of `{release}` goes when it has succeeded");
            let gone = Step { action: Action::Delete, reason, id: None, before: None, after: None, changes: Vec::new(), ..made };
            self.steps.push(gone);
        }
    }
}

fn manifests(graph: &Graph) -> impl Iterator<Item = (&Resource, &ManifestSpec)> {
    graph.resources().filter_map(|resource| match &resource.spec {
        Spec::Manifest(spec) => Some((resource, &**spec)),
        _ => None,
    })
}

/// Puts the hooks before and after what their release changes.
pub(super) fn link(steps: &mut [Step], desired: &Graph) {
    let of = |step: &Step| match desired.get(&step.addr).map(|resource| &resource.spec) {
        Some(Spec::Manifest(spec)) => spec.release.clone().map(|release| (release, spec.hook.clone())),
        _ => None,
    };
    let all: Vec<Option<(String, Option<Hook>)>> = steps.iter().map(of).collect();
    let is_before = |index: usize, hook: &Hook| {
        let reason = steps[index].reason.as_str();
        hook.events.iter().any(|event| event.starts_with("pre-") && reason.starts_with(&format!("hook {event} ")))
    };
    let mut added: Vec<(usize, Vec<(usize, Point)>)> = Vec::new();
    for (index, own) in all.iter().enumerate() {
        let Some((release, own)) = own else { continue };
        let mates = || {
            let same = all.iter().enumerate().filter(|(other, of)| *other != index && of.as_ref().is_some_and(|(of, _)| of == release));
            same.filter_map(|(other, of)| Some((other, of.as_ref()?.1.as_ref())))
        };
        let mut after = Vec::new();
        match own {
            // A hook's own removal waits for what it did.
            Some(_) if steps[index].action.is_removal() => {
                let made = (0..steps.len()).find(|other| *other != index && steps[*other].addr == steps[index].addr);
                after.extend(made.map(|made| (made, Point::Ready)));
            }
            Some(hook) => {
                let before = is_before(index, hook);
                for (other, of) in mates().filter(|(other, _)| !steps[*other].action.is_removal()) {
                    match of {
                        Some(of)
                            if is_before(other, of) == before && (of.weight, &steps[other].addr) < (hook.weight, &steps[index].addr) =>
                        {
                            after.push((other, Point::Ready));
                        }
                        None if !before => after.push((other, Point::Ready)),
                        _ => {}
                    }
                }
            }
            None if !steps[index].action.is_removal() => {
                let hooks = mates().filter(|(other, of)| of.is_some_and(|of| is_before(*other, of)) && !steps[*other].action.is_removal());
                after.extend(hooks.map(|(other, _)| (other, Point::Ready)));
            }
            None => {}
        }
        added.push((index, after));
    }
    for (index, after) in added {
        steps[index].starts_after.extend(after);
    }
}
