//! Kubernetes: server-side apply, paged lists, exact deletes; any kind of object.

mod body;
pub mod connect;
mod discover;
mod facts;
mod live;
mod proxies;

use std::fmt::Write as _;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use http::{Method, Request, StatusCode};
use http_body_util::{BodyExt as _, Limited};
use kube::client::Body;
use serde::Deserialize;
use serde_json::Value;

pub use body::object as body;
pub use discover::{Catalog, Served};
pub use live::{COUNTED, Live, Writer};

use self::connect::Tokens;
use super::budget::Budget;
use super::error::{Class, ProviderError};
use crate::resource::FIELD_MANAGER;
use crate::resource::object::ObjectSpec;
use crate::secret::SecretBytes;

/// The most bytes of one answer: a page of 500 objects of the largest size is far above what a server sends.
const MAX_ANSWER: usize = 64 * 1024 * 1024;
/// How often a request is sent at most: all of them can be repeated without harm.
const ATTEMPTS: u32 = 4;
/// How long one request may take.
const TIMEOUT: Duration = Duration::from_mins(1);

/// A cluster.
#[derive(Clone)]
pub struct Kube {
    client: kube::Client,
    tokens: Option<Tokens>,
    budget: Budget,
    uid: String,
    describe: String,
    /// The kinds of the cluster, once they were asked for.
    catalog: Arc<tokio::sync::Mutex<Option<Arc<Catalog>>>>,
    /// Its version, once it was asked for.
    version: Arc<tokio::sync::OnceCell<String>>,
}

/// A kind in URLs.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct KindPath {
    /// `v1`, or `<group>/<version>`.
    pub api_version: String,
    /// `namespaces`, `secrets`, …
    pub plural: String,
}

impl KindPath {
    /// The kind of an object whose plural is known.
    pub fn of(spec: &ObjectSpec) -> Self {
        Self { api_version: spec.api_version.clone(), plural: spec.plural.clone() }
    }

    fn root(&self) -> String {
        if self.api_version.contains('/') { format!("/apis/{}", self.api_version) } else { format!("/api/{}", self.api_version) }
    }

    fn object(&self, namespace: Option<&str>, name: &str) -> String {
        match namespace {
            Some(namespace) => format!("{}/namespaces/{namespace}/{}/{name}", self.root(), self.plural),
            None => format!("{}/{}/{name}", self.root(), self.plural),
        }
    }

    /// `<plural>.<group>`, as RBAC names it in messages.
    fn resource(&self) -> String {
        match self.api_version.split_once('/') {
            Some((group, _)) => format!("{}.{group}", self.plural),
            None => self.plural.clone(),
        }
    }

    fn is_secret(&self) -> bool {
        self.api_version == "v1" && self.plural == "secrets"
    }
}

/// What an apply made, or would make.
pub struct Applied {
    /// The object.
    pub live: Live,
    /// Whether there was none of its name.
    pub is_new: bool,
}

/// How an object is applied.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ApplyMode {
    /// Take fields from other managers.
    pub force: bool,
    /// Only try.
    pub dry_run: bool,
}

impl Kube {
    /// The uid of the namespace kube-system: the cluster's identity.
    pub fn uid(&self) -> &str {
        &self.uid
    }

    /// The cluster in words, for messages.
    pub fn describe(&self) -> &str {
        &self.describe
    }

    /// All objects of a kind that match a label selector, 500 a page.
    pub async fn list(&self, kind: &KindPath, selector: &str) -> Result<Vec<Live>, ProviderError> {
        self.pages("list", kind, selector).await
    }

    /// The same with nothing but their metadata.
    pub async fn list_metadata(&self, kind: &KindPath, selector: &str) -> Result<Vec<Live>, ProviderError> {
        self.pages("list metadata of", kind, selector).await
    }

    /// The first objects of a kind, in a namespace or in all, with nothing but their metadata.
    pub async fn list_metadata_in(&self, kind: &KindPath, namespace: Option<&str>) -> Result<Vec<Live>, ProviderError> {
        let within = namespace.map_or(String::new(), |namespace| format!("/namespaces/{}", query(namespace)));
        let path = format!("{}{within}/{}?limit=50", kind.root(), kind.plural);
        let subject = namespace.unwrap_or_default();
        let answer = self.send("list metadata of", kind, subject, Method::GET, &path, None).await?;
        Ok(live::page(&answer, false).map_err(|e| unreadable("list", kind, subject, &e))?.items)
    }

    /// The objects of a core kind in a namespace that match a label selector; the first page.
    pub async fn list_in(&self, plural: &str, namespace: &str, selector: &str) -> Result<Vec<Live>, ProviderError> {
        self.page_of(plural, namespace, &format!("labelSelector={}", query(selector))).await
    }

    /// The same by a field selector.
    pub async fn list_by_field(&self, plural: &str, namespace: &str, selector: &str) -> Result<Vec<Live>, ProviderError> {
        self.page_of(plural, namespace, &format!("fieldSelector={}", query(selector))).await
    }

    async fn page_of(&self, plural: &str, namespace: &str, selector: &str) -> Result<Vec<Live>, ProviderError> {
        let kind = KindPath { api_version: "v1".into(), plural: plural.to_owned() };
        let path = format!("{}/namespaces/{}/{plural}?{selector}&limit=100", kind.root(), query(namespace));
        let answer = self.send("list", &kind, namespace, Method::GET, &path, None).await?;
        Ok(live::page(&answer, kind.is_secret()).map_err(|e| unreadable("list", &kind, namespace, &e))?.items)
    }

    /// The last lines of a container's log; of its run before this one, if that is asked for.
    pub async fn log(&self, namespace: &str, pod: &str, container: &str, previous: bool, lines: usize) -> Result<String, ProviderError> {
        let kind = KindPath { api_version: "v1".into(), plural: "pods/log".into() };
        let path = format!(
            "/api/v1/namespaces/{}/pods/{}/log?container={}&tailLines={lines}&limitBytes=16384&previous={previous}",
            query(namespace),
            query(pod),
            query(container)
        );
        let answer = self.send("read", &kind, &subject(Some(namespace), pod), Method::GET, &path, None).await?;
        Ok(String::from_utf8_lossy(&answer).into_owned())
    }

    async fn pages(&self, verb: &'static str, kind: &KindPath, selector: &str) -> Result<Vec<Live>, ProviderError> {
        let subject = format!("{} with label {selector}", kind.plural);
        let path = format!("{}/{}?labelSelector={}", kind.root(), kind.plural, query(selector));
        self.pages_of(verb, kind, &subject, &path).await
    }

    /// All pages of a list. `selected` is its path, with the part of the query that selects.
    async fn pages_of(&self, verb: &'static str, kind: &KindPath, subject: &str, selected: &str) -> Result<Vec<Live>, ProviderError> {
        let mut found = Vec::new();
        let mut token = String::new();
        loop {
            let path = format!("{selected}&limit=500{}{}", if token.is_empty() { "" } else { "&continue=" }, query(&token));
            let answer = self.send(verb, kind, subject, Method::GET, &path, None).await?;
            let page = live::page(&answer, kind.is_secret() && verb == "list").map_err(|e| unreadable("list", kind, subject, &e))?;
            found.extend(page.items);
            token = page.continue_token;
            if token.is_empty() {
                return Ok(found);
            }
        }
    }

    /// One object.
    pub async fn get(&self, kind: &KindPath, namespace: Option<&str>, name: &str) -> Result<Option<Live>, ProviderError> {
        let subject = subject(namespace, name);
        match self.send("get", kind, &subject, Method::GET, &kind.object(namespace, name), None).await {
            Ok(answer) => live::one(&answer, kind.is_secret()).map(Some).map_err(|e| unreadable("get", kind, &subject, &e)),
            Err(error) if error.is_not_found() => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// Applies an object with our field manager. `body` is the whole object in JSON, and is treated as secret.
    pub async fn apply(&self, kind: &KindPath, spec: &ObjectSpec, body: &SecretBytes, mode: ApplyMode) -> Result<Applied, ProviderError> {
        let path = format!(
            "{}?fieldManager={FIELD_MANAGER}&fieldValidation=Strict&force={}{}",
            kind.object(spec.namespace.as_deref(), &spec.name),
            mode.force,
            if mode.dry_run { "&dryRun=All" } else { "" }
        );
        let subject = subject(spec.namespace.as_deref(), &spec.name);
        let content = Some(("application/apply-patch+yaml", body));
        let (status, answer) = self.send_for_status("patch", kind, &subject, Method::PATCH, &path, content).await?;
        let live = live::one(&answer, kind.is_secret()).map_err(|e| unreadable("patch", kind, &subject, &e))?;
        Ok(Applied { live, is_new: status == StatusCode::CREATED })
    }

    /// After an object was taken over: what our field manager owns is let go by the tools that wrote it before, so that a field that the stack
    /// drops later goes (the way of client-go's `csaupgrade`). Nothing is asked where no tool has a field of ours.
    pub async fn take_from_tools(&self, kind: &KindPath, namespace: Option<&str>, name: &str, live: Live) -> Result<Live, ProviderError> {
        let mut live = live;
        for _ in 0..ATTEMPTS {
            let Some(managed) = live.handed_over() else { break };
            let patch = serde_json::json!([
                {"op": "test", "path": "/metadata/resourceVersion", "value": live.revision()},
                {"op": "replace", "path": "/metadata/managedFields", "value": managed},
            ]);
            let body = SecretBytes::from_text(patch.to_string());
            let path = format!("{}?fieldManager={FIELD_MANAGER}", kind.object(namespace, name));
            let subject = subject(namespace, name);
            let content = Some(("application/json-patch+json", &body));
            match self.send("patch", kind, &subject, Method::PATCH, &path, content).await {
                Ok(answer) => return live::one(&answer, kind.is_secret()).map_err(|e| unreadable("patch", kind, &subject, &e)),
                // Someone wrote in between: it is looked at again.
                Err(error) if matches!(error.class, Class::Invalid | Class::State | Class::Conflict(_)) => {
                    match self.get(kind, namespace, name).await? {
                        Some(now) => live = now,
                        None => break,
                    }
                }
                Err(error) => return Err(error),
            }
        }
        Ok(live)
    }

    /// Changes an object by a JSON merge patch, as when it is released.
    pub async fn merge(&self, kind: &KindPath, namespace: Option<&str>, name: &str, patch: &Value) -> Result<(), ProviderError> {
        self.merge_as(FIELD_MANAGER, kind, namespace, name, patch).await
    }

    /// The same under another manager's name.
    async fn merge_as(
        &self,
        manager: &str,
        kind: &KindPath,
        namespace: Option<&str>,
        name: &str,
        patch: &Value,
    ) -> Result<(), ProviderError> {
        let path = format!("{}?fieldManager={manager}", kind.object(namespace, name));
        let body = SecretBytes::from_text(patch.to_string());
        self.send("patch", kind, &subject(namespace, name), Method::PATCH, &path, Some(("application/merge-patch+json", &body))).await?;
        Ok(())
    }

    /// Deletes an object of this uid, in the background. Returns what it waits for when it is not gone at once; one that is gone already is
    /// no error.
    pub async fn delete(&self, kind: &KindPath, namespace: Option<&str>, name: &str, uid: &str) -> Result<Option<String>, ProviderError> {
        let options = serde_json::json!({
            "apiVersion": "v1", "kind": "DeleteOptions", "propagationPolicy": "Background", "preconditions": {"uid": uid},
        });
        let body = SecretBytes::from_text(options.to_string());
        let path = kind.object(namespace, name);
        match self.send("delete", kind, &subject(namespace, name), Method::DELETE, &path, Some(("application/json", &body))).await {
            // A Status, or the object as it is while something holds it.
            Ok(answer) => Ok(live::one(&answer, kind.is_secret()).ok().and_then(|live| live.terminating())),
            Err(error) if error.is_not_found() => Ok(None),
            Err(error) => Err(error),
        }
    }

    async fn send(
        &self,
        verb: &'static str,
        kind: &KindPath,
        subject: &str,
        method: Method,
        path: &str,
        body: Option<(&'static str, &SecretBytes)>,
    ) -> Result<Bytes, ProviderError> {
        Ok(self.send_for_status(verb, kind, subject, method, path, body).await?.1)
    }

    async fn send_for_status(
        &self,
        verb: &'static str,
        kind: &KindPath,
        subject: &str,
        method: Method,
        path: &str,
        body: Option<(&'static str, &SecretBytes)>,
    ) -> Result<(StatusCode, Bytes), ProviderError> {
        let mut attempt = 1;
        loop {
            self.budget.take(&format!("{} {subject}", kind.resource()), operation_name(verb)).await;
            let error = match self.send_once(verb, kind, subject, &method, path, body).await {
                Ok(answer) => return Ok(answer),
                Err(error) => error,
            };
            if error.class == Class::Credentials && attempt == 1 && self.tokens.is_some() {
                // A token may have been revoked or the clock be off: one new token, then it is final.
                if let Some(tokens) = &self.tokens {
                    tokens.forget().await;
                }
            } else if attempt >= ATTEMPTS || !matches!(error.class, Class::Throttled | Class::Unreachable | Class::Server) {
                return Err(error);
            }
            tokio::time::sleep(Duration::from_millis(200 * u64::from(2_u32.pow(attempt)))).await;
            attempt += 1;
        }
    }

    async fn send_once(
        &self,
        verb: &'static str,
        kind: &KindPath,
        subject: &str,
        method: &Method,
        path: &str,
        body: Option<(&'static str, &SecretBytes)>,
    ) -> Result<(StatusCode, Bytes), ProviderError> {
        let own = |class, message: String| ProviderError::own(&format!("{verb} {}", kind.plural), subject, class, message);
        let mut request = Request::builder().method(method).uri(path).header(http::header::ACCEPT, accept(verb));
        if let Some(tokens) = &self.tokens {
            request = request.header(http::header::AUTHORIZATION, tokens.header().await?);
        }
        let bytes = match body {
            Some((content_type, body)) => {
                request = request.header(http::header::CONTENT_TYPE, content_type);
                body.expose_secret().to_vec()
            }
            None => Vec::new(),
        };
        let request = request.body(Body::from(bytes)).map_err(|error| own(Class::Invalid, error.to_string()))?;
        let answer = tokio::time::timeout(TIMEOUT, self.client.send(request))
            .await
            .map_err(|_| own(Class::Unreachable, format!("no answer from {} within a minute", self.describe)))?
            .map_err(|error| own(Class::Unreachable, format!("{}: {}", self.describe, transport(&error))))?;
        let status = answer.status();
        let bytes = Limited::new(answer.into_body(), MAX_ANSWER)
            .collect()
            .await
            .map_err(|error| own(Class::Unreachable, format!("the answer broke off: {error}")))?
            .to_bytes();
        if status.is_success() { Ok((status, bytes)) } else { Err(refused(verb, kind, subject, status, &bytes)) }
    }
}

/// The form of the answer: where only names count, the server is asked for metadata alone (Kubernetes API concepts, "Partial object metadata").
fn accept(verb: &str) -> &'static str {
    match verb {
        "list metadata of" => "application/json;as=PartialObjectMetadataList;g=meta.k8s.io;v=v1",
        "discover" => discover::ACCEPT,
        "read" => "*/*",
        _ => "application/json",
    }
}

fn subject(namespace: Option<&str>, name: &str) -> String {
    namespace.map_or_else(|| name.to_owned(), |namespace| format!("{namespace}/{name}"))
}

fn operation_name(verb: &'static str) -> &'static str {
    match verb {
        "list" | "list metadata of" => "kube:list",
        "get" | "discover" | "read" => "kube:get",
        "delete" => "kube:delete",
        _ => "kube:patch",
    }
}

/// Percent-encodes a query value.
fn query(text: &str) -> String {
    let mut encoded = String::with_capacity(text.len());
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) {
            encoded.push(char::from(byte));
        } else {
            let _ = write!(encoded, "%{byte:02X}");
        }
    }
    encoded
}

fn unreadable(verb: &'static str, kind: &KindPath, subject: &str, error: &serde_json::Error) -> ProviderError {
    // The position is told, never the text: it may be a Secret's.
    let message = format!("the answer can't be read (line {}, column {})", error.line(), error.column());
    ProviderError::own(&format!("{verb} {}", kind.plural), subject, Class::Server, message)
}

fn transport(error: &kube::Error) -> String {
    let mut text = String::new();
    let mut source: Option<&(dyn std::error::Error + 'static)> = Some(error);
    while let Some(cause) = source {
        text = cause.to_string();
        source = cause.source();
    }
    text
}

/// The parts of a `Status` (Kubernetes API: meta/v1 Status) that say why.
#[derive(Deserialize, Default)]
struct Status {
    #[serde(default)]
    reason: String,
    #[serde(default)]
    message: String,
    #[serde(default)]
    details: Details,
}

#[derive(Deserialize, Default)]
struct Details {
    #[serde(default)]
    causes: Vec<Cause>,
}

#[derive(Deserialize, Default)]
struct Cause {
    #[serde(default)]
    reason: String,
    #[serde(default)]
    message: String,
    #[serde(default)]
    field: String,
}

fn refused(verb: &'static str, kind: &KindPath, subject: &str, status: StatusCode, body: &[u8]) -> ProviderError {
    let said: Status = serde_json::from_slice(body).unwrap_or_default();
    let class = match status.as_u16() {
        401 => Class::Credentials,
        403 if said.message.contains("exceeded quota") => Class::Quota,
        // Authorization says who can't do what. Any other 403 is an admission's (Pod Security, a policy's webhook, a claim that can't be
        // resized): whatever right the caller has, the object isn't taken so, as with any other wrong request below.
        403 if said.message.contains(" cannot ") || said.message.is_empty() => Class::Denied(missing(verb, kind, subject, &said.message)),
        404 => Class::NotFound,
        409 if said.details.causes.iter().any(|cause| cause.reason == "FieldManagerConflict") => Class::Conflict(
            said.details
                .causes
                .iter()
                .filter(|cause| cause.reason == "FieldManagerConflict")
                .map(|cause| (cause.field.trim_start_matches('.').to_owned(), manager_of(&cause.message)))
                .collect(),
        ),
        409 if said.reason == "AlreadyExists" => Class::Exists,
        409 => Class::State,
        429 => Class::Throttled,
        400..=499 => Class::Invalid,
        // A field that the schema doesn't know is answered as an internal error (kube-apiserver 1.36), and stays one however often it is sent.
        500 if verb == "patch" && said.message.starts_with("failed to create typed patch object") => Class::Invalid,
        _ => Class::Server,
    };
    let message = if matches!(class, Class::Conflict(_)) { String::new() } else { said.message };
    ProviderError {
        operation: format!("{verb} {}", kind.plural),
        subject: subject.to_owned(),
        class,
        code: if said.reason.is_empty() { status.as_str().to_owned() } else { said.reason },
        message,
        request_id: None,
    }
}

/// The right that is missing, as RBAC grants it: verb, resource and place. A `patch` that would make the object is refused for want of
/// `create`, and a `Status` has no field for that: the verb stands in its message only (apiserver, `responsewriters.forbiddenMessage`).
fn missing(verb: &str, kind: &KindPath, subject: &str, message: &str) -> String {
    let said = message.split_once(" cannot ").and_then(|(_, rest)| rest.split_once(" resource ")).map(|(verb, _)| verb);
    let verb =
        said.filter(|verb| verb.bytes().all(|b| b.is_ascii_lowercase())).unwrap_or(if verb.starts_with("list") { "list" } else { verb });
    let place = message.rsplit_once("in the namespace \"").and_then(|(_, rest)| rest.split_once('"')).map(|(namespace, _)| namespace);
    let place = place.or(subject.split_once('/').map(|(namespace, _)| namespace).filter(|namespace| !namespace.contains(' ')));
    // The server says of a namespace that it is in itself.
    let place = place.filter(|_| kind.plural != "namespaces").map_or(String::new(), |namespace| format!(" in namespace {namespace}"));
    format!("{verb} {}{place}", kind.resource())
}

/// The manager in a cause's message: `conflict with "kubectl-edit" using v1`.
fn manager_of(message: &str) -> String {
    message.split('"').nth(1).unwrap_or("another manager").to_owned()
}
