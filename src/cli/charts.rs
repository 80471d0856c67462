//! Charts for the commands: where archives are kept, who is let in, what stands in.

use std::path::{Path, PathBuf};
use std::time::Instant;

use super::context::Context;
use crate::diag::{Diagnostics, Failed};
use crate::provider::aws::ecr;
use crate::render::charts::ChartFiles;
use crate::sandbox::charts::stand_in;
use crate::source::chart::login::{Asked, Logins, Unasked};
use crate::source::chart::{ChartSourceError, Charts};
use crate::source::chart_files::{self, StandIns};
use crate::stack::charts::Release;

/// The folder where archives are kept.
fn cache() -> PathBuf {
    let variable = |name: &str| std::env::var_os(name).filter(|value| !value.is_empty()).map(PathBuf::from);
    variable("MESHFORM_CHART_CACHE")
        .or_else(|| variable("XDG_CACHE_HOME").map(|folder| folder.join("meshform/charts")))
        .or_else(|| variable("HOME").map(|home| home.join(".cache/meshform/charts")))
        .unwrap_or_else(|| PathBuf::from(".meshform/charts"))
}

/// ECR's registries let in who has an AWS session.
struct AwsSession;

impl Logins for AwsSession {
    fn login<'a>(&'a self, host: &'a str) -> Asked<'a> {
        Box::pin(async move {
            let Some(registry) = ecr::Registry::of_host(host) else { return Ok(None) };
            let login = ecr::login(&registry).await.map_err(|error| Unasked {
                why: format!("the AWS session gives none: {error}"),
                help: error.help().unwrap_or_else(|| format!("`docker login {host}` writes one")),
            })?;
            Ok(Some(login))
        })
    }
}

/// What fetches charts. The sandbox has no registries: with it no AWS session is asked.
pub(super) fn fetcher(context: &Context, lock: &Path) -> Result<Charts, ChartSourceError> {
    let charts = Charts::new(&cache(), lock)?;
    Ok(if context.sandbox.is_some() { charts } else { charts.with_logins(Box::new(AwsSession)) })
}

/// What says that the sandbox's stand-ins are taken even where the official charts could be reached.
const ALWAYS: &str = "MESHFORM_SANDBOX_STAND_INS";

/// Brings the charts of a stack, and says what stands in. Their lock file stands beside the stack.
pub(super) async fn load(
    context: &Context,
    releases: &[Release],
    stack: &str,
    diags: &mut Diagnostics,
) -> Result<(ChartFiles, Option<String>), Failed> {
    let began = Instant::now();
    let lock = Path::new(stack).parent().unwrap_or(Path::new("")).join("meshform.lock");
    let charts = match fetcher(context, &lock) {
        Ok(charts) => charts,
        Err(error) => {
            eprintln!("error: {error}");
            if let Some(help) = error.help() {
                eprintln!("  = help: {help}");
            }
            return Err(Failed);
        }
    };
    let always = std::env::var_os(ALWAYS).is_some_and(|value| value == "1");
    let stand_ins = context.sandbox.is_some().then_some(StandIns { find: stand_in, always });
    let (files, stood_in) = match stand_ins {
        None => chart_files::load(releases, &charts, None, diags).await?,
        // The sandbox's time doesn't pass while the network is waited for.
        Some(stand_ins) => in_real_time(|| chart_files::load(releases, &charts, Some(stand_ins), diags))?,
    };
    tracing::info!(releases = releases.len(), microseconds = began.elapsed().as_micros(), "charts were read");
    let names = stood_in.join(", ");
    let note = format!("stand-ins take the place of Istio's charts {names}: the sandbox's own, small, and nothing that works");
    Ok((files, (!stood_in.is_empty()).then_some(note)))
}

fn in_real_time<F: Future<Output = Result<T, Failed>>, T: Send>(work: impl FnOnce() -> F + Send) -> Result<T, Failed> {
    let run = || tokio::runtime::Builder::new_current_thread().enable_all().build().map_err(|_| Failed)?.block_on(work());
    std::thread::scope(|scope| scope.spawn(run).join().unwrap_or(Err(Failed)))
}

/// What dice start from.
pub(super) fn seed() -> [u8; 32] {
    let mut seed = [0; 32];
    // Passwords without dice would be no passwords.
    assert!(getrandom::fill(&mut seed).is_ok(), "the system gives no random bytes");
    seed
}
