//! What `istio.batches` and namespaces name has to be there.

use std::collections::BTreeSet;

use crate::addr::Addr;
use crate::diag::{Diagnostic, Diagnostics, nearest, shown};
use crate::resource::Resource;
use crate::stack::Stack;
use crate::stack::istio::Istio;

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
    choices(stack, istio, diags);
}

/// A namespace may choose a control plane of another stack; else its pods get no proxy.
fn choices(stack: &Stack, istio: &Istio, diags: &mut Diagnostics) {
    let beside = istio.revisions.iter().flat_map(|(name, revision)| [name].into_iter().chain(&revision.tags));
    let known: BTreeSet<&str> = [&istio.revision].into_iter().chain(&istio.tags).chain(beside).map(String::as_str).collect();
    for (name, namespace) in &stack.namespaces {
        let Some(revision) = namespace.revision.as_deref().filter(|revision| !known.contains(revision)) else { continue };
        if revision == "default" && istio.revision.is_empty() {
            continue;
        }
        let detail = format!("`namespaces.{name}.revision` names {}, which no control plane of the stack is called", shown(revision));
        let help = match nearest(revision, known.iter().copied().filter(|name| !name.is_empty())) {
            Some(near) => format!("did you mean `{near}`? Pods get no proxy from a control plane that isn't there"),
            None => "right where another stack brings that control plane; else its pods get no proxy".to_owned(),
        };
        diags.push(Diagnostic::warning("istio/revision", "unknown revision or tag", detail).at(&namespace.place).help(help));
    }
}
