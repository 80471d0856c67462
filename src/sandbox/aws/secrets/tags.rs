//! Tags of secrets.

use std::collections::BTreeMap;

use serde::Deserialize;
use serde_json::{Value, json};

use super::find_live;
use crate::sandbox::aws::wire::{Caller, Outcome, refuse};
use crate::sandbox::world::Tx;

/// Tags per secret.
const LIMIT: usize = 50;

#[derive(Clone, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct Tag {
    key: Option<String>,
    value: Option<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct TagInput {
    secret_id: Option<String>,
    #[serde(default)]
    tags: Vec<Tag>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct UntagInput {
    secret_id: Option<String>,
    #[serde(default)]
    tag_keys: Vec<String>,
}

pub(super) fn tag(tx: &mut Tx<'_>, caller: &Caller, input: &TagInput) -> Outcome<Value> {
    let mut secret = find_live(tx, caller, input.secret_id.as_deref())?;
    secret.tags = checked(&input.tags, &secret.tags)?;
    secret.ever_tagged |= !secret.tags.is_empty();
    secret.changed = tx.now();
    secret.save(tx)?;
    Ok(json!({}))
}

pub(super) fn untag(tx: &mut Tx<'_>, caller: &Caller, input: &UntagInput) -> Outcome<Value> {
    let mut secret = find_live(tx, caller, input.secret_id.as_deref())?;
    for key in &input.tag_keys {
        secret.tags.remove(key);
    }
    secret.changed = tx.now();
    secret.save(tx)?;
    Ok(json!({}))
}

/// Tags with others added to them, if the rules allow it.
pub(super) fn checked(added: &[Tag], to: &BTreeMap<String, String>) -> Outcome<BTreeMap<String, String>> {
    let mut tags = to.clone();
    for tag in added {
        let (key, value) = (tag.key.clone().unwrap_or_default(), tag.value.clone().unwrap_or_default());
        if key.is_empty() || key.chars().count() > 128 || value.chars().count() > 256 {
            return Err(refuse("InvalidParameterException", format!("The tag {key} is not valid.")));
        }
        if key.to_ascii_lowercase().starts_with("aws:") {
            return Err(refuse("InvalidParameterException", "Tag keys can't start with aws:."));
        }
        tags.insert(key, value);
    }
    if tags.len() > LIMIT {
        return Err(refuse("InvalidParameterException", format!("There can be at most {LIMIT} tags.")));
    }
    Ok(tags)
}
