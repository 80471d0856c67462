//! What is wrong with values, and how it is told: `output.go` and `kind/kind.go` of the Go package.

use std::fmt;

use super::instance::number_text;
use crate::helm::strconv;
use crate::helm::value::Value;

/// A finding with those that led to it; `ValidationError`.
#[derive(Debug)]
pub(super) struct Report {
    /// The keys and indices from the top of the values.
    pub(super) location: Vec<String>,
    pub(super) kind: Kind,
    pub(super) causes: Vec<Report>,
}

/// What was found.
#[derive(Debug)]
pub(super) enum Kind {
    /// The words.
    Words(String),
    /// Several findings about one value.
    Group,
    /// A reference led to the findings.
    Reference,
    /// The whole.
    Root,
}

/// Why validation stopped.
pub(super) enum Failure {
    /// The values don't fit.
    Invalid(Report),
    /// The schema is no schema.
    Schema(String),
}

impl Report {
    /// The findings as a whole.
    pub(super) fn root(report: Self) -> Self {
        let causes = if matches!(report.kind, Kind::Group) { report.causes } else { vec![report] };
        Self { location: Vec::new(), kind: Kind::Root, causes }
    }

    fn write(&self, out: &mut fmt::Formatter<'_>, mut indent: usize, first: &mut bool) -> fmt::Result {
        let skipped = matches!(self.kind, Kind::Reference) && self.causes.len() == 1;
        if !skipped && !matches!(self.kind, Kind::Root) {
            if !std::mem::take(first) {
                out.write_str("\n")?;
            }
            for _ in 1..indent {
                out.write_str("  ")?;
            }
            let words = match &self.kind {
                Kind::Words(words) => words.as_str(),
                _ => "validation failed",
            };
            write!(out, "- at {}: {words}", quote(&pointer(&self.location)))?;
        }
        if !skipped {
            indent += 1;
        }
        self.causes.iter().try_for_each(|cause| cause.write(out, indent, first))
    }
}

impl fmt::Display for Report {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.write(out, 0, &mut true)
    }
}

/// A JSON pointer.
fn pointer(location: &[String]) -> String {
    location.iter().flat_map(|token| ["/".to_owned(), token.replace('~', "~0").replace('/', "~1")]).collect()
}

/// `quote`: Go's quoting, but in single quotes.
pub(super) fn quote(text: &str) -> String {
    let quoted = strconv::quote(text).replace("\\\"", "\"").replace('\'', "\\'");
    format!("'{}'", &quoted[1..quoted.len() - 1])
}

/// `joinQuoted`.
pub(super) fn join(texts: &[String]) -> String {
    texts.iter().map(|text| quote(text)).collect::<Vec<_>>().join(", ")
}

/// `display`.
pub(super) fn display(value: &Value) -> String {
    match value {
        Value::Nil => "<nil>".to_owned(),
        Value::Bool(truth) => truth.to_string(),
        Value::Str(text) => quote(&text.to_str()),
        Value::List(_) | Value::Map(_) => "value".to_owned(),
        other => number_text(other),
    }
}

/// A count as golang.org/x/text prints it in English: with commas between thousands.
pub(super) fn grouped(digits: &str) -> String {
    let (sign, digits) = digits.strip_prefix('-').map_or(("", digits), |digits| ("-", digits));
    let (whole, fraction) = digits.split_once('.').map_or((digits, None), |(whole, fraction)| (whole, Some(fraction)));
    let mut out = String::from(sign);
    for (index, digit) in whole.chars().enumerate() {
        if index > 0 && (whole.len() - index) % 3 == 0 {
            out.push(',');
        }
        out.push(digit);
    }
    if let Some(fraction) = fraction {
        out.push('.');
        out.push_str(fraction);
    }
    out
}
