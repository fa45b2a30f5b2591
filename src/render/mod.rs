//! Turns a report into bytes; nothing here prints.
#![warn(clippy::disallowed_methods, clippy::disallowed_types)]

pub mod quote;
pub mod safe;
