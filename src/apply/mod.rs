//! Apply: carries a plan out, and decides nothing. The only code that changes the world.
//!
//! One task owns the state; steps run as futures of a bounded set and hand their events back, so that the order of events is the order of
//! truth. Waits hold no slot: one poller per API, account and region serves all who wait (`wait`). Record changes wait a second for
//! company and go in one batch per zone (`records`). Exported material lives here only, from the export to the last delivery (`deliver`).

mod aliases;
mod certificates;
mod deliver;
mod engine;
mod evidence;
mod manifests;
mod objects;
mod proxies;
mod records;
mod secrets;
mod wait;

use std::collections::BTreeMap;
use std::rc::Rc;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use tokio::sync::Notify;

pub use engine::apply;

use crate::addr::Addr;
use crate::material::{Imported, MaterialError};
use crate::plan::{Action, Plan};
use crate::provider::error::{Class, ProviderError};
use crate::resource::certificate::ValidationRecord;
use crate::stack::Timeouts;
use crate::store::StoreError;

/// A plan that may be applied: it has no refusal, and the user agreed.
pub struct Approved(Plan);

impl Approved {
    /// Takes the plan, unless something speaks against it. Consent was asked for by the caller.
    pub fn new(plan: Plan) -> Result<Self, Plan> {
        if plan.refusals.is_empty() { Ok(Self(plan)) } else { Err(plan) }
    }

    /// The plan.
    pub fn plan(&self) -> &Plan {
        &self.0
    }
}

/// How a plan is applied.
#[derive(Clone, Debug)]
pub struct Options {
    /// How many requests run at once.
    pub parallelism: usize,
    /// Whether to leave off where a wait begins.
    pub no_wait: bool,
    /// Whether an exported chain must verify; off only for emulators.
    pub verify_chain: bool,
    /// The limits of the waits.
    pub limits: Limits,
    /// What certificates are imported from.
    pub imported: Imported,
}

/// How long each wait may last.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    /// Until ACM has made the validation records.
    pub records: Duration,
    /// Until a change of Route 53 is in sync.
    pub in_sync: Duration,
    /// Until nobody uses a certificate that is to go.
    pub in_use: Duration,
    /// Until an object that is being deleted is gone.
    pub gone: Duration,
    /// Until an object does what it is for.
    pub ready: Duration,
}

impl From<Timeouts> for Limits {
    fn from(timeouts: Timeouts) -> Self {
        let Timeouts { records, in_sync, in_use, gone, ready } = timeouts;
        let limit = Duration::from_secs;
        Self { records: limit(records), in_sync: limit(in_sync), in_use: limit(in_use), gone: limit(gone), ready: limit(ready) }
    }
}

/// The wish to stop: running requests finish, waits end, nothing new begins.
#[derive(Clone, Default)]
pub struct Stop {
    wished: Arc<AtomicBool>,
    notify: Arc<Notify>,
}

impl Stop {
    /// Wishes it.
    pub fn wish(&self) {
        self.wished.store(true, Ordering::SeqCst);
        self.notify.notify_waiters();
    }

    /// Whether it was wished.
    pub fn is_wished(&self) -> bool {
        self.wished.load(Ordering::SeqCst)
    }

    async fn wait(&self) {
        let notified = self.notify.notified();
        if !self.is_wished() {
            notified.await;
        }
    }
}

/// Why a step failed.
#[derive(Clone, Debug, thiserror::Error)]
pub enum StepError {
    /// A request failed.
    #[error("{0}")]
    Provider(#[from] ProviderError),
    /// Exported material is not what it should be: nothing was delivered.
    #[error("what ACM exported for {certificate} is refused: {reason}")]
    Material {
        /// The certificate.
        certificate: Addr,
        /// Why.
        reason: Rc<MaterialError>,
    },
    /// A wait took too long.
    #[error("gave up after {} of waiting for {what}", spoken(*.after))]
    Timeout {
        /// What was waited for.
        what: String,
        /// How long.
        after: Duration,
    },
    /// An object doesn't do what it is for.
    #[error("it is not ready{}: {says}{}", .after.map_or(String::new(), |after| format!(" after {}", spoken(after))), told(.evidence))]
    NotReady {
        /// What is missing.
        says: String,
        /// How long it was waited for; absent: it won't come to it by itself.
        after: Option<Duration>,
        /// What the cluster tells of it: events, pods, the ends of logs.
        evidence: Vec<String>,
    },
    /// The certificate can't be issued.
    #[error("ACM did not issue the certificate: {0}")]
    NotIssued(String),
    /// The world changed since the plan was made.
    #[error("{0}")]
    Changed(String),
}

/// Lines of evidence, each on a line of its own.
fn told(evidence: &[String]) -> String {
    evidence.iter().flat_map(|line| ["\n    ", line]).collect()
}

/// A limit as people say it.
fn spoken(limit: Duration) -> String {
    match limit.as_secs() {
        seconds if seconds % 60 == 0 => format!("{} min", seconds / 60),
        seconds => format!("{seconds} s"),
    }
}

impl StepError {
    /// Whether the request certainly took no effect.
    fn is_refusal(&self) -> bool {
        match self {
            Self::Provider(error) => matches!(error.class, Class::Denied(_) | Class::Quota | Class::Invalid),
            Self::Changed(_) => true,
            Self::Material { .. } | Self::Timeout { .. } | Self::NotIssued(_) | Self::NotReady { .. } => false,
        }
    }

    /// What to do about it.
    pub fn help(&self) -> Option<String> {
        match self {
            Self::Provider(error) => error.help(),
            Self::Timeout { .. } => {
                Some("nothing is lost: the same command goes on waiting; the time-outs are in docs/operations.md".into())
            }
            Self::NotIssued(_) => {
                Some("when the cause is mended, the same command requests a new certificate and removes the failed one".into())
            }
            Self::NotReady { .. } => {
                Some("mend what keeps it, and run the same command again; `timeouts: {ready: …}` sets how long it may take".into())
            }
            Self::Changed(_) => Some("run plan again and look at it".into()),
            Self::Material { .. } => None,
        }
    }
}

/// What happens while a plan is applied, for those who look on.
#[derive(Clone, Debug)]
pub enum Progress {
    /// A step began.
    Started {
        /// The resource.
        addr: Addr,
        /// What happens to it.
        action: Action,
    },
    /// A step waits.
    Waiting {
        /// The resource.
        addr: Addr,
        /// For what, and what would end it.
        what: String,
        /// After how long it gives up.
        limit: Duration,
    },
    /// A step is done.
    Done {
        /// The resource.
        addr: Addr,
        /// What happened to it.
        action: Action,
    },
    /// A step failed.
    Failed {
        /// The resource.
        addr: Addr,
        /// Why, and what to do.
        error: StepError,
    },
    /// A step was not begun.
    Skipped {
        /// The resource.
        addr: Addr,
        /// Because of whom.
        because: Addr,
    },
    /// Records that someone else has to write.
    ManualRecords {
        /// The certificate.
        addr: Addr,
        /// The records.
        records: Vec<ValidationRecord>,
    },
    /// Something worth saying.
    Note(String),
}

/// The outcome.
#[derive(Debug, Default)]
pub struct Applied {
    /// What was done, by action.
    pub done: BTreeMap<Action, Vec<Addr>>,
    /// What failed.
    pub failed: Vec<(Addr, StepError)>,
    /// What was not begun, and because of whom.
    pub skipped: Vec<(Addr, Addr)>,
    /// What is still waited for, when told not to wait or to stop.
    pub waiting: Vec<(Addr, String)>,
    /// What had not begun when the run was stopped.
    pub not_begun: Vec<Addr>,
    /// Whether it was stopped.
    pub is_stopped: bool,
    /// The state could not be kept: everything stopped there.
    pub store_error: Option<StoreError>,
}

impl Applied {
    /// Whether everything was done.
    pub fn is_complete(&self) -> bool {
        self.failed.is_empty()
            && self.skipped.is_empty()
            && self.waiting.is_empty()
            && self.not_begun.is_empty()
            && self.store_error.is_none()
    }

    /// Whether anything was done.
    pub fn has_done(&self) -> bool {
        !self.done.is_empty()
    }
}
