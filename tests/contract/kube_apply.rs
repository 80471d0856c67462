//! What a Kubernetes API server answers, step by step: the same requests for a real server and for the sandbox.
//!
//! The cases and the answers are in `kube_apply.json`. The answers were recorded from a real kube-apiserver; [`record`] does so again. What
//! differs from run to run (uids, versions, times) is masked before answers are compared.

use std::fmt::Write as _;
use std::time::Duration;

use futures::StreamExt as _;
use http::Request;
use http_body_util::BodyExt as _;
use kube::Client;
use kube::client::Body;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

/// Where the objects are that their controllers write, too, at any moment; the answers were recorded without them.
const WRITTEN_BY_CONTROLLERS: &str = "/apis/apps/";

/// A sequence of requests in a namespace of its own.
#[derive(Clone, Deserialize, Serialize)]
pub struct Case {
    /// What it shows, as a sentence.
    pub name: String,
    /// The requests.
    pub steps: Vec<Step>,
}

/// A request and its answer.
#[derive(Clone, Deserialize, Serialize)]
pub struct Step {
    /// Method and path; `{ns}` is the namespace of the case. `WAIT 3` waits for three seconds.
    #[serde(rename = "do")]
    pub request: String,
    /// The body; a text is sent as it is.
    #[serde(default, skip_serializing_if = "Value::is_null")]
    pub body: Value,
    /// How the sandbox is known to differ: then only the status is compared.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub deviation: String,
    /// The status of the answer.
    #[serde(default)]
    pub code: u16,
    /// The masked answer; not kept where it isn't compared.
    #[serde(default, skip_serializing_if = "Value::is_null")]
    pub answer: Value,
}

/// All cases.
pub fn cases() -> Vec<Case> {
    serde_json::from_str(include_str!("kube_apply.json")).expect("the cases can be read")
}

/// Sends the requests of all cases, and panics with what differs from the recorded answers. Namespaces are named after `prefix`. Of
/// objects that a server's own controllers write, too, only the status of the answer is compared.
pub async fn every_answer_is_as_recorded(client: &Client, prefix: &str, has_controllers: bool) {
    let cases = cases();
    // What takes long is waiting: several cases at a time, each in a namespace of its own.
    let differences = cases.iter().enumerate().map(|(index, case)| async move {
        let namespace = format!("{prefix}-{index}");
        begin(client, &namespace).await;
        let mut differences = String::new();
        for step in &case.steps {
            let (code, answer) = send(client, step, &namespace).await;
            let is_shared = has_controllers && step.request.contains(WRITTEN_BY_CONTROLLERS);
            if is_shared && step.request.contains("/status") {
                continue;
            }
            let answer_differs = step.deviation.is_empty() && !is_shared && answer != step.answer;
            if code != step.code || answer_differs {
                let _ = writeln!(differences, "\n{}\n  {} {}", case.name, step.request, step.body);
                let _ = writeln!(differences, "  recorded {} {}\n  answered {code} {answer}", step.code, step.answer);
            }
        }
        end(client, &namespace).await;
        differences
    });
    let differences: Vec<String> = futures::stream::iter(differences).buffered(4).collect().await;
    let differences = differences.concat();
    assert!(differences.is_empty(), "{differences}");
}

/// The cases with the answers that a server gives.
pub async fn record(client: &Client, prefix: &str) -> String {
    let mut cases = cases();
    for (index, case) in cases.iter_mut().enumerate() {
        let namespace = format!("{prefix}-{index}");
        begin(client, &namespace).await;
        for step in &mut case.steps {
            (step.code, step.answer) = send(client, step, &namespace).await;
            if !step.deviation.is_empty() {
                step.answer = Value::Null;
            }
        }
        end(client, &namespace).await;
    }
    let mut text = String::from("[\n");
    for (index, case) in cases.iter().enumerate() {
        let _ = writeln!(text, "{}{{\"name\": {}, \"steps\": [", if index == 0 { "" } else { ",\n" }, json!(case.name));
        let steps: Vec<String> =
            case.steps.iter().map(|step| format!("  {}", serde_json::to_string(step).expect("a step is JSON"))).collect();
        let _ = write!(text, "{}\n]}}", steps.join(",\n"));
    }
    text + "\n]\n"
}

async fn begin(client: &Client, namespace: &str) {
    let body = json!({"metadata": {"name": namespace}});
    let step = Step { request: "POST /api/v1/namespaces".into(), body, deviation: String::new(), code: 201, answer: Value::Null };
    assert_eq!(send(client, &step, namespace).await.0, 201, "{namespace} can't be made");
    // The controllers put a service account and a bundle into it.
    tokio::time::sleep(Duration::from_millis(500)).await;
}

async fn end(client: &Client, namespace: &str) {
    let request = format!("DELETE /api/v1/namespaces/{namespace}");
    send(client, &Step { request, body: Value::Null, deviation: String::new(), code: 200, answer: Value::Null }, namespace).await;
}

async fn send(client: &Client, step: &Step, namespace: &str) -> (u16, Value) {
    let (method, path) = step.request.split_once(' ').expect("a request has a method and a path");
    if method == "WAIT" {
        tokio::time::sleep(Duration::from_secs(path.parse().expect("a number of seconds"))).await;
        return (0, Value::Null);
    }
    let (method, content_type) = match method {
        "APPLY" => ("PATCH", "application/apply-patch+yaml"),
        "MERGE" => ("PATCH", "application/merge-patch+json"),
        "JSON" => ("PATCH", "application/json-patch+json"),
        "STRATEGIC" => ("PATCH", "application/strategic-merge-patch+json"),
        "META" => ("GET", "application/json;as=PartialObjectMetadataList;g=meta.k8s.io;v=v1"),
        method => (method, "application/json"),
    };
    let body = match &step.body {
        Value::Null => Vec::new(),
        Value::String(text) => text.replace("{ns}", namespace).into_bytes(),
        body => body.to_string().replace("{ns}", namespace).into_bytes(),
    };
    let accept = if content_type.contains("as=") { content_type } else { "application/json" };
    let request = Request::builder()
        .method(method)
        .uri(path.replace("{ns}", namespace))
        .header("content-type", content_type)
        .header("accept", accept)
        .header("user-agent", "contract/1.0")
        .body(Body::from(body))
        .expect("a request");
    let answer = client.send(request).await.expect("an answer");
    let code = answer.status().as_u16();
    let bytes = answer.into_body().collect().await.expect("a body").to_bytes();
    let value = serde_json::from_slice(&bytes).unwrap_or_else(|_| json!(String::from_utf8_lossy(&bytes)));
    (code, mask(value, namespace))
}

/// Masks what differs from run to run.
fn mask(value: Value, namespace: &str) -> Value {
    match value {
        Value::Object(map) => {
            let mut masked: serde_json::Map<String, Value> = map.into_iter().map(|(key, value)| (key, mask(value, namespace))).collect();
            for key in ["uid", "resourceVersion", "creationTimestamp", "deletionTimestamp", "time", "lastTransitionTime", "continue"] {
                if let Some(value) = masked.get_mut(key).filter(|value| value.is_string()) {
                    *value = json!("…");
                }
            }
            if let Some(Value::Array(managed)) = masked.get_mut("managedFields") {
                managed.sort_by_key(|entry| format!("{}{}{}", entry["operation"], entry["manager"], entry["subresource"]));
            }
            // Causes come in the order of a hash map, and those of metadata twice when an object is changed.
            if let Some(Value::Array(causes)) = masked.get_mut("causes") {
                causes.sort_by_key(ToString::to_string);
                causes.dedup();
            }
            if let Some(Value::String(message)) = masked.get_mut("message") {
                *message = uids_masked(message);
            }
            Value::Object(masked)
        }
        Value::Array(list) => Value::Array(list.into_iter().map(|item| mask(item, namespace)).collect()),
        Value::String(text) => Value::String(text.replace(namespace, "{ns}")),
        other => other,
    }
}

fn uids_masked(text: &str) -> String {
    let is_uid = |word: &str| word.len() == 36 && word.matches('-').count() == 4 && word.chars().all(|c| c.is_ascii_hexdigit() || c == '-');
    let mut masked = text.to_owned();
    for word in text.split(|c: char| !c.is_ascii_hexdigit() && c != '-').filter(|word| is_uid(word)) {
        masked = masked.replace(word, "…");
    }
    masked
}
