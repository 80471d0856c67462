//! Saved plans: decisions that one person makes and another approves.
//!
//! A saved plan holds what was decided and never what is desired: whoever applies it makes the plan again from the same files and the world
//! as it is then, and carries out those steps that were decided, as they were decided. A step that would now be another one is a
//! [`Difference`], and then nothing is carried out.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::{Action, Change, Plan, Policy, Step};
use crate::addr::Addr;
use crate::graph::Graph;
use crate::resource::Attr;
use crate::secret::sha256_hex;

/// The version of the format.
pub const FORMAT: u32 = 1;

/// A plan in a file.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct SavedPlan {
    /// What tells it from other files: [`FORMAT`].
    pub meshform_plan: u32,
    /// The version of the program that made it: another one may decide otherwise.
    pub made_by: String,
    /// When it was made.
    pub at: Timestamp,
    /// What it was made from.
    pub source: Source,
    /// What was asked for.
    pub request: Request,
    /// The decisions.
    pub decisions: Decisions,
    /// What the decisions are told by: see [`Decisions::digest`].
    pub digest: String,
    /// The plan as it was shown.
    pub text: String,
    /// The plan as `plan --json` gives it.
    pub json: Value,
}

/// What a plan was made from.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Source {
    /// The stack as it was named.
    pub stack: String,
    /// The variables of the command line; a secret can't be among them.
    pub vars: Vec<String>,
    /// The files of variables.
    pub var_files: Vec<String>,
    /// What all resources that the stack asks for are told by: see [`Graph::digest`].
    pub graph: String,
}

/// What was asked for beyond the stack.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Request {
    destroy: bool,
    refresh_only: bool,
    targets: BTreeSet<Addr>,
    excludes: BTreeSet<Addr>,
    adopt: BTreeSet<Addr>,
    replace: BTreeSet<Addr>,
    #[serde(default)]
    imports: BTreeMap<Addr, String>,
}

impl Request {
    /// What a policy asks for.
    pub fn of(policy: &Policy) -> Self {
        let Policy { destroy, refresh_only, targets, excludes, adopt, replace, imports, .. } = policy.clone();
        Self { destroy, refresh_only, targets, excludes, adopt, replace, imports }
    }

    /// Whether everything is to go.
    pub fn is_destroy(&self) -> bool {
        self.destroy
    }

    /// The policy that asks for it.
    pub fn policy(&self, base: Policy) -> Policy {
        let Self { destroy, refresh_only, targets, excludes, adopt, replace, imports } = self.clone();
        Policy { destroy, refresh_only, targets, excludes, adopt, imports, replace, ..base }
    }
}

/// What was decided, for whom.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Decisions {
    stack: String,
    account: Option<String>,
    region: Option<String>,
    cluster: Option<String>,
    steps: Vec<Decision>,
}

/// One step as it was decided: its preconditions are the id of what it acts on, and the attributes that it changes.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
struct Decision {
    addr: Addr,
    action: String,
    id: Option<String>,
    deposed: bool,
    counts: bool,
    changes: Vec<DecidedChange>,
}

/// An attribute's change, by values that may be shown.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
struct DecidedChange {
    path: String,
    before: Option<String>,
    after: Option<String>,
}

impl Decision {
    fn of(step: &Step) -> Self {
        let shown = |attr: &Option<Attr>| {
            attr.as_ref().map(|attr| match attr {
                Attr::Value(value) => value.to_string(),
                Attr::Secret(fingerprint) => format!("(secret, {fingerprint})"),
                Attr::Unknown(addr) => format!("(known once {addr} is ready)"),
            })
        };
        let change =
            |Change { path, before, after, .. }: &Change| DecidedChange { path: path.clone(), before: shown(before), after: shown(after) };
        Self {
            addr: step.addr.clone(),
            action: step.action.as_str().to_owned(),
            id: step.id.clone(),
            deposed: step.is_deposed,
            counts: step.counts,
            changes: step.changes.iter().map(change).collect(),
        }
    }

    /// Whether both are about the same thing.
    fn is_about(&self, other: &Self) -> bool {
        self.addr == other.addr && self.deposed == other.deposed && (!self.deposed || self.id == other.id)
    }

    /// The same, whether or not it counts: a removal that waited may have become possible.
    fn same(&self, other: &Self) -> bool {
        let Self { addr, action, id, deposed, counts: _, changes } = self;
        (addr, action, id, deposed, changes) == (&other.addr, &other.action, &other.id, &other.deposed, &other.changes)
    }
}

impl fmt::Display for Decision {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.action)?;
        if let Some(id) = self.id.as_ref().filter(|_| self.action != Action::Create.as_str()) {
            write!(f, " {id}")?;
        }
        for (index, change) in self.changes.iter().enumerate() {
            let text = |value: &Option<String>| value.clone().unwrap_or_else(|| "(absent)".to_owned());
            let joint = if index == 0 { ":" } else { "," };
            write!(f, "{joint} {} {} -> {}", change.path, text(&change.before), text(&change.after))?;
        }
        Ok(())
    }
}

impl Decisions {
    /// The decisions of a plan.
    pub fn of(plan: &Plan) -> Self {
        let identity = &plan.identity;
        Self {
            stack: plan.stack.clone(),
            account: identity.account.clone(),
            region: identity.region.clone(),
            cluster: identity.cluster.clone(),
            steps: plan.steps.iter().map(Decision::of).collect(),
        }
    }

    /// What the decisions are told by: equal plans of equal worlds have equal digests, whenever and by whom they are made.
    pub fn digest(&self) -> String {
        let mut steps: Vec<&Decision> = self.steps.iter().filter(|step| step.counts).collect();
        steps.sort();
        let all = serde_json::to_string(&(&self.stack, &self.account, &self.region, &self.cluster, steps)).unwrap_or_default();
        format!("sha256:{}", sha256_hex(all.as_bytes()))
    }
}

/// Why a saved plan doesn't hold any more.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Difference {
    /// The resource; absent: the whole plan.
    pub addr: Option<Addr>,
    /// What was decided.
    pub then: String,
    /// What would be decided now.
    pub now: String,
}

impl SavedPlan {
    /// Saves a plan.
    pub fn new(plan: &Plan, policy: &Policy, source: Source, text: String, json: Value) -> Self {
        let decisions = Decisions::of(plan);
        let digest = decisions.digest();
        let (meshform_plan, made_by) = (FORMAT, env!("CARGO_PKG_VERSION").to_owned());
        Self { meshform_plan, made_by, at: plan.at, source, request: Request::of(policy), decisions, digest, text, json }
    }

    /// Whether it is as it was written.
    pub fn is_whole(&self) -> bool {
        self.digest == self.decisions.digest()
    }

    /// Holds the decisions against what would be decided now, and gives the plan of just those steps. What else would be done now was not
    /// decided, and is left alone.
    pub fn hold(&self, desired: &Graph, mut now: Plan) -> Result<Plan, Vec<Difference>> {
        let mut differences = self.other_world(&now);
        if desired.digest() != self.source.graph {
            differences.push(Difference {
                addr: None,
                then: "the stack as it was".into(),
                now: "the stack, a file that it extends, or a variable has changed since".into(),
            });
        }
        if !differences.is_empty() {
            return Err(differences);
        }
        let current: Vec<Decision> = now.steps.iter().map(Decision::of).collect();
        for decided in self.decisions.steps.iter().filter(|step| step.counts) {
            if current.iter().any(|step| step.same(decided)) {
                continue;
            }
            let instead = current.iter().find(|step| step.is_about(decided)).map_or("nothing".to_owned(), ToString::to_string);
            differences.push(Difference { addr: Some(decided.addr.clone()), then: decided.to_string(), now: instead });
        }
        for refusal in &now.refusals {
            let then = "allowed".to_owned();
            differences.push(Difference {
                addr: refusal.addr.clone(),
                then,
                now: format!("refused ({}): {}", refusal.code, refusal.reason),
            });
        }
        let is_kept: Vec<bool> = current.iter().map(|step| self.decisions.steps.iter().any(|decided| decided.same(step))).collect();
        // What a decided step waits for must have been decided too.
        for (step, _) in now.steps.iter().zip(&is_kept).filter(|(_, kept)| **kept) {
            let waits = step.starts_after.iter().chain(&step.ready_after).map(|(index, _)| *index);
            for missing in waits.filter(|index| !is_kept[*index] && now.steps[*index].counts) {
                let addr = Some(current[missing].addr.clone());
                let difference = Difference { addr, then: "nothing".into(), now: format!("{}, before {}", current[missing], step.addr) };
                if !differences.contains(&difference) {
                    differences.push(difference);
                }
            }
        }
        if !differences.is_empty() {
            return Err(differences);
        }
        if now.steps.iter().zip(&is_kept).any(|(step, kept)| step.counts && !kept) {
            // What isn't done isn't through.
            now.settles = None;
        }
        keep(&mut now, &is_kept);
        Ok(now)
    }

    fn other_world(&self, now: &Plan) -> Vec<Difference> {
        let decided = &self.decisions;
        let pairs = [
            ("AWS account", &decided.account, &now.identity.account),
            ("region", &decided.region, &now.identity.region),
            ("cluster", &decided.cluster, &now.identity.cluster),
        ];
        let text = |what: &str, value: &Option<String>| format!("{what} {}", value.as_deref().unwrap_or("(none)"));
        let differing = pairs.into_iter().filter(|(_, then, now)| then != now);
        differing.map(|(what, then, now)| Difference { addr: None, then: text(what, then), now: text(what, now) }).collect()
    }
}

/// Leaves out all steps but these; what a step waits for is told by its place among those that are left.
fn keep(plan: &mut Plan, is_kept: &[bool]) {
    let mut places = BTreeMap::new();
    for (index, _) in is_kept.iter().enumerate().filter(|(_, kept)| **kept) {
        places.insert(index, places.len());
    }
    let mut index = 0;
    plan.steps.retain(|_| {
        index += 1;
        is_kept[index - 1]
    });
    for step in &mut plan.steps {
        for points in [&mut step.starts_after, &mut step.ready_after] {
            points.retain_mut(|(index, _)| {
                places.get(index).is_some_and(|place| {
                    *index = *place;
                    true
                })
            });
        }
    }
}
