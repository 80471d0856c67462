//! What a cluster tells of an object that doesn't become ready: its events, its pods' troubles, and their last words.

use serde_json::Value;

use crate::provider::kube::{KindPath, Kube, Live};
use crate::ready::container_trouble;

/// The most pods that are looked at.
const MOST_PODS: usize = 3;
/// The most events that are told of one object.
const MOST_EVENTS: usize = 5;
/// The most lines of a container's log.
const MOST_LINES: usize = 10;

/// What is worth telling, line by line. What may not be read is left out.
pub(super) async fn evidence(kube: &Kube, path: &KindPath, namespace: Option<&str>, name: &str) -> Vec<String> {
    let Ok(Some(live)) = kube.get(path, namespace, name).await else { return Vec::new() };
    let Some(namespace) = namespace else { return Vec::new() };
    let mut lines = events(kube, namespace, &live).await;
    let whole = live.whole();
    let pods = if path.plural == "pods" { vec![live] } else { pods(kube, namespace, &whole).await };
    let troubled = pods.iter().filter(|pod| !is_ready(&pod.whole())).take(MOST_PODS);
    for pod in troubled {
        lines.push(format!("pod {}: {}", pod.name(), trouble(&pod.whole())));
        if path.plural != "pods" {
            lines.extend(events(kube, namespace, pod).await);
        }
        lines.extend(last_words(kube, namespace, pod).await);
    }
    lines
}

async fn events(kube: &Kube, namespace: &str, live: &Live) -> Vec<String> {
    let selector = format!("involvedObject.uid={}", live.uid());
    let Ok(found) = kube.list_by_field("events", namespace, &selector).await else { return Vec::new() };
    let text = |event: &Live, key: &str| event.rest.get(key).and_then(Value::as_str).unwrap_or_default().to_owned();
    let time = |event: &Live| {
        let last = text(event, "lastTimestamp");
        if last.is_empty() { text(event, "eventTime") } else { last }
    };
    let mut found: Vec<&Live> = found.iter().filter(|event| text(event, "type") == "Warning").collect();
    found.sort_by_key(|event| time(event));
    let told = found.iter().rev().take(MOST_EVENTS).rev();
    told.map(|event| format!("event {}: {} ({})", text(event, "reason"), text(event, "message").trim(), live.name())).collect()
}

/// The pods that a workload's selector chooses.
async fn pods(kube: &Kube, namespace: &str, workload: &Value) -> Vec<Live> {
    let labels = workload.pointer("/spec/selector/matchLabels").and_then(Value::as_object);
    let labels = labels.into_iter().flatten().filter_map(|(key, value)| Some(format!("{key}={}", value.as_str()?)));
    let selector = labels.collect::<Vec<_>>().join(",");
    if selector.is_empty() {
        return Vec::new();
    }
    kube.list_in("pods", namespace, &selector).await.unwrap_or_default()
}

fn is_ready(pod: &Value) -> bool {
    let conditions = pod.pointer("/status/conditions").and_then(Value::as_array);
    conditions
        .into_iter()
        .flatten()
        .any(|one| one.get("type") == Some(&Value::from("Ready")) && one.get("status") == Some(&Value::from("True")))
}

fn trouble(pod: &Value) -> String {
    if let Some(trouble) = container_trouble(pod) {
        return trouble;
    }
    let conditions = pod.pointer("/status/conditions").and_then(Value::as_array);
    let message = conditions.into_iter().flatten().filter(|one| one.get("status") == Some(&Value::from("False"))).find_map(|one| {
        let text = |key: &str| one.get(key).and_then(Value::as_str).filter(|text| !text.is_empty());
        Some(format!("{}: {}", text("reason").or_else(|| text("type"))?, text("message").unwrap_or("not told")))
    });
    message.unwrap_or_else(|| format!("its phase is {}", pod.pointer("/status/phase").and_then(Value::as_str).unwrap_or("unknown")))
}

/// The end of the log of the first container that isn't ready.
async fn last_words(kube: &Kube, namespace: &str, pod: &Live) -> Vec<String> {
    let whole = pod.whole();
    let lists = ["/status/initContainerStatuses", "/status/containerStatuses"];
    let containers = lists.iter().filter_map(|list| whole.pointer(list)?.as_array()).flatten();
    let mut waiting = containers.filter(|container| container.get("ready") != Some(&Value::Bool(true)));
    let Some(container) = waiting.next() else { return Vec::new() };
    let Some(name) = container.get("name").and_then(Value::as_str) else { return Vec::new() };
    let was_run = container.get("restartCount").and_then(Value::as_i64).unwrap_or(0) > 0;
    let Ok(log) = kube.log(namespace, pod.name(), name, was_run, MOST_LINES).await else { return Vec::new() };
    let lines = log.lines().filter(|line| !line.trim().is_empty());
    lines.map(|line| format!("log of {name}: {}", line.chars().take(300).collect::<String>())).collect()
}
