//! `import`, `release` and `state mv`: what changes hands, and nothing else.

use std::collections::BTreeSet;

use super::apply::{Consent, carry_out};
use crate::addr::{Addr, AwsKind};
use crate::cli::args::{ImportArgs, MoveArgs, ReleaseArgs, RunArgs, StackArgs};
use crate::cli::context::{Context, Loaded, WithCharts, address, policy};
use crate::cli::exit::Exit;
use crate::cli::report;
use crate::cli::view::diff::Diff;
use crate::graph::Graph;
use crate::plan::Policy;
use crate::stack::{is_of_charts, section};
use crate::state::Moves;
use crate::store::Store as _;

/// `import`
pub(in crate::cli) async fn import(context: &Context, args: &ImportArgs) -> Exit {
    let (loaded, base) = match open(context, &args.stack, false).await {
        Ok(opened) => opened,
        Err(exit) => return exit,
    };
    let addr = match wanted(&loaded, &args.addr) {
        Ok(addr) => addr,
        Err(exit) => return exit,
    };
    let is_arn = args.id.starts_with("arn:");
    let fits = match addr.aws_kind() {
        Some(AwsKind::AcmCertificate) => is_arn,
        Some(AwsKind::SecretsManagerSecret | AwsKind::AcmValidationRecord | AwsKind::Route53Record) => true,
        None => addr.to_string().ends_with(&format!("/{}", args.id)),
    };
    if !fits {
        let help = match addr.aws_kind() {
            Some(_) => "a certificate is imported by its ARN".to_owned(),
            None => format!("an object is what its address says: `{}`", addr.to_string().split_once('/').map_or("", |(_, name)| name)),
        };
        return report::usage(&format!("`{}` is no id of `{addr}`", args.id), &help);
    }
    let targets = BTreeSet::from([addr.clone()]);
    // An object's fields are ours when they are sent: that is more than marks.
    let exactly = !addr.is_kube();
    let imports = [(addr, args.id.clone())].into();
    let policy = Policy { targets, imports, exactly, ..base };
    run(context, &loaded, &policy, "import", &args.run, "Take this over?").await
}

/// `release`
pub(in crate::cli) async fn release(context: &Context, args: &ReleaseArgs) -> Exit {
    let (loaded, base) = match open(context, &args.stack, true).await {
        Ok(opened) => opened,
        Err(exit) => return exit,
    };
    let mut released = BTreeSet::new();
    for text in &args.addr {
        match known(&loaded, text) {
            Ok(addrs) => released.extend(addrs),
            Err(exit) => return exit,
        }
    }
    let still: Vec<&Addr> = released.iter().filter(|addr| loaded.graph.contains(addr)).collect();
    if let Some(one) = still.first() {
        eprintln!("note: the stack still has `{one}`: take it out, or the next plan is refused, as it belongs to nobody");
    }
    let policy = Policy { destroy: true, targets: released.clone(), released, exactly: true, ..base };
    run(context, &loaded, &policy, "release", &args.run, "Let this go?").await
}

/// `state mv`
pub(in crate::cli) async fn rename(context: &Context, args: &MoveArgs) -> Exit {
    let (loaded, base) = match open(context, &args.stack, false).await {
        Ok(opened) => opened,
        Err(exit) => return exit,
    };
    let pairs = match (known(&loaded, &args.from), addresses(&loaded, &args.to)) {
        (Ok(from), Ok(to)) => (from, to),
        (Err(exit), _) | (_, Err(exit)) => return exit,
    };
    let (from, to) = match pairs {
        (from, to) if from.len() <= to.len() => (from, to),
        _ => {
            return report::usage(&format!("`{}` and `{}` are not of one kind", args.from, args.to), "name two sections, or two addresses");
        }
    };
    let mut moves = Vec::new();
    for old in from {
        let Some(new) = to.iter().find(|new| new.aws_kind().is_some() && new.aws_kind() == old.aws_kind()) else {
            let help = "only certificates and their secrets have keys of the stack's; an object's name is what the cluster knows it by";
            return report::usage(&format!("`{old}` can't be renamed to `{}`", args.to), help);
        };
        if !loaded.graph.contains(new) {
            return report::usage(&format!("the stack has no `{new}`"), "rename it in the stack file first");
        }
        if loaded.graph.contains(&old) {
            return report::usage(&format!("the stack still has `{old}`"), "rename it in the stack file first");
        }
        moves.push((old, new.clone()));
    }
    let targets = moves.iter().map(|(_, new)| new.clone()).collect();
    let moves = base.moves.clone().with(moves.into_iter().collect::<Moves>());
    let policy = Policy { targets, moves, exactly: true, ..base };
    let run_args = RunArgs { auto_approve: true, parallelism: 10, no_wait: false, json: false };
    run(context, &loaded, &policy, "state mv", &run_args, "Rename this?").await
}

async fn run(context: &Context, loaded: &Loaded, policy: &Policy, command: &str, args: &RunArgs, question: &'static str) -> Exit {
    let consent = Consent { is_given: args.auto_approve, to_rebuilt_deletions: false, expected: None, question };
    carry_out(context, loaded, policy, command, args, Diff::default(), &consent, None).await
}

async fn open(context: &Context, stack: &StackArgs, is_leaving: bool) -> Result<(Loaded, Policy), Exit> {
    let loaded = if is_leaving { context.load_for_destroy(stack, false).await } else { context.load(stack, WithCharts::ForCluster).await }?;
    let base = policy(&crate::cli::args::PartArgs::default(), &loaded, false)?;
    Ok((loaded, base))
}

/// An address that the stack has.
fn wanted(loaded: &Loaded, text: &str) -> Result<Addr, Exit> {
    let names = names(&loaded.graph);
    let addr = address(text, &names)?;
    if loaded.graph.contains(&addr) {
        return Ok(addr);
    }
    let near = crate::diag::nearest(text, names.iter().map(String::as_str));
    let help = near.map_or("write it into the stack first".to_owned(), |near| format!("did you mean `{near}`?"));
    Err(report::usage(&format!("the stack has no `{text}`"), &help))
}

/// The addresses that a text names.
fn addresses(loaded: &Loaded, text: &str) -> Result<Vec<Addr>, Exit> {
    match section(text) {
        Some(addrs) => Ok(addrs),
        None => address(text, &names(&loaded.graph)).map(|addr| vec![addr]),
    }
}

/// Those of them that the state knows; without a state, all.
fn known(loaded: &Loaded, text: &str) -> Result<Vec<Addr>, Exit> {
    let state = loaded.store.read().unwrap_or_default();
    if is_of_charts(text) {
        let addrs: Vec<Addr> = state.of_releases(text).cloned().collect();
        let help = "`state list` tells what it knows; one that was lost learns what belongs to a chart at the next apply";
        return if addrs.is_empty() { Err(report::usage(&format!("the state knows nothing of `{text}`"), help)) } else { Ok(addrs) };
    }
    let addrs = addresses(loaded, text)?;
    let known: Vec<Addr> = addrs.iter().filter(|addr| state.resources.contains_key(*addr)).cloned().collect();
    if !known.is_empty() {
        return Ok(known);
    }
    if state.serial == 0 {
        return Ok(addrs);
    }
    let names: Vec<String> = state.resources.keys().map(ToString::to_string).collect();
    let near = crate::diag::nearest(text, names.iter().map(String::as_str));
    Err(report::usage(&format!("the state knows no `{text}`"), &near.map(|near| format!("did you mean `{near}`?")).unwrap_or_default()))
}

fn names(graph: &Graph) -> BTreeSet<String> {
    graph.resources().map(|resource| resource.addr.to_string()).collect()
}
