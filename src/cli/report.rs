//! How problems are told: diagnostics with their place, the world's errors with what to do.

use super::exit::Exit;
use crate::diag::{Diagnostics, Sources, Style, human};
use crate::ops::OpError;
use crate::store::StoreError;

/// Prints diagnostics to stderr, errors and warnings alike.
pub(super) fn diagnostics(diags: &Diagnostics, sources: &Sources, style: Style) {
    let text = human(diags, sources, style);
    if !text.is_empty() {
        eprint!("{text}");
    }
}

/// Prints an operation's error, and gives its exit code.
pub(super) fn failed(error: &OpError) -> Exit {
    eprintln!("error: {error}");
    if let Some(help) = error.help() {
        eprintln!("  = help: {help}");
    }
    match error {
        OpError::Store(StoreError::Leased(_)) => Exit::Leased,
        _ => Exit::Failed,
    }
}

/// Prints a usage error.
pub(super) fn usage(message: &str, help: &str) -> Exit {
    eprintln!("error: {message}");
    if !help.is_empty() {
        eprintln!("  = help: {help}");
    }
    Exit::Usage
}
