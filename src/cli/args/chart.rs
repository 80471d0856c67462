//! The arguments of `chart`. Names and meanings are Helm's.

use std::path::PathBuf;

use clap::{Args, Subcommand};

/// Arguments of `chart`.
#[derive(Debug, Args)]
pub struct ChartArgs {
    /// What to do.
    #[command(subcommand)]
    pub command: ChartCommand,
}

/// What to do with a chart.
#[derive(Debug, Subcommand)]
pub enum ChartCommand {
    /// Print a chart's manifests, exactly as `helm template` does
    Template(Box<TemplateArgs>),
    /// Print a part of a chart
    Show {
        /// The part.
        #[command(subcommand)]
        part: ShowPart,
    },
    /// Download a chart's archive
    Pull {
        /// The chart.
        #[command(flatten)]
        chart: SourceArgs,
        /// The folder to put it into
        #[arg(short, long, value_name = "DIR", default_value = ".")]
        destination: PathBuf,
        /// Unpack it
        #[arg(long)]
        untar: bool,
    },
    /// Unpack a chart into a folder, to be used without a network
    Vendor {
        /// The chart.
        #[command(flatten)]
        chart: SourceArgs,
        /// The folder to put it into
        #[arg(short, long, value_name = "DIR", default_value = "charts")]
        destination: PathBuf,
    },
    /// Write a chart's version and digest into the lock file, against which it is checked from then on
    Lock {
        /// The chart.
        #[command(flatten)]
        chart: SourceArgs,
    },
    /// Tell what is wrong with a chart, as `helm lint` does
    Lint(Box<LintArgs>),
}

/// Arguments of `chart lint`.
#[derive(Debug, Args)]
pub struct LintArgs {
    /// The chart.
    #[command(flatten)]
    pub chart: SourceArgs,
    /// The values.
    #[command(flatten)]
    pub values: ValueArgs,
    /// Warnings make it fail, too
    #[arg(long)]
    pub strict: bool,
    /// Print warnings and errors alone
    #[arg(long)]
    pub quiet: bool,
    /// Don't hold the values against the chart's schema
    #[arg(long)]
    pub skip_schema_validation: bool,
    /// The release's namespace
    #[arg(short, long, value_name = "NAMESPACE", default_value = "default")]
    pub namespace: String,
    /// The version of Kubernetes to render for, and that decides which kinds are deprecated
    #[arg(long, value_name = "VERSION", default_value = DEFAULT_KUBE_VERSION)]
    pub kube_version: String,
}

/// The version of Kubernetes that a release of Helm 3.22 assumes.
pub const DEFAULT_KUBE_VERSION: &str = "v1.37.0";

/// The part of a chart that is shown.
#[derive(Debug, Subcommand)]
pub enum ShowPart {
    /// values.yaml
    Values(SourceArgs),
    /// Chart.yaml
    Chart(SourceArgs),
    /// README.md
    Readme(SourceArgs),
    /// The CRDs under crds/
    Crds(SourceArgs),
}

/// Which chart.
#[derive(Clone, Debug, Args)]
pub struct SourceArgs {
    /// A folder, a .tgz, a URL, an oci:// reference, or a name in --repo
    #[arg(value_name = "CHART")]
    pub chart: String,
    /// Where it comes from.
    #[command(flatten)]
    pub origin: OriginArgs,
}

/// Where a chart comes from, and in which version.
#[derive(Clone, Debug, Args)]
pub struct OriginArgs {
    /// The chart's version, or a range of versions
    #[arg(long, value_name = "VERSION", default_value = "", hide_default_value = true)]
    pub version: String,
    /// The repository that the chart is looked up in
    #[arg(long, value_name = "URL")]
    pub repo: Option<String>,
    /// The lock file
    #[arg(long, value_name = "FILE", default_value = "meshform.lock")]
    pub lock_file: PathBuf,
}

/// Values, as on Helm's command line.
#[derive(Clone, Debug, Default, Args)]
pub struct ValueArgs {
    /// Read values from a YAML file, or from stdin by `-` (repeatable)
    #[arg(short = 'f', long = "values", value_name = "FILE", value_delimiter = ',')]
    pub files: Vec<String>,
    /// Set values: `a.b=1,c[0]=x` (repeatable)
    #[arg(long, value_name = "KEY=VALUE")]
    pub set: Vec<String>,
    /// Set values that are strings (repeatable)
    #[arg(long, value_name = "KEY=VALUE")]
    pub set_string: Vec<String>,
    /// Set values that are JSON (repeatable)
    #[arg(long, value_name = "KEY=JSON")]
    pub set_json: Vec<String>,
    /// Set values to the content of files (repeatable)
    #[arg(long, value_name = "KEY=FILE")]
    pub set_file: Vec<String>,
    /// Set a value to a text as it stands (repeatable)
    #[arg(long, value_name = "KEY=TEXT")]
    pub set_literal: Vec<String>,
}

/// Arguments of `chart template`.
#[derive(Debug, Args)]
#[expect(clippy::struct_excessive_bools, reason = "flags of a command line")]
pub struct TemplateArgs {
    /// The release's name, then the chart; with --name-template the chart alone
    #[arg(value_name = "NAME CHART", num_args = 1..=2, required = true)]
    pub names: Vec<String>,
    /// Where the chart comes from.
    #[command(flatten)]
    pub origin: OriginArgs,
    /// The values.
    #[command(flatten)]
    pub values: ValueArgs,
    /// The release's namespace
    #[arg(short, long, value_name = "NAMESPACE", default_value = "default")]
    pub namespace: String,
    /// A template that makes the release's name
    #[arg(long, value_name = "TEMPLATE")]
    pub name_template: Option<String>,
    /// The version of Kubernetes to render for
    #[arg(long, value_name = "VERSION", default_value = DEFAULT_KUBE_VERSION)]
    pub kube_version: String,
    /// API versions that the cluster has (repeatable)
    #[arg(short, long, value_name = "VERSION", value_delimiter = ',')]
    pub api_versions: Vec<String>,
    /// Print the CRDs, too
    #[arg(long)]
    pub include_crds: bool,
    /// Render as for an upgrade
    #[arg(long)]
    pub is_upgrade: bool,
    /// Print these templates alone, by their paths in the chart (repeatable)
    #[arg(short, long, value_name = "TEMPLATE")]
    pub show_only: Vec<String>,
    /// Leave the tests out
    #[arg(long)]
    pub skip_tests: bool,
    /// Leave the hooks out
    #[arg(long)]
    pub no_hooks: bool,
    /// Don't hold the values against the chart's schema
    #[arg(long)]
    pub skip_schema_validation: bool,
    /// Fetch the chart's dependencies that are not in its charts/
    #[arg(long)]
    pub dependency_update: bool,
}
