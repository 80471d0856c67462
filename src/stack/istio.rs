//! `istio:` as the stack says it, and the releases that it comes down to.

use std::collections::BTreeMap;

use serde_json::{Map, Value, json};

use super::charts::{ChartRef, Release};
use super::manifests::ManifestRule;
use crate::diag::Place;

/// The repository of the official charts (Istio documentation, "Install with Helm").
pub const OFFICIAL: &str = "https://istio-release.storage.googleapis.com/charts";
/// The namespace of the control plane.
pub const SYSTEM: &str = "istio-system";
/// The namespace of ingress gateways that name none.
pub const INGRESS: &str = "istio-ingress";

/// The label that says which control plane an object belongs to, and which one a namespace or a pod chooses (Istio documentation, "Canary Upgrades").
pub const REVISION_LABEL: &str = "istio.io/rev";
/// The older label by which a namespace chooses the default control plane, or none.
pub const INJECTION_LABEL: &str = "istio-injection";

/// `istio:`
#[derive(Clone, Debug)]
pub struct Istio {
    /// The version of the charts.
    pub version: String,
    /// Where the charts are: a repository, or a folder relative to the working directory.
    pub source: String,
    /// The control plane's namespace.
    pub namespace: String,
    /// The charts' profile.
    pub profile: Option<String>,
    /// The control plane's revision; empty for the default one.
    pub revision: String,
    /// Revision tags of this control plane.
    pub tags: Vec<String>,
    /// The revision that checks Istio's objects.
    pub default_revision: Option<String>,
    /// Further control planes by revision.
    pub revisions: BTreeMap<String, Revision>,
    /// The chart base.
    pub base: Component,
    /// The chart istiod.
    pub istiod: Component,
    /// The chart cni.
    pub cni: Option<Component>,
    /// The chart ztunnel.
    pub ztunnel: Option<Component>,
    /// Ingress gateways by name.
    pub ingress: BTreeMap<String, Ingress>,
    /// The order in which namespaces move to another control plane.
    pub batches: Vec<Batch>,
    /// Whether the releases get the marks that Helm takes them over by.
    pub adoptable: bool,
    /// What the stack says of the objects.
    pub rules: Vec<ManifestRule>,
    /// Where it stands.
    pub place: Place,
}

/// A chart of Istio's with the stack's values.
#[derive(Clone, Debug, Default)]
pub struct Component {
    /// Another version than Istio's.
    pub version: Option<String>,
    /// Another namespace than Istio's.
    pub namespace: Option<String>,
    /// Files of values.
    pub values_files: Vec<(String, Place)>,
    /// Values.
    pub values: Value,
    /// Where it stands.
    pub place: Option<Place>,
}

/// `istio.revisions.<revision>`
#[derive(Clone, Debug)]
pub struct Revision {
    /// The version of its chart.
    pub version: String,
    /// Its tags.
    pub tags: Vec<String>,
    /// Files of values.
    pub values_files: Vec<(String, Place)>,
    /// Values, over those of all control planes.
    pub values: Value,
    /// Where it stands.
    pub place: Place,
}

/// `istio.ingress.<name>`
#[derive(Clone, Debug)]
pub struct Ingress {
    /// Its namespace.
    pub namespace: String,
    /// The release's name, which Deployment and Service have, too.
    pub name: String,
    /// The Service's type.
    pub service: String,
    /// The revision or tag that it belongs to; absent: Istio's.
    pub revision: Option<String>,
    /// Another version than Istio's.
    pub version: Option<String>,
    /// Files of values.
    pub values_files: Vec<(String, Place)>,
    /// Values.
    pub values: Value,
    /// Where it stands.
    pub place: Place,
}

/// An item of `istio.batches`: namespaces that move to another control plane at one time, when all of the batch before it is done.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Batch {
    /// The namespaces, each with where it is named.
    pub namespaces: Vec<(String, Place)>,
    /// Whether the workloads whose pods run another proxy than they are to are restarted, and waited for.
    pub restart: bool,
}

impl Batch {
    /// Whether it is about a namespace.
    pub fn has(&self, namespace: &str) -> bool {
        self.namespaces.iter().any(|(name, _)| name == namespace)
    }
}

impl Ingress {
    /// The value of the label `istio` on its pods, which Gateways select by (chart gateway, `gateway.labels`): the release's name without a
    /// leading `istio-`, unless the values say another.
    pub fn selector(&self) -> String {
        let said = self.values.pointer("/labels/istio").and_then(Value::as_str);
        said.unwrap_or_else(|| self.name.strip_prefix("istio-").unwrap_or(&self.name)).to_owned()
    }
}

impl Istio {
    /// All its releases, in the order of their installation.
    pub fn releases(&self) -> Vec<Release> {
        let mut releases = vec![self.base()];
        let istiod = releases.len();
        releases.push(self.istiod(&self.revision, &self.version, &self.tags, None));
        for (name, revision) in &self.revisions {
            releases.push(self.istiod(name, &revision.version, &revision.tags, Some(revision)));
        }
        let control_planes: Vec<String> = releases[istiod..].iter().map(|release| release.section.clone()).collect();
        let mut before = control_planes;
        for (key, component) in [("cni", &self.cni), ("ztunnel", &self.ztunnel)] {
            if let Some(component) = component {
                let given = if key == "ztunnel" {
                    let revision = Some(("revision", json!(self.revision))).filter(|_| !self.revision.is_empty());
                    let namespace = Some(("istioNamespace", json!(self.namespace))).filter(|_| self.namespace != SYSTEM);
                    self.given(revision.into_iter().chain(namespace))
                } else {
                    self.given(self.elsewhere())
                };
                let release = self.component(key, key, component, given, before.clone());
                before.push(release.section.clone());
                releases.push(release);
            }
        }
        for (name, ingress) in &self.ingress {
            releases.push(self.ingress(name, ingress, before.clone()));
        }
        releases
    }

    fn base(&self) -> Release {
        let newest = self
            .revisions
            .values()
            .map(|revision| &revision.version)
            .fold(&self.version, |newest, one| if version_key(one) > version_key(newest) { one } else { newest });
        let checks = self.default_revision.as_ref().or_else(|| Some(&self.revision).filter(|revision| !revision.is_empty()));
        let given = self.given(checks.map(|checks| ("defaultRevision", json!(checks))).into_iter().chain(self.elsewhere()));
        let mut release = self.component("base", "istio-base", &self.base, given, Vec::new());
        if self.base.version.is_none() {
            release.chart.version.clone_from(newest);
        }
        release
    }

    fn istiod(&self, revision: &str, version: &str, tags: &[String], beside: Option<&Revision>) -> Release {
        let mut given: Vec<(&str, Value)> = self.elsewhere().collect();
        if !revision.is_empty() {
            given.push(("revision", json!(revision)));
        }
        if !tags.is_empty() {
            given.push(("revisionTags", json!(tags)));
        }
        let name = if revision.is_empty() { "istiod".to_owned() } else { format!("istiod-{revision}") };
        let mut release = self.component("istiod", &name, &self.istiod, self.given(given), vec!["istio.base".to_owned()]);
        release.chart.version = self.istiod.version.clone().unwrap_or_else(|| version.to_owned());
        if let Some(beside) = beside {
            release.section = format!("istio.revisions.{revision}");
            version.clone_into(&mut release.chart.version);
            release.values_files.extend(beside.values_files.iter().cloned());
            release.values.push(beside.values.clone());
            release.place = beside.place.clone();
        }
        release
    }

    fn ingress(&self, key: &str, ingress: &Ingress, after: Vec<String>) -> Release {
        let mut given = Map::from_iter([("service".to_owned(), json!({"type": ingress.service}))]);
        let revision = ingress.revision.as_deref().unwrap_or(&self.revision);
        if !revision.is_empty() {
            given.insert("revision".to_owned(), json!(revision));
        }
        Release {
            section: format!("istio.ingress.{key}"),
            name: ingress.name.clone(),
            namespace: ingress.namespace.clone(),
            chart: self.chart("gateway", ingress.version.as_deref(), &ingress.place),
            given: Value::Object(given),
            values_files: ingress.values_files.clone(),
            values: vec![ingress.values.clone()],
            with_crds: true,
            with_hooks: true,
            adoptable: self.adoptable,
            rules: self.rules.clone(),
            after,
            place: ingress.place.clone(),
        }
    }

    fn component(&self, key: &str, name: &str, component: &Component, given: Value, after: Vec<String>) -> Release {
        let place = component.place.as_ref().unwrap_or(&self.place);
        Release {
            section: format!("istio.{key}"),
            name: name.to_owned(),
            namespace: component.namespace.clone().unwrap_or_else(|| self.namespace.clone()),
            chart: self.chart(key, component.version.as_deref(), place),
            given,
            values_files: component.values_files.clone(),
            values: vec![component.values.clone()],
            with_crds: true,
            with_hooks: true,
            adoptable: self.adoptable,
            rules: self.rules.clone(),
            after,
            place: place.clone(),
        }
    }

    fn chart(&self, name: &str, version: Option<&str>, place: &Place) -> ChartRef {
        ChartRef {
            name: name.to_owned(),
            repository: Some(self.source.clone()),
            version: version.unwrap_or(&self.version).to_owned(),
            place: place.clone(),
        }
    }

    /// Another namespace than the charts believe in.
    fn elsewhere(&self) -> impl Iterator<Item = (&'static str, Value)> {
        let namespace = Some(&self.namespace).filter(|namespace| *namespace != SYSTEM);
        namespace.map(|namespace| ("global", json!({"istioNamespace": namespace}))).into_iter()
    }

    /// The values of the stack itself. What the charts do by themselves is not said: they write down what they were given, and a release that is
    /// taken over was given no more.
    fn given(&self, pairs: impl IntoIterator<Item = (&'static str, Value)>) -> Value {
        let profile = self.profile.as_ref().map(|profile| ("profile".to_owned(), json!(profile)));
        Value::Object(pairs.into_iter().map(|(key, value)| (key.to_owned(), value)).chain(profile).collect())
    }
}

/// A version for comparing: its numbers, and whether it is a release at all (`1.31.0-rc.1` comes before `1.31.0`).
fn version_key(version: &str) -> (Vec<u64>, bool) {
    let (numbers, is_release) = match version.trim_start_matches('v').split_once('-') {
        Some((numbers, _)) => (numbers, false),
        None => (version.trim_start_matches('v'), true),
    };
    (numbers.split('.').map(|part| part.parse().unwrap_or(0)).collect(), is_release)
}
