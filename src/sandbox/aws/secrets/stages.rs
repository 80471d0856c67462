//! UpdateSecretVersionStage and ListSecretVersionIds.

use serde::Deserialize;
use serde_json::json;

use super::{CURRENT, find, find_live, seconds};
use crate::sandbox::aws::wire::{Caller, Outcome, page_start, page_token, refuse};
use crate::sandbox::world::Tx;

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct Input {
    secret_id: Option<String>,
    version_stage: Option<String>,
    remove_from_version_id: Option<String>,
    move_to_version_id: Option<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct ListInput {
    secret_id: Option<String>,
    max_results: Option<usize>,
    next_token: Option<String>,
    #[serde(default)]
    include_deprecated: bool,
}

/// Moves a label. Where it is now must be said (semantics 3).
pub(super) fn update(tx: &mut Tx<'_>, caller: &Caller, input: Input) -> Outcome {
    let mut secret = find_live(tx, caller, input.secret_id.as_deref())?;
    let invalid = |message: String| refuse("InvalidParameterException", message);
    let stage = input.version_stage.ok_or_else(|| invalid("You must specify VersionStage.".to_owned()))?;
    for id in [&input.remove_from_version_id, &input.move_to_version_id].into_iter().flatten() {
        if !secret.versions.contains_key(id) {
            let message = format!("Secrets Manager can't find the specified secret value for VersionId: {id}");
            return Err(refuse("ResourceNotFoundException", message));
        }
    }
    let holder = secret.version_with(&stage).map(str::to_owned);
    match (&holder, &input.remove_from_version_id) {
        (Some(holder), Some(from)) if holder != from => {
            return Err(invalid(format!("The staging label {stage} isn't attached to version {from}.")));
        }
        (None, Some(from)) => return Err(invalid(format!("The staging label {stage} isn't attached to version {from}."))),
        (Some(holder), None) if input.move_to_version_id.as_ref() != Some(holder) => {
            return Err(invalid(format!(
                "The parameter RemoveFromVersionId can't be empty. Staging label {stage} is currently attached to version {holder}, so you must explicitly reference that version in RemoveFromVersionId."
            )));
        }
        _ => {}
    }
    match &input.move_to_version_id {
        Some(to) => secret.attach(&stage, to),
        None if stage == CURRENT => {
            return Err(invalid(format!(
                "You can only move staging label {CURRENT} to a different secret version. It can't be completely removed."
            )));
        }
        None => secret.detach(&stage),
    }
    secret.changed = tx.now();
    secret.save(tx)?;
    Ok(secret.names())
}

pub(super) fn list(tx: &Tx<'_>, caller: &Caller, input: &ListInput) -> Outcome {
    let secret = find(tx, caller, input.secret_id.as_deref())?;
    let size = input.max_results.unwrap_or(100);
    if !(1..=100).contains(&size) {
        return Err(refuse("InvalidParameterException", "MaxResults must be between 1 and 100."));
    }
    let start = match &input.next_token {
        None => String::new(),
        Some(token) => page_start(token).ok_or_else(|| refuse("InvalidNextTokenException", "Invalid NextToken"))?,
    };
    let mut versions = secret.versions.range(start..).filter(|(_, version)| input.include_deprecated || !version.stages.is_empty());
    let page: Vec<_> = versions.by_ref().take(size).collect();
    let shown = page
        .iter()
        .map(|(id, version)| json!({ "VersionId": id, "VersionStages": version.stages, "CreatedDate": seconds(version.created) }));
    let mut output = secret.names();
    output["Versions"] = shown.collect();
    if let Some((next, _)) = versions.next() {
        output["NextToken"] = json!(page_token(next));
    }
    Ok(output)
}
