//! What all tests share: the program in clean surroundings, and a server that plays a cluster.

pub(crate) mod api;
pub(crate) mod http;
pub(crate) mod ollama;
pub(crate) mod program;
pub(crate) mod report;
pub(crate) mod world;

pub(crate) use api::Api;
pub(crate) use ollama::Ollama;
pub(crate) use program::{Place, Run};
pub(crate) use world::World;
