//! A real cluster breaks things for real, and the program says why.
//!
//! Ignored unless asked for, as they want a cluster: `cargo test --test all -- --ignored cluster::`, with `KUBECONFIG` and
//! perhaps `RCA_TEST_CONTEXT` set. Each works in namespaces of its own and mostly waits, so many threads are well spent:
//! `--test-threads 16`.

mod agent;
mod amounts;
mod containers;
mod control;
mod gone;
mod identity;
mod kubectl;
mod scheduling;
mod services;
mod sizing;
mod stage;
mod types;
mod workloads;
