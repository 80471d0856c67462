//! No key and no passphrase in anything that a run leaves: every file but the sandbox's own world, stdout and stderr, at the most verbose
//! log level, with failures among the runs.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::path::Path;

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, STANDARD_NO_PAD};

use super::lab::{Lab, STACK, block_on};

/// The forms in which bytes could leak.
fn forms(name: &str, bytes: &[u8]) -> Vec<(String, Vec<u8>)> {
    let mut forms = vec![(format!("{name} raw"), bytes.to_vec())];
    let mut hex = String::new();
    for byte in bytes {
        let _ = write!(hex, "{byte:02x}");
    }
    forms.push((format!("{name} hex"), hex.to_uppercase().into_bytes()));
    forms.push((format!("{name} hex"), hex.into_bytes()));
    for shift in 0..3.min(bytes.len()) {
        // Whatever stands before, one of three alignments of the base64 text has to appear.
        let text = STANDARD_NO_PAD.encode(&bytes[shift..]);
        let inner = &text[..text.len() - text.len() % 4];
        forms.push((format!("{name} base64 {shift}"), inner.as_bytes().to_vec()));
    }
    forms
}

/// What to search for, of a key in PEM: its DER and parts of it in all forms, its lines, its text escaped for JSON.
fn needles(name: &str, pem: &str) -> Vec<(String, Vec<u8>)> {
    let lines: Vec<&str> = pem.lines().filter(|line| !line.starts_with("-----")).collect();
    let der = STANDARD.decode(lines.concat()).unwrap();
    let mut needles = vec![
        (format!("{name} PEM"), pem.as_bytes().to_vec()),
        (format!("{name} JSON"), pem.trim().replace('\n', "\\n").into_bytes()),
        (format!("{name} PEM in base64"), STANDARD_NO_PAD.encode(pem).into_bytes()),
    ];
    // The first line is the same for all keys of a kind.
    needles.extend(lines.iter().skip(1).filter(|line| line.len() > 30).map(|line| (format!("{name} line"), line.as_bytes().to_vec())));
    // A part from the middle finds the whole as well as a cut-off copy.
    let middle = &der[der.len() / 2..(der.len() / 2 + 33).min(der.len())];
    needles.extend(forms(&format!("{name} middle"), middle));
    needles.extend(forms(name, &der));
    needles
}

/// Every file below a folder but the sandbox's world.
fn files(folder: &Path, found: &mut BTreeMap<String, Vec<u8>>) {
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            if !path.ends_with(".meshform/sandbox") {
                files(&path, found);
            }
        } else {
            found.insert(path.display().to_string(), std::fs::read(&path).unwrap());
        }
    }
}

/// All keys that the world holds now, and all passphrases that were ever used.
fn secrets(lab: &Lab) -> Vec<(String, Vec<u8>)> {
    let raw = lab.raw();
    let mut found = Vec::new();
    for (namespace, name) in [("istio-ingress", "edge-cert"), ("prod", "edge-cert"), ("prod", "api-cert")] {
        if let Some(object) = block_on(raw.objects("Secret", Some(namespace)).get_opt(name)).unwrap() {
            let pem = STANDARD.decode(object.data["data"]["tls.key"].as_str().unwrap()).unwrap();
            found.extend(needles(name, &String::from_utf8(pem).unwrap()));
        }
    }
    for phrase in raw.sandbox.passphrases().unwrap() {
        found.extend(forms("passphrase", phrase.as_bytes()));
    }
    found
}

fn search(needles: &[(String, Vec<u8>)], haystacks: &BTreeMap<String, Vec<u8>>) -> Vec<String> {
    let mut found = Vec::new();
    for (place, bytes) in haystacks {
        for (name, needle) in needles {
            if bytes.windows(needle.len()).any(|window| window == needle.as_slice()) {
                found.push(format!("{name} in {place}"));
            }
        }
    }
    found
}

#[test]
fn nothing_secret_is_left_by_any_run() {
    let lab = Lab::new(STACK);
    let raw = lab.raw();
    let mut settings = raw.sandbox.settings().unwrap();
    settings.remember_passphrases = true;
    raw.sandbox.set_settings(&settings).unwrap();
    let mut haystacks = BTreeMap::new();
    let mut needles = Vec::new();
    let mut run = |args: &str, env: &[(&str, &str)]| {
        let mut command = lab.command(args);
        command.env("MESHFORM_LOG", "trace").env("RUST_LOG", "trace").env("RUST_BACKTRACE", "full");
        command.envs(env.iter().copied());
        let output = command.output().unwrap();
        let number = haystacks.len();
        haystacks.insert(format!("{number} stdout of {args}"), output.stdout);
        haystacks.insert(format!("{number} stderr of {args}"), output.stderr);
        needles.extend(secrets(&lab));
    };
    // Killed in the middle of the deliveries, then with failing writes, then to the end.
    run("-vvv apply stack.yaml --auto-approve", &[("MESHFORM_SANDBOX_CRASH", "after:48")]);
    run("sandbox fault secretsmanager:CreateSecret access-denied times=1", &[]);
    run("sandbox fault kube:patch/secrets server-error times=20", &[]);
    run("-vvv apply stack.yaml --auto-approve --json", &[]);
    run("sandbox fault --clear", &[]);
    run("-vvv apply stack.yaml --auto-approve", &[]);
    run("-vvv plan stack.yaml --json", &[]);
    run("-vvv show stack.yaml --json", &[]);
    run("-vvv state show stack.yaml", &[]);
    run("-vvv output stack.yaml --json", &[]);
    run("sandbox advance 160d", &[]);
    run("-vvv plan stack.yaml --out it.plan", &[]);
    run("-vvv show it.plan --json", &[]);
    run("-vvv rotate stack.yaml", &[("MESHFORM_SANDBOX_PANIC", "secretsmanager:PutSecretValue")]);
    run("-vvv rotate stack.yaml --metrics out.prom", &[]);
    run("-vvv apply it.plan", &[]);
    run("-vvv rotate stack.yaml --reissue --json", &[]);
    run("-vvv destroy stack.yaml --auto-approve", &[]);
    files(lab.path(), &mut haystacks);
    assert!(needles.len() > 200, "only {} needles", needles.len());
    assert!(needles.iter().any(|(name, _)| name.starts_with("passphrase")), "no passphrase was recorded");
    let panicked = haystacks.iter().any(|(_, bytes)| String::from_utf8_lossy(bytes).contains("internal error at"));
    assert!(panicked, "the forced panic did not happen");
    assert_eq!(search(&needles, &haystacks), Vec::<String>::new());
    // A leak put in on purpose is found, in each form.
    let (_, pem) = needles.iter().find(|(name, _)| name.ends_with(" PEM")).unwrap().clone();
    for (name, needle) in needles.iter().take(20) {
        let haystack = BTreeMap::from([("a file".to_owned(), [b"prefix ", needle.as_slice(), b" suffix"].concat())]);
        assert!(!search(&needles, &haystack).is_empty(), "{name} is not found");
    }
    let shifted = BTreeMap::from([("a file".to_owned(), STANDARD.encode([b"x".as_slice(), &pem].concat()).into_bytes())]);
    assert!(!search(&forms("shifted", &pem[20..80]), &shifted).is_empty());
}
