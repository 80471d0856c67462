//! A policy document of IAM, and whose it is.

use std::collections::BTreeMap;

use serde_json::{Map, Value, json};

/// Who acts.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Identity {
    /// The credentials of the environment or the profile.
    Caller,
    /// A role that is assumed.
    Role(String),
}

impl Identity {
    /// In words.
    pub fn describe(&self) -> &str {
        match self {
            Self::Caller => "the credentials that meshform runs with",
            Self::Role(arn) => arn,
        }
    }
}

/// What an identity may do.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Policy {
    /// Who.
    pub identity: Identity,
    /// What.
    pub statements: Vec<Statement>,
}

/// A statement of a policy: some actions on some resources.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Statement {
    /// Its name in the policy.
    pub sid: &'static str,
    /// The actions, `service:Operation`.
    pub actions: Vec<&'static str>,
    /// The resources' ARNs, with `*` and `?` for what isn't known.
    pub resources: Vec<String>,
    /// Operator to key to values.
    pub conditions: Conditions,
}

/// Operator to key to values.
pub type Conditions = BTreeMap<&'static str, BTreeMap<String, Vec<String>>>;

impl Policy {
    /// The policy document in IAM's JSON.
    pub fn document(&self) -> Value {
        let statements = self.statements.iter().map(|statement| {
            let mut object = Map::new();
            object.insert("Sid".into(), json!(statement.sid));
            object.insert("Effect".into(), json!("Allow"));
            object.insert("Action".into(), json!(statement.actions));
            object.insert("Resource".into(), json!(statement.resources));
            if !statement.conditions.is_empty() {
                object.insert("Condition".into(), json!(statement.conditions));
            }
            Value::Object(object)
        });
        json!({"Version": "2012-10-17", "Statement": statements.collect::<Vec<_>>()})
    }
}

impl Statement {
    pub(super) fn on<'v>(&mut self, operator: &'static str, key: impl Into<String>, values: impl IntoIterator<Item = &'v str>) {
        let values = values.into_iter().map(ToOwned::to_owned).collect();
        self.conditions.entry(operator).or_default().insert(key.into(), values);
    }
}

/// A statement without conditions.
pub(super) fn statement(sid: &'static str, actions: Vec<&'static str>, resources: Vec<String>) -> Statement {
    Statement { sid, actions, resources, conditions: Conditions::new() }
}

/// Any resource: what takes no ARN.
pub(super) fn any() -> Vec<String> {
    vec!["*".to_owned()]
}
