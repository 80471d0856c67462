//! Inputs are tried in processes of their own, under limits that the system holds: a hang, a crash and a flood of memory end the process, and
//! the seed that did it is told.

use std::fmt;
use std::io::{BufRead as _, BufReader, Read as _};
use std::panic::AssertUnwindSafe;
use std::process::{Command, Stdio};
use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Instant;

use rustix::process::{Resource, Rlimit, setrlimit};

use super::input::{self, Outcome};

/// The most seconds of processor time that one input may take, whatever else the machine does. Tests are not optimised.
const MOST_SECONDS: u64 = 60;
/// The same for the inputs that are broken on purpose.
const FEW_SECONDS: u64 = 2;
/// The most address space; the rendering's stack alone claims 512 MiB of it.
const MOST_MEMORY: u64 = 2 << 30;
/// How many inputs a process tries: to start one reads all charts.
const BATCH: u64 = 100;
/// What begins a line for the parent.
const MARK: &str = "@@";

/// What inputs are made of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Corpus {
    /// A chart that the test makes.
    Own,
    /// The official charts of `tests/helm/reference`.
    #[cfg(feature = "helm")]
    Official,
    /// Inputs that break the rules, to see that this is told.
    Broken,
}

impl Corpus {
    const ALL: &[Self] = &[
        Self::Own,
        #[cfg(feature = "helm")]
        Self::Official,
        Self::Broken,
    ];
}

/// What came of a run.
#[derive(Debug, Default)]
pub(super) struct Report {
    pub(super) tried: u64,
    pub(super) rendered: u64,
    refused: u64,
    limited: u64,
    slowest: (u64, u128),
    /// What went wrong, with the seed.
    pub(super) failures: Vec<String>,
}

impl fmt::Display for Report {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { tried, rendered, refused, limited, slowest: (seed, took), failures } = self;
        write!(
            out,
            "fuzz: {tried} inputs: {rendered} rendered, {refused} refused, {limited} stopped by a limit, {} wrong; ",
            failures.len()
        )?;
        write!(out, "the slowest is seed {seed} with {took} ms")?;
        failures.iter().try_for_each(|failure| write!(out, "\n{failure}"))
    }
}

/// Tries the inputs of these seeds, by two processes at a time.
pub(super) fn run(corpus: Corpus, first: u64, count: u64) -> Report {
    let next = AtomicU64::new(first);
    let report = Mutex::new(Report::default());
    let end = first + count;
    let work = || {
        loop {
            let from = next.fetch_add(BATCH, Ordering::Relaxed);
            if from >= end {
                break;
            }
            let to = (from + BATCH).min(end);
            let mut at = from;
            while at < to {
                at = batch(corpus, at, to, &report);
            }
        }
    };
    std::thread::scope(|scope| {
        scope.spawn(work);
        work();
    });
    report.into_inner().unwrap()
}

/// Tries seeds in one process, and gives the seed to go on with.
fn batch(corpus: Corpus, from: u64, to: u64, report: &Mutex<Report>) -> u64 {
    let mut child = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", CHILD, "--nocapture", "--test-threads=1"])
        .env(ASKED, format!("{corpus:?} {from} {to}"))
        .env("RUST_BACKTRACE", "0")
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut errors = child.stderr.take().unwrap();
    let errors = std::thread::spawn(move || {
        let mut text = Vec::new();
        let _ = errors.read_to_end(&mut text);
        String::from_utf8_lossy(&text).into_owned()
    });
    let mut at = from;
    let mut open = None;
    for line in BufReader::new(child.stdout.take().unwrap()).lines() {
        let line = line.unwrap();
        // The first one stands behind the test's name.
        let Some((_, line)) = line.split_once(MARK) else { continue };
        let words: Vec<&str> = line.splitn(3, ' ').collect();
        let seed: u64 = words[1].parse().unwrap();
        let mut report = report.lock().unwrap();
        match words[0] {
            "begin" => open = Some(seed),
            "panic" => {
                report.failures.push(format!("seed {seed}: {}", words[2]));
                report.tried += 1;
                (open, at) = (None, seed + 1);
            }
            outcome => {
                match outcome {
                    "rendered" => report.rendered += 1,
                    "refused" => report.refused += 1,
                    _ => report.limited += 1,
                }
                report.tried += 1;
                let (took, error) = words[2].split_once(' ').unwrap_or((words[2], ""));
                if to - from == 1 {
                    println!("seed {seed} was {outcome}: {error}");
                }
                let took: u128 = took.parse().unwrap();
                if took >= report.slowest.1 {
                    report.slowest = (seed, took);
                }
                (open, at) = (None, seed + 1);
            }
        }
    }
    let status = child.wait().unwrap();
    let errors = errors.join().unwrap();
    if status.success() && at == to {
        return to;
    }
    let Some(seed) = open else { panic!("the process for seeds {from} to {to} ended with {status} before seed {at}\n{errors}") };
    let last: Vec<&str> = errors.lines().rev().filter(|line| !line.is_empty()).take(3).collect();
    let mut report = report.lock().unwrap();
    let why =
        if is_out_of_time(status) { format!("more than {} s of processor time", seconds(corpus)) } else { format!("{status}: {last:?}") };
    report.failures.push(format!("seed {seed}: {why}"));
    report.tried += 1;
    seed + 1
}

fn seconds(corpus: Corpus) -> u64 {
    if corpus == Corpus::Broken { FEW_SECONDS } else { MOST_SECONDS }
}

fn is_out_of_time(status: std::process::ExitStatus) -> bool {
    use std::os::unix::process::ExitStatusExt as _;
    status.signal() == Some(rustix::process::Signal::XCPU.as_raw())
}

/// The test that a process of its own runs.
const CHILD: &str = "helm::fuzz::inputs_from_a_chart_of_the_tests_own_end_in_output_or_an_error";
/// The variable that names to such a process the seeds to try.
const ASKED: &str = "MESHFORM_FUZZ_CHILD";

/// What this process is asked to try, if it is such a one.
pub(super) fn asked() -> Option<String> {
    std::env::var(ASKED).ok()
}

/// The other side of [`batch`].
pub(super) fn child(asked: &str) {
    let words: Vec<&str> = asked.split(' ').collect();
    let corpus = *Corpus::ALL.iter().find(|corpus| format!("{corpus:?}") == words[0]).unwrap();
    let (from, to): (u64, u64) = (words[1].parse().unwrap(), words[2].parse().unwrap());
    let charts = input::charts(corpus);
    let limit = |resource, most| setrlimit(resource, Rlimit { current: Some(most), maximum: None }).unwrap();
    limit(Resource::As, MOST_MEMORY);
    limit(Resource::Core, 0);
    let began = Instant::now();
    for seed in from..to {
        // A process can't have used more processor time than has gone by.
        limit(Resource::Cpu, began.elapsed().as_secs() + seconds(corpus));
        println!("{MARK}begin {seed}");
        let start = Instant::now();
        let result = std::panic::catch_unwind(AssertUnwindSafe(|| input::attempt(corpus, &charts, seed)));
        let took = start.elapsed().as_millis();
        match result {
            Ok(Outcome::Rendered) => println!("{MARK}rendered {seed} {took}"),
            Ok(Outcome::Refused(error)) => println!("{MARK}refused {seed} {took} {}", one_line(&error)),
            Ok(Outcome::Limited(error)) => println!("{MARK}limited {seed} {took} {}", one_line(&error)),
            Err(panic) => {
                let words = panic.downcast_ref::<String>().cloned().or_else(|| panic.downcast_ref::<&str>().map(ToString::to_string));
                println!("{MARK}panic {seed} panicked: {}", one_line(&words.unwrap_or_default()));
            }
        }
    }
}

fn one_line(text: &str) -> String {
    text.chars().take(300).map(|rune| if rune.is_control() { ' ' } else { rune }).collect()
}
