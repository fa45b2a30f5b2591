//! Nodes whose network is slow.

use crate::model::{Finding, Kind, Severity};
use crate::rules::{Rule, consequences};
use crate::scene::Scene;
use crate::scene::signals::{Trouble, report};

/// See [`Rule::docs`].
pub static RULE: Rule = Rule {
    id: "node-network-latency",
    category: "network_delay",
    summary: "detects nodes whose network is slow",
    docs: "\
## What it means
What runs on this node, and what talks to it, is slow: its network delays every packet.

## How it is detected
Alerts that fire now are classified by their words, whatever their names, and laid over the graph of who calls whom (from \
mesh and trace metrics; failing these, from configured addresses). Packets of the node are sent again and medians grew by more than a retransmission takes; or several services that do not call each other are \
slow, all of them on this node and none elsewhere. Alerts that are pending, silenced, resolved, of severity `info`, or that have fired \
for more than a day do not count.

## What to do
Look at the interface of the node (`ethtool -S`, `tc qdisc show`), its link and its neighbours. Drain the node to end the trouble.",
    severity: Severity::Error,
    needs: &[Kind::Pod, Kind::Node, Kind::ReplicaSet],
    uses: &[Kind::Service],
    explains: &[consequences::SIGNALS, consequences::PROBES_FAIL, &["dependency-unreachable", "log-error-running", "network-latency", "network-packet-loss"]],
    check,
};

fn check(scene: &Scene<'_>) -> Vec<Finding> {
    report::of_nodes(scene, &RULE, &[Trouble::Delay], "has a slow network")
}
