//! Events: what happened to the world, in order. State is their fold; the journal is their list.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::addr::Addr;
use crate::resource::Attrs;
use crate::resource::certificate::CertificateFacts;

/// An event with its place in history.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Entry {
    /// Counts from 1 over the life of the state.
    pub sequence: u64,
    /// When.
    pub at: Timestamp,
    /// What.
    #[serde(flatten)]
    pub event: Event,
}

/// Where a resource came from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Origin {
    /// meshform made it, and may delete it.
    Created,
    /// It was there before: it is released, never deleted.
    Adopted,
    /// It is someone else's and stays that: it is read, and nothing else.
    Read,
}

/// One thing that happened.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "event", rename_all = "snake_case")]
pub enum Event {
    /// Whose world it is: written before anything else, and again when the state is rebuilt.
    Opened {
        /// The identity of the state.
        lineage: String,
        /// The AWS account.
        account: Option<String>,
        /// The AWS region.
        region: Option<String>,
        /// The uid of the cluster's namespace kube-system.
        cluster: Option<String>,
    },
    /// A create whose id the server chooses is about to be sent. Durable before it is.
    Started {
        /// The resource.
        addr: Addr,
        /// Its generation, from 1.
        generation: u64,
        /// The number of the attempt: grows with every new creation.
        attempt: u64,
        /// The idempotency token.
        token: String,
    },
    /// The create that was begun was refused: it took no effect.
    Abandoned {
        /// The resource.
        addr: Addr,
    },
    /// The resource exists and is ours from now on; the one before it, if any, is deposed.
    Created {
        /// The resource.
        addr: Addr,
        /// The server's id: an ARN, a record's name, an object's uid.
        id: String,
        /// Its generation.
        generation: u64,
        /// Where it came from.
        origin: Origin,
        /// The addresses that must outlive it.
        #[serde(default)]
        needs: Vec<Addr>,
    },
    /// These attributes were written, or found to be as they should.
    Applied {
        /// The resource.
        addr: Addr,
        /// All attributes as they are now wanted; secrets as fingerprints.
        attrs: Attrs,
    },
    /// What is known of a certificate.
    Learned {
        /// The certificate.
        addr: Addr,
        /// Its ARN.
        id: String,
        /// What is known.
        facts: CertificateFacts,
    },
    /// The addresses that must outlive it changed.
    Linked {
        /// The resource.
        addr: Addr,
        /// The addresses.
        needs: Vec<Addr>,
    },
    /// It reached [`crate::resource::Milestone::Ready`].
    Ready {
        /// The resource.
        addr: Addr,
    },
    /// It is gone.
    Deleted {
        /// The resource.
        addr: Addr,
        /// Which of its ids.
        id: String,
    },
    /// It stays, and is no longer ours.
    Released {
        /// The resource.
        addr: Addr,
        /// Which of its ids.
        id: String,
    },
    /// The address is forgotten without a word to the world (`state rm`).
    Forgotten {
        /// The resource.
        addr: Addr,
    },
    /// What was at an address has another one from now on.
    Moved {
        /// The address that it had.
        from: Addr,
        /// The one that it has.
        to: Addr,
    },
    /// An older id of the address that is still there was found.
    Deposed {
        /// The resource.
        addr: Addr,
        /// The older id.
        id: String,
        /// Its generation.
        generation: u64,
    },
    /// All pods of the batches that are restarted run the proxy that they are to.
    Settled {
        /// What tells those moves from others.
        digest: String,
    },
    /// A run of a command began.
    RunStarted {
        /// `apply`, `rotate`, `destroy`, …
        command: String,
        /// Who ran it, `<user>@<host>`; empty in journals of older versions.
        #[serde(default)]
        by: String,
    },
    /// The run ended.
    RunEnded {
        /// Whether all was done.
        complete: bool,
    },
}
