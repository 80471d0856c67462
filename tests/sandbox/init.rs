//! `init`: what it writes is a stack that plans, and it never writes over anything.

use super::lab::Lab;

#[test]
fn what_is_written_is_valid_and_plans_in_the_sandbox() {
    let cases: [(&str, &str, usize); 8] = [
        ("nothing but the sandbox", "init --sandbox", 4),
        ("a name of its own", "init --sandbox --stack edge", 4),
        ("a certificate alone", "init --sandbox --context none --domain a.example.com", 2),
        ("all that can be said", ALL, 8),
        ("a zone by its id", "init --sandbox --domain a.example.com --zone Z0123456789ABCDEFGHIJ", 4),
        ("a kubeconfig", "init --sandbox --kubeconfig ~/.kube/config --tls-secret prod/tls", 4),
        ("a name that YAML would take for something else", "init --sandbox --stack no --secrets-manager 0x10 --tls-secret on/yes", 5),
        ("a file", "init stacks/here.yaml --sandbox", 4),
    ];
    for (name, command, resources) in cases {
        let lab = Lab::new("");
        let ran = lab.run(command).ends_with(0);
        let file = ran.stdout.strip_prefix("Wrote ").and_then(|rest| rest.split_once(". ")).unwrap().0.to_owned();
        let valid = lab.run(&format!("validate {file}")).ends_with(0);
        assert!(valid.stdout.contains(&format!("valid: {resources} resources")), "{name}: {}", valid.stdout);
        // A zone that isn't there is refused by the plan, as any stack's.
        if !command.contains("Z01234") {
            lab.run(&format!("plan {file}")).ends_with(0);
        }
    }
}

const ALL: &str = "init --sandbox --stack all --domain shop.example.com --name *.shop.example.com --name api.example.org --region us-east-1 --eks demo \
                   --secrets-manager istio/all/edge --tls-secret istio-ingress/tls --tls-secret prod/tls";

#[test]
fn the_sandbox_runs_at_once() {
    let lab = Lab::new("");
    lab.run("init").ends_with(0);
    lab.run("apply shop --auto-approve").ends_with(0);
    lab.run("plan shop --detailed-exitcode").ends_with(0);
}

#[test]
fn nothing_is_written_over_and_nothing_wrong_is_written() {
    let lab = Lab::new("");
    lab.run("init stacks/a.yaml").ends_with(0);
    let before = std::fs::read_to_string(lab.path().join("stacks/a.yaml")).unwrap();
    let ran = lab.run("init stacks/a.yaml --stack other").ends_with(64);
    assert!(ran.stderr.contains("is there already"), "{}", ran.stderr);
    assert_eq!(std::fs::read_to_string(lab.path().join("stacks/a.yaml")).unwrap(), before);
    // An answer is told what is wrong with it, and can't become another key.
    for answers in ["--domain not_a_domain", "--region nowhere", "--tls-secret nowhere", "--stack UPPER", "--secrets-manager a:b,{c}"] {
        let ran = lab.run(&format!("init stacks/b.yaml {answers}"));
        assert!(matches!(ran.code, Some(1)), "{answers}: {ran:?}");
        assert!(ran.stderr.contains("Nothing was written"), "{}", ran.stderr);
        assert!(!lab.path().join("stacks/b.yaml").exists());
    }
}

#[test]
fn without_a_terminal_one_message_names_what_is_missing() {
    let lab = Lab::new("");
    let ran = lab.command("init --region eu-west-1").env_remove("MESHFORM_SANDBOX").output().unwrap();
    assert_eq!(ran.status.code(), Some(64));
    let said = String::from_utf8(ran.stderr).unwrap();
    assert!(said.contains("give --stack, --domain;") && !said.contains("--region,"), "{said}");
    assert!(!lab.path().join("stacks").exists());
}
