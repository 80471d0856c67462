//! Charts from archives: `pkg/chart/loader/archive.go`.

use std::io::Read as _;

use flate2::read::MultiGzDecoder;
use tar::{Archive, EntryType};

use super::load::without_bom;
use super::{ChartError, File};

/// The most that an archive may unpack to; `MaxDecompressedChartSize`.
const MAX_CHART_SIZE: u64 = 100 << 20;
/// The most that one of its files may hold; `MaxDecompressedFileSize`.
const MAX_FILE_SIZE: u64 = 5 << 20;
/// The most files; Helm has no such limit.
const MAX_FILES: usize = 50_000;

/// The files of a .tgz, by their paths within the chart.
pub(super) fn files(packed: &[u8]) -> Result<Vec<File>, ChartError> {
    if !packed.starts_with(b"\x1f\x8b") {
        return Err(ChartError::new("file does not appear to be a gzipped archive; got 'application/octet-stream'"));
    }
    // Headers and padding are counted by the reader's own bound; each file's size by ours.
    let mut archive = Archive::new(MultiGzDecoder::new(packed).take(MAX_CHART_SIZE * 2));
    let mut files = Vec::new();
    let mut remaining = MAX_CHART_SIZE;
    let broken = |error: std::io::Error| ChartError::new(error.to_string());
    for entry in archive.entries().map_err(broken)? {
        let mut entry = entry.map_err(broken)?;
        let kind = entry.header().entry_type();
        if kind.is_dir() || matches!(kind, EntryType::XGlobalHeader | EntryType::XHeader) {
            continue;
        }
        let path = String::from_utf8_lossy(&entry.path_bytes()).into_owned();
        let name = inner_name(&path)?;
        if entry.size() > remaining {
            return Err(ChartError::new(format!("decompressed chart is larger than the maximum file size {MAX_CHART_SIZE}")));
        }
        if entry.size() > MAX_FILE_SIZE {
            return Err(ChartError::new(format!(
                "decompressed chart file {} is larger than the maximum file size {MAX_FILE_SIZE}",
                crate::helm::strconv::quote(&path)
            )));
        }
        if files.len() >= MAX_FILES {
            return Err(ChartError::new(format!("chart archive holds more than {MAX_FILES} files")));
        }
        let mut data = Vec::new();
        // A link has no content: Helm reads it as an empty file, too.
        entry.by_ref().take(MAX_FILE_SIZE + 1).read_to_end(&mut data).map_err(broken)?;
        remaining -= u64::try_from(data.len()).unwrap_or(u64::MAX).min(remaining);
        files.push(File { name, data: without_bom(data) });
    }
    if files.is_empty() {
        return Err(ChartError::new("no files in chart archive"));
    }
    Ok(files)
}

/// The path without the chart's folder, or why it is refused.
fn inner_name(path: &str) -> Result<String, ChartError> {
    let delimiter = if path.contains('\\') { '\\' } else { '/' };
    let (first, rest) = path.split_once(delimiter).unwrap_or((path, ""));
    let rest = rest.replace(delimiter, "/");
    if rest.starts_with('/') {
        return Err(ChartError::new("chart illegally contains absolute paths"));
    }
    let mut parts: Vec<&str> = Vec::new();
    for part in rest.split('/') {
        match part {
            "" | "." => {}
            ".." if parts.last().is_some_and(|last| *last != "..") => {
                parts.pop();
            }
            other => parts.push(other),
        }
    }
    if parts.is_empty() {
        let path = crate::helm::strconv::quote(path);
        return Err(ChartError::new(format!("chart illegally contains content outside the base directory {path}")));
    }
    if parts[0].starts_with("..") {
        return Err(ChartError::new("chart illegally references parent directory"));
    }
    let name = parts.join("/");
    if matches!(name.as_bytes(), [letter, b':', b'/', ..] if letter.is_ascii_alphabetic()) {
        return Err(ChartError::new("chart contains illegally named files"));
    }
    if first == "Chart.yaml" {
        return Err(ChartError::new("chart yaml not in base directory"));
    }
    Ok(name)
}
