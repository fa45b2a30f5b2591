//! The kubelet of a node stopped reporting.

use jiff::SignedDuration;

use crate::model::{Finding, Kind, ObjectRef, Recommendation, Severity};
use crate::rules::{Rule, consequences};
use crate::scene::Scene;
use crate::scene::scheduling::node::{self, NodeView};

/// See [`Rule::docs`].
pub static RULE: Rule = Rule {
    id: "kubelet-down",
    category: "kubelet_down",
    summary: "detects nodes whose kubelet stopped reporting",
    docs: "\
## What it means
Nothing was heard of the node's kubelet: the kubelet is stopped, the machine is off, or its network to the API server is cut. \
Containers may still run there, but nobody knows; their pods count as not ready, and nothing on the node can be started, \
stopped or probed.

## How it is detected
The node's condition `Ready` is `Unknown` (`NodeStatusUnknown`); or, earlier than that, its lease was not renewed for more than \
a minute while other kubelets renewed theirs.

## What to do
Look at the machine: is it up, is `kubelet` running (`systemctl status kubelet`, `journalctl -u kubelet`), does it reach the API \
server. If the machine is lost, delete its Node object, so that volumes and StatefulSet pods can move.",
    severity: Severity::Error,
    needs: &[Kind::Node, Kind::Pod, Kind::Lease],
    uses: &[],
    explains: &[consequences::PODS_NOT_READY, consequences::CALLS_FAIL, consequences::PROBES_FAIL, consequences::NO_ROOM, &["cluster-dns-config", "external-dns", "kube-proxy-down", "node-not-ready", "sandbox-failed", "stuck-terminating", "untolerated-taint", "volume-mount-failed", "webhook-blocking"]],
    check,
};

/// The node controller waits 40 to 50 s before it calls a node unknown.
const SILENT: SignedDuration = SignedDuration::from_secs(60);

fn check(scene: &Scene<'_>) -> Vec<Finding> {
    let newest = node::newest_lease(scene);
    node::all(scene).iter().filter_map(|node| silent(node).or_else(|| stale(node, newest))).collect()
}

/// The node controller says so itself.
fn silent(node: &NodeView<'_>) -> Option<Finding> {
    let condition = node.not_ready().filter(|condition| condition.status == "Unknown")?;
    let (reason, text) =
        (condition.reason.as_deref().unwrap_or("Unknown"), condition.message.as_deref().unwrap_or_default());
    let since = node::since(condition);
    let heard = condition.last_heartbeat_time.as_ref().map(|time| time.0);
    let message = format!("kubelet of node/{} stopped reporting, so that the node is NotReady ({reason})", node.name());
    let finding = RULE
        .finding(node.object(), message)
        .because_at(node.object(), "status.conditions[Ready].message", text, since)
        .because_at(node.object(), "status.conditions[Ready].status", "Unknown", heard)
        .seen(heard.or(since), Some(node.scene.now()))
        .confidence(0.96);
    Some(finish(node, finding))
}

/// The lease is behind, though the controller has not noticed yet, or the snapshot has no condition.
fn stale(node: &NodeView<'_>, newest: Option<jiff::Timestamp>) -> Option<Finding> {
    let (renewed, newest) = (node.renewed()?, newest?);
    let behind = newest.duration_since(renewed);
    if behind <= SILENT {
        return None;
    }
    let message =
        format!("kubelet of node/{} stopped renewing its lease, and the node is about to become NotReady", node.name());
    let finding = RULE
        .finding(node.object(), message)
        .because_at(
            ObjectRef::new(Kind::Lease, "kube-node-lease", node.name()),
            "spec.renewTime",
            renewed.to_string(),
            Some(renewed),
        )
        .seen(Some(renewed), Some(node.scene.now()))
        .confidence(0.85);
    Some(finish(node, finding))
}

fn finish(node: &NodeView<'_>, finding: Finding) -> Finding {
    let name = node.name();
    let start = format!(
        "look at machine {name}: start its kubelet (`systemctl restart kubelet`) or restore its power and network"
    );
    let lost = format!("if {name} is lost for good, delete its Node object, so that its pods and volumes can move");
    let delete = crate::render::quote::command(&["kubectl", "delete", "node", name]);
    let finding = finding
        .recommend(Recommendation::new("repair-node", start))
        .recommend(Recommendation::new("delete-object", lost).risk(crate::model::incident::Risk::High).command(delete));
    node.hit(finding)
}
