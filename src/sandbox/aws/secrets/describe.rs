//! DescribeSecret. It works on a secret that is marked for deletion (semantics 3).

use serde_json::{Value, json};

use super::{IdInput, Secret, find, replicas, seconds};
use crate::sandbox::aws::wire::{Caller, Outcome};
use crate::sandbox::world::Tx;

pub(super) fn describe(tx: &Tx<'_>, caller: &Caller, input: &IdInput) -> Outcome {
    let secret = find(tx, caller, input.secret_id.as_deref())?;
    let mut output = show(&secret);
    output["VersionIdsToStages"] = json!(secret.stages());
    if !secret.replicas.is_empty() {
        output["ReplicationStatus"] = replicas::show(&secret);
    }
    Ok(output)
}

/// What descriptions and lists have in common.
pub(super) fn show(secret: &Secret) -> Value {
    let mut output = secret.names();
    let tags: Vec<Value> = secret.tags.iter().map(|(key, value)| json!({ "Key": key, "Value": value })).collect();
    output["CreatedDate"] = seconds(secret.created);
    output["LastChangedDate"] = seconds(secret.changed);
    output["Tags"] = json!(tags);
    if let Some(description) = &secret.description {
        output["Description"] = json!(description);
    }
    // Absent for the account's default key.
    if let Some(key) = &secret.kms_key_id {
        output["KmsKeyId"] = json!(key);
    }
    if let Some(primary) = secret.primary.as_ref().or(Some(&secret.region).filter(|_| !secret.replicas.is_empty())) {
        output["PrimaryRegion"] = json!(primary);
    }
    if let Some((deleted, _)) = secret.deleted {
        output["DeletedDate"] = seconds(deleted);
    }
    output
}
