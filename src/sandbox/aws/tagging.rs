//! Resource Groups Tagging: GetResources over certificates and secrets (semantics 4).

use std::collections::BTreeMap;

use serde::Deserialize;
use serde_json::{Value, json};

use super::wire::{Answer, Caller, Outcome, Request, page_start, page_token, refuse};
use super::{Failure, acm, secrets, unknown};
use crate::sandbox::world::Tx;

/// Resources per page when it isn't said.
const PAGE: usize = 50;

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Input {
    pagination_token: Option<String>,
    #[serde(default)]
    tag_filters: Vec<TagFilter>,
    resources_per_page: Option<usize>,
    #[serde(default)]
    resource_type_filters: Vec<String>,
    #[serde(rename = "ResourceARNList")]
    resource_arn_list: Option<Vec<String>>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct TagFilter {
    key: Option<String>,
    #[serde(default)]
    values: Vec<String>,
}

/// Serves a request.
pub(super) fn serve(tx: &Tx<'_>, caller: &Caller, operation: &str, request: &Request) -> Outcome<Answer> {
    match operation {
        "GetResources" => Ok(Answer::json(&get_resources(tx, caller, &request.json()?)?)),
        _ => Err(Failure::Refusal(unknown("tagging", operation))),
    }
}

fn get_resources(tx: &Tx<'_>, caller: &Caller, input: &Input) -> Outcome {
    let invalid = |message: &str| refuse("InvalidParameterException", message);
    let size = match input.resources_per_page {
        None => PAGE,
        Some(size @ 1..=100) => size,
        Some(_) => return Err(invalid("ResourcesPerPage must be between 1 and 100")),
    };
    if input.tag_filters.len() > 50 || input.tag_filters.iter().any(|filter| filter.values.len() > 20 || filter.key.is_none()) {
        return Err(invalid("There can be at most 50 tag filters with a key and at most 20 values each"));
    }
    if let Some(arns) = &input.resource_arn_list {
        if arns.len() > 100 || arns.is_empty() {
            return Err(invalid("ResourceARNList must have 1 to 100 ARNs"));
        }
        if input.pagination_token.is_some() || !input.resource_type_filters.is_empty() || input.resources_per_page.is_some() {
            return Err(invalid("ResourceARNList can't be given with filters of types or paging"));
        }
    }
    let start = match input.pagination_token.as_deref() {
        None | Some("") => String::new(),
        Some(token) => page_start(token).ok_or_else(|| invalid("The pagination token is not valid"))?,
    };

    let (certificates, secrets) = (acm::all(tx, caller)?, secrets::all(tx, caller)?);
    let mut found: BTreeMap<&str, &BTreeMap<String, String>> = BTreeMap::new();
    if input.wants("acm", "certificate") {
        let tagged = certificates.iter().filter(|certificate| certificate.ever_tagged);
        found.extend(tagged.map(|certificate| (certificate.arn.as_str(), &certificate.tags)));
    }
    if input.wants("secretsmanager", "secret") {
        let tagged = secrets.iter().filter(|secret| secret.ever_tagged);
        found.extend(tagged.map(|secret| (secret.arn.as_str(), &secret.tags)));
    }
    let mut found = found.range(start.as_str()..).filter(|(arn, tags)| input.fits(arn, tags));
    let page: Vec<Value> = found
        .by_ref()
        .take(size)
        .map(|(arn, tags)| {
            let tags: Vec<Value> = tags.iter().map(|(key, value)| json!({ "Key": key, "Value": value })).collect();
            json!({ "ResourceARN": arn, "Tags": tags })
        })
        .collect();
    let next = found.next().map_or_else(String::new, |(arn, _)| page_token(arn));
    Ok(json!({ "ResourceTagMappingList": page, "PaginationToken": next }))
}

impl Input {
    fn wants(&self, service: &str, kind: &str) -> bool {
        let full = format!("{service}:{kind}");
        self.resource_type_filters.is_empty() || self.resource_type_filters.iter().any(|filter| filter == service || *filter == full)
    }

    /// All keys, and for each any of its values.
    fn fits(&self, arn: &str, tags: &BTreeMap<String, String>) -> bool {
        self.resource_arn_list.as_ref().is_none_or(|arns| arns.iter().any(|one| one == arn))
            && self.tag_filters.iter().all(|filter| {
                let value = filter.key.as_ref().and_then(|key| tags.get(key));
                value.is_some_and(|value| filter.values.is_empty() || filter.values.contains(value))
            })
    }
}
