//! The tree of a parsed template: `text/template/parse/node.go`. Each node prints as Go prints it in errors.

use std::fmt;
use std::rc::Rc;

use crate::helm::func::Func;
use crate::helm::strconv::quote;
use crate::helm::value::Str;

/// A parsed template; `parse.Tree`.
pub struct Tree {
    /// The name that it is defined under.
    pub name: Str,
    /// The name of the text that it was parsed from.
    pub parse_name: Str,
    /// That text, for the lines and columns of errors.
    pub text: Rc<[u8]>,
    /// The body.
    pub root: ListNode,
}

impl Tree {
    /// `parse.IsEmptyTree`: nothing but space.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        is_empty(&self.root)
    }

    /// The place of a byte offset as errors print it: name, line, and bytes since the line's start.
    #[must_use]
    pub fn location(&self, pos: usize) -> String {
        let before = &self.text[..pos.min(self.text.len())];
        let line = 1 + memchr::memchr_iter(b'\n', before).count();
        let column = memchr::memrchr(b'\n', before).map_or(before.len(), |newline| before.len() - newline - 1);
        format!("{}:{line}:{column}", self.parse_name)
    }
}

fn is_empty(list: &ListNode) -> bool {
    list.nodes.iter().all(|node| matches!(node, Node::Text(text) if text.text.to_str().trim().is_empty()))
}

/// A sequence of nodes.
pub struct ListNode {
    /// Where it starts.
    pub pos: usize,
    /// The nodes.
    pub nodes: Vec<Node>,
}

/// A node that makes output or controls it.
pub enum Node {
    /// Plain text.
    Text(TextNode),
    /// `{{pipeline}}`
    Action(ActionNode),
    /// `{{if}}`
    If(BranchNode),
    /// `{{range}}`
    Range(BranchNode),
    /// `{{with}}`
    With(BranchNode),
    /// `{{template}}` and `{{block}}`
    Template(TemplateNode),
    /// `{{break}}`
    Break(usize),
    /// `{{continue}}`
    Continue(usize),
}

/// Plain text.
pub struct TextNode {
    /// Where it starts.
    pub pos: usize,
    /// The text.
    pub text: Str,
}

/// `{{pipeline}}`
pub struct ActionNode {
    /// Where the pipeline starts.
    pub pos: usize,
    /// The pipeline.
    pub pipe: PipeNode,
}

/// `{{if}}`, `{{range}}` and `{{with}}`.
pub struct BranchNode {
    /// Where the pipeline starts.
    pub pos: usize,
    /// What is asked, ranged over, or becomes dot.
    pub pipe: PipeNode,
    /// What happens if it is true.
    pub list: ListNode,
    /// And if not.
    pub else_list: Option<ListNode>,
}

/// `{{template "name" pipeline}}`
pub struct TemplateNode {
    /// Where the name starts.
    pub pos: usize,
    /// The name.
    pub name: Str,
    /// What becomes dot.
    pub pipe: Option<PipeNode>,
}

/// Commands in a chain, and the variables that take the result.
pub struct PipeNode {
    /// Where it starts.
    pub pos: usize,
    /// `=` and not `:=`.
    pub is_assign: bool,
    /// The variables, with their dollar sign.
    pub decl: Vec<Str>,
    /// The commands.
    pub cmds: Vec<CommandNode>,
}

/// A function, method or value with its arguments.
pub struct CommandNode {
    /// Where it starts.
    pub pos: usize,
    /// The function first.
    pub args: Vec<Expr>,
}

/// An operand.
pub struct Expr {
    /// Where it starts; of `.a.b` where `.b` does, as in Go.
    pub pos: usize,
    /// What it is.
    pub kind: ExprKind,
}

/// What an operand is.
pub enum ExprKind {
    /// `.`
    Dot,
    /// `nil`
    Nil,
    /// `true`, `false`
    Bool(bool),
    /// A number.
    Number(NumberNode),
    /// A string: as written, and its value.
    String(Str, Str),
    /// `.a.b`
    Field(Vec<Str>),
    /// `$x.a.b`: the variable with its dollar sign, and the fields.
    Variable(Str, Vec<Str>),
    /// A function's name, and the function.
    Identifier(Str, &'static Func),
    /// A pipeline in parentheses.
    Pipe(Box<PipeNode>),
    /// Fields of something that is not a field or variable.
    Chain(Box<Expr>, Vec<Str>),
}

/// A number: it may be read as several types, and what it is passed to decides.
pub struct NumberNode {
    /// As written.
    pub text: Str,
    /// As an integer.
    pub int: Option<i64>,
    /// As an unsigned integer.
    pub uint: Option<u64>,
    /// As a float.
    pub float: Option<f64>,
}

impl Node {
    /// Where it starts.
    #[must_use]
    pub fn pos(&self) -> usize {
        match self {
            Self::Text(node) => node.pos,
            Self::Action(node) => node.pos,
            Self::If(node) | Self::Range(node) | Self::With(node) => node.pos,
            Self::Template(node) => node.pos,
            Self::Break(pos) | Self::Continue(pos) => *pos,
        }
    }
}

impl fmt::Display for ListNode {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.nodes.iter().try_for_each(|node| node.fmt(out))
    }
}

impl fmt::Display for Node {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Text(node) => node.text.fmt(out),
            Self::Action(node) => write!(out, "{{{{{}}}}}", node.pipe),
            Self::If(node) => branch(out, "if", node),
            Self::Range(node) => branch(out, "range", node),
            Self::With(node) => branch(out, "with", node),
            Self::Template(node) => {
                write!(out, "{{{{template {}", quote(&node.name.to_str()))?;
                if let Some(pipe) = &node.pipe {
                    write!(out, " {pipe}")?;
                }
                out.write_str("}}")
            }
            Self::Break(_) => out.write_str("{{break}}"),
            Self::Continue(_) => out.write_str("{{continue}}"),
        }
    }
}

fn branch(out: &mut fmt::Formatter<'_>, word: &str, node: &BranchNode) -> fmt::Result {
    write!(out, "{{{{{word} {}}}}}{}", node.pipe, node.list)?;
    if let Some(list) = &node.else_list {
        write!(out, "{{{{else}}}}{list}")?;
    }
    out.write_str("{{end}}")
}

impl fmt::Display for PipeNode {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, name) in self.decl.iter().enumerate() {
            let comma = if index > 0 { ", " } else { "" };
            write!(out, "{comma}{name}")?;
        }
        if !self.decl.is_empty() {
            out.write_str(if self.is_assign { " = " } else { " := " })?;
        }
        for (index, cmd) in self.cmds.iter().enumerate() {
            let bar = if index > 0 { " | " } else { "" };
            write!(out, "{bar}{cmd}")?;
        }
        Ok(())
    }
}

impl fmt::Display for CommandNode {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, arg) in self.args.iter().enumerate() {
            let space = if index > 0 { " " } else { "" };
            match &arg.kind {
                ExprKind::Pipe(pipe) => write!(out, "{space}({pipe})")?,
                _ => write!(out, "{space}{arg}")?,
            }
        }
        Ok(())
    }
}

impl fmt::Display for Expr {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.kind {
            ExprKind::Dot => out.write_str("."),
            ExprKind::Nil => out.write_str("nil"),
            ExprKind::Bool(truth) => truth.fmt(out),
            ExprKind::Number(number) => number.text.fmt(out),
            ExprKind::String(quoted, _) => quoted.fmt(out),
            ExprKind::Field(names) => fields(out, names),
            ExprKind::Variable(name, names) => {
                name.fmt(out)?;
                fields(out, names)
            }
            ExprKind::Identifier(name, _) => name.fmt(out),
            ExprKind::Pipe(pipe) => pipe.fmt(out),
            ExprKind::Chain(node, names) => {
                match &node.kind {
                    ExprKind::Pipe(pipe) => write!(out, "({pipe})")?,
                    _ => node.fmt(out)?,
                }
                fields(out, names)
            }
        }
    }
}

fn fields(out: &mut fmt::Formatter<'_>, names: &[Str]) -> fmt::Result {
    names.iter().try_for_each(|name| write!(out, ".{name}"))
}
