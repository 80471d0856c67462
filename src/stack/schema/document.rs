//! The sections as a JSON Schema (draft 2020-12), for editors that complete and check.

use serde_json::{Map, Value, json};

use super::{STACK, Section, Shape};

/// The schema of a stack file.
pub fn document() -> Value {
    let mut root = section(&STACK);
    let mut schema = Map::new();
    schema.insert("$schema".into(), json!("https://json-schema.org/draft/2020-12/schema"));
    schema.insert("title".into(), json!("A meshform stack"));
    schema.append(&mut root);
    // What a file that extends others leaves out stands in them.
    let needed = schema.remove("required").unwrap_or_default();
    schema.insert("if".into(), json!({"not": {"required": ["extends"]}}));
    schema.insert("then".into(), json!({"required": needed}));
    Value::Object(schema)
}

fn section(section: &Section) -> Map<String, Value> {
    let mut properties = Map::new();
    for key in section.keys {
        let mut schema = shape(&key.takes);
        schema.insert("description".into(), json!(key.doc));
        properties.insert(key.name.to_owned(), Value::Object(schema));
    }
    let required: Vec<&str> = section.keys.iter().filter(|key| key.required).map(|key| key.name).collect();
    let mut schema = Map::new();
    // A key without a value is absent; in an overlay it removes what is inherited.
    schema.insert("type".into(), json!(["object", "null"]));
    schema.insert("properties".into(), Value::Object(properties));
    schema.insert("additionalProperties".into(), json!(false));
    if !required.is_empty() {
        schema.insert("required".into(), json!(required));
    }
    schema
}

fn object(value: Value) -> Map<String, Value> {
    match value {
        Value::Object(map) => map,
        _ => Map::new(),
    }
}

fn shape(of: &Shape) -> Map<String, Value> {
    match of {
        // YAML's numbers and booleans are texts as well where a text is asked for.
        Shape::Text => object(json!({"type": ["string", "number", "boolean", "null"]})),
        Shape::Form(form, example) => {
            object(json!({"type": ["string", "number", "null"], "pattern": or_reference(form), "examples": [example]}))
        }
        Shape::OneOf(words) => {
            let mut values: Vec<Value> = words.iter().flat_map(|word| spellings(word)).collect();
            values.push(Value::Null);
            object(json!({"anyOf": [{"enum": values}, {"type": "string", "pattern": REFERENCE}]}))
        }
        Shape::Boolean => object(json!({"anyOf": [{"type": ["boolean", "null"]}, {"type": "string", "pattern": REFERENCE}]})),
        Shape::Number => {
            object(json!({"anyOf": [{"type": ["integer", "null"], "minimum": 0}, {"type": "string", "pattern": or_reference("[0-9]+")}]}))
        }
        Shape::Map(of) => {
            let mut schema = section(of);
            // Maps of several files are merged: what is required may stand in another.
            schema.remove("required");
            schema
        }
        Shape::Named(form, each) => {
            let names = json!({"pattern": format!("^(?:{form})$")});
            object(json!({"type": ["object", "null"], "propertyNames": names, "additionalProperties": shape(each)}))
        }
        Shape::List(each) => {
            // Lists are replaced whole, so that their items are whole.
            let items = if let Shape::Map(of) = each { section(of) } else { shape(each) };
            object(json!({"type": ["array", "null"], "items": items}))
        }
        Shape::Object => object(json!({"type": "object"})),
        Shape::Values => object(json!({"type": ["object", "null"]})),
        Shape::Any => Map::new(),
        Shape::Either(several) => object(json!({"anyOf": several.iter().map(shape).collect::<Vec<_>>()})),
    }
}

/// What a reference to a variable looks like.
const REFERENCE: &str = "\\$\\{";

fn or_reference(form: &str) -> String {
    format!("^(?:{form})$|{REFERENCE}")
}

/// A word as text, and as the value that YAML makes of it without quotes.
fn spellings(word: &str) -> Vec<Value> {
    let read: Option<Value> = serde_json::from_str(word).ok();
    [Some(json!(word)), read].into_iter().flatten().collect()
}
