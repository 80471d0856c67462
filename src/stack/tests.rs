//! The stack from text to the checked type, with the diagnostics as they are shown.
#![allow(clippy::unwrap_used)]

use std::sync::Arc;

use super::*;
use crate::diag::{Diagnostics, Sources, Style, human};

mod golden;
mod merging;
mod schema;
mod variables;

/// What comes of texts, each with a file name, the heaviest last: the stack, and the diagnostics as shown.
fn outcome(files: &[(&str, &str)], vars: &Vars) -> (Option<Stack>, String) {
    let (mut sources, mut diags) = (Sources::default(), Diagnostics::default());
    let mut read = Files::default();
    for (name, text) in files {
        if let Ok(file) = File::read(&Arc::from(*name), text.as_bytes(), &mut sources, &mut diags) {
            read.files.push(file);
        }
    }
    let stack = diags.check().and_then(|()| parse(&read, &mut diags)).and_then(|file| check(&file, vars, &mut sources, &mut diags));
    (stack.ok(), human(&diags, &sources, Style::Plain))
}

/// The same for one file without variables.
fn one(text: &str) -> (Option<Stack>, String) {
    outcome(&[("s.yaml", text)], &Vars::default())
}

/// A stack that must be right, and give no warnings.
fn right(text: &str) -> Stack {
    let (stack, shown) = one(text);
    assert_eq!(shown, "");
    stack.unwrap()
}

#[test]
fn the_examples_are_right() {
    let base = std::path::Path::new(env!("CARGO_MANIFEST_DIR"));
    for (name, certificates) in [("demo", 2), ("overlay", 1)] {
        let (mut sources, mut diags) = (Sources::default(), Diagnostics::default());
        let files = crate::source::stack_files::load_in(base, name, &mut sources, &mut diags);
        let stack =
            files.and_then(|files| parse(&files, &mut diags)).and_then(|file| check(&file, &Vars::default(), &mut sources, &mut diags));
        assert_eq!(human(&diags, &sources, Style::Plain), "", "{name}");
        let stack = stack.ok().unwrap();
        assert_eq!(stack.name, name);
        assert_eq!(stack.certificates.len(), certificates);
    }
}

#[test]
fn an_account_keeps_its_zeros_without_quotes() {
    let stack = right("{version: 1, stack: a, aws: {region: eu-west-1, account: 000000000012}}");
    assert_eq!(stack.aws.unwrap().account.unwrap(), "000000000012");
}

#[test]
fn short_forms_mean_what_the_long_ones_do() {
    let head = "{version: 1, stack: a, aws: {region: eu-west-1}, certificates: {c: {domain: a.example.com, export: true, ";
    let zone =
        |text: &str| right(&format!("{head} zone: {text}}}}}}}")).certificates["c"].zones.iter().map(|z| z.by.clone()).collect::<Vec<_>>();
    let name = vec![ZoneBy::Name("example.com".to_owned())];
    for text in [
        "example.com",
        "Example.com.",
        "{name: example.com}",
        "[example.com]",
        "[{name: example.com, role: 'arn:aws:iam::111122223333:role/x'}]",
    ] {
        assert_eq!(zone(text), name, "{text}");
    }
    assert_eq!(zone("{id: /hostedzone/Z123}"), [ZoneBy::Id("Z123".to_owned())]);
    let secret = |text: &str| right(&format!("{head} secrets_manager: {text}}}}}}}")).certificates["c"].secrets_manager.clone().unwrap();
    assert_eq!(secret("a/b").name, secret("{name: a/b, recovery_window_days: 30}").name);
    assert_eq!(secret("a/b").recovery_window_days, 30);
    let cluster = |text: &str| right(&format!("{{version: 1, stack: a, aws: {{region: eu-west-1}}, cluster: {text}}}")).cluster.unwrap();
    assert_eq!(cluster("{eks: a}"), Cluster::Eks { name: "a".to_owned() });
    assert_eq!(cluster("{context: a}"), Cluster::Kubeconfig { path: None, context: Some("a".to_owned()) });
    assert_eq!(cluster("{in_cluster: true}"), Cluster::InCluster);
}

#[test]
fn a_kubeconfig_is_relative_to_the_file_that_names_it() {
    let text = |path: &str| format!("{{version: 1, stack: a, cluster: {{kubeconfig: {path}}}}}");
    for (given, wanted) in [("k.yaml", "stacks/k.yaml"), ("/k.yaml", "/k.yaml"), ("~/.kube/config", "~/.kube/config")] {
        let (stack, shown) = outcome(&[("stacks/s.yaml", &text(given))], &Vars::default());
        assert_eq!(shown, "");
        assert_eq!(stack.unwrap().cluster, Some(Cluster::Kubeconfig { path: Some(wanted.to_owned()), context: None }));
    }
}

#[test]
fn a_namespace_needs_no_settings() {
    let stack =
        right("version: 1\nstack: a\ncluster: {context: c}\nnamespaces:\n  prod:\n  dev: {}\n  old: {injection: disabled, adopt: true}\n");
    assert_eq!(stack.namespaces.keys().collect::<Vec<_>>(), ["dev", "old", "prod"]);
    assert_eq!(stack.namespaces["old"].injection, Some(Injection::Disabled));
    assert!(stack.namespaces["old"].adopt);
}

#[test]
fn a_description_may_hold_outputs() {
    let stack = right(
        "version: 1\nstack: a\nvars: {who: edge team}\naws: {region: eu-west-1}\ncertificates:\n  c:\n    domain: a.example.com\n    export: true\n    \
         issue_timeout: 1h30m\n    secrets_manager:\n      name: x\n      description: of ${vars.who}, $${x}, ${certificates.c.arn}\n",
    );
    let certificate = &stack.certificates["c"];
    assert_eq!(certificate.issue_timeout, 5400);
    let text = certificate.secrets_manager.as_ref().unwrap().description.clone().unwrap();
    let output = TextPart::Output { certificate: "c".to_owned(), output: CertificateOutput::Arn };
    assert_eq!(text.0, [TextPart::Literal("of edge team, ${x}, ".to_owned()), output]);
}

#[test]
fn no_text_makes_the_checks_panic() {
    let seed = include_str!("../../stacks/demo.yaml");
    let pieces = [
        "${",
        "}",
        "$",
        "null",
        "[]",
        "{}",
        "\"*.\"",
        "é",
        "- ",
        ": ",
        "\n",
        "  ",
        "vars.",
        "certificates.edge.arn",
        "0",
        "a: &a b",
        "*a",
        "{secret: true}",
    ];
    let mut dice: u64 = 88_172_645_463_325_252;
    let mut below = |limit: usize| {
        dice ^= dice << 13;
        dice ^= dice >> 7;
        dice ^= dice << 17;
        usize::try_from(dice >> 11).unwrap() % limit
    };
    for _ in 0..1_500 {
        let mut chars: Vec<char> = seed.chars().collect();
        for _ in 0..=below(4) {
            let at = below(chars.len());
            let end = (at + below(12)).min(chars.len());
            let piece = pieces[below(pieces.len())].chars();
            chars.splice(at..end, piece);
        }
        let text: String = chars.into_iter().collect();
        let (stack, shown) = one(&text);
        assert_eq!(stack.is_none(), shown.contains("error["), "{shown}\n{text}");
    }
}

/// Stacks of a size that strain each part: keys that nobody knows, certificates, references to nothing in many texts, and in one.
fn large_stacks(size: usize) -> [(&'static str, String); 4] {
    use std::fmt::Write as _;
    let head = "version: 1\nstack: a\naws: {region: eu-west-1}\ncluster: {context: c}\n";
    let (mut unknown, mut certificates, mut references) =
        (head.to_owned(), format!("{head}certificates:\n"), format!("{head}certificates:\n  c:\n    names:\n"));
    for n in 0..size * 10 {
        writeln!(unknown, "namespacex{n}: 1").unwrap();
    }
    for n in 0..size {
        let delivery = format!("secrets_manager: s/{n}, tls_secrets: [{{namespace: a, name: t{n}}}]");
        writeln!(certificates, "  c{n}: {{domain: n{n}.example.com, export: true, {delivery}}}").unwrap();
    }
    for _ in 0..size * 5 {
        writeln!(references, "      - ${{vars.unknown}}").unwrap();
    }
    let one_text = format!("version: 1\nstack: {}\n", "${vars.unknown}".repeat(size * 4));
    [("unknown keys", unknown), ("certificates", certificates), ("unknown references", references), ("references in one text", one_text)]
}

#[test]
fn the_time_of_a_stack_grows_with_its_size_and_not_with_the_square_of_it() {
    // The least of some runs: what else the machine does only ever adds.
    let time = |name: &str, text: &str| {
        let runs = (0..3).map(|_| {
            let started = std::time::Instant::now();
            let (stack, _) = outcome(&[("a.yaml", text), ("b.yaml", text)], &Vars::default());
            assert_eq!(stack.is_some(), name == "certificates");
            started.elapsed()
        });
        runs.min().unwrap()
    };
    for ((name, small), (_, large)) in large_stacks(250).iter().zip(&large_stacks(2_500)) {
        let ratio = time(name, large).as_secs_f64() / time(name, small).as_secs_f64();
        assert!(ratio < 50.0, "{name}: ten times the size takes {ratio:.0} times as long");
    }
}
