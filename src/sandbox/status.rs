//! What a world has, in numbers.

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde::Serialize;

use super::error::SandboxError;
use super::faults::{self, FaultStatus};
use super::world::Tx;
use super::{aws, due, kube};

/// A summary of a world.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Status {
    /// The time on its clock.
    pub time: Timestamp,
    /// When the next thing will happen by itself.
    pub next: Option<Timestamp>,
    /// How many things each service has, by kind.
    pub services: BTreeMap<String, BTreeMap<String, usize>>,
    /// The fault rules.
    pub faults: Vec<FaultStatus>,
}

pub(super) fn of(tx: &Tx<'_>) -> Result<Status, SandboxError> {
    let mut services = BTreeMap::new();
    aws::count(tx, &mut services)?;
    kube::count(tx, &mut services);
    Ok(Status { time: tx.now(), next: due::next(tx), services, faults: faults::list(tx)? })
}
