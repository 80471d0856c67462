//! Who owns which fields: `metadata.managedFields` (k8s.io/apimachinery: `util/managedfields`).

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::fields::Set;

/// What a manager did.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub(in crate::sandbox::kube) enum Operation {
    /// A server-side apply.
    Apply,
    /// Everything else that writes.
    Update,
}

/// Who manages. An applier is the same in all versions of a kind.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(in crate::sandbox::kube) struct Manager {
    /// The name.
    pub(in crate::sandbox::kube) name: String,
    /// How it writes.
    pub(in crate::sandbox::kube) operation: Operation,
    /// The version in which it updates; empty for an applier.
    version: String,
    /// The part of the object it writes, `status` or none.
    pub(in crate::sandbox::kube) subresource: String,
}

/// What a manager owns.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::sandbox::kube) struct Owned {
    /// The fields.
    pub(in crate::sandbox::kube) fields: Set,
    /// The version in which they are named.
    pub(in crate::sandbox::kube) version: String,
    /// When that changed last.
    pub(in crate::sandbox::kube) time: Option<Timestamp>,
}

/// The managers of an object.
pub(in crate::sandbox::kube) type Managers = BTreeMap<Manager, Owned>;

/// The most entries of updaters; older ones are put together (`DefaultMaxUpdateManagers`).
const MOST_UPDATERS: usize = 10;

/// An entry as it is written.
#[derive(Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Entry {
    #[serde(default, skip_serializing_if = "String::is_empty")]
    manager: String,
    operation: Operation,
    #[serde(default)]
    api_version: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    time: Option<Timestamp>,
    #[serde(default)]
    fields_type: String,
    #[serde(default, rename = "fieldsV1")]
    fields: Value,
    #[serde(default, skip_serializing_if = "String::is_empty")]
    subresource: String,
}

impl Manager {
    /// Who writes a kind's version in this way.
    pub(in crate::sandbox::kube) fn new(name: &str, operation: Operation, version: &str, subresource: &str) -> Self {
        let name = if name.is_empty() { "unknown" } else { name };
        let version = if operation == Operation::Apply { "" } else { version };
        Self { name: name.to_owned(), operation, version: version.to_owned(), subresource: subresource.to_owned() }
    }

    /// As conflicts name it: `"kubectl-edit" using v1`.
    pub(in crate::sandbox::kube) fn text(&self) -> String {
        let mut text = format!("{:?}", self.name);
        if !self.subresource.is_empty() {
            text = format!("{text} with subresource {:?}", self.subresource);
        }
        if self.operation == Operation::Update {
            text = format!("{text} using {}", self.version);
        }
        text
    }
}

/// Reads the managers of an object. None when there are none or they can't be read.
pub(in crate::sandbox::kube) fn read(entries: Option<&Value>) -> Option<Managers> {
    let mut managers = Managers::new();
    for entry in entries?.as_array()? {
        let entry = Entry::deserialize(entry).ok().filter(|entry| entry.fields_type == "FieldsV1" && !entry.api_version.is_empty())?;
        let manager = Manager::new(&entry.manager, entry.operation, &entry.api_version, &entry.subresource);
        let fields = Set::from_json(&entry.fields).ok()?;
        managers.insert(manager, Owned { fields, version: entry.api_version, time: entry.time });
    }
    Some(managers)
}

/// The managers as they are written, appliers first, then by time and name; none when there are none.
pub(in crate::sandbox::kube) fn write(managers: Managers) -> Option<Value> {
    let mut entries: Vec<(Manager, Owned)> = managers.into_iter().collect();
    entries.sort_by(|(a, x), (b, y)| {
        let seconds = |owned: &Owned| owned.time.map_or(0, Timestamp::as_second);
        let key = |manager: &Manager, owned: &Owned| (manager.operation, seconds(owned), manager.name.clone(), owned.version.clone());
        key(a, x).cmp(&key(b, y)).then_with(|| a.subresource.cmp(&b.subresource))
    });
    let entries: Vec<Value> =
        entries.into_iter().filter_map(|(manager, owned)| serde_json::to_value(entry(manager, &owned)).ok()).collect();
    (!entries.is_empty()).then_some(Value::Array(entries))
}

fn entry(manager: Manager, owned: &Owned) -> Entry {
    Entry {
        manager: manager.name,
        operation: manager.operation,
        api_version: owned.version.clone(),
        time: owned.time,
        fields_type: "FieldsV1".to_owned(),
        fields: owned.fields.to_json(),
        subresource: manager.subresource,
    }
}

/// Puts the oldest updaters of a version into one, so that not more than ten remain.
pub(in crate::sandbox::kube) fn cap(managers: &mut Managers) {
    let mut updaters: Vec<Manager> = managers.keys().filter(|manager| manager.operation == Operation::Update).cloned().collect();
    updaters.sort_by_key(|manager| (managers[manager].time.map_or(0, Timestamp::as_second), manager.clone()));
    let mut count = updaters.len();
    let mut first: BTreeMap<String, Manager> = BTreeMap::new();
    for manager in updaters {
        if count <= MOST_UPDATERS {
            break;
        }
        let version = managers[&manager].version.clone();
        let bucket = Manager::new("ancient-changes", Operation::Update, &version, "");
        let Some(oldest) = first.get(&version) else {
            first.insert(version, manager);
            continue;
        };
        if !managers.contains_key(&bucket)
            && let Some(owned) = managers.remove(oldest)
        {
            managers.insert(bucket.clone(), owned);
        }
        if let (Some(owned), Some(into)) = (managers.remove(&manager), managers.get_mut(&bucket)) {
            into.fields = owned.fields.union(&into.fields);
            into.time = owned.time;
            count -= 1;
        }
    }
}
