//! The reader: events of the parser to nodes, as `decode.go` of yaml/v2 does, and on to JSON's keys as sigs.k8s.io/yaml.

use std::collections::HashMap;

use super::event::{Event, Events, Properties};
use super::node::Node;
use super::resolve::{Scalar, resolve};
use crate::helm::value::MAX_DEPTH;

/// Reads the first document of a text; null where there is none. The error begins with `yaml:`, as libyaml's does.
pub(super) fn parse(text: &[u8]) -> Result<Node, String> {
    let prefix = |error: String| format!("error converting YAML to JSON: {error}");
    let text = readable(text).map_err(|error| prefix(error.to_owned()))?;
    Reader { frames: Vec::new(), anchors: HashMap::new(), root: None, decoded: 0, aliased: 0, invalid: None, unsupported: None }
        .read(text)
        .map_err(prefix)
}

/// The text without its byte order mark, or why yaml/v2 reads none of it.
pub(super) fn readable(text: &[u8]) -> Result<&str, &'static str> {
    let text = std::str::from_utf8(text).map_err(|_| "yaml: invalid leading UTF-8 octet")?;
    let text = text.strip_prefix('\u{FEFF}').unwrap_or(text);
    if has_forbidden(text) { Err("yaml: control characters are not allowed") } else { Ok(text) }
}

/// Whether a character stands in the text that the reader of yaml/v2 refuses: controls but tab, line ends and NEL, and some that are no characters.
fn has_forbidden(text: &str) -> bool {
    let odd = |byte: u8| byte.wrapping_sub(0x20) >= 0x5F && !matches!(byte, b'\t' | b'\n' | b'\r');
    let wrong = |rune: char| matches!(rune, '\0'..='\x08' | '\x0b' | '\x0c' | '\x0e'..='\x1f' | '\x7f'..='\u{84}' | '\u{86}'..='\u{9f}' | '\u{FEFF}' | '\u{FFFE}' | '\u{FFFF}');
    // Nearly all pieces have nothing odd: those are told without a look at single characters.
    let mut from = 0;
    while from < text.len() {
        let to = text.ceil_char_boundary(from + 256);
        let piece = &text[from..to];
        if piece.bytes().fold(false, |found, byte| found | odd(byte)) && piece.chars().any(wrong) {
            return true;
        }
        from = to;
    }
    false
}

const WANT_MAP: &str = "yaml: map merge requires map or sequence of maps as the value";

/// A finished node, and how many nodes it is made of: what an alias to it costs.
#[derive(Clone)]
struct Built {
    node: Node,
    size: u64,
    merge_key: bool,
    alias: bool,
}

/// A list or map that isn't closed yet.
struct Frame<'a> {
    anchor: &'a str,
    size: u64,
    content: Content,
}

enum Content {
    List(Vec<Node>),
    Map { entries: Vec<(String, Node)>, places: HashMap<String, usize>, key: Option<Node>, merge: bool },
}

struct Reader<'a> {
    frames: Vec<Frame<'a>>,
    anchors: HashMap<&'a str, Option<Built>>,
    root: Option<Node>,
    decoded: u64,
    aliased: u64,
    /// What the decoder would say when the text is read: the first of it.
    invalid: Option<String>,
    /// What the conversion to JSON would say after that.
    unsupported: Option<String>,
}

impl<'a> Reader<'a> {
    fn read(mut self, text: &'a str) -> Result<Node, String> {
        let mut events = Events::new(text);
        loop {
            match events.next().map_err(|problem| problem.to_string())? {
                Event::Scalar { value, plain, properties } => {
                    let built = scalar(value.into_owned(), plain, &properties.tag).unwrap_or_else(|error| {
                        self.invalid.get_or_insert(error);
                        Built { node: Node::Null, size: 1, merge_key: false, alias: false }
                    });
                    self.count(1)?;
                    self.add(built, properties.anchor);
                }
                Event::Alias(name) => {
                    let built = match self.anchors.get(name) {
                        Some(Some(built)) => Built { merge_key: false, alias: true, ..built.clone() },
                        Some(None) => {
                            self.invalid.get_or_insert_with(|| format!("yaml: anchor '{name}' value contains itself"));
                            Built { node: Node::Null, size: 1, merge_key: false, alias: true }
                        }
                        None => return Err(format!("yaml: unknown anchor '{name}' referenced")),
                    };
                    self.aliased += built.size;
                    self.count(built.size)?;
                    self.add(built, "");
                }
                Event::SequenceStart(properties) => self.open(&properties, Content::List(Vec::new()))?,
                Event::MappingStart(properties) => {
                    let content = Content::Map { entries: Vec::new(), places: HashMap::new(), key: None, merge: false };
                    self.open(&properties, content)?;
                }
                Event::SequenceEnd | Event::MappingEnd => self.close(),
                Event::DocumentStart => {}
                Event::End => {
                    return match self.invalid.or(self.unsupported) {
                        Some(error) => Err(error),
                        None => Ok(self.root.unwrap_or(Node::Null)),
                    };
                }
            }
        }
    }

    /// yaml/v2's guard against aliases that grow without end.
    fn count(&mut self, nodes: u64) -> Result<(), String> {
        const LOW: f64 = 400_000.0;
        const HIGH: f64 = 4_000_000.0;
        self.decoded += nodes;
        if self.aliased > 100 && self.decoded > 1000 {
            #[expect(clippy::cast_precision_loss, reason = "a ratio of counts")]
            let (decoded, aliased) = (self.decoded as f64, self.aliased as f64);
            let allowed = (0.99 - 0.89 * ((decoded - LOW) / (HIGH - LOW))).clamp(0.10, 0.99);
            if aliased / decoded > allowed {
                return Err("yaml: document contains excessive aliasing".to_owned());
            }
        }
        Ok(())
    }

    fn open(&mut self, properties: &Properties<'a>, content: Content) -> Result<(), String> {
        if self.frames.len() >= MAX_DEPTH {
            return Err("yaml: exceeded max depth".to_owned());
        }
        self.count(1)?;
        if !properties.anchor.is_empty() {
            self.anchors.insert(properties.anchor, None);
        }
        self.frames.push(Frame { anchor: properties.anchor, size: 1, content });
        Ok(())
    }

    fn close(&mut self) {
        let Some(frame) = self.frames.pop() else { return };
        let node = match frame.content {
            Content::List(items) => Node::List(items),
            Content::Map { entries, .. } => Node::Map(entries),
        };
        self.add(Built { node, size: frame.size, merge_key: false, alias: false }, frame.anchor);
    }

    fn add(&mut self, built: Built, anchor: &'a str) {
        if !anchor.is_empty() {
            self.anchors.insert(anchor, Some(built.clone()));
        }
        let Some(frame) = self.frames.last_mut() else {
            self.root.get_or_insert(built.node);
            return;
        };
        frame.size += built.size;
        match &mut frame.content {
            Content::List(items) => items.push(built.node),
            Content::Map { entries, places, key, merge } => {
                if *merge {
                    *merge = false;
                    if built.alias && !matches!(built.node, Node::Map(_)) || !merge_into(entries, places, built.node) {
                        self.invalid.get_or_insert_with(|| WANT_MAP.to_owned());
                    }
                } else if let Some(node) = key.take() {
                    match key_text(&node) {
                        Some(name) => put(entries, places, name, built.node),
                        None if matches!(node, Node::List(_) | Node::Map(_)) => {
                            self.invalid.get_or_insert_with(|| format!("yaml: invalid map key: {}", node.go_syntax()));
                        }
                        None => {
                            let typ = if matches!(node, Node::Null) { "%!s(<nil>)" } else { "uint64" };
                            let (key, value) = (node.go_syntax(), built.node.go_syntax());
                            self.unsupported
                                .get_or_insert_with(|| format!("unsupported map key of type: {typ}, key: {key}, value: {value}"));
                        }
                    }
                } else if built.merge_key {
                    *merge = true;
                } else {
                    *key = Some(built.node);
                }
            }
        }
    }
}

fn put(entries: &mut Vec<(String, Node)>, places: &mut HashMap<String, usize>, name: String, node: Node) {
    if let Some(place) = places.get(&name) {
        entries[*place].1 = node;
    } else {
        places.insert(name.clone(), entries.len());
        entries.push((name, node));
    }
}

/// `<<`: yaml/v2 puts the entries in where the key stands, so that they replace what came before, and what comes after replaces them.
fn merge_into(entries: &mut Vec<(String, Node)>, places: &mut HashMap<String, usize>, node: Node) -> bool {
    let maps = match node {
        Node::List(maps) => maps,
        map => vec![map],
    };
    for map in maps.into_iter().rev() {
        let Node::Map(more) = map else { return false };
        for (name, node) in more {
            put(entries, places, name, node);
        }
    }
    true
}

/// The text of a key, as `convertToJSONableObject` makes it; none of what can be no key.
fn key_text(node: &Node) -> Option<String> {
    Some(match node {
        Node::Float(number) if number.is_nan() => ".nan".to_owned(),
        Node::Float(number) if number.is_infinite() => if *number > 0.0 { ".inf" } else { "-.inf" }.to_owned(),
        Node::Uint(_) => return None,
        node => return node.to_text(),
    })
}

fn scalar(text: String, plain: bool, tag: &str) -> Result<Built, String> {
    let short = tag.strip_prefix("tag:yaml.org,2002:");
    let merge_key = text == "<<" && (plain || short == Some("merge"));
    let node = match short {
        None if plain => resolved(text),
        Some("binary") => {
            let bytes = crate::helm::json::from_base64(&text).ok_or("yaml: !!binary value contains invalid base64 data")?;
            Node::Str(String::from_utf8_lossy(&bytes).into_owned())
        }
        Some(tag @ ("bool" | "int" | "float" | "null" | "timestamp")) => tagged(tag, &text)?,
        _ => Node::Str(text),
    };
    Ok(Built { node, size: 1, merge_key, alias: false })
}

fn resolved(text: String) -> Node {
    match resolve(&text) {
        Scalar::Null => Node::Null,
        Scalar::Bool(truth) => Node::Bool(truth),
        Scalar::Int(number) => Node::Int(number),
        Scalar::Uint(number) => Node::Uint(number),
        Scalar::Float(number) => Node::Float(number),
        Scalar::Timestamp | Scalar::Str => Node::Str(text),
    }
}

fn tagged(tag: &str, text: &str) -> Result<Node, String> {
    let is_timestamp = resolve(text) == Scalar::Timestamp;
    let node = resolved(text.to_owned());
    let found = match &node {
        Node::Null => "null",
        Node::Bool(_) => "bool",
        Node::Int(_) | Node::Uint(_) => "int",
        Node::Float(_) => "float",
        _ if is_timestamp => "timestamp",
        _ => "str",
    };
    #[expect(clippy::cast_precision_loss, reason = "Go converts the same way")]
    match (tag, node) {
        ("float", Node::Int(number)) => Ok(Node::Float(number as f64)),
        (tag, node) if tag == found => Ok(node),
        _ => Err(format!("yaml: cannot decode !!{found} `{text}` as a !!{tag}")),
    }
}
