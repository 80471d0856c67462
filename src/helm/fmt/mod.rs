//! Go's fmt: `Sprint`, `Sprintln`, `Sprintf`.

mod number;
mod printf;
mod spec;

pub use printf::sprintf;

use super::func::FuncError;
use super::value::{Kind, Str, Value};

/// `fmt.Sprint`: a space goes between two operands of which neither is a string.
pub fn sprint(args: &[Value]) -> Result<Str, FuncError> {
    let mut out = Vec::new();
    let mut after_string = true;
    for (index, arg) in args.iter().enumerate() {
        let is_string = arg.kind() == Kind::String;
        if index > 0 && !is_string && !after_string {
            out.push(b' ');
        }
        out.extend_from_slice(arg.print()?.as_bytes());
        after_string = is_string;
    }
    Ok(out.into())
}

/// `fmt.Sprintln`: spaces between all operands, and a newline.
pub fn sprintln(args: &[Value]) -> Result<Str, FuncError> {
    let mut out = Vec::new();
    for (index, arg) in args.iter().enumerate() {
        if index > 0 {
            out.push(b' ');
        }
        out.extend_from_slice(arg.print()?.as_bytes());
    }
    out.push(b'\n');
    Ok(out.into())
}
