//! What an object names: what it mounts, runs as, routes to or is called by.

use std::collections::BTreeMap;

use serde_json::{Map, Value};

use crate::addr::Addr;
use crate::resource::manifest::ManifestSpec;
use crate::resource::{Resource, Spec};

/// An object that another one names.
pub(super) struct Reference {
    pub(super) addr: Addr,
    /// Whether the API server calls it for what comes later: it has to answer by then.
    pub(super) must_answer: bool,
}

/// Finds references in an object.
struct Finder<'a> {
    namespace: Option<&'a str>,
    found: Vec<Reference>,
}

impl Finder<'_> {
    fn name(&mut self, kind: &str, group: &str, namespace: Option<&str>, name: Option<&Value>) {
        if let Some(name) = name.and_then(Value::as_str) {
            let namespace = namespace.map(str::to_owned);
            let addr = Addr::Kube { kind: kind.to_owned(), group: group.to_owned(), namespace, name: name.to_owned() };
            self.found.push(Reference { addr, must_answer: false });
        }
    }

    /// One in the same namespace.
    fn beside(&mut self, kind: &str, group: &str, name: Option<&Value>) {
        self.name(kind, group, self.namespace, name);
    }

    fn webhook_service(&mut self, service: Option<&Value>) {
        let Some(service) = service else { return };
        let (namespace, name) = (service.get("namespace").and_then(Value::as_str), service.get("name"));
        let before = self.found.len();
        self.name("service", "", namespace, name);
        if let Some(reference) = self.found.get_mut(before) {
            reference.must_answer = true;
        }
    }

    fn pod(&mut self, spec: &Value) {
        self.beside("serviceaccount", "", spec.get("serviceAccountName"));
        self.name("priorityclass", "scheduling.k8s.io", None, spec.get("priorityClassName"));
        self.name("runtimeclass", "node.k8s.io", None, spec.get("runtimeClassName"));
        for secret in items(spec, "imagePullSecrets") {
            self.beside("secret", "", secret.get("name"));
        }
        for volume in items(spec, "volumes") {
            self.volume(volume);
            for source in volume.get("projected").into_iter().flat_map(|projected| items(projected, "sources")) {
                self.beside("configmap", "", source.pointer("/configMap/name"));
                self.beside("secret", "", source.pointer("/secret/name"));
            }
        }
        for list in ["containers", "initContainers"] {
            for container in items(spec, list) {
                for source in items(container, "envFrom") {
                    self.beside("configmap", "", source.pointer("/configMapRef/name"));
                    self.beside("secret", "", source.pointer("/secretRef/name"));
                }
                for variable in items(container, "env") {
                    self.beside("configmap", "", variable.pointer("/valueFrom/configMapKeyRef/name"));
                    self.beside("secret", "", variable.pointer("/valueFrom/secretKeyRef/name"));
                }
            }
        }
    }

    fn volume(&mut self, volume: &Value) {
        self.beside("configmap", "", volume.pointer("/configMap/name"));
        self.beside("secret", "", volume.pointer("/secret/secretName"));
        self.beside("persistentvolumeclaim", "", volume.pointer("/persistentVolumeClaim/claimName"));
    }
}

fn items<'a>(value: &'a Value, key: &str) -> impl Iterator<Item = &'a Value> {
    value.get(key).and_then(Value::as_array).into_iter().flatten()
}

/// The template of a workload's pods, or a pod itself.
pub(super) fn pod_of<'a>(kind: &str, body: &'a Value) -> Option<&'a Value> {
    match kind {
        "Pod" => body.get("spec"),
        "CronJob" => body.pointer("/spec/jobTemplate/spec/template/spec"),
        "Deployment" | "StatefulSet" | "DaemonSet" | "ReplicaSet" | "ReplicationController" | "Job" => body.pointer("/spec/template/spec"),
        _ => None,
    }
}

/// What an object names.
pub(super) fn references(spec: &ManifestSpec) -> Vec<Reference> {
    let (kind, body) = (spec.object.kind.as_str(), &spec.object.body);
    let mut finder = Finder { namespace: spec.object.namespace.as_deref(), found: Vec::new() };
    if let Some(pod) = pod_of(kind, body) {
        finder.pod(pod);
    }
    match (spec.group(), kind) {
        ("apps", "StatefulSet") => finder.beside("service", "", body.pointer("/spec/serviceName")),
        ("", "ServiceAccount") => {
            for secret in items(body, "imagePullSecrets") {
                finder.beside("secret", "", secret.get("name"));
            }
        }
        ("", "PersistentVolumeClaim" | "PersistentVolume") => {
            finder.name("storageclass", "storage.k8s.io", None, body.pointer("/spec/storageClassName"));
        }
        ("rbac.authorization.k8s.io", "RoleBinding" | "ClusterRoleBinding") => {
            let role = body.pointer("/roleRef/kind").and_then(Value::as_str).unwrap_or_default().to_ascii_lowercase();
            let namespace = finder.namespace.filter(|_| role == "role");
            finder.name(&role, "rbac.authorization.k8s.io", namespace, body.pointer("/roleRef/name"));
            for subject in items(body, "subjects").filter(|subject| subject.get("kind").and_then(Value::as_str) == Some("ServiceAccount")) {
                finder.name("serviceaccount", "", subject.get("namespace").and_then(Value::as_str), subject.get("name"));
            }
        }
        ("networking.k8s.io", "Ingress") => {
            finder.name("ingressclass", "networking.k8s.io", None, body.pointer("/spec/ingressClassName"));
            finder.beside("service", "", body.pointer("/spec/defaultBackend/service/name"));
            for rule in body.pointer("/spec").into_iter().flat_map(|spec| items(spec, "rules")) {
                for path in rule.get("http").into_iter().flat_map(|http| items(http, "paths")) {
                    finder.beside("service", "", path.pointer("/backend/service/name"));
                }
            }
            for tls in body.pointer("/spec").into_iter().flat_map(|spec| items(spec, "tls")) {
                finder.beside("secret", "", tls.get("secretName"));
            }
        }
        ("networking.istio.io", "Gateway") => {
            // In the gateway's own namespace, which need not be this one: then the reference leads nowhere, and counts for nothing.
            for server in body.pointer("/spec").into_iter().flat_map(|spec| items(spec, "servers")) {
                finder.beside("secret", "", server.pointer("/tls/credentialName"));
            }
        }
        ("autoscaling", "HorizontalPodAutoscaler") => {
            let text = |key: &str| body.pointer(&format!("/spec/scaleTargetRef/{key}")).and_then(Value::as_str).unwrap_or_default();
            let group = text("apiVersion").split_once('/').map_or("", |(group, _)| group).to_owned();
            let kind = text("kind").to_ascii_lowercase();
            finder.beside(&kind, &group, body.pointer("/spec/scaleTargetRef/name"));
        }
        ("admissionregistration.k8s.io", "MutatingWebhookConfiguration" | "ValidatingWebhookConfiguration") => {
            for webhook in items(body, "webhooks") {
                finder.webhook_service(webhook.pointer("/clientConfig/service"));
            }
        }
        ("admissionregistration.k8s.io", "ValidatingAdmissionPolicyBinding") => {
            let policy = body.pointer("/spec/policyName");
            finder.name("validatingadmissionpolicy", "admissionregistration.k8s.io", None, policy);
        }
        ("apiregistration.k8s.io", "APIService") => finder.webhook_service(body.pointer("/spec/service")),
        _ => {}
    }
    finder.found
}

/// A workload and the labels of its pods.
type Workload<'a> = (&'a Addr, &'a Map<String, Value>);

/// The workloads behind each service of these resources: those whose pods carry the labels that it selects.
pub(super) fn serves(resources: &[Resource]) -> BTreeMap<Addr, Vec<Addr>> {
    let manifests = || {
        resources.iter().filter_map(|resource| match &resource.spec {
            Spec::Manifest(spec) => Some((&resource.addr, &**spec)),
            _ => None,
        })
    };
    let mut by_namespace: BTreeMap<Option<&str>, Vec<Workload<'_>>> = BTreeMap::new();
    for (addr, spec) in manifests().filter(|(_, spec)| ["Deployment", "StatefulSet", "DaemonSet"].contains(&spec.object.kind.as_str())) {
        if let Some(Value::Object(labels)) = spec.object.body.pointer("/spec/template/metadata/labels") {
            by_namespace.entry(spec.object.namespace.as_deref()).or_default().push((addr, labels));
        }
    }
    let mut services = BTreeMap::new();
    for (addr, spec) in manifests().filter(|(_, spec)| spec.object.kind == "Service" && spec.group().is_empty()) {
        let Some(Value::Object(selector)) = spec.object.body.pointer("/spec/selector").filter(|one| !crate::fields::is_nothing(one)) else {
            continue;
        };
        let workloads = by_namespace.get(&spec.object.namespace.as_deref()).into_iter().flatten();
        let chosen = workloads.filter(|(_, labels)| selector.iter().all(|(key, value)| labels.get(key) == Some(value)));
        services.insert(addr.clone(), chosen.map(|(addr, _)| (*addr).clone()).collect());
    }
    services
}
