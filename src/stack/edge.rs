//! `gateways:` and `load_balancers:` as the stack says them.

use std::collections::BTreeMap;

use super::{Text, Zone};
use crate::diag::Place;

/// The ingress gateway that a section is about: one of `istio.ingress`, or one that is there without the stack.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct IngressGateway {
    /// Its key under `istio.ingress`.
    pub key: Option<String>,
    /// Its namespace.
    pub namespace: String,
    /// Its Service.
    pub service: String,
    /// The labels of its pods that Gateways select by.
    pub selector: BTreeMap<String, String>,
}

/// `gateways.<key>`
#[derive(Clone, Debug)]
pub struct Gateway {
    /// The ingress gateway that it opens ports on.
    pub ingress: IngressGateway,
    /// The object's name; the key by default.
    pub name: String,
    /// Its servers.
    pub servers: Vec<Server>,
    /// Further labels.
    pub labels: BTreeMap<String, String>,
    /// Further annotations.
    pub annotations: BTreeMap<String, String>,
    /// Consent to take over a Gateway of other make.
    pub adopt: bool,
    /// Consent to take over fields that another manager owns.
    pub force: bool,
    /// Where it stands.
    pub place: Place,
}

/// An item of `gateways.<key>.servers`
#[derive(Clone, Debug)]
pub struct Server {
    /// The port, as the ingress gateway's Service has it.
    pub port: u16,
    /// The port's name.
    pub name: String,
    /// The protocol, in Istio's spelling.
    pub protocol: String,
    /// The hosts; `*` for any.
    pub hosts: Vec<String>,
    /// The certificate that it serves, by its key.
    pub certificate: Option<String>,
    /// TLS; absent for plain text.
    pub tls: Option<ServerTls>,
    /// Whether it answers with a redirect to HTTPS.
    pub https_redirect: bool,
    /// Where it stands.
    pub place: Place,
}

/// `gateways.<key>.servers[].tls`
#[derive(Clone, Debug, Default)]
pub struct ServerTls {
    /// The mode, in Istio's spelling.
    pub mode: String,
    /// The Secret with the certificate, in the ingress gateway's namespace.
    pub credential: Option<String>,
    /// The lowest version, in Istio's spelling.
    pub min_version: Option<String>,
    /// The highest version.
    pub max_version: Option<String>,
    /// The cipher suites, in Envoy's spelling.
    pub cipher_suites: Vec<String>,
}

impl ServerTls {
    /// Whether the gateway itself ends TLS, and so needs a certificate.
    pub fn terminates(&self) -> bool {
        matches!(self.mode.as_str(), "SIMPLE" | "MUTUAL" | "OPTIONAL_MUTUAL")
    }
}

/// `load_balancers.<key>`: an Application Load Balancer in front of an ingress gateway, made by the AWS Load Balancer Controller.
#[allow(clippy::struct_excessive_bools)]
#[derive(Clone, Debug)]
pub struct LoadBalancer {
    /// The ingress gateway behind it.
    pub ingress: IngressGateway,
    /// The Ingress's name; the key by default.
    pub name: String,
    /// Whether the internet reaches it.
    pub is_public: bool,
    /// The certificates by their keys, the default one first.
    pub certificates: Vec<String>,
    /// The port for HTTP.
    pub http: Option<u16>,
    /// The port for HTTPS.
    pub https: Option<u16>,
    /// Whether HTTP is answered with a redirect to HTTPS.
    pub redirect: bool,
    /// The security policy of HTTPS listeners.
    pub ssl_policy: String,
    /// What it speaks to the gateway.
    pub backend_protocol: BackendProtocol,
    /// The version of that protocol.
    pub protocol_version: Option<String>,
    /// The Service's port, by number or name.
    pub backend_port: String,
    /// Whether targets are nodes (by their node ports) or pods.
    pub target_type: TargetType,
    /// The health check.
    pub health_check: HealthCheck,
    /// Further annotations of the controller, by their names without prefix: lists and maps as they are written there.
    pub settings: BTreeMap<&'static str, String>,
    /// `ipv4`, `dualstack`, …
    pub ip_address_type: Option<String>,
    /// The class of the Ingress.
    pub class: IngressClass,
    /// The hosts that lead to it.
    pub hosts: BTreeMap<String, Place>,
    /// Who writes their records.
    pub dns: HostDns,
    /// The zones of the hosts; empty: those of the account.
    pub zones: Vec<Zone>,
    /// Whether the records answer only while there are healthy targets.
    pub evaluate_target_health: bool,
    /// Further labels.
    pub labels: BTreeMap<String, String>,
    /// Further annotations, in which outputs may stand.
    pub annotations: BTreeMap<String, Text>,
    /// Consent to take over an Ingress and records of other make.
    pub adopt: bool,
    /// Consent to take over fields that another manager owns.
    pub force: bool,
    /// Consent to changes that another load balancer comes of.
    pub replace: bool,
    /// Where it stands.
    pub place: Place,
}

/// What a load balancer speaks to its targets.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum BackendProtocol {
    /// `HTTP`
    Http,
    /// `HTTPS`: any certificate will do, and no name is sent with it.
    Https,
}

/// What a load balancer's targets are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TargetType {
    /// Nodes, by the node ports of a Service.
    Instance,
    /// Pods.
    Ip,
}

/// `load_balancers.<key>.health_check`
#[derive(Clone, Debug)]
pub struct HealthCheck {
    /// The Service's port, by its name: for nodes the controller looks the node port up.
    pub port: String,
    /// The path.
    pub path: String,
    /// `HTTP` or `HTTPS`.
    pub protocol: String,
    /// The codes that mean health.
    pub codes: String,
    /// Seconds between checks.
    pub interval: Option<u64>,
    /// Seconds to wait for an answer.
    pub timeout: Option<u64>,
    /// Good checks until a target is healthy.
    pub healthy: Option<u64>,
    /// Bad checks until it isn't.
    pub unhealthy: Option<u64>,
}

/// The class of a load balancer's Ingress.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct IngressClass {
    /// Its name.
    pub name: String,
    /// The controller, when the stack makes the class.
    pub controller: Option<String>,
}

/// `load_balancers.<key>.dns`
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum HostDns {
    /// meshform writes alias records in Route 53.
    Route53,
    /// external-dns does, by an annotation.
    ExternalDns,
    /// Someone else does.
    Manual,
}
