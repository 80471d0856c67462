//! `route53_record`: the alias records that lead a host to a load balancer, and the TXT records beside them that say whose they are.
//!
//! The TXT records have the form of external-dns's registry (its documentation, "The TXT registry"): under the host's name with the type of
//! the record in front of the first label, `heritage=external-dns` and an owner in it. So external-dns leaves the records alone, and they are
//! found again without a state. A host's records are one resource: they are made, changed and removed together, in one batch.
//!
//! Beside the name of the zone itself those names would lie outside of the zone (`a-example.com`): there the TXT records stand below it, as with
//! external-dns's `--txt-prefix=meshform-%{record_type}.`, which its documentation advises for such names.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::json;

use super::{Attr, AttrDef, Attrs, OnChange, Seen};
use crate::addr::Addr;
use crate::stack::Zone;

/// The attributes.
pub const ATTRS: &[AttrDef] = &[
    AttrDef { path: "zone_id", on_change: OnChange::Replace, seen: Seen::Live },
    AttrDef { path: "name", on_change: OnChange::Replace, seen: Seen::Live },
    AttrDef { path: ROUTING, on_change: OnChange::Replace, seen: Seen::Live },
    AttrDef { path: "types", on_change: OnChange::Update, seen: Seen::Live },
    AttrDef { path: "values", on_change: OnChange::Update, seen: Seen::Live },
    AttrDef { path: "alias.*", on_change: OnChange::Update, seen: Seen::Live },
    AttrDef { path: OWNERSHIP, on_change: OnChange::Update, seen: Seen::Live },
    AttrDef { path: APEX, on_change: OnChange::Update, seen: Seen::Live },
    AttrDef { path: "zone_role_arn", on_change: OnChange::Update, seen: ROLE },
    AttrDef { path: "zone_external_id", on_change: OnChange::Update, seen: ROLE },
];

/// Why a zone's role is not compared with anything live.
const ROLE: Seen = Seen::Unseen("it is how meshform reaches the zone, and no attribute of the records; kept in state for the deletion");

/// What the TXT records say.
pub const OWNERSHIP: &str = "ownership";
/// That the host is the name of its zone.
pub const APEX: &str = "apex";
/// That records of the host have a routing policy (weights, regions, …): such records are never ours.
pub const ROUTING: &str = "routing";
/// The time to live of the TXT records in seconds, external-dns's default on Route 53.
const TTL: i64 = 300;
/// What begins the owner's name in them.
const OWNER: &str = "meshform/";

/// The alias records of a host as they should be.
#[derive(Clone, Debug, PartialEq)]
pub struct AliasRecordSpec {
    /// The host, a wildcard perhaps.
    pub host: String,
    /// The zones that the stack names for it; empty: any zone of the account.
    pub zones: Vec<Zone>,
    /// The Ingress whose load balancer the host leads to.
    pub target: Addr,
    /// Whether there is a record for IPv6 too.
    pub has_ipv6: bool,
    /// Whether Route 53 answers only while the load balancer has healthy targets (API: AliasTarget, EvaluateTargetHealth).
    pub evaluate_target_health: bool,
}

/// Where an alias leads.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Alias {
    /// The name, lower case, without trailing dot; what is read keeps a `dualstack.` in front.
    pub name: String,
    /// The zone of that name: the load balancer's, not ours.
    pub zone_id: String,
    /// Whether the target's health counts.
    pub evaluate_target_health: bool,
}

/// A record set of Route 53.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Record {
    /// Its name, lower case, without trailing dot or escapes.
    pub name: String,
    /// Its type.
    pub rr_type: String,
    /// Its time to live in seconds; 0 of an alias.
    pub ttl: i64,
    /// Its values; those of a CNAME without trailing dot.
    pub values: Vec<String>,
    /// Where it leads, when it is an alias.
    pub alias: Option<Alias>,
    /// Whether it has a routing policy.
    pub has_policy: bool,
}

impl Record {
    /// Whether it is nothing but values.
    pub fn is_simple(&self) -> bool {
        self.alias.is_none() && !self.has_policy
    }

    fn ownership(&self) -> Option<&str> {
        let [value] = self.values.as_slice() else { return None };
        let text = value.strip_prefix('"')?.strip_suffix('"')?;
        (self.rr_type == "TXT" && text.split(',').any(|part| part == "heritage=external-dns")).then_some(text)
    }
}

/// A host in a zone.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Host<'a> {
    /// The host.
    pub name: &'a str,
    /// Whether it is the name of the zone.
    pub is_apex: bool,
}

impl Host<'_> {
    /// The names that hold records of it: its own, and those of the registry's records of the types that matter, older forms among them.
    pub fn names(self) -> [String; 4] {
        [self.name.to_owned(), self.registry_name("A"), self.registry_name("AAAA"), self.registry_name("CNAME")]
    }

    fn registry_name(self, rr_type: &str) -> String {
        let rr_type = rr_type.to_ascii_lowercase();
        if self.is_apex { format!("meshform-{rr_type}.{}", self.name) } else { format!("{rr_type}-{}", self.name) }
    }
}

/// Whether attributes say that the host is the name of its zone.
pub fn is_apex(attrs: &Attrs) -> bool {
    attrs.get(APEX) == Some(&Attr::Value(json!(true)))
}

/// What the registry's records say of an owner: the stack and the lineage of meshform's, or the name of another one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum RegistryOwner {
    /// A stack of meshform's.
    Stack {
        /// The stack.
        stack: String,
        /// The lineage of its state.
        lineage: String,
    },
    /// An external-dns, by its `--txt-owner-id`.
    ExternalDns(String),
}

/// The text of the registry's records.
pub fn ownership(stack: &str, lineage: &str, target: &Addr, is_adopted: bool) -> String {
    let resource = match target {
        Addr::Kube { kind, namespace: Some(namespace), name, .. } => format!("{kind}/{namespace}/{name}"),
        other => other.to_string(),
    };
    let adopted = if is_adopted { ",meshform/adopted=true" } else { "" };
    format!("heritage=external-dns,external-dns/owner={OWNER}{stack}/{lineage},external-dns/resource={resource}{adopted}")
}

/// Whether the text says that the records were there before meshform.
pub fn is_adopted(ownership: &str) -> bool {
    ownership.split(',').any(|part| part == "meshform/adopted=true")
}

fn owner(ownership: &str) -> RegistryOwner {
    let owner = ownership.split(',').find_map(|part| part.strip_prefix("external-dns/owner=")).unwrap_or_default();
    match owner.strip_prefix(OWNER).and_then(|rest| rest.split_once('/')) {
        Some((stack, lineage)) => RegistryOwner::Stack { stack: stack.to_owned(), lineage: lineage.to_owned() },
        None => RegistryOwner::ExternalDns(owner.to_owned()),
    }
}

/// The records of a host that are there.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct LiveSet(Vec<Record>);

impl LiveSet {
    /// Those of a zone's records that are the host's: addresses, a CNAME, and the registry's. Its other records (mail, texts) are not.
    pub fn of<'r>(host: Host<'_>, records: impl IntoIterator<Item = &'r Record>) -> Self {
        let names = host.names();
        let is_part = |record: &&Record| match record.rr_type.as_str() {
            "A" | "AAAA" | "CNAME" => record.name == host.name,
            "TXT" => names.contains(&record.name) && record.ownership().is_some(),
            _ => false,
        };
        let mut records: Vec<Record> = records.into_iter().filter(is_part).cloned().collect();
        records.sort();
        records.dedup();
        Self(records)
    }

    /// Those that make up an alias that is wanted, by its attributes; nothing while some of them are unknown.
    pub fn wanted(attrs: &Attrs) -> Option<Self> {
        let text = |path: &str| attrs.get(path).and_then(Attr::as_text).map(ToOwned::to_owned);
        let evaluate_target_health = attrs.get("alias.evaluate_target_health") == Some(&Attr::Value(json!(true)));
        let alias = Alias { name: text("alias.name")?, zone_id: text("alias.zone_id")?, evaluate_target_health };
        let (name, ownership) = (text("name")?, text(OWNERSHIP)?);
        let host = Host { name: &name, is_apex: is_apex(attrs) };
        let Some(Attr::Value(serde_json::Value::Array(types))) = attrs.get("types") else { return None };
        let mut records = Vec::new();
        for rr_type in types.iter().filter_map(serde_json::Value::as_str) {
            let blank =
                Record { name: name.clone(), rr_type: rr_type.to_owned(), ttl: 0, values: Vec::new(), alias: None, has_policy: false };
            records.push(Record {
                name: host.registry_name(rr_type),
                rr_type: "TXT".into(),
                ttl: TTL,
                values: vec![format!("\"{ownership}\"")],
                ..blank.clone()
            });
            records.push(Record { alias: Some(alias.clone()), ..blank });
        }
        records.sort();
        Some(Self(records))
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// All of them.
    pub fn records(&self) -> &[Record] {
        &self.0
    }

    /// The same without those that say whose they are.
    #[must_use]
    pub fn without_ownership(&self) -> Self {
        Self(self.0.iter().filter(|record| record.ownership().is_none()).cloned().collect())
    }

    /// What has to go and what has to come so that this set becomes the other one. A record that changes goes and comes: Route 53 takes both
    /// in one batch, and refuses it when what goes isn't what is there.
    pub fn changes_to(&self, wanted: &Self) -> (Vec<Record>, Vec<Record>) {
        // The time to live of a registry's record is of no weight.
        let same = |one: &Record, other: &Record| {
            let of = |record: &Record| Record {
                ttl: if record.ownership().is_some() { TTL } else { record.ttl },
                alias: record.alias.as_ref().map(|alias| Alias { name: plain_target(&alias.name), ..alias.clone() }),
                ..record.clone()
            };
            of(one) == of(other)
        };
        let gone = self.0.iter().filter(|record| !wanted.0.iter().any(|other| same(record, other)));
        let come = wanted.0.iter().filter(|record| !self.0.iter().any(|other| same(record, other)));
        (gone.cloned().collect(), come.cloned().collect())
    }

    /// Who owns them, as the registry's records tell; nothing when they tell nothing.
    pub fn owner(&self) -> Option<RegistryOwner> {
        // Another's word outweighs ours: what someone else claims isn't ours.
        let mut owners: Vec<RegistryOwner> = self.0.iter().filter_map(Record::ownership).map(owner).collect();
        owners.sort_by_key(|owner| matches!(owner, RegistryOwner::Stack { .. }));
        owners.into_iter().next()
    }

    /// The attributes of what is there.
    pub fn attrs(&self, zone_id: &str, host: Host<'_>) -> Attrs {
        let mut attrs = Attrs::from([("zone_id".to_owned(), Attr::text(zone_id)), ("name".to_owned(), Attr::text(host.name))]);
        if host.is_apex {
            attrs.insert(APEX.into(), Attr::Value(json!(true)));
        }
        let of_host: Vec<&Record> = self.0.iter().filter(|record| record.rr_type != "TXT").collect();
        let types: BTreeSet<&str> = of_host.iter().map(|record| record.rr_type.as_str()).collect();
        attrs.insert("types".into(), Attr::Value(json!(types)));
        let aliases: BTreeSet<&Alias> = of_host.iter().filter_map(|record| record.alias.as_ref()).collect();
        let joined = |parts: BTreeSet<String>| Attr::text(parts.into_iter().collect::<Vec<_>>().join(" and "));
        if !aliases.is_empty() {
            attrs.insert("alias.name".into(), joined(aliases.iter().map(|alias| plain_target(&alias.name)).collect()));
            attrs.insert("alias.zone_id".into(), joined(aliases.iter().map(|alias| alias.zone_id.clone()).collect()));
            let evaluate = aliases.iter().any(|alias| alias.evaluate_target_health);
            attrs.insert("alias.evaluate_target_health".into(), Attr::Value(json!(evaluate)));
        }
        let values: BTreeMap<&str, &[String]> = of_host
            .iter()
            .filter(|record| record.alias.is_none())
            .map(|record| (record.rr_type.as_str(), record.values.as_slice()))
            .collect();
        if !values.is_empty() {
            attrs.insert("values".into(), Attr::Value(json!(values)));
        }
        if of_host.iter().any(|record| record.has_policy) {
            attrs.insert(ROUTING.into(), Attr::text("has a routing policy"));
        }
        let wanted: BTreeSet<String> = types.iter().map(|rr_type| host.registry_name(rr_type)).collect();
        let owners: BTreeMap<&str, &str> = self.0.iter().filter_map(|record| Some((record.name.as_str(), record.ownership()?))).collect();
        let words: BTreeSet<&str> = owners.values().copied().collect();
        // One word for all of them; or what each says, when they differ, or one of them is missing or too many.
        let is_whole = owners.len() == wanted.len() && owners.keys().all(|name| wanted.contains(*name));
        match (words.len(), is_whole) {
            (0, _) => {}
            (1, true) => drop(attrs.insert(OWNERSHIP.into(), Attr::text(words.into_iter().collect::<String>()))),
            _ => {
                let each = owners.iter().map(|(name, word)| format!("{name}: {word}"));
                attrs.insert(OWNERSHIP.into(), Attr::text(each.collect::<Vec<_>>().join("; ")));
            }
        }
        attrs
    }
}

/// The id of a host's records: zone and host.
pub fn id(zone_id: &str, host: &str) -> String {
    format!("{zone_id}/{host}/A")
}

/// The zone of the names of load balancers in a region, by the name of one: an alias needs it (AWS general reference, "Elastic Load Balancing
/// endpoints and quotas", hosted zone ids of Application Load Balancers).
pub fn canonical_zone(hostname: &str) -> Option<&'static str> {
    let rest = hostname.strip_suffix(".elb.amazonaws.com").or_else(|| hostname.strip_suffix(".elb.amazonaws.com.cn"))?;
    let region = rest.rsplit('.').next()?;
    ZONES.iter().find(|(name, _)| *name == region).map(|(_, zone)| *zone)
}

const ZONES: &[(&str, &str)] = &[
    ("af-south-1", "Z268VQBMOI5EKX"),
    ("ap-east-1", "Z3DQVH9N71FHZ0"),
    ("ap-east-2", "Z02789141MW7T1WBU19PO"),
    ("ap-northeast-1", "Z14GRHDCWA56QT"),
    ("ap-northeast-2", "ZWKZPGTI48KDX"),
    ("ap-northeast-3", "Z5LXEXXYW11ES"),
    ("ap-south-1", "ZP97RAFLXTNZK"),
    ("ap-south-2", "Z0173938T07WNTVAEPZN"),
    ("ap-southeast-1", "Z1LMS91P8CMLE5"),
    ("ap-southeast-2", "Z1GM3OXH4ZPM65"),
    ("ap-southeast-3", "Z08888821HLRG5A9ZRTER"),
    ("ap-southeast-4", "Z09517862IB2WZLPXG76F"),
    ("ap-southeast-5", "Z06010284QMVVW7WO5J"),
    ("ap-southeast-6", "Z023301818UFJ50CIO0MV"),
    ("ap-southeast-7", "Z0390008CMBRTHFGWBCB"),
    ("ca-central-1", "ZQSVJUPU6J1EY"),
    ("ca-west-1", "Z06473681N0SF6OS049SD"),
    ("cn-north-1", "Z1GDH35T77C1KE"),
    ("cn-northwest-1", "ZM7IZAIOVVDZF"),
    ("eu-central-1", "Z215JYRZR1TBD5"),
    ("eu-central-2", "Z06391101F2ZOEP8P5EB3"),
    ("eu-north-1", "Z23TAZ6LKFMNIO"),
    ("eu-south-1", "Z3ULH7SSC9OV64"),
    ("eu-south-2", "Z0956581394HF5D5LXGAP"),
    ("eu-west-1", "Z32O12XQLNTSW2"),
    ("eu-west-2", "ZHURV8PSTC4K8"),
    ("eu-west-3", "Z3Q77PNBQS71R4"),
    ("il-central-1", "Z09170902867EHPV2DABU"),
    ("me-central-1", "Z08230872XQRWHG2XF6I"),
    ("me-south-1", "ZS929ML54UICD"),
    ("mx-central-1", "Z023552324OKD1BB28BH5"),
    ("sa-east-1", "Z2P70J7HTTTPLU"),
    ("us-east-1", "Z35SXDOTRQ7X7K"),
    ("us-east-2", "Z3AADJGX6KTTL2"),
    ("us-gov-east-1", "Z166TLBEWOO7G0"),
    ("us-gov-west-1", "Z33AYJ8TM3BH4J"),
    ("us-west-1", "Z368ELLRRE2KJ0"),
    ("us-west-2", "Z1H1FL5HABSF5"),
];

/// A load balancer's name as Route 53 keeps it: lower case, without trailing dot, and without `dualstack.`, which consoles put in front.
pub fn plain_target(name: &str) -> String {
    let name = name.trim_end_matches('.').to_ascii_lowercase();
    name.strip_prefix("dualstack.").unwrap_or(&name).to_owned()
}
