//! `secretsmanager_secret`: a secret of AWS Secrets Manager that holds a certificate with its key.

use std::collections::BTreeMap;

use serde_json::Value;

use super::certificate::LeafFacts;
use super::{Attr, AttrDef, Attrs, OnChange, Seen};
use crate::addr::Addr;
use crate::secret::sha256_hex;
use crate::stack::layout::Layout;
use crate::stack::{Text, TextPart};

/// The attributes.
pub const ATTRS: &[AttrDef] = &[
    AttrDef { path: "name", on_change: OnChange::Replace, seen: Seen::Live },
    AttrDef { path: "region", on_change: OnChange::Replace, seen: Seen::Live },
    AttrDef { path: "description", on_change: OnChange::Update, seen: Seen::Live },
    AttrDef { path: "kms_key_id", on_change: OnChange::Update, seen: Seen::Live },
    AttrDef { path: "version", on_change: OnChange::Update, seen: Seen::Live },
    AttrDef { path: "replicas.*", on_change: OnChange::Update, seen: Seen::Live },
    AttrDef { path: "policy", on_change: OnChange::Update, seen: Seen::Live },
    AttrDef {
        path: "recovery_window_days",
        on_change: OnChange::Update,
        seen: Seen::Unseen("Secrets Manager is told it only with the deletion (API: DeleteSecret); kept in state"),
    },
    AttrDef { path: "tags.*", on_change: OnChange::Update, seen: Seen::Live },
];

/// A secret as it should be.
#[derive(Clone, Debug, PartialEq)]
pub struct SecretSpec {
    /// Its certificate.
    pub certificate: Addr,
    /// The region.
    pub region: String,
    /// Its name.
    pub name: String,
    /// Its description.
    pub description: Option<Text>,
    /// Its KMS key; absent: `aws/secretsmanager`.
    pub kms_key_id: Option<String>,
    /// Days in which a deleted secret can be restored; 0: none.
    pub recovery_window_days: u8,
    /// Tags, the stack's among them, meshform's own not.
    pub tags: BTreeMap<String, String>,
    /// The regions with a copy, each with its KMS key; absent: `aws/secretsmanager`.
    pub replicas: BTreeMap<String, Option<String>>,
    /// Its resource policy; absent: what is there is left alone.
    pub policy: Option<Value>,
    /// How it holds the certificate.
    pub layout: Layout,
}

impl SecretSpec {
    /// The attributes wanted. `leaf` is what the certificate is now, when it is known and stays; `description` the description with its
    /// outputs, when they are known.
    pub fn attrs(&self, leaf: Option<&LeafFacts>, description: Option<String>) -> Attrs {
        let unknown = || Attr::Unknown(self.certificate.clone());
        let mut attrs = Attrs::from([
            ("name".to_owned(), Attr::text(&self.name)),
            ("region".to_owned(), Attr::text(&self.region)),
            ("description".to_owned(), description.map_or_else(unknown, Attr::text)),
            ("kms_key_id".to_owned(), Attr::text(self.kms_key_id.as_deref().unwrap_or(DEFAULT_KEY))),
            ("recovery_window_days".to_owned(), Attr::Value(self.recovery_window_days.into())),
            ("version".to_owned(), leaf.map_or_else(unknown, |leaf| Attr::text(self.version_token(leaf)))),
        ]);
        let replica = |(region, key): (&String, &Option<String>)| (replica_path(region), Attr::text(key.as_deref().unwrap_or(DEFAULT_KEY)));
        attrs.extend(self.replicas.iter().map(replica));
        attrs.extend(self.policy.iter().map(|policy| ("policy".to_owned(), Attr::Value(policy.clone()))));
        attrs.extend(self.tags.iter().map(|(key, value)| (format!("tags.{key}"), Attr::text(value))));
        attrs
    }

    /// The id of the version that holds this certificate: 64 hex digits of SHA-256 over public bytes only, so that what a secret holds is
    /// known without reading it, and a repeated write is a no-op (API: PutSecretValue, ClientRequestToken).
    pub fn version_token(&self, leaf: &LeafFacts) -> String {
        sha256_hex(format!("{}\n{}\n{}\n{}", self.layout.tag(), self.name, leaf.leaf_sha256, leaf.chain_sha256).as_bytes())
    }

    /// Whether its description follows what its certificate is.
    pub fn has_outputs(&self) -> bool {
        self.description.iter().flat_map(|text| &text.0).any(|part| matches!(part, TextPart::Output { .. }))
    }
}

/// The attribute of a copy in another region: its KMS key.
pub fn replica_path(region: &str) -> String {
    format!("replicas.{region}")
}

/// The key that Secrets Manager uses when none is named; DescribeSecret leaves it out then.
pub const DEFAULT_KEY: &str = "alias/aws/secretsmanager";

/// Whether a version's id is one of meshform's making: what such a version holds need not be read.
pub fn is_token(version: &str) -> bool {
    version.len() == 64 && version.bytes().all(|byte| byte.is_ascii_digit() || (b'a'..=b'f').contains(&byte))
}

/// The value of the tag [`super::TAG_VERSION`]: a version that was there before meshform, and the id that meshform would have given it.
pub fn kept_version(version: &str, token: &str) -> String {
    format!("{version}={token}")
}

/// The id that meshform would have given to the current version, by that tag; nothing when the tag speaks of another version.
pub fn token_of<'t>(tag: Option<&'t str>, current: &str) -> Option<&'t str> {
    let (version, token) = tag?.split_once('=')?;
    (version == current && is_token(token)).then_some(token)
}
