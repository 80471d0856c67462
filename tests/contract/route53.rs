//! Route 53: zones, records, batches.

use std::collections::BTreeSet;

use aws_sdk_route53::operation::change_resource_record_sets::ChangeResourceRecordSetsError;
use aws_sdk_route53::types::{AliasTarget, Change, ChangeAction, HostedZone, ResourceRecordSet, RrType};

use super::world::{World, change, refused, row};

contracts! { route53:
    a_new_zone_is_public_and_in_the_list,
    the_list_of_zones_starts_at_a_name,
    the_list_of_zones_comes_in_pages,
    two_zones_can_have_one_name,
    names_are_shown_escaped_in_lower_case_and_with_a_dot,
    a_create_makes_a_record,
    a_create_of_what_exists_is_refused_by_name,
    each_refused_change_of_a_batch_is_named,
    a_batch_with_a_refused_change_does_nothing,
    an_upsert_makes_and_overwrites,
    one_record_twice_in_a_batch_is_refused,
    a_delete_must_be_exact,
    a_delete_takes_the_record_as_it_is_listed,
    a_delete_of_what_is_absent_is_refused_by_name,
    an_alias_goes_and_comes_in_one_batch,
    a_record_may_not_be_outside_its_zone,
    a_change_is_in_sync_after_a_while,
    a_lookup_finds_its_record,
    a_lookup_of_an_absent_record_gives_the_next_one,
    the_list_of_records_comes_in_pages,
    an_unknown_zone_is_told_as_such,
    an_unknown_change_is_told_as_such,
    a_zone_with_records_is_not_deleted,
}

/// The messages of a refused batch, as the provider reads them.
#[track_caller]
fn messages<T: std::fmt::Debug>(result: Result<T, aws_sdk_route53::error::SdkError<ChangeResourceRecordSetsError>>) -> Vec<String> {
    let Err(error) = result else { panic!("the batch was not refused") };
    let ChangeResourceRecordSetsError::InvalidChangeBatch(batch) = error.into_service_error() else {
        panic!("it was refused as something else")
    };
    let mut messages = batch.messages().to_vec();
    if messages.is_empty() {
        messages.extend(batch.message().map(str::to_owned));
    }
    messages
}

fn create(name: &str, value: &str) -> Change {
    change(ChangeAction::Create, name, "CNAME", 300, &[value])
}

async fn a_new_zone_is_public_and_in_the_list(world: &World) {
    let domain = world.domain();
    let id = world.zone(&domain).await;
    let page = world.route53.list_hosted_zones_by_name().dns_name(&domain).send().await.unwrap();
    let zone = page.hosted_zones().iter().find(|zone| zone.name() == format!("{domain}.")).expect("the zone in the list");
    assert_eq!(zone.id(), format!("/hostedzone/{id}"));
    assert!(zone.config().is_none_or(|config| !config.private_zone()));
    assert!(zone.linked_service().is_none());
}

async fn the_list_of_zones_starts_at_a_name(world: &World) {
    let domain = world.domain();
    for name in [format!("b.{domain}"), domain.clone(), format!("a.{domain}")] {
        world.zone(&name).await;
    }
    // By labels from the right: the parent first.
    let page = world.route53.list_hosted_zones_by_name().dns_name(format!("a.{domain}")).max_items(2).send().await.unwrap();
    let names: Vec<&str> = page.hosted_zones().iter().map(HostedZone::name).collect();
    assert_eq!(names, [format!("a.{domain}."), format!("b.{domain}.")]);
    let page = world.route53.list_hosted_zones_by_name().dns_name(format!("aa.{domain}")).max_items(1).send().await.unwrap();
    let names: Vec<&str> = page.hosted_zones().iter().map(HostedZone::name).collect();
    assert_eq!(names, [format!("b.{domain}.")], "the next of an absent name");
}

async fn the_list_of_zones_comes_in_pages(world: &World) {
    let domain = world.domain();
    let mut made = BTreeSet::new();
    for number in 0..3 {
        made.insert(format!("/hostedzone/{}", world.zone(&format!("n{number}.{domain}")).await));
    }
    let (mut found, mut name, mut id) = (Vec::new(), None, None);
    loop {
        let request = world.route53.list_hosted_zones_by_name().max_items(1).set_dns_name(name).set_hosted_zone_id(id);
        let page = request.send().await.unwrap();
        assert!(page.hosted_zones().len() <= 1, "a page is longer than asked for");
        found.extend(page.hosted_zones().iter().map(|zone| zone.id().to_owned()));
        if !page.is_truncated() {
            break;
        }
        name = page.next_dns_name().map(str::to_owned);
        id = page.next_hosted_zone_id().map(str::to_owned);
        assert!(name.is_some() && id.is_some() && found.len() < 1_000);
    }
    found.retain(|id| made.contains(id));
    assert_eq!(found.len(), 3);
    assert_eq!(found.into_iter().collect::<BTreeSet<_>>(), made);
}

async fn two_zones_can_have_one_name(world: &World) {
    let domain = world.domain();
    let made = BTreeSet::from([world.zone(&domain).await, world.zone(&domain).await]);
    assert_eq!(made.len(), 2);
    let page = world.route53.list_hosted_zones_by_name().dns_name(&domain).send().await.unwrap();
    let named = page.hosted_zones().iter().filter(|zone| zone.name() == format!("{domain}."));
    let found: BTreeSet<String> = named.map(|zone| zone.id().trim_start_matches("/hostedzone/").to_owned()).collect();
    assert_eq!(found, made);
}

async fn names_are_shown_escaped_in_lower_case_and_with_a_dot(world: &World) {
    let domain = world.domain();
    let zone = world.zone(&domain).await;
    world
        .change(&zone, vec![create(&format!("*.Shop.{domain}"), "a.example."), create(&format!("_x-y.{domain}"), "b.example.")])
        .await
        .unwrap();
    let names: Vec<String> = world.records(&zone).await.into_iter().map(|row| row.0).collect();
    assert_eq!(names, [format!("_x-y.{domain}."), format!("\\052.shop.{domain}.")], "the names");
}

async fn a_create_makes_a_record(world: &World) {
    let domain = world.domain();
    let zone = world.zone(&domain).await;
    let name = format!("_a.{domain}.");
    world.change(&zone, vec![create(&name, "_b.acm-validations.aws.")]).await.unwrap();
    assert_eq!(world.records(&zone).await, [(name, "CNAME".to_owned(), 300, vec!["_b.acm-validations.aws.".to_owned()])]);
}

async fn a_create_of_what_exists_is_refused_by_name(world: &World) {
    let domain = world.domain();
    let zone = world.zone(&domain).await;
    let name = format!("_a.{domain}");
    world.change(&zone, vec![create(&name, "one.example.")]).await.unwrap();
    let messages = messages(world.change(&zone, vec![create(&name, "one.example.")]).await);
    assert_eq!(messages.len(), 1);
    assert!(messages[0].contains(&format!("[name='{name}.', type='CNAME'] but it already exists")), "{messages:?}");
}

async fn each_refused_change_of_a_batch_is_named(world: &World) {
    let domain = world.domain();
    let zone = world.zone(&domain).await;
    let names = ["a", "b", "c"].map(|label| format!("{label}.{domain}."));
    world.change(&zone, vec![create(&names[0], "one.example."), create(&names[2], "one.example.")]).await.unwrap();
    let messages = messages(world.change(&zone, names.iter().map(|name| create(name, "two.example.")).collect()).await);
    let told = names.map(|name| messages.iter().filter(|message| message.contains(&format!("'{name}'"))).count());
    assert_eq!(told, [1, 0, 1], "how often each change is named in {messages:?}");
}

async fn a_batch_with_a_refused_change_does_nothing(world: &World) {
    let domain = world.domain();
    let zone = world.zone(&domain).await;
    world.change(&zone, vec![create(&format!("b.{domain}"), "one.example.")]).await.unwrap();
    let batch = ["a", "b", "c"].map(|label| create(&format!("{label}.{domain}"), "two.example."));
    assert_eq!(refused(world.change(&zone, batch.to_vec()).await), "InvalidChangeBatch");
    let records = world.records(&zone).await;
    assert_eq!(records.len(), 1, "records after the refused batch: {records:?}");
    assert_eq!(records[0].3, ["one.example."]);
}

async fn an_upsert_makes_and_overwrites(world: &World) {
    let domain = world.domain();
    let zone = world.zone(&domain).await;
    let name = format!("a.{domain}.");
    for (ttl, value) in [(300, "one.example."), (60, "two.example."), (60, "two.example.")] {
        world.change(&zone, vec![change(ChangeAction::Upsert, &name, "CNAME", ttl, &[value])]).await.unwrap();
        assert_eq!(world.records(&zone).await, [(name.clone(), "CNAME".to_owned(), ttl, vec![value.to_owned()])]);
    }
}

async fn one_record_twice_in_a_batch_is_refused(world: &World) {
    let domain = world.domain();
    let zone = world.zone(&domain).await;
    let upsert = change(ChangeAction::Upsert, &format!("a.{domain}"), "CNAME", 300, &["one.example."]);
    assert_eq!(refused(world.change(&zone, vec![upsert.clone(), upsert]).await), "InvalidChangeBatch");
}

async fn a_delete_must_be_exact(world: &World) {
    let domain = world.domain();
    let zone = world.zone(&domain).await;
    let name = format!("a.{domain}");
    world.change(&zone, vec![change(ChangeAction::Upsert, &name, "CNAME", 300, &["one.example."])]).await.unwrap();
    world.change(&zone, vec![change(ChangeAction::Upsert, &name, "CNAME", 300, &["two.example."])]).await.unwrap();
    for (ttl, value) in [(60, "two.example."), (300, "one.example.")] {
        let messages = messages(world.change(&zone, vec![change(ChangeAction::Delete, &name, "CNAME", ttl, &[value])]).await);
        assert_eq!(messages.len(), 1);
        assert!(messages[0].contains(&format!("'{name}.'")), "{messages:?}");
        assert!(messages[0].contains("but the values provided do not match the current values"), "{messages:?}");
    }
    assert_eq!(world.records(&zone).await.len(), 1);
}

async fn a_delete_takes_the_record_as_it_is_listed(world: &World) {
    let domain = world.domain();
    let zone = world.zone(&domain).await;
    world
        .change(&zone, vec![create(&format!("*.a.{domain}"), "one.example"), create(&format!("_b.{domain}"), "one.example")])
        .await
        .unwrap();
    for (name, kind, ttl, values) in world.records(&zone).await {
        let values: Vec<&str> = values.iter().map(String::as_str).collect();
        world.change(&zone, vec![change(ChangeAction::Delete, &name, &kind, ttl, &values)]).await.unwrap();
    }
    assert!(world.records(&zone).await.is_empty());
}

async fn a_delete_of_what_is_absent_is_refused_by_name(world: &World) {
    let domain = world.domain();
    let zone = world.zone(&domain).await;
    let name = format!("a.{domain}.");
    let messages = messages(world.change(&zone, vec![change(ChangeAction::Delete, &name, "CNAME", 300, &["one.example."])]).await);
    assert!(messages.len() == 1 && messages[0].contains(&name) && messages[0].contains("but it was not found"), "{messages:?}");
}

async fn an_alias_goes_and_comes_in_one_batch(world: &World) {
    let domain = world.domain();
    let zone = world.zone(&domain).await;
    let name = format!("*.shop.{domain}");
    let (mark, of) = (format!("a-*.shop.{domain}"), "Z32O12XQLNTSW2");
    let alias = |target: &str| {
        let target = AliasTarget::builder().dns_name(target).hosted_zone_id(of).evaluate_target_health(false).build().unwrap();
        ResourceRecordSet::builder().name(&name).r#type(RrType::A).alias_target(target).build().unwrap()
    };
    let sent =
        |action: ChangeAction, set: &ResourceRecordSet| Change::builder().action(action).resource_record_set(set.clone()).build().unwrap();
    let (one, two) = ("one-1.eu-west-1.elb.amazonaws.com", "two-2.eu-west-1.elb.amazonaws.com");
    let text = change(ChangeAction::Create, &mark, "TXT", 300, &["\"heritage=external-dns,external-dns/owner=x\""]);
    world.change(&zone, vec![sent(ChangeAction::Create, &alias(one)), text]).await.unwrap();
    let listed = async || {
        let page = world.route53.list_resource_record_sets().hosted_zone_id(&zone).send().await.unwrap();
        page.resource_record_sets().iter().find(|set| *set.r#type() == RrType::A).cloned().unwrap()
    };
    let there = listed().await;
    let target = there.alias_target().unwrap();
    // How names are shown is a contract of its own.
    assert_eq!(there.name().replace("\\052", "*"), format!("*.shop.{domain}."), "the name");
    assert_eq!((target.dns_name().trim_end_matches('.'), target.hosted_zone_id()), (one, of), "the target");
    assert!(there.ttl().is_none() && !target.evaluate_target_health());
    // Sent back as it was listed, it goes, and another one comes in its place.
    world.change(&zone, vec![sent(ChangeAction::Delete, &there), sent(ChangeAction::Create, &alias(two))]).await.unwrap();
    let now = listed().await;
    assert_eq!(now.alias_target().unwrap().dns_name().trim_end_matches('.'), two, "the other target");
    // What isn't there as it is said doesn't go.
    let messages = messages(world.change(&zone, vec![sent(ChangeAction::Delete, &there), sent(ChangeAction::Create, &alias(one))]).await);
    assert!(!messages.is_empty(), "a change of what was not seen");
    let left = listed().await;
    assert_eq!(left.alias_target().unwrap().dns_name().trim_end_matches('.'), two, "all or nothing");
    world.change(&zone, vec![sent(ChangeAction::Delete, &left)]).await.unwrap();
}

async fn a_record_may_not_be_outside_its_zone(world: &World) {
    let zone = world.zone(&world.domain()).await;
    let messages = messages(world.change(&zone, vec![create("a.elsewhere.example.", "one.example.")]).await);
    assert!(messages.len() == 1 && messages[0].contains("is not permitted in zone"), "{messages:?}");
}

async fn a_change_is_in_sync_after_a_while(world: &World) {
    let domain = world.domain();
    let zone = world.zone(&domain).await;
    let answer = world.change(&zone, vec![create(&format!("a.{domain}"), "one.example.")]).await.unwrap();
    let id = answer.change_info().unwrap().id().to_owned();
    assert!(id.starts_with("/change/"), "{id}");
    for id in [id.as_str(), id.trim_start_matches("/change/")] {
        world
            .until("a change in sync", async || {
                let answer = world.route53.get_change().id(id).send().await.unwrap();
                (answer.change_info().unwrap().status().as_str() == "INSYNC").then_some(())
            })
            .await;
    }
}

async fn lookup(world: &World, zone: &str, name: &str) -> Option<(String, String, i64, Vec<String>)> {
    let request = world.route53.list_resource_record_sets().hosted_zone_id(zone).start_record_name(name);
    let page = request.start_record_type(RrType::Cname).max_items(1).send().await.unwrap();
    assert!(page.resource_record_sets().len() <= 1);
    page.resource_record_sets().first().map(row)
}

async fn a_lookup_finds_its_record(world: &World) {
    let domain = world.domain();
    let zone = world.zone(&domain).await;
    let names = ["_a.w", "_a", "_b", "c"].map(|label| format!("{label}.{domain}"));
    world.change(&zone, names.iter().map(|name| create(name, &format!("{}.example.", name.len()))).collect()).await.unwrap();
    for name in &names {
        let found = lookup(world, &zone, name).await.expect("the record");
        assert_eq!(found.0, format!("{name}."));
        assert_eq!((found.1.as_str(), found.2), ("CNAME", 300));
        assert_eq!(found.3, [format!("{}.example.", name.len())]);
    }
}

async fn a_lookup_of_an_absent_record_gives_the_next_one(world: &World) {
    let domain = world.domain();
    let zone = world.zone(&domain).await;
    world
        .change(&zone, vec![create(&format!("a.{domain}"), "one.example."), create(&format!("c.{domain}"), "one.example.")])
        .await
        .unwrap();
    assert_eq!(lookup(world, &zone, &format!("b.{domain}")).await.map(|row| row.0), Some(format!("c.{domain}.")));
    assert_eq!(lookup(world, &zone, &format!("d.{domain}")).await, None);
}

async fn the_list_of_records_comes_in_pages(world: &World) {
    let domain = world.domain();
    let zone = world.zone(&domain).await;
    let made: BTreeSet<String> = (0..5).map(|number| format!("n{number}.{domain}.")).collect();
    world.change(&zone, made.iter().map(|name| create(name, "one.example.")).collect()).await.unwrap();
    let (mut found, mut name, mut kind) = (Vec::new(), None, None);
    loop {
        let request = world.route53.list_resource_record_sets().hosted_zone_id(&zone).max_items(2);
        let page = request.set_start_record_name(name).set_start_record_type(kind).send().await.unwrap();
        assert!(page.resource_record_sets().len() <= 2);
        found.extend(page.resource_record_sets().iter().map(|set| (set.name().to_owned(), set.r#type().as_str().to_owned())));
        if !page.is_truncated() {
            break;
        }
        name = page.next_record_name().map(str::to_owned);
        kind = page.next_record_type().cloned();
        assert!(name.is_some() && kind.is_some() && found.len() < 100);
    }
    let own = [(format!("{domain}."), "NS".to_owned()), (format!("{domain}."), "SOA".to_owned())];
    let wanted: Vec<_> = own.into_iter().chain(made.into_iter().map(|name| (name, "CNAME".to_owned()))).collect();
    assert_eq!(found, wanted);
}

async fn an_unknown_zone_is_told_as_such(world: &World) {
    let list = world.route53.list_resource_record_sets().hosted_zone_id("Z00000000000000000000").send().await;
    assert_eq!(refused(list), "NoSuchHostedZone");
    assert_eq!(refused(world.change("Z00000000000000000000", vec![create("a.example.", "one.example.")]).await), "NoSuchHostedZone");
}

async fn an_unknown_change_is_told_as_such(world: &World) {
    assert_eq!(refused(world.route53.get_change().id("C00000000000000000000").send().await), "NoSuchChange");
}

async fn a_zone_with_records_is_not_deleted(world: &World) {
    let domain = world.domain();
    let zone = world.zone(&domain).await;
    world.change(&zone, vec![create(&format!("a.{domain}"), "one.example.")]).await.unwrap();
    assert_eq!(refused(world.route53.delete_hosted_zone().id(&zone).send().await), "HostedZoneNotEmpty");
}
