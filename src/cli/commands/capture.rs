//! `capture`: what a diagnosis would read, in one file.

use std::io;
use std::path::Path;

use crate::cli::args::CaptureArgs;
use crate::cli::cluster_args::ClusterArgs;
use crate::cli::files;
use crate::cli::source::{self, Question};
use crate::cli::ui::Ui;
use crate::collect::capture;
use crate::collect::plan::Purpose;
use crate::failure::{Exit, Failure};

/// Runs `capture`.
pub(in crate::cli) fn run(cluster: &ClusterArgs, args: &CaptureArgs, ui: &mut Ui) -> Result<Exit, Failure> {
    let to_stdout = args.output.as_os_str() == "-";
    if !to_stdout {
        check_writable(&args.output)?;
    }
    let question = Question {
        namespaces: cluster.namespaces(),
        all_namespaces: cluster.all_namespaces,
        keep_raw: true,
        purpose: Purpose::Everything,
        ..Question::default()
    };
    let snapshot = source::from_cluster(cluster, &question, &args.input, ui)?;
    let bytes = capture::write(&snapshot).map_err(|error| Failure::bug(format!("writing the capture: {error}")))?;
    if to_stdout {
        ui.data(&bytes)?;
        return Ok(Exit::Examined);
    }
    files::write_whole(&args.output, &bytes).map_err(|error| cannot_write(&args.output, &error))?;
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
    let why = match path {
        _ if path.as_os_str().is_empty() => "it has no name",
        _ if path.is_dir() => "it is a folder",
        _ if !folder.is_dir() => "its folder does not exist",
        _ => return try_out(path),
    };
    Err(Failure::usage(format!("cannot write \"{}\": {why}", path.display())).hint("kubectl rca capture -o FILE"))
}

fn try_out(path: &Path) -> Result<(), Failure> {
    files::try_out(path).map_err(|error| cannot_write(path, &error))
}

fn cannot_write(path: &Path, error: &io::Error) -> Failure {
    let message = format!("cannot write \"{}\": {error}", path.display());
    Failure::new(Exit::Unreachable, message).hint("choose another place with `-o FILE`, or `-o -` for stdout")
}
