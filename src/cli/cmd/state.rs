//! `state`

use crate::addr::Addr;
use crate::cli::args::{ReadArgs, StackArgs, StateArgs, StateCommand};
use crate::cli::context::{Context, Loaded, WithCharts};
use crate::cli::exit::Exit;
use crate::cli::report;
use crate::cli::view::diff::Diff;
use crate::cli::view::human;
use crate::cli::view::paint::Paint;
use crate::event::Event;
use crate::ops::{self, OpError};
use crate::state::format;
use crate::store::{Lease as _, Store as _};

pub(in crate::cli) async fn run(context: &Context, args: &StateArgs) -> Exit {
    let outcome = match &args.command {
        StateCommand::List(args) => with(context, &args.stack, |loaded| list(loaded, args)).await,
        StateCommand::Show(args) => {
            with(context, &args.stack, |loaded| {
                print!("{}", format::write(&loaded.store.read()?, 0));
                Ok(Exit::Done)
            })
            .await
        }
        StateCommand::Rm { stack, addr } => with(context, stack, |loaded| remove(loaded, addr)).await,
        StateCommand::Mv(args) => Ok(super::ownership::rename(context, args).await),
        StateCommand::Rebuild { stack } => match context.load(stack, WithCharts::ForCluster).await {
            Ok(loaded) => rebuild(context, &loaded).await,
            Err(exit) => Ok(exit),
        },
    };
    match outcome {
        Ok(exit) => exit,
        Err(error) => report::failed(&error),
    }
}

async fn with(context: &Context, stack: &StackArgs, work: impl FnOnce(&Loaded) -> Result<Exit, OpError>) -> Result<Exit, OpError> {
    match context.load(stack, WithCharts::LeftOut).await {
        Ok(loaded) => work(&loaded),
        Err(exit) => Ok(exit),
    }
}

fn list(loaded: &Loaded, args: &ReadArgs) -> Result<Exit, OpError> {
    let state = loaded.store.read()?;
    let known = state.resources.iter().filter(|(_, known)| known.current.is_some());
    let known: Vec<String> =
        known.map(|(addr, _)| addr.to_string()).filter(|addr| args.target.as_ref().is_none_or(|t| t == addr)).collect();
    if args.json {
        println!("{:#}", serde_json::json!(known));
    } else {
        for addr in known {
            println!("{addr}");
        }
    }
    Ok(Exit::Done)
}

fn remove(loaded: &Loaded, texts: &[String]) -> Result<Exit, OpError> {
    let mut lease = loaded.store.lease(&Context::holder("state rm"))?;
    let mut addrs: Vec<Addr> = Vec::new();
    for text in texts {
        let known = text.parse::<Addr>().ok().filter(|addr| lease.state().resources.contains_key(addr));
        let Some(addr) = known else {
            eprintln!("error: the state knows no `{text}`; nothing was forgotten");
            let names: Vec<String> = lease.state().resources.keys().map(ToString::to_string).collect();
            if let Some(near) = crate::diag::nearest(text, names.iter().map(String::as_str)) {
                eprintln!("  = help: did you mean `{near}`?");
            }
            return Ok(Exit::Failed);
        };
        addrs.push(addr);
    }
    for addr in addrs {
        lease.record(Event::Forgotten { addr: addr.clone() })?;
        println!("{addr} is forgotten; what is there stays, and its marks lead the next plan back to it");
    }
    lease.save()?;
    Ok(Exit::Done)
}

async fn rebuild(context: &Context, loaded: &Loaded) -> Result<Exit, OpError> {
    let mut lease = loaded.store.lease(&Context::holder("state rebuild"))?;
    let world = context.world(loaded).await?;
    let plan = ops::rebuild::rebuild(&loaded.graph, &world, &mut lease).await?;
    if !plan.refusals.is_empty() {
        print!("{}", human::plan(&plan, Paint::new(context.colour), Diff::Short));
        return Ok(Exit::Failed);
    }
    let count = lease.state().resources.values().filter(|known| known.current.is_some()).count();
    println!("The state knows {count} resources; {} facts were new to it.", plan.refresh.len());
    Ok(Exit::Done)
}
