//! From a request to a certificate: validation records, and what is done when they are in the DNS (semantics 1.2, 1.3).

use jiff::{SignedDuration, Timestamp};

use super::{Certificate, Domain, DomainStatus, Pem, Renewal, RenewalStatus, Status, private};
use crate::sandbox::aws::authority::{self, Issued, KeyAlgorithm};
use crate::sandbox::aws::route53::names::normalize;
use crate::sandbox::aws::route53::resolve;
use crate::sandbox::aws::wire::hex;
use crate::sandbox::due::{after, delay, schedule};
use crate::sandbox::error::SandboxError;
use crate::sandbox::settings::{self, bounds};
use crate::sandbox::world::{Tx, parse};

/// Public certificates are valid for 198 days since February 2026 (semantics 1.4).
const VALIDITY_DAYS: i64 = 198;
/// Renewal begins this long before the end (semantics 1.4).
const RENEWAL_WINDOW: SignedDuration = SignedDuration::from_hours(45 * 24);
/// Who may issue, by CAA (semantics 1.3).
const CAA_NAMES: &[&str] = &["amazon.com", "amazontrust.com", "awstrust.com", "amazonaws.com"];

impl Certificate {
    /// How long before its end its renewal begins.
    pub(super) fn window(&self) -> SignedDuration {
        if self.authority.is_some() { private::RENEWAL_WINDOW } else { RENEWAL_WINDOW }
    }
}

/// The validation record of a name: the same for an apex and its wildcard, in all regions of an account.
pub(super) fn record(tx: &Tx<'_>, account: &str, name: &str) -> (String, String) {
    let base = name.strip_prefix("*.").unwrap_or(name);
    let dice = tx.dice(&["validation", account, base]);
    let letters: String = dice[..10].iter().map(|byte| char::from(b'a' + byte % 26)).collect();
    let (left, right) = (hex(&dice[..16]), hex(&dice[16..]));
    (format!("_{left}.{base}."), format!("_{right}.{letters}.acm-validations.aws."))
}

/// The key under which a certificate waits for changes of a name's record.
pub(super) fn interest(domain: &Domain, certificate: &Certificate) -> String {
    format!("acmwait/{}/{}", domain.record_name, certificate.id)
}

/// Tells the certificates that wait for a CNAME record that it has changed.
pub(in crate::sandbox::aws) fn record_changed(tx: &mut Tx<'_>, name: &str) -> Result<(), SandboxError> {
    let waiting = tx.scan(&format!("acmwait/{name}/")).map(|(key, value)| parse::<String>(key, value)).collect::<Result<Vec<_>, _>>()?;
    for key in waiting {
        if let Some(certificate) = tx.read::<Certificate>(&key)? {
            watch(tx, certificate)?;
        }
    }
    Ok(())
}

/// Sees which records are there now, and plans the validation of those that are new.
pub(super) fn watch(tx: &mut Tx<'_>, mut certificate: Certificate) -> Result<(), SandboxError> {
    let wait = bounds(settings::read(tx)?.validate_after);
    let renewing = certificate.renewal.as_ref().is_some_and(|renewal| renewal.status == RenewalStatus::PendingValidation);
    if certificate.by_email || tx.now() < certificate.records_at || !(certificate.status == Status::PendingValidation || renewing) {
        return Ok(());
    }
    let key = certificate.key();
    for index in 0..certificate.domains.len() {
        let there = present(tx, &certificate.domains[index])?;
        let domain = &mut certificate.domains[index];
        if !there {
            domain.seen = None;
        } else if domain.seen.is_none() {
            domain.seen = Some(tx.now());
            let at = after(tx.now(), delay(tx, wait, &["validate", &certificate.arn, &domain.name]));
            schedule(tx, at, if renewing { "acm.renew" } else { "acm.validate" }, &key)?;
        }
    }
    certificate.save(tx)
}

/// Validates the names whose records have been there for long enough, and issues when they all are.
pub(super) fn validate(tx: &mut Tx<'_>, mut certificate: Certificate) -> Result<(), SandboxError> {
    if certificate.status != Status::PendingValidation {
        return Ok(());
    }
    let wait = bounds(settings::read(tx)?.validate_after);
    for index in 0..certificate.domains.len() {
        let there = present(tx, &certificate.domains[index])?;
        let domain = &mut certificate.domains[index];
        let long_enough =
            domain.seen.is_some_and(|seen| tx.now() >= after(seen, delay(tx, wait, &["validate", &certificate.arn, &domain.name])));
        if there && long_enough {
            domain.status = DomainStatus::Success;
        }
    }
    if certificate.domains.iter().all(|domain| domain.status == DomainStatus::Success) {
        if forbidden(tx, &certificate)? {
            certificate.status = Status::Failed;
            certificate.failure = Some("CAA_ERROR".to_owned());
        } else {
            issue(tx, &mut certificate)?;
            certificate.issued = Some(tx.now());
            certificate.status = Status::Issued;
        }
    }
    certificate.save(tx)
}

/// Gives a request up that nobody has validated for 72 hours.
pub(super) fn time_out(tx: &mut Tx<'_>, mut certificate: Certificate) -> Result<(), SandboxError> {
    if certificate.status != Status::PendingValidation {
        return Ok(());
    }
    certificate.status = Status::ValidationTimedOut;
    for domain in &mut certificate.domains {
        if domain.status == DomainStatus::PendingValidation {
            domain.status = DomainStatus::Failed;
        }
    }
    certificate.save(tx)
}

/// Whether a name's record is in the public DNS, with the right value.
pub(super) fn present(tx: &Tx<'_>, domain: &Domain) -> Result<bool, SandboxError> {
    Ok(resolve::cname(tx, &domain.record_name)?.as_deref() == Some(domain.record_value.as_str()))
}

/// Whether a CAA record keeps Amazon from issuing for one of the names.
pub(super) fn forbidden(tx: &Tx<'_>, certificate: &Certificate) -> Result<bool, SandboxError> {
    for name in &certificate.names {
        let records = resolve::caa(tx, &normalize(name).unwrap_or_default())?;
        let with = |tag: &str| -> Vec<String> { records.iter().filter_map(|record| property(record, tag)).collect() };
        // `issuewild` counts for wildcards only, and then alone.
        let wild = if name.starts_with("*.") { with("issuewild") } else { Vec::new() };
        let issuers = if wild.is_empty() { with("issue") } else { wild };
        if !issuers.is_empty() && !issuers.iter().any(|issuer| CAA_NAMES.contains(&issuer.as_str())) {
            return Ok(true);
        }
    }
    Ok(false)
}

/// The issuer in a CAA value such as `0 issue "amazon.com"`, when it has this tag.
fn property(record: &str, tag: &str) -> Option<String> {
    let mut words = record.trim().splitn(3, char::is_whitespace);
    let (_flags, name, value) = (words.next()?, words.next()?, words.next()?);
    let value = value.trim().trim_matches('"');
    name.eq_ignore_ascii_case(tag).then(|| value.split(';').next().unwrap_or_default().trim().to_ascii_lowercase())
}

/// Makes a new key and a new certificate, and plans its renewal and its end.
pub(super) fn issue(tx: &mut Tx<'_>, certificate: &mut Certificate) -> Result<(), SandboxError> {
    let algorithm = match certificate.key_algorithm.as_str() {
        "EC_prime256v1" => KeyAlgorithm::P256,
        "EC_secp384r1" => KeyAlgorithm::P384,
        _ => KeyAlgorithm::Rsa2048,
    };
    let not_before = midnight(tx.now());
    let days = if certificate.authority.is_some() { private::VALIDITY_DAYS } else { VALIDITY_DAYS };
    let not_after = after(not_before, SignedDuration::from_secs(days * 86_400 - 1));
    let signer = match &certificate.authority {
        Some(arn) => private::signer(tx, arn)?,
        None => authority::public(tx)?,
    };
    let Issued { leaf_pem, key, serial } = authority::issue(tx, &signer, &certificate.names, algorithm, not_before, not_after)?;
    let chain = signer.chain_pem.clone();
    tx.write(&certificate.part("pem"), &Pem { leaf: leaf_pem, chain })?;
    tx.write(&certificate.part("key"), &base64(&key))?;
    certificate.not_before = Some(not_before);
    certificate.not_after = Some(not_after);
    certificate.serial = Some(serial);
    certificate.subject = Some(format!("CN={}", certificate.domain_name()));
    certificate.issuer = Some(certificate.authority.as_ref().map_or_else(|| authority::issuer_name().to_owned(), |_| signer.name.clone()));
    certificate.signature_algorithm = Some("SHA256WITHECDSA".to_owned());
    certificate.exported_since_issue = false;
    let key = certificate.key();
    schedule(tx, after(not_after, -certificate.window()), "acm.window", &key)?;
    schedule(tx, after(not_after, SignedDuration::from_secs(1)), "acm.expire", &key)
}

/// A renewal that has just got into a state.
pub(super) fn renewal(tx: &Tx<'_>, status: RenewalStatus, certificate: &Certificate, domain: impl Fn(&Domain) -> DomainStatus) -> Renewal {
    let domains = certificate.domains.iter().map(|each| (each.name.clone(), domain(each))).collect();
    Renewal { status, reason: None, updated: tx.now(), domains }
}

/// Amazon's certificates begin at the midnight before their issue.
fn midnight(now: Timestamp) -> Timestamp {
    Timestamp::from_second(now.as_second() - now.as_second().rem_euclid(86_400)).unwrap_or(now)
}

fn base64(bytes: &[u8]) -> String {
    use base64::Engine as _;
    base64::engine::general_purpose::STANDARD.encode(bytes)
}
