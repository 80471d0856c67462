//! Steps of secrets in Secrets Manager.

use std::collections::BTreeMap;
use std::time::Duration;

use serde_json::Value;

use super::StepError;
use super::engine::{Engine, Finished, Outcome, SharedMaterial, gone_is_fine, is_making, lost, mark_keys, tag_changes, tags_of};
use super::wait::Wait;
use crate::addr::Addr;
use crate::event::{Event, Origin};
use crate::observe::arn_region;
use crate::plan::diff::same_key;
use crate::plan::{Action, Change, Step};
use crate::provider::aws::Aws;
use crate::provider::aws::secretsmanager::{NewSecret, SecretsManager};
use crate::provider::error::{Class, ProviderError};
use crate::resource::certificate::LeafFacts;
use crate::resource::secret::{DEFAULT_KEY, SecretSpec, replica_path};
use crate::resource::{Attr, Attrs, Spec, TAG_ADDRESS, TAG_STACK};
use crate::stack::{CertificateOutput, TextPart};
use crate::store::Lease;

impl<L: Lease> Engine<'_, L> {
    pub(super) fn begin_secret(&mut self, node: usize, step: &Step, spec: Option<&Spec>) {
        let Some(aws) = self.world.aws.clone() else {
            self.fail(node, lost(&step.addr));
            return;
        };
        let mut step = step.clone();
        if step.action.is_removal() {
            let Some(arn) = step.id.clone() else { return };
            let manager = aws.secretsmanager(arn_region(&arn).unwrap_or(aws.region()));
            let window = self.recovery_window(&step, &arn);
            self.spawn(Box::pin(async move {
                let result = remove(&manager, &step, &arn, window).await;
                Finished::Step { node, result }
            }));
            return;
        }
        let Some(Spec::Secret(spec)) = spec.cloned() else {
            self.fail(node, lost(&step.addr));
            return;
        };
        let material = self.materials.get(&spec.certificate);
        // What the plan left open is known now.
        let leaf = material.as_ref().map(|material| material.leaf().clone()).or_else(|| self.leaf(&spec.certificate));
        let description = self.description(&spec, leaf.as_ref());
        let mut attrs = step.after.clone().unwrap_or_default();
        for (path, attr) in spec.attrs(leaf.as_ref(), Some(description)) {
            let is_open = attrs.get(&path).is_none_or(|planned| !planned.is_known());
            // The certificate may be a newer one than the plan's.
            if is_open || path == "version" || (path == "description" && spec.has_outputs()) {
                attrs.insert(path, attr);
            }
        }
        step.after = Some(attrs);
        let needs = self.needs(&step.addr);
        let manager = aws.secretsmanager(&spec.region);
        let rivals = self.rivals(&step, &aws);
        self.spawn(Box::pin(async move {
            let result = match step.action {
                action if is_making(action) => create(&manager, &step, &spec, material, needs, &rivals).await,
                _ => change(&manager, &step, &spec, material, leaf.as_ref(), needs, &rivals).await,
            };
            Finished::Step { node, result }
        }));
    }

    /// The secrets that were at the address before, and are still there: their copies may hold the name that a copy of the new one needs.
    fn rivals(&self, step: &Step, aws: &Aws) -> Rivals {
        let known = self.lease.state().resources.get(&step.addr);
        let older = known.into_iter().flat_map(|known| known.deposed.iter().chain(known.current.iter().filter(|_| is_making(step.action))));
        older.map(|one| (aws.secretsmanager(arn_region(&one.id).unwrap_or(aws.region())), one.id.clone())).collect()
    }

    fn recovery_window(&self, step: &Step, arn: &str) -> u8 {
        let known = self.lease.state().resources.get(&step.addr);
        let attrs = known.into_iter().flat_map(|known| known.current.iter().chain(&known.deposed)).find(|instance| instance.id == arn);
        match attrs.and_then(|instance| instance.attrs.get("recovery_window_days")) {
            Some(Attr::Value(days)) => days.as_u64().and_then(|days| u8::try_from(days).ok()).unwrap_or(30),
            _ => 30,
        }
    }

    fn description(&self, spec: &SecretSpec, leaf: Option<&LeafFacts>) -> String {
        let mut description = String::new();
        for part in spec.description.iter().flat_map(|text| &text.0) {
            match part {
                TextPart::Literal(literal) => description.push_str(literal),
                TextPart::Output { certificate, output } => {
                    let addr = Addr::certificate(certificate);
                    let own = leaf.filter(|_| addr == spec.certificate && *output == CertificateOutput::NotAfter);
                    let own = own.map(|leaf| crate::plan::wanted::date(leaf.not_after));
                    description.push_str(&own.or_else(|| self.certificate_output(&addr, *output)).unwrap_or_default());
                }
                // The check of the stack lets none in here.
                TextPart::Hostname { .. } => {}
            }
        }
        description
    }

    /// An output of a certificate, as it is by now.
    pub(super) fn certificate_output(&self, addr: &Addr, output: CertificateOutput) -> Option<String> {
        match output {
            CertificateOutput::Arn => self.arn(addr),
            CertificateOutput::NotAfter => self.leaf(addr).map(|leaf| crate::plan::wanted::date(leaf.not_after)),
            CertificateOutput::Domain => match self.plan.graph.get(addr).map(|resource| &resource.spec) {
                Some(Spec::Certificate(spec)) if spec.is_only_read() => {
                    self.lease.state().current(addr).map(|current| text_of(&current.attrs, "domain_name"))
                }
                Some(Spec::Certificate(spec)) => Some(spec.domain.clone()),
                _ => None,
            },
        }
    }
}

async fn create(
    manager: &SecretsManager,
    step: &Step,
    spec: &SecretSpec,
    material: Option<SharedMaterial>,
    needs: Vec<Addr>,
    rivals: &Rivals,
) -> Result<Outcome, StepError> {
    let Some(material) = material else { return Err(lost(&step.addr)) };
    let attrs = step.after.clone().unwrap_or_default();
    let tags = tags_of(Some(&attrs));
    let token = spec.version_token(material.leaf());
    let document = document(spec, &material)?;
    let description = text_of(&attrs, "description");
    let new = NewSecret { name: &spec.name, description: &description, kms_key_id: spec.kms_key_id.as_deref(), tags: &tags, token: &token };
    let mut waited = 0;
    let arn = loop {
        match manager.create(&new, &document).await {
            Ok(arn) => break arn,
            Err(error) if error.class == Class::Exists || error.class == Class::State => match manager.describe(&spec.name).await {
                // Our own request, whose answer was lost.
                Ok(entry) if !entry.is_deleted && is_ours(&entry.tags, &tags) => {
                    manager.put(&entry.arn, &token, &document).await?;
                    break entry.arn;
                }
                Ok(entry) if entry.is_deleted => {
                    return Err(StepError::Changed(format!("the name `{}` was scheduled for deletion since the plan was made", spec.name)));
                }
                Ok(_) => {
                    return Err(StepError::Changed(format!(
                        "a secret `{}` appeared since the plan was made, and is not meshform's",
                        spec.name
                    )));
                }
                // Deleted at once a moment ago: the name is free in a little while.
                Err(gone) if gone.is_not_found() && waited < 120 => {
                    tokio::time::sleep(Duration::from_secs(5)).await;
                    waited += 5;
                }
                Err(_) => return Err(error.into()),
            },
            Err(error) => return Err(error.into()),
        }
    };
    if let Some(policy) = &spec.policy {
        set_policy(manager, &arn, policy).await?;
    }
    bring_copies(manager, &arn, &spec.replicas, &[], rivals).await?;
    let wait = replicas_wait(spec, &arn);
    let created = Event::Created { addr: step.addr.clone(), id: arn, generation: step.generation, origin: Origin::Created, needs };
    let applied = Event::Applied { addr: step.addr.clone(), attrs };
    Ok(Outcome { events: vec![created, applied], wait, ..Outcome::default() })
}

fn replicas_wait(spec: &SecretSpec, arn: &str) -> Option<Wait> {
    (!spec.replicas.is_empty()).then(|| Wait::Replicas { arn: arn.to_owned(), region: spec.region.clone() })
}

/// Sets a resource policy. A principal that was made a moment ago may not be known yet.
async fn set_policy(manager: &SecretsManager, arn: &str, policy: &Value) -> Result<(), StepError> {
    let mut attempt = 0;
    loop {
        match manager.set_policy(arn, policy).await {
            Err(error) if error.code == "MalformedPolicyDocumentException" && attempt < 3 => {
                attempt += 1;
                tokio::time::sleep(Duration::from_secs(5)).await;
            }
            other => return Ok(other?),
        }
    }
}

/// Other secrets, each with its region's Secrets Manager.
type Rivals = Vec<(SecretsManager, String)>;

/// Brings a secret's copies to what is wanted: those that failed, or have another key, are made anew; those in `unwanted` go.
async fn bring_copies(
    manager: &SecretsManager,
    arn: &str,
    wanted: &BTreeMap<String, Option<String>>,
    unwanted: &[String],
    rivals: &Rivals,
) -> Result<(), StepError> {
    if wanted.is_empty() && unwanted.is_empty() {
        return Ok(());
    }
    let entry = manager.describe(arn).await?;
    let live = entry.replicas.unwrap_or_default();
    let plain = |key: &Option<String>| key.clone().filter(|key| key != DEFAULT_KEY);
    let is_right = |region: &String, key: &Option<String>| {
        live.get(region).is_some_and(|replica| {
            let (live, wanted) = (plain(&replica.kms_key_id), plain(key));
            let is_same = live == wanted || live.zip(wanted).is_some_and(|(live, wanted)| same_key(&live, &wanted));
            replica.status != "Failed" && is_same
        })
    };
    let missing: BTreeMap<String, Option<String>> =
        wanted.iter().filter(|(region, key)| !is_right(region, key)).map(|(region, key)| (region.clone(), key.clone())).collect();
    let going: Vec<String> = missing.keys().chain(unwanted).filter(|region| live.contains_key(*region)).cloned().collect();
    manager.remove_replicas(arn, &going).await?;
    for (rival, id) in rivals.iter().filter(|_| !missing.is_empty()) {
        let older = match rival.describe(id).await {
            Ok(older) if older.name == entry.name => older,
            Ok(_) => continue,
            Err(error) if error.is_not_found() => continue,
            Err(error) => return Err(error.into()),
        };
        let in_the_way: Vec<String> =
            older.replicas.unwrap_or_default().into_keys().filter(|region| missing.contains_key(region)).collect();
        rival.remove_replicas(id, &in_the_way).await?;
    }
    let mut attempt = 0;
    loop {
        match manager.replicate(arn, &missing).await {
            // A copy that was removed a moment ago is still going.
            Err(error) if error.class == Class::State && !going.is_empty() && attempt < 10 => {
                attempt += 1;
                tokio::time::sleep(Duration::from_secs(3)).await;
            }
            other => return Ok(other?),
        }
    }
}

fn is_ours(live: &BTreeMap<String, String>, wanted: &BTreeMap<String, String>) -> bool {
    [TAG_STACK, TAG_ADDRESS].iter().all(|key| live.get(*key).is_some() && live.get(*key) == wanted.get(*key))
}

async fn change(
    manager: &SecretsManager,
    step: &Step,
    spec: &SecretSpec,
    material: Option<SharedMaterial>,
    leaf: Option<&LeafFacts>,
    needs: Vec<Addr>,
    rivals: &Rivals,
) -> Result<Outcome, StepError> {
    let Some(arn) = step.id.clone() else { return Err(lost(&step.addr)) };
    let attrs = step.after.clone().unwrap_or_default();
    let mut events = Vec::new();
    if step.action == Action::Restore {
        manager.restore(&arn).await?;
    }
    if matches!(step.action, Action::Adopt | Action::Restore) {
        let origin = if step.owner.is_some() { Origin::Adopted } else { Origin::Created };
        events.push(Event::Created { addr: step.addr.clone(), id: arn.clone(), generation: step.generation, origin, needs });
    }
    // A restored secret is brought to what it should be in all its parts: what it was is not compared.
    let is_restored = step.action == Action::Restore;
    let differs = |path: &str| is_restored || step.changes.iter().any(|change| change.path == path);
    if differs("description") || differs("kms_key_id") {
        let description = differs("description").then(|| text_of(&attrs, "description"));
        let key = differs("kms_key_id").then(|| text_of(&attrs, "kms_key_id"));
        manager.update(&arn, description.as_deref(), key.as_deref()).await?;
    }
    if let (Some(material), true) = (material, step.writes_material()) {
        let token = spec.version_token(material.leaf());
        manager.put(&arn, &token, &document(spec, &material)?).await?;
        // A version that was there already doesn't become current by being put again.
        let entry = manager.describe(&arn).await?;
        if entry.current_version.as_deref() != Some(token.as_str()) {
            manager.make_current(&arn, &token, entry.current_version.as_deref()).await?;
        }
    } else if step.writes_material() && leaf.is_none() {
        return Err(lost(&step.addr));
    }
    let (mut set, removed) = tag_changes(step);
    if is_restored {
        set = tags_of(Some(&attrs));
    }
    manager.untag(&arn, &removed).await?;
    manager.tag(&arn, &set).await?;
    match &spec.policy {
        Some(policy) if differs("policy") => set_policy(manager, &arn, policy).await?,
        None if step.changes.iter().any(|change| change.path == "policy" && change.after.is_none()) => manager.remove_policy(&arn).await?,
        _ => {}
    }
    let of_replicas = |change: &&Change| change.path.starts_with("replicas.");
    let gone = step.changes.iter().filter(of_replicas).filter(|change| change.after.is_none());
    let unwanted: Vec<String> = gone.filter_map(|change| change.path.strip_prefix("replicas.")).map(ToOwned::to_owned).collect();
    let is_copied = is_restored || step.changes.iter().any(|change| of_replicas(&change) && change.after.is_some());
    let mut wanted = spec.replicas.clone();
    wanted.retain(|region, _| differs(&replica_path(region)));
    bring_copies(manager, &arn, &wanted, &unwanted, rivals).await?;
    let wait = replicas_wait(spec, &arn).filter(|_| is_copied || step.action == Action::Read);
    events.push(Event::Applied { addr: step.addr.clone(), attrs });
    Ok(Outcome { events, wait, ..Outcome::default() })
}

async fn remove(manager: &SecretsManager, step: &Step, arn: &str, window: u8) -> Result<Outcome, StepError> {
    let (addr, id) = (step.addr.clone(), arn.to_owned());
    if step.action == Action::Release {
        gone_is_fine(manager.untag(arn, &mark_keys(step.before.as_ref())).await)?;
        return Ok(Outcome::done(vec![Event::Released { addr, id }]));
    }
    let mut deleted = manager.delete(arn, window).await;
    // A secret goes after its copies (API: DeleteSecret); which of two codes says so isn't documented.
    let is_refused =
        |deleted: &Result<(), ProviderError>| matches!(deleted, Err(error) if matches!(error.class, Class::State | Class::Invalid));
    if is_refused(&deleted) {
        let copies: Vec<String> = match manager.describe(arn).await {
            Ok(entry) => entry.replicas.unwrap_or_default().into_keys().collect(),
            Err(_) => Vec::new(),
        };
        let mut waited = 0;
        if !copies.is_empty() {
            manager.remove_replicas(arn, &copies).await?;
            deleted = manager.delete(arn, window).await;
        }
        while is_refused(&deleted) && !copies.is_empty() && waited < 60 {
            tokio::time::sleep(Duration::from_secs(5)).await;
            waited += 5;
            deleted = manager.delete(arn, window).await;
        }
    }
    match deleted {
        // Scheduled already: by a request of ours whose answer was lost, or by someone else.
        Err(error) if error.class == Class::State => {
            let entry = manager.describe(arn).await;
            match entry {
                Ok(entry) if entry.is_deleted => {}
                Err(gone) if gone.is_not_found() => {}
                _ => return Err(error.into()),
            }
        }
        other => gone_is_fine(other)?,
    }
    Ok(Outcome::done(vec![Event::Deleted { addr, id }]))
}

fn document(spec: &SecretSpec, material: &SharedMaterial) -> Result<crate::secret::SecretBytes, StepError> {
    material
        .to_document(&spec.layout)
        .map_err(|reason| StepError::Material { certificate: spec.certificate.clone(), reason: std::rc::Rc::new(reason) })
}

fn text_of(attrs: &Attrs, path: &str) -> String {
    attrs.get(path).and_then(Attr::as_text).unwrap_or_default().to_owned()
}
