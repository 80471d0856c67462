//! Objects as YAML that people read: blocks for what has keys, one line for a list of texts.

use std::fmt::Write as _;

use serde_json::Value;

/// Documents, each after a `---`.
pub(in crate::cli) fn documents(objects: &[Value]) -> String {
    let mut text = String::new();
    for object in objects {
        text.push_str("---\n");
        block(object, 0, &mut text);
    }
    text
}

fn block(value: &Value, indent: usize, text: &mut String) {
    match value {
        Value::Object(map) => {
            for (key, value) in map {
                let _ = write!(text, "{:indent$}{key}:", "");
                entry(value, indent, text);
            }
        }
        Value::Array(items) => {
            for item in items {
                let mut lines = String::new();
                block(item, indent + 2, &mut lines);
                // The first line of an item stands behind its dash.
                let _ = write!(text, "{:indent$}- {}", "", lines.trim_start());
            }
        }
        scalar => {
            let _ = writeln!(text, "{:indent$}{scalar}", "");
        }
    }
}

fn entry(value: &Value, indent: usize, text: &mut String) {
    let is_block = |value: &Value| matches!(value, Value::Object(map) if !map.is_empty());
    match value {
        Value::Object(map) if !map.is_empty() => {
            text.push('\n');
            block(value, indent + 2, text);
        }
        Value::Array(items) if items.iter().any(is_block) => {
            text.push('\n');
            block(value, indent, text);
        }
        Value::String(word) => {
            let _ = writeln!(text, " {}", scalar(word));
        }
        // JSON is YAML as well.
        other => {
            let _ = writeln!(text, " {other}");
        }
    }
}

/// A text as a value or a key.
pub(in crate::cli) fn scalar(text: &str) -> String {
    if is_plain(text) { text.to_owned() } else { Value::from(text).to_string() }
}

/// Whether a text needs no quotes in any YAML: words of letters, and no word that means something else.
fn is_plain(word: &str) -> bool {
    let allowed = |c: char| c.is_ascii_alphanumeric() || "-./_".contains(c);
    let is_word = word.starts_with(|c: char| c.is_ascii_alphabetic()) && word.chars().all(allowed);
    let means_something = ["true", "false", "yes", "no", "on", "off", "null", "y", "n"].contains(&word.to_ascii_lowercase().as_str());
    is_word && !means_something
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn what_is_written_is_read_back_by_a_yaml_reader() {
        let object = json!({
            "kind": "Role", "metadata": {"name": "no", "empty": {}},
            "rules": [{"apiGroups": ["", "apps"], "verbs": ["get"], "names": []}, {"apiGroups": ["*"]}],
            "odd": "a: b # \"c\"\n- d", "number": 1, "nested": [{"a": {"b": "1e3"}}],
        });
        let text = documents(std::slice::from_ref(&object));
        let read = crate::helm::yaml::unmarshal(text.strip_prefix("---\n").unwrap().as_bytes()).unwrap();
        let json = crate::helm::json::marshal(&read, false).unwrap();
        assert_eq!(serde_json::from_str::<Value>(&json.to_string()).unwrap(), object, "{text}");
    }
}
