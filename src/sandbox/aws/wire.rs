//! Requests and answers as they are on the wire, and the forms in which each protocol reports an error.

use std::collections::BTreeMap;

use aws_smithy_runtime_api::client::orchestrator::{HttpRequest, HttpResponse};
use aws_smithy_runtime_api::http::StatusCode;
use aws_smithy_types::body::SdkBody;
use serde::de::DeserializeOwned;
use serde_json::{Map, Value, json};

use super::xml;
use crate::sandbox::error::SandboxError;

/// The protocol of a service.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Protocol {
    /// `application/x-amz-json-1.1`: the operation is in a header.
    Json,
    /// As [`Protocol::Json`], but with errors that write `Message` with a capital.
    JsonCapital,
    /// XML answers to form requests.
    Query,
    /// XML, with the operation in path and method.
    RestXml,
    /// JSON, with the operation in path and method.
    RestJson,
}

/// A request, taken apart.
pub(super) struct Request {
    pub(super) method: String,
    /// The path without query, decoded by segment.
    pub(super) path: Vec<String>,
    pub(super) query: BTreeMap<String, String>,
    pub(super) target: Option<String>,
    pub(super) body: Vec<u8>,
    /// From the signature's scope; an unsigned request has none.
    pub(super) scope: Option<Scope>,
}

/// Who signs a request, and for what.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Scope {
    pub(super) access_key: String,
    pub(super) region: String,
    pub(super) service: String,
}

/// Who asks where.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Caller {
    pub(super) account: String,
    pub(super) region: String,
    pub(super) access_key: String,
}

/// What a service gives back.
pub(super) struct Answer {
    pub(super) status: u16,
    pub(super) content_type: &'static str,
    pub(super) headers: Vec<(&'static str, String)>,
    pub(super) body: String,
}

/// What a service refuses to do.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Refusal {
    pub(super) status: u16,
    pub(super) code: &'static str,
    pub(super) message: String,
    /// The parts of a message that lists several problems, as Route 53's InvalidChangeBatch does.
    pub(super) messages: Vec<String>,
}

/// Why an operation gave nothing.
#[derive(Debug)]
pub(super) enum Failure {
    /// The service refuses.
    Refusal(Refusal),
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
        Self::Refusal(refusal)
    }
}

/// What operations give.
pub(super) type Outcome<T = Value> = Result<T, Failure>;

/// A refusal with status 400, as most are.
pub(super) fn refuse(code: &'static str, message: impl Into<String>) -> Failure {
    refuse_with(400, code, message)
}

/// A refusal with another status.
pub(super) fn refuse_with(status: u16, code: &'static str, message: impl Into<String>) -> Failure {
    Failure::Refusal(Refusal { status, code, message: message.into(), messages: Vec::new() })
}

impl Request {
    /// Takes a request apart.
    pub(super) fn of(request: &HttpRequest) -> Self {
        let uri = request.uri();
        let rest = uri.split_once("://").map_or(uri, |(_, rest)| rest);
        let rest = rest.find('/').map_or("/", |at| &rest[at..]);
        let (path, query) = rest.split_once('?').unwrap_or((rest, ""));
        let query = parse_form(query);
        let signature = request.headers().get("authorization").and_then(|header| header.split_once("Credential=")).map(|(_, rest)| rest);
        let credential = signature.map(|rest| rest.split([',', ' ']).next().unwrap_or_default().to_owned());
        let scope = credential.or_else(|| query.get("X-Amz-Credential").cloned()).and_then(|credential| Scope::parse(&credential));
        Self {
            method: request.method().to_owned(),
            path: path.split('/').filter(|segment| !segment.is_empty()).map(|segment| decode(segment, false)).collect(),
            query,
            target: request.headers().get("x-amz-target").map(str::to_owned),
            body: request.body().bytes().unwrap_or_default().to_vec(),
            scope,
        }
    }

    /// The body as JSON of a type. An empty body is an empty object.
    pub(super) fn json<T: DeserializeOwned>(&self) -> Outcome<T> {
        let body = if self.body.is_empty() { b"{}" } else { self.body.as_slice() };
        serde_json::from_slice(body).map_err(|error| refuse("SerializationException", error.to_string()))
    }
}

impl Scope {
    fn parse(credential: &str) -> Option<Self> {
        let mut parts = credential.split('/');
        let (access_key, _date, region, service) = (parts.next()?, parts.next()?, parts.next()?, parts.next()?);
        Some(Self { access_key: access_key.to_owned(), region: region.to_owned(), service: service.to_owned() })
    }
}

impl Answer {
    /// A JSON answer.
    pub(super) fn json(value: &Value) -> Self {
        Self { status: 200, content_type: "application/x-amz-json-1.1", headers: Vec::new(), body: value.to_string() }
    }

    /// An XML answer.
    pub(super) fn xml(status: u16, body: String) -> Self {
        Self { status, content_type: "text/xml", headers: Vec::new(), body }
    }

    /// A refusal in the form of a protocol.
    pub(super) fn refusal(protocol: Protocol, refusal: &Refusal, request_id: &str) -> Self {
        let Refusal { status, code, message, messages } = refusal;
        match protocol {
            Protocol::Json | Protocol::JsonCapital => {
                let name = if protocol == Protocol::Json { "message" } else { "Message" };
                let mut body = Map::new();
                body.insert("__type".to_owned(), json!(code));
                body.insert(name.to_owned(), json!(message));
                Self { status: *status, ..Self::json(&Value::Object(body)) }
            }
            Protocol::RestJson => {
                let headers = vec![("x-amzn-errortype", (*code).to_owned())];
                Self { status: *status, content_type: "application/json", headers, body: json!({ "message": message }).to_string() }
            }
            Protocol::Query | Protocol::RestXml => {
                let sender = if *status >= 500 { "Receiver" } else { "Sender" };
                let mut error = vec![xml::text("Type", sender), xml::text("Code", code), xml::text("Message", message)];
                if !messages.is_empty() {
                    error.push(xml::tag("messages", &messages.iter().map(|message| xml::text("Message", message)).collect::<String>()));
                }
                let body = xml::tag("Error", &error.concat()) + &xml::text("RequestId", request_id);
                Self::xml(*status, xml::document("ErrorResponse", "", &body))
            }
        }
    }

    /// The answer as an SDK's response.
    pub(super) fn into_response(self, request_id: &str) -> Option<HttpResponse> {
        let status = StatusCode::try_from(self.status).ok()?;
        let mut response = HttpResponse::new(status, SdkBody::from(self.body));
        let headers = response.headers_mut();
        headers.try_insert("content-type", self.content_type).ok()?;
        headers.try_insert("x-amzn-requestid", request_id.to_owned()).ok()?;
        for (name, value) in self.headers {
            headers.try_insert(name, value).ok()?;
        }
        Some(response)
    }
}

/// The fields of `a=1&b=2`.
pub(super) fn parse_form(text: &str) -> BTreeMap<String, String> {
    let pairs = text.split('&').filter(|pair| !pair.is_empty());
    pairs.map(|pair| pair.split_once('=').unwrap_or((pair, ""))).map(|(name, value)| (decode(name, true), decode(value, true))).collect()
}

/// Decodes `%XX`, and `+` as a space where that is how a form writes it. What isn't a code stays as it is.
fn decode(text: &str, form: bool) -> String {
    let bytes = text.as_bytes();
    let mut decoded = Vec::with_capacity(bytes.len());
    let mut at = 0;
    while let Some(&byte) = bytes.get(at) {
        let code = if byte == b'%' { text.get(at + 1..at + 3).and_then(|code| u8::from_str_radix(code, 16).ok()) } else { None };
        if let Some(code) = code {
            decoded.push(code);
            at += 3;
        } else {
            decoded.push(if form && byte == b'+' { b' ' } else { byte });
            at += 1;
        }
    }
    String::from_utf8_lossy(&decoded).into_owned()
}

/// Where the next page starts, as a token that clients have no reason to look into.
pub(super) fn page_token(start: &str) -> String {
    use base64::Engine as _;
    base64::engine::general_purpose::STANDARD.encode(start)
}

/// What [`page_token`] was made from.
pub(super) fn page_start(token: &str) -> Option<String> {
    use base64::Engine as _;
    String::from_utf8(base64::engine::general_purpose::STANDARD.decode(token).ok()?).ok()
}

/// Bytes as hexadecimal digits.
pub(super) fn hex(bytes: &[u8]) -> String {
    use std::fmt::Write as _;
    bytes.iter().fold(String::new(), |mut text, byte| {
        let _ = write!(text, "{byte:02x}");
        text
    })
}
