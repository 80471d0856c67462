//! STS and EKS: who we are, and where the cluster is.

use aws_sdk_eks::types::{Cluster, ClusterStatus, VpcConfigRequest};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use super::world::{World, refused};

contracts! { sts_eks:
    the_caller_has_an_account,
    a_cluster_has_endpoint_and_authority_when_it_is_active,
    the_authority_of_a_cluster_is_a_certificate,
    a_cluster_can_be_reached_from_outside_unless_said_otherwise,
    an_absent_cluster_is_told_as_such,
}

async fn the_caller_has_an_account(world: &World) {
    let caller = world.sts.get_caller_identity().send().await.unwrap();
    let account = caller.account().unwrap();
    assert!(account.len() == 12 && account.bytes().all(|byte| byte.is_ascii_digit()), "{account}");
    assert!(caller.arn().unwrap().contains(account));
}

/// A new cluster, once it is active.
async fn active(world: &World) -> Cluster {
    let name = world.name("cluster");
    let network = VpcConfigRequest::builder().subnet_ids("subnet-00000000").subnet_ids("subnet-11111111").build();
    let account = world.sts.get_caller_identity().send().await.unwrap().account().unwrap().to_owned();
    let request = world.eks.create_cluster().name(&name).role_arn(format!("arn:aws:iam::{account}:role/eks"));
    request.resources_vpc_config(network).send().await.unwrap();
    let cluster = world
        .until("an active cluster", async || {
            let cluster = world.eks.describe_cluster().name(&name).send().await.unwrap().cluster.unwrap();
            (cluster.status() == Some(&ClusterStatus::Active)).then_some(cluster)
        })
        .await;
    world.eks.delete_cluster().name(&name).send().await.unwrap();
    cluster
}

async fn a_cluster_has_endpoint_and_authority_when_it_is_active(world: &World) {
    let cluster = active(world).await;
    assert!(cluster.endpoint().unwrap().starts_with("https://"));
    assert!(STANDARD.decode(cluster.certificate_authority().unwrap().data().unwrap()).is_ok());
}

async fn the_authority_of_a_cluster_is_a_certificate(world: &World) {
    let cluster = active(world).await;
    let authority = STANDARD.decode(cluster.certificate_authority().unwrap().data().unwrap()).unwrap();
    assert!(String::from_utf8_lossy(&authority).contains("-----BEGIN CERTIFICATE-----"), "the authority is no PEM");
}

async fn a_cluster_can_be_reached_from_outside_unless_said_otherwise(world: &World) {
    assert!(active(world).await.resources_vpc_config().unwrap().endpoint_public_access(), "the endpoint is private");
}

async fn an_absent_cluster_is_told_as_such(world: &World) {
    let answer = world.eks.describe_cluster().name(world.name("never")).send().await;
    assert_eq!(refused(answer), "ResourceNotFoundException");
}
