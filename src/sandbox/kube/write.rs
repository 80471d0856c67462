//! Creating and changing objects (k8s.io/apiserver: `endpoints/handlers`, `registry/generic/registry/store.go`).

use serde_json::{Map, Value, json};

use super::body::{self, Read};
use super::kinds::Kind;
use super::route::{Options, Request};
use super::schema::{crd, decode, defaults};
use super::ssa::apply::{Refused, Write};
use super::ssa::managed::{self, Managers};
use super::ssa::valid;
use super::status::{Cause, Outcome, Refusal};
use super::store::{self, Place, child_mut_value, meta_text, metadata, metadata_mut};
use super::{create, patch, rules, workloads};
use crate::sandbox::world::Tx;

/// What a write gives.
#[derive(Clone, Debug)]
pub(super) struct Done {
    /// The HTTP status: 200, or 201 for a new object.
    pub(super) code: u16,
    /// The object.
    pub(super) object: Value,
    /// Warnings for the client.
    pub(super) warnings: Vec<String>,
}

/// A write that is under way.
pub(super) struct Change<'a> {
    /// The kind.
    pub(super) kind: &'a Kind,
    /// Where the object is.
    pub(super) place: Place<'a>,
    /// The part of it that is written: `status`, or none.
    pub(super) part: &'a str,
    /// How it is written.
    pub(super) options: Options,
    /// Warnings that have come up.
    pub(super) warnings: Vec<String>,
}

impl Change<'_> {
    /// How ownership changes with this write.
    pub(super) fn ownership<'w>(&'w self, tx: &Tx<'_>, version: &'w str) -> Write<'w> {
        let (of, manager, subresource, has_status) = (&self.kind.of, &self.options.manager, self.part, self.kind.has_status);
        Write { of, version, manager, subresource, has_status, now: tx.now() }
    }

    /// Reads what was sent as an object of the kind. Fields that aren't known are refused or dropped with a warning.
    pub(super) fn read(&mut self, object: &mut Value, doubled: Vec<String>) -> Result<(), String> {
        let unknown = self.decode(object).map_err(|error| error.to_string())?;
        let mut problems: Vec<String> = doubled.into_iter().map(|name| format!("duplicate field {name:?}")).collect();
        problems.extend(unknown.into_iter().map(|name| format!("unknown field {name:?}")));
        if self.options.strict && !problems.is_empty() {
            return Err(format!("strict decoding error: {}", problems.join(", ")));
        }
        self.warnings.extend(problems);
        Ok(())
    }

    fn decode(&self, object: &mut Value) -> Result<Vec<String>, decode::DecodeError> {
        if self.kind.custom { decode::decode_custom(&self.kind.of, object) } else { decode::decode(&self.kind.of, object) }
    }

    /// Gives an object the defaults of its kind and the form in which it's stored.
    pub(super) fn complete(&self, object: &mut Value) {
        if self.kind.is_secret() {
            rules::fold_string_data(object);
        }
        if let Some(schema) = &self.kind.schema {
            crd::default(schema, object);
        }
        defaults::apply(self.kind, object);
        decode::settle(&self.kind.of, object);
    }

    /// The namespace and the name that an object says it has must be those of the request.
    pub(super) fn check_place(&self, object: &mut Value) -> Outcome<()> {
        let namespace = meta_text(object, "namespace").to_owned();
        if !namespace.is_empty() && namespace != self.place.namespace {
            let why = "the namespace of the provided object does not match the namespace sent on the request";
            return Err(Refusal::bad_request(why).into());
        }
        if !self.place.namespace.is_empty() {
            metadata_mut(object).insert("namespace".to_owned(), json!(self.place.namespace));
        }
        let name = meta_text(object, "name").to_owned();
        if !self.place.name.is_empty() && name != self.place.name {
            let why = format!("the name of the object ({name}) does not match the name on the URL ({})", self.place.name);
            return Err(Refusal::bad_request(why).into());
        }
        Ok(())
    }
}

/// Replaces an object.
pub(super) fn update(tx: &mut Tx<'_>, kind: &Kind, place: Place<'_>, part: &str, request: &Request) -> Outcome<Done> {
    let mut change = Change { kind, place, part, options: request.options("UpdateOptions")?, warnings: Vec::new() };
    let mut new = create::object_of(&mut change, &request.body)?;
    change.check_place(&mut new)?;
    let live = store::read(tx, kind, place).ok_or_else(|| Refusal::not_found(kind, place.name))?;
    if kind.custom && meta_text(&new, "resourceVersion").is_empty() {
        let cause = Cause::invalid("metadata.resourceVersion", &json!(0), "must be specified for an update");
        return Err(Refusal::invalid(&kind.resource(), &kind.group, &kind.plural, place.name, &[cause]).into());
    }
    let given = meta_text(&new, "uid");
    if !given.is_empty() && given != meta_text(&live, "uid") {
        let key = format!("/registry/{}/{}/{}", kind.plural, place.namespace, place.name).replace("//", "/");
        let uids = format!("Precondition failed: UID in precondition: {given}, UID in object meta: {}", meta_text(&live, "uid"));
        let why = format!("StorageError: invalid object, Code: 4, Key: {key}, ResourceVersion: 0, AdditionalErrorMsg: {uids}");
        return Err(Refusal::conflict(kind, place.name, why).into());
    }
    change.complete(&mut new);
    let managers = updated(tx, &change, &live, &mut new);
    save(tx, change, &live, new, managers)
}

/// Patches an object. An apply makes it when it isn't there.
pub(super) fn patch(tx: &mut Tx<'_>, kind: &Kind, place: Place<'_>, part: &str, request: &Request) -> Outcome<Done> {
    let of = request.content_type.as_str();
    let known = ["application/json-patch+json", "application/merge-patch+json", "application/apply-patch+yaml"];
    if !known.contains(&of) && of != "application/strategic-merge-patch+json" || (kind.custom && of.contains("strategic")) {
        let why = format!("the body of the request was in an unknown format - accepted media types include: {}", known.join(", "));
        return Err(Refusal::media_type(kind, if kind.custom { &why } else { "415: Unsupported Media Type" }).into());
    }
    let mut change = Change { kind, place, part, options: request.options("PatchOptions")?, warnings: Vec::new() };
    if of == known[2] {
        return apply(tx, change, &request.body);
    }
    let live = store::read(tx, kind, place).ok_or_else(|| Refusal::not_found(kind, place.name))?;
    let Read { value, doubled } = body::json(&request.body).map_err(|why| Refusal::bad_request(format!("error decoding patch: {why}")))?;
    let mut new = live.clone();
    match of {
        "application/json-patch+json" => patch::json_patch(&mut new, &value)?,
        "application/strategic-merge-patch+json" if !patch::is_plain(&value) => {
            return Err(Refusal::media_type(kind, "the sandbox takes strategic merge patches without lists and directives only").into());
        }
        _ if !value.is_object() => {
            let why = "error decoding patch: json: cannot unmarshal array into Go value of type map[string]interface {}";
            return Err(Refusal::bad_request(why).into());
        }
        _ => patch::merge(&mut new, &value),
    }
    if let Err(problem) = change.read(&mut new, doubled) {
        // The real server tells the whole patched object here, with all that is secret in it.
        let cause = Cause::invalid("patch", &json!("<redacted>"), &problem);
        return Err(Refusal::invalid("", "", "", "", &[cause]).into());
    }
    change.check_place(&mut new)?;
    change.complete(&mut new);
    let managers = updated(tx, &change, &live, &mut new);
    save(tx, change, &live, new, managers)
}

fn apply(tx: &mut Tx<'_>, change: Change<'_>, bytes: &[u8]) -> Outcome<Done> {
    let Change { kind, place, .. } = change;
    let Read { value: config, doubled } = body::yaml(bytes)?;
    if !config.is_object() {
        let why = "error decoding YAML: error unmarshaling JSON: while decoding JSON: json: cannot unmarshal into Go value of type map[string]interface {}";
        return Err(Refusal::bad_request(why).into());
    }
    let text = |field: &str| config.get(field).and_then(Value::as_str).unwrap_or_default();
    if (text("apiVersion"), text("kind")) != (&kind.api_version(), &kind.kind) {
        return Err(Refusal::bad_request(format!("invalid object type: {}", gvk(text("apiVersion"), text("kind")))).into());
    }
    if metadata(&config).is_some_and(|meta| meta.get("managedFields").is_some_and(|managed| !managed.is_null())) {
        return Err(Refusal::bad_request("metadata.managedFields must be nil").into());
    }
    let who = format!("{}/{}; {}", meta_text(&config, "namespace"), meta_text(&config, "name"), gvk(text("apiVersion"), text("kind")));
    if let Some(problems) = valid::problems(&kind.of, &config, kind.is_secret()) {
        return Err(Refusal::failed(format!("failed to create typed patch object ({who}): {problems}")).into());
    }
    let stored = store::read(tx, kind, place);
    let mut live = stored.clone().unwrap_or_else(|| kind.empty());
    let managers = managed::read(metadata_mut(&mut live).shift_remove("managedFields").as_ref()).unwrap_or_default();
    let version = kind.api_version();
    let applied = change.ownership(tx, &version).apply(&live, &config, managers, change.options.force);
    let (new, managers) = applied.map_err(|refused| match refused {
        Refused::Conflicts(conflicts) => {
            let conflicts: Vec<(String, String)> = conflicts.into_iter().map(|(manager, field)| (manager.text(), field)).collect();
            Refusal::apply_conflict(&conflicts)
        }
        Refused::Unmergeable(why) => Refusal::failed(why),
    })?;
    if let Some(name) = doubled.first().filter(|_| change.options.strict) {
        let key = name.rsplit('.').next().unwrap_or(name);
        let why =
            format!("error strict decoding YAML: error converting YAML to JSON: yaml: unmarshal errors:\n  key {key:?} already set in map");
        return Err(Refusal::bad_request(why).into());
    }
    let mut new = new.unwrap_or(live);
    if let Err(problem) = change.decode(&mut new) {
        let to = gvk(&version, &kind.kind);
        let from = if matches!(problem, decode::DecodeError::Base64(_)) { "error decoding from json: " } else { "" };
        let why = format!("unable to convert unstructured object to {to}: {from}{problem}");
        return Err(Refusal::failed(format!("failed to convert new object ({who}) to proper version: {why}")).into());
    }
    if meta_text(&new, "name").is_empty() {
        metadata_mut(&mut new).insert("name".to_owned(), json!(place.name));
    }
    change.check_place(&mut new)?;
    change.complete(&mut new);
    match stored {
        Some(live) => save(tx, change, &live, new, managers),
        None if !change.part.is_empty() => Err(Refusal::not_found(kind, place.name).into()),
        None => {
            let uid = meta_text(&new, "uid");
            if !uid.is_empty() {
                let why = format!("uid mismatch: the provided object specified uid {uid}, and no existing object was found");
                return Err(Refusal::conflict(kind, place.name, why).into());
            }
            metadata_mut(&mut new).shift_remove("resourceVersion");
            create::insert(tx, change, new, managers)
        }
    }
}

/// A version and a kind as Go prints them: `apps/v1, Kind=Deployment`, `/v1, Kind=Secret`.
fn gvk(version: &str, kind: &str) -> String {
    if version.contains('/') { format!("{version}, Kind={kind}") } else { format!("/{version}, Kind={kind}") }
}

/// The managers after an update. The ones that the request gives count instead of the stored ones, and an empty list forgets them all.
fn updated(tx: &Tx<'_>, change: &Change<'_>, live: &Value, new: &mut Value) -> Managers {
    let given = metadata_mut(new).shift_remove("managedFields");
    let mut before = live.clone();
    let stored = metadata_mut(&mut before).shift_remove("managedFields");
    let is_reset = given.as_ref().and_then(Value::as_array).is_some_and(|list| list.is_empty() || *list == [json!({})]);
    let managers = match given {
        Some(_) if is_reset && change.part.is_empty() => Managers::new(),
        Some(_) if change.part.is_empty() => managed::read(given.as_ref())
            .filter(|managers| !managers.is_empty())
            .or_else(|| managed::read(stored.as_ref()))
            .unwrap_or_default(),
        _ => managed::read(stored.as_ref()).unwrap_or_default(),
    };
    let version = change.kind.api_version();
    // Where fields can't be told apart the server forgets who owns them.
    change.ownership(tx, &version).update(&before, new, managers).unwrap_or_default()
}

/// Stores an object in place of another, unless they are the same.
pub(super) fn save(tx: &mut Tx<'_>, change: Change<'_>, live: &Value, mut new: Value, managers: Managers) -> Outcome<Done> {
    let Change { kind, place, part, options, warnings } = change;
    let uid = meta_text(&new, "uid").to_owned();
    let given = meta_text(&new, "resourceVersion");
    if !given.is_empty() && given != meta_text(live, "resourceVersion") {
        let why = "the object has been modified; please apply your changes to the latest version and try again";
        return Err(Refusal::conflict(kind, place.name, why).into());
    }
    keep_what_is_the_servers(kind, part, live, &mut new);
    if kind.is_core("services") {
        super::services::allocate(tx, &mut new, Some(live));
    }
    if kind.plural == "customresourcedefinitions" && !kind.custom && part.is_empty() {
        super::crds::store_version(&mut new);
    }
    let metadata = metadata_mut(&mut new);
    metadata.shift_remove("managedFields");
    metadata.extend(managed::write(managers).map(|managed| ("managedFields".to_owned(), managed)));
    let mut causes = rules::check(kind, &new, Some(live));
    if !uid.is_empty() && uid != meta_text(live, "uid") {
        causes.insert(0, Cause::invalid("metadata.uid", &json!(uid), "field is immutable"));
    }
    if !causes.is_empty() {
        return Err(Refusal::invalid_object(kind, place.name, &causes).into());
    }
    if same(live, &new) {
        return Ok(Done { code: 200, object: live.clone(), warnings });
    }
    let is_other = kind.counts && part.is_empty() && wanted(live) != wanted(&new);
    if is_other {
        let generation = live.pointer("/metadata/generation").and_then(Value::as_i64).unwrap_or(0) + 1;
        metadata_mut(&mut new).insert("generation".to_owned(), json!(generation));
    }
    if options.dry_run {
        return Ok(Done { code: 200, object: new, warnings });
    }
    let key = store::key(kind, place);
    if store::is_going(&new) && super::delete::is_free(&new) {
        super::delete::remove(tx, &key)?;
        return Ok(Done { code: 200, object: new, warnings });
    }
    if is_other {
        workloads::begin(tx, kind, &key, &new)?;
        super::istiod::begin(tx, kind, &key, &new)?;
    }
    let object = store::write(tx, &key, new);
    if super::balancers::is_ingress(kind) && part.is_empty() {
        super::balancers::begin(tx, &key, &object)?;
    }
    Ok(Done { code: 200, object, warnings })
}

/// What a client can't change: identity, times, the other part of the object.
fn keep_what_is_the_servers(kind: &Kind, part: &str, live: &Value, new: &mut Value) {
    if part == "status" {
        let status = new.get("status").cloned();
        let managed = metadata_mut(new).shift_remove("managedFields");
        *new = live.clone();
        let fields = child_mut_value(new);
        match status {
            Some(status) => fields.insert("status".to_owned(), status),
            None => fields.shift_remove("status"),
        };
        metadata_mut(new).extend(managed.map(|managed| ("managedFields".to_owned(), managed)));
        return;
    }
    if kind.has_status {
        restore(live, new, "status");
    }
    if kind.is_core("namespaces") && part != "finalize" {
        let finalizers = live.pointer("/spec/finalizers").cloned();
        let spec = store::child_mut(child_mut_value(new), "spec");
        spec.shift_remove("finalizers");
        spec.extend(finalizers.map(|finalizers| ("finalizers".to_owned(), finalizers)));
    }
    let theirs = metadata(live).cloned().unwrap_or_default();
    let metadata = metadata_mut(new);
    for field in
        ["uid", "resourceVersion", "generation", "creationTimestamp", "deletionTimestamp", "deletionGracePeriodSeconds", "selfLink"]
    {
        metadata.shift_remove(field);
        metadata.extend(theirs.get(field).map(|value| (field.to_owned(), value.clone())));
    }
}

fn restore(live: &Value, new: &mut Value, field: &str) {
    let fields = child_mut_value(new);
    fields.shift_remove(field);
    fields.extend(live.get(field).map(|value| (field.to_owned(), value.clone())));
}

/// Whether two objects differ in no more than the times of their managers.
fn same(live: &Value, new: &Value) -> bool {
    let timeless = |object: &Value| {
        let mut object = object.clone();
        let managed = metadata_mut(&mut object).get_mut("managedFields").and_then(Value::as_array_mut);
        for entry in managed.into_iter().flatten() {
            child_mut_value(entry).shift_remove("time");
        }
        object
    };
    timeless(live) == timeless(new)
}

/// What an object is wanted to be: all but what it says of itself.
fn wanted(object: &Value) -> Map<String, Value> {
    let fields = object.as_object().into_iter().flatten().filter(|(key, _)| !matches!(key.as_str(), "metadata" | "status"));
    fields.map(|(key, value)| (key.clone(), value.clone())).collect()
}
