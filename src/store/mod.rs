//! Stores: where the state lives between runs. The local folder is the first; S3 and Kubernetes fill the same contract.
//!
//! The contract: [`Store::read`] gives the state with every event that was recorded; [`Store::lease`] lets one run at a time write, and names
//! the holder to the others; [`Lease::record`] keeps an event before it returns, and [`Lease::sync`] makes all of them survive a loss of power.

pub mod local;
pub mod plan_file;
#[cfg(test)]
mod tests;

use std::path::PathBuf;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::event::Event;
use crate::state::State;
use crate::state::format::FormatError;

/// Who holds a lease.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Holder {
    /// The command that runs.
    pub command: String,
    /// The user.
    pub user: String,
    /// The machine.
    pub host: String,
    /// The process.
    pub pid: u32,
    /// Since when.
    pub since: Timestamp,
}

/// What can go wrong with a store.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// A file can't be read or written.
    #[error("{what} {path}: {source}")]
    Io {
        /// What was tried.
        what: &'static str,
        /// The file.
        path: PathBuf,
        /// Why it failed.
        source: std::io::Error,
    },
    /// The state can't be read.
    #[error("{path}: {source}")]
    Format {
        /// The file.
        path: PathBuf,
        /// Why.
        source: FormatError,
    },
    /// The journal is damaged before its end.
    #[error("{path}: line {line} is damaged: the state is only a cache, so move the folder away and run `meshform state rebuild`")]
    Journal {
        /// The file.
        path: PathBuf,
        /// The line.
        line: usize,
    },
    /// Another run holds the lease.
    #[error("the state is in use by {}", held_by(.0.as_deref()))]
    Leased(Option<Box<Holder>>),
}

fn held_by(holder: Option<&Holder>) -> String {
    holder.map_or_else(
        || "another run".to_owned(),
        |h| format!("`meshform {}` of {} on {} (process {}) since {}", h.command, h.user, h.host, h.pid, h.since),
    )
}

/// A place for one stack's state.
pub trait Store {
    /// The right to write.
    type Lease: Lease;
    /// The state as it was last recorded; empty when there is none.
    fn read(&self) -> Result<State, StoreError>;
    /// Takes the right to write, or says who has it.
    fn lease(&self, holder: &Holder) -> Result<Self::Lease, StoreError>;
}

/// The right to write a state, until it is dropped.
pub trait Lease {
    /// The state as it is now.
    fn state(&self) -> &State;
    /// Folds an event in and keeps it.
    fn record(&mut self, event: Event) -> Result<(), StoreError>;
    /// Makes all that was recorded survive a loss of power.
    fn sync(&mut self) -> Result<(), StoreError>;
    /// Writes the state itself, so that the next run reads it without its journal.
    fn save(&mut self) -> Result<(), StoreError>;
}
