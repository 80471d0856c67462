//! Output whose reader may go: `meshform apply | head` must not end an apply half-way. A closed pipe makes the rest of the output vanish,
//! and nothing else. The macros stand under the standard ones' names, so that no command can print in another way.

use std::fmt::Arguments;
use std::io::{ErrorKind, Write};

/// Writes to standard output; what nobody reads is dropped.
pub(super) fn stdout(text: Arguments<'_>) {
    write(std::io::stdout().lock(), text);
}

/// Writes bytes as they are to standard output: what of a chart is printed need be no text.
pub(super) fn bytes(data: &[u8]) {
    let mut out = std::io::stdout().lock();
    finish(out.write_all(data).and_then(|()| out.flush()));
}

/// Writes to standard error; what nobody reads is dropped.
pub(super) fn stderr(text: Arguments<'_>) {
    write(std::io::stderr().lock(), text);
}

fn write(mut out: impl Write, text: Arguments<'_>) {
    finish(out.write_fmt(text).and_then(|()| out.flush()));
}

fn finish(written: std::io::Result<()>) {
    let Err(error) = written else { return };
    // Neither a closed pipe nor a full disk under the output is a reason to leave work half done; the second is worth a word.
    if error.kind() != ErrorKind::BrokenPipe {
        let _ = writeln!(std::io::stderr(), "warning: the output can't be written: {error}");
    }
}

macro_rules! println {
    () => { $crate::cli::out::stdout(format_args!("\n")) };
    ($($text:tt)*) => { $crate::cli::out::stdout(format_args!("{}\n", format_args!($($text)*))) };
}

macro_rules! print {
    ($($text:tt)*) => { $crate::cli::out::stdout(format_args!($($text)*)) };
}

macro_rules! eprintln {
    ($($text:tt)*) => { $crate::cli::out::stderr(format_args!("{}\n", format_args!($($text)*))) };
}

macro_rules! eprint {
    ($($text:tt)*) => { $crate::cli::out::stderr(format_args!($($text)*)) };
}
