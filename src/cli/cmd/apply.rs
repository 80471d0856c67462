//! `apply` and `destroy`

use std::io::Write as _;
use std::path::Path;

use crate::apply::{Applied, Options, Progress, Stop};
use crate::cli::args::{ApplyArgs, RunArgs, StackArgs};
use crate::cli::context::{Context, Loaded, WithCharts, policy};
use crate::cli::exit::Exit;
use crate::cli::view::diff::Diff;
use crate::cli::view::human;
use crate::cli::view::json::Stream;
use crate::cli::view::live::{Live, sum};
use crate::cli::view::paint::Paint;
use crate::cli::{report, signals};
use crate::ops::{self, OpError};
use crate::plan::saved::{Decisions, SavedPlan};
use crate::plan::{Plan, Policy};
use crate::store::{Lease as _, Store as _, plan_file};

pub(in crate::cli) async fn run(context: &Context, args: &ApplyArgs, destroy: bool) -> Exit {
    if args.diff == Diff::Local {
        return report::usage("`--diff local` is a guess, and nothing is carried out by it", "look at `meshform plan --diff local`");
    }
    let saved = match saved_plan(args, destroy) {
        Ok(saved) => saved,
        Err(exit) => return exit,
    };
    let destroy = destroy || saved.as_ref().is_some_and(|saved| saved.request.is_destroy());
    let stack = saved.as_ref().map_or_else(|| args.stack.clone(), |saved| StackArgs::of(&saved.source));
    let loaded = if destroy { context.load_for_destroy(&stack, true).await } else { context.load(&stack, WithCharts::ForCluster).await };
    let loaded = match loaded {
        Ok(loaded) => loaded,
        Err(exit) => return exit,
    };
    let policy = match policy(&args.part, &loaded, destroy) {
        Ok(policy) => saved.as_ref().map_or(policy.clone(), |saved| saved.request.policy(policy)),
        Err(exit) => return exit,
    };
    let command = if destroy { "destroy" } else { "apply" };
    let consent = Consent {
        is_given: args.run.auto_approve || saved.is_some() || args.expect.is_some(),
        to_rebuilt_deletions: args.approve_rebuilt_deletions,
        expected: args.expect.as_deref(),
        question: if destroy { "Destroy all of this?" } else { "Apply this?" },
    };
    carry_out(context, &loaded, &policy, command, &args.run, args.diff, &consent, saved.as_ref()).await
}

/// What was agreed to beforehand, and what is asked.
pub(in crate::cli) struct Consent<'a> {
    pub(in crate::cli) is_given: bool,
    pub(in crate::cli) to_rebuilt_deletions: bool,
    pub(in crate::cli) expected: Option<&'a str>,
    pub(in crate::cli) question: &'static str,
}

/// Makes a plan, shows it, asks, and carries it out.
#[allow(clippy::too_many_arguments)]
pub(in crate::cli) async fn carry_out(
    context: &Context,
    loaded: &Loaded,
    policy: &Policy,
    command: &str,
    run: &RunArgs,
    diff: Diff,
    consent: &Consent<'_>,
    saved: Option<&SavedPlan>,
) -> Exit {
    if !consent.is_given && !context.is_interactive {
        return report::usage(
            &format!("{command} has to ask, and there is no terminal"),
            "look at `meshform plan`, and pass --auto-approve",
        );
    }
    let outcome = async {
        let mut lease = loaded.store.lease(&Context::holder(command))?;
        let world = context.world(loaded).await?;
        let mut plan = ops::plan::plan(&loaded.graph, lease.state(), &world, policy).await?;
        plan.notes.extend(loaded.note.clone());
        if let Some(saved) = saved {
            plan = match saved.hold(&loaded.graph, plan) {
                Ok(plan) => plan,
                Err(differences) => return Ok(report::stale(&differences)),
            };
        }
        let stream = run.json.then(|| Stream::start(context.clock.clone()));
        let paint = Paint::new(context.colour);
        match &stream {
            Some(stream) => stream.plan(&plan),
            None => print!("{}", human::plan(&plan, paint, diff)),
        }
        if !plan.refusals.is_empty() {
            return Ok(Exit::Failed);
        }
        let expected = consent.expected.map(|expected| (expected, Decisions::of(&plan).digest()));
        if let Some((expected, digest)) = expected.filter(|(expected, digest)| expected != digest) {
            eprintln!("error[plan/unexpected]: the plan above has the digest {digest}, and {expected} was expected; nothing was changed");
            eprintln!("  = help: look at it with `meshform plan`, and have it approved again");
            return Ok(Exit::Failed);
        }
        if let Some(exit) = disagree(&plan, consent) {
            return Ok(exit);
        }
        let options = Options {
            parallelism: usize::from(run.parallelism),
            no_wait: run.no_wait,
            verify_chain: loaded.stack.aws.as_ref().is_none_or(|aws| aws.verify_chain),
            limits: loaded.stack.timeouts.into(),
            imported: loaded.imported.clone(),
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
        let applied = ops::apply::apply(plan, (command, &Context::by()), &world, &mut lease, &options, &stop, &mut sink).await?;
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

/// The saved plan that stands in the stack's place, if one does. It says itself what is to be done, and from what.
fn saved_plan(args: &ApplyArgs, destroy: bool) -> Result<Option<SavedPlan>, Exit> {
    let path = Path::new(&args.stack.stack);
    if !plan_file::is_saved(path) {
        return Ok(None);
    }
    if !args.part.is_empty() || !args.stack.vars.is_empty() || !args.stack.var_files.is_empty() {
        return Err(report::usage(
            &format!("{} is a saved plan, and says itself what is to be done", path.display()),
            "leave out the flags and variables, or make another plan with them",
        ));
    }
    let saved = plan_file::read(path).map_err(|error| report::plan_file(&error))?;
    if destroy && !saved.request.is_destroy() {
        let help = "`meshform apply` carries it out";
        return Err(report::usage(&format!("{} is not a plan to destroy", path.display()), help));
    }
    Ok(Some(saved))
}

/// Asks for consent; an exit code when there is none.
fn disagree(plan: &Plan, consent: &Consent<'_>) -> Option<Exit> {
    if plan.is_empty() {
        return None;
    }
    if !consent.is_given && !ask(consent.question) {
        eprintln!("nothing was changed");
        return Some(Exit::Failed);
    }
    if plan.needs_rebuilt_consent && !consent.to_rebuilt_deletions {
        let may_ask = !consent.is_given;
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
