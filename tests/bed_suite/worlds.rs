//! Everything that is there, on both sides, to be compared before and after.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use super::bed::Bed;

/// Kinds of the API server that are left out of the comparison, each for its reason.
const UNCOMPARED_KINDS: &[(&str, &str)] = &[
    ("events", "the history of what happened: the server forgets them after an hour"),
    ("leases", "the servers renew theirs every few seconds"),
    ("componentstatuses", "not stored: made at each request by asking the servers for their health"),
];

/// Every object of every kind that the API server lists, without `resourceVersion`, which the server counts on for itself.
pub(crate) fn kubernetes(bed: &Bed) -> BTreeMap<String, Value> {
    let mut groups = vec!["/api/v1".to_owned()];
    let found = bed.kube_get("/apis");
    groups.extend(found["groups"].as_array().unwrap().iter().flat_map(|group| {
        let versions = group["versions"].as_array().unwrap();
        versions.iter().map(|version| format!("/apis/{}", version["groupVersion"].as_str().unwrap()))
    }));
    let mut world = BTreeMap::new();
    for group in groups {
        // One whose last definition goes is listed a moment longer than it is served.
        let Ok(kinds) = bed.kube_raw("GET", &group, "application/json", &Value::Null) else { continue };
        for kind in kinds["resources"].as_array().unwrap() {
            let name = kind["name"].as_str().unwrap();
            let can_list = kind["verbs"].as_array().unwrap().iter().any(|verb| verb == "list");
            if !can_list || UNCOMPARED_KINDS.iter().any(|(kind, _)| *kind == name) {
                continue;
            }
            let listed = bed.kube_get(&format!("{group}/{name}"));
            for object in listed["items"].as_array().into_iter().flatten() {
                let mut object = object.clone();
                let metadata = object["metadata"].as_object_mut().unwrap();
                metadata.remove("resourceVersion");
                let namespace = metadata.get("namespace").and_then(Value::as_str).unwrap_or_default();
                let key = format!("{group}/{name} {namespace}/{}", metadata["name"].as_str().unwrap());
                world.insert(key, object);
            }
        }
    }
    assert!(world.len() > 100, "only {} objects: the lists are not read rightly", world.len());
    world
}

/// The emulator's whole world (`/moto-api/data.json`), without what it keeps of things that are deleted.
pub(crate) fn aws(bed: &Bed) -> BTreeMap<String, Value> {
    let mut world = Bed::moto_data();
    // It never forgets an instance that it made: a deleted certificate or record stays in this dump, though no API shows it any more.
    let certificates = listed_certificates(bed);
    retain(&mut world["acm"]["CertBundle"], |entry| certificates.contains(entry["arn"].as_str().unwrap()));
    let records = listed_records(bed);
    retain(&mut world["route53"]["RecordSet"], |entry| records.contains(entry["name"].as_str().unwrap().trim_end_matches('.')));
    for zone in world["route53"]["FakeZone"].as_array_mut().into_iter().flatten() {
        // The history of a zone's changes.
        zone.as_object_mut().unwrap().remove("rr_changes");
    }
    // Secrets Manager keeps a deleted secret for its recovery window: a tombstone.
    retain(&mut world["secretsmanager"]["FakeSecret"], |entry| entry["deleted_date"].is_null());
    // It makes these when an account is first touched, whoever asks for what.
    for (service, kind) in [("iam", "AccountSummary"), ("s3", "FakeGrantee")] {
        world[service].as_object_mut().map(|kinds| kinds.remove(kind));
    }
    // By service, kind and a name of theirs: a kind that was never made has no entry, one whose last is gone has an empty one.
    let mut instances = BTreeMap::new();
    for (service, kinds) in world.as_object().unwrap() {
        for (kind, list) in kinds.as_object().unwrap() {
            for (index, instance) in list.as_array().into_iter().flatten().enumerate() {
                let name = ["arn", "id", "name"].iter().find_map(|key| instance[key].as_str()).unwrap_or_default();
                instances.insert(format!("{service} {kind} {name} #{index}"), instance.clone());
            }
        }
    }
    instances
}

/// The names of the secrets whose tombstones are left.
pub(crate) fn tombstones() -> BTreeSet<String> {
    let world = Bed::moto_data();
    let secrets = world["secretsmanager"]["FakeSecret"].as_array().into_iter().flatten();
    secrets.filter(|entry| !entry["deleted_date"].is_null()).map(|entry| entry["name"].as_str().unwrap().to_owned()).collect()
}

fn listed_certificates(bed: &Bed) -> BTreeSet<String> {
    let listed = bed.block_on(bed.acm.list_certificates().max_items(1000).send()).unwrap();
    listed.certificate_summary_list().iter().map(|one| one.certificate_arn().unwrap().to_owned()).collect()
}

fn listed_records(bed: &Bed) -> BTreeSet<String> {
    let zones = bed.block_on(bed.route53.list_hosted_zones().send()).unwrap();
    let mut names = BTreeSet::new();
    for zone in zones.hosted_zones() {
        let records = bed.block_on(bed.route53.list_resource_record_sets().hosted_zone_id(zone.id()).send()).unwrap();
        assert!(!records.is_truncated(), "more records than one page");
        names.extend(records.resource_record_sets().iter().map(|record| record.name().trim_end_matches('.').to_owned()));
    }
    names
}

fn retain(list: &mut Value, keep: impl Fn(&Value) -> bool) {
    if let Some(list) = list.as_array_mut() {
        list.retain(keep);
    }
}

/// What differs between two worlds, in words short enough to read.
pub(crate) fn differences(before: &BTreeMap<String, Value>, after: &BTreeMap<String, Value>) -> Vec<String> {
    let gone = before.keys().filter(|key| !after.contains_key(*key)).map(|key| format!("gone: {key}"));
    let new = after.keys().filter(|key| !before.contains_key(*key)).map(|key| format!("left: {key}"));
    let changed = after.iter().filter_map(|(key, now)| {
        let then = before.get(key).filter(|then| *then != now)?;
        Some(format!("changed: {key}\n  from {then}\n  to   {now}"))
    });
    gone.chain(new).chain(changed).collect()
}
