//! All nodes that fit have a taint that the pod does not tolerate.

use std::collections::BTreeMap;

use k8s_openapi::api::core::v1::Taint;

use crate::model::{Finding, Kind, Recommendation, Risk, Severity};
use crate::render::quote;
use crate::rules::{Rule, consequences};
use crate::scene::scheduling::fit::Guest;
use crate::scene::scheduling::{describe, words};
use crate::scene::{Obstacle, Placement, Scene};

/// See [`Rule::docs`].
pub static RULE: Rule = Rule {
    id: "untolerated-taint",
    category: "untolerated_taint",
    summary: "detects pods that fit on no node but those with a taint they do not tolerate",
    docs: "\
## What it means
A taint keeps pods off a node unless they tolerate it. Every node that this pod could run on has such a taint.

## How it is detected
The scheduler says that nodes had untolerated taints, and a recomputation finds that the pod would fit there but for the \
taint. The taint of the control plane does not count while there are other nodes. Taints that Kubernetes sets on a node at \
fault are reported as a consequence of that fault, with low confidence.

## What to do
Add a toleration to the workload if it belongs on these nodes; or remove the taint if it was set by mistake; or add nodes \
without it.",
    severity: Severity::Error,
    needs: &[Kind::Pod],
    uses: &[Kind::Node, Kind::Event],
    explains: &[consequences::PODS_NOT_READY],
    check,
};

fn check(scene: &Scene<'_>) -> Vec<Finding> {
    let find = |placement: &Placement| match placement.obstacle {
        Obstacle::Taint => tainted(scene, placement),
        Obstacle::NodeFault => Some(node_at_fault(scene, placement)),
        _ => None,
    };
    scene.placements().iter().filter_map(find).collect()
}

fn tainted(scene: &Scene<'_>, placement: &Placement) -> Option<Finding> {
    let pod = scene.pod(placement.pod);
    let guest = Guest::new(scene.snapshot, &pod.pod.object)?;
    let workload = &pod.workload().object;
    let mut by_taint: BTreeMap<String, Vec<&str>> = BTreeMap::new();
    for node in placement.nodes(scene) {
        if let Some(taint) = guest.untolerated(node).find(|taint| words::taint(&taint.key) == Obstacle::Taint) {
            by_taint.entry(print(taint)).or_default().push(node.name());
        }
    }
    let Some((taint, nodes)) = by_taint.iter().max_by_key(|(_, nodes)| nodes.len()) else {
        return Some(by_words(scene, placement));
    };
    let place = match nodes.as_slice() {
        [node] if by_taint.len() == 1 => format!(" of {node}, the only node that it could run on"),
        _ if by_taint.len() == 1 => {
            format!(", which all nodes have that it could run on ({})", describe::names(nodes.iter().copied()))
        }
        _ => format!(" of {}, nor the taints of the other nodes", describe::names(nodes.iter().copied())),
    };
    let key = taint.split(['=', ':']).next().unwrap_or_default();
    let message = format!("{} does not tolerate the taint `{taint}`{place}", workload.short());
    let finding = placement.cite(scene, RULE.finding(workload.clone(), message).key(key));
    let removal = format!("{taint}-");
    let remove = [&["kubectl", "taint", "nodes"], nodes.as_slice(), &[removal.as_str()]].concat();
    let node = scene.nodes().get(nodes.first()?)?;
    let add = format!("add a toleration of `{taint}` to {}, if it belongs on these nodes", workload.short());
    let finding = finding.because(node.object(), "spec.taints", taint.as_str()).confidence(placement.confidence());
    Some(
        finding.recommend(Recommendation::new("edit-object", add)).recommend(
            Recommendation::new("edit-node", "or remove the taint, if it was set by mistake")
                .risk(Risk::Medium)
                .command(quote::command(&remove)),
        ),
    )
}

fn print(taint: &Taint) -> String {
    let value =
        taint.value.as_deref().filter(|value| !value.is_empty()).map(|value| format!("={value}")).unwrap_or_default();
    format!("{}{value}:{}", taint.key, taint.effect)
}

fn by_words(scene: &Scene<'_>, placement: &Placement) -> Finding {
    let workload = &scene.pod(placement.pod).workload().object;
    let key = placement
        .reasons
        .iter()
        .find(|reason| reason.obstacle == Obstacle::Taint)
        .map_or("", |reason| reason.detail.as_str());
    let which = if key.is_empty() { "a taint".to_owned() } else { format!("the taint `{key}`") };
    let message = format!("{} does not tolerate {which} of the nodes", workload.short());
    let cure = format!("add a toleration to {}, if it belongs on these nodes, or remove the taint", workload.short());
    let finding = placement.cite(scene, RULE.finding(workload.clone(), message).key(key));
    finding
        .confidence(if placement.sure { 0.9 } else { 0.6 })
        .recommend(Recommendation::new("edit-object", cure))
        .next("kubectl describe nodes")
}

/// The node's fault is the cause; this only leads to it.
fn node_at_fault(scene: &Scene<'_>, placement: &Placement) -> Finding {
    let workload = &scene.pod(placement.pod).workload().object;
    let nodes = placement.nodes(scene);
    let key = placement
        .reasons
        .iter()
        .find(|reason| reason.obstacle == Obstacle::NodeFault)
        .map_or("", |reason| reason.detail.as_str());
    let names =
        if nodes.is_empty() { "a node".to_owned() } else { describe::names(nodes.iter().map(|node| node.name())) };
    let message = format!(
        "{} could run on {names}, but Kubernetes tainted it `{key}`, because the node is not healthy",
        workload.short()
    );
    let mut finding = placement.cite(scene, RULE.finding(workload.clone(), message).key(key)).confidence(0.4);
    // A node explains what happens to its own pods, and this pod has no node yet.
    finding.affected = vec![workload.clone()];
    for node in nodes {
        finding = finding.mentions(node.object()).next(quote::command(&["kubectl", "describe", "node", node.name()]));
    }
    finding.recommend(Recommendation::new("fix-node", format!("bring {names} back")))
}
