//! The Resource Groups Tagging API: the tags of many certificates in one list. It lags behind, so it may confirm and never condemn.

use std::collections::BTreeMap;

use aws_sdk_resourcegroupstagging::Client;
use aws_sdk_resourcegroupstagging::types::TagFilter;

use super::failed;
use crate::provider::budget::Budget;
use crate::provider::error::{Class, ProviderError};

/// The tagging API of one region.
#[derive(Clone)]
pub struct Tagging {
    client: Client,
    scope: String,
    budget: Budget,
}

impl Tagging {
    pub(super) fn new(client: Client, scope: String, budget: Budget) -> Self {
        Self { client, scope, budget }
    }

    /// The tags of all ACM certificates that carry the tag `key`, by ARN.
    pub async fn certificates(&self, key: &str) -> Result<BTreeMap<String, BTreeMap<String, String>>, ProviderError> {
        let operation = "tag:GetResources";
        let subject = "ACM certificates";
        let mut found = BTreeMap::new();
        let mut token = None;
        loop {
            self.budget.take(&self.scope, operation).await;
            let page = self
                .client
                .get_resources()
                .tag_filters(TagFilter::builder().key(key).build())
                .resource_type_filters("acm")
                .resources_per_page(100)
                .set_pagination_token(token)
                .send()
                .await
                .map_err(|error| failed(operation, subject, error))?;
            for mapping in page.resource_tag_mapping_list() {
                let Some(arn) = mapping.resource_arn() else {
                    return Err(ProviderError::own(operation, subject, Class::Server, "an entry of the answer has no ARN"));
                };
                found.insert(arn.to_owned(), mapping.tags().iter().map(|tag| (tag.key().to_owned(), tag.value().to_owned())).collect());
            }
            token = page.pagination_token().filter(|t| !t.is_empty()).map(ToOwned::to_owned);
            if token.is_none() {
                return Ok(found);
            }
        }
    }
}
