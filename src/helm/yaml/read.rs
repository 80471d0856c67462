//! The reader: events of the parser to nodes, as `decode.go` of yaml/v2 does, and on to JSON's keys as sigs.k8s.io/yaml.

use std::collections::HashMap;

use super::event::{Event, Events, Properties};
use super::node::Node;
use super::resolve::{Scalar, resolve};
use crate::helm::json::format_float32;
use crate::helm::value::MAX_DEPTH;

/// Reads the first document of a text; null where there is none. The error begins with `yaml:`, as libyaml's does.
pub fn parse(text: &[u8]) -> Result<Node, String> {
    let prefix = |error: String| format!("error converting YAML to JSON: {error}");
    let text = std::str::from_utf8(text).map_err(|_| prefix("yaml: invalid leading UTF-8 octet".to_owned()))?;
    let text = text.strip_prefix('\u{FEFF}').unwrap_or(text);
    if text.chars().any(is_forbidden) {
        return Err(prefix("yaml: control characters are not allowed".to_owned()));
    }
    Reader { frames: Vec::new(), anchors: HashMap::new(), root: None, decoded: 0, aliased: 0 }.read(text).map_err(prefix)
}

fn is_forbidden(rune: char) -> bool {
    matches!(rune, '\0'..='\x08' | '\x0b' | '\x0c' | '\x0e'..='\x1f' | '\x7f'..='\u{84}' | '\u{86}'..='\u{9f}' | '\u{FEFF}' | '\u{FFFE}' | '\u{FFFF}')
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
struct Frame {
    anchor: String,
    size: u64,
    content: Content,
}

enum Content {
    List(Vec<Node>),
    Map { entries: Vec<(String, Node)>, places: HashMap<String, usize>, key: Option<String>, merge: bool },
}

struct Reader {
    frames: Vec<Frame>,
    anchors: HashMap<String, Option<Built>>,
    root: Option<Node>,
    decoded: u64,
    aliased: u64,
}

impl Reader {
    fn read(mut self, text: &str) -> Result<Node, String> {
        let mut events = Events::new(text);
        loop {
            match events.next().map_err(|problem| problem.to_string())? {
                Event::Scalar { value, plain, properties } => {
                    let built = scalar(value, plain, &properties.tag)?;
                    self.count(1)?;
                    self.add(built, properties.anchor)?;
                }
                Event::Alias(name) => {
                    let built = match self.anchors.get(&name) {
                        Some(Some(built)) => Built { merge_key: false, alias: true, ..built.clone() },
                        Some(None) => return Err(format!("yaml: anchor '{name}' value contains itself")),
                        None => return Err(format!("yaml: unknown anchor '{name}' referenced")),
                    };
                    self.aliased += built.size;
                    self.count(built.size)?;
                    self.add(built, String::new())?;
                }
                Event::SequenceStart(properties) => self.open(properties, Content::List(Vec::new()))?,
                Event::MappingStart(properties) => {
                    let content = Content::Map { entries: Vec::new(), places: HashMap::new(), key: None, merge: false };
                    self.open(properties, content)?;
                }
                Event::SequenceEnd | Event::MappingEnd => self.close()?,
                Event::DocumentStart => {}
                Event::End => return Ok(self.root.unwrap_or(Node::Null)),
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

    fn open(&mut self, properties: Properties, content: Content) -> Result<(), String> {
        if self.frames.len() >= MAX_DEPTH {
            return Err("yaml: exceeded max depth".to_owned());
        }
        if let Some(Frame { content: Content::Map { key: None, merge: false, .. }, .. }) = self.frames.last() {
            return Err("yaml: invalid map key".to_owned());
        }
        self.count(1)?;
        if !properties.anchor.is_empty() {
            self.anchors.insert(properties.anchor.clone(), None);
        }
        self.frames.push(Frame { anchor: properties.anchor, size: 1, content });
        Ok(())
    }

    fn close(&mut self) -> Result<(), String> {
        let Some(frame) = self.frames.pop() else { return Ok(()) };
        let node = match frame.content {
            Content::List(items) => Node::List(items),
            Content::Map { entries, .. } => Node::Map(entries),
        };
        self.add(Built { node, size: frame.size, merge_key: false, alias: false }, frame.anchor)
    }

    fn add(&mut self, built: Built, anchor: String) -> Result<(), String> {
        if !anchor.is_empty() {
            self.anchors.insert(anchor, Some(built.clone()));
        }
        let Some(frame) = self.frames.last_mut() else {
            self.root.get_or_insert(built.node);
            return Ok(());
        };
        frame.size += built.size;
        match &mut frame.content {
            Content::List(items) => items.push(built.node),
            Content::Map { entries, places, key, merge } => {
                if *merge {
                    *merge = false;
                    if built.alias && !matches!(built.node, Node::Map(_)) {
                        return Err(WANT_MAP.to_owned());
                    }
                    merge_into(entries, places, built.node)?;
                } else if let Some(name) = key.take() {
                    put(entries, places, name, built.node);
                } else if built.merge_key {
                    *merge = true;
                } else {
                    *key = Some(key_text(&built.node)?);
                }
            }
        }
        Ok(())
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
fn merge_into(entries: &mut Vec<(String, Node)>, places: &mut HashMap<String, usize>, node: Node) -> Result<(), String> {
    let want = || WANT_MAP.to_owned();
    match node {
        Node::Map(more) => {
            for (name, node) in more {
                put(entries, places, name, node);
            }
        }
        Node::List(maps) => {
            for map in maps.into_iter().rev() {
                let Node::Map(more) = map else { return Err(want()) };
                for (name, node) in more {
                    put(entries, places, name, node);
                }
            }
        }
        _ => return Err(want()),
    }
    Ok(())
}

/// The text of a key, as `convertToJSONableObject` makes it.
fn key_text(node: &Node) -> Result<String, String> {
    match node {
        Node::Str(text) => Ok(text.clone()),
        Node::Bool(truth) => Ok(truth.to_string()),
        Node::Int(number) => Ok(number.to_string()),
        Node::Float(number) if number.is_nan() => Ok(".nan".to_owned()),
        Node::Float(number) if number.is_infinite() => Ok(if *number > 0.0 { ".inf" } else { "-.inf" }.to_owned()),
        Node::Float(number) => Ok(format_float32(*number)),
        Node::Uint(number) => Err(format!("unsupported map key of type: uint64, key: {number}")),
        Node::Null => Err("unsupported map key of type: %!s(<nil>), key: <nil>".to_owned()),
        Node::List(_) | Node::Map(_) => Err("yaml: invalid map key".to_owned()),
    }
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
