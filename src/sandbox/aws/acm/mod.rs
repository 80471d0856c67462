//! AWS Certificate Manager. JSON 1.1, target prefix `CertificateManager`.

mod describe;
mod export;
mod import;
mod list;
mod manage;
mod private;
mod renew;
mod request;
mod tags;
mod validate;

use std::collections::BTreeMap;
use std::sync::Arc;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::wire::{Answer, Caller, Outcome, Request, refuse};
use super::{Failure, unknown};
use crate::sandbox::error::SandboxError;
use crate::sandbox::world::Tx;

pub(in crate::sandbox) use export::passphrases;
pub(in crate::sandbox) use manage::{is_issued, set_in_use, set_used};
pub(in crate::sandbox) use private::set_status as set_private_ca;
pub(super) use validate::record_changed;

/// A certificate's state (semantics 1.3).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
enum Status {
    PendingValidation,
    Issued,
    Expired,
    ValidationTimedOut,
    Failed,
}

/// A certificate, without its PEM and its key, which have entities of their own.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[expect(clippy::struct_excessive_bools, reason = "independent facts, each of which the API shows by itself")]
pub(super) struct Certificate {
    pub(super) arn: String,
    account: String,
    region: String,
    id: String,
    /// All names, the domain name first; lower case, each once.
    names: Vec<String>,
    key_algorithm: String,
    signature_algorithm: Option<String>,
    imported: bool,
    status: Status,
    failure: Option<String>,
    exportable: bool,
    /// The private CA that signs it.
    #[serde(default)]
    authority: Option<String>,
    by_email: bool,
    created: Timestamp,
    /// From when on it can be described.
    visible: Timestamp,
    /// From when on its validation records are known.
    records_at: Timestamp,
    domains: Vec<Domain>,
    issued: Option<Timestamp>,
    not_before: Option<Timestamp>,
    not_after: Option<Timestamp>,
    serial: Option<String>,
    subject: Option<String>,
    issuer: Option<String>,
    exported: bool,
    exported_since_issue: bool,
    in_use_by: Vec<String>,
    renewal: Option<Renewal>,
    pub(super) tags: BTreeMap<String, String>,
    /// Whether it ever had tags: the tagging API lists it then.
    pub(super) ever_tagged: bool,
}

/// A name and its validation.
#[derive(Clone, Debug, Serialize, Deserialize)]
struct Domain {
    name: String,
    record_name: String,
    record_value: String,
    status: DomainStatus,
    /// Since when the record is there.
    seen: Option<Timestamp>,
}

/// The state of a name's validation.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
enum DomainStatus {
    PendingValidation,
    Success,
    Failed,
}

/// The last renewal.
#[derive(Clone, Debug, Serialize, Deserialize)]
struct Renewal {
    status: RenewalStatus,
    reason: Option<String>,
    updated: Timestamp,
    domains: Vec<(String, DomainStatus)>,
}

/// The state of a renewal (semantics 1.4).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
enum RenewalStatus {
    PendingAutoRenewal,
    PendingValidation,
    Success,
    Failed,
}

/// What is public of an issued certificate.
#[derive(Serialize, Deserialize)]
struct Pem {
    leaf: String,
    chain: String,
}

/// Serves a request.
pub(super) fn serve(tx: &mut Tx<'_>, caller: &Caller, operation: &str, request: &Request) -> Outcome<Answer> {
    let output = match operation {
        "RequestCertificate" => request::request(tx, caller, request.json()?)?,
        "DescribeCertificate" => describe::describe(tx, caller, &request.json()?)?,
        "ListCertificates" => list::list(tx, caller, request.json()?)?,
        "GetCertificate" => export::get(tx, caller, &request.json()?)?,
        "ExportCertificate" => export::export(tx, caller, request.json()?)?,
        "RenewCertificate" => renew::request(tx, caller, &request.json()?)?,
        "ImportCertificate" => import::import(tx, caller, request.json()?)?,
        "DeleteCertificate" => manage::delete(tx, caller, &request.json()?)?,
        "UpdateCertificateOptions" => manage::update_options(tx, caller, request.json()?)?,
        "AddTagsToCertificate" => tags::add(tx, caller, &request.json()?)?,
        "RemoveTagsFromCertificate" => tags::remove(tx, caller, &request.json()?)?,
        "ListTagsForCertificate" => tags::list(tx, caller, &request.json()?)?,
        _ => return Err(Failure::Refusal(unknown("acm", operation))),
    };
    Ok(Answer::json(&output))
}

/// Lets something due happen to the certificate of a key.
pub(super) fn happen(tx: &mut Tx<'_>, what: &str, key: &str) -> Result<(), SandboxError> {
    // It may have been deleted since.
    let Some(certificate) = tx.read::<Certificate>(key)? else { return Ok(()) };
    match what {
        "sign" => private::sign(tx, certificate),
        "records" | "watch" => validate::watch(tx, certificate),
        "validate" => validate::validate(tx, certificate),
        "timeout" => validate::time_out(tx, certificate),
        "window" => renew::begin_if_due(tx, certificate),
        "renew" => renew::complete(tx, certificate),
        "expire" => renew::expire(tx, certificate),
        _ => Ok(()),
    }
}

/// Whether a key is that of a certificate.
pub(super) fn is_certificate(key: &str) -> bool {
    key.split('/').nth(3) == Some("cert")
}

/// All certificates of an account in a region.
pub(super) fn all(tx: &Tx<'_>, caller: &Caller) -> Result<Arc<Vec<Certificate>>, SandboxError> {
    tx.branch(&prefix(&caller.account, &caller.region, "cert"))
}

/// The input of operations that need nothing but an ARN.
#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct ArnInput {
    certificate_arn: Option<String>,
}

impl Certificate {
    fn key(&self) -> String {
        format!("{}{}", prefix(&self.account, &self.region, "cert"), self.id)
    }

    fn part(&self, part: &str) -> String {
        format!("{}{}", prefix(&self.account, &self.region, part), self.id)
    }

    fn save(&self, tx: &mut Tx<'_>) -> Result<(), SandboxError> {
        tx.write(&self.key(), self)
    }

    fn domain_name(&self) -> &str {
        self.names.first().map_or("", String::as_str)
    }

    /// The API's word for where it comes from.
    fn kind(&self) -> &'static str {
        match (&self.authority, self.imported) {
            (_, true) => "IMPORTED",
            (Some(_), false) => "PRIVATE",
            (None, false) => "AMAZON_ISSUED",
        }
    }

    fn renewable(&self) -> bool {
        !self.imported && self.status == Status::Issued && (self.exported_since_issue || !self.in_use_by.is_empty())
    }
}

fn prefix(account: &str, region: &str, part: &str) -> String {
    format!("acm/{account}/{region}/{part}/")
}

/// The certificate that an input names, when it can be seen already.
fn find(tx: &Tx<'_>, caller: &Caller, arn: Option<&str>) -> Outcome<Certificate> {
    let arn = arn.ok_or_else(|| {
        refuse(
            "ValidationException",
            "1 validation error detected: Value at 'certificateArn' failed to satisfy constraint: Member must not be null",
        )
    })?;
    let parts: Vec<&str> = arn.splitn(6, ':').collect();
    let ["arn", _, "acm", region, account, resource] = parts.as_slice() else {
        return Err(refuse("InvalidArnException", format!("The Amazon Resource Name (ARN) is not valid: {arn}")));
    };
    let Some(id) = resource.strip_prefix("certificate/") else {
        return Err(refuse("InvalidArnException", format!("The Amazon Resource Name (ARN) is not valid: {arn}")));
    };
    let missing = || refuse("ResourceNotFoundException", format!("Could not find certificate {arn}."));
    if *region != caller.region || *account != caller.account {
        return Err(missing());
    }
    let certificate = tx.read::<Certificate>(&format!("{}{id}", prefix(account, region, "cert")))?;
    certificate.filter(|certificate| tx.now() >= certificate.visible).ok_or_else(missing)
}

/// A time as JSON 1.1 has it: seconds with a fraction.
fn seconds(time: Timestamp) -> Value {
    #[expect(clippy::cast_precision_loss, reason = "milliseconds of this millennium fit a double")]
    let seconds = time.as_millisecond() as f64 / 1000.0;
    json!(seconds)
}
