//! How ownership changes with each write (structured-merge-diff: `merge/update.go`; k8s.io/apimachinery: `util/managedfields`).

use std::sync::LazyLock;

use jiff::Timestamp;
use serde_json::{Value, json};

use super::super::schema::Type;
use super::compare::{Comparison, compare};
use super::fields::{Set, text};
use super::managed::{Manager, Managers, Operation, Owned, cap};
use super::merge::merge;
use super::prune::without;
use super::set::fields_of;

/// What nobody owns: the server writes it.
static SERVERS_OWN: LazyLock<Set> = LazyLock::new(|| {
    let names =
        ["name", "namespace", "creationTimestamp", "selfLink", "uid", "clusterName", "generation", "managedFields", "resourceVersion"];
    let paths: Vec<Vec<&str>> = names.iter().map(|name| vec!["metadata", name]).collect();
    let mut paths: Vec<&[&str]> = paths.iter().map(Vec::as_slice).collect();
    paths.extend([&["apiVersion"][..], &["kind"], &["metadata"]]);
    Set::of(&paths)
});

/// A write.
#[derive(Clone, Copy, Debug)]
pub(in crate::sandbox::kube) struct Write<'a> {
    /// The type of the object.
    pub(in crate::sandbox::kube) of: &'a Type,
    /// The version of the API it's written in: `v1`, `apps/v1`.
    pub(in crate::sandbox::kube) version: &'a str,
    /// The manager's name.
    pub(in crate::sandbox::kube) manager: &'a str,
    /// The part that is written: `status`, or none for the object itself.
    pub(in crate::sandbox::kube) subresource: &'a str,
    /// Whether the kind has a status that only its subresource writes.
    pub(in crate::sandbox::kube) has_status: bool,
    /// When.
    pub(in crate::sandbox::kube) now: Timestamp,
}

/// Why an apply can't be.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::sandbox::kube) enum Refused {
    /// Others own fields with other values: who, and which.
    Conflicts(Vec<(Manager, String)>),
    /// The objects can't be merged.
    Unmergeable(String),
}

impl Write<'_> {
    fn whose(&self, operation: Operation) -> Manager {
        Manager::new(self.manager, operation, self.version, self.subresource)
    }

    /// The fields that this write may own: those of the other part of the object it resets.
    fn own_part(&self, set: &Set) -> Set {
        match (self.subresource, self.has_status) {
            ("status", _) => set.only("status"),
            (_, true) => set.without_all_of(&Set::of(&[&["status"]])),
            _ => set.clone(),
        }
    }

    /// The managers after an object was replaced by another, by anything but an apply. `live` is the empty object for a creation.
    pub(in crate::sandbox::kube) fn update(&self, live: &Value, new: &Value, mut managers: Managers) -> Result<Managers, String> {
        if managers.is_empty() && live.pointer("/metadata/uid").is_some() {
            return Ok(managers);
        }
        let manager = self.whose(Operation::Update);
        let found = compare(self.of, live, new)?.map(|set| self.own_part(set));
        take(&mut managers, None, &found);
        let fields = found.modified.union(&found.added).difference(&SERVERS_OWN);
        if !fields.is_empty() {
            let before = managers.get(&manager).map(|owned| owned.fields.union(&fields));
            let owned = Owned { fields: before.unwrap_or(fields), version: self.version.to_owned(), time: Some(self.whole_seconds()) };
            managers.insert(manager, owned);
        }
        cap(&mut managers);
        Ok(managers)
    }

    /// The object with a configuration applied to it, and its managers; no object when nothing changed. `live` is the object as it is stored, or
    /// the empty one, without `managedFields`.
    pub(in crate::sandbox::kube) fn apply(
        &self,
        live: &Value,
        config: &Value,
        mut managers: Managers,
        force: bool,
    ) -> Result<(Option<Value>, Managers), Refused> {
        if managers.is_empty() && live.pointer("/metadata/uid").is_some() {
            managers = self.before_first_apply(live).map_err(Refused::Unmergeable)?;
        }
        let manager = self.whose(Operation::Apply);
        let merged = merge(self.of, live, config).map_err(|reason| Refused::Unmergeable(format!("failed to merge config: {reason}")))?;
        let fields = self.own_part(&fields_of(self.of, config).map_err(Refused::Unmergeable)?);
        let time = managers.get(&manager).and_then(|owned| owned.time);
        let last = managers.insert(manager.clone(), Owned { fields, version: self.version.to_owned(), time });
        let new = match last {
            Some(last) if !last.fields.is_empty() => self.prune(&merged, &managers, &last.fields).map_err(Refused::Unmergeable)?,
            _ => merged,
        };
        let found = compare(self.of, live, &new).map_err(Refused::Unmergeable)?.map(|set| self.own_part(set));
        let conflicts = conflicts(&managers, &manager, &found);
        if !force && !conflicts.is_empty() {
            return Err(Refused::Conflicts(conflicts));
        }
        take(&mut managers, Some(&manager), &found);
        let changed = !super::items::same(live, &new);
        if let Some(owned) = managers.get_mut(&manager) {
            owned.fields = owned.fields.difference(&SERVERS_OWN);
            if changed {
                owned.time = Some(self.whole_seconds());
            }
            if owned.fields.is_empty() {
                managers.remove(&manager);
            }
        }
        Ok((changed.then_some(new), managers))
    }

    /// An object that nobody manages was made before anything was applied: that is written down as an update of all it has.
    fn before_first_apply(&self, live: &Value) -> Result<Managers, String> {
        let earlier = Write { manager: "before-first-apply", ..*self };
        earlier.update(&json!({"apiVersion": live.get("apiVersion"), "kind": live.get("kind")}), live, Managers::new())
    }

    /// Removes what was applied last time, isn't now, and belongs to nobody else.
    fn prune(&self, merged: &Value, managers: &Managers, last: &Set) -> Result<Value, String> {
        let declared = |set: &Set| set.with_declared(Some(self.of));
        let last = declared(last);
        let pruned = without(self.of, merged, &last);
        let all = declared(&fields_of(self.of, merged)?);
        let owned = managers.values().fold(Set::default(), |all, owned| all.union(&owned.fields));
        let kept = declared(&fields_of(self.of, &pruned)?).union(&declared(&owned));
        let pruned = without(self.of, merged, &all.difference(&kept));
        let left = declared(&fields_of(self.of, &pruned)?);
        Ok(without(self.of, merged, &all.difference(&left).intersection(&last)))
    }

    fn whole_seconds(&self) -> Timestamp {
        Timestamp::from_second(self.now.as_second()).unwrap_or(self.now)
    }
}

fn conflicts(managers: &Managers, applier: &Manager, found: &Comparison) -> Vec<(Manager, String)> {
    let changed = found.modified.union(&found.added);
    let others = managers.iter().filter(|(manager, _)| *manager != applier);
    let conflicts = others
        .flat_map(|(manager, owned)| owned.fields.intersection(&changed).paths().into_iter().map(|path| (manager.clone(), text(&path))));
    conflicts.collect()
}

/// Takes from all managers but one what was changed or removed.
fn take(managers: &mut Managers, but: Option<&Manager>, found: &Comparison) {
    let gone = found.modified.union(&found.added).union(&found.removed);
    for (manager, owned) in managers.iter_mut() {
        if but != Some(manager) {
            owned.fields = owned.fields.difference(&gone);
        }
    }
    managers.retain(|_, owned| !owned.fields.is_empty());
}
