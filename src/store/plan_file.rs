//! Saved plans on disk: one JSON file, readable by its owner only, replaced as a whole.

use std::fs::{File, OpenOptions};
use std::io::{self, Read as _, Write as _};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};

use crate::plan::saved::{FORMAT, SavedPlan};

/// The most bytes of a saved plan.
const MAX_PLAN: u64 = 64 * 1024 * 1024;
/// How each saved plan begins.
const BEGIN: &[u8] = b"{\n  \"meshform_plan\":";

/// Why a saved plan can't be read or written.
#[derive(Debug, thiserror::Error)]
pub enum PlanFileError {
    /// The file system refuses.
    #[error("the plan {path} can't be {what}: {error}")]
    Io {
        /// The file.
        path: PathBuf,
        /// What was tried.
        what: &'static str,
        /// Why not.
        error: io::Error,
    },
    /// It is not, or no longer, what was written.
    #[error("the plan {path} is damaged: {reason}")]
    Damaged {
        /// The file.
        path: PathBuf,
        /// What is wrong.
        reason: String,
    },
    /// Another version of the program made it.
    #[error("the plan {path} was made by meshform {made_by}, and this is {}", env!("CARGO_PKG_VERSION"))]
    OtherVersion {
        /// The file.
        path: PathBuf,
        /// The version.
        made_by: String,
    },
    /// Something else stands where it is to be written.
    #[error("{path} exists, and is not a saved plan")]
    Taken {
        /// The file.
        path: PathBuf,
    },
}

impl PlanFileError {
    /// What to do about it.
    pub fn help(&self) -> &'static str {
        match self {
            Self::Io { .. } => "check the path and its permissions; nothing was changed",
            Self::Damaged { .. } => "make it anew with `meshform plan --out`; nothing was changed",
            Self::OtherVersion { .. } => "make it anew with this version, or apply it with that one; nothing was changed",
            Self::Taken { .. } => "name another file, or remove that one",
        }
    }
}

/// Whether a file is a saved plan, by its first bytes.
pub fn is_saved(path: &Path) -> bool {
    let mut first = [0; BEGIN.len()];
    path.is_file() && File::open(path).and_then(|mut file| file.read_exact(&mut first)).is_ok() && first == *BEGIN
}

/// Writes a plan.
pub fn write(path: &Path, plan: &SavedPlan) -> Result<(), PlanFileError> {
    if path.exists() && !is_saved(path) {
        return Err(PlanFileError::Taken { path: path.to_owned() });
    }
    let wrong = |error| PlanFileError::Io { path: path.to_owned(), what: "written", error };
    let text = serde_json::to_string_pretty(plan).map_err(|error| wrong(error.into()))?;
    let beside = path.with_extension(format!("{}.new", std::process::id()));
    let written = OpenOptions::new().write(true).create_new(true).mode(0o600).open(&beside).and_then(|mut file| {
        file.write_all(text.as_bytes())?;
        file.sync_all()
    });
    written.and_then(|()| std::fs::rename(&beside, path)).map_err(|error| {
        let _ = std::fs::remove_file(&beside);
        wrong(error)
    })
}

/// Reads a plan.
pub fn read(path: &Path) -> Result<SavedPlan, PlanFileError> {
    let damaged = |reason: String| PlanFileError::Damaged { path: path.to_owned(), reason };
    let mut text = String::new();
    let read = File::open(path).and_then(|file| file.take(MAX_PLAN + 1).read_to_string(&mut text));
    read.map_err(|error| PlanFileError::Io { path: path.to_owned(), what: "read", error })?;
    if text.len() as u64 > MAX_PLAN {
        return Err(damaged(format!("it is larger than {MAX_PLAN} bytes")));
    }
    let known: serde_json::Value = serde_json::from_str(&text).map_err(|error| damaged(error.to_string()))?;
    let made_by = known.get("made_by").and_then(serde_json::Value::as_str).unwrap_or_default().to_owned();
    let format = known.get("meshform_plan").and_then(serde_json::Value::as_u64);
    if format != Some(u64::from(FORMAT)) || made_by != env!("CARGO_PKG_VERSION") {
        return Err(PlanFileError::OtherVersion { path: path.to_owned(), made_by });
    }
    let plan: SavedPlan = serde_json::from_value(known).map_err(|error| damaged(error.to_string()))?;
    if plan.is_whole() { Ok(plan) } else { Err(damaged("its decisions are not those that its digest tells".into())) }
}
