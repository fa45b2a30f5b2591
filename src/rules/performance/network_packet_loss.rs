//! Workloads whose packets are lost or corrupted.

use crate::model::{Finding, Kind, Severity};
use crate::rules::{Rule, consequences};
use crate::scene::Scene;
use crate::scene::signals::{Trouble, report};

/// See [`Rule::docs`].
pub static RULE: Rule = Rule {
    id: "network-packet-loss",
    category: "network_packet_loss",
    summary: "detects workloads whose packets are lost or corrupted",
    docs: "\
## What it means
Packets to or from the pods of this workload are lost, corrupted or sent again: its requests are slow at random, and some fail.

## How it is detected
Alerts that fire now are classified by their words, whatever their names, and laid over the graph of who calls whom (from \
mesh and trace metrics; failing these, from configured addresses). An alert about loss, corruption or retransmissions is about this workload, and nothing that it calls explains it. Alerts that are pending, silenced, resolved, of severity `info`, or that have fired \
for more than a day do not count.

## What to do
Look at the interface and the network plugin on the nodes of its pods, at policies that drop packets, and at conntrack tables that are full.",
    severity: Severity::Error,
    needs: &[Kind::Pod],
    uses: &[Kind::Service],
    explains: &[consequences::SIGNALS, consequences::PROBES_FAIL, &["log-error-running"]],
    check,
};

fn check(scene: &Scene<'_>) -> Vec<Finding> {
    report::of_workloads(scene, &RULE, Trouble::PacketLoss, "loses packets")
}
