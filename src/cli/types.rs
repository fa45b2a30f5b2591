//! The types that can be named, by kubectl's words: `deploy/cart` is `deployment cart`.

use std::cell::LazyCell;
use std::ffi::OsString;

use clap::{Arg, Command, CommandFactory as _, Subcommand as _};

use super::args::{Cli, ObjectCommand};
use crate::model::Kind;

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

/// Writes the type where a command is expected as the command is called, and `TYPE/NAME` as `TYPE NAME`.
pub(super) fn split(mut arguments: Vec<OsString>) -> Vec<OsString> {
    // Built where a flag stands before the command, which is rare.
    let cli = LazyCell::new(Cli::command);
    let mut is_value = false;
    for at in 1..arguments.len() {
        let Some(argument) = arguments[at].to_str() else { return arguments };
        if is_value {
            is_value = false;
        } else if argument == "--" {
            return arguments;
        } else if argument.starts_with('-') {
            is_value = takes_next(&cli, argument);
        } else {
            let (word, name) = argument.split_once('/').unzip();
            if let Some(kind) = find(word.unwrap_or(argument)) {
                let words = std::iter::once(kind.name().to_lowercase()).chain(name.map(str::to_owned));
                let words: Vec<OsString> = words.map(OsString::from).collect();
                arguments.splice(at..=at, words);
            }
            return arguments;
        }
    }
    arguments
}

/// Returns whether the next argument is the value of this flag: not of `--flag=value`, nor of `-nvalue`.
fn takes_next(cli: &Command, flag: &str) -> bool {
    let is_it = |arg: &&Arg| match flag.strip_prefix("--") {
        Some(long) => arg.get_long() == Some(long),
        None => flag.len() == 2 && arg.get_short() == flag.chars().nth(1),
    };
    let needs = |arg: &Arg| {
        let least = arg.get_num_args().map_or(1, |range| range.min_values());
        arg.get_action().takes_values() && least > 0 && !arg.is_require_equals_set()
    };
    cli.get_arguments().find(is_it).is_some_and(needs)
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
    fn a_type_and_name_in_one_word_are_split_where_a_command_is_expected() {
        for (line, expected) in [
            ("rca deploy/cart", "rca deployment cart"),
            ("rca -n shop -v po/cart-0 -o json", "rca -n shop -v pod cart-0 -o json"),
            ("rca deployments.apps cart", "rca deployment cart"),
            ("rca -A svc/cart", "rca -A service cart"),
            ("rca --context=x sts/db", "rca --context=x statefulset db"),
            ("rca --kubeconfig pod/x namespace", "rca --kubeconfig pod/x namespace"),
            ("rca limits deploy/cart", "rca limits deploy/cart"),
            ("rca widget/cart", "rca widget/cart"),
            ("rca -- pod/x", "rca -- pod/x"),
        ] {
            assert_eq!(split_words(line), expected, "{line}");
        }
    }
}
