use aws_credential_types::provider::ProvideCredentials;
use aws_sdk_eks::types::{ClusterStatus, VpcConfigRequest};
use aws_sdk_resourcegroupstagging::types::TagFilter;
use aws_smithy_types::retry::RetryConfig;

use super::bed::{bed, code, config, refusal};

#[tokio::test(start_paused = true)]
async fn the_caller_is_the_sandboxs_user_or_the_role_it_has_assumed() {
    let bed = bed();
    let sts = aws_sdk_sts::Client::new(&bed.config());
    let identity = sts.get_caller_identity().send().await.unwrap();
    assert_eq!(identity.account(), Some("000000000000"));
    let role = "arn:aws:iam::111122223333:role/path/dns";
    let output = sts.assume_role().role_arn(role).role_session_name("meshform").send().await.unwrap();
    let credentials = output.credentials().unwrap();
    let assumed = config(&bed.sandbox, "eu-west-1", credentials.access_key_id(), RetryConfig::disabled());
    let identity = aws_sdk_sts::Client::new(&assumed).get_caller_identity().send().await.unwrap();
    assert_eq!(identity.account(), Some("111122223333"));
    assert_eq!(identity.arn(), Some("arn:aws:sts::111122223333:assumed-role/dns/meshform"));
    assert_eq!(code(&sts.assume_role().role_arn("nonsense").role_session_name("x").send().await.unwrap_err()), "ValidationError");
    assert!(assumed.credentials_provider().unwrap().provide_credentials().await.is_ok());
}

#[tokio::test(start_paused = true)]
async fn the_demo_cluster_is_active_and_others_become_so() {
    let bed = bed();
    let eks = aws_sdk_eks::Client::new(&bed.config());
    let demo = eks.describe_cluster().name("demo").send().await.unwrap().cluster.unwrap();
    assert_eq!(demo.status, Some(ClusterStatus::Active));
    assert_eq!(demo.endpoint(), Some("https://demo.eks.sandbox"));
    assert!(demo.certificate_authority().unwrap().data().is_some());
    let vpc = VpcConfigRequest::builder().subnet_ids("subnet-1").build();
    let create = eks.create_cluster().name("other").role_arn("arn:aws:iam::000000000000:role/x").resources_vpc_config(vpc);
    let made = create.send().await.unwrap().cluster.unwrap();
    assert_eq!((made.status, made.endpoint), (Some(ClusterStatus::Creating), None));
    bed.advance("12m");
    let describe = || eks.describe_cluster().name("other").send();
    assert_eq!(describe().await.unwrap().cluster.unwrap().endpoint(), Some("https://other.eks.sandbox"));
    eks.delete_cluster().name("other").send().await.unwrap();
    assert_eq!(describe().await.unwrap().cluster.unwrap().status, Some(ClusterStatus::Deleting));
    bed.advance("12m");
    assert_eq!(
        refusal(&describe().await.unwrap_err()),
        ("ResourceNotFoundException".to_owned(), "No cluster found for name: other.".to_owned())
    );
}

#[tokio::test(start_paused = true)]
async fn resources_are_found_by_tag_and_never_when_untagged() {
    let bed = bed();
    for number in 0..60 {
        bed.request(&format!("n{number}.example.com"), &[]).await;
    }
    bed.acm().request_certificate().domain_name("untagged.example.com").send().await.unwrap();
    let tag = aws_sdk_secretsmanager::types::Tag::builder().key("stack").value("demo").build();
    bed.secrets().create_secret().name("edge").tags(tag).send().await.unwrap();
    let tagging = aws_sdk_resourcegroupstagging::Client::new(&bed.config());
    let filter = |value: &str| TagFilter::builder().key("stack").values(value).build();
    let get = || tagging.get_resources().tag_filters(filter("demo"));
    let first = get().resource_type_filters("acm:certificate").send().await.unwrap();
    assert_eq!(first.resource_tag_mapping_list().len(), 50);
    let second = get().resource_type_filters("acm").pagination_token(first.pagination_token().unwrap()).send().await.unwrap();
    assert_eq!((second.resource_tag_mapping_list().len(), second.pagination_token()), (10, Some("")));
    let all = get().resources_per_page(100).send().await.unwrap();
    assert_eq!(all.resource_tag_mapping_list().len(), 61);
    let none = tagging.get_resources().tag_filters(filter("other")).send().await.unwrap();
    assert!(none.resource_tag_mapping_list().is_empty());
    let secrets = get().resource_type_filters("secretsmanager:secret").send().await.unwrap();
    assert!(secrets.resource_tag_mapping_list()[0].resource_arn().unwrap().contains(":secret:edge-"));
    assert_eq!(code(&get().resources_per_page(101).send().await.unwrap_err()), "InvalidParameterException");
}
