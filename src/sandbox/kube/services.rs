//! Services: addresses and ports of nodes that the server allots (k8s.io/kubernetes: `registry/core/service/storage`).

use serde_json::{Map, Value, json};

use super::store::{child_mut, child_mut_value};
use crate::sandbox::world::Tx;

/// The ports of nodes that services may have (kube-apiserver: `--service-node-port-range`).
const NODE_PORTS: std::ops::RangeInclusive<i64> = 30_000..=32_767;

/// Gives a service what it needs and doesn't say. What it has it keeps.
pub(super) fn allocate(tx: &mut Tx<'_>, service: &mut Value, old: Option<&Value>) {
    let of = service.pointer("/spec/type").and_then(Value::as_str).unwrap_or_default().to_owned();
    let spec = child_mut(child_mut_value(service), "spec");
    if of == "ExternalName" {
        return;
    }
    let kept = |field: &str| old.and_then(|old| old.pointer(&format!("/spec/{field}"))).cloned();
    let is_empty = |value: Option<&Value>| value.is_none_or(|value| value.is_null() || value == "" || *value == json!([]));
    if is_empty(spec.get("clusterIP")) {
        let fresh = tx.fresh();
        let address = json!(format!("10.100.{}.{}", fresh[0], fresh[1]));
        spec.insert("clusterIP".to_owned(), kept("clusterIP").unwrap_or(address));
    }
    let address = spec.get("clusterIP").cloned().unwrap_or_default();
    for (field, value) in [("clusterIPs", json!([address])), ("ipFamilies", json!(["IPv4"])), ("ipFamilyPolicy", json!("SingleStack"))] {
        if is_empty(spec.get(field)) {
            spec.insert(field.to_owned(), kept(field).unwrap_or(value));
        }
    }
    if matches!(of.as_str(), "NodePort" | "LoadBalancer") {
        node_ports(tx, spec, old);
    }
}

fn node_ports(tx: &mut Tx<'_>, spec: &mut Map<String, Value>, old: Option<&Value>) {
    let before = old.and_then(|old| old.pointer("/spec/ports")).and_then(Value::as_array).cloned().unwrap_or_default();
    let mut taken: Vec<i64> = tx.scan("kube/core/services/").flat_map(|(_, service)| ports_of(service)).collect();
    for port in spec.get_mut("ports").and_then(Value::as_array_mut).into_iter().flatten() {
        let port = child_mut_value(port);
        if port.get("nodePort").and_then(Value::as_i64).is_some_and(|number| number != 0) {
            continue;
        }
        let same = before.iter().find(|old| (old.get("port"), old.get("protocol")) == (port.get("port"), port.get("protocol")));
        let kept = same.and_then(|old| old.get("nodePort")).and_then(Value::as_i64);
        let fresh = tx.fresh();
        let first = NODE_PORTS.start() + (i64::from(fresh[0]) * 256 + i64::from(fresh[1])) % 2_768;
        let free = (first..=*NODE_PORTS.end()).chain(NODE_PORTS).find(|number| !taken.contains(number));
        if let Some(number) = kept.or(free) {
            taken.push(number);
            port.insert("nodePort".to_owned(), json!(number));
        }
    }
}

fn ports_of(service: &Value) -> Vec<i64> {
    let ports = service.pointer("/spec/ports").and_then(Value::as_array);
    ports.into_iter().flatten().filter_map(|port| port.get("nodePort").and_then(Value::as_i64)).collect()
}
