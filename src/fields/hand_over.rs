//! Ownership that passes from one manager to another.

use serde_json::{Map, Value};

/// What is left of a manager's fields when another one's are taken out of them; nothing when none is.
pub fn without(theirs: &Value, ours: &Value) -> Option<Value> {
    let (Some(theirs), Some(ours)) = (theirs.as_object(), ours.as_object()) else { return Some(theirs.clone()) };
    // A leaf is owned with all below it.
    if ours.is_empty() || theirs.is_empty() {
        return None;
    }
    let mut left = Map::new();
    for (key, below) in theirs {
        match ours.get(key) {
            Some(our) => left.extend(without(below, our).map(|below| (key.clone(), below))),
            None => drop(left.insert(key.clone(), below.clone())),
        }
    }
    // Being there is nobody's own while something in it is left.
    let is_empty = left.keys().all(|key| key == ".");
    (!is_empty).then_some(Value::Object(left))
}

/// Whether a manager is a tool by which people write what they want, and no controller: what it wrote passes to who takes an object over.
pub fn is_tool(manager: &str) -> bool {
    const TOOLS: &[&str] = &["kubectl", "helm", "terraform", "hashicorp", "opentofu", "pulumi", "kapp", "kustomize", "before-first-apply"];
    let manager = manager.to_ascii_lowercase();
    // Flux's controllers go by such names too, and go on writing.
    !manager.ends_with("-controller")
        && TOOLS
            .iter()
            .any(|tool| manager == *tool || manager.strip_prefix(tool).is_some_and(|rest| rest.starts_with(['-', '_', '/', ' '])))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn what_both_own_is_taken_out_and_the_rest_is_left() {
        for (theirs, ours, left) in [
            (json!({"f:a": {}}), json!({"f:a": {}}), None),
            (json!({"f:a": {}, "f:b": {}}), json!({"f:a": {}}), Some(json!({"f:b": {}}))),
            (json!({"f:a": {".": {}, "f:x": {}, "f:y": {}}}), json!({"f:a": {"f:x": {}}}), Some(json!({"f:a": {".": {}, "f:y": {}}}))),
            (json!({"f:a": {".": {}, "f:x": {}}}), json!({"f:a": {"f:x": {}}}), None),
            (json!({"f:a": {"f:x": {}}}), json!({"f:a": {}}), None),
            (
                json!({"f:l": {"k:{\"n\":\"a\"}": {".": {}, "f:v": {}}, "k:{\"n\":\"b\"}": {".": {}}}}),
                json!({"f:l": {"k:{\"n\":\"a\"}": {".": {}, "f:v": {}}}}),
                Some(json!({"f:l": {"k:{\"n\":\"b\"}": {".": {}}}})),
            ),
            (json!({"f:s": {"v:\"x\"": {}, "v:\"y\"": {}}}), json!({"f:s": {"v:\"x\"": {}}}), Some(json!({"f:s": {"v:\"y\"": {}}}))),
            (json!({"f:a": {}}), json!({"f:b": {}}), Some(json!({"f:a": {}}))),
        ] {
            assert_eq!(without(&theirs, &ours), left, "{theirs} without {ours}");
        }
    }

    #[test]
    fn tools_are_told_from_controllers() {
        for tool in [
            "kubectl-client-side-apply",
            "kubectl",
            "kubectl-create",
            "kubectl-edit",
            "helm",
            "Helm",
            "Terraform",
            "HashiCorp",
            "before-first-apply",
            "pulumi-kubernetes",
        ] {
            assert!(is_tool(tool), "{tool}");
        }
        for controller in [
            "kube-controller-manager",
            "istiod",
            "helm-controller",
            "kustomize-controller",
            "pilot-discovery",
            "meshform",
            "helmet",
            "argocd-controller",
        ] {
            assert!(!is_tool(controller), "{controller}");
        }
    }
}
