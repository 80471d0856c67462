//! Which pods run which proxy, by what the injector wrote into them.

use std::collections::BTreeMap;

use serde_json::{Map, Value};

use crate::addr::Addr;

/// The annotation in which the injector says what it did: JSON with the `revision` that it is of (istio.io/istio, `pkg/kube/inject/webhook.go`:
/// the label `istio.io/rev` of a pod may be a tag, this never is).
const STATUS: &str = "sidecar.istio.io/status";
/// The annotation that says the same in a word, and the only one of proxies that istiod deploys itself: waypoints and gateways of the Gateway
/// API (Istio's chart istiod, `files/injection-template.yaml`, `files/waypoint.yaml`, `files/kube-gateway.yaml`).
const REVISION: &str = "istio.io/rev";
/// The container that the injector adds.
const CONTAINER: &str = "istio-proxy";

/// The proxies of a cluster.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Proxies {
    /// The pods that have one.
    pub pods: Vec<Proxy>,
    /// The labels of all namespaces.
    pub namespaces: BTreeMap<String, Map<String, Value>>,
}

/// A pod with a proxy.
#[derive(Clone, Debug, PartialEq)]
pub struct Proxy {
    /// The pod's name.
    pub pod: String,
    /// Its namespace.
    pub namespace: String,
    /// What makes it: a Deployment, a StatefulSet, … or the pod itself.
    pub workload: Addr,
    /// The revision whose injector made it.
    pub revision: String,
    /// The version of the proxy, where pods were read whole.
    pub version: Option<String>,
    /// The pod's labels.
    pub labels: Map<String, Value>,
    /// Whether it is being deleted.
    pub is_going: bool,
}

impl Proxy {
    /// What a pod tells of its proxy; nothing when it has none. `pod` may lack all but its metadata.
    pub fn of(pod: &Value) -> Option<Self> {
        let metadata = pod.get("metadata")?;
        let part = |name: &str| metadata.get(name).and_then(Value::as_object).cloned().unwrap_or_default();
        let (labels, annotations) = (part("labels"), part("annotations"));
        let text = |key: &str| metadata.get(key).and_then(Value::as_str).unwrap_or_default().to_owned();
        let revision = revision(&annotations)?;
        let (pod_name, namespace) = (text("name"), text("namespace"));
        Some(Self {
            workload: workload(metadata, &labels, &namespace, &pod_name),
            revision,
            version: version(pod),
            is_going: metadata.get("deletionTimestamp").is_some(),
            pod: pod_name,
            namespace,
            labels,
        })
    }
}

fn revision(annotations: &Map<String, Value>) -> Option<String> {
    let word = annotations.get(REVISION).and_then(Value::as_str);
    let Some(status) = annotations.get(STATUS).and_then(Value::as_str) else { return word.map(str::to_owned) };
    let status: Value = serde_json::from_str(status).unwrap_or_default();
    let said = status.get("revision").and_then(Value::as_str).filter(|said| !said.is_empty()).or(word);
    // Injectors before Istio 1.10 name none.
    Some(said.unwrap_or("default").to_owned())
}

/// The tag of the proxy's image: the container may be among those that start before the others (native sidecars).
fn version(pod: &Value) -> Option<String> {
    let lists = ["/spec/containers", "/spec/initContainers"].into_iter().filter_map(|list| pod.pointer(list)?.as_array()).flatten();
    let image =
        lists.into_iter().find(|container| container.get("name").and_then(Value::as_str) == Some(CONTAINER))?.get("image")?.as_str()?;
    let (_, tag) = image.split('@').next()?.rsplit_once(':')?;
    Some(tag.to_owned())
}

/// What a pod goes back to. A ReplicaSet is told by its Deployment: its name is that and the hash of the template.
fn workload(metadata: &Value, labels: &Map<String, Value>, namespace: &str, pod: &str) -> Addr {
    let owners = metadata.get("ownerReferences").and_then(Value::as_array);
    let owner = owners.into_iter().flatten().find(|owner| owner.get("controller") == Some(&Value::Bool(true)));
    let text = |key: &str| owner.and_then(|owner| owner.get(key)).and_then(Value::as_str).unwrap_or_default();
    let (kind, name) = (text("kind"), text("name"));
    let group = text("apiVersion").split_once('/').map_or("", |(group, _)| group);
    let of = |kind: &str, group: &str, name: &str| Addr::Kube {
        kind: kind.to_ascii_lowercase(),
        group: group.to_owned(),
        namespace: Some(namespace.to_owned()),
        name: name.to_owned(),
    };
    let hash = labels.get("pod-template-hash").and_then(Value::as_str);
    let deployment = hash.and_then(|hash| name.strip_suffix(hash)?.strip_suffix('-')).filter(|_| kind == "ReplicaSet");
    match deployment {
        Some(deployment) => of("Deployment", "apps", deployment),
        None if name.is_empty() => of("Pod", "", pod),
        None => of(kind, group, name),
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_pod_tells_its_proxy_and_what_makes_it() {
        let pod = |annotations: Value, labels: Value, owner: Value| {
            json!({
                "metadata": {"name": "app-6d4b-x7", "namespace": "prod", "annotations": annotations, "labels": labels, "ownerReferences": owner},
                "spec": {"containers": [{"name": "app", "image": "app:1"}], "initContainers": [{"name": "istio-proxy", "image": "registry:5000/proxyv2:1.31.0@sha256:00"}]},
            })
        };
        let status = |revision: &str| json!({STATUS: format!("{{\"containers\":[\"istio-proxy\"],\"revision\":{revision:?}}}")});
        let owner = |kind: &str, name: &str| json!([{"apiVersion": "apps/v1", "kind": kind, "name": name, "controller": true}]);
        let hashed = json!({"pod-template-hash": "6d4b"});
        let cases = [
            ("of a Deployment", pod(status("1-31"), hashed.clone(), owner("ReplicaSet", "app-6d4b")), "1-31", "deployment.apps/prod/app"),
            ("of a StatefulSet", pod(status("canary"), json!({}), owner("StatefulSet", "db")), "canary", "statefulset.apps/prod/db"),
            (
                "of something else with ReplicaSets",
                pod(status("x"), json!({}), owner("ReplicaSet", "app-6d4b")),
                "x",
                "replicaset.apps/prod/app-6d4b",
            ),
            ("by itself", pod(json!({STATUS: "{}"}), json!({}), Value::Null), "default", "pod/prod/app-6d4b-x7"),
            ("by the word alone", pod(json!({STATUS: "{}", REVISION: "old"}), json!({}), Value::Null), "old", "pod/prod/app-6d4b-x7"),
        ];
        for (name, pod, revision, workload) in cases {
            let proxy = Proxy::of(&pod).unwrap_or_else(|| panic!("{name}"));
            assert_eq!((proxy.revision.as_str(), proxy.workload.to_string().as_str()), (revision, workload), "{name}");
            assert_eq!(proxy.version.as_deref(), Some("1.31.0"), "{name}");
        }
        let waypoint = Proxy::of(&pod(json!({REVISION: "x"}), json!({}), Value::Null)).unwrap();
        assert_eq!(waypoint.revision, "x", "one that istiod deployed");
        assert_eq!(Proxy::of(&pod(json!({}), json!({}), Value::Null)), None, "what no injector made has none");
    }
}
