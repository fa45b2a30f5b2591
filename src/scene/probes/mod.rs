//! Probes, and what the kubelet says of them.

pub mod listen;
pub mod probe;
pub mod probe_failing;
pub mod probe_failure;
pub mod probe_mesh;
