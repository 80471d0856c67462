//! The least IAM policy of each identity that a stack works with: the credentials that it begins with, the role that it takes, and the roles
//! that lead to zones of other accounts.
//!
//! Resources and condition keys are those of the service authorization reference: ACM takes an ARN for what is there already and conditions
//! for a request; the lists of ACM, Secrets Manager, Route 53 and the tagging API take neither.

use std::collections::BTreeSet;

use super::needs::Needs;
use super::policy::{Identity, Policy, Statement, any, statement};
use super::{Call, Purpose};
use crate::graph::Graph;
use crate::resource::TAG_STACK;
use crate::resource::alias_record::Host;
use crate::resource::certificate::{CertificateSpec, Source};
use crate::resource::secret::SecretSpec;
use crate::stack::{Cluster, Role, Stack};
use crate::state::State;

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

impl Needs<'_> {
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
        let owned: Vec<&CertificateSpec> = self.certificates.iter().copied().filter(|spec| !spec.is_only_read()).collect();
        if !owned.is_empty() {
            self.make_certificates(&owned, &mark, statements);
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
        if owned.iter().any(|spec| (spec.export && spec.has_records()) || matches!(spec.source, Source::PrivateCa(_))) {
            calls.push(Call::ExportCertificate);
        }
        if owned.iter().any(|spec| matches!(spec.source, Source::Imported(_))) {
            calls.push(Call::ImportCertificate);
        }
        let read: Vec<String> = self
            .certificates
            .iter()
            .filter_map(|spec| if let Source::Existing(arn) = &spec.source { Some(arn.clone()) } else { None })
            .collect();
        if !read.is_empty() && self.has_deliveries_of_read {
            statements.push(statement("ExportReadCertificates", self.calls(&[Call::ExportCertificate]), read));
        }
        let mut own = statement("OwnCertificates", self.calls(&calls), arns);
        own.on("StringLike", format!("aws:ResourceTag/{TAG_STACK}"), mark.iter().map(String::as_str));
        statements.push(own);
    }

    /// New certificates: requested, signed by a private CA, imported.
    fn make_certificates(&self, owned: &[&CertificateSpec], mark: &[String], statements: &mut Vec<Statement>) {
        let of =
            |is_one: fn(&CertificateSpec) -> bool| -> Vec<&CertificateSpec> { owned.iter().copied().filter(|spec| is_one(spec)).collect() };
        let kinds = [
            ("RequestCertificates", of(CertificateSpec::has_records)),
            ("RequestPrivateCertificates", of(|spec| matches!(spec.source, Source::PrivateCa(_)))),
        ];
        for (sid, specs) in kinds.into_iter().filter(|(_, specs)| !specs.is_empty()) {
            let names: BTreeSet<&str> = specs.iter().flat_map(|spec| &spec.names).map(String::as_str).collect();
            let mut request = statement(sid, self.calls(&[Call::RequestCertificate]), any());
            request.on("ForAllValues:StringEquals", "acm:DomainNames", names);
            if sid == "RequestCertificates" {
                request.on("StringEquals", "acm:ValidationMethod", ["DNS"]);
            } else {
                let authorities: BTreeSet<&str> = specs.iter().filter_map(|spec| authority(spec)).collect();
                request.on("StringEquals", "acm:CertificateAuthority", authorities);
            }
            request.on("StringEquals", "aws:RequestedRegion", specs.iter().map(|spec| spec.region.as_str()).collect::<BTreeSet<_>>());
            request.on("StringLike", format!("aws:RequestTag/{TAG_STACK}"), mark.iter().map(String::as_str));
            statements.push(request);
        }
        // ACM asks the private CA in the caller's name (AWS Private CA user guide, "IAM for AWS Private CA").
        let authorities: BTreeSet<String> = owned.iter().filter_map(|spec| authority(spec)).map(ToOwned::to_owned).collect();
        if !authorities.is_empty() && Call::RequestCertificate.is_called_by(self.purpose) {
            let actions = vec!["acm-pca:DescribeCertificateAuthority", "acm-pca:IssueCertificate", "acm-pca:GetCertificate"];
            let sign = statement("UsePrivateCas", actions, authorities.into_iter().collect());
            statements.push(sign);
        }
        let imported: BTreeSet<&str> =
            owned.iter().filter(|spec| matches!(spec.source, Source::Imported(_))).map(|spec| spec.region.as_str()).collect();
        if !imported.is_empty() && self.purpose == Purpose::Apply {
            let arns = imported.iter().map(|region| self.arn("acm", region, "certificate/*")).collect();
            let mut import = statement("ImportCertificates", self.calls(&[Call::ImportCertificate]), arns);
            import.on("StringLike", format!("aws:RequestTag/{TAG_STACK}"), mark.iter().map(String::as_str));
            statements.push(import);
        }
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
        let mut calls = calls.to_vec();
        if self.has_policies {
            calls.extend([Call::GetResourcePolicy, Call::PutResourcePolicy, Call::DeleteResourcePolicy]);
        }
        if self.has_replicas {
            calls.extend([Call::ReplicateSecretToRegions, Call::RemoveRegionsFromReplication]);
        }
        statements.push(statement("OwnSecrets", self.calls(&calls), arns));
        if self.secrets.is_empty() {
            return;
        }
        if !self.adopted_secrets.is_empty() {
            let arn = |spec: &&SecretSpec| self.arn("secretsmanager", &spec.region, &format!("secret:{}-??????", spec.name));
            let adopted = self.adopted_secrets.iter().map(arn).collect();
            statements.push(statement("ReadAdoptedSecrets", self.calls(&[Call::GetSecretValue]), adopted));
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
        let reads = !self.adopted_secrets.is_empty() && Call::GetSecretValue.is_called_by(self.purpose);
        let writes = Call::PutSecretValue.is_called_by(self.purpose);
        let mut actions = if writes {
            vec!["kms:GenerateDataKey", "kms:Decrypt"]
        } else if reads {
            vec!["kms:Decrypt"]
        } else {
            return;
        };
        // A change of key encrypts what is there anew; so does a copy.
        let is_copied = self.secrets.iter().any(|spec| spec.replicas.values().any(Option::is_some));
        if writes && (self.purpose == Purpose::Apply || is_copied) {
            actions.push("kms:Encrypt");
        }
        let (mut keys, mut aliases, mut services) = (BTreeSet::new(), BTreeSet::new(), BTreeSet::new());
        let own = self.secrets.iter().map(|spec| (spec.region.as_str(), spec.kms_key_id.as_deref()));
        let copies = self.secrets.iter().flat_map(|spec| &spec.replicas).map(|(region, key)| (region.as_str(), key.as_deref()));
        for (region, key) in own.chain(copies) {
            let Some(key) = key.filter(|key| *key != crate::resource::secret::DEFAULT_KEY) else { continue };
            let domain = if self.partition == "aws-cn" { "amazonaws.com.cn" } else { "amazonaws.com" };
            services.insert(format!("secretsmanager.{region}.{domain}"));
            match key.rsplit_once("alias/") {
                Some((_, alias)) => _ = aliases.insert(format!("alias/{alias}")),
                None if key.starts_with("arn:") => _ = keys.insert(key.to_owned()),
                None => _ = keys.insert(self.arn("kms", region, &format!("key/{key}"))),
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
        let mut names: Vec<String> = zones.bases.iter().map(|base| format!("_*.{base}")).collect();
        // A batch may hold both kinds, and one statement must allow all of it. In normalized names a `*` is written `\052` (developer guide,
        // "Using IAM policy conditions for fine-grained access control").
        // Whether a host is the name of its zone only the zone tells: the names that it would have then are granted too, where it may be.
        let may_be_apex = |host: &String| !host.starts_with('*');
        let forms = zones.hosts.iter().flat_map(|host| {
            let of = |is_apex| Host { name: host, is_apex }.names();
            of(false).into_iter().chain(of(true).into_iter().skip(1).filter(move |_| may_be_apex(host)))
        });
        names.extend(forms.map(|name| name.replace('*', "\\052")));
        let types: &[&str] = if zones.hosts.is_empty() { &["CNAME"] } else { &["A", "AAAA", "CNAME", "TXT"] };
        change.on("ForAllValues:StringLike", "route53:ChangeResourceRecordSetsNormalizedRecordNames", names.iter().map(String::as_str));
        change.on("ForAllValues:StringEquals", "route53:ChangeResourceRecordSetsRecordTypes", types.iter().copied());
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

/// The private CA of a certificate.
fn authority(spec: &CertificateSpec) -> Option<&str> {
    match &spec.source {
        Source::PrivateCa(arn) => Some(arn),
        _ => None,
    }
}
