//! OCI registries: the chart that a reference and a range of versions lead to; `pkg/registry`.
//!
//! Access is anonymous, with a token where the registry asks for one, or with the user name and password that Docker's configuration holds for
//! the host. Programs that such a configuration may name are not called.

use std::fmt::Write as _;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::Value;

use super::http::{Answer, Client, failed};
use super::index::{newest_first, range};
use super::{ChartSourceError, MAX_ARCHIVE, check};
use crate::helm::func::semver::Version;

/// The media types of a chart's archive, the present one and that of old.
const CHART_LAYERS: [&str; 2] = ["application/vnd.cncf.helm.chart.content.v1.tar+gzip", "application/tar+gzip"];
const MANIFEST: &str = "application/vnd.oci.image.manifest.v1+json";
/// The most bytes of a manifest, or of a page of tags.
const MAX_JSON: usize = 4 << 20;
/// The most pages of tags.
const MOST_PAGES: usize = 100;

/// A chart from a registry.
pub struct Found {
    /// Its archive.
    pub archive: Vec<u8>,
    /// Its version.
    pub version: String,
    /// `oci://host/path@sha256:…` of the archive.
    pub url: String,
}

/// A repository in a registry.
struct Repository<'a> {
    client: &'a Client,
    host: &'a str,
    path: &'a str,
    token: Option<String>,
}

impl<'a> Repository<'a> {
    fn new(client: &'a Client, reference: &'a str) -> Result<Self, ChartSourceError> {
        let (host, path) = reference
            .split_once('/')
            .filter(|(host, path)| !host.is_empty() && !path.is_empty())
            .ok_or_else(|| ChartSourceError::NotFound(format!("oci://{reference} names no repository: expected oci://HOST/PATH")))?;
        Ok(Self { client, host, path, token: None })
    }

    fn url(&self, rest: &str) -> String {
        // Registries on the own machine mostly speak HTTP, and Docker's clients take them so.
        let local = ["localhost", "127.0.0.1", "[::1]"].contains(&self.host.rsplit_once(':').map_or(self.host, |(host, _)| host));
        format!("{}://{}/v2/{}/{rest}", if local { "http" } else { "https" }, self.host, self.path)
    }

    async fn ask(&mut self, url: &str, accept: &str, most: usize) -> Result<Answer, ChartSourceError> {
        for attempt in 0..2 {
            let mut headers = vec![("accept", accept)];
            if let Some(token) = &self.token {
                headers.push(("authorization", token));
            }
            let answer = self.client.ask(url, &headers, most).await?;
            match (answer.status, &answer.challenge) {
                (401, Some(challenge)) if attempt == 0 => self.token = Some(self.authorize(url, challenge).await?),
                _ => return Ok(answer),
            }
        }
        Err(failed(url, "the registry refuses access (401)"))
    }

    /// The header that a challenge asks for: a bearer's token, or name and password.
    async fn authorize(&self, url: &str, challenge: &str) -> Result<String, ChartSourceError> {
        let basic = docker_login(self.host);
        let Some(fields) = strip_word(challenge, "bearer") else {
            let refused = || failed(url, "the registry asks for name and password, and Docker's configuration has none for it");
            return basic.map(|login| format!("Basic {login}")).ok_or_else(refused);
        };
        let realm = field(fields, "realm").filter(|realm| realm.starts_with("https://") || url.starts_with("http://"));
        let realm = realm.ok_or_else(|| failed(url, "the registry names no HTTPS address for tokens"))?;
        let scope = field(fields, "scope").unwrap_or_else(|| format!("repository:{}:pull", self.path));
        let mut query = format!("scope={}", query_escaped(&scope));
        if let Some(service) = field(fields, "service") {
            query = format!("service={}&{query}", query_escaped(&service));
        }
        let token_url = format!("{realm}{}{query}", if realm.contains('?') { '&' } else { '?' });
        let login = basic.map(|login| format!("Basic {login}"));
        let headers: Vec<(&str, &str)> = login.iter().map(|login| ("authorization", login.as_str())).collect();
        let answer = self.client.ask(&token_url, &headers, MAX_JSON).await?;
        if answer.status != 200 {
            return Err(failed(&token_url, format!("gives no token ({})", answer.status)));
        }
        let body: Value = serde_json::from_slice(&answer.body).map_err(|error| failed(&token_url, error.to_string()))?;
        let token = body.get("token").or_else(|| body.get("access_token")).and_then(Value::as_str);
        token.map(|token| format!("Bearer {token}")).ok_or_else(|| failed(&token_url, "gives no token"))
    }

    async fn json(&mut self, url: &str, accept: &str) -> Result<(Value, Answer), ChartSourceError> {
        let answer = self.ask(url, accept, MAX_JSON).await?;
        match answer.status {
            200 => Ok((serde_json::from_slice(&answer.body).map_err(|error| failed(url, error.to_string()))?, answer)),
            404 => Err(ChartSourceError::NotFound(format!("oci://{}/{} is not there (404 of {url})", self.host, self.path))),
            status => Err(failed(url, format!("the registry answers {status}"))),
        }
    }

    /// The tag of the highest version in the range. `+` is `_` in tags.
    async fn tag(&mut self, version: &str) -> Result<String, ChartSourceError> {
        if Version::strict(version).is_ok() {
            return Ok(version.replace('+', "_"));
        }
        let constraint = range(version)?;
        let mut versions: Vec<String> = Vec::new();
        let mut url = self.url("tags/list");
        for _ in 0..MOST_PAGES {
            let (page, answer) = self.json(&url, "application/json").await?;
            let tags = page.get("tags").and_then(Value::as_array).into_iter().flatten();
            versions.extend(tags.filter_map(Value::as_str).map(|tag| tag.replace('_', "+")));
            let Some(next) = answer.link.as_deref().and_then(next_page) else { break };
            url = if next.starts_with('/') { format!("{}{next}", super::http::origin(&url)) } else { next };
        }
        versions.retain(|version| Version::strict(version).is_ok_and(|version| constraint.check(&version)));
        versions.sort_by(|one, two| newest_first(one, two));
        let found = versions.into_iter().next();
        let missing = || ChartSourceError::NotFound(format!("could not locate a version matching provided version string {version}"));
        found.map(|version| version.replace('+', "_")).ok_or_else(missing)
    }

    async fn blob(&mut self, digest: &str) -> Result<Vec<u8>, ChartSourceError> {
        let hash = digest.strip_prefix("sha256:").filter(|hash| hash.len() == 64 && hash.bytes().all(|b| b.is_ascii_hexdigit()));
        let hash = hash.ok_or_else(|| failed(&self.url(""), format!("`{digest}` is no SHA-256 digest")))?;
        let url = self.url(&format!("blobs/{digest}"));
        let answer = self.ask(&url, "*/*", MAX_ARCHIVE).await?;
        if answer.status != 200 {
            return Err(failed(&url, format!("the registry answers {}", answer.status)));
        }
        check(&answer.body, hash, &url, "the registry")?;
        Ok(answer.body)
    }
}

/// Fetches a chart.
pub async fn fetch(client: &Client, reference: &str, version: &str) -> Result<Found, ChartSourceError> {
    // A tag or a digest may be part of the reference.
    let (bare, pinned) = match reference.split_once('@') {
        Some((bare, digest)) => (bare, Some(digest.to_owned())),
        None => match reference.rsplit_once(':').filter(|(_, tag)| !tag.contains('/')) {
            Some((bare, tag)) if bare.contains('/') => (bare, Some(tag.to_owned())),
            _ => (reference, None),
        },
    };
    let mut repository = Repository::new(client, bare)?;
    let tag = match pinned {
        Some(pinned) => pinned,
        None => repository.tag(version).await?,
    };
    let url = repository.url(&format!("manifests/{tag}"));
    let (manifest, answer) = repository.json(&url, MANIFEST).await?;
    if let Some(hash) = tag.strip_prefix("sha256:") {
        check(&answer.body, hash, &url, "the reference")?;
    }
    let layers = manifest.get("layers").and_then(Value::as_array).into_iter().flatten();
    let layer = layers.filter_map(|layer| Some((layer.get("mediaType")?.as_str()?, layer.get("digest")?.as_str()?)));
    let digest = layer.into_iter().find(|(kind, _)| CHART_LAYERS.contains(kind)).map(|(_, digest)| digest.to_owned());
    let digest = digest.ok_or_else(|| failed(&url, "is no chart: its manifest has no layer of a chart's media type"))?;
    let archive = repository.blob(&digest).await?;
    let version = if tag.starts_with("sha256:") { String::new() } else { tag.replace('_', "+") };
    Ok(Found { archive, version, url: format!("oci://{bare}@{digest}") })
}

/// Fetches an archive by `host/path@sha256:…`.
pub async fn fetch_blob(client: &Client, reference: &str) -> Result<Vec<u8>, ChartSourceError> {
    let (bare, digest) = reference.split_once('@').ok_or_else(|| failed(reference, "has no digest"))?;
    Repository::new(client, bare)?.blob(digest).await
}

/// What follows a word, whatever its capitals.
fn strip_word<'a>(text: &'a str, word: &str) -> Option<&'a str> {
    let (first, rest) = text.trim().split_once(' ')?;
    first.eq_ignore_ascii_case(word).then_some(rest)
}

/// A field `name="value"` of a challenge.
fn field(challenge: &str, name: &str) -> Option<String> {
    let mut left = challenge;
    while let Some((key, rest)) = left.split_once("=\"") {
        let (value, rest) = rest.split_once('"')?;
        if key.trim_start_matches([',', ' ']).eq_ignore_ascii_case(name) {
            return Some(value.to_owned());
        }
        left = rest;
    }
    None
}

/// The address of `<…>; rel="next"`.
fn next_page(link: &str) -> Option<String> {
    let (url, rest) = link.trim().strip_prefix('<')?.split_once('>')?;
    rest.contains("rel=\"next\"").then(|| url.to_owned())
}

fn query_escaped(text: &str) -> String {
    let mut out = String::new();
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) {
            out.push(char::from(byte));
        } else {
            let _ = write!(out, "%{byte:02X}");
        }
    }
    out
}

/// Base64 of `name:password` for a host, out of `config.json` in $DOCKER_CONFIG or ~/.docker, or of Helm's own registry configuration.
fn docker_login(host: &str) -> Option<String> {
    let home = std::env::var_os("HOME").map(std::path::PathBuf::from);
    let docker = std::env::var_os("DOCKER_CONFIG").map(std::path::PathBuf::from).or_else(|| home.as_ref().map(|home| home.join(".docker")));
    let helm = std::env::var_os("HELM_REGISTRY_CONFIG").map(std::path::PathBuf::from);
    let helm = helm.or_else(|| home.map(|home| home.join(".config/helm/registry/config.json")));
    [helm, docker.map(|folder| folder.join("config.json"))]
        .into_iter()
        .flatten()
        .find_map(|file| login_in(&std::fs::read(file).ok()?, host))
}

fn login_in(config: &[u8], host: &str) -> Option<String> {
    let config: Value = serde_json::from_slice(config).ok()?;
    let logins = config.get("auths")?.as_object()?;
    let entry = logins.get(host).or_else(|| logins.get(&format!("https://{host}")))?;
    let login = match (entry.get("auth").and_then(Value::as_str), entry.get("username"), entry.get("password")) {
        (Some(login), ..) if !login.is_empty() => login.to_owned(),
        (_, Some(name), Some(password)) => STANDARD.encode(format!("{}:{}", name.as_str()?, password.as_str()?)),
        _ => return None,
    };
    STANDARD.decode(&login).ok().map(|_| login)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn challenges_are_read() {
        let challenge = "Bearer realm=\"https://auth.example.com/token\",service=\"registry\",scope=\"repository:a/b:pull\"";
        let fields = strip_word(challenge, "bearer").unwrap_or_default();
        assert_eq!(field(fields, "realm").as_deref(), Some("https://auth.example.com/token"));
        assert_eq!(field(fields, "service").as_deref(), Some("registry"));
        assert_eq!(field(fields, "error"), None);
        assert_eq!(strip_word("Basic realm=\"x\"", "bearer"), None);
    }

    #[test]
    fn logins_are_found_by_host() {
        let config = br#"{"auths": {"a.example.com": {"auth": "dTpw"}, "https://b.example.com": {"username": "u", "password": "p"}}}"#;
        assert_eq!(login_in(config, "a.example.com").as_deref(), Some("dTpw"));
        assert_eq!(login_in(config, "b.example.com").as_deref(), Some("dTpw"));
        assert_eq!(login_in(config, "c.example.com"), None);
    }

    #[test]
    fn pages_lead_to_the_next() {
        assert_eq!(next_page("</v2/a/tags/list?last=x>; rel=\"next\"").as_deref(), Some("/v2/a/tags/list?last=x"));
        assert_eq!(next_page("</v2/a>; rel=\"prev\""), None);
    }
}
