//! `graph`

use crate::cli::args::{GraphArgs, GraphFormat};
use crate::cli::context::{Context, WithCharts};
use crate::cli::exit::Exit;
use crate::cli::view::graph::Drawing;

pub(in crate::cli) async fn run(context: &Context, args: &GraphArgs) -> Exit {
    let loaded = match context.load(&args.stack, WithCharts::Offline(None, Vec::new())).await {
        Ok(loaded) => loaded,
        Err(exit) => return exit,
    };
    let only = args.target.as_deref();
    let drawing = Drawing::new(&loaded.stack.name, &loaded.graph, only);
    match if args.json { GraphFormat::Json } else { args.format } {
        GraphFormat::Text => print!("{}", drawing.text(only)),
        GraphFormat::Json => println!("{:#}", drawing.json()),
        GraphFormat::Dot => print!("{}", drawing.dot()),
        GraphFormat::Mermaid => print!("{}", drawing.mermaid()),
        GraphFormat::Html => print!("{}", drawing.html()),
    }
    Exit::Done
}
