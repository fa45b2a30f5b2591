//! What monitoring says: alerts by their words, who calls whom, and where the trouble begins.

pub mod cadvisor;
pub mod callgraph;
pub mod change;
pub mod observation;
pub mod places;
pub mod report;
pub mod throttling;
pub mod verdict;
pub mod words;

pub use verdict::{Trouble, Verdict};
