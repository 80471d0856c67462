//! The pods of workloads: made from their templates, injected as any pod is, and replaced when a template changes (k8s.io/kubernetes:
//! `pkg/controller/{deployment,statefulset,daemon}`). ReplicaSets are no objects here: pods name one as their owner, by its Deployment's name and
//! the hash of the template.

use serde_json::{Value, json};

use super::controllers::make;
use super::istiod;
use super::status::{Failure, Outcome};
use super::store::{self, Place, child_mut, child_mut_value, meta_text, metadata, metadata_mut};
use crate::sandbox::error::SandboxError;
use crate::sandbox::world::{Tx, digest};

/// What names and hashes are made of (k8s.io/apimachinery: `util/rand`).
const LETTERS: &[u8; 27] = b"bcdfghjklmnpqrstvwxz2456789";
/// The nodes there are, as far as DaemonSets are concerned.
pub(super) const NODES: i64 = 2;
const PREFIX: &str = "kube/core/pods/";

/// How far the pods of a workload are.
pub(super) enum Rolled {
    /// They are as they should be.
    Done,
    /// Those of the new template are there, and this many of an older one as well.
    Surging(i64),
    /// None of the new template can be made: what the server says, and how many there are of an older one.
    Refused(String, i64),
}

/// How many pods a workload is to have.
pub(super) fn wanted(plural: &str, object: &Value) -> i64 {
    if plural == "daemonsets" { NODES } else { object.pointer("/spec/replicas").and_then(Value::as_i64).unwrap_or(1) }
}

/// Makes the pods that are missing, and removes those that are too many or of an older template: of a Deployment in a later pass, when those of the
/// new one are there.
pub(super) fn roll(tx: &mut Tx<'_>, plural: &str, object: &Value) -> Result<Rolled, SandboxError> {
    let workload = Workload::of(plural, object);
    let wanted = usize::try_from(wanted(plural, object)).unwrap_or(0);
    let (mut current, mut older): (Vec<String>, Vec<String>) = (Vec::new(), Vec::new());
    for (key, pod) in tx.scan(&workload.prefix()).filter(|(_, pod)| workload.owns(pod)) {
        let of = if label(pod, workload.hash_label()) == workload.hash { &mut current } else { &mut older };
        of.push(key.to_owned());
    }
    let on_delete = object.pointer("/spec/updateStrategy/type").and_then(Value::as_str) == Some("OnDelete");
    let missing = if on_delete { wanted.saturating_sub(current.len() + older.len()) } else { wanted.saturating_sub(current.len()) };
    let mut pods = Vec::new();
    for _ in 0..missing {
        match workload.pod(tx) {
            Ok(pod) => pods.push(pod),
            Err(Failure::Sandbox(error)) => return Err(error),
            Err(Failure::Refusal(refusal)) => return Ok(Rolled::Refused(refusal.message, i64::try_from(older.len()).unwrap_or(0))),
        }
    }
    for key in current.iter().skip(wanted) {
        remove(tx, key);
    }
    let surges = plural == "deployments" && missing > 0 && !older.is_empty();
    if !surges && !on_delete {
        for key in older.drain(..) {
            remove(tx, &key);
        }
    }
    for (number, pod) in pods.into_iter().enumerate() {
        workload.make(tx, current.len() + number, pod);
    }
    Ok(if surges { Rolled::Surging(i64::try_from(older.len()).unwrap_or(0)) } else { Rolled::Done })
}

fn label<'v>(object: &'v Value, key: &str) -> &'v str {
    metadata(object).and_then(|metadata| metadata.get("labels")?.get(key)?.as_str()).unwrap_or_default()
}

fn remove(tx: &mut Tx<'_>, key: &str) {
    tx.delete(key);
    store::next_revision(tx);
}

/// Removes the pods of a Deployment that is gone: the owner that they name is no object, so that nothing else does.
pub(super) fn collect(tx: &mut Tx<'_>, key: &str, object: &Value) {
    for key in of_deployment(tx, key, object) {
        remove(tx, &key);
    }
}

/// Makes the pods of a Deployment independent of it.
pub(super) fn orphan(tx: &mut Tx<'_>, key: &str, object: &Value) {
    for key in of_deployment(tx, key, object) {
        let Some(mut pod) = tx.get(&key).cloned() else { continue };
        metadata_mut(&mut pod).shift_remove("ownerReferences");
        store::write(tx, &key, pod);
    }
}

fn of_deployment(tx: &Tx<'_>, key: &str, object: &Value) -> Vec<String> {
    if !key.starts_with("kube/apps/deployments/") {
        return Vec::new();
    }
    let workload = Workload::of("deployments", object);
    tx.scan(&workload.prefix()).filter(|(_, pod)| workload.owns(pod)).map(|(key, _)| key.to_owned()).collect()
}

/// The workload that makes a pod anew when it is gone.
pub(super) fn maker(tx: &Tx<'_>, pod: &Value) -> Option<String> {
    let owner = pod.pointer("/metadata/ownerReferences/0")?;
    let text = |key: &str| owner.get(key).and_then(Value::as_str).unwrap_or_default();
    let name = match text("kind") {
        "ReplicaSet" => text("name").strip_suffix(label(pod, "pod-template-hash"))?.strip_suffix('-')?,
        _ => text("name"),
    };
    let plural = match text("kind") {
        "ReplicaSet" => "deployments",
        "StatefulSet" => "statefulsets",
        "DaemonSet" => "daemonsets",
        _ => return None,
    };
    let key = format!("kube/apps/{plural}/{}/{name}", meta_text(pod, "namespace"));
    tx.contains(&key).then_some(key)
}

struct Workload<'a> {
    plural: &'a str,
    object: &'a Value,
    namespace: &'a str,
    name: &'a str,
    uid: &'a str,
    hash: String,
}

impl<'a> Workload<'a> {
    fn of(plural: &'a str, object: &'a Value) -> Self {
        let template = object.pointer("/spec/template").map(ToString::to_string).unwrap_or_default();
        let hash = digest(&[&template]).iter().take(10).map(|byte| char::from(LETTERS[usize::from(*byte) % LETTERS.len()])).collect();
        let (namespace, name, uid) = (meta_text(object, "namespace"), meta_text(object, "name"), meta_text(object, "uid"));
        Self { plural, object, namespace, name, uid, hash }
    }

    fn prefix(&self) -> String {
        format!("{PREFIX}{}/", self.namespace)
    }

    fn hash_label(&self) -> &'static str {
        if self.plural == "deployments" { "pod-template-hash" } else { "controller-revision-hash" }
    }

    /// The uid of what its pods name as their owner.
    fn owner(&self, hash: &str) -> String {
        if self.plural != "deployments" {
            return self.uid.to_owned();
        }
        let bytes = digest(&[self.uid, hash]);
        let hex = format!("{:032x}", bytes[..16].iter().fold(0_u128, |number, byte| (number << 8) | u128::from(*byte)));
        format!("{}-{}-{}-{}-{}", &hex[..8], &hex[8..12], &hex[12..16], &hex[16..20], &hex[20..])
    }

    fn owns(&self, pod: &Value) -> bool {
        let uid = pod.pointer("/metadata/ownerReferences/0/uid").and_then(Value::as_str);
        uid == Some(&self.owner(label(pod, self.hash_label())))
    }

    /// A pod as it will be made, or why it can't be.
    fn pod(&self, tx: &Tx<'_>) -> Outcome<Value> {
        let template = self.object.pointer("/spec/template").cloned().unwrap_or_default();
        let mut pod = json!({"kind": "Pod", "apiVersion": "v1", "metadata": {}, "spec": template.get("spec")});
        let fields = metadata_mut(&mut pod);
        for part in ["labels", "annotations"] {
            if let Some(Value::Object(map)) = template.pointer(&format!("/metadata/{part}")) {
                fields.insert(part.to_owned(), Value::Object(map.clone()));
            }
        }
        child_mut(fields, "labels").insert(self.hash_label().to_owned(), json!(self.hash));
        let (kind, owner) = match self.plural {
            "deployments" => ("ReplicaSet", format!("{}-{}", self.name, self.hash)),
            "statefulsets" => ("StatefulSet", self.name.to_owned()),
            _ => ("DaemonSet", self.name.to_owned()),
        };
        let owner = json!({
            "apiVersion": "apps/v1", "kind": kind, "name": owner, "uid": self.owner(&self.hash), "controller": true, "blockOwnerDeletion": true,
        });
        fields.insert("ownerReferences".to_owned(), json!([owner]));
        fields.insert("namespace".to_owned(), json!(self.namespace));
        istiod::inject(tx, self.namespace, &mut pod)?;
        Ok(pod)
    }

    fn make(&self, tx: &mut Tx<'_>, number: usize, mut pod: Value) {
        let name = if self.plural == "statefulsets" {
            format!("{}-{number}", self.name)
        } else {
            let fresh = tx.fresh();
            let suffix: String = fresh.iter().take(5).map(|byte| char::from(LETTERS[usize::from(*byte) % LETTERS.len()])).collect();
            let middle = if self.plural == "deployments" { format!("{}-", self.hash) } else { String::new() };
            let prefix = format!("{}-{middle}", self.name);
            metadata_mut(&mut pod).insert("generateName".to_owned(), json!(prefix));
            format!("{prefix}{suffix}")
        };
        metadata_mut(&mut pod).insert("name".to_owned(), json!(name));
        let now = store::time(tx);
        let finish = |pod: &mut Value| {
            let status = json!({
                "phase": "Running", "qosClass": "BestEffort",
                "conditions": [{"type": "Ready", "status": "True", "lastProbeTime": null, "lastTransitionTime": now}],
            });
            child_mut_value(pod).insert("status".to_owned(), status);
        };
        make(tx, "pods", Place { namespace: self.namespace, name: &name }, "kube-controller-manager", pod, finish);
    }
}
