//! `capture`: what a diagnosis would read, in one file.

use std::fs;
use std::io::Write as _;
use std::path::Path;

use crate::cli::args::CaptureArgs;
use crate::cli::cluster_args::ClusterArgs;
use crate::cli::source::{self, Question};
use crate::cli::ui::Ui;
use crate::collect::capture;
use crate::failure::{Exit, Failure};

/// Runs `capture`.
pub(in crate::cli) fn run(cluster: &ClusterArgs, args: &CaptureArgs, ui: &mut Ui) -> Result<Exit, Failure> {
    let to_stdout = args.output.as_os_str() == "-";
    if !to_stdout {
        check_writable(&args.output)?;
    }
    let namespace = cluster.namespace.clone().filter(|name| !name.is_empty());
    let question =
        Question { namespace, all_namespaces: cluster.all_namespaces, keep_raw: true, ..Question::default() };
    let snapshot = source::from_cluster(cluster, &question, args.input, ui)?;
    let bytes = capture::write(&snapshot).map_err(|error| Failure::bug(format!("writing the capture: {error}")))?;
    if to_stdout {
        ui.data(&bytes)?;
        return Ok(Exit::Examined);
    }
    write_whole(&args.output, &bytes)?;
    let pods = snapshot.objects.pods.len();
    ui.note(&format!(
        "wrote {} ({} KiB, {pods} pods); look at it with: kubectl rca namespace --from {}",
        args.output.display(),
        bytes.len().div_ceil(1024),
        crate::render::quote::sh(&args.output.display().to_string())
    ));
    Ok(Exit::Examined)
}

/// Fails before the cluster is asked if the file cannot be written.
fn check_writable(path: &Path) -> Result<(), Failure> {
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    if path.is_dir() || !folder.is_dir() {
        let why = if path.is_dir() { "it is a folder" } else { "its folder does not exist" };
        return Err(Failure::usage(format!("cannot write {}: {why}", path.display())));
    }
    Ok(())
}

/// Writes the file whole or not at all: beside it first, then renamed.
fn write_whole(path: &Path, bytes: &[u8]) -> Result<(), Failure> {
    let mut partial = path.as_os_str().to_owned();
    partial.push(format!(".{}.partial", std::process::id()));
    let partial = Path::new(&partial);
    let written = fs::File::create(partial).and_then(|mut file| {
        file.write_all(bytes)?;
        file.sync_all()
    });
    written.and_then(|()| fs::rename(partial, path)).map_err(|error| {
        // What is left of a failed try is of no use; that it cannot be removed either changes nothing.
        _ = fs::remove_file(partial);
        Failure::new(Exit::Unreachable, format!("cannot write {}: {error}", path.display()))
    })
}
