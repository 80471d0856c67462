//! `moved:` and `released:`: what changes hands without being made or deleted.

use std::collections::BTreeMap;

use crate::addr::{Addr, AwsKind};
use crate::diag::{Place, shown};
use crate::stack::charts::is_within;
use crate::stack::parse::{Fields, Reader, Spanned};
use crate::stack::{Stack, schema};

/// Reads `moved:`: the old addresses and the new ones, chains of renames followed to their end.
pub(super) fn moved(reader: &mut Reader<'_>, stack: &Fields<'_>) -> BTreeMap<Addr, Addr> {
    let Some(entry) = stack.get("moved") else { return BTreeMap::new() };
    let mut pairs: BTreeMap<Addr, (Addr, Place)> = BTreeMap::new();
    for (index, node) in reader.list(&entry.value, "moved").iter().enumerate() {
        let path = format!("moved[{index}]");
        let Some(fields) = reader.fields(node, &path, &schema::MOVED) else { continue };
        let from = reader.required(&fields, "from", "certificates.old");
        let to = reader.required(&fields, "to", "certificates.new");
        let (Some(from), Some(to)) = (from, to) else { continue };
        let (Some(olds), Some(news)) = (movable(reader, &from), movable(reader, &to)) else { continue };
        if olds.len() != news.len() || olds.iter().zip(&news).any(|(old, new)| old.aws_kind() != new.aws_kind()) {
            let detail = format!("{} is not of the kind of {}", shown(&to.text), shown(&from.text));
            reader.error(
                "stack/moved",
                "rename that can't be",
                detail,
                &to.place,
                "name a section and a section, or two addresses of one kind",
            );
            continue;
        }
        for (old, new) in olds.into_iter().zip(news) {
            if pairs.insert(old.clone(), (new, from.place.clone())).is_some() {
                let detail = format!("`{old}` is renamed twice");
                reader.error("stack/moved", "rename that can't be", detail, &from.place, "keep one of the two");
            }
        }
    }
    let mut ends = BTreeMap::new();
    for (old, (new, place)) in &pairs {
        let mut end = new;
        let mut steps = 0;
        while let Some((next, _)) = pairs.get(end).filter(|_| steps <= pairs.len()) {
            end = next;
            steps += 1;
        }
        if steps > pairs.len() || end == old {
            let detail = format!("the renames of `{old}` lead back to it");
            reader.error("stack/moved", "rename that can't be", detail, place, "remove those that are done");
            return BTreeMap::new();
        }
        ends.insert(old.clone(), end.clone());
    }
    ends
}

/// Reads `released:`: what stays when it leaves the stack, addresses and sections of charts.
pub(super) fn released(reader: &mut Reader<'_>, stack: &Fields<'_>) -> (BTreeMap<Addr, Place>, BTreeMap<String, Place>) {
    let (mut released, mut charts) = (BTreeMap::new(), BTreeMap::new());
    let Some(entry) = stack.get("released") else { return (released, charts) };
    for (index, node) in reader.list(&entry.value, "released").iter().enumerate() {
        let Some(text) = reader.string(node, &format!("released[{index}]")) else { continue };
        if is_of_charts(&text.text) {
            charts.insert(text.text, text.place);
            continue;
        }
        let addrs = match section(&text.text) {
            Some(addrs) => addrs,
            None => match text.text.parse() {
                Ok(addr) => vec![addr],
                Err(error) => {
                    not_an_address(reader, &text, &format!("{error}"));
                    continue;
                }
            },
        };
        released.extend(addrs.into_iter().map(|addr| (addr, text.place.clone())));
    }
    (released, charts)
}

/// What of `moved:` and `released:` contradicts the sections of the stack.
pub(super) fn against_sections(reader: &mut Reader<'_>, stack: &Stack, places: &Fields<'_>) {
    let Stack { moved, released, released_charts, .. } = stack;
    let declared = |addr: &Addr| reader.certificates.contains(&addr.name());
    let place = places.get("moved").map(|entry| entry.key_place.clone());
    let mut problems = Vec::new();
    for (from, to) in moved {
        if declared(from) {
            problems.push((
                format!("`{from}` is renamed, and the stack still has `certificates.{}`", from.name()),
                "rename the section, or remove the entry",
            ));
        }
        if !declared(to) {
            problems.push((
                format!("`{from}` is renamed to `{to}`, and the stack has no `certificates.{}`", to.name()),
                "rename the section as well",
            ));
        }
    }
    for (detail, help) in problems {
        if let Some(place) = &place {
            reader.error("stack/moved", "rename that can't be", detail, place, help);
        }
    }
    for (addr, place) in released {
        let is_certificate = addr.aws_kind() == Some(AwsKind::AcmCertificate);
        if is_certificate && reader.certificates.contains(&addr.name()) {
            let detail = format!("`{addr}` is to be let go, and the stack still has it");
            reader.error("stack/released", "released and wanted", detail, place, "remove its section, or the entry");
        }
    }
    let releases = stack.releases();
    for (section, place) in released_charts {
        if let Some(wanted) = releases.iter().find(|release| is_within(&release.section, section)) {
            let detail = format!("`{section}` is to be let go, and the stack still has `{}`", wanted.section);
            reader.error("stack/released", "released and wanted", detail, place, "remove its section, or the entry");
        }
    }
}

/// Whether a text names a section of charts: `istio`, a part of it, or `charts.<key>`.
pub(crate) fn is_of_charts(text: &str) -> bool {
    text == "istio" || ["istio.", "charts."].into_iter().any(|begin| text.strip_prefix(begin).is_some_and(|key| !key.is_empty()))
}

/// The addresses of a section, `certificates.<key>`: the certificate, and its secret in Secrets Manager.
pub(crate) fn section(text: &str) -> Option<Vec<Addr>> {
    let key = text.strip_prefix("certificates.").filter(|key| !key.is_empty())?;
    Some(vec![Addr::certificate(key), Addr::secret(key)])
}

/// The addresses that can have other names.
fn movable(reader: &mut Reader<'_>, text: &Spanned) -> Option<Vec<Addr>> {
    if let Some(addrs) = section(&text.text) {
        return Some(addrs);
    }
    match text.text.parse::<Addr>() {
        Ok(addr) if matches!(addr.aws_kind(), Some(AwsKind::AcmCertificate | AwsKind::SecretsManagerSecret)) => Some(vec![addr]),
        Ok(addr) => {
            let why = if addr.is_kube() {
                "its name is what the cluster knows it by: another name is another object"
            } else {
                "a validation record belongs to its domain"
            };
            let detail = format!("`{addr}` can't be renamed: {why}");
            reader.error(
                "stack/moved",
                "rename that can't be",
                detail,
                &text.place,
                "only certificates and their secrets have keys of the stack's",
            );
            None
        }
        Err(error) => {
            not_an_address(reader, text, &format!("{error}"));
            None
        }
    }
}

fn not_an_address(reader: &mut Reader<'_>, text: &Spanned, why: &str) {
    let help = "write a section, such as `certificates.<key>`, or an address as `plan` shows it";
    reader.error("stack/address", "not an address", why.to_owned(), &text.place, help);
}
