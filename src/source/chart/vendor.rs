//! Writing charts to disk: an archive, or unpacked as a folder.

use std::path::{Component, Path, PathBuf};

use super::{ChartSourceError, Fetched};
use crate::helm::Chart;

/// Writes the files of a chart into `folder/<name>`, which must not be there yet; gives that path.
pub fn unpack(chart: &Chart, folder: &Path) -> Result<PathBuf, ChartSourceError> {
    let root = folder.join(&chart.metadata.name);
    if !is_plain(Path::new(&chart.metadata.name)) || chart.metadata.name.contains('/') {
        return Err(ChartSourceError::Refused { path: chart.metadata.name.clone(), reason: "is no name for a folder".to_owned() });
    }
    if root.exists() {
        let reason = "is there already; remove it first".to_owned();
        return Err(ChartSourceError::Refused { path: root.display().to_string(), reason });
    }
    for file in &chart.raw {
        if !is_plain(Path::new(&file.name)) {
            return Err(ChartSourceError::Refused { path: file.name.clone(), reason: "leads out of the chart".to_owned() });
        }
        let path = root.join(&file.name);
        let failed = |cause| ChartSourceError::File { path: path.display().to_string(), cause };
        if let Some(parent) = path.parent() {
            std::fs::create_dir_all(parent).map_err(failed)?;
        }
        std::fs::write(&path, &file.data).map_err(failed)?;
    }
    Ok(root)
}

/// Writes the archive of a chart into a folder as `<name>-<version>.tgz`; gives that path.
pub fn keep(fetched: &Fetched, folder: &Path) -> Result<PathBuf, ChartSourceError> {
    let about = &fetched.chart.metadata;
    let path = folder.join(format!("{}-{}.tgz", about.name.replace('/', "_"), about.version.replace('/', "_")));
    let failed = |cause| ChartSourceError::File { path: path.display().to_string(), cause };
    let Some(archive) = &fetched.archive else {
        let reason = "a folder is on disk already".to_owned();
        return Err(ChartSourceError::Refused { path: about.name.clone(), reason });
    };
    std::fs::create_dir_all(folder).map_err(failed)?;
    std::fs::write(&path, archive).map_err(failed)?;
    Ok(path)
}

fn is_plain(path: &Path) -> bool {
    path.components().next().is_some() && path.components().all(|part| matches!(part, Component::Normal(_)))
}
