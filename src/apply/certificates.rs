//! Steps of certificates.

use std::collections::BTreeMap;

use super::StepError;
use super::engine::{Engine, Finished, Outcome, SharedMaterial, gone_is_fine, is_making, lost, mark_keys, tag_changes, tags_of};
use super::wait::Wait;
use crate::addr::Addr;
use crate::event::{Event, Origin};
use crate::observe::arn_region;
use crate::plan::marks::is_mark;
use crate::plan::{Action, Step};
use crate::provider::aws::acm::{Acm, Import};
use crate::provider::error::{Class, ProviderError};
use crate::resource::certificate::{CertificateFacts, CertificateSpec, Source};
use crate::resource::{Attr, Spec};
use crate::secret::sha256_hex;
use crate::store::{Lease, StoreError};

impl<L: Lease> Engine<'_, L> {
    pub(super) fn begin_certificate(&mut self, node: usize, step: &Step, spec: Option<&Spec>) -> Result<(), StoreError> {
        let Some(aws) = self.world.aws.clone() else {
            self.fail(node, lost(&step.addr));
            return Ok(());
        };
        let step = step.clone();
        if step.action.is_removal() {
            let Some(arn) = step.id.clone() else { return Ok(()) };
            let acm = aws.acm(arn_region(&arn).unwrap_or(aws.region()));
            // The address goes on with the same certificate: it is let go of, and still known.
            let is_read_on = matches!(spec, Some(Spec::Certificate(spec)) if spec.source == Source::Existing(arn.clone()));
            self.spawn(Box::pin(async move {
                let mut result = remove(&acm, &step, &arn).await;
                if let Ok(outcome) = &mut result
                    && is_read_on
                {
                    outcome.events.clear();
                }
                Finished::Step { node, result }
            }));
            return Ok(());
        }
        let Some(Spec::Certificate(spec)) = spec.cloned() else {
            self.fail(node, lost(&step.addr));
            return Ok(());
        };
        // Of what is only read nothing is written; what it is, the state has learned already.
        if spec.is_only_read() {
            return self.advance(node, Outcome::default());
        }
        let needs = self.needs(&step.addr);
        let material = self.options.imported.get(&step.addr).cloned();
        if material.is_none() && spec.imported().is_some() {
            self.fail(node, lost(&step.addr));
            return Ok(());
        }
        if is_making(step.action) {
            let acm = aws.acm(&spec.region);
            let token = self.start(&step, &spec)?;
            self.spawn(Box::pin(async move {
                let result = match material {
                    Some(material) => import(&acm, &step, &spec, &material, needs).await,
                    None => request(&acm, &step, &spec, &token, needs).await,
                };
                Finished::Step { node, result }
            }));
            return Ok(());
        }
        let Some(arn) = step.id.clone() else { return Ok(()) };
        let acm = aws.acm(&spec.region);
        let waits = !self.plan.is_exact;
        self.spawn(Box::pin(async move {
            let result = change(&acm, &step, &spec, &arn, material, needs).await;
            let result = result.map(|outcome| Outcome { wait: outcome.wait.filter(|_| waits), ..outcome });
            Finished::Step { node, result }
        }));
        Ok(())
    }

    /// Makes the intent durable before the request is sent. A create that was begun and not answered goes on under its own attempt number,
    /// and so with the token that was sent.
    fn start(&mut self, step: &Step, spec: &CertificateSpec) -> Result<String, StoreError> {
        let state = self.lease.state();
        let pending = state.resources.get(&step.addr).and_then(|known| known.pending.clone());
        let attempt = match &pending {
            Some(pending) if pending.generation == step.generation => pending.attempt,
            // Counted on from the time: so it grows with every creation, also when the state that counted was lost.
            _ => {
                let now = u64::try_from(self.world.clock.now().as_second()).unwrap_or_default();
                now.max(state.attempts.get(&step.addr).copied().unwrap_or_default() + 1)
            }
        };
        let token = token(&state.lineage, &step.addr, spec, step, attempt);
        self.lease.record(Event::Started { addr: step.addr.clone(), generation: step.generation, attempt, token: token.clone() })?;
        self.lease.sync()?;
        Ok(token)
    }
}

/// The idempotency token: 32 hex digits over all that the request says and the number of the attempt (API: RequestCertificate takes `\w+`
/// of up to 32 characters, and remembers it for an hour).
fn token(lineage: &str, addr: &Addr, spec: &CertificateSpec, step: &Step, attempt: u64) -> String {
    let parameters = serde_json::to_string(&(spec.attrs(), tags_of(step.after.as_ref()))).unwrap_or_default();
    sha256_hex(format!("{lineage}\n{addr}\n{attempt}\n{parameters}").as_bytes())[..32].to_owned()
}

async fn request(acm: &Acm, step: &Step, spec: &CertificateSpec, token: &str, needs: Vec<Addr>) -> Result<Outcome, StepError> {
    let arn = acm.request(spec, &tags_of(step.after.as_ref()), token).await?;
    let created = Event::Created { addr: step.addr.clone(), id: arn.clone(), generation: step.generation, origin: Origin::Created, needs };
    let applied = Event::Applied { addr: step.addr.clone(), attrs: step.after.clone().unwrap_or_default() };
    Ok(Outcome { events: vec![created, applied], wait: Some(Wait::requested(&arn, acm.region(), spec)), ..Outcome::default() })
}

/// How often an import without an answer is sent again, when nothing shows that it took effect.
const IMPORT_ATTEMPTS: u32 = 3;

/// Imports a new certificate. No token guards the request: when it gets no answer, what is in ACM by now tells whether it was heard.
async fn import(acm: &Acm, step: &Step, spec: &CertificateSpec, material: &SharedMaterial, needs: Vec<Addr>) -> Result<Outcome, StepError> {
    let tags = tags_of(step.after.as_ref());
    let mut attempt = 0;
    let arn = loop {
        attempt += 1;
        let error = match acm.import(Import::New(&tags), material).await {
            Ok(arn) => break arn,
            Err(error) if !error.is_transient() || attempt >= IMPORT_ATTEMPTS => return Err(error.into()),
            Err(error) => error,
        };
        tokio::time::sleep(std::time::Duration::from_secs(2)).await;
        // A throttled request was not heard.
        if error.class != Class::Throttled
            && let Some(arn) = imported_already(acm, spec, &tags).await?
        {
            break arn;
        }
    };
    let (addr, id) = (step.addr.clone(), arn.clone());
    let created = Event::Created { addr: addr.clone(), id, generation: step.generation, origin: Origin::Created, needs };
    let applied = Event::Applied { addr, attrs: step.after.clone().unwrap_or_default() };
    let learned = learned(acm, step, &arn, material).await;
    Ok(Outcome::done(vec![created, applied, learned]))
}

/// The certificate that carries these tags, address and generation among them: that of a request whose answer was lost.
async fn imported_already(acm: &Acm, spec: &CertificateSpec, tags: &BTreeMap<String, String>) -> Result<Option<String>, ProviderError> {
    let listed = acm.list().await?;
    for one in listed.iter().filter(|one| ["IMPORTED", ""].contains(&one.certificate_type.as_str()) && spec.names.contains(&one.domain)) {
        match acm.tags(&one.arn).await {
            Ok(live) if tags.iter().all(|(key, value)| live.get(key) == Some(value)) => return Ok(Some(one.arn.clone())),
            Ok(_) => {}
            Err(error) if error.is_not_found() => {}
            Err(error) => return Err(error),
        }
    }
    Ok(None)
}

/// What is known of a certificate that was just imported. Its dates spare the next run a look at it; without them all is found again.
async fn learned(acm: &Acm, step: &Step, arn: &str, material: &SharedMaterial) -> Event {
    let dates = acm.describe(arn).await.ok().map(|described| described.listed.dates);
    let facts = CertificateFacts { records: Vec::new(), dates, leaf: Some(material.leaf().clone()) };
    Event::Learned { addr: step.addr.clone(), id: arn.to_owned(), facts }
}

async fn change(
    acm: &Acm,
    step: &Step,
    spec: &CertificateSpec,
    arn: &str,
    material: Option<SharedMaterial>,
    needs: Vec<Addr>,
) -> Result<Outcome, StepError> {
    let material = material.filter(|_| step.reimports());
    if let Some(material) = &material {
        // Repeated it changes nothing more: its ARN and its tags stay.
        acm.import(Import::Again(arn), material).await?;
    }
    let (set, removed) = tag_changes(step);
    acm.untag(arn, &removed).await?;
    acm.tag(arn, &set).await?;
    let mut events = Vec::new();
    if step.action == Action::Adopt {
        let (addr, generation) = (step.addr.clone(), step.generation);
        events.push(Event::Created { addr, id: arn.to_owned(), generation, origin: Origin::Adopted, needs });
    }
    events.push(Event::Applied { addr: step.addr.clone(), attrs: step.after.clone().unwrap_or_default() });
    if let Some(material) = &material {
        events.push(learned(acm, step, arn, material).await);
    }
    if spec.imported().is_some() {
        return Ok(Outcome::done(events));
    }
    let is_issued = step.before.as_ref().and_then(|attrs| attrs.get("status")).and_then(Attr::as_text) == Some("ISSUED");
    let wait = (!is_issued || step.action == Action::Adopt).then(|| Wait::requested(arn, acm.region(), spec));
    Ok(Outcome { events, wait, ..Outcome::default() })
}

async fn remove(acm: &Acm, step: &Step, arn: &str) -> Result<Outcome, StepError> {
    let (addr, id) = (step.addr.clone(), arn.to_owned());
    if step.action == Action::Release {
        let marks = match &step.before {
            Some(attrs) => mark_keys(Some(attrs)),
            // An older generation: its tags were not read for the plan.
            None => match acm.tags(arn).await {
                Ok(tags) => tags.into_keys().filter(|key| is_mark(&format!("tags.{key}"))).collect(),
                Err(error) if error.is_not_found() => Vec::new(),
                Err(error) => return Err(error.into()),
            },
        };
        gone_is_fine(acm.untag(arn, &marks).await)?;
        return Ok(Outcome::done(vec![Event::Released { addr, id }]));
    }
    match acm.delete(arn).await {
        Ok(()) => Ok(Outcome::done(vec![Event::Deleted { addr, id }])),
        Err(error) if error.is_not_found() => Ok(Outcome::done(vec![Event::Deleted { addr, id }])),
        // What was replaced goes when nobody uses it any more: in this run or in a later one.
        Err(error) if step.is_deposed && error.class == Class::InUse => {
            let note = format!("{arn} was replaced and is still in use: a later run deletes it when it is let go");
            Ok(Outcome { notes: vec![note], ..Outcome::default() })
        }
        Err(error) if matches!(error.class, Class::InUse | Class::NotYet) => {
            Ok(Outcome { wait: Some(Wait::in_use(arn, acm.region())), ..Outcome::default() })
        }
        Err(error) => Err(error.into()),
    }
}
