//! Secrets of Secrets Manager: by tag, and by name where a name is to be used for the first time.

use std::collections::{BTreeMap, BTreeSet};

use super::{Scope, addresses, arn_region, owner_by_tags, split_owner};
use crate::addr::{Addr, AwsKind};
use crate::event::Origin;
use crate::graph::Graph;
use crate::material::Held;
use crate::observed::{Condition, Deposed, Found, HeldValue, Owner};
use crate::provider::aws::Aws;
use crate::provider::aws::secretsmanager::{SecretEntry, SecretsManager};
use crate::provider::error::ProviderError;
use crate::resource::secret::{ATTRS, DEFAULT_KEY, SecretSpec, is_token, replica_path, token_of};
use crate::resource::{Attr, Attrs, Seen, Spec, TAG_ADDRESS, TAG_ADOPTED, TAG_GENERATION, TAG_STACK, TAG_VERSION, definition};
use crate::state::{Instance, State};

/// The secrets that were found.
#[derive(Default)]
pub(super) struct Secrets {
    pub(super) resources: BTreeMap<Addr, Found>,
    /// Others of ours at the same address: a change of name or region that was not brought to its end, and whose state was lost.
    pub(super) older: BTreeMap<Addr, Vec<Deposed>>,
    /// What has the name that one of ours is to get.
    pub(super) at_new_name: BTreeMap<Addr, Found>,
    /// The values of those that are taken over.
    pub(super) held: BTreeMap<Addr, HeldValue>,
    pub(super) lineages: BTreeSet<String>,
}

pub(super) async fn observe(
    desired: &Graph,
    prior: &State,
    aws: &Aws,
    regions: &BTreeSet<String>,
    scope: Scope<'_>,
) -> Result<Secrets, ProviderError> {
    let mut found = Secrets::default();
    let wanted = addresses(desired, prior, AwsKind::SecretsManagerSecret);
    // Without a state anything may be ours; with one, a stack that has no secret asks nothing.
    if wanted.is_empty() && prior.serial > 0 {
        return Ok(found);
    }
    let mut listed = Vec::new();
    // What has copies shows in their regions' lists: they spare a look at each secret.
    let mut copies = Copies::new();
    for region in regions {
        for entry in aws.secretsmanager(region).list_by_tag_key(TAG_STACK).await? {
            match entry.primary_region.clone().filter(|primary| primary != region) {
                Some(primary) => {
                    let key = entry.kms_key_id.clone();
                    copies.entry((primary, entry.name)).or_default().insert(region.clone(), key);
                }
                None => listed.push((region, entry)),
            }
        }
    }
    let by_state: BTreeMap<&str, &Addr> =
        prior.resources.iter().filter_map(|(addr, known)| Some((known.current.as_ref()?.id.as_str(), addr))).collect();
    // What is scheduled for deletion holds no address against another.
    let there = listed.iter().filter(|(_, entry)| !entry.is_deleted);
    let taken: BTreeSet<Addr> = there.filter_map(|(_, entry)| marked_as(entry, &prior.stack)).collect();
    for (region, entry) in listed {
        let manager = aws.secretsmanager(region);
        let Some(addr) = marked_as(&entry, &prior.stack) else { continue };
        let addr = match by_state.get(entry.arn.as_str()) {
            Some(known) => (*known).clone(),
            None => prior.moves.at(addr, &taken),
        };
        let known = prior.current(&addr);
        if known.is_some_and(|known| known.id != entry.arn) || is_of_another_place(desired, &addr, &entry, region) {
            continue;
        }
        let copies = copies.get(&(region.clone(), entry.name.clone())).cloned().unwrap_or_default();
        let entry = confirmed(&manager, entry, known, region, &copies).await?;
        let Some(entry) = entry else { continue };
        if !entry.is_deleted {
            found.lineages.extend(entry.tags.get(TAG_STACK).map(|tag| split_owner(tag).1.to_owned()));
        }
        let lineage = entry.tags.get(TAG_STACK).map(|tag| split_owner(tag).1.to_owned());
        let mut one = as_found(&entry, region, &copies, Owner::Us { lineage });
        read_policy(&manager, desired, known, &addr, &mut one).await?;
        keep_keys(&mut one, known);
        let Some(other) = found.resources.remove(&addr) else {
            found.resources.insert(addr, one);
            continue;
        };
        let (current, older) = if fits(desired, &addr, &other) { (other, one) } else { (one, other) };
        if older.condition != Condition::Tombstone {
            let older = Deposed { id: older.id, generation: older.generation, in_use_by: Vec::new(), origin: older.origin };
            found.older.entry(addr.clone()).or_default().push(older);
        }
        found.resources.insert(addr, current);
    }
    by_id(desired, prior, aws, &wanted, &mut found).await?;
    by_name(desired, prior, aws, &wanted, &mut found).await?;
    if !scope.rotate {
        read_values(desired, prior, aws, scope, &mut found).await?;
    }
    Ok(found)
}

/// The values of secrets that are taken over: what is there already need not be written again. Nobody's secret is read without consent, and
/// none whose version says what it holds.
async fn read_values(desired: &Graph, prior: &State, aws: &Aws, scope: Scope<'_>, found: &mut Secrets) -> Result<(), ProviderError> {
    for (addr, one) in &found.resources {
        let Some(Spec::Secret(spec)) = desired.get(addr).map(|resource| &resource.spec) else { continue };
        let is_taken_over = match &one.owner {
            Owner::Other(_) => scope.takes_over(desired, addr),
            Owner::Us { .. } => {
                let known = prior.current(addr).filter(|known| known.id == one.id).map(|known| known.origin);
                known.or(one.origin) == Some(Origin::Adopted)
            }
        };
        let version = one.attrs.get("version").and_then(Attr::as_text).unwrap_or_default();
        if !is_taken_over || one.condition == Condition::Tombstone || version.is_empty() || is_token(version) {
            continue;
        }
        let manager = aws.secretsmanager(arn_region(&one.id).unwrap_or(aws.region()));
        let Some(value) = manager.value(&one.id).await? else { continue };
        let content = Held::read(&value, &spec.layout).map_err(|unlike| unlike.to_string());
        found.held.insert(addr.clone(), HeldValue { version: version.to_owned(), content });
    }
    Ok(())
}

/// The address that a secret's tags name, when they name this stack.
fn marked_as(entry: &SecretEntry, stack: &str) -> Option<Addr> {
    let is_marked = entry.tags.get(TAG_STACK).is_some_and(|tag| split_owner(tag).0 == stack);
    entry.tags.get(TAG_ADDRESS).filter(|_| is_marked)?.parse().ok()
}

/// Whether a secret has the name and the region that the stack wants.
fn fits(desired: &Graph, addr: &Addr, found: &Found) -> bool {
    let has = |path: &str, wanted: &str| found.attrs.get(path).and_then(Attr::as_text) == Some(wanted);
    matches!(desired.get(addr).map(|r| &r.spec), Some(Spec::Secret(spec)) if has("name", &spec.name) && has("region", &spec.region))
}

/// A tombstone under a name or in a region that the stack no longer uses says nothing about the address.
fn is_of_another_place(desired: &Graph, addr: &Addr, entry: &SecretEntry, region: &str) -> bool {
    let is_other = |spec: &SecretSpec| spec.name != entry.name || spec.region != region;
    entry.is_deleted && matches!(desired.get(addr).map(|r| &r.spec), Some(Spec::Secret(spec)) if is_other(spec))
}

/// The copies that lists show, with their KMS keys: by the region and the name of the secret, then by their own region.
type Copies = BTreeMap<(String, String), BTreeMap<String, Option<String>>>;

/// The resource policy, where the stack has a say in it or had one: there is no list of policies.
async fn read_policy(
    manager: &SecretsManager,
    desired: &Graph,
    known: Option<&Instance>,
    addr: &Addr,
    found: &mut Found,
) -> Result<(), ProviderError> {
    let is_wanted = matches!(desired.get(addr).map(|r| &r.spec), Some(Spec::Secret(spec)) if spec.policy.is_some());
    let was_applied = known.is_some_and(|known| known.attrs.contains_key("policy"));
    if found.condition == Condition::Tombstone || !(is_wanted || (was_applied && desired.contains(addr))) {
        return Ok(());
    }
    match manager.policy(&found.id).await {
        Ok(policy) => found.attrs.extend(policy.map(|policy| ("policy".to_owned(), Attr::Value(policy)))),
        Err(error) if error.is_not_found() => {}
        Err(error) => return Err(error),
    }
    Ok(())
}

/// A copy's key is chosen with the copy, and no API changes it: as it was applied, so it is, in whatever form it is told (id, alias, ARN).
fn keep_keys(found: &mut Found, known: Option<&Instance>) {
    for (path, key) in known.into_iter().flat_map(|known| &known.attrs).filter(|(path, _)| path.starts_with("replicas.")) {
        if let Some(live) = found.attrs.get_mut(path) {
            live.clone_from(key);
        }
    }
}

/// The list's entry when it says what was last applied; else what the secret's own description says.
async fn confirmed(
    manager: &SecretsManager,
    entry: SecretEntry,
    known: Option<&Instance>,
    region: &str,
    copies: &BTreeMap<String, Option<String>>,
) -> Result<Option<SecretEntry>, ProviderError> {
    let agrees = known.is_some_and(|known| {
        let live = attrs(&entry, region, copies);
        let is_seen = |path: &str| path != "policy" && !matches!(definition(ATTRS, path).map(|def| def.seen), Some(Seen::Unseen(_)));
        !known.attrs.is_empty()
            && known.attrs.iter().filter(|(path, _)| is_seen(path)).all(|(path, applied)| match live.get(path) {
                Some(live) => path.starts_with("replicas.") || live == applied,
                None => false,
            })
    });
    if agrees {
        return Ok(Some(entry));
    }
    match manager.describe(&entry.arn).await {
        Ok(entry) => Ok(Some(entry)),
        Err(error) if error.is_not_found() => Ok(None),
        Err(error) => Err(error),
    }
}

/// Secrets of the state that no list shows.
async fn by_id(desired: &Graph, prior: &State, aws: &Aws, wanted: &BTreeSet<Addr>, found: &mut Secrets) -> Result<(), ProviderError> {
    for addr in wanted {
        let Some(known) = prior.current(addr).filter(|_| !found.resources.contains_key(addr)) else { continue };
        let region = arn_region(&known.id).unwrap_or(aws.region()).to_owned();
        match aws.secretsmanager(&region).describe(&known.id).await {
            // Another stack has taken it over since.
            Ok(entry) if entry.tags.get(TAG_STACK).is_some_and(|tag| split_owner(tag).0 != prior.stack) => {
                let owner = Owner::Other(owner_by_tags(&entry.tags));
                found.resources.insert(addr.clone(), as_found(&entry, &region, &BTreeMap::new(), owner));
            }
            Ok(entry) => {
                let lineage = entry.tags.get(TAG_STACK).map(|tag| split_owner(tag).1.to_owned());
                let mut one = as_found(&entry, &region, &BTreeMap::new(), Owner::Us { lineage });
                read_policy(&aws.secretsmanager(&region), desired, Some(known), addr, &mut one).await?;
                keep_keys(&mut one, Some(known));
                found.resources.insert(addr.clone(), one);
            }
            Err(error) if error.is_not_found() => {}
            Err(error) => return Err(error),
        }
    }
    Ok(())
}

/// Names that the stack wants to use and that the secret of the address doesn't have: are they free?
async fn by_name(desired: &Graph, prior: &State, aws: &Aws, wanted: &BTreeSet<Addr>, found: &mut Secrets) -> Result<(), ProviderError> {
    let mut names: BTreeMap<&str, BTreeMap<&str, &Addr>> = BTreeMap::new();
    for addr in wanted {
        if let Some(Spec::Secret(spec)) = desired.get(addr).map(|resource| &resource.spec) {
            let has = |path: &str| found.resources.get(addr).and_then(|one| one.attrs.get(path)).and_then(Attr::as_text);
            if has("name") == Some(&spec.name) && has("region") == Some(&spec.region) {
                continue;
            }
            names.entry(&spec.region).or_default().insert(&spec.name, addr);
        }
    }
    for (region, names) in names {
        let manager = aws.secretsmanager(region);
        let list: Vec<&str> = names.keys().copied().collect();
        for entry in manager.list_by_names(&list).await? {
            let Some(addr) = names.get(entry.name.as_str()) else { continue };
            let tag = |key: &str| entry.tags.get(key).map(String::as_str);
            let lineage = tag(TAG_STACK).map(split_owner).filter(|(stack, _)| *stack == prior.stack).map(|(_, lineage)| lineage.to_owned());
            let owner = match lineage {
                // A copy is no secret of its own, and takes no writing.
                _ if is_copy(&entry, region) => {
                    Owner::Other(format!("the replication of the secret in {}", entry.primary_region.as_deref().unwrap_or_default()))
                }
                Some(lineage) if marked_as(&entry, &prior.stack).is_some_and(|mark| prior.moves.at(mark, &BTreeSet::new()) == **addr) => {
                    Owner::Us { lineage: Some(lineage) }
                }
                _ => Owner::Other(entry.owning_service.clone().unwrap_or_else(|| owner_by_tags(&entry.tags))),
            };
            // What lists don't tell matters only where the stack has a say in it.
            let has_say = matches!(desired.get(addr).map(|r| &r.spec), Some(Spec::Secret(spec)) if !spec.replicas.is_empty());
            let entry = if has_say { manager.describe(&entry.arn).await? } else { entry };
            let mut one = as_found(&entry, region, &BTreeMap::new(), owner);
            read_policy(&manager, desired, None, addr, &mut one).await?;
            let place = if found.resources.contains_key(*addr) { &mut found.at_new_name } else { &mut found.resources };
            place.insert((*addr).clone(), one);
        }
    }
    Ok(())
}

fn is_copy(entry: &SecretEntry, region: &str) -> bool {
    entry.primary_region.as_deref().is_some_and(|primary| primary != region)
}

fn as_found(entry: &SecretEntry, region: &str, copies: &BTreeMap<String, Option<String>>, owner: Owner) -> Found {
    let status = |status: &'static str| entry.replicas.iter().flatten().filter(move |(_, replica)| replica.status == status);
    let under_way: Vec<&str> = status("InProgress").map(|(region, _)| region.as_str()).collect();
    let failed: Vec<String> = status("Failed").map(|(region, replica)| format!("{region} ({})", replica.message)).collect();
    let condition = match (entry.is_deleted, under_way.is_empty()) {
        (true, _) => Condition::Tombstone,
        (false, true) => Condition::Good,
        (false, false) => Condition::Waiting(format!("its copies in {}", under_way.join(", "))),
    };
    Found {
        id: entry.arn.clone(),
        owner,
        generation: entry.tags.get(TAG_GENERATION).and_then(|text| text.parse().ok()).unwrap_or(1),
        origin: entry.tags.contains_key(TAG_ADOPTED).then_some(Origin::Adopted),
        condition,
        warning: (!failed.is_empty()).then(|| format!("it could not be copied to {}", failed.join(", "))),
        attrs: attrs(entry, region, copies),
        ours: BTreeSet::new(),
        managers: BTreeMap::new(),
        certificate: None,
    }
}

/// The current version by the id that meshform would have given it, where a tag tells that of one that was there before.
fn version(entry: &SecretEntry) -> &str {
    let current = entry.current_version.as_deref().unwrap_or_default();
    token_of(entry.tags.get(TAG_VERSION).map(String::as_str), current).unwrap_or(current)
}

/// The attributes; `copies` are those that lists show, for an entry that doesn't tell them itself.
fn attrs(entry: &SecretEntry, region: &str, copies: &BTreeMap<String, Option<String>>) -> Attrs {
    let mut attrs = Attrs::from([
        ("name".to_owned(), Attr::text(&entry.name)),
        ("region".to_owned(), Attr::text(region)),
        ("description".to_owned(), Attr::text(&entry.description)),
        ("kms_key_id".to_owned(), Attr::text(entry.kms_key_id.as_deref().unwrap_or(DEFAULT_KEY))),
        ("version".to_owned(), Attr::text(version(entry))),
    ]);
    let copies: BTreeMap<&String, &Option<String>> = match &entry.replicas {
        Some(replicas) => {
            let there = replicas.iter().filter(|(_, replica)| replica.status != "Failed");
            there.map(|(region, replica)| (region, &replica.kms_key_id)).collect()
        }
        None => copies.iter().collect(),
    };
    let key = |key: &Option<String>| Attr::text(key.as_deref().unwrap_or(DEFAULT_KEY));
    attrs.extend(copies.into_iter().map(|(region, kms)| (replica_path(region), key(kms))));
    attrs.extend(
        entry.tags.iter().filter(|(key, _)| !key.starts_with("aws:")).map(|(key, value)| (format!("tags.{key}"), Attr::text(value))),
    );
    attrs
}
