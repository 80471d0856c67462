//! `chart lint` beside `helm lint`: the same findings in the same order, with the same severity and words.

use std::path::Path;
use std::process::Command;

use super::reference::Reference;

/// A chart: what it is about, its files over the plain ones, the flags.
type Case = (&'static str, Vec<(&'static str, String)>, &'static str);

const PLAIN: &str = "apiVersion: v2\nname: it\nversion: 0.1.0\nicon: https://example.com/i.png\n";

fn about(label: &'static str, lines: &str) -> Case {
    (label, vec![("Chart.yaml", format!("{PLAIN}{lines}"))], "")
}

fn whole(label: &'static str, text: &str) -> Case {
    (label, vec![("Chart.yaml", text.to_owned())], "")
}

fn template(label: &'static str, text: &str) -> Case {
    (label, vec![("templates/t.yaml", text.to_owned())], "")
}

fn file(label: &'static str, name: &'static str, text: &str) -> Case {
    (label, vec![(name, text.to_owned())], "")
}

fn cases() -> Vec<Case> {
    let object = |head: &str, name: &str| format!("{head}\nmetadata:\n  name: {name}\n");
    let mut cases = vec![
        about("nothing wrong", ""),
        whole("no icon", "apiVersion: v2\nname: it\nversion: 0.1.0\n"),
        whole("nothing in it", ""),
        whole("no yaml", "a: b: c\n"),
        whole("a list", "- a\n"),
        whole("a map for a name", "apiVersion: v2\nname: {a: b}\nversion: 0.1.0\n"),
        whole("no api version", "name: it\nversion: 0.1.0\nicon: https://e.com/x\n"),
        whole("another api version", "apiVersion: v7\nname: it\nversion: 0.1.0\n"),
        whole("a name with a slash", "apiVersion: v2\nname: a/b\nversion: 0.1.0\n"),
        whole("no version", "apiVersion: v2\nname: it\n"),
        whole("a number for a version", "apiVersion: v2\nname: it\nversion: 1.0\n"),
        whole("no semver", "apiVersion: v2\nname: it\nversion: one\n"),
        whole("the lowest version", "apiVersion: v2\nname: it\nversion: 0.0.0-0\n"),
        whole("null for a version", "apiVersion: v2\nname: it\nversion:\n"),
        whole("type in the first version", "apiVersion: v1\nname: it\nversion: 0.1.0\ntype: application\n"),
        whole("dependencies in the first version", "apiVersion: v1\nname: it\nversion: 0.1.0\ndependencies: [{name: sub}]\n"),
        about("a number for appVersion", "appVersion: 1.5\n"),
        about("true for appVersion", "appVersion: true\n"),
        about("a maintainer without a name", "maintainers: [{email: a@example.com}]\n"),
        about("an empty maintainer", "maintainers: [null]\n"),
        about("mail of a maintainer", "maintainers: [{name: a, email: a.b+c@example.com, url: https://example.com/x}]\n"),
        about("no mail of a maintainer", "maintainers: [{name: a, email: nobody}]\n"),
        about("no url of a maintainer", "maintainers: [{name: a, url: \"not a url\"}]\n"),
        about("a bare url of a maintainer", "maintainers: [{name: a, url: example.com}]\n"),
        about("a source without a scheme", "sources: [example.com/x]\n"),
        about("an empty source", "sources: [\"\"]\n"),
        about("a good source", "sources: [https://example.com/x, \"git@example.com:a/b\"]\n"),
        about("an icon that is no url", "icon: x.png\n"),
        about("a bad type", "type: thing\n"),
        about("a library", "type: library\n"),
        about("missing dependencies", "dependencies: [{name: a, version: 1.x}, {name: b, version: 1.x}]\n"),
        about("a doubled dependency", "dependencies: [{name: a, version: 1.x}, {name: a, version: 1.x}]\n"),
        ("an unnamed dependency", vec![("charts/sub/Chart.yaml", "apiVersion: v2\nname: sub\nversion: 0.1.0\n".to_owned())], ""),
        file("values are no yaml", "values.yaml", "a: [1\n"),
        file("values are a list", "values.yaml", "- 1\n"),
        file("a schema is not met", "values.schema.json", "{\"required\": [\"a\"]}"),
        ("a schema is met by a flag", vec![("values.schema.json", "{\"required\": [\"a\"]}".to_owned())], "--set a=1"),
        (
            "a schema is not asked",
            vec![
                ("values.schema.json", "{\"properties\": {\"a\": {\"type\": \"string\"}}}".to_owned()),
                ("values.yaml", "a: 1\n".to_owned()),
            ],
            "--skip-schema-validation",
        ),
        template("fail is no failure", "{{ fail \"no\" }}"),
        template("required is no failure", "a: {{ required \"no\" .Values.x }}"),
        template("a failing template", "a: {{ .Values.a.b.c }}"),
        template("an unparsable template", "a: {{ .Values.a"),
        template(
            "the release is neither",
            "kind: ConfigMap\nmetadata: {name: a}\ndata: {a: \"{{ .Release.IsInstall }} {{ .Release.Revision }}\"}",
        ),
        template("an indent", "  kind: ConfigMap\n  metadata:\n    name: a\n"),
        template("no yaml", "a: b: c\n"),
        template("bad yaml in a second document", "kind: ConfigMap\nmetadata: {name: a}\n---\na: [1\n"),
        template("a bad separator", "kind: ConfigMap\nmetadata: {name: a}\n--- x\na: 1\n"),
        template(
            "a separator with a comment",
            "# a\n--- # b\nkind: ConfigMap\nmetadata: {name: A}\n---\n---\nkind: ConfigMap\nmetadata: {name: B}\n",
        ),
        template("a text", "just text\n"),
        template("a map for a kind", "kind: {a: b}\nmetadata: {name: a}\n"),
        template("a list for metadata", "kind: A\nmetadata: [a]\n"),
        template("a map for a name", "kind: A\nmetadata: {name: {a: b}}\n"),
        template("a number for a name", "kind: A\nmetadata: {name: 5}\n"),
        template("no name", "apiVersion: v1\nkind: ConfigMap\n"),
        template("a crd hook", "kind: ConfigMap\nmetadata:\n  name: a\n  annotations:\n    \"helm.sh/hook\": crd-install\n"),
        template("the release's time", "{{/* .Release.Time */}}kind: ConfigMap\nmetadata: {name: a}\n"),
        template("no selector", &object("apiVersion: apps/v1\nkind: Deployment", "a")),
        template(
            "a list with a policy",
            "kind: List\nmetadata: {name: a}\nitems:\n- metadata: {annotations: {helm.sh/resource-policy: keep}}\n",
        ),
        file("another extension", "templates/a.json", "{}"),
        file("a yml file is not looked into", "templates/a.yml", "  a: b: c"),
        file("templates are a file", "templates", "x"),
        ("strict", vec![("templates/t.yaml", object("kind: ConfigMap", "A"))], "--strict"),
        ("quiet", vec![("templates/t.yaml", object("kind: ConfigMap", "A"))], "--quiet"),
        ("quiet and nothing wrong", vec![], "--quiet"),
        ("old Kubernetes", vec![("templates/t.yaml", object("apiVersion: batch/v1beta1\nkind: CronJob", "a"))], "--kube-version 1.20"),
    ];
    for (head, name) in [
        ("kind: Service", "1a"),
        ("kind: Service", "a.b"),
        ("kind: Namespace", "a.b"),
        ("kind: ServiceAccount", "a.b"),
        ("kind: Pod", "-a"),
        ("kind: Role", "\"a:B\""),
        ("kind: ClusterRole", "\"a/%\""),
        ("kind: ClusterRoleBinding", "\"..\""),
        ("kind: CertificateSigningRequest", "A_B"),
        ("kind: Thing", "a..b"),
        ("apiVersion: policy/v1beta1\nkind: PodDisruptionBudget", "a"),
        ("apiVersion: extensions/v1beta1\nkind: Ingress", "a"),
        ("apiVersion: autoscaling/v2beta2\nkind: HorizontalPodAutoscaler", "a"),
        ("apiVersion: networking.k8s.io/v1beta1\nkind: IngressList", "a"),
        ("apiVersion: rbac.authorization.k8s.io/v1beta1\nkind: Role", "a"),
        ("apiVersion: flowcontrol.apiserver.k8s.io/v1beta3\nkind: FlowSchema", "a"),
        ("apiVersion: example.com/v1beta1\nkind: CronJob", "a"),
    ] {
        cases.push(("names and kinds", vec![("templates/t.yaml", object(head, name))], ""));
    }
    cases.push(("a long name", vec![("templates/t.yaml", object("kind: Service", &"a".repeat(70)))], ""));
    cases
}

/// What a program printed on both outputs, with the chart's folder in short.
fn printed(command: &mut Command, root: &Path) -> (String, String, bool) {
    let out = command.output().unwrap();
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).replace(root.to_str().unwrap(), "CHART");
    let told: Vec<String> = text(&out.stderr).lines().filter(|line| line.starts_with("Error")).map(str::to_owned).collect();
    let mut told = told.join("\n");
    if told.ends_with("no such file or directory") {
        told.clear();
    }
    (text(&out.stdout), told, out.status.success())
}

#[test]
fn what_helm_lint_finds_is_found() {
    let reference = Reference::read();
    let (mut findings, mut wrong) = (0, Vec::new());
    let cases = cases();
    for (label, files, flags) in &cases {
        let folder = tempfile::tempdir().unwrap();
        let root = folder.path().join("it");
        std::fs::create_dir(&root).unwrap();
        let write = |name: &str, text: &str| {
            let path = root.join(name);
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            std::fs::write(path, text).unwrap();
        };
        write("Chart.yaml", PLAIN);
        write("values.yaml", "");
        for (name, text) in files {
            write(name, text);
        }
        let version = if flags.contains("--kube-version") { "" } else { "--kube-version v1.34.2" };
        let args = || flags.split_whitespace().chain(version.split_whitespace());
        let helm = printed(reference.command().arg("lint").arg(&root).args(args()), &root);
        let ours = printed(Command::new(env!("CARGO_BIN_EXE_meshform")).args(["chart", "lint"]).arg(&root).args(args()), &root);
        findings += helm.0.lines().filter(|line| line.starts_with('[')).count();
        if helm != ours {
            wrong.push(format!("{label} {files:?}\n  Helm: {helm:#?}\n  ours: {ours:#?}"));
        }
    }
    assert!(wrong.is_empty(), "{} of {}\n{}", wrong.len(), cases.len(), wrong.join("\n"));
    println!("{} charts, {findings} findings", cases.len());
    assert!(findings > 60, "{findings}");
}
