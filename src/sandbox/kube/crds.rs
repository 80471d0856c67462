//! CustomResourceDefinitions: what they make of themselves, and the kinds they bring once they are established.

use std::sync::Arc;

use jiff::SignedDuration;
use serde_json::{Value, json};

use super::controllers;
use super::kinds::{Kind, built_in};
use super::schema::crd;
use super::status::Cause;
use super::store::{self, child_mut, child_mut_value, metadata_mut};
use crate::sandbox::due::{after, schedule};
use crate::sandbox::error::SandboxError;
use crate::sandbox::world::Tx;

/// The keys of definitions begin with this.
pub(super) const PREFIX: &str = "kube/apiextensions.k8s.io/customresourcedefinitions/";
/// How long the server takes to establish a definition.
const ESTABLISHED_AFTER: SignedDuration = SignedDuration::from_millis(700);
/// How long it takes to remove the objects of one that is going.
const CLEANED_AFTER: SignedDuration = SignedDuration::from_millis(500);
/// What holds a definition until its objects are gone.
const CLEANUP: &str = "customresourcecleanup.apiextensions.k8s.io";

/// The established kinds of a group's plural, in all served versions.
pub(super) fn kinds_of(tx: &Tx<'_>, group: &str, plural: &str) -> Vec<Kind> {
    tx.get(&format!("{PREFIX}{plural}.{group}")).map(kinds).unwrap_or_default()
}

/// The established kinds of all definitions.
pub(super) fn all_kinds(tx: &Tx<'_>) -> Vec<Kind> {
    tx.scan(PREFIX).flat_map(|(_, definition)| kinds(definition)).collect()
}

fn kinds(definition: &Value) -> Vec<Kind> {
    if !is_established(definition) || store::is_going(definition) {
        return Vec::new();
    }
    let text = |pointer: &str| definition.pointer(pointer).and_then(Value::as_str).unwrap_or_default().to_owned();
    let versions = definition.pointer("/spec/versions").and_then(Value::as_array).into_iter().flatten();
    let served = versions.filter(|version| version.get("served").and_then(Value::as_bool) == Some(true));
    let names = |key: &str| {
        let list = definition.pointer(&format!("/status/acceptedNames/{key}")).and_then(Value::as_array);
        list.into_iter().flatten().filter_map(Value::as_str).map(str::to_owned).collect()
    };
    let kinds = served.map(|version| {
        let schema = version.pointer("/schema/openAPIV3Schema");
        let name = version.get("name").and_then(Value::as_str).unwrap_or_default();
        Kind {
            group: text("/spec/group"),
            version: name.to_owned(),
            plural: text("/spec/names/plural"),
            singular: text("/spec/names/singular"),
            kind: text("/spec/names/kind"),
            list_kind: text("/spec/names/listKind"),
            short: names("shortNames"),
            namespaced: text("/spec/scope") == "Namespaced",
            has_status: version.pointer("/subresources/status").is_some(),
            counts: true,
            of: crd::type_of(&text("/spec/names/kind"), schema),
            custom: true,
            schema: schema.cloned().map(Arc::new),
        }
    });
    let mut kinds: Vec<Kind> = kinds.collect();
    kinds.sort_by_key(|kind| std::cmp::Reverse(priority(&kind.version)));
    kinds
}

/// The order of versions: v2, v1, v1beta2, v1alpha1 (k8s.io/apimachinery: `pkg/version`, `CompareKubeAwareVersionStrings`).
fn priority(version: &str) -> (u8, u64, u64) {
    let Some(rest) = version.strip_prefix('v') else { return (0, 0, 0) };
    let digits = rest.find(|c: char| !c.is_ascii_digit()).unwrap_or(rest.len());
    let Ok(major) = rest[..digits].parse() else { return (0, 0, 0) };
    let stage = &rest[digits..];
    let minor = |prefix: &str| stage.strip_prefix(prefix).and_then(|minor| minor.parse().ok());
    match (stage, minor("beta"), minor("alpha")) {
        ("", _, _) => (3, major, 0),
        (_, Some(minor), _) => (2, major, minor),
        (_, _, Some(minor)) => (1, major, minor),
        _ => (0, 0, 0),
    }
}

fn is_established(definition: &Value) -> bool {
    let conditions = definition.pointer("/status/conditions").and_then(Value::as_array);
    conditions.into_iter().flatten().any(|condition| condition["type"] == "Established" && condition["status"] == "True")
}

/// What the server fills in (apiextensions: `SetDefaults_CustomResourceDefinitionSpec`).
pub(super) fn default(definition: &mut Value) {
    let spec = child_mut(child_mut_value(definition), "spec");
    let names = child_mut(spec, "names");
    let kind = names.get("kind").and_then(Value::as_str).unwrap_or_default().to_owned();
    if names.get("singular").and_then(Value::as_str).unwrap_or_default().is_empty() {
        names.insert("singular".to_owned(), json!(kind.to_lowercase()));
    }
    if names.get("listKind").and_then(Value::as_str).unwrap_or_default().is_empty() && !kind.is_empty() {
        names.insert("listKind".to_owned(), json!(format!("{kind}List")));
    }
    if child_mut(spec, "conversion").get("strategy").is_none() {
        child_mut(spec, "conversion").insert("strategy".to_owned(), json!("None"));
    }
}

/// What is wrong with a definition.
pub(super) fn check(definition: &Value, old: Option<&Value>, causes: &mut Vec<Cause>) {
    let text = |pointer: &str| definition.pointer(pointer).and_then(Value::as_str).unwrap_or_default();
    let (plural, group, scope) = (text("/spec/names/plural"), text("/spec/group"), text("/spec/scope"));
    let name = store::meta_text(definition, "name");
    if name != format!("{plural}.{group}") {
        causes.push(Cause::invalid("metadata.name", &json!(name), "must be spec.names.plural+\".\"+spec.group"));
    }
    if built_in(group, plural).is_some() || group.is_empty() {
        causes.push(Cause::invalid("spec.group", &json!(group), "should be a domain with at least one dot"));
    }
    match scope {
        "Namespaced" | "Cluster" => {}
        "" => causes.push(Cause::required("spec.scope", "")),
        other => causes.push(Cause::unsupported("spec.scope", &json!(other), &["Cluster", "Namespaced"])),
    }
    if text("/spec/names/kind").is_empty() {
        causes.push(Cause::required("spec.names.kind", ""));
    }
    if definition.pointer("/spec/conversion/strategy").is_some_and(|strategy| strategy != "None") {
        causes.push(Cause::forbidden("spec.conversion.strategy", "the sandbox converts no versions"));
    }
    let versions = definition.pointer("/spec/versions").and_then(Value::as_array).map_or(&[][..], Vec::as_slice);
    if versions.iter().filter(|version| version["storage"] == true).count() != 1 {
        causes.push(Cause::invalid("spec.versions", &json!([]), "must have exactly one version marked as storage version"));
    }
    for (index, version) in versions.iter().enumerate() {
        if version.pointer("/schema/openAPIV3Schema").is_none() {
            causes.push(Cause::required(format!("spec.versions[{index}].schema.openAPIV3Schema"), "schemas are required"));
        } else if version.pointer("/schema/openAPIV3Schema/type").is_none_or(|of| of != "object") {
            let field = format!("spec.versions[{index}].schema.openAPIV3Schema.type");
            causes.push(Cause::required(field, "must not be empty at the root"));
        }
    }
    let stored = old.and_then(|old| old.pointer("/status/storedVersions")?.as_array()).into_iter().flatten();
    for (index, name) in stored.enumerate().filter(|(_, name)| !versions.iter().any(|version| version["name"] == **name)) {
        let name_text = name.as_str().unwrap_or_default();
        let why = format!(
            "missing from spec.versions; {name_text} was previously a storage version, and must remain in spec.versions until a storage migration \
             ensures no data remains persisted in {name_text} and removes {name_text} from status.storedVersions"
        );
        causes.push(Cause::invalid(format!("status.storedVersions[{index}]"), name, &why));
    }
    if let Some(old) = old.filter(|old| is_established(old)) {
        for (field, pointer) in [
            ("spec.group", "/spec/group"),
            ("spec.scope", "/spec/scope"),
            ("spec.names.plural", "/spec/names/plural"),
            ("spec.names.kind", "/spec/names/kind"),
        ] {
            if old.pointer(pointer) != definition.pointer(pointer) {
                causes.push(Cause::invalid(field, definition.pointer(pointer).unwrap_or(&Value::Null), "field is immutable"));
            }
        }
    }
}

/// Lets the server establish a new definition in a while.
pub(super) fn begin(tx: &mut Tx<'_>, definition: &mut Value, key: &str) -> Result<(), SandboxError> {
    let versions = definition.pointer("/spec/versions").and_then(Value::as_array).into_iter().flatten();
    let stored: Vec<Value> = versions.filter(|version| version["storage"] == true).map(|version| version["name"].clone()).collect();
    let status = child_mut(child_mut_value(definition), "status");
    status.insert("storedVersions".to_owned(), Value::Array(stored));
    schedule(tx, after(tx.now(), ESTABLISHED_AFTER), "kube.establish", key)
}

/// Writes down the version that objects are stored in from now on, beside those that they were stored in before (k8s.io/apiextensions-apiserver:
/// `registry/customresourcedefinition/strategy.go`).
pub(super) fn store_version(definition: &mut Value) {
    let versions = definition.pointer("/spec/versions").and_then(Value::as_array).into_iter().flatten();
    let Some(name) = versions.into_iter().find(|version| version["storage"] == true).map(|version| version["name"].clone()) else { return };
    let status = child_mut(child_mut_value(definition), "status");
    let stored = status.entry("storedVersions").or_insert_with(|| json!([]));
    if let Value::Array(stored) = stored
        && !stored.contains(&name)
    {
        stored.push(name);
    }
}

/// Establishes a definition.
pub(super) fn establish(tx: &mut Tx<'_>, key: &str) {
    let Some(mut definition) = tx.get(key).cloned() else { return };
    let names = definition.pointer("/spec/names").cloned().unwrap_or_else(|| json!({}));
    let conditions = json!([
        condition(tx, "NamesAccepted", "NoConflicts", "no conflicts found"),
        condition(tx, "Established", "InitialNamesAccepted", "the initial names have been accepted"),
    ]);
    let status = child_mut(child_mut_value(&mut definition), "status");
    status.insert("acceptedNames".to_owned(), names);
    status.insert("conditions".to_owned(), conditions);
    controllers::write_status(tx, key, "kube-apiserver", definition);
}

fn condition(tx: &Tx<'_>, of: &str, reason: &str, message: &str) -> Value {
    json!({"type": of, "status": "True", "lastTransitionTime": store::time(tx), "reason": reason, "message": message})
}

/// Marks a definition as going: its objects go first.
pub(super) fn begin_end(tx: &mut Tx<'_>, definition: &mut Value, key: &str) -> Result<(), SandboxError> {
    let list = metadata_mut(definition).entry("finalizers").or_insert_with(|| json!([]));
    if let Some(list) = list.as_array_mut().filter(|list| !list.contains(&json!(CLEANUP))) {
        list.push(json!(CLEANUP));
    }
    let going = condition(
        tx,
        "Terminating",
        "InstanceDeletionPending",
        "CustomResourceDefinition marked for deletion; CustomResource deletion will begin soon",
    );
    let conditions = child_mut(child_mut_value(definition), "status").entry("conditions").or_insert_with(|| json!([]));
    if let Some(conditions) = conditions.as_array_mut() {
        conditions.push(going);
    }
    schedule(tx, after(tx.now(), CLEANED_AFTER), "kube.clean", key)
}

/// A pass of the controller that removes the objects of a definition that is going, and then the definition.
pub(super) fn clean(tx: &mut Tx<'_>, key: &str) -> Result<(), SandboxError> {
    let Some(mut definition) = tx.get(key).cloned().filter(store::is_going) else { return Ok(()) };
    let text = |pointer: &str| definition.pointer(pointer).and_then(Value::as_str).unwrap_or_default().to_owned();
    let prefix = format!("kube/{}/{}/", text("/spec/group"), text("/spec/names/plural"));
    let mut remain = false;
    for object in tx.keys(&prefix) {
        remain |= !super::delete::begin(tx, &object)?;
    }
    if remain {
        return Ok(());
    }
    let list = metadata_mut(&mut definition).get_mut("finalizers").and_then(Value::as_array_mut);
    if let Some(list) = list {
        list.retain(|name| name != CLEANUP);
    }
    if super::delete::is_free(&definition) {
        return super::delete::remove(tx, key);
    }
    store::write(tx, key, definition);
    Ok(())
}

/// An object of a custom kind is gone; a definition that waits for that goes on.
pub(super) fn left(tx: &mut Tx<'_>, key: &str) -> Result<(), SandboxError> {
    let mut parts = key.split('/').skip(1);
    let (group, plural) = (parts.next().unwrap_or_default(), parts.next().unwrap_or_default());
    let definition = format!("{PREFIX}{plural}.{group}");
    if !tx.get(&definition).is_some_and(store::is_going) {
        return Ok(());
    }
    schedule(tx, after(tx.now(), CLEANED_AFTER), "kube.clean", &definition)
}

#[cfg(test)]
mod tests {
    use super::priority;

    #[test]
    fn versions_come_in_the_order_of_kubernetes() {
        let mut versions = ["v1beta1", "v1", "v10", "foo", "v1alpha2", "v2"];
        versions.sort_by_key(|version| std::cmp::Reverse(priority(version)));
        assert_eq!(versions, ["v10", "v2", "v1", "v1beta1", "v1alpha2", "foo"]);
    }
}
