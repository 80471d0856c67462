//! A certificate authority of a test's own: leaves with their keys and chains, as people bring them along.

use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use rcgen::{
    BasicConstraints, CertificateParams, DistinguishedName, DnType, IsCa, Issuer, KeyPair, PKCS_ECDSA_P256_SHA256, SignatureAlgorithm,
};

use super::lab::Lab;

/// A leaf with its key and its chain, PEM.
pub(crate) struct Made {
    pub(crate) leaf: String,
    pub(crate) chain: String,
    pub(crate) key: String,
}

impl Made {
    /// Writes `edge.pem`, `edge.key` and `chain.pem`.
    pub(crate) fn write(&self, lab: &Lab) -> &Self {
        lab.write("edge.pem", &self.leaf);
        lab.write("edge.key", &self.key);
        lab.write("chain.pem", &self.chain);
        self
    }
}

/// A leaf for these names with a new key, valid from a day ago for so many days, of a root over an intermediate.
pub(crate) fn leaf(lab: &Lab, names: &[&str], days: i64) -> Made {
    leaf_of(lab, names, -1, days, &PKCS_ECDSA_P256_SHA256)
}

pub(crate) fn leaf_of(lab: &Lab, names: &[&str], from: i64, days: i64, algorithm: &'static SignatureAlgorithm) -> Made {
    let epoch = rcgen::date_time_ymd(1970, 1, 1);
    let now = lab.raw().sandbox.clock().now();
    let root_key = KeyPair::generate().unwrap();
    let root_params = authority("Test Root", now);
    let root = root_params.self_signed(&root_key).unwrap();
    let middle_key = KeyPair::generate().unwrap();
    let middle_params = authority("Test Intermediate", now);
    let middle = middle_params.signed_by(&middle_key, &Issuer::from_params(&root_params, &root_key)).unwrap();
    let key = KeyPair::generate_for(algorithm).unwrap();
    let mut params = CertificateParams::new(names.iter().map(|name| (*name).to_owned()).collect::<Vec<_>>()).unwrap();
    params.distinguished_name = DistinguishedName::new();
    if let Some(first) = names.first() {
        params.distinguished_name.push(DnType::CommonName, *first);
    }
    (params.not_before, params.not_after) = (epoch + since(now, from), epoch + since(now, days));
    let leaf = params.signed_by(&key, &Issuer::from_params(&middle_params, &middle_key)).unwrap();
    Made {
        leaf: pem("CERTIFICATE", leaf.der()),
        chain: pem("CERTIFICATE", middle.der()) + &pem("CERTIFICATE", root.der()),
        key: pem("PRIVATE KEY", key.serialized_der()),
    }
}

fn authority(name: &str, now: Timestamp) -> CertificateParams {
    let mut params = CertificateParams::default();
    params.distinguished_name = DistinguishedName::new();
    params.distinguished_name.push(DnType::CommonName, name);
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    let epoch = rcgen::date_time_ymd(1970, 1, 1);
    (params.not_before, params.not_after) = (epoch + since(now, -30), epoch + since(now, 3650));
    params
}

/// So many days from now, since 1970.
fn since(now: Timestamp, days: i64) -> Duration {
    Duration::from_secs(u64::try_from((now + SignedDuration::from_hours(24 * days)).as_second()).unwrap())
}

pub(crate) fn pem(label: &str, der: &[u8]) -> String {
    pem_rfc7468::encode_string(label, pem_rfc7468::LineEnding::LF, der).unwrap()
}
