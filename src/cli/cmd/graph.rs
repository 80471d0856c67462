//! `graph`

use serde_json::json;

use crate::cli::args::ReadArgs;
use crate::cli::context::Context;
use crate::cli::exit::Exit;
use crate::resource::Milestone;

pub(in crate::cli) fn run(context: &Context, args: &ReadArgs) -> Exit {
    let loaded = match context.load(&args.stack) {
        Ok(loaded) => loaded,
        Err(exit) => return exit,
    };
    let word = |milestone: Milestone| if milestone == Milestone::Created { "created" } else { "ready" };
    let mut edges = Vec::new();
    for resource in loaded.graph.resources() {
        if args.target.as_ref().is_some_and(|target| *target != resource.addr.to_string()) {
            continue;
        }
        for (needed, milestone) in &resource.needs {
            edges.push((resource.addr.to_string(), "created", needed.to_string(), word(*milestone)));
        }
        for (needed, milestone) in &resource.ready_needs {
            edges.push((resource.addr.to_string(), "ready", needed.to_string(), word(*milestone)));
        }
    }
    if args.json {
        let nodes: Vec<String> = loaded.graph.resources().map(|resource| resource.addr.to_string()).collect();
        let edges: Vec<_> =
            edges.iter().map(|(from, when, to, what)| json!({"from": from, "before": when, "to": to, "awaits": what})).collect();
        println!("{:#}", json!({"nodes": nodes, "edges": edges}));
        return Exit::Done;
    }
    for resource in loaded.graph.resources() {
        let name = resource.addr.to_string();
        if args.target.as_ref().is_some_and(|target| *target != name) {
            continue;
        }
        println!("{name}");
        for (_, when, to, what) in edges.iter().filter(|(from, ..)| *from == name) {
            println!("    is {when} after {to} is {what}");
        }
    }
    Exit::Done
}
