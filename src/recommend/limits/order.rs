//! The order of workloads.

use std::cmp::Reverse;

use crate::model::limits::{Cost, Limits, WorkloadLimits};
use crate::quantity::Quantity;

/// What comes first.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Order {
    /// What is most at stake, then the most unused.
    #[default]
    Risk,
    /// The most requested and not used.
    Waste,
    /// The most memory that is asked for.
    Memory,
    /// The most CPU that is asked for.
    Cpu,
    /// By namespace, name and kind.
    Name,
}

/// Sorts the workloads; equal ones by their names.
pub fn sort(limits: &mut Limits, order: Order) {
    let whole = limits.totals().requested;
    let name = |workload: &WorkloadLimits| {
        let object = &workload.object;
        (object.namespace().to_owned(), object.name.clone(), object.kind.clone())
    };
    let waste = |workload: &WorkloadLimits| Reverse(share(workload.costs.unused, whole));
    let workloads = &mut limits.workloads;
    match order {
        Order::Risk => workloads.sort_by_cached_key(|one| (Reverse(one.danger()), waste(one), name(one))),
        Order::Waste => workloads.sort_by_cached_key(|one| (waste(one), name(one))),
        Order::Memory => workloads.sort_by_cached_key(|one| (Reverse(one.costs.requested.memory), name(one))),
        Order::Cpu => workloads.sort_by_cached_key(|one| (Reverse(one.costs.requested.cpu), name(one))),
        Order::Name => workloads.sort_by_cached_key(name),
    }
}

/// Adds CPU and memory as shares of all that is asked for, in millionths.
fn share(cost: Cost, whole: Cost) -> i64 {
    let part = |part: Quantity, whole: Quantity| {
        part.saturating_mul(10_000).percent_of(whole).unwrap_or_default().clamp(0, 1_000_000)
    };
    part(cost.cpu, whole.cpu) + part(cost.memory, whole.memory)
}
