//! From a cluster or a file to a snapshot: the only room that reads files and sockets.

pub mod capture;
pub mod client;
mod decode;
pub mod discovery;
pub mod folder;
pub mod intake;
pub mod kubeconfig;
pub mod live;
pub mod plan;
pub mod telemetry;
