//! Renewal by the clock or by request, and the end of certificates (semantics 1.4).

use jiff::SignedDuration;
use serde_json::{Value, json};

use super::{ArnInput, Certificate, DomainStatus, RenewalStatus, Status, find, private, validate};
use crate::sandbox::aws::wire::{Caller, Outcome, refuse};
use crate::sandbox::due::{after, delay, schedule};
use crate::sandbox::error::SandboxError;
use crate::sandbox::settings::{self, bounds};
use crate::sandbox::world::Tx;

/// RenewCertificate: for certificates that were exported before. It answers nothing, and works on.
pub(super) fn request(tx: &mut Tx<'_>, caller: &Caller, input: &ArnInput) -> Outcome<Value> {
    let certificate = find(tx, caller, input.certificate_arn.as_deref())?;
    let arn = certificate.arn.clone();
    if certificate.status == Status::PendingValidation || renewing(&certificate) {
        return Err(refuse("RequestInProgressException", format!("Certificate {arn} has a request in progress.")));
    }
    if certificate.imported || certificate.status != Status::Issued || !certificate.exported {
        return Err(refuse("ValidationException", format!("Certificate {arn} is not eligible for renewal.")));
    }
    begin(tx, certificate)?;
    Ok(json!({}))
}

/// Begins the renewal of a certificate that is near its end, if it's eligible.
pub(super) fn begin_if_due(tx: &mut Tx<'_>, certificate: Certificate) -> Result<(), SandboxError> {
    let near = certificate.not_after.is_some_and(|end| tx.now() >= after(end, -certificate.window()));
    if near && certificate.renewable() && !renewing(&certificate) { begin(tx, certificate) } else { Ok(()) }
}

fn begin(tx: &mut Tx<'_>, mut certificate: Certificate) -> Result<(), SandboxError> {
    let pending = validate::renewal(tx, RenewalStatus::PendingAutoRenewal, &certificate, |_| DomainStatus::PendingValidation);
    certificate.renewal = Some(pending);
    let serial = certificate.serial.clone().unwrap_or_default();
    let wait = delay(tx, bounds(settings::read(tx)?.renew_after), &["renew", &certificate.arn, &serial]);
    schedule(tx, after(tx.now(), wait), "acm.renew", &certificate.key())?;
    certificate.save(tx)
}

/// Renews, if all records are still there; else waits for them, and looks again every day.
pub(super) fn complete(tx: &mut Tx<'_>, mut certificate: Certificate) -> Result<(), SandboxError> {
    if certificate.status != Status::Issued || !renewing(&certificate) {
        return Ok(());
    }
    let mut missing = Vec::new();
    for domain in &certificate.domains {
        if !validate::present(tx, domain)? {
            missing.push(domain.name.clone());
        }
    }
    let mut renewal = validate::renewal(tx, RenewalStatus::Success, &certificate, |domain| {
        if missing.contains(&domain.name) { DomainStatus::PendingValidation } else { DomainStatus::Success }
    });
    if !missing.is_empty() {
        renewal.status = RenewalStatus::PendingValidation;
        // Those that are missing are watched anew; `watch` notices them by `seen`.
        for domain in &mut certificate.domains {
            domain.seen = if missing.contains(&domain.name) { None } else { Some(tx.now()) };
        }
        schedule(tx, after(tx.now(), SignedDuration::from_hours(24)), "acm.renew", &certificate.key())?;
    } else if let Some(reason) = private::obstacle(tx, &certificate)? {
        renewal.status = RenewalStatus::Failed;
        renewal.reason = Some(reason.to_owned());
    } else if certificate.authority.is_none() && validate::forbidden(tx, &certificate)? {
        renewal.status = RenewalStatus::Failed;
        renewal.reason = Some("CAA_ERROR".to_owned());
    } else {
        validate::issue(tx, &mut certificate)?;
    }
    certificate.renewal = Some(renewal);
    certificate.save(tx)
}

/// Ends a certificate that wasn't renewed in time.
pub(super) fn expire(tx: &mut Tx<'_>, mut certificate: Certificate) -> Result<(), SandboxError> {
    if certificate.status != Status::Issued || certificate.not_after.is_none_or(|end| tx.now() <= end) {
        return Ok(());
    }
    certificate.status = Status::Expired;
    if renewing(&certificate)
        && let Some(renewal) = &mut certificate.renewal
    {
        renewal.status = RenewalStatus::Failed;
        renewal.updated = tx.now();
        for (_, status) in &mut renewal.domains {
            if *status == DomainStatus::PendingValidation {
                *status = DomainStatus::Failed;
            }
        }
    }
    certificate.save(tx)
}

fn renewing(certificate: &Certificate) -> bool {
    let pending = |status| matches!(status, RenewalStatus::PendingAutoRenewal | RenewalStatus::PendingValidation);
    certificate.renewal.as_ref().is_some_and(|renewal| pending(renewal.status))
}
