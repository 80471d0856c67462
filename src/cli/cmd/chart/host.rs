//! What a rendering asks of the world: dice of the system, the run's clock, the machine's zone, and files that `--set-file` names.

use std::collections::BTreeMap;

use crate::cli::context::Context;
use crate::helm::Host;
use crate::source::chart::http::Client;

/// The most bytes of a schema that another one refers to.
const MAX_SCHEMA: usize = 16 << 20;

pub(super) struct CliHost {
    clock: crate::clock::Clock,
    /// Files that were read before: a rendering has no access to the disk.
    files: BTreeMap<String, Result<Vec<u8>, String>>,
    zone: jiff::tz::TimeZone,
}

impl CliHost {
    pub(super) fn new(context: &Context) -> Self {
        Self { clock: context.clock.clone(), files: BTreeMap::new(), zone: jiff::tz::TimeZone::system() }
    }
}

impl Host for CliHost {
    fn random(&mut self, bytes: &mut [u8]) {
        // Passwords without dice would be no passwords.
        assert!(getrandom::fill(bytes).is_ok(), "the system gives no random bytes");
    }

    fn now(&mut self) -> (i64, u32) {
        let now = self.clock.now();
        (now.as_second(), u32::try_from(now.subsec_nanosecond()).unwrap_or(0))
    }

    fn local_zone(&mut self, unix: i64) -> (i32, String) {
        let moment = jiff::Timestamp::from_second(unix).unwrap_or(jiff::Timestamp::UNIX_EPOCH);
        let info = self.zone.to_offset_info(moment);
        (info.offset().seconds(), info.abbreviation().to_owned())
    }

    fn read_file(&mut self, path: &str) -> Result<Vec<u8>, String> {
        let read = || std::fs::read(path).map_err(|error| format!("open {path}: {}", super::source::in_go_words(&error)));
        self.files.entry(path.to_owned()).or_insert_with(read).clone()
    }

    /// A rendering runs in a thread of its own, outside the program's runtime.
    fn fetch_schema(&mut self, url: &str) -> Result<Vec<u8>, String> {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().map_err(|error| error.to_string())?;
        let fetched = runtime.block_on(Client::default().get(url, MAX_SCHEMA));
        fetched.map_err(|error| error.to_string())
    }

    fn warn(&mut self, text: &str) {
        eprintln!("{text}");
    }
}
