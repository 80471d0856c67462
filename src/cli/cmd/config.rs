//! `config`

use crate::cli::args::ConfigArgs;
use crate::cli::context::Context;
use crate::cli::exit::Exit;
use crate::cli::report;
use crate::stack;

pub(in crate::cli) fn run(context: &Context, args: &ConfigArgs) -> Exit {
    let (file, vars, mut sources, mut diags) = match context.read(&args.stack) {
        Ok(read) => read,
        Err(exit) => return exit,
    };
    let values = stack::settle(&file, &vars, &mut sources, &mut diags);
    report::diagnostics(&diags, &sources, context.style());
    if args.origin {
        let origins = stack::origins(&file, &values);
        if args.json {
            let origins: Vec<_> = origins
                .iter()
                .map(|one| {
                    let overrode: Vec<String> = one.overrode.iter().map(ToString::to_string).collect();
                    serde_json::json!({"path": one.path, "value": one.value, "place": one.place.to_string(), "overrode": overrode})
                })
                .collect();
            println!("{:#}", serde_json::Value::Array(origins));
        } else {
            let width = origins.iter().map(|one| one.path.chars().count()).max().unwrap_or(0).min(48);
            for one in origins {
                let overrode: Vec<String> = one.overrode.iter().map(ToString::to_string).collect();
                let over = if overrode.is_empty() { String::new() } else { format!("  over {}", overrode.join(", ")) };
                println!("{:width$}  {}  {}{over}", one.path, one.value, one.place);
            }
        }
    } else {
        // JSON is YAML as well: one form serves people and programs.
        println!("{:#}", stack::document(&file, &values));
    }
    if diags.has_errors() { Exit::Failed } else { Exit::Done }
}
