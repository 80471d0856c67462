//! A chart while it is rendered: dependencies chosen and renamed, values merged.

use std::sync::Arc;

use super::{Chart, Dependency, File, Metadata, is_crd};
use crate::helm::value::{Map, Value};
use crate::helm::yaml::Node;

/// A chart and its place among charts.
#[derive(Clone)]
pub(crate) struct Tree {
    pub(crate) metadata: Metadata,
    pub(crate) templates: Vec<File>,
    pub(crate) files: Vec<File>,
    pub(crate) schema: Option<Arc<[u8]>>,
    /// values.yaml, and what was imported from dependencies.
    pub(crate) values: Map,
    pub(crate) dependencies: Vec<Tree>,
    /// `ChartFullPath`: the names from the root, with `charts` between them.
    pub(crate) path: String,
}

impl Tree {
    /// The chart as it was loaded.
    pub(crate) fn new(chart: &Chart) -> Result<Self, String> {
        let values = match chart.values.clone() {
            Node::Null => Map::new(),
            node => match node.into_value().map_err(|error| format!("cannot load values.yaml: error converting YAML to JSON: {error}"))? {
                Value::Map(map) => map,
                _ => Map::new(),
            },
        };
        Ok(Self {
            metadata: chart.metadata.clone(),
            templates: chart.templates.clone(),
            files: chart.files.clone(),
            schema: chart.schema.clone(),
            values,
            dependencies: chart.dependencies.iter().map(Self::new).collect::<Result<_, _>>()?,
            path: chart.metadata.name.clone(),
        })
    }

    /// `Name()`.
    pub(crate) fn name(&self) -> &str {
        &self.metadata.name
    }

    /// Whether no chart is above it.
    pub(crate) fn is_root(&self) -> bool {
        !self.path.contains('/')
    }

    /// Sets the paths of all charts, when names no longer change.
    pub(crate) fn settle(&mut self) {
        for dependency in &mut self.dependencies {
            dependency.path = format!("{}/charts/{}", self.path, dependency.metadata.name);
            dependency.settle();
        }
    }

    /// `CRDObjects`: the manifests under `crds/`, those of dependencies last, by full paths.
    pub(crate) fn crds(&self) -> Vec<File> {
        let mut crds: Vec<File> = self
            .files
            .iter()
            .filter(|file| is_crd(file))
            .map(|file| File { name: format!("{}/{}", self.path, file.name), data: Arc::clone(&file.data) })
            .collect();
        crds.extend(self.dependencies.iter().flat_map(Self::crds));
        crds
    }

    /// The dependencies that Chart.yaml names.
    pub(crate) fn wanted(&mut self) -> &mut [Dependency] {
        self.metadata.dependencies.as_deref_mut().unwrap_or_default()
    }
}
