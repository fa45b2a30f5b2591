//! A recommended amount with its arithmetic.

use std::collections::BTreeMap;

use serde_json::Value;

/// What the evidence says the trouble is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// The limit is lower than what the program needs.
    Undersized,
    /// The limit was lowered by the last change.
    Lowered,
    /// The amount has a unit that nobody can mean: `128m` of memory.
    Unit,
    /// The heap that a flag allows does not fit under the limit.
    HeapFlag,
    /// Several workers share the limit.
    WorkerCount,
    /// It grows for as long as it lives.
    Leak,
    /// Another limit would not help, or none is known that would.
    NotTheLimit,
    /// Its working set comes near its limit, and nothing was killed.
    NearLimit,
    /// The kernel holds it back for its CPU limit.
    Throttled,
    /// It may take all the memory of its node.
    NoLimit,
    /// The scheduler does not know what it needs.
    NoRequest,
    /// It uses more than it asks for.
    RequestLow,
    /// It asks for far more than it uses.
    Oversized,
    /// Its amounts fit what was measured.
    Fits,
    /// Its amounts are set, and nothing was measured.
    Unmeasured,
}

impl Verdict {
    /// All verdicts.
    pub const ALL: [Self; 15] = [
        Self::Undersized,
        Self::Lowered,
        Self::Unit,
        Self::HeapFlag,
        Self::WorkerCount,
        Self::Leak,
        Self::NotTheLimit,
        Self::NearLimit,
        Self::Throttled,
        Self::NoLimit,
        Self::NoRequest,
        Self::RequestLow,
        Self::Oversized,
        Self::Fits,
        Self::Unmeasured,
    ];

    /// Returns the word of the report.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Undersized => "undersized",
            Self::Lowered => "lowered",
            Self::Unit => "unit",
            Self::HeapFlag => "heap-flag",
            Self::WorkerCount => "worker-count",
            Self::Leak => "leak",
            Self::NotTheLimit => "not-the-limit",
            Self::NearLimit => "near-limit",
            Self::Throttled => "throttled",
            Self::NoLimit => "no-limit",
            Self::NoRequest => "no-request",
            Self::RequestLow => "request-low",
            Self::Oversized => "oversized",
            Self::Fits => "fits",
            Self::Unmeasured => "unmeasured",
        }
    }
}

/// What a number rests on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Footing {
    /// The failure alone: need is more than the limit, nobody saw how much.
    FirstStep,
    /// Samples of minutes or hours.
    Samples,
    /// Samples of a day or more.
    Days,
}

impl Footing {
    /// All of them, the weakest first.
    pub const ALL: [Self; 3] = [Self::FirstStep, Self::Samples, Self::Days];

    /// Returns the words of the report.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::FirstStep => "first-step",
            Self::Samples => "from-samples",
            Self::Days => "from-days",
        }
    }
}

/// Where a number comes from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Basis {
    pub verdict: Verdict,
    pub footing: Footing,
    /// In words and signs: `2 × limit`.
    pub formula: String,
    /// What went into it, by name, as a person writes it.
    pub inputs: BTreeMap<&'static str, String>,
    /// What comes out, rounded; `None` where the formula gives no amount.
    pub result: Option<String>,
}

/// One field before and after.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FieldChange {
    /// `spec.template.spec.containers[main].resources.limits.memory`.
    pub path: String,
    pub before: Option<String>,
    pub after: String,
}

/// One thing that could stand in the way.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Check {
    /// `limitrange/limits`, `resourcequota/team`, `nodes`.
    pub what: String,
    pub ok: bool,
    /// The numbers, lower case, no full stop.
    pub detail: String,
}

/// A recommended amount, its arithmetic, and whether the cluster has room for it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Sizing {
    pub basis: Basis,
    /// Empty where no number is advised, or it does not fit.
    pub changes: Vec<FieldChange>,
    pub checks: Vec<Check>,
    /// What was not read, and so could stand in the way unseen: `resourcequotas`, `nodes`.
    pub unchecked: Vec<&'static str>,
    /// A strategic merge patch for the object that is edited; `None` where it would not help or not last.
    pub patch: Option<Value>,
    /// Why a patch of the live object does not last, and what to change instead.
    pub temporary: Option<String>,
}

impl Sizing {
    /// Returns whether nothing stands in the way.
    pub fn is_feasible(&self) -> bool {
        self.checks.iter().all(|check| check.ok)
    }
}
