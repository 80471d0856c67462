//! The reader for documents as nearly all are: without anchors, tags, merge keys and keys that are no text. What it meets of those, and every
//! error, it leaves to the reader of [`super::read`], which knows what yaml/v2 makes of them.

use std::borrow::Cow;

use super::build::{Build, Descend, Other, Result, key};
use super::event::{Event, Events};
use super::lines;
use super::read::readable;

/// The document; none where the other reader is to be asked, and of an empty text.
pub(super) fn read<B: Build>(text: &[u8]) -> Option<B> {
    let text = readable(text).ok()?;
    lines::read(text).or_else(|Other| by_events(text)).ok()
}

fn by_events<B: Build>(text: &str) -> Result<B> {
    let mut quick = Quick { events: Events::new(text), depth: 0 };
    if !matches!(quick.next()?, Event::DocumentStart) {
        return Err(Other);
    }
    let event = quick.next()?;
    let root = quick.value(event)?;
    matches!(quick.next()?, Event::End).then_some(root).ok_or(Other)
}

struct Quick<'a> {
    events: Events<'a>,
    depth: usize,
}

impl Descend for Quick<'_> {
    fn depth(&mut self) -> &mut usize {
        &mut self.depth
    }
}

impl<'a> Quick<'a> {
    fn next(&mut self) -> Result<Event<'a>> {
        self.events.next().map_err(|_| Other)
    }

    fn value<B: Build>(&mut self, event: Event<'a>) -> Result<B> {
        match event {
            Event::Scalar { value, plain, properties } if properties.is_bare() => B::scalar(value, plain).ok_or(Other),
            Event::SequenceStart(properties) if properties.is_bare() => self.within(|quick| {
                let mut items = Vec::new();
                loop {
                    match quick.next()? {
                        Event::SequenceEnd => return Ok(B::list(items)),
                        event => items.push(quick.value(event)?),
                    }
                }
            }),
            Event::MappingStart(properties) if properties.is_bare() => self.within(|quick| {
                let mut entries = B::Entries::default();
                while let Some(key) = quick.key()? {
                    let event = quick.next()?;
                    let value = quick.value(event)?;
                    B::put(&mut entries, key, value);
                }
                B::map(entries).ok_or(Other)
            }),
            _ => Err(Other),
        }
    }

    /// The next key of a map; nothing at its end.
    fn key(&mut self) -> Result<Option<Cow<'a, str>>> {
        match self.next()? {
            Event::MappingEnd => Ok(None),
            Event::Scalar { value, plain, properties } if properties.is_bare() => key(value, plain).map(Some),
            _ => Err(Other),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::read::parse;
    use super::*;
    use crate::helm::value::{MAX_DEPTH, Value};
    use crate::helm::yaml::Node;

    #[test]
    fn what_is_read_quickly_is_what_the_other_reader_reads() {
        for text in [
            "a: 1\nb: [x, 'y', {z: ~}]\nc:\n- 0x1F\n- 1_000\n- 1.50\n- yes\n- 2001-01-01\n",
            "on: off\n1: one\nno: no\n",
            "a: one\n  two\n\n  three   four # five\nb: 'it''s\n  folded'\nc: \"\\u00e9 \\\n  x\"\nd: |\n  kept\n   more\n\ne: >-\n  a\n  b\n",
            "plain:text: with:colons\n'quoted': \"\"\n",
            "--- \na: b\n...\n",
            "ü: ÿ日本\n",
        ] {
            let other = parse(text.as_bytes()).unwrap_or_else(|error| panic!("{text:?}: {error}"));
            let node: Node = read(text.as_bytes()).unwrap_or_else(|| panic!("{text:?} is left to the other reader"));
            assert_eq!(node, other, "{text:?}");
            let value: Value = read(text.as_bytes()).unwrap_or_else(|| panic!("{text:?} is left to the other reader"));
            let other = other.into_value().unwrap_or_else(|error| panic!("{text:?}: {error}"));
            assert!(value.deep_equal(&other).is_ok_and(|equal| equal), "{text:?}");
        }
    }

    #[test]
    fn of_two_entries_of_one_key_the_last_counts() {
        let text = "a: 1\nb: 2\na: 3\n";
        assert!(read::<Node>(text.as_bytes()).is_none());
        let value: Value = read(text.as_bytes()).expect("a map");
        let other = parse(text.as_bytes()).and_then(Node::into_value).expect("a map");
        assert!(value.deep_equal(&other).is_ok_and(|equal| equal));
    }

    #[test]
    fn what_is_more_than_plain_is_left_to_the_other_reader() {
        for text in [
            "",
            "# only this\n",
            "a: &x 1",
            "a: *x",
            "a: !!str 1",
            "<<: {a: 1}",
            "~: 1",
            "[a]: 1",
            "18446744073709551615: 1",
            "1.5: 1",
            "a: [",
            "a: b: c",
            "\ta: 1",
            "a: \u{7f}",
            "a: 1\n]",
        ] {
            assert!(read::<Value>(text.as_bytes()).is_none(), "{text:?}");
            assert!(read::<Node>(text.as_bytes()).is_none(), "{text:?}");
        }
        assert!(read::<Value>(b"a: .nan").is_none() && read::<Value>(b"a: -.inf").is_none());
        assert!(read::<Value>(b"a: \xff").is_none());
        let steps: Vec<String> = (0..=MAX_DEPTH).map(|depth| " ".repeat(depth) + "a:\n").collect();
        for deep in ["[".repeat(MAX_DEPTH + 1), steps.concat()] {
            assert!(read::<Value>(deep.as_bytes()).is_none());
        }
    }
}
