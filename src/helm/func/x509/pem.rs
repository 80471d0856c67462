//! PEM as Go's `encoding/pem` reads and writes it.

use std::fmt::Write as _;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use super::super::encoding::base64_decode;

const BEGIN: &str = "-----BEGIN ";
const DASHES: &str = "-----";
const LINE: usize = 64;

/// The first block of a text: its label and its bytes. What is before and after it is passed over.
pub(super) fn decode(text: &str) -> Option<(&str, Vec<u8>)> {
    let mut left = text;
    loop {
        let at = if left.starts_with(BEGIN) { 0 } else { left.find("\n-----BEGIN ")? + 1 };
        let block = &left[at + BEGIN.len()..];
        left = block;
        let (label, rest) = block.split_once('\n')?;
        let Some(label) = label.trim_end_matches([' ', '\t', '\r']).strip_suffix(DASHES) else { continue };
        let end = format!("-----END {label}-----");
        let Some(body) = rest.find(&end).filter(|at| *at == 0 || rest.as_bytes()[at - 1] == b'\n').map(|at| &rest[..at]) else { continue };
        // Headers end at an empty line.
        let body = match body.split_once("\n\n") {
            Some((headers, body)) if headers.contains(':') => body,
            _ => body,
        };
        let letters: Vec<u8> = body.bytes().filter(|b| !b.is_ascii_whitespace()).collect();
        if let Ok(bytes) = base64_decode(&letters) {
            return Some((label, bytes));
        }
    }
}

/// A block with lines of 64 letters.
pub(super) fn encode(label: &str, bytes: &[u8]) -> String {
    let letters = STANDARD.encode(bytes);
    let mut out = format!("{BEGIN}{label}{DASHES}\n");
    for (index, letter) in letters.chars().enumerate() {
        if index > 0 && index % LINE == 0 {
            out.push('\n');
        }
        out.push(letter);
    }
    if !letters.is_empty() {
        out.push('\n');
    }
    let _ = writeln!(out, "-----END {label}{DASHES}");
    out
}
