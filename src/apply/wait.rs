//! Waits: one poller per API, account and region, whatever the number of those who wait. Waits hold no slot.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use serde_json::Value;

use super::engine::{Engine, Finished, Outcome, Stage};
use super::evidence::evidence;
use super::{Limits, Progress, StepError, proxies};
use crate::addr::Addr;
use crate::clock::Clock;
use crate::event::Event;
use crate::material::PublicPart;
use crate::observe::dead_reason;
use crate::plan::Action;
use crate::provider::aws::acm::{Acm, Described, Listed};
use crate::provider::aws::route53::Route53;
use crate::provider::aws::secretsmanager::{SecretEntry, SecretsManager};
use crate::provider::error::{Class, ProviderError};
use crate::provider::kube::{KindPath, Kube, Live};
use crate::ready::{Readiness, balanced, hostname, readiness};
use crate::resource::certificate::{CertificateFacts, CertificateSpec, Dates, LeafFacts};
use crate::resource::{LABEL_STACK, Spec};
use crate::stack::{Dns, Role};
use crate::store::{Lease, StoreError};

/// What a step waits for.
#[derive(Clone, Debug)]
pub(super) enum Wait {
    /// ACM makes the validation records: seconds.
    Records { arn: String, region: String, is_manual: bool, issue_limit: Duration },
    /// ACM issues the certificate: minutes.
    Issued { arn: String, region: String, limit: Duration, by_ca: bool },
    /// Nobody uses a certificate any more.
    InUse { arn: String, region: String },
    /// All name servers know a change.
    InSync { change: String, role: Option<Role> },
    /// A secret's copies are in their regions.
    Replicas { arn: String, region: String },
    /// An object that is being deleted is gone.
    Gone { addr: Addr, path: KindPath, uid: String, holds: String },
    /// The pods that a workload would make come back injected.
    Injected { namespace: String, pod: Box<Value>, revision: Option<String>, says: String },
    /// All pods of a workload run the proxy of a revision. Where it `restarts`, it may have to do so again.
    Proxies { addr: Addr, path: KindPath, revision: String, restarts: bool, says: String },
    /// No pod runs the proxy of a revision.
    Unused { revision: String, says: String },
    /// An object does what it is for.
    Ready { addr: Addr, kind: String, path: KindPath, says: String },
    /// A load balancer has its name; another one than before, where that one is replaced.
    Balanced { addr: Addr, path: KindPath, says: String, moves_from: Option<String> },
}

impl Wait {
    /// What a requested certificate waits for first: its records, or at once the signature of a private CA, which validates nothing.
    pub(super) fn requested(arn: &str, region: &str, spec: &CertificateSpec) -> Self {
        if !spec.has_records() {
            let limit = Duration::from_secs(spec.issue_timeout);
            return Self::Issued { arn: arn.to_owned(), region: region.to_owned(), limit, by_ca: true };
        }
        Self::Records {
            arn: arn.to_owned(),
            region: region.to_owned(),
            is_manual: spec.dns == Dns::Manual,
            issue_limit: Duration::from_secs(spec.issue_timeout),
        }
    }

    pub(super) fn in_use(arn: &str, region: &str) -> Self {
        Self::InUse { arn: arn.to_owned(), region: region.to_owned() }
    }

    /// Whether the step's first point is behind it.
    pub(super) fn is_past_created(&self) -> bool {
        matches!(
            self,
            Self::Issued { .. }
                | Self::InSync { .. }
                | Self::Replicas { .. }
                | Self::Ready { .. }
                | Self::Balanced { .. }
                | Self::Proxies { .. }
                | Self::Unused { .. }
        )
    }

    /// Whether it is over in seconds, so that `--no-wait` waits for it all the same.
    pub(super) fn is_short(&self) -> bool {
        matches!(self, Self::Records { .. } | Self::InSync { .. })
    }

    /// What is waited for, and what would end it.
    pub(super) fn what(&self) -> String {
        match self {
            Self::Records { .. } => "ACM to make the validation records".into(),
            Self::Issued { by_ca: true, .. } => "the private CA to sign the certificate".into(),
            Self::Issued { .. } => "ACM to see the validation records and issue the certificate".into(),
            Self::InUse { .. } => "the services that still use the certificate to let it go".into(),
            Self::InSync { .. } => "Route 53's name servers to know the record".into(),
            Self::Replicas { .. } => "the secret's copies to be in their regions".into(),
            Self::Gone { holds, .. } => format!("the object to go ({holds})"),
            Self::Injected { says, .. } => format!("the injector to put the proxy into its pods ({says})"),
            Self::Ready { says, .. } => format!("the object to be ready ({says})"),
            Self::Proxies { says, .. } => format!("its pods to run the new proxy ({says})"),
            Self::Unused { revision, says } => format!("the pods that run the proxy of {revision} to go ({says})"),
            Self::Balanced { says, .. } => format!("the load balancer ({says})"),
        }
    }

    pub(super) fn limit(&self, limits: &Limits) -> Duration {
        match self {
            Self::Records { .. } => limits.records,
            Self::Issued { limit, .. } => *limit,
            Self::InUse { .. } => limits.in_use,
            Self::InSync { .. } => limits.in_sync,
            Self::Gone { .. } => limits.gone,
            Self::Replicas { .. }
            | Self::Injected { .. }
            | Self::Ready { .. }
            | Self::Balanced { .. }
            | Self::Proxies { .. }
            | Self::Unused { .. } => limits.ready,
        }
    }

    fn key(&self) -> Key {
        match self {
            Self::Records { region, .. } | Self::Issued { region, .. } | Self::InUse { region, .. } => Key::Acm(region.clone()),
            Self::InSync { role, .. } => Key::Route53(role.clone()),
            Self::Replicas { region, .. } => Key::Secrets(region.clone()),
            Self::Gone { .. }
            | Self::Injected { .. }
            | Self::Ready { .. }
            | Self::Balanced { .. }
            | Self::Proxies { .. }
            | Self::Unused { .. } => Key::Kube,
        }
    }
}

/// A poller.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Key {
    Acm(String),
    Route53(Option<Role>),
    Secrets(String),
    Kube,
}

/// All who wait.
#[derive(Default)]
pub(super) struct Waits {
    active: BTreeMap<usize, (Wait, Timestamp)>,
    by_key: BTreeMap<Key, BTreeSet<usize>>,
    /// How often each poller has asked since someone new came.
    asked: BTreeMap<Key, u32>,
    in_flight: BTreeSet<Key>,
    /// Since when a step waits for others to let go: a deletion that is refused again goes on in the same wait.
    in_use_since: BTreeMap<usize, Timestamp>,
    /// How often a workload was restarted again, as its pods came with another proxy than they were to.
    restarted: BTreeMap<usize, u32>,
    /// Steps that were left in a wait after their first point.
    pub(super) left_created: BTreeSet<usize>,
}

impl Waits {
    pub(super) fn add(&mut self, node: usize, wait: Wait, now: Timestamp) {
        self.forget(node);
        let key = wait.key();
        // Who comes new is looked after soon.
        self.asked.remove(&key);
        let since = if matches!(wait, Wait::InUse { .. }) { *self.in_use_since.entry(node).or_insert(now) } else { now };
        self.by_key.entry(key).or_default().insert(node);
        self.active.insert(node, (wait, since));
    }

    pub(super) fn is_waiting(&self, node: usize) -> bool {
        self.active.contains_key(&node)
    }

    pub(super) fn forget(&mut self, node: usize) {
        if let Some((wait, _)) = self.active.remove(&node) {
            let key = wait.key();
            if let Some(nodes) = self.by_key.get_mut(&key) {
                nodes.remove(&node);
                if nodes.is_empty() {
                    self.by_key.remove(&key);
                }
            }
        }
    }

    pub(super) fn drain(&mut self) -> Vec<(usize, Wait)> {
        self.by_key.clear();
        std::mem::take(&mut self.active).into_iter().map(|(node, (wait, _))| (node, wait)).collect()
    }

    fn of(&self, key: &Key) -> Vec<(usize, Wait)> {
        let nodes = self.by_key.get(key).into_iter().flatten();
        nodes.filter_map(|node| Some((*node, self.active.get(node)?.0.clone()))).collect()
    }

    /// Who has waited for longer than that.
    fn older_than(&self, age: SignedDuration, now: Timestamp) -> BTreeSet<usize> {
        self.active.iter().filter(|(_, (_, since))| now.duration_since(*since) > age).map(|(node, _)| *node).collect()
    }

    /// The same without those whose records can't be there yet.
    fn ripe(&self, key: &Key, now: Timestamp) -> Vec<(usize, Wait)> {
        let mut waits = self.of(key);
        waits.retain(|(node, wait)| {
            let since = self.active.get(node).map_or(now, |(_, since)| *since);
            !matches!(wait, Wait::Records { .. }) || now.duration_since(since) >= SignedDuration::from_secs(4)
        });
        waits
    }
}

/// How long a list may lack a certificate that is there.
const LIST_LAG: SignedDuration = SignedDuration::from_mins(2);

/// The answer of a poll.
pub(super) struct Polled {
    key: Key,
    answers: Vec<(usize, Result<Seen, StepError>)>,
}

/// What a poll saw of one who waits.
pub(super) enum Seen {
    Still,
    Described(Box<Described>),
    Issued {
        dates: Dates,
        leaf: Option<LeafFacts>,
    },
    /// It goes on, for another reason than before.
    Says(String),
    /// A load balancer has this name.
    Named(String),
    /// It is through, and has to begin again: why.
    Again(String),
    Over,
}

impl<L: Lease> Engine<'_, L> {
    /// Schedules a poll for every poller that has someone to look after.
    pub(super) fn schedule_polls(&mut self) {
        let idle: Vec<Key> = self.waits.by_key.keys().filter(|key| !self.waits.in_flight.contains(*key)).cloned().collect();
        for key in idle {
            self.waits.in_flight.insert(key.clone());
            let asked = self.waits.asked.entry(key.clone()).or_default();
            *asked += 1;
            let asked = *asked;
            let pause = pause(&key, &self.waits.of(&key), asked);
            self.later(pause, async move { Finished::Due(key) });
        }
    }

    /// Polls for all who wait now.
    pub(super) fn poll(&mut self, key: Key) {
        let waits = self.waits.ripe(&key, self.world.clock.now());
        let without_delivery: BTreeSet<usize> = waits.iter().map(|(node, _)| *node).filter(|node| !self.has_delivery(*node)).collect();
        let overdue = self.waits.older_than(LIST_LAG, self.world.clock.now());
        let limit = SignedDuration::try_from(self.options.limits.ready).unwrap_or(SignedDuration::MAX);
        let late = self.waits.older_than(limit, self.world.clock.now());
        let looks = Looks {
            selector: format!("{LABEL_STACK}={}", self.plan.stack),
            late,
            limit: self.options.limits.ready,
            now: self.world.clock.now(),
            clock: self.world.clock.clone(),
        };
        let (aws, kube) = (self.world.aws.clone(), self.world.kube.clone());
        self.later(Duration::ZERO, async move {
            let answers = match (&key, aws, kube) {
                (Key::Acm(region), Some(aws), _) => poll_acm(&aws.acm(region), &waits, &without_delivery, &overdue).await,
                (Key::Route53(role), Some(aws), _) => poll_route53(&aws.route53(role.as_ref()).await, &waits).await,
                (Key::Secrets(region), Some(aws), _) => poll_secrets(&aws.secretsmanager(region), &waits).await,
                (Key::Kube, _, Some(kube)) => poll_kube(&kube, &waits, &looks).await,
                _ => Vec::new(),
            };
            Finished::Polled(Polled { key, answers })
        });
    }

    /// Whether a delivery will tell what the certificate is, so that it needs no reading.
    fn has_delivery(&self, node: usize) -> bool {
        self.materials.has_deliveries(&self.step(node).addr)
    }

    pub(super) fn take_polled(&mut self, polled: Polled) -> Result<(), StoreError> {
        self.waits.in_flight.remove(&polled.key);
        for (node, answer) in polled.answers {
            let Some((wait, since)) = self.waits.active.get(&node).cloned() else { continue };
            match answer {
                Err(StepError::Provider(error)) if error.is_transient() => self.check_limit(node, &wait, since),
                Err(error) => self.fail(node, error),
                Ok(Seen::Still) => self.check_limit(node, &wait, since),
                Ok(Seen::Says(says)) => {
                    self.say(node, &says);
                    // Of an object that isn't ready in time more is told; of others only that.
                    if matches!(wait, Wait::Injected { .. } | Wait::Unused { .. }) {
                        self.check_limit(node, &wait, since);
                    }
                }
                Ok(seen) => self.wait_over(node, wait, seen, since)?,
            }
        }
        Ok(())
    }

    /// Another reason of the same wait.
    fn say(&mut self, node: usize, new: &str) {
        let Some((wait, _)) = self.waits.active.get_mut(&node) else { return };
        if let Wait::Ready { says, .. }
        | Wait::Injected { says, .. }
        | Wait::Balanced { says, .. }
        | Wait::Proxies { says, .. }
        | Wait::Unused { says, .. } = wait
            && says != new
        {
            new.clone_into(says);
            let (what, limit) = (wait.what(), wait.limit(&self.options.limits));
            (self.sink)(Progress::Waiting { addr: self.plan.steps[node].addr.clone(), what, limit });
        }
    }

    fn check_limit(&mut self, node: usize, wait: &Wait, since: Timestamp) {
        let waited = Duration::try_from(self.world.clock.now().duration_since(since)).unwrap_or_default();
        if waited > wait.limit(&self.options.limits) {
            self.fail(node, StepError::Timeout { what: wait.what(), after: wait.limit(&self.options.limits) });
        }
    }

    fn wait_over(&mut self, node: usize, wait: Wait, seen: Seen, since: Timestamp) -> Result<(), StoreError> {
        let wait_limit = wait.limit(&self.options.limits);
        let addr = self.step(node).addr.clone();
        match (wait, seen) {
            (Wait::Records { arn, region, is_manual, issue_limit }, Seen::Described(described)) => {
                let Some(records) = described.records() else { return Ok(()) };
                let known = self.lease.state().certificate(&addr).cloned().unwrap_or_default();
                let facts = CertificateFacts { records: records.clone(), ..known };
                self.waits.forget(node);
                self.lease.record(Event::Learned { addr: addr.clone(), id: arn.clone(), facts })?;
                if is_manual && described.listed.status != "ISSUED" {
                    (self.sink)(Progress::ManualRecords { addr, records });
                }
                self.wait(node, Wait::Issued { arn, region, limit: issue_limit, by_ca: false });
            }
            (Wait::Issued { arn, .. }, Seen::Issued { dates, leaf }) => {
                let known = self.lease.state().certificate(&addr).cloned().unwrap_or_default();
                let leaf = leaf.or_else(|| known.leaf.clone().filter(|_| known.dates.as_ref() == Some(&dates)));
                let facts = CertificateFacts { dates: Some(dates), leaf, ..known };
                self.waits.forget(node);
                self.look_again(node);
                self.lease.record(Event::Learned { addr, id: arn, facts })?;
            }
            (Wait::InUse { .. }, Seen::Over) => {
                self.waits.forget(node);
                // Out of use: the deletion is tried again, as long as the wait may last.
                let since = self.waits.in_use_since.get(&node).copied().unwrap_or(since);
                if self.world.clock.now().duration_since(since) > SignedDuration::try_from(wait_limit).unwrap_or(SignedDuration::ZERO) {
                    let what = "the services that still use the certificate to let it go".into();
                    self.fail(node, StepError::Timeout { what, after: wait_limit });
                } else {
                    self.set_stage(node, Stage::Blocked);
                }
            }
            (Wait::Balanced { .. }, Seen::Named(name)) => {
                self.waits.forget(node);
                self.look_again(node);
                let attrs = self.lease.state().current(&addr).map(|current| current.attrs.clone()).unwrap_or_default();
                let Some(Spec::Manifest(spec)) = self.plan.graph.get(&addr).map(|resource| &resource.spec) else { return Ok(()) };
                let attrs = spec.with_hostname(attrs, Some(&name));
                let manual = spec.balancer.iter().flat_map(|balancer| &balancer.manual_hosts).cloned().collect::<Vec<_>>();
                if !manual.is_empty() {
                    let hosts = manual.join(", ");
                    (self.sink)(Progress::Note(format!("{addr}: write records that lead {hosts} to {name} (`dns: manual`)")));
                }
                self.lease.record(Event::Applied { addr, attrs })?;
            }
            // Its pods were made when not all API servers knew of the namespace's new choice.
            (Wait::Proxies { .. }, Seen::Again(says)) => {
                self.waits.forget(node);
                let count = self.waits.restarted.entry(node).or_default();
                *count += 1;
                if *count > MOST_RESTARTS {
                    let says = format!("{says}, though it was restarted {count} times");
                    self.fail(node, StepError::NotReady { says, after: None, evidence: Vec::new() });
                } else {
                    self.set_stage(node, Stage::Blocked);
                }
            }
            (Wait::InSync { .. } | Wait::Replicas { .. } | Wait::Ready { .. } | Wait::Proxies { .. } | Wait::Unused { .. }, Seen::Over) => {
                self.waits.forget(node);
                self.look_again(node);
            }
            (Wait::Injected { .. }, Seen::Over) => {
                self.waits.forget(node);
                self.set_stage(node, Stage::Blocked);
            }
            // Room was made for what takes its place: the step begins again.
            (Wait::Gone { .. }, Seen::Over) if self.step(node).action == Action::Replace => {
                self.waits.forget(node);
                self.set_stage(node, Stage::Blocked);
            }
            (Wait::Gone { uid, .. }, Seen::Over) => {
                self.waits.forget(node);
                let event = Event::Deleted { addr, id: uid };
                self.advance(node, Outcome::done(vec![event]))?;
            }
            _ => {}
        }
        Ok(())
    }
}

/// How long to wait before the next poll: short at first, then at the pace of the API's budget and of what is waited for.
fn pause(key: &Key, waits: &[(usize, Wait)], count: u32) -> Duration {
    let has_records = waits.iter().any(|(_, wait)| matches!(wait, Wait::Records { .. }));
    Duration::from_secs(match key {
        Key::Acm(_) if has_records => 6,
        Key::Acm(_) => match count {
            1 => 2,
            2..=4 => 10,
            _ => 20,
        },
        Key::Route53(_) => 8,
        Key::Secrets(_) => 3,
        Key::Kube => 1 + u64::from(count.min(2)),
    })
}

async fn poll_acm(
    acm: &Acm,
    waits: &[(usize, Wait)],
    without_delivery: &BTreeSet<usize>,
    overdue: &BTreeSet<usize>,
) -> Vec<(usize, Result<Seen, StepError>)> {
    let mut answers = Vec::new();
    let described: Vec<(usize, &Wait, String)> = waits
        .iter()
        .filter_map(|(node, wait)| match wait {
            Wait::Records { arn, .. } | Wait::InUse { arn, .. } => Some((*node, wait, arn.clone())),
            _ => None,
        })
        .collect();
    let arns = described.iter().map(|(_, _, arn)| arn.clone()).collect();
    match acm.describe_all(arns).await {
        Ok(found) => {
            for ((node, wait, arn), one) in described.iter().zip(found) {
                let is_gone = one.is_none() && matches!(wait, Wait::Records { .. }) && overdue.contains(node);
                answers.push((*node, if is_gone { Err(deleted_meanwhile(arn)) } else { seen_described(wait, one) }));
            }
        }
        Err(error) => answers.extend(described.iter().map(|(node, _, _)| (*node, Err(error.clone().into())))),
    }
    let issued: Vec<(usize, &str)> = waits
        .iter()
        .filter_map(|(node, wait)| match wait {
            Wait::Issued { arn, .. } => Some((*node, arn.as_str())),
            _ => None,
        })
        .collect();
    if !issued.is_empty() {
        match acm.list().await {
            Ok(listed) => {
                let by_arn: BTreeMap<&str, &Listed> = listed.iter().map(|one| (one.arn.as_str(), one)).collect();
                for (node, arn) in issued {
                    let listed = by_arn.get(arn).copied();
                    let answer = match listed {
                        None if overdue.contains(&node) => seen_unlisted(acm, arn).await,
                        listed => seen_listed(acm, arn, listed, without_delivery.contains(&node)).await,
                    };
                    answers.push((node, answer));
                }
            }
            Err(error) => answers.extend(issued.into_iter().map(|(node, _)| (node, Err(error.clone().into())))),
        }
    }
    answers
}

/// Copies are told by their secret's description alone.
async fn poll_secrets(manager: &SecretsManager, waits: &[(usize, Wait)]) -> Vec<(usize, Result<Seen, StepError>)> {
    let mut answers = Vec::new();
    for (node, wait) in waits {
        let Wait::Replicas { arn, .. } = wait else { continue };
        answers.push((*node, manager.describe(arn).await.map_err(StepError::from).and_then(|entry| seen_replicas(&entry))));
    }
    answers
}

fn seen_replicas(entry: &SecretEntry) -> Result<Seen, StepError> {
    let replicas = || entry.replicas.iter().flatten();
    if let Some((region, replica)) = replicas().find(|(_, replica)| replica.status == "Failed") {
        let says = format!("it could not be copied to {region}: {}", replica.message);
        return Err(StepError::NotReady { says, after: None, evidence: Vec::new() });
    }
    Ok(if replicas().all(|(_, replica)| replica.status == "InSync") { Seen::Over } else { Seen::Still })
}

fn seen_described(wait: &Wait, described: Option<Described>) -> Result<Seen, StepError> {
    match (wait, described) {
        // A certificate that is to go and is gone; or one that was just requested and can't be described yet.
        (Wait::InUse { .. }, None) => Ok(Seen::Over),
        (_, None) => Ok(Seen::Still),
        (Wait::InUse { .. }, Some(described)) => Ok(if described.in_use_by.is_empty() { Seen::Over } else { Seen::Still }),
        (_, Some(described)) => {
            if is_dead(&described.listed.status) {
                return Err(StepError::NotIssued(dead_reason(&described.listed.status, described.failure_reason.as_deref())));
            }
            let is_complete = described.records().is_some();
            Ok(if is_complete { Seen::Described(Box::new(described)) } else { Seen::Still })
        }
    }
}

fn deleted_meanwhile(arn: &str) -> StepError {
    StepError::Changed(format!("{arn} was deleted while it was waited for"))
}

/// A certificate that no list shows for so long: is it gone?
async fn seen_unlisted(acm: &Acm, arn: &str) -> Result<Seen, StepError> {
    match acm.describe(arn).await {
        Ok(_) => Ok(Seen::Still),
        Err(error) if error.is_not_found() => Err(deleted_meanwhile(arn)),
        Err(error) => Err(error.into()),
    }
}

async fn seen_listed(acm: &Acm, arn: &str, listed: Option<&Listed>, wants_leaf: bool) -> Result<Seen, StepError> {
    match listed.map(|listed| listed.status.as_str()) {
        Some("ISSUED") => {
            let leaf = if wants_leaf {
                let (leaf, chain) = acm.get(arn).await?;
                let public = PublicPart::read(&leaf, &chain).map_err(|error| {
                    ProviderError::own(crate::permissions::Call::GetCertificate.name(), arn, Class::Server, error.to_string())
                })?;
                Some(public.leaf().clone())
            } else {
                None
            };
            Ok(Seen::Issued { dates: listed.map(|listed| listed.dates.clone()).unwrap_or_default(), leaf })
        }
        Some(status) if is_dead(status) => {
            // The list doesn't say why.
            let described = acm.describe(arn).await?;
            Err(StepError::NotIssued(dead_reason(status, described.failure_reason.as_deref())))
        }
        // In the list's blind spot: it lags, and what it lacks is not gone.
        _ => Ok(Seen::Still),
    }
}

fn is_dead(status: &str) -> bool {
    ["FAILED", "VALIDATION_TIMED_OUT", "REVOKED", "EXPIRED", "INACTIVE"].contains(&status)
}

async fn poll_route53(route53: &Route53, waits: &[(usize, Wait)]) -> Vec<(usize, Result<Seen, StepError>)> {
    let mut by_change: BTreeMap<&str, Vec<usize>> = BTreeMap::new();
    for (node, wait) in waits {
        if let Wait::InSync { change, .. } = wait {
            by_change.entry(change).or_default().push(*node);
        }
    }
    let mut answers = Vec::new();
    for (change, nodes) in by_change {
        let seen = route53.is_in_sync(change).await;
        for node in nodes {
            let answer = match &seen {
                Ok(true) => Ok(Seen::Over),
                Ok(false) => Ok(Seen::Still),
                // Route 53 forgets old changes: those are through.
                Err(error) if error.is_not_found() => Ok(Seen::Over),
                Err(error) => Err(error.clone().into()),
            };
            answers.push((node, answer));
        }
    }
    answers
}

/// How often a workload is restarted again at most.
const MOST_RESTARTS: u32 = 3;

/// How objects are looked at.
struct Looks {
    /// The label of the stack's objects.
    selector: String,
    /// Who has waited for as long as objects may take.
    late: BTreeSet<usize>,
    limit: Duration,
    now: Timestamp,
    clock: Clock,
}

/// From this number on those of one kind who wait to be ready are looked at by one list.
const LIST_FROM: usize = 4;

async fn poll_kube(kube: &Kube, waits: &[(usize, Wait)], looks: &Looks) -> Vec<(usize, Result<Seen, StepError>)> {
    let mut by_path: BTreeMap<&KindPath, usize> = BTreeMap::new();
    for (_, wait) in waits {
        if let Wait::Ready { path, .. } = wait {
            *by_path.entry(path).or_default() += 1;
        }
    }
    let mut listed: BTreeMap<&KindPath, Result<Vec<Live>, ProviderError>> = BTreeMap::new();
    for (path, _) in by_path.into_iter().filter(|(_, count)| *count >= LIST_FROM) {
        listed.insert(path, kube.list(path, &looks.selector).await);
    }
    let rolling: Vec<proxies::Waiting<'_>> = waits
        .iter()
        .filter_map(|(node, wait)| {
            let Wait::Proxies { addr, path, revision, restarts, .. } = wait else { return None };
            let late = looks.late.contains(node).then_some(looks.limit);
            Some(proxies::Waiting { node: *node, addr, path, revision, restarts: *restarts, late })
        })
        .collect();
    let mut answers = proxies::seen(kube, &rolling, &looks.clock).await;
    for (node, wait) in waits {
        let answer = match wait {
            Wait::Gone { addr: Addr::Kube { namespace, name, .. }, path, uid, .. } => {
                match kube.get(path, namespace.as_deref(), name).await {
                    Ok(Some(live)) if live.uid() == uid => Ok(Seen::Still),
                    Ok(_) => Ok(Seen::Over),
                    Err(error) => Err(error.into()),
                }
            }
            Wait::Unused { revision, .. } => match proxies::users(kube, revision).await {
                Ok(None) => Ok(Seen::Over),
                Ok(Some(says)) => Ok(Seen::Says(says)),
                Err(error) => Err(error.into()),
            },
            Wait::Injected { namespace, pod, revision, .. } => match kube.injects(namespace, pod, revision.as_deref()).await {
                Ok(None) => Ok(Seen::Over),
                Ok(Some(says)) => Ok(Seen::Says(says)),
                Err(error) => Err(error.into()),
            },
            Wait::Ready { addr: addr @ Addr::Kube { namespace, name, group, .. }, kind, path, .. } => {
                let from_list = |found: &Vec<Live>| {
                    found.iter().find(|live| live.name() == name && live.namespace() == namespace.as_deref()).map(Live::whole)
                };
                let object = match listed.get(path) {
                    Some(Ok(found)) => Ok(from_list(found)),
                    _ => kube.get(path, namespace.as_deref(), name).await.map(|live| live.as_ref().map(Live::whole)),
                };
                match object {
                    Err(error) => Err(error.into()),
                    Ok(None) => Err(StepError::Changed(format!("`{addr}` was deleted while it was waited for"))),
                    Ok(Some(object)) => match readiness(group, kind, &object, looks.now) {
                        Readiness::Ready => Ok(Seen::Over),
                        Readiness::Waiting(says) if !looks.late.contains(node) => Ok(Seen::Says(says)),
                        Readiness::Waiting(says) | Readiness::Failed(says) => {
                            let evidence = evidence(kube, path, namespace.as_deref(), name).await;
                            let after = looks.late.contains(node).then_some(looks.limit);
                            Err(StepError::NotReady { says, after, evidence })
                        }
                    },
                }
            }
            Wait::Balanced { addr: Addr::Kube { namespace: Some(namespace), name, .. }, path, moves_from, .. } => {
                let late = looks.late.contains(node).then_some(looks.limit);
                balance(kube, path, (namespace, name), moves_from.as_deref(), late).await
            }
            _ => continue,
        };
        answers.push((*node, answer));
    }
    answers
}

/// How far a load balancer is. Its controller tells trouble in events alone, which go away by themselves when it is mended: so they are what
/// is waited for, and the end when it has lasted too long.
async fn balance(
    kube: &Kube,
    path: &KindPath,
    (namespace, name): (&str, &str),
    moves_from: Option<&str>,
    late: Option<Duration>,
) -> Result<Seen, StepError> {
    let Some(live) = kube.get(path, Some(namespace), name).await? else {
        return Err(StepError::Changed(format!("Ingress `{namespace}/{name}` was deleted while it was waited for")));
    };
    let object = live.whole();
    match (balanced(&object), hostname(&object)) {
        (Readiness::Ready, Some(name)) if moves_from != Some(name) => Ok(Seen::Named(name.to_owned())),
        (Readiness::Ready, _) => match late {
            Some(_) => Err(StepError::NotReady { says: "the same load balancer is still there".into(), after: late, evidence: Vec::new() }),
            None => Ok(Seen::Still),
        },
        (Readiness::Waiting(says) | Readiness::Failed(says), _) => {
            let evidence = evidence(kube, path, Some(namespace), name).await;
            if late.is_some() {
                return Err(StepError::NotReady { says, after: late, evidence });
            }
            Ok(Seen::Says(evidence.last().cloned().unwrap_or(says)))
        }
    }
}
