//! Nodes without free cpu.

use crate::model::{Finding, Kind, Severity};
use crate::rules::{Rule, consequences};
use crate::scene::Scene;
use crate::scene::signals::{Trouble, report};

/// See [`Rule::docs`].
pub static RULE: Rule = Rule {
    id: "node-cpu-overload",
    category: "cpu_overload",
    summary: "detects nodes without free CPU",
    docs: "\
## What it means
The CPUs of this node are busy all the time: what runs there waits for its turn.

## How it is detected
Alerts that fire now are classified by their words, whatever their names, and laid over the graph of who calls whom (from \
mesh and trace metrics; failing these, from configured addresses). An alert about CPU or load is about this node, and does not itself say that it is far from full. Alerts that are pending, silenced, resolved, of severity `info`, or that have fired \
for more than a day do not count.

## What to do
Find what computes (`kubectl top pods -A --sort-by=cpu`), and give pods CPU requests so that the scheduler spreads them.",
    severity: Severity::Error,
    needs: &[Kind::Pod, Kind::Node, Kind::ReplicaSet],
    uses: &[Kind::Service],
    explains: &[consequences::SIGNALS, consequences::PROBES_FAIL, &["cpu-overload", "cpu-throttling", "log-error-running", "network-latency"]],
    check,
};

fn check(scene: &Scene<'_>) -> Vec<Finding> {
    report::of_nodes(scene, &RULE, &[Trouble::CpuOverload, Trouble::CpuThrottling], "has no free CPU")
}
