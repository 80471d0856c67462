//! XML for the two services that speak it: a small reader into a tree, and a writer of text.

use quick_xml::Reader;
use quick_xml::escape::{escape, resolve_predefined_entity};
use quick_xml::events::Event;
use serde::{Deserialize, Serialize};

/// Deeper than any request of these services nests.
const DEPTH: usize = 16;

/// An element without its attributes.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Element {
    pub(super) name: String,
    pub(super) text: String,
    pub(super) children: Vec<Element>,
}

impl Element {
    /// Reads a document. What isn't one gives what is wrong with it.
    pub(super) fn parse(bytes: &[u8]) -> Result<Self, String> {
        let text = std::str::from_utf8(bytes).map_err(|error| error.to_string())?;
        let mut reader = Reader::from_str(text);
        let mut open = vec![Self::default()];
        loop {
            match reader.read_event().map_err(|error| error.to_string())? {
                Event::Start(start) => {
                    if open.len() > DEPTH {
                        return Err("elements are nested too deeply".to_owned());
                    }
                    open.push(Self { name: start.local_name().as_ref().to_owned(), ..Self::default() });
                }
                Event::Empty(start) => {
                    let element = Self { name: start.local_name().as_ref().to_owned(), ..Self::default() };
                    if let Some(parent) = open.last_mut() {
                        parent.children.push(element);
                    }
                }
                Event::End(_) => {
                    if let Some(element) = open.pop()
                        && let Some(parent) = open.last_mut()
                    {
                        parent.children.push(element);
                    }
                }
                Event::Text(part) => append(&mut open, &part.xml10_content()),
                Event::CData(part) => append(&mut open, &part.xml10_content()),
                Event::GeneralRef(reference) => {
                    if let Some(character) = reference.resolve_char_ref().map_err(|error| error.to_string())? {
                        append(&mut open, character.encode_utf8(&mut [0; 4]));
                    } else {
                        let name = reference.xml10_content();
                        append(&mut open, resolve_predefined_entity(&name).ok_or_else(|| format!("unknown entity &{name};"))?);
                    }
                }
                Event::Eof => break,
                _ => {}
            }
        }
        match (open.pop(), open.is_empty()) {
            (Some(mut root), true) if root.children.len() == 1 => Ok(root.children.remove(0)),
            _ => Err("the document has no single root".to_owned()),
        }
    }

    /// The first child of a name.
    pub(super) fn child(&self, name: &str) -> Option<&Self> {
        self.children.iter().find(|child| child.name == name)
    }

    /// The text of the first child of a name.
    pub(super) fn value(&self, name: &str) -> Option<&str> {
        self.child(name).map(|child| child.text.as_str())
    }

    /// The children of the first child of a name: a list.
    pub(super) fn list(&self, name: &str) -> &[Self] {
        self.child(name).map_or(&[], |child| child.children.as_slice())
    }
}

fn append(open: &mut [Element], text: &str) {
    if let Some(element) = open.last_mut() {
        element.text.push_str(text);
    }
}

/// An element around XML.
pub(super) fn tag(name: &str, inner: &str) -> String {
    format!("<{name}>{inner}</{name}>")
}

/// An element around text.
pub(super) fn text(name: &str, text: &str) -> String {
    tag(name, &escape(text))
}

/// An element around text, when there is one.
pub(super) fn option(name: &str, value: Option<&str>) -> String {
    value.map(|value| text(name, value)).unwrap_or_default()
}

/// A whole document with its namespace.
pub(super) fn document(root: &str, namespace: &str, inner: &str) -> String {
    let namespace = if namespace.is_empty() { String::new() } else { format!(" xmlns=\"{namespace}\"") };
    format!("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<{root}{namespace}>{inner}</{root}>")
}
