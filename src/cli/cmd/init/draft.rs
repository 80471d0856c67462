//! The text of a new stack, with a word about each part.

use std::collections::BTreeSet;
use std::fmt::Write as _;

use crate::cli::args::init::InitArgs;
use crate::cli::view::yaml::scalar;

/// The stack file of these answers. What they hold is quoted where it must be: no answer can change the structure.
pub(super) fn text(answers: &InitArgs) -> String {
    let given = |answer: &Option<String>| answer.clone().filter(|text| !text.is_empty());
    let mut text =
        String::from("# A meshform stack. For completion in an editor: `meshform schema > stack.schema.json`, and as the first line\n");
    text.push_str("# `# yaml-language-server: $schema=stack.schema.json` with the way to that file.\nversion: 1\n");
    let _ = writeln!(text, "stack: {}", scalar(answers.stack.as_deref().unwrap_or_default()));
    text.push_str("\naws:\n");
    let _ = writeln!(text, "  region: {}", scalar(answers.region.as_deref().unwrap_or_default()));
    match given(&answers.account) {
        Some(account) => _ = writeln!(text, "  account: {account:?}   # another account is refused before any read"),
        None => text.push_str("  # account: \"111122223333\"   # pin it: another account is refused before any read\n"),
    }
    text.push_str("  # tags: { team: edge }      # on every AWS resource\n");
    if let Some(cluster) = cluster(answers) {
        let _ = writeln!(text, "\ncluster: {{ {cluster} }}");
    }
    let places: Vec<(&str, &str)> = answers.tls_secrets.iter().map(|place| place.split_once('/').unwrap_or((place, ""))).collect();
    let namespaces: BTreeSet<&str> = places.iter().map(|(namespace, _)| *namespace).collect();
    if !namespaces.is_empty() {
        text.push_str("\n# Made by this stack. Leave out those that others make; `adopt: true` takes one over.\nnamespaces:\n");
        for namespace in namespaces {
            let _ = writeln!(text, "  {}: {{}}", scalar(namespace));
        }
    }
    let domain = answers.domain.as_deref().unwrap_or_default();
    text.push_str("\ncertificates:\n  edge:\n");
    let _ = writeln!(text, "    domain: {}", scalar(domain));
    if !answers.names.is_empty() {
        let names: Vec<String> = answers.names.iter().map(|name| scalar(name)).collect();
        let _ = writeln!(text, "    names: [{}]", names.join(", "));
    }
    match given(&answers.zone) {
        Some(zone) if is_zone_id(&zone) => _ = writeln!(text, "    zone: {{ id: {} }}", scalar(&zone)),
        Some(zone) => _ = writeln!(text, "    zone: {}", scalar(&zone)),
        None => text.push_str("    # zone: example.com         # absent: the deepest public zone of the account\n"),
    }
    let secret = given(&answers.secrets_manager);
    if secret.is_none() && places.is_empty() {
        text.push_str(
            "    # export: true              # deliveries need the private key; AWS charges for it at issue and at every renewal\n",
        );
        return text;
    }
    text.push_str("    export: true                # deliveries need the private key; AWS charges for it at issue and at every renewal\n");
    if let Some(secret) = secret {
        let _ = writeln!(text, "    secrets_manager: {{ name: {} }}", scalar(&secret));
    }
    if !places.is_empty() {
        text.push_str("    tls_secrets:\n");
        for (namespace, name) in places {
            let _ = writeln!(text, "      - {{ namespace: {}, name: {} }}", scalar(namespace), scalar(name));
        }
    }
    text
}

fn cluster(answers: &InitArgs) -> Option<String> {
    let entry = |key: &str, answer: &Option<String>| {
        answer.as_deref().filter(|text| !text.is_empty()).map(|text| format!("{key}: {}", scalar(text)))
    };
    let entries: Vec<String> = [entry("eks", &answers.eks), entry("kubeconfig", &answers.kubeconfig), entry("context", &answers.context)]
        .into_iter()
        .flatten()
        .collect();
    (!entries.is_empty()).then(|| entries.join(", "))
}

/// An id such as `Z0123456789ABCDEFGHIJ`, which no domain name is.
fn is_zone_id(zone: &str) -> bool {
    zone.starts_with('Z') && zone.bytes().all(|b| b.is_ascii_uppercase() || b.is_ascii_digit())
}
