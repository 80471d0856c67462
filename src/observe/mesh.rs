//! Which pods run which proxy: one list of them, and only where a plan may hang on it.

use super::Scope;
use crate::observed::Observed;
use crate::plan::mesh::{Look, Mesh, look};
use crate::provider::error::ProviderError;
use crate::provider::world::World;
use crate::state::State;

/// Looks at them.
pub(super) async fn observe(prior: &State, world: &World, scope: Scope<'_>, observed: &mut Observed) -> Result<(), ProviderError> {
    let Some(kube) = world.kube.as_ref().filter(|_| !scope.rotate && (!scope.everywhere || scope.partial_destroy)) else { return Ok(()) };
    let mesh = Mesh { declared: scope.declared, batches: scope.batches, is_partial_destroy: scope.partial_destroy };
    // Charts were rendered for it: it is known.
    if mesh.has_control_planes() {
        observed.kubernetes = Some(kube.version().await?);
    }
    let look = look(mesh, &observed.resources, prior);
    if look != Look::None {
        observed.proxies = Some(kube.proxies(look == Look::Whole).await?);
    }
    Ok(())
}
