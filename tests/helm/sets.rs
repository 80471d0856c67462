//! Value sets for a chart, made from the chart itself: each boolean turned round, each enum of the schema, each profile, and mixtures.

use std::path::Path;

use meshform::helm::{Show, json, yaml};
use serde_json::{Map, Value, json};

use super::reference::{Case, files};

/// Istio's charts hide their defaults under this key; users set them at the top.
const HIDDEN: &str = "_internal_defaults_do_not_set";
/// How many mixtures are made.
const MIXTURES: usize = 24;

/// All sets of a chart.
pub(super) fn of(name: &str, folder: &Path) -> Vec<Case> {
    let files = files(folder);
    let defaults = files.get("values.yaml").map_or(Value::Null, |text| read(text));
    let mut leaves = Vec::new();
    collect(&defaults, &mut Vec::new(), &mut leaves);
    let mut cases = vec![Case::named("defaults")];
    for leaf in &leaves {
        if let Value::Bool(on) = leaf.value {
            cases.push(with_values(format!("{}={}", leaf.name(), !on), leaf.set(json!(!on))));
        }
    }
    if let Some(schema) = files.get("values.schema.json") {
        let schema: Value = serde_json::from_slice(schema).unwrap();
        let mut enums = Vec::new();
        collect_enums(&schema, &schema, &mut Vec::new(), &mut enums);
        for (path, value) in enums {
            cases.push(with_values(format!("{}={value}", path.join(".")), nested(&path, value)));
        }
    }
    for file in files.keys().filter_map(|file| file.strip_prefix("files/profile-")?.strip_suffix(".yaml")) {
        let key =
            file.strip_prefix("platform-").map_or_else(|| json!({"profile": file}), |platform| json!({"global": {"platform": platform}}));
        cases.push(with_values(format!("profile {file}"), key));
    }
    cases.extend(flags(
        &files
            .keys()
            .filter(|file| file.starts_with("templates/") && Path::new(file).extension().is_some_and(|end| end == "yaml"))
            .cloned()
            .collect::<Vec<_>>(),
    ));
    cases.extend(known(name));
    cases.extend(changes(&leaves));
    cases.extend(mixtures(&leaves));
    if let Some(demanded) = demanded(name) {
        for case in cases.iter_mut().skip(1) {
            let mut values = demanded.clone();
            merge(&mut values, case.values.take().unwrap_or_else(|| json!({})));
            case.values = Some(values);
        }
    }
    cases
}

/// Values that a chart demands and its defaults lack.
fn demanded(name: &str) -> Option<Value> {
    match name {
        "external-dns" => Some(json!({"policy": "sync"})),
        "karpenter" => Some(json!({"settings": {"clusterName": "shop"}})),
        // Without these it draws a CA at every rendering.
        "aws-load-balancer-controller" => Some(json!({"clusterName": "shop", "webhookTLS": {"caCert": "ca", "cert": "crt", "key": "key"}})),
        _ => None,
    }
}

fn read(text: &[u8]) -> Value {
    let value = yaml::unmarshal(text).unwrap();
    serde_json::from_slice(json::marshal(&value, false).unwrap().as_bytes()).unwrap()
}

/// A value that has no values in it, and where it is.
struct Leaf {
    path: Vec<String>,
    value: Value,
}

impl Leaf {
    fn name(&self) -> String {
        self.path.join(".")
    }

    fn set(&self, value: Value) -> Value {
        nested(&self.path, value)
    }
}

fn nested(path: &[String], value: Value) -> Value {
    path.iter().rev().fold(value, |inner, key| json!({ key: inner }))
}

fn collect(value: &Value, path: &mut Vec<String>, leaves: &mut Vec<Leaf>) {
    match value {
        Value::Object(map) if !map.is_empty() => {
            for (key, inner) in map {
                let hidden = path.is_empty() && key == HIDDEN;
                if !hidden {
                    path.push(key.clone());
                }
                collect(inner, path, leaves);
                if !hidden {
                    path.pop();
                }
            }
        }
        _ => leaves.push(Leaf { path: path.clone(), value: value.clone() }),
    }
}

fn collect_enums(schema: &Value, root: &Value, path: &mut Vec<String>, found: &mut Vec<(Vec<String>, Value)>) {
    if path.len() > 8 || found.len() > 40 {
        return;
    }
    if let Some(reference) = schema.get("$ref").and_then(Value::as_str).and_then(|reference| reference.strip_prefix('#')) {
        if let Some(target) = root.pointer(reference) {
            collect_enums(target, root, path, found);
        }
        return;
    }
    if !path.is_empty() {
        for value in schema.get("enum").and_then(Value::as_array).into_iter().flatten() {
            found.push((path.clone(), value.clone()));
        }
    }
    for (key, inner) in schema.get("properties").and_then(Value::as_object).into_iter().flatten() {
        if key == HIDDEN {
            continue;
        }
        path.push(key.clone());
        collect_enums(inner, root, path, found);
        path.pop();
    }
}

fn with_values(label: impl Into<String>, values: Value) -> Case {
    Case { values: Some(values), ..Case::named(label) }
}

/// What does not come from values.
fn flags(templates: &[String]) -> Vec<Case> {
    let mut cases = vec![
        Case { is_upgrade: true, ..Case::named("upgrade") },
        Case { kube_version: Some("v1.25.0".to_owned()), ..Case::named("kube 1.25") },
        Case { kube_version: Some("1.31".to_owned()), ..Case::named("kube 1.31") },
        Case { kube_version: Some("v1.33.1-eks-abcdef".to_owned()), ..Case::named("kube of EKS") },
        Case { namespace: Some("istio-system".to_owned()), name: Some("other-name".to_owned()), ..Case::named("namespace and name") },
        Case {
            api_versions: ["monitoring.coreos.com/v1", "monitoring.coreos.com/v1/ServiceMonitor", "policy/v1/PodDisruptionBudget"]
                .map(str::to_owned)
                .to_vec(),
            ..Case::named("api versions")
        },
        Case { show: Show { include_crds: true, ..Show::default() }, ..Case::named("include crds") },
        Case { show: Show { no_hooks: true, ..Show::default() }, ..Case::named("no hooks") },
        Case { show: Show { skip_tests: true, ..Show::default() }, ..Case::named("skip tests") },
        Case { name: Some("Bad_Name".to_owned()), ..Case::named("a bad name") },
    ];
    for template in templates.iter().take(3) {
        let show = Show { show_only: vec![template.clone()], ..Show::default() };
        cases.push(Case { show, ..Case::named(format!("show only {template}")) });
    }
    cases.push(Case {
        show: Show { show_only: vec!["templates/nowhere.yaml".to_owned()], ..Show::default() },
        ..Case::named("show only nothing")
    });
    cases
}

/// What people set in the guides that this project began with, and what a mesh on EKS needs.
fn known(name: &str) -> Vec<Case> {
    let values = match name {
        "base" => {
            json!([{"defaultRevision": ""}, {"base": {"excludedCRDs": ["gateways.networking.istio.io"]}}, {"defaultRevision": "canary"}])
        }
        "istiod" => json!([
            {"revision": "canary", "revisionTags": ["prod", "stable"]},
            {"pilot": {"resources": {"requests": {"cpu": "500m", "memory": "2Gi"}}, "replicaCount": 2, "autoscaleEnabled": false}},
            {"meshConfig": {"accessLogFile": "/dev/stdout", "outboundTrafficPolicy": {"mode": "REGISTRY_ONLY"}, "defaultConfig": {"holdApplicationUntilProxyStarts": true}}},
            {"global": {"proxy": {"logLevel": "debug", "holdApplicationUntilProxyStarts": true}, "imagePullSecrets": ["a", "b"]}},
            {"pilot": {"env": {"PILOT_ENABLE_X": true, "N": 3}, "podAnnotations": {"a": "b: c"}, "tolerations": [{"key": "x", "operator": "Exists"}]}},
            {"global": {"tag": 1.5, "hub": "example.com/istio", "variant": "distroless"}},
            {"istiodRemote": {"injectionURL": "https://istiod.example.com:15017/inject"}, "base": {"validationURL": "https://x/validate"}}
        ]),
        "gateway" => json!([
            {"service": {"type": "NodePort", "ports": [{"name": "https", "port": 443, "targetPort": 443, "nodePort": 30443}]}},
            {"service": {"type": "None"}},
            {"autoscaling": {"enabled": false}, "replicaCount": 3},
            {"labels": {"istio": "edge", "app": "x"}, "podAnnotations": {"k": "v"}},
            {"service": {"annotations": {"service.beta.kubernetes.io/aws-load-balancer-type": "nlb"}, "loadBalancerSourceRanges": ["10.0.0.0/8"]}},
            {"podDisruptionBudget": {"minAvailable": 1}, "topologySpreadConstraints": [{"maxSkew": 1}]},
            {"resources": null, "nodeSelector": {"a": "true"}},
            {"misspelt": 1}
        ]),
        "external-dns" => json!([
            {"provider": {"name": "aws"}, "env": [{"name": "AWS_DEFAULT_REGION", "value": "eu-west-1"}], "domainFilters": ["example.com"], "txtOwnerId": "x"},
            {"sources": ["service", "ingress", "istio-gateway", "istio-virtualservice"], "policy": "sync", "interval": "5m"},
            {"serviceAccount": {"annotations": {"eks.amazonaws.com/role-arn": "arn:aws:iam::111122223333:role/x"}}},
            {"extraArgs": ["--aws-zone-type=public"]}, {"extraArgs": {"aws-zone-type": "public", "flag": null}},
            {"policy": "wrong"}
        ]),
        "cert-manager" => json!([
            {"crds": {"enabled": true}}, {"installCRDs": true}, {"replicaCount": 3, "podDisruptionBudget": {"enabled": true, "minAvailable": "50%"}},
            {"serviceAccount": {"annotations": {"eks.amazonaws.com/role-arn": "arn:x"}}, "extraArgs": ["--v=2"]},
            {"config": {"apiVersion": "controller.config.cert-manager.io/v1alpha1", "kind": "ControllerConfiguration", "logging": {"verbosity": 2}}}
        ]),
        _ => json!([]),
    };
    let Value::Array(values) = values else { return Vec::new() };
    values.into_iter().map(|values| with_values(values.to_string(), values)).collect()
}

/// A few of each kind of change: numbers, strings, empty lists and maps that get something, deletion by null, and the forms of `--set`.
fn changes(leaves: &[Leaf]) -> Vec<Case> {
    let mut cases = Vec::new();
    let mut some = |count: usize, wanted: &dyn Fn(&Value) -> bool, change: &dyn Fn(&Value) -> Value, what: &str| {
        for leaf in leaves.iter().filter(|leaf| wanted(&leaf.value)).take(count) {
            cases.push(with_values(format!("{} {what}", leaf.name()), leaf.set(change(&leaf.value))));
        }
    };
    some(4, &Value::is_number, &|value| json!(value.as_f64().unwrap() + 1.0), "plus one");
    some(4, &Value::is_string, &|_| json!("other: value"), "another text");
    some(3, &|value| value == &json!([]), &|_| json!(["x", {"name": "y", "value": "1"}]), "filled");
    some(5, &|value| value == &json!({}), &|_| json!({"key": "value", "yes": true, "number": 5}), "filled");
    some(3, &|_| true, &|_| Value::Null, "null");
    let plain = |leaf: &&Leaf| leaf.path.iter().all(|key| key.bytes().all(|b| b.is_ascii_alphanumeric()));
    if let Some(leaf) = leaves.iter().filter(plain).find(|leaf| leaf.value.is_string()) {
        let path = leaf.name();
        cases.push(Case { set: vec![format!("{path}=a\\,b")], ..Case::named("--set") });
        cases.push(Case { set_string: vec![format!("{path}=123")], ..Case::named("--set-string") });
        cases.push(Case { set_json: vec![format!("{path}=\"j\"")], ..Case::named("--set-json") });
        cases.push(Case { set_literal: vec![format!("{path}=a,b=c")], ..Case::named("--set-literal") });
        cases.push(Case { set: vec![format!("{path}=")], ..Case::named("--set to nothing") });
    }
    cases
}

/// Several changes at once, chosen by a fixed row of numbers.
fn mixtures(leaves: &[Leaf]) -> Vec<Case> {
    let mut state = 0x9e37_79b9_7f4a_7c15_u64;
    let mut dice = move |below: usize| {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        usize::try_from(state % u64::try_from(below.max(1)).unwrap()).unwrap()
    };
    let mut cases = Vec::new();
    for number in 0..MIXTURES {
        let mut values = json!({});
        for _ in 0..2 + dice(6) {
            if leaves.is_empty() {
                break;
            }
            let leaf = &leaves[dice(leaves.len())];
            let changed = match &leaf.value {
                Value::Bool(on) => json!(!on),
                Value::Number(old) => json!(old.as_f64().unwrap() + 2.0),
                Value::String(old) if old.is_empty() => json!("text"),
                Value::String(old) => json!(format!("{old}x")),
                Value::Array(_) => json!(["one", "two"]),
                Value::Object(_) => json!({"a.b/c": "d", "e": 1.5}),
                Value::Null => json!("set"),
            };
            merge(&mut values, leaf.set(changed));
        }
        let case = with_values(format!("mixture {number}"), values);
        cases.push(Case { is_upgrade: dice(2) == 0, ..case });
    }
    cases
}

fn merge(into: &mut Value, from: Value) {
    match (into, from) {
        (Value::Object(into), Value::Object(from)) => {
            for (key, value) in from {
                merge(into.entry(key).or_insert_with(|| Value::Object(Map::new())), value);
            }
        }
        (into, from) => *into = from,
    }
}
