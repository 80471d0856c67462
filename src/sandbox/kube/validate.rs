//! Names, labels, and all other metadata (k8s.io/apimachinery: `util/validation`, `api/validation/objectmeta.go`).

use serde_json::{Value, json};

use super::kinds::Kind;
use super::status::Cause;
use super::store::{meta_text, metadata};

const LABEL: &str = "a lowercase RFC 1123 label must consist of lower case alphanumeric characters or '-', and must start and end with an \
                     alphanumeric character (e.g. 'my-name',  or '123-abc', regex used for validation is '[a-z0-9]([-a-z0-9]*[a-z0-9])?')";
const SUBDOMAIN: &str = "a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '-' or '.', and must start and \
                         end with an alphanumeric character (e.g. 'example.com', regex used for validation is \
                         '[a-z0-9]([-a-z0-9]*[a-z0-9])?(\\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*')";
const LABEL_1035: &str = "a DNS-1035 label must consist of lower case alphanumeric characters or '-', start with an alphabetic character, \
                          and end with an alphanumeric character (e.g. 'my-name',  or 'abc-123', regex used for validation is \
                          '[a-z]([-a-z0-9]*[a-z0-9])?')";
const KEY_NAME: &str = "name part must consist of alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric \
                        character (e.g. 'MyName',  or 'my.name',  or '123-abc', regex used for validation is \
                        '([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]')";
const VALUE: &str = "a valid label must be an empty string or consist of alphanumeric characters, '-', '_' or '.', and must start and end \
                     with an alphanumeric character (e.g. 'MyValue',  or 'my_value',  or '12345', regex used for validation is \
                     '(([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9])?')";
/// The most bytes of all annotations (`TotalAnnotationSizeLimitB`).
const ANNOTATIONS: usize = 256 * 1024;

/// Finalizers of Kubernetes itself.
const STANDARD_FINALIZERS: &[&str] = &["kubernetes", "orphan", "foregroundDeletion"];

/// What is wrong with the metadata of an object that is new, or replaces another.
pub(super) fn check(kind: &Kind, object: &Value, old: Option<&Value>, causes: &mut Vec<Cause>) {
    let name = meta_text(object, "name");
    if name.is_empty() {
        causes.push(Cause::required("metadata.name", "name or generateName is required"));
    } else if let Some(problem) = name_problem(kind, name) {
        causes.push(Cause::invalid("metadata.name", &json!(name), &problem));
    }
    let prefix = meta_text(object, "generateName");
    if !prefix.is_empty() {
        // What is generated goes on behind a dash.
        let whole = prefix.strip_suffix('-').map_or_else(|| prefix.to_owned(), |stem| format!("{stem}a"));
        causes.extend(name_problem(kind, &whole).map(|problem| Cause::invalid("metadata.generateName", &json!(prefix), &problem)));
    }
    let maps = |field: &str| metadata(object).and_then(|meta| meta.get(field)).and_then(Value::as_object).into_iter().flatten();
    for (key, value) in maps("labels") {
        causes.extend(label_key(key).iter().map(|problem| Cause::invalid("metadata.labels", &json!(key), problem)));
        if let Some(problem) = label_value(value.as_str().unwrap_or_default()) {
            causes.push(Cause::invalid("metadata.labels", value, &problem));
        }
    }
    let mut size = 0;
    for (key, value) in maps("annotations") {
        let problems = qualified(&key.to_lowercase(), "a qualified name");
        causes.extend(problems.iter().map(|problem| Cause::invalid("metadata.annotations", &json!(key), problem)));
        size += key.len() + value.as_str().unwrap_or_default().len();
    }
    if size > ANNOTATIONS {
        causes.push(Cause::too_long("metadata.annotations", ANNOTATIONS));
    }
    let finalizers = super::store::finalizers(object);
    for finalizer in &finalizers {
        let problems = qualified(finalizer, "a qualified name");
        causes.extend(problems.iter().map(|problem| Cause::invalid("metadata.finalizers", &json!(finalizer), problem)));
    }
    for (place, finalizer) in finalizers.iter().enumerate().filter(|_| !kind.custom && kind.group != "apiextensions.k8s.io") {
        if !finalizer.contains('/') && !STANDARD_FINALIZERS.contains(finalizer) {
            let why = "name is neither a standard finalizer name nor is it fully qualified";
            causes.push(Cause::invalid(format!("metadata.finalizers[{place}]"), &json!(finalizer), why));
        }
    }
    check_owners(object, causes);
    if let Some(old) = old.filter(|old| super::store::is_going(old)) {
        let before = super::store::finalizers(old);
        let added: Vec<String> = finalizers.iter().filter(|name| !before.contains(name)).map(|name| format!("{name:?}")).collect();
        if !added.is_empty() {
            let found = format!("[]string{{{}}}", added.join(", "));
            let why = format!("no new finalizers can be added if the object is being deleted, found new finalizers {found}");
            causes.push(Cause::forbidden("metadata.finalizers", &why));
        }
    }
}

fn check_owners(object: &Value, causes: &mut Vec<Cause>) {
    let owners = metadata(object).and_then(|meta| meta.get("ownerReferences")).and_then(Value::as_array);
    for owner in owners.into_iter().flatten() {
        for field in ["apiVersion", "kind", "name", "uid"] {
            if owner.get(field).and_then(Value::as_str).unwrap_or_default().is_empty() {
                causes.push(Cause::invalid(format!("metadata.ownerReferences.{field}"), &json!(""), "must not be empty"));
            }
        }
    }
}

/// What is wrong with an object's name. Most are subdomains.
fn name_problem(kind: &Kind, name: &str) -> Option<String> {
    match (kind.group.as_str(), kind.plural.as_str()) {
        ("", "namespaces") if name.contains('.') => Some("must not contain dots".to_owned()),
        ("", "namespaces") => problem(is_label(name), name, 63, LABEL),
        ("", "services") => problem(is_label(name) && !name.starts_with(|c: char| c.is_ascii_digit()), name, 63, LABEL_1035),
        ("rbac.authorization.k8s.io", _) => match name {
            "." | ".." => Some(format!("may not be '{name}'")),
            _ => ['/', '%'].into_iter().find(|c| name.contains(*c)).map(|c| format!("may not contain '{c}'")),
        },
        _ => problem(name.split('.').all(is_label), name, 253, SUBDOMAIN),
    }
}

fn problem(fits: bool, text: &str, most: usize, why: &str) -> Option<String> {
    if text.len() > most { Some(format!("must be no more than {most} characters")) } else { (!fits).then(|| why.to_owned()) }
}

fn is_label(text: &str) -> bool {
    let inner = |c: u8| c.is_ascii_lowercase() || c.is_ascii_digit() || c == b'-';
    !text.is_empty() && text.bytes().all(inner) && !text.starts_with('-') && !text.ends_with('-')
}

fn is_word(text: &str) -> bool {
    let inner = |c: u8| c.is_ascii_alphanumeric() || matches!(c, b'-' | b'_' | b'.');
    let ends = |c: char| c.is_ascii_alphanumeric();
    text.bytes().all(inner) && text.starts_with(ends) && text.ends_with(ends)
}

/// What is wrong with a label's key (`IsQualifiedName`).
pub(super) fn label_key(key: &str) -> Vec<String> {
    qualified(key, "a valid label key")
}

fn qualified(key: &str, what: &str) -> Vec<String> {
    let mut problems = Vec::new();
    let name = match key.split_once('/') {
        None => key,
        Some((_, name)) if name.contains('/') => {
            return vec![format!(
                "{what} must consist of alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric character \
                 (e.g. 'MyName',  or 'my.name',  or '123-abc', regex used for validation is '([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]') with \
                 an optional DNS subdomain prefix and '/' (e.g. 'example.com/MyName')"
            )];
        }
        Some((prefix, name)) => {
            if prefix.is_empty() {
                problems.push("prefix part must be non-empty".to_owned());
            } else if let Some(problem) = problem(prefix.split('.').all(is_label), prefix, 253, SUBDOMAIN) {
                problems.push(format!("prefix part {problem}"));
            }
            name
        }
    };
    if name.is_empty() {
        problems.push("name part must be non-empty".to_owned());
    } else if name.len() > 63 {
        problems.push("name part must be no more than 63 bytes".to_owned());
    }
    if !is_word(name) {
        problems.push(KEY_NAME.to_owned());
    }
    problems
}

/// What is wrong with a label's value (`IsValidLabelValue`).
pub(super) fn label_value(value: &str) -> Option<String> {
    if value.len() > 63 {
        Some("must be no more than 63 bytes".to_owned())
    } else {
        (!value.is_empty() && !is_word(value)).then(|| VALUE.to_owned())
    }
}

/// What is wrong with a key of a Secret's or a ConfigMap's data (`IsConfigMapKey`).
pub(super) fn data_key(key: &str) -> Option<String> {
    if key.len() > 253 {
        return Some("must be no more than 253 bytes".to_owned());
    }
    if key.is_empty() || !key.bytes().all(|c| c.is_ascii_alphanumeric() || matches!(c, b'-' | b'_' | b'.')) {
        return Some(
            "a valid config key must consist of alphanumeric characters, '-', '_' or '.' (e.g. 'key.name',  or 'KEY_NAME',  or \
             'key-name', regex used for validation is '[-._a-zA-Z0-9]+')"
                .to_owned(),
        );
    }
    match key {
        "." => Some("must not be '.'".to_owned()),
        ".." => Some("must not be '..'".to_owned()),
        _ => key.starts_with("..").then(|| "must not start with '..'".to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_and_labels_are_what_rfc_1123_and_kubernetes_allow() {
        for (key, fits) in
            [("a", true), ("a.b/c_D", true), ("a b", false), ("/a", false), ("a/", false), ("a/b/c", false), ("A.b/c", false)]
        {
            assert_eq!(label_key(key).is_empty(), fits, "{key}");
        }
        for (value, fits) in [("", true), ("A-1", true), ("-a", false), ("9/", false), (&"a".repeat(64), false)] {
            assert_eq!(label_value(value).is_none(), fits, "{value}");
        }
        for (key, fits) in [("tls.crt", true), ("..data", false), ("", false), ("a/b", false), ("...", false)] {
            assert_eq!(data_key(key).is_none(), fits, "{key}");
        }
    }
}
