//! Templates that nobody wrote, by Helm's engine and by ours: the same text, or a failure of both. `MESHFORM_FUZZ=n` tries n of them,
//! `MESHFORM_FUZZ_SEED=s` begins with that one.

use std::io::Write as _;
use std::path::Path;
use std::process::{Command, Stdio};

use meshform::helm::{RenderError, ValueSource};
use serde_json::Value;

use super::functions::rendered;
use super::fuzz::expression::action;
use super::fuzz::mutate::Dice;
use super::fuzz::number;

/// How many templates are tried where `MESHFORM_FUZZ` doesn't say.
const INPUTS: u64 = 2_000;

/// Dice, clocks, slow hashes, orders by chance, what tells of the engine rather than of the template.
const LEFT_OUT: &[&str] = &[
    "now",
    "ago",
    "date",
    "Date",
    "fromToml",
    "fromYaml \"\\xff",
    "fromYamlArray \"\\xff",
    "toYamlPretty",
    "($ | toString)",
    "rand",
    "uuid",
    "gen",
    "bcrypt",
    "htpasswd",
    "shuffle",
    "keys",
    "values ",
    "derivePassword",
    "encryptAES",
    "getHostByName",
    "Capabilities",
    "Template",
    "Subcharts",
    "print $s $s",
    "concat $l $l",
];
/// Numbers at which Go goes on until its memory ends.
const TAMED: &[(&str, &str)] = &[
    ("-9223372036854775808", "-9"),
    ("9223372036854775807", "9"),
    ("100000000", "12"),
    ("99999999", "33"),
    ("repeat 90000", "repeat 9"),
    ("until 90000", "until 3"),
    ("until 70000", "until 7"),
    ("until 500", "until 5"),
    ("300000h", "30h"),
];

fn template(seed: u64) -> Option<String> {
    let mut text = action(&mut Dice::new(seed));
    for (wild, tame) in TAMED {
        text = text.replace(wild, tame);
    }
    let left_out = LEFT_OUT.iter().any(|word| text.contains(word));
    (!left_out).then_some(text)
}

/// What Helm's engine makes of each.
fn by_helm(values: &str, templates: &[String]) -> Vec<Value> {
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/helm/reference");
    let mut child = Command::new(script).arg("engine").stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::null()).spawn().unwrap();
    let asked = serde_json::json!({"values": values, "templates": templates}).to_string();
    let mut input = child.stdin.take().unwrap();
    let writer = std::thread::spawn(move || input.write_all(asked.as_bytes()));
    let out = child.wait_with_output().unwrap();
    writer.join().unwrap().unwrap();
    String::from_utf8(out.stdout).unwrap().lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

#[test]
fn templates_that_nobody_wrote_come_out_as_in_helm() {
    let values = std::fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/helm/functions/values.yaml")).unwrap();
    let first = number("MESHFORM_FUZZ_SEED").unwrap_or(0);
    let count = number("MESHFORM_FUZZ").unwrap_or(INPUTS);
    let inputs: Vec<(u64, String)> = (first..first + count).filter_map(|seed| Some((seed, template(seed)?))).collect();
    let texts: Vec<String> = inputs.iter().map(|(_, text)| text.clone()).collect();
    let answers = by_helm(&values, &texts);
    assert_eq!(answers.len(), texts.len(), "Helm's engine ended before the last template");
    let source = [ValueSource::File("values.yaml".to_owned(), values.into_bytes())];
    let (mut equal, mut failed, mut wrong) = (0, 0, Vec::new());
    for ((seed, text), answer) in inputs.iter().zip(&answers) {
        let ours = rendered(text, &source).map(|text| text.replace("table/templates/NOTES.txt", "table/templates/row"));
        match (answer.get("text").and_then(Value::as_str), &ours) {
            // An address in memory.
            (Some(expected), _) if expected.contains("0xc0") || expected.contains("apabilities:0x") => {}
            (Some(expected), Ok(found)) if expected == found => equal += 1,
            (None, Err(_)) => failed += 1,
            // Go would go on.
            (Some(_), Err(RenderError::Limit(_))) => {}
            _ => wrong.push(format!("seed {seed}: {text}\n  Helm: {answer}\n  ours: {ours:?}")),
        }
    }
    println!("{} templates: {equal} the same text, {failed} failed in both", inputs.len());
    assert!(wrong.is_empty(), "{} of {}\n{}", wrong.len(), inputs.len(), wrong.join("\n"));
    assert!(count < INPUTS || equal > 200 && failed > 200, "{equal} {failed}");
}
