//! Numbers and quoted strings as Go's strconv reads and writes them.

mod float;
mod quote;

pub use float::{format_float, parse_float};
pub(crate) use quote::quote_with;
pub use quote::{decode_rune, is_print, quote, quote_bytes, quote_rune, unquote, unquote_char};
