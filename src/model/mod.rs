//! What the flow passes on: plain data, no I/O.
#![warn(clippy::disallowed_methods, clippy::disallowed_types)]

pub mod change;
pub mod coverage;
pub mod finding;
pub mod gap;
pub mod ids;
pub mod incident;
pub mod kind;
pub mod limits;
pub mod narrative;
pub mod object_ref;
pub mod objects;
pub mod report;
pub mod secret;
pub mod severity;
pub mod sizing;
pub mod snapshot;
pub mod store;
pub mod story;
pub mod target;
pub mod telemetry;

pub use change::Change;
pub use coverage::{Coverage, Lookup};
pub use finding::{Evidence, Finding, State, Subject};
pub use gap::{Gap, GapReason};
pub use ids::Ids;
pub use incident::{Incident, Recommendation, Risk};
pub use kind::Kind;
pub use narrative::{Narrative, Sentence};
pub use object_ref::ObjectRef;
pub use objects::Objects;
pub use report::{NotEvaluated, Report};
pub use secret::SecretKeys;
pub use severity::Severity;
pub use sizing::Sizing;
pub use snapshot::{ContainerLogs, ContainerRef, Scope, Snapshot, Usage};
pub use store::{Store, Stored};
pub use story::Story;
pub use target::{CustomType, Target, Type};
pub use telemetry::{Alert, Series};
