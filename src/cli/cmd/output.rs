//! `output`

use serde_json::Value;

use crate::cli::args::OutputArgs;
use crate::cli::context::{Context, WithCharts};
use crate::cli::exit::Exit;
use crate::cli::report;
use crate::ops::{OpError, outputs};
use crate::store::Store as _;

pub(in crate::cli) async fn run(context: &Context, args: &OutputArgs) -> Exit {
    let loaded = match context.load(&args.stack, WithCharts::LeftOut).await {
        Ok(loaded) => loaded,
        Err(exit) => return exit,
    };
    let outputs = match loaded.store.read() {
        Ok(state) => outputs::outputs(&state),
        Err(error) => return report::failed(&OpError::Store(error)),
    };
    let Some(name) = &args.name else {
        if args.json {
            println!("{:#}", serde_json::json!(outputs));
        } else {
            for (name, value) in &outputs {
                println!("{name} = {value}");
            }
        }
        return Exit::Done;
    };
    match outputs.get(name) {
        Some(value) if args.json => println!("{value}"),
        Some(Value::String(text)) => println!("{text}"),
        Some(value) => println!("{value}"),
        None => {
            eprintln!("error: there is no output `{name}`");
            match crate::diag::nearest(name, outputs.keys().map(String::as_str)) {
                Some(near) => eprintln!("  = help: did you mean `{near}`?"),
                None => eprintln!("  = help: `meshform output` shows all; a stack has outputs when it was applied"),
            }
            return Exit::Failed;
        }
    }
    Exit::Done
}
