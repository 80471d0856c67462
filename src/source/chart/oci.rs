//! OCI registries: the chart that a reference and a range of versions lead to; `pkg/registry`.
//!
//! Access is anonymous, with a token where the registry asks for one, or with the login that [`super::login`] finds for the host.

use std::fmt::Write as _;

use serde_json::Value;
use zeroize::Zeroizing;

use super::http::{Answer, Client, failed, refused};
use super::index::{newest_first, range, versions as there};
use super::login::{self, Logins, Unasked};
use super::{ChartSourceError, MAX_ARCHIVE, check};
use crate::helm::func::semver::Version;
use crate::secret::SecretBytes;

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

/// The way to registries.
#[derive(Clone, Copy)]
pub struct Access<'a> {
    /// The HTTP client.
    pub client: &'a Client,
    /// Whom a host that no configuration knows lets in.
    pub logins: &'a dyn Logins,
}

/// A repository in a registry.
struct Repository<'a> {
    access: Access<'a>,
    host: &'a str,
    path: &'a str,
    /// What the header `Authorization` says, once the registry has asked.
    header: Option<SecretBytes>,
    login_is_configured: bool,
}

impl<'a> Repository<'a> {
    fn new(access: Access<'a>, reference: &'a str) -> Result<Self, ChartSourceError> {
        let (host, path) = reference
            .split_once('/')
            .filter(|(host, path)| !host.is_empty() && !path.is_empty())
            .ok_or_else(|| ChartSourceError::not_found(format!("oci://{reference} names no repository"), "write oci://HOST/PATH"))?;
        Ok(Self { access, host, path, header: None, login_is_configured: false })
    }

    fn url(&self, rest: &str) -> String {
        // Registries on the own machine mostly speak HTTP, and Docker's clients take them so.
        let local = ["localhost", "127.0.0.1", "[::1]"].contains(&self.host.rsplit_once(':').map_or(self.host, |(host, _)| host));
        format!("{}://{}/v2/{}/{rest}", if local { "http" } else { "https" }, self.host, self.path)
    }

    async fn ask(&mut self, url: &str, accept: &str, most: usize) -> Result<Answer, ChartSourceError> {
        loop {
            let answer = self.request(url, accept, most).await?;
            self.header = match (answer.status, &answer.challenge, &self.header) {
                (401, Some(challenge), None) => Some(self.authorize(url, challenge).await?),
                (401 | 403, _, Some(_)) => Some(self.instead_of_configured(url, answer.status).await?),
                (403, _, None) => {
                    let told = format!("the registry lets nobody without a login read {} (403)", self.path);
                    return Err(refused(url, told, self.how_to_log_in()));
                }
                _ => return Ok(answer),
            };
        }
    }

    async fn request(&self, url: &str, accept: &str, most: usize) -> Result<Answer, ChartSourceError> {
        let header = self.header.as_ref().map(header_text);
        let headers: Vec<(&str, &str)> = header.iter().map(|text| ("authorization", text.as_str())).chain([("accept", accept)]).collect();
        self.access.client.ask(url, &headers, most).await
    }

    /// The header for a registry that refuses what a configuration has for it: logins of ECR live twelve hours, and stay in the file.
    async fn instead_of_configured(&mut self, url: &str, status: u16) -> Result<SecretBytes, ChartSourceError> {
        let told = format!("the registry refuses the login for {} ({status})", self.host);
        if std::mem::take(&mut self.login_is_configured) {
            match self.access.logins.login(self.host).await {
                Ok(Some(login)) => return Ok(with_scheme("Basic", &login)),
                Ok(None) => {}
                Err(Unasked { why, help }) => return Err(refused(url, format!("{told}, and {why}"), help)),
            }
        }
        let help = format!("give it the right to read {}, or take another one by `docker login {}`", self.path, self.host);
        Err(refused(url, told, help))
    }

    /// The header that a challenge asks for: a bearer's token, or name and password.
    async fn authorize(&mut self, url: &str, challenge: &str) -> Result<SecretBytes, ChartSourceError> {
        let Some(fields) = strip_word(challenge, "bearer") else {
            let login = self
                .login()
                .await
                .map_err(|(why, help)| refused(url, format!("the registry asks for name and password (401), and {why}"), help))?;
            return Ok(with_scheme("Basic", &login));
        };
        let realm = field(fields, "realm").filter(|realm| realm.starts_with("https://") || url.starts_with("http://"));
        let realm = realm.ok_or_else(|| failed(url, "the registry names no HTTPS address for tokens"))?;
        let scope = field(fields, "scope").unwrap_or_else(|| format!("repository:{}:pull", self.path));
        let mut query = format!("scope={}", query_escaped(&scope));
        if let Some(service) = field(fields, "service") {
            query = format!("service={}&{query}", query_escaped(&service));
        }
        let token_url = format!("{realm}{}{query}", if realm.contains('?') { '&' } else { '?' });
        // Whoever has no login asks as anybody: that is enough for what is public.
        let login = self.login().await;
        let header = login.as_ref().ok().map(|login| header_text(&with_scheme("Basic", login)));
        let headers: Vec<(&str, &str)> = header.iter().map(|text| ("authorization", text.as_str())).collect();
        let answer = self.access.client.ask(&token_url, &headers, MAX_JSON).await?;
        if answer.status != 200 {
            let sent = || (format!("refuses the login for {}", self.host), self.how_to_log_in());
            let (why, help) = login.err().unwrap_or_else(sent);
            return Err(refused(&token_url, format!("gives no token ({}): {why}", answer.status), help));
        }
        // A body that is no JSON is not quoted: it may hold the token.
        let body: Value = serde_json::from_slice(&answer.body).map_err(|_| failed(&token_url, "gives no token: the answer is no JSON"))?;
        let token = body.get("token").or_else(|| body.get("access_token")).and_then(Value::as_str);
        let token = token.map(|token| SecretBytes::from_text(format!("Bearer {token}")));
        token.ok_or_else(|| failed(&token_url, "gives no token: the answer holds none"))
    }

    /// The login for this registry, or why there is none and what to do.
    async fn login(&mut self) -> Result<SecretBytes, (String, String)> {
        if let Some(login) = login::configured(self.host).await {
            self.login_is_configured = true;
            return Ok(login);
        }
        match self.access.logins.login(self.host).await {
            Ok(Some(login)) => Ok(login),
            Ok(None) => Err((format!("Docker's configuration has no login for {}", self.host), self.how_to_log_in())),
            Err(Unasked { why, help }) => Err((format!("Docker's configuration has no login for {}; {why}", self.host), help)),
        }
    }

    fn how_to_log_in(&self) -> String {
        format!("`docker login {0}` or `helm registry login {0}` writes one", self.host)
    }

    async fn json(&mut self, url: &str, accept: &str) -> Result<(Value, Answer), ChartSourceError> {
        let answer = self.ask(url, accept, MAX_JSON).await?;
        match answer.status {
            200 => Ok((serde_json::from_slice(&answer.body).map_err(|error| failed(url, error.to_string()))?, answer)),
            404 => {
                let what = format!("oci://{}/{} is not there, or not in that version (404 of {url})", self.host, self.path);
                let help = "check host, path and version; without --version the highest version is taken";
                Err(ChartSourceError::not_found(what, help))
            }
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
        versions.retain(|version| Version::strict(version).is_ok());
        versions.sort_by(|one, two| newest_first(one, two));
        let found = versions.iter().find(|version| Version::strict(version).is_ok_and(|version| constraint.check(&version)));
        found.map(|version| version.replace('+', "_")).ok_or_else(|| {
            let wanted = if version.is_empty() { "that is no prerelease".to_owned() } else { format!("{version:?}") };
            let what = format!("oci://{}/{} has no version {wanted}", self.host, self.path);
            ChartSourceError::not_found(what, there(versions.iter().map(String::as_str)))
        })
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
pub async fn fetch(access: Access<'_>, reference: &str, version: &str) -> Result<Found, ChartSourceError> {
    // A tag or a digest may be part of the reference.
    let (bare, pinned) = match reference.split_once('@') {
        Some((bare, digest)) => (bare, Some(digest.to_owned())),
        None => match reference.rsplit_once(':').filter(|(_, tag)| !tag.contains('/')) {
            Some((bare, tag)) if bare.contains('/') => (bare, Some(tag.to_owned())),
            _ => (reference, None),
        },
    };
    let mut repository = Repository::new(access, bare)?;
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
pub async fn fetch_blob(access: Access<'_>, reference: &str) -> Result<Vec<u8>, ChartSourceError> {
    let (bare, digest) = reference.split_once('@').ok_or_else(|| failed(reference, "has no digest"))?;
    Repository::new(access, bare)?.blob(digest).await
}

fn with_scheme(scheme: &str, login: &SecretBytes) -> SecretBytes {
    SecretBytes::new([scheme.as_bytes(), b" ", login.expose_secret()].concat())
}

/// A header's value, for the request that it goes into.
fn header_text(header: &SecretBytes) -> Zeroizing<String> {
    Zeroizing::new(String::from_utf8_lossy(header.expose_secret()).into_owned())
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
    fn pages_lead_to_the_next() {
        assert_eq!(next_page("</v2/a/tags/list?last=x>; rel=\"next\"").as_deref(), Some("/v2/a/tags/list?last=x"));
        assert_eq!(next_page("</v2/a>; rel=\"prev\""), None);
    }
}
