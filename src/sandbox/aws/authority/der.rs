//! The little DER that an RSA key needs.

use num_bigint_dig::BigUint;

const INTEGER: u8 = 0x02;
const OCTETS: u8 = 0x04;
const SEQUENCE: u8 = 0x30;
/// `rsaEncryption` with its NULL parameters (RFC 8017, appendix C).
const RSA: &[u8] = &[0x30, 0x0d, 0x06, 0x09, 0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x01, 0x01, 0x05, 0x00];

/// A sequence of numbers: an RSAPublicKey or an RSAPrivateKey.
pub(super) fn numbers(numbers: &[&BigUint]) -> Vec<u8> {
    element(SEQUENCE, &numbers.iter().flat_map(|number| integer(number)).collect::<Vec<u8>>())
}

/// A PKCS#8 PrivateKeyInfo around an RSAPrivateKey.
pub(super) fn pkcs8_of_rsa(key: &[u8]) -> Vec<u8> {
    let version = element(INTEGER, &[0]);
    element(SEQUENCE, &[version.as_slice(), RSA, &element(OCTETS, key)].concat())
}

fn integer(number: &BigUint) -> Vec<u8> {
    let mut bytes = number.to_bytes_be();
    // A leading one bit would read as a sign.
    if bytes.first().is_none_or(|byte| byte & 0x80 != 0) {
        bytes.insert(0, 0);
    }
    element(INTEGER, &bytes)
}

fn element(tag: u8, content: &[u8]) -> Vec<u8> {
    let size = content.len().to_be_bytes();
    let size = &size[size.iter().take_while(|byte| **byte == 0).count()..];
    let mut bytes = vec![tag];
    match (size, content.len()) {
        (_, short @ 0..=0x7f) => bytes.push(u8::try_from(short).unwrap_or_default()),
        (size, _) => {
            bytes.push(0x80 | u8::try_from(size.len()).unwrap_or_default());
            bytes.extend_from_slice(size);
        }
    }
    bytes.extend_from_slice(content);
    bytes
}
