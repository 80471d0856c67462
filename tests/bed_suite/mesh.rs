//! A real mesh: `tests/bed/bed run --mesh --proxy -- tests/helm/reference run -- cargo test --features bed --test suite -- bed_suite::mesh::`.
//! Without `--mesh` its tests say that they were skipped.

use std::path::Path;
use std::process::Command;
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use super::bed::{Bed, variable};
use super::take_over::helm;
use crate::sandbox::lab::tell;

/// Istio's official charts, where the bed has a mesh.
pub(super) fn charts() -> Option<String> {
    let charts = std::env::var("MESHFORM_BED_CHARTS").ok();
    if charts.is_none() {
        tell("skipped: this needs a mesh, `tests/bed/bed run --mesh`");
    }
    charts
}

/// Runs a program of the bed's; it has to end well.
pub(super) fn run(program: impl AsRef<Path>, args: &str) -> String {
    println!("$ {} {args}", program.as_ref().display());
    let output = Command::new(program.as_ref()).args(args.split(' ')).output().unwrap();
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    assert!(output.status.success(), "{args}: {}{}", text(&output.stdout), text(&output.stderr));
    text(&output.stdout)
}

pub(super) fn istiod(what: &str) {
    run(variable("MESHFORM_BED_SCRIPT"), &format!("istiod {what}"));
}

/// Waits for something that the cluster's controllers do; two minutes are far more than they need.
pub(super) fn until<T>(what: &str, look: impl Fn() -> Option<T>) -> T {
    let began = Instant::now();
    loop {
        if let Some(found) = look() {
            return found;
        }
        assert!(began.elapsed() < Duration::from_mins(2), "{what}: not after {:?}", began.elapsed());
        std::thread::sleep(Duration::from_millis(200));
    }
}

/// Whether all webhooks of a configuration are as istiod makes them when it serves them.
pub(super) fn is_served(configuration: &Value) -> bool {
    let hooks = configuration["webhooks"].as_array().cloned().unwrap_or_default();
    let has_bundle = |hook: &Value| hook["clientConfig"]["caBundle"].as_str().is_some_and(|bundle| !bundle.is_empty());
    !hooks.is_empty() && hooks.iter().all(|hook| has_bundle(hook) && hook["failurePolicy"] == "Fail")
}

const WEBHOOKS: [(&str, &str); 2] =
    [("mutatingwebhookconfigurations", "istio-sidecar-injector"), ("validatingwebhookconfigurations", "istio-validator-istio-system")];

#[test]
fn helm_brings_up_a_mesh_whose_gateway_is_injected_by_istiod() {
    let Some(charts) = charts() else { return };
    let bed = Bed::enter("");
    let helm = helm();
    run(&helm, &format!("install istio-base {charts}/base --namespace istio-system --create-namespace --wait"));
    run(&helm, &format!("install istiod {charts}/istiod --namespace istio-system --wait --timeout 2m"));
    let webhook = |(plural, name): (&str, &str)| bed.kube_get(&format!("/apis/admissionregistration.k8s.io/v1/{plural}/{name}"));
    assert!(WEBHOOKS.into_iter().all(|hook| !is_served(&webhook(hook))), "nobody serves them yet");
    istiod("start");
    for hook in WEBHOOKS {
        until(hook.1, || is_served(&webhook(hook)).then_some(()));
    }

    // The gateway's pods name no image of their own: istiod writes it into them as they are made.
    run(
        &helm,
        &format!(
            "install public {charts}/gateway --namespace istio-ingress --create-namespace --set service.type=ClusterIP --wait --timeout 2m"
        ),
    );
    let deployment = bed.kube_get("/apis/apps/v1/namespaces/istio-ingress/deployments/public");
    assert_eq!(deployment["spec"]["template"]["spec"]["containers"][0]["image"], "auto");
    let pods = bed.kube_get("/api/v1/namespaces/istio-ingress/pods");
    let pod = &pods["items"][0];
    let image = pod["spec"]["containers"][0]["image"].as_str().unwrap();
    assert!(image.contains("proxyv2"), "{image}");
    let is_ready =
        |pod: &Value| pod["status"]["conditions"].as_array().unwrap().iter().any(|one| one["type"] == "Ready" && one["status"] == "True");
    assert!(is_ready(pod), "{}", pod["status"]);

    // What istiod says against an object is heard, and missed when it is gone.
    let gateway = |number: i64| {
        json!({"apiVersion": "networking.istio.io/v1", "kind": "Gateway", "metadata": {"name": "public", "namespace": "istio-ingress"},
            "spec": {"selector": {"istio": "public"}, "servers": [{"port": {"number": number, "name": "http", "protocol": "HTTP"}, "hosts": ["*"]}]}})
    };
    let path = "/apis/networking.istio.io/v1/namespaces/istio-ingress/gateways?dryRun=All";
    let tried = |number: i64| bed.kube_raw("POST", path, "application/json", &gateway(number)).map(drop);
    assert_eq!(tried(80), Ok(()));
    let refused = tried(0).unwrap_err();
    assert!(refused.contains("admission webhook"), "{refused}");
    istiod("stop");
    let unheard = tried(80).unwrap_err();
    assert!(unheard.contains("failed calling webhook"), "{unheard}");
    istiod("start");
    until("istiod answers again", || tried(80).ok());
    let version = run(variable("MESHFORM_BED_ISTIOCTL"), "istioctl version --remote=false");
    assert!(!version.trim().is_empty());

    for (release, namespace) in [("public", "istio-ingress"), ("istiod", "istio-system"), ("istio-base", "istio-system")] {
        run(&helm, &format!("uninstall {release} --namespace {namespace} --wait"));
    }
    istiod("stop");
    clean(&bed);
}

/// Runs the real Helm.
pub(super) fn helm_run(args: &str) -> String {
    run(helm(), args)
}

/// Removes what is left of a mesh: whatever is of Istio's and in no namespace, and its namespaces.
pub(super) fn clean(bed: &Bed) {
    let delete = |path: &str| drop(bed.kube_raw("DELETE", path, "application/json", &Value::Null));
    for namespace in ["istio-ingress", "istio-system"] {
        delete(&format!("/api/v1/namespaces/{namespace}"));
    }
    let of_cluster = [
        "apiextensions.k8s.io/v1/customresourcedefinitions",
        "admissionregistration.k8s.io/v1/mutatingwebhookconfigurations",
        "admissionregistration.k8s.io/v1/validatingwebhookconfigurations",
        "rbac.authorization.k8s.io/v1/clusterroles",
        "rbac.authorization.k8s.io/v1/clusterrolebindings",
    ];
    for kind in of_cluster {
        for object in bed.kube_get(&format!("/apis/{kind}"))["items"].as_array().unwrap() {
            let name = object["metadata"]["name"].as_str().unwrap();
            if name.contains("istio") {
                delete(&format!("/apis/{kind}/{name}"));
            }
        }
    }
    let namespaces = || bed.kube_get("/api/v1/namespaces")["items"].as_array().cloned().unwrap_or_default();
    until("the mesh's namespaces are gone", || {
        namespaces().iter().all(|one| !one["metadata"]["name"].as_str().unwrap_or_default().starts_with("istio-")).then_some(())
    });
}
