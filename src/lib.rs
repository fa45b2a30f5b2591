//! Tells why a pod, a workload or a namespace is broken.
//!
//! Data flows one way: `collect → rules → diagnose → recommend → render`. See ARCHITECTURE.md.

pub mod analyse;
pub mod cli;
pub mod collect;
pub mod diagnose;
pub mod failure;
pub mod job;
pub mod json;
pub mod model;
pub mod narrate;
pub mod policy;
pub mod quantity;
pub mod recommend;
pub mod redact;
pub mod render;
pub mod rules;
pub mod scene;
