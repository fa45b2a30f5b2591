//! The container runtime of a node does not answer.

use jiff::Timestamp;

use crate::model::{Finding, Kind, Recommendation, Severity};
use crate::rules::{Rule, consequences};
use crate::scene::Scene;
use crate::scene::access::refusal;
use crate::scene::scheduling::node::{self, NodeView};

/// See [`Rule::docs`].
pub static RULE: Rule = Rule {
    id: "container-runtime-down",
    category: "container_runtime_down",
    summary: "detects nodes whose container runtime does not answer the kubelet",
    docs: "\
## What it means
The kubelet lives, but containerd (or CRI-O) does not answer it. Containers that run may go on, but none can be started, \
stopped or looked at.

## How it is detected
The node is not ready and its kubelet says `container runtime is down` or `PLEG is not healthy`; or it keeps failing to dial the \
runtime's socket while it is not ready.

## What to do
Restart the runtime on the node (`systemctl restart containerd`), and read its log: a full disk and too many dead \
containers are usual reasons.",
    severity: Severity::Error,
    needs: &[Kind::Node, Kind::Pod],
    uses: &[Kind::Event],
    explains: &[consequences::PODS_NOT_READY, consequences::CALLS_FAIL, consequences::PROBES_FAIL, consequences::NO_ROOM, &["cluster-dns-config", "external-dns", "image-pull-failed", "kube-proxy-down", "node-not-ready", "sandbox-failed", "stuck-terminating", "untolerated-taint", "volume-mount-failed", "webhook-blocking"]],
    check,
};

const WORDS: &[&str] = &["container runtime is down", "PLEG is not healthy", "container runtime not ready"];

fn check(scene: &Scene<'_>) -> Vec<Finding> {
    node::all(scene).iter().filter_map(|node| said(node).or_else(|| dialled(node))).collect()
}

fn said(node: &NodeView<'_>) -> Option<Finding> {
    let condition = node.not_ready().filter(|condition| condition.status == "False")?;
    let text = condition.message.as_deref().filter(|text| WORDS.iter().any(|word| text.contains(word)))?;
    if text.contains("network plugin") || text.contains("cni plugin") {
        return None;
    }
    let since = node::since(condition);
    let mut finding = finding(node, text, since).because_at(
        node.object(),
        "status.conditions[Ready].message",
        refusal::cut(text, 300),
        since,
    );
    if let Some((message, last)) = socket(node) {
        finding =
            finding.because_at(node.object(), "events[ContainerGCFailed].message", refusal::cut(message, 300), last);
    }
    Some(node.hit(finding.confidence(0.96)))
}

/// The kubelet fails to dial the runtime and is not ready, whatever it gives as the reason.
fn dialled(node: &NodeView<'_>) -> Option<Finding> {
    let condition = node.not_ready().filter(|condition| condition.status == "False")?;
    let (message, last) = socket(node)?;
    let since = node::since(condition);
    let finding = finding(node, "the kubelet cannot dial its socket", since)
        .because_at(node.object(), "events[ContainerGCFailed].message", refusal::cut(message, 300), last)
        .confidence(0.9);
    Some(node.hit(finding))
}

fn finding(node: &NodeView<'_>, text: &str, since: Option<Timestamp>) -> Finding {
    let name = node.name();
    let message = format!(
        "container runtime of node/{name} does not answer, so that the node is NotReady: {}",
        refusal::cut(text.trim_end_matches('.'), 140)
    );
    let cure = format!(
        "restart the container runtime on {name} (`systemctl restart containerd`), and look why it stopped (`journalctl -u containerd`, free disk)"
    );
    RULE.finding(node.object(), message)
        .seen(since, Some(node.scene.now()))
        .recommend(Recommendation::new("repair-node", cure))
}

/// Returns the newest recent event in which the kubelet could not dial the runtime.
fn socket<'s>(node: &NodeView<'s>) -> Option<(&'s str, Option<Timestamp>)> {
    let about = |message: &str| {
        message.contains(".sock") && (message.contains("dial unix") || message.contains("Error while dialing"))
    };
    let events = node.events().filter(|event| about(event.message) && node.scene.is_recent(event.last));
    events.last().map(|event| (event.message, event.last))
}
