//! Versions of Istio: which go together, and with which Kubernetes.

use std::fmt;

/// A version, as far as it counts for that.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Version {
    major: u64,
    minor: u64,
    patch: u64,
}

impl Version {
    /// Reads `1.31`, `v1.36.3+k3s1`, `1.31.0-distroless`; nothing where there is no number of a minor version, as in `latest`.
    pub(super) fn parse(text: &str) -> Option<Self> {
        let plain = text.trim_start_matches('v').split(['-', '+']).next()?;
        let mut numbers = plain.split('.');
        let mut number = || numbers.next()?.parse().ok();
        let (major, minor) = (number()?, number()?);
        Some(Self { major, minor, patch: number().unwrap_or(0) })
    }

    /// How many minor versions it is behind another of the same major version; negative when it is ahead.
    pub(super) fn behind(self, other: Self) -> Option<i64> {
        let minor = |version: Self| i64::try_from(version.minor).ok();
        Some(minor(other)? - minor(self)?).filter(|_| self.major == other.major)
    }

    fn minor(self) -> String {
        format!("{}.{}", self.major, self.minor)
    }
}

impl fmt::Display for Version {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}.{}", self.major, self.minor, self.patch)
    }
}

/// The most minor versions that proxies may be behind their control plane (Istio documentation, "Supported Releases": control plane and data plane
/// skew).
pub(super) const MOST_SKEW: i64 = 2;
/// The most minor versions that a control plane beside the others may be ahead of them (Istio documentation, "Canary Upgrades").
const MOST_BESIDE: i64 = 2;

/// Minor versions of Istio 1 with the first and the last minor version of Kubernetes 1 that they support: istio.io, `supportStatus.yml`, of August
/// 2026; of 1.31 the least one only, as its own programs hold it (istio.io/istio, `pkg/kube/…/k8sversion`, IST0142).
const SUPPORTED: &[(u64, u64, Option<u64>)] = &[(29, 31, Some(35)), (30, 32, Some(36)), (31, 32, None)];

/// What is wrong with a version of Istio on a version of Kubernetes, as far as the table knows it.
pub(super) fn on_kubernetes(istio: Version, kubernetes: Version) -> Option<String> {
    let (_, first, last) = SUPPORTED.iter().find(|(minor, ..)| (istio.major, istio.minor) == (1, *minor))?;
    if kubernetes.minor < *first {
        return Some(format!("Istio {} needs Kubernetes 1.{first}, and this cluster is {}", istio.minor(), kubernetes.minor()));
    }
    let last = last.filter(|last| kubernetes.minor > *last)?;
    Some(format!("Istio {} is supported up to Kubernetes 1.{last}, and this cluster is {}", istio.minor(), kubernetes.minor()))
}

/// What is wrong with a control plane that changes its version in place.
pub(super) fn in_place(from: Version, to: Version) -> Option<String> {
    let ahead = from.behind(to)?;
    if to < from {
        return Some(format!(
            "this is a downgrade from {from} to {to}, which Istio doesn't support in place: add a revision of that version"
        ));
    }
    (ahead > 1).then(|| {
        format!(
            "an upgrade in place from {} to {} skips a minor version: go by way of each, or add a revision beside it",
            from.minor(),
            to.minor()
        )
    })
}

/// What is wrong with a new control plane beside one that runs.
pub(super) fn beside(running: Version, new: Version) -> Option<String> {
    let ahead = running.behind(new)?;
    if ahead > MOST_BESIDE {
        let text = "is more than two minor versions ahead of what runs";
        return Some(format!("version {} {text} ({}): go by way of one between", new.minor(), running.minor()));
    }
    (new < running).then(|| format!("version {new} is older than what runs ({running})"))
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    fn version(text: &str) -> Version {
        Version::parse(text).unwrap()
    }

    #[test]
    fn versions_are_read_from_tags_and_labels() {
        for (text, wanted) in [("1.31.0", "1.31.0"), ("v1.36.3+k3s1", "1.36.3"), ("1.31.2-distroless", "1.31.2"), ("1.30", "1.30.0")] {
            assert_eq!(version(text).to_string(), wanted);
        }
        for text in ["latest", "stand-in", "", "1", "sha-0123"] {
            assert_eq!(Version::parse(text), None, "{text}");
        }
    }

    #[test]
    fn pairs_that_do_not_go_together_are_told() {
        let kubernetes = |istio, kubernetes| on_kubernetes(version(istio), version(kubernetes)).is_some();
        for (istio, on, wanted) in [
            ("1.30.4", "1.31.9", true),
            ("1.30.4", "1.32.0", false),
            ("1.30.4", "1.37.0", true),
            ("1.31.0", "1.31.0", true),
            ("1.31.0", "1.40.0", false),
            ("1.99.0", "1.20.0", false),
        ] {
            assert_eq!(kubernetes(istio, on), wanted, "Istio {istio} on Kubernetes {on}");
        }
        for (from, to, wanted) in [
            ("1.30.1", "1.30.4", false),
            ("1.30.1", "1.31.0", false),
            ("1.29.1", "1.31.0", true),
            ("1.31.0", "1.30.4", true),
            ("1.31.1", "1.31.0", true),
        ] {
            assert_eq!(in_place(version(from), version(to)).is_some(), wanted, "in place from {from} to {to}");
        }
        for (running, new, wanted) in
            [("1.29.0", "1.31.0", false), ("1.28.0", "1.31.0", true), ("1.31.0", "1.30.0", true), ("1.31.0", "1.31.0", false)]
        {
            assert_eq!(beside(version(running), version(new)).is_some(), wanted, "{new} beside {running}");
        }
    }
}
