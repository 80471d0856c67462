//! EKS: where a cluster is, and the tokens it takes.

use std::time::{Duration, SystemTime};

use aws_config::SdkConfig;
use aws_credential_types::provider::ProvideCredentials as _;
use aws_sdk_eks::Client;
use aws_sigv4::http_request::{SignableBody, SignableRequest, SignatureLocation, SigningSettings, sign};
use aws_sigv4::sign::v4;
use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};

use super::failed;
use crate::permissions::Call;
use crate::provider::budget::Budget;
use crate::provider::error::{Class, ProviderError};
use crate::secret::SecretBytes;

/// How long a token is used: it lives 15 minutes from its date (aws-iam-authenticator, token.go).
pub const TOKEN_LIFE: Duration = Duration::from_mins(14);

/// EKS in one region.
#[derive(Clone)]
pub struct Eks {
    client: Client,
    config: SdkConfig,
    region: String,
    scope: String,
    budget: Budget,
}

/// Where a cluster is.
#[derive(Clone, Debug)]
pub struct ClusterEndpoint {
    /// Its https address.
    pub endpoint: String,
    /// Its CA, PEM.
    pub ca_pem: Vec<u8>,
    /// Whether it can be reached from outside its VPC.
    pub is_public: bool,
}

impl Eks {
    pub(super) fn new(client: Client, config: SdkConfig, region: &str, scope: String, budget: Budget) -> Self {
        Self { client, config, region: region.to_owned(), scope, budget }
    }

    /// Finds a cluster.
    pub async fn describe(&self, name: &str) -> Result<ClusterEndpoint, ProviderError> {
        let operation = Call::DescribeCluster;
        self.budget.take(&self.scope, operation).await;
        let answer = self.client.describe_cluster().name(name).send().await.map_err(|error| failed(operation, name, error))?;
        let own = |class, message: String| ProviderError::own(operation.name(), name, class, message);
        let cluster = answer.cluster().ok_or_else(|| own(Class::Server, "the answer holds no cluster".into()))?;
        let status = cluster.status().map_or("unknown", |status| status.as_str());
        let (Some(endpoint), Some(ca)) = (cluster.endpoint(), cluster.certificate_authority().and_then(|ca| ca.data())) else {
            return Err(own(Class::NotYet, format!("the cluster has no endpoint yet, its status is {status}")));
        };
        let ca_pem = STANDARD.decode(ca).map_err(|_| own(Class::Server, "the cluster's certificate authority is not base64".into()))?;
        let is_public = cluster.resources_vpc_config().is_none_or(aws_sdk_eks::types::VpcConfigResponse::endpoint_public_access);
        Ok(ClusterEndpoint { endpoint: endpoint.to_owned(), ca_pem, is_public })
    }

    /// A bearer token: a presigned `GetCallerIdentity` of the regional STS host, with the cluster's name among the signed headers.
    pub async fn token(&self, cluster: &str) -> Result<SecretBytes, ProviderError> {
        let operation = "making a token for the cluster";
        let own = |message: String| ProviderError::own(operation, cluster, Class::Credentials, message);
        let provider = self.config.credentials_provider().ok_or_else(|| own("there are no credentials".into()))?;
        let identity = provider.provide_credentials().await.map_err(|error| own(super::chain(&error)))?.into();
        let mut settings = SigningSettings::default();
        settings.signature_location = SignatureLocation::QueryParams;
        settings.expires_in = Some(Duration::from_mins(1));
        let parameters = v4::SigningParams::builder()
            .identity(&identity)
            .region(&self.region)
            .name("sts")
            .time(SystemTime::now())
            .settings(settings)
            .build()
            .map_err(|error| own(error.to_string()))?
            .into();
        let host = sts_host(&self.region);
        let mut url = format!("https://{host}/?Action=GetCallerIdentity&Version=2011-06-15");
        let headers = [("host", host.as_str()), ("x-k8s-aws-id", cluster)];
        let request = SignableRequest::new("GET", &url, headers.into_iter(), SignableBody::Bytes(&[])).map_err(|e| own(e.to_string()))?;
        let (instructions, _) = sign(request, &parameters).map_err(|error| own(super::chain(&error)))?.into_parts();
        for (key, value) in instructions.params() {
            url.push('&');
            url.push_str(key);
            url.push('=');
            url.extend(form_encoded(value));
        }
        Ok(SecretBytes::from_text(format!("k8s-aws-v1.{}", URL_SAFE_NO_PAD.encode(url))))
    }
}

fn sts_host(region: &str) -> String {
    let suffix = if region.starts_with("cn-") { "amazonaws.com.cn" } else { "amazonaws.com" };
    format!("sts.{region}.{suffix}")
}

/// Percent-encodes all but RFC 3986's unreserved characters, as signatures of version 4 want it.
fn form_encoded(value: &str) -> impl Iterator<Item = char> {
    value.bytes().flat_map(|byte| {
        if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) {
            vec![char::from(byte)]
        } else {
            format!("%{byte:02X}").chars().collect()
        }
    })
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use aws_credential_types::Credentials;
    use aws_credential_types::provider::SharedCredentialsProvider;

    use super::*;

    #[tokio::test]
    async fn a_token_is_what_the_authenticator_of_eks_demands() {
        let credentials = Credentials::new("AKIDEXAMPLE", "secret", Some("session/token+with=signs".into()), None, "test");
        let config = SdkConfig::builder()
            .behavior_version(aws_config::BehaviorVersion::latest())
            .region(aws_types::region::Region::new("eu-west-1"))
            .credentials_provider(SharedCredentialsProvider::new(credentials))
            .build();
        let eks = Eks::new(Client::new(&config), config, "eu-west-1", String::new(), Budget::default());
        let token = eks.token("my-cluster").await.unwrap();
        let token = str::from_utf8(token.expose_secret()).unwrap().to_owned();
        let url = token.strip_prefix("k8s-aws-v1.").unwrap();
        assert!(!url.contains('='), "padding");
        assert!(token.len() < 4096);
        let url = String::from_utf8(URL_SAFE_NO_PAD.decode(url).unwrap()).unwrap();
        let (head, query) = url.split_once('?').unwrap();
        assert_eq!(head, "https://sts.eu-west-1.amazonaws.com/");
        let pairs: Vec<(&str, &str)> = query.split('&').map(|pair| pair.split_once('=').unwrap()).collect();
        let value = |name: &str| {
            let values: Vec<&str> = pairs.iter().filter(|(key, _)| *key == name).map(|(_, value)| *value).collect();
            assert_eq!(values.len(), 1, "{name} in {query}");
            values[0]
        };
        assert_eq!(value("Action"), "GetCallerIdentity");
        assert_eq!(value("Version"), "2011-06-15");
        assert_eq!(value("X-Amz-Algorithm"), "AWS4-HMAC-SHA256");
        assert_eq!(value("X-Amz-Expires"), "60");
        assert_eq!(value("X-Amz-SignedHeaders"), "host%3Bx-k8s-aws-id");
        assert_eq!(value("X-Amz-Security-Token"), "session%2Ftoken%2Bwith%3Dsigns");
        assert_eq!(value("X-Amz-Signature").len(), 64);
        assert!(value("X-Amz-Credential").starts_with("AKIDEXAMPLE%2F"));
        assert_eq!(value("X-Amz-Date").len(), 16);
    }
}
