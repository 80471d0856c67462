//! `chart template`

use super::host::CliHost;
use super::source;
use crate::cli::args::chart::{SourceArgs, TemplateArgs};
use crate::cli::context::Context;
use crate::cli::exit::Exit;
use crate::cli::{out, report};
use crate::helm::{KubeVersion, Options, Show, name_from_template, render};

pub(super) async fn run(context: &Context, args: &TemplateArgs) -> Exit {
    let mut host = CliHost::new(context);
    let (given, chart) = match (args.names.as_slice(), &args.name_template) {
        ([name, chart], None) => (Some(name.clone()), chart),
        ([chart], _) => (None, chart),
        _ => return report::usage("a name and --name-template are both given", "leave one of them out"),
    };
    let name = match (given, &args.name_template) {
        (Some(name), _) => name,
        (None, Some(template)) => match name_from_template(template, &mut host) {
            Ok(name) => name,
            Err(error) => return refused(&error.to_string()),
        },
        // Helm's own word for a release without a name.
        (None, None) => "release-name".to_owned(),
    };
    let kube_version = match KubeVersion::parse(&args.kube_version) {
        Ok(version) => version,
        Err(error) => return refused(&format!("invalid kube version '{}': {error}", args.kube_version)),
    };
    let wanted = SourceArgs { chart: chart.clone(), origin: args.origin.clone() };
    let mut fetched = match source::fetch(context, &wanted).await {
        Ok(fetched) => fetched,
        Err(error) => return source::failed(&error),
    };
    if args.dependency_update
        && let Err(error) = source::update_dependencies(context, &mut fetched.chart, &wanted).await
    {
        return source::failed(&error);
    }
    let values = match source::values(&args.values) {
        Ok(values) => values,
        Err(error) => return refused(&error),
    };
    let mut options = Options::new(name, args.namespace.as_str(), kube_version);
    options.api_versions.clone_from(&args.api_versions);
    options.is_upgrade = args.is_upgrade;
    options.skip_schema_validation = args.skip_schema_validation;
    let show =
        Show { include_crds: args.include_crds, no_hooks: args.no_hooks, skip_tests: args.skip_tests, show_only: args.show_only.clone() };
    match render(&fetched.chart, &values, &options, &mut host).map_err(|error| error.to_string()).and_then(|release| release.print(&show)) {
        Ok(text) => {
            out::bytes(text.as_bytes());
            Exit::Done
        }
        Err(error) => refused(&error),
    }
}

/// Helm's form of an error.
pub(super) fn refused(error: &str) -> Exit {
    eprintln!("Error: {error}");
    Exit::Failed
}
