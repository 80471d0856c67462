//! Secrets Manager: secrets by list, and writes that are no-ops when repeated.

use std::collections::BTreeMap;

use aws_sdk_secretsmanager::Client;
use aws_sdk_secretsmanager::types::{Filter, FilterNameStringType, ReplicaRegionType, ReplicationStatusType, Tag};
use serde_json::Value;

use super::failed;
use crate::permissions::Call;
use crate::provider::budget::Budget;
use crate::provider::error::{Class, ProviderError};
use crate::secret::SecretBytes;

/// Secrets Manager of one region.
#[derive(Clone)]
pub struct SecretsManager {
    client: Client,
    scope: String,
    budget: Budget,
}

/// A secret without its value.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SecretEntry {
    /// Its ARN, which ends in six random characters.
    pub arn: String,
    /// Its name.
    pub name: String,
    /// Its description; empty when it has none.
    pub description: String,
    /// Its KMS key; absent: `aws/secretsmanager`.
    pub kms_key_id: Option<String>,
    /// Its tags.
    pub tags: BTreeMap<String, String>,
    /// The id of the version that carries AWSCURRENT.
    pub current_version: Option<String>,
    /// Whether it is scheduled for deletion.
    pub is_deleted: bool,
    /// The service that manages it, if any.
    pub owning_service: Option<String>,
    /// The region of the secret that it is a copy of, or its own when it has copies; absent: neither.
    pub primary_region: Option<String>,
    /// Its copies by region; absent where it isn't told: lists don't.
    pub replicas: Option<BTreeMap<String, Replica>>,
}

/// A copy of a secret in another region, as its primary knows it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Replica {
    /// Its KMS key; absent: `aws/secretsmanager`.
    pub kms_key_id: Option<String>,
    /// `InProgress`, `InSync`, `Failed`.
    pub status: String,
    /// Why it failed.
    pub message: String,
}

/// What a secret is created with.
pub struct NewSecret<'a> {
    /// Its name.
    pub name: &'a str,
    /// Its description.
    pub description: &'a str,
    /// Its KMS key.
    pub kms_key_id: Option<&'a str>,
    /// Its tags.
    pub tags: &'a BTreeMap<String, String>,
    /// The id of its first version.
    pub token: &'a str,
}

impl SecretsManager {
    pub(super) fn new(client: Client, scope: String, budget: Budget) -> Self {
        Self { client, scope, budget }
    }

    /// The secrets that carry the tag `key`, those scheduled for deletion among them.
    pub async fn list_by_tag_key(&self, key: &str) -> Result<Vec<SecretEntry>, ProviderError> {
        let listed = self.list(FilterNameStringType::TagKey, vec![key.to_owned()]).await?;
        // The filter matches prefixes.
        Ok(listed.into_iter().filter(|entry| entry.tags.contains_key(key)).collect())
    }

    /// The secrets of these names, those scheduled for deletion among them: ten names a request.
    pub async fn list_by_names(&self, names: &[&str]) -> Result<Vec<SecretEntry>, ProviderError> {
        let mut found = Vec::new();
        for some in names.chunks(10) {
            let listed = self.list(FilterNameStringType::Name, some.iter().map(|name| (*name).to_owned()).collect()).await?;
            found.extend(listed.into_iter().filter(|entry| some.contains(&entry.name.as_str())));
        }
        Ok(found)
    }

    async fn list(&self, by: FilterNameStringType, values: Vec<String>) -> Result<Vec<SecretEntry>, ProviderError> {
        let operation = Call::ListSecrets;
        let mut found = Vec::new();
        let mut token = None;
        loop {
            self.budget.take(&self.scope, operation).await;
            let page = self
                .client
                .list_secrets()
                .filters(Filter::builder().key(by.clone()).set_values(Some(values.clone())).build())
                .include_planned_deletion(true)
                .max_results(100)
                .set_next_token(token)
                .send()
                .await
                .map_err(|error| failed(operation, "the region's secrets", error))?;
            for entry in page.secret_list() {
                let versions = entry.secret_versions_to_stages();
                found.push(SecretEntry {
                    arn: entry.arn().unwrap_or_default().to_owned(),
                    name: entry.name().unwrap_or_default().to_owned(),
                    description: entry.description().unwrap_or_default().to_owned(),
                    kms_key_id: entry.kms_key_id().map(ToOwned::to_owned),
                    tags: tag_map(entry.tags()),
                    current_version: versions.and_then(current_of),
                    is_deleted: entry.deleted_date().is_some(),
                    owning_service: entry.owning_service().map(ToOwned::to_owned),
                    primary_region: entry.primary_region().map(ToOwned::to_owned),
                    replicas: None,
                });
            }
            token = page.next_token().filter(|t| !t.is_empty()).map(ToOwned::to_owned);
            if token.is_none() {
                return Ok(found);
            }
        }
    }

    /// One secret by name or ARN, also when it is scheduled for deletion.
    pub async fn describe(&self, id: &str) -> Result<SecretEntry, ProviderError> {
        let operation = Call::DescribeSecret;
        self.budget.take(&self.scope, operation).await;
        let answer = self.client.describe_secret().secret_id(id).send().await.map_err(|error| failed(operation, id, error))?;
        Ok(SecretEntry {
            arn: answer.arn().unwrap_or_default().to_owned(),
            name: answer.name().unwrap_or_default().to_owned(),
            description: answer.description().unwrap_or_default().to_owned(),
            kms_key_id: answer.kms_key_id().map(ToOwned::to_owned),
            tags: tag_map(answer.tags()),
            current_version: answer.version_ids_to_stages().and_then(current_of),
            is_deleted: answer.deleted_date().is_some(),
            owning_service: answer.owning_service().map(ToOwned::to_owned),
            primary_region: answer.primary_region().map(ToOwned::to_owned),
            replicas: Some(answer.replication_status().iter().filter_map(replica).collect()),
        })
    }

    /// The current value of a secret; nothing when it has none.
    pub async fn value(&self, id: &str) -> Result<Option<SecretBytes>, ProviderError> {
        let operation = Call::GetSecretValue;
        self.budget.take(&self.scope, operation).await;
        let answer = match self.client.get_secret_value().secret_id(id).send().await.map_err(|error| failed(operation, id, error)) {
            Ok(answer) => answer,
            Err(error) if error.is_not_found() => return Ok(None),
            Err(error) => return Err(error),
        };
        let binary = answer.secret_binary.map(|blob| SecretBytes::new(blob.into_inner()));
        Ok(answer.secret_string.map(SecretBytes::from_text).or(binary))
    }

    /// The resource policy, if there is one.
    pub async fn policy(&self, id: &str) -> Result<Option<Value>, ProviderError> {
        let operation = Call::GetResourcePolicy;
        self.budget.take(&self.scope, operation).await;
        let answer = self.client.get_resource_policy().secret_id(id).send().await.map_err(|error| failed(operation, id, error))?;
        let Some(text) = answer.resource_policy().filter(|text| !text.is_empty()) else { return Ok(None) };
        let policy = serde_json::from_str(text);
        policy.map(Some).map_err(|_| ProviderError::own(operation.name(), id, Class::Server, "the policy in the answer is no JSON"))
    }

    /// Sets the resource policy; one that lets everyone in is refused.
    pub async fn set_policy(&self, id: &str, policy: &Value) -> Result<(), ProviderError> {
        let operation = Call::PutResourcePolicy;
        self.budget.take(&self.scope, operation).await;
        let request = self.client.put_resource_policy().secret_id(id).resource_policy(policy.to_string()).block_public_policy(true);
        request.send().await.map_err(|error| failed(operation, id, error))?;
        Ok(())
    }

    /// Takes the resource policy off.
    pub async fn remove_policy(&self, id: &str) -> Result<(), ProviderError> {
        let operation = Call::DeleteResourcePolicy;
        self.budget.take(&self.scope, operation).await;
        self.client.delete_resource_policy().secret_id(id).send().await.map_err(|error| failed(operation, id, error))?;
        Ok(())
    }

    /// Begins to copy a secret to these regions, each with its KMS key. A secret of the name that is there is not overwritten.
    pub async fn replicate(&self, id: &str, to: &BTreeMap<String, Option<String>>) -> Result<(), ProviderError> {
        if to.is_empty() {
            return Ok(());
        }
        let operation = Call::ReplicateSecretToRegions;
        self.budget.take(&self.scope, operation).await;
        let regions = to.iter().map(|(region, key)| ReplicaRegionType::builder().region(region).set_kms_key_id(key.clone()).build());
        let request = self.client.replicate_secret_to_regions().secret_id(id).set_add_replica_regions(Some(regions.collect()));
        request.send().await.map_err(|error| failed(operation, id, error))?;
        Ok(())
    }

    /// Removes the copies in these regions.
    pub async fn remove_replicas(&self, id: &str, from: &[String]) -> Result<(), ProviderError> {
        if from.is_empty() {
            return Ok(());
        }
        let operation = Call::RemoveRegionsFromReplication;
        self.budget.take(&self.scope, operation).await;
        let request = self.client.remove_regions_from_replication().secret_id(id).set_remove_replica_regions(Some(from.to_vec()));
        request.send().await.map_err(|error| failed(operation, id, error))?;
        Ok(())
    }

    /// Creates a secret with its first version. Returns the ARN.
    pub async fn create(&self, new: &NewSecret<'_>, value: &SecretBytes) -> Result<String, ProviderError> {
        let operation = Call::CreateSecret;
        self.budget.take(&self.scope, operation).await;
        let answer = self
            .client
            .create_secret()
            .name(new.name)
            .set_description((!new.description.is_empty()).then(|| new.description.to_owned()))
            .set_kms_key_id(new.kms_key_id.map(ToOwned::to_owned))
            .set_tags(Some(sdk_tags(new.tags)))
            .client_request_token(new.token)
            .secret_string(text(value, operation, new.name)?)
            .send()
            .await
            .map_err(|error| failed(operation, new.name, error))?;
        let arn = answer.arn().map(ToOwned::to_owned);
        arn.ok_or_else(|| ProviderError::own(operation.name(), new.name, Class::Server, "the answer holds no ARN"))
    }

    /// Makes `value` the current version under the id `token`; a no-op when that version is there.
    pub async fn put(&self, id: &str, token: &str, value: &SecretBytes) -> Result<(), ProviderError> {
        let operation = Call::PutSecretValue;
        self.budget.take(&self.scope, operation).await;
        let request = self.client.put_secret_value().secret_id(id).client_request_token(token).secret_string(text(value, operation, id)?);
        request.send().await.map_err(|error| failed(operation, id, error))?;
        Ok(())
    }

    /// Moves AWSCURRENT to a version that is there already, from the one that carries it now.
    pub async fn make_current(&self, id: &str, version: &str, from: Option<&str>) -> Result<(), ProviderError> {
        let operation = Call::UpdateSecretVersionStage;
        self.budget.take(&self.scope, operation).await;
        let request = self.client.update_secret_version_stage().secret_id(id).version_stage("AWSCURRENT").move_to_version_id(version);
        let request = request.set_remove_from_version_id(from.map(ToOwned::to_owned));
        request.send().await.map_err(|error| failed(operation, id, error))?;
        Ok(())
    }

    /// Changes description and key.
    pub async fn update(&self, id: &str, description: Option<&str>, kms_key_id: Option<&str>) -> Result<(), ProviderError> {
        let operation = Call::UpdateSecret;
        self.budget.take(&self.scope, operation).await;
        let request = self.client.update_secret().secret_id(id).set_description(description.map(ToOwned::to_owned));
        let request = request.set_kms_key_id(kms_key_id.map(ToOwned::to_owned));
        request.send().await.map_err(|error| failed(operation, id, error))?;
        Ok(())
    }

    /// Deletes a secret: after `recovery_window_days`, or at once when that is 0.
    pub async fn delete(&self, id: &str, recovery_window_days: u8) -> Result<(), ProviderError> {
        let operation = Call::DeleteSecret;
        self.budget.take(&self.scope, operation).await;
        let request = self.client.delete_secret().secret_id(id);
        let request = match recovery_window_days {
            0 => request.force_delete_without_recovery(true),
            days => request.recovery_window_in_days(i64::from(days)),
        };
        request.send().await.map_err(|error| failed(operation, id, error))?;
        Ok(())
    }

    /// Takes back a scheduled deletion.
    pub async fn restore(&self, id: &str) -> Result<(), ProviderError> {
        let operation = Call::RestoreSecret;
        self.budget.take(&self.scope, operation).await;
        self.client.restore_secret().secret_id(id).send().await.map_err(|error| failed(operation, id, error))?;
        Ok(())
    }

    /// Sets tags.
    pub async fn tag(&self, id: &str, tags: &BTreeMap<String, String>) -> Result<(), ProviderError> {
        if tags.is_empty() {
            return Ok(());
        }
        let operation = Call::TagSecret;
        self.budget.take(&self.scope, operation).await;
        let request = self.client.tag_resource().secret_id(id).set_tags(Some(sdk_tags(tags)));
        request.send().await.map_err(|error| failed(operation, id, error))?;
        Ok(())
    }

    /// Removes tags.
    pub async fn untag(&self, id: &str, keys: &[String]) -> Result<(), ProviderError> {
        if keys.is_empty() {
            return Ok(());
        }
        let operation = Call::UntagSecret;
        self.budget.take(&self.scope, operation).await;
        let request = self.client.untag_resource().secret_id(id).set_tag_keys(Some(keys.to_vec()));
        request.send().await.map_err(|error| failed(operation, id, error))?;
        Ok(())
    }
}

fn text(value: &SecretBytes, operation: Call, subject: &str) -> Result<String, ProviderError> {
    let text = String::from_utf8(value.expose_secret().to_vec());
    text.map_err(|_| ProviderError::own(operation.name(), subject, Class::Invalid, "the value is not text"))
}

fn replica(status: &ReplicationStatusType) -> Option<(String, Replica)> {
    let replica = Replica {
        kms_key_id: status.kms_key_id().map(ToOwned::to_owned),
        status: status.status().map(|status| status.as_str().to_owned()).unwrap_or_default(),
        message: status.status_message().unwrap_or_default().to_owned(),
    };
    Some((status.region()?.to_owned(), replica))
}

fn current_of(versions: &std::collections::HashMap<String, Vec<String>>) -> Option<String> {
    versions.iter().find(|(_, stages)| stages.iter().any(|stage| stage == "AWSCURRENT")).map(|(id, _)| id.clone())
}

fn tag_map(tags: &[Tag]) -> BTreeMap<String, String> {
    tags.iter().map(|tag| (tag.key().unwrap_or_default().to_owned(), tag.value().unwrap_or_default().to_owned())).collect()
}

fn sdk_tags(tags: &BTreeMap<String, String>) -> Vec<Tag> {
    tags.iter().map(|(key, value)| Tag::builder().key(key).value(value).build()).collect()
}
