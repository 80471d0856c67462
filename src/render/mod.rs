//! From files and charts to Kubernetes objects: what a stack's `manifests:` name, and what its releases of charts are made of, read, taken
//! apart and checked, each with the place it comes from.

pub mod built_in;
pub mod charts;
pub mod dice;
mod documents;
pub mod generated;
mod object;
pub mod outputs;
mod template;

use std::collections::BTreeMap;
use std::sync::Arc;

use serde_json::Value;

use crate::addr::Addr;
use crate::diag::{Diagnostics, Failed, Place, Sources};
use crate::resource::hole::Hole;
use crate::resource::kinds::{built_in, split_api_version};
use crate::resource::manifest::{Data, Generated, Hook};
use crate::stack::Stack;
use crate::stack::manifests::ManifestSource;

/// A file of manifests, read.
#[derive(Clone, Debug)]
pub struct ManifestFile {
    /// The file as diagnostics name it.
    pub name: Arc<str>,
    /// Its text.
    pub text: String,
}

/// The files that a stack's manifests name, by the path that names them: one, or those of a folder.
pub type ManifestFiles = BTreeMap<String, Vec<ManifestFile>>;

/// An object, read and checked as far as that needs no cluster.
#[derive(Clone, Debug)]
pub struct Manifest {
    /// The section that it belongs to, such as `manifests.monitoring` or `istio.istiod`.
    pub set: String,
    /// `apiVersion`
    pub api_version: String,
    /// `kind`
    pub kind: String,
    /// The namespace that it names itself, or that its set gives.
    pub namespace: Option<String>,
    /// The name.
    pub name: String,
    /// The object without `apiVersion`, `kind`, `status`, name, namespace, and what only a server sets.
    pub body: Value,
    /// The values of a Secret.
    pub data: Data,
    /// What it is for, when it is a hook of a chart.
    pub hook: Option<Hook>,
    /// The fields that come of chance.
    pub generated: Vec<Generated>,
    /// The fields that hold outputs of other resources.
    pub holes: Vec<Hole>,
    /// Where it comes from.
    pub place: Place,
}

impl Manifest {
    /// Its address, as far as that can be told without the cluster: of a kind that Kubernetes doesn't define, what it says decides.
    pub fn addr(&self) -> Addr {
        let (group, _) = split_api_version(&self.api_version);
        let namespaced = built_in(group, &self.kind).is_none_or(|kind| kind.namespaced);
        Addr::Kube {
            kind: self.kind.to_ascii_lowercase(),
            group: group.to_owned(),
            namespace: self.namespace.clone().filter(|_| namespaced),
            name: self.name.clone(),
        }
    }
}

/// No line of a file that may hold a Secret is quoted in a message, also when it can't be read.
fn hide_secrets(file: &ManifestFile, sources: &mut Sources) {
    if file.text.contains("Secret") {
        let start = Place { file: file.name.clone(), line: 1, column: 1, length: 1 };
        sources.hide(&start, file.text.lines().count());
    }
}

/// Reads the manifests of a stack, telling all problems at once. Lines that hold a Secret are hidden in `sources`.
pub fn render(stack: &Stack, files: &ManifestFiles, sources: &mut Sources, diags: &mut Diagnostics) -> Result<Vec<Manifest>, Failed> {
    let mut manifests = Vec::new();
    for (key, set) in &stack.manifests {
        let mut objects: Vec<(Value, Place)> = Vec::new();
        for source in &set.sources {
            match source {
                ManifestSource::Inline { object, place } => objects.push((object.clone(), place.clone())),
                ManifestSource::Template(used) => {
                    let own = files.get(&used.path).and_then(|found| found.first());
                    if let Some(file) = template::render(used, own, diags) {
                        sources.add(&file.name, &file.text);
                        hide_secrets(&file, sources);
                        objects.extend(documents::read(&file, diags));
                    }
                }
                ManifestSource::File { path, .. } => {
                    for file in files.get(path).into_iter().flatten() {
                        hide_secrets(file, sources);
                        objects.extend(documents::read(file, diags));
                    }
                }
            }
        }
        for (value, place) in objects {
            if object::holds_secret(&value) {
                // One in the stack itself: its lines follow its place.
                sources.hide(&place, 64);
            }
            manifests.extend(object::read(&format!("manifests.{key}"), set.namespace.as_deref(), value, &place, diags));
        }
    }
    diags.check()?;
    Ok(manifests)
}
