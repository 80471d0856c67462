//! Arguments of `permissions`.

use clap::{Args, ValueEnum};

use super::StackArgs;
use crate::permissions::{Purpose, Subject};

/// Arguments of `permissions`.
#[derive(Debug, Args)]
pub struct PermissionsArgs {
    /// The stack.
    #[command(flatten)]
    pub stack: StackArgs,
    /// The command that the rights are for; those of apply are enough for plan, drift and rotate as well
    #[arg(long = "for", value_enum, value_name = "COMMAND", default_value_t = For::Apply)]
    pub purpose: For,
    /// Only the IAM policy, as a JSON document
    #[arg(long, conflicts_with_all = ["rbac", "json"])]
    pub policy: bool,
    /// The role whose policy it is, by its ARN, or `caller`; by default the identity that works in the stack's account
    #[arg(long, value_name = "ARN", requires = "policy")]
    pub identity: Option<String>,
    /// Only the Kubernetes RBAC, as YAML for `kubectl apply`
    #[arg(long, conflicts_with = "json")]
    pub rbac: bool,
    /// Who gets the Kubernetes rights: group:NAME, user:NAME or serviceaccount:NAMESPACE/NAME
    #[arg(long, value_name = "SUBJECT", default_value = "group:meshform")]
    pub subject: Subject,
    /// As JSON
    #[arg(long)]
    pub json: bool,
}

/// The commands that rights can be for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum For {
    /// Only look: plan and drift
    Plan,
    /// Make and change
    Apply,
    /// Carry renewed certificates, without --reissue
    Rotate,
    /// Remove everything, of a stack that was applied
    Destroy,
}

impl From<For> for Purpose {
    fn from(of: For) -> Self {
        match of {
            For::Plan => Self::Plan,
            For::Apply => Self::Apply,
            For::Rotate => Self::Rotate,
            For::Destroy => Self::Destroy,
        }
    }
}
