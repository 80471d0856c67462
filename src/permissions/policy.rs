//! The least IAM policy of each identity that a stack works with: the credentials that it begins with, the role that it takes, and the roles
//! that lead to zones of other accounts.
//!
//! Resources and condition keys are those of the service authorization reference: ACM takes an ARN for what is there already and conditions
//! for a request; the lists of ACM, Secrets Manager, Route 53 and the tagging API take neither.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Map, Value, json};

use super::{Call, Purpose};
use crate::addr::{Addr, AwsKind};
use crate::graph::Graph;
use crate::resource::certificate::CertificateSpec;
use crate::resource::secret::SecretSpec;
use crate::resource::validation_record::ValidationRecordSpec;
use crate::resource::{Attr, Spec, TAG_STACK};
use crate::stack::{Cluster, Role, Stack, ZoneBy};
use crate::state::{Instance, State};

/// Who acts.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Identity {
    /// The credentials of the environment or the profile.
    Caller,
    /// A role that is assumed.
    Role(String),
}

impl Identity {
    /// In words.
    pub fn describe(&self) -> &str {
        match self {
            Self::Caller => "the credentials that meshform runs with",
            Self::Role(arn) => arn,
        }
    }
}

/// What an identity may do.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Policy {
    /// Who.
    pub identity: Identity,
    /// What.
    pub statements: Vec<Statement>,
}

/// A statement of a policy: some actions on some resources.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Statement {
    /// Its name in the policy.
    pub sid: &'static str,
    /// The actions, `service:Operation`.
    pub actions: Vec<&'static str>,
    /// The resources' ARNs, with `*` and `?` for what isn't known.
    pub resources: Vec<String>,
    /// Operator to key to values.
    pub conditions: Conditions,
}

type Conditions = BTreeMap<&'static str, BTreeMap<String, Vec<String>>>;

impl Policy {
    /// The policy document in IAM's JSON.
    pub fn document(&self) -> Value {
        let statements = self.statements.iter().map(|statement| {
            let mut object = Map::new();
            object.insert("Sid".into(), json!(statement.sid));
            object.insert("Effect".into(), json!("Allow"));
            object.insert("Action".into(), json!(statement.actions));
            object.insert("Resource".into(), json!(statement.resources));
            if !statement.conditions.is_empty() {
                object.insert("Condition".into(), json!(statement.conditions));
            }
            Value::Object(object)
        });
        json!({"Version": "2012-10-17", "Statement": statements.collect::<Vec<_>>()})
    }
}

/// The policies of a stack for one purpose, that of the acting identity first. Empty for a stack without AWS.
pub fn policies(stack: &Stack, graph: &Graph, state: &State, purpose: Purpose) -> Vec<Policy> {
    let Some(aws) = &stack.aws else { return Vec::new() };
    let needs = Needs::of(stack, graph, state, purpose, &aws.region, aws.account.as_deref());
    let actor = aws.role.as_ref().map_or(Identity::Caller, |role| Identity::Role(role.arn.clone()));
    let mut statements = needs.own_account();
    statements.extend(needs.zones(None));
    let others: BTreeSet<&Role> = needs.zones.keys().filter_map(Option::as_ref).collect();
    if !others.is_empty() {
        statements.push(Needs::assume("TakeZoneRoles", others.iter().copied()));
    }
    statements.retain(|statement| !statement.actions.is_empty());
    let mut policies = vec![Policy { identity: actor, statements }];
    if let Some(role) = &aws.role {
        policies.push(Policy { identity: Identity::Caller, statements: vec![Needs::assume("TakeRole", [role])] });
    }
    for role in others {
        policies.push(Policy { identity: Identity::Role(role.arn.clone()), statements: needs.zones(Some(role)) });
    }
    policies
}

/// What a stack and its state speak of, sorted by what IAM tells apart.
struct Needs<'a> {
    purpose: Purpose,
    stack: &'a Stack,
    partition: &'static str,
    region: &'a str,
    account: String,
    certificates: Vec<&'a CertificateSpec>,
    /// The regions in which certificates are, or may have to go.
    certificate_regions: BTreeSet<String>,
    secrets: Vec<&'a SecretSpec>,
    /// The ARNs of secrets that the state knows and the stack doesn't want any more.
    left_secrets: BTreeSet<String>,
    /// The zones by the role that leads to them: their ids as far as they are known, and the base domains of their records.
    zones: BTreeMap<Option<Role>, Zones>,
}

#[derive(Default)]
struct Zones {
    /// Absent: any zone, as one of them is known by name only.
    ids: Option<BTreeSet<String>>,
    bases: BTreeSet<String>,
}

impl<'a> Needs<'a> {
    fn of(stack: &'a Stack, graph: &'a Graph, state: &State, purpose: Purpose, region: &'a str, account: Option<&'a str>) -> Self {
        let mut needs = Self {
            purpose,
            stack,
            partition: partition(region),
            region,
            account: account.or(state.account.as_deref()).unwrap_or("*").to_owned(),
            certificates: Vec::new(),
            certificate_regions: BTreeSet::new(),
            secrets: Vec::new(),
            left_secrets: BTreeSet::new(),
            zones: BTreeMap::new(),
        };
        for resource in graph.resources() {
            match &resource.spec {
                Spec::Certificate(spec) => {
                    needs.certificate_regions.insert(spec.region.clone());
                    needs.certificates.push(spec);
                }
                Spec::Secret(spec) => needs.secrets.push(spec),
                Spec::ValidationRecord(spec) => needs.record(spec, state.current(&resource.addr)),
                Spec::Object(_) | Spec::Manifest(_) => {}
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

    fn record(&mut self, spec: &ValidationRecordSpec, known: Option<&Instance>) {
        let known_id = known.and_then(|known| known.attrs.get("zone_id")).and_then(Attr::as_text);
        let one = |by: Option<&ZoneBy>| match (by, known_id) {
            (Some(ZoneBy::Id(id)), _) => Some(id.clone()),
            (_, Some(id)) => Some(id.to_owned()),
            _ => None,
        };
        let wanted: Vec<(Option<Role>, Option<String>)> = if spec.zones.is_empty() {
            vec![(None, one(None))]
        } else {
            spec.zones.iter().map(|zone| (zone.role.clone(), one(Some(&zone.by)))).collect()
        };
        for (role, id) in wanted {
            self.zone(role, id, &spec.base_domain);
        }
    }

    fn zone(&mut self, role: Option<Role>, id: Option<String>, base: &str) {
        let zones = self.zones.entry(role).or_insert_with(|| Zones { ids: Some(BTreeSet::new()), bases: BTreeSet::new() });
        zones.bases.insert(base.to_owned());
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
                self.zone(role, text("zone_id"), key);
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
    fn calls(&self, calls: &[Call]) -> Vec<&'static str> {
        calls.iter().filter(|call| call.is_called_by(self.purpose)).map(|call| call.name()).collect()
    }

    fn arn(&self, service: &str, region: &str, rest: &str) -> String {
        format!("arn:{}:{service}:{region}:{}:{rest}", self.partition, self.account)
    }

    fn own_account(&self) -> Vec<Statement> {
        let mut statements = Vec::new();
        if let Some(Cluster::Eks { name }) = &self.stack.cluster {
            let resources = vec![self.arn("eks", self.region, &format!("cluster/{name}"))];
            statements.push(statement("FindCluster", self.calls(&[Call::DescribeCluster]), resources));
        }
        statements.push(statement("FindCertificates", self.calls(&[Call::ListCertificates, Call::GetResources]), any()));
        // Who else needs a validation record is asked of every region, as a record serves a whole account.
        let everywhere =
            if self.purpose == Purpose::Rotate { self.certificate_arns() } else { vec![self.arn("acm", "*", "certificate/*")] };
        if !everywhere.is_empty() {
            let calls = self.calls(&[Call::DescribeCertificate, Call::GetCertificate, Call::ListTagsForCertificate]);
            statements.push(statement("ReadCertificates", calls, everywhere));
        }
        self.write_certificates(&mut statements);
        statements.push(statement("FindSecrets", self.calls(&[Call::ListSecrets]), any()));
        self.write_secrets(&mut statements);
        statements
    }

    fn certificate_arns(&self) -> Vec<String> {
        self.certificate_regions.iter().map(|region| self.arn("acm", region, "certificate/*")).collect()
    }

    fn write_certificates(&self, statements: &mut Vec<Statement>) {
        let mark = [format!("{}/*", self.stack.name)];
        if !self.certificates.is_empty() {
            let names: BTreeSet<&str> = self.certificates.iter().flat_map(|spec| &spec.names).map(String::as_str).collect();
            let regions: BTreeSet<&str> = self.certificates.iter().map(|spec| spec.region.as_str()).collect();
            let mut request = statement("RequestCertificates", self.calls(&[Call::RequestCertificate]), any());
            request.on("ForAllValues:StringEquals", "acm:DomainNames", names);
            request.on("StringEquals", "acm:ValidationMethod", ["DNS"]);
            request.on("StringEquals", "aws:RequestedRegion", regions);
            request.on("StringLike", format!("aws:RequestTag/{TAG_STACK}"), mark.iter().map(String::as_str));
            statements.push(request);
            // A request with tags is also a call of this action; so is the adoption of one that is there.
            let mut first = statement("MarkCertificates", self.calls(&[Call::AddTagsToCertificate]), self.certificate_arns());
            first.on("StringLike", format!("aws:RequestTag/{TAG_STACK}"), mark.iter().map(String::as_str));
            statements.push(first);
        }
        let arns = self.certificate_arns();
        if arns.is_empty() {
            return;
        }
        let mut calls = vec![Call::AddTagsToCertificate, Call::RemoveTagsFromCertificate, Call::DeleteCertificate];
        if self.certificates.iter().any(|spec| spec.export) {
            calls.push(Call::ExportCertificate);
        }
        let mut own = statement("OwnCertificates", self.calls(&calls), arns);
        own.on("StringLike", format!("aws:ResourceTag/{TAG_STACK}"), mark.iter().map(String::as_str));
        statements.push(own);
    }

    fn write_secrets(&self, statements: &mut Vec<Statement>) {
        let mut arns: Vec<String> = Vec::new();
        for spec in &self.secrets {
            arns.push(self.arn("secretsmanager", &spec.region, &format!("secret:{}-??????", spec.name)));
        }
        arns.extend(self.left_secrets.iter().cloned());
        if arns.is_empty() {
            return;
        }
        let calls = [
            Call::DescribeSecret,
            Call::PutSecretValue,
            Call::UpdateSecretVersionStage,
            Call::UpdateSecret,
            Call::TagSecret,
            Call::UntagSecret,
            Call::RestoreSecret,
            Call::DeleteSecret,
        ];
        statements.push(statement("OwnSecrets", self.calls(&calls), arns));
        if self.secrets.is_empty() {
            return;
        }
        if self.purpose != Purpose::Plan {
            // A secret that isn't there yet has no ARN: the name stands in its place.
            let bare = self.secrets.iter().flat_map(|spec| {
                let name = format!("secret:{}", spec.name);
                [self.arn("secretsmanager", &spec.region, &name), self.arn("secretsmanager", &spec.region, &format!("{name}-??????"))]
            });
            let mut create = self.calls(&[Call::CreateSecret]);
            if !create.is_empty() {
                create.extend(self.calls(&[Call::TagSecret]));
            }
            statements.push(statement("CreateSecrets", create, bare.collect()));
        }
        self.keys(statements);
    }

    /// Secrets Manager uses a customer's key in the caller's name (Secrets Manager user guide, "Secret encryption and decryption").
    fn keys(&self, statements: &mut Vec<Statement>) {
        if !Call::PutSecretValue.is_called_by(self.purpose) {
            return;
        }
        let mut actions = vec!["kms:GenerateDataKey", "kms:Decrypt"];
        // A change of key encrypts what is there anew.
        if self.purpose == Purpose::Apply {
            actions.push("kms:Encrypt");
        }
        let (mut keys, mut aliases, mut services) = (BTreeSet::new(), BTreeSet::new(), BTreeSet::new());
        for spec in &self.secrets {
            let Some(key) = spec.kms_key_id.as_deref().filter(|key| *key != crate::resource::secret::DEFAULT_KEY) else { continue };
            let domain = if self.partition == "aws-cn" { "amazonaws.com.cn" } else { "amazonaws.com" };
            services.insert(format!("secretsmanager.{}.{domain}", spec.region));
            match key.rsplit_once("alias/") {
                Some((_, alias)) => _ = aliases.insert(format!("alias/{alias}")),
                None if key.starts_with("arn:") => _ = keys.insert(key.to_owned()),
                None => _ = keys.insert(self.arn("kms", &spec.region, &format!("key/{key}"))),
            }
        }
        if !keys.is_empty() {
            let mut by_key = statement("UseKeys", actions.clone(), keys.into_iter().collect());
            by_key.on("StringEquals", "kms:ViaService", services.iter().map(String::as_str));
            statements.push(by_key);
        }
        if !aliases.is_empty() {
            // IAM knows keys by their ids alone; an alias is a condition.
            let mut by_alias = statement("UseKeysByAlias", actions, vec![format!("arn:{}:kms:*:*:key/*", self.partition)]);
            by_alias.on("StringEquals", "kms:ViaService", services.iter().map(String::as_str));
            by_alias.on("ForAnyValue:StringEquals", "kms:ResourceAliases", aliases.iter().map(String::as_str));
            statements.push(by_alias);
        }
    }

    /// What is done in the zones that a role leads to, or our own identity.
    fn zones(&self, role: Option<&Role>) -> Vec<Statement> {
        let mut statements = Vec::new();
        // Without any record in the stack our own identity is asked for its zones, as long as there is no state.
        let asks = self.zones.contains_key(&role.cloned()) || (role.is_none() && self.zones.is_empty());
        if asks {
            statements.push(statement("FindZones", self.calls(&[Call::ListHostedZonesByName]), any()));
        }
        let Some(zones) = self.zones.get(&role.cloned()) else { return statements };
        let zone = |id: &str| format!("arn:{}:route53:::hostedzone/{id}", self.partition);
        let arns: Vec<String> = match &zones.ids {
            Some(ids) => ids.iter().map(|id| zone(id)).collect(),
            None => vec![zone("*")],
        };
        statements.push(statement("ReadRecords", self.calls(&[Call::ListResourceRecordSets]), arns.clone()));
        let mut change = statement("ChangeRecords", self.calls(&[Call::ChangeResourceRecordSets]), arns);
        let names: Vec<String> = zones.bases.iter().map(|base| format!("_*.{base}")).collect();
        change.on("ForAllValues:StringLike", "route53:ChangeResourceRecordSetsNormalizedRecordNames", names.iter().map(String::as_str));
        change.on("ForAllValues:StringEquals", "route53:ChangeResourceRecordSetsRecordTypes", ["CNAME"]);
        let actions: &[&str] = if self.purpose == Purpose::Destroy { &["DELETE"] } else { &["CREATE", "UPSERT", "DELETE"] };
        change.on("ForAllValues:StringEquals", "route53:ChangeResourceRecordSetsActions", actions.iter().copied());
        statements.push(change);
        let changes = vec![format!("arn:{}:route53:::change/*", self.partition)];
        statements.push(statement("FollowChanges", self.calls(&[Call::GetChange]), changes));
        statements.retain(|statement| !statement.actions.is_empty());
        statements
    }

    fn assume<'r>(sid: &'static str, roles: impl IntoIterator<Item = &'r Role>) -> Statement {
        statement(sid, vec!["sts:AssumeRole"], roles.into_iter().map(|role| role.arn.clone()).collect())
    }
}

impl Statement {
    fn on<'v>(&mut self, operator: &'static str, key: impl Into<String>, values: impl IntoIterator<Item = &'v str>) {
        let values = values.into_iter().map(ToOwned::to_owned).collect();
        self.conditions.entry(operator).or_default().insert(key.into(), values);
    }
}

fn statement(sid: &'static str, actions: Vec<&'static str>, resources: Vec<String>) -> Statement {
    Statement { sid, actions, resources, conditions: Conditions::new() }
}

fn any() -> Vec<String> {
    vec!["*".to_owned()]
}

/// The partition that a region is in (AWS general reference, "AWS service endpoints").
fn partition(region: &str) -> &'static str {
    match region {
        china if china.starts_with("cn-") => "aws-cn",
        government if government.starts_with("us-gov-") => "aws-us-gov",
        _ => "aws",
    }
}
