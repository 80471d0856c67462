//! Schemas that a schema refers to outside itself: fetched before anything is held against them, whether the values need them or not.

use super::draft;
use crate::helm::func::url_scheme;
use crate::helm::json;
use crate::helm::strconv::quote;
use crate::helm::value::{List, MAX_DEPTH, Map, Value};

/// The address of values.schema.json itself.
pub(super) const OWN: &str = "file:///values.schema.json";
/// The most documents that one schema leads to.
const MOST: usize = 32;
/// Keywords whose values are data, not schemas.
const DATA: [&str; 4] = ["enum", "const", "default", "examples"];

/// The documents that a schema refers to, by their addresses, each with references that are whole.
pub(super) fn documents(
    root: &Value,
    is_there: impl Fn(&str) -> bool,
    fetch: &mut dyn FnMut(&str) -> Result<Vec<u8>, String>,
) -> Result<Vec<(String, Value)>, String> {
    let mut wanted = Vec::new();
    collect(root, &base(root, OWN), &mut wanted, 0);
    let mut found: Vec<(String, Value)> = Vec::new();
    while let Some((reference, url)) = wanted.pop() {
        if is_there(&reference) || is_there(&url) || found.iter().any(|(there, _)| *there == url) {
            continue;
        }
        if found.len() == MOST {
            return Err(format!("failing loading {}: a schema leads to more than {MOST} others", quote(&url)));
        }
        let failed = |why: String| format!("failing loading {}: {why}", quote(&url));
        let bytes = match url_scheme(&url).as_deref() {
            Some("http" | "https") => fetch(&url).map_err(failed)?,
            // Helm would read any file of the machine.
            Some("file") => return Err(failed("files outside the chart are not read".to_owned())),
            _ => return Err(failed(format!("no URLLoader registered for {}", quote(&url)))),
        };
        let document = json::unmarshal(&bytes).map_err(failed)?;
        super::check_meta(&document, &url)?;
        let base = base(&document, &url);
        let document = absolute(&document, &base, 0);
        collect(&document, &base, &mut wanted, 0);
        found.push((url, document));
    }
    Ok(found)
}

fn base(root: &Value, own: &str) -> String {
    let id = if let Value::Map(map) = root { draft::text(map, "$id").or_else(|| draft::text(map, "id")) } else { None };
    id.filter(|id| id.contains("://")).map_or_else(|| own.to_owned(), |id| id.split('#').next().unwrap_or_default().to_owned())
}

/// The references to other documents, as they stand and whole.
fn collect(schema: &Value, base: &str, into: &mut Vec<(String, String)>, depth: usize) {
    if depth > MAX_DEPTH {
        return;
    }
    match schema {
        Value::Map(map) => {
            for (key, inner) in map.to_vec() {
                match &inner {
                    Value::Str(text) if &*key.to_str() == "$ref" => {
                        let reference = text.to_str().split('#').next().unwrap_or_default().to_owned();
                        if !reference.is_empty() && !reference.starts_with("urn:") {
                            let url = joined(base, &reference);
                            into.push((reference, url));
                        }
                    }
                    _ if DATA.contains(&&*key.to_str()) => {}
                    _ => collect(&inner, base, into, depth + 1),
                }
            }
        }
        Value::List(list) => list.to_vec().iter().for_each(|inner| collect(inner, base, into, depth + 1)),
        _ => {}
    }
}

/// The same schema with references that hold wherever they stand.
fn absolute(schema: &Value, base: &str, depth: usize) -> Value {
    if depth > MAX_DEPTH {
        return schema.clone();
    }
    match schema {
        Value::Map(map) => {
            let entries = map.to_vec().into_iter().map(|(key, inner)| {
                let inner = match &inner {
                    Value::Str(text) if &*key.to_str() == "$ref" => Value::from(joined(base, &text.to_str()).as_str()),
                    _ if DATA.contains(&&*key.to_str()) => inner,
                    _ => absolute(&inner, base, depth + 1),
                };
                (key, inner)
            });
            Value::Map(entries.collect::<Map>())
        }
        Value::List(list) => Value::List(List::new(list.to_vec().iter().map(|inner| absolute(inner, base, depth + 1)).collect())),
        other => other.clone(),
    }
}

/// A reference from an address on.
pub(super) fn joined(base: &str, reference: &str) -> String {
    if reference.contains("://") || reference.starts_with("urn:") {
        return reference.to_owned();
    }
    if reference.is_empty() || reference.starts_with('#') {
        return format!("{base}{reference}");
    }
    let host = base.find("://").map_or(0, |at| at + 3);
    let path = host + base[host..].find('/').unwrap_or(base.len() - host);
    if reference.starts_with('/') {
        return format!("{}{reference}", &base[..path]);
    }
    let folder = base[path..].rfind('/').map_or(base.len(), |at| path + at);
    let mut parts: Vec<&str> = base[path..folder].split('/').filter(|part| !part.is_empty()).collect();
    for part in reference.split('/') {
        match part {
            "." => {}
            ".." => {
                parts.pop();
            }
            other => parts.push(other),
        }
    }
    format!("{}/{}", &base[..path], parts.join("/"))
}

#[cfg(test)]
mod tests {
    use super::joined;

    #[test]
    fn references_are_joined_to_their_base() {
        for (base, reference, expected) in [
            ("https://h/a/b.json", "c.json#/x", "https://h/a/c.json#/x"),
            ("https://h/a/b.json", "../c.json", "https://h/c.json"),
            ("https://h/a/b.json", "/c.json", "https://h/c.json"),
            ("https://h/a/b.json", "#/x", "https://h/a/b.json#/x"),
            ("https://h/a/b.json", "http://o/c", "http://o/c"),
            ("https://h", "c.json", "https://h/c.json"),
            ("file:///values.schema.json", "c.json", "file:///c.json"),
        ] {
            assert_eq!(joined(base, reference), expected);
        }
    }
}
