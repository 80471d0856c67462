//! Charts of a stack to Kubernetes objects: each release rendered with what is known of the cluster, its documents taken apart and checked as
//! those of manifests are.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use serde_json::Value;

use super::dice::Dice;
use super::outputs::OutputTable;
use super::{Manifest, ManifestFile, documents, hide_secrets, object};
use crate::diag::{Diagnostic, Diagnostics, Place, Sources};
use crate::helm::func::FuncError;
use crate::helm::value::{Map, Value as HelmValue};
use crate::helm::yaml::Node;
use crate::helm::{Chart, Host, KubeVersion, Options, ValueSource, json};
use crate::resource::manifest::Hook;
use crate::secret::SecretBytes;
use crate::stack::charts::Release;

/// The bits of keys that nobody will use: as few as a signature with SHA-256 fits into.
const TRIAL_KEY_BITS: usize = 512;

/// The charts of a stack and their files of values, read.
#[derive(Default)]
pub struct ChartFiles {
    /// The chart of each release, by its section.
    pub charts: BTreeMap<String, Arc<Chart>>,
    /// Files of values by path.
    pub values: BTreeMap<String, Vec<u8>>,
    /// The outputs that values hold.
    pub outputs: OutputTable,
}

/// What charts may know of the cluster.
pub struct Facts {
    /// Its version.
    pub kube_version: KubeVersion,
    /// The API versions that it serves, `group/version` and `group/version/Kind`; nothing: those that Helm believes in without a cluster.
    pub api_versions: Option<Vec<String>>,
    /// Further ones that it is believed to serve.
    pub more_api_versions: Vec<String>,
    /// What `lookup` was asked for: an object or a list as JSON, or nothing where there is none. Nothing at all: there is no cluster to ask,
    /// and every look-up finds nothing.
    pub looked_up: Option<BTreeMap<LookUp, Option<SecretBytes>>>,
    /// The sections of the releases that are there, at least in part.
    pub installed: BTreeSet<String>,
}

/// A question of `lookup`.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct LookUp {
    /// `apiVersion`
    pub api_version: String,
    /// `kind`
    pub kind: String,
    /// The namespace; empty for all, or where there are none.
    pub namespace: String,
    /// The name; empty for a list.
    pub name: String,
}

/// A release, rendered.
#[derive(Clone, Debug, Default)]
pub struct RenderedRelease {
    /// Its objects, and its hooks but for tests and those of a rollback.
    pub manifests: Vec<Manifest>,
    /// What was asked for and isn't among the facts: it has to be read, and the release rendered again.
    pub needs: BTreeSet<LookUp>,
}

/// Renders a release. Problems are told, and give a release without objects.
pub fn release(
    release: &Release,
    files: &ChartFiles,
    facts: &Facts,
    dice: &mut Dice,
    sources: &mut Sources,
    diags: &mut Diagnostics,
) -> RenderedRelease {
    let mut rendered = RenderedRelease::default();
    let Some(chart) = files.charts.get(&release.section) else { return rendered };
    let mut options = Options::new(&release.name, &release.namespace, facts.kube_version.clone());
    options.api_versions = facts.api_versions.iter().flatten().chain(&facts.more_api_versions).cloned().collect();
    options.is_cluster = facts.api_versions.is_some();
    options.is_upgrade = facts.installed.contains(&release.section);
    let mut host = ReleaseHost { facts, dice, needs: BTreeSet::new(), warnings: Vec::new() };
    let result = crate::helm::render(chart, &values(release, files), &options, &mut host);
    rendered.needs = std::mem::take(&mut host.needs);
    for text in host.warnings {
        let text = text.trim_start_matches("warning: ").trim_start_matches("WARNING: ").to_owned();
        let detail = format!("`{}`: {text}", release.section);
        diags.push(Diagnostic::warning("chart/warning", "the chart warns", detail).at(&release.place));
    }
    let result = match result {
        Ok(result) => result,
        // With what it looked up it may be another matter.
        Err(_) if !rendered.needs.is_empty() && facts.looked_up.is_some() => return rendered,
        Err(error) => {
            let detail = format!("`{}` can't be rendered: {error}", release.section);
            diags.push(Diagnostic::error("chart/render", "chart that can't be rendered", detail).at(&release.place));
            return rendered;
        }
    };
    let mut reading = Reading { release, sources, diags };
    if release.with_crds {
        for (path, text) in result.crds {
            rendered.manifests.extend(reading.file(&path, text));
        }
    }
    let mut by_source: Vec<(String, Vec<(String, Node)>)> = Vec::new();
    for manifest in result.manifests {
        let document = (manifest.text, manifest.document);
        match by_source.iter_mut().find(|(path, _)| *path == manifest.source) {
            Some((_, documents)) => documents.push(document),
            None => by_source.push((manifest.source, vec![document])),
        }
    }
    for (path, documents) in by_source {
        rendered.manifests.extend(reading.documents(&path, documents));
    }
    if release.with_hooks {
        for hook in result.hooks.into_iter().filter(|hook| !hook.is_test()) {
            let manifests = reading.documents(&hook.manifest.source, vec![(hook.manifest.text, hook.manifest.document)]);
            let (events, weight, delete_policies) = (hook.events, hook.weight, hook.delete_policies);
            let hook = Hook { events, weight, delete_policies };
            rendered.manifests.extend(manifests.into_iter().map(|manifest| Manifest { hook: Some(hook.clone()), ..manifest }));
        }
    }
    rendered
}

/// The stack's own values, then the files, then the values of the stack file: later ones win.
fn values(release: &Release, files: &ChartFiles) -> Vec<ValueSource> {
    let json = |value: &Value| ValueSource::File(release.section.clone(), value.to_string().into_bytes());
    let mut sources = vec![json(&release.given)];
    let named = release.values_files.iter();
    sources.extend(named.filter_map(|(path, _)| Some(ValueSource::File(path.clone(), files.values.get(path)?.clone()))));
    sources.extend(release.values.iter().map(json));
    sources
}

struct Reading<'a> {
    release: &'a Release,
    sources: &'a mut Sources,
    diags: &'a mut Diagnostics,
}

impl Reading<'_> {
    /// The objects of a file of the chart. Diagnostics show its lines.
    fn file(&mut self, path: &str, text: String) -> Vec<Manifest> {
        let before = self.diags.items().len();
        let file = ManifestFile { name: self.name(path), text };
        let documents = documents::read(&file, self.diags);
        self.objects(documents, before, || file)
    }

    /// The objects of what a template gave. Diagnostics show its lines.
    fn documents(&mut self, path: &str, documents: Vec<(String, Node)>) -> Vec<Manifest> {
        let before = self.diags.items().len();
        let (texts, documents): (Vec<String>, Vec<Node>) = documents.into_iter().unzip();
        let name = self.name(path);
        let documents = documents::rendered(&name, &texts, documents, self.diags);
        self.objects(documents, before, || ManifestFile { name, text: texts.join("\n---\n") })
    }

    fn name(&self, path: &str) -> Arc<str> {
        Arc::from(format!("{}: {path}", self.release.section))
    }

    /// The objects of the documents of a file, about which there were so many diagnostics before it was read.
    fn objects(&mut self, documents: Vec<(Value, Place)>, before: usize, file: impl FnOnce() -> ManifestFile) -> Vec<Manifest> {
        let mut manifests = Vec::new();
        for (value, place) in documents {
            manifests.extend(object::read(&self.release.section, Some(&self.release.namespace), value, &place, self.diags));
        }
        if self.diags.items().len() > before {
            let file = file();
            self.sources.add(&file.name, &file.text);
            hide_secrets(&file, self.sources);
        }
        for manifest in &mut manifests {
            // What the stack says of it stands where the stack asks for the release.
            manifest.place = Place::clone(&self.release.place);
        }
        manifests
    }
}

struct ReleaseHost<'a> {
    facts: &'a Facts,
    dice: &'a mut Dice,
    needs: BTreeSet<LookUp>,
    warnings: Vec<String>,
}

impl Host for ReleaseHost<'_> {
    fn random(&mut self, bytes: &mut [u8]) {
        self.dice.roll(bytes);
    }

    fn draws(&mut self, function: &str, args: &[u8]) {
        self.dice.begin(function, args);
    }

    fn key_bits(&self, wanted: usize) -> usize {
        if self.dice.is_trial() { wanted.min(TRIAL_KEY_BITS) } else { wanted }
    }

    fn now(&mut self) -> (i64, u32) {
        self.dice.now()
    }

    fn lookup(&mut self, api_version: &str, kind: &str, namespace: &str, name: &str) -> Result<HelmValue, FuncError> {
        let nothing = Ok(HelmValue::Map(Map::new()));
        let asked =
            LookUp { api_version: api_version.to_owned(), kind: kind.to_owned(), namespace: namespace.to_owned(), name: name.to_owned() };
        match self.facts.looked_up.as_ref().and_then(|known| known.get(&asked)) {
            Some(Some(object)) => json::unmarshal(object.expose_secret()).map_err(FuncError::new),
            Some(None) => nothing,
            None => {
                self.needs.insert(asked);
                nothing
            }
        }
    }

    fn warn(&mut self, text: &str) {
        self.warnings.push(text.to_owned());
    }
}
