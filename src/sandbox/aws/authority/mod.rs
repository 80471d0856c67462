//! The sandbox's certificate authority: a root and an intermediate of each world's own, which sign real leaves.

mod der;
mod rsa;

use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use jiff::{SignedDuration, Timestamp};
use pem_rfc7468::LineEnding;
use pkcs8::PrivateKeyInfoRef;
use pkcs8::pkcs5::pbes2;
use rcgen::{
    BasicConstraints, CertificateParams, DistinguishedName, DnType, ExtendedKeyUsagePurpose, IsCa, Issuer, KeyPair, KeyUsagePurpose,
    PKCS_ECDSA_P256_SHA256, PKCS_ECDSA_P384_SHA384, PKCS_RSA_SHA256, PublicKeyData, SanType, SerialNumber, SignatureAlgorithm,
};
use serde::{Deserialize, Serialize};

use crate::sandbox::due::after;
use crate::sandbox::error::SandboxError;
use crate::sandbox::world::Tx;

const CA: &str = "ca/authority";
const CA_DAYS: i64 = 3_650;
const INTERMEDIATE: &str = "Sandbox ECDSA 256 M01";
/// As an emulator's author saw it in ACM's exports (semantics 1.5); ACM doesn't document it.
const EXPORT_ROUNDS: u32 = 2_048;

/// The authority's keys and certificates.
#[derive(Serialize, Deserialize)]
struct Authority {
    root_pem: String,
    intermediate_pem: String,
    /// PKCS#8, in base64. The root's key isn't kept: it has signed all that it will.
    intermediate_key: String,
}

/// The keys that ACM makes (semantics 1.1), as RequestCertificate spells them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) enum KeyAlgorithm {
    /// RSA with 2,048 bits.
    #[serde(rename = "RSA_2048")]
    Rsa2048,
    /// The curve P-256.
    #[serde(rename = "EC_prime256v1")]
    P256,
    /// The curve P-384.
    #[serde(rename = "EC_secp384r1")]
    P384,
}

/// A certificate and its key.
pub(super) struct Issued {
    pub(super) leaf_pem: String,
    /// PKCS#8, in the clear.
    pub(super) key: Vec<u8>,
    /// As ACM shows serial numbers: `0a:1b:…`.
    pub(super) serial: String,
}

/// What certificates are signed with.
#[derive(Clone, Serialize, Deserialize)]
pub(super) struct Signer {
    /// The common name of its certificate.
    pub(super) name: String,
    /// What follows a leaf: its certificate, and those above it.
    pub(super) chain_pem: String,
    /// PKCS#8, in base64.
    key: String,
}

/// What Amazon's own certificates are signed with.
pub(super) fn public(tx: &Tx<'_>) -> Result<Signer, SandboxError> {
    let Authority { root_pem, intermediate_pem, intermediate_key } = read(tx)?;
    Ok(Signer { name: INTERMEDIATE.to_owned(), chain_pem: intermediate_pem + &root_pem, key: intermediate_key })
}

/// A new root of this name.
pub(super) fn root(tx: &mut Tx<'_>, name: &str) -> Result<Signer, SandboxError> {
    let until = after(tx.now(), SignedDuration::from_hours(24 * CA_DAYS));
    let key = KeyPair::generate_for(&PKCS_ECDSA_P256_SHA256).map_err(failed)?;
    let certificate = ca_params(name, 0, tx.fresh(), tx.now(), until).self_signed(&key).map_err(failed)?;
    let chain_pem = pem("CERTIFICATE", certificate.der())?;
    Ok(Signer { name: name.to_owned(), chain_pem, key: BASE64.encode(key.serialized_der()) })
}

/// Makes the authority of a new world.
pub(super) fn populate(tx: &mut Tx<'_>) -> Result<(), SandboxError> {
    let until = after(tx.now(), SignedDuration::from_hours(24 * CA_DAYS));
    let root_key = KeyPair::generate_for(&PKCS_ECDSA_P256_SHA256).map_err(failed)?;
    let root_params = ca_params("Sandbox Root CA 1", 1, tx.fresh(), tx.now(), until);
    let root = root_params.self_signed(&root_key).map_err(failed)?;
    let intermediate_key = KeyPair::generate_for(&PKCS_ECDSA_P256_SHA256).map_err(failed)?;
    let params = ca_params(INTERMEDIATE, 0, tx.fresh(), tx.now(), until);
    let intermediate = params.signed_by(&intermediate_key, &Issuer::from_params(&root_params, &root_key)).map_err(failed)?;
    let authority = Authority {
        root_pem: pem("CERTIFICATE", root.der())?,
        intermediate_pem: pem("CERTIFICATE", intermediate.der())?,
        intermediate_key: BASE64.encode(intermediate_key.serialized_der()),
    };
    tx.write(CA, &authority)
}

/// The root certificate.
pub(in crate::sandbox) fn root_pem(tx: &Tx<'_>) -> Result<String, SandboxError> {
    Ok(read(tx)?.root_pem)
}

/// The issuer of all leaves, as ACM's descriptions name theirs (`Amazon`).
pub(super) fn issuer_name() -> &'static str {
    "Sandbox"
}

/// Makes a key and a certificate for names, the first of which becomes the subject's common name.
pub(super) fn issue(
    tx: &mut Tx<'_>,
    signer: &Signer,
    names: &[String],
    algorithm: KeyAlgorithm,
    not_before: Timestamp,
    not_after: Timestamp,
) -> Result<Issued, SandboxError> {
    let serial = positive(tx.fresh());
    let mut params = params(names.first().map_or("", String::as_str), &serial, not_before, not_after);
    params.subject_alt_names =
        names.iter().map(|name| name.as_str().try_into().map(SanType::DnsName)).collect::<Result<_, _>>().map_err(failed)?;
    params.is_ca = IsCa::ExplicitNoCa;
    params.key_usages = vec![KeyUsagePurpose::DigitalSignature, KeyUsagePurpose::KeyEncipherment];
    params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
    params.use_authority_key_identifier_extension = true;

    let signing_key = BASE64.decode(&signer.key).map_err(|error| SandboxError::Authority(error.to_string()))?;
    let issuer_params = ca_params(&signer.name, 0, [0; 32], not_before, not_after);
    let issuer_key = KeyPair::try_from(signing_key).map_err(failed)?;
    let issuer = Issuer::from_params(&issuer_params, &issuer_key);
    let (leaf, key) = match algorithm {
        KeyAlgorithm::Rsa2048 => {
            let key = rsa::generate(tx)?;
            (params.signed_by(&RsaPublic(key.public), &issuer).map_err(failed)?, key.pkcs8)
        }
        KeyAlgorithm::P256 | KeyAlgorithm::P384 => {
            params.key_usages = vec![KeyUsagePurpose::DigitalSignature];
            let curve = if algorithm == KeyAlgorithm::P256 { &PKCS_ECDSA_P256_SHA256 } else { &PKCS_ECDSA_P384_SHA384 };
            let key = KeyPair::generate_for(curve).map_err(failed)?;
            (params.signed_by(&key, &issuer).map_err(failed)?, key.serialize_der())
        }
    };
    let serial = serial.iter().map(|byte| format!("{byte:02x}")).collect::<Vec<_>>().join(":");
    Ok(Issued { leaf_pem: pem("CERTIFICATE", leaf.der())?, key, serial })
}

/// A key as ACM exports it: PKCS#8, encrypted with PBES2 (PBKDF2 with HMAC-SHA256, AES-256-CBC), as PEM. Each time with another salt.
pub(super) fn encrypt(key: &[u8], passphrase: &[u8]) -> Result<String, SandboxError> {
    let failed = |error: &dyn std::fmt::Display| SandboxError::Authority(error.to_string());
    let mut random = [0; 32];
    getrandom::fill(&mut random).map_err(|error| SandboxError::Random(error.to_string()))?;
    let (salt, iv) = random.split_at(16);
    let iv: [u8; 16] = iv.try_into().map_err(|error| failed(&error))?;
    let parameters = pbes2::Parameters::generate_pbkdf2_sha256_aes256cbc(EXPORT_ROUNDS, salt, iv).map_err(|error| failed(&error))?;
    let info = PrivateKeyInfoRef::try_from(key).map_err(|error| failed(&error))?;
    let encrypted = info.encrypt_with_params(parameters, passphrase).map_err(|error| failed(&error))?;
    Ok(encrypted.to_pem("ENCRYPTED PRIVATE KEY", LineEnding::LF).map_err(|error| failed(&error))?.to_string())
}

/// An RSA public key, for a certificate.
struct RsaPublic(Vec<u8>);

impl PublicKeyData for RsaPublic {
    fn der_bytes(&self) -> &[u8] {
        &self.0
    }

    fn algorithm(&self) -> &'static SignatureAlgorithm {
        &PKCS_RSA_SHA256
    }
}

fn read(tx: &Tx<'_>) -> Result<Authority, SandboxError> {
    tx.read(CA)?.ok_or_else(|| SandboxError::Authority("the world has none".to_owned()))
}

fn ca_params(name: &str, below: u8, fresh: [u8; 32], not_before: Timestamp, not_after: Timestamp) -> CertificateParams {
    let mut params = params(name, &positive(fresh), not_before, not_after);
    params.distinguished_name.push(DnType::OrganizationName, issuer_name());
    params.is_ca = IsCa::Ca(BasicConstraints::Constrained(below));
    params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign, KeyUsagePurpose::DigitalSignature];
    params.use_authority_key_identifier_extension = true;
    params
}

fn params(name: &str, serial: &[u8], not_before: Timestamp, not_after: Timestamp) -> CertificateParams {
    let mut params = CertificateParams::default();
    params.distinguished_name = DistinguishedName::new();
    params.distinguished_name.push(DnType::CommonName, name);
    params.serial_number = Some(SerialNumber::from_slice(serial));
    let epoch = rcgen::date_time_ymd(1970, 1, 1);
    let moment = |time: Timestamp| epoch + Duration::from_secs(u64::try_from(time.as_second()).unwrap_or_default());
    params.not_before = moment(not_before);
    params.not_after = moment(not_after);
    params
}

/// A serial number of 16 bytes that can't be read as a negative one, nor starts with a zero byte.
fn positive(fresh: [u8; 32]) -> Vec<u8> {
    let mut serial = fresh[..16].to_vec();
    serial[0] = (serial[0] & 0x7f) | 0x40;
    serial
}

fn pem(label: &str, der: &[u8]) -> Result<String, SandboxError> {
    pem_rfc7468::encode_string(label, LineEnding::LF, der).map_err(|error| SandboxError::Authority(error.to_string()))
}

#[expect(clippy::needless_pass_by_value, reason = "the shape that map_err wants")]
fn failed(error: rcgen::Error) -> SandboxError {
    SandboxError::Authority(error.to_string())
}
