//! What can go wrong with a sandbox itself, apart from the answers that its services give.

use std::path::PathBuf;

/// An error of the sandbox itself.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum SandboxError {
    /// A file of the sandbox can't be read or written.
    #[error("can't use {}: {source}", path.display())]
    File {
        /// The file or folder.
        path: PathBuf,
        /// What the operating system says.
        #[source]
        source: std::io::Error,
    },
    /// A complete line of the journal can't be understood.
    #[error("{}:{line} isn't a line of a sandbox world: {reason}; remove the folder to start afresh", path.display())]
    Journal {
        /// The journal.
        path: PathBuf,
        /// The line, counted from one.
        line: u64,
        /// What is wrong with it.
        reason: String,
    },
    /// An entity of the world has another shape than the program expects.
    #[error("{key} in the sandbox world has an unknown form: {reason}; remove the folder to start afresh")]
    Entity {
        /// The entity's key.
        key: String,
        /// What is wrong with it.
        reason: String,
    },
    /// The sandbox's certificate authority can't make a key or a certificate.
    #[error("the sandbox's certificate authority failed: {0}")]
    Authority(String),
    /// No random bytes are to be had.
    #[error("no random bytes: {0}")]
    Random(String),
}
