//! Kubernetes objects: one paged list by label per kind; single reads for names that are to be used for the first time.

use std::collections::{BTreeMap, BTreeSet};

use futures::{StreamExt as _, TryStreamExt as _};

use super::Scope;
use crate::addr::Addr;
use crate::event::Origin;
use crate::graph::Graph;
use crate::observed::{Condition, Found, Owner};
use crate::permissions::{Purpose, role_name};
use crate::plan::marks::is_mark;
use crate::provider::error::ProviderError;
use crate::provider::kube::{KindPath, Kube, Live};
use crate::provider::world::World;
use crate::resource::{ANNOTATION_ADDRESS, ANNOTATION_ADOPTED, ANNOTATION_LINEAGE, Attrs, LABEL_STACK, Resource, Spec};
use crate::state::State;

/// The objects that were found.
#[derive(Default)]
pub(super) struct Objects {
    pub(super) resources: BTreeMap<Addr, Found>,
    pub(super) other_namespaces: BTreeMap<String, bool>,
    pub(super) namespace_content: BTreeMap<Addr, Vec<String>>,
    pub(super) lineages: BTreeSet<String>,
}

pub(super) async fn observe(desired: &Graph, prior: &State, world: &World, scope: Scope<'_>) -> Result<Objects, ProviderError> {
    let mut found = Objects::default();
    let Some(kube) = &world.kube else { return Ok(found) };
    let wanted: Vec<&Resource> = desired.resources().filter(|resource| resource.addr.is_kube()).collect();
    let known: Vec<&Addr> = prior.resources.keys().filter(|addr| addr.is_kube()).collect();
    if wanted.is_empty() && known.is_empty() && prior.serial > 0 {
        return Ok(found);
    }
    let kinds: &[&str] = if scope.rotate { &["secret"] } else { &["namespace", "secret"] };
    let selector = format!("{LABEL_STACK}={}", prior.stack);
    let lists = kinds.iter().map(|kind| kube.list(kind_path(kind), &selector));
    for (kind, objects) in kinds.iter().zip(futures::future::try_join_all(lists).await?) {
        for live in objects {
            let addr = addr_of(kind, &live);
            let is_ours = live.annotation(ANNOTATION_ADDRESS) == Some(addr.to_string().as_str()) || prior.current(&addr).is_some();
            if is_ours {
                found.lineages.extend(live.annotation(ANNOTATION_LINEAGE).map(ToOwned::to_owned));
                found.resources.insert(addr.clone(), as_found(&addr, &live, desired, true));
            }
        }
    }
    // Names that no list shows: are they free, or has an object of ours lost its label?
    let mut unlisted: BTreeSet<Addr> = wanted.iter().map(|resource| resource.addr.clone()).chain(known.into_iter().cloned()).collect();
    unlisted.retain(|addr| !found.resources.contains_key(addr) && kinds.contains(&kind_of(addr)));
    let reads = unlisted.into_iter().map(|addr| async move {
        let (kind, namespace, name) = parts(&addr);
        let live = kube.get(kind_path(kind), namespace, name).await?;
        Ok::<_, ProviderError>((addr, live))
    });
    let read: Vec<(Addr, Option<Live>)> = futures::stream::iter(reads).buffered(8).try_collect().await?;
    for (addr, live) in read {
        let Some(live) = live else { continue };
        // Known by its uid, unless another stack has taken it over since.
        let is_taken = live.label(LABEL_STACK).is_some_and(|stack| stack != prior.stack);
        let is_ours = !is_taken && prior.current(&addr).is_some_and(|current| current.id == live.uid());
        found.resources.insert(addr.clone(), as_found(&addr, &live, desired, is_ours));
    }
    other_namespaces(kube, desired, &mut found).await?;
    if !scope.rotate {
        namespace_content(kube, desired, prior, &mut found).await?;
    }
    Ok(found)
}

/// Namespaces that deliveries go to and the stack doesn't declare.
async fn other_namespaces(kube: &Kube, desired: &Graph, found: &mut Objects) -> Result<(), ProviderError> {
    let mut names: BTreeMap<&str, bool> = BTreeMap::new();
    for resource in desired.resources() {
        if let Spec::Object(spec) = &resource.spec
            && let Some(namespace) = spec.namespace.as_deref()
            && !desired.contains(&Addr::namespace(namespace))
        {
            *names.entry(namespace).or_default() |= found.resources.contains_key(&resource.addr);
        }
    }
    for (name, is_proven) in names {
        let exists = is_proven || kube.get(kind_path("namespace"), None, name).await?.is_some();
        found.other_namespaces.insert(name.to_owned(), exists);
    }
    Ok(())
}

/// What is in namespaces that would go, and isn't ours.
async fn namespace_content(kube: &Kube, desired: &Graph, prior: &State, found: &mut Objects) -> Result<(), ProviderError> {
    let going: Vec<Addr> = found
        .resources
        .iter()
        .filter(|(addr, one)| kind_of(addr) == "namespace" && !desired.contains(addr) && matches!(one.owner, Owner::Us { .. }))
        .filter(|(addr, one)| prior.current(addr).map_or(one.origin, |current| Some(current.origin)) != Some(Origin::Adopted))
        .map(|(addr, _)| addr.clone())
        .collect();
    if going.is_empty() {
        return Ok(());
    }
    let kinds = kube.namespaced_kinds().await;
    for addr in going {
        let content = match &kinds {
            Ok(kinds) => foreign_content(kube, kinds, addr.name(), (&prior.stack, desired), found).await,
            Err(error) => vec![format!("what it holds can't be told: {error}")],
        };
        found.namespace_content.insert(addr, content);
    }
    Ok(())
}

async fn foreign_content(
    kube: &Kube,
    kinds: &[KindPath],
    namespace: &str,
    (stack, desired): (&str, &Graph),
    found: &Objects,
) -> Vec<String> {
    let lists = kinds.iter().map(|kind| async move { (kind, kube.names_in(kind, namespace).await) });
    let answers: Vec<_> = futures::stream::iter(lists).buffered(8).collect().await;
    let mut content = Vec::new();
    for (kind, answer) in answers {
        match answer {
            Ok(names) => {
                let foreign =
                    names.into_iter().filter(|name| !comes_by_itself(kind, name) && !is_right_of(stack, kind, name)).filter(|name| {
                        let addr = Addr::kube_secret(namespace, name);
                        let is_leaving = kind.plural == "secrets"
                            && !desired.contains(&addr)
                            && found.resources.get(&addr).is_some_and(|one| matches!(one.owner, Owner::Us { .. }));
                        !is_leaving
                    });
                content.extend(foreign.map(|name| format!("{}/{name}", kind.plural)));
            }
            Err(error) if error.is_not_found() => {}
            Err(error) => content.push(format!("{} that can't be listed: {error}", kind.plural)),
        }
    }
    content
}

/// What every namespace gets from controllers: the default service account and the CA bundles; events, endpoints, leases and the like follow
/// from other objects.
fn comes_by_itself(kind: &KindPath, name: &str) -> bool {
    matches!(
        (kind.plural.as_str(), name),
        ("serviceaccounts", "default")
            | ("configmaps", "kube-root-ca.crt" | "istio-ca-root-cert" | "istio-ca-crl")
            | ("events" | "endpoints" | "endpointslices", _)
    ) || (kind.plural == "secrets" && name.starts_with("default-token-"))
}

/// The rights in a namespace that `meshform permissions` printed for this stack: they are of no use without it, and go with it.
fn is_right_of(stack: &str, kind: &KindPath, name: &str) -> bool {
    matches!(kind.plural.as_str(), "roles" | "rolebindings") && Purpose::ALL.iter().any(|purpose| name == role_name(stack, *purpose))
}

fn as_found(addr: &Addr, live: &Live, desired: &Graph, is_ours: bool) -> Found {
    let attrs: Attrs = live.attrs();
    let lineage = live.annotation(ANNOTATION_LINEAGE).map(ToOwned::to_owned);
    let mut wanted: Vec<String> = match desired.get(addr).map(|resource| &resource.spec) {
        Some(Spec::Object(spec)) => spec.attrs(None).into_keys().collect(),
        _ => Vec::new(),
    };
    wanted.extend(attrs.keys().filter(|path| is_mark(path)).cloned());
    let condition = match (live.terminating(), namespace_phase(live)) {
        (Some(waits), _) => Condition::Terminating(waits),
        (None, Some(phase)) if phase != "Active" => Condition::Terminating(format!("phase {phase}")),
        _ => Condition::Good,
    };
    let ours: BTreeSet<String> = live.our_paths(&attrs).into_iter().collect();
    let managers = live.other_managers(wanted.iter().chain(ours.iter()));
    Found {
        id: live.uid().to_owned(),
        owner: if is_ours { Owner::Us { lineage } } else { Owner::Other(live.maker()) },
        generation: 1,
        origin: live.annotation(ANNOTATION_ADOPTED).is_some().then_some(Origin::Adopted),
        condition,
        warning: None,
        attrs,
        ours,
        managers,
        certificate: None,
    }
}

fn namespace_phase(live: &Live) -> Option<&str> {
    live.rest.get("status")?.get("phase")?.as_str()
}

fn kind_of(addr: &Addr) -> &str {
    match addr {
        Addr::Kube { kind, .. } => kind,
        Addr::Aws { .. } => "",
    }
}

fn parts(addr: &Addr) -> (&str, Option<&str>, &str) {
    match addr {
        Addr::Kube { kind, namespace, name, .. } => (kind, namespace.as_deref(), name),
        Addr::Aws { key, .. } => ("", None, key),
    }
}

fn addr_of(kind: &str, live: &Live) -> Addr {
    match live.namespace() {
        Some(namespace) => Addr::kube_secret(namespace, live.name()),
        None if kind == "namespace" => Addr::namespace(live.name()),
        None => Addr::namespace(live.name()),
    }
}

/// The URLs of the kinds that this version knows.
pub(crate) fn kind_path(kind: &str) -> &'static KindPath {
    static NAMESPACES: std::sync::LazyLock<KindPath> =
        std::sync::LazyLock::new(|| KindPath { api_version: "v1".into(), plural: "namespaces".into() });
    static SECRETS: std::sync::LazyLock<KindPath> =
        std::sync::LazyLock::new(|| KindPath { api_version: "v1".into(), plural: "secrets".into() });
    if kind == "namespace" { &NAMESPACES } else { &SECRETS }
}
