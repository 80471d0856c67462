//! Discovery: which namespaced kinds a cluster has, and the names of what is there.

use http::Method;
use serde::Deserialize;

use super::{KindPath, Kube, query, unreadable};
use crate::provider::error::ProviderError;

#[derive(Deserialize)]
struct Groups {
    #[serde(default)]
    groups: Vec<Group>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Group {
    preferred_version: Version,
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
    namespaced: bool,
    #[serde(default)]
    verbs: Vec<String>,
}

#[derive(Deserialize)]
struct Names {
    /// An empty list of metadata has `null` here.
    #[serde(default)]
    items: Option<Vec<Named>>,
}

#[derive(Deserialize)]
struct Named {
    metadata: Meta,
}

#[derive(Deserialize)]
struct Meta {
    name: String,
}

impl Kube {
    /// The namespaced kinds that can be listed, in each group's preferred version.
    pub async fn namespaced_kinds(&self) -> Result<Vec<KindPath>, ProviderError> {
        let own = KindPath { api_version: "v1".into(), plural: "apis".into() };
        let answer = self.send("get", &own, "/apis", Method::GET, "/apis", None).await?;
        let groups: Groups = serde_json::from_slice(&answer).map_err(|e| unreadable("get", &own, "/apis", &e))?;
        let mut versions = vec![("/api/v1".to_owned(), "v1".to_owned())];
        versions.extend(groups.groups.into_iter().map(|group| {
            let version = group.preferred_version.group_version;
            (format!("/apis/{version}"), version)
        }));
        let mut kinds = Vec::new();
        for (path, api_version) in versions {
            let answer = self.send("get", &own, &path, Method::GET, &path, None).await?;
            let found: Kinds = serde_json::from_slice(&answer).map_err(|e| unreadable("get", &own, &path, &e))?;
            let listable = found.resources.into_iter().filter(|kind| kind.namespaced && !kind.name.contains('/'));
            let listable = listable.filter(|kind| kind.verbs.iter().any(|verb| verb == "list"));
            kinds.extend(listable.map(|kind| KindPath { api_version: api_version.clone(), plural: kind.name }));
        }
        Ok(kinds)
    }

    /// The names of the first objects of a kind in a namespace; their content is not asked for.
    pub async fn names_in(&self, kind: &KindPath, namespace: &str) -> Result<Vec<String>, ProviderError> {
        let path = format!("{}/namespaces/{}/{}?limit=50", kind.root(), query(namespace), kind.plural);
        let answer = self.send("list metadata of", kind, namespace, Method::GET, &path, None).await?;
        let names: Names = serde_json::from_slice(&answer).map_err(|e| unreadable("list", kind, namespace, &e))?;
        Ok(names.items.unwrap_or_default().into_iter().map(|named| named.metadata.name).collect())
    }
}
