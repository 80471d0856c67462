//! What the API server says when it refuses: `Status` objects (k8s.io/apimachinery: `pkg/api/errors`).

use std::fmt::Display;

use serde_json::{Map, Value, json};

use super::kinds::Kind;
use crate::sandbox::error::SandboxError;

/// A refusal.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Refusal {
    /// The HTTP status.
    pub(super) code: u16,
    /// The reason in one word; empty when the server knows none.
    pub(super) reason: &'static str,
    /// The message.
    pub(super) message: String,
    /// `details`; null when there are none.
    pub(super) details: Value,
    /// The token to go on with where a list has expired.
    pub(super) continue_token: Option<String>,
}

/// Why a request gave nothing.
#[derive(Debug)]
pub(super) enum Failure {
    /// The server refuses.
    Refusal(Box<Refusal>),
    /// The sandbox itself is broken.
    Sandbox(SandboxError),
}

impl From<SandboxError> for Failure {
    fn from(error: SandboxError) -> Self {
        Self::Sandbox(error)
    }
}

impl From<Refusal> for Failure {
    fn from(refusal: Refusal) -> Self {
        Self::Refusal(Box::new(refusal))
    }
}

/// What requests give.
pub(super) type Outcome<T> = Result<T, Failure>;

/// One thing that is wrong with an object (k8s.io/apimachinery: `util/validation/field`).
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Cause {
    /// The kind of problem: `FieldValueInvalid`, …
    reason: &'static str,
    /// The problem.
    message: String,
    /// Where.
    field: String,
}

impl Cause {
    /// A value that must be there isn't.
    pub(super) fn required(field: impl Into<String>, detail: &str) -> Self {
        Self { reason: "FieldValueRequired", message: with("Required value", detail), field: field.into() }
    }

    /// A value is wrong.
    pub(super) fn invalid(field: impl Into<String>, value: &Value, detail: &str) -> Self {
        Self { reason: "FieldValueInvalid", message: with(&format!("Invalid value: {value}"), detail), field: field.into() }
    }

    /// A value that may be there once is there twice.
    pub(super) fn duplicate(field: impl Into<String>, value: &Value) -> Self {
        Self { reason: "FieldValueDuplicate", message: format!("Duplicate value: {value}"), field: field.into() }
    }

    /// A value isn't allowed here.
    pub(super) fn forbidden(field: impl Into<String>, detail: &str) -> Self {
        Self { reason: "FieldValueForbidden", message: with("Forbidden", detail), field: field.into() }
    }

    /// A value isn't one of those there are.
    pub(super) fn unsupported(field: impl Into<String>, value: &Value, supported: &[&str]) -> Self {
        let supported: Vec<String> = supported.iter().map(|one| format!("{one:?}")).collect();
        let message = format!("Unsupported value: {value}: supported values: {}", supported.join(", "));
        Self { reason: "FieldValueNotSupported", message, field: field.into() }
    }

    /// A value is of another type than the schema's.
    pub(super) fn wrong_type(field: impl Into<String>, value: &Value, detail: &str) -> Self {
        Self { reason: "FieldValueTypeInvalid", ..Self::invalid(field, value, detail) }
    }

    /// A value is too long.
    pub(super) fn too_long(field: impl Into<String>, most: usize) -> Self {
        let message = format!("Too long: may not be more than {most} bytes");
        Self { reason: "FieldValueTooLong", message, field: field.into() }
    }
}

fn with(what: &str, detail: &str) -> String {
    if detail.is_empty() { what.to_owned() } else { format!("{what}: {detail}") }
}

impl Refusal {
    fn new(code: u16, reason: &'static str, message: impl Into<String>, details: Value) -> Self {
        Self { code, reason, message: message.into(), details, continue_token: None }
    }

    /// There is no such object.
    pub(super) fn not_found(kind: &Kind, name: &str) -> Self {
        Self::new(404, "NotFound", format!("{} {name:?} not found", kind.resource()), details(kind, name))
    }

    /// There is no such namespace.
    pub(super) fn no_namespace(name: &str) -> Self {
        Self::new(404, "NotFound", format!("namespaces {name:?} not found"), json!({"name": name, "kind": "namespaces"}))
    }

    /// There is no such resource in a group that there is.
    pub(super) fn no_resource() -> Self {
        Self::new(404, "NotFound", "the server could not find the requested resource", json!({}))
    }

    /// There is one already.
    pub(super) fn exists(kind: &Kind, name: &str) -> Self {
        Self::new(409, "AlreadyExists", format!("{} {name:?} already exists", kind.resource()), details(kind, name))
    }

    /// It isn't allowed.
    pub(super) fn forbidden(kind: &Kind, name: &str, why: impl Display) -> Self {
        let what = if name.is_empty() { kind.resource() } else { format!("{} {name:?}", kind.resource()) };
        Self::new(403, "Forbidden", format!("{what} is forbidden: {why}"), details(kind, name))
    }

    /// The namespace is going.
    pub(super) fn terminating(kind: &Kind, name: &str, namespace: &str) -> Self {
        let why = format!("unable to create new content in namespace {namespace} because it is being terminated");
        let mut refusal = Self::forbidden(kind, name, why);
        let message = format!("namespace {namespace} is being terminated");
        refusal.details["causes"] = json!([{"reason": "NamespaceTerminating", "message": message, "field": "metadata.namespace"}]);
        refusal
    }

    /// It isn't what the request takes it for.
    pub(super) fn conflict(kind: &Kind, name: &str, why: impl Display) -> Self {
        let message = format!("Operation cannot be fulfilled on {} {name:?}: {why}", kind.resource());
        Self::new(409, "Conflict", message, details(kind, name))
    }

    /// It isn't what a deletion takes it for.
    pub(super) fn precondition(kind: &Kind, name: &str, why: impl Display) -> Self {
        let mut details = Map::new();
        details.insert("name".to_owned(), json!(name));
        if !kind.group.is_empty() {
            details.insert("group".to_owned(), json!(kind.group));
        }
        details.insert("kind".to_owned(), json!(kind.kind));
        let message = format!("Operation cannot be fulfilled on {} {name:?}: {why}", kind.group_kind());
        Self::new(409, "Conflict", message, Value::Object(details))
    }

    /// Others own what is applied.
    pub(super) fn apply_conflict(conflicts: &[(String, String)]) -> Self {
        let causes: Vec<Value> = conflicts
            .iter()
            .map(
                |(manager, field)| json!({"reason": "FieldManagerConflict", "message": format!("conflict with {manager}"), "field": field}),
            )
            .collect();
        let message = if let [(manager, field)] = conflicts {
            format!("Apply failed with 1 conflict: conflict with {manager}: {field}")
        } else {
            let mut lines = Vec::new();
            let mut last = None;
            for (manager, field) in conflicts {
                if last != Some(manager) {
                    lines.push(format!("conflicts with {manager}:"));
                    last = Some(manager);
                }
                lines.push(format!("- {field}"));
            }
            format!("Apply failed with {} conflicts: {}", conflicts.len(), lines.join("\n"))
        };
        Self::new(409, "Conflict", message, json!({ "causes": causes }))
    }

    /// The object is wrong in some ways.
    pub(super) fn invalid(group_kind: &str, group: &str, kind: &str, name: &str, causes: &[Cause]) -> Self {
        let mut told: Vec<String> = Vec::new();
        for cause in causes {
            let text = format!("{}: {}", cause.field, cause.message);
            if !told.contains(&text) {
                told.push(text);
            }
        }
        let problems = if let [one] = told.as_slice() { one.clone() } else { format!("[{}]", told.join(", ")) };
        let listed: Vec<Value> =
            causes.iter().map(|cause| json!({"reason": cause.reason, "message": cause.message, "field": cause.field})).collect();
        let mut details = Map::new();
        for (key, value) in [("name", name), ("group", group), ("kind", kind)] {
            if !value.is_empty() {
                details.insert(key.to_owned(), json!(value));
            }
        }
        details.insert("causes".to_owned(), Value::Array(listed));
        Self::new(422, "Invalid", format!("{group_kind} {name:?} is invalid: {problems}"), Value::Object(details))
    }

    /// The object of a kind is wrong in some ways.
    pub(super) fn invalid_object(kind: &Kind, name: &str, causes: &[Cause]) -> Self {
        Self::invalid(&kind.group_kind(), &kind.group, &kind.kind, name, causes)
    }

    /// The options of a request are wrong.
    pub(super) fn invalid_options(options: &str, cause: Cause) -> Self {
        Self::invalid(&format!("{options}.meta.k8s.io"), "meta.k8s.io", options, "", &[cause])
    }

    /// A patch can't be applied.
    pub(super) fn unprocessable() -> Self {
        Self::new(422, "Invalid", "the server rejected our request due to an error in our request", json!({}))
    }

    /// The request can't be understood.
    pub(super) fn bad_request(why: impl Into<String>) -> Self {
        Self::new(400, "BadRequest", why, Value::Null)
    }

    /// A body can't be read as its kind.
    pub(super) fn unreadable(kind: &Kind, why: impl Display) -> Self {
        let Kind { kind, version, .. } = kind;
        Self::bad_request(format!("{kind} in version {version:?} cannot be handled as a {kind}: {why}"))
    }

    /// The server fails: it does so where an applied configuration isn't of the type of its kind.
    pub(super) fn failed(why: impl Into<String>) -> Self {
        Self::new(500, "", why, Value::Null)
    }

    /// A patch of an unknown form.
    pub(super) fn media_type(kind: &Kind, why: &str) -> Self {
        let details = if kind.custom { Value::Null } else { json!({}) };
        Self::new(415, "UnsupportedMediaType", why, details)
    }

    /// The answer isn't to be had in a form that is accepted.
    pub(super) fn not_acceptable() -> Self {
        let why = "only the following media types are accepted: application/json, application/yaml, application/vnd.kubernetes.protobuf";
        Self::new(406, "NotAcceptable", why, json!({}))
    }

    /// The resource doesn't have this method.
    pub(super) fn no_method(why: &str) -> Self {
        Self::new(405, "MethodNotAllowed", why, json!({}))
    }

    /// The body is larger than a server reads.
    pub(super) fn too_large(most: usize) -> Self {
        Self::new(413, "RequestEntityTooLarge", format!("Request entity too large: limit is {most}"), json!({}))
    }

    /// A list that was begun too long ago; it may go on, but not with what it was then.
    pub(super) fn expired(token: String) -> Self {
        let why = "The provided continue parameter is too old to display a consistent list result. You can start a new list without the \
                   continue parameter, or use the continue token in this response to retrieve the remainder of the results. Continuing with \
                   the provided token results in an inconsistent list - objects that were created, modified, or deleted between the time \
                   the first chunk was returned and now may show up in the list.";
        Self { continue_token: Some(token), ..Self::new(410, "Expired", why, Value::Null) }
    }

    /// There are too many requests.
    pub(super) fn too_many() -> Self {
        Self::new(429, "TooManyRequests", "Too many requests, please try again later.", json!({"retryAfterSeconds": 1}))
    }

    /// The server has an error of its own.
    pub(super) fn broken(code: u16) -> Self {
        let (reason, message) = match code {
            503 => ("ServiceUnavailable", "apiserver not ready"),
            504 => ("Timeout", "Timeout: request did not complete within the allotted timeout"),
            _ => ("InternalError", "Internal error occurred: the sandbox was told to fail"),
        };
        Self::new(code, reason, message, json!({}))
    }

    /// The caller has no permission.
    pub(super) fn denied(what: &str, why: &str) -> Self {
        let what = if what.is_empty() { "forbidden".to_owned() } else { format!("{what} is forbidden") };
        Self::new(403, "Forbidden", format!("{what}: {why}"), json!({}))
    }

    /// The credentials are void.
    pub(super) fn unauthorized() -> Self {
        Self::new(401, "Unauthorized", "Unauthorized", Value::Null)
    }

    /// The `Status` object.
    pub(super) fn to_json(&self) -> Value {
        let mut status = json!({"kind": "Status", "apiVersion": "v1", "metadata": {}, "status": "Failure", "message": self.message});
        if let Some(token) = &self.continue_token {
            status["metadata"]["continue"] = json!(token);
        }
        if !self.reason.is_empty() {
            status["reason"] = json!(self.reason);
        }
        if !self.details.is_null() {
            status["details"] = self.details.clone();
        }
        status["code"] = json!(self.code);
        status
    }
}

fn details(kind: &Kind, name: &str) -> Value {
    let mut details = Map::new();
    if !name.is_empty() {
        details.insert("name".to_owned(), json!(name));
    }
    if !kind.group.is_empty() {
        details.insert("group".to_owned(), json!(kind.group));
    }
    details.insert("kind".to_owned(), json!(kind.plural));
    Value::Object(details)
}
