//! `validate`

use crate::cli::args::ConfigArgs;
use crate::cli::context::{Context, WithCharts};
use crate::cli::exit::Exit;
use crate::diag::{Diagnostics, Sources, json};

pub(in crate::cli) async fn run(context: &Context, args: &ConfigArgs) -> Exit {
    let with = WithCharts::Offline(None, Vec::new());
    if !args.json {
        return match context.load(&args.stack, with).await {
            Ok(loaded) => {
                let count = loaded.graph.resources().count();
                println!("The stack `{}` is valid: {count} resources.", loaded.stack.name);
                Exit::Done
            }
            Err(exit) => exit,
        };
    }
    let mut diags = Diagnostics::default();
    let graph = context.load_quietly(&args.stack, with, &mut Sources::default(), &mut diags).await;
    println!("{:#}", serde_json::json!({"valid": graph.is_ok(), "diagnostics": json(&diags)}));
    if graph.is_ok() { Exit::Done } else { Exit::Failed }
}
