//! Replacement: what a kind doesn't let change is planned as a new object, refused without consent, and made with it.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use serde_json::{Value, json};

use super::bed::Bed;
use super::drift::{address, is_mark, is_taken_anew, others, supported};
use super::generate::generate;
use super::objects::{apply, changes, namespace, stack, write};
use super::owned::{Owned, at, pointer, pointer_of_told};

/// An object's uid. One that a controller removed meanwhile is made again by the same command.
fn uid(bed: &Bed, object: &Value) -> Value {
    for _ in 0..10 {
        if let Ok(live) = bed.kube_raw("GET", &Bed::path_of(object), "application/json", &Value::Null) {
            return live["metadata"]["uid"].clone();
        }
        bed.run("apply stack.yaml --auto-approve --no-wait");
    }
    panic!("{}: it is not there, and no apply makes it", address(object));
}

fn kind(object: &Value) -> &str {
    object["kind"].as_str().unwrap()
}

/// A field that the server lets nobody change, and a value that it takes in a new object.
struct Fixed {
    object: usize,
    pointer: String,
    value: Value,
}

/// Claims and volumes that were generated: the cluster's controllers bind them at any time, and with that change what may change. Those that
/// nothing binds have a test of their own.
fn may_be_bound(object: &Value) -> bool {
    kind(object).starts_with("PersistentVolume")
        && object["spec"]["storageClassName"].as_str().is_none_or(|class| !class.starts_with("nobodys"))
}

/// One object for each field of each kind that can't change; each object has one of them.
fn one_each(bed: &Bed, objects: &[Value]) -> Vec<Fixed> {
    let (mut seen, mut chosen) = (BTreeSet::new(), Vec::new());
    for (index, object) in objects.iter().enumerate() {
        if kind(object) == "Namespace" || may_be_bound(object) {
            continue;
        }
        let live = bed.kube_get(&Bed::path_of(object));
        for steps in Owned::of(&live, object).leaves.iter().filter(|steps| !is_mark(steps)) {
            let Some(pointer) = pointer(&live, steps) else { continue };
            if object.pointer(&pointer).is_none() || !seen.insert((kind(object), pointer.clone())) {
                continue;
            }
            if let Some(value) = fixed_at(bed, object, &pointer, at(&live, steps).unwrap()) {
                chosen.push(Fixed { object: index, pointer, value });
                break;
            }
        }
    }
    chosen
}

/// Another value for a field that can't be changed to it, and that a new object may have.
fn fixed_at(bed: &Bed, object: &Value, pointer: &str, value: &Value) -> Option<Value> {
    let mut candidates: VecDeque<Value> = others(value).into_iter().take(3).collect();
    let mut tried = Vec::new();
    while let Some(candidate) = candidates.pop_front().filter(|_| tried.len() < 6) {
        let patch = json!([{"op": "replace", "path": pointer, "value": candidate}]);
        let path = format!("{}?dryRun=All", Bed::path_of(object));
        match bed.kube_raw("PATCH", &path, "application/json-patch+json", &patch) {
            Ok(_) => return None,
            Err(says) => candidates.extend(supported(&says, value).into_iter().filter(|one| !tried.contains(one))),
        }
        tried.push(candidate);
    }
    tried.into_iter().find(|candidate| is_taken_anew(bed, object, pointer, candidate))
}

/// The steps of a plan by address.
fn steps(plan: &Value) -> BTreeMap<String, Value> {
    let steps = plan["resource_changes"].as_array().unwrap().iter().filter(|step| step["counts"] == true && step["action"] != "read");
    steps.map(|step| (step["address"].as_str().unwrap().to_owned(), step.clone())).collect()
}

/// Changes what can't be changed. Returns the kinds and fields that were replaced.
fn what_cannot_change(bed: &Bed, name: &str, objects: &mut [Value]) -> BTreeSet<String> {
    let chosen = one_each(bed, objects);
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
    let (in_stack, by_flag) = chosen.split_at(chosen.len() / 2);
    let rules: Vec<String> =
        in_stack.iter().map(|field| format!("{{ for: '{}', replace: true }}", address(&objects[field.object]))).collect();
    let with_rules = stack(name).replace("files: all.json", &format!("files: all.json, rules: [{}]", rules.join(", ")));
    std::fs::write(bed.path().join("stack.yaml"), with_rules).unwrap();
    let flags = flags(by_flag.iter().map(|field| &objects[field.object]));
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
        if step["action"] != "replace" || fields.is_empty() || !fields.iter().all(is_meant) {
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

/// The flags that ask for new ones of these objects.
fn flags<'o>(objects: impl Iterator<Item = &'o Value>) -> String {
    let words: Vec<String> = objects.flat_map(|object| ["--replace".to_owned(), address(object)]).collect();
    if words.is_empty() { String::new() } else { format!(" {}", words.join(" ")) }
}

fn replace_with(bed: &Bed, flags: &str) {
    let ran = bed.run(&format!("apply stack.yaml --auto-approve --no-wait{flags}"));
    assert!(matches!(ran.code, Some(0 | 3)) && !ran.stderr.contains("failed:"), "{ran:?}");
    // What others have to let go of first takes a moment: a later run makes the new one.
    let mut left = Value::Null;
    for _ in 0..60 {
        left = bed.run("plan stack.yaml --json").json();
        let refusals = left["refusals"].as_array().unwrap();
        if refusals.is_empty() && steps(&left).is_empty() {
            return;
        }
        assert!(refusals.iter().all(|refusal| refusal["code"] == "plan/terminating"), "{refusals:#?}");
        std::thread::sleep(std::time::Duration::from_millis(500));
        if refusals.is_empty() {
            apply(bed);
        }
    }
    panic!("the replacements come to no end: {:#?}", steps(&left));
}

/// Asks for a new object of each kind, though nothing of it changes. Returns how many there were.
fn what_is_as_it_was(bed: &Bed, objects: &[Value]) -> usize {
    let mut chosen: BTreeMap<&str, &Value> = BTreeMap::new();
    for object in objects.iter().rev().filter(|object| kind(object) != "Namespace" && !may_be_bound(object)) {
        chosen.insert(kind(object), object);
    }
    let before: BTreeMap<&str, Value> = chosen.iter().map(|(kind, object)| (*kind, uid(bed, object))).collect();
    let flags = flags(chosen.values().copied());
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

#[test]
fn what_can_not_change_is_replaced_with_consent_and_any_kind_for_the_asking() {
    let bed = Bed::enter(&stack("replace"));
    let name = "replace-gen";
    bed.kube_raw("PATCH", &format!("/api/v1/namespaces/{name}?fieldManager=generate"), "application/apply-patch+yaml", &namespace(name))
        .unwrap();
    let mut objects = generate(&bed, name, 6);
    write(&bed, &objects);
    apply(&bed);
    let replaced = what_cannot_change(&bed, "replace", &mut objects);
    println!("{} fields that can't change, changed by a new object: {replaced:?}", replaced.len());
    assert!(replaced.len() > 25, "{replaced:?}");
    let anew = what_is_as_it_was(&bed, &objects);
    println!("{anew} kinds made anew for the asking");
    assert!(anew > 45, "{anew}");
    bed.run("destroy stack.yaml --auto-approve").ends_with(0);
    bed.kube_raw("DELETE", &format!("/api/v1/namespaces/{name}"), "application/json", &Value::Null).unwrap();
}

/// Claims and volumes of classes that nobody provides: what they are stays as it was made.
fn unbound(name: &str) -> Vec<Value> {
    let size = json!({"storage": "1Gi"});
    let claim = |number: u8| {
        json!({"apiVersion": "v1", "kind": "PersistentVolumeClaim", "metadata": {"name": format!("claim-{number}"), "namespace": name},
            "spec": {"storageClassName": format!("nobodys-claims-{number}"), "accessModes": ["ReadWriteOnce"], "volumeMode": "Filesystem",
                "resources": {"requests": size}, "selector": {"matchLabels": {"for": "nobody"}}}})
    };
    let volume = |number: u8| {
        json!({"apiVersion": "v1", "kind": "PersistentVolume", "metadata": {"name": format!("{name}-volume-{number}")},
            "spec": {"storageClassName": format!("nobodys-volumes-{number}"), "accessModes": ["ReadWriteOnce"], "volumeMode": "Filesystem",
                "capacity": size, "persistentVolumeReclaimPolicy": "Retain", "hostPath": {"path": "/nobodys", "type": "DirectoryOrCreate"}}})
    };
    let own = [json!({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name}})];
    own.into_iter().chain((0..6).map(claim)).chain((0..6).map(volume)).collect()
}

#[test]
fn claims_and_volumes_are_replaced_with_consent_and_what_they_hold_is_spoken_of() {
    let bed = Bed::enter(&stack("storage"));
    let mut objects = unbound("storage");
    write(&bed, &objects);
    apply(&bed);
    let replaced = what_cannot_change(&bed, "storage", &mut objects);
    println!("{} fields of claims and volumes, changed by a new object: {replaced:?}", replaced.len());
    for field in
        ["PersistentVolumeClaim /spec/storageClassName", "PersistentVolumeClaim /spec/volumeMode", "PersistentVolume /spec/hostPath/path"]
    {
        assert!(replaced.contains(field), "{field}: {replaced:?}");
    }
    what_is_as_it_was(&bed, &objects);

    // A volume and the claim that is bound to it.
    let size = json!({"storage": "1Gi"});
    let pair = [
        json!({"apiVersion": "v1", "kind": "PersistentVolume", "metadata": {"name": "storage-bound"},
            "spec": {"storageClassName": "nobodys-pair", "accessModes": ["ReadWriteOnce"], "capacity": size, "persistentVolumeReclaimPolicy": "Retain",
                "hostPath": {"path": "/pair"}}}),
        json!({"apiVersion": "v1", "kind": "PersistentVolumeClaim", "metadata": {"name": "bound", "namespace": "storage"},
            "spec": {"storageClassName": "nobodys-pair", "accessModes": ["ReadWriteOnce"], "volumeName": "storage-bound", "resources": {"requests": size}}}),
    ];
    objects.extend(pair);
    write(&bed, &objects);
    bed.run("apply stack.yaml --auto-approve --no-wait");
    let is_bound = || bed.kube_get(&Bed::path_of(objects.last().unwrap()))["status"]["phase"] == "Bound";
    assert!(
        (0..100).any(|_| is_bound() || {
            std::thread::sleep(std::time::Duration::from_millis(200));
            false
        }),
        "the claim is not bound"
    );
    assert_eq!(changes(&bed), BTreeMap::new(), "what the controllers wrote when they bound it");
    let before = uid(&bed, objects.last().unwrap());
    let addr = "persistentvolumeclaim/storage/bound";
    let told = bed.run(&format!("plan stack.yaml --replace {addr}")).ends_with(0);
    assert!(told.stdout.contains("what it stores may be lost"), "{}", told.stdout);
    replace_with(&bed, &format!(" --replace {addr}"));
    assert_ne!(uid(&bed, objects.last().unwrap()), before);
    bed.run("destroy stack.yaml --auto-approve").ends_with(0);
}
