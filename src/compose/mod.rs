//! From a checked stack to resources: one file per section.

mod batches;
mod certificates;
mod edge_checks;
mod gateways;
mod load_balancers;
mod manifests;
mod namespaces;
mod phases;
mod references;
mod webhooks;

pub(crate) use certificates::is_within;
pub(crate) use webhooks::asks_about_pod;

use crate::addr::Addr;
use crate::diag::Diagnostics;
use crate::render::Manifest;
use crate::resource::{Milestone, Resource};
use crate::stack::Stack;

/// The resources of a stack, in no particular order. Their addresses are complete; values that only the world knows stay open.
pub fn compose(stack: &Stack, manifests: Vec<Manifest>, diags: &mut Diagnostics) -> Vec<Resource> {
    let mut resources = namespaces::compose(stack);
    resources.extend(certificates::compose(stack));
    let manifests = manifests.into_iter().chain(gateways::manifests(stack)).chain(load_balancers::manifests(stack)).collect();
    let mut of_manifests = manifests::compose(stack, manifests, &resources, diags);
    load_balancers::complete(stack, &mut of_manifests);
    edge_checks::check(stack, &of_manifests, diags);
    resources.extend(load_balancers::alias_records(stack));
    // A namespace may be a manifest's, too.
    for resource in &mut resources {
        if let Addr::Kube { namespace: Some(namespace), .. } = &resource.addr {
            let namespace = Addr::namespace(namespace);
            let is_new = !resource.needs.iter().any(|(needed, _)| *needed == namespace);
            if is_new && of_manifests.iter().any(|manifest| manifest.addr == namespace) {
                resource.needs.push((namespace, Milestone::Ready));
            }
        }
    }
    resources.extend(of_manifests);
    batches::check(stack, &resources, diags);
    resources
}
