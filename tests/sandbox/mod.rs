//! The program against its sandbox: the binary as people run it, the world looked at by raw clients.

pub(crate) mod attributes;
mod bad_input;
mod charts;
mod completions;
mod crash;
mod edge;
mod faults;
mod foreign;
mod graph;
mod init;
mod istio;
pub(crate) mod lab;
mod layouts;
mod leaks;
mod lost_state;
mod manifests;
mod moves;
mod origins;
mod ownership;
mod permissions;
mod pki;
mod random;
mod readme;
mod replicas;
mod saved_plan;
mod story;
mod tls;
