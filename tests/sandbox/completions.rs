//! Completion, in a real bash.

use std::path::Path;
use std::process::Command;

use super::lab::{Lab, STACK};

/// What bash offers for the last of these words.
fn offered(lab: &Lab, words: &[&str]) -> Vec<String> {
    let script = "source <(meshform completions bash)\n\
                  f=$(complete -p meshform); f=${f##*-F }; f=${f%% *}\n\
                  COMP_WORDS=(\"$@\"); COMP_CWORD=$(($# - 1)); COMP_TYPE=9; COMP_LINE=\"$*\"; COMP_POINT=${#COMP_LINE}\n\
                  $f meshform \"${COMP_WORDS[$COMP_CWORD]}\" \"${COMP_WORDS[$COMP_CWORD - 1]}\"\n\
                  printf '%s\\n' \"${COMPREPLY[@]}\"";
    let program = Path::new(env!("CARGO_BIN_EXE_meshform")).parent().unwrap();
    let mut bash = Command::new("bash");
    bash.args(["--norc", "--noprofile", "-c", script, "bash"]).args(words).current_dir(lab.path()).env_clear();
    bash.env("PATH", format!("{}:/usr/bin:/bin", program.display())).env("HOME", lab.path());
    let output = bash.output().unwrap();
    assert!(output.status.success() && output.stderr.is_empty(), "{words:?}: {output:?}");
    String::from_utf8(output.stdout).unwrap().lines().filter(|line| !line.is_empty()).map(|line| line.trim().to_owned()).collect()
}

#[test]
fn bash_offers_commands_stacks_and_addresses() {
    let lab = Lab::applied(STACK);
    // A state that knows more than the stack, and a stack by its name.
    let (fewer, _) = STACK.split_once("  api:\n").unwrap();
    lab.write("stack.yaml", fewer);
    std::fs::create_dir(lab.path().join("stacks")).unwrap();
    lab.write("stacks/shop-prod.yaml", &STACK.replace("stack: lab", "stack: other"));
    let cases: &[(&[&str], &[&str])] = &[
        (&["meshform", "pl"], &["plan"]),
        (&["meshform", "plan", "sh"], &["shop-prod"]),
        (&["meshform", "plan", "stack"], &["stack.yaml", "stacks/"]),
        (&["meshform", "plan", "stack.yaml", "--target", "secret/prod/"], &["secret/prod/api-cert", "secret/prod/edge-cert"]),
        (&["meshform", "apply", "shop-prod", "--adopt", "namespace/"], &["namespace/istio-ingress", "namespace/prod"]),
        (&["meshform", "state", "rm", "stack.yaml", "acm_certificate."], &["acm_certificate.api", "acm_certificate.edge"]),
        (&["meshform", "graph", "shop-prod", "--target", "acm_certificate.a"], &["acm_certificate.api"]),
        (&["meshform", "plan", "nowhere.yaml", "--target", "acm"], &[]),
        (&["meshform", "permissions", "shop-prod", "--for", "ro"], &["rotate"]),
    ];
    for (words, wanted) in cases {
        assert_eq!(&offered(&lab, words), wanted, "{words:?}");
    }
}

#[test]
fn a_stack_that_is_not_finished_offers_what_its_state_knows() {
    let lab = Lab::applied(STACK);
    lab.write("stack.yaml", &STACK.replace("    domain: shop.example.com\n", "    domian: shop\n"));
    let words = ["meshform", "plan", "stack.yaml", "--exclude", "secretsmanager"];
    assert_eq!(offered(&lab, &words), ["secretsmanager_secret.edge"]);
}

#[test]
fn every_shell_has_a_script_that_asks_the_program() {
    let lab = Lab::new("");
    for shell in ["bash", "zsh", "fish", "elvish", "powershell"] {
        let script = lab.run(&format!("completions {shell}")).ends_with(0).stdout;
        assert!(script.contains("MESHFORM_COMPLETE") && script.contains("meshform"), "{shell}: {script}");
    }
}
