//! A mesh that is made for Helm to take: given to the real Helm, taken over from it, and given back, with the same pods all the while.
//! Without `bed run --mesh` it says that it was skipped.

use std::collections::BTreeMap;

use serde_json::Value;

use super::bed::{Bed, variable};
use super::mesh::{charts, clean, helm_run, is_served, istiod, until};
use crate::sandbox::lab::planned;

/// A stack with these sections; its namespaces are there before it and after it.
fn stack(sections: &str) -> String {
    format!("version: 1\nstack: givenback\ncluster: {{ kubeconfig: {} }}\n{sections}", variable("KUBECONFIG"))
}

fn mesh(charts: &str, more: &str) -> String {
    let istio = format!("istio:\n  version: 1.31.0\n  source: {charts}\n  adoptable: true\n{more}");
    stack(&format!("{istio}  ingress: {{ public: {{ namespace: istio-ingress }} }}\n"))
}

fn steps(bed: &Bed) -> BTreeMap<String, (String, Vec<String>)> {
    planned(&serde_json::from_str(&bed.run("plan stack.yaml --json").ends_with(0).stdout).unwrap())
}

/// Has Helm take the three releases, or bring them up to what it has already.
fn taken_by_helm(charts: &str) {
    let take = |release: &str, chart: &str, namespace: &str, more: &str| {
        helm_run(&format!("upgrade --install {release} {charts}/{chart} --namespace {namespace} --wait --timeout 2m{more}"));
    };
    take("istio-base", "base", "istio-system", "");
    take("istiod", "istiod", "istio-system", "");
    take("public", "gateway", "istio-ingress", " --set service.type=NodePort");
}

/// Each pod of the mesh with its uid and how often its workload was changed.
fn pods(bed: &Bed) -> BTreeMap<String, String> {
    let mut pods = BTreeMap::new();
    for namespace in ["istio-system", "istio-ingress"] {
        for pod in bed.kube_get(&format!("/api/v1/namespaces/{namespace}/pods"))["items"].as_array().unwrap() {
            let text = |pointer: &str| pod.pointer(pointer).and_then(Value::as_str).unwrap_or_default().to_owned();
            pods.insert(text("/metadata/name"), format!("{} {}", text("/metadata/uid"), text("/spec/containers/0/image")));
        }
    }
    pods
}

fn is_at_peace(bed: &Bed) {
    let webhooks = [
        ("mutatingwebhookconfigurations", "istio-sidecar-injector"),
        ("validatingwebhookconfigurations", "istio-validator-istio-system"),
        ("validatingwebhookconfigurations", "istiod-default-validator"),
    ];
    for (plural, name) in webhooks {
        let live = || bed.kube_get(&format!("/apis/admissionregistration.k8s.io/v1/{plural}/{name}"));
        until(name, || is_served(&live()).then_some(()));
    }
}

#[test]
fn a_mesh_goes_to_helm_and_comes_back_and_no_pod_notices() {
    let Some(charts) = charts() else { return };
    let bed = Bed::enter(&mesh(&charts, ""));
    for namespace in ["istio-system", "istio-ingress"] {
        bed.kube_send("POST", "/api/v1/namespaces", &serde_json::json!({"metadata": {"name": namespace}}));
    }

    // Installed by meshform, with nothing of Helm's before it.
    let applied = std::thread::scope(|scope| {
        let apply = scope.spawn(|| {
            let command = crate::support::meshform(bed.path(), "apply stack.yaml --auto-approve").envs(Bed::environment()).output();
            crate::support::Ran::of("apply", command.unwrap())
        });
        until("istiod's Deployment", || {
            bed.kube_get("/apis/apps/v1/deployments")["items"].as_array()?.iter().find(|one| one["metadata"]["name"] == "istiod").map(drop)
        });
        istiod("start");
        apply.join().unwrap()
    });
    applied.ends_with(0);
    is_at_peace(&bed);
    assert_eq!(steps(&bed), BTreeMap::new());
    let before = pods(&bed);
    assert!(before.len() >= 2 && before.values().any(|pod| pod.contains("proxyv2")), "{before:?}");

    // Given to Helm.
    std::fs::write(bed.path().join("stack.yaml"), stack("released: [istio]\n")).unwrap();
    let plan = steps(&bed);
    assert!(plan.len() > 30 && plan.values().all(|(action, _)| action == "release"), "{plan:?}");
    bed.run("apply stack.yaml --auto-approve").ends_with(0);
    assert_eq!(steps(&bed), BTreeMap::new());
    taken_by_helm(&charts);
    is_at_peace(&bed);
    assert_eq!(pods(&bed), before, "Helm has taken it");
    assert_eq!(steps(&bed), BTreeMap::new(), "what is Helm's isn't claimed");
    let listed = helm_run("list --all-namespaces --short");
    assert_eq!(listed.split_whitespace().filter(|name| ["istio-base", "istiod", "public"].contains(name)).count(), 3, "{listed}");

    // Taken over from it: its records stay, as it is to have it again.
    std::fs::write(bed.path().join("stack.yaml"), mesh(&charts, "  adopt: true\n")).unwrap();
    let plan = steps(&bed);
    assert!(plan.len() > 30, "{plan:?}");
    for (addr, (action, fields)) in &plan {
        let beyond: Vec<&String> = fields.iter().filter(|field| !field.contains("meshform.dev/")).collect();
        assert!(action == "adopt" && beyond.is_empty(), "{addr} {action}: {beyond:?}");
    }
    bed.run("apply stack.yaml --auto-approve").ends_with(0);
    assert_eq!(steps(&bed), BTreeMap::new());
    assert_eq!(pods(&bed), before, "it was taken over");

    // What was adopted is let go with its section, and Helm goes on where it was.
    std::fs::write(bed.path().join("stack.yaml"), stack("")).unwrap();
    let plan = steps(&bed);
    assert!(plan.len() > 30 && plan.values().all(|(action, _)| action == "release"), "{plan:?}");
    bed.run("apply stack.yaml --auto-approve").ends_with(0);
    taken_by_helm(&charts);
    is_at_peace(&bed);
    assert_eq!(pods(&bed), before, "Helm has it again");
    assert_eq!(steps(&bed), BTreeMap::new());

    for (release, namespace) in [("public", "istio-ingress"), ("istiod", "istio-system"), ("istio-base", "istio-system")] {
        helm_run(&format!("uninstall {release} --namespace {namespace} --wait"));
    }
    istiod("stop");
    clean(&bed);
}
