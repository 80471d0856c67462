//! Which pods run which proxy, and restarts.

use jiff::Timestamp;
use serde_json::json;

use super::{KindPath, Kube, Live, query};
use crate::observed::{Proxies, Proxy};
use crate::provider::error::ProviderError;

/// The manager of what only makes a workload roll: what the stack's own manager sends never names it, and so leaves it alone.
const RESTARTER: &str = "meshform-restart";
/// The annotation of a template that `kubectl rollout restart` writes.
const RESTARTED_AT: &str = "kubectl.kubernetes.io/restartedAt";
/// Pods that run, or are about to: one that has ended uses no control plane any more.
const RUNNING: &str = "status.phase!=Succeeded,status.phase!=Failed";

impl Kube {
    /// The proxies of all pods, and the labels of all namespaces. Without `whole` pods are asked for their metadata alone.
    pub async fn proxies(&self, whole: bool) -> Result<Proxies, ProviderError> {
        let namespaces = core("namespaces");
        let (pods, namespaces) = futures::try_join!(self.pods(whole), self.list_metadata(&namespaces, ""))?;
        let labels = |live: &Live| live.metadata.get("labels").and_then(|labels| labels.as_object()).cloned().unwrap_or_default();
        let namespaces = namespaces.iter().map(|live| (live.name().to_owned(), labels(live))).collect();
        Ok(Proxies { pods, namespaces })
    }

    /// The proxies of all pods.
    pub async fn pods(&self, whole: bool) -> Result<Vec<Proxy>, ProviderError> {
        let verb = if whole { "list" } else { "list metadata of" };
        self.pods_at(verb, "/api/v1/pods", "pods of all namespaces").await
    }

    /// The proxies of a namespace's pods.
    pub async fn pods_in(&self, namespace: &str) -> Result<Vec<Proxy>, ProviderError> {
        self.pods_at("list metadata of", &format!("/api/v1/namespaces/{}/pods", query(namespace)), namespace).await
    }

    async fn pods_at(&self, verb: &'static str, path: &str, subject: &str) -> Result<Vec<Proxy>, ProviderError> {
        let pods = self.pages_of(verb, &core("pods"), subject, &format!("{path}?fieldSelector={}", query(RUNNING))).await?;
        Ok(pods.iter().filter_map(|live| Proxy::of(&live.whole())).collect())
    }

    /// All objects of a kind in a namespace, whoever made them.
    pub async fn list_within(&self, kind: &KindPath, namespace: &str) -> Result<Vec<Live>, ProviderError> {
        let path = format!("{}/namespaces/{}/{}?labelSelector=", kind.root(), query(namespace), kind.plural);
        self.pages_of("list", kind, namespace, &path).await
    }

    /// Makes a workload roll, as `kubectl rollout restart` does.
    pub async fn restart(&self, kind: &KindPath, namespace: &str, name: &str, at: Timestamp) -> Result<(), ProviderError> {
        let at = at.strftime("%Y-%m-%dT%H:%M:%SZ").to_string();
        let patch = json!({"spec": {"template": {"metadata": {"annotations": {RESTARTED_AT: at}}}}});
        self.merge_as(RESTARTER, kind, Some(namespace), name, &patch).await
    }
}

fn core(plural: &str) -> KindPath {
    KindPath { api_version: "v1".into(), plural: plural.to_owned() }
}
