//! Where every request passes, of AWS and of Kubernetes alike: it is counted, meets the faults, and may be the one that kills the process.

use std::collections::BTreeMap;
use std::time::Duration;

use rustix::process::{Signal, getpid, kill_process};
use serde::Serialize;

use super::Sandbox;
use super::error::SandboxError;
use super::faults::{self, Effect};
use super::world::Tx;

/// Where in a request the process is killed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CrashPoint {
    /// Before the request has touched the world.
    Before,
    /// When the world is changed, and the answer isn't given yet.
    After,
    /// When the answer was given, and the program is about to write down what it learnt: at the next
    /// [`Sandbox::about_to_persist`] or the next request, whichever comes first.
    BeforeDurable,
}

/// How many requests there were since this sandbox was opened by this process.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Requests {
    /// All of them.
    pub total: u64,
    /// By `service:operation`.
    pub by_operation: BTreeMap<String, u64>,
}

#[derive(Debug, Default)]
pub(super) struct Gate {
    requests: Requests,
    crash: Option<(u64, CrashPoint)>,
    /// The answer of the crash request was given.
    armed: bool,
    /// The `service:operation` at which the program panics.
    panic: Option<String>,
}

/// An answer that a fault gives in place of the service.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Refused {
    Throttled,
    Failed(u16),
    Denied,
    Expired,
}

/// What became of a request.
pub(super) enum Served<T> {
    /// The service has answered.
    Answer(T),
    /// A fault has answered.
    Refused(Refused),
    /// The connection breaks.
    Cut,
}

impl Sandbox {
    /// Kills the process with SIGKILL at a point of the `n`th request. Requests of AWS and Kubernetes are counted together, from one,
    /// since the sandbox was opened; those that the SDKs repeat count again.
    pub fn crash_at(&self, n: u64, point: CrashPoint) {
        self.gate().crash = Some((n, point));
    }

    /// Makes the program panic at the next request of this `service:operation`.
    pub fn panic_at(&self, operation: &str) {
        self.gate().panic = Some(operation.to_owned());
    }

    /// The requests so far.
    pub fn requests(&self) -> Requests {
        self.gate().requests.clone()
    }

    /// Says that the program is about to write something durable of its own; here [`CrashPoint::BeforeDurable`] strikes.
    pub fn about_to_persist(&self) {
        if self.gate().armed {
            die();
        }
    }

    /// Lets a request through to `work`, which runs in a transaction in which everything due has happened. The number is the request's.
    pub(super) async fn serve<T>(
        &self,
        service: &str,
        operation: &str,
        work: impl FnOnce(&mut Tx<'_>) -> Result<T, SandboxError>,
    ) -> Result<(u64, Served<T>), SandboxError> {
        let number = self.enter(service, operation);
        let mut work = Some(work);
        // One transaction, and so one write, unless there is a time to wait out in which nobody may hold the lock.
        let (effects, mut served) = self.transaction(|tx| {
            let effects = faults::meet(tx, service, operation)?;
            let served = if wait(&effects).is_some() { None } else { work.take().map(|work| answer(tx, &effects, work)).transpose()? };
            Ok((effects, served))
        })?;
        if let Some(duration) = wait(&effects) {
            self.clock().sleep(duration).await;
            served = work.take().map(|work| self.transaction(|tx| answer(tx, &effects, work))).transpose()?;
        }
        let served = served.unwrap_or(Served::Cut);
        self.leave(number);
        Ok((number, served))
    }

    fn enter(&self, service: &str, operation: &str) -> u64 {
        let mut gate = self.gate();
        gate.requests.total += 1;
        *gate.requests.by_operation.entry(format!("{service}:{operation}")).or_default() += 1;
        let number = gate.requests.total;
        if gate.armed || gate.crash == Some((number, CrashPoint::Before)) {
            die();
        }
        let is_panic = gate.panic.as_deref() == Some(&format!("{service}:{operation}"));
        drop(gate);
        assert!(!is_panic, "the sandbox was told to panic here");
        number
    }

    fn leave(&self, number: u64) {
        let mut gate = self.gate();
        match gate.crash {
            Some((at, CrashPoint::After)) if at == number => die(),
            Some((at, CrashPoint::BeforeDurable)) if at == number => gate.armed = true,
            _ => {}
        }
    }
}

/// How long the effects make a request wait.
fn wait(effects: &[Effect]) -> Option<Duration> {
    let waits = effects.iter().filter_map(|effect| if let Effect::Latency(duration) = effect { Some(*duration) } else { None });
    waits.reduce(Duration::saturating_add)
}

fn answer<T>(
    tx: &mut Tx<'_>,
    effects: &[Effect],
    work: impl FnOnce(&mut Tx<'_>) -> Result<T, SandboxError>,
) -> Result<Served<T>, SandboxError> {
    match effects.iter().find_map(refusal) {
        Some(Some(refused)) => Ok(Served::Refused(refused)),
        Some(None) => Ok(Served::Cut),
        None => {
            let answer = work(tx)?;
            Ok(if effects.contains(&Effect::LostReply) { Served::Cut } else { Served::Answer(answer) })
        }
    }
}

/// What is answered in place of the service: a refusal, or nothing.
#[expect(clippy::option_option, reason = "no interference, silence, and a refusal are three things")]
fn refusal(effect: &Effect) -> Option<Option<Refused>> {
    match effect {
        Effect::Throttle => Some(Some(Refused::Throttled)),
        Effect::ServerError(status) => Some(Some(Refused::Failed(*status))),
        Effect::AccessDenied => Some(Some(Refused::Denied)),
        Effect::ExpiredToken => Some(Some(Refused::Expired)),
        Effect::Cut => Some(None),
        Effect::LostReply | Effect::Latency(_) => None,
    }
}

/// Ends the process as nothing else does: no destructor, no buffer, no exit handler runs.
fn die() {
    if kill_process(getpid(), Signal::KILL).is_ok() {
        // The signal is on its way; nothing more of the program may happen.
        loop {
            std::thread::park();
        }
    }
}
