//! Pods and workloads, with their containers and how these fare.

pub mod command_error;
pub mod container;
pub mod crash;
pub mod fresh;
pub mod gone;
pub mod job;
pub mod limit_history;
pub mod memory;
pub mod oom_counts;
pub mod owners;
pub mod pod;
pub mod sandbox;
pub(in crate::scene) mod suspect;
pub mod testimony;
pub mod units;
pub mod workload;
