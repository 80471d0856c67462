//! Objects held against a structural schema, as CustomResourceDefinitions bring it (apiextensions.k8s.io/v1; Kubernetes documentation,
//! "Extend the Kubernetes API with CustomResourceDefinitions"). Rules in CEL and formats aren't looked at: the API server does.

use serde_json::{Map, Value};

/// What is wrong at one field.
#[derive(Clone, Debug, PartialEq)]
pub struct Problem {
    /// Where: `spec.ports[0].name`.
    pub path: String,
    /// What is there; null: nothing.
    pub value: Value,
    /// What is wrong with it.
    pub what: What,
}

/// What is wrong with a value.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum What {
    /// It is of another type than this one.
    Type(String),
    /// It must be there.
    Required,
    /// It is none of these.
    Unsupported(Vec<String>),
    /// It breaks a rule, which reads on from "it should …".
    Rule(String),
    /// The schema has no such field; the ones that it has.
    Unknown(Vec<String>),
}

/// How deep schemas are followed: far more than any has.
const MAX_DEPTH: usize = 128;

/// What is wrong with an object; its `apiVersion`, `kind` and `metadata` are the server's own matter.
pub fn problems(schema: &Value, object: &Value) -> Vec<Problem> {
    let mut look = Look { path: String::new(), found: Vec::new(), depth: 0 };
    look.value(schema, object, false);
    look.found
}

struct Look {
    path: String,
    found: Vec<Problem>,
    depth: usize,
}

impl Look {
    fn tell(&mut self, value: &Value, what: What) {
        self.found.push(Problem { path: self.path.clone(), value: value.clone(), what });
    }

    fn rule(&mut self, value: &Value, rule: String) {
        self.tell(value, What::Rule(rule));
    }

    fn inside(&mut self, step: &str, look: impl FnOnce(&mut Self)) {
        let length = self.path.len();
        if !step.starts_with('[') && !self.path.is_empty() {
            self.path.push('.');
        }
        self.path.push_str(step);
        self.depth += 1;
        if self.depth < MAX_DEPTH {
            look(self);
        }
        self.depth -= 1;
        self.path.truncate(length);
    }

    /// `keeps`: fields that the schema doesn't name are kept here.
    fn value(&mut self, schema: &Value, value: &Value, keeps: bool) {
        if value.is_null() {
            if !yes(schema, "nullable") && schema.get("type").is_some() {
                self.tell(value, What::Type(type_of(schema).to_owned()));
            }
            return;
        }
        if !has_type(schema, value) {
            self.tell(value, What::Type(type_of(schema).to_owned()));
            return;
        }
        self.validations(schema, value);
        match value {
            Value::Array(list) => {
                if let Some(items) = schema.get("items") {
                    for (index, item) in list.iter().enumerate() {
                        self.inside(&format!("[{index}]"), |look| look.value(items, item, keeps));
                    }
                }
            }
            Value::Object(map) => self.fields(schema, map, keeps || yes(schema, "x-kubernetes-preserve-unknown-fields")),
            _ => {}
        }
    }

    fn fields(&mut self, schema: &Value, map: &Map<String, Value>, keeps: bool) {
        let properties = schema.get("properties").and_then(Value::as_object);
        let others = schema.get("additionalProperties");
        let is_whole = self.path.is_empty() || yes(schema, "x-kubernetes-embedded-resource");
        let is_loose = keeps || others == Some(&Value::Bool(true)) || (schema.get("type").is_none() && properties.is_none());
        for (name, value) in map {
            if is_whole && matches!(name.as_str(), "metadata" | "kind" | "apiVersion") {
                continue;
            }
            match properties.and_then(|properties| properties.get(name)).or(others.filter(|others| others.is_object())) {
                Some(schema) => self.inside(name, |look| look.value(schema, value, keeps)),
                None if is_loose => {}
                None => {
                    let known = properties.into_iter().flat_map(Map::keys).cloned().collect();
                    self.inside(name, |look| look.tell(value, What::Unknown(known)));
                }
            }
        }
    }

    /// Rules about values, which may also stand in `allOf`, `anyOf`, `oneOf` and `not`.
    fn validations(&mut self, schema: &Value, value: &Value) {
        if let Some(allowed) = schema.get("enum").and_then(Value::as_array)
            && !allowed.contains(value)
        {
            let text = |value: &Value| value.as_str().map_or_else(|| value.to_string(), str::to_owned);
            self.tell(value, What::Unsupported(allowed.iter().map(text).collect()));
        }
        match value {
            Value::Number(_) => self.number(schema, value),
            Value::String(text) => self.text(schema, text, value),
            Value::Array(list) => self.count(schema, list.len(), value, ("minItems", "maxItems"), "items"),
            Value::Object(map) => {
                self.count(schema, map.len(), value, ("minProperties", "maxProperties"), "properties");
                self.required(schema, map);
            }
            _ => {}
        }
        if let Value::Array(list) = value
            && yes(schema, "uniqueItems")
            && list.iter().enumerate().any(|(index, item)| list[..index].contains(item))
        {
            self.rule(value, "have no item twice".to_owned());
        }
        self.joined(schema, value);
    }

    fn required(&mut self, schema: &Value, map: &Map<String, Value>) {
        for name in schema.get("required").and_then(Value::as_array).into_iter().flatten().filter_map(Value::as_str) {
            let has_default = schema.pointer(&format!("/properties/{}/default", name.replace('~', "~0").replace('/', "~1"))).is_some();
            let is_own = self.path.is_empty() && matches!(name, "metadata" | "kind" | "apiVersion");
            if !map.contains_key(name) && !has_default && !is_own {
                self.inside(name, |look| look.tell(&Value::Null, What::Required));
            }
        }
    }

    fn joined(&mut self, schema: &Value, value: &Value) {
        let list = |key: &str| schema.get(key).and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default();
        // In these stand only rules about values: types and fields are given beside them.
        let fits = |schema: &Value| {
            let mut look = Self { path: self.path.clone(), found: Vec::new(), depth: self.depth + 1 };
            if look.depth < MAX_DEPTH {
                look.value(&serde_json::json!({"allOf": [schema]}), value, true);
            }
            look.found.is_empty()
        };
        let any = list("anyOf");
        let (misses_any, count) = (!any.is_empty() && !any.iter().any(fits), list("oneOf").iter().filter(|one| fits(one)).count());
        let misses_one = !list("oneOf").is_empty() && count != 1;
        let is_denied = schema.get("not").is_some_and(fits);
        for each in list("allOf") {
            self.depth += 1;
            if self.depth < MAX_DEPTH {
                if has_type(each, value) {
                    self.validations(each, value);
                    self.below(each, value);
                } else {
                    self.tell(value, What::Type(type_of(each).to_owned()));
                }
            }
            self.depth -= 1;
        }
        if misses_any {
            self.rule(value, "fit at least one of the schemas of its anyOf".to_owned());
        }
        if misses_one {
            self.rule(value, format!("fit just one of the schemas of its oneOf, and fits {count}"));
        }
        if is_denied {
            self.rule(value, "not fit the schema of its not".to_owned());
        }
    }

    /// The fields and items that a joined schema speaks of.
    fn below(&mut self, schema: &Value, value: &Value) {
        match value {
            Value::Object(map) => {
                for (name, schema) in schema.get("properties").and_then(Value::as_object).into_iter().flatten() {
                    if let Some(value) = map.get(name) {
                        self.inside(name, |look| look.value(schema, value, true));
                    }
                }
            }
            Value::Array(list) => {
                for (index, item) in list.iter().enumerate() {
                    if let Some(items) = schema.get("items") {
                        self.inside(&format!("[{index}]"), |look| look.value(items, item, true));
                    }
                }
            }
            _ => {}
        }
    }

    fn number(&mut self, schema: &Value, value: &Value) {
        let found = value.as_f64().unwrap_or_default();
        let limit = |key: &str| schema.get(key).and_then(Value::as_f64);
        if let Some(least) = limit("minimum") {
            if yes(schema, "exclusiveMinimum") && found <= least {
                self.rule(value, format!("be greater than {least}"));
            } else if found < least {
                self.rule(value, format!("be greater than or equal to {least}"));
            }
        }
        if let Some(most) = limit("maximum") {
            if yes(schema, "exclusiveMaximum") && found >= most {
                self.rule(value, format!("be less than {most}"));
            } else if found > most {
                self.rule(value, format!("be less than or equal to {most}"));
            }
        }
        if let Some(step) = limit("multipleOf").filter(|step| *step > 0.0)
            && (found / step).fract().abs() > f64::EPSILON
        {
            self.rule(value, format!("be a multiple of {step}"));
        }
    }

    fn text(&mut self, schema: &Value, text: &str, value: &Value) {
        let length = text.chars().count();
        let limit = |key: &str| schema.get(key).and_then(Value::as_u64).and_then(|count| usize::try_from(count).ok());
        if let Some(least) = limit("minLength").filter(|least| length < *least) {
            self.rule(value, format!("be at least {least} chars long"));
        }
        if let Some(most) = limit("maxLength").filter(|most| length > *most) {
            self.rule(value, format!("be at most {most} chars long"));
        }
        let pattern = schema.get("pattern").and_then(Value::as_str);
        let compiled = pattern.and_then(|pattern| regex::RegexBuilder::new(pattern).size_limit(1 << 20).build().ok());
        if let (Some(pattern), Some(compiled)) = (pattern, compiled)
            && !compiled.is_match(text)
        {
            self.rule(value, format!("match '{pattern}'"));
        }
    }

    fn count(&mut self, schema: &Value, count: usize, value: &Value, (least, most): (&str, &str), what: &str) {
        let limit = |key: &str| schema.get(key).and_then(Value::as_u64).and_then(|count| usize::try_from(count).ok());
        if let Some(least) = limit(least).filter(|least| count < *least) {
            self.rule(value, format!("have at least {least} {what}"));
        }
        if let Some(most) = limit(most).filter(|most| count > *most) {
            self.rule(value, format!("have at most {most} {what}"));
        }
    }
}

fn yes(schema: &Value, key: &str) -> bool {
    schema.get(key).and_then(Value::as_bool) == Some(true)
}

fn type_of(schema: &Value) -> &str {
    schema.get("type").and_then(Value::as_str).unwrap_or("integer or string")
}

fn has_type(schema: &Value, value: &Value) -> bool {
    if yes(schema, "x-kubernetes-int-or-string") {
        return value.is_string() || value.is_i64() || value.is_u64();
    }
    match schema.get("type").and_then(Value::as_str) {
        Some("string") => value.is_string(),
        Some("integer") => value.is_i64() || value.is_u64() || value.as_f64().is_some_and(|number| number.fract() == 0.0),
        Some("number") => value.is_number(),
        Some("boolean") => value.is_boolean(),
        Some("array") => value.is_array(),
        Some("object") => value.is_object(),
        _ => true,
    }
}

/// The type of a value in a schema's words.
pub fn name_of_type(value: &Value) -> &'static str {
    match value {
        Value::Null => "null",
        Value::Bool(_) => "boolean",
        Value::Number(number) if number.is_f64() => "number",
        Value::Number(_) => "integer",
        Value::String(_) => "string",
        Value::Array(_) => "array",
        Value::Object(_) => "object",
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn told(schema: &Value, object: &Value) -> Vec<String> {
        problems(schema, object).into_iter().map(|problem| format!("{}: {:?}", problem.path, problem.what)).collect()
    }

    #[test]
    fn each_rule_is_told_at_its_field() {
        let schema = json!({"type": "object", "properties": {"spec": {"type": "object", "required": ["size", "mode"], "properties": {
            "size": {"type": "integer", "minimum": 1, "maximum": 9},
            "mode": {"type": "string", "enum": ["a", "b"], "default": "a"},
            "name": {"type": "string", "pattern": "^[a-z]+$", "maxLength": 5},
            "port": {"x-kubernetes-int-or-string": true},
            "tags": {"type": "array", "maxItems": 2, "items": {"type": "string", "minLength": 1}},
            "free": {"type": "object", "x-kubernetes-preserve-unknown-fields": true, "properties": {"n": {"type": "integer"}}},
            "any": {"type": "object", "additionalProperties": {"type": "string"}},
            "none": {"type": "string", "nullable": true},
            "pod": {"type": "object", "x-kubernetes-embedded-resource": true, "properties": {"spec": {"type": "object"}}},
            "one": {"type": "object", "oneOf": [{"required": ["x"]}, {"required": ["y"]}], "properties": {"x": {"type": "string"}, "y": {"type": "string"}}},
            "some": {"type": "integer", "anyOf": [{"maximum": 3}, {"minimum": 7}], "not": {"enum": [8]}},
        }}}});
        for (spec, wrong) in [
            (json!({"size": 1}), vec![]),
            (json!({}), vec!["spec.size: Required"]),
            (json!({"size": "1"}), vec!["spec.size: Type(\"integer\")"]),
            (json!({"size": 0}), vec!["spec.size: Rule(\"be greater than or equal to 1\")"]),
            (json!({"size": 1, "mode": "c"}), vec!["spec.mode: Unsupported([\"a\", \"b\"])"]),
            (
                json!({"size": 1, "name": "Toolong"}),
                vec!["spec.name: Rule(\"be at most 5 chars long\")", "spec.name: Rule(\"match '^[a-z]+$'\")"],
            ),
            (json!({"size": 1, "port": true}), vec!["spec.port: Type(\"integer or string\")"]),
            (json!({"size": 1, "port": "http"}), vec![]),
            (
                json!({"size": 1, "tags": ["", "b", "c"]}),
                vec!["spec.tags: Rule(\"have at most 2 items\")", "spec.tags[0]: Rule(\"be at least 1 chars long\")"],
            ),
            (json!({"size": 1, "free": {"x": {"y": 1}, "n": "1"}}), vec!["spec.free.n: Type(\"integer\")"]),
            (json!({"size": 1, "any": {"x": 1}}), vec!["spec.any.x: Type(\"string\")"]),
            (json!({"size": 1, "none": null}), vec![]),
            (json!({"size": 1, "tags": null}), vec!["spec.tags: Type(\"array\")"]),
            (
                json!({"size": 1, "pod": {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "x"}, "spec": {}}}),
                vec!["spec.pod.spec: nothing"],
            ),
            (json!({"size": 1, "one": {}}), vec!["spec.one: Rule(\"fit just one of the schemas of its oneOf, and fits 0\")"]),
            (
                json!({"size": 1, "one": {"x": "a", "y": "b"}}),
                vec!["spec.one: Rule(\"fit just one of the schemas of its oneOf, and fits 2\")"],
            ),
            (json!({"size": 1, "one": {"x": "a"}}), vec![]),
            (json!({"size": 1, "some": 5}), vec!["spec.some: Rule(\"fit at least one of the schemas of its anyOf\")"]),
            (json!({"size": 1, "some": 8}), vec!["spec.some: Rule(\"not fit the schema of its not\")"]),
        ] {
            let wrong: Vec<&str> = wrong.into_iter().filter(|one| !one.ends_with("nothing")).collect();
            assert_eq!(
                told(&schema, &json!({"apiVersion": "a/v1", "kind": "K", "metadata": {"name": "x"}, "spec": spec})),
                wrong,
                "{spec}"
            );
        }
        let unknown = problems(&schema, &json!({"spec": {"size": 1, "sise": 2}}));
        assert!(
            matches!(&unknown[..], [Problem { path, what: What::Unknown(known), .. }] if path == "spec.sise" && known.contains(&"size".to_owned())),
            "{unknown:?}"
        );
    }

    #[test]
    fn a_schema_that_goes_on_for_ever_ends() {
        let (mut schema, mut object) = (json!({"type": "object"}), json!({}));
        for _ in 0..100_000_usize.min(MAX_DEPTH * 3) {
            schema = json!({"type": "object", "properties": {"a": schema}, "allOf": [{"minProperties": 0}]});
            object = json!({"a": object});
        }
        assert_eq!(told(&schema, &object), Vec::<String>::new());
    }
}
