//! Keys and certificates made here by other libraries than those that read them.
#![allow(clippy::unwrap_used)]

use std::collections::BTreeSet;

use jiff::Timestamp;
use pkcs8::pkcs5::pbes2::{EncryptionScheme, Kdf, Parameters, Pbkdf2Params, Pbkdf2Prf, Salt};
use pkcs8::pkcs5::{self};
use rcgen::{
    BasicConstraints, CertificateParams, IsCa, Issuer, KeyPair, PKCS_ECDSA_P256_SHA256, PKCS_ECDSA_P384_SHA384, SignatureAlgorithm,
};

use super::{Expected, Exported, Material, MaterialError, pem};
use crate::secret::SecretBytes;
use crate::stack::layout::Layout;

const PHRASE: &[u8] = b"0123456789abcdefghijklmnopqrstuv";

struct Made {
    certificate: String,
    chain: String,
    key: KeyPair,
}

fn made(algorithm: &'static SignatureAlgorithm, names: &[&str]) -> Made {
    let ca_key = KeyPair::generate().unwrap();
    let mut ca = CertificateParams::new(Vec::new()).unwrap();
    ca.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    let ca_certificate = ca.clone().self_signed(&ca_key).unwrap();
    let key = KeyPair::generate_for(algorithm).unwrap();
    let names: Vec<String> = names.iter().map(|name| (*name).to_owned()).collect();
    let leaf = CertificateParams::new(names).unwrap().signed_by(&key, &Issuer::new(ca, ca_key)).unwrap();
    let block = |der: &[u8]| pem::encode("CERTIFICATE", der).unwrap();
    Made { certificate: block(leaf.der()), chain: block(ca_certificate.der()), key }
}

fn scheme(name: &str) -> EncryptionScheme {
    match name {
        "aes-128" => EncryptionScheme::Aes128Cbc { iv: [7; 16] },
        "aes-256" => EncryptionScheme::Aes256Cbc { iv: [7; 16] },
        _ => EncryptionScheme::DesEde3Cbc { iv: [7; 8] },
    }
}

fn encrypted(der: &[u8], cipher: &str, prf: Pbkdf2Prf, rounds: u32) -> SecretBytes {
    let kdf = Kdf::Pbkdf2(Pbkdf2Params { salt: Salt::new([9_u8; 16]).unwrap(), iteration_count: rounds, key_length: None, prf });
    let parameters = Parameters { kdf, encryption: scheme(cipher) };
    let bytes = if rounds > 100_000 { vec![0; 64] } else { parameters.encrypt(PHRASE, der).unwrap() };
    let info = pkcs8::EncryptedPrivateKeyInfo {
        encryption_algorithm: pkcs5::EncryptionScheme::Pbes2(parameters),
        encrypted_data: pkcs8::der::asn1::OctetString::new(bytes).unwrap(),
    };
    let der = pkcs8::der::Encode::to_der(&info).unwrap();
    SecretBytes::from_text(pem::encode("ENCRYPTED PRIVATE KEY", &der).unwrap())
}

fn expected(names: &[&str]) -> Expected {
    Expected { names: names.iter().map(|name| (*name).to_owned()).collect(), now: Timestamp::now(), verify_chain: true }
}

fn open(made: &Made, key: SecretBytes, phrase: &[u8], expected: &Expected) -> Result<Material, MaterialError> {
    let exported = Exported { certificate: made.certificate.clone(), chain: made.chain.clone(), encrypted_key: key };
    Material::open(&exported, &SecretBytes::new(phrase.to_vec()), expected)
}

fn error(result: Result<Material, MaterialError>) -> MaterialError {
    result.err().unwrap()
}

#[test]
fn every_way_that_acm_may_encrypt_is_opened() {
    for algorithm in [&PKCS_ECDSA_P256_SHA256, &PKCS_ECDSA_P384_SHA384] {
        let made = made(algorithm, &["shop.example.com", "*.shop.example.com"]);
        for cipher in ["aes-128", "aes-256", "3des"] {
            for prf in [Pbkdf2Prf::HmacWithSha1, Pbkdf2Prf::HmacWithSha256] {
                let key = encrypted(made.key.serialized_der(), cipher, prf, 2048);
                let material = open(&made, key, PHRASE, &expected(&["shop.example.com", "*.SHOP.example.com"])).unwrap();
                assert_eq!(material.tls_crt(), format!("{}{}", made.certificate, made.chain));
                assert_eq!(
                    material.key().expose_pem().unwrap().expose_secret(),
                    pem::encode("PRIVATE KEY", made.key.serialized_der()).unwrap().as_bytes()
                );
            }
        }
    }
}

#[test]
fn the_document_is_canonical_json() {
    let made = made(&PKCS_ECDSA_P256_SHA256, &["a.example.com"]);
    let material =
        open(&made, encrypted(made.key.serialized_der(), "aes-256", Pbkdf2Prf::HmacWithSha256, 2048), PHRASE, &expected(&[])).unwrap();
    let document = material.to_document(&Layout::default()).unwrap();
    let value: serde_json::Value = serde_json::from_slice(document.expose_secret()).unwrap();
    let keys: Vec<&String> = value.as_object().unwrap().keys().collect();
    assert_eq!(keys, ["tls.crt", "tls.key", "ca.crt"]);
    assert_eq!(value["tls.crt"], material.tls_crt());
    assert_eq!(value["ca.crt"], made.chain);
    assert_eq!(value["tls.key"], pem::encode("PRIVATE KEY", made.key.serialized_der()).unwrap());
}

#[test]
fn what_does_not_belong_together_is_refused() {
    let (one, other) = (made(&PKCS_ECDSA_P256_SHA256, &["a.example.com"]), made(&PKCS_ECDSA_P256_SHA256, &["a.example.com"]));
    let key = |made: &Made| encrypted(made.key.serialized_der(), "aes-256", Pbkdf2Prf::HmacWithSha256, 2048);
    assert_eq!(error(open(&one, key(&other), PHRASE, &expected(&["a.example.com"]))), MaterialError::KeyMismatch);
    assert_eq!(error(open(&one, key(&one), b"wrong phrase", &expected(&["a.example.com"]))), MaterialError::Decryption);
    assert_eq!(error(open(&one, key(&one), PHRASE, &expected(&["b.example.com"]))), MaterialError::Name("b.example.com".into()));
    let mixed = Made { certificate: one.certificate.clone(), chain: other.chain.clone(), key: KeyPair::generate().unwrap() };
    assert_eq!(error(open(&mixed, key(&one), PHRASE, &expected(&["a.example.com"]))), MaterialError::Chain(1));
    let mut lenient = expected(&["a.example.com"]);
    lenient.verify_chain = false;
    assert!(open(&mixed, key(&one), PHRASE, &lenient).is_ok());
    let mut late = expected(&["a.example.com"]);
    late.now = "9990-01-01T00:00:00Z".parse().unwrap();
    assert!(matches!(error(open(&one, key(&one), PHRASE, &late)), MaterialError::Dates { .. }));
}

#[test]
fn hostile_texts_end_in_an_error() {
    let made = made(&PKCS_ECDSA_P256_SHA256, &["a.example.com"]);
    let bomb = encrypted(&[], "aes-256", Pbkdf2Prf::HmacWithSha256, u32::MAX);
    assert_eq!(error(open(&made, bomb, PHRASE, &expected(&[]))), MaterialError::Encryption("4294967295 rounds of PBKDF2".into()));
    let plain = SecretBytes::from_text(pem::encode("PRIVATE KEY", made.key.serialized_der()).unwrap());
    assert!(matches!(error(open(&made, plain, PHRASE, &expected(&[]))), MaterialError::Pem { .. }));
    for text in [
        String::new(),
        "-----BEGIN CERTIFICATE-----".to_owned(),
        "-----BEGIN CERTIFICATE-----\n!!!!\n-----END CERTIFICATE-----\n".to_owned(),
        "hello".to_owned(),
        made.certificate.repeat(20),
        "x".repeat(pem::MAX_BYTES + 1),
        made.certificate.replace("MII", "AAA"),
        format!("{}text between\n{}", made.certificate, made.chain),
    ] {
        assert!(super::PublicPart::read(&text, "").is_err(), "{text:.60}");
        assert!(super::PublicPart::read(&made.certificate, &text).is_err() || text.is_empty(), "{text:.60}");
    }
}

#[test]
fn mutated_blocks_never_panic() {
    let made = made(&PKCS_ECDSA_P256_SHA256, &["a.example.com"]);
    let key = encrypted(made.key.serialized_der(), "aes-256", Pbkdf2Prf::HmacWithSha256, 2);
    let texts = [made.certificate.into_bytes(), key.expose_secret().to_vec()];
    let mut seed = 0x2545_f491_4f6c_dd1d_u64;
    for _ in 0..4000 {
        for text in &texts {
            let mut mutated = text.clone();
            for _ in 0..3 {
                seed ^= seed << 13;
                seed ^= seed >> 7;
                seed ^= seed << 17;
                let place = usize::try_from(seed % mutated.len() as u64).unwrap();
                mutated[place] = u8::try_from(seed >> 56).unwrap();
            }
            let text = String::from_utf8_lossy(&mutated).into_owned();
            let _ = super::PublicPart::read_bundle(&text);
            let _ = super::PrivateKey::decrypt(&SecretBytes::from_text(text), &SecretBytes::new(PHRASE.to_vec()));
        }
    }
}

/// A key of an elliptic curve as `openssl ecparam -genkey` writes it: SEC 1 with the curve in it, after a block that names the curve.
fn as_openssl_wrote_it(key: &KeyPair) -> String {
    use pkcs8::der::{Decode as _, Encode as _};
    let info = pkcs8::PrivateKeyInfoRef::try_from(key.serialized_der()).unwrap();
    let curve = info.algorithm.parameters_oid().unwrap();
    let inner = sec1::EcPrivateKey::from_der(info.private_key.as_bytes()).unwrap();
    let whole = sec1::EcPrivateKey { parameters: Some(sec1::EcParameters::NamedCurve(curve)), ..inner };
    let parameters = pem::encode("EC PARAMETERS", &curve.to_der().unwrap()).unwrap();
    parameters + &pem::encode("EC PRIVATE KEY", &whole.to_der().unwrap()).unwrap()
}

fn import(made: &Made, key: &str, names: &[&str]) -> Result<Material, MaterialError> {
    let names = names.iter().map(|name| (*name).to_owned()).collect();
    let key = SecretBytes::from_text(key.to_owned());
    let part = super::ImportedPart { certificate: &made.certificate, chain: Some(&made.chain), key: &key, passphrase: None, names: &names };
    Material::import(&part)
}

#[test]
fn keys_of_elliptic_curves_are_taken_as_openssl_wrote_them() {
    for algorithm in [&PKCS_ECDSA_P256_SHA256, &PKCS_ECDSA_P384_SHA384] {
        let made = made(algorithm, &["a.example.com"]);
        let material = import(&made, &as_openssl_wrote_it(&made.key), &[]).unwrap();
        let key = material.key().expose_pem().unwrap();
        assert!(super::PrivateKey::read(&key).unwrap().belongs_to(material.public().spki()).unwrap());
        assert!(key.expose_secret().starts_with(b"-----BEGIN PRIVATE KEY-----\n"), "ACM takes PKCS#8");
    }
}

#[test]
fn a_wildcard_covers_one_label_and_no_more() {
    let made = made(&PKCS_ECDSA_P256_SHA256, &["*.example.com", "other.example.net"]);
    let key = pem::encode("PRIVATE KEY", made.key.serialized_der()).unwrap();
    for (name, is_covered) in [
        ("www.example.com", true),
        ("*.example.com", true),
        ("other.example.net", true),
        ("example.com", false),
        ("a.www.example.com", false),
        ("*.www.example.com", false),
        ("example.net", false),
    ] {
        assert_eq!(import(&made, &key, &[name]).is_ok(), is_covered, "{name}");
    }
}

#[test]
fn mutated_imports_never_panic() {
    let made = made(&PKCS_ECDSA_P256_SHA256, &["a.example.com"]);
    let texts = [as_openssl_wrote_it(&made.key), pem::encode("PRIVATE KEY", made.key.serialized_der()).unwrap()];
    let mut seed = 0x9E37_79B9_7F4A_7C15_u64;
    let mut next = |below: usize| {
        seed ^= seed << 13;
        seed ^= seed >> 7;
        seed ^= seed << 17;
        usize::try_from(seed % below as u64).unwrap()
    };
    for _ in 0..1000 {
        for text in &texts {
            let mut key = text.clone().into_bytes();
            let mut certificate = made.certificate.clone().into_bytes();
            for bytes in [&mut key, &mut certificate] {
                let (place, byte) = (next(bytes.len()), next(256));
                bytes[place] = u8::try_from(byte).unwrap();
            }
            let certificate = String::from_utf8_lossy(&certificate).into_owned();
            let (key, names) = (SecretBytes::from_text(String::from_utf8_lossy(&key).into_owned()), BTreeSet::new());
            let chain = Some(made.chain.as_str());
            let _ = Material::import(&super::ImportedPart { certificate: &certificate, chain, key: &key, passphrase: None, names: &names });
        }
    }
}
