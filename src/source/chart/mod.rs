//! Where charts come from: a folder, an archive, an HTTP repository, an OCI registry.
//!
//! [`Wanted::parse`] reads what a person names; [`Charts::fetch`] brings it. What came over the network is kept by its digest in a cache and held
//! against `meshform.lock` where that names it. Sizes, counts and redirects are bounded: a chart's author is a stranger.

pub mod cache;
mod error;
pub mod folder;
pub mod http;
pub mod index;
pub mod lock;
pub mod login;
pub mod oci;
pub mod vendor;

use std::path::{Path, PathBuf};

use crate::helm::Chart;
use crate::secret::sha256_hex;
use cache::Cache;
pub use error::ChartSourceError;
use http::Client;
use lock::{Lock, Locked};
use login::{Logins, NoLogins};

/// The most bytes of an archive: Helm refuses charts that are larger unpacked.
pub const MAX_ARCHIVE: usize = 100 << 20;

/// A chart as a person names it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Wanted {
    /// A folder or a .tgz on disk.
    Path(PathBuf),
    /// A .tgz by its address.
    Url(String),
    /// A name in an HTTP repository, and a version or range.
    Repository {
        /// The repository's address.
        url: String,
        /// The chart's name.
        name: String,
        /// Empty for the newest.
        version: String,
    },
    /// A repository in an OCI registry, and a version or range.
    Oci {
        /// `host/path`, without `oci://`.
        reference: String,
        /// Empty for the newest.
        version: String,
    },
}

impl Wanted {
    /// Reads a chart's name as `helm template` does: what is on disk wins.
    pub fn parse(name: &str, repository: Option<&str>, version: &str) -> Self {
        let path = Path::new(name);
        if repository.is_none() && name.starts_with("oci://") {
            return Self::Oci { reference: name["oci://".len()..].trim_end_matches('/').to_owned(), version: version.to_owned() };
        }
        if path.exists() {
            return Self::Path(path.to_owned());
        }
        match repository {
            Some(url) if url.starts_with("oci://") => {
                let base = url["oci://".len()..].trim_end_matches('/');
                Self::Oci { reference: format!("{base}/{name}"), version: version.to_owned() }
            }
            Some(url) => Self::Repository { url: url.to_owned(), name: name.to_owned(), version: version.to_owned() },
            None if name.starts_with("https://") || name.starts_with("http://") => Self::Url(name.to_owned()),
            None => Self::Path(path.to_owned()),
        }
    }

    /// The key in the lock file, or nothing for what is on disk.
    pub fn key(&self) -> Option<String> {
        match self {
            Self::Path(_) => None,
            Self::Url(url) => Some(url.clone()),
            Self::Repository { url, name, version } => Some(format!("{}/{name}@{version}", url.trim_end_matches('/'))),
            Self::Oci { reference, version } => Some(format!("oci://{reference}@{version}")),
        }
    }
}

/// A chart that was fetched.
pub struct Fetched {
    /// The chart.
    pub chart: Chart,
    /// Its archive, where it came as one.
    pub archive: Option<Vec<u8>>,
    /// What the lock file is to say of it; nothing for a folder.
    pub locked: Option<Locked>,
}

/// Fetches charts.
pub struct Charts {
    client: Client,
    cache: Cache,
    lock: Lock,
    logins: Box<dyn Logins>,
}

impl Charts {
    /// With this cache folder and this lock file, which need not be there.
    pub fn new(cache: &Path, lock: &Path) -> Result<Self, ChartSourceError> {
        Ok(Self { client: Client::default(), cache: Cache::new(cache), lock: Lock::read(lock)?, logins: Box::new(NoLogins) })
    }

    /// Whom registries let in that no configuration of Docker or Helm knows.
    #[must_use]
    pub fn with_logins(self, logins: Box<dyn Logins>) -> Self {
        Self { logins, ..self }
    }

    fn registries(&self) -> oci::Access<'_> {
        oci::Access { client: &self.client, logins: self.logins.as_ref() }
    }

    /// Brings a chart. What the lock file names comes in the version that it names, and is refused with another digest.
    pub async fn fetch(&self, wanted: &Wanted) -> Result<Fetched, ChartSourceError> {
        if let Wanted::Path(path) = wanted {
            return folder::read(path);
        }
        let key = wanted.key().unwrap_or_default();
        if let Some(locked) = self.lock.get(&key) {
            let archive = match self.cache.get(&locked.digest) {
                Some(archive) => archive,
                None => self.download(locked).await?,
            };
            check(&archive, &locked.digest, &key, "the lock file")?;
            return opened(archive, locked.clone());
        }
        self.fetch_unlocked(wanted).await
    }

    /// Brings a chart and looks at no lock file: for `chart lock`.
    pub async fn fetch_unlocked(&self, wanted: &Wanted) -> Result<Fetched, ChartSourceError> {
        let (archive, version, url) = match wanted {
            Wanted::Path(path) => return folder::read(path),
            Wanted::Url(url) => (self.client.get(url, MAX_ARCHIVE).await?, String::new(), url.clone()),
            Wanted::Repository { url, name, version } => {
                let found = index::find(&self.client, url, name, version).await?;
                let archive = self.client.get(&found.url, MAX_ARCHIVE).await?;
                if let Some(digest) = &found.digest {
                    check(&archive, digest, &found.url, "the repository's index")?;
                }
                (archive, found.version, found.url)
            }
            Wanted::Oci { reference, version } => {
                let found = oci::fetch(self.registries(), reference, version).await?;
                (found.archive, found.version, found.url)
            }
        };
        let digest = sha256_hex(&archive);
        self.cache.put(&digest, &archive);
        opened(archive, Locked { version, url, digest })
    }

    async fn download(&self, locked: &Locked) -> Result<Vec<u8>, ChartSourceError> {
        let archive = match locked.url.strip_prefix("oci://") {
            Some(reference) => oci::fetch_blob(self.registries(), reference).await?,
            None => self.client.get(&locked.url, MAX_ARCHIVE).await?,
        };
        if sha256_hex(&archive) == locked.digest {
            self.cache.put(&locked.digest, &archive);
        }
        Ok(archive)
    }

    /// The lock file as it was read.
    pub fn lock(&self) -> &Lock {
        &self.lock
    }
}

fn opened(archive: Vec<u8>, mut locked: Locked) -> Result<Fetched, ChartSourceError> {
    let chart = Chart::from_tgz(&archive)?;
    if locked.version.is_empty() {
        locked.version.clone_from(&chart.metadata.version);
    }
    Ok(Fetched { chart, archive: Some(archive), locked: Some(locked) })
}

fn check(archive: &[u8], expected: &str, what: &str, by: &'static str) -> Result<(), ChartSourceError> {
    let found = sha256_hex(archive);
    // An index may say which hash it is.
    let expected = expected.strip_prefix("sha256:").unwrap_or(expected);
    if found.eq_ignore_ascii_case(expected) {
        return Ok(());
    }
    Err(ChartSourceError::Digest { what: what.to_owned(), found, expected: expected.to_owned(), by })
}
