//! What becomes of a manifest's object when it is applied. Nobody is asked where nothing can have changed; else the server tries it.

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};

use futures::{StreamExt as _, TryStreamExt as _};
use jiff::Timestamp;
use serde_json::Value;

use super::kept::{self, Kept};
use super::objects::{Objects, as_found, is_ours, kind_of};
use crate::addr::Addr;
use crate::fields::{Difference, differences, leave_shared};
use crate::graph::Graph;
use crate::observed::{Forecast, Found, Outcome, Owner};
use crate::plan::marks::Marks;
use crate::provider::error::{Class, ProviderError};
use crate::provider::kube::{ApplyMode, COUNTED, KindPath, Kube, Live, body};
use crate::ready::{Readiness, balanced, hostname, readiness, takes_time};
use crate::resource::hole::{Output, Outputs};
use crate::resource::manifest::{Data, LIVE, ManifestSpec, SENT};
use crate::resource::{Attr, Attrs, Spec};
use crate::secret::{SecretBytes, sha256_hex};
use crate::state::State;

/// What forecasts rest on.
pub(super) struct Asked<'a> {
    pub(super) kube: &'a Kube,
    pub(super) desired: &'a Graph,
    pub(super) prior: &'a State,
    /// Kinds of the stack that the cluster doesn't serve.
    pub(super) unserved: &'a BTreeSet<(String, String)>,
    pub(super) lives: &'a BTreeMap<Addr, Live>,
    pub(super) now: Timestamp,
    /// Outputs of AWS resources that are there.
    pub(super) outputs: &'a Outputs,
    /// Whether the server may not be asked to try anything.
    pub(super) local: bool,
}

/// How often an object is looked at anew when it changes between a look and its trial.
const LOOKS: usize = 5;

/// A trial that the server took.
struct Trial {
    /// The revision of the object that it was tried on.
    revision: String,
    /// Our fields before it and after it.
    ours: Vec<Value>,
}

const TRY: ApplyMode = ApplyMode { force: true, dry_run: true };

/// The forecasts of all manifests; objects that have their names and aren't ours are found on the way.
pub(super) async fn all(asked: &Asked<'_>, found: &mut Objects) -> Result<(), ProviderError> {
    let lineage = match found.lineages.iter().collect::<Vec<_>>().as_slice() {
        [one] if asked.prior.serial == 0 => (*one).clone(),
        _ => asked.prior.lineage.clone(),
    };
    let manifests = asked.desired.resources().filter_map(|resource| match &resource.spec {
        // Hooks are run, not compared.
        Spec::Manifest(spec) if spec.hook.is_none() => {
            let (spec, is_whole) = if spec.holes.is_empty() { (Cow::Borrowed(&**spec), true) } else { asked.filled(spec) };
            Some((&resource.addr, spec, is_whole))
        }
        _ => None,
    });
    // What is in a namespace or of a definition's kind can only be there when that is.
    let (first, others): (Vec<_>, Vec<_>) =
        manifests.partition(|(_, spec, _)| matches!(spec.object.kind.as_str(), "Namespace" | "CustomResourceDefinition"));
    let kept = kept::all(asked, found).await?;
    for manifests in [first, others] {
        let forecasts = {
            let (found, lineage, kept) = (&*found, lineage.as_str(), &kept);
            let each = manifests.into_iter().map(|(addr, spec, is_whole)| async move {
                let outcome = Look { asked, addr, spec: &spec, is_whole, lineage, found, kept: kept.get(addr) }.forecast().await?;
                Ok::<_, ProviderError>((addr.clone(), outcome))
            });
            futures::stream::iter(each).buffered(8).try_collect::<Vec<_>>().await?
        };
        for (addr, (forecast, appeared)) in forecasts {
            found.forecasts.insert(addr.clone(), forecast);
            found.resources.extend(appeared.map(|appeared| (addr, appeared)));
        }
    }
    Ok(())
}

impl Asked<'_> {
    /// An object with the outputs of what is there now.
    fn filled(&self, spec: &ManifestSpec) -> (Cow<'_, ManifestSpec>, bool) {
        let known = |addr: &Addr, output: Output| match output {
            Output::Hostname => self.lives.get(addr).and_then(|live| hostname(&live.whole()).map(ToOwned::to_owned)),
            Output::Certificate(_) => self.outputs.get(&(addr.clone(), output)).cloned(),
        };
        let (filled, is_whole) = spec.filled(known);
        (Cow::Owned(filled), is_whole)
    }
}

struct Look<'a> {
    asked: &'a Asked<'a>,
    addr: &'a Addr,
    /// What it is to be, with the outputs that are known.
    spec: &'a ManifestSpec,
    /// Whether all are.
    is_whole: bool,
    lineage: &'a str,
    found: &'a Objects,
    /// What stays of what came of chance.
    kept: Option<&'a Kept>,
}

impl Look<'_> {
    /// The forecast, and the object that was found when it was tried.
    async fn forecast(&self) -> Result<(Forecast, Option<Found>), ProviderError> {
        let live = self.asked.lives.get(self.addr);
        let found = self.found.resources.get(self.addr);
        let marks = self.marks(found);
        let sent = self.spec.sent_hash(&marks);
        let Some(path) = self.path().await? else {
            let outcome = if self.spec.has_own_definition { untried("its definition comes first") } else { Outcome::Unserved };
            return Ok((Forecast { sent, live: None, fields: None, body: None, data: None, waits: None, outcome }, None));
        };
        if let Some(outcome) = self.other_scope().await? {
            return Ok((Forecast { sent, live: None, fields: None, body: None, data: None, waits: None, outcome }, None));
        }
        match live {
            Some(live) => Ok((self.of_live(&path, live, &sent, &marks, found).await?, None)),
            None => self.of_name(&path, sent, &marks).await,
        }
    }

    fn marks(&self, found: Option<&Found>) -> Attrs {
        let known = self.asked.prior.current(self.addr);
        Marks::of_object(&self.asked.prior.stack, self.lineage, (self.addr, self.spec), found, known)
    }

    async fn path(&self) -> Result<Option<KindPath>, ProviderError> {
        let kind = kind_of(self.addr).unwrap_or_default();
        if self.found.absent_kinds.contains(&kind) && !self.spec.has_own_definition {
            return Ok(None);
        }
        if !self.spec.object.plural.is_empty() {
            return Ok(Some(KindPath::of(&self.spec.object)));
        }
        if self.asked.unserved.contains(&kind) {
            return Ok(None);
        }
        let path = self.asked.kube.path_of(self.addr).await?;
        Ok(path.map(|path| KindPath { api_version: self.spec.object.api_version.clone(), ..path }))
    }

    /// Of a kind that only the cluster knows: whether its objects are where the stack puts this one.
    async fn other_scope(&self) -> Result<Option<Outcome>, ProviderError> {
        if !self.spec.object.plural.is_empty() {
            return Ok(None);
        }
        let catalog = self.asked.kube.catalog().await?;
        let served = catalog.find(self.spec.group(), &self.spec.object.kind);
        let is_other = served.filter(|served| served.namespaced != self.spec.object.namespace.is_some());
        Ok(is_other.map(|served| Outcome::OtherScope { namespaced: served.namespaced }))
    }

    /// An object that is there. Others may write to it between the look and the trial: what they wrote is not what an apply would change, so
    /// it is looked at again.
    async fn of_live(
        &self,
        path: &KindPath,
        live: &Live,
        sent: &str,
        marks: &Attrs,
        found: Option<&Found>,
    ) -> Result<Forecast, ProviderError> {
        let (mut forecast, mut trial) = self.of_look(path, live, sent, marks, found).await?;
        let mut seen = live.revision().to_owned();
        for look in 1..=LOOKS {
            let (Some(tried), Outcome::Tried { differences, .. }) = (&trial, &mut forecast.outcome) else { break };
            if differences.is_empty() || tried.revision == seen {
                break;
            }
            if look == LOOKS {
                // Written to without a pause: what is neither sent nor was ours is of others' making.
                differences.retain(|one| tried.ours.iter().any(|fields| one.path.is_owned_in(fields)));
                break;
            }
            let Some(now) = self.asked.kube.get(path, live.namespace(), live.name()).await?.filter(|now| now.uid() == live.uid()) else {
                break;
            };
            now.revision().clone_into(&mut seen);
            (forecast, trial) = self.of_look(path, &now, sent, marks, found).await?;
        }
        Ok(forecast)
    }

    /// One look at an object, and what it was tried on.
    async fn of_look(
        &self,
        path: &KindPath,
        live: &Live,
        sent: &str,
        marks: &Attrs,
        found: Option<&Found>,
    ) -> Result<(Forecast, Option<Trial>), ProviderError> {
        let hash = live.owned_hash();
        let mut forecast = Forecast {
            sent: sent.to_owned(),
            live: Some(hash.clone()),
            fields: live.our_fields().cloned(),
            body: None,
            data: None,
            waits: self.waits(live),
            outcome: Outcome::Untouched,
        };
        let is_going = live.terminating().is_some();
        let known = self.asked.prior.current(self.addr).filter(|known| known.id == live.uid());
        let is = |key: &str, value: &str| known.and_then(|known| known.attrs.get(key)).and_then(Attr::as_text) == Some(value);
        let is_ours = found.is_some_and(|found| matches!(found.owner, Owner::Us { .. }));
        if !self.spec.holes.is_empty() {
            // Another output may come up to here: then this is what it is put into.
            forecast.body = self.body(Some(live));
        }
        let is_renewed = self.kept.is_some_and(|kept| kept.is_renewed);
        if is_going || (is_ours && is(SENT, sent) && is(LIVE, &hash) && !is_renewed) {
            return Ok((forecast, None));
        }
        forecast.body = self.body(Some(live));
        forecast.data = self.kept.filter(|kept| !kept.data.is_empty()).map(|kept| self.spec.data.with(&kept.data));
        let content = forecast.body.as_ref().unwrap_or(&self.spec.object.body);
        let data = forecast.data.as_ref().unwrap_or(&self.spec.data);
        let (outcome, tried) = self.attempt(path, live, (content, data), marks).await?;
        forecast.outcome = outcome;
        Ok((forecast, tried))
    }

    /// What is missing until it does what it is for.
    fn waits(&self, live: &Live) -> Option<String> {
        let (group, kind, object) = (self.spec.group(), &self.spec.object.kind, live.whole());
        if self.spec.balancer.is_some() {
            return match balanced(&object) {
                Readiness::Waiting(says) | Readiness::Failed(says) => Some(says),
                Readiness::Ready => None,
            };
        }
        match readiness(group, kind, &object, self.asked.now) {
            Readiness::Waiting(says) | Readiness::Failed(says) if takes_time(group, kind, &object) => Some(says),
            _ => None,
        }
    }

    /// A name that no list showed: is it free?
    async fn of_name(&self, path: &KindPath, sent: String, marks: &Attrs) -> Result<(Forecast, Option<Found>), ProviderError> {
        let mut forecast = Forecast { sent, live: None, fields: None, body: None, data: None, waits: None, outcome: Outcome::Untouched };
        if let Some(why) = self.cannot_be_there() {
            forecast.outcome = untried(why);
            return Ok((forecast, None));
        }
        let whole = body(&self.spec.object, &self.spec.object.body, marks, None, self.spec.data.iter());
        let tried =
            if self.asked.local { Err(untold(self.addr)) } else { self.asked.kube.apply(path, &self.spec.object, &whole, TRY).await };
        let is_free = match &tried {
            Ok(applied) => applied.is_new,
            Err(error) if error.is_no_answer() => return Err(error.clone()),
            Err(_) => false,
        };
        if is_free && let Ok(applied) = tried {
            forecast.outcome = Outcome::Tried { attrs: applied.live.attrs(), differences: Vec::new(), turns_back: false };
            return Ok((forecast, None));
        }
        let live = self.asked.kube.get(path, self.spec.object.namespace.as_deref(), &self.spec.object.name).await;
        let live = match live {
            Ok(live) => live,
            // Whoever may not read it may perhaps make it: the apply will tell.
            Err(error) if error.is_denied() => None,
            Err(error) => return Err(error),
        };
        if let Some(live) = live {
            let found = as_found(self.addr, &live, self.asked.desired, is_ours(self.asked.prior, self.addr, &live));
            let marks = self.marks(Some(&found));
            let forecast = self.of_live(path, &live, &forecast.sent, &marks, Some(&found)).await?;
            return Ok((Forecast { sent: self.spec.sent_hash(&marks), ..forecast }, Some(found)));
        }
        forecast.outcome = match tried {
            Err(error) if error.class == Class::Invalid && self.is_whole => Outcome::Refused { says: error.message },
            Err(error) => untried(&error.to_string()),
            Ok(_) => untried("it went while it was looked at"),
        };
        Ok((forecast, None))
    }

    /// Why there can't be an object of this name yet, and nobody can try to make one.
    fn cannot_be_there(&self) -> Option<&'static str> {
        if let Some(namespace) = &self.spec.object.namespace {
            let is_there = self.found.resources.contains_key(&Addr::namespace(namespace))
                || self.found.other_namespaces.get(namespace).copied().unwrap_or(false)
                || self.found.resources.keys().any(|addr| matches!(addr, Addr::Kube { namespace: Some(one), .. } if one == namespace));
            if !is_there {
                return Some("its namespace comes first");
            }
        }
        if self.spec.has_own_definition && !self.has_definition() {
            return Some("its definition comes first");
        }
        None
    }

    /// Whether the definition that the stack brings for the kind is there already.
    fn has_definition(&self) -> bool {
        let name = format!("{}.{}", self.spec.object.plural, self.spec.group());
        self.found
            .resources
            .keys()
            .any(|addr| matches!(addr, Addr::Kube { kind, name: one, .. } if kind == "customresourcedefinition" && *one == name))
    }

    /// What is sent in place of what the stack says, where others have a say in it.
    fn body(&self, live: Option<&Live>) -> Option<Value> {
        let live = live?;
        let shared = self.spec.shared();
        let kept = self.kept.map(|kept| &kept.body).filter(|kept| !kept.is_empty());
        if shared.is_empty() && kept.is_none() {
            return None;
        }
        let mut content = Value::clone(&self.spec.object.body);
        for (path, value) in kept.into_iter().flatten() {
            path.put_into(&mut content, value.clone());
        }
        leave_shared(&mut content, &shared, &live.comparable(), live.our_fields(), &live.writers());
        (content != *self.spec.object.body).then_some(content)
    }

    /// Tries to apply over what is there. A trial that went well tells the revision of what it was tried on.
    async fn attempt(
        &self,
        path: &KindPath,
        live: &Live,
        (content, data): (&Value, &Data),
        marks: &Attrs,
    ) -> Result<(Outcome, Option<Trial>), ProviderError> {
        if self.asked.local {
            let differences = guess(live, content, data, marks);
            return Ok((Outcome::Untried { why: "it was compared here".to_owned(), differences }, None));
        }
        let whole = body(&self.spec.object, content, marks, Some(live.uid()), data.iter());
        let error = match self.asked.kube.apply(path, &self.spec.object, &whole, TRY).await {
            Ok(applied) => {
                let differences = differences(&live.comparable(), &applied.live.comparable(), &live.writers());
                let ours = [live.our_fields(), applied.live.our_fields()].into_iter().flatten().cloned().collect();
                let trial = Trial { revision: applied.live.revision().to_owned(), ours };
                return Ok((Outcome::Tried { attrs: applied.live.attrs(), differences, turns_back: false }, Some(trial)));
            }
            Err(error) if error.is_no_answer() => return Err(error),
            Err(error) => error,
        };
        let guess = guess(live, content, data, marks);
        if error.class != Class::Invalid || !self.is_whole {
            return Ok((Outcome::Untried { why: error.to_string(), differences: guess }, None));
        }
        if let Some(outcome) = self.turned_back(path, live, content, &guess).await? {
            return Ok((outcome, None));
        }
        // Refused as a change. Would it be taken as a new object? Then it is a field that can't change.
        let trial = sha256_hex(format!("{} {}", self.addr, live.uid()).as_bytes());
        let twin = crate::resource::object::ObjectSpec { name: format!("trial-{}", &trial[..12]), ..self.spec.object.clone() };
        let whole: SecretBytes = body(&twin, content, marks, None, data.iter());
        match self.asked.kube.apply(path, &twin, &whole, TRY).await {
            Ok(twin) => {
                // What the new one would be, in the server's words; fields of others come and go with the object.
                let fields: Vec<&Value> = [live.our_fields(), twin.live.our_fields()].into_iter().flatten().collect();
                let mut differences = differences(&live.comparable(), &twin.live.comparable(), &live.writers());
                differences.retain(|one| fields.iter().any(|fields| one.path.is_owned_in(fields)));
                Ok((Outcome::Immutable { says: error.message, differences }, None))
            }
            Err(twin) if twin.is_no_answer() => Err(twin),
            Err(_) => Ok((Outcome::Refused { says: error.message }, None)),
        }
    }
}

impl Look<'_> {
    /// Refused as an apply. Does it go when items are turned back first that another manager made others of?
    async fn turned_back(
        &self,
        path: &KindPath,
        live: &Live,
        content: &Value,
        guess: &[Difference],
    ) -> Result<Option<Outcome>, ProviderError> {
        let turned = match self.asked.kube.turn_back(path, live, content, true).await {
            Ok(Some(turned)) => turned,
            Err(error) if error.is_no_answer() => return Err(error),
            Ok(None) | Err(_) => return Ok(None),
        };
        let mut differences = differences(&live.comparable(), &turned.comparable(), &live.writers());
        let metadata = guess.iter().filter(|one| one.path.to_string().starts_with("metadata"));
        differences.extend(metadata.cloned());
        Ok(Some(Outcome::Tried { attrs: turned.attrs(), differences, turns_back: true }))
    }
}

fn untried(why: &str) -> Outcome {
    Outcome::Untried { why: why.to_owned(), differences: Vec::new() }
}

/// In place of an answer, where the server may not be asked.
fn untold(addr: &Addr) -> ProviderError {
    ProviderError::own("trying", &addr.to_string(), Class::NotYet, "it was compared here")
}

/// What differs, as far as it can be told without the server: fields of the stack's that aren't there as it says them.
fn guess(live: &Live, content: &Value, data: &Data, marks: &Attrs) -> Vec<Difference> {
    let mut wanted = content.clone();
    if let Value::Object(map) = &mut wanted {
        if !data.is_empty() {
            map.insert("data".into(), crate::resource::manifest::fingerprints(data.iter()));
        }
        let metadata = map.entry("metadata").or_insert_with(|| Value::Object(serde_json::Map::new()));
        for (path, mark) in marks {
            let place = path.strip_prefix("metadata.").and_then(|rest| rest.split_once('.'));
            if let (Some((part, key)), Attr::Value(value), Value::Object(metadata)) = (place, mark, &mut *metadata)
                && let Value::Object(map) = metadata.entry(part).or_insert_with(|| Value::Object(serde_json::Map::new()))
            {
                map.insert(key.to_owned(), value.clone());
            }
        }
        if let Some(Value::Object(annotations)) = metadata.get_mut("annotations") {
            annotations.shift_remove(COUNTED);
        }
    }
    let mut found = differences(&live.comparable(), &wanted, &live.writers());
    found.retain(|difference| difference.after.is_some());
    found
}
