//! The decoder: tables, arrays of tables and dotted keys put together as `parse.go` does, with its errors.

use std::collections::BTreeSet;

use super::scalar;
use super::scan::{END, Fault, Item, Kind, Scanner, is_newline, is_space};
use super::write::path;
use crate::helm::func::{FuncError, Host};
use crate::helm::strconv::quote;
use crate::helm::value::{List, Map, Str, Type, Value, check_depth};

/// Reads a document.
pub(super) fn unmarshal(host: &mut dyn Host, text: &[u8]) -> Result<Value, FuncError> {
    let marks: [&[u8]; 3] = [b"\xff\xfe", b"\xfe\xff", b"\xef\xbb\xbf"];
    let text = marks.iter().find_map(|mark| text.strip_prefix(*mark)).unwrap_or(text);
    if text.iter().take(6).any(|byte| *byte == 0) {
        let message = "toml: line 1: files cannot contain NULL bytes; probably using UTF-16; TOML files must be UTF-8";
        return Err(FuncError::new(message));
    }
    let mut reader = Reader {
        host,
        scan: Scanner::new(text),
        root: Map::new(),
        context: Vec::new(),
        key: None,
        line: 0,
        implicit: BTreeSet::new(),
        arrays: BTreeSet::new(),
    };
    match reader.document() {
        Ok(()) => Ok(Value::Map(reader.root)),
        Err(fault) if fault.limit => Err(FuncError::limit(fault.message)),
        Err(fault) => Err(FuncError::new(reader.told(&fault))),
    }
}

struct Reader<'a> {
    host: &'a mut dyn Host,
    scan: Scanner<'a>,
    root: Map,
    /// The table that keys belong to.
    context: Vec<Str>,
    /// The last part of the key whose value is read.
    key: Option<Str>,
    /// Where the last key began.
    line: usize,
    /// Tables that only came about on the way to others: they may be defined once more.
    implicit: BTreeSet<String>,
    /// Keys with arrays as values.
    arrays: BTreeSet<String>,
}

impl Reader<'_> {
    fn told(&self, fault: &Fault) -> String {
        let context = path(&self.context);
        let last = match &self.key {
            Some(key) if !key.is_empty() && context.is_empty() => key.to_str().into_owned(),
            Some(key) if !key.is_empty() => format!("{context}.{key}"),
            _ => context,
        };
        let last = if last.is_empty() { last } else { format!(" (last key {})", quote(&last)) };
        format!("toml: line {}{last}: {}", fault.line, fault.message)
    }

    /// An error at the last key.
    fn wrong(&self, message: String) -> Fault {
        Fault { line: self.line, message, limit: false }
    }

    fn document(&mut self) -> Result<(), Fault> {
        loop {
            match self.scan.next()? {
                END => return Ok(()),
                rune if is_space(rune) || is_newline(rune) => continue,
                '#' => {
                    self.scan.skip_comment()?;
                    continue;
                }
                '[' => self.header()?,
                _ => {
                    self.scan.back();
                    let outer = self.context.clone();
                    self.pair(None)?;
                    self.context = outer;
                    self.key = None;
                }
            }
            self.scan.end_of_line()?;
        }
    }

    /// After `[`.
    fn header(&mut self) -> Result<(), Fault> {
        let array = self.scan.peek()? == '[';
        if array {
            self.scan.next()?;
        }
        let mut key = Vec::new();
        loop {
            let name = self.scan.table_name()?;
            self.part(&mut key, name)?;
            if self.scan.end_of_table_name(array)? {
                break;
            }
        }
        self.add_context(&key, array)?;
        self.arrays.remove(&path(&self.context));
        Ok(())
    }

    /// Takes one part of a key in.
    fn part(&mut self, key: &mut Vec<Str>, name: Item) -> Result<(), Fault> {
        if key.is_empty() {
            self.line = name.line;
        }
        limited(key.len())?;
        key.push(scalar::text(name)?);
        Ok(())
    }

    /// A key and its value; within an inline table the value goes there too.
    fn pair(&mut self, inline: Option<(&Map, usize)>) -> Result<(), Fault> {
        self.scan.start_of_key()?;
        let mut key = Vec::new();
        loop {
            let name = self.scan.key_name()?;
            self.part(&mut key, name)?;
            if self.scan.end_of_key_name()? {
                break;
            }
        }
        let last = key.pop().unwrap_or_default();
        self.key = Some(last.clone());
        for part in &key {
            let mut whole = self.context.clone();
            whole.push(part.clone());
            self.implicit.insert(path(&whole));
            self.add_context(&whole, false)?;
        }
        let item = self.scan.value()?;
        let array = item.kind == Kind::Array;
        let value = self.value(item, false, inline.map_or(0, |(_, depth)| depth))?;
        self.set_value(&last, value.clone())?;
        self.note(Some(&last), array);
        if let Some((top, _)) = inline {
            let mut table = top.clone();
            for part in key {
                if !table.has(&part) {
                    table.set(part.clone(), Value::Map(Map::new()));
                }
                let Some(Value::Map(inner)) = table.get(&part) else {
                    return Err(self.wrong(format!("{} is not a table", quote(&path(&self.context)))));
                };
                table = inner;
            }
            table.set(last, value);
        }
        Ok(())
    }

    /// Remembers whether a key's value is an array.
    fn note(&mut self, key: Option<&Str>, array: bool) {
        let whole: Vec<Str> = self.context.iter().chain(key.filter(|key| !key.is_empty())).cloned().collect();
        let name = if whole.is_empty() { "\"\"".to_owned() } else { path(&whole) };
        if array {
            self.arrays.insert(name);
        } else {
            self.arrays.remove(&name);
        }
    }

    fn value(&mut self, item: Item, in_array: bool, depth: usize) -> Result<Value, Fault> {
        limited(depth)?;
        match item.kind {
            Kind::Array => self.array(depth),
            Kind::Table => self.inline_table(in_array, depth),
            _ => scalar::value(self.host, item),
        }
    }

    /// After `[`.
    fn array(&mut self, depth: usize) -> Result<Value, Fault> {
        let key = self.key.clone();
        self.note(key.as_ref(), true);
        let mut items = Vec::new();
        while self.scan.another_item(items.is_empty())? {
            let item = self.scan.value()?;
            items.push(self.value(item, true, depth + 1)?);
        }
        Ok(Value::List(List::new(items)))
    }

    /// After `{`.
    fn inline_table(&mut self, in_array: bool, depth: usize) -> Result<Value, Fault> {
        let top = Map::new();
        let (outer_context, outer_key) = (self.context.clone(), self.key.clone());
        self.context.push(self.key.take().unwrap_or_default());
        let inner = self.context.clone();
        self.implicit.insert(path(&inner));
        self.add_context(&inner, in_array)?;
        let mut first = true;
        while self.scan.another_pair(first)? {
            first = false;
            self.pair(Some((&top, depth + 1)))?;
            self.context.clone_from(&inner);
        }
        (self.context, self.key) = (outer_context, outer_key);
        Ok(Value::Map(top))
    }

    /// Goes to a table: those on the way come about where they are missing.
    fn add_context(&mut self, key: &[Str], array: bool) -> Result<(), Fault> {
        let (last, parents) = key.split_last().map_or((Str::default(), key), |(last, parents)| (last.clone(), parents));
        let mut table = self.root.clone();
        for (index, part) in parents.iter().enumerate() {
            limited(index)?;
            if !table.has(part) {
                self.implicit.insert(path(&parents[..=index]));
                table.set(part.clone(), Value::Map(Map::new()));
            }
            let Some(inner) = table.get(part).as_ref().and_then(table_of) else {
                return Err(self.wrong(format!("Key '{}' was already created as a hash.", path(&parents[..=index]))));
            };
            table = inner;
        }
        self.context = parents.to_vec();
        if array {
            if !table.has(&last) {
                table.set(last.clone(), Value::List(List::typed(Type::Maps, Vec::new())));
            }
            match table.get(&last) {
                Some(Value::List(list)) if list.typ() == Type::Maps => list.change(|items| items.push(Value::Map(Map::new()))),
                _ => return Err(self.wrong(format!("Key '{}' was already created and cannot be used as an array.", path(key)))),
            }
        } else {
            self.set_value(&last, Value::Map(Map::new()))?;
        }
        self.context.push(last);
        Ok(())
    }

    /// Gives a key of the present table its value. Only what came about by itself may be there already.
    fn set_value(&mut self, key: &Str, value: Value) -> Result<(), Fault> {
        let defined = |whole: &[Str]| format!("Key '{}' has already been defined.", path(whole));
        let mut table = self.root.clone();
        for (index, part) in self.context.iter().enumerate() {
            limited(index)?;
            let Some(inner) = table.get(part).as_ref().and_then(table_of) else {
                return Err(self.wrong(defined(&self.context[..=index])));
            };
            table = inner;
        }
        let whole: Vec<Str> = self.context.iter().chain([key]).cloned().collect();
        if table.has(key) {
            let name = path(&whole);
            if !self.implicit.remove(&name) {
                return Err(self.wrong(defined(&whole)));
            }
            if !self.arrays.contains(&name) {
                return Ok(());
            }
        }
        table.set(key.clone(), value);
        Ok(())
    }
}

/// A table, or the last one of an array of tables.
fn table_of(value: &Value) -> Option<Map> {
    match value {
        Value::Map(map) => Some(map.clone()),
        Value::List(list) if list.typ() == Type::Maps => match list.get(list.len().checked_sub(1)?) {
            Some(Value::Map(map)) => Some(map),
            _ => None,
        },
        _ => None,
    }
}

fn limited(depth: usize) -> Result<(), Fault> {
    check_depth(depth).map_err(|error| Fault { line: 0, message: error.message().to_owned(), limit: true })
}
