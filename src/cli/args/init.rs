//! Arguments of `init`.

use std::path::PathBuf;

use clap::Args;

/// Arguments of `init`: the answers to its questions.
#[derive(Clone, Debug, Default, Args)]
pub struct InitArgs {
    /// The file to write, or the folder to write STACK.yaml into
    #[arg(value_name = "PATH", default_value = "stacks")]
    pub path: PathBuf,
    /// The stack's name
    #[arg(long, value_name = "NAME")]
    pub stack: Option<String>,
    /// The certificate's first name
    #[arg(long, value_name = "DOMAIN")]
    pub domain: Option<String>,
    /// A further name of the certificate, such as *.shop.example.com (repeatable)
    #[arg(long = "name", value_name = "DOMAIN")]
    pub names: Vec<String>,
    /// The hosted zone of the validation records, by name or id
    #[arg(long, value_name = "ZONE")]
    pub zone: Option<String>,
    /// The AWS region
    #[arg(long, value_name = "REGION")]
    pub region: Option<String>,
    /// The AWS account that the stack is for: another one is refused
    #[arg(long, value_name = "ID")]
    pub account: Option<String>,
    /// The EKS cluster
    #[arg(long, value_name = "NAME", conflicts_with_all = ["kubeconfig", "context"])]
    pub eks: Option<String>,
    /// The kubeconfig of the cluster
    #[arg(long, value_name = "FILE")]
    pub kubeconfig: Option<String>,
    /// The context of the kubeconfig
    #[arg(long, value_name = "NAME")]
    pub context: Option<String>,
    /// Deliver to this secret of Secrets Manager
    #[arg(long, value_name = "NAME")]
    pub secrets_manager: Option<String>,
    /// Deliver to this Kubernetes Secret (repeatable)
    #[arg(long = "tls-secret", value_name = "NAMESPACE/NAME")]
    pub tls_secrets: Vec<String>,
}
