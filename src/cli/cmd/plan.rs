//! `plan`

use crate::cli::args::PlanArgs;
use crate::cli::context::{Context, policy};
use crate::cli::exit::Exit;
use crate::cli::report;
use crate::cli::view::paint::Paint;
use crate::cli::view::{human, json};
use crate::ops;
use crate::store::Store as _;

pub(in crate::cli) async fn run(context: &Context, args: &PlanArgs) -> Exit {
    let loaded = match context.load(&args.stack) {
        Ok(loaded) => loaded,
        Err(exit) => return exit,
    };
    let policy = match policy(&args.part, &loaded, args.destroy) {
        Ok(policy) => policy,
        Err(exit) => return exit,
    };
    let made = async {
        let state = loaded.store.read()?;
        let world = context.connect(&loaded.stack).await?;
        ops::plan::plan(&loaded.graph, &state, &world, &policy).await
    };
    let plan = match made.await {
        Ok(plan) => plan,
        Err(error) => return report::failed(&error),
    };
    if args.json {
        println!("{:#}", json::plan(&plan));
    } else {
        print!("{}", human::plan(&plan, Paint::new(context.colour)));
    }
    if !plan.refusals.is_empty() {
        return Exit::Failed;
    }
    let is_pending = !plan.is_empty() || (args.part.refresh_only && !plan.drift.is_empty());
    if args.detailed_exitcode && is_pending { Exit::Pending } else { Exit::Done }
}
