//! The state's form on disk: versioned JSON.

use serde::{Deserialize, Serialize};

use super::State;

/// The version that this program writes, and the newest that it reads.
pub const VERSION: u64 = 1;

/// A state that can't be read.
#[derive(Debug, thiserror::Error)]
pub enum FormatError {
    /// It was written by a newer meshform.
    #[error(
        "the state has format version {found}, and this meshform reads up to {VERSION}: use the meshform that wrote it, or a newer one"
    )]
    Newer {
        /// Its version.
        found: u64,
    },
    /// It is not a state, or torn.
    #[error("the state is damaged ({reason}): it is only a cache, so move the file away and run `meshform state rebuild`")]
    Damaged {
        /// What the reader said.
        reason: String,
    },
}

#[derive(Deserialize)]
struct Head {
    version: u64,
}

#[derive(Serialize)]
struct Writing<'a> {
    version: u64,
    journal_bytes: u64,
    #[serde(flatten)]
    state: &'a State,
}

/// Reads a state.
pub fn read(text: &str) -> Result<State, FormatError> {
    let damaged = |error: serde_json::Error| FormatError::Damaged { reason: error.to_string() };
    let head: Head = serde_json::from_str(text).map_err(damaged)?;
    if head.version > VERSION {
        return Err(FormatError::Newer { found: head.version });
    }
    serde_json::from_str(text).map_err(damaged)
}

/// Writes a state. `journal_bytes` is the length of the journal that it has taken in.
pub fn write(state: &State, journal_bytes: u64) -> String {
    let mut text = serde_json::to_string_pretty(&Writing { version: VERSION, journal_bytes, state }).unwrap_or_default();
    text.push('\n');
    text
}
