//! `validate`

use crate::cli::args::ConfigArgs;
use crate::cli::context::{Context, graph};
use crate::cli::exit::Exit;
use crate::diag::{Diagnostics, json};
use crate::stack;

pub(in crate::cli) fn run(context: &Context, args: &ConfigArgs) -> Exit {
    if !args.json {
        return match context.load(&args.stack) {
            Ok(loaded) => {
                let count = loaded.graph.resources().count();
                println!("The stack `{}` is valid: {count} resources.", loaded.stack.name);
                Exit::Done
            }
            Err(exit) => exit,
        };
    }
    let (file, vars, mut sources, mut diags) = match context.read(&args.stack) {
        Ok(read) => read,
        Err(exit) => return exit,
    };
    let graph = stack::check(&file, &vars, &mut sources, &mut diags).and_then(|stack| {
        let mut more = Diagnostics::default();
        let graph = graph(&stack, &mut sources, &mut more);
        more.items().iter().for_each(|item| diags.push(item.clone()));
        graph
    });
    println!("{:#}", serde_json::json!({"valid": graph.is_ok(), "diagnostics": json(&diags)}));
    if graph.is_ok() { Exit::Done } else { Exit::Failed }
}
