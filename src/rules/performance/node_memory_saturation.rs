//! Nodes that are about to run out of memory.

use crate::model::{Finding, Kind, Severity};
use crate::rules::{Rule, consequences};
use crate::scene::Scene;
use crate::scene::signals::{Trouble, report};

/// See [`Rule::docs`].
pub static RULE: Rule = Rule {
    id: "node-memory-saturation",
    category: "memory_saturation",
    summary: "detects nodes that are about to run out of memory",
    docs: "\
## What it means
Nearly all memory of this node is used: the kubelet will evict pods, or the kernel end them.

## How it is detected
Alerts that fire now are classified by their words, whatever their names, and laid over the graph of who calls whom (from \
mesh and trace metrics; failing these, from configured addresses). An alert about memory is about this node, and does not itself say that it is far from full. Alerts that are pending, silenced, resolved, of severity `info`, or that have fired \
for more than a day do not count.

## What to do
Find what uses it (`kubectl top pods -A --sort-by=memory`), and give pods memory requests and limits.",
    severity: Severity::Error,
    needs: &[Kind::Pod, Kind::Node, Kind::ReplicaSet],
    uses: &[Kind::Service],
    explains: &[consequences::SIGNALS, consequences::PROBES_FAIL, &["log-error-running", "memory-saturation", "network-latency", "node-pressure-eviction"]],
    check,
};

fn check(scene: &Scene<'_>) -> Vec<Finding> {
    report::of_nodes(scene, &RULE, &[Trouble::MemorySaturation], "is running out of memory")
}
