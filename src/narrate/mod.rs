//! Puts incidents in words with a model, and lets nothing pass that the report does not say.
//!
//! The prompt is a pure function of the report, and so is the check of what came back: whatever a model says, the
//! verdict, the numbers and the actions stay those of the engine. Only the client talks to anybody.

mod align;
pub mod cache;
mod facts;
pub mod grounding;
mod language;
mod number;
pub mod prompt;
pub mod reach;
pub mod repair;
pub mod siblings;
pub mod talk;
pub mod template;
mod token;
pub mod transport;

pub use facts::Facts;

#[cfg(test)]
mod tests;
