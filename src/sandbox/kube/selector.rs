//! Label selectors and field selectors (k8s.io/apimachinery: `pkg/labels`, `pkg/fields`).

use serde_json::Value;

use super::kinds::Kind;
use super::status::{Outcome, Refusal};
use super::store::{meta_text, metadata};
use super::validate;

/// The fields that events are selected by (k8s.io/kubernetes: `pkg/apis/core/v1/conversion.go`), as far as they are texts of their own.
const EVENT_FIELDS: &[&str] = &[
    "involvedObject.apiVersion",
    "involvedObject.fieldPath",
    "involvedObject.kind",
    "involvedObject.name",
    "involvedObject.namespace",
    "involvedObject.resourceVersion",
    "involvedObject.uid",
    "reason",
    "reportingComponent",
    "type",
];

/// Those that pods are selected by, as far as they are texts.
const POD_FIELDS: &[&str] =
    &["spec.nodeName", "spec.restartPolicy", "spec.schedulerName", "spec.serviceAccountName", "status.phase", "status.podIP"];

/// What objects have to have.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Selector {
    labels: Vec<Requirement>,
    fields: Vec<(String, String, bool)>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
struct Requirement {
    key: String,
    operator: Operator,
    values: Vec<String>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Operator {
    In,
    NotIn,
    Exists,
    Absent,
}

impl Selector {
    /// Reads the selectors of a request.
    pub(super) fn read(kind: &Kind, labels: Option<&str>, fields: Option<&str>) -> Outcome<Self> {
        let labels = read_labels(labels.unwrap_or_default()).map_err(Refusal::bad_request)?;
        let mut found = Vec::new();
        for term in fields.unwrap_or_default().split(',').filter(|term| !term.is_empty()) {
            let (name, value, equal) = if let Some((name, value)) = term.split_once("!=") {
                (name, value, false)
            } else if let Some((name, value)) = term.split_once("==").or_else(|| term.split_once('=')) {
                (name, value, true)
            } else {
                return Err(
                    Refusal::bad_request(format!("invalid selector: {:?}; can't understand {term:?}", fields.unwrap_or_default())).into()
                );
            };
            let secret_type = name == "type" && kind.is_secret();
            let of_event = kind.is_core("events") && EVENT_FIELDS.contains(&name);
            let of_pod = kind.is_core("pods") && POD_FIELDS.contains(&name);
            if !matches!(name, "metadata.name" | "metadata.namespace") && !secret_type && !of_event && !of_pod {
                // These kinds have functions of their own for it; the sandbox knows no more of their fields.
                let own =
                    kind.group.is_empty() && matches!(kind.plural.as_str(), "events" | "namespaces" | "pods" | "secrets" | "services");
                let why = if own {
                    format!("field label not supported: {name}")
                } else {
                    format!("{name:?} is not a known field selector: only \"metadata.name\", \"metadata.namespace\"")
                };
                return Err(Refusal::bad_request(why).into());
            }
            found.push((name.to_owned(), value.to_owned(), equal));
        }
        Ok(Self { labels, fields: found })
    }

    /// Whether it asks for nothing.
    pub(super) fn is_empty(&self) -> bool {
        self.labels.is_empty() && self.fields.is_empty()
    }

    /// Whether an object has it all.
    pub(super) fn matches(&self, object: &Value) -> bool {
        let labels = metadata(object).and_then(|meta| meta.get("labels"));
        let label = |key: &str| labels.and_then(|labels| labels.get(key)).and_then(Value::as_str);
        let of_labels = self.labels.iter().all(|requirement| {
            let value = label(&requirement.key);
            let listed = || value.is_some_and(|value| requirement.values.iter().any(|one| one == value));
            match requirement.operator {
                Operator::In => listed(),
                Operator::NotIn => !listed(),
                Operator::Exists => value.is_some(),
                Operator::Absent => value.is_none(),
            }
        });
        of_labels
            && self.fields.iter().all(|(name, value, equal)| {
                let found = match name.strip_prefix("metadata.") {
                    Some(name) => meta_text(object, name),
                    None => object.pointer(&format!("/{}", name.replace('.', "/"))).and_then(Value::as_str).unwrap_or_default(),
                };
                (found == value) == *equal
            })
    }
}

fn read_labels(text: &str) -> Result<Vec<Requirement>, String> {
    let tokens = tokens(text);
    let mut at = 0;
    let mut requirements = Vec::new();
    let peek = |at: usize| tokens.get(at).copied().unwrap_or_default();
    while at < tokens.len() {
        let (absent, key) = if peek(at) == "!" { (true, peek(at + 1)) } else { (false, peek(at)) };
        at += 1 + usize::from(absent);
        if !is_word(key) {
            return Err(format!("unable to parse requirement: found '{key}', expected: identifier"));
        }
        if let Some(problem) = validate::label_key(key).first() {
            let value = serde_json::json!(key);
            return Err(format!("unable to parse requirement: <nil>: Invalid value: {value}: {problem}"));
        }
        let (operator, values) = match peek(at) {
            _ if absent => (Operator::Absent, Vec::new()),
            "" | "," => (Operator::Exists, Vec::new()),
            sign @ ("=" | "==" | "!=") => {
                let value = if is_word(peek(at + 1)) { peek(at + 1) } else { "" };
                at += 1 + usize::from(!value.is_empty());
                (if sign == "!=" { Operator::NotIn } else { Operator::In }, vec![value.to_owned()])
            }
            sign @ ("in" | "notin") => {
                let close = tokens.iter().skip(at).position(|token| *token == ")").map(|place| at + place);
                let Some(close) = close.filter(|_| peek(at + 1) == "(") else {
                    return Err(format!("unable to parse requirement: found '{}' expected: '('", peek(at + 1)));
                };
                let values = tokens[at + 2..close].iter().filter(|token| **token != ",").map(|token| (*token).to_owned()).collect();
                at = close + 1;
                (if sign == "in" { Operator::In } else { Operator::NotIn }, values)
            }
            other => return Err(format!("unable to parse requirement: found '{other}', expected: in, notin, =, ==, !=, gt, lt")),
        };
        if let Some(problem) = values.iter().find_map(|value| validate::label_value(value)) {
            return Err(format!("unable to parse requirement: values[0][{key}]: Invalid value: {:?}: {problem}", values.join(",")));
        }
        requirements.push(Requirement { key: key.to_owned(), operator, values });
        match peek(at) {
            "" => {}
            "," if is_word(peek(at + 1)) || peek(at + 1) == "!" => at += 1,
            "," => return Err(format!("found '{}', expected: identifier after ','", peek(at + 1))),
            other => return Err(format!("found '{other}', expected: ',' or 'end of string'")),
        }
    }
    Ok(requirements)
}

fn is_word(token: &str) -> bool {
    !token.is_empty() && !matches!(token, "," | "(" | ")" | "!" | "=" | "==" | "!=")
}

/// Cuts a selector into words and signs.
fn tokens(text: &str) -> Vec<&str> {
    let mut tokens = Vec::new();
    let mut rest = text.trim_start();
    while let Some(first) = rest.chars().next() {
        let length = match first {
            ',' | '(' | ')' => 1,
            '=' | '!' => 1 + usize::from(rest[1..].starts_with('=')),
            _ => rest.find(|c: char| c.is_whitespace() || ",()=!".contains(c)).unwrap_or(rest.len()),
        };
        tokens.push(&rest[..length]);
        rest = rest[length..].trim_start();
    }
    tokens
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn selectors_mean_what_they_mean_to_the_server() {
        let object = json!({"metadata": {"name": "n", "labels": {"a": "1", "empty": ""}}});
        for (text, matches) in [
            ("", true),
            ("a=1", true),
            ("a==1,empty", true),
            ("a!=1", false),
            ("b!=1", true),
            ("a in (1, 2)", true),
            ("a notin (1,2)", false),
            ("b notin (1)", true),
            ("!b", true),
            ("!a", false),
            ("empty=", true),
            ("a=2,a=1", false),
        ] {
            let selector = Selector { labels: read_labels(text).unwrap(), fields: Vec::new() };
            assert_eq!(selector.matches(&object), matches, "{text}");
        }
    }

    #[test]
    fn what_is_no_selector_is_refused_in_the_words_of_the_server() {
        assert_eq!(read_labels("a==b,,").unwrap_err(), "found ',', expected: identifier after ','");
        assert_eq!(read_labels("a b").unwrap_err(), "unable to parse requirement: found 'b', expected: in, notin, =, ==, !=, gt, lt");
        for wrong in ["=", "a in", "a in (", "(", "a=b c", "ä=1", "!", "a,=", "a=-"] {
            assert!(read_labels(wrong).is_err(), "{wrong}");
        }
    }
}
