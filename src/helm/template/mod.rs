//! Go's text/template: parsing and execution.

mod builtin;
mod call;
mod compare;
mod error;
mod escape;
mod exec;
mod lex;
mod machine;
pub mod node;
mod number;
mod operand;
mod parse;
mod set;

pub(crate) use builtin::FUNCS;
pub use error::ExecError;
pub use machine::{Limits, Machine};
pub(crate) use number::{parse_int, parse_uint};
pub use parse::parse;
pub use set::Set;
