//! DescribeCertificate.

use serde_json::{Map, Value, json};

use super::{ArnInput, Certificate, Domain, Status, find, seconds};
use crate::sandbox::aws::wire::{Caller, Outcome};
use crate::sandbox::world::Tx;

pub(super) fn describe(tx: &Tx<'_>, caller: &Caller, input: &ArnInput) -> Outcome {
    let certificate = find(tx, caller, input.certificate_arn.as_deref())?;
    let records = tx.now() >= certificate.records_at;
    let mut detail = Map::new();
    let mut set = |name: &str, value: Value| {
        if !value.is_null() {
            detail.insert(name.to_owned(), value);
        }
    };
    set("CertificateArn", json!(certificate.arn));
    set("DomainName", json!(certificate.domain_name()));
    set("SubjectAlternativeNames", json!(certificate.names));
    set("Status", json!(certificate.status));
    set("Type", json!(certificate.kind()));
    // Not as the model spells it: RSA-2048 (semantics R3).
    set("KeyAlgorithm", json!(certificate.key_algorithm.replace('_', "-")));
    set("InUseBy", json!(certificate.in_use_by));
    set("RenewalEligibility", json!(eligibility(&certificate)));
    set("Serial", json!(certificate.serial));
    set("Subject", json!(certificate.subject));
    set("Issuer", json!(certificate.issuer));
    set("SignatureAlgorithm", json!(certificate.signature_algorithm));
    set("NotBefore", json!(certificate.not_before.map(seconds)));
    set("NotAfter", json!(certificate.not_after.map(seconds)));
    set("FailureReason", json!(certificate.failure));
    set("Options", options(&certificate));
    if certificate.imported {
        set("ImportedAt", seconds(certificate.created));
        set("CertificateKeyPairOrigin", json!("CUSTOMER_PROVIDED"));
    } else {
        set("CreatedAt", seconds(certificate.created));
        set("IssuedAt", json!(certificate.issued.map(seconds)));
        set("CertificateKeyPairOrigin", json!("AWS_MANAGED"));
        set("CertificateAuthorityArn", json!(certificate.authority));
    }
    // Only of certificates that Amazon itself signs (API: CertificateDetail, DomainValidationOptions).
    if certificate.kind() == "AMAZON_ISSUED" {
        let domains: Vec<Value> =
            certificate.domains.iter().map(|domain| show(&certificate, domain, &json!(domain.status), records)).collect();
        set("DomainValidationOptions", json!(domains));
    }
    if certificate.not_after.is_some() {
        set("KeyUsages", key_usages(&certificate));
        set("ExtendedKeyUsages", json!([{ "Name": "TLS_WEB_SERVER_AUTHENTICATION", "OID": "1.3.6.1.5.5.7.3.1" }]));
    }
    if let Some(renewal) = &certificate.renewal {
        let domains = renewal.domains.iter().filter_map(|(name, status)| {
            let domain = certificate.domains.iter().find(|domain| domain.name == *name)?;
            Some(show(&certificate, domain, &json!(status), true))
        });
        let mut summary = json!({
            "RenewalStatus": renewal.status,
            "DomainValidationOptions": domains.collect::<Vec<_>>(),
            "UpdatedAt": seconds(renewal.updated),
        });
        if let Some(reason) = &renewal.reason {
            summary["RenewalStatusReason"] = json!(reason);
        }
        set("RenewalSummary", summary);
    }
    Ok(json!({ "Certificate": detail }))
}

pub(super) fn eligibility(certificate: &Certificate) -> &'static str {
    if certificate.renewable() { "ELIGIBLE" } else { "INELIGIBLE" }
}

pub(super) fn key_usage_names(certificate: &Certificate) -> Vec<&'static str> {
    let rsa = certificate.key_algorithm.starts_with("RSA");
    if rsa { vec!["DIGITAL_SIGNATURE", "KEY_ENCIPHERMENT"] } else { vec!["DIGITAL_SIGNATURE"] }
}

fn key_usages(certificate: &Certificate) -> Value {
    key_usage_names(certificate).into_iter().map(|name| json!({ "Name": name })).collect()
}

fn options(certificate: &Certificate) -> Value {
    let is_public = certificate.kind() == "AMAZON_ISSUED";
    let mut options = json!({ "CertificateTransparencyLoggingPreference": if is_public { "ENABLED" } else { "DISABLED" } });
    if is_public {
        options["Export"] = json!(if certificate.exportable { "ENABLED" } else { "DISABLED" });
    }
    options
}

/// A name's validation. The record is known only some seconds after the request (semantics 1.2).
fn show(certificate: &Certificate, domain: &Domain, status: &Value, records: bool) -> Value {
    let mut option = json!({ "DomainName": domain.name, "ValidationStatus": status });
    if certificate.by_email {
        let base = domain.name.strip_prefix("*.").unwrap_or(&domain.name);
        option["ValidationMethod"] = json!("EMAIL");
        option["ValidationDomain"] = json!(base);
        if records && certificate.status == Status::PendingValidation {
            let users = ["admin", "administrator", "hostmaster", "postmaster", "webmaster"];
            option["ValidationEmails"] = users.iter().map(|user| json!(format!("{user}@{base}"))).collect();
        }
    } else {
        option["ValidationMethod"] = json!("DNS");
        option["ValidationDomain"] = json!(domain.name);
        if records {
            option["ResourceRecord"] = json!({ "Name": domain.record_name, "Type": "CNAME", "Value": domain.record_value });
        }
    }
    option
}
