//! Which certificate authorities HTTPS servers are believed by: those of the system, or those that the environment names instead.

use std::path::PathBuf;

use aws_smithy_http_client::tls::{TlsContext, TrustStore};

/// The variables that name files of certificates (PEM): the one of OpenSSL, and the one of AWS's own tools. Where both are set, both count.
const VARIABLES: [&str; 2] = ["SSL_CERT_FILE", "AWS_CA_BUNDLE"];

/// Why the certificates that were asked for can't be used.
#[derive(Debug, thiserror::Error)]
pub enum TrustError {
    /// A file can't be read.
    #[error("{variable} names {}, which can't be read: {cause}", path.display())]
    File {
        /// Which variable names it.
        variable: &'static str,
        /// The file.
        path: PathBuf,
        /// Why.
        cause: std::io::Error,
    },
    /// There is something in a file that is no certificate, or the system has none.
    #[error("the trusted certificates can't be used: {0}")]
    Certificates(String),
}

/// What clients trust.
pub fn context() -> Result<TlsContext, TrustError> {
    let mut store = None;
    for variable in VARIABLES {
        let Some(path) = std::env::var_os(variable).filter(|path| !path.is_empty()).map(PathBuf::from) else { continue };
        let pem = std::fs::read(&path).map_err(|cause| TrustError::File { variable, path, cause })?;
        store = Some(store.unwrap_or_else(TrustStore::empty).with_pem_certificate(pem));
    }
    let context = TlsContext::builder().with_trust_store(store.unwrap_or_default());
    context.build().map_err(|error| TrustError::Certificates(error.to_string()))
}
