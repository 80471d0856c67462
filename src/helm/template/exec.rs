//! Execution: `text/template/exec.go`.

use super::error::ExecError;
use super::machine::Machine;
use super::node::{BranchNode, CommandNode, Expr, ExprKind, ListNode, Node, NumberNode, PipeNode, TemplateNode, Tree};
use super::operand::{Held, Operand};
use crate::helm::func::{FuncError, Runtime};
use crate::helm::strconv::{quote, quote_bytes};
use crate::helm::value::{Kind, Str, Type, Value};

pub(super) type Result<T> = std::result::Result<T, ExecError>;

/// The longest message to which a caller still adds where it stands: ten thousand callers of one another would write gigabytes.
const MAX_MESSAGE: usize = 1 << 20;

/// The deepest that `{{template}}` may nest; Go's `maxExecDepth`.
const MAX_EXEC_DEPTH: usize = 100_000;

/// How a walk ended.
#[derive(PartialEq, Eq)]
enum Flow {
    Next,
    Break,
    Continue,
}

/// The node that errors point to.
#[derive(Clone, Copy)]
pub(super) enum At<'t> {
    Nothing,
    Node(&'t Node),
    Pipe(&'t PipeNode),
    Command(&'t CommandNode),
    Expr(&'t Expr),
}

/// The state of one template's execution; `state` in Go.
pub(super) struct Frame<'m, 'h, 't> {
    pub(super) machine: &'m mut Machine<'h>,
    pub(super) tree: &'t Tree,
    pub(super) at: At<'t>,
    vars: Vec<(&'t [u8], Operand)>,
    out: &'m mut Vec<u8>,
    depth: usize,
}

/// Executes a template with its data, which is `$` and dot.
pub(super) fn execute(machine: &mut Machine<'_>, tree: &Tree, data: Value) -> Result<Vec<u8>> {
    let mut out = Vec::new();
    let dot = Operand { held: if matches!(data, Value::Nil) { Held::Invalid } else { Held::Direct }, value: data };
    Frame { machine, tree, at: At::Nothing, vars: vec![(b"$", dot.clone())], out: &mut out, depth: 0 }.walk_list(&dot, &tree.root)?;
    Ok(out)
}

impl<'t> Frame<'_, '_, 't> {
    /// An error at the present node; `state.errorf`.
    pub(super) fn error<T>(&self, words: impl AsRef<str>) -> Result<T> {
        Err(self.located(words.as_ref(), false))
    }

    /// The same for what a function or limit said.
    pub(super) fn fail(&self, prefix: &str, error: &FuncError) -> ExecError {
        if error.message().len() > MAX_MESSAGE {
            return ExecError::new(error.message().to_owned(), error.is_limit());
        }
        self.located(&format!("{prefix}{error}"), error.is_limit())
    }

    fn located(&self, words: &str, limit: bool) -> ExecError {
        let (pos, context) = match self.at {
            At::Nothing => return ExecError::new(format!("template: {}: {words}", self.tree.name), limit),
            At::Node(node) => (node.pos(), node.to_string()),
            At::Pipe(pipe) => (pipe.pos, pipe.to_string()),
            At::Command(cmd) => (cmd.pos, cmd.to_string()),
            At::Expr(expr) => (expr.pos, expr.to_string()),
        };
        let location = self.tree.location(pos);
        let name = quote_bytes(self.tree.name.as_bytes());
        ExecError::new(format!("template: {location}: executing {name} at <{context}>: {words}"), limit)
    }

    fn write(&mut self, bytes: &[u8]) -> Result<()> {
        self.machine.spend(bytes.len()).map_err(|error| self.fail("", &error))?;
        self.out.extend_from_slice(bytes);
        Ok(())
    }

    fn walk_list(&mut self, dot: &Operand, list: &'t ListNode) -> Result<Flow> {
        for node in &list.nodes {
            let flow = self.walk(dot, node)?;
            if flow != Flow::Next {
                return Ok(flow);
            }
        }
        Ok(Flow::Next)
    }

    fn walk(&mut self, dot: &Operand, node: &'t Node) -> Result<Flow> {
        self.at = At::Node(node);
        match node {
            Node::Text(text) => self.write(text.text.as_bytes())?,
            Node::Action(action) => {
                let value = self.eval_pipeline(dot, &action.pipe)?;
                if action.pipe.decl.is_empty() {
                    self.at = At::Node(node);
                    self.print_value(&value)?;
                }
            }
            Node::If(branch) => return self.walk_if_or_with(dot, branch, false),
            Node::With(branch) => return self.walk_if_or_with(dot, branch, true),
            Node::Range(branch) => return self.walk_range(dot, branch),
            Node::Template(template) => self.walk_template(dot, template)?,
            Node::Break(_) => return Ok(Flow::Break),
            Node::Continue(_) => return Ok(Flow::Continue),
        }
        Ok(Flow::Next)
    }

    fn print_value(&mut self, operand: &Operand) -> Result<()> {
        if !operand.is_valid() {
            return self.write(b"<no value>");
        }
        if operand.value.kind() == Kind::Func {
            return self.error(format!("can't print {} of type {}", self.context(), operand.type_name()));
        }
        let text = operand.value.print().map_err(|error| self.fail("", &error))?;
        self.write(text.as_bytes())
    }

    fn context(&self) -> String {
        if let At::Node(node) = self.at { node.to_string() } else { String::new() }
    }

    fn walk_if_or_with(&mut self, dot: &Operand, branch: &'t BranchNode, with: bool) -> Result<Flow> {
        let mark = self.vars.len();
        let value = self.eval_pipeline(dot, &branch.pipe)?;
        let flow = if value.value.truth() {
            self.walk_list(if with { &value } else { dot }, &branch.list)
        } else if let Some(list) = &branch.else_list {
            self.walk_list(dot, list)
        } else {
            Ok(Flow::Next)
        };
        self.vars.truncate(mark);
        flow
    }

    fn walk_range(&mut self, dot: &Operand, branch: &'t BranchNode) -> Result<Flow> {
        let outer = self.vars.len();
        let value = self.eval_pipeline(dot, &branch.pipe)?;
        let flow = self.range_over(dot, branch, &value);
        self.vars.truncate(outer);
        flow
    }

    fn range_over(&mut self, dot: &Operand, branch: &'t BranchNode, over: &Operand) -> Result<Flow> {
        let decl = branch.pipe.decl.len();
        let mut ran = false;
        match &over.value {
            Value::Int(typ, count) => {
                ran = self.range_count(branch, over, i128::from(*count), |number| Value::Int(*typ, i64::try_from(number).unwrap_or(0)))?;
            }
            Value::Uint(typ, count) => {
                ran = self.range_count(branch, over, i128::from(*count), |number| Value::Uint(*typ, u64::try_from(number).unwrap_or(0)))?;
            }
            Value::List(list) => {
                let elem = list.typ().elem();
                let count = list.len();
                for index in 0..count {
                    ran = true;
                    let element = Operand::element(list.get(index).unwrap_or_default(), elem);
                    if self.one_iteration(branch, decl, Operand::direct(index_value(index)), &element)? {
                        break;
                    }
                }
            }
            Value::Map(map) => {
                let elem = map.typ().elem();
                for (key, element) in map.to_vec() {
                    ran = true;
                    if self.one_iteration(branch, decl, Operand::direct(Value::Str(key)), &Operand::element(element, elem))? {
                        break;
                    }
                }
            }
            Value::Nil => {}
            Value::Object(object) => {
                if let Some(entries) = object.entries() {
                    for (key, element) in entries {
                        ran = true;
                        if self.one_iteration(branch, decl, Operand::direct(Value::Str(key)), &Operand::direct(element))? {
                            break;
                        }
                    }
                } else if let Some(items) = object.items() {
                    for (index, element) in items.into_iter().enumerate() {
                        ran = true;
                        if self.one_iteration(branch, decl, Operand::direct(index_value(index)), &Operand::direct(element))? {
                            break;
                        }
                    }
                } else {
                    return self.cannot_iterate(over);
                }
            }
            _ => return self.cannot_iterate(over),
        }
        match &branch.else_list {
            Some(list) if !ran => self.walk_list(dot, list),
            _ => Ok(Flow::Next),
        }
    }

    fn cannot_iterate<T>(&self, over: &Operand) -> Result<T> {
        let text = over.value.print().map_err(|error| self.fail("", &error))?;
        self.error(format!("range can't iterate over {text}"))
    }

    fn range_count(&mut self, branch: &'t BranchNode, over: &Operand, count: i128, make: impl Fn(i128) -> Value) -> Result<bool> {
        let decl = branch.pipe.decl.len();
        if decl > 1 {
            let text = over.value.print().map_err(|error| self.fail("", &error))?;
            return self.error(format!("can't use {text} to iterate over more than one variable"));
        }
        let mut number = 0;
        while number < count {
            if self.one_iteration(branch, decl, Operand::INVALID, &Operand::direct(make(number)))? {
                return Ok(true);
            }
            number += 1;
        }
        Ok(count > 0)
    }

    /// Whether the loop ends here.
    fn one_iteration(&mut self, branch: &'t BranchNode, decl: usize, index: Operand, element: &Operand) -> Result<bool> {
        self.machine.step().map_err(|error| self.fail("", &error))?;
        let mark = self.vars.len();
        if branch.pipe.is_assign {
            let names = &branch.pipe.decl;
            if decl > 1 {
                self.set_var(&names[0], index)?;
                self.set_var(&names[1], element.clone())?;
            } else if decl > 0 {
                self.set_var(&names[0], element.clone())?;
            }
        } else {
            if decl > 0 {
                self.vars[mark - 1].1 = element.clone();
            }
            if decl > 1 {
                self.vars[mark - 2].1 = index;
            }
        }
        let flow = self.walk_list(element, &branch.list);
        self.vars.truncate(mark);
        Ok(flow? == Flow::Break)
    }

    fn walk_template(&mut self, dot: &Operand, node: &'t TemplateNode) -> Result<()> {
        let Some(tree) = self.machine.set.lookup(&node.name) else {
            return self.error(format!("template {} not defined", quote_bytes(node.name.as_bytes())));
        };
        if self.depth == MAX_EXEC_DEPTH || !self.machine.stack.has_room() {
            return Err(self.located(&format!("exceeded maximum template depth ({MAX_EXEC_DEPTH})"), self.depth != MAX_EXEC_DEPTH));
        }
        let dot = match &node.pipe {
            Some(pipe) => self.eval_pipeline(dot, pipe)?,
            None => Operand::INVALID,
        };
        let depth = self.depth + 1;
        let mut frame =
            Frame { machine: self.machine, tree: &tree, at: At::Nothing, vars: vec![(b"$", dot.clone())], out: self.out, depth };
        frame.walk_list(&dot, &tree.root)?;
        Ok(())
    }

    /// The value of a pipeline, which also goes into its variables. It is never in an interface.
    pub(super) fn eval_pipeline(&mut self, dot: &Operand, pipe: &'t PipeNode) -> Result<Operand> {
        if !self.machine.stack.has_room() {
            return Err(self.located("nested too deep", true));
        }
        self.at = At::Pipe(pipe);
        let mut last = None;
        for cmd in &pipe.cmds {
            last = Some(self.eval_command(dot, cmd, last)?.unwrap());
        }
        let value = last.unwrap_or(Operand::INVALID);
        for name in &pipe.decl {
            if pipe.is_assign {
                self.set_var(name, value.clone())?;
            } else {
                self.vars.push((name.as_bytes(), value.clone()));
            }
        }
        Ok(value)
    }

    fn set_var(&mut self, name: &Str, value: Operand) -> Result<()> {
        match self.vars.iter_mut().rev().find(|(other, _)| *other == name.as_bytes()) {
            Some((_, slot)) => {
                *slot = value;
                Ok(())
            }
            None => self.error(format!("undefined variable: {name}")),
        }
    }

    fn var_value(&self, name: &Str) -> Result<Operand> {
        match self.vars.iter().rev().find(|(other, _)| *other == name.as_bytes()) {
            Some((_, value)) => Ok(value.clone()),
            None => self.error(format!("undefined variable: {name}")),
        }
    }

    fn not_a_function(&self, args: &[Expr], last: Option<&Operand>) -> Result<()> {
        if args.len() > 1 || last.is_some() {
            return self.error(format!("can't give argument to non-function {}", args[0]));
        }
        Ok(())
    }

    fn eval_command(&mut self, dot: &Operand, cmd: &'t CommandNode, last: Option<Operand>) -> Result<Operand> {
        self.machine.step().map_err(|error| self.fail("", &error))?;
        let first = &cmd.args[0];
        match &first.kind {
            ExprKind::Field(names) => {
                self.at = At::Expr(first);
                return self.eval_field_chain(dot, dot.clone(), first, names, &cmd.args, last);
            }
            ExprKind::Chain(node, names) => return self.eval_chain(dot, first, node, names, &cmd.args, last),
            ExprKind::Identifier(_, func) => {
                self.at = At::Expr(first);
                return self.eval_function(dot, func, At::Command(cmd), &cmd.args, last);
            }
            ExprKind::Pipe(pipe) => {
                self.not_a_function(&cmd.args, last.as_ref())?;
                return self.eval_pipeline(dot, pipe);
            }
            ExprKind::Variable(name, names) => return self.eval_variable(dot, first, name, names, &cmd.args, last),
            _ => {}
        }
        self.at = At::Expr(first);
        self.not_a_function(&cmd.args, last.as_ref())?;
        match &first.kind {
            ExprKind::Dot => Ok(dot.clone()),
            ExprKind::Bool(truth) => Ok(Operand::direct(Value::Bool(*truth))),
            ExprKind::Number(number) => self.ideal_constant(number),
            ExprKind::String(_, text) => Ok(Operand::direct(Value::Str(text.clone()))),
            ExprKind::Nil => self.error("nil is not a command"),
            _ => self.error(format!("can't evaluate command {}", quote(&first.to_string()))),
        }
    }

    /// The value of a number where nothing says what type it should be.
    pub(super) fn ideal_constant(&self, number: &NumberNode) -> Result<Operand> {
        let text = number.text.to_str();
        let hex = text.len() > 2 && text.starts_with("0x") | text.starts_with("0X") && !text.contains(['p', 'P']);
        if let Some(float) = number.float
            && !hex
            && !text.starts_with('\'')
            && text.contains(['.', 'e', 'E', 'p', 'P'])
        {
            return Ok(Operand::direct(Value::Float(float)));
        }
        match number.int {
            Some(int) => Ok(Operand::direct(Value::int(int))),
            None => self.error(format!("{text} overflows int")),
        }
    }

    pub(super) fn eval_chain(
        &mut self,
        dot: &Operand,
        chain: &'t Expr,
        node: &'t Expr,
        names: &'t [Str],
        args: &'t [Expr],
        last: Option<Operand>,
    ) -> Result<Operand> {
        self.at = At::Expr(chain);
        let receiver = match &node.kind {
            ExprKind::Pipe(pipe) => {
                self.at = At::Expr(node);
                self.eval_pipeline(dot, pipe)?
            }
            ExprKind::Identifier(_, func) => {
                self.at = At::Expr(node);
                self.eval_function(dot, func, At::Expr(node), std::slice::from_ref(node), None)?
            }
            _ => return self.error(format!("can't evaluate command {}", quote(&chain.to_string()))),
        };
        self.eval_field_chain(dot, receiver, chain, names, args, last)
    }

    pub(super) fn eval_variable(
        &mut self,
        dot: &Operand,
        node: &'t Expr,
        name: &Str,
        names: &'t [Str],
        args: &'t [Expr],
        last: Option<Operand>,
    ) -> Result<Operand> {
        self.at = At::Expr(node);
        let value = self.var_value(name)?;
        if names.is_empty() {
            if !args.is_empty() || last.is_some() {
                self.not_a_function(args, last.as_ref())?;
            }
            return Ok(value);
        }
        self.eval_field_chain(dot, value, node, names, args, last)
    }

    pub(super) fn eval_field_chain(
        &mut self,
        dot: &Operand,
        mut receiver: Operand,
        node: &'t Expr,
        names: &'t [Str],
        args: &'t [Expr],
        last: Option<Operand>,
    ) -> Result<Operand> {
        let Some((end, before)) = names.split_last() else { return Ok(receiver) };
        for name in before {
            receiver = self.eval_field(dot, name, node, &[], None, &receiver)?;
        }
        self.eval_field(dot, end, node, args, last, &receiver)
    }

    fn eval_field(
        &mut self,
        dot: &Operand,
        name: &'t Str,
        node: &'t Expr,
        args: &'t [Expr],
        last: Option<Operand>,
        receiver: &Operand,
    ) -> Result<Operand> {
        if !receiver.is_valid() {
            if self.machine.strict {
                return self.error(format!("nil data; no entry for key {}", quote_bytes(name.as_bytes())));
            }
            return Ok(Operand::INVALID);
        }
        if receiver.is_nil_interface() {
            return self.error(format!("nil pointer evaluating {}.{name}", receiver.type_name()));
        }
        let has_args = args.len() > 1 || last.is_some();
        match &receiver.value {
            Value::Map(map) => {
                if map.typ() == Type::Values
                    && let Some(method) = super::call::values_method(&name.to_str())
                {
                    return self.eval_method(dot, &receiver.value, &method, node, &name.to_str(), (args, last));
                }
                if has_args {
                    return self.error(format!("{name} is not a method but has arguments"));
                }
                let elem = map.typ().elem();
                match map.get(name) {
                    Some(value) => Ok(Operand::element(value, elem)),
                    None if self.machine.strict => self.error(format!("map has no entry for key {}", quote_bytes(name.as_bytes()))),
                    None if elem == Type::String => Ok(Operand::direct(Value::from(""))),
                    None => Ok(Operand::element(Value::Nil, elem)),
                }
            }
            Value::Object(object) => {
                if let Some(method) = object.method(&name.to_str()) {
                    return self.eval_method(dot, &receiver.value, &method, node, &name.to_str(), (args, last));
                }
                if let Some(field) = object.field(&name.to_str()) {
                    if has_args {
                        return self.error(format!("{name} has arguments but cannot be invoked as function"));
                    }
                    return Ok(Operand::direct(field));
                }
                if let Some(entries) = object.entries() {
                    if has_args {
                        return self.error(format!("{name} is not a method but has arguments"));
                    }
                    let found = entries.into_iter().find(|(key, _)| key == name).map(|(_, value)| value);
                    return match found {
                        Some(value) => Ok(Operand::direct(value)),
                        None if self.machine.strict => self.error(format!("map has no entry for key {}", quote_bytes(name.as_bytes()))),
                        None => Ok(Operand::direct(super::operand::nil_of(Type::Bytes))),
                    };
                }
                self.error(format!("can't evaluate field {name} in type {}", receiver.type_name()))
            }
            _ => self.error(format!("can't evaluate field {name} in type {}", receiver.type_name())),
        }
    }
}

fn index_value(index: usize) -> Value {
    Value::int(i64::try_from(index).unwrap_or(i64::MAX))
}
