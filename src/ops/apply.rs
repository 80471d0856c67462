//! Apply: lease, plan, agree, carry out.

use super::OpError;
use crate::apply::{Applied, Approved, Options, Progress, Stop, apply as carry_out};
use crate::event::Event;
use crate::plan::Plan;
use crate::provider::world::World;
use crate::store::Lease;

/// Carries out a plan that was agreed to. A refused plan is given back.
pub async fn apply<L: Lease>(
    plan: Plan,
    (command, by): (&str, &str),
    world: &World,
    lease: &mut L,
    options: &Options,
    stop: &Stop,
    sink: &mut dyn FnMut(Progress),
) -> Result<Result<Applied, Box<Plan>>, OpError> {
    let approved = match Approved::new(plan) {
        Ok(approved) => approved,
        Err(plan) => return Ok(Err(Box::new(plan))),
    };
    if approved.plan().is_empty() && approved.plan().refresh.is_empty() {
        return Ok(Ok(Applied::default()));
    }
    lease.record(Event::RunStarted { command: command.to_owned(), by: by.to_owned() })?;
    let applied = carry_out(&approved, world, lease, options, stop, sink).await;
    if applied.store_error.is_none() {
        lease.record(Event::RunEnded { complete: applied.is_complete() })?;
        lease.save()?;
    }
    Ok(Ok(applied))
}
