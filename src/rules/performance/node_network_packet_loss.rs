//! Nodes whose network loses packets.

use crate::model::{Finding, Kind, Severity};
use crate::rules::{Rule, consequences};
use crate::scene::Scene;
use crate::scene::signals::{Trouble, report};

/// See [`Rule::docs`].
pub static RULE: Rule = Rule {
    id: "node-network-packet-loss",
    category: "network_packet_loss",
    summary: "detects nodes whose network loses packets",
    docs: "\
## What it means
Packets to and from this node are lost and sent again: everything on it is slow at random.

## How it is detected
Alerts that fire now are classified by their words, whatever their names, and laid over the graph of who calls whom (from \
mesh and trace metrics; failing these, from configured addresses). An alert about loss or retransmissions is about this node; of several, it is the one that loses most, as the others only talk to it. Medians \
did not grow by more than a retransmission takes. Alerts that are pending, silenced, resolved, of severity `info`, or that have fired \
for more than a day do not count.

## What to do
Look at the interface of the node (`ethtool -S`, errors and drops in `ip -s link`), its cable or virtual switch, and conntrack. Drain the node to end the trouble.",
    severity: Severity::Error,
    needs: &[Kind::Pod, Kind::Node, Kind::ReplicaSet],
    uses: &[Kind::Service],
    explains: &[consequences::SIGNALS, consequences::PROBES_FAIL, &["dependency-unreachable", "log-error-running", "network-latency", "network-packet-loss"]],
    check,
};

fn check(scene: &Scene<'_>) -> Vec<Finding> {
    report::of_nodes(scene, &RULE, &[Trouble::PacketLoss], "loses packets")
}
