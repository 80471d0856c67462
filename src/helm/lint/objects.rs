//! What the templates gave: `pkg/lint/rules/template.go`.

use super::{Findings, Severity, deprecated, names};
use crate::helm::strconv::quote;
use crate::helm::yaml::{self, Node};

/// The head of an object; `K8sYamlStruct`.
#[derive(Default)]
struct Head {
    api_version: String,
    kind: String,
    name: String,
}

/// What is wrong with a template's own text.
pub(super) fn check_template(path: &str, text: &[u8], findings: &mut Findings) {
    let extension = path.rsplit('/').next().and_then(|base| base.rfind('.').map(|dot| &base[dot..])).unwrap_or_default();
    let allowed = [".yaml", ".yml", ".tpl", ".txt"].contains(&extension);
    let told = || format!("file extension '{extension}' not valid. Valid extensions are .yaml, .yml, .tpl, or .txt");
    findings.add(Severity::Error, path, (!allowed).then(told));
    let text = String::from_utf8_lossy(text);
    let told = "manifest is a crd-install hook. This hook is no longer supported in v3 and all CRDs should also exist the crds/ directory at the \
                top level of the chart";
    findings.add(Severity::Warning, path, has_crd_hook(&text).then(|| told.to_owned()));
    let told = ".Release.Time has been removed in v3, please replace with the `now` function in your templates";
    findings.add(Severity::Error, path, text.contains(".Release.Time").then(|| told.to_owned()));
}

/// `"?helm\.sh/hook"?:\s+crd-install`
fn has_crd_hook(text: &str) -> bool {
    text.match_indices("helm.sh/hook").any(|(at, mark)| {
        let rest = &text[at + mark.len()..];
        let Some(value) = rest.strip_prefix('"').unwrap_or(rest).strip_prefix(':') else { return false };
        value.starts_with(|c: char| c.is_ascii_whitespace()) && value.trim_ascii_start().starts_with("crd-install")
    })
}

/// What is wrong with what a template gave, on Kubernetes 1.`minor`. False where it is no YAML: Helm stops there.
pub(super) fn check_output(path: &str, text: &str, minor: u64, findings: &mut Findings) -> bool {
    if text.trim().is_empty() {
        return true;
    }
    findings.add(Severity::Warning, path, indent(text));
    for document in documents(text) {
        let head = match document.and_then(|document| head(&document)) {
            Ok(Some(head)) => head,
            Ok(None) => continue,
            Err(error) => {
                findings.add(Severity::Error, path, Some(format!("unable to parse YAML: {error}")));
                return false;
            }
        };
        findings.add(Severity::Warning, path, bad_name(&head));
        let told = if head.kind.is_empty() { None } else { deprecated::warning(&head.api_version, &head.kind, minor) };
        findings.add(Severity::Warning, path, told);
        findings.add(Severity::Error, path, no_selector(&head, text));
        findings.add(Severity::Error, path, policy_in_list(&head, text));
    }
    true
}

/// The first line that is not empty stands at the margin.
fn indent(text: &str) -> Option<String> {
    let line = text.lines().find(|line| !line.trim().is_empty())?;
    line.starts_with([' ', '\t'])
        .then(|| format!("document starts with an illegal indent: {}, which may cause parsing problems", quote(line)))
}

/// The documents between lines of `---`; an error is the last.
fn documents(text: &str) -> Vec<Result<String, String>> {
    let mut found = Vec::new();
    let mut current = String::new();
    for line in text.split_inclusive('\n') {
        match line.strip_prefix("---").map(str::trim) {
            Some(rest) if !rest.is_empty() && !rest.starts_with('#') => {
                found.push(Err(format!("invalid Yaml document separator: {rest}")));
                return found;
            }
            Some(_) if current.is_empty() => current.push_str(line),
            Some(_) => found.push(Ok(std::mem::take(&mut current))),
            None => current.push_str(line),
        }
    }
    found.push(Ok(current));
    found
}

fn head(document: &str) -> Result<Option<Head>, String> {
    let node = yaml::parse(document.as_bytes())?;
    // Numbers that JSON lacks are found on the way there.
    node.clone().into_value().map_err(|error| format!("error converting YAML to JSON: {error}"))?;
    match &node {
        Node::Null => return Ok(None),
        Node::Map(_) => {}
        other => return Err(mismatch(other, "value of type rules.K8sYamlStruct")),
    }
    let mut head =
        Head { api_version: text(&node, "apiVersion", "K8sYamlStruct")?, kind: text(&node, "Kind", "K8sYamlStruct")?, ..Head::default() };
    match folded(&node, "Metadata") {
        None | Some(Node::Null) => {}
        Some(metadata @ Node::Map(_)) => {
            text(metadata, "Namespace", "k8sYamlMetadata.Metadata")?;
            head.name = text(metadata, "Name", "k8sYamlMetadata.Metadata")?;
        }
        Some(other) => return Err(mismatch(other, "struct field K8sYamlStruct.Metadata of type rules.k8sYamlMetadata")),
    }
    Ok(Some(head))
}

fn mismatch(node: &Node, wanted: &str) -> String {
    format!("error unmarshaling JSON: while decoding JSON: json: cannot unmarshal {} into Go {wanted}", node.json_kind())
}

fn text(node: &Node, key: &str, of: &str) -> Result<String, String> {
    match folded(node, key) {
        None | Some(Node::Null) => Ok(String::new()),
        Some(value) => value.to_text().ok_or_else(|| mismatch(value, &format!("struct field {of}.{key} of type string"))),
    }
}

/// A key as Go's JSON finds it: by its letters, else whatever their case.
fn folded<'a>(node: &'a Node, key: &str) -> Option<&'a Node> {
    let Node::Map(entries) = node else { return None };
    node.get(key).or_else(|| entries.iter().find(|(name, _)| name.eq_ignore_ascii_case(key)).map(|(_, value)| value))
}

fn bad_name(head: &Head) -> Option<String> {
    let problems = names::problems(&head.kind, &head.name);
    let name = quote(&head.name);
    let told: Vec<String> = problems.iter().map(|problem| format!("metadata.name: Invalid value: {name}: {problem}")).collect();
    let told = match told.as_slice() {
        [] => return None,
        [one] => one.clone(),
        several => format!("[{}]", several.join(", ")),
    };
    Some(format!("object name does not conform to Kubernetes naming requirements: {name}: {told}"))
}

fn no_selector(head: &Head, text: &str) -> Option<String> {
    let wants = ["Deployment", "ReplicaSet", "DaemonSet", "StatefulSet"].contains(&head.kind.as_str());
    let has = text.contains("matchLabels") || text.contains("matchExpressions");
    (wants && !has).then(|| format!("a {} must contain matchLabels or matchExpressions, and {} does not", head.kind, quote(&head.name)))
}

fn policy_in_list(head: &Head, text: &str) -> Option<String> {
    if head.kind != "List" {
        return None;
    }
    let node = match yaml::parse(text.as_bytes()) {
        Ok(node) => node,
        Err(error) => return Some(format!("unable to parse YAML: {error}")),
    };
    let Some(Node::List(items)) = folded(&node, "Items") else { return None };
    let marked = items.iter().any(|item| {
        let annotations = folded(item, "Metadata").and_then(|metadata| folded(metadata, "Annotations"));
        annotations.is_some_and(|annotations| annotations.get("helm.sh/resource-policy").is_some())
    });
    marked.then(|| "Annotation 'helm.sh/resource-policy' within List objects are ignored".to_owned())
}
