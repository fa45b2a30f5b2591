//! Nodes, the room on them, and why a pod has none.

pub mod claims;
pub mod describe;
pub mod fit;
pub mod misfit;
pub mod node;
pub mod nodes;
pub mod placement;
pub mod room;
pub mod scheduler;
pub mod shortage;
pub mod words;
