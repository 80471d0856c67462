//! The command line as pages: one in Markdown for the documentation, and man pages. All of it follows from the arguments' own help.

use std::fmt::Write as _;

use clap::builder::StyledStr;
use clap::{Arg, Command};

/// The whole command line as one Markdown page, which is docs/cli.md.
pub(super) fn markdown(mut root: Command) -> String {
    root.build();
    let mut text = String::from(
        "# Command line\n\nMade by `meshform man --markdown`; a test holds it current. [Exit codes](exit-codes.md) have a page of their own.\n",
    );
    text.push_str("\n## Options of every command\n\n");
    table(root.get_arguments().filter(|arg| arg.is_global_set()), &mut text);
    for command in root.get_subcommands().filter(|command| command.get_name() != "help") {
        section(command, "meshform", 2, &mut text);
    }
    text
}

fn section(command: &Command, parent: &str, level: usize, text: &mut String) {
    let name = format!("{parent} {}", command.get_name());
    let _ = write!(text, "\n{} {name}\n\n{}.\n", "#".repeat(level), plain(command.get_about()));
    let commands: Vec<&Command> = command.get_subcommands().filter(|command| command.get_name() != "help").collect();
    if commands.is_empty() {
        let usage = command.clone().render_usage().to_string();
        let usage = usage.trim().trim_start_matches("Usage:").trim();
        let _ = write!(text, "\n```console\n$ {usage}\n```\n\n");
        table(command.get_arguments().filter(|arg| !arg.is_global_set()), text);
    }
    for command in commands {
        section(command, &name, level + 1, text);
    }
}

/// A table of arguments: positional ones first, as they stand in the usage.
fn table<'a>(args: impl Iterator<Item = &'a Arg>, text: &mut String) {
    let args: Vec<&Arg> = args.filter(|arg| !arg.is_hide_set() && !["help", "version"].contains(&arg.get_id().as_str())).collect();
    if args.is_empty() {
        return;
    }
    text.push_str("| argument | what it is |\n|---|---|\n");
    let positional = args.iter().filter(|arg| arg.is_positional());
    for arg in positional.chain(args.iter().filter(|arg| !arg.is_positional())) {
        let _ = writeln!(text, "| {} | {} |", name(arg), cell(arg));
    }
}

fn name(arg: &Arg) -> String {
    let value = || arg.get_value_names().and_then(|names| names.first()).map(ToString::to_string).unwrap_or_default();
    if arg.is_positional() {
        return format!("`{}`", value());
    }
    let mut name = String::from("`");
    if let Some(short) = arg.get_short() {
        let _ = write!(name, "-{short}`, `");
    }
    let _ = write!(name, "--{}", arg.get_long().unwrap_or_default());
    if arg.get_action().takes_values() {
        let _ = write!(name, " {}", value());
    }
    name + "`"
}

fn cell(arg: &Arg) -> String {
    let mut cell = plain(arg.get_help());
    let values: Vec<String> = if arg.get_action().takes_values() { arg.get_possible_values() } else { Vec::new() }
        .iter()
        .filter(|value| !value.is_hide_set())
        .map(|value| {
            let help = plain(value.get_help());
            let says_more = !help.is_empty() && !help.eq_ignore_ascii_case(value.get_name());
            if says_more { format!("`{}` ({})", value.get_name(), small(&help)) } else { format!("`{}`", value.get_name()) }
        })
        .collect();
    if !values.is_empty() {
        let _ = write!(cell, ": {}", values.join(", "));
    }
    let defaults: Vec<String> = arg.get_default_values().iter().map(|value| format!("`{}`", value.to_string_lossy())).collect();
    if !defaults.is_empty() && arg.get_action().takes_values() {
        let _ = write!(cell, "; by default {}", defaults.join(", "));
    }
    if let Some(variable) = arg.get_env() {
        let _ = write!(cell, "; also by `{}`", variable.to_string_lossy());
    }
    cell.replace('|', "\\|")
}

/// With a small letter first, as within a sentence; names in capitals stay.
fn small(text: &str) -> String {
    let mut letters = text.chars();
    match (letters.next(), letters.clone().next()) {
        (Some(first), Some(second)) if !second.is_uppercase() => format!("{}{}", first.to_lowercase(), letters.as_str()),
        _ => text.to_owned(),
    }
}

fn plain(text: Option<&StyledStr>) -> String {
    text.map(ToString::to_string).unwrap_or_default().replace('\n', " ").trim_end_matches('.').to_owned()
}

/// A man page for the program and one for each command: file name and roff.
pub(super) fn pages(mut root: Command) -> std::io::Result<Vec<(String, Vec<u8>)>> {
    root.build();
    let mut pages = Vec::new();
    collect(&root, "", &mut pages)?;
    Ok(pages)
}

fn collect(command: &Command, parent: &str, pages: &mut Vec<(String, Vec<u8>)>) -> std::io::Result<()> {
    let name = if parent.is_empty() { command.get_name().to_owned() } else { format!("{parent}-{}", command.get_name()) };
    let mut page = Vec::new();
    clap_mangen::Man::new(command.clone()).render(&mut page)?;
    pages.push((format!("{name}.1"), page));
    for command in command.get_subcommands().filter(|command| command.get_name() != "help" && !command.is_hide_set()) {
        collect(command, &name, pages)?;
    }
    Ok(())
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use clap::CommandFactory as _;

    use super::*;
    use crate::cli::args::Cli;

    #[test]
    fn the_page_in_the_documentation_is_current() {
        let page = include_str!("../../docs/cli.md");
        assert!(page == markdown(Cli::command()), "write it anew: meshform man --markdown > docs/cli.md");
    }

    #[test]
    fn every_command_and_argument_has_help() {
        fn check(command: &Command) {
            assert!(command.get_about().is_some(), "{}", command.get_name());
            for arg in command.get_arguments().filter(|arg| !arg.is_hide_set()) {
                assert!(arg.get_help().is_some(), "{} {}", command.get_name(), arg.get_id());
            }
            command.get_subcommands().for_each(check);
        }
        let mut root = Cli::command();
        root.build();
        check(&root);
    }

    #[test]
    fn there_is_a_man_page_for_each_command() {
        let pages = pages(Cli::command()).unwrap();
        let names: Vec<&str> = pages.iter().map(|(name, _)| name.as_str()).collect();
        for name in ["meshform.1", "meshform-plan.1", "meshform-state-rm.1"] {
            assert!(names.contains(&name), "{names:?}");
        }
        for (name, page) in &pages {
            let text = str::from_utf8(page).unwrap();
            assert!(text.contains(".SH NAME") && text.contains(".SH SYNOPSIS"), "{name}");
        }
    }
}
