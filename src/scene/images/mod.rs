//! Images, and why one cannot be had.

pub mod image;
pub mod image_hints;
pub mod platform;
pub mod pull_secrets;
