//! Certificate material: what ACM exports, opened and checked, on its way to where it is served.
//!
//! [`pem`] reads blocks, [`key`] decrypts and matches private keys, [`public`] reads the certificates. Everything comes from outside and is
//! taken for hostile: sizes, counts and work factors are bounded, and nothing is believed that is not checked against the rest.

mod document;
mod imported;
pub mod key;
pub mod pem;
pub mod public;
#[cfg(test)]
mod tests;

pub use document::{Held, Unlike};
pub use imported::{Imported, ImportedPart};
use jiff::Timestamp;
pub use key::PrivateKey;
pub use public::PublicPart;

use crate::resource::certificate::LeafFacts;
use crate::secret::SecretBytes;

/// Why material is refused. The messages hold no bytes of it.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
pub enum MaterialError {
    /// A PEM text can't be read.
    #[error("{what} is not valid PEM: {reason}")]
    Pem {
        /// Which text.
        what: &'static str,
        /// What is wrong with it.
        reason: &'static str,
    },
    /// A certificate can't be read.
    #[error("{what} is not a valid X.509 certificate")]
    Certificate {
        /// Which one.
        what: &'static str,
    },
    /// The encrypted key uses what meshform doesn't know.
    #[error("the private key is encrypted in an unsupported way ({0}): expected PBES2 with PBKDF2 and AES-CBC or 3DES")]
    Encryption(String),
    /// The key can't be decrypted.
    #[error("the private key can't be decrypted with its passphrase")]
    Decryption,
    /// The key can't be read.
    #[error("the private key is not a PKCS#8 key of a supported kind (RSA 2048 to 4096 bits, EC P-256 or P-384)")]
    Key,
    /// The key is encrypted, and no passphrase is given.
    #[error("the private key is encrypted, and no passphrase is given")]
    NoPassphrase,
    /// The file holds something else than a private key, or one in a form that isn't read.
    #[error("the private key's file holds {0}")]
    KeyForm(String),
    /// ACM takes keys of this size at most.
    #[error("the private key has {0} bytes in PEM, and ACM takes 5,120")]
    KeySize(usize),
    /// ACM doesn't take the key.
    #[error("the certificate's key is {0}, and this is taken: RSA with 2048, 3072 or 4096 bits, EC on P-256 or P-384")]
    Algorithm(String),
    /// ACM needs the chain of a certificate that didn't sign itself.
    #[error("the certificate was signed by another one, and there is no chain")]
    NoChain,
    /// The certificate is for no name.
    #[error("the certificate holds no DNS name")]
    NoNames,
    /// The key is another certificate's.
    #[error("the private key does not belong to the certificate")]
    KeyMismatch,
    /// The chain doesn't lead on from the leaf.
    #[error("the chain does not belong to the certificate: certificate {0} is not signed by the next one")]
    Chain(usize),
    /// A name is missing.
    #[error("the certificate is not valid for `{0}`")]
    Name(String),
    /// It is not valid now.
    #[error("the certificate is valid from {from} to {to}, and it is {now}")]
    Dates {
        /// Start of validity.
        from: Timestamp,
        /// End of validity.
        to: Timestamp,
        /// The present time.
        now: Timestamp,
    },
}

/// What `ExportCertificate` answers.
pub struct Exported {
    /// The leaf, PEM.
    pub certificate: String,
    /// The chain without the leaf, PEM.
    pub chain: String,
    /// The key, encrypted PKCS#8, PEM.
    pub encrypted_key: SecretBytes,
}

/// What material is held against.
#[derive(Clone, Debug)]
pub struct Expected {
    /// The names that it must be valid for.
    pub names: Vec<String>,
    /// The present time.
    pub now: Timestamp,
    /// Whether the chain must verify: always, but for emulators whose leaf their chain doesn't sign.
    pub verify_chain: bool,
}

/// Checked material: leaf, chain and key belong together, to the names wanted and to the present time.
pub struct Material {
    public: PublicPart,
    key: PrivateKey,
}

impl Material {
    /// Decrypts and checks what was exported.
    pub fn open(exported: &Exported, passphrase: &SecretBytes, expected: &Expected) -> Result<Self, MaterialError> {
        let public = PublicPart::read(&exported.certificate, &exported.chain)?;
        public.check(expected)?;
        let key = PrivateKey::decrypt(&exported.encrypted_key, passphrase)?;
        if !key.belongs_to(public.spki())? {
            return Err(MaterialError::KeyMismatch);
        }
        Ok(Self { public, key })
    }

    /// Leaf and chain.
    pub fn public(&self) -> &PublicPart {
        &self.public
    }

    /// The public facts.
    pub fn leaf(&self) -> &LeafFacts {
        self.public.leaf()
    }

    /// Leaf and chain: what a server sends.
    pub fn tls_crt(&self) -> &str {
        self.public.tls_crt()
    }

    /// The private key.
    pub fn key(&self) -> &PrivateKey {
        &self.key
    }
}
