//! Istio upgraded by revision on a real API server, with an istiod of each revision: a second control plane from the official charts, a namespace
//! and a gateway that move in batches, the first control plane removed. Without `bed run --mesh` it says that it was skipped.

use std::collections::BTreeMap;

use serde_json::Value;

use super::bed::{Bed, variable};
use super::mesh::{charts, clean, is_served, istiod, until};
use crate::sandbox::lab::planned;
use crate::support::{Ran, meshform};

/// A mesh with a gateway, and an application in a namespace of it.
fn stack(charts: &str, istio: &str, revision: &str) -> String {
    format!(
        "version: 1\nstack: bedmesh\ncluster: {{ kubeconfig: {} }}\n\
         namespaces: {{ istio-system: {{}}, istio-ingress: {{}}, prod: {{ revision: {revision} }} }}\n\
         istio:\n  version: 1.31.0\n  source: {charts}\n{istio}  ingress: {{ public: {{ namespace: istio-ingress, revision: {revision} }} }}\n\
         manifests:\n  app:\n    namespace: prod\n    objects:\n      - apiVersion: apps/v1\n        kind: Deployment\n        metadata: {{ name: app }}\n        \
         spec:\n          replicas: 2\n          selector: {{ matchLabels: {{ app: app }} }}\n          \
         template: {{ metadata: {{ labels: {{ app: app }} }}, spec: {{ containers: [{{ name: app, image: example/app:1 }}] }} }}\n",
        variable("KUBECONFIG"),
    )
}

const ONE: &str = "  revision: one\n";
const BOTH: &str = "  revision: one\n  revisions: { two: { version: 1.31.0 } }\n";
const MOVED: &str = "  revision: one\n  revisions: { two: { version: 1.31.0 } }\n  batches:\n    - { namespaces: [prod], restart: true }\n    - { namespaces: [istio-ingress], restart: true }\n";
const TWO: &str = "  revision: two\n";

fn write(bed: &Bed, stack: &str) {
    std::fs::write(bed.path().join("stack.yaml"), stack).unwrap();
}

fn steps(bed: &Bed) -> BTreeMap<String, (String, Vec<String>)> {
    planned(&serde_json::from_str(&bed.run("plan stack.yaml --json").ends_with(0).stdout).unwrap())
}

/// Applies, and starts the istiod of a revision when its Deployment is there: it stands for the pods of that.
fn apply_with_istiod(bed: &Bed, revision: &str) -> Ran {
    let name = format!("istiod-{revision}");
    std::thread::scope(|scope| {
        let apply = scope.spawn(|| {
            let command = meshform(bed.path(), "apply stack.yaml --auto-approve").envs(Bed::environment()).output();
            Ran::of("apply", command.unwrap())
        });
        until("istiod's Deployment", || {
            bed.kube_get("/apis/apps/v1/deployments")["items"]
                .as_array()?
                .iter()
                .find(|one| one["metadata"]["name"] == name.as_str())
                .map(drop)
        });
        istiod(&format!("start --revision {revision}"));
        apply.join().unwrap()
    })
}

fn configuration(bed: &Bed, plural: &str, name: &str) -> Value {
    bed.kube_send("GET", &format!("/apis/admissionregistration.k8s.io/v1/{plural}/{name}"), &Value::Null)
}

/// Waits until an istiod has given its webhooks what it gives them, and answers for Istio's objects.
fn served(bed: &Bed, revision: &str) {
    for (plural, name) in [
        ("mutatingwebhookconfigurations", format!("istio-sidecar-injector-{revision}")),
        ("validatingwebhookconfigurations", format!("istio-validator-{revision}-istio-system")),
        ("validatingwebhookconfigurations", "istiod-default-validator".to_owned()),
    ] {
        until(&name, || is_served(&configuration(bed, plural, &name)).then_some(()));
    }
}

/// The revisions whose injectors made the pods of a namespace, with how many of them.
fn revisions(bed: &Bed, namespace: &str) -> BTreeMap<String, usize> {
    let mut found = BTreeMap::new();
    for pod in bed.kube_get(&format!("/api/v1/namespaces/{namespace}/pods"))["items"].as_array().unwrap() {
        if pod["metadata"].get("deletionTimestamp").is_some() {
            continue;
        }
        let status = pod["metadata"]["annotations"]["sidecar.istio.io/status"].as_str().unwrap_or("{}");
        let status: Value = serde_json::from_str(status).unwrap();
        *found.entry(status["revision"].as_str().unwrap_or("none").to_owned()).or_insert(0) += 1;
    }
    found
}

#[test]
fn a_revision_is_added_namespaces_move_to_it_and_the_old_one_goes() {
    let Some(charts) = charts() else { return };
    let bed = Bed::enter(&stack(&charts, ONE, "one"));
    let of = |revision: &str, count: usize| BTreeMap::from([(revision.to_owned(), count)]);
    apply_with_istiod(&bed, "one").ends_with(0);
    served(&bed, "one");
    assert_eq!(steps(&bed), BTreeMap::new());
    assert_eq!((revisions(&bed, "prod"), revisions(&bed, "istio-ingress")), (of("one", 2), of("one", 1)));

    // A second control plane beside it: nothing moves.
    write(&bed, &stack(&charts, BOTH, "one"));
    apply_with_istiod(&bed, "two").ends_with(0);
    until("the second injector", || {
        is_served(&configuration(&bed, "mutatingwebhookconfigurations", "istio-sidecar-injector-two")).then_some(())
    });
    served(&bed, "one");
    assert_eq!(steps(&bed), BTreeMap::new());
    assert_eq!((revisions(&bed, "prod"), revisions(&bed, "istio-ingress")), (of("one", 2), of("one", 1)));

    // The first one can't go: its pods are named.
    write(&bed, &stack(&charts, TWO, "two"));
    let refused = bed.run("plan stack.yaml").ends_with(1);
    assert!(
        refused.stdout.contains("error[plan/revision-in-use]") && refused.stdout.contains("deployment.apps/prod/app (2 pods)"),
        "{}",
        refused.stdout
    );

    // The namespace moves and is restarted, and then the gateway.
    write(&bed, &stack(&charts, MOVED, "two"));
    let plan = steps(&bed);
    assert_eq!(plan["deployment.apps/prod/app"].0, "restart", "{plan:?}");
    assert_eq!(plan["namespace/prod"].0, "update", "{plan:?}");
    let applied = bed.run("apply stack.yaml --auto-approve").ends_with(0);
    let place = |what: &str| applied.stderr.find(what).unwrap_or_else(|| panic!("{what} isn't in {}", applied.stderr));
    assert!(
        place("✓ deployment.apps/prod/app  restarted") < place("✓ deployment.apps/istio-ingress/public  updated"),
        "{}",
        applied.stderr
    );
    assert_eq!((revisions(&bed, "prod"), revisions(&bed, "istio-ingress")), (of("two", 2), of("two", 1)));
    let deployment = bed.kube_get("/apis/apps/v1/namespaces/prod/deployments/app");
    let managers = deployment["metadata"]["managedFields"].as_array().unwrap();
    assert!(managers.iter().any(|one| one["manager"] == "meshform-restart"), "{managers:?}");
    let (plan, requests) = bed.counted(|| steps(&bed));
    assert_eq!(plan, BTreeMap::new(), "neither the restart nor what istiod writes is a change");
    assert_eq!(requests.kube_verbs().get("list pods"), None, "nobody asks for pods when nothing moves");

    // And the first one goes; what checks Istio's objects is the second one's then.
    write(&bed, &stack(&charts, TWO, "two"));
    let applied = bed.run("apply stack.yaml --auto-approve").ends_with(0);
    let place = |what: &str| applied.stderr.find(what).unwrap_or_else(|| panic!("{what} isn't in {}", applied.stderr));
    assert!(
        place("✓ deployment.apps/istio-system/istiod-one  is ready") < place("  deleted"),
        "nothing of it goes before the look: {}",
        applied.stderr
    );
    assert!(applied.stderr.contains("✓ deployment.apps/istio-system/istiod-one  deleted"), "{}", applied.stderr);
    istiod("stop --revision one");
    served(&bed, "two");
    assert_eq!(configuration(&bed, "mutatingwebhookconfigurations", "istio-sidecar-injector-one"), Value::Null);
    let validator = configuration(&bed, "validatingwebhookconfigurations", "istiod-default-validator");
    assert_eq!(validator["webhooks"][0]["clientConfig"]["service"]["name"], "istiod-two");
    assert_eq!(steps(&bed), BTreeMap::new());
    assert_eq!((revisions(&bed, "prod"), revisions(&bed, "istio-ingress")), (of("two", 2), of("two", 1)));

    let destroyed = bed.run("destroy stack.yaml --auto-approve").ends_with(0);
    assert!(destroyed.stdout.contains("helm.sh/resource-policy: keep"), "{}", destroyed.stdout);
    istiod("stop --revision two");
    let left = bed.kube_get("/api/v1/namespaces");
    // istiod's own Secret and leader elections keep the control plane's namespace, as they do when Helm uninstalls it.
    assert!(
        destroyed.stdout.contains("< namespace/istio-system  release") && destroyed.stdout.contains("istio-leader"),
        "{}",
        destroyed.stdout
    );
    for kind in ["apps/v1/deployments", "autoscaling/v2/horizontalpodautoscalers", "policy/v1/poddisruptionbudgets"] {
        let left = bed.kube_get(&format!("/apis/{kind}"));
        assert!(left["items"].as_array().unwrap().iter().all(|one| one["metadata"]["namespace"] != "istio-system"), "{left}");
    }
    let ours = ["istio-ingress", "prod"];
    assert!(left["items"].as_array().unwrap().iter().all(|one| !ours.contains(&one["metadata"]["name"].as_str().unwrap())), "{left}");
    for kind in ["rbac.authorization.k8s.io/v1/clusterroles", "admissionregistration.k8s.io/v1/mutatingwebhookconfigurations"] {
        let left = bed.kube_get(&format!("/apis/{kind}"));
        assert!(left["items"].as_array().unwrap().iter().all(|one| !one["metadata"]["name"].as_str().unwrap().contains("istio")), "{left}");
    }
    clean(&bed);
}
