//! What can be typed, and what is said to what cannot be done.

mod broken_inputs;
mod captures;
mod commands;
mod completion;
mod dumps;
mod kubeconfigs;
mod limits;
mod outputs;
mod servers;
mod settings;
mod streams;
mod targets;
mod usage;
