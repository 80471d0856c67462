//! Exit codes: a contract, listed in docs/exit-codes.md.

use std::process::ExitCode;

/// How a command ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Exit {
    /// Done, or nothing to do.
    Done,
    /// Refused or failed, nothing applied.
    Failed,
    /// Changes pending (`--detailed-exitcode`).
    Pending,
    /// Applied in part, or told not to wait; the state is saved.
    Partial,
    /// The state is leased by another run.
    Leased,
    /// Bad command line.
    Usage,
    /// Internal error.
    Internal,
    /// Stopped by SIGINT; the state is saved.
    Interrupted,
    /// Stopped by SIGTERM; the state is saved.
    Terminated,
}

impl Exit {
    /// The number.
    pub fn code(self) -> u8 {
        match self {
            Self::Done => 0,
            Self::Failed => 1,
            Self::Pending => 2,
            Self::Partial => 3,
            Self::Leased => 4,
            Self::Usage => 64,
            Self::Internal => 70,
            Self::Interrupted => 130,
            Self::Terminated => 143,
        }
    }
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> Self {
        Self::from(exit.code())
    }
}
