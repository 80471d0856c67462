//! The templates that are built into the program.

/// A built-in template.
#[derive(Clone, Copy, Debug)]
pub struct BuiltIn {
    /// Its name.
    pub name: &'static str,
    /// What it makes, in one sentence.
    pub about: &'static str,
    /// Its text.
    pub text: &'static str,
}

/// All of them, by name.
pub const ALL: &[BuiltIn] = &[
    BuiltIn {
        name: "autoscaling",
        about: "A HorizontalPodAutoscaler and a PodDisruptionBudget for a Deployment, such as an ingress gateway.",
        text: include_str!("../../templates/autoscaling.yaml"),
    },
    BuiltIn {
        name: "restricted-namespace",
        about: "A Namespace under the restricted Pod Security Standard, with a NetworkPolicy that lets in what is named.",
        text: include_str!("../../templates/restricted-namespace.yaml"),
    },
];

/// The built-in template of a name.
pub fn find(name: &str) -> Option<&'static BuiltIn> {
    ALL.iter().find(|one| one.name == name)
}
