//! How a world behaves where the real services leave room: quotas and delays.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::error::SandboxError;
use super::world::Tx;

/// Settings of a world. The defaults are those of a new AWS account, with lifelike delays.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Settings {
    /// Names per certificate: 10 by default (ACM quotas).
    pub names_per_certificate: usize,
    /// Certificates requested within 365 days, deleted ones included: 5,000 (ACM quotas).
    pub certificates_per_year: u64,
    /// Certificates at one time: 2,500 (ACM quotas).
    pub certificates: u64,
    /// Seconds until a new certificate can be described.
    pub describe_after: (u64, u64),
    /// Seconds until its validation records are known.
    pub records_after: (u64, u64),
    /// Seconds from the presence of a validation record to a validated name.
    pub validate_after: (u64, u64),
    /// Seconds from the start of a renewal to its end.
    pub renew_after: (u64, u64),
    /// Seconds until a Route 53 change is INSYNC.
    pub insync_after: (u64, u64),
    /// Seconds for which the name of a secret that was deleted by force can't be used.
    pub name_free_after: (u64, u64),
    /// Seconds until a copy of a secret is in its region.
    pub replicated_after: (u64, u64),
    /// Seconds from the request of a cluster to its being ACTIVE.
    pub cluster_after: (u64, u64),
    /// Seconds for which lists don't show what is new. Zero by default.
    pub list_lag: u64,
    /// Whether the passphrases of exports are kept, for the tests that search for them.
    #[serde(default)]
    pub remember_passphrases: bool,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            names_per_certificate: 10,
            certificates_per_year: 5_000,
            certificates: 2_500,
            describe_after: (0, 1),
            records_after: (3, 8),
            validate_after: (90, 240),
            renew_after: (300, 900),
            insync_after: (25, 40),
            name_free_after: (5, 30),
            replicated_after: (4, 12),
            cluster_after: (540, 720),
            remember_passphrases: false,
            list_lag: 0,
        }
    }
}

/// A private CA's state, as far as it matters to those who want a signature.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum CaStatus {
    /// It signs.
    #[default]
    Active,
    /// It signs nothing for now.
    Disabled,
    /// It is gone.
    Deleted,
}

/// The world's settings.
pub(super) fn read(tx: &Tx<'_>) -> Result<Settings, SandboxError> {
    Ok(tx.read("meta/settings")?.unwrap_or_default())
}

/// Bounds in seconds as durations.
pub(super) fn bounds(seconds: (u64, u64)) -> (Duration, Duration) {
    (Duration::from_secs(seconds.0), Duration::from_secs(seconds.1))
}
