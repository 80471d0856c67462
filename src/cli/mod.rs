//! The command line: arguments in, exit code out. The only place that prints.

#[macro_use]
mod out;

pub mod args;
mod charts;
mod cmd;
mod complete;
mod context;
pub mod exit;
mod log;
mod reference;
mod report;
mod signals;
mod view;

use std::process::ExitCode;

use clap::Parser as _;

use self::args::{Cli, Command};
use self::context::Context;
use self::exit::Exit;

/// Runs the command of the process's command line.
pub fn main() -> ExitCode {
    if let Some(exit) = complete::answer() {
        return exit.into();
    }
    let cli = match Cli::try_parse() {
        Ok(cli) => cli,
        Err(error) => {
            let asked = matches!(error.kind(), clap::error::ErrorKind::DisplayHelp | clap::error::ErrorKind::DisplayVersion);
            // Nobody reads: that is no error.
            let _ = error.print();
            return if asked { Exit::Done } else { Exit::Usage }.into();
        }
    };
    if std::env::var_os("LOG_SENSITIVE_BODIES").is_some() {
        eprintln!("error: LOG_SENSITIVE_BODIES is set: it would write private keys into the log");
        eprintln!("  = help: unset it; meshform never runs with it");
        return Exit::Usage.into();
    }
    log::start(cli.global.verbose);
    hide_panics();
    run(&cli).into()
}

/// A panic's message may quote what was at hand: only its place is told.
fn hide_panics() {
    std::panic::set_hook(Box::new(|info| {
        let place = info.location().map(ToString::to_string).unwrap_or_default();
        eprintln!("internal error at {place}; what is done is in the state: the same command goes on. Please report it.");
    }));
}

fn run(cli: &Cli) -> Exit {
    std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| dispatch(cli))).unwrap_or(Exit::Internal)
}

fn dispatch(cli: &Cli) -> Exit {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().start_paused(cli.global.sandbox).build();
    let runtime = match runtime {
        Ok(runtime) => runtime,
        Err(error) => {
            eprintln!("error: the runtime can't be started: {error}");
            return Exit::Internal;
        }
    };
    runtime.block_on(async {
        let context = match Context::new(&cli.global) {
            Ok(context) => context,
            Err(exit) => return exit,
        };
        let exit = match &cli.command {
            Command::Init(args) => cmd::init::run(&context, args),
            Command::Validate(args) => cmd::validate::run(&context, args).await,
            Command::Config(args) => cmd::config::run(&context, args),
            Command::Plan(args) => cmd::plan::run(&context, args).await,
            Command::Apply(args) => cmd::apply::run(&context, args, false).await,
            Command::Import(args) => cmd::ownership::import(&context, args).await,
            Command::Release(args) => cmd::ownership::release(&context, args).await,
            Command::Destroy(args) => cmd::apply::run(&context, args, true).await,
            Command::Rotate(args) => cmd::rotate::run(&context, args).await,
            Command::Drift(args) => cmd::drift::run(&context, args).await,
            Command::Show(args) => cmd::show::run(&context, args).await,
            Command::Output(args) => cmd::output::run(&context, args).await,
            Command::Graph(args) => cmd::graph::run(&context, args).await,
            Command::State(args) => cmd::state::run(&context, args).await,
            Command::Sandbox(args) => cmd::sandbox::run(&context, args),
            Command::History(args) => cmd::history::run(&context, args).await,
            Command::Explain { code } => cmd::explain::run(code.as_deref()),
            Command::Template { command } => cmd::template::run(command),
            Command::Permissions(args) => cmd::permissions::run(&context, args).await,
            Command::Schema { of } => cmd::schema::run(*of),
            Command::Chart(args) => cmd::chart::run(&context, args).await,
            Command::Man(args) => cmd::man::run(args),
            Command::Completions { shell } => cmd::completions(*shell),
            Command::Version { json } => cmd::version(*json),
        };
        if let Some(sandbox) = &context.sandbox {
            let requests = sandbox.requests();
            let of_kube: u64 = requests.by_operation.iter().filter(|(name, _)| name.starts_with("kube:")).map(|(_, count)| count).sum();
            tracing::info!(requests = requests.total, aws = requests.total - of_kube, "the sandbox answered");
        }
        exit
    })
}
