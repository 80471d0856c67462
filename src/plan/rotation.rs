//! What a rotation carries, and what it leaves to an apply.

use std::collections::BTreeSet;

use super::decide::Planner;
use super::{Action, Change, Refusal};
use crate::addr::Addr;
use crate::resource::Spec;

impl Planner<'_> {
    /// A rotation carries what it can: one certificate that has to be requested anew, or one place that is someone else's, must not keep all
    /// others from being renewed.
    pub(super) fn leave_out(&mut self) -> Vec<Refusal> {
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
    pub(super) fn carry_only(&mut self) {
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
}
