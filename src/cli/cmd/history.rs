//! `history`

use std::collections::BTreeMap;

use serde_json::{Value, json};

use crate::addr::Addr;
use crate::cli::args::ReadArgs;
use crate::cli::context::{Context, WithCharts};
use crate::cli::exit::Exit;
use crate::cli::report;
use crate::event::{Entry, Event, Origin};
use crate::ops::OpError;

/// A run of a command, as the journal tells it.
struct Run {
    at: String,
    command: String,
    by: String,
    /// Whether all was done; absent: it was killed, or runs still.
    is_complete: Option<bool>,
    /// What became of each address, in the order of its last event.
    done: BTreeMap<Addr, &'static str>,
}

pub(in crate::cli) async fn run(context: &Context, args: &ReadArgs) -> Exit {
    let loaded = match context.load(&args.stack, WithCharts::LeftOut).await {
        Ok(loaded) => loaded,
        Err(exit) => return exit,
    };
    let entries = match loaded.store.history() {
        Ok(entries) => entries,
        Err(error) => return report::failed(&OpError::Store(error)),
    };
    let mut runs = runs(&entries);
    if let Some(target) = &args.target {
        for run in &mut runs {
            run.done.retain(|addr, _| addr.to_string() == *target);
        }
        runs.retain(|run| !run.done.is_empty());
    }
    if args.json {
        println!("{:#}", Value::Array(runs.iter().map(as_json).collect()));
        return Exit::Done;
    }
    for run in &runs {
        let outcome = match run.is_complete {
            Some(true) => "complete",
            Some(false) => "in part",
            None => "not ended",
        };
        let by = if run.by.is_empty() { String::new() } else { format!("  by {}", run.by) };
        println!("{}  {}{by}  {outcome}", run.at, run.command);
        for (addr, what) in &run.done {
            println!("    {addr}  {what}");
        }
    }
    if runs.is_empty() {
        println!("Nothing was done yet.");
    }
    Exit::Done
}

fn as_json(run: &Run) -> Value {
    let done: Vec<Value> = run.done.iter().map(|(addr, what)| json!({"address": addr.to_string(), "what": what})).collect();
    json!({"at": run.at, "command": run.command, "by": run.by, "complete": run.is_complete, "resources": done})
}

/// The runs, oldest first. What was learned between them (`state rebuild`, `state rm`) belongs to no run.
fn runs(entries: &[Entry]) -> Vec<Run> {
    let mut runs: Vec<Run> = Vec::new();
    let mut is_open = false;
    for entry in entries {
        match &entry.event {
            Event::RunStarted { command, by } => {
                let (at, command, by) = (entry.at.to_string(), command.clone(), by.clone());
                runs.push(Run { at, command, by, is_complete: None, done: BTreeMap::new() });
                is_open = true;
            }
            Event::RunEnded { complete } => {
                if let Some(run) = runs.last_mut().filter(|_| is_open) {
                    run.is_complete = Some(*complete);
                }
                is_open = false;
            }
            event => {
                if let (Some(run), Some((addr, what))) = (runs.last_mut().filter(|_| is_open), told(event)) {
                    let known = run.done.entry(addr.clone()).or_insert(what);
                    *known = match (*known, what) {
                        // What is applied to a thing that was just made is part of its making.
                        ("created" | "adopted" | "replaced" | "moved", "changed") => known,
                        ("created", "deleted") => "replaced",
                        (_, what) => what,
                    };
                }
            }
        }
    }
    runs
}

fn told(event: &Event) -> Option<(&Addr, &'static str)> {
    Some(match event {
        Event::Started { addr, .. } => (addr, "begun"),
        Event::Abandoned { addr } => (addr, "refused"),
        Event::Created { addr, origin: Origin::Created, .. } => (addr, "created"),
        Event::Created { addr, origin: Origin::Adopted, .. } => (addr, "adopted"),
        Event::Applied { addr, .. } => (addr, "changed"),
        Event::Deleted { addr, .. } => (addr, "deleted"),
        Event::Released { addr, .. } => (addr, "released"),
        Event::Moved { to, .. } => (to, "moved"),
        _ => return None,
    })
}
