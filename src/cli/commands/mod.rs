//! One file a command.

pub(super) mod capture;
pub(super) mod demo;
pub(super) mod examine;
pub(super) mod explain;
pub(super) mod limits;
mod patches;

use super::ui::Ui;
use crate::failure::{Exit, Failure};

/// Prints the version.
pub(super) fn version(ui: &mut Ui) -> Result<Exit, Failure> {
    ui.data(concat!("kubectl-rca ", env!("CARGO_PKG_VERSION"), "\n").as_bytes())?;
    Ok(Exit::Examined)
}
