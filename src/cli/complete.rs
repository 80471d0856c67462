//! Completion that knows the stacks of the folder, and the addresses of the stack that stands on the command line. The scripts of the shells
//! ask the program itself, which answers from the files alone: no variable is asked for, nothing is said, and no world is looked at.

use std::collections::BTreeSet;
use std::ffi::OsStr;
use std::path::Path;

use clap::CommandFactory as _;
use clap_complete::engine::{CompletionCandidate, PathCompleter, ValueCompleter as _};
use clap_complete::env::{CompleteEnv, Shells};

use super::args::Cli;
use super::exit::Exit;
use crate::clock::Clock;
use crate::diag::{Diagnostics, Sources};
use crate::source::stack_files;
use crate::stack::{self, StateLocation, Vars};
use crate::store::Store as _;
use crate::store::local::LocalStore;

/// The variable by which a shell's script asks.
const VARIABLE: &str = "MESHFORM_COMPLETE";

/// Answers a shell that asks; gives nothing when none does.
pub(super) fn answer() -> Option<Exit> {
    std::env::var_os(VARIABLE)?;
    let folder = std::env::current_dir().ok();
    match CompleteEnv::with_factory(Cli::command).var(VARIABLE).try_complete(std::env::args_os(), folder.as_deref()) {
        Ok(true) => Some(Exit::Done),
        Ok(false) => None,
        Err(_) => Some(Exit::Usage),
    }
}

/// The script of a shell.
pub(super) fn script(shell: clap_complete::Shell) -> Option<String> {
    let mut script = Vec::new();
    let shells = Shells::builtins();
    shells.completer(&shell.to_string())?.write_registration(VARIABLE, "meshform", "meshform", "meshform", &mut script).ok()?;
    String::from_utf8(script).ok()
}

/// Stacks: those under stacks/ by their names, and files.
pub(super) fn stacks(current: &OsStr) -> Vec<CompletionCandidate> {
    let begun = current.to_string_lossy();
    let is_stack = |path: &Path| path.extension().is_some_and(|extension| extension == "yaml" || extension == "yml");
    let mut names = BTreeSet::new();
    for entry in std::fs::read_dir("stacks").into_iter().flatten().flatten() {
        let path = entry.path();
        if is_stack(&path) {
            names.extend(path.file_stem().and_then(OsStr::to_str).filter(|name| name.starts_with(&*begun)).map(ToOwned::to_owned));
        }
    }
    let files = PathCompleter::any().filter(move |path| path.is_dir() || is_stack(path)).complete(current);
    names.into_iter().map(CompletionCandidate::new).chain(files).collect()
}

/// Addresses of the stack on the command line, and of its state.
pub(super) fn addresses(current: &OsStr) -> Vec<CompletionCandidate> {
    let begun = current.to_string_lossy();
    // The script passes the command line behind a `--`.
    let words: Vec<String> =
        std::env::args_os().skip_while(|word| word != "--").skip(2).filter_map(|word| word.into_string().ok()).collect();
    let known = words.iter().filter(|word| !word.starts_with('-')).find_map(|word| addresses_of(word)).unwrap_or_default();
    known.into_iter().filter(|addr| addr.starts_with(&*begun)).map(CompletionCandidate::new).collect()
}

/// What a stack and its state know; nothing for a word that names no stack.
fn addresses_of(word: &str) -> Option<BTreeSet<String>> {
    let (mut sources, mut diags) = (Sources::default(), Diagnostics::default());
    let files = stack_files::load(word, &mut sources, &mut diags).ok()?;
    let file = stack::parse(&files, &mut diags).ok()?;
    let env = std::env::vars_os().filter_map(|(key, value)| Some((key.into_string().ok()?, value.into_string().ok()?)));
    let vars = Vars { env: env.filter(|(key, _)| key.starts_with(stack::ENV_PREFIX)).collect(), ..Vars::default() };
    let mut addrs = BTreeSet::new();
    // Of a stack whose variables stand on the command line, or that is being written, the state is known all the same.
    let head = match stack::check(&file, &vars, &mut sources, &mut diags) {
        Ok(stack) => {
            let (graph, _) = super::context::graph(&stack, Vec::new(), &mut sources, &mut diags).unwrap_or_default();
            addrs.extend(graph.resources().map(|resource| resource.addr.to_string()));
            stack
        }
        Err(_) => stack::check_head(&file, &vars, &mut sources, &mut Diagnostics::default()).ok()?,
    };
    let StateLocation::Local { path } = &head.state;
    let state = LocalStore::new(Path::new(path), &head.name, Clock::real()).read().unwrap_or_default();
    addrs.extend(state.resources.keys().map(ToString::to_string));
    Some(addrs)
}
