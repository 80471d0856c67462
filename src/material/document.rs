//! What Secrets Manager holds: material in a layout, written, and read again to tell whether a value that is there is the one that would be
//! written.

use serde::Deserialize;
use serde::de::{Deserializer, Error, Visitor};
use serde_json::json;

use super::{Material, MaterialError, PrivateKey, PublicPart, pem};
use crate::secret::SecretBytes;
use crate::stack::layout::{Layout, Part};

/// The most bytes of a secret's value (API: GetSecretValue).
const MOST_BYTES: usize = 65_536;

impl Material {
    /// The value of a secret: always the same bytes for the same material and layout, as [`crate::resource::secret::SecretSpec::version_token`] says.
    pub fn to_document(&self, layout: &Layout) -> Result<SecretBytes, MaterialError> {
        let key = self.key.pem_text()?;
        let text = |part| match part {
            Part::Certificate => self.public.leaf_pem(),
            Part::PrivateKey => key.as_str(),
            Part::Chain => self.public.chain_pem(),
            Part::CertificateWithChain => self.tls_crt(),
        };
        let parts = layout.parts();
        // As long as it will be: a text that grows leaves copies of the key behind.
        let mut document = String::with_capacity(parts.iter().map(|part| text(*part).len() * 2).sum::<usize>() + 512 * parts.len());
        if let Layout::Text(parts) = layout {
            for part in parts {
                document.push_str(text(*part));
            }
            return Ok(SecretBytes::from_text(document));
        }
        for (name, part) in layout.members() {
            document.push(if document.is_empty() { '{' } else { ',' });
            document.push_str(&json!(name).to_string());
            document.push_str(":\"");
            // PEM has nothing but line feeds to escape.
            for c in text(part).chars() {
                if c == '\n' { document.push_str("\\n") } else { document.push(c) }
            }
            document.push('"');
        }
        document.push('}');
        Ok(SecretBytes::from_text(document))
    }
}

/// What a secret's value holds, by public hashes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Held {
    /// SHA-256 of the leaf, DER.
    pub leaf_sha256: String,
    /// SHA-256 of the chain; absent where the layout has none.
    pub chain_sha256: Option<String>,
}

/// Why a value isn't what would be written. The messages hold nothing of it but names that the layout gives.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
pub enum Unlike {
    /// It is too large.
    #[error("it has more than 65,536 bytes")]
    Size,
    /// The layout has members, and the value is something else.
    #[error("it is not a JSON object of texts")]
    NotMembers,
    /// A member is missing.
    #[error("it has no member `{0}`")]
    Missing(String),
    /// It has members that the layout doesn't name.
    #[error("it has {0} more members than the layout names")]
    More(usize),
    /// A member, or the whole, holds something else than its part.
    #[error("{what} does not hold {part}: {reason}")]
    Part {
        /// What: the value, or a member.
        what: String,
        /// The part that it should hold.
        part: &'static str,
        /// Why it doesn't.
        reason: MaterialError,
    },
    /// Its parts are in another order.
    #[error("its PEM blocks come in another order than the layout's")]
    Order,
    /// Its parts are of several certificates.
    #[error("its parts are of different certificates")]
    Mixed,
    /// Its key is another certificate's.
    #[error("its private key does not belong to its certificate")]
    Key,
}

impl Held {
    /// Reads a value that should have this layout.
    pub fn read(value: &SecretBytes, layout: &Layout) -> Result<Self, Unlike> {
        if value.len() > MOST_BYTES {
            return Err(Unlike::Size);
        }
        match layout {
            Layout::Members(_) => of_members(value, layout),
            Layout::Text(parts) => of_text(value, parts),
        }
    }

    /// From the leaf and the chain that were found, and the key that has to fit.
    fn of(public: &PublicPart, has_chain: bool, key: &PrivateKey) -> Result<Self, Unlike> {
        if !key.belongs_to(public.spki()).unwrap_or(false) {
            return Err(Unlike::Key);
        }
        let leaf = public.leaf();
        Ok(Self { leaf_sha256: leaf.leaf_sha256.clone(), chain_sha256: has_chain.then(|| leaf.chain_sha256.clone()) })
    }
}

/// A member's text, kept as secret bytes: it may be the key.
struct Text(SecretBytes);

impl<'de> Deserialize<'de> for Text {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Taker;
        impl Visitor<'_> for Taker {
            type Value = Text;

            fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str("a text")
            }

            fn visit_str<E: Error>(self, text: &str) -> Result<Text, E> {
                Ok(Text(SecretBytes::new(text.as_bytes().to_vec())))
            }
        }
        deserializer.deserialize_str(Taker)
    }
}

/// A certificate's bytes.
type Der = Vec<u8>;

fn of_members(value: &SecretBytes, layout: &Layout) -> Result<Held, Unlike> {
    let mut members: std::collections::BTreeMap<String, Text> =
        serde_json::from_slice(value.expose_secret()).map_err(|_| Unlike::NotMembers)?;
    let mut leaf: Option<Der> = None;
    let mut chain: Option<Vec<Der>> = None;
    let mut key = None;
    for (name, part) in layout.members() {
        let Text(text) = members.remove(name).ok_or_else(|| Unlike::Missing(name.to_owned()))?;
        let wrong = |reason| Unlike::Part { what: format!("its member `{name}`"), part: part.as_str(), reason };
        if part == Part::PrivateKey {
            key = Some(PrivateKey::read_file(&text, None).map_err(wrong)?);
            continue;
        }
        let (one, more) = certificates(&text, part).map_err(wrong)?;
        let is_same = |known: &mut Option<Der>, one: Der| *known.get_or_insert_with(|| one.clone()) == one;
        if one.is_some_and(|one| !is_same(&mut leaf, one)) {
            return Err(Unlike::Mixed);
        }
        if more.is_some_and(|more| *chain.get_or_insert_with(|| more.clone()) != more) {
            return Err(Unlike::Mixed);
        }
    }
    if !members.is_empty() {
        return Err(Unlike::More(members.len()));
    }
    let (Some(leaf), Some(key)) = (leaf, key) else { return Err(Unlike::Mixed) };
    held(leaf, chain, &key, "the value")
}

/// The leaf and the chain that a text of certificates holds, as far as its part has them.
fn certificates(text: &SecretBytes, part: Part) -> Result<(Option<Der>, Option<Vec<Der>>), MaterialError> {
    let what = "it";
    let text = str::from_utf8(text.expose_secret()).map_err(|_| MaterialError::Pem { what, reason: "it is not text" })?;
    let mut ders = Vec::new();
    for block in pem::blocks_among_text(what, text)? {
        if block.label != "CERTIFICATE" {
            return Err(MaterialError::Pem { what, reason: "it has a block that is no certificate" });
        }
        ders.push(block.der.to_vec());
    }
    match part {
        Part::Chain => Ok((None, Some(ders))),
        _ if ders.is_empty() => Err(MaterialError::Pem { what, reason: "it has no block" }),
        Part::CertificateWithChain => {
            let chain = ders.split_off(1);
            Ok((ders.pop(), Some(chain)))
        }
        _ if ders.len() > 1 => Err(MaterialError::Pem { what, reason: "it has more than one block" }),
        _ => Ok((ders.pop(), None)),
    }
}

fn of_text(value: &SecretBytes, parts: &[Part]) -> Result<Held, Unlike> {
    let what = "the value";
    let wrong = |part: Part, reason| Unlike::Part { what: what.to_owned(), part: part.as_str(), reason };
    let text = str::from_utf8(value.expose_secret())
        .map_err(|_| wrong(Part::PrivateKey, MaterialError::Pem { what, reason: "it is not text" }))?;
    let blocks = pem::blocks_among_text(what, text).map_err(|reason| wrong(Part::PrivateKey, reason))?;
    let mut ders = Vec::new();
    let mut key = None;
    for block in blocks {
        if block.label == "CERTIFICATE" {
            ders.push(block.der.to_vec());
        } else if block.label != "EC PARAMETERS" {
            let text = pem::encode(block.label, &block.der).map(SecretBytes::from_text);
            let read = text.and_then(|text| PrivateKey::read_file(&text, None)).map_err(|reason| wrong(Part::PrivateKey, reason))?;
            if key.replace((ders.len(), read)).is_some() {
                return Err(wrong(Part::PrivateKey, MaterialError::Pem { what, reason: "it has more than one key" }));
            }
        }
    }
    let Some((before, key)) = key else {
        return Err(wrong(Part::PrivateKey, MaterialError::Pem { what, reason: "it has no key" }));
    };
    if ders.is_empty() {
        return Err(wrong(Part::Certificate, MaterialError::Pem { what, reason: "it has no certificate" }));
    }
    let has_chain = parts.iter().any(|part| matches!(part, Part::Chain | Part::CertificateWithChain));
    if !has_chain && ders.len() > 1 {
        return Err(wrong(Part::Certificate, MaterialError::Pem { what, reason: "it has a chain, and the layout has none" }));
    }
    // How many certificates the layout puts before the key.
    let of_part = |part: &Part| match part {
        Part::Certificate => 1,
        Part::Chain => ders.len() - 1,
        Part::CertificateWithChain => ders.len(),
        Part::PrivateKey => 0,
    };
    if before != parts.iter().take_while(|part| **part != Part::PrivateKey).map(of_part).sum::<usize>() {
        return Err(Unlike::Order);
    }
    // A chain that is written before its leaf.
    let at = |wanted: Part| parts.iter().position(|part| *part == wanted);
    if at(Part::Chain).is_some_and(|chain| at(Part::Certificate).is_some_and(|leaf| chain < leaf)) {
        ders.rotate_right(1);
    }
    let chain = ders.split_off(1);
    let leaf = ders.pop().unwrap_or_default();
    held(leaf, has_chain.then_some(chain), &key, what)
}

fn held(leaf: Der, chain: Option<Vec<Der>>, key: &PrivateKey, what: &str) -> Result<Held, Unlike> {
    let has_chain = chain.is_some();
    let chain = chain.unwrap_or_default();
    let all = [vec![leaf], chain].concat();
    let wrong = |reason| Unlike::Part { what: what.to_owned(), part: Part::Certificate.as_str(), reason };
    let public = PublicPart::from_ders(all).map_err(wrong)?;
    Held::of(&public, has_chain, key)
}
