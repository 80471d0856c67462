//! The binary as people run it.

use std::path::Path;
use std::process::{Command, Output};

use serde_json::Value;

/// The binary's command in a folder, with nothing of this process's environment.
pub(crate) fn meshform(folder: &Path, args: &str) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_meshform"));
    command.args(args.split_whitespace()).current_dir(folder).env_clear();
    command.env("HOME", folder).env("NO_COLOR", "1").env("COLUMNS", "110");
    command
}

/// What a run printed, and how it ended.
#[derive(Debug)]
pub(crate) struct Ran {
    pub(crate) args: String,
    pub(crate) code: Option<i32>,
    pub(crate) stdout: String,
    pub(crate) stderr: String,
}

impl Ran {
    pub(crate) fn of(args: &str, output: Output) -> Self {
        let text = |bytes: Vec<u8>| String::from_utf8_lossy(&bytes).into_owned();
        Self { args: args.to_owned(), code: output.status.code(), stdout: text(output.stdout), stderr: text(output.stderr) }
    }

    /// Checks the exit code.
    #[track_caller]
    pub(crate) fn ends_with(self, code: i32) -> Self {
        assert_eq!(self.code, Some(code), "meshform {}\n--- stdout\n{}\n--- stderr\n{}", self.args, self.stdout, self.stderr);
        self
    }

    /// Checks that stdout holds a text.
    #[track_caller]
    pub(crate) fn says(self, text: &str) -> Self {
        assert!(self.stdout.contains(text), "meshform {} doesn't say {text:?}\n{}\n{}", self.args, self.stdout, self.stderr);
        self
    }

    /// The output as JSON.
    #[track_caller]
    pub(crate) fn json(&self) -> Value {
        serde_json::from_str(&self.stdout).unwrap_or_else(|error| panic!("meshform {}: {error}\n{}", self.args, self.stdout))
    }
}
