//! Charts on disk: folders and archives.

use std::collections::BTreeMap;
use std::path::Path;

use super::{ChartSourceError, Fetched, MAX_ARCHIVE};
use crate::helm::Chart;

/// The most files of a chart's folder.
const MAX_FILES: usize = 10_000;
/// The most levels of folders.
const MAX_LEVELS: usize = 64;
/// The most bytes of all files.
const MAX_BYTES: u64 = 256 << 20;

/// Reads a chart's folder or .tgz.
pub fn read(path: &Path) -> Result<Fetched, ChartSourceError> {
    let failed = |cause| ChartSourceError::File { path: path.display().to_string(), cause };
    let about = std::fs::metadata(path).map_err(failed)?;
    if about.is_dir() {
        let mut links = Vec::new();
        let mut chart = Chart::load(files(path, &mut links)?)?;
        chart.warnings.append(&mut links);
        return Ok(Fetched { chart, archive: None, locked: None });
    }
    if about.len() > MAX_ARCHIVE as u64 {
        return Err(refused(path, format!("larger than {MAX_ARCHIVE} bytes")));
    }
    let archive = std::fs::read(path).map_err(failed)?;
    Ok(Fetched { chart: Chart::from_tgz(&archive)?, archive: Some(archive), locked: None })
}

fn refused(path: &Path, reason: impl Into<String>) -> ChartSourceError {
    ChartSourceError::Refused { path: path.display().to_string(), reason: reason.into() }
}

/// All files under a folder by their paths in it. Links are followed, as Helm does, and told; what is neither file nor folder is refused.
pub fn files(root: &Path, links: &mut Vec<String>) -> Result<BTreeMap<String, Vec<u8>>, ChartSourceError> {
    let mut found = BTreeMap::new();
    let mut left = MAX_BYTES;
    let mut folders = vec![(root.to_owned(), 0)];
    while let Some((folder, level)) = folders.pop() {
        if level > MAX_LEVELS {
            return Err(refused(&folder, "folders are nested too deep, or a link leads back into its own folder"));
        }
        let failed = |cause| ChartSourceError::File { path: folder.display().to_string(), cause };
        for entry in std::fs::read_dir(&folder).map_err(failed)? {
            let entry = entry.map_err(failed)?;
            let path = entry.path();
            let failed = |cause| ChartSourceError::File { path: path.display().to_string(), cause };
            let about = std::fs::metadata(&path).map_err(failed)?;
            if entry.file_type().map_err(failed)?.is_symlink() {
                links.push(linked(&path).map_err(failed)?);
            }
            if about.is_dir() {
                // What a version control system keeps is never part of a chart.
                if path.file_name().is_none_or(|name| name != ".git") {
                    folders.push((path, level + 1));
                }
                continue;
            }
            if !about.is_file() {
                return Err(refused(&path, "is neither a file nor a folder"));
            }
            left = left.checked_sub(about.len()).ok_or_else(|| refused(root, format!("larger than {MAX_BYTES} bytes")))?;
            if found.len() == MAX_FILES {
                return Err(refused(root, format!("more than {MAX_FILES} files")));
            }
            let inner = path.strip_prefix(root).unwrap_or(&path);
            let name: Vec<String> = inner.components().map(|part| part.as_os_str().to_string_lossy().into_owned()).collect();
            found.insert(name.join("/"), std::fs::read(&path).map_err(failed)?);
        }
    }
    Ok(found)
}

/// Helm's words for a link: what is in it may be a file of anybody's.
fn linked(path: &Path) -> std::io::Result<String> {
    let (path, resolved) = (std::path::absolute(path)?, std::fs::canonicalize(path)?);
    Ok(format!(
        "found symbolic link in path: {} resolves to {}. Contents of linked file included and used",
        path.display(),
        resolved.display()
    ))
}
