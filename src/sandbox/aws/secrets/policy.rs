//! Resource policies, as far as they are stored and shown: nothing is decided by them.

use serde::Deserialize;
use serde_json::{Value, json};

use super::{IdInput, find, find_live};
use crate::sandbox::aws::wire::{Caller, Outcome, refuse};
use crate::sandbox::world::Tx;

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct Input {
    secret_id: Option<String>,
    resource_policy: Option<String>,
    #[serde(default)]
    block_public_policy: bool,
}

pub(super) fn put(tx: &mut Tx<'_>, caller: &Caller, input: Input) -> Outcome {
    let mut secret = find_live(tx, caller, input.secret_id.as_deref())?;
    let text = input.resource_policy.unwrap_or_default();
    let policy = serde_json::from_str::<Value>(&text).ok().filter(|policy| policy.get("Statement").is_some());
    let Some(policy) = policy else {
        return Err(refuse("MalformedPolicyDocumentException", "This resource policy contains invalid Json"));
    };
    if input.block_public_policy && is_public(&policy) {
        let message = "This resource policy allows broad access to the secret, so it was blocked.";
        return Err(refuse("PublicPolicyException", message));
    }
    secret.policy = Some(text);
    secret.save(tx)?;
    Ok(secret.names())
}

pub(super) fn get(tx: &Tx<'_>, caller: &Caller, input: &IdInput) -> Outcome {
    let secret = find(tx, caller, input.secret_id.as_deref())?;
    let mut output = secret.names();
    if let Some(policy) = &secret.policy {
        output["ResourcePolicy"] = json!(policy);
    }
    Ok(output)
}

pub(super) fn delete(tx: &mut Tx<'_>, caller: &Caller, input: &IdInput) -> Outcome {
    let mut secret = find_live(tx, caller, input.secret_id.as_deref())?;
    secret.policy = None;
    secret.save(tx)?;
    Ok(secret.names())
}

/// Whether a statement allows everyone something without a condition.
fn is_public(policy: &Value) -> bool {
    let statements = match &policy["Statement"] {
        Value::Array(statements) => statements.as_slice(),
        one => std::slice::from_ref(one),
    };
    let everyone = |principal: &Value| match principal {
        Value::String(text) => text == "*",
        Value::Object(kinds) => {
            kinds.get("AWS").is_some_and(|kind| kind == "*" || kind.as_array().is_some_and(|all| all.contains(&json!("*"))))
        }
        _ => false,
    };
    statements.iter().any(|each| each["Effect"] == "Allow" && everyone(&each["Principal"]) && each.get("Condition").is_none())
}
