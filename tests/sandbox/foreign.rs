//! Things of others: refused at plan with their owner named, adopted when told so, released and not deleted at destroy.

use std::collections::BTreeMap;

use kube::api::{Patch, PatchParams, PostParams};
use serde_json::{Value, json};

use super::lab::{Lab, Raw, STACK, block_on};

fn create(raw: &Raw, kind: &str, namespace: Option<&str>, object: Value) {
    let params = PostParams { field_manager: Some("kubectl-create".into()), ..PostParams::default() };
    block_on(raw.objects(kind, namespace).create(&params, &serde_json::from_value(object).unwrap())).unwrap();
}

#[track_caller]
fn refusal(lab: &Lab, addr: &str) -> String {
    let plan = lab.run("plan stack.yaml --json").ends_with(1).json();
    let refusals = plan["refusals"].as_array().unwrap();
    let one = refusals.iter().find(|refusal| refusal["address"] == json!(addr)).unwrap_or_else(|| panic!("{plan:#}"));
    assert!(one["help"].as_str().unwrap().contains("adopt"), "{one}");
    one["reason"].as_str().unwrap().to_owned()
}

/// Adopts, checks that the next plan is empty, destroys, and gives the world after.
fn adopt_and_destroy(lab: &Lab, addr: &str) -> BTreeMap<String, Value> {
    let before = lab.raw().dump();
    lab.run("apply stack.yaml --auto-approve").ends_with(1);
    assert_eq!(lab.raw().dump(), before, "a refused apply changed something");
    lab.run(&format!("apply stack.yaml --auto-approve --adopt {addr}")).ends_with(0);
    assert!(lab.planned().is_empty(), "after the adoption of {addr}");
    lab.lose_state();
    assert!(lab.planned().is_empty(), "after the adoption of {addr} and the loss of the state");
    let plan = lab.run("plan stack.yaml --destroy --json").ends_with(0).json();
    assert_eq!(super::lab::planned(&plan)[addr].0, "release", "{addr}");
    lab.run("destroy stack.yaml --auto-approve").ends_with(0);
    lab.raw().dump()
}

#[test]
fn a_namespace_of_another_is_refused_adopted_and_released() {
    let lab = Lab::new(STACK);
    create(
        &lab.raw(),
        "Namespace",
        None,
        json!({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "prod", "labels": {"kept": "yes"}}}),
    );
    assert!(refusal(&lab, "namespace/prod").contains("kubectl-create"));
    let after = adopt_and_destroy(&lab, "namespace/prod");
    let labels = &after["Namespace /prod"]["metadata"]["labels"];
    assert_eq!(labels["kept"], "yes");
    assert_eq!(labels.get("meshform.dev/stack"), None);
}

#[test]
fn a_tls_secret_of_another_is_refused_adopted_and_released() {
    let lab = Lab::new(STACK);
    let raw = lab.raw();
    create(&raw, "Namespace", None, json!({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "other"}}));
    let data = json!({"tls.crt": "bm90IGEgY2VydGlmaWNhdGU=", "tls.key": "bm90IGEga2V5"});
    create(
        &raw,
        "Secret",
        Some("other"),
        json!({"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "theirs"}, "type": "kubernetes.io/tls", "data": data}),
    );
    lab.write("stack.yaml", &STACK.replace("{ namespace: prod, name: api-cert }", "{ namespace: other, name: theirs }"));
    assert!(refusal(&lab, "secret/other/theirs").contains("kubectl-create"));
    let after = adopt_and_destroy(&lab, "secret/other/theirs");
    assert!(after.contains_key("Secret other/theirs"));
    assert!(after.contains_key("Namespace /other"));
}

#[test]
fn a_secret_name_of_another_is_refused_adopted_and_released() {
    let lab = Lab::new(STACK);
    let tag = aws_sdk_secretsmanager::types::Tag::builder().key("Owner").value("payments").build();
    block_on(lab.raw().secrets.create_secret().name("istio/lab/edge").secret_string("theirs").tags(tag).send()).unwrap();
    assert!(refusal(&lab, "secretsmanager_secret.edge").contains("payments"));
    let after = adopt_and_destroy(&lab, "secretsmanager_secret.edge");
    let secret = &after["secret istio/lab/edge"];
    assert_eq!(secret["deleted"], false);
    assert_eq!(secret["tags"]["Owner"], "payments");
    assert_eq!(secret["tags"].get("meshform.dev/stack"), None);
}

fn request_theirs(raw: &Raw) {
    let tag = aws_sdk_acm::types::Tag::builder().key("ManagedBy").value("terraform").build().unwrap();
    let request = raw.acm.request_certificate().domain_name("shop.example.com").subject_alternative_names("*.shop.example.com");
    let request = request.validation_method(aws_sdk_acm::types::ValidationMethod::Dns).tags(tag);
    let options = aws_sdk_acm::types::CertificateOptions::builder().export(aws_sdk_acm::types::CertificateExport::Enabled).build();
    block_on(request.options(options).send()).unwrap();
    // ACM needs a moment until it knows it.
    raw.sandbox.advance(jiff::SignedDuration::from_mins(1)).unwrap();
}

#[test]
fn a_certificate_made_by_other_means_is_refused_adopted_and_released() {
    let lab = Lab::new(STACK);
    request_theirs(&lab.raw());
    assert!(refusal(&lab, "acm_certificate.edge").contains("terraform"));
    let after = adopt_and_destroy(&lab, "acm_certificate.edge");
    let (_, certificate) = after.iter().find(|(name, _)| name.starts_with("certificate *.shop.example.com")).unwrap();
    assert_eq!(certificate["tags"]["ManagedBy"], "terraform");
    assert_eq!(certificate["tags"].get("meshform.dev/stack"), None);
    // Its record stays: it needs it for its renewal.
    assert!(after.keys().any(|name| name.starts_with("record ") && name.ends_with("shop.example.com.") && name.contains("CNAME")));
}

#[test]
fn another_certificate_can_be_requested_beside_one_of_another() {
    let lab = Lab::new(&STACK.replace("    tags: { owner: shop }\n", "    tags: { owner: shop }\n    adopt: false\n"));
    request_theirs(&lab.raw());
    lab.run("apply stack.yaml --auto-approve").ends_with(0);
    assert!(lab.planned().is_empty());
    assert_eq!(lab.raw().dump().keys().filter(|name| name.starts_with("certificate *.shop.example.com")).count(), 2);
}

/// The validation record that ACM would ask for, learned by a certificate that is gone again.
fn their_record(raw: &Raw, value: Option<&str>) -> String {
    block_on(async {
        use aws_sdk_route53::types::{Change, ChangeAction, ChangeBatch, ResourceRecord, ResourceRecordSet, RrType};
        let requested = raw.acm.request_certificate().domain_name("shop.example.com").validation_method("DNS".into()).send().await.unwrap();
        let arn = requested.certificate_arn().unwrap().to_owned();
        tokio::time::sleep(std::time::Duration::from_secs(30)).await;
        let detail = raw.acm.describe_certificate().certificate_arn(&arn).send().await.unwrap().certificate.unwrap();
        let record = detail.domain_validation_options()[0].resource_record().unwrap().clone();
        raw.acm.delete_certificate().certificate_arn(&arn).send().await.unwrap();
        let zones = raw.route53.list_hosted_zones().send().await.unwrap();
        let zone = zones.hosted_zones().iter().find(|zone| zone.name() == "example.com.").unwrap().id().to_owned();
        let value = ResourceRecord::builder().value(value.unwrap_or(record.value())).build().unwrap();
        let set = ResourceRecordSet::builder().name(record.name()).r#type(RrType::Cname).ttl(77).resource_records(value).build().unwrap();
        let change = Change::builder().action(ChangeAction::Create).resource_record_set(set).build().unwrap();
        let batch = ChangeBatch::builder().changes(change).build().unwrap();
        raw.route53.change_resource_record_sets().hosted_zone_id(&zone).change_batch(batch).send().await.unwrap();
        record.name().to_owned()
    })
}

#[test]
fn a_record_that_is_there_and_equal_is_adopted_and_stays() {
    let lab = Lab::new(STACK);
    their_record(&lab.raw(), None);
    let before = lab.raw().dump();
    lab.run("apply stack.yaml --auto-approve").ends_with(0);
    assert!(lab.planned().is_empty());
    lab.lose_state();
    assert!(lab.planned().is_empty());
    lab.run("destroy stack.yaml --auto-approve").ends_with(0);
    let mut after = lab.raw().dump();
    after.retain(|name, _| !name.starts_with("secret "));
    assert_eq!(after, before);
}

#[test]
fn a_record_of_another_value_is_never_overwritten_in_silence() {
    let lab = Lab::new(STACK);
    their_record(&lab.raw(), Some("theirs.example.net."));
    let ran = lab.run("apply stack.yaml --auto-approve").ends_with(3);
    assert!(ran.stderr.contains("theirs.example.net"), "{}", ran.stderr);
    assert!(ran.stderr.contains("skipped, because of acm_validation_record.shop.example.com"), "{}", ran.stderr);
    assert!(refusal(&lab, "acm_validation_record.shop.example.com").contains("unknown owner"));
    lab.run("apply stack.yaml --auto-approve --adopt acm_validation_record.shop.example.com").ends_with(0);
    assert!(lab.planned().is_empty());
}

#[test]
fn a_record_stays_while_another_certificate_needs_it() {
    let lab = Lab::applied(STACK);
    block_on(lab.raw().acm.request_certificate().domain_name("shop.example.com").validation_method("DNS".into()).send()).unwrap();
    lab.raw().sandbox.advance(jiff::SignedDuration::from_mins(5)).unwrap();
    let plan = lab.run("plan stack.yaml --destroy --json").ends_with(0).json();
    let step =
        plan["resource_changes"].as_array().unwrap().iter().find(|s| s["address"] == "acm_validation_record.shop.example.com").unwrap();
    assert_eq!(step["action"], "release");
    assert!(step["action_reason"].as_str().unwrap().contains("needs it"), "{step}");
}

#[test]
fn a_namespace_that_holds_things_of_others_stays() {
    let lab = Lab::applied(STACK);
    create(&lab.raw(), "ConfigMap", Some("prod"), json!({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "theirs"}}));
    let ran = lab.run("destroy stack.yaml --auto-approve").ends_with(0);
    assert!(ran.stdout.contains("configmaps/theirs"), "{}", ran.stdout);
    let after = lab.raw().dump();
    assert!(after.contains_key("ConfigMap prod/theirs"));
    assert!(!after.contains_key("Namespace /istio-ingress"));
}

#[test]
fn a_field_that_another_manager_owns_is_taken_only_with_consent() {
    let lab = Lab::applied(STACK);
    let params = PatchParams { field_manager: Some("team-tool".into()), ..PatchParams::default() };
    let patch = Patch::Merge(json!({"metadata": {"labels": {"zone": "theirs"}}}));
    block_on(lab.raw().objects("Namespace", None).patch("prod", &params, &patch)).unwrap();
    lab.write("stack.yaml", &STACK.replace("tier: front", "tier: front, zone: ours"));
    let plan = lab.run("plan stack.yaml --json").ends_with(1).json();
    assert!(plan["refusals"][0]["reason"].as_str().unwrap().contains("managed by team-tool"), "{plan:#}");
    lab.write(
        "stack.yaml",
        &STACK.replace("tier: front", "tier: front, zone: ours").replace("{ injection: enabled,", "{ injection: enabled, force: true,"),
    );
    lab.run("apply stack.yaml --auto-approve").ends_with(0);
    assert!(lab.planned().is_empty());
}

#[test]
fn two_stacks_do_not_touch_each_other() {
    let lab = Lab::applied(STACK);
    lab.write("other.yaml", &STACK.replace("stack: lab", "stack: other"));
    let plan = lab.run("plan other.yaml --json").ends_with(1).json();
    for refusal in plan["refusals"].as_array().unwrap() {
        assert!(refusal["reason"].as_str().unwrap().contains("the meshform stack `lab`"), "{refusal}");
    }
}

#[test]
fn an_adopted_secret_outlives_the_namespace_section_it_is_in() {
    let lab = Lab::new(STACK);
    lab.run("apply stack.yaml --auto-approve --target namespace/prod").ends_with(0);
    let data = json!({"tls.crt": "bm90IGEgY2VydGlmaWNhdGU=", "tls.key": "bm90IGEga2V5"});
    let object = json!({"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "api-cert"}, "type": "kubernetes.io/tls", "data": data});
    create(&lab.raw(), "Secret", Some("prod"), object);
    lab.run("apply stack.yaml --auto-approve --adopt secret/prod/api-cert").ends_with(0);
    lab.run("destroy stack.yaml --auto-approve").ends_with(0);
    let left = lab.raw().dump();
    assert!(left.contains_key("Secret prod/api-cert") && left.contains_key("Namespace /prod"), "{:?}", left.keys());
}

#[test]
fn an_adopted_certificate_is_not_deleted_after_a_lost_reply() {
    let lab = Lab::new(STACK);
    request_theirs(&lab.raw());
    lab.run("apply stack.yaml --auto-approve --adopt acm_certificate.edge").ends_with(0);
    lab.run("sandbox fault acm:RequestCertificate lost-reply times=30").ends_with(0);
    lab.run("rotate stack.yaml --reissue edge");
    lab.run("sandbox fault --clear").ends_with(0);
    lab.run("apply stack.yaml --auto-approve").ends_with(0);
    assert!(lab.planned().is_empty());
    assert!(lab.raw().dump().values().any(|value| value["tags"]["ManagedBy"] == "terraform"), "it is gone");
}

#[test]
fn what_another_stack_has_adopted_is_no_longer_ours() {
    let lab = Lab::applied(STACK);
    let other = "version: 1\nstack: other\naws: { region: eu-west-1, account: \"000000000000\" }\ncluster: { eks: demo }\n\
                 namespaces: { prod: { adopt: true } }\n";
    lab.write("other.yaml", other);
    lab.run("apply other.yaml --auto-approve").ends_with(0);
    lab.run("destroy stack.yaml --auto-approve").ends_with(0);
    let left = lab.raw().dump();
    assert_eq!(left["Namespace /prod"]["metadata"]["labels"]["meshform.dev/stack"], "other");
}
