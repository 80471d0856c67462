//! Changes of values for people: texts line by line, lists by what comes and goes, the rest as before and after.

use std::collections::BTreeSet;

use clap::ValueEnum;
use serde_json::Value;

use super::paint::Paint;
use crate::plan::Change;
use crate::resource::Attr;

/// How much of a plan is shown.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub enum Diff {
    /// What changes, long values folded
    #[default]
    Short,
    /// What changes and what new objects hold, whole
    Full,
    /// As short, but compared here: the API server is not asked to try anything (plan only)
    Local,
}

/// The most characters of a value that are shown.
const MAX_VALUE: usize = 120;
/// The most lines of a value that are shown.
const MAX_LINES: usize = 12;
/// The lines around a changed line that are shown.
const CONTEXT: usize = 2;

/// The lines that tell a change.
pub(super) fn change(change: &Change, paint: Paint, diff: Diff) -> Vec<String> {
    let taken = change.manager.as_ref().map(|manager| paint.dim(&format!(" (set by {manager})"))).unwrap_or_default();
    let forced = if change.replaces { paint.red(" # needs a new one") } else { String::new() };
    let path = &change.path;
    let (before, after) = (change.before.as_ref(), change.after.as_ref());
    if let (Some(Attr::Value(Value::String(old))), Some(Attr::Value(Value::String(new)))) = (before, after)
        && (old.contains('\n') || new.contains('\n'))
    {
        let mut lines = vec![format!("{path}:{taken}{forced}")];
        lines.extend(text_lines(old, new, paint, diff));
        return lines;
    }
    if let (Some(Attr::Value(Value::Array(old))), Some(Attr::Value(Value::Array(new)))) = (before, after)
        && let Some(told) = list(old, new, paint, diff)
    {
        return vec![format!("{path}: {told}{taken}{forced}")];
    }
    if diff == Diff::Full {
        let whole = |attr: Option<&Attr>| matches!(attr, Some(Attr::Value(Value::Object(_) | Value::Array(_))));
        if whole(before) || whole(after) {
            let mut lines = vec![format!("{path}:{taken}{forced}")];
            let mut put = |sign: &str, attr: Option<&Attr>, painted: &dyn Fn(&str) -> String| {
                let Some(Attr::Value(value)) = attr else { return };
                lines.extend(tree(value).into_iter().map(|line| painted(&format!("  {sign} {line}"))));
            };
            put("-", before, &|line| paint.red(line));
            put("+", after, &|line| paint.green(line));
            return lines;
        }
    }
    vec![format!("{path}: {} -> {}{taken}{forced}", value(before, diff), value(after, diff))]
}

/// A value on one line; a secret's is its fingerprint.
pub(super) fn value(attr: Option<&Attr>, diff: Diff) -> String {
    match attr {
        None => "(absent)".into(),
        Some(Attr::Secret(fingerprint)) => format!("(secret, {fingerprint})"),
        Some(Attr::Unknown(addr)) => format!("(known once {addr} is {})", if addr.is_kube() { "ready" } else { "issued" }),
        Some(Attr::Value(value)) => clip(&value.to_string(), diff),
    }
}

/// A text as long as it is shown.
pub(super) fn clip(text: &str, diff: Diff) -> String {
    if diff == Diff::Full || text.chars().count() <= MAX_VALUE {
        return text.to_owned();
    }
    let mut clipped: String = text.chars().take(MAX_VALUE).collect();
    clipped.push('…');
    clipped
}

/// A list of single values by what comes and what goes; nothing when that doesn't tell it: another order, or equal items.
fn list(old: &[Value], new: &[Value], paint: Paint, diff: Diff) -> Option<String> {
    if old.iter().chain(new).any(|item| item.is_object() || item.is_array()) {
        return None;
    }
    let texts = |list: &[Value]| list.iter().map(Value::to_string).collect::<Vec<_>>();
    let (old, new) = (texts(old), texts(new));
    let set = |list: &[String]| list.iter().cloned().collect::<BTreeSet<_>>();
    let (olds, news) = (set(&old), set(&new));
    if olds == news || olds.len() < old.len() || news.len() < new.len() {
        return None;
    }
    let gone = old.iter().filter(|item| !news.contains(*item)).map(|item| paint.red(&format!("- {}", clip(item, diff))));
    let come = new.iter().filter(|item| !olds.contains(*item)).map(|item| paint.green(&format!("+ {}", clip(item, diff))));
    let told: Vec<String> = gone.chain(come).collect();
    let kept = olds.intersection(&news).count();
    let kept = if kept == 0 { String::new() } else { paint.dim(&format!(" ({kept} stay)")) };
    Some(format!("{}{kept}", fold(told, 8).join("  ")))
}

fn fold(mut items: Vec<String>, most: usize) -> Vec<String> {
    if items.len() > most {
        let more = items.len() - most;
        items.truncate(most);
        items.push(format!("… {more} more"));
    }
    items
}

/// A text's change, line by line: equal lines at both ends are left out but for a few.
fn text_lines(old: &str, new: &str, paint: Paint, diff: Diff) -> Vec<String> {
    let (old, new): (Vec<&str>, Vec<&str>) = (old.lines().collect(), new.lines().collect());
    let start = old.iter().zip(&new).take_while(|(old, new)| old == new).count();
    let end = old[start..].iter().rev().zip(new[start..].iter().rev()).take_while(|(old, new)| old == new).count();
    let lead = start.saturating_sub(CONTEXT);
    let mut lines = Vec::new();
    if lead > 0 {
        lines.push(paint.dim(&format!("  … {lead} lines")));
    }
    lines.extend(old[lead..start].iter().map(|line| format!("    {}", clip(line, diff))));
    let gone = old[start..old.len() - end].iter().map(|line| paint.red(&format!("  - {}", clip(line, diff)))).collect();
    let come = new[start..new.len() - end].iter().map(|line| paint.green(&format!("  + {}", clip(line, diff)))).collect();
    for part in [gone, come] {
        lines.extend(if diff == Diff::Full { part } else { fold(part, MAX_LINES) });
    }
    let tail = &old[old.len() - end..];
    lines.extend(tail.iter().take(CONTEXT).map(|line| format!("    {}", clip(line, diff))));
    if tail.len() > CONTEXT {
        lines.push(paint.dim(&format!("  … {} lines", tail.len() - CONTEXT)));
    }
    lines
}

/// A value as YAML shows it, line by line.
pub(super) fn tree(value: &Value) -> Vec<String> {
    fn walk(value: &Value, indent: usize, lead: &str, lines: &mut Vec<String>) {
        let pad = "  ".repeat(indent);
        match value {
            Value::Object(map) if !map.is_empty() => {
                let mut lead = lead.to_owned();
                for (key, value) in map {
                    let head = format!("{pad}{lead}{key}:");
                    // What follows the dash of a list's item stands under it.
                    let inner = indent + usize::from(!lead.is_empty());
                    match value {
                        Value::Object(map) if !map.is_empty() => {
                            lines.push(head);
                            walk(value, inner + 1, "", lines);
                        }
                        Value::Array(list) if !list.is_empty() => {
                            lines.push(head);
                            walk(value, inner + 1, "", lines);
                        }
                        single => lines.push(format!("{head} {single}")),
                    }
                    if !lead.is_empty() {
                        "  ".clone_into(&mut lead);
                    }
                }
            }
            Value::Array(list) if !list.is_empty() => {
                for item in list {
                    walk(item, indent, "- ", lines);
                }
            }
            single => lines.push(format!("{pad}{lead}{single}")),
        }
    }
    let mut lines = Vec::new();
    walk(value, 0, "", &mut lines);
    lines
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn shown(before: Value, after: Value, diff: Diff) -> Vec<String> {
        let attr = |value: Value| Some(value).filter(|value| !value.is_null()).map(Attr::Value);
        let one = Change { path: "p".into(), before: attr(before), after: attr(after), manager: None, replaces: false };
        change(&one, Paint::new(false), diff)
    }

    #[test]
    fn each_kind_of_value_is_shown_so_that_its_change_is_seen() {
        let text = |from: usize, to: usize, mark: &str| {
            (from..to).map(|line| if line == 6 { format!("{mark}\n") } else { format!("line {line}\n") }).collect::<String>()
        };
        let cases = [
            ("a single value", json!(1), json!("x"), vec!["p: 1 -> \"x\""]),
            ("what is new", Value::Null, json!({"a": 1}), vec!["p: (absent) -> {\"a\":1}"]),
            ("a list", json!(["a", "b", "c"]), json!(["a", "d"]), vec!["p: - \"b\"  - \"c\"  + \"d\" (1 stay)"]),
            ("another order", json!(["a", "b"]), json!(["b", "a"]), vec!["p: [\"a\",\"b\"] -> [\"b\",\"a\"]"]),
            (
                "a text of many lines",
                json!(text(0, 12, "old")),
                json!(text(0, 12, "new")),
                vec!["p:", "  … 4 lines", "    line 4", "    line 5", "  - old", "  + new", "    line 7", "    line 8", "  … 3 lines"],
            ),
        ];
        for (name, before, after, wanted) in cases {
            assert_eq!(shown(before, after, Diff::Short), wanted, "{name}");
        }
        let long = "x".repeat(300);
        assert!(shown(json!(1), json!(long), Diff::Short)[0].len() < 150, "long values are folded");
        assert!(shown(json!(1), json!(long), Diff::Full)[0].len() > 300, "and shown whole when that is asked for");
        let whole = shown(Value::Null, json!({"a": [{"n": 1, "m": {"k": "v"}}, 2], "b": []}), Diff::Full);
        let lines = ["p:", "  + a:", "  +   - n: 1", "  +     m:", "  +       k: \"v\"", "  +   - 2", "  + b: []"];
        assert_eq!(whole, lines);
    }
}
