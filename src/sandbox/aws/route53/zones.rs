//! Hosted zones.

use std::collections::BTreeMap;

use super::names::{normalize, sort_key};
use super::{RecordSet, Zone, change, page_size, records_key, zone_of};
use crate::sandbox::aws::wire::{Caller, Outcome, Request, refuse, refuse_with};
use crate::sandbox::aws::xml::{self, Element};
use crate::sandbox::error::SandboxError;
use crate::sandbox::world::{Tx, parse};

/// Answers per page (limit of the API).
const PAGE: usize = 100;

pub(super) fn create(tx: &mut Tx<'_>, caller: &Caller, input: &Element) -> Outcome<(String, String)> {
    let name = input.value("Name").unwrap_or_default();
    let Some(name) = normalize(name) else {
        return Err(refuse("InvalidDomainName", format!("{name} is not a valid domain name")));
    };
    let Some(reference) = input.value("CallerReference").filter(|reference| (1..=128).contains(&reference.len())) else {
        return Err(refuse("InvalidInput", "CallerReference must have 1 to 128 characters"));
    };
    for (key, value) in tx.scan("r53/zone/") {
        let zone: Zone = parse(key, value)?;
        if zone.account == caller.account && zone.caller_reference == reference {
            let message = "A hosted zone has already been created with the specified caller reference.";
            return Err(refuse_with(409, "HostedZoneAlreadyExists", message));
        }
    }
    let private = input.child("VPC").is_some();
    let config = input.child("HostedZoneConfig");
    if !private && config.and_then(|config| config.value("PrivateZone")) == Some("true") {
        return Err(refuse(
            "InvalidInput",
            "When you're creating a private hosted zone (when you specify true for PrivateZone), you must also specify values for VPCId and VPCRegion.",
        ));
    }
    let comment = config.and_then(|config| config.value("Comment"));
    let zone = make(tx, &caller.account, &name, private, comment, reference)?;
    let change = change::record(tx, caller, None)?;
    let body = show(tx, &zone)? + &change + &show_name_servers(&zone);
    Ok((zone.id, body))
}

/// Makes a zone with its NS and SOA records.
pub(super) fn make(
    tx: &mut Tx<'_>,
    account: &str,
    name: &str,
    private: bool,
    comment: Option<&str>,
    reference: &str,
) -> Result<Zone, SandboxError> {
    let fresh = tx.fresh();
    let id = "Z"
        .chars()
        .chain(fresh.iter().take(20).map(|byte| char::from(b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ"[usize::from(byte % 36)])))
        .collect();
    let name_servers = ["org", "co.uk", "com", "net"];
    let name_servers =
        name_servers.iter().zip(&fresh[20..]).map(|(top, byte)| format!("ns-{}.awsdns-{:02}.{top}", 512 + u16::from(*byte), byte % 64));
    let zone = Zone {
        id,
        name: name.to_owned(),
        account: account.to_owned(),
        private,
        comment: comment.map(str::to_owned),
        caller_reference: reference.to_owned(),
        name_servers: name_servers.collect(),
        tags: BTreeMap::new(),
    };
    let record = |kind: &str, ttl, values| RecordSet {
        name: name.to_owned(),
        kind: kind.to_owned(),
        set_identifier: None,
        ttl: Some(ttl),
        values,
        alias: None,
        routing: Vec::new(),
    };
    let first = zone.name_servers.first().cloned().unwrap_or_default();
    let soa = format!("{first}. awsdns-hostmaster.amazon.com. 1 7200 900 1209600 86400");
    let servers = zone.name_servers.iter().map(|server| format!("{server}.")).collect();
    tx.write(&records_key(&zone.id, name), &vec![record("NS", 172_800, servers), record("SOA", 900, vec![soa])])?;
    tx.write(&format!("r53/zone/{}", zone.id), &zone)?;
    let key = format!("r53/name/{}", sort_key(name));
    let mut ids: Vec<String> = tx.read(&key)?.unwrap_or_default();
    ids.push(zone.id.clone());
    tx.write(&key, &ids)?;
    Ok(zone)
}

pub(super) fn get(tx: &Tx<'_>, caller: &Caller, id: &str) -> Outcome<String> {
    let zone = zone_of(tx, caller, id)?;
    Ok(show(tx, &zone)? + &show_name_servers(&zone))
}

pub(super) fn delete(tx: &mut Tx<'_>, caller: &Caller, id: &str) -> Outcome<String> {
    let zone = zone_of(tx, caller, id)?;
    if count(tx, &zone)? > 2 {
        let message = "The specified hosted zone contains non-required resource record sets and so cannot be deleted.";
        return Err(refuse("HostedZoneNotEmpty", message));
    }
    for key in tx.keys(&format!("r53/rr/{id}/")) {
        tx.delete(&key);
    }
    tx.delete(&format!("r53/zone/{id}"));
    let key = format!("r53/name/{}", sort_key(&zone.name));
    let mut ids: Vec<String> = tx.read(&key)?.unwrap_or_default();
    ids.retain(|other| other != id);
    if ids.is_empty() {
        tx.delete(&key);
    } else {
        tx.write(&key, &ids)?;
    }
    change::record(tx, caller, None)
}

pub(super) fn list(tx: &Tx<'_>, caller: &Caller, request: &Request) -> Outcome<String> {
    let size = page_size(request, PAGE)?;
    let marker = request.query.get("marker").map_or("", String::as_str);
    let start = format!("r53/zone/{marker}");
    let mut zones = Vec::new();
    for (key, value) in tx.scan_from("r53/zone/", &start) {
        let zone: Zone = parse(key, value)?;
        if zone.account == caller.account {
            zones.push(zone);
        }
        if zones.len() > size {
            break;
        }
    }
    let next = if zones.len() > size { zones.pop() } else { None };
    Ok([
        show_all(tx, &zones)?,
        if marker.is_empty() { String::new() } else { xml::text("Marker", marker) },
        xml::text("IsTruncated", if next.is_some() { "true" } else { "false" }),
        xml::option("NextMarker", next.as_ref().map(|zone| zone.id.as_str())),
        xml::text("MaxItems", &size.to_string()),
    ]
    .concat())
}

/// Zones from a name on: DNSName is a start, not a filter (semantics 2.2).
pub(super) fn list_by_name(tx: &Tx<'_>, caller: &Caller, request: &Request) -> Outcome<String> {
    let size = page_size(request, PAGE)?;
    let asked = request.query.get("dnsname").map(String::as_str);
    let from_id = request.query.get("hostedzoneid").map(String::as_str);
    if asked.is_none() && from_id.is_some() {
        return Err(refuse("InvalidInput", "The parameter hostedzoneid can only be given with dnsname"));
    }
    let start = match asked {
        None => String::new(),
        Some(name) => sort_key(&normalize(name).ok_or_else(|| refuse("InvalidDomainName", format!("{name} is not a valid domain name")))?),
    };
    let mut zones = Vec::new();
    for (key, value) in tx.scan_from("r53/name/", &format!("r53/name/{start}")) {
        let mut ids: Vec<String> = parse(key, value)?;
        ids.sort_unstable();
        let at_start = key.strip_prefix("r53/name/") == Some(start.as_str());
        for id in ids.iter().filter(|id| !at_start || from_id.is_none_or(|from| id.as_str() >= from)) {
            zones.extend(tx.read::<Zone>(&format!("r53/zone/{id}"))?.filter(|zone| zone.account == caller.account));
        }
        if zones.len() > size {
            break;
        }
    }
    let next = zones.get(size).cloned();
    zones.truncate(size);
    Ok([
        show_all(tx, &zones)?,
        xml::option("DNSName", asked),
        xml::option("HostedZoneId", from_id),
        xml::text("IsTruncated", if next.is_some() { "true" } else { "false" }),
        xml::option("NextDNSName", next.as_ref().map(|zone| zone.name.as_str())),
        xml::option("NextHostedZoneId", next.as_ref().map(|zone| zone.id.as_str())),
        xml::text("MaxItems", &size.to_string()),
    ]
    .concat())
}

fn show_all(tx: &Tx<'_>, zones: &[Zone]) -> Outcome<String> {
    let zones = zones.iter().map(|zone| show(tx, zone)).collect::<Outcome<Vec<_>>>()?;
    Ok(xml::tag("HostedZones", &zones.concat()))
}

fn show(tx: &Tx<'_>, zone: &Zone) -> Outcome<String> {
    let config = xml::option("Comment", zone.comment.as_deref()) + &xml::text("PrivateZone", &zone.private.to_string());
    let parts = [
        xml::text("Id", &format!("/hostedzone/{}", zone.id)),
        xml::text("Name", &zone.name),
        xml::text("CallerReference", &zone.caller_reference),
        xml::tag("Config", &config),
        xml::text("ResourceRecordSetCount", &count(tx, zone)?.to_string()),
    ];
    Ok(xml::tag("HostedZone", &parts.concat()))
}

fn show_name_servers(zone: &Zone) -> String {
    if zone.private {
        return String::new();
    }
    let servers: String = zone.name_servers.iter().map(|server| xml::text("NameServer", server)).collect();
    xml::tag("DelegationSet", &xml::tag("NameServers", &servers))
}

fn count(tx: &Tx<'_>, zone: &Zone) -> Result<usize, SandboxError> {
    let prefix = format!("r53/rr/{}/", zone.id);
    tx.scan(&prefix).map(|(key, value)| parse::<Vec<RecordSet>>(key, value).map(|sets| sets.len())).sum()
}
