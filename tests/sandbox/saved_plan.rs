//! Plans that one person makes and another approves.

use serde_json::json;

use super::lab::{Lab, STACK, block_on};

/// A stack with a changed tag, a new description and one delivery less.
fn changed() -> String {
    let changed = STACK.replace("owner: shop", "owner: web").replace("description: the edge", "description: the front");
    changed.replace("    tls_secrets: [{ namespace: prod, name: api-cert }]\n", "")
}

fn label(lab: &Lab, kind: &str, namespace: Option<&str>, name: &str, key: &str, value: &str) {
    let patch = kube::api::Patch::Merge(json!({"metadata": {"labels": {key: value}}}));
    let params = kube::api::PatchParams { field_manager: Some("kubectl-label".into()), ..Default::default() };
    block_on(lab.raw().objects(kind, namespace).patch(name, &params, &patch)).unwrap();
}

#[test]
fn a_saved_plan_is_shown_and_carried_out_once() {
    let lab = Lab::applied(STACK);
    lab.write("stack.yaml", &changed());
    let made = lab.run("plan stack.yaml --out it.plan").ends_with(0);
    assert!(made.stderr.contains("it.plan") && made.stderr.contains("digest sha256:"), "{}", made.stderr);
    let shown = lab.run("show it.plan").ends_with(0).stdout;
    assert!(shown.starts_with(&made.stdout), "{shown}");
    let digest = lab.run("show it.plan --json").ends_with(0).json()["digest"].as_str().unwrap().to_owned();
    assert!(shown.contains(&digest) && made.stderr.contains(&digest));
    let before = lab.planned();
    lab.run("apply it.plan").ends_with(0);
    assert_eq!(before.len(), 3);
    assert!(lab.planned().is_empty());
    let again = lab.run("apply it.plan").ends_with(1);
    assert!(again.stderr.contains("plan/stale") && again.stderr.contains("now:     nothing"), "{}", again.stderr);
}

#[test]
fn a_saved_plan_holds_after_unrelated_changes_and_only_its_steps_are_taken() {
    let lab = Lab::applied(STACK);
    lab.write("stack.yaml", &changed());
    lab.run("plan stack.yaml --out it.plan").ends_with(0);
    // Someone's label, a renewal with its rotation, and drift that nobody has decided about.
    label(&lab, "Namespace", None, "prod", "theirs", "yes");
    lab.run("sandbox advance 200d").ends_with(0);
    lab.run("rotate stack.yaml").ends_with(0);
    label(&lab, "Namespace", None, "istio-ingress", "app.kubernetes.io/managed-by", "them");
    lab.run("apply it.plan").ends_with(0);
    let left: Vec<String> = lab.planned().into_keys().collect();
    assert_eq!(left, ["namespace/istio-ingress"], "what was not decided is left alone");
}

#[test]
fn a_saved_plan_is_refused_after_a_related_change_with_the_difference() {
    type Meddle = fn(&Lab);
    let cases: [(&str, Meddle, &str); 5] = [
        (
            "the attribute that was to change is another one",
            |lab| {
                let arn = lab.run("output stack.yaml certificates.edge.arn").stdout.trim().to_owned();
                let tag = aws_sdk_acm::types::Tag::builder().key("owner").value("else").build().unwrap();
                block_on(lab.raw().acm.add_tags_to_certificate().certificate_arn(arn).tags(tag).send()).unwrap();
            },
            "\"else\" -> \"web\"",
        ),
        (
            "the thing is another one",
            |lab| {
                lab.run("rotate stack.yaml --reissue edge").ends_with(0);
            },
            "acm_certificate.edge",
        ),
        (
            "what was to go is gone",
            |lab| {
                let secrets = lab.raw().objects("Secret", Some("prod"));
                block_on(secrets.delete("api-cert", &kube::api::DeleteParams::default())).unwrap();
            },
            "now:     nothing",
        ),
        ("the stack is another one", |lab| lab.write("stack.yaml", STACK), "has changed since"),
        (
            "something else would have to come first",
            |lab| {
                let arn = lab.run("output stack.yaml certificates.edge.arn").stdout.trim().to_owned();
                block_on(lab.raw().acm.delete_certificate().certificate_arn(arn).send()).unwrap();
            },
            "create",
        ),
    ];
    for (what, meddle, told) in cases {
        let lab = Lab::applied(STACK);
        lab.write("stack.yaml", &changed());
        lab.run("plan stack.yaml --out it.plan").ends_with(0);
        lab.run("sandbox advance 2m").ends_with(0);
        meddle(&lab);
        let before = lab.raw().dump();
        let ran = lab.run("apply it.plan").ends_with(1);
        assert!(ran.stderr.contains("plan/stale") && ran.stderr.contains(told), "{what}: {}", ran.stderr);
        assert_eq!(lab.raw().dump(), before, "{what}");
    }
}

#[test]
fn a_plan_to_destroy_is_saved_and_variables_come_along() {
    let stack = STACK.replace("stack: lab\n", "stack: lab\nvars: { owner: {} }\n").replace("owner: shop", "owner: \"${vars.owner}\"");
    let lab = Lab::new(&stack);
    lab.run("plan stack.yaml --var owner=shop --out make.plan").ends_with(0);
    lab.run("apply make.plan").ends_with(0);
    lab.run("plan stack.yaml --var owner=shop --destroy --out end.plan").ends_with(0);
    lab.run("destroy make.plan").ends_with(64);
    lab.run("apply end.plan --target namespace/prod").ends_with(64);
    lab.run("destroy end.plan").ends_with(0);
    assert!(!lab.raw().dump().keys().any(|key| key.starts_with("certificate") || key.contains("CNAME")));
}

#[test]
fn a_damaged_plan_and_one_of_another_version_are_refused() {
    let lab = Lab::new(STACK);
    lab.run("plan stack.yaml --out it.plan").ends_with(0);
    let path = lab.path().join("it.plan");
    let whole = std::fs::read_to_string(&path).unwrap();
    let mode = std::os::unix::fs::PermissionsExt::mode(&std::fs::metadata(&path).unwrap().permissions());
    assert_eq!(mode & 0o777, 0o600);
    let cases = [
        (whole.replacen("\"action\": \"create\"", "\"action\": \"delete\"", 1), "is damaged"),
        (whole[..whole.len() / 2].to_owned(), "is damaged"),
        (whole.replacen("\"made_by\": \"", "\"made_by\": \"9", 1), "was made by meshform 9"),
        (whole.replacen("\"meshform_plan\": 1", "\"meshform_plan\": 2", 1), "was made by meshform"),
    ];
    for (text, told) in cases {
        std::fs::write(&path, text).unwrap();
        let ran = lab.run("apply it.plan").ends_with(1);
        assert!(ran.stderr.contains(told), "{}", ran.stderr);
    }
    lab.write("precious.txt", "mine");
    let ran = lab.run("plan stack.yaml --out precious.txt").ends_with(1);
    assert!(ran.stderr.contains("is not a saved plan"), "{}", ran.stderr);
    assert_eq!(std::fs::read_to_string(lab.path().join("precious.txt")).unwrap(), "mine");
}

#[test]
fn only_the_expected_plan_is_carried_out() {
    let lab = Lab::new(STACK);
    let digest = lab.run("plan stack.yaml --json").ends_with(0).json()["digest"].as_str().unwrap().to_owned();
    let other = lab.run("apply stack.yaml --expect sha256:00").ends_with(1);
    assert!(other.stderr.contains("plan/unexpected") && other.stderr.contains(&digest), "{}", other.stderr);
    lab.run(&format!("apply stack.yaml --expect {digest}")).ends_with(0);
    assert!(lab.planned().is_empty());
}

#[test]
fn what_is_asked_for_is_replaced() {
    let lab = Lab::applied(STACK);
    let uid = |lab: &Lab| block_on(lab.raw().objects("Secret", Some("prod")).get("edge-cert")).unwrap().metadata.uid.unwrap();
    let (before, arn) = (uid(&lab), lab.run("output stack.yaml certificates.api.arn").stdout);
    lab.run("apply stack.yaml --auto-approve --replace secret/prod/edge-cert --replace acm_certificate.api").ends_with(0);
    assert_ne!(uid(&lab), before);
    assert_ne!(lab.run("output stack.yaml certificates.api.arn").stdout, arn);
    assert!(lab.planned().is_empty());
    for refused in ["namespace/prod", "secretsmanager_secret.edge", "acm_validation_record.shop.example.com"] {
        let ran = lab.run(&format!("plan stack.yaml --replace {refused}")).ends_with(1);
        assert!(ran.stdout.contains("plan/no-replacement"), "{refused}: {}", ran.stdout);
    }
}
