//! Official charts, byte by byte as Helm prints them. `docs/helm.md` holds the table that this prints.

use std::fmt::Write as _;
use std::path::Path;
use std::sync::atomic::{AtomicUsize, Ordering};

use super::reference::{Answer, Case, Reference, in_order, ours};
use super::sets;

/// The fewest sets of each chart.
const FEWEST_SETS: usize = 40;

/// How a set came out.
enum Outcome {
    /// The same bytes.
    Equal,
    /// The same error.
    AlikeFailed,
    /// Something else, as shown.
    Different(String),
}

fn compare(reference: &Reference, chart: &Path, case: &Case) -> Outcome {
    match (reference.helm(chart, case), ours(chart, case)) {
        (Answer::Text(expected), Answer::Text(found)) if expected == found => Outcome::Equal,
        (Answer::Failed(expected), Answer::Failed(found)) if in_order(&expected) == in_order(&found) => Outcome::AlikeFailed,
        (Answer::Text(expected), Answer::Text(found)) => {
            Outcome::Different(format!("  {}\n{}", case.label, first_difference(&expected, &found)))
        }
        (expected, found) => {
            let short = |answer: Answer| match answer {
                Answer::Text(text) => format!("{} bytes", text.len()),
                Answer::Failed(error) => error,
            };
            Outcome::Different(format!("  {}\n  Helm: {}\n  ours: {}", case.label, short(expected), short(found)))
        }
    }
}

fn first_difference(expected: &str, found: &str) -> String {
    let (mut left, mut right) = (expected.lines(), found.lines());
    let mut line = 0;
    loop {
        line += 1;
        match (left.next(), right.next()) {
            (Some(a), Some(b)) if a == b => {}
            (None, None) => return "  other line ends".to_owned(),
            (a, b) => return format!("  line {line}\n  Helm: {}\n  ours: {}", a.unwrap_or("(end)"), b.unwrap_or("(end)")),
        }
    }
}

/// The outcomes of all sets, by two threads.
fn outcomes(reference: &Reference, chart: &Path, cases: &[Case]) -> Vec<Outcome> {
    let next = AtomicUsize::new(0);
    let work = || {
        let mut done = Vec::new();
        while let Some(case) = cases.get(next.fetch_add(1, Ordering::Relaxed)) {
            done.push(compare(reference, chart, case));
        }
        done
    };
    std::thread::scope(|scope| {
        let other = scope.spawn(work);
        let mut done = work();
        done.extend(other.join().unwrap());
        done
    })
}

fn version(chart: &Path) -> String {
    let text = std::fs::read_to_string(chart.join("Chart.yaml")).unwrap();
    let version = text.lines().find_map(|line| line.strip_prefix("version:")).unwrap();
    version.trim().trim_matches('"').to_owned()
}

#[test]
fn official_charts_come_out_as_helm_prints_them() {
    let reference = Reference::read();
    let only = std::env::var("MESHFORM_HELM_CHART").unwrap_or_default();
    let mut table = String::from("| chart | version | sets | equal | fail alike |\n|---|---|---|---|---|\n");
    let mut wrong = String::new();
    for (name, chart) in reference.charts.iter().filter(|(name, _)| only.is_empty() || **name == only) {
        let cases = sets::of(name, chart);
        assert!(cases.len() >= FEWEST_SETS, "{name} has {} sets", cases.len());
        let (mut equal, mut alike) = (0, 0);
        for outcome in outcomes(&reference, chart, &cases) {
            match outcome {
                Outcome::Equal => equal += 1,
                Outcome::AlikeFailed => alike += 1,
                Outcome::Different(shown) => writeln!(wrong, "{name}:\n{shown}").unwrap(),
            }
        }
        writeln!(table, "| {name} | {} | {} | {equal} | {alike} |", version(chart), cases.len()).unwrap();
    }
    println!("{table}");
    assert!(wrong.is_empty(), "{wrong}\n{table}");
    if only.is_empty() {
        documented(&table);
    }
}

/// The table stands in docs/helm.md.
fn documented(table: &str) {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/helm.md");
    let text = std::fs::read_to_string(&path).unwrap();
    let (begin, end) = ("<!-- charts -->\n", "<!-- /charts -->");
    let from = text.find(begin).unwrap() + begin.len();
    let to = text.find(end).unwrap();
    if std::env::var_os("MESHFORM_HELM_WRITE").is_some() {
        std::fs::write(&path, format!("{}{table}{}", &text[..from], &text[to..])).unwrap();
    } else {
        assert_eq!(&text[from..to], table, "docs/helm.md is out of date: run with MESHFORM_HELM_WRITE=1");
    }
}
