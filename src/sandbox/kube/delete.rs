//! Deletion: at once, or when the last finalizer is gone.

use serde_json::{Map, Value, json};

use super::kinds::Kind;
use super::list::{self, Form};
use super::route::Request;
use super::status::{Cause, Outcome, Refusal};
use super::store::{self, Place, child_mut_value, meta_text, metadata_mut};
use super::{body, crds, namespaces, pods, workloads};
use crate::sandbox::error::SandboxError;
use crate::sandbox::world::Tx;

/// Kinds of which a deletion gives back the object (`ReturnDeletedObject`).
const GIVEN_BACK: &[&str] = &["pods", "serviceaccounts", "services"];

/// Options of a deletion.
struct Options {
    dry_run: bool,
    uid: Option<String>,
    revision: Option<String>,
    policy: Option<String>,
}

/// Deletes an object.
pub(super) fn delete(tx: &mut Tx<'_>, kind: &Kind, place: Place<'_>, request: &Request) -> Outcome<Value> {
    let options = options(request)?;
    let object = store::read(tx, kind, place).ok_or_else(|| Refusal::not_found(kind, place.name));
    if kind.is_core("namespaces") && namespaces::IMMORTAL.contains(&place.name) {
        return Err(Refusal::forbidden(kind, place.name, "this namespace may not be deleted").into());
    }
    let object = object?;
    for (given, field, name) in [(&options.uid, "uid", "UID"), (&options.revision, "resourceVersion", "ResourceVersion")] {
        let found = meta_text(&object, field);
        if let Some(given) = given.as_deref().filter(|given| *given != found) {
            if kind.is_core("namespaces") {
                let why = format!("Precondition failed: {name} in precondition: {given}, {name} in object meta: {found}");
                return Err(Refusal::conflict(kind, place.name, why).into());
            }
            let after = if field == "uid" { "deleted and then recreated" } else { "modified" };
            let why = format!(
                "the {name} in the precondition ({given}) does not match the {name} in record ({found}). The object might have been {after}"
            );
            return Err(Refusal::precondition(kind, place.name, why).into());
        }
    }
    let key = store::key(kind, place);
    if options.dry_run {
        return Ok(if is_free(&object) { success(kind, &object) } else { object });
    }
    if options.policy.as_deref() == Some("Orphan") {
        orphan(tx, meta_text(&object, "uid"));
        pods::orphan(tx, &key, &object);
    }
    if begin(tx, &key)? {
        if !kind.custom && GIVEN_BACK.contains(&kind.plural.as_str()) {
            return Ok(object);
        }
        return Ok(success(kind, &object));
    }
    Ok(tx.get(&key).map_or(object, |object| store::in_version(kind, object)))
}

/// Deletes all objects that are selected.
pub(super) fn delete_all(tx: &mut Tx<'_>, kind: &Kind, namespace: &str, request: &Request) -> Outcome<Value> {
    let options = options(request)?;
    let all = list::list(tx, kind, namespace, request, Form::Whole)?;
    if !options.dry_run {
        for object in all.get("items").and_then(Value::as_array).into_iter().flatten() {
            let place = Place { namespace: meta_text(object, "namespace"), name: meta_text(object, "name") };
            begin(tx, &store::key(kind, place))?;
        }
    }
    Ok(all)
}

/// Removes an object, or marks it as going where it has finalizers; says whether it is gone.
pub(super) fn begin(tx: &mut Tx<'_>, key: &str) -> Result<bool, SandboxError> {
    let Some(mut object) = tx.get(key).cloned() else { return Ok(true) };
    let is_namespace = is_namespace(&object);
    let is_definition = key.starts_with(crds::PREFIX);
    if is_free(&object) && !is_namespace && !is_definition {
        remove(tx, key)?;
        return Ok(true);
    }
    if store::is_going(&object) {
        return Ok(false);
    }
    let now = store::time(tx);
    let metadata = metadata_mut(&mut object);
    metadata.insert("deletionTimestamp".to_owned(), now);
    if is_namespace {
        store::child_mut(child_mut_value(&mut object), "status").insert("phase".to_owned(), json!("Terminating"));
    } else if is_definition {
        crds::begin_end(tx, &mut object, key)?;
    } else {
        metadata_mut(&mut object).insert("deletionGracePeriodSeconds".to_owned(), json!(0));
        if let Some(generation) = object.pointer_mut("/metadata/generation") {
            *generation = json!(generation.as_i64().unwrap_or(0) + 1);
        }
    }
    let object = store::write(tx, key, object);
    super::balancers::begin(tx, key, &object)?;
    if is_namespace {
        namespaces::begin(tx, key)?;
    }
    Ok(false)
}

/// Whether nothing holds an object.
pub(super) fn is_free(object: &Value) -> bool {
    let held = is_namespace(object) && object.pointer("/spec/finalizers").and_then(Value::as_array).is_some_and(|list| !list.is_empty());
    store::finalizers(object).is_empty() && !held
}

fn is_namespace(object: &Value) -> bool {
    object.get("kind").is_some_and(|kind| kind == "Namespace") && object.get("apiVersion").is_some_and(|version| version == "v1")
}

/// Removes an object for good, and lets those go that waited for it.
pub(super) fn remove(tx: &mut Tx<'_>, key: &str) -> Result<(), SandboxError> {
    let Some(object) = tx.get(key).cloned() else { return Ok(()) };
    tx.delete(key);
    store::next_revision(tx);
    collect(tx, meta_text(&object, "uid"))?;
    pods::collect(tx, key, &object);
    workloads::left(tx, key, &object)?;
    namespaces::left(tx, meta_text(&object, "namespace"))?;
    crds::left(tx, key)
}

/// The objects that name another as an owner.
fn dependents(tx: &Tx<'_>, uid: &str) -> Vec<String> {
    let owned = |object: &Value| {
        let owners = object.pointer("/metadata/ownerReferences").and_then(Value::as_array);
        owners.into_iter().flatten().any(|owner| owner["uid"] == uid)
    };
    tx.scan("kube/").filter(|(_, object)| !uid.is_empty() && owned(object)).map(|(key, _)| key.to_owned()).collect()
}

/// Deletes what has lost its last owner, as the garbage collector does.
fn collect(tx: &mut Tx<'_>, uid: &str) -> Result<(), SandboxError> {
    for key in dependents(tx, uid) {
        let Some(object) = tx.get(&key) else { continue };
        let owners = object.pointer("/metadata/ownerReferences").and_then(Value::as_array);
        if owners.is_some_and(|owners| owners.iter().all(|owner| owner["uid"] == uid)) {
            begin(tx, &key)?;
        }
    }
    Ok(())
}

/// Makes the dependents of an object independent of it.
fn orphan(tx: &mut Tx<'_>, uid: &str) {
    for key in dependents(tx, uid) {
        let Some(mut object) = tx.get(&key).cloned() else { continue };
        let owners = metadata_mut(&mut object).get_mut("ownerReferences").and_then(Value::as_array_mut);
        if let Some(owners) = owners {
            owners.retain(|owner| owner["uid"] != uid);
        }
        store::write(tx, &key, object);
    }
}

fn success(kind: &Kind, object: &Value) -> Value {
    let mut details = Map::new();
    details.insert("name".to_owned(), json!(meta_text(object, "name")));
    if !kind.group.is_empty() {
        details.insert("group".to_owned(), json!(kind.group));
    }
    details.insert("kind".to_owned(), json!(kind.plural));
    details.insert("uid".to_owned(), json!(meta_text(object, "uid")));
    json!({"kind": "Status", "apiVersion": "v1", "metadata": {}, "status": "Success", "details": details})
}

fn options(request: &Request) -> Outcome<Options> {
    let mut options = Options { dry_run: request.options("DeleteOptions")?.dry_run, uid: None, revision: None, policy: None };
    options.policy = request.query.get("propagationPolicy").filter(|policy| !policy.is_empty()).cloned();
    if !request.body.is_empty() {
        let read = body::json(&request.body).map_err(Refusal::bad_request)?.value;
        let text = |pointer: &str| read.pointer(pointer).and_then(Value::as_str).map(str::to_owned);
        options.uid = text("/preconditions/uid");
        options.revision = text("/preconditions/resourceVersion");
        options.policy = text("/propagationPolicy").or(options.policy);
        options.dry_run |= match read.get("dryRun") {
            None | Some(Value::Null) => false,
            Some(dry) if *dry == json!([]) => false,
            Some(dry) if *dry == json!(["All"]) => true,
            Some(dry) => return Err(Refusal::invalid_options("DeleteOptions", Cause::unsupported("dryRun", dry, &["All"])).into()),
        };
    }
    if let Some(policy) = options.policy.as_deref().filter(|policy| !matches!(*policy, "Background" | "Foreground" | "Orphan")) {
        let all = ["Foreground", "Background", "Orphan", "nil"];
        return Err(Refusal::invalid_options("DeleteOptions", Cause::unsupported("propagationPolicy", &json!(policy), &all)).into());
    }
    Ok(options)
}
