//! What is delivered is served: a TLS handshake with the delivered Secret verifies at the sandbox's time, before and after a renewal.

use std::io::{Read as _, Write as _};
use std::sync::Arc;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, ServerName, UnixTime};
use rustls::time_provider::TimeProvider;
use rustls::{ClientConfig, ClientConnection, RootCertStore, ServerConfig, ServerConnection};

use super::lab::{Lab, STACK, block_on};

#[derive(Debug)]
struct SandboxTime(u64);

impl TimeProvider for SandboxTime {
    fn current_time(&self) -> Option<UnixTime> {
        Some(UnixTime::since_unix_epoch(std::time::Duration::from_secs(self.0)))
    }
}

/// Shakes hands with a server that has the Secret's data; gives the serial's certificate.
fn handshake(lab: &Lab, namespace: &str, secret: &str, host: &str) -> Vec<u8> {
    let raw = lab.raw();
    let object = block_on(raw.objects("Secret", Some(namespace)).get(secret)).unwrap();
    let data = |key: &str| STANDARD.decode(object.data["data"][key].as_str().unwrap()).unwrap();
    let chain: Vec<CertificateDer<'static>> = CertificateDer::pem_slice_iter(&data("tls.crt")).collect::<Result<_, _>>().unwrap();
    let key = PrivateKeyDer::from_pem_slice(&data("tls.key")).unwrap();
    let mut roots = RootCertStore::empty();
    for root in CertificateDer::pem_slice_iter(raw.sandbox.root_certificates_pem().unwrap().as_bytes()) {
        roots.add(root.unwrap()).unwrap();
    }
    let now = u64::try_from(raw.sandbox.clock().now().as_second()).unwrap();
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let time = Arc::new(SandboxTime(now));
    let server = ServerConfig::builder_with_details(Arc::clone(&provider), Arc::clone(&time) as Arc<dyn TimeProvider>);
    let server = server.with_safe_default_protocol_versions().unwrap().with_no_client_auth().with_single_cert(chain.clone(), key).unwrap();
    let client = ClientConfig::builder_with_details(provider, time).with_safe_default_protocol_versions().unwrap();
    let client = client.with_root_certificates(roots).with_no_client_auth();
    let mut server = ServerConnection::new(Arc::new(server)).unwrap();
    let mut client = ClientConnection::new(Arc::new(client), ServerName::try_from(host.to_owned()).unwrap()).unwrap();
    while client.is_handshaking() || server.is_handshaking() {
        let mut wire = Vec::new();
        while client.wants_write() {
            client.write_tls(&mut wire).unwrap();
        }
        server.read_tls(&mut wire.as_slice()).unwrap();
        server.process_new_packets().unwrap();
        let mut wire = Vec::new();
        while server.wants_write() {
            server.write_tls(&mut wire).unwrap();
        }
        let mut wire = wire.as_slice();
        while !wire.is_empty() {
            client.read_tls(&mut wire).unwrap();
            client.process_new_packets().unwrap_or_else(|error| panic!("{host}: {error}"));
        }
    }
    client.writer().write_all(b"hello").unwrap();
    let mut wire = Vec::new();
    client.write_tls(&mut wire).unwrap();
    server.read_tls(&mut wire.as_slice()).unwrap();
    server.process_new_packets().unwrap();
    let mut heard = [0; 5];
    server.reader().read_exact(&mut heard).unwrap();
    assert_eq!(&heard, b"hello");
    chain[0].to_vec()
}

#[test]
fn a_handshake_verifies_before_and_after_a_renewal() {
    let lab = Lab::applied(STACK);
    let first = handshake(&lab, "istio-ingress", "edge-cert", "shop.example.com");
    assert_eq!(handshake(&lab, "prod", "edge-cert", "www.shop.example.com"), first);
    let api = handshake(&lab, "prod", "api-cert", "api.example.org");
    assert_ne!(first, api);
    lab.run("sandbox advance 160d").ends_with(0);
    lab.run("rotate stack.yaml").ends_with(0);
    let second = handshake(&lab, "istio-ingress", "edge-cert", "shop.example.com");
    assert_ne!(first, second);
    assert_eq!(handshake(&lab, "prod", "edge-cert", "www.shop.example.com"), second);
    assert_ne!(handshake(&lab, "prod", "api-cert", "api.example.com"), api);
}
