//! Decisions about the objects of manifests: the server has said what becomes of them.

use super::decide::{Planner, describe, origin_of, update_reason};
use super::{Action, Change, Drift};
use crate::addr::Addr;
use crate::event::Origin;
use crate::fields::{Difference, FieldPath};
use crate::observed::{Found, Outcome};
use crate::resource::hole::{Hole, Output};
use crate::resource::manifest::{ANNOTATION_PROTECT, FIELDS, ManifestSpec, SENT};
use crate::resource::object::flatten;
use crate::resource::{Attr, Attrs, Resource};
use crate::state::Instance;

impl Planner<'_> {
    /// Refuses what the cluster can't take; says whether it did.
    pub(super) fn refuse_manifest(&mut self, resource: &Resource, spec: &ManifestSpec) -> bool {
        let Some(forecast) = self.observed.forecasts.get(&resource.addr) else { return false };
        let (kind, version) = (&spec.object.kind, &spec.object.api_version);
        let (code, reason, help) = match &forecast.outcome {
            Outcome::Unserved => {
                let reason = format!("`{}` is of a kind that the cluster doesn't serve: {kind} of {version}", resource.addr);
                let help = "check `apiVersion` and `kind`; install the CustomResourceDefinition first, or add it to `manifests`";
                ("plan/no-kind", reason, help)
            }
            Outcome::OtherScope { namespaced: true } => {
                let reason = format!("`{}` names no namespace, and objects of kind {kind} are in namespaces", resource.addr);
                ("plan/scope", reason, "add `metadata.namespace`, or `namespace:` to its set")
            }
            Outcome::OtherScope { namespaced: false } => {
                let reason = format!("`{}` names a namespace, and objects of kind {kind} are not in namespaces", resource.addr);
                ("plan/scope", reason, "remove `metadata.namespace`, and move it to a set without `namespace:`")
            }
            Outcome::Refused { says } => {
                let reason = format!("the API server would refuse `{}`: {says}", resource.addr);
                ("plan/invalid", reason, "correct the manifest; nothing was changed")
            }
            _ => return false,
        };
        self.refuse(Some(resource), code, reason, help);
        true
    }

    /// The changes that the forecast tells.
    pub(super) fn manifest_changes(&self, spec: &ManifestSpec, addr: &Addr) -> Vec<Change> {
        let mut changes: Vec<Change> = self.told(addr).iter().map(|difference| change(difference, spec.is_secret())).collect();
        for (hole, source) in self.open_holes(spec) {
            let path = hole.path.to_string();
            let after = Some(Attr::Unknown(source.clone()));
            if let Some(change) = changes.iter_mut().find(|change| change.path == path) {
                change.after = after;
                continue;
            }
            let live = self.observed.resources.get(addr).and_then(|found| found.attrs.get(&hole.path.dotted()));
            changes.push(Change { path, before: live.cloned(), after, manager: None, replaces: false });
        }
        changes
    }

    /// The holes that hold an output which isn't known now, or won't stay as it is, each with the resource that will tell it.
    pub(super) fn open_holes<'s>(&self, spec: &'s ManifestSpec) -> Vec<(&'s Hole, &'s Addr)> {
        let is_open = |(addr, output): &(&Addr, Output)| match output {
            Output::Hostname => self.moving.contains(*addr) || !self.observed.hostnames.contains_key(*addr),
            Output::Certificate(output) => super::wanted::output_value(addr, *output, self.desired, self.observed, &self.leaves).is_none(),
        };
        spec.holes.iter().filter_map(|hole| Some((hole, hole.sources().find(is_open)?.0))).collect()
    }

    fn told(&self, addr: &Addr) -> &[Difference] {
        match self.observed.forecasts.get(addr).map(|forecast| &forecast.outcome) {
            Some(Outcome::Tried { differences, .. } | Outcome::Untried { differences, .. } | Outcome::Immutable { differences, .. }) => {
                differences
            }
            _ => &[],
        }
    }

    /// The attributes that an object will have: as the server tells, or else as the stack says.
    pub(super) fn forecast_attrs(&self, spec: &ManifestSpec, addr: &Addr) -> Attrs {
        if let Some(Outcome::Tried { attrs, .. }) = self.observed.forecasts.get(addr).map(|forecast| &forecast.outcome) {
            return attrs.clone();
        }
        let mut attrs = flatten(&spec.object.body);
        attrs.extend(spec.data.iter().map(|(key, value)| (format!("data.{key}"), Attr::Secret(value.fingerprint()))));
        attrs
    }

    /// An object of ours that is there, and no replacement was asked for.
    pub(super) fn decide_manifest(&mut self, resource: &Resource, spec: &ManifestSpec, found: &Found, known: Option<&Instance>) {
        let addr = &resource.addr;
        let Some(forecast) = self.observed.forecasts.get(addr) else {
            self.unchanged += 1;
            return;
        };
        if let Outcome::Untried { why, differences } = &forecast.outcome
            && !differences.is_empty()
        {
            self.notes.push(format!("{addr}: the API server was not asked what would change ({why}): this is a guess"));
        }
        if let Outcome::Immutable { says, .. } = &forecast.outcome {
            if spec.rules.replace {
                self.replace_manifest(resource, spec, found, says);
            } else {
                let reason = format!("`{addr}` can't be changed in place: {says}");
                let help =
                    format!("say `replace: true` in its rules, or `--replace {addr}`: it is deleted and made anew, and absent meanwhile");
                self.refuse(Some(resource), "plan/immutable", reason, &help);
            }
            return;
        }
        if matches!(forecast.outcome, Outcome::Unasked) {
            let why = "the stack says it otherwise than it was applied; which fields, the cluster tells";
            self.step(resource, Action::Update, why, Some(found), Vec::new());
            return;
        }
        let changes = self.manifest_changes(spec, addr);
        let known = known.filter(|known| known.id == found.id);
        if changes.is_empty() {
            // Made, or changed, by a run that did not see it become ready. Others need the name of a load balancer.
            match &forecast.waits {
                Some(waits) if spec.balancer.is_some() || known.is_some_and(|known| !known.ready && known.attrs.contains_key(SENT)) => {
                    self.step(resource, Action::Read, &format!("is not ready since it was applied: {waits}"), Some(found), Vec::new());
                }
                _ => self.unchanged += 1,
            }
            return;
        }
        if spec.balancer.is_some() && self.decide_other_balancer(resource, spec, found, &changes) {
            return;
        }
        let is_same = known.and_then(|known| known.attrs.get(SENT)).and_then(Attr::as_text) == Some(forecast.sent.as_str());
        let fields = known.and_then(|known| known.attrs.get(FIELDS)).and_then(|attr| match attr {
            Attr::Value(fields) => Some(fields),
            _ => None,
        });
        // What was ours when it was applied and is another's now was taken from us.
        let was_ours = |path: &FieldPath| is_same || fields.is_some_and(|fields| path.is_owned_in(fields));
        let differences = self.told(addr).to_vec();
        let foreign = differences.iter().find(|one| {
            let is_allowed = resource.force || spec.rules.force.iter().any(|path| path.covers(&one.path));
            one.manager.is_some() && one.after.is_some() && !is_allowed && !was_ours(&one.path)
        });
        if let Some(Difference { path, manager: Some(manager), .. }) = foreign {
            let reason = format!("`{path}` of `{addr}` is managed by {manager}");
            let help = format!("leave the field out of the manifest, or say `force: [{path}]` in its rules to take it");
            self.refuse(Some(resource), "plan/field-conflict", reason, &help);
            return;
        }
        if is_same && !changes.iter().all(|change| matches!(change.after, Some(Attr::Unknown(_)))) {
            self.drift.push(Drift { addr: addr.clone(), changes: changes.clone(), is_gone: false });
        }
        let why = update_reason(&changes);
        self.step(resource, Action::Update, &why, Some(found), changes);
    }

    /// A new object for the asking: what can't change in place is told with it.
    pub(super) fn replace_as_asked(&mut self, resource: &Resource, spec: &ManifestSpec, found: &Found) {
        let outcome = self.observed.forecasts.get(&resource.addr).map(|forecast| &forecast.outcome);
        let why = match outcome {
            Some(Outcome::Immutable { says, .. }) => format!("a new one was asked for; {says}"),
            _ => "a new one was asked for".to_owned(),
        };
        self.replace_manifest(resource, spec, found, &why);
    }

    /// A new object in the place of the one that is there.
    pub(super) fn replace_manifest(&mut self, resource: &Resource, spec: &ManifestSpec, found: &Found, why: &str) {
        let mut changes = self.manifest_changes(spec, &resource.addr);
        for change in &mut changes {
            change.replaces = true;
        }
        self.replace_for(resource, spec, found, why, changes);
    }

    /// The same for these changes.
    pub(super) fn replace_for(&mut self, resource: &Resource, spec: &ManifestSpec, found: &Found, why: &str, changes: Vec<Change>) {
        let addr = &resource.addr;
        if self.refuse_protected(addr, found, "it would be replaced") {
            return;
        }
        let kind = spec.object.kind.as_str();
        if matches!(kind, "Namespace" | "CustomResourceDefinition") {
            let reason = format!("{} can't be replaced: all that is in it would go with it", describe(addr, found));
            self.refuse(
                Some(resource),
                "plan/no-replacement",
                reason,
                "change the manifest back, or delete it by hand with all that it holds",
            );
            return;
        }
        if origin_of(found, self.prior.current(addr)) == Origin::Adopted {
            let reason = format!("{} was there before meshform, and would have to be deleted: {why}", describe(addr, found));
            self.refuse(Some(resource), "plan/no-replacement", reason, "change the manifest back, or delete it by hand");
            return;
        }
        if matches!(kind, "PersistentVolumeClaim" | "PersistentVolume" | "StatefulSet") {
            self.notes.push(format!("{addr}: what it stores may be lost when it is replaced"));
        }
        self.step(resource, Action::Replace, &format!("{why}; it is deleted first, and absent for a while"), Some(found), changes);
    }

    /// Refuses to remove or replace what is protected; says whether it did.
    pub(super) fn refuse_protected(&mut self, addr: &Addr, found: &Found, why: &str) -> bool {
        let mark = found.attrs.get(&format!("metadata.annotations.{ANNOTATION_PROTECT}")).and_then(Attr::as_text);
        if mark != Some("true") {
            return false;
        }
        self.refusals.push(super::Refusal {
            addr: Some(addr.clone()),
            code: "plan/protected",
            reason: format!("`{addr}` is protected: {why}"),
            help: format!("apply it with `protect: false` first, or keep it with `--exclude {addr}`"),
            place: self.desired.get(addr).map(|resource| resource.place.clone()),
        });
        true
    }
}

/// A difference as a change; a Secret's values are known by their fingerprints.
fn change(difference: &Difference, is_secret: bool) -> Change {
    let Difference { path, before, after, manager } = difference;
    let path = path.to_string();
    let hide = is_secret && (path == "data" || path.starts_with("data.") || path.starts_with("data["));
    let attr = |value: &serde_json::Value| match value {
        serde_json::Value::String(fingerprint) if hide => Attr::Secret(fingerprint.clone()),
        other if hide => Attr::Secret(format!("{} values", other.as_object().map_or(0, serde_json::Map::len))),
        other => Attr::Value(other.clone()),
    };
    Change { path, before: before.as_ref().map(attr), after: after.as_ref().map(attr), manager: manager.clone(), replaces: false }
}
