//! `certificates.<key>.zone`

use std::collections::BTreeMap;

use super::aws;
use super::names::{self, canonical, lies_in};
use crate::diag::{Place, shown};
use crate::input::{Node, Value};
use crate::stack::parse::{Fields, Reader, Spanned};
use crate::stack::{Zone, ZoneBy, schema};

/// Reads the zones: one or a list, each by name, or as a map with `id` or `name`.
pub(super) fn zones(reader: &mut Reader<'_>, certificate: &Fields<'_>) -> Vec<Zone> {
    let Some(node) = certificate.value("zone") else { return Vec::new() };
    let path = certificate.at("zone");
    let items = node.items().unwrap_or(std::slice::from_ref(node));
    let mut zones: Vec<Zone> = Vec::new();
    for item in items {
        let Some(zone) = zone(reader, item, &path) else { continue };
        if zones.iter().any(|other| other.by == zone.by) {
            reader.error("certificate/zone", "bad zone", "the zone is there already", &zone.place, "remove it");
        } else {
            zones.push(zone);
        }
    }
    zones
}

fn zone(reader: &mut Reader<'_>, node: &Node, path: &str) -> Option<Zone> {
    if !matches!(node.value, Value::Map(_)) {
        let name = reader.string(node, path)?;
        return Some(Zone { by: by_name(reader, &name)?, role: None, place: name.place });
    }
    let fields = reader.fields(node, path, &schema::ZONE)?;
    let role = aws::role(reader, &fields, "role");
    let (id, name) = (reader.string_of(&fields, "id"), reader.string_of(&fields, "name"));
    let (by, place) = match (id, name) {
        (Some(id), None) => (by_id(reader, &id)?, id.place),
        (None, Some(name)) => (by_name(reader, &name)?, name.place),
        (Some(_), Some(name)) => {
            let detail = "a zone is named by `id` or by `name`, and here are both";
            reader.error("certificate/zone", "bad zone", detail, &name.place, "keep `id`");
            return None;
        }
        (None, None) => {
            if fields.get("id").is_none() && fields.get("name").is_none() {
                let detail = "a zone needs `id` or `name`";
                reader.error("stack/missing-key", "required key missing", detail, &fields.place, "add `name: example.com`");
            }
            return None;
        }
    };
    Some(Zone { by, role, place })
}

fn by_id(reader: &mut Reader<'_>, id: &Spanned) -> Option<ZoneBy> {
    let short = id.text.strip_prefix("/hostedzone/").unwrap_or(&id.text);
    let good = short.starts_with('Z') && short.len() <= 32 && short.bytes().all(|b| b.is_ascii_uppercase() || b.is_ascii_digit());
    if !good {
        let detail = format!("{} is not the id of a hosted zone", shown(&id.text));
        reader.error("certificate/zone", "bad zone", detail, &id.place, "an id is written like `Z0123456789ABCDEFGHIJ`");
        return None;
    }
    Some(ZoneBy::Id(short.to_owned()))
}

fn by_name(reader: &mut Reader<'_>, name: &Spanned) -> Option<ZoneBy> {
    match canonical(&name.text, false) {
        Ok(name) => Some(ZoneBy::Name(name)),
        Err((why, help)) => {
            let looks_like_id = name.text.starts_with('Z') && !name.text.contains('.');
            let help = if looks_like_id { "a zone's id is written `zone: {id: Z…}`" } else { help };
            let detail = format!("{} {why}", shown(&name.text));
            reader.error("certificate/zone", "bad zone", detail, &name.place, help);
            None
        }
    }
}

/// Every name must lie in a zone, and every zone must be of use. A zone given by id may hold any name.
pub(super) fn contain(reader: &mut Reader<'_>, zones: &[Zone], names: &names::Names) {
    let by_name: BTreeMap<&str, &Place> = zones
        .iter()
        .filter_map(|zone| match &zone.by {
            ZoneBy::Name(name) => Some((name.as_str(), &zone.place)),
            ZoneBy::Id(_) => None,
        })
        .collect();
    let mut missing = false;
    if by_name.len() == zones.len() && !zones.is_empty() {
        for (name, place) in &names.all {
            if !by_name.keys().any(|zone| lies_in(name, zone)) {
                missing = true;
                let list = by_name.keys().map(|zone| shown(zone)).collect::<Vec<_>>().join(", ");
                let detail = format!("{} does not lie in {list}", shown(name));
                let help =
                    "add its zone, as in `zone: [example.com, example.org]`, or leave `zone` out to use any public zone of the account";
                reader.error("certificate/zone-missing", "name outside the zones given", detail, place, help);
            }
        }
    }
    if missing {
        return;
    }
    for (zone, place) in by_name {
        if !names.all.keys().any(|name| lies_in(name, zone)) {
            let detail = format!("no name of the certificate lies in {}", shown(zone));
            reader.error("certificate/zone", "bad zone", detail, place, "remove it, or correct it");
        }
    }
}
