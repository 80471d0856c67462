//! Each kind of bad input with the diagnostics exactly as they are shown.

use super::*;

mod document;
mod sections;

/// Name, stack file, and what is shown.
type Case = (&'static str, &'static str, &'static str);

#[test]
fn bad_stacks_are_told_what_is_wrong_and_what_to_do() {
    for (name, text, wanted) in document::CASES.iter().chain(sections::CASES) {
        let (_, shown) = one(text);
        assert_eq!(&shown, wanted, "{name}:\n{shown}");
    }
}

#[test]
fn variables_that_do_not_fit_are_told_what_to_do() {
    let own = |name: &str, value: &str| vec![(name.to_owned(), value.to_owned())];
    let text = "version: 1\nstack: a\nvars:\n  domain:\n  token: {secret: true}\n";
    let cli = [own("token", "x"), own("domian", "y")].concat();
    let cases = [
        ("nothing given", Vars::default(), NOTHING_GIVEN),
        ("wrong ones given", Vars { cli, env: own("MESHFORM_VAR_tokn", "x"), files: own("v.yaml", "zone: 1\n") }, WRONG_GIVEN),
    ];
    for (name, vars, wanted) in cases {
        let (_, shown) = outcome(&[("s.yaml", text)], &vars);
        assert_eq!(shown, wanted, "{name}:\n{shown}");
    }
}

const NOTHING_GIVEN: &str = r"error[var/no-value]: variable without a value
  --> s.yaml:4:3
   |  domain:
   |  ^^^^^^ `domain` has no default and was not given
   = help: give --var domain=…, or `domain: …` in a file for --var-file, or set MESHFORM_VAR_domain

error[var/no-value]: variable without a value
  --> s.yaml:5:3
   |  token: {secret: true}
   |  ^^^^^ `token` has no default and was not given
   = help: set MESHFORM_VAR_token, or `token: …` in a file for --var-file (a secret is not taken from --var)
";

const WRONG_GIVEN: &str = r"warning[var/unknown]: unknown variable
   = MESHFORM_VAR_tokn: the stack declares no variable `tokn`
   = help: did you mean `token`?

error[var/secret-on-command-line]: secret variable on the command line
   = `token` is secret, and a command line can be read by every process of the machine
   = help: set MESHFORM_VAR_token, or name it in a file for --var-file

error[var/unknown]: unknown variable
   = --var: the stack declares no variable `domian`
   = help: did you mean `domain`?

error[var/no-value]: variable without a value
  --> s.yaml:4:3
   |  domain:
   |  ^^^^^^ `domain` has no default and was not given
   = help: give --var domain=…, or `domain: …` in a file for --var-file, or set MESHFORM_VAR_domain

error[var/unknown]: unknown variable
  --> v.yaml:1:1
   = the stack declares no variable `zone`
   = help: declared: `domain`, `token`
";
