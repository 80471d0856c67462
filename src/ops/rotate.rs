//! Rotate: what each place holds after a renewal was carried to it.

use crate::addr::Addr;
use crate::apply::Applied;
use crate::graph::Graph;
use crate::plan::wanted::date;
use crate::plan::{Action, Plan, Step};
use crate::resource::certificate::LeafFacts;
use crate::resource::{Attr, Resource, Spec};
use crate::state::State;

/// One certificate and its places.
#[derive(Clone, Debug)]
pub struct Report {
    /// The certificate.
    pub certificate: Addr,
    /// What it is now; absent when it is not issued.
    pub leaf: Option<LeafFacts>,
    /// The end of its validity.
    pub not_after: Option<String>,
    /// Its places.
    pub places: Vec<Place>,
}

/// One place.
#[derive(Clone, Debug)]
pub struct Place {
    /// The delivery.
    pub addr: Addr,
    /// Whether it holds the certificate as it is now.
    pub is_current: bool,
    /// What was done to it in this run.
    pub action: Action,
}

/// What each place holds by the state, which the run has just brought in line with the world.
pub fn report(graph: &Graph, state: &State, plan: &Plan, applied: &Applied) -> Vec<Report> {
    let mut reports = Vec::new();
    for resource in graph.resources() {
        if !matches!(resource.spec, Spec::Certificate(_)) {
            continue;
        }
        let leaf = state.certificate(&resource.addr).and_then(|facts| facts.leaf.clone());
        let places =
            graph.resources().filter_map(|delivery| place(delivery, &resource.addr, leaf.as_ref(), state, (plan, applied))).collect();
        let not_after = leaf.as_ref().map(|leaf| date(leaf.not_after));
        reports.push(Report { certificate: resource.addr.clone(), leaf, not_after, places });
    }
    reports
}

fn place(
    delivery: &Resource,
    certificate: &Addr,
    leaf: Option<&LeafFacts>,
    state: &State,
    (plan, applied): (&Plan, &Applied),
) -> Option<Place> {
    let holds = |path: &str| state.current(&delivery.addr).and_then(|current| current.attrs.get(path));
    let is_current = match &delivery.spec {
        Spec::Secret(spec) if spec.certificate == *certificate => {
            leaf.is_some_and(|leaf| holds("version").and_then(Attr::as_text) == Some(spec.version_token(leaf).as_str()))
        }
        Spec::Object(spec) if spec.certificate.as_ref() == Some(certificate) => {
            leaf.is_some_and(|leaf| holds("data.tls.crt") == Some(&crate::resource::object::tls_data_attrs(leaf).0))
        }
        _ => return None,
    };
    let planned = plan.steps.iter().find(|step| step.addr == delivery.addr && !step.is_deposed);
    let is_done = |step: &Step| applied.done.get(&step.action).is_some_and(|addrs| addrs.contains(&step.addr));
    let action = planned.filter(|step| is_done(step)).map_or(Action::NoOp, |step| step.action);
    // What was found to hold something else, and was not written, doesn't hold what the state says.
    let is_unwritten = planned.is_some_and(|step| !is_done(step) && step.writes_material());
    Some(Place { addr: delivery.addr.clone(), is_current: is_current && !is_unwritten, action })
}
