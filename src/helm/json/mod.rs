//! JSON as Go's encoding/json reads and writes it.

mod number;
mod read;
mod write;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

pub use number::{format_float, format_float32};
pub use read::{decode, unmarshal};
pub use write::{marshal, marshal_indent};

/// `base64.StdEncoding.EncodeToString`: what JSON makes of bytes.
#[must_use]
pub fn base64(bytes: &[u8]) -> String {
    STANDARD.encode(bytes)
}

/// `base64.StdEncoding.DecodeString`, which skips line breaks.
#[must_use]
pub fn from_base64(text: &str) -> Option<Vec<u8>> {
    let text: String = text.chars().filter(|rune| !matches!(rune, '\n' | '\r')).collect();
    STANDARD.decode(text).ok()
}
