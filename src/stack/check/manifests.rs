//! `manifests:`

use std::collections::BTreeMap;
use std::path::Path;

use serde_json::{Map, Value as Json};

use super::syntax;
use crate::addr::Addr;
use crate::diag::{Place, shown};
use crate::fields::FieldPath;
use crate::input::{Node, Style, Value};
use crate::stack::manifests::{AddrPattern, Force, ManifestRule, ManifestSet, ManifestSource, TemplateUse};
use crate::stack::origin::join;
use crate::stack::parse::{Fields, Reader, Spanned};
use crate::stack::{scalar, schema};

const RULE_KEYS: [&str; 6] = ["adopt", "ignore", "force", "protect", "replace", "needs"];

/// Reads `manifests:`.
pub(super) fn manifests(reader: &mut Reader<'_>, stack: &Fields<'_>) -> BTreeMap<String, ManifestSet> {
    let Some(entry) = stack.get("manifests") else { return BTreeMap::new() };
    let mut sets = BTreeMap::new();
    for entry in reader.named(&entry.value, "manifests") {
        let path = join("manifests", &entry.key);
        let Some(fields) = reader.fields(&entry.value, &path, &schema::MANIFESTS) else { continue };
        let namespace = reader.string_of(&fields, "namespace");
        if let Some(namespace) = &namespace
            && let Err(why) = syntax::dns_label(&namespace.text)
        {
            reader.error("kubernetes/name", "bad Kubernetes name", format!("{} {why}", shown(&namespace.text)), &namespace.place, "");
        }
        let mut sources = files(reader, &fields);
        sources.extend(templates(reader, &fields));
        sources.extend(objects(reader, &fields));
        if sources.is_empty() && ["files", "objects", "templates"].iter().all(|key| fields.get(key).is_none()) {
            let help = "add `files: [<path>]`, `objects: [{…}]` or `templates: [{template: <name>}]`";
            reader.error("manifest/no-source", "manifests from nowhere", format!("`{path}` names no objects"), &entry.key_place, help);
        }
        let rules = rules(reader, &fields);
        let set = ManifestSet { sources, namespace: namespace.map(|one| one.text), rules, place: entry.key_place.clone() };
        sets.insert(entry.key.clone(), set);
    }
    if let (Some(entry), None) = (stack.get("manifests").filter(|_| !sets.is_empty()), stack.get("cluster")) {
        let help = "add `cluster: {eks: <name>}` or `cluster: {context: <name>}`";
        reader.error("kubernetes/no-cluster", "no cluster", "`manifests` have no cluster to be in", &entry.key_place, help);
    }
    sets
}

/// One text, or a list of them.
pub(super) fn texts(reader: &mut Reader<'_>, fields: &Fields<'_>, key: &str) -> Vec<Spanned> {
    let Some(node) = fields.value(key) else { return Vec::new() };
    let path = fields.at(key);
    if node.text().is_some() {
        return reader.string(node, &path).into_iter().collect();
    }
    reader.list(node, &path).iter().filter_map(|item| reader.string(item, &path)).collect()
}

fn files(reader: &mut Reader<'_>, fields: &Fields<'_>) -> Vec<ManifestSource> {
    let named = texts(reader, fields, "files").into_iter();
    named.map(|file| ManifestSource::File { path: beside(&file), place: file.place }).collect()
}

/// A path relative to the file that names it, as one relative to the working directory.
pub(super) fn beside(path: &Spanned) -> String {
    let folder = Path::new(&*path.place.file).parent().unwrap_or(Path::new(""));
    folder.join(&path.text).to_string_lossy().into_owned()
}

fn objects(reader: &mut Reader<'_>, fields: &Fields<'_>) -> Vec<ManifestSource> {
    let Some(node) = fields.value("objects") else { return Vec::new() };
    let path = fields.at("objects");
    let items = reader.list(node, &path);
    let mut sources = Vec::new();
    for item in items {
        if item.entries().is_none() {
            let detail = format!("`{path}` holds objects, and this is {}", item.kind());
            reader.error("stack/wrong-type", "value of the wrong type", detail, &item.place, "");
            continue;
        }
        sources.push(ManifestSource::Inline { object: json(item), place: item.place.clone() });
    }
    sources
}

fn templates(reader: &mut Reader<'_>, fields: &Fields<'_>) -> Vec<ManifestSource> {
    let Some(node) = fields.value("templates") else { return Vec::new() };
    let path = fields.at("templates");
    let mut sources = Vec::new();
    for item in reader.list(node, &path) {
        let Some(fields) = reader.fields(item, &path, &schema::TEMPLATE_USE) else { continue };
        let Some(name) = reader.required(&fields, "template", "<name>") else { continue };
        if !name.text.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '-' | '_')) {
            let detail = format!("{} is not the name of a template", shown(&name.text));
            let help = "a name of letters, digits, `-` and `_`: `templates/<name>.yaml` beside the stack, or a built-in one";
            reader.error("template/not-found", "template not found", detail, &name.place, help);
            continue;
        }
        let mut inputs = BTreeMap::new();
        if let Some(node) = fields.value("inputs") {
            let path = fields.at("inputs");
            for entry in reader.named(node, &path) {
                if let Some(value) = input(reader, &entry.value, &join(&path, &entry.key)) {
                    inputs.insert(entry.key.clone(), (value, entry.key_place.clone()));
                }
            }
        }
        let folder = Path::new(&*name.place.file).parent().unwrap_or(Path::new(""));
        let path = folder.join("templates").join(format!("{}.yaml", name.text)).to_string_lossy().into_owned();
        sources.push(ManifestSource::Template(TemplateUse { name: name.text, path, inputs, place: name.place }));
    }
    sources
}

/// A value of any form, such as an input of a template: as kubectl reads it, with variables put into texts.
pub(super) fn input(reader: &mut Reader<'_>, node: &Node, path: &str) -> Option<Json> {
    match &node.value {
        Value::Map(entries) => {
            let entries = entries.iter().map(|entry| Some((entry.key.clone(), input(reader, &entry.value, &join(path, &entry.key))?)));
            entries.collect::<Option<Map<_, _>>>().map(Json::Object)
        }
        Value::List(items) => items.iter().map(|item| input(reader, item, path)).collect::<Option<Vec<_>>>().map(Json::Array),
        Value::Scalar { text, style: Style::Plain } if !text.contains("${") => Some(scalar::resolve(text)),
        Value::Scalar { .. } => reader.any_string(node, path).map(|spanned| Json::String(spanned.text)),
    }
}

/// A node as kubectl reads it: scalars as in YAML 1.1, nothing put in.
fn json(node: &Node) -> Json {
    match &node.value {
        Value::Map(entries) => Json::Object(entries.iter().map(|entry| (entry.key.clone(), json(&entry.value))).collect::<Map<_, _>>()),
        Value::List(items) => Json::Array(items.iter().map(json).collect()),
        Value::Scalar { text, style: Style::Plain } => scalar::resolve(text),
        Value::Scalar { text, .. } => Json::String(text.clone()),
    }
}

/// The rules that a section gives its objects: for all of them, then for some.
pub(super) fn rules(reader: &mut Reader<'_>, fields: &Fields<'_>) -> Vec<ManifestRule> {
    let mut rules: Vec<ManifestRule> = rule(reader, fields, AddrPattern::any()).into_iter().collect();
    rules.extend(some_rules(reader, fields));
    rules
}

fn some_rules(reader: &mut Reader<'_>, fields: &Fields<'_>) -> Vec<ManifestRule> {
    let Some(node) = fields.value("rules") else { return Vec::new() };
    let path = fields.at("rules");
    let mut rules = Vec::new();
    for item in reader.list(node, &path) {
        let Some(fields) = reader.fields(item, &path, &schema::MANIFEST_RULE) else { continue };
        let Some(of) = reader.required(&fields, "for", "deployment.apps/*/<name>") else { continue };
        if let Ok(pattern) = of.text.parse() {
            rules.extend(rule(reader, &fields, pattern));
        } else {
            let detail = format!("{} is no pattern of addresses", shown(&of.text));
            let help = "write it like an address, with `*` for any text: `deployment.apps/*/kiali`, `configmap/prod/*`";
            reader.error("manifest/rule", "bad rule for manifests", detail, &of.place, help);
        }
    }
    rules
}

/// The rule that these keys make; nothing when there are none.
fn rule(reader: &mut Reader<'_>, fields: &Fields<'_>, of: AddrPattern) -> Option<ManifestRule> {
    if RULE_KEYS.iter().all(|key| fields.get(key).is_none()) {
        return None;
    }
    let force = match fields.value("force") {
        Some(node) if node.items().is_some() => Some(Force::Paths(paths(reader, fields, "force"))),
        Some(_) => reader.boolean(fields, "force").map(Force::All),
        None => None,
    };
    Some(ManifestRule {
        of,
        adopt: reader.boolean(fields, "adopt"),
        ignore: paths(reader, fields, "ignore"),
        force,
        protect: reader.boolean(fields, "protect"),
        replace: reader.boolean(fields, "replace"),
        needs: needs(reader, fields),
        place: fields.place.clone(),
    })
}

fn paths(reader: &mut Reader<'_>, fields: &Fields<'_>, key: &str) -> Vec<FieldPath> {
    let mut paths = Vec::new();
    for text in texts(reader, fields, key) {
        match text.text.parse::<FieldPath>() {
            Ok(path) => paths.push(path),
            Err(error) => {
                let help = "write it like `spec.replicas`, `webhooks[*].failurePolicy` or `metadata.annotations[\"example.com/x\"]`";
                reader.error("manifest/rule", "bad rule for manifests", error.to_string(), &text.place, help);
            }
        }
    }
    paths
}

fn needs(reader: &mut Reader<'_>, fields: &Fields<'_>) -> Vec<(Addr, Place)> {
    let mut needs = Vec::new();
    for text in texts(reader, fields, "needs") {
        match text.text.parse::<Addr>() {
            Ok(addr) => needs.push((addr, text.place)),
            Err(error) => reader.error("manifest/rule", "bad rule for manifests", error.to_string(), &text.place, "see `meshform graph`"),
        }
    }
    needs
}
