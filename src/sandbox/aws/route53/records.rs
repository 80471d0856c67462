//! Reading and showing record sets.

use super::names::{normalize, sort_key};
use super::{Alias, RecordSet, page_size, zone_of};
use crate::sandbox::aws::wire::{Caller, Outcome, Request, refuse};
use crate::sandbox::aws::xml::{self, Element};
use crate::sandbox::world::{Tx, parse};

/// Record sets per page (limit of the API).
const PAGE: usize = 300;

/// The types that Route 53 knows.
pub(super) const TYPES: &[&str] =
    &["A", "AAAA", "CAA", "CNAME", "DS", "HTTPS", "MX", "NAPTR", "NS", "PTR", "SOA", "SPF", "SRV", "SSHFP", "SVCB", "TLSA", "TXT"];

/// Fields of a record set that choose between several of one name and type.
const ROUTING: &[&str] =
    &["Weight", "Region", "GeoLocation", "Failover", "MultiValueAnswer", "HealthCheckId", "CidrRoutingConfig", "GeoProximityLocation"];

pub(super) fn list(tx: &Tx<'_>, caller: &Caller, id: &str, request: &Request) -> Outcome<String> {
    let zone = zone_of(tx, caller, id)?;
    let size = page_size(request, PAGE)?;
    let query = |name: &str| request.query.get(name).map(String::as_str);
    let (kind, identifier) = (query("type"), query("identifier"));
    let start = match (query("name"), kind, identifier) {
        (None, Some(_), _) => return Err(refuse("InvalidInput", "The input is not valid: type was given without name")),
        (_, None, Some(_)) => return Err(refuse("InvalidInput", "The input is not valid: identifier was given without type")),
        (None, ..) => String::new(),
        (Some(name), ..) => sort_key(&normalize(name).ok_or_else(|| refuse("InvalidInput", format!("{name} is not a valid domain name")))?),
    };
    let prefix = format!("r53/rr/{}/", zone.id);
    let from = format!("{prefix}{start}");
    let mut page: Vec<RecordSet> = Vec::new();
    for (key, value) in tx.scan_from(&prefix, &from) {
        let sets: Vec<RecordSet> = parse(key, value)?;
        let begin = (kind.unwrap_or_default(), identifier.unwrap_or_default());
        page.extend(sets.into_iter().filter(|set| key != from || set.order() >= begin));
        if page.len() > size {
            break;
        }
    }
    let next = page.get(size).cloned();
    page.truncate(size);
    Ok([
        xml::tag("ResourceRecordSets", &page.iter().map(RecordSet::show).collect::<String>()),
        xml::text("IsTruncated", if next.is_some() { "true" } else { "false" }),
        xml::option("NextRecordName", next.as_ref().map(|set| set.name.as_str())),
        xml::option("NextRecordType", next.as_ref().map(|set| set.kind.as_str())),
        xml::option("NextRecordIdentifier", next.as_ref().and_then(|set| set.set_identifier.as_deref())),
        xml::text("MaxItems", &size.to_string()),
    ]
    .concat())
}

impl RecordSet {
    /// The order of the record sets of one name.
    pub(super) fn order(&self) -> (&str, &str) {
        (&self.kind, self.set_identifier.as_deref().unwrap_or_default())
    }

    /// Reads a record set. The action is for messages only.
    pub(super) fn read(element: &Element, action: &str) -> Outcome<Self> {
        let given = element.value("Name").unwrap_or_default();
        let kind = element.value("Type").unwrap_or_default();
        let identifier = element.value("SetIdentifier");
        let place = format!("[Action={action}, Name={given}, Type={kind}, SetIdentifier={}]", identifier.unwrap_or("null"));
        let invalid = |problem: String| refuse("InvalidInput", format!("Invalid request: {problem} in Change with {place}"));
        let name = normalize(given).ok_or_else(|| refuse("InvalidInput", format!("Invalid resource record set name '{given}'")))?;
        if !TYPES.contains(&kind) {
            return Err(invalid(format!("'{kind}' is not a record type")));
        }
        let ttl = match element.value("TTL") {
            None => None,
            Some(ttl) => match ttl.parse::<u32>() {
                Ok(ttl) if ttl <= 2_147_483_647 => Some(ttl),
                _ => return Err(invalid(format!("'{ttl}' is not a TTL"))),
            },
        };
        let values: Vec<String> =
            element.list("ResourceRecords").iter().filter_map(|record| record.value("Value")).map(str::to_owned).collect();
        let alias = element.child("AliasTarget").map(|alias| -> Outcome<Alias> {
            let target = alias.value("DNSName").unwrap_or_default();
            Ok(Alias {
                zone: alias.value("HostedZoneId").unwrap_or_default().to_owned(),
                name: normalize(target).ok_or_else(|| invalid(format!("'{target}' is not a name for an alias")))?,
                evaluate_health: alias.value("EvaluateTargetHealth") == Some("true"),
            })
        });
        let alias = alias.transpose()?;
        if alias.is_some() == (ttl.is_some() && !values.is_empty()) || (alias.is_some() && (ttl.is_some() || !values.is_empty())) {
            let found = if alias.is_some() { "more than one" } else { "none" };
            let problem = "Expected exactly one of [AliasTarget, all of [TTL, and ResourceRecords], or TrafficPolicyInstanceId], but found";
            return Err(invalid(format!("{problem} {found}")));
        }
        let routing = element.children.iter().filter(|child| ROUTING.contains(&child.name.as_str())).cloned().collect();
        let identifier = identifier.map(str::to_owned);
        Ok(Self { name, kind: kind.to_owned(), set_identifier: identifier, ttl, values, alias, routing })
    }

    /// Whether two are the same to the last value, in whatever order: what DELETE asks for (semantics 2.1).
    pub(super) fn same(&self, other: &Self) -> bool {
        let sorted = |set: &Self| {
            let mut set = set.clone();
            set.values.sort_unstable();
            set.routing.sort_unstable_by(|one, two| one.name.cmp(&two.name));
            set
        };
        sorted(self) == sorted(other)
    }

    fn show(&self) -> String {
        let values: String = self.values.iter().map(|value| xml::tag("ResourceRecord", &xml::text("Value", value))).collect();
        let alias = self.alias.as_ref().map(|alias| {
            let health = if alias.evaluate_health { "true" } else { "false" };
            let parts =
                [xml::text("HostedZoneId", &alias.zone), xml::text("DNSName", &alias.name), xml::text("EvaluateTargetHealth", health)];
            xml::tag("AliasTarget", &parts.concat())
        });
        let parts = [
            xml::text("Name", &self.name),
            xml::text("Type", &self.kind),
            xml::option("SetIdentifier", self.set_identifier.as_deref()),
            self.routing.iter().map(show_element).collect(),
            self.ttl.map(|ttl| xml::text("TTL", &ttl.to_string())).unwrap_or_default(),
            if values.is_empty() { String::new() } else { xml::tag("ResourceRecords", &values) },
            alias.unwrap_or_default(),
        ];
        xml::tag("ResourceRecordSet", &parts.concat())
    }
}

fn show_element(element: &Element) -> String {
    if element.children.is_empty() {
        xml::text(&element.name, &element.text)
    } else {
        xml::tag(&element.name, &element.children.iter().map(show_element).collect::<String>())
    }
}
