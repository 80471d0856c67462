//! What the parts of a cluster write, as field managers of their own.

use serde_json::{Map, Value};

use super::kinds::{Kind, built_in};
use super::ssa::apply::Write;
use super::ssa::managed::{self, Managers};
use super::store::{self, Place, metadata_mut};
use crate::sandbox::world::Tx;

/// Makes an object of a core kind.
pub(super) fn make(tx: &mut Tx<'_>, plural: &str, place: Place<'_>, manager: &str, mut object: Value, finish: impl FnOnce(&mut Value)) {
    let Some(kind) = built_in("", plural) else { return };
    super::schema::defaults::apply(&kind, &mut object);
    let version = kind.api_version();
    let managers = write(tx, &kind, &version, manager, "").update(&kind.empty(), &object, Managers::new()).unwrap_or_default();
    let (uid, time) = (store::uid(tx), store::time(tx));
    let metadata = metadata_mut(&mut object);
    metadata.insert("uid".to_owned(), uid);
    metadata.insert("creationTimestamp".to_owned(), time);
    own(metadata, managers);
    finish(&mut object);
    store::write(tx, &store::key(&kind, place), object);
}

/// Writes the status of an object of a built-in kind.
pub(super) fn write_status(tx: &mut Tx<'_>, key: &str, manager: &str, mut object: Value) {
    let mut parts = key.split('/').skip(1);
    let (group, plural) = (parts.next().unwrap_or_default(), parts.next().unwrap_or_default());
    let kind = built_in(if group == "core" { "" } else { group }, plural);
    if let (Some(kind), Some(mut live)) = (kind, tx.get(key).cloned()) {
        let stored = metadata_mut(&mut live).shift_remove("managedFields");
        metadata_mut(&mut object).shift_remove("managedFields");
        let version = kind.api_version();
        let managers = managed::read(stored.as_ref()).unwrap_or_default();
        let managers = write(tx, &kind, &version, manager, "status").update(&live, &object, managers).unwrap_or_default();
        own(metadata_mut(&mut object), managers);
    }
    store::write(tx, key, object);
}

/// Writes an object of a built-in kind, other than its status.
pub(super) fn write_object(tx: &mut Tx<'_>, key: &str, manager: &str, mut object: Value) {
    let mut parts = key.split('/').skip(1);
    let (group, plural) = (parts.next().unwrap_or_default(), parts.next().unwrap_or_default());
    let Some(kind) = built_in(if group == "core" { "" } else { group }, plural) else { return };
    if let Some(mut live) = tx.get(key).cloned() {
        let stored = metadata_mut(&mut live).shift_remove("managedFields");
        let metadata = metadata_mut(&mut object);
        metadata.shift_remove("managedFields");
        if kind.counts {
            let generation = metadata.get("generation").and_then(Value::as_i64).unwrap_or(0) + 1;
            metadata.insert("generation".to_owned(), generation.into());
        }
        let version = kind.api_version();
        let managers = managed::read(stored.as_ref()).unwrap_or_default();
        let managers = write(tx, &kind, &version, manager, "").update(&live, &object, managers).unwrap_or_default();
        own(metadata_mut(&mut object), managers);
    }
    store::write(tx, key, object);
}

fn write<'w>(tx: &Tx<'_>, kind: &'w Kind, version: &'w str, manager: &'w str, subresource: &'w str) -> Write<'w> {
    Write { of: &kind.of, version, manager, subresource, has_status: kind.has_status, now: tx.now() }
}

fn own(metadata: &mut Map<String, Value>, managers: Managers) {
    metadata.extend(managed::write(managers).map(|managed| ("managedFields".to_owned(), managed)));
}
