//! The world of a sandbox: entities of JSON by key, changed in transactions and kept in a journal.
//!
//! Keys are paths such as `acm/000000000000/eu-west-1/cert/…`; [`Tx::scan`] reads a branch of them in the order of bytes. A transaction
//! holds the world's lock, sees what other processes have written, and is durable before it ends.

use std::any::Any;
use std::cell::RefCell;
use std::collections::BTreeMap;
use std::fmt;
use std::ops::Bound;
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};

use jiff::Timestamp;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use sha2::{Digest, Sha256};

use super::error::SandboxError;
use super::journal::Journal;
use crate::clock::Clock;

/// A journal is rewritten when it's opened and has more than this and four times its live data.
const COMPACT_ABOVE: u64 = 1 << 20;

/// How a new world begins.
#[derive(Clone, Debug)]
pub struct Genesis {
    /// The time on its clock.
    pub start: Timestamp,
    /// What its ids are made of: equal seeds and equal requests give equal ids. Keys of certificates are random all the same.
    pub seed: String,
}

/// A world, shared by all who have its folder open. It holds private keys, and so it shows nothing of itself.
pub struct World {
    inner: Mutex<Inner>,
}

struct Inner {
    journal: Journal,
    entities: BTreeMap<String, Value>,
    time: Timestamp,
    genesis: Genesis,
    clock: Option<Clock>,
    /// Branches as types, as they were when something was last changed: the pages of a list read them again and again.
    branches: Branches,
}

type Branches = RefCell<BTreeMap<String, Arc<dyn Any + Send + Sync>>>;

/// One line of the journal.
#[derive(Serialize, Deserialize)]
struct Line {
    at: Timestamp,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    put: Vec<(String, Value)>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    del: Vec<String>,
}

#[derive(Serialize)]
struct LineRef<'a> {
    at: Timestamp,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    put: Vec<(&'a str, &'a Value)>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    del: Vec<&'a str>,
}

/// A transaction on a world. It shows nothing of itself, as [`World`].
pub struct Tx<'a> {
    entities: &'a mut BTreeMap<String, Value>,
    /// What each touched entity was before.
    before: BTreeMap<String, Option<Value>>,
    now: Timestamp,
    seed: String,
    branches: &'a Branches,
}

impl fmt::Debug for World {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("World").finish_non_exhaustive()
    }
}

impl fmt::Debug for Tx<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Tx").field("now", &self.now).finish_non_exhaustive()
    }
}

impl World {
    /// Opens the world in a folder. One that isn't there begins with `genesis` when it's first used.
    pub fn open(folder: &Path, genesis: Genesis) -> Result<Self, SandboxError> {
        let journal = Journal::open(folder)?;
        let inner = Inner { journal, entities: BTreeMap::new(), time: genesis.start, genesis, clock: None, branches: Branches::default() };
        let world = Self { inner: Mutex::new(inner) };
        world.compact()?;
        Ok(world)
    }

    /// Ties the world to the clock of a run: each transaction brings both to the later of their times.
    pub(super) fn follow(&self, clock: Clock) {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner).clock = Some(clock);
    }

    /// Does work on the world, alone, and makes what it changed durable. When `work` or writing fails, nothing is changed.
    pub fn transaction<T, E: From<SandboxError>>(&self, work: impl FnOnce(&mut Tx<'_>) -> Result<T, E>) -> Result<T, E> {
        let mut inner = self.inner.lock().unwrap_or_else(PoisonError::into_inner);
        inner.journal.lock()?;
        let done = inner.transact(work);
        inner.journal.unlock()?;
        done
    }

    /// The time on its clock when it was last read.
    pub(super) fn time(&self) -> Timestamp {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner).time
    }

    /// Forgets everything: the world begins again.
    pub(super) fn reset(&self) -> Result<(), SandboxError> {
        let mut inner = self.inner.lock().unwrap_or_else(PoisonError::into_inner);
        inner.journal.lock()?;
        let done = inner.journal.replace("");
        inner.entities.clear();
        inner.branches.take();
        inner.time = inner.genesis.start;
        inner.journal.unlock()?;
        done
    }

    fn compact(&self) -> Result<(), SandboxError> {
        let mut inner = self.inner.lock().unwrap_or_else(PoisonError::into_inner);
        inner.journal.lock()?;
        let done = inner.compact();
        inner.journal.unlock()?;
        done
    }
}

impl Inner {
    fn transact<T, E: From<SandboxError>>(&mut self, work: impl FnOnce(&mut Tx<'_>) -> Result<T, E>) -> Result<T, E> {
        self.catch_up()?;
        let run = self.clock.as_ref().map_or(self.time, Clock::now);
        // Whole microseconds, as the keys of what is due have them.
        let now = Timestamp::from_microsecond(run.as_microsecond()).unwrap_or(run).max(self.time);
        let seed = match self.entities.get("meta/seed").and_then(Value::as_str) {
            Some(seed) => seed.to_owned(),
            None => self.genesis.seed.clone(),
        };
        let mut tx = Tx { entities: &mut self.entities, before: BTreeMap::new(), now, seed, branches: &self.branches };
        if !tx.contains("meta/seed") {
            let seed = tx.seed.clone();
            tx.put("meta/seed", Value::String(seed));
        }
        let done = work(&mut tx);
        let (before, now) = (tx.before, tx.now);
        match done {
            Ok(result) => match self.append(&before, now) {
                Ok(()) => {
                    self.time = now;
                    if let Some(clock) = &self.clock {
                        clock.advance_to(now);
                    }
                    Ok(result)
                }
                Err(error) => {
                    self.roll_back(before);
                    Err(error.into())
                }
            },
            Err(error) => {
                self.roll_back(before);
                Err(error)
            }
        }
    }

    fn catch_up(&mut self) -> Result<(), SandboxError> {
        let tail = self.journal.read_tail()?;
        if tail.replaced || !tail.lines.is_empty() {
            self.branches.take();
        }
        if tail.replaced {
            self.entities.clear();
            self.time = self.genesis.start;
        }
        for (line, number) in tail.lines.iter().zip(tail.first..) {
            let line: Line = serde_json::from_str(line).map_err(|error| SandboxError::Journal {
                path: self.journal.path().to_owned(),
                line: number,
                reason: error.to_string(),
            })?;
            self.time = line.at;
            for key in &line.del {
                self.entities.remove(key);
            }
            self.entities.extend(line.put);
        }
        Ok(())
    }

    fn append(&mut self, before: &BTreeMap<String, Option<Value>>, now: Timestamp) -> Result<(), SandboxError> {
        let mut line = LineRef { at: now, put: Vec::new(), del: Vec::new() };
        for (key, old) in before {
            match self.entities.get(key) {
                Some(new) if old.as_ref() != Some(new) => line.put.push((key, new)),
                None if old.is_some() => line.del.push(key),
                _ => {}
            }
        }
        if line.put.is_empty() && line.del.is_empty() && now == self.time {
            return Ok(());
        }
        if !line.put.is_empty() || !line.del.is_empty() {
            self.branches.take();
        }
        let mut text = to_json("journal", &line)?;
        text.push('\n');
        self.journal.append(&text)
    }

    fn roll_back(&mut self, before: BTreeMap<String, Option<Value>>) {
        for (key, old) in before {
            match old {
                Some(old) => self.entities.insert(key, old),
                None => self.entities.remove(&key),
            };
        }
    }

    fn compact(&mut self) -> Result<(), SandboxError> {
        self.catch_up()?;
        if self.journal.len() <= COMPACT_ABOVE {
            return Ok(());
        }
        let mut text = String::new();
        for (key, value) in &self.entities {
            text.push_str(&to_json(key, &LineRef { at: self.time, put: vec![(key, value)], del: Vec::new() })?);
            text.push('\n');
        }
        if self.journal.len() > 4 * text.len() as u64 { self.journal.replace(&text) } else { Ok(()) }
    }
}

impl Tx<'_> {
    /// The time on the world's clock.
    pub fn now(&self) -> Timestamp {
        self.now
    }

    pub(super) fn set_now(&mut self, now: Timestamp) {
        self.now = now;
    }

    /// Whether there is an entity of this key.
    pub fn contains(&self, key: &str) -> bool {
        self.entities.contains_key(key)
    }

    /// The entity of a key.
    pub fn get(&self, key: &str) -> Option<&Value> {
        self.entities.get(key)
    }

    /// The entity of a key, as a type.
    pub fn read<T: DeserializeOwned>(&self, key: &str) -> Result<Option<T>, SandboxError> {
        self.get(key).map(|value| parse(key, value)).transpose()
    }

    /// Makes or replaces an entity.
    pub fn put(&mut self, key: &str, value: Value) {
        let old = self.entities.insert(key.to_owned(), value);
        self.before.entry(key.to_owned()).or_insert(old);
    }

    /// Makes or replaces an entity, from a type.
    pub fn write<T: Serialize>(&mut self, key: &str, value: &T) -> Result<(), SandboxError> {
        let value = serde_json::to_value(value).map_err(|error| malformed(key, &error))?;
        self.put(key, value);
        Ok(())
    }

    /// Removes an entity, and says whether there was one.
    pub fn delete(&mut self, key: &str) -> bool {
        let old = self.entities.remove(key);
        let there = old.is_some();
        self.before.entry(key.to_owned()).or_insert(old);
        there
    }

    /// The entities whose keys start with `prefix`, in the order of their keys.
    pub fn scan<'t>(&'t self, prefix: &'t str) -> impl Iterator<Item = (&'t str, &'t Value)> + 't {
        self.scan_from(prefix, prefix)
    }

    /// The entities whose keys start with `prefix`, from `start` on.
    pub fn scan_from<'t>(&'t self, prefix: &'t str, start: &'t str) -> impl Iterator<Item = (&'t str, &'t Value)> + 't {
        self.entities
            .range::<str, _>((Bound::Included(start.max(prefix)), Bound::Unbounded))
            .take_while(move |(key, _)| key.starts_with(prefix))
            .map(|(key, value)| (key.as_str(), value))
    }

    /// All entities of a branch, as a type. A branch is always read as the same type.
    pub fn branch<T: DeserializeOwned + Send + Sync + 'static>(&self, prefix: &str) -> Result<Arc<Vec<T>>, SandboxError> {
        let known = self.branches.borrow().get(prefix).cloned().and_then(|branch| branch.downcast().ok());
        // What this transaction has changed is in no branch yet.
        if let (Some(branch), true) = (known, self.before.is_empty()) {
            return Ok(branch);
        }
        let branch: Arc<Vec<T>> = Arc::new(self.scan(prefix).map(|(key, value)| parse(key, value)).collect::<Result<_, _>>()?);
        if self.before.is_empty() {
            self.branches.borrow_mut().insert(prefix.to_owned(), branch.clone());
        }
        Ok(branch)
    }

    /// The keys that start with `prefix`, for when the entities are to be changed on the way.
    pub fn keys(&self, prefix: &str) -> Vec<String> {
        self.scan(prefix).map(|(key, _)| key.to_owned()).collect()
    }

    /// Does work of which nothing remains when it fails, whereas what was done before in this transaction stays.
    pub fn attempt<T, E>(&mut self, work: impl FnOnce(&mut Self) -> Result<T, E>) -> Result<T, E> {
        let outer = std::mem::take(&mut self.before);
        let done = work(self);
        let inner = std::mem::replace(&mut self.before, outer);
        for (key, old) in inner {
            match (&done, old) {
                (Ok(_), old) => {
                    self.before.entry(key).or_insert(old);
                }
                (Err(_), Some(old)) => {
                    self.entities.insert(key, old);
                }
                (Err(_), None) => {
                    self.entities.remove(&key);
                }
            }
        }
        done
    }

    /// 32 fresh bytes that follow from the world's seed and from how many were asked for before: what ids are made of.
    pub fn fresh(&mut self) -> [u8; 32] {
        let count = self.get("meta/fresh").and_then(Value::as_u64).unwrap_or(0) + 1;
        self.put("meta/fresh", Value::from(count));
        let seed = self.seed.clone();
        digest(&[&seed, &count.to_string()])
    }

    /// Bytes that are always the same for the same words in this world: what delays are made of.
    pub fn dice(&self, words: &[&str]) -> [u8; 32] {
        let mut all = vec![self.seed.as_str()];
        all.extend(words);
        digest(&all)
    }
}

/// Reads an entity as a type.
pub(super) fn parse<T: DeserializeOwned>(key: &str, value: &Value) -> Result<T, SandboxError> {
    T::deserialize(value).map_err(|error| malformed(key, &error))
}

fn malformed(key: &str, error: &serde_json::Error) -> SandboxError {
    SandboxError::Entity { key: key.to_owned(), reason: error.to_string() }
}

fn to_json<T: Serialize>(key: &str, value: &T) -> Result<String, SandboxError> {
    serde_json::to_string(value).map_err(|error| malformed(key, &error))
}

/// A digest of words, in which the places between the words count.
pub(super) fn digest(words: &[&str]) -> [u8; 32] {
    let mut hash = Sha256::new();
    for word in words {
        hash.update((word.len() as u64).to_be_bytes());
        hash.update(word.as_bytes());
    }
    hash.finalize().into()
}
