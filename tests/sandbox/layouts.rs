//! Secrets in the layout that their readers want: written so, renewed so, and left as they are when they were there before.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::lab::{Lab, block_on};
use super::pki::{self, Made};

/// A certificate from files, already in ACM, with its secret in a layout.
fn stack(layout: &str) -> String {
    format!(
        "version: 1
stack: lab
aws: {{ region: eu-west-1, account: \"000000000000\" }}
certificates:
  edge:
    import: {{ certificate: edge.pem, private_key: edge.key, chain: chain.pem }}
    adopt: true
    secrets_manager: {{ name: shop/edge, adopt: true{layout} }}
"
    )
}

/// What is there of someone else's making: the certificate in ACM, and a secret with this value. Gives the certificate's ARN and the
/// secret's version.
fn theirs(lab: &Lab, made: &Made, value: &str) -> (String, String) {
    let raw = lab.raw();
    let blob = |text: &str| aws_sdk_acm::primitives::Blob::new(text.as_bytes());
    let import = raw.acm.import_certificate().certificate(blob(&made.leaf)).private_key(blob(&made.key));
    let imported = block_on(import.certificate_chain(blob(&made.chain)).send()).unwrap();
    let tag = aws_sdk_secretsmanager::types::Tag::builder().key("ManagedBy").value("terraform").build();
    let created = block_on(raw.secrets.create_secret().name("shop/edge").secret_string(value).tags(tag).send()).unwrap();
    (imported.certificate_arn.unwrap(), created.version_id.unwrap())
}

/// The current version of the secret, and its value.
fn current(lab: &Lab) -> (String, String) {
    let got = block_on(lab.raw().secrets.get_secret_value().secret_id("shop/edge").send()).unwrap();
    (got.version_id.unwrap(), got.secret_string.unwrap())
}

/// The steps of a plan that change something else than our marks.
fn beyond_marks(plan: &Value) -> BTreeMap<String, Vec<String>> {
    let steps = plan["resource_changes"].as_array().unwrap().iter();
    let fields = |step: &Value| -> Vec<String> {
        let paths = step["changed"].as_array().unwrap().iter().map(|change| change["path"].as_str().unwrap().to_owned());
        paths.filter(|path| !path.contains("meshform.dev/")).collect()
    };
    steps.map(|step| (step["address"].as_str().unwrap().to_owned(), fields(step))).filter(|(_, fields)| !fields.is_empty()).collect()
}

/// The layouts that people have, each with the value that holds a certificate in it.
fn layouts(made: &Made) -> Vec<(&'static str, &'static str, String)> {
    let Made { leaf, chain, key } = made;
    let whole = format!("{leaf}{chain}");
    vec![
        (
            "jsonencode of Terraform",
            ", layout: { certificate: certificate, private_key: private_key, chain: chain }",
            json!({"certificate": leaf, "chain": chain, "private_key": key}).to_string(),
        ),
        (
            "the same with its texts trimmed and in another order",
            ", layout: { certificate: certificate, private_key: private_key, chain: chain }",
            format!("{:#}", json!({"private_key": key.trim(), "certificate": leaf.trim(), "chain": chain.trim()})),
        ),
        (
            "members that say the same twice",
            ", layout: { cert: certificate, fullchain: certificate_with_chain, key: private_key }",
            json!({"cert": leaf, "key": key, "fullchain": whole}).to_string(),
        ),
        ("no chain", ", layout: { crt: certificate, key: private_key }", json!({"crt": leaf, "key": key}).to_string()),
        ("one PEM text, the key first", ", layout: [private_key, certificate, chain]", format!("{key}{leaf}{chain}")),
        ("one PEM text, the key last", ", layout: [certificate_with_chain, private_key]", format!("{whole}\n{key}")),
        ("one PEM text, the chain first", ", layout: [chain, certificate, private_key]", format!("{chain}{leaf}{key}")),
        ("the default", "", json!({"tls.crt": whole, "tls.key": key, "ca.crt": chain}).to_string()),
    ]
}

#[test]
fn a_value_that_is_in_its_layout_stays_as_it_is_from_the_adoption_to_the_next_certificate() {
    let probe = Lab::new("");
    let made = pki::leaf(&probe, &["shop.example.com"], 300);
    for (name, layout, value) in layouts(&made) {
        let lab = Lab::new(&stack(layout));
        made.write(&lab);
        let (_, version) = theirs(&lab, &made, &value);
        let plan = lab.run("plan stack.yaml --json").ends_with(0).json();
        assert_eq!(beyond_marks(&plan), BTreeMap::new(), "{name}");
        let adopted = plan["resource_changes"].as_array().unwrap().iter().all(|step| step["action"] == "adopt");
        assert!(adopted && plan["resource_changes"].as_array().unwrap().len() == 2, "{name}: {plan}");
        lab.run("apply stack.yaml --auto-approve").ends_with(0);
        assert_eq!(current(&lab), (version.clone(), value.clone()), "{name}: it was written");
        assert!(lab.planned().is_empty(), "{name}");
        lab.lose_state();
        assert!(lab.planned().is_empty(), "{name}, without the state");
        lab.run("apply stack.yaml --auto-approve").ends_with(0);
        assert_eq!(current(&lab).0, version, "{name}: it was written after the state was lost");

        // Their next version is drift, and the one that follows is ours, in the same layout.
        block_on(lab.raw().secrets.put_secret_value().secret_id("shop/edge").secret_string("{}").send()).unwrap();
        let plan = lab.run("plan stack.yaml --json").ends_with(0).json();
        assert_eq!(beyond_marks(&plan)["secretsmanager_secret.edge"], ["version"], "{name}: {plan}");
        let next = pki::leaf(&lab, &["shop.example.com"], 600);
        next.write(&lab);
        lab.run("apply stack.yaml --auto-approve").ends_with(0);
        let (ours, written) = current(&lab);
        assert!(ours.len() == 64 && ours != version, "{name}: {ours}");
        assert_same(name, &written, &layouts(&next).into_iter().find(|(other, ..)| *other == name).unwrap().2);
        assert!(lab.planned().is_empty(), "{name}");
        lab.lose_state();
        assert!(lab.planned().is_empty(), "{name}, without the state again");
        lab.run("destroy stack.yaml --auto-approve").ends_with(0);
        let after = &lab.raw().dump()["secret shop/edge"];
        assert_eq!(after["tags"], json!({"ManagedBy": "terraform"}), "{name}: {after}");
    }
}

/// The same PEM blocks in the same places.
fn assert_same(name: &str, one: &str, other: &str) {
    let parts = |text: &str| match serde_json::from_str::<BTreeMap<String, String>>(text) {
        Ok(members) => members.into_iter().map(|(name, text)| (name, text.trim().to_owned())).collect(),
        Err(_) => BTreeMap::from([(String::new(), text.split_whitespace().collect::<Vec<_>>().join("\n"))]),
    };
    assert_eq!(parts(one), parts(other), "{name}");
}

#[test]
fn a_value_that_can_not_stay_is_told_with_the_reason_and_without_a_byte_of_it() {
    const TERRAFORM: &str = ", layout: { certificate: certificate, private_key: private_key, chain: chain }";
    let probe = Lab::new("");
    let (made, other) = (pki::leaf(&probe, &["shop.example.com"], 300), pki::leaf(&probe, &["shop.example.com"], 300));
    let Made { leaf, chain, key } = &made;
    let of = |leaf: &str, key: &str, chain: &str| json!({"certificate": leaf, "private_key": key, "chain": chain});
    let mut more = of(leaf, key, chain);
    more["passphrase-hunter2"] = json!("x");
    let cases = [
        ("no JSON", TERRAFORM, format!("{key}{leaf}{chain}"), "it is not a JSON object of texts"),
        ("another layout", TERRAFORM, json!({"tls.crt": leaf, "tls.key": key}).to_string(), "it has no member `certificate`"),
        ("a member more", TERRAFORM, more.to_string(), "it has 1 more members than the layout names"),
        ("another certificate", TERRAFORM, of(&other.leaf, &other.key, &other.chain).to_string(), "it holds another certificate"),
        ("another chain", TERRAFORM, of(leaf, key, &other.chain).to_string(), "it holds another chain"),
        ("another's key", TERRAFORM, of(leaf, &other.key, chain).to_string(), "its private key does not belong to its certificate"),
        (
            "a number for a text",
            TERRAFORM,
            json!({"certificate": 1, "private_key": key, "chain": chain}).to_string(),
            "it is not a JSON object",
        ),
        ("a key that is none", TERRAFORM, of(leaf, "hunter2", chain).to_string(), "its member `private_key` does not hold private_key"),
        ("PEM in another order", ", layout: [certificate, private_key, chain]", format!("{key}{leaf}{chain}"), "in another order"),
        ("PEM without a key", ", layout: [certificate, private_key, chain]", format!("{leaf}{chain}"), "it has no key"),
        ("text", ", layout: [certificate, private_key, chain]", "hunter2".to_owned(), "it has no key"),
    ];
    for (name, layout, value, why) in cases {
        let lab = Lab::new(&stack(layout));
        made.write(&lab);
        let (_, version) = theirs(&lab, &made, &value);
        let ran = lab.run("plan stack.yaml --json").ends_with(0);
        let plan = ran.json();
        assert_eq!(beyond_marks(&plan)["secretsmanager_secret.edge"], ["version"], "{name}: {plan}");
        let notes = plan["notes"].to_string();
        assert!(notes.contains(why) && notes.contains("secretsmanager_secret.edge: its value can't stay"), "{name}: {notes}");
        assert!(!ran.stdout.contains("hunter2") && !ran.stderr.contains("hunter2"), "{name}: {ran:?}");
        let in_key = key.lines().nth(1).unwrap();
        assert!(!ran.stdout.contains(in_key) && !ran.stderr.contains(in_key), "{name}");
        lab.run("apply stack.yaml --auto-approve").ends_with(0);
        assert_ne!(current(&lab).0, version, "{name}");
        assert!(lab.planned().is_empty(), "{name}");
    }
}

#[test]
fn nothing_is_read_of_a_secret_without_consent_nor_of_one_whose_version_says_what_it_holds() {
    let layout = ", layout: { certificate: certificate, private_key: private_key, chain: chain }";
    let lab = Lab::new(&stack(layout).replace(", adopt: true", ""));
    let made = pki::leaf(&lab, &["shop.example.com"], 300);
    made.write(&lab);
    theirs(&lab, &made, &json!({"certificate": made.leaf, "private_key": made.key, "chain": made.chain}).to_string());
    let reads = |command: &str, code: i32| lab.run(&format!("-v {command}")).ends_with(code).stderr.matches("GetSecretValue").count();
    assert_eq!(reads("plan stack.yaml", 1), 0, "refused, and not read");
    assert_eq!(reads("plan stack.yaml --adopt secretsmanager_secret.edge", 0), 1);
    assert_eq!(reads("apply stack.yaml --auto-approve --adopt secretsmanager_secret.edge", 0), 1);
    assert_eq!(reads("plan stack.yaml --detailed-exitcode", 0), 0);
    lab.lose_state();
    assert_eq!(reads("plan stack.yaml --detailed-exitcode", 0), 0, "the tag says it");
}

#[test]
fn an_import_by_id_keeps_the_value_as_an_adoption_does() {
    let layout = ", layout: [private_key, certificate, chain]";
    let lab = Lab::new(&stack(layout).replace(", adopt: true", "").replace("    adopt: true\n", ""));
    let made = pki::leaf(&lab, &["shop.example.com"], 300);
    made.write(&lab);
    let (arn, version) = theirs(&lab, &made, &format!("{}{}{}", made.key, made.leaf, made.chain));
    lab.run(&format!("import stack.yaml acm_certificate.edge {arn} --auto-approve")).ends_with(0);
    lab.run("import stack.yaml secretsmanager_secret.edge shop/edge --auto-approve").ends_with(0);
    lab.run("apply stack.yaml --auto-approve").ends_with(0);
    assert_eq!(current(&lab).0, version);
    assert!(lab.planned().is_empty());
}

#[test]
fn a_layout_that_changes_is_a_new_version() {
    let lab = Lab::new(&stack(""));
    let made = pki::leaf(&lab, &["shop.example.com"], 300);
    made.write(&lab);
    lab.run("apply stack.yaml --auto-approve").ends_with(0);
    let (first, _) = current(&lab);
    lab.write("stack.yaml", &stack(", layout: [private_key, certificate_with_chain]"));
    assert_eq!(lab.planned()["secretsmanager_secret.edge"].1, ["version"]);
    lab.run("apply stack.yaml --auto-approve").ends_with(0);
    let (second, value) = current(&lab);
    assert_ne!(first, second);
    assert_eq!(value, format!("{}{}{}", made.key, made.leaf, made.chain));
    // Back again: the version of that name is there still.
    lab.write("stack.yaml", &stack(""));
    lab.run("apply stack.yaml --auto-approve").ends_with(0);
    assert_eq!(current(&lab).0, first);
    assert!(lab.planned().is_empty());
}

#[test]
fn a_layout_that_can_not_be_is_refused_with_its_place() {
    for (layout, why) in [
        ("{ key: private_key }", "neither `certificate` nor `certificate_with_chain`"),
        ("{ cert: certificate }", "has no `private_key`"),
        ("[certificate, private_key, certificate_with_chain]", "has a part twice"),
        ("[private_key, certificate, private_key]", "has a part twice"),
        ("[private_key, certificate_with_chain, chain]", "has the chain twice"),
        ("{ cert: certificate, key: key }", "no part has this name"),
        ("pem", "list"),
    ] {
        let lab = Lab::new(&stack(&format!(", layout: {layout}")));
        let ran = lab.run("validate stack.yaml").ends_with(1);
        assert!(ran.stderr.contains(why) && ran.stderr.contains("stack.yaml:8"), "{layout}: {}", ran.stderr);
    }
}
