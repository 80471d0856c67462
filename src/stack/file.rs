//! What the files say: the texts that were read, and the one document they make.

use std::sync::Arc;

use crate::diag::{Diagnostic, Diagnostics, Failed, Place, Sources};
use crate::input::{self, Node, Value};
use crate::stack::merge;

/// A file of a stack, read.
#[derive(Clone, Debug)]
pub struct File {
    /// The file as diagnostics name it.
    pub name: Arc<str>,
    /// Its content: a map.
    pub node: Node,
}

impl File {
    /// Reads a file's bytes, and keeps the text in `sources` so that diagnostics can show its lines.
    pub fn read(name: &Arc<str>, bytes: &[u8], sources: &mut Sources, diags: &mut Diagnostics) -> Result<Self, Failed> {
        if bytes.len() <= input::MAX_BYTES {
            sources.add(name, &String::from_utf8_lossy(bytes));
        }
        let node = input::read(name, bytes, diags)?;
        if node.entries().is_some() {
            return Ok(Self { name: Arc::clone(name), node });
        }
        if node.is_null() {
            let detail = format!("{name} has no content");
            let help = "the shortest stack is `version: 1` and `stack: <name>`";
            diags.push(Diagnostic::error("stack/empty", "empty stack file", detail).at(&node.place).help(help));
        } else {
            let detail = format!("a stack file is a map, and this is {}", node.kind());
            diags.push(Diagnostic::error("stack/wrong-type", "value of the wrong type", detail).at(&node.place));
        }
        Err(Failed)
    }

    /// The files that this one extends, as written, each with its place. One file or a list of them.
    pub fn extends(&self, diags: &mut Diagnostics) -> Vec<(String, Place)> {
        let Some(entry) = self.node.get("extends") else { return Vec::new() };
        let one = std::slice::from_ref(&entry.value);
        let items = entry.value.items().unwrap_or(if entry.value.is_null() { &[] } else { one });
        let mut paths = Vec::new();
        for item in items {
            match item.text() {
                Some(text) if !item.is_null() => paths.push((text.to_owned(), item.place.clone())),
                _ => {
                    let detail = format!("a file to extend is named by its path, and this is {}", item.kind());
                    diags.push(Diagnostic::error("stack/wrong-type", "value of the wrong type", detail).at(&item.place));
                }
            }
        }
        paths
    }
}

/// The files of a stack in the order of their weight: what is extended comes before what extends it, the stack itself last.
#[derive(Clone, Debug, Default)]
pub struct Files {
    /// The files; each stands once.
    pub files: Vec<File>,
}

/// The merged document of a stack, not yet checked.
#[derive(Clone, Debug)]
pub struct StackFile {
    /// The document: a map, without `extends`.
    pub node: Node,
}

impl StackFile {
    /// The document with these sections only.
    pub(super) fn only(&self, sections: &[&str]) -> Self {
        let entries = self.node.entries().unwrap_or_default().iter();
        let kept = entries.filter(|entry| sections.contains(&entry.key.as_str())).cloned().collect();
        Self { node: Node::new(Value::Map(kept), self.node.place.clone()) }
    }
}

/// Joins the files to one document.
pub fn parse(files: &Files, diags: &mut Diagnostics) -> Result<StackFile, Failed> {
    let Some(node) = merge::merge(files.files.iter().map(|file| &file.node)) else {
        diags.push(Diagnostic::error("stack/empty", "empty stack file", "no file was read"));
        return Err(Failed);
    };
    Ok(StackFile { node })
}
