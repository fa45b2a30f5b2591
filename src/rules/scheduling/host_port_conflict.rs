//! The host port is taken on every node.

use crate::model::{Finding, Kind, Recommendation, Severity};
use crate::rules::{Rule, consequences};
use crate::scene::pods::owners;
use crate::scene::scheduling::describe;
use crate::scene::scheduling::fit::{Guest, holder};
use crate::scene::{Obstacle, Placement, Scene};

/// See [`Rule::docs`].
pub static RULE: Rule = Rule {
    id: "host-port-conflict",
    category: "host_port_conflict",
    summary: "detects pods whose host port is taken on every node that they could run on",
    docs: "\
## What it means
A host port can be held by one pod a node. Every node that this pod fits on already has a pod that holds it: another \
workload, or the old pod of its own rollout.

## How it is detected
The scheduler says that nodes had no free ports for the pod. The pods on these nodes are searched for the holder.

## What to do
Drop `hostPort` (a Service does the same without one), choose another port, or in a rollout let the old pod go first \
(`maxSurge: 0`).",
    severity: Severity::Error,
    needs: &[Kind::Pod],
    uses: &[Kind::Node, Kind::Event],
    explains: &[consequences::PODS_NOT_READY],
    check,
};

fn check(scene: &Scene<'_>) -> Vec<Finding> {
    let shut_out = scene.placements().iter().filter(|placement| placement.obstacle == Obstacle::HostPort);
    shut_out.filter_map(|placement| port_taken(scene, placement)).collect()
}

fn port_taken(scene: &Scene<'_>, placement: &Placement) -> Option<Finding> {
    let pod = scene.pod(placement.pod);
    let guest = Guest::new(scene.snapshot, &pod.pod.object)?;
    let workload = &pod.workload().object;
    let nodes = placement.nodes(scene);
    let found = guest.ports().find_map(|port| nodes.iter().find_map(|node| Some((port, holder(port, node)?))));
    let port = found.map(|(port, _)| port).or_else(|| guest.ports().next())?;
    let number = port.host_port?.to_string();
    let on = match nodes.as_slice() {
        [] => "every node that it fits on".to_owned(),
        [node] => format!("{}, the only node that it fits on", node.name()),
        _ => format!("all nodes that it fits on ({})", describe::names(nodes.iter().map(|node| node.name()))),
    };
    let protocol = port.protocol.as_deref().unwrap_or("TCP");
    let by = found.map(|(_, other)| owners::workload_of(scene.snapshot, &other.object));
    let by_words = match &by {
        Some(other) if other == workload => " by a pod of its own".to_owned(),
        Some(other) => format!(" by {} in namespace {}", other.short(), other.namespace()),
        None => String::new(),
    };
    let message =
        format!("{} asks for host port {number}/{protocol}, which is taken{by_words} on {on}", workload.short());
    let mut finding = placement.cite(scene, RULE.finding(workload.clone(), message).key(number.as_str()));
    finding = finding
        .because(pod.object(), "spec.containers[].ports[].hostPort", number.as_str())
        .confidence(placement.confidence());
    if let Some((_, other)) = found {
        let holder = crate::model::ObjectRef::new(
            Kind::Pod,
            crate::model::store::HasMeta::namespace(&other.object),
            crate::model::store::HasMeta::name(&other.object),
        );
        finding = finding.because(holder, "spec.containers[].ports[].hostPort", number.as_str());
    }
    let cure = format!(
        "drop the host port {number} of {} in favour of a Service, choose another port, or remove its other holder",
        workload.short()
    );
    Some(finding.recommend(Recommendation::new("edit-object", cure)))
}
