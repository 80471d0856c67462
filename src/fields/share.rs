//! Fields that someone else has a say in: a controller that writes them, or anyone at all where the stack says `ignore`.

use serde_json::Value;

use super::differ::is_called;
use super::path::{FieldPath, Segment};
use super::{Manager, field, item};

/// Who else may have a say in a field.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Say {
    /// Another manager that owns it with another value: then the field is not sent.
    Others,
    /// One that scales: an autoscaler, but not a person with `kubectl scale`.
    Scalers,
    /// Anyone. What is there stays: another manager's value is not sent, and of ours the live one is.
    Anyone,
}

/// The fields of a kind that controllers write (Kubernetes' API documentation; the same that kapp rebases by default).
pub fn shared(group: &str, kind: &str) -> Vec<(FieldPath, Say)> {
    let (path, say) = match (group, kind) {
        ("admissionregistration.k8s.io", "MutatingWebhookConfiguration" | "ValidatingWebhookConfiguration") => {
            ("webhooks[*].clientConfig.caBundle", Say::Others)
        }
        ("apiregistration.k8s.io", "APIService") => ("spec.caBundle", Say::Others),
        ("apiextensions.k8s.io", "CustomResourceDefinition") => ("spec.conversion.webhook.clientConfig.caBundle", Say::Others),
        ("apps", "Deployment" | "ReplicaSet" | "StatefulSet") | ("", "ReplicationController") => ("spec.replicas", Say::Scalers),
        _ => return Vec::new(),
    };
    path.parse().map(|path| vec![(path, say)]).unwrap_or_default()
}

/// Makes `body`, which is to be sent, leave to others what they have a say in. `ours` is what we own of the live object.
pub fn leave_shared(body: &mut Value, shared: &[(FieldPath, Say)], live: &Value, ours: Option<&Value>, others: &[Manager<'_>]) {
    for (path, say) in shared {
        leave(body, path.segments(), *say, Some(live), ours, others);
    }
}

fn leave(body: &mut Value, path: &[Segment], say: Say, live: Option<&Value>, ours: Option<&Value>, others: &[Manager<'_>]) {
    let [first, rest @ ..] = path else { return };
    match body {
        Value::Object(map) => {
            let names: Vec<String> = match first {
                Segment::Field(name) | Segment::Item(name) => map.contains_key(name).then(|| name.clone()).into_iter().collect(),
                Segment::Every => map.keys().cloned().collect(),
            };
            for name in names {
                let live = live.and_then(|live| live.get(&name));
                let ours = ours.and_then(|fields| field(fields, &name));
                let owned: Vec<Manager<'_>> =
                    others.iter().filter_map(|one| Some(Manager { fields: field(one.fields, &name)?, ..*one })).collect();
                if !rest.is_empty() {
                    if let Some(below) = map.get_mut(&name) {
                        leave(below, rest, say, live, ours, &owned);
                    }
                    continue;
                }
                match decide(map.get(&name), say, live, ours.is_some(), &owned) {
                    Decision::Send => {}
                    Decision::Leave => drop(map.shift_remove(&name)),
                    Decision::Live(value) => drop(map.insert(name, value)),
                }
            }
        }
        Value::Array(list) => {
            for one in list.iter_mut() {
                let is_meant = match first {
                    Segment::Every => true,
                    Segment::Field(name) | Segment::Item(name) => is_called(one, name),
                };
                if !is_meant || rest.is_empty() {
                    continue;
                }
                let live = live.and_then(Value::as_array).and_then(|items| items.iter().find(|item| is_same_item(item, one)));
                let ours = ours.and_then(|fields| item(fields, live?));
                let owned: Vec<Manager<'_>> =
                    others.iter().filter_map(|manager| Some(Manager { fields: item(manager.fields, live?)?, ..*manager })).collect();
                leave(one, rest, say, live, ours, &owned);
            }
        }
        _ => {}
    }
}

enum Decision {
    Send,
    Leave,
    Live(Value),
}

fn decide(wanted: Option<&Value>, say: Say, live: Option<&Value>, is_ours: bool, others: &[Manager<'_>]) -> Decision {
    let Some(live) = live else { return Decision::Send };
    if wanted == Some(live) {
        return Decision::Send;
    }
    let has_say = |manager: &Manager<'_>| match say {
        Say::Others | Say::Anyone => true,
        Say::Scalers => manager.subresource == "scale" && !manager.name.starts_with("kubectl"),
    };
    if others.iter().any(has_say) {
        return Decision::Leave;
    }
    if say == Say::Anyone && is_ours { Decision::Live(live.clone()) } else { Decision::Send }
}

/// Whether two items of lists are the same one in two versions of it.
fn is_same_item(one: &Value, other: &Value) -> bool {
    match one.get("name").and_then(Value::as_str) {
        Some(name) => other.get("name").and_then(Value::as_str) == Some(name),
        None => [&["containerPort", "protocol"][..], &["port", "protocol"], &["mountPath"], &["type"], &["key"], &["ip"]]
            .iter()
            .any(|names| super::differ::label(one, names).is_some_and(|label| super::differ::label(other, names).as_ref() == Some(&label))),
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use serde_json::json;

    use super::*;

    fn sent(body: &Value, path: &str, say: Say, live: &Value, ours: &Value, other: (&str, &str, &Value)) -> Value {
        let mut body = body.clone();
        let (name, subresource, fields) = other;
        leave_shared(&mut body, &[(path.parse().unwrap(), say)], live, Some(ours), &[Manager { name, subresource, fields }]);
        body
    }

    #[test]
    fn a_field_that_another_writes_is_left_to_it() {
        let replicas = |number: u8| json!({"spec": {"replicas": number}});
        let owned = json!({"f:spec": {"f:replicas": {}}});
        let none = json!({"f:spec": {"f:other": {}}});
        let scaler = ("kube-controller-manager", "scale");
        let cases = [
            ("an autoscaler's number is left out", Say::Scalers, &none, (scaler.0, scaler.1, &owned), json!({"spec": {}})),
            ("a person's number is put back", Say::Scalers, &none, ("kubectl", "scale", &owned), replicas(3)),
            ("an editor's number is put back", Say::Scalers, &none, ("someone", "", &owned), replicas(3)),
            ("another's value is left out", Say::Others, &none, ("someone", "", &owned), json!({"spec": {}})),
            ("ours is sent", Say::Others, &owned, ("someone", "", &none), replicas(3)),
            ("what is ignored stays as it is", Say::Anyone, &owned, ("someone", "", &none), replicas(5)),
            ("what is ignored and another's is left out", Say::Anyone, &none, ("someone", "", &owned), json!({"spec": {}})),
        ];
        for (name, say, ours, other, wanted) in cases {
            assert_eq!(sent(&replicas(3), "spec.replicas", say, &replicas(5), ours, other), wanted, "{name}");
        }
        let absent = sent(&replicas(3), "spec.replicas", Say::Anyone, &json!({}), &owned, ("x", "", &none));
        assert_eq!(absent, replicas(3), "what isn't there yet is sent");
    }

    #[test]
    fn items_of_lists_are_met_by_their_names() {
        let hooks = |a: &str, b: &str| {
            json!({"webhooks": [
                {"name": "a", "clientConfig": {"caBundle": a}},
                {"name": "b", "clientConfig": {"caBundle": b}},
            ]})
        };
        let fields = json!({"f:webhooks": {"k:{\"name\":\"a\"}": {"f:clientConfig": {"f:caBundle": {}}}}});
        let body = sent(
            &hooks("mine", "mine"),
            "webhooks[*].clientConfig.caBundle",
            Say::Others,
            &hooks("theirs", "old"),
            WHOLE_TEST,
            ("istiod", "", &fields),
        );
        let wanted = json!({"webhooks": [{"name": "a", "clientConfig": {}}, {"name": "b", "clientConfig": {"caBundle": "mine"}}]});
        assert_eq!(body, wanted);
    }

    const WHOLE_TEST: &Value = &Value::Null;
}
