//! `aws:`, and tags wherever they stand.

use std::collections::BTreeMap;

use super::syntax;
use crate::diag::{Place, shown};
use crate::stack::parse::{Fields, Reader, Spanned};
use crate::stack::{Aws, Prices, Role, schema};

/// What AWS takes of tags on a resource, and what we set ourselves.
const MOST_TAGS: usize = 50;
const OWN_TAGS: usize = 3;

/// Reads `aws:`.
pub(super) fn aws(reader: &mut Reader<'_>, stack: &Fields<'_>) -> Option<Aws> {
    let entry = stack.get("aws")?;
    let fields = reader.fields(&entry.value, "aws", &schema::AWS)?;
    let region = region(reader, &fields);
    if fields.get("region").is_none() {
        let help = "add `region: eu-west-1`, or the region of yours";
        reader.error("stack/missing-key", "required key missing", "`aws` needs `region`", &entry.key_place, help);
    }
    let account = reader.string_of(&fields, "account");
    if let Some(account) = &account
        && !(account.text.len() == 12 && account.text.bytes().all(|b| b.is_ascii_digit()))
    {
        let detail = format!("{} is not twelve digits", shown(&account.text));
        reader.error("aws/account", "bad account", detail, &account.place, "");
    }
    let tags = tags(reader, &fields, &BTreeMap::new());
    Some(Aws {
        // An absent region is told already, and fails the check.
        region: region.unwrap_or_default(),
        account_place: account.as_ref().map(|account| account.place.clone()),
        account: account.map(|account| account.text),
        profile: reader.string_of(&fields, "profile").map(|profile| profile.text),
        role: role(reader, &fields, "role_arn"),
        tags,
        place: entry.key_place.clone(),
        prices: prices(reader, &fields),
        verify_chain: reader.boolean(&fields, "verify_chain").unwrap_or(true),
    })
}

/// The region of a section.
pub(super) fn region(reader: &mut Reader<'_>, fields: &Fields<'_>) -> Option<String> {
    let region = reader.string_of(fields, "region")?;
    if !syntax::is_region(&region.text) {
        let detail = format!("{} is not a region", shown(&region.text));
        reader.error("aws/region", "bad region", detail, &region.place, "a region is written like `eu-west-1`");
    }
    Some(region.text)
}

/// A role of the key `arn_key`, with `external_id` beside it.
pub(super) fn role(reader: &mut Reader<'_>, fields: &Fields<'_>, arn_key: &str) -> Option<Role> {
    let arn = reader.string_of(fields, arn_key);
    let external_id = reader.string_of(fields, "external_id");
    let Some(arn) = arn else {
        if let Some(id) = external_id.filter(|_| fields.get(arn_key).is_none()) {
            let detail = format!("`{}` has no role to go with", fields.at("external_id"));
            reader.error("aws/role", "bad role", detail, &id.place, &format!("add `{arn_key}: arn:aws:iam::…:role/…`"));
        }
        return None;
    };
    if !is_role_arn(&arn.text) {
        let detail = format!("{} is not the ARN of a role", shown(&arn.text));
        reader.error(
            "aws/role",
            "bad role",
            detail,
            &arn.place,
            "a role's ARN is written like `arn:aws:iam::111122223333:role/dns-writer`",
        );
    }
    if let Some(id) = &external_id {
        // STS AssumeRole: 2 to 1,224 characters of [\w+=,.@:\/-].
        let allowed = |c: char| c.is_ascii_alphanumeric() || "_+=,.@:/-".contains(c);
        if !(2..=1224).contains(&id.text.len()) || !id.text.chars().all(allowed) {
            let detail = "an external id is 2 to 1,224 letters, digits and `_+=,.@:/-`";
            reader.error("aws/role", "bad role", detail, &id.place, "");
        }
    }
    Some(Role { arn: arn.text, external_id: external_id.map(|id| id.text) })
}

fn is_role_arn(text: &str) -> bool {
    let parts: Vec<&str> = text.splitn(6, ':').collect();
    let [arn, partition, iam, region, account, name] = parts.as_slice() else { return false };
    *arn == "arn"
        && partition.starts_with("aws")
        && *iam == "iam"
        && region.is_empty()
        && account.len() == 12
        && account.bytes().all(|b| b.is_ascii_digit())
        && name.strip_prefix("role/").is_some_and(|name| !name.is_empty())
}

/// Tags of a section, which come on top of those of `aws.tags`.
pub(super) fn tags(reader: &mut Reader<'_>, fields: &Fields<'_>, inherited: &BTreeMap<String, String>) -> BTreeMap<String, String> {
    let mut tags = BTreeMap::new();
    for (key, (value, place)) in reader.strings(fields, "tags") {
        if let Err(why) = syntax::tag_key(&key) {
            reader.error("aws/tag", "bad tag", format!("the key {} {why}", shown(&key)), place, "");
        } else if key.starts_with("meshform.dev/") {
            let detail = format!("{} is set by meshform itself", shown(&key));
            reader.error("aws/tag", "bad tag", detail, place, "use another key");
        }
        if let Err(why) = syntax::tag_value(&value.text) {
            reader.error("aws/tag", "bad tag", format!("the value {why}"), &value.place, "");
        }
        tags.insert(key, value.text);
    }
    let inherited = inherited.keys().filter(|key| !tags.contains_key(*key)).count();
    let total = tags.len() + inherited + OWN_TAGS;
    if let Some(entry) = fields.get("tags").filter(|_| total > MOST_TAGS) {
        let detail = format!("{total} tags: {} here, {inherited} of `aws.tags`, {OWN_TAGS} of meshform", tags.len());
        reader.error("aws/too-many-tags", "too many tags", detail, &entry.key_place, "AWS takes 50 tags on a resource");
    }
    tags
}

/// Prices by default: those of the day that public certificates became valid for 198 days.
fn default_prices() -> Prices {
    Prices { as_of: "2026-02-18".to_owned(), fqdn: 7.0, wildcard: 79.0 }
}

fn prices(reader: &mut Reader<'_>, aws: &Fields<'_>) -> Prices {
    let mut prices = default_prices();
    let Some(node) = aws.value("prices") else { return prices };
    let Some(fields) = reader.fields(node, "aws.prices", &schema::PRICES) else { return prices };
    if let Some(day) = reader.required(&fields, "as_of", "2026-02-18") {
        if !is_day(&day.text) {
            let detail = format!("{} is not a day", shown(&day.text));
            reader.error("aws/prices", "bad price", detail, &day.place, "write the day the prices were read as `YYYY-MM-DD`");
        }
        prices.as_of = day.text;
    }
    for (key, price) in [("fqdn", &mut prices.fqdn), ("wildcard", &mut prices.wildcard)] {
        let Some(Spanned { text, place }) = reader.required(&fields, key, "7") else { continue };
        match amount(&text) {
            Some(amount) => *price = amount,
            None => bad_amount(reader, &text, &place),
        }
    }
    prices
}

fn bad_amount(reader: &mut Reader<'_>, text: &str, place: &Place) {
    let detail = format!("{} is not an amount in US dollars", shown(text));
    reader.error("aws/prices", "bad price", detail, place, "write it like `7` or `7.50`");
}

/// An amount of money: digits, perhaps with a fraction.
fn amount(text: &str) -> Option<f64> {
    let plain = text.bytes().all(|b| b.is_ascii_digit() || b == b'.') && text.starts_with(|c: char| c.is_ascii_digit());
    text.parse::<f64>().ok().filter(|amount| plain && *amount <= 1e9)
}

/// Whether a text has the form of a day.
fn is_day(text: &str) -> bool {
    let parts: Vec<&str> = text.split('-').collect();
    let [year, month, day] = parts.as_slice() else { return false };
    let within = |part: &str, digits: usize, range: std::ops::RangeInclusive<u32>| {
        part.len() == digits && part.bytes().all(|b| b.is_ascii_digit()) && part.parse().is_ok_and(|number| range.contains(&number))
    };
    within(year, 4, 2000..=9999) && within(month, 2, 1..=12) && within(day, 2, 1..=31)
}
