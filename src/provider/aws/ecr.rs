//! ECR: the login that its registries take from an AWS identity.
//!
//! One request of the service is needed, so it is signed here: a client of the SDK's would be built for nothing else. It serves `chart`, which
//! has no stack, and is therefore not in the table of what a stack needs ([`crate::permissions::Call`]).

use std::time::{Duration, SystemTime};

use aws_config::SdkConfig;
use aws_credential_types::provider::ProvideCredentials as _;
use aws_sigv4::http_request::{SignableBody, SignableRequest, SigningSettings, sign};
use aws_sigv4::sign::v4;
use aws_smithy_runtime_api::client::http::HttpConnector as _;
use aws_smithy_types::body::SdkBody;
use aws_smithy_types::byte_stream::ByteStream;
use aws_types::service_config::ServiceConfigKey;
use serde_json::Value;

use super::connect::{Access, configured, connector};
use super::{chain, classify_named, denied_action};
use crate::provider::error::{Class, ProviderError};
use crate::secret::SecretBytes;

/// The IAM action.
const OPERATION: &str = "ecr:GetAuthorizationToken";
/// The operation in the service's own protocol, JSON 1.1.
const TARGET: &str = "AmazonEC2ContainerRegistry_V20150921.GetAuthorizationToken";
/// The request: whatever registries the identity may read.
const BODY: &[u8] = b"{}";
/// How long one answer may take.
const TIMEOUT: Duration = Duration::from_secs(30);
/// How often a server that fails or is not reached is asked.
const ATTEMPTS: u32 = 3;
/// The most bytes of an answer.
const MAX_ANSWER: usize = 1 << 20;

/// A private registry of ECR.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Registry {
    /// The account that owns it.
    pub account: String,
    /// Its region.
    pub region: String,
    /// The host of the region's API.
    pub api: String,
}

impl Registry {
    /// Reads the name of a registry's host: `<account>.dkr.ecr[-fips].<region>.amazonaws.com`, or `<account>.dkr-ecr[-fips].<region>.on.aws`
    /// where IPv6 is wanted, and the same in the other partitions (ECR user guide, "Amazon ECR endpoints").
    pub fn of_host(host: &str) -> Option<Self> {
        let (account, rest) = host.split_once(".dkr").filter(|(account, _)| account.len() == 12)?;
        let (service, rest) = rest.strip_prefix(['.', '-'])?.split_once('.')?;
        let (region, suffix) = rest.split_once('.')?;
        let is_region = |region: &str| region.contains('-') && region.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-');
        if !account.bytes().all(|b| b.is_ascii_digit()) || !matches!(service, "ecr" | "ecr-fips") || !is_region(region) {
            return None;
        }
        let api = match suffix {
            "amazonaws.com" if service == "ecr-fips" => format!("{service}.{region}.{suffix}"),
            "amazonaws.com" | "amazonaws.com.cn" | "amazonaws.eu" => format!("api.ecr.{region}.{suffix}"),
            "on.aws" => format!("{service}.{region}.api.aws"),
            "on.amazonwebservices.com.cn" => format!("{service}.{region}.api.amazonwebservices.com.cn"),
            _ => return None,
        };
        Some(Self { account: account.to_owned(), region: region.to_owned(), api })
    }
}

/// The login of a registry, Base64 of `name:password`, which lives twelve hours (`ecr:GetAuthorizationToken`, for which one permission is
/// enough in whatever account the registry is).
pub async fn login(registry: &Registry) -> Result<SecretBytes, ProviderError> {
    let config = configured(&Access { region: &registry.region, profile: None, role: None, sandbox: None }).await?;
    login_by(&config, registry).await
}

/// The same with a configuration that is there.
pub async fn login_by(config: &SdkConfig, registry: &Registry) -> Result<SecretBytes, ProviderError> {
    let connector = connector()?;
    let mut attempt = 1;
    loop {
        tracing::info!("{OPERATION} of {}", registry.region);
        let request = signed(config, registry).await?;
        let asked = async {
            let response = connector.call(request).await.map_err(|error| own(registry, Class::Unreachable, chain(&error)))?;
            let status = response.status().as_u16();
            let id = response.headers().get("x-amzn-requestid").map(str::to_owned);
            Ok((status, id, body(registry, response.into_body()).await?))
        };
        let unanswered = || own(registry, Class::Unreachable, format!("no whole answer within {} s", TIMEOUT.as_secs()));
        let answer = tokio::time::timeout(TIMEOUT, asked).await.unwrap_or_else(|_| Err(unanswered()));
        let outcome = answer.and_then(|(status, id, body)| read(registry, status, id, &body));
        match outcome {
            Err(error) if error.is_transient() && attempt < ATTEMPTS => {
                tokio::time::sleep(Duration::from_millis(200 << attempt)).await;
                attempt += 1;
            }
            outcome => return outcome,
        }
    }
}

fn own(registry: &Registry, class: Class, message: impl Into<String>) -> ProviderError {
    ProviderError::own(OPERATION, &format!("the registries of {}", registry.region), class, message)
}

/// The request with its signature.
async fn signed(
    config: &SdkConfig,
    registry: &Registry,
) -> Result<aws_smithy_runtime_api::client::orchestrator::HttpRequest, ProviderError> {
    let invalid = |message: String| own(registry, Class::Invalid, message);
    let nobody = |message: String| own(registry, Class::Credentials, message);
    let provider = config.credentials_provider().ok_or_else(|| nobody("there are no credentials".into()))?;
    let identity = provider.provide_credentials().await.map_err(|error| nobody(chain(&error)))?.into();
    let parameters = v4::SigningParams::builder()
        .identity(&identity)
        .region(&registry.region)
        .name("ecr")
        .time(SystemTime::now())
        .settings(SigningSettings::default())
        .build()
        .map_err(|error| invalid(error.to_string()))?
        .into();
    let url = endpoint(config).unwrap_or_else(|| format!("https://{}", registry.api));
    let url = format!("{}/", url.trim_end_matches('/'));
    let host = url.split_once("://").map_or("", |(_, rest)| rest.trim_end_matches('/'));
    let headers = [("content-type", "application/x-amz-json-1.1"), ("host", host), ("x-amz-target", TARGET)];
    let signable =
        SignableRequest::new("POST", &url, headers.into_iter(), SignableBody::Bytes(BODY)).map_err(|error| invalid(error.to_string()))?;
    let (signature, _) = sign(signable, &parameters).map_err(|error| invalid(chain(&error)))?.into_parts();
    let mut request = http::Request::post(&url);
    for (name, value) in headers.into_iter().chain(signature.headers()) {
        request = request.header(name, value);
    }
    let request = request.body(SdkBody::from(BODY)).map_err(|error| invalid(error.to_string()))?;
    request.try_into().map_err(|error| invalid(format!("{error}")))
}

/// The endpoint that environment or profile set in place of AWS's own, for this service or for all.
fn endpoint(config: &SdkConfig) -> Option<String> {
    let key = ServiceConfigKey::builder().service_id("ECR").env("AWS_ENDPOINT_URL").profile("endpoint_url").build().ok()?;
    config.service_config().and_then(|settings| settings.load_config(key)).or_else(|| config.endpoint_url().map(str::to_owned))
}

async fn body(registry: &Registry, body: SdkBody) -> Result<SecretBytes, ProviderError> {
    let mut stream = ByteStream::new(body);
    let mut bytes = Vec::new();
    while let Some(part) = stream.next().await {
        let part = part.map_err(|error| own(registry, Class::Unreachable, chain(&error)))?;
        if bytes.len() + part.len() > MAX_ANSWER {
            return Err(own(registry, Class::Server, format!("the answer is larger than {MAX_ANSWER} bytes")));
        }
        bytes.extend_from_slice(&part);
    }
    Ok(SecretBytes::new(bytes))
}

/// What an answer says.
fn read(registry: &Registry, status: u16, id: Option<String>, body: &SecretBytes) -> Result<SecretBytes, ProviderError> {
    let parsed: Value = serde_json::from_slice(body.expose_secret()).unwrap_or_default();
    let text = |key: &str| parsed.get(key).and_then(Value::as_str).unwrap_or_default();
    if status == 200 {
        let token = parsed.pointer("/authorizationData/0/authorizationToken").and_then(Value::as_str);
        let token = token.map(|token| SecretBytes::from_text(token.to_owned()));
        return token.ok_or_else(|| own(registry, Class::Server, "the answer holds no token"));
    }
    let code = text("__type").rsplit('#').next().unwrap_or_default().to_owned();
    // Services write it with either capital.
    let message = if text("message").is_empty() { text("Message") } else { text("message") }.to_owned();
    let class = match classify_named(OPERATION, &code, status) {
        Class::Denied(action) => Class::Denied(denied_action(&message).map_or(action, ToOwned::to_owned)),
        class => class,
    };
    Err(ProviderError { code, request_id: id, ..own(registry, class, message) })
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn a_host_tells_account_region_and_api() {
        for (host, region, api) in [
            ("111122223333.dkr.ecr.eu-west-1.amazonaws.com", "eu-west-1", "api.ecr.eu-west-1.amazonaws.com"),
            ("111122223333.dkr.ecr.cn-north-1.amazonaws.com.cn", "cn-north-1", "api.ecr.cn-north-1.amazonaws.com.cn"),
            ("111122223333.dkr.ecr-fips.us-gov-west-1.amazonaws.com", "us-gov-west-1", "ecr-fips.us-gov-west-1.amazonaws.com"),
            ("111122223333.dkr-ecr.us-east-2.on.aws", "us-east-2", "ecr.us-east-2.api.aws"),
            ("111122223333.dkr-ecr-fips.us-east-2.on.aws", "us-east-2", "ecr-fips.us-east-2.api.aws"),
        ] {
            let registry = Registry::of_host(host).unwrap();
            assert_eq!((registry.account.as_str(), registry.region.as_str(), registry.api.as_str()), ("111122223333", region, api));
        }
    }

    #[test]
    fn other_hosts_are_no_registries_of_ecr() {
        for host in [
            "ghcr.io",
            "public.ecr.aws",
            "1111.dkr.ecr.eu-west-1.amazonaws.com",
            "111122223333.dkr.ecr.eu-west-1.amazonaws.com.example.com",
            "111122223333.dkr.ecr.eu-west-1.amazonaws.com:8443",
            "111122223333.dkr.ecr.x/y-1.amazonaws.com",
            "x.111122223333.dkr.ecr.eu-west-1.amazonaws.com",
            "111122223333.dkr.s3.eu-west-1.amazonaws.com",
        ] {
            assert_eq!(Registry::of_host(host), None, "{host}");
        }
    }

    #[test]
    fn a_denied_call_names_the_right_that_is_missing() {
        let registry = Registry::of_host("111122223333.dkr.ecr.eu-west-1.amazonaws.com").unwrap();
        let body = br#"{"__type": "AccessDeniedException", "Message": "User: x is not authorized to perform: ecr:GetAuthorizationToken on resource: *"}"#;
        let error = read(&registry, 400, Some("id-1".into()), &SecretBytes::new(body.to_vec())).err().unwrap();
        let told = error.to_string();
        assert!(told.contains("missing permission `ecr:GetAuthorizationToken`") && told.contains("id-1"), "{told}");
        assert!(error.help().unwrap().contains("grant `ecr:GetAuthorizationToken`"));
    }

    #[test]
    fn an_answer_that_makes_no_sense_is_an_error_without_its_body() {
        let registry = Registry::of_host("111122223333.dkr.ecr.eu-west-1.amazonaws.com").unwrap();
        for (status, body) in [(200, "{\"planted\": 1}"), (200, "planted"), (500, "planted"), (403, "<planted/>"), (302, "")] {
            let told = read(&registry, status, None, &SecretBytes::from_text(body.to_owned())).err().unwrap().to_string();
            assert!(!told.contains("planted"), "{told}");
        }
    }
}
