//! All integration tests in one binary.
#![allow(clippy::unwrap_used)]
// Counts and figures are shown by `--nocapture`.
#![allow(clippy::print_stdout)]

mod architecture;
#[cfg(feature = "bed")]
mod bed_suite;
mod contract;
mod helm;
mod sandbox;
#[cfg(feature = "bed")]
mod support;
