//! One decision per resource.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;

use super::certificates::{imported, is_reimportable, of_import};
use super::{Action, Change, Charge, Cost, Drift, Plan, Policy, Refusal, Step, cost, diff, helm_records, hooks, mesh, order, refresh};
use crate::addr::{Addr, AwsKind};
use crate::event::{Event, Origin};
use crate::graph::Graph;
use crate::observed::{Condition, Found, Observed, Owner, ZoneChoice};
use crate::resource::certificate::{LeafFacts, Source};
use crate::resource::{Attr, Attrs, Resource, Spec};
use crate::stack::Dns;
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
        moving: BTreeSet::new(),
        settles: None,
        is_settled: false,
    };
    planner.check_identity();
    if planner.refusals.is_empty() {
        if policy.refresh_only {
            planner.find_drift_only();
        } else {
            planner.check_surroundings();
            planner.check_ownership();
            planner.decide_wanted();
            planner.decide_hooks();
            planner.decide_unwanted();
            planner.decide_deposed();
            planner.decide_helm_records();
            planner.decide_mesh();
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
    /// Ingresses whose load balancer is another one after this plan.
    pub(super) moving: BTreeSet<Addr>,
    /// What tells the moves of the batches that are restarted.
    pub(super) settles: Option<String>,
    /// Whether they are through.
    pub(super) is_settled: bool,
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
                Spec::ValidationRecord(_) | Spec::AliasRecord(_) => {
                    if let Some(ZoneChoice::Unusable { reason, help }) = self.observed.zones.get(&resource.addr) {
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
        // Certificates first, and then load balancers: what they are decides what others should be.
        let (certificates, others): (Vec<&Resource>, Vec<&Resource>) =
            self.desired.resources().partition(|resource| matches!(resource.spec, Spec::Certificate(_)));
        let is_hook = |resource: &&Resource| matches!(&resource.spec, Spec::Manifest(spec) if spec.hook.is_some());
        let (balancers, others): (Vec<&Resource>, Vec<&Resource>) =
            others.into_iter().partition(|resource| matches!(&resource.spec, Spec::Manifest(spec) if spec.balancer.is_some()));
        for resource in certificates.into_iter().chain(balancers).chain(others).filter(|resource| !is_hook(resource)) {
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
        if let Spec::AliasRecord(spec) = &resource.spec
            && self.refuse_alias(resource, spec, found)
        {
            return;
        }
        let kept = found.and_then(|found| self.with_kept_value(resource, found));
        let Some(found) = kept.as_ref().or(found) else {
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

    fn absent_reason(&self, resource: &Resource, default: &str) -> String {
        match &resource.spec {
            Spec::ValidationRecord(_) | Spec::AliasRecord(_) if default == "absent" => match self.observed.zones.get(&resource.addr) {
                Some(ZoneChoice::Found(zone)) => format!("not in zone {}", zone.name),
                _ => default.to_owned(),
            },
            _ => default.to_owned(),
        }
    }

    pub(super) fn decide_foreign(&mut self, resource: &Resource, found: &Found, owner: &str) {
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
            // What others wrote goes where it is in the way.
            let in_the_way = BTreeSet::from(["values".to_owned()]);
            let gone = if addr.aws_kind() == Some(AwsKind::Route53Record) { in_the_way } else { BTreeSet::new() };
            diff::changes(addr, &attrs, found, None, &gone)
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
        self.learn_leaf(resource, found);
    }

    pub(super) fn decide_ours(&mut self, resource: &Resource, found: &Found, known: Option<&Instance>) {
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
                Spec::Manifest(spec) => self.replace_as_asked(resource, spec, found),
                Spec::Object(spec) if spec.kind != "Namespace" => {
                    self.replace(resource, found, "a new one was asked for; it is absent for a moment", Vec::new());
                }
                Spec::Object(_) | Spec::Secret(_) | Spec::ValidationRecord(_) | Spec::AliasRecord(_) => self.refuse(
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
        self.learn_leaf(resource, found);
    }

    /// What the deliveries of a certificate that stays are to hold.
    fn learn_leaf(&mut self, resource: &Resource, found: &Found) {
        // Of an import that is what its files hold.
        let live = found.certificate.as_ref().filter(|_| found.condition == Condition::Good).and_then(|facts| facts.leaf.as_ref());
        if let Some(leaf) = imported(resource).or(live) {
            self.leaves.insert(resource.addr.clone(), leaf.clone());
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

    /// Adds a step for a wanted resource.
    pub(super) fn step(&mut self, resource: &Resource, action: Action, reason: &str, found: Option<&Found>, changes: Vec<Change>) {
        let addr = &resource.addr;
        let is_new = matches!(action, Action::Create | Action::Replace);
        if is_new && matches!(&resource.spec, Spec::Manifest(spec) if spec.balancer.is_some()) {
            self.moving.insert(addr.clone());
        }
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
            proxies: None,
        });
        self.tell_restart(addr);
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

    fn finish(mut self) -> Plan {
        let left_out = self.leave_out();
        self.reconsider();
        order::link(&mut self.steps, self.desired, self.prior, self.observed, &self.policy.declared);
        hooks::link(&mut self.steps, self.desired);
        helm_records::link(&mut self.steps, &self.policy.helm_records, self.desired);
        let circle = mesh::link(&mut self.steps, &self.policy.declared, &self.policy.batches, self.prior, self.observed);
        self.refuse_circle(&circle);
        if let Some(prices) = &self.policy.prices {
            self.cost.as_of.clone_from(&prices.as_of);
            for resource in self.desired.resources() {
                if let Spec::Certificate(spec) = &resource.spec {
                    self.cost.per_renewal += cost::of(spec, prices);
                }
            }
        }
        let mut refresh = if self.refusals.is_empty() {
            refresh::events(self.desired, self.observed, self.prior, &self.lineage, self.policy.refresh_only)
        } else {
            Vec::new()
        };
        let mut settles = self.settles.take().filter(|digest| self.prior.settled.as_ref() != Some(digest));
        if self.refusals.is_empty() && self.is_settled && self.steps.iter().all(|step| !step.counts) {
            refresh.extend(settles.take().map(|digest| Event::Settled { digest }));
        }
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
        self.notes.extend(self.manual_hosts());
        let manual: Vec<String> = self.manual_certificates();
        self.notes.extend(manual);
        let injected_by = self.injected_by();
        Plan {
            injected_by,
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
            settles,
        }
    }

    /// Hosts of new load balancers whose records someone else writes.
    fn manual_hosts(&self) -> Vec<String> {
        let manual = self.steps.iter().filter(|step| self.moving.contains(&step.addr)).filter_map(|step| {
            let Spec::Manifest(spec) = &self.desired.get(&step.addr)?.spec else { return None };
            let hosts = &spec.balancer.as_ref().filter(|balancer| !balancer.manual_hosts.is_empty())?.manual_hosts;
            Some(format!(
                "{}: the records of {} are written by hand (`dns: manual`); where they lead is shown when it is known",
                step.addr,
                some_of(hosts)
            ))
        });
        manual.collect()
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

pub(super) fn some_of(list: &[String]) -> String {
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
        Some(AwsKind::Route53Record) => format!("a record of {}", addr.name()),
        None => format!("`{addr}`"),
    }
}
