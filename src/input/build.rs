//! From the YAML parser's events to nodes, without recursion.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use saphyr_parser::{Event, Marker, Parser, ScalarStyle, ScanError, Span, StrInput, Tag};

use super::{Entry, MAX_DEPTH, MAX_NODES, Node, Style, Value};
use crate::diag::{Diagnostic, Place, shown};

type Problem = Box<Diagnostic>;

/// A node with what an alias to it would cost.
#[derive(Clone)]
struct Built {
    node: Node,
    nodes: usize,
    depth: usize,
}

/// A map or list that isn't closed yet.
struct Frame {
    anchor: usize,
    place: Place,
    nodes: usize,
    depth: usize,
    content: Content,
}

enum Content {
    List(Vec<Node>),
    Map { entries: Vec<Entry>, keys: HashMap<String, Place>, pending: Option<(String, Place, bool)>, merges: Vec<Node> },
}

/// Where the builder stands.
struct Builder<'a> {
    file: &'a Arc<str>,
    frames: Vec<Frame>,
    anchors: HashMap<usize, Built>,
    open: HashSet<usize>,
    total: usize,
    root: Option<Node>,
}

/// Reads the one document of a text.
pub(super) fn document(file: &Arc<str>, text: &str) -> Result<Node, Problem> {
    let mut builder = Builder { file, frames: Vec::new(), anchors: HashMap::new(), open: HashSet::new(), total: 0, root: None };
    let mut documents = 0;
    let mut parser: Parser<'_, StrInput<'_>> = Parser::new_from_str(text);
    while let Some(next) = parser.next_event() {
        let (event, span) = next.map_err(|error| syntax(file, text, &error))?;
        match event {
            Event::DocumentStart(_) => {
                documents += 1;
                if documents > 1 {
                    let detail = "a second document starts here";
                    return Err(problem("yaml/documents", "more than one document", detail, &builder.place(span))
                        .map_help("keep one document a file; join stacks with `extends`"));
                }
            }
            Event::Scalar(text, style, anchor, tag) => {
                let style = style_of(style, tag.as_deref(), &builder.place(span))?;
                let node = Node::new(Value::Scalar { text: text.into_owned(), style }, builder.place(span));
                builder.add(Built { node, nodes: 1, depth: 0 }, anchor)?;
            }
            Event::Alias(anchor) => builder.alias(anchor, span)?,
            Event::SequenceStart(anchor, tag) => {
                builder.open(anchor, tag.as_deref(), span, Content::List(Vec::new()))?;
            }
            Event::MappingStart(anchor, tag) => {
                let content = Content::Map { entries: Vec::new(), keys: HashMap::new(), pending: None, merges: Vec::new() };
                builder.open(anchor, tag.as_deref(), span, content)?;
            }
            Event::SequenceEnd | Event::MappingEnd => builder.close()?,
            Event::StreamEnd => break,
            Event::Nothing | Event::StreamStart | Event::DocumentEnd => {}
        }
    }
    let start = Place { file: Arc::clone(file), line: 1, column: 1, length: 1 };
    Ok(builder.root.unwrap_or_else(|| Node::new(Value::Scalar { text: String::new(), style: Style::Plain }, start)))
}

impl Builder<'_> {
    fn place(&self, span: Span) -> Place {
        place(self.file, span.start, span.end)
    }

    /// Counts nodes that are about to come into being.
    fn count(&mut self, nodes: usize, place: &Place) -> Result<(), Problem> {
        self.total = self.total.saturating_add(nodes);
        if self.total > MAX_NODES {
            let detail = format!("more than {MAX_NODES} values, aliases put in");
            return Err(problem("yaml/too-many-nodes", "file holds too many values", detail, place));
        }
        Ok(())
    }

    /// Opens a map or list.
    fn open(&mut self, anchor: usize, tag: Option<&Tag>, span: Span, content: Content) -> Result<(), Problem> {
        let place = self.place(span);
        check_collection_tag(tag, &place)?;
        self.key_must_be_scalar(&place)?;
        if self.frames.len() >= MAX_DEPTH {
            let detail = format!("more than {MAX_DEPTH} levels of maps and lists");
            return Err(problem("yaml/too-deep", "values nested too deeply", detail, &place));
        }
        self.count(1, &place)?;
        if anchor != 0 {
            self.open.insert(anchor);
        }
        self.frames.push(Frame { anchor, place, nodes: 1, depth: 0, content });
        Ok(())
    }

    /// A map's key can't be a map or a list.
    fn key_must_be_scalar(&self, place: &Place) -> Result<(), Problem> {
        if let Some(Frame { content: Content::Map { pending: None, .. }, .. }) = self.frames.last() {
            let problem = problem("yaml/key-type", "key is not a string", "a map or a list can't be a key", place);
            return Err(problem.map_help("a value that starts with `{` or `[` needs quotes to be text"));
        }
        Ok(())
    }

    fn close(&mut self) -> Result<(), Problem> {
        let Some(frame) = self.frames.pop() else { return Ok(()) };
        let value = match frame.content {
            Content::List(items) => Value::List(items),
            Content::Map { mut entries, keys, merges, .. } => {
                merge_keys(&mut entries, keys, merges)?;
                Value::Map(entries)
            }
        };
        self.open.remove(&frame.anchor);
        let node = Node::new(value, frame.place);
        self.add_counted(Built { node, nodes: frame.nodes, depth: frame.depth + 1 }, frame.anchor)
    }

    fn alias(&mut self, anchor: usize, span: Span) -> Result<(), Problem> {
        let place = self.place(span);
        if self.open.contains(&anchor) {
            return Err(problem("yaml/alias", "bad alias", "it stands inside the value that it names", &place));
        }
        let Some((nodes, depth)) = self.anchors.get(&anchor).map(|built| (built.nodes, built.depth)) else {
            return Err(problem("yaml/alias", "bad alias", "no anchor of that name stands before it", &place));
        };
        if self.frames.len() + depth > MAX_DEPTH {
            let detail = format!("with what this alias stands for, more than {MAX_DEPTH} levels of maps and lists");
            return Err(problem("yaml/too-deep", "values nested too deeply", detail, &place));
        }
        if depth > 0 {
            self.key_must_be_scalar(&place)?;
        }
        self.count(nodes, &place)?;
        let Some(built) = self.anchors.get(&anchor).cloned() else { return Ok(()) };
        self.add_counted(built, 0)
    }

    /// Adds a scalar.
    fn add(&mut self, built: Built, anchor: usize) -> Result<(), Problem> {
        self.count(1, &built.node.place)?;
        self.add_counted(built, anchor)
    }

    /// Adds a node, whose cost is counted already, to the map or list it stands in.
    fn add_counted(&mut self, built: Built, anchor: usize) -> Result<(), Problem> {
        if anchor != 0 {
            // The copy that aliases are made from counts too: anchors in one another would multiply it.
            self.count(built.nodes, &built.node.place)?;
            self.anchors.insert(anchor, built.clone());
        }
        let is_collection = built.node.text().is_none();
        if is_collection {
            self.key_must_be_scalar(&built.node.place)?;
        }
        let Some(frame) = self.frames.last_mut() else {
            self.root.get_or_insert(built.node);
            return Ok(());
        };
        frame.nodes += built.nodes;
        frame.depth = frame.depth.max(built.depth);
        let node = built.node;
        match &mut frame.content {
            Content::List(items) => items.push(node),
            Content::Map { entries, keys, pending, merges } => match pending.take() {
                None => {
                    if entries.is_empty()
                        && merges.is_empty()
                        && keys.is_empty()
                        && frame.place.length == 1
                        && frame.place.line == node.place.line
                        && frame.place.column == node.place.column
                    {
                        frame.place = node.place.clone();
                    }
                    let (Value::Scalar { text, style }, place) = (node.value, node.place) else { return Ok(()) };
                    let is_merge = text == "<<" && style == Style::Plain;
                    *pending = Some((text, place, is_merge));
                }
                Some((_, _, true)) => merges.push(node),
                Some((key, key_place, false)) => {
                    if let Some(first) = keys.insert(key.clone(), key_place.clone()) {
                        let detail = format!("{} is given a second time", shown(&key));
                        let mut twice = problem("yaml/duplicate-key", "key given twice", detail, &key_place);
                        *twice = twice.and_at(&first, "first given here").help("keep one of the two");
                        return Err(twice);
                    }
                    entries.push(Entry { key, key_place, value: node });
                }
            },
        }
        Ok(())
    }
}

/// Puts in what `<<` brings: keys of the map itself win, then those of the first map of the list.
fn merge_keys(entries: &mut Vec<Entry>, keys: HashMap<String, Place>, merges: Vec<Node>) -> Result<(), Problem> {
    let mut known: HashSet<String> = keys.into_keys().collect();
    for merge in merges {
        let maps = match merge.value {
            Value::List(items) => items,
            _ => vec![merge],
        };
        for map in maps {
            let Value::Map(inherited) = map.value else {
                let detail = format!("`<<` takes a map or a list of maps, and this is {}", map.kind());
                return Err(problem("yaml/merge-key", "merge key without a map", detail, &map.place));
            };
            entries.extend(inherited.into_iter().filter(|entry| known.insert(entry.key.clone())));
        }
    }
    Ok(())
}

fn style_of(style: ScalarStyle, tag: Option<&Tag>, place: &Place) -> Result<Style, Problem> {
    let written = match style {
        ScalarStyle::Plain => Style::Plain,
        ScalarStyle::SingleQuoted | ScalarStyle::DoubleQuoted => Style::Quoted,
        ScalarStyle::Literal | ScalarStyle::Folded => Style::Block,
    };
    match tag {
        None => Ok(written),
        Some(tag) if tag.handle == "!" && tag.suffix.is_empty() => Ok(Style::Quoted),
        Some(tag) if tag.is_yaml_core_schema() && tag.suffix == "str" => Ok(Style::Quoted),
        Some(tag) if tag.is_yaml_core_schema() && matches!(tag.suffix.as_str(), "int" | "float" | "bool" | "null") => Ok(written),
        Some(tag) => Err(bad_tag(tag, place)),
    }
}

fn check_collection_tag(tag: Option<&Tag>, place: &Place) -> Result<(), Problem> {
    match tag {
        Some(tag) if !(tag.is_yaml_core_schema() && matches!(tag.suffix.as_str(), "map" | "seq")) => Err(bad_tag(tag, place)),
        _ => Ok(()),
    }
}

fn bad_tag(tag: &Tag, place: &Place) -> Problem {
    let detail = format!("{} is not known", shown(&tag.to_string()));
    problem("yaml/tag", "unknown YAML tag", detail, place).map_help("remove the tag; text that starts with `!` needs quotes")
}

/// A parser's error in our form.
fn syntax(file: &Arc<str>, text: &str, error: &ScanError) -> Problem {
    let marker = *error.marker();
    let mut place = place(file, marker, marker);
    // What the end of the file cuts off is told where the text ends.
    let ended = text.trim_end();
    let last = ended.split('\n').count();
    if place.line > last {
        let column = ended.rsplit('\n').next().map_or(0, |line| line.chars().count()) + 1;
        place = Place { line: last, column, ..place };
    }
    let line = text.split('\n').nth(place.line.saturating_sub(1)).unwrap_or_default();
    let indent: String = line.chars().take_while(|c| c.is_whitespace()).collect();
    if let Some(at) = indent.chars().position(|c| c == '\t') {
        let place = Place { column: at + 1, length: 1, ..place };
        return problem("yaml/tab", "tab in the indentation", "YAML is indented by spaces", &place).map_help("replace the tab by spaces");
    }
    let problem = problem("yaml/syntax", "not valid YAML", error.info().to_owned(), &place);
    let at = line.chars().nth(place.column - 1);
    if at == Some('*') {
        return problem.map_help("text that starts with `*` needs quotes: \"*.example.com\"");
    }
    if line.contains("${") {
        return problem.map_help("within `{…}` and `[…]`, text with `${…}` needs quotes: \"${vars.domain}\"");
    }
    if matches!(at, Some('@' | '`' | '%')) || error.info().contains("mapping values are not allowed") {
        return problem.map_help("text that holds `: ` or starts with a sign of YAML's own needs quotes");
    }
    problem
}

fn place(file: &Arc<str>, start: Marker, end: Marker) -> Place {
    let length = if start.line() == end.line() { end.col().saturating_sub(start.col()) } else { 1 };
    Place { file: Arc::clone(file), line: start.line().max(1), column: start.col() + 1, length: length.max(1) }
}

fn problem(code: &'static str, summary: &'static str, detail: impl Into<String>, place: &Place) -> Problem {
    Box::new(Diagnostic::error(code, summary, detail).at(place))
}

/// Advice on a boxed problem.
trait Advice {
    fn map_help(self, help: &str) -> Self;
}

impl Advice for Problem {
    fn map_help(self, help: &str) -> Self {
        Box::new((*self).help(help))
    }
}
