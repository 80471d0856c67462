//! GetCertificate and ExportCertificate (semantics 1.5).

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use serde::Deserialize;
use serde_json::json;

use super::request::constraint;
use super::{ArnInput, Certificate, Pem, Status, find, renew};
use crate::sandbox::aws::authority;
use crate::sandbox::aws::wire::{Caller, Outcome, refuse};
use crate::sandbox::error::SandboxError;
use crate::sandbox::settings;
use crate::sandbox::world::Tx;

/// Where passphrases are kept, when the settings say so.
const PASSPHRASES: &str = "passphrase/";

/// The passphrases of all exports since the settings said to keep them.
pub(in crate::sandbox) fn passphrases(tx: &Tx<'_>) -> Result<Vec<String>, SandboxError> {
    let keys = tx.keys(PASSPHRASES);
    keys.iter().filter_map(|key| tx.read::<String>(key).transpose()).collect()
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct ExportInput {
    certificate_arn: Option<String>,
    passphrase: Option<String>,
}

pub(super) fn get(tx: &Tx<'_>, caller: &Caller, input: &ArnInput) -> Outcome {
    let certificate = find(tx, caller, input.certificate_arn.as_deref())?;
    let pem = pem(tx, &certificate)?;
    Ok(json!({ "Certificate": pem.leaf, "CertificateChain": pem.chain }))
}

pub(super) fn export(tx: &mut Tx<'_>, caller: &Caller, input: ExportInput) -> Outcome {
    let mut certificate = find(tx, caller, input.certificate_arn.as_deref())?;
    let passphrase = input.passphrase.and_then(|text| BASE64.decode(text).ok()).unwrap_or_default();
    if !(4..=128).contains(&passphrase.len()) {
        return Err(constraint("passphrase", "(hidden)", "Member must have length between 4 and 128"));
    }
    if !passphrase.is_ascii() || passphrase.iter().any(|byte| matches!(byte, b'#' | b'$' | b'%')) {
        return Err(refuse("ValidationException", "The passphrase must be of ASCII characters other than #, $ and %."));
    }
    let arn = certificate.arn.clone();
    if certificate.imported || !certificate.exportable {
        return Err(refuse("ValidationException", format!("Certificate {arn} is not exportable.")));
    }
    let pem = pem(tx, &certificate)?;
    if certificate.status != Status::Issued {
        return Err(refuse("ValidationException", format!("Certificate {arn} is not issued.")));
    }
    let part = certificate.part("key");
    let key = tx.read::<String>(&part)?.and_then(|key| BASE64.decode(key).ok());
    let key = key.ok_or_else(|| SandboxError::Entity { key: part, reason: "there is no key".to_owned() })?;
    if settings::read(tx)?.remember_passphrases {
        let text = String::from_utf8_lossy(&passphrase).into_owned();
        tx.write(&format!("{PASSPHRASES}{}", crate::secret::sha256_hex(&passphrase)), &text)?;
    }
    let private_key = authority::encrypt(&key, &passphrase)?;
    certificate.exported = true;
    certificate.exported_since_issue = true;
    certificate.save(tx)?;
    // What was ineligible near its end may have become eligible by this.
    renew::begin_if_due(tx, certificate)?;
    Ok(json!({ "Certificate": pem.leaf, "CertificateChain": pem.chain, "PrivateKey": private_key }))
}

fn pem(tx: &Tx<'_>, certificate: &Certificate) -> Outcome<Pem> {
    match tx.read::<Pem>(&certificate.part("pem"))? {
        Some(pem) => Ok(pem),
        None if certificate.status == Status::PendingValidation => {
            Err(refuse("RequestInProgressException", format!("Certificate {} has a request in progress.", certificate.arn)))
        }
        None => Err(refuse("ResourceNotFoundException", format!("Certificate {} was not issued.", certificate.arn))),
    }
}
