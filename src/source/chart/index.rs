//! HTTP repositories: index.yaml, and the version that a range leads to; `pkg/repo`.

use std::cmp::Ordering;

use super::ChartSourceError;
use super::http::Client;
use crate::diag::nearest;
use crate::helm::func::semver::{Constraints, Version};
use crate::helm::json;
use crate::helm::yaml;

/// The most bytes of an index.
const MAX_INDEX: usize = 128 << 20;

/// An entry of an index.
pub struct Entry {
    /// The chart's version.
    pub version: String,
    /// Where its archive is.
    pub url: String,
    /// The archive's SHA-256, if the index says it.
    pub digest: Option<String>,
}

/// Finds a chart in a repository.
pub async fn find(client: &Client, repository: &str, name: &str, version: &str) -> Result<Entry, ChartSourceError> {
    let base = repository.trim_end_matches('/');
    let url = format!("{base}/index.yaml");
    let text = client.get(&url, MAX_INDEX).await.map_err(|error| match error {
        ChartSourceError::NotFound { what, .. } => {
            let help = "an HTTP repository has an index.yaml; a registry is named as oci://HOST/PATH";
            ChartSourceError::not_found(format!("{base} looks like no chart repository: {what}"), help)
        }
        error => error,
    })?;
    let wrong = |reason: String| ChartSourceError::Http { url: url.clone(), reason };
    let index = yaml::unmarshal(&text).map_err(|error| wrong(format!("is no index: {error}")))?;
    // What is an index of megabytes in YAML is read as JSON from here on.
    let index = json::marshal(&index, false).map_err(|error| wrong(error.to_string()))?;
    let index: serde_json::Value = serde_json::from_slice(index.as_bytes()).map_err(|error| wrong(error.to_string()))?;
    choose(&index, base, name, version)
}

/// `IndexFile.Get`: the version itself, else the highest that satisfies the range. Without one the highest that is no prerelease.
fn choose(index: &serde_json::Value, base: &str, name: &str, version: &str) -> Result<Entry, ChartSourceError> {
    let charts = index.get("entries").and_then(serde_json::Value::as_object);
    let charts = charts.ok_or_else(|| ChartSourceError::Http {
        url: format!("{base}/index.yaml"),
        reason: "is no index: it has no `entries`".to_owned(),
    })?;
    let missing =
        |what: &str, help: String| ChartSourceError::not_found(format!("chart \"{name}\"{what} not found in {base} repository"), help);
    let entries = charts.get(name).and_then(serde_json::Value::as_array).ok_or_else(|| missing("", others(charts, name)))?;
    let mut entries: Vec<(&serde_json::Value, &str)> =
        entries.iter().filter_map(|entry| Some((entry, entry.get("version")?.as_str()?))).collect();
    entries.sort_by(|(_, one), (_, two)| newest_first(one, two));
    let constraint = range(version)?;
    let exact = entries.iter().find(|(_, candidate)| !version.is_empty() && *candidate == version);
    let fits = |(_, candidate): &&(&serde_json::Value, &str)| Version::new(candidate).is_ok_and(|candidate| constraint.check(&candidate));
    let (entry, found) = exact
        .or_else(|| entries.iter().find(fits))
        .ok_or_else(|| missing(&format!(" version \"{version}\""), versions(entries.iter().map(|(_, version)| *version))))?;
    let url = entry.get("urls").and_then(|urls| urls.get(0)).and_then(serde_json::Value::as_str);
    let url = url.ok_or_else(|| {
        let what = format!("chart \"{name}\" version \"{found}\" has no downloadable URLs in {base}/index.yaml");
        ChartSourceError::not_found(what, "the repository's index is not whole: tell whoever publishes it, or take another version")
    })?;
    let digest = entry.get("digest").and_then(serde_json::Value::as_str).filter(|digest| !digest.is_empty()).map(str::to_owned);
    Ok(Entry { version: (*found).to_owned(), url: resolved(base, url), digest })
}

/// What a repository has instead of a chart.
fn others(charts: &serde_json::Map<String, serde_json::Value>, name: &str) -> String {
    match nearest(name, charts.keys().map(String::as_str)) {
        Some(near) => format!("did you mean `{near}`?"),
        None => format!("the repository has {} charts, and none of that name", charts.len()),
    }
}

/// What there is instead of a version, newest first.
pub(super) fn versions<'a>(there: impl Iterator<Item = &'a str>) -> String {
    const SHOWN: usize = 5;
    let there: Vec<&str> = there.collect();
    match there.len() {
        0 => "there is no version of it at all".to_owned(),
        count if count > SHOWN => format!("there are {}, and {} older ones", there[..SHOWN].join(", "), count - SHOWN),
        _ => format!("there are {}; a prerelease is taken where the range names one (>1-0)", there.join(", ")),
    }
}

/// Reads a range; nothing is every release.
pub(super) fn range(version: &str) -> Result<Constraints, ChartSourceError> {
    let text = if version.is_empty() { "*" } else { version };
    Constraints::new(text).map_err(|cause| ChartSourceError::Version { text: version.to_owned(), cause })
}

pub(super) fn newest_first(one: &str, two: &str) -> Ordering {
    match (Version::new(one), Version::new(two)) {
        (Ok(one), Ok(two)) => two.compare(&one),
        (Ok(_), Err(_)) => Ordering::Less,
        (Err(_), Ok(_)) => Ordering::Greater,
        (Err(_), Err(_)) => Ordering::Equal,
    }
}

/// `ResolveReferenceURL`: an address may be relative to the repository's.
fn resolved(base: &str, url: &str) -> String {
    if url.contains("://") {
        return url.to_owned();
    }
    match url.strip_prefix('/') {
        Some(rooted) => {
            let host = base.split_once("://").map_or(base.len(), |(scheme, rest)| scheme.len() + 3 + rest.find('/').unwrap_or(rest.len()));
            format!("{}/{rooted}", &base[..host])
        }
        None => format!("{base}/{url}"),
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    fn chosen(version: &str) -> Result<String, String> {
        let entry = |version: &str| serde_json::json!({"version": version, "urls": [format!("charts/a-{version}.tgz")], "digest": "00"});
        let index =
            serde_json::json!({"entries": {"a": [entry("1.2.0"), entry("2.0.0-rc.1"), entry("1.10.0"), entry("0.9.0"), entry("odd")]}});
        choose(&index, "https://h/x", "a", version).map(|entry| entry.version).map_err(|error| error.to_string())
    }

    #[test]
    fn the_highest_version_of_a_range_is_taken() {
        assert_eq!(chosen(""), Ok("1.10.0".to_owned()));
        assert_eq!(chosen("~1.2"), Ok("1.2.0".to_owned()));
        assert_eq!(chosen(">0-0"), Ok("2.0.0-rc.1".to_owned()));
        assert_eq!(chosen("0.9.0"), Ok("0.9.0".to_owned()));
        assert_eq!(chosen("^3"), Err("chart \"a\" version \"^3\" not found in https://h/x repository".to_owned()));
    }

    #[test]
    fn addresses_are_relative_to_the_repository() {
        assert_eq!(resolved("https://h/x", "a.tgz"), "https://h/x/a.tgz");
        assert_eq!(resolved("https://h/x", "/a.tgz"), "https://h/a.tgz");
        assert_eq!(resolved("https://h/x", "https://other/a.tgz"), "https://other/a.tgz");
    }
}
