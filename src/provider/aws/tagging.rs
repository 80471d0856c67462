//! The Resource Groups Tagging API: the tags of many certificates in one list. It lags behind, so it may confirm and never condemn.

use std::collections::{BTreeMap, BTreeSet};

use aws_sdk_resourcegroupstagging::Client;
use aws_sdk_resourcegroupstagging::types::TagFilter;

use super::failed;
use crate::permissions::Call;
use crate::provider::budget::Budget;
use crate::provider::error::{Class, ProviderError};

/// The tagging API of one region.
#[derive(Clone)]
pub struct Tagging {
    client: Client,
    region: String,
    scope: String,
    budget: Budget,
}

impl Tagging {
    pub(super) fn new(client: Client, region: &str, scope: String, budget: Budget) -> Self {
        Self { client, region: region.to_owned(), scope, budget }
    }

    /// The tags of all ACM certificates that carry the tag `key`, by ARN.
    pub async fn certificates(&self, key: &str) -> Result<BTreeMap<String, BTreeMap<String, String>>, ProviderError> {
        let mut found = BTreeMap::new();
        self.pages(key, "ACM certificates", &["acm"], |arn, tags| {
            found.insert(arn.to_owned(), tags);
        })
        .await?;
        Ok(found)
    }

    /// The values of the tag `key` on certificates and secrets of the region.
    pub async fn owners(&self, key: &str) -> Result<BTreeSet<String>, ProviderError> {
        let mut found = BTreeSet::new();
        let subject = format!("certificates and secrets in {}", self.region);
        self.pages(key, &subject, &["acm", "secretsmanager"], |_, mut tags| found.extend(tags.remove(key))).await?;
        Ok(found)
    }

    async fn pages(
        &self,
        key: &str,
        subject: &str,
        kinds: &[&str],
        mut take: impl FnMut(&str, BTreeMap<String, String>),
    ) -> Result<(), ProviderError> {
        let operation = Call::GetResources;
        let mut token = None;
        loop {
            self.budget.take(&self.scope, operation).await;
            let page = self
                .client
                .get_resources()
                .tag_filters(TagFilter::builder().key(key).build())
                .set_resource_type_filters(Some(kinds.iter().map(|kind| (*kind).to_owned()).collect()))
                .resources_per_page(100)
                .set_pagination_token(token)
                .send()
                .await
                .map_err(|error| failed(operation, subject, error))?;
            for mapping in page.resource_tag_mapping_list() {
                let Some(arn) = mapping.resource_arn() else {
                    return Err(ProviderError::own(operation.name(), subject, Class::Server, "an entry of the answer has no ARN"));
                };
                take(arn, mapping.tags().iter().map(|tag| (tag.key().to_owned(), tag.value().to_owned())).collect());
            }
            token = page.pagination_token().filter(|t| !t.is_empty()).map(ToOwned::to_owned);
            if token.is_none() {
                return Ok(());
            }
        }
    }
}
