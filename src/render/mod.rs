//! From a report to bytes.
#![warn(clippy::disallowed_methods, clippy::disallowed_types)]

pub mod docs;
pub mod explain;
pub mod gap;
pub mod html;
pub mod json;
pub mod jsonpath;
pub mod junit;
mod look;
pub mod markdown;
mod markup;
pub mod name;
pub mod quote;
pub mod safe;
#[cfg(test)]
pub(crate) mod sample;
pub mod sarif;
pub mod text;
pub mod yaml;

pub use look::Look;
