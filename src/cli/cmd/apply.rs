//! `apply` and `destroy`

use std::io::Write as _;

use crate::apply::{Applied, Options, Progress, Stop};
use crate::cli::args::ApplyArgs;
use crate::cli::context::{Context, Loaded, policy};
use crate::cli::exit::Exit;
use crate::cli::view::human;
use crate::cli::view::json::Stream;
use crate::cli::view::live::{Live, sum};
use crate::cli::view::paint::Paint;
use crate::cli::{report, signals};
use crate::ops::{self, OpError};
use crate::plan::Plan;
use crate::store::{Lease as _, Store as _};

pub(in crate::cli) async fn run(context: &Context, args: &ApplyArgs, destroy: bool) -> Exit {
    let loaded = if destroy { context.load_for_destroy(&args.stack) } else { context.load(&args.stack) };
    let loaded = match loaded {
        Ok(loaded) => loaded,
        Err(exit) => return exit,
    };
    let policy = match policy(&args.part, &loaded, destroy) {
        Ok(policy) => policy,
        Err(exit) => return exit,
    };
    let command = if destroy { "destroy" } else { "apply" };
    if !args.run.auto_approve && !context.is_interactive {
        return report::usage(
            &format!("{command} has to ask, and there is no terminal"),
            "look at `meshform plan`, and pass --auto-approve",
        );
    }
    let outcome = async {
        let mut lease = loaded.store.lease(&Context::holder(command))?;
        let world = context.connect(&loaded.stack).await?;
        let plan = ops::plan::plan(&loaded.graph, lease.state(), &world, &policy).await?;
        let stream = args.run.json.then(|| Stream::start(context.clock.clone()));
        let paint = Paint::new(context.colour);
        match &stream {
            Some(stream) => stream.plan(&plan),
            None => print!("{}", human::plan(&plan, paint)),
        }
        if !plan.refusals.is_empty() {
            return Ok(Exit::Failed);
        }
        if let Some(exit) = disagree(&plan, args, destroy) {
            return Ok(exit);
        }
        let options = Options {
            parallelism: usize::from(args.run.parallelism),
            no_wait: args.run.no_wait,
            verify_chain: loaded.stack.aws.as_ref().is_none_or(|aws| aws.verify_chain),
            limits: loaded.stack.timeouts.into(),
        };
        let stop = Stop::default();
        let caught = signals::listen(&stop);
        let total = plan.steps.iter().filter(|step| step.counts).count();
        let mut live = stream.is_none().then(|| Live::begin(total, context.is_interactive, paint, context.clock.clone()));
        let mut sink = |progress: Progress| match (&stream, &mut live) {
            (Some(stream), _) => stream.progress(&progress),
            (None, Some(live)) => live.take(&progress),
            (None, None) => {}
        };
        let is_empty = plan.is_empty();
        let applied = ops::apply::apply(plan, command, &world, &mut lease, &options, &stop, &mut sink).await?;
        if let Some(live) = live {
            live.end();
        }
        let Ok(applied) = applied else { return Ok(Exit::Failed) };
        let outputs = ops::outputs::outputs(lease.state());
        match &stream {
            Some(stream) => stream.end(&applied, &outputs),
            None if !is_empty => tell(&applied, &outputs, paint),
            None => {}
        }
        Ok::<Exit, OpError>(ended(&applied, caught.exit()))
    };
    match outcome.await {
        Ok(exit) => exit,
        Err(error) => report::failed(&error),
    }
}

/// Asks for consent; an exit code when there is none.
fn disagree(plan: &Plan, args: &ApplyArgs, destroy: bool) -> Option<Exit> {
    if plan.is_empty() {
        return None;
    }
    if !args.run.auto_approve {
        let question = if destroy { "Destroy all of this?" } else { "Apply this?" };
        if !ask(question) {
            eprintln!("nothing was changed");
            return Some(Exit::Failed);
        }
    }
    if plan.needs_rebuilt_consent && !args.approve_rebuilt_deletions {
        let may_ask = !args.run.auto_approve;
        if !(may_ask && ask("The state was lost and found again from tags and labels. Delete what only it speaks of?")) {
            eprintln!("error: some deletions rest on the rebuilt state alone");
            eprintln!("  = help: look at the plan, and pass --approve-rebuilt-deletions; nothing was changed");
            return Some(Exit::Failed);
        }
    }
    None
}

/// Asks; only `yes` counts.
fn ask(question: &str) -> bool {
    eprint!("\n{question} Only `yes` counts: ");
    let _ = std::io::stderr().flush();
    let mut answer = String::new();
    std::io::stdin().read_line(&mut answer).is_ok() && answer.trim() == "yes"
}

fn tell(applied: &Applied, outputs: &std::collections::BTreeMap<String, serde_json::Value>, paint: Paint) {
    let line = sum(applied);
    let painted = if applied.is_complete() { paint.green(&line) } else { paint.yellow(&line) };
    println!("{painted}");
    for (addr, what) in &applied.waiting {
        println!("  {addr} waits for {what}: the same command goes on");
    }
    if !outputs.is_empty() {
        println!("\nOutputs:");
        for (name, value) in outputs {
            println!("  {name} = {value}");
        }
    }
}

/// The exit code of a run.
pub(in crate::cli) fn ended(applied: &Applied, stopped: Exit) -> Exit {
    if let Some(error) = &applied.store_error {
        eprintln!("error: {error}");
        eprintln!("  = help: mend that and run the same command again: what was done is found again by tags and labels");
    }
    if applied.is_stopped && !applied.is_complete() {
        stopped
    } else if applied.is_complete() {
        Exit::Done
    } else if applied.has_done() || !applied.waiting.is_empty() {
        Exit::Partial
    } else {
        Exit::Failed
    }
}

/// What `rotate` shares with `apply`.
pub(in crate::cli) fn verify_chain(loaded: &Loaded) -> bool {
    loaded.stack.aws.as_ref().is_none_or(|aws| aws.verify_chain)
}
