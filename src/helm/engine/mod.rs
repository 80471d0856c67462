//! Helm's engine: `pkg/engine/engine.go`.

mod capabilities;
mod files;
mod funcs;
mod glob;
mod metadata;
mod record;

use std::collections::BTreeMap;
use std::rc::Rc;

pub use capabilities::KubeVersion;
pub(crate) use capabilities::capabilities;
pub(crate) use funcs::FUNCS;

use files::Files;
use funcs::{WARN_END, WARN_START};

use super::chart::tree::Tree;
use super::func::Host;
use super::stack::Stack;
use super::template::{ExecError, Limits, Machine, Set};
use super::value::{Map, Str, Type, Value};

/// How the engine behaves.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Mode {
    /// Missing keys are errors.
    pub(crate) strict: bool,
    /// `required` and `fail` do not fail.
    pub(crate) lint: bool,
    /// What may be used up.
    pub(crate) limits: Limits,
}

/// Why a rendering failed, with Helm's words, and whether a limit of ours did it.
pub(crate) struct Failure {
    pub(crate) message: String,
    pub(crate) limit: bool,
}

/// A template and what it sees; `renderable`.
struct Renderable {
    text: Rc<[u8]>,
    values: Map,
    base_path: String,
}

/// Renders all templates of a chart and its dependencies: output by path, partials left out. `top` holds `Values`, `Release` and
/// `Capabilities`.
pub(crate) fn render(chart: &Tree, top: &Map, host: &mut dyn Host, mode: Mode, stack: Stack) -> Result<BTreeMap<String, Str>, Failure> {
    let mut templates = BTreeMap::new();
    all_templates(chart, top, &mut templates);
    let order = sort_templates(&templates);
    let mut set = Set::default();
    for name in &order {
        let text = &templates[name].text;
        set.parse(&Str::from(name), text, stack).map_err(|error| Failure { message: cleanup_parse_error(name, &error), limit: false })?;
    }
    let mut machine = Machine::new(host, Rc::new(set), stack, mode.limits).strict(mode.strict).lint(mode.lint);
    let mut rendered = BTreeMap::new();
    for name in order {
        if name.rsplit('/').next().is_some_and(|base| base.starts_with('_')) {
            continue;
        }
        let renderable = &templates[&name];
        let about = [("Name", name.as_str()), ("BasePath", renderable.base_path.as_str())];
        let about = about.into_iter().map(|(key, value)| (Str::from(key), Value::from(value))).collect();
        renderable.values.set("Template", Value::Map(Map::typed(Type::Values, about)));
        let data = Value::Map(renderable.values.retyped(Type::Values));
        let text = machine.render(&Str::from(&name), data).map_err(|error| cleanup_exec_error(&error))?;
        rendered.insert(name, text);
    }
    Ok(rendered)
}

/// `recAllTpls`: what each chart's templates see.
fn all_templates(chart: &Tree, parent: &Map, templates: &mut BTreeMap<String, Renderable>) -> Map {
    let next = Map::new();
    let subcharts = Map::new();
    next.set("Chart", metadata::chart(&chart.metadata, chart.is_root()));
    let files = chart.files.iter().map(|file| (Str::from(&file.name), Rc::from(&*file.data))).collect();
    next.set("Files", Value::Object(Rc::new(Files(files))));
    next.set("Release", parent.get("Release").unwrap_or_default());
    next.set("Capabilities", parent.get("Capabilities").unwrap_or_default());
    next.set("Subcharts", Value::Map(subcharts.clone()));
    let values = parent.get("Values").unwrap_or_default();
    let scoped = if chart.is_root() {
        values
    } else {
        match &values {
            // `Table` gives the same map under the type Values.
            Value::Map(outer) => table(outer, &chart.metadata.name),
            _ => Value::Map(Map::typed(Type::Values, BTreeMap::new())),
        }
    };
    next.set("Values", scoped);
    for child in &chart.dependencies {
        let seen = all_templates(child, &next, templates);
        subcharts.set(child.metadata.name.as_str(), Value::Map(seen));
    }
    let library = chart.metadata.chart_type.eq_ignore_ascii_case("library");
    for template in &chart.templates {
        let partial = template.name.rsplit('/').next().is_some_and(|base| base.starts_with('_'));
        if library && !partial {
            continue;
        }
        let renderable =
            Renderable { text: Rc::from(&*template.data), values: next.clone(), base_path: clean(&format!("{}/templates", chart.path)) };
        templates.insert(clean(&format!("{}/{}", chart.path, template.name)), renderable);
    }
    next
}

/// `Values.Table("Values." + name)`: names with dots are paths.
fn table(values: &Map, name: &str) -> Value {
    let mut found = values.clone();
    for step in name.split('.') {
        match found.get(step) {
            Some(Value::Map(inner)) => found = inner,
            _ => return Value::Map(Map::typed(Type::Values, BTreeMap::new())),
        }
    }
    Value::Map(found.retyped(Type::Values))
}

/// `path.Join`, for paths that stay inside of the chart.
fn clean(path: &str) -> String {
    let mut parts: Vec<&str> = Vec::new();
    for part in path.split('/') {
        match part {
            "" | "." => {}
            ".." => {
                parts.pop();
            }
            other => parts.push(other),
        }
    }
    parts.join("/")
}

/// The order of parsing and rendering: deep paths first, then backwards by name, so that what a chart defines wins over its dependencies.
fn sort_templates(templates: &BTreeMap<String, Renderable>) -> Vec<String> {
    let mut names: Vec<String> = templates.keys().cloned().collect();
    names.sort_by(|one, two| {
        let depth = |name: &str| name.bytes().filter(|byte| *byte == b'/').count();
        depth(two).cmp(&depth(one)).then_with(|| two.cmp(one))
    });
    names
}

/// `cleanupParseError`.
fn cleanup_parse_error(name: &str, error: &str) -> String {
    let tokens: Vec<&str> = error.split(": ").collect();
    match tokens.as_slice() {
        [_] | [] => format!("parse error in ({name}): {error}"),
        [_, location, .., last] => format!("parse error at ({location}): {last}"),
        [_, location] => format!("parse error at ({location}): {location}"),
    }
}

/// `cleanupExecError`: of a message that `fail` or `required` gave only place and message are left.
fn cleanup_exec_error(error: &ExecError) -> Failure {
    let limit = error.is_limit();
    let message = error.message();
    let failure = |message: String| Failure { message, limit };
    if !message.contains(": executing ") && message.starts_with("template: no template") {
        return failure(message.to_owned());
    }
    let mut tokens = message.splitn(3, ": ");
    let (Some(_), Some(location), Some(rest)) = (tokens.next(), tokens.next(), tokens.next()) else {
        return failure(format!("execution error in ({message}): {message}"));
    };
    if let Some(start) = rest.find(WARN_START)
        && let Some(end) = rest.rfind(WARN_END)
        && start + WARN_START.len() <= end
    {
        return failure(format!("execution error at ({location}): {}", &rest[start + WARN_START.len()..end]));
    }
    failure(message.to_owned())
}
