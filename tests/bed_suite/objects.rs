//! Objects on a real API server: at peace with others, busy ones, and those of custom kinds.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::bed::Bed;

pub(super) fn stack(name: &str) -> String {
    format!("version: 1\nstack: {name}\ncluster: {{ context: bed }}\nmanifests:\n  all: {{ files: all.json }}\n")
}

pub(super) fn write(bed: &Bed, objects: &[Value]) {
    std::fs::write(bed.path().join("all.json"), json!({"apiVersion": "v1", "kind": "List", "items": objects}).to_string()).unwrap();
}

pub(super) fn namespace(name: &str) -> Value {
    json!({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name}})
}

/// The steps of the next plan that change something, and their changed fields; what is only waited for is left out.
pub(super) fn changes(bed: &Bed) -> BTreeMap<String, (String, Vec<String>)> {
    let plan = bed.run("plan stack.yaml --json").ends_with(0).json();
    let steps = plan["resource_changes"].as_array().unwrap().iter();
    let text = |value: &Value, key: &str| value[key].as_str().unwrap().to_owned();
    steps
        .filter(|step| step["counts"] == json!(true) && step["action"] != json!("read"))
        .map(|step| {
            let fields = step["changed"].as_array().unwrap().iter().map(|change| text(change, "path")).collect();
            (text(step, "address"), (text(step, "action"), fields))
        })
        .collect()
}

/// Applies without long waits: pods have no node to run on.
pub(super) fn apply(bed: &Bed) {
    let ran = bed.run("apply stack.yaml --auto-approve --no-wait");
    assert!(matches!(ran.code, Some(0 | 3)) && !ran.stderr.contains("failed:"), "{ran:?}");
}

#[test]
fn objects_that_others_write_to_stay_at_peace() {
    let bed = Bed::enter(&stack("peace"));
    let selector = json!({"matchLabels": {"app": "web"}});
    let pod = json!({"metadata": {"labels": {"app": "web"}}, "spec": {"containers": [{"name": "c", "image": "example/c:1"}]}});
    let hook = |number: u8| {
        json!({"name": format!("h{number}.example.com"), "admissionReviewVersions": ["v1"], "sideEffects": "None", "failurePolicy": "Ignore",
            "clientConfig": {"service": {"name": "elsewhere", "namespace": "peace"}},
            "rules": [{"apiGroups": ["example.com"], "apiVersions": ["v1"], "operations": ["CREATE"], "resources": ["nothings"]}]})
    };
    let policy = json!({"apiVersion": "admissionregistration.k8s.io/v1", "kind": "MutatingAdmissionPolicy", "metadata": {"name": "peace"},
        "spec": {"failurePolicy": "Fail", "reinvocationPolicy": "Never",
            "matchConstraints": {
                "namespaceSelector": {"matchLabels": {"kubernetes.io/metadata.name": "peace"}},
                "resourceRules": [{"apiGroups": [""], "apiVersions": ["v1"], "operations": ["CREATE", "UPDATE"], "resources": ["configmaps"]}]},
            "mutations": [{"patchType": "ApplyConfiguration", "applyConfiguration": {"expression":
                "Object{data: {\"mode\": \"mutated\", \"added\": \"by admission\"}}"}}]}});
    let binding = json!({"apiVersion": "admissionregistration.k8s.io/v1", "kind": "MutatingAdmissionPolicyBinding", "metadata": {"name": "peace"},
        "spec": {"policyName": "peace"}});
    // Not the stack's: someone else's admission.
    for (plural, object) in [("mutatingadmissionpolicies", &policy), ("mutatingadmissionpolicybindings", &binding)] {
        let path = format!("/apis/admissionregistration.k8s.io/v1/{plural}/peace?fieldManager=admin");
        bed.kube_raw("PATCH", &path, "application/apply-patch+yaml", object).unwrap();
    }
    let inside = |kind: &str, api: &str, name: &str, rest: Value| {
        let mut object = rest;
        object["apiVersion"] = json!(api);
        object["kind"] = json!(kind);
        object["metadata"]["name"] = json!(name);
        object
    };
    let objects = [
        namespace("peace"),
        inside(
            "Deployment",
            "apps/v1",
            "web",
            json!({"metadata": {"namespace": "peace", "annotations": {"note": "ours"}},
            "spec": {"replicas": 1, "selector": selector, "template": pod}}),
        ),
        inside(
            "HorizontalPodAutoscaler",
            "autoscaling/v2",
            "web",
            json!({"metadata": {"namespace": "peace"},
            "spec": {"minReplicas": 1, "maxReplicas": 9, "scaleTargetRef": {"apiVersion": "apps/v1", "kind": "Deployment", "name": "web"}}}),
        ),
        inside("ConfigMap", "v1", "mutated", json!({"metadata": {"namespace": "peace"}, "data": {"mode": "ours", "kept": "ours"}})),
        inside(
            "ValidatingWebhookConfiguration",
            "admissionregistration.k8s.io/v1",
            "peace",
            json!({"metadata": {}, "webhooks": [hook(1), hook(2)]}),
        ),
        inside(
            "ClusterRole",
            "rbac.authorization.k8s.io/v1",
            "peace-all",
            json!({"metadata": {}, "rules": [],
            "aggregationRule": {"clusterRoleSelectors": [{"matchLabels": {"peace": "part"}}]}}),
        ),
        inside(
            "ClusterRole",
            "rbac.authorization.k8s.io/v1",
            "peace-part",
            json!({"metadata": {"labels": {"peace": "part"}},
            "rules": [{"apiGroups": [""], "resources": ["pods"], "verbs": ["get"]}]}),
        ),
        inside(
            "Service",
            "v1",
            "web",
            json!({"metadata": {"namespace": "peace"}, "spec": {"type": "NodePort", "selector": {"app": "web"}, "ports": [{"port": 80}]}}),
        ),
    ];
    write(&bed, &objects);
    // The admission takes a moment to be known to the server.
    let path = "/api/v1/namespaces/peace/configmaps/mutated";
    let is_mutated = (0..60).any(|_| {
        apply(&bed);
        if bed.kube_get(path)["data"]["mode"] == "mutated" {
            return true;
        }
        bed.kube_raw("DELETE", path, "application/json", &Value::Null).unwrap();
        std::thread::sleep(std::time::Duration::from_secs(1));
        false
    });
    assert!(is_mutated, "the admission does not do what the test needs");
    assert_eq!(changes(&bed), BTreeMap::new(), "an admission that changes what was sent");

    let deployment = "/apis/apps/v1/namespaces/peace/deployments/web";
    let hooks = "/apis/admissionregistration.k8s.io/v1/validatingwebhookconfigurations/peace";
    let merge = "application/merge-patch+json";
    for round in 0..100_u32 {
        let scale = json!({"spec": {"replicas": 1 + round % 5}});
        bed.kube_raw("PATCH", &format!("{deployment}/scale?fieldManager=kube-controller-manager"), merge, &scale).unwrap();
        let note = json!({"metadata": {"annotations": {"deployment.kubernetes.io/revision": round.to_string(), "example.com/touched": round.to_string()}}});
        bed.kube_raw("PATCH", &format!("{deployment}?fieldManager=a-controller"), merge, &note).unwrap();
        let bundle = json!([
            {"op": "add", "path": "/webhooks/0/clientConfig/caBundle", "value": "LS0tCg=="},
            {"op": "add", "path": "/metadata/annotations", "value": {"example.com/injected": round.to_string()}},
        ]);
        if round == 0 {
            bed.kube_raw("PATCH", &format!("{hooks}?fieldManager=istiod"), "application/json-patch+json", &json!([bundle[0]])).unwrap();
        }
        assert_eq!(changes(&bed), BTreeMap::new(), "round {round}");
        if round % 10 == 0 {
            apply(&bed);
        }
        assert_eq!(bed.kube_get(deployment)["spec"]["replicas"], json!(1 + round % 5), "round {round}: nobody fought");
    }
    let role = bed.kube_get("/apis/rbac.authorization.k8s.io/v1/clusterroles/peace-all");
    assert_eq!(role["rules"].as_array().map(Vec::len), Some(1), "aggregated by its controller: {role}");
    // A change of ours goes through beside all that, and leaves the others' fields alone.
    let mut changed = objects.clone();
    changed[1]["spec"]["template"]["spec"]["containers"][0]["image"] = json!("example/c:2");
    write(&bed, &changed);
    assert_eq!(changes(&bed)["deployment.apps/peace/web"].1, ["spec.template.spec.containers[c].image"]);
    apply(&bed);
    assert_eq!(bed.kube_get(deployment)["spec"]["replicas"], json!(5));
    assert_eq!(bed.kube_get(hooks)["webhooks"][0]["clientConfig"]["caBundle"], "LS0tCg==");
    bed.run("destroy stack.yaml --auto-approve").ends_with(0);
    for plural in ["mutatingadmissionpolicybindings", "mutatingadmissionpolicies"] {
        bed.kube_raw("DELETE", &format!("/apis/admissionregistration.k8s.io/v1/{plural}/peace"), "application/json", &Value::Null).unwrap();
    }
}

#[test]
fn what_others_write_while_a_plan_is_made_is_no_change() {
    let bed = Bed::enter(&stack("busy"));
    let object = |value: &str| json!({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "busy", "namespace": "busy", "annotations": {"note": value}}, "data": {"a": value}});
    write(&bed, &[namespace("busy"), object("one")]);
    apply(&bed);
    let path = "/api/v1/namespaces/busy/configmaps/busy";
    let is_over = std::sync::atomic::AtomicBool::new(false);
    std::thread::scope(|scope| {
        let over = &is_over;
        let bed = &bed;
        let writer = scope.spawn(move || {
            let mut count = 0_u32;
            while !over.load(std::sync::atomic::Ordering::Relaxed) {
                count += 1;
                let note =
                    json!({"metadata": {"annotations": {"example.com/at": count.to_string()}}, "data": {"theirs": count.to_string()}});
                bed.kube_raw("PATCH", &format!("{path}?fieldManager=busy-controller"), "application/merge-patch+json", &note).unwrap();
            }
            count
        });
        for round in 0..20 {
            // Another value each time, so that every plan has to ask the server.
            write(bed, &[namespace("busy"), object(&format!("round {round}"))]);
            let told = changes(bed);
            let own = ("update".to_owned(), vec!["data.a".to_owned(), "metadata.annotations.note".to_owned()]);
            if told != BTreeMap::from([("configmap/busy/busy".to_owned(), own)]) {
                is_over.store(true, std::sync::atomic::Ordering::Relaxed);
                panic!("round {round}: {told:?}");
            }
        }
        is_over.store(true, std::sync::atomic::Ordering::Relaxed);
        println!("{} changes by another while 20 plans were made", writer.join().unwrap());
    });
    bed.run("destroy stack.yaml --auto-approve").ends_with(0);
}

/// A definition with list types, defaults, a status and a scale, in two versions.
fn definition() -> Value {
    let schema = json!({"type": "object", "properties": {
        "spec": {"type": "object", "properties": {
            "size": {"type": "integer", "default": 3},
            "replicas": {"type": "integer"},
            "ports": {"type": "array", "x-kubernetes-list-type": "map", "x-kubernetes-list-map-keys": ["name"], "items": {"type": "object", "required": ["name"],
                "properties": {"name": {"type": "string"}, "port": {"type": "integer", "default": 80}}}},
            "tags": {"type": "array", "x-kubernetes-list-type": "set", "items": {"type": "string"}},
            "args": {"type": "array", "items": {"type": "string"}},
            "limit": {"x-kubernetes-int-or-string": true},
            "free": {"type": "object", "x-kubernetes-preserve-unknown-fields": true},
            "mode": {"type": "string", "x-kubernetes-validations": [{"rule": "self == oldSelf", "message": "mode is immutable"}]}}},
        "status": {"type": "object", "properties": {"replicas": {"type": "integer"}, "conditions": {"type": "array", "items": {"type": "object", "x-kubernetes-preserve-unknown-fields": true}}}}}});
    let version = |name: &str, storage: bool| {
        json!({"name": name, "served": true, "storage": storage, "schema": {"openAPIV3Schema": schema},
            "subresources": {"status": {}, "scale": {"specReplicasPath": ".spec.replicas", "statusReplicasPath": ".status.replicas"}}})
    };
    json!({"apiVersion": "apiextensions.k8s.io/v1", "kind": "CustomResourceDefinition", "metadata": {"name": "widgets.objects.test"},
        "spec": {"group": "objects.test", "scope": "Namespaced", "names": {"plural": "widgets", "kind": "Widget"}, "conversion": {"strategy": "None"},
            "versions": [version("v1", false), version("v2", true)]}})
}

#[test]
fn a_definition_takes_without_the_server_what_it_takes_with_it() {
    let bed = Bed::enter(&stack("offline"));
    let text = |rules: Value| {
        let mut schema = json!({"type": "string"});
        schema.as_object_mut().unwrap().extend(rules.as_object().unwrap().clone());
        schema
    };
    let either = json!([{"required": ["x"]}, {"required": ["y"]}]);
    let spec = json!({"type": "object", "required": ["size", "mode"], "properties": {
        "size": {"type": "integer", "minimum": 1, "maximum": 9, "multipleOf": 1},
        "below": {"type": "number", "maximum": 1, "exclusiveMaximum": true},
        "mode": text(json!({"enum": ["a", "b"], "default": "a"})),
        "name": text(json!({"pattern": "^[a-z]+$", "minLength": 2, "maxLength": 5})),
        "port": {"anyOf": [{"type": "integer"}, {"type": "string"}], "x-kubernetes-int-or-string": true},
        "tags": {"type": "array", "minItems": 1, "maxItems": 2, "items": {"type": "string", "minLength": 1}},
        "free": {"type": "object", "x-kubernetes-preserve-unknown-fields": true, "properties": {"n": {"type": "integer"}}},
        "any": {"type": "object", "maxProperties": 1, "additionalProperties": {"type": "string"}},
        "none": {"type": "string", "nullable": true},
        "empty": {"type": "object"},
        "one": {"type": "object", "oneOf": either, "properties": {"x": {"type": "string"}, "y": {"type": "string"}}},
        "some": {"type": "integer", "anyOf": [{"maximum": 3}, {"minimum": 7}], "not": {"enum": [8]}},
        "all": {"type": "string", "allOf": [{"minLength": 2}, {"pattern": "b$"}]},
        "on": {"type": "boolean"},
    }});
    let schema = json!({"type": "object", "properties": {"spec": spec}});
    let version = |name: &str, served: bool, storage: bool| json!({"name": name, "served": served, "storage": storage, "schema": {"openAPIV3Schema": schema}});
    let definition = json!({"apiVersion": "apiextensions.k8s.io/v1", "kind": "CustomResourceDefinition", "metadata": {"name": "gauges.offline.test"},
        "spec": {"group": "offline.test", "scope": "Cluster", "names": {"plural": "gauges", "kind": "Gauge"},
            "versions": [version("v1", true, true), version("v2", false, false)]}});
    write(&bed, std::slice::from_ref(&definition));
    bed.run("apply stack.yaml --auto-approve").ends_with(0);
    let (mut taken, mut refused) = (0, 0);
    for change in [
        json!({}),
        json!({"size": null}),
        json!({"size": 0}),
        json!({"size": 10}),
        json!({"size": "1"}),
        json!({"size": 1.5}),
        json!({"size": 2.0}),
        json!({"below": 0.5}),
        json!({"below": 1}),
        json!({"mode": "c"}),
        json!({"mode": "b"}),
        json!({"mode": null}),
        json!({"name": "ab"}),
        json!({"name": "a"}),
        json!({"name": "Abc"}),
        json!({"name": "abcdef"}),
        json!({"port": 80}),
        json!({"port": "http"}),
        json!({"port": true}),
        json!({"port": 1.5}),
        json!({"tags": []}),
        json!({"tags": ["a"]}),
        json!({"tags": [""]}),
        json!({"tags": ["a", "b", "c"]}),
        json!({"tags": [1]}),
        json!({"tags": "a"}),
        json!({"free": {"x": {"y": [1]}}}),
        json!({"free": {"n": "1"}}),
        json!({"any": {"x": "y"}}),
        json!({"any": {"x": 1}}),
        json!({"any": {"x": "1", "y": "2"}}),
        json!({"none": null}),
        json!({"empty": {}}),
        json!({"empty": {"x": 1}}),
        json!({"one": {}}),
        json!({"one": {"x": "a"}}),
        json!({"one": {"x": "a", "y": "b"}}),
        json!({"some": 2}),
        json!({"some": 5}),
        json!({"some": 8}),
        json!({"some": 9}),
        json!({"all": "ab"}),
        json!({"all": "b"}),
        json!({"all": "ba"}),
        json!({"on": true}),
        json!({"on": "true"}),
        json!({"unknown": 1}),
        json!({"free": 1}),
        json!({"one": null}),
    ] {
        let mut spec = json!({"size": 1});
        spec.as_object_mut().unwrap().extend(change.as_object().unwrap().clone());
        let object = json!({"apiVersion": "offline.test/v1", "kind": "Gauge", "metadata": {"name": "one"}, "spec": spec});
        let path = "/apis/offline.test/v1/gauges?dryRun=All&fieldValidation=Strict";
        let server = bed.kube_raw("POST", path, "application/json", &object);
        write(&bed, &[definition.clone(), object]);
        let ran = bed.run("validate stack.yaml");
        assert_eq!(ran.code == Some(0), server.is_ok(), "{change}: {server:?}: {ran:?}");
        *(if server.is_ok() { &mut taken } else { &mut refused }) += 1;
        assert!(server.is_ok() || ran.stderr.contains("manifest/schema"), "{ran:?}");
    }
    println!("{taken} objects taken and {refused} refused, as the API server does");
    let later = json!({"apiVersion": "offline.test/v2", "kind": "Gauge", "metadata": {"name": "one"}, "spec": {"size": 1}});
    write(&bed, &[definition.clone(), later]);
    assert!(bed.run("validate stack.yaml").ends_with(1).stderr.contains("it serves v1"));
    write(&bed, std::slice::from_ref(&definition));
    bed.run("destroy stack.yaml --auto-approve").ends_with(0);
}

#[test]
fn custom_kinds_with_list_types_defaults_versions_and_subresources_are_as_any_other() {
    let bed = Bed::enter(&stack("custom"));
    let widget = |name: &str, version: &str, spec: Value| json!({"apiVersion": format!("objects.test/{version}"), "kind": "Widget", "metadata": {"name": name, "namespace": "custom"}, "spec": spec});
    let spec = json!({"ports": [{"name": "a"}, {"name": "b", "port": 90}], "tags": ["x", "y"], "args": ["1", "2"], "limit": "50%",
        "free": {"deep": {"er": [1, {"a": "b"}]}}, "mode": "one"});
    let objects = [
        namespace("custom"),
        definition(),
        widget("one", "v1", spec.clone()),
        widget("two", "v2", spec.clone()),
        widget("empty", "v1", json!({})),
    ];
    write(&bed, &objects);
    bed.run("apply stack.yaml --auto-approve").ends_with(0);
    assert_eq!(changes(&bed), BTreeMap::new());
    let path = "/apis/objects.test/v2/namespaces/custom/widgets/one";
    assert_eq!(bed.kube_get(path)["spec"]["size"], 3);
    let merge = "application/merge-patch+json";
    // What others add is theirs, and what a controller tells of it is no change.
    let others = json!([
        {"op": "add", "path": "/spec/ports/-", "value": {"name": "theirs", "port": 1}},
        {"op": "add", "path": "/spec/tags/-", "value": "z"},
        {"op": "add", "path": "/spec/size", "value": 9},
    ]);
    bed.kube_raw("PATCH", &format!("{path}?fieldManager=other"), "application/json-patch+json", &others).unwrap();
    bed.kube_raw("PATCH", &format!("{path}/status?fieldManager=controller"), merge, &json!({"status": {"replicas": 1}})).unwrap();
    assert_eq!(changes(&bed), BTreeMap::new(), "additions of others");
    // What they change of ours is put back.
    let drift =
        json!([{"op": "replace", "path": "/spec/ports/1/port", "value": 91}, {"op": "replace", "path": "/spec/args", "value": ["3"]}]);
    bed.kube_raw("PATCH", &format!("{path}?fieldManager=other"), "application/json-patch+json", &drift).unwrap();
    assert_eq!(changes(&bed)["widget.objects.test/custom/one"].1, ["spec.args", "spec.ports[b].port"]);
    bed.run("apply stack.yaml --auto-approve").ends_with(0);
    let live = bed.kube_get(path);
    assert_eq!((&live["spec"]["args"], &live["spec"]["ports"][2]["name"]), (&json!(["1", "2"]), &json!("theirs")), "{live}");
    assert_eq!(changes(&bed), BTreeMap::new());
    // Another version of the same object is no change of it.
    let mut changed = objects.clone();
    changed[2]["apiVersion"] = json!("objects.test/v2");
    changed[3]["spec"]["tags"] = json!(["x"]);
    write(&bed, &changed);
    let told = changes(&bed);
    assert_eq!(told["widget.objects.test/custom/two"].1, ["spec.tags"], "{told:?}");
    assert!(!told.contains_key("widget.objects.test/custom/one"), "{told:?}");
    bed.run("apply stack.yaml --auto-approve").ends_with(0);
    assert_eq!(changes(&bed), BTreeMap::new());
    // What its own rules don't let change is refused, and replaced with consent.
    changed[3]["spec"]["mode"] = json!("two");
    write(&bed, &changed);
    let plan = bed.run("plan stack.yaml --json").ends_with(1).json();
    assert_eq!(plan["refusals"][0]["code"], "plan/immutable", "{plan}");
    assert!(plan["refusals"][0]["reason"].as_str().unwrap().contains("mode is immutable"), "{plan}");
    bed.run("apply stack.yaml --auto-approve --replace widget.objects.test/custom/two").ends_with(0);
    assert_eq!(bed.kube_get("/apis/objects.test/v2/namespaces/custom/widgets/two")["spec"]["mode"], "two");
    assert_eq!(changes(&bed), BTreeMap::new());
    // The definition goes last, and only when nobody else has objects of its kind.
    let theirs = widget("theirs", "v2", json!({}));
    bed.kube_raw("POST", "/apis/objects.test/v2/namespaces/custom/widgets", "application/json", &theirs).unwrap();
    let plan = bed.run("plan stack.yaml --destroy --json").ends_with(0).json();
    let kept = plan["resource_changes"].as_array().unwrap().iter().filter(|step| step["action"] == "release").count();
    assert_eq!(kept, 2, "the definition and the namespace: {plan}");
    bed.kube_raw("DELETE", "/apis/objects.test/v2/namespaces/custom/widgets/theirs", "application/json", &Value::Null).unwrap();
    bed.run("destroy stack.yaml --auto-approve").ends_with(0);
    assert!(
        bed.kube_raw(
            "GET",
            "/apis/apiextensions.k8s.io/v1/customresourcedefinitions/widgets.objects.test",
            "application/json",
            &Value::Null
        )
        .is_err()
    );
}
