//! What is worth saying of versions and restarts, and keeps nothing.

use std::collections::BTreeMap;

use super::control_planes::{ControlPlane, wanted};
use super::decide::{pods, restarts_pods};
use super::versions::{self, Version};
use crate::addr::Addr;
use crate::observed::Proxies;
use crate::plan::Action;
use crate::plan::decide::Planner;
use crate::resource::Attr;

impl Planner<'_> {
    /// Of pods that were read whole: proxies of other versions than their control planes will be.
    pub(super) fn name_older_proxies(&mut self, proxies: &Proxies, running: &[ControlPlane]) {
        let wanted = wanted(&self.policy.declared);
        for plane in &wanted {
            let Some(version) = plane.version.filter(|_| running.iter().any(|one| one.addr == plane.addr)) else { continue };
            let mut older: BTreeMap<(String, String), usize> = BTreeMap::new();
            let mut is_far = false;
            for proxy in proxies.pods.iter().filter(|proxy| proxy.revision == plane.revision && !proxy.is_going) {
                let Some(of_proxy) = proxy.version.as_deref().and_then(Version::parse).filter(|of_proxy| *of_proxy != version) else {
                    continue;
                };
                is_far |= of_proxy.behind(version).is_some_and(|behind| behind > versions::MOST_SKEW);
                *older.entry((proxy.workload.to_string(), of_proxy.to_string())).or_default() += 1;
            }
            if older.is_empty() {
                continue;
            }
            let list: Vec<String> = older.iter().map(|((addr, version), count)| format!("{addr} ({}, {version})", pods(*count))).collect();
            let far = if is_far { "; some are more than two minor versions behind it, which Istio doesn't support" } else { "" };
            self.notes.push(format!(
                "{}: these run another version of the proxy than {version} until they are restarted: {}{far}",
                plane.describe(),
                list.join(", ")
            ));
        }
    }

    /// Says of a change that its pods are made anew, and how many.
    pub(in crate::plan) fn tell_restart(&mut self, addr: &Addr) {
        let count = self.observed.pods.get(addr).copied().unwrap_or(0);
        let Some(step) = self.steps.last_mut().filter(|step| restarts_pods(step)) else { return };
        let text = |path: &str| step.after.as_ref().and_then(|after| after.get(path)).and_then(Attr::as_text);
        let what = if text("spec.updateStrategy.type") == Some("OnDelete") {
            "; its pods stay as they are until they are deleted (`updateStrategy: OnDelete`)".to_owned()
        } else {
            match usize::try_from(count).unwrap_or(usize::MAX) {
                0 => "; it has no pods to restart".to_owned(),
                count => format!("; restarts its {}", pods(count)),
            }
        };
        step.reason.push_str(&what);
    }

    /// Versions of Istio and of Kubernetes that don't go together, and upgrades that Istio doesn't support.
    pub(super) fn warn_of_versions(&mut self, running: &[ControlPlane]) {
        let kubernetes = self.observed.kubernetes.as_deref().and_then(Version::parse);
        for plane in wanted(self.desired) {
            let is_touched = self
                .steps
                .iter()
                .any(|step| step.addr == plane.addr && matches!(step.action, Action::Create | Action::Update | Action::Adopt));
            let Some(version) = plane.version.filter(|_| is_touched) else { continue };
            let mut told: Vec<String> =
                kubernetes.and_then(|kubernetes| versions::on_kubernetes(version, kubernetes)).into_iter().collect();
            match running.iter().find(|one| one.addr == plane.addr) {
                Some(before) => told.extend(before.version.and_then(|before| versions::in_place(before, version))),
                None => {
                    told.extend(running.iter().filter_map(|one| one.version).max().and_then(|newest| versions::beside(newest, version)));
                }
            }
            self.notes.extend(told.into_iter().map(|what| format!("warning: {}: {what}", plane.describe())));
        }
    }
}
