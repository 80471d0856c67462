//! AWS: one client per service, credentials and region, made on demand; the SDK's types end in this folder.

pub mod acm;
pub mod connect;
pub mod ecr;
pub mod eks;
pub mod route53;
pub mod secretsmanager;
pub mod tagging;

use std::collections::BTreeMap;
use std::sync::Arc;

use aws_config::SdkConfig;
use aws_smithy_runtime_api::client::orchestrator::HttpResponse;
use aws_smithy_runtime_api::client::result::SdkError;
use aws_smithy_types::error::metadata::ProvideErrorMetadata;
use aws_types::request_id::RequestId;
use tokio::sync::Mutex;

use super::budget::Budget;
use super::error::{Class, ProviderError};
use crate::permissions::Call;
use crate::stack::Role;

/// An AWS account as one identity sees it.
#[derive(Clone)]
pub struct Aws {
    config: SdkConfig,
    region: String,
    account: String,
    budget: Budget,
    assumed: Arc<Mutex<BTreeMap<Role, SdkConfig>>>,
}

impl Aws {
    /// The account's id.
    pub fn account(&self) -> &str {
        &self.account
    }

    /// The default region.
    pub fn region(&self) -> &str {
        &self.region
    }

    /// The rate budget, which also counts.
    pub fn budget(&self) -> &Budget {
        &self.budget
    }

    /// ACM in a region.
    pub fn acm(&self, region: &str) -> acm::Acm {
        let config = aws_sdk_acm::config::Builder::from(&self.config).region(aws_types::region::Region::new(region.to_owned())).build();
        acm::Acm::new(aws_sdk_acm::Client::from_conf(config), region, self.scope(region), self.budget.clone())
    }

    /// Secrets Manager in a region.
    pub fn secretsmanager(&self, region: &str) -> secretsmanager::SecretsManager {
        let config =
            aws_sdk_secretsmanager::config::Builder::from(&self.config).region(aws_types::region::Region::new(region.to_owned())).build();
        secretsmanager::SecretsManager::new(aws_sdk_secretsmanager::Client::from_conf(config), self.scope(region), self.budget.clone())
    }

    /// The tagging API in a region.
    pub fn tagging(&self, region: &str) -> tagging::Tagging {
        let config = aws_sdk_resourcegroupstagging::config::Builder::from(&self.config)
            .region(aws_types::region::Region::new(region.to_owned()))
            .build();
        tagging::Tagging::new(aws_sdk_resourcegroupstagging::Client::from_conf(config), region, self.scope(region), self.budget.clone())
    }

    /// Route 53, with a role's credentials where a zone asks for it.
    pub async fn route53(&self, role: Option<&Role>) -> route53::Route53 {
        let config = match role {
            Some(role) => self.assume(role).await,
            None => self.config.clone(),
        };
        let scope = role.map_or_else(|| self.account.clone(), |role| role.arn.clone());
        route53::Route53::new(aws_sdk_route53::Client::new(&config), scope, self.budget.clone())
    }

    /// EKS in the default region.
    pub fn eks(&self) -> eks::Eks {
        eks::Eks::new(
            aws_sdk_eks::Client::new(&self.config),
            self.config.clone(),
            &self.region,
            self.scope(&self.region),
            self.budget.clone(),
        )
    }

    fn scope(&self, region: &str) -> String {
        format!("{}/{region}", self.account)
    }

    /// The configuration with a role's credentials; its cache of credentials is shared by all who ask.
    async fn assume(&self, role: &Role) -> SdkConfig {
        let mut assumed = self.assumed.lock().await;
        if let Some(config) = assumed.get(role) {
            return config.clone();
        }
        let config = connect::with_role(&self.config, role).await;
        assumed.insert(role.clone(), config.clone());
        config
    }
}

#[allow(clippy::needless_pass_by_value, reason = "it is what `map_err` gives")]
/// A request that failed, in our terms. `operation` is the IAM action.
fn failed<E>(operation: Call, subject: &str, error: SdkError<E, HttpResponse>) -> ProviderError
where
    E: ProvideErrorMetadata + std::error::Error + Send + Sync + 'static,
{
    let request_id = error
        .raw_response()
        .and_then(|r| r.request_id().map(ToOwned::to_owned))
        .or_else(|| error.meta().request_id().map(ToOwned::to_owned));
    let code = error.code().unwrap_or_default().to_owned();
    let message = error.message().unwrap_or_default().to_owned();
    let (class, message) = match &error {
        SdkError::ServiceError(context) => {
            let status = context.raw().status().as_u16();
            let class = if code.is_empty() && status >= 500 { Class::Server } else { classify(operation, &code, status) };
            let class = match class {
                Class::Denied(action) => Class::Denied(denied_action(&message).map_or(action, ToOwned::to_owned)),
                class => class,
            };
            (class, message)
        }
        SdkError::ConstructionFailure(failure) => (Class::Invalid, causes(failure)),
        SdkError::DispatchFailure(failure) => {
            let text = failure.as_connector_error().map_or_else(|| causes(failure), |error| chain(error));
            // The SDK reports credentials that can't be had as a failed dispatch.
            let about_credentials = text.contains("credentials") || text.contains("identity");
            (if about_credentials { Class::Credentials } else { Class::Unreachable }, text)
        }
        SdkError::TimeoutError(_) => (Class::Unreachable, "the request timed out".to_owned()),
        other => (Class::Unreachable, chain(other)),
    };
    ProviderError { operation: operation.name().to_owned(), subject: subject.to_owned(), class, code, message, request_id }
}

/// The action that IAM's message names, which need not be that of the operation: a request with tags needs the right to tag as well, and a
/// secret with a key of its own those of the key. No field of the answer says it.
fn denied_action(message: &str) -> Option<&str> {
    let (_, rest) = message.split_once("not authorized to perform: ")?;
    let action = rest.split([' ', ',']).next()?.trim_end_matches('.');
    let (service, name) = action.split_once(':')?;
    let is_word = |text: &str| !text.is_empty() && text.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-');
    (is_word(service) && is_word(name)).then_some(action)
}

fn causes(failure: &impl std::fmt::Debug) -> String {
    let text = format!("{failure:?}");
    text.chars().take(300).collect()
}

fn chain(error: &(dyn std::error::Error + 'static)) -> String {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(cause) = source {
        let cause_text = cause.to_string();
        if !text.ends_with(&cause_text) {
            text.push_str(": ");
            text.push_str(&cause_text);
        }
        source = cause.source();
    }
    text
}

/// The class of a service's error code. `LimitExceededException` counts as throttling for the SDK; for these services it is a quota.
fn classify(operation: Call, code: &str, status: u16) -> Class {
    classify_named(operation.name(), code, status)
}

/// The same by the IAM action's name.
fn classify_named(action: &str, code: &str, status: u16) -> Class {
    match code {
        "ResourceNotFoundException" | "NoSuchHostedZone" | "NoSuchChange" | "NotFoundException" => Class::NotFound,
        "ResourceExistsException" => Class::Exists,
        "ResourceInUseException" => Class::InUse,
        "RequestInProgressException" | "PriorRequestNotComplete" | "ConflictException" => Class::NotYet,
        "InvalidStateException" | "InvalidRequestException" | "InvalidChangeBatch" => Class::State,
        "LimitExceededException" | "TooManyTagsException" => Class::Quota,
        "Throttling" | "ThrottlingException" | "ThrottledException" | "TooManyRequestsException" | "RequestLimitExceeded" => {
            Class::Throttled
        }
        "AccessDenied" | "AccessDeniedException" | "UnauthorizedOperation" => Class::Denied(action.to_owned()),
        "ExpiredToken"
        | "ExpiredTokenException"
        | "InvalidClientTokenId"
        | "UnrecognizedClientException"
        | "SignatureDoesNotMatch"
        | "InvalidSignatureException"
        | "MissingAuthenticationToken"
        | "IncompleteSignature" => Class::Credentials,
        _ if status >= 500 => Class::Server,
        _ if status == 403 => Class::Denied(action.to_owned()),
        _ => Class::Invalid,
    }
}
