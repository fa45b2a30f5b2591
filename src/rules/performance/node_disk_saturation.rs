//! Nodes whose disk is full or slow.

use crate::model::{Finding, Kind, Severity};
use crate::rules::{Rule, consequences};
use crate::scene::Scene;
use crate::scene::signals::{Trouble, report};

/// See [`Rule::docs`].
pub static RULE: Rule = Rule {
    id: "node-disk-saturation",
    category: "disk_saturation",
    summary: "detects nodes whose disk is full or slow",
    docs: "\
## What it means
A disk of this node is nearly full, or everything on the node waits for it.

## How it is detected
Alerts that fire now are classified by their words, whatever their names, and laid over the graph of who calls whom (from \
mesh and trace metrics; failing these, from configured addresses). An alert about a disk or file system is about this node, and does not itself say that it is far from full. Alerts that are pending, silenced, resolved, of severity `info`, or that have fired \
for more than a day do not count.

## What to do
Look at what fills or uses it (`df -h`, `iostat -x`): images, logs, emptyDirs. The kubelet evicts pods when it is full.",
    severity: Severity::Error,
    needs: &[Kind::Pod, Kind::Node, Kind::ReplicaSet],
    uses: &[Kind::Service],
    explains: &[consequences::SIGNALS, consequences::PROBES_FAIL, &["disk-full", "disk-saturation", "log-error-running", "network-latency", "node-pressure-eviction"]],
    check,
};

fn check(scene: &Scene<'_>) -> Vec<Finding> {
    report::of_nodes(scene, &RULE, &[Trouble::DiskSaturation], "has a disk that is full or slow")
}
