//! Servers of the tests' own on loopback: fixed answers over HTTP, and, behind a proxy's `CONNECT`, over HTTPS under any name.

use std::collections::BTreeMap;
use std::io::{BufRead as _, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::{Arc, Mutex};

use flate2::Compression;
use flate2::write::GzEncoder;
use meshform::secret::sha256_hex as digest;
use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, IsCa, KeyPair};
use rustls::pki_types::PrivateKeyDer;
use rustls::{ServerConfig, ServerConnection, StreamOwned};

/// A server of fixed answers; unknown paths are 404. Behind the proxy a path begins with its host.
pub(super) struct Server {
    /// `http://` and its address.
    pub(super) url: String,
    /// The certificate authority (PEM) of a server behind a proxy.
    pub(super) authority: String,
    answers: Answers,
    asked: Arc<Mutex<Vec<String>>>,
}

type Answers = Arc<Mutex<BTreeMap<String, Reply>>>;

#[derive(Clone)]
struct Reply {
    status: u16,
    headers: Vec<(&'static str, String)>,
    body: Vec<u8>,
}

impl Server {
    /// Speaks HTTP.
    pub(super) fn start() -> Self {
        Self::with(String::new(), |stream, answers, log| serve("", stream, answers, log))
    }

    /// A proxy for HTTPS that is itself every one of these hosts.
    pub(super) fn start_proxy(hosts: &[&str]) -> Self {
        let mut params = CertificateParams::new(Vec::new()).unwrap();
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let issuer = CertifiedIssuer::self_signed(params, KeyPair::generate().unwrap()).unwrap();
        let key = KeyPair::generate().unwrap();
        let hosts: Vec<String> = hosts.iter().map(|host| (*host).to_owned()).collect();
        let leaf = CertificateParams::new(hosts).unwrap().signed_by(&key, &issuer).unwrap();
        let config = ServerConfig::builder_with_provider(Arc::new(rustls::crypto::ring::default_provider()));
        let config = config.with_safe_default_protocol_versions().unwrap().with_no_client_auth();
        let key = PrivateKeyDer::try_from(key.serialize_der()).unwrap();
        let config = Arc::new(config.with_single_cert(vec![leaf.der().clone()], key).unwrap());
        let authority = pem_rfc7468::encode_string("CERTIFICATE", pem_rfc7468::LineEnding::LF, issuer.der()).unwrap();
        Self::with(authority, move |mut stream, answers, log| {
            let mut head = Vec::new();
            while !head.ends_with(b"\r\n\r\n") {
                let mut byte = [0];
                stream.read_exact(&mut byte)?;
                head.push(byte[0]);
            }
            let head = String::from_utf8_lossy(&head).into_owned();
            let host = head.strip_prefix("CONNECT ").and_then(|rest| rest.split(':').next()).unwrap_or_default().to_owned();
            stream.write_all(b"HTTP/1.1 200 OK\r\n\r\n")?;
            let tls = StreamOwned::new(ServerConnection::new(Arc::clone(&config)).map_err(std::io::Error::other)?, stream);
            serve(&host, tls, answers, log)
        })
    }

    fn with(
        authority: String,
        serve: impl Fn(TcpStream, &Mutex<BTreeMap<String, Reply>>, &Mutex<Vec<String>>) -> std::io::Result<()> + Send + 'static,
    ) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let answers: Answers = Arc::default();
        let asked: Arc<Mutex<Vec<String>>> = Arc::default();
        let (shared, log) = (Arc::clone(&answers), Arc::clone(&asked));
        std::thread::spawn(move || {
            for stream in listener.incoming() {
                // Whoever hangs up half-way is no concern of the next.
                let _ = serve(stream.unwrap(), &shared, &log);
            }
        });
        Self { url, authority, answers, asked }
    }

    /// The address without its scheme.
    pub(super) fn host(&self) -> &str {
        self.url.trim_start_matches("http://")
    }

    /// An answer to a path, or to `path authorization`.
    pub(super) fn put(&self, path: &str, body: impl Into<Vec<u8>>) {
        self.answers.lock().unwrap().insert(path.to_owned(), Reply { status: 200, headers: Vec::new(), body: body.into() });
    }

    /// An answer with a status, headers and a body.
    pub(super) fn put_status(&self, path: &str, status: u16, headers: &[(&'static str, &str)], body: &str) {
        let headers = headers.iter().map(|(name, value)| (*name, (*value).to_owned())).collect();
        self.answers.lock().unwrap().insert(path.to_owned(), Reply { status, headers, body: body.into() });
    }

    /// What was asked: `path authorization`, in order.
    pub(super) fn asked(&self) -> Vec<String> {
        self.asked.lock().unwrap().clone()
    }

    /// How often a path was asked for.
    pub(super) fn count(&self, path: &str) -> usize {
        self.asked().iter().filter(|line| line.starts_with(path)).count()
    }

    /// A chart in a registry of this server under `host/v2/path`, for whoever says this in `authorization`; others get the challenge.
    pub(super) fn put_chart(&self, prefix: &str, version: &str, archive: &[u8], challenge: &str, authorization: &str) {
        let blob = format!("sha256:{}", digest(archive));
        let layer =
            serde_json::json!({"mediaType": "application/vnd.cncf.helm.chart.content.v1.tar+gzip", "digest": blob, "size": archive.len()});
        let manifest = serde_json::json!({"schemaVersion": 2, "layers": [layer]}).to_string();
        let tags = serde_json::json!({"tags": [version, "latest"]}).to_string();
        for (path, body) in [
            ("tags/list".to_owned(), tags.into_bytes()),
            (format!("manifests/{version}"), manifest.into_bytes()),
            (format!("blobs/{blob}"), archive.to_vec()),
        ] {
            if authorization.is_empty() {
                self.put(&format!("{prefix}/{path}"), body);
            } else {
                self.put_status(&format!("{prefix}/{path}"), 401, &[("www-authenticate", challenge)], "");
                self.put(&format!("{prefix}/{path} {authorization}"), body);
            }
        }
    }
}

fn serve(host: &str, stream: impl Read + Write, answers: &Mutex<BTreeMap<String, Reply>>, log: &Mutex<Vec<String>>) -> std::io::Result<()> {
    let mut stream = BufReader::new(stream);
    let mut head = Vec::new();
    loop {
        let mut line = String::new();
        if stream.read_line(&mut line)? == 0 || line.trim_end().is_empty() {
            break;
        }
        head.push(line.trim_end().to_owned());
    }
    let path = format!("{host}{}", head.first().and_then(|line| line.split(' ').nth(1)).unwrap_or_default());
    let header = |name: &str| head.iter().find_map(|line| line.to_ascii_lowercase().starts_with(name).then(|| line[name.len()..].trim()));
    let length: u64 = header("content-length:").and_then(|length| length.parse().ok()).unwrap_or(0);
    std::io::copy(&mut stream.by_ref().take(length), &mut std::io::sink())?;
    let key = format!("{path} {}", header("authorization:").unwrap_or("-"));
    log.lock().unwrap().push(key.clone());
    let reply = {
        let answers = answers.lock().unwrap();
        answers.get(&key).or_else(|| answers.get(&path)).cloned()
    };
    let reply = reply.unwrap_or(Reply { status: 404, headers: Vec::new(), body: Vec::new() });
    let stream = stream.get_mut();
    write!(stream, "HTTP/1.1 {} X\r\ncontent-length: {}\r\nconnection: close\r\n", reply.status, reply.body.len())?;
    for (name, value) in &reply.headers {
        write!(stream, "{name}: {value}\r\n")?;
    }
    stream.write_all(b"\r\n")?;
    stream.write_all(&reply.body)?;
    stream.flush()
}

/// An archive of files, as `helm package` makes it.
pub(super) fn archive(files: &[(&str, &str)]) -> Vec<u8> {
    let mut tar = tar::Builder::new(GzEncoder::new(Vec::new(), Compression::fast()));
    for (name, text) in files {
        let mut header = tar::Header::new_gnu();
        header.set_size(text.len() as u64);
        header.set_mode(0o644);
        tar.append_data(&mut header, name, text.as_bytes()).unwrap();
    }
    tar.into_inner().unwrap().finish().unwrap()
}

/// The archive of the chart `edge` in a version.
pub(super) fn chart(version: &str) -> Vec<u8> {
    let about = format!("apiVersion: v2\nname: edge\nversion: {version}\n");
    archive(&[("edge/Chart.yaml", &about), ("edge/templates/a.yaml", "kind: ConfigMap\n")])
}

/// A repository with three versions of one chart.
pub(super) fn repository() -> Server {
    let server = Server::start();
    let mut index = b"apiVersion: v1\nentries:\n  edge:\n".to_vec();
    for version in ["1.2.0", "1.10.0", "2.0.0-rc.1"] {
        let archive = chart(version);
        writeln!(index, "  - version: {version}\n    digest: {}\n    urls: [edge-{version}.tgz]", digest(&archive)).unwrap();
        server.put(&format!("/charts/edge-{version}.tgz"), archive);
    }
    server.put("/charts/index.yaml", index);
    server
}
