//! Variables: who wins, what is missing, and what is never shown.

use super::*;

const STACK: &str = "version: 1\nstack: ${vars.name}\nvars:\n  name:\n";

fn pairs(name: &str, value: &str) -> Vec<(String, String)> {
    vec![(name.to_owned(), value.to_owned())]
}

#[test]
fn the_command_line_wins_over_files_and_files_over_the_environment() {
    let env = || pairs("MESHFORM_VAR_name", "from-env");
    let file = || pairs("v.yaml", "name: from-file");
    let cases = [
        ("environment alone", Vars { env: env(), ..Vars::default() }, "from-env"),
        ("a name without the prefix", Vars { env: pairs("name", "from-env"), ..Vars::default() }, "from-env"),
        ("a file over it", Vars { env: env(), files: file(), ..Vars::default() }, "from-file"),
        ("the command line over both", Vars { env: env(), files: file(), cli: pairs("name", "from-cli") }, "from-cli"),
    ];
    for (name, vars, wanted) in cases {
        let (stack, shown) = outcome(&[("s.yaml", STACK)], &vars);
        assert_eq!(shown, "", "{name}");
        assert_eq!(stack.unwrap().name, wanted, "{name}");
    }
}

#[test]
fn a_secret_is_in_the_stack_and_nowhere_else() {
    let text = "version: 1\nstack: a\nvars: {token: {secret: true}}\n";
    let vars = Vars { env: pairs("MESHFORM_VAR_token", "hunter2"), files: pairs("v.yaml", "token: hunter3"), cli: Vec::new() };
    assert!(!format!("{vars:?}").contains("hunter"), "{vars:?}");
    let (stack, shown) = outcome(&[("s.yaml", text)], &vars);
    assert_eq!(shown, "");
    assert_eq!(stack.unwrap().secret_vars["token"].fingerprint(), SecretBytes::from_text("hunter3".to_owned()).fingerprint());
}

#[test]
fn no_diagnostic_shows_a_secret() {
    let used = "version: 1\nstack: a\nvars: {token: {secret: true}}\naws: {region: '${vars.token}', tags: {t: 'x${vars.token}'}}\n";
    let literal = "version: 1\nstack: a\nvars: {token: {default: hunter2, secret: true, more: 1}, 1bad: 2}\n";
    let block = "version: 1\nstack: a\nvars:\n  token:\n    secret: true\n    default: |\n      hunter2\n    bad: 1\n";
    let cases = [
        ("used where it is shown", used, Vars { env: pairs("token", "hunter2"), ..Vars::default() }),
        ("in the stack file", literal, Vars::default()),
        ("in a block of the stack file", block, Vars::default()),
        ("on the command line", used, Vars { cli: pairs("token", "hunter2"), ..Vars::default() }),
        ("in a broken variable file", used, Vars { files: pairs("v.yaml", "token: [hunter2"), ..Vars::default() }),
        ("in a variable file with a wrong name", used, Vars { files: pairs("v.yaml", "tokens: hunter2"), ..Vars::default() }),
        ("as a list", used, Vars { files: pairs("v.yaml", "token: [hunter2]"), ..Vars::default() }),
    ];
    for (name, text, vars) in cases {
        let (stack, shown) = outcome(&[("s.yaml", text)], &vars);
        assert!(stack.is_none(), "{name}");
        assert!(shown.contains("error["), "{name}");
        assert!(!shown.contains("hunter"), "{name}: {shown}");
    }
}
