//! The public part: leaf and chain.

use jiff::Timestamp;
use x509_parser::certificate::X509Certificate;
use x509_parser::extensions::GeneralName;
use x509_parser::prelude::FromDer;

use super::{Expected, MaterialError, pem};
use crate::resource::certificate::LeafFacts;
use crate::secret::sha256_hex;

/// A leaf with its chain.
pub struct PublicPart {
    leaf: LeafFacts,
    names: Vec<String>,
    spki: Vec<u8>,
    ders: Vec<Vec<u8>>,
    tls_crt: String,
    chain_pem: String,
}

impl PublicPart {
    /// Reads a leaf and the chain without it.
    pub fn read(certificate: &str, chain: &str) -> Result<Self, MaterialError> {
        let mut leafs = certificates("the certificate", certificate)?;
        if leafs.len() != 1 {
            return Err(MaterialError::Pem { what: "the certificate", reason: "it is not exactly one block" });
        }
        leafs.extend(certificates("the chain", chain)?);
        Self::from_ders(leafs)
    }

    /// Reads a leaf that its chain follows, as in `tls.crt`.
    pub fn read_bundle(bundle: &str) -> Result<Self, MaterialError> {
        Self::from_ders(certificates("tls.crt", bundle)?)
    }

    /// Reads the files of an import: the leaf, and its chain in a file of its own or after the leaf.
    pub fn read_files(certificate: &str, chain: Option<&str>) -> Result<Self, MaterialError> {
        let what = "the certificate";
        let mut ders = among_text(what, certificate)?;
        if ders.is_empty() {
            return Err(MaterialError::Pem { what, reason: "it has no block" });
        }
        if let Some(chain) = chain {
            if ders.len() > 1 {
                return Err(MaterialError::Pem { what, reason: "it holds a chain, and `chain` names another: keep one of them" });
            }
            let more = among_text("the chain", chain)?;
            if more.is_empty() {
                return Err(MaterialError::Pem { what: "the chain", reason: "it has no block" });
            }
            ders.extend(more);
        }
        Self::from_ders(ders)
    }

    pub(super) fn from_ders(ders: Vec<Vec<u8>>) -> Result<Self, MaterialError> {
        let leaf_der = ders.first().ok_or(MaterialError::Pem { what: "the certificate", reason: "it has no block" })?;
        let parsed = parse("the certificate", leaf_der)?;
        let spki = parsed.public_key().raw.to_vec();
        let mut names = Vec::new();
        if let Ok(Some(san)) = parsed.subject_alternative_name() {
            for name in &san.value.general_names {
                if let GeneralName::DNSName(name) = name {
                    names.push(name.to_ascii_lowercase());
                }
            }
        }
        let leaf = LeafFacts {
            serial: hex_with_colons(parsed.raw_serial()),
            leaf_sha256: sha256_hex(leaf_der),
            chain_sha256: sha256_hex(&ders[1..].concat()),
            public_key_sha256: sha256_hex(&spki),
            not_before: parsed.validity().not_before.timestamp(),
            not_after: parsed.validity().not_after.timestamp(),
        };
        let mut tls_crt = String::new();
        let mut chain_pem = String::new();
        for (index, der) in ders.iter().enumerate() {
            let block = pem::encode("CERTIFICATE", der)?;
            tls_crt.push_str(&block);
            if index > 0 {
                parse("a certificate of the chain", der)?;
                chain_pem.push_str(&block);
            }
        }
        Ok(Self { leaf, names, spki, ders, tls_crt, chain_pem })
    }

    /// Holds it against what is expected: names, dates, chain.
    pub fn check(&self, expected: &Expected) -> Result<(), MaterialError> {
        if let Some(missing) = expected.names.iter().find(|name| !self.names.contains(&name.to_ascii_lowercase())) {
            return Err(MaterialError::Name(missing.clone()));
        }
        let now = expected.now.as_second();
        // A clock that is a little slow must not refuse a certificate of this minute.
        if now + 300 < self.leaf.not_before || now >= self.leaf.not_after {
            let time = |second| Timestamp::from_second(second).unwrap_or_default();
            return Err(MaterialError::Dates { from: time(self.leaf.not_before), to: time(self.leaf.not_after), now: expected.now });
        }
        if expected.verify_chain { self.verify_chain() } else { Ok(()) }
    }

    /// The leaf alone, PEM.
    pub fn leaf_pem(&self) -> &str {
        self.tls_crt.strip_suffix(self.chain_pem.as_str()).unwrap_or(&self.tls_crt)
    }

    /// The leaf's common name, if its subject has one, and whether the leaf signed itself.
    pub(super) fn subject(&self) -> Result<(Option<String>, bool), MaterialError> {
        let leaf = self.ders.first().map(Vec::as_slice).unwrap_or_default();
        let leaf = parse("the certificate", leaf)?;
        let common = leaf.subject().iter_common_name().next().and_then(|name| name.as_str().ok()).map(str::to_ascii_lowercase);
        Ok((common, leaf.issuer().as_raw() == leaf.subject().as_raw()))
    }

    pub(super) fn verify_chain(&self) -> Result<(), MaterialError> {
        for (index, pair) in self.ders.windows(2).enumerate() {
            let (signed, signer) = (parse("the certificate", &pair[0])?, parse("the chain", &pair[1])?);
            let linked = signed.issuer().as_raw() == signer.subject().as_raw();
            if !linked || signed.verify_signature(Some(signer.public_key())).is_err() {
                return Err(MaterialError::Chain(index + 1));
            }
        }
        Ok(())
    }

    /// The facts of the leaf.
    pub fn leaf(&self) -> &LeafFacts {
        &self.leaf
    }

    /// The DNS names of the leaf, in lower case.
    pub fn names(&self) -> &[String] {
        &self.names
    }

    /// The leaf's SubjectPublicKeyInfo, DER.
    pub fn spki(&self) -> &[u8] {
        &self.spki
    }

    /// Leaf and chain in PEM, each block once, each line ended.
    pub fn tls_crt(&self) -> &str {
        &self.tls_crt
    }

    /// The chain in PEM.
    pub fn chain_pem(&self) -> &str {
        &self.chain_pem
    }
}

fn certificates(what: &'static str, text: &str) -> Result<Vec<Vec<u8>>, MaterialError> {
    ders(what, pem::blocks(what, text)?)
}

fn among_text(what: &'static str, text: &str) -> Result<Vec<Vec<u8>>, MaterialError> {
    ders(what, pem::blocks_among_text(what, text)?)
}

fn ders(what: &'static str, blocks: Vec<pem::Block<'_>>) -> Result<Vec<Vec<u8>>, MaterialError> {
    let mut ders = Vec::new();
    for block in blocks {
        if block.label != "CERTIFICATE" {
            return Err(MaterialError::Pem { what, reason: "it has a block that is no certificate" });
        }
        ders.push(block.der.to_vec());
    }
    Ok(ders)
}

fn parse<'a>(what: &'static str, der: &'a [u8]) -> Result<X509Certificate<'a>, MaterialError> {
    match X509Certificate::from_der(der) {
        Ok(([], certificate)) => Ok(certificate),
        _ => Err(MaterialError::Certificate { what }),
    }
}

fn hex_with_colons(bytes: &[u8]) -> String {
    let pairs: Vec<String> = bytes.iter().map(|byte| format!("{byte:02x}")).collect();
    pairs.join(":")
}
