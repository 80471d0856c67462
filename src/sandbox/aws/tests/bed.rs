//! A sandbox in a temporary folder, with the real clients.

use aws_credential_types::Credentials;
use aws_credential_types::provider::SharedCredentialsProvider;
use aws_sdk_acm::types::{CertificateDetail, CertificateOptions, CertificateStatus, Tag, ValidationMethod};
use aws_sdk_route53::types::{Change, ChangeAction, ChangeBatch, ResourceRecord, ResourceRecordSet, RrType};
use aws_smithy_async::rt::sleep::{SharedAsyncSleep, TokioSleep};
use aws_smithy_types::error::metadata::ProvideErrorMetadata;
use aws_smithy_types::retry::RetryConfig;
use aws_types::SdkConfig;
use aws_types::region::Region;
use jiff::SignedDuration;
use tempfile::TempDir;

use crate::sandbox::{Genesis, Sandbox};

pub(super) struct Bed {
    pub(super) folder: TempDir,
    pub(super) sandbox: Sandbox,
}

pub(super) fn genesis() -> Genesis {
    Genesis { start: "2026-09-01T08:30:00Z".parse().unwrap(), seed: "bed".to_owned() }
}

pub(super) fn bed() -> Bed {
    let folder = TempDir::new().unwrap();
    let sandbox = Sandbox::open_with(folder.path(), genesis()).unwrap();
    Bed { folder, sandbox }
}

impl Bed {
    pub(super) fn config(&self) -> SdkConfig {
        config(&self.sandbox, "eu-west-1", "AKIASANDBOX", RetryConfig::disabled())
    }

    pub(super) fn acm(&self) -> aws_sdk_acm::Client {
        aws_sdk_acm::Client::new(&self.config())
    }

    pub(super) fn route53(&self) -> aws_sdk_route53::Client {
        aws_sdk_route53::Client::new(&self.config())
    }

    pub(super) fn secrets(&self) -> aws_sdk_secretsmanager::Client {
        aws_sdk_secretsmanager::Client::new(&self.config())
    }

    pub(super) fn advance(&self, text: &str) {
        self.sandbox.advance(text.parse::<SignedDuration>().unwrap()).unwrap();
    }

    /// The id of the hosted zone of a name.
    pub(super) async fn zone(&self, name: &str) -> String {
        let zones = self.route53().list_hosted_zones_by_name().dns_name(name).send().await.unwrap();
        let zone = &zones.hosted_zones()[0];
        assert_eq!(zone.name(), format!("{name}."));
        zone.id().trim_start_matches("/hostedzone/").to_owned()
    }

    /// Requests an exportable certificate.
    pub(super) async fn request(&self, domain: &str, others: &[&str]) -> String {
        let request = self.acm().request_certificate().domain_name(domain).validation_method(ValidationMethod::Dns);
        let request =
            request.set_subject_alternative_names((!others.is_empty()).then(|| others.iter().map(|&name| name.to_owned()).collect()));
        let options = CertificateOptions::builder().export(aws_sdk_acm::types::CertificateExport::Enabled).build();
        let tag = Tag::builder().key("stack").value("demo").build().unwrap();
        request.options(options).tags(tag).send().await.unwrap().certificate_arn.unwrap()
    }

    pub(super) async fn describe(&self, arn: &str) -> CertificateDetail {
        self.acm().describe_certificate().certificate_arn(arn).send().await.unwrap().certificate.unwrap()
    }

    /// Puts the validation records of a certificate into a zone.
    pub(super) async fn validate(&self, arn: &str, zone: &str) {
        self.advance("10s");
        let detail = self.describe(arn).await;
        let mut records: Vec<(String, String)> = detail
            .domain_validation_options()
            .iter()
            .map(|option| option.resource_record().map(|record| (record.name.clone(), record.value.clone())).unwrap())
            .collect();
        records.sort();
        records.dedup();
        let changes = records.iter().map(|(name, value)| change(ChangeAction::Upsert, name, RrType::Cname, 300, &[value]));
        self.change(zone, changes.collect()).await.unwrap();
    }

    /// Requests a certificate below example.com and waits until it's issued.
    pub(super) async fn issued(&self, domain: &str, others: &[&str]) -> String {
        let arn = self.request(domain, others).await;
        let zone = self.zone("example.com").await;
        self.validate(&arn, &zone).await;
        self.advance("5m");
        assert_eq!(self.describe(&arn).await.status, Some(CertificateStatus::Issued));
        arn
    }

    pub(super) async fn change(&self, zone: &str, changes: Vec<Change>) -> Result<String, aws_sdk_route53::Error> {
        let batch = ChangeBatch::builder().set_changes(Some(changes)).build().unwrap();
        let output = self.route53().change_resource_record_sets().hosted_zone_id(zone).change_batch(batch).send().await?;
        Ok(output.change_info.unwrap().id)
    }
}

pub(super) fn config(sandbox: &Sandbox, region: &str, access_key: &str, retries: RetryConfig) -> SdkConfig {
    let credentials = Credentials::new(access_key, "secret", None, None, "test");
    SdkConfig::builder()
        .behavior_version(aws_config::BehaviorVersion::latest())
        .region(Region::new(region.to_owned()))
        .credentials_provider(SharedCredentialsProvider::new(credentials))
        .http_client(sandbox.http_client())
        .sleep_impl(SharedAsyncSleep::new(TokioSleep::new()))
        .time_source(aws_smithy_async::time::SystemTimeSource::new())
        .retry_config(retries)
        .build()
}

pub(super) fn change(action: ChangeAction, name: &str, kind: RrType, ttl: i64, values: &[&str]) -> Change {
    let records = values.iter().map(|&value| ResourceRecord::builder().value(value).build().unwrap());
    let set = ResourceRecordSet::builder().name(name).r#type(kind).ttl(ttl).set_resource_records(Some(records.collect())).build().unwrap();
    Change::builder().action(action).resource_record_set(set).build().unwrap()
}

/// The code and the text of a refusal.
pub(super) fn refusal<E: ProvideErrorMetadata>(error: &E) -> (String, String) {
    (error.code().unwrap_or_default().to_owned(), error.message().unwrap_or_default().to_owned())
}

pub(super) fn code<E: ProvideErrorMetadata>(error: &E) -> String {
    refusal(error).0
}
