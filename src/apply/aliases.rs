//! Steps of alias records: those of a host go in one batch, and only over what the plan saw.

use super::StepError;
use super::engine::{Engine, Outcome, lost};
use super::records::{Written, ZoneKey, is_named, there};
use super::wait::Wait;
use crate::event::{Event, Origin};
use crate::plan::{Action, Step};
use crate::provider::aws::route53::{RecordAction, Route53};
use crate::provider::error::ProviderError;
use crate::resource::alias_record::{self, Host, LiveSet, Record};
use crate::resource::hole::Output;
use crate::resource::{Attr, Attrs, Spec};
use crate::stack::Role;
use crate::store::{Lease, StoreError};

/// A change of a host's alias records.
#[derive(Clone, Debug)]
pub(super) struct AliasWork {
    /// The host.
    pub(super) host: String,
    /// Whether it is the name of the zone.
    is_apex: bool,
    zone_id: String,
    /// The attributes that the plan saw; nothing where nothing was.
    seen: Option<Attrs>,
    wanted: Wanted,
    /// What Route 53 is sent: known after a look.
    pub(super) changes: Vec<(RecordAction, Record)>,
}

/// What is to be there afterwards.
#[derive(Clone, Debug)]
enum Wanted {
    /// These records.
    Records(LiveSet),
    /// What is there now, without our marks.
    WithoutMarks,
}

impl<L: Lease> Engine<'_, L> {
    pub(super) fn begin_alias(&mut self, node: usize, step: &Step) {
        let mut after = step.after.clone().unwrap_or_default();
        if let Some(Spec::AliasRecord(spec)) = self.plan.graph.get(&step.addr).map(|resource| &resource.spec)
            && let Some(name) = self.output(&spec.target, Output::Hostname)
            && !step.action.is_removal()
        {
            let name = alias_record::plain_target(&name);
            let Some(zone) = alias_record::canonical_zone(&name) else {
                let says = format!("`{name}` is no Application Load Balancer of a region that is known here");
                self.fail(node, StepError::Changed(says));
                return;
            };
            after.insert("alias.zone_id".into(), Attr::text(zone));
            after.insert("alias.name".into(), Attr::text(name));
        }
        let attrs = if step.action.is_removal() { step.before.clone().unwrap_or_default() } else { after };
        let text = |path: &str| attrs.get(path).and_then(Attr::as_text).map(ToOwned::to_owned);
        let wanted = match step.action {
            Action::Delete => Some(Wanted::Records(LiveSet::default())),
            Action::Release => Some(Wanted::WithoutMarks),
            _ => LiveSet::wanted(&attrs).map(Wanted::Records),
        };
        let (Some(zone_id), Some(wanted)) = (text("zone_id"), wanted) else {
            self.fail(node, lost(&step.addr));
            return;
        };
        let role = text("zone_role_arn").map(|arn| Role { arn, external_id: text("zone_external_id") });
        let zone = ZoneKey { zone_id: zone_id.clone(), role };
        let host = step.addr.name().to_owned();
        let is_apex = alias_record::is_apex(&attrs);
        self.queue_set(node, &zone, AliasWork { host, is_apex, zone_id, seen: step.before.clone(), wanted, changes: Vec::new() });
    }

    /// Records that a host's alias records are as they are to be.
    pub(super) fn alias_is_through(
        &mut self,
        node: usize,
        step: &Step,
        zone: &ZoneKey,
        set: &AliasWork,
        wait: Option<Wait>,
    ) -> Result<(), StoreError> {
        let addr = step.addr.clone();
        let id = alias_record::id(&zone.zone_id, &set.host);
        let events = match &set.wanted {
            Wanted::WithoutMarks => vec![Event::Released { addr, id: step.id.clone().unwrap_or(id) }],
            Wanted::Records(records) if records.is_empty() => vec![Event::Deleted { addr, id: step.id.clone().unwrap_or(id) }],
            Wanted::Records(records) => {
                let known = self.lease.state().current(&addr).filter(|known| known.id == id).map(|known| known.origin);
                let origin = if step.action == Action::Adopt { Origin::Adopted } else { known.unwrap_or(Origin::Created) };
                let mut attrs = records.attrs(&zone.zone_id, set.host());
                if let Some(role) = &zone.role {
                    attrs.insert("zone_role_arn".into(), Attr::text(&role.arn));
                    attrs.extend(role.external_id.as_ref().map(|id| ("zone_external_id".to_owned(), Attr::text(id))));
                }
                let needs = self.needs(&addr);
                vec![Event::Created { addr: addr.clone(), id, generation: step.generation, origin, needs }, Event::Applied { addr, attrs }]
            }
        };
        // Nobody waits for the name servers to forget.
        let wait = wait.filter(|_| !step.action.is_removal());
        self.advance(node, Outcome { events, wait, ..Outcome::default() })
    }
}

impl AliasWork {
    /// The names that hold its records.
    pub(super) fn names(&self) -> [String; 4] {
        self.host().names()
    }

    /// The host in its zone.
    pub(super) fn host(&self) -> Host<'_> {
        Host { name: &self.host, is_apex: self.is_apex }
    }

    /// Holds what is there against what the plan saw, and works out the changes. Nothing to do is an outcome already.
    pub(super) fn look(&mut self, live: &LiveSet) -> Result<Option<Written>, StepError> {
        let wanted = self.wanted(live);
        let (gone, come) = live.changes_to(&wanted);
        if gone.is_empty() && come.is_empty() {
            return Ok(Some(if wanted.is_empty() { Written::WasGone } else { Written::WasThere }));
        }
        let is_as_seen = match &self.seen {
            None => live.is_empty(),
            Some(seen) => {
                let is_of_records = |path: &&String| !path.starts_with("zone_role") && !path.starts_with("zone_external");
                let now = live.attrs(&self.zone_id, self.host());
                seen.keys().chain(now.keys()).filter(is_of_records).all(|path| seen.get(path) == now.get(path))
            }
        };
        if !is_as_seen {
            return Err(self.changed());
        }
        let gone = gone.into_iter().map(|record| (RecordAction::Delete, record));
        self.changes = gone.chain(come.into_iter().map(|record| (RecordAction::Create, record))).collect();
        Ok(None)
    }

    fn wanted(&self, live: &LiveSet) -> LiveSet {
        match &self.wanted {
            Wanted::Records(records) => records.clone(),
            Wanted::WithoutMarks => live.without_ownership(),
        }
    }

    fn changed(&self) -> StepError {
        StepError::Changed(format!("the records of {} were changed since the plan was made, and stay as they are", self.host))
    }
}

/// What a refused batch means for a host: done already, as the answer of a request of ours was lost; or someone else was faster.
pub(super) async fn settle(route53: &Route53, zone_id: &str, set: &AliasWork, error: &ProviderError) -> Result<Option<Written>, StepError> {
    let live = LiveSet::of(set.host(), &there(route53, zone_id, &set.names()).await?);
    let (gone, come) = live.changes_to(&set.wanted(&live));
    match (gone.is_empty() && come.is_empty(), live.is_empty()) {
        (true, true) => Ok(Some(Written::WasGone)),
        (true, false) => Ok(Some(Written::WasThere)),
        _ if gone.iter().chain(&come).all(|record| set.changes.iter().any(|(_, change)| change == record)) => {
            // All is as it was. Where it was this host that was refused, it is the change itself that can't be made.
            let is_refused = set.changes.iter().any(|(_, record)| is_named(std::slice::from_ref(&error.message), &record.name));
            if is_refused { Err(error.clone().into()) } else { Ok(None) }
        }
        _ => Err(set.changed()),
    }
}
