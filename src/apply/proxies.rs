//! Steps that are about the proxies of pods: restarts, and the look whether a control plane's proxy is still in use.

use std::collections::BTreeMap;
use std::time::Duration;

use serde_json::Value;

use super::StepError;
use super::engine::{Engine, Finished, Outcome, lost};
use super::evidence::evidence;
use super::wait::{Seen, Wait};
use crate::addr::Addr;
use crate::clock::Clock;
use crate::observed::Proxy;
use crate::plan::{Action, ProxyStep, Step};
use crate::provider::error::ProviderError;
use crate::provider::kube::{KindPath, Kube};
use crate::ready::{Readiness, readiness};
use crate::resource::kinds::built_in;
use crate::store::Lease;

impl<L: Lease> Engine<'_, L> {
    pub(super) fn begin_proxies(&mut self, node: usize, step: &Step, proxies: ProxyStep) {
        let Some(kube) = self.world.kube.clone() else {
            self.fail(node, lost(&step.addr));
            return;
        };
        let (step, clock) = (step.clone(), self.world.clock.clone());
        self.spawn(Box::pin(async move {
            let result = match proxies {
                ProxyStep::Of(revision) => restart(&kube, &step, revision, &clock).await,
                ProxyStep::NoneOf(revision) => in_use(&kube, revision).await,
            };
            Finished::Step { node, result }
        }));
    }
}

/// Makes a workload roll, unless it does so already, or its pods run the proxy that they are to.
async fn restart(kube: &Kube, step: &Step, revision: String, clock: &Clock) -> Result<Outcome, StepError> {
    let Addr::Kube { kind, group, namespace: Some(namespace), name } = &step.addr else { return Err(lost(&step.addr)) };
    let Some(plural) = built_in(group, kind).map(|kind| kind.plural) else { return Err(lost(&step.addr)) };
    let path = KindPath { api_version: format!("{group}/v1"), plural: plural.to_owned() };
    let says = match look(kube, &step.addr, &path, &revision, clock).await? {
        Rollout::Done => return Ok(Outcome::done(Vec::new())),
        Rollout::Never(why) => return Err(never(why)),
        Rollout::Over(says) if step.action == Action::Restart => {
            kube.restart(&path, namespace, name, clock.now()).await?;
            says
        }
        Rollout::Running(says) | Rollout::Over(says) => says,
    };
    let (addr, restarts) = (step.addr.clone(), step.action == Action::Restart);
    Ok(Outcome { wait: Some(Wait::Proxies { addr, path, revision, restarts, says }), ..Outcome::default() })
}

fn never(why: &str) -> StepError {
    StepError::NotReady { says: why.to_owned(), after: None, evidence: Vec::new() }
}

/// How far a workload's pods are.
enum Rollout {
    /// All run the proxy that they are to, or there are none.
    Done,
    /// They are being replaced.
    Running(String),
    /// They have been replaced, and some still run another one.
    Over(String),
    /// A change of the template doesn't replace them: why.
    Never(&'static str),
}

async fn look(kube: &Kube, addr: &Addr, path: &KindPath, revision: &str, clock: &Clock) -> Result<Rollout, StepError> {
    let Addr::Kube { kind, group, namespace: Some(namespace), name } = addr else { return Err(lost(addr)) };
    let Some(live) = kube.get(path, Some(namespace), name).await? else { return Ok(Rollout::Done) };
    let (kind, object) = (built_in(group, kind).map_or("", |kind| kind.kind), live.whole());
    // Pods are looked at after the workload: what it says to be rolled out is then among them.
    let pods = kube.pods_in(namespace).await?;
    let own = pods.iter().filter(|pod| pod.workload == *addr);
    let (mut all, mut others) = (0_usize, 0_usize);
    for pod in own {
        all += 1;
        others += usize::from(pod.revision != revision);
    }
    let says = format!("{others} of {all} pods run another proxy than that of {revision}");
    if others > 0 && object.pointer("/spec/updateStrategy/type").and_then(Value::as_str) == Some("OnDelete") {
        return Ok(Rollout::Never("its pods are made anew only when they are deleted (`updateStrategy: OnDelete`): delete them"));
    }
    if others > 0 && object.pointer("/spec/paused") == Some(&Value::Bool(true)) {
        return Ok(Rollout::Never("it is paused (`spec.paused`): resume it"));
    }
    Ok(match readiness(group, kind, &object, clock.now()) {
        Readiness::Ready if others == 0 => Rollout::Done,
        Readiness::Ready => Rollout::Over(says),
        Readiness::Waiting(why) | Readiness::Failed(why) => Rollout::Running(if others == 0 { why } else { format!("{says}; {why}") }),
    })
}

/// One look at a workload that is waited for.
pub(super) async fn seen(
    kube: &Kube,
    (addr, path): (&Addr, &KindPath),
    (revision, restarts): (&str, bool),
    clock: &Clock,
    late: Option<Duration>,
) -> Result<Seen, StepError> {
    let says = match look(kube, addr, path, revision, clock).await? {
        Rollout::Done => return Ok(Seen::Over),
        Rollout::Never(why) => return Err(never(why)),
        Rollout::Over(says) if restarts => return Ok(Seen::Again(says)),
        Rollout::Over(says) | Rollout::Running(says) => says,
    };
    let Some(limit) = late else { return Ok(Seen::Says(says)) };
    let Addr::Kube { namespace, name, .. } = addr else { return Err(lost(addr)) };
    let evidence = evidence(kube, path, namespace.as_deref(), name).await;
    Err(StepError::NotReady { says, after: Some(limit), evidence })
}

/// The look right before what is left of a control plane goes.
async fn in_use(kube: &Kube, revision: String) -> Result<Outcome, StepError> {
    let says = users(kube, &revision).await?;
    Ok(match says {
        None => Outcome::done(Vec::new()),
        Some(says) => Outcome { wait: Some(Wait::Unused { revision, says }), ..Outcome::default() },
    })
}

/// The workloads whose pods run the proxy of a revision.
pub(super) async fn users(kube: &Kube, revision: &str) -> Result<Option<String>, ProviderError> {
    let pods: Vec<Proxy> = kube.pods(false).await?;
    let mut users: BTreeMap<&Addr, usize> = BTreeMap::new();
    for pod in pods.iter().filter(|pod| pod.revision == revision) {
        *users.entry(&pod.workload).or_default() += 1;
    }
    let list: Vec<String> = users.iter().map(|(addr, count)| format!("{addr}, {count}")).collect();
    Ok((!list.is_empty()).then(|| list.join("; ")))
}
