//! No node has a free pod slot.

use crate::model::{Finding, Kind, Severity};
use crate::rules::{Rule, consequences};
use crate::scene::Scene;
use crate::scene::scheduling::room;

/// See [`Rule::docs`].
pub static RULE: Rule = Rule {
    id: "insufficient-pods",
    category: "insufficient_resources",
    summary: "detects pods for which no node has a free pod slot",
    docs: "\
## What it means
Every node that the pod may run on already runs as many pods as it may: `allocatable.pods`, 110 unless the kubelet's \
`maxPods` says otherwise.

## How it is detected
The pod's condition `PodScheduled` is false, or the event `FailedScheduling` says so, with `Too many pods`. The pods on each \
node are counted again to tell this cause from others and to name the roomiest node.

## What to do
Remove pods that are not needed, raise `maxPods` of the kubelet if the node's range of pod addresses allows it, or add a node.",
    severity: Severity::Error,
    needs: &[Kind::Pod],
    uses: &[Kind::Node, Kind::Event],
    explains: &[consequences::PODS_NOT_READY],
    check,
};

fn check(scene: &Scene<'_>) -> Vec<Finding> {
    room::findings(scene, &RULE, |resource| resource == "pods")
}
