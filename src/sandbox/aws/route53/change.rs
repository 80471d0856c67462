//! Changes of record sets: whole batches or nothing, with the texts that Route 53 answers (semantics 2.1).

use std::collections::BTreeMap;
use std::net::{Ipv4Addr, Ipv6Addr};

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::names::within;
use super::{RecordSet, Zone, records_key, zone_of};
use crate::sandbox::aws::acm;
use crate::sandbox::aws::wire::{Caller, Failure, Outcome, Refusal, refuse, refuse_with};
use crate::sandbox::aws::xml::{self, Element};
use crate::sandbox::due::{after, delay};
use crate::sandbox::settings::{self, bounds};
use crate::sandbox::world::Tx;

/// ResourceRecord elements in a batch, and characters over all values; with UPSERT each counts twice (Route 53 DNSLimitations).
const RECORDS: usize = 1_000;
const CHARACTERS: usize = 32_000;

/// What GetChange tells of.
#[derive(Serialize, Deserialize)]
struct Change {
    account: String,
    submitted: Timestamp,
    insync: Timestamp,
    comment: Option<String>,
}

/// One change of a batch.
struct Step {
    action: String,
    set: RecordSet,
}

/// The record sets of the names that a batch touches, as they are and as they will be.
type Names = BTreeMap<String, Vec<RecordSet>>;

pub(super) fn change(tx: &mut Tx<'_>, caller: &Caller, id: &str, input: &Element) -> Outcome<String> {
    let zone = zone_of(tx, caller, id)?;
    let batch = input.child("ChangeBatch").ok_or_else(|| refuse("InvalidInput", "ChangeBatch is missing"))?;
    let steps = batch.list("Changes").iter().map(read).collect::<Outcome<Vec<_>>>()?;
    if steps.is_empty() {
        return Err(refuse(
            "InvalidInput",
            "1 validation error detected: Value '[]' at 'changeBatch.changes' failed to satisfy constraint: Member must have length greater than or equal to 1",
        ));
    }
    check_size(&steps)?;

    let mut names: Names = BTreeMap::new();
    for step in &steps {
        if !names.contains_key(&step.set.name) {
            names.insert(step.set.name.clone(), tx.read(&records_key(&zone.id, &step.set.name))?.unwrap_or_default());
        }
    }
    let mut seen = BTreeMap::new();
    let mut messages = Vec::new();
    for step in &steps {
        let before = seen.insert(identity(&step.set), step.action.as_str());
        if let Some(message) = apply(&zone, step, before, &mut names) {
            messages.push(message);
        }
    }
    messages.extend(names.iter().filter_map(|(name, sets)| apex_problem(&zone, name, sets)));
    if !messages.is_empty() {
        return Err(invalid(messages));
    }

    for (name, sets) in &mut names {
        let key = records_key(&zone.id, name);
        if sets.is_empty() {
            tx.delete(&key);
        } else {
            sets.sort_by(|one, two| one.order().cmp(&two.order()));
            tx.write(&key, sets)?;
        }
    }
    let mut touched: Vec<&str> = steps.iter().filter(|step| step.set.kind == "CNAME").map(|step| step.set.name.as_str()).collect();
    touched.dedup();
    for name in touched {
        acm::record_changed(tx, name)?;
    }
    record(tx, caller, batch.value("Comment"))
}

/// Remembers that something was changed, and shows it as ChangeInfo.
pub(super) fn record(tx: &mut Tx<'_>, caller: &Caller, comment: Option<&str>) -> Outcome<String> {
    let fresh = tx.fresh();
    let id: String = "C"
        .chars()
        .chain(fresh.iter().take(20).map(|byte| char::from(b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ"[usize::from(byte % 36)])))
        .collect();
    let wait = delay(tx, bounds(settings::read(tx)?.insync_after), &["insync", &id]);
    let change =
        Change { account: caller.account.clone(), submitted: tx.now(), insync: after(tx.now(), wait), comment: comment.map(str::to_owned) };
    tx.write(&format!("r53/change/{id}"), &change)?;
    Ok(show(&id, &change, tx.now()))
}

pub(super) fn get(tx: &Tx<'_>, caller: &Caller, id: &str) -> Outcome<String> {
    // Change ids belong to the account that made the change (semantics 2.1).
    let change = tx.read::<Change>(&format!("r53/change/{id}"))?.filter(|change| change.account == caller.account);
    let change = change.ok_or_else(|| refuse_with(404, "NoSuchChange", format!("Could not find resource with ID: {id}")))?;
    Ok(show(id, &change, tx.now()))
}

fn show(id: &str, change: &Change, now: Timestamp) -> String {
    let parts = [
        xml::text("Id", &format!("/change/{id}")),
        xml::text("Status", if now >= change.insync { "INSYNC" } else { "PENDING" }),
        xml::text("SubmittedAt", &change.submitted.to_string()),
        xml::option("Comment", change.comment.as_deref()),
    ];
    xml::tag("ChangeInfo", &parts.concat())
}

fn read(change: &Element) -> Outcome<Step> {
    let action = change.value("Action").unwrap_or_default();
    if !["CREATE", "DELETE", "UPSERT"].contains(&action) {
        return Err(refuse("InvalidInput", format!("'{action}' is not an action: CREATE, DELETE, UPSERT")));
    }
    let set = change.child("ResourceRecordSet").ok_or_else(|| refuse("InvalidInput", "ResourceRecordSet is missing"))?;
    Ok(Step { action: action.to_owned(), set: RecordSet::read(set, action)? })
}

fn check_size(steps: &[Step]) -> Outcome<()> {
    let (mut records, mut characters) = (0, 0);
    for step in steps {
        let weight = if step.action == "UPSERT" { 2 } else { 1 };
        records += weight * step.set.values.len().max(1);
        characters += weight * step.set.values.iter().map(String::len).sum::<usize>();
        if let Some(long) = step.set.values.iter().find(|value| value.len() > 4_000) {
            return Err(refuse("InvalidInput", format!("Value of {} characters is longer than 4000", long.len())));
        }
    }
    if records > RECORDS {
        return Err(invalid(vec![format!("Number of records limit of {RECORDS} exceeded.")]));
    }
    if characters > CHARACTERS {
        return Err(invalid(vec![format!("Number of characters limit of {CHARACTERS} exceeded.")]));
    }
    Ok(())
}

/// Applies one change, or says why it can't be.
fn apply(zone: &Zone, step: &Step, before: Option<&str>, names: &mut Names) -> Option<String> {
    let Step { action, set } = step;
    let RecordSet { name, kind, .. } = set;
    if !within(name, &zone.name) {
        return Some(format!("RRSet with DNS name {name} is not permitted in zone {}", zone.name));
    }
    // Only a deletion may be followed by something new of the same identity in one batch.
    if before.is_some_and(|before| before != "DELETE" || action == "DELETE") {
        return Some(format!("The request contains an invalid set of changes for a resource record set '{kind} {name}'"));
    }
    let sets = names.get_mut(name)?;
    let place = sets.iter().position(|other| identity(other) == identity(set));
    if action == "DELETE" {
        let described = describe(set);
        return match place {
            None => Some(format!("Tried to delete resource record set {described} but it was not found")),
            Some(place) if !sets.get(place).is_some_and(|live| live.same(set)) => {
                Some(format!("Tried to delete resource record set {described} but the values provided do not match the current values"))
            }
            Some(place) => {
                sets.remove(place);
                None
            }
        };
    }
    if action == "CREATE" && place.is_some() {
        return Some(format!("Tried to create resource record set {} but it already exists", describe(set)));
    }
    if let Some(message) = conflict(zone, set, sets).or_else(|| malformed(set)) {
        return Some(message);
    }
    match place.and_then(|place| sets.get_mut(place)) {
        Some(live) => *live = set.clone(),
        None => sets.push(set.clone()),
    }
    None
}

/// What keeps a record set from being beside the others of its name.
fn conflict(zone: &Zone, set: &RecordSet, others: &[RecordSet]) -> Option<String> {
    let RecordSet { name, kind, .. } = set;
    if kind == "CNAME" && *name == zone.name {
        return Some(format!("RRSet of type CNAME with DNS name {name} is not permitted at apex in zone {}", zone.name));
    }
    if kind == "NS" && name.starts_with("\\052.") {
        return Some(format!("RRSet of type NS with DNS name {name} is not permitted: a wildcard can't have NS records"));
    }
    if kind == "CNAME" && others.iter().any(|other| other.kind != "CNAME") {
        let reason = "is not permitted as it conflicts with other records with the same DNS name in zone";
        return Some(format!("RRSet of type CNAME with DNS name {name} {reason} {}", zone.name));
    }
    if kind != "CNAME" && others.iter().any(|other| other.kind == "CNAME") {
        let reason = "is not permitted because a conflicting RRSet of type CNAME with the same DNS name already exists in zone";
        return Some(format!("RRSet of type {kind} with DNS name {name} {reason} {}", zone.name));
    }
    // One name and type is simple or has a policy, never both: this can't be reached by UPSERT (semantics 2.1).
    if others.iter().any(|other| other.kind == *kind && other.set_identifier.is_some() != set.set_identifier.is_some()) {
        let identifier = set.set_identifier.as_deref().unwrap_or("null");
        let reason = "cannot be created as other RRSets exist with the same name and type";
        return Some(format!("RRSet with DNS name {name}, type {kind}, SetIdentifier {identifier} {reason}"));
    }
    None
}

/// What is wrong with a record set's values.
fn malformed(set: &RecordSet) -> Option<String> {
    let fatal =
        |problem: &str, value: &str| Some(format!("Invalid Resource Record: 'FATAL problem: {problem} encountered with '{value}''"));
    if matches!(set.kind.as_str(), "CNAME" | "SOA") && set.values.len() > 1 {
        return Some(format!("Invalid Resource Record: a record set of type {} has one value", set.kind));
    }
    set.values.iter().find_map(|value| match set.kind.as_str() {
        "A" if value.parse::<Ipv4Addr>().is_err() => fatal("ARRDATAIllegalIPv4Address (Value is not a valid IPv4 address)", value),
        "AAAA" if value.parse::<Ipv6Addr>().is_err() => fatal("AAAARRDATAIllegalIPv6Address (Value is not a valid IPv6 address)", value),
        "TXT" | "SPF" => character_strings(value).and_then(|problem| fatal(problem, value)),
        "CNAME" if super::names::normalize(value).is_none() => fatal("DomainLabelEmpty (Domain label is empty)", value),
        _ => None,
    })
}

/// What is wrong with the quoted strings of a TXT value: each has at most 255 bytes.
fn character_strings(value: &str) -> Option<&'static str> {
    const UNQUOTED: &str = "InvalidCharacterString (Value should be enclosed in quotation marks)";
    let mut rest = value.trim();
    while !rest.is_empty() {
        let Some(inner) = rest.strip_prefix('"') else { return Some(UNQUOTED) };
        let (mut size, mut escaped, mut end) = (0, false, None);
        for (at, byte) in inner.bytes().enumerate() {
            match byte {
                b'"' if !escaped => {
                    end = Some(at);
                    break;
                }
                b'\\' if !escaped => escaped = true,
                _ => {
                    size += 1;
                    escaped = false;
                }
            }
        }
        let Some(end) = end else { return Some(UNQUOTED) };
        if size > 255 {
            return Some("CharacterStringTooLong (Value is too long)");
        }
        rest = inner.get(end + 1..).unwrap_or_default().trim_start();
    }
    None
}

/// What a zone must keep at its own name.
fn apex_problem(zone: &Zone, name: &str, sets: &[RecordSet]) -> Option<String> {
    let has = |kind: &str| sets.iter().any(|set| set.kind == kind);
    if name != zone.name || (has("NS") && has("SOA")) {
        None
    } else if has("NS") {
        Some("A HostedZone must contain exactly one SOA record.".to_owned())
    } else {
        Some("A HostedZone must contain at least one NS record for the zone itself.".to_owned())
    }
}

fn identity(set: &RecordSet) -> (String, String, Option<String>) {
    (set.name.clone(), set.kind.clone(), set.set_identifier.clone())
}

fn describe(set: &RecordSet) -> String {
    let identifier = set.set_identifier.as_ref().map(|identifier| format!(", set identifier='{identifier}'")).unwrap_or_default();
    format!("[name='{}', type='{}'{identifier}]", set.name, set.kind)
}

fn invalid(messages: Vec<String>) -> Failure {
    let message = format!("[{}]", messages.join(", "));
    Failure::Refusal(Refusal { status: 400, code: "InvalidChangeBatch", message, messages })
}
