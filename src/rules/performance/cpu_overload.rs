//! Workloads whose cpu use makes them slow.

use crate::model::{Finding, Kind, Severity};
use crate::rules::{Rule, consequences};
use crate::scene::Scene;
use crate::scene::signals::{Trouble, report};

/// See [`Rule::docs`].
pub static RULE: Rule = Rule {
    id: "cpu-overload",
    category: "cpu_overload",
    summary: "detects workloads whose CPU use makes them slow",
    docs: "\
## What it means
The pods of this workload use much more CPU than before, up to their limit or that of their node, and answer slowly for it.

## How it is detected
Alerts that fire now are classified by their words, whatever their names, and laid over the graph of who calls whom (from \
mesh and trace metrics; failing these, from configured addresses). It is where latency begins, and an alert says that its CPU is used up. A busy CPU that slows nobody down is told as information. Alerts that are pending, silenced, resolved, of severity `info`, or that have fired \
for more than a day do not count.

## What to do
Find what computes (a loop, a new version, more requests: `kubectl top pods --containers`), add replicas, or raise the CPU request and limit.",
    severity: Severity::Error,
    needs: &[Kind::Pod],
    uses: &[Kind::Service],
    explains: &[consequences::SIGNALS, consequences::PROBES_FAIL, &["cpu-throttling", "log-error-running"]],
    check,
};

fn check(scene: &Scene<'_>) -> Vec<Finding> {
    report::of_workloads(scene, &RULE, Trouble::CpuOverload, "uses up its CPU")
}
