//! What can go wrong on the way to a chart, and what to do about it.

use crate::helm::func::semver::SemverError;

/// Why a chart can't be had.
#[derive(Debug, thiserror::Error)]
pub enum ChartSourceError {
    /// A file or folder can't be read.
    #[error("{path}: {cause}")]
    File {
        /// Which one.
        path: String,
        /// Why.
        cause: std::io::Error,
    },
    /// A folder or archive is beyond our bounds.
    #[error("{path}: {reason}")]
    Refused {
        /// Which one.
        path: String,
        /// Why.
        reason: String,
    },
    /// It was read, and is no chart.
    #[error("{0}")]
    Chart(#[from] crate::helm::ChartError),
    /// What HTTPS servers are believed by can't be used.
    #[error(transparent)]
    Trust(#[from] crate::source::trust::TrustError),
    /// A request failed.
    #[error("{url}: {reason}")]
    Http {
        /// What was asked for.
        url: String,
        /// Why.
        reason: String,
    },
    /// There is nothing of that name and version.
    #[error("{what}")]
    NotFound {
        /// What was looked for, and where.
        what: String,
        /// What is there instead.
        help: String,
    },
    /// A server wants to know who asks, and knows nobody, or not this one.
    #[error("{url}: {reason}")]
    Login {
        /// What was asked for.
        url: String,
        /// What was tried.
        reason: String,
        /// What to do.
        help: String,
    },
    /// What came is not what the lock file, the index or the registry says.
    #[error("{what} has the digest {found}, and {by} says {expected}")]
    Digest {
        /// What came.
        what: String,
        /// Its digest.
        found: String,
        /// The digest that was expected.
        expected: String,
        /// Who expects it.
        by: &'static str,
    },
    /// The lock file can't be used.
    #[error("{path}: {reason}")]
    Lock {
        /// The file.
        path: String,
        /// Why.
        reason: String,
    },
    /// A version or a range of versions can't be read.
    #[error("version `{text}`: {cause}")]
    Version {
        /// What was given.
        text: String,
        /// Why.
        cause: SemverError,
    },
}

impl ChartSourceError {
    /// Nothing is there under a name.
    pub(super) fn not_found(what: impl Into<String>, help: impl Into<String>) -> Self {
        Self::NotFound { what: what.into(), help: help.into() }
    }

    /// What to do about it.
    pub fn help(&self) -> Option<String> {
        Some(match self {
            Self::File { path, cause } if cause.kind() == std::io::ErrorKind::NotFound => {
                let name = path.rsplit('/').next().unwrap_or_default();
                format!("a chart is a folder, a .tgz, a URL or oci://…; one of a repository is named as `{name} --repo URL`")
            }
            Self::NotFound { help, .. } | Self::Login { help, .. } => help.clone(),
            Self::Digest { by: "the lock file", .. } => {
                "somebody published another chart under the same version; when that is as it should be, \
                                                         `meshform chart lock` takes it"
                    .to_owned()
            }
            Self::Digest { .. } => {
                "it was changed after it was published, or on the way: don't use it, and tell whoever publishes it".to_owned()
            }
            Self::Lock { .. } => "`meshform chart lock` writes it: mend it, or take it away and lock the charts anew".to_owned(),
            Self::Version { .. } => "write a version (1.2.3) or a range of versions (^1.2, ~1.2.3, >=1.2 <2)".to_owned(),
            Self::Http { .. } => {
                "check the address, the network and HTTPS_PROXY; `meshform chart vendor` keeps a chart for use without them".to_owned()
            }
            Self::File { .. } | Self::Refused { .. } | Self::Chart(_) | Self::Trust(_) => return None,
        })
    }
}
