//! Objects of `manifests:` and of charts with the edges that follow from what objects say of one another.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use serde_json::{Map, Value, json};

use super::references::{references, serves};
use super::{phases, webhooks};
use crate::addr::Addr;
use crate::diag::{Diagnostic, Diagnostics, Place, nearest};
use crate::fields::FieldPath;
use crate::fields::structural::{self, Problem, What};
use crate::render::Manifest;
use crate::resource::hole::Hole;
use crate::resource::kinds::{built_in, split_api_version};
use crate::resource::manifest::{ANNOTATION_PROTECT, Hook, ManifestSpec, Rules, open_webhooks};
use crate::resource::object::ObjectSpec;
use crate::resource::{Milestone, Resource, Spec};
use crate::stack::Stack;
use crate::stack::charts::Release;
use crate::stack::manifests::{Force, ManifestRule};

/// A kind that a CustomResourceDefinition of the stack brings.
struct Custom {
    plural: String,
    namespaced: bool,
    definition: Addr,
    /// The versions that it serves, with their schemas; left out where the stack has no object of the kind.
    versions: BTreeMap<String, Option<Value>>,
}

/// The resources of the manifests. `others` are all that the stack has besides: manifests may refer to them.
pub(super) fn compose(stack: &Stack, manifests: Vec<Manifest>, others: &[Resource], diags: &mut Diagnostics) -> Vec<Resource> {
    let custom = custom_kinds(&manifests);
    let releases = stack.releases();
    let helms: BTreeMap<&str, &Release> =
        releases.iter().filter(|release| release.adoptable).map(|release| (release.section.as_str(), release)).collect();
    let mut rules: BTreeMap<String, &[ManifestRule]> =
        stack.manifests.iter().map(|(key, set)| (format!("manifests.{key}"), set.rules.as_slice())).collect();
    rules.extend(releases.iter().map(|release| (release.section.clone(), release.rules.as_slice())));
    let sets: Vec<String> = manifests.iter().map(|manifest| manifest.set.clone()).collect();
    let made = manifests.into_iter().zip(sets).filter_map(|(mut manifest, set)| {
        let rules = rules.get(&set).copied().unwrap_or_default();
        let helms = helms.get(set.as_str());
        for (key, value) in helms.into_iter().flat_map(|release| release.marks()) {
            annotate(&mut manifest.body, key, value);
        }
        let mut made = resource(rules, manifest, &custom, diags)?;
        if let Spec::Manifest(spec) = &mut made.spec {
            spec.rules.adoptable = helms.is_some();
        }
        Some((set, made))
    });
    let (sets, mut resources): (Vec<String>, Vec<Resource>) = made.unzip();
    mark_delete_hooks(&mut resources);
    let known: BTreeSet<Addr> = resources.iter().chain(others).map(|resource| resource.addr.clone()).collect();
    let services = serves(&resources);
    for resource in &mut resources {
        let Spec::Manifest(spec) = &resource.spec else { continue };
        let mut edges: BTreeMap<Addr, Milestone> = resource.needs.drain(..).collect();
        let mut add = |addr: Addr, milestone: Milestone| {
            if addr != resource.addr && known.contains(&addr) {
                let point = edges.entry(addr).or_insert(milestone);
                *point = (*point).max(milestone);
            }
        };
        if let Some(namespace) = &spec.object.namespace {
            add(Addr::namespace(namespace), Milestone::Ready);
        }
        if let Some(custom) = custom.get(&kind_of(&spec.object.api_version, &spec.object.kind)) {
            add(custom.definition.clone(), Milestone::Ready);
        }
        for (source, _) in spec.holes.iter().flat_map(Hole::sources) {
            add(source.clone(), Milestone::Ready);
        }
        // A hook has what it needs when it runs, or it fails: what it names may well wait for it.
        for reference in if spec.hook.is_some() { Vec::new() } else { references(spec) } {
            // What a webhook or an API stands on must answer before the server asks it.
            let milestone = if reference.must_answer { Milestone::Ready } else { Milestone::Created };
            if reference.must_answer {
                for workload in services.get(&reference.addr).into_iter().flatten() {
                    add(workload.clone(), Milestone::Ready);
                }
            }
            add(reference.addr, milestone);
        }
        resource.needs = edges.into_iter().collect();
    }
    phases::order(&releases, &sets, &mut resources);
    webhooks::barriers(&mut resources, others);
    resources
}

/// What is remembered of a release says that hooks run when it goes: then they are not in sight any more.
fn mark_delete_hooks(resources: &mut [Resource]) {
    let specs = || resources.iter().filter_map(|resource| if let Spec::Manifest(spec) = &resource.spec { Some(spec) } else { None });
    let of_deletion = specs().filter(|spec| spec.hook.as_ref().is_some_and(Hook::is_of_deletion));
    let releases: BTreeSet<String> = of_deletion.filter_map(|spec| spec.release.clone()).collect();
    for resource in resources {
        if let Spec::Manifest(spec) = &mut resource.spec {
            spec.has_delete_hooks = spec.release.as_ref().is_some_and(|release| releases.contains(release));
        }
    }
}

fn kind_of(api_version: &str, kind: &str) -> (String, String) {
    (split_api_version(api_version).0.to_owned(), kind.to_owned())
}

fn custom_kinds(manifests: &[Manifest]) -> BTreeMap<(String, String), Custom> {
    let used: BTreeSet<(&str, &str)> = manifests.iter().map(|one| (split_api_version(&one.api_version).0, one.kind.as_str())).collect();
    let mut kinds = BTreeMap::new();
    for manifest in manifests.iter().filter(|one| one.kind == "CustomResourceDefinition") {
        let text = |pointer: &str| manifest.body.pointer(pointer).and_then(Value::as_str).map(str::to_owned);
        let (Some(group), Some(kind), Some(plural)) = (text("/spec/group"), text("/spec/names/kind"), text("/spec/names/plural")) else {
            continue;
        };
        let definition = addr(&manifest.api_version, &manifest.kind, None, &manifest.name);
        let namespaced = text("/spec/scope").as_deref() == Some("Namespaced");
        let versions = if used.contains(&(&*group, &*kind)) { versions(&manifest.body) } else { BTreeMap::new() };
        kinds.insert((group, kind), Custom { plural, namespaced, definition, versions });
    }
    kinds
}

fn versions(definition: &Value) -> BTreeMap<String, Option<Value>> {
    let listed = definition.pointer("/spec/versions").and_then(Value::as_array).into_iter().flatten();
    let served = listed.filter(|version| version.get("served") == Some(&Value::Bool(true)));
    served
        .filter_map(|version| Some((version.get("name")?.as_str()?.to_owned(), version.pointer("/schema/openAPIV3Schema").cloned())))
        .collect()
}

/// Holds an object against the definition that the stack brings for its kind: what the API server would refuse later is told now.
fn against_definition(own: &Custom, addr: &Addr, api_version: &str, body: &Value, place: &Place, diags: &mut Diagnostics) {
    let version = split_api_version(api_version).1;
    let Some(schema) = own.versions.get(version) else {
        let served: Vec<&str> = own.versions.keys().map(String::as_str).collect();
        let detail = format!("`{addr}` is of version {version}, which `{}` doesn't serve", own.definition);
        let help = if served.is_empty() { "it serves none".to_owned() } else { format!("it serves {}", served.join(", ")) };
        diags.push(Diagnostic::error("manifest/schema", "object that its definition doesn't take", detail).at(place).help(help));
        return;
    };
    let Some(schema) = schema else { return };
    for Problem { path, value, what } in structural::problems(schema, body).into_iter().take(MOST_PROBLEMS) {
        let found = structural::name_of_type(&value);
        let (says, help) = match what {
            What::Type(wanted) => (format!("is to be of type {wanted}, and is of type {found}"), String::new()),
            What::Required => ("is missing".to_owned(), String::new()),
            What::Unsupported(allowed) => {
                ("has a value that isn't among those allowed".to_owned(), format!("allowed: {}", allowed.join(", ")))
            }
            What::Rule(rule) => (format!("should {rule}"), String::new()),
            What::Unknown(known) => {
                let name = path.rsplit('.').next().unwrap_or_default();
                let near = nearest(name, known.iter().map(String::as_str)).map(|near| format!("did you mean `{near}`?"));
                ("is no field of its kind".to_owned(), near.unwrap_or_default())
            }
        };
        let detail = format!("`{path}` of `{addr}` {says}: so says `{}`", own.definition);
        let error = Diagnostic::error("manifest/schema", "object that its definition doesn't take", detail).at(place);
        diags.push(if help.is_empty() { error } else { error.help(help) });
    }
}

/// The most problems that are told of one object.
const MOST_PROBLEMS: usize = 10;

/// The address of an object.
pub(super) fn addr(api_version: &str, kind: &str, namespace: Option<&str>, name: &str) -> Addr {
    let (group, _) = split_api_version(api_version);
    Addr::Kube { kind: kind.to_ascii_lowercase(), group: group.to_owned(), namespace: namespace.map(str::to_owned), name: name.to_owned() }
}

fn resource(
    rules_of_set: &[ManifestRule],
    manifest: Manifest,
    custom: &BTreeMap<(String, String), Custom>,
    diags: &mut Diagnostics,
) -> Option<Resource> {
    let Manifest { set, api_version, kind, namespace, name, mut body, data, hook, generated, holes, place } = manifest;
    let own = custom.get(&kind_of(&api_version, &kind));
    let namespaced = built_in(split_api_version(&api_version).0, &kind).map(|kind| kind.namespaced).or(own.map(|own| own.namespaced));
    // Of a kind that neither Kubernetes nor the stack defines, what is said decides; the cluster is asked when it is planned.
    let namespace = namespace.filter(|_| namespaced != Some(false));
    if namespaced == Some(true) && namespace.is_none() {
        let detail = format!("{kind} `{name}` names no namespace, and its set gives none");
        let help = format!("add `metadata.namespace` there, or `namespace:` to `{set}`");
        diags.push(Diagnostic::error("manifest/no-namespace", "no namespace", detail).at(&place).help(help));
        return None;
    }
    let addr = addr(&api_version, &kind, namespace.as_deref(), &name);
    if let Some(own) = own {
        against_definition(own, &addr, &api_version, &body, &place, diags);
    }
    let mut rules = Rules::default();
    let (mut adopt, mut force, mut needs) = (None, false, BTreeMap::new());
    for rule in rules_of_set.iter().filter(|rule| rule.of.matches(&addr)) {
        adopt = rule.adopt.or(adopt);
        rules.protect = rule.protect.unwrap_or(rules.protect);
        rules.replace = rule.replace.unwrap_or(rules.replace);
        rules.ignore.extend(rule.ignore.iter().cloned());
        match &rule.force {
            Some(Force::All(all)) => force = *all,
            Some(Force::Paths(paths)) => rules.force.extend(paths.iter().cloned()),
            None => {}
        }
        needs.extend(rule.needs.iter().filter(|(needed, _)| *needed != addr).map(|(needed, _)| (needed.clone(), Milestone::Ready)));
    }
    tidy(&mut rules.ignore);
    tidy(&mut rules.force);
    open_webhooks(&kind, &mut body);
    if rules.protect {
        annotate(&mut body, ANNOTATION_PROTECT, "true");
    }
    let plural = built_in(split_api_version(&api_version).0, &kind).map(|kind| kind.plural.to_owned());
    let plural = plural.or_else(|| own.map(|own| own.plural.clone())).unwrap_or_default();
    let release = (set.starts_with("charts.") || set.starts_with("istio.")).then_some(set);
    let object = ObjectSpec { api_version, kind, plural, namespace, name, body: Arc::new(body), certificate: None };
    Some(Resource {
        addr,
        spec: Spec::Manifest(Box::new(ManifestSpec {
            object,
            data,
            rules,
            release,
            has_delete_hooks: false,
            hook,
            generated,
            has_own_definition: own.is_some(),
            holes,
            balancer: None,
        })),
        adopt,
        force,
        needs: needs.into_iter().collect(),
        ready_needs: Vec::new(),
        place,
    })
}

fn tidy(paths: &mut Vec<FieldPath>) {
    paths.sort();
    paths.dedup();
}

fn annotate(body: &mut Value, key: &str, value: &str) {
    let Value::Object(body) = body else { return };
    let metadata = body.entry("metadata").or_insert_with(|| json!({}));
    let Value::Object(metadata) = metadata else { return };
    if let Value::Object(annotations) = metadata.entry("annotations").or_insert_with(|| Value::Object(Map::new())) {
        annotations.insert(key.to_owned(), json!(value));
    }
}
