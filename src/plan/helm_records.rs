//! Helm's records of releases that are taken over: as long as one is there, Helm counts the release among its own.

use std::collections::BTreeSet;

use super::decide::Planner;
use super::{Action, Point, Step};
use crate::addr::Addr;
use crate::graph::Graph;
use crate::resource::Spec;

/// A Secret in which Helm keeps a revision of a release (Helm documentation, "Storage backends").
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HelmRecord {
    /// The section of the release.
    pub section: String,
    /// The Secret's address.
    pub addr: Addr,
    /// Its uid.
    pub uid: String,
}

impl Planner<'_> {
    /// The records go, after the release's objects are taken over.
    pub(super) fn decide_helm_records(&mut self) {
        if self.policy.destroy || self.policy.exactly || self.policy.is_partial() {
            return;
        }
        for record in &self.policy.helm_records {
            let reason = format!("Helm's record of `{}`, which it no longer manages", record.section);
            self.steps.push(Step { id: Some(record.uid.clone()), ..Step::of(&record.addr, Action::Delete, reason) });
        }
    }
}

/// Lets the records go after all that is done to their releases.
pub(super) fn link(steps: &mut [Step], records: &[HelmRecord], desired: &Graph) {
    for record in records {
        let is_of_release = |addr: &Addr| match desired.get(addr).map(|resource| &resource.spec) {
            Some(Spec::Manifest(spec)) => spec.release.as_ref() == Some(&record.section),
            _ => false,
        };
        let of_release: BTreeSet<usize> = (0..steps.len()).filter(|index| is_of_release(&steps[*index].addr)).collect();
        let own = steps.iter_mut().find(|step| step.addr == record.addr && step.id.as_ref() == Some(&record.uid));
        if let Some(own) = own {
            own.starts_after.extend(of_release.into_iter().map(|index| (index, Point::Created)));
        }
    }
}
