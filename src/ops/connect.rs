//! The way from a stack to its world.

use std::path::PathBuf;

use aws_smithy_runtime_api::client::http::SharedHttpClient;

use super::OpError;
use crate::clock::Clock;
use crate::provider::aws::Aws;
use crate::provider::aws::connect::{Access, connect as connect_aws};
use crate::provider::budget::Budget;
use crate::provider::kube::Kube;
use crate::provider::kube::connect::{Target, connect as connect_kube};
use crate::provider::world::World;
use crate::stack::{Cluster, Stack};

/// The sandbox's ends of the wires, below the SDKs.
#[derive(Clone)]
pub struct SandboxEnds {
    /// Answers AWS requests.
    pub http: SharedHttpClient,
    /// Answers Kubernetes requests.
    pub kube: kube::Client,
}

/// Connects to what the stack names. Another account than the pinned one stops here, before anything of it is read.
pub async fn connect(stack: &Stack, clock: Clock, sandbox: Option<&SandboxEnds>) -> Result<World, OpError> {
    let aws = match &stack.aws {
        None => None,
        Some(declared) => {
            let access = Access {
                region: &declared.region,
                profile: declared.profile.as_deref(),
                role: declared.role.as_ref(),
                sandbox: sandbox.map(|ends| ends.http.clone()),
            };
            let aws = connect_aws(&access).await?;
            if let Some(pinned) = &declared.account
                && *pinned != aws.account()
            {
                return Err(OpError::OtherAccount { pinned: pinned.clone(), found: aws.account().to_owned() });
            }
            Some(aws)
        }
    };
    let kube = match &stack.cluster {
        None => None,
        Some(cluster) => Some(connect_cluster(cluster, aws.as_ref(), sandbox).await?),
    };
    Ok(World { aws, kube, clock })
}

async fn connect_cluster(cluster: &Cluster, aws: Option<&Aws>, sandbox: Option<&SandboxEnds>) -> Result<Kube, OpError> {
    let budget = aws.map_or_else(Budget::default, |aws| aws.budget().clone());
    let target = match (cluster, aws, sandbox) {
        (Cluster::Eks { name }, Some(aws), sandbox) => Target::Eks { name, aws, sandbox: sandbox.map(|ends| ends.kube.clone()) },
        (_, _, Some(ends)) => Target::Sandbox(ends.kube.clone()),
        (Cluster::Kubeconfig { path, context }, _, None) => {
            Target::Kubeconfig { path: path.as_ref().map(PathBuf::from), context: context.clone() }
        }
        // An EKS cluster without an AWS section is refused when the stack is checked.
        (Cluster::InCluster | Cluster::Eks { .. }, _, None) => Target::InCluster,
    };
    Ok(connect_kube(target, budget).await?)
}
