//! Private keys: decryption of what ACM exports, and the proof that a key belongs to a certificate.

use pkcs8::der::Encode as _;
use pkcs8::der::asn1::{AnyRef, BitStringRef, Null, OctetStringRef};
use pkcs8::pkcs5::EncryptionScheme;
use pkcs8::spki::{AlgorithmIdentifierRef, ObjectIdentifier, SubjectPublicKeyInfoRef};
use pkcs8::{EncryptedPrivateKeyInfoRef, PrivateKeyInfoRef};
use ring::rand::SystemRandom;
use ring::signature::{ECDSA_P256_SHA256_ASN1_SIGNING, ECDSA_P384_SHA384_ASN1_SIGNING, EcdsaKeyPair, KeyPair, RsaKeyPair};
use sec1::der::Decode;
use sec1::{EcParameters, EcPrivateKey};
use x509_parser::prelude::{FromDer, SubjectPublicKeyInfo};
use zeroize::Zeroizing;

use super::{MaterialError, pem};
use crate::secret::{SecretBytes, sha256_hex};

/// The most rounds of PBKDF2 that are done: ACM's emulators do 2,048; a hostile figure would keep a run busy for hours.
const MAX_ROUNDS: u32 = 5_000_000;

const OID_RSA: &str = "1.2.840.113549.1.1.1";
const OID_EC: &str = "1.2.840.10045.2.1";

/// A private key. It has no `Debug`, `Display`, `Clone` or `Serialize`, and is zeroed when dropped.
pub struct PrivateKey {
    pkcs8: Zeroizing<Vec<u8>>,
}

impl PrivateKey {
    /// Decrypts an encrypted PKCS#8 key in PEM: PBES2 with PBKDF2 (HMAC with SHA-1 or SHA-2), AES-CBC or 3DES (RFC 8018).
    pub fn decrypt(encrypted: &SecretBytes, passphrase: &SecretBytes) -> Result<Self, MaterialError> {
        let what = "the private key";
        let block = single_block(what, encrypted)?;
        if block.label != "ENCRYPTED PRIVATE KEY" {
            return Err(MaterialError::Pem { what, reason: "it is not an ENCRYPTED PRIVATE KEY" });
        }
        Self::decrypt_block(&block, passphrase)
    }

    fn decrypt_block(block: &pem::Block<'_>, passphrase: &SecretBytes) -> Result<Self, MaterialError> {
        let info = EncryptedPrivateKeyInfoRef::try_from(block.der.as_slice())
            .map_err(|_| MaterialError::Encryption("it is not an EncryptedPrivateKeyInfo".into()))?;
        let EncryptionScheme::Pbes2(parameters) = &info.encryption_algorithm else {
            return Err(MaterialError::Encryption("PBES1".into()));
        };
        let kdf = parameters.kdf.pbkdf2().ok_or_else(|| MaterialError::Encryption("a key derivation other than PBKDF2".into()))?;
        if kdf.iteration_count > MAX_ROUNDS {
            return Err(MaterialError::Encryption(format!("{} rounds of PBKDF2", kdf.iteration_count)));
        }
        let document = info.decrypt(passphrase.expose_secret()).map_err(|_| MaterialError::Decryption)?;
        // A wrong passphrase can pass the padding check: what comes out must be a key.
        PrivateKeyInfoRef::try_from(document.as_bytes()).map_err(|_| MaterialError::Decryption)?;
        Ok(Self { pkcs8: Zeroizing::new(document.as_bytes().to_vec()) })
    }

    /// Reads the key of an import: PKCS#8, encrypted or not, or what OpenSSL wrote before it (PKCS#1 of RSA, SEC 1 of elliptic curves).
    pub fn read_file(key: &SecretBytes, passphrase: Option<&SecretBytes>) -> Result<Self, MaterialError> {
        let what = "the private key";
        let text = str::from_utf8(key.expose_secret()).map_err(|_| MaterialError::Pem { what, reason: "it is not text" })?;
        if text.contains("Proc-Type:") {
            let form = "a key in OpenSSL's old encrypted form: convert it with `openssl pkcs8 -topk8`";
            return Err(MaterialError::KeyForm(form.to_owned()));
        }
        let mut blocks = pem::blocks_among_text(what, text)?;
        // What `openssl ecparam -genkey` writes before the key is told by the key itself.
        blocks.retain(|block| block.label != "EC PARAMETERS");
        let [block] = blocks.as_slice() else {
            let reason = if blocks.is_empty() { "it has no block" } else { "it has more than one block" };
            return Err(MaterialError::Pem { what, reason });
        };
        let pkcs8 = match block.label {
            "PRIVATE KEY" => block.der.clone(),
            "RSA PRIVATE KEY" => of_rsa(&block.der)?,
            "EC PRIVATE KEY" => of_curve(&block.der)?,
            "ENCRYPTED PRIVATE KEY" => {
                let passphrase = passphrase.ok_or(MaterialError::NoPassphrase)?;
                return Self::decrypt_block(block, passphrase);
            }
            "CERTIFICATE" => return Err(MaterialError::KeyForm("a certificate".to_owned())),
            _ => return Err(MaterialError::KeyForm("a block of another kind than a private key".to_owned())),
        };
        PrivateKeyInfoRef::try_from(pkcs8.as_slice()).map_err(|_| MaterialError::Key)?;
        Ok(Self { pkcs8 })
    }

    /// Reads an unencrypted PKCS#8 key in PEM, as `tls.key` of a Secret holds it.
    pub fn read(key: &SecretBytes) -> Result<Self, MaterialError> {
        let block = single_block("tls.key", key)?;
        if block.label != "PRIVATE KEY" {
            return Err(MaterialError::Key);
        }
        PrivateKeyInfoRef::try_from(block.der.as_slice()).map_err(|_| MaterialError::Key)?;
        Ok(Self { pkcs8: block.der })
    }

    /// Whether the key belongs to the public key of a certificate (DER of its SubjectPublicKeyInfo).
    pub fn belongs_to(&self, spki: &[u8]) -> Result<bool, MaterialError> {
        let (_, public) = SubjectPublicKeyInfo::from_der(spki).map_err(|_| MaterialError::Key)?;
        let public = public.subject_public_key.data.as_ref();
        let info = PrivateKeyInfoRef::try_from(self.pkcs8.as_slice()).map_err(|_| MaterialError::Key)?;
        match info.algorithm.oid.to_string().as_str() {
            OID_RSA => {
                let pair = RsaKeyPair::from_pkcs8(&self.pkcs8).map_err(|_| MaterialError::Key)?;
                Ok(pair.public_key().as_ref() == public)
            }
            OID_EC => {
                let private = EcPrivateKey::from_der(info.private_key.as_bytes()).map_err(|_| MaterialError::Key)?;
                // The length of the point tells the curve: ring checks that it lies on it and that the scalar is its own.
                let algorithm = match public.len() {
                    65 => &ECDSA_P256_SHA256_ASN1_SIGNING,
                    97 => &ECDSA_P384_SHA384_ASN1_SIGNING,
                    _ => return Err(MaterialError::Key),
                };
                Ok(EcdsaKeyPair::from_private_key_and_public_key(algorithm, private.private_key, public, &SystemRandom::new()).is_ok())
            }
            _ => Err(MaterialError::Key),
        }
    }

    /// SHA-256 of the SubjectPublicKeyInfo that belongs to the key, in hex; absent when the key doesn't hold its public part.
    pub fn public_key_sha256(&self) -> Option<String> {
        let info = PrivateKeyInfoRef::try_from(self.pkcs8.as_slice()).ok()?;
        let public = match info.algorithm.oid.to_string().as_str() {
            OID_RSA => RsaKeyPair::from_pkcs8(&self.pkcs8).ok()?.public_key().as_ref().to_vec(),
            OID_EC => EcPrivateKey::from_der(info.private_key.as_bytes()).ok()?.public_key?.to_vec(),
            _ => return None,
        };
        let subject_public_key = BitStringRef::from_bytes(&public).ok()?;
        let spki = SubjectPublicKeyInfoRef { algorithm: info.algorithm, subject_public_key };
        spki.to_der().ok().map(|der| sha256_hex(&der))
    }

    /// The key as unencrypted PKCS#8 in PEM. Called in the named provider files, and where the document for Secrets Manager is built.
    pub fn expose_pem(&self) -> Result<SecretBytes, MaterialError> {
        self.pem_text().map(|text| SecretBytes::new(text.as_bytes().to_vec()))
    }

    /// The same as text, for the document.
    pub(super) fn pem_text(&self) -> Result<Zeroizing<String>, MaterialError> {
        pem::encode("PRIVATE KEY", &self.pkcs8).map(Zeroizing::new)
    }
}

/// A key of PKCS#1 as PKCS#8 (RFC 8017, appendix A.1; RFC 5208).
fn of_rsa(pkcs1: &[u8]) -> Result<Zeroizing<Vec<u8>>, MaterialError> {
    let null = AnyRef::from(Null);
    let algorithm = AlgorithmIdentifierRef { oid: ObjectIdentifier::new_unwrap(OID_RSA), parameters: Some(null) };
    let key = OctetStringRef::new(pkcs1).map_err(|_| MaterialError::Key)?;
    PrivateKeyInfoRef::new(algorithm, key).to_der().map(Zeroizing::new).map_err(|_| MaterialError::Key)
}

/// A key of SEC 1 as PKCS#8 (RFC 5915, RFC 5480): the curve moves to where PKCS#8 has it.
fn of_curve(sec1: &[u8]) -> Result<Zeroizing<Vec<u8>>, MaterialError> {
    let key = EcPrivateKey::from_der(sec1).map_err(|_| MaterialError::Key)?;
    let curve = key.parameters.and_then(EcParameters::named_curve).ok_or(MaterialError::Key)?;
    let algorithm = AlgorithmIdentifierRef { oid: ObjectIdentifier::new_unwrap(OID_EC), parameters: Some(AnyRef::from(&curve)) };
    let inner = EcPrivateKey { parameters: None, ..key };
    let inner = Zeroizing::new(inner.to_der().map_err(|_| MaterialError::Key)?);
    let key = OctetStringRef::new(&inner).map_err(|_| MaterialError::Key)?;
    PrivateKeyInfoRef::new(algorithm, key).to_der().map(Zeroizing::new).map_err(|_| MaterialError::Key)
}

fn single_block<'a>(what: &'static str, text: &'a SecretBytes) -> Result<pem::Block<'a>, MaterialError> {
    let text = str::from_utf8(text.expose_secret()).map_err(|_| MaterialError::Pem { what, reason: "it is not text" })?;
    let mut blocks = pem::blocks(what, text)?;
    match (blocks.pop(), blocks.is_empty()) {
        (Some(block), true) => Ok(block),
        _ => Err(MaterialError::Pem { what, reason: "it is not exactly one block" }),
    }
}
