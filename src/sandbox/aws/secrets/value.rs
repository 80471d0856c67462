//! Values: PutSecretValue, UpdateSecret, GetSecretValue.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use jiff::SignedDuration;
use serde::Deserialize;
use serde_json::json;

use super::{CURRENT, Content, MARKED, Secret, Version, find, find_live, seconds};
use crate::sandbox::aws::wire::{Caller, Outcome, hex, refuse};
use crate::sandbox::due::after;
use crate::sandbox::world::Tx;

/// Bytes in a value.
const SIZE: usize = 65_536;
/// Versions that are kept, apart from those younger than a day.
const VERSIONS: usize = 100;
/// Labels on a version.
const STAGES: usize = 20;

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct PutInput {
    secret_id: Option<String>,
    client_request_token: Option<String>,
    secret_binary: Option<String>,
    secret_string: Option<String>,
    version_stages: Option<Vec<String>>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct UpdateInput {
    secret_id: Option<String>,
    client_request_token: Option<String>,
    description: Option<String>,
    kms_key_id: Option<String>,
    secret_binary: Option<String>,
    secret_string: Option<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct GetInput {
    secret_id: Option<String>,
    version_id: Option<String>,
    version_stage: Option<String>,
}

/// A token that was used brings back its version when the value is the same, and is refused when it's another.
pub(super) fn put(tx: &mut Tx<'_>, caller: &Caller, input: PutInput) -> Outcome {
    let mut secret = find_live(tx, caller, input.secret_id.as_deref())?;
    let Some(content) = content(input.secret_string, input.secret_binary)? else {
        return Err(refuse("InvalidRequestException", "You must provide either SecretString or SecretBinary."));
    };
    let version = token(tx, input.client_request_token)?;
    let stages = input.version_stages.unwrap_or_else(|| vec![CURRENT.to_owned()]);
    if stages.is_empty() || stages.len() > STAGES || stages.iter().any(|stage| stage.is_empty() || stage.len() > 256) {
        return Err(refuse("InvalidParameterException", "VersionStages must have 1 to 20 labels of 1 to 256 characters."));
    }
    match tx.read::<Content>(&secret.value_key(&version))? {
        Some(there) if there == content => {}
        Some(_) => return Err(refuse("ResourceExistsException", "A resource with the ID you requested already exists.")),
        None => {
            secret.add_version(tx, &version, &content, &stages)?;
            secret.save(tx)?;
        }
    }
    let mut output = secret.names();
    output["VersionId"] = json!(version);
    output["VersionStages"] = json!(secret.versions.get(&version).map(|version| &version.stages));
    Ok(output)
}

/// Unlike [`put`], a token that was used is an error (semantics 3).
pub(super) fn update(tx: &mut Tx<'_>, caller: &Caller, input: UpdateInput) -> Outcome {
    let mut secret = find_live(tx, caller, input.secret_id.as_deref())?;
    let content = content(input.secret_string, input.secret_binary)?;
    let version = token(tx, input.client_request_token)?;
    let mut output = secret.names();
    if let Some(content) = content {
        if secret.versions.contains_key(&version) {
            return Err(refuse("ResourceExistsException", "A resource with the ID you requested already exists."));
        }
        secret.add_version(tx, &version, &content, &[CURRENT.to_owned()])?;
        output["VersionId"] = json!(version);
    }
    if input.description.is_some() {
        secret.description = input.description;
    }
    if input.kms_key_id.is_some() {
        secret.kms_key_id = input.kms_key_id.filter(|key| !super::is_default_key(key));
    }
    secret.changed = tx.now();
    secret.save(tx)?;
    Ok(output)
}

pub(super) fn get(tx: &Tx<'_>, caller: &Caller, input: &GetInput) -> Outcome {
    let secret = find(tx, caller, input.secret_id.as_deref())?;
    if secret.deleted.is_some() {
        return Err(refuse("InvalidRequestException", MARKED));
    }
    let missing = |what: &str| {
        let message = format!("Secrets Manager can't find the specified secret value for {what}");
        refuse("ResourceNotFoundException", message)
    };
    let stage = input.version_stage.as_deref();
    let by_stage = || {
        let stage = stage.unwrap_or(CURRENT);
        secret.version_with(stage).ok_or_else(|| missing(&format!("staging label: {stage}")))
    };
    let id = input.version_id.as_deref().map_or_else(by_stage, Ok)?;
    let version = secret.versions.get(id).ok_or_else(|| missing(&format!("VersionId: {id}")))?;
    if stage.is_some_and(|stage| !version.stages.iter().any(|has| has == stage)) {
        let message = "You provided a VersionStage that is not associated to the provided VersionId.";
        return Err(refuse("InvalidRequestException", message));
    }
    let content = tx.read::<Content>(&secret.value_key(id))?.ok_or_else(|| missing(&format!("VersionId: {id}")))?;
    let mut output = secret.names();
    output["VersionId"] = json!(id);
    output["VersionStages"] = json!(version.stages);
    output["CreatedDate"] = seconds(version.created);
    match content {
        Content::String(text) => output["SecretString"] = json!(text),
        Content::Binary(bytes) => output["SecretBinary"] = json!(bytes),
    }
    Ok(output)
}

impl Secret {
    /// Adds a version and gives it its stages. The caller saves the secret.
    pub(super) fn add_version(&mut self, tx: &mut Tx<'_>, id: &str, content: &Content, stages: &[String]) -> Outcome<()> {
        let young = after(tx.now(), SignedDuration::from_hours(-24));
        while self.versions.len() >= VERSIONS {
            let unlabelled = self.versions.iter().filter(|(_, version)| version.stages.is_empty() && version.created < young);
            let Some(oldest) = unlabelled.min_by_key(|(_, version)| version.created).map(|(id, _)| id.clone()) else {
                return Err(refuse("LimitExceededException", "The secret has reached its limit of 100 versions."));
            };
            self.versions.remove(&oldest);
            tx.delete(&self.value_key(&oldest));
        }
        self.versions.insert(id.to_owned(), Version { created: tx.now(), stages: Vec::new() });
        tx.write(&self.value_key(id), content)?;
        for stage in stages {
            self.attach(stage, id);
        }
        self.changed = tx.now();
        Ok(())
    }
}

/// The value of a request: a string or bytes, and never both.
pub(super) fn content(string: Option<String>, binary: Option<String>) -> Outcome<Option<Content>> {
    let (content, size) = match (string, binary) {
        (Some(_), Some(_)) => {
            let message = "You can't specify both a binary secret value and a string secret value in the same secret.";
            return Err(refuse("InvalidParameterException", message));
        }
        (None, None) => return Ok(None),
        (Some(string), None) => {
            let size = string.len();
            (Content::String(string), size)
        }
        (None, Some(binary)) => {
            let bytes = BASE64.decode(&binary).map_err(|error| refuse("SerializationException", error.to_string()))?;
            (Content::Binary(binary), bytes.len())
        }
    };
    if size > SIZE {
        return Err(refuse("InvalidParameterException", format!("The secret value must have at most {SIZE} bytes.")));
    }
    if size == 0 {
        return Err(refuse("InvalidParameterException", "The secret value can't be empty."));
    }
    Ok(Some(content))
}

/// The token of a request, which becomes the id of its version.
pub(super) fn token(tx: &mut Tx<'_>, given: Option<String>) -> Outcome<String> {
    match given {
        Some(token) if (32..=64).contains(&token.len()) => Ok(token),
        Some(_) => Err(refuse("InvalidParameterException", "ClientRequestToken must be 32-64 characters long.")),
        None => Ok(hex(&tx.fresh())),
    }
}
