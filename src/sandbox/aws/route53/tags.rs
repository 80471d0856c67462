//! Tags of hosted zones.

use super::{Zone, zone_of};
use crate::sandbox::aws::wire::{Caller, Outcome, refuse};
use crate::sandbox::aws::xml::{self, Element};
use crate::sandbox::world::Tx;

pub(super) fn change(tx: &mut Tx<'_>, caller: &Caller, path: &[String], input: &Element) -> Outcome<String> {
    let mut zone = zone_at(tx, caller, path)?;
    for key in input.list("RemoveTagKeys") {
        zone.tags.remove(&key.text);
    }
    for tag in input.list("AddTags") {
        zone.tags.insert(tag.value("Key").unwrap_or_default().to_owned(), tag.value("Value").unwrap_or_default().to_owned());
    }
    tx.write(&format!("r53/zone/{}", zone.id), &zone)?;
    Ok(String::new())
}

pub(super) fn list(tx: &Tx<'_>, caller: &Caller, path: &[String]) -> Outcome<String> {
    Ok(show(&zone_at(tx, caller, path)?))
}

pub(super) fn list_all(tx: &Tx<'_>, caller: &Caller, path: &[String], input: &Element) -> Outcome<String> {
    let kind = path.get(2).cloned().unwrap_or_default();
    let at = |id: &Element| [String::new(), String::new(), kind.clone(), id.text.clone()];
    let zones = input.list("ResourceIds").iter().map(|id| zone_at(tx, caller, &at(id)));
    let shown = zones.map(|zone| zone.map(|zone| show(&zone))).collect::<Outcome<Vec<_>>>()?;
    Ok(xml::tag("ResourceTagSets", &shown.concat()))
}

fn zone_at(tx: &Tx<'_>, caller: &Caller, path: &[String]) -> Outcome<Zone> {
    match path {
        [_, _, kind, id] if kind == "hostedzone" => zone_of(tx, caller, id),
        _ => Err(refuse("InvalidInput", "the sandbox has tags of hosted zones only")),
    }
}

fn show(zone: &Zone) -> String {
    let tags = zone.tags.iter().map(|(key, value)| xml::tag("Tag", &(xml::text("Key", key) + &xml::text("Value", value))));
    let parts = [xml::text("ResourceType", "hostedzone"), xml::text("ResourceId", &zone.id), xml::tag("Tags", &tags.collect::<String>())];
    xml::tag("ResourceTagSet", &parts.concat())
}
