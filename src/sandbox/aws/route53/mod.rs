//! Route 53: hosted zones and their records. rest-xml, version 2013-04-01.
//!
//! Zones belong to accounts. What ACM sees of them is in [`resolve`].

mod change;
pub(super) mod names;
mod records;
pub(super) mod resolve;
mod tags;
mod zones;

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::wire::{Answer, Caller, Outcome, Request, refuse, refuse_with};
use super::xml::Element;
use super::{Failure, unknown, xml};
use crate::sandbox::ACCOUNT;
use crate::sandbox::error::SandboxError;
use crate::sandbox::world::{Tx, parse};

const NAMESPACE: &str = "https://route53.amazonaws.com/doc/2013-04-01/";

/// A hosted zone.
#[derive(Clone, Debug, Serialize, Deserialize)]
struct Zone {
    id: String,
    name: String,
    account: String,
    private: bool,
    comment: Option<String>,
    caller_reference: String,
    name_servers: Vec<String>,
    tags: BTreeMap<String, String>,
}

/// A record set. What only matters for its equality (weights, regions, locations) is kept as it came.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct RecordSet {
    name: String,
    #[serde(rename = "type")]
    kind: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    set_identifier: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    ttl: Option<u32>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    values: Vec<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    alias: Option<Alias>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    routing: Vec<Element>,
}

/// What an alias record leads to.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
struct Alias {
    zone: String,
    name: String,
    evaluate_health: bool,
}

/// The operation of a request.
pub(super) fn operation(request: &Request) -> String {
    let path: Vec<&str> = request.path.iter().map(String::as_str).collect();
    let name = match (request.method.as_str(), path.as_slice()) {
        ("POST", [_, "hostedzone"]) => "CreateHostedZone",
        ("GET", [_, "hostedzone"]) => "ListHostedZones",
        ("GET", [_, "hostedzonesbyname"]) => "ListHostedZonesByName",
        ("GET", [_, "hostedzone", _]) => "GetHostedZone",
        ("DELETE", [_, "hostedzone", _]) => "DeleteHostedZone",
        ("GET", [_, "hostedzone", _, "rrset"]) => "ListResourceRecordSets",
        ("POST", [_, "hostedzone", _, "rrset"]) => "ChangeResourceRecordSets",
        ("GET", [_, "change", _]) => "GetChange",
        ("POST", [_, "tags", _, _]) => "ChangeTagsForResource",
        ("GET", [_, "tags", _, _]) => "ListTagsForResource",
        ("POST", [_, "tags", _]) => "ListTagsForResources",
        _ => return format!("{} /{}", request.method, path.join("/")),
    };
    name.to_owned()
}

/// Serves a request.
pub(super) fn serve(tx: &mut Tx<'_>, caller: &Caller, operation: &str, request: &Request) -> Outcome<Answer> {
    let id = request.path.get(2).map_or("", String::as_str);
    let mut headers = Vec::new();
    let mut status = 200;
    let body = match operation {
        "CreateHostedZone" => {
            let (id, body) = zones::create(tx, caller, &read(request)?)?;
            status = 201;
            headers.push(("location", format!("https://route53.amazonaws.com/2013-04-01/hostedzone/{id}")));
            body
        }
        "ListHostedZones" => zones::list(tx, caller, request)?,
        "ListHostedZonesByName" => zones::list_by_name(tx, caller, request)?,
        "GetHostedZone" => zones::get(tx, caller, id)?,
        "DeleteHostedZone" => zones::delete(tx, caller, id)?,
        "ListResourceRecordSets" => records::list(tx, caller, id, request)?,
        "ChangeResourceRecordSets" => change::change(tx, caller, id, &read(request)?)?,
        "GetChange" => change::get(tx, caller, id)?,
        "ChangeTagsForResource" => tags::change(tx, caller, &request.path, &read(request)?)?,
        "ListTagsForResource" => tags::list(tx, caller, &request.path)?,
        "ListTagsForResources" => tags::list_all(tx, caller, &request.path, &read(request)?)?,
        _ => return Err(Failure::Refusal(unknown("route53", operation))),
    };
    let body = xml::document(&format!("{operation}Response"), NAMESPACE, &body);
    Ok(Answer { headers, ..Answer::xml(status, body) })
}

/// Gives a new world its zones.
pub(super) fn populate(tx: &mut Tx<'_>) -> Result<(), SandboxError> {
    for name in ["example.com.", "example.org."] {
        zones::make(tx, ACCOUNT, name, false, Some("made with the sandbox"), &format!("sandbox-{name}"))?;
    }
    Ok(())
}

/// How many record sets there are.
pub(super) fn count_records(tx: &Tx<'_>) -> Result<usize, SandboxError> {
    tx.scan("r53/rr/").map(|(key, value)| parse::<Vec<RecordSet>>(key, value).map(|sets| sets.len())).sum()
}

fn read(request: &Request) -> Outcome<Element> {
    Element::parse(&request.body).map_err(|error| refuse("InvalidInput", format!("Invalid XML ; {error}")))
}

/// A zone that the caller may use.
fn zone_of(tx: &Tx<'_>, caller: &Caller, id: &str) -> Outcome<Zone> {
    let zone = tx.read::<Zone>(&format!("r53/zone/{id}"))?;
    let zone = zone.ok_or_else(|| refuse_with(404, "NoSuchHostedZone", format!("No hosted zone found with ID: {id}")))?;
    if zone.account == caller.account {
        return Ok(zone);
    }
    let message = format!("User: arn:aws:iam::{}:user/sandbox is not authorized to access this resource", caller.account);
    Err(refuse_with(403, "AccessDenied", message))
}

fn records_key(zone: &str, name: &str) -> String {
    format!("r53/rr/{zone}/{}", names::sort_key(name))
}

/// How many items a page may have.
fn page_size(request: &Request, limit: usize) -> Outcome<usize> {
    match request.query.get("maxitems") {
        None => Ok(limit),
        Some(text) => match text.parse::<usize>() {
            Ok(number) if number > 0 => Ok(number.min(limit)),
            _ => Err(refuse("InvalidInput", format!("'{text}' is not a valid value for maxitems"))),
        },
    }
}
