//! Rebuild: the state found again from tags and labels.

use super::OpError;
use crate::graph::Graph;
use crate::plan::{Plan, Policy};
use crate::provider::world::World;
use crate::store::Lease;

/// Brings the state in line with the world, and changes nothing else. The plan says what was learned.
pub async fn rebuild<L: Lease>(graph: &Graph, world: &World, lease: &mut L) -> Result<Plan, OpError> {
    let policy = Policy { refresh_only: true, ..Policy::default() };
    let plan = super::plan::plan(graph, lease.state(), world, &policy).await?;
    if plan.refusals.is_empty() {
        for event in &plan.refresh {
            lease.record(event.clone())?;
        }
        lease.save()?;
    }
    Ok(plan)
}
