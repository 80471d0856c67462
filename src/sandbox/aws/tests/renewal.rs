use aws_sdk_acm::primitives::Blob;
use aws_sdk_acm::types::{CertificateStatus, RenewalEligibility, RenewalStatus};
use aws_sdk_route53::types::{ChangeAction, RrType};

use super::bed::{Bed, bed, change, code};

const DAYS_TO_WINDOW: i32 = 198 - 45;

async fn export(bed: &Bed, arn: &str) -> String {
    let output = bed.acm().export_certificate().certificate_arn(arn).passphrase(Blob::new("passphrase")).send().await.unwrap();
    output.certificate.unwrap()
}

async fn remove_record(bed: &Bed, arn: &str) -> (String, String) {
    let detail = bed.describe(arn).await;
    let record = detail.domain_validation_options()[0].resource_record().unwrap();
    let zone = bed.zone("example.com").await;
    bed.change(&zone, vec![change(ChangeAction::Delete, &record.name, RrType::Cname, 300, &[&record.value])]).await.unwrap();
    (record.name.clone(), record.value.clone())
}

#[tokio::test(start_paused = true)]
async fn an_exported_certificate_is_renewed_45_days_before_its_end_with_a_new_serial_and_key() {
    let bed = bed();
    let arn = bed.issued("shop.example.com", &["*.shop.example.com"]).await;
    let first = export(&bed, &arn).await;
    let before = bed.describe(&arn).await;
    assert_eq!(before.renewal_eligibility, Some(RenewalEligibility::Eligible));
    assert!(before.renewal_summary.is_none());
    bed.advance(&format!("{}h", 24 * (DAYS_TO_WINDOW - 1)));
    assert_eq!(bed.describe(&arn).await.serial, before.serial);
    bed.advance("24h");
    let after = bed.describe(&arn).await;
    assert_ne!(after.serial, before.serial);
    assert!(after.not_after > before.not_after);
    assert_eq!(after.certificate_arn, before.certificate_arn);
    assert_eq!(after.renewal_summary().unwrap().renewal_status, RenewalStatus::Success);
    assert_eq!(after.renewal_eligibility, Some(RenewalEligibility::Ineligible), "it has to be exported again");
    assert_ne!(export(&bed, &arn).await, first);
}

#[tokio::test(start_paused = true)]
async fn what_nobody_uses_is_not_renewed_and_expires() {
    let bed = bed();
    let arn = bed.issued("shop.example.com", &[]).await;
    bed.advance(&format!("{}h", 24 * 197));
    assert_eq!(bed.describe(&arn).await.status, Some(CertificateStatus::Issued));
    bed.advance("48h");
    let detail = bed.describe(&arn).await;
    assert_eq!(detail.status, Some(CertificateStatus::Expired));
    assert!(detail.renewal_summary.is_none());
}

#[tokio::test(start_paused = true)]
async fn what_becomes_used_near_its_end_is_renewed_then() {
    let bed = bed();
    let arn = bed.issued("shop.example.com", &[]).await;
    let serial = bed.describe(&arn).await.serial;
    bed.advance(&format!("{}h", 24 * 180));
    assert_eq!(bed.describe(&arn).await.serial, serial);
    bed.sandbox.set_in_use(&arn, &["arn:aws:elasticloadbalancing:eu-west-1:000000000000:loadbalancer/app/x/1"]).unwrap();
    bed.advance("1h");
    assert_ne!(bed.describe(&arn).await.serial, serial);
}

#[tokio::test(start_paused = true)]
async fn a_renewal_waits_for_the_record_that_someone_removed() {
    let bed = bed();
    let arn = bed.issued("shop.example.com", &[]).await;
    export(&bed, &arn).await;
    let serial = bed.describe(&arn).await.serial;
    let (name, value) = remove_record(&bed, &arn).await;
    bed.advance(&format!("{}h", 24 * (DAYS_TO_WINDOW + 2)));
    let waiting = bed.describe(&arn).await;
    assert_eq!(waiting.renewal_summary().unwrap().renewal_status, RenewalStatus::PendingValidation);
    assert_eq!(waiting.serial, serial);
    let zone = bed.zone("example.com").await;
    bed.change(&zone, vec![change(ChangeAction::Create, &name, RrType::Cname, 60, &[&value])]).await.unwrap();
    bed.advance("5m");
    assert_ne!(bed.describe(&arn).await.serial, serial);
}

#[tokio::test(start_paused = true)]
async fn a_renewal_without_its_record_fails_when_the_certificate_ends() {
    let bed = bed();
    let arn = bed.issued("shop.example.com", &[]).await;
    export(&bed, &arn).await;
    remove_record(&bed, &arn).await;
    bed.advance(&format!("{}h", 24 * 199));
    let detail = bed.describe(&arn).await;
    assert_eq!(detail.status, Some(CertificateStatus::Expired));
    assert_eq!(detail.renewal_summary().unwrap().renewal_status, RenewalStatus::Failed);
}

#[tokio::test(start_paused = true)]
async fn renewal_on_request_needs_an_export_and_works_on() {
    let bed = bed();
    let arn = bed.issued("shop.example.com", &[]).await;
    let renew = || bed.acm().renew_certificate().certificate_arn(&arn).send();
    assert_eq!(code(&renew().await.unwrap_err()), "ValidationException");
    export(&bed, &arn).await;
    let serial = bed.describe(&arn).await.serial;
    renew().await.unwrap();
    assert_eq!(bed.describe(&arn).await.renewal_summary().unwrap().renewal_status, RenewalStatus::PendingAutoRenewal);
    assert_eq!(code(&renew().await.unwrap_err()), "RequestInProgressException");
    bed.advance("15m");
    let detail = bed.describe(&arn).await;
    assert_eq!(detail.renewal_summary().unwrap().renewal_status, RenewalStatus::Success);
    assert_ne!(detail.serial, serial);
}

#[tokio::test(start_paused = true)]
async fn certificates_are_renewed_again_and_again_over_years() {
    let bed = bed();
    let arn = bed.issued("shop.example.com", &[]).await;
    bed.sandbox.set_in_use(&arn, &["arn:aws:elasticloadbalancing:eu-west-1:000000000000:loadbalancer/app/x/1"]).unwrap();
    bed.advance(&format!("{}h", 24 * 730));
    let detail = bed.describe(&arn).await;
    assert_eq!(detail.status, Some(CertificateStatus::Issued));
    assert!(detail.not_after.unwrap().secs() > bed.sandbox.clock().now().as_second());
}
