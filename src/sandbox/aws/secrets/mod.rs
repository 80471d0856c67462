//! Secrets Manager. JSON 1.1, target prefix `secretsmanager`. Message texts as in semantics 3.

mod create;
mod delete;
mod describe;
mod list;
mod policy;
mod replicas;
mod stages;
mod tags;
mod value;

use std::collections::BTreeMap;
use std::sync::Arc;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::wire::{Answer, Caller, Outcome, Request, refuse};
use super::{Failure, unknown};
use crate::sandbox::error::SandboxError;
use crate::sandbox::world::Tx;

pub(super) use delete::purge;
pub(super) use replicas::arrive;

const CURRENT: &str = "AWSCURRENT";
const PREVIOUS: &str = "AWSPREVIOUS";
const MARKED: &str = "You can't perform this operation on the secret because it was marked for deletion.";

/// A secret, without its values, which have entities of their own.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct Secret {
    pub(super) arn: String,
    name: String,
    account: String,
    region: String,
    description: Option<String>,
    kms_key_id: Option<String>,
    created: Timestamp,
    changed: Timestamp,
    /// When DeleteSecret was called, and when it will take effect.
    deleted: Option<(Timestamp, Timestamp)>,
    versions: BTreeMap<String, Version>,
    policy: Option<String>,
    /// Its copies by region.
    #[serde(default)]
    replicas: BTreeMap<String, replicas::Replica>,
    /// Of a copy: the region of the secret that it is a copy of.
    #[serde(default)]
    primary: Option<String>,
    pub(super) tags: BTreeMap<String, String>,
    /// Whether it ever had tags: the tagging API lists it then.
    pub(super) ever_tagged: bool,
}

/// A version of a secret's value.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
struct Version {
    created: Timestamp,
    stages: Vec<String>,
}

/// A value.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Content {
    /// SecretString.
    String(String),
    /// SecretBinary, in base64.
    Binary(String),
}

/// Serves a request.
pub(super) fn serve(tx: &mut Tx<'_>, caller: &Caller, operation: &str, request: &Request) -> Outcome<Answer> {
    replicas::refuse_on_copy(tx, caller, operation, request)?;
    let output = match operation {
        "CreateSecret" => create::create(tx, caller, request.json()?)?,
        "PutSecretValue" => value::put(tx, caller, request.json()?)?,
        "UpdateSecret" => value::update(tx, caller, request.json()?)?,
        "GetSecretValue" => value::get(tx, caller, &request.json()?)?,
        "DescribeSecret" => describe::describe(tx, caller, &request.json()?)?,
        "ListSecrets" => list::list(tx, caller, &request.json()?)?,
        "DeleteSecret" => delete::delete(tx, caller, request.json()?)?,
        "RestoreSecret" => delete::restore(tx, caller, &request.json()?)?,
        "TagResource" => tags::tag(tx, caller, &request.json()?)?,
        "UntagResource" => tags::untag(tx, caller, &request.json()?)?,
        "UpdateSecretVersionStage" => stages::update(tx, caller, request.json()?)?,
        "ListSecretVersionIds" => stages::list(tx, caller, &request.json()?)?,
        "PutResourcePolicy" => policy::put(tx, caller, request.json()?)?,
        "GetResourcePolicy" => policy::get(tx, caller, &request.json()?)?,
        "ReplicateSecretToRegions" => replicas::replicate(tx, caller, &request.json()?)?,
        "RemoveRegionsFromReplication" => replicas::remove(tx, caller, &request.json()?)?,
        "DeleteResourcePolicy" => policy::delete(tx, caller, &request.json()?)?,
        _ => return Err(Failure::Refusal(unknown("secretsmanager", operation))),
    };
    Ok(Answer::json(&output))
}

/// Whether a key is that of a secret.
pub(super) fn is_secret(key: &str) -> bool {
    key.split('/').nth(3) == Some("secret")
}

/// All secrets of an account in a region.
pub(super) fn all(tx: &Tx<'_>, caller: &Caller) -> Result<Arc<Vec<Secret>>, SandboxError> {
    tx.branch(&branch(caller, "secret"))
}

/// The input of operations that need nothing but a secret's id.
#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct IdInput {
    secret_id: Option<String>,
}

impl Secret {
    fn key(&self) -> String {
        format!("sm/{}/{}/secret/{}", self.account, self.region, self.name)
    }

    /// The key of a version's value. Names have no `#`.
    fn value_key(&self, version: &str) -> String {
        // A copy shows the values of its primary.
        let region = self.primary.as_ref().unwrap_or(&self.region);
        format!("sm/{}/{region}/value/{}#{version}", self.account, self.name)
    }

    fn save(&self, tx: &mut Tx<'_>) -> Result<(), SandboxError> {
        tx.write(&self.key(), self)?;
        self.save_copies(tx)
    }

    fn version_with(&self, stage: &str) -> Option<&str> {
        self.versions.iter().find(|(_, version)| version.stages.iter().any(|has| has == stage)).map(|(id, _)| id.as_str())
    }

    /// Moves a stage to a version. What was current becomes previous by itself.
    fn attach(&mut self, stage: &str, to: &str) {
        let from = self.version_with(stage).map(str::to_owned);
        if from.as_deref() == Some(to) {
            return;
        }
        self.detach(stage);
        if let Some(version) = self.versions.get_mut(to) {
            version.stages.push(stage.to_owned());
        }
        if let Some(from) = from.filter(|_| stage == CURRENT) {
            self.attach(PREVIOUS, &from);
        }
    }

    fn detach(&mut self, stage: &str) {
        for version in self.versions.values_mut() {
            version.stages.retain(|has| has != stage);
        }
    }

    fn stages(&self) -> BTreeMap<&str, &[String]> {
        let labelled = self.versions.iter().filter(|(_, version)| !version.stages.is_empty());
        labelled.map(|(id, version)| (id.as_str(), version.stages.as_slice())).collect()
    }

    fn names(&self) -> Value {
        json!({ "ARN": self.arn, "Name": self.name })
    }
}

fn branch(caller: &Caller, part: &str) -> String {
    format!("sm/{}/{}/{part}/", caller.account, caller.region)
}

/// The secret of a name, an ARN, or an ARN without its last six characters. It may be marked for deletion.
fn find(tx: &Tx<'_>, caller: &Caller, id: Option<&str>) -> Outcome<Secret> {
    let id = id.filter(|id| !id.is_empty()).ok_or_else(|| refuse("InvalidParameterException", "You must specify SecretId."))?;
    look_up(tx, caller, id)?.ok_or_else(|| refuse("ResourceNotFoundException", "Secrets Manager can't find the specified secret."))
}

fn look_up(tx: &Tx<'_>, caller: &Caller, id: &str) -> Outcome<Option<Secret>> {
    let mut owner = caller.clone();
    let Some(rest) = id.strip_prefix("arn:") else {
        return Ok(tx.read(&format!("{}{id}", branch(caller, "secret")))?);
    };
    let parts: Vec<&str> = rest.splitn(6, ':').collect();
    let [_, "secretsmanager", region, account, "secret", name] = parts.as_slice() else {
        return Err(refuse("ValidationException", format!("Invalid ARN: {id}")));
    };
    (*account).clone_into(&mut owner.account);
    if *region != caller.region || *account != caller.account {
        return Ok(None);
    }
    if let Some((name, suffix)) = name.rsplit_once('-').filter(|(_, suffix)| suffix.len() == 6)
        && let Some(secret) = tx.read::<Secret>(&format!("{}{name}", branch(&owner, "secret")))?
        && secret.arn.ends_with(suffix)
    {
        return Ok(Some(secret));
    }
    Ok(tx.read(&format!("{}{name}", branch(&owner, "secret")))?)
}

/// As [`find`], for what a secret that is marked for deletion can't do.
fn find_live(tx: &Tx<'_>, caller: &Caller, id: Option<&str>) -> Outcome<Secret> {
    let secret = find(tx, caller, id)?;
    if secret.deleted.is_some() { Err(refuse("InvalidRequestException", MARKED)) } else { Ok(secret) }
}

/// A time as JSON 1.1 has it: seconds with a fraction.
fn seconds(time: Timestamp) -> Value {
    #[expect(clippy::cast_precision_loss, reason = "milliseconds of this millennium fit a double")]
    let seconds = time.as_millisecond() as f64 / 1000.0;
    json!(seconds)
}

/// Whether a key is the one that the service uses by itself: DescribeSecret leaves it out then (API: DescribeSecret, KmsKeyId).
fn is_default_key(key: &str) -> bool {
    key.is_empty() || key.ends_with("alias/aws/secretsmanager")
}
