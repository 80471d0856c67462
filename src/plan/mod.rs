//! The plan: what would change, why, and in which order. A pure function of desired, observed and prior.

mod aliases;
mod certificates;
pub mod codes;
mod cost;
pub mod decide;
pub mod diff;
mod helm_records;
mod hooks;
mod kept;
mod manifests;
pub mod marks;
pub(crate) mod mesh;
mod order;
mod ownership;
mod refresh;
mod removal;
mod replace;
mod rotation;
pub mod saved;
#[cfg(test)]
mod tests;
pub mod wanted;

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;

pub(crate) use aliases::moves_balancer;
pub use cost::{Charge, Cost};
pub use helm_records::HelmRecord;
pub use mesh::ProxyStep;

use crate::addr::{Addr, AwsKind};
use crate::diag::Place;
use crate::event::Event;
use crate::graph::Graph;
use crate::observed::{Forecast, Identity, Observed};
use crate::resource::certificate::LeafFacts;
use crate::resource::{Attr, Attrs, Milestone};
use crate::stack::Prices;
use crate::stack::istio::Batch;
use crate::state::{Moves, State};

/// What happens to a resource.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Action {
    /// Nothing.
    NoOp,
    /// It is waited for; nothing is written.
    Read,
    /// It is made.
    Create,
    /// It was there before meshform, and is taken over.
    Adopt,
    /// It is changed in place.
    Update,
    /// A new one takes its place.
    Replace,
    /// Its pods are made anew, and nothing else of it changes.
    Restart,
    /// It gets another address.
    Move,
    /// A secret that is scheduled for deletion is taken back.
    Restore,
    /// It stays, and is no longer ours.
    Release,
    /// It goes.
    Delete,
}

impl Action {
    /// The word for it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::NoOp => "no-op",
            Self::Read => "read",
            Self::Create => "create",
            Self::Adopt => "adopt",
            Self::Update => "update",
            Self::Replace => "replace",
            Self::Restart => "restart",
            Self::Move => "move",
            Self::Restore => "restore",
            Self::Release => "release",
            Self::Delete => "delete",
        }
    }

    /// Whether something goes or is let go.
    pub fn is_removal(self) -> bool {
        matches!(self, Self::Delete | Self::Release)
    }
}

/// A change of one attribute.
#[derive(Clone, Debug, PartialEq)]
pub struct Change {
    /// The attribute's path.
    pub path: String,
    /// What it is.
    pub before: Option<Attr>,
    /// What it will be; absent: it goes.
    pub after: Option<Attr>,
    /// Another manager that owns the field now.
    pub manager: Option<String>,
    /// Whether its API can't change it in place.
    pub replaces: bool,
}

/// One step of a plan.
#[derive(Clone, Debug, PartialEq)]
pub struct Step {
    /// The resource.
    pub addr: Addr,
    /// What happens to it.
    pub action: Action,
    /// Why.
    pub reason: String,
    /// Which attributes change.
    pub changes: Vec<Change>,
    /// The server's id of what is acted on: the precondition of the step.
    pub id: Option<String>,
    /// Whether it is about an older generation.
    pub is_deposed: bool,
    /// The generation after the step.
    pub generation: u64,
    /// The live attributes.
    pub before: Option<Attrs>,
    /// The attributes wanted.
    pub after: Option<Attrs>,
    /// Who owned it, when it is adopted.
    pub owner: Option<String>,
    /// The address that it had, when it is renamed.
    pub moved_from: Option<Addr>,
    /// Whether the step counts as a change: waits for a deposed id to fall out of use don't.
    pub counts: bool,
    /// Which points of other steps must be reached before it starts.
    pub starts_after: Vec<(usize, Point)>,
    /// Whether one of them is enough.
    pub any_start: bool,
    /// Which points of other steps must be reached before it can be ready.
    pub ready_after: Vec<(usize, Point)>,
    /// What it is about when it is about the proxies of pods, and not about the object itself.
    pub proxies: Option<ProxyStep>,
}

impl Step {
    /// A step that counts, of an object that nothing else is told of.
    pub(super) fn of(addr: &Addr, action: Action, reason: String) -> Self {
        Self {
            addr: addr.clone(),
            action,
            reason,
            changes: Vec::new(),
            id: None,
            is_deposed: false,
            generation: 1,
            before: None,
            after: None,
            owner: None,
            moved_from: None,
            counts: true,
            starts_after: Vec::new(),
            any_start: false,
            ready_after: Vec::new(),
            proxies: None,
        }
    }

    /// The marks among the attributes wanted: what goes with an object that is sent.
    pub fn marks(&self) -> Attrs {
        let after = self.after.iter().flatten();
        after.filter(|(path, _)| marks::is_mark(path)).map(|(path, mark)| (path.clone(), mark.clone())).collect()
    }

    /// Whether it imports a certificate anew in the place of the one that is there.
    pub fn reimports(&self) -> bool {
        let is_of_leaf = |change: &Change| ["certificate_sha256", "chain_sha256"].contains(&change.path.as_str());
        let may = matches!(self.action, Action::Update | Action::Adopt) && self.addr.aws_kind() == Some(AwsKind::AcmCertificate);
        may && self.changes.iter().any(is_of_leaf)
    }

    /// Whether it writes a certificate and its key to where they are delivered.
    pub fn writes_material(&self) -> bool {
        let changes = |is_material: fn(&str) -> bool| match self.action {
            Action::Create | Action::Replace => true,
            Action::Adopt | Action::Update => self.changes.iter().any(|change| is_material(&change.path)),
            _ => false,
        };
        match (&self.addr, self.addr.aws_kind()) {
            (_, Some(AwsKind::SecretsManagerSecret)) => self.action == Action::Restore || changes(|path| path == "version"),
            (Addr::Kube { kind, group, .. }, _) if kind == "secret" && group.is_empty() => changes(|path| path.starts_with("data.")),
            _ => false,
        }
    }
}

/// A point that a step reaches.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Point {
    /// See [`Milestone::Created`].
    Created,
    /// See [`Milestone::Ready`].
    Ready,
    /// What the step removes is gone.
    Gone,
}

impl From<Milestone> for Point {
    fn from(milestone: Milestone) -> Self {
        match milestone {
            Milestone::Created => Self::Created,
            Milestone::Ready => Self::Ready,
        }
    }
}

/// What differs from what was last applied.
#[derive(Clone, Debug, PartialEq)]
pub struct Drift {
    /// The resource.
    pub addr: Addr,
    /// The attributes; none: it is gone.
    pub changes: Vec<Change>,
    /// Whether the whole resource is gone.
    pub is_gone: bool,
}

/// Why a plan can't be applied.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refusal {
    /// The resource; absent: the whole plan.
    pub addr: Option<Addr>,
    /// A stable code.
    pub code: &'static str,
    /// What is wrong.
    pub reason: String,
    /// What to do.
    pub help: String,
    /// Where the stack asks for it.
    pub place: Option<Place>,
}

/// What the user wants beyond the stack.
#[allow(clippy::struct_excessive_bools)]
#[derive(Clone, Debug, Default)]
pub struct Policy {
    /// Remove everything.
    pub destroy: bool,
    /// Bring the state in line with the world, and change nothing else.
    pub refresh_only: bool,
    /// Only these, and what they need.
    pub targets: BTreeSet<Addr>,
    /// All but these, and what needs them.
    pub excludes: BTreeSet<Addr>,
    /// Take these over.
    pub adopt: BTreeSet<Addr>,
    /// Renames: old addresses and the new ones.
    pub moves: Moves,
    /// Take over just these, by the server's ids.
    pub imports: BTreeMap<Addr, String>,
    /// What of these is ours stays when it goes from the stack.
    pub released: BTreeSet<Addr>,
    /// Charts are let go, and the state that told what belongs to them is lost: no object is deleted because the stack doesn't have it.
    pub keeps_objects: bool,
    /// Nothing but the targets, and of AWS resources nothing but their marks.
    pub exactly: bool,
    /// Replace these although nothing asks for it: a certificate is requested anew, an object is deleted and made again.
    pub replace: BTreeSet<Addr>,
    /// Delete definitions that are marked to be kept, where nobody else has objects of their kinds.
    pub delete_crds: bool,
    /// Only certificates and deliveries, and nothing is removed but what a new certificate replaces.
    pub rotate: bool,
    /// Compare objects here, and don't let the API server try anything.
    pub is_local: bool,
    /// The whole stack, with the parts that are left out or are to go.
    pub declared: Graph,
    /// Of a destroy: the hooks that run when their releases go.
    pub delete_hooks: Graph,
    /// Helm's records of releases that are taken over.
    pub helm_records: Vec<HelmRecord>,
    /// The order in which namespaces move to another control plane.
    pub batches: Vec<Batch>,
    /// The prices to reckon with.
    pub prices: Option<Prices>,
}

impl Policy {
    /// Whether the plan leaves parts of the stack out.
    pub fn is_partial(&self) -> bool {
        !self.targets.is_empty() || !self.excludes.is_empty() || self.rotate
    }
}

/// A plan.
#[allow(clippy::struct_excessive_bools)]
#[derive(Clone, Debug)]
pub struct Plan {
    /// The stack's name.
    pub stack: String,
    /// When it was made.
    pub at: Timestamp,
    /// Which world it is for.
    pub identity: Identity,
    /// The desired resources it was made from.
    pub graph: Graph,
    /// The steps; those that wait come after those they wait for, as far as the addresses allow.
    pub steps: Vec<Step>,
    /// What differs from what was last applied.
    pub drift: Vec<Drift>,
    /// Why it can't be applied.
    pub refusals: Vec<Refusal>,
    /// What a rotation can't carry on, and so leaves as it is: the rest goes on.
    pub left_out: Vec<Refusal>,
    /// What is worth saying.
    pub notes: Vec<String>,
    /// What the state has to learn from the world before anything else.
    pub refresh: Vec<Event>,
    /// Whether the state was empty and was found again from tags and labels.
    pub is_rebuilt: bool,
    /// Whether it removes things that only the rebuilt state speaks of.
    pub needs_rebuilt_consent: bool,
    /// Resources that stay as they are.
    pub unchanged: usize,
    /// What is charged.
    pub cost: Cost,
    /// What every certificate is now, as far as it stays.
    pub leaves: BTreeMap<Addr, LeafFacts>,
    /// Whether parts of the stack are left out.
    pub is_partial: bool,
    /// Whether it is about ownership alone: nothing is waited for.
    pub is_exact: bool,
    /// What is to be sent for the objects of manifests.
    pub forecasts: BTreeMap<Addr, Forecast>,
    /// Whose proxy the pods run that have none before they are injected, by their workloads.
    pub injected_by: BTreeMap<Addr, String>,
    /// What the state remembers once all of it is done: see [`crate::event::Event::Settled`].
    pub settles: Option<String>,
}

impl Plan {
    /// Makes the plan. Total and deterministic.
    pub fn make(desired: &Graph, observed: &Observed, prior: &State, policy: &Policy, now: Timestamp) -> Self {
        decide::plan(desired, observed, prior, policy, now)
    }

    /// Whether nothing would change.
    pub fn is_empty(&self) -> bool {
        self.steps.iter().all(|step| !step.counts)
    }

    /// How many steps of an action count.
    pub fn count(&self, action: Action) -> usize {
        self.steps.iter().filter(|step| step.counts && step.action == action).count()
    }
}
