//! Every attribute of every kind, changed behind meshform's back by a raw client: the plan shows that address and field and nothing else,
//! and apply puts it back.

use std::collections::BTreeSet;

use aws_sdk_route53::types::{Change, ChangeAction, ChangeBatch};
use kube::api::{Patch, PatchParams};
use meshform::resource::{Seen, alias_record, certificate, object, secret, validation_record};
use serde_json::{Value, json};

use super::lab::{Clients, Lab, STACK, block_on};

/// What a raw client does behind meshform's back.
type Outside = fn(&Clients);

/// A change from outside: the attribute that it is about, the address and field that the plan must show, and how it is made.
pub(crate) struct Case {
    kind: &'static str,
    path: &'static str,
    pub(crate) addr: &'static str,
    pub(crate) field: &'static str,
    pub(crate) change: Outside,
}

fn arn(raw: &Clients, domain: &str) -> String {
    let filters = aws_sdk_acm::types::Filters::builder().key_types("RSA_2048".into()).key_types("EC_prime256v1".into()).build();
    let listed = block_on(raw.acm.list_certificates().includes(filters).send()).unwrap();
    let one = listed.certificate_summary_list().iter().find(|one| one.domain_name() == Some(domain)).unwrap();
    one.certificate_arn().unwrap().to_owned()
}

fn tag_certificate(raw: &Clients, key: &str, value: &str) {
    let tag = aws_sdk_acm::types::Tag::builder().key(key).value(value).build().unwrap();
    block_on(raw.acm.add_tags_to_certificate().certificate_arn(arn(raw, "shop.example.com")).tags(tag).send()).unwrap();
}

fn change_record(
    raw: &Clients,
    change: impl FnOnce(aws_sdk_route53::types::ResourceRecordSet) -> aws_sdk_route53::types::ResourceRecordSet,
) {
    block_on(async {
        let zones = raw.route53.list_hosted_zones().send().await.unwrap();
        let zone = zones.hosted_zones().iter().find(|zone| zone.name() == "example.com.").unwrap().id().to_owned();
        let records = raw.route53.list_resource_record_sets().hosted_zone_id(&zone).send().await.unwrap();
        let record = records.resource_record_sets().iter().find(|r| r.name().ends_with(".shop.example.com.")).unwrap().clone();
        let change = Change::builder().action(ChangeAction::Upsert).resource_record_set(change(record)).build().unwrap();
        let batch = ChangeBatch::builder().changes(change).build().unwrap();
        raw.route53.change_resource_record_sets().hosted_zone_id(&zone).change_batch(batch).send().await.unwrap();
    });
}

fn patch(raw: &Clients, kind: &str, namespace: Option<&str>, name: &str, patch: &Value) {
    let params = PatchParams { field_manager: Some("someone".into()), ..PatchParams::default() };
    block_on(raw.objects(kind, namespace).patch(name, &params, &Patch::Merge(patch))).unwrap();
}

pub(crate) const CASES: &[Case] = &[
    Case {
        kind: "certificate",
        path: "tags.*",
        addr: "acm_certificate.edge",
        field: "tags.owner",
        change: |raw| tag_certificate(raw, "owner", "somebody"),
    },
    Case {
        kind: "certificate",
        path: "tags.*",
        addr: "acm_certificate.edge",
        field: "tags.meshform.dev/stack",
        change: |raw| {
            let tag = aws_sdk_acm::types::Tag::builder().key("meshform.dev/stack").build().unwrap();
            block_on(raw.acm.remove_tags_from_certificate().certificate_arn(arn(raw, "shop.example.com")).tags(tag).send()).unwrap();
        },
    },
    Case {
        kind: "validation_record",
        path: "ttl",
        addr: "acm_validation_record.shop.example.com",
        field: "ttl",
        change: |raw| {
            change_record(raw, |mut record| {
                record.ttl = Some(60);
                record
            });
        },
    },
    Case {
        kind: "validation_record",
        path: "records",
        addr: "acm_validation_record.shop.example.com",
        field: "records",
        change: |raw| {
            change_record(raw, |mut record| {
                let value = aws_sdk_route53::types::ResourceRecord::builder().value("elsewhere.example.net.").build().unwrap();
                record.resource_records = Some(vec![value]);
                record
            });
        },
    },
    Case {
        kind: "secret",
        path: "description",
        addr: "secretsmanager_secret.edge",
        field: "description",
        change: |raw| {
            block_on(raw.secrets.update_secret().secret_id("istio/lab/edge").description("other").send()).unwrap();
        },
    },
    Case {
        kind: "secret",
        path: "kms_key_id",
        addr: "secretsmanager_secret.edge",
        field: "kms_key_id",
        change: |raw| {
            block_on(raw.secrets.update_secret().secret_id("istio/lab/edge").kms_key_id("alias/other").send()).unwrap();
        },
    },
    Case {
        kind: "secret",
        path: "version",
        addr: "secretsmanager_secret.edge",
        field: "version",
        change: |raw| {
            block_on(raw.secrets.put_secret_value().secret_id("istio/lab/edge").secret_string("not a certificate").send()).unwrap();
        },
    },
    Case {
        kind: "secret",
        path: "tags.*",
        addr: "secretsmanager_secret.edge",
        field: "tags.kind",
        change: |raw| {
            block_on(raw.secrets.untag_resource().secret_id("istio/lab/edge").tag_keys("kind").send()).unwrap();
        },
    },
    Case {
        kind: "namespace",
        path: "metadata.labels.*",
        addr: "namespace/prod",
        field: "metadata.labels.istio-injection",
        change: |raw| patch(raw, "Namespace", None, "prod", &json!({"metadata": {"labels": {"istio-injection": "disabled"}}})),
    },
    Case {
        kind: "namespace",
        path: "metadata.labels.*",
        addr: "namespace/prod",
        field: "metadata.labels.meshform.dev/stack",
        change: |raw| patch(raw, "Namespace", None, "prod", &json!({"metadata": {"labels": {"meshform.dev/stack": null}}})),
    },
    Case {
        kind: "namespace",
        path: "metadata.annotations.*",
        addr: "namespace/prod",
        field: "metadata.annotations.note",
        change: |raw| patch(raw, "Namespace", None, "prod", &json!({"metadata": {"annotations": {"note": "bye"}}})),
    },
    Case {
        kind: "kube_secret",
        path: "metadata.labels.*",
        addr: "secret/prod/edge-cert",
        field: "metadata.labels.color",
        change: |raw| patch(raw, "Secret", Some("prod"), "edge-cert", &json!({"metadata": {"labels": {"color": "red"}}})),
    },
    Case {
        kind: "kube_secret",
        path: "metadata.annotations.*",
        addr: "secret/prod/edge-cert",
        field: "metadata.annotations.mark",
        change: |raw| patch(raw, "Secret", Some("prod"), "edge-cert", &json!({"metadata": {"annotations": {"mark": null}}})),
    },
    Case {
        kind: "kube_secret",
        path: "data.*",
        addr: "secret/prod/edge-cert",
        field: "data.tls.crt",
        change: |raw| patch(raw, "Secret", Some("prod"), "edge-cert", &json!({"data": {"tls.crt": "bm90IGEgY2VydGlmaWNhdGU="}})),
    },
    Case {
        kind: "kube_secret",
        path: "data.*",
        addr: "secret/prod/edge-cert",
        field: "data.tls.key",
        change: |raw| patch(raw, "Secret", Some("prod"), "edge-cert", &json!({"data": {"tls.key": "bm90IGEga2V5"}})),
    },
];

/// Attributes that nobody can change while the resource lives under its id: the only change from outside is that it goes.
const IDENTITY: &[(&str, &str)] = &[
    ("certificate", "status"),
    ("validation_record", "zone_id"),
    ("validation_record", "name"),
    ("validation_record", "type"),
    ("alias_record", "zone_id"),
    ("alias_record", "name"),
    ("secret", "name"),
    ("secret", "region"),
    ("kube_secret", "type"),
];

/// Attributes that have a test of their own, with the words by which it is found.
const ELSEWHERE: &[(&str, &str, &str, &str)] = &[
    ("certificate", "certificate_sha256", "origins.rs", "an_import_that_others_replace_is_put_back"),
    ("certificate", "chain_sha256", "origins.rs", "an_import_that_others_replace_is_put_back"),
    ("alias_record", "routing", "edge.rs", "records_with_a_routing_policy_are_never_taken"),
    ("alias_record", "apex", "edge.rs", "a_host_that_is_its_zones_own_name_has_its_marks_below_it"),
    ("alias_record", "types", "edge.rs", "what_others_do_to_the_records_is_drift"),
    ("alias_record", "values", "edge.rs", "what_others_do_to_the_records_is_drift"),
    ("alias_record", "alias.*", "edge.rs", "what_others_do_to_the_records_is_drift"),
    ("alias_record", "ownership", "edge.rs", "what_others_do_to_the_records_is_drift"),
    ("secret", "replicas.*", "replicas.rs", "a_copy_that_others_remove_is_drift"),
    ("secret", "policy", "replicas.rs", "a_resource_policy_is_set_compared_by_its_meaning"),
];

#[test]
fn every_attribute_has_a_case_or_a_reason() {
    for (_, path, file, test) in ELSEWHERE {
        let text = std::fs::read_to_string(format!("{}/tests/sandbox/{file}", env!("CARGO_MANIFEST_DIR"))).unwrap();
        assert!(text.contains(&format!("fn {test}")), "{path}: {file} has no test {test}");
    }
    let kinds = [
        ("certificate", certificate::ATTRS),
        ("validation_record", validation_record::ATTRS),
        ("alias_record", alias_record::ATTRS),
        ("secret", secret::ATTRS),
        ("namespace", object::attr_defs(&"namespace/x".parse().unwrap())),
        ("kube_secret", object::attr_defs(&"secret/x/y".parse().unwrap())),
    ];
    let docs = std::fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/docs/attributes.md")).unwrap();
    for (kind, defs) in kinds {
        for def in defs {
            assert!(docs.contains(&format!("`{}`", def.path)), "docs/attributes.md lacks {kind} {}", def.path);
            if let Seen::Fixed(reason) | Seen::Unseen(reason) = def.seen {
                assert!(docs.contains(reason), "docs/attributes.md lacks the reason of {kind} {}", def.path);
                continue;
            }
            let has_case = CASES.iter().any(|case| case.kind == kind && case.path == def.path);
            let is_elsewhere = ELSEWHERE.iter().any(|(of, path, ..)| *of == kind && *path == def.path);
            assert!(has_case || is_elsewhere || IDENTITY.contains(&(kind, def.path)), "{kind} {} has no case", def.path);
        }
    }
}

#[test]
fn a_change_from_outside_is_shown_and_put_back() {
    let applied = Lab::applied(STACK);
    for case in CASES {
        let lab = applied.copy();
        (case.change)(&lab.raw());
        let planned = lab.planned();
        let addrs: BTreeSet<&str> = planned.keys().map(String::as_str).collect();
        assert_eq!(addrs, BTreeSet::from([case.addr]), "{}: {planned:?}", case.field);
        assert_eq!(planned[case.addr], ("update".to_owned(), vec![case.field.to_owned()]), "{}", case.field);
        let drift = lab.run("drift stack.yaml --json --detailed-exitcode").ends_with(2).json();
        assert_eq!(drift["resource_drift"][0]["address"], case.addr);
        lab.run("apply stack.yaml --auto-approve").ends_with(0);
        assert!(lab.planned().is_empty(), "{} was not put back", case.field);
        assert_eq!(lab.raw().dump(), applied.raw().dump(), "{}", case.field);
    }
}

#[test]
fn what_goes_from_outside_is_made_anew() {
    let applied = Lab::applied(STACK);
    let gone: &[(&str, Outside)] = &[
        ("acm_certificate.edge", |raw| {
            block_on(raw.acm.delete_certificate().certificate_arn(arn(raw, "shop.example.com")).send()).unwrap();
        }),
        ("secretsmanager_secret.edge", |raw| {
            let request = raw.secrets.delete_secret().secret_id("istio/lab/edge").force_delete_without_recovery(true);
            block_on(request.send()).unwrap();
        }),
        ("secret/prod/api-cert", |raw| {
            block_on(raw.objects("Secret", Some("prod")).delete("api-cert", &kube::api::DeleteParams::default())).unwrap();
        }),
    ];
    for (addr, delete) in gone {
        let lab = applied.copy();
        delete(&lab.raw());
        let planned = lab.planned();
        assert_eq!(planned.get(*addr).map(|(action, _)| action.as_str()), Some("create"), "{planned:?}");
        lab.run("apply stack.yaml --auto-approve").ends_with(0);
        assert!(lab.planned().is_empty(), "{addr} was not made anew");
        let (mut is, mut was) = (lab.raw().dump(), applied.raw().dump());
        // A certificate made anew is another generation.
        for world in [&mut is, &mut was] {
            for value in world.values_mut() {
                if let Some(tags) = value.get_mut("tags").and_then(Value::as_object_mut) {
                    tags.remove("meshform.dev/generation");
                }
            }
        }
        assert_eq!(is, was, "{addr}");
    }
}

#[test]
fn a_secret_scheduled_for_deletion_from_outside_is_restored() {
    let lab = Lab::applied(STACK);
    block_on(lab.raw().secrets.delete_secret().secret_id("istio/lab/edge").send()).unwrap();
    assert_eq!(lab.planned()["secretsmanager_secret.edge"].0, "restore");
    lab.run("apply stack.yaml --auto-approve").ends_with(0);
    assert!(lab.planned().is_empty());
}
