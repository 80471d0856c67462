//! `html`, `js` and `urlquery` of `text/template/funcs.go`.

use std::fmt::Write as _;

use crate::helm::strconv::{decode_rune, is_print};

/// `HTMLEscapeString`.
pub(super) fn html(bytes: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(bytes.len());
    for &byte in bytes {
        match byte {
            0 => out.extend_from_slice("\u{FFFD}".as_bytes()),
            b'"' => out.extend_from_slice(b"&#34;"),
            b'\'' => out.extend_from_slice(b"&#39;"),
            b'&' => out.extend_from_slice(b"&amp;"),
            b'<' => out.extend_from_slice(b"&lt;"),
            b'>' => out.extend_from_slice(b"&gt;"),
            other => out.push(other),
        }
    }
    out
}

/// `JSEscapeString`.
pub(super) fn js(mut bytes: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(bytes.len());
    while let Some(&first) = bytes.first() {
        let (rune, length) = decode_rune(bytes);
        let known: &[u8] = match first {
            b'\\' => b"\\\\",
            b'\'' => b"\\'",
            b'"' => b"\\\"",
            b'<' => b"\\u003C",
            b'>' => b"\\u003E",
            b'&' => b"\\u0026",
            b'=' => b"\\u003D",
            _ => b"",
        };
        if !known.is_empty() {
            out.extend_from_slice(known);
        } else if first < b' ' || (first >= 0x80 && !is_print(rune)) {
            let mut text = String::new();
            let _ = write!(text, "\\u{:04X}", u32::from(rune));
            out.extend_from_slice(text.as_bytes());
        } else {
            out.extend_from_slice(&bytes[..length]);
        }
        bytes = &bytes[length..];
    }
    out
}

/// `url.QueryEscape`.
pub(super) fn query_escape(bytes: &[u8]) -> String {
    let mut out = String::with_capacity(bytes.len());
    for &byte in bytes {
        match byte {
            b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'-' | b'_' | b'.' | b'~' => out.push(char::from(byte)),
            b' ' => out.push('+'),
            other => {
                let _ = write!(out, "%{other:02X}");
            }
        }
    }
    out
}
