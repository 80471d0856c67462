//! The contract of a store, on the local one.
#![allow(clippy::unwrap_used)]

use super::local::LocalStore;
use super::{Holder, Lease as _, Store as _, StoreError};
use crate::addr::Addr;
use crate::clock::Clock;
use crate::event::{Event, Origin};
use crate::resource::{Attr, Attrs};

fn holder() -> Holder {
    Holder { command: "apply".into(), user: "ann".into(), host: "here".into(), pid: 1, since: jiff::Timestamp::UNIX_EPOCH }
}

fn events() -> Vec<Event> {
    let addr = Addr::certificate("edge");
    let created = |id: &str, generation| Event::Created {
        addr: Addr::certificate("edge"),
        id: id.into(),
        generation,
        origin: Origin::Created,
        needs: Vec::new(),
    };
    vec![
        Event::Opened { lineage: "l".into(), account: Some("1".into()), region: None, cluster: None },
        Event::Started { addr: addr.clone(), generation: 1, attempt: 5, token: "t".into() },
        created("arn:1", 1),
        Event::Applied { addr: addr.clone(), attrs: Attrs::from([("export".to_owned(), Attr::Value(true.into()))]) },
        Event::Ready { addr: addr.clone() },
        created("arn:2", 2),
        Event::Deleted { addr: addr.clone(), id: "arn:1".into() },
        Event::Started { addr: Addr::certificate("next"), generation: 1, attempt: 6, token: "u".into() },
    ]
}

fn store(folder: &std::path::Path) -> LocalStore {
    LocalStore::new(folder, "s", Clock::real())
}

#[test]
fn what_was_recorded_is_read_with_and_without_a_save() {
    let folder = tempfile::tempdir().unwrap();
    for (index, event) in events().into_iter().enumerate() {
        let mut lease = store(folder.path()).lease(&holder()).unwrap();
        lease.record(event).unwrap();
        let state = lease.state().clone();
        if index % 3 == 0 {
            lease.save().unwrap();
        }
        drop(lease);
        assert_eq!(store(folder.path()).read().unwrap(), state);
    }
    let state = store(folder.path()).read().unwrap();
    assert_eq!(state.serial, 8);
    let edge = &state.resources[&Addr::certificate("edge")];
    assert_eq!(edge.current.as_ref().unwrap().id, "arn:2");
    assert!(edge.deposed.is_empty());
    assert_eq!(state.attempts[&Addr::certificate("next")], 6);
    assert_eq!(store(folder.path()).history().unwrap().len(), 8);
}

#[test]
fn a_journal_torn_at_any_byte_is_read_up_to_its_last_whole_line() {
    let folder = tempfile::tempdir().unwrap();
    let mut lease = store(folder.path()).lease(&holder()).unwrap();
    let mut states = vec![lease.state().clone()];
    for event in events() {
        lease.record(event).unwrap();
        states.push(lease.state().clone());
    }
    drop(lease);
    let path = folder.path().join("s/events.jsonl");
    let whole = std::fs::read(&path).unwrap();
    for cut in 0..whole.len() {
        std::fs::write(&path, &whole[..cut]).unwrap();
        let lines = whole[..cut].split(|byte| *byte == b'\n').count() - 1;
        let mut lease = store(folder.path()).lease(&holder()).unwrap();
        assert_eq!(*lease.state(), states[lines], "cut at {cut}");
        // What comes next starts on a clean line.
        lease.record(Event::Ready { addr: Addr::certificate("edge") }).unwrap();
        drop(lease);
        assert_eq!(store(folder.path()).read().unwrap().serial, states[lines].serial + 1, "cut at {cut}");
    }
}

#[test]
fn damage_before_the_end_is_told_and_left_as_it_is() {
    let folder = tempfile::tempdir().unwrap();
    let mut lease = store(folder.path()).lease(&holder()).unwrap();
    for event in events() {
        lease.record(event).unwrap();
    }
    drop(lease);
    let path = folder.path().join("s/events.jsonl");
    let text = std::fs::read_to_string(&path).unwrap().replacen("\"event\"", "\"evnt\"", 1);
    std::fs::write(&path, &text).unwrap();
    assert!(matches!(store(folder.path()).read(), Err(StoreError::Journal { line: 1, .. })));
    assert_eq!(std::fs::read_to_string(&path).unwrap(), text);
}

#[test]
fn one_lease_at_a_time_and_it_names_its_holder() {
    let folder = tempfile::tempdir().unwrap();
    let lease = store(folder.path()).lease(&holder()).unwrap();
    match store(folder.path()).lease(&holder()) {
        Err(StoreError::Leased(Some(found))) => assert_eq!(*found, holder()),
        _ => panic!("leased twice"),
    }
    drop(lease);
    assert!(store(folder.path()).lease(&holder()).is_ok());
}

#[test]
fn files_are_private() {
    use std::os::unix::fs::PermissionsExt as _;
    let folder = tempfile::tempdir().unwrap();
    let mut lease = store(folder.path()).lease(&holder()).unwrap();
    lease.record(events().remove(0)).unwrap();
    lease.save().unwrap();
    let mode = |path: &str| std::fs::metadata(folder.path().join(path)).unwrap().permissions().mode() & 0o777;
    assert_eq!(mode("s"), 0o700);
    for file in ["s/state.json", "s/events.jsonl", "s/lock"] {
        assert_eq!(mode(file), 0o600, "{file}");
    }
}
