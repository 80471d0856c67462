//! Discovery: which kinds a cluster has, and the names of what is there.

use std::sync::Arc;

use http::Method;
use serde::Deserialize;

use super::{KindPath, Kube, unreadable};
use crate::addr::Addr;
use crate::provider::error::ProviderError;
use crate::resource::kinds::{built_in, split_api_version};

/// A kind that a cluster serves.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Served {
    /// The API group; empty for the core group.
    pub group: String,
    /// The kind.
    pub kind: String,
    /// Its plural in URLs.
    pub plural: String,
    /// Whether its objects are in namespaces.
    pub namespaced: bool,
    /// The versions that are served, the preferred one first.
    pub versions: Vec<String>,
    /// Whether its objects can be listed and applied.
    pub is_kept: bool,
}

impl Served {
    /// The kind in URLs, in its preferred version.
    pub fn path(&self) -> KindPath {
        let version = self.versions.first().map_or("", String::as_str);
        let api_version = if self.group.is_empty() { version.to_owned() } else { format!("{}/{version}", self.group) };
        KindPath { api_version, plural: self.plural.clone() }
    }
}

/// All kinds that a cluster serves.
#[derive(Clone, Debug, Default)]
pub struct Catalog {
    kinds: Vec<Served>,
}

impl Catalog {
    /// The kind of this name, in any case of its letters.
    pub fn find(&self, group: &str, kind: &str) -> Option<&Served> {
        self.kinds.iter().find(|one| one.group == group && one.kind.eq_ignore_ascii_case(kind))
    }

    /// All kinds.
    pub fn all(&self) -> impl Iterator<Item = &Served> {
        self.kinds.iter()
    }

    /// The kinds whose objects can be listed and applied.
    pub fn kept(&self) -> impl Iterator<Item = &Served> {
        self.kinds.iter().filter(|kind| kind.is_kept)
    }
}

/// Aggregated discovery (Kubernetes API concepts, "Aggregated discovery"; stable since 1.30): two requests tell all. A server that doesn't
/// know it answers in the old form, and is asked group by group.
pub(super) const ACCEPT: &str = "application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList,application/json";

#[derive(Deserialize)]
struct Root {
    #[serde(default)]
    kind: String,
    #[serde(default)]
    items: Vec<GroupDiscovery>,
    #[serde(default)]
    groups: Vec<Group>,
}

#[derive(Deserialize)]
struct GroupDiscovery {
    #[serde(default)]
    metadata: Meta,
    #[serde(default)]
    versions: Vec<VersionDiscovery>,
}

#[derive(Deserialize)]
struct VersionDiscovery {
    version: String,
    #[serde(default)]
    resources: Vec<ResourceDiscovery>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct ResourceDiscovery {
    resource: String,
    #[serde(default)]
    response_kind: Option<ResponseKind>,
    #[serde(default)]
    scope: String,
    #[serde(default)]
    verbs: Vec<String>,
}

#[derive(Deserialize)]
struct ResponseKind {
    kind: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Group {
    preferred_version: Version,
    #[serde(default)]
    versions: Vec<Version>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Version {
    group_version: String,
}

#[derive(Deserialize)]
struct Kinds {
    #[serde(default)]
    resources: Vec<Kind>,
}

#[derive(Deserialize)]
struct Kind {
    name: String,
    #[serde(default, rename = "kind")]
    titled: String,
    namespaced: bool,
    #[serde(default)]
    verbs: Vec<String>,
}

#[derive(Deserialize, Default)]
struct Meta {
    #[serde(default)]
    name: String,
}

fn is_kept(verbs: &[String]) -> bool {
    ["list", "patch"].iter().all(|wanted| verbs.iter().any(|verb| verb == wanted))
}

impl Kube {
    /// The kinds of the cluster; asked for once.
    pub async fn catalog(&self) -> Result<Arc<Catalog>, ProviderError> {
        let mut known = self.catalog.lock().await;
        if let Some(known) = &*known {
            return Ok(Arc::clone(known));
        }
        let catalog = Arc::new(self.discover().await?);
        *known = Some(Arc::clone(&catalog));
        Ok(catalog)
    }

    /// Forgets the kinds: a CustomResourceDefinition came or went.
    pub async fn forget_catalog(&self) {
        *self.catalog.lock().await = None;
    }

    /// A kind in URLs: as Kubernetes has it, or as the cluster tells. Nothing when the cluster doesn't serve it.
    pub async fn path_of(&self, addr: &Addr) -> Result<Option<KindPath>, ProviderError> {
        let Addr::Kube { kind, group, .. } = addr else { return Ok(None) };
        if let Some(known) = built_in(group, kind) {
            let version = known.versions[0];
            let api_version = if group.is_empty() { version.to_owned() } else { format!("{group}/{version}") };
            return Ok(Some(KindPath { api_version, plural: known.plural.to_owned() }));
        }
        Ok(self.catalog().await?.find(group, kind).map(Served::path))
    }

    async fn discover(&self) -> Result<Catalog, ProviderError> {
        let own = KindPath { api_version: "v1".into(), plural: "apis".into() };
        let (core, groups) = futures::try_join!(self.root("/api"), self.root("/apis"))?;
        if core.kind == "APIGroupDiscoveryList" && groups.kind == "APIGroupDiscoveryList" {
            return Ok(Catalog { kinds: core.items.into_iter().chain(groups.items).flat_map(of_group).collect() });
        }
        let mut versions = vec!["v1".to_owned()];
        for group in groups.groups {
            let preferred = group.preferred_version.group_version;
            let others = group.versions.into_iter().map(|one| one.group_version).filter(|one| *one != preferred);
            versions.extend([preferred.clone()].into_iter().chain(others));
        }
        let mut catalog = Catalog::default();
        for api_version in versions {
            let path = if api_version.contains('/') { format!("/apis/{api_version}") } else { format!("/api/{api_version}") };
            let answer = self.send("get", &own, &path, Method::GET, &path, None).await?;
            let found: Kinds = serde_json::from_slice(&answer).map_err(|e| unreadable("get", &own, &path, &e))?;
            let (group, version) = split_api_version(&api_version);
            for kind in found.resources.into_iter().filter(|kind| !kind.name.contains('/')) {
                catalog.add(group, version, kind.titled, kind.name, kind.namespaced, is_kept(&kind.verbs));
            }
        }
        Ok(catalog)
    }

    async fn root(&self, path: &str) -> Result<Root, ProviderError> {
        let own = KindPath { api_version: "v1".into(), plural: "apis".into() };
        let answer = self.send("discover", &own, path, Method::GET, path, None).await?;
        serde_json::from_slice(&answer).map_err(|e| unreadable("get", &own, path, &e))
    }
}

impl Catalog {
    fn add(&mut self, group: &str, version: &str, kind: String, plural: String, namespaced: bool, is_kept: bool) {
        if let Some(known) = self.kinds.iter_mut().find(|one| one.group == group && one.plural == plural) {
            known.versions.push(version.to_owned());
        } else {
            let (group, versions) = (group.to_owned(), vec![version.to_owned()]);
            self.kinds.push(Served { group, kind, plural, namespaced, versions, is_kept });
        }
    }
}

fn of_group(group: GroupDiscovery) -> Vec<Served> {
    let mut catalog = Catalog::default();
    for version in group.versions {
        for found in version.resources {
            let Some(kind) = found.response_kind else { continue };
            let namespaced = found.scope == "Namespaced";
            catalog.add(&group.metadata.name, &version.version, kind.kind, found.resource, namespaced, is_kept(&found.verbs));
        }
    }
    catalog.kinds
}
