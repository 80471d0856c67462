//! Bad input: one message with what, where, why and what to do; the right exit code; nothing changed.

use std::fmt::Write as _;

use super::lab::{Lab, STACK};

#[track_caller]
fn refused(lab: &Lab, args: &str, code: i32, parts: &[&str]) {
    let before = lab.raw().dump();
    let ran = lab.run(args).ends_with(code);
    for part in parts {
        assert!(ran.stderr.contains(part) || ran.stdout.contains(part), "{args}: no {part:?} in\n{}{}", ran.stdout, ran.stderr);
    }
    assert_eq!(lab.raw().dump(), before, "{args}");
}

#[test]
fn another_account_than_the_pinned_one_is_refused() {
    let lab = Lab::new(&STACK.replace("\"000000000000\"", "\"111122223333\""));
    refused(&lab, "apply stack.yaml --auto-approve", 1, &["111122223333", "000000000000"]);
}

#[test]
fn a_delivery_of_a_certificate_that_cannot_be_exported_is_refused() {
    let lab = Lab::new(&STACK.replace("    export: true\n    tags: { owner: shop }\n", "    tags: { owner: shop }\n"));
    refused(&lab, "apply stack.yaml --auto-approve", 1, &["certificate/export", "export: true"]);
}

#[test]
fn a_namespace_that_does_not_exist_is_refused_with_the_line_to_add() {
    let lab = Lab::new(&STACK.replace("{ namespace: prod, name: api-cert }", "{ namespace: nowhere, name: api-cert }"));
    refused(&lab, "apply stack.yaml --auto-approve", 1, &["namespace `nowhere` does not exist", "nowhere: {}"]);
}

#[test]
fn a_zone_that_does_not_exist_is_refused_before_the_request() {
    let lab = Lab::new(&STACK.replace("api.example.com", "api.example.net"));
    refused(&lab, "apply stack.yaml --auto-approve", 1, &["no hosted zone for `api.example.net`", "dns: manual"]);
    let lab = Lab::new(&STACK.replace("zone: example.com", "zone: shop.example.com"));
    refused(&lab, "apply stack.yaml --auto-approve", 1, &["no hosted zone `shop.example.com`"]);
}

#[test]
fn a_zone_name_that_two_zones_have_is_refused_with_the_ids() {
    let lab = Lab::new(STACK);
    super::lab::block_on(lab.raw().route53.create_hosted_zone().name("example.com").caller_reference("second").send()).unwrap();
    refused(&lab, "apply stack.yaml --auto-approve", 1, &["2 public hosted zones are named `example.com`", "zone: { id: Z"]);
}

#[test]
fn wrong_stacks_and_variables_are_told_with_their_place() {
    for (stack, args, parts) in [
        (
            STACK.replace("zone: example.com", "zoen: example.com"),
            "plan stack.yaml",
            vec!["stack/unknown-key", "stack.yaml:12:5", "`zone`"],
        ),
        (STACK.replace("shop.example.com\n", "${vars.nope}\n"), "plan stack.yaml", vec!["stack/unknown-ref", "${vars.nope}"]),
        (STACK.to_owned(), "plan stack.yaml --var nope=1", vec!["var/unknown"]),
        (STACK.to_owned(), "plan stack.yaml --var-file missing.yaml", vec!["missing.yaml"]),
        (STACK.replace("version: 1", "version: 2"), "plan stack.yaml", vec!["stack/version"]),
        ("a: &a [x, x]\nb: &b [*a, *a]\nc: [*b, *b]\n".to_owned(), "plan stack.yaml", vec!["stack/unknown-key"]),
        (bomb(), "plan stack.yaml", vec!["yaml/too-many-nodes"]),
    ] {
        let lab = Lab::new(&stack);
        refused(&lab, args, 1, &parts);
    }
    refused(&Lab::new(STACK), "plan nowhere.yaml", 1, &["file/not-found", "nowhere.yaml"]);
}

fn bomb() -> String {
    let mut text = "version: 1\nstack: bomb\nvars:\n  a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n".to_owned();
    for level in 1..9 {
        let below = level - 1;
        let _ = writeln!(text, "  a{level}: &a{level} [{}]", vec![format!("*a{below}"); 10].join(", "));
    }
    text
}

#[test]
fn bad_command_lines_end_with_64() {
    let lab = Lab::new(STACK);
    refused(&lab, "plan", 64, &["STACK"]);
    refused(&lab, "plan stack.yaml --target nonsense", 64, &["`nonsense` is not an address"]);
    refused(&lab, "plan stack.yaml --target acm_certificate.egde", 64, &["neither the stack nor its state knows", "acm_certificate.edge"]);
    refused(&lab, "apply stack.yaml", 64, &["no terminal", "--auto-approve"]);
    refused(&lab, "rotate stack.yaml --reissue egde", 64, &["did you mean `edge`?"]);
    refused(&lab, "sandbox advance soon", 64, &["no duration"]);
    refused(&lab, "plan stack.yaml --var x", 64, &["has no `=`"]);
}

#[test]
fn without_the_sandbox_flag_its_commands_are_refused() {
    let lab = Lab::new(STACK);
    let output = lab.command("sandbox status").env_remove("MESHFORM_SANDBOX").output().unwrap();
    assert_eq!(output.status.code(), Some(64));
}

#[test]
fn bodies_in_the_log_are_refused() {
    let lab = Lab::new(STACK);
    let output = lab.command("plan stack.yaml").env("LOG_SENSITIVE_BODIES", "true").output().unwrap();
    assert_eq!(output.status.code(), Some(64));
}
