//! `chart lint`

use std::collections::BTreeMap;

use super::host::CliHost;
use super::source;
use super::template::refused;
use crate::cli::args::chart::{LintArgs, SourceArgs};
use crate::cli::context::Context;
use crate::cli::exit::Exit;
use crate::helm::lint::{Severity, lint};
use crate::helm::{KubeVersion, Options};
use crate::source::chart::{ChartSourceError, Wanted, folder};

pub(super) async fn run(context: &Context, args: &LintArgs) -> Exit {
    let kube_version = match KubeVersion::parse(&args.kube_version) {
        Ok(version) => version,
        Err(error) => return refused(&format!("invalid kube version '{}': {error}", args.kube_version)),
    };
    let (files, named) = match files(context, &args.chart).await {
        Ok(files) => files,
        Err(error) => return source::failed(&error),
    };
    let values = match source::values(&args.values) {
        Ok(values) => values,
        Err(error) => return refused(&error),
    };
    let mut options = Options::new("", args.namespace.as_str(), kube_version);
    options.skip_schema_validation = args.skip_schema_validation;
    let findings = match lint(&files, &named, &values, &options, &mut CliHost::new(context)) {
        Ok(findings) => findings,
        Err(error) => return refused(&error.to_string()),
    };
    let worst = findings.iter().map(|finding| finding.severity).max();
    let has_failed = worst >= Some(if args.strict { Severity::Warning } else { Severity::Error });
    if !args.quiet || worst > Some(Severity::Info) {
        println!("==> Linting {}", args.chart.chart);
        for finding in findings.iter().filter(|finding| !args.quiet || finding.severity > Severity::Info) {
            println!("{finding}");
        }
        println!();
    }
    if has_failed {
        return refused("1 chart(s) linted, 1 chart(s) failed");
    }
    if !args.quiet || worst > Some(Severity::Info) {
        println!("1 chart(s) linted, 0 chart(s) failed");
    }
    Exit::Done
}

/// The chart's files, and what its folder is called. A folder need not hold a whole chart: what it lacks is for the linter to tell.
async fn files(context: &Context, args: &SourceArgs) -> Result<(BTreeMap<String, Vec<u8>>, String), ChartSourceError> {
    if let Wanted::Path(path) = source::wanted(args)
        && path.is_dir()
    {
        let whole = std::path::absolute(&path).unwrap_or_else(|_| path.clone());
        return Ok((folder::files(&path, &mut Vec::new())?, whole.display().to_string()));
    }
    let chart = source::fetch(context, args).await?.chart;
    let files = chart.raw.iter().map(|file| (file.name.clone(), file.data.to_vec())).collect();
    Ok((files, args.chart.clone()))
}
