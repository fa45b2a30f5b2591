//! docs/cli.md and docs/kubectl-rca.1, made from the arguments.
//!
//! `UPDATE_DOCS=1 cargo test --lib docs` writes them anew.

use std::fmt::Write as _;

use clap::{Command, CommandFactory as _};

use super::args::Cli;
use crate::render::docs::tests::assert_current;

/// Columns of the help as it stands on a page.
const WIDTH: usize = 100;
/// Where the flags begin that every command has.
const SHARED: &str = "\nCluster options:";

const HEAD: &str = "\
<!-- Made from src/cli/args.rs. To make it anew: UPDATE_DOCS=1 cargo test --lib docs -->
# Commands and flags

What `kubectl rca COMMAND --help` tells, in one page. The [cluster options](#kubectl-rca) belong to every command.

";

const EXIT_CODES: &[(&str, &str)] = &[
    ("0", "the scope was examined, whatever was found"),
    ("1", "with --exit-code: incidents at or above --fail-on"),
    ("2", "the command line makes no sense"),
    ("3", "the cluster could not be reached or refused everything, or an input cannot be read"),
    ("4", "the named object does not exist"),
    ("5", "with --require-complete: something could not be read"),
    ("6", "the agent could not start or finish"),
    ("7", "with --llm require: no model's words"),
    ("70", "a bug"),
    ("130", "interrupted"),
];

fn built() -> Command {
    let mut command = Cli::command().term_width(WIDTH).max_term_width(WIDTH);
    command.build();
    command
}

fn visible(command: &Command) -> Vec<String> {
    let commands = command.get_subcommands().filter(|command| !command.is_hide_set());
    commands.map(|command| command.get_name().to_owned()).collect()
}

fn page() -> String {
    let mut command = built();
    let mut page = format!("{HEAD}{}", section("kubectl rca", &command.render_long_help().to_string()));
    describe(&mut command, "kubectl rca", &mut page);
    page
}

fn describe(command: &mut Command, path: &str, page: &mut String) {
    for name in visible(command) {
        let Some(inner) = command.find_subcommand_mut(&name) else { continue };
        let path = format!("{path} {name}");
        let help = inner.render_long_help().to_string();
        let own = help.split_once(SHARED).map_or(&*help, |(own, _)| own);
        page.push_str(&section(&path, own));
        describe(inner, &path, page);
    }
}

fn section(title: &str, help: &str) -> String {
    let lines: Vec<&str> = help.lines().map(str::trim_end).collect();
    format!("## {title}\n\n```text\n{}\n```\n\n", lines.join("\n").trim_end())
}

/// Writes the manual page: what clap makes of the arguments, with the commands and exit codes as people look them up.
fn manual() -> String {
    let command = built();
    let man = clap_mangen::Man::new(command.clone()).title("KUBECTL-RCA").date("").manual("Kubernetes");
    let mut bytes = Vec::new();
    let written = man
        .render_title(&mut bytes)
        .and_then(|()| man.render_name_section(&mut bytes))
        .and_then(|()| man.render_synopsis_section(&mut bytes))
        .and_then(|()| man.render_description_section(&mut bytes))
        .and_then(|()| man.render_options_section(&mut bytes));
    written.expect("a Vec takes everything");
    let mut page = String::from_utf8(bytes).expect("a manual is text");
    page.push_str(".SH COMMANDS\n");
    for command in command.get_subcommands().filter(|command| !command.is_hide_set()) {
        let about = command.get_about().map(ToString::to_string).unwrap_or_default();
        writeln!(page, ".TP\n\\fB{}\\fR\n{}.", roff(command.get_name()), roff(&about))
            .expect("a String takes everything");
    }
    page.push_str("Flags of each: \\fBkubectl rca COMMAND \\-\\-help\\fR.\n.SH EXIT STATUS\n");
    for (code, meaning) in EXIT_CODES {
        writeln!(page, ".TP\n\\fB{code}\\fR\n{}.", roff(meaning)).expect("a String takes everything");
    }
    page
}

fn roff(text: &str) -> String {
    let text = text.replace('\\', "\\\\").replace('-', "\\-");
    if text.starts_with(['.', '\'']) { format!("\\&{text}") } else { text }
}

#[test]
fn the_page_of_commands_is_current() {
    assert_current("docs/cli.md", &page());
}

#[test]
fn the_manual_is_current() {
    assert_current("docs/kubectl-rca.1", &manual());
}
