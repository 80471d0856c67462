use aws_sdk_route53::types::{
    AliasTarget, Change, ChangeAction, ChangeStatus, HostedZoneConfig, ResourceRecordSet, RrType, Vpc, VpcRegion,
};
use aws_smithy_types::error::metadata::ProvideErrorMetadata;
use aws_smithy_types::retry::RetryConfig;

use super::bed::{Bed, bed, change, code, config, refusal};

/// The messages of a batch that was refused.
async fn refused(bed: &Bed, zone: &str, changes: Vec<Change>) -> Vec<String> {
    match bed.change(zone, changes).await.unwrap_err() {
        aws_sdk_route53::Error::InvalidChangeBatch(error) => {
            let joined = error.messages().join(", ");
            assert_eq!(error.meta().message(), Some(format!("[{joined}]").as_str()));
            error.messages().to_vec()
        }
        other => panic!("{other:?}"),
    }
}

fn a(action: ChangeAction, name: &str, value: &str) -> Change {
    change(action, name, RrType::A, 60, &[value])
}

async fn names(bed: &Bed, zone: &str) -> Vec<String> {
    let sets = bed.route53().list_resource_record_sets().hosted_zone_id(zone).send().await.unwrap();
    sets.resource_record_sets().iter().map(|set| format!("{} {}", set.name(), set.r#type())).collect()
}

#[tokio::test(start_paused = true)]
async fn a_new_world_has_two_public_zones() {
    let bed = bed();
    let zones = bed.route53().list_hosted_zones().send().await.unwrap();
    assert_eq!(zones.hosted_zones().len(), 2);
    let zone = bed.zone("example.com").await;
    let output = bed.route53().get_hosted_zone().id(&zone).send().await.unwrap();
    assert_eq!(output.delegation_set().unwrap().name_servers().len(), 4);
    assert_eq!(output.hosted_zone().unwrap().resource_record_set_count(), Some(2));
    assert!(!output.hosted_zone().unwrap().config().unwrap().private_zone());
    assert_eq!(names(&bed, &zone).await, ["example.com. NS", "example.com. SOA"]);
}

#[tokio::test(start_paused = true)]
async fn names_are_listed_by_reversed_labels_in_lower_case_and_escaped() {
    let bed = bed();
    let zone = bed.zone("example.com").await;
    let changes = ["b.example.com", "A.example.com.", "*.a.example.com", "x.a.example.com", "a-b.example.com"];
    bed.change(&zone, changes.iter().map(|name| a(ChangeAction::Create, name, "192.0.2.1")).collect()).await.unwrap();
    let expected = [
        "example.com. NS",
        "example.com. SOA",
        "a.example.com. A",
        "\\052.a.example.com. A",
        "x.a.example.com. A",
        "a-b.example.com. A",
        "b.example.com. A",
    ];
    assert_eq!(names(&bed, &zone).await, expected);
    let list = || bed.route53().list_resource_record_sets().hosted_zone_id(&zone);
    let mut found = Vec::new();
    let mut page = list().max_items(2).send().await.unwrap();
    loop {
        found.extend(page.resource_record_sets().iter().map(|set| format!("{} {}", set.name(), set.r#type())));
        if !page.is_truncated() {
            break;
        }
        let next = list().max_items(2).set_start_record_name(page.next_record_name).set_start_record_type(page.next_record_type);
        page = next.send().await.unwrap();
    }
    assert_eq!(found, expected);
    let next = list().start_record_name("aa.example.com").start_record_type(RrType::A).max_items(1).send().await.unwrap();
    assert_eq!(next.resource_record_sets()[0].name(), "b.example.com.", "a look-up gives the next record when there is none");
    assert_eq!(code(&list().start_record_type(RrType::A).send().await.unwrap_err()), "InvalidInput");
}

#[tokio::test(start_paused = true)]
async fn create_and_delete_are_exact() {
    let bed = bed();
    let zone = bed.zone("example.com").await;
    bed.change(&zone, vec![a(ChangeAction::Create, "x.example.com", "192.0.2.1")]).await.unwrap();
    assert_eq!(
        refused(&bed, &zone, vec![a(ChangeAction::Create, "X.example.com", "192.0.2.1")]).await,
        ["Tried to create resource record set [name='x.example.com.', type='A'] but it already exists"]
    );
    assert_eq!(
        refused(&bed, &zone, vec![a(ChangeAction::Delete, "y.example.com", "192.0.2.1")]).await,
        ["Tried to delete resource record set [name='y.example.com.', type='A'] but it was not found"]
    );
    let wrong =
        "Tried to delete resource record set [name='x.example.com.', type='A'] but the values provided do not match the current values";
    assert_eq!(refused(&bed, &zone, vec![a(ChangeAction::Delete, "x.example.com", "192.0.2.2")]).await, [wrong]);
    assert_eq!(refused(&bed, &zone, vec![change(ChangeAction::Delete, "x.example.com", RrType::A, 61, &["192.0.2.1"])]).await, [wrong]);
    bed.change(&zone, vec![a(ChangeAction::Upsert, "x.example.com", "192.0.2.2")]).await.unwrap();
    bed.change(&zone, vec![a(ChangeAction::Delete, "x.example.com", "192.0.2.2")]).await.unwrap();
    assert_eq!(names(&bed, &zone).await.len(), 2);
}

#[tokio::test(start_paused = true)]
async fn a_batch_is_done_as_a_whole_or_not_at_all() {
    let bed = bed();
    let zone = bed.zone("example.com").await;
    let changes = vec![
        a(ChangeAction::Create, "ok.example.com", "192.0.2.1"),
        a(ChangeAction::Create, "x.example.net", "192.0.2.1"),
        a(ChangeAction::Delete, "gone.example.com", "192.0.2.1"),
    ];
    let messages = refused(&bed, &zone, changes).await;
    assert_eq!(messages.len(), 2);
    assert_eq!(messages[0], "RRSet with DNS name x.example.net. is not permitted in zone example.com.");
    assert_eq!(names(&bed, &zone).await.len(), 2);
    bed.change(&zone, vec![a(ChangeAction::Create, "x.example.com", "192.0.2.1")]).await.unwrap();
    let swap = vec![
        a(ChangeAction::Delete, "x.example.com", "192.0.2.1"),
        change(ChangeAction::Create, "x.example.com", RrType::Cname, 60, &["y.example.com"]),
    ];
    bed.change(&zone, swap).await.unwrap();
    let twice = vec![a(ChangeAction::Upsert, "t.example.com", "192.0.2.1"), a(ChangeAction::Upsert, "t.example.com", "192.0.2.1")];
    assert_eq!(refused(&bed, &zone, twice).await.len(), 1, "one record set twice in a batch");
}

#[tokio::test(start_paused = true)]
async fn a_cname_stands_alone_and_not_at_the_apex() {
    let bed = bed();
    let zone = bed.zone("example.com").await;
    let cname = |name: &str| change(ChangeAction::Create, name, RrType::Cname, 60, &["target.example.org"]);
    bed.change(&zone, vec![a(ChangeAction::Create, "a.example.com", "192.0.2.1"), cname("c.example.com")]).await.unwrap();
    assert!(refused(&bed, &zone, vec![cname("a.example.com")]).await[0].contains("conflicts with other records"));
    assert!(
        refused(&bed, &zone, vec![a(ChangeAction::Create, "c.example.com", "192.0.2.1")]).await[0]
            .contains("conflicting RRSet of type CNAME")
    );
    assert!(refused(&bed, &zone, vec![cname("example.com")]).await[0].contains("not permitted at apex"));
}

#[tokio::test(start_paused = true)]
async fn batches_have_limits_and_upserts_count_twice() {
    let bed = bed();
    let zone = bed.zone("example.com").await;
    let many = |action: ChangeAction, number: usize| -> Vec<Change> {
        (0..number).map(|index| a(action.clone(), &format!("n{index}.example.com"), "192.0.2.1")).collect()
    };
    assert_eq!(refused(&bed, &zone, many(ChangeAction::Create, 1001)).await, ["Number of records limit of 1000 exceeded."]);
    assert_eq!(refused(&bed, &zone, many(ChangeAction::Upsert, 501)).await, ["Number of records limit of 1000 exceeded."]);
    bed.change(&zone, many(ChangeAction::Create, 1000)).await.unwrap();
    let txt = |index: usize| {
        change(ChangeAction::Create, &format!("t{index}.example.com"), RrType::Txt, 60, &[&format!("\"{}\"", "x".repeat(250))])
    };
    assert_eq!(refused(&bed, &zone, (0..128).map(txt).collect()).await, ["Number of characters limit of 32000 exceeded."]);
}

#[tokio::test(start_paused = true)]
async fn a_change_is_pending_and_then_insync_for_its_account_only() {
    let bed = bed();
    let zone = bed.zone("example.com").await;
    let id = bed.change(&zone, vec![a(ChangeAction::Create, "a.example.com", "192.0.2.1")]).await.unwrap();
    let get = || bed.route53().get_change().id(&id).send();
    assert_eq!(get().await.unwrap().change_info.unwrap().status, ChangeStatus::Pending);
    bed.advance("40s");
    assert_eq!(get().await.unwrap().change_info.unwrap().status, ChangeStatus::Insync);
    let other = aws_sdk_route53::Client::new(&config(&bed.sandbox, "eu-west-1", "ASIA11112222333300000000", RetryConfig::disabled()));
    assert_eq!(code(&other.get_change().id(&id).send().await.unwrap_err()), "NoSuchChange");
    assert_eq!(code(&other.get_hosted_zone().id(&zone).send().await.unwrap_err()), "AccessDenied");
    assert!(other.list_hosted_zones().send().await.unwrap().hosted_zones().is_empty());
    let error = bed.route53().get_hosted_zone().id("ZNONE").send().await.unwrap_err();
    assert_eq!(refusal(&error), ("NoSuchHostedZone".to_owned(), "No hosted zone found with ID: ZNONE".to_owned()));
}

#[tokio::test(start_paused = true)]
async fn zones_are_made_listed_by_name_from_a_start_and_deleted_when_empty() {
    let bed = bed();
    let create = |name: &str, reference: &str| bed.route53().create_hosted_zone().name(name).caller_reference(reference);
    let made = create("shop.example.com", "1").send().await.unwrap();
    assert_eq!(made.change_info().unwrap().status, ChangeStatus::Pending);
    assert_eq!(code(&create("other.example.com", "1").send().await.unwrap_err()), "HostedZoneAlreadyExists");
    let vpc = Vpc::builder().vpc_id("vpc-1").vpc_region(VpcRegion::EuWest1).build();
    let config = HostedZoneConfig::builder().private_zone(true).comment("inside").build();
    let private = create("shop.example.com", "2").vpc(vpc).hosted_zone_config(config).send().await.unwrap();
    assert!(private.hosted_zone().unwrap().config().unwrap().private_zone());

    let list = bed.route53().list_hosted_zones_by_name().dns_name("n.example.com").max_items(1).send().await.unwrap();
    assert_eq!(list.hosted_zones()[0].name(), "shop.example.com.", "a name is where the list starts");
    assert!(list.is_truncated());
    let list = bed
        .route53()
        .list_hosted_zones_by_name()
        .dns_name(list.next_dns_name().unwrap())
        .hosted_zone_id(list.next_hosted_zone_id().unwrap());
    let names: Vec<String> = list.send().await.unwrap().hosted_zones().iter().map(|zone| zone.name().to_owned()).collect();
    assert_eq!(names, ["shop.example.com.", "example.org."]);

    let id = made.hosted_zone().unwrap().id().to_owned();
    bed.change(&id, vec![a(ChangeAction::Create, "a.shop.example.com", "192.0.2.1")]).await.unwrap();
    let delete = || bed.route53().delete_hosted_zone().id(&id).send();
    assert_eq!(code(&delete().await.unwrap_err()), "HostedZoneNotEmpty");
    bed.change(&id, vec![a(ChangeAction::Delete, "a.shop.example.com", "192.0.2.1")]).await.unwrap();
    delete().await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn an_alias_has_no_ttl_and_comes_back_in_the_zones_form() {
    let bed = bed();
    let zone = bed.zone("example.com").await;
    let target = || {
        AliasTarget::builder()
            .hosted_zone_id("Z32O12XQLNTSW2")
            .dns_name("My-ALB.eu-west-1.elb.amazonaws.com")
            .evaluate_target_health(false)
            .build()
            .unwrap()
    };
    let set = ResourceRecordSet::builder().name("example.com").r#type(RrType::A).alias_target(target());
    let create = |set: ResourceRecordSet| Change::builder().action(ChangeAction::Create).resource_record_set(set).build().unwrap();
    let both = create(set.clone().ttl(60).build().unwrap());
    assert!(matches!(bed.change(&zone, vec![both]).await.unwrap_err(), aws_sdk_route53::Error::InvalidInput(_)));
    bed.change(&zone, vec![create(set.build().unwrap())]).await.unwrap();
    let list = bed.route53().list_resource_record_sets().hosted_zone_id(&zone).max_items(1).send().await.unwrap();
    assert_eq!(list.resource_record_sets()[0].alias_target().unwrap().dns_name(), "my-alb.eu-west-1.elb.amazonaws.com.");
}

#[tokio::test(start_paused = true)]
async fn malformed_values_are_refused() {
    let bed = bed();
    let zone = bed.zone("example.com").await;
    let bad = [
        change(ChangeAction::Create, "a.example.com", RrType::A, 60, &["192.0.2.300"]),
        change(ChangeAction::Create, "b.example.com", RrType::Aaaa, 60, &["192.0.2.1"]),
        change(ChangeAction::Create, "c.example.com", RrType::Txt, 60, &["not quoted"]),
        change(ChangeAction::Create, "d.example.com", RrType::Cname, 60, &["a.example.com", "b.example.com"]),
        change(ChangeAction::Create, "e.example.com", RrType::Txt, 60, &[&format!("\"{}\"", "x".repeat(256))]),
    ];
    assert_eq!(refused(&bed, &zone, bad.to_vec()).await.len(), bad.len());
    bed.change(&zone, vec![change(ChangeAction::Create, "t.example.com", RrType::Txt, 60, &["\"a & b <c>\" \"\\\"quoted\\\"\""])])
        .await
        .unwrap();
    let list = bed.route53().list_resource_record_sets().hosted_zone_id(&zone).start_record_name("t.example.com").send().await.unwrap();
    assert_eq!(list.resource_record_sets()[0].resource_records()[0].value(), "\"a & b <c>\" \"\\\"quoted\\\"\"");
}
