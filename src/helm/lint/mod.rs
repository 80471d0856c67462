//! What `helm lint` finds: `pkg/lint`.

mod addresses;
mod chartfile;
mod deprecated;
mod names;
mod objects;

use std::collections::BTreeMap;
use std::fmt;

use super::chart::Chart;
use super::chart::tree::Tree;
use super::func::Host;
use super::render::{self, Options, RenderError};
use super::schema;
use super::stack::Stack;
use super::value::Map;
use super::values::{self, ValueSource, Warnings};
use super::yaml;

/// How grave a finding is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Severity {
    /// Worth a word.
    Info,
    /// Against a convention; it works, most likely.
    Warning,
    /// It does not work, most likely.
    Error,
}

impl fmt::Display for Severity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Info => "INFO",
            Self::Warning => "WARNING",
            Self::Error => "ERROR",
        })
    }
}

/// Something that is wrong with a chart.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Finding {
    /// How grave it is.
    pub severity: Severity,
    /// The file or folder within the chart, or the chart's own folder.
    pub path: String,
    /// What it is, in Helm's words.
    pub message: String,
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "[{}] {}: {}", self.severity, self.path, self.message)
    }
}

/// All findings, in Helm's order.
#[derive(Default)]
struct Findings(Vec<Finding>);

impl Findings {
    fn add(&mut self, severity: Severity, path: &str, problem: Option<String>) {
        self.0.extend(problem.map(|message| Finding { severity, path: path.to_owned(), message }));
    }
}

/// The name that a linted release has in Helm.
const RELEASE: &str = "test-release";

/// Lints a chart by the files of its folder, which need make no whole chart. `folder` is what findings about the chart itself call it. Of the
/// options count namespace, versions of the cluster, schema validation and limits. The error is Helm's: for values that can't be read, and
/// where there is no Chart.yaml.
pub fn lint(
    files: &BTreeMap<String, Vec<u8>>,
    folder: &str,
    sources: &[ValueSource],
    options: &Options,
    host: &mut (dyn Host + Send),
) -> Result<Vec<Finding>, RenderError> {
    let options = Options { name: RELEASE.to_owned(), lint: true, is_upgrade: false, ..options.clone() };
    render::on_big_stack(|stack| run(files, folder, sources, &options, host, stack))
}

fn run(
    files: &BTreeMap<String, Vec<u8>>,
    folder: &str,
    sources: &[ValueSource],
    options: &Options,
    host: &mut dyn Host,
    stack: Stack,
) -> Result<Vec<Finding>, RenderError> {
    let user = values::merge_sources(sources, host).map_err(RenderError::Refused)?;
    let Some(about) = files.get("Chart.yaml") else {
        let told = format!("unable to check Chart.yaml file in chart: stat {folder}/Chart.yaml: no such file or directory");
        return Err(RenderError::Refused(told));
    };
    let mut findings = Findings::default();
    chartfile::check(about, &mut findings);
    check_values(files, &user, host, &mut findings);
    match Chart::load(files.clone()) {
        Err(error) => {
            findings.add(Severity::Error, "templates/", Some(error.to_string()));
            findings.add(Severity::Error, "", Some(format!("unable to load chart\n\t{error}")));
        }
        Ok(chart) => {
            if files.contains_key("templates") {
                findings.add(Severity::Warning, "templates/", Some("not a directory".to_owned()));
            } else {
                check_templates(&chart, &user, options, host, stack, &mut findings);
            }
            check_dependencies(&chart, folder, &mut findings);
        }
    }
    Ok(findings.0)
}

/// `pkg/lint/rules/values.go`: the chart's own values, with the user's over them, against the chart's own schema.
fn check_values(files: &BTreeMap<String, Vec<u8>>, user: &Map, host: &mut dyn Host, findings: &mut Findings) {
    const FILE: &str = "values.yaml";
    let Some(text) = files.get(FILE) else {
        return findings.add(Severity::Info, FILE, Some("file does not exist".to_owned()));
    };
    let own = match yaml::unmarshal_map(text) {
        Ok(own) => own.unwrap_or_default(),
        Err(error) => {
            // The type that the file is read into is another one here.
            let error = error.replace("value of type map[string]interface {}", "value of type chartutil.Values");
            return findings.add(Severity::Error, FILE, Some(format!("unable to parse YAML: {error}")));
        }
    };
    let mut warnings = Warnings::default();
    let merged = values::over(user, &own, &mut warnings);
    warnings.into_texts().iter().for_each(|text| host.warn(text));
    let schema = files.get("values.schema.json").filter(|schema| !schema.is_empty());
    let outcome = merged.and_then(|merged| schema.map_or(Ok(()), |schema| schema::told(schema, &merged, host)));
    findings.add(Severity::Error, FILE, outcome.err());
}

/// `pkg/lint/rules/template.go`. Values that can't be put together are not told: Helm stays silent, too.
fn check_templates(chart: &Chart, user: &Map, options: &Options, host: &mut dyn Host, stack: Stack, findings: &mut Findings) {
    const FOLDER: &str = "templates/";
    let mut warnings = Warnings::default();
    let prepared = Tree::new(chart).and_then(|mut tree| {
        values::process_dependencies(&mut tree, user, &mut warnings)?;
        let merged = values::coalesce_values(&tree, user, false, &mut warnings)?;
        let merged = values::coalesce_values(&tree, &merged, false, &mut warnings)?;
        Ok((tree, merged))
    });
    warnings.into_texts().iter().for_each(|text| host.warn(text));
    let Ok((tree, merged)) = prepared else { return };
    let rendered =
        render::render_values(&tree, &merged, options, host).and_then(|top| render::templates(&tree, &top, options, host, stack));
    let outputs = match rendered {
        Ok(outputs) => outputs,
        Err(error) => return findings.add(Severity::Error, FOLDER, Some(error.to_string())),
    };
    for template in &tree.templates {
        objects::check_template(&template.name, &template.data, findings);
        // The case counts, as in Helm.
        if template.name.rsplit_once('.').is_none_or(|(_, extension)| extension != "yaml") {
            continue;
        }
        let output = outputs.get(&format!("{}/{}", tree.name(), template.name));
        let text = output.map(super::value::Str::to_str).unwrap_or_default();
        if !objects::check_output(&template.name, &text, options.kube_version.minor(), findings) {
            return;
        }
    }
}

/// `pkg/lint/rules/dependencies.go`. Two of one name are found when the chart is loaded.
fn check_dependencies(chart: &Chart, folder: &str, findings: &mut Findings) {
    let wanted: Vec<&str> = chart.metadata.dependencies.iter().flatten().map(|wanted| wanted.name.as_str()).collect();
    let there: Vec<&str> = chart.dependencies.iter().map(|chart| chart.metadata.name.as_str()).collect();
    let without = |these: &[&str], those: &[&str]| -> Option<String> {
        let missing: Vec<&str> = these.iter().filter(|name| !those.contains(name)).copied().collect();
        (!missing.is_empty()).then(|| missing.join(","))
    };
    let unnamed = without(&there, &wanted).map(|names| format!("chart metadata is missing these dependencies: {names}"));
    let absent = without(&wanted, &there).map(|names| format!("chart directory is missing these dependencies: {names}"));
    findings.add(Severity::Error, folder, unnamed);
    findings.add(Severity::Warning, folder, absent);
}
