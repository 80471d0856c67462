//! The graph of desired resources: what waits for what.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;

use crate::addr::Addr;
use crate::diag::{Diagnostic, Diagnostics, Failed};
use crate::resource::{Milestone, Resource};
use crate::secret::sha256_hex;

/// The desired resources by address, and the order that their references give.
#[derive(Clone, Debug, Default)]
pub struct Graph {
    resources: BTreeMap<Addr, Resource>,
}

impl Graph {
    /// Joins resources to a graph. Two resources of one address, a reference to none, and circles are errors.
    pub fn build(resources: Vec<Resource>, diags: &mut Diagnostics) -> Result<Self, Failed> {
        let mut graph = Self::default();
        for resource in resources {
            if let Some(first) = graph.resources.get(&resource.addr) {
                let detail = format!("`{}` is declared here and at {}", resource.addr, first.place);
                diags.push(Diagnostic::error("graph/duplicate-address", "two resources of one address", detail).at(&resource.place));
                continue;
            }
            graph.resources.insert(resource.addr.clone(), resource);
        }
        for resource in graph.resources.values() {
            for (needed, _) in resource.needs.iter().chain(&resource.ready_needs) {
                if !graph.resources.contains_key(needed) {
                    let detail = format!("`{}` needs `{needed}`, which the stack doesn't have", resource.addr);
                    diags.push(Diagnostic::error("graph/unknown-address", "reference to an unknown resource", detail).at(&resource.place));
                }
            }
        }
        diags.check()?;
        if graph.order().len() < graph.resources.len() * 2 {
            let detail = graph.circle().into_iter().map(|addr| format!("`{addr}`")).collect::<Vec<_>>().join(" needs ");
            diags
                .push(Diagnostic::error("graph/circle", "resources wait for one another in a circle", detail).help("see `meshform graph`"));
            return Err(Failed);
        }
        Ok(graph)
    }

    /// A circle, its first address again at its end.
    fn circle(&self) -> Vec<&Addr> {
        let done: BTreeSet<Addr> = self.order().into_iter().filter(|(_, point)| *point == Milestone::Ready).map(|(addr, _)| addr).collect();
        let Some(mut addr) = self.resources.keys().find(|addr| !done.contains(*addr)) else { return Vec::new() };
        let mut way: Vec<&Addr> = Vec::new();
        // Whoever is left waits for someone who is left: the way comes back to itself.
        while !way.contains(&addr) {
            way.push(addr);
            let left = self
                .resources
                .get(addr)
                .and_then(|one| one.needs.iter().chain(&one.ready_needs).find(|(needed, _)| !done.contains(needed)));
            let Some((next, _)) = left else { break };
            addr = next;
        }
        let from = way.iter().position(|one| *one == addr).unwrap_or(0);
        let mut circle = way.split_off(from);
        circle.push(addr);
        circle
    }

    /// What all its resources are told by: what each should be, what it waits for, and what its section consents to; not where that stands.
    pub fn digest(&self) -> String {
        let mut text = String::new();
        for Resource { addr, spec, adopt, force, needs, ready_needs, place: _ } in self.resources.values() {
            let _ = writeln!(text, "{addr} {spec:?} {adopt:?} {force} {needs:?} {ready_needs:?}");
        }
        sha256_hex(text.as_bytes())
    }

    /// The resource at an address.
    pub fn get(&self, addr: &Addr) -> Option<&Resource> {
        self.resources.get(addr)
    }

    /// All resources, by address.
    pub fn resources(&self) -> impl Iterator<Item = &Resource> {
        self.resources.values()
    }

    /// Whether an address is wanted.
    pub fn contains(&self, addr: &Addr) -> bool {
        self.resources.contains_key(addr)
    }

    /// The milestones that must be reached before this one.
    pub fn before(&self, addr: &Addr, milestone: Milestone) -> Vec<(Addr, Milestone)> {
        let Some(resource) = self.resources.get(addr) else { return Vec::new() };
        match milestone {
            Milestone::Created => resource.needs.clone(),
            Milestone::Ready => [vec![(addr.clone(), Milestone::Created)], resource.ready_needs.clone()].concat(),
        }
    }

    /// All milestones so that each comes after what it waits for; those of a circle are left out.
    pub fn order(&self) -> Vec<(Addr, Milestone)> {
        let mut order = Vec::new();
        let mut done = BTreeSet::new();
        let mut left: Vec<(Addr, Milestone)> =
            self.resources.keys().flat_map(|addr| [(addr.clone(), Milestone::Created), (addr.clone(), Milestone::Ready)]).collect();
        loop {
            let (now, later): (Vec<_>, Vec<_>) =
                left.into_iter().partition(|(addr, milestone)| self.before(addr, *milestone).iter().all(|before| done.contains(before)));
            if now.is_empty() {
                return order;
            }
            done.extend(now.iter().cloned());
            order.extend(now);
            left = later;
        }
    }

    /// The graph of these addresses and all that they need.
    #[must_use]
    pub fn only(&self, targets: &BTreeSet<Addr>) -> Self {
        let mut wanted = BTreeSet::new();
        let mut open: Vec<Addr> = targets.iter().cloned().collect();
        while let Some(addr) = open.pop() {
            if let Some(resource) = self.resources.get(&addr)
                && wanted.insert(addr)
            {
                // A shared record doesn't draw in the other certificates that need it.
                let needs = if resource.needs_any() { [].iter() } else { resource.needs.iter() };
                open.extend(needs.chain(&resource.ready_needs).map(|(needed, _)| needed.clone()));
            }
        }
        self.filtered(|addr| wanted.contains(addr))
    }

    /// The graph without these addresses and all that need them.
    #[must_use]
    pub fn without(&self, excluded: &BTreeSet<Addr>) -> Self {
        let mut gone = excluded.clone();
        loop {
            let more: Vec<Addr> = self
                .resources
                .values()
                .filter(|r| !gone.contains(&r.addr))
                .filter(|r| {
                    if r.needs_any() {
                        return r.needs.iter().all(|(needed, _)| gone.contains(needed));
                    }
                    r.needs.iter().chain(&r.ready_needs).any(|(needed, _)| gone.contains(needed))
                })
                .map(|r| r.addr.clone())
                .collect();
            if more.is_empty() {
                break;
            }
            gone.extend(more);
        }
        self.filtered(|addr| !gone.contains(addr))
    }

    /// The graph of the resources that pass.
    #[must_use]
    pub fn filtered(&self, keep: impl Fn(&Addr) -> bool) -> Self {
        Self { resources: self.resources.iter().filter(|(addr, _)| keep(addr)).map(|(a, r)| (a.clone(), r.clone())).collect() }
    }
}
