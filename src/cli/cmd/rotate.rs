//! `rotate`

use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::path::Path;

use serde_json::json;

use crate::addr::Addr;
use crate::apply::{Applied, Options, Progress, Stop};
use crate::cli::args::RotateArgs;
use crate::cli::context::{Context, Loaded, WithCharts};
use crate::cli::exit::Exit;
use crate::cli::view::diff::Diff;
use crate::cli::view::human;
use crate::cli::view::live::Live;
use crate::cli::view::paint::Paint;
use crate::cli::{report, signals};
use crate::ops::rotate::Report;
use crate::ops::{self, OpError};
use crate::plan::{Action, Plan, Policy};
use crate::resource::Spec;
use crate::resource::certificate::Source;
use crate::store::{Lease as _, Store as _};

pub(in crate::cli) async fn run(context: &Context, args: &RotateArgs) -> Exit {
    let loaded = match context.load(&args.stack, WithCharts::LeftOut).await {
        Ok(loaded) => loaded,
        Err(exit) => return exit,
    };
    let reissue = match reissue(args, &loaded) {
        Ok(reissue) => reissue,
        Err(exit) => return exit,
    };
    let prices = loaded.stack.aws.as_ref().map(|aws| aws.prices.clone());
    let policy = Policy { rotate: true, replace: reissue, prices, ..Policy::default() };
    match rotate(context, args, &loaded, &policy).await {
        Ok(exit) => exit,
        Err(error) => report::failed(&error),
    }
}

fn reissue(args: &RotateArgs, loaded: &Loaded) -> Result<BTreeSet<Addr>, Exit> {
    let known: BTreeSet<Addr> =
        loaded.graph.resources().filter(|resource| matches!(resource.spec, Spec::Certificate(_))).map(|r| r.addr.clone()).collect();
    // What is imported or only read is made elsewhere.
    let is_requested = |addr: &&Addr| match loaded.graph.get(addr).map(|resource| &resource.spec) {
        Some(Spec::Certificate(spec)) => spec.has_records() || matches!(spec.source, Source::PrivateCa(_)),
        _ => false,
    };
    let requested: BTreeSet<Addr> = known.iter().filter(is_requested).cloned().collect();
    let mut wanted = BTreeSet::new();
    for text in &args.reissue {
        if text == "*" {
            wanted.extend(requested.iter().cloned());
            continue;
        }
        let addr = text.parse::<Addr>().unwrap_or_else(|_| Addr::certificate(text));
        if !known.contains(&addr) {
            let names: Vec<&str> = known.iter().map(Addr::name).collect();
            let help = crate::diag::nearest(addr.name(), names).map(|near| format!("did you mean `{near}`?")).unwrap_or_default();
            return Err(report::usage(&format!("the stack has no certificate `{text}`"), &help));
        }
        if !requested.contains(&addr) {
            let help = "put the new one in place of its files, or wait until whoever made it has renewed it: `rotate` carries it";
            return Err(report::usage(&format!("the certificate `{text}` is not requested by this stack"), help));
        }
        wanted.insert(addr);
    }
    Ok(wanted)
}

async fn rotate(context: &Context, args: &RotateArgs, loaded: &Loaded, policy: &Policy) -> Result<Exit, OpError> {
    let paint = Paint::new(context.colour);
    if args.dry_run {
        let state = loaded.store.read()?;
        let world = context.world(loaded).await?;
        let plan = ops::plan::plan(&loaded.graph, &state, &world, policy).await?;
        if args.json {
            println!("{:#}", crate::cli::view::json::plan(&plan));
        } else {
            print!("{}", human::plan(&plan, paint, Diff::Short));
        }
        let is_pending = !plan.is_empty();
        return Ok(match (plan.refusals.is_empty() && plan.left_out.is_empty(), args.detailed_exitcode && is_pending) {
            (false, _) => Exit::Failed,
            (true, true) => Exit::Pending,
            (true, false) => Exit::Done,
        });
    }
    let mut lease = loaded.store.lease(&Context::holder("rotate"))?;
    let world = context.world(loaded).await?;
    let plan = ops::plan::plan(&loaded.graph, lease.state(), &world, policy).await?;
    if !plan.refusals.is_empty() {
        eprint!("{}", human::plan(&plan, paint, Diff::Short));
        return Ok(Exit::Failed);
    }
    if !args.json && (!plan.is_empty() || !plan.notes.is_empty() || !plan.left_out.is_empty()) {
        eprint!("{}", human::plan(&plan, paint, Diff::Short));
    }
    let options = Options {
        parallelism: usize::from(args.parallelism),
        no_wait: false,
        verify_chain: super::apply::verify_chain(loaded),
        limits: loaded.stack.timeouts.into(),
        imported: loaded.imported.clone(),
    };
    let stop = Stop::default();
    let caught = signals::listen(&stop);
    let mut live = Live::begin(plan.steps.len(), context.is_interactive && !args.json, paint, context.clock.clone());
    let mut sink = |progress: Progress| live.take(&progress);
    let planned = plan.clone();
    let applied = ops::apply::apply(plan, ("rotate", &Context::by()), &world, &mut lease, &options, &stop, &mut sink).await?;
    live.end();
    let Ok(applied) = applied else { return Ok(Exit::Failed) };
    let reports = ops::rotate::report(&loaded.graph, lease.state(), &planned, &applied);
    if args.json {
        println!("{:#}", as_json(&reports, &applied, &planned));
    } else {
        print!("{}", as_text(&reports, paint));
    }
    if let Some(path) = &args.metrics
        && let Err(error) = write_metrics(path, context, loaded, &reports, applied.is_complete() && planned.left_out.is_empty())
    {
        eprintln!("error: the metrics file {} can't be written: {error}", path.display());
        return Ok(Exit::Partial);
    }
    let exit = super::apply::ended(&applied, caught.exit());
    let delivered = applied.has_done();
    if exit == Exit::Done && !planned.left_out.is_empty() {
        return Ok(if delivered { Exit::Partial } else { Exit::Failed });
    }
    Ok(if exit == Exit::Done && delivered && args.detailed_exitcode { Exit::Pending } else { exit })
}

fn as_text(reports: &[Report], paint: Paint) -> String {
    let mut out = String::new();
    for report in reports {
        let what = match (&report.leaf, &report.not_after) {
            (Some(leaf), Some(not_after)) => format!("serial {} valid until {not_after}", clip(&leaf.serial)),
            _ => "not issued".to_owned(),
        };
        let _ = writeln!(out, "{}  {what}", paint.bold(&report.certificate.to_string()));
        for place in &report.places {
            let (glyph, text) = match (place.is_current, place.action) {
                (true, Action::NoOp) => (paint.green("✓"), "holds it already"),
                (true, _) => (paint.green("✓"), "holds it now"),
                (false, _) => (paint.red("✗"), "does not hold it"),
            };
            let _ = writeln!(out, "  {glyph} {}  {text}", place.addr);
        }
    }
    out
}

fn clip(serial: &str) -> String {
    if serial.len() > 24 { format!("{}…", &serial[..24]) } else { serial.to_owned() }
}

fn as_json(reports: &[Report], applied: &Applied, plan: &Plan) -> serde_json::Value {
    let certificates: Vec<_> = reports
        .iter()
        .map(|report| {
            let places: Vec<_> = report
                .places
                .iter()
                .map(|place| json!({"address": place.addr.to_string(), "current": place.is_current, "action": place.action.as_str()}))
                .collect();
            json!({
                "address": report.certificate.to_string(),
                "serial": report.leaf.as_ref().map(|leaf| leaf.serial.clone()),
                "not_after": report.not_after,
                "places": places,
            })
        })
        .collect();
    let failed: Vec<_> =
        applied.failed.iter().map(|(addr, error)| json!({"address": addr.to_string(), "error": error.to_string()})).collect();
    let left_out: Vec<_> = plan
        .left_out
        .iter()
        .map(|one| json!({"address": one.addr.as_ref().map(ToString::to_string), "code": one.code, "reason": one.reason}))
        .collect();
    let is_complete = applied.is_complete() && left_out.is_empty();
    json!({"format_version": "1.0", "certificates": certificates, "failed": failed, "left_out": left_out, "complete": is_complete})
}

/// Writes the metrics beside the file and moves them into place, as node-exporter's text file collector wants it.
fn write_metrics(path: &Path, context: &Context, loaded: &Loaded, reports: &[Report], is_complete: bool) -> std::io::Result<()> {
    let now = context.clock.now().as_second();
    let stack = label(&loaded.stack.name);
    let mut text = String::new();
    let _ = writeln!(text, "# HELP meshform_certificate_expiry_days Days until the certificate's end of validity.");
    let _ = writeln!(text, "# TYPE meshform_certificate_expiry_days gauge");
    for report in reports {
        if let Some(leaf) = &report.leaf {
            let left = leaf.not_after - now;
            let _ = writeln!(
                text,
                "meshform_certificate_expiry_days{{stack=\"{stack}\",certificate=\"{}\"}} {}.{:02}",
                label(report.certificate.name()),
                left / 86_400,
                left.rem_euclid(86_400) * 100 / 86_400
            );
        }
    }
    let _ = writeln!(text, "# HELP meshform_delivery_current Whether the place holds the certificate as it is now.");
    let _ = writeln!(text, "# TYPE meshform_delivery_current gauge");
    for (report, place) in reports.iter().flat_map(|report| report.places.iter().map(move |place| (report, place))) {
        let _ = writeln!(
            text,
            "meshform_delivery_current{{stack=\"{stack}\",certificate=\"{}\",place=\"{}\"}} {}",
            label(report.certificate.name()),
            label(&place.addr.to_string()),
            u8::from(place.is_current)
        );
    }
    let _ = writeln!(text, "# HELP meshform_rotate_success Whether the last rotation was complete.");
    let _ = writeln!(text, "# TYPE meshform_rotate_success gauge");
    let _ = writeln!(text, "meshform_rotate_success{{stack=\"{stack}\"}} {}", u8::from(is_complete));
    let _ = writeln!(text, "# HELP meshform_rotate_last_success_timestamp_seconds When a rotation was last complete.");
    let _ = writeln!(text, "# TYPE meshform_rotate_last_success_timestamp_seconds gauge");
    let last = if is_complete { Some(now) } else { last_success(path) };
    if let Some(last) = last {
        let _ = writeln!(text, "meshform_rotate_last_success_timestamp_seconds{{stack=\"{stack}\"}} {last}");
    }
    let beside = path.with_extension(format!("prom.{}.new", std::process::id()));
    std::fs::write(&beside, text)?;
    std::fs::rename(&beside, path)
}

/// The last success as the file tells it: a failed run keeps it.
fn last_success(path: &Path) -> Option<i64> {
    let text = std::fs::read_to_string(path).ok()?;
    let line = text.lines().find(|line| line.starts_with("meshform_rotate_last_success_timestamp_seconds{"))?;
    line.rsplit(' ').next()?.parse().ok()
}

fn label(text: &str) -> String {
    text.replace('\\', "\\\\").replace('"', "\\\"").replace('\n', "\\n")
}
