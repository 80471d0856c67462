//! What goes wrong while a template is executed.

use std::fmt;

use crate::helm::func::FuncError;

/// `template.ExecError`: a message that begins with `template: NAME:LINE:COLUMN: executing …`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ExecError {
    message: String,
    limit: bool,
}

impl ExecError {
    pub(super) fn new(message: String, limit: bool) -> Self {
        Self { message, limit }
    }

    /// The message.
    #[must_use]
    pub fn message(&self) -> &str {
        &self.message
    }

    /// Whether a limit of ours was exceeded.
    #[must_use]
    pub fn is_limit(&self) -> bool {
        self.limit
    }
}

impl fmt::Display for ExecError {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(&self.message)
    }
}

impl std::error::Error for ExecError {}

impl From<ExecError> for FuncError {
    fn from(error: ExecError) -> Self {
        if error.limit { Self::limit(error.message) } else { Self::new(error.message) }
    }
}
