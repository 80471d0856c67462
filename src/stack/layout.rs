//! `certificates.<key>.secrets_manager.layout`: how a secret holds its certificate.

use std::collections::BTreeMap;

/// What a secret, or a member of it, is made of. All of it is PEM.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Part {
    /// The leaf alone.
    Certificate,
    /// The key: PKCS#8, not encrypted.
    PrivateKey,
    /// The chain without the leaf.
    Chain,
    /// The leaf, and its chain after it.
    CertificateWithChain,
}

impl Part {
    /// All of them.
    pub const ALL: &[Self] = &[Self::Certificate, Self::PrivateKey, Self::Chain, Self::CertificateWithChain];

    /// Its name in the stack file: that of ACM's own parts (API: ExportCertificate), as far as it has one.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Certificate => "certificate",
            Self::PrivateKey => "private_key",
            Self::Chain => "chain",
            Self::CertificateWithChain => "certificate_with_chain",
        }
    }

    /// The part of a name.
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|part| part.as_str() == name)
    }
}

/// How a secret holds its certificate.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Layout {
    /// One JSON object of texts: the part that each member holds.
    Members(BTreeMap<String, Part>),
    /// One PEM text: these parts, one after the other.
    Text(Vec<Part>),
}

/// The members of the default layout: the names of a Kubernetes Secret of type `kubernetes.io/tls`, which External Secrets hands on as they
/// are.
const DEFAULT: [(&str, Part); 3] = [("tls.crt", Part::CertificateWithChain), ("tls.key", Part::PrivateKey), ("ca.crt", Part::Chain)];

impl Default for Layout {
    fn default() -> Self {
        Self::Members(DEFAULT.into_iter().map(|(name, part)| (name.to_owned(), part)).collect())
    }
}

impl Layout {
    /// The parts that it has.
    pub fn parts(&self) -> Vec<Part> {
        match self {
            Self::Members(members) => members.values().copied().collect(),
            Self::Text(parts) => parts.clone(),
        }
    }

    /// The members in the order in which they are written: a version's id stands for its bytes, so that it must never change.
    pub fn members(&self) -> Vec<(&str, Part)> {
        match self {
            Self::Members(_) if *self == Self::default() => DEFAULT.to_vec(),
            Self::Members(members) => members.iter().map(|(name, part)| (name.as_str(), *part)).collect(),
            Self::Text(_) => Vec::new(),
        }
    }

    /// What it is in the hash that names a version. The default has the name that it had before there were others.
    pub fn tag(&self) -> String {
        match self {
            _ if *self == Self::default() => "meshform-tls-json-1".to_owned(),
            Self::Members(members) => {
                let members: Vec<String> = members.iter().map(|(name, part)| format!("{name:?}={}", part.as_str())).collect();
                format!("meshform-members-1 {}", members.join(","))
            }
            Self::Text(parts) => {
                let parts: Vec<&str> = parts.iter().map(|part| part.as_str()).collect();
                format!("meshform-text-1 {}", parts.join(","))
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn layouts_that_write_other_bytes_have_other_names_and_the_default_keeps_its_own() {
        let members = |list: &[(&str, Part)]| Layout::Members(list.iter().map(|(name, part)| ((*name).to_owned(), *part)).collect());
        let layouts = [
            Layout::default(),
            members(&[("a", Part::Certificate), ("b", Part::PrivateKey)]),
            members(&[("a", Part::PrivateKey), ("b", Part::Certificate)]),
            members(&[("a\",\"b", Part::Certificate), ("c", Part::PrivateKey)]),
            Layout::Text(vec![Part::Certificate, Part::PrivateKey]),
            Layout::Text(vec![Part::PrivateKey, Part::Certificate]),
        ];
        let tags: std::collections::BTreeSet<String> = layouts.iter().map(Layout::tag).collect();
        assert_eq!(tags.len(), layouts.len(), "{tags:?}");
        assert_eq!(members(&DEFAULT).tag(), "meshform-tls-json-1");
        assert_eq!(members(&DEFAULT).members()[0].0, "tls.crt");
    }
}
