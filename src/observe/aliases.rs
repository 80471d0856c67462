//! Alias records: found by their names, and without a state by what the registry's records beside them say.

use std::collections::{BTreeMap, BTreeSet};

use super::addresses;
use super::records::{Records, role_of};
use super::zone_reads::{Asked, Reads};
use super::zones::{Purpose, Zones};
use crate::addr::{Addr, AwsKind};
use crate::event::Origin;
use crate::graph::Graph;
use crate::observed::{Condition, Found, FoundZone, Owner, ZoneChoice};
use crate::resource::alias_record::{self, Host, LiveSet, OWNERSHIP, RegistryOwner};
use crate::resource::{Attr, Spec};
use crate::stack::Role;
use crate::state::{Instance, State};

/// The hosts to look at.
pub(super) struct Lookups<'a>(Vec<Lookup<'a>>);

/// A host in a zone.
struct Lookup<'a> {
    addr: Addr,
    zone_id: String,
    role: Option<Role>,
    known: Option<&'a Instance>,
    is_desired: bool,
    /// Whether this is the zone that the records were in, and are not to be in.
    is_former: bool,
    /// Whether the host is the zone's own name.
    is_apex: bool,
}

impl Lookup<'_> {
    fn host(&self) -> Host<'_> {
        Host { name: self.addr.name(), is_apex: self.is_apex }
    }
}

/// What has to be looked at for stack and state; chooses the zones of what the stack declares.
pub(super) fn lookups<'a>(
    desired: &Graph,
    declared: &Graph,
    prior: &'a State,
    zones: &Zones,
    choices: &mut BTreeMap<Addr, ZoneChoice>,
) -> Lookups<'a> {
    for resource in declared.resources() {
        if let Spec::AliasRecord(spec) = &resource.spec {
            choices.insert(resource.addr.clone(), zones.choose(&spec.zones, &spec.host, Purpose::Alias));
        }
    }
    let mut lookups = Vec::new();
    for addr in addresses(desired, prior, AwsKind::Route53Record) {
        let known = prior.current(&addr);
        let is_desired = desired.contains(&addr);
        let former = known.and_then(|known| known.attrs.get("zone_id")).and_then(Attr::as_text).map(ToOwned::to_owned);
        let now = match choices.get(&addr) {
            Some(ZoneChoice::Found(zone)) if is_desired || known.is_none() => Some(zone.clone()),
            _ => None,
        };
        let was_apex = known.is_some_and(|known| alias_record::is_apex(&known.attrs));
        if let Some(FoundZone { id, role, name }) = &now {
            let known = known.filter(|_| former.as_ref().is_none_or(|former| former == id));
            let (zone_id, role, addr) = (id.clone(), role.clone(), addr.clone());
            let is_apex = name == addr.name();
            lookups.push(Lookup { addr, zone_id, role, known, is_desired, is_former: false, is_apex });
        }
        if let Some(zone_id) = former.filter(|former| now.as_ref().is_none_or(|now| now.id != *former)) {
            lookups.push(Lookup {
                addr,
                zone_id,
                role: role_of(known),
                known,
                is_desired: false,
                is_former: now.is_some(),
                is_apex: was_apex,
            });
        }
    }
    Lookups(lookups)
}

/// Whether the stack has such records at all.
pub(super) fn is_declared(declared: &Graph) -> bool {
    declared.resources().any(|resource| matches!(resource.spec, Spec::AliasRecord(_)))
}

impl Lookups<'_> {
    /// Asks for the records. When there is no state to tell what is left, the zones of the stack are searched.
    pub(super) fn ask(&self, asked: &mut Asked, is_search: bool, choices: &BTreeMap<Addr, ZoneChoice>) {
        for lookup in &self.0 {
            asked.add(lookup.role.as_ref(), &lookup.zone_id, lookup.host().names(), lookup.is_desired);
        }
        for choice in choices.values().filter(|_| is_search) {
            if let ZoneChoice::Found(zone) = choice {
                asked.whole(zone.role.as_ref(), &zone.id);
            }
        }
    }

    /// Takes what was read.
    pub(super) fn find(self, reads: &Reads, prior: &State, found: &mut Records) {
        let mut seen = BTreeSet::new();
        for lookup in self.0 {
            let host = lookup.host();
            let names = host.names();
            let records = names.iter().flat_map(|name| reads.at(lookup.role.as_ref(), &lookup.zone_id, name));
            let live = LiveSet::of(host, records);
            seen.insert((lookup.zone_id.clone(), host.name.to_owned()));
            if live.is_empty() {
                continue;
            }
            let one = as_found(&lookup, &live, prior, &mut found.lineages);
            // What the stack doesn't want any more and others have taken over is no business of ours.
            if !lookup.is_desired && !matches!(one.owner, Owner::Us { .. }) {
                continue;
            }
            let place = if lookup.is_former { &mut found.former } else { &mut found.resources };
            place.insert(lookup.addr, one);
        }
        // What carries our mark and neither stack nor state speak of: of a state that is lost.
        for ((role, zone_id), records) in reads.zones().filter(|_| prior.serial == 0) {
            let hosts: BTreeSet<&str> = records.iter().filter(|record| record.alias.is_some()).map(|record| record.name.as_str()).collect();
            for host in hosts.into_iter().filter(|host| !seen.contains(&(zone_id.clone(), (*host).to_owned()))) {
                let of = |is_apex| (is_apex, LiveSet::of(Host { name: host, is_apex }, records));
                let Some((is_apex, live)) = [false, true].map(of).into_iter().find(|(_, live)| is_of(live, prior)) else { continue };
                let (addr, role, zone_id) = (Addr::alias_record(host), role.clone(), zone_id.clone());
                let is_former = found.resources.contains_key(&addr);
                let lookup = Lookup { addr, zone_id, role, known: None, is_desired: false, is_former, is_apex };
                let one = as_found(&lookup, &live, prior, &mut found.lineages);
                let place = if is_former { &mut found.former } else { &mut found.resources };
                place.insert(lookup.addr, one);
            }
        }
    }
}

/// Whether records carry the mark of this stack.
fn is_of(live: &LiveSet, prior: &State) -> bool {
    matches!(live.owner(), Some(RegistryOwner::Stack { stack, .. }) if stack == prior.stack)
}

fn as_found(lookup: &Lookup<'_>, live: &LiveSet, prior: &State, lineages: &mut BTreeSet<String>) -> Found {
    let mut attrs = live.attrs(&lookup.zone_id, lookup.host());
    let owner = match live.owner() {
        Some(RegistryOwner::Stack { stack, lineage }) if stack == prior.stack => {
            lineages.insert(lineage.clone());
            Owner::Us { lineage: Some(lineage) }
        }
        Some(RegistryOwner::Stack { stack, .. }) => Owner::Other(format!("the meshform stack `{stack}`")),
        Some(RegistryOwner::ExternalDns(owner)) => Owner::Other(format!("external-dns (owner `{owner}`)")),
        // Someone took the marks off what is known to be ours.
        None if lookup.known.is_some() => Owner::Us { lineage: None },
        None => Owner::Other("an unknown owner".into()),
    };
    let mark = attrs.get(OWNERSHIP).and_then(Attr::as_text);
    let by_mark = mark.is_some_and(alias_record::is_adopted).then_some(Origin::Adopted);
    let origin = lookup.known.map(|known| known.origin).or(by_mark).unwrap_or(Origin::Created);
    if let Some(role) = &lookup.role {
        attrs.insert("zone_role_arn".into(), Attr::text(&role.arn));
        attrs.extend(role.external_id.as_ref().map(|id| ("zone_external_id".to_owned(), Attr::text(id))));
    }
    Found {
        id: alias_record::id(&lookup.zone_id, lookup.addr.name()),
        owner,
        generation: 1,
        origin: Some(origin),
        condition: Condition::Good,
        warning: None,
        attrs,
        // What isn't an alias is in the way of one.
        ours: BTreeSet::from(["values".to_owned()]),
        managers: BTreeMap::new(),
        certificate: None,
    }
}
