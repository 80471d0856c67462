//! DeleteSecret and RestoreSecret.

use jiff::SignedDuration;
use serde::Deserialize;

use super::{IdInput, Secret, branch, find, look_up, seconds};
use crate::sandbox::aws::wire::{Caller, Outcome, refuse};
use crate::sandbox::due::{after, delay, schedule};
use crate::sandbox::error::SandboxError;
use crate::sandbox::settings::{self, bounds};
use crate::sandbox::world::Tx;

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct Input {
    secret_id: Option<String>,
    recovery_window_in_days: Option<i64>,
    #[serde(default)]
    force_delete_without_recovery: bool,
}

pub(super) fn delete(tx: &mut Tx<'_>, caller: &Caller, input: Input) -> Outcome {
    let force = input.force_delete_without_recovery;
    if force && input.recovery_window_in_days.is_some() {
        let message = "You can't use ForceDeleteWithoutRecovery in conjunction with RecoveryWindowInDays.";
        return Err(refuse("InvalidParameterException", message));
    }
    let days = match input.recovery_window_in_days {
        None => 30,
        Some(days @ 7..=30) => days,
        Some(_) => {
            let message = "The RecoveryWindowInDays value must be between 7 and 30 days (inclusive).";
            return Err(refuse("InvalidParameterException", message));
        }
    };
    let id = input.secret_id.unwrap_or_default();
    if force && look_up(tx, caller, &id)?.is_none() {
        // By force, what isn't there is gone as well.
        let arn = format!("arn:aws:secretsmanager:{}:{}:secret:{id}", caller.region, caller.account);
        return Ok(serde_json::json!({ "ARN": arn, "Name": id, "DeletionDate": seconds(tx.now()) }));
    }
    let mut secret = find(tx, caller, Some(&id))?;
    if secret.deleted.is_some() && !force {
        let message = "You tried to perform the operation on a secret that's currently marked deleted.";
        return Err(refuse("InvalidRequestException", message));
    }
    if !secret.replicas.is_empty() {
        let regions: Vec<&str> = secret.replicas.keys().map(String::as_str).collect();
        let message = format!("You can't delete secret {} that still has replica regions {}", secret.name, regions.join(", "));
        return Err(refuse("InvalidParameterException", message));
    }
    let mut output = secret.names();
    if force {
        output["DeletionDate"] = seconds(tx.now());
        let wait = delay(tx, bounds(settings::read(tx)?.name_free_after), &["free", &secret.arn]);
        remove(tx, &secret);
        tx.write(&format!("{}{}", branch(caller, "gone"), secret.name), &after(tx.now(), wait))?;
    } else {
        let end = after(tx.now(), SignedDuration::from_hours(24 * days));
        secret.deleted = Some((tx.now(), end));
        secret.save(tx)?;
        schedule(tx, end, "secretsmanager.purge", &secret.key())?;
        output["DeletionDate"] = seconds(end);
    }
    Ok(output)
}

pub(super) fn restore(tx: &mut Tx<'_>, caller: &Caller, input: &IdInput) -> Outcome {
    let mut secret = find(tx, caller, input.secret_id.as_deref())?;
    secret.deleted = None;
    secret.changed = tx.now();
    secret.save(tx)?;
    Ok(secret.names())
}

/// Removes a secret whose time is over, unless it was restored.
pub(in crate::sandbox::aws) fn purge(tx: &mut Tx<'_>, key: &str) -> Result<(), SandboxError> {
    if let Some(secret) = tx.read::<Secret>(key)?
        && secret.deleted.is_some_and(|(_, end)| tx.now() >= end)
    {
        remove(tx, &secret);
    }
    Ok(())
}

fn remove(tx: &mut Tx<'_>, secret: &Secret) {
    for version in secret.versions.keys() {
        tx.delete(&secret.value_key(version));
    }
    tx.delete(&secret.key());
}
