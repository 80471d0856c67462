//! An AWS and a Kubernetes inside the process, with a clock that can be moved.
//!
//! The sandbox stands below the SDKs' HTTP seam: the real clients are given [`Sandbox::http_client`] and speak the real protocols to a
//! world that is kept in a folder. Nothing in it needs a network. A request passes the gate (where it is counted and may meet a fault),
//! takes the world's lock, lets everything happen that is due by the world's clock, is served by its service, and is answered when what it
//! changed is durable. Several processes can share one world.

mod aws;
pub mod charts;
mod due;
mod error;
mod faults;
mod gate;
mod journal;
mod kube;
mod settings;
mod status;
mod world;

use std::fs::{self, DirBuilder, OpenOptions};
use std::io::{self, Write};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt, PermissionsExt};
use std::path::Path;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use aws_smithy_runtime_api::client::http::SharedHttpClient;
use jiff::{SignedDuration, Timestamp};

pub use due::{Due, after, delay, schedule};
pub use error::SandboxError;
pub use faults::{Effect, Fault, FaultError, FaultStatus};
pub use gate::{CrashPoint, Requests};
pub use settings::{CaStatus, Settings};
pub use status::Status;
pub use world::{Genesis, Tx, World};

use crate::clock::Clock;
use gate::Gate;

/// The account that the sandbox's own credentials belong to.
pub const ACCOUNT: &str = "000000000000";

const README: &str = "This folder is a meshform sandbox: an imitation of AWS and Kubernetes for trying things out.
It holds the private keys of its imitated certificates and the values of its imitated secrets in the clear.
Never put a real secret into it. It can be removed at any time.
";

/// An open sandbox. Clones are the same sandbox.
#[derive(Clone, Debug)]
pub struct Sandbox {
    shared: Arc<Shared>,
}

#[derive(Debug)]
struct Shared {
    world: World,
    clock: Clock,
    gate: Mutex<Gate>,
}

impl Sandbox {
    /// Opens the sandbox in a folder, and makes one when there is none. A new world's clock starts at the present
    /// time; another goes on from where it was left, however long that is ago.
    pub fn open(dir: &Path) -> Result<Self, SandboxError> {
        let mut seed = [0; 16];
        getrandom::fill(&mut seed).map_err(|error| SandboxError::Random(error.to_string()))?;
        let start = Timestamp::now();
        let start = Timestamp::from_second(start.as_second()).unwrap_or(start);
        Self::open_with(dir, Genesis { start, seed: u128::from_be_bytes(seed).to_string() })
    }

    /// As [`Sandbox::open`], with the time and the seed of ids for a world that is new.
    pub fn open_with(dir: &Path, genesis: Genesis) -> Result<Self, SandboxError> {
        prepare(dir)?;
        let world = World::open(dir, genesis)?;
        let clock = Clock::simulated(world.time());
        world.follow(clock.clone());
        let sandbox = Self { shared: Arc::new(Shared { world, clock, gate: Mutex::default() }) };
        sandbox.populate()?;
        Ok(sandbox)
    }

    /// The HTTP client for every `aws-sdk-*` configuration. It answers from the world and never touches a network.
    pub fn http_client(&self) -> SharedHttpClient {
        aws::http_client(self)
    }

    /// The clock of the run. It never is behind the world's.
    pub fn clock(&self) -> Clock {
        self.shared.clock.clone()
    }

    /// The world itself. [`Sandbox::transaction`] also lets happen what is due.
    pub fn world(&self) -> &World {
        &self.shared.world
    }

    /// Works on the world when everything that is due has happened. Not a request: no fault and no crash strikes here.
    pub fn transaction<T>(&self, work: impl FnOnce(&mut Tx<'_>) -> Result<T, SandboxError>) -> Result<T, SandboxError> {
        self.shared.world.transaction(|tx| {
            let now = tx.now();
            due::settle(tx, now, happen)?;
            work(tx)
        })
    }

    /// What there is in the world.
    pub fn status(&self) -> Result<Status, SandboxError> {
        self.transaction(|tx| status::of(tx))
    }

    /// Moves the clock on and lets happen everything that is due on the way, each at its time.
    pub fn advance(&self, by: SignedDuration) -> Result<(), SandboxError> {
        self.shared.world.transaction(|tx| {
            let until = after(tx.now(), by.max(SignedDuration::ZERO));
            due::settle(tx, Timestamp::from_microsecond(until.as_microsecond()).unwrap_or(until), happen)
        })
    }

    /// Forgets the world and begins a new one, at the present time of the run's clock.
    pub fn reset(&self) -> Result<(), SandboxError> {
        self.shared.world.reset()?;
        self.populate()
    }

    /// The world's settings.
    pub fn settings(&self) -> Result<Settings, SandboxError> {
        self.transaction(|tx| settings::read(tx))
    }

    /// Changes the world's settings.
    pub fn set_settings(&self, settings: &Settings) -> Result<(), SandboxError> {
        self.transaction(|tx| tx.write("meta/settings", settings))
    }

    /// The fault rules, in the order in which they were added.
    pub fn faults(&self) -> Result<Vec<FaultStatus>, SandboxError> {
        self.transaction(|tx| faults::list(tx))
    }

    /// Adds a fault rule.
    pub fn add_fault(&self, fault: &Fault) -> Result<(), SandboxError> {
        self.transaction(|tx| faults::add(tx, fault))
    }

    /// Removes all fault rules.
    pub fn clear_faults(&self) -> Result<(), SandboxError> {
        self.transaction(|tx| {
            faults::clear(tx);
            Ok(())
        })
    }

    /// The root certificates that the sandbox's certificates lead to, as PEM.
    pub fn root_certificates_pem(&self) -> Result<String, SandboxError> {
        self.transaction(|tx| aws::authority::root_pem(tx))
    }

    /// Says which resources use a certificate, as a load balancer would when it is attached.
    pub fn set_in_use(&self, arn: &str, by: &[&str]) -> Result<(), SandboxError> {
        self.transaction(|tx| aws::acm::set_in_use(tx, arn, by))
    }

    /// Sets the state of a private CA; each one of the sandbox's own account is there, and active, until something else is said.
    pub fn set_private_ca(&self, arn: &str, status: CaStatus) -> Result<(), SandboxError> {
        self.transaction(|tx| aws::acm::set_private_ca(tx, arn, status))
    }

    /// The passphrases of all exports since [`Settings::remember_passphrases`] was set.
    pub fn passphrases(&self) -> Result<Vec<String>, SandboxError> {
        self.transaction(|tx| aws::acm::passphrases(tx))
    }

    /// Gives a new world what the demo stack needs.
    fn populate(&self) -> Result<(), SandboxError> {
        self.transaction(|tx| if tx.contains("meta/populated") { Ok(()) } else { aws::populate(tx) })
    }

    fn gate(&self) -> MutexGuard<'_, Gate> {
        self.shared.gate.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Lets something due happen, whoever it belongs to.
fn happen(tx: &mut Tx<'_>, due: &Due) -> Result<(), SandboxError> {
    match due.what.split_once('.') {
        Some(("acm" | "secretsmanager" | "eks", _)) => aws::happen(tx, due),
        Some(("kube", _)) => kube::happen(tx, due),
        _ => Err(SandboxError::Entity { key: format!("due/…/{}", due.what), reason: "nobody knows what to do then".to_owned() }),
    }
}

fn prepare(dir: &Path) -> Result<(), SandboxError> {
    let failed = |source| SandboxError::File { path: dir.to_owned(), source };
    DirBuilder::new().recursive(true).mode(0o700).create(dir).map_err(failed)?;
    let mode = fs::metadata(dir).map_err(failed)?.permissions().mode();
    if mode & 0o077 != 0 {
        fs::set_permissions(dir, fs::Permissions::from_mode(0o700)).map_err(failed)?;
    }
    for (name, text) in [("README", README), (".gitignore", "*\n")] {
        let path = dir.join(name);
        let written =
            OpenOptions::new().write(true).create_new(true).mode(0o600).open(&path).and_then(|mut file| file.write_all(text.as_bytes()));
        match written {
            Err(error) if error.kind() != io::ErrorKind::AlreadyExists => return Err(SandboxError::File { path, source: error }),
            _ => {}
        }
    }
    Ok(())
}
