//! Permissions: what AWS and Kubernetes must allow so that a command can do its work on a stack, and nothing beyond that.
//!
//! [`Call`] is the table of all requests of AWS; what is asked of Kubernetes stands in `rbac`, object by object. Both are narrowed by what
//! the stack says, and by what its state knows that the stack no longer says: regions, names, zones, namespaces.

mod call;
mod needs;
mod policy;
mod rbac;
mod statements;

#[cfg(test)]
mod tests;

pub use call::Call;
pub use policy::{Conditions, Identity, Policy, Statement};
pub use rbac::{Grant, Subject, SubjectError, grants, manifests, role_name};
pub use statements::policies;

/// What rights are for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Purpose {
    /// `plan`, `drift` and all that only looks.
    Plan,
    /// `apply`, and what looks before it.
    Apply,
    /// `rotate` without `--reissue`.
    Rotate,
    /// `destroy`, and `plan --destroy`.
    Destroy,
}

impl Purpose {
    /// All of them.
    pub const ALL: [Self; 4] = [Self::Plan, Self::Apply, Self::Rotate, Self::Destroy];

    /// The command.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Plan => "plan",
            Self::Apply => "apply",
            Self::Rotate => "rotate",
            Self::Destroy => "destroy",
        }
    }
}
