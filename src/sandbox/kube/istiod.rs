//! What istiod does to a cluster, as far as others see it: it closes the validators, gives webhooks its CA, and injects the proxy into pods
//! (istio.io/istio: `pkg/webhooks`, `pkg/kube/inject`). It runs where a Deployment of it is available.

use std::time::Duration;

use serde_json::{Map, Value, json};

use super::controllers::write_object;
use super::kinds::Kind;
use super::status::{Outcome, Refusal};
use super::store::{self, metadata};
use crate::compose::asks_about_pod;
use crate::sandbox::due::{after, delay, schedule};
use crate::sandbox::error::SandboxError;
use crate::sandbox::world::Tx;

/// How long istiod takes to see a webhook.
const SEES: (Duration, Duration) = (Duration::from_millis(500), Duration::from_secs(3));
const REVISION: &str = "istio.io/rev";
const MUTATING: &str = "kube/admissionregistration.k8s.io/mutatingwebhookconfigurations/";
const VALIDATING: &str = "kube/admissionregistration.k8s.io/validatingwebhookconfigurations/";
/// Not a certificate: nobody connects by it.
const CA_BUNDLE: &str = "-----BEGIN CERTIFICATE-----\nc3RhbmQtaW4=\n-----END CERTIFICATE-----\n";
/// The image that pods get, without its tag: that is istiod's own.
const PROXY: &str = "sandbox.invalid/stand-in/proxyv2";

/// Lets istiod see a webhook that is new or changed, or itself.
pub(super) fn begin(tx: &mut Tx<'_>, kind: &Kind, key: &str, object: &Value) -> Result<(), SandboxError> {
    if kind.group == "admissionregistration.k8s.io" && label(object, REVISION).is_some() {
        let pause = delay(tx, SEES, &["istiod", key]);
        schedule(tx, after(tx.now(), pause), "kube.istiod", key)?;
    }
    Ok(())
}

/// A Deployment has become available: if it is istiod, it looks at all webhooks of its revision.
pub(super) fn started(tx: &mut Tx<'_>, deployment: &Value) -> Result<(), SandboxError> {
    let Some(revision) = revision_of(deployment).map(str::to_owned) else { return Ok(()) };
    let all = [MUTATING, VALIDATING].into_iter().flat_map(|prefix| tx.scan(prefix));
    let own: Vec<String> = all.filter(|(_, one)| label(one, REVISION) == Some(&revision)).map(|(key, _)| key.to_owned()).collect();
    for key in own {
        let pause = delay(tx, SEES, &["istiod", &key]);
        schedule(tx, after(tx.now(), pause), "kube.istiod", &key)?;
    }
    Ok(())
}

/// Writes what istiod writes into a webhook configuration.
pub(super) fn patch(tx: &mut Tx<'_>, key: &str) {
    let Some(mut object) = tx.get(key).cloned().filter(|object| !store::is_going(object)) else { return };
    if !label(&object, REVISION).is_some_and(|revision| runs(tx, revision)) {
        return;
    }
    let before = object.clone();
    let validates = key.starts_with(VALIDATING);
    for webhook in object.get_mut("webhooks").and_then(Value::as_array_mut).into_iter().flatten() {
        let is_injector = webhook.get("name").and_then(Value::as_str).is_some_and(|name| name.ends_with("sidecar-injector.istio.io"));
        if !validates && !is_injector {
            continue;
        }
        if let Some(Value::Object(client)) = webhook.get_mut("clientConfig") {
            client.insert("caBundle".to_owned(), json!(crate::helm::json::base64(CA_BUNDLE.as_bytes())));
        }
        if validates && let Value::Object(webhook) = webhook {
            webhook.insert("failurePolicy".to_owned(), json!("Fail"));
        }
    }
    if object != before {
        write_object(tx, key, "pilot-discovery", object);
    }
}

/// Injects a pod that is made, or refuses it where an injector is to be asked and doesn't answer.
pub(super) fn inject(tx: &Tx<'_>, namespace: &str, pod: &mut Value) -> Outcome<()> {
    let labels = namespace_labels(tx, namespace);
    let nothing = Map::new();
    let of_pod = metadata(pod).and_then(|metadata| metadata.get("labels")).and_then(Value::as_object).unwrap_or(&nothing).clone();
    for (_, configuration) in tx.scan(MUTATING) {
        let entries = configuration.get("webhooks").and_then(Value::as_array).into_iter().flatten();
        for entry in entries.filter(|entry| asks_about_pod(entry, namespace, &labels, &of_pod)) {
            let name = entry.get("name").and_then(Value::as_str).unwrap_or_default();
            let revision = label(configuration, REVISION).filter(|_| entry.pointer("/clientConfig/caBundle").is_some());
            let tag = revision.and_then(|revision| Some((revision, version(tx, revision)?)));
            if let Some((revision, tag)) = tag {
                put_proxy(pod, revision, &tag);
            } else if entry.get("failurePolicy").and_then(Value::as_str) != Some("Ignore") {
                let service = entry.pointer("/clientConfig/service/name").and_then(Value::as_str).unwrap_or_default();
                let why =
                    format!("failed calling webhook {name:?}: failed to call webhook: no endpoints available for service {service:?}");
                return Err(Refusal::failed(format!("Internal error occurred: {why}")).into());
            }
        }
    }
    Ok(())
}

/// Puts the proxy into a pod that doesn't refuse it, and says so (istio.io/istio: `pkg/kube/inject/webhook.go`).
fn put_proxy(pod: &mut Value, revision: &str, tag: &str) {
    let says = |part: &str| pod.pointer(&format!("/metadata/{part}/sidecar.istio.io~1inject")).and_then(Value::as_str);
    let on_host = pod.pointer("/spec/hostNetwork") == Some(&Value::Bool(true));
    if on_host || says("labels").or_else(|| says("annotations")) == Some("false") {
        return;
    }
    let image = json!(format!("{PROXY}:{tag}"));
    let mut has_proxy = false;
    for container in pod.pointer_mut("/spec/containers").and_then(Value::as_array_mut).into_iter().flatten() {
        has_proxy |= container.get("name").and_then(Value::as_str) == Some("istio-proxy");
        if container.get("image").and_then(Value::as_str) == Some("auto") {
            container["image"] = image.clone();
        }
    }
    if let Some(Value::Array(containers)) = pod.pointer_mut("/spec/containers").filter(|_| !has_proxy) {
        containers.push(json!({"name": "istio-proxy", "image": image, "args": ["proxy", "sidecar"]}));
    }
    let status =
        json!({"initContainers": null, "containers": ["istio-proxy"], "volumes": null, "imagePullSecrets": null, "revision": revision});
    let annotations = store::child_mut(store::metadata_mut(pod), "annotations");
    annotations.insert("sidecar.istio.io/status".to_owned(), json!(status.to_string()));
    annotations.insert(REVISION.to_owned(), json!(revision));
}

/// Whether the pods of a workload would be made, and lack an image: no injector is asked about them.
pub(super) fn leaves_auto_image(tx: &Tx<'_>, workload: &Value) -> bool {
    let namespace = store::meta_text(workload, "namespace").to_owned();
    let Some(mut pod) = workload.pointer("/spec/template").cloned() else { return false };
    let is_auto = crate::resource::manifest::has_auto_image;
    is_auto(&pod) && inject(tx, &namespace, &mut pod).is_ok() && is_auto(&pod)
}

fn namespace_labels(tx: &Tx<'_>, namespace: &str) -> Map<String, Value> {
    let found = tx.get(&format!("kube/core/namespaces/{namespace}"));
    found.and_then(metadata).and_then(|metadata| metadata.get("labels")).and_then(Value::as_object).cloned().unwrap_or_default()
}

/// Whether an istiod of this revision is available.
fn runs(tx: &Tx<'_>, revision: &str) -> bool {
    version(tx, revision).is_some()
}

/// The tag of the image of an istiod of this revision that is available.
fn version(tx: &Tx<'_>, revision: &str) -> Option<String> {
    let mut all = tx.scan("kube/apps/deployments/").map(|(_, one)| one);
    let one = all.find(|one| {
        let is_available = one.pointer("/status/availableReplicas").and_then(Value::as_i64).unwrap_or(0) > 0;
        revision_of(one) == Some(revision) && is_available && !store::is_going(one)
    })?;
    let image = one.pointer("/spec/template/spec/containers/0/image").and_then(Value::as_str).unwrap_or_default();
    Some(image.rsplit_once(':').map_or("latest", |(_, tag)| tag).to_owned())
}

/// The revision of a Deployment of istiod.
fn revision_of(deployment: &Value) -> Option<&str> {
    let is_istiod = label(deployment, "app") == Some("istiod");
    label(deployment, REVISION).filter(|_| is_istiod)
}

fn label<'v>(object: &'v Value, key: &str) -> Option<&'v str> {
    metadata(object)?.get("labels")?.get(key)?.as_str()
}
