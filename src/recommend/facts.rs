//! What is known of a container's need for memory, as plain numbers.

use jiff::SignedDuration;

use crate::quantity::Quantity;
use crate::scene::pods::memory::How;

/// Everything that an estimate is made from.
#[derive(Clone, Debug)]
pub struct Facts {
    /// The limit under which it was killed.
    pub limit: Quantity,
    /// The limit as it is written.
    pub literal: String,
    pub how: How,
    /// Kills of all replicas, the newest first.
    pub kills: Vec<Kill>,
    /// Limits of older revisions, oldest first.
    pub earlier: Vec<Quantity>,
    /// Working sets by the age of the run.
    pub points: Vec<Point>,
    /// The largest working set of any replica.
    pub peak: Option<Peak>,
    pub heap: Option<Heap>,
    pub workers: Option<Workers>,
    /// How much the memory-backed volumes that it mounts may hold; `None` where there is no such volume.
    pub files: Option<Quantity>,
    /// What a `VerticalPodAutoscaler` says that it needs.
    pub advised: Option<Quantity>,
    /// What it uses at most can be read once it lives, as the kernel counts it: a step that is too large is seen then.
    pub counted: bool,
    /// Lives under the limits of earlier revisions.
    pub lives: Vec<Life>,
    /// The node itself was out of memory at that time.
    pub node_ran_out: bool,
}

/// One kill: the need was more than the limit, nobody saw how much.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Kill {
    pub limit: Quantity,
    pub lasted: Option<SignedDuration>,
    /// How often the container was started again so far.
    pub restarts: i32,
}

/// How long it lived under a limit that is not its present one.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Life {
    pub limit: Quantity,
    pub seconds: f64,
}

/// How much it used at an age.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Point {
    pub seconds: f64,
    pub bytes: f64,
}

/// The largest working set that was seen.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Peak {
    pub amount: Quantity,
    /// The time from the first sample to the last.
    pub window: SignedDuration,
}

/// A heap that a flag bounds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Heap {
    /// `-Xmx`, `-XX:MaxRAMPercentage`, `--max-old-space-size`, `GOMEMLIMIT`.
    pub flag: &'static str,
    /// As it is written: `512m`, `90`.
    pub value: String,
    pub bound: Bound,
}

/// What a heap flag bounds the heap by.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Bound {
    /// So many bytes.
    Fixed(Quantity),
    /// So many hundredths of the limit, whatever that is.
    Percent(i64),
}

/// Processes that share the limit.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Workers {
    /// `gunicorn`, `puma`.
    pub program: &'static str,
    pub count: i64,
    /// The working set and the number of processes that shared it, where both were measured at once.
    pub measured: Option<(Quantity, i64)>,
}
