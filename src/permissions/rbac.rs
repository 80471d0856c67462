//! The least RBAC of a stack: what is asked of the API server, kind by kind and object by object, as Roles and their bindings.
//!
//! RBAC narrows by name what names one object, also the `create` and `patch` of a server-side apply; it can't narrow a list, and lists by
//! label run over the whole cluster. A Role lives in its namespace: for those that the stack itself makes, which aren't there before the
//! first apply, the same rules stand in the ClusterRole, narrowed by name alone.

use std::collections::{BTreeMap, BTreeSet};
use std::str::FromStr;

use serde_json::{Value, json};

use super::Purpose;
use crate::addr::Addr;
use crate::event::Origin;
use crate::graph::Graph;
use crate::render::charts::LookUp;
use crate::resource::Spec;
use crate::resource::kinds::built_in;
use crate::resource::manifest::{Hook, ManifestSpec};
use crate::resource::object::ObjectSpec;
use crate::stack::Stack;
use crate::state::State;

/// A right: some verbs on some objects of a kind.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Grant {
    /// The namespace; absent: the whole cluster.
    pub namespace: Option<String>,
    /// The API group; empty for the core group, `*` for all.
    pub group: String,
    /// The plural of the kind; `*` for all.
    pub resource: String,
    /// The names; empty: any.
    pub names: Vec<String>,
    /// The verbs of the API.
    pub verbs: Vec<&'static str>,
}

/// Who gets the rights.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Subject {
    /// `user:NAME`
    User(String),
    /// `group:NAME`, as an EKS access entry gives it to a role.
    Group(String),
    /// `serviceaccount:NAMESPACE/NAME`
    ServiceAccount {
        /// Its namespace.
        namespace: String,
        /// Its name.
        name: String,
    },
}

/// A text that names no subject.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is no subject: write `group:NAME`, `user:NAME` or `serviceaccount:NAMESPACE/NAME`")]
pub struct SubjectError(String);

impl FromStr for Subject {
    type Err = SubjectError;

    fn from_str(text: &str) -> Result<Self, SubjectError> {
        let wrong = || SubjectError(text.chars().take(80).collect());
        let (kind, name) = text.split_once(':').filter(|(_, name)| !name.is_empty()).ok_or_else(wrong)?;
        match kind {
            "user" => Ok(Self::User(name.to_owned())),
            "group" => Ok(Self::Group(name.to_owned())),
            "serviceaccount" => {
                let (namespace, name) = name.split_once('/').filter(|(a, b)| !a.is_empty() && !b.is_empty()).ok_or_else(wrong)?;
                Ok(Self::ServiceAccount { namespace: namespace.to_owned(), name: name.to_owned() })
            }
            _ => Err(wrong()),
        }
    }
}

impl Subject {
    /// As a binding names it.
    fn object(&self) -> Value {
        let api = "rbac.authorization.k8s.io";
        match self {
            Self::User(name) => json!({"apiGroup": api, "kind": "User", "name": name}),
            Self::Group(name) => json!({"apiGroup": api, "kind": "Group", "name": name}),
            Self::ServiceAccount { namespace, name } => json!({"kind": "ServiceAccount", "namespace": namespace, "name": name}),
        }
    }
}

/// What a command asks of each object, by the verbs of the API. A server-side apply is a `patch`, and a `create` as well where there is
/// nothing yet (Kubernetes documentation, "Server-Side Apply").
fn on_object(purpose: Purpose, spec: &ObjectSpec, is_adopted: bool) -> &'static [&'static str] {
    match purpose {
        Purpose::Plan => &["get"],
        // No field of a namespace is fixed: nothing replaces one that the stack wants.
        Purpose::Apply if kind_of(spec) == NAMESPACES => &["create", "get", "patch"],
        Purpose::Apply => &["create", "delete", "get", "patch"],
        Purpose::Rotate if spec.certificate.is_some() => &["create", "get", "patch"],
        Purpose::Rotate => &[],
        // What was adopted is released: its marks are taken off.
        Purpose::Destroy if is_adopted => &["get", "patch"],
        Purpose::Destroy => &["delete", "get"],
    }
}

/// Namespace, group and resource.
type Kind = (Option<String>, String, String);
/// The verbs by name; no name: any.
type Verbs = BTreeMap<Option<String>, BTreeSet<&'static str>>;

/// Rights as they are gathered.
#[derive(Default)]
struct Gathered(BTreeMap<Kind, Verbs>);

impl Gathered {
    fn add(&mut self, namespace: Option<&str>, (group, resource): (&str, &str), name: Option<&str>, verbs: &[&'static str]) {
        if !verbs.is_empty() {
            let kind = (namespace.map(ToOwned::to_owned), group.to_owned(), resource.to_owned());
            self.0.entry(kind).or_default().entry(name.map(ToOwned::to_owned)).or_default().extend(verbs);
        }
    }

    /// Names with the same verbs share a rule.
    fn grants(mut self) -> Vec<Grant> {
        // What is granted by this name in the whole cluster needs no Role.
        let everywhere = self.0.clone();
        for ((namespace, group, resource), names) in &mut self.0 {
            let cluster = everywhere.get(&(None, group.clone(), resource.clone())).filter(|_| namespace.is_some());
            for (name, verbs) in names.iter_mut() {
                verbs.retain(|verb| !cluster.and_then(|names| names.get(name)).is_some_and(|verbs| verbs.contains(verb)));
            }
            names.retain(|_, verbs| !verbs.is_empty());
        }
        let mut grants = Vec::new();
        for ((namespace, group, resource), names) in self.0 {
            let mut by_verbs: BTreeMap<(bool, BTreeSet<&'static str>), Vec<String>> = BTreeMap::new();
            for (name, verbs) in names {
                by_verbs.entry((name.is_some(), verbs)).or_default().extend(name);
            }
            for ((_, verbs), names) in by_verbs {
                let (namespace, group, resource) = (namespace.clone(), group.clone(), resource.clone());
                grants.push(Grant { namespace, group, resource, names, verbs: verbs.into_iter().collect() });
            }
        }
        grants
    }
}

const NAMESPACES: (&str, &str) = ("", "namespaces");
const SECRETS: (&str, &str) = ("", "secrets");
const EVENTS: (&str, &str) = ("", "events");

/// The rights that a command needs on a stack's cluster; none for a stack without one.
///
/// `look_ups` are what its charts look up, as far as that is known without the cluster.
pub fn grants(stack: &Stack, graph: &Graph, state: &State, look_ups: &[LookUp], purpose: Purpose) -> Vec<Grant> {
    let mut gathered = Gathered::default();
    if stack.cluster.is_none() {
        return Vec::new();
    }
    // Which cluster it is.
    gathered.add(None, NAMESPACES, Some("kube-system"), &["get"]);
    let named: Vec<(&Addr, ObjectSpec, Option<bool>)> = graph
        .resources()
        .filter_map(|resource| match &resource.spec {
            Spec::Object(spec) => Some((&resource.addr, spec.clone(), resource.adopt)),
            Spec::Manifest(spec) => {
                // Of a kind that only the cluster knows the plural is guessed.
                let plural = Some(spec.object.plural.clone()).filter(|plural| !plural.is_empty());
                let plural = plural.unwrap_or_else(|| plural_of(&spec.object.kind.to_ascii_lowercase()));
                Some((&resource.addr, ObjectSpec { plural, ..spec.object.clone() }, resource.adopt))
            }
            _ => None,
        })
        .collect();
    for resource in graph.resources().filter(|_| purpose == Purpose::Apply) {
        if let (Spec::Manifest(spec), Addr::Kube { namespace, .. }) = (&resource.spec, &resource.addr)
            && spec.balancer.is_some()
        {
            // What its controller has to say it says in events alone.
            gathered.add(namespace.as_deref().filter(|namespace| !graph.contains(&Addr::namespace(namespace))), EVENTS, None, &["list"]);
        }
    }
    let objects: Vec<(&Addr, &ObjectSpec, Option<bool>)> = named.iter().map(|(addr, spec, adopt)| (*addr, spec, *adopt)).collect();
    let mut kinds: BTreeSet<(&str, &str)> = BTreeSet::from([SECRETS]);
    if purpose != Purpose::Rotate {
        kinds.insert(NAMESPACES);
        kinds.extend(objects.iter().map(|(_, spec, _)| kind_of(spec)));
    }
    for kind in kinds {
        gathered.add(None, kind, None, &["list"]);
    }
    // Roles of one namespace can be made only when it is there.
    let is_there_before = matches!(purpose, Purpose::Rotate | Purpose::Destroy);
    let place = |namespace: &str| (is_there_before || !graph.contains(&Addr::namespace(namespace))).then(|| namespace.to_owned());
    for (addr, spec, adopt) in &objects {
        let origin = state.current(addr).map(|current| current.origin);
        let is_adopted = origin.map_or(*adopt == Some(true), |origin| origin == Origin::Adopted);
        let verbs = match purpose {
            // Without a state only the object itself says whether it was adopted.
            Purpose::Destroy if state.serial == 0 => &["delete", "get", "patch"],
            _ => on_object(purpose, spec, is_adopted),
        };
        let namespace = spec.namespace.as_deref().and_then(&place);
        gathered.add(namespace.as_deref(), kind_of(spec), Some(&spec.name), verbs);
        if let Some(namespace) = spec.namespace.as_deref().filter(|_| purpose != Purpose::Destroy && !verbs.is_empty())
            && (purpose == Purpose::Rotate || !graph.contains(&Addr::namespace(namespace)))
        {
            // Whether the namespace is there, where it isn't ours to make.
            gathered.add(None, NAMESPACES, Some(namespace), &["get"]);
        }
        let is_going = purpose == Purpose::Destroy && !is_adopted;
        if is_going && kind_of(spec) == NAMESPACES {
            // What else is in it, of any kind.
            gathered.add(Some(&spec.name), ("*", "*"), None, &["list"]);
        }
    }
    if matches!(purpose, Purpose::Plan | Purpose::Apply) {
        for asked in look_ups {
            let group = asked.api_version.split_once('/').map_or("", |(group, _)| group);
            let plural =
                built_in(group, &asked.kind).map_or_else(|| plural_of(&asked.kind.to_ascii_lowercase()), |kind| kind.plural.to_owned());
            let name = Some(asked.name.as_str()).filter(|name| !name.is_empty());
            let namespace = Some(asked.namespace.as_str()).filter(|namespace| !namespace.is_empty()).and_then(&place);
            gathered.add(namespace.as_deref(), (group, &plural), name, if name.is_some() { &["get"] } else { &["list"] });
        }
    }
    if let Some(istio) = stack.istio.as_ref().filter(|_| matches!(purpose, Purpose::Plan | Purpose::Apply)) {
        // Which pods run which proxy.
        gathered.add(None, ("", "pods"), None, &["list"]);
        let restarted = istio.batches.iter().filter(|batch| batch.restart).flat_map(|batch| &batch.namespaces).map(|(name, _)| name);
        // Only in one that is there can something be restarted.
        let is_there = |name: &&String| state.current(&Addr::namespace(name)).is_some() || !graph.contains(&Addr::namespace(name));
        for namespace in restarted.filter(|_| purpose == Purpose::Apply).filter(is_there) {
            for plural in ["daemonsets", "deployments", "statefulsets"] {
                gathered.add(Some(namespace), ("apps", plural), None, &["get", "list", "patch"]);
            }
        }
    }
    if purpose == Purpose::Apply {
        for resource in graph.resources() {
            let Spec::Manifest(spec) = &resource.spec else { continue };
            let namespace = spec.object.namespace.as_deref().and_then(&place);
            if spec.pod_to_inject().is_some() {
                // Whether its pods come back injected.
                gathered.add(namespace.as_deref(), ("", "pods"), None, &["create"]);
            }
            on_rights(spec, namespace.as_deref(), &mut gathered);
        }
    }
    let is_known = |section: &str| state.releases().any(|known| known == section);
    for release in stack.releases().iter().filter(|one| purpose == Purpose::Apply && !one.adoptable && !is_known(&one.section)) {
        // Helm's records of a release that is taken over go with that. Their names tell a number that only the cluster knows; their namespace is there.
        if release.rules.iter().any(|rule| rule.adopt == Some(true)) {
            gathered.add(Some(&release.namespace), SECRETS, None, &["delete"]);
        }
    }
    for resource in graph.resources().filter(|_| purpose == Purpose::Destroy) {
        // What runs when its release goes is made first.
        if let Spec::Manifest(spec) = &resource.spec
            && spec.hook.as_ref().is_some_and(Hook::is_of_deletion)
        {
            let (namespace, object) = (spec.object.namespace.as_deref().and_then(&place), &spec.object);
            gathered.add(namespace.as_deref(), kind_of(object), Some(&object.name), &["create", "patch"]);
        }
    }
    if purpose != Purpose::Rotate {
        for (addr, known) in &state.resources {
            if let (Addr::Kube { kind, group, namespace, name }, false, Some(current)) = (addr, graph.contains(addr), &known.current) {
                let plural = objects.iter().find(|(other, ..)| is_of_kind(other, kind, group)).map(|(_, spec, _)| spec.plural.clone());
                let plural = plural.unwrap_or_else(|| plural_of(kind));
                let verbs: &[&'static str] = match (purpose, current.origin) {
                    (Purpose::Plan, _) => &["get"],
                    (_, Origin::Adopted) => &["get", "patch"],
                    _ => &["delete", "get"],
                };
                let place = namespace.as_deref().and_then(&place);
                gathered.add(place.as_deref(), (group, &plural), Some(name), verbs);
                gathered.add(None, (group, &plural), None, &["list"]);
                if kind == "namespace" && group.is_empty() && current.origin != Origin::Adopted {
                    gathered.add(Some(name), ("*", "*"), None, &["list"]);
                }
            }
        }
    }
    gathered.grants()
}

/// Whoever hands out rights that he hasn't himself must be allowed to (Kubernetes documentation, "Privilege escalation prevention and
/// bootstrapping").
fn on_rights(spec: &ManifestSpec, namespace: Option<&str>, gathered: &mut Gathered) {
    const RBAC: &str = "rbac.authorization.k8s.io";
    let plural = spec.object.plural.as_str();
    match plural {
        "roles" | "clusterroles" if spec.group() == RBAC => gathered.add(namespace, (RBAC, plural), Some(&spec.object.name), &["escalate"]),
        "rolebindings" | "clusterrolebindings" if spec.group() == RBAC => {
            let text = |path: &str| spec.object.body.pointer(path).and_then(Value::as_str);
            let of = if text("/roleRef/kind") == Some("Role") { "roles" } else { "clusterroles" };
            let namespace = namespace.filter(|_| of == "roles");
            gathered.add(namespace, (RBAC, of), text("/roleRef/name"), &["bind"]);
        }
        _ => {}
    }
}

fn kind_of(spec: &ObjectSpec) -> (&str, &str) {
    (spec.api_version.split_once('/').map_or("", |(group, _)| group), &spec.plural)
}

fn is_of_kind(addr: &Addr, kind: &str, group: &str) -> bool {
    matches!(addr, Addr::Kube { kind: other, group: other_group, .. } if other == kind && other_group == group)
}

/// The plural of a kind that only the state knows, by the rule of API conventions (apimachinery, `meta.UnsafeGuessKindToResource`).
fn plural_of(kind: &str) -> String {
    match kind {
        "endpoints" => kind.to_owned(),
        _ if kind.ends_with('s') => format!("{kind}es"),
        _ => kind.strip_suffix('y').map_or_else(|| format!("{kind}s"), |stem| format!("{stem}ies")),
    }
}

/// The name of a stack's roles and their bindings.
pub fn role_name(stack: &str, purpose: Purpose) -> String {
    format!("meshform-{stack}-{}", purpose.as_str())
}

/// The rights as objects: a ClusterRole, a Role for each namespace, and their bindings to the subject.
pub fn manifests(grants: &[Grant], name: &str, subject: &Subject) -> Vec<Value> {
    let mut by_place: BTreeMap<Option<&str>, Vec<Value>> = BTreeMap::new();
    for grant in grants {
        let mut rule = json!({"apiGroups": [grant.group], "resources": [grant.resource], "verbs": grant.verbs});
        if !grant.names.is_empty() {
            rule["resourceNames"] = json!(grant.names);
        }
        by_place.entry(grant.namespace.as_deref()).or_default().push(rule);
    }
    let mut objects = Vec::new();
    for (namespace, rules) in by_place {
        let prefix = if namespace.is_some() { "" } else { "Cluster" };
        let metadata = namespace.map_or_else(|| json!({"name": name}), |namespace| json!({"namespace": namespace, "name": name}));
        let api = "rbac.authorization.k8s.io";
        objects.push(json!({"apiVersion": format!("{api}/v1"), "kind": format!("{prefix}Role"), "metadata": metadata, "rules": rules}));
        objects.push(json!({
            "apiVersion": format!("{api}/v1"),
            "kind": format!("{prefix}RoleBinding"),
            "metadata": metadata,
            "roleRef": {"apiGroup": api, "kind": format!("{prefix}Role"), "name": name},
            "subjects": [subject.object()],
        }));
    }
    objects
}
