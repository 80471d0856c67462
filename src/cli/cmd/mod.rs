//! One file per command.

pub(super) mod apply;
pub(super) mod chart;
pub(super) mod config;
pub(super) mod drift;
pub(super) mod explain;
pub(super) mod graph;
pub(super) mod history;
pub(super) mod init;
pub(super) mod man;
pub(super) mod output;
pub(super) mod ownership;
pub(super) mod permissions;
pub(super) mod plan;
pub(super) mod render;
pub(super) mod rotate;
pub(super) mod sandbox;
pub(super) mod schema;
pub(super) mod show;
pub(super) mod state;
pub(super) mod template;
pub(super) mod validate;

use super::complete;
use super::exit::Exit;

/// `completions`
pub(super) fn completions(shell: clap_complete::Shell) -> Exit {
    let Some(script) = complete::script(shell) else { return Exit::Internal };
    print!("{script}");
    Exit::Done
}

/// `version`
pub(super) fn version(json: bool) -> Exit {
    if json {
        let version = serde_json::json!({
            "version": env!("CARGO_PKG_VERSION"),
            "state_format": crate::state::format::VERSION,
            "plan_format": super::view::json::FORMAT_VERSION,
        });
        println!("{version}");
    } else {
        println!("meshform {}", env!("CARGO_PKG_VERSION"));
    }
    Exit::Done
}
