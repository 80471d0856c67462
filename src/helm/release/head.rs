//! The head of a manifest: `releaseutil.SimpleHead`.

use std::collections::BTreeMap;

use crate::helm::yaml::Node;

/// What decides over a document.
#[derive(Debug, Default)]
pub(super) struct Head {
    pub(super) api_version: String,
    pub(super) kind: String,
    pub(super) name: String,
    pub(super) annotations: BTreeMap<String, String>,
}

fn wrong(node: &Node, into: &str) -> String {
    format!("error unmarshaling JSON: while decoding JSON: json: cannot unmarshal {} into Go {into}", node.json_kind())
}

fn text(of: &Node, key: &str, path: &str) -> Result<String, String> {
    match of.get(key) {
        None | Some(Node::Null) => Ok(String::new()),
        Some(node) => node.to_text().ok_or_else(|| wrong(node, &format!("struct field {path} of type string"))),
    }
}

impl Head {
    /// The head of a document; the error is that of sigs.k8s.io/yaml.
    pub(super) fn of(node: &Node) -> Result<Self, String> {
        check_numbers(node)?;
        match node {
            Node::Null => return Ok(Self::default()),
            Node::Map(_) => {}
            other => return Err(wrong(other, "value of type releaseutil.SimpleHead")),
        }
        let mut head = Self {
            api_version: text(node, "apiVersion", "SimpleHead.apiVersion")?,
            kind: text(node, "kind", "SimpleHead.kind")?,
            ..Self::default()
        };
        let metadata = match node.get("metadata") {
            None | Some(Node::Null) => return Ok(head),
            Some(map @ Node::Map(_)) => map,
            Some(other) => {
                let typ = "struct { Name string \"json:\\\"name\\\"\"; Annotations map[string]string \"json:\\\"annotations\\\"\" }";
                return Err(wrong(other, &format!("struct field SimpleHead.metadata of type {typ}")));
            }
        };
        head.name = text(metadata, "name", ".metadata.name")?;
        match metadata.get("annotations") {
            None | Some(Node::Null) => {}
            Some(Node::Map(entries)) => {
                for (key, node) in entries {
                    let value = match node {
                        Node::Null => String::new(),
                        node => node.to_text().ok_or_else(|| wrong(node, "struct field .metadata.annotations of type string"))?,
                    };
                    head.annotations.insert(key.clone(), value);
                }
            }
            Some(other) => return Err(wrong(other, "struct field .metadata.annotations of type map[string]string")),
        }
        Ok(head)
    }
}

/// JSON has no NaN and no infinities.
fn check_numbers(node: &Node) -> Result<(), String> {
    match node {
        Node::Float(number) if !number.is_finite() => {
            node.clone().into_value().map(|_| ()).map_err(|error| format!("error converting YAML to JSON: {error}"))
        }
        Node::List(items) => items.iter().try_for_each(check_numbers),
        Node::Map(entries) => entries.iter().try_for_each(|(_, node)| check_numbers(node)),
        _ => Ok(()),
    }
}
