//! The types that can be named, by kubectl's words: `deploy/cart` is `deployment cart`.

use std::cell::LazyCell;
use std::ffi::OsString;

use clap::{Arg, Command, CommandFactory as _, Subcommand as _};

use super::args::{Cli, ObjectCommand};
use crate::model::Kind;

/// The hidden command that takes the words of any type.
const ANY: &str = "TYPE";

/// Finds the kind of a word: `deploy`, `Deployment`, `deployments.apps`, `deployments.v1.apps`.
pub(super) fn find(word: &str) -> Option<Kind> {
    let word = word.to_lowercase();
    let (plain, group) = word.split_once('.').unwrap_or((&word, ""));
    let commands = ObjectCommand::augment_subcommands(Command::new("types"));
    let name = commands.find_subcommand(plain)?.get_name();
    let kind = Kind::ALL.iter().copied().find(|kind| kind.name().eq_ignore_ascii_case(name))?;
    let group = group.strip_prefix("v1.").or(group.strip_prefix("v2.")).unwrap_or(group);
    (group.is_empty() || group == kind.group()).then_some(kind)
}

/// Writes a type where a command is expected as the command is called, with [`ANY`] before what is no command.
pub(super) fn split(mut arguments: Vec<OsString>) -> Vec<OsString> {
    let cli = LazyCell::new(Cli::command);
    level(&mut arguments);
    let mut is_value = false;
    let mut at = 1;
    while at < arguments.len() {
        let Some(argument) = arguments[at].to_str() else { return arguments };
        if is_value {
            is_value = false;
        } else if argument == "--" {
            // What follows is the command all the same, with nothing but names behind it.
            if at + 1 < arguments.len() {
                arguments.swap(at, at + 1);
                let words = arguments[at].to_str().map(|word| command(&cli, word)).unwrap_or_default();
                // The word that stands for itself goes behind the `--` again.
                let (first, rest) = words.split_at(words.len().min(1));
                arguments.splice(at..=at + 1, first.iter().cloned().chain(["--".into()]).chain(rest.iter().cloned()));
            }
            return arguments;
        } else if argument.starts_with('-') {
            is_value = takes_next(&cli, argument).is_some();
        } else {
            let words = command(&cli, argument);
            arguments.splice(at..=at, words);
            return arguments;
        }
        at += 1;
    }
    arguments
}

/// Writes kubectl's `-v 6`, `-v6` and `--v 6` as `-v=6`.
fn level(arguments: &mut Vec<OsString>) {
    let is_number = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    let mut at = 1;
    while at < arguments.len() && arguments[at] != "--" {
        let argument = arguments[at].to_string_lossy().into_owned();
        let next = arguments.get(at + 1).and_then(|next| next.to_str()).filter(|next| is_number(next));
        match (argument.as_str(), next) {
            ("-v" | "--v" | "--verbose", Some(next)) => {
                arguments[at] = format!("{argument}={next}").into();
                arguments.remove(at + 1);
            }
            (glued, _) if glued.strip_prefix("-v").is_some_and(is_number) => {
                arguments[at] = glued.replacen("-v", "-v=", 1).into();
            }
            _ => {}
        }
        at += 1;
    }
}

/// Returns the words of the command that a word in its place stands for.
pub(super) fn command(cli: &Command, word: &str) -> Vec<OsString> {
    let any = || vec![ANY.into(), word.into()];
    match word.split_once('/') {
        Some(("namespace" | "namespaces" | "ns", name)) => return vec!["namespace".into(), name.into()],
        Some(_) => return any(),
        None => {}
    }
    if let Some(kind) = find(word) {
        return vec![kind.name().to_lowercase().into()];
    }
    if cli.find_subcommand(word).is_some() { vec![word.into()] } else { any() }
}

/// Returns up to three commands, types or given words that are most like a word, the most alike first.
pub(super) fn alike(word: &str, others: &[&str]) -> Vec<String> {
    const ALIKE: f64 = 0.8;
    let cli = Cli::command();
    let commands = cli.get_subcommands().filter(|command| !command.is_hide_set()).map(Command::get_name);
    let mut near: Vec<(f64, String)> = commands
        .chain(others.iter().copied())
        .map(|other| (strsim::jaro_winkler(word, other), other.to_owned()))
        .filter(|(alike, _)| *alike >= ALIKE)
        .collect();
    near.sort_by(|a, b| b.0.total_cmp(&a.0).then_with(|| a.1.cmp(&b.1)));
    near.dedup();
    near.into_iter().take(3).map(|(_, other)| other).collect()
}

/// Returns the flag whose value is the next argument: not of `--flag=value`, nor of `-nvalue`.
pub(super) fn takes_next<'c>(command: &'c Command, flag: &str) -> Option<&'c Arg> {
    let needs = |arg: &&Arg| {
        let least = arg.get_num_args().map_or(1, |range| range.min_values());
        arg.get_action().takes_values() && least > 0 && !arg.is_require_equals_set()
    };
    find_flag(command, flag).filter(needs)
}

/// Finds a flag as it is typed: `--namespace`, `-n`.
pub(super) fn find_flag<'c>(command: &'c Command, flag: &str) -> Option<&'c Arg> {
    let is_it = |arg: &&Arg| match flag.strip_prefix("--") {
        Some(long) => arg.get_long() == Some(long),
        None => flag.len() == 2 && arg.get_short() == flag.chars().nth(1),
    };
    command.get_arguments().find(is_it)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn split_words(line: &str) -> String {
        let words = line.split(' ').map(OsString::from).collect();
        split(words).iter().map(|word| word.to_string_lossy()).collect::<Vec<_>>().join(" ")
    }

    #[test]
    fn types_are_found_by_all_their_words() {
        for word in ["deploy", "Deployment", "deployments", "deployments.apps", "deployments.v1.apps"] {
            assert_eq!(find(word), Some(Kind::Deployment), "{word}");
        }
        for word in ["deployments.batch", "namespace", "cart", ""] {
            assert_eq!(find(word), None, "{word}");
        }
    }

    #[test]
    fn types_are_taken_for_commands_where_a_command_is_expected() {
        for (line, expected) in [
            ("rca deploy/cart svc/cart", "rca TYPE deploy/cart svc/cart"),
            ("rca -n shop -v po/cart-0 -o json", "rca -n shop -v TYPE po/cart-0 -o json"),
            ("rca deployments.apps cart", "rca deployment cart"),
            ("rca -A svc cart", "rca -A service cart"),
            ("rca --context=x sts db", "rca --context=x statefulset db"),
            ("rca --kubeconfig pod/x namespace", "rca --kubeconfig pod/x namespace"),
            ("rca ns/shop", "rca namespace shop"),
            ("rca limits deploy/cart", "rca limits deploy/cart"),
            ("rca widget/cart", "rca TYPE widget/cart"),
            ("rca -v 6 pod x", "rca -v=6 pod x"),
            ("rca pod x -v6 --v 1", "rca pod x -v=6 --v=1"),
            ("rca pod -v x", "rca pod -v x"),
            ("rca pods,svc cart", "rca TYPE pods,svc cart"),
            ("rca -- pod/x", "rca TYPE -- pod/x"),
            ("rca -n shop -- pod x", "rca -n shop pod -- x"),
        ] {
            assert_eq!(split_words(line), expected, "{line}");
        }
    }
}
