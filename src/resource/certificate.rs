//! `acm_certificate`: a certificate of AWS Certificate Manager.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::{Attr, AttrDef, Attrs, OnChange, Seen};
use crate::stack::{Dns, KeyAlgorithm};

/// Why the request's parameters need no reading at each plan.
const FIXED: Seen =
    Seen::Fixed("ACM can't change it after the request (API: RequestCertificate, UpdateCertificateOptions); kept in state by ARN");
/// What is seen of the certificate that is in ACM now.
const LEAF: Seen = Seen::Live;

/// The attributes.
pub const ATTRS: &[AttrDef] = &[
    AttrDef { path: "domain_name", on_change: OnChange::Replace, seen: FIXED },
    AttrDef { path: "subject_alternative_names", on_change: OnChange::Replace, seen: FIXED },
    AttrDef { path: "key_algorithm", on_change: OnChange::Replace, seen: FIXED },
    AttrDef { path: "validation_method", on_change: OnChange::Replace, seen: FIXED },
    AttrDef { path: "export", on_change: OnChange::Replace, seen: FIXED },
    AttrDef { path: "region", on_change: OnChange::Replace, seen: FIXED },
    AttrDef { path: "type", on_change: OnChange::Replace, seen: FIXED },
    AttrDef { path: "certificate_authority_arn", on_change: OnChange::Replace, seen: FIXED },
    AttrDef { path: "certificate_sha256", on_change: OnChange::Update, seen: LEAF },
    AttrDef { path: "chain_sha256", on_change: OnChange::Update, seen: LEAF },
    AttrDef { path: "status", on_change: OnChange::Replace, seen: Seen::Live },
    AttrDef { path: "tags.*", on_change: OnChange::Update, seen: Seen::Live },
];

/// A certificate as it should be.
#[derive(Clone, Debug, PartialEq)]
pub struct CertificateSpec {
    /// The key in the stack.
    pub key: String,
    /// Where it comes from.
    pub source: Source,
    /// The region.
    pub region: String,
    /// The first name; empty for one that is only read.
    pub domain: String,
    /// All names, the first among them; of an imported certificate those that it holds.
    pub names: BTreeSet<String>,
    /// Who writes the validation records.
    pub dns: Dns,
    /// The key's algorithm.
    pub key_algorithm: KeyAlgorithm,
    /// Whether the private key can be exported.
    pub export: bool,
    /// Tags, the stack's among them, meshform's own not.
    pub tags: BTreeMap<String, String>,
    /// How long to wait for the issue, in seconds.
    pub issue_timeout: u64,
}

/// Where a certificate comes from.
#[derive(Clone, Debug, PartialEq)]
pub enum Source {
    /// Requested, and validated by DNS.
    Public,
    /// Requested, and signed by this private CA.
    PrivateCa(String),
    /// Imported from files; absent until they are read.
    Imported(Option<ImportedFacts>),
    /// There already, under this ARN: only read.
    Existing(String),
}

impl Source {
    /// ACM's word for it (API: CertificateDetail, Type); nothing for what is only read.
    pub fn acm_type(&self) -> Option<&'static str> {
        match self {
            Self::Public => Some("AMAZON_ISSUED"),
            Self::PrivateCa(_) => Some("PRIVATE"),
            Self::Imported(_) => Some("IMPORTED"),
            Self::Existing(_) => None,
        }
    }
}

/// What is public of a certificate that is imported from files.
#[derive(Clone, Debug, PartialEq)]
pub struct ImportedFacts {
    /// The leaf and its chain.
    pub leaf: LeafFacts,
    /// The key in ACM's spelling, such as `RSA_3072`.
    pub key_algorithm: &'static str,
}

impl CertificateSpec {
    /// The attributes wanted: of a certificate that is only read none.
    pub fn attrs(&self) -> Attrs {
        let Some(acm_type) = self.source.acm_type() else { return Attrs::new() };
        let mut attrs = Attrs::from([
            ("domain_name".to_owned(), Attr::text(&self.domain)),
            ("subject_alternative_names".to_owned(), self.names_attr()),
            ("key_algorithm".to_owned(), Attr::text(self.key_algorithm.as_str())),
            ("region".to_owned(), Attr::text(&self.region)),
            ("type".to_owned(), Attr::text(acm_type)),
            ("status".to_owned(), Attr::text("ISSUED")),
        ]);
        let mut put = |path: &str, attr: Attr| attrs.insert(path.to_owned(), attr);
        match &self.source {
            Source::Public => {
                put("validation_method", Attr::text("DNS"));
                put("export", Attr::Value(Value::Bool(self.export)));
            }
            Source::PrivateCa(arn) => _ = put("certificate_authority_arn", Attr::text(arn)),
            Source::Imported(Some(facts)) => {
                put("key_algorithm", Attr::text(facts.key_algorithm));
                put("certificate_sha256", Attr::text(&facts.leaf.leaf_sha256));
                put("chain_sha256", Attr::text(&facts.leaf.chain_sha256));
            }
            Source::Imported(None) | Source::Existing(_) => {}
        }
        attrs.extend(self.tags.iter().map(|(key, value)| (format!("tags.{key}"), Attr::text(value))));
        attrs
    }

    fn names_attr(&self) -> Attr {
        Attr::Value(Value::Array(self.names.iter().cloned().map(Value::String).collect()))
    }

    /// Whether ACM validates its names by records in DNS.
    pub fn has_records(&self) -> bool {
        self.source == Source::Public
    }

    /// Whether it is only read: nothing is made, changed, tagged or deleted.
    pub fn is_only_read(&self) -> bool {
        matches!(self.source, Source::Existing(_))
    }

    /// What is public of the files that it is imported from.
    pub fn imported(&self) -> Option<&ImportedFacts> {
        match &self.source {
            Source::Imported(facts) => facts.as_ref(),
            _ => None,
        }
    }

    /// The names without `*.`, each once: ACM asks for one record per base domain.
    pub fn base_domains(&self) -> BTreeSet<String> {
        self.names.iter().map(|name| base_domain(name).to_owned()).collect()
    }
}

/// The name whose validation record covers `name`: `example.com` and `*.example.com` share one (semantics of ACM's DNS validation).
pub fn base_domain(name: &str) -> &str {
    name.strip_prefix("*.").unwrap_or(name)
}

/// A record that ACM asks for.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct ValidationRecord {
    /// The base domain it validates.
    pub base_domain: String,
    /// The record's name, lower case, without trailing dot.
    pub name: String,
    /// The CNAME's target, without trailing dot.
    pub value: String,
}

/// What is known of a certificate for good, kept in state by ARN.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct CertificateFacts {
    /// The records that ACM asks for; empty until they are known.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub records: Vec<ValidationRecord>,
    /// The dates of the list at which `leaf` was read.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub dates: Option<Dates>,
    /// The certificate that is issued now.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub leaf: Option<LeafFacts>,
}

/// The dates of a certificate in ACM's list, in seconds since 1970: when they move, the certificate was renewed.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Dates {
    /// `NotBefore`
    pub not_before: Option<i64>,
    /// `NotAfter`
    pub not_after: Option<i64>,
    /// `IssuedAt`; of an imported certificate `ImportedAt`
    pub issued_at: Option<i64>,
}

/// The public facts of an issued certificate.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct LeafFacts {
    /// The serial number in lower-case hex with colons.
    pub serial: String,
    /// SHA-256 of the leaf's DER, in hex.
    pub leaf_sha256: String,
    /// SHA-256 of the chain's DERs one after the other, in hex.
    pub chain_sha256: String,
    /// SHA-256 of the leaf's SubjectPublicKeyInfo, in hex: what a private key is matched with.
    pub public_key_sha256: String,
    /// Start of validity, seconds since 1970.
    pub not_before: i64,
    /// End of validity, seconds since 1970.
    pub not_after: i64,
}
