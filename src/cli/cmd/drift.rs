//! `drift`

use crate::cli::args::DriftArgs;
use crate::cli::context::{Context, WithCharts};
use crate::cli::exit::Exit;
use crate::cli::report;
use crate::cli::view::diff::Diff;
use crate::cli::view::paint::Paint;
use crate::cli::view::{human, json};
use crate::ops;
use crate::plan::Policy;
use crate::store::Store as _;

pub(in crate::cli) async fn run(context: &Context, args: &DriftArgs) -> Exit {
    let loaded = match context.load(&args.stack, WithCharts::ForCluster).await {
        Ok(loaded) => loaded,
        Err(exit) => return exit,
    };
    let made = async {
        let state = loaded.store.read()?;
        let world = context.world(&loaded).await?;
        ops::plan::plan(&loaded.graph, &state, &world, &Policy::default()).await
    };
    let plan = match made.await {
        Ok(plan) => plan,
        Err(error) => return report::failed(&error),
    };
    // What stands in the way of an apply is no drift, but what is told must not hide that the look was not whole.
    let is_blind = plan.refusals.iter().any(|refusal| refusal.addr.is_none());
    if is_blind {
        print!("{}", human::plan(&plan, Paint::new(context.colour), Diff::Short));
        return Exit::Failed;
    }
    if args.json {
        let drift: Vec<_> = plan.drift.iter().map(json::resource_drift).collect();
        println!("{:#}", serde_json::json!({"format_version": json::FORMAT_VERSION, "resource_drift": drift}));
    } else if plan.drift.is_empty() {
        println!("No drift.");
    } else {
        print!("{}", human::drift(&plan.drift, Paint::new(context.colour)));
    }
    if args.detailed_exitcode && !plan.drift.is_empty() { Exit::Pending } else { Exit::Done }
}
