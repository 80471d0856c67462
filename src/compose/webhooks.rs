//! Webhooks as barriers: what a webhook of the stack would be asked about waits until it can answer. What the webhook itself stands on goes
//! before it, whatever its rules say.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Map, Value};

use super::references::pod_of;
use crate::addr::Addr;
use crate::resource::kinds::split_api_version;
use crate::resource::manifest::ManifestSpec;
use crate::resource::object::ObjectSpec;
use crate::resource::{Milestone, Resource, Spec};

/// What a webhook looks at of an object that is made.
struct Subject<'a> {
    group: &'a str,
    version: &'a str,
    plural: &'a str,
    labels: Option<&'a Map<String, Value>>,
    namespace: Option<&'a str>,
}

/// Adds the edges from what webhooks are asked about to the webhooks. `others` are resources that aren't of manifests or charts.
pub(super) fn barriers(resources: &mut [Resource], others: &[Resource]) {
    let webhooks: Vec<(Addr, Vec<Value>)> = resources
        .iter()
        .filter_map(|resource| match &resource.spec {
            Spec::Manifest(spec) if is_webhook(spec) => {
                Some((resource.addr.clone(), spec.object.body.get("webhooks")?.as_array()?.clone()))
            }
            _ => None,
        })
        .collect();
    if webhooks.is_empty() {
        return;
    }
    let namespaces = namespaces(resources, others);
    for (webhook, entries) in webhooks {
        let before = behind(&webhook, resources);
        for resource in resources.iter_mut().filter(|resource| !before.contains(&resource.addr)) {
            let Spec::Manifest(spec) = &resource.spec else { continue };
            // Webhooks aren't asked about webhooks (Kubernetes, "Dynamic Admission Control").
            if is_webhook(spec) || !subjects(spec).iter().any(|subject| entries.iter().any(|entry| asks(entry, subject, &namespaces))) {
                continue;
            }
            let mut needs: BTreeMap<Addr, Milestone> = resource.needs.drain(..).collect();
            needs.insert(webhook.clone(), Milestone::Ready);
            resource.needs = needs.into_iter().collect();
        }
    }
}

fn is_webhook(spec: &ManifestSpec) -> bool {
    spec.group() == "admissionregistration.k8s.io" && spec.object.kind.ends_with("WebhookConfiguration")
}

/// A webhook and all that it waits for, directly or not.
fn behind(webhook: &Addr, resources: &[Resource]) -> BTreeSet<Addr> {
    let needs: BTreeMap<&Addr, Vec<&Addr>> = resources
        .iter()
        .map(|resource| (&resource.addr, resource.needs.iter().chain(&resource.ready_needs).map(|(addr, _)| addr).collect()))
        .collect();
    let mut found = BTreeSet::new();
    let mut open = vec![webhook];
    while let Some(addr) = open.pop() {
        if found.insert(addr.clone()) {
            open.extend(needs.get(addr).into_iter().flatten().copied());
        }
    }
    found
}

/// The labels of the namespaces of the stack.
fn namespaces(resources: &[Resource], others: &[Resource]) -> BTreeMap<String, Map<String, Value>> {
    let object = |resource: &Resource| -> Option<ObjectSpec> {
        match &resource.spec {
            Spec::Object(object) => Some(object.clone()),
            Spec::Manifest(spec) => Some(spec.object.clone()),
            _ => None,
        }
    };
    let all = resources.iter().chain(others).filter_map(object).filter(|object| object.kind == "Namespace" && object.api_version == "v1");
    all.map(|object| {
        let labels = object.body.pointer("/metadata/labels").and_then(Value::as_object).cloned().unwrap_or_default();
        (object.name, labels)
    })
    .collect()
}

/// The object itself, and the pods that come of it.
fn subjects(spec: &ManifestSpec) -> Vec<Subject<'_>> {
    let ObjectSpec { api_version, kind, plural, namespace, body, .. } = &spec.object;
    let (group, version) = split_api_version(api_version);
    let labels = body.pointer("/metadata/labels").and_then(Value::as_object);
    let namespace = namespace.as_deref();
    let mut subjects = vec![Subject { group, version, plural, labels, namespace }];
    if kind != "Pod" && pod_of(kind, body).is_some() {
        let template = if kind == "CronJob" { "/spec/jobTemplate/spec/template/metadata/labels" } else { "/spec/template/metadata/labels" };
        let labels = body.pointer(template).and_then(Value::as_object);
        subjects.push(Subject { group: "", version: "v1", plural: "pods", labels, namespace });
    }
    subjects
}

/// Whether an entry of a webhook configuration is asked when a pod with these labels is made in a namespace with those.
pub(crate) fn asks_about_pod(entry: &Value, namespace: &str, of_namespace: &Map<String, Value>, of_pod: &Map<String, Value>) -> bool {
    let subject = Subject { group: "", version: "v1", plural: "pods", labels: Some(of_pod), namespace: Some(namespace) };
    asks(entry, &subject, &BTreeMap::from([(namespace.to_owned(), of_namespace.clone())]))
}

/// Whether an entry of a webhook configuration is asked when the object is made (Kubernetes API, `ValidatingWebhook`).
fn asks(entry: &Value, subject: &Subject<'_>, namespaces: &BTreeMap<String, Map<String, Value>>) -> bool {
    let rules = entry.get("rules").and_then(Value::as_array).into_iter().flatten();
    let is_ruled = rules.into_iter().any(|rule| {
        let has = |key: &str, wanted: &str| {
            let words = rule.get(key).and_then(Value::as_array).into_iter().flatten().filter_map(Value::as_str);
            words.into_iter().any(|word| word == "*" || word == wanted)
        };
        let scope = rule.get("scope").and_then(Value::as_str).unwrap_or("*");
        let in_scope = match scope {
            "Namespaced" => subject.namespace.is_some(),
            "Cluster" => subject.namespace.is_none(),
            _ => true,
        };
        let is_asked = has("operations", "CREATE") || has("operations", "UPDATE");
        is_asked
            && in_scope
            && has("apiGroups", subject.group)
            && has("apiVersions", subject.version)
            && (has("resources", subject.plural) || has("resources", "*/*"))
    });
    let nothing = Map::new();
    is_ruled
        && selects(entry.get("objectSelector"), subject.labels.unwrap_or(&nothing))
        && subject.namespace.is_none_or(|namespace| {
            let mut labels = namespaces.get(namespace).cloned().unwrap_or_default();
            labels.insert("kubernetes.io/metadata.name".into(), Value::String(namespace.to_owned()));
            selects(entry.get("namespaceSelector"), &labels)
        })
}

/// Whether a label selector takes these labels; what isn't well-formed is left to the API server, and takes all.
fn selects(selector: Option<&Value>, labels: &Map<String, Value>) -> bool {
    let Some(selector) = selector else { return true };
    let equal =
        selector.get("matchLabels").and_then(Value::as_object).into_iter().flatten().all(|(key, value)| labels.get(key) == Some(value));
    let expressions = selector.get("matchExpressions").and_then(Value::as_array).into_iter().flatten();
    equal
        && expressions.into_iter().all(|expression| {
            let key = expression.get("key").and_then(Value::as_str).unwrap_or_default();
            let values = expression.get("values").and_then(Value::as_array);
            let value = labels.get(key);
            let is_in = value.is_some_and(|value| values.is_some_and(|values| values.contains(value)));
            match expression.get("operator").and_then(Value::as_str) {
                Some("In") => is_in,
                Some("NotIn") => !is_in,
                Some("Exists") => value.is_some(),
                Some("DoesNotExist") => value.is_none(),
                _ => true,
            }
        })
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_webhook_is_asked_as_the_api_server_would_ask_it() {
        let injector = json!({
            "rules": [{"operations": ["CREATE"], "apiGroups": [""], "apiVersions": ["v1"], "resources": ["pods"]}],
            "namespaceSelector": {"matchExpressions": [{"key": "istio-injection", "operator": "In", "values": ["enabled"]}]},
            "objectSelector": {"matchExpressions": [{"key": "sidecar.istio.io/inject", "operator": "NotIn", "values": ["false"]}]},
        });
        let namespaces = BTreeMap::from([("prod".to_owned(), Map::from_iter([("istio-injection".to_owned(), json!("enabled"))]))]);
        let no = Map::from_iter([("sidecar.istio.io/inject".to_owned(), json!("false"))]);
        let pod = |namespace, labels| Subject { group: "", version: "v1", plural: "pods", labels, namespace: Some(namespace) };
        let cases = [
            ("a pod of a namespace that is injected", &injector, pod("prod", None), true),
            ("one that says no", &injector, pod("prod", Some(&no)), false),
            ("one of a namespace that isn't", &injector, pod("other", None), false),
            ("another kind", &injector, Subject { plural: "services", ..pod("prod", None) }, false),
        ];
        for (name, entry, subject, wanted) in cases {
            assert_eq!(asks(entry, &subject, &namespaces), wanted, "{name}");
        }
        let all =
            json!({"rules": [{"operations": ["*"], "apiGroups": ["*"], "apiVersions": ["*"], "resources": ["*"], "scope": "Cluster"}]});
        assert!(asks(&all, &Subject { namespace: None, ..pod("x", None) }, &namespaces));
        assert!(!asks(&all, &pod("prod", None), &namespaces), "it is for what is in no namespace");
        let by_name = json!({"rules": all["rules"].clone(), "namespaceSelector": {"matchLabels": {"kubernetes.io/metadata.name": "a"}}});
        assert!(asks(&by_name, &Subject { namespace: None, ..pod("x", None) }, &namespaces), "a namespace's labels are no matter then");
    }
}
