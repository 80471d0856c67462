//! The Resource Groups Tagging API: certificates by their tags.

use std::collections::{BTreeMap, BTreeSet};

use aws_sdk_acm::types::Tag;
use aws_sdk_resourcegroupstagging::types::TagFilter;

use super::world::World;

contracts! { tagging:
    certificates_are_found_by_a_tags_key_with_all_their_tags,
    a_certificate_without_the_tag_is_not_found,
    the_full_name_of_the_type_is_understood,
    resources_come_in_pages,
}

async fn tagged(world: &World, key: &str) -> String {
    let tag = |key: &str, value: &str| Tag::builder().key(key).value(value).build().unwrap();
    world.request_with(&[&world.domain()], |request| request.tags(tag(key, "lab")).tags(tag("other", "x"))).await
}

async fn found(world: &World, key: &str, kind: &str, per_page: i32) -> (usize, Vec<(String, BTreeMap<String, String>)>) {
    let (mut found, mut pages, mut token) = (Vec::new(), 0, None);
    loop {
        let request = world.tagging.get_resources().tag_filters(TagFilter::builder().key(key).build());
        let page = request.resource_type_filters(kind).resources_per_page(per_page).set_pagination_token(token).send().await.unwrap();
        for mapping in page.resource_tag_mapping_list() {
            let tags = mapping.tags().iter().map(|tag| (tag.key().to_owned(), tag.value().to_owned())).collect();
            found.push((mapping.resource_arn().unwrap().to_owned(), tags));
        }
        pages += 1;
        token = page.pagination_token().filter(|token| !token.is_empty()).map(str::to_owned);
        if token.is_none() {
            return (pages, found);
        }
    }
}

async fn certificates_are_found_by_a_tags_key_with_all_their_tags(world: &World) {
    let key = world.name("meshform.dev/stack");
    let arn = tagged(world, &key).await;
    let tags = BTreeMap::from([(key.clone(), "lab".to_owned()), ("other".to_owned(), "x".to_owned())]);
    assert_eq!(found(world, &key, "acm", 100).await.1, [(arn, tags)]);
}

async fn a_certificate_without_the_tag_is_not_found(world: &World) {
    tagged(world, &world.name("another")).await;
    assert!(found(world, &world.name("key"), "acm", 100).await.1.is_empty());
}

async fn the_full_name_of_the_type_is_understood(world: &World) {
    let key = world.name("key");
    let arn = tagged(world, &key).await;
    let arns: Vec<String> = found(world, &key, "acm:certificate", 100).await.1.into_iter().map(|(arn, _)| arn).collect();
    assert_eq!(arns, [arn], "what is found by the full name");
}

async fn resources_come_in_pages(world: &World) {
    let key = world.name("key");
    let mut made = BTreeSet::new();
    for _ in 0..3 {
        made.insert(tagged(world, &key).await);
    }
    let (pages, found) = found(world, &key, "acm", 1).await;
    assert!(pages >= 3, "{pages} page for three resources");
    assert_eq!(found.len(), 3);
    assert_eq!(found.into_iter().map(|(arn, _)| arn).collect::<BTreeSet<_>>(), made);
}
