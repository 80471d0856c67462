//! `acm_validation_record`: the CNAME that proves a domain to ACM. It belongs to (account, base domain), so several certificates may need it.

use super::{Attr, AttrDef, Attrs, OnChange, Seen};
use crate::addr::Addr;
use crate::stack::Zone;

/// The record's time to live in seconds: short, as ACM asks once and the value never changes.
pub const TTL: i64 = 300;

/// The attributes.
pub const ATTRS: &[AttrDef] = &[
    AttrDef { path: "zone_id", on_change: OnChange::Replace, seen: Seen::Live },
    AttrDef { path: "name", on_change: OnChange::Replace, seen: Seen::Live },
    AttrDef { path: "type", on_change: OnChange::Replace, seen: Seen::Live },
    AttrDef { path: "ttl", on_change: OnChange::Update, seen: Seen::Live },
    AttrDef { path: "records", on_change: OnChange::Update, seen: Seen::Live },
    AttrDef { path: "zone_role_arn", on_change: OnChange::Update, seen: ROLE },
    AttrDef { path: "zone_external_id", on_change: OnChange::Update, seen: ROLE },
];

/// Why a zone's role is not compared with anything live.
const ROLE: Seen = Seen::Unseen("it is how meshform reaches the zone, and no attribute of the record; kept in state for the deletion");

/// A validation record as it should be.
#[derive(Clone, Debug, PartialEq)]
pub struct ValidationRecordSpec {
    /// The base domain.
    pub base_domain: String,
    /// The zones that the stack names for it; empty: any public zone of the account.
    pub zones: Vec<Zone>,
    /// The certificates that need it.
    pub certificates: Vec<Addr>,
}

/// The attributes of a record whose name and value are known.
pub fn attrs(zone_id: &str, name: &str, value: &str, ttl: i64) -> Attrs {
    Attrs::from([
        ("zone_id".to_owned(), Attr::text(zone_id)),
        ("name".to_owned(), Attr::text(name)),
        ("type".to_owned(), Attr::text("CNAME")),
        ("ttl".to_owned(), Attr::Value(ttl.into())),
        ("records".to_owned(), Attr::Value(serde_json::json!([value]))),
    ])
}

/// The attributes of a record that awaits its certificate.
pub fn unknown_attrs(zone_id: &str, certificate: &Addr) -> Attrs {
    let mut attrs = attrs(zone_id, "", "", TTL);
    for path in ["name", "records"] {
        attrs.insert(path.to_owned(), Attr::Unknown(certificate.clone()));
    }
    attrs
}
