//! `secrets_manager.layout` of a certificate.

use std::collections::BTreeMap;

use crate::diag::{Place, shown};
use crate::input::{Node, Value};
use crate::stack::layout::{Layout, Part};
use crate::stack::parse::{Fields, Reader};

/// The most members of a layout.
const MOST: usize = 16;

/// Reads it; the default where there is none.
pub(super) fn layout(reader: &mut Reader<'_>, secret: &Fields<'_>) -> Layout {
    let Some(entry) = secret.get("layout") else { return Layout::default() };
    let path = secret.at("layout");
    let layout = if let Value::Map(_) = entry.value.value {
        let mut members = BTreeMap::new();
        for member in reader.named(&entry.value, &path) {
            let name = &member.key;
            if name.is_empty() || name.chars().count() > 256 {
                wrong(reader, "a member's name has 1 to 256 characters", &member.key_place);
            }
            if let Some(part) = part(reader, &member.value, &format!("{path}.{name}")) {
                members.insert(name.clone(), part);
            }
        }
        Layout::Members(members)
    } else {
        let parts = reader.list(&entry.value, &path);
        Layout::Text(parts.iter().enumerate().filter_map(|(index, node)| part(reader, node, &format!("{path}[{index}]"))).collect())
    };
    if let Some(why) = fault(&layout) {
        wrong(reader, &format!("`{path}` {why}"), &entry.value.place);
    }
    layout
}

fn part(reader: &mut Reader<'_>, node: &Node, path: &str) -> Option<Part> {
    let name = reader.string(node, path)?;
    let part = Part::named(&name.text);
    if part.is_none() {
        wrong(reader, &format!("`{path}` is {}, and no part has this name", shown(&name.text)), &name.place);
    }
    part
}

/// What is wrong with a layout.
fn fault(layout: &Layout) -> Option<String> {
    let parts = layout.parts();
    let count = |wanted: Part| parts.iter().filter(|part| **part == wanted).count();
    let leaves = count(Part::Certificate) + count(Part::CertificateWithChain);
    let is_text = matches!(layout, Layout::Text(_));
    match () {
        () if parts.len() > MOST => Some(format!("has {} members; {MOST} are allowed", parts.len())),
        () if count(Part::PrivateKey) == 0 => Some("has no `private_key`".to_owned()),
        () if leaves == 0 => Some("has neither `certificate` nor `certificate_with_chain`".to_owned()),
        () if is_text && (count(Part::PrivateKey) > 1 || leaves > 1 || count(Part::Chain) > 1) => Some("has a part twice".to_owned()),
        () if is_text && count(Part::Chain) + count(Part::CertificateWithChain) > 1 => Some("has the chain twice".to_owned()),
        () => None,
    }
}

fn wrong(reader: &mut Reader<'_>, detail: &str, place: &Place) {
    let help = "parts are `certificate`, `private_key`, `chain` and `certificate_with_chain`: \
        `layout: {cert: certificate_with_chain, key: private_key}` for JSON, `layout: [private_key, certificate, chain]` for one PEM text";
    reader.error("secret/layout", "bad layout of a secret", detail, place, help);
}
