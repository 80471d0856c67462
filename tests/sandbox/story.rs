//! The story that the README tells.

use super::lab::{Lab, STACK, block_on};

#[test]
fn the_demo_runs_as_the_readme_tells_it() {
    let demo = std::fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/stacks/demo.yaml")).unwrap();
    let lab = Lab::new(&demo);
    let before = lab.raw().dump();
    let applied = lab.run("apply stack.yaml --auto-approve").ends_with(0);
    assert!(applied.stdout.contains("to create"), "{}", applied.stdout);
    assert!(applied.stdout.contains("certificates.edge.arn = \"arn:aws:acm:"), "{}", applied.stdout);
    assert!(applied.stderr.contains("waits for ACM to see the validation records"), "{}", applied.stderr);
    assert!(lab.run("plan stack.yaml --detailed-exitcode").ends_with(0).stdout.contains("No changes."));
    assert!(lab.run("state list stack.yaml").ends_with(0).stdout.contains("acm_certificate.edge\n"));
    let arn = lab.run("output stack.yaml certificates.edge.arn").ends_with(0).stdout;
    assert!(arn.starts_with("arn:aws:acm:eu-west-1:000000000000:certificate/"), "{arn}");
    assert!(lab.run("graph stack.yaml").ends_with(0).stdout.contains("is ready after acm_validation_record."));
    lab.run("sandbox advance 200d").ends_with(0);
    lab.run("plan stack.yaml --detailed-exitcode").ends_with(2);
    let rotated = lab.run("rotate stack.yaml").ends_with(0);
    assert!(rotated.stdout.contains("holds it now"), "{}", rotated.stdout);
    assert!(!rotated.stdout.contains("does not hold it"), "{}", rotated.stdout);
    lab.run("plan stack.yaml --detailed-exitcode").ends_with(0);
    lab.run("rotate stack.yaml --detailed-exitcode").ends_with(0);
    lab.run("destroy stack.yaml --auto-approve").ends_with(0);
    let mut after = lab.raw().dump();
    // Secrets Manager keeps a deleted secret for its recovery window.
    after.retain(|name, _| !name.starts_with("secret "));
    assert_eq!(before, after);
}

#[test]
fn a_plan_right_after_any_apply_is_empty() {
    let lab = Lab::applied(STACK);
    assert!(lab.planned().is_empty());
    for (from, to) in [
        ("team: edge", "team: platform"),
        ("owner: shop", "owner: other"),
        ("description: the edge", "description: \"${certificates.edge.arn} until ${certificates.edge.not_after}\""),
        ("injection: enabled", "injection: disabled"),
        ("tier: front", "tier: back"),
        ("color: blue", "color: green"),
        ("names: [api.example.org]", "names: [api.example.org, www.example.org]"),
        ("key_algorithm: EC_prime256v1", "key_algorithm: EC_secp384r1"),
        ("name: istio/lab/edge", "name: istio/lab/front"),
        ("{ namespace: prod, name: api-cert }", "{ namespace: istio-ingress, name: api-cert }"),
    ] {
        let stack = std::fs::read_to_string(lab.path().join("stack.yaml")).unwrap();
        assert!(stack.contains(from), "{from}");
        lab.write("stack.yaml", &stack.replacen(from, to, 1));
        assert!(!lab.planned().is_empty(), "{to} changes nothing");
        lab.run("apply stack.yaml --auto-approve").ends_with(0);
        assert_eq!(lab.planned(), std::collections::BTreeMap::new(), "after {to}");
    }
}

#[test]
fn told_not_to_wait_it_ends_with_3_and_goes_on_later() {
    let lab = Lab::new(STACK);
    let ran = lab.run("apply stack.yaml --auto-approve --no-wait").ends_with(3);
    assert!(ran.stdout.contains("still waiting"), "{}", ran.stdout);
    let again = lab.run("apply stack.yaml --auto-approve").ends_with(0);
    assert!(!again.stdout.contains("acm_certificate.edge  create"), "{}", again.stdout);
    assert!(lab.planned().is_empty());
}

#[test]
fn records_written_by_hand_are_shown_and_waited_for() {
    let stack = STACK.replace("    zone: example.com\n", "    dns: manual\n");
    let lab = Lab::new(&stack);
    let ran = lab.run("apply stack.yaml --auto-approve --no-wait --target acm_certificate.edge").ends_with(3);
    assert!(ran.stderr.contains("write these records into the public DNS"), "{}", ran.stderr);
    assert!(ran.stderr.contains("IN  CNAME"), "{}", ran.stderr);
}

#[test]
fn a_part_of_the_stack_is_planned_alone() {
    let lab = Lab::new(STACK);
    let plan = lab.run("plan stack.yaml --json --target secretsmanager_secret.edge").ends_with(0).json();
    let addrs: Vec<String> = super::lab::planned(&plan).into_keys().collect();
    assert_eq!(addrs, ["acm_certificate.edge", "acm_validation_record.shop.example.com", "secretsmanager_secret.edge"]);
    let plan = lab.run("plan stack.yaml --json --exclude acm_certificate.edge").ends_with(0).json();
    let addrs: Vec<String> = super::lab::planned(&plan).into_keys().collect();
    assert!(!addrs.iter().any(|addr| addr.contains("edge") || addr.contains("shop")), "{addrs:?}");
}

#[test]
fn the_apply_stream_is_json_line_by_line() {
    let lab = Lab::new(STACK);
    let ran = lab.run("apply stack.yaml --auto-approve --json").ends_with(0);
    let kinds: Vec<String> = ran
        .stdout
        .lines()
        .map(|line| serde_json::from_str::<serde_json::Value>(line).unwrap()["type"].as_str().unwrap().to_owned())
        .collect();
    assert_eq!(kinds.first().map(String::as_str), Some("version"));
    for kind in ["planned_change", "apply_start", "apply_progress", "apply_complete", "change_summary", "outputs"] {
        assert!(kinds.iter().any(|k| k == kind), "no {kind}");
    }
}

#[test]
fn a_renewal_that_does_not_come_is_told() {
    // Nobody exports it or uses it: ACM doesn't renew it.
    let stack = STACK.replace("    tls_secrets: [{ namespace: prod, name: api-cert }]\n", "");
    let lab = Lab::applied(&stack);
    lab.run("sandbox advance 175d").ends_with(0);
    let plan = lab.run("plan stack.yaml").ends_with(0);
    assert!(plan.stdout.contains("acm_certificate.api: it ends in 22 days, and ACM has not begun to renew it"), "{}", plan.stdout);
    let rotated = lab.run("rotate stack.yaml").ends_with(0);
    assert!(rotated.stderr.contains("has not begun to renew it"), "{}", rotated.stderr);
    lab.run("sandbox advance 30d").ends_with(0);
    assert_eq!(lab.planned()["acm_certificate.api"].0, "replace");
    lab.run("apply stack.yaml --auto-approve").ends_with(0);
    assert!(lab.planned().is_empty());
}

#[test]
fn what_is_excluded_is_left_alone_with_all_that_hangs_on_it() {
    let lab = Lab::applied(STACK);
    for addr in ["acm_certificate.edge", "namespace/prod", "secret/prod/edge-cert"] {
        let plan = lab.run(&format!("plan stack.yaml --json --exclude {addr}")).ends_with(0).json();
        assert_eq!(super::lab::planned(&plan), std::collections::BTreeMap::new(), "--exclude {addr}");
    }
    lab.run("destroy stack.yaml --auto-approve --exclude secret/prod/edge-cert").ends_with(0);
    let left = lab.raw().dump();
    assert!(left.contains_key("Secret prod/edge-cert") && left.contains_key("Namespace /prod"), "{:?}", left.keys());
    assert!(!left.contains_key("Namespace /istio-ingress"));
    lab.run("destroy stack.yaml --auto-approve").ends_with(0);
    assert!(!lab.raw().dump().contains_key("Namespace /prod"));
}

#[test]
fn without_waiting_the_records_are_written_all_the_same() {
    let lab = Lab::new(STACK);
    lab.run("apply stack.yaml --auto-approve --no-wait").ends_with(3);
    assert_eq!(lab.raw().dump().keys().filter(|name| name.contains(" CNAME ")).count(), 3);
    lab.run("sandbox advance 30m").ends_with(0);
    lab.run("apply stack.yaml --auto-approve --no-wait").ends_with(0);
    assert!(lab.planned().is_empty());
}

#[test]
fn a_rotation_requests_nothing_that_was_not_asked_for() {
    let lab = Lab::new(STACK);
    let ran = lab.run("rotate stack.yaml").ends_with(1);
    assert!(ran.stderr.contains("plan/not-applied") && ran.stderr.contains("meshform apply"), "{}", ran.stderr);
    assert!(!lab.raw().dump().keys().any(|name| name.starts_with("certificate ")));
}

#[test]
fn a_replaced_secret_whose_deletion_failed_is_deleted_later() {
    let lab = Lab::applied(STACK);
    lab.write("stack.yaml", &STACK.replace("istio/lab/edge", "istio/lab/other"));
    lab.run("sandbox fault secretsmanager:DeleteSecret access-denied").ends_with(0);
    lab.run("apply stack.yaml --auto-approve").ends_with(3);
    lab.run("sandbox fault --clear").ends_with(0);
    assert_eq!(lab.planned()["secretsmanager_secret.edge"].0, "delete");
    lab.run("apply stack.yaml --auto-approve").ends_with(0);
    assert!(lab.planned().is_empty());
    assert_eq!(lab.raw().dump()["secret istio/lab/edge"]["deleted"], true);
}

#[test]
fn a_reader_that_goes_away_does_not_stop_an_apply() {
    let lab = Lab::new(STACK);
    for stream in ["stdout", "stderr"] {
        let mut command = lab.command("apply stack.yaml --auto-approve");
        command.stdout(std::process::Stdio::piped()).stderr(std::process::Stdio::piped());
        let mut child = command.spawn().unwrap();
        // Closed before anything was read.
        if stream == "stdout" {
            drop(child.stdout.take());
        } else {
            drop(child.stderr.take());
        }
        assert_eq!(child.wait_with_output().unwrap().status.code(), Some(0), "with a closed {stream}");
        assert!(lab.planned().is_empty());
        lab.run("destroy stack.yaml --auto-approve").ends_with(0);
    }
}

#[test]
fn a_stack_is_destroyed_without_the_values_of_its_variables() {
    let with_vars = STACK.replace("stack: lab\n", "stack: lab\nvars: { owner: {}, team: edge }\n");
    let with_vars = with_vars.replace("owner: shop", "owner: \"${vars.owner}\"");
    let lab = Lab::new(&with_vars);
    lab.run("apply stack.yaml --auto-approve --var owner=shop").ends_with(0);
    lab.run("plan stack.yaml").ends_with(1);
    let ran = lab.run("destroy stack.yaml --auto-approve").ends_with(0);
    assert!(ran.stderr.contains("1 problem that does not matter"), "{}", ran.stderr);
    assert!(lab.run("state list stack.yaml --var owner=shop").ends_with(0).stdout.is_empty());
}

#[test]
fn a_destroy_needs_the_variables_of_its_account() {
    let with_vars =
        STACK.replace("stack: lab\n", "stack: lab\nvars: { region: {} }\n").replace("region: eu-west-1", "region: \"${vars.region}\"");
    let lab = Lab::new(&with_vars);
    let ran = lab.run("destroy stack.yaml --auto-approve").ends_with(1);
    assert!(ran.stderr.contains("var/no-value"), "{}", ran.stderr);
}

#[test]
fn the_limits_of_waits_are_the_stacks() {
    let lab = Lab::applied(&STACK.replace("cluster:", "timeouts: { gone: 5s }\ncluster:"));
    let hold = |finalizers: serde_json::Value| {
        let patch = kube::api::Patch::Merge(serde_json::json!({"metadata": {"finalizers": finalizers}}));
        let params = kube::api::PatchParams::default();
        block_on(lab.raw().objects("Secret", Some("istio-ingress")).patch("edge-cert", &params, &patch)).unwrap();
    };
    hold(serde_json::json!(["example.com/hold"]));
    let ran = lab.run("destroy stack.yaml --auto-approve").ends_with(3);
    assert!(ran.stderr.contains("gave up after 5 s of waiting for the object to go"), "{}", ran.stderr);
    assert!(ran.stderr.contains("example.com/hold"), "{}", ran.stderr);
    hold(serde_json::Value::Null);
    lab.run("destroy stack.yaml --auto-approve").ends_with(0);
}

#[test]
fn a_rotation_that_fails_says_which_place_does_not_hold_it() {
    let lab = Lab::applied(STACK);
    lab.run("sandbox advance 200d").ends_with(0);
    lab.run("sandbox fault kube:patch/secrets server-error times=90").ends_with(0);
    let report = lab.run("rotate stack.yaml --json").ends_with(3).json();
    let places: Vec<(String, bool, String)> = report["certificates"]
        .as_array()
        .unwrap()
        .iter()
        .flat_map(|certificate| certificate["places"].as_array().unwrap())
        .map(|place| {
            let text = |key: &str| place[key].as_str().unwrap().to_owned();
            (text("address"), place["current"].as_bool().unwrap(), text("action"))
        })
        .collect();
    for (addr, is_current, action) in &places {
        let (expected, done) = if addr.starts_with("secret/") { (false, "no-op") } else { (true, "update") };
        assert_eq!((*is_current, action.as_str()), (expected, done), "{addr}");
    }
    assert_eq!(places.len(), 4);
    lab.run("sandbox fault --clear").ends_with(0);
    let report = lab.run("rotate stack.yaml").ends_with(0);
    assert_eq!(report.stdout.matches("holds it now").count(), 3, "{}", report.stdout);
    assert_eq!(report.stdout.matches("holds it already").count(), 1, "{}", report.stdout);
}

#[test]
fn a_rotation_carries_the_rest_past_what_it_can_not_carry() {
    let lab = Lab::applied(STACK);
    lab.run("sandbox advance 200d").ends_with(0);
    let more = format!("{STACK}  new:\n    {{ domain: new.example.com, export: true, tls_secrets: [{{ namespace: prod, name: new }}] }}\n");
    lab.write("stack.yaml", &more);
    let ran = lab.run("rotate stack.yaml").ends_with(3);
    assert!(ran.stderr.contains("plan/not-applied") && ran.stderr.contains("acm_certificate.new"), "{}", ran.stderr);
    assert_eq!(ran.stdout.matches("holds it now").count(), 4, "{}", ran.stdout);
    let report = lab.run("rotate stack.yaml --json").ends_with(1).json();
    assert_eq!(report["complete"], false);
    assert_eq!(report["left_out"][0]["address"], "acm_certificate.new");
    assert!(!lab.raw().dump().keys().any(|key| key.contains("new.example.com")));
    lab.write("stack.yaml", STACK);
    lab.run("rotate stack.yaml --detailed-exitcode").ends_with(0);
    assert!(lab.planned().is_empty());
}

#[test]
fn the_history_tells_who_did_what() {
    let lab = Lab::applied(STACK);
    lab.run("sandbox advance 200d").ends_with(0);
    lab.run("rotate stack.yaml").ends_with(0);
    lab.run("rotate stack.yaml --reissue edge").ends_with(0);
    lab.run("sandbox fault kube:delete/secrets access-denied times=1").ends_with(0);
    lab.run("destroy stack.yaml --auto-approve").ends_with(3);
    let runs = lab.run("history stack.yaml --json").ends_with(0).json();
    let commands: Vec<(&str, bool)> =
        runs.as_array().unwrap().iter().map(|run| (run["command"].as_str().unwrap(), run["complete"].as_bool().unwrap())).collect();
    assert_eq!(commands, [("apply", true), ("rotate", true), ("rotate", true), ("destroy", false)]);
    let what = |run: usize, addr: &str| {
        let found = runs[run]["resources"].as_array().unwrap().iter().find(|one| one["address"] == addr);
        found.map(|one| one["what"].as_str().unwrap().to_owned())
    };
    assert_eq!(what(0, "acm_certificate.edge").as_deref(), Some("created"));
    assert_eq!(what(1, "secret/prod/edge-cert").as_deref(), Some("changed"));
    assert_eq!(what(1, "acm_certificate.edge"), None);
    assert_eq!(what(2, "acm_certificate.edge").as_deref(), Some("replaced"));
    assert_eq!(what(3, "secretsmanager_secret.edge").as_deref(), Some("deleted"));
    assert!(runs[0]["by"].as_str().unwrap().contains('@'));
    let one = lab.run("history stack.yaml --target secret/prod/edge-cert").ends_with(0).stdout;
    assert!(one.contains("apply") && !one.contains("acm_certificate"), "{one}");
}

#[test]
fn every_code_is_explained() {
    let lab = Lab::new(STACK);
    assert!(lab.run("explain error[plan/foreign]:").ends_with(0).stdout.contains("adopt: true"));
    assert!(lab.run("explain stack/unknown-key").ends_with(0).stdout.contains("key"));
    assert!(lab.run("explain plan/foriegn").ends_with(64).stderr.contains("did you mean `plan/foreign`?"));
    assert!(lab.run("explain").ends_with(0).stdout.lines().count() > 100);
}
