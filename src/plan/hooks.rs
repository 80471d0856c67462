//! Hooks of charts as steps of their release's change (Helm documentation, "Chart Hooks"): they run when something of the release is made or
//! changed, those before it by ascending weight, then the release's own objects, then those after it. A plan without a change has none. Those of a
//! deletion run when the stack is destroyed, and nothing of them stays.

use std::collections::{BTreeMap, BTreeSet};

use super::decide::Planner;
use super::{Action, Point, Step};
use crate::addr::Addr;
use crate::event::Event;
use crate::graph::Graph;
use crate::observed::Owner;
use crate::resource::manifest::{Hook, ManifestSpec, RELEASE};
use crate::resource::{Attr, Resource, Spec};
use crate::state::State;

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

    /// Adds the hooks of the releases that go, as far as they are known.
    pub(super) fn decide_delete_hooks(&mut self) {
        if !self.policy.destroy || self.policy.exactly || self.policy.is_partial() {
            return;
        }
        let deletions = self.steps.iter().filter(|step| step.action == Action::Delete && !step.is_deposed);
        let going: BTreeSet<String> = deletions.filter_map(|step| release_of(&step.addr, self.prior)).collect();
        let hooks: Vec<(&Resource, &ManifestSpec)> = manifests(self.desired).collect();
        for (resource, spec) in hooks {
            let (Some(hook), Some(release)) = (&spec.hook, &spec.release) else { continue };
            // One that an earlier run had before it runs when nothing else of its release is left.
            let is_due = going.contains(release) || self.prior.pending_hooks().any(|(addr, _)| *addr == resource.addr);
            let Some(event) = hook.events.iter().find(|event| event.ends_with("-delete")).filter(|_| is_due) else {
                if let Some(found) = self.observed.resources.get(&resource.addr).filter(|found| matches!(found.owner, Owner::Us { .. })) {
                    self.decide_removal(&resource.addr, found);
                }
                continue;
            };
            let before = self.steps.len();
            self.run_hook(resource, hook, release, event);
            if self.steps.len() == before + 1 {
                let Some(made) = self.steps.last().cloned() else { return };
                let reason = format!("hook {event} of `{release}` goes with it");
                self.steps.push(Step { action: Action::Delete, reason, id: None, before: None, after: None, changes: Vec::new(), ..made });
            }
        }
    }

    /// What the state learns before a destroy begins: which hooks it has before it; and which it can't run any more.
    pub(super) fn begun_hooks(&self) -> Vec<Event> {
        if self.policy.rotate {
            return Vec::new();
        }
        let is_run = |addr: &Addr| self.policy.destroy && self.steps.iter().any(|step| step.addr == *addr && !step.action.is_removal());
        let due = manifests(self.desired).filter(|(resource, spec)| spec.hook.is_some() && is_run(&resource.addr));
        let due: BTreeMap<&Addr, String> = due.filter_map(|(resource, spec)| Some((&resource.addr, spec.release.clone()?))).collect();
        let pending: BTreeSet<&Addr> = self.prior.pending_hooks().map(|(addr, _)| addr).collect();
        let over = pending.iter().filter(|addr| !due.contains_key(*addr)).map(|addr| Event::Abandoned { addr: (*addr).clone() });
        let begun = due.iter().filter(|(addr, _)| !pending.contains(*addr));
        let begun =
            begun.map(|(addr, release)| Event::Started { addr: (*addr).clone(), generation: 1, attempt: 1, token: release.clone() });
        over.chain(begun).collect()
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

/// The release that what is there belongs to.
fn release_of(addr: &Addr, prior: &State) -> Option<String> {
    prior.current(addr)?.attrs.get(RELEASE).and_then(Attr::as_text).map(ToOwned::to_owned)
}

/// Puts the hooks before and after what their release changes.
pub(super) fn link(steps: &mut [Step], desired: &Graph, prior: &State) {
    let of = |step: &Step| match desired.get(&step.addr).map(|resource| &resource.spec) {
        Some(Spec::Manifest(spec)) => spec.release.clone().map(|release| (release, spec.hook.clone())),
        _ => release_of(&step.addr, prior).map(|release| (release, None)),
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
            // A hook's own removal waits for what it did, and for the others of its moment, which may need it.
            Some(hook) if steps[index].action.is_removal() => {
                let made = |other: &usize| *other != index && !steps[*other].action.is_removal();
                after.extend(
                    (0..steps.len()).filter(made).filter(|other| steps[*other].addr == steps[index].addr).map(|made| (made, Point::Ready)),
                );
                let before = is_before(index, hook);
                let others = mates().filter(|(other, of)| made(other) && of.is_some_and(|of| is_before(*other, of) == before));
                after.extend(others.map(|(other, _)| (other, Point::Ready)));
            }
            Some(hook) => {
                let before = is_before(index, hook);
                let is_of_deletion = steps[index].reason.contains("-delete of ");
                for (other, of) in mates() {
                    let is_removal = steps[other].action.is_removal();
                    if is_removal {
                        // What runs after a deletion runs when all of the release is gone.
                        after.extend((is_of_deletion && !before && of.is_none()).then_some((other, Point::Gone)));
                        continue;
                    }
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
            // Among what goes only hooks of a deletion are waited for.
            None => {
                let is_removal = steps[index].action.is_removal();
                let is_run =
                    |other: usize| !steps[other].action.is_removal() && (!is_removal || steps[other].reason.contains("-delete of "));
                let hooks = mates().filter(|(other, of)| of.is_some_and(|of| is_before(*other, of)) && is_run(*other));
                after.extend(hooks.map(|(other, _)| (other, Point::Ready)));
            }
        }
        added.push((index, after));
    }
    for (index, after) in added {
        steps[index].starts_after.extend(after);
    }
}
