//! Diagnostics as a person reads them, and as JSON.
//!
//! ```text
//! error[stack/unknown-ref]: reference to an unknown output
//!   --> stacks/prod.yaml:41:20
//!    |  description: ${certificates.edge.arn_}
//!    |                 ^^^^^^^^^^^^^^^^^^^^^^ `certificates.edge` offers `arn`, `domain`, `not_after`
//!    = help: did you mean `arn`?
//! ```

use std::fmt::Write as _;

use serde_json::{Value, json};

use super::{Diagnostic, Diagnostics, Place, Severity, Sources, hidden};

/// With or without colours.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Style {
    /// Text only.
    Plain,
    /// With ANSI colours.
    Coloured,
}

/// Columns of a source line that are shown; of a longer one, those around the place.
const MOST_COLUMNS: usize = 120;
/// Columns kept before the place when a line is clipped.
const BEFORE: usize = 40;

/// All diagnostics for a person, an empty line between two.
pub fn human(diags: &Diagnostics, sources: &Sources, style: Style) -> String {
    let mut blocks: Vec<String> = diags.items().iter().map(|diagnostic| one(diagnostic, sources, style)).collect();
    if diags.omitted() > 0 {
        blocks.push(format!("and {} more\n", diags.omitted()));
    }
    blocks.join("\n")
}

/// All diagnostics as a JSON array.
pub fn json(diags: &Diagnostics) -> Value {
    let place = |place: &Place| json!({"file": &*place.file, "line": place.line, "column": place.column, "length": place.length});
    let one = |d: &Diagnostic| {
        json!({
            "severity": word(d.severity),
            "code": d.code,
            "summary": d.summary,
            "detail": d.detail,
            "place": d.place.as_ref().map(place),
            "related": d.related.iter().map(|(at, label)| json!({"place": place(at), "label": label})).collect::<Vec<_>>(),
            "help": d.help,
        })
    };
    Value::Array(diags.items().iter().map(one).collect())
}

fn word(severity: Severity) -> &'static str {
    match severity {
        Severity::Error => "error",
        Severity::Warning => "warning",
    }
}

fn one(diagnostic: &Diagnostic, sources: &Sources, style: Style) -> String {
    let colour = match diagnostic.severity {
        Severity::Error => "1;31",
        Severity::Warning => "1;33",
    };
    let paint = |colour: &str, text: &str| match style {
        Style::Plain => text.to_owned(),
        Style::Coloured => format!("\x1b[{colour}m{text}\x1b[0m"),
    };
    let head = format!("{}[{}]", word(diagnostic.severity), diagnostic.code);
    let mut out = format!("{}{}\n", paint(colour, &head), paint("1", &format!(": {}", diagnostic.summary)));
    let bar = paint("1;34", "   |");
    let mut told = false;
    if let Some(place) = &diagnostic.place {
        let _ = writeln!(out, "{} {}", paint("1;34", "  -->"), safe(&place.to_string()));
        if let Some((line, start, length)) = sources.line(place).and_then(|line| excerpt(line, place)) {
            let label = safe(&diagnostic.detail);
            let carets = paint(colour, format!("{} {label}", "^".repeat(length)).trim_end());
            let _ = writeln!(out, "{bar}  {line}\n{bar}  {}{carets}", " ".repeat(start));
            told = true;
        }
    }
    if !told && !diagnostic.detail.is_empty() {
        let _ = writeln!(out, "{} {}", paint("1;34", "   ="), safe(&diagnostic.detail));
    }
    for (place, label) in &diagnostic.related {
        let _ = writeln!(out, "{} {}", paint("1;34", "  :::"), safe(&place.to_string()));
        match sources.line(place).and_then(|line| excerpt(line, place)) {
            Some((line, start, length)) => {
                let dashes = paint("1;34", &format!("{} {}", "-".repeat(length), safe(label)));
                let _ = writeln!(out, "{bar}  {line}\n{bar}  {}{dashes}", " ".repeat(start));
            }
            None => {
                let _ = writeln!(out, "{} {}", paint("1;34", "   ="), safe(label));
            }
        }
    }
    if let Some(help) = &diagnostic.help {
        let mut lines = help.lines();
        let _ = writeln!(out, "{} help: {}", paint("1;34", "   ="), safe(lines.next().unwrap_or_default()));
        for line in lines {
            let _ = writeln!(out, "           {}", safe(line));
        }
    }
    out
}

/// Text on one line that no terminal acts on.
fn safe(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        if hidden(c) { out.extend(c.escape_default()) } else { out.push(c) }
    }
    out
}

/// A line without its indentation, clipped around the place; with the column the place starts at and its width. Absent for an empty line.
fn excerpt(line: &str, place: &Place) -> Option<(String, usize, usize)> {
    let chars: Vec<char> = line.chars().collect();
    let from = place.column.saturating_sub(1).min(chars.len());
    let to = (from + place.length).min(chars.len());
    let indent = chars.iter().take_while(|c| matches!(c, ' ' | '\t')).count().min(from);
    if chars.len() == indent {
        return None;
    }
    let mut first = indent;
    if columns(&chars[indent..]) > MOST_COLUMNS {
        first = from.saturating_sub(BEFORE).max(indent);
    }
    let mut shown = String::new();
    if first > indent {
        shown.push('…');
    }
    let (mut start, mut end) = (None, None);
    let mut column = usize::from(first > indent);
    let mut clipped = false;
    for (index, c) in chars.iter().enumerate().skip(first) {
        if index == from {
            start = Some(column);
        }
        if index == to {
            end = Some(column);
        }
        if column + width(*c) > MOST_COLUMNS {
            clipped = true;
            break;
        }
        column += width(*c);
        shown.push(match *c {
            '\t' => ' ',
            c if hidden(c) => '\u{fffd}',
            c => c,
        });
    }
    if clipped {
        shown.push('…');
    }
    let start = start.unwrap_or(column);
    Some((shown.trim_end().to_owned(), start, end.unwrap_or(column).saturating_sub(start).max(1)))
}

fn columns(chars: &[char]) -> usize {
    chars.iter().map(|c| width(*c)).sum()
}

/// Columns that a terminal gives a character: two for East Asian wide ones and emoji, none for combining marks.
fn width(c: char) -> usize {
    match u32::from(c) {
        0x0300..=0x036f | 0x20d0..=0x20ff | 0xfe00..=0xfe0f | 0xfe20..=0xfe2f => 0,
        0x1100..=0x115f
        | 0x2e80..=0x303e
        | 0x3041..=0xa4cf
        | 0xac00..=0xd7a3
        | 0xf900..=0xfaff
        | 0xfe30..=0xfe6f
        | 0xff00..=0xff60
        | 0xffe0..=0xffe6
        | 0x1f300..=0x1f64f
        | 0x1f680..=0x1f6ff
        | 0x1f900..=0x1f9ff
        | 0x20000..=0x3fffd => 2,
        _ => 1,
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use std::sync::Arc;

    use super::*;

    fn rendered(text: &str, line: usize, column: usize, length: usize) -> String {
        let file: Arc<str> = Arc::from("a.yaml");
        let mut sources = Sources::default();
        sources.add(&file, text);
        let place = Place { file, line, column, length };
        one(&Diagnostic::error("x/y", "summary", "detail").at(&place), &sources, Style::Plain)
    }

    #[test]
    fn the_caret_stands_under_its_place() {
        let cases = [
            ("an indented line loses its indentation", "a:\n    key: value", 2, 10, 5, "   |  key: value\n   |       ^^^^^ detail\n"),
            ("wide characters take two columns", "名: 値段", 1, 4, 2, "   |  名: 値段\n   |      ^^^^ detail\n"),
            ("a tab takes one column", "a:\tb", 1, 4, 1, "   |  a: b\n   |     ^ detail\n"),
            ("a place after the end of the line gets one caret", "abc", 1, 4, 1, "   |  abc\n   |     ^ detail\n"),
            ("an escape code is not passed on", "a: \u{1b}[31mb", 1, 1, 1, "   |  a: \u{fffd}[31mb\n   |  ^ detail\n"),
        ];
        for (name, text, line, column, length, wanted) in cases {
            let got = rendered(text, line, column, length);
            assert_eq!(got, format!("error[x/y]: summary\n  --> a.yaml:{line}:{column}\n{wanted}"), "{name}");
        }
    }

    #[test]
    fn a_very_long_line_is_clipped_around_its_place() {
        let got = rendered(&format!("{}NEEDLE{}", "x".repeat(5000), "y".repeat(5000)), 1, 5001, 6);
        let lines: Vec<&str> = got.lines().collect();
        assert!(lines[2].chars().count() < 130, "{got}");
        let at = lines[2].chars().collect::<String>().find("NEEDLE").map(|at| lines[2][..at].chars().count());
        assert_eq!(at, lines[3].find('^'), "{got}");
        assert!(lines[3].contains("^^^^^^ detail"), "{got}");
    }

    #[test]
    fn a_line_that_is_not_known_is_not_shown() {
        let file: Arc<str> = Arc::from("vars.yaml");
        let place = Place { file, line: 3, column: 1, length: 1 };
        let got = one(&Diagnostic::warning("x/y", "summary", "detail").at(&place).help("do"), &Sources::default(), Style::Plain);
        assert_eq!(got, "warning[x/y]: summary\n  --> vars.yaml:3:1\n   = detail\n   = help: do\n");
    }

    #[test]
    fn colours_change_no_text() {
        let mut diags = Diagnostics::default();
        diags.push(Diagnostic::error("x/y", "summary", "detail").help("do"));
        let coloured = human(&diags, &Sources::default(), Style::Coloured);
        let mut text = String::new();
        let mut rest = coloured.as_str();
        while let Some(at) = rest.find('\x1b') {
            text.push_str(&rest[..at]);
            rest = rest[at..].split_once('m').unwrap().1;
        }
        text.push_str(rest);
        assert_eq!(text, human(&diags, &Sources::default(), Style::Plain));
        assert_eq!(json(&diags)[0]["code"], "x/y");
    }
}
