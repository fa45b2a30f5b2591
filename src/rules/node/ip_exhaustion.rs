//! No pod address is left.

use crate::model::store::HasMeta as _;
use crate::model::{Finding, Kind, ObjectRef, Recommendation, Severity};
use crate::rules::{Rule, consequences};
use crate::scene::access::refusal;
use crate::scene::pods::sandbox;
use crate::scene::{EventView, PodView, Scene};

/// See [`Rule::docs`].
pub static RULE: Rule = Rule {
    id: "ip-exhaustion",
    category: "ip_exhaustion",
    summary: "detects nodes that have no pod IP address left",
    docs: "\
## What it means
The network plugin has given away all addresses of the range that it may use on the node, so that new pods stay in \
`ContainerCreating`.

## How it is detected
A pod that still has no sandbox has a recent `FailedCreatePodSandBox` event whose words are those of an address allocator: \
`no IP addresses available in range`.

## What to do
Remove pods that are finished or stuck on the node; if addresses leaked, clean `/var/lib/cni/networks` on it; else give the node a \
larger range, or lower its `maxPods`.",
    severity: Severity::Error,
    needs: &[Kind::Event, Kind::Pod],
    uses: &[Kind::Node],
    explains: &[consequences::PODS_NOT_READY, &["sandbox-failed"]],
    check,
};

fn check(scene: &Scene<'_>) -> Vec<Finding> {
    let failed = sandbox::failures(scene).into_iter().filter(|(_, event)| sandbox::lacks_address(event.message));
    failed.filter_map(|(pod, event)| exhausted(pod, event)).collect()
}

fn exhausted(pod: PodView<'_>, event: &EventView<'_>) -> Option<Finding> {
    let name = pod.node()?;
    let node = ObjectRef::new(Kind::Node, "", name);
    let words = sandbox::allocator_words(event.message);
    let message = format!("node/{name} has no pod IP address left: {}", refusal::cut(words, 150));
    let mut finding = RULE
        .finding(node.clone(), message)
        .because_at(
            pod.object(),
            "events[FailedCreatePodSandBox].message",
            refusal::cut(event.message, 300),
            event.last,
        )
        .seen(event.first, event.last)
        .affects(pod.object())
        .affects(pod.workload().object.clone())
        .confidence(0.95);
    let nodes = &pod.scene.snapshot.objects.nodes;
    if let Some(range) = nodes.get("", name).and_then(|node| node.spec.as_ref()?.pod_cidr.as_deref()) {
        let here = pod
            .scene
            .snapshot
            .objects
            .pods
            .iter()
            .filter(|other| other.spec.as_ref().and_then(|spec| spec.node_name.as_deref()) == Some(name));
        let ended = |phase: Option<&str>| matches!(phase, Some("Succeeded" | "Failed"));
        let count = here
            .filter(|other| {
                !ended(other.status.as_ref().and_then(|status| status.phase.as_deref()))
                    && !other.object.name().is_empty()
            })
            .count();
        finding = finding.because(node, "spec.podCIDR", format!("{range}, for at least {count} pods"));
    }
    let summary = format!(
        "move pods away from {name}, clean addresses that leaked in /var/lib/cni/networks there, or give the node a larger range"
    );
    Some(finding.recommend(Recommendation::new("repair-node", summary)))
}
