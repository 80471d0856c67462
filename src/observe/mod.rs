//! Observation: what is there, in pages and not in resources.
//!
//! A list may confirm, never condemn: what a list says is missing or different is read by id before it becomes a finding. What can't
//! change is taken from the state.

mod certificates;
mod objects;
mod records;
mod secrets;
mod zones;

use std::collections::BTreeSet;

pub(crate) use certificates::dead_reason;
pub(crate) use objects::kind_path;
pub(crate) use records::record_id;

use crate::addr::{Addr, AwsKind};
use crate::graph::Graph;
use crate::observed::{Coverage, Identity, Observed};
use crate::provider::error::ProviderError;
use crate::provider::world::World;
use crate::resource::Spec;
use crate::state::State;

/// What to look at besides the desired resources.
#[derive(Clone, Copy, Debug, Default)]
pub struct Scope {
    /// Only certificates and deliveries: no zone, no record, nothing that would go.
    pub rotate: bool,
}

/// Looks at the world.
pub async fn observe(desired: &Graph, prior: &State, world: &World, scope: Scope) -> Result<Observed, ProviderError> {
    let (aws, kube) = futures::join!(observe_aws(desired, prior, world, scope), objects::observe(desired, prior, world, scope));
    let (mut observed, kube) = (aws?, kube?);
    observed.resources.extend(kube.resources);
    observed.other_namespaces = kube.other_namespaces;
    observed.namespace_content = kube.namespace_content;
    let lineages: BTreeSet<String> = observed.lineages.drain(..).chain(kube.lineages).collect();
    observed.lineages = lineages.into_iter().collect();
    observed.coverage = Coverage {
        aws: world.aws.is_some(),
        records: world.aws.is_some() && !scope.rotate,
        secrets: world.kube.is_some(),
        objects: world.kube.is_some() && !scope.rotate,
    };
    observed.identity = Identity {
        account: world.aws.as_ref().map(|aws| aws.account().to_owned()),
        region: world.aws.as_ref().map(|aws| aws.region().to_owned()),
        cluster: world.kube.as_ref().map(|kube| kube.uid().to_owned()),
    };
    if let Some(aws) = &world.aws {
        observed.requests = aws.budget().counts();
    }
    Ok(observed)
}

async fn observe_aws(desired: &Graph, prior: &State, world: &World, scope: Scope) -> Result<Observed, ProviderError> {
    let mut observed = Observed::default();
    let Some(aws) = &world.aws else { return Ok(observed) };
    let regions = regions(desired, prior, aws.region());
    let (certificates, secrets, zones) = futures::try_join!(
        certificates::observe(desired, prior, aws, &regions, world.clock.now()),
        secrets::observe(desired, prior, aws, &regions),
        zones::observe(desired, prior, aws, scope),
    )?;
    let wants_records = !scope.rotate;
    observed.lineages.extend(certificates.lineages);
    observed.lineages.extend(secrets.lineages);
    observed.deposed = certificates.deposed;
    observed.resources.extend(secrets.resources);
    if wants_records {
        let found = records::observe(desired, prior, aws, &certificates.resources, zones, &certificates.listed).await?;
        observed.resources.extend(found.resources);
        observed.zones = found.choices;
        observed.record_needs = found.needs;
    }
    observed.resources.extend(certificates.resources);
    Ok(observed)
}

/// The regions that the stack and the state speak of, and the default one.
fn regions(desired: &Graph, prior: &State, default: &str) -> BTreeSet<String> {
    let mut regions = BTreeSet::from([default.to_owned()]);
    for resource in desired.resources() {
        match &resource.spec {
            Spec::Certificate(spec) => regions.insert(spec.region.clone()),
            Spec::Secret(spec) => regions.insert(spec.region.clone()),
            _ => false,
        };
    }
    for known in prior.resources.values() {
        for instance in known.current.iter().chain(&known.deposed) {
            regions.extend(arn_region(&instance.id).map(ToOwned::to_owned));
        }
    }
    regions
}

/// The region in an ARN.
pub(crate) fn arn_region(arn: &str) -> Option<&str> {
    if !arn.starts_with("arn:") {
        return None;
    }
    arn.split(':').nth(3).filter(|region| !region.is_empty())
}

/// The addresses of a kind that stack or state know.
fn addresses(desired: &Graph, prior: &State, kind: AwsKind) -> BTreeSet<Addr> {
    let wanted = desired.resources().map(|resource| &resource.addr);
    let known = prior.resources.keys();
    wanted.chain(known).filter(|addr| addr.aws_kind() == Some(kind)).cloned().collect()
}

/// The stack and the lineage in an owner's tag, `<stack>/<lineage>`.
fn split_owner(tag: &str) -> (&str, &str) {
    tag.split_once('/').unwrap_or((tag, ""))
}

/// Who owns what carries these tags, as far as they tell.
fn owner_by_tags(tags: &std::collections::BTreeMap<String, String>) -> String {
    if let Some(stack) = tags.get(crate::resource::TAG_STACK) {
        return format!("the meshform stack `{}`", split_owner(stack).0);
    }
    let known = ["aws:cloudformation:stack-name", "ManagedBy", "managed-by", "Owner", "owner", "Team", "team"];
    known
        .iter()
        .find_map(|key| tags.get(*key).map(|value| format!("`{value}` (by its tag {key})")))
        .unwrap_or_else(|| "an unknown owner".to_owned())
}
