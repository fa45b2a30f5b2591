//! The same pipeline inside the cluster: a Job with an account of its own that may read this scope, and nothing of it left behind.
//!
//! The Job is made first and owns the rest, so that its deadline and its time to live clean up whatever becomes of this
//! process. It starts no pod until its account is there (`parallelism: 0`), as a refused pod costs a second of back-off.

pub mod cleanup;
pub mod frame;
pub mod life;
mod log;
pub mod manifest;
pub mod own;
pub mod preflight;
pub mod request;
pub mod resources;
pub mod rights;
pub mod signals;
pub mod trouble;
mod wait;
