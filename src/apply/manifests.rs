//! Steps of the objects of manifests: one server-side apply each, and a wait until they do what they are for.

use std::sync::Arc;
use std::time::Duration;

use serde_json::Value;

use super::StepError;
use super::engine::{Engine, Finished, Outcome, lost};
use super::objects::{is_adopted, make_room, refuse_foreign, remove};
use super::wait::Wait;
use crate::addr::Addr;
use crate::clock::Clock;
use crate::event::{Event, Origin};
use crate::observed;
use crate::plan::moves_balancer;
use crate::plan::{Action, Step};
use crate::provider::error::{Class, ProviderError};
use crate::provider::kube::{Applied, ApplyMode, KindPath, Kube, Live, body};
use crate::ready::{Readiness, balanced, hostname, readiness, takes_time};
use crate::resource::manifest::{Data, ManifestSpec, remembered};
use crate::resource::{Attrs, Spec};
use crate::store::Lease;

/// How long a kind may take to be served once its definition is established, and servers to agree on that.
const SERVED_AFTER: Duration = Duration::from_secs(30);
/// How long a webhook of the same stack may take to answer once its pods are ready.
const ANSWERED_AFTER: Duration = Duration::from_mins(2);

/// All that a step needs to write an object.
struct Write {
    step: Step,
    spec: ManifestSpec,
    content: Arc<Value>,
    data: Data,
    marks: Attrs,
    sent: String,
    /// The name of the load balancer that another one takes the place of.
    moves_from: Option<String>,
    needs: Vec<Addr>,
    /// What the state knows of it.
    known: Attrs,
    /// Whether items that another manager made others of are turned back first.
    turns_back: bool,
    /// The control plane whose proxy its pods are to run.
    revision: Option<String>,
    is_forced: bool,
    /// Whether the stack has webhooks that the server may ask.
    has_webhooks: bool,
    clock: Clock,
}

impl<L: Lease> Engine<'_, L> {
    pub(super) fn begin_manifest(&mut self, node: usize, step: &Step, spec: &ManifestSpec) {
        let Some(kube) = self.world.kube.clone() else {
            self.fail(node, lost(&step.addr));
            return;
        };
        let forecast = self.plan.forecasts.get(&step.addr);
        let (filled, is_whole) = spec.filled(|addr, output| self.output(addr, output));
        if !is_whole && !step.action.is_removal() {
            self.fail(node, StepError::Changed(format!("an output that `{}` holds isn't known", step.addr)));
            return;
        }
        let of_forecast = forecast.and_then(|forecast| forecast.body.clone()).map(Arc::new);
        let mut content = of_forecast.unwrap_or_else(|| Arc::clone(&spec.object.body));
        for hole in &spec.holes {
            let text = hole.fill(|addr, output| self.output(addr, output)).unwrap_or_default();
            hole.path.set(Arc::make_mut(&mut content), Value::String(text));
        }
        let sent = match forecast {
            Some(forecast) if spec.holes.is_empty() => forecast.sent.clone(),
            _ => filled.sent_hash(&step.marks()),
        };
        let moves_from = self.hostname(&step.addr).filter(|_| spec.balancer.is_some() && moves_balancer(&step.changes));
        let write = Write {
            content,
            data: forecast.and_then(|forecast| forecast.data.clone()).unwrap_or_else(|| spec.data.clone()),
            marks: step.marks(),
            sent,
            moves_from,
            needs: self.needs(&step.addr),
            known: self.lease.state().current(&step.addr).map(|current| current.attrs.clone()).unwrap_or_default(),
            turns_back: matches!(forecast.map(|forecast| &forecast.outcome), Some(observed::Outcome::Tried { turns_back: true, .. })),
            revision: self.plan.injected_by.get(&step.addr).cloned(),
            is_forced: step.action == Action::Adopt || step.changes.iter().any(|change| change.manager.is_some()),
            has_webhooks: self.has_webhooks(),
            clock: self.world.clock.clone(),
            step: step.clone(),
            spec: spec.clone(),
        };
        self.spawn(Box::pin(async move {
            let result = write.run(&kube).await;
            Finished::Step { node, result }
        }));
    }

    fn has_webhooks(&self) -> bool {
        self.plan.graph.resources().any(|resource| {
            matches!(&resource.spec, Spec::Manifest(spec) if spec.object.kind.ends_with("WebhookConfiguration") || spec.object.kind == "APIService")
        })
    }
}

impl Write {
    async fn run(self, kube: &Kube) -> Result<Outcome, StepError> {
        let step = &self.step;
        if step.action.is_removal() {
            return remove(kube, step).await;
        }
        let Some(path) = self.path(kube).await? else {
            return Err(StepError::Changed(format!(
                "the cluster serves no kind {} of {}",
                self.spec.object.kind, self.spec.object.api_version
            )));
        };
        let (namespace, name) = (self.spec.object.namespace.as_deref(), self.spec.object.name.as_str());
        if step.action == Action::Read {
            let live = kube.get(&path, namespace, name).await?.ok_or_else(|| lost(&step.addr))?;
            let wait = self.wait(&path, &live);
            // Its load balancer may have got its name since the plan was made: whoever needs it has it from the state.
            let named = if wait.is_none() && self.spec.balancer.is_some() { hostname(&live.whole()).map(ToOwned::to_owned) } else { None };
            let learned =
                |name: String| Event::Applied { addr: step.addr.clone(), attrs: self.spec.with_hostname(self.known.clone(), Some(&name)) };
            return Ok(Outcome { events: named.map(learned).into_iter().collect(), wait, ..Outcome::default() });
        }
        if let Some(wait) = make_room(kube, &path, namespace, name, step).await? {
            return Ok(wait);
        }
        let mut uid = step.id.clone().filter(|_| step.action != Action::Replace);
        if step.action == Action::Create
            && let Some(live) = self.served(kube.get(&path, namespace, name).await)?
        {
            uid = Some(refuse_foreign(step, &live)?);
        }
        if let (Some(namespace), Some(pod)) = (namespace, self.spec.pod_to_inject())
            && let Some(says) = kube.injects(namespace, &pod, self.revision.as_deref()).await?
        {
            let revision = self.revision.clone();
            let wait = Wait::Injected { namespace: namespace.to_owned(), pod: Box::new(pod), revision, says };
            return Ok(Outcome { wait: Some(wait), ..Outcome::default() });
        }
        let turns_back = self.turns_back && step.action != Action::Replace;
        if turns_back {
            kube.turn_back_now(&path, namespace, name, &self.content).await?;
        }
        let applied = self.send(kube, &path, uid.as_deref()).await?;
        if self.spec.object.kind == "CustomResourceDefinition" {
            kube.forget_catalog().await;
        }
        let live =
            if turns_back || is_adopted(step) { kube.take_from_tools(&path, namespace, name, applied.live).await? } else { applied.live };
        let addr = step.addr.clone();
        let mut events = Vec::new();
        if matches!(step.action, Action::Create | Action::Replace | Action::Adopt) {
            let origin = if step.action == Action::Adopt { Origin::Adopted } else { Origin::Created };
            events.push(Event::Created { addr: addr.clone(), id: live.uid().to_owned(), generation: 1, origin, needs: self.needs.clone() });
        }
        let (attrs, whole) = (remembered(&self.spec, &self.sent, &live.owned_hash(), live.our_fields()), live.whole());
        let attrs = self.spec.with_hostname(attrs, hostname(&whole).filter(|name| self.moves_from.as_deref() != Some(*name)));
        events.push(Event::Applied { addr, attrs });
        Ok(Outcome { events, wait: self.wait(&path, &live), ..Outcome::default() })
    }

    async fn path(&self, kube: &Kube) -> Result<Option<KindPath>, ProviderError> {
        if !self.spec.object.plural.is_empty() {
            return Ok(Some(KindPath::of(&self.spec.object)));
        }
        let path = kube.path_of(&self.step.addr).await?;
        Ok(path.map(|path| KindPath { api_version: self.spec.object.api_version.clone(), ..path }))
    }

    /// What is there; nothing where the kind isn't served yet.
    fn served(&self, read: Result<Option<Live>, ProviderError>) -> Result<Option<Live>, ProviderError> {
        match read {
            Err(error) if error.is_not_found() && self.spec.has_own_definition => Ok(None),
            other => other,
        }
    }

    /// Sends the object, and again where what it needs takes a moment more than its readiness told.
    async fn send(&self, kube: &Kube, path: &KindPath, uid: Option<&str>) -> Result<Applied, ProviderError> {
        let mode = ApplyMode { force: self.is_forced, dry_run: false };
        let mut waited = Duration::ZERO;
        loop {
            let whole = body(&self.spec.object, &self.content, &self.marks, uid, self.data.iter());
            let error = match kube.apply(path, &self.spec.object, &whole, mode).await {
                Ok(applied) => return Ok(applied),
                Err(error) => error,
            };
            let limit = match error.class {
                Class::NotFound if self.spec.has_own_definition => SERVED_AFTER,
                Class::Server if self.has_webhooks => ANSWERED_AFTER,
                _ => Duration::ZERO,
            };
            if waited >= limit {
                return Err(error);
            }
            let pause = Duration::from_secs(2);
            self.clock.sleep(pause).await;
            waited += pause;
        }
    }

    /// The wait for it to do what it is for, if that takes time.
    fn wait(&self, path: &KindPath, live: &Live) -> Option<Wait> {
        let (group, kind, object) = (self.spec.group(), &self.spec.object.kind, live.whole());
        if self.spec.balancer.is_some() {
            let says = match (balanced(&object), &self.moves_from) {
                (Readiness::Ready, None) => return None,
                (Readiness::Ready, Some(old)) => format!("the load balancer {old} is to be replaced by another one"),
                (Readiness::Waiting(says) | Readiness::Failed(says), _) => says,
            };
            let (addr, moves_from) = (self.step.addr.clone(), self.moves_from.clone());
            return Some(Wait::Balanced { addr, path: path.clone(), says, moves_from });
        }
        if !takes_time(group, kind, &object) {
            return None;
        }
        let says = match readiness(group, kind, &object, self.clock.now()) {
            Readiness::Ready => return None,
            Readiness::Waiting(says) | Readiness::Failed(says) => says,
        };
        let (addr, kind) = (self.step.addr.clone(), kind.clone());
        Some(Wait::Ready { addr, kind, path: path.clone(), says })
    }
}
