//! Signals: the first stops with grace, the second at once.

use std::sync::Arc;
use std::sync::atomic::{AtomicU8, Ordering};

use tokio::signal::unix::{SignalKind, signal};

use super::exit::Exit;
use crate::apply::Stop;

/// Which signal came first.
#[derive(Clone, Default)]
pub(super) struct Caught(Arc<AtomicU8>);

impl Caught {
    /// The exit code of a run that was stopped.
    pub(super) fn exit(&self) -> Exit {
        if self.0.load(Ordering::SeqCst) == 15 { Exit::Terminated } else { Exit::Interrupted }
    }
}

/// Listens for SIGINT and SIGTERM: the first makes `stop` wished, the second ends the process at once, as the state can bear.
pub(super) fn listen(stop: &Stop) -> Caught {
    let caught = Caught::default();
    let (Ok(mut interrupt), Ok(mut terminate)) = (signal(SignalKind::interrupt()), signal(SignalKind::terminate())) else {
        return caught;
    };
    let (stop, seen) = (stop.clone(), caught.clone());
    tokio::spawn(async move {
        loop {
            let number = tokio::select! {
                _ = interrupt.recv() => 2,
                _ = terminate.recv() => 15,
            };
            if stop.is_wished() {
                eprintln!("stopped at once; the same command goes on where it was");
                leave(seen.exit());
            }
            seen.0.store(number, Ordering::SeqCst);
            eprintln!("stopping: running requests finish, waits end; once more to stop at once");
            stop.wish();
        }
    });
    caught
}

#[allow(clippy::exit)]
fn leave(exit: Exit) -> ! {
    std::process::exit(i32::from(exit.code()))
}
