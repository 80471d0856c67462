//! The JSON of an object that is applied.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Map, Value, json};

use crate::resource::Attrs;
use crate::resource::object::ObjectSpec;
use crate::secret::SecretBytes;

/// The object in JSON: what the stack says, these marks, and a Secret's data. With `uid` the server refuses when the object was made anew since
/// it was looked at. It is put together as text, so that no key passes through a JSON value that isn't zeroed.
pub fn object<'d>(
    spec: &ObjectSpec,
    content: &Value,
    marks: &Attrs,
    uid: Option<&str>,
    data: impl Iterator<Item = (&'d str, &'d SecretBytes)>,
) -> SecretBytes {
    let mut object: Map<String, Value> = content.as_object().cloned().unwrap_or_default();
    object.insert("apiVersion".into(), json!(spec.api_version));
    object.insert("kind".into(), json!(spec.kind));
    let metadata = object.entry("metadata").or_insert_with(|| json!({}));
    if let Value::Object(metadata) = metadata {
        metadata.insert("name".into(), json!(spec.name));
        if let Some(namespace) = &spec.namespace {
            metadata.insert("namespace".into(), json!(namespace));
        }
        if let Some(uid) = uid {
            metadata.insert("uid".into(), json!(uid));
        }
        for (path, attr) in marks {
            let place = path.strip_prefix("metadata.").and_then(|rest| rest.split_once('.'));
            if let (Some((part, key)), Some(text)) = (place, attr.as_text())
                && let Value::Object(map) = metadata.entry(part).or_insert_with(|| json!({}))
            {
                map.insert(key.to_owned(), json!(text));
            }
        }
    }
    let mut text = Value::Object(object).to_string();
    let mut count = 0;
    for (key, value) in data {
        if count == 0 {
            text.pop();
            text.push_str(",\"data\":{");
        } else {
            text.push(',');
        }
        count += 1;
        text.push_str(&json!(key).to_string());
        text.push_str(":\"");
        text.reserve(value.len() * 4 / 3 + 8);
        STANDARD.encode_string(value.expose_secret(), &mut text);
        text.push('"');
    }
    if count > 0 {
        text.push_str("}}");
    }
    SecretBytes::from_text(text)
}
