//! A node is not ready.

use k8s_openapi::api::core::v1::NodeCondition;

use crate::model::{Finding, Kind, Recommendation, Severity};
use crate::render::quote;
use crate::rules::{Rule, consequences};
use crate::scene::Scene;
use crate::scene::access::refusal;
use crate::scene::scheduling::node::{self, NodeView};

/// See [`Rule::docs`].
pub static RULE: Rule = Rule {
    id: "node-not-ready",
    category: "node_not_ready",
    summary: "detects nodes that are not ready for a reason of their own",
    docs: "\
## What it means
The kubelet of the node reports that it cannot run pods, and says why. New pods do not go there, those on it count as not \
ready, and after five minutes they are evicted.

## How it is detected
The node's condition `Ready` is `False`. A kubelet that reports nothing at all, a dead container runtime and a missing network \
have rules of their own.

## What to do
Read the condition's message, then the kubelet's log on the node: `journalctl -u kubelet`.",
    severity: Severity::Error,
    needs: &[Kind::Node, Kind::Pod],
    uses: &[],
    explains: &[consequences::PODS_NOT_READY, consequences::CALLS_FAIL, consequences::PROBES_FAIL, consequences::NO_ROOM, &["cluster-dns-config", "external-dns", "image-pull-failed", "kube-proxy-down", "sandbox-failed", "stuck-terminating", "untolerated-taint", "volume-mount-failed", "webhook-blocking"]],
    check,
};

fn check(scene: &Scene<'_>) -> Vec<Finding> {
    node::all(scene).iter().filter_map(not_ready).collect()
}

fn not_ready(node: &NodeView<'_>) -> Option<Finding> {
    let condition = node.not_ready().filter(|condition| condition.status == "False" && is_own(condition))?;
    let (reason, text) =
        (condition.reason.as_deref().unwrap_or_default(), condition.message.as_deref().unwrap_or_default());
    let message =
        format!("node/{} is not ready ({reason}): {}", node.name(), refusal::cut(text.trim_end_matches('.'), 160));
    let since = node::since(condition);
    let finding = RULE
        .finding(node.object(), message)
        .because_at(node.object(), "status.conditions[Ready].message", refusal::cut(text, 300), since)
        .seen(since, Some(node.scene.now()))
        .confidence(0.95)
        .recommend(Recommendation::new(
            "repair-node",
            format!(
                "repair what the kubelet of {} reports: {}",
                node.name(),
                refusal::cut(text.trim_end_matches('.'), 160)
            ),
        ))
        .recommend(cordon(node));
    Some(node.hit(finding))
}

/// Returns whether no other rule speaks for this message.
fn is_own(condition: &NodeCondition) -> bool {
    let text = condition.message.as_deref().unwrap_or_default();
    let others = [
        "container runtime is down",
        "PLEG is not healthy",
        "container runtime not ready",
        "network plugin",
        "cni plugin",
        "cni config",
        "runtime network not ready",
    ];
    !others.iter().any(|word| text.contains(word))
}

fn cordon(node: &NodeView<'_>) -> Recommendation {
    let summary = format!("keep new pods away from {} until it is repaired", node.name());
    Recommendation::new("cordon", summary).command(quote::command(&["kubectl", "cordon", node.name()]))
}
