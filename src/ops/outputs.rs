//! Outputs: what others want to know of a stack, from the state alone.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use crate::addr::{Addr, AwsKind};
use crate::plan::wanted::date;
use crate::resource::Attr;
use crate::resource::manifest::{BALANCER, HOSTNAME};
use crate::state::State;

/// The outputs by path, such as `certificates.edge.arn`.
pub fn outputs(state: &State) -> BTreeMap<String, Value> {
    let mut outputs = BTreeMap::new();
    for (addr, known) in &state.resources {
        let Some(current) = &known.current else { continue };
        let attr = |path: &str| match current.attrs.get(path) {
            Some(Attr::Value(value)) => value.clone(),
            _ => Value::Null,
        };
        match addr {
            Addr::Aws { kind: AwsKind::AcmCertificate, key } => {
                let mut put = |name: &str, value: Value| outputs.insert(format!("certificates.{key}.{name}"), value);
                put("arn", json!(current.id));
                put("domain", attr("domain_name"));
                if let Some(leaf) = current.certificate.as_ref().and_then(|facts| facts.leaf.as_ref()) {
                    put("not_before", json!(date(leaf.not_before)));
                    put("not_after", json!(date(leaf.not_after)));
                    put("serial", json!(leaf.serial));
                }
            }
            Addr::Aws { kind: AwsKind::SecretsManagerSecret, key } => {
                outputs.insert(format!("secrets.{key}.arn"), json!(current.id));
                outputs.insert(format!("secrets.{key}.name"), attr("name"));
                outputs.insert(format!("secrets.{key}.version"), attr("version"));
            }
            Addr::Aws { kind: AwsKind::AcmValidationRecord, key } => {
                outputs.insert(format!("validation_records.{key}.name"), attr("name"));
            }
            Addr::Aws { kind: AwsKind::Route53Record, key } => {
                outputs.insert(format!("alias_records.{key}.target"), attr("alias.name"));
            }
            Addr::Kube { .. } => {
                if let (Value::String(key), name @ Value::String(_)) = (attr(BALANCER), attr(HOSTNAME)) {
                    outputs.insert(format!("load_balancers.{key}.hostname"), name);
                }
            }
        }
    }
    outputs
}
