//! One file a command.

pub(super) mod capture;
pub(super) mod completion;
pub(super) mod config;
pub(super) mod demo;
pub(super) mod examine;
pub(super) mod explain;
pub(super) mod limits;
mod patches;
pub(super) mod version;
mod watch;
