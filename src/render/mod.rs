//! From a report to bytes.
#![warn(clippy::disallowed_methods, clippy::disallowed_types)]

pub mod docs;
pub mod explain;
pub mod gap;
pub mod json;
mod look;
pub mod name;
pub mod quote;
pub mod safe;
#[cfg(test)]
pub(crate) mod sample;
pub mod text;
pub mod yaml;

pub use look::Look;
