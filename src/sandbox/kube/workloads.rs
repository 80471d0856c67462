//! What controllers write of workloads: some seconds after a change all is rolled out. Nothing runs in the sandbox, though there are pods.

use jiff::SignedDuration;
use serde_json::{Value, json};

use super::controllers::write_status;
use super::kinds::Kind;
use super::pods::{self, Rolled};
use super::store::{self, child_mut, child_mut_value};
use super::{istiod, namespaces};
use crate::ready::tells_ready;
use crate::sandbox::due::{after, delay, schedule};
use crate::sandbox::error::SandboxError;
use crate::sandbox::world::Tx;

/// How long a roll-out takes.
const ROLLOUT: (std::time::Duration, std::time::Duration) = (std::time::Duration::from_secs(2), std::time::Duration::from_secs(8));

/// How long the older pods of a Deployment are there beside the new ones.
const DRAIN: (std::time::Duration, std::time::Duration) = (std::time::Duration::from_secs(1), std::time::Duration::from_secs(3));

/// The kinds whose status is written here.
fn is_workload(kind: &Kind) -> bool {
    matches!(
        (kind.group.as_str(), kind.plural.as_str()),
        ("apps", "deployments" | "statefulsets" | "daemonsets") | ("batch", "jobs") | ("", "pods")
    ) || tells_ready(&kind.group, &kind.kind)
}

/// Lets the controllers begin with an object that is new or changed.
pub(super) fn begin(tx: &mut Tx<'_>, kind: &Kind, key: &str, object: &Value) -> Result<(), SandboxError> {
    if !is_workload(kind) {
        return Ok(());
    }
    let pause = delay(tx, ROLLOUT, &["rollout", key, &generation(object).to_string()]);
    schedule(tx, after(tx.now(), pause), "kube.rollout", key)
}

/// What is gone for good: a pod is made anew by its workload.
pub(super) fn left(tx: &mut Tx<'_>, key: &str, object: &Value) -> Result<(), SandboxError> {
    tx.delete(&retry_of(key));
    match pods::maker(tx, object).filter(|_| key.starts_with("kube/core/pods/")) {
        Some(maker) => schedule(tx, after(tx.now(), SignedDuration::from_secs(1)), "kube.rollout", &maker),
        None => Ok(()),
    }
}

fn generation(object: &Value) -> i64 {
    object.pointer("/metadata/generation").and_then(Value::as_i64).unwrap_or(1)
}

/// Writes the status of a workload that is rolled out, or that can't be.
pub(super) fn roll_out(tx: &mut Tx<'_>, key: &str) -> Result<(), SandboxError> {
    let Some(mut object) = tx.get(key).cloned().filter(|object| !store::is_going(object)) else { return Ok(()) };
    let plural = key.split('/').nth(2).unwrap_or_default().to_owned();
    let now = store::time(tx);
    if let Some(image) = bad_image(&object).or_else(|| istiod::leaves_auto_image(tx, &object).then(|| "auto".to_owned())) {
        let made = object.pointer("/metadata/creationTimestamp").cloned().unwrap_or_default();
        return stuck(tx, key, &plural, object, &image, &made);
    }
    let replicas = pods::wanted(&plural, &object);
    let seen = generation(&object);
    if matches!(plural.as_str(), "deployments" | "statefulsets" | "daemonsets") {
        if namespaces::is_going(tx, store::meta_text(&object, "namespace")) {
            return Ok(());
        }
        match pods::roll(tx, &plural, &object)? {
            Rolled::Done => drop(tx.delete(&retry_of(key))),
            Rolled::Surging(older) => {
                let pause = delay(tx, DRAIN, &["drain", key, &seen.to_string()]);
                let wanted = surging(&object, replicas, older, &now);
                put(tx, key, &mut object, &wanted);
                return schedule(tx, after(tx.now(), pause), "kube.rollout", key);
            }
            Rolled::Refused(why, older) => return refused(tx, key, object, &plural, older, &why),
        }
    }
    let condition = |of: &str, reason: &str, message: &str| json!({"type": of, "status": "True", "lastUpdateTime": now, "lastTransitionTime": now, "reason": reason, "message": message});
    let revision = format!("{}-{:x}", store::meta_text(&object, "name"), seen);
    let wanted = match plural.as_str() {
        "deployments" => json!({
            "observedGeneration": seen, "replicas": replicas, "updatedReplicas": replicas, "readyReplicas": replicas, "availableReplicas": replicas,
            "conditions": [
                condition("Available", "MinimumReplicasAvailable", "Deployment has minimum availability."),
                condition("Progressing", "NewReplicaSetAvailable", "ReplicaSet has successfully progressed."),
            ],
        }),
        "statefulsets" => json!({
            "observedGeneration": seen, "replicas": replicas, "readyReplicas": replicas, "availableReplicas": replicas, "currentReplicas": replicas,
            "updatedReplicas": replicas, "currentRevision": revision, "updateRevision": revision, "collisionCount": 0,
        }),
        "daemonsets" => json!({
            "observedGeneration": seen, "currentNumberScheduled": replicas, "desiredNumberScheduled": replicas, "numberMisscheduled": 0,
            "numberReady": replicas, "updatedNumberScheduled": replicas, "numberAvailable": replicas,
        }),
        "jobs" => json!({
            "startTime": now, "completionTime": now, "succeeded": 1, "ready": 0, "terminating": 0, "uncountedTerminatedPods": {},
            "conditions": [
                {"type": "SuccessCriteriaMet", "status": "True", "lastProbeTime": now, "lastTransitionTime": now, "reason": "CompletionsReached", "message": "Reached expected number of succeeded pods"},
                {"type": "Complete", "status": "True", "lastProbeTime": now, "lastTransitionTime": now, "reason": "CompletionsReached", "message": "Reached expected number of succeeded pods"},
            ],
        }),
        // Of controllers that nobody plays it is only told that they have seen their objects.
        _ if !matches!(key.split('/').nth(1), Some("core")) => json!({
            "conditions": [{"type": "Ready", "status": "True", "lastTransitionTime": now, "reason": "Seen", "message": "the sandbox has no such controller"}],
        }),
        _ => json!({
            "phase": "Running", "qosClass": "BestEffort",
            "conditions": [{"type": "Ready", "status": "True", "lastProbeTime": null, "lastTransitionTime": now}],
        }),
    };
    put(tx, key, &mut object, &wanted);
    if plural == "deployments" { istiod::started(tx, &object) } else { Ok(()) }
}

/// Where it is kept since when the pods of a workload can't be made.
fn retry_of(key: &str) -> String {
    format!("retry/{key}")
}

/// A Deployment whose new pods are there beside the older ones.
fn surging(object: &Value, replicas: i64, older: i64, now: &Value) -> Value {
    let all = replicas + older;
    json!({
        "observedGeneration": generation(object), "replicas": all, "updatedReplicas": replicas, "readyReplicas": all, "availableReplicas": all,
        "conditions": [
            {"type": "Available", "status": "True", "lastUpdateTime": now, "lastTransitionTime": now, "reason": "MinimumReplicasAvailable", "message": "Deployment has minimum availability."},
            {"type": "Progressing", "status": "True", "lastUpdateTime": now, "lastTransitionTime": now, "reason": "ReplicaSetUpdated", "message": "ReplicaSet is progressing."},
        ],
    })
}

/// Pods that the server doesn't take: they are tried again, at first soon, and then ever more seldom.
fn refused(tx: &mut Tx<'_>, key: &str, mut object: Value, plural: &str, older: i64, why: &str) -> Result<(), SandboxError> {
    let seen = generation(&object);
    let known = tx.get(&retry_of(key)).filter(|known| known.get("generation").and_then(Value::as_i64) == Some(seen));
    let since = known.and_then(|known| known.get("since")?.as_str()?.parse::<jiff::Timestamp>().ok());
    let begun = since.unwrap_or(tx.now());
    tx.put(&retry_of(key), json!({"generation": seen, "since": begun.to_string()}));
    let waited = tx.now().duration_since(begun);
    let now = store::time(tx);
    let seconds = object.pointer("/spec/progressDeadlineSeconds").and_then(Value::as_i64).unwrap_or(600);
    let is_late = waited >= SignedDuration::from_secs(seconds);
    let (status, reason) = if is_late { ("False", "ProgressDeadlineExceeded") } else { ("True", "ReplicaSetUpdated") };
    let mut wanted = json!({"observedGeneration": seen});
    if plural == "deployments" {
        for (field, value) in [("replicas", older), ("readyReplicas", older), ("availableReplicas", older), ("updatedReplicas", 0)] {
            wanted[field] = json!(value);
        }
        wanted["conditions"] = json!([
            {"type": "Progressing", "status": status, "lastUpdateTime": now, "lastTransitionTime": now, "reason": reason, "message": "ReplicaSet is progressing."},
            {"type": "ReplicaFailure", "status": "True", "lastUpdateTime": now, "lastTransitionTime": now, "reason": "FailedCreate", "message": why},
        ]);
    }
    put(tx, key, &mut object, &wanted);
    let pause = (waited / 2).clamp(SignedDuration::from_secs(1), SignedDuration::from_mins(16));
    schedule(tx, after(tx.now(), pause), "kube.rollout", key)
}

fn put(tx: &mut Tx<'_>, key: &str, object: &mut Value, status: &Value) {
    // A pod's status keeps what the server gave it.
    let fields = child_mut(child_mut_value(object), "status");
    for (field, value) in status.as_object().into_iter().flatten() {
        fields.insert(field.clone(), value.clone());
    }
    write_status(tx, key, "kube-controller-manager", object.clone());
}

/// An image that no container runtime takes: such a workload never comes to run.
fn bad_image(object: &Value) -> Option<String> {
    let pod = object.pointer("/spec/template/spec").or_else(|| object.pointer("/spec"))?;
    let containers = pod.get("containers").and_then(Value::as_array)?;
    let images = containers.iter().filter_map(|container| container.get("image").and_then(Value::as_str));
    let is_bad =
        |image: &&str| image.contains(' ') || image.split('/').any(|part| part.chars().next().is_some_and(|c| c.is_ascii_uppercase()));
    images.into_iter().find(is_bad).map(str::to_owned)
}

/// A workload whose image is bad: it makes no progress, and past its deadline it says so.
fn stuck(tx: &mut Tx<'_>, key: &str, plural: &str, mut object: Value, image: &str, made: &Value) -> Result<(), SandboxError> {
    let seen = generation(&object);
    let seconds = object.pointer("/spec/progressDeadlineSeconds").and_then(Value::as_i64).unwrap_or(600);
    let since = made.as_str().and_then(|text| text.parse::<jiff::Timestamp>().ok()).unwrap_or(tx.now());
    let deadline = after(since, SignedDuration::from_secs(seconds));
    let now = store::time(tx);
    let is_late = tx.now() >= deadline;
    let (status, reason, message) = if is_late {
        ("False", "ProgressDeadlineExceeded", format!("ReplicaSet has timed out progressing: {image:?} is no image"))
    } else {
        ("True", "ReplicaSetUpdated", "ReplicaSet is progressing.".to_owned())
    };
    let mut wanted = json!({"observedGeneration": seen});
    if plural == "deployments" {
        wanted["replicas"] = json!(1);
        wanted["updatedReplicas"] = json!(1);
        wanted["unavailableReplicas"] = json!(1);
        wanted["conditions"] = json!([
            {"type": "Progressing", "status": status, "lastUpdateTime": now, "lastTransitionTime": now, "reason": reason, "message": message},
        ]);
    }
    if plural == "pods" {
        let waiting = json!({"reason": "InvalidImageName", "message": format!("couldn't parse image name {image:?}")});
        let name = object.pointer("/spec/containers/0/name").cloned().unwrap_or_default();
        wanted = json!({"phase": "Pending", "containerStatuses": [
            {"name": name, "image": image, "imageID": "", "ready": false, "restartCount": 0, "state": {"waiting": waiting}},
        ]});
    }
    put(tx, key, &mut object, &wanted);
    if plural == "deployments" && !is_late {
        schedule(tx, deadline, "kube.rollout", key)?;
    }
    Ok(())
}
