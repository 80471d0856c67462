//! ACM: requests, lists, exports and tags of certificates.

use std::collections::{BTreeMap, BTreeSet};

use aws_sdk_acm::Client;
use aws_sdk_acm::types::{
    CertificateDetail, CertificateExport, CertificateOptions, CertificateSummary, CertificateType, Filters,
    KeyAlgorithm as SdkKeyAlgorithm, Tag, ValidationMethod,
};
use aws_smithy_types::Blob;
use futures::TryStreamExt as _;

use super::failed;
use crate::material::{Exported, Material};
use crate::permissions::Call;
use crate::provider::budget::Budget;
use crate::provider::error::{Class, ProviderError};
use crate::resource::certificate::{CertificateSpec, Dates, Source, ValidationRecord, base_domain};
use crate::secret::SecretBytes;

/// All key types: without them the list leaves out every certificate but RSA 1024 and 2048 (API: ListCertificates, Includes.keyTypes).
const ALL_KEY_TYPES: [&str; 7] = ["RSA_1024", "RSA_2048", "RSA_3072", "RSA_4096", "EC_prime256v1", "EC_secp384r1", "EC_secp521r1"];

/// ACM in one region.
#[derive(Clone)]
pub struct Acm {
    client: Client,
    region: String,
    scope: String,
    budget: Budget,
}

/// Where an import goes.
#[derive(Clone, Copy, Debug)]
pub enum Import<'a> {
    /// A new certificate with these tags.
    New(&'a BTreeMap<String, String>),
    /// In the place of what this ARN holds.
    Again(&'a str),
}

/// A certificate as the list shows it.
#[derive(Clone, Debug, PartialEq)]
pub struct Listed {
    /// Its ARN.
    pub arn: String,
    /// Its first name, lower case.
    pub domain: String,
    /// Its names, when the list has them all.
    pub names: Option<BTreeSet<String>>,
    /// `PENDING_VALIDATION`, `ISSUED`, …
    pub status: String,
    /// `AMAZON_ISSUED`, `IMPORTED`, `PRIVATE`; empty where the list doesn't say.
    pub certificate_type: String,
    /// The dates that move with a renewal.
    pub dates: Dates,
}

/// A certificate as its description shows it.
#[derive(Clone, Debug, PartialEq)]
pub struct Described {
    /// What the list shows as well.
    pub listed: Listed,
    /// The key algorithm in the model's spelling (`RSA_2048`; the API may say `RSA-2048`).
    pub key_algorithm: String,
    /// Whether the key can be exported.
    pub export: bool,
    /// The private CA that signs it.
    pub certificate_authority: Option<String>,
    /// `DNS`, `EMAIL`, …; absent for imported and private ones.
    pub validation_method: Option<String>,
    /// Why it failed.
    pub failure_reason: Option<String>,
    /// The validation of each name: base domain, record if known, status.
    pub validations: Vec<Validation>,
    /// Who uses it.
    pub in_use_by: Vec<String>,
    /// The renewal's status and reason, when one runs.
    pub renewal: Option<(String, Option<String>)>,
}

/// The validation of one name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Validation {
    /// The name without `*.`.
    pub base_domain: String,
    /// The record; absent until ACM has made it.
    pub record: Option<ValidationRecord>,
    /// `PENDING_VALIDATION`, `SUCCESS`, `FAILED`.
    pub status: String,
}

impl Described {
    /// The records, each once, when all names have one or need none any more; else absent.
    pub fn records(&self) -> Option<Vec<ValidationRecord>> {
        let complete = !self.validations.is_empty() && self.validations.iter().all(|v| v.record.is_some() || v.status == "SUCCESS");
        let records: BTreeSet<ValidationRecord> = self.validations.iter().filter_map(|v| v.record.clone()).collect();
        complete.then(|| records.into_iter().collect())
    }
}

impl Acm {
    pub(super) fn new(client: Client, region: &str, scope: String, budget: Budget) -> Self {
        Self { client, region: region.to_owned(), scope, budget }
    }

    /// The region.
    pub fn region(&self) -> &str {
        &self.region
    }

    /// All certificates of the region, of every key type and status.
    pub async fn list(&self) -> Result<Vec<Listed>, ProviderError> {
        let operation = Call::ListCertificates;
        let mut listed = Vec::new();
        let mut token = None;
        loop {
            self.budget.take(&self.scope, operation).await;
            let mut filters = Filters::builder();
            for key_type in ALL_KEY_TYPES {
                filters = filters.key_types(SdkKeyAlgorithm::from(key_type));
            }
            let page = self
                .client
                .list_certificates()
                .includes(filters.build())
                .max_items(1000)
                .set_next_token(token)
                .send()
                .await
                .map_err(|error| failed(operation, &self.region, error))?;
            listed.extend(page.certificate_summary_list().iter().filter_map(summary));
            token = page.next_token().filter(|t| !t.is_empty()).map(ToOwned::to_owned);
            if token.is_none() {
                return Ok(listed);
            }
        }
    }

    /// One certificate.
    pub async fn describe(&self, arn: &str) -> Result<Described, ProviderError> {
        let operation = Call::DescribeCertificate;
        self.budget.take(&self.scope, operation).await;
        let answer = self.client.describe_certificate().certificate_arn(arn).send().await.map_err(|error| failed(operation, arn, error))?;
        let detail = answer
            .certificate()
            .ok_or_else(|| ProviderError::own(operation.name(), arn, Class::Server, "the answer holds no certificate"))?;
        Ok(described(arn, detail))
    }

    /// Requests a certificate: a public one with DNS validation, or one of a private CA, which validates nothing and whose key can always be
    /// exported. The same token within the hour gives the same one. Returns the ARN.
    pub async fn request(&self, spec: &CertificateSpec, tags: &BTreeMap<String, String>, token: &str) -> Result<String, ProviderError> {
        let operation = Call::RequestCertificate;
        self.budget.take(&self.scope, operation).await;
        let others: Vec<String> = spec.names.iter().filter(|name| **name != spec.domain).cloned().collect();
        let request = self
            .client
            .request_certificate()
            .domain_name(&spec.domain)
            .set_subject_alternative_names((!others.is_empty()).then_some(others))
            .key_algorithm(SdkKeyAlgorithm::from(spec.key_algorithm.as_str()))
            .idempotency_token(token);
        let request = match &spec.source {
            Source::PrivateCa(arn) => request.certificate_authority_arn(arn),
            Source::Public => {
                let export = if spec.export { CertificateExport::Enabled } else { CertificateExport::Disabled };
                request.validation_method(ValidationMethod::Dns).options(CertificateOptions::builder().export(export).build())
            }
            // A request without a CA would be one for a public certificate.
            Source::Imported(_) | Source::Existing(_) => {
                return Err(ProviderError::own(operation.name(), &spec.domain, Class::Invalid, "it is no certificate to be requested"));
            }
        };
        let answer = request.set_tags(Some(sdk_tags(tags)?)).send().await.map_err(|error| failed(operation, &spec.domain, error))?;
        let arn = answer.certificate_arn();
        arn.map(ToOwned::to_owned)
            .ok_or_else(|| ProviderError::own(operation.name(), &spec.domain, Class::Server, "the answer holds no ARN"))
    }

    /// Imports a certificate with its key: a new one with tags, or anew in the place of an imported one, whose tags stay (API:
    /// ImportCertificate). No token guards a new one: it is sent once, and what became of a request without an answer has to be looked up.
    /// Returns the ARN.
    pub async fn import(&self, to: Import<'_>, material: &Material) -> Result<String, ProviderError> {
        let operation = Call::ImportCertificate;
        let subject = material.public().names().first().map_or("a certificate", String::as_str).to_owned();
        self.budget.take(&self.scope, operation).await;
        let key = material.key().expose_pem().map_err(|error| invalid(operation, &subject, &error))?;
        let chain = material.public().chain_pem();
        let request = self
            .client
            .import_certificate()
            .certificate(Blob::new(material.public().leaf_pem()))
            .private_key(Blob::new(key.expose_secret()))
            .set_certificate_chain((!chain.is_empty()).then(|| Blob::new(chain)));
        let sent = match to {
            Import::New(tags) => {
                let once = aws_sdk_acm::config::Config::builder().retry_config(aws_sdk_acm::config::retry::RetryConfig::disabled());
                request.set_tags(Some(sdk_tags(tags)?)).customize().config_override(once).send().await
            }
            Import::Again(arn) => request.certificate_arn(arn).send().await,
        };
        let answer = sent.map_err(|error| failed(operation, &subject, error))?;
        let arn = answer.certificate_arn().map(ToOwned::to_owned);
        arn.ok_or_else(|| ProviderError::own(operation.name(), &subject, Class::Server, "the answer holds no ARN"))
    }

    /// Leaf and chain, PEM: free of charge.
    pub async fn get(&self, arn: &str) -> Result<(String, String), ProviderError> {
        let operation = Call::GetCertificate;
        self.budget.take(&self.scope, operation).await;
        let answer = self.client.get_certificate().certificate_arn(arn).send().await.map_err(|error| failed(operation, arn, error))?;
        let leaf = answer
            .certificate()
            .ok_or_else(|| ProviderError::own(operation.name(), arn, Class::Server, "the answer holds no certificate"))?;
        Ok((leaf.to_owned(), answer.certificate_chain().unwrap_or_default().to_owned()))
    }

    /// Leaf, chain and the key, encrypted with the passphrase.
    pub async fn export(&self, arn: &str, passphrase: &SecretBytes) -> Result<Exported, ProviderError> {
        let operation = Call::ExportCertificate;
        self.budget.take(&self.scope, operation).await;
        let answer = self
            .client
            .export_certificate()
            .certificate_arn(arn)
            .passphrase(Blob::new(passphrase.expose_secret()))
            .send()
            .await
            .map_err(|error| failed(operation, arn, error))?;
        match (answer.certificate, answer.private_key) {
            (Some(certificate), Some(key)) => Ok(Exported {
                certificate,
                chain: answer.certificate_chain.unwrap_or_default(),
                encrypted_key: SecretBytes::from_text(key),
            }),
            _ => Err(ProviderError::own(operation.name(), arn, Class::Server, "the answer lacks the certificate or the key")),
        }
    }

    /// Deletes a certificate.
    pub async fn delete(&self, arn: &str) -> Result<(), ProviderError> {
        let operation = Call::DeleteCertificate;
        self.budget.take(&self.scope, operation).await;
        self.client.delete_certificate().certificate_arn(arn).send().await.map_err(|error| failed(operation, arn, error))?;
        Ok(())
    }

    /// The tags of one certificate.
    pub async fn tags(&self, arn: &str) -> Result<BTreeMap<String, String>, ProviderError> {
        let operation = Call::ListTagsForCertificate;
        self.budget.take(&self.scope, operation).await;
        let answer =
            self.client.list_tags_for_certificate().certificate_arn(arn).send().await.map_err(|error| failed(operation, arn, error))?;
        Ok(answer.tags().iter().map(|tag| (tag.key().to_owned(), tag.value().unwrap_or_default().to_owned())).collect())
    }

    /// Sets tags.
    pub async fn tag(&self, arn: &str, tags: &BTreeMap<String, String>) -> Result<(), ProviderError> {
        if tags.is_empty() {
            return Ok(());
        }
        let operation = Call::AddTagsToCertificate;
        self.budget.take(&self.scope, operation).await;
        let request = self.client.add_tags_to_certificate().certificate_arn(arn).set_tags(Some(sdk_tags(tags)?));
        request.send().await.map_err(|error| failed(operation, arn, error))?;
        Ok(())
    }

    /// Removes tags, whatever their values.
    pub async fn untag(&self, arn: &str, keys: &[String]) -> Result<(), ProviderError> {
        if keys.is_empty() {
            return Ok(());
        }
        let operation = Call::RemoveTagsFromCertificate;
        self.budget.take(&self.scope, operation).await;
        let mut request = self.client.remove_tags_from_certificate().certificate_arn(arn);
        for key in keys {
            request = request.tags(Tag::builder().key(key).build().map_err(|e| invalid(operation, arn, &e))?);
        }
        request.send().await.map_err(|error| failed(operation, arn, error))?;
        Ok(())
    }

    /// Describes several certificates, eight at a time.
    pub async fn describe_all(&self, arns: Vec<String>) -> Result<Vec<Option<Described>>, ProviderError> {
        let answers = arns.into_iter().map(|arn| async move {
            Ok(match self.describe(&arn).await {
                Ok(described) => Some(described),
                Err(error) if error.is_not_found() => None,
                Err(error) => return Err(error),
            })
        });
        futures::stream::iter(answers.map(Ok)).try_buffered_in_order(8).await
    }
}

/// Runs futures of a stream some at a time and keeps their order.
trait TryBufferedInOrder<T> {
    async fn try_buffered_in_order(self, limit: usize) -> Result<Vec<T>, ProviderError>;
}

impl<S, F, T> TryBufferedInOrder<T> for S
where
    S: futures::Stream<Item = Result<F, ProviderError>>,
    F: Future<Output = Result<T, ProviderError>>,
{
    async fn try_buffered_in_order(self, limit: usize) -> Result<Vec<T>, ProviderError> {
        self.try_buffered(limit).try_collect().await
    }
}

fn invalid(operation: Call, subject: &str, error: &dyn std::error::Error) -> ProviderError {
    ProviderError::own(operation.name(), subject, Class::Invalid, error.to_string())
}

fn sdk_tags(tags: &BTreeMap<String, String>) -> Result<Vec<Tag>, ProviderError> {
    tags.iter()
        .map(|(key, value)| Tag::builder().key(key).value(value).build().map_err(|e| invalid(Call::AddTagsToCertificate, key, &e)))
        .collect()
}

fn summary(summary: &CertificateSummary) -> Option<Listed> {
    let domain = summary.domain_name().unwrap_or_default().to_ascii_lowercase();
    let mut names: BTreeSet<String> = summary.subject_alternative_name_summaries().iter().map(|name| name.to_ascii_lowercase()).collect();
    let complete = !names.is_empty() && !summary.has_additional_subject_alternative_names().unwrap_or(false);
    names.insert(domain.clone());
    Some(Listed {
        arn: summary.certificate_arn()?.to_owned(),
        domain,
        names: complete.then_some(names),
        status: summary.status().map(|s| s.as_str().to_owned()).unwrap_or_default(),
        certificate_type: summary.r#type().map(|t| t.as_str().to_owned()).unwrap_or_default(),
        dates: Dates {
            not_before: summary.not_before().map(aws_smithy_types::DateTime::secs),
            not_after: summary.not_after().map(aws_smithy_types::DateTime::secs),
            issued_at: summary.issued_at().or(summary.imported_at()).map(aws_smithy_types::DateTime::secs),
        },
    })
}

fn described(arn: &str, detail: &CertificateDetail) -> Described {
    let domain = detail.domain_name().unwrap_or_default().to_ascii_lowercase();
    let mut names: BTreeSet<String> = detail.subject_alternative_names().iter().map(|name| name.to_ascii_lowercase()).collect();
    names.insert(domain.clone());
    let options = detail.domain_validation_options();
    let validations = options
        .iter()
        .map(|option| {
            let base = base_domain(&option.domain_name().to_ascii_lowercase()).to_owned();
            let record = option.resource_record().map(|record| ValidationRecord {
                base_domain: base.clone(),
                name: record.name().trim_end_matches('.').to_ascii_lowercase(),
                value: record.value().trim_end_matches('.').to_owned(),
            });
            let status = option.validation_status().map(|s| s.as_str().to_owned()).unwrap_or_default();
            Validation { base_domain: base, record, status }
        })
        .collect();
    let enabled = |options: &CertificateOptions| options.export().map(CertificateExport::as_str) == Some("ENABLED");
    Described {
        listed: Listed {
            arn: arn.to_owned(),
            domain,
            names: Some(names),
            status: detail.status().map(|s| s.as_str().to_owned()).unwrap_or_default(),
            certificate_type: detail.r#type().map(|t| t.as_str().to_owned()).unwrap_or_default(),
            dates: Dates {
                not_before: detail.not_before().map(aws_smithy_types::DateTime::secs),
                not_after: detail.not_after().map(aws_smithy_types::DateTime::secs),
                issued_at: detail.issued_at().or(detail.imported_at()).map(aws_smithy_types::DateTime::secs),
            },
        },
        certificate_authority: detail.certificate_authority_arn().map(ToOwned::to_owned),
        key_algorithm: detail.key_algorithm().map(|k| k.as_str().replace('-', "_")).unwrap_or_default(),
        // Those of a private CA can always be exported (API: CertificateOptions, Export).
        export: detail.options().is_some_and(enabled) || detail.r#type().map(CertificateType::as_str) == Some("PRIVATE"),
        validation_method: options.iter().find_map(|o| o.validation_method()).map(|m| m.as_str().to_owned()),
        failure_reason: detail.failure_reason().map(|r| r.as_str().to_owned()),
        validations,
        in_use_by: detail.in_use_by().to_vec(),
        renewal: detail
            .renewal_summary()
            .map(|r| (r.renewal_status().as_str().to_owned(), r.renewal_status_reason().map(|reason| reason.as_str().to_owned()))),
    }
}
