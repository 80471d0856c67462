//! What the stack wants elsewhere than it was: names, zones, namespaces, regions.

use aws_sdk_route53::types::HostedZoneConfig;
use kube::api::PostParams;
use serde_json::json;

use super::lab::{Lab, Raw, STACK, block_on, planned};

fn renamed(name: &str) -> String {
    STACK.replace("name: istio/lab/edge", &format!("name: {name}"))
}

fn their_secret(raw: &Raw, name: &str) {
    let tag = aws_sdk_secretsmanager::types::Tag::builder().key("Owner").value("payments").build();
    block_on(raw.secrets.create_secret().name(name).secret_string("theirs").tags(tag).send()).unwrap();
}

fn is_deleted(raw: &Raw, name: &str) -> bool {
    raw.dump()[&format!("secret {name}")]["deleted"] == true
}

#[test]
fn a_secret_renamed_onto_a_name_of_another_is_refused_and_adopted_when_told_so() {
    let lab = Lab::applied(STACK);
    their_secret(&lab.raw(), "payments/tls");
    lab.write("stack.yaml", &renamed("payments/tls"));
    let before = lab.raw().dump();
    let plan = lab.run("plan stack.yaml --json").ends_with(1).json();
    assert_eq!(plan["refusals"][0]["address"], "secretsmanager_secret.edge");
    assert!(plan["refusals"][0]["reason"].as_str().unwrap().contains("payments"), "{plan:#}");
    lab.run("apply stack.yaml --auto-approve").ends_with(1);
    assert_eq!(lab.raw().dump(), before);
    lab.run("apply stack.yaml --auto-approve --adopt secretsmanager_secret.edge").ends_with(0);
    assert!(lab.planned().is_empty());
    assert!(is_deleted(&lab.raw(), "istio/lab/edge") && !is_deleted(&lab.raw(), "payments/tls"));
    lab.run("destroy stack.yaml --auto-approve").ends_with(0);
    assert!(!is_deleted(&lab.raw(), "payments/tls"), "what was adopted is released");
}

#[test]
fn a_secret_renamed_onto_a_name_that_is_scheduled_for_deletion_restores_it() {
    let lab = Lab::applied(STACK);
    lab.write("stack.yaml", &renamed("istio/lab/second"));
    lab.run("apply stack.yaml --auto-approve").ends_with(0);
    assert!(is_deleted(&lab.raw(), "istio/lab/edge"));
    // Back to the name that its own tombstone holds.
    lab.write("stack.yaml", STACK);
    let planned = lab.planned();
    assert!(!planned.is_empty());
    lab.run("apply stack.yaml --auto-approve").ends_with(0);
    assert!(lab.planned().is_empty());
    assert!(is_deleted(&lab.raw(), "istio/lab/second") && !is_deleted(&lab.raw(), "istio/lab/edge"));
}

#[test]
fn two_secrets_that_change_names_with_each_other_are_told_to_take_two_steps() {
    let two = STACK.replace("    key_algorithm: EC_prime256v1\n", "    key_algorithm: EC_prime256v1\n    secrets_manager: istio/lab/api\n");
    let lab = Lab::applied(&two);
    let swapped =
        two.replace("istio/lab/edge", "istio/lab/x").replace("istio/lab/api", "istio/lab/edge").replace("istio/lab/x", "istio/lab/api");
    lab.write("stack.yaml", &swapped);
    let plan = lab.run("plan stack.yaml --json").ends_with(1).json();
    assert_eq!(plan["refusals"][0]["code"], "plan/own", "{plan:#}");
}

#[test]
fn a_record_whose_zone_moves_is_made_in_the_new_one_and_removed_from_the_old() {
    let lab = Lab::applied(STACK);
    let raw = lab.raw();
    let config = HostedZoneConfig::builder().private_zone(false).build();
    let zone = raw.route53.create_hosted_zone().name("shop.example.com").caller_reference("x").hosted_zone_config(config);
    block_on(zone.send()).unwrap();
    let moved = STACK.replace("    zone: example.com\n", "    zone: shop.example.com\n");
    lab.write("stack.yaml", &moved);
    let plan = lab.run("plan stack.yaml --json").ends_with(0).json();
    let steps: Vec<(&str, &str)> = plan["resource_changes"]
        .as_array()
        .unwrap()
        .iter()
        .filter(|step| step["counts"] == true)
        .map(|step| (step["address"].as_str().unwrap(), step["action"].as_str().unwrap()))
        .collect();
    let addr = "acm_validation_record.shop.example.com";
    assert_eq!(steps, [(addr, "create"), (addr, "delete")]);
    lab.run("apply stack.yaml --auto-approve").ends_with(0);
    assert!(lab.planned().is_empty());
    let records: Vec<String> = lab.raw().dump().into_keys().filter(|key| key.ends_with("CNAME shop.example.com.")).collect();
    assert_eq!(records, ["record shop.example.com. CNAME shop.example.com."]);
    lab.run("destroy stack.yaml --auto-approve").ends_with(0);
    assert!(!lab.raw().dump().keys().any(|key| key.contains("CNAME")));
}

#[test]
fn a_tls_secret_that_moves_to_another_namespace_is_there_before_the_old_one_goes() {
    let lab = Lab::applied(STACK);
    lab.write("stack.yaml", &STACK.replace("{ namespace: prod, name: api-cert }", "{ namespace: istio-ingress, name: api-cert }"));
    lab.run("sandbox fault kube:patch/secrets server-error times=50").ends_with(0);
    lab.run("apply stack.yaml --auto-approve").ends_with(1);
    assert!(lab.raw().dump().contains_key("Secret prod/api-cert"), "the old one went before the new one was there");
    lab.run("sandbox fault --clear").ends_with(0);
    lab.run("apply stack.yaml --auto-approve").ends_with(0);
    let after = lab.raw().dump();
    assert!(after.contains_key("Secret istio-ingress/api-cert") && !after.contains_key("Secret prod/api-cert"));
    assert!(lab.planned().is_empty());
}

#[test]
fn a_certificate_replaced_alone_leaves_the_old_one_to_those_who_still_have_it() {
    let lab = Lab::applied(STACK);
    let longer = STACK.replace("names: [\"*.shop.example.com\"]", "names: [\"*.shop.example.com\", \"www.shop.example.com\"]");
    lab.write("stack.yaml", &longer);
    let ran = lab.run("apply stack.yaml --auto-approve --target acm_certificate.edge").ends_with(0);
    assert!(ran.stdout.contains("is left out and still has it"), "{}", ran.stdout);
    let edge = |lab: &Lab| lab.raw().dump().keys().filter(|key| key.starts_with("certificate *.shop")).count();
    assert_eq!(edge(&lab), 2, "{:?}", lab.raw().dump().keys());
    lab.run("apply stack.yaml --auto-approve --target acm_certificate.edge").ends_with(0);
    assert_eq!(edge(&lab), 2, "again with the same target");
    lab.run("apply stack.yaml --auto-approve").ends_with(0);
    assert_eq!(edge(&lab), 1);
    assert!(lab.planned().is_empty());
}

#[test]
fn without_a_state_what_is_left_in_another_region_is_found() {
    let there = STACK.replace("    key_algorithm: EC_prime256v1\n", "    key_algorithm: EC_prime256v1\n    region: ap-southeast-2\n");
    let lab = Lab::applied(&there);
    lab.lose_state();
    assert!(lab.planned().is_empty());
    lab.lose_state();
    let (kept, _) = STACK.split_once("  api:\n").unwrap();
    lab.write("stack.yaml", kept);
    let plan = lab.planned();
    let steps: Vec<&str> = plan.keys().map(String::as_str).collect();
    let expected =
        ["acm_certificate.api", "acm_validation_record.api.example.com", "acm_validation_record.api.example.org", "secret/prod/api-cert"];
    assert_eq!(steps, expected);
    lab.run("destroy stack.yaml --auto-approve").ends_with(0);
    assert!(!lab.raw().dump().keys().any(|key| key.contains("CNAME") || key.starts_with("certificate")));
}

#[test]
fn without_a_state_a_stack_of_one_other_region_is_destroyed_there() {
    let lab = Lab::applied(&STACK.replace("    export: true\n", "    export: true\n    region: us-east-1\n"));
    lab.lose_state();
    lab.write("stack.yaml", "version: 1\nstack: lab\naws: { region: eu-west-1, account: \"000000000000\" }\n");
    let plan = lab.run("plan stack.yaml --destroy --json").ends_with(0).json();
    let certificates = planned(&plan).into_keys().filter(|addr| addr.starts_with("acm_certificate")).count();
    assert_eq!(certificates, 2, "{plan:#}");
}

#[test]
fn a_released_object_says_again_who_manages_it() {
    let lab = Lab::new(STACK);
    let labels = json!({"app.kubernetes.io/managed-by": "Helm"});
    let object = json!({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "prod", "labels": labels}});
    let params = PostParams { field_manager: Some("helm".into()), ..PostParams::default() };
    block_on(lab.raw().objects("Namespace", None).create(&params, &serde_json::from_value(object).unwrap())).unwrap();
    lab.run("apply stack.yaml --auto-approve --adopt namespace/prod").ends_with(0);
    assert!(lab.planned().is_empty());
    lab.lose_state();
    assert!(lab.planned().is_empty());
    lab.run("destroy stack.yaml --auto-approve").ends_with(0);
    let metadata = lab.raw().dump()["Namespace /prod"]["metadata"].clone();
    assert_eq!(metadata["labels"]["app.kubernetes.io/managed-by"], "Helm", "{metadata}");
    assert_eq!(metadata["annotations"], json!({"note": "hello"}), "{metadata}");
}

/// Two certificates of one base domain: they share its record.
const SHARED: &str = r#"version: 1
stack: lab
aws: { region: eu-west-1, account: "000000000000" }
cluster: { eks: demo }
namespaces: { prod: {} }
certificates:
  one: { domain: shop.example.com, export: true, secrets_manager: one, tls_secrets: [{ namespace: prod, name: one }] }
  two: { domain: "*.shop.example.com", export: true, tls_secrets: [{ namespace: prod, name: two }] }
"#;

#[test]
fn one_of_two_certificates_is_destroyed_and_their_record_stays() {
    for is_lost in [false, true] {
        let lab = Lab::applied(SHARED);
        if is_lost {
            lab.lose_state();
        }
        let plan = lab.run("plan stack.yaml --destroy --json --target acm_certificate.one").ends_with(0).json();
        let going: Vec<String> = planned(&plan).into_keys().collect();
        assert_eq!(going, ["acm_certificate.one", "secret/prod/one", "secretsmanager_secret.one"], "lost: {is_lost}");
        lab.run("destroy stack.yaml --auto-approve --target acm_certificate.one").ends_with(0);
        assert!(lab.raw().dump().keys().any(|key| key.contains("CNAME")));
        lab.run("destroy stack.yaml --auto-approve").ends_with(0);
        assert!(!lab.raw().dump().keys().any(|key| key.contains("CNAME")), "the record is left");
    }
}

#[test]
fn a_certificate_and_its_secret_move_to_another_region_and_back() {
    let there =
        STACK.replace("    export: true\n    tags: { owner: shop }", "    export: true\n    region: us-east-1\n    tags: { owner: shop }");
    let lab = Lab::applied(STACK);
    for stack in [there.as_str(), STACK, there.as_str()] {
        lab.write("stack.yaml", stack);
        lab.run("apply stack.yaml --auto-approve").ends_with(0);
        assert!(lab.planned().is_empty());
        lab.lose_state();
        assert!(lab.planned().is_empty());
        lab.run("apply stack.yaml --auto-approve").ends_with(0);
    }
    lab.run("destroy stack.yaml --auto-approve").ends_with(0);
}

#[test]
fn a_renaming_that_was_cut_off_and_forgotten_leaves_no_secret_behind() {
    let lab = Lab::applied(STACK);
    lab.run("sandbox fault secretsmanager:DeleteSecret access-denied times=9").ends_with(0);
    lab.write("stack.yaml", &renamed("istio/lab/second"));
    lab.run("apply stack.yaml --auto-approve").ends_with(3);
    lab.run("sandbox fault --clear").ends_with(0);
    lab.lose_state();
    lab.run("apply stack.yaml --auto-approve --approve-rebuilt-deletions").ends_with(0);
    assert!(lab.planned().is_empty());
    assert!(is_deleted(&lab.raw(), "istio/lab/edge") && !is_deleted(&lab.raw(), "istio/lab/second"));
}
