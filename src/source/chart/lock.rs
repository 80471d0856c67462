//! `meshform.lock`: which versions of charts a range led to, and their digests.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use super::ChartSourceError;

/// The format's version.
const VERSION: u32 = 1;
/// The most bytes of a lock file.
const MAX_BYTES: u64 = 4 << 20;

/// A chart as it was when it was locked.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Locked {
    /// The version.
    pub version: String,
    /// Where its archive is.
    pub url: String,
    /// The archive's SHA-256.
    pub digest: String,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Format {
    version: u32,
    charts: BTreeMap<String, Locked>,
}

/// The lock file.
pub struct Lock {
    path: PathBuf,
    charts: BTreeMap<String, Locked>,
}

impl Lock {
    /// Reads it; one that isn't there locks nothing.
    pub fn read(path: &Path) -> Result<Self, ChartSourceError> {
        let wrong = |reason: String| ChartSourceError::Lock { path: path.display().to_string(), reason };
        let charts = match std::fs::metadata(path) {
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => BTreeMap::new(),
            Err(error) => return Err(wrong(error.to_string())),
            Ok(about) if about.len() > MAX_BYTES => return Err(wrong(format!("larger than {MAX_BYTES} bytes"))),
            Ok(_) => {
                let text = std::fs::read(path).map_err(|error| wrong(error.to_string()))?;
                let format: Format = serde_json::from_slice(&text).map_err(|error| wrong(error.to_string()))?;
                if format.version != VERSION {
                    return Err(wrong(format!("is of version {}, and this program knows {VERSION}", format.version)));
                }
                format.charts
            }
        };
        Ok(Self { path: path.to_owned(), charts })
    }

    /// What is locked of a chart.
    pub fn get(&self, key: &str) -> Option<&Locked> {
        self.charts.get(key)
    }

    /// All that is locked.
    pub fn charts(&self) -> impl Iterator<Item = (&str, &Locked)> {
        self.charts.iter().map(|(key, locked)| (key.as_str(), locked))
    }

    /// Writes the file with these charts added, or in place of what it said of them.
    pub fn write(&self, more: impl IntoIterator<Item = (String, Locked)>) -> Result<(), ChartSourceError> {
        let mut charts = self.charts.clone();
        charts.extend(more);
        let wrong = |reason: String| ChartSourceError::Lock { path: self.path.display().to_string(), reason };
        let mut text = serde_json::to_string_pretty(&Format { version: VERSION, charts }).map_err(|error| wrong(error.to_string()))?;
        text.push('\n');
        let part = self.path.with_extension("lock.part");
        std::fs::write(&part, text).and_then(|()| std::fs::rename(&part, &self.path)).map_err(|error| wrong(error.to_string()))
    }
}
