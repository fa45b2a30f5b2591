//! From a report to bytes.
#![warn(clippy::disallowed_methods, clippy::disallowed_types)]

pub mod explain;
pub mod gap;
pub mod json;
pub mod name;
pub mod quote;
pub mod safe;
pub mod text;
pub mod yaml;
