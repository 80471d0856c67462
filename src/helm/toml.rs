//! TOML.

use super::func::FuncError;
use super::value::{Str, Value};

pub(crate) fn marshal(_value: &Value) -> Result<Str, FuncError> {
    Err(FuncError::new("not yet"))
}

pub(crate) fn unmarshal(_text: &Str) -> Result<Value, String> {
    Err("not yet".to_owned())
}
