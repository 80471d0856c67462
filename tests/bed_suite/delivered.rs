//! What is delivered, read by raw clients and checked with other crates than the program does: does the key belong to the certificate?

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use ring::rsa::KeyPair;
use ring::signature::KeyPair as _;
use serde_json::Value;
use x509_parser::pem::Pem;

use super::bed::Bed;

/// A certificate as some place holds it.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Held {
    /// The leaf in DER.
    pub(crate) leaf: Vec<u8>,
}

impl Held {
    /// Reads certificate and key, and checks that they belong together.
    fn read(place: &str, certificate: &str, key: &str) -> Self {
        let leaf = pems(certificate).first().unwrap_or_else(|| panic!("{place}: no certificate")).contents.clone();
        let key = pems(key);
        let [key] = key.as_slice() else { panic!("{place}: {} keys", key.len()) };
        assert_eq!(key.label, "PRIVATE KEY", "{place}");
        // The emulator makes RSA keys, whatever it is asked for.
        let pair = KeyPair::from_pkcs8(&key.contents).unwrap_or_else(|error| panic!("{place}: {error}"));
        let (_, parsed) = x509_parser::parse_x509_certificate(&leaf).unwrap();
        assert_eq!(pair.public_key().as_ref(), &*parsed.public_key().subject_public_key.data, "{place}: the key is another certificate's");
        Self { leaf }
    }

    /// In Secrets Manager.
    pub(crate) fn in_secret(bed: &Bed, name: &str) -> Self {
        let value = bed.block_on(bed.secrets.get_secret_value().secret_id(name).send()).unwrap();
        let document: Value = serde_json::from_str(value.secret_string().unwrap()).unwrap();
        let keys: Vec<&str> = document.as_object().unwrap().keys().map(String::as_str).collect();
        assert_eq!(keys, ["tls.crt", "tls.key", "ca.crt"], "{name}");
        Self::read(name, document["tls.crt"].as_str().unwrap(), document["tls.key"].as_str().unwrap())
    }

    /// In a TLS Secret.
    pub(crate) fn in_kubernetes(bed: &Bed, namespace: &str, name: &str) -> Self {
        let object = bed.kube_get(&format!("/api/v1/namespaces/{namespace}/secrets/{name}"));
        assert_eq!(object["type"], "kubernetes.io/tls");
        let part = |key: &str| String::from_utf8(STANDARD.decode(object["data"][key].as_str().unwrap()).unwrap()).unwrap();
        Self::read(&format!("{namespace}/{name}"), &part("tls.crt"), &part("tls.key"))
    }

    /// In ACM: what all other places should hold.
    pub(crate) fn in_acm(bed: &Bed, arn: &str) -> Self {
        let got = bed.block_on(bed.acm.get_certificate().certificate_arn(arn).send()).unwrap();
        Self { leaf: pems(got.certificate().unwrap())[0].contents.clone() }
    }
}

fn pems(text: &str) -> Vec<Pem> {
    Pem::iter_from_buffer(text.as_bytes()).map(Result::unwrap).collect()
}
