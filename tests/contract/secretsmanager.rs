//! Secrets Manager: versions, tags, lists, deletion.

use std::collections::{BTreeMap, BTreeSet};

use aws_sdk_secretsmanager::Client;
use aws_sdk_secretsmanager::operation::create_secret::builders::CreateSecretFluentBuilder;
use aws_sdk_secretsmanager::types::{
    Filter, FilterNameStringType, ReplicaRegionType, ReplicationStatusType, SecretListEntry, StatusType, Tag,
};

use super::world::{World, refused};

contracts! { secretsmanager:
    a_new_secret_has_its_token_as_current_version,
    a_create_repeated_is_answered_like_the_first,
    a_create_with_the_same_token_and_another_value_is_refused,
    a_create_of_an_existing_name_is_refused,
    a_put_moves_the_labels,
    a_put_repeated_changes_nothing,
    a_put_of_another_value_under_a_token_is_refused,
    a_label_moves_to_a_version_that_is_there,
    the_value_is_that_of_the_version_with_the_label,
    a_label_moves_only_from_where_it_is,
    what_was_not_said_is_absent,
    description_and_key_are_told,
    description_and_key_can_be_changed_without_a_new_version,
    a_description_can_be_emptied,
    tags_are_added_overwritten_and_removed,
    the_list_is_filtered_by_tag_key,
    the_list_is_filtered_by_beginnings_of_names,
    the_list_tells_all_that_a_plan_compares,
    the_list_comes_in_pages,
    the_list_hides_what_is_to_be_deleted_unless_asked,
    a_secret_to_be_deleted_is_described_with_its_date,
    a_secret_to_be_deleted_takes_no_value,
    the_name_of_a_secret_to_be_deleted_is_taken_until_it_is_restored,
    a_restored_secret_is_as_before,
    a_deletion_by_force_is_at_once,
    a_forced_deletion_of_what_is_absent_is_no_error,
    an_absent_secret_is_told_as_such,
    a_copy_shows_the_value_and_the_tags_in_its_region,
    a_copy_is_listed_in_its_region_with_that_of_its_primary,
    a_copy_takes_no_value,
    a_secret_is_not_deleted_before_its_copies,
    a_name_that_is_taken_keeps_a_copy_away,
    a_policy_is_given_back_and_taken_off,
    a_policy_for_everyone_is_refused,
    a_policy_without_statements_is_refused,
}

const VALUE: &str = r#"{"tls.crt":"public","tls.key":"not a key","ca.crt":"public"}"#;

fn create(world: &World, name: &str, token: &str) -> CreateSecretFluentBuilder {
    world.secrets.create_secret().name(name).client_request_token(token).secret_string(VALUE)
}

fn tag(key: &str, value: &str) -> Tag {
    Tag::builder().key(key).value(value).build()
}

async fn versions(world: &World, name: &str) -> BTreeMap<String, BTreeSet<String>> {
    let answer = world.secrets.describe_secret().secret_id(name).send().await.unwrap();
    let versions = answer.version_ids_to_stages().cloned().unwrap_or_default();
    versions.into_iter().map(|(id, stages)| (id, stages.into_iter().collect())).collect()
}

fn stages<const N: usize>(versions: [(&str, &str); N]) -> BTreeMap<String, BTreeSet<String>> {
    versions.into_iter().map(|(id, stage)| (id.to_owned(), BTreeSet::from([stage.to_owned()]))).collect()
}

async fn tags(world: &World, name: &str) -> BTreeMap<String, String> {
    let answer = world.secrets.describe_secret().secret_id(name).send().await.unwrap();
    answer.tags().iter().map(|tag| (tag.key().unwrap().to_owned(), tag.value().unwrap().to_owned())).collect()
}

async fn value(world: &World, name: &str) -> String {
    world.secrets.get_secret_value().secret_id(name).send().await.unwrap().secret_string().unwrap().to_owned()
}

async fn listed(world: &World, key: FilterNameStringType, value: &str, planned: bool) -> Vec<SecretListEntry> {
    let (mut found, mut token) = (Vec::new(), None);
    loop {
        let filter = Filter::builder().key(key.clone()).values(value).build();
        let request = world.secrets.list_secrets().filters(filter).include_planned_deletion(planned).max_results(100);
        let page = request.set_next_token(token).send().await.unwrap();
        found.extend(page.secret_list().to_vec());
        token = page.next_token().map(str::to_owned);
        if token.is_none() {
            return found;
        }
    }
}

fn names(entries: &[SecretListEntry]) -> BTreeSet<&str> {
    entries.iter().map(|entry| entry.name().unwrap()).collect()
}

async fn a_new_secret_has_its_token_as_current_version(world: &World) {
    let (name, token) = (world.secret("new"), world.token("first"));
    let answer = create(world, &name, &token).send().await.unwrap();
    assert_eq!(answer.version_id(), Some(token.as_str()));
    assert_eq!(answer.name(), Some(name.as_str()));
    assert!(answer.arn().unwrap().contains(&format!(":secret:{name}-")));
    assert_eq!(versions(world, &name).await, stages([(&token, "AWSCURRENT")]));
    assert_eq!(value(world, &name).await, VALUE);
}

async fn a_create_repeated_is_answered_like_the_first(world: &World) {
    let (name, token) = (world.secret("again"), world.token("first"));
    let first = create(world, &name, &token).send().await.unwrap();
    let again = create(world, &name, &token).send().await.expect("the same secret");
    assert_eq!((first.arn(), first.version_id()), (again.arn(), again.version_id()));
    assert_eq!(versions(world, &name).await.len(), 1);
}

async fn a_create_with_the_same_token_and_another_value_is_refused(world: &World) {
    let (name, token) = (world.secret("other"), world.token("first"));
    create(world, &name, &token).send().await.unwrap();
    assert_eq!(refused(create(world, &name, &token).secret_string("another").send().await), "ResourceExistsException");
}

async fn a_create_of_an_existing_name_is_refused(world: &World) {
    let name = world.secret("taken");
    create(world, &name, &world.token("first")).send().await.unwrap();
    assert_eq!(refused(create(world, &name, &world.token("second")).send().await), "ResourceExistsException");
}

async fn put(world: &World, name: &str, token: &str, value: &str) {
    let answer = world.secrets.put_secret_value().secret_id(name).client_request_token(token).secret_string(value).send().await.unwrap();
    assert_eq!(answer.version_id(), Some(token));
}

async fn a_put_moves_the_labels(world: &World) {
    let (name, tokens) = (world.secret("put"), ["a", "b", "c"].map(|stem| world.token(stem)));
    create(world, &name, &tokens[0]).send().await.unwrap();
    put(world, &name, &tokens[1], "second").await;
    assert_eq!(versions(world, &name).await, stages([(&tokens[0], "AWSPREVIOUS"), (&tokens[1], "AWSCURRENT")]));
    assert_eq!(value(world, &name).await, "second");
    put(world, &name, &tokens[2], "third").await;
    let versions = versions(world, &name).await;
    let labelled: BTreeMap<_, _> = versions.into_iter().filter(|(_, stages)| !stages.is_empty()).collect();
    assert_eq!(labelled, stages([(&tokens[1], "AWSPREVIOUS"), (&tokens[2], "AWSCURRENT")]));
}

async fn a_put_repeated_changes_nothing(world: &World) {
    let (name, tokens) = (world.secret("put"), ["a", "b"].map(|stem| world.token(stem)));
    create(world, &name, &tokens[0]).send().await.unwrap();
    for _ in 0..2 {
        put(world, &name, &tokens[1], "second").await;
        assert_eq!(versions(world, &name).await, stages([(&tokens[0], "AWSPREVIOUS"), (&tokens[1], "AWSCURRENT")]), "the labels");
    }
    // The first version is there as well: its put moves nothing either.
    put(world, &name, &tokens[0], VALUE).await;
    assert_eq!(versions(world, &name).await, stages([(&tokens[0], "AWSPREVIOUS"), (&tokens[1], "AWSCURRENT")]), "the labels");
}

async fn a_put_of_another_value_under_a_token_is_refused(world: &World) {
    let (name, token) = (world.secret("put"), world.token("a"));
    create(world, &name, &token).send().await.unwrap();
    let put = world.secrets.put_secret_value().secret_id(&name).client_request_token(&token).secret_string("another");
    assert_eq!(refused(put.send().await), "ResourceExistsException");
    assert_eq!(value(world, &name).await, VALUE);
}

async fn a_label_moves_to_a_version_that_is_there(world: &World) {
    let (name, tokens) = (world.secret("label"), ["a", "b"].map(|stem| world.token(stem)));
    create(world, &name, &tokens[0]).send().await.unwrap();
    put(world, &name, &tokens[1], "second").await;
    let request = world.secrets.update_secret_version_stage().secret_id(&name).version_stage("AWSCURRENT");
    request.move_to_version_id(&tokens[0]).remove_from_version_id(&tokens[1]).send().await.unwrap();
    let moved = versions(world, &name).await;
    assert!(moved[&tokens[0]].contains("AWSCURRENT") && !moved[&tokens[1]].contains("AWSCURRENT"), "{moved:?}");
    let put = world.secrets.get_secret_value().secret_id(&name).version_id(&tokens[1]).send().await.unwrap();
    assert_eq!(put.secret_string(), Some("second"));
}

async fn the_value_is_that_of_the_version_with_the_label(world: &World) {
    let (name, tokens) = (world.secret("label"), ["a", "b"].map(|stem| world.token(stem)));
    create(world, &name, &tokens[0]).send().await.unwrap();
    put(world, &name, &tokens[1], "second").await;
    let request = world.secrets.update_secret_version_stage().secret_id(&name).version_stage("AWSCURRENT");
    request.move_to_version_id(&tokens[0]).remove_from_version_id(&tokens[1]).send().await.unwrap();
    assert_eq!(value(world, &name).await, VALUE, "the value");
}

async fn a_label_moves_only_from_where_it_is(world: &World) {
    let (name, tokens) = (world.secret("label"), ["a", "b", "c"].map(|stem| world.token(stem)));
    create(world, &name, &tokens[0]).send().await.unwrap();
    put(world, &name, &tokens[1], "second").await;
    let request = world.secrets.update_secret_version_stage().secret_id(&name).version_stage("AWSCURRENT");
    let code = refused(request.move_to_version_id(&tokens[0]).remove_from_version_id(&tokens[0]).send().await);
    assert!(["InvalidParameterException", "InvalidRequestException"].contains(&code.as_str()), "{code}");
    assert_eq!(value(world, &name).await, "second");
}

async fn what_was_not_said_is_absent(world: &World) {
    let name = world.secret("bare");
    create(world, &name, &world.token("a")).send().await.unwrap();
    let secret = world.secrets.describe_secret().secret_id(&name).send().await.unwrap();
    assert_eq!(secret.description().unwrap_or_default(), "");
    assert_eq!((secret.kms_key_id(), secret.owning_service()), (None, None));
    assert!(secret.deleted_date().is_none() && secret.tags().is_empty());
}

async fn description_and_key_are_told(world: &World) {
    let name = world.secret("told");
    create(world, &name, &world.token("a")).description("the edge").kms_key_id("alias/edge").send().await.unwrap();
    let secret = world.secrets.describe_secret().secret_id(&name).send().await.unwrap();
    assert_eq!((secret.description(), secret.kms_key_id()), (Some("the edge"), Some("alias/edge")));
    assert_eq!(secret.name(), Some(name.as_str()));
}

async fn description_and_key_can_be_changed_without_a_new_version(world: &World) {
    let (name, token) = (world.secret("changed"), world.token("a"));
    create(world, &name, &token).description("one").tags(tag("a", "1")).send().await.unwrap();
    world.secrets.update_secret().secret_id(&name).description("two").send().await.unwrap();
    world.secrets.update_secret().secret_id(&name).kms_key_id("alias/other").send().await.unwrap();
    let secret = world.secrets.describe_secret().secret_id(&name).send().await.unwrap();
    assert_eq!((secret.description(), secret.kms_key_id()), (Some("two"), Some("alias/other")));
    assert_eq!(versions(world, &name).await, stages([(&token, "AWSCURRENT")]), "the versions");
    assert_eq!(tags(world, &name).await.len(), 1);
}

async fn a_description_can_be_emptied(world: &World) {
    let name = world.secret("emptied");
    create(world, &name, &world.token("a")).description("one").send().await.unwrap();
    world.secrets.update_secret().secret_id(&name).description("").send().await.unwrap();
    let secret = world.secrets.describe_secret().secret_id(&name).send().await.unwrap();
    assert_eq!(secret.description().unwrap_or_default(), "", "the description");
}

async fn tags_are_added_overwritten_and_removed(world: &World) {
    let name = world.secret("tags");
    create(world, &name, &world.token("a")).tags(tag("a", "1")).tags(tag("b", "2")).send().await.unwrap();
    world.secrets.tag_resource().secret_id(&name).tags(tag("b", "3")).tags(tag("c", "4")).send().await.unwrap();
    let wanted = [("a", "1"), ("b", "3"), ("c", "4")].map(|(key, value)| (key.to_owned(), value.to_owned()));
    assert_eq!(tags(world, &name).await, BTreeMap::from(wanted));
    world.secrets.untag_resource().secret_id(&name).tag_keys("a").tag_keys("b").tag_keys("not there").send().await.unwrap();
    assert_eq!(tags(world, &name).await, BTreeMap::from([("c".to_owned(), "4".to_owned())]));
}

async fn the_list_is_filtered_by_tag_key(world: &World) {
    let key = world.name("key");
    let (with, without) = (world.secret("with"), world.secret("without"));
    create(world, &with, &world.token("a")).tags(tag(&key, "x")).send().await.unwrap();
    create(world, &without, &world.token("b")).tags(tag("other", &key)).send().await.unwrap();
    let found = listed(world, FilterNameStringType::TagKey, &key, true).await;
    assert_eq!(names(&found), BTreeSet::from([with.as_str()]));
    assert_eq!(found[0].tags(), [tag(&key, "x")]);
}

async fn the_list_is_filtered_by_beginnings_of_names(world: &World) {
    let (short, long, other) = (world.secret("name"), world.secret("name-longer"), world.secret("other"));
    for (name, stem) in [(&short, "a"), (&long, "b"), (&other, "c")] {
        create(world, name, &world.token(stem)).send().await.unwrap();
    }
    let found = listed(world, FilterNameStringType::Name, &short, true).await;
    assert_eq!(names(&found), BTreeSet::from([short.as_str(), &long]));
}

async fn the_list_tells_all_that_a_plan_compares(world: &World) {
    let (name, tokens) = (world.secret("told"), ["a", "b"].map(|stem| world.token(stem)));
    let request = create(world, &name, &tokens[0]).description("the edge").kms_key_id("alias/edge");
    let made = request.tags(tag("a", "1")).send().await.unwrap();
    put(world, &name, &tokens[1], "second").await;
    let found = listed(world, FilterNameStringType::Name, &name, true).await;
    assert_eq!(found.len(), 1);
    let entry = &found[0];
    assert_eq!(entry.arn(), made.arn());
    assert_eq!((entry.description(), entry.kms_key_id()), (Some("the edge"), Some("alias/edge")));
    assert_eq!(entry.tags(), [tag("a", "1")]);
    let versions = entry.secret_versions_to_stages().unwrap();
    assert!(versions[&tokens[1]].contains(&"AWSCURRENT".to_owned()) && versions[&tokens[0]].contains(&"AWSPREVIOUS".to_owned()));
    assert!(entry.deleted_date().is_none() && entry.owning_service().is_none());
}

async fn the_list_comes_in_pages(world: &World) {
    let mut made = BTreeSet::new();
    for number in 0..3 {
        let name = world.secret(&format!("page/{number}"));
        create(world, &name, &world.token(&name)).send().await.unwrap();
        made.insert(name);
    }
    let start = made.first().unwrap().trim_end_matches('0').to_owned();
    let (mut found, mut token) = (Vec::new(), None);
    loop {
        let filter = Filter::builder().key(FilterNameStringType::Name).values(&start).build();
        let request = world.secrets.list_secrets().filters(filter).include_planned_deletion(true).max_results(1);
        let page = request.set_next_token(token).send().await.unwrap();
        assert!(page.secret_list().len() <= 1);
        found.extend(page.secret_list().iter().map(|entry| entry.name().unwrap().to_owned()));
        token = page.next_token().map(str::to_owned);
        if token.is_none() {
            break;
        }
    }
    assert_eq!(found.len(), 3);
    assert_eq!(found.into_iter().collect::<BTreeSet<_>>(), made);
}

async fn tombstone(world: &World, stem: &str) -> String {
    let name = world.secret(stem);
    create(world, &name, &world.token(stem)).tags(tag("a", "1")).send().await.unwrap();
    world.secrets.delete_secret().secret_id(&name).recovery_window_in_days(7).send().await.unwrap();
    name
}

async fn the_list_hides_what_is_to_be_deleted_unless_asked(world: &World) {
    let name = tombstone(world, "dead").await;
    assert!(listed(world, FilterNameStringType::Name, &name, false).await.is_empty());
    let found = listed(world, FilterNameStringType::Name, &name, true).await;
    assert_eq!(names(&found), BTreeSet::from([name.as_str()]));
    assert!(found[0].deleted_date().is_some());
    assert_eq!(found[0].tags(), [tag("a", "1")]);
}

async fn a_secret_to_be_deleted_is_described_with_its_date(world: &World) {
    let name = tombstone(world, "dead").await;
    let secret = world.secrets.describe_secret().secret_id(&name).send().await.unwrap();
    assert!(secret.deleted_date().is_some());
    assert_eq!(secret.tags(), [tag("a", "1")]);
}

async fn a_secret_to_be_deleted_takes_no_value(world: &World) {
    let name = tombstone(world, "dead").await;
    let put = world.secrets.put_secret_value().secret_id(&name).client_request_token(world.token("x")).secret_string("x");
    assert_eq!(refused(put.send().await), "InvalidRequestException");
    assert_eq!(refused(world.secrets.get_secret_value().secret_id(&name).send().await), "InvalidRequestException");
}

async fn the_name_of_a_secret_to_be_deleted_is_taken_until_it_is_restored(world: &World) {
    let name = tombstone(world, "dead").await;
    assert_eq!(refused(create(world, &name, &world.token("next")).send().await), "InvalidRequestException");
}

async fn a_restored_secret_is_as_before(world: &World) {
    let name = tombstone(world, "dead").await;
    world.secrets.restore_secret().secret_id(&name).send().await.unwrap();
    let secret = world.secrets.describe_secret().secret_id(&name).send().await.unwrap();
    assert!(secret.deleted_date().is_none());
    assert_eq!(versions(world, &name).await, stages([(&world.token("dead"), "AWSCURRENT")]));
    assert_eq!((value(world, &name).await.as_str(), tags(world, &name).await.len()), (VALUE, 1));
}

async fn a_deletion_by_force_is_at_once(world: &World) {
    let name = world.secret("gone");
    create(world, &name, &world.token("a")).send().await.unwrap();
    world.secrets.delete_secret().secret_id(&name).force_delete_without_recovery(true).send().await.unwrap();
    let gone = world.until("the end of a secret", async || world.secrets.describe_secret().secret_id(&name).send().await.err()).await;
    assert_eq!(refused(Err::<(), _>(gone)), "ResourceNotFoundException");
    assert!(listed(world, FilterNameStringType::Name, &name, true).await.is_empty());
    // Its name is free after a while.
    world.until("the name of a deleted secret", async || create(world, &name, &world.token("b")).send().await.ok()).await;
}

async fn a_forced_deletion_of_what_is_absent_is_no_error(world: &World) {
    world.secrets.delete_secret().secret_id(world.secret("never")).force_delete_without_recovery(true).send().await.unwrap();
}

async fn an_absent_secret_is_told_as_such(world: &World) {
    let name = world.secret("never");
    let gone = "ResourceNotFoundException";
    assert_eq!(refused(world.secrets.describe_secret().secret_id(&name).send().await), gone);
    assert_eq!(
        refused(world.secrets.put_secret_value().secret_id(&name).client_request_token(world.token("a")).secret_string("x").send().await),
        gone
    );
    assert_eq!(refused(world.secrets.delete_secret().secret_id(&name).recovery_window_in_days(7).send().await), gone);
    assert_eq!(refused(world.secrets.restore_secret().secret_id(&name).send().await), gone);
}

/// Secrets Manager in the region of the copies.
fn elsewhere(world: &World) -> Client {
    let region = aws_types::region::Region::new("us-east-1");
    Client::from_conf(world.secrets.config().to_builder().region(region).build())
}

/// A secret with a copy that has arrived, or failed.
async fn copied(world: &World, stem: &str) -> String {
    let name = world.secret(stem);
    create(world, &name, &world.token(stem)).tags(tag("a", "b")).send().await.unwrap();
    replicate(world, &name).await;
    name
}

async fn replicate(world: &World, name: &str) -> ReplicationStatusType {
    let add = ReplicaRegionType::builder().region("us-east-1").build();
    world.secrets.replicate_secret_to_regions().secret_id(name).add_replica_regions(add).send().await.unwrap();
    let settled = async || {
        let described = world.secrets.describe_secret().secret_id(name).send().await.unwrap();
        let status = described.replication_status().first()?.clone();
        (status.status() != Some(&StatusType::InProgress)).then_some(status)
    };
    world.until("the copy", settled).await
}

async fn remove_copy(world: &World, name: &str) {
    let remove = world.secrets.remove_regions_from_replication().secret_id(name).remove_replica_regions("us-east-1");
    let left = remove.send().await.unwrap();
    assert!(left.replication_status().is_empty());
}

async fn a_copy_shows_the_value_and_the_tags_in_its_region(world: &World) {
    let name = copied(world, "copied").await;
    let copy = elsewhere(world).describe_secret().secret_id(&name).send().await.unwrap();
    let value = elsewhere(world).get_secret_value().secret_id(&name).send().await.unwrap();
    remove_copy(world, &name).await;
    assert_eq!(copy.primary_region(), Some("eu-west-1"));
    assert_eq!(value.secret_string(), Some(VALUE));
    assert!(copy.tags().contains(&tag("a", "b")), "the tags of the copy");
    assert!(elsewhere(world).describe_secret().secret_id(&name).send().await.is_err());
}

async fn a_copy_is_listed_in_its_region_with_that_of_its_primary(world: &World) {
    let name = copied(world, "listed").await;
    let filter = Filter::builder().key(FilterNameStringType::Name).values(&name).build();
    let copies = elsewhere(world).list_secrets().filters(filter.clone()).send().await.unwrap();
    let primaries = world.secrets.list_secrets().filters(filter).send().await.unwrap();
    remove_copy(world, &name).await;
    assert_eq!(copies.secret_list().first().and_then(|copy| copy.primary_region()), Some("eu-west-1"), "the region of the primary");
    assert!(matches!(primaries.secret_list()[0].primary_region(), None | Some("eu-west-1")));
}

async fn a_copy_takes_no_value(world: &World) {
    let name = copied(world, "read-only").await;
    let answer = elsewhere(world).put_secret_value().secret_id(&name).secret_string("x").send().await;
    remove_copy(world, &name).await;
    let code = refused(answer);
    assert!(["InvalidParameterException", "InvalidRequestException"].contains(&code.as_str()), "{code}");
}

async fn a_secret_is_not_deleted_before_its_copies(world: &World) {
    let name = copied(world, "kept").await;
    let answer = world.secrets.delete_secret().secret_id(&name).force_delete_without_recovery(true).send().await;
    remove_copy(world, &name).await;
    let code = refused(answer);
    assert!(["InvalidParameterException", "InvalidRequestException"].contains(&code.as_str()), "{code}");
    world.secrets.delete_secret().secret_id(&name).force_delete_without_recovery(true).send().await.unwrap();
}

async fn a_name_that_is_taken_keeps_a_copy_away(world: &World) {
    let name = world.secret("taken");
    elsewhere(world).create_secret().name(&name).secret_string("theirs").send().await.unwrap();
    create(world, &name, &world.token("taken")).send().await.unwrap();
    let status = replicate(world, &name).await;
    remove_copy(world, &name).await;
    elsewhere(world).delete_secret().secret_id(&name).force_delete_without_recovery(true).send().await.unwrap();
    assert_eq!(status.status(), Some(&StatusType::Failed));
    assert!(status.status_message().unwrap().contains("already exists"), "{status:?}");
}

const POLICY: &str = r#"{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"AWS":"arn:aws:iam::111122223333:root"},"Action":"secretsmanager:GetSecretValue","Resource":"*"}]}"#;

async fn a_policy_is_given_back_and_taken_off(world: &World) {
    let name = world.secret("policy");
    create(world, &name, &world.token("policy")).send().await.unwrap();
    let put = world.secrets.put_resource_policy().secret_id(&name).resource_policy(POLICY).block_public_policy(true);
    put.send().await.unwrap();
    let read = async || {
        let answer = world.secrets.get_resource_policy().secret_id(&name).send().await.unwrap();
        answer.resource_policy().map(|text| serde_json::from_str::<serde_json::Value>(text).unwrap())
    };
    let wanted = serde_json::from_str(POLICY).unwrap();
    assert!(meshform::resource::policy::same(&read().await.unwrap(), &wanted));
    world.secrets.delete_resource_policy().secret_id(&name).send().await.unwrap();
    assert_eq!(read().await, None);
}

async fn a_policy_for_everyone_is_refused(world: &World) {
    let name = world.secret("public");
    create(world, &name, &world.token("public")).send().await.unwrap();
    let everyone = POLICY.replace("{\"AWS\":\"arn:aws:iam::111122223333:root\"}", "\"*\"");
    let put = world.secrets.put_resource_policy().secret_id(&name).resource_policy(everyone).block_public_policy(true);
    assert_eq!(refused(put.send().await), "PublicPolicyException");
}

async fn a_policy_without_statements_is_refused(world: &World) {
    let name = world.secret("empty");
    create(world, &name, &world.token("empty")).send().await.unwrap();
    let put = world.secrets.put_resource_policy().secret_id(&name).resource_policy("{}");
    assert_eq!(refused(put.send().await), "MalformedPolicyDocumentException");
}
