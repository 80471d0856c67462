//! Validation records: one list per zone, and the question who needs a record that would go.

use std::collections::{BTreeMap, BTreeSet};

use futures::StreamExt as _;

use super::addresses;
use super::aliases::{self, is_declared};
use super::certificates::{Certificates, existing, is_adopted};
use super::regions::{arn_region, is_opt_in, partition};
use super::zone_reads;
use super::zone_reads::{Asked, Reads};
use super::zones::{Purpose, Zones};
use crate::addr::{Addr, AwsKind};
use crate::event::Origin;
use crate::graph::Graph;
use crate::observed::{Condition, Found, FoundZone, Owner, RecordNeed, ZoneChoice};
use crate::provider::aws::Aws;
use crate::provider::aws::acm::Listed;
use crate::provider::error::{Class, ProviderError};
use crate::resource::alias_record::Record;
use crate::resource::certificate::{ValidationRecord, base_domain};
use crate::resource::{Attr, Attrs, Spec, TAG_ADOPTED_RECORDS, validation_record};
use crate::stack::Role;
use crate::state::{Instance, State};

/// The records that were found.
#[derive(Default)]
pub(super) struct Records {
    pub(super) resources: BTreeMap<Addr, Found>,
    pub(super) choices: BTreeMap<Addr, ZoneChoice>,
    pub(super) needs: BTreeMap<Addr, RecordNeed>,
    /// Records in a zone that the stack no longer names for them.
    pub(super) former: BTreeMap<Addr, Found>,
    /// The lineages that the marks of alias records tell.
    pub(super) lineages: BTreeSet<String>,
}

/// A record to look at.
struct Lookup<'a> {
    addr: Addr,
    zone_id: String,
    role: Option<Role>,
    name: String,
    wanted: Option<&'a ValidationRecord>,
    known: Option<&'a Instance>,
    adopted_by_mark: bool,
    is_desired: bool,
    /// Whether this is the zone that the record was in, and is not to be in.
    is_former: bool,
}

pub(super) async fn observe(
    desired: &Graph,
    declared: &Graph,
    prior: &State,
    aws: &Aws,
    observed: &Certificates,
    zones: Zones,
    everywhere: bool,
) -> Result<Records, ProviderError> {
    let (certificates, listed) = (&observed.resources, &observed.listed);
    let mut found = Records::default();
    for resource in declared.resources() {
        if let Spec::ValidationRecord(spec) = &resource.spec {
            found.choices.insert(resource.addr.clone(), zones.choose(&spec.zones, &spec.base_domain, Purpose::Validation));
        }
    }
    // What our certificates ask for, by base domain: the state may be lost, the certificates lead to the records.
    let mut asked: BTreeMap<&str, (&ValidationRecord, bool)> = BTreeMap::new();
    for certificate in certificates.values().filter(|found| matches!(found.owner, Owner::Us { .. })) {
        let adopted = certificate.attrs.get(&format!("tags.{TAG_ADOPTED_RECORDS}")).and_then(Attr::as_text).unwrap_or_default();
        for record in certificate.certificate.iter().flat_map(|facts| &facts.records) {
            let is_adopted = is_adopted(adopted, record);
            let entry = asked.entry(&record.base_domain).or_insert((record, is_adopted));
            entry.1 |= is_adopted;
        }
    }
    for (record, is_adopted) in &observed.older_records {
        let entry = asked.entry(&record.base_domain).or_insert((record, *is_adopted));
        entry.1 |= is_adopted;
    }
    let mut addrs = addresses(desired, prior, AwsKind::AcmValidationRecord);
    addrs.extend(asked.keys().map(|base| Addr::validation_record(base)));
    let mut lookups = Vec::new();
    for addr in addrs {
        let wanted = asked.get(addr.name());
        let known = prior.current(&addr);
        let text = |path: &str| known.and_then(|known| known.attrs.get(path)).and_then(Attr::as_text).map(ToOwned::to_owned);
        let is_desired = desired.contains(&addr);
        let zone = match found.choices.get(&addr) {
            Some(ZoneChoice::Found(zone)) if is_desired || known.is_none() => Some(zone.clone()),
            Some(ZoneChoice::Unusable { .. }) if is_desired => None,
            _ => match (text("zone_id"), zones.deepest(addr.name(), Purpose::Validation)) {
                (Some(id), _) => Some(FoundZone { id, name: String::new(), role: role_of(known) }),
                (None, ZoneChoice::Found(zone)) => Some(zone),
                (None, ZoneChoice::Unusable { .. }) => None,
            },
        };
        let name = wanted.map(|(record, _)| record.name.clone()).or_else(|| text("name"));
        let former = text("zone_id").filter(|id| zone.as_ref().is_some_and(|zone| zone.id != *id)).zip(text("name"));
        if let Some((zone_id, name)) = former {
            let (role, addr) = (role_of(known), addr.clone());
            let wanted = None;
            lookups.push(Lookup { zone_id, role, name, wanted, known, adopted_by_mark: false, is_desired: false, is_former: true, addr });
        }
        if let (Some(zone), Some(name)) = (zone, name) {
            // What the state knows of the record in another zone says nothing of this one.
            let known = known.filter(|_| text("zone_id").is_none_or(|id| id == zone.id));
            lookups.push(Lookup {
                zone_id: zone.id,
                role: zone.role,
                name,
                wanted: wanted.map(|(record, _)| *record),
                known,
                adopted_by_mark: wanted.is_some_and(|(_, adopted)| *adopted),
                is_desired,
                is_former: false,
                addr,
            });
        }
    }
    let mut asked = Asked::default();
    for lookup in &lookups {
        asked.add(lookup.role.as_ref(), &lookup.zone_id, [lookup.name.clone()], lookup.is_desired);
    }
    let aliases = aliases::lookups(desired, declared, prior, &zones, &mut found.choices);
    aliases.ask(&mut asked, prior.serial == 0 && (everywhere || is_declared(declared)), &found.choices);
    let reads = zone_reads::read(aws, &zones, asked).await?;
    look_up(&reads, lookups, prior, &mut found);
    aliases.find(&reads, prior, &mut found);
    let is_validation = |addr: &&Addr| addr.aws_kind() == Some(AwsKind::AcmValidationRecord);
    let going: Vec<Addr> = found.resources.keys().filter(|addr| !desired.contains(addr)).filter(is_validation).cloned().collect();
    if !going.is_empty() {
        // An adopted certificate is released and stays: it goes on needing its record.
        let stays = |addr: &Addr, one: &Found| {
            let origin = prior.current(addr).map(|known| known.origin).or(one.origin);
            desired.contains(addr) || !matches!(one.owner, Owner::Us { .. }) || origin == Some(Origin::Adopted)
        };
        // So does one that an address of the stack reads.
        let read: BTreeSet<&str> = desired.resources().filter_map(|resource| existing(desired, &resource.addr)).collect();
        let leaving = certificates.iter().filter(|(addr, one)| !stays(addr, one)).map(|(_, one)| one.id.as_str());
        let leaving: BTreeSet<&str> = leaving.filter(|arn| !read.contains(arn)).collect();
        found.needs = needs(&going, aws, &leaving, listed).await;
    }
    Ok(found)
}

pub(super) fn role_of(known: Option<&Instance>) -> Option<Role> {
    let text = |path: &str| known.and_then(|known| known.attrs.get(path)).and_then(Attr::as_text).map(ToOwned::to_owned);
    text("zone_role_arn").map(|arn| Role { arn, external_id: text("zone_external_id") })
}

fn look_up(reads: &Reads, lookups: Vec<Lookup<'_>>, prior: &State, found: &mut Records) {
    for lookup in lookups {
        let records = reads.at(lookup.role.as_ref(), &lookup.zone_id, &lookup.name);
        if let Some(record) = records.iter().find(|record| record.rr_type == "CNAME")
            && let Some(one) = as_found(&lookup, record, prior)
        {
            let place = if lookup.is_former { &mut found.former } else { &mut found.resources };
            place.insert(lookup.addr, one);
        }
    }
}

fn as_found(lookup: &Lookup<'_>, record: &Record, prior: &State) -> Option<Found> {
    let value = record.values.first().cloned().unwrap_or_default();
    let is_equal = lookup.wanted.is_some_and(|wanted| wanted.value == value && wanted.name == record.name);
    let is_begun = prior.resources.get(&lookup.addr).is_some_and(|known| known.pending.is_some());
    let (owner, origin) = match lookup.known {
        Some(known) => (Owner::Us { lineage: None }, known.origin),
        None if is_begun => (Owner::Us { lineage: None }, Origin::Created),
        // Equal, and asked for by a certificate of ours: without a state it is ours unless the certificate's mark says that it was there.
        None if is_equal && (prior.serial == 0 && !lookup.adopted_by_mark) => (Owner::Us { lineage: None }, Origin::Created),
        None if is_equal => (Owner::Us { lineage: None }, Origin::Adopted),
        // A record that our certificates no longer ask for is none of our business.
        None if !lookup.is_desired => return None,
        None => (Owner::Other("an unknown owner".into()), Origin::Adopted),
    };
    let mut attrs: Attrs = validation_record::attrs(&lookup.zone_id, &record.name, &value, record.ttl);
    attrs.insert("type".into(), Attr::text(&record.rr_type));
    if let Some(role) = &lookup.role {
        attrs.insert("zone_role_arn".into(), Attr::text(&role.arn));
        attrs.extend(role.external_id.as_ref().map(|id| ("zone_external_id".to_owned(), Attr::text(id))));
    }
    Some(Found {
        id: record_id(&lookup.zone_id, &record.name),
        owner,
        generation: 1,
        origin: Some(origin),
        condition: Condition::Good,
        warning: None,
        attrs,
        ours: BTreeSet::new(),
        managers: BTreeMap::new(),
        certificate: None,
    })
}

/// The id of a record: zone and name.
pub(crate) fn record_id(zone_id: &str, name: &str) -> String {
    format!("{zone_id}/{name}/CNAME")
}

/// Who still needs the records that would go: any DNS-validated certificate of the account, in any region, ours or not.
async fn needs(going: &[Addr], aws: &Aws, leaving: &BTreeSet<&str>, listed: &BTreeMap<String, Vec<Listed>>) -> BTreeMap<Addr, RecordNeed> {
    let mut all: Vec<Listed> = listed.values().flatten().cloned().collect();
    let others = partition(aws.region()).into_iter().filter(|region| !listed.contains_key(*region));
    let mut unknown = None;
    let answers: Vec<(&str, Result<Vec<Listed>, ProviderError>)> =
        futures::stream::iter(others.map(|region| async move { (region, aws.acm(region).list().await) })).buffered(8).collect().await;
    for (region, answer) in answers {
        match answer {
            Ok(more) => all.extend(more),
            // Credentials that work elsewhere are refused where the account has not opted in: there is nothing of it there.
            Err(error) if error.class == Class::Credentials && is_opt_in(region) => {}
            Err(error) => unknown = Some(format!("in {region}, {error}")),
        }
    }
    let candidates: Vec<&Listed> = all
        .iter()
        .filter(|one| !leaving.contains(one.arn.as_str()))
        .filter(|one| ["AMAZON_ISSUED", ""].contains(&one.certificate_type.as_str()))
        .filter(|one| ["ISSUED", "PENDING_VALIDATION"].contains(&one.status.as_str()))
        .collect();
    let mut names: BTreeMap<&str, BTreeSet<String>> = BTreeMap::new();
    for one in candidates {
        let all_names = match &one.names {
            Some(names) => Some(names.clone()),
            None => match aws.acm(arn_region(&one.arn).unwrap_or(aws.region())).describe(&one.arn).await {
                Ok(described) => described.listed.names,
                Err(error) if error.is_not_found() => None,
                Err(error) => {
                    unknown = Some(format!("of {}, {error}", one.arn));
                    None
                }
            },
        };
        names.insert(&one.arn, all_names.into_iter().flatten().map(|name| base_domain(&name).to_owned()).collect());
    }
    let need = |addr: &Addr| {
        let users: Vec<String> = names.iter().filter(|(_, bases)| bases.contains(addr.name())).map(|(arn, _)| (*arn).to_owned()).collect();
        match (users.is_empty(), &unknown) {
            (false, _) => RecordNeed::NeededBy(users),
            (true, Some(reason)) => RecordNeed::Unknown(reason.clone()),
            (true, None) => RecordNeed::Free,
        }
    };
    going.iter().map(|addr| (addr.clone(), need(addr))).collect()
}
