//! Every built-in kind on a real API server: applied, planned empty, drifted field by field, repaired and removed.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use super::bed::Bed;
use super::drift::{How, field_by_field};
use super::generate::generate;
use super::objects::{apply, changes, namespace, stack, write};

#[test]
fn every_kind_is_planned_empty_drifted_field_by_field_repaired_and_removed() {
    let bed = Bed::enter(&stack("objects"));
    let name = "objects-gen";
    bed.kube_raw("PATCH", &format!("/api/v1/namespaces/{name}?fieldManager=generate"), "application/apply-patch+yaml", &namespace(name))
        .unwrap();
    let objects = generate(&bed, name, 20);
    let kinds: BTreeSet<&str> = objects.iter().map(|object| object["kind"].as_str().unwrap()).collect();
    println!("{} objects of {} kinds from the server's own OpenAPI", objects.len(), kinds.len());
    assert!(objects.len() >= 300 && kinds.len() >= 50, "{} objects of {} kinds", objects.len(), kinds.len());
    write(&bed, &objects);
    apply(&bed);
    assert_eq!(changes(&bed), BTreeMap::new(), "after the apply");
    let (_, requests) = bed.counted(|| bed.run("plan stack.yaml").ends_with(0));
    let uris = requests.kube.iter().filter_map(|request| request["requestURI"].as_str());
    // The controller of nodes writes to them at any time.
    let tried: Vec<&str> = uris.filter(|uri| uri.contains("fieldManager=meshform") && !uri.contains("/nodes/")).collect();
    assert!(tried.is_empty(), "an empty plan makes no dry run: {tried:?}");
    std::fs::remove_dir_all(bed.path().join(".meshform")).unwrap();
    assert_eq!(changes(&bed), BTreeMap::new(), "with every object tried anew on the server");
    apply(&bed);

    let tally = field_by_field(&bed, &objects);
    println!(
        "{} rounds: {:?} fields drifted and put back, {} items beside ours, {} one way, {} fields that take nothing else",
        tally.rounds,
        tally.drifted,
        tally.beside,
        tally.one_way.len(),
        tally.refused
    );
    let count = |how| tally.drifted.get(&how).copied().unwrap_or_default();
    assert!(count(How::Change) > 700 && count(How::Remove) > 300 && count(How::Add) > 40 && tally.beside > 140, "{:?}", tally.drifted);
    assert!(tally.one_way.is_empty(), "what another changed is put back in place: {:?}", tally.one_way);
    assert_eq!(changes(&bed), BTreeMap::new(), "after the repairs");

    let ran = bed.run("destroy stack.yaml --auto-approve");
    assert_eq!(ran.code, Some(0), "{ran:?}");
    for object in &objects {
        let path = Bed::path_of(object);
        let left = bed.kube_raw("GET", &path, "application/json", &Value::Null);
        assert!(left.is_err() || left.as_ref().unwrap()["metadata"]["deletionTimestamp"].is_string(), "{path} is left: {left:?}");
    }
    bed.kube_raw("DELETE", &format!("/api/v1/namespaces/{name}"), "application/json", &Value::Null).unwrap();
}
