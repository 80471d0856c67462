//! The file in which a world is kept: one line of JSON for each transaction, only ever appended to.
//!
//! A line that was answered for is complete, as it is written with one call before the answer is given. A line that isn't ended by a
//! newline is what a killed process left behind; nobody was told of it, and it is dropped by the next who holds the lock.

use std::fs::{self, File, OpenOptions};
use std::io::{self, BufRead, BufReader, Read, Seek, SeekFrom, Write};
use std::os::unix::fs::{MetadataExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

use super::error::SandboxError;

/// A world's journal and the lock that guards it.
#[derive(Debug)]
pub(super) struct Journal {
    path: PathBuf,
    lock: File,
    file: File,
    inode: u64,
    /// How much of the file has been read or written by this handle.
    read: u64,
    lines: u64,
}

/// What there is to read when the lock was taken.
pub(super) struct Tail {
    /// Whether another process has put a new file in place, so that what was read before is void.
    pub(super) replaced: bool,
    /// The complete lines since the last reading.
    pub(super) lines: Vec<String>,
    /// The number of the first of them.
    pub(super) first: u64,
}

impl Journal {
    /// Opens the journal in a folder, and makes it when it isn't there.
    pub(super) fn open(folder: &Path) -> Result<Self, SandboxError> {
        let path = folder.join("world.jsonl");
        let lock = open_file(&folder.join("world.lock"))?;
        let file = open_file(&path)?;
        let inode = file.metadata().map_err(|source| at(&path, source))?.ino();
        Ok(Self { path, lock, file, inode, read: 0, lines: 0 })
    }

    /// The journal's path, for messages.
    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    /// How many bytes the journal has, as far as this handle knows.
    pub(super) fn len(&self) -> u64 {
        self.read
    }

    /// Waits for the lock.
    pub(super) fn lock(&self) -> Result<(), SandboxError> {
        self.lock.lock().map_err(|source| at(&self.path, source))
    }

    /// Gives the lock back.
    pub(super) fn unlock(&self) -> Result<(), SandboxError> {
        self.lock.unlock().map_err(|source| at(&self.path, source))
    }

    /// Reads what was written since the last time. Needs the lock.
    pub(super) fn read_tail(&mut self) -> Result<Tail, SandboxError> {
        self.try_read_tail().map_err(|source| at(&self.path, source))
    }

    /// Appends whole lines with one write. Needs the lock, and a tail that was read.
    pub(super) fn append(&mut self, lines: &str) -> Result<(), SandboxError> {
        self.file.write_all(lines.as_bytes()).map_err(|source| at(&self.path, source))?;
        self.read += lines.len() as u64;
        self.lines += lines.matches('\n').count() as u64;
        Ok(())
    }

    /// Puts a file with these lines in place of the journal, at once. Needs the lock.
    pub(super) fn replace(&mut self, lines: &str) -> Result<(), SandboxError> {
        let new = self.path.with_extension("jsonl.new");
        let written = fs::remove_file(&new).or_else(|error| if error.kind() == io::ErrorKind::NotFound { Ok(()) } else { Err(error) });
        written.map_err(|source| at(&new, source))?;
        let mut file = open_file(&new)?;
        file.write_all(lines.as_bytes()).and_then(|()| file.sync_data()).map_err(|source| at(&new, source))?;
        fs::rename(&new, &self.path).map_err(|source| at(&self.path, source))?;
        self.inode = file.metadata().map_err(|source| at(&self.path, source))?.ino();
        self.file = file;
        self.read = lines.len() as u64;
        self.lines = lines.matches('\n').count() as u64;
        Ok(())
    }

    fn try_read_tail(&mut self) -> io::Result<Tail> {
        let there = match fs::metadata(&self.path) {
            Ok(there) => Some(there),
            Err(error) if error.kind() == io::ErrorKind::NotFound => None,
            Err(error) => return Err(error),
        };
        // A journal that was replaced, or that someone removed or cut, has to be read from its beginning.
        let replaced = there.as_ref().is_none_or(|there| there.ino() != self.inode || there.len() < self.read);
        if replaced {
            self.file = options().open(&self.path)?;
            self.inode = self.file.metadata()?.ino();
            self.read = 0;
            self.lines = 0;
        }
        let mut tail = Tail { replaced, lines: Vec::new(), first: self.lines + 1 };
        if !replaced && there.is_some_and(|there| there.len() == self.read) {
            return Ok(tail);
        }
        self.file.seek(SeekFrom::Start(self.read))?;
        let mut reader = BufReader::new((&self.file).take(u64::MAX));
        loop {
            let mut line = Vec::new();
            let size = reader.read_until(b'\n', &mut line)?;
            if size == 0 {
                break;
            }
            if line.pop() != Some(b'\n') {
                self.file.set_len(self.read)?;
                break;
            }
            self.read += size as u64;
            self.lines += 1;
            tail.lines.push(String::from_utf8(line).map_err(|error| io::Error::new(io::ErrorKind::InvalidData, error))?);
        }
        Ok(tail)
    }
}

fn options() -> OpenOptions {
    let mut options = OpenOptions::new();
    options.read(true).append(true).create(true).mode(0o600);
    options
}

fn open_file(path: &Path) -> Result<File, SandboxError> {
    options().open(path).map_err(|source| at(path, source))
}

fn at(path: &Path, source: io::Error) -> SandboxError {
    SandboxError::File { path: path.to_owned(), source }
}
