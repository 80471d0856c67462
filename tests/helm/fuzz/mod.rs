//! Charts that nobody wrote: every input has to end in an output or an error, within a limit of time and one of memory.
//!
//! An input is all that follows from its seed. `MESHFORM_FUZZ=n` tries n of them, `MESHFORM_FUZZ_SEED=s` begins with that one.

mod archive;
mod bombs;
pub(super) mod expression;
mod guard;
mod input;
pub(super) mod mutate;

use guard::{Corpus, Report};

/// How many inputs are tried where `MESHFORM_FUZZ` doesn't say.
#[cfg(feature = "helm")]
const OFFICIAL_INPUTS: u64 = 600;
/// The same for the chart of the test's own.
const OWN_INPUTS: u64 = 150;

pub(super) fn number(variable: &str) -> Option<u64> {
    std::env::var(variable).ok().map(|text| text.parse().unwrap_or_else(|_| panic!("{variable}: a number is expected")))
}

fn try_all(corpus: Corpus, by_default: u64) -> Report {
    let count = number("MESHFORM_FUZZ").unwrap_or(by_default);
    let first = number("MESHFORM_FUZZ_SEED").unwrap_or(0);
    let report = guard::run(corpus, first, count);
    println!("{report}");
    assert!(report.failures.is_empty(), "{}", report.failures.join("\n"));
    assert_eq!(report.tried, count);
    report
}

/// Also what [`guard::run`] starts in processes of their own: there it tries the seeds that it is asked to.
#[test]
fn inputs_from_a_chart_of_the_tests_own_end_in_output_or_an_error() {
    if let Some(asked) = guard::asked() {
        guard::child(&asked);
        return;
    }
    let report = try_all(Corpus::Own, OWN_INPUTS);
    // Were all of them refused at once, nothing would be tried.
    assert!(report.rendered * 20 > report.tried || report.tried < 100, "{report}");
}

#[cfg(feature = "helm")]
#[test]
fn inputs_from_official_charts_end_in_output_or_an_error() {
    let report = try_all(Corpus::Official, OFFICIAL_INPUTS);
    assert!(report.rendered * 20 > report.tried || report.tried < 100, "{report}");
}

#[test]
fn a_hang_a_panic_and_too_much_memory_are_told_with_their_seed() {
    let report = guard::run(Corpus::Broken, 0, 6);
    assert_eq!(report.tried, 6, "{report}");
    let told =
        |seed: u64, words: &str| report.failures.iter().any(|told| told.starts_with(&format!("seed {seed}: ")) && told.contains(words));
    assert!(told(input::HANGS, "more than"), "{report}");
    assert!(told(input::PANICS, "panicked"), "{report}");
    assert!(told(input::GROWS, "memory"), "{report}");
    assert_eq!(report.failures.len(), 3, "{report}");
}
