//! The only nodes that fit are cordoned.

use std::collections::BTreeMap;

use crate::model::{Finding, Kind, Recommendation, Severity};
use crate::render::quote;
use crate::rules::{Rule, consequences};
use crate::scene::scheduling::describe;
use crate::scene::{NodeRoom, Obstacle, Placement, Scene};

/// See [`Rule::docs`].
pub static RULE: Rule = Rule {
    id: "node-cordoned",
    category: "node_cordoned",
    summary: "detects cordoned nodes without which pods cannot run",
    docs: "\
## What it means
A cordoned node takes no new pods (`kubectl cordon`, `kubectl drain`, an upgrade). Pods wait that fit on no other node.

## How it is detected
The scheduler says that nodes were unschedulable, and a recomputation finds that the pod would fit on the cordoned node and \
on no other. The control plane does not count while there are other nodes.

## What to do
Uncordon the node when its maintenance is over, or let the pods run elsewhere: more nodes, a wider selector.",
    severity: Severity::Error,
    needs: &[Kind::Pod, Kind::Node],
    uses: &[Kind::Event],
    explains: &[consequences::PODS_NOT_READY],
    check,
};

fn check(scene: &Scene<'_>) -> Vec<Finding> {
    let mut waiting: BTreeMap<Vec<usize>, Vec<&Placement>> = BTreeMap::new();
    for placement in scene.placements().iter().filter(|placement| placement.obstacle == Obstacle::Cordon) {
        waiting.entry(placement.nodes.clone()).or_default().push(placement);
    }
    waiting.values().filter_map(|placements| cordoned(scene, placements)).collect()
}

/// One finding for all that wait for the same nodes.
fn cordoned(scene: &Scene<'_>, placements: &[&Placement]) -> Option<Finding> {
    let first = *placements.first()?;
    let nodes = first.nodes(scene);
    let node = *nodes.first()?;
    let mut workloads: Vec<_> =
        placements.iter().map(|placement| scene.pod(placement.pod).workload().object.short()).collect();
    workloads.sort();
    workloads.dedup();
    let others: Vec<_> = nodes.iter().skip(1).map(|node| node.name()).collect();
    let others = match others.len() {
        0 => String::new(),
        1 => format!(", as is {}", describe::names(others)),
        _ => format!(", as are {}", describe::names(others)),
    };
    let workloads = describe::names(workloads.iter().map(String::as_str));
    let message = format!("{} is cordoned{others}, and no other node can take {workloads}", node.object().short());
    let since = since(node);
    let mut finding =
        RULE.finding(node.object(), message).because_at(node.object(), "spec.unschedulable", "true", since);
    finding = first.cite(scene, finding).confidence(first.confidence());
    for placement in placements.iter().skip(1) {
        let pod = scene.pod(placement.pod);
        finding = finding.affects(pod.object()).seen(placement.since.or(pod.created()), None);
    }
    for node in nodes.iter().skip(1) {
        finding = finding.because(node.object(), "spec.unschedulable", "true");
    }
    let cure = format!("uncordon {} when its maintenance is over, or let {workloads} run on other nodes", node.name());
    Some(finding.recommend(Recommendation::new("uncordon-node", cure).command(quote::command(&[
        "kubectl",
        "uncordon",
        node.name(),
    ]))))
}

/// Returns when the node was cordoned, as the taint that goes with it tells.
fn since(node: &NodeRoom<'_>) -> Option<jiff::Timestamp> {
    let taint = node.taints().iter().find(|taint| taint.key == "node.kubernetes.io/unschedulable")?;
    taint.time_added.as_ref().map(|time| time.0)
}
