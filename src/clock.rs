//! The one clock of a run: real, or the sandbox's.
//!
//! Everything that asks for the time or waits goes through [`Clock`], so that a sandbox run has a single time of its own. A simulated
//! clock rests on tokio's paused time (`tokio::time::pause`): when every task waits, time jumps to the next timer, and so the SDK's own
//! back-off and ours are simulated alike.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use tokio::time::Instant;

/// Tells the time and waits. Clones share one time.
#[derive(Clone, Debug)]
pub struct Clock {
    simulated: Option<Arc<Mutex<Anchor>>>,
}

/// The simulated time that belongs to an instant of tokio's clock.
#[derive(Debug)]
struct Anchor {
    at: Instant,
    time: Timestamp,
}

impl Clock {
    /// The system's clock.
    pub fn real() -> Self {
        Self { simulated: None }
    }

    /// A clock that starts at `time` and goes on with tokio's time. The caller has paused tokio's time (`tokio::time::pause`), or time
    /// passes as it does outside.
    pub fn simulated(time: Timestamp) -> Self {
        let anchor = Anchor { at: Instant::now(), time };
        Self { simulated: Some(Arc::new(Mutex::new(anchor))) }
    }

    /// The present time, to the microsecond.
    pub fn now(&self) -> Timestamp {
        match &self.simulated {
            None => Timestamp::now(),
            Some(anchor) => {
                let anchor = anchor.lock().unwrap_or_else(PoisonError::into_inner);
                let passed = SignedDuration::try_from(anchor.at.elapsed()).unwrap_or(SignedDuration::ZERO);
                anchor.time.checked_add(passed).unwrap_or(anchor.time)
            }
        }
    }

    /// Moves a simulated clock on to `time`, when that is later than its present; a real clock doesn't move.
    pub fn advance_to(&self, time: Timestamp) {
        if let Some(anchor) = &self.simulated {
            let now = self.now();
            if time > now {
                let mut anchor = anchor.lock().unwrap_or_else(PoisonError::into_inner);
                *anchor = Anchor { at: Instant::now(), time };
            }
        }
    }

    /// Whether this is a sandbox's clock.
    pub fn is_simulated(&self) -> bool {
        self.simulated.is_some()
    }

    /// Waits. With a simulated clock and paused time this returns as soon as nothing else has work.
    pub async fn sleep(&self, duration: Duration) {
        tokio::time::sleep(duration).await;
    }
}
