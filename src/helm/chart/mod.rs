//! Charts: what they are made of, and how they are read from files.

mod archive;
mod ignore;
mod load;
mod metadata;
mod path_match;
pub(crate) mod tree;

use std::sync::Arc;

pub use metadata::{Dependency, ImportValue, Maintainer, Metadata};
pub(crate) use path_match::matches as path_matches;

use super::yaml::Node;

/// A file of a chart; `chart.File`.
#[derive(Debug, Clone)]
pub struct File {
    /// Its path within the chart, with slashes.
    pub name: String,
    /// Its content.
    pub data: Arc<[u8]>,
}

/// A chart with its dependencies; `chart.Chart`.
#[derive(Debug, Clone)]
pub struct Chart {
    /// Chart.yaml.
    pub metadata: Metadata,
    /// The files under `templates/`.
    pub templates: Vec<File>,
    /// values.yaml; null where there is none.
    pub values: Node,
    /// values.schema.json.
    pub schema: Option<Arc<[u8]>>,
    /// Files that Helm does not interpret, those under `crds/` included.
    pub files: Vec<File>,
    /// Every file, as it was read.
    pub raw: Vec<File>,
    /// The charts under `charts/`, by the names of their folders and archives.
    pub dependencies: Vec<Chart>,
    /// What was worth a word while it was loaded; a rendering says it.
    pub warnings: Vec<String>,
}

/// A chart that can't be loaded; the message is Helm's.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct ChartError(pub(crate) String);

impl ChartError {
    fn new(message: impl Into<String>) -> Self {
        Self(message.into())
    }
}

/// Whether a file under `crds/` is a manifest.
fn is_crd(file: &File) -> bool {
    let extension = file.name.rsplit_once('.').map(|(_, extension)| extension.to_ascii_lowercase());
    file.name.starts_with("crds/") && matches!(extension.as_deref(), Some("yaml" | "yml" | "json"))
}
