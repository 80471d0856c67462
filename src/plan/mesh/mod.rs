//! Istio's control planes and the proxies of pods: what moves from one to another, what is restarted for it, and what has to wait.
//!
//! A pod gets its proxy when it is made, and keeps it. So the injector that a namespace chooses, as the stack wants it, is held against what the
//! pods tell; what differs is restarted, batch after batch, or named. A control plane that leaves the stack goes when no pod has its proxy.

mod control_planes;
mod decide;
mod link;
mod look;
mod versions;
mod warn;

pub(super) use link::link;
pub(crate) use look::{Look, Mesh, look};

/// What a step is about when it isn't an object itself: the proxies of pods.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ProxyStep {
    /// All pods of the workload run the proxy of this revision. The action says whether it is restarted for that.
    Of(String),
    /// No pod runs the proxy of this revision.
    NoneOf(String),
}
