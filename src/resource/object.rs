//! Kubernetes objects, in general, and Secrets of type `kubernetes.io/tls` whose data comes from a certificate.

use std::sync::Arc;

use serde_json::{Map, Value, json};

use super::certificate::LeafFacts;
use super::{Attr, AttrDef, Attrs, OnChange, Seen};
use crate::addr::Addr;

/// An object as it should be.
#[derive(Clone, Debug, PartialEq)]
pub struct ObjectSpec {
    /// `apiVersion`
    pub api_version: String,
    /// `kind`
    pub kind: String,
    /// The kind's plural in URLs.
    pub plural: String,
    /// The namespace of a namespaced object.
    pub namespace: Option<String>,
    /// The name.
    pub name: String,
    /// The object without `apiVersion`, `kind`, name and namespace, and without meshform's own labels and annotations.
    pub body: Arc<Value>,
    /// The certificate that the data `tls.crt` and `tls.key` come from.
    pub certificate: Option<Addr>,
}

const NAMESPACE_ATTRS: &[AttrDef] = &[
    AttrDef { path: "metadata.labels.*", on_change: OnChange::Update, seen: Seen::Live },
    AttrDef { path: "metadata.annotations.*", on_change: OnChange::Update, seen: Seen::Live },
];

const SECRET_ATTRS: &[AttrDef] = &[
    AttrDef { path: "type", on_change: OnChange::Replace, seen: Seen::Live },
    AttrDef { path: "data.*", on_change: OnChange::Update, seen: Seen::Live },
    AttrDef { path: "metadata.labels.*", on_change: OnChange::Update, seen: Seen::Live },
    AttrDef { path: "metadata.annotations.*", on_change: OnChange::Update, seen: Seen::Live },
];

const ANY_ATTRS: &[AttrDef] = &[AttrDef { path: "*", on_change: OnChange::Update, seen: Seen::Live }];

/// The attributes of the kind of object at `addr`.
pub fn attr_defs(addr: &Addr) -> &'static [AttrDef] {
    match addr {
        Addr::Kube { kind, group, .. } if group.is_empty() && kind == "namespace" => NAMESPACE_ATTRS,
        Addr::Kube { kind, group, .. } if group.is_empty() && kind == "secret" => SECRET_ATTRS,
        _ => ANY_ATTRS,
    }
}

impl ObjectSpec {
    /// A namespace.
    pub fn namespace(name: &str, labels: &Map<String, Value>, annotations: &Map<String, Value>) -> Self {
        Self {
            api_version: "v1".into(),
            kind: "Namespace".into(),
            plural: "namespaces".into(),
            namespace: None,
            name: name.to_owned(),
            body: Arc::new(json!({"metadata": {"labels": labels, "annotations": annotations}})),
            certificate: None,
        }
    }

    /// A Secret of type `kubernetes.io/tls` (Kubernetes documentation, "TLS Secrets").
    pub fn tls_secret(
        namespace: &str,
        name: &str,
        labels: &Map<String, Value>,
        annotations: &Map<String, Value>,
        certificate: Addr,
    ) -> Self {
        Self {
            api_version: "v1".into(),
            kind: "Secret".into(),
            plural: "secrets".into(),
            namespace: Some(namespace.to_owned()),
            name: name.to_owned(),
            body: Arc::new(json!({"metadata": {"labels": labels, "annotations": annotations}, "type": "kubernetes.io/tls"})),
            certificate: Some(certificate),
        }
    }

    /// The attributes wanted; `leaf` is what the certificate is now, when it is known and stays.
    pub fn attrs(&self, leaf: Option<&LeafFacts>) -> Attrs {
        let mut attrs = flatten(&self.body);
        if let Some(certificate) = &self.certificate {
            let (crt, key) = match leaf {
                Some(leaf) => tls_data_attrs(leaf),
                None => (Attr::Unknown(certificate.clone()), Attr::Unknown(certificate.clone())),
            };
            attrs.insert("data.tls.crt".into(), crt);
            attrs.insert("data.tls.key".into(), key);
        }
        attrs
    }
}

/// What `tls.crt` and `tls.key` are compared by: leaf and chain, and the public key that the private key belongs to.
pub fn tls_data_attrs(leaf: &LeafFacts) -> (Attr, Attr) {
    let crt = Attr::Secret(format!("leaf {} chain {}", short(&leaf.leaf_sha256), short(&leaf.chain_sha256)));
    (crt, tls_key_attr(&leaf.public_key_sha256))
}

/// What `tls.key` is compared by.
pub fn tls_key_attr(public_key_sha256: &str) -> Attr {
    Attr::Secret(format!("key of {}", short(public_key_sha256)))
}

fn short(hex: &str) -> &str {
    hex.get(..16).unwrap_or(hex)
}

/// The leaves of an object by path; empty maps and lists count as absent, lists are leaves.
pub fn flatten(body: &Value) -> Attrs {
    fn walk(prefix: &str, value: &Value, attrs: &mut Attrs) {
        match value {
            Value::Object(map) => {
                for (key, value) in map {
                    let path = if prefix.is_empty() { key.clone() } else { format!("{prefix}.{key}") };
                    walk(&path, value, attrs);
                }
            }
            Value::Null => {}
            Value::Array(list) if list.is_empty() => {}
            other => {
                attrs.insert(prefix.to_owned(), Attr::Value(other.clone()));
            }
        }
    }
    let mut attrs = Attrs::new();
    walk("", body, &mut attrs);
    attrs
}
