//! The emitter: `encode.go` and `emitterc.go` of yaml/v2 and v3, for the styles that marshalling uses.

use std::collections::BTreeMap;

use super::keys;
use super::resolve::{Scalar, may_be_more, resolve, resolve_v3};
use super::scalar::{Analysis, analyze, is_break, is_printable, is_space, width};
use crate::helm::func::FuncError;
use crate::helm::json;
use crate::helm::strconv::format_float;
use crate::helm::value::{Str, Value, check_depth};

/// Whose habits the emitter has.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Flavour {
    /// sigs.k8s.io/yaml: JSON, then yaml/v2.
    Sigs,
    /// yaml/v3 with an indent of two.
    Pretty,
}

/// The column that lines are folded after.
const BEST_WIDTH: usize = 80;
/// Spaces per level.
const BEST_INDENT: usize = 2;
/// The longest key that is written without a question mark.
const MAX_SIMPLE_KEY: usize = 128;

/// Writes one document.
pub(super) fn marshal(value: &Value, flavour: Flavour) -> Result<Str, FuncError> {
    let mut emitter = Emitter { out: Vec::new(), flavour, column: 0, whitespace: true, indention: true, indent: None, indents: Vec::new() };
    emitter.node(value, Context::Root, 0)?;
    emitter.write_indent();
    Ok(emitter.out.into())
}

/// Where a node stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Context {
    Root,
    Item,
    SimpleKey,
    Value,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Style {
    Plain,
    Single,
    Double,
    Literal,
}

struct Emitter {
    out: Vec<u8>,
    flavour: Flavour,
    column: usize,
    whitespace: bool,
    indention: bool,
    /// None before the first collection.
    indent: Option<usize>,
    indents: Vec<Option<usize>>,
}

impl Emitter {
    fn node(&mut self, value: &Value, context: Context, depth: usize) -> Result<(), FuncError> {
        check_depth(depth)?;
        match value {
            Value::Nil => self.plain("null", context),
            Value::Bool(truth) => self.plain(&truth.to_string(), context),
            Value::Int(_, number) => self.plain(&number.to_string(), context),
            Value::Uint(_, number) => self.plain(&number.to_string(), context),
            Value::Float(number) => {
                let text = self.float(*number)?;
                self.plain(&text, context);
            }
            Value::Str(text) => self.string(text, context)?,
            Value::List(list) => {
                if self.flavour == Flavour::Sigs {
                    if list.is_nil() {
                        self.plain("null", context);
                        return Ok(());
                    }
                    if let Some(bytes) = value.to_bytes() {
                        return self.string(&Str::from(json::base64(&bytes)), context);
                    }
                }
                list.with(|items| self.list(items, context, depth))?;
            }
            Value::Map(map) if map.is_nil() && self.flavour == Flavour::Sigs => self.plain("null", context),
            Value::Map(map) => map.with(|entries| self.map(entries, depth))?,
            Value::Object(object) => self.node(&object.to_data()?, context, depth + 1)?,
        }
        Ok(())
    }

    /// The text of a float. On its way through JSON a whole number becomes an integer.
    fn float(&self, number: f64) -> Result<String, FuncError> {
        if self.flavour == Flavour::Sigs {
            let text = json::format_float(number)?;
            return Ok(match resolve(&text) {
                Scalar::Int(number) => number.to_string(),
                Scalar::Uint(number) => number.to_string(),
                _ => format_float(number, b'g', -1),
            });
        }
        Ok(match format_float(number, b'g', -1).as_str() {
            "+Inf" => ".inf".to_owned(),
            "-Inf" => "-.inf".to_owned(),
            "NaN" => ".nan".to_owned(),
            text => text.to_owned(),
        })
    }

    fn list(&mut self, items: &[Value], context: Context, depth: usize) -> Result<(), FuncError> {
        if items.is_empty() {
            self.indicator("[", true, true, false);
            self.indicator("]", false, false, false);
            return Ok(());
        }
        // Beside its key, a list is not indented in v2.
        let flush = context == Context::Value && !self.indention && self.flavour == Flavour::Sigs;
        self.increase_indent(false, flush);
        for item in items {
            self.write_indent();
            self.indicator("-", true, false, true);
            self.node(item, Context::Item, depth + 1)?;
        }
        self.pop_indent();
        Ok(())
    }

    fn map(&mut self, entries: &BTreeMap<Str, Value>, depth: usize) -> Result<(), FuncError> {
        if entries.is_empty() {
            self.indicator("{", true, true, false);
            self.indicator("}", false, false, false);
            return Ok(());
        }
        let compare = if self.flavour == Flavour::Sigs { keys::compare } else { keys::compare_v3 };
        let entries = keys::sorted(entries, compare);
        self.increase_indent(false, false);
        for (key, value) in entries {
            self.write_indent();
            let has_break = || key.as_bytes().iter().enumerate().any(|(index, _)| is_break(key.as_bytes(), index));
            if key.len() <= MAX_SIMPLE_KEY && (is_word(key.as_bytes()) || !has_break()) {
                self.string(key, Context::SimpleKey)?;
                self.indicator(":", false, false, false);
            } else {
                self.indicator("?", true, false, true);
                self.string(key, Context::Value)?;
                self.write_indent();
                self.indicator(":", true, false, true);
            }
            self.node(value, Context::Value, depth + 1)?;
        }
        self.pop_indent();
        Ok(())
    }

    fn string(&mut self, text: &Str, context: Context) -> Result<(), FuncError> {
        if is_word(text.as_bytes()) {
            // It stands as it is in any context, and has no place where it could be folded.
            self.indicator(text, true, false, false);
            return Ok(());
        }
        let shown = text.to_str();
        if self.flavour == Flavour::Sigs {
            if !shown.is_ascii() || shown.contains('\x7f') {
                if shown.contains('\u{85}') {
                    return self.string(&Str::from(without_nel(&shown)), context);
                }
                // The JSON between holds these characters as they are, and the reader of YAML refuses them.
                if shown.chars().any(|rune| matches!(rune, '\x7f'..'\u{a0}')) {
                    return Err(FuncError::new("yaml: control characters are not allowed"));
                }
            }
        } else if let std::borrow::Cow::Owned(_) = shown {
            self.indicator("!!binary", true, false, false);
            self.scalar(json::base64(text.as_bytes()).as_bytes(), Style::Plain, context);
            return Ok(());
        }
        let resolved = if self.flavour == Flavour::Sigs { resolve(&shown) } else { resolve_v3(&shown) };
        let old_bool = self.flavour == Flavour::Pretty && matches!(resolve(&shown), Scalar::Bool(_));
        let style = if shown.contains('\n') {
            Style::Literal
        } else if resolved == Scalar::Str && !is_base60(&shown) && !old_bool {
            Style::Plain
        } else {
            Style::Double
        };
        self.scalar(shown.as_bytes(), style, context);
        Ok(())
    }

    fn plain(&mut self, text: &str, context: Context) {
        self.scalar(text.as_bytes(), Style::Plain, context);
    }

    fn scalar(&mut self, text: &[u8], style: Style, context: Context) {
        let analysis = analyze(text, self.flavour == Flavour::Pretty);
        let style = select_style(text, &analysis, style, context);
        self.increase_indent(true, false);
        let breaks = context != Context::SimpleKey;
        match style {
            Style::Plain => self.write_plain(text, breaks),
            Style::Single => self.write_single(text, breaks),
            Style::Double => self.write_double(text, breaks),
            Style::Literal => self.write_literal(text),
        }
        self.pop_indent();
    }

    fn increase_indent(&mut self, flow: bool, indentless: bool) {
        self.indents.push(self.indent);
        self.indent = match self.indent {
            None if flow => Some(BEST_INDENT),
            None => Some(0),
            Some(indent) if indentless => Some(indent),
            Some(indent) => Some(indent + BEST_INDENT),
        };
    }

    fn pop_indent(&mut self) {
        self.indent = self.indents.pop().unwrap_or_default();
    }

    fn put(&mut self, byte: u8) {
        self.out.push(byte);
        self.column += 1;
    }

    fn put_break(&mut self) {
        self.out.push(b'\n');
        self.column = 0;
        if self.flavour == Flavour::Pretty {
            self.indention = true;
        }
    }

    fn write(&mut self, text: &[u8], at: &mut usize) {
        let length = width(text[*at]).min(text.len() - *at);
        self.out.extend_from_slice(&text[*at..*at + length]);
        *at += length;
        self.column += 1;
    }

    /// Writes characters of ASCII up to one of these, at least the first of any kind.
    fn write_run(&mut self, text: &[u8], at: &mut usize, stops: impl Fn(u8) -> bool) {
        self.write(text, at);
        let rest = &text[*at..];
        let length = rest.iter().position(|byte| *byte >= 0x80 || stops(*byte)).unwrap_or(rest.len());
        self.out.extend_from_slice(&rest[..length]);
        self.column += length;
        *at += length;
    }

    fn write_break(&mut self, text: &[u8], at: &mut usize) {
        if text[*at] == b'\n' {
            self.put_break();
            *at += 1;
        } else {
            self.write(text, at);
            self.column = 0;
        }
        self.indention = true;
    }

    fn write_indent(&mut self) {
        let indent = self.indent.unwrap_or(0);
        if !self.indention || self.column > indent || (self.column == indent && !self.whitespace) {
            self.put_break();
        }
        if self.column < indent {
            self.out.resize(self.out.len() + indent - self.column, b' ');
            self.column = indent;
        }
        self.whitespace = true;
        self.indention = true;
    }

    fn indicator(&mut self, text: impl AsRef<[u8]>, need_whitespace: bool, is_whitespace: bool, is_indention: bool) {
        if need_whitespace && !self.whitespace {
            self.put(b' ');
        }
        self.out.extend_from_slice(text.as_ref());
        self.column += text.as_ref().len();
        self.whitespace = is_whitespace;
        self.indention = self.indention && is_indention;
    }

    fn too_wide(&self) -> bool {
        self.flavour == Flavour::Sigs && self.column > BEST_WIDTH
    }

    fn write_plain(&mut self, text: &[u8], allow_breaks: bool) {
        if !(self.whitespace || text.is_empty() && self.flavour == Flavour::Pretty) {
            self.put(b' ');
        }
        let is_ascii = text.is_ascii();
        let mut spaces = false;
        let mut at = 0;
        while at < text.len() {
            // Nothing is folded before this column: what is one byte a character is written up to there as it is.
            let folds = allow_breaks && self.flavour == Flavour::Sigs;
            let free = if folds { (BEST_WIDTH + 1).saturating_sub(self.column) } else { usize::MAX };
            if is_ascii && free > 0 {
                let end = text.len().min(at.saturating_add(free));
                self.out.extend_from_slice(&text[at..end]);
                self.column += end - at;
                self.indention = false;
                (at, spaces) = (end, text[end - 1] == b' ');
            } else if is_space(text, at) {
                if allow_breaks && !spaces && self.too_wide() && !is_space(text, at + 1) {
                    self.write_indent();
                    at += 1;
                } else {
                    self.write(text, &mut at);
                }
                spaces = true;
            } else {
                self.write_run(text, &mut at, |byte| byte == b' ');
                self.indention = false;
                spaces = false;
            }
        }
        self.whitespace = false;
        self.indention = false;
    }

    fn write_single(&mut self, text: &[u8], allow_breaks: bool) {
        self.indicator("'", true, false, false);
        let (mut spaces, mut breaks) = (false, false);
        let mut at = 0;
        while at < text.len() {
            if is_space(text, at) {
                let inside = at > 0 && at < text.len() - 1;
                if allow_breaks && !spaces && self.too_wide() && inside && !is_space(text, at + 1) {
                    self.write_indent();
                    at += 1;
                } else {
                    self.write(text, &mut at);
                }
                spaces = true;
            } else if is_break(text, at) {
                if !breaks && text[at] == b'\n' {
                    self.put_break();
                }
                self.write_break(text, &mut at);
                breaks = true;
            } else {
                if breaks {
                    self.write_indent();
                }
                if text[at] == b'\'' {
                    self.put(b'\'');
                }
                self.write_run(text, &mut at, |byte| matches!(byte, b' ' | b'\r' | b'\n' | b'\''));
                self.indention = false;
                (spaces, breaks) = (false, false);
            }
        }
        self.indicator("'", false, false, false);
        self.whitespace = false;
        self.indention = false;
    }

    fn write_double(&mut self, text: &[u8], allow_breaks: bool) {
        self.indicator("\"", true, false, false);
        let mut spaces = false;
        let mut at = 0;
        while at < text.len() {
            let byte = text[at];
            if !is_printable(text, at) || text[at..].starts_with(b"\xEF\xBB\xBF") || is_break(text, at) || byte == b'"' || byte == b'\\' {
                self.escape(text, &mut at);
                spaces = false;
            } else if is_space(text, at) {
                if allow_breaks && !spaces && self.too_wide() && at > 0 && at < text.len() - 1 {
                    self.write_indent();
                    if is_space(text, at + 1) {
                        self.put(b'\\');
                    }
                    at += 1;
                } else {
                    self.write(text, &mut at);
                }
                spaces = true;
            } else {
                self.write(text, &mut at);
                spaces = false;
            }
        }
        self.indicator("\"", false, false, false);
        self.whitespace = false;
        self.indention = false;
    }

    fn escape(&mut self, text: &[u8], at: &mut usize) {
        let (rune, length) = crate::helm::strconv::decode_rune(&text[*at..]);
        *at += length.max(1);
        let shown = match rune {
            '\0' => "\\0".to_owned(),
            '\x07' => "\\a".to_owned(),
            '\x08' => "\\b".to_owned(),
            '\t' => "\\t".to_owned(),
            '\n' => "\\n".to_owned(),
            '\x0b' => "\\v".to_owned(),
            '\x0c' => "\\f".to_owned(),
            '\r' => "\\r".to_owned(),
            '\x1b' => "\\e".to_owned(),
            '"' => "\\\"".to_owned(),
            '\\' => "\\\\".to_owned(),
            '\u{85}' => "\\N".to_owned(),
            '\u{a0}' => "\\_".to_owned(),
            '\u{2028}' => "\\L".to_owned(),
            '\u{2029}' => "\\P".to_owned(),
            _ => match u32::from(rune) {
                code @ ..=0xFF => format!("\\x{code:02X}"),
                code @ ..=0xFFFF => format!("\\u{code:04X}"),
                code => format!("\\U{code:08X}"),
            },
        };
        self.out.extend_from_slice(shown.as_bytes());
        self.column += shown.len();
    }

    fn write_literal(&mut self, text: &[u8]) {
        self.indicator("|", true, false, false);
        if is_space(text, 0) || is_break(text, 0) {
            self.indicator("2", false, false, false);
        }
        match trailing_breaks(text) {
            0 => self.indicator("-", false, false, false),
            1 if text.len() > 1 => {}
            _ => self.indicator("+", false, false, false),
        }
        self.put_break();
        self.indention = true;
        self.whitespace = true;
        let mut breaks = true;
        let mut at = 0;
        while at < text.len() {
            if is_break(text, at) {
                self.write_break(text, &mut at);
                breaks = true;
            } else {
                if breaks {
                    self.write_indent();
                }
                self.write_run(text, &mut at, |byte| matches!(byte, b'\r' | b'\n'));
                self.indention = false;
                breaks = false;
            }
        }
    }
}

/// Whether a text is of letters, digits and what stands in names, and nothing but a text in any flavour: as most keys and many values are.
fn is_word(text: &[u8]) -> bool {
    text.first().is_some_and(u8::is_ascii_alphabetic)
        && text.iter().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-' | b'.' | b'/'))
        && !may_be_more(text)
}

/// JSON holds NEL as it is, and to the reader of YAML it is a line break within quotes: one becomes a space, more become newlines.
fn without_nel(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut breaks = 0_usize;
    for (index, part) in text.split('\u{85}').enumerate() {
        breaks += usize::from(index > 0);
        let part = if index > 0 { part.trim_start_matches([' ', '\t']) } else { part };
        if part.is_empty() && index > 0 {
            continue;
        }
        if breaks > 0 {
            out.truncate(out.trim_end_matches([' ', '\t']).len());
            out.push_str(&if breaks == 1 { " ".to_owned() } else { "\n".repeat(breaks - 1) });
            breaks = 0;
        }
        out.push_str(part);
    }
    if breaks > 0 {
        out.push_str(&if breaks == 1 { " ".to_owned() } else { "\n".repeat(breaks - 1) });
    }
    out
}

/// Breaks at the end: none, one, or more (counted as two).
fn trailing_breaks(text: &[u8]) -> usize {
    let text = String::from_utf8_lossy(text);
    text.chars().rev().take(2).take_while(|rune| matches!(rune, '\n' | '\r' | '\u{85}' | '\u{2028}' | '\u{2029}')).count()
}

/// `yaml_emitter_select_scalar_style`.
fn select_style(text: &[u8], analysis: &Analysis, mut style: Style, context: Context) -> Style {
    let key = context == Context::SimpleKey;
    if key && analysis.multiline {
        style = Style::Double;
    }
    if style == Style::Plain && (!analysis.block_plain_allowed || text.is_empty() && key) {
        style = Style::Single;
    }
    if style == Style::Single && !analysis.single_quoted_allowed {
        style = Style::Double;
    }
    if style == Style::Literal && (!analysis.block_allowed || key) {
        style = Style::Double;
    }
    style
}

/// `isBase60Float`: `^[-+]?[0-9][0-9_]*(?::[0-5]?[0-9])+(?:\.[0-9_]*)?$`
fn is_base60(text: &str) -> bool {
    let text = text.strip_prefix(['+', '-']).unwrap_or(text);
    let mut parts = text.split(':');
    let first = parts.next().unwrap_or_default();
    if !first.starts_with(|rune: char| rune.is_ascii_digit()) || !first.bytes().all(|byte| byte.is_ascii_digit() || byte == b'_') {
        return false;
    }
    let mut parts: Vec<&str> = parts.collect();
    let Some(last) = parts.pop() else { return false };
    let (last, fraction) = last.split_once('.').unwrap_or((last, ""));
    parts.push(last);
    let sixty = |part: &&str| match part.as_bytes() {
        [digit] => digit.is_ascii_digit(),
        [ten, digit] => (b'0'..=b'5').contains(ten) && digit.is_ascii_digit(),
        _ => false,
    };
    parts.iter().all(sixty) && fraction.bytes().all(|byte| byte.is_ascii_digit() || byte == b'_')
}
