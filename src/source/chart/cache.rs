//! Archives that came over the network, kept by their digest. What is in the cache is checked like what comes from anywhere.

use std::io::Write as _;
use std::path::{Path, PathBuf};

use super::MAX_ARCHIVE;
use crate::secret::sha256_hex;

/// A folder of archives.
pub struct Cache {
    folder: PathBuf,
}

impl Cache {
    /// In this folder, which is made when something is kept.
    pub fn new(folder: &Path) -> Self {
        Self { folder: folder.to_owned() }
    }

    fn file(&self, digest: &str) -> Option<PathBuf> {
        let plain = digest.len() == 64 && digest.bytes().all(|byte| byte.is_ascii_hexdigit());
        plain.then(|| self.folder.join(format!("{digest}.tgz")))
    }

    /// The archive of this digest, if it is there and whole.
    pub fn get(&self, digest: &str) -> Option<Vec<u8>> {
        let file = self.file(digest)?;
        let small = std::fs::metadata(&file).is_ok_and(|about| about.len() <= MAX_ARCHIVE as u64);
        let archive = if small { std::fs::read(file).ok()? } else { return None };
        (sha256_hex(&archive) == digest).then_some(archive)
    }

    /// Keeps an archive. A cache that can't be written costs time, and nothing else.
    pub fn put(&self, digest: &str, archive: &[u8]) {
        let Some(file) = self.file(digest) else { return };
        let write = || -> std::io::Result<()> {
            std::fs::create_dir_all(&self.folder)?;
            // Another process may write the same: each its own file, and the last one renames.
            let part = self.folder.join(format!("{digest}.{}.part", std::process::id()));
            let mut out = std::fs::File::create(&part)?;
            out.write_all(archive)?;
            out.sync_all()?;
            std::fs::rename(part, file)
        };
        if let Err(error) = write() {
            tracing::warn!(folder = %self.folder.display(), %error, "a chart can't be kept in the cache");
        }
    }
}
