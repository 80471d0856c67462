//! The AWS half: an HTTP client for the SDKs that answers from the sandbox's world.

pub(super) mod acm;
pub(super) mod authority;
mod eks;
mod route53;
mod secrets;
mod sts;
mod tagging;
#[cfg(test)]
mod tests;
mod wire;
mod xml;

use std::collections::BTreeMap;
use std::io;
use std::time::Duration;

use aws_smithy_runtime_api::client::http::{
    HttpClient, HttpConnector, HttpConnectorFuture, HttpConnectorSettings, SharedHttpClient, SharedHttpConnector,
};
use aws_smithy_runtime_api::client::orchestrator::{HttpRequest, HttpResponse};
use aws_smithy_runtime_api::client::result::ConnectorError;
use aws_smithy_runtime_api::client::runtime_components::RuntimeComponents;
use serde_json::Value;

use super::due::Due;
use super::error::SandboxError;
use super::gate::{Refused, Served};
use super::world::Tx;
use super::{ACCOUNT, Sandbox};
use wire::{Answer, Caller, Failure, Protocol, Refusal, Request};

/// An HTTP client that answers from a sandbox.
pub(super) fn http_client(sandbox: &Sandbox) -> SharedHttpClient {
    SharedHttpClient::new(Connector { sandbox: sandbox.clone(), patience: None })
}

/// Gives a new world its certificate authority, zones and cluster.
pub(super) fn populate(tx: &mut Tx<'_>) -> Result<(), SandboxError> {
    authority::populate(tx)?;
    route53::populate(tx)?;
    eks::populate(tx)?;
    tx.put("meta/populated", Value::Bool(true));
    Ok(())
}

/// Lets something due happen that belongs to an AWS service.
pub(super) fn happen(tx: &mut Tx<'_>, due: &Due) -> Result<(), SandboxError> {
    match due.what.split_once('.') {
        Some(("acm", what)) => acm::happen(tx, what, &due.to),
        Some(("secretsmanager", "replicate")) => secrets::arrive(tx, &due.to),
        Some(("secretsmanager", _)) => secrets::purge(tx, &due.to),
        Some(("eks", what)) => eks::happen(tx, what, &due.to),
        _ => Ok(()),
    }
}

/// Counts what the services have.
pub(super) fn count(tx: &Tx<'_>, services: &mut BTreeMap<String, BTreeMap<String, usize>>) -> Result<(), SandboxError> {
    let mut set = |service: &str, kind: &str, number: usize| {
        services.entry(service.to_owned()).or_default().insert(kind.to_owned(), number);
    };
    set("acm", "certificates", tx.scan("acm/").filter(|(key, _)| acm::is_certificate(key)).count());
    set("route53", "hosted zones", tx.scan("r53/zone/").count());
    set("route53", "record sets", route53::count_records(tx)?);
    set("secretsmanager", "secrets", tx.scan("sm/").filter(|(key, _)| secrets::is_secret(key)).count());
    set("eks", "clusters", tx.scan("eks/").count());
    Ok(())
}

#[derive(Clone, Debug)]
struct Connector {
    sandbox: Sandbox,
    /// How long the client waits for an answer.
    patience: Option<Duration>,
}

impl HttpClient for Connector {
    fn http_connector(&self, settings: &HttpConnectorSettings, _: &RuntimeComponents) -> SharedHttpConnector {
        SharedHttpConnector::new(Self { patience: settings.read_timeout(), ..self.clone() })
    }
}

impl HttpConnector for Connector {
    fn call(&self, request: HttpRequest) -> HttpConnectorFuture {
        let connector = self.clone();
        HttpConnectorFuture::new(async move {
            let Some(patience) = connector.patience else { return connector.answer(&request).await };
            match tokio::time::timeout(patience, connector.answer(&request)).await {
                Ok(answer) => answer,
                Err(elapsed) => Err(ConnectorError::timeout(elapsed.into())),
            }
        })
    }
}

/// The services there are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Service {
    Sts,
    Acm,
    Route53,
    SecretsManager,
    Eks,
    Tagging,
}

impl Connector {
    async fn answer(&self, request: &HttpRequest) -> Result<HttpResponse, ConnectorError> {
        let request = Request::of(request);
        let service = Service::of(&request);
        let operation = match service {
            Some(service) => service.operation(&request),
            None => request.target.clone().unwrap_or_else(|| format!("{} /{}", request.method, request.path.join("/"))),
        };
        let name = match (service, &request.scope) {
            (Some(service), _) => service.name(),
            (None, Some(scope)) => scope.service.as_str(),
            (None, None) => "unknown",
        };
        let served = self.sandbox.serve(name, &operation, |tx| {
            Ok(match service {
                Some(service) => serve(tx, service, &operation, &request),
                None => Err(Failure::Refusal(unknown(name, &operation))),
            })
        });
        let (number, served) = served.await.map_err(|error| ConnectorError::other(error.into(), None))?;
        let request_id = format!("00000000-0000-4000-8000-{number:012x}");
        let protocol = service.map_or(Protocol::Json, Service::protocol);
        let answer = match served {
            Served::Answer(Ok(answer)) => answer,
            Served::Answer(Err(Failure::Refusal(refusal))) => Answer::refusal(protocol, &refusal, &request_id),
            Served::Answer(Err(Failure::Sandbox(error))) => return Err(ConnectorError::other(error.into(), None)),
            Served::Refused(refused) => Answer::refusal(protocol, &interference(service, protocol, refused, &operation), &request_id),
            Served::Cut => {
                let error = io::Error::new(io::ErrorKind::ConnectionReset, "connection reset by the sandbox");
                return Err(ConnectorError::io(error.into()));
            }
        };
        answer.into_response(&request_id).ok_or_else(|| ConnectorError::other("the sandbox made a malformed answer".into(), None))
    }
}

fn serve(tx: &mut Tx<'_>, service: Service, operation: &str, request: &Request) -> Result<Answer, Failure> {
    let Some(scope) = &request.scope else {
        let code = if service.protocol() == Protocol::Json { "MissingAuthenticationTokenException" } else { "MissingAuthenticationToken" };
        return Err(wire::refuse_with(403, code, "Missing Authentication Token"));
    };
    let caller = Caller { account: account_of(&scope.access_key), region: scope.region.clone(), access_key: scope.access_key.clone() };
    // What an operation has changed before it was refused must not stay, though the faults that it met must.
    tx.attempt(|tx| match service {
        Service::Sts => sts::serve(tx, &caller, operation, request),
        Service::Acm => acm::serve(tx, &caller, operation, request),
        Service::Route53 => route53::serve(tx, &caller, operation, request),
        Service::SecretsManager => secrets::serve(tx, &caller, operation, request),
        Service::Eks => eks::serve(tx, &caller, operation, request),
        Service::Tagging => tagging::serve(tx, &caller, operation, request),
    })
}

impl Service {
    fn of(request: &Request) -> Option<Self> {
        let target = request.target.as_deref().and_then(|target| target.split_once('.')).map(|(prefix, _)| prefix);
        match (target, request.scope.as_ref().map(|scope| scope.service.as_str())) {
            (Some("CertificateManager"), _) => Some(Self::Acm),
            (Some("secretsmanager"), _) => Some(Self::SecretsManager),
            (Some("ResourceGroupsTaggingAPI_20170126"), _) => Some(Self::Tagging),
            (None, Some("sts")) => Some(Self::Sts),
            (None, Some("route53")) => Some(Self::Route53),
            (None, Some("eks")) => Some(Self::Eks),
            _ => None,
        }
    }

    /// The name by which fault rules know it, which is that of signatures.
    fn name(self) -> &'static str {
        match self {
            Self::Sts => "sts",
            Self::Acm => "acm",
            Self::Route53 => "route53",
            Self::SecretsManager => "secretsmanager",
            Self::Eks => "eks",
            Self::Tagging => "tagging",
        }
    }

    fn protocol(self) -> Protocol {
        match self {
            Self::Sts => Protocol::Query,
            Self::Acm => Protocol::Json,
            Self::Route53 => Protocol::RestXml,
            Self::SecretsManager | Self::Tagging => Protocol::JsonCapital,
            Self::Eks => Protocol::RestJson,
        }
    }

    fn operation(self, request: &Request) -> String {
        match self {
            Self::Acm | Self::SecretsManager | Self::Tagging => {
                let target = request.target.as_deref().unwrap_or_default();
                target.split_once('.').map_or(target, |(_, operation)| operation).to_owned()
            }
            Self::Sts => sts::operation(request),
            Self::Route53 => route53::operation(request),
            Self::Eks => eks::operation(request),
        }
    }
}

/// The refusal of an operation that the sandbox doesn't have.
fn unknown(service: &str, operation: &str) -> Refusal {
    let message = format!("the sandbox has no operation {operation} of {service}");
    Refusal { status: 400, code: "UnknownOperationException", message, messages: Vec::new() }
}

/// What a fault answers, in the words of the service.
fn interference(service: Option<Service>, protocol: Protocol, refused: Refused, operation: &str) -> Refusal {
    let xml = matches!(protocol, Protocol::Query | Protocol::RestXml);
    let (status, code, message) = match refused {
        Refused::Throttled if service == Some(Service::Tagging) => (400, "ThrottledException", "Rate exceeded".to_owned()),
        Refused::Throttled if xml => (400, "Throttling", "Rate exceeded".to_owned()),
        Refused::Throttled if protocol == Protocol::RestJson => (429, "ThrottlingException", "Rate exceeded".to_owned()),
        Refused::Throttled => (400, "ThrottlingException", "Rate exceeded".to_owned()),
        Refused::Failed(503) if xml => (503, "ServiceUnavailable", "Service is unable to handle request.".to_owned()),
        Refused::Failed(503) => (503, "ServiceUnavailableException", "Service is unable to handle request.".to_owned()),
        Refused::Failed(status) => (status, "InternalFailure", "The request processing has failed because of an unknown error.".to_owned()),
        Refused::Denied => {
            let action = service.map_or("unknown", |service| if service == Service::Tagging { "tag" } else { service.name() });
            let message = format!("User: arn:aws:iam::{ACCOUNT}:user/sandbox is not authorized to perform: {action}:{operation}");
            if xml {
                (403, "AccessDenied", message)
            } else {
                (if protocol == Protocol::RestJson { 403 } else { 400 }, "AccessDeniedException", message)
            }
        }
        Refused::Expired if xml => (403, "ExpiredToken", "The security token included in the request is expired".to_owned()),
        Refused::Expired => (400, "ExpiredTokenException", "The security token included in the request is expired".to_owned()),
    };
    Refusal { status, code, message, messages: Vec::new() }
}

/// The account of an access key: keys that [`sts`] gives out hold the account of their role.
fn account_of(access_key: &str) -> String {
    match access_key.strip_prefix("ASIA").and_then(|rest| rest.get(..12)) {
        Some(account) if account.bytes().all(|byte| byte.is_ascii_digit()) => account.to_owned(),
        _ => ACCOUNT.to_owned(),
    }
}
