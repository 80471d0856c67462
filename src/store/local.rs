//! The state in a folder: `state.json`, and the journal `events.jsonl` beside it, whose tail a crash leaves to be folded in.

use std::fs::{File, OpenOptions, TryLockError};
use std::io::{BufRead as _, BufReader, Read as _, Seek as _, SeekFrom, Write as _};
use std::os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use serde::Deserialize;

use super::{Holder, Lease, Store, StoreError};
use crate::clock::Clock;
use crate::event::{Entry, Event};
use crate::state::State;
use crate::state::format;

/// The most bytes of a state file that are read.
const MAX_STATE: u64 = 256 * 1024 * 1024;

/// Called before every durable write: the sandbox stops the process there when a test asks for it.
pub type BeforeWrite = Arc<dyn Fn() + Send + Sync>;

/// A stack's folder.
#[derive(Clone)]
pub struct LocalStore {
    folder: PathBuf,
    stack: String,
    clock: Clock,
    before_write: Option<BeforeWrite>,
}

impl LocalStore {
    /// The store of a stack below `root` (`.meshform`). Nothing is made or read yet.
    pub fn new(root: &Path, stack: &str, clock: Clock) -> Self {
        Self { folder: root.join(stack), stack: stack.to_owned(), clock, before_write: None }
    }

    /// The same with a call before every durable write.
    #[must_use]
    pub fn before_write(mut self, call: BeforeWrite) -> Self {
        self.before_write = Some(call);
        self
    }

    /// The folder.
    pub fn folder(&self) -> &Path {
        &self.folder
    }

    fn state_path(&self) -> PathBuf {
        self.folder.join("state.json")
    }

    fn journal_path(&self) -> PathBuf {
        self.folder.join("events.jsonl")
    }

    /// All events of the journal that can be read, oldest first.
    pub fn history(&self) -> Result<Vec<Entry>, StoreError> {
        Ok(read_journal(&self.journal_path(), 0)?.entries)
    }

    fn load(&self) -> Result<(State, Journal), StoreError> {
        let path = self.state_path();
        let (mut state, offset) = match read_file(&path)? {
            None => (State::empty(&self.stack), 0),
            Some(text) => {
                let state = format::read(&text).map_err(|source| StoreError::Format { path: path.clone(), source })?;
                let tail: Tail = serde_json::from_str(&text).unwrap_or_default();
                (state, tail.journal_bytes)
            }
        };
        let mut journal = read_journal(&self.journal_path(), offset)?;
        for entry in journal.entries.drain(..) {
            if entry.sequence > state.serial {
                state.fold(&entry);
            }
        }
        Ok((state, journal))
    }
}

#[derive(Deserialize, Default)]
struct Tail {
    #[serde(default)]
    journal_bytes: u64,
}

impl Store for LocalStore {
    type Lease = LocalLease;

    fn read(&self) -> Result<State, StoreError> {
        self.load().map(|(state, _)| state)
    }

    fn lease(&self, holder: &Holder) -> Result<LocalLease, StoreError> {
        make_folder(&self.folder)?;
        let lock_path = self.folder.join("lock");
        let mut lock = open(&lock_path, OpenOptions::new().read(true).write(true).create(true))?;
        match lock.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => {
                let mut text = String::new();
                let read = lock.read_to_string(&mut text);
                let holder = read.ok().and_then(|_| serde_json::from_str(&text).ok());
                return Err(StoreError::Leased(holder.map(Box::new)));
            }
            Err(TryLockError::Error(source)) => return Err(StoreError::Io { what: "locking", path: lock_path, source }),
        }
        let text = serde_json::to_string(holder).unwrap_or_default();
        let io = |source| StoreError::Io { what: "writing", path: lock_path.clone(), source };
        lock.set_len(0).and_then(|()| lock.write_all(text.as_bytes())).map_err(io)?;
        let (state, journal) = self.load()?;
        let path = self.journal_path();
        let mut file = open(&path, OpenOptions::new().write(true).create(true))?;
        // What a crash tore off at the end is cut away, so that the next line starts clean.
        let io = |source| StoreError::Io { what: "writing", path: path.clone(), source };
        file.set_len(journal.bytes).map_err(io)?;
        file.seek(SeekFrom::End(0)).map_err(io)?;
        Ok(LocalLease { store: self.clone(), state, journal: file, bytes: journal.bytes, lock })
    }
}

/// The lease of a folder: an OS lock, which ends with the process however that ends.
pub struct LocalLease {
    store: LocalStore,
    state: State,
    journal: File,
    bytes: u64,
    lock: File,
}

impl Lease for LocalLease {
    fn state(&self) -> &State {
        &self.state
    }

    fn record(&mut self, event: Event) -> Result<(), StoreError> {
        let entry = Entry { sequence: self.state.serial + 1, at: self.store.clock.now(), event };
        let mut line = serde_json::to_string(&entry).unwrap_or_default();
        line.push('\n');
        if let Some(call) = &self.store.before_write {
            call();
        }
        let path = self.store.journal_path();
        self.journal.write_all(line.as_bytes()).map_err(|source| StoreError::Io { what: "writing", path, source })?;
        self.bytes += line.len() as u64;
        self.state.fold(&entry);
        Ok(())
    }

    fn sync(&mut self) -> Result<(), StoreError> {
        self.journal.sync_data().map_err(|source| StoreError::Io { what: "writing", path: self.store.journal_path(), source })
    }

    fn save(&mut self) -> Result<(), StoreError> {
        self.sync()?;
        let text = format::write(&self.state, self.bytes);
        write_atomically(&self.store.state_path(), text.as_bytes())
    }
}

impl Drop for LocalLease {
    fn drop(&mut self) {
        // The name of the holder goes with the lock.
        let _ = self.lock.set_len(0);
    }
}

struct Journal {
    entries: Vec<Entry>,
    /// Bytes up to the end of the last whole line.
    bytes: u64,
}

fn read_journal(path: &Path, offset: u64) -> Result<Journal, StoreError> {
    let io = |source| StoreError::Io { what: "reading", path: path.to_owned(), source };
    let mut file = match File::open(path) {
        Ok(file) => file,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(Journal { entries: Vec::new(), bytes: 0 }),
        Err(error) => return Err(io(error)),
    };
    let length = file.metadata().map_err(io)?.len();
    let start = if offset <= length { offset } else { 0 };
    file.seek(SeekFrom::Start(start)).map_err(io)?;
    let mut reader = BufReader::new(file);
    let mut journal = Journal { entries: Vec::new(), bytes: start };
    let mut line = Vec::new();
    let mut number = 0;
    loop {
        line.clear();
        let read = reader.read_until(b'\n', &mut line).map_err(io)? as u64;
        if read == 0 {
            return Ok(journal);
        }
        number += 1;
        let is_last = journal.bytes + read >= length;
        match serde_json::from_slice(&line) {
            Ok(entry) if line.ends_with(b"\n") => {
                journal.entries.push(entry);
                journal.bytes += read;
            }
            _ if is_last => return Ok(journal),
            _ => return Err(StoreError::Journal { path: path.to_owned(), line: number }),
        }
    }
}

fn read_file(path: &Path) -> Result<Option<String>, StoreError> {
    let io = |source| StoreError::Io { what: "reading", path: path.to_owned(), source };
    let file = match File::open(path) {
        Ok(file) => file,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(io(error)),
    };
    let mut text = String::new();
    file.take(MAX_STATE).read_to_string(&mut text).map_err(io)?;
    Ok(Some(text))
}

/// Makes a stack's folder, private to the user, and a `.gitignore` beside it.
fn make_folder(folder: &Path) -> Result<(), StoreError> {
    let io = |source| StoreError::Io { what: "making", path: folder.to_owned(), source };
    std::fs::DirBuilder::new().recursive(true).mode(0o700).create(folder).map_err(io)?;
    if let Some(root) = folder.parent() {
        let ignore = root.join(".gitignore");
        if !ignore.exists() {
            write_atomically(&ignore, b"*\n")?;
        }
    }
    Ok(())
}

fn open(path: &Path, options: &mut OpenOptions) -> Result<File, StoreError> {
    options.mode(0o600).open(path).map_err(|source| StoreError::Io { what: "opening", path: path.to_owned(), source })
}

/// Writes a file so that it is always whole: beside it, flushed, and then in its place.
fn write_atomically(path: &Path, bytes: &[u8]) -> Result<(), StoreError> {
    let io = |source| StoreError::Io { what: "writing", path: path.to_owned(), source };
    let mut name = path.file_name().unwrap_or_default().to_os_string();
    name.push(format!(".{}.new", std::process::id()));
    let beside = path.with_file_name(name);
    let mut file = open(&beside, OpenOptions::new().write(true).create(true).truncate(true))?;
    file.write_all(bytes).and_then(|()| file.sync_all()).map_err(io)?;
    std::fs::rename(&beside, path).map_err(io)?;
    if let Some(folder) = path.parent() {
        File::open(folder).and_then(|folder| folder.sync_all()).map_err(io)?;
    }
    Ok(())
}
