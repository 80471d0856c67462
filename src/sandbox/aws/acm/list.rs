//! ListCertificates (semantics 1.7).

use jiff::SignedDuration;
use serde::Deserialize;
use serde_json::{Value, json};

use super::describe::{eligibility, key_usage_names};
use super::request::constraint;
use super::{Certificate, all, seconds};
use crate::sandbox::aws::wire::{Caller, Outcome, page_start, page_token, refuse};
use crate::sandbox::due::after;
use crate::sandbox::settings;
use crate::sandbox::world::Tx;

/// What a list has at most when it isn't said; the API doesn't document its own number.
const PAGE: usize = 100;

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct Input {
    #[serde(default)]
    certificate_statuses: Vec<String>,
    certificate_key_pair_origins: Option<Vec<String>>,
    includes: Option<Includes>,
    next_token: Option<String>,
    max_items: Option<usize>,
    sort_by: Option<String>,
    sort_order: Option<String>,
}

/// Filters, which are lower camel case in the JSON.
#[derive(Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct Includes {
    extended_key_usage: Vec<String>,
    key_usage: Vec<String>,
    key_types: Vec<String>,
    export_option: Option<String>,
    managed_by: Option<String>,
}

pub(super) fn list(tx: &Tx<'_>, caller: &Caller, input: Input) -> Outcome {
    let size = match input.max_items {
        None => PAGE,
        Some(size @ 1..=1000) => size,
        Some(other) => return Err(constraint("maxItems", &other.to_string(), "Member must be between 1 and 1000")),
    };
    let descending = match (input.sort_by.as_deref(), input.sort_order.as_deref()) {
        (None, None) => None,
        (Some("CREATED_AT"), Some(order @ ("ASCENDING" | "DESCENDING"))) => Some(order == "DESCENDING"),
        _ => return Err(refuse("ValidationException", "SortBy and SortOrder must be given together.")),
    };
    let start = match &input.next_token {
        None => None,
        Some(token) => Some(page_start(token).ok_or_else(|| refuse("ValidationException", "The next token is not valid."))?),
    };
    let mut includes = input.includes.unwrap_or_default();
    // What surprises everyone: other keys are left out unless they are asked for.
    if includes.key_types.is_empty() {
        includes.key_types = vec!["RSA_1024".to_owned(), "RSA_2048".to_owned()];
    }
    let lag = SignedDuration::from_secs(i64::try_from(settings::read(tx)?.list_lag).unwrap_or(i64::MAX));
    let origins = input.certificate_key_pair_origins;

    let all = all(tx, caller)?;
    let mut found: Vec<(String, &Certificate)> = all
        .iter()
        .filter(|certificate| tx.now() >= after(certificate.created, lag).max(certificate.visible))
        .filter(|certificate| wanted(certificate, &input.certificate_statuses, origins.as_deref(), &includes))
        .map(|certificate| {
            let order = match descending {
                None => String::new(),
                Some(false) => format!("{:020}", certificate.created.as_microsecond()),
                Some(true) => format!("{:020}", i64::MAX - certificate.created.as_microsecond()),
            };
            (format!("{order}/{}", certificate.id), certificate)
        })
        .collect();
    found.sort_by(|one, two| one.0.cmp(&two.0));
    let from = start.map_or(0, |start| found.partition_point(|(place, _)| *place < start));
    let page = &found[from..];
    let mut output = json!({ "CertificateSummaryList": page.iter().take(size).map(|(_, each)| summary(each)).collect::<Vec<_>>() });
    if let Some((next, _)) = page.get(size) {
        output["NextToken"] = json!(page_token(next));
    }
    Ok(output)
}

fn wanted(certificate: &Certificate, statuses: &[String], origins: Option<&[String]>, includes: &Includes) -> bool {
    let status = json!(certificate.status);
    let export = if certificate.exportable { "ENABLED" } else { "DISABLED" };
    let origin = if certificate.imported { "CUSTOMER_PROVIDED" } else { "AWS_MANAGED" };
    let any = |asked: &[String], has: &[&str]| asked.is_empty() || asked.iter().any(|one| one == "ANY" || has.contains(&one.as_str()));
    (statuses.is_empty() || statuses.iter().any(|asked| status == asked.as_str()))
        && includes.key_types.contains(&certificate.key_algorithm)
        && any(&includes.key_usage, &key_usage_names(certificate))
        && any(&includes.extended_key_usage, &["TLS_WEB_SERVER_AUTHENTICATION"])
        && includes.export_option.as_deref().is_none_or(|asked| asked == export)
        && includes.managed_by.is_none()
        && origins.is_none_or(|asked| asked.iter().any(|one| one == origin))
}

fn summary(certificate: &Certificate) -> Value {
    let mut summary = json!({
        "CertificateArn": certificate.arn,
        "DomainName": certificate.domain_name(),
        "SubjectAlternativeNameSummaries": certificate.names.iter().take(100).collect::<Vec<_>>(),
        "HasAdditionalSubjectAlternativeNames": certificate.names.len() > 100,
        "Status": certificate.status,
        "Type": certificate.kind(),
        "KeyAlgorithm": certificate.key_algorithm,
        "KeyUsages": if certificate.not_after.is_some() { key_usage_names(certificate) } else { Vec::new() },
        "ExtendedKeyUsages": if certificate.not_after.is_some() { vec!["TLS_WEB_SERVER_AUTHENTICATION"] } else { Vec::new() },
        "InUse": !certificate.in_use_by.is_empty(),
        "Exported": certificate.exported,
        "RenewalEligibility": eligibility(certificate),
        "CertificateKeyPairOrigin": if certificate.imported { "CUSTOMER_PROVIDED" } else { "AWS_MANAGED" },
    });
    let mut time = |name: &str, time: Option<_>| {
        if let Some(time) = time {
            summary[name] = seconds(time);
        }
    };
    time("NotBefore", certificate.not_before);
    time("NotAfter", certificate.not_after);
    time("IssuedAt", certificate.issued);
    time("CreatedAt", Some(certificate.created));
    if certificate.imported {
        time("ImportedAt", Some(certificate.created));
    }
    if certificate.kind() == "AMAZON_ISSUED" {
        summary["ExportOption"] = json!(if certificate.exportable { "ENABLED" } else { "DISABLED" });
    }
    summary
}
