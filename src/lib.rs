//! Tells why a pod, a workload or a namespace is broken.
//!
//! Data flows one way: `collect → rules → diagnose → recommend → render`. See ARCHITECTURE.md.

pub mod failure;
pub mod quantity;
pub mod redact;
pub mod render;
