//! One file a command.

pub(super) mod agent;
pub(super) mod capture;
pub(super) mod cleanup;
pub(super) mod completion;
pub(super) mod config;
pub(super) mod demo;
pub(super) mod examine;
pub(super) mod explain;
mod in_cluster;
pub(super) mod limits;
mod manifests;
mod patches;
pub(super) mod rbac;
pub(super) mod version;
mod watch;
