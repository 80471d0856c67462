//! Certificates of given EC keys: each curve, in both forms that keys come in, made and verified.

use meshform::helm::{Chart, Show, ValueSource, render};
use p521::ecdsa::signature::Verifier as _;
use pem_rfc7468::LineEnding;
use pkcs8::der::Encode as _;
use pkcs8::der::asn1::{ObjectIdentifier, OctetStringRef};
use sec1::{EcParameters, EcPrivateKey};
use serde_json::{Value, json};
use x509_parser::prelude::{FromDer as _, X509Certificate};

use super::{Still, options};

const EC_PUBLIC_KEY: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.10045.2.1");

/// A curve, the bytes of its keys, the signature that goes with it.
struct Curve {
    oid: ObjectIdentifier,
    length: usize,
    signature: &'static str,
}

const CURVES: [Curve; 3] = [
    Curve { oid: ObjectIdentifier::new_unwrap("1.2.840.10045.3.1.7"), length: 32, signature: "1.2.840.10045.4.3.2" },
    Curve { oid: ObjectIdentifier::new_unwrap("1.3.132.0.34"), length: 48, signature: "1.2.840.10045.4.3.3" },
    Curve { oid: ObjectIdentifier::new_unwrap("1.3.132.0.35"), length: 66, signature: "1.2.840.10045.4.3.4" },
];

impl Curve {
    /// A key that nobody uses: the number is small, and the same each time.
    fn scalar(&self) -> Vec<u8> {
        let mut scalar = vec![0; self.length];
        scalar[self.length - 3..].copy_from_slice(&[1, 2, 3]);
        scalar
    }

    fn inner(&self, scalar: &[u8], named: bool) -> Vec<u8> {
        let parameters = named.then_some(EcParameters::NamedCurve(self.oid));
        EcPrivateKey { private_key: scalar, parameters, public_key: None }.to_der().unwrap()
    }

    fn sec1(&self, scalar: &[u8]) -> String {
        pem("EC PRIVATE KEY", &self.inner(scalar, true))
    }

    fn pkcs8(&self, scalar: &[u8]) -> String {
        let inner = self.inner(scalar, false);
        let algorithm = pkcs8::AlgorithmIdentifierRef { oid: EC_PUBLIC_KEY, parameters: Some((&self.oid).into()) };
        pem("PRIVATE KEY", &pkcs8::PrivateKeyInfoRef::new(algorithm, OctetStringRef::new(&inner).unwrap()).to_der().unwrap())
    }
}

fn pem(label: &str, der: &[u8]) -> String {
    pem_rfc7468::encode_string(label, LineEnding::LF, der).unwrap()
}

fn der(pem: &str) -> Vec<u8> {
    pem_rfc7468::decode_vec(pem.as_bytes()).unwrap().1
}

const TEMPLATE: &str = r#"
{{- $ca := genCAWithKey "authority" 365 .Values.authority }}
{{- $leaf := genSignedCertWithKey "leaf" nil (list "a.example.com") 30 $ca .Values.leaf }}
{{- $own := genSelfSignedCertWithKey "own" nil nil 30 .Values.leaf }}
{{- $same := buildCustomCert ($leaf.Cert | b64enc) (.Values.leaf | b64enc) }}
{{- list $ca.Cert $leaf.Cert $own.Cert $same.Key $ca.Key | toJson }}"#;

/// What a template makes of values.
fn made(template: &str, values: &Value) -> Result<String, String> {
    let files = [("Chart.yaml", "apiVersion: v2\nname: table\nversion: 0.1.0\n"), ("templates/NOTES.txt", template)];
    let chart = Chart::load(files.map(|(name, text)| (name.to_owned(), text.as_bytes().to_vec())).into()).unwrap();
    let values = [ValueSource::File("values.yaml".to_owned(), values.to_string().into_bytes())];
    let release = render(&chart, &values, &options("row", "default"), &mut Still::new()).map_err(|error| error.to_string())?;
    assert_eq!(release.print(&Show::default()).unwrap().trim(), "");
    Ok(release.notes)
}

/// Keys that no certificate can be made with, and the last words of the error.
fn wrong() -> Vec<(String, &'static str)> {
    let [_, p384, p521] = &CURVES;
    let unknown = Curve { oid: ObjectIdentifier::new_unwrap("1.3.132.0.10"), length: 32, signature: "" };
    let (inner, outer) = (p384.inner(&p384.scalar(), false), der(&p384.pkcs8(&p384.scalar())));
    let mut other_version = inner.clone();
    other_version[4] = 2;
    vec![
        (pem("EC PRIVATE KEY", &inner), "parsing EC private key from PEM: x509: unknown elliptic curve"),
        (unknown.sec1(&unknown.scalar()), "parsing EC private key from PEM: x509: unknown elliptic curve"),
        (
            unknown.pkcs8(&unknown.scalar()),
            "decoding PEM as PKCS#8: x509: failed to parse EC private key embedded in PKCS#8: x509: unknown elliptic curve",
        ),
        (pem("EC PRIVATE KEY", &other_version), "parsing EC private key from PEM: x509: unknown EC private key version 2"),
        (
            pem("EC PRIVATE KEY", &outer),
            "parsing EC private key from PEM: x509: failed to parse private key (use ParsePKCS8PrivateKey instead for this key format)",
        ),
        (p384.sec1(&[1; 49]), "parsing EC private key from PEM: x509: invalid private key length"),
        (p384.sec1(&[0xff; 48]), "parsing EC private key from PEM: input overflows the modulus"),
        (p521.sec1(&[0xff; 66]), "parsing EC private key from PEM: input overflows the modulus"),
        (p521.sec1(&[0; 66]), "parsing EC private key from PEM: ecdsa: invalid public key encoding"),
    ]
}

const AUTHORITY: &str = "{{ (genCAWithKey \"a\" 1 .Values.key).Key }}";

/// Whether the certificate is signed by the key that the other one certifies; the crate that reads certificates doesn't know P-521.
fn signed_by(cert: &X509Certificate<'_>, issuer: &X509Certificate<'_>) -> bool {
    let key = &issuer.public_key().subject_public_key.data;
    if key.len() == 2 * 66 + 1 {
        let key = p521::ecdsa::VerifyingKey::from_sec1_bytes(key).unwrap();
        let signature = p521::ecdsa::Signature::from_der(&cert.signature_value.data).unwrap();
        return key.verify(cert.tbs_certificate.as_ref(), &signature).is_ok();
    }
    cert.verify_signature(Some(issuer.public_key())).is_ok()
}

#[test]
fn each_curve_signs_for_each_other_with_the_hash_of_its_length() {
    for authority in &CURVES {
        for leaf in &CURVES {
            let (signer, key) = (authority.pkcs8(&authority.scalar()), leaf.sec1(&leaf.scalar()));
            let text = made(TEMPLATE, &json!({"authority": signer, "leaf": key})).unwrap();
            let texts: Vec<String> = serde_json::from_str(&text).unwrap();
            let ders: Vec<Vec<u8>> = texts[..3].iter().map(|text| der(text)).collect();
            let certs: Vec<X509Certificate<'_>> = ders.iter().map(|der| X509Certificate::from_der(der).unwrap().1).collect();
            let [ca, child, own] = &certs[..] else { panic!("three certificates") };
            assert!(signed_by(ca, ca) && signed_by(child, ca) && signed_by(own, own), "{} for {}", authority.oid, leaf.oid);
            // On one curve both have the same key.
            assert_eq!(signed_by(child, own), authority.oid == leaf.oid, "another's signature is told from its own");
            for (cert, curve) in [(ca, authority), (child, authority), (own, leaf)] {
                assert_eq!(cert.signature_algorithm.algorithm.to_id_string(), curve.signature);
            }
            assert_eq!(texts[3], key, "the key is handed on as it came");
            assert!(texts[4].starts_with("-----BEGIN EC PRIVATE KEY-----\n"), "sprig writes EC keys in the form of SEC 1");
        }
    }
}

#[test]
fn zeros_too_many_or_too_few_before_a_key_are_passed_over() {
    for curve in &CURVES {
        let whole = curve.scalar();
        let key = |scalar: &[u8]| made(AUTHORITY, &json!({"key": curve.sec1(scalar)})).unwrap();
        let usual = key(&whole);
        assert_eq!(key(&whole[curve.length - 3..]), usual);
        assert_eq!(key(&[&[0, 0], &whole[..]].concat()), usual);
    }
}

#[test]
fn a_key_that_cannot_be_read_is_refused_with_the_reason() {
    for (key, words) in wrong() {
        let error = made(AUTHORITY, &json!({"key": key})).unwrap_err();
        assert_eq!(error.rsplit_once("parsing private key: ").unwrap().1, words);
    }
    let p224 = Curve { oid: ObjectIdentifier::new_unwrap("1.3.132.0.33"), length: 28, signature: "" };
    let error = made(AUTHORITY, &json!({"key": p224.sec1(&p224.scalar())})).unwrap_err();
    assert!(error.ends_with("keys on P-224 are not read here: take one on P-256, P-384 or P-521"), "{error}");
}

#[cfg(feature = "helm")]
#[test]
fn helm_writes_the_same_keys_and_refuses_the_same_ones_with_the_same_words() {
    use super::reference::{Answer, Case, Reference};
    let reference = Reference::read();
    let folder = tempfile::tempdir().unwrap();
    std::fs::create_dir(folder.path().join("templates")).unwrap();
    std::fs::write(folder.path().join("Chart.yaml"), "apiVersion: v2\nname: table\nversion: 0.1.0\n").unwrap();
    let template = format!("key: |\n  {}", AUTHORITY.replace(" }}", " | nindent 2 }}"));
    std::fs::write(folder.path().join("templates/key.yaml"), template).unwrap();
    let case = |key: &str| Case { values: Some(json!({"key": key})), ..Case::named("key") };
    let forms = |curve: &Curve| [curve.sec1(&curve.scalar()), curve.pkcs8(&curve.scalar())];
    for key in CURVES.iter().flat_map(forms) {
        let helm = reference.helm(folder.path(), &case(&key));
        assert!(matches!(helm, Answer::Text(_)), "{helm:?}");
        assert_eq!(super::reference::ours(folder.path(), &case(&key)), helm);
    }
    for (key, words) in wrong() {
        let Answer::Failed(error) = reference.helm(folder.path(), &case(&key)) else {
            panic!("Helm takes a key that should end in {words}")
        };
        assert!(error.ends_with(words), "Helm: {error}\nours: {words}");
    }
}
