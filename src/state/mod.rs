//! State: what meshform remembers of its resources between runs. It is a cache: all of it can be found again from tags and labels.

pub mod format;
mod moves;

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

pub use moves::Moves;

use crate::addr::Addr;
use crate::event::{Entry, Event, Origin};
use crate::resource::Attrs;
use crate::resource::certificate::CertificateFacts;
use crate::resource::manifest::{RELEASE, SENT};

/// The state of a stack.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct State {
    /// The stack's name.
    pub stack: String,
    /// The identity of this state: random, in the tag of every resource. Empty until something is owned.
    #[serde(default)]
    pub lineage: String,
    /// The sequence number of the last event folded in.
    pub serial: u64,
    /// The AWS account.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub account: Option<String>,
    /// The AWS region.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub region: Option<String>,
    /// The uid of the cluster's namespace kube-system.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cluster: Option<String>,
    /// The resources.
    pub resources: BTreeMap<Addr, Remembered>,
    /// How often each address has been created: never forgotten, as a token must not be used twice.
    #[serde(default)]
    pub attempts: BTreeMap<Addr, u64>,
    /// The moves of pods to other control planes that are through: see [`Event::Settled`].
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub settled: Option<String>,
    /// Renames that marks may not know of yet. Of this run, and in no file.
    #[serde(skip)]
    pub moves: Moves,
}

/// What is remembered of an address.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Remembered {
    /// The instance in use.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub current: Option<Instance>,
    /// Instances that were replaced and not yet deleted.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub deposed: Vec<Instance>,
    /// A create that was begun and has not been answered.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub pending: Option<Pending>,
    /// The addresses that must outlive this one.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub needs: Vec<Addr>,
}

/// One thing behind an address.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Instance {
    /// The server's id.
    pub id: String,
    /// The generation, from 1.
    pub generation: u64,
    /// Where it came from.
    pub origin: Origin,
    /// The attributes as last applied.
    #[serde(default)]
    pub attrs: Attrs,
    /// What is known of a certificate.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub certificate: Option<CertificateFacts>,
    /// Whether it was ready once.
    #[serde(default)]
    pub ready: bool,
    /// When it became ours.
    pub since: Timestamp,
}

/// A create that was begun.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Pending {
    /// The generation.
    pub generation: u64,
    /// The attempt.
    pub attempt: u64,
    /// The idempotency token that was sent.
    pub token: String,
}

impl State {
    /// The state of a stack that owns nothing yet.
    pub fn empty(stack: &str) -> Self {
        Self { stack: stack.to_owned(), ..Self::default() }
    }

    /// Whether nothing is owned.
    pub fn is_empty(&self) -> bool {
        self.resources.values().all(|r| r.current.is_none() && r.deposed.is_empty() && r.pending.is_none())
    }

    /// The sections of the releases of charts that have objects in it.
    pub fn releases(&self) -> impl Iterator<Item = &str> {
        self.resources.values().filter_map(|known| known.current.as_ref()?.attrs.get(RELEASE)?.as_text())
    }

    /// The instance in use at an address.
    pub fn current(&self, addr: &Addr) -> Option<&Instance> {
        self.resources.get(addr)?.current.as_ref()
    }

    /// The instance in use at an address, when it is ours and not only read.
    pub fn owned(&self, addr: &Addr) -> Option<&Instance> {
        self.current(addr).filter(|current| current.origin != Origin::Read)
    }

    /// What is known of the certificate at an address.
    pub fn certificate(&self, addr: &Addr) -> Option<&CertificateFacts> {
        self.current(addr)?.certificate.as_ref()
    }

    /// Takes an event in. Total: an event about an unknown address makes it known or is without effect.
    pub fn fold(&mut self, entry: &Entry) {
        self.serial = entry.sequence;
        match &entry.event {
            Event::Opened { lineage, account, region, cluster } => {
                self.lineage.clone_from(lineage);
                self.account.clone_from(account);
                self.region.clone_from(region);
                self.cluster.clone_from(cluster);
            }
            Event::Started { addr, generation, attempt, token } => {
                self.attempts.insert(addr.clone(), *attempt);
                let pending = Pending { generation: *generation, attempt: *attempt, token: token.clone() };
                self.resources.entry(addr.clone()).or_default().pending = Some(pending);
            }
            Event::Abandoned { addr } => {
                if let Some(known) = self.resources.get_mut(addr) {
                    known.pending = None;
                    self.drop_if_empty(addr);
                }
            }
            Event::Created { addr, id, generation, origin, needs } => {
                let known = self.resources.entry(addr.clone()).or_default();
                known.pending = None;
                known.needs.clone_from(needs);
                match &mut known.current {
                    Some(current) if current.id == *id => {
                        current.generation = *generation;
                        current.origin = *origin;
                    }
                    current => {
                        let instance = Instance {
                            id: id.clone(),
                            generation: *generation,
                            origin: *origin,
                            attrs: Attrs::new(),
                            certificate: None,
                            ready: false,
                            since: entry.at,
                        };
                        // What was only read is not left behind: it is let go of.
                        known.deposed.extend(current.replace(instance).filter(|before| before.origin != Origin::Read));
                        known.deposed.retain(|old| old.id != *id);
                    }
                }
            }
            Event::Applied { addr, attrs } => {
                if let Some(current) = self.current_mut(addr) {
                    // Another object than before has to become ready anew.
                    if attrs.contains_key(SENT) && attrs.get(SENT) != current.attrs.get(SENT) {
                        current.ready = false;
                    }
                    current.attrs.clone_from(attrs);
                }
            }
            Event::Learned { addr, id, facts } => {
                if let Some(current) = self.current_mut(addr)
                    && current.id == *id
                {
                    current.certificate = Some(facts.clone());
                }
            }
            Event::Linked { addr, needs } => {
                if let Some(known) = self.resources.get_mut(addr) {
                    known.needs.clone_from(needs);
                }
            }
            Event::Ready { addr } => {
                if let Some(current) = self.current_mut(addr) {
                    current.ready = true;
                }
            }
            Event::Deleted { addr, id } | Event::Released { addr, id } => {
                if let Some(known) = self.resources.get_mut(addr) {
                    known.current.take_if(|current| current.id == *id);
                    known.deposed.retain(|old| old.id != *id);
                    self.drop_if_empty(addr);
                }
            }
            Event::Forgotten { addr } => {
                self.resources.remove(addr);
            }
            Event::Moved { from, to } => self.rename(from, to),
            Event::Deposed { addr, id, generation } => {
                let known = self.resources.entry(addr.clone()).or_default();
                let is_known = known.current.iter().chain(&known.deposed).any(|i| i.id == *id);
                if !is_known {
                    known.deposed.push(Instance {
                        id: id.clone(),
                        generation: *generation,
                        origin: Origin::Created,
                        attrs: Attrs::new(),
                        certificate: None,
                        ready: true,
                        since: entry.at,
                    });
                }
            }
            Event::Settled { digest } => self.settled = Some(digest.clone()),
            Event::RunStarted { .. } | Event::RunEnded { .. } => {}
        }
    }

    fn current_mut(&mut self, addr: &Addr) -> Option<&mut Instance> {
        self.resources.get_mut(addr)?.current.as_mut()
    }

    fn drop_if_empty(&mut self, addr: &Addr) {
        if let Some(known) = self.resources.get(addr)
            && known.current.is_none()
            && known.deposed.is_empty()
            && known.pending.is_none()
        {
            self.resources.remove(addr);
        }
    }
}
