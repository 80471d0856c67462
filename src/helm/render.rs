//! A chart and values to a release: `pkg/action/install.go` as `helm template` runs it.

use std::collections::BTreeMap;

use super::chart::Chart;
use super::chart::tree::Tree;
use super::engine::{self, KubeVersion, Mode, capabilities};
use super::func::Host;
use super::release::{Rendered, sort_manifests};
use super::schema;
use super::stack::Stack;
use super::strconv::quote;
use super::template::Limits;
use super::value::{Map, Str, Type, Value};
use super::values::{self, ValueSource, Warnings};

/// The stack of the thread that renders. Templates nest in it as in Go's stacks, which end at a gigabyte; only what is used takes memory.
const STACK_SIZE: usize = 512 << 20;
/// What of it templates may use; the rest is for what they call.
const USABLE_STACK: usize = STACK_SIZE - (64 << 20);

/// The most bytes of all documents of a release. Helm keeps no release of more than a megabyte, packed (Kubernetes, size of a Secret).
const MOST_DOCUMENTS: usize = 32 << 20;

/// What `.Release` is, and what cluster the chart is rendered for.
#[derive(Debug, Clone, PartialEq, Eq)]
#[expect(clippy::struct_excessive_bools, reason = "each is a switch of `helm template`")]
pub struct Options {
    /// The release's name.
    pub name: String,
    /// The namespace.
    pub namespace: String,
    /// The cluster's version.
    pub kube_version: KubeVersion,
    /// API versions that the cluster has: `group/version` and `group/version/Kind`.
    pub api_versions: Vec<String>,
    /// Whether these are all; else it has those that Helm knows besides.
    pub is_cluster: bool,
    /// Whether `.Release.IsUpgrade` is set, and `.Release.IsInstall` not.
    pub is_upgrade: bool,
    /// Whether values are not held against the charts' schemas.
    pub skip_schema_validation: bool,
    /// Whether the notes of dependencies are rendered, too.
    pub sub_notes: bool,
    /// Whether missing keys are errors.
    pub strict: bool,
    /// Whether the chart is linted: `required` and `fail` do not fail, and the release is neither an install nor an upgrade.
    pub lint: bool,
    /// What the rendering may use up.
    pub limits: Limits,
}

impl Options {
    /// A first install of this name into this namespace, on a cluster of this version.
    #[must_use]
    pub fn new(name: impl Into<String>, namespace: impl Into<String>, kube_version: KubeVersion) -> Self {
        Self {
            name: name.into(),
            namespace: namespace.into(),
            kube_version,
            api_versions: Vec::new(),
            is_cluster: false,
            is_upgrade: false,
            skip_schema_validation: false,
            sub_notes: false,
            strict: false,
            lint: false,
            limits: Limits::default(),
        }
    }
}

/// Why a chart could not be rendered. The message is Helm's, without its leading `Error: `.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum RenderError {
    /// The chart, the values, or the release's name.
    #[error("{0}")]
    Refused(String),
    /// A template, or the cluster's version, which Helm asks at the same stage.
    #[error("{0}")]
    Template(String),
    /// A document that is no YAML.
    #[error("{0}")]
    Manifest(String),
    /// A limit of ours: steps, bytes, depth.
    #[error("{0}")]
    Limit(String),
    /// The thread that renders could not be started.
    #[error("the rendering could not be started: {0}")]
    Thread(String),
}

/// Renders a chart with values as `helm template` does.
pub fn render(chart: &Chart, sources: &[ValueSource], options: &Options, host: &mut (dyn Host + Send)) -> Result<Rendered, RenderError> {
    on_big_stack(|stack| run(chart, sources, options, host, stack))
}

/// Renders a text as a template of its own, with sprig's functions and no data: `--name-template`.
pub fn name_from_template(text: &str, host: &mut (dyn Host + Send)) -> Result<String, RenderError> {
    on_big_stack(|stack| {
        let name = Str::from("name-template");
        let mut set = super::template::Set::default();
        set.parse(&name, text.as_bytes(), stack).map_err(RenderError::Template)?;
        let mut machine = super::template::Machine::new(host, std::rc::Rc::new(set), stack, Limits::default());
        machine.render(&name, Value::Nil).map(|text| text.to_string()).map_err(|error| RenderError::Template(error.to_string()))
    })
}

/// Values are shared within a thread: all of them live and end in the one that is made here.
pub(super) fn on_big_stack<T: Send>(work: impl FnOnce(Stack) -> Result<T, RenderError> + Send) -> Result<T, RenderError> {
    std::thread::scope(|scope| {
        let thread = std::thread::Builder::new()
            .name("helm".to_owned())
            .stack_size(STACK_SIZE)
            .spawn_scoped(scope, || work(Stack::new(USABLE_STACK)))
            .map_err(|error| RenderError::Thread(error.to_string()))?;
        match thread.join() {
            Ok(result) => result,
            Err(panic) => std::panic::resume_unwind(panic),
        }
    })
}

fn run(chart: &Chart, sources: &[ValueSource], options: &Options, host: &mut dyn Host, stack: Stack) -> Result<Rendered, RenderError> {
    let user = values::merge_sources(sources, host).map_err(RenderError::Refused)?;
    tell_of_loading(chart, host);
    check_installable(chart)?;
    if chart.metadata.deprecated {
        host.warn("WARNING: This chart is deprecated");
    }
    check_dependencies(chart)?;
    check_name(&options.name)?;
    let mut tree = Tree::new(chart).map_err(RenderError::Refused)?;
    let mut warnings = Warnings::default();
    let merged = values::process_dependencies(&mut tree, &user, &mut warnings)
        .and_then(|()| values::coalesce_values(&tree, &user, false, &mut warnings))
        .map_err(RenderError::Refused);
    // They are of most use beside an error.
    warnings.into_texts().iter().for_each(|text| host.warn(text));
    let top = render_values(&tree, &merged?, options, host)?;
    check_kube_version(&tree, options)?;
    let mut files = templates(&tree, &top, options, host, stack)?;
    let notes = take_notes(&mut files, tree.name(), options.sub_notes);
    check_size(&files)?;
    let (manifests, hooks) = sort_manifests(&files, |text| host.warn(text)).map_err(RenderError::Manifest)?;
    let crds = tree.crds().into_iter().map(|file| (file.name, String::from_utf8_lossy(&file.data).into_owned())).collect();
    Ok(Rendered { manifests, hooks, crds, notes })
}

/// Each document is kept as it was read.
fn check_size(files: &BTreeMap<String, Str>) -> Result<(), RenderError> {
    if files.values().map(Str::len).sum::<usize>() > MOST_DOCUMENTS {
        return Err(RenderError::Limit(format!("its documents are larger than {} MiB in all", MOST_DOCUMENTS >> 20)));
    }
    Ok(())
}

/// What each template gives, by path.
pub(super) fn templates(
    tree: &Tree,
    top: &Map,
    options: &Options,
    host: &mut dyn Host,
    stack: Stack,
) -> Result<BTreeMap<String, Str>, RenderError> {
    let mode = Mode { strict: options.strict, lint: options.lint, limits: options.limits };
    engine::render(tree, top, host, mode, stack)
        .map_err(|failure| if failure.limit { RenderError::Limit(failure.message) } else { RenderError::Template(failure.message) })
}

/// What there was to say when the chart and its dependencies were loaded.
fn tell_of_loading(chart: &Chart, host: &mut dyn Host) {
    chart.dependencies.iter().for_each(|inner| tell_of_loading(inner, host));
    chart.warnings.iter().for_each(|text| host.warn(text));
}

fn check_installable(chart: &Chart) -> Result<(), RenderError> {
    if !matches!(chart.metadata.chart_type.as_str(), "" | "application") {
        return Err(RenderError::Refused(format!("{} charts are not installable", chart.metadata.chart_type)));
    }
    Ok(())
}

/// `CheckDependencies`.
fn check_dependencies(chart: &Chart) -> Result<(), RenderError> {
    let wanted = chart.metadata.dependencies.iter().flatten();
    let missing: Vec<&str> = wanted
        .map(|wanted| wanted.name.as_str())
        .filter(|name| !chart.dependencies.iter().any(|chart| chart.metadata.name == *name))
        .collect();
    if missing.is_empty() {
        return Ok(());
    }
    Err(RenderError::Refused(format!(
        "An error occurred while checking for chart dependencies. You may need to run `helm dependency build` to fetch missing dependencies: found in Chart.yaml, but missing in charts/ directory: {}",
        missing.join(", ")
    )))
}

/// `ValidateReleaseName`.
fn check_name(name: &str) -> Result<(), RenderError> {
    let label = |label: &str| {
        let inner = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit();
        let bytes = label.as_bytes();
        matches!((bytes.first(), bytes.last()), (Some(first), Some(last)) if inner(*first) && inner(*last))
            && bytes.iter().all(|byte| inner(*byte) || *byte == b'-')
    };
    let refused = |why: &str| Err(RenderError::Refused(format!("release name {}: {why}", quote(name))));
    if name.is_empty() {
        return refused("no name provided");
    }
    if name.len() > 53 || !name.split('.').all(label) {
        return refused(
            "invalid release name, must match regex ^[a-z0-9]([-a-z0-9]*[a-z0-9])?(\\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*$ and the length must not be longer than 53",
        );
    }
    Ok(())
}

fn check_kube_version(tree: &Tree, options: &Options) -> Result<(), RenderError> {
    let (wanted, is) = (&tree.metadata.kube_version, &options.kube_version.version);
    if wanted.is_empty() || values::is_compatible(wanted, is) {
        return Ok(());
    }
    Err(RenderError::Template(format!("chart requires kubeVersion: {wanted} which is incompatible with Kubernetes {is}")))
}

/// `ToRenderValues`: what the templates of the root chart see, and others pass on.
pub(super) fn render_values(tree: &Tree, values: &Map, options: &Options, host: &mut dyn Host) -> Result<Map, RenderError> {
    if !options.skip_schema_validation {
        schema::validate(tree, values, host).map_err(|error| {
            RenderError::Refused(format!("values don't meet the specifications of the schema(s) in the following chart(s):\n{error}"))
        })?;
    }
    let release: Map = [
        ("Name", Value::from(options.name.as_str())),
        ("Namespace", Value::from(options.namespace.as_str())),
        ("IsUpgrade", Value::Bool(options.is_upgrade)),
        ("IsInstall", Value::Bool(!options.is_upgrade && !options.lint)),
        ("Revision", Value::int(i64::from(!options.lint))),
        ("Service", Value::from("Helm")),
    ]
    .into_iter()
    .collect();
    let top =
        [("Capabilities", capabilities(options)), ("Release", Value::Map(release)), ("Values", Value::Map(values.retyped(Type::Values)))];
    Ok(top.into_iter().collect())
}

/// Takes the notes out of what was rendered.
fn take_notes(files: &mut BTreeMap<String, Str>, chart: &str, sub_notes: bool) -> String {
    let own = format!("{chart}/templates/NOTES.txt");
    let names: Vec<String> = files.keys().filter(|name| name.ends_with("NOTES.txt")).cloned().collect();
    let mut notes = String::new();
    for name in names {
        let Some(text) = files.remove(&name) else { continue };
        if sub_notes || name == own {
            if !notes.is_empty() {
                notes.push('\n');
            }
            notes.push_str(&text.to_str());
        }
    }
    notes
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn more_text_than_any_release_holds_is_refused() {
        let documents = format!("a: {}\n---\n", "x".repeat(1 << 20)).repeat(33);
        let files = [("chart/templates/all.yaml".to_owned(), Str::from(documents))].into_iter().collect();
        assert!(matches!(check_size(&files), Err(RenderError::Limit(_))));
    }
}
