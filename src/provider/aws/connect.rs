//! The way to AWS: HTTP client, credentials, region, and who we are.

use std::sync::Arc;

use aws_config::{BehaviorVersion, SdkConfig};
use aws_credential_types::Credentials;
use aws_credential_types::provider::SharedCredentialsProvider;
use aws_smithy_http_client::proxy::ProxyConfig;
use aws_smithy_http_client::tls::rustls_provider::CryptoMode;
use aws_smithy_http_client::tls::{Provider, TlsContext};
use aws_smithy_http_client::{Builder, Connector};
use aws_smithy_runtime_api::client::http::{SharedHttpClient, SharedHttpConnector};
use aws_smithy_types::retry::RetryConfig;
use aws_types::region::Region;

use super::{Aws, failed};
use crate::permissions::Call;
use crate::provider::budget::Budget;
use crate::provider::error::{Class, ProviderError};
use crate::source::trust;
use crate::stack::Role;

/// What it takes to connect.
pub struct Access<'a> {
    /// The region.
    pub region: &'a str,
    /// A profile of the AWS configuration files.
    pub profile: Option<&'a str>,
    /// A role to assume.
    pub role: Option<&'a Role>,
    /// In the sandbox, the client that answers in process.
    pub sandbox: Option<SharedHttpClient>,
}

/// The SDK's configuration: credentials, region, HTTP client.
pub(super) async fn configured(access: &Access<'_>) -> Result<SdkConfig, ProviderError> {
    let region = Region::new(access.region.to_owned());
    let retries = RetryConfig::standard().with_max_attempts(3);
    let mut config = if let Some(client) = &access.sandbox {
        // Built by hand, so that nothing of the environment's AWS settings reaches the sandbox.
        SdkConfig::builder()
            .behavior_version(BehaviorVersion::latest())
            .region(region)
            .retry_config(retries)
            .http_client(client.clone())
            .sleep_impl(aws_smithy_async::rt::sleep::TokioSleep::new())
            .time_source(aws_smithy_async::time::SystemTimeSource::new())
            .credentials_provider(SharedCredentialsProvider::new(Credentials::new(
                "AKIASANDBOX000000000",
                "sandbox",
                None,
                None,
                "sandbox",
            )))
            .build()
    } else {
        let mut loader = aws_config::defaults(BehaviorVersion::latest()).region(region).retry_config(retries).http_client(http_client()?);
        if let Some(profile) = access.profile {
            loader = loader.profile_name(profile);
        }
        loader.load().await
    };
    if let Some(role) = access.role {
        config = with_role(&config, role).await;
    }
    Ok(config)
}

/// Connects, and asks who we are (`sts:GetCallerIdentity`, which needs no permission).
pub async fn connect(access: &Access<'_>) -> Result<Aws, ProviderError> {
    let config = configured(access).await?;
    let on_loopback = config.endpoint_url().is_some_and(|url| url.contains("//127.0.0.1") || url.contains("//localhost"));
    let budget = if on_loopback { Budget::unlimited() } else { Budget::default() };
    let operation = Call::GetCallerIdentity;
    budget.take("", operation).await;
    let answer =
        aws_sdk_sts::Client::new(&config).get_caller_identity().send().await.map_err(|error| failed(operation, "the caller", error))?;
    let account = answer
        .account()
        .ok_or_else(|| ProviderError::own(operation.name(), "the caller", Class::Server, "the answer names no account"))?
        .to_owned();
    Ok(Aws { config, region: access.region.to_owned(), account, budget, assumed: Arc::default() })
}

/// The same configuration with the credentials of a role.
pub(super) async fn with_role(config: &SdkConfig, role: &Role) -> SdkConfig {
    let mut provider = aws_config::sts::AssumeRoleProvider::builder(&role.arn).session_name("meshform").configure(config);
    if let Some(id) = &role.external_id {
        provider = provider.external_id(id);
    }
    config.to_builder().credentials_provider(SharedCredentialsProvider::new(provider.build().await)).build()
}

/// An HTTPS client on ring, which honours HTTPS_PROXY, NO_PROXY, AWS_CA_BUNDLE and SSL_CERT_FILE.
fn http_client() -> Result<SharedHttpClient, ProviderError> {
    let context = trusted()?;
    Ok(Builder::new().build_with_connector_fn(move |settings, components| {
        let mut builder = Connector::builder().proxy_config(ProxyConfig::from_env());
        if let Some(settings) = settings {
            builder = builder.connector_settings(settings.clone());
        }
        if let Some(sleep) = components.and_then(aws_smithy_runtime_api::client::runtime_components::RuntimeComponents::sleep_impl) {
            builder = builder.sleep_impl(sleep);
        }
        builder.tls_provider(Provider::Rustls(CryptoMode::Ring)).tls_context(context.clone()).build()
    }))
}

/// The same way to a server, for a request that no client of the SDK makes.
pub(super) fn connector() -> Result<SharedHttpConnector, ProviderError> {
    let builder = Connector::builder().proxy_config(ProxyConfig::from_env()).tls_provider(Provider::Rustls(CryptoMode::Ring));
    Ok(SharedHttpConnector::new(builder.tls_context(trusted()?).build()))
}

fn trusted() -> Result<TlsContext, ProviderError> {
    trust::context().map_err(|error| ProviderError::own("reading the trusted certificates", "TLS", Class::Invalid, error.to_string()))
}
