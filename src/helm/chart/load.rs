//! Charts from files: `pkg/chart/loader`.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::ignore::Rules;
use super::{Chart, ChartError, File, Metadata, archive};
use crate::helm::yaml::{self, Node};

/// How deep charts may hold charts.
const MAX_CHARTS_DEPTH: usize = 32;

/// What Helm says of files that its second format of charts has no use for.
const OLD_DEPENDENCIES: &str =
    "Warning: Dependencies are handled in Chart.yaml since apiVersion \"v2\". We recommend migrating dependencies to Chart.yaml.";
const OLD_LOCK: &str =
    "Warning: Dependency locking is handled in Chart.lock since apiVersion \"v2\". We recommend migrating to Chart.lock.";

impl Chart {
    /// A chart from the files of its folder, by paths with slashes, relative to the folder. What .helmignore names is left out.
    pub fn load(files: BTreeMap<String, Vec<u8>>) -> Result<Self, ChartError> {
        let rules = match files.get(".helmignore") {
            Some(text) => Rules::parse(&String::from_utf8_lossy(text))?,
            None => Rules::parse("")?,
        };
        let mut kept: Vec<(String, Vec<u8>)> = files.into_iter().filter(|(name, _)| !rules.ignore_file(name)).collect();
        // The order in which Helm walks a folder: by names within each folder.
        kept.sort_by(|(one, _), (two, _)| one.split('/').cmp(two.split('/')));
        let files = kept.into_iter().map(|(name, data)| File { name, data: without_bom(data) }).collect();
        load_files(files, 0)
    }

    /// A chart from a .tgz. Refused are sizes beyond Helm's limits, paths out of the chart, and too many files.
    pub fn from_tgz(archive: &[u8]) -> Result<Self, ChartError> {
        load_files(archive::files(archive)?, 0)
    }
}

/// What follows the last dot; `filepath.Ext` minds the case.
fn extension(name: &str) -> Option<&str> {
    name.rsplit_once('.').map(|(_, extension)| extension)
}

pub(super) fn without_bom(data: Vec<u8>) -> Arc<[u8]> {
    match data.strip_prefix(b"\xEF\xBB\xBF") {
        Some(rest) => Arc::from(rest),
        None => Arc::from(data),
    }
}

fn document(file: &File) -> Result<Node, ChartError> {
    yaml::parse(&file.data).map_err(|error| ChartError::new(format!("cannot load {}: {error}", file.name)))
}

fn load_metadata(metadata: &mut Metadata, file: &File) -> Result<(), ChartError> {
    let document = document(file)?;
    metadata.read(&document).map_err(|error| {
        if error.starts_with("validation: ") {
            ChartError::new(error)
        } else {
            ChartError::new(format!("cannot load {}: {error}", file.name))
        }
    })
}

/// `LoadFiles`.
fn load_files(files: Vec<File>, depth: usize) -> Result<Chart, ChartError> {
    if depth > MAX_CHARTS_DEPTH {
        return Err(ChartError::new(format!("charts are nested deeper than {MAX_CHARTS_DEPTH} levels")));
    }
    let mut metadata: Option<Metadata> = None;
    for file in files.iter().filter(|file| file.name == "Chart.yaml") {
        let metadata = metadata.get_or_insert_default();
        load_metadata(metadata, file)?;
        if metadata.api_version.is_empty() {
            "v1".clone_into(&mut metadata.api_version);
        }
    }
    let mut chart = Chart {
        metadata: Metadata::default(),
        templates: Vec::new(),
        values: Node::Null,
        schema: None,
        files: Vec::new(),
        raw: files.clone(),
        dependencies: Vec::new(),
        warnings: Vec::new(),
    };
    let mut subcharts: BTreeMap<String, Vec<File>> = BTreeMap::new();
    for file in files {
        match file.name.as_str() {
            "Chart.yaml" => {}
            "Chart.lock" => {
                document(&file)?;
            }
            "values.yaml" => {
                chart.values = document(&file)?;
                if !matches!(chart.values, Node::Map(_) | Node::Null) {
                    let kind = chart.values.json_kind();
                    return Err(ChartError::new(format!(
                        "cannot load values.yaml: error unmarshaling JSON: while decoding JSON: json: cannot unmarshal {kind} into Go value of type map[string]interface {{}}"
                    )));
                }
            }
            "values.schema.json" => chart.schema = Some(file.data),
            "requirements.yaml" | "requirements.lock" => {
                let metadata = metadata.get_or_insert_default();
                if metadata.api_version != "v1" {
                    chart.warnings.push(if file.name == "requirements.yaml" { OLD_DEPENDENCIES } else { OLD_LOCK }.to_owned());
                }
                if file.name == "requirements.yaml" {
                    load_metadata(metadata, &file)?;
                }
                if metadata.api_version == "v1" {
                    chart.files.push(file);
                }
            }
            name if name.starts_with("templates/") => chart.templates.push(file),
            name if name.starts_with("charts/") => {
                if extension(name) == Some("prov") {
                    chart.files.push(file);
                    continue;
                }
                let inner = name["charts/".len()..].to_owned();
                let folder = inner.split('/').next().unwrap_or_default().to_owned();
                subcharts.entry(folder).or_default().push(File { name: inner, data: file.data });
            }
            _ => chart.files.push(file),
        }
    }
    chart.metadata = metadata.ok_or_else(|| ChartError::new("Chart.yaml file is missing"))?;
    chart.metadata.validate()?;
    for (name, files) in subcharts {
        if name.starts_with(['_', '.']) {
            continue;
        }
        let loaded = if extension(&name) == Some("tgz") { packed(&chart, &name, &files, depth) } else { unpacked(files, depth) };
        let loaded = loaded.map_err(|error| {
            if error.0.starts_with("error unpacking subchart tar") {
                return error;
            }
            ChartError::new(format!("error unpacking subchart {name} in {}: {error}", chart.metadata.name))
        })?;
        chart.dependencies.push(loaded);
    }
    Ok(chart)
}

fn packed(chart: &Chart, name: &str, files: &[File], depth: usize) -> Result<Chart, ChartError> {
    if files[0].name != name {
        let parent = &chart.metadata.name;
        return Err(ChartError::new(format!("error unpacking subchart tar in {parent}: expected {name}, got {}", files[0].name)));
    }
    load_files(archive::files(&files[0].data)?, depth + 1)
}

fn unpacked(files: Vec<File>, depth: usize) -> Result<Chart, ChartError> {
    let inner = files.into_iter().filter_map(|file| {
        let (_, name) = file.name.split_once('/')?;
        Some(File { name: name.to_owned(), data: Arc::clone(&file.data) })
    });
    load_files(inner.collect(), depth + 1)
}
