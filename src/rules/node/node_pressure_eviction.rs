//! A node ran low on a resource and evicted pods.

use std::collections::BTreeMap;

use jiff::Timestamp;

use crate::model::{Finding, Kind, ObjectRef, Recommendation, Severity, State};
use crate::rules::{Rule, consequences};
use crate::scene::access::refusal;
use crate::scene::scheduling::node::{self, NodeView};
use crate::scene::{PodView, Scene};

/// See [`Rule::docs`].
pub static RULE: Rule = Rule {
    id: "node-pressure-eviction",
    category: "node_pressure_eviction",
    summary: "detects nodes that run low on memory, disk or process ids and evict pods",
    docs: "\
## What it means
The node itself ran short of memory, disk or process ids. To save it, the kubelet ends pods, first those that use more than \
they requested, and takes no new ones. A pod that outgrew its own ephemeral-storage limit is another matter.

## How it is detected
A pod recently failed with the reason `Evicted` and `The node was low on resource`, or the node's condition `MemoryPressure`, \
`DiskPressure` or `PIDPressure` is `True` now.

## What to do
Give the pods requests that match what they use, so that the scheduler spreads them; limit the biggest user; free the disk \
(images, logs, `emptyDir`) or give the node more of the resource.",
    severity: Severity::Error,
    needs: &[Kind::Pod, Kind::Node],
    uses: &[Kind::Event],
    explains: &[consequences::PODS_NOT_READY, consequences::NO_ROOM, &["crash-no-logs", "image-pull-failed", "liveness-probe-failing", "readiness-probe-failing", "sandbox-failed", "untolerated-taint"]],
    check,
};

const CONDITIONS: &[(&str, &str)] =
    &[("MemoryPressure", "memory"), ("DiskPressure", "disk"), ("PIDPressure", "process ids")];

fn check(scene: &Scene<'_>) -> Vec<Finding> {
    let nodes = node::all(scene);
    let mut findings: Vec<Finding> = nodes.iter().flat_map(pressures).collect();
    let pressed: BTreeMap<&str, &NodeView<'_>> = nodes
        .iter()
        .filter(|node| CONDITIONS.iter().any(|(type_, _)| is_true(node, type_)))
        .map(|node| (node.name(), node))
        .collect();
    findings.extend(scene.suspects().filter_map(|pod| evicted(pod, &pressed)));
    findings
}

fn is_true(node: &NodeView<'_>, type_: &str) -> bool {
    node.condition(type_).is_some_and(|condition| condition.status == "True")
}

/// The pressure that the node reports now.
fn pressures<'n>(node: &'n NodeView<'_>) -> impl Iterator<Item = Finding> + 'n {
    CONDITIONS.iter().filter(|(type_, _)| is_true(node, type_)).filter_map(|(type_, resource)| {
        let condition = node.condition(type_)?;
        let text = condition.message.as_deref().unwrap_or(type_);
        let since = node::since(condition);
        let message =
            format!("node/{} runs low on {resource} ({type_}): it takes no new pods and evicts some", node.name());
        let finding = RULE
            .finding(node.object(), message)
            .key(*resource)
            .because_at(node.object(), format!("status.conditions[{type_}].message"), refusal::cut(text, 300), since)
            .seen(since, Some(node.scene.now()))
            .confidence(0.95)
            .severity(Severity::Warning)
            .recommend(cure(node.name(), resource));
        Some(node.hit(finding))
    })
}

fn evicted(pod: PodView<'_>, pressed: &BTreeMap<&str, &NodeView<'_>>) -> Option<Finding> {
    let status = pod.status().filter(|status| status.reason.as_deref() == Some("Evicted"))?;
    let text = status.message.as_deref().filter(|text| text.contains("The node was low on resource"))?;
    let node = pod.node()?;
    let when = when(pod);
    if !pod.scene.is_recent(when) {
        return None;
    }
    let resource = word(refusal::between(text, "low on resource: ", ".")?);
    let state = if pressed.contains_key(node) || !replaced(pod) { State::Present } else { State::Past };
    let amounts = amounts(text).map(|amounts| format!(" ({amounts})")).unwrap_or_default();
    let user = user(text).map(|user| format!(", as {user}")).unwrap_or_default();
    let owner = &pod.workload().object;
    let owner_name = if owner.is(Kind::Pod) { owner.short() } else { format!("a pod of {}", owner.short()) };
    let message = format!("node/{node} ran low on {resource}{amounts} and evicted {owner_name}{user}");
    let finding = RULE
        .finding(ObjectRef::new(Kind::Node, "", node), message)
        .key(resource)
        .because_at(pod.object(), "status.message", refusal::cut(text.trim(), 300), when)
        .seen(when, when)
        .affects(pod.object())
        .affects(owner.clone())
        .state(state)
        .confidence(0.93)
        .recommend(cure(node, resource))
        .next(format!("kubectl describe node {}", crate::render::quote::sh(node)));
    Some(finding)
}

/// Returns when the kubelet evicted a pod.
fn when(pod: PodView<'_>) -> Option<Timestamp> {
    let condition = pod.condition("DisruptionTarget").and_then(|condition| condition.last_transition_time.as_ref());
    let event = || pod.event("Evicted").and_then(|event| event.last);
    let started = || pod.status().and_then(|status| status.start_time.as_ref()).map(|time| time.0);
    condition.map(|time| time.0).or_else(event).or_else(started)
}

/// Returns whether the workload has as many ready pods as it wants.
fn replaced(pod: PodView<'_>) -> bool {
    let workload = pod.workload();
    let ready = pod.scene.pods_of(workload).filter(|pod| pod.is_ready() && !pod.is_finished()).count();
    workload.desired.is_some_and(|desired| i32::try_from(ready).is_ok_and(|ready| ready >= desired))
}

/// Returns the plain word for the kubelet's name of a resource.
fn word(resource: &str) -> &str {
    match resource {
        "ephemeral-storage" | "inodes" => "disk",
        "pids" => "process ids",
        other => other,
    }
}

/// Returns `threshold 100Mi, available 80Mi`.
fn amounts(text: &str) -> Option<String> {
    let threshold = refusal::between(text, "Threshold quantity: ", ",")?;
    let available = refusal::between(text, "available: ", ". ")?.trim_end_matches('.');
    Some(format!("threshold {threshold}, available {available}"))
}

/// Returns what the kubelet says of the biggest user: `container `main` was using 3Gi, request is 0`.
fn user(text: &str) -> Option<String> {
    let (container, rest) = text.split_once("Container ")?.1.split_once(" was using ")?;
    let used = rest.split_once(',').map_or(rest, |(used, _)| used);
    let request = refusal::between(rest, "request is ", ",")?.trim_end_matches(['.', ' ']);
    Some(format!("its container `{container}` used {used} and requests {request}"))
}

fn cure(node: &str, resource: &str) -> Recommendation {
    let summary = match resource {
        "memory" => {
            format!("set memory requests near what pods use and limit the biggest user, or give {node} more memory")
        }
        "disk" => format!(
            "free the disk of {node} (images, logs, emptyDir volumes), and set ephemeral-storage requests and limits"
        ),
        _ => format!("end what uses up {resource} on {node}, or raise its limit"),
    };
    Recommendation::new("free-resources", summary)
}
