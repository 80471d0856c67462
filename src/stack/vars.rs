//! Variables: what the stack declares, and the values given for them.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;

use crate::diag::{Diagnostic, Diagnostics, Sources, nearest, shown};
use crate::input::{self, Node, Style, Value};
use crate::secret::SecretBytes;
use crate::stack::file::StackFile;
use crate::stack::origin::join;
use crate::stack::schema::VARIABLE;

/// What the environment's variables begin with.
pub const ENV_PREFIX: &str = "MESHFORM_VAR_";

/// Values given for variables. Later ones win: environment, then files, then the command line.
#[derive(Default)]
pub struct Vars {
    /// `--var name=value`, split, in the order given.
    pub cli: Vec<(String, String)>,
    /// `--var-file`: each file's name and text, in the order given.
    pub files: Vec<(String, String)>,
    /// `MESHFORM_VAR_x`: the name with or without the prefix, and the value.
    pub env: Vec<(String, String)>,
}

/// Shows names only: values may be secrets.
impl fmt::Debug for Vars {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let names = |pairs: &[(String, String)]| pairs.iter().map(|(name, _)| name.clone()).collect::<Vec<_>>();
        f.debug_struct("Vars").field("cli", &names(&self.cli)).field("files", &names(&self.files)).field("env", &names(&self.env)).finish()
    }
}

/// The values of all variables that the stack declares.
#[derive(Default)]
pub struct Values {
    values: BTreeMap<String, Var>,
}

/// A variable's value.
pub(super) enum Var {
    Plain(String),
    Secret(SecretBytes),
    /// No value: told already.
    Missing,
}

impl Values {
    /// The value of a variable; absent if it isn't declared.
    pub(super) fn get(&self, name: &str) -> Option<&Var> {
        self.values.get(name)
    }

    /// The names of those without a value.
    pub(super) fn missing(&self) -> impl Iterator<Item = &str> {
        self.values.iter().filter(|(_, var)| matches!(var, Var::Missing)).map(|(name, _)| name.as_str())
    }

    /// The names of all variables.
    pub(super) fn names(&self) -> impl Iterator<Item = &str> {
        self.values.keys().map(String::as_str)
    }

    /// What may be shown of a variable's value: the value, or a secret's fingerprint.
    pub fn shown(&self, name: &str) -> Option<String> {
        match self.values.get(name)? {
            Var::Plain(text) => Some(text.clone()),
            Var::Secret(bytes) => Some(format!("(secret, {})", bytes.fingerprint())),
            Var::Missing => None,
        }
    }

    /// The variable that is declared at a path of the document.
    pub(super) fn declared(&self, path: &str) -> Option<&str> {
        let step = path.strip_prefix("vars.")?;
        // A name that is none is an error, and its value is still not to be shown.
        let found = if step.starts_with('"') { self.names().find(|name| join("", name) == step) } else { None };
        found.or_else(|| self.values.get_key_value(step).map(|(name, _)| name.as_str()))
    }

    /// The secrets that have a value.
    pub(super) fn into_secrets(self) -> BTreeMap<String, SecretBytes> {
        let secret = |(name, var)| if let Var::Secret(bytes) = var { Some((name, bytes)) } else { None };
        self.values.into_iter().filter_map(secret).collect()
    }
}

/// A declaration under `vars:`.
struct Declared<'n> {
    default: Option<String>,
    secret: bool,
    node: &'n input::Entry,
}

/// Settles the value of every variable that the stack declares. A secret that stands in a stack file is an error, and its lines are hidden in
/// `sources`, so that no other diagnostic shows them.
pub fn settle(file: &StackFile, vars: &Vars, sources: &mut Sources, diags: &mut Diagnostics) -> Values {
    let declared = declarations(file, sources, diags);
    let mut given: BTreeMap<String, String> = BTreeMap::new();
    let unknown = |name: &str| {
        let detail = format!("the stack declares no variable {}", shown(name));
        let help = match nearest(name, declared.keys().copied()) {
            Some(near) => format!("did you mean {}?", shown(near)),
            None if declared.is_empty() => "declare it under `vars:`".to_owned(),
            None => format!("declared: {}", declared.keys().map(|name| shown(name)).collect::<Vec<_>>().join(", ")),
        };
        (detail, help)
    };
    for (name, value) in &vars.env {
        let name = name.strip_prefix(ENV_PREFIX).unwrap_or(name);
        if declared.contains_key(name) {
            given.insert(name.to_owned(), value.clone());
        } else {
            let (detail, help) = unknown(name);
            let detail = format!("{ENV_PREFIX}{name}: {detail}");
            diags.push(Diagnostic::warning("var/unknown", "unknown variable", detail).help(help));
        }
    }
    for (file, text) in &vars.files {
        for entry in var_file(file, text, diags) {
            if declared.contains_key(entry.key.as_str()) {
                given.insert(entry.key, entry.value.text().unwrap_or_default().to_owned());
            } else {
                let (detail, help) = unknown(&entry.key);
                diags.push(Diagnostic::error("var/unknown", "unknown variable", detail).at(&entry.key_place).help(help));
            }
        }
    }
    for (name, value) in &vars.cli {
        match declared.get(name.as_str()) {
            Some(Declared { secret: true, .. }) => {
                let detail = format!("{} is secret, and a command line can be read by every process of the machine", shown(name));
                let help = format!("set {ENV_PREFIX}{name}, or name it in a file for --var-file");
                diags.push(Diagnostic::error("var/secret-on-command-line", "secret variable on the command line", detail).help(help));
                // So that it isn't also told to have no value.
                given.entry(name.clone()).or_default();
            }
            Some(_) => {
                given.insert(name.clone(), value.clone());
            }
            None => {
                let (detail, help) = unknown(name);
                diags.push(Diagnostic::error("var/unknown", "unknown variable", format!("--var: {detail}")).help(help));
            }
        }
    }
    let values = declared.into_iter().map(|(name, declared)| (name.to_owned(), value(name, &declared, given.remove(name), diags)));
    Values { values: values.collect() }
}

fn value(name: &str, declared: &Declared<'_>, given: Option<String>, diags: &mut Diagnostics) -> Var {
    match given.or_else(|| declared.default.clone()) {
        Some(text) if declared.secret => Var::Secret(SecretBytes::from_text(text)),
        Some(text) => Var::Plain(text),
        None => {
            let detail = format!("{} has no default and was not given", shown(name));
            let help = if declared.secret {
                format!("set {ENV_PREFIX}{name}, or `{name}: …` in a file for --var-file (a secret is not taken from --var)")
            } else {
                format!("give --var {name}=…, or `{name}: …` in a file for --var-file, or set {ENV_PREFIX}{name}")
            };
            let place = &declared.node.key_place;
            diags.push(Diagnostic::error("var/no-value", "variable without a value", detail).at(place).help(help));
            Var::Missing
        }
    }
}

/// The entries of a variable file that are names with single values.
fn var_file(file: &str, text: &str, diags: &mut Diagnostics) -> Vec<input::Entry> {
    let Ok(node) = input::read(&Arc::from(file), text.as_bytes(), diags) else { return Vec::new() };
    let bad = |detail: String| Diagnostic::error("var/bad-file", "bad variable file", detail);
    let help = "a variable file has lines `name: value`";
    let place = node.place.clone();
    match node.value {
        Value::Map(entries) => entries
            .into_iter()
            .filter(|entry| {
                let single = entry.value.text().is_some();
                if !single {
                    let detail = format!("{} is {}", shown(&entry.key), entry.value.kind());
                    diags.push(bad(detail).at(&entry.value.place).help(help));
                }
                single
            })
            .collect(),
        Value::Scalar { ref text, style: Style::Plain } if text.is_empty() => Vec::new(),
        _ => {
            diags.push(bad(format!("{file} is not a map")).at(&place).help(help));
            Vec::new()
        }
    }
}

fn declarations<'n>(file: &'n StackFile, sources: &mut Sources, diags: &mut Diagnostics) -> BTreeMap<&'n str, Declared<'n>> {
    let mut declared = BTreeMap::new();
    let Some(section) = file.node.get("vars") else { return declared };
    let Some(entries) = section.value.entries() else {
        if !section.value.is_null() {
            let detail = format!("`vars` is a map of names to values, and this is {}", section.value.kind());
            diags.push(Diagnostic::error("stack/wrong-type", "value of the wrong type", detail).at(&section.value.place));
        }
        return declared;
    };
    for entry in entries {
        let word = |c: char| c.is_ascii_alphanumeric() || c == '_';
        if entry.key.is_empty() || !entry.key.chars().all(word) || entry.key.starts_with(|c: char| c.is_ascii_digit()) {
            let detail = format!("{} is not letters, digits and underscores", shown(&entry.key));
            let help = "a variable's name is also part of an environment variable's: letters, digits and `_`, no digit first";
            diags.push(Diagnostic::error("var/name", "bad variable name", detail).at(&entry.key_place).help(help));
        }
        declared.insert(entry.key.as_str(), declaration(entry, sources, diags));
    }
    declared
}

fn declaration<'n>(entry: &'n input::Entry, sources: &mut Sources, diags: &mut Diagnostics) -> Declared<'n> {
    let mut declared = Declared { default: None, secret: false, node: entry };
    match &entry.value.value {
        Value::Scalar { .. } => declared.default = literal(&entry.value, diags),
        Value::List(_) => {
            let detail = format!("{} is a list; a variable is a single value", shown(&entry.key));
            diags.push(Diagnostic::error("stack/wrong-type", "value of the wrong type", detail).at(&entry.value.place));
        }
        Value::Map(entries) => {
            let mut literal_at = None;
            for part in entries {
                match part.key.as_str() {
                    "default" => {
                        declared.default = literal(&part.value, diags);
                        literal_at = Some(&part.value.place);
                    }
                    "secret" => match part.value.text() {
                        Some("true") => declared.secret = true,
                        Some("false") => {}
                        _ => diags.push(
                            Diagnostic::error("stack/wrong-type", "value of the wrong type", "`secret` is `true` or `false`")
                                .at(&part.value.place),
                        ),
                    },
                    "description" => {}
                    key => {
                        let known = VARIABLE.names();
                        let detail = format!("a variable has no {}", shown(key));
                        let help = nearest(key, known)
                            .map_or("known keys: `default`, `secret`, `description`".to_owned(), |near| format!("did you mean `{near}`?"));
                        diags.push(Diagnostic::error("stack/unknown-key", "unknown key", detail).at(&part.key_place).help(help));
                    }
                }
            }
            if let (true, Some(text), Some(place)) = (declared.secret, &declared.default, literal_at) {
                sources.hide(place, text.matches('\n').count() + 1);
                let detail = format!("{} is secret, and its value stands in the stack file", shown(&entry.key));
                let help = format!("remove `default`, treat the value as known to others, and set {ENV_PREFIX}{}", entry.key);
                diags.push(Diagnostic::error("var/secret-literal", "secret in the stack file", detail).at(place).help(help));
            }
        }
    }
    declared
}

/// A default: literal text, nothing for null.
fn literal(node: &Node, diags: &mut Diagnostics) -> Option<String> {
    let Some(text) = node.text() else {
        let detail = format!("a variable's default is a single value, and this is {}", node.kind());
        diags.push(Diagnostic::error("stack/wrong-type", "value of the wrong type", detail).at(&node.place));
        return None;
    };
    if node.is_null() {
        return None;
    }
    if text.replace("$${", "").contains("${") {
        let detail = "a variable's default is literal text";
        let help = "refer to the variable where it is used, or write `$${` for a literal `${`";
        diags.push(Diagnostic::error("stack/bad-ref", "bad reference", detail).at(&node.place).help(help));
    }
    Some(text.replace("$${", "${"))
}
