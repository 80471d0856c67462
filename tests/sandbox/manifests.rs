//! Objects of any kind: applied, planned empty, drifted, repaired, replaced, taken over, protected and removed.

use kube::api::{Api, DynamicObject, Patch, PatchParams, PostParams};
use kube::core::{ApiResource, GroupVersionKind};
use serde_json::{Value, json};

use super::lab::{Lab, Raw, block_on, planned};

const HEAD: &str = "version: 1\nstack: lab\ncluster: { eks: demo }\naws: { region: eu-west-1, account: \"000000000000\" }\n";

const STACK: &str = r#"manifests:
  web:
    files: [web.yaml, kinds/]
    namespace: web
    objects:
      - { apiVersion: v1, kind: Namespace, metadata: { name: web, labels: { tier: front } } }
      - { apiVersion: v1, kind: ConfigMap, metadata: { name: settings }, data: { mode: "on", level: "3" } }
      - { apiVersion: v1, kind: Secret, metadata: { name: pass }, stringData: { word: planted-word } }
"#;

const WEB: &str = r#"# What runs
apiVersion: apps/v1
kind: Deployment
metadata: { name: web, labels: { app: web } }
spec:
  replicas: 2
  selector: { matchLabels: { app: web } }
  template:
    metadata: { labels: { app: web } }
    spec:
      serviceAccountName: web
      containers:
        - name: web
          image: example/web:1
          env: [{ name: A, value: "1" }, { name: B, value: "2" }]
          ports: [{ containerPort: 8080 }]
          envFrom: [{ configMapRef: { name: settings } }]
          resources: { requests: { cpu: 0.5, memory: 1024Mi } }
---
apiVersion: v1
kind: List
items:
  - { apiVersion: v1, kind: ServiceAccount, metadata: { name: web } }
  - { apiVersion: v1, kind: Service, metadata: { name: web }, spec: { selector: { app: web }, ports: [{ port: 80, targetPort: 8080 }] } }
---
---
apiVersion: example.com/v1
kind: Thing
metadata: { name: one }
spec: { name: x }
"#;

const KIND: &str = r"apiVersion: apiextensions.k8s.io/v1
kind: CustomResourceDefinition
metadata: { name: things.example.com, creationTimestamp: null }
spec:
  group: example.com
  scope: Namespaced
  names: { plural: things, singular: thing, kind: Thing, listKind: ThingList }
  versions:
    - name: v1
      served: true
      storage: true
      schema: { openAPIV3Schema: { type: object, properties: { spec: { type: object, properties: { size: { type: integer, default: 3 }, name: { type: string } } } } } }
status: { storedVersions: [] }
";

const ALL: [&str; 8] = [
    "configmap/web/settings",
    "customresourcedefinition.apiextensions.k8s.io/things.example.com",
    "deployment.apps/web/web",
    "namespace/web",
    "secret/web/pass",
    "service/web/web",
    "serviceaccount/web/web",
    "thing.example.com/web/one",
];

fn lab() -> Lab {
    lab_with(STACK, WEB)
}

fn lab_with(stack: &str, web: &str) -> Lab {
    let lab = Lab::new(&format!("{HEAD}{stack}"));
    lab.write("web.yaml", web);
    std::fs::create_dir_all(lab.path().join("kinds")).unwrap();
    lab.write("kinds/thing.yaml", KIND);
    lab
}

fn applied() -> Lab {
    let lab = lab();
    lab.run("apply stack.yaml --auto-approve").ends_with(0);
    lab
}

fn objects(raw: &Raw, group: &str, kind: &str) -> Api<DynamicObject> {
    Api::namespaced_with(raw.kube.clone(), "web", &ApiResource::from_gvk(&GroupVersionKind::gvk(group, "v1", kind)))
}

fn get(raw: &Raw, group: &str, kind: &str, name: &str) -> Value {
    serde_json::to_value(block_on(objects(raw, group, kind).get(name)).unwrap()).unwrap()
}

fn patch_as(raw: &Raw, manager: &str, (group, kind, name): (&str, &str, &str), patch: &Value) {
    let params = PatchParams { field_manager: Some(manager.to_owned()), ..PatchParams::default() };
    block_on(objects(raw, group, kind).patch(name, &params, &Patch::Merge(patch))).unwrap();
}

fn fields(lab: &Lab, addr: &str) -> Vec<String> {
    lab.planned().remove(addr).map(|(_, fields)| fields).unwrap_or_default()
}

fn refusals(lab: &Lab, args: &str) -> Vec<(String, String)> {
    let plan = lab.run(&format!("plan stack.yaml --json {args}")).ends_with(1).json();
    let text = |refusal: &Value, key: &str| refusal[key].as_str().unwrap().to_owned();
    plan["refusals"].as_array().unwrap().iter().map(|one| (text(one, "code"), text(one, "reason"))).collect()
}

#[test]
fn objects_are_applied_planned_empty_found_again_and_removed() {
    let lab = lab();
    let before = lab.raw().dump();
    let plan = lab.planned();
    assert_eq!(plan.keys().collect::<Vec<_>>(), ALL, "{plan:?}");
    assert!(plan.values().all(|(action, _)| action == "create"), "{plan:?}");

    let said = lab.run("apply stack.yaml --auto-approve").ends_with(0);
    assert!(said.stderr.contains("waits for the object to be ready"), "{}", said.stderr);
    let raw = lab.raw();
    assert_eq!(get(&raw, "apps", "Deployment", "web")["status"]["readyReplicas"], 2, "ready by then");
    assert_eq!(get(&raw, "example.com", "Thing", "one")["spec"], json!({"size": 3, "name": "x"}), "with its default");
    assert_eq!(get(&raw, "", "Secret", "pass")["data"]["word"], "cGxhbnRlZC13b3Jk");
    drop(raw);

    assert!(lab.planned().is_empty());
    lab.lose_state();
    assert!(lab.planned().is_empty(), "found again by their labels");
    lab.run("apply stack.yaml --auto-approve").ends_with(0);
    assert!(lab.planned().is_empty());

    lab.run("destroy stack.yaml --auto-approve").ends_with(0);
    assert_eq!(lab.raw().dump(), before);
}

#[test]
fn workloads_of_every_kind_get_ready() {
    let template = "{ metadata: { labels: { app: web } }, spec: { containers: [{ name: web, image: \"example/web:1\" }] } }";
    let of = |kind: &str, more: &str| {
        format!(
            "---\napiVersion: apps/v1\nkind: {kind}\nmetadata: {{ name: web }}\nspec: {{ {more}selector: {{ matchLabels: {{ app: web }} }}, template: {template} }}\n"
        )
    };
    let web = [
        of("Deployment", "replicas: 2, "),
        of("StatefulSet", "serviceName: web, replicas: 2, "),
        of("DaemonSet", ""),
        "---\napiVersion: v1\nkind: Pod\nmetadata: { name: alone }\nspec: { containers: [{ name: web, image: \"example/web:1\" }] }\n".to_owned(),
        "---\napiVersion: batch/v1\nkind: Job\nmetadata: { name: once }\nspec: { template: { spec: { restartPolicy: Never, containers: [{ name: web, image: \"example/web:1\" }] } } }\n".to_owned(),
    ];
    let lab = lab_with(STACK, &web.concat());
    lab.run("apply stack.yaml --auto-approve").ends_with(0);
    let raw = lab.raw();
    for (group, kind, name, field, wanted) in [
        ("apps", "Deployment", "web", "readyReplicas", json!(2)),
        ("apps", "StatefulSet", "web", "readyReplicas", json!(2)),
        ("apps", "DaemonSet", "web", "numberReady", json!(2)),
        ("", "Pod", "alone", "phase", json!("Running")),
        ("batch", "Job", "once", "succeeded", json!(1)),
    ] {
        assert_eq!(get(&raw, group, kind, name)["status"][field], wanted, "{kind}");
    }
    drop(raw);
    assert!(lab.planned().is_empty());
}

#[test]
fn an_unchanged_stack_makes_no_dry_run() {
    let lab = applied();
    let run = lab.run("plan stack.yaml -vv").ends_with(0);
    assert!(!run.stderr.contains("patch"), "{}", run.stderr);
}

#[test]
fn a_change_touches_the_fields_that_it_names() {
    let lab = applied();
    lab.write("web.yaml", &WEB.replace("web:1", "web:2").replace("value: \"2\"", "value: \"5\"").replace("cpu: 0.5", "cpu: 500m"));
    let plan = lab.planned();
    let changed = ["spec.template.spec.containers[web].env[B].value", "spec.template.spec.containers[web].image"];
    assert_eq!(plan.keys().collect::<Vec<_>>(), ["deployment.apps/web/web"], "500m is 0.5");
    assert_eq!(plan["deployment.apps/web/web"].1, changed);
    lab.run("apply stack.yaml --auto-approve").ends_with(0);
    assert!(lab.planned().is_empty());

    // A field that is left out goes; one that nobody of ours ever set stays.
    patch_as(&lab.raw(), "someone", ("", "ConfigMap", "settings"), &json!({"data": {"theirs": "1"}}));
    assert!(lab.planned().is_empty(), "what others add is theirs");
    lab.write("stack.yaml", &format!("{HEAD}{STACK}").replace(", level: \"3\"", ""));
    assert_eq!(fields(&lab, "configmap/web/settings"), ["data.level"]);
    lab.run("apply stack.yaml --auto-approve").ends_with(0);
    assert_eq!(get(&lab.raw(), "", "ConfigMap", "settings")["data"], json!({"mode": "on", "theirs": "1"}));
}

#[test]
fn drift_is_told_with_its_manager_and_put_back() {
    let lab = applied();
    let container = json!({"name": "web", "image": "example/other", "env": [{"name": "A", "value": "1"}, {"name": "B", "value": "2"}],
        "ports": [{"containerPort": 8080, "protocol": "TCP"}], "envFrom": [{"configMapRef": {"name": "settings"}}],
        "resources": {"requests": {"cpu": "500m", "memory": "1Gi"}}, "terminationMessagePath": "/dev/termination-log",
        "terminationMessagePolicy": "File", "imagePullPolicy": "Always"});
    let patch = json!({"spec": {"template": {"spec": {"containers": [container]}}}});
    patch_as(&lab.raw(), "kubectl-edit", ("apps", "Deployment", "web"), &patch);
    patch_as(&lab.raw(), "kubectl-edit", ("", "ConfigMap", "settings"), &json!({"data": {"mode": null}}));
    let drift = lab.run("drift stack.yaml --json --detailed-exitcode").ends_with(2).json();
    let text = drift.to_string();
    assert!(text.contains("containers[web].image") && text.contains("data.mode"), "{drift:#}");
    let plan = lab.run("plan stack.yaml").ends_with(0).stdout;
    assert!(plan.contains("kubectl-edit"), "{plan}");
    lab.run("apply stack.yaml --auto-approve").ends_with(0);
    let raw = lab.raw();
    assert_eq!(get(&raw, "", "ConfigMap", "settings")["data"]["mode"], "on");
    assert_eq!(get(&raw, "apps", "Deployment", "web")["spec"]["template"]["spec"]["containers"][0]["image"], "example/web:1");
    drop(raw);
    assert!(lab.planned().is_empty());
}

#[test]
fn a_port_that_another_gave_another_number_is_put_back_in_place() {
    let lab = applied();
    let theirs = json!({"spec": {"ports": [{"port": 81, "protocol": "TCP", "targetPort": 8080}], "selector": {"app": "other"}}});
    patch_as(&lab.raw(), "kubectl-edit", ("", "Service", "web"), &theirs);
    let plan = lab.run("plan stack.yaml").ends_with(0).stdout;
    assert!(plan.contains("service/web/web  update") && plan.contains("spec.ports[80/TCP]"), "{plan}");
    let told = fields(&lab, "service/web/web");
    assert!(
        told.iter().any(|field| field.starts_with("spec.ports[")) && told.iter().any(|field| field.starts_with("spec.selector")),
        "{told:?}"
    );
    lab.run("apply stack.yaml --auto-approve").ends_with(0);
    let service = get(&lab.raw(), "", "Service", "web");
    assert_eq!(service["spec"]["ports"].as_array().unwrap().len(), 1, "{service}");
    assert_eq!((&service["spec"]["ports"][0]["port"], &service["spec"]["selector"]["app"]), (&json!(80), &json!("web")));
    let managers = service["metadata"]["managedFields"].as_array().unwrap();
    assert!(!managers.iter().any(|one| one["manager"] == "meshform" && one["operation"] == "Update"), "{managers:?}");
    assert!(lab.planned().is_empty());
}

#[test]
fn a_new_field_of_another_manager_is_taken_only_with_consent() {
    let lab = applied();
    patch_as(&lab.raw(), "someone", ("", "ConfigMap", "settings"), &json!({"data": {"extra": "theirs"}}));
    let stack = format!("{HEAD}{STACK}").replace("level: \"3\"", "level: \"3\", extra: ours");
    lab.write("stack.yaml", &stack);
    let [(code, reason)] = &refusals(&lab, "")[..] else { panic!() };
    assert_eq!((code.as_str(), reason.as_str()), ("plan/field-conflict", "`data.extra` of `configmap/web/settings` is managed by someone"));
    lab.write("stack.yaml", &stack.replace("    namespace: web\n", "    namespace: web\n    force: [data.other]\n"));
    assert_eq!(refusals(&lab, "").len(), 1, "another field than that");
    lab.write("stack.yaml", &stack.replace("    namespace: web\n", "    namespace: web\n    force: [data.extra]\n"));
    lab.run("apply stack.yaml --auto-approve").ends_with(0);
    assert_eq!(get(&lab.raw(), "", "ConfigMap", "settings")["data"]["extra"], "ours");
    assert!(lab.planned().is_empty());
}

#[test]
fn what_is_ignored_stays_as_it_is() {
    let rules = "    rules: [{ for: deployment.apps/*/web, ignore: [spec.replicas] }]\n";
    let lab = lab_with(&format!("{STACK}{rules}"), WEB);
    lab.run("apply stack.yaml --auto-approve").ends_with(0);
    patch_as(&lab.raw(), "someone", ("apps", "Deployment", "web"), &json!({"spec": {"replicas": 7}}));
    assert!(lab.planned().is_empty());
    lab.write("web.yaml", &WEB.replace("web:1", "web:2"));
    lab.run("apply stack.yaml --auto-approve").ends_with(0);
    assert_eq!(get(&lab.raw(), "apps", "Deployment", "web")["spec"]["replicas"], 7);
    assert!(lab.planned().is_empty());
}

#[test]
fn a_field_that_cannot_change_is_replaced_only_with_consent() {
    let lab = applied();
    let uid = get(&lab.raw(), "apps", "Deployment", "web")["metadata"]["uid"].clone();
    lab.write("web.yaml", &WEB.replace("app: web }", "app: web, part: b }"));
    let [(code, reason)] = &refusals(&lab, "")[..] else { panic!() };
    assert_eq!(code, "plan/immutable");
    assert!(reason.contains("spec.selector") && reason.contains("immutable"), "{reason}");
    lab.write("stack.yaml", &format!("{HEAD}{STACK}    rules: [{{ for: '*', replace: true }}]\n"));
    let plan = lab.planned();
    assert_eq!(plan["deployment.apps/web/web"].0, "replace");
    lab.run("apply stack.yaml --auto-approve").ends_with(0);
    assert_ne!(get(&lab.raw(), "apps", "Deployment", "web")["metadata"]["uid"], uid);
    assert!(lab.planned().is_empty());

    lab.run("apply stack.yaml --auto-approve --replace configmap/web/settings").ends_with(0);
    assert!(lab.planned().is_empty());
    assert_eq!(refusals(&lab, "--replace namespace/web")[0].0, "plan/no-replacement");
}

#[test]
fn an_object_is_held_against_the_definition_that_comes_with_it() {
    let lab = Lab::new(&format!("{HEAD}manifests:\n  things: {{ files: things.yaml }}\n"));
    let schema = json!({"type": "object", "properties": {"spec": {"type": "object", "required": ["size"], "properties": {
        "size": {"type": "integer", "maximum": 9}, "mode": {"type": "string", "enum": ["a", "b"]}}}}});
    let definition = json!({"apiVersion": "apiextensions.k8s.io/v1", "kind": "CustomResourceDefinition", "metadata": {"name": "things.example.com"},
        "spec": {"group": "example.com", "scope": "Cluster", "names": {"plural": "things", "kind": "Thing"},
            "versions": [{"name": "v1", "served": true, "storage": true, "schema": {"openAPIV3Schema": schema}}]}});
    let write = |version: &str, spec: Value| {
        let thing = json!({"apiVersion": format!("example.com/{version}"), "kind": "Thing", "metadata": {"name": "one"}, "spec": spec});
        lab.write("things.yaml", &format!("{definition}\n---\n{thing}\n"));
    };
    for (version, spec, words) in [
        ("v1", json!({"size": "1"}), "`spec.size` of `thing.example.com/one` is to be of type integer, and is of type string"),
        ("v1", json!({"size": 10}), "should be less than or equal to 9"),
        ("v1", json!({"mode": "a"}), "`spec.size` of `thing.example.com/one` is missing"),
        ("v1", json!({"size": 1, "mode": "c"}), "allowed: a, b"),
        ("v1", json!({"size": 1, "moed": "a"}), "did you mean `mode`?"),
        ("v3", json!({"size": 1}), "it serves v1"),
    ] {
        write(version, spec.clone());
        let ran = lab.run("validate stack.yaml").ends_with(1);
        assert!(ran.stderr.contains("manifest/schema") && ran.stderr.contains(words), "{spec}: {}", ran.stderr);
        assert!(ran.stderr.contains("things.yaml:"), "the place: {}", ran.stderr);
    }
    write("v1", json!({"size": 1, "mode": "a"}));
    lab.run("apply stack.yaml --auto-approve").ends_with(0);
}

#[test]
fn a_field_that_is_dropped_after_an_adoption_goes_although_a_tool_wrote_it() {
    let lab = Lab::new(&format!("{HEAD}manifests:\n  web: {{ files: web.yaml, adopt: true }}\n"));
    let raw = lab.raw();
    let settings =
        |data: Value| json!({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "settings", "namespace": "web"}, "data": data});
    let params = PostParams { field_manager: Some("kubectl-client-side-apply".into()), ..PostParams::default() };
    let space = json!({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "web"}});
    block_on(raw.objects("Namespace", None).create(&params, &serde_json::from_value(space.clone()).unwrap())).unwrap();
    let theirs = settings(json!({"both": "1", "kept": "1", "theirs": "1"}));
    block_on(raw.objects("ConfigMap", Some("web")).create(&params, &serde_json::from_value(theirs).unwrap())).unwrap();
    let write =
        |data: Value| lab.write("web.yaml", &json!({"apiVersion": "v1", "kind": "List", "items": [space, settings(data)]}).to_string());
    write(json!({"both": "1", "kept": "1"}));
    let plan = lab.planned();
    assert_eq!(plan["configmap/web/settings"].0, "adopt", "{plan:?}");
    lab.run("apply stack.yaml --auto-approve").ends_with(0);
    assert!(lab.planned().is_empty());
    write(json!({"kept": "1"}));
    assert_eq!(lab.planned()["configmap/web/settings"], ("update".to_owned(), vec!["data.both".to_owned()]));
    lab.run("apply stack.yaml --auto-approve").ends_with(0);
    assert!(lab.planned().is_empty());
    let left = block_on(raw.objects("ConfigMap", Some("web")).get("settings")).unwrap();
    assert_eq!(left.data["data"], json!({"kept": "1", "theirs": "1"}), "what the stack never named stays theirs");
}

#[test]
fn an_object_of_another_is_refused_adopted_and_released() {
    let lab = lab();
    let raw = lab.raw();
    let params = PostParams { field_manager: Some("kubectl-create".into()), ..PostParams::default() };
    let make = |kind: &str, namespace: Option<&str>, object: Value| {
        block_on(raw.objects(kind, namespace).create(&params, &serde_json::from_value(object).unwrap())).unwrap();
    };
    make("Namespace", None, json!({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "web"}}));
    make(
        "ConfigMap",
        Some("web"),
        json!({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "settings"}, "data": {"mode": "off", "x": "y"}}),
    );
    drop(raw);
    let told = refusals(&lab, "");
    assert_eq!(told.len(), 2, "{told:?}");
    assert!(told.iter().all(|(code, reason)| code == "plan/foreign" && reason.contains("kubectl-create")), "{told:?}");
    lab.write("stack.yaml", &format!("{HEAD}{STACK}    rules: [{{ for: configmap/web/*, adopt: true }}]\n"));
    let plan = planned(&lab.run("plan stack.yaml --json --adopt namespace/web").ends_with(0).json());
    assert_eq!(plan["configmap/web/settings"].0, "adopt");
    assert!(plan["configmap/web/settings"].1.contains(&"data.mode".to_owned()), "{plan:?}");
    lab.run("apply stack.yaml --auto-approve --adopt namespace/web").ends_with(0);
    assert!(lab.planned().is_empty());
    assert_eq!(get(&lab.raw(), "", "ConfigMap", "settings")["data"], json!({"mode": "on", "level": "3", "x": "y"}));
    lab.run("destroy stack.yaml --auto-approve").ends_with(0);
    let left = get(&lab.raw(), "", "ConfigMap", "settings");
    assert_eq!(left["metadata"]["labels"], Value::Null, "{left}");
}

#[test]
fn what_is_protected_or_kept_is_not_deleted() {
    let rules = "    rules: [{ for: configmap/web/settings, protect: true }]\n";
    let lab = lab_with(
        &format!("{STACK}{rules}"),
        &WEB.replace("metadata: { name: one }", "metadata: { name: one, annotations: { helm.sh/resource-policy: keep } }"),
    );
    lab.run("apply stack.yaml --auto-approve").ends_with(0);
    assert!(lab.planned().is_empty());
    let told = refusals(&lab, "--destroy");
    assert_eq!(told.len(), 1, "{told:?}");
    assert_eq!(told[0].0, "plan/protected");
    lab.run("destroy stack.yaml --auto-approve").ends_with(1);
    assert_eq!(refusals(&lab, "--replace configmap/web/settings")[0].0, "plan/protected");
    lab.write("stack.yaml", &format!("{HEAD}{STACK}"));
    assert_eq!(lab.planned().keys().collect::<Vec<_>>(), ["configmap/web/settings"], "the mark goes");
    lab.run("apply stack.yaml --auto-approve").ends_with(0);
    let plan = planned(&lab.run("plan stack.yaml --destroy --json").ends_with(0).json());
    assert_eq!(plan["thing.example.com/web/one"].0, "release", "{plan:?}");
    assert_eq!(plan["customresourcedefinition.apiextensions.k8s.io/things.example.com"].0, "release", "it would take the kept one with it");
    lab.run("destroy stack.yaml --auto-approve").ends_with(0);
    assert_eq!(get(&lab.raw(), "example.com", "Thing", "one")["spec"]["name"], "x");
}

#[test]
fn a_definition_stays_as_long_as_others_use_it() {
    let lab = applied();
    let raw = lab.raw();
    let theirs = json!({"apiVersion": "example.com/v1", "kind": "Thing", "metadata": {"name": "theirs"}, "spec": {}});
    block_on(objects(&raw, "example.com", "Thing").create(&PostParams::default(), &serde_json::from_value(theirs).unwrap())).unwrap();
    drop(raw);
    lab.write("kinds/thing.yaml", "# nothing\n");
    lab.write("web.yaml", WEB.split("---\n---").next().unwrap());
    let plan = lab.planned();
    assert_eq!(plan["thing.example.com/web/one"].0, "delete", "{plan:?}");
    assert_eq!(plan["customresourcedefinition.apiextensions.k8s.io/things.example.com"].0, "release", "{plan:?}");
    lab.run("apply stack.yaml --auto-approve").ends_with(0);
    assert_eq!(get(&lab.raw(), "example.com", "Thing", "theirs")["metadata"]["name"], "theirs");
    assert!(lab.planned().is_empty());
}

#[test]
fn what_the_server_would_refuse_is_refused_before_anything_is_changed() {
    let lab = applied();
    let before = lab.raw().dump();
    for (name, manifest, code, part) in [
        ("an unknown field", "{ apiVersion: v1, kind: ConfigMap, metadata: { name: x }, dat: { a: b } }", "plan/invalid", "dat"),
        ("a bad value", "{ apiVersion: v1, kind: ConfigMap, metadata: { name: x }, data: { a b: c } }", "plan/invalid", "data[a b]"),
        (
            "a kind that isn't there",
            "{ apiVersion: nothing.io/v1, kind: Thing, metadata: { name: x } }",
            "plan/no-kind",
            "Thing of nothing.io/v1",
        ),
    ] {
        lab.write("more.yaml", manifest);
        lab.write("stack.yaml", &format!("{HEAD}{STACK}  more: {{ files: more.yaml, namespace: web }}\n"));
        let told = refusals(&lab, "");
        assert_eq!(told.len(), 1, "{name}: {told:?}");
        assert!(told[0].0 == code && told[0].1.contains(part), "{name}: {told:?}");
        lab.run("apply stack.yaml --auto-approve").ends_with(1);
    }
    assert_eq!(lab.raw().dump(), before);
}

#[test]
fn manifests_that_cannot_be_read_are_told_with_their_place() {
    for (name, text, wanted) in [
        ("no YAML", "a: [\n", "more.yaml:"),
        ("no object", "a: 1\n", "an `apiVersion`"),
        ("no name", "apiVersion: v1\nkind: ConfigMap\nmetadata: { generateName: x- }\n", "a generated one would be new each time"),
        ("no namespace", "apiVersion: v1\nkind: ConfigMap\nmetadata: { name: x }\n", "names no namespace"),
        ("a number in a label", "apiVersion: v1\nkind: Namespace\nmetadata: { name: x, labels: { a: 1 } }\n", "write \"1\", in quotes"),
        ("our own label", "apiVersion: v1\nkind: Namespace\nmetadata: { name: x, labels: { meshform.dev/stack: y } }\n", "meshform's own"),
        ("no base64", "apiVersion: v1\nkind: Secret\nmetadata: { name: x, namespace: a }\ndata: { a: planted-text! }\n", "not base64"),
        ("a secret that can't be read", "kind: Secret\nstringData: { a: [planted-text }\n", "more.yaml:1"),
        ("a path out of its place", "apiVersion: v1\nkind: ConfigMap\nmetadata: { name: ../x, namespace: a }\n", "no name for a ConfigMap"),
    ] {
        let lab = Lab::new(&format!("{HEAD}manifests: {{ more: {{ files: more.yaml }} }}\n"));
        lab.write("more.yaml", text);
        let ran = lab.run("validate stack.yaml").ends_with(1);
        assert!(ran.stderr.contains(wanted), "{name}: {}", ran.stderr);
        assert!(!ran.stderr.contains("planted-text"), "{name}: {}", ran.stderr);
    }
    let lab = Lab::new(&format!("{HEAD}manifests: {{ more: {{ files: [nowhere.yaml, empty] }} }}\n"));
    std::fs::create_dir(lab.path().join("empty")).unwrap();
    let ran = lab.run("validate stack.yaml").ends_with(1);
    assert!(ran.stderr.contains("`nowhere.yaml` does not exist") && ran.stderr.contains("`empty` holds no"), "{}", ran.stderr);
}

#[test]
fn an_object_that_never_gets_ready_fails_with_its_reason_and_the_same_command_goes_on() {
    let web =
        WEB.replace("image: example/web:1", "image: \"No Image\"").replace("  replicas: 2", "  replicas: 2\n  progressDeadlineSeconds: 60");
    let lab = lab_with(STACK, &web);
    let ran = lab.run("apply stack.yaml --auto-approve").ends_with(3);
    assert!(ran.stderr.contains("ProgressDeadlineExceeded"), "{}", ran.stderr);
    assert_eq!(lab.planned()["deployment.apps/web/web"].0, "read");
    lab.write("web.yaml", WEB);
    lab.run("apply stack.yaml --auto-approve").ends_with(0);
    assert!(lab.planned().is_empty());
}

#[test]
fn a_secret_shows_nowhere() {
    let lab = applied();
    lab.write("stack.yaml", &format!("{HEAD}{STACK}").replace("planted-word", "planted-other"));
    let mut seen = String::new();
    for args in [
        "plan stack.yaml",
        "plan stack.yaml --json",
        "plan stack.yaml --out p.json",
        "show stack.yaml",
        "apply stack.yaml --auto-approve -vv",
        "state show stack.yaml",
    ] {
        let ran = lab.run(args).ends_with(0);
        seen.push_str(&ran.stdout);
        seen.push_str(&ran.stderr);
    }
    assert!(seen.contains("data.word"), "{seen}");
    for entry in std::fs::read_dir(lab.path().join(".meshform/lab")).unwrap() {
        seen.push_str(&std::fs::read_to_string(entry.unwrap().path()).unwrap_or_default());
    }
    seen.push_str(&std::fs::read_to_string(lab.path().join("p.json")).unwrap());
    for word in ["planted-word", "planted-other", "cGxhbnRlZC13b3Jk", "cGxhbnRlZC1vdGhlcg"] {
        assert!(!seen.contains(word), "{word} in {seen}");
    }
    assert_eq!(get(&lab.raw(), "", "Secret", "pass")["data"]["word"], "cGxhbnRlZC1vdGhlcg==");
}

#[test]
fn deliveries_go_to_a_namespace_of_a_manifest() {
    let certificate = "certificates:\n  edge: { domain: shop.example.com, zone: example.com, export: true, tls_secrets: [{ namespace: web, name: tls }] }\n";
    let lab = lab_with(
        &format!("{STACK}{certificate}"),
        &WEB.replace(
            "      serviceAccountName: web",
            "      serviceAccountName: web\n      volumes: [{ name: tls, secret: { secretName: tls } }]",
        ),
    );
    let graph = lab.run("graph stack.yaml --target deployment.apps/web/web").ends_with(0).stdout;
    for needed in
        ["secret/web/tls is created", "configmap/web/settings is created", "serviceaccount/web/web is created", "namespace/web is ready"]
    {
        assert!(graph.contains(needed), "{needed}: {graph}");
    }
    lab.run("apply stack.yaml --auto-approve").ends_with(0);
    assert!(lab.planned().is_empty());
    lab.run("rotate stack.yaml --reissue").ends_with(0);
    assert!(lab.planned().is_empty());
    lab.run("destroy stack.yaml --auto-approve").ends_with(0);
}

#[test]
fn templates_are_given_checked_inputs() {
    let stack = "vars: { size: 4 }\nmanifests:\n  web:\n    files: [web.yaml, kinds/]\n    namespace: web\n    templates:\n      - { template: restricted-namespace, inputs: { name: web, labels: { tier: front }, from: [other] } }\n      - { template: autoscaling, inputs: { name: web, namespace: web, labels: { app: web }, max: \"${vars.size}\" } }\n      - { template: own, inputs: { words: [\"a: b\", \"}} {{\"] } }\n";
    let lab = lab_with(stack, &WEB.replace("          envFrom: [{ configMapRef: { name: settings } }]\n", ""));
    std::fs::create_dir_all(lab.path().join("templates")).unwrap();
    let own = "{# inputs: { words: { type: list }, mode: { type: string, default: \"on\" } } #}\napiVersion: v1\nkind: ConfigMap\nmetadata: { name: own }\ndata:\n  mode: {{ mode }}\n  {% for word in words %}w{{ loop.index }}: {{ word }}\n  {% endfor %}\n";
    lab.write("templates/own.yaml", own);
    lab.run("apply stack.yaml --auto-approve").ends_with(0);
    let raw = lab.raw();
    assert_eq!(get(&raw, "", "ConfigMap", "own")["data"], json!({"mode": "on", "w1": "a: b", "w2": "}} {{"}));
    let policy = get(&raw, "networking.k8s.io", "NetworkPolicy", "from-known");
    assert_eq!(policy["spec"]["ingress"][0]["from"][1]["namespaceSelector"]["matchLabels"]["kubernetes.io/metadata.name"], "other");
    assert_eq!(get(&raw, "policy", "PodDisruptionBudget", "web")["spec"]["maxUnavailable"], 1);
    drop(raw);
    assert!(lab.planned().is_empty());
    for (name, change, wanted) in [
        ("a missing input", ("{ words: ", "{ word: "), "has no input `word`"),
        ("a wrong type", ("max: \"${vars.size}\"", "max: many"), "`max` of built-in template autoscaling is a whole number"),
        ("an unknown template", ("template: own", "template: owm"), "neither `templates/owm.yaml` nor a built-in template"),
    ] {
        lab.write("stack.yaml", &format!("{HEAD}{stack}").replace(change.0, change.1));
        let ran = lab.run("validate stack.yaml").ends_with(1);
        assert!(ran.stderr.contains(wanted), "{name}: {}", ran.stderr);
    }
    lab.write("stack.yaml", &format!("{HEAD}{stack}"));
    lab.write("templates/own.yaml", &own.replace("{{ mode }}", "{{ moda }}"));
    let ran = lab.run("validate stack.yaml").ends_with(1);
    assert!(ran.stderr.contains("templates/own.yaml:6:") && ran.stderr.contains("stack.yaml:13:"), "{}", ran.stderr);
    // A stack's own template takes the place of a built-in one, which can be printed to begin with.
    let built_in = lab.run("template show autoscaling").ends_with(0).stdout;
    lab.write("templates/autoscaling.yaml", &built_in.replace("maxUnavailable: {{ unavailable }}", "minAvailable: 2"));
    lab.write("templates/own.yaml", own);
    assert_eq!(fields(&lab, "poddisruptionbudget.policy/web/web"), ["spec.maxUnavailable", "spec.minAvailable"]);
    assert!(lab.run("template list").ends_with(0).stdout.contains("restricted-namespace"));
}

#[test]
fn a_saved_plan_holds_through_unrelated_changes_and_not_through_related_ones() {
    let lab = applied();
    lab.write("web.yaml", &WEB.replace("web:1", "web:2"));
    lab.run("plan stack.yaml --out one.json").ends_with(0);
    lab.run("plan stack.yaml --out two.json").ends_with(0);
    // A status, someone's label, and drift elsewhere: none of it is what was decided.
    let label = json!({"metadata": {"labels": {"theirs": "x"}}, "status": {"replicas": 1}});
    patch_as(&lab.raw(), "someone", ("apps", "Deployment", "web"), &label);
    patch_as(&lab.raw(), "someone", ("example.com", "Thing", "one"), &json!({"spec": {"name": "off"}}));
    lab.run("apply one.json").ends_with(0);
    let raw = lab.raw();
    assert_eq!(get(&raw, "apps", "Deployment", "web")["spec"]["template"]["spec"]["containers"][0]["image"], "example/web:2");
    assert_eq!(get(&raw, "example.com", "Thing", "one")["spec"]["name"], "off", "what was not decided is left alone");
    drop(raw);
    let ran = lab.run("apply two.json").ends_with(1);
    assert!(ran.stderr.contains("deployment.apps/web/web"), "{}", ran.stderr);
    // What was decided differs by now.
    lab.write("web.yaml", &WEB.replace("web:1", "web:3"));
    lab.run("plan stack.yaml --out three.json").ends_with(0);
    lab.write("web.yaml", &WEB.replace("web:1", "web:4"));
    let ran = lab.run("apply three.json").ends_with(1);
    assert!(ran.stderr.contains("the stack"), "{}", ran.stderr);
}

#[test]
fn what_was_not_waited_for_is_ready_by_the_next_plan() {
    let lab = lab();
    lab.run("apply stack.yaml --auto-approve --no-wait");
    lab.run("sandbox advance 1m").ends_with(0);
    lab.run("apply stack.yaml --auto-approve --no-wait");
    lab.run("sandbox advance 1m").ends_with(0);
    assert!(lab.planned().is_empty(), "{:?}", lab.planned());
}
