//! What is asked of a cluster besides its objects: its version, its APIs, what charts look up, and whether it injects.

use http::Method;
use serde::Deserialize;
use serde_json::Value;

use super::{KindPath, Kube, query, subject, unreadable};
use crate::observed::Proxy;
use crate::provider::error::{Class, ProviderError};
use crate::resource::FIELD_MANAGER;
use crate::resource::kinds::split_api_version;
use crate::resource::manifest::has_auto_image;
use crate::secret::SecretBytes;

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Version {
    git_version: String,
}

impl Kube {
    /// The server's version, such as `v1.36.3` (`GET /version`), asked for once.
    pub async fn version(&self) -> Result<String, ProviderError> {
        self.version.get_or_try_init(|| self.asked_version()).await.cloned()
    }

    async fn asked_version(&self) -> Result<String, ProviderError> {
        let own = KindPath { api_version: "v1".into(), plural: "version".into() };
        let answer = self.send("get", &own, "/version", Method::GET, "/version", None).await?;
        let version: Version = serde_json::from_slice(&answer).map_err(|e| unreadable("get", &own, "/version", &e))?;
        Ok(version.git_version)
    }

    /// The API versions that it serves, as Helm's `.Capabilities.APIVersions` has them: `group/version` and `group/version/Kind`.
    pub async fn api_versions(&self) -> Result<Vec<String>, ProviderError> {
        let catalog = self.catalog().await?;
        let mut found = std::collections::BTreeSet::new();
        for kind in catalog.all() {
            for version in &kind.versions {
                let of = if kind.group.is_empty() { version.clone() } else { format!("{}/{version}", kind.group) };
                found.insert(format!("{of}/{}", kind.kind));
                found.insert(of);
            }
        }
        Ok(found.into_iter().collect())
    }

    /// What a chart looks up: an object, or without a name a list, as JSON; nothing when there is none, or the cluster doesn't serve the kind.
    pub async fn look_up(&self, api_version: &str, kind: &str, namespace: &str, name: &str) -> Result<Option<SecretBytes>, ProviderError> {
        let (group, _) = split_api_version(api_version);
        let catalog = self.catalog().await?;
        let Some(served) = catalog.find(group, kind) else { return Ok(None) };
        let path = KindPath { api_version: api_version.to_owned(), plural: served.plural.clone() };
        let namespace = Some(namespace).filter(|namespace| served.namespaced && !namespace.is_empty());
        let url = match (namespace, name) {
            (Some(namespace), "") => format!("{}/namespaces/{}/{}", path.root(), query(namespace), path.plural),
            (None, "") => format!("{}/{}", path.root(), path.plural),
            (namespace, name) => path.object(namespace.map(query).as_deref(), &query(name)),
        };
        let asked = subject(namespace, name);
        match self.send("get", &path, &asked, Method::GET, &url, None).await {
            Ok(answer) => Ok(Some(SecretBytes::new(answer.to_vec()))),
            Err(error) if error.is_not_found() => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// Whether a pod would come back injected when it is made, and by this revision: nothing, or why not. Nothing is made.
    pub async fn injects(&self, namespace: &str, pod: &Value, revision: Option<&str>) -> Result<Option<String>, ProviderError> {
        let pods = KindPath { api_version: "v1".into(), plural: "pods".into() };
        let url = format!("/api/v1/namespaces/{}/pods?dryRun=All&fieldManager={FIELD_MANAGER}", query(namespace));
        let body = SecretBytes::from_text(pod.to_string());
        let asked = subject(Some(namespace), "");
        match self.send("create", &pods, &asked, Method::POST, &url, Some(("application/json", &body))).await {
            Ok(answer) => {
                let made: Value = serde_json::from_slice(&answer).map_err(|e| unreadable("create", &pods, &asked, &e))?;
                if has_auto_image(&made) {
                    return Ok(Some("no injector answers for them yet".to_owned()));
                }
                // Servers learn of a namespace's new choice one after the other.
                let by = Proxy::of(&made).map(|proxy| proxy.revision).unwrap_or_default();
                Ok(revision
                    .filter(|revision| *revision != by)
                    .map(|revision| format!("the injector of {by} answers for them, not yet that of {revision}")))
            }
            // An injector that isn't reached yet.
            Err(error) if error.class == Class::Server => Ok(Some(error.message)),
            Err(error) => Err(error),
        }
    }
}
