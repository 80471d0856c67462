//! Output whose reader may go: `meshform apply | head` must not end an apply half-way. A closed pipe makes the rest of the output vanish,
//! and nothing else. The macros stand under the standard ones' names, so that no command can print in another way.

use std::fmt::Arguments;
use std::io::{ErrorKind, Write};

/// Writes to standard output; what nobody reads is dropped.
pub(super) fn stdout(text: Arguments<'_>) {
    write(std::io::stdout().lock(), text);
}

/// Writes to standard error; what nobody reads is dropped.
pub(super) fn stderr(text: Arguments<'_>) {
    write(std::io::stderr().lock(), text);
}

fn write(mut out: impl Write, text: Arguments<'_>) {
    let Err(error) = out.write_fmt(text).and_then(|()| out.flush()) else { return };
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
