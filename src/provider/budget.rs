//! One rate budget per API: requests that go over it wait their turn here, and are counted.
//!
//! The figures are the published quotas, a little below where they are shared by all zones or regions of an account (ACM: "API rate
//! quotas"; Route 53: five requests a second for the whole API).

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio::time::Instant;

/// Budgets and counts. Clones share them.
#[derive(Clone, Debug, Default)]
pub struct Budget {
    inner: Arc<Mutex<Inner>>,
}

#[derive(Debug, Default)]
struct Inner {
    next: BTreeMap<String, Instant>,
    counts: BTreeMap<String, u64>,
    unlimited: bool,
}

impl Budget {
    /// A budget that only counts: for servers without quotas, such as an emulator on loopback.
    pub fn unlimited() -> Self {
        let budget = Self::default();
        budget.lock().unlimited = true;
        budget
    }

    /// Waits until a request of this operation is within its rate, counts it, and logs it. `scope` says of whom it is asked, and tells accounts
    /// and regions apart.
    pub async fn take(&self, scope: &str, operation: impl Into<&'static str>) {
        let operation = operation.into();
        tracing::info!("{operation} of {scope}");
        let wait = {
            let mut inner = self.lock();
            *inner.counts.entry(operation.to_owned()).or_default() += 1;
            match rate(operation) {
                Some((bucket, per_second)) if !inner.unlimited => {
                    let now = Instant::now();
                    let interval = Duration::from_secs_f64(1.0 / per_second);
                    // A burst of one second's requests passes at once, as the services' own buckets let it.
                    let burst = Duration::from_secs(1);
                    let next = inner.next.entry(format!("{scope} {bucket}")).or_insert(now);
                    let due = (*next).max(now.checked_sub(burst).unwrap_or(now));
                    *next = due + interval;
                    due.saturating_duration_since(now)
                }
                _ => Duration::ZERO,
            }
        };
        if !wait.is_zero() {
            tokio::time::sleep(wait).await;
        }
    }

    /// Requests so far, by operation.
    pub fn counts(&self) -> BTreeMap<String, u64> {
        self.lock().counts.clone()
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The bucket that an operation draws from, and its requests a second.
fn rate(operation: &str) -> Option<(&str, f64)> {
    Some(match operation {
        "acm:RequestCertificate" | "acm:ExportCertificate" | "acm:AddTagsToCertificate" | "acm:RemoveTagsFromCertificate" => {
            (operation, 5.0)
        }
        "acm:DescribeCertificate" | "acm:GetCertificate" | "acm:DeleteCertificate" | "acm:ListTagsForCertificate" => (operation, 10.0),
        "acm:ListCertificates" => (operation, 4.0),
        route53 if route53.starts_with("route53:") => ("route53", 4.0),
        write if write.starts_with("secretsmanager:") => ("secretsmanager", 40.0),
        _ => return None,
    })
}
