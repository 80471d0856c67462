//! What the server says of itself: its version, groups and kinds.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::kinds::{self, Kind};
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
