//! What a stack and its state speak of, as far as IAM can tell it apart: regions, names of secrets, zones and the roles that lead to them.

use std::collections::{BTreeMap, BTreeSet};

use super::{Call, Purpose};
use crate::addr::{Addr, AwsKind};
use crate::graph::Graph;
use crate::resource::certificate::CertificateSpec;
use crate::resource::secret::SecretSpec;
use crate::resource::{Attr, Spec};
use crate::stack::{Role, Stack, Zone, ZoneBy};
use crate::state::{Instance, State};

/// What a stack and its state speak of, sorted by what IAM tells apart.
pub(super) struct Needs<'a> {
    pub(super) purpose: Purpose,
    pub(super) stack: &'a Stack,
    pub(super) partition: &'static str,
    pub(super) region: &'a str,
    pub(super) account: String,
    pub(super) certificates: Vec<&'a CertificateSpec>,
    /// The regions in which certificates are, or may have to go.
    pub(super) certificate_regions: BTreeSet<String>,
    /// Whether one that is only read is delivered.
    pub(super) has_deliveries_of_read: bool,
    pub(super) secrets: Vec<&'a SecretSpec>,
    /// Those that are taken over, as far as the stack says so.
    pub(super) adopted_secrets: Vec<&'a SecretSpec>,
    /// Whether some secret has a resource policy, or had one.
    pub(super) has_policies: bool,
    /// Whether some secret has copies in other regions, or had some.
    pub(super) has_replicas: bool,
    /// The ARNs of secrets that the state knows and the stack doesn't want any more.
    pub(super) left_secrets: BTreeSet<String>,
    /// The zones by the role that leads to them: their ids as far as they are known, and the base domains of their records.
    pub(super) zones: BTreeMap<Option<Role>, Zones>,
}

/// The zones of one identity.
#[derive(Default)]
pub(super) struct Zones {
    /// Absent: any zone, as one of them is known by name only.
    pub(super) ids: Option<BTreeSet<String>>,
    pub(super) bases: BTreeSet<String>,
    /// The hosts of alias records.
    pub(super) hosts: BTreeSet<String>,
}

/// A record, by what it is for.
#[derive(Clone, Copy)]
enum Wanted<'a> {
    /// A base domain's validation.
    Validation(&'a str),
    /// A host's alias.
    Alias(&'a str),
}

impl<'a> Needs<'a> {
    /// Gathers them.
    pub(super) fn of(
        stack: &'a Stack,
        graph: &'a Graph,
        state: &State,
        purpose: Purpose,
        region: &'a str,
        account: Option<&'a str>,
    ) -> Self {
        let mut needs = Self {
            purpose,
            stack,
            partition: partition(region),
            region,
            account: account.or(state.account.as_deref()).unwrap_or("*").to_owned(),
            certificates: Vec::new(),
            certificate_regions: BTreeSet::new(),
            has_deliveries_of_read: false,
            secrets: Vec::new(),
            adopted_secrets: Vec::new(),
            has_policies: false,
            has_replicas: false,
            left_secrets: BTreeSet::new(),
            zones: BTreeMap::new(),
        };
        for resource in graph.resources() {
            match &resource.spec {
                Spec::Certificate(spec) => {
                    needs.certificate_regions.insert(spec.region.clone());
                    needs.certificates.push(spec);
                }
                Spec::Secret(spec) => {
                    needs.has_policies |= spec.policy.is_some();
                    needs.has_replicas |= !spec.replicas.is_empty();
                    needs.has_deliveries_of_read |= is_only_read(graph, &spec.certificate);
                    needs.adopted_secrets.extend((resource.adopt == Some(true)).then_some(spec));
                    needs.secrets.push(spec);
                }
                Spec::Object(spec) => {
                    needs.has_deliveries_of_read |= spec.certificate.as_ref().is_some_and(|certificate| is_only_read(graph, certificate));
                }
                Spec::ValidationRecord(spec) if purpose != Purpose::Rotate => {
                    let record = Wanted::Validation(&spec.base_domain);
                    needs.record(&spec.zones, state.current(&resource.addr), record);
                }
                Spec::AliasRecord(spec) if purpose != Purpose::Rotate => {
                    needs.record(&spec.zones, state.current(&resource.addr), Wanted::Alias(&spec.host));
                }
                Spec::ValidationRecord(_) | Spec::AliasRecord(_) | Spec::Manifest(_) => {}
            }
        }
        if purpose != Purpose::Rotate {
            for (addr, known) in &state.resources {
                for instance in known.current.iter().chain(&known.deposed) {
                    needs.remembered(addr, instance, graph.contains(addr));
                }
            }
        }
        needs
    }

    fn record(&mut self, zones: &[Zone], known: Option<&Instance>, record: Wanted<'_>) {
        let known_id = known.and_then(|known| known.attrs.get("zone_id")).and_then(Attr::as_text);
        let one = |by: Option<&ZoneBy>| match (by, known_id) {
            (Some(ZoneBy::Id(id)), _) => Some(id.clone()),
            (_, Some(id)) => Some(id.to_owned()),
            _ => None,
        };
        let wanted: Vec<(Option<Role>, Option<String>)> = if zones.is_empty() {
            vec![(None, one(None))]
        } else {
            zones.iter().map(|zone| (zone.role.clone(), one(Some(&zone.by)))).collect()
        };
        for (role, id) in wanted {
            self.zone(role, id, record);
        }
    }

    fn zone(&mut self, role: Option<Role>, id: Option<String>, record: Wanted<'_>) {
        let zones = self.zones.entry(role).or_insert_with(|| Zones { ids: Some(BTreeSet::new()), ..Zones::default() });
        match record {
            Wanted::Validation(base) => zones.bases.insert(base.to_owned()),
            Wanted::Alias(host) => zones.hosts.insert(host.to_owned()),
        };
        zones.ids = match (zones.ids.take(), id) {
            (Some(mut ids), Some(id)) => {
                ids.insert(id);
                Some(ids)
            }
            _ => None,
        };
    }

    /// What the state knows, and the stack may not want any more.
    fn remembered(&mut self, addr: &Addr, instance: &Instance, is_wanted: bool) {
        self.has_policies |= instance.attrs.contains_key("policy") && addr.aws_kind().is_some();
        self.has_replicas |= instance.attrs.keys().any(|path| path.starts_with("replicas.")) && addr.aws_kind().is_some();
        let text = |path: &str| instance.attrs.get(path).and_then(Attr::as_text).map(ToOwned::to_owned);
        match addr {
            Addr::Aws { kind: AwsKind::AcmCertificate, .. } => {
                self.certificate_regions.extend(instance.id.split(':').nth(3).filter(|region| !region.is_empty()).map(ToOwned::to_owned));
            }
            Addr::Aws { kind: AwsKind::SecretsManagerSecret, .. } if !self.is_named(&instance.id) => {
                self.left_secrets.insert(instance.id.clone());
            }
            Addr::Aws { kind: AwsKind::AcmValidationRecord, key } if !is_wanted => {
                let role = text("zone_role_arn").map(|arn| Role { arn, external_id: text("zone_external_id") });
                self.zone(role, text("zone_id"), Wanted::Validation(key));
            }
            Addr::Aws { kind: AwsKind::Route53Record, key } if !is_wanted => {
                let role = text("zone_role_arn").map(|arn| Role { arn, external_id: text("zone_external_id") });
                self.zone(role, text("zone_id"), Wanted::Alias(key));
            }
            _ => {}
        }
    }

    /// Whether an ARN is that of a secret that the stack wants.
    fn is_named(&self, arn: &str) -> bool {
        let parts: Vec<&str> = arn.splitn(7, ':').collect();
        let [_, _, _, region, _, _, name] = parts.as_slice() else { return false };
        self.secrets.iter().any(|spec| spec.region == *region && name.strip_prefix(&spec.name).is_some_and(|end| end.len() == 7))
    }

    /// Those of some calls that the purpose makes.
    pub(super) fn calls(&self, calls: &[Call]) -> Vec<&'static str> {
        calls.iter().filter(|call| call.is_called_by(self.purpose)).map(|call| call.name()).collect()
    }

    /// An ARN of the stack's account.
    pub(super) fn arn(&self, service: &str, region: &str, rest: &str) -> String {
        format!("arn:{}:{service}:{region}:{}:{rest}", self.partition, self.account)
    }
}

fn is_only_read(graph: &Graph, certificate: &Addr) -> bool {
    matches!(graph.get(certificate).map(|resource| &resource.spec), Some(Spec::Certificate(spec)) if spec.is_only_read())
}

/// The partition that a region is in (AWS general reference, "AWS service endpoints").
fn partition(region: &str) -> &'static str {
    match region {
        china if china.starts_with("cn-") => "aws-cn",
        government if government.starts_with("us-gov-") => "aws-us-gov",
        _ => "aws",
    }
}
