//! A file's YAML documents, read as kubectl reads them: YAML 1.1, `---` between them, empty ones left out.

use std::sync::Arc;

use serde_json::{Map, Number, Value};

use super::ManifestFile;
use crate::diag::{Diagnostic, Diagnostics, Place};
use crate::helm::yaml::{self, Node};

/// The documents of a file, each with its place.
pub(super) fn read(file: &ManifestFile, diags: &mut Diagnostics) -> Vec<(Value, Place)> {
    let parts = split(&file.text).into_iter();
    parts.filter_map(|(line, text)| value(&file.name, line, text, parse(text), diags)).collect()
}

/// kubectl ends the last line of a file if nobody did (`k8s.io/apimachinery`, `LineReader`): a block there has its line break.
fn parse(text: &str) -> Result<Node, String> {
    if text.ends_with('\n') { yaml::parse(text.as_bytes()) } else { yaml::parse([text, "\n"].concat().as_bytes()) }
}

/// The documents that a template gave, each with its text, which begin in the lines of a file one after the other with a mark between them.
pub(super) fn rendered(name: &Arc<str>, texts: &[String], documents: Vec<Node>, diags: &mut Diagnostics) -> Vec<(Value, Place)> {
    let mut line = 1;
    let mut values = Vec::new();
    for (text, node) in texts.iter().zip(documents) {
        values.extend(value(name, line, text, Ok(node), diags));
        line += memchr::memchr_iter(b'\n', text.as_bytes()).count() + 2;
    }
    values
}

/// What a document says, and its place; nothing where it says nothing, or can't be read.
fn value(name: &Arc<str>, line: usize, text: &str, node: Result<Node, String>, diags: &mut Diagnostics) -> Option<(Value, Place)> {
    // The place of a document is its first line that says something.
    let says = |line: &str| !(line.trim().is_empty() || line.trim_start().starts_with('#') || line.trim_end() == "---");
    let mut lines = text.lines().enumerate().filter(|(_, line)| says(line));
    let (lead, first) = lines.next().or_else(|| text.lines().enumerate().next()).unwrap_or_default();
    let place = Place { file: Arc::clone(name), line: line + lead, column: 1, length: first.chars().count().max(1) };
    match node.and_then(json) {
        Ok(Value::Null) => None,
        Ok(value) => Some((value, place)),
        Err(error) => {
            let error = error.trim_start_matches("error converting YAML to JSON: ").trim_start_matches("yaml: ").to_owned();
            let (within, why) = located(&error);
            let place = within.map_or(place.clone(), |at| Place { line: line + at.saturating_sub(1), length: 1, ..place });
            diags.push(Diagnostic::error("manifest/yaml", "manifest can't be read", why).at(&place));
            None
        }
    }
}

/// The line that an error of YAML names within its document, and what it says.
fn located(error: &str) -> (Option<usize>, String) {
    let at = error.strip_prefix("line ").and_then(|rest| rest.split_once(": "));
    match at.and_then(|(line, why)| Some((line.parse().ok()?, why))) {
        Some((line, why)) => (Some(line), why.to_owned()),
        None => (None, error.to_owned()),
    }
}

/// Splits at lines that begin with `---`; each part with the number of its first line, from 1.
fn split(text: &str) -> Vec<(usize, &str)> {
    let mut parts = Vec::new();
    let (mut start, mut start_line, mut at) = (0, 1, 0);
    for (index, line) in text.split_inclusive('\n').enumerate() {
        let is_mark = line.starts_with("---") && line[3..].chars().next().is_none_or(char::is_whitespace);
        if is_mark {
            parts.push((start_line, &text[start..at]));
            // What follows the mark on its line belongs to the document.
            let rest = line[3..].trim();
            let has_rest = !rest.is_empty() && !rest.starts_with('#');
            start = if has_rest { at + 3 } else { at + line.len() };
            start_line = if has_rest { index + 1 } else { index + 2 };
        }
        at += line.len();
    }
    parts.push((start_line, &text[start..]));
    parts.retain(|(_, part)| !part.trim().is_empty());
    parts
}

pub(super) fn json(node: Node) -> Result<Value, String> {
    Ok(match node {
        Node::Null => Value::Null,
        Node::Bool(truth) => Value::Bool(truth),
        Node::Int(number) => Value::Number(number.into()),
        Node::Uint(number) => Value::Number(number.into()),
        Node::Float(number) => match Number::from_f64(number) {
            Some(number) => Value::Number(number),
            None => return Err("infinities and NaN have no place in JSON".to_owned()),
        },
        Node::Str(text) => Value::String(text),
        Node::List(items) => Value::Array(items.into_iter().map(json).collect::<Result<_, _>>()?),
        Node::Map(entries) => {
            let entries = entries.into_iter().map(|(key, node)| Ok((key, json(node)?)));
            Value::Object(entries.collect::<Result<Map<_, _>, String>>()?)
        }
    })
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn read_text(text: &str) -> (Vec<(Value, usize)>, Vec<String>) {
        let mut diags = Diagnostics::default();
        let file = ManifestFile { name: "m.yaml".into(), text: text.to_owned() };
        let found = read(&file, &mut diags).into_iter().map(|(value, place)| (value, place.line)).collect();
        let told =
            diags.items().iter().map(|one| format!("{}: {}", one.place.as_ref().map_or(0, |place| place.line), one.detail)).collect();
        (found, told)
    }

    #[test]
    fn documents_are_read_with_the_line_that_each_begins_at() {
        let text = "# head\na: 1\n---\n---\n# only words\n--- # two\n\nb: yes\nc: \"yes\"\n--- {d: 0o17}\n---\n";
        let wanted = vec![(json!({"a": 1}), 2), (json!({"b": true, "c": "yes"}), 8), (json!({"d": 15}), 10)];
        assert_eq!(read_text(text), (wanted, vec![]));
    }

    #[test]
    fn documents_of_templates_follow_one_another_in_lines() {
        let (mut diags, name) = (Diagnostics::default(), Arc::from("t.yaml"));
        let texts = ["# head\na: 1".to_owned(), "---\nb: 2".to_owned(), "c: 3".to_owned()];
        let documents = texts.iter().map(|text| yaml::parse(text.as_bytes()).expect("a document")).collect();
        let found = rendered(&name, &texts, documents, &mut diags);
        let places: Vec<(usize, usize)> = found.iter().map(|(_, place)| (place.line, place.length)).collect();
        assert_eq!(places, [(2, 4), (5, 4), (7, 4)]);
    }

    #[test]
    fn a_block_at_the_end_of_a_file_has_its_line_break() {
        for text in ["a: |\n  one\n---\na: |\n  one\n", "a: |\n  one\n---\na: |\n  one"] {
            assert_eq!(read_text(text).0, vec![(json!({"a": "one\n"}), 1), (json!({"a": "one\n"}), 4)]);
        }
    }

    #[test]
    fn a_mark_in_a_text_does_not_split() {
        assert_eq!(read_text("a: |\n  ---\n  x\n").0, vec![(json!({"a": "---\nx\n"}), 1)]);
    }

    #[test]
    fn what_is_no_yaml_is_told_with_its_line() {
        let (found, told) = read_text("a: 1\n---\nb: [\nc: 1\n");
        assert_eq!(found.len(), 1);
        assert_eq!(told.len(), 1, "{told:?}");
        assert!(told[0].starts_with("3: ") || told[0].starts_with("4: ") || told[0].starts_with("5: "), "{told:?}");
    }
}
