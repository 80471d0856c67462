//! A world to hold a contract against: the sandbox, or the servers of the bed.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use aws_config::SdkConfig;
use aws_credential_types::Credentials;
use aws_credential_types::provider::SharedCredentialsProvider;
use aws_sdk_acm::types::{CertificateDetail, CertificateExport, CertificateOptions, CertificateStatus, ValidationMethod};
use aws_sdk_route53::error::SdkError;
use aws_sdk_route53::operation::change_resource_record_sets::{ChangeResourceRecordSetsError, ChangeResourceRecordSetsOutput};
use aws_sdk_route53::types::{Change, ChangeAction, ChangeBatch, ResourceRecord, ResourceRecordSet, RrType};
use aws_smithy_runtime_api::client::http::SharedHttpClient;
use aws_smithy_types::error::metadata::ProvideErrorMetadata;
use aws_smithy_types::retry::RetryConfig;
use aws_types::region::Region;
use jiff::Timestamp;
use meshform::provider::budget::Budget;
use meshform::provider::kube::connect::{Target, connect};
use meshform::provider::kube::{KindPath, Kube};
use meshform::sandbox::Sandbox;

/// A world, with raw clients that don't repeat refused requests.
pub(super) struct World {
    place: Place,
    pub(super) acm: aws_sdk_acm::Client,
    pub(super) route53: aws_sdk_route53::Client,
    pub(super) secrets: aws_sdk_secretsmanager::Client,
    pub(super) tagging: aws_sdk_resourcegroupstagging::Client,
    pub(super) sts: aws_sdk_sts::Client,
    pub(super) eks: aws_sdk_eks::Client,
    /// A raw client of the API server.
    pub(super) client: ::kube::Client,
    /// The cluster as the program reaches it.
    pub(super) cluster: Kube,
    /// What makes names unlike those of other contracts and runs.
    id: String,
    made: RefCell<Vec<Made>>,
}

/// Where a world is.
enum Place {
    Sandbox {
        sandbox: Sandbox,
        _folder: tempfile::TempDir,
    },
    #[cfg(feature = "bed")]
    Bed,
}

/// Something to clear away: others count what there is.
#[derive(Clone)]
enum Made {
    Certificate(String),
    Zone(String),
    Secret(String),
    Namespace(String),
}

impl World {
    /// A new sandbox.
    pub(super) async fn sandbox() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let sandbox = Sandbox::open(folder.path()).unwrap();
        let config = config(sandbox.http_client(), "AKIASANDBOX000000000").build();
        let client = sandbox.kube_client();
        let cluster = connect(Target::Sandbox(client.clone()), Budget::unlimited()).await.unwrap();
        Self::with(Place::Sandbox { sandbox, _folder: folder }, &config, client, cluster)
    }

    /// The servers of the bed, asked directly and not through the counting proxy.
    #[cfg(feature = "bed")]
    pub(super) async fn real_servers() -> Self {
        use crate::bed_suite::bed::{kube_client, variable};
        let http = aws_smithy_http_client::Builder::new().build_http();
        let config = config(http, "AKIATEST000000000000").endpoint_url(variable("MESHFORM_BED_MOTO")).build();
        let dir = std::path::PathBuf::from(variable("MESHFORM_BED_DIR"));
        let client = kube_client(&dir).await;
        let target = Target::Kubeconfig { path: Some(dir.join("kubeconfig")), context: None };
        let cluster = connect(target, Budget::unlimited()).await.unwrap();
        Self::with(Place::Bed, &config, client, cluster)
    }

    fn with(place: Place, config: &SdkConfig, client: ::kube::Client, cluster: Kube) -> Self {
        let nanos = SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_nanos();
        Self {
            place,
            acm: aws_sdk_acm::Client::new(config),
            route53: aws_sdk_route53::Client::new(config),
            secrets: aws_sdk_secretsmanager::Client::new(config),
            tagging: aws_sdk_resourcegroupstagging::Client::new(config),
            sts: aws_sdk_sts::Client::new(config),
            eks: aws_sdk_eks::Client::new(config),
            client,
            cluster,
            id: format!("{:x}", nanos & 0xff_ffff_ffff_ffff),
            made: RefCell::default(),
        }
    }

    /// Whether this is the sandbox.
    pub(super) fn is_sandbox(&self) -> bool {
        matches!(self.place, Place::Sandbox { .. })
    }

    /// The present time there.
    pub(super) fn now(&self) -> Timestamp {
        match &self.place {
            Place::Sandbox { sandbox, .. } => sandbox.clock().now(),
            #[cfg(feature = "bed")]
            Place::Bed => Timestamp::now(),
        }
    }

    /// A name that no other contract has.
    pub(super) fn name(&self, stem: &str) -> String {
        format!("{stem}-{}", self.id)
    }

    /// A domain that no other contract has.
    pub(super) fn domain(&self) -> String {
        format!("c{}.example", self.id)
    }

    /// A token of 32 hex digits.
    pub(super) fn token(&self, stem: &str) -> String {
        meshform::secret::sha256_hex(format!("{stem} {}", self.id).as_bytes())[..32].to_owned()
    }

    /// Asks until there is an answer: a thousand seconds of the sandbox's time, fifteen of real time.
    pub(super) async fn until<T>(&self, what: &str, mut ask: impl AsyncFnMut() -> Option<T>) -> T {
        let (step, times) = if self.is_sandbox() { (Duration::from_secs(5), 200) } else { (Duration::from_millis(100), 150) };
        for _ in 0..times {
            if let Some(answer) = ask().await {
                return answer;
            }
            tokio::time::sleep(step).await;
        }
        panic!("in vain was waited for this: {what}");
    }

    // --- Certificates ---------------------------------------------------------------------------------------------------------------------

    /// Requests an exportable RSA certificate; the first name is its domain.
    pub(super) async fn request(&self, names: &[&str]) -> String {
        self.request_with(names, |request| request).await
    }

    /// Requests a certificate with something more said, and waits until it is known.
    pub(super) async fn request_with(&self, names: &[&str], more: impl FnOnce(RequestCertificate) -> RequestCertificate) -> String {
        let answer = more(self.request_certificate(names)).send().await.unwrap();
        let arn = answer.certificate_arn().unwrap().to_owned();
        self.made.borrow_mut().push(Made::Certificate(arn.clone()));
        self.until("the description of a new certificate", async || self.describe(&arn).await).await;
        arn
    }

    /// Says that a certificate was made, so that it goes with the world.
    pub(super) fn made_certificate(&self, arn: &str) {
        self.made.borrow_mut().push(Made::Certificate(arn.to_owned()));
    }

    /// The request for an exportable RSA certificate.
    pub(super) fn request_certificate(&self, names: &[&str]) -> RequestCertificate {
        let others: Vec<String> = names[1..].iter().map(|&name| name.to_owned()).collect();
        self.acm
            .request_certificate()
            .domain_name(names[0])
            .set_subject_alternative_names((!others.is_empty()).then_some(others))
            .validation_method(ValidationMethod::Dns)
            .options(CertificateOptions::builder().export(CertificateExport::Enabled).build())
    }

    /// A certificate's description, or nothing while there is none.
    pub(super) async fn describe(&self, arn: &str) -> Option<CertificateDetail> {
        match self.acm.describe_certificate().certificate_arn(arn).send().await {
            Ok(answer) => Some(answer.certificate.unwrap()),
            Err(error) if error.code() == Some("ResourceNotFoundException") => None,
            Err(error) => panic!("{error:?}"),
        }
    }

    /// The description as soon as each name has its record.
    pub(super) async fn with_records(&self, arn: &str) -> CertificateDetail {
        self.until("the validation records of a new certificate", async || {
            let detail = self.describe(arn).await?;
            let options = detail.domain_validation_options();
            let complete = !options.is_empty() && options.iter().all(|option| option.resource_record().is_some());
            complete.then_some(detail)
        })
        .await
    }

    /// Lets ACM issue a certificate below the world's domain: its records are written, and the rest is waiting.
    pub(super) async fn issue(&self, arn: &str) -> CertificateDetail {
        let detail = self.with_records(arn).await;
        let records: BTreeMap<&str, &str> =
            detail.domain_validation_options().iter().map(|o| o.resource_record().unwrap()).map(|r| (r.name(), r.value())).collect();
        let zone = self.zone(&self.domain()).await;
        let changes = records.iter().map(|(name, value)| change(ChangeAction::Upsert, name, "CNAME", 300, &[value])).collect();
        self.change(&zone, changes).await.unwrap();
        self.until("the issue of a certificate", async || {
            self.describe(arn).await.filter(|detail| detail.status() == Some(&CertificateStatus::Issued))
        })
        .await
    }

    /// An issued, exportable RSA certificate.
    pub(super) async fn issued(&self, names: &[&str]) -> String {
        let arn = self.request(names).await;
        self.issue(&arn).await;
        arn
    }

    // --- Zones ----------------------------------------------------------------------------------------------------------------------------

    /// Makes a public zone, and returns its id.
    pub(super) async fn zone(&self, name: &str) -> String {
        let reference = format!("{name} {}", self.made.borrow().len());
        let answer = self.route53.create_hosted_zone().name(name).caller_reference(reference).send().await.unwrap();
        let id = answer.hosted_zone().unwrap().id().trim_start_matches("/hostedzone/").to_owned();
        self.made.borrow_mut().push(Made::Zone(id.clone()));
        id
    }

    /// Sends one batch of changes.
    pub(super) async fn change(
        &self,
        zone: &str,
        changes: Vec<Change>,
    ) -> Result<ChangeResourceRecordSetsOutput, SdkError<ChangeResourceRecordSetsError>> {
        let batch = ChangeBatch::builder().set_changes(Some(changes)).build().unwrap();
        self.route53.change_resource_record_sets().hosted_zone_id(zone).change_batch(batch).send().await
    }

    /// The record sets of a zone besides its own NS and SOA: name, type, TTL, values.
    pub(super) async fn records(&self, zone: &str) -> Vec<(String, String, i64, Vec<String>)> {
        let page = self.route53.list_resource_record_sets().hosted_zone_id(zone).send().await.unwrap();
        assert!(!page.is_truncated());
        page.resource_record_sets().iter().filter(|set| !["NS", "SOA"].contains(&set.r#type().as_str())).map(row).collect()
    }

    // --- Secrets and namespaces -----------------------------------------------------------------------------------------------------------

    /// Says that a secret of this name is going to be made.
    pub(super) fn secret(&self, stem: &str) -> String {
        let name = format!("contract/{}/{stem}", self.id);
        self.made.borrow_mut().push(Made::Secret(name.clone()));
        name
    }

    /// Says that a namespace of this name is going to be made.
    pub(super) fn namespace(&self, stem: &str) -> String {
        let name = self.name(stem);
        self.made.borrow_mut().push(Made::Namespace(name.clone()));
        name
    }

    /// Clears away what was made; namespaces take their time, which the tests that count objects wait for.
    pub(super) async fn clear(&self) {
        let namespaces = KindPath { api_version: "v1".into(), plural: "namespaces".into() };
        let made = self.made.borrow().clone();
        for made in &made {
            match made {
                Made::Certificate(arn) => drop(self.acm.delete_certificate().certificate_arn(arn).send().await),
                Made::Secret(name) => {
                    drop(self.secrets.restore_secret().secret_id(name).send().await);
                    drop(self.secrets.delete_secret().secret_id(name).force_delete_without_recovery(true).send().await);
                }
                Made::Zone(zone) => {
                    for (name, kind, ttl, values) in self.records(zone).await {
                        let values: Vec<&str> = values.iter().map(String::as_str).collect();
                        self.change(zone, vec![change(ChangeAction::Delete, &name, &kind, ttl, &values)]).await.unwrap();
                    }
                    drop(self.route53.delete_hosted_zone().id(zone).send().await);
                }
                Made::Namespace(name) => {
                    if let Some(live) = self.cluster.get(&namespaces, None, name).await.unwrap() {
                        self.cluster.delete(&namespaces, None, name, live.uid()).await.unwrap();
                    }
                }
            }
        }
    }
}

type RequestCertificate = aws_sdk_acm::operation::request_certificate::builders::RequestCertificateFluentBuilder;

pub(super) fn config(http: SharedHttpClient, access_key: &str) -> aws_types::sdk_config::Builder {
    let credentials = Credentials::new(access_key, "contract", None, None, "contract");
    SdkConfig::builder()
        .behavior_version(aws_config::BehaviorVersion::latest())
        .region(Region::new("eu-west-1"))
        .http_client(http)
        .retry_config(RetryConfig::disabled())
        .sleep_impl(aws_smithy_async::rt::sleep::TokioSleep::new())
        .time_source(aws_smithy_async::time::SystemTimeSource::new())
        .credentials_provider(SharedCredentialsProvider::new(credentials))
}

/// A change of a simple record set.
pub(super) fn change(action: ChangeAction, name: &str, kind: &str, ttl: i64, values: &[&str]) -> Change {
    let values = values.iter().map(|&value| ResourceRecord::builder().value(value).build().unwrap()).collect();
    let set = ResourceRecordSet::builder().name(name).r#type(RrType::from(kind)).ttl(ttl).set_resource_records(Some(values));
    Change::builder().action(action).resource_record_set(set.build().unwrap()).build().unwrap()
}

/// Name, type, TTL and values of a record set.
pub(super) fn row(set: &ResourceRecordSet) -> (String, String, i64, Vec<String>) {
    let values = set.resource_records().iter().map(|record| record.value().to_owned()).collect();
    (set.name().to_owned(), set.r#type().as_str().to_owned(), set.ttl().unwrap_or_default(), values)
}

/// The code of a refusal.
#[track_caller]
pub(super) fn refused<T: std::fmt::Debug, E: ProvideErrorMetadata>(result: Result<T, E>) -> String {
    match result {
        Ok(answer) => panic!("it was not refused: {answer:?}"),
        Err(error) => error.code().unwrap_or("an error without a code").to_owned(),
    }
}
