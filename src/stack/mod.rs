//! The stack: what the user wants, typed and checked.
//!
//! [`Files`] are the files as read, [`parse`] joins a stack with all it extends to one document with the place of every value
//! ([`StackFile`]), and [`check`] turns that into the [`Stack`] of this module, with every rule that needs no network applied.

pub mod charts;
mod check;
pub mod edge;
mod file;
mod interpolate;
pub mod istio;
pub mod layout;
pub mod manifests;
mod merge;
mod origin;
mod parse;
mod scalar;
pub mod schema;
mod vars;

#[cfg(test)]
mod tests;

use std::collections::{BTreeMap, BTreeSet};

use crate::addr::Addr;
use crate::diag::Place;
use crate::secret::SecretBytes;

pub use check::{check, check_head};
pub(crate) use check::{is_of_charts, section};
pub use file::{File, Files, StackFile, parse};
pub use origin::{Origin, document, origins};
pub use vars::{ENV_PREFIX, Values, Vars, settle};

/// A checked stack.
pub struct Stack {
    /// The owner's name in tags and labels, and the identity of the state: a DNS label of up to 63 characters.
    pub name: String,
    /// The AWS section; present whenever a certificate is declared.
    pub aws: Option<Aws>,
    /// The cluster; absent when the stack is about certificates and secrets only.
    pub cluster: Option<Cluster>,
    /// Where the state is kept.
    pub state: StateLocation,
    /// How long waits may last.
    pub timeouts: Timeouts,
    /// Namespaces by name.
    pub namespaces: BTreeMap<String, Namespace>,
    /// Certificates by key.
    pub certificates: BTreeMap<String, Certificate>,
    /// Sets of Kubernetes objects by key.
    pub manifests: BTreeMap<String, manifests::ManifestSet>,
    /// Istio.
    pub istio: Option<istio::Istio>,
    /// Other charts, in the order of their keys.
    pub charts: Vec<charts::Release>,
    /// Gateways by key.
    pub gateways: BTreeMap<String, edge::Gateway>,
    /// Load balancers by key.
    pub load_balancers: BTreeMap<String, edge::LoadBalancer>,
    /// Renames: old addresses and the new ones.
    pub moved: BTreeMap<Addr, Addr>,
    /// What stays when it leaves the stack.
    pub released: BTreeMap<Addr, Place>,
    /// The sections of charts whose objects stay when they leave the stack: `istio`, a part of it, or `charts.<key>`.
    pub released_charts: BTreeMap<String, Place>,
    /// Secret variables that were given: never shown, other than as a fingerprint.
    pub secret_vars: BTreeMap<String, SecretBytes>,
}

impl Stack {
    /// All releases of charts: Istio's in the order of their installation, then the others.
    pub fn releases(&self) -> Vec<charts::Release> {
        self.istio.iter().flat_map(istio::Istio::releases).chain(self.charts.iter().cloned()).collect()
    }
}

/// `aws:`
#[derive(Clone, Debug)]
pub struct Aws {
    /// The default region, such as `eu-west-1`.
    pub region: String,
    /// The pinned account: another one is refused before any read.
    pub account: Option<String>,
    /// The profile of the AWS configuration files.
    pub profile: Option<String>,
    /// A role to assume.
    pub role: Option<Role>,
    /// Tags on every AWS resource.
    pub tags: BTreeMap<String, String>,
    /// Where the section stands.
    pub place: Place,
    /// The place of `account`, when given.
    pub account_place: Option<Place>,
    /// What exportable public certificates cost.
    pub prices: Prices,
    /// Whether an exported chain must verify. Off only for emulators whose leaves their chain doesn't sign.
    pub verify_chain: bool,
}

/// A role to assume with STS.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Role {
    /// The role's ARN.
    pub arn: String,
    /// The external id the role's trust policy asks for.
    pub external_id: Option<String>,
}

/// Prices of exportable public certificates, at issue and at every renewal, in US dollars. `aws.prices` replaces them.
#[derive(Clone, Debug, PartialEq)]
pub struct Prices {
    /// The day the prices were read, `YYYY-MM-DD`.
    pub as_of: String,
    /// For a fully qualified name.
    pub fqdn: f64,
    /// For a wildcard name.
    pub wildcard: f64,
}

/// `cluster:`
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Cluster {
    /// An EKS cluster by name, reached with the stack's AWS credentials.
    Eks {
        /// Its name.
        name: String,
    },
    /// A kubeconfig's context.
    Kubeconfig {
        /// The file; absent: `KUBECONFIG`, or `~/.kube/config`. Written relative to the stack file, and kept here relative to the working
        /// directory; `~` is not resolved.
        path: Option<String>,
        /// The context; absent: the current one.
        context: Option<String>,
    },
    /// The service account of the pod that meshform runs in (`cluster: {in_cluster: true}`).
    InCluster,
}

/// `state:`
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum StateLocation {
    /// A folder, `.meshform` by default, relative to the working directory.
    Local {
        /// The folder.
        path: String,
    },
}

/// `timeouts:` the limits of waits in seconds. The limit of a certificate's issue stands with the certificate.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Timeouts {
    /// Until ACM has made the validation records.
    pub records: u64,
    /// Until a change of Route 53 is in sync.
    pub in_sync: u64,
    /// Until nobody uses a certificate that is to go.
    pub in_use: u64,
    /// Until an object that is being deleted is gone.
    pub gone: u64,
    /// Until an object does what it is for.
    pub ready: u64,
}

impl Default for Timeouts {
    fn default() -> Self {
        Self { records: 300, in_sync: 300, in_use: 1200, gone: 900, ready: 600 }
    }
}

/// `namespaces.<name>`
#[derive(Clone, Debug)]
pub struct Namespace {
    /// The injection label: `istio-injection=enabled|disabled`.
    pub injection: Option<Injection>,
    /// The revision label: `istio.io/rev=<revision>`; not together with `injection` (IST0123).
    pub revision: Option<String>,
    /// Further labels.
    pub labels: BTreeMap<String, String>,
    /// Further annotations.
    pub annotations: BTreeMap<String, String>,
    /// Consent to take over a namespace that meshform didn't make.
    pub adopt: bool,
    /// Consent to take over fields that another manager owns.
    pub force: bool,
    /// Where it stands.
    pub place: Place,
}

/// The values of the label `istio-injection`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Injection {
    /// `enabled`
    Enabled,
    /// `disabled`
    Disabled,
}

/// `certificates.<key>`
#[derive(Clone, Debug)]
pub struct Certificate {
    /// Where it comes from.
    pub origin: CertificateOrigin,
    /// The first name (the subject's common name), lower case, without trailing dot. Empty when what is there tells it: of an existing
    /// certificate always, of an imported one unless the stack holds it to names.
    pub domain: String,
    /// All names, `domain` among them.
    pub names: BTreeSet<String>,
    /// The zones to look in: empty means any public hosted zone of the account; else each name belongs to the deepest of these.
    pub zones: Vec<Zone>,
    /// Who writes the validation records.
    pub dns: Dns,
    /// The key.
    pub key_algorithm: KeyAlgorithm,
    /// Whether the private key can be exported.
    pub export: bool,
    /// The region; absent: the stack's.
    pub region: Option<String>,
    /// Further tags.
    pub tags: BTreeMap<String, String>,
    /// What to do about a certificate of other make with the same names: refuse (absent), take it over (`true`), leave it alone and make
    /// another (`false`).
    pub adopt: Option<bool>,
    /// How long to wait for the issue, in seconds; 2,700 by default.
    pub issue_timeout: u64,
    /// Delivery to Secrets Manager.
    pub secrets_manager: Option<SecretsManagerDelivery>,
    /// Deliveries to Kubernetes TLS Secrets.
    pub tls_secrets: Vec<TlsSecretDelivery>,
    /// Where it stands.
    pub place: Place,
}

/// Where a certificate comes from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum CertificateOrigin {
    /// Requested of ACM, validated by DNS.
    Public,
    /// Requested of ACM, and signed by a private CA (`private_ca:`).
    PrivateCa {
        /// The CA's ARN.
        arn: String,
    },
    /// Imported into ACM from files (`import:`).
    Imported(Box<ImportFiles>),
    /// There already, and only read (`arn:`).
    Existing {
        /// The certificate's ARN.
        arn: String,
    },
}

/// `certificates.<key>.import`: paths are written relative to the file that names them, and kept here relative to the working directory.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ImportFiles {
    /// The leaf; its chain may follow in the same file.
    pub certificate: Spot,
    /// The chain without the leaf.
    pub chain: Option<Spot>,
    /// The private key.
    pub private_key: KeySource,
    /// The secret variable that holds the passphrase of an encrypted key.
    pub passphrase: Option<Spot>,
}

/// A path or a variable's name, and where the stack names it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Spot {
    /// The path, or the name.
    pub name: String,
    /// Where it stands.
    pub place: Place,
}

/// Where a private key is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum KeySource {
    /// In a file.
    File(Spot),
    /// In a secret variable.
    Variable(Spot),
}

/// A hosted zone of `zone:`.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Zone {
    /// By id (`Z…`), or by name.
    pub by: ZoneBy,
    /// A role of the account that holds the zone.
    pub role: Option<Role>,
    /// Where it stands.
    pub place: Place,
}

/// How a zone is named.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum ZoneBy {
    /// Its id, without `/hostedzone/`.
    Id(String),
    /// Its name, lower case, without trailing dot.
    Name(String),
}

/// `dns:`
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Dns {
    /// meshform writes the records in Route 53.
    Route53,
    /// Someone else writes them; meshform prints them and waits.
    Manual,
}

/// Key algorithms that ACM issues public certificates for, in ACM's spelling.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum KeyAlgorithm {
    /// `RSA_2048`
    Rsa2048,
    /// `EC_prime256v1`
    EcPrime256v1,
    /// `EC_secp384r1`
    EcSecp384r1,
}

impl KeyAlgorithm {
    /// ACM's spelling.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Rsa2048 => "RSA_2048",
            Self::EcPrime256v1 => "EC_prime256v1",
            Self::EcSecp384r1 => "EC_secp384r1",
        }
    }
}

/// `certificates.<key>.secrets_manager`
#[derive(Clone, Debug)]
pub struct SecretsManagerDelivery {
    /// The secret's name.
    pub name: String,
    /// Its description.
    pub description: Option<Text>,
    /// A KMS key; absent: `aws/secretsmanager`.
    pub kms_key_id: Option<String>,
    /// Days that a deleted secret can be restored in: 7 to 30, or 0 to delete at once. 30 by default.
    pub recovery_window_days: u8,
    /// Further tags.
    pub tags: BTreeMap<String, String>,
    /// Consent to take over a secret of other make.
    pub adopt: bool,
    /// The regions with a copy, each with its KMS key; absent: `aws/secretsmanager`.
    pub replicas: BTreeMap<String, Option<String>>,
    /// The resource policy; absent: what is there is left alone.
    pub policy: Option<serde_json::Value>,
    /// How it holds the certificate.
    pub layout: layout::Layout,
    /// Where it stands.
    pub place: Place,
}

/// An entry of `certificates.<key>.tls_secrets`
#[derive(Clone, Debug)]
pub struct TlsSecretDelivery {
    /// The namespace.
    pub namespace: String,
    /// The Secret's name.
    pub name: String,
    /// Further labels.
    pub labels: BTreeMap<String, String>,
    /// Further annotations.
    pub annotations: BTreeMap<String, String>,
    /// Consent to take over a Secret of other make.
    pub adopt: bool,
    /// Consent to take over fields that another manager owns.
    pub force: bool,
    /// Where it stands.
    pub place: Place,
}

/// A text that may hold outputs: `${certificates.edge.arn}`. Variables are already put in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Text(pub Vec<TextPart>);

/// A part of a [`Text`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum TextPart {
    /// Literal text.
    Literal(String),
    /// An output of a certificate.
    Output {
        /// The certificate's key in the stack.
        certificate: String,
        /// Which output.
        output: CertificateOutput,
    },
    /// The DNS name of a load balancer.
    Hostname {
        /// The load balancer's key in the stack.
        load_balancer: String,
    },
}

/// What a certificate offers to `${certificates.<key>.<output>}`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum CertificateOutput {
    /// `arn`
    Arn,
    /// `domain`
    Domain,
    /// `not_after`
    NotAfter,
}

impl CertificateOutput {
    /// Its name.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Arn => "arn",
            Self::Domain => "domain",
            Self::NotAfter => "not_after",
        }
    }
}
