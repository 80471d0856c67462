use aws_sdk_secretsmanager::primitives::Blob;
use aws_sdk_secretsmanager::types::{Filter, FilterNameStringType, Tag};

use super::bed::{Bed, bed, code, refusal};

const ONE: &str = "11111111111111111111111111111111";
const TWO: &str = "22222222222222222222222222222222";

async fn create(bed: &Bed, name: &str) -> String {
    bed.secrets().create_secret().name(name).client_request_token(ONE).secret_string("one").send().await.unwrap().arn.unwrap()
}

#[tokio::test(start_paused = true)]
async fn a_secret_is_made_once_per_token_and_value() {
    let bed = bed();
    let request =
        |token: &str, value: &str| bed.secrets().create_secret().name("istio/edge").client_request_token(token).secret_string(value);
    let made = request(ONE, "one").send().await.unwrap();
    assert_eq!(made.version_id(), Some(ONE));
    assert_eq!(request(ONE, "one").send().await.unwrap().arn(), made.arn());
    let exists = ("ResourceExistsException".to_owned(), "The operation failed because the secret istio/edge already exists.".to_owned());
    assert_eq!(refusal(&request(ONE, "two").send().await.unwrap_err()), exists);
    assert_eq!(refusal(&request(TWO, "one").send().await.unwrap_err()), exists);
    assert_eq!(code(&bed.secrets().create_secret().name("a b").send().await.unwrap_err()), "ValidationException");
    let arn = made.arn().unwrap();
    for id in [arn, &arn[..arn.len() - 7], "istio/edge"] {
        assert_eq!(bed.secrets().get_secret_value().secret_id(id).send().await.unwrap().secret_string(), Some("one"));
    }
}

#[tokio::test(start_paused = true)]
async fn a_put_moves_the_stages_and_is_idempotent_by_token() {
    let bed = bed();
    create(&bed, "edge").await;
    let put = |token: &str, value: &str| {
        bed.secrets().put_secret_value().secret_id("edge").client_request_token(token).secret_string(value).send()
    };
    let output = put(TWO, "two").await.unwrap();
    assert_eq!(output.version_stages(), ["AWSCURRENT"]);
    assert_eq!(put(TWO, "two").await.unwrap().version_id(), Some(TWO));
    assert_eq!(code(&put(TWO, "three").await.unwrap_err()), "ResourceExistsException");
    let described = bed.secrets().describe_secret().secret_id("edge").send().await.unwrap();
    let stages = described.version_ids_to_stages().unwrap();
    assert_eq!((stages[ONE].as_slice(), stages[TWO].as_slice()), (&["AWSPREVIOUS".to_owned()][..], &["AWSCURRENT".to_owned()][..]));
    let previous = bed.secrets().get_secret_value().secret_id("edge").version_stage("AWSPREVIOUS").send().await.unwrap();
    assert_eq!(previous.secret_string(), Some("one"));
    let update = bed.secrets().update_secret().secret_id("edge").client_request_token(TWO).secret_string("two").send().await;
    assert_eq!(code(&update.unwrap_err()), "ResourceExistsException", "an update's token is not idempotent");
    let binary = bed.secrets().put_secret_value().secret_id("edge").secret_binary(Blob::new([1, 2, 3])).send().await.unwrap();
    let value = bed.secrets().get_secret_value().secret_id("edge").version_id(binary.version_id().unwrap()).send().await.unwrap();
    assert_eq!(value.secret_binary().unwrap().as_ref(), [1, 2, 3]);
    assert_eq!(
        code(
            &bed.secrets().put_secret_value().secret_id("edge").client_request_token("short").secret_string("x").send().await.unwrap_err()
        ),
        "InvalidParameterException"
    );
}

#[tokio::test(start_paused = true)]
async fn a_secret_without_a_value_says_so() {
    let bed = bed();
    bed.secrets().create_secret().name("empty").send().await.unwrap();
    let error = bed.secrets().get_secret_value().secret_id("empty").send().await.unwrap_err();
    let text = "Secrets Manager can't find the specified secret value for staging label: AWSCURRENT";
    assert_eq!(refusal(&error), ("ResourceNotFoundException".to_owned(), text.to_owned()));
    let error = bed.secrets().get_secret_value().secret_id("none").send().await.unwrap_err();
    assert_eq!(refusal(&error).1, "Secrets Manager can't find the specified secret.");
}

#[tokio::test(start_paused = true)]
async fn a_deleted_secret_keeps_its_name_until_its_window_is_over() {
    let bed = bed();
    create(&bed, "edge").await;
    bed.secrets().delete_secret().secret_id("edge").recovery_window_in_days(7).send().await.unwrap();
    assert!(bed.secrets().describe_secret().secret_id("edge").send().await.unwrap().deleted_date().is_some());
    let marked = "You can't perform this operation on the secret because it was marked for deletion.";
    let put = bed.secrets().put_secret_value().secret_id("edge").secret_string("x").send().await.unwrap_err();
    assert_eq!(refusal(&put), ("InvalidRequestException".to_owned(), marked.to_owned()));
    assert_eq!(refusal(&bed.secrets().get_secret_value().secret_id("edge").send().await.unwrap_err()).1, marked);
    let again = bed.secrets().create_secret().name("edge").secret_string("x").send().await.unwrap_err();
    assert_eq!(refusal(&again).1, "You can't create this secret because a secret with this name is already scheduled for deletion.");
    assert!(bed.secrets().list_secrets().send().await.unwrap().secret_list().is_empty());
    assert_eq!(bed.secrets().list_secrets().include_planned_deletion(true).send().await.unwrap().secret_list().len(), 1);
    bed.secrets().restore_secret().secret_id("edge").send().await.unwrap();
    bed.advance("192h");
    assert_eq!(bed.secrets().get_secret_value().secret_id("edge").send().await.unwrap().secret_string(), Some("one"));
    bed.secrets().delete_secret().secret_id("edge").recovery_window_in_days(7).send().await.unwrap();
    bed.advance("168h");
    assert_eq!(code(&bed.secrets().describe_secret().secret_id("edge").send().await.unwrap_err()), "ResourceNotFoundException");
    create(&bed, "edge").await;
}

#[tokio::test(start_paused = true)]
async fn deletion_by_force_frees_the_name_after_a_while() {
    let bed = bed();
    let first = create(&bed, "edge").await;
    let force = || bed.secrets().delete_secret().secret_id("edge").force_delete_without_recovery(true);
    assert_eq!(code(&force().recovery_window_in_days(7).send().await.unwrap_err()), "InvalidParameterException");
    force().send().await.unwrap();
    force().send().await.unwrap();
    let error = bed.secrets().create_secret().name("edge").secret_string("x").send().await.unwrap_err();
    assert_eq!(refusal(&error).1, "You can't perform this operation on the secret because it was deleted.");
    bed.advance("30s");
    assert_ne!(create(&bed, "edge").await, first, "another ARN");
    assert_eq!(code(&bed.secrets().delete_secret().secret_id("none").send().await.unwrap_err()), "ResourceNotFoundException");
}

#[tokio::test(start_paused = true)]
async fn lists_are_filtered_by_prefix_and_paged() {
    let bed = bed();
    let tag = |value: &str| Tag::builder().key("stack").value(value).build();
    for number in 0..5 {
        let name = format!("{}/{number}", if number < 3 { "istio" } else { "Istio" });
        bed.secrets().create_secret().name(name).description("For the Edge").tags(tag(&format!("demo{number}"))).send().await.unwrap();
        bed.advance("1s");
    }
    let names = |key: FilterNameStringType, values: &[&str]| {
        let filter = Filter::builder().key(key).set_values(Some(values.iter().map(|&value| value.to_owned()).collect())).build();
        let list = bed.secrets().list_secrets().filters(filter);
        async move { list.send().await.unwrap().secret_list().iter().map(|secret| secret.name().unwrap().to_owned()).collect::<Vec<_>>() }
    };
    assert_eq!(names(FilterNameStringType::Name, &["istio/"]).await, ["istio/0", "istio/1", "istio/2"]);
    assert_eq!(names(FilterNameStringType::Name, &["!istio/"]).await, ["Istio/3", "Istio/4"]);
    assert_eq!(names(FilterNameStringType::TagKey, &["Stack"]).await, Vec::<String>::new());
    assert_eq!(names(FilterNameStringType::TagKey, &["sta"]).await.len(), 5);
    assert_eq!(names(FilterNameStringType::TagValue, &["demo1", "demo4"]).await, ["istio/1", "Istio/4"]);
    assert_eq!(names(FilterNameStringType::Description, &["for the"]).await.len(), 5);
    let mut pages = bed.secrets().list_secrets().max_results(2).into_paginator().send();
    let mut sizes = Vec::new();
    while let Some(page) = pages.next().await {
        sizes.push(page.unwrap().secret_list().len());
    }
    assert_eq!(sizes, [2, 2, 1]);
    assert_eq!(code(&bed.secrets().list_secrets().max_results(101).send().await.unwrap_err()), "InvalidParameterException");
}

#[tokio::test(start_paused = true)]
async fn a_stage_is_moved_only_from_where_it_is_said_to_be() {
    let bed = bed();
    create(&bed, "edge").await;
    let put =
        bed.secrets().put_secret_value().secret_id("edge").client_request_token(TWO).secret_string("two").version_stages("AWSPENDING");
    put.send().await.unwrap();
    assert_eq!(bed.secrets().get_secret_value().secret_id("edge").send().await.unwrap().secret_string(), Some("one"));
    let stage = || bed.secrets().update_secret_version_stage().secret_id("edge").version_stage("AWSCURRENT").move_to_version_id(TWO);
    assert_eq!(code(&stage().send().await.unwrap_err()), "InvalidParameterException");
    stage().remove_from_version_id(ONE).send().await.unwrap();
    assert_eq!(bed.secrets().get_secret_value().secret_id("edge").send().await.unwrap().secret_string(), Some("two"));
    let versions = bed.secrets().list_secret_version_ids().secret_id("edge").send().await.unwrap();
    assert_eq!(versions.versions().len(), 2);
}

#[tokio::test(start_paused = true)]
async fn a_hundred_young_versions_are_the_limit_and_old_ones_make_room() {
    let bed = bed();
    create(&bed, "edge").await;
    let put = || bed.secrets().put_secret_value().secret_id("edge").secret_string("x").send();
    for _ in 0..99 {
        put().await.unwrap();
    }
    assert_eq!(code(&put().await.unwrap_err()), "LimitExceededException");
    bed.advance("25h");
    put().await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn tags_and_policies_are_kept() {
    let bed = bed();
    create(&bed, "edge").await;
    let tag = |key: &str| Tag::builder().key(key).value("v").build();
    bed.secrets().tag_resource().secret_id("edge").tags(tag("a")).tags(tag("b")).send().await.unwrap();
    bed.secrets().untag_resource().secret_id("edge").tag_keys("a").send().await.unwrap();
    assert_eq!(bed.secrets().describe_secret().secret_id("edge").send().await.unwrap().tags(), [tag("b")]);
    let policy = |text: &str| bed.secrets().put_resource_policy().secret_id("edge").resource_policy(text).block_public_policy(true).send();
    assert_eq!(code(&policy("{").await.unwrap_err()), "MalformedPolicyDocumentException");
    let public = r#"{"Statement":[{"Effect":"Allow","Principal":"*","Action":"*","Resource":"*"}]}"#;
    assert_eq!(code(&policy(public).await.unwrap_err()), "PublicPolicyException");
    let good = r#"{"Statement":[{"Effect":"Deny","Principal":"*","Action":"*","Resource":"*"}]}"#;
    policy(good).await.unwrap();
    let got = bed.secrets().get_resource_policy().secret_id("edge").send().await.unwrap();
    assert_eq!(got.resource_policy(), Some(good));
    bed.secrets().delete_resource_policy().secret_id("edge").send().await.unwrap();
    assert!(bed.secrets().get_resource_policy().secret_id("edge").send().await.unwrap().resource_policy().is_none());
}
