//! Views: the same plans and events, for people and for programs.

pub(super) mod diff;
pub(super) mod graph;
pub(super) mod human;
pub(super) mod json;
pub(super) mod live;
pub(super) mod paint;
#[cfg(test)]
mod tests;
pub(super) mod yaml;
