//! Things that happen at a time, rather than at a request.
//!
//! They are entities of the world as everything else, under `due/<time>/…`, so that they survive a crash; each request, and each move of
//! the clock, first lets happen what is due by then, in the order of time.

use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

use super::error::SandboxError;
use super::world::{Tx, parse};

/// Something that will happen.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Due {
    /// Who will do it, and what: `acm.renew`.
    pub what: String,
    /// The key of the entity it happens to.
    pub to: String,
}

/// Lets `what` happen to `to` at a time. The same thing at the same time is the same.
pub fn schedule(tx: &mut Tx<'_>, at: Timestamp, what: &str, to: &str) -> Result<(), SandboxError> {
    let at = at.max(tx.now());
    tx.write(&format!("due/{}/{what}/{to}", sortable(at)), &Due { what: what.to_owned(), to: to.to_owned() })
}

/// Lets everything happen that is due until `until`, with the world's clock at the time of each, and leaves the clock at `until`.
pub(super) fn settle(
    tx: &mut Tx<'_>,
    until: Timestamp,
    happen: impl Fn(&mut Tx<'_>, &Due) -> Result<(), SandboxError>,
) -> Result<(), SandboxError> {
    loop {
        let Some((key, due)) = tx.scan("due/").next().map(|(key, value)| (key.to_owned(), parse::<Due>(key, value))) else { break };
        let Some(at) = time_of(&key).filter(|at| *at <= until) else { break };
        tx.delete(&key);
        tx.set_now(at);
        happen(tx, &due?)?;
    }
    tx.set_now(until);
    Ok(())
}

/// The time of the next thing that will happen.
pub(super) fn next(tx: &Tx<'_>) -> Option<Timestamp> {
    tx.scan("due/").next().and_then(|(key, _)| time_of(key))
}

/// A time between two bounds that is always the same for the same words.
pub fn delay(tx: &Tx<'_>, bounds: (Duration, Duration), words: &[&str]) -> SignedDuration {
    let dice = tx.dice(words);
    let low = u64::try_from(bounds.0.as_millis()).unwrap_or(u64::MAX);
    let width = u64::try_from(bounds.1.as_millis()).unwrap_or(u64::MAX).saturating_sub(low).saturating_add(1);
    let number = dice.iter().take(7).fold(0_u64, |number, byte| (number << 8) | u64::from(*byte));
    SignedDuration::from_millis(i64::try_from(low.saturating_add(number % width)).unwrap_or(i64::MAX))
}

/// A time plus a duration; the end of time when that is beyond it.
pub fn after(time: Timestamp, duration: SignedDuration) -> Timestamp {
    time.checked_add(duration).unwrap_or(Timestamp::MAX)
}

/// Microseconds with a fixed number of digits: their order as text is that of time.
fn sortable(at: Timestamp) -> String {
    format!("{:020}", at.as_microsecond().max(0))
}

fn time_of(key: &str) -> Option<Timestamp> {
    let digits = key.split('/').nth(1)?;
    Timestamp::from_microsecond(digits.parse().ok()?).ok()
}
