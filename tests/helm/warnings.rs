//! What Helm says on its standard error beside what it prints: the same lines, each once.

use std::path::Path;

use meshform::helm::Host;
use serde_json::json;

use super::Still;
use super::reference::{Case, Reference, ours_by};

/// Keeps what it is told.
struct Listener {
    still: Still,
    told: Vec<String>,
}

impl Host for Listener {
    fn random(&mut self, bytes: &mut [u8]) {
        self.still.random(bytes);
    }

    fn now(&mut self) -> (i64, u32) {
        self.still.now()
    }

    fn warn(&mut self, text: &str) {
        self.told.push(text.to_owned());
    }
}

/// A chart: what it is about, its files over the plain ones, the values.
type Wrong = (&'static str, Vec<(&'static str, String)>, serde_json::Value);

const CHART: &str = "apiVersion: v2\nname: top\nversion: 0.1.0\n";
const SUB: (&str, &str) = ("charts/sub/Chart.yaml", "apiVersion: v2\nname: sub\nversion: 0.1.0\n");

fn with_sub(more: &str) -> String {
    format!("{CHART}dependencies:\n- {{name: sub, version: 0.1.0, {more}}}\n")
}

#[test]
fn what_helm_warns_of_is_told_in_the_same_words() {
    let reference = Reference::read();
    let sub = |more: &str| vec![("Chart.yaml", with_sub(more)), (SUB.0, SUB.1.to_owned())];
    let all: Vec<Wrong> = vec![
        ("nothing", vec![], json!({})),
        ("a table over a text", vec![("values.yaml", "a: text\n".into())], json!({"a": {"b": 1}})),
        ("a table over nothing", vec![("values.yaml", "a:\n".into())], json!({"a": {"b": 1}})),
        ("a text over a table within", vec![("values.yaml", "a: {b: {c: [1, x, null, {d: 1.5}]}}\n".into())], json!({"a": {"b": "x"}})),
        ("a text over a table at the top", vec![("values.yaml", "a: {b: 1}\n".into())], json!({"a": "x"})),
        ("a table over a list within", vec![("values.yaml", "a: {b: [1]}\n".into())], json!({"a": {"b": {"c": 1}}})),
        ("a table over nothing within", vec![("values.yaml", "a: {b: }\n".into())], json!({"a": {"b": {"c": 1}}})),
        ("null over a table", vec![("values.yaml", "a: {b: {c: 1}}\n".into())], json!({"a": {"b": null}})),
        (
            "values for a dependency",
            [sub(""), vec![("charts/sub/values.yaml", "a: {b: {c: 1}}\n".into())]].concat(),
            json!({"sub": {"a": {"b": 2}}}),
        ),
        (
            "a parent's values for a dependency",
            [sub(""), vec![("charts/sub/values.yaml", "a: x\n".into()), ("values.yaml", "sub: {a: {b: 1}}\n".into())]].concat(),
            json!({}),
        ),
        ("globals that are no table", sub(""), json!({"global": "x"})),
        ("a dependency's globals that are no table", sub(""), json!({"sub": {"global": "x"}})),
        ("globals of two kinds", sub(""), json!({"global": {"a": {"b": 1}}, "sub": {"global": {"a": "x"}}})),
        ("globals of two kinds the other way", sub(""), json!({"global": {"a": "x"}, "sub": {"global": {"a": {"b": 1}}}})),
        ("globals of two kinds within", sub(""), json!({"global": {"a": {"b": {"c": 1}}}, "sub": {"global": {"a": {"b": 5}}}})),
        ("a condition that is no truth", sub("condition: sub.on"), json!({"sub": {"on": "yes"}})),
        ("a tag that is no truth", sub("tags: [front]"), json!({"tags": {"front": "yes"}})),
        ("values to import that are not there", sub("import-values: [data, {child: a.b, parent: c}]"), json!({})),
        (
            "imported values of two kinds",
            [
                sub("import-values: [{child: a, parent: c}]"),
                vec![("charts/sub/values.yaml", "a: {b: {d: 1}}\n".into()), ("values.yaml", "c: {b: x}\n".into())],
            ]
            .concat(),
            json!({}),
        ),
        ("deprecated", vec![("Chart.yaml", format!("{CHART}deprecated: true\n"))], json!({})),
        ("old files", vec![("requirements.yaml", "dependencies: []\n".into()), ("requirements.lock", "digest: x\n".into())], json!({})),
        (
            "an unknown hook",
            vec![(
                "templates/h.yaml",
                "kind: Job\nmetadata:\n  name: h\n  annotations: {helm.sh/hook: \"pre-install, no \\\"such\"}\n".into(),
            )],
            json!({}),
        ),
        ("an unresolved name", vec![("values.schema.json", "{\"properties\": {\"a\": {\"$ref\": \"urn:x:y\"}}}".into())], json!({"a": 1})),
        (
            "a warning and an error",
            vec![("values.yaml", "a: {b: {c: 1}}\n".into()), ("templates/f.yaml", "{{ fail \"no\" }}".into())],
            json!({"a": {"b": 2}}),
        ),
    ];
    let (mut lines, mut wrong) = (0, Vec::new());
    for (label, files, values) in &all {
        let folder = tempfile::tempdir().unwrap();
        let root = folder.path().join("top");
        write(&root, "Chart.yaml", CHART);
        write(&root, "templates/ok.yaml", "kind: ConfigMap\n");
        for (name, text) in files {
            write(&root, name, text);
        }
        #[cfg(unix)]
        if *label == "nothing" {
            std::os::unix::fs::symlink(root.join("templates/ok.yaml"), root.join("templates/linked.yaml")).unwrap();
        }
        let case = Case { values: Some(values.clone()), ..Case::named(*label) };
        let mut listener = Listener { still: Still::new(), told: Vec::new() };
        ours_by(&root, &case, &mut listener);
        listener.told.sort();
        let expected = reference.warnings(&root, &case);
        lines += expected.len();
        if listener.told != expected {
            wrong.push(format!("{label}\n  Helm: {expected:#?}\n  ours: {:#?}", listener.told));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    println!("{} charts, {lines} lines", all.len());
    assert!(lines > 20, "{lines}");
}

fn write(root: &Path, name: &str, text: &str) {
    let path = root.join(name);
    std::fs::create_dir_all(path.parent().unwrap()).unwrap();
    std::fs::write(path, text).unwrap();
}
