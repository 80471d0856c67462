//! References within a schema.

use std::cell::RefCell;

use super::{draft, meta, remote};
use crate::helm::value::{MAX_DEPTH, Map, Value};

/// A schema document.
pub(super) struct Document {
    pub(super) root: Value,
    pub(super) version: u16,
    /// Parts with an `$id` of their own, by it; and with an anchor, by `#` and its name.
    named: Vec<(String, Value)>,
    /// Whether formats are asserted whatever the edition says.
    pub(super) asserts_formats: bool,
    /// What there is to say of references.
    warnings: RefCell<Vec<String>>,
}

/// What a reference leads to.
pub(super) enum Target {
    Schema(Value),
    /// A URN, which Helm takes for a schema that allows everything.
    Anything,
}

impl Document {
    pub(super) fn new(root: Value) -> Self {
        let version = draft::version(&root);
        let mut named = Vec::new();
        collect(&root, version, &mut named, 0);
        Self { root, version, named, asserts_formats: version < 2019, warnings: RefCell::default() }
    }

    /// The schema of schemas of an edition.
    pub(super) fn of_schemas(version: u16) -> Self {
        Self { root: meta::schema(version), version, named: Vec::new(), asserts_formats: true, warnings: RefCell::default() }
    }

    /// Fetches what the schema refers to outside itself.
    pub(super) fn fetch(&mut self, fetch: &mut dyn FnMut(&str) -> Result<Vec<u8>, String>) -> Result<(), String> {
        let found = remote::documents(&self.root, |url| self.by_id(url).is_some(), fetch)?;
        for (url, document) in found {
            collect(&document, self.version, &mut self.named, 0);
            self.named.push((url, document));
        }
        Ok(())
    }

    /// What a reference within the document leads to; the error is that of the compiler.
    pub(super) fn resolve(&self, reference: &str) -> Result<Target, String> {
        let (url, fragment) = reference.split_once('#').map_or((reference, ""), |(url, fragment)| (url, fragment));
        let base = if url.is_empty() {
            self.root.clone()
        } else if let Some(found) = self.by_id(url) {
            found
        } else if url.starts_with("urn:") {
            let told = format!("WARNING: unresolved URN reference ignored; using permissive schema: {url}");
            let mut warnings = self.warnings.borrow_mut();
            if !warnings.contains(&told) {
                warnings.push(told);
            }
            return Ok(Target::Anything);
        } else {
            // A relative reference to what was fetched.
            let whole = self.named.iter().find(|(id, _)| !id.starts_with('#') && id.ends_with(&format!("/{url}")));
            whole.map(|(_, schema)| schema.clone()).ok_or_else(|| format!("failing loading \"{url}\": it is not part of the schema"))?
        };
        if fragment.is_empty() {
            return Ok(Target::Schema(base));
        }
        let missing = |what: &str| format!("{what} in \"file:///values.schema.json#{fragment}\" not found");
        if fragment.starts_with('/') {
            return pointer(&base, fragment).map(Target::Schema).ok_or_else(|| missing("json-pointer"));
        }
        let anchor = format!("#{fragment}");
        let found = self.named.iter().find(|(name, _)| *name == anchor).map(|(_, schema)| schema.clone());
        found.map(Target::Schema).ok_or_else(|| missing("anchor"))
    }

    /// What there is to say of the references that were followed.
    pub(super) fn warnings(&self) -> Vec<String> {
        self.warnings.borrow().clone()
    }

    fn by_id(&self, url: &str) -> Option<Value> {
        let last = |url: &str| url.trim_end_matches('#').rsplit('/').next().unwrap_or_default().to_owned();
        self.named
            .iter()
            .find(|(id, _)| id.trim_end_matches('#') == url)
            .or_else(|| self.named.iter().find(|(id, _)| !id.starts_with('#') && last(id) == last(url)))
            .map(|(_, schema)| schema.clone())
    }
}

/// Finds identifiers and anchors.
fn collect(schema: &Value, version: u16, into: &mut Vec<(String, Value)>, depth: usize) {
    if depth > MAX_DEPTH {
        return;
    }
    match schema {
        Value::Map(map) => {
            let id = draft::text(map, if version == 4 { "id" } else { "$id" });
            for name in [
                id,
                draft::text(map, "$anchor").map(|name| format!("#{name}")),
                draft::text(map, "$dynamicAnchor").map(|name| format!("#{name}")),
            ] {
                into.extend(name.map(|name| (name, schema.clone())));
            }
            map.to_vec().iter().for_each(|(_, inner)| collect(inner, version, into, depth + 1));
        }
        Value::List(list) => list.to_vec().iter().for_each(|inner| collect(inner, version, into, depth + 1)),
        _ => {}
    }
}

fn pointer(base: &Value, pointer: &str) -> Option<Value> {
    let mut at = base.clone();
    for token in pointer.split('/').skip(1) {
        let token = percent_decoded(token).replace("~1", "/").replace("~0", "~");
        at = match &at {
            Value::Map(map) => Map::get(map, &token)?,
            Value::List(list) => list.get(token.parse().ok()?)?,
            _ => return None,
        };
    }
    Some(at)
}

fn percent_decoded(text: &str) -> String {
    let mut out = Vec::with_capacity(text.len());
    let mut bytes = text.bytes();
    while let Some(byte) = bytes.next() {
        let mut rest = bytes.clone();
        let hex = match (byte, rest.next(), rest.next()) {
            (b'%', Some(high), Some(low)) => u8::from_str_radix(&format!("{}{}", char::from(high), char::from(low)), 16).ok(),
            _ => None,
        };
        match hex {
            Some(decoded) => {
                bytes = rest;
                out.push(decoded);
            }
            None => out.push(byte),
        }
    }
    String::from_utf8_lossy(&out).into_owned()
}
