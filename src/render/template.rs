//! Tera templates with typed inputs. Each `{{ … }}` writes JSON, so that no input can change the structure of what a template makes.
//!
//! A template begins with a comment that declares its inputs:
//!
//! ```text
//! {# inputs:
//!      name: { type: string, description: the Deployment }
//!      replicas: { type: integer, default: 2 }
//! #}
//! ```

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::io;

use serde_json::{Map, Value as Json};
use tera::{Context, Error, ErrorKind, Kwargs, State, Tera, TeraResult, Value};

use super::documents::json;
use super::{ManifestFile, built_in};
use crate::diag::{Diagnostic, Diagnostics, Place, nearest, shown};
use crate::helm::yaml;
use crate::stack::manifests::TemplateUse;

/// Most bytes that a template may make.
const MOST_BYTES: usize = 16 << 20;
/// The filter that each interpolation ends with.
const ENCODE: &str = "as_json";

/// A template's text, taken apart.
struct Template {
    name: String,
    inputs: BTreeMap<String, Input>,
    text: String,
}

/// A declared input.
struct Input {
    of: Type,
    default: Option<Json>,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Type {
    Any,
    Boolean,
    Integer,
    List,
    Map,
    Number,
    String,
}

const TYPES: [(&str, Type); 7] = [
    ("any", Type::Any),
    ("boolean", Type::Boolean),
    ("integer", Type::Integer),
    ("list", Type::List),
    ("map", Type::Map),
    ("number", Type::Number),
    ("string", Type::String),
];

/// What a template makes of its inputs: a file of manifests. `file` is the stack's own template of the name, if there is one.
pub(super) fn render(used: &TemplateUse, file: Option<&ManifestFile>, diags: &mut Diagnostics) -> Option<ManifestFile> {
    let wrong = |code, summary, detail: String| Diagnostic::error(code, summary, detail).at(&used.place);
    let (name, text) = match (file, built_in::find(&used.name)) {
        (Some(file), _) => (file.name.to_string(), file.text.as_str()),
        (None, Some(built_in)) => (format!("built-in template {}", built_in.name), built_in.text),
        (None, None) => {
            let detail = format!("neither {} nor a built-in template of this name exists", shown(&used.path));
            let help = match nearest(&used.name, built_in::ALL.iter().map(|one| one.name)) {
                Some(near) => format!("did you mean `{near}`?"),
                None => "`meshform template list` names those that are built in".to_owned(),
            };
            diags.push(wrong("template/not-found", "template not found", detail).help(help));
            return None;
        }
    };
    let template = match Template::read(&name, text) {
        Ok(template) => template,
        Err((line, why)) => {
            diags.push(wrong("template/syntax", "template can't be read", format!("{name}:{line}: {why}")));
            return None;
        }
    };
    let inputs = template.inputs(used, diags)?;
    match template.make(&inputs) {
        Ok(text) => Some(ManifestFile { name: format!("{name} (made for {})", used.place).into(), text }),
        Err(error) => {
            let (code, why) = told(&template.name, &error);
            diags.push(wrong(code, "template can't be rendered", why).help("each name has to be an input that the template declares"));
            None
        }
    }
}

impl Template {
    /// Takes a template apart; what is wrong is told with its line.
    fn read(name: &str, text: &str) -> Result<Self, (usize, String)> {
        let inputs = match text.trim_start().strip_prefix("{#").and_then(|rest| rest.split_once("#}")) {
            Some((head, _)) => head_of(head).map_err(|why| (1, why))?,
            None => BTreeMap::new(),
        };
        Ok(Self { name: name.to_owned(), inputs, text: encoded(text)? })
    }

    /// The inputs of a use, checked against those that are declared.
    fn inputs(&self, used: &TemplateUse, diags: &mut Diagnostics) -> Option<Map<String, Json>> {
        let mut inputs = Map::new();
        let mut is_whole = true;
        let mut wrong = |place: &Place, detail: String, help: String| {
            is_whole = false;
            diags.push(Diagnostic::error("template/input", "wrong input of a template", detail).at(place).help(help));
        };
        for (name, (value, place)) in &used.inputs {
            let Some(input) = self.inputs.get(name) else {
                let help = match nearest(name, self.inputs.keys().map(String::as_str)) {
                    Some(near) => format!("did you mean `{near}`?"),
                    None => format!("it takes {}", names(self.inputs.keys())),
                };
                wrong(place, format!("{} has no input {}", self.name, shown(name)), help);
                continue;
            };
            match input.of.taken(value) {
                Some(value) => drop(inputs.insert(name.clone(), value)),
                None => wrong(place, format!("`{name}` of {} is {}", self.name, input.of.words()), String::new()),
            }
        }
        for (name, input) in &self.inputs {
            if inputs.contains_key(name) || used.inputs.contains_key(name) {
                continue;
            }
            match &input.default {
                Some(default) => drop(inputs.insert(name.clone(), default.clone())),
                None => wrong(&used.place, format!("{} needs an input `{name}`", self.name), format!("add `inputs: {{ {name}: … }}`")),
            }
        }
        is_whole.then_some(inputs)
    }

    fn make(&self, inputs: &Map<String, Json>) -> TeraResult<String> {
        let mut tera = Tera::default();
        tera.register_filter(ENCODE, |value: Value, _: Kwargs, _: &State| -> TeraResult<Value> {
            if value.is_undefined() {
                return Err(Error::message("it is not defined"));
            }
            serde_json::to_string(&value).map(|text| Value::safe_string(&text)).map_err(|error| Error::message(error.to_string()))
        });
        tera.add_raw_template(&self.name, &self.text)?;
        let mut context = Context::new();
        for (name, value) in inputs {
            context.insert(name.clone(), value);
        }
        let mut out = Bounded(Vec::new());
        tera.render_to(&self.name, &context, &mut out)?;
        String::from_utf8(out.0).map_err(|error| Error::message(error.to_string()))
    }
}

/// A sink that takes no more than [`MOST_BYTES`].
struct Bounded(Vec<u8>);

impl io::Write for Bounded {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        if self.0.len() + bytes.len() > MOST_BYTES {
            return Err(io::Error::other(format!("the template makes more than {MOST_BYTES} bytes")));
        }
        self.0.extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// The code of an error, and what it says with the template's line.
fn told(name: &str, error: &Error) -> (&'static str, String) {
    match error.kind() {
        ErrorKind::SyntaxError(report) => ("template/syntax", format!("{name}:{}: {}", report.span().start_line, report.message())),
        ErrorKind::RenderingError(report) => {
            let source = std::error::Error::source(error).map(|source| format!(": {source}")).unwrap_or_default();
            ("template/render", format!("{name}:{}: {}{source}", report.span().start_line, report.message()))
        }
        _ => {
            // The report of the rest: its first line, and the place that follows it.
            let text = error.to_string();
            let first = text.lines().next().unwrap_or_default().trim_start_matches("error: ").to_owned();
            let line = text.lines().find_map(|line| line.trim().strip_prefix("--> ")?.rsplit(':').nth(1)?.parse::<usize>().ok());
            ("template/render", line.map_or_else(|| format!("{name}: {first}"), |line| format!("{name}:{line}: {first}")))
        }
    }
}

/// The inputs that a head declares.
fn head_of(head: &str) -> Result<BTreeMap<String, Input>, String> {
    let mut inputs = BTreeMap::new();
    let Some((_, declared)) = head.split_once("inputs:") else { return Ok(inputs) };
    let read =
        yaml::parse(format!("inputs:{declared}").as_bytes()).and_then(json).map_err(|error| format!("its head is no YAML: {error}"))?;
    let Some(Json::Object(declared)) = read.get("inputs") else { return Ok(inputs) };
    for (name, input) in declared {
        let is_name = name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_') && !name.starts_with(|c: char| c.is_ascii_digit());
        let of = input.get("type").and_then(Json::as_str).unwrap_or("any");
        let Some((_, of)) = TYPES.iter().find(|(word, _)| *word == of).filter(|_| is_name) else {
            let types = names(TYPES.iter().map(|(word, _)| word));
            return Err(format!(
                "its input {} is of no type that there is ({types}), or has no name of letters, digits and `_`",
                shown(name)
            ));
        };
        inputs.insert(name.clone(), Input { of: *of, default: input.get("default").cloned() });
    }
    Ok(inputs)
}

fn names<T: AsRef<str>>(all: impl Iterator<Item = T>) -> String {
    let all: Vec<String> = all.map(|name| format!("`{}`", name.as_ref())).collect();
    if all.is_empty() { "none".to_owned() } else { all.join(", ") }
}

impl Type {
    /// The value as this type; a text that a variable made may be a number or a boolean.
    fn taken(self, value: &Json) -> Option<Json> {
        let read = |text: &str| serde_json::from_str::<Json>(text).ok();
        let value = match (self, value) {
            (Self::Boolean | Self::Integer | Self::Number, Json::String(text)) => read(text)?,
            (Self::String, Json::Number(_) | Json::Bool(_)) => Json::String(value.to_string()),
            _ => value.clone(),
        };
        let fits = match self {
            Self::Any => true,
            Self::Boolean => value.is_boolean(),
            Self::Integer => value.is_i64() || value.is_u64(),
            Self::List => value.is_array(),
            Self::Map => value.is_object(),
            Self::Number => value.is_number(),
            Self::String => value.is_string(),
        };
        fits.then_some(value)
    }

    fn words(self) -> &'static str {
        match self {
            Self::Any => "anything",
            Self::Boolean => "`true` or `false`",
            Self::Integer => "a whole number",
            Self::List => "a list",
            Self::Map => "a map",
            Self::Number => "a number",
            Self::String => "a text",
        }
    }
}

/// The template with each `{{ expression }}` made `{{ (expression) | as_json }}`. Comments, statements, `raw` blocks and texts in expressions
/// stay as they are; the lines stay where they are.
fn encoded(text: &str) -> Result<String, (usize, String)> {
    let mut out = String::with_capacity(text.len() + 64);
    let mut rest = text;
    let line = |rest: &str| text[..text.len() - rest.len()].matches('\n').count() + 1;
    while let Some(at) = rest.find('{') {
        out.push_str(&rest[..at]);
        rest = &rest[at..];
        if rest.starts_with("{#") {
            let end = rest.find("#}").ok_or_else(|| (line(rest), "a comment has no end".to_owned()))? + 2;
            out.push_str(&rest[..end]);
            rest = &rest[end..];
        } else if rest.starts_with("{%") {
            let end = close(rest, "%}").ok_or_else(|| (line(rest), "a statement has no end".to_owned()))?;
            let statement = &rest[..end];
            out.push_str(statement);
            rest = &rest[end..];
            if statement.trim_matches(['{', '%', '}', '-']).trim() == "raw" {
                let end = rest.find("endraw").ok_or_else(|| (line(rest), "a raw block has no end".to_owned()))?;
                out.push_str(&rest[..end]);
                rest = &rest[end..];
            }
        } else if rest.starts_with("{{") {
            let end = close(rest, "}}").ok_or_else(|| (line(rest), "an expression has no end".to_owned()))?;
            let inner = &rest[2..end - 2];
            let (lead, inner) = inner.strip_prefix('-').map_or(("", inner), |inner| ("-", inner));
            let (inner, tail) = inner.strip_suffix('-').map_or((inner, ""), |inner| (inner, "-"));
            if inner.trim_start().starts_with('<') {
                return Err((line(rest), "components are not taken: what they make would not be checked".to_owned()));
            }
            let _ = write!(out, "{{{{{lead} ({inner}) | {ENCODE} {tail}}}}}");
            rest = &rest[end..];
        } else {
            out.push('{');
            rest = &rest[1..];
        }
    }
    out.push_str(rest);
    Ok(out)
}

/// Where a tag ends, past `mark`; marks in texts don't count.
fn close(text: &str, mark: &str) -> Option<usize> {
    let mut quote = None;
    let bytes = text.as_bytes();
    let mut at = 2;
    while at < bytes.len() {
        match (quote, bytes[at]) {
            (Some(open), byte) if byte == open => quote = None,
            (Some(_), b'\\') => at += 1,
            (None, byte @ (b'"' | b'\'' | b'`')) => quote = Some(byte),
            (None, _) if bytes[at..].starts_with(mark.as_bytes()) => return Some(at + mark.len()),
            _ => {}
        }
        at += 1;
    }
    None
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use serde_json::json;

    use super::*;

    const HEAD: &str =
        "{# inputs:\n  name: { type: string }\n  size: { type: integer, default: 2 }\n  hosts: { type: list, default: [] }\n#}\n";

    /// What a template makes, or what is told of it.
    fn made(text: &str, inputs: &Json) -> String {
        let place = Place { file: "s.yaml".into(), line: 1, column: 1, length: 1 };
        let inputs = inputs.as_object().unwrap().iter().map(|(name, value)| (name.clone(), (value.clone(), place.clone()))).collect();
        let used = TemplateUse { name: "t".into(), path: "templates/t.yaml".into(), inputs, place };
        let file = ManifestFile { name: "t.yaml".into(), text: text.to_owned() };
        let mut diags = Diagnostics::default();
        match render(&used, Some(&file), &mut diags) {
            Some(file) => file.text,
            None => diags.items().iter().map(|one| format!("[{}] {}", one.code, one.detail)).collect::<Vec<_>>().join("\n"),
        }
    }

    #[test]
    fn what_is_put_in_is_json_and_cannot_change_the_structure() {
        let with = |body: &str, inputs: Json| made(&format!("{HEAD}{body}"), &inputs).trim_start().to_owned();
        let evil = "x\nkind: Secret\n---\n\"}} {{ {% #";
        let cases = [
            ("a text", "a: {{ name }}", json!({"name": "b"}), "a: \"b\"".to_owned()),
            ("a text that looks like YAML", "a: {{ name }}", json!({"name": evil}), format!("a: {}", json!(evil))),
            ("safe makes no difference", "a: {{ name | safe }}", json!({"name": "a: b"}), "a: \"a: b\"".to_owned()),
            ("numbers and lists", "a: {{ size }}\nb: {{hosts}}", json!({"name": "", "hosts": ["x", 1]}), "a: 2\nb: [\"x\",1]".to_owned()),
            ("joined", "a: {{- name ~ \"-}}\" -}}\n", json!({"name": "b"}), "a:\"b-}}\"".to_owned()),
            ("a loop", "{% for h in hosts %}- {{ h | upper }}\n{% endfor %}", json!({"name": "", "hosts": ["x"]}), "- \"X\"\n".to_owned()),
            ("raw text stays", "{% raw %}{{ name }}{% endraw %}", json!({"name": ""}), "{{ name }}".to_owned()),
            ("braces of YAML stay", "a: { b: { c: {{ size }} } }", json!({"name": "", "size": 3}), "a: { b: { c: 3 } }".to_owned()),
            ("a number as text", "a: {{ name }}", json!({"name": 5}), "a: \"5\"".to_owned()),
            ("a text as number", "a: {{ size }}", json!({"name": "", "size": "5"}), "a: 5".to_owned()),
        ];
        for (name, body, inputs, wanted) in cases {
            assert_eq!(with(body, inputs), wanted, "{name}");
        }
    }

    #[test]
    fn what_is_wrong_is_told_with_the_line_of_the_template() {
        let cases = [
            ("an unknown name", "a: 1\nb: {{ nme }}", json!({"name": ""}), "[template/render] t.yaml:7:"),
            ("a field of nothing", "a: {{ nme.x }}", json!({"name": ""}), "[template/render] t.yaml:6: Variable `nme` is not defined"),
            ("no end of an expression", "a: {{ name", json!({"name": ""}), "[template/syntax] t.yaml:6: an expression has no end"),
            ("no end of a block", "{% if name %}", json!({"name": ""}), "[template/syntax] t.yaml:6: "),
            ("an unknown filter", "a: {{ name | shout }}", json!({"name": ""}), "[template/render] t.yaml:6: Unknown filter `shout`"),
            ("an input that is missing", "", json!({}), "[template/input] t.yaml needs an input `name`"),
            ("an input that there isn't", "", json!({"name": "", "nam": 1}), "[template/input] t.yaml has no input `nam`"),
            ("an input of another type", "", json!({"name": "", "size": "x"}), "[template/input] `size` of t.yaml is a whole number"),
            (
                "too much",
                "{% for a in range(end=99999999) %}{{ name }}{% endfor %}",
                json!({"name": "xxxxxxxxxxxxxxxxxxxxxxxxxxx"}),
                "[template/render]",
            ),
        ];
        for (name, body, inputs, wanted) in cases {
            let told = made(&format!("{HEAD}{body}"), &inputs);
            assert!(told.starts_with(wanted), "{name}: {told}");
        }
        let told = made("{# inputs: { a: { type: txt } } #}", &json!({}));
        assert!(told.starts_with("[template/syntax] t.yaml:1: its input `a` is of no type"), "{told}");
    }
}
