//! Resource policies: whether two say the same.
//!
//! Services give a policy back in another form than it was put in: keys in another order, a list of one for a single text, an account as
//! the ARN of its root (IAM user guide, "JSON policy elements: Principal", "Grammar of the IAM JSON policy language").

use serde_json::{Map, Value};

/// Whether two policies mean the same, as far as their form tells.
pub fn same(one: &Value, other: &Value) -> bool {
    plain(one) == plain(other)
}

/// A policy in one form: lists of texts as sorted sets, single texts as lists of one, statements in any order.
fn plain(policy: &Value) -> Value {
    let Value::Object(parts) = policy else { return policy.clone() };
    let mut plain = sorted(parts.iter().filter(|(key, _)| *key != "Statement").map(|(key, value)| (key.clone(), value.clone())));
    let statements = match parts.get("Statement") {
        Some(Value::Array(statements)) => statements.iter().map(statement).collect(),
        Some(one) => vec![statement(one)],
        None => Vec::new(),
    };
    plain.insert("Statement".to_owned(), Value::Array(in_order(statements)));
    Value::Object(plain)
}

fn statement(statement: &Value) -> Value {
    let Value::Object(parts) = statement else { return statement.clone() };
    Value::Object(sorted(parts.iter().map(|(key, value)| {
        let value = match key.as_str() {
            "Principal" | "NotPrincipal" => principal(value),
            "Action" | "NotAction" => texts(value, &str::to_ascii_lowercase),
            "Resource" | "NotResource" => texts(value, &str::to_owned),
            "Condition" => condition(value),
            _ => value.clone(),
        };
        (key.clone(), value)
    })))
}

/// `"*"` is another way to write `{"AWS": "*"}`; the ARN of an account's root another way to write its number.
fn principal(value: &Value) -> Value {
    let root = |text: &str| {
        let account = text.strip_suffix(":root").and_then(|arn| arn.strip_prefix("arn:")?.split_once(":iam::"));
        account.map_or(text, |(_, account)| account).to_owned()
    };
    match value {
        Value::Object(kinds) => Value::Object(sorted(kinds.iter().map(|(kind, names)| (kind.clone(), texts(names, &root))))),
        Value::String(_) => Value::Object(sorted([("AWS".to_owned(), texts(value, &root))])),
        other => other.clone(),
    }
}

fn condition(value: &Value) -> Value {
    let Value::Object(operators) = value else { return value.clone() };
    Value::Object(sorted(operators.iter().map(|(operator, keys)| {
        let keys = match keys {
            Value::Object(keys) => Value::Object(sorted(keys.iter().map(|(key, values)| (key.clone(), texts(values, &str::to_owned))))),
            other => other.clone(),
        };
        (operator.clone(), keys)
    })))
}

/// A text, a number, a boolean or a list of them as a sorted list of texts, each once.
fn texts(value: &Value, form: &dyn Fn(&str) -> String) -> Value {
    let one = |value: &Value| match value {
        Value::String(text) => Value::String(form(text)),
        Value::Bool(_) | Value::Number(_) => Value::String(value.to_string()),
        other => other.clone(),
    };
    let mut list = match value {
        Value::Array(values) => in_order(values.iter().map(one).collect()),
        single => vec![one(single)],
    };
    list.dedup();
    Value::Array(list)
}

fn in_order(mut values: Vec<Value>) -> Vec<Value> {
    values.sort_by_cached_key(Value::to_string);
    values
}

fn sorted(parts: impl IntoIterator<Item = (String, Value)>) -> Map<String, Value> {
    let mut parts: Vec<(String, Value)> = parts.into_iter().collect();
    parts.sort_by(|one, other| one.0.cmp(&other.0));
    parts.into_iter().collect()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn policies_are_the_same_whatever_their_form() {
        let one = json!({"Version": "2012-10-17", "Statement": [
            {"Sid": "a", "Effect": "Allow", "Principal": {"AWS": "111122223333"}, "Action": "secretsmanager:GetSecretValue", "Resource": "*"},
            {"Effect": "Deny", "Principal": "*", "Action": ["b:Y", "b:X"], "Resource": "*", "Condition": {"Bool": {"aws:SecureTransport": false}}},
        ]});
        let same_in_another_form = json!({"Statement": [
            {"Condition": {"Bool": {"aws:SecureTransport": ["false"]}}, "Effect": "Deny", "Principal": {"AWS": "*"}, "Resource": ["*"], "Action": ["b:x", "b:y"]},
            {"Effect": "Allow", "Sid": "a", "Action": ["secretsmanager:GetSecretValue"], "Principal": {"AWS": ["arn:aws:iam::111122223333:root"]}, "Resource": ["*"]},
        ], "Version": "2012-10-17"});
        assert!(same(&one, &same_in_another_form));
        assert!(same(&json!({"Statement": {"Effect": "Allow"}}), &json!({"Statement": [{"Effect": "Allow"}]})));
    }

    #[test]
    fn policies_that_say_something_else_are_not_the_same() {
        let policy = |effect: &str, action: &str, account: &str| json!({"Statement": [{"Effect": effect, "Action": action, "Principal": {"AWS": account}}]});
        let one = policy("Allow", "a:B", "111122223333");
        for other in [
            policy("Deny", "a:B", "111122223333"),
            policy("Allow", "a:C", "111122223333"),
            policy("Allow", "a:B", "111122223334"),
            json!({"Version": "2012-10-17", "Statement": one["Statement"]}),
            json!({"Statement": []}),
        ] {
            assert!(!same(&one, &other), "{other}");
        }
    }
}
