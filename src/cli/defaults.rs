//! Flags that nobody typed: from `RCA_*` and from `[defaults]` of config.toml, for all contexts or for one.

use std::ffi::OsString;

use clap::parser::ValueSource;
use clap::{Arg, ArgAction, ArgMatches, Command, CommandFactory as _};
use toml_edit::Item;

use super::args::Cli;
use super::config::Config;

/// Flags that say what is asked rather than how: a default would change the question.
const QUESTIONS: [&str; 8] = ["from", "selector", "container", "baseline", "patch-dir", "sample", "help", "version"];

/// A flag with where it was said.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Default {
    pub(super) flag: String,
    /// The words of the command line that say the same.
    pub(super) words: Vec<String>,
    pub(super) place: String,
}

/// Adds the flags that were set elsewhere to a command line that parses; returns what could not be used.
pub(super) fn add(words: &[OsString], matches: &ArgMatches, config: &Config) -> (Vec<OsString>, Vec<String>) {
    let Some((name, typed)) = matches.subcommand() else { return (words.to_vec(), Vec::new()) };
    let mut cli = Cli::command();
    cli.build();
    let Some(command) = cli.find_subcommand(name) else { return (words.to_vec(), Vec::new()) };
    let (mut all, mut troubles) = (words.to_vec(), unknown(&cli, config));
    let context = || context(matches);
    for default in defaults(command, typed, config, context) {
        let longer = with(&all, &default.words);
        match Cli::command().try_get_matches_from(&longer) {
            Ok(_) => all = longer,
            Err(error) => troubles.push(format!("{} is not used: {}", default.place, first_line(&error))),
        }
    }
    (all, troubles)
}

/// Returns the flags that were set elsewhere; the environment comes before the file.
fn defaults(
    command: &Command,
    typed: &ArgMatches,
    config: &Config,
    context: impl Fn() -> Option<String>,
) -> Vec<Default> {
    let context = if config.depends_on_context("defaults") { context() } else { None };
    let mut found = Vec::new();
    for arg in command.get_arguments().filter(|arg| is_settable(arg)) {
        let source = typed.value_source(arg.get_id().as_str());
        let Some(long) = arg.get_long().filter(|_| source.is_none_or(|source| source == ValueSource::DefaultValue))
        else {
            continue;
        };
        found.extend(of_environment(arg, long).or_else(|| of_config(arg, long, config, context.as_deref())));
    }
    found
}

/// Complains about defaults that are no flag of any command.
fn unknown(cli: &Command, config: &Config) -> Vec<String> {
    let defaults = config.layers(None).into_iter().filter_map(|layer| layer.get("defaults")?.as_table_like());
    let keys = defaults.flat_map(|table| table.iter().map(|(key, _)| key.to_owned()).collect::<Vec<_>>());
    let is_flag = |key: &String| {
        let mut arguments = cli.get_subcommands().flat_map(Command::get_arguments);
        arguments.any(|arg| is_settable(arg) && arg.get_long() == Some(key))
    };
    let strange = keys.filter(|key| !is_flag(key));
    strange.map(|key| format!("`defaults.{key}` of {} is no flag that can be set there", config.place())).collect()
}

fn is_settable(arg: &Arg) -> bool {
    !arg.is_global_set() && arg.get_long().is_some_and(|long| !QUESTIONS.contains(&long))
}

fn of_environment(arg: &Arg, long: &str) -> Option<Default> {
    let name = variable(long);
    let value = std::env::var(&name).ok().filter(|value| !value.is_empty())?;
    let words = spoken(arg, long, &value);
    Some(Default { flag: long.to_owned(), words, place: name })
}

/// The name of the environment variable that sets a flag: `RCA_FAIL_ON`.
pub(super) fn variable(long: &str) -> String {
    format!("RCA_{}", long.replace('-', "_").to_uppercase())
}

fn of_config(arg: &Arg, long: &str, config: &Config, context: Option<&str>) -> Option<Default> {
    let layers = config.layers(context);
    let item = layers.iter().rev().find_map(|layer| layer.get("defaults")?.get(long))?;
    let values: Vec<String> = match item.as_array() {
        Some(array) => array.iter().filter_map(|value| value.as_str().map(str::to_owned)).collect(),
        None => vec![plain(item)],
    };
    let words = values.iter().flat_map(|value| spoken(arg, long, value)).collect();
    Some(Default { flag: long.to_owned(), words, place: format!("`defaults.{long}` of {}", config.place()) })
}

/// Writes a string, a number or a truth without TOML's quotes.
fn plain(item: &Item) -> String {
    item.as_str().map_or_else(|| item.to_string().trim().to_owned(), str::to_owned)
}

/// Writes a flag as it is typed; one that is not set is not typed.
fn spoken(arg: &Arg, long: &str, value: &str) -> Vec<String> {
    if !matches!(arg.get_action(), ArgAction::SetTrue) {
        return vec![format!("--{long}={value}")];
    }
    match value.to_lowercase().as_str() {
        "true" | "1" | "yes" | "on" => vec![format!("--{long}")],
        "false" | "0" | "no" | "off" => Vec::new(),
        _ => vec![format!("--{long}={value}")],
    }
}

/// Puts words behind a command line, but before what `--` ends.
fn with(words: &[OsString], more: &[String]) -> Vec<OsString> {
    let end = words.iter().position(|word| word == "--").unwrap_or(words.len());
    let more = more.iter().map(OsString::from);
    words[..end].iter().cloned().chain(more).chain(words[end..].iter().cloned()).collect()
}

fn first_line(error: &clap::Error) -> String {
    let text = error.render().to_string();
    let line = text.lines().next().unwrap_or_default();
    line.strip_prefix("error: ").unwrap_or(line).to_owned()
}

/// The context that a command line means, without a word to the cluster.
fn context(matches: &ArgMatches) -> Option<String> {
    use crate::collect::kubeconfig;
    use clap::FromArgMatches as _;
    let cli = Cli::from_arg_matches(matches).ok()?;
    kubeconfig::resolve(&cli.cluster.overrides(), &kubeconfig::Env::from_process()).ok()?.context
}

#[cfg(test)]
mod tests {
    use super::*;

    fn line(typed: &str, config: &str) -> (String, Vec<String>) {
        let words: Vec<OsString> = typed.split(' ').map(OsString::from).collect();
        let matches = Cli::command().try_get_matches_from(&words).unwrap();
        let (all, troubles) = add(&words, &matches, &Config::of(config));
        (all.iter().map(|word| word.to_string_lossy()).collect::<Vec<_>>().join(" "), troubles)
    }

    #[test]
    fn what_is_typed_comes_before_what_is_configured() {
        let config = "[defaults]\noutput = 'wide'\nexit-code = true\nskip = ['oom-killed', 'crash-loop']\n";
        let expected = "rca namespace shop --output=wide --skip=oom-killed --skip=crash-loop --exit-code";
        let (all, _) = line("rca namespace shop", config);
        let sorted = |text: &str| {
            let mut words: Vec<String> = text.split(' ').map(str::to_owned).collect();
            words.sort();
            words
        };
        assert_eq!(sorted(&all), sorted(expected));
        assert!(line("rca namespace shop -o name", config).0.starts_with("rca namespace shop -o name --"));
        assert!(!line("rca namespace shop -o name", config).0.contains("wide"));
    }

    #[test]
    fn what_cannot_be_used_is_told_and_left_out() {
        let (all, troubles) = line("rca namespace shop", "[defaults]\noutput = 'xml'\nexit-code = false\nfrom = 'x'\n");
        assert_eq!(all, "rca namespace shop");
        assert!(troubles.iter().any(|trouble| trouble.contains("defaults.output")), "{troubles:?}");
        assert!(troubles.iter().any(|trouble| trouble.contains("defaults.from")), "{troubles:?}");
    }
}
