//! The graph in its forms: text, JSON, DOT, Mermaid, and a page of its own.

mod dot;
mod html;
mod layout;
mod mermaid;

use std::collections::BTreeMap;
use std::fmt::Write as _;

use serde_json::{Value, json};

use crate::addr::Addr;
use crate::graph::Graph;
use crate::resource::Milestone;

/// The graph as it is drawn: nodes by number, in the order of their addresses.
pub(in crate::cli) struct Drawing {
    /// The stack's name.
    title: String,
    nodes: Vec<Node>,
    edges: Vec<Edge>,
    /// Which nodes stand together, by what they share.
    groups: BTreeMap<String, Vec<usize>>,
}

/// A resource.
struct Node {
    addr: String,
    /// Its depth: how many milestones in a row are reached before it is created.
    depth: usize,
}

/// Something that is waited for: `from` reaches `what` before `to` reaches `before`.
struct Edge {
    from: usize,
    what: &'static str,
    to: usize,
    before: &'static str,
}

fn word(milestone: Milestone) -> &'static str {
    if milestone == Milestone::Created { "created" } else { "ready" }
}

impl Drawing {
    /// The graph of a stack; `only` is the address that its edges lead to.
    pub(in crate::cli) fn new(title: &str, graph: &Graph, only: Option<&str>) -> Self {
        let depths = depths(graph);
        let is_shown = |addr: &str| only.is_none_or(|only| only == addr);
        let addrs: Vec<&Addr> = graph.resources().map(|resource| &resource.addr).collect();
        let number = |addr: &Addr| addrs.iter().position(|other| *other == addr).unwrap_or_default();
        let mut edges = Vec::new();
        for resource in graph.resources().filter(|resource| is_shown(&resource.addr.to_string())) {
            let to = number(&resource.addr);
            for (needed, milestone) in &resource.needs {
                edges.push(Edge { from: number(needed), what: word(*milestone), to, before: "created" });
            }
            for (needed, milestone) in &resource.ready_needs {
                edges.push(Edge { from: number(needed), what: word(*milestone), to, before: "ready" });
            }
        }
        let mut groups: BTreeMap<String, Vec<usize>> = BTreeMap::new();
        for (index, addr) in addrs.iter().enumerate() {
            groups.entry(group(addr)).or_default().push(index);
        }
        let depth = |addr: &Addr| depths.get(&(addr.clone(), Milestone::Created)).copied().unwrap_or_default();
        let nodes = addrs.iter().map(|addr| Node { addr: addr.to_string(), depth: depth(addr) }).collect();
        Self { title: title.to_owned(), nodes, edges, groups }
    }

    /// For people: each resource, and what it waits for.
    pub(in crate::cli) fn text(&self, only: Option<&str>) -> String {
        let mut text = String::new();
        for (index, node) in self.nodes.iter().enumerate().filter(|(_, node)| only.is_none_or(|only| only == node.addr)) {
            let _ = writeln!(text, "{}", node.addr);
            for edge in self.edges.iter().filter(|edge| edge.to == index) {
                let _ = writeln!(text, "    is {} after {} is {}", edge.before, self.nodes[edge.from].addr, edge.what);
            }
        }
        text
    }

    /// For programs.
    pub(in crate::cli) fn json(&self) -> Value {
        let nodes: Vec<&str> = self.nodes.iter().map(|node| node.addr.as_str()).collect();
        let edge = |edge: &Edge| json!({"from": nodes[edge.to], "before": edge.before, "to": nodes[edge.from], "awaits": edge.what});
        json!({"nodes": nodes, "edges": self.edges.iter().map(edge).collect::<Vec<_>>()})
    }

    /// For Graphviz.
    pub(in crate::cli) fn dot(&self) -> String {
        dot::text(self)
    }

    /// For Mermaid.
    pub(in crate::cli) fn mermaid(&self) -> String {
        mermaid::text(self)
    }

    /// A page that needs nothing but a browser.
    pub(in crate::cli) fn html(&self) -> String {
        html::page(self)
    }
}

/// What an address stands together with: its namespace, or AWS.
fn group(addr: &Addr) -> String {
    match addr {
        Addr::Aws { .. } => "AWS".to_owned(),
        Addr::Kube { namespace: Some(namespace), .. } => format!("namespace {namespace}"),
        Addr::Kube { kind, group, name, .. } if kind == "namespace" && group.is_empty() => format!("namespace {name}"),
        Addr::Kube { .. } => "cluster".to_owned(),
    }
}

/// How many milestones in a row come before each.
fn depths(graph: &Graph) -> BTreeMap<(Addr, Milestone), usize> {
    let mut depths: BTreeMap<(Addr, Milestone), usize> = BTreeMap::new();
    // Each comes after what it waits for.
    for (addr, milestone) in graph.order() {
        let before = graph.before(&addr, milestone);
        let depth = before.iter().filter_map(|one| depths.get(one)).max().map_or(0, |depth| depth + 1);
        depths.insert((addr, milestone), depth);
    }
    depths
}
