//! `config view`: what is configured, where, and what the environment adds.

use clap::CommandFactory as _;

use crate::cli::args::{Cli, ConfigArgs, ConfigCommand};
use crate::cli::cluster_args::ClusterArgs;
use crate::cli::config::Config;
use crate::cli::defaults;
use crate::cli::settings;
use crate::cli::ui::Ui;
use crate::collect::kubeconfig;
use crate::failure::{Exit, Failure};
use crate::policy::Policy;

/// Runs `config view`.
pub(in crate::cli) fn run(cluster: &ClusterArgs, args: &ConfigArgs, ui: &mut Ui) -> Result<Exit, Failure> {
    let ConfigCommand::View = args.command;
    let config =
        Config::load().map_err(|trouble| Failure::unreachable(trouble).hint("kubectl rca config view --help"))?;
    let text = config.as_written();
    let mut page = format!("# {}\n{text}", config.place());
    if !text.is_empty() && !text.ends_with('\n') {
        page.push('\n');
    }
    for (name, value) in set_by_environment() {
        page.push_str(&format!("# {name}={value}\n"));
    }
    // What makes no sense is told as it is when it is used.
    let context = kubeconfig::resolve(&cluster.overrides(), &kubeconfig::Env::from_process()).ok();
    let context = context.and_then(|connection| connection.context);
    settings::apply(&config, context.as_deref(), jiff::Timestamp::now(), &mut Policy::default(), ui);
    ui.data(page.as_bytes())?;
    Ok(Exit::Examined)
}

/// Returns the variables that set a flag, by name.
fn set_by_environment() -> Vec<(String, String)> {
    let cli = Cli::command();
    let longs = cli.get_subcommands().flat_map(clap::Command::get_arguments).filter_map(clap::Arg::get_long);
    let mut names: Vec<String> = longs.map(defaults::variable).collect();
    names.sort();
    names.dedup();
    let set = names.into_iter().filter_map(|name| Some((name.clone(), std::env::var(&name).ok()?)));
    set.filter(|(_, value)| !value.is_empty()).collect()
}
