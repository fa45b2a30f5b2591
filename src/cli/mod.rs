//! The command line: arguments in, bytes and an exit code out. Only this room prints and reads the environment.

pub mod agent_args;
pub mod args;
pub mod cluster_args;
mod commands;
mod complete;
mod config;
mod defaults;
#[cfg(test)]
mod docs;
mod files;
pub mod format;
mod picker;
mod settings;
mod source;
mod targets;
mod types;
mod ui;
mod words;
pub mod words_args;

use std::ffi::OsString;

use clap::error::ErrorKind;
use clap::{CommandFactory as _, Parser as _};

use self::args::{Cli, Command};
use self::config::Config;
use self::ui::Ui;
use crate::failure::{Exit, Failure};

/// Runs the program with the process's arguments and returns its exit code.
pub fn run() -> Exit {
    let words: Vec<OsString> = std::env::args_os().collect();
    if let Some(typed) = complete::asked(&words) {
        return complete::run(&typed);
    }
    let words = types::split(words);
    let matches = match Cli::command().try_get_matches_from(&words) {
        Ok(matches) => matches,
        Err(error) => return refuse(&error),
    };
    let (config, trouble) =
        Config::load().map_or_else(|trouble| (Config::default(), Some(trouble)), |config| (config, None));
    let (words, mut troubles) = defaults::add(&words, &matches, &config);
    troubles.extend(trouble);
    let cli = match Cli::try_parse_from(words) {
        Ok(cli) => cli,
        Err(error) => return refuse(&error),
    };
    let mut ui = Ui::new(cli.verbosity()).plain(cli.no_color);
    for trouble in troubles {
        ui.warning(&trouble);
    }
    match dispatch(cli, &mut ui) {
        Ok(exit) => exit,
        Err(failure) => {
            ui.failure(&failure);
            failure.exit
        }
    }
}

fn dispatch(cli: Cli, ui: &mut Ui) -> Result<Exit, Failure> {
    match cli.command {
        Command::Object(object) => commands::examine::object(&cli.cluster, &object, ui),
        Command::Namespace(args) => commands::examine::namespace(&cli.cluster, &args, ui),
        Command::Limits(args) => commands::limits::run(&cli.cluster, &args, ui),
        Command::Capture(args) => commands::capture::run(&cli.cluster, &args, ui),
        Command::Rbac(args) => commands::rbac::run(&cli.cluster, &args, ui),
        Command::Cleanup(args) => commands::cleanup::run(&cli.cluster, &args, ui),
        Command::Agent(args) => commands::agent::run(&cli.cluster, &args, ui),
        Command::Explain(args) => commands::explain::run(&args, ui),
        Command::Demo(args) => commands::demo::run(&args, ui),
        Command::Completion(args) => commands::completion::run(&args, ui),
        Command::Config(args) => commands::config::run(&cli.cluster, &args, ui),
        Command::Version(args) => commands::version::run(&cli.cluster, &args, ui),
    }
}

/// Prints help to stdout and errors of usage to stderr.
fn refuse(error: &clap::Error) -> Exit {
    match error.kind() {
        ErrorKind::DisplayHelp | ErrorKind::DisplayVersion => {
            // Nothing can be done if the terminal is gone.
            _ = error.print();
            Exit::Examined
        }
        ErrorKind::DisplayHelpOnMissingArgumentOrSubcommand => {
            _ = error.print();
            Exit::Usage
        }
        _ => {
            Ui::new(0).failure(&misuse(&error.render().to_string()));
            Exit::Usage
        }
    }
}

/// Rewords clap's paragraphs as one line and hints, as all other failures have them.
fn misuse(text: &str) -> Failure {
    let mut paragraphs = text.split("\n\n").map(|paragraph| paragraph.split_whitespace().collect::<Vec<_>>().join(" "));
    let message = paragraphs.next().unwrap_or_default();
    let failure = Failure::usage(message.strip_prefix("error: ").unwrap_or(&message));
    paragraphs.fold(failure, |failure, paragraph| match paragraph.split_once(": ") {
        Some(("tip", tip)) => failure.hint(tip),
        Some(("Usage", usage)) => failure.hint(usage),
        _ if paragraph.starts_with("For more information") => failure.hint("`--help` tells more"),
        _ => failure,
    })
}
