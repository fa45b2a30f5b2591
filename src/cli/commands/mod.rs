//! One file a command.

pub(super) mod agent;
pub(super) mod capture;
pub(super) mod cleanup;
pub(super) mod demo;
pub(super) mod examine;
pub(super) mod explain;
mod in_cluster;
pub(super) mod limits;
mod manifests;
mod patches;
pub(super) mod rbac;

use super::ui::Ui;
use crate::failure::{Exit, Failure};

/// Prints the version.
pub(super) fn version(ui: &mut Ui) -> Result<Exit, Failure> {
    ui.data(concat!("kubectl-rca ", env!("CARGO_PKG_VERSION"), "\n").as_bytes())?;
    Ok(Exit::Examined)
}
