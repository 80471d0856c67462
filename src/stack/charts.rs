//! Releases of charts: `charts:` as the stack says it, and what `istio:` comes down to.

use std::collections::BTreeSet;

use serde_json::Value;

use super::manifests::ManifestRule;
use crate::diag::Place;

/// A chart that the stack installs.
#[derive(Clone, Debug)]
pub struct Release {
    /// The section that asks for it, such as `charts.external-dns` or `istio.istiod`: its name in messages.
    pub section: String,
    /// The release's name, `.Release.Name`.
    pub name: String,
    /// The release's namespace, `.Release.Namespace`.
    pub namespace: String,
    /// Which chart.
    pub chart: ChartRef,
    /// What the stack gives of itself, which everything else wins over.
    pub given: Value,
    /// Files of values, each relative to the working directory, with the place that names it.
    pub values_files: Vec<(String, Place)>,
    /// The values of the stack file, which win.
    pub values: Vec<Value>,
    /// Whether what is under `crds/` is installed.
    pub with_crds: bool,
    /// Whether hooks run.
    pub with_hooks: bool,
    /// Whether it gets the marks that Helm takes a release over by.
    pub adoptable: bool,
    /// What the stack says of its objects.
    pub rules: Vec<ManifestRule>,
    /// The sections of the releases that must be ready before its pods are made.
    pub after: Vec<String>,
    /// Where it stands.
    pub place: Place,
}

/// A chart as the stack names it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ChartRef {
    /// The name in a repository, a path relative to the working directory, an `oci://` reference or a URL.
    pub name: String,
    /// The repository: `https://…`, `oci://…`, or a folder of charts.
    pub repository: Option<String>,
    /// The version, or a range; empty for the newest.
    pub version: String,
    /// Where it is named.
    pub place: Place,
}

/// What stands around the name of an output in a text of values: a character that no YAML holds (YAML 1.2, 5.1).
pub(crate) const MARK: char = '\0';

/// The outputs that the values of a release hold, such as `certificates.edge.arn`.
pub fn outputs_in(release: &Release) -> BTreeSet<String> {
    fn walk(value: &Value, found: &mut BTreeSet<String>) {
        match value {
            Value::String(text) => found.extend(text.split(MARK).skip(1).step_by(2).map(str::to_owned)),
            Value::Array(items) => items.iter().for_each(|item| walk(item, found)),
            Value::Object(map) => map.values().for_each(|value| walk(value, found)),
            _ => {}
        }
    }
    let mut found = BTreeSet::new();
    release.values.iter().for_each(|values| walk(values, &mut found));
    found
}

/// A release with texts in the places of the outputs.
pub fn with_outputs(release: &Release, text_of: impl Fn(&str) -> String) -> Release {
    fn put(value: &mut Value, text_of: &dyn Fn(&str) -> String) {
        match value {
            Value::String(text) if text.contains(MARK) => {
                let piece = |(index, piece): (usize, &str)| if index % 2 == 1 { text_of(piece) } else { piece.to_owned() };
                *text = text.split(MARK).enumerate().map(piece).collect();
            }
            Value::Array(items) => items.iter_mut().for_each(|item| put(item, text_of)),
            Value::Object(map) => map.values_mut().for_each(|value| put(value, text_of)),
            _ => {}
        }
    }
    let mut release = release.clone();
    release.values.iter_mut().for_each(|values| put(values, &text_of));
    release
}

/// Whether a release's section is the one that is named, or a part of it: `istio.base` is within `istio`.
pub fn is_within(section: &str, named: &str) -> bool {
    section.strip_prefix(named).is_some_and(|rest| rest.is_empty() || rest.starts_with('.'))
}

impl Release {
    /// The fields of its own name that Helm gives every release: the pair of annotations that it knows its objects by
    /// (Helm documentation, "Adopt existing resources").
    pub fn marks(&self) -> [(&'static str, &str); 2] {
        [("meta.helm.sh/release-name", &self.name), ("meta.helm.sh/release-namespace", &self.namespace)]
    }
}
