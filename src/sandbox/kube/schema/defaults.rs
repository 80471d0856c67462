//! The values that the server gives to what isn't said (k8s.io/kubernetes: `pkg/apis/*/v1/defaults.go`).

use std::collections::BTreeMap;
use std::sync::LazyLock;

use serde_json::{Map, Value, json};

use super::{Shape, Type};
use crate::sandbox::kube::crds;
use crate::sandbox::kube::kinds::Kind;
use crate::sandbox::kube::store::{child_mut, child_mut_value, meta_text, metadata_mut};

/// Defaults that hold wherever a struct is: its name, its field, the value in JSON.
const TABLE: &[(&str, &str, &str)] = &[
    ("admissionregistration.v1.MutatingWebhook", "failurePolicy", "\"Fail\""),
    ("admissionregistration.v1.MutatingWebhook", "matchPolicy", "\"Equivalent\""),
    ("admissionregistration.v1.MutatingWebhook", "namespaceSelector", "{}"),
    ("admissionregistration.v1.MutatingWebhook", "objectSelector", "{}"),
    ("admissionregistration.v1.MutatingWebhook", "reinvocationPolicy", "\"Never\""),
    ("admissionregistration.v1.MutatingWebhook", "timeoutSeconds", "10"),
    ("admissionregistration.v1.RuleWithOperations", "scope", "\"*\""),
    ("admissionregistration.v1.ServiceReference", "port", "443"),
    ("admissionregistration.v1.ValidatingWebhook", "failurePolicy", "\"Fail\""),
    ("admissionregistration.v1.ValidatingWebhook", "matchPolicy", "\"Equivalent\""),
    ("admissionregistration.v1.ValidatingWebhook", "namespaceSelector", "{}"),
    ("admissionregistration.v1.ValidatingWebhook", "objectSelector", "{}"),
    ("admissionregistration.v1.ValidatingWebhook", "timeoutSeconds", "10"),
    ("apps.v1.DaemonSetSpec", "revisionHistoryLimit", "10"),
    ("apps.v1.DeploymentSpec", "progressDeadlineSeconds", "600"),
    ("apps.v1.DeploymentSpec", "replicas", "1"),
    ("apps.v1.DeploymentSpec", "revisionHistoryLimit", "10"),
    ("apps.v1.StatefulSetSpec", "podManagementPolicy", "\"OrderedReady\""),
    ("apps.v1.StatefulSetSpec", "replicas", "1"),
    ("apps.v1.StatefulSetSpec", "revisionHistoryLimit", "10"),
    ("autoscaling.v2.HorizontalPodAutoscalerSpec", "minReplicas", "1"),
    ("batch.v1.CronJobSpec", "concurrencyPolicy", "\"Allow\""),
    ("batch.v1.CronJobSpec", "failedJobsHistoryLimit", "1"),
    ("batch.v1.CronJobSpec", "successfulJobsHistoryLimit", "3"),
    ("batch.v1.CronJobSpec", "suspend", "false"),
    ("core.v1.ConfigMapVolumeSource", "defaultMode", "420"),
    ("core.v1.Container", "terminationMessagePath", "\"/dev/termination-log\""),
    ("core.v1.Container", "terminationMessagePolicy", "\"File\""),
    ("core.v1.ContainerPort", "protocol", "\"TCP\""),
    ("core.v1.DownwardAPIVolumeSource", "defaultMode", "420"),
    ("core.v1.HTTPGetAction", "path", "\"/\""),
    ("core.v1.HTTPGetAction", "scheme", "\"HTTP\""),
    ("core.v1.HostPathVolumeSource", "type", "\"\""),
    ("core.v1.ObjectFieldSelector", "apiVersion", "\"v1\""),
    ("core.v1.PodSpec", "dnsPolicy", "\"ClusterFirst\""),
    ("core.v1.PodSpec", "restartPolicy", "\"Always\""),
    ("core.v1.PodSpec", "schedulerName", "\"default-scheduler\""),
    ("core.v1.PodSpec", "securityContext", "{}"),
    ("core.v1.PodSpec", "terminationGracePeriodSeconds", "30"),
    ("core.v1.Probe", "failureThreshold", "3"),
    ("core.v1.Probe", "periodSeconds", "10"),
    ("core.v1.Probe", "successThreshold", "1"),
    ("core.v1.Probe", "timeoutSeconds", "1"),
    ("core.v1.ProjectedVolumeSource", "defaultMode", "420"),
    ("core.v1.SecretVolumeSource", "defaultMode", "420"),
    ("core.v1.ServiceAccountTokenProjection", "expirationSeconds", "3600"),
    ("core.v1.ServicePort", "protocol", "\"TCP\""),
    ("networking.v1.NetworkPolicyPort", "protocol", "\"TCP\""),
];

static BY_STRUCT: LazyLock<BTreeMap<&'static str, Vec<(&'static str, Value)>>> = LazyLock::new(|| {
    let mut by_struct: BTreeMap<&str, Vec<(&str, Value)>> = BTreeMap::new();
    for (name, field, value) in TABLE {
        by_struct.entry(*name).or_default().push((*field, serde_json::from_str(value).unwrap_or_default()));
    }
    by_struct
});

/// Puts in the defaults of a built-in kind.
pub(in crate::sandbox::kube) fn apply(kind: &Kind, object: &mut Value) {
    if kind.custom {
        return;
    }
    match (kind.group.as_str(), kind.plural.as_str()) {
        ("", "namespaces") => {
            let name = json!(meta_text(object, "name"));
            child_mut(metadata_mut(object), "labels").insert("kubernetes.io/metadata.name".to_owned(), name);
        }
        ("", "secrets") => put(child_mut_value(object), "type", json!("Opaque")),
        ("", "services") => service(child_mut(child_mut_value(object), "spec")),
        ("apps", "deployments") => rolling(child_mut(child_mut_value(object), "spec"), "strategy", "25%", "25%"),
        ("apps", "daemonsets") => {
            put(child_mut(metadata_mut(object), "annotations"), "deprecated.daemonset.template.generation", json!("1"));
            rolling(child_mut(child_mut_value(object), "spec"), "updateStrategy", "0", "1");
        }
        ("apps", "statefulsets") => stateful_set(child_mut(child_mut_value(object), "spec")),
        ("networking.k8s.io", "networkpolicies") => {
            let spec = child_mut(child_mut_value(object), "spec");
            let egress = spec.get("egress").and_then(Value::as_array).is_some_and(|rules| !rules.is_empty());
            if spec.get("policyTypes").is_none_or(|of| of.is_null() || *of == json!([])) {
                spec.insert("policyTypes".to_owned(), if egress { json!(["Ingress", "Egress"]) } else { json!(["Ingress"]) });
            }
        }
        ("apiextensions.k8s.io", "customresourcedefinitions") => crds::default(object),
        ("rbac.authorization.k8s.io", "rolebindings" | "clusterrolebindings") => binding(object),
        _ => {}
    }
    fill(&kind.of, object);
}

/// Puts a value where there is none. An empty text counts as none.
fn put(map: &mut Map<String, Value>, key: &str, value: Value) {
    if map.get(key).is_none_or(|value| value.is_null() || value == "") {
        map.insert(key.to_owned(), value);
    }
}

fn fill(of: &Type, value: &mut Value) {
    match (of.shape(Some(value)), value) {
        (Shape::Object { fields, others, .. }, Value::Object(map)) => {
            if let Type::Named { name, .. } = of {
                for (field, default) in BY_STRUCT.get(name).into_iter().flatten() {
                    put(map, field, default.clone());
                }
                match *name {
                    "core.v1.Container" => pull_policy(map),
                    // The old name of the field goes with the new one.
                    "core.v1.PodSpec" if map.contains_key("serviceAccountName") => {
                        let account = map.get("serviceAccountName").cloned().unwrap_or_default();
                        map.insert("serviceAccount".to_owned(), account);
                    }
                    _ => {}
                }
            }
            for (key, value) in map.iter_mut() {
                if let Some(of) = fields.and_then(|fields| fields.fields.get(key)).map(|field| &field.of).or(others) {
                    fill(of, value);
                }
            }
        }
        (Shape::List { of, .. }, Value::Array(list)) => list.iter_mut().for_each(|item| fill(of, item)),
        _ => {}
    }
}

/// Images without a tag, or with the tag `latest`, are always pulled.
fn pull_policy(container: &mut Map<String, Value>) {
    let image = container.get("image").and_then(Value::as_str).unwrap_or_default();
    let name = image.rsplit('/').next().unwrap_or(image);
    let always = !image.contains('@') && name.split_once(':').is_none_or(|(_, tag)| tag == "latest");
    put(container, "imagePullPolicy", json!(if always { "Always" } else { "IfNotPresent" }));
}

fn rolling(spec: &mut Map<String, Value>, field: &str, surge: &str, unavailable: &str) {
    let number = |text: &str| text.parse::<i64>().map_or_else(|_| json!(text), |number| json!(number));
    let strategy = child_mut(spec, field);
    put(strategy, "type", json!("RollingUpdate"));
    if strategy.get("type").is_some_and(|of| of == "RollingUpdate") {
        let rolling = child_mut(strategy, "rollingUpdate");
        put(rolling, "maxSurge", number(surge));
        put(rolling, "maxUnavailable", number(unavailable));
    }
}

fn stateful_set(spec: &mut Map<String, Value>) {
    let retention = child_mut(spec, "persistentVolumeClaimRetentionPolicy");
    put(retention, "whenDeleted", json!("Retain"));
    put(retention, "whenScaled", json!("Retain"));
    let strategy = child_mut(spec, "updateStrategy");
    put(strategy, "type", json!("RollingUpdate"));
    if strategy.get("type").is_some_and(|of| of == "RollingUpdate") {
        put(child_mut(strategy, "rollingUpdate"), "partition", json!(0));
    }
}

fn service(spec: &mut Map<String, Value>) {
    put(spec, "sessionAffinity", json!("None"));
    put(spec, "type", json!("ClusterIP"));
    let of = spec.get("type").and_then(Value::as_str).unwrap_or_default().to_owned();
    if of == "NodePort" || of == "LoadBalancer" {
        put(spec, "externalTrafficPolicy", json!("Cluster"));
    }
    if of == "LoadBalancer" {
        put(spec, "allocateLoadBalancerNodePorts", json!(true));
    }
    if of != "ExternalName" {
        put(spec, "internalTrafficPolicy", json!("Cluster"));
    }
    for port in spec.get_mut("ports").and_then(Value::as_array_mut).into_iter().flatten() {
        let port = child_mut_value(port);
        let target = port.get("port").cloned().unwrap_or_default();
        if port.get("targetPort").is_none_or(|target| *target == json!(0)) {
            port.insert("targetPort".to_owned(), Value::Null);
        }
        put(port, "targetPort", target);
    }
}

fn binding(object: &mut Value) {
    let group = json!("rbac.authorization.k8s.io");
    put(child_mut(child_mut_value(object), "roleRef"), "apiGroup", group.clone());
    for subject in object.get_mut("subjects").and_then(Value::as_array_mut).into_iter().flatten() {
        let subject = child_mut_value(subject);
        if matches!(subject.get("kind").and_then(Value::as_str), Some("User" | "Group")) {
            put(subject, "apiGroup", group.clone());
        }
    }
}
