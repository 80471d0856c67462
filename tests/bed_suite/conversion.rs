//! A custom kind of two versions that a webhook converts: applied in one, stored in the other.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::bed::Bed;
use super::converter::Converter;
use super::objects::{changes, namespace, stack, write};

/// The field that the versions call by other names.
const NAMES: [(&str, &str); 2] = [("v1", "size"), ("v2", "capacity")];

/// Renames the field, and what the two have in common stays.
fn convert(mut object: Value, version: &str) -> Value {
    object["apiVersion"] = json!(version);
    // The server also asks for the part of an object that one manager owns, without its metadata, and wants some back.
    if object.get("metadata").is_none() {
        object["metadata"] = json!({});
    }
    let to = NAMES.iter().find(|(name, _)| version.ends_with(name)).unwrap().1;
    let spec = object.get_mut("spec").and_then(Value::as_object_mut);
    if let Some(spec) = spec {
        for (_, from) in NAMES.iter().filter(|(_, from)| *from != to) {
            let value = spec.shift_remove(*from);
            spec.extend(value.map(|value| (to.to_owned(), value)));
        }
    }
    object
}

/// The definition: list types, defaults, a rule, status and scale, two versions.
fn definition(converter: &Converter) -> Value {
    let version = |name: &str, field: &str, storage: bool| {
        json!({"name": name, "served": true, "storage": storage,
            "subresources": {"status": {}, "scale": {"specReplicasPath": ".spec.replicas", "statusReplicasPath": ".status.replicas"}},
            "schema": {"openAPIV3Schema": {"type": "object", "properties": {
                "spec": {"type": "object", "properties": {
                    field: {"type": "integer", "default": 3},
                    "replicas": {"type": "integer"},
                    "ports": {"type": "array", "x-kubernetes-list-type": "map", "x-kubernetes-list-map-keys": ["name"],
                        "items": {"type": "object", "required": ["name"], "properties": {
                            "name": {"type": "string"}, "port": {"type": "integer", "default": 80}}}},
                    "tags": {"type": "array", "x-kubernetes-list-type": "set", "items": {"type": "string"}},
                    "mode": {"type": "string", "x-kubernetes-validations": [{"rule": "self == oldSelf", "message": "mode is immutable"}]}}},
                "status": {"type": "object", "properties": {"replicas": {"type": "integer"}}}}}}})
    };
    json!({"apiVersion": "apiextensions.k8s.io/v1", "kind": "CustomResourceDefinition", "metadata": {"name": "tanks.convert.test"},
        "spec": {"group": "convert.test", "scope": "Namespaced", "names": {"plural": "tanks", "kind": "Tank"},
            "conversion": {"strategy": "Webhook", "webhook": {"conversionReviewVersions": ["v1"],
                "clientConfig": {"url": converter.url, "caBundle": converter.ca_bundle}}},
            "versions": [version("v1", "size", false), version("v2", "capacity", true)]}})
}

fn tank(name: &str, version: &str, spec: &Value) -> Value {
    json!({"apiVersion": format!("convert.test/{version}"), "kind": "Tank", "metadata": {"name": name, "namespace": "convert"}, "spec": spec})
}

fn path(version: &str, name: &str) -> String {
    format!("/apis/convert.test/{version}/namespaces/convert/tanks/{name}")
}

#[test]
fn a_kind_that_a_webhook_converts_is_as_any_other() {
    let converter = Converter::start(convert);
    let bed = Bed::enter(&stack("convert"));
    let spec = |field: &str| json!({field: 5, "replicas": 1, "ports": [{"name": "a"}, {"name": "b", "port": 90}], "tags": ["x", "y"], "mode": "one"});
    let mut objects = vec![
        namespace("convert"),
        definition(&converter),
        tank("old", "v1", &spec("size")),
        tank("new", "v2", &spec("capacity")),
        tank("empty", "v1", &json!({})),
    ];
    write(&bed, &objects);
    bed.run("apply stack.yaml --auto-approve").ends_with(0);
    assert_eq!(changes(&bed), BTreeMap::new(), "after the apply");
    assert!(converter.converted() > 0, "the server has asked the webhook");
    let stored = bed.kube_get(&path("v2", "old"));
    assert_eq!((&stored["spec"]["capacity"], stored["spec"].get("size")), (&json!(5), None), "stored in the other version: {stored}");
    assert_eq!(bed.kube_get(&path("v2", "empty"))["spec"]["capacity"], 3, "with its default");
    std::fs::remove_dir_all(bed.path().join(".meshform")).unwrap();
    assert_eq!(changes(&bed), BTreeMap::new(), "without the state");
    bed.run("apply stack.yaml --auto-approve").ends_with(0);

    // Others write in the version that they know.
    let patch = |version: &str, name: &str, body: &Value| {
        let path = format!("{}?fieldManager=other", path(version, name));
        bed.kube_raw("PATCH", &path, "application/json-patch+json", body).unwrap();
    };
    for (version, name) in [("v2", "old"), ("v1", "new")] {
        let more = json!([{"op": "add", "path": "/spec/ports/-", "value": {"name": "theirs", "port": 1}}, {"op": "add", "path": "/spec/tags/-", "value": "z"}]);
        patch(version, name, &more);
    }
    let merge = "application/merge-patch+json";
    let status = format!("{}/status?fieldManager=controller", path("v2", "old"));
    bed.kube_raw("PATCH", &status, merge, &json!({"status": {"replicas": 1}})).unwrap();
    assert_eq!(changes(&bed), BTreeMap::new(), "additions of others, and what a controller tells");
    patch(
        "v2",
        "old",
        &json!([{"op": "replace", "path": "/spec/capacity", "value": 9}, {"op": "replace", "path": "/spec/ports/1/port", "value": 91}]),
    );
    patch("v1", "new", &json!([{"op": "remove", "path": "/spec/size"}, {"op": "remove", "path": "/spec/tags/0"}]));
    let scale = format!("{}/scale?fieldManager=other", path("v1", "new"));
    bed.kube_raw("PATCH", &scale, merge, &json!({"spec": {"replicas": 4}})).unwrap();
    let told = changes(&bed);
    assert_eq!(told["tank.convert.test/convert/old"], ("update".to_owned(), vec!["spec.ports[b].port".to_owned(), "spec.size".to_owned()]));
    assert_eq!(told["tank.convert.test/convert/new"].1, ["spec.capacity", "spec.replicas", "spec.tags"], "{told:?}");
    bed.run("apply stack.yaml --auto-approve").ends_with(0);
    let (old, new) = (bed.kube_get(&path("v1", "old")), bed.kube_get(&path("v2", "new")));
    assert_eq!(
        (&old["spec"]["size"], &old["spec"]["ports"][1]["port"], &old["spec"]["ports"][2]["name"]),
        (&json!(5), &json!(90), &json!("theirs"))
    );
    assert_eq!((&new["spec"]["capacity"], &new["spec"]["replicas"]), (&json!(5), &json!(1)), "{new}");
    assert_eq!(changes(&bed), BTreeMap::new(), "after the repair");

    // The manifest goes over to the other version: the same object, and not another value.
    objects[2] = tank("old", "v2", &spec("capacity"));
    write(&bed, &objects);
    assert_eq!(changes(&bed), BTreeMap::new(), "the same in the other version");
    bed.run("apply stack.yaml --auto-approve").ends_with(0);
    objects[2]["spec"].as_object_mut().unwrap().shift_remove("capacity");
    write(&bed, &objects);
    assert_eq!(changes(&bed)["tank.convert.test/convert/old"].1, ["spec.capacity"], "a field that is taken out under its new name");
    bed.run("apply stack.yaml --auto-approve").ends_with(0);
    assert_eq!(bed.kube_get(&path("v1", "old"))["spec"]["size"], 3, "it is the default now");
    assert_eq!(changes(&bed), BTreeMap::new());

    // What can't change is replaced with consent.
    let uid = |name: &str| bed.kube_get(&path("v1", name))["metadata"]["uid"].clone();
    let before = uid("new");
    objects[3]["spec"]["mode"] = json!("two");
    write(&bed, &objects);
    let plan = bed.run("plan stack.yaml --json").ends_with(1).json();
    assert!(plan["refusals"][0]["reason"].as_str().unwrap().contains("mode is immutable"), "{plan}");
    bed.run("apply stack.yaml --auto-approve --replace tank.convert.test/convert/new").ends_with(0);
    assert_ne!(uid("new"), before);
    assert_eq!(bed.kube_get(&path("v1", "new"))["spec"]["mode"], "two");
    assert_eq!(changes(&bed), BTreeMap::new(), "after the replacement");

    // One goes, then all.
    let gone = objects.remove(4);
    write(&bed, &objects);
    assert_eq!(changes(&bed), BTreeMap::from([("tank.convert.test/convert/empty".to_owned(), ("delete".to_owned(), Vec::new()))]));
    bed.run("apply stack.yaml --auto-approve").ends_with(0);
    let is_there = |path: &str| bed.kube_raw("GET", path, "application/json", &Value::Null).is_ok();
    assert!(!is_there(&path("v1", gone["metadata"]["name"].as_str().unwrap())));
    bed.run("destroy stack.yaml --auto-approve").ends_with(0);
    assert!(!is_there("/apis/apiextensions.k8s.io/v1/customresourcedefinitions/tanks.convert.test"));
    println!("{} conversions", converter.converted());
}
