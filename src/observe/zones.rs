//! Hosted zones: one list per identity, and the choice of the zone that a name belongs to.

use std::collections::{BTreeMap, BTreeSet};

use crate::addr::AwsKind;
use crate::compose::is_within;
use crate::graph::Graph;
use crate::observed::{FoundZone, ZoneChoice};
use crate::provider::aws::Aws;
use crate::provider::aws::route53::HostedZone;
use crate::provider::error::ProviderError;
use crate::resource::Spec;
use crate::stack::{Role, Zone, ZoneBy};
use crate::state::State;

use super::{Scope, addresses};

/// What a zone is wanted for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Purpose {
    /// A validation record: ACM asks in public DNS.
    Validation,
    /// An alias: it may be for the VPCs of a private zone.
    Alias,
}

/// The zones that each identity sees.
#[derive(Default)]
pub(super) struct Zones {
    by_role: BTreeMap<Option<Role>, Vec<HostedZone>>,
}

pub(super) async fn observe(desired: &Graph, prior: &State, aws: &Aws, scope: Scope<'_>) -> Result<Zones, ProviderError> {
    let mut zones = Zones::default();
    let kinds = [AwsKind::AcmValidationRecord, AwsKind::Route53Record];
    let no_records = kinds.into_iter().all(|kind| addresses(desired, prior, kind).is_empty());
    if scope.rotate || (no_records && prior.serial > 0) {
        return Ok(zones);
    }
    let mut roles: BTreeSet<Option<Role>> = BTreeSet::new();
    for resource in scope.declared.resources() {
        let zones = match &resource.spec {
            Spec::ValidationRecord(spec) => &spec.zones,
            Spec::AliasRecord(spec) => &spec.zones,
            _ => continue,
        };
        roles.extend(zones.iter().map(|zone| zone.role.clone()));
        if zones.is_empty() {
            roles.insert(None);
        }
    }
    if roles.is_empty() {
        roles.insert(None);
    }
    for role in roles {
        let found = aws.route53(role.as_ref()).await.zones().await?;
        zones.by_role.insert(role, found);
    }
    Ok(zones)
}

impl Zones {
    /// The zone for a record of this name that the stack wants, among those that it names for it.
    pub(super) fn choose(&self, zones: &[Zone], record: &str, purpose: Purpose) -> ZoneChoice {
        if zones.is_empty() {
            return self.deepest(record, purpose);
        }
        let mut best: Option<FoundZone> = None;
        for wanted in zones {
            let seen = self.by_role.get(&wanted.role).map(Vec::as_slice).unwrap_or_default();
            let matching: Vec<&HostedZone> = match &wanted.by {
                ZoneBy::Id(id) => seen.iter().filter(|zone| zone.id == *id).collect(),
                ZoneBy::Name(name) => seen.iter().filter(|zone| zone.name == *name).collect(),
            };
            let name = match &wanted.by {
                ZoneBy::Id(id) => id,
                ZoneBy::Name(name) => name,
            };
            match unambiguous(&matching, name, wanted.role.clone(), purpose) {
                ZoneChoice::Found(zone) if !is_within(record, &zone.name) => {}
                ZoneChoice::Found(zone) => {
                    if best.as_ref().is_none_or(|best| best.name.len() < zone.name.len()) {
                        best = Some(zone);
                    }
                }
                unusable @ ZoneChoice::Unusable { .. } => return unusable,
            }
        }
        best.map_or_else(
            || ZoneChoice::Unusable {
                reason: format!("none of the zones that the stack names holds `{record}`"),
                help: "name the zone that does under `zone:`".into(),
            },
            ZoneChoice::Found,
        )
    }

    /// How many record sets a zone holds, as far as it is known.
    pub(super) fn records(&self, role: Option<&Role>, id: &str) -> usize {
        let zones = self.by_role.get(&role.cloned()).into_iter().flatten();
        zones.filter(|zone| zone.id == id).map(|zone| zone.records).next().unwrap_or(usize::MAX)
    }

    /// The deepest zone that holds a name, among those that our own identity sees: a public one, or where that will do a private one.
    pub(super) fn deepest(&self, base_domain: &str, purpose: Purpose) -> ZoneChoice {
        let seen = self.by_role.get(&None).map(Vec::as_slice).unwrap_or_default();
        let holding: Vec<&HostedZone> = seen.iter().filter(|zone| is_within(base_domain, &zone.name)).collect();
        let depth = |is_private| holding.iter().filter(|zone| zone.is_private == is_private).map(|zone| zone.name.len()).max();
        let private = if purpose == Purpose::Alias { depth(true) } else { None };
        let Some(depth) = depth(false).or(private) else {
            let reason = if holding.is_empty() {
                format!("the account has no hosted zone for `{base_domain}`")
            } else {
                format!("the account has only a private hosted zone for `{base_domain}`, and ACM validates in public DNS")
            };
            return ZoneChoice::Unusable {
                reason,
                help: "create the public zone, name one of another account with its role under `zone:`, or say `dns: manual`".into(),
            };
        };
        let deepest: Vec<&HostedZone> = holding.into_iter().filter(|zone| zone.name.len() == depth).collect();
        let name = deepest.first().map(|zone| zone.name.clone()).unwrap_or_default();
        unambiguous(&deepest, &name, None, purpose)
    }
}

fn unambiguous(matching: &[&HostedZone], name: &str, role: Option<Role>, purpose: Purpose) -> ZoneChoice {
    let public: Vec<&&HostedZone> = matching.iter().filter(|zone| !zone.is_private).collect();
    let usable = if public.is_empty() && purpose == Purpose::Alias { matching.iter().collect() } else { public };
    match usable.as_slice() {
        [zone] => match &zone.linked_service {
            None => ZoneChoice::Found(FoundZone { id: zone.id.clone(), name: zone.name.clone(), role }),
            Some(service) => ZoneChoice::Unusable {
                reason: format!("hosted zone `{name}` is managed by {service}"),
                help: "its records can't be changed: use another zone, or `dns: manual`".into(),
            },
        },
        [] if matching.is_empty() => ZoneChoice::Unusable {
            reason: format!("there is no hosted zone `{name}` in that account"),
            help: "check the name, the account and the role of `zone:`".into(),
        },
        [] => ZoneChoice::Unusable {
            reason: format!("hosted zone `{name}` is private, and ACM validates in public DNS"),
            help: "name the public zone".into(),
        },
        several => {
            let ids: Vec<&str> = several.iter().map(|zone| zone.id.as_str()).collect();
            ZoneChoice::Unusable {
                reason: format!("{} {} hosted zones are named `{name}`: {}", several.len(), kind_of(several), ids.join(", ")),
                help: format!("say which one: `zone: {{ id: {} }}`", ids.first().unwrap_or(&"Z…")),
            }
        }
    }
}

fn kind_of(zones: &[&&HostedZone]) -> &'static str {
    if zones.iter().all(|zone| zone.is_private) { "private" } else { "public" }
}
