//! The world as the state remembers it: what a plan rests on that asks nobody.

use std::collections::{BTreeMap, BTreeSet};

use crate::addr::{Addr, AwsKind};
use crate::graph::Graph;
use crate::observed::{Condition, Forecast, Found, FoundZone, Identity, Observed, Outcome, Owner, RecordNeed, ZoneChoice};
use crate::plan::marks::Marks;
use crate::plan::wanted::date;
use crate::resource::alias_record;
use crate::resource::hole::{Output, Outputs};
use crate::resource::manifest::{HOSTNAME, ManifestSpec, SENT};
use crate::resource::{Attr, Spec};
use crate::stack::{CertificateOutput, Zone, ZoneBy};
use crate::state::{Instance, State};

/// What was there after the last apply, as far as the state tells it. Nothing is asked: what others changed since doesn't show, and a name that the
/// state doesn't know counts as free.
pub fn offline(desired: &Graph, prior: &State) -> Observed {
    let mut observed = Observed {
        identity: Identity { account: prior.account.clone(), region: prior.region.clone(), cluster: prior.cluster.clone() },
        ..Observed::default()
    };
    for (addr, known) in &prior.resources {
        let Some(current) = &known.current else { continue };
        observed.resources.insert(addr.clone(), as_found(current, &prior.lineage));
        if let Some(name) = current.attrs.get(HOSTNAME).and_then(Attr::as_text) {
            observed.hostnames.insert(addr.clone(), name.to_owned());
        }
        if addr.aws_kind() == Some(AwsKind::AcmValidationRecord) {
            observed.record_needs.insert(addr.clone(), RecordNeed::Free);
        }
    }
    let outputs = known_outputs(prior);
    for resource in desired.resources() {
        let addr = &resource.addr;
        let zones: &[Zone] = match &resource.spec {
            Spec::ValidationRecord(spec) => &spec.zones,
            Spec::AliasRecord(spec) => &spec.zones,
            Spec::Manifest(spec) if spec.hook.is_none() => {
                let forecast = forecast(addr, spec, prior, &observed, &outputs);
                observed.forecasts.insert(addr.clone(), forecast);
                continue;
            }
            _ => continue,
        };
        observed.zones.insert(addr.clone(), ZoneChoice::Found(zone(zones, prior.current(addr))));
    }
    let namespaces = desired.resources().filter_map(|resource| match &resource.addr {
        Addr::Kube { namespace: Some(namespace), .. } => Some((namespace.clone(), true)),
        _ => None,
    });
    observed.other_namespaces = namespaces.collect();
    observed
}

fn as_found(current: &Instance, lineage: &str) -> Found {
    Found {
        id: current.id.clone(),
        owner: Owner::Us { lineage: Some(lineage.to_owned()) },
        generation: current.generation,
        origin: Some(current.origin),
        condition: if current.ready { Condition::Good } else { Condition::Waiting("it was not ready at the last look".into()) },
        warning: None,
        attrs: current.attrs.clone(),
        ours: current.attrs.keys().cloned().collect::<BTreeSet<_>>(),
        managers: BTreeMap::new(),
        certificate: current.certificate.clone(),
    }
}

/// Where the records are, or are to be: of a zone that nobody looked up, only the stack's name for it is known.
fn zone(zones: &[Zone], known: Option<&Instance>) -> FoundZone {
    let attr = |path: &str| known.and_then(|known| known.attrs.get(path)).and_then(Attr::as_text).unwrap_or_default().to_owned();
    let named = zones.first();
    let (id, name) = match named.map(|zone| &zone.by) {
        Some(ZoneBy::Id(id)) => (id.clone(), String::new()),
        Some(ZoneBy::Name(name)) => (String::new(), name.clone()),
        None => (String::new(), String::new()),
    };
    let is_apex = known.is_some_and(|known| alias_record::is_apex(&known.attrs));
    let name = if is_apex { attr("name") } else { name };
    let role = named.and_then(|zone| zone.role.clone());
    FoundZone { id: if known.is_some() { attr("zone_id") } else { id }, name, role }
}

/// The outputs that the state knows.
pub fn known_outputs(state: &State) -> Outputs {
    let mut outputs = Outputs::new();
    for (addr, known) in &state.resources {
        let Some(current) = &known.current else { continue };
        let text = |path: &str| current.attrs.get(path).and_then(Attr::as_text).map(ToOwned::to_owned);
        let mut put = |output, value: Option<String>| outputs.extend(value.map(|value| ((addr.clone(), output), value)));
        if addr.is_kube() {
            put(Output::Hostname, text(HOSTNAME));
        } else if addr.aws_kind() == Some(AwsKind::AcmCertificate) && current.ready {
            let leaf = current.certificate.as_ref().and_then(|facts| facts.leaf.as_ref());
            put(Output::Certificate(CertificateOutput::Arn), Some(current.id.clone()));
            put(Output::Certificate(CertificateOutput::Domain), text("domain_name"));
            put(Output::Certificate(CertificateOutput::NotAfter), leaf.map(|leaf| date(leaf.not_after)));
        }
    }
    outputs
}

fn forecast(addr: &Addr, spec: &ManifestSpec, prior: &State, observed: &Observed, outputs: &Outputs) -> Forecast {
    let known = prior.current(addr);
    let (filled, _) = spec.filled(|source, output| outputs.get(&(source.clone(), output)).cloned());
    let marks = Marks::of_object(&prior.stack, &prior.lineage, (addr, &filled), observed.resources.get(addr), known);
    let sent = filled.sent_hash(&marks);
    let is_same = known.and_then(|known| known.attrs.get(SENT)).and_then(Attr::as_text) == Some(sent.as_str());
    let outcome = match known {
        Some(_) if is_same => Outcome::Untouched,
        Some(_) => Outcome::Unasked,
        None => Outcome::Untried { why: "nothing was asked".into(), differences: Vec::new() },
    };
    Forecast { sent, live: None, fields: None, body: None, data: None, waits: None, outcome }
}
