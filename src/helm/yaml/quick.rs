//! The reader for documents as nearly all are: without anchors, tags, merge keys and keys that are no text. What it meets of those, and every
//! error, it leaves to the reader of [`super::read`], which knows what yaml/v2 makes of them.

use std::borrow::Cow;
use std::collections::BTreeMap;

use super::event::{Event, Events};
use super::node::Node;
use super::read::readable;
use super::resolve::{Scalar, resolve};
use crate::helm::value::{List, MAX_DEPTH, Map, Str, Type, Value};

/// An entry that is wanted of a document. Without inner ones all of its value is.
pub(crate) struct Wanted {
    /// The key.
    pub(crate) key: &'static str,
    /// Which entries of its value.
    pub(crate) inner: &'static [Wanted],
}

/// What `json.Unmarshal` makes of the document; none where the other reader is to be asked.
pub(super) fn value(text: &[u8]) -> Option<Value> {
    let quick = Quick { events: Events::new(readable(text).ok()?), depth: 0 };
    quick.document(Quick::value).ok().map(Option::unwrap_or_default)
}

/// The entries of a document that are wanted, the others merely read over; none where the other reader is to be asked. Then the document
/// is no map, or there is more to it.
pub(super) fn entries(text: &[u8], wanted: &[Wanted]) -> Option<Node> {
    let quick = Quick { events: Events::new(readable(text).ok()?), depth: 0 };
    quick.document(|quick, event| quick.wanted(event, wanted)).ok().flatten()
}

/// The other reader is to be asked.
struct Other;

type Result<T, E = Other> = std::result::Result<T, E>;

struct Quick<'a> {
    events: Events<'a>,
    depth: usize,
}

impl<'a> Quick<'a> {
    fn next(&mut self) -> Result<Event<'a>> {
        self.events.next().map_err(|_| Other)
    }

    /// The document, or nothing in an empty text.
    fn document<T>(mut self, mut root: impl FnMut(&mut Self, Event<'a>) -> Result<T>) -> Result<Option<T>> {
        match self.next()? {
            Event::End => return Ok(None),
            Event::DocumentStart => {}
            _ => return Err(Other),
        }
        let event = self.next()?;
        let root = root(&mut self, event)?;
        matches!(self.next()?, Event::End).then_some(Some(root)).ok_or(Other)
    }

    /// Goes through a list or a map, whose nesting is bounded.
    fn within<T>(&mut self, read: impl FnOnce(&mut Self) -> Result<T>) -> Result<T> {
        if self.depth >= MAX_DEPTH {
            return Err(Other);
        }
        self.depth += 1;
        let found = read(self)?;
        self.depth -= 1;
        Ok(found)
    }

    fn value(&mut self, event: Event<'a>) -> Result<Value> {
        match event {
            Event::Scalar { value, plain, properties } if properties.is_bare() => scalar_value(&value, plain).ok_or(Other),
            Event::SequenceStart(properties) if properties.is_bare() => self.within(|quick| {
                let mut items = Vec::new();
                loop {
                    match quick.next()? {
                        Event::SequenceEnd => return Ok(Value::List(List::new(items))),
                        event => items.push(quick.value(event)?),
                    }
                }
            }),
            Event::MappingStart(properties) if properties.is_bare() => self.within(|quick| {
                let mut entries = BTreeMap::new();
                while let Some(key) = quick.key()? {
                    let event = quick.next()?;
                    let value = quick.value(event)?;
                    entries.insert(Str::from(&*key), value);
                }
                Ok(Value::Map(Map::typed(Type::Map, entries)))
            }),
            _ => Err(Other),
        }
    }

    fn wanted(&mut self, event: Event<'a>, wanted: &[Wanted]) -> Result<Node> {
        match event {
            Event::Scalar { value, plain, properties } if properties.is_bare() => scalar_node(value, plain).ok_or(Other),
            Event::MappingStart(properties) if properties.is_bare() => self.within(|quick| {
                let mut entries: Vec<(String, Node)> = Vec::new();
                while let Some(key) = quick.key()? {
                    let event = quick.next()?;
                    let Some(found) = wanted.iter().find(|wanted| wanted.key == key) else {
                        if wanted.is_empty() {
                            entries.push((key.into_owned(), quick.wanted(event, &[])?));
                        } else {
                            quick.pass(event)?;
                        }
                        continue;
                    };
                    let node = quick.wanted(event, found.inner)?;
                    // Of two entries of one key the last counts.
                    entries.retain(|(name, _)| *name != key);
                    entries.push((key.into_owned(), node));
                }
                Ok(Node::Map(entries))
            }),
            Event::SequenceStart(properties) if properties.is_bare() => {
                self.pass(Event::SequenceStart(properties))?;
                // Where a list stands nobody wants its items: that it is one decides.
                Ok(Node::List(Vec::new()))
            }
            _ => Err(Other),
        }
    }

    /// Reads over a value, which has to be one that the other reader would take.
    fn pass(&mut self, event: Event<'a>) -> Result<()> {
        match event {
            Event::Scalar { value, plain, properties } if properties.is_bare() => passes(&value, plain).then_some(()).ok_or(Other),
            Event::SequenceStart(properties) if properties.is_bare() => self.within(|quick| {
                loop {
                    match quick.next()? {
                        Event::SequenceEnd => return Ok(()),
                        event => quick.pass(event)?,
                    }
                }
            }),
            Event::MappingStart(properties) if properties.is_bare() => self.within(|quick| {
                while quick.key()?.is_some() {
                    let event = quick.next()?;
                    quick.pass(event)?;
                }
                Ok(())
            }),
            _ => Err(Other),
        }
    }

    /// The next key of a map; nothing at its end.
    fn key(&mut self) -> Result<Option<Cow<'a, str>>> {
        match self.next()? {
            Event::MappingEnd => Ok(None),
            Event::Scalar { value, plain, properties } if properties.is_bare() => {
                if !plain {
                    return Ok(Some(value));
                }
                match resolve(&value) {
                    Scalar::Str | Scalar::Timestamp if value != "<<" => Ok(Some(value)),
                    Scalar::Bool(truth) => Ok(Some(Cow::Borrowed(if truth { "true" } else { "false" }))),
                    Scalar::Int(number) => Ok(Some(Cow::Owned(number.to_string()))),
                    _ => Err(Other),
                }
            }
            _ => Err(Other),
        }
    }
}

fn scalar_value(text: &str, plain: bool) -> Option<Value> {
    if !plain {
        return Some(Value::from(text));
    }
    #[expect(clippy::cast_precision_loss, reason = "Go reads the digits as a float64, too")]
    Some(match resolve(text) {
        Scalar::Null => Value::Nil,
        Scalar::Bool(truth) => Value::Bool(truth),
        Scalar::Int(number) => Value::Float(number as f64),
        Scalar::Uint(number) => Value::Float(number as f64),
        // JSON has no NaN and no infinities.
        Scalar::Float(number) => return number.is_finite().then_some(Value::Float(number)),
        Scalar::Timestamp | Scalar::Str => Value::from(text),
    })
}

fn scalar_node(text: Cow<'_, str>, plain: bool) -> Option<Node> {
    if !plain {
        return Some(Node::Str(text.into_owned()));
    }
    Some(match resolve(&text) {
        Scalar::Null => Node::Null,
        Scalar::Bool(truth) => Node::Bool(truth),
        Scalar::Int(number) => Node::Int(number),
        Scalar::Uint(number) => Node::Uint(number),
        Scalar::Float(number) => return number.is_finite().then_some(Node::Float(number)),
        Scalar::Timestamp | Scalar::Str => Node::Str(text.into_owned()),
    })
}

fn passes(text: &str, plain: bool) -> bool {
    !plain || !matches!(text.as_bytes().first(), Some(b'.' | b'+' | b'-' | b'0'..=b'9')) || scalar_value(text, true).is_some()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::helm::yaml::parse;

    const INNER: &[Wanted] = &[Wanted { key: "name", inner: &[] }];
    const WANTED: &[Wanted] = &[Wanted { key: "kind", inner: &[] }, Wanted { key: "metadata", inner: INNER }];

    #[test]
    fn what_is_read_quickly_is_what_the_other_reader_reads() {
        for text in [
            "",
            "# only this\n",
            "a: 1\nb: [x, 'y', {z: ~}]\nc:\n- 0x1F\n- 1_000\n- 1.50\n- yes\n- 2001-01-01\n",
            "on: off\n1: one\ntrue: no\n",
            "a: one\n  two\n\n  three   four # five\nb: 'it''s\n  folded'\nc: \"\\u00e9 \\\n  x\"\nd: |\n  kept\n   more\n\ne: >-\n  a\n  b\n",
            "a: 1\na: 2\n",
            "plain:text: with:colons\n'quoted': \"\"\n",
            "--- \na: b\n...\n",
            "ü: ÿ日本\n",
        ] {
            let quick = value(text.as_bytes()).unwrap_or_else(|| panic!("{text:?} is left to the other reader"));
            let other = parse(text.as_bytes()).and_then(Node::into_value).unwrap_or_else(|error| panic!("{text:?}: {error}"));
            assert!(quick.deep_equal(&other).is_ok_and(|equal| equal), "{text:?}");
        }
    }

    #[test]
    fn what_is_more_than_plain_is_left_to_the_other_reader() {
        for text in [
            "a: &x 1",
            "a: *x",
            "a: !!str 1",
            "<<: {a: 1}",
            "~: 1",
            "[a]: 1",
            "18446744073709551615: 1",
            "1.5: 1",
            "a: .nan",
            "a: -.inf",
            "a: [",
            "a: b: c",
            "\ta: 1",
            "a: \u{7f}",
            "a: 1\n]",
        ] {
            assert!(value(text.as_bytes()).is_none(), "{text:?}");
            assert!(entries(text.as_bytes(), WANTED).is_none(), "{text:?}");
        }
        assert!(value(b"a: \xff").is_none());
        assert!(value("[".repeat(MAX_DEPTH + 1).as_bytes()).is_none());
    }

    #[test]
    fn entries_are_found_among_others_and_the_last_counts() {
        let text = "kind: A\nspec: {kind: no, deep: [{metadata: 1}]}\nmetadata:\n  labels: {name: no}\n  name: x\nkind: B\n";
        let Some(Node::Map(found)) = entries(text.as_bytes(), WANTED) else { panic!("no map") };
        let shown: Vec<String> = found.iter().map(|(key, node)| format!("{key}={}", node.go_syntax())).collect();
        assert_eq!(shown, ["metadata=map[interface {}]interface {}{\"name\":\"x\"}", "kind=\"B\""]);
    }
}
