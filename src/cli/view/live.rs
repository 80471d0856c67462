//! Progress for people: one live line on a terminal, plain lines elsewhere. All of it is talk, on stderr.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::time::Duration;

use indicatif::{ProgressBar, ProgressStyle};
use jiff::Timestamp;

use super::paint::Paint;
use crate::addr::Addr;
use crate::apply::{Applied, Progress};
use crate::clock::Clock;
use crate::plan::Action;

/// Shows a run.
pub(crate) struct Live {
    paint: Paint,
    clock: Clock,
    bar: Option<ProgressBar>,
    total: usize,
    done: usize,
    began: BTreeMap<Addr, Timestamp>,
    waiting: BTreeMap<Addr, String>,
}

impl Live {
    /// Begins; the live line only for a person at a terminal.
    pub(crate) fn begin(total: usize, is_live: bool, paint: Paint, clock: Clock) -> Self {
        let bar = is_live.then(|| {
            let bar = ProgressBar::new_spinner();
            if let Ok(style) = ProgressStyle::with_template("{spinner} {msg}") {
                bar.set_style(style);
            }
            bar.enable_steady_tick(Duration::from_millis(120));
            bar
        });
        Self { paint, clock, bar, total, done: 0, began: BTreeMap::new(), waiting: BTreeMap::new() }
    }

    /// Takes one step of progress.
    pub(crate) fn take(&mut self, progress: &Progress) {
        match progress {
            Progress::Started { addr, .. } => {
                let now = self.clock.now();
                self.began.entry(addr.clone()).or_insert(now);
            }
            Progress::Waiting { addr, what, limit } => {
                let is_new = self.waiting.insert(addr.clone(), what.clone()).as_ref() != Some(what);
                if is_new && self.bar.is_none() {
                    self.say(&format!("  {} {addr}  waits for {what} (up to {})", self.paint.cyan("…"), short(*limit)));
                }
            }
            Progress::Done { addr, action } => {
                self.done += 1;
                self.waiting.remove(addr);
                let took = self.took(addr);
                self.began.remove(addr);
                self.say(&format!("  {} {addr}  {}{took}", self.paint.green("✓"), past(*action)));
            }
            Progress::Failed { addr, error } => {
                self.waiting.remove(addr);
                let mut text = format!("  {} {addr}  failed: {error}", self.paint.red("✗"));
                if let Some(help) = error.help() {
                    let _ = write!(text, "\n      = help: {help}");
                }
                self.say(&text);
            }
            Progress::Skipped { addr, because } => {
                self.waiting.remove(addr);
                self.say(&format!("  {} {addr}  skipped, because of {because}", self.paint.yellow("»")));
            }
            Progress::ManualRecords { addr, records } => {
                let mut text = format!("  {} {addr}  write these records into the public DNS, and leave them there:", self.paint.bold("!"));
                for record in records {
                    let _ = write!(text, "\n      {}.  300  IN  CNAME  {}.", record.name, record.value);
                }
                self.say(&text);
            }
            Progress::Note(note) => self.say(&format!("  {} {note}", self.paint.cyan("note:"))),
        }
        self.refresh();
    }

    /// Ends the live line.
    pub(crate) fn end(self) {
        if let Some(bar) = self.bar {
            bar.finish_and_clear();
        }
    }

    fn say(&self, text: &str) {
        match &self.bar {
            Some(bar) => bar.println(text),
            None => eprintln!("{text}"),
        }
    }

    fn refresh(&self) {
        let Some(bar) = &self.bar else { return };
        let mut line = format!("{}/{} done", self.done, self.total);
        if let Some((addr, what)) = self.waiting.iter().next() {
            let more = if self.waiting.len() > 1 { format!(" (and {} more)", self.waiting.len() - 1) } else { String::new() };
            let _ = write!(line, "; {addr} waits for {what}{more}");
        }
        bar.set_message(line);
    }

    fn took(&self, addr: &Addr) -> String {
        let Some(began) = self.began.get(addr) else { return String::new() };
        let took = Duration::try_from(self.clock.now().duration_since(*began)).unwrap_or_default();
        if took < Duration::from_secs(1) { String::new() } else { self.paint.dim(&format!(" after {}", short(took))) }
    }
}

fn past(action: Action) -> &'static str {
    match action {
        Action::NoOp => "unchanged",
        Action::Read => "is ready",
        Action::Create => "created",
        Action::Adopt => "adopted",
        Action::Update => "updated",
        Action::Replace => "replaced",
        Action::Restart => "restarted",
        Action::Move => "moved",
        Action::Restore => "restored",
        Action::Release => "released",
        Action::Delete => "deleted",
    }
}

/// A duration in its largest units.
pub(crate) fn short(duration: Duration) -> String {
    let seconds = duration.as_secs();
    match seconds {
        0..=119 => format!("{seconds}s"),
        120..=7199 if seconds.is_multiple_of(60) => format!("{}m", seconds / 60),
        120..=7199 => format!("{}m {}s", seconds / 60, seconds % 60),
        _ => format!("{}h {}m", seconds / 3600, seconds % 3600 / 60),
    }
}

/// The sum of a run in one line.
pub(crate) fn sum(applied: &Applied) -> String {
    let mut parts: Vec<String> = applied.done.iter().map(|(action, addrs)| format!("{} {}", addrs.len(), past(*action))).collect();
    for (count, word) in [
        (applied.failed.len(), "failed"),
        (applied.skipped.len(), "skipped"),
        (applied.waiting.len(), "still waiting"),
        (applied.not_begun.len(), "not begun"),
    ] {
        if count > 0 {
            parts.push(format!("{count} {word}"));
        }
    }
    if parts.is_empty() { "nothing done".into() } else { parts.join(", ") }
}
