//! `chart lint`

use super::host::CliHost;
use super::source;
use super::template::refused;
use crate::cli::args::chart::{SourceArgs, ValueArgs};
use crate::cli::context::Context;
use crate::cli::exit::Exit;
use crate::helm::{Chart, KubeVersion, Options, render};

pub(super) async fn run(context: &Context, chart: &SourceArgs, values: &ValueArgs, strict: bool, kube_version: &str) -> Exit {
    let fetched = match source::fetch(context, chart).await {
        Ok(fetched) => fetched,
        Err(error) => return source::failed(&error),
    };
    let kube_version = match KubeVersion::parse(kube_version) {
        Ok(version) => version,
        Err(error) => return refused(&format!("invalid kube version '{kube_version}': {error}")),
    };
    let values = match source::values(values) {
        Ok(values) => values,
        Err(error) => return refused(&error),
    };
    println!("==> Linting {}", chart.chart);
    let mut errors = 0;
    for (severity, path, message) in remarks(&fetched.chart) {
        println!("[{severity}] {path}: {message}");
    }
    let mut options = Options::new("test-release", "default", kube_version);
    options.lint = true;
    options.strict = strict;
    if let Err(error) = render(&fetched.chart, &values, &options, &mut CliHost::new(context)) {
        println!("[ERROR] templates/: {error}");
        errors += 1;
    }
    println!("\n1 chart(s) linted, {errors} chart(s) failed");
    if errors == 0 { Exit::Done } else { Exit::Failed }
}

/// What is no failure, but worth a word.
fn remarks(chart: &Chart) -> Vec<(&'static str, &'static str, &'static str)> {
    let has = |name: &str| chart.raw.iter().any(|file| file.name == name);
    let mut found = Vec::new();
    if chart.metadata.icon.is_empty() {
        found.push(("INFO", "Chart.yaml", "icon is recommended"));
    }
    if !has("values.yaml") {
        found.push(("INFO", "values.yaml", "file does not exist"));
    }
    if chart.templates.is_empty() {
        found.push(("WARNING", "templates/", "directory not found"));
    }
    found
}
