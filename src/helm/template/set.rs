//! The templates that know each other; `template.common`.

use std::collections::HashMap;
use std::rc::Rc;

use super::node::Tree;
use super::parse::parse;
use crate::helm::stack::Stack;
use crate::helm::value::Str;

/// Templates by name. A set may stand on another one, whose templates it sees and shadows: what `tpl` defines ends with it.
#[derive(Default)]
pub struct Set {
    below: Option<Rc<Set>>,
    trees: HashMap<Str, Rc<Tree>>,
}

impl Set {
    /// A set on top of another.
    #[must_use]
    pub fn on(below: Rc<Self>) -> Self {
        Self { below: Some(below), trees: HashMap::new() }
    }

    /// Parses a text and adds what it defines, itself under its name; `Template.New(name).Parse(text)`. An empty template does not replace
    /// another. What comes back is the text's own template, be it in the set or not.
    pub fn parse(&mut self, name: &Str, text: &[u8], stack: Stack) -> Result<Option<Rc<Tree>>, String> {
        let mut own = None;
        for tree in parse(name, text, stack)? {
            let tree = Rc::new(tree);
            if tree.name == *name {
                own = Some(Rc::clone(&tree));
            }
            if !tree.is_empty() || self.lookup(&tree.name).is_none() {
                self.trees.insert(tree.name.clone(), tree);
            }
        }
        Ok(own)
    }

    /// The template of a name.
    #[must_use]
    pub fn lookup(&self, name: &Str) -> Option<Rc<Tree>> {
        let mut set = self;
        loop {
            if let Some(tree) = set.trees.get(name) {
                return Some(Rc::clone(tree));
            }
            set = set.below.as_deref()?;
        }
    }
}
