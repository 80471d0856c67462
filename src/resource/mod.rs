//! Resources: what the stack asks for, one by one, with addresses, attributes and references.

pub mod alias_record;
mod attrs;
pub mod certificate;
pub mod hole;
pub mod kinds;
pub mod manifest;
pub mod object;
pub mod policy;
pub mod secret;
pub mod validation_record;

pub use attrs::{Attr, AttrDef, Attrs, OnChange, Seen, definition};

use crate::addr::{Addr, AwsKind};
use crate::diag::Place;

/// A point in a resource's life that others may wait for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Milestone {
    /// It exists; what its server gives at once (id, validation records) is known.
    Created,
    /// It does what it is for: a certificate is issued, a record is in sync, an object is ready.
    Ready,
}

/// A resource as it should be.
#[derive(Clone, Debug)]
pub struct Resource {
    /// Its address.
    pub addr: Addr,
    /// What it should be.
    pub spec: Spec,
    /// What to do about one of other make under the same name: refuse (absent), take it over, or leave it alone.
    pub adopt: Option<bool>,
    /// Consent to take fields from other managers.
    pub force: bool,
    /// The milestones of others that must be reached before it is created.
    pub needs: Vec<(Addr, Milestone)>,
    /// The milestones of others that must be reached before it can be ready.
    pub ready_needs: Vec<(Addr, Milestone)>,
    /// Where the stack asks for it.
    pub place: Place,
}

impl Resource {
    /// Whether one of its needs is enough: a validation record's values come from any certificate that needs it.
    pub fn needs_any(&self) -> bool {
        matches!(self.spec, Spec::ValidationRecord(_))
    }
}

/// What a resource should be, by kind.
#[derive(Clone, Debug)]
pub enum Spec {
    /// A certificate of ACM.
    Certificate(certificate::CertificateSpec),
    /// A validation record.
    ValidationRecord(validation_record::ValidationRecordSpec),
    /// The alias records of a host.
    AliasRecord(alias_record::AliasRecordSpec),
    /// A secret of Secrets Manager.
    Secret(secret::SecretSpec),
    /// A Kubernetes object that a section of the stack makes.
    Object(object::ObjectSpec),
    /// A Kubernetes object that the stack names as it is.
    Manifest(Box<manifest::ManifestSpec>),
}

/// The attributes of the kind at an address.
pub fn attr_defs(addr: &Addr) -> &'static [AttrDef] {
    match addr.aws_kind() {
        Some(AwsKind::AcmCertificate) => certificate::ATTRS,
        Some(AwsKind::AcmValidationRecord) => validation_record::ATTRS,
        Some(AwsKind::Route53Record) => alias_record::ATTRS,
        Some(AwsKind::SecretsManagerSecret) => secret::ATTRS,
        None => object::attr_defs(addr),
    }
}

/// The type that Terraform gives to the same thing, for the plan's JSON.
pub fn terraform_type(addr: &Addr) -> String {
    match addr {
        Addr::Aws { kind: AwsKind::AcmCertificate, .. } => "aws_acm_certificate".into(),
        Addr::Aws { kind: AwsKind::AcmValidationRecord | AwsKind::Route53Record, .. } => "aws_route53_record".into(),
        Addr::Aws { kind: AwsKind::SecretsManagerSecret, .. } => "aws_secretsmanager_secret".into(),
        Addr::Kube { kind, group, .. } if group.is_empty() && (kind == "namespace" || kind == "secret") => format!("kubernetes_{kind}_v1"),
        Addr::Kube { .. } => "kubernetes_manifest".into(),
    }
}

/// The tag that names the stack and its lineage: `<stack>/<lineage>`.
pub const TAG_STACK: &str = "meshform.dev/stack";
/// The tag that holds the address.
pub const TAG_ADDRESS: &str = "meshform.dev/address";
/// The tag that counts the generations of an address, from 1.
pub const TAG_GENERATION: &str = "meshform.dev/generation";
/// The tag of a certificate that names the base domains whose validation records were there before meshform, separated by spaces.
pub const TAG_ADOPTED_RECORDS: &str = "meshform.dev/adopted-records";
/// The tag of a resource that was there before meshform.
pub const TAG_ADOPTED: &str = "meshform.dev/adopted";
/// The tag of a secret that was there before meshform and whose value was kept: `<version>=<the id that meshform would have given it>`.
pub const TAG_VERSION: &str = "meshform.dev/version";
/// The label that names the stack on Kubernetes objects.
pub const LABEL_STACK: &str = "meshform.dev/stack";
/// The field's common label for the tool that manages an object.
pub const LABEL_MANAGED_BY: &str = "app.kubernetes.io/managed-by";
/// The annotation that holds the address.
pub const ANNOTATION_ADDRESS: &str = "meshform.dev/address";
/// The annotation that holds the lineage of the state.
pub const ANNOTATION_LINEAGE: &str = "meshform.dev/lineage";
/// The annotation of an object that was there before meshform.
pub const ANNOTATION_ADOPTED: &str = "meshform.dev/adopted";
/// The annotation of an Ingress that names the certificates of its load balancer (AWS Load Balancer Controller, "Ingress annotations").
pub const ALB_CERTIFICATE_ARN: &str = "alb.ingress.kubernetes.io/certificate-arn";
/// meshform's field manager in server-side apply.
pub const FIELD_MANAGER: &str = "meshform";
