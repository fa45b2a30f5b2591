//! Workloads whose disk is full or slow.

use crate::model::{Finding, Kind, Severity};
use crate::rules::{Rule, consequences};
use crate::scene::Scene;
use crate::scene::signals::{Trouble, report};

/// See [`Rule::docs`].
pub static RULE: Rule = Rule {
    id: "disk-saturation",
    category: "disk_saturation",
    summary: "detects workloads whose disk is full or slow",
    docs: "\
## What it means
Reading and writing takes longer than the program can wait for, or the volume is nearly full.

## How it is detected
Alerts that fire now are classified by their words, whatever their names, and laid over the graph of who calls whom (from \
mesh and trace metrics; failing these, from configured addresses). An alert about a disk, volume or file system is about this workload, and nothing that it calls explains it. Alerts that are pending, silenced, resolved, of severity `info`, or that have fired \
for more than a day do not count.

## What to do
Look at the use of its volumes (`kubectl exec POD -- df -h`), at what else writes to the same disk, and at the limits of the storage class.",
    severity: Severity::Error,
    needs: &[Kind::Pod],
    uses: &[Kind::Service],
    explains: &[consequences::SIGNALS, consequences::PROBES_FAIL, &["disk-full", "log-error-running"]],
    check,
};

fn check(scene: &Scene<'_>) -> Vec<Finding> {
    report::of_workloads(scene, &RULE, Trouble::DiskSaturation, "waits for a disk that is full or slow")
}
