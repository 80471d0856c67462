//! Tags of certificates.

use std::collections::BTreeMap;

use serde::Deserialize;
use serde_json::{Value, json};

use super::{ArnInput, find};
use crate::sandbox::aws::wire::{Caller, Outcome, refuse};
use crate::sandbox::world::Tx;

/// Tags per certificate.
const LIMIT: usize = 50;

#[derive(Clone, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct Tag {
    key: String,
    value: Option<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct TagsInput {
    certificate_arn: Option<String>,
    #[serde(default)]
    tags: Vec<Tag>,
}

pub(super) fn add(tx: &mut Tx<'_>, caller: &Caller, input: &TagsInput) -> Outcome<Value> {
    let mut certificate = find(tx, caller, input.certificate_arn.as_deref())?;
    certificate.tags = checked(&input.tags, &certificate.tags)?;
    certificate.ever_tagged |= !certificate.tags.is_empty();
    certificate.save(tx)?;
    Ok(json!({}))
}

/// Removes tags by key; one with a value only where the value is the same.
pub(super) fn remove(tx: &mut Tx<'_>, caller: &Caller, input: &TagsInput) -> Outcome<Value> {
    let mut certificate = find(tx, caller, input.certificate_arn.as_deref())?;
    for Tag { key, value } in &input.tags {
        if certificate.tags.get(key).is_some_and(|has| value.as_ref().is_none_or(|value| value == has)) {
            certificate.tags.remove(key);
        }
    }
    certificate.save(tx)?;
    Ok(json!({}))
}

pub(super) fn list(tx: &Tx<'_>, caller: &Caller, input: &ArnInput) -> Outcome<Value> {
    let certificate = find(tx, caller, input.certificate_arn.as_deref())?;
    let tags: Vec<Value> = certificate.tags.iter().map(|(key, value)| json!({ "Key": key, "Value": value })).collect();
    Ok(json!({ "Tags": tags }))
}

/// Tags with others added to them, if the rules allow it (semantics 1.1).
pub(super) fn checked(added: &[Tag], to: &BTreeMap<String, String>) -> Outcome<BTreeMap<String, String>> {
    let mut tags = to.clone();
    for Tag { key, value } in added {
        let value = value.clone().unwrap_or_default();
        let fits = |text: &str| text.chars().all(|one| one.is_alphanumeric() || one.is_whitespace() || "_.:/=+-@".contains(one));
        if key.is_empty() || key.chars().count() > 128 || value.chars().count() > 256 || !fits(key) || !fits(&value) {
            return Err(refuse("InvalidTagException", format!("The tag {key} is not valid.")));
        }
        if key.to_ascii_lowercase().starts_with("aws:") {
            return Err(refuse("InvalidTagException", "aws: prefixed tag key names are not allowed for external use."));
        }
        tags.insert(key.clone(), value);
    }
    if tags.len() > LIMIT {
        return Err(refuse("TooManyTagsException", format!("There can be at most {LIMIT} tags.")));
    }
    Ok(tags)
}
