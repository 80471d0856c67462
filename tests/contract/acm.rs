//! ACM: requests, records, lists, exports, tags.

use std::collections::{BTreeMap, BTreeSet};

use aws_sdk_acm::operation::import_certificate::builders::ImportCertificateFluentBuilder;
use aws_sdk_acm::types::{
    CertificateDetail, CertificateExport, CertificateOptions, CertificateStatus, CertificateSummary, CertificateType, DomainStatus,
    DomainValidation, Filters, KeyAlgorithm, RecordType, Tag, ValidationMethod,
};
use aws_smithy_types::Blob;
use meshform::material::{Expected, Exported, Material};
use meshform::secret::SecretBytes;

use super::world::{World, refused};

contracts! { acm:
    the_same_token_gives_the_same_certificate,
    another_token_gives_another_certificate,
    a_token_has_at_most_32_characters,
    a_token_has_no_hyphens,
    a_new_token_after_a_deletion_gives_a_new_certificate,
    the_token_of_a_deleted_certificate_is_answered_with_an_arn,
    a_new_certificate_gets_a_record_for_each_name,
    a_wildcard_and_its_apex_share_a_record,
    each_domain_has_a_value_of_its_own,
    a_second_certificate_of_a_domain_has_the_same_record,
    a_certificate_is_not_issued_before_its_records_are_there,
    an_issued_certificate_tells_type_dates_and_validations,
    the_domain_is_among_the_names,
    names_come_back_in_lower_case,
    the_key_algorithm_comes_in_one_of_two_spellings,
    a_key_on_an_elliptic_curve_is_what_it_was_asked_for,
    whether_a_key_can_be_exported_is_told,
    a_list_without_key_types_hides_elliptic_curves,
    a_list_of_all_key_types_shows_each_certificate_once,
    a_list_comes_in_pages,
    the_list_tells_status_and_dates,
    the_list_tells_the_names,
    a_deleted_certificate_is_not_found,
    a_pending_certificate_can_be_deleted,
    tags_are_set_at_the_request,
    tags_are_added_and_overwritten,
    a_tag_is_removed_by_its_key_alone,
    an_export_opens_with_its_passphrase_and_belongs_together,
    the_chain_of_an_export_signs_its_leaf,
    each_export_has_the_same_leaf,
    an_export_of_a_pending_certificate_is_refused,
    an_export_that_was_not_asked_for_is_refused,
    the_certificate_alone_is_the_exported_leaf,
    a_pending_certificate_has_no_leaf,
    an_import_is_told_with_its_names_and_is_issued_at_once,
    an_import_is_given_back_as_it_came,
    an_import_with_the_key_of_another_is_refused,
    an_import_anew_keeps_the_arn,
    an_import_anew_keeps_the_tags,
    an_import_anew_takes_no_tags,
    an_import_anew_of_another_kind_of_key_is_refused,
    an_import_is_not_exported,
    a_certificate_of_a_private_ca_has_no_validation,
    a_certificate_of_a_private_ca_is_exported_without_leave,
}

const PASSPHRASE: &str = "a-passphrase-of-the-contract";

fn tag(key: &str, value: &str) -> Tag {
    Tag::builder().key(key).value(value).build().unwrap()
}

async fn tags(world: &World, arn: &str) -> BTreeMap<String, String> {
    let answer = world.acm.list_tags_for_certificate().certificate_arn(arn).send().await.unwrap();
    answer.tags().iter().map(|tag| (tag.key().to_owned(), tag.value().unwrap_or_default().to_owned())).collect()
}

fn all_key_types() -> Filters {
    let types = ["RSA_1024", "RSA_2048", "RSA_3072", "RSA_4096", "EC_prime256v1", "EC_secp384r1", "EC_secp521r1"];
    types.iter().fold(Filters::builder(), |filters, key| filters.key_types(KeyAlgorithm::from(*key))).build()
}

async fn listed(world: &World) -> Vec<CertificateSummary> {
    let answer = world.acm.list_certificates().includes(all_key_types()).max_items(1000).send().await.unwrap();
    assert_eq!(answer.next_token(), None);
    answer.certificate_summary_list().to_vec()
}

async fn summary(world: &World, arn: &str) -> CertificateSummary {
    listed(world).await.into_iter().find(|summary| summary.certificate_arn() == Some(arn)).expect("the certificate in the list")
}

async fn export(world: &World, arn: &str) -> Exported {
    let answer = world.acm.export_certificate().certificate_arn(arn).passphrase(Blob::new(PASSPHRASE)).send().await.unwrap();
    Exported {
        certificate: answer.certificate().unwrap().to_owned(),
        chain: answer.certificate_chain().unwrap().to_owned(),
        encrypted_key: SecretBytes::from_text(answer.private_key().unwrap().to_owned()),
    }
}

async fn the_same_token_gives_the_same_certificate(world: &World) {
    let (domain, token) = (world.domain(), world.token("same"));
    let first = world.request_with(&[&domain], |request| request.idempotency_token(&token).tags(tag("a", "b"))).await;
    let again = world.request_with(&[&domain], |request| request.idempotency_token(&token).tags(tag("a", "b"))).await;
    assert_eq!(first, again);
}

async fn another_token_gives_another_certificate(world: &World) {
    let domain = world.domain();
    let first = world.request_with(&[&domain], |request| request.idempotency_token(world.token("one"))).await;
    let other = world.request_with(&[&domain], |request| request.idempotency_token(world.token("two"))).await;
    assert_ne!(first, other);
}

async fn a_token_has_at_most_32_characters(world: &World) {
    let longest = world.token("longest");
    assert_eq!(longest.len(), 32);
    world.request_with(&[&world.domain()], |request| request.idempotency_token(longest)).await;
    let code = refused(world.request_certificate(&[&world.domain()]).idempotency_token("a".repeat(33)).send().await);
    assert!(["ValidationException", "InvalidParameterException"].contains(&code.as_str()), "{code}");
}

async fn a_token_has_no_hyphens(world: &World) {
    let code = refused(world.request_certificate(&[&world.domain()]).idempotency_token("a-b").send().await);
    assert!(["ValidationException", "InvalidParameterException"].contains(&code.as_str()), "{code}");
}

async fn a_new_token_after_a_deletion_gives_a_new_certificate(world: &World) {
    let domain = world.domain();
    let first = world.request_with(&[&domain], |request| request.idempotency_token(world.token("first"))).await;
    world.acm.delete_certificate().certificate_arn(&first).send().await.unwrap();
    let next = world.request_with(&[&domain], |request| request.idempotency_token(world.token("next"))).await;
    assert_ne!(first, next);
    world.with_records(&next).await;
}

async fn the_token_of_a_deleted_certificate_is_answered_with_an_arn(world: &World) {
    let (domain, token) = (world.domain(), world.token("deleted"));
    let arn = world.request_with(&[&domain], |request| request.idempotency_token(&token)).await;
    world.acm.delete_certificate().certificate_arn(&arn).send().await.unwrap();
    let again = world.request_certificate(&[&domain]).idempotency_token(&token).send().await.expect("an ARN");
    assert!(again.certificate_arn().unwrap().starts_with("arn:aws:acm:eu-west-1:"));
}

async fn a_new_certificate_gets_a_record_for_each_name(world: &World) {
    let domain = world.domain();
    let www = format!("www.{domain}");
    let arn = world.request(&[&domain, &www]).await;
    let detail = world.with_records(&arn).await;
    let names: BTreeSet<&str> = detail.domain_validation_options().iter().map(DomainValidation::domain_name).collect();
    assert_eq!(names, BTreeSet::from([domain.as_str(), &www]));
    for option in detail.domain_validation_options() {
        let record = option.resource_record().unwrap();
        assert_eq!(*record.r#type(), RecordType::Cname);
        assert!(record.name().starts_with('_') && record.name().ends_with(&format!(".{}.", option.domain_name())), "{record:?}");
        assert!(record.value().starts_with('_') && record.value().ends_with(".acm-validations.aws."), "{record:?}");
        assert_eq!(option.validation_method(), Some(&ValidationMethod::Dns));
    }
}

async fn records(world: &World, names: &[&str]) -> BTreeMap<String, (String, String)> {
    let arn = world.request(names).await;
    let detail = world.with_records(&arn).await;
    let record = |option: &DomainValidation| {
        let record = option.resource_record().unwrap();
        (option.domain_name().to_owned(), (record.name().to_owned(), record.value().to_owned()))
    };
    detail.domain_validation_options().iter().map(record).collect()
}

async fn a_wildcard_and_its_apex_share_a_record(world: &World) {
    let domain = world.domain();
    let wildcard = format!("*.{domain}");
    let records = records(world, &[&domain, &wildcard]).await;
    assert_eq!(records.len(), 2);
    assert_eq!(records[&domain], records[&wildcard]);
}

async fn each_domain_has_a_value_of_its_own(world: &World) {
    let domain = world.domain();
    let www = format!("www.{domain}");
    let records = records(world, &[&domain, &www]).await;
    assert_ne!(records[&domain].0, records[&www].0, "the names of the records");
    assert_ne!(records[&domain].1, records[&www].1, "the values of the records");
}

async fn a_second_certificate_of_a_domain_has_the_same_record(world: &World) {
    let domain = world.domain();
    let (first, second) = (records(world, &[&domain]).await, records(world, &[&domain, &format!("www.{domain}")]).await);
    assert_eq!(first[&domain], second[&domain]);
}

async fn a_certificate_is_not_issued_before_its_records_are_there(world: &World) {
    let arn = world.request(&[&world.domain()]).await;
    world.with_records(&arn).await;
    // Longer than either world takes with the records.
    let wait = if world.is_sandbox() { 1_000 } else { 2 };
    tokio::time::sleep(std::time::Duration::from_secs(wait)).await;
    let detail = world.describe(&arn).await.unwrap();
    assert_eq!(detail.status(), Some(&CertificateStatus::PendingValidation));
    world.issue(&arn).await;
}

async fn an_issued_certificate_tells_type_dates_and_validations(world: &World) {
    let arn = world.request(&[&world.domain()]).await;
    let detail = world.issue(&arn).await;
    assert_eq!(detail.certificate_arn(), Some(arn.as_str()));
    assert_eq!(detail.r#type(), Some(&CertificateType::AmazonIssued));
    let now = world.now().as_second();
    assert!(detail.not_before().unwrap().secs() <= now && now < detail.not_after().unwrap().secs());
    assert!(detail.issued_at().is_some());
    assert_eq!(detail.failure_reason(), None);
    assert!(detail.in_use_by().is_empty() && detail.renewal_summary().is_none());
    for option in detail.domain_validation_options() {
        assert_eq!(option.validation_status(), Some(&DomainStatus::Success));
    }
}

async fn the_domain_is_among_the_names(world: &World) {
    let domain = world.domain();
    let www = format!("www.{domain}");
    let arn = world.request(&[&domain, &www]).await;
    let detail = world.with_records(&arn).await;
    assert_eq!(detail.domain_name(), Some(domain.as_str()));
    let names: BTreeSet<&str> = detail.subject_alternative_names().iter().map(String::as_str).collect();
    assert_eq!(names, BTreeSet::from([domain.as_str(), &www]));
}

async fn names_come_back_in_lower_case(world: &World) {
    let domain = world.domain();
    let arn = world.request(&[&format!("Shop.{domain}"), &format!("WWW.{domain}")]).await;
    let detail = world.with_records(&arn).await;
    assert_eq!(detail.domain_name(), Some(format!("shop.{domain}").as_str()));
    let names: BTreeSet<&str> = detail.subject_alternative_names().iter().map(String::as_str).collect();
    assert_eq!(names, BTreeSet::from([format!("shop.{domain}").as_str(), &format!("www.{domain}")]));
}

async fn the_key_algorithm_comes_in_one_of_two_spellings(world: &World) {
    let arn = world.request(&[&world.domain()]).await;
    let detail = world.with_records(&arn).await;
    let spelling = detail.key_algorithm().unwrap().as_str().to_owned();
    assert!(["RSA_2048", "RSA-2048"].contains(&spelling.as_str()), "{spelling}");
}

async fn a_key_on_an_elliptic_curve_is_what_it_was_asked_for(world: &World) {
    let arn = world.request_with(&[&world.domain()], |request| request.key_algorithm(KeyAlgorithm::EcPrime256v1)).await;
    let detail = world.issue(&arn).await;
    assert_eq!(detail.key_algorithm().unwrap().as_str().replace('-', "_"), "EC_prime256v1", "the key algorithm");
    let exported = export(world, &arn).await;
    open(world, &exported, vec![world.domain()], world.is_sandbox());
}

async fn whether_a_key_can_be_exported_is_told(world: &World) {
    for export in [CertificateExport::Enabled, CertificateExport::Disabled] {
        let options = CertificateOptions::builder().export(export.clone()).build();
        let arn = world.request_with(&[&world.domain()], |request| request.options(options)).await;
        let detail = world.with_records(&arn).await;
        assert_eq!(detail.options().and_then(|options| options.export()), Some(&export));
    }
}

async fn a_list_without_key_types_hides_elliptic_curves(world: &World) {
    let rsa = world.request(&[&world.domain()]).await;
    let curve = world.request_with(&[&world.domain()], |request| request.key_algorithm(KeyAlgorithm::EcPrime256v1)).await;
    world.with_records(&curve).await;
    let answer = world.acm.list_certificates().max_items(1000).send().await.unwrap();
    let arns: BTreeSet<&str> = answer.certificate_summary_list().iter().filter_map(|summary| summary.certificate_arn()).collect();
    assert!(arns.contains(rsa.as_str()));
    assert!(!arns.contains(curve.as_str()), "the list shows it");
}

async fn a_list_of_all_key_types_shows_each_certificate_once(world: &World) {
    let rsa = world.request(&[&world.domain()]).await;
    let curve = world.request_with(&[&world.domain()], |request| request.key_algorithm(KeyAlgorithm::EcPrime256v1)).await;
    let issued = world.issued(&[&world.domain()]).await;
    let listed = listed(world).await;
    for arn in [&rsa, &curve, &issued] {
        assert_eq!(listed.iter().filter(|summary| summary.certificate_arn() == Some(arn.as_str())).count(), 1);
    }
}

async fn a_list_comes_in_pages(world: &World) {
    let mut made = BTreeSet::new();
    for number in 0..3 {
        made.insert(world.request(&[&format!("n{number}.{}", world.domain())]).await);
    }
    let (mut found, mut pages, mut token) = (Vec::new(), 0, None);
    loop {
        let page = world.acm.list_certificates().includes(all_key_types()).max_items(1).set_next_token(token).send().await.unwrap();
        assert!(page.certificate_summary_list().len() <= 1, "a page is longer than asked for");
        found.extend(page.certificate_summary_list().iter().filter_map(|summary| summary.certificate_arn().map(str::to_owned)));
        pages += 1;
        token = page.next_token().map(str::to_owned);
        if token.is_none() {
            break;
        }
    }
    assert!(pages >= 3);
    found.retain(|arn| made.contains(arn));
    assert_eq!(found.len(), 3);
    assert_eq!(found.into_iter().collect::<BTreeSet<_>>(), made);
}

async fn the_list_tells_status_and_dates(world: &World) {
    let arn = world.request(&[&world.domain()]).await;
    let detail = world.issue(&arn).await;
    let summary = summary(world, &arn).await;
    assert_eq!(summary.status(), Some(&CertificateStatus::Issued));
    assert_eq!(summary.domain_name(), Some(world.domain().as_str()));
    assert_eq!(summary.not_before(), detail.not_before());
    assert_eq!(summary.not_after(), detail.not_after());
    assert_eq!(summary.issued_at(), detail.issued_at());
    // Where the list says it, it says the same as the description.
    assert!(summary.r#type().is_none_or(|kind| Some(kind) == detail.r#type()));
}

async fn the_list_tells_the_names(world: &World) {
    let domain = world.domain();
    let wildcard = format!("*.{domain}");
    let arn = world.request(&[&domain, &wildcard]).await;
    let summary = summary(world, &arn).await;
    let names: BTreeSet<&str> = summary.subject_alternative_name_summaries().iter().map(String::as_str).collect();
    assert_eq!(names, BTreeSet::from([domain.as_str(), &wildcard]), "the names in the list");
    assert_eq!(summary.has_additional_subject_alternative_names(), Some(false));
}

async fn a_deleted_certificate_is_not_found(world: &World) {
    let arn = world.issued(&[&world.domain()]).await;
    world.acm.delete_certificate().certificate_arn(&arn).send().await.unwrap();
    let gone = "ResourceNotFoundException";
    assert_eq!(refused(world.acm.describe_certificate().certificate_arn(&arn).send().await), gone);
    assert_eq!(refused(world.acm.get_certificate().certificate_arn(&arn).send().await), gone);
    assert_eq!(refused(world.acm.delete_certificate().certificate_arn(&arn).send().await), gone);
    assert_eq!(refused(world.acm.list_tags_for_certificate().certificate_arn(&arn).send().await), gone);
    assert!(listed(world).await.iter().all(|summary| summary.certificate_arn() != Some(arn.as_str())));
}

async fn a_pending_certificate_can_be_deleted(world: &World) {
    let arn = world.request(&[&world.domain()]).await;
    world.acm.delete_certificate().certificate_arn(&arn).send().await.unwrap();
    assert!(world.describe(&arn).await.is_none());
}

async fn tags_are_set_at_the_request(world: &World) {
    let arn = world.request_with(&[&world.domain()], |request| request.tags(tag("a", "1")).tags(tag("b/c", "x@y z"))).await;
    assert_eq!(tags(world, &arn).await, BTreeMap::from([("a".into(), "1".into()), ("b/c".into(), "x@y z".into())]));
}

async fn tags_are_added_and_overwritten(world: &World) {
    let arn = world.request_with(&[&world.domain()], |request| request.tags(tag("a", "1")).tags(tag("b", "2"))).await;
    world.acm.add_tags_to_certificate().certificate_arn(&arn).tags(tag("b", "3")).tags(tag("c", "4")).send().await.unwrap();
    let wanted = [("a", "1"), ("b", "3"), ("c", "4")].map(|(key, value)| (key.to_owned(), value.to_owned()));
    assert_eq!(tags(world, &arn).await, BTreeMap::from(wanted));
}

async fn a_tag_is_removed_by_its_key_alone(world: &World) {
    let arn = world.request_with(&[&world.domain()], |request| request.tags(tag("a", "1")).tags(tag("b", "2"))).await;
    let key = |key: &str| Tag::builder().key(key).build().unwrap();
    let request = world.acm.remove_tags_from_certificate().certificate_arn(&arn).tags(key("a")).tags(key("not there"));
    request.send().await.unwrap();
    assert_eq!(tags(world, &arn).await, BTreeMap::from([("b".into(), "2".into())]));
}

#[track_caller]
fn open(world: &World, exported: &Exported, names: Vec<String>, verify_chain: bool) -> Material {
    let expected = Expected { names, now: world.now(), verify_chain };
    match Material::open(exported, &SecretBytes::from_text(PASSPHRASE.to_owned()), &expected) {
        Ok(material) => material,
        Err(error) => panic!("the export can't be used: {error}"),
    }
}

async fn an_export_opens_with_its_passphrase_and_belongs_together(world: &World) {
    let domain = world.domain();
    let names = vec![domain.clone(), format!("*.{domain}")];
    let arn = world.issued(&[&names[0], &names[1]]).await;
    let exported = export(world, &arn).await;
    assert!(exported.chain.contains("BEGIN CERTIFICATE"));
    let material = open(world, &exported, names, false);
    let detail = world.describe(&arn).await.unwrap();
    assert_eq!(material.leaf().not_after, detail.not_after().unwrap().secs());
    let expected = Expected { names: vec![domain], now: world.now(), verify_chain: false };
    assert!(Material::open(&exported, &SecretBytes::from_text("another".into()), &expected).is_err());
}

async fn the_chain_of_an_export_signs_its_leaf(world: &World) {
    let arn = world.issued(&[&world.domain()]).await;
    open(world, &export(world, &arn).await, vec![world.domain()], true);
}

async fn each_export_has_the_same_leaf(world: &World) {
    let arn = world.issued(&[&world.domain()]).await;
    let exports = [export(world, &arn).await, export(world, &arn).await];
    assert_eq!(exports[0].certificate, exports[1].certificate);
    let [first, second] = exports.map(|exported| open(world, &exported, Vec::new(), false).leaf().public_key_sha256.clone());
    assert_eq!(first, second);
}

async fn an_export_of_a_pending_certificate_is_refused(world: &World) {
    let arn = world.request(&[&world.domain()]).await;
    let code = refused(world.acm.export_certificate().certificate_arn(&arn).passphrase(Blob::new(PASSPHRASE)).send().await);
    assert!(["RequestInProgressException", "ResourceNotFoundException"].contains(&code.as_str()), "{code}");
}

async fn an_export_that_was_not_asked_for_is_refused(world: &World) {
    let options = CertificateOptions::builder().export(CertificateExport::Disabled).build();
    let arn = world.request_with(&[&world.domain()], |request| request.options(options)).await;
    world.issue(&arn).await;
    let code = refused(world.acm.export_certificate().certificate_arn(&arn).passphrase(Blob::new(PASSPHRASE)).send().await);
    assert_eq!(code, "ValidationException");
}

async fn the_certificate_alone_is_the_exported_leaf(world: &World) {
    let arn = world.issued(&[&world.domain()]).await;
    let exported = export(world, &arn).await;
    let answer = world.acm.get_certificate().certificate_arn(&arn).send().await.unwrap();
    let alone = meshform::material::PublicPart::read(answer.certificate().unwrap(), answer.certificate_chain().unwrap()).unwrap();
    let whole = meshform::material::PublicPart::read(&exported.certificate, &exported.chain).unwrap();
    assert_eq!(alone.leaf(), whole.leaf());
}

async fn a_pending_certificate_has_no_leaf(world: &World) {
    let arn = world.request(&[&world.domain()]).await;
    let code = refused(world.acm.get_certificate().certificate_arn(&arn).send().await);
    assert!(["RequestInProgressException", "ResourceNotFoundException"].contains(&code.as_str()), "{code}");
}

/// A leaf and its key with a root of its own, valid by the world's clock.
struct Own {
    leaf: String,
    chain: String,
    key: String,
}

fn own(world: &World, domain: &str, algorithm: &'static rcgen::SignatureAlgorithm) -> Own {
    let epoch = rcgen::date_time_ymd(1970, 1, 1);
    let at = |days: i64| {
        let time = world.now() + jiff::SignedDuration::from_hours(24 * days);
        epoch + std::time::Duration::from_secs(u64::try_from(time.as_second()).unwrap())
    };
    let root_key = rcgen::KeyPair::generate().unwrap();
    let mut root = rcgen::CertificateParams::default();
    root.distinguished_name.push(rcgen::DnType::CommonName, "Contract Root");
    root.is_ca = rcgen::IsCa::Ca(rcgen::BasicConstraints::Unconstrained);
    (root.not_before, root.not_after) = (at(-2), at(300));
    let chain = root.self_signed(&root_key).unwrap();
    let key = rcgen::KeyPair::generate_for(algorithm).unwrap();
    let mut params = rcgen::CertificateParams::new(vec![domain.to_owned(), format!("*.{domain}")]).unwrap();
    params.distinguished_name = rcgen::DistinguishedName::new();
    params.distinguished_name.push(rcgen::DnType::CommonName, domain);
    (params.not_before, params.not_after) = (at(-1), at(200));
    let leaf = params.signed_by(&key, &rcgen::Issuer::from_params(&root, &root_key)).unwrap();
    let pem = |label: &str, der: &[u8]| pem_rfc7468::encode_string(label, pem_rfc7468::LineEnding::LF, der).unwrap();
    Own { leaf: pem("CERTIFICATE", leaf.der()), chain: pem("CERTIFICATE", chain.der()), key: pem("PRIVATE KEY", key.serialized_der()) }
}

fn import(world: &World, own: &Own) -> ImportCertificateFluentBuilder {
    let blob = |text: &str| Blob::new(text.as_bytes());
    world.acm.import_certificate().certificate(blob(&own.leaf)).private_key(blob(&own.key)).certificate_chain(blob(&own.chain))
}

/// Imports one, which goes with the world.
async fn imported(world: &World, own: &Own) -> String {
    let arn = import(world, own).tags(tag("a", "b")).send().await.unwrap().certificate_arn().unwrap().to_owned();
    world.made_certificate(&arn);
    arn
}

async fn an_import_is_told_with_its_names_and_is_issued_at_once(world: &World) {
    let domain = world.domain();
    let arn = imported(world, &own(world, &domain, &rcgen::PKCS_ECDSA_P256_SHA256)).await;
    let detail = world.describe(&arn).await.unwrap();
    assert_eq!((detail.r#type(), detail.status()), (Some(&CertificateType::Imported), Some(&CertificateStatus::Issued)));
    assert_eq!(detail.domain_name(), Some(domain.as_str()));
    assert!(detail.subject_alternative_names().contains(&format!("*.{domain}")));
    assert!(detail.domain_validation_options().is_empty());
    assert!(detail.imported_at().is_some() && detail.not_after().is_some());
    assert_eq!(tags(world, &arn).await, BTreeMap::from([("a".to_owned(), "b".to_owned())]));
    let summary = summary(world, &arn).await;
    assert_eq!(summary.r#type(), Some(&CertificateType::Imported));
    assert!(summary.imported_at().is_some(), "the list doesn't tell when it was imported");
}

async fn an_import_is_given_back_as_it_came(world: &World) {
    let own = own(world, &world.domain(), &rcgen::PKCS_ECDSA_P256_SHA256);
    let arn = imported(world, &own).await;
    let answer = world.acm.get_certificate().certificate_arn(&arn).send().await.unwrap();
    let trimmed = |text: Option<&str>| text.unwrap_or_default().trim().to_owned();
    assert_eq!(trimmed(answer.certificate()), own.leaf.trim());
    assert_eq!(trimmed(answer.certificate_chain()), own.chain.trim(), "the chain");
}

async fn an_import_with_the_key_of_another_is_refused(world: &World) {
    let domain = world.domain();
    let mut one = own(world, &domain, &rcgen::PKCS_ECDSA_P256_SHA256);
    one.key = own(world, &domain, &rcgen::PKCS_ECDSA_P256_SHA256).key;
    let code = refused(import(world, &one).send().await);
    assert!(["ValidationException", "InvalidParameterException"].contains(&code.as_str()), "{code}");
}

async fn an_import_anew_keeps_the_arn(world: &World) {
    let domain = world.domain();
    let arn = imported(world, &own(world, &domain, &rcgen::PKCS_ECDSA_P256_SHA256)).await;
    let before = world.describe(&arn).await.unwrap();
    let again = import(world, &own(world, &domain, &rcgen::PKCS_ECDSA_P256_SHA256)).certificate_arn(&arn).send().await.unwrap();
    assert_eq!(again.certificate_arn(), Some(arn.as_str()));
    assert_ne!(world.describe(&arn).await.unwrap().serial(), before.serial());
}

async fn an_import_anew_keeps_the_tags(world: &World) {
    let domain = world.domain();
    let arn = imported(world, &own(world, &domain, &rcgen::PKCS_ECDSA_P256_SHA256)).await;
    import(world, &own(world, &domain, &rcgen::PKCS_ECDSA_P256_SHA256)).certificate_arn(&arn).send().await.unwrap();
    assert_eq!(tags(world, &arn).await, BTreeMap::from([("a".to_owned(), "b".to_owned())]), "the tags");
}

async fn an_import_anew_takes_no_tags(world: &World) {
    let own = own(world, &world.domain(), &rcgen::PKCS_ECDSA_P256_SHA256);
    let arn = imported(world, &own).await;
    let code = refused(import(world, &own).certificate_arn(&arn).tags(tag("c", "d")).send().await);
    assert_eq!(code, "ValidationException");
}

async fn an_import_anew_of_another_kind_of_key_is_refused(world: &World) {
    let domain = world.domain();
    let arn = imported(world, &own(world, &domain, &rcgen::PKCS_ECDSA_P256_SHA256)).await;
    let other = own(world, &domain, &rcgen::PKCS_ECDSA_P384_SHA384);
    let code = refused(import(world, &other).certificate_arn(&arn).send().await);
    assert!(["ValidationException", "InvalidParameterException"].contains(&code.as_str()), "{code}");
}

async fn an_import_is_not_exported(world: &World) {
    let arn = imported(world, &own(world, &world.domain(), &rcgen::PKCS_ECDSA_P256_SHA256)).await;
    refused(world.acm.export_certificate().certificate_arn(&arn).passphrase(Blob::new(PASSPHRASE)).send().await);
}

const AUTHORITY: &str = "arn:aws:acm-pca:eu-west-1:000000000000:certificate-authority/11111111-2222-3333-4444-555555555555";

/// A certificate of a private CA, once it is issued.
async fn private(world: &World) -> (String, CertificateDetail) {
    let request = world.acm.request_certificate().domain_name(world.domain()).certificate_authority_arn(AUTHORITY);
    let arn = request.key_algorithm(KeyAlgorithm::EcPrime256v1).send().await.unwrap().certificate_arn().unwrap().to_owned();
    world.made_certificate(&arn);
    let issued = async || {
        let detail = world.describe(&arn).await?;
        (detail.status() == Some(&CertificateStatus::Issued)).then_some(detail)
    };
    let detail = world.until("the signature of the CA", issued).await;
    (arn, detail)
}

async fn a_certificate_of_a_private_ca_has_no_validation(world: &World) {
    let (arn, detail) = private(world).await;
    assert_eq!(detail.r#type(), Some(&CertificateType::Private));
    assert_eq!(detail.certificate_authority_arn(), Some(AUTHORITY));
    assert_eq!(summary(world, &arn).await.r#type(), Some(&CertificateType::Private));
    assert!(detail.domain_validation_options().is_empty(), "it has validations");
}

async fn a_certificate_of_a_private_ca_is_exported_without_leave(world: &World) {
    let (arn, _) = private(world).await;
    let exported = export(world, &arn).await;
    assert!(exported.encrypted_key.len() > 100);
}
