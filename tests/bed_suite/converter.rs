//! A webhook that converts: a TLS server on loopback with a certificate of its own, asked by the API server for each object that is stored in
//! another version than it is asked for.

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use rcgen::{BasicConstraints, CertificateParams, IsCa, Issuer, KeyPair};
use rustls::pki_types::{CertificateDer, PrivateKeyDer, PrivatePkcs8KeyDer};
use rustls::{ServerConfig, ServerConnection, StreamOwned};
use serde_json::{Value, json};

/// The server; it runs until the test's process ends.
pub(super) struct Converter {
    /// Where the API server reaches it.
    pub(super) url: String,
    /// The CA that it trusts, as a definition holds it.
    pub(super) ca_bundle: String,
    converted: Arc<AtomicUsize>,
}

impl Converter {
    /// Starts it; `convert` brings an object to a version.
    pub(super) fn start(convert: fn(Value, &str) -> Value) -> Self {
        let ca_key = KeyPair::generate().unwrap();
        let mut ca_params = CertificateParams::default();
        ca_params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let ca = ca_params.self_signed(&ca_key).unwrap();
        let key = KeyPair::generate().unwrap();
        let params = CertificateParams::new(vec!["127.0.0.1".to_owned()]).unwrap();
        let leaf = params.signed_by(&key, &Issuer::from_params(&ca_params, &ca_key)).unwrap();
        let key = PrivateKeyDer::Pkcs8(PrivatePkcs8KeyDer::from(key.serialize_der()));
        let config = ServerConfig::builder_with_provider(Arc::new(rustls::crypto::ring::default_provider()));
        let config = config.with_safe_default_protocol_versions().unwrap().with_no_client_auth();
        let config = Arc::new(config.with_single_cert(vec![CertificateDer::from(leaf.der().to_vec())], key).unwrap());
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let url = format!("https://{}/convert", listener.local_addr().unwrap());
        let converted = Arc::new(AtomicUsize::new(0));
        let count = Arc::clone(&converted);
        std::thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let (config, count) = (Arc::clone(&config), Arc::clone(&count));
                // A connection that ends halfway is the API server's affair: it asks again.
                std::thread::spawn(move || drop(serve(stream, config, convert, &count)));
            }
        });
        let ca_bundle = STANDARD.encode(pem_rfc7468::encode_string("CERTIFICATE", pem_rfc7468::LineEnding::LF, ca.der()).unwrap());
        Self { url, ca_bundle, converted }
    }

    /// How many objects it has converted.
    pub(super) fn converted(&self) -> usize {
        self.converted.load(Ordering::SeqCst)
    }
}

/// One request, one answer.
fn serve(stream: TcpStream, config: Arc<ServerConfig>, convert: fn(Value, &str) -> Value, count: &AtomicUsize) -> std::io::Result<()> {
    let connection = ServerConnection::new(config).map_err(std::io::Error::other)?;
    let mut reader = BufReader::new(StreamOwned::new(connection, stream));
    let mut length = 0;
    loop {
        let mut line = String::new();
        reader.read_line(&mut line)?;
        if line.trim().is_empty() {
            break;
        }
        if let Some(value) = line.to_ascii_lowercase().strip_prefix("content-length:") {
            length = value.trim().parse().map_err(std::io::Error::other)?;
        }
    }
    let mut body = vec![0; length];
    reader.read_exact(&mut body)?;
    let review: Value = serde_json::from_slice(&body)?;
    let request = &review["request"];
    let version = request["desiredAPIVersion"].as_str().unwrap_or_default();
    let objects = request["objects"].as_array().cloned().unwrap_or_default();
    count.fetch_add(objects.len(), Ordering::SeqCst);
    let objects: Vec<Value> = objects.into_iter().map(|object| convert(object, version)).collect();
    let answer = json!({"apiVersion": "apiextensions.k8s.io/v1", "kind": "ConversionReview",
        "response": {"uid": request["uid"], "result": {"status": "Success"}, "convertedObjects": objects}})
    .to_string();
    let head =
        format!("HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: {}\r\nConnection: close\r\n\r\n", answer.len());
    let stream = reader.get_mut();
    stream.write_all(head.as_bytes())?;
    stream.write_all(answer.as_bytes())?;
    stream.conn.send_close_notify();
    stream.flush()
}
