//! `namespaces:`, and labels and annotations wherever they stand.

use std::collections::BTreeMap;

use super::syntax;
use crate::diag::shown;
use crate::stack::istio::{INJECTION_LABEL as INJECTION, REVISION_LABEL as REVISION};
use crate::stack::origin::join;
use crate::stack::parse::{Fields, Reader};
use crate::stack::{Injection, Namespace, schema};

/// Reads `namespaces:`.
pub(super) fn namespaces(reader: &mut Reader<'_>, stack: &Fields<'_>) -> BTreeMap<String, Namespace> {
    let Some(entry) = stack.get("namespaces") else { return BTreeMap::new() };
    let mut namespaces = BTreeMap::new();
    let entries = reader.named(&entry.value, "namespaces");
    for entry in entries {
        let path = join("namespaces", &entry.key);
        if let Err(why) = syntax::dns_label(&entry.key) {
            let detail = format!("{} {why}", shown(&entry.key));
            reader.error("kubernetes/name", "bad Kubernetes name", detail, &entry.key_place, "");
        }
        let Some(fields) = reader.fields(&entry.value, &path, &schema::NAMESPACE) else { continue };
        let injection = injection(reader, &fields);
        let namespace = Namespace {
            revision: revision(reader, &fields),
            labels: labels(reader, &fields, &[INJECTION, REVISION, "kubernetes.io/metadata.name"]),
            annotations: annotations(reader, &fields),
            adopt: reader.boolean(&fields, "adopt").unwrap_or(false),
            force: reader.boolean(&fields, "force").unwrap_or(false),
            place: entry.key_place.clone(),
            injection,
        };
        namespaces.insert(entry.key.clone(), namespace);
    }
    if let (Some(entry), None) = (entries.first(), stack.get("cluster")) {
        let detail = format!("{} has no cluster to be in", shown(&entry.key));
        reader.error(
            "kubernetes/no-cluster",
            "no cluster",
            detail,
            &entry.key_place,
            "add `cluster: {eks: <name>}` or `cluster: {context: <name>}`",
        );
    }
    namespaces
}

fn injection(reader: &mut Reader<'_>, fields: &Fields<'_>) -> Option<Injection> {
    let injection = reader.string_of(fields, "injection")?;
    if let Some(revision) = fields.get("revision") {
        let detail = "`injection` and `revision` on one namespace: IST0123, and `injection` wins in the cluster";
        reader.error("kubernetes/injection", "both injection labels", detail, &revision.key_place, "keep one of the two");
    }
    match injection.text.as_str() {
        "enabled" => Some(Injection::Enabled),
        "disabled" => Some(Injection::Disabled),
        other => {
            let detail = format!("`{}` is `enabled` or `disabled`, and this is {}", fields.at("injection"), shown(other));
            let help = match other {
                "true" | "yes" | "on" => "write `enabled`",
                "false" | "no" | "off" => "write `disabled`",
                _ => "",
            };
            reader.error("stack/bad-value", "value not allowed", detail, &injection.place, help);
            None
        }
    }
}

fn revision(reader: &mut Reader<'_>, fields: &Fields<'_>) -> Option<String> {
    let revision = reader.string_of(fields, "revision")?;
    if let Err(why) = syntax::dns_label(&revision.text) {
        let detail = format!("the revision {} {why}", shown(&revision.text));
        reader.error("kubernetes/label", "bad label", detail, &revision.place, "write a revision like `1-31-0`, or a tag like `prod`");
    }
    Some(revision.text)
}

/// Labels of a section; `own` are keys that have settings of their own.
pub(super) fn labels(reader: &mut Reader<'_>, fields: &Fields<'_>, own: &[&str]) -> BTreeMap<String, String> {
    let mut labels = BTreeMap::new();
    for (key, (value, place)) in reader.strings(fields, "labels") {
        if let Err(why) = syntax::qualified_name(&key) {
            reader.error("kubernetes/label", "bad label", format!("the key {} {why}", shown(&key)), place, "");
        } else if key.starts_with("meshform.dev/") || key == "app.kubernetes.io/managed-by" {
            let detail = format!("{} is set by meshform itself", shown(&key));
            reader.error("kubernetes/reserved", "reserved label", detail, place, "remove it");
        } else if own.contains(&key.as_str()) {
            let help = match key.as_str() {
                INJECTION => "use `injection: enabled`",
                REVISION => "use `revision: <name>`",
                _ => "remove it: the cluster sets it",
            };
            reader.error("kubernetes/reserved", "reserved label", format!("{} is not set as a label here", shown(&key)), place, help);
        }
        if let Err(why) = syntax::label_value(&value.text) {
            reader.error("kubernetes/label", "bad label", format!("the value {} {why}", shown(&value.text)), &value.place, "");
        }
        labels.insert(key, value.text);
    }
    labels
}

/// Annotations of a section.
pub(super) fn annotations(reader: &mut Reader<'_>, fields: &Fields<'_>) -> BTreeMap<String, String> {
    let mut annotations = BTreeMap::new();
    for (key, (value, place)) in reader.strings(fields, "annotations") {
        // The API server lower-cases the key before it checks it.
        if let Err(why) = syntax::qualified_name(&key.to_ascii_lowercase()) {
            reader.error("kubernetes/annotation", "bad annotation", format!("the key {} {why}", shown(&key)), place, "");
        } else if key.starts_with("meshform.dev/") {
            let detail = format!("{} is set by meshform itself", shown(&key));
            reader.error("kubernetes/reserved", "reserved annotation", detail, place, "remove it");
        }
        annotations.insert(key, value.text);
    }
    let size: usize = annotations.iter().map(|(key, value)| key.len() + value.len()).sum();
    if let Some(entry) = fields.get("annotations").filter(|_| size > 256 * 1024) {
        let detail = format!("{size} bytes of annotations; Kubernetes takes 262,144");
        reader.error("kubernetes/annotation", "bad annotation", detail, &entry.key_place, "");
    }
    annotations
}
