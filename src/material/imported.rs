//! Certificates that people bring along: leaf, chain and key from files, held against one another and against what ACM takes before
//! anything is sent (API: ImportCertificate; ACM user guide, "Prerequisites for importing certificates").

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::rc::Rc;

use x509_parser::prelude::{FromDer, SubjectPublicKeyInfo};
use x509_parser::public_key::PublicKey;

use super::{Material, MaterialError, PrivateKey, PublicPart};
use crate::addr::Addr;
use crate::resource::Resource;
use crate::resource::Spec;
use crate::resource::certificate::{ImportedFacts, Source};
use crate::secret::SecretBytes;

/// Most bytes of a key in PEM.
const MOST_KEY: usize = 5_120;

/// What an import is made of, as its files hold it.
pub struct ImportedPart<'a> {
    /// The leaf, perhaps with its chain.
    pub certificate: &'a str,
    /// The chain, when it has a file of its own.
    pub chain: Option<&'a str>,
    /// The key.
    pub key: &'a SecretBytes,
    /// The passphrase of an encrypted key.
    pub passphrase: Option<&'a SecretBytes>,
    /// The names that it is held to; none: any.
    pub names: &'a BTreeSet<String>,
}

impl Material {
    /// Reads and checks an import. Its dates are for the plan to judge.
    pub fn import(part: &ImportedPart<'_>) -> Result<Self, MaterialError> {
        let public = PublicPart::read_files(part.certificate, part.chain)?;
        let (common, is_self_signed) = public.subject()?;
        if common.is_none() && public.names().is_empty() {
            return Err(MaterialError::NoNames);
        }
        algorithm(public.spki())?;
        if let Some(missing) = part.names.iter().find(|name| !covers(public.names(), name)) {
            return Err(MaterialError::Name(missing.clone()));
        }
        public.verify_chain()?;
        if !is_self_signed && public.chain_pem().is_empty() {
            return Err(MaterialError::NoChain);
        }
        let key = PrivateKey::read_file(part.key, part.passphrase)?;
        if !key.belongs_to(public.spki())? {
            return Err(MaterialError::KeyMismatch);
        }
        match key.pem_text()?.len() {
            size if size > MOST_KEY => Err(MaterialError::KeySize(size)),
            _ => Ok(Self { public, key }),
        }
    }

    /// What is public of it, for the certificate that it becomes: its facts, its first name as ACM tells it, and all its names.
    fn facts(&self) -> Option<(ImportedFacts, String, BTreeSet<String>)> {
        let facts = ImportedFacts { leaf: self.leaf().clone(), key_algorithm: algorithm(self.public.spki()).ok()? };
        let common = self.public.subject().ok()?.0;
        let first = common.or_else(|| self.public.names().first().cloned())?;
        let names = self.public.names().iter().cloned().chain([first.clone()]).collect();
        Some((facts, first, names))
    }
}

/// ACM's name of a public key's algorithm, of those that it and meshform take.
fn algorithm(spki: &[u8]) -> Result<&'static str, MaterialError> {
    let (_, spki) = SubjectPublicKeyInfo::from_der(spki).map_err(|_| MaterialError::Key)?;
    let key = spki.parsed().map_err(|_| MaterialError::Key)?;
    match (&key, key.key_size()) {
        (PublicKey::RSA(_), 2048) => Ok("RSA_2048"),
        (PublicKey::RSA(_), 3072) => Ok("RSA_3072"),
        (PublicKey::RSA(_), 4096) => Ok("RSA_4096"),
        (PublicKey::EC(_), 256) => Ok("EC_prime256v1"),
        (PublicKey::EC(_), 384) => Ok("EC_secp384r1"),
        (PublicKey::RSA(_), bits) => Err(MaterialError::Algorithm(format!("RSA with {bits} bits"))),
        (PublicKey::EC(_), bits) => Err(MaterialError::Algorithm(format!("EC with {bits} bits"))),
        _ => Err(MaterialError::Algorithm("of another kind".to_owned())),
    }
}

/// Whether one of the names covers `name`: a wildcard stands for one label (RFC 6125, section 6.4.3).
fn covers(names: &[String], name: &str) -> bool {
    let above = name.split_once('.').filter(|(first, _)| *first != "*").map(|(_, rest)| format!("*.{rest}"));
    names.iter().any(|one| one == name || Some(one) == above.as_ref())
}

/// The material that was read from files, by certificate. It shows addresses only.
#[derive(Clone, Default)]
pub struct Imported(BTreeMap<Addr, Rc<Material>>);

impl Imported {
    /// Takes material over.
    pub fn insert(&mut self, certificate: Addr, material: Material) {
        self.0.insert(certificate, Rc::new(material));
    }

    /// The material of a certificate.
    pub fn get(&self, certificate: &Addr) -> Option<&Rc<Material>> {
        self.0.get(certificate)
    }

    /// Tells the resources what is public of it.
    pub fn describe(&self, resources: &mut [Resource]) {
        for resource in resources {
            if let Spec::Certificate(spec) = &mut resource.spec
                && let Some((facts, domain, names)) = self.get(&resource.addr).and_then(|material| material.facts())
            {
                spec.source = Source::Imported(Some(facts));
                spec.domain = domain;
                spec.names = names;
            }
        }
    }
}

impl fmt::Debug for Imported {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_set().entries(self.0.keys()).finish()
    }
}
