//! Kubernetes objects: one paged list by label per kind; single reads for names that are to be used for the first time.

use std::collections::{BTreeMap, BTreeSet};

use futures::{StreamExt as _, TryStreamExt as _};

use super::Scope;
use super::forecast::{self, Asked};
use crate::addr::Addr;
use crate::event::Origin;
use crate::graph::Graph;
use crate::observed::{Condition, Forecast, Found, Owner};
use crate::permissions::{Purpose, role_name};
use crate::plan::marks::is_mark;
use crate::provider::error::ProviderError;
use crate::provider::kube::{Catalog, KindPath, Kube, Live};
use crate::provider::world::World;
use crate::ready::hostname;
use crate::resource::hole::Outputs;
use crate::resource::{ANNOTATION_ADDRESS, ANNOTATION_ADOPTED, ANNOTATION_LINEAGE, Attrs, LABEL_STACK, Resource, Spec};
use crate::state::State;

/// The objects that were found.
#[derive(Default)]
pub(super) struct Objects {
    pub(super) resources: BTreeMap<Addr, Found>,
    pub(super) forecasts: BTreeMap<Addr, Forecast>,
    pub(super) other_namespaces: BTreeMap<String, bool>,
    pub(super) content: BTreeMap<Addr, Vec<String>>,
    /// The names of load balancers, by their Ingresses.
    pub(super) hostnames: BTreeMap<Addr, String>,
    /// How many pods workloads have.
    pub(super) pods: BTreeMap<Addr, u64>,
    pub(super) lineages: BTreeSet<String>,
    pub(super) unseen_kinds: Vec<String>,
    /// Kinds that the cluster doesn't serve, though Kubernetes has them.
    pub(super) absent_kinds: BTreeSet<Kind>,
}

/// A kind by its group and its name in lower case, as they stand in addresses.
pub(super) type Kind = (String, String);

/// A kind that is listed.
struct Listing {
    kind: Kind,
    path: KindPath,
    /// Whether nothing but metadata is asked for.
    bare: bool,
    /// Whether it is only searched: then it need not be allowed.
    searched: bool,
}

/// Looks at them. `outputs` are those of AWS resources, which are looked at in the same time.
pub(super) async fn observe(
    desired: &Graph,
    prior: &State,
    world: &World,
    scope: Scope<'_>,
    outputs: impl Future<Output = Outputs>,
) -> Result<Objects, ProviderError> {
    let mut found = Objects::default();
    let Some(kube) = &world.kube else { return Ok(found) };
    let wanted: Vec<&Resource> = desired.resources().filter(|resource| resource.addr.is_kube()).collect();
    let known: Vec<&Addr> = prior.resources.keys().filter(|addr| addr.is_kube()).collect();
    if wanted.is_empty() && known.is_empty() && prior.serial > 0 {
        return Ok(found);
    }
    let (listings, unserved) = listings(kube, &wanted, &known, scope.rotate).await?;
    let mut lives = BTreeMap::new();
    list(kube, &listings, prior, desired, &mut found, &mut lives).await?;
    // Without a state any kind may hold what it knew. What seems to be a stack's first run is spared the search, unless it goes.
    let may_be_left = scope.everywhere || !found.resources.is_empty() || wanted.iter().any(|one| matches!(one.spec, Spec::Manifest(_)));
    if prior.serial == 0 && !scope.rotate && may_be_left {
        let catalog = kube.catalog().await?;
        let more = unlisted_kinds(&catalog, &listings);
        list(kube, &more, prior, desired, &mut found, &mut lives).await?;
    }
    read_unlisted(kube, &wanted, &known, prior, desired, &listings, &mut found, &mut lives).await?;
    other_namespaces(kube, desired, &mut found).await?;
    let ingresses = lives.iter().filter(|(addr, _)| kind_name(addr) == "ingress");
    found.hostnames = ingresses.filter_map(|(addr, live)| Some((addr.clone(), hostname(&live.whole())?.to_owned()))).collect();
    found.pods = lives.iter().filter_map(|(addr, live)| Some((addr.clone(), pods(addr, live)?))).collect();
    if !scope.rotate {
        let outputs = &outputs.await;
        let asked = Asked { kube, desired, prior, unserved: &unserved, lives: &lives, now: world.clock.now(), outputs, local: scope.local };
        forecast::all(&asked, &mut found).await?;
        content(kube, desired, prior, &mut found).await?;
    }
    Ok(found)
}

/// How many pods a workload has, by what it says itself.
fn pods(addr: &Addr, live: &Live) -> Option<u64> {
    let paths: &[&str] = match kind_name(addr) {
        "deployment" | "statefulset" => &["/status/replicas", "/spec/replicas"],
        "daemonset" => &["/status/desiredNumberScheduled"],
        _ => return None,
    };
    let object = live.whole();
    paths.iter().find_map(|path| object.pointer(path)?.as_u64())
}

/// The kinds of stack and state, and those of them that the cluster doesn't serve.
async fn listings(
    kube: &Kube,
    wanted: &[&Resource],
    known: &[&Addr],
    rotate: bool,
) -> Result<(Vec<Listing>, BTreeSet<Kind>), ProviderError> {
    let mut kinds: BTreeMap<Kind, Option<KindPath>> = BTreeMap::new();
    // Objects are compared in the version that the stack writes them in: another may call its fields by other names.
    let mut versions: BTreeMap<Kind, BTreeSet<&str>> = BTreeMap::new();
    let always: &[&str] = if rotate { &["secret"] } else { &["namespace", "secret"] };
    for kind in always {
        kinds.insert((String::new(), (*kind).to_owned()), Some(core(&format!("{kind}s"))));
    }
    if !rotate {
        for resource in wanted {
            if let Spec::Manifest(spec) = &resource.spec
                && let Some(kind) = kind_of(&resource.addr)
            {
                versions.entry(kind.clone()).or_default().insert(&spec.object.api_version);
                if !spec.object.plural.is_empty() {
                    kinds.entry(kind).or_insert(Some(KindPath::of(&spec.object)));
                }
            }
        }
        for addr in wanted.iter().map(|resource| &resource.addr).chain(known.iter().copied()) {
            if let Some(kind) = kind_of(addr).filter(|kind| !kinds.contains_key(kind)) {
                kinds.insert(kind, kube.path_of(addr).await?);
            }
        }
    }
    let full: BTreeSet<Kind> = wanted.iter().filter_map(|resource| kind_of(&resource.addr)).collect();
    let (mut listings, mut unserved) = (Vec::new(), BTreeSet::new());
    for (kind, path) in kinds {
        match path {
            Some(path) => {
                let bare = !full.contains(&kind) && !always.contains(&kind.1.as_str());
                let of = |path| Listing { kind: kind.clone(), path, bare, searched: false };
                match versions.get(&kind) {
                    Some(versions) => listings.extend(
                        versions.iter().map(|version| of(KindPath { api_version: (*version).to_owned(), plural: path.plural.clone() })),
                    ),
                    None => listings.push(of(path)),
                }
            }
            None => drop(unserved.insert(kind)),
        }
    }
    Ok((listings, unserved))
}

fn unlisted_kinds(catalog: &Catalog, listed: &[Listing]) -> Vec<Listing> {
    let of = |kind: &str, group: &str| (group.to_owned(), kind.to_ascii_lowercase());
    catalog
        .kept()
        // Events come and go with what they tell of, and what is under `events.k8s.io` is there twice.
        .filter(|kind| kind.kind != "Event")
        .filter(|kind| !listed.iter().any(|one| one.kind == of(&kind.kind, &kind.group)))
        .map(|kind| Listing { kind: of(&kind.kind, &kind.group), path: kind.path(), bare: true, searched: true })
        .collect()
}

async fn list(
    kube: &Kube,
    listings: &[Listing],
    prior: &State,
    desired: &Graph,
    found: &mut Objects,
    lives: &mut BTreeMap<Addr, Live>,
) -> Result<(), ProviderError> {
    let selector = &format!("{LABEL_STACK}={}", prior.stack);
    let lists = listings.iter().map(|listing| async move {
        let answer =
            if listing.bare { kube.list_metadata(&listing.path, selector).await } else { kube.list(&listing.path, selector).await };
        (listing, answer)
    });
    let answers: Vec<_> = futures::stream::iter(lists).buffered(8).collect().await;
    let mut absent: BTreeMap<&Kind, BTreeSet<&KindPath>> = BTreeMap::new();
    for (listing, answer) in answers {
        let objects = match answer {
            Ok(objects) => objects,
            // A kind whose definition isn't there (any more).
            Err(error) if error.is_not_found() => {
                absent.entry(&listing.kind).or_default().insert(&listing.path);
                continue;
            }
            Err(error) if listing.searched && error.is_denied() => {
                found.unseen_kinds.push(listing.path.plural.clone());
                continue;
            }
            Err(error) => return Err(error),
        };
        for live in objects {
            let addr = addr_of(&listing.kind, &live);
            if is_of_other_version(desired, &addr, &listing.path) {
                continue;
            }
            let is_ours = live.annotation(ANNOTATION_ADDRESS) == Some(addr.to_string().as_str()) || prior.current(&addr).is_some();
            if is_ours {
                found.lineages.extend(live.annotation(ANNOTATION_LINEAGE).map(ToOwned::to_owned));
                found.resources.insert(addr.clone(), as_found(&addr, &live, desired, true));
                lives.insert(addr, live);
            }
        }
    }
    let is_whole = |(kind, paths): &(&Kind, BTreeSet<&KindPath>)| listings.iter().filter(|one| one.kind == **kind).count() == paths.len();
    found.absent_kinds.extend(absent.into_iter().filter(is_whole).map(|(kind, _)| kind.clone()));
    Ok(())
}

/// Whether the stack writes an object in another version of its kind than the one that was listed: then that one's list has it.
fn is_of_other_version(desired: &Graph, addr: &Addr, listed: &KindPath) -> bool {
    matches!(desired.get(addr).map(|resource| &resource.spec), Some(Spec::Manifest(spec)) if spec.object.api_version != listed.api_version)
}

/// Names that no list shows: are they free, or has an object of ours lost its label? What a manifest names for the first time is asked by its
/// forecast.
#[allow(clippy::too_many_arguments)]
async fn read_unlisted(
    kube: &Kube,
    wanted: &[&Resource],
    known: &[&Addr],
    prior: &State,
    desired: &Graph,
    listings: &[Listing],
    found: &mut Objects,
    lives: &mut BTreeMap<Addr, Live>,
) -> Result<(), ProviderError> {
    let paths: BTreeMap<&Kind, &KindPath> = listings.iter().map(|listing| (&listing.kind, &listing.path)).collect();
    let by_section = wanted.iter().filter(|resource| matches!(resource.spec, Spec::Object(_))).map(|resource| &resource.addr);
    let unlisted: BTreeSet<&Addr> = by_section.chain(known.iter().copied()).filter(|addr| !found.resources.contains_key(addr)).collect();
    let reads = unlisted.into_iter().filter_map(|addr| {
        let path = *paths.get(&kind_of(addr)?)?;
        Some(async move {
            let Addr::Kube { namespace, name, .. } = addr else { return Ok((addr, None)) };
            Ok::<_, ProviderError>((addr, kube.get(path, namespace.as_deref(), name).await?))
        })
    });
    let read: Vec<(&Addr, Option<Live>)> = futures::stream::iter(reads).buffered(8).try_collect().await?;
    for (addr, live) in read {
        let Some(live) = live else { continue };
        found.resources.insert(addr.clone(), as_found(addr, &live, desired, is_ours(prior, addr, &live)));
        lives.insert(addr.clone(), live);
    }
    Ok(())
}

/// Whether an object without our label is known by its uid, and no other stack has taken it over since.
pub(super) fn is_ours(prior: &State, addr: &Addr, live: &Live) -> bool {
    let is_taken = live.label(LABEL_STACK).is_some_and(|stack| stack != prior.stack);
    !is_taken && prior.current(addr).is_some_and(|current| current.id == live.uid())
}

/// Namespaces that objects go to and the stack doesn't declare.
async fn other_namespaces(kube: &Kube, desired: &Graph, found: &mut Objects) -> Result<(), ProviderError> {
    let mut names: BTreeMap<&str, bool> = BTreeMap::new();
    for resource in desired.resources() {
        if let Addr::Kube { namespace: Some(namespace), .. } = &resource.addr
            && !desired.contains(&Addr::namespace(namespace))
        {
            *names.entry(namespace).or_default() |= found.resources.contains_key(&resource.addr);
        }
    }
    let reads = names.into_iter().map(|(name, is_proven)| async move {
        let exists = is_proven || kube.get(&core("namespaces"), None, name).await?.is_some();
        Ok::<_, ProviderError>((name.to_owned(), exists))
    });
    found.other_namespaces = futures::stream::iter(reads).buffered(8).try_collect().await?;
    Ok(())
}

/// What is in namespaces and under CustomResourceDefinitions that would go, and isn't ours.
async fn content(kube: &Kube, desired: &Graph, prior: &State, found: &mut Objects) -> Result<(), ProviderError> {
    let holds = |addr: &Addr| matches!(kind_name(addr), "namespace" | "customresourcedefinition");
    let going: Vec<Addr> = found
        .resources
        .iter()
        .filter(|(addr, one)| holds(addr) && !desired.contains(addr) && matches!(one.owner, Owner::Us { .. }))
        .filter(|(addr, one)| prior.current(addr).map_or(one.origin, |current| Some(current.origin)) != Some(Origin::Adopted))
        .map(|(addr, _)| addr.clone())
        .collect();
    if going.is_empty() {
        return Ok(());
    }
    let catalog = kube.catalog().await;
    for addr in going {
        let content = match &catalog {
            Ok(catalog) if kind_name(&addr) == "namespace" => {
                let kinds: Vec<(Kind, KindPath)> =
                    catalog.kept().filter(|kind| kind.namespaced).map(|kind| named(kind.path(), kind)).collect();
                foreign_content(kube, &kinds, Some(addr.name()), (&prior.stack, desired), found).await
            }
            Ok(catalog) => {
                let is_meant = |kind: &&crate::provider::kube::Served| format!("{}.{}", kind.plural, kind.group) == addr.name();
                let kinds: Vec<(Kind, KindPath)> = catalog.kept().filter(is_meant).map(|kind| named(kind.path(), kind)).collect();
                foreign_content(kube, &kinds, None, (&prior.stack, desired), found).await
            }
            Err(error) => vec![format!("what it holds can't be told: {error}")],
        };
        found.content.insert(addr, content);
    }
    Ok(())
}

fn named(path: KindPath, kind: &crate::provider::kube::Served) -> (Kind, KindPath) {
    ((kind.group.clone(), kind.kind.to_ascii_lowercase()), path)
}

async fn foreign_content(
    kube: &Kube,
    kinds: &[(Kind, KindPath)],
    namespace: Option<&str>,
    (stack, desired): (&str, &Graph),
    found: &Objects,
) -> Vec<String> {
    let lists = kinds.iter().map(|(kind, path)| async move { (kind, path, kube.list_metadata_in(path, namespace).await) });
    let answers: Vec<_> = futures::stream::iter(lists).buffered(8).collect().await;
    let mut content = Vec::new();
    for (kind, path, answer) in answers {
        match answer {
            Ok(objects) => {
                let foreign =
                    objects.iter().filter(|live| !comes_by_itself(path, live) && !is_right_of(stack, path, live.name())).filter(|live| {
                        let addr = addr_of(kind, live);
                        let is_leaving =
                            !desired.contains(&addr) && found.resources.get(&addr).is_some_and(|one| matches!(one.owner, Owner::Us { .. }));
                        !is_leaving
                    });
                content.extend(foreign.map(|live| format!("{}/{}", path.plural, live.name())));
            }
            Err(error) if error.is_not_found() => {}
            Err(error) => content.push(format!("{} that can't be listed: {error}", path.plural)),
        }
    }
    content
}

/// What every namespace gets from controllers: the default service account and the CA bundles; what has an owner goes with it, and events,
/// endpoints and the like follow from other objects.
fn comes_by_itself(kind: &KindPath, live: &Live) -> bool {
    matches!(
        (kind.plural.as_str(), live.name()),
        ("serviceaccounts", "default")
            | ("configmaps", "kube-root-ca.crt" | "istio-ca-root-cert" | "istio-ca-crl")
            | ("events" | "endpoints" | "endpointslices", _)
    ) || (kind.plural == "secrets" && live.name().starts_with("default-token-"))
        || live.is_owned()
}

/// The rights in a namespace that `meshform permissions` printed for this stack: they are of no use without it, and go with it.
fn is_right_of(stack: &str, kind: &KindPath, name: &str) -> bool {
    matches!(kind.plural.as_str(), "roles" | "rolebindings") && Purpose::ALL.iter().any(|purpose| name == role_name(stack, *purpose))
}

pub(super) fn as_found(addr: &Addr, live: &Live, desired: &Graph, is_ours: bool) -> Found {
    let attrs: Attrs = live.attrs();
    let lineage = live.annotation(ANNOTATION_LINEAGE).map(ToOwned::to_owned);
    let mut wanted: Vec<String> = match desired.get(addr).map(|resource| &resource.spec) {
        Some(Spec::Object(spec)) => spec.attrs(None).into_keys().collect(),
        _ => Vec::new(),
    };
    wanted.extend(attrs.keys().filter(|path| is_mark(path)).cloned());
    let condition = match (live.terminating(), namespace_phase(addr, live)) {
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

fn namespace_phase<'l>(addr: &Addr, live: &'l Live) -> Option<&'l str> {
    if kind_name(addr) != "namespace" {
        return None;
    }
    live.rest.get("status")?.get("phase")?.as_str()
}

/// The kind of an object's address.
pub(super) fn kind_of(addr: &Addr) -> Option<Kind> {
    match addr {
        Addr::Kube { kind, group, .. } => Some((group.clone(), kind.clone())),
        Addr::Aws { .. } => None,
    }
}

fn kind_name(addr: &Addr) -> &str {
    match addr {
        Addr::Kube { kind, .. } => kind,
        Addr::Aws { .. } => "",
    }
}

fn addr_of((group, kind): &Kind, live: &Live) -> Addr {
    let namespace = live.namespace().filter(|namespace| !namespace.is_empty()).map(ToOwned::to_owned);
    Addr::Kube { kind: kind.clone(), group: group.clone(), namespace, name: live.name().to_owned() }
}

/// A kind of the core group in URLs.
pub(super) fn core(plural: &str) -> KindPath {
    KindPath { api_version: "v1".into(), plural: plural.to_owned() }
}
