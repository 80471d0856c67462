//! Istio in the sandbox, from the stand-ins of its charts: installed in its order, at peace with istiod, changed, and removed.

use super::lab::{Lab, block_on};

const STACK: &str = r#"version: 1
stack: lab
cluster: { eks: demo }
aws: { region: eu-west-1, account: "000000000000" }
namespaces:
  istio-system: {}
  istio-ingress: {}
  prod: { injection: enabled }
istio:
  version: 1.31.0
  istiod: { values: { pilot: { replicaCount: 2 } } }
  ingress:
    public: { values: { replicaCount: 2 } }
manifests:
  app:
    namespace: prod
    objects:
      - apiVersion: apps/v1
        kind: Deployment
        metadata: { name: app }
        spec:
          selector: { matchLabels: { app: app } }
          template: { metadata: { labels: { app: app } }, spec: { containers: [{ name: app, image: example/app:1 }] } }
      - apiVersion: networking.istio.io/v1
        kind: VirtualService
        metadata: { name: app }
        spec: { hosts: [app.example.com] }
"#;

const INJECTOR: &str = "mutatingwebhookconfiguration.admissionregistration.k8s.io/istio-sidecar-injector";

/// The addresses in the order in which they were made, and became ready.
fn events(lab: &Lab, kind: &str) -> Vec<String> {
    let journal = std::fs::read_to_string(lab.path().join(".meshform/lab/events.jsonl")).unwrap();
    let entries = journal.lines().map(|line| serde_json::from_str::<serde_json::Value>(line).unwrap());
    entries.filter(|entry| entry["event"] == kind).map(|entry| entry["addr"].as_str().unwrap().to_owned()).collect()
}

#[test]
fn a_mesh_is_installed_in_its_order_and_stays_as_it_is() {
    let lab = Lab::new(STACK);
    let applied = lab.run("apply stack.yaml --auto-approve").ends_with(0);
    assert!(applied.stdout.contains("note: stand-ins"), "{}", applied.stdout);
    let created = events(&lab, "created");
    let at = |addr: &str| created.iter().position(|one| one == addr).unwrap_or_else(|| panic!("{addr} is not in {created:?}"));
    assert!(
        at("customresourcedefinition.apiextensions.k8s.io/virtualservices.networking.istio.io") < at("deployment.apps/istio-system/istiod")
    );
    assert!(at("deployment.apps/istio-system/istiod") < at(INJECTOR));
    for pods in ["deployment.apps/istio-ingress/public", "deployment.apps/prod/app"] {
        assert!(at(INJECTOR) < at(pods), "what the injector is asked about waits for it: {pods}");
    }
    assert!(
        at("validatingwebhookconfiguration.admissionregistration.k8s.io/istiod-default-validator")
            < at("virtualservice.networking.istio.io/prod/app")
    );
    assert!(lab.planned().is_empty());
    lab.run("sandbox advance 1h").ends_with(0);
    assert!(lab.planned().is_empty(), "istiod has closed the validators");
    lab.lose_state();
    assert!(lab.planned().is_empty());
    lab.run("apply stack.yaml --auto-approve").ends_with(0);
    let policy = || {
        let raw = lab.raw();
        let kind = kube::core::GroupVersionKind::gvk("admissionregistration.k8s.io", "v1", "ValidatingWebhookConfiguration");
        let webhooks: kube::api::Api<kube::api::DynamicObject> =
            kube::api::Api::all_with(raw.kube.clone(), &kube::core::ApiResource::from_gvk(&kind));
        block_on(async {
            webhooks.get("istiod-default-validator").await.unwrap().data.pointer("/webhooks/0/failurePolicy").unwrap().clone()
        })
    };
    assert_eq!(policy(), "Fail");
    lab.write("stack.yaml", &STACK.replace("pilot: { replicaCount: 2 }", "pilot: { replicaCount: 3 }"));
    let plan = lab.planned();
    assert_eq!(plan.len(), 1, "{plan:?}");
    assert_eq!(plan["deployment.apps/istio-system/istiod"].1, ["spec.replicas"]);
    lab.run("apply stack.yaml --auto-approve").ends_with(0);
    assert_eq!(policy(), "Fail", "an upgrade doesn't open them");
    assert!(lab.planned().is_empty());
}

#[test]
fn a_mesh_goes_and_leaves_its_definitions() {
    let lab = Lab::new(STACK);
    let before = lab.raw().dump();
    let definitions = |lab: &Lab| {
        let raw = lab.raw();
        let kind = kube::core::GroupVersionKind::gvk("apiextensions.k8s.io", "v1", "CustomResourceDefinition");
        let all: kube::api::Api<kube::api::DynamicObject> =
            kube::api::Api::all_with(raw.kube.clone(), &kube::core::ApiResource::from_gvk(&kind));
        block_on(async { all.list(&kube::api::ListParams::default()).await.unwrap().items.len() })
    };
    lab.run("apply stack.yaml --auto-approve").ends_with(0);
    let destroyed = lab.run("destroy stack.yaml --auto-approve").ends_with(0);
    assert!(destroyed.stdout.contains("5 to release"), "definitions that are to be kept stay, and are listed: {}", destroyed.stdout);
    assert_eq!(definitions(&lab), 5);
    assert_eq!(lab.raw().dump(), before);
    // And the same names are free for the next.
    lab.write("stack.yaml", &STACK.replace("version: 1.31.0", "version: 1.31.0\n  adopt: true"));
    lab.run("apply stack.yaml --auto-approve").ends_with(0);
    assert!(lab.planned().is_empty());
}

#[test]
fn definitions_that_are_to_be_kept_go_for_the_asking_where_nobody_needs_them() {
    let lab = Lab::new(STACK);
    lab.run("apply stack.yaml --auto-approve").ends_with(0);
    let raw = lab.raw();
    let service = kube::core::GroupVersionKind::gvk("networking.istio.io", "v1", "VirtualService");
    let services: kube::api::Api<kube::api::DynamicObject> =
        kube::api::Api::namespaced_with(raw.kube.clone(), "default", &kube::core::ApiResource::from_gvk(&service));
    let foreign: kube::api::DynamicObject = serde_json::from_value(serde_json::json!({
        "apiVersion": "networking.istio.io/v1", "kind": "VirtualService", "metadata": {"name": "theirs"}, "spec": {"hosts": ["theirs.example.com"]}
    }))
    .unwrap();
    block_on(async { services.create(&kube::api::PostParams::default(), &foreign).await.unwrap() });
    drop((services, raw));
    let plan = lab.run("plan stack.yaml --destroy").ends_with(0);
    assert!(plan.stdout.contains("`--delete-crds` deletes it"), "{}", plan.stdout);
    // A saved plan remembers what was asked for.
    lab.run("plan stack.yaml --destroy --delete-crds --out all.json").ends_with(0);
    let destroyed = lab.run("apply all.json").ends_with(0);
    let stays = "customresourcedefinition.apiextensions.k8s.io/virtualservices.networking.istio.io  release  the stack is destroyed; it stays, as it \
                 holds things that are not meshform's: virtualservices/theirs";
    assert!(destroyed.stdout.contains(stays), "{}", destroyed.stdout);
    let raw = lab.raw();
    let kind = kube::core::GroupVersionKind::gvk("apiextensions.k8s.io", "v1", "CustomResourceDefinition");
    let all: kube::api::Api<kube::api::DynamicObject> =
        kube::api::Api::all_with(raw.kube.clone(), &kube::core::ApiResource::from_gvk(&kind));
    let left = block_on(async { all.list(&kube::api::ListParams::default()).await.unwrap().items });
    let names: Vec<&str> = left.iter().filter_map(|one| one.metadata.name.as_deref()).collect();
    assert_eq!(names, ["virtualservices.networking.istio.io"]);
}

#[test]
fn a_gateway_that_no_injector_answers_for_is_not_made() {
    let lab = Lab::new(
        &STACK
            .replace("  public: { values: { replicaCount: 2 } }", "  public: { revision: other }")
            .replace("  istiod:", "  tags: [other]\n  istiod:"),
    );
    lab.run("apply stack.yaml --auto-approve").ends_with(0);
    // A namespace that says no: the pods would never start, and so they are not made.
    let stack = std::fs::read_to_string(lab.path().join("stack.yaml")).unwrap();
    let stack = stack.replace("istio-ingress: {}", "istio-ingress: {}\n  closed: { injection: disabled }");
    lab.write(
        "stack.yaml",
        &format!("{}timeouts: {{ ready: 1m }}\n", stack.replace("    public:", "    closed: { namespace: closed }\n    public:")),
    );
    let ran = lab.run("apply stack.yaml --auto-approve").ends_with(3);
    assert!(ran.stderr.contains("waits for the injector to put the proxy into its pods"), "{}", ran.stderr);
    let raw = lab.raw();
    let kind = kube::core::GroupVersionKind::gvk("apps", "v1", "Deployment");
    let deployments: kube::api::Api<kube::api::DynamicObject> =
        kube::api::Api::namespaced_with(raw.kube.clone(), "closed", &kube::core::ApiResource::from_gvk(&kind));
    assert!(block_on(async { deployments.get_opt("closed").await.unwrap() }).is_none());
}

#[test]
fn a_tag_moves_from_one_control_plane_to_the_other() {
    let two = STACK.replace("  istiod:", "  tags: [prod]\n  revisions: { 1-32-0: { version: 1.32.0 } }\n  istiod:");
    let lab = Lab::new(&two);
    lab.run("apply stack.yaml --auto-approve").ends_with(0);
    assert!(lab.planned().is_empty());
    let tag = "mutatingwebhookconfiguration.admissionregistration.k8s.io/istio-revision-tag-prod";
    let moved = two.replace("  tags: [prod]\n", "").replace("{ version: 1.32.0 }", "{ version: 1.32.0, tags: [prod] }");
    lab.write("stack.yaml", &moved);
    let plan = lab.planned();
    assert_eq!(plan.keys().collect::<Vec<_>>(), [tag], "the same tag, which stands for another control plane");
    assert_eq!(plan[tag].0, "update");
    lab.run("apply stack.yaml --auto-approve").ends_with(0);
    assert!(lab.planned().is_empty());
}

#[test]
fn a_stack_is_rendered_for_others_to_apply() {
    let lab = Lab::new(&format!(
        "{STACK}  secret:\n    objects: [{{ apiVersion: v1, kind: Secret, metadata: {{ name: x, namespace: prod }}, stringData: {{ word: planted }} }}]\n"
    ));
    let printed = lab.run("render stack.yaml").ends_with(0);
    assert!(printed.stdout.contains("kind: Deployment\n") && printed.stdout.contains("image: auto\n"), "{}", printed.stdout);
    assert!(!printed.stdout.contains("planted") && !printed.stdout.contains("meshform.dev/stack"), "{}", printed.stdout);
    assert!(printed.stderr.contains("Secrets are left out") && printed.stderr.contains("secret/prod/x"), "{}", printed.stderr);
    let count = printed.stdout.matches("---\n").count();
    assert_eq!(lab.run("render stack.yaml --json").ends_with(0).json().as_array().unwrap().len(), count);
    lab.run("render stack.yaml --output-dir out").ends_with(0);
    assert!(lab.path().join("out/istio-system/deployment.apps_istiod.yaml").exists());
    assert!(lab.path().join("out/_cluster/namespace_prod.yaml").exists());
    let mut files = 0;
    for folder in std::fs::read_dir(lab.path().join("out")).unwrap() {
        files += std::fs::read_dir(folder.unwrap().path()).unwrap().count();
    }
    assert_eq!(files, count);
}
