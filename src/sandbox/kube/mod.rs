//! The Kubernetes half: an API server on the sandbox's world, and the few controllers that what meshform does depends on.
//!
//! `kube::Client` sends its requests to a tower service ([`service`]). A request is taken apart ([`route`]), finds its kind ([`kinds`], whose
//! types are in [`schema`]), and reads or writes objects ([`list`], [`write`], [`create`], [`delete`]) that are entities of the world
//! ([`store`]). Who owns which field is decided as in a real server ([`ssa`]). What is refused is refused in the server's words ([`status`]).
//!
//! Less than in a real server: no watch, no admission webhooks, no authorization, no conversion of versions, no history (the pages of a list
//! show the present), and of validation what [`rules`] and [`validate`] say. What isn't known is refused.

mod balancers;
mod body;
mod controllers;
mod crds;
mod create;
mod delete;
mod discovery;
mod istiod;
mod kinds;
mod list;
mod namespaces;
mod patch;
mod pods;
mod quantity;
mod route;
mod rules;
mod schema;
mod selector;
mod service;
mod services;
mod ssa;
mod status;
mod store;
#[cfg(test)]
mod tests;
mod validate;
mod workloads;
mod write;

use std::collections::BTreeMap;

use super::Sandbox;
use super::due::Due;
use super::error::SandboxError;
use super::world::Tx;

impl Sandbox {
    /// A client of the sandbox's cluster. It needs a tokio runtime, answers from the world, and never touches a network.
    pub fn kube_client(&self) -> kube::Client {
        kube::Client::new(service::Server { sandbox: self.clone() }, "default")
    }
}

/// Lets something due happen that belongs to the cluster.
pub(super) fn happen(tx: &mut Tx<'_>, due: &Due) -> Result<(), SandboxError> {
    match due.what.as_str() {
        "kube.empty" => namespaces::empty(tx, &due.to),
        "kube.clean" => crds::clean(tx, &due.to),
        "kube.rollout" => workloads::roll_out(tx, &due.to),
        "kube.balance" => balancers::balance(tx, &due.to),
        "kube.istiod" => {
            istiod::patch(tx, &due.to);
            Ok(())
        }
        "kube.establish" => {
            crds::establish(tx, &due.to);
            Ok(())
        }
        _ => Ok(()),
    }
}

/// Counts the objects of each kind that has some.
pub(super) fn count(tx: &Tx<'_>, services: &mut BTreeMap<String, BTreeMap<String, usize>>) {
    for (key, _) in tx.scan("kube/") {
        let plural = key.split('/').nth(2).unwrap_or_default();
        *services.entry("kube".to_owned()).or_default().entry(plural.to_owned()).or_default() += 1;
    }
}
