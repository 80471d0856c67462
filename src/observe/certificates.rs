//! Certificates: one list and one list of tags per region; single reads only for what those can't tell.

use std::collections::{BTreeMap, BTreeSet};

use futures::{StreamExt as _, TryStreamExt as _};
use jiff::{SignedDuration, Timestamp};
use serde_json::Value;

use super::{addresses, arn_region, owner_by_tags, split_owner};
use crate::addr::{Addr, AwsKind};
use crate::event::Origin;
use crate::graph::Graph;
use crate::material::PublicPart;
use crate::observed::{Condition, Deposed, Found, Owner};
use crate::provider::aws::Aws;
use crate::provider::aws::acm::{Acm, Described, Listed};
use crate::provider::error::{Class, ProviderError};
use crate::resource::certificate::{CertificateFacts, CertificateSpec, Dates, Source, ValidationRecord};
use crate::resource::{Attr, Attrs, Spec, TAG_ADDRESS, TAG_ADOPTED, TAG_ADOPTED_RECORDS, TAG_GENERATION, TAG_STACK};
use crate::state::{Instance, State};

/// The certificates that were found.
pub(super) struct Certificates {
    pub(super) resources: BTreeMap<Addr, Found>,
    pub(super) deposed: BTreeMap<Addr, Vec<Deposed>>,
    /// The records that older generations ask for, and whether they were there before.
    pub(super) older_records: Vec<(ValidationRecord, bool)>,
    pub(super) lineages: BTreeSet<String>,
    /// All certificates of the regions, whoever owns them.
    pub(super) listed: BTreeMap<String, Vec<Listed>>,
}

type Tags = BTreeMap<String, String>;

/// A certificate of ours.
struct Ours {
    listed: Listed,
    tags: Tags,
    generation: u64,
    described: Option<Described>,
    /// Whether it is someone else's, and read only.
    is_only_read: bool,
}

pub(super) async fn observe(
    desired: &Graph,
    prior: &State,
    aws: &Aws,
    regions: &BTreeSet<String>,
    (now, imports): (Timestamp, &BTreeMap<Addr, String>),
) -> Result<Certificates, ProviderError> {
    let mut found = Certificates {
        resources: BTreeMap::new(),
        deposed: BTreeMap::new(),
        older_records: Vec::new(),
        lineages: BTreeSet::new(),
        listed: BTreeMap::new(),
    };
    let wanted = addresses(desired, prior, AwsKind::AcmCertificate);
    let mut ours: BTreeMap<Addr, Vec<Ours>> = BTreeMap::new();
    for region in regions {
        let (acm, tagging) = (aws.acm(region), aws.tagging(region));
        let (listed, tags) = futures::try_join!(acm.list(), tagging.certificates(TAG_STACK))?;
        for (addr, one) in ours_of_region(desired, prior, &acm, &listed, tags).await? {
            found.lineages.extend(one.tags.get(TAG_STACK).map(|tag| split_owner(tag).1.to_owned()));
            ours.entry(addr).or_default().push(one);
        }
        found.listed.insert(region.clone(), listed);
    }
    // What is ours and in no list is read by id before it counts as gone.
    for (addr, one) in unlisted(prior, aws, &ours, now).await? {
        ours.entry(addr).or_default().push(one);
    }
    let taken: BTreeSet<Addr> = ours.keys().cloned().collect();
    let mut placed: BTreeMap<Addr, Vec<Ours>> = BTreeMap::new();
    for (addr, several) in ours {
        placed.entry(prior.moves.at(addr, &taken)).or_default().extend(several);
    }
    let mut currents = Vec::new();
    for (addr, mut several) in placed {
        let known = prior.current(&addr).map(|current| current.id.clone());
        several.sort_by_key(|one| (one.generation, Some(&one.listed.arn) == known.as_ref(), one.listed.arn.clone()));
        let Some(current) = several.pop() else { continue };
        for older in several {
            let acm = aws.acm(arn_region(&older.listed.arn).unwrap_or(aws.region()));
            let adopted = older.tags.get(TAG_ADOPTED_RECORDS).map_or("", String::as_str);
            let in_use_by = match acm.describe(&older.listed.arn).await {
                Ok(described) => {
                    let records = described.records().unwrap_or_default();
                    found.older_records.extend(records.into_iter().map(|record| (record.clone(), is_adopted(adopted, &record))));
                    described.in_use_by
                }
                Err(error) if error.is_not_found() => continue,
                Err(error) => return Err(error),
            };
            let origin = older.tags.contains_key(TAG_ADOPTED).then_some(Origin::Adopted);
            let deposed = Deposed { id: older.listed.arn, generation: older.generation, in_use_by, origin };
            found.deposed.entry(addr.clone()).or_default().push(deposed);
        }
        currents.push((addr, current));
    }
    only_read(desired, prior, aws, &mut found, now).await?;
    let mut reads = Vec::new();
    for (addr, current) in currents {
        // What the address only reads from now on has its place; what was its own before goes, or is let go.
        match existing(desired, &addr) {
            None => reads.push((addr, current)),
            Some(arn) => {
                let origin = current.tags.contains_key(TAG_ADOPTED).then_some(Origin::Adopted);
                let origin = if current.listed.arn == arn { Some(Origin::Read) } else { origin };
                let (id, generation) = (current.listed.arn, current.generation);
                let acm = aws.acm(arn_region(&id).unwrap_or(aws.region()));
                let in_use_by = match acm.describe(&id).await {
                    Ok(described) => {
                        let adopted = current.tags.get(TAG_ADOPTED_RECORDS).map_or("", String::as_str);
                        let records = described.records().unwrap_or_default();
                        found.older_records.extend(records.into_iter().map(|record| (record.clone(), is_adopted(adopted, &record))));
                        described.in_use_by
                    }
                    Err(error) if error.is_not_found() => continue,
                    Err(error) => return Err(error),
                };
                found.deposed.entry(addr).or_default().push(Deposed { id, generation, in_use_by, origin });
            }
        }
    }
    let reads = reads.into_iter().map(|(addr, current)| async move {
        let known = prior.current(&addr).filter(|known| known.id == current.listed.arn);
        let acm = aws.acm(arn_region(&current.listed.arn).unwrap_or(aws.region()));
        let owner = current.tags.get(TAG_STACK).map(|tag| split_owner(tag).1.to_owned());
        let origin = current.tags.contains_key(TAG_ADOPTED).then_some(Origin::Adopted);
        let generation = current.generation;
        let mut one = read(&acm, current, known, now).await?;
        one.owner = Owner::Us { lineage: owner };
        one.generation = generation;
        one.origin = origin;
        Ok((addr, one))
    });
    let read: Vec<(Addr, Found)> = futures::stream::iter(reads).buffered(8).try_collect().await?;
    found.resources.extend(read);
    for addr in wanted {
        let spec = match desired.get(&addr).map(|resource| &resource.spec) {
            Some(Spec::Certificate(spec)) if !found.resources.contains_key(&addr) && !spec.is_only_read() => spec,
            _ => continue,
        };
        let adopt = desired.get(&addr).and_then(|resource| resource.adopt);
        if let Some(arn) = imports.get(&addr) {
            let acm = aws.acm(&spec.region);
            match acm.describe(arn).await {
                Ok(described) => {
                    let one = others(&acm, described, now).await?;
                    found.resources.insert(addr, one);
                }
                Err(error) if error.is_not_found() => {}
                Err(error) => return Err(error),
            }
            continue;
        }
        if adopt != Some(false)
            && let Some(foreign) = foreign(aws, spec, &found, now).await?
        {
            found.resources.insert(addr, foreign);
        }
    }
    Ok(found)
}

/// The certificates of a region that are ours: by their tags, and by the state where the tags' list may lag behind.
async fn ours_of_region(
    desired: &Graph,
    prior: &State,
    acm: &Acm,
    listed: &[Listed],
    mut tags: BTreeMap<String, Tags>,
) -> Result<Vec<(Addr, Ours)>, ProviderError> {
    let known: BTreeMap<&str, (&Addr, &Instance)> = prior
        .resources
        .iter()
        .flat_map(|(addr, known)| known.current.iter().chain(&known.deposed).map(move |instance| (instance.id.as_str(), (addr, instance))))
        .filter(|(_, (_, instance))| instance.origin != Origin::Read)
        .collect();
    let mut ours = Vec::new();
    for one in listed {
        let mut its_tags = tags.remove(&one.arn);
        let known = known.get(one.arn.as_str()).copied();
        let is_suspect = match (known, &its_tags) {
            (Some((_, instance)), Some(tags)) => !tags_match(instance, tags),
            (Some(_), None) => true,
            // A create that was begun and not answered: its certificate may be in no list of tags yet.
            (None, None) => may_be_pending(desired, prior, one),
            // Ours by a list that may lag, and unknown to a state that knows the rest: perhaps it was released a moment ago.
            (None, Some(tags)) => prior.serial > 0 && is_marked(tags, &prior.stack),
        };
        if is_suspect {
            its_tags = match acm.tags(&one.arn).await {
                Ok(tags) => Some(tags),
                Err(error) if error.is_not_found() => None,
                Err(error) => return Err(error),
            };
        }
        let Some(tags) = its_tags else { continue };
        if tags.get(TAG_STACK).is_some_and(|tag| split_owner(tag).0 != prior.stack) {
            // Another stack has taken it over since.
            continue;
        }
        let addr = tags.get(TAG_ADDRESS).filter(|_| is_marked(&tags, &prior.stack)).and_then(|text| text.parse::<Addr>().ok());
        let Some(addr) = known.map(|(addr, _)| addr.clone()).or(addr) else { continue };
        let generation = tags.get(TAG_GENERATION).and_then(|text| text.parse().ok());
        let generation = generation.or(known.map(|(_, instance)| instance.generation)).unwrap_or(1);
        ours.push((addr, Ours { listed: one.clone(), tags, generation, described: None, is_only_read: false }));
    }
    Ok(ours)
}

/// Whether tags name a stack as the owner.
fn is_marked(tags: &Tags, stack: &str) -> bool {
    tags.get(TAG_STACK).is_some_and(|tag| split_owner(tag).0 == stack)
}

/// Whether the tags in the list say what was last applied.
fn tags_match(instance: &Instance, tags: &Tags) -> bool {
    let applied = instance.attrs.iter().filter_map(|(path, attr)| Some((path.strip_prefix("tags.")?, attr.as_text()?)));
    let mut count = 0;
    for (key, value) in applied {
        count += 1;
        if tags.get(key).map(String::as_str) != Some(value) {
            return false;
        }
    }
    count > 0
}

fn may_be_pending(desired: &Graph, prior: &State, listed: &Listed) -> bool {
    prior.resources.iter().filter(|(_, known)| known.pending.is_some()).any(|(addr, _)| {
        matches!(desired.get(addr).map(|resource| &resource.spec), Some(Spec::Certificate(spec)) if spec.names.contains(&listed.domain))
    })
}

/// Instances of the state that no list shows, read by id.
async fn unlisted(prior: &State, aws: &Aws, ours: &BTreeMap<Addr, Vec<Ours>>, now: Timestamp) -> Result<Vec<(Addr, Ours)>, ProviderError> {
    let mut found = Vec::new();
    for (addr, known) in &prior.resources {
        if addr.aws_kind() != Some(AwsKind::AcmCertificate) {
            continue;
        }
        for instance in known.current.iter().chain(&known.deposed).filter(|instance| instance.origin != Origin::Read) {
            let is_listed = ours.get(addr).is_some_and(|several| several.iter().any(|one| one.listed.arn == instance.id));
            if is_listed {
                continue;
            }
            let acm = aws.acm(arn_region(&instance.id).unwrap_or(aws.region()));
            match acm.describe(&instance.id).await {
                Ok(described) => {
                    let tags = acm.tags(&instance.id).await?;
                    let listed = described.listed.clone();
                    let generation = instance.generation;
                    found.push((addr.clone(), Ours { listed, tags, generation, described: Some(described), is_only_read: false }));
                }
                // ACM may need some seconds until it knows what it was just asked for.
                Err(error) if error.is_not_found() && now.duration_since(instance.since) < JUST_MADE => {
                    found.push((addr.clone(), just_made(instance)));
                }
                Err(error) if error.is_not_found() => {}
                Err(error) => return Err(error),
            }
        }
    }
    Ok(found)
}

/// Whether a certificate's mark says that a record was there before.
pub(super) fn is_adopted(mark: &str, record: &ValidationRecord) -> bool {
    mark == "*" || mark.split(' ').any(|base| base == record.base_domain)
}

/// How long a certificate may be unknown to ACM after its request (API: RequestCertificate, "delay of several seconds").
const JUST_MADE: SignedDuration = SignedDuration::from_secs(60);

/// A certificate that was just requested, as the state knows it.
fn just_made(instance: &Instance) -> Ours {
    let text = |path: &str| instance.attrs.get(path).and_then(Attr::as_text).unwrap_or_default().to_owned();
    let tags = instance.attrs.iter().filter_map(|(path, attr)| Some((path.strip_prefix("tags.")?.to_owned(), attr.as_text()?.to_owned())));
    let listed = Listed {
        arn: instance.id.clone(),
        domain: text("domain_name"),
        names: None,
        status: "PENDING_VALIDATION".into(),
        certificate_type: if text("type").is_empty() { "AMAZON_ISSUED".into() } else { text("type") },
        dates: Dates::default(),
    };
    Ours { listed, tags: tags.collect(), generation: instance.generation, described: None, is_only_read: false }
}

/// What a certificate is: from the list and the state, and by its description only where those don't tell.
async fn read(acm: &Acm, one: Ours, known: Option<&Instance>, now: Timestamp) -> Result<Found, ProviderError> {
    let arn = one.listed.arn.clone();
    let mut facts = known.and_then(|known| known.certificate.clone()).unwrap_or_default();
    let fixed = known.and_then(fixed_attrs);
    let is_issued = one.listed.status == "ISSUED";
    let is_ending = one.listed.dates.not_after.is_some_and(|end| end - now.as_second() < RENEWAL_WINDOW);
    let has_records = !one.is_only_read && ["AMAZON_ISSUED", ""].contains(&one.listed.certificate_type.as_str());
    let is_ending = is_ending && one.listed.certificate_type != "IMPORTED";
    let needs_description = fixed.is_none() || (has_records && facts.records.is_empty()) || !is_issued || is_ending;
    let described = match one.described {
        Some(described) => Some(described),
        None if needs_description => match acm.describe(&arn).await {
            Ok(described) => Some(described),
            // Just requested: ACM needs some seconds before it can describe it.
            Err(error) if error.is_not_found() && !is_issued => None,
            Err(error) => return Err(error),
        },
        None => None,
    };
    let mut listed = one.listed;
    if let Some(described) = &described {
        listed = described.listed.clone();
        if let Some(records) = described.records().filter(|_| has_records) {
            facts.records = records;
        }
    }
    let is_issued = listed.status == "ISSUED";
    if is_issued && (facts.leaf.is_none() || facts.dates.as_ref() != Some(&listed.dates)) {
        let (leaf, chain) = acm.get(&arn).await?;
        let public = PublicPart::read(&leaf, &chain)
            .map_err(|error| ProviderError::own(crate::permissions::Call::GetCertificate.name(), &arn, Class::Server, error.to_string()))?;
        facts.leaf = Some(public.leaf().clone());
        facts.dates = Some(listed.dates.clone());
    }
    let mut attrs = match (&described, fixed) {
        (Some(described), _) => described_attrs(described, acm.region()),
        (None, Some(fixed)) => fixed,
        (None, None) => Attrs::new(),
    };
    attrs.insert("status".into(), Attr::text(&listed.status));
    if listed.certificate_type == "IMPORTED" {
        // A reimport may bring other names.
        attrs.insert("domain_name".into(), Attr::text(&listed.domain));
        if let Some(leaf) = &facts.leaf {
            attrs.insert("certificate_sha256".into(), Attr::text(&leaf.leaf_sha256));
            attrs.insert("chain_sha256".into(), Attr::text(&leaf.chain_sha256));
        }
    }
    attrs
        .extend(one.tags.iter().filter(|(key, _)| !key.starts_with("aws:")).map(|(key, value)| (format!("tags.{key}"), Attr::text(value))));
    Ok(Found {
        id: arn,
        owner: Owner::Us { lineage: None },
        generation: one.generation,
        origin: None,
        condition: condition(&listed, described.as_ref(), &facts, now),
        warning: described.as_ref().filter(|_| is_ending).and_then(|described| renewal_warning(described, now)),
        attrs,
        ours: BTreeSet::new(),
        managers: BTreeMap::new(),
        certificate: Some(facts),
    })
}

/// From how many seconds before its end a certificate is looked at for its renewal: ACM begins about 45 days before (semantics of managed
/// renewal).
const RENEWAL_WINDOW: i64 = 45 * 86_400;

/// What is to be said of a certificate that ends soon.
fn renewal_warning(described: &Described, now: Timestamp) -> Option<String> {
    let days = (described.listed.dates.not_after? - now.as_second()) / 86_400;
    let advice = match described.listed.certificate_type.as_str() {
        "PRIVATE" => "check that it is exported or in use, and that ACM may use the private CA (acm-pca:CreatePermission)",
        _ => "check that its validation records are in public DNS, and that it is exported or in use",
    };
    match &described.renewal {
        Some((status, reason)) if status == "FAILED" || status == "PENDING_VALIDATION" => {
            let reason = reason.as_deref().map(|reason| format!(" ({reason})")).unwrap_or_default();
            Some(format!("it ends in {days} days, and its renewal is {status}{reason}: {advice}"))
        }
        // A renewal that was begun or has just succeeded needs no word; one that did not begin in time does.
        None if days < 30 => Some(format!("it ends in {days} days, and ACM has not begun to renew it: {advice}")),
        _ => None,
    }
}

/// The attributes that can't change, as the state keeps them.
fn fixed_attrs(known: &Instance) -> Option<Attrs> {
    let needed = ["domain_name", "subject_alternative_names", "key_algorithm", "region", "type"];
    let more: &[&str] = match known.attrs.get("type")?.as_text()? {
        "AMAZON_ISSUED" => &["validation_method", "export"],
        "PRIVATE" => &["certificate_authority_arn"],
        _ => &[],
    };
    let paths = needed.iter().chain(more);
    paths.map(|path| known.attrs.get(*path).map(|attr| ((*path).to_owned(), attr.clone()))).collect()
}

fn described_attrs(described: &Described, region: &str) -> Attrs {
    let names = described.listed.names.iter().flatten().cloned().map(Value::String).collect();
    let mut attrs = Attrs::from([
        ("domain_name".to_owned(), Attr::text(&described.listed.domain)),
        ("subject_alternative_names".to_owned(), Attr::Value(Value::Array(names))),
        ("key_algorithm".to_owned(), Attr::text(&described.key_algorithm)),
        ("region".to_owned(), Attr::text(region)),
        ("type".to_owned(), Attr::text(&described.listed.certificate_type)),
    ]);
    match described.listed.certificate_type.as_str() {
        "IMPORTED" => {}
        "PRIVATE" => {
            attrs.extend(described.certificate_authority.as_ref().map(|arn| ("certificate_authority_arn".to_owned(), Attr::text(arn))));
        }
        _ => {
            let method = described.validation_method.as_deref().unwrap_or("NONE");
            attrs.insert("validation_method".into(), Attr::text(method));
            attrs.insert("export".into(), Attr::Value(Value::Bool(described.export)));
        }
    }
    attrs
}

fn condition(listed: &Listed, described: Option<&Described>, facts: &CertificateFacts, now: Timestamp) -> Condition {
    let expired = facts.leaf.as_ref().is_some_and(|leaf| leaf.not_after <= now.as_second());
    match listed.status.as_str() {
        "ISSUED" if expired => Condition::Dead("it has expired".into()),
        "ISSUED" => Condition::Good,
        "PENDING_VALIDATION" if listed.certificate_type == "PRIVATE" => Condition::Waiting("the signature of its private CA".into()),
        "PENDING_VALIDATION" => Condition::Waiting("its validation".into()),
        status => {
            let reason = described.and_then(|described| described.failure_reason.as_deref());
            Condition::Dead(dead_reason(status, reason))
        }
    }
}

/// Why a certificate is of no more use, and what helps.
pub(crate) fn dead_reason(status: &str, reason: Option<&str>) -> String {
    let advice = match (status, reason) {
        (_, Some("CAA_ERROR")) => {
            "a CAA record of the domain forbids Amazon: allow amazon.com, amazontrust.com, awstrust.com or amazonaws.com"
        }
        (_, Some("DOMAIN_NOT_ALLOWED" | "INVALID_PUBLIC_DOMAIN")) => "ACM issues no public certificate for this domain",
        (_, Some("ADDITIONAL_VERIFICATION_REQUIRED")) => "AWS Support has to verify the domain",
        (_, Some("DOMAIN_VALIDATION_DENIED")) => "the validation was denied",
        (_, Some("PCA_ACCESS_DENIED")) => {
            "the private CA lets ACM not sign for this identity: allow it acm-pca:IssueCertificate and acm-pca:GetCertificate on the CA"
        }
        (_, Some("PCA_INVALID_STATE")) => "the private CA is not active: enable or renew it",
        (_, Some("PCA_RESOURCE_NOT_FOUND" | "PCA_INVALID_ARN")) => "there is no such private CA in this region",
        (_, Some("PCA_LIMIT_EXCEEDED")) => "the private CA has issued as many certificates as its quota allows",
        (_, Some("PCA_NAME_CONSTRAINTS_VALIDATION")) => "the name constraints of the private CA don't allow these names",
        (_, Some("PCA_INVALID_DURATION")) => "the private CA itself ends before the certificate would",
        (_, Some("PCA_INVALID_ARGS")) => {
            "the private CA doesn't take the request: the key's family, RSA or EC, has to be that of the CA's own key"
        }
        (_, Some("PCA_REQUEST_FAILED")) => "the private CA failed at the request",
        (_, Some("SLR_NOT_FOUND")) => "a shared private CA needs ACM's service-linked role in this account",
        ("VALIDATION_TIMED_OUT", _) => "its records were not seen for 72 hours: check that the zone is delegated",
        ("REVOKED", _) => "it was revoked",
        ("EXPIRED", _) => "it has expired",
        ("INACTIVE", _) => "it is inactive",
        _ => "ACM gave it up",
    };
    match reason {
        Some(reason) => format!("{status} ({reason}): {advice}"),
        None => format!("{status}: {advice}"),
    }
}

/// The ARN that an address only reads.
pub(super) fn existing<'a>(desired: &'a Graph, addr: &Addr) -> Option<&'a str> {
    match &desired.get(addr)?.spec {
        Spec::Certificate(CertificateSpec { source: Source::Existing(arn), .. }) => Some(arn),
        _ => None,
    }
}

/// Certificates that the stack only reads: from the lists, and by id where those don't tell.
async fn only_read(desired: &Graph, prior: &State, aws: &Aws, found: &mut Certificates, now: Timestamp) -> Result<(), ProviderError> {
    let wanted = desired.resources().filter_map(|resource| Some((&resource.addr, existing(desired, &resource.addr)?)));
    // Of another account nothing can be read: the plan says so.
    let wanted = wanted.filter(|(_, arn)| arn.split(':').nth(4) == Some(aws.account()));
    let reads = wanted.map(|(addr, arn)| {
        let region = arn_region(arn).unwrap_or(aws.region());
        let listed = found.listed.get(region).and_then(|listed| listed.iter().find(|one| one.arn == arn)).cloned();
        let known = prior.current(addr).filter(|known| known.id == arn);
        let acm = aws.acm(region);
        async move {
            let (listed, described) = match listed {
                Some(listed) => (listed, None),
                None => match acm.describe(arn).await {
                    Ok(described) => (described.listed.clone(), Some(described)),
                    Err(error) if error.is_not_found() => return Ok(None),
                    Err(error) => return Err(error),
                },
            };
            let one = Ours { listed, tags: Tags::new(), generation: 1, described, is_only_read: true };
            let mut one = read(&acm, one, known, now).await?;
            one.origin = Some(Origin::Read);
            Ok(Some((addr.clone(), one)))
        }
    });
    let read: Vec<Option<(Addr, Found)>> = futures::stream::iter(reads.collect::<Vec<_>>()).buffered(8).try_collect().await?;
    found.resources.extend(read.into_iter().flatten());
    Ok(())
}

/// A certificate of someone else with just these names.
async fn foreign(aws: &Aws, spec: &CertificateSpec, found: &Certificates, now: Timestamp) -> Result<Option<Found>, ProviderError> {
    let acm = aws.acm(&spec.region);
    let taken: BTreeSet<&str> =
        found.resources.values().map(|one| one.id.as_str()).chain(found.deposed.values().flatten().map(|one| one.id.as_str())).collect();
    for listed in found.listed.get(&spec.region).into_iter().flatten() {
        let is_usable = ["ISSUED", "PENDING_VALIDATION"].contains(&listed.status.as_str());
        let is_of_type = match listed.certificate_type.as_str() {
            "" => true,
            other => spec.source.acm_type() == Some(other),
        };
        // Of an imported one ACM may tell another of its names first.
        let is_of_name = listed.domain == spec.domain || (spec.imported().is_some() && spec.names.contains(&listed.domain));
        if !is_of_name || !is_usable || !is_of_type || taken.contains(listed.arn.as_str()) {
            continue;
        }
        let described = match &listed.names {
            Some(names) if *names != spec.names => continue,
            _ => match acm.describe(&listed.arn).await {
                Ok(described) => described,
                Err(error) if error.is_not_found() => continue,
                Err(error) => return Err(error),
            },
        };
        if described.listed.names.as_ref() != Some(&spec.names)
            || Some(described.listed.certificate_type.as_str()) != spec.source.acm_type()
        {
            continue;
        }
        return others(&acm, described, now).await.map(Some);
    }
    Ok(None)
}

/// A certificate that isn't ours.
async fn others(acm: &Acm, described: Described, now: Timestamp) -> Result<Found, ProviderError> {
    let tags = acm.tags(&described.listed.arn).await?;
    let owner = owner_by_tags(&tags);
    let one = Ours { listed: described.listed.clone(), tags, generation: 1, described: Some(described), is_only_read: false };
    let mut one = read(acm, one, None, now).await?;
    one.owner = Owner::Other(owner);
    Ok(one)
}
