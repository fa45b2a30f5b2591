//! `completion`: scripts for shells, and the program that kubectl asks.

use std::io;
use std::path::{Path, PathBuf};

use crate::cli::args::{CompletionArgs, CompletionCommand, InstallArgs};
use crate::cli::ui::Ui;
use crate::failure::{Exit, Failure};

const BASH: &str = include_str!("../../../completions/kubectl-rca.bash");
const ZSH: &str = include_str!("../../../completions/_kubectl-rca");
const FISH: &str = include_str!("../../../completions/kubectl-rca.fish");

/// The program that kubectl looks for on the PATH.
#[cfg(unix)]
const HELPER: &str = "kubectl_complete-rca";
#[cfg(windows)]
const HELPER: &str = "kubectl_complete-rca.exe";

/// Runs `completion`.
pub(in crate::cli) fn run(args: &CompletionArgs, ui: &mut Ui) -> Result<Exit, Failure> {
    let script = match &args.shell {
        CompletionCommand::Bash => BASH,
        CompletionCommand::Zsh => ZSH,
        CompletionCommand::Fish => FISH,
        CompletionCommand::Install(args) => return install(args, ui),
    };
    ui.data(script.as_bytes())?;
    Ok(Exit::Examined)
}

fn install(args: &InstallArgs, ui: &mut Ui) -> Result<Exit, Failure> {
    let plugin = plugin()?;
    let folder = match &args.dir {
        Some(folder) => folder.clone(),
        None => plugin.parent().map(Path::to_owned).unwrap_or_default(),
    };
    if !folder.is_dir() {
        return Err(Failure::usage(format!("{} is no folder", folder.display()))
            .hint("kubectl rca completion install --dir DIR"));
    }
    let helper = folder.join(HELPER);
    if helper.symlink_metadata().is_ok() && !leads_here(&helper, &plugin) {
        return Err(Failure::usage(format!("{} is there already, and leads elsewhere", helper.display()))
            .hint("remove it, or choose another folder with `--dir DIR`"));
    }
    if helper.symlink_metadata().is_err() {
        link(&plugin, &helper).map_err(|error| cannot_write(&helper, &error))?;
    }
    ui.note(&format!("{} is in place: kubectl 1.26 and later complete `kubectl rca` by it", helper.display()));
    if !is_on_path(&folder) {
        ui.warning(&format!("{} is not on the PATH, where kubectl looks for it", folder.display()));
    }
    Ok(Exit::Examined)
}

/// Returns the plugin as kubectl finds it: an upgrade by krew replaces what its link leads to, and not the link.
fn plugin() -> Result<PathBuf, Failure> {
    let found = which::which("kubectl-rca").or_else(|_| std::env::current_exe());
    let found = found.and_then(std::path::absolute);
    found.map_err(|error| Failure::bug(format!("this program cannot be found: {error}")))
}

/// Returns whether a link leads to the plugin, or a file is the same.
fn leads_here(helper: &Path, plugin: &Path) -> bool {
    matches!((helper.canonicalize(), plugin.canonicalize()), (Ok(one), Ok(other)) if one == other)
        || std::fs::read_link(helper).is_ok_and(|target| !target.exists() && target == plugin)
}

#[cfg(unix)]
fn link(plugin: &Path, helper: &Path) -> io::Result<()> {
    // A folder may be moved as a whole.
    let target = if plugin.parent() == helper.parent() { plugin.file_name().map(PathBuf::from) } else { None };
    std::os::unix::fs::symlink(target.as_deref().unwrap_or(plugin), helper)
}

#[cfg(windows)]
fn link(plugin: &Path, helper: &Path) -> io::Result<()> {
    std::fs::hard_link(plugin, helper).or_else(|_| std::fs::copy(plugin, helper).map(|_| ()))
}

fn is_on_path(folder: &Path) -> bool {
    let path = std::env::var_os("PATH").unwrap_or_default();
    std::env::split_paths(&path).any(|one| one == folder)
}

fn cannot_write(path: &Path, error: &io::Error) -> Failure {
    Failure::new(Exit::Unreachable, format!("cannot write {}: {error}", path.display()))
        .hint("choose a folder of the PATH with `--dir DIR`")
}
