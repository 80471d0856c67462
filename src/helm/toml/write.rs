//! The encoder: `encode.go`.

use std::fmt::Write as _;

use crate::helm::func::{FuncError, toml_time};
use crate::helm::strconv::format_float;
use crate::helm::value::{Map, Str, Value, check_depth};

/// Writes a document.
pub(super) fn marshal(value: &Value) -> Result<Str, FuncError> {
    let mut encoder = Encoder { out: String::new() };
    encoder.encode(&[], value)?;
    Ok(encoder.out.into())
}

struct Encoder {
    out: String,
}

fn is_time(value: &Value) -> bool {
    matches!(value, Value::Object(object) if toml_time::written(object.as_ref()).is_some())
}

/// Objects as the data that they are; times stay.
fn plain(value: &Value) -> Result<Value, FuncError> {
    match value {
        Value::Object(object) if !is_time(value) => object.to_data(),
        other => Ok(other.clone()),
    }
}

fn is_nil(value: &Value) -> bool {
    match value {
        Value::Nil => true,
        Value::Map(map) => map.is_nil(),
        Value::List(list) => list.is_nil(),
        _ => false,
    }
}

/// Whether a list holds tables alone; a nil in a list is an error.
fn is_table_array(items: &[Value], depth: usize) -> Result<bool, FuncError> {
    check_depth(depth)?;
    let mut all = !items.is_empty();
    for item in items {
        if is_nil(item) {
            return Err(FuncError::new("toml: cannot encode array with nil element"));
        }
        if let Value::List(inner) = item {
            is_table_array(&inner.to_vec(), depth + 1)?;
        }
        all &= matches!(item, Value::Map(_));
    }
    Ok(all)
}

fn indent(keys: &[Str]) -> String {
    "  ".repeat(keys.len().saturating_sub(1))
}

fn quoted(text: &str) -> String {
    let mut out = String::with_capacity(text.len() + 2);
    out.push('"');
    for rune in text.chars() {
        match rune {
            '"' => out.push_str("\\\""),
            '\\' => out.push_str("\\\\"),
            '\x08' => out.push_str("\\b"),
            '\t' => out.push_str("\\t"),
            '\n' => out.push_str("\\n"),
            '\x0c' => out.push_str("\\f"),
            '\r' => out.push_str("\\r"),
            '\0'..='\x1f' | '\x7f' => {
                let _ = write!(out, "\\u{:04x}", u32::from(rune));
            }
            _ => out.push(rune),
        }
    }
    out.push('"');
    out
}

fn key_text(key: &Str) -> String {
    let text = key.to_str();
    let bare = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-'));
    if bare { text.into_owned() } else { quoted(&text) }
}

/// A key with its parts, quoted where they need it.
pub(super) fn path(keys: &[Str]) -> String {
    keys.iter().map(key_text).collect::<Vec<_>>().join(".")
}

impl Encoder {
    fn newline(&mut self) {
        if !self.out.is_empty() {
            self.out.push('\n');
        }
    }

    fn encode(&mut self, keys: &[Str], value: &Value) -> Result<(), FuncError> {
        check_depth(keys.len())?;
        if is_time(value) {
            return self.key_value(keys, value, false);
        }
        match plain(value)? {
            Value::Nil if keys.is_empty() => Err(FuncError::new("unsupported type for key '': invalid")),
            Value::Nil => Ok(()),
            Value::Map(map) => self.table(keys, &map),
            Value::List(list) if is_table_array(&list.to_vec(), 0)? => {
                if keys.is_empty() {
                    return Err(FuncError::new("toml: top-level values must be Go maps or structs"));
                }
                for item in list.to_vec() {
                    if let Value::Map(map) = item {
                        self.newline();
                        let _ = write!(self.out, "{}[[{}]]", indent(keys), path(keys));
                        self.newline();
                        self.entries(keys, &map, false)?;
                    }
                }
                Ok(())
            }
            other => self.key_value(keys, &other, false),
        }
    }

    fn table(&mut self, keys: &[Str], map: &Map) -> Result<(), FuncError> {
        if keys.len() == 1 {
            self.newline();
        }
        if !keys.is_empty() {
            let _ = write!(self.out, "{}[{}]", indent(keys), path(keys));
            self.newline();
        }
        self.entries(keys, map, false)
    }

    /// Plain values first, then tables, each sorted.
    fn entries(&mut self, keys: &[Str], map: &Map, inline: bool) -> Result<(), FuncError> {
        let (mut direct, mut tables) = (Vec::new(), Vec::new());
        for (key, value) in map.to_vec() {
            let value = plain(&value)?;
            let table = match &value {
                Value::Map(map) => !map.is_nil(),
                Value::List(list) => is_table_array(&list.to_vec(), 0)?,
                _ => false,
            };
            if table { tables.push((key, value)) } else { direct.push((key, value)) }
        }
        if inline {
            self.out.push('{');
        }
        let trailing = !tables.is_empty();
        for (group, trailing) in [(direct, trailing), (tables, false)] {
            let count = group.len();
            for (index, (key, value)) in group.into_iter().enumerate() {
                if is_nil(&value) {
                    continue;
                }
                if inline {
                    self.key_value(&[key], &value, true)?;
                    if trailing || index + 1 != count {
                        self.out.push_str(", ");
                    }
                } else {
                    let mut inner = keys.to_vec();
                    inner.push(key);
                    self.encode(&inner, &value)?;
                }
            }
        }
        if inline {
            self.out.push('}');
        }
        Ok(())
    }

    fn key_value(&mut self, keys: &[Str], value: &Value, inline: bool) -> Result<(), FuncError> {
        if let Some(last) = keys.last() {
            let _ = write!(self.out, "{}{} = ", indent(keys), key_text(last));
        }
        self.element(value, keys.len())?;
        if !inline && !keys.is_empty() {
            self.newline();
        }
        Ok(())
    }

    fn element(&mut self, value: &Value, depth: usize) -> Result<(), FuncError> {
        check_depth(depth)?;
        let value = plain(value)?;
        if let Value::Object(object) = &value
            && let Some(time) = toml_time::written(object.as_ref())
        {
            self.out.push_str(&time);
            return Ok(());
        }
        match value {
            Value::Nil | Value::Object(_) => return Err(FuncError::new("toml: cannot encode array with nil element")),
            Value::Bool(truth) => self.out.push_str(if truth { "true" } else { "false" }),
            Value::Int(_, number) => {
                let _ = write!(self.out, "{number}");
            }
            Value::Uint(_, number) => {
                let _ = write!(self.out, "{number}");
            }
            Value::Float(number) => self.out.push_str(&float(number)),
            Value::Str(text) => self.out.push_str(&quoted(&text.to_str())),
            Value::List(list) => {
                self.out.push('[');
                for (index, item) in list.to_vec().iter().enumerate() {
                    if index > 0 {
                        self.out.push_str(", ");
                    }
                    self.element(item, depth + 1)?;
                }
                self.out.push(']');
            }
            Value::Map(map) => self.entries(&[], &map, true)?,
        }
        Ok(())
    }
}

fn float(number: f64) -> String {
    let sign = if number.is_sign_negative() { "-" } else { "" };
    if number.is_nan() {
        return format!("{sign}nan");
    }
    if number.is_infinite() {
        return format!("{sign}inf");
    }
    let text = format_float(number, b'g', -1);
    if text.contains(['e', '.']) { text } else { text + ".0" }
}
