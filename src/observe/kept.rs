//! What came of chance and is there stays: passwords, keys, certificates that a chart makes. Fields that hang together live and die together;
//! they are made anew when one of them is missing, or when chart or values ask for another one.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use futures::{StreamExt as _, TryStreamExt as _};
use serde_json::Value;

use super::forecast::Asked;
use super::objects::{Objects, kind_of};
use crate::addr::Addr;
use crate::fields::FieldPath;
use crate::provider::error::ProviderError;
use crate::provider::kube::{KindPath, Live};
use crate::resource::manifest::{DICE, Generated, ManifestSpec};
use crate::resource::{Attr, Spec};
use crate::secret::SecretBytes;

/// What stays of an object.
#[derive(Default)]
pub(super) struct Kept {
    /// Fields with their live values; without one they are not sent.
    pub(super) body: Vec<(FieldPath, Option<Value>)>,
    /// A Secret's live values.
    pub(super) data: BTreeMap<String, Arc<SecretBytes>>,
    /// Whether some of it is made anew.
    pub(super) is_renewed: bool,
}

/// What stays of the objects of all releases that throw dice.
pub(super) async fn all(asked: &Asked<'_>, found: &Objects) -> Result<BTreeMap<Addr, Kept>, ProviderError> {
    let generated: Vec<(&Addr, &ManifestSpec)> = asked
        .desired
        .resources()
        .filter_map(|resource| match &resource.spec {
            Spec::Manifest(spec) if !spec.generated.is_empty() => Some((&resource.addr, &**spec)),
            _ => None,
        })
        .collect();
    // Of those that no list shows one may be another's, who is to be taken over.
    let unlisted = generated.iter().copied().filter(|(addr, _)| {
        let kind = kind_of(addr).unwrap_or_default();
        !asked.lives.contains_key(addr) && !found.absent_kinds.contains(&kind) && !asked.unserved.contains(&kind)
    });
    let reads = unlisted.map(|(addr, spec)| async move {
        let path = if spec.object.plural.is_empty() { asked.kube.path_of(addr).await? } else { Some(KindPath::of(&spec.object)) };
        let Some(path) = path else { return Ok((addr, None)) };
        match asked.kube.get(&path, spec.object.namespace.as_deref(), &spec.object.name).await {
            Ok(live) => Ok((addr, live)),
            Err(error) if error.is_denied() || error.is_not_found() => Ok((addr, None)),
            Err(error) => Err(error),
        }
    });
    let read: Vec<(&Addr, Option<Live>)> = futures::stream::iter(reads).buffered(8).try_collect().await?;
    let read: BTreeMap<&Addr, Live> = read.into_iter().filter_map(|(addr, live)| Some((addr, live?))).collect();
    let live = |addr: &Addr| asked.lives.get(addr).or_else(|| read.get(addr)).filter(|live| live.terminating().is_none());

    let mut renewed: BTreeSet<&str> = BTreeSet::new();
    for (addr, spec) in &generated {
        for field in &spec.generated {
            let stays = live(addr).is_some_and(|live| is_there(spec, field, live) && !is_asked_for(asked, addr, live, field));
            if !stays {
                renewed.insert(&field.group);
            }
        }
    }
    let mut kept = BTreeMap::new();
    for (addr, spec) in &generated {
        let Some(live) = live(addr) else { continue };
        let object = live.comparable();
        let mut of = Kept::default();
        for field in &spec.generated {
            if renewed.contains(field.group.as_str()) {
                of.is_renewed = true;
                continue;
            }
            match field.path.key_in("data").filter(|_| spec.is_secret()) {
                Some(key) => of.data.extend(live.data.get(key).map(|value| (key.to_owned(), Arc::clone(value)))),
                None => of.body.push((field.path.clone(), field.path.value_in(&object).cloned())),
            }
        }
        kept.insert((*addr).clone(), of);
    }
    Ok(kept)
}

fn is_there(spec: &ManifestSpec, field: &Generated, live: &Live) -> bool {
    match field.path.key_in("data").filter(|_| spec.is_secret()) {
        Some(key) => live.data.contains_key(key),
        // What the chart draws may be nothing, and then nothing is there.
        None => field.path.value_in(&live.comparable()).is_some() || field.path.value_in(&spec.object.body).is_none(),
    }
}

/// Whether chart or values ask for another field than when it was made: with dice that are the same for everybody it comes out otherwise.
fn is_asked_for(asked: &Asked<'_>, addr: &Addr, live: &Live, field: &Generated) -> bool {
    let known = asked.prior.current(addr).filter(|known| known.id == live.uid());
    let Some(Attr::Value(fixed)) = known.and_then(|known| known.attrs.get(DICE)) else { return false };
    let before = fixed.get(field.path.to_string()).and_then(Value::as_str);
    before.is_some_and(|before| before != field.fixed)
}
