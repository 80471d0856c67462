//! YAML text as nodes that keep text, style and place.
//!
//! A scalar isn't resolved here: `000000000000` is text until someone asks for a number. Anchors, aliases and merge keys (`<<`) are put in, a
//! key given twice is an error, and hostile input ends in a diagnostic: limits hold for bytes, depth and nodes after alias expansion.

mod build;
#[cfg(test)]
mod tests;

use std::fmt;
use std::sync::Arc;

use crate::diag::{Diagnostic, Diagnostics, Failed, Place};

/// Most bytes in a file: 1 MiB.
pub const MAX_BYTES: usize = 1 << 20;
/// Most levels of maps and lists in one another.
pub const MAX_DEPTH: usize = 64;
/// Most nodes in a file once aliases are put in.
pub const MAX_NODES: usize = 100_000;

/// A value and where it stands.
#[derive(Clone)]
pub struct Node {
    /// The value.
    pub value: Value,
    /// Where it stands.
    pub place: Place,
    /// Where the values stand that this one replaced in a merge, the oldest first. Empty as read.
    pub overrode: Vec<Place>,
}

/// A YAML value.
#[derive(Clone)]
pub enum Value {
    /// A scalar, not resolved.
    Scalar {
        /// The text after unquoting and unescaping.
        text: String,
        /// How it was written.
        style: Style,
    },
    /// A list.
    List(Vec<Node>),
    /// A map in the order written; no key stands twice.
    Map(Vec<Entry>),
}

/// A key and its value.
#[derive(Clone)]
pub struct Entry {
    /// The key's text.
    pub key: String,
    /// Where the key stands.
    pub key_place: Place,
    /// The value.
    pub value: Node,
}

/// How a scalar was written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Style {
    /// Without quotes: may be read as a number, a boolean or null.
    Plain,
    /// In single or double quotes: always a string.
    Quoted,
    /// A block (`|` or `>`): always a string.
    Block,
}

/// Shows the place only: a scalar may be a secret.
impl fmt::Debug for Node {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} at {}", self.kind(), self.place)
    }
}

impl Node {
    /// A node that replaced nothing.
    pub fn new(value: Value, place: Place) -> Self {
        Self { value, place, overrode: Vec::new() }
    }

    /// Whether it is null: nothing, `~` or `null`, without quotes.
    pub fn is_null(&self) -> bool {
        match &self.value {
            Value::Scalar { text, style: Style::Plain } => matches!(text.as_str(), "" | "~" | "null" | "Null" | "NULL"),
            _ => false,
        }
    }

    /// The entries, if it is a map.
    pub fn entries(&self) -> Option<&[Entry]> {
        if let Value::Map(entries) = &self.value { Some(entries) } else { None }
    }

    /// The items, if it is a list.
    pub fn items(&self) -> Option<&[Node]> {
        if let Value::List(items) = &self.value { Some(items) } else { None }
    }

    /// Whether any text in it holds `part`.
    pub fn mentions(&self, part: &str) -> bool {
        match &self.value {
            Value::Scalar { text, .. } => text.contains(part),
            Value::List(items) => items.iter().any(|item| item.mentions(part)),
            Value::Map(entries) => entries.iter().any(|entry| entry.value.mentions(part)),
        }
    }

    /// The text, if it is a scalar.
    pub fn text(&self) -> Option<&str> {
        if let Value::Scalar { text, .. } = &self.value { Some(text) } else { None }
    }

    /// The entry of a key, if it is a map that has it.
    pub fn get(&self, key: &str) -> Option<&Entry> {
        self.entries()?.iter().find(|entry| entry.key == key)
    }

    /// What it is, in words for a message.
    pub fn kind(&self) -> &'static str {
        match &self.value {
            _ if self.is_null() => "nothing",
            Value::Scalar { .. } => "a single value",
            Value::List(_) => "a list",
            Value::Map(_) => "a map",
        }
    }
}

/// Reads one YAML document. A file without content is a null node.
pub fn read(file: &Arc<str>, bytes: &[u8], diags: &mut Diagnostics) -> Result<Node, Failed> {
    match text(file, bytes).and_then(|text| build::document(file, text)) {
        Ok(node) => Ok(node),
        Err(problem) => {
            diags.push(*problem);
            Err(Failed)
        }
    }
}

/// The text of a file, if it is text that YAML allows.
fn text<'a>(file: &Arc<str>, bytes: &'a [u8]) -> Result<&'a str, Box<Diagnostic>> {
    let start = Place { file: Arc::clone(file), line: 1, column: 1, length: 1 };
    if bytes.len() > MAX_BYTES {
        let detail = format!("{} bytes; at most {MAX_BYTES} are read", bytes.len());
        return Err(Box::new(Diagnostic::error("yaml/too-large", "file too large", detail).at(&start)));
    }
    let text = match std::str::from_utf8(bytes) {
        Ok(text) => text,
        Err(error) => {
            let before = String::from_utf8_lossy(&bytes[..error.valid_up_to()]);
            let detail = format!("the byte 0x{:02x} is not UTF-8 here", bytes[error.valid_up_to()]);
            let advice = if bytes.starts_with(&[0xff, 0xfe]) || bytes.starts_with(&[0xfe, 0xff]) {
                "the file is UTF-16; save it as UTF-8"
            } else {
                "save the file as UTF-8"
            };
            let place = end_of(&start, &before);
            return Err(Box::new(Diagnostic::error("yaml/encoding", "file is not UTF-8", detail).at(&place).help(advice)));
        }
    };
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    let forbidden = |c: char| c.is_control() && !matches!(c, '\t' | '\n' | '\r' | '\u{85}');
    if let Some(at) = text.find(forbidden) {
        let c = text[at..].chars().next().unwrap_or_default();
        let detail = format!("U+{:04X} is not allowed in YAML", u32::from(c));
        let place = end_of(&start, &text[..at]);
        let help = "remove it; in double quotes it can be written as an escape";
        return Err(Box::new(Diagnostic::error("yaml/control-character", "control character in file", detail).at(&place).help(help)));
    }
    Ok(text)
}

/// The place just after `before`.
fn end_of(start: &Place, before: &str) -> Place {
    let before = before.replace("\r\n", "\n").replace('\r', "\n");
    let line = before.matches('\n').count() + 1;
    let column = before.rsplit('\n').next().map_or(0, |last| last.chars().count()) + 1;
    Place { line, column, ..start.clone() }
}
