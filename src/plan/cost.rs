//! What is charged: exportable public certificates, at issue and at every renewal.

use crate::addr::Addr;
use crate::resource::certificate::CertificateSpec;
use crate::stack::Prices;

/// What a plan costs.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Cost {
    /// What is charged when the plan is applied.
    pub at_issue: Vec<Charge>,
    /// What is charged at every renewal of the stack's certificates, in US dollars.
    pub per_renewal: f64,
    /// The day the prices were read.
    pub as_of: String,
}

impl Cost {
    /// The sum at issue, in US dollars.
    pub fn total_at_issue(&self) -> f64 {
        self.at_issue.iter().map(|charge| charge.dollars).sum()
    }
}

/// A charge.
#[derive(Clone, Debug, PartialEq)]
pub struct Charge {
    /// The certificate.
    pub addr: Addr,
    /// US dollars.
    pub dollars: f64,
}

/// What one certificate costs at issue and at each renewal: the price of each of its names; nothing when it can't be exported.
pub(super) fn of(spec: &CertificateSpec, prices: &Prices) -> f64 {
    if !spec.export || !spec.has_records() {
        return 0.0;
    }
    spec.names.iter().map(|name| if name.starts_with("*.") { prices.wildcard } else { prices.fqdn }).sum()
}
