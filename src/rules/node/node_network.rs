//! A node has no pod network.

use jiff::Timestamp;

use crate::model::{Finding, Kind, Recommendation, Severity};
use crate::rules::{Rule, consequences};
use crate::scene::Scene;
use crate::scene::access::refusal;
use crate::scene::scheduling::node::{self, NodeView};

/// See [`Rule::docs`].
pub static RULE: Rule = Rule {
    id: "node-network",
    category: "node_network",
    summary: "detects nodes whose pod network (CNI) is not set up",
    docs: "\
## What it means
The network plugin of the node is missing or broken: pods there get no address, and the node may be not ready for it.

## How it is detected
The condition `NetworkUnavailable` is `True`, or the node is not ready and its kubelet speaks of the network plugin \
(`cni plugin not initialized`, `NetworkPluginNotReady`).

## What to do
Look at the network plugin's pod on this node (calico-node, cilium, kube-flannel and so on in kube-system) and at the files in \
`/etc/cni/net.d`.",
    severity: Severity::Error,
    needs: &[Kind::Node, Kind::Pod],
    uses: &[],
    explains: &[consequences::PODS_NOT_READY, consequences::PROBES_FAIL, &["app-exception", "cluster-dns-config", "external-dns", "ip-exhaustion", "node-not-ready", "sandbox-failed", "stuck-terminating", "untolerated-taint"]],
    check,
};

fn check(scene: &Scene<'_>) -> Vec<Finding> {
    node::all(scene).iter().filter_map(no_network).collect()
}

fn no_network(node: &NodeView<'_>) -> Option<Finding> {
    let (path, text, since) = unavailable(node).or_else(|| not_ready(node))?;
    let name = node.name();
    let message = format!("node/{name} has no pod network: {}", refusal::cut(text.trim_end_matches('.'), 150));
    let finding = RULE
        .finding(node.object(), message)
        .because_at(node.object(), path, refusal::cut(text, 300), since)
        .seen(since, Some(node.scene.now()))
        .confidence(0.95)
        .recommend(Recommendation::new(
            "repair-node",
            format!("repair the network plugin's pod on {name}, or its configuration in /etc/cni/net.d"),
        ));
    let pods = format!(
        "kubectl get pods -n kube-system -o wide --field-selector spec.nodeName={}",
        crate::render::quote::sh(name)
    );
    Some(node.hit(finding.next(pods)))
}

fn unavailable<'s>(node: &NodeView<'s>) -> Option<(&'static str, &'s str, Option<Timestamp>)> {
    let condition = node.condition("NetworkUnavailable").filter(|condition| condition.status == "True")?;
    let text = condition.message.as_deref().or(condition.reason.as_deref()).unwrap_or("NetworkUnavailable");
    Some(("status.conditions[NetworkUnavailable].message", text, node::since(condition)))
}

fn not_ready<'s>(node: &NodeView<'s>) -> Option<(&'static str, &'s str, Option<Timestamp>)> {
    let condition = node.not_ready().filter(|condition| condition.status == "False")?;
    let words = ["network plugin", "cni plugin", "cni config", "NetworkPluginNotReady", "runtime network not ready"];
    let text = condition.message.as_deref().filter(|text| words.iter().any(|word| text.contains(word)))?;
    Some(("status.conditions[Ready].message", text, node::since(condition)))
}
