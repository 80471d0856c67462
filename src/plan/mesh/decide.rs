//! Decisions about proxies: what is restarted, what is only named, and what keeps a control plane.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Map, Value};

use super::ProxyStep;
use super::control_planes::{ControlPlane, INJECTION, Injectors, REVISION, live};
use super::look::{choice, digest};
use crate::addr::Addr;
use crate::observed::{Proxies, Proxy};
use crate::plan::decide::{Planner, some_of};
use crate::plan::{Action, Refusal, Step};
use crate::resource::{Resource, Spec};

/// A workload whose pods run another proxy than they are to.
struct Stale {
    /// The revision whose proxy they are to run.
    to: String,
    /// Those that they run.
    from: BTreeSet<String>,
    pods: usize,
}

impl Planner<'_> {
    /// Adds the restarts and the waits, and refuses what can't be.
    pub(in crate::plan) fn decide_mesh(&mut self) {
        let is_whole_destroy = self.policy.destroy && !self.policy.is_partial();
        if is_whole_destroy || self.policy.rotate || self.policy.exactly {
            return;
        }
        let running = live(&self.observed.resources);
        self.warn_of_versions(&running);
        if running.is_empty() && !self.policy.is_partial() {
            // Nothing is there that pods could have a proxy of.
            self.settles = digest(&self.policy.declared, &self.policy.batches);
        }
        let Some(proxies) = self.observed.proxies.clone() else { return };
        let stale = self.stale(&proxies);
        let has_restarts = self.restart(&stale);
        self.name_what_stays(&stale);
        self.name_older_proxies(&proxies, &running);
        self.guard(&proxies, &running);
        if !self.policy.is_partial() && !self.policy.destroy {
            self.settles = digest(&self.policy.declared, &self.policy.batches);
            self.is_settled = !has_restarts;
        }
    }

    /// The workloads whose pods run another proxy than new ones would get.
    fn stale(&self, proxies: &Proxies) -> BTreeMap<Addr, Stale> {
        let injectors = Injectors::of(&self.policy.declared);
        let mut stale: BTreeMap<Addr, Stale> = BTreeMap::new();
        for proxy in proxies.pods.iter().filter(|proxy| !proxy.is_going) {
            let of_namespace = self.labels_of_namespace(&proxy.namespace, proxies);
            let of_pod = template_labels(self.policy.declared.get(&proxy.workload)).unwrap_or_else(|| proxy.labels.clone());
            let Some(to) = injectors.takes(&proxy.namespace, &of_namespace, &of_pod).filter(|to| *to != proxy.revision) else { continue };
            let one = stale.entry(proxy.workload.clone()).or_insert_with(|| Stale { to: to.to_owned(), from: BTreeSet::new(), pods: 0 });
            one.from.insert(proxy.revision.clone());
            one.pods += 1;
        }
        stale
    }

    /// Whose proxy those pods will run that never start without one, as far as their namespaces are the stack's.
    pub(in crate::plan) fn injected_by(&self) -> BTreeMap<Addr, String> {
        let injectors = Injectors::of(&self.policy.declared);
        let none = Proxies::default();
        let of = |step: &Step| {
            let resource = self.desired.get(&step.addr)?;
            let (Spec::Manifest(spec), Addr::Kube { namespace: Some(namespace), .. }) = (&resource.spec, &step.addr) else { return None };
            let is_meant = spec.pod_to_inject().is_some() && self.policy.declared.contains(&Addr::namespace(namespace));
            let labels = self.labels_of_namespace(namespace, self.observed.proxies.as_ref().unwrap_or(&none));
            let revision = injectors.takes(namespace, &labels, &template_labels(Some(resource)).filter(|_| is_meant)?)?;
            Some((step.addr.clone(), revision.to_owned()))
        };
        self.steps.iter().filter(|step| !step.action.is_removal()).filter_map(of).collect()
    }

    /// The labels that a namespace will have: what the stack doesn't say of it stays, but for a choice of its own that it says no more.
    fn labels_of_namespace(&self, namespace: &str, proxies: &Proxies) -> Map<String, Value> {
        let mut labels = proxies.namespaces.get(namespace).cloned().unwrap_or_else(|| self.live_labels(namespace));
        let Some(chosen) = choice(&self.policy.declared, namespace) else { return labels };
        let found = self.observed.resources.get(&Addr::namespace(namespace));
        for key in [REVISION, INJECTION] {
            if found.is_some_and(|found| found.ours.contains(&format!("metadata.labels.{key}"))) {
                labels.remove(key);
            }
        }
        labels.extend(chosen);
        labels
    }

    fn live_labels(&self, namespace: &str) -> Map<String, Value> {
        let attrs = self.observed.resources.get(&Addr::namespace(namespace)).map(|found| &found.attrs);
        let labels = attrs.into_iter().flatten().filter_map(|(path, attr)| {
            Some((path.strip_prefix("metadata.labels.")?.to_owned(), Value::String(attr.as_text()?.to_owned())))
        });
        labels.collect()
    }

    /// The steps that restart workloads, or wait until those that roll anyway have done so; says whether there are some.
    fn restart(&mut self, stale: &BTreeMap<Addr, Stale>) -> bool {
        let mut has_some = false;
        for (addr, one) in stale {
            let Addr::Kube { namespace: Some(namespace), .. } = addr else { continue };
            let is_restarted = self.policy.batches.iter().any(|batch| batch.restart && batch.has(namespace));
            if !is_restarted || !is_restartable(addr) || self.waits_for_deletions(addr) || self.goes(addr) || !self.in_scope(addr) {
                continue;
            }
            has_some = true;
            let from = some_of(&one.from.iter().cloned().collect::<Vec<_>>());
            let (pods, verb) = (pods(one.pods), if one.pods == 1 { "runs" } else { "run" });
            let are = if one.pods == 1 { "is" } else { "are" };
            let (action, reason) = if self.rolls(addr) {
                (Action::Read, format!("its change makes its {pods} anew: waits until they run the proxy of {} in place of {from}", one.to))
            } else {
                (Action::Restart, format!("its {pods} {verb} the proxy of {from}, and {are} to run that of {}", one.to))
            };
            self.steps.push(Step { proxies: Some(ProxyStep::Of(one.to.clone())), ..Step::of(addr, action, reason) });
        }
        has_some
    }

    /// Whether the stack's own workload leaves it to others when its pods are made anew.
    fn waits_for_deletions(&self, addr: &Addr) -> bool {
        let Some(Spec::Manifest(spec)) = self.policy.declared.get(addr).map(|resource| &resource.spec) else { return false };
        spec.object.body.pointer("/spec/updateStrategy/type").and_then(Value::as_str) == Some("OnDelete")
    }

    /// Workloads that go on with the proxy that they have: nothing waits for them.
    fn name_what_stays(&mut self, stale: &BTreeMap<Addr, Stale>) {
        let mut by_move: BTreeMap<(String, String), Vec<String>> = BTreeMap::new();
        for (addr, one) in stale {
            let is_moved = self.steps.iter().any(|step| step.addr == *addr && step.proxies.is_some());
            if is_moved || self.rolls(addr) || self.goes(addr) {
                continue;
            }
            for from in &one.from {
                by_move.entry((from.clone(), one.to.clone())).or_default().push(format!("{addr} ({})", pods(one.pods)));
            }
        }
        for ((from, to), workloads) in by_move {
            self.notes
                .push(format!("these run the proxy of {from}, and get that of {to} when they are restarted: {}", workloads.join(", ")));
        }
    }

    /// A control plane that leaves waits for the pods that this plan moves; others keep it.
    fn guard(&mut self, proxies: &Proxies, running: &[ControlPlane]) {
        let is_going = |plane: &&ControlPlane| {
            self.steps.iter().any(|step| step.addr == plane.addr && step.action == Action::Delete && !step.is_deposed)
        };
        let leaving: Vec<ControlPlane> = running.iter().filter(is_going).cloned().collect();
        for plane in leaving {
            let mut users: BTreeMap<&Addr, usize> = BTreeMap::new();
            for proxy in proxies.pods.iter().filter(|proxy| proxy.revision == plane.revision && !proxy.is_going) {
                *users.entry(&proxy.workload).or_default() += 1;
            }
            let staying: Vec<String> = users
                .iter()
                .filter(|(addr, _)| !self.is_freed(addr, proxies, &plane))
                .map(|(addr, count)| format!("{addr} ({})", pods(*count)))
                .collect();
            if !staying.is_empty() {
                self.refuse_in_use(&plane, &staying);
                continue;
            }
            let now = if users.is_empty() {
                String::new()
            } else {
                format!("; now {}", some_of(&users.keys().map(ToString::to_string).collect::<Vec<_>>()))
            };
            let reason = format!("goes when no pod runs its proxy{now}");
            self.steps
                .push(Step { proxies: Some(ProxyStep::NoneOf(plane.revision.clone())), ..Step::of(&plane.addr, Action::Read, reason) });
        }
    }

    /// Whether this plan takes the proxy of a control plane that leaves from a workload.
    fn is_freed(&self, addr: &Addr, proxies: &Proxies, plane: &ControlPlane) -> bool {
        if self.goes(addr) || self.steps.iter().any(|step| step.addr == *addr && step.proxies.is_some()) {
            return true;
        }
        // One that rolls gets what its namespace chooses then: another one's, or none.
        let injectors = Injectors::of(&self.policy.declared);
        let labels = |proxy: &Proxy| template_labels(self.policy.declared.get(addr)).unwrap_or_else(|| proxy.labels.clone());
        let is_other = |proxy: &Proxy| {
            injectors.takes(&proxy.namespace, &self.labels_of_namespace(&proxy.namespace, proxies), &labels(proxy)) != Some(&plane.revision)
        };
        self.rolls(addr) && proxies.pods.iter().filter(|proxy| proxy.workload == *addr).all(is_other)
    }

    fn refuse_in_use(&mut self, plane: &ControlPlane, users: &[String]) {
        let chosen = self.policy.declared.resources().filter_map(|resource| {
            let Addr::Kube { namespace: None, name, .. } = &resource.addr else { return None };
            let label = choice(&self.policy.declared, name)?.get(REVISION)?.as_str()?.to_owned();
            (label == plane.revision).then(|| format!("`namespaces.{name}.revision`"))
        });
        let chosen: Vec<String> = chosen.collect();
        let choose = if chosen.is_empty() { String::new() } else { format!("{} names it still: choose another; ", some_of(&chosen)) };
        self.refusals.push(Refusal {
            addr: Some(plane.addr.clone()),
            code: "plan/revision-in-use",
            reason: format!("{} would go, and pods run its proxy that this plan doesn't move: {}", plane.describe(), users.join(", ")),
            help: format!(
                "{choose}keep it in the stack until they are restarted (`kubectl rollout restart`, or a batch of `istio.batches` with `restart: true`)"
            ),
            place: None,
        });
    }

    /// Whether a step of the workload's own makes its pods anew.
    fn rolls(&self, addr: &Addr) -> bool {
        let is_own = |step: &&Step| step.addr == *addr && step.proxies.is_none() && !self.waits_for_deletions(addr);
        self.steps.iter().filter(is_own).any(|step| step.action == Action::Replace || restarts_pods(step))
    }

    /// Whether a workload goes, or all that is in its namespace.
    fn goes(&self, addr: &Addr) -> bool {
        let Addr::Kube { namespace: Some(namespace), .. } = addr else { return false };
        let going = [addr.clone(), Addr::namespace(namespace)];
        self.steps.iter().any(|step| step.action == Action::Delete && !step.is_deposed && going.contains(&step.addr))
    }

    /// What the order of batches and other needs make impossible together.
    pub(in crate::plan) fn refuse_circle(&mut self, circle: &[Addr]) {
        if circle.is_empty() {
            return;
        }
        let all: Vec<String> = circle.iter().map(|addr| format!("`{addr}`")).collect();
        let reason = format!(
            "the order of `istio.batches` goes against what the stack's objects need of one another: {} wait in a circle",
            some_of(&all)
        );
        self.refuse(
            None,
            "plan/batch-order",
            reason,
            "put the namespaces in another order, or together in one batch; `meshform graph` shows who waits for whom",
        );
    }
}

/// Whether a change makes the pods of a workload anew.
pub(in crate::plan) fn restarts_pods(step: &Step) -> bool {
    let is_of_template = |path: &str| path == "spec.template" || path.starts_with("spec.template.");
    is_restartable(&step.addr)
        && matches!(step.action, Action::Update | Action::Adopt)
        && step.proxies.is_none()
        && step.changes.iter().any(|change| is_of_template(&change.path))
}

/// Whether a workload rolls its pods by itself when its template changes.
pub(in crate::plan) fn is_restartable(addr: &Addr) -> bool {
    matches!(addr, Addr::Kube { kind, group, .. } if group == "apps" && matches!(kind.as_str(), "deployment" | "statefulset" | "daemonset"))
}

/// A number of pods in words.
pub(in crate::plan) fn pods(count: usize) -> String {
    if count == 1 { "1 pod".to_owned() } else { format!("{count} pods") }
}

/// The labels of the pods that a workload of the stack makes.
fn template_labels(resource: Option<&Resource>) -> Option<Map<String, Value>> {
    let Spec::Manifest(spec) = &resource?.spec else { return None };
    spec.object.body.pointer("/spec/template/metadata/labels")?.as_object().cloned()
}
