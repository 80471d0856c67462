//! Diagnostics: what is wrong with the input, where, why, and what to do.
//!
//! A diagnostic has a stable code (`stack/unknown-key`), a fixed summary that holds no user's names, a place and a help line. Stages collect
//! them in [`Diagnostics`] and go on as far as they can, so that all problems are told at once.

mod codes;
mod render;
mod sources;

use std::fmt;
use std::sync::Arc;

pub use codes::CODES;
pub use render::{Style, human, json};
pub use sources::Sources;

/// How grave a diagnostic is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Severity {
    /// The stage fails.
    Error,
    /// Worth a look; nothing fails.
    Warning,
}

/// A stretch of a line in a file that was read.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Place {
    /// The file as the user named it.
    pub file: Arc<str>,
    /// Line, from 1.
    pub line: usize,
    /// Column in characters, from 1.
    pub column: usize,
    /// Length in characters; at least 1.
    pub length: usize,
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}:{}", self.file, self.line, self.column)
    }
}

/// One problem.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Diagnostic {
    /// How grave it is.
    pub severity: Severity,
    /// The stable code, `<area>/<what>`.
    pub code: &'static str,
    /// What is wrong, in fixed words.
    pub summary: &'static str,
    /// What is wrong here, with the user's names; shown under the place.
    pub detail: String,
    /// Where; absent for problems without a file, such as a bad variable on the command line.
    pub place: Option<Place>,
    /// Further places that have to do with it, each with what stands there.
    pub related: Vec<(Place, String)>,
    /// What to do.
    pub help: Option<String>,
}

impl Diagnostic {
    /// An error.
    pub fn error(code: &'static str, summary: &'static str, detail: impl Into<String>) -> Self {
        Self { severity: Severity::Error, code, summary, detail: detail.into(), place: None, related: Vec::new(), help: None }
    }

    /// A warning.
    pub fn warning(code: &'static str, summary: &'static str, detail: impl Into<String>) -> Self {
        Self { severity: Severity::Warning, ..Self::error(code, summary, detail) }
    }

    /// The same at a place.
    #[must_use]
    pub fn at(mut self, place: &Place) -> Self {
        self.place = Some(place.clone());
        self
    }

    /// The same with a further place and what stands there.
    #[must_use]
    pub fn and_at(mut self, place: &Place, label: impl Into<String>) -> Self {
        self.related.push((place.clone(), label.into()));
        self
    }

    /// The same with advice.
    #[must_use]
    pub fn help(mut self, help: impl Into<String>) -> Self {
        self.help = Some(help.into());
        self
    }
}

/// The problems found so far.
#[derive(Clone, Debug, Default)]
pub struct Diagnostics {
    items: Vec<Diagnostic>,
    omitted: usize,
}

/// Problems beyond this number are counted and not kept: a file with so many is of another kind altogether.
const MOST: usize = 200;

/// A stage failed; the diagnostics say why.
#[derive(Debug, PartialEq, Eq)]
pub struct Failed;

impl Diagnostics {
    /// Adds a problem. One that was told already (a YAML alias repeats what it stands for) is left out.
    pub fn push(&mut self, diagnostic: Diagnostic) {
        if self.items.contains(&diagnostic) {
            return;
        }
        if self.items.len() < MOST {
            self.items.push(diagnostic);
        } else {
            self.omitted += 1;
            // An error must be seen to be one, however many warnings came before it.
            if diagnostic.severity == Severity::Error && !self.has_errors() {
                self.items.push(diagnostic);
            }
        }
    }

    /// Adds the problems of another.
    pub fn append(&mut self, other: Self) {
        other.items.into_iter().for_each(|item| self.push(item));
        self.omitted += other.omitted;
    }

    /// Puts them in the order of their places: those without a place first, and those of one place as they were found.
    pub fn sort(&mut self) {
        self.items.sort_by(|a, b| a.place.cmp(&b.place));
    }

    /// Number of problems that were too many to keep.
    pub fn omitted(&self) -> usize {
        self.omitted
    }

    /// All problems, in the order found.
    pub fn items(&self) -> &[Diagnostic] {
        &self.items
    }

    /// How many errors there are.
    pub fn errors(&self) -> usize {
        self.items.iter().filter(|item| item.severity == Severity::Error).count()
    }

    /// Whether one of them is an error.
    pub fn has_errors(&self) -> bool {
        self.items.iter().any(|d| d.severity == Severity::Error)
    }

    /// Fails if one of them is an error.
    pub fn check(&self) -> Result<(), Failed> {
        if self.has_errors() { Err(Failed) } else { Ok(()) }
    }
}

/// A name of the user's in backticks, safe to print: control characters are escaped and a long one is clipped.
pub fn shown(name: &str) -> String {
    const MOST_CHARS: usize = 80;
    let mut text = String::from("`");
    for (index, c) in name.chars().enumerate() {
        if index == MOST_CHARS {
            text.push('…');
            break;
        }
        if hidden(c) { text.extend(c.escape_default()) } else { text.push(c) }
    }
    text.push('`');
    text
}

/// Whether a terminal would act on a character instead of showing it: control characters and those that turn the writing direction.
pub(crate) fn hidden(c: char) -> bool {
    c.is_control() || matches!(c, '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{2069}' | '\u{feff}')
}

/// The candidate most like `word`, for a "did you mean".
pub fn nearest<'a>(word: &str, candidates: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    if word.len() > 100 {
        return None;
    }
    candidates
        .into_iter()
        .map(|candidate| (strsim::damerau_levenshtein(word, candidate), candidate))
        .filter(|(distance, candidate)| *distance <= candidate.len().max(word.len()) / 3 + 1)
        .min()
        .map(|(_, candidate)| candidate)
}
