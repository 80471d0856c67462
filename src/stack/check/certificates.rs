//! `certificates:`

use std::collections::BTreeMap;

use super::{aws, deliveries, names, origins, syntax, zones};
use crate::diag::{Place, shown};
use crate::input::Entry;
use crate::stack::origin::join;
use crate::stack::parse::{Fields, Reader};
use crate::stack::{Aws, Certificate, CertificateOrigin, Dns, KeyAlgorithm, schema};

/// How long to wait for the issue by default, and at most: ACM itself gives up after 72 hours.
const ISSUE_TIMEOUT: u64 = 2_700;
const MOST_TIMEOUT: u64 = 72 * 3600;

/// Reads `certificates:`.
pub(super) fn certificates(reader: &mut Reader<'_>, stack: &Fields<'_>, aws: Option<&Aws>) -> BTreeMap<String, Certificate> {
    let Some(section) = stack.get("certificates") else { return BTreeMap::new() };
    let entries = reader.named(&section.value, "certificates");
    if !entries.is_empty() && stack.get("aws").is_none() {
        let help = "add `aws: {region: eu-west-1}`, or the region of yours";
        reader.error("aws/no-region", "no region", "certificates live in a region", &section.key_place, help);
    }
    let mut certificates = BTreeMap::new();
    let mut taken = deliveries::Taken::default();
    for entry in entries {
        if let Some(certificate) = certificate(reader, stack, entry, aws, &mut taken) {
            certificates.insert(entry.key.clone(), certificate);
        }
    }
    certificates
}

fn certificate(
    reader: &mut Reader<'_>,
    stack: &Fields<'_>,
    entry: &Entry,
    aws: Option<&Aws>,
    taken: &mut deliveries::Taken,
) -> Option<Certificate> {
    key(reader, &entry.key, &entry.key_place);
    let mut fields = reader.fields(&entry.value, &join("certificates", &entry.key), &schema::CERTIFICATE)?;
    // A missing key is told at the certificate's own name.
    fields.place = entry.key_place.clone();
    let none = BTreeMap::new();
    let inherited = aws.map_or(&none, |aws| &aws.tags);
    let origin = origins::origin(reader, &fields);
    let is_named = fields.get("domain").is_some() || fields.get("names").is_some();
    let needs_names = match &origin {
        Some(CertificateOrigin::Public | CertificateOrigin::PrivateCa { .. }) => true,
        Some(CertificateOrigin::Existing { .. }) => false,
        // Of an import its files tell the names; of an origin that is wrong no more is told.
        Some(CertificateOrigin::Imported(_)) | None => is_named,
    };
    let names = if needs_names { names::names(reader, &fields) } else { Some(names::Names::none()) };
    let zones = zones::zones(reader, &fields);
    if let Some(names) = &names {
        zones::contain(reader, &zones, names);
    }
    let dns = dns(reader, &fields);
    let key_algorithm = key_algorithm(reader, &fields);
    let export = reader.boolean(&fields, "export");
    let region = match &origin {
        Some(CertificateOrigin::Existing { arn }) => origins::region(arn).map(ToOwned::to_owned),
        _ => aws::region(reader, &fields),
    };
    let tags = aws::tags(reader, &fields, inherited);
    let adopt = reader.boolean(&fields, "adopt");
    let issue_timeout = issue_timeout(reader, &fields);
    let place = region.as_deref().or(aws.map(|aws| aws.region.as_str())).unwrap_or_default();
    let secrets_manager = deliveries::secrets_manager(reader, &fields, place, inherited, taken);
    let tls_secrets = deliveries::tls_secrets(reader, &fields, stack, taken);
    if let (Some(origin), Some(aws)) = (&origin, aws) {
        origins::surroundings(reader, &fields, origin, aws, place);
    }
    // Only of a public certificate the key may stay in ACM for good.
    if origin == Some(CertificateOrigin::Public) && (fields.get("export").is_none() || export == Some(false)) {
        for delivery in ["secrets_manager", "tls_secrets"].iter().filter_map(|key| fields.get(key)) {
            let detail = format!("`{}` needs the private key, and the certificate is not exportable", fields.at(&delivery.key));
            let help =
                format!("add `export: true` to `certificates.{}` (exportable certificates are charged at issue and renewal)", entry.key);
            reader.error("certificate/export", "delivery of a certificate that can't be exported", detail, &delivery.key_place, &help);
        }
    }
    let names_set = names.as_ref().map(names::set);
    Some(Certificate {
        origin: origin?,
        domain: names?.domain,
        names: names_set?,
        zones,
        dns: dns?,
        key_algorithm: key_algorithm?,
        export: export.unwrap_or(false),
        region,
        tags,
        adopt,
        issue_timeout: issue_timeout?,
        secrets_manager,
        tls_secrets,
        place: entry.key_place.clone(),
    })
}

fn key(reader: &mut Reader<'_>, key: &str, place: &Place) {
    let allowed = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_');
    if key.is_empty() || key.len() > 63 || !key.chars().all(allowed) || !key.starts_with(|c: char| c.is_ascii_alphanumeric()) {
        let detail = format!("{} can't name a certificate in the stack", shown(key));
        let help = "up to 63 letters, digits, `-` and `_`, a letter or digit first; the domain stands in `domain`";
        reader.error("certificate/key", "bad key for a certificate", detail, place, help);
    }
}

fn dns(reader: &mut Reader<'_>, fields: &Fields<'_>) -> Option<Dns> {
    if fields.get("dns").is_none() {
        return Some(Dns::Route53);
    }
    let dns = reader.string_of(fields, "dns")?;
    match dns.text.as_str() {
        "route53" => Some(Dns::Route53),
        "manual" => Some(Dns::Manual),
        other => {
            let detail = format!("`{}` is `route53` or `manual`, and this is {}", fields.at("dns"), shown(other));
            reader.error("stack/bad-value", "value not allowed", detail, &dns.place, "");
            None
        }
    }
}

fn key_algorithm(reader: &mut Reader<'_>, fields: &Fields<'_>) -> Option<KeyAlgorithm> {
    if fields.get("key_algorithm").is_none() {
        return Some(KeyAlgorithm::Rsa2048);
    }
    let text = reader.string_of(fields, "key_algorithm")?;
    let all = [KeyAlgorithm::Rsa2048, KeyAlgorithm::EcPrime256v1, KeyAlgorithm::EcSecp384r1];
    if let Some(found) = all.into_iter().find(|algorithm| algorithm.as_str() == text.text) {
        return Some(found);
    }
    let detail = format!("{} is none of `RSA_2048`, `EC_prime256v1`, `EC_secp384r1`", shown(&text.text));
    // Other names of the same curves and keys: secp256r1 and P-256 are prime256v1.
    let digits: String = text.text.chars().filter(char::is_ascii_digit).collect();
    let near = all.into_iter().find(|algorithm| digits.contains(["2048", "256", "384"][*algorithm as usize]));
    let help = near.map_or_else(
        || "ACM issues public certificates for these only; others can be imported".to_owned(),
        |near| format!("did you mean `{}`?", near.as_str()),
    );
    reader.error("stack/bad-value", "value not allowed", detail, &text.place, &help);
    None
}

fn issue_timeout(reader: &mut Reader<'_>, fields: &Fields<'_>) -> Option<u64> {
    if fields.get("issue_timeout").is_none() {
        return Some(ISSUE_TIMEOUT);
    }
    let text = reader.string_of(fields, "issue_timeout")?;
    let seconds = syntax::duration(&text.text).filter(|seconds| (1..=MOST_TIMEOUT).contains(seconds));
    if seconds.is_none() {
        let detail = format!("{} is not a duration between `1s` and `72h`", shown(&text.text));
        reader.error("certificate/timeout", "bad duration", detail, &text.place, "write it like `45m` or `1h30m`");
    }
    seconds
}
