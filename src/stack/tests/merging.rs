//! What a stack makes of what it extends, and where it says each value came from.

use super::*;

/// The merged document of texts as JSON, and its origins as `path=value at line:column, …`.
fn merged(files: &[(&str, &str)], vars: &Vars) -> (serde_json::Value, Vec<String>) {
    let (mut sources, mut diags) = (Sources::default(), Diagnostics::default());
    let read = files.iter().map(|(name, text)| File::read(&Arc::from(*name), text.as_bytes(), &mut sources, &mut diags).unwrap());
    let file = parse(&Files { files: read.collect() }, &mut diags).unwrap();
    let values = settle(&file, vars, &mut sources, &mut diags);
    let origin = |origin: Origin| {
        let before: Vec<String> = origin.overrode.iter().map(|place| format!(" over {place}")).collect();
        format!("{}={} at {}{}", origin.path, origin.value, origin.place, before.concat())
    };
    (document(&file, &values), origins(&file, &values).into_iter().map(origin).collect())
}

#[test]
fn later_values_win_and_maps_are_joined() {
    let cases = [
        ("maps are joined at every level", "a: {b: {c: 1, d: 2}}", "a: {b: {d: 3, e: 4}}", r#"{"a":{"b":{"c":1,"d":3,"e":4}}}"#),
        ("lists replace lists", "a: [1, 2]", "a: [3]", r#"{"a":[3]}"#),
        ("null removes what is inherited", "{a: 1, b: 2}", "a: null", r#"{"b":2}"#),
        ("null of nothing inherited stays", "a: 1", "b:", r#"{"a":1,"b":null}"#),
        ("a value replaces a map", "a: {b: 1}", "a: x", r#"{"a":"x"}"#),
        ("a map replaces a value", "a: x", "a: {b: 1}", r#"{"a":{"b":1}}"#),
        ("`extends` is not part of the document", "extends: z.yaml\na: 1", "extends: [base.yaml]", r#"{"a":1}"#),
        ("zeros in front are kept", "a: 007", "b: 1.50", r#"{"a":"007","b":"1.50"}"#),
    ];
    for (name, base, over, wanted) in cases {
        let (json, _) = merged(&[("base.yaml", base), ("over.yaml", over)], &Vars::default());
        assert_eq!(json.to_string(), wanted, "{name}");
    }
}

#[test]
fn every_value_tells_where_it_came_from() {
    let files = [
        ("base.yaml", "aws:\n  region: eu-west-1\n  tags: {team: edge}\n"),
        ("mid.yaml", "aws:\n  region: eu-west-2\n"),
        ("top.yaml", "aws:\n  region: eu-west-3\nnames: [a, b]\n"),
    ];
    let wanted = [
        "aws.region=\"eu-west-3\" at top.yaml:2:11 over base.yaml:2:11 over mid.yaml:2:11",
        "aws.tags.team=\"edge\" at base.yaml:3:16",
        "names[0]=\"a\" at top.yaml:3:9",
        "names[1]=\"b\" at top.yaml:3:12",
    ];
    assert_eq!(merged(&files, &Vars::default()).1, wanted);
}

#[test]
fn variables_are_put_in_and_secrets_are_not_shown() {
    let text = "vars: {domain: a.example, token: {secret: true}}\nx: '*.${vars.domain}'\ny: ${certificates.c.arn}\nz: '${vars.token}'\n";
    let vars = Vars { env: vec![("MESHFORM_VAR_token".to_owned(), "hunter2-hunter2".to_owned())], ..Vars::default() };
    let (json, origins) = merged(&[("s.yaml", text)], &vars);
    let shown = format!("{json}{origins:?}");
    assert!(!shown.contains("hunter2"), "{shown}");
    assert_eq!(json["x"], "*.a.example");
    assert_eq!(json["y"], "${certificates.c.arn}");
    assert!(json["vars"]["token"].as_str().unwrap().starts_with("(secret, sha256:"), "{json}");
    assert_eq!(json["z"], json["vars"]["token"]);
}
