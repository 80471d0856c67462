//! Paths: Go's `path`, and `path/filepath` as it is on Unix, where both are the same.

use super::{Args, Func, FuncError, Runtime};
use crate::helm::value::{Str, Type, Value};

/// The functions of this file.
pub(super) const TABLE: &[Func] = &[
    Func::fixed("base", &[Type::String], base),
    Func::fixed("osBase", &[Type::String], base),
    Func::fixed("dir", &[Type::String], dir),
    Func::fixed("osDir", &[Type::String], dir),
    Func::fixed("clean", &[Type::String], |_, args| Ok(Value::str(clean(args.str(0)?.as_bytes())))),
    Func::fixed("osClean", &[Type::String], |_, args| Ok(Value::str(clean(args.str(0)?.as_bytes())))),
    Func::fixed("ext", &[Type::String], ext),
    Func::fixed("osExt", &[Type::String], ext),
    Func::fixed("isAbs", &[Type::String], |_, args| Ok(Value::Bool(args.str(0)?.as_bytes().starts_with(b"/")))),
    Func::fixed("osIsAbs", &[Type::String], |_, args| Ok(Value::Bool(args.str(0)?.as_bytes().starts_with(b"/")))),
];

/// `path.Base`
pub(crate) fn base_of(path: &Str) -> Str {
    let path = path.as_bytes();
    if path.is_empty() {
        return ".".into();
    }
    let end = path.iter().rposition(|b| *b != b'/').map_or(0, |last| last + 1);
    if end == 0 {
        return "/".into();
    }
    let begin = path[..end].iter().rposition(|b| *b == b'/').map_or(0, |slash| slash + 1);
    path[begin..end].into()
}

fn base(_: &mut dyn Runtime, args: Args<'_>) -> Result<Value, FuncError> {
    Ok(Value::Str(base_of(args.str(0)?)))
}

fn dir(_: &mut dyn Runtime, args: Args<'_>) -> Result<Value, FuncError> {
    let path = args.str(0)?.as_bytes();
    let end = path.iter().rposition(|b| *b == b'/').map_or(0, |slash| slash + 1);
    Ok(Value::str(clean(&path[..end])))
}

fn ext(_: &mut dyn Runtime, args: Args<'_>) -> Result<Value, FuncError> {
    let path = args.str(0)?.as_bytes();
    let dot = path.iter().rposition(|b| matches!(b, b'.' | b'/')).filter(|at| path[*at] == b'.');
    Ok(Value::str(dot.map_or(&b""[..], |dot| &path[dot..])))
}

/// `path.Clean`
fn clean(path: &[u8]) -> Vec<u8> {
    let rooted = path.starts_with(b"/");
    let mut parts: Vec<&[u8]> = Vec::new();
    for part in path.split(|b| *b == b'/') {
        match part {
            b"" | b"." => {}
            b".." if parts.last().is_some_and(|last| last != b"..") => {
                parts.pop();
            }
            b".." if rooted => {}
            _ => parts.push(part),
        }
    }
    let joined = parts.join(&b"/"[..]);
    match (rooted, joined.is_empty()) {
        (true, _) => [b"/", &joined[..]].concat(),
        (false, true) => b".".to_vec(),
        (false, false) => joined,
    }
}
