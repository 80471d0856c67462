//! Route 53: zones by list, records by zone, changes in batches.

use aws_sdk_route53::Client;
use aws_sdk_route53::error::SdkError;
use aws_sdk_route53::operation::change_resource_record_sets::ChangeResourceRecordSetsError;
use aws_sdk_route53::types::{AliasTarget, Change, ChangeAction, ChangeBatch, ChangeStatus, ResourceRecord, ResourceRecordSet, RrType};

use super::failed;
use crate::permissions::Call;
use crate::provider::budget::Budget;
use crate::provider::error::{Class, ProviderError};
use crate::resource::alias_record::{Alias, Record};

/// The most changes in one batch that meshform sends. Route 53 takes 1,000 records or 32,000 characters, where an UPSERT counts twice
/// (developer guide, "Quotas on ChangeResourceRecordSets"); a validation record has under 200 characters.
pub const MAX_BATCH: usize = 80;

/// Route 53 as one identity sees it.
#[derive(Clone)]
pub struct Route53 {
    client: Client,
    scope: String,
    budget: Budget,
}

/// A hosted zone.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HostedZone {
    /// Its id, without `/hostedzone/`.
    pub id: String,
    /// Its name, lower case, without trailing dot.
    pub name: String,
    /// Whether it is private.
    pub is_private: bool,
    /// The service that manages it, if any.
    pub linked_service: Option<String>,
    /// How many record sets it holds.
    pub records: usize,
}

/// What to do with a record.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RecordAction {
    /// It must not exist.
    Create,
    /// It may exist, and is overwritten.
    Upsert,
    /// It must exist just so.
    Delete,
}

/// A failed batch.
#[derive(Debug)]
pub struct BatchError {
    /// The failure.
    pub error: ProviderError,
    /// What Route 53 says of each change that it refuses; nothing of the batch was done then.
    pub messages: Vec<String>,
}

impl Route53 {
    pub(super) fn new(client: Client, scope: String, budget: Budget) -> Self {
        Self { client, scope, budget }
    }

    /// All zones. `ListHostedZonesByName` without a name lists them all, so that no further permission is needed.
    pub async fn zones(&self) -> Result<Vec<HostedZone>, ProviderError> {
        let operation = Call::ListHostedZonesByName;
        let mut zones = Vec::new();
        let (mut name, mut id) = (None, None);
        loop {
            self.budget.take(&self.scope, operation).await;
            let request = self.client.list_hosted_zones_by_name().set_dns_name(name).set_hosted_zone_id(id);
            let page = request.send().await.map_err(|error| failed(operation, "hosted zones", error))?;
            for zone in page.hosted_zones() {
                zones.push(HostedZone {
                    id: zone.id().trim_start_matches("/hostedzone/").to_owned(),
                    name: normal_name(zone.name()),
                    is_private: zone.config().is_some_and(aws_sdk_route53::types::HostedZoneConfig::private_zone),
                    linked_service: zone.linked_service().and_then(|s| s.service_principal()).map(ToOwned::to_owned),
                    records: zone.resource_record_set_count().and_then(|count| usize::try_from(count).ok()).unwrap_or(usize::MAX),
                });
            }
            if !page.is_truncated() {
                return Ok(zones);
            }
            name = page.next_dns_name().map(ToOwned::to_owned);
            id = page.next_hosted_zone_id().map(ToOwned::to_owned);
        }
    }

    /// All record sets of a zone: 300 a request.
    pub async fn records(&self, zone_id: &str) -> Result<Vec<Record>, ProviderError> {
        let operation = Call::ListResourceRecordSets;
        let mut records = Vec::new();
        let (mut name, mut rr_type, mut identifier) = (None, None, None);
        loop {
            self.budget.take(&self.scope, operation).await;
            let request = self.client.list_resource_record_sets().hosted_zone_id(zone_id);
            let request = request.set_start_record_name(name).set_start_record_type(rr_type).set_start_record_identifier(identifier);
            let page = request.send().await.map_err(|error| failed(operation, zone_id, error))?;
            records.extend(page.resource_record_sets().iter().map(record));
            if !page.is_truncated() {
                return Ok(records);
            }
            name = page.next_record_name().map(ToOwned::to_owned);
            rr_type = page.next_record_type().cloned();
            identifier = page.next_record_identifier().map(ToOwned::to_owned);
        }
    }

    /// The record set of this name and type, exactly.
    pub async fn record(&self, zone_id: &str, name: &str, rr_type: &str) -> Result<Option<Record>, ProviderError> {
        let operation = Call::ListResourceRecordSets;
        self.budget.take(&self.scope, operation).await;
        let request = self.client.list_resource_record_sets().hosted_zone_id(zone_id).start_record_name(name);
        let request = request.start_record_type(RrType::from(rr_type)).max_items(1);
        let page = request.send().await.map_err(|error| failed(operation, name, error))?;
        // The list starts there: when there is none, it gives the next one.
        Ok(page.resource_record_sets().iter().map(record).find(|r| r.name == name && r.rr_type == rr_type))
    }

    /// The record sets of this name, of any type.
    pub async fn records_at(&self, zone_id: &str, name: &str) -> Result<Vec<Record>, ProviderError> {
        let operation = Call::ListResourceRecordSets;
        self.budget.take(&self.scope, operation).await;
        let request = self.client.list_resource_record_sets().hosted_zone_id(zone_id).start_record_name(name);
        let page = request.send().await.map_err(|error| failed(operation, name, error))?;
        Ok(page.resource_record_sets().iter().map(record).filter(|record| record.name == name).collect())
    }

    /// Sends one batch, all or nothing. Returns the change's id.
    pub async fn change(&self, zone_id: &str, changes: &[(RecordAction, Record)]) -> Result<String, BatchError> {
        let operation = Call::ChangeResourceRecordSets;
        self.budget.take(&self.scope, operation).await;
        let invalid = |error: &dyn std::error::Error| BatchError {
            error: ProviderError::own(operation.name(), zone_id, Class::Invalid, error.to_string()),
            messages: Vec::new(),
        };
        let mut batch = ChangeBatch::builder().comment("meshform");
        for (action, record) in changes {
            let mut set = ResourceRecordSet::builder().name(&record.name).r#type(RrType::from(record.rr_type.as_str()));
            if let Some(alias) = &record.alias {
                let target = AliasTarget::builder().dns_name(&alias.name).hosted_zone_id(&alias.zone_id);
                let target = target.evaluate_target_health(alias.evaluate_target_health).build().map_err(|e| invalid(&e))?;
                set = set.alias_target(target);
            } else {
                set = set.ttl(record.ttl);
            }
            for value in &record.values {
                set = set.resource_records(ResourceRecord::builder().value(value).build().map_err(|e| invalid(&e))?);
            }
            let action = match action {
                RecordAction::Create => ChangeAction::Create,
                RecordAction::Upsert => ChangeAction::Upsert,
                RecordAction::Delete => ChangeAction::Delete,
            };
            let set = set.build().map_err(|e| invalid(&e))?;
            batch = batch.changes(Change::builder().action(action).resource_record_set(set).build().map_err(|e| invalid(&e))?);
        }
        let batch = batch.build().map_err(|e| invalid(&e))?;
        match self.client.change_resource_record_sets().hosted_zone_id(zone_id).change_batch(batch).send().await {
            Ok(answer) => Ok(answer.change_info().map(|info| info.id().trim_start_matches("/change/").to_owned()).unwrap_or_default()),
            Err(error) => {
                let messages = match &error {
                    SdkError::ServiceError(context) => match context.err() {
                        ChangeResourceRecordSetsError::InvalidChangeBatch(batch) => {
                            let mut messages = batch.messages().to_vec();
                            if messages.is_empty() {
                                messages.extend(batch.message().map(ToOwned::to_owned));
                            }
                            messages
                        }
                        _ => Vec::new(),
                    },
                    _ => Vec::new(),
                };
                let mut error = failed(operation, zone_id, error);
                if !messages.is_empty() {
                    error.message = messages.join("; ");
                }
                Err(BatchError { error, messages })
            }
        }
    }

    /// Whether a change has reached all name servers.
    pub async fn is_in_sync(&self, change_id: &str) -> Result<bool, ProviderError> {
        let operation = Call::GetChange;
        self.budget.take(&self.scope, operation).await;
        let answer = self.client.get_change().id(change_id).send().await.map_err(|error| failed(operation, change_id, error))?;
        Ok(answer.change_info().is_some_and(|info| *info.status() == ChangeStatus::Insync))
    }
}

/// A name as Route 53 means it: lower case, without trailing dot, `\052` as `*`.
pub fn normal_name(name: &str) -> String {
    let mut normal = String::with_capacity(name.len());
    let mut rest = name.trim_end_matches('.');
    while let Some(position) = rest.find('\\') {
        normal.push_str(&rest[..position]);
        let code = rest.get(position + 1..position + 4).and_then(|octal| u8::from_str_radix(octal, 8).ok());
        if let Some(byte) = code {
            normal.push(char::from(byte));
            rest = &rest[position + 4..];
        } else {
            normal.push('\\');
            rest = &rest[position + 1..];
        }
    }
    normal.push_str(rest);
    normal.to_ascii_lowercase()
}

fn record(set: &ResourceRecordSet) -> Record {
    let is_cname = *set.r#type() == RrType::Cname;
    let values =
        set.resource_records().iter().map(|r| if is_cname { r.value().trim_end_matches('.').to_owned() } else { r.value().to_owned() });
    Record {
        name: normal_name(set.name()),
        rr_type: set.r#type().as_str().to_owned(),
        ttl: set.ttl().unwrap_or_default(),
        values: values.collect(),
        alias: set.alias_target().map(|target| Alias {
            name: normal_name(target.dns_name()),
            zone_id: target.hosted_zone_id().to_owned(),
            evaluate_target_health: target.evaluate_target_health(),
        }),
        has_policy: set.set_identifier().is_some(),
    }
}
