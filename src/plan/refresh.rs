//! What the state has to learn from the world: instances found again, instances gone, facts that are new.

use super::marks::is_mark;
use crate::addr::{Addr, AwsKind};
use crate::event::{Event, Origin};
use crate::graph::Graph;
use crate::observed::{Condition, Forecast, Found, Observed, Outcome, Owner};
use crate::resource::manifest::{SENT, remembered};
use crate::resource::{Attrs, Spec};
use crate::state::{Instance, State};

/// The events that bring the state in line with the world. `take_live` lets the state take the live attributes too (`--refresh-only`).
pub(super) fn events(desired: &Graph, observed: &Observed, prior: &State, lineage: &str, take_live: bool) -> Vec<Event> {
    let mut events = Vec::new();
    let identity = &observed.identity;
    let opened = Event::Opened {
        lineage: lineage.to_owned(),
        account: identity.account.clone().or_else(|| prior.account.clone()),
        region: identity.region.clone().or_else(|| prior.region.clone()),
        cluster: identity.cluster.clone().or_else(|| prior.cluster.clone()),
    };
    let is_known = prior.serial > 0
        && matches!(&opened, Event::Opened { account, region, cluster, .. }
            if *account == prior.account && *region == prior.region && *cluster == prior.cluster && prior.lineage == lineage);
    if !is_known {
        events.push(opened);
    }
    for (addr, found) in &observed.resources {
        if is_there(found) {
            found_events(&mut events, addr, found, observed, desired, prior, take_live);
        }
    }
    for (addr, known) in prior.resources.iter().filter(|(addr, _)| observed.coverage.has(addr)) {
        let found = observed.resources.get(addr).filter(|found| is_there(found));
        let is_elsewhere = |current: &Instance| observed.in_former_zone.get(addr).is_some_and(|former| former.id == current.id);
        if let (Some(current), None) = (known.current.as_ref().filter(|current| !is_elsewhere(current)), found) {
            let (addr, id) = (addr.clone(), current.id.clone());
            // What was only read is let go of, whether or not it is there.
            events.push(if current.origin == Origin::Read { Event::Released { addr, id } } else { Event::Deleted { addr, id } });
        }
        let older = observed.deposed.get(addr);
        // Only certificates are looked for in all their generations; of other kinds the state alone knows the older ones.
        for deposed in known.deposed.iter().filter(|_| addr.aws_kind() == Some(AwsKind::AcmCertificate)) {
            if !older.into_iter().flatten().any(|one| one.id == deposed.id) {
                events.push(Event::Deleted { addr: addr.clone(), id: deposed.id.clone() });
            }
        }
    }
    for (addr, older) in &observed.deposed {
        for one in older {
            let is_known = prior.resources.get(addr).is_some_and(|known| known.deposed.iter().any(|instance| instance.id == one.id));
            if !is_known {
                events.push(Event::Deposed { addr: addr.clone(), id: one.id.clone(), generation: one.generation });
            }
        }
    }
    events
}

/// Whether it is ours and there: the name of a deleted secret is neither.
fn is_there(found: &Found) -> bool {
    matches!(found.owner, Owner::Us { .. }) && found.condition != Condition::Tombstone
}

fn found_events(events: &mut Vec<Event>, addr: &Addr, found: &Found, observed: &Observed, desired: &Graph, prior: &State, take_live: bool) {
    let forecast = observed.forecasts.get(addr);
    let known = prior.resources.get(addr);
    let current = known.and_then(|known| known.current.as_ref()).filter(|current| current.id == found.id);
    let needs: Vec<Addr> =
        desired.get(addr).map(|resource| resource.needs.iter().map(|(needed, _)| needed.clone()).collect()).unwrap_or_default();
    let is_read = found.origin == Some(Origin::Read);
    if current.is_none_or(|current| (current.origin == Origin::Read) != is_read) {
        events.push(Event::Created {
            addr: addr.clone(),
            id: found.id.clone(),
            generation: found.generation,
            origin: found.origin.unwrap_or(Origin::Created),
            needs,
        });
    } else if desired.contains(addr) && known.is_some_and(|known| known.needs != needs) {
        events.push(Event::Linked { addr: addr.clone(), needs });
    }
    if let Some(facts) = &found.certificate
        && current.and_then(|current| current.certificate.as_ref()) != Some(facts)
    {
        events.push(Event::Learned { addr: addr.clone(), id: found.id.clone(), facts: facts.clone() });
    }
    if let Some(Spec::Manifest(spec)) = desired.get(addr).map(|resource| &resource.spec) {
        let hostname = observed.hostnames.get(addr).map(String::as_str);
        let is_late = current.is_some_and(|current| !current.ready && current.attrs.contains_key(SENT));
        if is_late && forecast.is_some_and(|forecast| forecast.waits.is_none()) {
            events.push(Event::Ready { addr: addr.clone() });
        }
        // What a dry run found to be as it should needs none the next time.
        if let Some(Forecast { sent, live: Some(live), fields, outcome: Outcome::Tried { differences, .. }, .. }) = forecast
            && differences.is_empty()
        {
            let attrs = spec.with_hostname(remembered(spec, sent, live, fields.as_ref()), hostname);
            if current.is_none_or(|current| current.attrs != attrs) {
                events.push(Event::Applied { addr: addr.clone(), attrs });
                // Nothing was sent: what was ready stays so, and what was found again counts as ready.
                if current.is_none_or(|current| current.ready || current.attrs.is_empty()) {
                    events.push(Event::Ready { addr: addr.clone() });
                }
            }
        } else if let Some(current) = current.filter(|current| current.attrs.contains_key(SENT)) {
            let attrs = spec.with_hostname(current.attrs.clone(), hostname);
            if attrs != current.attrs {
                events.push(Event::Applied { addr: addr.clone(), attrs });
            }
        }
        return;
    }
    let is_bare = current.is_none_or(|current| current.attrs.is_empty());
    if is_bare || take_live || is_read {
        let attrs = ours(addr, found, desired, current.map(|current| &current.attrs));
        if current.is_none_or(|current| current.attrs != attrs) {
            events.push(Event::Applied { addr: addr.clone(), attrs });
        }
    }
}

/// The live attributes that are ours: those the stack speaks of, those our field manager owns, our marks, those applied before.
fn ours(addr: &Addr, found: &Found, desired: &Graph, applied: Option<&Attrs>) -> Attrs {
    let wanted = desired.get(addr).map(|resource| match &resource.spec {
        Spec::Certificate(spec) if spec.is_only_read() => found.attrs.clone(),
        Spec::Certificate(spec) => spec.attrs(),
        Spec::ValidationRecord(_) | Spec::AliasRecord(_) => found.attrs.clone(),
        Spec::Secret(spec) => spec.attrs(None, None),
        Spec::Object(spec) => spec.attrs(None),
        Spec::Manifest(_) => Attrs::new(),
    });
    let mut attrs = found.attrs.clone();
    attrs.retain(|path, _| {
        found.ours.contains(path)
            || is_mark(path)
            || applied.is_some_and(|applied| applied.contains_key(path))
            || wanted.as_ref().is_some_and(|wanted| wanted.contains_key(path))
    });
    attrs
}
