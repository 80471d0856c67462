//! ListSecrets and its filters (semantics 3).

use jiff::SignedDuration;
use serde::Deserialize;
use serde_json::json;

use super::describe::show;
use super::{Secret, all};
use crate::sandbox::aws::wire::{Caller, Outcome, page_start, page_token, refuse};
use crate::sandbox::due::after;
use crate::sandbox::settings;
use crate::sandbox::world::Tx;

/// Secrets per page.
const PAGE: usize = 100;
/// Filters in a request, and values in a filter.
const FILTERS: usize = 10;
const KEYS: &[&str] = &["description", "name", "tag-key", "tag-value", "primary-region", "owning-service", "all"];

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct Input {
    #[serde(default)]
    include_planned_deletion: bool,
    max_results: Option<usize>,
    next_token: Option<String>,
    #[serde(default)]
    filters: Vec<Filter>,
    sort_order: Option<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Filter {
    key: Option<String>,
    #[serde(default)]
    values: Vec<String>,
}

pub(super) fn list(tx: &Tx<'_>, caller: &Caller, input: &Input) -> Outcome {
    let size = match input.max_results {
        None => PAGE,
        Some(size) if (1..=PAGE).contains(&size) => size,
        Some(_) => return Err(refuse("InvalidParameterException", "MaxResults must be between 1 and 100.")),
    };
    let start = match &input.next_token {
        None => None,
        Some(token) => Some(page_start(token).ok_or_else(|| refuse("InvalidNextTokenException", "Invalid NextToken"))?),
    };
    let malformed = |filter: &Filter| {
        !filter.key.as_deref().is_some_and(|key| KEYS.contains(&key)) || filter.values.is_empty() || filter.values.len() > FILTERS
    };
    if input.filters.len() > FILTERS || input.filters.iter().any(malformed) {
        return Err(refuse("InvalidParameterException", "Invalid filter."));
    }
    let lag = SignedDuration::from_secs(i64::try_from(settings::read(tx)?.list_lag).unwrap_or(i64::MAX));
    let descending = input.sort_order.as_deref() == Some("desc");
    let all = all(tx, caller)?;
    let mut found: Vec<((i64, &str), &Secret)> = all
        .iter()
        .filter(|secret| tx.now() >= after(secret.created, lag))
        .filter(|secret| input.include_planned_deletion || secret.deleted.is_none())
        .filter(|secret| input.filters.iter().all(|filter| filter.fits(secret)))
        .map(|secret| {
            let created = secret.created.as_microsecond();
            let order = if descending { i64::MAX - created } else { created };
            ((order, secret.name.as_str()), secret)
        })
        .collect();
    found.sort_by_key(|(place, _)| *place);
    let token = |(order, name): (i64, &str)| format!("{order:020}/{name}");
    let start = start.as_deref().and_then(|start| start.split_once('/')).and_then(|(order, name)| Some((order.parse::<i64>().ok()?, name)));
    let from = start.map_or(0, |start| found.partition_point(|(place, _)| *place < start));
    let page = &found[from..];
    let shown = page.iter().take(size).map(|(_, secret)| {
        let mut entry = show(secret);
        entry["SecretVersionsToStages"] = json!(secret.stages());
        entry
    });
    let mut output = json!({ "SecretList": shown.collect::<Vec<_>>() });
    if let Some((next, _)) = page.get(size) {
        output["NextToken"] = json!(page_token(&token(*next)));
    }
    Ok(output)
}

impl Filter {
    /// Any of the values fits, and none of those with a `!` does.
    fn fits(&self, secret: &Secret) -> bool {
        let key = self.key.as_deref().unwrap_or_default();
        let (not, yes): (Vec<&String>, Vec<&String>) = self.values.iter().partition(|value| value.starts_with('!'));
        let refused = not.iter().any(|value| matches(key, value.trim_start_matches('!'), secret));
        !refused && (yes.is_empty() || yes.iter().any(|value| matches(key, value, secret)))
    }
}

/// Prefixes by letter case; the description, and `all`, without it.
fn matches(key: &str, value: &str, secret: &Secret) -> bool {
    let lower = value.to_lowercase();
    let description = secret.description.as_deref().unwrap_or_default().to_lowercase();
    match key {
        "name" => secret.name.starts_with(value),
        "tag-key" => secret.tags.keys().any(|tag| tag.starts_with(value)),
        "tag-value" => secret.tags.values().any(|tag| tag.starts_with(value)),
        "description" => words(&description).any(|word| word.starts_with(&lower)) || description.starts_with(&lower),
        "primary-region" => secret.region == value,
        "all" => {
            let tags = secret.tags.iter().flat_map(|(key, value)| [key.as_str(), value.as_str()]);
            let texts: Vec<String> = tags.chain([secret.name.as_str(), &description]).map(str::to_lowercase).collect();
            words(&lower).all(|part| texts.iter().flat_map(|text| words(text)).any(|word| word.starts_with(part)))
        }
        _ => false,
    }
}

fn words(text: &str) -> impl Iterator<Item = &str> {
    text.split(|one: char| one.is_whitespace() || "/_+=.@-".contains(one)).filter(|word| !word.is_empty())
}
