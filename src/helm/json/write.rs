//! `json.Marshal`.

use std::fmt::Write as _;

use super::base64;
use super::number::format_float;
use crate::helm::func::FuncError;
use crate::helm::value::{Str, Value, check_depth};

/// `json.Marshal`: keys sorted; `<`, `>` and `&` escaped where `html` says so.
pub fn marshal(value: &Value, html: bool) -> Result<Str, FuncError> {
    let mut out = String::new();
    write(value, html, &mut out, 0)?;
    Ok(out.into())
}

/// `json.MarshalIndent(value, "", "  ")`.
pub fn marshal_indent(value: &Value, html: bool) -> Result<Str, FuncError> {
    let mut compact = String::new();
    write(value, html, &mut compact, 0)?;
    Ok(indent(&compact).into())
}

fn write(value: &Value, html: bool, out: &mut String, depth: usize) -> Result<(), FuncError> {
    check_depth(depth)?;
    match value {
        Value::Nil => out.push_str("null"),
        Value::Bool(truth) => out.push_str(if *truth { "true" } else { "false" }),
        Value::Int(_, number) => {
            let _ = write!(out, "{number}");
        }
        Value::Uint(_, number) => {
            let _ = write!(out, "{number}");
        }
        Value::Float(number) => out.push_str(&format_float(*number)?),
        Value::Str(text) => string(text.as_bytes(), html, out),
        Value::List(list) if list.is_nil() => out.push_str("null"),
        Value::List(list) => {
            if let Some(bytes) = value.to_bytes() {
                string(base64(&bytes).as_bytes(), html, out);
                return Ok(());
            }
            out.push('[');
            list.with(|items| {
                for (index, item) in items.iter().enumerate() {
                    if index > 0 {
                        out.push(',');
                    }
                    write(item, html, out, depth + 1)?;
                }
                Ok::<(), FuncError>(())
            })?;
            out.push(']');
        }
        Value::Map(map) if map.is_nil() => out.push_str("null"),
        Value::Map(map) => {
            out.push('{');
            map.with(|entries| {
                for (index, (key, item)) in entries.iter().enumerate() {
                    if index > 0 {
                        out.push(',');
                    }
                    string(key.as_bytes(), html, out);
                    out.push(':');
                    write(item, html, out, depth + 1)?;
                }
                Ok::<(), FuncError>(())
            })?;
            out.push('}');
        }
        Value::Object(object) => match object.json_fields() {
            None => write(&object.to_data()?, html, out, depth + 1)?,
            Some(fields) => {
                out.push('{');
                for (index, (key, item)) in fields.iter().enumerate() {
                    if index > 0 {
                        out.push(',');
                    }
                    string(key.as_bytes(), html, out);
                    out.push(':');
                    write(item, html, out, depth + 1)?;
                }
                out.push('}');
            }
        },
    }
    Ok(())
}

fn string(text: &[u8], html: bool, out: &mut String) {
    out.push('"');
    for chunk in text.utf8_chunks() {
        for rune in chunk.valid().chars() {
            match rune {
                '"' => out.push_str("\\\""),
                '\\' => out.push_str("\\\\"),
                '\n' => out.push_str("\\n"),
                '\r' => out.push_str("\\r"),
                '\t' => out.push_str("\\t"),
                '\x08' => out.push_str("\\b"),
                '\x0c' => out.push_str("\\f"),
                '<' | '>' | '&' if html => unicode(rune, out),
                '\0'..='\x1f' | '\u{2028}' | '\u{2029}' => unicode(rune, out),
                _ => out.push(rune),
            }
        }
        // What is no UTF-8 is escaped byte by byte; the character that stands for it elsewhere is not.
        chunk.invalid().iter().for_each(|_| out.push_str("\\ufffd"));
    }
    out.push('"');
}

fn unicode(rune: char, out: &mut String) {
    let _ = write!(out, "\\u{:04x}", u32::from(rune));
}

/// `json.Indent` of compact JSON.
fn indent(compact: &str) -> String {
    let mut out = String::with_capacity(compact.len() * 2);
    let mut depth = 0_usize;
    let mut in_string = false;
    let mut escaped = false;
    let mut opened = false;
    let newline = |out: &mut String, depth: usize| {
        out.push('\n');
        out.push_str(&"  ".repeat(depth));
    };
    for rune in compact.chars() {
        if in_string {
            out.push(rune);
            in_string = escaped || rune != '"';
            escaped = !escaped && rune == '\\';
            continue;
        }
        if opened && !matches!(rune, '}' | ']') {
            newline(&mut out, depth);
        }
        let was_opened = std::mem::take(&mut opened);
        match rune {
            '{' | '[' => {
                depth += 1;
                opened = true;
                out.push(rune);
            }
            '}' | ']' => {
                depth = depth.saturating_sub(1);
                if !was_opened {
                    newline(&mut out, depth);
                }
                out.push(rune);
            }
            ',' => {
                out.push(',');
                newline(&mut out, depth);
            }
            ':' => out.push_str(": "),
            _ => {
                in_string = rune == '"';
                out.push(rune);
            }
        }
    }
    out
}
