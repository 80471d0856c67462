//! A stack's own mesh, on a real API server with simulated nodes and a real istiod: installed from the official charts, at peace with istiod,
//! changed, compared with Helm's, and removed. Without `bed run --mesh` it says that it was skipped.

use std::collections::BTreeMap;

use serde_json::Value;

use super::bed::{Bed, variable};
use super::mesh::{charts, clean, helm_run, is_served, istiod, until};
use crate::sandbox::lab::planned;

const WEBHOOKS: [(&str, &str); 3] = [
    ("mutatingwebhookconfigurations", "istio-sidecar-injector"),
    ("validatingwebhookconfigurations", "istio-validator-istio-system"),
    ("validatingwebhookconfigurations", "istiod-default-validator"),
];

fn stack(charts: &str, more: &str) -> String {
    format!(
        "version: 1\nstack: bedmesh\ncluster: {{ kubeconfig: {} }}\nnamespaces: {{ istio-system: {{}}, istio-ingress: {{}} }}\n\
         istio:\n  version: 1.31.0\n  source: {charts}\n  {more}\n  ingress: {{ public: {{ namespace: istio-ingress }} }}\n",
        variable("KUBECONFIG"),
    )
}

fn steps(bed: &Bed) -> BTreeMap<String, (String, Vec<String>)> {
    planned(&serde_json::from_str(&bed.run("plan stack.yaml --json").ends_with(0).stdout).unwrap())
}

/// The pod of the gateway without what is another's in each: names, node, token, times.
fn pod(bed: &Bed) -> Value {
    let pods = bed.kube_get("/api/v1/namespaces/istio-ingress/pods");
    let pod = pods["items"].as_array().unwrap().iter().find(|pod| pod["metadata"].get("deletionTimestamp").is_none()).unwrap().clone();
    let mut spec = pod["spec"].clone();
    let fields = spec.as_object_mut().unwrap();
    fields.remove("nodeName");
    let own = |item: &Value| !item["name"].as_str().is_some_and(|name| name.starts_with("kube-api-access-"));
    fields["volumes"].as_array_mut().unwrap().retain(own);
    for container in fields["containers"].as_array_mut().unwrap() {
        container["volumeMounts"].as_array_mut().unwrap().retain(own);
    }
    spec
}

#[test]
fn a_stack_brings_up_a_mesh_that_is_helms_and_stays_at_peace_with_istiod() {
    let Some(charts) = charts() else { return };
    let bed = Bed::enter(&stack(&charts, ""));
    let webhook = |(plural, name): (&str, &str)| bed.kube_get(&format!("/apis/admissionregistration.k8s.io/v1/{plural}/{name}"));

    // istiod stands for the pods of its Deployment: it starts when that is there, in the middle of the apply.
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
    let applied = applied.ends_with(0);
    assert!(applied.stderr.contains("deployment.apps/istio-ingress/public"), "{}", applied.stderr);
    let ours = pod(&bed);
    assert!(ours["containers"][0]["image"].as_str().unwrap().contains("proxyv2"), "{ours}");
    for hook in WEBHOOKS {
        until(hook.1, || is_served(&webhook(hook)).then_some(()));
    }
    assert_eq!(steps(&bed), BTreeMap::new(), "istiod has patched its webhooks");
    istiod("restart");
    for hook in WEBHOOKS {
        until(hook.1, || is_served(&webhook(hook)).then_some(()));
    }
    assert_eq!(steps(&bed), BTreeMap::new(), "istiod was restarted");

    // A changed value touches what it must, and nothing else.
    std::fs::write(bed.path().join("stack.yaml"), stack(&charts, "istiod: { values: { pilot: { traceSampling: 5 } } }")).unwrap();
    let plan = steps(&bed);
    let touched: Vec<(&str, &[String])> = plan.iter().map(|(addr, (_, fields))| (addr.as_str(), fields.as_slice())).collect();
    let values = ["data.merged-values".to_owned(), "data.original-values".to_owned()];
    let sampling = ["spec.template.spec.containers[discovery].env[PILOT_TRACE_SAMPLING].value".to_owned()];
    assert_eq!(touched, [("configmap/istio-system/values", &values[..]), ("deployment.apps/istio-system/istiod", &sampling[..])]);
    bed.run("apply stack.yaml --auto-approve").ends_with(0);
    assert_eq!(steps(&bed), BTreeMap::new());
    for hook in WEBHOOKS {
        assert!(is_served(&webhook(hook)), "an upgrade opens no validator and takes no bundle away: {}", hook.1);
    }

    // The same charts by Helm, over what the stack leaves: the same pods.
    istiod("stop");
    let destroyed = bed.run("destroy stack.yaml --auto-approve").ends_with(0);
    assert!(destroyed.stdout.contains("helm.sh/resource-policy: keep"), "{}", destroyed.stdout);
    let left = bed.kube_get("/apis/apps/v1/deployments");
    assert!(left["items"].as_array().unwrap().iter().all(|one| one["metadata"]["name"] != "istiod"), "{left}");
    clean(&bed);
    helm_run(&format!("install istio-base {charts}/base --namespace istio-system --create-namespace --wait"));
    helm_run(&format!("install istiod {charts}/istiod --namespace istio-system --wait --timeout 2m"));
    istiod("start");
    for hook in WEBHOOKS {
        until(hook.1, || is_served(&webhook(hook)).then_some(()));
    }
    helm_run(&format!(
        "install public {charts}/gateway --namespace istio-ingress --create-namespace --set service.type=NodePort --wait --timeout 2m"
    ));
    assert_eq!(pod(&bed), ours, "Helm's pod and ours");

    // And Helm's releases are taken over as they are.
    let adopting = stack(&charts, "adopt: true")
        .replace("{ istio-system: {}, istio-ingress: {} }", "{ istio-system: { adopt: true }, istio-ingress: { adopt: true } }");
    std::fs::write(bed.path().join("stack.yaml"), adopting).unwrap();
    let plan = steps(&bed);
    assert!(plan.len() > 20, "{plan:?}");
    for (addr, (action, fields)) in &plan {
        let is_record = addr.contains("/sh.helm.release.v1.");
        assert_eq!(action, if is_record { "delete" } else { "adopt" }, "{addr}");
        let marks = ["meshform.dev/", "app.kubernetes.io/managed-by"];
        let beyond: Vec<&String> = fields.iter().filter(|field| !marks.iter().any(|mark| field.contains(mark))).collect();
        assert!(beyond.is_empty(), "{addr}: {beyond:?}");
    }
    bed.run("apply stack.yaml --auto-approve").ends_with(0);
    assert_eq!(steps(&bed), BTreeMap::new());
    assert!(!helm_run("list --all-namespaces --all").contains("istio"), "Helm knows of no release");
    for hook in WEBHOOKS {
        assert!(is_served(&webhook(hook)), "{}", hook.1);
    }
    bed.run("destroy stack.yaml --auto-approve").ends_with(0);
    istiod("stop");
    clean(&bed);
}
