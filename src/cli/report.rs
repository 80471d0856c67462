//! How problems are told: diagnostics with their place, the world's errors with what to do.

use super::exit::Exit;
use crate::diag::{Diagnostics, Sources, Style, human};
use crate::ops::OpError;
use crate::plan::saved::Difference;
use crate::store::StoreError;
use crate::store::plan_file::PlanFileError;

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

/// Prints why a saved plan can't be read or written.
pub(super) fn plan_file(error: &PlanFileError) -> Exit {
    eprintln!("error: {error}");
    eprintln!("  = help: {}", error.help());
    Exit::Failed
}

/// Prints why a saved plan is not carried out.
pub(super) fn stale(differences: &[Difference]) -> Exit {
    eprintln!("error[plan/stale]: the saved plan no longer holds; nothing was changed");
    for Difference { addr, then, now } in differences {
        eprintln!("  {}", addr.as_ref().map_or("the plan".to_owned(), ToString::to_string));
        eprintln!("    decided: {then}");
        eprintln!("    now:     {now}");
    }
    eprintln!("  = help: make it anew with `meshform plan --out`, and have it approved again");
    Exit::Failed
}

/// Prints a usage error.
pub(super) fn usage(message: &str, help: &str) -> Exit {
    eprintln!("error: {message}");
    if !help.is_empty() {
        eprintln!("  = help: {help}");
    }
    Exit::Usage
}
