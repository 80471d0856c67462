//! From a checked stack to resources: one file per section.

mod certificates;
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
    let of_manifests = manifests::compose(stack, manifests, &resources, diags);
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
    resources
}
