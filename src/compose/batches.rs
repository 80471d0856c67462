//! `istio.batches`: what they name has to be there.

use std::collections::BTreeSet;

use crate::addr::Addr;
use crate::diag::{Diagnostic, Diagnostics, nearest, shown};
use crate::resource::Resource;
use crate::stack::Stack;

/// Holds the namespaces of batches against those that the stack has, or puts an ingress gateway in.
pub(super) fn check(stack: &Stack, resources: &[Resource], diags: &mut Diagnostics) {
    let Some(istio) = &stack.istio else { return };
    let declared = resources.iter().filter_map(|resource| match &resource.addr {
        addr @ Addr::Kube { namespace: None, name, .. } if *addr == Addr::namespace(name) => Some(name.as_str()),
        _ => None,
    });
    let of_gateways = istio.ingress.values().map(|ingress| ingress.namespace.as_str());
    let known: BTreeSet<&str> = declared.chain(of_gateways).collect();
    for (name, place) in istio.batches.iter().flat_map(|batch| &batch.namespaces).filter(|(name, _)| !known.contains(name.as_str())) {
        let detail = format!("the stack neither declares the namespace {} nor puts an ingress gateway in it", shown(name));
        let help = match nearest(name, known.iter().copied()) {
            Some(near) => format!("did you mean `{near}`?"),
            None => format!("add `namespaces: {{ {name}: {{}} }}`, or take it out"),
        };
        diags.push(Diagnostic::error("istio/batch", "batch that can't be", detail).at(place).help(help));
    }
}
