//! Brings the charts of a stack and the files of values that it names.

use std::collections::BTreeMap;
use std::fs;
use std::io::Read as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::chart::{ChartSourceError, Charts, Wanted};
use crate::diag::{Diagnostic, Diagnostics, Failed, shown};
use crate::helm::{Chart, ChartError};
use crate::render::charts::ChartFiles;
use crate::stack::charts::{ChartRef, Release};

/// The most bytes of a file of values.
const MAX_VALUES: u64 = 64 << 20;

/// What takes the place of a chart of Istio's that can't be had.
#[derive(Clone, Copy)]
pub struct StandIns {
    /// The stand-in of a name in a version, if there is one.
    pub find: fn(&str, &str) -> Option<Result<Chart, ChartError>>,
    /// Whether nothing is asked over the network where there is a stand-in.
    pub always: bool,
}

/// The charts of a stack, each fetched once.
#[derive(Default)]
struct Known(BTreeMap<(Option<String>, String, String), Option<Arc<Chart>>>);

/// Brings them all; all problems are told before it fails. Which charts stand-ins were taken for is told by name.
pub async fn load(
    releases: &[Release],
    charts: &Charts,
    stand_ins: Option<StandIns>,
    diags: &mut Diagnostics,
) -> Result<(ChartFiles, Vec<String>), Failed> {
    let mut files = ChartFiles::default();
    let mut known = Known::default();
    let mut stood_in = Vec::new();
    for release in releases {
        let ChartRef { name, repository, version, .. } = &release.chart;
        let key = (repository.clone(), name.clone(), version.clone());
        let chart = if let Some(chart) = known.0.get(&key) {
            chart.clone()
        } else {
            let chart = one(release, charts, stand_ins, &mut stood_in).await.map(Arc::new);
            let chart = chart.map_err(|error| diags.push(unavailable(release, &error))).ok();
            known.0.insert(key, chart.clone());
            chart
        };
        files.charts.extend(chart.map(|chart| (release.section.clone(), chart)));
        values(release, &mut files, diags);
    }
    diags.check()?;
    Ok((files, stood_in))
}

async fn one(
    release: &Release,
    charts: &Charts,
    stand_ins: Option<StandIns>,
    stood_in: &mut Vec<String>,
) -> Result<Chart, ChartSourceError> {
    let wanted = wanted(&release.chart);
    let may_stand_in = release.section.starts_with("istio.") && !matches!(wanted, Wanted::Path(_));
    let stand_in = stand_ins
        .filter(|_| may_stand_in)
        .and_then(|stand_ins| Some((stand_ins.always, (stand_ins.find)(&release.chart.name, &release.chart.version)?)));
    let error = match &stand_in {
        Some((true, _)) => None,
        _ => match charts.fetch(&wanted).await {
            Ok(fetched) => return Ok(fetched.chart),
            Err(error) => Some(error),
        },
    };
    match (stand_in, error) {
        // Only what can't be reached is stood in for: a digest that differs, or a version that isn't there, is an error.
        (Some((_, chart)), None | Some(ChartSourceError::Http { .. })) => {
            if !stood_in.contains(&release.chart.name) {
                stood_in.push(release.chart.name.clone());
            }
            Ok(chart?)
        }
        (_, Some(error)) => Err(error),
        (None, None) => Err(ChartSourceError::NotFound { what: release.chart.name.clone(), help: String::new() }),
    }
}

fn unavailable(release: &Release, error: &ChartSourceError) -> Diagnostic {
    let detail = format!("the chart of `{}` can't be had: {error}", release.section);
    let diagnostic = Diagnostic::error("chart/not-found", "chart not to be had", detail).at(&release.chart.place);
    match error.help() {
        Some(help) => diagnostic.help(help),
        None => diagnostic,
    }
}

/// Where a chart is looked for. In a folder of charts it is a folder or an archive of its name, as `helm pull` and `chart vendor` leave it.
fn wanted(chart: &ChartRef) -> Wanted {
    match &chart.repository {
        Some(folder) if !folder.contains("://") => Wanted::Path(in_folder(Path::new(folder), &chart.name, &chart.version)),
        repository => Wanted::parse(&chart.name, repository.as_deref(), &chart.version),
    }
}

/// Where Istio's own source tree has the charts that its repository calls otherwise (istio.io/istio, manifests/charts).
const IN_TREE: &[(&str, &str)] = &[("istiod", "istio-control/istio-discovery"), ("cni", "istio-cni")];

fn in_folder(folder: &Path, name: &str, version: &str) -> PathBuf {
    let plain = folder.join(name);
    let archives = [format!("{name}-{version}.tgz"), format!("{name}-v{version}.tgz"), format!("{name}.tgz")];
    let in_tree = IN_TREE.iter().filter(|(called, _)| *called == name).map(|(_, path)| folder.join(path));
    let mut places = archives.iter().map(|file| folder.join(file)).chain([plain.clone()]).chain(in_tree);
    places.find(|path| path.exists()).unwrap_or(plain)
}

fn values(release: &Release, files: &mut ChartFiles, diags: &mut Diagnostics) {
    for (path, place) in &release.values_files {
        if files.values.contains_key(path) {
            continue;
        }
        let mut bytes = Vec::new();
        let read = fs::metadata(path).and_then(|metadata| {
            // Asked before opening: to open a pipe waits for its writer.
            if !metadata.is_file() {
                return Err(std::io::Error::other("it is not a regular file"));
            }
            fs::File::open(path)?.take(MAX_VALUES + 1).read_to_end(&mut bytes)
        });
        let why = match read {
            Ok(_) if bytes.len() as u64 > MAX_VALUES => format!("larger than {MAX_VALUES} bytes"),
            Ok(_) => {
                files.values.insert(path.clone(), bytes);
                continue;
            }
            Err(error) => error.to_string(),
        };
        let detail = format!("the file of values {}: {why}", shown(path));
        let diagnostic = Diagnostic::error("chart/not-found", "chart not to be had", detail).at(place);
        diags.push(diagnostic.help("paths are relative to the file that names them"));
    }
}
