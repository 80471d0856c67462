//! Bringing charts, and `chart pull`, `vendor` and `lock`.

use std::path::Path;

use crate::cli::args::chart::{OriginArgs, SourceArgs, ValueArgs};
use crate::cli::charts::fetcher;
use crate::cli::context::Context;
use crate::cli::exit::Exit;
use crate::helm::chart::Dependency;
use crate::helm::{Chart, ValueSource};
use crate::source::chart::{ChartSourceError, Fetched, Wanted, folder, vendor};

/// The most bytes of a values file.
const MAX_VALUES: u64 = 64 << 20;

pub(super) fn wanted(args: &SourceArgs) -> Wanted {
    Wanted::parse(&args.chart, args.origin.repo.as_deref(), args.origin.version.trim())
}

/// Brings a chart. One on disk needs neither network nor lock file.
pub(super) async fn fetch(context: &Context, args: &SourceArgs) -> Result<Fetched, ChartSourceError> {
    match wanted(args) {
        Wanted::Path(path) => folder::read(&path),
        wanted => fetcher(context, &args.origin.lock_file)?.fetch(&wanted).await,
    }
}

/// Prints why a chart can't be had.
pub(super) fn failed(error: &ChartSourceError) -> Exit {
    eprintln!("Error: {error}");
    if let Some(help) = error.help() {
        eprintln!("  = help: {help}");
    }
    Exit::Failed
}

/// `chart pull` and `chart vendor`
pub(super) async fn pull(context: &Context, args: &SourceArgs, destination: &Path, untar: bool) -> Exit {
    let done = match fetch(context, args).await {
        Ok(fetched) if untar => vendor::unpack(&fetched.chart, destination),
        Ok(fetched) => vendor::keep(&fetched, destination),
        Err(error) => Err(error),
    };
    match done {
        Ok(path) => {
            println!("{}", path.display());
            Exit::Done
        }
        Err(error) => failed(&error),
    }
}

/// `chart lock`
pub(super) async fn lock(context: &Context, args: &SourceArgs) -> Exit {
    let wanted = wanted(args);
    let Some(key) = wanted.key() else {
        eprintln!("Error: {} is on disk: there is nothing to lock", args.chart);
        eprintln!("  = help: what is locked comes over the network: name --repo URL, an oci:// reference or a URL");
        return Exit::Failed;
    };
    let work = async {
        let charts = fetcher(context, &args.origin.lock_file)?;
        let fetched = charts.fetch_unlocked(&wanted).await?;
        let locked = fetched.locked.clone();
        charts.lock().write(locked.clone().map(|locked| (key.clone(), locked)))?;
        Ok::<_, ChartSourceError>(locked)
    };
    match work.await {
        Ok(locked) => {
            if let Some(locked) = locked {
                println!("{key}\n  version {}\n  sha256 {}", locked.version, locked.digest);
            }
            Exit::Done
        }
        Err(error) => failed(&error),
    }
}

/// The sources of values in the order of the command line.
pub(super) fn values(args: &ValueArgs) -> Result<Vec<ValueSource>, String> {
    let mut sources = Vec::new();
    for file in &args.files {
        let text = if file == "-" {
            let mut text = Vec::new();
            let mut input = std::io::Read::take(std::io::stdin(), MAX_VALUES);
            std::io::Read::read_to_end(&mut input, &mut text).map_err(|error| format!("stdin: {error}"))?;
            text
        } else {
            let about = std::fs::metadata(file).map_err(|error| format!("open {file}: {}", in_go_words(&error)))?;
            if about.len() > MAX_VALUES {
                return Err(format!("{file}: larger than {MAX_VALUES} bytes"));
            }
            std::fs::read(file).map_err(|error| format!("open {file}: {}", in_go_words(&error)))?
        };
        sources.push(ValueSource::File(file.clone(), text));
    }
    sources.extend(args.set.iter().cloned().map(ValueSource::Set));
    sources.extend(args.set_string.iter().cloned().map(ValueSource::SetString));
    sources.extend(args.set_json.iter().cloned().map(ValueSource::SetJson));
    sources.extend(args.set_file.iter().cloned().map(ValueSource::SetFile));
    sources.extend(args.set_literal.iter().cloned().map(ValueSource::SetLiteral));
    Ok(sources)
}

/// The system's error as Go words it.
pub(super) fn in_go_words(error: &std::io::Error) -> String {
    match error.kind() {
        std::io::ErrorKind::NotFound => "no such file or directory".to_owned(),
        std::io::ErrorKind::PermissionDenied => "permission denied".to_owned(),
        std::io::ErrorKind::IsADirectory => "is a directory".to_owned(),
        _ => error.to_string(),
    }
}

/// Fetches what Chart.yaml names and charts/ lacks, each from its repository or folder.
pub(super) async fn update_dependencies(context: &Context, chart: &mut Chart, args: &SourceArgs) -> Result<(), ChartSourceError> {
    let wanted: Vec<Dependency> = chart.metadata.dependencies.iter().flatten().cloned().collect();
    for dependency in wanted {
        if chart.dependencies.iter().any(|there| there.metadata.name == dependency.name) {
            continue;
        }
        let origin = OriginArgs {
            version: dependency.version.clone(),
            repo: Some(dependency.repository.clone()),
            lock_file: args.origin.lock_file.clone(),
        };
        let fetched = match dependency.repository.strip_prefix("file://") {
            Some(path) => folder::read(&Path::new(&args.chart).join(path))?,
            None => fetch(context, &SourceArgs { chart: dependency.name.clone(), origin }).await?,
        };
        chart.dependencies.push(fetched.chart);
    }
    Ok(())
}
