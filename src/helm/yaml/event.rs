//! The parser: tokens to events, as `parserc.go` of yaml/v2. Only the first document is read.

use std::borrow::Cow;

use super::scan::Scanner;
use super::token::{Kind, Mark, Problem, Style, Token};

type Result<T = (), E = Problem> = std::result::Result<T, E>;

/// What a document is made of.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Event<'a> {
    DocumentStart,
    /// Of the document, or of an empty text.
    End,
    Alias(&'a str),
    Scalar {
        value: Cow<'a, str>,
        plain: bool,
        properties: Properties<'a>,
    },
    SequenceStart(Properties<'a>),
    SequenceEnd,
    MappingStart(Properties<'a>),
    MappingEnd,
}

/// Anchor and tag of a node, empty where there are none.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Properties<'a> {
    pub(super) anchor: &'a str,
    pub(super) tag: String,
}

impl Properties<'_> {
    /// Whether there is neither anchor nor tag.
    pub(super) fn is_bare(&self) -> bool {
        self.anchor.is_empty() && self.tag.is_empty()
    }
}

/// What comes next.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum State {
    StreamStart,
    DocumentStart,
    DocumentContent,
    DocumentEnd,
    BlockNode,
    BlockSequenceFirst,
    BlockSequence,
    IndentlessSequence,
    BlockMappingFirst,
    BlockMappingKey,
    BlockMappingValue,
    FlowSequenceFirst,
    FlowSequence,
    FlowPairKey,
    FlowPairValue,
    FlowPairEnd,
    FlowMappingFirst,
    FlowMappingKey,
    FlowMappingValue,
    FlowMappingEmptyValue,
    End,
}

pub(super) struct Events<'a> {
    scanner: Scanner<'a>,
    state: State,
    states: Vec<State>,
    marks: Vec<Mark>,
    tags: Vec<(String, String)>,
}

fn empty() -> Event<'static> {
    Event::Scalar { value: Cow::Borrowed(""), plain: true, properties: Properties::default() }
}

impl<'a> Events<'a> {
    pub(super) fn new(text: &'a str) -> Self {
        Self { scanner: Scanner::new(text), state: State::StreamStart, states: Vec::new(), marks: Vec::new(), tags: Vec::new() }
    }

    fn take(&mut self) -> Result<Token<'a>> {
        self.scanner.take()
    }

    /// The kind of the next token, and where it starts.
    fn peek(&mut self) -> Result<(&Kind<'a>, Mark)> {
        self.scanner.peek().map(|token| (&token.kind, token.start))
    }

    fn skip(&mut self) {
        self.scanner.skip();
    }

    fn pop_state(&mut self) {
        self.state = self.states.pop().unwrap_or(State::End);
    }

    /// The next event; [`Event::End`] for ever after the first document.
    pub(super) fn next(&mut self) -> Result<Event<'a>> {
        match self.state {
            State::StreamStart => {
                self.take()?;
                self.state = State::DocumentStart;
                self.next()
            }
            State::DocumentStart => self.document_start(),
            State::DocumentContent => {
                use Kind::{DocumentEnd, DocumentStart, StreamEnd, TagDirective, VersionDirective};
                let (kind, _) = self.peek()?;
                if matches!(kind, VersionDirective(..) | TagDirective(..) | DocumentStart | DocumentEnd | StreamEnd) {
                    self.pop_state();
                    return Ok(empty());
                }
                self.node(true, false)
            }
            State::DocumentEnd => {
                // What stands here may be no token at all: then that is what is wrong.
                self.peek()?;
                self.state = State::End;
                Ok(Event::End)
            }
            State::BlockNode => self.node(true, false),
            State::BlockSequenceFirst => {
                self.enter()?;
                self.block_sequence()
            }
            State::BlockSequence => self.block_sequence(),
            State::IndentlessSequence => self.indentless_sequence(),
            State::BlockMappingFirst => {
                self.enter()?;
                self.block_mapping_key()
            }
            State::BlockMappingKey => self.block_mapping_key(),
            State::BlockMappingValue => self.block_mapping_value(),
            State::FlowSequenceFirst => {
                self.enter()?;
                self.flow_sequence(true)
            }
            State::FlowSequence => self.flow_sequence(false),
            State::FlowPairKey => self.flow_pair_key(),
            State::FlowPairValue => self.flow_pair_value(),
            State::FlowPairEnd => {
                self.peek()?;
                self.state = State::FlowSequence;
                Ok(Event::MappingEnd)
            }
            State::FlowMappingFirst => {
                self.enter()?;
                self.flow_mapping_key(true)
            }
            State::FlowMappingKey => self.flow_mapping_key(false),
            State::FlowMappingValue => self.flow_mapping_value(),
            State::FlowMappingEmptyValue => {
                self.peek()?;
                self.state = State::FlowMappingKey;
                Ok(empty())
            }
            State::End => Ok(Event::End),
        }
    }

    fn enter(&mut self) -> Result {
        let start = self.take()?.start;
        self.marks.push(start);
        Ok(())
    }

    fn fail<T>(&self, mark: Mark, words: &str) -> Result<T> {
        Err(Problem::parser(mark, self.marks.last().copied().unwrap_or_default(), words))
    }

    fn document_start(&mut self) -> Result<Event<'a>> {
        self.tags = vec![("!".to_owned(), "!".to_owned()), ("!!".to_owned(), "tag:yaml.org,2002:".to_owned())];
        match self.peek()?.0 {
            Kind::StreamEnd => {
                self.state = State::End;
                return Ok(Event::End);
            }
            Kind::VersionDirective(..) | Kind::TagDirective(..) | Kind::DocumentStart => {}
            _ => {
                self.states.push(State::DocumentEnd);
                self.state = State::BlockNode;
                return Ok(Event::DocumentStart);
            }
        }
        let mut version = false;
        let mut own: Vec<String> = Vec::new();
        loop {
            let token = self.take()?;
            match token.kind {
                Kind::VersionDirective(..) if version => return self.fail(token.start, "found duplicate %YAML directive"),
                Kind::VersionDirective(1, 1) => version = true,
                Kind::VersionDirective(..) => return self.fail(token.start, "found incompatible YAML document"),
                Kind::TagDirective(handle, _) if own.contains(&handle) => {
                    return self.fail(token.start, "found duplicate %TAG directive");
                }
                Kind::TagDirective(handle, prefix) => {
                    own.push(handle.clone());
                    self.tags.insert(0, (handle, prefix));
                }
                Kind::DocumentStart => break,
                _ => return self.fail(token.start, "did not find expected <document start>"),
            }
        }
        self.states.push(State::DocumentEnd);
        self.state = State::DocumentContent;
        Ok(Event::DocumentStart)
    }

    fn node(&mut self, block: bool, indentless: bool) -> Result<Event<'a>> {
        let (_, start) = self.peek()?;
        let (mut anchor, mut tag) = (None, None);
        loop {
            match self.peek()? {
                (Kind::Alias(_), _) if anchor.is_none() && tag.is_none() => {}
                (Kind::Anchor(_), _) if anchor.is_none() => {}
                (Kind::Tag(..), _) if tag.is_none() => {}
                _ => break,
            }
            let token = self.take()?;
            match token.kind {
                Kind::Alias(name) => {
                    self.pop_state();
                    return Ok(Event::Alias(name));
                }
                Kind::Anchor(name) => anchor = Some(name),
                Kind::Tag(handle, suffix) => tag = Some((handle, suffix, token.start)),
                _ => {}
            }
        }
        let bare = anchor.is_none() && tag.is_none();
        let tag = match tag {
            None => String::new(),
            Some((handle, suffix, _)) if handle.is_empty() => suffix,
            Some((handle, suffix, mark)) => match self.tags.iter().find(|(name, _)| *name == handle) {
                Some((_, prefix)) => format!("{prefix}{suffix}"),
                None => return Err(Problem::parser(mark, start, "found undefined tag handle")),
            },
        };
        let properties = Properties { anchor: anchor.unwrap_or_default(), tag };
        match self.peek()? {
            (Kind::BlockEntry, _) if indentless => {
                self.state = State::IndentlessSequence;
                Ok(Event::SequenceStart(properties))
            }
            (Kind::Scalar(..), _) => {
                self.pop_state();
                let Kind::Scalar(value, style) = self.take()?.kind else { return Ok(empty()) };
                let plain = style == Style::Plain && properties.tag.is_empty() || properties.tag == "!";
                Ok(Event::Scalar { value, plain, properties })
            }
            (Kind::FlowSequenceStart, _) => Ok(self.open(State::FlowSequenceFirst, Event::SequenceStart(properties))),
            (Kind::FlowMappingStart, _) => Ok(self.open(State::FlowMappingFirst, Event::MappingStart(properties))),
            (Kind::BlockSequenceStart, _) if block => Ok(self.open(State::BlockSequenceFirst, Event::SequenceStart(properties))),
            (Kind::BlockMappingStart, _) if block => Ok(self.open(State::BlockMappingFirst, Event::MappingStart(properties))),
            _ if !bare => {
                self.pop_state();
                let plain = properties.tag.is_empty();
                Ok(Event::Scalar { value: Cow::Borrowed(""), plain, properties })
            }
            (_, at) => Err(Problem::parser(at, start, "did not find expected node content")),
        }
    }

    fn open(&mut self, state: State, event: Event<'a>) -> Event<'a> {
        self.state = state;
        event
    }

    /// A node, after which the state comes back.
    fn node_then(&mut self, state: State, block: bool, indentless: bool) -> Result<Event<'a>> {
        self.states.push(state);
        self.node(block, indentless)
    }

    /// Nothing where a node could be.
    fn empty_then(&mut self, state: State) -> Event<'a> {
        self.state = state;
        empty()
    }

    fn leave(&mut self, event: Event<'a>) -> Event<'a> {
        self.pop_state();
        self.marks.pop();
        self.skip();
        event
    }

    fn block_sequence(&mut self) -> Result<Event<'a>> {
        match self.peek()? {
            (Kind::BlockEntry, _) => {
                self.skip();
                if matches!(self.peek()?.0, Kind::BlockEntry | Kind::BlockEnd) {
                    return Ok(self.empty_then(State::BlockSequence));
                }
                self.node_then(State::BlockSequence, true, false)
            }
            (Kind::BlockEnd, _) => Ok(self.leave(Event::SequenceEnd)),
            (_, start) => self.fail(start, "did not find expected '-' indicator"),
        }
    }

    fn indentless_sequence(&mut self) -> Result<Event<'a>> {
        if *self.peek()?.0 != Kind::BlockEntry {
            self.pop_state();
            return Ok(Event::SequenceEnd);
        }
        self.skip();
        if matches!(self.peek()?.0, Kind::BlockEntry | Kind::Key | Kind::Value | Kind::BlockEnd) {
            return Ok(self.empty_then(State::IndentlessSequence));
        }
        self.node_then(State::IndentlessSequence, true, false)
    }

    fn block_mapping_key(&mut self) -> Result<Event<'a>> {
        match self.peek()? {
            (Kind::Key, _) => {
                self.skip();
                if matches!(self.peek()?.0, Kind::Key | Kind::Value | Kind::BlockEnd) {
                    return Ok(self.empty_then(State::BlockMappingValue));
                }
                self.node_then(State::BlockMappingValue, true, true)
            }
            (Kind::BlockEnd, _) => Ok(self.leave(Event::MappingEnd)),
            (_, start) => self.fail(start, "did not find expected key"),
        }
    }

    fn block_mapping_value(&mut self) -> Result<Event<'a>> {
        if *self.peek()?.0 == Kind::Value {
            self.skip();
            if !matches!(self.peek()?.0, Kind::Key | Kind::Value | Kind::BlockEnd) {
                return self.node_then(State::BlockMappingKey, true, true);
            }
        }
        Ok(self.empty_then(State::BlockMappingKey))
    }

    fn flow_sequence(&mut self, first: bool) -> Result<Event<'a>> {
        if *self.peek()?.0 != Kind::FlowSequenceEnd {
            if !first {
                let (kind, start) = self.peek()?;
                if *kind != Kind::FlowEntry {
                    return self.fail(start, "did not find expected ',' or ']'");
                }
                self.skip();
            }
            match self.peek()?.0 {
                Kind::Key => {
                    self.skip();
                    self.state = State::FlowPairKey;
                    return Ok(Event::MappingStart(Properties::default()));
                }
                Kind::FlowSequenceEnd => {}
                _ => return self.node_then(State::FlowSequence, false, false),
            }
        }
        Ok(self.leave(Event::SequenceEnd))
    }

    fn flow_pair_key(&mut self) -> Result<Event<'a>> {
        if matches!(self.peek()?.0, Kind::Value | Kind::FlowEntry | Kind::FlowSequenceEnd) {
            self.skip();
            return Ok(self.empty_then(State::FlowPairValue));
        }
        self.node_then(State::FlowPairValue, false, false)
    }

    fn flow_pair_value(&mut self) -> Result<Event<'a>> {
        if *self.peek()?.0 == Kind::Value {
            self.skip();
            if !matches!(self.peek()?.0, Kind::FlowEntry | Kind::FlowSequenceEnd) {
                return self.node_then(State::FlowPairEnd, false, false);
            }
        }
        Ok(self.empty_then(State::FlowPairEnd))
    }

    fn flow_mapping_key(&mut self, first: bool) -> Result<Event<'a>> {
        if *self.peek()?.0 != Kind::FlowMappingEnd {
            if !first {
                let (kind, start) = self.peek()?;
                if *kind != Kind::FlowEntry {
                    return self.fail(start, "did not find expected ',' or '}'");
                }
                self.skip();
            }
            match self.peek()?.0 {
                Kind::Key => {
                    self.skip();
                    if matches!(self.peek()?.0, Kind::Value | Kind::FlowEntry | Kind::FlowMappingEnd) {
                        return Ok(self.empty_then(State::FlowMappingValue));
                    }
                    return self.node_then(State::FlowMappingValue, false, false);
                }
                Kind::FlowMappingEnd => {}
                _ => return self.node_then(State::FlowMappingEmptyValue, false, false),
            }
        }
        Ok(self.leave(Event::MappingEnd))
    }

    fn flow_mapping_value(&mut self) -> Result<Event<'a>> {
        if *self.peek()?.0 == Kind::Value {
            self.skip();
            if !matches!(self.peek()?.0, Kind::FlowEntry | Kind::FlowMappingEnd) {
                return self.node_then(State::FlowMappingKey, false, false);
            }
        }
        Ok(self.empty_then(State::FlowMappingKey))
    }
}
