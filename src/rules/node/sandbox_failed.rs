//! The sandbox of a pod cannot be made.

use std::collections::{BTreeMap, BTreeSet};

use crate::model::{Finding, Kind, ObjectRef, Recommendation, Severity};
use crate::render::quote;
use crate::rules::{Rule, consequences};
use crate::scene::access::refusal;
use crate::scene::pods::sandbox;
use crate::scene::{EventView, PodView, Scene};

/// See [`Rule::docs`].
pub static RULE: Rule = Rule {
    id: "sandbox-failed",
    category: "sandbox_failed",
    summary: "detects pods whose sandbox cannot be created",
    docs: "\
## What it means
Before any container, a pod gets a sandbox with its network and cgroup. The container runtime of the node cannot make it, so \
that the pod stays in `ContainerCreating`.

## How it is detected
A pod that still has no sandbox keeps getting `FailedCreatePodSandBox` events. Sandboxes that a tiny memory limit kills and \
exhausted addresses have rules of their own. The node is named where its network plugin fails or several workloads are hit.

## What to do
If the message speaks of the network plugin, look at its pod on that node. If it speaks of a runtime handler, correct the \
pod's `runtimeClassName`.",
    severity: Severity::Error,
    needs: &[Kind::Event, Kind::Pod],
    uses: &[Kind::Node],
    explains: &[consequences::PODS_NOT_READY],
    check,
};

fn check(scene: &Scene<'_>) -> Vec<Finding> {
    let own = |message: &str| !sandbox::lacks_address(message) && !sandbox::ran_out_of_memory(message);
    let failures: Vec<_> = sandbox::failures(scene).into_iter().filter(|(_, event)| own(event.message)).collect();
    let mut workloads: BTreeMap<&str, BTreeSet<&ObjectRef>> = BTreeMap::new();
    for (pod, _) in &failures {
        if let Some(node) = pod.node() {
            workloads.entry(node).or_default().insert(&pod.workload().object);
        }
    }
    failures
        .iter()
        .filter_map(|(pod, event)| failed(*pod, event, workloads.get(pod.node()?).map_or(0, BTreeSet::len)))
        .collect()
}

fn failed(pod: PodView<'_>, event: &EventView<'_>, workloads: usize) -> Option<Finding> {
    let node = pod.node()?;
    let words = sandbox::cause(event.message);
    let of_node = workloads > 1
        || ["cni", "network for sandbox", "network for pod"].iter().any(|word| event.message.contains(word));
    let owner = pod.workload().object.short();
    let (subject, message) = if of_node {
        let message = format!(
            "node/{node} cannot create sandboxes, among them that of a pod of {owner}: {}",
            refusal::cut(words, 150)
        );
        (ObjectRef::new(Kind::Node, "", node), message)
    } else {
        let message =
            format!("the sandbox of a pod of {owner} cannot be created on {node}: {}", refusal::cut(words, 150));
        (pod.workload().object.clone(), message)
    };
    let finding = RULE
        .finding(subject, message)
        .because_at(
            pod.object(),
            "events[FailedCreatePodSandBox].message",
            refusal::cut(event.message, 300),
            event.last,
        )
        .seen(event.first, event.last)
        .affects(pod.object())
        .affects(pod.workload().object.clone())
        .confidence(if of_node { 0.85 } else { 0.8 })
        .recommend(cure(pod, event.message, node));
    Some(finding.next(quote::command(&["kubectl", "describe", "pod", pod.name(), "-n", pod.namespace()])))
}

fn cure(pod: PodView<'_>, message: &str, node: &str) -> Recommendation {
    if message.contains("RuntimeHandler") || message.contains("no runtime for") {
        let class = pod.spec().and_then(|spec| spec.runtime_class_name.as_deref()).unwrap_or("?");
        let summary = format!(
            "install the runtime of RuntimeClass `{class}` on {node}, or correct runtimeClassName of {}",
            pod.workload().object.short()
        );
        return Recommendation::new("edit-object", summary);
    }
    if message.contains("cni") || message.contains("network") {
        let pods =
            format!("kubectl get pods -n kube-system -o wide --field-selector spec.nodeName={}", quote::sh(node));
        return Recommendation::new("repair-node", format!("repair the network plugin's pod on {node}")).command(pods);
    }
    Recommendation::new("repair-node", format!("look at the container runtime of {node}: `journalctl -u containerd`"))
}
