//! Private keys on the curves of NIST: read and written in the form of SEC 1, and signed with, as Go's `crypto/x509` and `crypto/ecdsa` do.

use num_bigint_dig::BigUint;
use p256::ecdsa::signature::Signer as _;

use super::super::random::bytes;
use super::super::{FuncError, Runtime};
use super::der::{OCTET_STRING, OID, Reader, algorithm, bits, integer, integers, sequence, tagged};

/// `id-ecPublicKey`.
pub(super) const EC_PUBLIC_KEY: &[u8] = &[0x2a, 0x86, 0x48, 0xce, 0x3d, 0x02, 0x01];
const P224: &[u8] = &[0x2b, 0x81, 0x04, 0x00, 0x21];
const P256: &[u8] = &[0x2a, 0x86, 0x48, 0xce, 0x3d, 0x03, 0x01, 0x07];
const P384: &[u8] = &[0x2b, 0x81, 0x04, 0x00, 0x22];
const P521: &[u8] = &[0x2b, 0x81, 0x04, 0x00, 0x23];
const ECDSA_WITH_SHA256: &[u8] = &[0x2a, 0x86, 0x48, 0xce, 0x3d, 0x04, 0x03, 0x02];
const ECDSA_WITH_SHA384: &[u8] = &[0x2a, 0x86, 0x48, 0xce, 0x3d, 0x04, 0x03, 0x03];
const ECDSA_WITH_SHA512: &[u8] = &[0x2a, 0x86, 0x48, 0xce, 0x3d, 0x04, 0x03, 0x04];

/// A private key on one of the curves.
pub(super) enum EcKey {
    P256(p256::SecretKey),
    P384(p384::SecretKey),
    P521(p521::SecretKey),
}

impl EcKey {
    /// A new key on P-256, the one curve that sprig makes keys on.
    pub(super) fn generate(runtime: &mut dyn Runtime) -> Result<Self, FuncError> {
        for _ in 0..128 {
            if let Ok(key) = p256::SecretKey::from_slice(&bytes::<32>(runtime)) {
                return Ok(Self::P256(key));
            }
        }
        Err(FuncError::limit("the dice lead to no key"))
    }

    /// Reads the structure of SEC 1. The curve that PKCS#8 names around it goes before the one inside. Errors are Go's words.
    pub(super) fn parse(der: &[u8], named: Option<&[u8]>) -> Result<Self, String> {
        let mut parts = Reader(der).inner().ok_or_else(|| malformed(der))?;
        let version = parts.number().ok_or_else(|| malformed(der))?;
        let scalar = parts.take(OCTET_STRING).ok_or_else(|| malformed(der))?;
        if version != BigUint::from(1u32) {
            return Err(format!("x509: unknown EC private key version {version}"));
        }
        let inside = parts.take(0xa0).and_then(|curve| Reader(curve).take(OID));
        let refused = |_| out_of_range(scalar);
        match named.or(inside) {
            Some(P256) => p256::SecretKey::from_slice(&whole::<32>(scalar)?).map(Self::P256).map_err(refused),
            Some(P384) => p384::SecretKey::from_slice(&whole::<48>(scalar)?).map(Self::P384).map_err(refused),
            Some(P521) => p521::SecretKey::from_slice(&whole::<66>(scalar)?).map(Self::P521).map_err(refused),
            Some(P224) => Err("keys on P-224 are not read here: take one on P-256, P-384 or P-521".to_owned()),
            _ => Err("x509: unknown elliptic curve".to_owned()),
        }
    }

    /// The structure of SEC 1, with curve and public key.
    pub(super) fn to_der(&self) -> Vec<u8> {
        let scalar = match self {
            Self::P256(key) => key.to_bytes().to_vec(),
            Self::P384(key) => key.to_bytes().to_vec(),
            Self::P521(key) => key.to_bytes().to_vec(),
        };
        let one = integer(&BigUint::from(1u32));
        let (curve, public) = (tagged(0xa0, &tagged(OID, self.curve())), tagged(0xa1, &bits(&self.point())));
        sequence(&[&one, &tagged(OCTET_STRING, &scalar), &curve, &public])
    }

    /// The algorithm of a public key, as it stands in a certificate.
    pub(super) fn algorithm(&self) -> Vec<u8> {
        sequence(&[&tagged(OID, EC_PUBLIC_KEY), &tagged(OID, self.curve())])
    }

    /// The public key, uncompressed.
    pub(super) fn point(&self) -> Vec<u8> {
        match self {
            Self::P256(key) => p256::ecdsa::SigningKey::from(key).verifying_key().to_sec1_point(false).as_bytes().to_vec(),
            Self::P384(key) => p384::ecdsa::SigningKey::from(key).verifying_key().to_sec1_point(false).as_bytes().to_vec(),
            Self::P521(key) => p521::ecdsa::SigningKey::from(key).verifying_key().to_sec1_point(false).as_bytes().to_vec(),
        }
    }

    /// The algorithm of its signatures: the hash that is as long as the curve.
    pub(super) fn signature_algorithm(&self) -> Vec<u8> {
        let oid = match self {
            Self::P256(_) => ECDSA_WITH_SHA256,
            Self::P384(_) => ECDSA_WITH_SHA384,
            Self::P521(_) => ECDSA_WITH_SHA512,
        };
        algorithm(oid, false)
    }

    /// A signature: its two numbers in DER. It is made without dice, as RFC 6979 has it.
    pub(super) fn sign(&self, message: &[u8]) -> Vec<u8> {
        let numbers = |r: &[u8], s: &[u8]| integers(&[&BigUint::from_bytes_be(r), &BigUint::from_bytes_be(s)]);
        match self {
            Self::P256(key) => {
                let signature: p256::ecdsa::Signature = p256::ecdsa::SigningKey::from(key).sign(message);
                let (r, s) = signature.split_bytes();
                numbers(&r, &s)
            }
            Self::P384(key) => {
                let signature: p384::ecdsa::Signature = p384::ecdsa::SigningKey::from(key).sign(message);
                let (r, s) = signature.split_bytes();
                numbers(&r, &s)
            }
            Self::P521(key) => {
                let signature: p521::ecdsa::Signature = p521::ecdsa::SigningKey::from(key).sign(message);
                let (r, s) = signature.split_bytes();
                numbers(&r, &s)
            }
        }
    }

    fn curve(&self) -> &'static [u8] {
        match self {
            Self::P256(_) => P256,
            Self::P384(_) => P384,
            Self::P521(_) => P521,
        }
    }
}

/// The number in as many bytes as the curve's order has: old tools wrote too many zeros before it, or too few.
fn whole<const LENGTH: usize>(scalar: &[u8]) -> Result<[u8; LENGTH], String> {
    let (over, given) = scalar.split_at(scalar.len().saturating_sub(LENGTH));
    if over.iter().any(|byte| *byte != 0) {
        return Err("x509: invalid private key length".to_owned());
    }
    let mut whole = [0; LENGTH];
    whole[LENGTH - given.len()..].copy_from_slice(given);
    Ok(whole)
}

fn out_of_range(scalar: &[u8]) -> String {
    let zero = scalar.iter().all(|byte| *byte == 0);
    if zero { "ecdsa: invalid public key encoding" } else { "input overflows the modulus" }.to_owned()
}

/// What is not of SEC 1, but perhaps of another form.
fn malformed(der: &[u8]) -> String {
    let pkcs8 = |mut parts: Reader<'_>| parts.number().is_some() && parts.inner().is_some() && parts.take(OCTET_STRING).is_some();
    let numbers = |mut parts: Reader<'_>| (0..9).all(|_| parts.number().is_some());
    let form = match Reader(der).inner() {
        Some(parts) if pkcs8(parts) => "PKCS8",
        Some(parts) if numbers(parts) => "PKCS1",
        _ => return "x509: failed to parse EC private key: asn1: structure error".to_owned(),
    };
    format!("x509: failed to parse private key (use Parse{form}PrivateKey instead for this key format)")
}
