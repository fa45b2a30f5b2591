//! Completion, by kubectl's protocol: the words behind `kubectl rca` come as arguments, the last being typed; a line a
//! candidate goes out, and `:4` for "no files".

mod line;
mod live;

use std::ffi::OsString;
use std::path::Path;

use clap::{Arg, Command};

use self::line::{Line, Place};
use self::live::Live;
use super::args::ObjectCommand;
use super::types;
use super::ui::Ui;
use crate::collect::discovery;
use crate::failure::Exit;
use crate::model::{Kind, Type};
use crate::render::safe;
use crate::rules;

/// The program's other name, by which kubectl calls it.
const HELPER: &str = "kubectl_complete-rca";
/// The command by which scripts call it.
const WORD: &str = "__complete";

/// No candidates are files.
const NO_FILES: u8 = 4;
/// Files are what is wanted.
const FILES: u8 = 0;
const FOLDERS: u8 = 16;

/// A word, and what it means.
type Candidate = (String, String);

/// Returns the words to complete, if that is what the program was called for.
pub(super) fn asked(words: &[OsString]) -> Option<Vec<String>> {
    let name = Path::new(words.first()?).file_stem()?;
    let from = if name == HELPER { 1 } else { 2 };
    let is_asked = name == HELPER || words.get(1).is_some_and(|word| word == WORD);
    is_asked.then(|| words.iter().skip(from).map(|word| word.to_string_lossy().into_owned()).collect())
}

/// Prints the candidates.
pub(super) fn run(typed: &[String]) -> Exit {
    let (candidates, directive) = complete(typed);
    let mut out = String::new();
    for (word, about) in candidates {
        // What could steer a terminal, or would be two words, is no name.
        if word.is_empty() || word.contains(|c: char| c.is_whitespace() || c.is_control()) {
            continue;
        }
        out.push_str(&word);
        if !about.is_empty() {
            out.push('\t');
            out.push_str(&safe::line(&about));
        }
        out.push('\n');
    }
    out.push_str(&format!(":{directive}\n"));
    match Ui::new(0).data(out.as_bytes()) {
        Ok(()) => Exit::Examined,
        Err(failure) => failure.exit,
    }
}

/// Returns the candidates that begin with what is typed, and the directive.
fn complete(typed: &[String]) -> (Vec<Candidate>, u8) {
    let line = Line::read(typed);
    let (mut candidates, directive) = match &line.place {
        Place::Value(arg) => value(arg, &line),
        Place::Flag => (flags(&line), NO_FILES),
        Place::Command => commands(&line),
        Place::Positional => (positional(&line), NO_FILES),
    };
    candidates.retain(|(word, _)| word.starts_with(&line.current));
    (candidates, directive)
}

/// The values of a flag.
fn value(arg: &Arg, line: &Line) -> (Vec<Candidate>, u8) {
    let live = || Live::new(line);
    let names = |names: Vec<String>| (plain(names), NO_FILES);
    match arg.get_long().unwrap_or_default() {
        "namespace" | "ollama-namespace" => names(live().names(&Type::Known(Kind::Namespace))),
        "context" => names(live::contexts(line)),
        "cluster" => names(live::clusters(line)),
        "user" => names(live::users(line)),
        "container" => names(live().containers(line.target().as_ref())),
        "skip" => (rules(), NO_FILES),
        _ => match (values(arg), arg.get_value_names().and_then(|names| names.first()).map(clap::builder::Str::as_str))
        {
            (possible, _) if !possible.is_empty() => (possible, NO_FILES),
            (_, Some("FILE" | "FILE|FOLDER")) => (Vec::new(), FILES),
            (_, Some("DIR")) => (Vec::new(), FOLDERS),
            _ => (Vec::new(), NO_FILES),
        },
    }
}

/// The values that the parser knows.
fn values(arg: &Arg) -> Vec<Candidate> {
    let about = |value: &clap::builder::PossibleValue| value.get_help().map(ToString::to_string).unwrap_or_default();
    let shown = arg.get_possible_values().into_iter().filter(|value| !value.is_hide_set());
    shown.map(|value| (value.get_name().to_owned(), about(&value))).collect()
}

fn flags(line: &Line) -> Vec<Candidate> {
    let shown = line.command.get_arguments().filter(|arg| !arg.is_hide_set());
    let flag = |arg: &Arg| Some((format!("--{}", arg.get_long()?), summary(arg.get_help())));
    shown.filter_map(flag).collect()
}

/// Commands, types, and `TYPE/NAME`.
fn commands(line: &Line) -> (Vec<Candidate>, u8) {
    if let Some((word, _)) = line.current.split_once('/') {
        return (slashed(word, line), NO_FILES);
    }
    let shown: Vec<&Command> = line.command.get_subcommands().filter(|command| !command.is_hide_set()).collect();
    let mut found: Vec<Candidate> =
        shown.iter().map(|command| (command.get_name().to_owned(), summary(command.get_about()))).collect();
    let begins = |word: &str| !line.current.is_empty() && word.starts_with(&line.current);
    if found.iter().any(|(word, _)| begins(word)) || !line.is_first() || line.current.is_empty() {
        return (found, NO_FILES);
    }
    // kubectl's other words for types, and types that only the server knows.
    found.extend(shown.iter().flat_map(|command| {
        let about = summary(command.get_about());
        command.get_visible_aliases().map(|alias| (alias.to_owned(), about.clone())).collect::<Vec<_>>()
    }));
    if !found.iter().any(|(word, _)| begins(word)) {
        found.extend(Live::new(line).types().into_iter().map(|resource| (resource.plural, resource.kind)));
    }
    (found, NO_FILES)
}

fn positional(line: &Line) -> Vec<Candidate> {
    let given = |name: &String| !line.positionals.contains(name);
    match line.command.get_name() {
        "explain" if line.positionals.is_empty() => rules(),
        "namespace" => plain(Live::new(line).names(&Type::Known(Kind::Namespace)).into_iter().filter(given).collect()),
        "limits" | "TYPE" => of_type(line),
        other => match types::find(other).filter(|_| is_object(&line.command)) {
            Some(kind) => plain(Live::new(line).names(&Type::Known(kind)).into_iter().filter(given).collect()),
            None => Vec::new(),
        },
    }
}

/// Returns whether a command is a type.
fn is_object(command: &Command) -> bool {
    use clap::Subcommand as _;
    ObjectCommand::has_subcommand(command.get_name())
}

/// Completes `TYPE NAME` and `TYPE/NAME` where both are words of the line.
fn of_type(line: &Line) -> Vec<Candidate> {
    if let Some((word, _)) = line.current.split_once('/') {
        return slashed(word, line);
    }
    let Some(first) = line.positionals.first() else {
        let resources = discovery::built_in().into_iter();
        return resources.map(|resource| (resource.singular, String::new())).collect();
    };
    if first.contains('/') {
        return Vec::new();
    }
    let live = Live::new(line);
    let names = live.type_of(first).map(|of| live.names(&of)).unwrap_or_default();
    plain(names.into_iter().filter(|name| !line.positionals.contains(name)).collect())
}

fn slashed(word: &str, line: &Line) -> Vec<Candidate> {
    let live = Live::new(line);
    let names = live.type_of(word).map(|of| live.names(&of)).unwrap_or_default();
    names.into_iter().map(|name| (format!("{word}/{name}"), String::new())).collect()
}

fn rules() -> Vec<Candidate> {
    rules::ALL.iter().map(|rule| (rule.id.to_owned(), rule.summary.to_owned())).collect()
}

fn plain(words: Vec<String>) -> Vec<Candidate> {
    words.into_iter().map(|word| (word, String::new())).collect()
}

fn summary(help: Option<&clap::builder::StyledStr>) -> String {
    let text = help.map(ToString::to_string).unwrap_or_default();
    text.lines().next().unwrap_or_default().to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn words(line: &str) -> (Vec<String>, u8) {
        let typed: Vec<String> = line.split(' ').map(str::to_owned).collect();
        let (candidates, directive) = complete(&typed);
        (candidates.into_iter().map(|(word, _)| word).collect(), directive)
    }

    #[test]
    fn commands_and_types_are_completed() {
        assert_eq!(words("dep").0, ["deployment"]);
        assert_eq!(words("names").0, ["namespace"]);
        assert!(words("").0.contains(&"pod".to_owned()));
        assert!(!words("").0.contains(&"TYPE".to_owned()));
        assert_eq!(words("completion z").0, ["zsh"]);
        assert_eq!(words("config ").0, ["view"]);
    }

    #[test]
    fn flags_and_their_values_are_completed() {
        assert_eq!(words("pod --all-n").0, ["--all-namespaces"]);
        assert_eq!(words("namespace -o j").0[0], "json");
        assert_eq!(words("namespace --output=j").0[0], "json");
        assert_eq!(words("pod x --fail-on cri").0, ["critical"]);
        assert_eq!(words("namespace --skip oom-k").0, ["oom-killed"]);
        assert!(words("pod --ins").0.contains(&"--insecure-skip-tls-verify".to_owned()));
        assert!(words("pod --usern").0.is_empty(), "hidden flags stay hidden");
    }

    #[test]
    fn rules_are_completed_once() {
        assert_eq!(words("explain oom-k").0, ["oom-killed"]);
        assert!(words("explain oom-killed ").0.is_empty());
    }

    #[test]
    fn files_are_left_to_the_shell() {
        assert_eq!(words("namespace --from "), (Vec::new(), FILES));
        assert_eq!(words("limits --patch-dir "), (Vec::new(), FOLDERS));
        assert_eq!(words("namespace --since "), (Vec::new(), NO_FILES));
        assert_eq!(words("demo "), (Vec::new(), NO_FILES));
    }
}
