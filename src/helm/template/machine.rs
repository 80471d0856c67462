//! What all executions of a rendering share, and what functions may ask of it.

use std::collections::HashMap;
use std::rc::Rc;

use super::error::ExecError;
use super::exec::execute;
use super::set::Set;
use crate::helm::func::{FuncError, Host, Runtime, re2};
use crate::helm::stack::Stack;
use crate::helm::strconv::quote_bytes;
use crate::helm::value::{LastRead, Str, Value, allow};

/// How often `include` may nest one name; `recursionMaxNums` of Helm's engine.
const MAX_INCLUDES: usize = 1000;

/// How often `tpl` may nest; in Helm until the stack is full.
const MAX_TPLS: usize = 1000;

/// The name that Helm gives the set of templates, and texts given to `tpl`.
const SET_NAME: &str = "gotpl";

/// The largest text or list that a function may make.
const MAX_VALUE_SIZE: u64 = 64 << 20;

/// What an `include` costs beside the commands that it runs.
const INCLUDE_STEPS: u64 = 20;

/// How many values functions may go through for each step that is allowed.
const VALUES_PER_STEP: u64 = 4;

/// How many bytes of its arguments a function may go through at the cost of a step.
const BYTES_PER_STEP: usize = 256;

/// What a rendering may use up before it ends in an error.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// Commands evaluated.
    pub steps: u64,
    /// Bytes of output and of all strings that functions made.
    pub bytes: u64,
}

impl Default for Limits {
    fn default() -> Self {
        Self { steps: 50_000_000, bytes: 1 << 30 }
    }
}

/// The state of a rendering.
pub struct Machine<'h> {
    host: &'h mut dyn Host,
    pub(super) set: Rc<Set>,
    included: HashMap<Str, usize>,
    /// How many `tpl` are being rendered within one another.
    tpls: usize,
    regexes: HashMap<String, Rc<regex::bytes::Regex>>,
    last_read: LastRead,
    pub(super) strict: bool,
    lint: bool,
    pub(super) stack: Stack,
    limits: Limits,
}

impl<'h> Machine<'h> {
    /// A machine over the templates of a set.
    pub fn new(host: &'h mut dyn Host, set: Rc<Set>, stack: Stack, limits: Limits) -> Self {
        allow(limits.steps.saturating_mul(VALUES_PER_STEP));
        Self {
            host,
            set,
            included: HashMap::new(),
            tpls: 0,
            regexes: HashMap::new(),
            last_read: LastRead::default(),
            strict: false,
            lint: false,
            stack,
            limits,
        }
    }

    /// Fails where a key is missing (`missingkey=error`); Helm's `--strict` of lint.
    #[must_use]
    pub fn strict(mut self, strict: bool) -> Self {
        self.strict = strict;
        self
    }

    /// `required` and `fail` do not fail.
    #[must_use]
    pub fn lint(mut self, lint: bool) -> Self {
        self.lint = lint;
        self
    }

    /// Renders a template with its data; `Template.ExecuteTemplate`, and Helm's removal of `<no value>`.
    pub fn render(&mut self, name: &Str, data: Value) -> Result<Str, ExecError> {
        let out = self.execute_template(name, data)?;
        Ok(without_no_value(out).into())
    }

    fn execute_template(&mut self, name: &Str, data: Value) -> Result<Vec<u8>, ExecError> {
        let Some(tree) = self.set.lookup(name) else {
            let name = quote_bytes(name.as_bytes());
            return Err(ExecError::new(format!("template: no template {name} associated with template \"{SET_NAME}\""), false));
        };
        execute(self, &tree, data)
    }

    /// Counts one step.
    pub(super) fn step(&mut self) -> Result<(), FuncError> {
        self.steps(1)
    }

    /// Counts what it costs to go through texts.
    pub(super) fn texts(&mut self, args: &[Value]) -> Result<(), FuncError> {
        let bytes: usize = args.iter().map(|arg| if let Value::Str(text) = arg { text.len() } else { 0 }).sum();
        self.steps(u64::try_from(bytes / BYTES_PER_STEP).unwrap_or(u64::MAX))
    }

    fn steps(&mut self, count: u64) -> Result<(), FuncError> {
        self.limits.steps = self.limits.steps.checked_sub(count).ok_or_else(|| FuncError::limit("the template takes too many steps"))?;
        Ok(())
    }
}

impl Drop for Machine<'_> {
    fn drop(&mut self) {
        allow(u64::MAX);
    }
}

impl Runtime for Machine<'_> {
    fn host(&mut self) -> &mut dyn Host {
        self.host
    }

    fn include(&mut self, name: &str, data: Value) -> Result<Str, FuncError> {
        self.steps(INCLUDE_STEPS)?;
        let name = Str::from(name);
        let count = self.included.entry(name.clone()).or_insert(0);
        if *count > MAX_INCLUDES {
            return Err(FuncError::new(format!("rendering template has a nested reference name: {name}: unable to execute template")));
        }
        *count += 1;
        let out = self.execute_template(&name, data);
        if let Some(count) = self.included.get_mut(&name) {
            *count -= 1;
        }
        Ok(out?.into())
    }

    fn tpl(&mut self, text: &Str, data: Value) -> Result<Str, FuncError> {
        self.steps(INCLUDE_STEPS + u64::try_from(text.len()).unwrap_or(u64::MAX))?;
        let name = Str::from(SET_NAME);
        let mut set = Set::on(Rc::clone(&self.set));
        if self.tpls == MAX_TPLS || !self.stack.has_room() {
            return Err(FuncError::limit("tpl is nested too deep"));
        }
        let own = set
            .parse(&name, text.as_bytes(), self.stack)
            .map_err(|error| FuncError::new(format!("cannot parse template {}: {error}", quote_bytes(text.as_bytes()))))?;
        let outer = std::mem::replace(&mut self.set, Rc::new(set));
        self.tpls += 1;
        // By its name it might be another: within a text of `tpl` an empty one doesn't take its place.
        let out = own.map_or(Ok(Vec::new()), |tree| execute(self, &tree, data));
        self.tpls -= 1;
        self.set = outer;
        let out = out.map_err(|error| {
            let message = format!("error during tpl function execution for {}: {error}", quote_bytes(text.as_bytes()));
            if error.is_limit() { FuncError::limit(message) } else { FuncError::new(message) }
        })?;
        Ok(without_no_value(out).into())
    }

    fn lint(&self) -> bool {
        self.lint
    }

    fn spend(&mut self, bytes: usize) -> Result<(), FuncError> {
        let bytes = u64::try_from(bytes).unwrap_or(u64::MAX);
        if bytes > MAX_VALUE_SIZE {
            return Err(FuncError::limit("the template makes too much text"));
        }
        self.limits.bytes = self.limits.bytes.checked_sub(bytes).ok_or_else(|| FuncError::limit("the template makes too much text"))?;
        Ok(())
    }

    fn regex(&mut self, pattern: &str) -> Result<Rc<regex::bytes::Regex>, FuncError> {
        if let Some(regex) = self.regexes.get(pattern) {
            return Ok(Rc::clone(regex));
        }
        let regex = Rc::new(re2::compile(pattern)?);
        self.regexes.insert(pattern.to_owned(), Rc::clone(&regex));
        Ok(regex)
    }

    fn last_read(&mut self) -> &mut LastRead {
        &mut self.last_read
    }
}

/// Go prints a missing value as `<no value>`, whatever `missingkey` says, and Helm takes that out again, wherever it came from.
fn without_no_value(text: Vec<u8>) -> Vec<u8> {
    const MARK: &[u8] = b"<no value>";
    let finder = |bytes: &[u8]| memchr::memmem::find(bytes, MARK);
    let Some(mut found) = finder(&text) else { return text };
    let mut out = Vec::with_capacity(text.len());
    let mut rest = text.as_slice();
    loop {
        out.extend_from_slice(&rest[..found]);
        rest = &rest[found + MARK.len()..];
        match finder(rest) {
            Some(next) => found = next,
            None => break,
        }
    }
    out.extend_from_slice(rest);
    out
}
