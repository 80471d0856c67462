//! TOML as `toToml` and `fromToml` have it: github.com/BurntSushi/toml.

mod read;
mod scalar;
mod scan;
mod words;
mod write;

use super::func::{FuncError, Host};
use super::value::{Str, Value};

/// `toml.Encoder.Encode`.
pub(crate) fn marshal(value: &Value) -> Result<Str, FuncError> {
    write::marshal(value)
}

/// `toml.Unmarshal` into a map. Times without an offset are in the host's zone of today.
pub(crate) fn unmarshal(host: &mut dyn Host, text: &Str) -> Result<Value, FuncError> {
    read::unmarshal(host, text.as_bytes())
}
