//! What a resource is to be: its attributes, its generation, and the outputs that others refer to.

use std::collections::BTreeMap;

use jiff::Timestamp;

use super::decide::Planner;
use super::marks::{self, Marks};
use crate::addr::Addr;
use crate::event::Origin;
use crate::graph::Graph;
use crate::observed::{Found, Observed, Owner, ZoneChoice};
use crate::resource::certificate::LeafFacts;
use crate::resource::manifest::MANAGER;
use crate::resource::secret::SecretSpec;
use crate::resource::validation_record::{self, TTL, ValidationRecordSpec};
use crate::resource::{Attr, Attrs, Resource, Spec, TAG_ADOPTED_RECORDS};
use crate::stack::{CertificateOutput, TextPart};

impl Planner<'_> {
    /// The attributes wanted, marks among them.
    pub(super) fn wanted_attrs(&self, resource: &Resource, found: Option<&Found>, generation: u64, origin: Origin) -> Attrs {
        let mut attrs = match &resource.spec {
            Spec::Certificate(spec) => {
                let mut attrs = spec.attrs();
                let key = format!("tags.{TAG_ADOPTED_RECORDS}");
                if let Some(mark) = found.and_then(|found| found.attrs.get(&key)) {
                    attrs.insert(key, mark.clone());
                }
                attrs
            }
            Spec::ValidationRecord(spec) => self.record_attrs(spec, found, origin),
            Spec::AliasRecord(spec) => self.alias_attrs(spec, &resource.addr, origin),
            Spec::Secret(spec) => {
                let mut attrs = spec.attrs(self.leaves.get(&spec.certificate), self.description(spec));
                attrs.extend(found.and_then(|found| self.kept_mark(&resource.addr, found, &attrs)));
                attrs
            }
            Spec::Object(spec) => spec.attrs(spec.certificate.as_ref().and_then(|certificate| self.leaves.get(certificate))),
            Spec::Manifest(spec) => {
                let mut attrs = self.forecast_attrs(spec, &resource.addr);
                let open = self.open_holes(spec).into_iter();
                attrs.extend(open.map(|(hole, source)| (hole.path.dotted(), Attr::Unknown(source.clone()))));
                attrs
            }
        };
        let was_managed_by = found.map_or("", marks::managed_before);
        let managed_by = match &resource.spec {
            Spec::Manifest(spec) => spec.managed_by(),
            _ => MANAGER,
        };
        let marks = Marks { stack: &self.prior.stack, lineage: &self.lineage, generation, origin, managed_by, was_managed_by };
        attrs.extend(marks.attrs(&resource.addr));
        attrs
    }

    pub(super) fn record_attrs(&self, spec: &ValidationRecordSpec, found: Option<&Found>, origin: Origin) -> Attrs {
        let zone = match self.observed.zones.get(&Addr::validation_record(&spec.base_domain)) {
            Some(ZoneChoice::Found(zone)) => Some(zone),
            _ => None,
        };
        let mut attrs = self.record_content(spec, zone.map_or("", |zone| zone.id.as_str()), found, origin);
        if let Some(role) = zone.and_then(|zone| zone.role.as_ref()) {
            attrs.insert("zone_role_arn".into(), Attr::text(&role.arn));
            attrs.extend(role.external_id.as_ref().map(|id| ("zone_external_id".to_owned(), Attr::text(id))));
        }
        attrs
    }

    pub(super) fn record_content(&self, spec: &ValidationRecordSpec, zone_id: &str, found: Option<&Found>, origin: Origin) -> Attrs {
        let known = spec.certificates.iter().find_map(|certificate| {
            let found = self.observed.resources.get(certificate).filter(|found| matches!(found.owner, Owner::Us { .. }))?;
            found.certificate.as_ref()?.records.iter().find(|record| record.base_domain == spec.base_domain)
        });
        match known {
            Some(record) => {
                let mut attrs = validation_record::attrs(zone_id, &record.name, &record.value, TTL);
                // The time to live of a record that was there before is not ours to set.
                if let (Origin::Adopted, Some(live)) = (origin, found.and_then(|found| found.attrs.get("ttl"))) {
                    attrs.insert("ttl".into(), live.clone());
                }
                attrs
            }
            None => match (found, spec.certificates.first()) {
                // No certificate tells it now (one is being replaced): the value of a domain never changes.
                (Some(found), _) => found.attrs.clone(),
                (None, Some(certificate)) => validation_record::unknown_attrs(zone_id, certificate),
                (None, None) => Attrs::new(),
            },
        }
    }

    /// The description of a secret, when all outputs in it are known.
    pub(super) fn description(&self, spec: &SecretSpec) -> Option<String> {
        let Some(text) = &spec.description else { return Some(String::new()) };
        let mut description = String::new();
        for part in &text.0 {
            match part {
                TextPart::Literal(literal) => description.push_str(literal),
                // The check of the stack lets none in here.
                TextPart::Hostname { .. } => {}
                TextPart::Output { certificate, output } => {
                    let addr = Addr::certificate(certificate);
                    description.push_str(&output_value(&addr, *output, self.desired, self.observed, &self.leaves)?);
                }
            }
        }
        Some(description)
    }

    pub(super) fn generation(&self, addr: &Addr, found: Option<&Found>) -> u64 {
        let known = self.prior.owned(addr).filter(|known| found.is_none_or(|found| found.id == known.id)).map(|current| current.generation);
        known.or(found.map(|found| found.generation)).unwrap_or(1).max(1)
    }

    pub(super) fn next_generation(&self, addr: &Addr) -> u64 {
        let known = self.prior.resources.get(addr);
        let of_state = known.into_iter().flat_map(|known| known.current.iter().chain(&known.deposed));
        let of_state = of_state.filter(|instance| instance.origin != Origin::Read).map(|instance| instance.generation);
        let found = self.observed.resources.get(addr).filter(|found| matches!(found.owner, Owner::Us { .. }));
        let of_world = found.map(|found| found.generation).into_iter();
        let deposed = self.observed.deposed.get(addr).into_iter().flatten().map(|deposed| deposed.generation);
        // A create that was begun and not answered is begun again as it was.
        if let Some(pending) = known.and_then(|known| known.pending.as_ref()) {
            return pending.generation;
        }
        of_state.chain(of_world).chain(deposed).max().unwrap_or(0) + 1
    }
}

/// The value of a certificate's output, when it is known and stays.
pub fn output_value(
    addr: &Addr,
    output: CertificateOutput,
    desired: &Graph,
    observed: &Observed,
    leaves: &BTreeMap<Addr, LeafFacts>,
) -> Option<String> {
    match output {
        CertificateOutput::Domain => match &desired.get(addr)?.spec {
            Spec::Certificate(spec) if spec.is_only_read() => {
                observed.resources.get(addr)?.attrs.get("domain_name").and_then(Attr::as_text).map(ToOwned::to_owned)
            }
            Spec::Certificate(spec) => Some(spec.domain.clone()),
            _ => None,
        },
        CertificateOutput::Arn => leaves.get(addr).and_then(|_| observed.resources.get(addr)).map(|found| found.id.clone()),
        CertificateOutput::NotAfter => leaves.get(addr).map(|leaf| date(leaf.not_after)),
    }
}

/// A time in seconds as RFC 3339.
pub fn date(second: i64) -> String {
    Timestamp::from_second(second).map(|time| time.to_string()).unwrap_or_default()
}
