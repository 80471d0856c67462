//! Steps of certificates.

use super::StepError;
use super::engine::{Engine, Finished, Outcome, gone_is_fine, is_making, lost, mark_keys, tag_changes, tags_of};
use super::wait::Wait;
use crate::addr::Addr;
use crate::event::{Event, Origin};
use crate::observe::arn_region;
use crate::plan::marks::is_mark;
use crate::plan::{Action, Step};
use crate::provider::error::Class;
use crate::resource::certificate::CertificateSpec;
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
            self.spawn(Box::pin(async move {
                let result = remove(&acm, &step, &arn).await;
                Finished::Step { node, result }
            }));
            return Ok(());
        }
        let Some(Spec::Certificate(spec)) = spec.cloned() else {
            self.fail(node, lost(&step.addr));
            return Ok(());
        };
        let needs = self.needs(&step.addr);
        if is_making(step.action) {
            let acm = aws.acm(&spec.region);
            let token = self.start(&step, &spec)?;
            self.spawn(Box::pin(async move {
                let result = request(&acm, &step, &spec, &token, needs).await;
                Finished::Step { node, result }
            }));
            return Ok(());
        }
        let Some(arn) = step.id.clone() else { return Ok(()) };
        let acm = aws.acm(&spec.region);
        let waits = !self.plan.is_exact;
        self.spawn(Box::pin(async move {
            let result =
                change(&acm, &step, &spec, &arn, needs).await.map(|outcome| Outcome { wait: outcome.wait.filter(|_| waits), ..outcome });
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

async fn request(
    acm: &crate::provider::aws::acm::Acm,
    step: &Step,
    spec: &CertificateSpec,
    token: &str,
    needs: Vec<Addr>,
) -> Result<Outcome, StepError> {
    let arn = acm.request(spec, &tags_of(step.after.as_ref()), token).await?;
    let created = Event::Created { addr: step.addr.clone(), id: arn.clone(), generation: step.generation, origin: Origin::Created, needs };
    let applied = Event::Applied { addr: step.addr.clone(), attrs: step.after.clone().unwrap_or_default() };
    Ok(Outcome { events: vec![created, applied], wait: Some(Wait::records(&arn, acm.region(), spec)), ..Outcome::default() })
}

async fn change(
    acm: &crate::provider::aws::acm::Acm,
    step: &Step,
    spec: &CertificateSpec,
    arn: &str,
    needs: Vec<Addr>,
) -> Result<Outcome, StepError> {
    let (set, removed) = tag_changes(step);
    acm.untag(arn, &removed).await?;
    acm.tag(arn, &set).await?;
    let mut events = Vec::new();
    if step.action == Action::Adopt {
        let (addr, generation) = (step.addr.clone(), step.generation);
        events.push(Event::Created { addr, id: arn.to_owned(), generation, origin: Origin::Adopted, needs });
    }
    events.push(Event::Applied { addr: step.addr.clone(), attrs: step.after.clone().unwrap_or_default() });
    let is_issued = step.before.as_ref().and_then(|attrs| attrs.get("status")).and_then(Attr::as_text) == Some("ISSUED");
    let wait = (!is_issued || step.action == Action::Adopt).then(|| Wait::records(arn, acm.region(), spec));
    Ok(Outcome { events, wait, ..Outcome::default() })
}

async fn remove(acm: &crate::provider::aws::acm::Acm, step: &Step, arn: &str) -> Result<Outcome, StepError> {
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
