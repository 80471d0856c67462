//! Names of objects, as Kubernetes takes them by kind: k8s.io/apimachinery's validation, with its words.

const LABEL: &str = "a lowercase RFC 1123 label must consist of lower case alphanumeric characters or '-', and must start and end with an alphanumeric character (e.g. 'my-name',  or '123-abc', regex used for validation is '[a-z0-9]([-a-z0-9]*[a-z0-9])?')";
const SUBDOMAIN: &str = "a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '-' or '.', and must start and end with an alphanumeric character (e.g. 'example.com', regex used for validation is '[a-z0-9]([-a-z0-9]*[a-z0-9])?(\\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*')";
const SERVICE: &str = "a DNS-1035 label must consist of lower case alphanumeric characters or '-', start with an alphabetic character, and end with an alphanumeric character (e.g. 'my-name',  or 'abc-123', regex used for validation is '[a-z]([-a-z0-9]*[a-z0-9])?')";
/// The most characters of a label.
const MAX_LABEL: usize = 63;
/// The most characters of a subdomain.
const MAX_SUBDOMAIN: usize = 253;

/// What is wrong with a name.
pub(super) fn problems(kind: &str, name: &str) -> Vec<String> {
    match kind.to_lowercase().as_str() {
        "service" => bounded(name, MAX_LABEL, is_label(name) && name.starts_with(|c: char| c.is_ascii_lowercase()), SERVICE),
        // A name that is fine but for its dots is told in fewer words.
        "namespace" if !is_label(name) && is_subdomain(name) => bounded(name, MAX_LABEL, false, "must not contain dots"),
        "namespace" => bounded(name, MAX_LABEL, is_label(name), LABEL),
        "certificatesigningrequest" => Vec::new(),
        "role" | "clusterrole" | "rolebinding" | "clusterrolebinding" => segment(name),
        _ => bounded(name, MAX_SUBDOMAIN, is_subdomain(name), SUBDOMAIN),
    }
}

fn is_label(text: &str) -> bool {
    let inner = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit();
    let bytes = text.as_bytes();
    matches!((bytes.first(), bytes.last()), (Some(first), Some(last)) if inner(*first) && inner(*last))
        && bytes.iter().all(|byte| inner(*byte) || *byte == b'-')
}

fn is_subdomain(text: &str) -> bool {
    text.split('.').all(is_label)
}

fn bounded(name: &str, most: usize, matches: bool, words: &str) -> Vec<String> {
    let long = (name.len() > most).then(|| format!("must be no more than {most} characters"));
    long.into_iter().chain((!matches).then(|| words.to_owned())).collect()
}

/// A name that stands in a URL's path.
fn segment(name: &str) -> Vec<String> {
    if name == "." || name == ".." {
        return vec![format!("may not be '{name}'")];
    }
    ["/", "%"].iter().filter(|part| name.contains(**part)).map(|part| format!("may not contain '{part}'")).collect()
}
