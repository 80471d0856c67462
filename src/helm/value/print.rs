//! How values look when printed: `%v` of Go's fmt.

use super::{Str, Value, check_depth};
use crate::helm::func::FuncError;
use crate::helm::strconv;

/// `fmt.Sprint(value)`.
pub(super) fn print(value: &Value) -> Result<Str, FuncError> {
    if let Value::Str(text) = value {
        return Ok(text.clone());
    }
    let mut out = Vec::new();
    write(value, &mut out, 0)?;
    Ok(out.into())
}

fn write(value: &Value, out: &mut Vec<u8>, depth: usize) -> Result<(), FuncError> {
    check_depth(depth)?;
    match value {
        Value::Nil => out.extend_from_slice(b"<nil>"),
        Value::Bool(truth) => out.extend_from_slice(truth.to_string().as_bytes()),
        Value::Int(_, number) => out.extend_from_slice(number.to_string().as_bytes()),
        Value::Uint(_, number) => out.extend_from_slice(number.to_string().as_bytes()),
        Value::Float(number) => out.extend_from_slice(strconv::format_float(*number, b'g', -1).as_bytes()),
        Value::Str(text) => out.extend_from_slice(text.as_bytes()),
        Value::List(list) => list.with(|items| write_items(items, out, depth))?,
        Value::Map(map) => map.with(|entries| write_entries(entries.iter(), out, depth))?,
        Value::Object(object) => out.extend_from_slice(object.print()?.as_bytes()),
    }
    Ok(())
}

fn write_items(items: &[Value], out: &mut Vec<u8>, depth: usize) -> Result<(), FuncError> {
    out.push(b'[');
    for (index, item) in items.iter().enumerate() {
        if index > 0 {
            out.push(b' ');
        }
        write(item, out, depth + 1)?;
    }
    out.push(b']');
    Ok(())
}

fn write_entries<'a>(entries: impl Iterator<Item = (&'a Str, &'a Value)>, out: &mut Vec<u8>, depth: usize) -> Result<(), FuncError> {
    out.extend_from_slice(b"map[");
    for (index, (key, item)) in entries.enumerate() {
        if index > 0 {
            out.push(b' ');
        }
        out.extend_from_slice(key.as_bytes());
        out.push(b':');
        write(item, out, depth + 1)?;
    }
    out.push(b']');
    Ok(())
}
