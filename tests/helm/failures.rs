//! Wrong charts and wrong values: where Helm fails, meshform fails with the same words, or at least at the same template and line.

use std::path::Path;

use meshform::helm::Show;
use serde_json::json;

use super::reference::{Answer, Case, Reference, in_order, ours};

/// The fewest wrong charts and values.
const FEWEST: usize = 60;

/// What meshform takes or tells otherwise, each for its reason. `docs/helm.md` lists them; what comes out alike must leave this list.
const KNOWN: &[(&str, &str)] =
    &[("a file beside the chart", "no file outside the chart is read"), ("an unknown edition", "the schema of schemas is not fetched")];

/// A wrong chart: what it is about, its files over the plain ones, and how it is rendered.
struct Wrong {
    files: Vec<(&'static str, String)>,
    case: Case,
}

const CHART: &str = "apiVersion: v2\nname: wrong\nversion: 0.1.0\n";

fn template(label: &str, text: &str) -> Wrong {
    Wrong { files: vec![("templates/t.yaml", text.to_owned())], case: Case::named(label) }
}

fn chart(label: &str, text: &str) -> Wrong {
    Wrong { files: vec![("Chart.yaml", text.to_owned())], case: Case::named(label) }
}

fn with(label: &str, files: &[(&'static str, &str)]) -> Wrong {
    Wrong { files: files.iter().map(|(name, text)| (*name, (*text).to_owned())).collect(), case: Case::named(label) }
}

/// A schema and values that don't meet it.
fn schema(label: &str, schema: &serde_json::Value, values: serde_json::Value) -> Wrong {
    Wrong { files: vec![("values.schema.json", schema.to_string())], case: Case { values: Some(values), ..Case::named(label) } }
}

fn case(label: &str, change: impl FnOnce(&mut Case)) -> Wrong {
    let mut case = Case::named(label);
    change(&mut case);
    Wrong { files: Vec::new(), case }
}

fn templates() -> Vec<Wrong> {
    [
        ("fail", "a: 1\n{{ fail \"it broke\" }}"),
        ("fail with lines", "{{ fail \"one\\ntwo: 2\" }}"),
        ("required", "{{ required \"a.b is needed\" .Values.nothing }}"),
        ("required deep", "{{ define \"x\" }}\n\n{{ required \"deep\" .Values.no }}{{ end }}\na: {{ include \"x\" . }}"),
        ("fail in tpl", "{{ tpl \"{{ fail \\\"inner\\\" }}\" . }}"),
        ("nil pointer", "a: {{ .Values.a.b.c }}"),
        ("no such field", "a: {{ .Release.Nope.x }}"),
        ("field of a string", "a: {{ .Chart.Name.x }}"),
        ("unknown function", "a: {{ nope 1 }}"),
        ("unclosed action", "a: {{ .Values.x \nb: 2"),
        ("unclosed if", "{{ if true }}\na: 1\n"),
        ("unexpected end", "a: 1\n{{ end }}"),
        ("unexpected else", "{{ else }}"),
        ("bad number", "{{ 1x }}"),
        ("unterminated string", "{{ \"abc }}"),
        ("unterminated raw string", "{{ `abc }}"),
        ("bad character", "{{ # }}"),
        ("undefined variable", "{{ $x }}"),
        ("unclosed comment", "{{/* x"),
        ("missing template", "{{ template \"nowhere\" . }}"),
        ("missing include", "{{ include \"nowhere\" . }}"),
        ("too few arguments", "{{ trunc 3 }}"),
        ("too many arguments", "{{ upper \"a\" \"b\" }}"),
        ("wrong type", "{{ upper 3 }}"),
        ("wrong type of a value", "{{ range $i := until \"x\" }}{{ end }}"),
        ("range over a number", "{{ range 1.5 }}{{ end }}"),
        ("index out of range", "{{ index (list 1) 5 }}"),
        ("index of nil", "{{ index .Values.none \"a\" }}"),
        ("incompatible comparison", "{{ if eq 1 \"a\" }}x{{ end }}"),
        ("uncomparable", "{{ if lt nil 1 }}x{{ end }}"),
        ("division by zero", "{{ div 1 0 }}"),
        ("bad semver", "{{ semverCompare \">=1\" \"x\" }}"),
        ("bad regex", "{{ regexFind \"(\" \"x\" }}"),
        ("bad toDate", "{{ mustToDate \"2006\" \"x\" }}"),
        ("endless include", "{{ define \"r\" }}{{ include \"r\" . }}{{ end }}{{ include \"r\" . }}"),
        ("break outside", "{{ break }}"),
        ("template in pipeline", "{{ template \"a\" | upper }}"),
        ("define twice in a row", "{{ define \"a\" }}{{ define \"b\" }}{{ end }}{{ end }}"),
        ("call of no function", "{{ call .Values.x }}"),
        ("dot chain on nil", "{{ (index .Values \"q\").x }}"),
        ("error in tpl", "{{ tpl \"{{ .Values.x.y.z }}\" . }}"),
        ("bad tpl", "{{ tpl \"{{ if }}\" . }}"),
        ("bad yaml", "a: b: c\n"),
        ("tab in yaml", "a:\n\t- b\n"),
        ("unclosed yaml quote", "a: \"b\n"),
        ("yaml list", "- a\n- b\n"),
        ("yaml text", "just text\n"),
        ("bad yaml in a second document", "a: 1\n---\nb: [1\n"),
        ("metadata is a text", "kind: X\nmetadata: text\n"),
        ("kind is a number", "kind: 5\n"),
        ("name is a map", "metadata:\n  name: {a: b}\n"),
        ("duplicate variable scope", "{{ if true }}{{ $x := 1 }}{{ end }}{{ $x }}"),
        ("set on nil", "{{ set .Values.none \"a\" 1 }}"),
        ("assign to undefined", "{{ $q = 1 }}"),
        ("missing value for command", "{{ if }}x{{ end }}"),
        ("with end missing", "{{ with .Values }}x"),
        ("pipe into constant", "{{ 1 | 2 }}"),
        ("not a function on values", "{{ .Values.x 1 }}"),
    ]
    .into_iter()
    .map(|(label, text)| template(label, text))
    .collect()
}

fn charts() -> Vec<Wrong> {
    vec![
        chart("no api version", "name: wrong\nversion: 0.1.0\n"),
        chart("bad api version", "apiVersion: v9\nname: wrong\nversion: 0.1.0\n"),
        chart("no name", "apiVersion: v2\nversion: 0.1.0\n"),
        chart("no version", "apiVersion: v2\nname: wrong\n"),
        chart("bad version", "apiVersion: v2\nname: wrong\nversion: x.y\n"),
        chart("bad type", "apiVersion: v2\nname: wrong\nversion: 0.1.0\ntype: thing\n"),
        chart("library", "apiVersion: v2\nname: wrong\nversion: 0.1.0\ntype: library\n"),
        chart("kubeVersion", "apiVersion: v2\nname: wrong\nversion: 0.1.0\nkubeVersion: \">=9.0.0\"\n"),
        chart("kubeVersion is no constraint", "apiVersion: v2\nname: wrong\nversion: 0.1.0\nkubeVersion: \"abc\"\n"),
        chart(
            "missing dependency",
            "apiVersion: v2\nname: wrong\nversion: 0.1.0\ndependencies: [{name: sub, version: 1.x, repository: \"https://example.com\"}]\n",
        ),
        chart("bad name", "apiVersion: v2\nname: ../wrong\nversion: 0.1.0\n"),
        chart("Chart.yaml is a list", "- a\n"),
        chart("Chart.yaml is no yaml", "a: b: c\n"),
        chart("dependency with a bad alias", "apiVersion: v2\nname: wrong\nversion: 0.1.0\ndependencies: [{name: sub, alias: \"a b\"}]\n"),
        with("values.yaml is no yaml", &[("values.yaml", "a: [1\n")]),
        with("values.yaml is a list", &[("values.yaml", "- 1\n")]),
        with("bad subchart", &[("charts/sub/Chart.yaml", "apiVersion: v2\nname: sub\n")]),
        with(
            "failing subchart",
            &[
                ("charts/sub/Chart.yaml", "apiVersion: v2\nname: sub\nversion: 1.0.0\n"),
                ("charts/sub/templates/x.yaml", "a: 1\n\n{{ fail \"in sub\" }}"),
            ],
        ),
        with(
            "failing helper",
            &[("templates/_h.tpl", "{{ define \"h\" }}\n{{ .Values.a.b }}{{ end }}"), ("templates/t.yaml", "x: {{ include \"h\" . }}")],
        ),
        with("failing notes", &[("templates/NOTES.txt", "{{ fail \"notes\" }}")]),
        with("unparsable helper", &[("templates/_h.tpl", "{{ define \"h\" }}")]),
    ]
}

fn schemas() -> Vec<Wrong> {
    let object = |properties: serde_json::Value| json!({"$schema": "http://json-schema.org/draft-07/schema#", "type": "object", "properties": properties});
    vec![
        schema("type", &object(json!({"a": {"type": "string"}})), json!({"a": 1})),
        schema("types", &object(json!({"a": {"type": ["string", "null"]}})), json!({"a": 1})),
        schema("required", &json!({"type": "object", "required": ["a", "b"]}), json!({})),
        schema(
            "additional",
            &json!({"type": "object", "additionalProperties": false, "properties": {"global": {}}}),
            json!({"x": 1, "y": 2}),
        ),
        schema("enum", &object(json!({"a": {"enum": ["x", "y", 3, null]}})), json!({"a": "z"})),
        schema("const", &object(json!({"a": {"const": "x"}})), json!({"a": "z"})),
        schema("minimum", &object(json!({"a": {"minimum": 5, "maximum": 9}})), json!({"a": 1})),
        schema("maximum", &object(json!({"a": {"exclusiveMaximum": 5}})), json!({"a": 5})),
        schema("multiple", &object(json!({"a": {"multipleOf": 2}})), json!({"a": 3})),
        schema("pattern", &object(json!({"a": {"pattern": "^x+$"}})), json!({"a": "yy"})),
        schema("length", &object(json!({"a": {"minLength": 3}, "b": {"maxLength": 1}})), json!({"a": "x", "b": "xx"})),
        schema("items", &object(json!({"a": {"type": "array", "items": {"type": "integer"}, "minItems": 3}})), json!({"a": [1, "x"]})),
        schema("unique", &object(json!({"a": {"uniqueItems": true}})), json!({"a": [1, 2, 1]})),
        schema("max items", &object(json!({"a": {"maxItems": 1}})), json!({"a": [1, 2]})),
        schema("any of", &object(json!({"a": {"anyOf": [{"type": "string"}, {"type": "integer"}]}})), json!({"a": true})),
        schema("one of", &object(json!({"a": {"oneOf": [{"type": "number"}, {"type": "integer"}]}})), json!({"a": 1})),
        schema("one of none", &object(json!({"a": {"oneOf": [{"type": "string"}, {"type": "object"}]}})), json!({"a": 1})),
        schema("all of", &object(json!({"a": {"allOf": [{"type": "string"}, {"minLength": 5}]}})), json!({"a": "x"})),
        schema("not", &object(json!({"a": {"not": {"type": "string"}}})), json!({"a": "x"})),
        schema("if then", &object(json!({"a": {"if": {"type": "string"}, "then": {"minLength": 5}}})), json!({"a": "x"})),
        schema(
            "reference",
            &json!({"definitions": {"t": {"type": "string"}}, "properties": {"a": {"$ref": "#/definitions/t"}}}),
            json!({"a": 5}),
        ),
        schema("property names", &object(json!({"a": {"propertyNames": {"pattern": "^[a-z]+$"}}})), json!({"a": {"B": 1}})),
        schema("min properties", &object(json!({"a": {"minProperties": 2}})), json!({"a": {"b": 1}})),
        schema("pattern properties", &object(json!({"a": {"patternProperties": {"^x": {"type": "integer"}}}})), json!({"a": {"x1": "s"}})),
        schema("dependent", &object(json!({"a": {"dependencies": {"b": ["c"]}}})), json!({"a": {"b": 1}})),
        schema(
            "deep",
            &object(json!({"a": {"properties": {"b/c~d": {"items": {"properties": {"e": {"type": "boolean"}}}}}}})),
            json!({"a": {"b/c~d": [{"e": 1}]}}),
        ),
        schema("false", &object(json!({"a": false})), json!({"a": 1})),
        schema(
            "several",
            &object(json!({"a": {"type": "string"}, "b": {"type": "integer"}, "c": {"enum": [1]}})),
            json!({"a": 1, "b": "x", "c": 2}),
        ),
        schema(
            "2020-12",
            &json!({"$schema": "https://json-schema.org/draft/2020-12/schema", "properties": {"a": {"prefixItems": [{"type": "string"}]}}}),
            json!({"a": [1]}),
        ),
        schema(
            "draft 4",
            &json!({"$schema": "http://json-schema.org/draft-04/schema#", "properties": {"a": {"minimum": 1, "exclusiveMinimum": true}}}),
            json!({"a": 1}),
        ),
        schema("a keyword of a wrong type", &json!({"properties": {"a": {"type": "x", "minimum": "1"}}}), json!({})),
        schema(
            "an old schema that is none",
            &json!({"$schema": "http://json-schema.org/draft-07/schema#", "type": 5, "required": "a", "properties": {"b": {"minLength": -1}}}),
            json!({}),
        ),
        schema(
            "an older one",
            &json!({"$schema": "http://json-schema.org/draft-04/schema#", "required": [], "exclusiveMinimum": true}),
            json!({}),
        ),
        schema("a draft in between", &json!({"$schema": "http://json-schema.org/draft-06/schema", "enum": [], "pattern": "("}), json!({})),
        schema(
            "that of 2019",
            &json!({"$schema": "https://json-schema.org/draft/2019-09/schema#", "minLength": -1, "$anchor": "1", "$recursiveAnchor": "x"}),
            json!({}),
        ),
        schema("names that are no expressions", &json!({"patternProperties": {"(": {}}}), json!({})),
        schema(
            "a list of schemas",
            &json!({"items": [{}], "$defs": {"a": {"allOf": []}}, "title": 5, "format": 5, "unevaluatedItems": 1}),
            json!({}),
        ),
        schema("old keywords", &json!({"required": ["a", "a"], "dependencies": {"x": 5}, "dependentRequired": {"x": [1]}}), json!({})),
        schema("an address that is none", &json!({"$ref": "::"}), json!({})),
        schema("an id that is none", &json!({"$id": "::"}), json!({})),
        schema("another scheme", &json!({"$ref": "ftp://x/y"}), json!({})),
        schema("a file beside the chart", &json!({"$ref": "other.json"}), json!({})),
        schema("an unknown edition", &json!({"$schema": "http://127.0.0.1:1/schema"}), json!({})),
        with("a number for a schema", &[("values.schema.json", "5")]),
        with("nothing for a schema", &[("values.schema.json", "null")]),
        with("schema is no json", &[("values.schema.json", "{")]),
        with("schema is no schema", &[("values.schema.json", "{\"type\": 5}")]),
        with(
            "subchart's schema",
            &[
                ("charts/sub/Chart.yaml", "apiVersion: v2\nname: sub\nversion: 1.0.0\n"),
                ("charts/sub/values.schema.json", "{\"properties\": {\"a\": {\"type\": \"string\"}}}"),
                ("charts/sub/values.yaml", "a: 5\n"),
            ],
        ),
    ]
}

fn flags() -> Vec<Wrong> {
    vec![
        case("bad name", |case| case.name = Some("Bad_Name".to_owned())),
        case("long name", |case| case.name = Some("x".repeat(60))),
        case("show only nothing", |case| case.show = Show { show_only: vec!["templates/no.yaml".to_owned()], ..Show::default() }),
        case("set without value", |case| case.set.push("a".to_owned())),
        case("set into a list that is a text", |case| case.set.push("a=b,a[0]=c".to_owned())),
        case("set with a bad index", |case| case.set.push("a[x]=1".to_owned())),
        case("set with a negative index", |case| case.set.push("a[-1]=1".to_owned())),
        case("set with a huge index", |case| case.set.push("a[99999999]=1".to_owned())),
        case("set with an open brace", |case| case.set.push("a={b,c".to_owned())),
        case("set-json is no json", |case| case.set_json.push("a={".to_owned())),
        case("set-json is nothing", |case| case.set_json.push("[1]".to_owned())),
        case("set-string without a key", |case| case.set_string.push("=x".to_owned())),
        case("set too deep", |case| case.set.push(format!("{}=1", ["a"; 40].join(".")))),
    ]
}

/// The place that an error names: `template:line`.
fn place(error: &str) -> Option<&str> {
    let begin = error.find("wrong/")?;
    let rest = &error[begin..];
    let end = rest.char_indices().filter(|(_, c)| *c == ':').nth(1).map_or(rest.len(), |(at, _)| at);
    Some(rest[..end].trim_end_matches(|c: char| !c.is_ascii_digit()))
}

#[test]
fn what_helm_refuses_is_refused_alike() {
    let reference = Reference::read();
    let all: Vec<Wrong> = [templates(), charts(), schemas(), flags()].into_iter().flatten().collect();
    let (mut words, mut places, mut fine, mut wrong) = (0, 0, 0, Vec::new());
    for Wrong { files, case } in &all {
        let folder = tempfile::tempdir().unwrap();
        let root = folder.path().join("wrong");
        write(&root, "Chart.yaml", CHART);
        write(&root, "templates/ok.yaml", "kind: ConfigMap\n");
        for (name, text) in files {
            write(&root, name, text);
        }
        let before = wrong.len();
        match (reference.helm(&root, case), ours(&root, case)) {
            (Answer::Failed(expected), Answer::Failed(found)) => {
                let own = root.to_str().unwrap();
                // Helm begins some messages with the chart's folder, which is another on each run.
                if in_order(&expected.replace(own, "")) == in_order(&found.replace(own, "")) {
                    words += 1;
                } else if place(&expected).is_some() && place(&expected) == place(&found) {
                    places += 1;
                    println!("{}\n  Helm: {expected}\n  ours: {found}", case.label);
                } else {
                    wrong.push(format!("{}\n  Helm: {expected}\n  ours: {found}", case.label));
                }
            }
            (Answer::Text(expected), Answer::Text(found)) if expected == found => {
                fine += 1;
                println!("{}: no failure, in Helm neither", case.label);
            }
            (expected, found) => wrong.push(format!("{}\n  Helm: {expected:?}\n  ours: {found:?}", case.label)),
        }
        if KNOWN.iter().any(|(label, _)| *label == case.label) {
            assert!(wrong.len() > before, "{} comes out alike: take it off the list", case.label);
            wrong.pop();
        }
    }
    println!("{} wrong charts and values: {words} with the same words, {places} at the same place, {fine} that Helm takes", all.len());
    assert!(words + places >= FEWEST, "only {words} and {places}");
    assert!(wrong.is_empty(), "{} differ:\n{}", wrong.len(), wrong.join("\n"));
}

fn write(root: &Path, name: &str, text: &str) {
    let path = root.join(name);
    std::fs::create_dir_all(path.parent().unwrap()).unwrap();
    std::fs::write(path, text).unwrap();
}
