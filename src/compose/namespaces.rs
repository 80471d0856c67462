//! `namespaces:`

use serde_json::{Map, Value};

use crate::addr::Addr;
use crate::resource::object::ObjectSpec;
use crate::resource::{Resource, Spec};
use crate::stack::istio::{INJECTION_LABEL, REVISION_LABEL};
use crate::stack::{Injection, Stack};

pub(super) fn compose(stack: &Stack) -> Vec<Resource> {
    let namespaces = stack.namespaces.iter().map(|(name, namespace)| {
        let mut labels = text_map(&namespace.labels);
        if let Some(injection) = namespace.injection {
            let value = if injection == Injection::Enabled { "enabled" } else { "disabled" };
            labels.insert(INJECTION_LABEL.into(), Value::from(value));
        }
        if let Some(revision) = &namespace.revision {
            labels.insert(REVISION_LABEL.into(), Value::from(revision.as_str()));
        }
        Resource {
            addr: Addr::namespace(name),
            spec: Spec::Object(ObjectSpec::namespace(name, &labels, &text_map(&namespace.annotations))),
            adopt: namespace.adopt.then_some(true),
            force: namespace.force,
            needs: Vec::new(),
            ready_needs: Vec::new(),
            place: namespace.place.clone(),
        }
    });
    namespaces.collect()
}

pub(super) fn text_map(map: &std::collections::BTreeMap<String, String>) -> Map<String, Value> {
    map.iter().map(|(key, value)| (key.clone(), Value::from(value.as_str()))).collect()
}
