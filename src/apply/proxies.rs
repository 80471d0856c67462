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
use crate::provider::kube::{KindPath, Kube, Live};
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

/// Makes a workload roll, unless it does so already. Whether its pods run the proxy that they are to is for the wait to see.
async fn restart(kube: &Kube, step: &Step, revision: String, clock: &Clock) -> Result<Outcome, StepError> {
    let Addr::Kube { kind, group, namespace: Some(namespace), name } = &step.addr else { return Err(lost(&step.addr)) };
    let Some(built_in) = built_in(group, kind) else { return Err(lost(&step.addr)) };
    let path = KindPath { api_version: format!("{group}/v1"), plural: built_in.plural.to_owned() };
    let restarts = step.action == Action::Restart;
    if restarts {
        let Some(live) = kube.get(&path, Some(namespace), name).await? else { return Ok(Outcome::done(Vec::new())) };
        let object = live.whole();
        if let Some(why) = never(&object) {
            return Err(StepError::NotReady { says: why.to_owned(), after: None, evidence: Vec::new() });
        }
        if readiness(group, built_in.kind, &object, clock.now()) == Readiness::Ready {
            kube.restart(&path, namespace, name, clock.now()).await?;
        }
    }
    let says = format!("they run another proxy than that of {revision}");
    let wait = Wait::Proxies { addr: step.addr.clone(), path, revision, restarts, says };
    Ok(Outcome { wait: Some(wait), ..Outcome::default() })
}

/// Why a change of its template doesn't replace the pods of a workload, where that is so.
fn never(object: &Value) -> Option<&'static str> {
    if object.pointer("/spec/updateStrategy/type").and_then(Value::as_str) == Some("OnDelete") {
        return Some("its pods are made anew only when they are deleted (`updateStrategy: OnDelete`): delete them");
    }
    (object.pointer("/spec/paused") == Some(&Value::Bool(true))).then_some("it is paused (`spec.paused`): resume it")
}

/// A workload that is waited for.
pub(super) struct Waiting<'a> {
    pub(super) node: usize,
    pub(super) addr: &'a Addr,
    pub(super) path: &'a KindPath,
    pub(super) revision: &'a str,
    /// Whether it may have to be restarted again.
    pub(super) restarts: bool,
    /// How long it may take, where it has lasted that long.
    pub(super) late: Option<Duration>,
}

impl Waiting<'_> {
    fn place(&self) -> (&str, &str) {
        match self.addr {
            Addr::Kube { namespace, name, .. } => (namespace.as_deref().unwrap_or_default(), name),
            Addr::Aws { key, .. } => ("", key),
        }
    }
}

/// One look at all workloads that are waited for: several of a kind in a namespace by one list, and then one list of pods for each namespace. Pods
/// are looked at after the workloads: what these say to be rolled out is then among them.
pub(super) async fn seen(kube: &Kube, waiting: &[Waiting<'_>], clock: &Clock) -> Vec<(usize, Result<Seen, StepError>)> {
    let mut counts: BTreeMap<(&KindPath, &str), usize> = BTreeMap::new();
    for one in waiting {
        *counts.entry((one.path, one.place().0)).or_default() += 1;
    }
    let mut lists = BTreeMap::new();
    for (path, namespace) in counts.into_iter().filter(|(_, count)| *count >= LIST_FROM).map(|(place, _)| place) {
        lists.insert((path, namespace), kube.list_within(path, namespace).await);
    }
    let mut objects: Vec<Result<Option<Value>, ProviderError>> = Vec::new();
    for one in waiting {
        let (namespace, name) = one.place();
        objects.push(match lists.get(&(one.path, namespace)) {
            Some(Ok(list)) => Ok(list.iter().find(|live| live.name() == name).map(Live::whole)),
            Some(Err(error)) => Err(error.clone()),
            None => kube.get(one.path, Some(namespace), name).await.map(|live| live.as_ref().map(Live::whole)),
        });
    }
    let mut pods: BTreeMap<&str, Result<Vec<Proxy>, ProviderError>> = BTreeMap::new();
    for one in waiting {
        let namespace = one.place().0;
        if !pods.contains_key(namespace) {
            pods.insert(namespace, kube.pods_in(namespace).await);
        }
    }
    let mut answers = Vec::new();
    for (one, object) in waiting.iter().zip(objects) {
        let answer = match (object, &pods[one.place().0]) {
            (Err(error), _) => Err(error.into()),
            (_, Err(error)) => Err(error.clone().into()),
            // It is gone, and its pods with it.
            (Ok(None), _) => Ok(Seen::Over),
            (Ok(Some(object)), Ok(pods)) => judge(kube, one, &object, pods, clock).await,
        };
        answers.push((one.node, answer));
    }
    answers
}

/// From this number on the workloads of a kind in a namespace are looked at by one list.
const LIST_FROM: usize = 4;

async fn judge(kube: &Kube, one: &Waiting<'_>, object: &Value, pods: &[Proxy], clock: &Clock) -> Result<Seen, StepError> {
    let Addr::Kube { kind, group, namespace, name } = one.addr else { return Err(lost(one.addr)) };
    let kind = built_in(group, kind).map_or("", |kind| kind.kind);
    let own: Vec<&Proxy> = pods.iter().filter(|pod| pod.workload == *one.addr).collect();
    let others = own.iter().filter(|pod| pod.revision != one.revision).count();
    let others_say = format!("{others} of {} pods run another proxy than that of {}", own.len(), one.revision);
    let says = match readiness(group, kind, object, clock.now()) {
        Readiness::Ready if others == 0 => return Ok(Seen::Over),
        Readiness::Ready if one.restarts => return Ok(Seen::Again(others_say)),
        Readiness::Ready => others_say,
        Readiness::Waiting(why) | Readiness::Failed(why) if others == 0 => why,
        Readiness::Waiting(why) | Readiness::Failed(why) => format!("{others_say}; {why}"),
    };
    let Some(limit) = one.late else { return Ok(Seen::Says(says)) };
    let evidence = evidence(kube, one.path, namespace.as_deref(), name).await;
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
