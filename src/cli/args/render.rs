//! Arguments of `render`.

use std::path::PathBuf;

use clap::Args;

use super::StackArgs;

/// `render`
#[derive(Debug, Args)]
pub struct RenderArgs {
    /// The stack.
    #[command(flatten)]
    pub stack: StackArgs,
    /// Write a file for each object into this folder, and none to standard output
    #[arg(long, value_name = "DIR")]
    pub output_dir: Option<PathBuf>,
    /// The version of Kubernetes to render charts for
    #[arg(long, value_name = "VERSION")]
    pub kube_version: Option<String>,
    /// API versions that the cluster has besides those that Helm knows (repeatable)
    #[arg(short, long, value_name = "VERSION", value_delimiter = ',')]
    pub api_versions: Vec<String>,
    /// As JSON: a list of objects
    #[arg(long, conflicts_with = "output_dir")]
    pub json: bool,
}
