//! Functions that templates call: their table, and what they may ask of the world.
// All functions have the one form of the table, whether they can fail or not.
#![allow(clippy::unnecessary_wraps)]

mod bytes;
pub mod cast;
mod dates;
mod decimal;
mod dicts;
mod encoding;
mod json;
mod lists;
mod logic;
mod math;
mod merge;
mod passwords;
mod paths;
mod random;
pub mod re2;
mod regexp;
pub mod semver;
mod strings;
mod time;
mod unicode;
mod urls;
mod versions;
mod words;
mod x509;

pub(crate) use time::toml as toml_time;
pub(crate) use urls::{url_error, url_scheme};

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::fmt;
use std::sync::LazyLock;

use super::value::{LastRead, List, Map, Str, Type, Value};

/// The tables of all functions, one per file of this folder.
const TABLES: &[&[Func]] = &[
    super::template::FUNCS,
    dates::TABLE,
    dicts::TABLE,
    encoding::TABLE,
    json::TABLE,
    lists::TABLE,
    logic::TABLE,
    math::TABLE,
    merge::TABLE,
    passwords::TABLE,
    paths::TABLE,
    random::TABLE,
    regexp::TABLE,
    strings::TABLE,
    urls::TABLE,
    versions::TABLE,
    words::TABLE,
    x509::TABLE,
    super::engine::FUNCS,
];

/// The function of a name. Go's own and Helm's are found here as well as sprig's.
#[must_use]
pub fn find(name: &str) -> Option<&'static Func> {
    static BY_NAME: LazyLock<BTreeMap<&'static str, &'static Func>> =
        LazyLock::new(|| TABLES.iter().flat_map(|table| table.iter()).map(|func| (func.name, func)).collect());
    BY_NAME.get(name).copied()
}

/// The names of all functions.
pub fn names() -> impl Iterator<Item = &'static str> {
    TABLES.iter().flat_map(|table| table.iter()).map(|func| func.name)
}

/// A function of the table. Number and types of the arguments are checked by the evaluator against `params`, with Go's words, before the
/// call, so that `call` may rely on them (nil comes as `Value::Nil` for `Type::Any`, and as a nil map or list for those types).
#[derive(Clone, Copy)]
pub struct Func {
    /// The name in templates.
    pub name: &'static str,
    /// The Go types of the parameters. With `variadic` the last is the type of each of the remaining arguments.
    pub params: &'static [Type],
    /// Whether the last parameter takes any number of arguments, none included.
    pub variadic: bool,
    /// Whether it throws dice.
    pub rolls: bool,
    /// What it does.
    pub call: fn(&mut dyn Runtime, Args<'_>) -> Result<Value, FuncError>,
}

impl Func {
    /// A function with a fixed number of arguments.
    pub const fn fixed(
        name: &'static str,
        params: &'static [Type],
        call: fn(&mut dyn Runtime, Args<'_>) -> Result<Value, FuncError>,
    ) -> Self {
        Self { name, params, variadic: false, rolls: false, call }
    }

    /// A function whose last parameter takes any number of arguments.
    pub const fn variadic(
        name: &'static str,
        params: &'static [Type],
        call: fn(&mut dyn Runtime, Args<'_>) -> Result<Value, FuncError>,
    ) -> Self {
        Self { name, params, variadic: true, rolls: false, call }
    }

    /// The same function, which throws dice.
    #[must_use]
    pub const fn rolling(self) -> Self {
        Self { rolls: true, ..self }
    }
}

/// What the embedder gives: everything that is not a function of chart and values.
pub trait Host {
    /// Fills the bytes with dice. `randAlpha`, `genCA`, `uuidv4`, `htpasswd`, … ask for them.
    fn random(&mut self, bytes: &mut [u8]);

    /// A call of a function that throws dice begins: its name and its arguments, printed. What is thrown next is thrown by it.
    fn draws(&mut self, function: &str, args: &[u8]) {
        let _ = (function, args);
    }

    /// The bits of an RSA key that is to be made. Fewer do where the key is for nothing but a comparison.
    fn key_bits(&self, wanted: usize) -> usize {
        wanted
    }

    /// The time: seconds and nanoseconds since 1970 in UTC.
    fn now(&mut self) -> (i64, u32);

    /// Offset of local time from UTC in seconds at a moment, and the zone's abbreviation. UTC unless the embedder says otherwise.
    fn local_zone(&mut self, unix: i64) -> (i32, String) {
        let _ = unix;
        (0, "UTC".to_owned())
    }

    /// `lookup`: an object, or a list with `items` where the name is empty; `Value::Map` without entries when there is none, and always
    /// so without a cluster.
    fn lookup(&mut self, api_version: &str, kind: &str, namespace: &str, name: &str) -> Result<Value, FuncError> {
        let _ = (api_version, kind, namespace, name);
        Ok(Value::Map(Map::new()))
    }

    /// The content of a file that `--set-file` names.
    fn read_file(&mut self, path: &str) -> Result<Vec<u8>, String> {
        Err(format!("open {path}: no such file or directory"))
    }

    /// `getHostByName`: an address, or nothing where look-ups are not allowed (as in Helm without `--enable-dns`).
    fn resolve(&mut self, name: &str) -> String {
        let _ = name;
        String::new()
    }

    /// A schema that values.schema.json refers to by an HTTP address: its JSON, or why it is not to be had.
    fn fetch_schema(&mut self, url: &str) -> Result<Vec<u8>, String> {
        let _ = url;
        Err("nothing is fetched".to_owned())
    }

    /// What Helm says on its standard error: a line, mostly with `warning:` at its begin. Nobody listens unless the embedder does.
    fn warn(&mut self, text: &str) {
        let _ = text;
    }
}

/// What a function may ask of the evaluation that it runs in.
pub trait Runtime {
    /// Dice, clock, cluster.
    fn host(&mut self) -> &mut dyn Host;

    /// `include`: a named template, rendered with `data`.
    fn include(&mut self, name: &str, data: Value) -> Result<Str, FuncError>;

    /// `tpl`: a text taken as a template, rendered with `data`.
    fn tpl(&mut self, text: &Str, data: Value) -> Result<Str, FuncError>;

    /// Whether the chart is only linted: `required` and `fail` do not fail then.
    fn lint(&self) -> bool;

    /// Takes bytes from the budget of this rendering. Functions whose result may be far larger than their arguments (`repeat`, `until`,
    /// `indent`, …) ask before they make it.
    fn spend(&mut self, bytes: usize) -> Result<(), FuncError>;

    /// A compiled regular expression of Go's (RE2) syntax, kept for the next call; the error in Go's words
    /// (``error parsing regexp: missing closing ): `(` ``).
    fn regex(&mut self, pattern: &str) -> Result<std::rc::Rc<regex::bytes::Regex>, FuncError>;

    /// What `fromYaml` read last.
    fn last_read(&mut self) -> &mut LastRead;
}

/// The arguments of a call.
#[derive(Clone, Copy)]
pub struct Args<'a>(pub &'a [Value]);

impl<'a> Args<'a> {
    /// How many there are.
    #[must_use]
    pub fn len(self) -> usize {
        self.0.len()
    }

    /// Whether there are none.
    #[must_use]
    pub fn is_empty(self) -> bool {
        self.0.is_empty()
    }

    /// One argument of any type; nil where there is none.
    #[must_use]
    pub fn value(self, index: usize) -> &'a Value {
        self.0.get(index).unwrap_or(&Value::Nil)
    }

    /// The arguments from one on: those of a variadic parameter.
    #[must_use]
    pub fn rest(self, from: usize) -> &'a [Value] {
        self.0.get(from..).unwrap_or_default()
    }

    /// A `string` argument.
    pub fn str(self, index: usize) -> Result<&'a Str, FuncError> {
        match self.value(index) {
            Value::Str(text) => Ok(text),
            other => Err(mismatch(index, Type::String, other)),
        }
    }

    /// A `string` argument as UTF-8.
    pub fn text(self, index: usize) -> Result<Cow<'a, str>, FuncError> {
        self.str(index).map(Str::to_str)
    }

    /// An integer argument.
    pub fn int(self, index: usize) -> Result<i64, FuncError> {
        match self.value(index) {
            Value::Int(_, number) => Ok(*number),
            other => Err(mismatch(index, Type::Int, other)),
        }
    }

    /// A `float64` argument.
    pub fn float(self, index: usize) -> Result<f64, FuncError> {
        match self.value(index) {
            Value::Float(number) => Ok(*number),
            other => Err(mismatch(index, Type::Float64, other)),
        }
    }

    /// A `bool` argument.
    pub fn bool(self, index: usize) -> Result<bool, FuncError> {
        match self.value(index) {
            Value::Bool(truth) => Ok(*truth),
            other => Err(mismatch(index, Type::Bool, other)),
        }
    }

    /// A map argument.
    pub fn map(self, index: usize) -> Result<&'a Map, FuncError> {
        match self.value(index) {
            Value::Map(map) => Ok(map),
            other => Err(mismatch(index, Type::Map, other)),
        }
    }

    /// A slice argument.
    pub fn list(self, index: usize) -> Result<&'a List, FuncError> {
        match self.value(index) {
            Value::List(list) => Ok(list),
            other => Err(mismatch(index, Type::Anys, other)),
        }
    }
}

fn mismatch(index: usize, wanted: Type, got: &Value) -> FuncError {
    FuncError::new(format!("argument {index}: expected {}; got {}", wanted.name(), got.type_name()))
}

/// Why a function failed: Go's error, or what Go's panic said. The evaluator puts `error calling NAME: ` before it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FuncError {
    message: String,
    limit: bool,
}

impl FuncError {
    /// An error with Go's words.
    pub fn new(message: impl Into<String>) -> Self {
        Self { message: message.into(), limit: false }
    }

    /// A limit of ours that was exceeded: nesting, size, time.
    pub fn limit(message: impl Into<String>) -> Self {
        Self { message: message.into(), limit: true }
    }

    /// The words.
    #[must_use]
    pub fn message(&self) -> &str {
        &self.message
    }

    /// Whether a limit of ours was exceeded.
    #[must_use]
    pub fn is_limit(&self) -> bool {
        self.limit
    }
}

impl fmt::Display for FuncError {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(&self.message)
    }
}

impl std::error::Error for FuncError {}
