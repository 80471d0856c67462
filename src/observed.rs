//! What is there: facts about the live world, as one observation found them.

mod proxies;

use std::collections::{BTreeMap, BTreeSet};

pub use proxies::{Proxies, Proxy};

use crate::addr::{Addr, AwsKind};
use crate::event::Origin;
use crate::material::Held;
use serde_json::Value;

use crate::fields::Difference;
use crate::resource::Attrs;
use crate::resource::certificate::CertificateFacts;
use crate::resource::manifest::Data;
use crate::stack::Role;

#[allow(clippy::struct_excessive_bools)]
/// Which kinds an observation looked at: of the others it says nothing, not even that they are gone.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Coverage {
    /// Certificates and secrets.
    pub aws: bool,
    /// Records of Route 53.
    pub records: bool,
    /// Kubernetes Secrets.
    pub secrets: bool,
    /// All other objects.
    pub objects: bool,
}

impl Coverage {
    /// Whether the resource at this address was looked at.
    pub fn has(self, addr: &Addr) -> bool {
        match addr {
            Addr::Aws { kind: AwsKind::AcmValidationRecord | AwsKind::Route53Record, .. } => self.records,
            Addr::Aws { .. } => self.aws,
            Addr::Kube { kind, group, .. } if kind == "secret" && group.is_empty() => self.secrets,
            Addr::Kube { .. } => self.objects,
        }
    }
}

/// One observation of the world.
#[derive(Clone, Debug, Default)]
pub struct Observed {
    /// What was looked at.
    pub coverage: Coverage,
    /// Which world it is.
    pub identity: Identity,
    /// What is found at the addresses of stack and state.
    pub resources: BTreeMap<Addr, Found>,
    /// The secrets that have the name already that one of ours is to get.
    pub at_new_name: BTreeMap<Addr, Found>,
    /// The records of ours in zones that the stack no longer names for them.
    pub in_former_zone: BTreeMap<Addr, Found>,
    /// Older generations that are still there, by address.
    pub deposed: BTreeMap<Addr, Vec<Deposed>>,
    /// The zone of each record.
    pub zones: BTreeMap<Addr, ZoneChoice>,
    /// The names of load balancers, by their Ingresses.
    pub hostnames: BTreeMap<Addr, String>,
    /// Namespaces that deliveries name and the stack doesn't declare: whether each exists.
    pub other_namespaces: BTreeMap<String, bool>,
    /// What becomes of the objects of manifests when they are applied.
    pub forecasts: BTreeMap<Addr, Forecast>,
    /// What the secrets of other make hold that are taken over, as far as they were read.
    pub held: BTreeMap<Addr, HeldValue>,
    /// Kinds that were to be searched for what a lost state knew, and may not be listed.
    pub unseen_kinds: Vec<String>,
    /// What keeps a namespace or a CustomResourceDefinition that would go: things in it that aren't ours, or why that can't be told.
    pub content: BTreeMap<Addr, Vec<String>>,
    /// The lineages found in the tags and labels of this stack's resources.
    pub lineages: Vec<String>,
    /// Requests that were sent for it, by API.
    pub requests: BTreeMap<String, u64>,
    /// Regions that were to be searched for what a lost state knew, and may not be looked at.
    pub unseen_regions: Vec<String>,
    /// Which pods run which proxy, where that matters.
    pub proxies: Option<Proxies>,
    /// How many pods workloads have.
    pub pods: BTreeMap<Addr, u64>,
    /// The version of the cluster's Kubernetes, where a control plane of Istio is made or changed.
    pub kubernetes: Option<String>,
    /// Of the validation records that would go: why each has to stay, if it has.
    pub record_needs: BTreeMap<Addr, RecordNeed>,
}

/// A secret's value that was there before meshform, by public hashes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HeldValue {
    /// The version that it is.
    pub version: String,
    /// What it holds, or why that can't be what meshform would write.
    pub content: Result<Held, String>,
}

/// Which world it is.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Identity {
    /// The AWS account.
    pub account: Option<String>,
    /// The AWS region.
    pub region: Option<String>,
    /// The uid of the cluster's namespace kube-system.
    pub cluster: Option<String>,
}

/// What is found at an address.
#[derive(Clone, Debug)]
pub struct Found {
    /// The server's id.
    pub id: String,
    /// Whose it is.
    pub owner: Owner,
    /// Its generation, by its tag.
    pub generation: u64,
    /// Where it came from, by its tag or annotation; absent where the server keeps no such mark.
    pub origin: Option<Origin>,
    /// How it is.
    pub condition: Condition,
    /// What is worth saying of it although it is as it should be, such as a renewal that does not come.
    pub warning: Option<String>,
    /// The live attributes.
    pub attrs: Attrs,
    /// The attributes that our field manager owns, where the server keeps such a record.
    pub ours: BTreeSet<String>,
    /// The manager of each attribute that another manager owns.
    pub managers: BTreeMap<String, String>,
    /// What is known of a certificate.
    pub certificate: Option<CertificateFacts>,
}

/// What becomes of an object when it is applied.
#[derive(Clone, Debug)]
pub struct Forecast {
    /// What would be sent: [`crate::resource::manifest::ManifestSpec::sent_hash`].
    pub sent: String,
    /// The hash of what our manager owns of the live object; absent without one.
    pub live: Option<String>,
    /// What our manager owns of the live object (`fieldsV1`).
    pub fields: Option<Value>,
    /// What to send in place of what the stack says, where others have a say in it.
    pub body: Option<Value>,
    /// A Secret's values to send in place of those that the stack says, where those that are there stay.
    pub data: Option<Data>,
    /// What is missing until the live object does what it is for.
    pub waits: Option<String>,
    /// What comes of it.
    pub outcome: Outcome,
}

/// What comes of an apply.
#[derive(Clone, Debug)]
pub enum Outcome {
    /// Nothing: the stack wants what was applied last, and nobody has touched it.
    Untouched,
    /// The server was asked: an object like this.
    Tried {
        /// Its attributes.
        attrs: Attrs,
        /// What differs from the live object.
        differences: Vec<Difference>,
    },
    /// The server can't be asked. What differs is a guess.
    Untried {
        /// Why not.
        why: String,
        /// What differs, as far as it can be told here.
        differences: Vec<Difference>,
    },
    /// The server refuses to change the object in place, and would take a new one.
    Immutable {
        /// What it says.
        says: String,
        /// What differs, as far as it can be told here.
        differences: Vec<Difference>,
    },
    /// The server refuses the object.
    Refused {
        /// What it says.
        says: String,
    },
    /// The cluster doesn't serve the kind.
    Unserved,
    /// The kind's objects are in namespaces, and this one names none; or the other way round.
    OtherScope {
        /// Whether they are in namespaces.
        namespaced: bool,
    },
}

/// Whose a thing is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Owner {
    /// This stack's.
    Us {
        /// The lineage in its mark; absent where the server keeps no mark.
        lineage: Option<String>,
    },
    /// Someone else's; who, as far as can be told.
    Other(String),
}

/// How a thing is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Condition {
    /// As it should be.
    Good,
    /// On its way: what it waits for.
    Waiting(String),
    /// Of no more use: the reason and the advice.
    Dead(String),
    /// A secret's name that is scheduled for deletion.
    Tombstone,
    /// An object that is being deleted.
    Terminating(String),
}

/// An older generation.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Deposed {
    /// The server's id.
    pub id: String,
    /// Its generation.
    pub generation: u64,
    /// Who still uses it.
    pub in_use_by: Vec<String>,
    /// Where it came from, by its tag.
    pub origin: Option<Origin>,
}

/// A hosted zone that was found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FoundZone {
    /// Its id, without `/hostedzone/`.
    pub id: String,
    /// Its name, without trailing dot.
    pub name: String,
    /// The role to assume for it.
    pub role: Option<Role>,
}

/// The outcome of looking for a record's zone.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ZoneChoice {
    /// It is this one.
    Found(FoundZone),
    /// There is none, or it can't be used: why, and what to do.
    Unusable {
        /// What is wrong.
        reason: String,
        /// What to do.
        help: String,
    },
}

/// Whether a validation record may go.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum RecordNeed {
    /// No certificate needs it.
    Free,
    /// These certificates need it, by ARN.
    NeededBy(Vec<String>),
    /// It can't be told: why.
    Unknown(String),
}
