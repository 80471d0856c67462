//! Steps of records: gathered for a second, sent as one batch per zone, all or nothing; what is refused is sorted out and the rest
//! sent again.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use super::StepError;
use super::aliases::{self, AliasWork};
use super::engine::{Engine, Finished, Outcome, lost};
use super::wait::Wait;
use crate::addr::Addr;
use crate::event::{Event, Origin};
use crate::observe::record_id;
use crate::plan::{Action, Step};
use crate::provider::aws::route53::{BatchError, MAX_BATCH, RecordAction, Route53};
use crate::provider::error::{Class, ProviderError};
use crate::resource::alias_record::{LiveSet, Record};
use crate::resource::certificate::ValidationRecord;
use crate::resource::validation_record::{self, TTL};
use crate::resource::{Attr, Attrs, Spec, TAG_ADOPTED_RECORDS};
use crate::stack::Role;
use crate::store::{Lease, StoreError};

/// The most changes that a host's alias records take.
const MOST_OF_SET: usize = 12;
/// As many names are read one by one.
const MOST_NAMES: usize = 4;
/// How long a change waits for company.
const LINGER: Duration = Duration::from_secs(1);

/// A zone and the role to reach it with.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct ZoneKey {
    pub(super) zone_id: String,
    pub(super) role: Option<Role>,
}

/// The changes that wait for each zone.
#[derive(Default)]
pub(super) struct ZoneQueues {
    queued: BTreeMap<ZoneKey, Vec<Queued>>,
    lingering: BTreeSet<ZoneKey>,
    sent: BTreeSet<ZoneKey>,
}

impl ZoneQueues {
    pub(super) fn has_sent(&self) -> bool {
        !self.sent.is_empty()
    }
}

/// A change in a queue.
#[derive(Clone, Debug)]
struct Queued {
    node: usize,
    work: Work,
}

/// What is to be changed: the parts of a host's alias records go together, or not at all.
#[derive(Clone, Debug)]
enum Work {
    One(One),
    Set(AliasWork),
}

impl Work {
    /// The changes that Route 53 is sent.
    fn changes(&self) -> Vec<(RecordAction, Record)> {
        match self {
            Self::One(one) => vec![(one.action, one.record.clone())],
            Self::Set(set) => set.changes.clone(),
        }
    }
}

/// A change of one record.
#[derive(Clone, Debug)]
struct One {
    action: RecordAction,
    record: Record,
    /// Whether an equal record that is there already is the fruit of our own request.
    may_be_ours: bool,
    /// Whether the plan read the record, so that it needs no look before.
    is_read: bool,
}

impl One {
    fn is_unread(&self) -> bool {
        self.action == RecordAction::Create && !self.is_read
    }
}

/// A batch after a look at the records whose names the plan didn't know.
pub(super) struct Looked {
    zone: ZoneKey,
    outcomes: Vec<(Queued, Result<Written, StepError>)>,
    open: Vec<Queued>,
}

/// What became of a batch.
pub(super) struct BatchResult {
    zone: ZoneKey,
    outcomes: Vec<(Queued, Result<Written, StepError>)>,
    change: Option<String>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Written {
    /// The batch did it.
    Sent,
    /// It was there, equal.
    WasThere,
    /// It was gone already.
    WasGone,
}

impl<L: Lease> Engine<'_, L> {
    pub(super) fn begin_record(&mut self, node: usize, step: &Step, spec: Option<&Spec>) -> Result<(), StoreError> {
        let attrs = if step.action.is_removal() { step.before.as_ref() } else { step.after.as_ref() };
        let text = |path: &str| attrs.and_then(|attrs| attrs.get(path)).and_then(Attr::as_text).map(ToOwned::to_owned);
        let role = text("zone_role_arn").map(|arn| Role { arn, external_id: text("zone_external_id") });
        let Some(zone_id) = text("zone_id") else {
            self.fail(node, lost(&step.addr));
            return Ok(());
        };
        let zone = ZoneKey { zone_id, role };
        if step.action == Action::Release {
            let (addr, id) = (step.addr.clone(), step.id.clone().unwrap_or_default());
            return self.advance(node, Outcome::done(vec![Event::Released { addr, id }]));
        }
        let Some(record) = attrs.and_then(record_of).or_else(|| self.learned_record(spec)) else {
            self.fail(node, lost(&step.addr));
            return Ok(());
        };
        let overwrites = step.owner.is_some() || matches!(step.action, Action::Update | Action::Replace);
        let action = match step.action {
            Action::Delete => RecordAction::Delete,
            _ if overwrites => RecordAction::Upsert,
            Action::Adopt | Action::Read => {
                // Equal, and there: nothing is written.
                let id = record_id(&zone.zone_id, &record.name);
                return self.adopted_record(node, step, &zone, &record, id);
            }
            _ => RecordAction::Create,
        };
        let state = self.lease.state();
        let was_begun = state.resources.get(&step.addr).is_some_and(|known| known.pending.is_some());
        let is_read = step.after.as_ref().is_some_and(|after| after.get("name").is_some_and(Attr::is_known));
        let work = Work::One(One { action, record, may_be_ours: was_begun || is_read, is_read });
        self.queue(&zone, Queued { node, work });
        Ok(())
    }

    /// Lets a host's alias records wait for company.
    pub(super) fn queue_set(&mut self, node: usize, zone: &ZoneKey, set: AliasWork) {
        self.queue(zone, Queued { node, work: Work::Set(set) });
    }

    fn queue(&mut self, zone: &ZoneKey, queued: Queued) {
        self.zones.queued.entry(zone.clone()).or_default().push(queued);
        self.linger(zone);
    }

    /// Makes the intent durable: an equal record that is found after a crash is then known to be ours.
    fn record_started(&mut self, step: &Step) -> Result<(), StoreError> {
        let attempt = self.lease.state().attempts.get(&step.addr).copied().unwrap_or_default() + 1;
        self.lease.record(Event::Started { addr: step.addr.clone(), generation: step.generation, attempt, token: String::new() })
    }

    fn adopted_record(&mut self, node: usize, step: &Step, zone: &ZoneKey, record: &Record, id: String) -> Result<(), StoreError> {
        let events = vec![
            Event::Created { addr: step.addr.clone(), id, generation: 1, origin: Origin::Adopted, needs: self.needs(&step.addr) },
            Event::Applied { addr: step.addr.clone(), attrs: applied_attrs(zone, record) },
        ];
        let note = format!("{} was there already, as ACM asks for it: it is used, and stays when the stack goes", step.addr);
        let notes = if step.action == Action::Create { vec![note] } else { Vec::new() };
        self.advance(node, Outcome { notes, ..Outcome::done(events) })?;
        self.mark_adopted(&step.addr);
        Ok(())
    }

    /// Writes into the certificates' tags that a record was there before: the state may be lost.
    fn mark_adopted(&mut self, record: &Addr) {
        let Some(aws) = self.world.aws.clone() else { return };
        let Some(Spec::ValidationRecord(spec)) = self.plan.graph.get(record).map(|resource| resource.spec.clone()) else { return };
        let mut open = Vec::new();
        for certificate in spec.certificates {
            let Some(current) = self.lease.state().current(&certificate) else { continue };
            let arn = current.id.clone();
            let key = format!("tags.{TAG_ADOPTED_RECORDS}");
            let known = current.attrs.get(&key).and_then(Attr::as_text).unwrap_or_default().to_owned();
            // A mark that is being written counts: a second record of the certificate joins it.
            let before = self.adopted_marks.get(&certificate).cloned().unwrap_or(known);
            let value = join_adopted(&before, &spec.base_domain);
            if value == before {
                continue;
            }
            self.adopted_marks.insert(certificate.clone(), value.clone());
            let acm = aws.acm(crate::observe::arn_region(&arn).unwrap_or(aws.region()));
            open.push((acm, arn, certificate, value));
        }
        let node = self.plan.steps.iter().position(|step| step.addr == *record && !step.action.is_removal());
        let Some(node) = node.filter(|_| !open.is_empty()) else { return };
        // The record is only through when all marks are written.
        self.set_stage(node, super::engine::Stage::Busy);
        self.spawn(Box::pin(async move {
            let mut marks = Vec::new();
            for (acm, arn, certificate, value) in open {
                let tags = BTreeMap::from([(TAG_ADOPTED_RECORDS.to_owned(), value.clone())]);
                if let Err(error) = acm.tag(&arn, &tags).await {
                    return Finished::Step { node, result: Err(error.into()) };
                }
                marks.push((certificate, value));
            }
            Finished::Step { node, result: Ok(Outcome { marks, ..Outcome::default() }) }
        }));
    }

    /// The record that a certificate asked for since the plan was made.
    fn learned_record(&self, spec: Option<&Spec>) -> Option<Record> {
        let Some(Spec::ValidationRecord(spec)) = spec else { return None };
        let state = self.lease.state();
        let record: &ValidationRecord = spec
            .certificates
            .iter()
            .filter_map(|certificate| state.certificate(certificate))
            .find_map(|facts| facts.records.iter().find(|record| record.base_domain == spec.base_domain))?;
        Some(Record {
            name: record.name.clone(),
            rr_type: "CNAME".into(),
            ttl: TTL,
            values: vec![record.value.clone()],
            alias: None,
            has_policy: false,
        })
    }

    fn linger(&mut self, zone: &ZoneKey) {
        if !self.zones.sent.contains(zone) && self.zones.lingering.insert(zone.clone()) {
            let zone = zone.clone();
            self.later(LINGER, async move { Finished::Flush { zone } });
        }
    }

    /// Sends what has gathered for a zone.
    pub(super) fn flush(&mut self, zone: &ZoneKey) {
        self.zones.lingering.remove(zone);
        let Some(aws) = self.world.aws.clone() else { return };
        let Some(queue) = self.zones.queued.get_mut(zone).filter(|queue| !queue.is_empty()) else { return };
        // A host's set counts for the most that it can have: what goes and what comes.
        let weights = queue.iter().scan(0, |sum, queued| {
            *sum += if matches!(queued.work, Work::Set(_)) { MOST_OF_SET } else { 1 };
            Some(*sum)
        });
        let fitting = weights.take_while(|sum| *sum <= MAX_BATCH).count().max(1);
        let batch: Vec<Queued> = queue.drain(..fitting).collect();
        self.zones.sent.insert(zone.clone());
        let zone = zone.clone();
        self.spawn(Box::pin(async move {
            let route53 = aws.route53(zone.role.as_ref()).await;
            Finished::Looked(look_before(&route53, zone, batch).await)
        }));
    }

    /// What was looked at is settled or sent; the intent is durable before it is.
    pub(super) fn take_looked(&mut self, looked: Looked) -> Result<(), StoreError> {
        let Some(aws) = self.world.aws.clone() else { return Ok(()) };
        let Looked { zone, outcomes, open } = looked;
        let is_create = |queued: &&Queued| matches!(&queued.work, Work::One(one) if one.action == RecordAction::Create);
        for queued in open.iter().filter(is_create) {
            let step = self.step(queued.node).clone();
            let is_begun = self.lease.state().resources.get(&step.addr).is_some_and(|known| known.pending.is_some());
            if !is_begun {
                self.record_started(&step)?;
            }
        }
        self.lease.sync()?;
        self.spawn(Box::pin(async move {
            let route53 = aws.route53(zone.role.as_ref()).await;
            let (mut sent, change) = send(&route53, &zone.zone_id, open).await;
            let mut outcomes = outcomes;
            outcomes.append(&mut sent);
            Finished::Batch(BatchResult { zone, outcomes, change })
        }));
        Ok(())
    }

    pub(super) fn take_batch(&mut self, batch: BatchResult) -> Result<(), StoreError> {
        self.zones.sent.remove(&batch.zone);
        for (queued, outcome) in batch.outcomes {
            let step = self.step(queued.node).clone();
            let written = match outcome {
                Ok(written) => written,
                Err(error) => {
                    self.abandon(queued.node, &error)?;
                    self.fail(queued.node, error);
                    continue;
                }
            };
            let in_sync = batch.change.clone().filter(|_| written == Written::Sent);
            let in_sync = in_sync.map(|change| Wait::InSync { change, role: batch.zone.role.clone() });
            let queued_one = match queued.work {
                Work::One(one) => one,
                Work::Set(set) => {
                    self.alias_is_through(queued.node, &step, &batch.zone, &set, in_sync)?;
                    continue;
                }
            };
            let node = queued.node;
            let queued = queued_one;
            let id = record_id(&batch.zone.zone_id, &queued.record.name);
            if queued.action == RecordAction::Delete {
                let event = Event::Deleted { addr: step.addr.clone(), id: step.id.clone().unwrap_or(id) };
                self.advance(node, Outcome::done(vec![event]))?;
                continue;
            }
            if written == Written::WasThere && !queued.may_be_ours {
                self.adopted_record(node, &step, &batch.zone, &queued.record, id)?;
                continue;
            }
            let known = self.lease.state().current(&step.addr).map(|current| current.origin);
            let origin = if step.owner.is_some() { Origin::Adopted } else { known.unwrap_or(Origin::Created) };
            let needs = self.needs(&step.addr);
            let events = vec![
                Event::Created { addr: step.addr.clone(), id, generation: step.generation, origin, needs },
                Event::Applied { addr: step.addr.clone(), attrs: applied_attrs(&batch.zone, &queued.record) },
            ];
            self.advance(node, Outcome { events, wait: in_sync, ..Outcome::default() })?;
            if origin == Origin::Adopted && step.action == Action::Adopt {
                self.mark_adopted(&step.addr);
            }
        }
        if self.zones.queued.get(&batch.zone).is_some_and(|queue| !queue.is_empty()) {
            self.linger(&batch.zone);
        }
        Ok(())
    }
}

fn join_adopted(before: &str, base_domain: &str) -> String {
    if before == "*" || before.split(' ').any(|base| base == base_domain) {
        return before.to_owned();
    }
    let joined = format!("{before} {base_domain}").trim().to_owned();
    // A tag's value has 256 characters: beyond that all records of the certificate count as found.
    if joined.len() > 256 { "*".to_owned() } else { joined }
}

fn record_of(attrs: &Attrs) -> Option<Record> {
    let text = |path: &str| attrs.get(path).and_then(Attr::as_text).filter(|text| !text.is_empty()).map(ToOwned::to_owned);
    let values = match attrs.get("records")? {
        Attr::Value(serde_json::Value::Array(values)) => values.iter().filter_map(|value| value.as_str().map(ToOwned::to_owned)).collect(),
        _ => return None,
    };
    let ttl = match attrs.get("ttl")? {
        Attr::Value(ttl) => ttl.as_i64()?,
        _ => return None,
    };
    Some(Record { name: text("name")?, rr_type: text("type")?, ttl, values, alias: None, has_policy: false })
}

fn applied_attrs(zone: &ZoneKey, record: &Record) -> Attrs {
    let value = record.values.first().map(String::as_str).unwrap_or_default();
    let mut attrs = validation_record::attrs(&zone.zone_id, &record.name, value, record.ttl);
    if let Some(role) = &zone.role {
        attrs.insert("zone_role_arn".into(), Attr::text(&role.arn));
        attrs.extend(role.external_id.as_ref().map(|id| ("zone_external_id".to_owned(), Attr::text(id))));
    }
    attrs
}

/// Sends a batch. When a change is refused, `messages` tells which: it is looked at, and the rest is sent again.
async fn send(route53: &Route53, zone_id: &str, mut open: Vec<Queued>) -> (Vec<(Queued, Result<Written, StepError>)>, Option<String>) {
    let mut outcomes = Vec::new();
    // Each round settles one change at least; the second limit is for a zone that is busy with others' changes.
    let mut busy = 0;
    while !open.is_empty() {
        let changes: Vec<(RecordAction, Record)> = open.iter().flat_map(|queued| queued.work.changes()).collect();
        match route53.change(zone_id, &changes).await {
            Ok(change) => {
                outcomes.extend(open.into_iter().map(|queued| (queued, Ok(Written::Sent))));
                return (outcomes, Some(change));
            }
            Err(BatchError { error, .. }) if error.class == Class::NotYet && busy < 10 => {
                busy += 1;
                tokio::time::sleep(Duration::from_secs(2 * busy)).await;
            }
            Err(BatchError { error, messages }) if error.class == Class::State && !messages.is_empty() => {
                let (refused, rest): (Vec<Queued>, Vec<Queued>) =
                    open.into_iter().partition(|queued| queued.work.changes().iter().any(|(_, record)| is_named(&messages, &record.name)));
                // Nobody is named: each is looked at.
                let (refused, rest) = if refused.is_empty() { (rest, Vec::new()) } else { (refused, rest) };
                let before = outcomes.len();
                let mut again = rest;
                for queued in refused {
                    match settle(route53, zone_id, &queued, &error).await {
                        Ok(Some(written)) => outcomes.push((queued, Ok(written))),
                        Ok(None) => again.push(queued),
                        Err(error) => outcomes.push((queued, Err(error))),
                    }
                }
                if outcomes.len() == before {
                    outcomes.extend(again.into_iter().map(|queued| (queued, Err(error.clone().into()))));
                    return (outcomes, None);
                }
                open = again;
            }
            Err(BatchError { error, .. }) => {
                outcomes.extend(open.into_iter().map(|queued| (queued, Err(error.clone().into()))));
                return (outcomes, None);
            }
        }
    }
    (outcomes, None)
}

pub(super) fn is_named(messages: &[String], name: &str) -> bool {
    let escaped = name.replace('*', "\\052");
    messages.iter().any(|message| message.contains(&format!("'{escaped}.'")) || message.contains(&format!("'{escaped}'")))
}

/// Looks at the records whose names the plan didn't know: one list of the zone, or a few single reads.
async fn look_before(route53: &Route53, zone: ZoneKey, batch: Vec<Queued>) -> Looked {
    let names = batch.iter().flat_map(|queued| match &queued.work {
        Work::One(one) if one.is_unread() => vec![one.record.name.clone()],
        Work::One(_) => Vec::new(),
        Work::Set(set) => set.names().to_vec(),
    });
    let names: Vec<String> = names.collect();
    let there = match there(route53, &zone.zone_id, &names).await {
        Ok(there) => there,
        Err(error) => {
            let outcomes = batch.into_iter().map(|queued| (queued, Err(error.clone().into()))).collect();
            return Looked { zone, outcomes, open: Vec::new() };
        }
    };
    let mut looked = Looked { zone, outcomes: Vec::new(), open: Vec::new() };
    for mut queued in batch {
        let settled = match &mut queued.work {
            Work::Set(set) => set.look(&LiveSet::of(set.host(), &there)).map_or_else(|error| Some(Err(error)), |done| done.map(Ok)),
            Work::One(one) => match there.iter().find(|live| live.name == one.record.name && live.rr_type == "CNAME") {
                Some(live) if one.is_unread() => Some(compare(&one.record, live)),
                _ => {
                    // It was not there a moment ago: if it is now, it is by our own request, whose answer was lost.
                    one.may_be_ours = true;
                    None
                }
            },
        };
        match settled {
            Some(outcome) => looked.outcomes.push((queued, outcome)),
            None => looked.open.push(queued),
        }
    }
    looked
}

/// The records of these names. Those of one host are read name by name, as a zone may be large.
pub(super) async fn there(route53: &Route53, zone_id: &str, names: &[String]) -> Result<Vec<Record>, ProviderError> {
    if names.len() > MOST_NAMES {
        return route53.records(zone_id).await;
    }
    let mut found = Vec::new();
    for name in names {
        found.extend(route53.records_at(zone_id, name).await?);
    }
    Ok(found)
}

/// What a refused change means: done already, to be tried again (none), or an error.
async fn settle(route53: &Route53, zone_id: &str, queued: &Queued, error: &ProviderError) -> Result<Option<Written>, StepError> {
    let queued = match &queued.work {
        Work::Set(set) => return aliases::settle(route53, zone_id, set, error).await,
        Work::One(one) => one,
    };
    let live = route53.record(zone_id, &queued.record.name, &queued.record.rr_type).await?;
    match (queued.action, live) {
        (RecordAction::Create, Some(live)) => compare(&queued.record, &live).map(Some),
        (RecordAction::Delete, None) => Ok(Some(Written::WasGone)),
        (RecordAction::Delete, Some(live)) if live.values == queued.record.values && live.ttl == queued.record.ttl => Ok(None),
        (RecordAction::Delete, Some(_)) => {
            Err(StepError::Changed(format!("record {} was changed since the plan was made, and is not deleted", queued.record.name)))
        }
        _ => Err(error.clone().into()),
    }
}

fn compare(wanted: &Record, live: &Record) -> Result<Written, StepError> {
    if live.values == wanted.values && live.is_simple() {
        return Ok(Written::WasThere);
    }
    Err(StepError::Changed(format!(
        "record {} exists with the value {}, and ACM asks for {}: it is someone else's and stays as it is",
        wanted.name,
        live.values.join(" "),
        wanted.values.join(" ")
    )))
}
