//! Namespaces: what is in a new one, what may be made in one, and how one goes.

use std::collections::BTreeMap;

use jiff::SignedDuration;
use serde_json::{Value, json};

use super::controllers::{make, write_status};
use super::kinds::Kind;
use super::status::{Outcome, Refusal};
use super::store::{self, Place, child_mut, child_mut_value};
use crate::sandbox::due::{after, schedule};
use crate::sandbox::error::SandboxError;
use crate::sandbox::world::Tx;

/// Namespaces that can't be deleted (k8s.io/apiserver: `plugin/namespace/lifecycle`).
pub(super) const IMMORTAL: &[&str] = &["default", "kube-system", "kube-public"];
/// The namespaces of every cluster.
const FIRST: &[&str] = &["default", "kube-node-lease", "kube-public", "kube-system"];
/// How long the namespace controller takes.
const PASS: SignedDuration = SignedDuration::from_secs(5);
/// A stand-in for the cluster's root certificate: nobody connects to the sandbox's cluster over a network.
const ROOT_CA: &str = "-----BEGIN CERTIFICATE-----\nthe sandbox has no root certificate\n-----END CERTIFICATE-----\n";

/// Makes the namespaces of a new cluster, unless there are some.
pub(super) fn found(tx: &mut Tx<'_>) {
    if tx.contains("kube/core/namespaces/kube-system") {
        return;
    }
    for name in FIRST {
        let namespace = json!({"kind": "Namespace", "apiVersion": "v1", "metadata": {"name": name}});
        make(tx, "namespaces", Place { namespace: "", name }, "kube-apiserver", namespace, prepare);
        furnish(tx, name);
    }
    super::balancers::found(tx);
}

/// What a new namespace has whatever was asked for (k8s.io/kubernetes: `registry/core/namespace/strategy.go`).
pub(super) fn prepare(namespace: &mut Value) {
    let fields = child_mut_value(namespace);
    fields.insert("spec".to_owned(), json!({"finalizers": ["kubernetes"]}));
    fields.insert("status".to_owned(), json!({"phase": "Active"}));
}

/// Makes what the controllers put into every namespace.
pub(super) fn furnish(tx: &mut Tx<'_>, namespace: &str) {
    let account = json!({"kind": "ServiceAccount", "apiVersion": "v1", "metadata": {"name": "default", "namespace": namespace}});
    make(tx, "serviceaccounts", Place { namespace, name: "default" }, "kube-controller-manager", account, |_| {});
    let name = "kube-root-ca.crt";
    let description = "Contains a CA bundle that can be used to verify the kube-apiserver when using internal endpoints such as the internal \
                       service IP or kubernetes.default.svc. No other usage is guaranteed across distributions of Kubernetes clusters.";
    let bundle = json!({
        "kind": "ConfigMap", "apiVersion": "v1",
        "metadata": {"name": name, "namespace": namespace, "annotations": {"kubernetes.io/description": description}},
        "data": {"ca.crt": ROOT_CA},
    });
    make(tx, "configmaps", Place { namespace, name }, "kube-controller-manager", bundle, |_| {});
}

/// Whether an object may be made in a namespace: it must be there and not be going.
pub(super) fn admit(tx: &Tx<'_>, kind: &Kind, place: Place<'_>) -> Outcome<()> {
    let Some(namespace) = tx.get(&format!("kube/core/namespaces/{}", place.namespace)) else {
        return Err(Refusal::no_namespace(place.namespace).into());
    };
    if store::is_going(namespace) {
        return Err(Refusal::terminating(kind, place.name, place.namespace).into());
    }
    Ok(())
}

/// Whether a namespace is going, or gone.
pub(super) fn is_going(tx: &Tx<'_>, name: &str) -> bool {
    tx.get(&format!("kube/core/namespaces/{name}")).is_none_or(store::is_going)
}

/// Lets the namespace controller begin with a namespace that is going.
pub(super) fn begin(tx: &mut Tx<'_>, key: &str) -> Result<(), SandboxError> {
    schedule(tx, after(tx.now(), PASS), "kube.empty", key)
}

/// Something in a namespace is gone; one that waits for that goes on.
pub(super) fn left(tx: &mut Tx<'_>, namespace: &str) -> Result<(), SandboxError> {
    let key = format!("kube/core/namespaces/{namespace}");
    if namespace.is_empty() || !tx.get(&key).is_some_and(store::is_going) {
        return Ok(());
    }
    schedule(tx, after(tx.now(), SignedDuration::from_secs(1)), "kube.empty", &key)
}

/// A pass of the namespace controller: the content goes, and when nothing is left, the namespace. What has finalizers holds it, and its
/// conditions say so (k8s.io/kubernetes: `controller/namespace/deletion`).
pub(super) fn empty(tx: &mut Tx<'_>, key: &str) -> Result<(), SandboxError> {
    let Some(mut namespace) = tx.get(key).cloned().filter(store::is_going) else { return Ok(()) };
    let name = store::meta_text(&namespace, "name").to_owned();
    let mut kinds: BTreeMap<String, usize> = BTreeMap::new();
    let mut finalizers: BTreeMap<String, usize> = BTreeMap::new();
    for content in content_of(tx, &name) {
        if super::delete::begin(tx, &content)? {
            continue;
        }
        let Some(object) = tx.get(&content) else { continue };
        let mut parts = content.split('/').skip(1);
        let (group, plural) = (parts.next().unwrap_or_default(), parts.next().unwrap_or_default());
        let resource = if group == "core" { format!("{plural}.") } else { format!("{plural}.{group}") };
        *kinds.entry(resource).or_default() += 1;
        for finalizer in store::finalizers(object) {
            *finalizers.entry(finalizer.to_owned()).or_default() += 1;
        }
    }
    if kinds.is_empty() {
        child_mut(child_mut_value(&mut namespace), "spec").shift_remove("finalizers");
        if super::delete::is_free(&namespace) {
            super::delete::remove(tx, key)?;
        } else {
            store::write(tx, key, namespace);
        }
        return Ok(());
    }
    let now = store::time(tx);
    let kinds: Vec<String> = kinds.into_iter().map(|(kind, count)| format!("{kind} has {count} resource instances")).collect();
    let held: Vec<String> = finalizers.into_iter().map(|(name, count)| format!("{name} in {count} resource instances")).collect();
    let condition = |kind: &str, status: &str, reason: &str, message: &str| json!({"type": kind, "status": status, "lastTransitionTime": now, "reason": reason, "message": message});
    let conditions = json!([
        condition("NamespaceDeletionDiscoveryFailure", "False", "ResourcesDiscovered", "All resources successfully discovered"),
        condition(
            "NamespaceDeletionGroupVersionParsingFailure",
            "False",
            "ParsedGroupVersions",
            "All legacy kube types successfully parsed"
        ),
        condition(
            "NamespaceDeletionContentFailure",
            "False",
            "ContentDeleted",
            "All content successfully deleted, may be waiting on finalization"
        ),
        condition(
            "NamespaceContentRemaining",
            "True",
            "SomeResourcesRemain",
            &format!("Some resources are remaining: {}", kinds.join(", "))
        ),
        condition(
            "NamespaceFinalizersRemaining",
            "True",
            "SomeFinalizersRemain",
            &format!("Some content in the namespace has finalizers remaining: {}", held.join(", "))
        ),
    ]);
    child_mut(child_mut_value(&mut namespace), "status").insert("conditions".to_owned(), conditions);
    write_status(tx, key, "kube-controller-manager", namespace);
    Ok(())
}

/// The keys of all objects in a namespace.
fn content_of(tx: &Tx<'_>, namespace: &str) -> Vec<String> {
    let inside = tx.scan("kube/").filter(|(_, object)| store::meta_text(object, "namespace") == namespace);
    inside.map(|(key, _)| key.to_owned()).collect()
}
