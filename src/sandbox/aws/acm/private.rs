//! Certificates of private CAs. Each ARN of the sandbox's own account has a CA behind it, whose root signs; it is there from its first use on.

use super::{Certificate, Status, validate};
use crate::sandbox::aws::authority::{self, Signer};
use crate::sandbox::due::{after, delay, schedule};
use crate::sandbox::error::SandboxError;
use crate::sandbox::settings::CaStatus;
use crate::sandbox::world::Tx;

/// Private certificates are valid for 13 months (semantics 1.4).
pub(super) const VALIDITY_DAYS: i64 = 395;
/// Their renewal begins 60 days before the end (ACM user guide, "Private certificate renewal").
pub(super) const RENEWAL_WINDOW: jiff::SignedDuration = jiff::SignedDuration::from_hours(60 * 24);
/// Seconds that a CA takes to sign.
const SIGNING: (u64, u64) = (2, 6);

fn status_key(arn: &str) -> String {
    format!("ca/status/{arn}")
}

/// Sets the state of a CA.
pub(in crate::sandbox) fn set_status(tx: &mut Tx<'_>, arn: &str, status: CaStatus) -> Result<(), SandboxError> {
    if place(arn).is_none() {
        return Err(SandboxError::Entity { key: arn.to_owned(), reason: "it is not the ARN of a private CA".to_owned() });
    }
    tx.write(&status_key(arn), &status)
}

/// Region and account of a CA's ARN.
pub(super) fn place(arn: &str) -> Option<(&str, &str)> {
    let parts: Vec<&str> = arn.splitn(6, ':').collect();
    let ["arn", _, "acm-pca", region, account, resource] = parts.as_slice() else { return None };
    resource.strip_prefix("certificate-authority/").filter(|id| !id.is_empty()).map(|_| (*region, *account))
}

/// Why a certificate's CA doesn't sign, in the words of the API (FailureReason).
pub(super) fn obstacle(tx: &Tx<'_>, certificate: &Certificate) -> Result<Option<&'static str>, SandboxError> {
    let Some(arn) = &certificate.authority else { return Ok(None) };
    let status = tx.read::<CaStatus>(&status_key(arn))?.unwrap_or_default();
    Ok(match (place(arn), status) {
        (Some((region, _)), _) if region != certificate.region => Some("PCA_INVALID_ARN"),
        (Some((_, account)), _) if account != certificate.account => Some("PCA_ACCESS_DENIED"),
        (None, _) => Some("PCA_INVALID_ARN"),
        (_, CaStatus::Deleted) => Some("PCA_RESOURCE_NOT_FOUND"),
        (_, CaStatus::Disabled) => Some("PCA_INVALID_STATE"),
        (_, CaStatus::Active) => None,
    })
}

/// The CA's answer comes in a while.
pub(super) fn schedule_signature(tx: &mut Tx<'_>, certificate: &Certificate) -> Result<(), SandboxError> {
    let wait = delay(tx, crate::sandbox::settings::bounds(SIGNING), &["sign", &certificate.arn]);
    schedule(tx, after(tx.now(), wait), "acm.sign", &certificate.key())
}

/// The CA's answer to a request.
pub(super) fn sign(tx: &mut Tx<'_>, mut certificate: Certificate) -> Result<(), SandboxError> {
    if certificate.status != Status::PendingValidation {
        return Ok(());
    }
    if let Some(reason) = obstacle(tx, &certificate)? {
        certificate.status = Status::Failed;
        certificate.failure = Some(reason.to_owned());
    } else {
        validate::issue(tx, &mut certificate)?;
        certificate.issued = Some(tx.now());
        certificate.status = Status::Issued;
    }
    certificate.save(tx)
}

/// What a CA signs with; its root is made at the first use.
pub(super) fn signer(tx: &mut Tx<'_>, arn: &str) -> Result<Signer, SandboxError> {
    let key = format!("ca/private/{arn}");
    if let Some(signer) = tx.read::<Signer>(&key)? {
        return Ok(signer);
    }
    let id = arn.rsplit('/').next().unwrap_or_default();
    let signer = authority::root(tx, &format!("Sandbox Private CA {}", id.chars().take(8).collect::<String>()))?;
    tx.write(&key, &signer)?;
    Ok(signer)
}
