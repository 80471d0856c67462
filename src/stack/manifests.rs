//! `manifests:` as the stack says it.

use std::collections::BTreeMap;
use std::fmt;
use std::str::FromStr;

use serde_json::Value;

use crate::addr::Addr;
use crate::diag::Place;
use crate::fields::FieldPath;

/// `manifests.<key>`: objects, and what the stack says of them.
#[derive(Clone, Debug)]
pub struct ManifestSet {
    /// Where the objects come from, in the order written: files, templates, inline objects.
    pub sources: Vec<ManifestSource>,
    /// The namespace of namespaced objects that name none.
    pub namespace: Option<String>,
    /// Rules for all of them, then those for some; later ones add to earlier ones.
    pub rules: Vec<ManifestRule>,
    /// Where it stands.
    pub place: Place,
}

/// Where objects come from.
#[derive(Clone, Debug)]
pub enum ManifestSource {
    /// A file, or a folder of which each `.yaml`, `.yml` and `.json` is read.
    File {
        /// The path, relative to the working directory.
        path: String,
        /// Where it is named.
        place: Place,
    },
    /// A template, and what it is given.
    Template(TemplateUse),
    /// An object that stands in the stack itself.
    Inline {
        /// The object.
        object: Value,
        /// Where it stands.
        place: Place,
    },
}

/// A template with its inputs.
#[derive(Clone, Debug)]
pub struct TemplateUse {
    /// The name: that of a file under `templates/`, or of a built-in template.
    pub name: String,
    /// Where the stack's own template of that name would be, relative to the working directory.
    pub path: String,
    /// The inputs, each with its place.
    pub inputs: BTreeMap<String, (Value, Place)>,
    /// Where it is named.
    pub place: Place,
}

/// What a stack says of objects beyond what they say themselves.
#[derive(Clone, Debug)]
pub struct ManifestRule {
    /// Which objects.
    pub of: AddrPattern,
    /// Consent to take over objects that meshform didn't make.
    pub adopt: Option<bool>,
    /// Fields that stay as they are once an object is there.
    pub ignore: Vec<FieldPath>,
    /// Consent to take fields from other managers: all of them, or these with all below them.
    pub force: Option<Force>,
    /// Whether they may not be deleted or replaced.
    pub protect: Option<bool>,
    /// Consent to delete and make anew what can't be changed.
    pub replace: Option<bool>,
    /// What must be ready before they are made.
    pub needs: Vec<(Addr, Place)>,
    /// Where it stands.
    pub place: Place,
}

/// `force:`
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Force {
    /// All fields, or none.
    All(bool),
    /// These.
    Paths(Vec<FieldPath>),
}

/// A pattern of addresses: `*` stands for any text but `/`, and a pattern of one `*` for everything.
#[derive(Clone, PartialEq, Eq)]
pub struct AddrPattern(String);

/// A text that no address can match.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
#[error("`{0}` is no pattern of addresses such as `deployment.apps/*/kiali`")]
pub struct NotAPattern(String);

impl AddrPattern {
    /// The pattern of everything.
    pub fn any() -> Self {
        Self("*".to_owned())
    }

    /// Whether an address is one of those meant.
    pub fn matches(&self, addr: &Addr) -> bool {
        if self.0 == "*" {
            return true;
        }
        let (text, addr) = (self.0.split('/'), addr.to_string());
        let parts: Vec<&str> = addr.split('/').collect();
        let wanted: Vec<&str> = text.collect();
        wanted.len() == parts.len() && wanted.iter().zip(parts).all(|(pattern, part)| glob(pattern, part))
    }
}

fn glob(pattern: &str, text: &str) -> bool {
    let mut pieces = pattern.split('*');
    let Some(rest) = text.strip_prefix(pieces.next().unwrap_or_default()) else { return false };
    let pieces: Vec<&str> = pieces.collect();
    let Some((last, middle)) = pieces.split_last() else { return rest.is_empty() };
    let mut rest = rest;
    for piece in middle {
        match rest.find(piece) {
            Some(at) => rest = &rest[at + piece.len()..],
            None => return false,
        }
    }
    rest.ends_with(last)
}

impl FromStr for AddrPattern {
    type Err = NotAPattern;

    fn from_str(text: &str) -> Result<Self, NotAPattern> {
        let is_pattern = text == "*" || ((2..=3).contains(&text.split('/').count()) && !text.split('/').any(str::is_empty));
        if is_pattern { Ok(Self(text.to_owned())) } else { Err(NotAPattern(text.to_owned())) }
    }
}

impl fmt::Debug for AddrPattern {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn a_star_stands_for_any_text_within_a_part() {
        let cases = [
            ("*", "namespace/prod", true),
            ("namespace/*", "namespace/prod", true),
            ("namespace/*", "secret/prod/x", false),
            ("deployment.apps/*/kiali", "deployment.apps/a/kiali", true),
            ("deployment.apps/*/kiali", "deployment.apps/a/kiali-x", false),
            ("deployment*/a/k*i", "deployment.apps/a/kiali", true),
            ("*/a/*", "deployment.apps/a/kiali", true),
            ("*.apps/a/*", "deployment.apps/b/kiali", false),
        ];
        for (pattern, addr, wanted) in cases {
            let matches = pattern.parse::<AddrPattern>().unwrap().matches(&addr.parse().unwrap());
            assert_eq!(matches, wanted, "{pattern} on {addr}");
        }
        for text in ["", "x", "a/", "a/b/c/d", "/x"] {
            assert!(text.parse::<AddrPattern>().is_err(), "{text}");
        }
    }
}
