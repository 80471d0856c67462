//! Plan: observe, decide.

use super::OpError;
use crate::event::Event;
use crate::graph::Graph;
use crate::observe::{Scope, observe};
use crate::plan::{Plan, Policy};
use crate::provider::world::World;
use crate::resource::Spec;
use crate::state::State;

/// Makes a plan from a state that was read, and changes nothing. A new state gets a lineage first.
pub async fn plan(graph: &Graph, state: &State, world: &World, policy: &Policy) -> Result<Plan, OpError> {
    let mut prior = state.clone();
    if prior.lineage.is_empty() {
        prior.lineage = super::first_lineage(world, &prior.stack);
    }
    let (prior, moved) = prior.moved(&policy.moves);
    let desired = scoped(graph, policy);
    let policy = &Policy { declared: graph.clone(), ..policy.clone() };
    let scope = Scope {
        rotate: policy.rotate && policy.replace.is_empty(),
        everywhere: policy.destroy && !policy.exactly,
        local: policy.is_local,
        declared: graph,
        batches: &policy.batches,
        partial_destroy: policy.destroy && policy.is_partial(),
        adopts: &policy.adopt,
        imports: &policy.imports,
    };
    let observed = observe(&desired, &prior, world, scope).await?;
    let mut plan = Plan::make(&desired, &observed, &prior, policy, world.clock.now());
    if plan.refusals.is_empty() {
        // The state learns of the renames before anything else.
        plan.refresh.splice(0..0, moved.into_iter().map(|(from, to)| Event::Moved { from, to }));
    }
    Ok(plan)
}

/// The part of the graph that a policy is about.
fn scoped(graph: &Graph, policy: &Policy) -> Graph {
    if policy.destroy {
        return Graph::default();
    }
    let mut desired = graph.clone();
    if policy.exactly {
        return desired.filtered(|addr| policy.targets.contains(addr));
    }
    if !policy.targets.is_empty() {
        desired = desired.only(&policy.targets);
    }
    if !policy.excludes.is_empty() {
        desired = desired.without(&policy.excludes);
    }
    if policy.rotate {
        let with_records = !policy.replace.is_empty();
        desired = desired.filtered(|addr| match graph.get(addr).map(|resource| &resource.spec) {
            Some(Spec::Certificate(_) | Spec::Secret(_)) => true,
            Some(Spec::ValidationRecord(_)) => with_records,
            Some(Spec::Object(spec)) => spec.certificate.is_some(),
            Some(Spec::Manifest(_) | Spec::AliasRecord(_)) | None => false,
        });
    }
    desired
}
