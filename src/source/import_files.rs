//! Reads the files that certificates are imported from. Keys go into the type for secrets at once, and no line of these files is ever shown.

use std::fs;
use std::io::{self, Read as _};

use crate::addr::Addr;
use crate::diag::{Diagnostic, Diagnostics, Failed, Place, shown};
use crate::material::{Imported, ImportedPart, Material, MaterialError, pem};
use crate::secret::SecretBytes;
use crate::stack::{Certificate, CertificateOrigin, ImportFiles, KeySource, Spot, Stack};

/// Reads and checks them all. All problems are told before it fails.
pub fn load(stack: &Stack, diags: &mut Diagnostics) -> Result<Imported, Failed> {
    let mut imported = Imported::default();
    for (key, certificate) in &stack.certificates {
        if let CertificateOrigin::Imported(files) = &certificate.origin
            && let Some(material) = material(stack, certificate, files, diags)
        {
            imported.insert(Addr::certificate(key), material);
        }
    }
    diags.check()?;
    Ok(imported)
}

fn material(stack: &Stack, certificate: &Certificate, files: &ImportFiles, diags: &mut Diagnostics) -> Option<Material> {
    let leaf = text(&files.certificate, diags);
    let chain = files.chain.as_ref().map(|chain| text(chain, diags));
    let key = match &files.private_key {
        KeySource::File(file) => bytes(file, diags).map(KeyBytes::Read),
        KeySource::Variable(variable) => stack.secret_vars.get(&variable.name).map(KeyBytes::Given),
    };
    let (leaf, key) = (leaf?, key?);
    let chain = match chain {
        Some(chain) => Some(chain?),
        None => None,
    };
    let part = ImportedPart {
        certificate: &leaf,
        chain: chain.as_deref(),
        key: key.get(),
        passphrase: files.passphrase.as_ref().and_then(|variable| stack.secret_vars.get(&variable.name)),
        names: &certificate.names,
    };
    match Material::import(&part) {
        Ok(material) => Some(material),
        Err(error) => {
            let place = place(&error, certificate, files);
            let help = help(&error);
            let error = Diagnostic::error("certificate/import", "certificate that can't be imported", error.to_string()).at(place);
            diags.push(if help.is_empty() { error } else { error.help(help) });
            None
        }
    }
}

/// A key's bytes: of a file, or of a variable.
enum KeyBytes<'a> {
    Read(SecretBytes),
    Given(&'a SecretBytes),
}

impl KeyBytes<'_> {
    fn get(&self) -> &SecretBytes {
        match self {
            Self::Read(bytes) => bytes,
            Self::Given(bytes) => bytes,
        }
    }
}

/// Where the stack names what is wrong.
fn place<'a>(error: &MaterialError, certificate: &'a Certificate, files: &'a ImportFiles) -> &'a Place {
    let key = match &files.private_key {
        KeySource::File(spot) | KeySource::Variable(spot) => &spot.place,
    };
    let chain = files.chain.as_ref().map_or(&files.certificate.place, |chain| &chain.place);
    match error {
        MaterialError::Pem { what: "the private key", .. }
        | MaterialError::Key
        | MaterialError::KeyForm(_)
        | MaterialError::KeySize(_)
        | MaterialError::KeyMismatch
        | MaterialError::NoPassphrase
        | MaterialError::Encryption(_) => key,
        MaterialError::Decryption => files.passphrase.as_ref().map_or(key, |passphrase| &passphrase.place),
        MaterialError::Pem { what: "the chain", .. } | MaterialError::Chain(_) | MaterialError::NoChain => chain,
        MaterialError::Name(_) => &certificate.place,
        _ => &files.certificate.place,
    }
}

fn help(error: &MaterialError) -> &'static str {
    match error {
        MaterialError::NoPassphrase => "add `passphrase: ${vars.NAME}`, a secret variable that holds it",
        MaterialError::Encryption(_) => "convert it with `openssl pkcs8 -topk8 -v2 aes-256-cbc`",
        MaterialError::Decryption => "check the variable: a line feed at its end counts, too",
        MaterialError::KeyMismatch => "name the key that the certificate was requested with",
        MaterialError::Chain(_) => "each certificate is followed by the one that signed it: the leaf, its issuer, and so on",
        MaterialError::NoChain => "add `chain: <file>` with the certificates of its issuers, or append them to the certificate's file",
        MaterialError::Name(_) => "correct `domain` and `names`, or name the certificate that holds them; without them any is taken",
        MaterialError::Algorithm(_) => "have a certificate made for a key of these kinds",
        _ => "",
    }
}

fn text(file: &Spot, diags: &mut Diagnostics) -> Option<String> {
    let bytes = read(file, diags)?;
    let text = String::from_utf8(bytes).ok();
    if text.is_none() {
        unreadable(file, "is not a PEM file: it is no text", "a file in DER becomes PEM by `openssl x509 -inform der`", diags);
    }
    text
}

fn bytes(file: &Spot, diags: &mut Diagnostics) -> Option<SecretBytes> {
    read(file, diags).map(SecretBytes::new)
}

fn read(file: &Spot, diags: &mut Diagnostics) -> Option<Vec<u8>> {
    // As large as it may become: a buffer that grows leaves copies of a key behind.
    let mut bytes = Vec::with_capacity(pem::MAX_BYTES + 1);
    let read = fs::metadata(&file.name).and_then(|metadata| {
        // Asked before opening: to open a pipe waits for its writer.
        if !metadata.is_file() {
            return Err(io::Error::other("it is not a regular file"));
        }
        fs::File::open(&file.name)?.take(pem::MAX_BYTES as u64 + 1).read_to_end(&mut bytes)
    });
    match read {
        Ok(_) if bytes.len() > pem::MAX_BYTES => {
            unreadable(file, "is larger than 128 KiB", "", diags);
            None
        }
        Ok(_) => Some(bytes),
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            unreadable(file, "does not exist", "paths are relative to the file that names them", diags);
            None
        }
        Err(error) => {
            unreadable(file, &format!("can't be read: {error}"), "", diags);
            None
        }
    }
}

fn unreadable(file: &Spot, why: &str, help: &'static str, diags: &mut Diagnostics) {
    let detail = format!("{} {why}", shown(&file.name));
    let error = Diagnostic::error("certificate/import-file", "file of a certificate can't be read", detail).at(&file.place);
    diags.push(if help.is_empty() { error } else { error.help(help) });
}
