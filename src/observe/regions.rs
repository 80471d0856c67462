//! Regions: those that a stack speaks of, those of a partition, and those in which something of a stack is found.

use std::collections::BTreeSet;

use futures::StreamExt as _;

use crate::graph::Graph;
use crate::provider::aws::Aws;
use crate::provider::error::{Class, ProviderError};
use crate::resource::{Spec, TAG_STACK};
use crate::state::State;

/// The regions that every account has, and those that it may have opted into (AWS account management guide, "Regions").
const REGIONS: &[&str] = &[
    "us-east-1",
    "us-east-2",
    "us-west-1",
    "us-west-2",
    "ca-central-1",
    "sa-east-1",
    "eu-central-1",
    "eu-north-1",
    "eu-west-1",
    "eu-west-2",
    "eu-west-3",
    "ap-northeast-1",
    "ap-northeast-2",
    "ap-northeast-3",
    "ap-south-1",
    "ap-southeast-1",
    "ap-southeast-2",
];
const OPT_IN_REGIONS: &[&str] = &[
    "af-south-1",
    "ap-east-1",
    "ap-east-2",
    "ap-south-2",
    "ap-southeast-3",
    "ap-southeast-4",
    "ap-southeast-5",
    "ap-southeast-6",
    "ap-southeast-7",
    "ca-west-1",
    "eu-central-2",
    "eu-south-1",
    "eu-south-2",
    "il-central-1",
    "me-central-1",
    "me-south-1",
    "mx-central-1",
];
const CHINA_REGIONS: &[&str] = &["cn-north-1", "cn-northwest-1"];
const GOVERNMENT_REGIONS: &[&str] = &["us-gov-east-1", "us-gov-west-1"];

/// All regions of the partition that `region` belongs to: a validation record is shared within an account, and so within a partition.
pub(super) fn partition(region: &str) -> Vec<&'static str> {
    match region {
        china if china.starts_with("cn-") => CHINA_REGIONS.to_vec(),
        government if government.starts_with("us-gov-") => GOVERNMENT_REGIONS.to_vec(),
        _ => [REGIONS, OPT_IN_REGIONS].concat(),
    }
}

/// Whether an account has a region only when it asked for it.
pub(super) fn is_opt_in(region: &str) -> bool {
    OPT_IN_REGIONS.contains(&region)
}

/// The regions that the stack and the state speak of, and the default one.
pub(super) fn of(desired: &Graph, prior: &State, default: Option<&str>) -> BTreeSet<String> {
    let mut regions: BTreeSet<String> = default.map(ToOwned::to_owned).into_iter().collect();
    for resource in desired.resources() {
        match &resource.spec {
            Spec::Certificate(spec) => regions.insert(spec.region.clone()),
            Spec::Secret(spec) => {
                // Copies are listed in their own regions.
                regions.extend(spec.replicas.keys().cloned());
                regions.insert(spec.region.clone())
            }
            _ => false,
        };
    }
    for known in prior.resources.values() {
        for instance in known.current.iter().chain(&known.deposed) {
            regions.extend(arn_region(&instance.id).map(ToOwned::to_owned));
            regions.extend(instance.attrs.keys().filter_map(|path| path.strip_prefix("replicas.")).map(ToOwned::to_owned));
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

/// What a search of the other regions found.
pub(super) struct Search {
    /// Those that hold a certificate or a secret of the stack by its tag.
    pub(super) found: BTreeSet<String>,
    /// Those that may not be looked at.
    pub(super) denied: Vec<String>,
}

/// Searches the regions of the partition, but for `home`, for what carries one of these owners' tags; or only the first one, where the
/// certificates of global services are.
pub(super) async fn search(owners: &BTreeSet<String>, aws: &Aws, home: &BTreeSet<String>, all: bool) -> Result<Search, ProviderError> {
    let partition = partition(aws.region());
    let asked = if all { partition.len() } else { 1 };
    let others = partition.into_iter().take(asked).filter(|region| !home.contains(*region));
    let asked = others.map(|region| async move { (region, aws.tagging(region).owners(TAG_STACK).await) });
    let answers: Vec<(&str, Result<BTreeSet<String>, ProviderError>)> = futures::stream::iter(asked).buffered(8).collect().await;
    let mut search = Search { found: BTreeSet::new(), denied: Vec::new() };
    for (region, answer) in answers {
        match answer {
            Ok(there) if !owners.is_disjoint(&there) => {
                search.found.insert(region.to_owned());
            }
            Ok(_) => {}
            // Credentials that work elsewhere are refused where the account has not opted in: there is nothing of it there.
            Err(error) if error.class == Class::Credentials && is_opt_in(region) => {}
            // Organizations often deny whole regions by policy; that must not stop a plan.
            Err(error) if matches!(error.class, Class::Denied(_)) => search.denied.push(region.to_owned()),
            Err(error) => return Err(error),
        }
    }
    Ok(search)
}
