//! `certificates:`: the certificate, its validation records, and its deliveries.

use std::collections::BTreeMap;

use super::namespaces::text_map;
use crate::addr::Addr;
use crate::resource::certificate::{CertificateSpec, Source, base_domain};
use crate::resource::object::ObjectSpec;
use crate::resource::secret::SecretSpec;
use crate::resource::validation_record::ValidationRecordSpec;
use crate::resource::{Milestone, Resource, Spec};
use crate::stack::{Certificate, CertificateOrigin, Dns, Stack, Zone, ZoneBy};

pub(super) fn compose(stack: &Stack) -> Vec<Resource> {
    let mut resources = Vec::new();
    let mut records: BTreeMap<String, Resource> = BTreeMap::new();
    for (key, certificate) in &stack.certificates {
        let region = region(stack, certificate);
        let addr = Addr::certificate(key);
        let mut tags = stack.aws.as_ref().map(|aws| aws.tags.clone()).unwrap_or_default();
        let common_tags = tags.clone();
        tags.extend(certificate.tags.clone());
        let spec = CertificateSpec {
            key: key.clone(),
            source: match &certificate.origin {
                CertificateOrigin::Public => Source::Public,
                CertificateOrigin::PrivateCa { arn } => Source::PrivateCa(arn.clone()),
                CertificateOrigin::Imported(_) => Source::Imported(None),
                CertificateOrigin::Existing { arn } => Source::Existing(arn.clone()),
            },
            region: region.clone(),
            domain: certificate.domain.clone(),
            names: certificate.names.clone(),
            dns: certificate.dns,
            key_algorithm: certificate.key_algorithm,
            export: certificate.export,
            tags,
            issue_timeout: certificate.issue_timeout,
        };
        let mut ready_needs = Vec::new();
        if spec.has_records() && certificate.dns == Dns::Route53 {
            for base in spec.base_domains() {
                let record = Addr::validation_record(&base);
                ready_needs.push((record.clone(), Milestone::Created));
                add_record(&mut records, record, &base, &addr, certificate);
            }
        }
        resources.push(Resource {
            addr: addr.clone(),
            spec: Spec::Certificate(spec),
            adopt: certificate.adopt,
            force: false,
            needs: Vec::new(),
            ready_needs,
            place: certificate.place.clone(),
        });
        resources.extend(deliveries(stack, key, certificate, &addr, &region, &common_tags));
    }
    resources.extend(records.into_values());
    resources
}

/// A record is shared: the certificates that need it are its referrers, and any of them tells its value.
fn add_record(records: &mut BTreeMap<String, Resource>, addr: Addr, base: &str, certificate: &Addr, declared: &Certificate) {
    let zones: Vec<Zone> = declared.zones.iter().filter(|zone| may_hold(zone, base)).cloned().collect();
    let resource = records.entry(base.to_owned()).or_insert_with(|| Resource {
        addr,
        spec: Spec::ValidationRecord(ValidationRecordSpec { base_domain: base.to_owned(), zones: Vec::new(), certificates: Vec::new() }),
        adopt: None,
        force: false,
        needs: Vec::new(),
        ready_needs: Vec::new(),
        place: declared.place.clone(),
    });
    resource.needs.push((certificate.clone(), Milestone::Created));
    if let Spec::ValidationRecord(spec) = &mut resource.spec {
        spec.certificates.push(certificate.clone());
        for zone in zones {
            if !spec.zones.iter().any(|known| known.by == zone.by) {
                spec.zones.push(zone);
            }
        }
    }
}

fn may_hold(zone: &Zone, base: &str) -> bool {
    match &zone.by {
        ZoneBy::Id(_) => true,
        ZoneBy::Name(name) => is_within(base, name),
    }
}

/// Whether `name` is `zone` or below it.
pub(crate) fn is_within(name: &str, zone: &str) -> bool {
    let name = base_domain(name);
    name == zone || name.strip_suffix(zone).is_some_and(|rest| rest.ends_with('.'))
}

fn deliveries(
    stack: &Stack,
    key: &str,
    certificate: &Certificate,
    addr: &Addr,
    region: &str,
    common_tags: &BTreeMap<String, String>,
) -> Vec<Resource> {
    let mut resources = Vec::new();
    if let Some(delivery) = &certificate.secrets_manager {
        let mut tags = common_tags.clone();
        tags.extend(delivery.tags.clone());
        resources.push(Resource {
            addr: Addr::secret(key),
            spec: Spec::Secret(SecretSpec {
                certificate: addr.clone(),
                region: region.to_owned(),
                name: delivery.name.clone(),
                description: delivery.description.clone(),
                kms_key_id: delivery.kms_key_id.clone(),
                recovery_window_days: delivery.recovery_window_days,
                tags,
                replicas: delivery.replicas.clone(),
                policy: delivery.policy.clone(),
                layout: delivery.layout.clone(),
            }),
            adopt: delivery.adopt.then_some(true),
            force: false,
            needs: vec![(addr.clone(), Milestone::Ready)],
            ready_needs: Vec::new(),
            place: delivery.place.clone(),
        });
    }
    for delivery in &certificate.tls_secrets {
        let mut needs = vec![(addr.clone(), Milestone::Ready)];
        if stack.namespaces.contains_key(&delivery.namespace) {
            needs.push((Addr::namespace(&delivery.namespace), Milestone::Ready));
        }
        resources.push(Resource {
            addr: Addr::kube_secret(&delivery.namespace, &delivery.name),
            spec: Spec::Object(ObjectSpec::tls_secret(
                &delivery.namespace,
                &delivery.name,
                &text_map(&delivery.labels),
                &text_map(&delivery.annotations),
                addr.clone(),
            )),
            adopt: delivery.adopt.then_some(true),
            force: delivery.force,
            needs,
            ready_needs: Vec::new(),
            place: delivery.place.clone(),
        });
    }
    resources
}

fn region(stack: &Stack, certificate: &Certificate) -> String {
    let default = || stack.aws.as_ref().map(|aws| aws.region.clone()).unwrap_or_default();
    certificate.region.clone().unwrap_or_else(default)
}
