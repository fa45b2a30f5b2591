//! A command line that is being typed: what was said, and what is expected next.

use clap::{Arg, Command, CommandFactory as _, Parser};

use crate::cli::args::Cli;
use crate::cli::cluster_args::ClusterArgs;
use crate::cli::types;

/// What is expected where the cursor is.
#[derive(Debug)]
pub(super) enum Place {
    Value(Box<Arg>),
    Flag,
    Command,
    Positional,
}

/// A command line that is being typed.
#[derive(Debug)]
pub(super) struct Line {
    /// What is typed of the word; of `--flag=value` the value.
    pub(super) current: String,
    pub(super) place: Place,
    pub(super) command: Command,
    /// The words behind the command that are no flags.
    pub(super) positionals: Vec<String>,
    /// Which cluster is meant.
    pub(super) cluster: ClusterArgs,
}

/// The flags about clusters alone.
#[derive(Parser)]
#[command(no_binary_name = true, ignore_errors = true)]
struct Cluster {
    #[command(flatten)]
    cluster: ClusterArgs,
}

impl Line {
    /// Reads the words before the last, and what the last may be.
    pub(super) fn read(typed: &[String]) -> Self {
        let (last, before) = typed.split_last().map_or(("", &[][..]), |(last, before)| (last.as_str(), before));
        let mut command = Cli::command();
        command.build();
        let cluster_flags = command.clone();
        let mut line = Self {
            current: last.to_owned(),
            place: Place::Command,
            command,
            positionals: Vec::new(),
            cluster: ClusterArgs::default(),
        };
        let (mut pending, mut only_names, mut said): (Option<Arg>, bool, Vec<String>) = (None, false, Vec::new());
        for word in before {
            if let Some(arg) = pending.take() {
                said.extend(flag_of_cluster(&cluster_flags, &arg).map(|flag| format!("{flag}={word}")));
            } else if only_names {
                line.positionals.push(word.clone());
            } else if word == "--" {
                only_names = true;
            } else if word.starts_with('-') {
                pending = types::takes_next(&line.command, word).cloned();
                said.extend(Some(word.clone()).filter(|_| pending.is_none()));
            } else {
                line.enter(word);
            }
        }
        line.cluster = Cluster::try_parse_from(&said).map(|parsed| parsed.cluster).unwrap_or_default();
        line.place = line.expected(pending, only_names);
        line
    }

    /// Takes a word as a command where one is expected, else as a name.
    fn enter(&mut self, word: &str) {
        if !self.command.has_subcommands() {
            return self.positionals.push(word.to_owned());
        }
        let words = if self.is_first() { types::command(&self.command, word) } else { vec![word.into()] };
        let words: Vec<String> = words.iter().map(|word| word.to_string_lossy().into_owned()).collect();
        let Some((name, rest)) = words.split_first() else { return };
        if let Some(next) = self.command.find_subcommand(name).cloned() {
            self.command = next;
        }
        self.positionals.extend(rest.iter().cloned());
    }

    fn expected(&mut self, pending: Option<Arg>, only_names: bool) -> Place {
        if let Some(arg) = pending {
            return Place::Value(Box::new(arg));
        }
        if !only_names && self.current.starts_with('-') {
            let Some((flag, value)) = self.current.split_once('=') else { return Place::Flag };
            let found = types::find_flag(&self.command, flag).cloned();
            self.current = value.to_owned();
            return found.map_or(Place::Flag, |arg| Place::Value(Box::new(arg)));
        }
        if self.command.has_subcommands() { Place::Command } else { Place::Positional }
    }

    /// Returns whether no command was said yet.
    pub(super) fn is_first(&self) -> bool {
        self.command.get_name() == Cli::command().get_name()
    }

    /// Returns the type and name that were said: of `pod x`, `TYPE pod/x` and `TYPE pod x`.
    pub(super) fn target(&self) -> Option<(String, String)> {
        let first = self.positionals.first()?;
        if self.command.get_name() != "TYPE" {
            return Some((self.command.get_name().to_owned(), first.clone()));
        }
        let slashed = first.split_once('/').map(|(word, name)| (word.to_owned(), name.to_owned()));
        slashed.or_else(|| Some((first.clone(), self.positionals.get(1)?.clone())))
    }
}

/// Returns the long form of a flag that says which cluster is meant.
fn flag_of_cluster(root: &Command, arg: &Arg) -> Option<String> {
    let long = arg.get_long()?;
    let is_global = root.get_arguments().any(|other| other.is_global_set() && other.get_long() == Some(long));
    is_global.then(|| format!("--{long}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(line: &str) -> Line {
        Line::read(&line.split(' ').map(str::to_owned).collect::<Vec<_>>())
    }

    #[test]
    fn flags_of_the_cluster_are_understood_wherever_they_stand() {
        let line = read("-n shop pod --context=prod cart-0 -c ");
        assert_eq!(line.cluster.namespace.as_deref(), Some("shop"));
        assert_eq!(line.cluster.context.as_deref(), Some("prod"));
        assert_eq!(line.target(), Some(("pod".to_owned(), "cart-0".to_owned())));
        assert!(matches!(&line.place, Place::Value(arg) if arg.get_long() == Some("container")));
        assert!(read("-A pod ").cluster.all_namespaces);
    }

    #[test]
    fn targets_are_understood_in_all_forms() {
        for line in ["deploy/cart -c ", "deploy cart -c ", "deployment cart -c "] {
            let (word, name) = read(line).target().unwrap();
            assert!(types::find(&word).is_some() && name == "cart", "{line}");
        }
        assert!(matches!(read("pod -- -").place, Place::Positional));
        assert!(matches!(read("pod -").place, Place::Flag));
    }
}
