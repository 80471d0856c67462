//! What goes, is let go, or stays although the stack no longer wants it.

use std::collections::{BTreeMap, BTreeSet};

use super::decide::{Planner, origin_of, some_of};
use super::{Action, Step, order};
use crate::addr::{Addr, AwsKind};
use crate::event::Origin;
use crate::observed::{Condition, Found, Owner, RecordNeed};
use crate::resource::manifest::ANNOTATION_KEEP;
use crate::resource::{Attr, Attrs};

impl Planner<'_> {
    /// What state or world hold of ours and the stack doesn't want.
    pub(super) fn decide_unwanted(&mut self) {
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
    pub(super) fn kept_by_excludes(&self) -> BTreeSet<Addr> {
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
    pub(super) fn reconsider(&mut self) {
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
    pub(super) fn targets_and_dependents(&self) -> BTreeSet<Addr> {
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

    pub(super) fn in_scope(&self, addr: &Addr) -> bool {
        let targeted = self.policy.targets.is_empty() || self.policy.targets.contains(addr);
        targeted && !self.policy.excludes.contains(addr)
    }

    pub(super) fn decide_removal(&mut self, addr: &Addr, found: &Found) {
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
            (Origin::Created, None) if is_kept(found) && !(self.policy.delete_crds && is_definition(addr)) => {
                let more = if is_definition(addr) { "; `--delete-crds` deletes it" } else { "" };
                (Action::Release, format!("{why}; it stays, as it is marked `helm.sh/resource-policy: keep`{more}"))
            }
            (Origin::Created, None) => match self.observed.content.get(addr).map(Vec::as_slice) {
                None | Some([]) => (Action::Delete, why.to_owned()),
                Some(content) => {
                    (Action::Release, format!("{why}; it stays, as it holds things that are not meshform's: {}", some_of(content)))
                }
            },
            (Origin::Created, Some(_)) => (Action::Delete, why.to_owned()),
        };
        let (action, reason) = if action == Action::Delete && addr.is_kube() && self.policy.keeps_objects {
            (Action::Release, format!("{reason}; it stays, as it may be of a chart that is let go: the state that would tell is lost"))
        } else {
            (action, reason)
        };
        if self.is_rebuilt && !self.policy.destroy && action == Action::Delete {
            self.needs_rebuilt_consent = true;
        }
        self.removal(addr, action, reason, &found.id, false, Some(found.attrs.clone()), true);
    }

    /// Older generations go when nothing uses them any more.
    pub(super) fn decide_deposed(&mut self) {
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
                // Whoever uses it goes with the stack.
                self.removal(&addr, Action::Delete, reason, &id, true, None, self.policy.destroy);
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
        let id = Some(id.to_owned());
        self.steps.push(Step { id, is_deposed, generation: 0, before, counts, ..Step::of(addr, action, reason) });
    }

    /// The removal of what an address leaves behind.
    pub(super) fn remove_former(&mut self, addr: &Addr, former: &Found, why: &str) {
        let is_adopted = origin_of(former, self.prior.current(addr)) == Origin::Adopted;
        let (action, reason) = if is_adopted {
            (Action::Release, format!("{why}; it was there before meshform, and stays"))
        } else {
            (Action::Delete, why.to_owned())
        };
        self.removal(addr, action, reason, &former.id, true, Some(former.attrs.clone()), true);
    }
}

fn is_definition(addr: &Addr) -> bool {
    matches!(addr, Addr::Kube { kind, .. } if kind == "customresourcedefinition")
}

/// Whether an object is marked to stay when its owner lets it go.
fn is_kept(found: &Found) -> bool {
    found.attrs.get(&format!("metadata.annotations.{ANNOTATION_KEEP}")).and_then(Attr::as_text) == Some("keep")
}
