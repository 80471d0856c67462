//! The log, on stderr. Targets that could show a request's body never go above debug, whatever the environment says.

use tracing::Level;
use tracing_subscriber::filter::{EnvFilter, LevelFilter, filter_fn};
use tracing_subscriber::layer::{Layer as _, SubscriberExt as _};
use tracing_subscriber::util::SubscriberInitExt as _;

/// Crates whose trace output holds headers or bodies.
const CAPPED: [&str; 8] = ["aws_", "hyper", "h2", "rustls", "kube", "tower", "reqwest", "tonic"];

/// Starts the log: by MESHFORM_LOG, else by the number of `-v`.
pub(super) fn start(verbose: u8) {
    let default = match verbose {
        0 => "meshform=warn",
        1 => "meshform=info",
        2 => "meshform=debug,info",
        _ => "trace",
    };
    let filter = std::env::var("MESHFORM_LOG").ok().filter(|text| !text.is_empty()).unwrap_or_else(|| default.to_owned());
    let filter = EnvFilter::builder().with_default_directive(LevelFilter::WARN.into()).parse_lossy(filter);
    let is_safe = filter_fn(|metadata| {
        let is_capped = CAPPED.iter().any(|prefix| metadata.target().starts_with(prefix));
        !is_capped || *metadata.level() <= Level::DEBUG
    });
    let lines = tracing_subscriber::fmt::layer().with_writer(std::io::stderr).with_ansi(false).with_filter(is_safe);
    // A second start, as in tests, keeps the first.
    let _ = tracing_subscriber::registry().with(filter).with(lines).try_init();
}
