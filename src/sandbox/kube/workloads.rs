//! What controllers write of workloads: some seconds after a change all is rolled out. Nothing runs in the sandbox, and no pods are made.

use jiff::SignedDuration;
use serde_json::{Value, json};

use super::controllers::write_status;
use super::istiod;
use super::kinds::Kind;
use super::store::{self, child_mut, child_mut_value};
use crate::ready::tells_ready;
use crate::sandbox::due::{after, delay, schedule};
use crate::sandbox::error::SandboxError;
use crate::sandbox::world::Tx;

/// How long a roll-out takes.
const ROLLOUT: (std::time::Duration, std::time::Duration) = (std::time::Duration::from_secs(2), std::time::Duration::from_secs(8));

/// The kinds whose status is written here.
fn is_workload(kind: &Kind) -> bool {
    matches!(
        (kind.group.as_str(), kind.plural.as_str()),
        ("apps", "deployments" | "statefulsets" | "daemonsets" | "replicasets") | ("batch", "jobs") | ("", "pods")
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

fn generation(object: &Value) -> i64 {
    object.pointer("/metadata/generation").and_then(Value::as_i64).unwrap_or(1)
}

/// Writes the status of a workload that is rolled out, or that can't be.
pub(super) fn roll_out(tx: &mut Tx<'_>, key: &str) -> Result<(), SandboxError> {
    let Some(mut object) = tx.get(key).cloned().filter(|object| !store::is_going(object)) else { return Ok(()) };
    let plural = key.split('/').nth(2).unwrap_or_default().to_owned();
    let now = store::time(tx);
    let is_waiting = crate::resource::manifest::has_auto_image(object.pointer("/spec/template").unwrap_or(&Value::Null));
    if let Some(image) = bad_image(&object).or_else(|| (is_waiting && !istiod::would_inject(tx, &object)).then(|| "auto".to_owned())) {
        let made = object.pointer("/metadata/creationTimestamp").cloned().unwrap_or_default();
        return stuck(tx, key, &plural, object, &image, &made);
    }
    let replicas = object.pointer("/spec/replicas").and_then(Value::as_i64).unwrap_or(1);
    let seen = generation(&object);
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
            "observedGeneration": seen, "currentNumberScheduled": 2, "desiredNumberScheduled": 2, "numberMisscheduled": 0, "numberReady": 2,
            "updatedNumberScheduled": 2, "numberAvailable": 2,
        }),
        "replicasets" => {
            json!({"observedGeneration": seen, "replicas": replicas, "fullyLabeledReplicas": replicas, "readyReplicas": replicas, "availableReplicas": replicas})
        }
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
