//! What a request asks for: its path, its method and its query.

use std::collections::BTreeMap;

use http::Method;

use super::status::{Cause, Outcome, Refusal};

/// A request, taken apart.
#[derive(Clone, Debug)]
pub(super) struct Request {
    /// The method.
    pub(super) method: Method,
    /// The path's segments, decoded.
    pub(super) path: Vec<String>,
    /// The query, decoded.
    pub(super) query: BTreeMap<String, String>,
    /// `Content-Type` without parameters.
    pub(super) content_type: String,
    /// `Accept`.
    pub(super) accept: String,
    /// `User-Agent`.
    pub(super) user_agent: String,
    /// The body.
    pub(super) body: Vec<u8>,
}

/// What a path leads to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Target {
    /// A document about the server.
    About,
    /// Objects.
    Resource(Resource),
    /// Nothing.
    Nowhere,
}

/// A collection of objects, or one of them.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Resource {
    /// The API group; empty for the core.
    pub(super) group: String,
    /// The version.
    pub(super) version: String,
    /// The namespace, when the path has one.
    pub(super) namespace: Option<String>,
    /// The kind's name in URLs.
    pub(super) plural: String,
    /// The object.
    pub(super) name: Option<String>,
    /// The part of the object: `status`.
    pub(super) subresource: String,
}

/// The options of a write.
#[derive(Clone, Debug, Default)]
pub(super) struct Options {
    /// Only try.
    pub(super) dry_run: bool,
    /// Who writes.
    pub(super) manager: String,
    /// Take fields from others.
    pub(super) force: bool,
    /// Refuse fields that aren't known.
    pub(super) strict: bool,
}

impl Request {
    /// What the path leads to.
    pub(super) fn target(&self) -> Target {
        let path: Vec<&str> = self.path.iter().map(String::as_str).collect();
        let (group, version, rest) = match path.as_slice() {
            ["api" | "apis" | "version" | "readyz" | "livez" | "healthz"] | ["api" | "apis", _] | ["apis", _, _] => return Target::About,
            ["api", version, rest @ ..] => ("", *version, rest),
            ["apis", group, version, rest @ ..] => (*group, *version, rest),
            _ => return Target::Nowhere,
        };
        let (namespace, rest) = match rest {
            ["namespaces", namespace, rest @ ..] if !matches!(rest, [] | ["status" | "finalize"]) => (Some((*namespace).to_owned()), rest),
            rest => (None, rest),
        };
        let resource = |plural: &str, name: Option<&str>, subresource: &str| {
            Target::Resource(Resource {
                group: group.to_owned(),
                version: version.to_owned(),
                namespace: namespace.clone(),
                plural: plural.to_owned(),
                name: name.map(str::to_owned),
                subresource: subresource.to_owned(),
            })
        };
        match rest {
            [plural] => resource(plural, None, ""),
            [plural, name] => resource(plural, Some(name), ""),
            [plural, name, subresource] => resource(plural, Some(name), subresource),
            _ => Target::Nowhere,
        }
    }

    /// What is done, as fault rules name it: `list/secrets`, `patch/deployments/status`, `get/apis`.
    pub(super) fn operation(&self) -> String {
        match self.target() {
            Target::Resource(resource) => {
                let verb = self.verb(resource.name.is_some());
                let part = if resource.subresource.is_empty() { String::new() } else { format!("/{}", resource.subresource) };
                format!("{verb}/{}{part}", resource.plural)
            }
            _ => format!("{}/{}", self.verb(true), self.path.join("/")),
        }
    }

    /// The verb, as in RBAC rules.
    pub(super) fn verb(&self, one: bool) -> &'static str {
        match (&self.method, one) {
            (&Method::GET, true) => "get",
            (&Method::GET, false) if matches!(self.query.get("watch").map(String::as_str), Some("1" | "true")) => "watch",
            (&Method::GET, false) => "list",
            (&Method::POST, _) => "create",
            (&Method::PUT, _) => "update",
            (&Method::PATCH, _) => "patch",
            (&Method::DELETE, true) => "delete",
            (&Method::DELETE, false) => "deletecollection",
            _ => "other",
        }
    }

    /// The options of a write (k8s.io/apimachinery: `apis/meta/v1/validation`). `of` is the name of the options: `PatchOptions`.
    pub(super) fn options(&self, of: &str) -> Outcome<Options> {
        let text = |name: &str| self.query.get(name).map(String::as_str);
        let invalid = |cause: Cause| Refusal::invalid_options(of, cause);
        let dry_run = match text("dryRun") {
            None | Some("") => false,
            Some("All") => true,
            Some(other) => return Err(invalid(Cause::unsupported("dryRun", &serde_json::json!([other]), &["All"])).into()),
        };
        let strict = match text("fieldValidation") {
            None | Some("" | "Warn" | "Ignore") => false,
            Some("Strict") => true,
            Some(other) => {
                let all = ["", "Ignore", "Strict", "Warn"];
                return Err(invalid(Cause::unsupported("fieldValidation", &serde_json::json!(other), &all)).into());
            }
        };
        let force = match text("force") {
            None | Some("" | "false" | "0") => false,
            Some("true" | "1") => true,
            Some(other) => return Err(Refusal::bad_request(format!("strconv.ParseBool: parsing {other:?}: invalid syntax")).into()),
        };
        let applies = self.content_type == "application/apply-patch+yaml" && self.method == Method::PATCH;
        let manager = text("fieldManager").unwrap_or_default();
        if manager.is_empty() && applies {
            return Err(invalid(Cause::required("fieldManager", "is required for apply patch")).into());
        }
        if manager.chars().count() > 128 {
            return Err(invalid(Cause::too_long("fieldManager", 128)).into());
        }
        if manager.chars().any(char::is_control) {
            let value = serde_json::json!(manager);
            return Err(invalid(Cause::invalid("fieldManager", &value, "should only contain printable characters")).into());
        }
        if force && !applies && of == "PatchOptions" {
            return Err(invalid(Cause::forbidden("force", "may not be specified for non-apply patch")).into());
        }
        let manager = if manager.is_empty() { self.user_agent_manager() } else { manager.to_owned() };
        Ok(Options { dry_run, manager, force, strict })
    }

    /// The manager of who names none: the first part of the user agent (k8s.io/apiserver: `managerOrUserAgent`).
    fn user_agent_manager(&self) -> String {
        let name = self.user_agent.split('/').next().unwrap_or_default();
        name.chars().filter(|c| !c.is_control()).take(128).collect()
    }
}

/// Decodes `%XX`, and `+` as a space in a query.
pub(super) fn decode(text: &str, query: bool) -> String {
    let mut decoded = Vec::with_capacity(text.len());
    let mut bytes = text.bytes().enumerate();
    while let Some((at, byte)) = bytes.next() {
        let code = if byte == b'%' { text.get(at + 1..at + 3).and_then(|code| u8::from_str_radix(code, 16).ok()) } else { None };
        match code {
            Some(code) => {
                decoded.push(code);
                bytes.nth(1);
            }
            None => decoded.push(if query && byte == b'+' { b' ' } else { byte }),
        }
    }
    String::from_utf8_lossy(&decoded).into_owned()
}

/// The pairs of a query.
pub(super) fn query(text: &str) -> BTreeMap<String, String> {
    let pairs = text.split('&').filter(|pair| !pair.is_empty()).map(|pair| pair.split_once('=').unwrap_or((pair, "")));
    pairs.map(|(name, value)| (decode(name, true), decode(value, true))).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn request(method: Method, path: &str) -> Request {
        Request {
            method,
            path: path.split('/').filter(|part| !part.is_empty()).map(str::to_owned).collect(),
            query: BTreeMap::new(),
            content_type: String::new(),
            accept: String::new(),
            user_agent: String::new(),
            body: Vec::new(),
        }
    }

    #[test]
    fn operations_are_named_by_verb_and_resource() {
        for (method, path, operation) in [
            (Method::GET, "/api/v1/secrets", "list/secrets"),
            (Method::GET, "/api/v1/namespaces", "list/namespaces"),
            (Method::PATCH, "/api/v1/namespaces/a", "patch/namespaces"),
            (Method::GET, "/api/v1/namespaces/a/secrets", "list/secrets"),
            (Method::DELETE, "/api/v1/namespaces/a/secrets/b", "delete/secrets"),
            (Method::PATCH, "/apis/apps/v1/namespaces/a/deployments/b/status", "patch/deployments/status"),
            (Method::PUT, "/api/v1/namespaces/a/status", "update/namespaces/status"),
            (Method::GET, "/apis", "get/apis"),
            (Method::GET, "/apis/apps/v1", "get/apis/apps/v1"),
        ] {
            assert_eq!(request(method, path).operation(), operation, "{path}");
        }
    }

    #[test]
    fn queries_are_decoded() {
        assert_eq!(query("labelSelector=a%3Db%2Cc+d&x")["labelSelector"], "a=b,c d");
        assert_eq!(decode("100%", false), "100%");
        assert_eq!(decode("%zz%é", false), "%zz%é");
    }
}
