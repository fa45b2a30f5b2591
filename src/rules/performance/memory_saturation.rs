//! Workloads that are about to run out of memory.

use crate::model::{Finding, Kind, Severity};
use crate::rules::{Rule, consequences};
use crate::scene::Scene;
use crate::scene::signals::{Trouble, report};

/// See [`Rule::docs`].
pub static RULE: Rule = Rule {
    id: "memory-saturation",
    category: "memory_saturation",
    summary: "detects workloads that are about to run out of memory",
    docs: "\
## What it means
The pods of this workload use nearly all memory that they may: soon the kernel ends them, and a garbage collector that never rests makes them slow.

## How it is detected
Alerts that fire now are classified by their words, whatever their names, and laid over the graph of who calls whom (from \
mesh and trace metrics; failing these, from configured addresses). An alert says that its memory is used up, and nothing that it calls explains it. Alerts that are pending, silenced, resolved, of severity `info`, or that have fired \
for more than a day do not count.

## What to do
Find out whether it grows without end (a leak) or needs more (raise the limit): `kubectl top pods --containers`.",
    severity: Severity::Error,
    needs: &[Kind::Pod],
    uses: &[Kind::Service],
    explains: &[consequences::SIGNALS, consequences::PROBES_FAIL, &["log-error-running"]],
    check,
};

fn check(scene: &Scene<'_>) -> Vec<Finding> {
    report::of_workloads(scene, &RULE, Trouble::MemorySaturation, "is running out of memory")
}
