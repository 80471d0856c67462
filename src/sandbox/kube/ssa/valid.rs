//! Whether an applied configuration has the form of its type (structured-merge-diff: `typed/validate.go`).

use serde_json::Value;

use super::super::schema::{Items, Scalar, Shape, Type};
use super::fields::Step;

/// Everything that is wrong with a configuration, in the words of the server; none when nothing is. Values are not told of what is secret.
pub(in crate::sandbox::kube) fn problems(of: &Type, config: &Value, secret: bool) -> Option<String> {
    let mut walk = Walk { path: String::new(), secret, found: Vec::new() };
    walk.visit(of, config);
    match walk.found.as_slice() {
        [] => None,
        [one] => Some(one.clone()),
        many => Some(format!("errors:\n  {}", many.join("\n  "))),
    }
}

struct Walk {
    path: String,
    secret: bool,
    found: Vec<String>,
}

impl Walk {
    fn visit(&mut self, of: &Type, value: &Value) {
        if value.is_null() {
            return;
        }
        match (of.shape(Some(value)), value) {
            (shape @ Shape::Object { .. }, Value::Object(map)) => {
                for (key, value) in map {
                    let step = Step::Field(key.clone());
                    let Some(of) = shape.field(key) else {
                        self.at(&step, |walk| walk.tell("field not declared in schema"));
                        return;
                    };
                    self.at(&step, |walk| walk.visit(of, value));
                }
            }
            (Shape::List { of, by }, Value::Array(list)) => self.items(of, by, list),
            (Shape::Object { .. }, value) => self.tell(&format!("expected map, got &{{{}}}", self.shown(value, false))),
            (Shape::List { .. }, value) => self.tell(&format!("expected list, got &{{{}}}", self.shown(value, false))),
            (Shape::Scalar(scalar), value) => self.scalar(scalar, value),
        }
    }

    fn items(&mut self, of: &Type, by: &Items, list: &[Value]) {
        let mut seen = Vec::new();
        for (place, item) in list.iter().enumerate() {
            let step = if *by == Items::Atomic {
                Step::Index(place as u64)
            } else {
                match super::items::step(of, by, item) {
                    Ok(step) => step,
                    Err(reason) => return self.tell(&format!("element {place}: {reason}")),
                }
            };
            if seen.contains(&step) {
                self.tell(&format!("duplicate entries for key {step}"));
            }
            self.at(&step, |walk| walk.visit(of, item));
            if *by != Items::Atomic {
                seen.push(step);
            }
        }
    }

    fn scalar(&mut self, scalar: Option<Scalar>, value: &Value) {
        let wrong = match scalar {
            Some(Scalar::String | Scalar::Bytes | Scalar::Time | Scalar::MicroTime) if !value.is_string() => {
                format!("expected string, got &value.valueUnstructured{{Value:{}}}", self.shown(value, true))
            }
            Some(Scalar::Int32 | Scalar::Int64 | Scalar::Number) if !value.is_number() => {
                format!("expected numeric (int or float), got {}", go_type(value))
            }
            Some(Scalar::Bool) if !value.is_boolean() => format!("expected boolean, got &{{{}}}", self.shown(value, false)),
            Some(Scalar::Quantity | Scalar::IntOrString) if value.is_array() || value.is_object() => {
                format!("expected any scalar, got &{{{}}}", self.shown(value, false))
            }
            _ => return,
        };
        self.tell(&wrong);
    }

    fn at(&mut self, step: &Step, work: impl FnOnce(&mut Self)) {
        let length = self.path.len();
        self.path.push_str(&step.to_string());
        work(self);
        self.path.truncate(length);
    }

    fn tell(&mut self, problem: &str) {
        self.found.push(if self.path.is_empty() { problem.to_owned() } else { format!("{}: {problem}", self.path) });
    }

    /// A value as Go would print it.
    fn shown(&self, value: &Value, quoted: bool) -> String {
        if self.secret {
            return "<redacted>".to_owned();
        }
        match value {
            Value::String(text) if quoted => format!("{text:?}"),
            Value::String(text) => text.clone(),
            Value::Array(list) => format!("[{}]", list.iter().map(|item| self.shown(item, quoted)).collect::<Vec<_>>().join(" ")),
            Value::Object(map) => {
                let mut pairs: Vec<String> = map.iter().map(|(key, value)| format!("{key}:{}", self.shown(value, quoted))).collect();
                pairs.sort();
                format!("map[{}]", pairs.join(" "))
            }
            other => other.to_string(),
        }
    }
}

fn go_type(value: &Value) -> &'static str {
    match value {
        Value::Bool(_) => "bool",
        Value::String(_) => "string",
        Value::Array(_) => "[]interface {}",
        Value::Object(_) => "map[string]interface {}",
        _ => "<nil>",
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn problems_are_told_in_the_words_of_the_server() {
        let of = Type::built_in("core.v1.ConfigMap");
        assert_eq!(problems(&of, &json!({"data": {"a": "1"}, "immutable": null}), false), None);
        assert_eq!(problems(&of, &json!({"dat": {}}), false).unwrap(), ".dat: field not declared in schema");
        let two = problems(&of, &json!({"data": 5, "metadata": {"labels": {"a": 5}}}), false).unwrap();
        let label = ".metadata.labels.a: expected string, got &value.valueUnstructured{Value:5}";
        assert_eq!(two, format!("errors:\n  .data: expected map, got &{{5}}\n  {label}"));
    }

    #[test]
    fn a_secret_value_of_the_wrong_type_is_not_told() {
        let problem = problems(&Type::built_in("core.v1.Secret"), &json!({"data": {"a": 48_151_623}}), true).unwrap();
        assert!(!problem.contains("48151623"), "{problem}");
    }

    #[test]
    fn an_item_twice_is_a_problem() {
        let of = Type::built_in("core.v1.Service");
        let ports = json!({"spec": {"ports": [{"port": 80}, {"port": 80, "protocol": "TCP"}]}});
        assert_eq!(problems(&of, &ports, false).unwrap(), ".spec.ports: duplicate entries for key [port=80,protocol=\"TCP\"]");
    }
}
