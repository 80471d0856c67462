//! Certificates with the fields and extensions that Go's `x509.CreateCertificate` writes for sprig's template, in its order.

use core::net::IpAddr;

use num_bigint_dig::BigUint;
use ring::digest;
use x509_parser::extensions::ParsedExtension;

use super::super::random::bytes;
use super::super::time::civil;
use super::super::{FuncError, Runtime};
use super::der::{OCTET_STRING, OID, SEQUENCE, bits, integer, sequence, tagged};
use super::key::{Key, spki};
use super::pem;
use crate::helm::value::{List, Str, Value};

const COMMON_NAME: &[u8] = &[0x55, 0x04, 0x03];
const KEY_USAGE: &[u8] = &[0x55, 0x1d, 0x0f];
const EXTENDED_KEY_USAGE: &[u8] = &[0x55, 0x1d, 0x25];
const BASIC_CONSTRAINTS: &[u8] = &[0x55, 0x1d, 0x13];
const SUBJECT_KEY_ID: &[u8] = &[0x55, 0x1d, 0x0e];
const AUTHORITY_KEY_ID: &[u8] = &[0x55, 0x1d, 0x23];
const ALTERNATIVE_NAMES: &[u8] = &[0x55, 0x1d, 0x11];
const SERVER_AUTH: &[u8] = &[0x2b, 0x06, 0x01, 0x05, 0x05, 0x07, 0x03, 0x01];
const CLIENT_AUTH: &[u8] = &[0x2b, 0x06, 0x01, 0x05, 0x05, 0x07, 0x03, 0x02];
const DAY: i64 = 86_400;

/// What a certificate is asked to say.
pub(super) struct Request<'a> {
    pub(super) name: &'a Str,
    pub(super) ips: Vec<IpAddr>,
    pub(super) dns: Vec<Str>,
    pub(super) days: i64,
    pub(super) authority: bool,
}

/// Who signs: the certificate's own key, or an authority.
pub(super) struct Issuer {
    other: Option<Authority>,
}

struct Authority {
    subject: Vec<u8>,
    key_id: Vec<u8>,
    key: Key,
}

impl Issuer {
    /// The certificate signs itself.
    pub(super) fn own() -> Self {
        Self { other: None }
    }

    /// An authority from its PEM.
    pub(super) fn parse(cert: &str, key: &str) -> Result<Self, FuncError> {
        let (_, der) = pem::decode(cert).ok_or_else(|| FuncError::new("unable to decode certificate"))?;
        let (_, parsed) = x509_parser::parse_x509_certificate(&der)
            .map_err(|_| FuncError::new("error parsing certificate: decodedSignerCert.Bytes: x509: malformed certificate"))?;
        let key = Key::parse(key).map_err(|error| FuncError::new(format!("error parsing private key: {error}")))?;
        if spki(&key)? != parsed.public_key().raw {
            return Err(FuncError::new("error creating certificate: x509: provided PrivateKey doesn't match parent's PublicKey"));
        }
        let key_id = parsed.extensions().iter().find_map(|extension| match extension.parsed_extension() {
            ParsedExtension::SubjectKeyIdentifier(id) => Some(id.0.to_vec()),
            _ => None,
        });
        let subject = parsed.subject().as_raw().to_vec();
        Ok(Self { other: Some(Authority { subject, key_id: key_id.unwrap_or_default(), key }) })
    }
}

/// The addresses that are given as texts.
pub(super) fn addresses(list: &List) -> Result<Vec<IpAddr>, FuncError> {
    let address = |value: &Value| match value {
        Value::Str(text) => text.to_str().parse().map_err(|_| FuncError::new(format!("error parsing ip: {text}"))),
        other => Err(FuncError::new(format!("error parsing ip: {} is not a string", other.print()?))),
    };
    list.to_vec().iter().map(address).collect()
}

/// The certificate in PEM.
pub(super) fn create(runtime: &mut dyn Runtime, request: &Request<'_>, key: &Key, issuer: &Issuer) -> Result<String, FuncError> {
    let (algorithm, public) = key.public()?;
    let subject = subject(request.name);
    let (signer, issued_by) = issuer.other.as_ref().map_or((key, &subject), |other| (&other.key, &other.subject));
    // Go gives the authority's key id only where the names differ.
    let authority_id = issuer.other.as_ref().filter(|other| other.subject != subject).map_or(&[][..], |other| &other.key_id);
    let serial = integer(&BigUint::from_bytes_be(&bytes::<16>(runtime)));
    let signature_algorithm = signer.signature_algorithm()?;
    let now = runtime.host().now().0;
    let end = now.saturating_add(request.days.saturating_mul(DAY));
    let validity = sequence(&[&time(now), &time(end)]);
    let extensions = extensions(request, &public, authority_id, subject.len() == 2)?;
    let content = sequence(&[
        &tagged(0xa0, &integer(&BigUint::from(2u32))),
        &serial,
        &signature_algorithm,
        issued_by,
        &validity,
        &subject,
        &sequence(&[&algorithm, &bits(&public)]),
        &tagged(0xa3, &extensions),
    ]);
    let signature = signer.sign(&content)?;
    Ok(pem::encode("CERTIFICATE", &sequence(&[&content, &signature_algorithm, &bits(&signature)])))
}

/// A name that is a common name alone, or nothing.
fn subject(name: &Str) -> Vec<u8> {
    if name.is_empty() {
        return tagged(SEQUENCE, &[]);
    }
    let printable = name.as_bytes().iter().all(|b| b.is_ascii_alphanumeric() || b" '()+,-./:=?*&".contains(b));
    let text = tagged(if printable { 0x13 } else { 0x0c }, name.as_bytes());
    sequence(&[&tagged(0x31, &sequence(&[&tagged(OID, COMMON_NAME), &text]))])
}

/// Two digits of the year up to 2049, four from then on.
fn time(unix: i64) -> Vec<u8> {
    let at = civil(unix);
    let rest = format!("{:02}{:02}{:02}{:02}{:02}Z", at.month, at.day, at.hour, at.minute, at.second);
    if (1950..2050).contains(&at.year) {
        tagged(0x17, format!("{:02}{rest}", at.year % 100).as_bytes())
    } else {
        tagged(0x18, format!("{:04}{rest}", at.year).as_bytes())
    }
}

fn extension(oid: &[u8], critical: bool, content: &[u8]) -> Vec<u8> {
    let critical: &[u8] = if critical { &[0x01, 0x01, 0xff] } else { &[] };
    sequence(&[&tagged(OID, oid), critical, &tagged(OCTET_STRING, content)])
}

fn extensions(request: &Request<'_>, public: &[u8], authority_id: &[u8], unnamed: bool) -> Result<Vec<u8>, FuncError> {
    // Digital signature and key encipherment; and the signing of certificates.
    let usage: &[u8] = if request.authority { &[0x03, 0x02, 0x02, 0xa4] } else { &[0x03, 0x02, 0x05, 0xa0] };
    let mut all = vec![
        extension(KEY_USAGE, true, usage),
        extension(EXTENDED_KEY_USAGE, false, &sequence(&[&tagged(OID, SERVER_AUTH), &tagged(OID, CLIENT_AUTH)])),
        extension(BASIC_CONSTRAINTS, true, &tagged(SEQUENCE, if request.authority { &[0x01, 0x01, 0xff] } else { &[] })),
    ];
    if request.authority {
        // Method 1 of RFC 7093.
        let id = digest::digest(&digest::SHA256, public);
        all.push(extension(SUBJECT_KEY_ID, false, &tagged(OCTET_STRING, &id.as_ref()[..20])));
    }
    if !authority_id.is_empty() {
        all.push(extension(AUTHORITY_KEY_ID, false, &sequence(&[&tagged(0x80, authority_id)])));
    }
    let mut names = Vec::new();
    for name in &request.dns {
        if !name.as_bytes().is_ascii() {
            let shown = crate::helm::strconv::quote_bytes(name.as_bytes());
            return Err(FuncError::new(format!("error creating certificate: x509: {shown} cannot be encoded as an IA5String")));
        }
        names.extend(tagged(0x82, name.as_bytes()));
    }
    for ip in &request.ips {
        // An IPv4 address in IPv6's form is written as IPv4.
        names.extend(match ip.to_canonical() {
            IpAddr::V4(ip) => tagged(0x87, &ip.octets()),
            IpAddr::V6(ip) => tagged(0x87, &ip.octets()),
        });
    }
    if !names.is_empty() {
        all.push(extension(ALTERNATIVE_NAMES, unnamed, &tagged(SEQUENCE, &names)));
    }
    Ok(tagged(SEQUENCE, &all.concat()))
}
