//! The real Terraform (or OpenTofu) of the machine, where it is there and its own configuration finds the AWS provider without a download;
//! else what it would have made is made by requests.

use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use aws_sdk_acm::primitives::Blob;
use aws_sdk_acm::types::ValidationMethod;
use aws_sdk_route53::types::{Change, ChangeAction, ChangeBatch, ResourceRecord, ResourceRecordSet, RrType};
use meshform::material::{Expected, Exported, Material};
use meshform::secret::SecretBytes;
use serde_json::json;

use super::bed::Bed;
use crate::sandbox::lab::tell;

/// What reaches the bed, beside the guide's own files.
const PROVIDER: &str = r#"terraform {
  required_providers {
    aws = { source = "hashicorp/aws" }
  }
}

provider "aws" {
  region                      = "eu-west-1"
  skip_credentials_validation = true
  skip_requesting_account_id  = true
  skip_metadata_api_check     = true
}
"#;

/// Terraform, if it can be run here.
pub(super) struct Terraform {
    program: PathBuf,
}

impl Terraform {
    /// Looks for it: `MESHFORM_TERRAFORM`, or `terraform` or `tofu` on the path. It has to have a CLI configuration (`TF_CLI_CONFIG_FILE`) that
    /// finds the provider: nothing is to be downloaded for a test.
    pub(super) fn find(bed: &Bed) -> Option<Self> {
        let named = std::env::var_os("MESHFORM_TERRAFORM").map(PathBuf::from);
        let is_named = named.is_some();
        let paths = std::env::var_os("PATH").unwrap_or_default();
        let on_path = |name: &str| std::env::split_paths(&paths).map(|folder| folder.join(name)).find(|file| file.is_file());
        let found = named.or_else(|| on_path("terraform")).or_else(|| on_path("tofu"));
        let has_settings = std::env::var_os("TF_CLI_CONFIG_FILE").is_some_and(|file| Path::new(&file).is_file());
        let why = match found {
            None => "there is none on the path".to_owned(),
            Some(_) if !has_settings => "TF_CLI_CONFIG_FILE names no file that says where the provider is".to_owned(),
            Some(program) => {
                let terraform = Self { program };
                std::fs::write(bed.path().join("provider.tf"), PROVIDER).unwrap();
                let output = terraform.output(bed, "init -input=false");
                if output.status.success() {
                    return Some(terraform);
                }
                assert!(!is_named, "{}: {}", terraform.program.display(), String::from_utf8_lossy(&output.stderr));
                "it finds no provider".to_owned()
            }
        };
        tell(&format!("Terraform is not run ({why}): its things are made by requests"));
        None
    }

    /// Runs it, and holds its end against what the guide says of it.
    pub(super) fn run(&self, bed: &Bed, args: &str) {
        let output = self.output(bed, args);
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        assert!(output.status.success(), "terraform {args}: {}\n{}", text(&output.stdout), text(&output.stderr));
        let told = text(&output.stdout);
        if args.starts_with("plan") {
            assert!(told.contains("No changes"), "{told}");
        }
        if args.starts_with("apply") {
            // Of what it forgets nothing is destroyed.
            assert!(told.contains(" 0 destroyed"), "{told}");
        }
    }

    fn output(&self, bed: &Bed, args: &str) -> Output {
        let mut command = Command::new(&self.program);
        command.args(args.split(' ')).current_dir(bed.path()).env_clear().envs(Bed::environment());
        let kept = ["PATH", "TF_CLI_CONFIG_FILE"].into_iter().filter_map(|name| Some((name, std::env::var_os(name)?)));
        command.envs(kept).env("HOME", bed.path()).env("CHECKPOINT_DISABLE", "1").env("TF_IN_AUTOMATION", "1").env("NO_COLOR", "1");
        command.output().unwrap()
    }
}

/// What the guide's `terraform apply` makes, by requests.
pub(super) fn by_requests(bed: &Bed) {
    let zone = bed.zone("takeover.test");
    let tag = || aws_sdk_acm::types::Tag::builder().key("ManagedBy").value("terraform").build().unwrap();
    let request = bed.acm.request_certificate().domain_name("shop.takeover.test").subject_alternative_names("*.shop.takeover.test");
    let arn = bed.block_on(request.validation_method(ValidationMethod::Dns).tags(tag()).send()).unwrap().certificate_arn.unwrap();
    let described = (0..60)
        .find_map(|_| {
            std::thread::sleep(std::time::Duration::from_millis(500));
            let described = bed.block_on(bed.acm.describe_certificate().certificate_arn(&arn).send()).unwrap().certificate.unwrap();
            (described.status().map(aws_sdk_acm::types::CertificateStatus::as_str) == Some("ISSUED")).then_some(described)
        })
        .expect("the emulator issues after a second");
    let record = described.domain_validation_options()[0].resource_record().unwrap();
    let set = ResourceRecordSet::builder().name(record.name()).r#type(RrType::Cname).ttl(60);
    let set = set.resource_records(ResourceRecord::builder().value(record.value()).build().unwrap()).build().unwrap();
    let change = Change::builder().action(ChangeAction::Upsert).resource_record_set(set).build().unwrap();
    let batch = ChangeBatch::builder().changes(change).build().unwrap();
    bed.block_on(bed.route53.change_resource_record_sets().hosted_zone_id(zone).change_batch(batch).send()).unwrap();
    let request = bed.acm.request_certificate().domain_name("partner.takeover.test").certificate_authority_arn(CA);
    bed.block_on(request.tags(tag()).send()).unwrap();
    let tag = aws_sdk_secretsmanager::types::Tag::builder().key("ManagedBy").value("terraform").build();
    bed.block_on(bed.secrets.create_secret().name("takeover/partner").tags(tag).send()).unwrap();
}

/// The private CA; the emulator takes any.
pub(super) const CA: &str = "arn:aws:acm-pca:eu-west-1:123456789012:certificate-authority/11111111-2222-3333-4444-555555555555";

/// What the script does that fills the secret: it exports the certificate, decrypts its key, and writes all in a layout of its own.
pub(super) fn fill_secret(bed: &Bed) {
    let listed = bed.block_on(bed.acm.list_certificates().send()).unwrap();
    let partner = listed.certificate_summary_list().iter().find(|one| one.domain_name() == Some("partner.takeover.test")).unwrap();
    let phrase = b"a passphrase of the test";
    let request = bed.acm.export_certificate().certificate_arn(partner.certificate_arn().unwrap()).passphrase(Blob::new(phrase));
    let answer = bed.block_on(request.send()).unwrap();
    let exported = Exported {
        certificate: answer.certificate.unwrap(),
        chain: answer.certificate_chain.unwrap(),
        encrypted_key: SecretBytes::from_text(answer.private_key.unwrap()),
    };
    let expected = Expected { names: Vec::new(), now: jiff::Timestamp::now(), verify_chain: false };
    let material = Material::open(&exported, &SecretBytes::new(phrase.to_vec()), &expected).unwrap();
    let key = material.key().expose_pem().unwrap();
    let key = std::str::from_utf8(key.expose_secret()).unwrap();
    let value = json!({"certificate": exported.certificate, "chain": exported.chain, "private_key": key});
    bed.block_on(bed.secrets.put_secret_value().secret_id("takeover/partner").secret_string(value.to_string()).send()).unwrap();
}
