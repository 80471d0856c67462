//! The control planes of the stack and of the cluster, and which of them puts its proxy into a pod.

use std::collections::BTreeMap;

use serde_json::{Map, Value};

use super::versions::Version;
use crate::addr::Addr;
use crate::compose::asks_about_pod;
use crate::graph::Graph;
use crate::observed::Found;
use crate::resource::manifest::RELEASE;
use crate::resource::{Attr, Attrs, Spec};
pub(super) use crate::stack::istio::{INJECTION_LABEL as INJECTION, REVISION_LABEL as REVISION};
use crate::state::State;

/// The label of the webhooks of a revision tag.
pub(super) const TAG: &str = "istio.io/tag";

/// A Deployment of istiod.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct ControlPlane {
    pub(super) addr: Addr,
    pub(super) revision: String,
    pub(super) version: Option<Version>,
    /// The name of its release, by its label.
    pub(super) release: Option<String>,
}

impl ControlPlane {
    fn of(addr: &Addr, labels: impl Fn(&str) -> Option<String>, containers: Option<&Value>) -> Option<Self> {
        let is_deployment = matches!(addr, Addr::Kube { kind, group, .. } if kind == "deployment" && group == "apps");
        let revision = labels(REVISION).filter(|_| is_deployment && labels("app").as_deref() == Some("istiod"))?;
        let image = containers.and_then(|list| list.as_array()?.first()?.get("image")?.as_str());
        // An image of one's own may have any tag; then the chart's labels tell.
        let said =
            [image.and_then(tag_of), labels("app.kubernetes.io/version"), labels("helm.sh/chart").and_then(|chart| version_in(&chart))];
        let version = said.into_iter().flatten().find_map(|text| Version::parse(&text));
        Some(Self { addr: addr.clone(), revision, version, release: labels("release") })
    }

    /// What it is called in messages.
    pub(super) fn describe(&self) -> String {
        if self.revision == "default" { "the control plane without a revision".to_owned() } else { format!("revision {}", self.revision) }
    }

    /// Whether an object that goes is of its release.
    pub(super) fn owns(&self, addr: &Addr, attrs: &Attrs, prior: &State) -> bool {
        let label = |key: &str| attrs.get(&format!("metadata.labels.{key}")).and_then(Attr::as_text);
        let section = |addr: &Addr| prior.current(addr).and_then(|known| known.attrs.get(RELEASE)?.as_text());
        label(REVISION) == Some(&self.revision)
            || (self.release.is_some() && label("release") == self.release.as_deref())
            || section(addr).is_some_and(|own| section(&self.addr) == Some(own))
    }
}

fn tag_of(image: &str) -> Option<String> {
    let (_, tag) = image.split('@').next()?.rsplit_once(':')?;
    Some(tag.to_owned())
}

/// The version in `<chart>-<version>`.
fn version_in(chart: &str) -> Option<String> {
    let at = chart.char_indices().find(|(at, c)| c.is_ascii_digit() && chart[..*at].ends_with('-'))?.0;
    Some(chart[at..].to_owned())
}

/// Those that the stack wants.
pub(super) fn wanted(graph: &Graph) -> Vec<ControlPlane> {
    let all = graph.resources().filter_map(|resource| {
        let Spec::Manifest(spec) = &resource.spec else { return None };
        let body = &spec.object.body;
        let label = |key: &str| Some(body.get("metadata")?.get("labels")?.get(key)?.as_str()?.to_owned());
        ControlPlane::of(&resource.addr, label, body.pointer("/spec/template/spec/containers"))
    });
    all.collect()
}

/// Those that are there, of the stack's making or to be taken over by it.
pub(super) fn live(found: &BTreeMap<Addr, Found>) -> Vec<ControlPlane> {
    found.iter().filter_map(|(addr, found)| of_attrs(addr, &found.attrs)).collect()
}

fn of_attrs(addr: &Addr, attrs: &Attrs) -> Option<ControlPlane> {
    let label = |key: &str| attrs.get(&format!("metadata.labels.{key}")).and_then(Attr::as_text).map(str::to_owned);
    let containers = match attrs.get("spec.template.spec.containers") {
        Some(Attr::Value(value)) => Some(value),
        _ => None,
    };
    ControlPlane::of(addr, label, containers)
}

/// The webhooks of the stack that put proxies into pods.
pub(super) struct Injectors<'a>(Vec<Injector<'a>>);

struct Injector<'a> {
    addr: &'a Addr,
    revision: &'a str,
    entries: &'a [Value],
}

impl<'a> Injectors<'a> {
    /// Those of a stack.
    pub(super) fn of(graph: &'a Graph) -> Self {
        let all = graph.resources().filter_map(|resource| {
            let Spec::Manifest(spec) = &resource.spec else { return None };
            let revision = spec.object.body.get("metadata")?.get("labels")?.get(REVISION)?.as_str()?;
            let entries = spec.object.body.get("webhooks")?.as_array().filter(|_| spec.object.kind == "MutatingWebhookConfiguration")?;
            Some(Injector { addr: &resource.addr, revision, entries })
        });
        Self(all.collect())
    }

    /// Their addresses, each with the revision that it stands for.
    pub(super) fn all(&self) -> impl Iterator<Item = (&'a Addr, &'a str)> {
        self.0.iter().map(|one| (one.addr, one.revision))
    }

    /// The revision whose proxy a new pod with these labels gets in a namespace with those.
    pub(super) fn takes(&self, namespace: &str, of_namespace: &Map<String, Value>, of_pod: &Map<String, Value>) -> Option<&'a str> {
        let asks = |one: &&Injector<'_>| one.entries.iter().any(|entry| asks_about_pod(entry, namespace, of_namespace, of_pod));
        self.0.iter().find(asks).map(|one| one.revision)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_chart_tells_its_version() {
        for (chart, version) in [("istiod-1.31.0", Some("1.31.0")), ("gateway-2-1.0", Some("2-1.0")), ("istiod", None)] {
            assert_eq!(version_in(chart).as_deref(), version, "{chart}");
        }
        assert_eq!(tag_of("localhost:5000/istio/pilot:1.31.0@sha256:00").as_deref(), Some("1.31.0"));
    }
}
