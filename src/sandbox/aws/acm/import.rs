//! ImportCertificate (semantics 1.6).

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use jiff::Timestamp;
use rcgen::{KeyPair, PublicKeyData};
use ring::signature::KeyPair as _;
use serde::Deserialize;
use serde_json::{Value, json};
use x509_parser::certificate::X509Certificate;
use x509_parser::extensions::GeneralName;
use x509_parser::prelude::FromDer;

use super::request::uuid;
use super::tags::{Tag, checked};
use super::{Certificate, Pem, Status, find};
use crate::sandbox::aws::Failure;
use crate::sandbox::aws::wire::{Caller, Outcome, refuse};
use crate::sandbox::world::Tx;

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct Input {
    certificate_arn: Option<String>,
    certificate: Option<String>,
    private_key: Option<String>,
    certificate_chain: Option<String>,
    tags: Option<Vec<Tag>>,
}

/// What an imported leaf says of itself.
struct Leaf {
    names: Vec<String>,
    key_algorithm: &'static str,
    serial: String,
    subject: String,
    issuer: String,
    not_before: Timestamp,
    not_after: Timestamp,
}

pub(super) fn import(tx: &mut Tx<'_>, caller: &Caller, input: Input) -> Outcome<Value> {
    let leaf = text(input.certificate.as_deref(), "Certificate")?;
    let key = text(input.private_key.as_deref(), "PrivateKey")?;
    let chain = input.certificate_chain.as_deref().map(|chain| text(Some(chain), "CertificateChain")).transpose()?;
    if key.len() > 5_120 {
        return Err(invalid("The private key is too long."));
    }
    let (_, der) = pem_rfc7468::decode_vec(leaf.as_bytes()).map_err(|_| invalid("The certificate is not valid PEM."))?;
    let (_, parsed) = X509Certificate::from_der(&der).map_err(|_| invalid("The certificate is not a valid X.509 certificate."))?;
    let (key_der, public) = read_key(&key)?;
    if public != parsed.public_key().subject_public_key.as_ref() {
        return Err(invalid("The certificate and the private key do not match."));
    }
    let read = Leaf::of(&parsed)?;
    if tx.now() < read.not_before || tx.now() > read.not_after {
        return Err(invalid("The certificate is not within its time of validity."));
    }
    let mut certificate = match &input.certificate_arn {
        Some(_) if input.tags.is_some() => return Err(refuse("ValidationException", "Tags can't be given when reimporting.")),
        Some(arn) => Some(find(tx, caller, Some(arn))?),
        None => None,
    };
    if certificate.as_ref().is_some_and(|certificate| !certificate.imported) {
        return Err(refuse("ValidationException", "Only an imported certificate can be imported again."));
    }
    // The key's type and size stay those of the first import (ACM user guide, "Reimport a certificate").
    if certificate.as_ref().is_some_and(|certificate| certificate.key_algorithm != read.key_algorithm) {
        return Err(refuse("ValidationException", "The key type and size of a certificate can't be changed by a reimport."));
    }
    if read.issuer != read.subject && chain.is_none() {
        return Err(refuse("ValidationException", "A certificate that isn't self-signed needs its chain."));
    }
    let tags = checked(&input.tags.unwrap_or_default(), &certificate.as_ref().map(|each| each.tags.clone()).unwrap_or_default())?;
    let now = tx.now();
    let fresh = tx.fresh();
    let mut certificate = certificate.take().unwrap_or_else(|| {
        let id = uuid(&fresh);
        let arn = format!("arn:aws:acm:{}:{}:certificate/{id}", caller.region, caller.account);
        Certificate { account: caller.account.clone(), region: caller.region.clone(), imported: true, ..Certificate::blank(arn, id, now) }
    });
    certificate.status = Status::Issued;
    certificate.names = read.names;
    read.key_algorithm.clone_into(&mut certificate.key_algorithm);
    certificate.serial = Some(read.serial);
    certificate.subject = Some(read.subject);
    certificate.issuer = Some(read.issuer);
    certificate.not_before = Some(read.not_before);
    certificate.not_after = Some(read.not_after);
    certificate.created = now;
    certificate.ever_tagged |= !tags.is_empty();
    certificate.tags = tags;
    tx.write(&certificate.part("pem"), &Pem { leaf, chain: chain.unwrap_or_default() })?;
    tx.write(&certificate.part("key"), &BASE64.encode(key_der))?;
    certificate.save(tx)?;
    let end = crate::sandbox::due::after(read.not_after, jiff::SignedDuration::from_secs(1));
    crate::sandbox::due::schedule(tx, end, "acm.expire", &certificate.key())?;
    Ok(json!({ "CertificateArn": certificate.arn }))
}

impl Leaf {
    fn of(parsed: &X509Certificate<'_>) -> Outcome<Self> {
        let subject_names = parsed.subject_alternative_name().ok().flatten();
        let general = subject_names.iter().flat_map(|names| &names.value.general_names);
        let mut names: Vec<String> =
            general.filter_map(|name| if let GeneralName::DNSName(name) = name { Some((*name).to_owned()) } else { None }).collect();
        let common = parsed.subject().iter_common_name().next().and_then(|name| name.as_str().ok()).map(str::to_owned);
        if let Some(common) = common {
            names.retain(|name| *name != common);
            names.insert(0, common);
        }
        if parsed.issuer().iter_rdn().next().is_none() {
            return Err(invalid("The issuer of the certificate is empty."));
        }
        let size = parsed.public_key().parsed().map(|key| key.key_size()).unwrap_or_default();
        let rsa = parsed.public_key().algorithm.algorithm.to_id_string() == "1.2.840.113549.1.1.1";
        let key_algorithm = match (rsa, size) {
            (true, 1024) => "RSA_1024",
            (true, 2048) => "RSA_2048",
            (true, 3072) => "RSA_3072",
            (true, 4096) => "RSA_4096",
            (false, 256) => "EC_prime256v1",
            (false, 384) => "EC_secp384r1",
            (false, 521 | 528) => "EC_secp521r1",
            _ => return Err(invalid("The key of the certificate is of an algorithm that isn't supported.")),
        };
        let time = |time: x509_parser::time::ASN1Time| Timestamp::from_second(time.timestamp()).unwrap_or_default();
        Ok(Self {
            names,
            key_algorithm,
            serial: parsed.raw_serial().iter().map(|byte| format!("{byte:02x}")).collect::<Vec<_>>().join(":"),
            subject: parsed.subject().to_string(),
            issuer: parsed.issuer().to_string(),
            not_before: time(parsed.validity().not_before),
            not_after: time(parsed.validity().not_after),
        })
    }
}

/// A key's DER, and its public half as it is in a certificate.
fn read_key(pem: &str) -> Outcome<(Vec<u8>, Vec<u8>)> {
    let (label, der) = pem_rfc7468::decode_vec(pem.as_bytes()).map_err(|_| invalid("The private key is not valid PEM."))?;
    let public = match label {
        "PRIVATE KEY" => KeyPair::try_from(der.as_slice()).ok().map(|pair| pair.der_bytes().to_vec()),
        "RSA PRIVATE KEY" => ring::rsa::KeyPair::from_der(&der).ok().map(|pair| pair.public_key().as_ref().to_vec()),
        "ENCRYPTED PRIVATE KEY" => return Err(invalid("The private key must not be encrypted.")),
        _ => return Err(invalid("The sandbox reads private keys as PKCS#8 or as RSA's PKCS#1.")),
    };
    Ok((der, public.ok_or_else(|| invalid("The private key is not valid or not supported."))?))
}

fn text(blob: Option<&str>, name: &str) -> Outcome<String> {
    let bytes = blob.and_then(|blob| BASE64.decode(blob).ok());
    bytes.and_then(|bytes| String::from_utf8(bytes).ok()).ok_or_else(|| invalid(&format!("{name} is missing or not text.")))
}

fn invalid(message: &str) -> Failure {
    refuse("InvalidParameterException", message)
}
