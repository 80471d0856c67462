use aws_sdk_acm::error::ProvideErrorMetadata;
use aws_sdk_acm::primitives::Blob;
use aws_sdk_acm::types::{CertificateStatus, DomainStatus, FailureReason, Filters, KeyAlgorithm, SortBy, SortOrder, Tag, ValidationMethod};
use aws_sdk_route53::types::{ChangeAction, RrType};
use aws_smithy_types::retry::RetryConfig;
use x509_parser::pem::Pem;

use super::bed::{bed, change, code, config, refusal};
use crate::sandbox::Settings;

#[tokio::test(start_paused = true)]
async fn records_appear_some_seconds_after_the_request() {
    let bed = bed();
    bed.sandbox.set_settings(&Settings { describe_after: (1, 1), ..Settings::default() }).unwrap();
    let arn = bed.request("shop.example.com", &["*.shop.example.com"]).await;
    let early = bed.acm().describe_certificate().certificate_arn(&arn).send().await.unwrap_err();
    assert_eq!(code(&early), "ResourceNotFoundException");
    bed.advance("1s");
    let detail = bed.describe(&arn).await;
    assert_eq!(detail.status, Some(CertificateStatus::PendingValidation));
    assert!(detail.domain_validation_options().iter().all(|option| option.resource_record().is_none()));
    bed.advance("8s");
    let detail = bed.describe(&arn).await;
    let records: Vec<_> = detail.domain_validation_options().iter().map(|option| option.resource_record().unwrap()).collect();
    assert_eq!(records.len(), 2);
    assert_eq!(records[0], records[1], "an apex and its wildcard share one record");
    assert!(records[0].name.starts_with('_') && records[0].name.ends_with(".shop.example.com."));
    assert!(records[0].value.ends_with(".acm-validations.aws."));
}

#[tokio::test(start_paused = true)]
async fn the_record_of_a_domain_is_the_same_in_all_regions_and_another_in_other_accounts() {
    let bed = bed();
    let mut names = Vec::new();
    for (region, key) in [("eu-west-1", "AKIASANDBOX"), ("us-east-1", "AKIASANDBOX"), ("us-east-1", "ASIA11112222333300000000")] {
        let client = aws_sdk_acm::Client::new(&config(&bed.sandbox, region, key, RetryConfig::disabled()));
        let request = client.request_certificate().domain_name("a.example.com").validation_method(ValidationMethod::Dns);
        let arn = request.send().await.unwrap().certificate_arn.unwrap();
        bed.advance("9s");
        let detail = client.describe_certificate().certificate_arn(arn).send().await.unwrap().certificate.unwrap();
        names.push(detail.domain_validation_options()[0].resource_record().unwrap().name.clone());
    }
    assert_eq!(names[0], names[1]);
    assert_ne!(names[1], names[2]);
}

#[tokio::test(start_paused = true)]
async fn a_certificate_is_issued_some_minutes_after_its_record_is_in_the_zone() {
    let bed = bed();
    let arn = bed.request("shop.example.com", &["api.example.com"]).await;
    bed.advance("10m");
    assert_eq!(bed.describe(&arn).await.status, Some(CertificateStatus::PendingValidation));
    let zone = bed.zone("example.com").await;
    bed.validate(&arn, &zone).await;
    bed.advance("60s");
    assert_eq!(bed.describe(&arn).await.status, Some(CertificateStatus::PendingValidation));
    bed.advance("4m");
    let detail = bed.describe(&arn).await;
    assert_eq!(detail.status, Some(CertificateStatus::Issued));
    assert_eq!(detail.key_algorithm.as_ref().unwrap().as_str(), "RSA-2048");
    assert!(detail.domain_validation_options().iter().all(|option| option.validation_status == Some(DomainStatus::Success)));
    assert_eq!(detail.not_after.unwrap().secs() - detail.not_before.unwrap().secs(), 198 * 86_400 - 1);
}

#[tokio::test(start_paused = true)]
async fn a_record_in_a_shallower_zone_or_with_another_value_proves_nothing() {
    let bed = bed();
    let deep = bed.route53().create_hosted_zone().name("deep.example.com").caller_reference("deep").send().await.unwrap();
    let deep = deep.hosted_zone().unwrap().id().trim_start_matches("/hostedzone/").to_owned();
    let arn = bed.request("www.deep.example.com", &[]).await;
    let zone = bed.zone("example.com").await;
    bed.validate(&arn, &zone).await;
    bed.advance("1h");
    assert_eq!(bed.describe(&arn).await.status, Some(CertificateStatus::PendingValidation));
    let name = bed.describe(&arn).await.domain_validation_options()[0].resource_record().unwrap().name.clone();
    let wrong = change(ChangeAction::Upsert, &name, RrType::Cname, 300, &["_other.acm-validations.aws."]);
    bed.change(&deep, vec![wrong]).await.unwrap();
    bed.advance("1h");
    assert_eq!(bed.describe(&arn).await.status, Some(CertificateStatus::PendingValidation));
    bed.validate(&arn, &deep).await;
    bed.advance("5m");
    assert_eq!(bed.describe(&arn).await.status, Some(CertificateStatus::Issued));
}

#[tokio::test(start_paused = true)]
async fn a_record_that_was_there_before_the_request_validates_at_once() {
    let bed = bed();
    bed.issued("shop.example.com", &[]).await;
    let again = bed.request("shop.example.com", &["*.shop.example.com"]).await;
    bed.advance("5m");
    assert_eq!(bed.describe(&again).await.status, Some(CertificateStatus::Issued));
}

#[tokio::test(start_paused = true)]
async fn an_unvalidated_request_times_out_after_72_hours() {
    let bed = bed();
    let arn = bed.request("shop.example.com", &[]).await;
    bed.advance("71h");
    assert_eq!(bed.describe(&arn).await.status, Some(CertificateStatus::PendingValidation));
    bed.advance("1h");
    let detail = bed.describe(&arn).await;
    assert_eq!(detail.status, Some(CertificateStatus::ValidationTimedOut));
    assert_eq!(detail.domain_validation_options()[0].validation_status, Some(DomainStatus::Failed));
}

#[tokio::test(start_paused = true)]
async fn a_caa_record_of_others_fails_the_request_and_one_of_amazon_does_not() {
    let bed = bed();
    let zone = bed.zone("example.com").await;
    let caa = |value: &str| change(ChangeAction::Upsert, "example.com", RrType::Caa, 300, &[value]);
    bed.change(&zone, vec![caa("0 issue \"letsencrypt.org\"")]).await.unwrap();
    let arn = bed.request("shop.example.com", &[]).await;
    bed.validate(&arn, &zone).await;
    bed.advance("5m");
    let detail = bed.describe(&arn).await;
    assert_eq!((detail.status, detail.failure_reason), (Some(CertificateStatus::Failed), Some(FailureReason::CaaError)));
    bed.change(&zone, vec![caa("0 issue \"amazontrust.com\"")]).await.unwrap();
    bed.issued("shop.example.com", &[]).await;
}

#[tokio::test(start_paused = true)]
async fn a_token_brings_back_the_same_certificate_for_an_hour() {
    let bed = bed();
    let request = |token: &str, domain: &str| {
        let request = bed.acm().request_certificate().domain_name(domain).validation_method(ValidationMethod::Dns);
        let request = request.idempotency_token(token);
        async move { request.send().await.map(|output| output.certificate_arn.unwrap()) }
    };
    let first = request("t1", "a.example.com").await.unwrap();
    assert_eq!(request("t1", "A.example.com").await.unwrap(), first);
    assert_eq!(code(&request("t1", "b.example.com").await.unwrap_err()), "InvalidParameterException");
    assert_eq!(code(&request("has-hyphens", "a.example.com").await.unwrap_err()), "ValidationException");
    bed.advance("2s");
    bed.acm().delete_certificate().certificate_arn(&first).send().await.unwrap();
    assert_eq!(request("t1", "a.example.com").await.unwrap(), first, "the token of a deleted certificate gives its ARN");
    bed.advance("1h");
    assert_ne!(request("t1", "a.example.com").await.unwrap(), first);
}

#[tokio::test(start_paused = true)]
async fn quotas_are_refused_in_the_words_of_acm() {
    let bed = bed();
    let names: Vec<String> = (0..10).map(|number| format!("n{number}.example.com")).collect();
    let request = bed.acm().request_certificate().domain_name("a.example.com").set_subject_alternative_names(Some(names));
    let error = request.send().await.unwrap_err();
    assert_eq!(refusal(&error), ("LimitExceededException".to_owned(), "Certificate has too many domains.".to_owned()));
    bed.sandbox.set_settings(&Settings { certificates_per_year: 1, ..Settings::default() }).unwrap();
    let arn = bed.request("a.example.com", &[]).await;
    bed.advance("1s");
    bed.acm().delete_certificate().certificate_arn(arn).send().await.unwrap();
    let error = bed.acm().request_certificate().domain_name("b.example.com").send().await.unwrap_err();
    assert_eq!(error.message(), Some("Error: you have reached your limit of 1 certificates in the last year."));
    bed.advance("8784h");
    bed.request("b.example.com", &[]).await;
}

#[tokio::test(start_paused = true)]
async fn requests_that_acm_would_refuse_are_refused() {
    let bed = bed();
    let request = || bed.acm().request_certificate().validation_method(ValidationMethod::Dns);
    for domain in ["a.*.example.com", "-a.example.com", "localhost", "a..example.com", "exämple.com"] {
        assert_eq!(code(&request().domain_name(domain).send().await.unwrap_err()), "ValidationException", "{domain}");
    }
    let long = format!("{}.{}.example.com", "a".repeat(40), "b".repeat(40));
    assert_eq!(code(&request().domain_name(&long).send().await.unwrap_err()), "InvalidParameterException");
    request().domain_name("a.example.com").subject_alternative_names(long).send().await.unwrap();
    let tag = Tag::builder().key("aws:x").build().unwrap();
    assert_eq!(code(&request().domain_name("a.example.com").tags(tag).send().await.unwrap_err()), "InvalidTagException");
    let error = request().domain_name("a.example.com").key_algorithm(KeyAlgorithm::Rsa4096).send().await.unwrap_err();
    assert_eq!(code(&error), "InvalidParameterException");
}

#[tokio::test(start_paused = true)]
async fn lists_leave_out_other_keys_unless_they_are_asked_for() {
    let bed = bed();
    let request = || bed.acm().request_certificate().validation_method(ValidationMethod::Dns);
    let rsa = request().domain_name("rsa.example.com").send().await.unwrap().certificate_arn.unwrap();
    let ec =
        request().domain_name("ec.example.com").key_algorithm(KeyAlgorithm::EcPrime256v1).send().await.unwrap().certificate_arn.unwrap();
    bed.advance("2s");
    let arns = |output: aws_sdk_acm::operation::list_certificates::ListCertificatesOutput| -> Vec<String> {
        output.certificate_summary_list().iter().map(|summary| summary.certificate_arn.clone().unwrap()).collect()
    };
    assert_eq!(arns(bed.acm().list_certificates().send().await.unwrap()), std::slice::from_ref(&rsa));
    let both = Filters::builder().key_types(KeyAlgorithm::Rsa2048).key_types(KeyAlgorithm::EcPrime256v1).build();
    let list = bed.acm().list_certificates().includes(both).sort_by(SortBy::CreatedAt).sort_order(SortOrder::Descending);
    let output = list.send().await.unwrap();
    assert_eq!(output.certificate_summary_list()[0].key_algorithm, Some(KeyAlgorithm::EcPrime256v1));
    assert_eq!(arns(output).len(), 2);
    assert!(arns(bed.acm().list_certificates().certificate_statuses(CertificateStatus::Issued).send().await.unwrap()).is_empty());
    assert_eq!(code(&bed.acm().list_certificates().sort_by(SortBy::CreatedAt).send().await.unwrap_err()), "ValidationException");
    let elsewhere = aws_sdk_acm::Client::new(&config(&bed.sandbox, "us-east-1", "AKIASANDBOX", RetryConfig::disabled()));
    assert!(arns(elsewhere.list_certificates().send().await.unwrap()).is_empty());
    assert_eq!(code(&elsewhere.describe_certificate().certificate_arn(ec).send().await.unwrap_err()), "ResourceNotFoundException");
}

#[tokio::test(start_paused = true)]
async fn pages_give_each_certificate_once() {
    let bed = bed();
    for number in 0..25 {
        bed.request(&format!("n{number}.example.com"), &[]).await;
    }
    bed.advance("1s");
    let mut pages = bed.acm().list_certificates().max_items(10).into_paginator().send();
    let (mut sizes, mut seen) = (Vec::new(), std::collections::BTreeSet::new());
    while let Some(page) = pages.next().await {
        let page = page.unwrap();
        sizes.push(page.certificate_summary_list().len());
        seen.extend(page.certificate_summary_list().iter().map(|summary| summary.domain_name.clone().unwrap()));
    }
    assert_eq!((sizes, seen.len()), (vec![10, 10, 5], 25));
}

#[tokio::test(start_paused = true)]
async fn an_export_gives_an_encrypted_key_that_belongs_to_the_leaf_and_a_chain_that_verifies() {
    let bed = bed();
    let zone = bed.zone("example.com").await;
    for algorithm in [KeyAlgorithm::Rsa2048, KeyAlgorithm::EcPrime256v1, KeyAlgorithm::EcSecp384r1] {
        let options = aws_sdk_acm::types::CertificateOptions::builder().export(aws_sdk_acm::types::CertificateExport::Enabled).build();
        let request = bed.acm().request_certificate().domain_name("shop.example.com").subject_alternative_names("*.shop.example.com");
        let request = request.validation_method(ValidationMethod::Dns).key_algorithm(algorithm.clone()).options(options);
        let arn = request.send().await.unwrap().certificate_arn.unwrap();
        bed.advance("2s");
        let export = || bed.acm().export_certificate().certificate_arn(&arn);
        let error = export().passphrase(Blob::new("passphrase")).send().await.unwrap_err();
        assert_eq!(code(&error), "RequestInProgressException");
        bed.validate(&arn, &zone).await;
        bed.advance("5m");
        for passphrase in ["abc", "with#hash", "with$dollar", "with%percent", "überlang"] {
            let error = export().passphrase(Blob::new(passphrase)).send().await.unwrap_err();
            assert_eq!(code(&error), "ValidationException", "{passphrase}");
        }
        let output = export().passphrase(Blob::new("passphrase")).send().await.unwrap();
        let again = export().passphrase(Blob::new("passphrase")).send().await.unwrap();
        assert_ne!(output.private_key(), again.private_key(), "each export is encrypted anew");
        assert_eq!(output.certificate(), again.certificate());

        let key = output.private_key().unwrap();
        assert!(key.starts_with("-----BEGIN ENCRYPTED PRIVATE KEY-----"));
        let (label, encrypted) = pkcs8::SecretDocument::from_pem(key).unwrap();
        assert_eq!(label, "ENCRYPTED PRIVATE KEY");
        let info = pkcs8::EncryptedPrivateKeyInfoRef::try_from(encrypted.as_bytes()).unwrap();
        assert!(info.decrypt("another").is_err());
        let decrypted = info.decrypt("passphrase").unwrap();

        let leaf = Pem::iter_from_buffer(output.certificate().unwrap().as_bytes()).next().unwrap().unwrap();
        let leaf = leaf.parse_x509().unwrap();
        let pair = rcgen::KeyPair::try_from(decrypted.as_bytes()).unwrap();
        assert_eq!(pair.public_key_raw(), leaf.public_key().subject_public_key.as_ref());
        let names = leaf.subject_alternative_name().unwrap().unwrap();
        let names: Vec<String> = names.value.general_names.iter().map(ToString::to_string).collect();
        assert_eq!(names, ["DNSName(shop.example.com)", "DNSName(*.shop.example.com)"]);
        let usage = leaf.extended_key_usage().unwrap().unwrap();
        assert!(usage.value.server_auth && !usage.value.client_auth);

        let chain: Vec<Pem> = Pem::iter_from_buffer(output.certificate_chain().unwrap().as_bytes()).map(Result::unwrap).collect();
        assert_eq!(chain.len(), 2);
        let (intermediate, root) = (chain[0].parse_x509().unwrap(), chain[1].parse_x509().unwrap());
        leaf.verify_signature(Some(intermediate.public_key())).unwrap();
        intermediate.verify_signature(Some(root.public_key())).unwrap();
        root.verify_signature(None).unwrap();
        assert_eq!(leaf.issuer(), intermediate.subject());
        let roots = bed.sandbox.root_certificates_pem().unwrap();
        assert!(output.certificate_chain().unwrap().ends_with(&roots));
        let serial = bed.describe(&arn).await.serial.unwrap();
        assert_eq!(serial, leaf.raw_serial_as_string());
        let get = bed.acm().get_certificate().certificate_arn(&arn).send().await.unwrap();
        assert_eq!(get.certificate(), output.certificate());
    }
}

#[tokio::test(start_paused = true)]
async fn what_is_not_exportable_is_not_exported() {
    let bed = bed();
    let request = bed.acm().request_certificate().domain_name("shop.example.com").validation_method(ValidationMethod::Dns);
    let arn = request.send().await.unwrap().certificate_arn.unwrap();
    let zone = bed.zone("example.com").await;
    bed.validate(&arn, &zone).await;
    bed.advance("5m");
    let export = bed.acm().export_certificate().certificate_arn(arn).passphrase(Blob::new("passphrase"));
    assert_eq!(code(&export.send().await.unwrap_err()), "ValidationException");
}

#[tokio::test(start_paused = true)]
async fn what_is_in_use_is_not_deleted() {
    let bed = bed();
    let arn = bed.issued("shop.example.com", &[]).await;
    let user = "arn:aws:elasticloadbalancing:eu-west-1:000000000000:loadbalancer/app/x/1";
    bed.sandbox.set_in_use(&arn, &[user]).unwrap();
    assert_eq!(bed.describe(&arn).await.in_use_by(), [user]);
    let delete = || bed.acm().delete_certificate().certificate_arn(&arn).send();
    assert_eq!(code(&delete().await.unwrap_err()), "ResourceInUseException");
    bed.sandbox.set_in_use(&arn, &[]).unwrap();
    delete().await.unwrap();
    let error = bed.acm().describe_certificate().certificate_arn(&arn).send().await.unwrap_err();
    assert_eq!(code(&error), "ResourceNotFoundException");
    let error = bed.acm().describe_certificate().certificate_arn("arn:aws:nonsense").send().await.unwrap_err();
    assert_eq!(code(&error), "InvalidArnException");
}

#[tokio::test(start_paused = true)]
async fn tags_are_added_by_key_and_removed_by_key_and_value() {
    let bed = bed();
    let arn = bed.request("shop.example.com", &[]).await;
    bed.advance("1s");
    let tag = |key: &str, value: &str| Tag::builder().key(key).value(value).build().unwrap();
    bed.acm().add_tags_to_certificate().certificate_arn(&arn).tags(tag("a", "1")).tags(tag("b", "2")).send().await.unwrap();
    let remove = bed.acm().remove_tags_from_certificate().certificate_arn(&arn).tags(tag("a", "other"));
    remove.tags(Tag::builder().key("b").build().unwrap()).send().await.unwrap();
    let tags = bed.acm().list_tags_for_certificate().certificate_arn(&arn).send().await.unwrap();
    let tags: Vec<_> = tags.tags().iter().map(|tag| (tag.key(), tag.value().unwrap())).collect();
    assert_eq!(tags, [("a", "1"), ("stack", "demo")]);
}

#[tokio::test(start_paused = true)]
async fn an_imported_certificate_must_fit_its_key() {
    let bed = bed();
    let arn = bed.issued("shop.example.com", &[]).await;
    let export = bed.acm().export_certificate().certificate_arn(&arn).passphrase(Blob::new("passphrase")).send().await.unwrap();
    let (_, encrypted) = pkcs8::SecretDocument::from_pem(export.private_key().unwrap()).unwrap();
    let key = pkcs8::EncryptedPrivateKeyInfoRef::try_from(encrypted.as_bytes()).unwrap().decrypt("passphrase").unwrap();
    let key = key.to_pem("PRIVATE KEY", pkcs8::LineEnding::LF).unwrap();
    let import = || {
        let import = bed.acm().import_certificate().certificate(Blob::new(export.certificate().unwrap()));
        import.certificate_chain(Blob::new(export.certificate_chain().unwrap()))
    };
    let imported = import().private_key(Blob::new(key.as_bytes())).send().await.unwrap().certificate_arn.unwrap();
    let detail = bed.describe(&imported).await;
    assert_eq!(detail.r#type.unwrap().as_str(), "IMPORTED");
    assert_eq!(detail.serial, bed.describe(&arn).await.serial);
    let other = rcgen::KeyPair::generate().unwrap();
    let other = pem_rfc7468::encode_string("PRIVATE KEY", pem_rfc7468::LineEnding::LF, other.serialized_der()).unwrap();
    let error = import().private_key(Blob::new(other)).send().await.unwrap_err();
    assert_eq!(code(&error), "InvalidParameterException");
}
