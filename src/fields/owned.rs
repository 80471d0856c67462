//! What a manager owns of an object, as one hash: equal hashes mean that nobody touched what we apply.

use std::fmt::Write as _;

use serde_json::Value;

use super::names;
use crate::secret::sha256_hex;

/// A value as text that doesn't depend on the order of keys.
pub fn canonical(value: &Value) -> String {
    let mut text = String::new();
    write(value, &mut text);
    text
}

fn write(value: &Value, text: &mut String) {
    match value {
        Value::Object(map) => {
            let mut entries: Vec<(&String, &Value)> = map.iter().collect();
            entries.sort_unstable_by_key(|(key, _)| *key);
            text.push('{');
            for (key, value) in entries {
                quote(key, text);
                text.push(':');
                write(value, text);
                text.push(',');
            }
            text.push('}');
        }
        Value::Array(list) => {
            text.push('[');
            for item in list {
                write(item, text);
                text.push(',');
            }
            text.push(']');
        }
        Value::String(word) if is_plain(word) => quote(word, text),
        other => {
            let _ = write!(text, "{other}");
        }
    }
}

/// Whether no character of it is written otherwise between quotes, be it Rust's or JSON's.
fn is_plain(word: &str) -> bool {
    word.bytes().all(|byte| matches!(byte, b' '..=b'~') && byte != b'"' && byte != b'\\')
}

fn quote(word: &str, text: &mut String) {
    if is_plain(word) {
        text.push('"');
        text.push_str(word);
        text.push('"');
    } else {
        let _ = write!(text, "{word:?}");
    }
}

/// The hash of the values that `object` has at the fields owned: 32 hex digits.
pub fn owned_hash(fields: &Value, object: &Value) -> String {
    let mut text = String::new();
    project(fields, Some(object), &mut text);
    sha256_hex(text.as_bytes())[..32].to_owned()
}

fn project(fields: &Value, value: Option<&Value>, text: &mut String) {
    let Some(map) = fields.as_object().filter(|map| !map.is_empty()) else {
        match value {
            Some(value) => write(value, text),
            None => text.push('-'),
        }
        return;
    };
    let mut keys: Vec<&String> = map.keys().collect();
    keys.sort();
    text.push('{');
    for key in keys {
        text.push_str(key);
        text.push('=');
        let below = &map[key];
        if key == "." {
            text.push(if value.is_some() { '+' } else { '-' });
        } else if let Some(name) = key.strip_prefix("f:") {
            project(below, value.and_then(|value| value.get(name)), text);
        } else {
            let item = value.and_then(Value::as_array).and_then(|list| list.iter().find(|item| names(key, item)));
            project(below, item, text);
        }
        text.push(',');
    }
    text.push('}');
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn only_what_is_owned_counts() {
        let fields = json!({"f:spec": {"f:replicas": {}, "f:ports": {"k:{\"port\":80,\"protocol\":\"TCP\"}": {".": {}, "f:name": {}}}}});
        let object = |replicas: u8, name: &str, other: &str| json!({"spec": {"replicas": replicas, "ports": [{"port": 80, "protocol": "TCP", "name": name, "nodePort": 1}], "other": other}});
        let hash = |object| owned_hash(&fields, &object);
        assert_eq!(hash(object(1, "a", "x")), hash(object(1, "a", "y")));
        assert_ne!(hash(object(1, "a", "x")), hash(object(2, "a", "x")));
        assert_ne!(hash(object(1, "a", "x")), hash(object(1, "b", "x")));
        assert_ne!(hash(object(1, "a", "x")), hash(json!({"spec": {"replicas": 1}})));
    }

    #[test]
    fn the_order_of_keys_does_not_count_and_that_of_items_does() {
        assert_eq!(canonical(&json!({"a": 1, "b": {"c": [], "d": null}})), canonical(&json!({"b": {"d": null, "c": []}, "a": 1})));
        assert_ne!(canonical(&json!(["a", "b"])), canonical(&json!(["b", "a"])));
        assert_ne!(canonical(&json!("1")), canonical(&json!(1)));
        // States hold hashes of these texts.
        let odd = json!({"b": "it's", "a\"\u{e9}\u{1}": "\u{e9} \u{7f} \u{1} \\ \" \t"});
        assert_eq!(canonical(&odd), "{\"a\\\"\u{e9}\\u{1}\":\"\u{e9} \u{7f} \\u0001 \\\\ \\\" \\t\",\"b\":\"it's\",}");
    }
}
