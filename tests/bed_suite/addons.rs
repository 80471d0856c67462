//! The examples of stacks/addons, applied from their projects' own charts and files, with the projects' own controllers where they have a say:
//! `tests/bed/bed run --addons --proxy -- tests/helm/reference run -- cargo test --features bed --test suite -- bed_suite::addons::`.
//! Without `--addons` the tests say that they were skipped.

use std::collections::BTreeMap;
use std::path::Path;
use std::process::Child;

use serde_json::{Value, json};

use super::bed::{ACCOUNT, Bed, variable};
use super::mesh::{clean, is_served, istiod, run, until};
use super::worlds;
use crate::sandbox::lab::tell;
use crate::sandbox::pki::pem;
use crate::support::{Ran, meshform};

/// Whether the bed has add-ons.
pub(super) fn has_addons() -> bool {
    let has = std::env::var_os("MESHFORM_BED_ADDONS").is_some();
    if !has {
        tell("skipped: this needs add-ons, `tests/bed/bed run --addons`");
    }
    has
}

/// Starts or stops the controller of an add-on.
pub(super) fn controller(what: &str) {
    run(variable("MESHFORM_BED_SCRIPT"), what);
}

/// The folder of an official chart.
pub(super) fn chart(name: &str) -> String {
    let file = std::env::var("MESHFORM_HELM_REFERENCE").expect("tests/helm/reference run -- …");
    let facts: Value = serde_json::from_str(&std::fs::read_to_string(file).unwrap()).unwrap();
    facts["charts"][name].as_str().unwrap_or_else(|| panic!("the reference has no chart {name}")).to_owned()
}

/// What an overlay says of a chart so that it comes from a folder.
pub(super) fn from_folder(key: &str) -> String {
    format!("{key}: {{ chart: {}, repository: null, version: null }}", chart(key))
}

/// The chart's folder lacks its definitions: its project adds them at a release.
pub(super) fn definitions_of_external_secrets() -> String {
    format!("manifests: {{ definitions: {{ files: {}/external-secrets-definitions.yaml }} }}\n", variable("MESHFORM_BED_ADDONS"))
}

/// The example stacks, copied beside the test's own file.
pub(super) fn copy_stacks(to: &Path) {
    for folder in ["stacks", "stacks/addons"] {
        std::fs::create_dir_all(to.join(folder)).unwrap();
        for entry in std::fs::read_dir(Path::new(env!("CARGO_MANIFEST_DIR")).join(folder)).unwrap() {
            let entry = entry.unwrap();
            if entry.file_type().unwrap().is_file() {
                std::fs::copy(entry.path(), to.join(folder).join(entry.file_name())).unwrap();
            }
        }
    }
}

/// An example, for the bed's cluster and account, with more of the test's own.
pub(super) fn overlay(example: &str, more: &str) -> String {
    let kubeconfig = variable("KUBECONFIG");
    format!(
        "extends: [stacks/{example}.yaml]\naws: {{ account: \"{ACCOUNT}\", verify_chain: false }}\ncluster: {{ eks: null, kubeconfig: {kubeconfig} }}\n{more}"
    )
}

/// A run of the program, which ends with whoever waits for it.
struct Running<'b> {
    child: Child,
    bed: &'b Bed,
}

impl Running<'_> {
    fn told(&self) -> (String, String) {
        let read = |name: &str| std::fs::read_to_string(self.bed.path().join(name)).unwrap_or_default();
        (read("stdout.txt"), read("stderr.txt"))
    }
}

impl Drop for Running<'_> {
    fn drop(&mut self) {
        if std::thread::panicking() {
            self.child.kill().ok();
            let (stdout, stderr) = self.told();
            println!("{stdout}\n{stderr}");
        }
    }
}

/// Runs the program, and does something while it runs.
pub(super) fn meanwhile(bed: &Bed, args: &str, act: impl FnOnce()) -> Ran {
    let file = |name: &str| std::fs::File::create(bed.path().join(name)).unwrap();
    let mut command = meshform(bed.path(), args);
    let child = command.envs(Bed::environment()).stdout(file("stdout.txt")).stderr(file("stderr.txt")).spawn().unwrap();
    let mut running = Running { child, bed };
    act();
    let code = running.child.wait().unwrap().code();
    let (stdout, stderr) = running.told();
    Ran { args: args.to_owned(), code, stdout, stderr }
}

/// Waits for an object.
pub(super) fn until_there(bed: &Bed, path: &str) -> Value {
    until(path, || bed.kube_raw("GET", path, "application/json", &Value::Null).ok())
}

/// What is left of ours: objects with our label.
pub(super) fn ours(world: &BTreeMap<String, Value>) -> Vec<&String> {
    world.iter().filter(|(_, object)| object["metadata"]["labels"].get("meshform.dev/stack").is_some()).map(|(key, _)| key).collect()
}

/// Applies the stack, does something while it is applied, holds the next plan to be empty, looks at what there is, destroys it, and
/// holds that nothing is left that wasn't there before.
fn lives(bed: &Bed, during: impl FnOnce(), look: impl FnOnce(), may_stay: &[&str]) {
    let before = worlds::kubernetes(bed);
    meanwhile(bed, "apply stack.yaml --auto-approve", during).ends_with(0);
    bed.run("plan stack.yaml --detailed-exitcode").ends_with(0).says("No changes");
    look();
    bed.run("plan stack.yaml --detailed-exitcode").ends_with(0).says("No changes");
    bed.run("destroy stack.yaml --auto-approve").ends_with(0);
    let left = || {
        let after = worlds::kubernetes(bed);
        assert!(ours(&after).is_empty(), "{:?}", ours(&after));
        let stays = |key: &String| !before.contains_key(key) && !may_stay.iter().any(|may| key.contains(may));
        after.into_keys().filter(stays).collect::<Vec<_>>()
    };
    // What follows from objects goes a moment after them.
    for _ in 0..100 {
        if left().is_empty() {
            return;
        }
        std::thread::sleep(std::time::Duration::from_millis(200));
    }
    panic!("{:?}", left());
}

/// A bed with this example in it.
fn enter(example: &str, more: &str) -> Bed {
    let bed = Bed::enter(&overlay(&format!("addons/{example}"), more));
    copy_stacks(bed.path());
    bed
}

fn with_chart(example: &str) -> Bed {
    enter(example, &format!("charts: {{ {} }}\n", from_folder(example)))
}

fn samples() -> String {
    format!("vars: {{ samples: {} }}\n", variable("MESHFORM_BED_ADDONS"))
}

/// A namespace that the test makes, and takes away.
fn within<T>(bed: &Bed, namespace: &str, act: impl FnOnce() -> T) -> T {
    bed.kube_send("POST", "/api/v1/namespaces", &json!({"metadata": {"name": namespace}}));
    // What every namespace gets from controllers is none of what is compared.
    for of_all in ["serviceaccounts/default", "configmaps/kube-root-ca.crt"] {
        until_there(bed, &format!("/api/v1/namespaces/{namespace}/{of_all}"));
    }
    let done = act();
    bed.kube_send("DELETE", &format!("/api/v1/namespaces/{namespace}"), &Value::Null);
    bed.until_nothing_ends();
    done
}

/// Whether a Deployment does what it is for.
fn is_available(bed: &Bed, namespace: &str, name: &str) {
    let deployment = bed.kube_get(&format!("/apis/apps/v1/namespaces/{namespace}/deployments/{name}"));
    let wanted = deployment["spec"]["replicas"].as_i64().unwrap();
    assert!(wanted > 0 && deployment["status"]["availableReplicas"].as_i64() == Some(wanted), "{}", deployment["status"]);
}

#[test]
fn prometheus_grafana_and_kiali_of_the_samples() {
    if !has_addons() {
        return;
    }
    for (example, deployment) in [("prometheus", "prometheus"), ("grafana", "grafana"), ("kiali", "kiali")] {
        let bed = enter(example, &samples());
        within(&bed, "istio-system", || lives(&bed, || {}, || is_available(&bed, "istio-system", deployment), &[]));
    }
}

#[test]
fn jaeger_of_the_samples_and_a_mesh_that_sends_traces_to_it() {
    if !has_addons() {
        return;
    }
    let charts = variable("MESHFORM_BED_CHARTS");
    let bed = enter("jaeger", &format!("{}istio: {{ source: {charts} }}\n", samples()));
    let start = || {
        until_there(&bed, "/apis/apps/v1/namespaces/istio-system/deployments/istiod");
        istiod("start");
    };
    let look = || {
        is_available(&bed, "istio-system", "jaeger");
        let mesh = bed.kube_get("/api/v1/namespaces/istio-system/configmaps/istio");
        assert!(mesh["data"]["mesh"].as_str().unwrap().contains("jaeger-collector.istio-system.svc.cluster.local"), "{mesh}");
        let telemetry = bed.kube_get("/apis/telemetry.istio.io/v1/namespaces/istio-system/telemetries/tracing");
        assert_eq!(telemetry["spec"]["tracing"][0]["providers"][0]["name"], "jaeger");
        let validator = || bed.kube_get("/apis/admissionregistration.k8s.io/v1/validatingwebhookconfigurations/istiod-default-validator");
        until("istiod has closed it", || is_served(&validator()).then_some(()));
        // What checks Istio's objects is asked when they go, too, and istiod is gone by then.
    };
    // Definitions stay, as their chart says, and istiod leaves things of its own.
    lives(&bed, start, look, &["customresourcedefinitions", "istio-system", "istio"]);
    istiod("stop");
    clean(&bed);
}

#[test]
fn external_dns_of_its_chart() {
    if !has_addons() {
        return;
    }
    let bed = with_chart("external-dns");
    let look = || {
        is_available(&bed, "external-dns", "external-dns");
        let deployment = bed.kube_get("/apis/apps/v1/namespaces/external-dns/deployments/external-dns");
        let args = deployment["spec"]["template"]["spec"]["containers"][0]["args"].to_string();
        for wanted in ["--txt-owner-id=shop-prod", "--domain-filter=example.com", "--policy=sync", "--registry=txt"] {
            assert!(args.contains(wanted), "{args}");
        }
    };
    lives(&bed, || {}, look, &[]);
}

#[test]
fn cert_manager_of_its_chart() {
    if !has_addons() {
        return;
    }
    let bed = with_chart("cert-manager");
    let look = || {
        for deployment in ["cert-manager", "cert-manager-webhook", "cert-manager-cainjector"] {
            is_available(&bed, "cert-manager", deployment);
        }
    };
    lives(&bed, || {}, look, &["cert-manager.io"]);
    for definition in bed.kube_get("/apis/apiextensions.k8s.io/v1/customresourcedefinitions")["items"].as_array().unwrap() {
        let name = definition["metadata"]["name"].as_str().unwrap();
        if name.ends_with("cert-manager.io") {
            bed.kube_send("DELETE", &format!("/apis/apiextensions.k8s.io/v1/customresourcedefinitions/{name}"), &Value::Null);
        }
    }
}

#[test]
fn external_secrets_hands_on_what_meshform_writes() {
    if !has_addons() {
        return;
    }
    let more = format!("charts: {{ {} }}\n{}", from_folder("external-secrets"), definitions_of_external_secrets());
    let bed = enter("external-secrets", &more);
    // Another stack has the certificate; here it is one that is written down by the test.
    let issued = rcgen::generate_simple_self_signed(["shop.example.com".to_owned()]).unwrap();
    let (leaf, key) = (pem("CERTIFICATE", issued.cert.der()), pem("PRIVATE KEY", &issued.signing_key.serialize_der()));
    let document = json!({"tls.crt": leaf, "tls.key": key, "ca.crt": ""});
    bed.block_on(bed.secrets.create_secret().name("istio/shop-prod/edge").secret_string(document.to_string()).send()).unwrap();
    let start = || {
        until_there(&bed, "/api/v1/namespaces/external-secrets/secrets/external-secrets-webhook");
        controller("start external-secrets");
    };
    let look = || {
        let secret = bed.kube_get("/api/v1/namespaces/partner/secrets/edge-tls");
        assert_eq!(secret["type"], "kubernetes.io/tls");
        assert_eq!(secret["metadata"]["labels"].get("meshform.dev/stack"), None);
    };
    lives(&bed, start, look, &[]);
    controller("stop external-secrets");
    bed.block_on(bed.secrets.delete_secret().secret_id("istio/shop-prod/edge").force_delete_without_recovery(true).send()).unwrap();
}

#[test]
fn the_load_balancer_controller_of_its_chart_keeps_what_it_drew() {
    if !has_addons() {
        return;
    }
    // Also with the webhook that every new Service waits for.
    let chart = from_folder("aws-load-balancer-controller").replace(" }", ", values: { enableServiceMutatorWebhook: true } }");
    let bed = enter("aws-load-balancer-controller", &format!("charts: {{ {chart} }}\n"));
    let secret = "/api/v1/namespaces/kube-system/secrets/aws-load-balancer-tls";
    let start = || {
        // Its pods are made when their definitions are there: without them the controller doesn't run.
        until_there(&bed, "/apis/apps/v1/namespaces/kube-system/deployments/aws-load-balancer-controller");
        controller("start load-balancer-controller");
    };
    let look = || {
        is_available(&bed, "kube-system", "aws-load-balancer-controller");
        let drawn = bed.kube_get(secret)["data"].clone();
        let stack = bed.path().join("stack.yaml");
        let text = std::fs::read_to_string(&stack).unwrap();
        std::fs::write(&stack, text.replace("enableServiceMutatorWebhook: true", "enableServiceMutatorWebhook: true, replicaCount: 3"))
            .unwrap();
        bed.run("apply stack.yaml --auto-approve").ends_with(0);
        assert_eq!(bed.kube_get(secret)["data"], drawn, "its CA and certificate stay through a change");
        let hooks = bed.kube_get("/apis/admissionregistration.k8s.io/v1/validatingwebhookconfigurations/aws-load-balancer-webhook");
        for hook in hooks["webhooks"].as_array().unwrap() {
            assert_eq!(hook["clientConfig"]["caBundle"], drawn["ca.crt"], "{}", hook["name"]);
        }
    };
    lives(&bed, start, look, &[]);
    controller("stop load-balancer-controller");
}
