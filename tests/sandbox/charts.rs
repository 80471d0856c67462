//! Charts in a stack: what they leave to chance stays, what they look up is read, and each of their objects is planned by itself.

use std::collections::BTreeMap;

use kube::api::{Api, DeleteParams, DynamicObject};
use kube::core::{ApiResource, GroupVersionKind};
use serde_json::Value;

use super::lab::{Lab, block_on};

const STACK: &str = r#"version: 1
stack: lab
cluster: { eks: demo }
aws: { region: eu-west-1, account: "000000000000" }
namespaces: { shop: {}, other: { labels: { color: blue } } }
charts:
  shop:
    chart: ./chart
    namespace: shop
    values: { replicas: 1, length: 24, ca: shop-ca, host: web.shop.svc }
"#;

/// A chart of the kind that draws a CA of its own at every rendering, as that of the AWS Load Balancer Controller does.
const FILES: &[(&str, &str)] = &[
    ("Chart.yaml", "apiVersion: v2\nname: shop\nversion: 1.0.0\n"),
    ("values.yaml", "replicas: 1\nlength: 16\nca: ca\nhost: web\n"),
    (
        "templates/tls.yaml",
        r"{{- $ca := genCA .Values.ca 3650 }}
{{- $cert := genSignedCert .Values.host nil (list .Values.host) 365 $ca }}
apiVersion: v1
kind: Secret
metadata: { name: tls }
type: kubernetes.io/tls
data:
  ca.crt: {{ b64enc $ca.Cert }}
  tls.crt: {{ b64enc $cert.Cert }}
  tls.key: {{ b64enc $cert.Key }}
---
apiVersion: admissionregistration.k8s.io/v1
kind: ValidatingWebhookConfiguration
metadata: { name: shop }
webhooks:
  - name: orders.shop.example.com
    clientConfig:
      caBundle: {{ b64enc $ca.Cert }}
      service: { name: web, namespace: {{ .Release.Namespace }} }
    rules: [{ apiGroups: [shop.example.com], apiVersions: [v1], operations: [CREATE], resources: [orders] }]
    sideEffects: None
    admissionReviewVersions: [v1]
",
    ),
    (
        "templates/password.yaml",
        r"apiVersion: v1
kind: Secret
metadata: { name: password }
data: { password: {{ randAlphaNum (int .Values.length) | b64enc }} }
stringData: { user: shop }
",
    ),
    (
        "templates/config.yaml",
        r#"{{- if .Values.look }}
{{- $other := lookup "v1" "Namespace" "" "other" }}
{{- $color := dig "metadata" "labels" "color" "none" $other }}
{{- $named := lookup "v1" "ConfigMap" "other" (printf "of-%s" $color) }}
apiVersion: v1
kind: ConfigMap
metadata: { name: config }
data:
  color: {{ $color }}
  told: {{ dig "data" "word" "nothing" $named | quote }}
  version: {{ .Capabilities.KubeVersion.Version }}
  apps: {{ .Capabilities.APIVersions.Has "apps/v1/Deployment" | quote }}
  old: {{ .Capabilities.APIVersions.Has "extensions/v1beta1" | quote }}
{{- end }}
"#,
    ),
    (
        "templates/web.yaml",
        r#"apiVersion: apps/v1
kind: Deployment
metadata: { name: web }
spec:
  replicas: {{ .Values.replicas }}
  selector: { matchLabels: { app: web } }
  template:
    metadata:
      labels: { app: web }
      annotations:
        since: {{ now | date "2006-01-02" | quote }}
        checksum/password: {{ include (print $.Template.BasePath "/password.yaml") . | sha256sum }}
    spec: { containers: [{ name: web, image: example/web:1 }] }
---
apiVersion: v1
kind: Service
metadata: { name: web }
spec: { selector: { app: web }, ports: [{ port: 443 }] }
"#,
    ),
];

fn lab() -> Lab {
    let lab = Lab::new(STACK);
    std::fs::create_dir_all(lab.path().join("chart/templates")).unwrap();
    for (name, text) in FILES {
        lab.write(&format!("chart/{name}"), text);
    }
    lab
}

/// The values of the Secrets, and the bundle of the webhook: in the test's own memory.
fn drawn(lab: &Lab) -> BTreeMap<String, String> {
    let raw = lab.raw();
    let mut found = BTreeMap::new();
    block_on(async {
        for secret in raw.objects("Secret", Some("shop")).list(&kube::api::ListParams::default()).await.unwrap() {
            let name = secret.metadata.name.clone().unwrap();
            for (key, value) in secret.data["data"].as_object().into_iter().flatten() {
                found.insert(format!("{name}.{key}"), value.as_str().unwrap().to_owned());
            }
        }
        let kind = GroupVersionKind::gvk("admissionregistration.k8s.io", "v1", "ValidatingWebhookConfiguration");
        let webhooks: Api<DynamicObject> = Api::all_with(raw.kube.clone(), &ApiResource::from_gvk(&kind));
        let webhook = webhooks.get("shop").await.unwrap();
        found
            .insert("bundle".into(), webhook.data.pointer("/webhooks/0/clientConfig/caBundle").and_then(Value::as_str).unwrap().to_owned());
    });
    found
}

fn changed(before: &BTreeMap<String, String>, after: &BTreeMap<String, String>) -> Vec<String> {
    let names: std::collections::BTreeSet<&String> = before.keys().chain(after.keys()).collect();
    names.into_iter().filter(|name| before.get(*name) != after.get(*name)).cloned().collect()
}

fn with(lab: &Lab, from: &str, to: &str) {
    let stack = std::fs::read_to_string(lab.path().join("stack.yaml")).unwrap();
    assert!(stack.contains(from), "{from}");
    lab.write("stack.yaml", &stack.replacen(from, to, 1));
}

#[test]
fn what_a_chart_leaves_to_chance_stays_until_it_is_asked_for() {
    let lab = lab();
    let applied = lab.run("apply stack.yaml --auto-approve").ends_with(0);
    let first = drawn(&lab);
    assert_eq!(first.len(), 6, "{:?}", first.keys());
    assert_eq!(first["tls.ca.crt"], first["bundle"], "a CA and the bundle that it is believed by are of one drawing");
    for value in [&first["password.password"], &first["tls.tls.key"]] {
        assert!(!applied.stdout.contains(value.as_str()) && !applied.stderr.contains(value.as_str()), "{}", applied.stdout);
    }
    assert!(lab.planned().is_empty());
    lab.run("sandbox advance 40d").ends_with(0);
    assert!(lab.planned().is_empty(), "another day is no change");
    lab.lose_state();
    assert!(lab.planned().is_empty(), "the state is a cache");
    lab.run("apply stack.yaml --auto-approve").ends_with(0);

    with(&lab, "replicas: 1", "replicas: 2");
    let plan = lab.planned();
    assert_eq!(plan.len(), 1, "{plan:?}");
    assert_eq!(plan["deployment.apps/shop/web"].1, ["spec.replicas"]);
    lab.run("apply stack.yaml --auto-approve").ends_with(0);
    assert_eq!(changed(&first, &drawn(&lab)), [""; 0]);

    with(&lab, "length: 24", "length: 32");
    let plan = lab.planned();
    let addrs: Vec<&String> = plan.keys().collect();
    assert_eq!(addrs, ["deployment.apps/shop/web", "secret/shop/password"], "the checksum follows the password");
    lab.run("apply stack.yaml --auto-approve").ends_with(0);
    let second = drawn(&lab);
    assert_eq!(changed(&first, &second), ["password.password"]);
    assert!(lab.planned().is_empty());

    with(&lab, "host: web.shop.svc", "host: shop.shop.svc");
    lab.run("apply stack.yaml --auto-approve").ends_with(0);
    let third = drawn(&lab);
    assert_eq!(changed(&second, &third), ["bundle", "tls.ca.crt", "tls.tls.crt", "tls.tls.key"], "one doesn't fit without the other");
    assert_eq!(third["tls.ca.crt"], third["bundle"]);
    assert!(lab.planned().is_empty());
}

#[test]
fn what_hangs_together_is_drawn_anew_together() {
    let lab = lab();
    lab.run("apply stack.yaml --auto-approve").ends_with(0);
    let first = drawn(&lab);
    let raw = lab.raw();
    block_on(async {
        raw.objects("Secret", Some("shop")).delete("tls", &DeleteParams::default()).await.unwrap();
    });
    drop(raw);
    let plan = lab.planned();
    let addrs: Vec<&String> = plan.keys().collect();
    assert_eq!(addrs, ["secret/shop/tls", "validatingwebhookconfiguration.admissionregistration.k8s.io/shop"]);
    lab.run("apply stack.yaml --auto-approve").ends_with(0);
    let second = drawn(&lab);
    assert_eq!(changed(&first, &second), ["bundle", "tls.ca.crt", "tls.tls.crt", "tls.tls.key"]);
    assert_eq!(second["tls.ca.crt"], second["bundle"]);
    assert!(lab.planned().is_empty());
}

#[test]
fn a_saved_plan_of_a_chart_that_throws_dice_is_carried_out() {
    let lab = lab();
    lab.run("plan stack.yaml --out saved.plan").ends_with(0);
    lab.run("apply saved.plan").ends_with(0);
    assert!(lab.planned().is_empty());
    with(&lab, "replicas: 1", "replicas: 3");
    lab.run("plan stack.yaml --out saved.plan").ends_with(0);
    with(&lab, "replicas: 3", "replicas: 4");
    let refused = lab.run("apply saved.plan").ends_with(1);
    assert!(refused.stderr.contains("the stack"), "{}", refused.stderr);
}

#[test]
fn what_a_chart_looks_up_is_read_in_rounds() {
    let lab = lab();
    with(&lab, "values: {", "values: { look: true,");
    lab.run("apply stack.yaml --auto-approve").ends_with(0);
    let config = |lab: &Lab| {
        let raw = lab.raw();
        block_on(async { raw.objects("ConfigMap", Some("shop")).get("config").await.unwrap().data["data"].clone() })
    };
    let data = config(&lab);
    assert_eq!(
        (&data["apps"], &data["old"]),
        (&Value::from("true"), &Value::from("false")),
        "the cluster's APIs, not those that Helm knows"
    );
    assert!(data["version"].as_str().unwrap().starts_with("v1."), "{data}");
    // The namespace was made by the same run: the next rendering sees it, and finds by its label what to look up then.
    lab.run("apply stack.yaml --auto-approve").ends_with(0);
    assert_eq!(config(&lab)["color"], "blue");
    let named = r#"{"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "of-blue"}, "data": {"word": "found"}}"#;
    let raw = lab.raw();
    block_on(async {
        let object: DynamicObject = serde_json::from_str(named).unwrap();
        raw.objects("ConfigMap", Some("other")).create(&kube::api::PostParams::default(), &object).await.unwrap();
    });
    drop(raw);
    let plan = lab.planned();
    assert_eq!(
        plan.into_iter().collect::<Vec<_>>(),
        [("configmap/shop/config".to_owned(), ("update".to_owned(), vec!["data.told".to_owned()]))]
    );
}

#[test]
fn an_object_that_is_named_by_chance_is_refused() {
    let lab = lab();
    lab.write("chart/templates/job.yaml", "apiVersion: v1\nkind: ConfigMap\nmetadata: { name: run-{{ randAlpha 5 | lower }} }\n");
    let ran = lab.run("plan stack.yaml").ends_with(1);
    assert!(ran.stderr.contains("chart/random-name") && ran.stderr.contains("configmap/shop/run-"), "{}", ran.stderr);
}

#[test]
fn a_chart_that_cannot_be_rendered_is_told_with_its_section() {
    let lab = lab();
    for (file, text, wanted) in [
        ("chart/templates/bad.yaml", "{{ fail \"values.x is needed\" }}", "chart/render"),
        ("chart/templates/bad.yaml", "kind: ConfigMap\nmetadata: { name: x }\n", "manifest/object"),
        ("chart/templates/bad.yaml", "a: [\n", "chart/render"),
        ("chart/Chart.yaml", "name: x\n", "chart/not-found"),
    ] {
        let before = lab.copy();
        before.write(file, text);
        let ran = before.run("plan stack.yaml").ends_with(1);
        assert!(ran.stderr.contains(wanted) && ran.stderr.contains("charts.shop"), "{text}: {}", ran.stderr);
    }
    with(&lab, "chart: ./chart", "chart: ./nowhere");
    let ran = lab.run("validate stack.yaml").ends_with(1);
    assert!(ran.stderr.contains("chart/not-found") && ran.stderr.contains("stack.yaml:8"), "{}", ran.stderr);
}

#[test]
fn rules_of_a_chart_are_those_of_its_objects() {
    let lab = lab();
    with(
        &lab,
        "    namespace: shop\n",
        "    namespace: shop\n    rules: [{ for: deployment.apps/*/web, ignore: [spec.replicas], protect: true }]\n",
    );
    lab.run("apply stack.yaml --auto-approve").ends_with(0);
    with(&lab, "replicas: 1", "replicas: 5");
    assert!(lab.planned().is_empty(), "what is ignored stays");
    with(&lab, "charts:\n  shop:", "charts:\n  other:");
    with(&lab, "    namespace: shop\n", "    namespace: shop\n    name: shop\n");
    assert!(lab.planned().is_empty(), "another key of the same release changes nothing");
    let refused = lab.run("destroy stack.yaml --auto-approve").ends_with(1);
    assert!(refused.stdout.contains("plan/protected") || refused.stderr.contains("plan/protected"), "{}{}", refused.stdout, refused.stderr);
}

const HOOKS: &str = r#"{{- range $event := list "pre-install,pre-upgrade" "post-install" "test" }}
---
apiVersion: batch/v1
kind: Job
metadata:
  name: {{ splitList "," $event | first }}
  annotations: { helm.sh/hook: {{ $event | quote }}, helm.sh/hook-delete-policy: {{ ternary "hook-succeeded" "before-hook-creation" (hasPrefix "pre" $event) }} }
spec: { template: { spec: { restartPolicy: Never, containers: [{ name: run, image: example/run:1 }] } } }
{{- end }}
---
apiVersion: v1
kind: ServiceAccount
metadata: { name: run, annotations: { helm.sh/hook: "pre-install,pre-upgrade", helm.sh/hook-weight: "-5" } }
"#;

const DELETE_HOOKS: &str = r#"{{- range $event := list "pre-delete" "post-delete" }}
---
apiVersion: batch/v1
kind: Job
metadata: { name: {{ $event }}, annotations: { helm.sh/hook: {{ $event }} } }
spec: { template: { spec: { restartPolicy: Never, serviceAccountName: bye, containers: [{ name: run, image: example/run:1 }] } } }
{{- end }}
---
apiVersion: v1
kind: ServiceAccount
metadata: { name: bye, annotations: { helm.sh/hook: pre-delete, helm.sh/hook-weight: "-5", helm.sh/hook-delete-policy: hook-succeeded } }
"#;

#[test]
fn hooks_of_a_deletion_run_when_their_release_goes_and_nothing_of_them_stays() {
    let lab = lab();
    lab.write("chart/templates/hooks.yaml", DELETE_HOOKS);
    let before = lab.raw().dump();
    lab.run("apply stack.yaml --auto-approve").ends_with(0);
    assert!(lab.planned().is_empty(), "they are no part of an apply: {:?}", lab.planned());
    assert!(lab.raw().dump().keys().all(|name| !name.contains("delete")), "{:?}", lab.raw().dump().keys());
    let plan = lab.run("plan stack.yaml --destroy").ends_with(0);
    assert!(plan.stdout.contains("job.batch/shop/pre-delete  create  hook pre-delete of `charts.shop`"), "{}", plan.stdout);
    let offline = lab.run("-v plan stack.yaml --destroy --offline").ends_with(0);
    assert!(!offline.stdout.contains("pre-delete"), "nobody is asked, also not for hooks: {}", offline.stdout);
    assert!(!offline.stderr.contains("kube:"), "{}", offline.stderr);
    // As saved as any other.
    lab.run("plan stack.yaml --destroy --out gone.json").ends_with(0);
    let lab = {
        let copy = lab.copy();
        super::crash::kill(&copy, "destroy stack.yaml --auto-approve", 4, |_| BTreeMap::new());
        lab
    };
    lab.run("apply gone.json").ends_with(0);
    let journal = std::fs::read_to_string(lab.path().join(".meshform/lab/events.jsonl")).unwrap();
    let at = |event: &str, addr: &str| {
        let found = journal
            .lines()
            .position(|line| line.contains(&format!("\"event\":\"{event}\"")) && line.contains(&format!("\"addr\":\"{addr}\"")));
        found.unwrap_or_else(|| panic!("no {event} of {addr} in\n{journal}"))
    };
    assert!(at("created", "serviceaccount/shop/bye") < at("created", "job.batch/shop/pre-delete"), "by their weight");
    assert!(
        at("ready", "job.batch/shop/pre-delete") < at("deleted", "serviceaccount/shop/bye"),
        "what others need stays until they have run"
    );
    assert!(at("ready", "job.batch/shop/pre-delete") < at("deleted", "deployment.apps/shop/web"));
    assert!(at("deleted", "deployment.apps/shop/web") < at("created", "job.batch/shop/post-delete"));
    assert!(at("deleted", "job.batch/shop/post-delete") < at("deleted", "namespace/shop"));
    assert_eq!(lab.raw().dump(), before);
}

#[test]
fn a_destroy_goes_on_without_the_hooks_of_a_chart_that_is_not_to_be_had() {
    let lab = lab();
    lab.write("chart/templates/hooks.yaml", DELETE_HOOKS);
    let before = lab.raw().dump();
    lab.run("apply stack.yaml --auto-approve").ends_with(0);
    std::fs::remove_dir_all(lab.path().join("chart")).unwrap();
    let plan = lab.run("plan stack.yaml --destroy").ends_with(0);
    assert!(
        plan.stdout.contains("the hooks of charts.shop for a deletion don't run") && !plan.stdout.contains("pre-delete"),
        "{}",
        plan.stdout
    );
    // Nor has a stack that doesn't name it any more anything to run.
    with(&lab, "charts:\n  shop:", "charts:\n  none:");
    let plan = lab.run("plan stack.yaml --destroy").ends_with(0);
    assert!(plan.stdout.contains("the stack doesn't name the chart any more"), "{}", plan.stdout);
    lab.run("destroy stack.yaml --auto-approve").ends_with(0);
    assert_eq!(lab.raw().dump(), before);
}

#[test]
fn hooks_are_steps_of_a_change_and_of_nothing_else() {
    let lab = lab();
    lab.write("chart/templates/hooks.yaml", HOOKS);
    let plan = lab.planned();
    assert!(!plan.contains_key("job.batch/shop/test"), "tests never run: {plan:?}");
    lab.run("apply stack.yaml --auto-approve").ends_with(0);
    let journal = std::fs::read_to_string(lab.path().join(".meshform/lab/events.jsonl")).unwrap();
    let at = |event: &str, addr: &str| {
        let found = journal
            .lines()
            .position(|line| line.contains(&format!("\"event\":\"{event}\"")) && line.contains(&format!("\"addr\":\"{addr}\"")));
        found.unwrap_or_else(|| panic!("no {event} of {addr} in\n{journal}"))
    };
    assert!(at("created", "serviceaccount/shop/run") < at("created", "job.batch/shop/pre-install"), "by their weight");
    assert!(at("ready", "job.batch/shop/pre-install") < at("created", "deployment.apps/shop/web"));
    assert!(at("ready", "deployment.apps/shop/web") < at("created", "job.batch/shop/post-install"));
    assert!(at("ready", "job.batch/shop/pre-install") < at("deleted", "job.batch/shop/pre-install"), "its policy says so");
    assert!(lab.planned().is_empty());
    with(&lab, "replicas: 1", "replicas: 2");
    let plan = lab.planned();
    let addrs: Vec<&String> = plan.keys().collect();
    assert_eq!(addrs, ["deployment.apps/shop/web", "job.batch/shop/pre-install", "serviceaccount/shop/run"], "those of an upgrade");
    lab.run("apply stack.yaml --auto-approve").ends_with(0);
    assert!(lab.planned().is_empty());
    with(&lab, "    namespace: shop\n", "    namespace: shop\n    hooks: false\n");
    with(&lab, "replicas: 2", "replicas: 3");
    let plan = lab.planned();
    assert_eq!(plan["deployment.apps/shop/web"].0, "update");
    assert!(!plan.contains_key("job.batch/shop/pre-install"), "{plan:?}");
    lab.run("destroy stack.yaml --auto-approve").ends_with(0);
    assert!(lab.raw().dump().keys().all(|name| !name.contains("/shop/")), "{:?}", lab.raw().dump().keys());
}

#[test]
fn a_chart_that_is_let_go_stays_as_it_is_with_the_marks_of_helm() {
    let adoptable = STACK.replace("    namespace: shop\n", "    namespace: shop\n    adoptable: true\n");
    let without = format!("{}released: [charts.shop]\n", STACK.split("charts:").next().unwrap());
    let metadata = |lab: &Lab| {
        let secret = block_on(lab.raw().objects("Secret", Some("shop")).get("password")).unwrap();
        (secret.metadata.labels.unwrap_or_default(), secret.metadata.annotations.unwrap_or_default())
    };
    let is_helms = |lab: &Lab| {
        let (labels, annotations) = metadata(lab);
        assert_eq!(labels, BTreeMap::from([("app.kubernetes.io/managed-by".to_owned(), "Helm".to_owned())]));
        let named = |key: &str| annotations.get(&format!("meta.helm.sh/{key}")).map(String::as_str);
        assert_eq!([named("release-name"), named("release-namespace")], [Some("shop"), Some("shop")]);
        assert!(!annotations.keys().any(|key| key.starts_with("meshform.dev/")), "{annotations:?}");
    };
    let lab = lab();
    lab.write("stack.yaml", &adoptable);
    lab.run("apply stack.yaml --auto-approve").ends_with(0);
    let before = drawn(&lab);

    // By an apply, by the command, and by a destroy.
    let applied = lab.copy();
    applied.write("stack.yaml", &without);
    let plan = applied.planned();
    assert!(!plan.is_empty() && plan.values().all(|(action, _)| action == "release"), "{plan:?}");
    applied.run("apply stack.yaml --auto-approve").ends_with(0);
    assert!(applied.planned().is_empty());
    let told = lab.copy();
    told.run("release stack.yaml charts.shop --auto-approve").ends_with(0);
    let gone = told.run("release stack.yaml charts.shop --auto-approve").ends_with(64);
    assert!(gone.stderr.contains("the state knows nothing of `charts.shop`"), "{}", gone.stderr);
    told.write("stack.yaml", STACK.split("charts:").next().unwrap());
    assert!(told.planned().is_empty());
    for lab in [&applied, &told] {
        is_helms(lab);
        assert_eq!(drawn(lab), before);
    }
    let destroyed = lab.copy();
    destroyed.write("stack.yaml", &without);
    destroyed.run("destroy stack.yaml --auto-approve").ends_with(0);
    assert_eq!(drawn(&destroyed), before);

    // Without the state nobody knows what belongs to it: nothing is deleted.
    lab.write("stack.yaml", &without);
    lab.lose_state();
    let plan = lab.planned();
    assert!(!plan.is_empty() && plan.values().all(|(action, _)| action == "release"), "{plan:?}");
    lab.run("apply stack.yaml --auto-approve").ends_with(0);
    is_helms(&lab);

    lab.write("stack.yaml", &format!("{adoptable}released: [charts]\n"));
    assert!(lab.run("validate stack.yaml").ends_with(1).stderr.contains("stack/address"));
    lab.write("stack.yaml", &format!("{adoptable}released: [charts.shop]\n"));
    assert!(lab.run("validate stack.yaml").ends_with(1).stderr.contains("stack/released"));
}

/// A lab of three releases of a chart that is only this template.
fn three_of(template: &str) -> Lab {
    let head = STACK.split("charts:\n").next().unwrap();
    let releases: String = ["one", "two", "three"]
        .map(|name| format!("  {name}: {{ chart: ./chart, namespace: shop, values: {{ name: {name} }} }}\n"))
        .concat();
    let lab = Lab::new(&format!("{head}charts:\n{releases}"));
    std::fs::create_dir_all(lab.path().join("chart/templates")).unwrap();
    lab.write("chart/Chart.yaml", FILES[0].1);
    lab.write("chart/templates/all.yaml", template);
    lab
}

/// Releases are rendered side by side.
#[test]
fn what_is_wrong_with_releases_is_told_in_the_order_of_the_stack() {
    let lab = three_of("{{ fail (printf \"%s is wrong\" .Values.name) }}");
    for _ in 0..3 {
        let told = lab.run("validate stack.yaml").ends_with(1).stderr;
        let places: Vec<usize> = ["one", "two", "three"].iter().filter_map(|name| told.find(&format!("{name} is wrong"))).collect();
        assert!(places.len() == 3 && places.is_sorted(), "{told}");
    }
}

#[test]
fn an_object_of_a_chart_may_nest_as_deep_as_values_may() {
    let blocks = "{{ range $level := until 990 }}\n{{ repeat (int $level) \" \" }} a:{{ end }}\n";
    let things = format!("apiVersion: example.com/v1\nkind: Thing\nmetadata: {{ name: {{{{ .Values.name }}}} }}\nspec:{blocks}");
    let lists = "apiVersion: v1\nkind: ConfigMap\nmetadata: { name: {{ .Values.name }} }\ndata: { a: {{ repeat 990 \"[\" }}{{ repeat 990 \"]\" }} }\n";
    let lab = three_of(&format!("{things}---\n{lists}"));
    lab.run("validate stack.yaml").ends_with(0);
    let plan = lab.run("plan --offline stack.yaml").ends_with(0).stdout;
    assert!(plan.contains("8 to create"), "{plan}");
}
