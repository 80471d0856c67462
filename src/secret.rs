//! Types for secret bytes.
//!
//! They have no `Debug`, `Display`, `Clone` or `Serialize`, are zeroed when dropped, and give up their bytes through one method each, whose
//! callers are a closed list of files (held by the architecture test).

use sha2::{Digest, Sha256};
use zeroize::Zeroizing;

/// Secret bytes: a Kubernetes Secret's value, a passphrase, a secret variable, a private key's PEM.
pub struct SecretBytes(Zeroizing<Vec<u8>>);

impl SecretBytes {
    /// Takes the bytes over.
    pub fn new(bytes: Vec<u8>) -> Self {
        Self(Zeroizing::new(bytes))
    }

    /// Takes a text's bytes over.
    pub fn from_text(text: String) -> Self {
        Self::new(text.into_bytes())
    }

    /// What may be shown: the first eight bytes of the SHA-256, in hex. Not for low-entropy values: see [`crate::secret::fingerprint`].
    pub fn fingerprint(&self) -> String {
        fingerprint(&self.0)
    }

    /// Number of bytes.
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The bytes themselves. Called in the named provider files only.
    pub fn expose_secret(&self) -> &[u8] {
        &self.0
    }
}

/// `sha256:` and the first 16 hex digits of the SHA-256 of public or high-entropy bytes.
pub fn fingerprint(bytes: &[u8]) -> String {
    format!("sha256:{}", &sha256_hex(bytes)[..16])
}

/// The whole SHA-256 in lower-case hex.
pub fn sha256_hex(bytes: &[u8]) -> String {
    let mut hex = String::with_capacity(64);
    for byte in Sha256::digest(bytes) {
        for nibble in [byte >> 4, byte & 15] {
            hex.push(char::from_digit(u32::from(nibble), 16).unwrap_or('0'));
        }
    }
    hex
}
