//! Operations: the stages chained, one file per verb. They hold the lease and never print.

pub mod apply;
pub mod charts;
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
    /// What the cluster says of itself can't be made out.
    #[error("the cluster's version can't be made out: {0}")]
    Facts(String),
    /// The credentials belong to another account than the stack pins.
    #[error("the stack is for AWS account {pinned}, and these credentials are of account {found}")]
    OtherAccount {
        /// The account of the stack.
        pinned: String,
        /// The account of the credentials.
        found: String,
    },
}

impl OpError {
    /// What to do about it.
    pub fn help(&self) -> Option<String> {
        match self {
            Self::World(error) => error.help(),
            Self::Store(StoreError::Leased(_)) => Some("wait until that run is over, and run the same command again".into()),
            Self::Store(_) | Self::Facts(_) => None,
            Self::OtherAccount { .. } => {
                Some("use the credentials or the profile of that account, or correct `aws.account`; nothing was read or changed".into())
            }
        }
    }
}

/// The lineage of a stack's first state, 16 hex digits. It follows from whose stack it is, and where: a run that was killed and whose state is
/// lost left marks that may not show yet, and the next run must not take another lineage than theirs.
pub(crate) fn first_lineage(world: &World, stack: &str) -> String {
    let place = match (&world.aws, &world.kube) {
        (Some(aws), _) => format!("{}/{}", aws.account(), aws.region()),
        (None, Some(kube)) => kube.uid().to_owned(),
        (None, None) => String::new(),
    };
    sha256_hex(format!("{stack}\n{place}").as_bytes())[..16].to_owned()
}
