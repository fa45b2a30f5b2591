//! No node has room for a pod.

use crate::model::{Finding, Kind, Severity};
use crate::rules::{Rule, consequences};
use crate::scene::Scene;
use crate::scene::scheduling::room;

/// See [`Rule::docs`].
pub static RULE: Rule = Rule {
    id: "insufficient-resources",
    category: "insufficient_resources",
    summary: "detects pods for which no node has enough of a resource other than CPU, memory and pod slots",
    docs: "\
## What it means
The scheduler finds no node whose allocatable GPUs, ephemeral storage, huge pages and other extended resources, less the requests of the pods that are already bound to it, cover \
what this pod requests. What pods really use does not count.

## How it is detected
The pod's condition `PodScheduled` is false, or the event `FailedScheduling` says so, with `Insufficient ...` and the name of the resource. \
The requests on each node are added up again to tell this cause from others and to say how much is missing on the \
roomiest node. Where not all namespaces were read, the free room is an upper bound. Where several resources are missing, \
the one that is missing most decides which rule speaks.

## What to do
Lower the request to what the program needs, remove or shrink other pods, or add a node that is large enough.",
    severity: Severity::Error,
    needs: &[Kind::Pod],
    uses: &[Kind::Node, Kind::Event],
    explains: &[consequences::PODS_NOT_READY],
    check,
};

fn check(scene: &Scene<'_>) -> Vec<Finding> {
    room::findings(scene, &RULE, |resource| !matches!(resource, "cpu" | "memory" | "pods"))
}
