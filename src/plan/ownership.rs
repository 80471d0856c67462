//! Decisions about what changes hands without being made or deleted: renames, imports, releases.

use std::collections::BTreeSet;

use super::decide::{Planner, describe};
use super::marks::is_mark;
use super::{Action, Change, Refusal, Step, diff};
use crate::addr::{Addr, AwsKind};
use crate::event::Origin;
use crate::observed::{Condition, Found, Owner};
use crate::resource::{Attr, Attrs, Resource, TAG_ADDRESS};

impl Planner<'_> {
    /// What was asked for and can't be: a rename onto something, an import of what isn't there or isn't free.
    pub(super) fn check_ownership(&mut self) {
        let observed = self.observed;
        let ours = |addr: &Addr| observed.resources.get(addr).filter(|found| matches!(found.owner, Owner::Us { .. }));
        let mut refusals = Vec::new();
        for (from, to) in self.prior.moves.iter() {
            // One that is what the stack wants under the new address needs no other: the old one is a leftover then.
            let fits = |found: &Found| self.desired.get(to).is_none_or(|resource| self.fits(resource, found));
            if let (Some(old), Some(new)) = (ours(from), ours(to))
                && !fits(new)
            {
                let reason = format!("`{from}` is to be renamed to `{to}`, and both are there: {} and {}", old.id, new.id);
                let help = format!("remove the rename, and the next plan shows what becomes of `{from}`; or release one of the two");
                refusals.push((to, "plan/moved-both", reason, help));
            }
        }
        for (addr, id) in &self.policy.imports {
            let Some(found) = observed.resources.get(addr) else {
                let reason = format!("there is no {id} to be imported as `{addr}`");
                refusals.push((addr, "plan/import", reason, "check the id, the region and the account".to_owned()));
                continue;
            };
            let is_named = [Some(found.id.as_str()), found.attrs.get("name").and_then(Attr::as_text)].contains(&Some(id));
            if addr.aws_kind().is_some() && !is_named {
                let reason = format!("`{addr}` is {}, and not {id}", describe(addr, found));
                let help =
                    if ours(addr).is_some() { "release it first, or import under another key" } else { "import what has the stack's name" };
                refusals.push((addr, "plan/import", reason, help.to_owned()));
            } else if let (Condition::Dead(why), Owner::Other(_)) = (&found.condition, &found.owner) {
                let reason = format!("{} is of no more use: {why}", describe(addr, found));
                refusals.push((addr, "plan/import", reason, "leave it, and let the next apply request another".to_owned()));
            }
        }
        for (addr, code, reason, help) in refusals {
            let place = self.desired.get(addr).map(|resource| resource.place.clone());
            self.refusals.push(Refusal { addr: Some(addr.clone()), code, reason, help, place });
        }
    }

    /// Whether what is there can be brought to what the stack wants, and need not be replaced.
    fn fits(&self, resource: &Resource, found: &Found) -> bool {
        let attrs = self.wanted_attrs(resource, Some(found), found.generation, Origin::Created);
        !diff::changes(&resource.addr, &attrs, found, None, &BTreeSet::new()).iter().any(|change| change.replaces)
    }

    /// What an update is when it only brings marks up to date after a rename; and its reason.
    pub(super) fn renamed(&self, addr: &Addr, changes: &[Change]) -> Option<(Action, String)> {
        let was = self.former_address(addr, changes)?;
        if changes.iter().all(|change| is_mark(&change.path)) {
            return Some((Action::Move, format!("was `{was}`")));
        }
        let others: Vec<Change> = changes.iter().filter(|change| !is_mark(&change.path)).cloned().collect();
        Some((Action::Update, format!("was `{was}`; {}", super::decide::update_reason(&others))))
    }

    /// The address that a rename takes away, as the marks still tell it.
    pub(super) fn former_address(&self, addr: &Addr, changes: &[Change]) -> Option<Addr> {
        let mark = changes.iter().find(|change| change.path == format!("tags.{TAG_ADDRESS}"))?;
        let was: Addr = mark.before.as_ref()?.as_text()?.parse().ok()?;
        self.prior.moves.iter().any(|(from, to)| *from == was && to == addr).then_some(was)
    }

    /// Where nothing but ownership is asked for, all else stays as it is.
    pub(super) fn only_ownership(&mut self) {
        if !self.policy.exactly {
            return;
        }
        for step in self.steps.iter_mut().filter(|step| !step.addr.is_kube() && !step.action.is_removal()) {
            step.changes.retain(|change| is_mark(&change.path));
            // What the stack wants is remembered as it is, and what others wrote stays theirs.
            let before = step.before.clone().unwrap_or_default();
            let wanted = step.after.take().unwrap_or_default().into_iter();
            let as_it_is = |(path, value): (String, Attr)| {
                if is_mark(&path) { Some((path, value)) } else { before.get(&path).cloned().map(|live| (path, live)) }
            };
            step.after = Some(wanted.filter_map(as_it_is).collect());
        }
        let is_asked = |step: &Step| match step.action {
            Action::Update => step.addr.is_kube() || !step.changes.is_empty(),
            action => matches!(action, Action::Adopt | Action::Move | Action::Release),
        };
        let before = self.steps.len();
        self.steps.retain(is_asked);
        self.unchanged += before - self.steps.len();
    }

    /// What of ours is let go because it was asked for; says whether it was.
    pub(super) fn release(&mut self, addr: &Addr, found: &Found) -> bool {
        if !self.policy.released.contains(addr) {
            return false;
        }
        let reason = "it is let go, and stays as it is".to_owned();
        self.removal(addr, Action::Release, reason, &found.id, false, Some(found.attrs.clone()), true);
        true
    }

    /// A certificate that goes while one just like it comes is perhaps only called by another key.
    pub(super) fn point_out_renames(&mut self) {
        let of = |action: Action| {
            move |step: &&Step| step.action == action && !step.is_deposed && step.addr.aws_kind() == Some(AwsKind::AcmCertificate)
        };
        let mut notes = Vec::new();
        for old in self.steps.iter().filter(of(Action::Delete)) {
            let same = |new: &&Step| {
                let same = |path: &str| {
                    let value = |attrs: &Option<Attrs>| attrs.as_ref().and_then(|attrs| attrs.get(path).cloned());
                    value(&old.before) == value(&new.after)
                };
                ["domain_name", "subject_alternative_names", "key_algorithm", "export", "region"].into_iter().all(same)
            };
            if let Some(new) = self.steps.iter().filter(of(Action::Create)).find(same) {
                let (from, to) = (old.addr.name(), new.addr.name());
                notes.push(format!(
                    "`{}` goes and `{}` comes with the same names: if it was only renamed, add `moved: [{{from: certificates.{from}, to: certificates.{to}}}]` to the stack",
                    old.addr, new.addr
                ));
            }
        }
        self.notes.extend(notes);
    }

    /// The consent to take something over.
    pub(super) fn may_adopt(&self, resource: &Resource) -> bool {
        let addr = &resource.addr;
        resource.adopt == Some(true) || self.policy.adopt.contains(addr) || self.policy.imports.contains_key(addr)
    }
}
