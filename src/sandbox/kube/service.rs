//! The tower service that `kube::Client` sends its requests to.

use std::future::Future;
use std::io;
use std::pin::Pin;
use std::task::{Context, Poll};

use bytes::Bytes;
use http::header::{ACCEPT, CONTENT_TYPE, HeaderValue, RETRY_AFTER, USER_AGENT, WARNING};
use http::{HeaderMap, Method};
use http_body_util::{BodyExt as _, Full, Limited};
use kube::client::Body;
use serde_json::Value;

use super::list::Form;
use super::route::{self, Request, Resource, Target};
use super::status::{Failure, Outcome, Refusal};
use super::store::{self, Place};
use super::{body, create, delete, discovery, kinds, list, namespaces, write};
use crate::sandbox::Sandbox;
use crate::sandbox::error::SandboxError;
use crate::sandbox::gate::{Refused, Served};
use crate::sandbox::world::Tx;

/// A Kubernetes API server on a sandbox's world.
#[derive(Clone, Debug)]
pub(super) struct Server {
    pub(super) sandbox: Sandbox,
}

/// An answer.
struct Answer {
    code: u16,
    content_type: &'static str,
    body: Vec<u8>,
    warnings: Vec<String>,
    retry_after: bool,
}

/// Why there is no answer.
#[derive(Debug, thiserror::Error)]
pub(super) enum Broken {
    /// The connection breaks.
    #[error(transparent)]
    Io(#[from] io::Error),
    /// The sandbox can't go on.
    #[error(transparent)]
    Sandbox(#[from] SandboxError),
}

impl tower::Service<http::Request<Body>> for Server {
    type Response = http::Response<Full<Bytes>>;
    type Error = Broken;
    type Future = Pin<Box<dyn Future<Output = Result<Self::Response, Broken>> + Send>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Broken>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: http::Request<Body>) -> Self::Future {
        let server = self.clone();
        Box::pin(async move { server.answer(request).await })
    }
}

impl Server {
    async fn answer(&self, request: http::Request<Body>) -> Result<http::Response<Full<Bytes>>, Broken> {
        let (request, is_whole) = take_apart(request).await?;
        let operation = request.operation();
        let (_, served) = self
            .sandbox
            .serve("kube", &operation, |tx| {
                namespaces::found(tx);
                if !is_whole {
                    return Ok(Ok(Answer::refusal(&Refusal::too_large(body::MOST))));
                }
                // What a request has changed before it was refused must not stay, though the faults that it met must.
                match tx.attempt(|tx| handle(tx, &request)) {
                    Ok(answer) => Ok(Ok(answer)),
                    Err(Failure::Refusal(refusal)) => Ok(Ok(Answer::refusal(&refusal))),
                    Err(Failure::Sandbox(error)) => Ok(Err(error)),
                }
            })
            .await?;
        let answer = match served {
            Served::Answer(answer) => answer?,
            Served::Refused(refused) => Answer::refusal(&interference(&request, refused)),
            Served::Cut => return Err(io::Error::new(io::ErrorKind::ConnectionReset, "connection reset by the sandbox").into()),
        };
        answer.into_response()
    }
}

/// Reads a request; says whether the body was read to its end.
async fn take_apart(request: http::Request<Body>) -> Result<(Request, bool), Broken> {
    let (parts, content) = request.into_parts();
    let text = |headers: &HeaderMap, name| headers.get(name).and_then(|value| value.to_str().ok()).unwrap_or_default().to_owned();
    let read = Limited::new(content, body::MOST).collect().await;
    let is_whole = read.is_ok();
    let request = Request {
        method: parts.method,
        path: parts.uri.path().split('/').filter(|part| !part.is_empty()).map(|part| route::decode(part, false)).collect(),
        query: route::query(parts.uri.query().unwrap_or_default()),
        content_type: text(&parts.headers, CONTENT_TYPE).split(';').next().unwrap_or_default().trim().to_owned(),
        accept: text(&parts.headers, ACCEPT),
        user_agent: text(&parts.headers, USER_AGENT),
        body: read.map(|read| read.to_bytes().to_vec()).unwrap_or_default(),
    };
    Ok((request, is_whole))
}

fn handle(tx: &mut Tx<'_>, request: &Request) -> Outcome<Answer> {
    match request.target() {
        Target::About if request.method == Method::GET && discovery::is_aggregated(request) => {
            let document = discovery::aggregated(tx, request.path.len() == 1 && request.path[0] == "api");
            Ok(Answer { content_type: discovery::AGGREGATED, ..Answer::json(200, &document) })
        }
        Target::About if request.method == Method::GET => match discovery::about(tx, &request.path)? {
            Some(Value::String(text)) => Ok(Answer::text(200, text)),
            Some(document) => Ok(Answer::json(200, &document)),
            None => Ok(Answer::nowhere()),
        },
        Target::Resource(resource) => objects(tx, request, &resource),
        Target::About | Target::Nowhere => Ok(Answer::nowhere()),
    }
}

fn objects(tx: &mut Tx<'_>, request: &Request, resource: &Resource) -> Outcome<Answer> {
    let Some(kind) = kinds::find(tx, &resource.group, &resource.version, &resource.plural) else {
        let is_known = kinds::all(tx).iter().any(|kind| kind.group == resource.group && kind.version == resource.version);
        return if is_known || resource.group.is_empty() { Err(Refusal::no_resource().into()) } else { Ok(Answer::nowhere()) };
    };
    let verb = request.verb(resource.name.is_some());
    let in_namespace = resource.namespace.is_some();
    let needs_namespace = resource.name.is_some() || verb == "create";
    if (in_namespace && !kind.namespaced) || (!in_namespace && kind.namespaced && needs_namespace) {
        return Err(Refusal::no_resource().into());
    }
    let part = resource.subresource.as_str();
    let has_part = match part {
        "" => true,
        "status" => kind.has_status && matches!(verb, "get" | "patch" | "update"),
        "finalize" => kind.is_core("namespaces") && verb == "update",
        _ => false,
    };
    if !has_part {
        return Err(Refusal::no_resource().into());
    }
    if verb == "watch" {
        return Err(Refusal::no_method("the sandbox has no watch").into());
    }
    if !kind.verbs().contains(&verb) {
        return Err(Refusal::no_method("the server does not allow this method on the requested resource").into());
    }
    let form = form(&request.accept, verb == "list")?;
    let namespace = resource.namespace.as_deref().unwrap_or_default();
    let place = Place { namespace, name: resource.name.as_deref().unwrap_or_default() };
    let done = match verb {
        "list" => return Ok(Answer::json(200, &list::list(tx, &kind, namespace, request, form)?)),
        "get" => {
            let object = store::read(tx, &kind, place).ok_or_else(|| Refusal::not_found(&kind, place.name))?;
            return Ok(Answer::json(200, &list::shown(object, form)));
        }
        "delete" => return Ok(Answer::json(200, &delete::delete(tx, &kind, place, request)?)),
        "deletecollection" => return Ok(Answer::json(200, &delete::delete_all(tx, &kind, namespace, request)?)),
        "create" => create::create(tx, &kind, namespace, request)?,
        "update" => write::update(tx, &kind, place, part, request)?,
        _ => write::patch(tx, &kind, place, part, request)?,
    };
    Ok(Answer { warnings: done.warnings, ..Answer::json(done.code, &list::shown(done.object, form)) })
}

/// The form of the answer: the first that is accepted and that there is (Kubernetes API concepts: "Alternate representations").
fn form(accept: &str, is_list: bool) -> Outcome<Form> {
    if accept.is_empty() {
        return Ok(Form::Whole);
    }
    for choice in accept.split(',') {
        let mut parts = choice.split(';').map(str::trim);
        let media = parts.next().unwrap_or_default();
        let parts: Vec<&str> = parts.filter(|part| !part.starts_with("q=") && !part.starts_with("charset=")).collect();
        if !matches!(media, "application/json" | "application/*" | "*/*") {
            continue;
        }
        let wanted = if is_list { "as=PartialObjectMetadataList" } else { "as=PartialObjectMetadata" };
        if parts.is_empty() {
            return Ok(Form::Whole);
        }
        if parts.contains(&wanted) && parts.contains(&"g=meta.k8s.io") && parts.contains(&"v=v1") {
            return Ok(Form::Metadata);
        }
    }
    Err(Refusal::not_acceptable().into())
}

/// What a fault answers in the words of the server.
fn interference(request: &Request, refused: Refused) -> Refusal {
    match refused {
        Refused::Throttled => Refusal::too_many(),
        Refused::Failed(code) => Refusal::broken(code),
        Refused::Expired => Refusal::unauthorized(),
        Refused::Denied => {
            let Target::Resource(resource) = request.target() else {
                return Refusal::denied("", &format!("User \"sandbox\" cannot get path \"/{}\"", request.path.join("/")));
            };
            let verb = request.verb(resource.name.is_some());
            let Resource { group, plural, namespace, name, .. } = resource;
            let where_ = namespace.map_or_else(|| "at the cluster scope".to_owned(), |namespace| format!("in the namespace {namespace:?}"));
            let what = if group.is_empty() { plural.clone() } else { format!("{plural}.{group}") };
            let what = name.map_or(what.clone(), |name| format!("{what} {name:?}"));
            Refusal::denied(&what, &format!("User \"sandbox\" cannot {verb} resource {plural:?} in API group {group:?} {where_}"))
        }
    }
}

impl Answer {
    fn json(code: u16, value: &Value) -> Self {
        Self { code, content_type: "application/json", body: value.to_string().into_bytes(), warnings: Vec::new(), retry_after: false }
    }

    fn text(code: u16, text: String) -> Self {
        Self { code, content_type: "text/plain; charset=utf-8", body: text.into_bytes(), warnings: Vec::new(), retry_after: false }
    }

    /// What the server says of a path that it doesn't have.
    fn nowhere() -> Self {
        Self::text(404, "404 page not found\n".to_owned())
    }

    fn refusal(refusal: &Refusal) -> Self {
        Self { retry_after: refusal.code == 429, ..Self::json(refusal.code, &refusal.to_json()) }
    }

    fn into_response(self) -> Result<http::Response<Full<Bytes>>, Broken> {
        let mut response = http::Response::builder().status(self.code).header(CONTENT_TYPE, self.content_type);
        for warning in self.warnings {
            let text = format!("299 - \"{}\"", warning.replace('\\', "\\\\").replace('"', "\\\""));
            if let Ok(value) = HeaderValue::from_str(&text) {
                response = response.header(WARNING, value);
            }
        }
        if self.retry_after {
            response = response.header(RETRY_AFTER, "1");
        }
        response.body(Full::new(Bytes::from(self.body))).map_err(|error| io::Error::other(error).into())
    }
}
