//! The kinds that every Kubernetes API server has, so that an object's address is known without one.

/// A built-in kind.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct BuiltIn {
    /// The API group; empty for the core group.
    pub group: &'static str,
    /// The kind.
    pub kind: &'static str,
    /// Its plural in URLs.
    pub plural: &'static str,
    /// Whether its objects are in namespaces.
    pub namespaced: bool,
    /// The versions that are served, the preferred one first.
    pub versions: &'static [&'static str],
}

const NAMESPACED: bool = true;
const CLUSTER: bool = false;

/// Group, kind, plural, scope and versions of what can be applied, as Kubernetes 1.36 serves it by default (its discovery documents).
const TABLE: &[(&str, &str, &str, bool, &[&str])] = &[
    ("", "ConfigMap", "configmaps", NAMESPACED, &["v1"]),
    ("", "Endpoints", "endpoints", NAMESPACED, &["v1"]),
    ("", "Event", "events", NAMESPACED, &["v1"]),
    ("", "LimitRange", "limitranges", NAMESPACED, &["v1"]),
    ("", "Namespace", "namespaces", CLUSTER, &["v1"]),
    ("", "Node", "nodes", CLUSTER, &["v1"]),
    ("", "PersistentVolume", "persistentvolumes", CLUSTER, &["v1"]),
    ("", "PersistentVolumeClaim", "persistentvolumeclaims", NAMESPACED, &["v1"]),
    ("", "Pod", "pods", NAMESPACED, &["v1"]),
    ("", "PodTemplate", "podtemplates", NAMESPACED, &["v1"]),
    ("", "ReplicationController", "replicationcontrollers", NAMESPACED, &["v1"]),
    ("", "ResourceQuota", "resourcequotas", NAMESPACED, &["v1"]),
    ("", "Secret", "secrets", NAMESPACED, &["v1"]),
    ("", "Service", "services", NAMESPACED, &["v1"]),
    ("", "ServiceAccount", "serviceaccounts", NAMESPACED, &["v1"]),
    ("admissionregistration.k8s.io", "MutatingAdmissionPolicy", "mutatingadmissionpolicies", CLUSTER, &["v1"]),
    ("admissionregistration.k8s.io", "MutatingAdmissionPolicyBinding", "mutatingadmissionpolicybindings", CLUSTER, &["v1"]),
    ("admissionregistration.k8s.io", "MutatingWebhookConfiguration", "mutatingwebhookconfigurations", CLUSTER, &["v1"]),
    ("admissionregistration.k8s.io", "ValidatingAdmissionPolicy", "validatingadmissionpolicies", CLUSTER, &["v1"]),
    ("admissionregistration.k8s.io", "ValidatingAdmissionPolicyBinding", "validatingadmissionpolicybindings", CLUSTER, &["v1"]),
    ("admissionregistration.k8s.io", "ValidatingWebhookConfiguration", "validatingwebhookconfigurations", CLUSTER, &["v1"]),
    ("apiextensions.k8s.io", "CustomResourceDefinition", "customresourcedefinitions", CLUSTER, &["v1"]),
    ("apiregistration.k8s.io", "APIService", "apiservices", CLUSTER, &["v1"]),
    ("apps", "ControllerRevision", "controllerrevisions", NAMESPACED, &["v1"]),
    ("apps", "DaemonSet", "daemonsets", NAMESPACED, &["v1"]),
    ("apps", "Deployment", "deployments", NAMESPACED, &["v1"]),
    ("apps", "ReplicaSet", "replicasets", NAMESPACED, &["v1"]),
    ("apps", "StatefulSet", "statefulsets", NAMESPACED, &["v1"]),
    ("autoscaling", "HorizontalPodAutoscaler", "horizontalpodautoscalers", NAMESPACED, &["v2", "v1"]),
    ("batch", "CronJob", "cronjobs", NAMESPACED, &["v1"]),
    ("batch", "Job", "jobs", NAMESPACED, &["v1"]),
    ("certificates.k8s.io", "CertificateSigningRequest", "certificatesigningrequests", CLUSTER, &["v1"]),
    ("coordination.k8s.io", "Lease", "leases", NAMESPACED, &["v1"]),
    ("discovery.k8s.io", "EndpointSlice", "endpointslices", NAMESPACED, &["v1"]),
    ("events.k8s.io", "Event", "events", NAMESPACED, &["v1"]),
    ("flowcontrol.apiserver.k8s.io", "FlowSchema", "flowschemas", CLUSTER, &["v1"]),
    ("flowcontrol.apiserver.k8s.io", "PriorityLevelConfiguration", "prioritylevelconfigurations", CLUSTER, &["v1"]),
    ("networking.k8s.io", "IPAddress", "ipaddresses", CLUSTER, &["v1"]),
    ("networking.k8s.io", "Ingress", "ingresses", NAMESPACED, &["v1"]),
    ("networking.k8s.io", "IngressClass", "ingressclasses", CLUSTER, &["v1"]),
    ("networking.k8s.io", "NetworkPolicy", "networkpolicies", NAMESPACED, &["v1"]),
    ("networking.k8s.io", "ServiceCIDR", "servicecidrs", CLUSTER, &["v1"]),
    ("node.k8s.io", "RuntimeClass", "runtimeclasses", CLUSTER, &["v1"]),
    ("policy", "PodDisruptionBudget", "poddisruptionbudgets", NAMESPACED, &["v1"]),
    ("rbac.authorization.k8s.io", "ClusterRole", "clusterroles", CLUSTER, &["v1"]),
    ("rbac.authorization.k8s.io", "ClusterRoleBinding", "clusterrolebindings", CLUSTER, &["v1"]),
    ("rbac.authorization.k8s.io", "Role", "roles", NAMESPACED, &["v1"]),
    ("rbac.authorization.k8s.io", "RoleBinding", "rolebindings", NAMESPACED, &["v1"]),
    ("resource.k8s.io", "DeviceClass", "deviceclasses", CLUSTER, &["v1"]),
    ("resource.k8s.io", "ResourceClaim", "resourceclaims", NAMESPACED, &["v1"]),
    ("resource.k8s.io", "ResourceClaimTemplate", "resourceclaimtemplates", NAMESPACED, &["v1"]),
    ("resource.k8s.io", "ResourceSlice", "resourceslices", CLUSTER, &["v1"]),
    ("scheduling.k8s.io", "PriorityClass", "priorityclasses", CLUSTER, &["v1"]),
    ("storage.k8s.io", "CSIDriver", "csidrivers", CLUSTER, &["v1"]),
    ("storage.k8s.io", "CSINode", "csinodes", CLUSTER, &["v1"]),
    ("storage.k8s.io", "CSIStorageCapacity", "csistoragecapacities", NAMESPACED, &["v1"]),
    ("storage.k8s.io", "StorageClass", "storageclasses", CLUSTER, &["v1"]),
    ("storage.k8s.io", "VolumeAttachment", "volumeattachments", CLUSTER, &["v1"]),
    ("storage.k8s.io", "VolumeAttributesClass", "volumeattributesclasses", CLUSTER, &["v1"]),
];

/// All built-in kinds, by group and kind.
pub fn all() -> impl Iterator<Item = BuiltIn> {
    TABLE.iter().map(|(group, kind, plural, namespaced, versions)| BuiltIn { group, kind, plural, namespaced: *namespaced, versions })
}

/// The built-in kind of this name, in any case of its letters: addresses have it in lower case.
pub fn built_in(group: &str, kind: &str) -> Option<BuiltIn> {
    all().find(|one| one.group == group && one.kind.eq_ignore_ascii_case(kind))
}

/// Splits `apiVersion` into group and version; the core group's name is empty.
pub fn split_api_version(api_version: &str) -> (&str, &str) {
    api_version.split_once('/').unwrap_or(("", api_version))
}
