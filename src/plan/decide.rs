//! One decision per resource.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;

use super::certificates::{imported, is_reimportable, of_import};
use super::marks::{self, Marks};
use super::{Action, Change, Charge, Cost, Drift, Plan, Policy, Refusal, Step, cost, diff, order, refresh};
use crate::addr::{Addr, AwsKind};
use crate::event::Origin;
use crate::graph::Graph;
use crate::observed::{Condition, Found, Observed, Owner, RecordNeed, ZoneChoice};
use crate::resource::certificate::{LeafFacts, Source};
use crate::resource::manifest::ANNOTATION_KEEP;
use crate::resource::secret::{SecretSpec, replica_path};
use crate::resource::validation_record::{self, TTL, ValidationRecordSpec};
use crate::resource::{Attr, Attrs, Resource, Spec, TAG_ADOPTED_RECORDS};
use crate::stack::{CertificateOutput, Dns, TextPart};
use crate::state::{Instance, State};

pub(super) fn plan(desired: &Graph, observed: &Observed, prior: &State, policy: &Policy, now: Timestamp) -> Plan {
    let mut planner = Planner {
        desired,
        observed,
        prior,
        policy,
        lineage: effective_lineage(observed, prior),
        is_rebuilt: is_rebuilt(observed, prior),
        now,
        steps: Vec::new(),
        drift: Vec::new(),
        refusals: Vec::new(),
        notes: Vec::new(),
        unchanged: 0,
        cost: Cost::default(),
        leaves: BTreeMap::new(),
        needs_rebuilt_consent: false,
    };
    planner.check_identity();
    if planner.refusals.is_empty() {
        if policy.refresh_only {
            planner.find_drift_only();
        } else {
            planner.check_surroundings();
            planner.check_ownership();
            planner.decide_wanted();
            planner.decide_unwanted();
            planner.decide_deposed();
            planner.only_ownership();
            planner.point_out_renames();
        }
    }
    planner.finish()
}

/// The lineage to work under: the state's, or for a new state the one that the world's marks tell.
fn effective_lineage(observed: &Observed, prior: &State) -> String {
    match observed.lineages.as_slice() {
        [one] if prior.serial == 0 => one.clone(),
        _ => prior.lineage.clone(),
    }
}

fn is_rebuilt(observed: &Observed, prior: &State) -> bool {
    let is_own = |found: &Found| matches!(found.owner, Owner::Us { .. }) && found.origin != Some(Origin::Read);
    prior.serial == 0 && observed.resources.values().any(is_own)
}

pub(super) struct Planner<'a> {
    pub(super) desired: &'a Graph,
    pub(super) observed: &'a Observed,
    pub(super) prior: &'a State,
    pub(super) policy: &'a Policy,
    pub(super) lineage: String,
    pub(super) is_rebuilt: bool,
    pub(super) now: Timestamp,
    pub(super) steps: Vec<Step>,
    pub(super) drift: Vec<Drift>,
    pub(super) refusals: Vec<Refusal>,
    pub(super) notes: Vec<String>,
    pub(super) unchanged: usize,
    pub(super) cost: Cost,
    pub(super) leaves: BTreeMap<Addr, LeafFacts>,
    pub(super) needs_rebuilt_consent: bool,
}

impl Planner<'_> {
    fn check_identity(&mut self) {
        let (seen, known) = (&self.observed.identity, self.prior);
        let pairs = [
            ("AWS account", &known.account, &seen.account),
            ("AWS region", &known.region, &seen.region),
            ("cluster (uid of kube-system)", &known.cluster, &seen.cluster),
        ];
        for (what, known, seen) in pairs {
            if let (Some(known), Some(seen)) = (known, seen)
                && known != seen
            {
                self.refuse(
                    None,
                    "plan/other-world",
                    format!("the state is of {what} {known}, and this is {seen}"),
                    "use the state, the credentials and the context that belong together, or another stack name",
                );
            }
        }
        let others: Vec<&String> = self.observed.lineages.iter().filter(|lineage| **lineage != self.lineage).collect();
        if !others.is_empty() {
            let names: Vec<&str> = self.observed.lineages.iter().map(String::as_str).collect();
            self.refuse(
                None,
                "plan/lineages",
                format!("resources of this stack name other states: lineage {} here, {} in the world", self.lineage, names.join(" and ")),
                "another state of the same stack name made them: use that state, or rename this stack",
            );
        }
    }

    /// What has to be there for the stack, and isn't: zones, and namespaces that deliveries go to.
    fn check_surroundings(&mut self) {
        let mut refusals = Vec::new();
        for resource in self.desired.resources() {
            match &resource.spec {
                Spec::ValidationRecord(spec) => {
                    if let Some(ZoneChoice::Unusable { reason, help }) = self.observed.zones.get(&spec.base_domain) {
                        refusals.push((resource, "plan/zone", reason.clone(), help.clone()));
                    }
                }
                Spec::Object(_) | Spec::Manifest(_) => {
                    if let Addr::Kube { namespace: Some(namespace), .. } = &resource.addr
                        && self.observed.other_namespaces.get(namespace) == Some(&false)
                    {
                        let reason = format!("namespace `{namespace}` does not exist, and the stack does not declare it");
                        refusals.push((
                            resource,
                            "plan/no-namespace",
                            reason,
                            format!("add `namespaces: {{ {namespace}: {{}} }}` to the stack, or create it"),
                        ));
                    }
                }
                _ => {}
            }
        }
        for (resource, code, reason, help) in refusals {
            self.refuse(Some(resource), code, reason, &help);
        }
    }

    fn decide_wanted(&mut self) {
        // Certificates first: what they are decides what their deliveries should be.
        let (certificates, others): (Vec<&Resource>, Vec<&Resource>) =
            self.desired.resources().partition(|resource| matches!(resource.spec, Spec::Certificate(_)));
        for resource in certificates.into_iter().chain(others) {
            self.decide(resource);
        }
    }

    fn decide(&mut self, resource: &Resource) {
        let addr = &resource.addr;
        let found = self.observed.resources.get(addr);
        let known = self.prior.owned(addr);
        if let Spec::Certificate(spec) = &resource.spec
            && let Source::Existing(arn) = &spec.source
        {
            self.decide_existing(resource, arn);
            return;
        }
        if self.refuse_import(resource) {
            return;
        }
        if let Spec::Manifest(spec) = &resource.spec
            && self.refuse_manifest(resource, spec)
        {
            return;
        }
        let Some(found) = found else {
            if let Some(former) = self.observed.in_former_zone.get(addr) {
                self.step(resource, Action::Create, "another zone is to hold it", None, Vec::new());
                self.remove_former(addr, former, "goes when the one in the other zone is there");
                return;
            }
            let reason = if known.is_some() { "was deleted outside meshform" } else { "absent" };
            if known.is_some() {
                self.drift.push(Drift { addr: addr.clone(), changes: Vec::new(), is_gone: true });
            }
            self.step(resource, Action::Create, &self.absent_reason(resource, reason), None, Vec::new());
            return;
        };
        match &found.owner {
            Owner::Other(owner) => self.decide_foreign(resource, found, owner),
            Owner::Us { .. } => self.decide_ours(resource, found, known),
        }
        if let Some(former) = self.observed.in_former_zone.get(addr) {
            self.remove_former(addr, former, "another zone holds it now");
        }
    }

    /// The removal of what an address leaves behind.
    fn remove_former(&mut self, addr: &Addr, former: &Found, why: &str) {
        let is_adopted = origin_of(former, self.prior.current(addr)) == Origin::Adopted;
        let (action, reason) = if is_adopted {
            (Action::Release, format!("{why}; it was there before meshform, and stays"))
        } else {
            (Action::Delete, why.to_owned())
        };
        self.removal(addr, action, reason, &former.id, true, Some(former.attrs.clone()), true);
    }

    fn absent_reason(&self, resource: &Resource, default: &str) -> String {
        match &resource.spec {
            Spec::ValidationRecord(spec) if default == "absent" => match self.observed.zones.get(&spec.base_domain) {
                Some(ZoneChoice::Found(zone)) => format!("not in zone {}", zone.name),
                _ => default.to_owned(),
            },
            _ => default.to_owned(),
        }
    }

    fn decide_foreign(&mut self, resource: &Resource, found: &Found, owner: &str) {
        let addr = &resource.addr;
        let other = self
            .observed
            .resources
            .iter()
            .find(|(other, one)| *other != addr && one.id == found.id && matches!(one.owner, Owner::Us { .. }));
        if let Some((other, _)) = other {
            let reason = format!("{} is this stack's own `{other}`", describe(addr, found));
            let moved = if self.desired.contains(other) {
                String::new()
            } else {
                format!(
                    "if only the key changed, add `moved: [{{from: certificates.{}, to: certificates.{}}}]`; else ",
                    other.name(),
                    addr.name()
                )
            };
            let help = format!("{moved}keep the key that it had, or give one of the two another name in a step of its own");
            self.refuse(Some(resource), "plan/own", reason, &help);
            return;
        }
        if !self.may_adopt(resource) {
            if resource.adopt == Some(false) {
                self.step(resource, Action::Create, "absent; another of the same names is left alone", None, Vec::new());
                return;
            }
            let what = describe(addr, found);
            let beside =
                if matches!(resource.spec, Spec::Certificate(_)) { ", or `adopt: false` to request another beside it" } else { "" };
            self.refuse(
                Some(resource),
                "plan/foreign",
                format!("{what} exists and belongs to {owner}"),
                &format!("say `adopt: true` there or `--adopt {addr}` to take it over{beside}"),
            );
            return;
        }
        if found.condition == Condition::Tombstone {
            self.step(
                resource,
                Action::Restore,
                &format!("its name is scheduled for deletion; it belonged to {owner}"),
                Some(found),
                Vec::new(),
            );
            return;
        }
        let mut changes = if let Spec::Manifest(spec) = &resource.spec {
            self.manifest_changes(spec, addr)
        } else {
            let attrs = self.wanted_attrs(resource, Some(found), self.generation(addr, Some(found)), Origin::Adopted);
            diff::changes(addr, &attrs, found, None, &BTreeSet::new())
        };
        changes.retain(|change| change.path != "status");
        of_import(resource, &mut changes);
        if let Some(change) = changes.iter().find(|change| change.replaces) {
            let reason = format!(
                "{} exists and belongs to {owner}, and its `{}` can't be changed to what the stack wants",
                describe(addr, found),
                change.path
            );
            self.refuse(
                Some(resource),
                "plan/adopt-differs",
                reason,
                "change the stack to what is there, or let it be and choose another name",
            );
            return;
        }
        self.step(resource, Action::Adopt, &format!("belongs to {owner}"), Some(found), changes);
    }

    fn decide_ours(&mut self, resource: &Resource, found: &Found, known: Option<&Instance>) {
        let addr = &resource.addr;
        let origin = origin_of(found, known);
        let generation = self.generation(addr, Some(found));
        self.notes.extend(found.warning.as_ref().map(|warning| format!("{addr}: {warning}")));
        match &found.condition {
            Condition::Terminating(why) => {
                let reason = format!("`{addr}` is being deleted, and waits for {why}");
                self.refuse(
                    Some(resource),
                    "plan/terminating",
                    reason,
                    "wait until it is gone, or find out what holds it, and run the same command",
                );
                return;
            }
            Condition::Tombstone => {
                self.step(resource, Action::Restore, "its name is scheduled for deletion", Some(found), Vec::new());
                return;
            }
            // A new file takes the place of an import that has ended, under the same ARN.
            Condition::Dead(_) if is_reimportable(resource, found) => {}
            Condition::Dead(why) => {
                let status = found.attrs.get("status").cloned();
                let change =
                    Change { path: "status".into(), before: status, after: Some(Attr::text("ISSUED")), manager: None, replaces: true };
                self.replace(resource, found, why, vec![change]);
                return;
            }
            Condition::Good | Condition::Waiting(_) => {}
        }
        if self.policy.replace.contains(addr) {
            match &resource.spec {
                Spec::Certificate(_) => self.replace(resource, found, "a new certificate was asked for", Vec::new()),
                Spec::Manifest(spec) => self.replace_manifest(resource, spec, found, "a new one was asked for", Vec::new()),
                Spec::Object(spec) if spec.kind != "Namespace" => {
                    self.replace(resource, found, "a new one was asked for; it is absent for a moment", Vec::new());
                }
                Spec::Object(_) | Spec::Secret(_) | Spec::ValidationRecord(_) => self.refuse(
                    Some(resource),
                    "plan/no-replacement",
                    format!("{} can't be replaced by one of the same name", describe(addr, found)),
                    "certificates and objects in namespaces can; this one is brought to what the stack says by every apply",
                ),
            }
            return;
        }
        let is_begun = self.prior.resources.get(addr).and_then(|known| known.pending.as_ref());
        if is_begun.is_some_and(|pending| pending.generation > found.generation) && matches!(resource.spec, Spec::Certificate(_)) {
            // The request may have reached ACM, whose list lags: the same one is sent again, with the token that it had.
            self.replace(resource, found, "its replacement was begun, and not answered", Vec::new());
            return;
        }
        if let Spec::Manifest(spec) = &resource.spec {
            self.decide_manifest(resource, spec, found, known);
            return;
        }
        let attrs = self.wanted_attrs(resource, Some(found), generation, origin);
        let applied = known.filter(|known| known.id == found.id).map(|known| &known.attrs).filter(|attrs| !attrs.is_empty());
        let mut changes = diff::changes(addr, &attrs, found, applied, &found.ours);
        changes.retain(|change| change.path != "status");
        of_import(resource, &mut changes);
        if let Some(applied) = applied {
            let drifted: Vec<Change> = changes.iter().filter(|change| diff::is_drift(change, applied)).cloned().collect();
            if !drifted.is_empty() {
                self.drift.push(Drift { addr: addr.clone(), changes: drifted, is_gone: false });
            }
            self.check_conflicts(resource, &changes, applied);
        }
        if origin == Origin::Adopted
            && matches!(resource.spec, Spec::ValidationRecord(_))
            && changes.iter().any(|c| c.path == "records")
            && !self.policy.adopt.contains(addr)
        {
            let reason = format!("{} holds another value than ACM asks for, and is not meshform's", describe(addr, found));
            self.refuse(Some(resource), "plan/foreign", reason, &format!("find out who wrote it; `--adopt {addr}` overwrites it"));
            return;
        }
        if let Some(change) = changes.iter().find(|change| change.replaces) {
            let why = format!("{} differs, and can't be changed in place", change.path);
            self.replace(resource, found, &why, changes);
            return;
        }
        if !changes.is_empty() {
            let (action, why) = self.renamed(addr, &changes).unwrap_or_else(|| (Action::Update, update_reason(&changes)));
            self.step(resource, action, &why, Some(found), changes);
        } else if let Condition::Waiting(what) = &found.condition {
            self.step(resource, Action::Read, &format!("waits for {what}"), Some(found), Vec::new());
        } else {
            self.unchanged += 1;
        }
        if let Some(leaf) = imported(resource) {
            // What the files hold is what is delivered.
            self.leaves.insert(addr.clone(), leaf.clone());
        } else if found.condition == Condition::Good
            && let Some(leaf) = found.certificate.as_ref().and_then(|facts| facts.leaf.clone())
        {
            self.leaves.insert(addr.clone(), leaf);
        }
    }

    /// A field that the stack newly wants and another manager owns is taken only with consent.
    fn check_conflicts(&mut self, resource: &Resource, changes: &[Change], applied: &Attrs) {
        if resource.force {
            return;
        }
        let conflict =
            changes.iter().find(|change| change.manager.is_some() && change.after.is_some() && !applied.contains_key(&change.path));
        if let Some(Change { path, manager: Some(manager), .. }) = conflict {
            let reason = format!("`{path}` of `{}` is managed by {manager}", resource.addr);
            self.refuse(
                Some(resource),
                "plan/field-conflict",
                reason,
                "leave the field out of the stack, or say `force: true` there to take it",
            );
        }
    }

    pub(super) fn replace(&mut self, resource: &Resource, found: &Found, why: &str, changes: Vec<Change>) {
        if self.refuse_copy_in_the_way(resource, found) {
            return;
        }
        if let Some(taken) = self.observed.at_new_name.get(&resource.addr) {
            self.take_new_name(resource, found, taken);
            return;
        }
        if origin_of(found, self.prior.current(&resource.addr)) == Origin::Adopted {
            self.notes
                .push(format!("{} was there before meshform: it is replaced by a new one, and stays", describe(&resource.addr, found)));
        }
        self.step(resource, Action::Replace, why, Some(found), changes);
        // The old one goes when the new one has taken over; an object of Kubernetes goes in the step itself, as its name is its identity.
        if let Some(user) = self.left_out_user(&resource.addr) {
            self.notes.push(format!(
                "{}: the old one stays, as {user} is left out and still has it; an apply of the whole stack removes it",
                resource.addr
            ));
        } else if !resource.addr.is_kube() {
            let is_adopted = origin_of(found, self.prior.current(&resource.addr)) == Origin::Adopted;
            let (action, reason) = if is_adopted {
                (Action::Release, "replaced; it was there before meshform, and stays".to_owned())
            } else {
                (Action::Delete, "goes when the new one has taken its place".to_owned())
            };
            self.removal(&resource.addr, action, reason, &found.id, true, Some(found.attrs.clone()), false);
        }
    }

    /// A secret that moves to another region can't go where it has a copy, nor have one where it was: one name holds one secret in a region.
    fn refuse_copy_in_the_way(&mut self, resource: &Resource, found: &Found) -> bool {
        let Spec::Secret(spec) = &resource.spec else { return false };
        let text = |path: &str| found.attrs.get(path).and_then(Attr::as_text);
        let Some(from) = text("region").filter(|from| *from != spec.region && text("name") == Some(&spec.name)) else { return false };
        let (reason, help) = if found.attrs.contains_key(&replica_path(&spec.region)) {
            let help = "take the copy out of `replicas` and apply, then change the region";
            (format!("secret `{}` is to go to {}, where it has a copy", spec.name, spec.region), help)
        } else if spec.replicas.contains_key(from) {
            let help =
                "move it first without that copy; the name is free for the copy when the old secret is gone (`recovery_window_days`)";
            (format!("secret `{}` is to go to {}, and to have a copy in {from}, where it is now", spec.name, spec.region), help)
        } else {
            return false;
        };
        self.refuse(Some(resource), "plan/copy", reason, help);
        true
    }

    /// The name that a secret is to get is taken already: by someone else, by another of this stack, or by a secret scheduled for deletion.
    fn take_new_name(&mut self, resource: &Resource, found: &Found, taken: &Found) {
        let steps = self.steps.len();
        match &taken.owner {
            Owner::Other(owner) => self.decide_foreign(resource, taken, owner),
            Owner::Us { .. } if taken.condition == Condition::Tombstone => {
                self.step(resource, Action::Restore, "its new name is scheduled for deletion", Some(taken), Vec::new());
            }
            // Made by an earlier run that didn't get to know it.
            Owner::Us { .. } => self.decide_ours(resource, taken, None),
        }
        if self.steps.len() > steps || matches!(taken.owner, Owner::Us { .. }) {
            self.remove_former(&resource.addr, found, "goes when the one with the new name has taken its place");
        }
    }

    /// A delivery of a certificate that this plan leaves out: it still has the certificate that is there.
    fn left_out_user(&self, certificate: &Addr) -> Option<&Addr> {
        if certificate.aws_kind() != Some(AwsKind::AcmCertificate) {
            return None;
        }
        let is_user = |addr: &&Addr| {
            let needs = self.prior.resources.get(*addr).filter(|known| known.current.is_some()).map(|known| &known.needs);
            addr.aws_kind() != Some(AwsKind::AcmValidationRecord) && needs.is_some_and(|needs| needs.contains(certificate))
        };
        self.policy.declared.resources().map(|resource| &resource.addr).filter(|addr| !self.desired.contains(addr)).find(is_user)
    }

    /// Adds a step for a wanted resource.
    pub(super) fn step(&mut self, resource: &Resource, action: Action, reason: &str, found: Option<&Found>, changes: Vec<Change>) {
        let addr = &resource.addr;
        let is_new = matches!(action, Action::Create | Action::Replace);
        let is_begun = self.prior.resources.get(addr).is_some_and(|known| known.pending.is_some());
        if self.policy.rotate && is_new && matches!(resource.spec, Spec::Certificate(_)) && !self.policy.replace.contains(addr) && !is_begun
        {
            let made = if imported(resource).is_some() { "imported under another ARN" } else { "requested anew" };
            let reason = format!("`{addr}` would be {made} ({reason}), and a rotation only carries what is there");
            self.refuse(Some(resource), "plan/not-applied", reason, "look at `meshform plan` and run `meshform apply` first");
            return;
        }
        let generation = if is_new { self.next_generation(addr) } else { self.generation(addr, found) };
        let origin = match action {
            Action::Adopt => Origin::Adopted,
            Action::Create | Action::Replace => Origin::Created,
            _ => found.map_or(Origin::Created, |found| match &found.owner {
                Owner::Other(_) => Origin::Adopted,
                Owner::Us { .. } => origin_of(found, self.prior.current(addr)),
            }),
        };
        let kept = if is_new { None } else { found };
        let after = self.wanted_attrs(resource, kept, generation, origin);
        if is_new && let Spec::Certificate(spec) = &resource.spec {
            let prices = self.policy.prices.clone();
            let dollars = prices.map_or(0.0, |prices| cost::of(spec, &prices));
            if dollars > 0.0 {
                self.cost.at_issue.push(Charge { addr: addr.clone(), dollars });
            }
        }
        let owner = found.and_then(|found| match &found.owner {
            Owner::Other(owner) => Some(owner.clone()),
            Owner::Us { .. } => None,
        });
        self.steps.push(Step {
            addr: addr.clone(),
            action,
            reason: reason.to_owned(),
            moved_from: self.former_address(addr, &changes),
            changes,
            id: found.map(|found| found.id.clone()).filter(|_| action != Action::Create),
            is_deposed: false,
            generation,
            before: found.filter(|_| action != Action::Create).map(|found| found.attrs.clone()),
            after: Some(after),
            owner,
            counts: true,
            starts_after: Vec::new(),
            any_start: resource.needs_any(),
            ready_after: Vec::new(),
        });
    }

    /// The attributes wanted, marks among them.
    pub(super) fn wanted_attrs(&self, resource: &Resource, found: Option<&Found>, generation: u64, origin: Origin) -> Attrs {
        let mut attrs = match &resource.spec {
            Spec::Certificate(spec) => {
                let mut attrs = spec.attrs();
                let key = format!("tags.{TAG_ADOPTED_RECORDS}");
                if let Some(mark) = found.and_then(|found| found.attrs.get(&key)) {
                    attrs.insert(key, mark.clone());
                }
                attrs
            }
            Spec::ValidationRecord(spec) => self.record_attrs(spec, found, origin),
            Spec::Secret(spec) => spec.attrs(self.leaves.get(&spec.certificate), self.description(spec)),
            Spec::Object(spec) => spec.attrs(spec.certificate.as_ref().and_then(|certificate| self.leaves.get(certificate))),
            Spec::Manifest(spec) => self.forecast_attrs(spec, &resource.addr),
        };
        let was_managed_by = found.map_or("", marks::managed_before);
        let marks = Marks { stack: &self.prior.stack, lineage: &self.lineage, generation, origin, was_managed_by };
        attrs.extend(marks.attrs(&resource.addr));
        attrs
    }

    fn record_attrs(&self, spec: &ValidationRecordSpec, found: Option<&Found>, origin: Origin) -> Attrs {
        let zone = match self.observed.zones.get(&spec.base_domain) {
            Some(ZoneChoice::Found(zone)) => Some(zone),
            _ => None,
        };
        let mut attrs = self.record_content(spec, zone.map_or("", |zone| zone.id.as_str()), found, origin);
        if let Some(role) = zone.and_then(|zone| zone.role.as_ref()) {
            attrs.insert("zone_role_arn".into(), Attr::text(&role.arn));
            attrs.extend(role.external_id.as_ref().map(|id| ("zone_external_id".to_owned(), Attr::text(id))));
        }
        attrs
    }

    fn record_content(&self, spec: &ValidationRecordSpec, zone_id: &str, found: Option<&Found>, origin: Origin) -> Attrs {
        let known = spec.certificates.iter().find_map(|certificate| {
            let found = self.observed.resources.get(certificate).filter(|found| matches!(found.owner, Owner::Us { .. }))?;
            found.certificate.as_ref()?.records.iter().find(|record| record.base_domain == spec.base_domain)
        });
        match known {
            Some(record) => {
                let mut attrs = validation_record::attrs(zone_id, &record.name, &record.value, TTL);
                // The time to live of a record that was there before is not ours to set.
                if let (Origin::Adopted, Some(live)) = (origin, found.and_then(|found| found.attrs.get("ttl"))) {
                    attrs.insert("ttl".into(), live.clone());
                }
                attrs
            }
            None => match (found, spec.certificates.first()) {
                // No certificate tells it now (one is being replaced): the value of a domain never changes.
                (Some(found), _) => found.attrs.clone(),
                (None, Some(certificate)) => validation_record::unknown_attrs(zone_id, certificate),
                (None, None) => Attrs::new(),
            },
        }
    }

    /// The description of a secret, when all outputs in it are known.
    fn description(&self, spec: &SecretSpec) -> Option<String> {
        let Some(text) = &spec.description else { return Some(String::new()) };
        let mut description = String::new();
        for part in &text.0 {
            match part {
                TextPart::Literal(literal) => description.push_str(literal),
                TextPart::Output { certificate, output } => {
                    let addr = Addr::certificate(certificate);
                    description.push_str(&output_value(&addr, *output, self.desired, self.observed, &self.leaves)?);
                }
            }
        }
        Some(description)
    }

    fn generation(&self, addr: &Addr, found: Option<&Found>) -> u64 {
        let known = self.prior.owned(addr).filter(|known| found.is_none_or(|found| found.id == known.id)).map(|current| current.generation);
        known.or(found.map(|found| found.generation)).unwrap_or(1).max(1)
    }

    fn next_generation(&self, addr: &Addr) -> u64 {
        let known = self.prior.resources.get(addr);
        let of_state = known.into_iter().flat_map(|known| known.current.iter().chain(&known.deposed));
        let of_state = of_state.filter(|instance| instance.origin != Origin::Read).map(|instance| instance.generation);
        let found = self.observed.resources.get(addr).filter(|found| matches!(found.owner, Owner::Us { .. }));
        let of_world = found.map(|found| found.generation).into_iter();
        let deposed = self.observed.deposed.get(addr).into_iter().flatten().map(|deposed| deposed.generation);
        // A create that was begun and not answered is begun again as it was.
        if let Some(pending) = known.and_then(|known| known.pending.as_ref()) {
            return pending.generation;
        }
        of_state.chain(of_world).chain(deposed).max().unwrap_or(0) + 1
    }

    /// What state or world hold of ours and the stack doesn't want.
    fn decide_unwanted(&mut self) {
        if self.policy.rotate {
            return;
        }
        let mut addrs: BTreeSet<&Addr> = self.prior.resources.keys().filter(|addr| self.prior.owned(addr).is_some()).collect();
        addrs.extend(self.observed.resources.iter().filter(|(_, found)| matches!(found.owner, Owner::Us { .. })).map(|(addr, _)| addr));
        let with_targets = self.targets_and_dependents();
        let kept = self.kept_by_excludes();
        for addr in addrs {
            // A part that is left out is not unwanted.
            let is_left_out = !self.policy.destroy && self.policy.declared.contains(addr);
            if self.desired.contains(addr) || is_left_out || kept.contains(addr) || !(self.in_scope(addr) || with_targets.contains(addr)) {
                continue;
            }
            let Some(found) = self.observed.resources.get(addr).filter(|found| matches!(found.owner, Owner::Us { .. })) else {
                // Gone already: the refresh forgets it.
                continue;
            };
            if found.condition == Condition::Tombstone {
                continue;
            }
            self.decide_removal(addr, found);
        }
    }

    /// What is excluded keeps what it needs.
    fn kept_by_excludes(&self) -> BTreeSet<Addr> {
        let mut kept = BTreeSet::new();
        let mut open: Vec<Addr> = self.policy.excludes.iter().cloned().collect();
        while let Some(addr) = open.pop() {
            if !kept.insert(addr.clone()) {
                continue;
            }
            if let Some(known) = self.prior.resources.get(&addr) {
                open.extend(known.needs.iter().filter(|_| addr.aws_kind() != Some(AwsKind::AcmValidationRecord)).cloned());
            }
            if let Addr::Kube { namespace: Some(namespace), .. } = &addr {
                open.push(Addr::namespace(namespace));
            }
            let facts = self.observed.resources.get(&addr).and_then(|found| found.certificate.as_ref());
            open.extend(facts.into_iter().flat_map(|facts| &facts.records).map(|record| Addr::validation_record(&record.base_domain)));
        }
        kept
    }

    /// A last look at the removals, when all is decided: a namespace stays with what stays in it, a record with a certificate that needs it.
    fn reconsider(&mut self) {
        let going: BTreeSet<Addr> =
            self.steps.iter().filter(|step| step.action == Action::Delete && !step.is_deposed).map(|step| step.addr.clone()).collect();
        let going_ids: BTreeSet<String> =
            self.steps.iter().filter(|step| step.action == Action::Delete).filter_map(|step| step.id.clone()).collect();
        for step in self.steps.iter_mut().filter(|step| step.action == Action::Delete && !step.is_deposed) {
            let stays = match (&step.addr, step.addr.aws_kind()) {
                (Addr::Kube { kind, group, namespace: None, name }, _) if kind == "namespace" && group.is_empty() => {
                    self.observed.resources.keys().find_map(|addr| match addr {
                        Addr::Kube { namespace: Some(inside), .. } if inside == name && !going.contains(addr) => Some(addr.to_string()),
                        _ => None,
                    })
                }
                (Addr::Kube { kind, name, .. }, _) if kind == "customresourcedefinition" => {
                    let of_its_kind = |addr: &&Addr| {
                        let Addr::Kube { group, .. } = addr else { return false };
                        name.split_once('.').is_some_and(|(_, own)| own == group) && !going.contains(*addr)
                    };
                    self.observed.resources.keys().find(of_its_kind).map(ToString::to_string)
                }
                (_, Some(AwsKind::AcmValidationRecord)) => match self.observed.record_needs.get(&step.addr) {
                    Some(RecordNeed::NeededBy(arns)) => {
                        arns.iter().find(|arn| !going_ids.contains(*arn)).map(|arn| format!("certificate {arn}"))
                    }
                    _ => None,
                },
                _ => None,
            };
            if let Some(what) = stays {
                let because = if step.addr.is_kube() {
                    format!("it stays, as {what} in it stays")
                } else {
                    format!("it stays, as {what} needs it for its renewal")
                };
                step.action = Action::Release;
                step.reason = format!("{}; {because}", step.reason);
            }
        }
    }

    /// When targets are to be destroyed, what needs them goes too.
    fn targets_and_dependents(&self) -> BTreeSet<Addr> {
        let mut scope = BTreeSet::new();
        if !self.policy.destroy || self.policy.exactly {
            return scope;
        }
        let needed_by = order::reverse_needs(&[], &[&self.policy.declared], self.prior, self.observed);
        let mut open: Vec<Addr> = self.policy.targets.iter().cloned().collect();
        while let Some(addr) = open.pop() {
            let dependents = needed_by.get(&addr).into_iter().flatten();
            open.extend(dependents.filter(|one| !scope.contains(*one) && !self.policy.excludes.contains(*one)).cloned());
            scope.insert(addr);
        }
        // A record that certificates share stays with those that stay.
        let stays = |addr: &Addr| !scope.contains(addr) && self.observed.resources.contains_key(addr);
        let shared = |record: &&Addr| {
            record.aws_kind() == Some(AwsKind::AcmValidationRecord)
                && !self.policy.targets.contains(*record)
                && needed_by.iter().any(|(certificate, by)| by.contains(*record) && stays(certificate))
        };
        let shared: Vec<Addr> = scope.iter().filter(shared).cloned().collect();
        scope.retain(|addr| !shared.contains(addr));
        scope
    }

    fn in_scope(&self, addr: &Addr) -> bool {
        let targeted = self.policy.targets.is_empty() || self.policy.targets.contains(addr);
        targeted && !self.policy.excludes.contains(addr)
    }

    fn decide_removal(&mut self, addr: &Addr, found: &Found) {
        let known = self.prior.current(addr);
        let why = if self.policy.destroy { "the stack is destroyed" } else { "not in the stack" };
        if self.release(addr, found) || self.refuse_protected(addr, found, why) {
            return;
        }
        let (action, reason) = match (origin_of(found, known), addr.aws_kind()) {
            // Nothing was made: the state forgets it.
            (Origin::Read, _) => return,
            (Origin::Adopted, _) => (Action::Release, format!("{why}; it was there before meshform, and stays")),
            (Origin::Created, Some(AwsKind::AcmValidationRecord)) => match self.observed.record_needs.get(addr) {
                // Whether those that need it stay is known when all is decided: see `reconsider`.
                Some(RecordNeed::Free | RecordNeed::NeededBy(_)) => (Action::Delete, why.to_owned()),
                Some(RecordNeed::Unknown(reason)) => {
                    (Action::Release, format!("{why}; it stays, as it can't be told who needs it: {reason}"))
                }
                None => (Action::Release, format!("{why}; it stays, as it was not looked up who needs it")),
            },
            (Origin::Created, None) if is_kept(found) => {
                (Action::Release, format!("{why}; it stays, as it is marked `helm.sh/resource-policy: keep`"))
            }
            (Origin::Created, None) => match self.observed.content.get(addr).map(Vec::as_slice) {
                None | Some([]) => (Action::Delete, why.to_owned()),
                Some(content) => {
                    (Action::Release, format!("{why}; it stays, as it holds things that are not meshform's: {}", some_of(content)))
                }
            },
            (Origin::Created, Some(_)) => (Action::Delete, why.to_owned()),
        };
        if self.is_rebuilt && !self.policy.destroy && action == Action::Delete {
            self.needs_rebuilt_consent = true;
        }
        self.removal(addr, action, reason, &found.id, false, Some(found.attrs.clone()), true);
    }

    /// Older generations go when nothing uses them any more.
    fn decide_deposed(&mut self) {
        let mut deposed: BTreeMap<(Addr, String), (u64, Vec<String>, Origin)> = BTreeMap::new();
        for (addr, older) in &self.observed.deposed {
            for one in older {
                let known = self.prior.resources.get(addr);
                let known = known.and_then(|known| known.deposed.iter().chain(&known.current).find(|instance| instance.id == one.id));
                let origin = known.map(|instance| instance.origin).or(one.origin).unwrap_or(Origin::Created);
                deposed.insert((addr.clone(), one.id.clone()), (one.generation, one.in_use_by.clone(), origin));
            }
        }
        // Older secrets and records are known to the state alone; a removal of what is gone already does no harm.
        for (addr, known) in &self.prior.resources {
            for instance in known.deposed.iter().filter(|_| addr.aws_kind() != Some(AwsKind::AcmCertificate)) {
                if self.in_scope(addr) && !addr.is_kube() {
                    let action = if instance.origin == Origin::Adopted { Action::Release } else { Action::Delete };
                    let reason = format!("generation {} was replaced, and could not be removed then", instance.generation);
                    let (addr, id, attrs) = (addr.clone(), instance.id.clone(), instance.attrs.clone());
                    self.removal(&addr, action, reason, &id, true, Some(attrs), true);
                }
            }
        }
        for ((addr, id), (generation, in_use_by, origin)) in deposed {
            if !self.in_scope(&addr) || self.left_out_user(&addr).is_some() {
                continue;
            }
            if self.policy.released.contains(&addr) {
                self.removal(&addr, Action::Release, "it is let go with the address".into(), &id, true, None, true);
            } else if self.reader_of(&id).is_some() {
                self.removal(&addr, Action::Release, "it is only read from now on".into(), &id, true, None, true);
            } else if origin == Origin::Adopted {
                self.removal(&addr, Action::Release, "replaced; it was there before meshform, and stays".into(), &id, true, None, true);
            } else if in_use_by.is_empty() {
                self.removal(
                    &addr,
                    Action::Delete,
                    format!("generation {generation} was replaced and is out of use"),
                    &id,
                    true,
                    None,
                    true,
                );
            } else {
                let reason = format!("generation {generation} was replaced; it goes when {} let it go", some_of(&in_use_by));
                self.removal(&addr, Action::Delete, reason, &id, true, None, false);
            }
        }
    }

    #[allow(clippy::too_many_arguments)]
    pub(super) fn removal(
        &mut self,
        addr: &Addr,
        action: Action,
        reason: String,
        id: &str,
        is_deposed: bool,
        before: Option<Attrs>,
        counts: bool,
    ) {
        // What someone reads is never deleted.
        let (action, reason) = match self.reader_of(id).filter(|_| action == Action::Delete) {
            Some(reader) => (Action::Release, format!("{reason}; it stays, as `{reader}` reads it")),
            None => (action, reason),
        };
        self.steps.push(Step {
            addr: addr.clone(),
            action,
            reason,
            changes: Vec::new(),
            id: Some(id.to_owned()),
            is_deposed,
            generation: 0,
            before,
            after: None,
            owner: None,
            moved_from: None,
            counts,
            starts_after: Vec::new(),
            any_start: false,
            ready_after: Vec::new(),
        });
    }

    /// With `--refresh-only`: what the state would learn.
    fn find_drift_only(&mut self) {
        for (addr, known) in &self.prior.resources {
            let Some(current) = &known.current else { continue };
            match self.observed.resources.get(addr) {
                None if !self.observed.coverage.has(addr) => {}
                None => self.drift.push(Drift { addr: addr.clone(), changes: Vec::new(), is_gone: true }),
                Some(found) => {
                    let changes = diff::changes(addr, &current.attrs, found, None, &BTreeSet::new());
                    if !changes.is_empty() {
                        self.drift.push(Drift { addr: addr.clone(), changes, is_gone: false });
                    }
                }
            }
        }
        self.unchanged = self.prior.resources.len();
    }

    pub(super) fn refuse(&mut self, resource: Option<&Resource>, code: &'static str, reason: String, help: &str) {
        self.refusals.push(Refusal {
            addr: resource.map(|r| r.addr.clone()),
            code,
            reason,
            help: help.to_owned(),
            place: resource.map(|r| r.place.clone()),
        });
    }

    /// A rotation carries what it can: one certificate that has to be requested anew, or one place that is someone else's, must not keep all
    /// others from being renewed.
    fn leave_out(&mut self) -> Vec<Refusal> {
        if !self.policy.rotate {
            return Vec::new();
        }
        let (left_out, refusals): (Vec<Refusal>, Vec<Refusal>) =
            std::mem::take(&mut self.refusals).into_iter().partition(|refusal| refusal.addr.is_some());
        self.refusals = refusals;
        let refused: BTreeSet<&Addr> = left_out.iter().filter_map(|refusal| refusal.addr.as_ref()).collect();
        let desired = self.desired;
        self.steps.retain(|step| {
            let needs = desired.get(&step.addr).into_iter().flat_map(|resource| &resource.needs);
            !refused.contains(&step.addr) && !needs.into_iter().any(|(needed, _)| refused.contains(needed))
        });
        self.carry_only();
        left_out
    }

    /// A rotation carries material, and what follows from it. Other changes of the stack file are for an apply to make, and for someone to
    /// approve: tags of certificates, and a delivery of which nothing but its description or labels would change.
    fn carry_only(&mut self) {
        let desired = self.desired;
        let before = self.steps.len();
        self.steps.retain(|step| !matches!(step.action, Action::Update | Action::Move) || step.writes_material() || step.reimports());
        self.unchanged += before - self.steps.len();
        for step in self.steps.iter_mut().filter(|step| step.action == Action::Update) {
            let is_carried: fn(&Change) -> bool = match desired.get(&step.addr).map(|resource| &resource.spec) {
                Some(Spec::Secret(spec)) if spec.has_outputs() => |change| ["version", "description"].contains(&change.path.as_str()),
                Some(Spec::Secret(_)) => |change| change.path == "version",
                Some(Spec::Certificate(_)) => |change| !change.path.starts_with("tags."),
                _ => continue,
            };
            for change in step.changes.iter().filter(|change| !is_carried(change)) {
                let after = step.after.get_or_insert_default();
                match &change.before {
                    Some(value) => after.insert(change.path.clone(), value.clone()),
                    None => after.remove(&change.path),
                };
            }
            step.changes.retain(is_carried);
        }
    }

    fn finish(mut self) -> Plan {
        let left_out = self.leave_out();
        self.reconsider();
        order::link(&mut self.steps, self.desired, self.prior, self.observed, &self.policy.declared);
        if let Some(prices) = &self.policy.prices {
            self.cost.as_of.clone_from(&prices.as_of);
            for resource in self.desired.resources() {
                if let Spec::Certificate(spec) = &resource.spec {
                    self.cost.per_renewal += cost::of(spec, prices);
                }
            }
        }
        let refresh = if self.refusals.is_empty() {
            refresh::events(self.desired, self.observed, self.prior, &self.lineage, self.policy.refresh_only)
        } else {
            Vec::new()
        };
        let unseen = self.prior.resources.keys().filter(|addr| addr.is_kube() && !self.observed.coverage.has(addr)).count();
        if unseen > 0 && !self.policy.rotate {
            self.notes.push(format!(
                "the state knows {unseen} objects of a cluster, and the stack names none: they were not looked at, and stay"
            ));
        }
        if !self.observed.unseen_regions.is_empty() {
            self.notes.push(format!(
                "there is no state, and these regions may not be searched for what it knew (tag:GetResources): {}",
                self.observed.unseen_regions.join(", ")
            ));
        }
        if !self.observed.unseen_kinds.is_empty() {
            self.notes.push(format!(
                "there is no state, and these kinds may not be listed for what it knew: {}",
                self.observed.unseen_kinds.join(", ")
            ));
        }
        let manual: Vec<String> = self.manual_certificates();
        self.notes.extend(manual);
        Plan {
            stack: self.prior.stack.clone(),
            at: self.now,
            identity: self.observed.identity.clone(),
            graph: self.desired.clone(),
            steps: self.steps,
            drift: self.drift,
            refusals: self.refusals,
            left_out,
            notes: self.notes,
            refresh,
            is_rebuilt: self.is_rebuilt,
            needs_rebuilt_consent: self.needs_rebuilt_consent,
            unchanged: self.unchanged,
            cost: self.cost,
            leaves: self.leaves,
            is_partial: self.policy.is_partial(),
            is_exact: self.policy.exactly,
            forecasts: self.observed.forecasts.clone(),
        }
    }

    fn manual_certificates(&self) -> Vec<String> {
        let manual = self.steps.iter().filter_map(|step| match &self.desired.get(&step.addr)?.spec {
            Spec::Certificate(spec) if spec.has_records() && spec.dns == Dns::Manual && !step.action.is_removal() => Some(format!(
                "{}: its validation records are written by hand (`dns: manual`); they are shown when ACM has made them",
                step.addr
            )),
            _ => None,
        });
        manual.collect()
    }
}

/// Whether an object is marked to stay when its owner lets it go.
fn is_kept(found: &Found) -> bool {
    found.attrs.get(&format!("metadata.annotations.{ANNOTATION_KEEP}")).and_then(Attr::as_text) == Some("keep")
}

/// The value of a certificate's output, when it is known and stays.
pub fn output_value(
    addr: &Addr,
    output: CertificateOutput,
    desired: &Graph,
    observed: &Observed,
    leaves: &BTreeMap<Addr, LeafFacts>,
) -> Option<String> {
    match output {
        CertificateOutput::Domain => match &desired.get(addr)?.spec {
            Spec::Certificate(spec) if spec.is_only_read() => {
                observed.resources.get(addr)?.attrs.get("domain_name").and_then(Attr::as_text).map(ToOwned::to_owned)
            }
            Spec::Certificate(spec) => Some(spec.domain.clone()),
            _ => None,
        },
        CertificateOutput::Arn => leaves.get(addr).and_then(|_| observed.resources.get(addr)).map(|found| found.id.clone()),
        CertificateOutput::NotAfter => leaves.get(addr).map(|leaf| date(leaf.not_after)),
    }
}

/// A time in seconds as RFC 3339.
pub fn date(second: i64) -> String {
    Timestamp::from_second(second).map(|time| time.to_string()).unwrap_or_default()
}

pub(super) fn origin_of(found: &Found, known: Option<&Instance>) -> Origin {
    // What the state says of another id says nothing of this one.
    known.filter(|known| known.id == found.id).map(|known| known.origin).or(found.origin).unwrap_or(Origin::Created)
}

pub(super) fn update_reason(changes: &[Change]) -> String {
    match changes {
        [one] => format!("{} differs", one.path),
        [first, rest @ ..] => format!("{} and {} more differ", first.path, rest.len()),
        [] => String::new(),
    }
}

fn some_of(list: &[String]) -> String {
    match list {
        [a, b, c, rest @ ..] if !rest.is_empty() => format!("{a}, {b}, {c} and {} more", rest.len()),
        few => few.join(", "),
    }
}

pub(super) fn describe(addr: &Addr, found: &Found) -> String {
    match addr.aws_kind() {
        Some(AwsKind::AcmCertificate) => format!("certificate {}", found.id),
        Some(AwsKind::SecretsManagerSecret) => format!("secret `{}`", found.attrs.get("name").and_then(Attr::as_text).unwrap_or_default()),
        Some(AwsKind::AcmValidationRecord) => format!("record {}", found.id),
        None => format!("`{addr}`"),
    }
}
