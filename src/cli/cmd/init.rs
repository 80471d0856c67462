//! `init`

mod draft;
mod questions;

use std::fs::OpenOptions;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use crate::cli::args::init::InitArgs;
use crate::cli::context::{self, Context, SANDBOX_ACCOUNT};
use crate::cli::exit::Exit;
use crate::cli::report;
use crate::diag::{Diagnostics, Sources};
use crate::stack::{self, File, Files, Vars};

pub(in crate::cli) fn run(context: &Context, args: &InitArgs) -> Exit {
    let mut answers = args.clone();
    if context.sandbox.is_some() {
        for_the_sandbox(&mut answers);
    }
    if context.is_interactive && context.sandbox.is_none() {
        questions::ask(&mut answers);
    }
    let missing: Vec<&str> = [("--stack", &answers.stack), ("--domain", &answers.domain), ("--region", &answers.region)]
        .into_iter()
        .filter(|(_, answer)| answer.as_ref().is_none_or(String::is_empty))
        .map(|(flag, _)| flag)
        .collect();
    if !missing.is_empty() {
        let help =
            format!("give {}; on a terminal `meshform init` asks for them, and `meshform init --sandbox` needs none", missing.join(", "));
        return report::usage("there are no answers to make a stack of", &help);
    }
    let path = file_of(&answers);
    if path.exists() {
        return report::usage(&format!("{} is there already", path.display()), "init writes new files only: name another one");
    }
    let text = draft::text(&answers);
    if !is_valid(context, &path, &text) {
        eprintln!("Nothing was written.");
        return Exit::Failed;
    }
    if let Err(error) = write(&path, &text) {
        eprintln!("error: {} can't be written: {error}", path.display());
        return Exit::Failed;
    }
    let sandbox = if context.sandbox.is_some() { " --sandbox" } else { "" };
    println!("Wrote {}. What it would make: meshform plan {}{sandbox}", path.display(), path.display());
    Exit::Done
}

/// What needs no answer in the sandbox: its account, its cluster, and a domain of its zone.
fn for_the_sandbox(answers: &mut InitArgs) {
    let own = |answer: &mut Option<String>, text: &str| _ = answer.get_or_insert_with(|| text.to_owned());
    own(&mut answers.stack, "shop");
    if answers.domain.is_none() {
        own(&mut answers.domain, "shop.example.com");
        own(&mut answers.zone, "example.com");
    }
    own(&mut answers.region, "eu-west-1");
    own(&mut answers.account, SANDBOX_ACCOUNT);
    if answers.eks.is_none() && answers.kubeconfig.is_none() && answers.context.is_none() {
        own(&mut answers.eks, "demo");
        if answers.tls_secrets.is_empty() {
            answers.tls_secrets.push("istio-ingress/istio-gateway-cert".to_owned());
        }
    }
}

fn file_of(answers: &InitArgs) -> PathBuf {
    let is_file = answers.path.extension().is_some_and(|extension| extension == "yaml" || extension == "yml");
    if is_file { answers.path.clone() } else { answers.path.join(format!("{}.yaml", answers.stack.as_deref().unwrap_or_default())) }
}

/// Whether the text is a stack; what is wrong with an answer is told as of any stack.
fn is_valid(context: &Context, path: &Path, text: &str) -> bool {
    let (mut sources, mut diags) = (Sources::default(), Diagnostics::default());
    let name: Arc<str> = Arc::from(path.display().to_string());
    let stack = File::read(&name, text.as_bytes(), &mut sources, &mut diags)
        .and_then(|file| stack::parse(&Files { files: vec![file] }, &mut diags))
        .and_then(|file| stack::check(&file, &Vars::default(), &mut sources, &mut diags))
        .and_then(|stack| context::graph(&stack, Vec::new(), &mut sources, &mut diags));
    report::diagnostics(&diags, &sources, context.style());
    stack.is_ok()
}

fn write(path: &Path, text: &str) -> std::io::Result<()> {
    if let Some(folder) = path.parent() {
        std::fs::create_dir_all(folder)?;
    }
    // What appeared in the meantime is not overwritten either.
    OpenOptions::new().write(true).create_new(true).open(path)?.write_all(text.as_bytes())
}
