//! From a report to bytes.
#![warn(clippy::disallowed_methods, clippy::disallowed_types)]

pub mod gap;
pub mod json;
pub mod quote;
pub mod safe;
