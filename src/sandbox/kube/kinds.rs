//! The kinds there are: built-in ones, and those that established CustomResourceDefinitions bring.

use std::sync::Arc;

use serde_json::Value;

use super::crds;
use super::schema::Type;
use crate::sandbox::world::Tx;

/// A kind in one of its versions.
#[derive(Clone, Debug, PartialEq)]
#[expect(clippy::struct_excessive_bools, clippy::struct_field_names, reason = "they are the words and flags of API discovery")]
pub(super) struct Kind {
    /// The API group; empty for the core.
    pub(super) group: String,
    /// The version.
    pub(super) version: String,
    /// The name in URLs.
    pub(super) plural: String,
    /// The name of one.
    pub(super) singular: String,
    /// The kind.
    pub(super) kind: String,
    /// The kind of a list of them.
    pub(super) list_kind: String,
    /// Short names.
    pub(super) short: Vec<String>,
    /// Whether its objects are in namespaces.
    pub(super) namespaced: bool,
    /// Whether it has a status with a subresource of its own.
    pub(super) has_status: bool,
    /// Whether the server counts the generations of its specification.
    pub(super) counts: bool,
    /// What its objects look like.
    pub(super) of: Type,
    /// Whether a CustomResourceDefinition brings it.
    pub(super) custom: bool,
    /// The schema of a custom kind.
    pub(super) schema: Option<Arc<Value>>,
}

/// A row of the table of built-in kinds: group, version, plural, kind, short names, flags, type.
type Row = (&'static str, &'static str, &'static str, &'static str, &'static str, &'static str, &'static str);

/// The built-in kinds (`kubectl api-resources` of Kubernetes 1.36). Flags: n, namespaced; s, has a status; g, generations are counted.
const BUILT_IN: &[Row] = &[
    ("", "v1", "configmaps", "ConfigMap", "cm", "n", "core.v1.ConfigMap"),
    ("", "v1", "events", "Event", "ev", "n", "core.v1.Event"),
    ("", "v1", "namespaces", "Namespace", "ns", "s", "core.v1.Namespace"),
    ("", "v1", "pods", "Pod", "po", "nsg", "core.v1.Pod"),
    ("", "v1", "secrets", "Secret", "", "n", "core.v1.Secret"),
    ("", "v1", "serviceaccounts", "ServiceAccount", "sa", "n", "core.v1.ServiceAccount"),
    ("", "v1", "services", "Service", "svc", "ns", "core.v1.Service"),
    (
        "admissionregistration.k8s.io",
        "v1",
        "mutatingwebhookconfigurations",
        "MutatingWebhookConfiguration",
        "",
        "g",
        "admissionregistration.v1.MutatingWebhookConfiguration",
    ),
    (
        "admissionregistration.k8s.io",
        "v1",
        "validatingwebhookconfigurations",
        "ValidatingWebhookConfiguration",
        "",
        "g",
        "admissionregistration.v1.ValidatingWebhookConfiguration",
    ),
    (
        "apiextensions.k8s.io",
        "v1",
        "customresourcedefinitions",
        "CustomResourceDefinition",
        "crd,crds",
        "sg",
        "apiextensions.v1.CustomResourceDefinition",
    ),
    ("apps", "v1", "daemonsets", "DaemonSet", "ds", "nsg", "apps.v1.DaemonSet"),
    ("apps", "v1", "deployments", "Deployment", "deploy", "nsg", "apps.v1.Deployment"),
    ("apps", "v1", "statefulsets", "StatefulSet", "sts", "nsg", "apps.v1.StatefulSet"),
    ("autoscaling", "v2", "horizontalpodautoscalers", "HorizontalPodAutoscaler", "hpa", "ns", "autoscaling.v2.HorizontalPodAutoscaler"),
    ("batch", "v1", "cronjobs", "CronJob", "cj", "nsg", "batch.v1.CronJob"),
    ("batch", "v1", "jobs", "Job", "", "nsg", "batch.v1.Job"),
    ("coordination.k8s.io", "v1", "leases", "Lease", "", "n", "coordination.v1.Lease"),
    ("networking.k8s.io", "v1", "ingressclasses", "IngressClass", "", "g", "networking.v1.IngressClass"),
    ("networking.k8s.io", "v1", "ingresses", "Ingress", "ing", "nsg", "networking.v1.Ingress"),
    ("networking.k8s.io", "v1", "networkpolicies", "NetworkPolicy", "netpol", "ng", "networking.v1.NetworkPolicy"),
    ("policy", "v1", "poddisruptionbudgets", "PodDisruptionBudget", "pdb", "nsg", "policy.v1.PodDisruptionBudget"),
    ("rbac.authorization.k8s.io", "v1", "clusterrolebindings", "ClusterRoleBinding", "", "", "rbac.v1.ClusterRoleBinding"),
    ("rbac.authorization.k8s.io", "v1", "clusterroles", "ClusterRole", "", "", "rbac.v1.ClusterRole"),
    ("rbac.authorization.k8s.io", "v1", "rolebindings", "RoleBinding", "", "n", "rbac.v1.RoleBinding"),
    ("rbac.authorization.k8s.io", "v1", "roles", "Role", "", "n", "rbac.v1.Role"),
];

fn of(row: &Row) -> Kind {
    let (group, version, plural, kind, short, flags, name) = *row;
    Kind {
        group: group.to_owned(),
        version: version.to_owned(),
        plural: plural.to_owned(),
        singular: kind.to_lowercase(),
        kind: kind.to_owned(),
        list_kind: format!("{kind}List"),
        short: short.split(',').filter(|name| !name.is_empty()).map(str::to_owned).collect(),
        namespaced: flags.contains('n'),
        has_status: flags.contains('s'),
        counts: flags.contains('g'),
        of: Type::built_in(name),
        custom: false,
        schema: None,
    }
}

/// The built-in kind of a plural.
pub(super) fn built_in(group: &str, plural: &str) -> Option<Kind> {
    BUILT_IN.iter().find(|row| (row.0, row.2) == (group, plural)).map(of)
}

/// The kind at a place in the API.
pub(super) fn find(tx: &Tx<'_>, group: &str, version: &str, plural: &str) -> Option<Kind> {
    match built_in(group, plural) {
        Some(kind) => (kind.version == version).then_some(kind),
        None => crds::kinds_of(tx, group, plural).into_iter().find(|kind| kind.version == version),
    }
}

/// All kinds: the built-in ones, and the custom ones in all their versions, the preferred one first.
pub(super) fn all(tx: &Tx<'_>) -> Vec<Kind> {
    let mut kinds: Vec<Kind> = BUILT_IN.iter().map(of).collect();
    kinds.extend(crds::all_kinds(tx));
    kinds
}

impl Kind {
    /// `v1`, or `<group>/<version>`.
    pub(super) fn api_version(&self) -> String {
        if self.group.is_empty() { self.version.clone() } else { format!("{}/{}", self.group, self.version) }
    }

    /// As messages name what is in URLs: `secrets`, `deployments.apps`.
    pub(super) fn resource(&self) -> String {
        if self.group.is_empty() { self.plural.clone() } else { format!("{}.{}", self.plural, self.group) }
    }

    /// As messages name the kind: `Secret`, `Deployment.apps`.
    pub(super) fn group_kind(&self) -> String {
        if self.group.is_empty() { self.kind.clone() } else { format!("{}.{}", self.kind, self.group) }
    }

    /// Whether it is a built-in kind of the core group.
    pub(super) fn is_core(&self, plural: &str) -> bool {
        self.group.is_empty() && self.plural == plural
    }

    /// Whether it may hold what mustn't be told.
    pub(super) fn is_secret(&self) -> bool {
        self.is_core("secrets")
    }

    /// An object that has nothing, as a new one is before anything is written to it.
    pub(super) fn empty(&self) -> Value {
        let mut object = serde_json::json!({"kind": self.kind, "apiVersion": self.api_version()});
        super::schema::decode::settle(&self.of, &mut object);
        object
    }

    /// What can be done with its objects.
    pub(super) fn verbs(&self) -> &'static [&'static str] {
        match self.plural.as_str() {
            "events" if self.group.is_empty() => &["get", "list"],
            "namespaces" if self.group.is_empty() => &["create", "delete", "get", "list", "patch", "update"],
            _ => &["create", "delete", "deletecollection", "get", "list", "patch", "update"],
        }
    }
}
