//! RequestCertificate (semantics 1.1).

use std::collections::{BTreeMap, BTreeSet};

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::tags::{Tag, checked};
use super::{Certificate, Domain, DomainStatus, Status, prefix, private, validate};
use crate::sandbox::aws::wire::{Caller, Outcome, hex, refuse};
use crate::sandbox::due::{after, delay, schedule};
use crate::sandbox::settings::{self, Settings, bounds};
use crate::sandbox::world::{Tx, digest};

/// For how long a token brings back the same certificate.
const TOKEN_LIFE: SignedDuration = SignedDuration::from_hours(1);
/// After how long an unvalidated request is given up.
const TIMEOUT: SignedDuration = SignedDuration::from_hours(72);

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct Input {
    domain_name: Option<String>,
    validation_method: Option<String>,
    #[serde(default)]
    subject_alternative_names: Vec<String>,
    idempotency_token: Option<String>,
    #[serde(default)]
    domain_validation_options: Vec<Value>,
    options: Option<Options>,
    certificate_authority_arn: Option<String>,
    #[serde(default)]
    tags: Vec<Tag>,
    key_algorithm: Option<String>,
    managed_by: Option<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Options {
    export: Option<String>,
}

/// What a token was used for.
#[derive(Serialize, Deserialize)]
struct Token {
    arn: String,
    parameters: String,
    at: Timestamp,
}

/// How much of the quotas is used in an account and region.
#[derive(Default, Serialize, Deserialize)]
pub(super) struct Meter {
    /// Requests by day, of deleted certificates too.
    requested: BTreeMap<jiff::civil::Date, u64>,
    /// Certificates that exist.
    pub(super) live: u64,
}

/// What was asked for, checked.
struct Order {
    names: Vec<String>,
    by_email: bool,
    exportable: bool,
    key_algorithm: String,
    authority: Option<String>,
    tags: BTreeMap<String, String>,
}

pub(super) fn request(tx: &mut Tx<'_>, caller: &Caller, input: Input) -> Outcome {
    let token = input.idempotency_token.clone();
    if let Some(token) = &token
        && !((1..=32).contains(&token.len()) && token.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_'))
    {
        return Err(constraint("idempotencyToken", token, "Member must satisfy regular expression pattern: \\w+"));
    }
    let order = Order::check(input)?;
    let settings = settings::read(tx)?;
    let parameters = order.parameters();
    let token_key = token.map(|token| format!("{}{token}", prefix(&caller.account, &caller.region, "token")));
    if let Some(key) = &token_key
        && let Some(used) = tx.read::<Token>(key)?.filter(|used| tx.now() < after(used.at, TOKEN_LIFE))
    {
        if used.parameters == parameters {
            // Even when it was deleted meanwhile: the token remembers (semantics R7).
            return Ok(json!({ "CertificateArn": used.arn }));
        }
        return Err(refuse("InvalidParameterException", "The idempotency token was used before with different parameters."));
    }
    if order.names.len() > settings.names_per_certificate {
        return Err(refuse("LimitExceededException", "Certificate has too many domains."));
    }
    if order.authority.is_none() {
        count(tx, caller, &settings)?;
    }

    let certificate = order.certificate(tx, caller, &settings);
    certificate.save(tx)?;
    if certificate.authority.is_some() {
        private::schedule_signature(tx, &certificate)?;
    }
    for domain in &certificate.domains {
        tx.write(&validate::interest(domain, &certificate), &certificate.key())?;
    }
    if certificate.authority.is_none() {
        schedule(tx, certificate.records_at, "acm.records", &certificate.key())?;
        schedule(tx, after(tx.now(), TIMEOUT), "acm.timeout", &certificate.key())?;
    }
    if let Some(key) = token_key {
        tx.write(&key, &Token { arn: certificate.arn.clone(), parameters, at: tx.now() })?;
    }
    Ok(json!({ "CertificateArn": certificate.arn }))
}

/// Counts a new certificate, if the quotas allow one.
fn count(tx: &mut Tx<'_>, caller: &Caller, settings: &Settings) -> Outcome<()> {
    let key = meter(caller);
    let mut meter: Meter = tx.read(&key)?.unwrap_or_default();
    let today = tx.now().to_zoned(jiff::tz::TimeZone::UTC).date();
    let year_ago = today.saturating_sub(jiff::Span::new().days(365));
    meter.requested.retain(|day, _| *day > year_ago);
    let limit = settings.certificates_per_year;
    if meter.requested.values().sum::<u64>() >= limit {
        let message = format!("Error: you have reached your limit of {limit} certificates in the last year.");
        return Err(refuse("LimitExceededException", message));
    }
    if meter.live >= settings.certificates {
        return Err(refuse(
            "LimitExceededException",
            "Error: you have reached the maximum number of certificates. Delete certificates that are not in use, or contact AWS Support to request an increase.",
        ));
    }
    *meter.requested.entry(today).or_default() += 1;
    meter.live += 1;
    tx.write(&key, &meter)?;
    Ok(())
}

/// The key of an account's quotas in a region.
pub(super) fn meter(caller: &Caller) -> String {
    format!("acm/{}/{}/meter", caller.account, caller.region)
}

impl Order {
    fn check(input: Input) -> Outcome<Self> {
        let domain = input.domain_name.unwrap_or_default();
        let mut names = vec![name(&domain, "domainName")?];
        if domain.len() > 64 {
            let message = format!("The first domain name can be no longer than 64 characters: {domain}");
            return Err(refuse("InvalidParameterException", message));
        }
        if input.subject_alternative_names.len() > 100 {
            return Err(constraint("subjectAlternativeNames", "[…]", "Member must have length less than or equal to 100"));
        }
        let mut seen = BTreeSet::from([names[0].clone()]);
        for other in &input.subject_alternative_names {
            let other = name(other, "subjectAlternativeNames")?;
            if seen.insert(other.clone()) {
                names.push(other);
            }
        }
        let authority = input.certificate_authority_arn;
        if let Some(arn) = authority.as_ref().filter(|arn| private::place(arn).is_none()) {
            return Err(refuse("InvalidArnException", format!("The Amazon Resource Name (ARN) is not valid: {arn}")));
        }
        if input.managed_by.is_some() || input.validation_method.as_deref() == Some("HTTP") {
            return Err(refuse("InvalidParameterException", "The sandbox has no certificates that CloudFront manages."));
        }
        let by_email = match input.validation_method.as_deref() {
            _ if authority.is_some() => false,
            None | Some("EMAIL") => true,
            Some("DNS") => false,
            Some(other) => return Err(constraint("validationMethod", other, "Member must satisfy enum value set: [EMAIL, DNS, HTTP]")),
        };
        if !by_email && !input.domain_validation_options.is_empty() {
            let message = "Domain validation options can only be given with email validation.";
            return Err(refuse("InvalidDomainValidationOptionsException", message));
        }
        let key_algorithm = match input.key_algorithm.as_deref() {
            None => "RSA_2048",
            Some(known @ ("RSA_2048" | "EC_prime256v1" | "EC_secp384r1")) => known,
            Some(known @ ("RSA_1024" | "RSA_3072" | "RSA_4096" | "EC_secp521r1")) => {
                return Err(refuse("InvalidParameterException", format!("The key algorithm {known} can't be requested.")));
            }
            Some(other) => return Err(constraint("keyAlgorithm", other, "Member must satisfy enum value set")),
        };
        let exportable = match input.options.and_then(|options| options.export).as_deref() {
            // The key of one that a private CA signs can always be exported.
            _ if authority.is_some() => true,
            None | Some("DISABLED") => false,
            Some("ENABLED") => true,
            Some(other) => return Err(constraint("options.export", other, "Member must satisfy enum value set: [ENABLED, DISABLED]")),
        };
        let tags = checked(&input.tags, &BTreeMap::new())?;
        Ok(Self { names, by_email, exportable, key_algorithm: key_algorithm.to_owned(), authority, tags })
    }

    /// All that has to be the same when a token is used again.
    fn parameters(&self) -> String {
        let mut names = self.names.clone();
        names[1..].sort_unstable();
        let tags: Vec<String> = self.tags.iter().map(|(key, value)| format!("{key}={value}")).collect();
        let authority = self.authority.as_deref().unwrap_or_default();
        let flags = format!("{} {} {} {authority}", self.by_email, self.exportable, self.key_algorithm);
        hex(&digest(&[&names.join(" "), &flags, &tags.join("\n")]))
    }

    fn certificate(self, tx: &mut Tx<'_>, caller: &Caller, settings: &Settings) -> Certificate {
        let id = uuid(&tx.fresh());
        let arn = format!("arn:aws:acm:{}:{}:certificate/{id}", caller.region, caller.account);
        let now = tx.now();
        let visible = after(now, delay(tx, bounds(settings.describe_after), &["visible", &arn]));
        let records_at = after(now, delay(tx, bounds(settings.records_after), &["records", &arn]));
        let validated = self.names.iter().filter(|_| self.authority.is_none());
        let domains = validated.map(|name| {
            let (record_name, record_value) = validate::record(tx, &caller.account, name);
            Domain { name: name.clone(), record_name, record_value, status: DomainStatus::PendingValidation, seen: None }
        });
        Certificate {
            domains: domains.collect(),
            account: caller.account.clone(),
            region: caller.region.clone(),
            ever_tagged: !self.tags.is_empty(),
            names: self.names,
            key_algorithm: self.key_algorithm,
            exportable: self.exportable,
            authority: self.authority,
            by_email: self.by_email,
            tags: self.tags,
            created: now,
            visible,
            records_at,
            ..Certificate::blank(arn, id, now)
        }
    }
}

impl Certificate {
    /// A certificate of which nothing is known yet.
    pub(super) fn blank(arn: String, id: String, now: Timestamp) -> Self {
        Self {
            arn,
            account: String::new(),
            region: String::new(),
            id,
            names: Vec::new(),
            key_algorithm: String::new(),
            signature_algorithm: None,
            imported: false,
            status: Status::PendingValidation,
            failure: None,
            exportable: false,
            authority: None,
            by_email: false,
            created: now,
            visible: now,
            records_at: now,
            domains: Vec::new(),
            issued: None,
            not_before: None,
            not_after: None,
            serial: None,
            subject: None,
            issuer: None,
            exported: false,
            exported_since_issue: false,
            in_use_by: Vec::new(),
            renewal: None,
            tags: BTreeMap::new(),
            ever_tagged: false,
        }
    }
}

/// A name as the model's pattern has it: at most one leading `*.`, at least two labels. In lower case.
fn name(given: &str, field: &str) -> Outcome<String> {
    let plain = given.strip_prefix("*.").unwrap_or(given);
    let labels: Vec<&str> = plain.split('.').collect();
    let label = |label: &&str| {
        (1..=63).contains(&label.len())
            && label.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-')
            && !label.starts_with('-')
            && !label.ends_with('-')
    };
    if given.len() <= 253 && labels.len() >= 2 && labels.iter().all(label) {
        return Ok(given.to_ascii_lowercase());
    }
    Err(constraint(field, given, "Member must satisfy regular expression pattern of domain names"))
}

/// What AWS answers when a member doesn't fit the model.
pub(super) fn constraint(field: &str, value: &str, rule: &str) -> crate::sandbox::aws::Failure {
    let message = format!("1 validation error detected: Value '{value}' at '{field}' failed to satisfy constraint: {rule}");
    refuse("ValidationException", message)
}

/// A UUID made of these bytes.
pub(super) fn uuid(bytes: &[u8; 32]) -> String {
    let mut bytes = *bytes;
    bytes[6] = (bytes[6] & 0x0f) | 0x40;
    bytes[8] = (bytes[8] & 0x3f) | 0x80;
    let text = hex(&bytes[..16]);
    [&text[..8], &text[8..12], &text[12..16], &text[16..20], &text[20..]].join("-")
}
