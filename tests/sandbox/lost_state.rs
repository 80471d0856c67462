//! The state is a cache: without it everything is found again.

use super::lab::{Lab, STACK};

#[test]
fn without_its_state_a_plan_is_empty() {
    let lab = Lab::applied(STACK);
    lab.lose_state();
    let ran = lab.run("plan stack.yaml --detailed-exitcode").ends_with(0);
    assert!(ran.stdout.contains("The state was found again"), "{}", ran.stdout);
    lab.run("apply stack.yaml --auto-approve").ends_with(0);
    assert!(lab.planned().is_empty());
    lab.run("state rebuild stack.yaml").ends_with(0);
    assert!(lab.planned().is_empty());
}

#[test]
fn a_section_removed_meanwhile_shows_just_the_deletions_and_asks_for_consent_of_its_own() {
    let lab = Lab::applied(STACK);
    lab.lose_state();
    let (kept, _) = STACK.split_once("  api:\n").unwrap();
    lab.write("stack.yaml", kept);
    let planned: Vec<(String, String)> = lab.planned().into_iter().map(|(addr, (action, _))| (addr, action)).collect();
    let expected =
        ["acm_certificate.api", "acm_validation_record.api.example.com", "acm_validation_record.api.example.org", "secret/prod/api-cert"];
    assert_eq!(planned, expected.map(|addr| (addr.to_owned(), "delete".to_owned())));
    let before = lab.raw().dump();
    let refused = lab.run("apply stack.yaml --auto-approve").ends_with(1);
    assert!(refused.stderr.contains("--approve-rebuilt-deletions"), "{}", refused.stderr);
    assert_eq!(lab.raw().dump(), before);
    lab.run("apply stack.yaml --auto-approve --approve-rebuilt-deletions").ends_with(0);
    assert!(lab.planned().is_empty());
    assert!(!lab.raw().dump().keys().any(|name| name.contains("api")));
}

#[test]
fn without_its_state_destroy_leaves_nothing() {
    let lab = Lab::new(STACK);
    let before = lab.raw().dump();
    lab.run("apply stack.yaml --auto-approve").ends_with(0);
    lab.lose_state();
    lab.run("destroy stack.yaml --auto-approve").ends_with(0);
    let mut after = lab.raw().dump();
    after.retain(|name, _| !name.starts_with("secret "));
    assert_eq!(after, before);
}

#[test]
fn killed_and_without_its_state_an_apply_goes_on_as_the_same_stack() {
    let undisturbed = Lab::applied(STACK).raw().dump();
    for point in ["after:9", "before-durable:12", "after:20"] {
        let lab = Lab::new(STACK);
        let output = lab.command("apply stack.yaml --auto-approve").env("MESHFORM_SANDBOX_CRASH", point).output().unwrap();
        assert_eq!(output.status.code(), None, "it was not killed at {point}");
        lab.lose_state();
        lab.run("apply stack.yaml --auto-approve --approve-rebuilt-deletions").ends_with(0);
        // What was requested just before the kill may show only by now: it is a duplicate, and goes.
        lab.run("sandbox advance 1m").ends_with(0);
        lab.run("apply stack.yaml --auto-approve --approve-rebuilt-deletions").ends_with(0);
        assert!(lab.planned().is_empty(), "killed at {point}");
        assert_eq!(without_generations(lab.raw().dump()), without_generations(undisturbed.clone()), "killed at {point}");
    }
}

/// The world without the tags that count the generations: a certificate that was requested twice has the second.
fn without_generations(
    mut world: std::collections::BTreeMap<String, serde_json::Value>,
) -> std::collections::BTreeMap<String, serde_json::Value> {
    for value in world.values_mut() {
        if let Some(tags) = value.get_mut("tags").and_then(serde_json::Value::as_object_mut) {
            tags.remove("meshform.dev/generation");
        }
    }
    world
}

#[test]
fn a_record_that_only_an_older_generation_asks_for_goes_with_it_without_a_state() {
    let lab = Lab::applied(STACK);
    lab.write("stack.yaml", &STACK.replace("names: [api.example.org]", "names: [www.api.example.com]"));
    lab.run("sandbox fault acm:DeleteCertificate access-denied times=9").ends_with(0);
    lab.run("apply stack.yaml --auto-approve --exclude acm_validation_record.api.example.org").ends_with(3);
    lab.run("sandbox fault --clear").ends_with(0);
    lab.lose_state();
    lab.run("destroy stack.yaml --auto-approve").ends_with(0);
    lab.run("destroy stack.yaml --auto-approve").ends_with(0);
    let left: Vec<String> = lab.raw().dump().into_keys().filter(|key| key.contains("CNAME") || key.starts_with("certificate")).collect();
    assert!(left.is_empty(), "{left:?}");
}

#[test]
fn a_torn_state_and_a_newer_one_are_refused_and_kept() {
    let lab = Lab::applied(STACK);
    let path = lab.path().join(".meshform/lab/state.json");
    let whole = std::fs::read_to_string(&path).unwrap();
    std::fs::write(&path, &whole[..whole.len() / 2]).unwrap();
    let ran = lab.run("plan stack.yaml").ends_with(1);
    assert!(ran.stderr.contains("the state is damaged") && ran.stderr.contains("state rebuild"), "{}", ran.stderr);
    assert_eq!(std::fs::read_to_string(&path).unwrap(), whole[..whole.len() / 2]);
    std::fs::write(&path, whole.replacen("\"version\": 1", "\"version\": 9", 1)).unwrap();
    let ran = lab.run("apply stack.yaml --auto-approve").ends_with(1);
    assert!(ran.stderr.contains("format version 9"), "{}", ran.stderr);
}

#[test]
fn a_state_of_another_lineage_is_refused() {
    let lab = Lab::applied(STACK);
    let other = Lab::new(STACK);
    other.run("apply stack.yaml --auto-approve --target namespace/prod").ends_with(0);
    let (from, to) = (other.path().join(".meshform/lab"), lab.path().join(".meshform/lab"));
    for file in ["state.json", "events.jsonl"] {
        std::fs::copy(from.join(file), to.join(file)).unwrap();
    }
    let ran = lab.run("plan stack.yaml").ends_with(1);
    assert!(ran.stdout.contains("plan/"), "{}", ran.stdout);
}

#[test]
fn a_second_run_is_told_who_holds_the_state() {
    let lab = Lab::applied(STACK);
    let lock = std::fs::File::options().read(true).write(true).open(lab.path().join(".meshform/lab/lock")).unwrap();
    lock.lock().unwrap();
    let holder = r#"{"command":"apply","user":"ann","host":"build-7","pid":42,"since":"2026-01-02T03:04:05Z"}"#;
    std::io::Write::write_all(&mut &lock, holder.as_bytes()).unwrap();
    let ran = lab.run("apply stack.yaml --auto-approve").ends_with(4);
    assert!(ran.stderr.contains("`meshform apply` of ann on build-7 (process 42)"), "{}", ran.stderr);
    let ran = lab.run("rotate stack.yaml").ends_with(4);
    assert!(ran.stderr.contains("ann"), "{}", ran.stderr);
    lab.run("plan stack.yaml --detailed-exitcode").ends_with(0);
}
