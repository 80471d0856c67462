//! Plans for people.

use std::fmt::Write as _;

use super::diff::{self, Diff};
use super::paint::Paint;
use crate::plan::marks::is_mark;
use crate::plan::{Action, Change, Drift, Plan, Refusal, Step};
use crate::resource::Spec;
use crate::resource::certificate::Source;
use crate::resource::hole::Hole;

/// From this number of steps on the gravest are told again at the end, where a person looks.
const MANY: usize = 12;
/// How many of the gravest.
const GRAVEST: usize = 5;

/// A plan in words: what is in the way, what drifted, what would change, and the sum.
pub(crate) fn plan(plan: &Plan, paint: Paint, diff: Diff) -> String {
    let mut out = String::new();
    for refusal in plan.refusals.iter().chain(&plan.left_out) {
        out.push_str(&self::refusal(refusal, paint));
    }
    if !plan.refusals.is_empty() {
        return out;
    }
    if plan.is_rebuilt {
        let _ = writeln!(out, "{}", paint.yellow("The state was found again from tags and labels."));
    }
    out.push_str(&drift(&plan.drift, paint));
    for step in plan.steps.iter().filter(|step| step.counts || step.action == Action::Read) {
        out.push_str(&self::step(step, plan, paint, diff));
    }
    let later: Vec<&Step> = plan.steps.iter().filter(|step| !step.counts && step.is_deposed && plan.is_empty()).collect();
    for step in later {
        let _ = writeln!(out, "{} {}: {}", paint.dim("later:"), step.addr, step.reason);
    }
    for note in &plan.notes {
        let _ = writeln!(out, "{} {note}", paint.cyan("note:"));
    }
    if plan.is_empty() {
        let _ = writeln!(out, "{} {} unchanged.", paint.green("No changes."), plan.unchanged);
        return out;
    }
    let steps = plan.steps.iter().filter(|step| step.counts).count();
    let gravest = if steps >= MANY { gravest(plan) } else { Vec::new() };
    if !gravest.is_empty() {
        let _ = writeln!(out, "\n{}", paint.bold("The gravest of it:"));
        for (_, step, what) in gravest.iter().take(GRAVEST) {
            let _ = writeln!(out, "  {} {what}: {}", step.addr, step.reason);
        }
        if gravest.len() > GRAVEST {
            let _ = writeln!(out, "  … and {} more that are replaced, removed, taken or restarted", gravest.len() - GRAVEST);
        }
    }
    out.push_str(&cost(plan));
    let _ = writeln!(out, "{}", paint.bold(&summary(plan)));
    if plan.needs_rebuilt_consent {
        let text = "Some deletions rest on the rebuilt state alone: they need --approve-rebuilt-deletions, or a yes of their own.";
        let _ = writeln!(out, "{}", paint.yellow(text));
    }
    out
}

/// The drift section; empty without drift.
pub(crate) fn drift(drift: &[Drift], paint: Paint) -> String {
    let mut out = String::new();
    if drift.is_empty() {
        return out;
    }
    let _ = writeln!(out, "{}", paint.bold("Drift: changed outside meshform since the last apply"));
    for one in drift {
        if one.is_gone {
            let _ = writeln!(out, "  {} {}  is gone", paint.red("!"), one.addr);
        } else {
            let _ = writeln!(out, "  {} {}", paint.yellow("!"), one.addr);
            for change in &one.changes {
                // What was applied is what will be put back; the live value stands first.
                let _ = writeln!(
                    out,
                    "      {}: {} {}",
                    change.path,
                    diff::value(change.before.as_ref(), Diff::Short),
                    paint.dim(&format!("(was {})", diff::value(change.after.as_ref(), Diff::Short)))
                );
            }
        }
    }
    out.push('\n');
    out
}

fn step(step: &Step, plan: &Plan, paint: Paint, diff: Diff) -> String {
    let (glyph, word) = match step.action {
        Action::Create => (paint.green("+"), paint.green("create")),
        Action::Adopt => (paint.cyan(">"), paint.cyan("adopt")),
        Action::Update => (paint.yellow("~"), paint.yellow("update")),
        Action::Replace => (paint.red("±"), paint.red("replace")),
        Action::Restore => (paint.green("^"), paint.green("restore")),
        Action::Release => (paint.cyan("<"), paint.cyan("release")),
        Action::Delete => (paint.red("-"), paint.red("delete")),
        Action::Read => (paint.cyan("?"), paint.cyan("read")),
        Action::Restart => (paint.yellow("@"), paint.yellow("restart")),
        Action::Move => (paint.cyan("="), paint.cyan("move")),
        Action::NoOp => (" ".to_owned(), "no-op".to_owned()),
    };
    let mut out = String::new();
    let _ = writeln!(out, "  {glyph} {}  {word}  {}", paint.bold(&step.addr.to_string()), paint.dim(&step.reason));
    if matches!(step.action, Action::Create) {
        for line in created(step, plan, diff) {
            let _ = writeln!(out, "      {line}");
        }
    }
    for change in step.changes.iter().filter(|change| !is_mark(&change.path) || step.action == Action::Update) {
        for line in diff::change(change, paint, diff) {
            let _ = writeln!(out, "      {line}");
        }
    }
    out
}

/// The few lines that say what a new resource is.
fn created(step: &Step, plan: &Plan, diff: Diff) -> Vec<String> {
    let Some(resource) = plan.graph.get(&step.addr) else { return Vec::new() };
    match &resource.spec {
        Spec::Certificate(spec) => {
            let names: Vec<&str> = spec.names.iter().map(String::as_str).collect();
            let (key, what) = match &spec.source {
                Source::Public => (spec.key_algorithm.as_str(), if spec.export { "exportable" } else { "not exportable" }),
                Source::PrivateCa(_) => (spec.key_algorithm.as_str(), "of a private CA, exportable"),
                Source::Imported(facts) => (facts.as_ref().map_or("", |facts| facts.key_algorithm), "imported"),
                Source::Existing(_) => return Vec::new(),
            };
            vec![format!("{key} {what} in {}: {}", spec.region, diff::clip(&names.join(", "), diff))]
        }
        Spec::Secret(spec) => vec![format!("name: {:?}; version known once {} is issued", spec.name, spec.certificate)],
        Spec::Object(spec) => match &spec.certificate {
            Some(certificate) => vec![format!("tls.crt, tls.key: (secret, known once {certificate} is issued)")],
            None => Vec::new(),
        },
        Spec::Manifest(spec) if diff == Diff::Full || !spec.holes.is_empty() => {
            let of_hole = |hole: &Hole| {
                let text = step.after.as_ref().and_then(|after| after.get(&hole.path.dotted()));
                format!("{}: {}", hole.path, diff::value(text, diff))
            };
            let mut lines: Vec<String> = spec.holes.iter().map(of_hole).collect();
            if diff != Diff::Full {
                return lines;
            }
            lines.extend(diff::tree(&spec.object.body));
            lines.extend(spec.data.iter().map(|(key, value)| format!("data.{key}: (secret, {})", value.fingerprint())));
            lines
        }
        Spec::AliasRecord(spec) => {
            let types = if spec.has_ipv6 { "A and AAAA" } else { "A" };
            vec![format!("{types}: alias to the load balancer of {}", spec.target)]
        }
        Spec::ValidationRecord(_) | Spec::Manifest(_) => Vec::new(),
    }
}

/// The steps that a person must not miss among many: what is replaced, removed or taken from others, and what restarts.
fn gravest(plan: &Plan) -> Vec<(u8, &Step, &'static str)> {
    let grave = |step: &Step| -> Option<(u8, &'static str)> {
        let restarts = |change: &Change| change.path.starts_with("spec.template.");
        match step.action {
            Action::Replace => Some((0, "is replaced")),
            Action::Delete => Some((1, "is deleted")),
            Action::Adopt => Some((2, "is taken over")),
            Action::Update if step.changes.iter().any(|change| change.manager.is_some()) => Some((3, "takes a field from another manager")),
            Action::Update if step.changes.iter().any(restarts) => Some((4, "starts its pods anew")),
            Action::Restart => Some((4, "starts its pods anew")),
            Action::Release => Some((5, "is let go")),
            _ => None,
        }
    };
    let counted = plan.steps.iter().filter(|step| step.counts);
    let mut steps: Vec<_> = counted.filter_map(|step| grave(step).map(|(rank, what)| (rank, step, what))).collect();
    steps.sort_by_key(|(rank, step, _)| (*rank, step.addr.is_kube(), step.addr.clone()));
    steps
}

fn cost(plan: &Plan) -> String {
    if plan.cost.at_issue.is_empty() {
        return String::new();
    }
    let mut out = String::new();
    let each: Vec<String> = plan.cost.at_issue.iter().map(|charge| format!("{} ${:.2}", charge.addr, charge.dollars)).collect();
    let _ = writeln!(
        out,
        "\nAWS charges ${:.2} at issue ({}), and ${:.2} at every renewal of the stack's certificates (prices of {}).",
        plan.cost.total_at_issue(),
        diff::clip(&each.join(", "), Diff::Short),
        plan.cost.per_renewal,
        plan.cost.as_of
    );
    out
}

/// The sum in one line.
pub(crate) fn summary(plan: &Plan) -> String {
    let mut parts = vec![
        format!("{} to create", plan.count(Action::Create)),
        format!("{} to update", plan.count(Action::Update)),
        format!("{} to replace", plan.count(Action::Replace)),
        format!("{} to delete", plan.count(Action::Delete)),
    ];
    for (action, word) in [
        (Action::Restart, "to restart"),
        (Action::Move, "to move"),
        (Action::Adopt, "to adopt"),
        (Action::Restore, "to restore"),
        (Action::Release, "to release"),
        (Action::Read, "to wait for"),
    ] {
        let count = plan.count(action);
        if count > 0 {
            parts.push(format!("{count} {word}"));
        }
    }
    let mut line = format!("{}; {} unchanged", parts.join(", "), plan.unchanged);
    let longest = plan.steps.iter().filter_map(|step| match &plan.graph.get(&step.addr)?.spec {
        // An import is there at once, and what is only read is not waited for.
        Spec::Certificate(spec) if matches!(spec.source, Source::Imported(_) | Source::Existing(_)) => None,
        Spec::Certificate(spec) if matches!(step.action, Action::Create | Action::Replace | Action::Read) => Some(spec.issue_timeout),
        _ => None,
    });
    if let Some(longest) = longest.max() {
        let _ = write!(line, "; longest wait {}m", longest.div_ceil(60));
    }
    line
}

fn refusal(refusal: &Refusal, paint: Paint) -> String {
    let mut out = String::new();
    let _ = writeln!(out, "{}: {}", paint.red(&format!("error[{}]", refusal.code)), refusal.reason);
    match (&refusal.addr, &refusal.place) {
        (Some(addr), Some(place)) => {
            let _ = writeln!(out, "  --> {place} ({addr})");
        }
        (Some(addr), None) => {
            let _ = writeln!(out, "  --> {addr}");
        }
        _ => {}
    }
    let _ = writeln!(out, "  = help: {}", refusal.help);
    out
}
