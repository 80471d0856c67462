//! CreateSecret.

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde::Deserialize;
use serde_json::json;

use super::tags::{Tag, checked};
use super::value::{content, token};
use super::{Content, Secret, branch};
use crate::sandbox::aws::wire::{Caller, Outcome, refuse};
use crate::sandbox::world::Tx;

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct Input {
    name: Option<String>,
    client_request_token: Option<String>,
    description: Option<String>,
    kms_key_id: Option<String>,
    secret_binary: Option<String>,
    secret_string: Option<String>,
    #[serde(default)]
    tags: Vec<Tag>,
    #[serde(default)]
    add_replica_regions: Vec<serde_json::Value>,
}

pub(super) fn create(tx: &mut Tx<'_>, caller: &Caller, input: Input) -> Outcome {
    let name = input.name.unwrap_or_default();
    let allowed = |byte: u8| byte.is_ascii_alphanumeric() || b"/_+=.@-".contains(&byte);
    if name.is_empty() || name.len() > 512 || !name.bytes().all(allowed) {
        let message = "Invalid name. Must be a valid name containing alphanumeric characters, or any of the following: -/_+=.@!";
        return Err(refuse("ValidationException", message));
    }
    if !input.add_replica_regions.is_empty() {
        return Err(refuse("InvalidParameterException", "The sandbox doesn't replicate secrets."));
    }
    let content = content(input.secret_string, input.secret_binary)?;
    let version = token(tx, input.client_request_token)?;
    let key = format!("{}{name}", branch(caller, "secret"));
    if let Some(there) = tx.read::<Secret>(&key)? {
        return again(tx, &there, &version, content.as_ref());
    }
    let grave = format!("{}{name}", branch(caller, "gone"));
    if tx.read::<Timestamp>(&grave)?.is_some_and(|until| tx.now() < until) {
        return Err(refuse("InvalidRequestException", "You can't perform this operation on the secret because it was deleted."));
    }
    tx.delete(&grave);
    let tags = checked(&input.tags, &BTreeMap::new())?;
    let fresh = tx.fresh();
    let letters = b"abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789";
    let suffix: String = fresh.iter().take(6).map(|byte| char::from(letters[usize::from(*byte) % letters.len()])).collect();
    let mut secret = Secret {
        arn: format!("arn:aws:secretsmanager:{}:{}:secret:{name}-{suffix}", caller.region, caller.account),
        name,
        account: caller.account.clone(),
        region: caller.region.clone(),
        description: input.description,
        kms_key_id: input.kms_key_id.filter(|key| !super::is_default_key(key)),
        created: tx.now(),
        changed: tx.now(),
        deleted: None,
        versions: BTreeMap::new(),
        policy: None,
        replicas: BTreeMap::new(),
        primary: None,
        ever_tagged: !tags.is_empty(),
        tags,
    };
    let mut output = secret.names();
    if let Some(content) = content {
        secret.add_version(tx, &version, &content, &[super::CURRENT.to_owned()])?;
        output["VersionId"] = json!(version);
    }
    secret.save(tx)?;
    Ok(output)
}

/// A name that exists: right only when the same token has made it with the same value.
fn again(tx: &Tx<'_>, there: &Secret, version: &str, content: Option<&Content>) -> Outcome {
    if there.deleted.is_some() {
        let message = "You can't create this secret because a secret with this name is already scheduled for deletion.";
        return Err(refuse("InvalidRequestException", message));
    }
    if there.versions.contains_key(version) && tx.read::<Content>(&there.value_key(version))?.as_ref() == content {
        let mut output = there.names();
        output["VersionId"] = json!(version);
        return Ok(output);
    }
    let message = format!("The operation failed because the secret {} already exists.", there.name);
    Err(refuse("ResourceExistsException", message))
}
