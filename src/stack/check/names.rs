//! The names of a certificate.

use std::collections::{BTreeMap, BTreeSet};

use crate::diag::{Diagnostic, Place, shown};
use crate::stack::parse::{Fields, Reader, Spanned};

/// Names in a certificate by default, and at most (ACM quotas).
const QUOTA: usize = 10;
const MOST: usize = 100;

/// The first name of a certificate, and all its names with their places.
pub(super) struct Names {
    pub(super) domain: String,
    pub(super) all: BTreeMap<String, Place>,
}

impl Names {
    /// None: what is there tells them.
    pub(super) fn none() -> Self {
        Self { domain: String::new(), all: BTreeMap::new() }
    }
}

/// Reads `domain` and `names`. Nothing when one of them isn't a name.
pub(super) fn names(reader: &mut Reader<'_>, fields: &Fields<'_>) -> Option<Names> {
    let first = reader.required(fields, "domain", "<name>");
    let domain = first.as_ref().and_then(|first| name(reader, first));
    let mut all: BTreeMap<String, Place> = BTreeMap::new();
    if let (Some(domain), Some(first)) = (&domain, &first) {
        if domain.len() > 64 {
            let detail = format!("{} octets; the common name holds 64", domain.len());
            let help = "put this name under `names`, and a shorter one in `domain`";
            reader.error("certificate/common-name", "first name too long", detail, &first.place, help);
        }
        all.insert(domain.clone(), first.place.clone());
    }
    let mut whole = true;
    let items = fields.value("names").map_or(&[][..], |node| reader.list(node, &fields.at("names")));
    for item in items {
        let Some(spanned) = reader.string(item, &fields.at("names")) else {
            whole = false;
            continue;
        };
        let Some(name) = name(reader, &spanned) else {
            whole = false;
            continue;
        };
        if let Some(before) = all.get(&name) {
            let warning =
                Diagnostic::warning("certificate/repeated-name", "name given twice", format!("{} is there already", shown(&name)));
            let warning = warning.at(&spanned.place).and_at(before, "first given here");
            reader.diags.push(warning.help("remove it: `domain` is always among the names"));
        } else {
            all.insert(name, spanned.place);
        }
    }
    count(reader, fields, all.len());
    Some(Names { domain: domain?, all }).filter(|_| whole)
}

fn count(reader: &mut Reader<'_>, fields: &Fields<'_>, count: usize) {
    let Some(entry) = fields.get("names") else { return };
    if count > MOST {
        let detail = format!("{count} names; a certificate takes {MOST}");
        reader.error("certificate/too-many-names", "too many names", detail, &entry.key_place, "make two certificates of it");
    } else if count > QUOTA {
        let detail = format!("{count} names; an account takes {QUOTA} by default");
        let warning = Diagnostic::warning("certificate/many-names", "more names than the default quota", detail);
        let help = "if the quota \"Domain names per ACM certificate\" of the account isn't raised, the request fails";
        reader.diags.push(warning.at(&entry.key_place).help(help));
    }
}

/// A name in the form that ACM gives back: lower case, no dot at the end.
fn name(reader: &mut Reader<'_>, spanned: &Spanned) -> Option<String> {
    match canonical(&spanned.text, true) {
        Ok(name) => Some(name),
        Err((why, help)) => {
            let detail = format!("{} {why}", shown(&spanned.text));
            reader.error("certificate/domain", "bad name for a certificate", detail, &spanned.place, help);
            None
        }
    }
}

/// A domain name in lower case without the dot at its end, or why it is none and what to do.
/// The form is that of ACM's `DomainName`: labels of up to 63 letters, digits and hyphens, 253 in all, at least two labels.
pub(super) fn canonical(text: &str, wildcard: bool) -> Result<String, (String, &'static str)> {
    let name = text.strip_suffix('.').unwrap_or(text).to_lowercase();
    let err = |why: &str, help| Err((why.to_owned(), help));
    if !name.is_ascii() {
        return err("holds letters beyond ASCII", "write an internationalised name in punycode, such as `xn--bcher-kva.example`");
    }
    if name.contains("://") || name.contains('/') {
        return err("is a URL or a path", "write the host name only");
    }
    if name.len() > 253 {
        return Err((format!("has {} characters; at most 253 are allowed", name.len()), ""));
    }
    let base = if wildcard { name.strip_prefix("*.").unwrap_or(&name) } else { &name };
    if base.contains('*') {
        return err("has a `*` elsewhere than as its whole first label", "a wildcard is written `*.example.com`, and stands for one label");
    }
    let labels: Vec<&str> = base.split('.').collect();
    for label in &labels {
        if label.is_empty() {
            return err("has an empty label", "");
        }
        if label.len() > 63 {
            return Err((format!("has a label of {} characters; at most 63 are allowed", label.len()), ""));
        }
        if let Some(c) = label.chars().find(|c| !(c.is_ascii_alphanumeric() || *c == '-')) {
            return Err((format!("holds {}", shown(&c.to_string())), "names hold letters, digits, `-` and `.`"));
        }
        if label.starts_with('-') || label.ends_with('-') {
            return err("has a label that begins or ends with `-`", "");
        }
    }
    match labels.as_slice() {
        [_] => err("has one label only", "write the whole name, such as `shop.example.com`"),
        [.., last] if last.len() < 2 || last.bytes().all(|b| b.is_ascii_digit()) => {
            err("is not a domain name", "public certificates are issued for domain names, not for addresses")
        }
        _ => Ok(name),
    }
}

/// Whether a name lies in a zone.
pub(super) fn lies_in(name: &str, zone: &str) -> bool {
    let name = name.strip_prefix("*.").unwrap_or(name);
    name == zone || name.strip_suffix(zone).is_some_and(|rest| rest.ends_with('.'))
}

/// The names alone.
pub(super) fn set(names: &Names) -> BTreeSet<String> {
    names.all.keys().cloned().collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_those_that_acm_takes() {
        let long = format!("{}.example.com", "a".repeat(63));
        let cases: [(&str, &str, Option<&str>); 14] = [
            ("letters become lower case", "Shop.Example.COM", Some("shop.example.com")),
            ("a dot at the end goes", "shop.example.com.", Some("shop.example.com")),
            ("a wildcard may be the first label", "*.example.com", Some("*.example.com")),
            ("punycode is a name", "xn--bcher-kva.example", Some("xn--bcher-kva.example")),
            ("a label may have 63 characters", &long, Some(&long)),
            ("a wildcard can't be a part of a label", "a*.example.com", None),
            ("a wildcard can't stand further right", "a.*.example.com", None),
            ("two wildcards are one too many", "*.*.example.com", None),
            ("other scripts need punycode", "bücher.example", None),
            ("one label is too short", "localhost", None),
            ("an address is no name", "10.0.0.1", None),
            ("a URL is no name", "https://shop.example.com", None),
            ("an empty label is wrong", "shop..example.com", None),
            ("an underscore is wrong", "_a.example.com", None),
        ];
        for (case, text, wanted) in cases {
            assert_eq!(canonical(text, true).ok().as_deref(), wanted, "{case}");
        }
    }

    #[test]
    fn a_name_lies_in_its_zone_at_label_borders() {
        for (name, zone, wanted) in [
            ("shop.example.com", "example.com", true),
            ("example.com", "example.com", true),
            ("*.example.com", "example.com", true),
            ("shopexample.com", "example.com", false),
            ("example.com", "shop.example.com", false),
        ] {
            assert_eq!(lies_in(name, zone), wanted, "{name} in {zone}");
        }
    }
}
