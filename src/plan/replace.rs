//! A new one in the place of one that can't be changed.

use super::decide::{Planner, describe, origin_of};
use super::{Action, Change};
use crate::addr::{Addr, AwsKind};
use crate::event::Origin;
use crate::observed::{Condition, Found, Owner};
use crate::resource::secret::replica_path;
use crate::resource::{Attr, Resource, Spec};

impl Planner<'_> {
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
    pub(super) fn refuse_copy_in_the_way(&mut self, resource: &Resource, found: &Found) -> bool {
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
    pub(super) fn take_new_name(&mut self, resource: &Resource, found: &Found, taken: &Found) {
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
    pub(super) fn left_out_user(&self, certificate: &Addr) -> Option<&Addr> {
        if certificate.aws_kind() != Some(AwsKind::AcmCertificate) {
            return None;
        }
        let is_user = |addr: &&Addr| {
            let needs = self.prior.resources.get(*addr).filter(|known| known.current.is_some()).map(|known| &known.needs);
            addr.aws_kind() != Some(AwsKind::AcmValidationRecord) && needs.is_some_and(|needs| needs.contains(certificate))
        };
        // What a destroy takes away is not left out.
        let is_left_out = |addr: &&Addr| !self.desired.contains(addr) && (!self.policy.destroy || self.policy.excludes.contains(*addr));
        self.policy.declared.resources().map(|resource| &resource.addr).filter(is_left_out).find(is_user)
    }
}
