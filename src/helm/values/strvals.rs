//! `--set` and its kin: `pkg/strvals`.

use crate::helm::func::Host;
use crate::helm::json;
use crate::helm::strconv::quote;
use crate::helm::value::{List, Map, Str, Value};

/// The highest index of a list.
const MAX_INDEX: i64 = 65_536;
/// How many dots a name may have.
const MAX_NESTED_NAME_LEVEL: usize = 30;
/// How many indices may follow one another; Helm has no such limit.
const MAX_NESTED_INDEX: usize = 100;

/// `--set`: numbers, booleans and null have their types.
pub(super) fn parse(line: &str, into: &Map) -> Result<(), String> {
    Parser::new(line, Mode::Typed).parse(into)
}

/// `--set-string`: every value is a string.
pub(super) fn parse_string(line: &str, into: &Map) -> Result<(), String> {
    Parser::new(line, Mode::Text).parse(into)
}

/// `--set-json`: every value is JSON.
pub(super) fn parse_json(line: &str, into: &Map) -> Result<(), String> {
    Parser::new(line, Mode::Json).parse(into)
}

/// `--set-file`: every value is the content of a file.
pub(super) fn parse_file(line: &str, into: &Map, host: &mut dyn Host) -> Result<(), String> {
    Parser::new(line, Mode::File(host)).parse(into)
}

/// `--set-literal`: the rest of the line is one string.
pub(super) fn parse_literal(line: &str, into: &Map) -> Result<(), String> {
    Parser::new(line, Mode::Literal).parse(into)
}

enum Mode<'h> {
    Typed,
    Text,
    Json,
    Literal,
    File(&'h mut dyn Host),
}

/// How a step ended other than well.
enum Stop {
    Eof,
    NotList,
    Error(String),
}

fn error<T>(words: impl Into<String>) -> Result<T, Stop> {
    Err(Stop::Error(words.into()))
}

/// Go's panic at a type assertion, which the parser turns into an error.
fn conversion(value: &Value, wanted: &str) -> Stop {
    let got = if matches!(value, Value::Nil) { "nil" } else { value.type_name() };
    Stop::Error(format!("unable to parse key: interface conversion: interface {{}} is {got}, not {wanted}"))
}

struct Parser<'h> {
    runes: Vec<char>,
    at: usize,
    mode: Mode<'h>,
}

impl<'h> Parser<'h> {
    fn new(line: &str, mode: Mode<'h>) -> Self {
        Self { runes: line.chars().collect(), at: 0, mode }
    }

    fn parse(&mut self, into: &Map) -> Result<(), String> {
        loop {
            match self.key(into, 0) {
                Ok(()) => {}
                Err(Stop::Eof) => return Ok(()),
                Err(Stop::NotList) => return Err("not a list".to_owned()),
                Err(Stop::Error(words)) => return Err(words),
            }
        }
    }

    fn literal(&self) -> bool {
        matches!(self.mode, Mode::Literal)
    }

    fn next(&mut self) -> Option<char> {
        let rune = self.runes.get(self.at).copied();
        self.at += usize::from(rune.is_some());
        rune
    }

    /// Reads up to one of the runes: what was read, and the rune that ended it, none at the end of the line.
    fn until(&mut self, stop: &[char]) -> (String, Option<char>) {
        let mut out = String::new();
        while let Some(rune) = self.next() {
            if stop.contains(&rune) {
                return (out, Some(rune));
            }
            if rune == '\\' && !self.literal() {
                match self.next() {
                    Some(next) => out.push(next),
                    None => return (out, None),
                }
            } else {
                out.push(rune);
            }
        }
        (out, None)
    }

    fn key(&mut self, data: &Map, level: usize) -> Result<(), Stop> {
        let stop: &[char] = if self.literal() { &['=', '[', '.'] } else { &['=', '[', ',', '.'] };
        let (name, last) = self.until(stop);
        match last {
            None if name.is_empty() => Err(Stop::Eof),
            None => error(format!("key {} has no value", quote(&name))),
            Some('[') => {
                let index = self.key_index()?;
                let list = match data.get(&name) {
                    None => Vec::new(),
                    Some(Value::List(list)) => list.to_vec(),
                    Some(other) => return Err(conversion(&other, "[]interface {}")),
                };
                let (list, outcome) = self.list_item(list, index, level, 0);
                set(data, &name, Value::List(List::new(list)));
                outcome
            }
            Some('=') => self.assign(data, &name),
            Some(',') => {
                set(data, &name, Value::from(""));
                error(format!("key {} has no value (cannot end with ,)", quote(&name)))
            }
            Some(_) => {
                let level = level + 1;
                if level > MAX_NESTED_NAME_LEVEL {
                    return error(format!(
                        "value name nested level is greater than maximum supported nested level of {MAX_NESTED_NAME_LEVEL}"
                    ));
                }
                let inner = match data.get(&name) {
                    None => Map::new(),
                    Some(Value::Map(inner)) => inner,
                    Some(other) => return Err(conversion(&other, "map[string]interface {}")),
                };
                let outcome = self.key(&inner, level);
                if outcome.is_ok() && inner.is_empty() {
                    return error(format!("key map {} has no value", quote(&name)));
                }
                if !inner.is_empty() {
                    set(data, &name, Value::Map(inner));
                }
                outcome
            }
        }
    }

    fn assign(&mut self, data: &Map, name: &str) -> Result<(), Stop> {
        match self.mode {
            Mode::Json => {
                let value = self.json_value()?;
                set(data, name, value);
                Ok(())
            }
            Mode::Literal => {
                let (value, _) = self.until(&[]);
                set(data, name, Value::from(value));
                Ok(())
            }
            _ => match self.value_list() {
                Ok(list) => {
                    set(data, name, list);
                    Ok(())
                }
                Err(Stop::Eof) => {
                    set(data, name, Value::from(""));
                    Err(Stop::Eof)
                }
                Err(Stop::NotList) => {
                    let (text, _) = self.until(&[',']);
                    let value = self.read(text);
                    let outcome = value.as_ref().map(|_| ()).map_err(|words| Stop::Error(words.clone()));
                    set(data, name, value.unwrap_or_default());
                    outcome
                }
                Err(stop) => Err(stop),
            },
        }
    }

    /// A JSON value and the comma after it; nothing is null.
    fn json_value(&mut self) -> Result<Value, Stop> {
        if self.empty_value() {
            return Ok(Value::Nil);
        }
        let rest: String = self.runes[self.at..].iter().collect();
        let (value, length) = json::decode(rest.as_bytes()).map_err(Stop::Error)?;
        self.at += rest[..length].chars().count();
        self.empty_value();
        Ok(value)
    }

    /// Skips blanks and a comma: whether there was nothing else.
    fn empty_value(&mut self) -> bool {
        loop {
            match self.next() {
                None | Some(',') => return true,
                Some(rune) if rune.is_whitespace() => {}
                Some(_) => {
                    self.at -= 1;
                    return false;
                }
            }
        }
    }

    fn key_index(&mut self) -> Result<i64, Stop> {
        let (text, last) = self.until(&[']']);
        if last.is_none() {
            return error("error parsing index: EOF");
        }
        text.parse::<i64>().map_err(|_| Stop::Error(format!("error parsing index: strconv.Atoi: parsing {}: invalid syntax", quote(&text))))
    }

    /// What follows an index. The list comes back in any case, as far as it got.
    fn list_item(&mut self, list: Vec<Value>, index: i64, level: usize, depth: usize) -> (Vec<Value>, Result<(), Stop>) {
        if index < 0 {
            return (list, error(format!("negative {index} index not allowed")));
        }
        if depth > MAX_NESTED_INDEX {
            return (list, error("lists are nested too deep"));
        }
        let place = usize::try_from(index).unwrap_or(usize::MAX);
        let (text, last) = self.until(&['[', '.', '=']);
        if !text.is_empty() {
            return (list, error(format!("unexpected data at end of array index: {}", quote(&text))));
        }
        match last {
            None => (list, Err(Stop::Eof)),
            Some('=') => {
                let value = match self.item_value() {
                    Ok(value) => value,
                    Err(stop) => return (list, Err(stop)),
                };
                set_index(list, index, value)
            }
            Some('[') => {
                let inner_index = match self.key_index() {
                    Ok(index) => index,
                    Err(stop) => return (list, Err(stop)),
                };
                let inner = match list.get(place) {
                    None | Some(Value::Nil) => Vec::new(),
                    Some(Value::List(inner)) => inner.to_vec(),
                    Some(other) => {
                        let stop = conversion(other, "[]interface {}");
                        return (list, Err(stop));
                    }
                };
                let (inner, outcome) = self.list_item(inner, inner_index, level, depth + 1);
                match outcome {
                    Ok(()) => set_index(list, index, Value::List(List::new(inner))),
                    stop => (list, stop),
                }
            }
            Some(_) => {
                let mut list = list;
                let inner = match list.get(place) {
                    Some(Value::Map(inner)) => inner.clone(),
                    Some(_) => {
                        let inner = Map::new();
                        list[place] = Value::Map(inner.clone());
                        inner
                    }
                    None => Map::new(),
                };
                match self.key(&inner, level) {
                    Ok(()) => set_index(list, index, Value::Map(inner)),
                    stop => (list, stop),
                }
            }
        }
    }

    fn item_value(&mut self) -> Result<Value, Stop> {
        match self.mode {
            Mode::Json => self.json_value(),
            Mode::Literal => Ok(Value::from(self.until(&[]).0)),
            _ => match self.value_list() {
                Ok(list) => Ok(list),
                Err(Stop::Eof) => Ok(Value::from("")),
                Err(Stop::NotList) => {
                    let (text, _) = self.until(&[',']);
                    self.read(text).map_err(Stop::Error)
                }
                Err(stop) => Err(stop),
            },
        }
    }

    /// `{a,b}`
    fn value_list(&mut self) -> Result<Value, Stop> {
        match self.next() {
            None => return Err(Stop::Eof),
            Some('{') => {}
            Some(_) => {
                self.at -= 1;
                return Err(Stop::NotList);
            }
        }
        let mut list = Vec::new();
        loop {
            let (text, last) = self.until(&[',', '}']);
            if last.is_none() {
                return error("list must terminate with '}'");
            }
            list.push(self.read(text).map_err(Stop::Error)?);
            if last == Some('}') {
                if self.runes.get(self.at) == Some(&',') {
                    self.at += 1;
                }
                return Ok(Value::List(List::new(list)));
            }
        }
    }

    fn read(&mut self, text: String) -> Result<Value, String> {
        match &mut self.mode {
            Mode::File(host) => host.read_file(&text).map(|data| Value::Str(Str::from(data))),
            Mode::Typed => Ok(typed(text)),
            _ => Ok(Value::from(text)),
        }
    }
}

/// `typedVal`.
fn typed(text: String) -> Value {
    match text.to_ascii_lowercase().as_str() {
        "true" => return Value::Bool(true),
        "false" => return Value::Bool(false),
        "null" => return Value::Nil,
        "0" => return Value::int64(0),
        _ => {}
    }
    if !text.is_empty()
        && !text.starts_with('0')
        && let Ok(number) = text.parse::<i64>()
    {
        return Value::int64(number);
    }
    Value::from(text)
}

fn set(data: &Map, name: &str, value: Value) {
    if !name.is_empty() {
        data.set(name, value);
    }
}

fn set_index(mut list: Vec<Value>, index: i64, value: Value) -> (Vec<Value>, Result<(), Stop>) {
    if index > MAX_INDEX {
        return (list, error(format!("index of {index} is greater than maximum supported index of {MAX_INDEX}")));
    }
    let index = usize::try_from(index).unwrap_or(0);
    if list.len() <= index {
        list.resize(index + 1, Value::Nil);
    }
    list[index] = value;
    (list, Ok(()))
}
