//! GET over HTTP and HTTPS, with bounds on size, time and redirects. The client is the one of the AWS SDK: rustls on ring, proxies by environment.

use std::sync::OnceLock;
use std::time::Duration;

use aws_smithy_http_client::Connector;
use aws_smithy_http_client::proxy::ProxyConfig;
use aws_smithy_http_client::tls::Provider;
use aws_smithy_http_client::tls::rustls_provider::CryptoMode;
use aws_smithy_runtime_api::client::http::{HttpConnector as _, SharedHttpConnector};
use aws_smithy_types::body::SdkBody;
use aws_smithy_types::byte_stream::ByteStream;
use zeroize::Zeroizing;

use super::{ChartSourceError, login};
use crate::source::trust;

/// How long a whole answer may take.
const TIMEOUT: Duration = Duration::from_mins(2);
/// How often one address may lead to another.
const MOST_REDIRECTS: usize = 5;

/// A client. What it needs for TLS is read when it is first used: charts in folders need none.
#[derive(Default)]
pub struct Client {
    connector: OnceLock<SharedHttpConnector>,
}

/// An answer with its body.
pub struct Answer {
    /// The status.
    pub status: u16,
    /// The header `WWW-Authenticate`.
    pub challenge: Option<String>,
    /// The header `Link`.
    pub link: Option<String>,
    /// The body.
    pub body: Vec<u8>,
}

impl Client {
    /// Honours HTTPS_PROXY, NO_PROXY, SSL_CERT_FILE and AWS_CA_BUNDLE.
    fn connector(&self) -> Result<&SharedHttpConnector, ChartSourceError> {
        if let Some(connector) = self.connector.get() {
            return Ok(connector);
        }
        let connector = Connector::builder()
            .proxy_config(ProxyConfig::from_env())
            .tls_provider(Provider::Rustls(CryptoMode::Ring))
            .tls_context(trust::context()?)
            .build();
        Ok(self.connector.get_or_init(|| SharedHttpConnector::new(connector)))
    }

    /// The body of an address, which must answer with success. Where it asks for name and password it gets those that Docker's configuration
    /// holds for its host.
    pub async fn get(&self, url: &str, most: usize) -> Result<Vec<u8>, ChartSourceError> {
        let mut answer = self.ask(url, &[], most).await?;
        let host = host(url);
        let mut sent = false;
        if answer.status == 401
            && let Some(login) = login::configured(host).await
        {
            let header = Zeroizing::new(format!("Basic {}", String::from_utf8_lossy(login.expose_secret())));
            answer = self.ask(url, &[("authorization", header.as_str())], most).await?;
            sent = true;
        }
        let shown = without_secrets(url);
        match answer.status {
            200..300 => Ok(answer.body),
            404 => Err(ChartSourceError::not_found(format!("{shown} is not there (404)"), "check the address")),
            status @ (401 | 403) => {
                let told = match (status, sent) {
                    (_, true) => format!("the server refuses the login for {host} ({status})"),
                    (401, false) => {
                        format!("the server asks for name and password (401), and Docker's configuration has no login for {host}")
                    }
                    _ => "the server refuses access (403)".to_owned(),
                };
                let help = format!(
                    "put name and password for {host} under `auths` in Docker's config.json, as `docker login` does for registries"
                );
                Err(refused(url, told, help))
            }
            status => Err(failed(url, format!("the server answers {status}"))),
        }
    }

    /// The answer of an address. Redirects are followed; headers go no further than the first host.
    pub async fn ask(&self, url: &str, headers: &[(&str, &str)], most: usize) -> Result<Answer, ChartSourceError> {
        let asked = self.ask_on(url, headers, most);
        tokio::time::timeout(TIMEOUT, asked).await.map_err(|_| failed(url, format!("no whole answer within {} s", TIMEOUT.as_secs())))?
    }

    async fn ask_on(&self, url: &str, headers: &[(&str, &str)], most: usize) -> Result<Answer, ChartSourceError> {
        let mut url = url.to_owned();
        let origin = origin(&url).to_owned();
        for _ in 0..=MOST_REDIRECTS {
            if host(&url).contains('@') {
                return Err(failed(&url, "an address with a password in it is not taken: it would stand in lock files and logs"));
            }
            let mut request = http::Request::get(&url).header("user-agent", concat!("meshform/", env!("CARGO_PKG_VERSION")));
            for (name, value) in headers.iter().filter(|(name, _)| *name != "authorization" || self::origin(&url) == origin) {
                request = request.header(*name, *value);
            }
            let request = request.body(SdkBody::empty()).map_err(|error| failed(&url, error.to_string()))?;
            let request = request.try_into().map_err(|error| failed(&url, format!("{error}")))?;
            let response = self.connector()?.call(request).await.map_err(|error| failed(&url, chain(&error)))?;
            let status = response.status().as_u16();
            let header = |name: &str| response.headers().get(name).map(str::to_owned);
            if let (301 | 302 | 303 | 307 | 308, Some(to)) = (status, header("location")) {
                url = redirected(&url, &to)?;
                continue;
            }
            let (challenge, link) = (header("www-authenticate"), header("link"));
            let body = read(&url, response.into_body(), most).await?;
            return Ok(Answer { status, challenge, link, body });
        }
        Err(failed(&url, format!("more than {MOST_REDIRECTS} redirects")))
    }
}

async fn read(url: &str, body: SdkBody, most: usize) -> Result<Vec<u8>, ChartSourceError> {
    let mut stream = ByteStream::new(body);
    let mut bytes = Vec::new();
    while let Some(part) = stream.next().await {
        let part = part.map_err(|error| failed(url, chain(&error)))?;
        if bytes.len() + part.len() > most {
            return Err(failed(url, format!("the answer is larger than {most} bytes")));
        }
        bytes.extend_from_slice(&part);
    }
    Ok(bytes)
}

pub(super) fn failed(url: &str, reason: impl Into<String>) -> ChartSourceError {
    ChartSourceError::Http { url: without_secrets(url), reason: reason.into() }
}

pub(super) fn refused(url: &str, reason: impl Into<String>, help: impl Into<String>) -> ChartSourceError {
    ChartSourceError::Login { url: without_secrets(url), reason: reason.into(), help: help.into() }
}

/// Addresses may hold passwords and signatures.
fn without_secrets(url: &str) -> String {
    let url = url.split(['?', '#']).next().unwrap_or_default();
    match url.split_once("://").and_then(|(scheme, rest)| Some((scheme, rest.split_once('@')?))) {
        Some((scheme, (user, rest))) if !user.contains('/') => format!("{scheme}://{rest}"),
        _ => url.to_owned(),
    }
}

/// An error with its causes: the outermost alone says "dispatch failure".
fn chain(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut next = error.source();
    while let Some(cause) = next {
        let told = cause.to_string();
        if !text.contains(&told) {
            text = format!("{text}: {told}");
        }
        next = cause.source();
    }
    text
}

/// Scheme and host.
pub(super) fn origin(url: &str) -> &str {
    let begin = url.find("://").map_or(0, |at| at + 3);
    &url[..begin + url[begin..].find(['/', '?', '#']).unwrap_or(url.len() - begin)]
}

/// The host, with its port.
fn host(url: &str) -> &str {
    origin(url).split_once("://").map_or("", |(_, host)| host)
}

/// Where a redirect leads: never from HTTPS to HTTP.
fn redirected(from: &str, to: &str) -> Result<String, ChartSourceError> {
    let next = if to.starts_with("https://") || to.starts_with("http://") {
        to.to_owned()
    } else if let Some(rest) = to.strip_prefix("//") {
        format!("{}://{rest}", from.split("://").next().unwrap_or("https"))
    } else if to.starts_with('/') {
        format!("{}{to}", origin(from))
    } else {
        let folder = from.split(['?', '#']).next().unwrap_or(from);
        format!("{}/{to}", folder.rsplit_once('/').map_or(folder, |(folder, _)| folder))
    };
    if from.starts_with("https://") && !next.starts_with("https://") {
        return Err(failed(from, "leads from HTTPS to HTTP"));
    }
    Ok(next)
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn redirects_lead_on_but_never_off_https() {
        assert_eq!(redirected("https://h/a/b", "/c").unwrap(), "https://h/c");
        assert_eq!(redirected("https://h/a/b?x", "c").unwrap(), "https://h/a/c");
        assert_eq!(redirected("https://h/a", "https://o/x").unwrap(), "https://o/x");
        assert_eq!(redirected("https://h/a", "//o/x").unwrap(), "https://o/x");
        assert!(redirected("https://h/a", "http://o/x").is_err());
    }

    #[test]
    fn errors_hold_no_secrets_of_an_address() {
        assert_eq!(without_secrets("https://user:pass@h/a?sig=x"), "https://h/a");
        assert_eq!(without_secrets("https://h/a@b"), "https://h/a@b");
    }
}
