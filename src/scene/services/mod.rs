//! Services, routes to them, and who uses them.

pub mod certificate;
pub mod routes;
pub mod selector;
pub mod service;
pub mod usage;
pub mod webhook;
