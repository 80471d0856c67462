//! The parser of templates: `text/template/parse/parse.go`.
//!
//! It looks ahead exactly as far as Go's does, for the line that an error names is that of the last token read.

use std::rc::Rc;

use super::lex::{Item, Kind, Lexer};
use super::node::{ActionNode, BranchNode, CommandNode, Expr, ExprKind, ListNode, Node, PipeNode, TemplateNode, TextNode, Tree};
use super::number::new_number;
use crate::helm::func;
use crate::helm::stack::Stack;
use crate::helm::strconv::{quote, unquote};
use crate::helm::value::Str;

/// How deep parentheses may nest; Go's own limit.
const MAX_STACK_DEPTH: usize = 10_000;

/// Parses a text: its own tree last, before it those that it defines. The error is Go's, with template and line.
pub fn parse(name: &Str, text: &[u8], stack: Stack) -> Result<Vec<Tree>, String> {
    let text: Rc<[u8]> = Rc::from(text);
    let mut parser = Parser {
        name: name.clone(),
        text: Rc::clone(&text),
        lexer: Lexer::new(&text),
        token: [eof(), eof(), eof()],
        peek_count: 0,
        scope: Scope::new(),
        trees: Vec::new(),
        stack,
    };
    let root = parser.parse()?;
    parser.add(name.clone(), root)?;
    Ok(parser.trees)
}

fn eof<'a>() -> Item<'a> {
    Item { kind: Kind::Eof, pos: 0, line: 0, val: b"", error: String::new() }
}

/// What belongs to one tree while it is parsed; a definition within has its own.
struct Scope {
    vars: Vec<Str>,
    action_line: usize,
    range_depth: usize,
    stack_depth: usize,
}

impl Scope {
    fn new() -> Self {
        Self { vars: vec![Str::from("$")], action_line: 0, range_depth: 0, stack_depth: 0 }
    }
}

/// What ends a list.
enum End {
    End,
    Else(usize),
}

impl End {
    fn describe(&self) -> &'static str {
        match self {
            Self::End => "{{end}}",
            Self::Else(_) => "{{else}}",
        }
    }
}

enum Parsed {
    Node(Node),
    End(End),
}

struct Parser<'a> {
    name: Str,
    text: Rc<[u8]>,
    lexer: Lexer<'a>,
    token: [Item<'a>; 3],
    peek_count: usize,
    scope: Scope,
    trees: Vec<Tree>,
    stack: Stack,
}

type Result<T, E = String> = std::result::Result<T, E>;

impl<'a> Parser<'a> {
    fn next(&mut self) -> Item<'a> {
        if self.peek_count > 0 {
            self.peek_count -= 1;
        } else {
            self.token[0] = self.lexer.next_item();
        }
        self.token[self.peek_count].clone()
    }

    fn backup(&mut self) {
        self.peek_count += 1;
    }

    fn backup2(&mut self, first: Item<'a>) {
        self.token[1] = first;
        self.peek_count = 2;
    }

    fn backup3(&mut self, first: Item<'a>, second: Item<'a>) {
        self.token[1] = second;
        self.token[2] = first;
        self.peek_count = 3;
    }

    fn peek(&mut self) -> &Item<'a> {
        if self.peek_count == 0 {
            self.peek_count = 1;
            self.token[0] = self.lexer.next_item();
        }
        &self.token[self.peek_count - 1]
    }

    fn next_non_space(&mut self) -> Item<'a> {
        loop {
            let token = self.next();
            if token.kind != Kind::Space {
                return token;
            }
        }
    }

    fn peek_non_space(&mut self) -> Item<'a> {
        let token = self.next_non_space();
        self.backup();
        token
    }

    fn error<T>(&self, words: impl AsRef<str>) -> Result<T> {
        Err(format!("template: {}:{}: {}", self.name, self.token[0].line, words.as_ref()))
    }

    fn unexpected<T>(&self, token: &Item<'_>, context: &str) -> Result<T> {
        if token.kind == Kind::Error {
            let started = self.scope.action_line;
            let mut extra = String::new();
            if started != 0 && started != token.line {
                extra = format!(" in action started at {}:{started}", self.name);
                if token.error.ends_with(" action") {
                    extra = extra[" in action".len()..].to_owned();
                }
            }
            return self.error(format!("{}{extra}", token.describe()));
        }
        self.error(format!("unexpected {} in {context}", token.describe()))
    }

    fn expect(&mut self, kind: Kind, context: &str) -> Result<Item<'a>> {
        let token = self.next_non_space();
        if token.kind == kind { Ok(token) } else { self.unexpected(&token, context) }
    }

    fn nest(&self) -> Result<()> {
        if self.stack.has_room() { Ok(()) } else { self.error("nested too deep") }
    }

    fn add(&mut self, name: Str, root: ListNode) -> Result<()> {
        let tree = Tree { name, parse_name: self.name.clone(), text: Rc::clone(&self.text), root };
        match self.trees.iter().position(|other| other.name == tree.name) {
            Some(index) if self.trees[index].is_empty() => self.trees[index] = tree,
            Some(_) if tree.is_empty() => {}
            Some(_) => return self.error(format!("template: multiple definition of template {}", quote(&tree.name.to_str()))),
            None => self.trees.push(tree),
        }
        Ok(())
    }

    fn parse(&mut self) -> Result<ListNode> {
        let mut root = ListNode { pos: self.peek().pos, nodes: Vec::new() };
        while self.peek().kind != Kind::Eof {
            if self.peek().kind == Kind::LeftDelim {
                let delim = self.next();
                if self.next_non_space().kind == Kind::Define {
                    self.definition()?;
                    continue;
                }
                self.backup2(delim);
            }
            match self.text_or_action()? {
                Parsed::Node(node) => root.nodes.push(node),
                Parsed::End(end) => return self.error(format!("unexpected {}", end.describe())),
            }
        }
        Ok(root)
    }

    fn definition(&mut self) -> Result<()> {
        const CONTEXT: &str = "define clause";
        let token = self.next_non_space();
        let name = self.template_name(&token, CONTEXT)?;
        self.expect(Kind::RightDelim, CONTEXT)?;
        self.named_body(name, CONTEXT)
    }

    /// The list up to `end`, added as a tree of its own.
    fn named_body(&mut self, name: Str, context: &str) -> Result<()> {
        let outer = std::mem::replace(&mut self.scope, Scope::new());
        let (root, end) = self.item_list()?;
        if !matches!(end, End::End) {
            return self.error(format!("unexpected {} in {context}", end.describe()));
        }
        self.add(name, root)?;
        self.scope = outer;
        Ok(())
    }

    fn item_list(&mut self) -> Result<(ListNode, End)> {
        self.nest()?;
        let mut list = ListNode { pos: self.peek_non_space().pos, nodes: Vec::new() };
        while self.peek_non_space().kind != Kind::Eof {
            match self.text_or_action()? {
                Parsed::Node(node) => list.nodes.push(node),
                Parsed::End(end) => return Ok((list, end)),
            }
        }
        self.error("unexpected EOF")
    }

    fn text_or_action(&mut self) -> Result<Parsed> {
        let token = self.next_non_space();
        match token.kind {
            Kind::Text => Ok(Parsed::Node(Node::Text(TextNode { pos: token.pos, text: Str::from(token.val) }))),
            Kind::LeftDelim => {
                self.scope.action_line = token.line;
                let parsed = self.action();
                self.scope.action_line = 0;
                parsed
            }
            _ => self.unexpected(&token, "input"),
        }
    }

    fn action(&mut self) -> Result<Parsed> {
        let token = self.next_non_space();
        let node = match token.kind {
            Kind::Block => self.block()?,
            Kind::Break => Node::Break(self.loop_control(token.pos, "{{break}}")?),
            Kind::Continue => Node::Continue(self.loop_control(token.pos, "{{continue}}")?),
            Kind::Else => return self.else_control().map(Parsed::End),
            Kind::End => {
                self.expect(Kind::RightDelim, "end")?;
                return Ok(Parsed::End(End::End));
            }
            Kind::If => Node::If(self.control("if")?),
            Kind::Range => Node::Range(self.control("range")?),
            Kind::With => Node::With(self.control("with")?),
            Kind::Template => self.template()?,
            _ => {
                self.backup();
                let pos = self.peek().pos;
                Node::Action(ActionNode { pos, pipe: self.pipeline("command", Kind::RightDelim)? })
            }
        };
        Ok(Parsed::Node(node))
    }

    fn loop_control(&mut self, pos: usize, word: &str) -> Result<usize> {
        let token = self.next_non_space();
        if token.kind != Kind::RightDelim {
            return self.unexpected(&token, word);
        }
        if self.scope.range_depth == 0 {
            return self.error(format!("{word} outside {{{{range}}}}"));
        }
        Ok(pos)
    }

    fn else_control(&mut self) -> Result<End> {
        let peek = self.peek_non_space();
        if matches!(peek.kind, Kind::If | Kind::With) {
            return Ok(End::Else(peek.pos));
        }
        Ok(End::Else(self.expect(Kind::RightDelim, "else")?.pos))
    }

    fn control(&mut self, context: &str) -> Result<BranchNode> {
        self.nest()?;
        let mark = self.scope.vars.len();
        let pipe = self.pipeline(context, Kind::RightDelim)?;
        let is_range = usize::from(context == "range");
        self.scope.range_depth += is_range;
        let (list, end) = self.item_list()?;
        self.scope.range_depth -= is_range;
        let else_list = match end {
            End::End => None,
            End::Else(pos) => Some(self.else_list(context, pos)?),
        };
        self.scope.vars.truncate(mark);
        Ok(BranchNode { pos: pipe.pos, pipe, list, else_list })
    }

    fn else_list(&mut self, context: &str, pos: usize) -> Result<ListNode> {
        let next = self.peek().kind;
        if context == "if" && next == Kind::If {
            self.next();
            return Ok(ListNode { pos, nodes: vec![Node::If(self.control("if")?)] });
        }
        if context == "with" && next == Kind::With {
            self.next();
            return Ok(ListNode { pos, nodes: vec![Node::With(self.control("with")?)] });
        }
        let (list, end) = self.item_list()?;
        if !matches!(end, End::End) {
            return self.error(format!("expected end; found {}", end.describe()));
        }
        Ok(list)
    }

    fn block(&mut self) -> Result<Node> {
        const CONTEXT: &str = "block clause";
        let token = self.next_non_space();
        let name = self.template_name(&token, CONTEXT)?;
        let pipe = self.pipeline(CONTEXT, Kind::RightDelim)?;
        self.named_body(name.clone(), CONTEXT)?;
        Ok(Node::Template(TemplateNode { pos: token.pos, name, pipe: Some(pipe) }))
    }

    fn template(&mut self) -> Result<Node> {
        const CONTEXT: &str = "template clause";
        let token = self.next_non_space();
        let name = self.template_name(&token, CONTEXT)?;
        let mut pipe = None;
        if self.next_non_space().kind != Kind::RightDelim {
            self.backup();
            pipe = Some(self.pipeline(CONTEXT, Kind::RightDelim)?);
        }
        Ok(Node::Template(TemplateNode { pos: token.pos, name, pipe }))
    }

    fn template_name(&mut self, token: &Item<'_>, context: &str) -> Result<Str> {
        if !matches!(token.kind, Kind::String | Kind::RawString) {
            return self.unexpected(token, context);
        }
        match unquote(token.val) {
            Some(name) => Ok(Str::from(name)),
            None => self.error("invalid syntax"),
        }
    }

    fn pipeline(&mut self, context: &str, end: Kind) -> Result<PipeNode> {
        self.nest()?;
        let mut pipe = PipeNode { pos: self.peek_non_space().pos, is_assign: false, decl: Vec::new(), cmds: Vec::new() };
        self.declarations(context, &mut pipe)?;
        loop {
            let token = self.next_non_space();
            match token.kind {
                kind if kind == end => {
                    self.check_pipeline(&pipe, context)?;
                    return Ok(pipe);
                }
                Kind::Bool
                | Kind::CharConstant
                | Kind::Complex
                | Kind::Dot
                | Kind::Field
                | Kind::Identifier
                | Kind::Number
                | Kind::Nil
                | Kind::RawString
                | Kind::String
                | Kind::Variable
                | Kind::LeftParen => {
                    self.backup();
                    pipe.cmds.push(self.command()?);
                }
                _ => return self.unexpected(&token, context),
            }
        }
    }

    fn declarations(&mut self, context: &str, pipe: &mut PipeNode) -> Result<()> {
        loop {
            let variable = self.peek_non_space();
            if variable.kind != Kind::Variable {
                return Ok(());
            }
            self.next();
            let after = self.peek().clone();
            let next = self.peek_non_space();
            if matches!(next.kind, Kind::Assign | Kind::Declare) {
                pipe.is_assign = next.kind == Kind::Assign;
                self.next_non_space();
                self.declare(pipe, variable.val);
                return Ok(());
            }
            if next.kind == Kind::Char && next.val == b"," {
                self.next_non_space();
                self.declare(pipe, variable.val);
                if context == "range" && pipe.decl.len() < 2 {
                    if matches!(self.peek_non_space().kind, Kind::Variable | Kind::RightDelim | Kind::RightParen) {
                        continue;
                    }
                    return self.error("range can only initialize variables");
                }
                return self.error(format!("too many declarations in {context}"));
            }
            if after.kind == Kind::Space {
                self.backup3(variable, after);
            } else {
                self.backup2(variable);
            }
            return Ok(());
        }
    }

    fn declare(&mut self, pipe: &mut PipeNode, name: &[u8]) {
        pipe.decl.push(Str::from(name));
        self.scope.vars.push(Str::from(name));
    }

    fn check_pipeline(&self, pipe: &PipeNode, context: &str) -> Result<()> {
        if pipe.cmds.is_empty() {
            return self.error(format!("missing value for {context}"));
        }
        for (index, cmd) in pipe.cmds.iter().enumerate().skip(1) {
            if matches!(cmd.args[0].kind, ExprKind::Bool(_) | ExprKind::Dot | ExprKind::Nil | ExprKind::Number(_) | ExprKind::String(..)) {
                return self.error(format!("non executable command in pipeline stage {}", index + 1));
            }
        }
        Ok(())
    }

    fn command(&mut self) -> Result<CommandNode> {
        let mut cmd = CommandNode { pos: self.peek_non_space().pos, args: Vec::new() };
        loop {
            self.peek_non_space();
            if let Some(operand) = self.operand()? {
                cmd.args.push(operand);
            }
            let token = self.next();
            match token.kind {
                Kind::Space => continue,
                Kind::RightDelim | Kind::RightParen => self.backup(),
                Kind::Pipe => {}
                _ => return self.unexpected(&token, "operand"),
            }
            break;
        }
        if cmd.args.is_empty() {
            return self.error("empty command");
        }
        Ok(cmd)
    }

    fn operand(&mut self) -> Result<Option<Expr>> {
        let Some(node) = self.term()? else { return Ok(None) };
        if self.peek().kind != Kind::Field {
            return Ok(Some(node));
        }
        let pos = self.peek().pos;
        let mut more = Vec::new();
        while self.peek().kind == Kind::Field {
            more.push(Str::from(&self.next().val[1..]));
        }
        let kind = match node.kind {
            ExprKind::Field(mut names) => {
                names.append(&mut more);
                ExprKind::Field(names)
            }
            ExprKind::Variable(name, mut names) => {
                names.append(&mut more);
                ExprKind::Variable(name, names)
            }
            ExprKind::Bool(_) | ExprKind::String(..) | ExprKind::Number(_) | ExprKind::Nil | ExprKind::Dot => {
                return self.error(format!("unexpected . after term {}", quote(&node.to_string())));
            }
            _ => ExprKind::Chain(Box::new(node), more),
        };
        Ok(Some(Expr { pos, kind }))
    }

    fn term(&mut self) -> Result<Option<Expr>> {
        let token = self.next_non_space();
        let kind = match token.kind {
            Kind::Identifier => {
                let name = String::from_utf8_lossy(token.val).into_owned();
                match func::find(&name) {
                    Some(func) => ExprKind::Identifier(Str::from(name), func),
                    None => return self.error(format!("function {} not defined", quote(&name))),
                }
            }
            Kind::Dot => ExprKind::Dot,
            Kind::Nil => ExprKind::Nil,
            Kind::Variable => {
                let name = Str::from(token.val);
                if !self.scope.vars.contains(&name) {
                    return self.error(format!("undefined variable {}", quote(&name.to_str())));
                }
                ExprKind::Variable(name, Vec::new())
            }
            Kind::Field => ExprKind::Field(vec![Str::from(&token.val[1..])]),
            Kind::Bool => ExprKind::Bool(token.val == b"true"),
            Kind::CharConstant | Kind::Complex | Kind::Number => match new_number(token.val, token.kind) {
                Ok(number) => ExprKind::Number(number),
                Err(error) => return self.error(error),
            },
            Kind::LeftParen => {
                if self.scope.stack_depth >= MAX_STACK_DEPTH {
                    return self.error("max expression depth exceeded");
                }
                self.scope.stack_depth += 1;
                let pipe = self.pipeline("parenthesized pipeline", Kind::RightParen)?;
                self.scope.stack_depth -= 1;
                let pos = pipe.pos;
                return Ok(Some(Expr { pos, kind: ExprKind::Pipe(Box::new(pipe)) }));
            }
            Kind::String | Kind::RawString => match unquote(token.val) {
                Some(text) => ExprKind::String(Str::from(token.val), Str::from(text)),
                None => return self.error("invalid syntax"),
            },
            _ => {
                self.backup();
                return Ok(None);
            }
        };
        Ok(Some(Expr { pos: token.pos, kind }))
    }
}
