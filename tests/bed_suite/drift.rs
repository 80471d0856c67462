//! Drift field by field: another manager changes, removes or adds to each field that we own of each object, one field an object and round. Each
//! round's plan has to name just the fields that are other than they were, and its apply puts them back.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use serde_json::{Value, json};

use super::bed::Bed;
use super::objects::apply;
use super::owned::{Owned, Steps, at, pointer, pointer_of_told};

/// What is done to a field.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum How {
    Change,
    Remove,
    /// An item more in a list.
    Add,
}

/// What was tried.
#[derive(Default)]
pub(super) struct Tally {
    pub(super) rounds: usize,
    /// Fields that were made other than they were, and put back.
    pub(super) drifted: BTreeMap<How, usize>,
    /// Items that another put beside ours: never shown, never taken.
    pub(super) beside: usize,
    /// Put back by a new object, as the server takes no way back.
    pub(super) one_way: BTreeSet<String>,
    /// Fields for which the server took nothing else.
    pub(super) refused: usize,
}

/// An object under trial.
struct Subject {
    index: usize,
    path: String,
    addr: String,
    left: VecDeque<(Steps, How)>,
}

/// A field that was drifted in this round.
struct Drifted {
    subject: usize,
    before: Value,
    after: Value,
    /// The fields of ours that are other than before.
    lost: Vec<Steps>,
    how: How,
    /// What another added, when nothing of ours changed.
    beside: Option<(Steps, Value)>,
}

/// The address of an object.
pub(super) fn address(object: &Value) -> String {
    let text = |pointer: &str| object.pointer(pointer).and_then(Value::as_str);
    let (group, _) = meshform::resource::kinds::split_api_version(text("/apiVersion").unwrap());
    let kind = text("/kind").unwrap().to_lowercase();
    let within = text("/metadata/namespace").map_or(String::new(), |namespace| format!("{namespace}/"));
    let dot = if group.is_empty() { "" } else { "." };
    format!("{kind}{dot}{group}/{within}{}", text("/metadata/name").unwrap())
}

/// Drifts all that the program owns of these objects.
pub(super) fn field_by_field(bed: &Bed, objects: &[Value]) -> Tally {
    let mut subjects: Vec<Subject> = objects.iter().enumerate().map(|(index, object)| subject(bed, index, object)).collect();
    let mut tally = Tally::default();
    loop {
        let mut round = Vec::new();
        for (number, subject) in subjects.iter_mut().enumerate() {
            round.extend(drift_one(bed, objects, subject, number, &mut tally));
        }
        if round.is_empty() {
            return tally;
        }
        tally.rounds += 1;
        check(bed, objects, &subjects, &round, &mut tally);
    }
}

/// Our marks tell whose it is: to write another stack's name there is no drift.
pub(super) fn is_mark(steps: &Steps) -> bool {
    steps.last().is_some_and(|last| last.contains("meshform.dev") || last.contains("managed-by"))
}

fn subject(bed: &Bed, index: usize, object: &Value) -> Subject {
    let path = Bed::path_of(object);
    let owned = Owned::of(&bed.kube_get(&path), object);
    let leaves: Vec<Steps> = owned.leaves.into_iter().filter(|steps| !is_mark(steps)).collect();
    let each = |how| leaves.iter().cloned().map(move |steps| (steps, how));
    let added = owned.shared_lists.into_iter().map(|steps| (steps, How::Add));
    let left = each(How::Change).chain(each(How::Remove)).chain(each(How::Add)).chain(added).collect();
    Subject { index, path, addr: address(object), left }
}

/// Makes the first of the fields that are left other than it is, of those that the server lets change.
fn drift_one(bed: &Bed, objects: &[Value], subject: &mut Subject, number: usize, tally: &mut Tally) -> Option<Drifted> {
    // The cluster's own controllers may have removed it meanwhile.
    let before = bed.kube_raw("GET", &subject.path, "application/json", &Value::Null).ok()?;
    let owned = Owned::of(&before, &objects[subject.index]);
    while let Some((steps, how)) = subject.left.pop_front() {
        let Some(pointer) = pointer(&before, &steps) else { continue };
        let value = at(&before, &steps).unwrap().clone();
        let mut candidates: VecDeque<Value> = match how {
            How::Change => others(&value).into(),
            // Twice the same item is one to a list with keys.
            How::Add if owned.shared_lists.contains(&steps) => longer(&value).into_iter().filter(has_no_twins).collect(),
            How::Add if value.is_array() => longer(&value).into(),
            How::Add => continue,
            How::Remove => [Value::Null].into(),
        };
        let (mut tried, mut is_refused) = (Vec::new(), false);
        while let Some(candidate) = candidates.pop_front().filter(|_| tried.len() < 12) {
            let patch = match how {
                How::Remove => json!([{"op": "remove", "path": pointer}]),
                _ => json!([{"op": "replace", "path": pointer, "value": candidate}]),
            };
            let path = format!("{}?fieldManager=someone", subject.path);
            match bed.kube_raw("PATCH", &path, "application/json-patch+json", &patch) {
                Ok(after) if after["metadata"]["resourceVersion"] != before["metadata"]["resourceVersion"] => {
                    let is_other = |steps: &&Steps| something(at(&before, steps)) != something(at(&after, steps));
                    let lost: Vec<Steps> =
                        owned.leaves.iter().filter(is_other).filter(|steps| !is_left_to_others(steps, &after)).cloned().collect();
                    let beside = lost.is_empty().then(|| (steps, at(&after, &[]).unwrap().pointer(&pointer).cloned().unwrap_or_default()));
                    return Some(Drifted { subject: number, before, after, lost, how, beside });
                }
                Err(says) if how == How::Change => {
                    candidates.extend(supported(&says, &value).into_iter().filter(|one| !tried.contains(one)));
                    is_refused = true;
                }
                Ok(_) | Err(_) => {}
            }
            tried.push(candidate);
        }
        tally.refused += usize::from(is_refused);
    }
    None
}

/// What controllers write into an object of ours is theirs from then on: a bundle that a webhook's own controller injects.
fn is_left_to_others(steps: &Steps, live: &Value) -> bool {
    steps.last().is_some_and(|last| last == "f:caBundle") && at(live, steps).is_some()
}

/// A value, where there is one: to the API nothing, an empty map and an empty list are the same.
fn something(value: Option<&Value>) -> Option<&Value> {
    value.filter(|value| !meshform::fields::is_nothing(value))
}

/// Whether the server would take the object under another name with this value in it.
pub(super) fn is_taken_anew(bed: &Bed, object: &Value, pointer: &str, value: &Value) -> bool {
    let mut twin = object.clone();
    twin["metadata"]["name"] = json!("a-twin");
    let Some(place) = twin.pointer_mut(pointer) else { return false };
    *place = value.clone();
    let path = Bed::path_of(&twin);
    let within = path.rsplit_once('/').unwrap().0;
    bed.kube_raw("POST", &format!("{within}?dryRun=All&fieldValidation=Strict"), "application/json", &twin).is_ok()
}

/// The values that a refusal names as possible: `supported values: "Fail", "Ignore"`.
pub(super) fn supported(says: &str, value: &Value) -> Vec<Value> {
    let Some((_, list)) = says.split_once("supported values: ") else { return Vec::new() };
    let unescaped = list.replace("\\\"", "\"");
    let words = unescaped.split('"').enumerate().filter(|(index, _)| index % 2 == 1).map(|(_, word)| word);
    let words = words.take_while(|word| word.len() < 40).map(|word| json!(word));
    // The refusal may be about a text inside of a list.
    let inside = |word: Value| if value.is_array() { json!([word]) } else { word };
    words.map(inside).filter(|word| word != value).take(8).collect()
}

/// Other values of the same type, the likelier first.
pub(super) fn others(value: &Value) -> Vec<Value> {
    match value {
        Value::String(text) => {
            let more = ["x", "2Gi", "7", "80%", "eHh4", "2027-02-03T04:05:06Z", "2027-02-03T04:05:06.000000Z", "10.0.0.99", "10.98.0.0/24"];
            let more = more.into_iter().map(str::to_owned).filter(|other| other != text);
            [format!("{text}x"), format!("{text}/x")].into_iter().chain(more).map(|text| json!(text)).collect()
        }
        Value::Number(number) => [1, -1, 59].into_iter().map(|more| json!(number.as_i64().unwrap_or(0) + more)).collect(),
        Value::Bool(truth) => vec![json!(!truth)],
        Value::Array(items) if !items.is_empty() => {
            let first = |item: Value| [vec![item], items[1..].to_vec()].concat();
            others(&items[0]).into_iter().map(first).map(Value::from).chain(longer(value)).collect()
        }
        Value::Object(map) => {
            let each = map.iter().flat_map(|(name, inner)| {
                others(inner).into_iter().map(move |other| {
                    let mut map = map.clone();
                    map.insert(name.clone(), other);
                    Value::Object(map)
                })
            });
            each.collect()
        }
        _ => vec![json!({"x": "y"}), json!("x"), json!(1)],
    }
}

fn has_no_twins(list: &Value) -> bool {
    let items = list.as_array().unwrap();
    items.iter().enumerate().all(|(index, item)| !items[..index].contains(item))
}

/// A list with an item more, made after its first.
fn longer(list: &Value) -> Vec<Value> {
    let items = list.as_array().unwrap();
    let first = items.first().cloned().unwrap_or_else(|| json!("x"));
    let mut all = others(&first);
    if let Value::Object(map) = &first {
        // The keys of a list's items: another name needs another number beside it.
        let every = map.iter().map(|(name, value)| (name.clone(), others(value).into_iter().next().unwrap_or(Value::Null)));
        all.insert(0, Value::Object(every.collect()));
    }
    all.into_iter().map(|item| Value::from([items.clone(), vec![item]].concat())).collect()
}

/// Plans, holds what is told against what is true, applies, and holds the objects against what they were.
fn check(bed: &Bed, objects: &[Value], subjects: &[Subject], round: &[Drifted], tally: &mut Tally) {
    let planned = bed.run("plan stack.yaml --json");
    let plan = planned.json();
    let list = |key: &str| plan[key].as_array().unwrap().clone();
    let text = |value: &Value| value.as_str().unwrap().to_owned();
    let counted = list("resource_changes").into_iter().filter(|step| step["counts"] == true && step["action"] != "read");
    let mut told: BTreeMap<String, Value> = counted.map(|step| (text(&step["address"]), step)).collect();
    let refusals: BTreeMap<String, Value> = list("refusals").into_iter().map(|one| (text(&one["address"]), one)).collect();
    let mut problems = Vec::new();
    for drifted in round {
        let Subject { addr, path, .. } = &subjects[drifted.subject];
        let step = told.remove(addr);
        if let Some(refusal) = refusals.get(addr) {
            // The server takes no way back: true when it refuses the manifest as it is.
            let back =
                bed.kube_try(&format!("{path}?dryRun=All&force=true&fieldManager=meshform"), &objects[subjects[drifted.subject].index]);
            if refusal["code"] != "plan/immutable" || back.is_ok() {
                problems.push(format!("{addr}: {refusal}"));
            }
            println!("one way: {addr} {:?}: {}", drifted.lost, refusal["reason"]);
            tally.one_way.insert(addr.clone());
            continue;
        }
        let fields: Vec<String> =
            step.iter().flat_map(|step| step["changed"].as_array().unwrap()).map(|change| text(&change["path"])).collect();
        if let Some(wrong) = wrongly_told(drifted, &objects[subjects[drifted.subject].index], &fields) {
            let values = |object: &Value| drifted.lost.iter().map(|steps| at(object, steps).cloned()).collect::<Vec<_>>();
            let (before, after) = (values(&drifted.before), values(&drifted.after));
            problems.push(format!("{addr} {:?}: {wrong}; told {fields:?}, lost {:?}: {before:?} -> {after:?}", drifted.how, drifted.lost));
        }
        if step.is_some_and(|step| step["action"] != "update") {
            problems.push(format!("{addr}: {:?} is no update", drifted.how));
        }
    }
    // What the cluster's controllers removed is made anew; nothing else may be told.
    let is_gone = |addr: &String, step: &Value| {
        let path = subjects.iter().find(|one| one.addr == *addr).map(|one| &one.path);
        step["action"] == "create" && path.is_some_and(|_| !round.iter().any(|one| subjects[one.subject].addr == *addr))
    };
    problems
        .extend(told.iter().filter(|(addr, step)| !is_gone(addr, step)).map(|(addr, step)| format!("{addr}: told for nothing: {step}")));
    assert!(problems.is_empty(), "round {}: {} of {}:\n{}", tally.rounds, problems.len(), round.len(), problems.join("\n"));
    assert_eq!(planned.code, Some(i32::from(!refusals.is_empty())), "{planned:?}");
    if refusals.is_empty() {
        apply(bed);
    } else {
        let consent: Vec<String> = refusals.keys().map(|addr| format!(" --replace {addr}")).collect();
        let ran = bed.run(&format!("apply stack.yaml --auto-approve --no-wait{}", consent.concat()));
        assert!(matches!(ran.code, Some(0 | 3)) && !ran.stderr.contains("failed:"), "{ran:?}");
    }
    for drifted in round {
        let Subject { path, addr, .. } = &subjects[drifted.subject];
        let live = bed.kube_get(path);
        let lasting = drifted.lost.iter().filter(|steps| something(at(&live, steps)) != something(at(&drifted.before, steps)));
        let lasting: Vec<&Steps> = lasting.collect();
        assert!(lasting.is_empty(), "{addr}: not put back: {lasting:?}");
        match &drifted.beside {
            Some((steps, list)) if drifted.how == How::Add => {
                assert_eq!(at(&live, steps), Some(list), "{addr}: what another put beside ours is taken");
                tally.beside += 1;
            }
            Some(_) => {}
            None => *tally.drifted.entry(drifted.how).or_default() += 1,
        }
    }
}

/// What is wrong with the fields that a plan tells; nothing when they are the ones that were lost, all of them and no others.
fn wrongly_told(drifted: &Drifted, manifest: &Value, fields: &[String]) -> Option<String> {
    let lost: Vec<String> = drifted.lost.iter().map(|steps| pointer(&drifted.before, steps).unwrap()).collect();
    let within = |inner: &str, outer: &str| inner == outer || inner.starts_with(&format!("{outer}/"));
    let mut seen = BTreeSet::new();
    for field in fields {
        let places: Vec<String> =
            [&drifted.before, &drifted.after].into_iter().filter_map(|object| pointer_of_told(object, field)).collect();
        let meant: Vec<&String> =
            lost.iter().filter(|lost| places.iter().any(|place| within(place, lost) || within(lost, place))).collect();
        if meant.is_empty() {
            // What the server sets along with a field of ours changes with it.
            let is_other = |place: &&String| drifted.before.pointer(place) != drifted.after.pointer(place);
            if lost.is_empty() || places.iter().find(is_other).is_none() {
                return Some(format!("`{field}` is as it was"));
            }
            continue;
        }
        // A field above those that were lost may be told only when all that is ours below it was.
        let above = places.iter().find(|place| meant.iter().any(|lost| within(lost, place) && lost != place));
        if let Some(above) = above {
            let ours = Owned::of(&drifted.before, manifest).leaves;
            let kept =
                ours.iter().filter_map(|steps| pointer(&drifted.before, steps)).find(|ours| within(ours, above) && !lost.contains(ours));
            if let Some(kept) = kept {
                return Some(format!("`{field}` holds {kept}, which is as it was"));
            }
        }
        seen.extend(meant.into_iter().cloned());
    }
    // An item that got another key and stands where it stood has lost no more than that, when it is the key that is told.
    let is_in_place = |lost: &&String| {
        drifted.how == How::Change && !seen.is_empty() && drifted.before.pointer(lost.as_str()) == drifted.after.pointer(lost.as_str())
    };
    lost.iter().find(|lost| !seen.contains(*lost) && !is_in_place(lost)).map(|lost| format!("{lost} is not told"))
}
