//! `show`

use std::path::Path;

use serde_json::{Map, Value, json};

use crate::cli::args::ReadArgs;
use crate::cli::context::{Context, WithCharts};
use crate::cli::exit::Exit;
use crate::cli::report;
use crate::cli::view::json::shown;
use crate::ops::OpError;
use crate::resource::terraform_type;
use crate::state::State;
use crate::store::{Store as _, plan_file};

pub(in crate::cli) async fn run(context: &Context, args: &ReadArgs) -> Exit {
    let path = Path::new(&args.stack.stack);
    if plan_file::is_saved(path) {
        return saved(path, args.json);
    }
    let loaded = match context.load(&args.stack, WithCharts::LeftOut).await {
        Ok(loaded) => loaded,
        Err(exit) => return exit,
    };
    let state = match loaded.store.read() {
        Ok(state) => state,
        Err(error) => return report::failed(&OpError::Store(error)),
    };
    let resources = resources(&state, args.target.as_deref());
    if args.target.is_some() && resources.is_empty() {
        eprintln!("error: the state knows no `{}`", args.target.as_deref().unwrap_or_default());
        eprintln!("  = help: `meshform state list` shows what it knows");
        return Exit::Failed;
    }
    if args.json {
        println!("{:#}", json!({"format_version": "1.0", "stack": state.stack, "serial": state.serial, "resources": resources}));
        return Exit::Done;
    }
    for resource in &resources {
        println!("{}  {}", text(resource, "address"), text(resource, "id"));
        for (path, value) in resource.get("values").and_then(Value::as_object).into_iter().flatten() {
            println!("    {path} = {value}");
        }
    }
    if resources.is_empty() {
        println!("The state knows nothing.");
    }
    Exit::Done
}

/// A saved plan as it was shown when it was made.
fn saved(path: &Path, as_json: bool) -> Exit {
    let plan = match plan_file::read(path) {
        Ok(plan) => plan,
        Err(error) => return report::plan_file(&error),
    };
    if as_json {
        println!("{:#}", plan.json);
    } else {
        print!("{}", plan.text);
        println!("made at {} from {}, digest {}", plan.at, plan.source.stack, plan.digest);
    }
    Exit::Done
}

fn text<'a>(value: &'a Value, key: &str) -> &'a str {
    value.get(key).and_then(Value::as_str).unwrap_or_default()
}

fn resources(state: &State, target: Option<&str>) -> Vec<Value> {
    let mut shown_resources = Vec::new();
    for (addr, known) in &state.resources {
        if target.is_some_and(|target| target != addr.to_string()) {
            continue;
        }
        if let Some(current) = &known.current {
            let values: Map<String, Value> = current.attrs.iter().map(|(path, attr)| (path.clone(), shown(attr))).collect();
            shown_resources.push(json!({
                "address": addr.to_string(),
                "type": terraform_type(addr),
                "id": current.id,
                "generation": current.generation,
                "origin": current.origin,
                "values": values,
                "certificate": current.certificate,
                "needs": known.needs.iter().map(ToString::to_string).collect::<Vec<_>>(),
                "deposed": known.deposed.iter().map(|old| old.id.clone()).collect::<Vec<_>>(),
            }));
        }
    }
    shown_resources
}
