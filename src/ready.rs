//! Whether a live object does what it is for (the rules of cli-utils' kstatus, and what the kinds' documents say where it has none).

use jiff::{SignedDuration, Timestamp};
use serde_json::Value;

/// How far an object is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Readiness {
    /// It does what it is for.
    Ready,
    /// It is on its way: what is missing.
    Waiting(String),
    /// It won't come to it by itself: why.
    Failed(String),
}

use Readiness::{Failed, Ready, Waiting};

/// How far this object of a kind is. `now` is the time to hold its own times against.
pub fn readiness(group: &str, kind: &str, object: &Value, now: Timestamp) -> Readiness {
    if object.pointer("/metadata/deletionTimestamp").is_some() {
        return Waiting("it is being deleted".into());
    }
    let look = Look { object, now };
    match (group, kind) {
        ("apps", "Deployment") => look.deployment(),
        ("apps", "StatefulSet") => look.stateful_set(),
        ("apps", "DaemonSet") => look.daemon_set(),
        ("apps", "ReplicaSet") | ("", "ReplicationController") => look.replica_set(),
        ("batch", "Job") => look.job(),
        ("", "Pod") => look.pod(),
        ("", "PersistentVolumeClaim") => look.claim(),
        ("", "Service") => look.service(),
        ("", "Namespace") => match look.text("/status/phase") {
            "" | "Active" => Ready,
            phase => Waiting(format!("its phase is {phase}")),
        },
        ("policy", "PodDisruptionBudget") => look.observed().unwrap_or(Ready),
        ("apiextensions.k8s.io", "CustomResourceDefinition") => look.definition(),
        ("apiregistration.k8s.io", "APIService") => look.condition_is("Available"),
        ("autoscaling", _) | ("networking.k8s.io", "Ingress") => Ready,
        _ if tells_ready(group, kind) && look.condition("Ready").is_none() => Waiting("its controller has not seen it yet".into()),
        _ => look.anything(),
    }
}

/// Whether an Ingress has a load balancer: its controller writes the name of it into the status (Kubernetes API, `IngressLoadBalancerStatus`),
/// and tells what goes wrong in events only.
pub fn balanced(object: &Value) -> Readiness {
    if object.pointer("/metadata/deletionTimestamp").is_some() {
        return Waiting("it is being deleted".into());
    }
    if hostname(object).is_some() {
        return Ready;
    }
    Waiting("its load balancer has no name yet: the AWS Load Balancer Controller makes it".into())
}

/// The name of an Ingress's load balancer.
pub fn hostname(object: &Value) -> Option<&str> {
    object.pointer("/status/loadBalancer/ingress/0/hostname").and_then(Value::as_str).filter(|name| !name.is_empty())
}

/// Whether objects of a kind may take time to be ready, so that one is worth a second look.
pub fn takes_time(group: &str, kind: &str, object: &Value) -> bool {
    let by_kind = matches!(
        (group, kind),
        ("apps", "Deployment" | "StatefulSet" | "DaemonSet" | "ReplicaSet")
            | ("batch", "Job")
            | ("", "Pod" | "PersistentVolumeClaim" | "ReplicationController")
            | ("apiextensions.k8s.io", "CustomResourceDefinition")
            | ("apiregistration.k8s.io", "APIService")
    );
    by_kind || tells_ready(group, kind) || object.pointer("/status/conditions").is_some()
}

/// Whether the controller of a kind tells of each of its objects whether it is ready, so that one of which nothing is told yet isn't: of External
/// Secrets (its API reference, `status.conditions`) and cert-manager (the same).
pub fn tells_ready(group: &str, kind: &str) -> bool {
    matches!(
        (group, kind),
        ("external-secrets.io", "ExternalSecret" | "SecretStore" | "ClusterSecretStore" | "ClusterExternalSecret" | "PushSecret")
            | ("cert-manager.io", "Certificate" | "Issuer" | "ClusterIssuer")
    )
}

struct Look<'a> {
    object: &'a Value,
    now: Timestamp,
}

impl<'a> Look<'a> {
    fn text(&self, pointer: &str) -> &'a str {
        self.object.pointer(pointer).and_then(Value::as_str).unwrap_or_default()
    }

    fn number(&self, pointer: &str) -> Option<i64> {
        self.object.pointer(pointer).and_then(Value::as_i64)
    }

    fn status(&self, field: &str) -> i64 {
        self.number(&format!("/status/{field}")).unwrap_or(0)
    }

    fn condition(&self, name: &str) -> Option<&'a Value> {
        let conditions = self.object.pointer("/status/conditions")?.as_array()?;
        conditions.iter().find(|one| one.get("type").and_then(Value::as_str) == Some(name))
    }

    fn is(&self, condition: &str, status: &str) -> bool {
        self.condition(condition).is_some_and(|one| one.get("status").and_then(Value::as_str) == Some(status))
    }

    /// The reason and the message of a condition.
    fn says(&self, condition: &str) -> String {
        let part = |key: &str| self.condition(condition).and_then(|one| one.get(key)).and_then(Value::as_str).unwrap_or_default();
        match (part("reason"), part("message")) {
            ("", "") => format!("{condition} is not told"),
            (reason, "") => reason.to_owned(),
            ("", message) => message.to_owned(),
            (reason, message) => format!("{reason}: {message}"),
        }
    }

    /// Whether the controller has seen the object as it is now; what is missing if not.
    fn observed(&self) -> Option<Readiness> {
        let generation = self.number("/metadata/generation")?;
        match self.number("/status/observedGeneration") {
            Some(seen) if seen < generation => Some(Waiting("its controller has not seen the change yet".into())),
            _ => None,
        }
    }

    fn observed_at_all(&self) -> Option<Readiness> {
        if self.number("/status/observedGeneration").is_none() {
            return Some(Waiting("its controller has not seen it yet".into()));
        }
        self.observed()
    }

    fn count(have: i64, wanted: i64, what: &str) -> Option<Readiness> {
        (have < wanted).then(|| Waiting(format!("{have} of {wanted} {what}")))
    }

    fn deployment(&self) -> Readiness {
        if let Some(early) = self.observed_at_all() {
            return early;
        }
        let wanted = self.number("/spec/replicas").unwrap_or(1);
        if self.condition("Progressing").and_then(|one| one.get("reason")).and_then(Value::as_str) == Some("ProgressDeadlineExceeded") {
            return Failed(self.says("Progressing"));
        }
        if self.is("ReplicaFailure", "True") {
            return Waiting(self.says("ReplicaFailure"));
        }
        let replicas = self.status("replicas");
        let updated = self.status("updatedReplicas");
        let missing = Self::count(updated, wanted, "replicas updated")
            .or_else(|| (replicas > updated).then(|| Waiting(format!("{} old replicas have to go", replicas - updated))))
            .or_else(|| Self::count(self.status("availableReplicas"), updated, "replicas available"))
            .or_else(|| Self::count(self.status("readyReplicas"), wanted, "replicas ready"));
        if let Some(missing) = missing {
            return missing;
        }
        if self.is("Available", "False") { Waiting(self.says("Available")) } else { Ready }
    }

    fn stateful_set(&self) -> Readiness {
        if self.text("/spec/updateStrategy/type") == "OnDelete" {
            return Ready;
        }
        if let Some(early) = self.observed_at_all() {
            return early;
        }
        let wanted = self.number("/spec/replicas").unwrap_or(1);
        let missing = Self::count(self.status("replicas"), wanted, "replicas made")
            .or_else(|| Self::count(self.status("readyReplicas"), wanted, "replicas ready"))
            .or_else(|| (self.status("replicas") > wanted).then(|| Waiting("surplus replicas have to go".into())));
        if let Some(missing) = missing {
            return missing;
        }
        let partition = self.number("/spec/updateStrategy/rollingUpdate/partition").unwrap_or(0);
        if partition > 0 {
            return Self::count(self.status("updatedReplicas"), wanted - partition, "replicas updated").unwrap_or(Ready);
        }
        if self.text("/status/currentRevision") != self.text("/status/updateRevision") {
            return Waiting(format!("{} of {wanted} replicas updated", self.status("updatedReplicas")));
        }
        Ready
    }

    fn daemon_set(&self) -> Readiness {
        if let Some(early) = self.observed_at_all() {
            return early;
        }
        if self.text("/spec/updateStrategy/type") == "OnDelete" {
            return Ready;
        }
        let wanted = self.status("desiredNumberScheduled");
        Self::count(self.status("currentNumberScheduled"), wanted, "pods scheduled")
            .or_else(|| Self::count(self.status("updatedNumberScheduled"), wanted, "pods updated"))
            .or_else(|| Self::count(self.status("numberAvailable"), wanted, "pods available"))
            .or_else(|| Self::count(self.status("numberReady"), wanted, "pods ready"))
            .unwrap_or(Ready)
    }

    fn replica_set(&self) -> Readiness {
        if let Some(early) = self.observed_at_all() {
            return early;
        }
        let wanted = self.number("/spec/replicas").unwrap_or(1);
        if self.is("ReplicaFailure", "True") {
            return Waiting(self.says("ReplicaFailure"));
        }
        Self::count(self.status("availableReplicas"), wanted, "replicas available")
            .or_else(|| Self::count(self.status("readyReplicas"), wanted, "replicas ready"))
            .or_else(|| (self.status("replicas") > wanted).then(|| Waiting("surplus replicas have to go".into())))
            .unwrap_or(Ready)
    }

    /// A job is ready when it is done: whoever needs it needs what it does. A suspended one waits for someone.
    fn job(&self) -> Readiness {
        if self.is("Failed", "True") {
            return Failed(self.says("Failed"));
        }
        if self.is("Complete", "True") || self.object.pointer("/spec/suspend") == Some(&Value::Bool(true)) {
            return Ready;
        }
        let (active, failed) = (self.status("active"), self.status("failed"));
        Waiting(format!("it has not completed ({active} pods active, {failed} failed)"))
    }

    fn pod(&self) -> Readiness {
        match self.text("/status/phase") {
            "Succeeded" => return Ready,
            "Failed" => return Failed(format!("it failed: {}", self.text("/status/message"))),
            _ => {}
        }
        if self.is("Ready", "True") {
            return Ready;
        }
        if let Some(why) = container_trouble(self.object) {
            let is_final =
                why.contains("CrashLoopBackOff") || why.contains("InvalidImageName") || why.contains("CreateContainerConfigError");
            return if is_final { Failed(why) } else { Waiting(why) };
        }
        if self.is("PodScheduled", "False") {
            let made = self.text("/metadata/creationTimestamp").parse::<Timestamp>().unwrap_or(self.now);
            let why = self.says("PodScheduled");
            return if self.now.duration_since(made) > SignedDuration::from_secs(15) && why.starts_with("Unschedulable") {
                Failed(why)
            } else {
                Waiting(why)
            };
        }
        Waiting("its containers are not ready".into())
    }

    fn claim(&self) -> Readiness {
        // With `WaitForFirstConsumer` a claim is bound when a pod asks for it, which may be one that waits for the claim.
        if self.text("/status/phase") == "Lost" { Failed("its volume is lost".into()) } else { Ready }
    }

    fn service(&self) -> Readiness {
        let is_balanced = self.text("/spec/type") == "LoadBalancer";
        if is_balanced && self.text("/spec/clusterIP").is_empty() { Waiting("it has no cluster IP".into()) } else { Ready }
    }

    fn definition(&self) -> Readiness {
        if self.is("NamesAccepted", "False") {
            return Failed(self.says("NamesAccepted"));
        }
        if self.is("Established", "True") {
            return Ready;
        }
        let reason = self.condition("Established").and_then(|one| one.get("reason")).and_then(Value::as_str);
        match reason {
            Some(reason) if reason != "Installing" => Failed(self.says("Established")),
            _ => Waiting("it is not established".into()),
        }
    }

    fn condition_is(&self, name: &str) -> Readiness {
        if self.is(name, "True") { Ready } else { Waiting(self.says(name)) }
    }

    /// By the conventions of conditions.
    fn anything(&self) -> Readiness {
        if let Some(early) = self.observed() {
            return early;
        }
        if self.is("Stalled", "True") {
            return Failed(self.says("Stalled"));
        }
        if self.is("Reconciling", "True") {
            return Waiting(self.says("Reconciling"));
        }
        match self.condition("Ready") {
            Some(_) => self.condition_is("Ready"),
            None => Ready,
        }
    }
}

/// What keeps a container of a pod from running, when something does.
pub fn container_trouble(pod: &Value) -> Option<String> {
    let lists = ["/status/initContainerStatuses", "/status/containerStatuses"];
    let containers = lists.iter().filter_map(|list| pod.pointer(list)?.as_array()).flatten();
    for container in containers {
        let name = container.get("name").and_then(Value::as_str).unwrap_or_default();
        let text = |pointer: &str| container.pointer(pointer).and_then(Value::as_str).unwrap_or_default();
        let waits = text("/state/waiting/reason");
        if !["", "ContainerCreating", "PodInitializing"].contains(&waits) {
            let message = text("/state/waiting/message");
            let ended = container.pointer("/lastState/terminated/exitCode").and_then(Value::as_i64);
            let ended = ended.map_or(String::new(), |code| format!(", it ended with {code}"));
            let joint = if message.is_empty() { "" } else { ": " };
            return Some(format!("container {name} {waits}{joint}{message}{ended}"));
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn each_kind_is_ready_when_it_does_what_it_is_for() {
        let waits = |text: &str| Waiting(text.to_owned());
        let failed = |text: &str| Failed(text.to_owned());
        let deployment = |status: Value| json!({"metadata": {"generation": 2}, "spec": {"replicas": 2}, "status": status});
        let condition = |name: &str, status: &str, reason: &str| json!({"status": {"conditions": [{"type": name, "status": status, "reason": reason, "message": "m"}]}});
        let cases = [
            ("a deployment nobody has seen", "apps", "Deployment", deployment(json!({})), waits("its controller has not seen it yet")),
            (
                "a deployment whose change nobody has seen",
                "apps",
                "Deployment",
                deployment(
                    json!({"observedGeneration": 1, "replicas": 2, "updatedReplicas": 2, "readyReplicas": 2, "availableReplicas": 2}),
                ),
                waits("its controller has not seen the change yet"),
            ),
            (
                "a deployment that is rolled out",
                "apps",
                "Deployment",
                deployment(
                    json!({"observedGeneration": 2, "replicas": 2, "updatedReplicas": 2, "readyReplicas": 2, "availableReplicas": 2}),
                ),
                Ready,
            ),
            (
                "a deployment with old pods",
                "apps",
                "Deployment",
                deployment(
                    json!({"observedGeneration": 2, "replicas": 3, "updatedReplicas": 2, "readyReplicas": 3, "availableReplicas": 3}),
                ),
                waits("1 old replicas have to go"),
            ),
            (
                "a deployment past its deadline",
                "apps",
                "Deployment",
                deployment(
                    json!({"observedGeneration": 2, "conditions": [{"type": "Progressing", "status": "False", "reason": "ProgressDeadlineExceeded", "message": "late"}]}),
                ),
                failed("ProgressDeadlineExceeded: late"),
            ),
            (
                "a daemon set",
                "apps",
                "DaemonSet",
                json!({"status": {"observedGeneration": 1, "desiredNumberScheduled": 2, "currentNumberScheduled": 2, "updatedNumberScheduled": 2, "numberAvailable": 1}}),
                waits("1 of 2 pods available"),
            ),
            (
                "a stateful set between revisions",
                "apps",
                "StatefulSet",
                json!({"spec": {"replicas": 1}, "status": {"observedGeneration": 1, "replicas": 1, "readyReplicas": 1, "currentRevision": "a", "updateRevision": "b"}}),
                waits("0 of 1 replicas updated"),
            ),
            ("a job that ran", "batch", "Job", condition("Complete", "True", ""), Ready),
            ("a job that failed", "batch", "Job", condition("Failed", "True", "BackoffLimitExceeded"), failed("BackoffLimitExceeded: m")),
            ("a job that runs", "batch", "Job", json!({"status": {"active": 1}}), waits("it has not completed (1 pods active, 0 failed)")),
            (
                "a definition whose names are taken",
                "apiextensions.k8s.io",
                "CustomResourceDefinition",
                condition("NamesAccepted", "False", "ListKindConflict"),
                failed("ListKindConflict: m"),
            ),
            (
                "a definition that is new",
                "apiextensions.k8s.io",
                "CustomResourceDefinition",
                condition("Established", "False", "Installing"),
                waits("it is not established"),
            ),
            ("a custom object without conditions", "x.io", "X", json!({}), Ready),
            (
                "an external secret that nobody has seen",
                "external-secrets.io",
                "ExternalSecret",
                json!({}),
                waits("its controller has not seen it yet"),
            ),
            ("one that is there", "external-secrets.io", "ExternalSecret", condition("Ready", "True", "SecretSynced"), Ready),
            ("a custom object that is not ready", "x.io", "X", condition("Ready", "False", "Why"), waits("Why: m")),
            ("a custom object that is stalled", "x.io", "X", condition("Stalled", "True", "Why"), failed("Why: m")),
            ("a config map", "", "ConfigMap", json!({"data": {}}), Ready),
            (
                "a pod whose image can't be pulled",
                "",
                "Pod",
                json!({"status": {"containerStatuses": [{"name": "a", "state": {"waiting": {"reason": "ImagePullBackOff", "message": "no"}}}]}}),
                waits("container a ImagePullBackOff: no"),
            ),
            (
                "a pod that crashes",
                "",
                "Pod",
                json!({"status": {"containerStatuses": [{"name": "a", "state": {"waiting": {"reason": "CrashLoopBackOff"}}, "lastState": {"terminated": {"exitCode": 3}}}]}}),
                failed("container a CrashLoopBackOff, it ended with 3"),
            ),
        ];
        for (name, group, kind, object, wanted) in cases {
            assert_eq!(readiness(group, kind, &object, Timestamp::UNIX_EPOCH), wanted, "{name}");
        }
    }
}
