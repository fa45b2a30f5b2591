//! `--patch-dir`: a kustomize patch a workload, each written whole or not at all.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use serde_json::{Value, json};

use crate::cli::files;
use crate::cli::source;
use crate::cli::ui::Ui;
use crate::failure::{Exit, Failure};
use crate::model::limits::{Limits, WorkloadLimits};
use crate::render::{safe, yaml};

/// The first line of a file that may be replaced.
const HEAD: &str = "# Written by kubectl rca limits.\n";

/// Fails before the cluster is asked if the folder cannot be written to.
pub(super) fn check(folder: &Path) -> Result<(), Failure> {
    if folder.as_os_str().is_empty() {
        return Err(Failure::usage("the folder for patches has no name").hint("kubectl rca limits --patch-dir DIR"));
    }
    if folder.exists() && !folder.is_dir() {
        return Err(cannot_write(folder, "it is no folder"));
    }
    if folder.is_dir() {
        return files::try_out(&folder.join("patch")).map_err(|error| cannot_write(folder, &error.to_string()));
    }
    let parent = folder.parent().filter(|parent| !parent.as_os_str().is_empty()).unwrap_or(Path::new("."));
    if !parent.is_dir() {
        return Err(cannot_write(folder, "the folder that it is in does not exist"));
    }
    files::try_out(folder).map_err(|error| cannot_write(folder, &error.to_string()))
}

/// Writes the patches, and says what was written, replaced and left alone.
pub(super) fn write(folder: &Path, limits: &Limits, ui: &mut Ui) -> Result<(), Failure> {
    let patches: Vec<(PathBuf, String)> = limits
        .workloads
        .iter()
        .filter_map(|workload| Some((folder.join(file_name(workload)?), text(workload)?)))
        .collect();
    if patches.is_empty() {
        ui.note(&format!("nothing is to be changed: no patch was written to {}", folder.display()));
        return Ok(());
    }
    // All are looked at before the first is written.
    if let Some((path, _)) = patches.iter().find(|(path, _)| is_foreign(path)) {
        let message = format!("\"{}\" is there already, and was not written by this command", path.display());
        return Err(Failure::usage(message).hint("choose another folder with `--patch-dir DIR`, or move the file away"));
    }
    if !folder.is_dir() {
        fs::create_dir(folder).map_err(|error| cannot_write(folder, &error.to_string()))?;
    }
    for (path, text) in &patches {
        let before = fs::read_to_string(path).ok();
        if before.as_ref() == Some(text) {
            ui.note(&format!("left {} as it was", path.display()));
            continue;
        }
        files::write_whole(path, text.as_bytes()).map_err(|error| cannot_write(path, &error.to_string()))?;
        let verb = if before.is_some() { "replaced" } else { "wrote" };
        ui.note(&format!("{verb} {}", path.display()));
    }
    Ok(())
}

/// Returns whether a file is there that somebody else wrote.
fn is_foreign(path: &Path) -> bool {
    match fs::read_to_string(path) {
        Ok(text) => !text.starts_with(HEAD),
        Err(error) => error.kind() != io::ErrorKind::NotFound,
    }
}

/// `shop.deployment.cart.yaml`: neither a namespace nor a kind holds a dot. A recording may hold names that lead elsewhere.
fn file_name(workload: &WorkloadLimits) -> Option<String> {
    let object = &workload.object;
    let name = format!("{}.{}.{}.yaml", object.namespace(), object.kind.to_lowercase(), object.name);
    source::check_name("patch", &name).is_ok().then_some(name)
}

/// Returns the patch as kustomize wants it: with the words of the object that it is for.
fn text(workload: &WorkloadLimits) -> Option<String> {
    let object = &workload.object;
    let mut patch = json!({
        "apiVersion": object.api_version,
        "kind": object.kind,
        "metadata": {"name": object.name, "namespace": object.namespace()},
    });
    let Value::Object(fields) = workload.patch.clone()? else { return None };
    patch.as_object_mut()?.extend(fields);
    let body = String::from_utf8(yaml::write(&patch).ok()?).ok()?;
    let reasons = workload.containers.iter().flat_map(|container| {
        container
            .basis
            .iter()
            .filter(|(field, _)| container.current.get(field) != container.recommended.get(field))
            .map(|(field, basis)| {
                let after = container.recommended.get(field).map_or("none", String::as_str);
                let before = container.current.get(field).map_or("none", String::as_str);
                let text = format!("{}: {} {before} -> {after}: {}", container.name, field.path(), basis.formula);
                format!("# {}\n", safe::line(&text))
            })
    });
    Some(format!("{HEAD}{}{body}", reasons.collect::<String>()))
}

fn cannot_write(path: &Path, why: &str) -> Failure {
    Failure::new(Exit::Usage, format!("cannot write \"{}\": {why}", path.display()))
        .hint("kubectl rca limits --patch-dir DIR")
}
