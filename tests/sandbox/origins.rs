//! Certificates of other origins than Amazon's public ones: of a private CA, imported from files, and those that are only read; and the way from
//! one to the other under the same key.

use std::fmt::Write as _;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use meshform::material::PublicPart;
use meshform::sandbox::CaStatus;
use serde_json::{Value, json};

use super::lab::{Lab, Raw, block_on, planned};
use super::pki::{leaf, leaf_of, pem};

pub(crate) const CA: &str = "arn:aws:acm-pca:eu-west-1:000000000000:certificate-authority/11111111-2222-3333-4444-555555555555";

/// A stack with one certificate, delivered to a secret and to a TLS Secret.
pub(crate) fn stack(certificate: &str) -> String {
    format!(
        r#"version: 1
stack: lab
aws: {{ region: eu-west-1, account: "000000000000" }}
cluster: {{ eks: demo }}
vars: {{ phrase: {{ secret: true }}, key: {{ secret: true }} }}
namespaces: {{ prod: {{}} }}
certificates:
  edge:
{certificate}
    secrets_manager: {{ name: lab/edge, description: "${{certificates.edge.domain}} ${{certificates.edge.arn}}" }}
    tls_secrets: [{{ namespace: prod, name: edge-tls }}]
"#
    )
}

fn private() -> String {
    stack(&format!(
        "    domain: edge.example.com\n    names: [\"*.edge.example.com\"]\n    private_ca: {CA}\n    key_algorithm: EC_prime256v1"
    ))
}

const IMPORT: &str = "    import: { certificate: edge.pem, private_key: edge.key, chain: chain.pem }";

fn existing(arn: &str) -> String {
    stack(&format!("    arn: {arn}"))
}

const PUBLIC: &str = "    domain: edge.example.com\n    names: [\"*.edge.example.com\"]\n    export: true";

const APPLY: &str = "apply stack.yaml --auto-approve";

fn apply(lab: &Lab) {
    with_vars(lab, APPLY).ends_with(0);
    assert!(plan(lab).is_empty(), "{:?}", plan(lab));
}

/// The secret variables have values, whether or not they are used.
fn with_vars(lab: &Lab, args: &str) -> super::lab::Ran {
    lab.command(args).env("MESHFORM_VAR_phrase", "correct horse").env("MESHFORM_VAR_key", "no key").output().unwrap().into()
}

fn plan(lab: &Lab) -> std::collections::BTreeMap<String, (String, Vec<String>)> {
    planned(&with_vars(lab, "plan stack.yaml --json").ends_with(0).json())
}

#[track_caller]
fn refused(lab: &Lab, code: &str) -> String {
    let plan = with_vars(lab, "plan stack.yaml --json").ends_with(1).json();
    assert_eq!(plan["refusals"][0]["code"], code, "{plan:#}");
    plan["refusals"][0]["reason"].as_str().unwrap().to_owned()
}

fn arn(lab: &Lab) -> String {
    with_vars(lab, "output stack.yaml certificates.edge.arn").ends_with(0).stdout.trim().to_owned()
}

/// Certificates in ACM: ARN and type.
fn certificates(raw: &Raw) -> Vec<(String, String)> {
    let filters = aws_sdk_acm::types::Filters::builder();
    let filters = ["RSA_2048", "EC_prime256v1", "EC_secp384r1"].iter().fold(filters, |f, key| f.key_types((*key).into()));
    let listed = block_on(raw.acm.list_certificates().includes(filters.build()).send()).unwrap();
    let one = |one: &aws_sdk_acm::types::CertificateSummary| {
        (one.certificate_arn().unwrap().to_owned(), one.r#type().unwrap().as_str().to_owned())
    };
    listed.certificate_summary_list().iter().map(one).collect()
}

/// What is served: `tls.crt` and `tls.key` of the TLS Secret, which have to be those of the secret as well.
fn served(lab: &Lab) -> (String, String) {
    let raw = lab.raw();
    let object = block_on(raw.objects("Secret", Some("prod")).get("edge-tls")).unwrap();
    let text = |key: &str| String::from_utf8(STANDARD.decode(object.data["data"][key].as_str().unwrap()).unwrap()).unwrap();
    let value = block_on(raw.secrets.get_secret_value().secret_id("lab/edge").send()).unwrap();
    let value: Value = serde_json::from_str(value.secret_string().unwrap()).unwrap();
    assert_eq!(
        (value["tls.crt"].as_str().unwrap(), value["tls.key"].as_str().unwrap()),
        (text("tls.crt").as_str(), text("tls.key").as_str())
    );
    (text("tls.crt"), text("tls.key"))
}

fn serial(lab: &Lab) -> String {
    PublicPart::read_bundle(&served(lab).0).unwrap().leaf().serial.clone()
}

/// Every file that a run leaves, but the sandbox's world and those of the test itself.
fn left_behind(lab: &Lab) -> String {
    let mut text = String::new();
    for entry in std::fs::read_dir(lab.path().join(".meshform/lab")).unwrap() {
        text.push_str(&String::from_utf8_lossy(&std::fs::read(entry.unwrap().path()).unwrap()));
    }
    text
}

#[test]
fn a_certificate_of_a_private_ca_is_issued_without_records_and_renewed() {
    let lab = Lab::new(&private());
    let steps = plan(&lab);
    assert!(!steps.keys().any(|addr| addr.starts_with("acm_validation_record")), "{steps:?}");
    let shown = with_vars(&lab, "plan stack.yaml").ends_with(0).stdout;
    assert!(shown.contains("EC_prime256v1 of a private CA, exportable") && !shown.contains("AWS charges"), "{shown}");
    apply(&lab);
    assert_eq!(certificates(&lab.raw())[0].1, "PRIVATE");
    // The chain of what is delivered ends at the CA's root.
    let (bundle, _) = served(&lab);
    assert_eq!(bundle.matches("BEGIN CERTIFICATE").count(), 2, "leaf and root");
    lab.lose_state();
    assert!(plan(&lab).is_empty());
    apply(&lab);
    let (first, before) = (serial(&lab), arn(&lab));
    lab.run("sandbox advance 340d").ends_with(0);
    with_vars(&lab, "rotate stack.yaml").ends_with(0);
    assert_ne!(serial(&lab), first);
    assert_eq!(arn(&lab), before);
    assert!(plan(&lab).is_empty());
    with_vars(&lab, "destroy stack.yaml --auto-approve").ends_with(0);
    assert!(certificates(&lab.raw()).is_empty());
}

#[test]
fn a_private_ca_that_does_not_sign_is_told_and_the_certificate_replaced_when_it_does() {
    for (status, told) in [(CaStatus::Disabled, "the private CA is not active"), (CaStatus::Deleted, "there is no such private CA")] {
        let lab = Lab::new(&private());
        lab.raw().sandbox.set_private_ca(CA, status).unwrap();
        let ran = with_vars(&lab, APPLY).ends_with(3);
        assert!(ran.stderr.contains(told), "{ran:?}");
        assert_eq!(plan(&lab)["acm_certificate.edge"].0, "replace");
        lab.raw().sandbox.set_private_ca(CA, CaStatus::Active).unwrap();
        apply(&lab);
        assert_eq!(certificates(&lab.raw()).len(), 1);
    }
    // A CA that vanishes later keeps its certificates from being renewed, and the plan says so.
    let lab = Lab::new(&private());
    apply(&lab);
    lab.raw().sandbox.set_private_ca(CA, CaStatus::Disabled).unwrap();
    lab.run("sandbox advance 360d").ends_with(0);
    let notes = with_vars(&lab, "plan stack.yaml").ends_with(0).stdout;
    assert!(notes.contains("PCA_INVALID_STATE") && notes.contains("acm-pca:CreatePermission"), "{notes}");
}

#[test]
fn a_certificate_is_imported_from_files_and_anew_under_its_arn_when_they_change() {
    let lab = Lab::new(&stack(IMPORT));
    let first = leaf(&lab, &["edge.example.com", "*.edge.example.com"], 90);
    first.write(&lab);
    apply(&lab);
    let (bundle, key) = served(&lab);
    assert_eq!((bundle, key.trim()), (format!("{}{}", first.leaf, first.chain), first.key.trim()));
    assert_eq!(certificates(&lab.raw())[0].1, "IMPORTED");
    let described = block_on(lab.raw().secrets.describe_secret().secret_id("lab/edge").send()).unwrap();
    assert_eq!(described.description(), Some(format!("edge.example.com {}", arn(&lab)).as_str()));
    lab.lose_state();
    assert!(plan(&lab).is_empty());
    apply(&lab);
    // Other names, another key, the same ARN.
    let before = arn(&lab);
    let second = leaf(&lab, &["edge.example.com", "www.edge.example.com"], 120);
    second.write(&lab);
    let steps = plan(&lab);
    assert_eq!(steps["acm_certificate.edge"].0, "update", "{steps:?}");
    assert!(steps["acm_certificate.edge"].1.contains(&"certificate_sha256".to_owned()), "{steps:?}");
    assert_eq!(steps["secretsmanager_secret.edge"].1, ["version"]);
    with_vars(&lab, "rotate stack.yaml").ends_with(0);
    assert_eq!(served(&lab).0, format!("{}{}", second.leaf, second.chain));
    assert_eq!(arn(&lab), before);
    assert_eq!(certificates(&lab.raw()).len(), 1);
    assert!(plan(&lab).is_empty());
    // No byte of a key is left anywhere.
    let left = left_behind(&lab);
    for made in [&first, &second] {
        for line in made.key.lines().filter(|line| !line.starts_with("-----")).skip(1) {
            assert!(!left.contains(line), "a line of the key is left behind");
        }
    }
    // Nothing of the files is needed to take it away.
    for file in ["edge.pem", "edge.key", "chain.pem"] {
        std::fs::remove_file(lab.path().join(file)).unwrap();
    }
    with_vars(&lab, "destroy stack.yaml --auto-approve").ends_with(0);
    assert!(certificates(&lab.raw()).is_empty());
}

#[test]
fn a_key_of_another_kind_is_a_new_certificate_that_only_an_apply_imports() {
    let lab = Lab::new(&stack(IMPORT));
    leaf(&lab, &["edge.example.com"], 90).write(&lab);
    apply(&lab);
    let before = arn(&lab);
    leaf_of(&lab, &["edge.example.com"], -1, 90, &rcgen::PKCS_ECDSA_P384_SHA384).write(&lab);
    assert_eq!(plan(&lab)["acm_certificate.edge"].0, "replace");
    let rotated = with_vars(&lab, "rotate stack.yaml").ends_with(1);
    assert!(rotated.stderr.contains("imported under another ARN"), "{rotated:?}");
    apply(&lab);
    assert_ne!(arn(&lab), before);
    assert_eq!(certificates(&lab.raw()).len(), 1, "the old one goes when the new one has taken its place");
}

#[test]
fn the_end_of_an_imported_certificate_is_announced_and_a_new_file_is_taken_even_then() {
    let lab = Lab::new(&stack(IMPORT));
    leaf(&lab, &["edge.example.com"], 60).write(&lab);
    apply(&lab);
    lab.run("sandbox advance 30d").ends_with(0);
    let told = with_vars(&lab, "plan stack.yaml").ends_with(0).stdout;
    assert!(told.contains("days, and ACM doesn't renew what is imported"), "{told}");
    lab.run("sandbox advance 40d").ends_with(0);
    assert!(refused(&lab, "plan/import-dates").contains("ended at"));
    leaf_of(&lab, &["edge.example.com"], 2, 90, &rcgen::PKCS_ECDSA_P256_SHA256).write(&lab);
    assert!(refused(&lab, "plan/import-dates").contains("begins at"));
    let before = with_vars(&lab, "state list stack.yaml").stdout;
    leaf(&lab, &["edge.example.com"], 90).write(&lab);
    assert_eq!(plan(&lab)["acm_certificate.edge"].0, "update");
    apply(&lab);
    assert_eq!(with_vars(&lab, "state list stack.yaml").stdout, before);
    assert_eq!(certificates(&lab.raw()).len(), 1);
}

#[test]
fn an_import_that_others_replace_is_put_back() {
    let lab = Lab::new(&stack(IMPORT));
    let made = leaf(&lab, &["edge.example.com"], 90);
    made.write(&lab);
    apply(&lab);
    let blob = |text: &str| aws_smithy_types::Blob::new(text.as_bytes());
    let other = leaf(&lab, &["edge.example.com"], 80);
    let replace = |leaf: &str, key: &str, chain: &str| {
        let raw = lab.raw();
        let import = raw.acm.import_certificate().certificate_arn(arn(&lab)).certificate(blob(leaf)).private_key(blob(key));
        block_on(import.certificate_chain(blob(chain)).send()).unwrap();
    };
    replace(&other.leaf, &other.key, &other.chain);
    let changed = &plan(&lab)["acm_certificate.edge"];
    assert_eq!(*changed, ("update".to_owned(), vec!["certificate_sha256".to_owned(), "chain_sha256".to_owned()]));
    assert!(plan(&lab).len() == 1, "the deliveries have what the files hold");
    apply(&lab);
    // Another chain under the same leaf: its dates stay, and ACM tells that it was imported anew.
    lab.run("sandbox advance 1m").ends_with(0);
    let middle = &made.chain[..made.chain[10..].find("-----BEGIN").unwrap() + 10];
    replace(&made.leaf, &made.key, middle);
    assert_eq!(plan(&lab)["acm_certificate.edge"].1, ["chain_sha256"]);
    apply(&lab);
}

/// What is wrong, the files (the certificate's, the key's, the chain's), the certificate's section, and what is said of it.
type Bad<'a> = (&'a str, [Option<String>; 3], &'a str, &'a str);

#[test]
fn files_that_do_not_belong_together_are_told_before_anything_is_sent() {
    let lab = Lab::new("");
    let (one, other) = (leaf(&lab, &["edge.example.com"], 90), leaf(&lab, &["edge.example.com"], 90));
    let files = |certificate: &str, key: &str, chain: &str| [Some(certificate.to_owned()), Some(key.to_owned()), Some(chain.to_owned())];
    let named = "    domain: shop.example.com\n    import: { certificate: edge.pem, private_key: edge.key, chain: chain.pem }";
    let full = "    import: { certificate: edge.pem, private_key: edge.key }";
    let secret = "    import: { certificate: edge.pem, private_key: \"${vars.key}\", chain: chain.pem }";
    let turned = {
        let at = one.chain[10..].find("-----BEGIN").unwrap() + 10;
        format!("{}{}", &one.chain[at..], &one.chain[..at])
    };
    let cases: Vec<Bad<'_>> = vec![
        ("another's key", files(&one.leaf, &other.key, &one.chain), IMPORT, "does not belong to the certificate"),
        ("another's chain", files(&one.leaf, &one.key, &other.chain), IMPORT, "certificate 1 is not signed by the next one"),
        ("a chain in the wrong order", files(&one.leaf, &one.key, &turned), IMPORT, "is not signed by the next one"),
        ("no chain", [Some(one.leaf.clone()), Some(one.key.clone()), None], full, "there is no chain"),
        ("another name", files(&one.leaf, &one.key, &one.chain), named, "not valid for `shop.example.com`"),
        ("a certificate for a key", files(&one.leaf, &one.leaf, &one.chain), IMPORT, "holds a certificate"),
        ("a key for a certificate", files(&one.key, &one.key, &one.chain), IMPORT, "a block that is no certificate"),
        ("no PEM at all", files("hello", &one.key, &one.chain), IMPORT, "it has no block"),
        ("half a PEM", files(&one.leaf[..200], &one.key, &one.chain), IMPORT, "a block has no end"),
        ("too large", files(&"x".repeat(200_000), &one.key, &one.chain), IMPORT, "is larger than 128 KiB"),
        (
            "an encrypted key",
            files(&one.leaf, &one.key.replace("PRIVATE", "ENCRYPTED PRIVATE"), &one.chain),
            IMPORT,
            "no passphrase is given",
        ),
        ("no file", [None, Some(one.key.clone()), Some(one.chain.clone())], IMPORT, "`edge.pem` does not exist"),
        ("a variable that is no key", files(&one.leaf, &one.key, &one.chain), secret, "the private key is not valid PEM: it has no block"),
        (
            "OpenSSL's old encryption",
            files(&one.leaf, "-----BEGIN EC PRIVATE KEY-----\nProc-Type: 4,ENCRYPTED\n\nAAAA\n-----END EC PRIVATE KEY-----\n", &one.chain),
            IMPORT,
            "openssl pkcs8 -topk8",
        ),
    ];
    for (what, contents, section, told) in cases {
        for (name, content) in ["edge.pem", "edge.key", "chain.pem"].iter().zip(contents) {
            let _ = std::fs::remove_file(lab.path().join(name));
            if let Some(content) = content {
                lab.write(name, &content);
            }
        }
        lab.write("stack.yaml", &stack(section));
        let ran = with_vars(&lab, "validate stack.yaml").ends_with(1);
        assert!(ran.stderr.contains(told), "{what}: {}", ran.stderr);
        for line in one.key.lines().filter(|line| !line.starts_with("-----")) {
            assert!(!ran.stderr.contains(line) && !ran.stdout.contains(line), "{what}: a line of the key is shown");
        }
    }
}

#[test]
fn keys_are_taken_in_every_usual_form() {
    // A public certificate of the sandbox has an RSA key, and its chain: exported, it is imported under another key of the stack.
    let lab = Lab::new(&stack(PUBLIC));
    apply(&lab);
    let (bundle, key) = served(&lab);
    with_vars(&lab, "destroy stack.yaml --auto-approve").ends_with(0);
    lab.lose_state();
    lab.run("sandbox advance 1h").ends_with(0);
    let (_, pkcs8) = pem_rfc7468::decode_vec(key.as_bytes()).unwrap();
    let info = pkcs8::PrivateKeyInfoRef::try_from(pkcs8.as_slice()).unwrap();
    let encrypted = info.encrypt_with_params(
        pkcs8::pkcs5::pbes2::Parameters::generate_pbkdf2_sha256_aes256cbc(2048, &[7; 16], [9; 16]).unwrap(),
        "correct horse",
    );
    let plain = "    import: { certificate: full.pem, private_key: edge.key }";
    let phrase = "    import: { certificate: full.pem, private_key: edge.key, passphrase: \"${vars.phrase}\" }";
    let forms = [
        ("PKCS#8", plain, key.clone()),
        ("PKCS#1", plain, pem("RSA PRIVATE KEY", info.private_key.as_bytes())),
        ("encrypted PKCS#8", phrase, pem("ENCRYPTED PRIVATE KEY", encrypted.unwrap().as_bytes())),
        ("with text around it", plain, format!("Bag Attributes\n    friendlyName: edge\n{key}")),
    ];
    lab.write("full.pem", &format!("subject=CN = edge.example.com\n{bundle}"));
    for (form, section, text) in forms {
        lab.write("stack.yaml", &stack(section));
        lab.write("edge.key", &text);
        apply(&lab);
        assert_eq!(served(&lab), (bundle.clone(), key.clone()), "{form}");
    }
    // From a variable, and with a wrong passphrase.
    lab.write("stack.yaml", &stack("    import: { certificate: full.pem, private_key: \"${vars.key}\" }"));
    let mut command = lab.command("plan stack.yaml --detailed-exitcode");
    let ran = command.env("MESHFORM_VAR_key", &key).env("MESHFORM_VAR_phrase", "x").output().unwrap();
    assert_eq!(ran.status.code(), Some(0), "{}", String::from_utf8_lossy(&ran.stderr));
    lab.write("stack.yaml", &stack(phrase));
    lab.write(
        "edge.key",
        &pem(
            "ENCRYPTED PRIVATE KEY",
            info.encrypt_with_params(
                pkcs8::pkcs5::pbes2::Parameters::generate_pbkdf2_sha256_aes256cbc(2048, &[7; 16], [9; 16]).unwrap(),
                "another phrase",
            )
            .unwrap()
            .as_bytes(),
        ),
    );
    let ran = with_vars(&lab, "validate stack.yaml").ends_with(1);
    assert!(ran.stderr.contains("can't be decrypted with its passphrase") && !ran.stderr.contains("correct horse"), "{ran:?}");
}

#[test]
fn an_import_whose_answer_is_lost_is_not_made_twice() {
    for fault in
        ["acm:ImportCertificate lost-reply times=1", "acm:ImportCertificate server-error times=1", "acm:ImportCertificate throttle times=1"]
    {
        let lab = Lab::new(&stack(IMPORT));
        leaf(&lab, &["edge.example.com"], 90).write(&lab);
        lab.run(&format!("sandbox fault {fault}")).ends_with(0);
        apply(&lab);
        assert_eq!(certificates(&lab.raw()).len(), 1, "{fault}");
    }
}

#[test]
fn an_imported_certificate_of_another_is_refused_adopted_and_released() {
    let lab = Lab::new(&stack(IMPORT));
    let made = leaf(&lab, &["edge.example.com"], 90);
    let other = leaf(&lab, &["edge.example.com"], 80);
    made.write(&lab);
    let blob = |text: &str| aws_smithy_types::Blob::new(text.as_bytes());
    let raw = lab.raw();
    let import = raw.acm.import_certificate().certificate(blob(&other.leaf)).private_key(blob(&other.key));
    let tag = aws_sdk_acm::types::Tag::builder().key("Owner").value("payments").build().unwrap();
    let theirs = block_on(import.certificate_chain(blob(&other.chain)).tags(tag).send()).unwrap().certificate_arn().unwrap().to_owned();
    assert!(refused(&lab, "plan/foreign").contains("payments"));
    with_vars(&lab, &format!("{APPLY} --adopt acm_certificate.edge")).ends_with(0);
    assert!(plan(&lab).is_empty());
    assert_eq!(arn(&lab), theirs);
    assert_eq!(served(&lab).0, format!("{}{}", made.leaf, made.chain));
    with_vars(&lab, "destroy stack.yaml --auto-approve").ends_with(0);
    assert_eq!(certificates(&lab.raw()), [(theirs, "IMPORTED".to_owned())]);
}

/// A certificate of someone else: requested by another stack, whose state is put aside.
fn theirs(lab: &Lab, section: &str) -> String {
    lab.write(
        "theirs.yaml",
        &stack(section)
            .replace("stack: lab", "stack: theirs")
            .replace("lab/edge", "theirs/edge")
            .replace("edge-tls", "their-tls")
            .replace("prod", "theirs"),
    );
    with_vars(lab, "apply theirs.yaml --auto-approve").ends_with(0);
    with_vars(lab, "output theirs.yaml certificates.edge.arn").ends_with(0).stdout.trim().to_owned()
}

#[test]
fn a_certificate_that_is_only_read_is_delivered_renewed_and_left_as_it_is() {
    let lab = Lab::new("");
    let arn_of_theirs = theirs(&lab, &format!("    domain: edge.example.com\n    private_ca: {CA}\n    key_algorithm: EC_prime256v1"));
    lab.write("stack.yaml", &existing(&arn_of_theirs));
    let tags = |lab: &Lab| {
        let answer = block_on(lab.raw().acm.list_tags_for_certificate().certificate_arn(&arn_of_theirs).send()).unwrap();
        answer.tags().to_vec()
    };
    let before = tags(&lab);
    let shown = with_vars(&lab, "plan stack.yaml").ends_with(0).stdout;
    assert!(shown.contains("read  issued, till") && !shown.contains("found again"), "{shown}");
    assert!(!plan(&lab).contains_key("acm_certificate.edge"), "nothing is done to it");
    apply(&lab);
    assert_eq!(tags(&lab), before);
    assert_eq!(arn(&lab), arn_of_theirs);
    let domain = with_vars(&lab, "output stack.yaml certificates.edge.domain").ends_with(0).stdout;
    assert_eq!(domain.trim(), "edge.example.com");
    let described = block_on(lab.raw().secrets.describe_secret().secret_id("lab/edge").send()).unwrap();
    assert_eq!(described.description(), Some(format!("edge.example.com {arn_of_theirs}").as_str()));
    lab.lose_state();
    assert!(plan(&lab).is_empty());
    apply(&lab);
    let first = serial(&lab);
    lab.run("sandbox advance 340d").ends_with(0);
    with_vars(&lab, "rotate stack.yaml").ends_with(0);
    assert_ne!(serial(&lab), first);
    assert!(plan(&lab).is_empty());
    with_vars(&lab, "destroy stack.yaml --auto-approve").ends_with(0);
    assert_eq!(tags(&lab), before);
    assert_eq!(certificates(&lab.raw()).len(), 1);
}

#[test]
fn what_is_only_read_and_can_not_be_used_is_refused() {
    let lab = Lab::new("");
    leaf(&lab, &["edge.example.com"], 90).write(&lab);
    let imported = theirs(&lab, IMPORT);
    lab.write("stack.yaml", &existing(&imported));
    assert!(refused(&lab, "plan/not-exportable").contains("imported"));
    lab.write("stack.yaml", &existing(&imported.replace("000000000000", "111122223333")).replace(", account: \"000000000000\"", ""));
    assert!(refused(&lab, "plan/only-read").contains("account 111122223333"));
    lab.write("stack.yaml", &existing("arn:aws:acm:eu-west-1:000000000000:certificate/none"));
    assert!(refused(&lab, "plan/only-read").contains("there is no certificate"));
    let domain = "edge.example.net";
    let pending = block_on(lab.raw().acm.request_certificate().domain_name(domain).send()).unwrap().certificate_arn().unwrap().to_owned();
    lab.run("sandbox advance 1m").ends_with(0);
    lab.write("stack.yaml", &existing(&pending));
    assert!(refused(&lab, "plan/only-read").contains("it waits for its validation"));
    // Without a delivery an imported one can be read, and its outputs used.
    let bare = existing(&imported)
        .lines()
        .filter(|line| !line.contains("tls_secrets:") && !line.contains("secrets_manager:"))
        .collect::<Vec<_>>()
        .join("\n");
    lab.write("stack.yaml", &bare);
    apply(&lab);
    assert_eq!(arn(&lab), imported);
    with_vars(&lab, "destroy stack.yaml --auto-approve").ends_with(0);
    assert!(certificates(&lab.raw()).iter().any(|(arn, _)| *arn == imported));
}

#[test]
fn a_key_of_the_stack_goes_from_one_origin_to_every_other() {
    let lab = Lab::new("");
    leaf(&lab, &["edge.example.com", "*.edge.example.com"], 90).write(&lab);
    let theirs = theirs(&lab, &format!("    domain: other.example.com\n    private_ca: {CA}\n    key_algorithm: EC_prime256v1"));
    let kinds = [("public", stack(PUBLIC)), ("private", private()), ("imported", stack(IMPORT)), ("read", existing(&theirs))];
    for (from, before) in &kinds {
        for (to, after) in kinds.iter().filter(|(to, _)| to != from) {
            let lab = lab.copy();
            lab.write("stack.yaml", before);
            apply(&lab);
            let first = arn(&lab);
            lab.write("stack.yaml", after);
            let steps = plan(&lab);
            let action = steps.get("acm_certificate.edge").map(|(action, _)| action.as_str());
            let wanted = match (*from, *to) {
                ("read", _) => Some("create"),
                (_, "read") => Some("delete"),
                _ => Some("replace"),
            };
            // The old one's removal stands under the same address, and doesn't count until the new one serves.
            assert_eq!(action, wanted, "{from} to {to}: {steps:?}");
            apply(&lab);
            if *to == "read" {
                assert_eq!(arn(&lab), theirs, "{from} to {to}");
            } else {
                assert_ne!(arn(&lab), first, "{from} to {to}");
            }
            let left = certificates(&lab.raw());
            assert!(left.iter().any(|(arn, _)| *arn == theirs), "{from} to {to}: what is only read is gone");
            assert_eq!(left.len(), if *to == "read" { 1 } else { 2 }, "{from} to {to}: {left:?}");
            lab.lose_state();
            assert!(plan(&lab).is_empty(), "{from} to {to}, without the state: {:?}", plan(&lab));
            with_vars(&lab, "destroy stack.yaml --auto-approve").ends_with(0);
            assert_eq!(certificates(&lab.raw()).len(), 1, "{from} to {to}");
        }
    }
}

#[test]
fn a_certificate_of_the_stack_that_is_only_read_from_now_on_is_let_go_of() {
    let lab = Lab::new(&private());
    apply(&lab);
    let own = arn(&lab);
    lab.write("stack.yaml", &existing(&own));
    assert_eq!(plan(&lab)["acm_certificate.edge"].0, "release");
    apply(&lab);
    assert_eq!(arn(&lab), own);
    let tags = block_on(lab.raw().acm.list_tags_for_certificate().certificate_arn(&own).send()).unwrap();
    assert!(tags.tags().is_empty(), "{tags:?}");
    lab.lose_state();
    assert!(plan(&lab).is_empty());
    with_vars(&lab, "destroy stack.yaml --auto-approve").ends_with(0);
    assert_eq!(certificates(&lab.raw()).len(), 1);
    // The same when another key of the stack reads it.
    let lab = Lab::new(&stack(PUBLIC));
    apply(&lab);
    let own = arn(&lab);
    lab.write(
        "stack.yaml",
        &existing(&own)
            .replace("  edge:\n", "  other:\n")
            .replace("certificates.edge", "certificates.other")
            .replace("lab/edge", "lab/other")
            .replace("edge-tls", "other-tls"),
    );
    let steps = plan(&lab);
    assert_eq!(steps["acm_certificate.edge"].0, "release", "{steps:?}");
    assert!(steps.iter().all(|(addr, (action, _))| !addr.starts_with("acm_validation_record") || action == "release"), "{steps:?}");
    with_vars(&lab, APPLY).ends_with(0);
    assert!(plan(&lab).is_empty(), "{:?}", plan(&lab));
    assert_eq!(certificates(&lab.raw()).len(), 1);
}

#[test]
fn a_second_plan_reads_pages_and_not_certificates() {
    let many = 12;
    let lab = Lab::new("");
    leaf(&lab, &["edge.example.com"], 200).write(&lab);
    let theirs = theirs(&lab, &format!("    domain: other.example.com\n    private_ca: {CA}\n    key_algorithm: EC_prime256v1"));
    let mut text = "version: 1\nstack: lab\naws: { region: eu-west-1 }\ncertificates:\n".to_owned();
    for index in 0..many {
        let section = match index % 3 {
            0 => format!("{{ domain: n{index}.example.com, private_ca: {CA}, key_algorithm: EC_prime256v1 }}"),
            1 => "{ import: { certificate: edge.pem, private_key: edge.key, chain: chain.pem }, adopt: false }".to_owned(),
            _ => format!("{{ arn: {theirs} }}"),
        };
        let _ = writeln!(text, "  c{index}: {section}");
    }
    lab.write("stack.yaml", &text);
    lab.run(APPLY).ends_with(0);
    let ran = lab.run("-v plan stack.yaml --detailed-exitcode").ends_with(0);
    let line = ran.stderr.lines().find(|line| line.contains("sandbox answered")).unwrap_or_else(|| panic!("{}", ran.stderr));
    let requests: usize = line.split("requests=").nth(1).unwrap().split_whitespace().next().unwrap().parse().unwrap();
    assert!(requests <= 6, "{line}");
}

#[test]
fn wrong_sections_are_told_where_they_stand() {
    let lab = Lab::new("");
    let cases = [
        ("    private_ca: nonsense\n    domain: a.example.com", "certificate/arn"),
        (&format!("    private_ca: {CA}"), "stack/missing-key"),
        (&format!("    private_ca: {CA}\n    domain: a.example.com\n    zone: example.com"), "certificate/not-here"),
        (&format!("    private_ca: {CA}\n    domain: a.example.com\n    export: true"), "certificate/not-here"),
        (&format!("    private_ca: {CA}\n    domain: a.example.com\n    region: us-east-1"), "certificate/region"),
        (
            &format!("    private_ca: {CA}\n    domain: a.example.com\n    arn: arn:aws:acm:eu-west-1:000000000000:certificate/x"),
            "certificate/origin",
        ),
        ("    arn: arn:aws:acm:eu-west-1:111122223333:certificate/x", "certificate/other-account"),
        ("    arn: arn:aws:acm:eu-west-1:000000000000:certificate/x\n    tags: { a: b }", "certificate/not-here"),
        ("    import: { certificate: a.pem }", "stack/missing-key"),
        ("    import: { certificate: a.pem, private_key: a.key, passphrase: hello }", "certificate/passphrase"),
        ("    import: { certificate: a.pem, private_key: \"-----BEGIN PRIVATE KEY-----\" }", "certificate/key-in-stack"),
        ("    import: { certificate: a.pem, private_key: a.key }\n    key_algorithm: RSA_2048", "certificate/not-here"),
    ];
    for (section, code) in cases {
        lab.write("stack.yaml", &stack(section));
        let ran = with_vars(&lab, "validate stack.yaml --json").ends_with(1).json();
        let codes: Vec<&Value> = ran["diagnostics"].as_array().unwrap().iter().map(|one| &one["code"]).collect();
        assert!(codes.contains(&&json!(code)), "{section}: {codes:?}");
    }
}
