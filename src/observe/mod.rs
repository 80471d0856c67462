//! Observation: what is there, in pages and not in resources.
//!
//! A list may confirm, never condemn: what a list says is missing or different is read by id before it becomes a finding. What can't
//! change is taken from the state.

mod aliases;
mod certificates;
mod forecast;
mod kept;
mod mesh;
mod objects;
mod records;
mod regions;
mod secrets;
mod zone_reads;
mod zones;

use std::collections::{BTreeMap, BTreeSet};

pub(crate) use certificates::dead_reason;
pub(crate) use records::record_id;
pub(crate) use regions::arn_region;

use crate::addr::{Addr, AwsKind};
use crate::graph::Graph;
use crate::observed::{Condition, Coverage, Identity, Observed, Owner};
use crate::plan::wanted::date;
use crate::provider::aws::Aws;
use crate::provider::error::ProviderError;
use crate::provider::world::World;
use crate::resource::Attr;
use crate::resource::hole::{Output, Outputs};
use crate::stack::CertificateOutput;
use crate::stack::istio::Batch;
use crate::state::State;

/// What to look at besides the desired resources.
#[allow(clippy::struct_excessive_bools)]
#[derive(Clone, Copy, Debug)]
pub struct Scope<'a> {
    /// Only certificates and deliveries: no zone, no record, nothing that would go.
    pub rotate: bool,
    /// Don't let the API server try anything: objects are compared here.
    pub local: bool,
    /// Look in every region, whatever the state says: nothing may be left when a stack goes.
    pub everywhere: bool,
    /// What is taken over with the consent of this run.
    pub adopts: &'a BTreeSet<Addr>,
    /// What is to be taken over by the server's ids.
    pub imports: &'a BTreeMap<Addr, String>,
    /// The order in which namespaces move to another control plane.
    pub batches: &'a [Batch],
    /// Whether a part of the stack is to go, and not all of it.
    pub partial_destroy: bool,
    /// All that the stack declares, also what is left out now or is to go: it knows the zones, and the roles that lead to them.
    pub declared: &'a Graph,
}

impl Scope<'_> {
    /// Whether what is of other make at an address is to be taken over.
    fn takes_over(&self, desired: &Graph, addr: &Addr) -> bool {
        let is_wished = desired.get(addr).is_some_and(|resource| resource.adopt == Some(true));
        is_wished || self.adopts.contains(addr) || self.imports.contains_key(addr)
    }
}

/// Looks at the world.
pub async fn observe(desired: &Graph, prior: &State, world: &World, scope: Scope<'_>) -> Result<Observed, ProviderError> {
    let home = regions::of(desired, prior, world.aws.as_ref().map(Aws::region));
    let (told, outputs) = futures::channel::oneshot::channel();
    let aws = async {
        let observed = observe_aws(desired, prior, world, &home, scope).await;
        // Objects may hold outputs of what was found.
        let _ = told.send(observed.as_ref().map(outputs_of).unwrap_or_default());
        observed
    };
    let outputs = async { outputs.await.unwrap_or_default() };
    let (aws, kube) = futures::join!(aws, objects::observe(desired, prior, world, scope, outputs));
    let (mut observed, kube) = (aws?, kube?);
    // Without a state nothing says in which other regions something of the stack is left: they are asked. What seems to be a stack's first
    // run asks only the region of global services; should that not be enough, its destroy asks them all.
    if let Some(aws) = world.aws.as_ref().filter(|_| prior.serial == 0 || scope.everywhere) {
        let lineages: BTreeSet<&str> = observed.lineages.iter().chain([&prior.lineage]).map(String::as_str).collect();
        let owners: BTreeSet<String> = lineages.into_iter().map(|lineage| format!("{}/{lineage}", prior.stack)).collect();
        let all = scope.everywhere || was_applied(desired, &observed, &kube);
        let search = regions::search(&owners, aws, &home, all).await?;
        if !search.found.is_empty() {
            let all = home.union(&search.found).cloned().collect();
            observed = observe_aws(desired, prior, world, &all, scope).await?;
        }
        observed.unseen_regions = search.denied;
    }
    observed.resources.extend(kube.resources);
    observed.other_namespaces = kube.other_namespaces;
    observed.forecasts = kube.forecasts;
    observed.hostnames = kube.hostnames;
    observed.unseen_kinds = kube.unseen_kinds;
    observed.content = kube.content;
    observed.pods = kube.pods;
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
    mesh::observe(prior, world, scope, &mut observed).await?;
    if let Some(aws) = &world.aws {
        observed.requests = aws.budget().counts();
    }
    Ok(observed)
}

/// What the certificates that are there offer to objects.
fn outputs_of(observed: &Observed) -> Outputs {
    let mut outputs = Outputs::new();
    for (addr, found) in &observed.resources {
        let is_usable = addr.aws_kind() == Some(AwsKind::AcmCertificate) && matches!(found.owner, Owner::Us { .. });
        if !is_usable || found.condition != Condition::Good {
            continue;
        }
        let mut put = |output, value: String| outputs.insert((addr.clone(), Output::Certificate(output)), value);
        put(CertificateOutput::Arn, found.id.clone());
        if let Some(domain) = found.attrs.get("domain_name").and_then(Attr::as_text) {
            put(CertificateOutput::Domain, domain.to_owned());
        }
        if let Some(leaf) = found.certificate.as_ref().and_then(|facts| facts.leaf.as_ref()) {
            put(CertificateOutput::NotAfter, date(leaf.not_after));
        }
    }
    outputs
}

/// Whether a stack without a state may have been applied before: something of it was found, or it wants nothing of AWS that could have been.
fn was_applied(desired: &Graph, aws: &Observed, kube: &objects::Objects) -> bool {
    let is_ours = |owner: &Owner| matches!(owner, Owner::Us { .. });
    aws.resources.values().chain(kube.resources.values()).any(|found| is_ours(&found.owner))
        || !desired.resources().any(|resource| resource.addr.aws_kind().is_some())
}

async fn observe_aws(
    desired: &Graph,
    prior: &State,
    world: &World,
    regions: &BTreeSet<String>,
    scope: Scope<'_>,
) -> Result<Observed, ProviderError> {
    let mut observed = Observed::default();
    let Some(aws) = &world.aws else { return Ok(observed) };
    let (certificates, secrets, zones) = futures::try_join!(
        certificates::observe(desired, prior, aws, regions, (world.clock.now(), scope.imports)),
        secrets::observe(desired, prior, aws, regions, scope),
        zones::observe(desired, prior, aws, scope),
    )?;
    let wants_records = !scope.rotate;
    observed.lineages.extend(certificates.lineages.iter().cloned());
    observed.lineages.extend(secrets.lineages);
    observed.deposed = secrets.older;
    observed.resources.extend(secrets.resources);
    observed.at_new_name = secrets.at_new_name;
    observed.held = secrets.held;
    if wants_records {
        let found = records::observe(desired, scope.declared, prior, aws, &certificates, zones, scope.everywhere).await?;
        observed.lineages.extend(found.lineages);
        observed.resources.extend(found.resources);
        observed.zones = found.choices;
        observed.record_needs = found.needs;
        observed.in_former_zone = found.former;
    }
    observed.deposed.extend(certificates.deposed);
    observed.resources.extend(certificates.resources);
    Ok(observed)
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
fn owner_by_tags(tags: &BTreeMap<String, String>) -> String {
    if let Some(stack) = tags.get(crate::resource::TAG_STACK) {
        return format!("the meshform stack `{}`", split_owner(stack).0);
    }
    let known = ["aws:cloudformation:stack-name", "ManagedBy", "managed-by", "Owner", "owner", "Team", "team"];
    known
        .iter()
        .find_map(|key| tags.get(*key).map(|value| format!("`{value}` (by its tag {key})")))
        .unwrap_or_else(|| "an unknown owner".to_owned())
}
