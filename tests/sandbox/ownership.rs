//! What changes hands without being made or deleted: `moved`, `state mv`, `import`, `release`, `released`.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::lab::{Lab, STACK, block_on, planned};

/// The stack with its certificate `edge` called `web`, and the rename told.
fn renamed() -> String {
    STACK.replace("  edge:\n", "  web:\n")
}

fn told(pairs: &[(&str, &str)]) -> String {
    let pairs: Vec<String> = pairs.iter().map(|(from, to)| format!("{{ from: {from}, to: {to} }}")).collect();
    format!("moved: [{}]\n", pairs.join(", "))
}

/// All that is there, without what only speaks of addresses.
fn without_addresses(dump: &BTreeMap<String, Value>) -> String {
    serde_json::to_string(dump)
        .unwrap()
        .replace("acm_certificate.web", "acm_certificate.edge")
        .replace("secretsmanager_secret.web", "secretsmanager_secret.edge")
}

fn arns(lab: &Lab) -> BTreeMap<String, Value> {
    let outputs = lab.run("output stack.yaml --json").ends_with(0).json();
    let outputs = outputs.as_object().unwrap().clone();
    outputs.into_iter().filter(|(name, _)| name.strip_suffix(".arn").is_some()).collect()
}

#[test]
fn a_renamed_certificate_and_its_secret_stay_what_they_are() {
    for is_lost in [false, true] {
        let lab = Lab::applied(STACK);
        let (before, arns_before) = (lab.raw().dump(), arns(&lab));
        if is_lost {
            lab.lose_state();
        }
        lab.write("stack.yaml", &(renamed() + &told(&[("certificates.edge", "certificates.web")])));
        let plan = lab.run("plan stack.yaml --json").ends_with(0).json();
        let steps = planned(&plan);
        assert_eq!(steps.len(), 2, "{steps:?}");
        for kind in ["acm_certificate", "secretsmanager_secret"] {
            assert_eq!(steps[&format!("{kind}.web")].0, "move", "{steps:?}");
            let changes = plan["resource_changes"].as_array().unwrap();
            let step = changes.iter().find(|step| step["address"] == json!(format!("{kind}.web"))).unwrap();
            assert_eq!(step["previous_address"], json!(format!("{kind}.edge")));
        }
        lab.run("apply stack.yaml --auto-approve").ends_with(0);
        assert!(lab.planned().is_empty());
        assert_eq!(arns(&lab)["certificates.web.arn"], arns_before["certificates.edge.arn"]);
        assert_eq!(without_addresses(&lab.raw().dump()), without_addresses(&before), "lost: {is_lost}");
        let history = lab.run("history stack.yaml --json").ends_with(0).stdout;
        assert_eq!(history.contains(r#""moved""#), !is_lost, "{history}");
        // The entry has done its work, and does no harm where it stays; nor does the loss of the state now.
        lab.lose_state();
        assert!(lab.planned().is_empty());
        lab.write("stack.yaml", &renamed());
        assert!(lab.planned().is_empty());
        lab.run("destroy stack.yaml --auto-approve").ends_with(0);
    }
}

#[test]
fn a_rename_that_comes_with_a_change_is_one_step() {
    let lab = Lab::applied(STACK);
    let stack = renamed().replace("tags: { owner: shop }", "tags: { owner: web }") + &told(&[("certificates.edge", "certificates.web")]);
    lab.write("stack.yaml", &stack);
    let ran = lab.run("plan stack.yaml").ends_with(0);
    assert!(ran.stdout.contains("was `acm_certificate.edge`; tags.owner differs"), "{}", ran.stdout);
    assert!(ran.stdout.contains("1 to move"), "{}", ran.stdout);
    lab.run("apply stack.yaml --auto-approve").ends_with(0);
    assert!(lab.planned().is_empty());
}

#[test]
fn a_rename_that_is_not_told_is_pointed_out_with_the_lines_to_add() {
    let lab = Lab::applied(STACK);
    lab.write(
        "stack.yaml",
        &renamed().replace("    secrets_manager: { name: istio/lab/edge, description: the edge, tags: { kind: tls } }\n", ""),
    );
    let plan = lab.run("plan stack.yaml").ends_with(0).stdout;
    assert!(plan.contains("moved: [{from: certificates.edge, to: certificates.web}]"), "{plan}");
    // With its secret the plan can't be carried out, and says the same.
    lab.write("stack.yaml", &renamed());
    let refused = lab.run("plan stack.yaml --json").ends_with(1).json();
    assert!(refused["refusals"][0]["help"].as_str().unwrap().contains("moved:"), "{refused:#}");
}

#[test]
fn a_chain_of_renames_is_followed_from_wherever_the_world_is() {
    let chain = told(&[("certificates.edge", "certificates.middle"), ("certificates.middle", "certificates.web")]);
    let lab = Lab::applied(STACK);
    lab.write("stack.yaml", &(renamed() + &chain));
    lab.run("apply stack.yaml --auto-approve").ends_with(0);
    let arn = arns(&lab)["certificates.web.arn"].clone();
    let lab = Lab::applied(&STACK.replace("  edge:\n", "  middle:\n"));
    lab.write("stack.yaml", &(renamed() + &chain));
    let plan = lab.planned();
    assert!(plan.values().all(|(action, _)| action == "move") && plan.len() == 2, "{plan:?} {arn}");
}

#[test]
fn renames_that_can_not_be_are_refused_before_anything_is_looked_at() {
    for (entry, words) in [
        (r"[{ from: certificates.edge, to: certificates.api }]", "the stack still has `certificates.edge`"),
        (r"[{ from: certificates.old, to: certificates.new }]", "the stack has no `certificates.new`"),
        (r"[{ from: certificates.a, to: secretsmanager_secret.api }]", "is not of the kind"),
        (r"[{ from: deployment.apps/x/y, to: deployment.apps/x/z }]", "another name is another object"),
        (r"[{ from: acm_validation_record.a.example.com, to: acm_certificate.api }]", "a validation record belongs to its domain"),
        (r"[{ from: acm_certificate.a, to: acm_certificate.b }, { from: acm_certificate.b, to: acm_certificate.a }]", "lead back to it"),
        (r"[{ from: certificate.a, to: acm_certificate.api }]", "is not an address"),
        (r"[{ from: certificates.a }]", "needs `to`"),
    ] {
        let lab = Lab::new(&(STACK.to_owned() + "moved: " + entry + "\n"));
        let ran = lab.run("validate stack.yaml").ends_with(1);
        assert!(ran.stderr.contains(words), "{entry}: {}", ran.stderr);
        assert!(ran.stderr.contains("stack.yaml:"), "the place is told: {}", ran.stderr);
    }
}

#[test]
fn two_things_never_become_one_by_a_rename() {
    let two = STACK.replace("  api:\n", "  web:\n    domain: web.example.com\n  api:\n");
    let lab = Lab::applied(&two);
    lab.write("stack.yaml", &(renamed() + &told(&[("certificates.edge", "certificates.web")])));
    for _ in 0..2 {
        let plan = lab.run("plan stack.yaml --json").ends_with(1).json();
        assert!(plan["refusals"].as_array().unwrap().iter().any(|refusal| refusal["code"] == "plan/moved-both"), "{plan:#}");
        lab.lose_state();
    }
}

#[test]
fn state_mv_renames_and_changes_nothing_else() {
    let lab = Lab::applied(STACK);
    let before = lab.raw().dump();
    let wrong = lab.run("state mv stack.yaml certificates.edge certificates.web").ends_with(64);
    assert!(wrong.stderr.contains("the stack has no `acm_certificate.web`"), "{}", wrong.stderr);
    // A change that waits for an apply stays for it.
    lab.write(
        "stack.yaml",
        &renamed().replace("tags: { owner: shop }", "tags: { owner: web }").replace("description: the edge", "description: web"),
    );
    let wrong = lab.run("state mv stack.yaml certificates.egde certificates.web").ends_with(64);
    assert!(wrong.stderr.contains("did you mean"), "{}", wrong.stderr);
    lab.run("state mv stack.yaml certificates.edge certificates.web").ends_with(0);
    assert_eq!(without_addresses(&lab.raw().dump()), without_addresses(&before));
    for _ in 0..2 {
        let plan = lab.planned();
        assert_eq!(plan["acm_certificate.web"], ("update".to_owned(), vec!["tags.owner".to_owned()]), "{plan:?}");
        assert_eq!(plan["secretsmanager_secret.web"], ("update".to_owned(), vec!["description".to_owned()]), "{plan:?}");
        assert_eq!(plan.len(), 2, "{plan:?}");
        lab.lose_state();
    }
}

#[test]
fn a_rename_stopped_at_any_request_goes_on() {
    let reference = Lab::applied(STACK);
    let stack = renamed() + &told(&[("certificates.edge", "certificates.web")]);
    for number in 1..=14 {
        for point in ["before", "after"] {
            let lab = reference.copy();
            lab.write("stack.yaml", &stack);
            let mut command = lab.command("apply stack.yaml --auto-approve");
            command.env("MESHFORM_SANDBOX_CRASH", format!("{point}:{number}")).output().unwrap();
            if number % 2 == 0 {
                lab.lose_state();
            }
            lab.run("apply stack.yaml --auto-approve").ends_with(0);
            assert!(lab.planned().is_empty(), "{point}:{number}");
            assert_eq!(without_addresses(&lab.raw().dump()), without_addresses(&reference.raw().dump()), "{point}:{number}");
        }
    }
}

/// Requests a certificate of someone else's.
fn theirs(lab: &Lab) -> String {
    let raw = lab.raw();
    let tag = aws_sdk_acm::types::Tag::builder().key("Owner").value("terraform").build().unwrap();
    let request =
        raw.acm.request_certificate().domain_name("solo.example.com").validation_method(aws_sdk_acm::types::ValidationMethod::Dns);
    let arn = block_on(request.tags(tag).send()).unwrap().certificate_arn.unwrap();
    // ACM needs some seconds until it can describe what it was asked for.
    lab.run("sandbox advance 1m").ends_with(0);
    arn
}

const SOLO: &str = r#"version: 1
stack: solo
aws: { region: eu-west-1, account: "000000000000", tags: { team: edge } }
certificates:
  solo: { domain: solo.example.com, zone: example.com }
"#;

#[test]
fn one_of_several_certificates_is_imported_by_its_arn() {
    let lab = Lab::new(SOLO);
    let (first, second) = (theirs(&lab), theirs(&lab));
    assert_ne!(first, second);
    let wrong = lab.run("import stack.yaml acm_certificate.solo solo.example.com --auto-approve").ends_with(64);
    assert!(wrong.stderr.contains("by its ARN"), "{}", wrong.stderr);
    let gone = format!("{}0000", &second[..second.len() - 4]);
    let missing = lab.run(&format!("import stack.yaml acm_certificate.solo {gone} --auto-approve")).ends_with(1);
    assert!(missing.stdout.contains("plan/import"), "{missing:?}");
    let ran = lab.run(&format!("import stack.yaml acm_certificate.solo {second} --auto-approve")).ends_with(0);
    assert!(ran.stdout.contains("adopt") && ran.stdout.contains("terraform"), "{}", ran.stdout);
    // Nothing but the marks: the stack's own tags are for the next apply.
    let plan = lab.planned();
    assert_eq!(plan["acm_certificate.solo"].1, ["tags.team"], "{plan:?}");
    lab.run("apply stack.yaml --auto-approve").ends_with(0);
    assert_eq!(lab.run("output stack.yaml certificates.solo.arn").ends_with(0).stdout.trim(), second);
    // It is the address's now; another can't be.
    let taken = lab.run(&format!("import stack.yaml acm_certificate.solo {first} --auto-approve")).ends_with(1);
    assert!(taken.stdout.contains("plan/import"), "{taken:?}");
    lab.run("destroy stack.yaml --auto-approve").ends_with(0);
    let left: Vec<String> = lab.raw().dump().into_keys().filter(|key| key.starts_with("certificate")).collect();
    assert_eq!(left.len(), 2, "what was imported is released, never deleted: {left:?}");
}

#[test]
fn a_certificate_of_other_names_is_not_imported() {
    let lab = Lab::new(&SOLO.replace("solo.example.com", "duo.example.com"));
    let arn = theirs(&lab);
    let ran = lab.run(&format!("import stack.yaml acm_certificate.solo {arn} --auto-approve")).ends_with(1);
    assert!(ran.stdout.contains("plan/adopt-differs"), "{ran:?}");
}

#[test]
fn what_is_released_stays_as_it_is_and_bears_no_mark() {
    for is_lost in [false, true] {
        let lab = Lab::applied(STACK);
        let before = lab.raw().dump();
        if is_lost {
            lab.lose_state();
        }
        let ran = lab.run("release stack.yaml certificates.edge --auto-approve").ends_with(0);
        assert!(ran.stderr.contains("take it out"), "{}", ran.stderr);
        let after = lab.raw().dump();
        assert_eq!(before.keys().collect::<Vec<_>>(), after.keys().collect::<Vec<_>>(), "nothing was deleted");
        let secret = &after["secret istio/lab/edge"];
        assert!(!secret.to_string().contains("meshform.dev"), "{secret}");
        assert!(secret.to_string().contains("tls"), "the tags of the stack's stay: {secret}");
        // As it is still wanted, and now nobody's, the next plan asks.
        let plan = lab.run("plan stack.yaml --json").ends_with(1).json();
        assert!(plan["refusals"].as_array().unwrap().iter().any(|refusal| refusal["code"] == "plan/foreign"), "{plan:#}");
        lab.run("apply stack.yaml --auto-approve --adopt acm_certificate.edge --adopt secretsmanager_secret.edge").ends_with(0);
        assert!(lab.planned().is_empty());
    }
}

#[test]
fn what_the_stack_releases_is_let_go_by_an_apply_and_by_a_destroy() {
    let api = STACK.find("  api:\n").unwrap();
    let edge = STACK.find("  edge:\n").unwrap();
    let without = format!("{}{}released: [certificates.edge, secret/prod/edge-cert]\n", &STACK[..edge], &STACK[api..]);
    let lab = Lab::applied(STACK);
    lab.write("stack.yaml", &without);
    let plan = lab.planned();
    assert_eq!(plan["acm_certificate.edge"].0, "release", "{plan:?}");
    assert_eq!(plan["secretsmanager_secret.edge"].0, "release");
    assert_eq!(plan["secret/prod/edge-cert"].0, "release");
    assert_eq!(plan["secret/istio-ingress/edge-cert"].0, "delete", "what isn't named goes: {plan:?}");
    let destroyed = lab.copy();
    destroyed.run("destroy stack.yaml --auto-approve").ends_with(0);
    assert!(destroyed.raw().dump().contains_key("Secret prod/edge-cert"), "{:?}", destroyed.raw().dump().keys());
    lab.run("apply stack.yaml --auto-approve").ends_with(0);
    assert!(lab.planned().is_empty());
    let world = lab.raw().dump();
    assert!(world.contains_key("Secret prod/edge-cert") && !world.contains_key("Secret istio-ingress/edge-cert"), "{:?}", world.keys());
    let contradiction = format!("{STACK}released: [certificates.edge]\n");
    lab.write("stack.yaml", &contradiction);
    assert!(lab.run("validate stack.yaml").ends_with(1).stderr.contains("the stack still has it"));
}
