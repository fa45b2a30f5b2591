//! From a cluster or a file to a snapshot: the only room that reads files and sockets.

pub mod capture;
mod decode;
pub mod folder;
pub mod intake;
