//! New objects.

use serde_json::{Value, json};

use super::kinds::Kind;
use super::route::Request;
use super::ssa::managed::{self, Managers};
use super::status::{Outcome, Refusal};
use super::store::{self, Place, child_mut_value, meta_text, metadata_mut};
use super::write::{Change, Done};
use super::{balancers, body, crds, istiod, namespaces, rules, services, workloads};
use crate::sandbox::world::Tx;

/// What names are generated from (k8s.io/apimachinery: `util/rand`).
const LETTERS: &[u8; 27] = b"bcdfghjklmnpqrstvwxz2456789";

/// Makes an object.
pub(super) fn create(tx: &mut Tx<'_>, kind: &Kind, namespace: &str, request: &Request) -> Outcome<Done> {
    let place = Place { namespace, name: "" };
    let mut change = Change { kind, place, part: "", options: request.options("CreateOptions")?, warnings: Vec::new() };
    let mut object = object_of(&mut change, &request.body)?;
    change.check_place(&mut object)?;
    let prefix = meta_text(&object, "generateName").to_owned();
    if meta_text(&object, "name").is_empty() && !prefix.is_empty() {
        let fresh = tx.fresh();
        let suffix: String = fresh.iter().take(5).map(|byte| char::from(LETTERS[usize::from(*byte) % LETTERS.len()])).collect();
        metadata_mut(&mut object).insert("name".to_owned(), json!(format!("{prefix}{suffix}")));
    }
    if !meta_text(&object, "resourceVersion").is_empty() {
        return Err(Refusal::failed("resourceVersion should not be set on objects to be created").into());
    }
    change.complete(&mut object);
    metadata_mut(&mut object).shift_remove("managedFields");
    let version = kind.api_version();
    let name = meta_text(&object, "name").to_owned();
    let managers = change.ownership(tx, &version).update(&kind.empty(), &object, Managers::new()).unwrap_or_default();
    insert(tx, Change { place: Place { namespace, name: &name }, ..change }, object, managers)
}

/// The object that a body holds.
pub(super) fn object_of(change: &mut Change<'_>, bytes: &[u8]) -> Outcome<Value> {
    let kind = change.kind;
    let read = body::json(bytes).map_err(|why| {
        let why = format!("couldn't get version/kind; json parse error: {why}");
        Refusal::bad_request(format!("the object provided is unrecognized (must be of type {}): {why}", kind.kind))
    })?;
    let mut object = read.value;
    if !object.is_object() {
        return Err(Refusal::unreadable(kind, "json: cannot unmarshal into Go value").into());
    }
    let text = |field: &str| object.get(field).and_then(Value::as_str).unwrap_or_default().to_owned();
    let (version, name) = (text("apiVersion"), text("kind"));
    if kind.custom && name.is_empty() {
        return Err(Refusal::bad_request(format!("Object 'Kind' is missing in the body of a {}", kind.kind)).into());
    }
    if !version.is_empty() && version != kind.api_version() {
        let why = format!("no kind {name:?} is registered for version {version:?}");
        return Err(
            Refusal::bad_request(format!("{} in version {version:?} cannot be handled as a {}: {why}", kind.kind, kind.kind)).into()
        );
    }
    if !name.is_empty() && name != kind.kind {
        let why = format!("converting ({}.{name}) to ({}): unknown conversion", kind.version, kind.kind);
        return Err(
            Refusal::bad_request(format!("{name} in version {:?} cannot be handled as a {}: {why}", kind.version, kind.kind)).into()
        );
    }
    change.read(&mut object, read.doubled).map_err(|why| Refusal::unreadable(kind, why))?;
    let fields = child_mut_value(&mut object);
    fields.insert("kind".to_owned(), json!(kind.kind));
    fields.insert("apiVersion".to_owned(), json!(kind.api_version()));
    Ok(object)
}

/// Stores a new object.
pub(super) fn insert(tx: &mut Tx<'_>, change: Change<'_>, mut object: Value, managers: Managers) -> Outcome<Done> {
    let Change { kind, place, options, warnings, .. } = change;
    if kind.namespaced {
        namespaces::admit(tx, kind, place)?;
    }
    if !meta_text(&object, "resourceVersion").is_empty() {
        return Err(Refusal::failed("resourceVersion should not be set on objects to be created").into());
    }
    if kind.has_status {
        child_mut_value(&mut object).shift_remove("status");
        super::schema::decode::settle(&kind.of, &mut object);
    }
    if kind.is_core("services") {
        services::allocate(tx, &mut object, None);
    }
    if kind.is_core("pods") {
        istiod::inject(tx, place.namespace, &mut object)?;
    }
    let key = store::key(kind, place);
    let begun = (store::uid(tx), store::time(tx));
    let metadata = metadata_mut(&mut object);
    for field in ["deletionTimestamp", "deletionGracePeriodSeconds", "generation", "selfLink", "managedFields"] {
        metadata.shift_remove(field);
    }
    metadata.insert("uid".to_owned(), begun.0);
    metadata.insert("creationTimestamp".to_owned(), begun.1);
    if kind.counts {
        metadata.insert("generation".to_owned(), json!(1));
    }
    metadata.extend(managed::write(managers).map(|managed| ("managedFields".to_owned(), managed)));
    if kind.is_core("namespaces") {
        namespaces::prepare(&mut object);
    }
    let causes = rules::check(kind, &object, None);
    if !causes.is_empty() {
        return Err(Refusal::invalid_object(kind, place.name, &causes).into());
    }
    if tx.contains(&key) {
        return Err(Refusal::exists(kind, place.name).into());
    }
    if options.dry_run {
        return Ok(Done { code: 201, object, warnings });
    }
    if kind.plural == "customresourcedefinitions" && !kind.custom {
        crds::begin(tx, &mut object, &key)?;
    }
    workloads::begin(tx, kind, &key, &object)?;
    istiod::begin(tx, kind, &key, &object)?;
    let object = store::write(tx, &key, object);
    if balancers::is_ingress(kind) {
        balancers::begin(tx, &key, &object)?;
    }
    if kind.is_core("namespaces") {
        namespaces::furnish(tx, place.name);
    }
    Ok(Done { code: 201, object, warnings })
}
