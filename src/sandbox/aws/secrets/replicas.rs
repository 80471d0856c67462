//! Copies of secrets in other regions (semantics 3): made in the background, kept in step with their primary, and read only.

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::{IdInput, Secret, find_live};
use crate::sandbox::aws::wire::{Caller, Outcome, Request, refuse};
use crate::sandbox::due::{after, delay, schedule};
use crate::sandbox::error::SandboxError;
use crate::sandbox::settings::{self, bounds};
use crate::sandbox::world::Tx;

/// What can't be done to a copy.
const WRITES: &[&str] = &[
    "PutSecretValue",
    "UpdateSecret",
    "DeleteSecret",
    "RestoreSecret",
    "TagResource",
    "UntagResource",
    "UpdateSecretVersionStage",
    "PutResourcePolicy",
    "DeleteResourcePolicy",
    "ReplicateSecretToRegions",
    "RemoveRegionsFromReplication",
];

/// A copy, as its primary knows it.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct Replica {
    kms_key_id: Option<String>,
    status: Status,
    message: Option<String>,
    /// Whether it takes the place of a secret of its name.
    is_forced: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
enum Status {
    InProgress,
    InSync,
    Failed,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct AddInput {
    secret_id: Option<String>,
    #[serde(default)]
    add_replica_regions: Vec<Region>,
    #[serde(default)]
    force_overwrite_replica_secret: bool,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Region {
    region: Option<String>,
    kms_key_id: Option<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct RemoveInput {
    secret_id: Option<String>,
    #[serde(default)]
    remove_replica_regions: Vec<String>,
}

/// Refuses what is asked of a copy and would change it.
pub(super) fn refuse_on_copy(tx: &Tx<'_>, caller: &Caller, operation: &str, request: &Request) -> Outcome<()> {
    if !WRITES.contains(&operation) {
        return Ok(());
    }
    let id = request.json::<IdInput>()?.secret_id.unwrap_or_default();
    match super::look_up(tx, caller, &id)? {
        Some(secret) if secret.primary.is_some() => Err(refuse(
            "InvalidParameterException",
            "Operation not permitted on a replica secret. Call must be made in primary secret's region.",
        )),
        _ => Ok(()),
    }
}

pub(super) fn replicate(tx: &mut Tx<'_>, caller: &Caller, input: &AddInput) -> Outcome {
    let mut secret = find_live(tx, caller, input.secret_id.as_deref())?;
    if input.add_replica_regions.is_empty() {
        return Err(refuse("InvalidParameterException", "You must specify at least one region."));
    }
    for add in &input.add_replica_regions {
        let region = add.region.clone().unwrap_or_default();
        if region.is_empty() || region == secret.region {
            return Err(refuse("InvalidParameterException", "Invalid replica region."));
        }
        if secret.replicas.get(&region).is_some_and(|replica| replica.status != Status::Failed) {
            let message = format!("Secret is already replicated to region {region}.");
            return Err(refuse("InvalidParameterException", message));
        }
        let kms_key_id = add.kms_key_id.clone().filter(|key| !super::is_default_key(key));
        let is_forced = input.force_overwrite_replica_secret;
        secret.replicas.insert(region.clone(), Replica { kms_key_id, status: Status::InProgress, message: None, is_forced });
        let wait = delay(tx, bounds(settings::read(tx)?.replicated_after), &["replicate", &secret.arn, &region]);
        schedule(tx, after(tx.now(), wait), "secretsmanager.replicate", &format!("{}#{region}", secret.key()))?;
    }
    secret.save(tx)?;
    Ok(json!({ "ARN": secret.arn, "ReplicationStatus": show(&secret) }))
}

pub(super) fn remove(tx: &mut Tx<'_>, caller: &Caller, input: &RemoveInput) -> Outcome {
    let mut secret = find_live(tx, caller, input.secret_id.as_deref())?;
    for region in &input.remove_replica_regions {
        if secret.replicas.remove(region).is_some_and(|replica| replica.status == Status::InSync) {
            tx.delete(&secret.copy(region).key());
        }
    }
    secret.save(tx)?;
    Ok(json!({ "ARN": secret.arn, "ReplicationStatus": show(&secret) }))
}

/// A copy has come to its region, unless a secret of its name is there.
pub(in crate::sandbox::aws) fn arrive(tx: &mut Tx<'_>, to: &str) -> Result<(), SandboxError> {
    let Some((key, region)) = to.rsplit_once('#') else { return Ok(()) };
    let Some(mut secret) = tx.read::<Secret>(key)? else { return Ok(()) };
    let there = secret.copy(region).key();
    let is_taken = tx.read::<Secret>(&there)?.is_some_and(|other| other.primary.as_ref() != Some(&secret.region));
    let Some(replica) = secret.replicas.get_mut(region).filter(|replica| replica.status == Status::InProgress) else { return Ok(()) };
    if is_taken && !replica.is_forced {
        replica.status = Status::Failed;
        replica.message = Some(format!("Replication failed: Secret name {} already exists in region {region}", secret.name));
    } else {
        replica.status = Status::InSync;
    }
    secret.save(tx)
}

/// The state of the copies.
pub(super) fn show(secret: &Secret) -> Value {
    let shown = secret.replicas.iter().map(|(region, replica)| {
        let mut status = json!({ "Region": region, "Status": replica.status });
        status["KmsKeyId"] = json!(replica.kms_key_id.as_deref().unwrap_or("alias/aws/secretsmanager"));
        if let Some(message) = &replica.message {
            status["StatusMessage"] = json!(message);
        }
        status
    });
    shown.collect()
}

impl Secret {
    /// Its copy in a region.
    fn copy(&self, region: &str) -> Self {
        let mut copy = self.clone();
        copy.arn = self.arn.replacen(&format!(":{}:", self.region), &format!(":{region}:"), 1);
        copy.primary = Some(self.region.clone());
        region.clone_into(&mut copy.region);
        copy.kms_key_id = self.replicas.get(region).and_then(|replica| replica.kms_key_id.clone());
        copy.replicas.clear();
        copy
    }

    /// Brings its copies in step.
    pub(super) fn save_copies(&self, tx: &mut Tx<'_>) -> Result<(), SandboxError> {
        let regions = self.replicas.iter().filter(|(_, replica)| replica.status == Status::InSync).map(|(region, _)| region);
        for region in regions {
            let copy = self.copy(region);
            tx.write(&copy.key(), &copy)?;
        }
        Ok(())
    }
}
