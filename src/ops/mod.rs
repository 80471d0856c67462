//! Operations: the stages chained, one file per verb. They hold the lease and never print.

pub mod apply;
pub mod connect;
pub mod outputs;
pub mod plan;
pub mod rebuild;
pub mod rotate;

use crate::provider::error::ProviderError;
use crate::provider::world::World;
use crate::secret::sha256_hex;
use crate::store::StoreError;

/// Why an operation did not come to its end, besides what diagnostics and plans say.
#[derive(Debug, thiserror::Error)]
pub enum OpError {
    /// The world did not answer as it should.
    #[error("{0}")]
    World(#[from] ProviderError),
    /// The state can't be read, written or leased.
    #[error("{0}")]
    Store(#[from] StoreError),
    /// The credentials belong to another account than the stack pins.
    #[error("the stack is for AWS account {pinned}, and these credentials are of account {found}")]
    OtherAccount {
        /// The account of the stack.
        pinned: String,
        /// The account of the credentials.
        found: String,
    },
    /// No randomness is to be had.
    #[error("the system gives no random bytes: {0}")]
    Random(String),
}

impl OpError {
    /// What to do about it.
    pub fn help(&self) -> Option<String> {
        match self {
            Self::World(error) => error.help(),
            Self::Store(StoreError::Leased(_)) => Some("wait until that run is over, and run the same command again".into()),
            Self::Store(_) | Self::Random(_) => None,
            Self::OtherAccount { .. } => {
                Some("use the credentials or the profile of that account, or correct `aws.account`; nothing was read or changed".into())
            }
        }
    }
}

/// A fresh lineage of 16 hex digits: random, but in the sandbox, where a run can be repeated.
pub(crate) fn new_lineage(world: &World, stack: &str) -> Result<String, OpError> {
    if let Some(seed) = &world.lineage_seed {
        let text = format!("{seed}\n{stack}\n{}", world.clock.now());
        return Ok(sha256_hex(text.as_bytes())[..16].to_owned());
    }
    let random = getrandom::u64().map_err(|error| OpError::Random(error.to_string()))?;
    Ok(format!("{random:016x}"))
}
