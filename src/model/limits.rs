//! What workloads ask for, what they use, and what they should ask for.

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde_json::Value;

use super::sizing::{Basis, Check, Footing, Verdict};
use super::{Gap, ObjectRef, Scope};
use crate::quantity::Quantity;

/// One amount in a container's `resources`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Field {
    RequestsCpu,
    RequestsMemory,
    LimitsCpu,
    LimitsMemory,
}

impl Field {
    /// All of them, in order.
    pub const ALL: [Self; 4] = [Self::RequestsCpu, Self::RequestsMemory, Self::LimitsCpu, Self::LimitsMemory];

    /// Returns `requests` or `limits`.
    pub fn list(self) -> &'static str {
        match self {
            Self::RequestsCpu | Self::RequestsMemory => "requests",
            Self::LimitsCpu | Self::LimitsMemory => "limits",
        }
    }

    /// Returns `cpu` or `memory`.
    pub fn resource(self) -> &'static str {
        match self {
            Self::RequestsCpu | Self::LimitsCpu => "cpu",
            Self::RequestsMemory | Self::LimitsMemory => "memory",
        }
    }

    /// Returns `requests.cpu`.
    pub fn path(self) -> &'static str {
        match self {
            Self::RequestsCpu => "requests.cpu",
            Self::RequestsMemory => "requests.memory",
            Self::LimitsCpu => "limits.cpu",
            Self::LimitsMemory => "limits.memory",
        }
    }

    /// Returns what people call it: `CPU request`.
    pub fn words(self) -> &'static str {
        match self {
            Self::RequestsCpu => "CPU request",
            Self::RequestsMemory => "memory request",
            Self::LimitsCpu => "CPU limit",
            Self::LimitsMemory => "memory limit",
        }
    }
}

/// The amounts of a container that are set, as they are written.
pub type Amounts = BTreeMap<Field, String>;

/// How much a container's amounts put at stake.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub enum Danger {
    /// Nothing is known to be.
    #[default]
    None,
    /// Bad placement, waste.
    Low,
    /// It may be slowed down, or take others with it.
    Medium,
    /// It is killed, or cannot start.
    High,
}

impl Danger {
    /// Returns the word of the output.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::None => "none",
            Self::Low => "low",
            Self::Medium => "medium",
            Self::High => "high",
        }
    }
}

/// A number with where it comes from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Number {
    /// As Kubernetes writes amounts.
    pub value: String,
    pub formula: &'static str,
    pub inputs: BTreeMap<&'static str, String>,
    /// What it rests on.
    pub footing: Footing,
}

/// What was seen of a container, over all its replicas.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Seen {
    /// The largest working set.
    pub memory: Option<Number>,
    /// What 95 of 100 samples of CPU stay under.
    pub cpu: Option<Number>,
    /// The share of periods in which the kernel held it back.
    pub throttled: Option<Number>,
    /// The most memory that the kernel counted since it started, page cache included.
    pub kernel_peak: Option<Number>,
}

/// One container of a workload.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ContainerLimits {
    pub name: String,
    pub verdict: Verdict,
    pub danger: Danger,
    pub current: Amounts,
    /// The same as `current` where nothing is advised.
    pub recommended: Amounts,
    pub seen: Seen,
    /// The arithmetic of each field that is advised about.
    pub basis: BTreeMap<Field, Basis>,
    /// Sentences about it, lower case, no full stop, the most important first.
    pub notes: Vec<String>,
    pub checks: Vec<Check>,
    /// What was not read, and so could stand in the way unseen.
    pub unchecked: Vec<&'static str>,
    /// A strategic merge patch of the workload for this container alone.
    pub patch: Option<Value>,
}

impl ContainerLimits {
    /// Returns whether another amount is advised.
    pub fn is_changed(&self) -> bool {
        self.current != self.recommended
    }
}

/// Thousandths of cores, and bytes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Cost {
    pub cpu: Quantity,
    pub memory: Quantity,
}

impl Cost {
    /// Adds another one.
    #[must_use]
    pub fn plus(self, other: Self) -> Self {
        Self { cpu: self.cpu.saturating_add(other.cpu), memory: self.memory.saturating_add(other.memory) }
    }

    /// Multiplies by a number of replicas.
    #[must_use]
    pub fn times(self, replicas: i64) -> Self {
        Self { cpu: self.cpu.saturating_mul(replicas), memory: self.memory.saturating_mul(replicas) }
    }
}

/// What is asked for over all replicas.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Costs {
    pub requested: Cost,
    pub recommended: Cost,
    /// Requested and not used, as far as use was measured.
    pub unused: Cost,
}

impl Costs {
    /// Adds others.
    #[must_use]
    pub fn plus(self, other: Self) -> Self {
        Self {
            requested: self.requested.plus(other.requested),
            recommended: self.recommended.plus(other.recommended),
            unused: self.unused.plus(other.unused),
        }
    }
}

/// One workload.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WorkloadLimits {
    pub object: ObjectRef,
    pub replicas: i64,
    pub containers: Vec<ContainerLimits>,
    pub costs: Costs,
    /// Of all containers.
    pub patch: Option<Value>,
    /// Commands that apply it, quoted for a shell.
    pub commands: Vec<String>,
    /// Why a patch of the live object does not last, and what to change instead.
    pub temporary: Option<String>,
}

impl WorkloadLimits {
    /// Returns the worst of its containers.
    pub fn danger(&self) -> Danger {
        self.containers.iter().map(|container| container.danger).max().unwrap_or_default()
    }
}

/// What was found about the limits of a scope.
#[derive(Clone, Debug)]
pub struct Limits {
    pub taken_at: Timestamp,
    pub server: Option<String>,
    pub context: Option<String>,
    pub scope: Scope,
    /// What was asked about within the scope: `deployment/cart`, `deployment`; `None` for all.
    pub target: Option<String>,
    pub workloads: Vec<WorkloadLimits>,
    /// Where the measurements come from: `metrics-server`, `Prometheus`, `kubelet`; empty if there are none.
    pub sources: Vec<&'static str>,
    pub gaps: Vec<Gap>,
}

impl Limits {
    /// Adds up all workloads.
    pub fn totals(&self) -> Costs {
        self.workloads.iter().fold(Costs::default(), |sum, workload| sum.plus(workload.costs))
    }

    /// Counts all replicas.
    pub fn replicas(&self) -> i64 {
        self.workloads.iter().fold(0, |sum, workload| sum.saturating_add(workload.replicas))
    }
}
