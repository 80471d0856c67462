//! Replacement: what a kind doesn't let change is planned as a new object, refused without consent, and made with it.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Value, json};

use super::bed::Bed;
use super::drift::{Fixed, address};
use super::objects::{apply, changes, stack, write};
use super::owned::pointer_of_told;

/// An object's uid.
fn uid(bed: &Bed, object: &Value) -> Value {
    bed.kube_get(&Bed::path_of(object))["metadata"]["uid"].clone()
}

fn kind(object: &Value) -> &str {
    object["kind"].as_str().unwrap()
}

/// One object for each field of each kind that can't change; each object has one of them.
fn one_each<'f>(bed: &Bed, objects: &[Value], fixed: &'f [Fixed]) -> Vec<&'f Fixed> {
    let (mut seen, mut used) = (BTreeSet::new(), BTreeSet::new());
    let mut chosen = Vec::new();
    for field in fixed {
        let object = &objects[field.object];
        let is_new = !seen.contains(&(kind(object), &field.pointer)) && !used.contains(&field.object);
        // Nothing that is replaced may hold others.
        if is_new && kind(object) != "Namespace" && object.pointer(&field.pointer).is_some() && is_fixed(bed, object, field) {
            seen.insert((kind(object), &field.pointer));
            used.insert(field.object);
            chosen.push(field);
        }
    }
    chosen
}

/// Whether it still can't change: what the cluster's controllers made of an object since may let it.
fn is_fixed(bed: &Bed, object: &Value, field: &Fixed) -> bool {
    let patch = json!([{"op": "replace", "path": field.pointer, "value": field.value}]);
    let path = format!("{}?dryRun=All", Bed::path_of(object));
    bed.kube_raw("PATCH", &path, "application/json-patch+json", &patch).is_err()
}

/// The steps of a plan by address.
fn steps(plan: &Value) -> BTreeMap<String, Value> {
    let steps = plan["resource_changes"].as_array().unwrap().iter().filter(|step| step["counts"] == true && step["action"] != "read");
    steps.map(|step| (step["address"].as_str().unwrap().to_owned(), step.clone())).collect()
}

/// Changes what can't be changed. Returns the kinds and fields that were replaced.
pub(super) fn what_cannot_change(bed: &Bed, name: &str, objects: &mut [Value], fixed: &[Fixed]) -> BTreeSet<String> {
    let chosen = one_each(bed, objects, fixed);
    let mut before = BTreeMap::new();
    for field in &chosen {
        let object = &mut objects[field.object];
        before.insert(address(object), (uid(bed, object), bed.kube_get(&Bed::path_of(object))));
        *object.pointer_mut(&field.pointer).unwrap() = field.value.clone();
    }
    write(bed, objects);

    let plan = bed.run("plan stack.yaml --json").ends_with(1).json();
    assert_eq!(steps(&plan), BTreeMap::new(), "nothing else changes");
    let refusals: BTreeMap<&str, &Value> =
        plan["refusals"].as_array().unwrap().iter().map(|one| (one["address"].as_str().unwrap(), one)).collect();
    assert_eq!(refusals.len(), chosen.len(), "{refusals:#?}");
    for field in &chosen {
        let addr = address(&objects[field.object]);
        let refusal = refusals.get(addr.as_str()).unwrap_or_else(|| panic!("{addr} {}: not refused", field.pointer));
        let says = |key: &str, text: &str| refusal[key].as_str().unwrap().contains(text);
        assert!(refusal["code"] == "plan/immutable" && says("reason", "can't be changed in place"), "{refusal}");
        assert!(says("help", "absent meanwhile") && says("help", &format!("--replace {addr}")), "{refusal}");
    }
    assert_eq!(bed.run("apply stack.yaml --auto-approve --no-wait").code, Some(1), "without consent nothing is done");

    // Some say so in the stack, some on the command line.
    let has_finalizer = |field: &Fixed| kind(&objects[field.object]).starts_with("PersistentVolume");
    let (in_stack, by_flag): (Vec<&Fixed>, Vec<&Fixed>) = chosen.iter().partition(|field| has_finalizer(field) || field.object % 2 == 0);
    let rules: Vec<String> =
        in_stack.iter().map(|field| format!("{{ for: '{}', replace: true }}", address(&objects[field.object]))).collect();
    let with_rules = stack(name).replace("files: all.json", &format!("files: all.json, rules: [{}]", rules.join(", ")));
    std::fs::write(bed.path().join("stack.yaml"), with_rules).unwrap();
    let flags: String = by_flag.iter().map(|field| format!(" --replace {}", address(&objects[field.object]))).collect();
    let plan = bed.run(&format!("plan stack.yaml --json{flags}")).ends_with(0).json();
    let told = steps(&plan);
    assert_eq!(told.len(), chosen.len(), "{told:#?}");
    let mut problems = Vec::new();
    for field in &chosen {
        let addr = address(&objects[field.object]);
        let step = &told[&addr];
        let fields: Vec<&str> = step["changed"].as_array().unwrap().iter().map(|change| change["path"].as_str().unwrap()).collect();
        let within = |inner: &str, outer: &str| inner == outer || inner.starts_with(&format!("{outer}/"));
        let is_meant = |told: &&str| {
            let place = [&before[&addr].1, &objects[field.object]].into_iter().filter_map(|object| pointer_of_told(object, told));
            place.into_iter().any(|place| within(&place, &field.pointer) || within(&field.pointer, &place))
        };
        if step["action"] != "replace" || fields.is_empty() || !fields.iter().all(|told| is_meant(&told)) {
            problems.push(format!("{addr} {}: {} {fields:?}", field.pointer, step["action"]));
        }
        if !step["action_reason"].as_str().unwrap().contains("absent for a while") {
            problems.push(format!("{addr}: {}", step["action_reason"]));
        }
    }
    assert!(problems.is_empty(), "{}", problems.join("\n"));
    replace_with(bed, &flags);
    for field in &chosen {
        let object = &objects[field.object];
        assert_ne!(uid(bed, object), before[&address(object)].0, "{}: the same object", address(object));
    }
    assert_eq!(changes(bed), BTreeMap::new(), "after the replacements");
    chosen.iter().map(|field| format!("{} {}", kind(&objects[field.object]), field.pointer)).collect()
}

fn replace_with(bed: &Bed, flags: &str) {
    let ran = bed.run(&format!("apply stack.yaml --auto-approve --no-wait{flags}"));
    assert!(matches!(ran.code, Some(0 | 3)) && !ran.stderr.contains("failed:"), "{ran:?}");
    // What is kept by finalizers takes a moment to go: a later run makes the new one.
    for _ in 0..60 {
        let left = bed.run("plan stack.yaml --json").json();
        let is_going = left["refusals"].as_array().unwrap().iter().any(|refusal| refusal["code"] == "plan/terminating");
        if !is_going && steps(&left).is_empty() {
            return;
        }
        std::thread::sleep(std::time::Duration::from_millis(500));
        if !is_going {
            apply(bed);
        }
    }
}

/// Asks for a new object of each kind, though nothing of it changes. Returns how many there were.
pub(super) fn what_is_as_it_was(bed: &Bed, objects: &[Value]) -> usize {
    let mut chosen: BTreeMap<&str, &Value> = BTreeMap::new();
    for object in objects.iter().rev().filter(|object| kind(object) != "Namespace") {
        chosen.insert(kind(object), object);
    }
    let before: BTreeMap<&str, Value> = chosen.iter().map(|(kind, object)| (*kind, uid(bed, object))).collect();
    let flags: String = chosen.values().map(|object| format!(" --replace {}", address(object))).collect();
    let told = steps(&bed.run(&format!("plan stack.yaml --json{flags}")).ends_with(0).json());
    assert_eq!(told.len(), chosen.len(), "{told:#?}");
    assert!(told.values().all(|step| step["action"] == "replace" && step["changed"].as_array().unwrap().is_empty()), "{told:#?}");
    replace_with(bed, &flags);
    for (kind, object) in &chosen {
        assert_ne!(uid(bed, object), before[kind], "{kind}: the same object");
    }
    assert_eq!(changes(bed), BTreeMap::new(), "after new ones were asked for");
    let namespace = objects.iter().find(|object| kind(object) == "Namespace").map(address).unwrap();
    let refused = bed.run(&format!("plan stack.yaml --json --replace {namespace}")).ends_with(1).json();
    assert_eq!(refused["refusals"][0]["code"], "plan/no-replacement", "{refused}");
    chosen.len()
}
