//! `plan`

use crate::cli::args::PlanArgs;
use crate::cli::context::{Context, WithCharts, policy};
use crate::cli::exit::Exit;
use crate::cli::report;
use crate::cli::view::diff::Diff;
use crate::cli::view::paint::Paint;
use crate::cli::view::{human, json};
use crate::helm::KubeVersion;
use crate::ops;
use crate::plan::Policy;
use crate::plan::saved::{SavedPlan, Source};
use crate::store::{Store as _, plan_file};

pub(in crate::cli) async fn run(context: &Context, args: &PlanArgs) -> Exit {
    let version = match args.kube_version.as_deref().map(KubeVersion::parse).transpose() {
        Ok(version) => version,
        Err(error) => return report::usage(&format!("--kube-version: {error}"), "write it like 1.36 or v1.36.3"),
    };
    let with = if args.offline { WithCharts::FromState(version, args.api_versions.clone()) } else { WithCharts::ForCluster };
    let loaded =
        if args.destroy { context.load_for_destroy(&args.stack, !args.offline).await } else { context.load(&args.stack, with).await };
    let loaded = match loaded {
        Ok(loaded) => loaded,
        Err(exit) => return exit,
    };
    if args.diff == Diff::Local && args.out.is_some() {
        return report::usage("a plan that was compared here only is a guess, and can't be saved", "leave out `--diff local`");
    }
    let policy = match policy(&args.part, &loaded, args.destroy) {
        Ok(policy) => Policy { is_local: args.diff == Diff::Local, ..policy },
        Err(exit) => return exit,
    };
    let made = async {
        let state = loaded.store.read()?;
        if args.offline {
            let mut plan = ops::plan::offline(&loaded.graph, &state, &policy, context.clock.now());
            let asked = loaded.look_ups.iter().map(|one| format!("{} {}", one.kind, one.name)).collect::<Vec<_>>().join(", ");
            if !asked.is_empty() {
                plan.notes.push(format!("charts look up what only the cluster knows ({asked}): it counts as absent"));
            }
            return Ok(plan);
        }
        let world = context.world(&loaded).await?;
        ops::plan::plan(&loaded.graph, &state, &world, &policy).await
    };
    let mut plan = match made.await {
        Ok(plan) => plan,
        Err(error) => return report::failed(&error),
    };
    plan.notes.extend(loaded.note.clone());
    let plain = Paint::new(false);
    if let Some(path) = args.out.as_ref().filter(|_| plan.refusals.is_empty()) {
        let file = |path: &std::path::PathBuf| path.to_string_lossy().into_owned();
        let source = Source {
            stack: args.stack.stack.clone(),
            vars: args.stack.vars.clone(),
            var_files: args.stack.var_files.iter().map(file).collect(),
            graph: loaded.graph.digest(),
        };
        let saved = SavedPlan::new(&plan, &policy, source, human::plan(&plan, plain, args.diff), json::plan(&plan));
        if let Err(error) = plan_file::write(path, &saved) {
            return report::plan_file(&error);
        }
        eprintln!("The plan is saved in {}, digest {}.", path.display(), saved.digest);
        eprintln!("Look at it with `meshform show {0}`, carry it out with `meshform apply {0}`.", path.display());
    }
    if args.json {
        println!("{:#}", json::plan(&plan));
    } else {
        print!("{}", human::plan(&plan, Paint::new(context.colour), args.diff));
    }
    if !plan.refusals.is_empty() {
        return Exit::Failed;
    }
    let is_pending = !plan.is_empty() || (args.part.refresh_only && !plan.drift.is_empty());
    if args.detailed_exitcode && is_pending { Exit::Pending } else { Exit::Done }
}
