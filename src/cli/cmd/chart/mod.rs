//! `chart`

mod host;
mod lint;
mod show;
mod source;
mod template;

use crate::cli::args::chart::{ChartArgs, ChartCommand};
use crate::cli::context::Context;
use crate::cli::exit::Exit;

pub(in crate::cli) async fn run(context: &Context, args: &ChartArgs) -> Exit {
    match &args.command {
        ChartCommand::Template(args) => template::run(context, args).await,
        ChartCommand::Show { part } => show::run(context, part).await,
        ChartCommand::Pull { chart, destination, untar } => source::pull(context, chart, destination, *untar).await,
        ChartCommand::Vendor { chart, destination } => source::pull(context, chart, destination, true).await,
        ChartCommand::Lock { chart } => source::lock(context, chart).await,
        ChartCommand::Lint(args) => lint::run(context, args).await,
    }
}
