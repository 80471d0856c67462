//! What the server says of itself: its version, groups and kinds.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::kinds::{self, Kind};
use super::route::Request;
use super::status::{Outcome, Refusal};
use crate::sandbox::world::Tx;

/// The version of the server, which is that of the OpenAPI documents its types are from.
const VERSION: (&str, &str, &str) = ("1", "36", "v1.36.3");

/// A document about the server. None: there is no such path.
pub(super) fn about(tx: &Tx<'_>, path: &[String]) -> Outcome<Option<Value>> {
    let path: Vec<&str> = path.iter().map(String::as_str).collect();
    Ok(match path.as_slice() {
        ["version"] => {
            let (major, minor, full) = VERSION;
            Some(json!({
                "major": major, "minor": minor, "gitVersion": full, "gitCommit": "", "gitTreeState": "", "buildDate": "1970-01-01T00:00:00Z",
                "goVersion": "", "compiler": "", "platform": "sandbox",
            }))
        }
        ["readyz" | "livez" | "healthz"] => Some(Value::String("ok".to_owned())),
        ["api"] => {
            let addresses = json!([{"clientCIDR": "0.0.0.0/0", "serverAddress": "sandbox:443"}]);
            Some(json!({"kind": "APIVersions", "versions": ["v1"], "serverAddressByClientCIDRs": addresses}))
        }
        ["apis"] => Some(json!({"kind": "APIGroupList", "apiVersion": "v1", "groups": groups(tx)})),
        ["api", version] => resources(tx, "", version)?,
        ["apis", group] => groups(tx).into_iter().find(|found| found["name"] == **group).map(|mut found| {
            found["kind"] = json!("APIGroup");
            found["apiVersion"] = json!("v1");
            found
        }),
        ["apis", group, version] => resources(tx, group, version)?,
        _ => None,
    })
}

/// The media type of aggregated discovery.
pub(super) const AGGREGATED: &str = "application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList";

/// Whether all groups of a root are asked for at once (Kubernetes API concepts, "Aggregated discovery").
pub(super) fn is_aggregated(request: &Request) -> bool {
    let first = request.accept.split(',').next().unwrap_or_default().replace(' ', "");
    matches!(request.path.as_slice(), [root] if root == "api" || root == "apis") && first == AGGREGATED
}

/// A group, and the kinds of each of its versions.
type Group = (String, Vec<(String, Vec<Value>)>);

/// All groups of a root with their versions and kinds.
pub(super) fn aggregated(tx: &Tx<'_>, is_core: bool) -> Value {
    let mut groups: Vec<Group> = Vec::new();
    for kind in kinds::all(tx).into_iter().filter(|kind| kind.group.is_empty() == is_core) {
        let scope = if kind.namespaced { "Namespaced" } else { "Cluster" };
        let mut resource = json!({
            "resource": kind.plural, "responseKind": {"group": "", "version": "", "kind": kind.kind}, "scope": scope,
            "singularResource": kind.singular, "verbs": kind.verbs(),
        });
        if !kind.short.is_empty() {
            resource["shortNames"] = json!(kind.short);
        }
        if kind.has_status {
            let part = json!({"subresource": "status", "responseKind": {"group": "", "version": "", "kind": kind.kind}, "verbs": ["get", "patch", "update"]});
            resource["subresources"] = json!([part]);
        }
        let at = groups.iter().position(|(group, _)| *group == kind.group).unwrap_or_else(|| {
            groups.push((kind.group.clone(), Vec::new()));
            groups.len() - 1
        });
        let versions = &mut groups[at].1;
        match versions.iter_mut().find(|(version, _)| *version == kind.version) {
            Some((_, resources)) => resources.push(resource),
            None => versions.push((kind.version.clone(), vec![resource])),
        }
    }
    let items: Vec<Value> = groups
        .into_iter()
        .map(|(group, versions)| {
            let versions: Vec<Value> = versions
                .into_iter()
                .map(|(version, resources)| json!({"version": version, "resources": resources, "freshness": "Current"}))
                .collect();
            let metadata =
                if group.is_empty() { json!({"creationTimestamp": null}) } else { json!({"name": group, "creationTimestamp": null}) };
            json!({"metadata": metadata, "versions": versions})
        })
        .collect();
    json!({"kind": "APIGroupDiscoveryList", "apiVersion": "apidiscovery.k8s.io/v2", "metadata": {}, "items": items})
}

fn groups(tx: &Tx<'_>) -> Vec<Value> {
    let mut groups: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for kind in kinds::all(tx).into_iter().filter(|kind| !kind.group.is_empty()) {
        let versions = groups.entry(kind.group).or_default();
        if !versions.contains(&kind.version) {
            versions.push(kind.version);
        }
    }
    let group = |(name, versions): (String, Vec<String>)| {
        let versions: Vec<Value> =
            versions.iter().map(|version| json!({"groupVersion": format!("{name}/{version}"), "version": version})).collect();
        json!({"name": name, "versions": versions, "preferredVersion": versions.first()})
    };
    groups.into_iter().map(group).collect()
}

fn resources(tx: &Tx<'_>, group: &str, version: &str) -> Outcome<Option<Value>> {
    let kinds: Vec<Kind> =
        kinds::all(tx).into_iter().filter(|kind| (kind.group.as_str(), kind.version.as_str()) == (group, version)).collect();
    if kinds.is_empty() {
        return if group.is_empty() { Err(Refusal::no_resource().into()) } else { Ok(None) };
    }
    let mut resources = Vec::new();
    for kind in kinds {
        let mut resource = json!({
            "name": kind.plural, "singularName": kind.singular, "namespaced": kind.namespaced, "kind": kind.kind, "verbs": kind.verbs(),
        });
        if !kind.short.is_empty() {
            resource["shortNames"] = json!(kind.short);
        }
        let part = |name: &str, verbs: &[&str]| json!({"name": format!("{}/{name}", kind.plural), "singularName": "", "namespaced": kind.namespaced, "kind": kind.kind, "verbs": verbs});
        resources.push(resource);
        if kind.is_core("namespaces") {
            resources.push(part("finalize", &["update"]));
        }
        if kind.has_status {
            resources.push(part("status", &["get", "patch", "update"]));
        }
    }
    let group_version = if group.is_empty() { version.to_owned() } else { format!("{group}/{version}") };
    Ok(Some(json!({"kind": "APIResourceList", "apiVersion": "v1", "groupVersion": group_version, "resources": resources})))
}
