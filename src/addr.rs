//! Addresses: the one name of a resource in plans, state, events and on the command line.
//!
//! Kubernetes objects: `<kind>.<group>/<namespace>/<name>` without a version (`secret/istio-ingress/tls`, `namespace/prod`,
//! `gateway.networking.istio.io/istio-ingress/public`). AWS resources: `<kind>.<stack key>` (`acm_certificate.edge`).

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// Kinds of AWS resources.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum AwsKind {
    /// A certificate of AWS Certificate Manager.
    AcmCertificate,
    /// The CNAME that ACM asks for, one per account and base domain.
    AcmValidationRecord,
    /// The alias records of a host, with the records that say whose they are.
    Route53Record,
    /// A secret of AWS Secrets Manager.
    SecretsManagerSecret,
}

impl AwsKind {
    /// All of them.
    pub const ALL: [Self; 4] = [Self::AcmCertificate, Self::AcmValidationRecord, Self::Route53Record, Self::SecretsManagerSecret];

    /// The kind as it stands in addresses.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::AcmCertificate => "acm_certificate",
            Self::AcmValidationRecord => "acm_validation_record",
            Self::Route53Record => "route53_record",
            Self::SecretsManagerSecret => "secretsmanager_secret",
        }
    }
}

/// The address of a resource.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Addr {
    /// An AWS resource.
    Aws {
        /// Its kind.
        kind: AwsKind,
        /// Its key in the stack, the base domain of a validation record, or the host of alias records.
        key: String,
    },
    /// A Kubernetes object.
    Kube {
        /// The kind in lower case.
        kind: String,
        /// The API group; empty for the core group.
        group: String,
        /// The namespace of a namespaced object.
        namespace: Option<String>,
        /// The name.
        name: String,
    },
}

impl Addr {
    /// `acm_certificate.<key>`
    pub fn certificate(key: &str) -> Self {
        Self::Aws { kind: AwsKind::AcmCertificate, key: key.to_owned() }
    }

    /// `acm_validation_record.<base domain>`
    pub fn validation_record(base_domain: &str) -> Self {
        Self::Aws { kind: AwsKind::AcmValidationRecord, key: base_domain.to_owned() }
    }

    /// `route53_record.<host>`
    pub fn alias_record(host: &str) -> Self {
        Self::Aws { kind: AwsKind::Route53Record, key: host.to_owned() }
    }

    /// `secretsmanager_secret.<key of its certificate>`
    pub fn secret(key: &str) -> Self {
        Self::Aws { kind: AwsKind::SecretsManagerSecret, key: key.to_owned() }
    }

    /// `namespace/<name>`
    pub fn namespace(name: &str) -> Self {
        Self::Kube { kind: "namespace".into(), group: String::new(), namespace: None, name: name.to_owned() }
    }

    /// `secret/<namespace>/<name>`
    pub fn kube_secret(namespace: &str, name: &str) -> Self {
        Self::Kube { kind: "secret".into(), group: String::new(), namespace: Some(namespace.to_owned()), name: name.to_owned() }
    }

    /// The kind of an AWS resource.
    pub fn aws_kind(&self) -> Option<AwsKind> {
        match self {
            Self::Aws { kind, .. } => Some(*kind),
            Self::Kube { .. } => None,
        }
    }

    /// The stack key of an AWS resource, the name of an object.
    pub fn name(&self) -> &str {
        match self {
            Self::Aws { key, .. } => key,
            Self::Kube { name, .. } => name,
        }
    }

    /// Whether it is a Kubernetes object.
    pub fn is_kube(&self) -> bool {
        matches!(self, Self::Kube { .. })
    }
}

impl fmt::Display for Addr {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Aws { kind, key } => write!(f, "{}.{key}", kind.as_str()),
            Self::Kube { kind, group, namespace, name } => {
                f.write_str(kind)?;
                if !group.is_empty() {
                    write!(f, ".{group}")?;
                }
                if let Some(namespace) = namespace {
                    write!(f, "/{namespace}")?;
                }
                write!(f, "/{name}")
            }
        }
    }
}

/// A text that is no address.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
#[error("`{0}` is not an address: expected `acm_certificate.<key>`, `<kind>.<group>/<namespace>/<name>` or the like")]
pub struct NotAnAddress(pub String);

impl FromStr for Addr {
    type Err = NotAnAddress;

    fn from_str(text: &str) -> Result<Self, NotAnAddress> {
        let wrong = || NotAnAddress(text.to_owned());
        let Some((kind, rest)) = text.split_once('/') else {
            let (kind, key) = text.split_once('.').ok_or_else(wrong)?;
            let kind = AwsKind::ALL.into_iter().find(|k| k.as_str() == kind).ok_or_else(wrong)?;
            if key.is_empty() {
                return Err(wrong());
            }
            return Ok(Self::Aws { kind, key: key.to_owned() });
        };
        let (kind, group) = kind.split_once('.').unwrap_or((kind, ""));
        let (namespace, name) = match rest.split_once('/') {
            Some((namespace, name)) => (Some(namespace.to_owned()), name),
            None => (None, rest),
        };
        if kind.is_empty() || name.is_empty() || name.contains('/') || namespace.as_deref() == Some("") {
            return Err(wrong());
        }
        Ok(Self::Kube { kind: kind.to_owned(), group: group.to_owned(), namespace, name: name.to_owned() })
    }
}

impl Serialize for Addr {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Addr {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?.parse().map_err(serde::de::Error::custom)
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn an_address_reads_back_as_it_is_written() {
        for text in [
            "acm_certificate.edge",
            "acm_validation_record.shop.example.com",
            "route53_record.*.shop.example.com",
            "secretsmanager_secret.edge",
            "namespace/prod",
            "secret/istio-ingress/tls",
            "gateway.networking.istio.io/istio-ingress/public",
        ] {
            assert_eq!(text.parse::<Addr>().unwrap().to_string(), text);
        }
    }

    #[test]
    fn what_is_no_address_is_refused() {
        for text in ["", "edge", "acm_certificate.", "acm_certificat.edge", "secret//x", "secret/a/b/c", "/x", "namespace/"] {
            assert!(text.parse::<Addr>().is_err(), "{text}");
        }
    }
}
