//! `istio:`

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Map, Value as Json};

use super::charts::{is_folder, name_of, release_name, values, values_files, version};
use super::manifests::{beside, rules};
use super::syntax;
use crate::diag::shown;
use crate::stack::istio::{Batch, Component, INGRESS, Ingress, Istio, OFFICIAL, Revision, SYSTEM};
use crate::stack::origin::join;
use crate::stack::parse::{Fields, Reader, Spanned};
use crate::stack::schema;

/// Reads `istio:`.
pub(super) fn istio(reader: &mut Reader<'_>, stack: &Fields<'_>) -> Option<Istio> {
    let entry = stack.get("istio")?;
    let fields = reader.fields(&entry.value, "istio", &schema::ISTIO)?;
    reader.required(&fields, "version", "1.31.0");
    let version = version(reader, &fields);
    let source = reader.string_of(&fields, "source");
    let source = source.map(|source| if is_folder(&source.text) { beside(&source) } else { source.text.trim_end_matches('/').to_owned() });
    let revision = name_of(reader, &fields, "revision").unwrap_or_default();
    let istio = Istio {
        version: version.unwrap_or_default(),
        source: source.unwrap_or_else(|| OFFICIAL.to_owned()),
        namespace: name_of(reader, &fields, "namespace").unwrap_or_else(|| SYSTEM.to_owned()),
        profile: profile(reader, &fields),
        tags: tags(reader, &fields),
        default_revision: name_of(reader, &fields, "default_revision"),
        revisions: revisions(reader, &fields),
        base: component(reader, &fields, "base").unwrap_or_else(nothing),
        istiod: component(reader, &fields, "istiod").unwrap_or_else(nothing),
        cni: component(reader, &fields, "cni"),
        ztunnel: component(reader, &fields, "ztunnel"),
        ingress: ingress(reader, &fields),
        batches: batches(reader, &fields),
        adoptable: reader.boolean(&fields, "adoptable").unwrap_or(false),
        rules: rules(reader, &fields),
        place: entry.key_place.clone(),
        revision,
    };
    against_each_other(reader, &istio);
    Some(istio)
}

/// A key that stands there without a value asks for the chart as well.
fn component(reader: &mut Reader<'_>, istio: &Fields<'_>, key: &str) -> Option<Component> {
    let entry = istio.get(key)?;
    let fields = reader.fields(&entry.value, &istio.at(key), &schema::COMPONENT)?;
    Some(Component {
        version: version(reader, &fields),
        namespace: name_of(reader, &fields, "namespace"),
        values: values(reader, &fields),
        values_files: values_files(reader, &fields),
        place: Some(entry.key_place.clone()),
    })
}

fn nothing() -> Component {
    Component { values: Json::Object(Map::new()), ..Component::default() }
}

fn profile(reader: &mut Reader<'_>, fields: &Fields<'_>) -> Option<String> {
    let profile = reader.string_of(fields, "profile")?;
    // It is a part of a file's name in the charts: files/profile-<name>.yaml.
    if !profile.text.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-') {
        let detail = format!("{} is no profile of Istio's charts", shown(&profile.text));
        reader.error("istio/profile", "bad profile", detail, &profile.place, "such as `ambient`, `demo`, `preview` or `remote`");
    }
    Some(profile.text)
}

fn tags(reader: &mut Reader<'_>, fields: &Fields<'_>) -> Vec<String> {
    let Some(node) = fields.value("tags") else { return Vec::new() };
    let path = fields.at("tags");
    let mut tags = Vec::new();
    for item in reader.list(node, &path) {
        let Some(tag) = reader.string(item, &path) else { continue };
        if let Err(why) = syntax::dns_label(&tag.text) {
            reader.error("kubernetes/name", "bad Kubernetes name", format!("{} {why}", shown(&tag.text)), &tag.place, "");
        }
        tags.push(tag.text);
    }
    tags
}

fn revisions(reader: &mut Reader<'_>, istio: &Fields<'_>) -> BTreeMap<String, Revision> {
    let mut revisions = BTreeMap::new();
    let Some(node) = istio.value("revisions") else { return revisions };
    let path = istio.at("revisions");
    for entry in reader.named(node, &path) {
        if let Err(why) = syntax::dns_label(&entry.key) {
            let help = "a revision is part of names: write 1-31-0 for version 1.31.0";
            reader.error("kubernetes/name", "bad Kubernetes name", format!("{} {why}", shown(&entry.key)), &entry.key_place, help);
        }
        let Some(fields) = reader.fields(&entry.value, &join(&path, &entry.key), &schema::REVISION) else { continue };
        reader.required(&fields, "version", "1.32.0");
        let revision = Revision {
            version: version(reader, &fields).unwrap_or_default(),
            tags: tags(reader, &fields),
            values: values(reader, &fields),
            values_files: values_files(reader, &fields),
            place: entry.key_place.clone(),
        };
        revisions.insert(entry.key.clone(), revision);
    }
    revisions
}

fn ingress(reader: &mut Reader<'_>, istio: &Fields<'_>) -> BTreeMap<String, Ingress> {
    let mut all = BTreeMap::new();
    let Some(node) = istio.value("ingress") else { return all };
    let path = istio.at("ingress");
    for entry in reader.named(node, &path) {
        let Some(fields) = reader.fields(&entry.value, &join(&path, &entry.key), &schema::INGRESS) else { continue };
        let name = name_of(reader, &fields, "name").unwrap_or_else(|| entry.key.clone());
        release_name(reader, &name, &entry.key_place);
        let ingress = Ingress {
            namespace: name_of(reader, &fields, "namespace").unwrap_or_else(|| INGRESS.to_owned()),
            name,
            service: service(reader, &fields).unwrap_or_else(|| "NodePort".to_owned()),
            revision: name_of(reader, &fields, "revision"),
            version: version(reader, &fields),
            values: values(reader, &fields),
            values_files: values_files(reader, &fields),
            place: entry.key_place.clone(),
        };
        all.insert(entry.key.clone(), ingress);
    }
    all
}

fn batches(reader: &mut Reader<'_>, istio: &Fields<'_>) -> Vec<Batch> {
    let Some(node) = istio.value("batches") else { return Vec::new() };
    let path = istio.at("batches");
    let mut batches = Vec::new();
    let mut seen: BTreeSet<String> = BTreeSet::new();
    for (number, item) in reader.list(node, &path).iter().enumerate() {
        let path = format!("{path}[{number}]");
        let Some(fields) = reader.fields(item, &path, &schema::BATCH) else { continue };
        let restart = reader.boolean(&fields, "restart").unwrap_or(false);
        let mut namespaces = Vec::new();
        if let Some(node) = fields.value("namespaces") {
            let path = fields.at("namespaces");
            for item in reader.list(node, &path) {
                let Some(Spanned { text, place }) = reader.string(item, &path) else { continue };
                if !seen.insert(text.clone()) {
                    let detail = format!("{} is in a batch already", shown(&text));
                    reader.error("istio/batch", "batch that can't be", detail, &place, "a namespace moves once: name it in one batch");
                }
                namespaces.push((text, place));
            }
        }
        if namespaces.is_empty() {
            let help = "add `namespaces: [<name>]`, or remove it";
            reader.error("istio/batch", "batch that can't be", format!("`{path}` names no namespace"), &item.place, help);
        }
        batches.push(Batch { namespaces, restart });
    }
    batches
}

const SERVICES: [&str; 3] = ["NodePort", "LoadBalancer", "ClusterIP"];

fn service(reader: &mut Reader<'_>, fields: &Fields<'_>) -> Option<String> {
    let service = reader.string_of(fields, "service")?;
    if !SERVICES.contains(&service.text.as_str()) {
        let detail = format!("{} is no type of Service", shown(&service.text));
        reader.error("stack/bad-value", "value not allowed", detail, &service.place, "write `NodePort`, `LoadBalancer` or `ClusterIP`");
    }
    Some(service.text)
}

/// Tags and revisions share the names that namespaces choose by.
fn against_each_other(reader: &mut Reader<'_>, istio: &Istio) {
    let mut names: BTreeMap<&str, String> = BTreeMap::new();
    let mut claim = |name, by: String| names.insert(name, by);
    let own =
        if istio.revision.is_empty() { "the control plane without a revision".to_owned() } else { format!("revision {}", istio.revision) };
    let mut twice = Vec::new();
    let revisions = [(istio.revision.as_str(), &istio.tags, &istio.place)];
    let beside = istio.revisions.iter().map(|(name, revision)| (name.as_str(), &revision.tags, &revision.place));
    for (revision, tags, place) in revisions.into_iter().chain(beside) {
        let is_own = std::ptr::eq(tags, &raw const istio.tags);
        let of = if is_own { own.clone() } else { format!("revision {revision}") };
        let all = Some(revision).filter(|name| !name.is_empty()).into_iter().chain(tags.iter().map(String::as_str));
        for name in all {
            if let Some(other) = claim(name, of.clone()) {
                twice.push((format!("`{name}` stands for {of} and for {other}"), place));
            }
        }
    }
    for (detail, place) in twice {
        let help = "a revision or tag is one control plane's: take it from one of the two";
        reader.error("istio/revision", "revision or tag used twice", detail, place, help);
    }
    // What has no revision goes by this name.
    let own = |name: &str| name == "default" && istio.revision.is_empty();
    let known = |name: &str| names.contains_key(name) || own(name);
    let wanted =
        istio.ingress.iter().filter_map(|(key, one)| Some((format!("istio.ingress.{key}.revision"), one.revision.as_ref()?, &one.place)));
    for (path, name, place) in wanted.filter(|(_, name, _)| !known(name)) {
        let detail = format!("`{path}` names {}, which no control plane of the stack is called", shown(name));
        let near = crate::diag::nearest(name, names.keys().copied()).map(|near| format!("did you mean `{near}`?"));
        reader.error(
            "istio/revision",
            "unknown revision or tag",
            detail,
            place,
            near.as_deref().unwrap_or("add it to `istio.revisions` or `tags`"),
        );
    }
    checked(reader, istio);
}

/// What checks Istio's objects is asked by the name of a control plane's own Service, which no tag has (chart base, `istiod-default-validator`).
fn checked(reader: &mut Reader<'_>, istio: &Istio) {
    let revisions: Vec<&str> = [istio.revision.as_str()].into_iter().chain(istio.revisions.keys().map(String::as_str)).collect();
    let known = |name: &str| revisions.contains(&name) || (name == "default" && istio.revision.is_empty());
    let said = istio.default_revision.clone().map(|name| ("istio.default_revision", name, &istio.place));
    // What the values say wins. Without a name base makes no validator.
    let value = istio.base.values.get("defaultRevision").and_then(Json::as_str).filter(|name| !name.is_empty()).map(str::to_owned);
    let value = value.map(|name| ("istio.base.values.defaultRevision", name, istio.base.place.as_ref().unwrap_or(&istio.place)));
    for (path, name, place) in said.into_iter().chain(value).filter(|(_, name, _)| !known(name)) {
        let detail = format!("`{path}` names {}, and no control plane of the stack has that revision", shown(&name));
        let near = crate::diag::nearest(&name, revisions.iter().copied().filter(|name| !name.is_empty()));
        let help = match near {
            Some(near) => format!("did you mean `{near}`?"),
            None => "Istio's objects would be checked by nobody, and then refused: name one of the stack's, or leave it out".to_owned(),
        };
        reader.error("istio/revision", "unknown revision or tag", detail, place, &help);
    }
}
