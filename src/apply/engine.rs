//! The loop: what is ready runs, what is done makes more ready.

use std::collections::{BTreeMap, BTreeSet};
use std::pin::Pin;
use std::rc::Rc;
use std::time::Duration;

use futures::StreamExt as _;
use futures::stream::FuturesUnordered;

use super::deliver::Materials;
use super::records::ZoneQueues;
use super::wait::{Key, Polled, Wait, Waits};
use super::{Applied, Approved, Options, Progress, StepError, Stop};
use crate::addr::Addr;
use crate::event::Event;
use crate::material::Material;
use crate::plan::{Action, Plan, Point, Step};
use crate::provider::error::ProviderError;
use crate::provider::world::World;
use crate::resource::certificate::LeafFacts;
use crate::resource::hole::Output;
use crate::resource::manifest::HOSTNAME;
use crate::resource::{Attr, Spec, TAG_ADOPTED_RECORDS};
use crate::store::{Lease, StoreError};

pub(super) type Work = Pin<Box<dyn Future<Output = Finished>>>;

/// What a finished piece of work tells.
pub(super) enum Finished {
    /// A step's request.
    Step { node: usize, result: Result<Outcome, StepError> },
    /// An export.
    Exported { certificate: Addr, result: Result<Material, StepError> },
    /// A zone's linger is over.
    Flush { zone: super::records::ZoneKey },
    /// A batch of record changes was looked at.
    Looked(super::records::Looked),
    /// A batch of record changes was sent.
    Batch(super::records::BatchResult),
    /// A poller's pause is over.
    Due(Key),
    /// A poll.
    Polled(Polled),
}

/// What a step's request did.
#[derive(Debug, Default)]
pub(super) struct Outcome {
    pub(super) events: Vec<Event>,
    /// What must be waited for before the step goes on.
    pub(super) wait: Option<Wait>,
    pub(super) notes: Vec<String>,
    /// Certificates whose mark of adopted records was written, and what it says now.
    pub(super) marks: Vec<(Addr, String)>,
}

impl Outcome {
    pub(super) fn done(events: Vec<Event>) -> Self {
        Self { events, ..Self::default() }
    }
}

/// Where a step stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Stage {
    /// Not begun.
    Blocked,
    /// A request runs, or a batch or an export is waited for.
    Busy,
    /// Its first point is reached; it waits to be ready.
    Created,
    /// Done.
    Done,
    /// Failed or skipped.
    Failed,
    /// Left off in a wait.
    Left,
}

pub(super) struct Engine<'a, L: Lease> {
    pub(super) plan: &'a Plan,
    pub(super) world: &'a World,
    pub(super) lease: &'a mut L,
    pub(super) options: &'a Options,
    pub(super) sink: &'a mut dyn FnMut(Progress),
    stages: Vec<Stage>,
    /// Who has to be looked at again when a step's stage changes.
    dependents: Vec<Vec<usize>>,
    /// Steps to look at: something that they wait for has changed.
    unsettled: BTreeSet<usize>,
    /// Steps that can begin when there is a slot.
    startable: BTreeSet<usize>,
    /// Steps that can begin when a certificate's material is there.
    awaiting_material: BTreeMap<Addr, Vec<usize>>,
    /// The mark of adopted records that each certificate carries by now.
    pub(super) adopted_marks: BTreeMap<Addr, String>,
    pub(super) running: FuturesUnordered<Work>,
    pub(super) slots: usize,
    pub(super) materials: Materials,
    pub(super) zones: ZoneQueues,
    pub(super) waits: Waits,
    pub(super) applied: Applied,
}

/// Applies a plan: records what the state has to learn, then runs the steps.
pub async fn apply<L: Lease>(
    approved: &Approved,
    world: &World,
    lease: &mut L,
    options: &Options,
    stop: &Stop,
    sink: &mut dyn FnMut(Progress),
) -> Applied {
    let plan = approved.plan();
    let mut engine = Engine {
        plan,
        world,
        lease,
        options,
        sink,
        stages: vec![Stage::Blocked; plan.steps.len()],
        dependents: dependents(plan),
        unsettled: (0..plan.steps.len()).collect(),
        startable: BTreeSet::new(),
        awaiting_material: BTreeMap::new(),
        adopted_marks: BTreeMap::new(),
        running: FuturesUnordered::new(),
        slots: 0,
        materials: Materials::of(plan),
        zones: ZoneQueues::default(),
        waits: Waits::default(),
        applied: Applied::default(),
    };
    for event in &plan.refresh {
        if let Err(error) = engine.lease.record(event.clone()) {
            engine.applied.store_error = Some(error);
            return engine.applied;
        }
    }
    engine.run(stop).await;
    engine.settle_moves();
    if engine.applied.store_error.is_none()
        && let Err(error) = engine.lease.save()
    {
        engine.applied.store_error = Some(error);
    }
    engine.applied
}

/// For each step those that wait for one of its points.
fn dependents(plan: &Plan) -> Vec<Vec<usize>> {
    let mut dependents = vec![Vec::new(); plan.steps.len()];
    for (node, step) in plan.steps.iter().enumerate() {
        for (other, _) in step.starts_after.iter().chain(&step.ready_after) {
            dependents[*other].push(node);
        }
    }
    dependents
}

impl<L: Lease> Engine<'_, L> {
    async fn run(&mut self, stop: &Stop) {
        loop {
            let stopping = stop.is_wished() || self.applied.store_error.is_some();
            if stopping {
                self.leave_waits();
            } else {
                self.begin_what_can();
            }
            if stopping && self.slots == 0 && !self.zones.has_sent() {
                break;
            }
            if self.running.is_empty() {
                break;
            }
            let finished = tokio::select! {
                finished = self.running.next() => finished,
                () = stop.wait(), if !stopping => None,
            };
            if let Some(finished) = finished {
                self.take(finished);
            }
        }
        self.applied.is_stopped = stop.is_wished();
        for (index, stage) in self.stages.iter().enumerate() {
            if matches!(stage, Stage::Blocked | Stage::Busy) {
                self.applied.not_begun.push(self.plan.steps[index].addr.clone());
            }
        }
    }

    /// Remembers that the moves of pods are through, when all is done.
    fn settle_moves(&mut self) {
        if let Some(digest) = self.plan.settles.clone().filter(|_| self.applied.is_complete() && !self.applied.is_stopped)
            && let Err(error) = self.lease.record(Event::Settled { digest })
        {
            self.keep_failed(error);
        }
    }

    pub(super) fn step(&self, node: usize) -> &Step {
        &self.plan.steps[node]
    }

    /// Moves every step on that something changed for, and begins what can, as far as there are slots.
    fn begin_what_can(&mut self) {
        loop {
            while let Some(node) = self.unsettled.pop_first() {
                self.settle(node);
            }
            if self.slots >= self.options.parallelism {
                break;
            }
            let Some(node) = self.startable.pop_first() else { break };
            self.begin(node);
        }
        self.begin_exports();
        self.schedule_polls();
    }

    /// Looks at what a step waits for.
    fn settle(&mut self, node: usize) {
        let plan = self.plan;
        let step = &plan.steps[node];
        match self.stages[node] {
            Stage::Blocked => {
                if let Some(because) = self.broken(&step.starts_after, step.any_start) {
                    self.startable.remove(&node);
                    self.skip(node, &because);
                } else if self.has_reached(&step.starts_after, step.any_start) {
                    self.startable.insert(node);
                }
            }
            Stage::Created => {
                if let Some(because) = self.broken(&step.ready_after, false) {
                    self.waits.forget(node);
                    self.skip(node, &because);
                } else if !self.waits.is_waiting(node) && self.has_reached(&step.ready_after, false) {
                    self.finish(node);
                }
            }
            Stage::Busy | Stage::Done | Stage::Failed | Stage::Left => {}
        }
    }

    /// Sets a step's stage; it and those who wait for it are looked at again.
    pub(super) fn set_stage(&mut self, node: usize, stage: Stage) {
        self.stages[node] = stage;
        self.look_again(node);
    }

    /// Looks at a step and those who wait for it again.
    pub(super) fn look_again(&mut self, node: usize) {
        self.unsettled.insert(node);
        self.unsettled.extend(self.dependents[node].iter().copied());
    }

    fn has_reached(&self, points: &[(usize, Point)], any: bool) -> bool {
        let reached = |(node, point): &(usize, Point)| match point {
            // One that was left in a wait after its first point has reached that.
            Point::Created => {
                matches!(self.stages[*node], Stage::Created | Stage::Done)
                    || (self.stages[*node] == Stage::Left && self.waits.left_created.contains(node))
            }
            Point::Ready | Point::Gone => self.stages[*node] == Stage::Done,
        };
        if any && !points.is_empty() { points.iter().any(reached) } else { points.iter().all(reached) }
    }

    /// The step because of which these points can't be reached any more.
    fn broken(&self, points: &[(usize, Point)], any: bool) -> Option<Addr> {
        let is_broken = |(node, point): &&(usize, Point)| match self.stages[*node] {
            Stage::Failed => true,
            // Left off in a wait after its first point: those who need more can't have it in this run.
            Stage::Left => *point != Point::Created || !self.waits.left_created.contains(node),
            _ => false,
        };
        let first = points.iter().find(is_broken)?;
        if any && points.iter().any(|point| !is_broken(&point)) {
            return None;
        }
        Some(self.step(first.0).addr.clone())
    }

    /// Begins a step, or puts it with those who wait for material.
    fn begin(&mut self, node: usize) {
        let mut step = self.step(node).clone();
        // What goes was made by this very run.
        if step.action.is_removal() && step.id.is_none() {
            step.id = self.lease.state().current(&step.addr).map(|made| made.id.clone());
        }
        if let Some(proxies) = step.proxies.clone() {
            (self.sink)(Progress::Started { addr: step.addr.clone(), action: step.action });
            self.set_stage(node, Stage::Busy);
            self.begin_proxies(node, &step, proxies);
            return;
        }
        let spec = self.plan.graph.get(&step.addr).map(|resource| resource.spec.clone());
        let certificate = Self::certificate_of_delivery(&step, spec.as_ref());
        if let Some(certificate) = &certificate {
            self.take_from_files(certificate);
        }
        if let Some(certificate) = certificate
            && !self.materials.is_there(&certificate)
        {
            if let Some(error) = self.materials.failure(&certificate) {
                self.fail(node, error);
                return;
            }
            self.materials.want(&certificate);
            self.awaiting_material.entry(certificate).or_default().push(node);
            return;
        }
        (self.sink)(Progress::Started { addr: step.addr.clone(), action: step.action });
        self.set_stage(node, Stage::Busy);
        let begun = match (&step.addr, &spec) {
            (Addr::Aws { kind: crate::addr::AwsKind::AcmCertificate, .. }, spec) => self.begin_certificate(node, &step, spec.as_ref()),
            (Addr::Aws { kind: crate::addr::AwsKind::AcmValidationRecord, .. }, spec) => self.begin_record(node, &step, spec.as_ref()),
            (Addr::Aws { kind: crate::addr::AwsKind::Route53Record, .. }, _) => {
                self.begin_alias(node, &step);
                Ok(())
            }
            (Addr::Aws { kind: crate::addr::AwsKind::SecretsManagerSecret, .. }, spec) => {
                self.begin_secret(node, &step, spec.as_ref());
                Ok(())
            }
            (Addr::Kube { .. }, Some(Spec::Manifest(spec))) => {
                self.begin_manifest(node, &step, spec);
                Ok(())
            }
            (Addr::Kube { .. }, spec) => {
                self.begin_object(node, &step, spec.as_ref());
                Ok(())
            }
        };
        if let Err(error) = begun {
            self.keep_failed(error);
        }
    }

    /// Those who waited for a certificate's material can begin.
    pub(super) fn material_is_settled(&mut self, certificate: &Addr) {
        self.startable.extend(self.awaiting_material.remove(certificate).unwrap_or_default());
    }

    /// The certificate whose material a step needs.
    fn certificate_of_delivery(step: &Step, spec: Option<&Spec>) -> Option<Addr> {
        if step.action.is_removal() {
            return None;
        }
        match spec? {
            Spec::Secret(spec) if step.writes_material() => Some(spec.certificate.clone()),
            Spec::Object(spec) if step.writes_material() => spec.certificate.clone(),
            _ => None,
        }
    }

    /// Runs work in a slot.
    pub(super) fn spawn(&mut self, work: Work) {
        self.slots += 1;
        self.running.push(work);
    }

    fn take(&mut self, finished: Finished) {
        let kept = match finished {
            Finished::Step { node, result } => {
                self.slots -= 1;
                match result {
                    Ok(outcome) => self.advance(node, outcome),
                    Err(error) => {
                        let kept = self.abandon(node, &error);
                        self.fail(node, error);
                        kept
                    }
                }
            }
            Finished::Exported { certificate, result } => {
                self.slots -= 1;
                self.take_export(&certificate, result)
            }
            Finished::Flush { zone } => {
                self.flush(&zone);
                Ok(())
            }
            Finished::Looked(looked) => {
                self.slots -= 1;
                self.take_looked(looked)
            }
            Finished::Batch(batch) => {
                self.slots -= 1;
                self.take_batch(batch)
            }
            Finished::Due(key) => {
                self.poll(key);
                Ok(())
            }
            Finished::Polled(polled) => self.take_polled(polled),
        };
        if let Err(error) = kept {
            self.keep_failed(error);
        }
    }

    /// Records what a step did and moves it on.
    pub(super) fn advance(&mut self, node: usize, outcome: Outcome) -> Result<(), StoreError> {
        for note in outcome.notes {
            (self.sink)(Progress::Note(note));
        }
        for event in outcome.events {
            self.lease.record(event)?;
        }
        for (addr, mark) in outcome.marks {
            // Into what is known by now: the certificate's own step may have gone on meanwhile.
            let Some(current) = self.lease.state().current(&addr) else { continue };
            let mut attrs = current.attrs.clone();
            attrs.insert(format!("tags.{TAG_ADOPTED_RECORDS}"), Attr::text(mark));
            self.lease.record(Event::Applied { addr, attrs })?;
        }
        match outcome.wait {
            Some(wait) => self.wait(node, wait),
            None => self.set_stage(node, Stage::Created),
        }
        Ok(())
    }

    /// Puts a step into a wait, or leaves it there when told not to wait.
    pub(super) fn wait(&mut self, node: usize, wait: Wait) {
        let addr = self.step(node).addr.clone();
        let is_past_created = wait.is_past_created();
        let stage = if is_past_created { Stage::Created } else { Stage::Busy };
        if self.options.no_wait && !wait.is_short() {
            if is_past_created {
                self.waits.left_created.insert(node);
            }
            self.set_stage(node, Stage::Left);
            self.applied.waiting.push((addr, wait.what()));
            return;
        }
        (self.sink)(Progress::Waiting { addr, what: wait.what(), limit: wait.limit(&self.options.limits) });
        self.waits.add(node, wait, self.world.clock.now());
        self.set_stage(node, stage);
    }

    fn finish(&mut self, node: usize) {
        let step = self.step(node).clone();
        self.set_stage(node, Stage::Done);
        if !step.action.is_removal()
            && step.proxies.is_none()
            && let Err(error) = self.lease.record(Event::Ready { addr: step.addr.clone() })
        {
            self.keep_failed(error);
            return;
        }
        self.applied.done.entry(step.action).or_default().push(step.addr.clone());
        (self.sink)(Progress::Done { addr: step.addr.clone(), action: step.action });
        self.release_material(&step);
    }

    pub(super) fn fail(&mut self, node: usize, error: StepError) {
        let step = self.step(node).clone();
        self.set_stage(node, Stage::Failed);
        self.waits.forget(node);
        (self.sink)(Progress::Failed { addr: step.addr.clone(), error: error.clone() });
        self.applied.failed.push((step.addr.clone(), error));
        self.release_material(&step);
    }

    /// A create that was refused took no effect: the next run begins anew, and is not bound to it.
    pub(super) fn abandon(&mut self, node: usize, error: &StepError) -> Result<(), StoreError> {
        let addr = self.step(node).addr.clone();
        let is_begun = self.lease.state().resources.get(&addr).is_some_and(|known| known.pending.is_some());
        if is_begun && error.is_refusal() { self.lease.record(Event::Abandoned { addr }) } else { Ok(()) }
    }

    fn skip(&mut self, node: usize, because: &Addr) {
        let step = self.step(node).clone();
        self.set_stage(node, Stage::Failed);
        (self.sink)(Progress::Skipped { addr: step.addr.clone(), because: because.clone() });
        self.applied.skipped.push((step.addr.clone(), because.clone()));
        self.release_material(&step);
    }

    pub(super) fn keep_failed(&mut self, error: StoreError) {
        self.applied.store_error.get_or_insert(error);
    }

    fn leave_waits(&mut self) {
        for (node, wait) in self.waits.drain() {
            let addr = self.step(node).addr.clone();
            self.stages[node] = Stage::Left;
            self.applied.waiting.push((addr, wait.what()));
        }
    }

    /// The leaf of a certificate as it is now: just learned, or as the plan knew it.
    pub(super) fn leaf(&self, certificate: &Addr) -> Option<LeafFacts> {
        let learned = self.lease.state().certificate(certificate).and_then(|facts| facts.leaf.clone());
        learned.or_else(|| self.plan.leaves.get(certificate).cloned())
    }

    /// The ARN of a certificate.
    pub(super) fn arn(&self, certificate: &Addr) -> Option<String> {
        self.lease.state().current(certificate).map(|current| current.id.clone())
    }

    /// An output, as it is by now.
    pub(super) fn output(&self, addr: &Addr, output: Output) -> Option<String> {
        match output {
            Output::Hostname => self.hostname(addr),
            Output::Certificate(output) => self.certificate_output(addr, output),
        }
    }

    /// The name of the load balancer that an Ingress has.
    pub(super) fn hostname(&self, ingress: &Addr) -> Option<String> {
        self.lease.state().current(ingress)?.attrs.get(HOSTNAME)?.as_text().map(ToOwned::to_owned)
    }

    /// Runs a poll after a pause; it holds no slot.
    pub(super) fn later(&mut self, pause: Duration, poll: impl Future<Output = Finished> + 'static) {
        let clock = self.world.clock.clone();
        self.running.push(Box::pin(async move {
            clock.sleep(pause).await;
            poll.await
        }));
    }

    /// The needs of a resource, for its event.
    pub(super) fn needs(&self, addr: &Addr) -> Vec<Addr> {
        let resource = self.plan.graph.get(addr);
        resource.map(|resource| resource.needs.iter().map(|(needed, _)| needed.clone()).collect()).unwrap_or_default()
    }
}

/// The tags among attributes.
pub(super) fn tags_of(attrs: Option<&crate::resource::Attrs>) -> BTreeMap<String, String> {
    let tags =
        attrs.into_iter().flatten().filter_map(|(path, attr)| Some((path.strip_prefix("tags.")?.to_owned(), attr.as_text()?.to_owned())));
    tags.collect()
}

/// The tags that a step sets, and those that it removes.
pub(super) fn tag_changes(step: &Step) -> (BTreeMap<String, String>, Vec<String>) {
    let mut set = BTreeMap::new();
    let mut removed = Vec::new();
    for change in &step.changes {
        let Some(key) = change.path.strip_prefix("tags.") else { continue };
        match change.after.as_ref().and_then(|after| after.as_text()) {
            Some(value) => set.insert(key.to_owned(), value.to_owned()).map_or((), drop),
            None => removed.push(key.to_owned()),
        }
    }
    (set, removed)
}

/// The marks on an AWS resource, to be removed when it is released.
pub(super) fn mark_keys(attrs: Option<&crate::resource::Attrs>) -> Vec<String> {
    let known: BTreeSet<String> = tags_of(attrs).into_keys().filter(|key| crate::plan::marks::is_mark(&format!("tags.{key}"))).collect();
    known.into_iter().collect()
}

/// A step that failed although its request was not sent by it.
pub(super) fn lost(addr: &Addr) -> StepError {
    StepError::Changed(format!("`{addr}` is no longer what the plan saw"))
}

/// Whether an error means that what should go is gone.
pub(super) fn gone_is_fine(result: Result<(), ProviderError>) -> Result<(), ProviderError> {
    match result {
        Err(error) if error.is_not_found() => Ok(()),
        other => other,
    }
}

/// Material that several deliveries share.
pub(super) type SharedMaterial = Rc<Material>;

/// The action that makes something new.
pub(super) fn is_making(action: Action) -> bool {
    matches!(action, Action::Create | Action::Replace)
}
