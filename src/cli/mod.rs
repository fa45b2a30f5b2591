//! The command line: flags, and what they ask for.

pub mod cluster_args;
