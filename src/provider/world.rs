//! The world of a run: the AWS account and the cluster that it is connected to.

use super::aws::Aws;
use super::kube::Kube;
use crate::clock::Clock;

/// What a run is connected to.
#[derive(Clone)]
pub struct World {
    /// The AWS account; absent when the stack needs none.
    pub aws: Option<Aws>,
    /// The cluster; absent when the stack names none.
    pub kube: Option<Kube>,
    /// The clock.
    pub clock: Clock,
}
