//! Deletion, options, and who uses a certificate.

use std::collections::BTreeSet;

use serde::Deserialize;
use serde_json::{Value, json};

use super::request::{Meter, meter};
use super::{ArnInput, Certificate, Status, find, prefix, renew, validate};
use crate::sandbox::aws::wire::{Caller, Outcome, refuse};
use crate::sandbox::error::SandboxError;
use crate::sandbox::world::Tx;

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct OptionsInput {
    certificate_arn: Option<String>,
    options: Option<OptionsChange>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct OptionsChange {
    export: Option<String>,
    validation_method: Option<String>,
}

pub(super) fn delete(tx: &mut Tx<'_>, caller: &Caller, input: &ArnInput) -> Outcome<Value> {
    let certificate = find(tx, caller, input.certificate_arn.as_deref())?;
    if !certificate.in_use_by.is_empty() {
        let message = format!("Certificate {} in account {} is in use.", certificate.arn, certificate.account);
        return Err(refuse("ResourceInUseException", message));
    }
    for domain in &certificate.domains {
        tx.delete(&validate::interest(domain, &certificate));
    }
    for part in ["cert", "pem", "key"] {
        tx.delete(&certificate.part(part));
    }
    if certificate.kind() == "AMAZON_ISSUED" {
        let key = meter(caller);
        let mut meter: Meter = tx.read(&key)?.unwrap_or_default();
        meter.live = meter.live.saturating_sub(1);
        tx.write(&key, &meter)?;
    }
    Ok(json!({}))
}

/// UpdateCertificateOptions: of what there is, only the preference for logging may be changed, and it has no effect any more
/// (semantics 1.1).
pub(super) fn update_options(tx: &Tx<'_>, caller: &Caller, input: OptionsInput) -> Outcome<Value> {
    let certificate = find(tx, caller, input.certificate_arn.as_deref())?;
    if certificate.status != Status::Issued {
        return Err(refuse("InvalidStateException", format!("Certificate {} is not issued.", certificate.arn)));
    }
    let Some(options) = input.options else {
        return Err(refuse("ValidationException", "Options must be given."));
    };
    if options.export.is_some() {
        return Err(refuse("ValidationException", "You cannot update the value of Export after creation."));
    }
    if options.validation_method.is_some() {
        return Err(refuse("ValidationException", "The sandbox can't change the validation method."));
    }
    Ok(json!({}))
}

/// Says which certificates a resource uses: just these.
pub(in crate::sandbox) fn set_used(tx: &mut Tx<'_>, by: &str, arns: &BTreeSet<String>) -> Result<(), SandboxError> {
    for key in tx.keys("acm/").into_iter().filter(|key| super::is_certificate(key)) {
        let Some(mut certificate) = tx.read::<Certificate>(&key)? else { continue };
        let (was, is) = (certificate.in_use_by.iter().any(|user| user == by), arns.contains(&certificate.arn));
        if was == is {
            continue;
        }
        certificate.in_use_by.retain(|user| user != by);
        if is {
            certificate.in_use_by.push(by.to_owned());
        }
        certificate.save(tx)?;
        renew::begin_if_due(tx, certificate)?;
    }
    Ok(())
}

/// Whether there is a certificate of this ARN that can be served.
pub(in crate::sandbox) fn is_issued(tx: &Tx<'_>, arn: &str) -> Result<bool, SandboxError> {
    let parts: Vec<&str> = arn.splitn(6, ':').collect();
    let ["arn", _, "acm", region, account, resource] = parts.as_slice() else { return Ok(false) };
    let Some(id) = resource.strip_prefix("certificate/") else { return Ok(false) };
    let certificate: Option<Certificate> = tx.read(&format!("{}{id}", prefix(account, region, "cert")))?;
    Ok(certificate.is_some_and(|certificate| certificate.status == Status::Issued))
}

/// Says which resources use a certificate.
pub(in crate::sandbox) fn set_in_use(tx: &mut Tx<'_>, arn: &str, by: &[&str]) -> Result<(), SandboxError> {
    let missing = || SandboxError::Entity { key: arn.to_owned(), reason: "there is no such certificate".to_owned() };
    let parts: Vec<&str> = arn.splitn(6, ':').collect();
    let ["arn", _, "acm", region, account, resource] = parts.as_slice() else { return Err(missing()) };
    let id = resource.strip_prefix("certificate/").ok_or_else(missing)?;
    let mut certificate: Certificate = tx.read(&format!("{}{id}", prefix(account, region, "cert")))?.ok_or_else(missing)?;
    certificate.in_use_by = by.iter().map(|&user| user.to_owned()).collect();
    certificate.save(tx)?;
    renew::begin_if_due(tx, certificate)
}
